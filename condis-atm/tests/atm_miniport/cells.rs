//! Aim: SDUs arrive whole, in order and on their own VC, by their contracts, and what cannot be is refused or counted. Method:
//! two miniports on a fibre in a simulation.

use std::num::NonZeroU64;
use std::time::Duration;

use condis::nbl::CancelId;
use condis::oid::code;
use condis::runtime::Runtime;
use condis::status::NdisStatus;
use condis_atm::VpVc;
use condis_atm::cell::loopback::{Flow, Loopback, LoopbackConfig, LoopbackOutput};
use condis_atm::cell::oam::LocationId;
use condis_atm::cell::{HeaderWord, Interface, Pti};
use condis_atm::driver::{Aal, AtmFlow, AtmVcParams, atm_code};
use condis_atm::traffic::{Contract, ServiceCategory, Sustained};
use condis_link::atm::{AtmLink, Fibre, FibreConditions};
use condis_link::memory::Chance;

use crate::bare::{Side, World, rate, sdu};

const VC: VpVc = VpVc::new(0, 100);
const OTHER: VpVc = VpVc::new(0, 101);

fn ubr(vpvc: VpVc) -> AtmVcParams {
    AtmVcParams::ubr(vpvc, 9188)
}

fn with(vpvc: VpVc, contract: Contract) -> AtmVcParams {
    let flow = AtmFlow { contract, sdu_octets_max: 9188 };
    AtmVcParams { transmit: flow, receive: flow, ..ubr(vpvc) }
}

/// I.363.5: every length from one octet to the longest, in one piece and in two, on two VCs at once.
#[test]
fn sdus_arrive_whole_and_in_order() {
    let world = World::new(1, FibreConditions::default());
    world.open(&AtmVcParams::ubr(VC, 65_535));
    world.open(&ubr(OTHER));
    let lengths = [1, 39, 40, 41, 48, 88, 89, 1400, 1500, 9188, 65_535];
    let sdus: Vec<_> = lengths.iter().enumerate().map(|(at, len)| sdu(at as u32, *len)).collect();
    world.a.bare.send(VC, sdus.clone());
    let short: Vec<_> = (0..300).map(|number| sdu(number, 40)).collect();
    for batch in short.chunks(7) {
        world.a.bare.send(OTHER, batch.to_vec());
    }
    world.b.bare.send(VC, [sdu(9, 9)]);
    world.settle();
    assert!(world.b.bare.received(VC) == sdus);
    assert!(world.b.bare.received(OTHER) == short);
    assert_eq!(world.a.bare.received(VC), [sdu(9, 9)]);
    assert!(world.a.bare.sent(VC).iter().all(|status| *status == NdisStatus::SUCCESS));
    let cells: usize = sdus.iter().chain(&short).map(|sdu| (sdu.len() + 8).div_ceil(48)).sum();
    assert_eq!((world.a.count("cells_sent"), world.b.count("cells_received")), (cells as u64, cells as u64));
    assert_eq!(world.b.count("sdus_received"), (lengths.len() + 300) as u64);
    world.finish();
}

/// DP-098 and the table of VPI/VCI: what the line cannot be or carry is refused, and nothing changes.
#[test]
fn activation_validates_and_reserves() {
    let world = World::new(1, rate(10_000));
    let bare = &world.a.bare;
    bare.open(&with(VC, Contract::cbr(6_000))).expect("it fits");
    let refused = [
        (ubr(VC), NdisStatus::VC_NOT_AVAILABLE),
        (ubr(VpVc::new(256, 32)), NdisStatus::INVALID_DATA),
        (ubr(VpVc::new(0, 0)), NdisStatus::INVALID_DATA),
        (with(OTHER, Contract::cbr(4_001)), NdisStatus::CELLRATE_NOT_AVAILABLE),
        (with(OTHER, Contract { sustained: None, ..vbr(10, 20) }), NdisStatus::INVALID_DATA),
    ];
    for (params, status) in refused {
        assert_eq!(bare.open(&params), Err(status), "{params}");
    }
    // VBR sets aside what it may send in the long run.
    bare.open(&with(OTHER, vbr(9_000, 4_000))).expect("exactly what is left");
    bare.open(&ubr(VpVc::new(0, 102))).expect("best effort always fits");
    assert_eq!(bare.change(VC, &with(VC, Contract::cbr(6_001))), Err(NdisStatus::CELLRATE_NOT_AVAILABLE));
    assert_eq!(bare.change(VC, &ubr(VpVc::new(0, 103))), Err(NdisStatus::INVALID_DATA));
    // What is given back can be had again.
    bare.change(VC, &with(VC, Contract::cbr(5_000))).expect("less than before");
    bare.open(&with(VpVc::new(0, 103), Contract::cbr(1_000))).expect("what was given back");
    bare.close(OTHER);
    bare.open(&with(OTHER, Contract::cbr(4_000))).expect("what was given back");
    let id = bare.id(OTHER);
    assert_eq!(world.a.connections.of(id), Some(with(OTHER, Contract::cbr(4_000))));
    world.finish();
}

