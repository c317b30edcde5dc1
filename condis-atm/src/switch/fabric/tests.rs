//! Cells and SDUs through the fabric.

use std::collections::BTreeMap;
use std::io::IoSlice;
use std::time::Duration;

use condis::runtime::Random;

use super::*;
use crate::aal5::{Reassembler, ReassemblyConfig, Segmenter, cells_of};
use crate::cell::{HeaderWord, Pti};

const A: PortId = PortId(1);
const B: PortId = PortId(2);
const C: PortId = PortId(3);
const NOW: Time = Time::ZERO;

fn vc(vci: u16) -> VpVc {
    VpVc::new(0, vci)
}

fn port(form: Form, cells_max: u32) -> FabricPort {
    FabricPort {
        form,
        sdu_octets_max: 65_535,
        cells_per_s: None,
        queues: QueueLimits::all(cells_max),
        flows_max: 1_000,
    }
}

/// Ports A, B and C, up, with queues of so many cells.
fn fabric(forms: [Form; 3], cells_max: u32) -> Fabric {
    let mut fabric = Fabric::new();
    for (id, form) in [A, B, C].into_iter().zip(forms) {
        fabric.add_port(id, &port(form, cells_max));
        fabric.set_up(id, true);
    }
    fabric
}

fn cells_only(cells_max: u32) -> Fabric {
    fabric([Form::Cells; 3], cells_max)
}

fn header(vpvc: VpVc) -> HeaderWord {
    HeaderWord::new(Interface::Uni, vpvc).unwrap()
}

fn cell(vpvc: VpVc, pti: Pti, mark: u8) -> Cell {
    header(vpvc).with_pti(pti).cell(&[mark; 48])
}

fn cells_of_sdu(vpvc: VpVc, sdu: &[u8]) -> Vec<Cell> {
    let mut cells = vec![[0; 53]; cells_of(sdu.len())];
    Segmenter::new(header(vpvc)).segment(&[IoSlice::new(sdu)], 0, &mut cells).unwrap();
    cells
}

/// All that a port sends now.
fn sent(fabric: &mut Fabric, port: PortId) -> Vec<Cell> {
    let mut cells = Vec::new();
    fabric.transmit_cells(NOW, port, |batch| {
        cells.extend_from_slice(batch);
        batch.len()
    });
    cells
}

/// The same, while the line takes so many cells, and then has room again.
fn sent_with_room(fabric: &mut Fabric, port: PortId, mut room: usize) -> Vec<Cell> {
    let mut cells = Vec::new();
    fabric.transmit_cells(NOW, port, |batch| {
        let taken = batch.len().min(room);
        room -= taken;
        cells.extend_from_slice(&batch[..taken]);
        taken
    });
    fabric.handle_writable(port);
    cells
}

fn sent_sdus(fabric: &mut Fabric, port: PortId) -> Vec<(VpVc, Vec<u8>)> {
    let mut sdus = Vec::new();
    fabric.transmit_sdus(NOW, port, |batch| {
        sdus.extend(batch.iter().map(|sdu| (sdu.vpvc, sdu.parts.concat_octets())));
        batch.len()
    });
    sdus
}

trait Concat {
    fn concat_octets(&self) -> Vec<u8>;
}

impl Concat for &[IoSlice<'_>] {
    fn concat_octets(&self) -> Vec<u8> {
        self.iter().flat_map(|part| part.iter().copied()).collect()
    }
}

