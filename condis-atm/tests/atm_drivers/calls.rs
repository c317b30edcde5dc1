//! Aim: a call lives and ends as the reference says, at each moment and from each side, and the client cannot tell a call
//! manager from an MCM. Method: one scenario, four mixes; the clients' traces must be equal and nothing may be left.

use condis::oid::code;
use condis::status::NdisStatus;
use condis::token::Outcome;
use condis::trace::VcId;
use condis::vc::VcUse;
use condis_atm::VpVc;
use condis_atm::driver::{AtmCall, AtmFlow, AtmVcParams, CloseCause};
use condis_atm::traffic::Contract;
use condis_atm::uni::{CauseValue, Version};

use crate::client::Policy;
use crate::lab::{Kind, LONG, Lab, Setup, address, in_every_mix, in_every_mix_of};

pub fn to(number: u8) -> AtmCall {
    AtmCall::to(address(number))
}

/// A call from a to b that is up at both ends.
pub fn up(lab: &Lab) -> VcId {
    let vc = lab.a.client.create();
    lab.a.client.dial(vc, &to(2));
    lab.soon();
    assert_eq!(lab.a.client.up(), [vc], "{:?}", lab.a.client.heard());
    assert_eq!(lab.b.client.up().len(), 1, "{:?}", lab.b.client.heard());
    vc
}

/// Q.2931 §5.1 to §5.4, from make-call to RELEASE COMPLETE, as each version has it.
#[test]
fn a_call_is_made_and_closed_by_who_calls() {
    for version in [Version::Uni30, Version::Uni31, Version::Uni40] {
        in_every_mix_of(&Setup { version, ..Setup::default() }, |lab| {
            let vc = up(lab);
            let (ours, theirs) = (lab.a.client.last_vc(), lab.b.client.last_vc());
            assert!(ours.vpvc.vci.0 >= 32 && theirs.vpvc.vci.0 >= 32);
            assert_eq!(lab.a.connections.of(vc), Some(ours));
            assert_eq!(lab.b.client.last_call().calling, Some(address(1)));
            lab.a.client.send(vc, [vec![1; 100], vec![2; 1500]]);
            lab.b.client.send(lab.b.client.up()[0], [vec![3; 9]]);
            lab.soon();
            assert_eq!(lab.b.client.received(), [vec![1; 100], vec![2; 1500]].concat());
            assert_eq!(lab.a.client.received(), [3; 9]);
            lab.a.client.close(vc);
            lab.soon();
            assert_eq!(lab.a.client.heard(), ["made", "closed SUCCESS"]);
            // UNI 3.0 has no cause 16.
            let cause = if version == Version::Uni30 { 31 } else { 16 };
            let remote = format!("remote close SUCCESS cause {cause}");
            let heard = ["offered by 1", "connected", &remote, "closed SUCCESS", "deleted"];
            assert_eq!(lab.b.client.heard(), heard);
            lab.a.client.delete(vc);
        });
    }
}

#[test]
fn a_call_is_closed_by_who_was_called() {
    in_every_mix(|lab| {
        let vc = up(lab);
        lab.b.client.close(lab.b.client.up()[0]);
        lab.soon();
        assert_eq!(lab.a.client.heard(), ["made", "remote close SUCCESS cause 16", "closed SUCCESS"]);
        assert_eq!(lab.b.client.heard(), ["offered by 1", "connected", "closed SUCCESS", "deleted"]);
        lab.a.client.delete(vc);
    });
}

/// Both hang up in the same instant: each close is completed, and nobody hears of the other's.
#[test]
fn both_ends_close_at_once() {
    in_every_mix(|lab| {
        let vc = up(lab);
        lab.a.client.close(vc);
        lab.b.client.close(lab.b.client.up()[0]);
        lab.soon();
        assert_eq!(lab.a.client.heard(), ["made", "closed SUCCESS"]);
        assert_eq!(lab.b.client.heard(), ["offered by 1", "connected", "closed SUCCESS", "deleted"]);
    });
}

