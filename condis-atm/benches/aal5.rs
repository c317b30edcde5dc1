//! AAL5: SDUs to cells and back, to what cannot be avoided (`floors/aal5.rs`). One operation is one SDU.
//!
//! - *segment*: the SDU in one piece, to cells with headers, HEC, pad and trailer. The floor is given a PDU that is padded and
//!   has its trailer already, but for the CRC.
//! - *in three pieces*: the same, a header of 8 octets and the rest cut at odd places. The same floor.
//! - *reassemble*: cells of one VC out of 1,000: HEC, look-up by VPI and VCI, reassembly, all checks, and a buffer from a free
//!   list and back for each SDU. The floor has one VC, whose buffer is at hand, and checks the CRC and the length.
//! - *into NBLs*: the same, into net buffer lists of a pool.
//! - *cells of other VCs between*: each run is one cell long.

use std::cell::RefCell;
use std::hint::black_box;
use std::io::IoSlice;

use condis::nbl::{Nbl, Pool, PoolConfig};
use condis::runtime::Time;
use condis_atm::VpVc;
use condis_atm::aal5::{PduBuffer, Reassembler, ReassemblyConfig, SDU_OCTETS_MAX, Segmenter, pdu_octets};
use condis_atm::cell::runs::runs;
use condis_atm::cell::{HeaderWord, HecReceiver, Interface, Pti, VcTable};
use condis_link::atm::{ATM_BATCH_MAX, Cell};

use crate::counting::Counting;
use crate::harness::{Harness, Target};

#[path = "../../condis/benches/harness/counting.rs"]
mod counting;
#[path = "floors/aal5.rs"]
mod floor;
#[path = "../../condis/benches/harness/mod.rs"]
mod harness;

#[global_allocator]
static COUNTING: Counting = Counting;

/// Octets of the SDUs.
const SIZES: [usize; 4] = [40, 1500, 9180, 65_535];
const UNI: Interface = Interface::Uni;
const VCS: u16 = 1000;

fn main() {
    let mut harness = Harness::from_env("AAL5, per SDU");
    for octets in SIZES {
        segment(&mut harness, octets);
    }
    for octets in SIZES {
        reassemble(&mut harness, octets);
    }
    harness.figure(
        "allocations in 1,000 SDUs of 1500 there and back",
        "allocations",
        Target::AtMost(0.0),
        || {
            let sdu = sdu(1500);
            let mut cells = room(1500);
            let mut line = Line::<Box<[u8]>>::new(&[header(0)]);
            let mut there_and_back = || {
                segmenter(0).segment(&[IoSlice::new(&sdu)], 0, &mut cells).expect("there is room");
                assert_eq!(line.receive(&cells), 1500);
            };
            there_and_back();
            let before = counting::allocations();
            (0..1000).for_each(|_| there_and_back());
            (counting::allocations() - before) as f64
        },
    );
    harness.finish();
}

fn segment(harness: &mut Harness, octets: usize) {
    let target = if octets == 40 { 1.3 } else { 1.0 };
    let (mut cells, mut cells_again, pdu) = (room(octets), room(octets), pdu(octets));
    let (more, last) = (header(0).octets(), header(0).with_pti(Pti::USER_LAST).octets());
    let mut under = |sdus: u64| {
        for _ in 0..sdus {
            black_box(floor::segment(black_box(&pdu), more, last, black_box(&mut cells)));
        }
    };
    let sdu = sdu(octets);
    let (first, rest) = sdu.split_at(8);
    let (second, third) = rest.split_at(rest.len() / 3);
    let whole = [IoSlice::new(&sdu)];
    let pieces = [first, second, third].map(IoSlice::new);
    for (name, parts, target) in
        [("", &whole[..], Target::AtLeast(target)), (" in three pieces", &pieces[..], Target::None)]
    {
        let segmenter = segmenter(0);
        let name = format!("segment {octets}{name}");
        harness.compare_rates(&name, target, &mut under, |sdus| {
            for _ in 0..sdus {
                let made = segmenter.segment(black_box(parts), 0, black_box(&mut cells_again));
                black_box(made.expect("there is room"));
            }
        });
    }
    let made = segmenter(0).segment(&pieces, 0, &mut cells_again);
    under(1);
    assert!(made == Ok(cells.len()) && cells == cells_again, "both make the same cells");
}