fn vbr(pcr: u32, scr: u32) -> Contract {
    Contract {
        category: ServiceCategory::NrtVbr,
        sustained: Some(Sustained { scr_cells_per_s: scr, mbs_cells: 10 }),
        ..Contract::cbr(pcr)
    }
}

/// What is sent on a VC with a contract takes the time that the contract says; a re-activation changes it.
#[test]
fn contracts_shape_what_is_sent() {
    let world = World::new(1, rate(100_000));
    world.open(&with(VC, Contract::cbr(1_000)));
    world.open(&with(OTHER, vbr(1_000, 100)));
    let begin = world.sim.now();
    // 40 octets and the trailer are one cell.
    world.a.bare.send(VC, (0..101).map(|number| sdu(number, 40)));
    world.settle();
    let took = world.sim.now().since(begin);
    assert!((Duration::from_millis(100)..Duration::from_millis(101)).contains(&took), "{took:?}");
    let begin = world.sim.now();
    // Ten at the peak, and then one in ten milliseconds.
    world.a.bare.send(OTHER, (0..30).map(|number| sdu(number, 40)));
    world.settle();
    let took = world.sim.now().since(begin);
    assert!((Duration::from_millis(200)..Duration::from_millis(211)).contains(&took), "{took:?}");
    // DP-101: what waits goes on under the new contract, in order.
    let begin = world.sim.now();
    world.a.bare.send(VC, (0..100).map(|number| sdu(number, 40)));
    world.run_for(Duration::from_millis(50));
    world.a.bare.change(VC, &with(VC, Contract::cbr(50_000))).expect("it fits");
    world.settle();
    let took = world.sim.now().since(begin);
    assert!((Duration::from_millis(50)..Duration::from_millis(53)).contains(&took), "{took:?}");
    let received = world.b.bare.received(VC);
    assert_eq!(received.len(), 201);
    assert_eq!(received[101..], (0..100).map(|number| sdu(number, 40)).collect::<Vec<_>>());
    world.finish();
}

/// CBR goes before best effort, and best effort takes turns.
#[test]
fn best_effort_waits_for_what_is_reserved() {
    let slow = FibreConditions { queue_cells_max: 8, ..rate(10_000) };
    let world = World::new(1, slow);
    world.open(&ubr(VC));
    world.open(&ubr(OTHER));
    let cbr = VpVc::new(0, 102);
    world.open(&with(cbr, Contract::cbr(5_000)));
    for vc in [VC, OTHER] {
        world.a.bare.send(vc, (0..50).map(|number| sdu(number, 1000)));
    }
    world.a.bare.send(cbr, (0..100).map(|number| sdu(number, 40)));
    world.run_for(Duration::from_millis(25));
    let shared = [VC, OTHER, cbr].map(|vc| world.b.bare.received(vc).len());
    assert!(shared[2] >= 95, "CBR has its rate beside a full line: {shared:?}");
    assert!(shared[0].abs_diff(shared[1]) <= 3 && shared[0] > 0, "{shared:?}");
    world.settle();
    assert!(world.a.count("queued") > 0);
    world.finish();
}

