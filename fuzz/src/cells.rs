//! ATM: the cells of a line, as an adapter takes them: HEC, OAM loopback, policing, AAL5.

use std::cell::Cell as Count;
use std::collections::BTreeSet;
use std::io::IoSlice;
use std::rc::Rc;
use std::time::Duration;

use condis::runtime::Time;
use condis_atm::VpVc;
use condis_atm::aal5::{
    Aal5Counters, Pdu, PduBuffer, Reassembler, ReassemblyConfig, Segmenter, cells_of, pdu_octets,
};
use condis_atm::cell::loopback::{Flow, Loopback, LoopbackConfig, LoopbackOutput};
use condis_atm::cell::oam::{LocationId, LoopbackCell, Oam};
use condis_atm::cell::runs::runs;
use condis_atm::cell::{
    self, Cell, HeaderWord, HecCounters, HecReceiver, Interface, LoopbackCounters, Pti, VcTable, aal0,
    payload,
};
use condis_atm::traffic::{Contract, Policer, PolicerCounters, Sustained};

use crate::input::Input;

const UNI: Interface = Interface::Uni;
const VCIS: [u16; 3] = [5, 32, 33];
const SDU_OCTETS_MAX: usize = 300;
const LOOPBACK: LoopbackConfig = LoopbackConfig {
    timeout: Duration::from_millis(500),
    outstanding_max: 3,
    answers_max: 4,
    location: LocationId([1; 16]),
};

/// What was counted, so that a test sees how far it came.
#[derive(Default, Debug)]
pub struct Reached {
    /// Of the line.
    pub hec: HecCounters,
    /// Of all VCs.
    pub aal5: Aal5Counters,
    /// Of all VCs.
    pub loopback: LoopbackCounters,
    /// Of all VCs.
    pub policer: PolicerCounters,
}

struct Vc {
    reassembler: Reassembler<Buffer>,
    loopback: Loopback,
    policer: Policer,
    asked: BTreeSet<u32>,
}

/// A buffer that is counted while it is out.
struct Buffer {
    octets: Vec<u8>,
    out: Rc<Count<usize>>,
}

impl PduBuffer for Buffer {
    fn room(&mut self) -> &mut [u8] {
        &mut self.octets
    }

    fn finish(&mut self, sdu_octets: usize) {
        self.octets.truncate(sdu_octets);
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.out.set(self.out.get() - 1);
    }
}