/// The SDUs that a receiver makes of cells, by connection, and its counters summed up: whole ones and damaged ones.
fn received(cells: &[Cell]) -> (Vec<(VpVc, Vec<u8>)>, u64) {
    let mut hec = HecReceiver::new();
    let mut vcs: BTreeMap<VpVc, Reassembler<Vec<u8>>> = BTreeMap::new();
    let mut sdus = Vec::new();
    for mut run in runs(&mut hec, Interface::Uni, cells) {
        let vpvc = run.vpvc();
        let reassembler = vcs.entry(vpvc).or_insert_with(|| Reassembler::new(ReassemblyConfig::default()));
        while let Some(pdu) = reassembler.next_pdu(NOW, &mut run, |octets| Some(vec![0; octets])) {
            sdus.push((vpvc, pdu.buffer));
        }
    }
    assert_eq!(hec.counters().valid, cells.len() as u64, "every HEC is right");
    (sdus, vcs.values().map(|reassembler| reassembler.counters().crc_errors()).sum())
}

/// A flow from A to B, each of whose cells has a number.
fn connect(fabric: &mut Fabric, from: u16, to: PortId, vci_to: u16, config: FlowConfig) {
    if fabric.flow(A, vc(from)).is_none() {
        fabric.open(A, vc(from), config).unwrap();
    }
    fabric.add_leg(A, vc(from), to, vc(vci_to)).unwrap();
}

#[test]
fn cells_get_their_new_label_and_keep_everything_else() {
    let mut fabric = cells_only(100);
    fabric.open(A, vc(40), FlowConfig::cells(Class::Ubr)).unwrap();
    fabric.add_leg(A, vc(40), B, VpVc::new(7, 1_234)).unwrap();
    let mut batch = Vec::new();
    for bits in 0..16 {
        let header = header(vc(40)).with_pti(Pti::new(bits >> 1)).with_clp(bits & 1 != 0);
        batch.push(HeaderWord(header.0 | 0xa << 28).cell(&[bits; 48]));
    }
    fabric.handle_cells(NOW, A, &batch);
    assert_eq!(fabric.poll_ready(NOW), Some((B, Form::Cells)));
    assert_eq!(fabric.poll_ready(NOW), None);
    let out = sent(&mut fabric, B);
    for (bits, cell) in (0..16).zip(&out) {
        let expected = header(VpVc::new(7, 1_234)).with_pti(Pti::new(bits >> 1)).with_clp(bits & 1 != 0);
        assert_eq!(*cell, expected.cell(&[bits; 48]), "GFC is cleared, HEC is right");
    }
    assert_eq!(out.len(), 16);
    assert_eq!(fabric.flow(A, vc(40)).unwrap().cells, 16);
}

#[test]
fn what_has_no_flow_or_a_wrong_hec_is_counted() {
    let mut fabric = cells_only(100);
    connect(&mut fabric, 40, B, 50, FlowConfig::cells(Class::Ubr));
    let mut broken = cell(vc(40), Pti::USER, 1);
    broken[3] ^= 0x30;
    fabric.handle_cells(NOW, A, &[cell(vc(41), Pti::USER, 0), broken, crate::cell::idle()]);
    let (counters, drops, hec) = fabric.counters(A).unwrap();
    assert_eq!((counters.received, counters.dropped_unknown_vc), (3, 1));
    assert_eq!((hec.dropped_several_bits, hec.not_assigned), (1, 1));
    assert_eq!(drops, Drops::default());
    assert_eq!(sent(&mut fabric, B), [[0; 53]; 0]);
}

#[test]
fn each_leg_gets_its_copy() {
    let mut fabric = cells_only(100);
    let config = FlowConfig::aal5(Class::Ubr);
    connect(&mut fabric, 40, B, 50, config);
    connect(&mut fabric, 40, B, 51, config);
    connect(&mut fabric, 40, C, 60, config);
    let sdu: Vec<u8> = (0..100).collect();
    fabric.handle_cells(NOW, A, &cells_of_sdu(vc(40), &sdu));
    let copies = |vcis: &[u16]| vcis.iter().map(|vci| (vc(*vci), sdu.clone())).collect::<Vec<_>>();
    assert_eq!(received(&sent(&mut fabric, B)).0, copies(&[50, 51]));
    assert_eq!(received(&sent(&mut fabric, C)).0, copies(&[60]));

    // The first goes, and nothing is left for it.
    assert!(!fabric.remove_leg(A, vc(40), B, vc(50)), "nothing is queued");
    fabric.handle_cells(NOW, A, &cells_of_sdu(vc(40), &sdu));
    assert_eq!(received(&sent(&mut fabric, B)).0, copies(&[51]));
    assert_eq!(received(&sent(&mut fabric, C)).0, copies(&[60]));
    fabric.remove_leg(A, vc(40), B, vc(51));
    fabric.remove_leg(A, vc(40), C, vc(60));
    fabric.handle_cells(NOW, A, &cells_of_sdu(vc(40), &sdu));
    assert_eq!(fabric.flow(A, vc(40)).unwrap().drops.dropped_no_leg, 3);
    fabric.close(A, vc(40));
    assert_eq!((fabric.flows_len(), fabric.legs_len()), (0, 0));
}