/// DP-126, DP-129, DP-138: order, bound and cancel of what waits; a PDU that is cut off is ended with an abort.
#[test]
fn what_waits_can_be_cancelled_and_is_given_back() {
    let slow = FibreConditions { queue_cells_max: 4, ..rate(1_000) };
    let world = World::new(1, slow);
    world.open(&ubr(VC));
    let cancel = CancelId::new(1, 7).expect("not zero");
    world.a.bare.send(VC, (0..10).map(|number| sdu(number, 1000)));
    world.a.bare.send_with(VC, (0..10).map(|number| sdu(number, 10)), Some(cancel));
    world.a.bare.send(VC, [sdu(99, 40)]);
    world.a.bare.send(VC, (0..5000).map(|number| sdu(number, 1)));
    assert_eq!(world.a.bare.sent(VC).len(), 5000, "the queue of a VC is bounded");
    assert_eq!(world.a.count("refused_queue_full"), 5000);
    world.a.bare.cancel(cancel);
    world.run_for(Duration::from_millis(100));
    let sent = world.a.bare.sent(VC);
    assert_eq!(sent.iter().filter(|status| **status == NdisStatus::SEND_ABORTED).count(), 10);
    // In the middle of a PDU.
    world.a.bare.close(VC);
    world.settle();
    assert_eq!(world.a.count("aborted_sending"), 1);
    assert_eq!(world.b.count("error_aborted"), 1, "{:?}", world.b.counters);
    assert_eq!(world.b.count("error_crc") + world.b.count("error_lost_cells"), 0);
    world.finish();
}

#[test]
fn pause_reset_and_removal_give_back_what_waits() {
    let slow = FibreConditions { queue_cells_max: 4, ..rate(1_000) };
    let world = World::new(1, slow);
    world.open(&ubr(VC));
    let count = |status| world.a.bare.sent(VC).iter().filter(|one| **one == status).count();
    world.a.bare.send(VC, (0..5).map(|number| sdu(number, 100)));
    world.a.adapter.reset(|result| result.expect("it is possible"));
    world.run_for(Duration::from_millis(20));
    assert!(count(NdisStatus::RESET_IN_PROGRESS) >= 4, "{:?}", world.a.bare.sent(VC));
    world.a.bare.send(VC, (0..5).map(|number| sdu(number, 100)));
    world.a.adapter.pause(|result| result.expect("it runs"));
    world.run_for(Duration::from_millis(20));
    assert!(count(NdisStatus::PAUSED) >= 4);
    world.b.bare.received(VC);
    // DP-063: nothing is indicated while paused; DP-067: the VC works again after.
    world.b.bare.send(VC, [sdu(1, 40)]);
    world.run_for(Duration::from_millis(20));
    assert_eq!((world.a.bare.received(VC).len(), world.a.count("dropped_not_running")), (0, 1));
    world.a.adapter.restart(|result| result.expect("it is paused"));
    world.run_for(Duration::from_millis(20));
    world.a.bare.send(VC, [sdu(7, 40)]);
    world.settle();
    assert_eq!(world.b.bare.received(VC), [sdu(7, 40)]);
    // DP-074.
    world.a.bare.send(VC, (0..5).map(|number| sdu(number, 100)));
    world.a.adapter.surprise_remove(|| ());
    world.settle();
    assert!(count(NdisStatus::NOT_ACCEPTED) >= 4);
    world.finish();
}

/// What comes on a VC that is not active is counted and dropped.
#[test]
fn an_inactive_vc_receives_nothing() {
    let world = World::new(1, FibreConditions::default());
    world.a.bare.open(&ubr(VC)).expect("there is room");
    world.a.bare.send(VC, [sdu(1, 100)]);
    world.settle();
    assert_eq!(world.b.count("dropped_unknown_vc"), 3);
    assert_eq!(world.a.bare.sent(VC), [NdisStatus::SUCCESS]);
    world.finish();
}