/// The tables of design and reference: a call manager's signaling VCs 0/5 and 0/16 are listed, an MCM's are not.
#[test]
fn ndis_lists_the_signaling_of_a_call_manager_only() {
    in_every_mix_of(&Setup { ilmi: true, ..Setup::default() }, |lab| {
        up(lab);
        for side in [&lab.a, &lab.b] {
            let vcs = side.node.vcs();
            let of = |wanted| vcs.iter().filter(move |vc| vc.use_ == wanted);
            assert_eq!(of(VcUse::Client).count(), 1);
            let mut signaling: Vec<VpVc> =
                of(VcUse::Signaling).filter_map(|vc| side.connections.of(vc.id)).map(|vc| vc.vpvc).collect();
            signaling.sort_unstable();
            let expected = match side.kind {
                Kind::CallManager | Kind::OverSlowMiniport => vec![VpVc::SIGNALING, VpVc::ILMI],
                Kind::Mcm => vec![],
            };
            assert_eq!(signaling, expected);
        }
    });
}

/// CO-119: the make-call is answered when the attempt fails; the status says what kind of reason it was, the cause which.
#[test]
fn a_rejection_travels_as_a_cause() {
    let rejections = [
        (NdisStatus::INVALID_ADDRESS, NdisStatus::INVALID_ADDRESS, 1),
        (NdisStatus::RESOURCES, NdisStatus::RESOURCES, 47),
        (NdisStatus::VC_NOT_AVAILABLE, NdisStatus::VC_NOT_AVAILABLE, 45),
        (NdisStatus::INCOMPATABLE_QOS, NdisStatus::INCOMPATABLE_QOS, 49),
        (NdisStatus::FAILURE, NdisStatus::FAILURE, 21),
    ];
    for (said, heard, value) in rejections {
        in_every_mix(|lab| {
            lab.b.client.policy(Policy::Reject(said));
            let vc = lab.a.client.create();
            lab.a.client.dial(vc, &to(2));
            lab.soon();
            assert_eq!(lab.a.client.heard(), [format!("make failed {heard}")]);
            let cause = lab.a.client.last_cause().expect("it says why");
            assert!(cause.contains(&format!("({value})")), "{cause}");
            assert_eq!(lab.b.client.heard(), ["offered by 1", "deleted"]);
            lab.a.client.delete(vc);
        });
    }
}

/// What the network says: no such address, no route, no bandwidth.
#[test]
fn the_network_refuses_with_its_cause() {
    in_every_mix(|lab| {
        let vc = lab.a.client.create();
        lab.a.client.dial(vc, &to(99));
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["make failed NO_ROUTE_TO_DESTINATION"]);
        let cause = lab.a.client.last_cause().expect("it says why");
        assert!(cause.starts_with("no route to destination (3)"), "{cause}");
        // More than OC-3 carries.
        let flow = AtmFlow { contract: Contract::cbr(400_000), sdu_octets_max: 1500 };
        lab.a.client.dial(vc, &to(2).both_ways(flow));
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["make failed CELLRATE_NOT_AVAILABLE"]);
        // CO-124: the VC is still there, and good for another call.
        lab.a.client.dial(vc, &to(2));
        lab.soon();
        assert_eq!(lab.a.client.up(), [vc]);
    });
}