#[test]
fn a_leg_that_is_added_within_a_frame_begins_with_the_next() {
    let mut fabric = cells_only(100);
    connect(&mut fabric, 40, B, 50, FlowConfig::aal5(Class::Ubr));
    let cells = cells_of_sdu(vc(40), &[7; 100]);
    fabric.handle_cells(NOW, A, &cells[..1]);
    connect(&mut fabric, 40, C, 60, FlowConfig::aal5(Class::Ubr));
    fabric.handle_cells(NOW, A, &cells[1..]);
    fabric.handle_cells(NOW, A, &cells);
    assert_eq!(received(&sent(&mut fabric, B)), (vec![(vc(50), vec![7; 100]); 2], 0));
    assert_eq!(received(&sent(&mut fabric, C)), (vec![(vc(60), vec![7; 100])], 0));
}

#[test]
fn a_higher_class_goes_first_and_a_class_in_order() {
    let mut fabric = cells_only(100);
    let classes = [Class::Ubr, Class::NrtVbr, Class::RtVbr, Class::Cbr];
    for (at, class) in (0..).zip(classes) {
        connect(&mut fabric, 40 + at, B, 50 + at, FlowConfig::cells(class));
    }
    for mark in 0..2 {
        for at in 0..4 {
            fabric.handle_cells(NOW, A, &[cell(vc(40 + at), Pti::USER, mark)]);
        }
    }
    assert!(fabric.queue_control(B, VpVc::SIGNALING, &[9; 40]));
    let out: Vec<(u16, u8)> =
        sent(&mut fabric, B).iter().map(|c| (HeaderWord::of(c).vpvc(Interface::Uni).vci.0, c[5])).collect();
    assert_eq!(out, [(5, 9), (53, 0), (53, 1), (52, 0), (52, 1), (51, 0), (51, 1), (50, 0), (50, 1)]);
}

#[test]
fn queues_end_at_their_bounds_and_mark_and_drop_by_priority() {
    let mut fabric = cells_only(16);
    connect(&mut fabric, 40, B, 50, FlowConfig::cells(Class::Ubr));
    let low = header(vc(40)).with_clp(true).cell(&[0; 48]);
    let high = header(vc(40)).cell(&[0; 48]);
    let oam = header(vc(40)).with_pti(Pti::OAM_END_TO_END).cell(&[0; 48]);
    fabric.handle_cells(NOW, A, &[high; 11]);
    fabric.handle_cells(NOW, A, &[low; 4]);
    assert_eq!(fabric.queued_cells(B, Class::Ubr), 12);
    fabric.handle_cells(NOW, A, &[oam; 1]);
    fabric.handle_cells(NOW, A, &[high; 10]);
    assert_eq!(fabric.queued_cells(B, Class::Ubr), 16);
    let drops = fabric.flow(A, vc(40)).unwrap().drops;
    assert_eq!((drops.dropped_clp1, drops.dropped_queue_full), (3, 7));
    let (counters, of_port, _) = fabric.counters(B).unwrap();
    assert_eq!((of_port, counters.congestion_marked), (drops, 7));
    let marked: Vec<bool> =
        sent(&mut fabric, B).iter().map(|cell| HeaderWord::of(cell).pti().efci()).collect();
    assert_eq!(marked, [vec![false; 8], vec![true; 4], vec![false], vec![true; 3]].concat());
}