/// Errors of the line are found and counted by name, and nothing damaged comes through.
#[test]
fn a_bad_line_damages_nothing_that_arrives() {
    let bad = FibreConditions {
        loss: Chance::of_million(2_000),
        corrupt: Chance::of_million(2_000),
        ..FibreConditions::default()
    };
    let world = World::new(5, bad);
    world.open(&ubr(VC));
    let sdus: Vec<_> = (0..2_000).map(|number| sdu(number, 480)).collect();
    for batch in sdus.chunks(50) {
        world.a.bare.send(VC, batch.to_vec());
        world.run_for(Duration::from_millis(10));
    }
    world.settle();
    let received = world.b.bare.received(VC);
    assert!(received.len() > 1_500 && received.len() < 2_000, "{}", received.len());
    let mut all = sdus.iter();
    assert!(received.iter().all(|sdu| all.any(|sent| sent == sdu)), "in order and unharmed");
    for name in ["error_crc", "error_lost_cells", "error_lost_end"] {
        assert!(world.b.count(name) > 0, "{name}: {:?}", world.b.counters);
    }
    let errors = world.b.bare.query(Some(VC), code::GEN_CO_RCV_PDUS_ERROR).expect("mandatory");
    assert!(u64::from_le_bytes(errors.try_into().expect("eight octets")) > 0);
    world.finish();
}

/// A PDU whose end does not come is given up after ten seconds, and one that is too long at once.
#[test]
fn pdus_without_an_end_are_given_up() {
    let world = World::new(1, FibreConditions::default());
    world.a.bare.open(&ubr(VC)).expect("there is room");
    world.b.bare.open(&AtmVcParams::ubr(VC, 100)).expect("there is room");
    world.a.bare.send(VC, [sdu(1, 1000), sdu(2, 100)]);
    world.settle();
    assert_eq!(world.b.count("error_oversize"), 1);
    assert_eq!(world.b.bare.received(VC), [sdu(2, 100)]);
    // A cell that ends nothing, by hand.
    let (_, [one, other]) = Fibre::new(world.sim.clone(), "by hand", FibreConditions::default(), 2);
    let side = Side::new(&world.sim, "c", other);
    world.settle();
    side.bare.open(&ubr(VC)).expect("there is room");
    let header = HeaderWord::new(Interface::Uni, VC).expect("it fits");
    assert_eq!(one.transmit_cells(&[header.cell(&[1; 48])]), 1);
    world.settle();
    assert_eq!(side.count("error_timeout"), 1);
    side.adapter.remove(|| ());
    world.finish();
    side.check_the_end();
}