/// The network agrees and a line does not: whichever end it is, the call ends there, and the other hears of it.
#[test]
fn an_activation_that_is_refused_ends_the_call() {
    let flow = AtmFlow { contract: Contract::cbr(5_000), sdu_octets_max: 1500 };
    in_every_mix_of(&Setup { slow_host: Some((2, 2_000)), ..Setup::default() }, |lab| {
        let vc = lab.a.client.create();
        lab.a.client.dial(vc, &to(2).both_ways(flow));
        lab.soon();
        assert_eq!(lab.a.client.heard(), ["make failed CELLRATE_NOT_AVAILABLE"]);
        let heard = ["offered by 1", "remote close CELLRATE_NOT_AVAILABLE", "closed SUCCESS", "deleted"];
        assert_eq!(lab.b.client.heard(), heard);
        assert_eq!(lab.b.count("engine.activations_refused"), 1);
    });
    in_every_mix_of(&Setup { slow_host: Some((1, 2_000)), ..Setup::default() }, |lab| {
        let vc = lab.a.client.create();
        lab.a.client.dial(vc, &to(2).both_ways(flow));
        lab.soon();
        assert_eq!(lab.a.client.heard(), ["make failed CELLRATE_NOT_AVAILABLE"]);
        assert_eq!(lab.b.client.heard()[2], "remote close CELLRATE_NOT_AVAILABLE cause 37");
        assert_eq!(lab.b.client.up().len(), 0);
        lab.a.client.dial(vc, &to(2));
        lab.soon();
        assert_eq!(lab.a.client.up(), [vc]);
    });
}

/// A client that knows that it is busy says so itself: the cause goes in the data of its close, and comes out at the other end.
#[test]
fn close_data_carries_the_cause() {
    in_every_mix(|lab| {
        let vc = up(lab);
        lab.a.client.close_with(vc, CloseCause::user(CauseValue::USER_BUSY).to_data());
        lab.soon();
        let heard = lab.b.client.heard();
        assert_eq!(heard[2], "remote close VC_NOT_AVAILABLE cause 17");
        // CO-151: what is no cause is refused, and the call stays as it was.
        let vc = up(lab);
        let refused = lab.a.client.try_close(vc, b"good bye".to_vec());
        assert_eq!(refused, Outcome::Done(Err(NdisStatus::INVALID_DATA)));
        lab.a.client.send(vc, [vec![7; 3]]);
        lab.soon();
        assert_eq!(lab.b.client.received(), [7; 3]);
    });
}

#[test]
fn a_pended_offer_is_accepted_or_rejected_later() {
    for (version, accept) in [(Version::Uni31, true), (Version::Uni40, true), (Version::Uni40, false)] {
        in_every_mix_of(&Setup { version, ..Setup::default() }, |lab| {
            lab.b.client.policy(Policy::Pend);
            let vc = lab.a.client.create();
            lab.a.client.dial(vc, &to(2));
            // Longer than T303: the network was told that the client thinks about it.
            lab.run_for(std::time::Duration::from_secs(9));
            assert_eq!(lab.b.client.heard(), ["offered by 1"]);
            lab.b.client.answer(accept);
            lab.soon();
            let heard = if accept { "made" } else { "make failed RESOURCES" };
            assert_eq!(lab.a.client.heard(), [heard]);
            lab.b.client.policy(Policy::Accept);
        });
    }
}

/// the offer is taken back while the client thinks; it answers all the same, once, or closes first.
#[test]
fn an_offer_that_is_taken_back_is_answered_once() {
    for (accept, close_first) in [(true, true), (false, true), (true, false), (false, false)] {
        in_every_mix(|lab| {
            lab.b.client.policy(Policy::Pend);
            lab.b.client.closes(close_first);
            let vc = lab.a.client.create();
            lab.a.client.dial(vc, &to(2));
            lab.soon();
            lab.a.client.close(vc);
            lab.soon();
            assert_eq!(lab.a.client.heard(), ["make failed REQUEST_ABORTED", "closed SUCCESS"]);
            assert_eq!(lab.b.client.heard(), ["offered by 1", "remote close SUCCESS cause 16"]);
            lab.b.client.answer(accept);
            lab.soon();
            if !close_first && accept {
                // an offer that was accepted after all is closed like any other call.
                let called = lab.b.node.vcs().iter().find(|vc| vc.use_ == VcUse::Client).map(|vc| vc.id);
                lab.b.client.close(called.expect("it is there"));
                lab.soon();
            }
            let heard = lab.b.client.heard();
            assert_eq!(heard.last().map(String::as_str), Some("deleted"), "{heard:?}");
        });
    }
}