#[test]
fn the_last_places_of_a_queue_are_for_last_cells() {
    // Of 16 places one is kept.
    let mut fabric = cells_only(16);
    connect(&mut fabric, 40, B, 50, FlowConfig::aal5(Class::Ubr));
    connect(&mut fabric, 41, B, 51, FlowConfig::aal5(Class::Ubr));
    let frame = cells_of_sdu(vc(40), &[7; 100]);
    fabric.handle_cells(NOW, A, &frame[..1]);
    let long = cells_of_sdu(vc(41), &[8; 900]);
    fabric.handle_cells(NOW, A, &long[..18]);
    assert_eq!(fabric.queued_cells(B, Class::Ubr), 15);
    fabric.handle_cells(NOW, A, &frame[1..]);
    assert_eq!(fabric.queued_cells(B, Class::Ubr), 16);
    let drops = fabric.flow(A, vc(40)).unwrap().drops;
    assert_eq!(
        (drops.dropped_queue_full, drops.dropped_partial),
        (1, 0),
        "its middle cell, and not its last"
    );
    // The other's last cell finds no room, so what comes next ends its frame.
    fabric.handle_cells(NOW, A, &long[18..]);
    let (whole, damaged) = received(&sent(&mut fabric, B));
    assert_eq!((whole.len(), damaged), (0, 1));
    fabric.handle_cells(NOW, A, &[&frame[..], &long[..], &long[..]].concat());
    let mut vcs: Vec<VpVc> = received(&sent(&mut fabric, B)).0.into_iter().map(|(vpvc, _)| vpvc).collect();
    vcs.dedup();
    assert_eq!(vcs, [vc(50)], "two frames of 19 cells do not fit into 16");
}

#[test]
fn a_connection_drains_before_its_identifier_is_free() {
    let mut fabric = cells_only(100);
    connect(&mut fabric, 40, B, 50, FlowConfig::cells(Class::Ubr));
    connect(&mut fabric, 41, B, 51, FlowConfig::cells(Class::Cbr));
    fabric.handle_cells(NOW, A, &[cell(vc(40), Pti::USER, 1), cell(vc(41), Pti::USER, 2)]);
    assert!(fabric.remove_leg(A, vc(40), B, vc(50)));
    assert_eq!(sent_with_room(&mut fabric, B, 1).len(), 1);
    assert_eq!(fabric.poll_drained(), None, "the cell of the higher class went");
    assert_eq!(sent_with_room(&mut fabric, B, 1).len(), 1);
    assert_eq!(fabric.poll_drained(), Some((B, vc(50))));
    // What waits on a line that goes down is drained too.
    fabric.handle_cells(NOW, A, &[cell(vc(41), Pti::USER, 2)]);
    assert!(fabric.remove_leg(A, vc(41), B, vc(51)));
    fabric.set_up(B, false);
    assert_eq!(fabric.poll_drained(), Some((B, vc(51))));
    assert_eq!(fabric.counters(B).unwrap().1.dropped_line_down, 1);
}

#[test]
fn a_line_that_refuses_is_asked_again_when_it_says_so() {
    let mut fabric = cells_only(100);
    connect(&mut fabric, 40, B, 50, FlowConfig::cells(Class::Ubr));
    let batch: Vec<Cell> = (0..10).map(|mark| cell(vc(40), Pti::USER, mark)).collect();
    fabric.handle_cells(NOW, A, &batch);
    assert!(fabric.poll_ready(NOW).is_some());
    fabric.transmit_cells(NOW, B, |_| 3);
    fabric.handle_cells(NOW, A, &batch[..1]);
    assert_eq!(fabric.poll_ready(NOW), None, "the line has no room");
    fabric.handle_writable(B);
    assert!(fabric.poll_ready(NOW).is_some());
    let marks: Vec<u8> = sent(&mut fabric, B).iter().map(|cell| cell[5]).collect();
    assert_eq!(marks, [3, 4, 5, 6, 7, 8, 9, 0]);
}