/// Cells, raw or well-formed, whole SDUs with cells lost, doubled and changed, loopback and time, for a line with three VCs.
pub fn line(data: &[u8]) -> Reached {
    let mut input = Input(data);
    let mut vcs = VcTable::new(VCIS.len());
    for vci in VCIS {
        vcs.insert(VpVc::new(0, vci), Vc::new(input.octet())).ok().expect("three VCs fit");
    }
    let mut receiver = HecReceiver::new();
    let mut now = Time::ZERO;
    let out = Rc::new(Count::new(0));
    while !input.is_empty() {
        let vci = VCIS[usize::from(input.octet()) % VCIS.len()];
        let header = HeaderWord::new(UNI, VpVc::new(0, vci)).expect("VPI 0 fits");
        let mut cells = Vec::new();
        match input.octet() % 8 {
            0 => now = now.after(Duration::from_millis(u64::from(input.octet()))),
            1 if input.octet() < 0x40 => cells.push(cell::idle()),
            1 => cells.push(raw(&mut input)),
            2 => {
                let pti = Pti::new(input.octet());
                cells.push(
                    header.with_pti(pti).with_clp(input.octet() % 2 == 0).cell(payload(&raw(&mut input))),
                );
            }
            3 => {
                let kind = input.octet();
                let location =
                    [LocationId::END_POINT, LOOPBACK.location, LocationId::EVERYWHERE][usize::from(kind) % 3];
                let request = kind & 0x10 != 0;
                let cell =
                    LoopbackCell { request, tag: input.octet().into(), location, source: LOOPBACK.location };
                let pti = if kind & 0x20 != 0 { Pti::OAM_SEGMENT } else { Pti::OAM_END_TO_END };
                cells = vec![header.with_pti(pti).cell(&cell.encode()); 1 + usize::from(input.octet() % 6)];
            }
            4 => vcs.get_mut(VpVc::new(0, vci)).expect("it is there").ask(now, input.octet()),
            5 if input.octet() < 0x20 => {
                let vc = vcs.get_mut(VpVc::new(0, vci)).expect("it is there");
                vc.reassembler.abandon();
            }
            _ => cells = sdu(&mut input, header),
        }
        for mut run in runs(&mut receiver, UNI, &cells) {
            assert!(!run.is_empty() && run.iter().all(|(header, _)| header.vpvc(UNI) == run.vpvc()));
            let Some(vc) = vcs.get_mut(run.vpvc()) else { continue };
            vc.police(now, run.iter().map(|(header, _)| header));
            if !run.is_user() {
                run.iter().for_each(|(header, payload)| vc.other(now, header.pti(), payload));
                continue;
            }
            let supply = |octets: usize| {
                assert_eq!(octets, pdu_octets(SDU_OCTETS_MAX));
                (out.get() < 2).then(|| {
                    out.set(out.get() + 1);
                    Buffer { octets: vec![0; octets], out: Rc::clone(&out) }
                })
            };
            while let Some(pdu) = vc.reassembler.next_pdu(now, &mut run, supply) {
                assert!(
                    pdu.sdu_octets == pdu.buffer.octets.len()
                        && (1..=SDU_OCTETS_MAX).contains(&pdu.sdu_octets)
                );
                arrives_again(&pdu);
            }
            assert!(run.is_empty());
        }
        let held = vcs.iter().filter(|(_, vc)| vc.reassembler.holds_buffer()).count();
        assert_eq!(out.get(), held, "each buffer is in a PDU under way, or gone back");
        for vci in VCIS {
            vcs.get_mut(VpVc::new(0, vci)).expect("it is there").settle(now);
        }
    }
    let mut reached = Reached { hec: *receiver.counters(), ..Reached::default() };
    for (_, vc) in vcs.iter() {
        reached.aal5 += *vc.reassembler.counters();
        reached.loopback += *vc.loopback.counters();
        reached.policer += *vc.policer.counters();
    }
    reached
}

/// Any octets as an SDU of AAL0: refused, or a cell on the VC's own connection.
pub fn raw_sdu(data: &[u8]) {
    let vc = HeaderWord(0x0050_0640);
    match aal0::to_cell(data, vc) {
        Ok(cell) => {
            let header = HeaderWord::of(&cell);
            assert!(header.same_connection(vc) && cell[..5] == header.octets());
            assert_eq!(aal0::to_sdu(header, &cell)[4..], data[data.len() - 48..]);
        }
        Err(_) => assert!(data.len() != 48 && data.len() != 52),
    }
}

impl Vc {
    fn new(kind: u8) -> Vc {
        let sustained = Sustained { scr_cells_per_s: 1 + u32::from(kind), mbs_cells: 10 };
        let contract = match kind % 4 {
            0 => Contract::UBR,
            1 => Contract { frame_discard: kind & 8 != 0, ..Contract::cbr(100 * u32::from(kind)) },
            _ => Contract {
                tagging: kind % 4 == 2,
                cdvt: Duration::from_millis(1),
                ..Contract::nrt_vbr(100_000, sustained)
            },
        };
        let config = ReassemblyConfig { sdu_octets_max: SDU_OCTETS_MAX, timeout: Duration::from_millis(300) };
        Vc {
            reassembler: Reassembler::new(config),
            loopback: Loopback::new(LOOPBACK, 0),
            policer: Policer::new(&contract).expect("the contract makes sense"),
            asked: BTreeSet::new(),
        }
    }

    fn ask(&mut self, now: Time, kind: u8) {
        let flow = if kind & 1 == 0 { Flow::Segment } else { Flow::EndToEnd };
        self.loopback.handle_timeout(now);
        self.poll();
        let asked = self.loopback.send(now, flow, LocationId::END_POINT);
        assert_eq!(asked.is_ok(), self.asked.len() < LOOPBACK.outstanding_max);
        self.asked.extend(asked);
    }