/// CO-128, X-17: the make-call completes before the close does, whatever the call has got to by then.
#[test]
fn who_calls_closes_at_every_moment() {
    for events in 0..40 {
        in_every_mix(|lab| {
            let vc = lab.a.client.create();
            lab.a.client.dial(vc, &to(2));
            for _ in 0..events {
                lab.sim.step();
            }
            lab.a.client.close(vc);
            lab.soon();
            let heard = lab.a.client.heard();
            assert_eq!(heard.last().map(String::as_str), Some("closed SUCCESS"));
            assert!(["make failed REQUEST_ABORTED", "made"].contains(&heard[0].as_str()), "{heard:?}");
            assert_eq!(lab.b.client.up().len(), 0, "b has heard of it");
            lab.a.client.delete(vc);
        });
    }
}

/// The same from the other end: b's client closes at every step of the call's life at which it can.
#[test]
fn who_was_called_closes_as_soon_as_it_can() {
    for events in 0..20 {
        in_every_mix(|lab| {
            let vc = lab.a.client.create();
            lab.a.client.dial(vc, &to(2));
            assert!(lab.sim.run_until(|| !lab.b.client.up().is_empty(), LONG));
            for _ in 0..events {
                lab.sim.step();
            }
            lab.b.client.close(lab.b.client.up()[0]);
            lab.soon();
            let heard = lab.a.client.heard();
            let up_and_over = ["made", "remote close SUCCESS cause 16", "closed SUCCESS"];
            assert!(heard == up_and_over || heard == ["make failed FAILURE"], "after {events}: {heard:?}");
            assert_eq!(lab.b.client.heard().last().map(String::as_str), Some("deleted"));
        });
    }
}

/// X-06, CO-157: the remote closed, and the client answers only later.
#[test]
fn a_remote_close_is_answered_late() {
    in_every_mix(|lab| {
        lab.b.client.closes(false);
        let vc = up(lab);
        let called = lab.b.client.up()[0];
        lab.a.client.close(vc);
        lab.soon();
        assert_eq!(lab.b.client.heard(), ["offered by 1", "connected", "remote close SUCCESS cause 16"]);
        lab.b.client.close(called);
        lab.soon();
        assert_eq!(lab.b.client.heard().last().map(String::as_str), Some("deleted"));
    });
}

/// CO-124 and the state table: a VC is good for another call when one is over.
#[test]
fn a_vc_is_dialled_on_again_and_again() {
    in_every_mix(|lab| {
        let vc = lab.a.client.create();
        for round in 1..=5 {
            lab.a.client.dial(vc, &to(2));
            lab.soon();
            assert_eq!(lab.a.client.up(), [vc], "round {round}");
            lab.a.client.close(vc);
            lab.soon();
        }
        assert_eq!(lab.a.client.heard(), ["made", "closed SUCCESS"].repeat(5));
    });
}

#[test]
fn many_calls_at_once_have_connections_of_their_own() {
    in_every_mix(|lab| {
        let vcs: Vec<_> = (0..20).map(|_| lab.a.client.create()).collect();
        for &vc in &vcs {
            lab.a.client.dial(vc, &to(2));
        }
        lab.soon();
        assert_eq!((lab.a.client.up().len(), lab.b.client.up().len()), (20, 20));
        let mut used: Vec<_> = lab.a.connections.all().into_values().map(|vc| vc.vpvc).collect();
        used.sort_unstable();
        used.dedup();
        let own = usize::from(lab.a.kind != Kind::Mcm);
        assert_eq!(used.len(), 20 + own);
    });
}

