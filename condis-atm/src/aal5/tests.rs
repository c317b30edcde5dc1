//! Golden PDUs; what is sent arrives; what the line does to it is noticed, counted, and bounded.

use std::io::IoSlice;
use std::time::Duration;

use condis::nbl::{Pool, PoolConfig};
use condis::runtime::Time;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::VpVc;
use crate::cell::runs::{Run, runs};
use crate::cell::{Cell, HeaderWord, HecReceiver, Interface, Pti, payload, payload_mut};

const UNI: Interface = Interface::Uni;
const VC: VpVc = VpVc::new(0, 100);

fn header() -> HeaderWord {
    HeaderWord::new(UNI, VC).unwrap()
}

fn cells(sdu: &[u8], uu: u8) -> Vec<Cell> {
    let mut cells = vec![[0xee; 53]; cells_of(sdu.len())];
    assert_eq!(Segmenter::new(header()).segment(&[IoSlice::new(sdu)], uu, &mut cells), Ok(cells.len()));
    cells
}

fn reassembler(sdu_octets_max: usize) -> Reassembler<Vec<u8>> {
    Reassembler::new(ReassemblyConfig { sdu_octets_max, ..ReassemblyConfig::default() })
}

/// All PDUs that come of these cells.
fn take(reassembler: &mut Reassembler<Vec<u8>>, now: Time, cells: &[Cell]) -> Vec<Pdu<Vec<u8>>> {
    let mut pdus = Vec::new();
    for mut run in runs(&mut HecReceiver::new(), UNI, cells) {
        while let Some(pdu) = reassembler.next_pdu(now, &mut run, |octets| Some(vec![0xee; octets])) {
            pdus.push(pdu);
        }
        assert!(run.is_empty());
    }
    pdus
}

fn sdus(pdus: Vec<Pdu<Vec<u8>>>) -> Vec<Vec<u8>> {
    pdus.into_iter().map(|pdu| pdu.buffer).collect()
}

fn dropped(reassembler: &Reassembler<Vec<u8>>) -> Vec<(&'static str, u64)> {
    let dropped = |(name, count): &(&str, u64)| name.starts_with("dropped") && *count > 0;
    reassembler.counters().iter().filter(dropped).collect()
}

/// A PDU of this SDU with that trailer, whose CRC is made right.
fn forged(sdu: &[u8], cpi: u8, length: u16) -> Vec<Cell> {
    let mut pdu = sdu.to_vec();
    pdu.resize(pdu_octets(sdu.len()) - TRAILER_OCTETS, 0);
    pdu.extend(Trailer { uu: 0, cpi, length, crc: 0 }.encode());
    let covered = pdu.len() - 4;
    let crc = crc_32(&pdu[..covered]);
    pdu[covered..].copy_from_slice(&crc.to_be_bytes());
    let (payloads, _) = pdu.as_chunks::<48>();
    let mut cells: Vec<Cell> = payloads.iter().map(|payload| header().cell(payload)).collect();
    header().with_pti(Pti::USER_LAST).write_to(cells.last_mut().unwrap());
    cells
}

/// The three examples of I.363.5's appendix, as they are repeated wherever an AAL5 CRC is tested.
#[test]
fn golden_pdus_of_one_cell() {
    let counting: Vec<u8> = (1..=40).collect();
    for (sdu, crc) in [(vec![0; 40], 0x864d_7f99), (vec![0xff; 40], 0xc55e_457a), (counting, 0xbf67_1ed0)] {
        let cell = cells(&sdu, 0)[0];
        let trailer = Trailer { uu: 0, cpi: 0, length: 40, crc };
        assert_eq!(payload(&cell)[..40], sdu);
        assert_eq!(payload(&cell)[40..], trailer.encode());
        assert_eq!(cell[..5], header().with_pti(Pti::USER_LAST).octets());
        assert_eq!(sdus(take(&mut reassembler(40), Time::ZERO, &[cell])), [sdu]);
    }
}