#[test]
fn a_port_with_a_rate_sends_at_that_rate() {
    let mut fabric = Fabric::new();
    fabric.add_port(A, &port(Form::Cells, 1_000));
    fabric.add_port(B, &FabricPort { cells_per_s: Some(1_000), ..port(Form::Cells, 1_000) });
    fabric.set_up(A, true);
    fabric.set_up(B, true);
    connect(&mut fabric, 40, B, 50, FlowConfig::cells(Class::Ubr));
    let mut now = Time::ZERO.after(Duration::from_secs(1));
    fabric.handle_cells(now, A, &[cell(vc(40), Pti::USER, 0); 500]);
    let (mut sent, start) = (0, now);
    loop {
        while let Some((id, _)) = fabric.poll_ready(now) {
            fabric.transmit_cells(now, id, |cells| {
                sent += cells.len();
                cells.len()
            });
        }
        let Some(next) = fabric.next_timeout() else { break };
        assert!(next > now);
        now = next;
        fabric.handle_timeout(now);
    }
    assert_eq!(sent, 500);
    assert_eq!(now.since(start), Duration::from_millis(500 - u64::from(PACE_BURST_CELLS)));
}

#[test]
fn sdus_pass_between_lines_of_all_forms() {
    let (cells, sdus) = (Form::Cells, Form::Sdus);
    let sdu: Vec<u8> = (0..=255).collect();
    for forms in [[sdus, sdus, cells], [sdus, cells, sdus], [cells, sdus, cells], [cells, sdus, sdus]] {
        let mut fabric = fabric(forms, 100);
        connect(&mut fabric, 40, B, 50, FlowConfig::aal5(Class::Ubr));
        connect(&mut fabric, 40, C, 60, FlowConfig::aal5(Class::Ubr));
        for _ in 0..3 {
            match forms[0] {
                Form::Sdus => fabric.handle_sdus(NOW, A, &[SduIn { vpvc: vc(40), octets: &sdu }]),
                Form::Cells => fabric.handle_cells(NOW, A, &cells_of_sdu(vc(40), &sdu)),
            }
        }
        for (id, form, vci) in [(B, forms[1], 50), (C, forms[2], 60)] {
            let out = match form {
                Form::Sdus => sent_sdus(&mut fabric, id),
                Form::Cells => received(&sent(&mut fabric, id)).0,
            };
            assert_eq!(out, vec![(vc(vci), sdu.clone()); 3], "{forms:?}");
        }
        assert_eq!(fabric.flow(A, vc(40)).unwrap().drops, Drops::default());
    }
}

#[test]
fn what_a_line_of_sdus_has_no_place_for_is_counted() {
    let mut fabric = fabric([Form::Cells, Form::Sdus, Form::Cells], 100);
    connect(&mut fabric, 40, B, 50, FlowConfig::aal5(Class::Ubr));
    let mut cells = cells_of_sdu(vc(40), &[1; 100]);
    cells.push(cell(vc(40), Pti::OAM_SEGMENT, 0));
    // One damaged in its middle, and a whole one.
    cells.extend_from_slice(&cells_of_sdu(vc(40), &[2; 100])[1..]);
    cells.extend_from_slice(&cells_of_sdu(vc(40), &[3; 100]));
    fabric.handle_cells(NOW, A, &cells);
    assert_eq!(sent_sdus(&mut fabric, B), [(vc(50), vec![1; 100]), (vc(50), vec![3; 100])]);
    let info = fabric.flow(A, vc(40)).unwrap();
    assert_eq!((info.drops.dropped_not_user_to_sdus, info.aal5.unwrap().dropped_lost_cells), (1, 1));
}