/// Q.2931 §5.4.5.4: the called side may shorten SDUs, and its choice holds at both ends (CO-122).
#[test]
fn what_was_agreed_on_comes_back() {
    in_every_mix(|lab| {
        lab.b.client.policy(Policy::Shorten(576));
        let vc = lab.a.client.create();
        let forward = AtmFlow { contract: Contract::cbr(1000), sdu_octets_max: 9188 };
        let backward = AtmFlow { contract: Contract::cbr(200), sdu_octets_max: 9188 };
        lab.a.client.dial(vc, &AtmCall { forward, backward, ..to(2) });
        lab.soon();
        assert_eq!(lab.a.client.heard(), ["made"]);
        let params = lab.a.client.last_params();
        assert!(params.changed());
        let (call, media) = (lab.a.client.last_call(), lab.a.client.last_vc());
        assert_eq!(call.forward.sdu_octets_max, 576);
        assert_eq!(media.transmit, AtmFlow { sdu_octets_max: 576, ..call.forward });
        assert_eq!(media.transmit.contract.pcr_cells_per_s, Some(1000));
        lab.a.client.send(vc, [vec![1; 576], vec![2; 577]]);
        lab.soon();
        assert_eq!(lab.b.client.received(), [1; 576]);
        let sent = lab.a.client.sent();
        assert_eq!((sent["SUCCESS"], sent["INVALID_LENGTH"]), (1, 1));
    });
}

/// DP-185 and the address OIDs: those that all have, and the client's own.
#[test]
fn addresses_are_told_added_and_deleted() {
    use condis_atm::driver::{add_address_request, delete_address_request};
    in_every_mix_of(&Setup { ilmi: true, ..Setup::default() }, |lab| {
        let client = &lab.a.client;
        assert_eq!(client.addresses(), [address(1)], "registered by ILMI");
        assert!(client.told(code::CO_ADDRESS_CHANGE) >= 1);
        let alias = address(77);
        assert_eq!(client.set(add_address_request(&alias)), NdisStatus::SUCCESS);
        assert_eq!(client.addresses(), [address(1), alias.clone()]);
        assert_eq!(client.set(delete_address_request(&alias)), NdisStatus::SUCCESS);
        assert_eq!(client.set(delete_address_request(&alias)), NdisStatus::INVALID_ADDRESS);
        let mut bad = add_address_request(&alias);
        bad.buffer.pop();
        assert_eq!(client.set(bad), NdisStatus::INVALID_DATA);
        // Who calls and does not say so is told by the first of them.
        up(lab);
        assert_eq!(lab.b.client.last_call().calling, Some(address(1)));
    });
}

/// A VC that names no connection, and a family of parameters that is none of ours.
#[test]
fn parameters_that_are_none_are_refused() {
    in_every_mix(|lab| {
        let vc = lab.a.client.create();
        let mut params = to(2).to_params();
        params.manager.as_mut().expect("made with it").specific.parameters.pop();
        lab.a.client.dial_params(vc, params);
        lab.a.client.dial_params(vc, AtmVcParams::ubr(VpVc::new(0, 40), 1500).to_params());
        lab.soon();
        assert_eq!(lab.a.client.heard(), ["make failed INVALID_DATA", "make failed FAILURE"]);
    });
}

/// A client that accepts with parameters that nobody can read: for NDIS it has accepted, so it is told of the end and closes, and the VC is
/// deleted behind that. The caller hears why.
#[test]
fn an_offer_that_is_accepted_with_nonsense_ends() {
    in_every_mix(|lab| {
        lab.b.client.policy(Policy::Garble);
        let vc = lab.a.client.create();
        lab.a.client.dial(vc, &to(2));
        lab.soon();
        assert_eq!(lab.a.client.heard(), ["make failed FAILURE"]);
        let heard = ["offered by 1", "remote close INVALID_DATA", "closed SUCCESS", "deleted"];
        assert_eq!(lab.b.client.heard(), heard);
    });
}