#[test]
fn pad_and_trailer_take_as_many_cells_as_they_must() {
    for (octets, count) in [(1, 1), (40, 1), (41, 2), (48, 2), (88, 2), (89, 3), (9180, 192), (65_535, 1366)]
    {
        assert_eq!((cells_of(octets), pdu_octets(octets)), (count, count * 48));
        let sdu: Vec<u8> = (0..octets).map(|at| at as u8 | 1).collect();
        let cells = cells(&sdu, 7);
        let pdu = cells.iter().flat_map(payload).copied().collect::<Vec<_>>();
        assert_eq!(pdu[..octets], sdu);
        assert!(pdu[octets..pdu.len() - 8].iter().all(|pad| *pad == 0));
        assert!(cells[..count - 1].iter().all(|cell| cell[..5] == header().octets()));
        let [pdu] = &take(&mut reassembler(65_535), Time::ZERO, &cells)[..] else { panic!("one PDU") };
        assert_eq!((pdu.uu, pdu.sdu_octets, &pdu.buffer), (7, octets, &sdu));
    }
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let segmenter = Segmenter::new(header());
    let mut room = [[0; 53]; 2];
    let long = vec![0; 65_536];
    let mut segment = |sdu: &[u8]| segmenter.segment(&[IoSlice::new(sdu)], 0, &mut room);
    assert_eq!(segment(&[]), Err(SegmentError::Empty));
    assert_eq!(segment(&long), Err(SegmentError::TooLong(65_536)));
    assert_eq!(segment(&long[..89]), Err(SegmentError::NoRoom { needed: 3, room: 2 }));
    assert_eq!(segmenter.begin(&[], 0), Err(SegmentError::Empty));
    assert_eq!(room, [[0; 53]; 2]);
}

/// A caller that breaks its word gets zeros sent, and no panic.
#[test]
fn parts_that_change_are_sent_as_long_as_they_were() {
    let mut segmentation = Segmenter::new(header()).begin(&[IoSlice::new(&[1; 100])], 0).unwrap();
    let mut cells = [[0; 53]; 3];
    assert_eq!(segmentation.fill(&[IoSlice::new(&[1; 200])], &mut cells[..1]), 1);
    assert_eq!(segmentation.fill(&[IoSlice::new(&[1; 50])], &mut cells[1..2]), 1);
    assert_eq!(segmentation.fill(&[], &mut cells[2..]), 1);
    assert_eq!(segmentation.fill(&[], &mut cells), 0);
    let expected = [vec![1; 50], vec![0; 50]].concat();
    assert_eq!(sdus(take(&mut reassembler(100), Time::ZERO, &cells)), [expected]);
}