#[test]
fn the_switch_gets_what_is_for_itself_and_no_more_than_it_can_hold() {
    for form in [Form::Cells, Form::Sdus] {
        let mut fabric = fabric([form; 3], 100);
        fabric.open_local(A, VpVc::SIGNALING).unwrap();
        let send = |fabric: &mut Fabric, octets: &[u8]| match form {
            Form::Cells => fabric.handle_cells(NOW, A, &cells_of_sdu(VpVc::SIGNALING, octets)),
            Form::Sdus => fabric.handle_sdus(NOW, A, &[SduIn { vpvc: VpVc::SIGNALING, octets }]),
        };
        send(&mut fabric, &[5; 60]);
        let sdu = fabric.poll_local().unwrap();
        assert_eq!((sdu.port, sdu.vpvc, &sdu.octets[..]), (A, VpVc::SIGNALING, &[5; 60][..]));
        fabric.recycle(sdu.octets);
        for _ in 0..LOCAL_SDUS_MAX + 2 {
            send(&mut fabric, &[5; 60]);
        }
        assert_eq!(fabric.counters(A).unwrap().0.dropped_local, 2);
        assert_eq!(std::iter::from_fn(|| fabric.poll_local()).count(), LOCAL_SDUS_MAX);
    }
}

#[test]
fn a_port_that_goes_takes_its_flows_and_legs_along() {
    let mut fabric = cells_only(100);
    connect(&mut fabric, 40, B, 50, FlowConfig::cells(Class::Ubr));
    connect(&mut fabric, 40, C, 60, FlowConfig::cells(Class::Ubr));
    fabric.open(B, vc(50), FlowConfig::cells(Class::Ubr)).unwrap();
    fabric.add_leg(B, vc(50), A, vc(40)).unwrap();
    fabric.handle_cells(NOW, A, &[cell(vc(40), Pti::USER, 0)]);
    fabric.remove_port(B);
    assert_eq!((fabric.flows_len(), fabric.legs_len()), (1, 1));
    assert_eq!(fabric.poll_ready(NOW), Some((C, Form::Cells)));
    assert_eq!(fabric.poll_ready(NOW), None);
    // Its slot serves the next.
    let next = PortId(9);
    fabric.add_port(next, &port(Form::Cells, 100));
    fabric.set_up(next, true);
    assert_eq!(fabric.poll_ready(NOW), None);
    connect(&mut fabric, 40, next, 70, FlowConfig::cells(Class::Ubr));
    fabric.handle_cells(NOW, A, &[cell(vc(40), Pti::USER, 0)]);
    assert_eq!(sent(&mut fabric, next).len(), 1);
}

#[test]
fn refusals_say_what_is_wrong() {
    let mut fabric = Fabric::new();
    fabric.add_port(A, &FabricPort { flows_max: 1, ..port(Form::Cells, 10) });
    let config = FlowConfig::cells(Class::Ubr);
    assert_eq!(fabric.open(B, vc(40), config), Err(FabricError::NoSuchPort(B)));
    let wide = VpVc::new(256, 40);
    assert_eq!(fabric.open(A, wide, config), Err(FabricError::NotOfUni(wide)));
    assert_eq!(fabric.add_leg(A, vc(40), A, vc(41)), Err(FabricError::NoSuchFlow { port: A, vpvc: vc(40) }));
    fabric.open(A, vc(40), config).unwrap();
    assert_eq!(fabric.open(A, vc(40), config), Err(FabricError::InUse { port: A, vpvc: vc(40) }));
    assert_eq!(fabric.open(A, vc(41), config), Err(FabricError::TooMany { port: A, max: 1 }));
    assert_eq!(fabric.add_leg(A, vc(40), A, wide), Err(FabricError::NotOfUni(wide)));
    assert_eq!(fabric.add_leg(A, vc(40), B, vc(41)), Err(FabricError::NoSuchPort(B)));
    fabric.add_leg(A, vc(40), A, vc(41)).unwrap();
    assert_eq!(fabric.add_leg(A, vc(40), A, vc(41)), Err(FabricError::InUse { port: A, vpvc: vc(41) }));
}