fn reassemble(harness: &mut Harness, octets: usize) {
    let headers: Vec<HeaderWord> = (0..VCS).map(header).collect();
    let mut cells = room(octets);
    segmenter(VCS / 2).segment(&[IoSlice::new(&sdu(octets))], 0, &mut cells).expect("there is room");
    let mut buffer = Aligned::new(vec![0; pdu_octets(octets)]);
    let mut under = |sdus: u64| {
        for _ in 0..sdus {
            let given = floor::reassemble(black_box(&cells), black_box(buffer.octets()));
            assert_eq!(given, Some(octets));
        }
    };
    let mut line = Line::<Box<[u8]>>::new(&headers);
    harness.compare_rates(&format!("reassemble {octets}"), Target::AtLeast(0.8), &mut under, |sdus| {
        (0..sdus).for_each(|_| assert_eq!(line.receive(black_box(&cells)), octets));
    });
    let mut line = Line::<Nbl>::new(&headers);
    harness.compare_rates(&format!("reassemble {octets} into NBLs"), Target::None, &mut under, |sdus| {
        (0..sdus).for_each(|_| assert_eq!(line.receive(black_box(&cells)), octets));
    });
    // Two VCs take turns, cell by cell; one operation is still one SDU.
    let other = headers[usize::from(VCS) / 3];
    let between: Vec<Cell> = cells
        .iter()
        .flat_map(|cell| {
            let mut copy = *cell;
            HeaderWord::of(cell).on(other).write_to(&mut copy);
            [*cell, copy]
        })
        .collect();
    let mut line = Line::<Box<[u8]>>::new(&headers);
    let name = format!("reassemble {octets}, another VC's cells between");
    harness.compare_rates(&name, Target::None, &mut under, |sdus| {
        (0..sdus.div_ceil(2)).for_each(|_| assert_eq!(line.receive(black_box(&between)), 2 * octets));
    });
}

/// What a driver has at a line of cells.
struct Line<B: Sourced> {
    receiver: HecReceiver,
    vcs: VcTable<Reassembler<B>>,
    source: B::Source,
}

impl<B: Sourced> Line<B> {
    fn new(headers: &[HeaderWord]) -> Line<B> {
        let mut vcs = VcTable::new(headers.len());
        for header in headers {
            let reassembler = Reassembler::new(ReassemblyConfig::default());
            vcs.insert(header.vpvc(UNI), reassembler).expect("each is another");
        }
        Line { receiver: HecReceiver::new(), vcs, source: B::source() }
    }

    /// Octets of the SDUs that came of these cells.
    fn receive(&mut self, cells: &[Cell]) -> usize {
        let mut octets = 0;
        for batch in cells.chunks(ATM_BATCH_MAX) {
            for mut run in runs(&mut self.receiver, UNI, batch) {
                let Some(vc) = self.vcs.get_mut(run.vpvc()) else { continue };
                while let Some(pdu) = vc.next_pdu(Time::ZERO, &mut run, |_| B::take(&self.source)) {
                    octets += pdu.sdu_octets;
                    pdu.buffer.give_back(&self.source);
                }
            }
        }
        octets
    }
}

/// A buffer that comes from somewhere and goes back there.
trait Sourced: PduBuffer + Sized {
    type Source;

    fn source() -> Self::Source;
    fn take(source: &Self::Source) -> Option<Self>;
    fn give_back(self, source: &Self::Source);
}

impl Sourced for Box<[u8]> {
    type Source = RefCell<Vec<Box<[u8]>>>;

    fn source() -> Self::Source {
        RefCell::new(vec![vec![0; pdu_octets(SDU_OCTETS_MAX)].into(); 2])
    }

    fn take(source: &Self::Source) -> Option<Self> {
        source.borrow_mut().pop()
    }

    fn give_back(self, source: &Self::Source) {
        source.borrow_mut().push(self);
    }
}

impl Sourced for Nbl {
    type Source = Pool;

    fn source() -> Pool {
        Pool::new(PoolConfig { data_size: pdu_octets(SDU_OCTETS_MAX), capacity: 2, ..PoolConfig::default() })
    }

    fn take(source: &Pool) -> Option<Nbl> {
        source.alloc().ok()
    }

    fn give_back(self, _source: &Pool) {}
}

fn header(vc: u16) -> HeaderWord {
    HeaderWord::new(UNI, VpVc::new(vc % 3, 32 + vc)).expect("the VPI fits")
}

fn segmenter(vc: u16) -> Segmenter {
    Segmenter::new(header(vc))
}

fn room(octets: usize) -> Vec<Cell> {
    vec![[0; 53]; pdu_octets(octets) / 48]
}

fn sdu(octets: usize) -> Vec<u8> {
    (0..octets).map(|at| (at * 7 + at / 251) as u8).collect()
}

/// A PDU without its CRC.
fn pdu(octets: usize) -> Vec<u8> {
    let mut pdu = sdu(octets);
    pdu.resize(pdu_octets(octets) - 8, 0);
    pdu.extend([0, 0]);
    pdu.extend((octets as u16).to_be_bytes());
    pdu.extend([0; 4]);
    pdu
}

/// Octets that begin with a cache line. Where those of a floor lie otherwise, its time for a short PDU may double: it reads again
/// what it has just written, and where that crosses a line the processor has to wait.
struct Aligned {
    octets: Vec<u8>,
    from: usize,
}

impl Aligned {
    fn new(octets: Vec<u8>) -> Aligned {
        let mut aligned = vec![0; octets.len() + 63];
        let from = aligned.as_ptr().align_offset(64);
        aligned[from..from + octets.len()].copy_from_slice(&octets);
        aligned.truncate(from + octets.len());
        Aligned { octets: aligned, from }
    }

    fn octets(&mut self) -> &mut [u8] {
        &mut self.octets[self.from..]
    }
}