#[test]
fn the_sdu_lands_in_an_nbl_of_the_pool() {
    let pool = Pool::new(PoolConfig {
        data_size: 1500,
        headroom: 16,
        tailroom: pdu_octets(1500) - 1500,
        capacity: 1,
        verify: true,
    });
    let mut reassembler = Reassembler::new(ReassemblyConfig { sdu_octets_max: 1500, ..Default::default() });
    let sdu: Vec<u8> = (0..1500).map(|at| at as u8).collect();
    let cells = cells(&sdu, 0);
    let mut receiver = HecReceiver::new();
    for _ in 0..3 {
        let mut run = runs(&mut receiver, UNI, &cells).next().unwrap();
        let pdu = reassembler.next_pdu(Time::ZERO, &mut run, |_| pool.alloc().ok()).unwrap();
        assert_eq!(pdu.buffer.first().contiguous(), Some(&sdu[..]));
        assert_eq!(pdu.buffer.first().data_offset(), 16);
        let mut run = runs(&mut receiver, UNI, &cells).next().unwrap();
        assert!(reassembler.next_pdu(Time::ZERO, &mut run, |_| pool.alloc().ok()).is_none());
    }
    assert_eq!((reassembler.counters().sdus, reassembler.counters().dropped_no_buffer), (3, 3));
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn clp_of_any_cell_and_congestion_of_the_last() {
    let mut sent = cells(&[1; 100], 0);
    let mark =
        |cell: &mut Cell, change: fn(HeaderWord) -> HeaderWord| change(HeaderWord::of(cell)).write_to(cell);
    mark(&mut sent[0], |header| header.with_clp(true));
    mark(&mut sent[1], HeaderWord::with_efci);
    let mut reassembler = reassembler(100);
    let first = take(&mut reassembler, Time::ZERO, &sent);
    assert_eq!((first[0].clp, first[0].efci), (true, false));
    mark(&mut sent[0], |header| header.with_clp(false));
    mark(&mut sent[2], HeaderWord::with_efci);
    let second = take(&mut reassembler, Time::ZERO, &sent);
    assert_eq!((second[0].clp, second[0].efci), (false, true));
    assert_eq!((reassembler.counters().sdus_clp, reassembler.counters().sdus_efci), (1, 1));
}

#[test]
fn every_drop_has_its_name() {
    let good = cells(&[1; 100], 0);
    let mut wrong = good.clone();
    payload_mut(&mut wrong[1])[7] ^= 0x10;
    let sdu = [IoSlice::new(&[1; 100])];
    let mut aborted = [[0; 53]; 3];
    let mut segmentation = Segmenter::new(header()).begin(&sdu, 0).unwrap();
    segmentation.fill(&sdu, &mut aborted[..2]);
    aborted[2] = segmentation.abort();
    let glued = [&good[..2], &good[..]].concat();
    let rows: [(&str, usize, Vec<Cell>); 9] = [
        ("dropped_crc", 100, wrong),
        ("dropped_lost_end", 300, glued),
        ("dropped_lost_cells", 100, good[1..].to_vec()),
        ("dropped_aborted", 100, aborted.to_vec()),
        ("dropped_aborted", 100, forged(&[1; 100], 0, 0)),
        ("dropped_cpi", 100, forged(&[1; 100], 1, 100)),
        ("dropped_length", 100, forged(&[1; 100], 0, 30)),
        ("dropped_oversize", 100, cells(&[1; 101], 0)),
        ("dropped_oversize", 100, cells(&[1; 1000], 0)),
    ];
    for (name, sdu_octets_max, lost) in rows {
        let mut reassembler = reassembler(sdu_octets_max);
        // What comes behind is not drawn into it.
        let taken = sdus(take(&mut reassembler, Time::ZERO, &[&lost[..], &good[..]].concat()));
        assert_eq!(taken, [[1; 100]], "{name}");
        assert_eq!(dropped(&reassembler), [(name, 1)]);
        assert_eq!(reassembler.counters().cells, (lost.len() + good.len()) as u64);
    }
}

/// At 0 s two cells, at 10 s it is given up, at 11 s a whole PDU; at 20 s one cell, at 30 s, with no call before, a whole PDU.
#[test]
fn a_pdu_without_an_end_is_given_up() {
    let at = |s: u64| Time::from_nanos(s * 1_000_000_000);
    let good = cells(&[1; 100], 0);
    let mut reassembler = reassembler(100);
    assert_eq!(reassembler.next_timeout(), None);
    take(&mut reassembler, at(0), &good[..1]);
    take(&mut reassembler, at(5), &good[1..2]);
    assert_eq!(reassembler.next_timeout(), Some(at(10)));
    reassembler.handle_timeout(Time::from_nanos(9_999_999_999));
    assert!(reassembler.holds_buffer());
    reassembler.handle_timeout(at(10));
    assert!(!reassembler.holds_buffer());
    assert_eq!((reassembler.next_timeout(), dropped(&reassembler)), (None, vec![("dropped_timeout", 1)]));
    assert_eq!(take(&mut reassembler, at(11), &good).len(), 1);
    take(&mut reassembler, at(20), &good[..1]);
    assert_eq!(take(&mut reassembler, at(30), &good).len(), 1);
    assert_eq!(dropped(&reassembler), [("dropped_timeout", 2)]);
    // Without a buffer, too, the next PDU is not taken for the rest of one that has long ended.
    let mut run = Run::of_one(UNI, header(), &good[0]);
    assert!(reassembler.next_pdu(at(40), &mut run, |_| None).is_none());
    assert_eq!(reassembler.next_timeout(), Some(at(50)));
    assert_eq!(take(&mut reassembler, at(50), &good).len(), 1);
    assert_eq!(reassembler.config().timeout, Duration::from_secs(10));
}

#[test]
fn what_is_not_complete_is_forgotten_with_the_vc() {
    let good = cells(&[1; 100], 0);
    let mut reassembler = reassembler(100);
    take(&mut reassembler, Time::ZERO, &good[..2]);
    reassembler.abandon();
    reassembler.abandon();
    assert!(!reassembler.holds_buffer());
    let oam = header().with_pti(Pti::OAM_SEGMENT).cell(&[0; 48]);
    assert_eq!(sdus(take(&mut reassembler, Time::ZERO, &[&good[..], &[oam]].concat())), [[1; 100]]);
    assert_eq!(dropped(&reassembler), [("dropped_abandoned", 1), ("dropped_not_user", 1)]);
}

/// However many cells come without an end: one buffer, of the size that was asked for, and never written past.
#[test]
fn memory_is_bounded() {
    let endless = vec![header().cell(&[7; 48]); 5000];
    for (sdu_octets_max, room) in [(1, 48), (100, 144), (65_535, 65_568), (usize::MAX, 65_568)] {
        let mut reassembler = reassembler(sdu_octets_max);
        let mut supplied = Vec::new();
        let mut run = runs(&mut HecReceiver::new(), UNI, &endless).next().unwrap();
        let pdu = reassembler.next_pdu(Time::ZERO, &mut run, |octets| {
            supplied.push(octets);
            Some(vec![0; octets])
        });
        assert!(pdu.is_none() && run.is_empty());
        assert_eq!(supplied, [room]);
        assert!(!reassembler.holds_buffer());
        assert_eq!(dropped(&reassembler), [("dropped_oversize", 1)]);
    }
    // A supply that gives less, or nothing to write to.
    for room in [0, 47, 48, 100] {
        let mut reassembler = reassembler(100);
        let mut run = runs(&mut HecReceiver::new(), UNI, &endless).next().unwrap();
        assert!(reassembler.next_pdu(Time::ZERO, &mut run, |_| Some(vec![0; room])).is_none());
        assert_eq!(dropped(&reassembler), [("dropped_oversize", 1)]);
    }
}

/// A buffer with less room each time it is asked.
struct Shrinking(Vec<u8>);

impl PduBuffer for Shrinking {
    fn room(&mut self) -> &mut [u8] {
        self.0.truncate(self.0.len().saturating_sub(40));
        &mut self.0
    }

    fn finish(&mut self, _sdu_octets: usize) {}
}

#[test]
fn a_buffer_that_shrinks_does_no_harm() {
    for octets in [41, 100, 200, 300] {
        let mut reassembler =
            Reassembler::new(ReassemblyConfig { sdu_octets_max: 300, ..Default::default() });
        for cell in &cells(&vec![1; octets], 0) {
            let mut run = Run::of_one(UNI, HeaderWord::of(cell), cell);
            let pdu = reassembler.next_pdu(Time::ZERO, &mut run, |_| Some(Shrinking(vec![0; 250])));
            assert!(pdu.is_none() || octets == 41);
        }
        assert!(!reassembler.holds_buffer());
    }
}

fn some_sdu() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..300),
        (1usize..20_000, any::<u8>())
            .prop_map(|(len, seed)| (0..len).map(|at| (at * 7) as u8 ^ seed).collect())
    ]
}