/// Several senders flood a small queue with frames of all lengths, now and then something is sent. Whatever gets through whole is
/// what was sent, in the order of its VC; a frame that lost a cell is found damaged; and the queue keeps its bound.
#[test]
fn no_damaged_frame_is_delivered_as_whole() {
    for seed in 0..100 {
        let mut random = Random::new(seed);
        let mut fabric = cells_only(40);
        for at in 0..4 {
            connect(&mut fabric, 40 + at, B, 50 + at, FlowConfig::aal5(Class::Ubr));
        }
        let mut streams: [Vec<Cell>; 4] = Default::default();
        let mut frames: BTreeMap<VpVc, Vec<Vec<u8>>> = BTreeMap::new();
        let mut out = Vec::new();
        for _ in 0..300 {
            let at = random.below(4) as usize;
            if streams[at].is_empty() {
                let sent = frames.entry(vc(50 + at as u16)).or_default();
                let mut sdu = vec![at as u8; 8 + random.below(400) as usize];
                sdu[..8].copy_from_slice(&(sent.len() as u64).to_be_bytes());
                streams[at] = cells_of_sdu(vc(40 + at as u16), &sdu);
                sent.push(sdu);
            }
            let count = (1 + random.below(4) as usize).min(streams[at].len());
            let mut cells: Vec<Cell> = streams[at].drain(..count).collect();
            if random.chance(200_000) {
                // As policing would mark them.
                cells.iter_mut().for_each(|cell| HeaderWord::of(cell).with_clp(true).write_to(cell));
            }
            fabric.handle_cells(NOW, A, &cells);
            assert!(fabric.queued_cells(B, Class::Ubr) <= 40);
            if random.chance(300_000) {
                out.extend(sent_with_room(&mut fabric, B, random.below(10) as usize));
            }
        }
        let queued = sent(&mut fabric, B);
        out.extend(queued);
        let (whole, _) = received(&out);
        assert!(whole.len() > 3, "seed {seed}: only {} frames got through", whole.len());
        let mut next: BTreeMap<VpVc, usize> = BTreeMap::new();
        for (vpvc, sdu) in whole {
            let from = next.entry(vpvc).or_default();
            let found = frames[&vpvc][*from..].iter().position(|frame| *frame == sdu);
            *from += 1 + found
                .unwrap_or_else(|| panic!("seed {seed}: {vpvc} delivered what was not sent, or late"));
        }
        let drops = fabric.counters(B).unwrap().1;
        assert!(drops.dropped_early > 0, "seed {seed}: {drops:?}");
    }
}

/// The line takes half of what comes: with frame discard about that much arrives whole, without it much less.
#[test]
fn frame_discard_saves_frames() {
    let whole = |frame_discard| {
        let mut random = Random::new(1);
        let mut fabric = cells_only(128);
        let mut streams: [Vec<Cell>; 8] = Default::default();
        for at in 0..8 {
            connect(
                &mut fabric,
                40 + at,
                B,
                50 + at,
                FlowConfig { frame_discard, ..FlowConfig::aal5(Class::Ubr) },
            );
        }
        let mut out = Vec::new();
        for step in 0..400 * 19 {
            let at = random.below(8) as usize;
            if streams[at].is_empty() {
                streams[at] = cells_of_sdu(vc(40 + at as u16), &[1; 900]);
            }
            fabric.handle_cells(NOW, A, &[streams[at].remove(0)]);
            if step % 2 == 0 {
                out.extend(sent_with_room(&mut fabric, B, 1));
            }
        }
        received(&out).0.len()
    };
    let (with, without) = (whole(true), whole(false));
    assert!(with > 150 && without < 30, "{with} of 400 with, {without} without");
}
