//! Aim: the contract of a call changes while it is up, asked for from either end (Q.2963.1), and the path with it. Method: one
//! scenario, four mixes.

use condis_atm::driver::{AtmCall, AtmFlow};
use condis_atm::traffic::Contract;
use condis_atm::uni::Version;

use crate::calls::to;
use crate::lab::{Lab, Setup, in_every_mix, in_every_mix_of};

fn cbr(pcr: u32) -> AtmCall {
    to(2).both_ways(AtmFlow { contract: Contract::cbr(pcr), sdu_octets_max: 1500 })
}

fn up(lab: &Lab) -> condis::trace::VcId {
    let vc = lab.a.client.create();
    lab.a.client.dial(vc, &cbr(1000));
    lab.soon();
    assert_eq!((lab.a.client.take_heard(), lab.b.client.up().len()), (vec!["made".to_owned()], 1));
    vc
}

/// 7.11 and 7.12 of the reference: the change holds at both ends, and both miniports carry it.
#[test]
fn who_calls_changes_the_contract() {
    in_every_mix(|lab| {
        let vc = up(lab);
        lab.b.client.take_heard();
        lab.a.client.modify(vc, &cbr(5000));
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["modified"]);
        assert_eq!(lab.b.client.take_heard(), ["changed"]);
        let rate = |params: condis_atm::driver::AtmVcParams| params.transmit.contract.pcr_cells_per_s;
        assert_eq!(rate(lab.a.client.last_vc()), Some(5000));
        assert_eq!(rate(lab.b.client.last_vc()), Some(5000));
        assert_eq!(lab.a.connections.of(vc).map(rate), Some(Some(5000)));
        let called = lab.b.client.up()[0];
        assert_eq!(lab.b.connections.of(called).map(rate), Some(Some(5000)));
        // And back again, as often as one likes.
        lab.a.client.modify(vc, &cbr(1000));
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["modified"]);
    });
}

/// A faster contract lets go at once what has waited for the slower one. Its sends come back from inside the activation, and their client sends
/// more from inside that, on the same VC.
#[test]
fn sends_go_on_from_inside_a_change() {
    in_every_mix(|lab| {
        let vc = up(lab);
        lab.a.client.refills(500);
        for _ in 0..300 {
            lab.a.client.send(vc, [vec![7; 40]]);
        }
        lab.a.client.modify(vc, &cbr(50_000));
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["modified"]);
        assert_eq!(lab.a.client.sent()["SUCCESS"], 800);
        assert_eq!(lab.b.client.received(), [7; 40 * 800]);
    });
}

/// CO-179: a change that the network, or the line, cannot carry leaves everything as it was.
#[test]
fn a_change_that_does_not_fit_is_refused() {
    in_every_mix(|lab| {
        let vc = up(lab);
        lab.b.client.take_heard();
        lab.a.client.modify(vc, &cbr(400_000));
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["modify failed FAILURE"]);
        assert_eq!(lab.b.client.take_heard(), Vec::<String>::new());
        let rate = lab.a.connections.of(vc).and_then(|vc| vc.transmit.contract.pcr_cells_per_s);
        assert_eq!(rate, Some(1000));
        lab.a.client.send(vc, [vec![1; 100]]);
        lab.soon();
        assert_eq!(lab.b.client.received(), [1; 100]);
    });
}

/// The network agrees and the called side's line does not: its manager refuses, and nothing has changed anywhere.
#[test]
fn a_change_that_the_called_side_cannot_carry_is_refused() {
    in_every_mix_of(&Setup { slow_host: Some((2, 2_000)), ..Setup::default() }, |lab| {
        let vc = up(lab);
        lab.b.client.take_heard();
        lab.a.client.modify(vc, &cbr(5000));
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["modify failed FAILURE"]);
        let cause = lab.a.client.last_cause().expect("it says why");
        assert!(cause.contains("(37)"), "{cause}");
        assert_eq!(lab.b.client.take_heard(), Vec::<String>::new());
        assert_eq!(lab.b.count("engine.activations_refused"), 1);
        for side in [&lab.a, &lab.b] {
            let up = side.client.up()[0];
            let rate = side.connections.of(up).and_then(|vc| vc.transmit.contract.pcr_cells_per_s);
            assert_eq!(rate, Some(1000));
        }
    });
}

/// Network and called side agree, and the line here does not: they are asked to go back.
#[test]
fn a_change_that_this_side_cannot_carry_is_taken_back() {
    in_every_mix_of(&Setup { slow_host: Some((1, 2_000)), ..Setup::default() }, |lab| {
        let vc = up(lab);
        lab.b.client.take_heard();
        lab.a.client.modify(vc, &cbr(5000));
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["modify failed FAILURE"]);
        assert_eq!(lab.b.client.take_heard(), ["changed", "changed"]);
        for side in [&lab.a, &lab.b] {
            let up = side.client.up()[0];
            let rate = side.connections.of(up).and_then(|vc| vc.transmit.contract.pcr_cells_per_s);
            assert_eq!(rate, Some(1000));
        }
        lab.a.client.modify(vc, &cbr(1500));
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["modified"]);
    });
}

/// Only who made the call may change it (Q.2963.1), and not before UNI 4.0.
#[test]
fn who_may_not_change_is_told() {
    in_every_mix(|lab| {
        up(lab);
        lab.b.client.take_heard();
        lab.b.client.modify(lab.b.client.up()[0], &cbr(2000));
        lab.soon();
        assert_eq!(lab.b.client.take_heard(), ["modify failed NOT_SUPPORTED"]);
    });
    in_every_mix_of(&Setup { version: Version::Uni31, ..Setup::default() }, |lab| {
        let vc = up(lab);
        lab.a.client.modify(vc, &cbr(2000));
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["modify failed NOT_SUPPORTED"]);
    });
}

/// The call ends at every moment of a change: the change is answered, and the close is done.
#[test]
fn a_call_ends_while_it_is_being_changed() {
    for events in 0..24 {
        in_every_mix(|lab| {
            let vc = up(lab);
            lab.a.client.modify(vc, &cbr(5000));
            for _ in 0..events {
                lab.sim.step();
            }
            lab.a.client.close(vc);
            lab.soon();
            let heard = lab.a.client.take_heard();
            assert_eq!(heard.len(), 2, "after {events} events: {heard:?}");
            assert!(heard.contains(&"closed SUCCESS".to_owned()), "{heard:?}");
            assert!(["modified", "modify failed FAILURE"].contains(&heard[0].as_str()), "{heard:?}");
        });
    }
}