    fn police(&mut self, now: Time, headers: impl Iterator<Item = HeaderWord>) {
        for header in headers {
            let passed = self.policer.handle_cell(now, header);
            assert!(passed.is_none_or(|passed| passed == header || passed == header.with_clp(true)));
        }
    }

    fn other(&mut self, now: Time, pti: Pti, payload: &[u8; 48]) {
        if let Ok(oam) = Oam::parse(payload) {
            assert!(!oam.to_string().contains(char::is_control));
        }
        self.loopback.handle_cell(now, pti, payload);
    }

    fn settle(&mut self, now: Time) {
        self.reassembler.handle_timeout(now);
        assert!(self.reassembler.next_timeout().is_none_or(|due| due > now));
        self.loopback.handle_timeout(now);
        assert!(self.loopback.next_timeout().is_none_or(|due| due > now));
        self.poll();
    }

    fn poll(&mut self) {
        while let Some(output) = self.loopback.poll_output() {
            match output {
                LoopbackOutput::Transmit { pti, payload } => {
                    assert!(pti.is_oam() && matches!(Oam::parse(&payload), Ok(Oam::Loopback(_))));
                }
                LoopbackOutput::Answered { tag, .. } | LoopbackOutput::TimedOut { tag } => {
                    assert!(self.asked.remove(&tag));
                }
            }
        }
    }
}

/// What came out goes in again, and comes out the same.
fn arrives_again(pdu: &Pdu<Buffer>) {
    let mut cells = vec![[0; 53]; cells_of(pdu.sdu_octets)];
    let header = HeaderWord(0x0000_0640).with_clp(pdu.clp);
    let made = Segmenter::new(header).segment(&[IoSlice::new(&pdu.buffer.octets)], pdu.uu, &mut cells);
    assert_eq!(made, Ok(cells.len()));
    let mut reassembler = Reassembler::new(ReassemblyConfig::default());
    let mut receiver = HecReceiver::new();
    let mut run = runs(&mut receiver, UNI, &cells).next().expect("cells of one VC");
    let again = reassembler.next_pdu(Time::ZERO, &mut run, |octets| Some(vec![0; octets])).expect("an SDU");
    assert_eq!((&again.buffer, again.uu, again.clp), (&pdu.buffer.octets, pdu.uu, pdu.clp));
}

fn raw(input: &mut Input<'_>) -> Cell {
    let mut cell = [0; 53];
    let octets = input.take(53);
    cell[..octets.len()].copy_from_slice(octets);
    cell
}

/// The cells of an SDU, sometimes with one lost, one doubled, or a bit turned over.
fn sdu(input: &mut Input<'_>, header: HeaderWord) -> Vec<Cell> {
    let octets = 1 + usize::from(input.number()) % (SDU_OCTETS_MAX + 60);
    let sdu: Vec<u8> = input.take(8).iter().copied().cycle().take(octets).collect();
    let whole = if sdu.is_empty() { vec![0; octets] } else { sdu };
    let (first, second) = whole.split_at(octets / 3);
    let mut cells = vec![[0; 53]; cells_of(octets)];
    let parts = [IoSlice::new(first), IoSlice::new(second)];
    let header = header.with_clp(input.octet() < 0x40);
    let mut segmentation = Segmenter::new(header).begin(&parts, input.octet()).expect("it can be sent");
    let cut = usize::from(input.octet()) % (cells.len() + 1);
    segmentation.fill(&parts, &mut cells[..cut]);
    if input.octet() < 0x10 {
        cells.truncate(cut);
        cells.push(segmentation.abort());
        return cells;
    }
    segmentation.fill(&parts, &mut cells[cut..]);
    assert_eq!(segmentation.cells_left(), 0);
    let at = usize::from(input.octet()) % cells.len();
    match input.octet() {
        0..0x18 => drop(cells.remove(at)),
        0x18..0x30 => cells.insert(at, cells[at]),
        0x60..0xa0 => HeaderWord::of(&cells[at]).with_efci().write_to(&mut cells[at]),
        0x30..0x60 => cells[at][usize::from(input.octet()) % 53] ^= 1 << (input.octet() % 8),
        _ => {}
    }
    cells
}