/// I.610: a loopback cell to the end point comes back with the same tag, and no user hears of it.
#[test]
fn loopback_is_answered() {
    use std::sync::{Arc, Mutex, Weak};

    use condis_link::atm::{AtmLinkUser, Cell, SduIn};

    #[derive(Default)]
    struct Ear(Mutex<Vec<Cell>>);
    impl AtmLinkUser for Ear {
        fn receive_cells(&self, cells: &[Cell]) {
            self.0.lock().unwrap().extend_from_slice(cells);
        }
        fn receive_sdus(&self, _: &[SduIn<'_>]) {}
        fn link_state(&self, _: bool) {}
    }

    let sim = condis::runtime::Sim::new(1);
    let (_, [one, other]) = Fibre::new(sim.clone(), "fibre", FibreConditions::default(), 1);
    let side = Side::new(&sim, "b", other);
    let ear = Arc::new(Ear::default());
    one.attach(Arc::downgrade(&ear) as Weak<dyn AtmLinkUser>);
    assert_eq!(sim.run_until_idle(crate::bare::LONG), condis::runtime::Ran::Idle);
    side.bare.open(&ubr(VC)).expect("there is room");
    let mut loopback = Loopback::new(LoopbackConfig::default(), 77);
    let tag = loopback.send(sim.now(), Flow::EndToEnd, LocationId::END_POINT).expect("the first");
    let Some(LoopbackOutput::Transmit { pti, payload }) = loopback.poll_output() else { panic!("it asks") };
    let header = HeaderWord::new(Interface::Uni, VC).expect("it fits").with_pti(pti);
    one.transmit_cells(&[header.cell(&payload), header.with_pti(Pti::new(6)).cell(&payload)]);
    assert_eq!(sim.run_until_idle(crate::bare::LONG), condis::runtime::Ran::Idle);
    let cells = ear.0.lock().unwrap().clone();
    assert_eq!(cells.len(), 1);
    let answer: &[u8; 48] = cells[0].last_chunk().expect("48 of 53 octets");
    loopback.handle_cell(sim.now(), HeaderWord::of(&cells[0]).pti(), answer);
    let output = loopback.poll_output();
    assert!(matches!(output, Some(LoopbackOutput::Answered { tag: of, .. }) if of == tag), "{output:?}");
    assert_eq!((side.count("loopback_answered"), side.count("dropped_oam")), (1, 1));
    assert_eq!(side.bare.received(VC), Vec::<Vec<u8>>::new());
    side.adapter.remove(|| ());
    assert_eq!(sim.run_until_idle(crate::bare::LONG), condis::runtime::Ran::Idle);
    side.check_the_end();
}

/// AAL0: each SDU is a cell, with its header or without, and OAM cells belong to the user.
#[test]
fn raw_cells_pass_as_they_are() {
    let world = World::new(1, FibreConditions::default());
    let raw = |octets| AtmVcParams {
        aal: Aal::Aal0,
        transmit: AtmFlow::ubr(octets),
        receive: AtmFlow::ubr(octets),
        ..ubr(VC)
    };
    world.a.bare.open(&raw(52)).expect("there is room");
    world.b.bare.open(&raw(52)).expect("there is room");
    let oam = HeaderWord::new(Interface::Uni, OTHER).expect("it fits").with_pti(Pti::OAM_SEGMENT);
    let with_header = [&oam.0.to_be_bytes()[..], &[5; 48]].concat();
    world.a.bare.send(VC, [vec![7; 48], with_header, vec![1; 50]]);
    world.settle();
    let here = HeaderWord::new(Interface::Uni, VC).expect("it fits");
    let expected = [
        [&here.0.to_be_bytes()[..], &[7; 48]].concat(),
        [&here.with_pti(Pti::OAM_SEGMENT).0.to_be_bytes()[..], &[5; 48]].concat(),
    ];
    assert_eq!(world.b.bare.received(VC), expected);
    assert_eq!(
        world.a.bare.sent(VC).iter().filter(|status| **status == NdisStatus::INVALID_LENGTH).count(),
        1
    );
    world.finish();
}

/// Sections 10.1, 10.2 and 10.7 of the reference; DP-190.
#[test]
fn oids_and_link_state() {
    let world = World::new(1, rate(1000));
    world.open(&ubr(VC));
    world.a.bare.send(VC, [sdu(1, 100), sdu(2, 50)]);
    world.settle();
    let ask = |vc, oid| world.a.bare.query(vc, oid);
    let counter = |octets: Vec<u8>| u64::from_le_bytes(octets.try_into().expect("eight octets"));
    assert_eq!(counter(ask(Some(VC), code::GEN_CO_XMIT_PDUS_OK).expect("mandatory")), 2);
    assert_eq!(counter(ask(Some(VC), code::GEN_CO_BYTES_XMIT).expect("listed")), 150);
    assert_eq!(counter(ask(None, atm_code::XMIT_CELLS_OK).expect("listed")), 5);
    assert_eq!(ask(None, atm_code::HW_CURRENT_ADDRESS), Ok(vec![2, 0, 0, 0, 0, 7]));
    assert_eq!(
        ask(None, atm_code::SUPPORTED_VC_RATES).map(|rates| rates[4..].to_vec()),
        Ok(vec![0xe8, 3, 0, 0])
    );
    assert_eq!(ask(None, code::GEN_CO_MEDIA_CONNECT_STATUS), Ok(vec![0; 4]));
    assert_eq!(ask(None, 0x0101_0101), Err(NdisStatus::NOT_SUPPORTED));
    world.fibre.cut();
    world.settle();
    assert_eq!(ask(None, code::GEN_CO_MEDIA_CONNECT_STATUS), Ok(vec![1, 0, 0, 0]));
    world.fibre.mend();
    world.settle();
    assert_eq!((world.a.bare.statuses(), world.b.bare.statuses()), (2, 2));
    assert_eq!(NonZeroU64::new(1000), world.fibre.conditions().cells_per_s);
    world.finish();
}