proptest! {
    /// However the SDU lies in memory, and however few cells are made at a time.
    #[test]
    fn what_is_sent_arrives(
        sdu in some_sdu(),
        cuts in proptest::collection::vec(any::<Index>(), 0..6),
        steps in proptest::collection::vec(0usize..9, 1..9),
        uu: u8,
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(sdu.len())).collect();
        cuts.extend([0, sdu.len()]);
        cuts.sort_unstable();
        let parts: Vec<_> = cuts.windows(2).map(|cut| IoSlice::new(&sdu[cut[0]..cut[1]])).collect();
        let whole = cells(&sdu, uu);
        let mut made = vec![[0xaa; 53]; whole.len()];
        prop_assert_eq!(Segmenter::new(header()).segment(&parts, uu, &mut made), Ok(whole.len()));
        prop_assert_eq!(&made, &whole);

        let mut little_by_little = vec![[0xbb; 53]; whole.len()];
        let mut segmentation = Segmenter::new(header()).begin(&parts, uu).unwrap();
        let mut at = 0;
        for step in steps.iter().cycle().copied().chain([usize::MAX]) {
            if segmentation.cells_left() == 0 {
                break;
            }
            let room = at + step.max(usize::from(steps.iter().all(|step| *step == 0))).min(whole.len() - at);
            let filled = segmentation.fill(&parts, &mut little_by_little[at..room]);
            prop_assert_eq!(filled, room - at);
            at = room;
            prop_assert_eq!(segmentation.cells_left(), whole.len() - at);
        }
        prop_assert_eq!(&little_by_little, &whole);

        let mut reassembler = reassembler(65_535);
        let mut taken = Vec::new();
        let mut rest = &whole[..];
        for step in steps.iter().map(|step| step + 1).cycle() {
            let (now, later) = rest.split_at(step.min(rest.len()));
            taken.extend(take(&mut reassembler, Time::ZERO, now));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(taken.len(), 1);
        prop_assert_eq!((taken[0].uu, &taken[0].buffer), (uu, &sdu));
    }

    /// Any one bit of any payload.
    #[test]
    fn a_bit_turned_over_is_noticed(sdu in some_sdu(), at: Index, bit in 0usize..384) {
        let mut cells = cells(&sdu, 0);
        let at = at.index(cells.len());
        payload_mut(&mut cells[at])[bit / 8] ^= 0x80 >> (bit % 8);
        let mut reassembler = reassembler(65_535);
        prop_assert!(take(&mut reassembler, Time::ZERO, &cells).is_empty());
        prop_assert_eq!(reassembler.counters().crc_errors(), 1);
    }

    /// Any cells lost: no SDU comes out that did not go in, and the one behind is whole.
    #[test]
    fn lost_cells_are_noticed(sdu in some_sdu(), lost in proptest::collection::vec(any::<Index>(), 1..4)) {
        let mut sent = cells(&sdu, 0);
        for at in lost {
            if sent.len() > 1 {
                sent.remove(at.index(sent.len()));
            }
        }
        prop_assume!(sent.len() < cells_of(sdu.len()));
        let behind = cells(&[9; 10], 0);
        let mut reassembler = reassembler(65_535);
        let ended = HeaderWord::of(sent.last().unwrap()).pti().is_last();
        let taken = sdus(take(&mut reassembler, Time::ZERO, &[sent, behind.clone()].concat()));
        let expected = if ended { vec![vec![9; 10]] } else { Vec::new() };
        prop_assert_eq!(taken, expected);
        prop_assert_eq!(reassembler.counters().crc_errors(), 1);
        prop_assert_eq!(sdus(take(&mut reassembler, Time::ZERO, &behind)), [[9; 10]]);
    }

    /// Any two cells exchanged, if that makes a difference.
    #[test]
    fn misordered_cells_are_noticed(sdu in some_sdu(), first: Index, second: Index) {
        let mut sent = cells(&sdu, 0);
        let (first, second) = (first.index(sent.len()), second.index(sent.len()));
        prop_assume!(payload(&sent[first]) != payload(&sent[second]));
        let (one, other) = (*payload(&sent[first]), *payload(&sent[second]));
        *payload_mut(&mut sent[first]) = other;
        *payload_mut(&mut sent[second]) = one;
        let mut reassembler = reassembler(65_535);
        prop_assert!(take(&mut reassembler, Time::ZERO, &sent).is_empty());
        prop_assert_eq!(reassembler.counters().crc_errors(), 1);
    }

    /// Any cells at all: each PDU is accounted for, and nothing that is given is wrong.
    #[test]
    fn anything_may_come(payloads in proptest::collection::vec((any::<[u8; 8]>(), 0u8..8, any::<bool>()), 0..60)) {
        let mut reassembler = reassembler(100);
        let mut ends = 0;
        for (octets, pti, clp) in payloads {
            let header = header().with_pti(Pti::new(pti)).with_clp(clp);
            ends += u64::from(header.pti().is_last());
            let cell = header.cell(&std::array::from_fn(|at| octets[at % 8]));
            take(&mut reassembler, Time::ZERO, &[cell]);
        }
        let drops: u64 = dropped(&reassembler).iter().filter(|(name, _)| *name != "dropped_not_user").map(|drop| drop.1).sum();
        let under_way = u64::from(reassembler.holds_buffer());
        prop_assert!(reassembler.counters().sdus + drops <= ends + 1);
        prop_assert!(reassembler.counters().sdus + drops + under_way >= ends);
    }
}
