//! Aim: a call lives and ends as the reference says, at each moment and from each side, and the client cannot tell a call
//! manager from an MCM. Method: one scenario, four mixes; the clients' traces must be equal and nothing may be left.

use condis::oid::code;
use condis::status::NdisStatus;
use condis::token::Outcome;
use condis::vc::VcUse;
use condis_link::memory::Conditions;
use condis_wan::pppoe::driver::{CallTarget, FlowCount, FlowParams, IncomingHost};

use crate::client::Policy;
use crate::lab::{Kind, LONG, Lab, MIXES, in_every_mix};

fn internet() -> CallTarget {
    CallTarget::service("internet")
}

/// A call that is up at both ends.
fn up(lab: &Lab) -> condis::trace::VcId {
    let vc = lab.host.client.create();
    lab.host.client.dial(vc, &internet());
    lab.soon();
    assert_eq!(lab.host.client.up(), [vc], "{:?}", lab.host.client.heard());
    assert_eq!(lab.ac.client.up().len(), 1, "{:?}", lab.ac.client.heard());
    vc
}

/// RFC 2516 §5.1 to §5.5, from make-call to PADT. CO-122: what was agreed on comes back.
#[test]
fn a_call_is_made_and_closed_by_the_host() {
    in_every_mix(|lab| {
        let vc = up(lab);
        let params = lab.host.client.last_params().expect("it is up");
        assert!(params.changed());
        let target = CallTarget::from_params(&params).expect("it was agreed on");
        assert_eq!((target.ac_name.as_deref(), target.max_payload), (Some(&b"ac"[..]), Some(1492)));
        let flow = FlowParams::from_params(&params).expect("the session");
        let host = IncomingHost::from_params(&lab.ac.client.last_params().expect("it came in"));
        let host = host.expect("it says who calls");
        assert_eq!(flow.session, Some(host.session_id));
        assert_eq!(host.mac.to_string(), "02:00:00:00:00:01");
        lab.host.client.close(vc);
        lab.settle();
        assert_eq!(lab.host.client.heard(), ["made", "closed SUCCESS"]);
        let heard = ["offered internet", "connected", "remote close SUCCESS", "closed SUCCESS", "deleted"];
        assert_eq!(lab.ac.client.heard(), heard);
        assert_eq!((lab.host.count("host.padt_sent"), lab.ac.count("concentrator.padt_sent")), (1, 0));
        lab.host.client.delete(vc);
    });
}

#[test]
fn a_call_is_closed_by_the_concentrator() {
    in_every_mix(|lab| {
        let vc = up(lab);
        lab.ac.client.close(lab.ac.client.up()[0]);
        lab.settle();
        assert_eq!(lab.host.client.heard(), ["made", "remote close SUCCESS", "closed SUCCESS"]);
        assert_eq!(lab.ac.client.heard(), ["offered internet", "connected", "closed SUCCESS", "deleted"]);
        lab.host.client.delete(vc);
    });
}

/// Both hang up in the same instant: each close is completed, and nobody hears of the other's.
#[test]
fn both_ends_close_at_once() {
    in_every_mix(|lab| {
        let vc = up(lab);
        lab.host.client.close(vc);
        lab.ac.client.close(lab.ac.client.up()[0]);
        lab.settle();
        assert_eq!(lab.host.client.heard(), ["made", "closed SUCCESS"]);
        assert_eq!(lab.ac.client.heard(), ["offered internet", "connected", "closed SUCCESS", "deleted"]);
    });
}

/// The tables of design and reference: a call manager's signaling VC is listed, an MCM's is not.
#[test]
fn ndis_lists_the_signaling_of_a_call_manager_only() {
    in_every_mix(|lab| {
        up(lab);
        for side in [&lab.host, &lab.ac] {
            let vcs = side.node.vcs();
            let of = |wanted| vcs.iter().filter(|vc| vc.use_ == wanted).count();
            assert_eq!(of(VcUse::Client), 1);
            assert_eq!(of(VcUse::Signaling), usize::from(side.kind != Kind::Mcm));
        }
    });
}

/// CO-119: the make-call is answered when the attempt fails.
#[test]
fn a_rejection_travels_as_an_error_tag() {
    let rejections = [
        (NdisStatus::INVALID_ADDRESS, NdisStatus::INVALID_ADDRESS),
        (NdisStatus::RESOURCES, NdisStatus::VC_NOT_AVAILABLE),
        (NdisStatus::FAILURE, NdisStatus::FAILURE),
    ];
    for (said, heard) in rejections {
        in_every_mix(|lab| {
            lab.ac.client.policy(Policy::Reject(said));
            let vc = lab.host.client.create();
            lab.host.client.dial(vc, &internet());
            lab.soon();
            assert_eq!(lab.host.client.heard(), [format!("make failed {heard}")]);
            assert_eq!(lab.ac.client.heard(), ["offered internet", "deleted"]);
            lab.host.client.delete(vc);
        });
    }
}

#[test]
fn a_pended_offer_is_accepted_or_rejected_later() {
    for accept in [true, false] {
        in_every_mix(|lab| {
            lab.ac.client.policy(Policy::Pend);
            let vc = lab.host.client.create();
            lab.host.client.dial(vc, &internet());
            lab.soon();
            assert_eq!(lab.ac.client.heard(), ["offered internet"]);
            lab.ac.client.answer(accept);
            lab.soon();
            let heard = if accept { "made" } else { "make failed VC_NOT_AVAILABLE" };
            assert_eq!(lab.host.client.heard(), [heard]);
            lab.ac.client.policy(Policy::Accept);
        });
    }
}

/// RFC 2516 §8: retries, and then NO_ROUTE_TO_DESTINATION. A service that nobody offers is not answered (§5.2).
#[test]
fn a_call_to_nobody_times_out() {
    in_every_mix(|lab| {
        let vc = lab.host.client.create();
        lab.host.client.dial(vc, &CallTarget::service("nothing"));
        lab.settle();
        assert_eq!(lab.host.client.heard(), ["make failed NO_ROUTE_TO_DESTINATION"]);
        assert_eq!(lab.host.count("host.padi_sent"), 5);
        // CO-124: the VC is still there, and good for another call.
        lab.host.client.dial(vc, &internet());
        lab.soon();
        assert_eq!(lab.host.client.up(), [vc]);
    });
}

/// RFC 2516 §8: no PADS comes, since the offer is never answered. X-18: nor does the client, until it is too late.
#[test]
fn an_unanswered_offer_is_taken_back() {
    in_every_mix(|lab| {
        lab.ac.client.policy(Policy::Pend);
        lab.ac.client.closes(false);
        let vc = lab.host.client.create();
        lab.host.client.dial(vc, &internet());
        // The host is silent from the last of its PADRs on.
        lab.host.port.cut();
        lab.settle();
        lab.host.port.mend();
        lab.settle();
        assert_eq!(lab.host.client.heard(), ["make failed MEDIA_DISCONNECTED"]);
    });
    in_every_mix(|lab| {
        lab.ac.client.policy(Policy::Pend);
        lab.ac.client.closes(false);
        let vc = lab.host.client.create();
        lab.host.client.dial(vc, &internet());
        lab.soon();
        lab.host.client.close(vc);
        lab.settle();
        assert_eq!(lab.host.client.heard(), ["make failed REQUEST_ABORTED", "closed SUCCESS"]);
        assert_eq!(lab.ac.client.heard(), ["offered internet", "remote close DEST_OUT_OF_ORDER"]);
        // CO-147: the offer is answered all the same, once; a rejection ends it.
        lab.ac.client.answer(false);
        lab.settle();
    });
}

/// CO-147, X-18: the client closes the offer that was taken back, and still owes its answer.
#[test]
fn an_offer_that_was_taken_back_is_closed_before_it_is_answered() {
    for accept in [true, false] {
        in_every_mix(|lab| {
            lab.ac.client.policy(Policy::Pend);
            let vc = lab.host.client.create();
            lab.host.client.dial(vc, &internet());
            lab.soon();
            lab.host.client.close(vc);
            lab.settle();
            assert_eq!(lab.ac.client.heard(), ["offered internet", "remote close DEST_OUT_OF_ORDER"]);
            lab.ac.client.answer(accept);
            lab.settle();
            let heard = lab.ac.client.heard();
            assert_eq!(heard.last().map(String::as_str), Some("deleted"), "{heard:?}");
        });
    }
}

/// CO-128, X-17: the make-call completes before the close does, whatever the host has got to by then.
#[test]
fn the_host_closes_while_its_call_is_being_made() {
    for events in 0..24 {
        in_every_mix(|lab| {
            let vc = lab.host.client.create();
            lab.host.client.dial(vc, &internet());
            for _ in 0..events {
                lab.sim.step();
            }
            lab.host.client.close(vc);
            lab.settle();
            let heard = lab.host.client.heard();
            assert_eq!(heard.last().map(String::as_str), Some("closed SUCCESS"));
            assert!(["make failed REQUEST_ABORTED", "made"].contains(&heard[0].as_str()), "{heard:?}");
            assert_eq!(lab.ac.client.up().len(), 0, "the concentrator has heard of it");
            lab.host.client.delete(vc);
        });
    }
}

/// The same from the other end: the concentrator's client closes at every step of the call's life at which it can.
#[test]
fn the_concentrator_closes_as_soon_as_it_can() {
    for events in 0..12 {
        in_every_mix(|lab| {
            let vc = lab.host.client.create();
            lab.host.client.dial(vc, &internet());
            assert!(lab.sim.run_until(|| !lab.ac.client.up().is_empty(), LONG));
            for _ in 0..events {
                lab.sim.step();
            }
            lab.ac.client.close(lab.ac.client.up()[0]);
            lab.settle();
            let heard = lab.host.client.heard();
            // Over a slow miniport the PADT may overtake the activation: then the call never was.
            let slow = lab.host.kind == Kind::OverSlowMiniport && heard == ["make failed DEST_OUT_OF_ORDER"];
            let up_and_over = ["made", "remote close SUCCESS", "closed SUCCESS"];
            assert!(slow || heard == up_and_over, "after {events} events: {heard:?}");
            assert_eq!(lab.ac.client.heard().last().map(String::as_str), Some("deleted"));
        });
    }
}

/// The client that is called closes as soon as it has heard of the end, or only later: X-06, CO-157.
#[test]
fn a_remote_close_is_answered_late() {
    in_every_mix(|lab| {
        lab.ac.client.closes(false);
        let vc = up(lab);
        let called = lab.ac.client.up()[0];
        lab.host.client.close(vc);
        lab.settle();
        let heard = ["offered internet", "connected", "remote close SUCCESS"];
        assert_eq!(lab.ac.client.heard(), heard);
        lab.ac.client.close(called);
        lab.settle();
        assert_eq!(lab.ac.client.heard().last().map(String::as_str), Some("deleted"));
    });
}

/// CO-124 and the state table: a VC is good for another call when one is over.
#[test]
fn a_vc_is_dialled_on_again_and_again() {
    in_every_mix(|lab| {
        let vc = lab.host.client.create();
        for round in 1..=5 {
            lab.host.client.dial(vc, &internet());
            lab.soon();
            assert_eq!(lab.host.client.up(), [vc], "round {round}");
            lab.host.client.close(vc);
            lab.soon();
        }
        assert_eq!(lab.host.client.heard(), ["made", "closed SUCCESS"].repeat(5));
    });
}

#[test]
fn many_calls_at_once_have_sessions_of_their_own() {
    in_every_mix(|lab| {
        let vcs: Vec<_> = (0..20).map(|_| lab.host.client.create()).collect();
        for &vc in &vcs {
            lab.host.client.dial(vc, &internet());
        }
        lab.soon();
        assert_eq!((lab.host.client.up().len(), lab.ac.client.up().len()), (20, 20));
    });
}

/// CO-151: a PADT carries no text of a client (RFC 2516 Appendix A). The call stays as it was.
#[test]
fn close_data_is_refused() {
    in_every_mix(|lab| {
        let vc = up(lab);
        let refused = lab.host.client.close_with(vc, b"bye".to_vec());
        assert_eq!(refused, Outcome::Done(Err(NdisStatus::INVALID_DATA)));
        lab.host.client.send(vc, [vec![0xc0, 0x21, 7]]);
        lab.settle();
        assert_eq!(lab.ac.client.received(), [0xc0, 0x21, 7]);
    });
}

/// Discovery and sessions run in the VLAN that is configured, and nobody outside of it hears them (IEEE 802.1Q §6.9).
#[test]
fn a_vlan_is_a_wire_of_its_own() {
    for mix in MIXES {
        for (vlans, reaches) in
            [([Some(7), Some(7)], true), ([Some(7), Some(8)], false), ([None, Some(7)], false)]
        {
            let lab = Lab::in_vlans(1, mix, Conditions::default(), vlans);
            let vc = lab.host.client.create();
            lab.host.client.dial(vc, &internet());
            lab.soon();
            assert_eq!(lab.host.client.up().len(), usize::from(reaches), "{mix:?} {vlans:?}");
            if reaches {
                lab.host.client.send(vc, [vec![0xc0, 0x21, 7]]);
                lab.settle();
                assert_eq!(lab.ac.client.received(), [0xc0, 0x21, 7]);
            } else {
                assert!(lab.ac.flows.get(FlowCount::DroppedUnknownFlow) > 0);
            }
            lab.finish();
        }
    }
}

/// Sections 10.1 and 10.2 of the reference: the same answers under both kinds, about the adapter and about one VC.
#[test]
fn oids_tell_what_passed() {
    in_every_mix(|lab| {
        let vcs = [up(lab), lab.host.client.create()];
        lab.host.client.send(vcs[0], [vec![1; 100], vec![2; 50]]);
        lab.settle();
        let ask = |vc, oid| lab.host.client.query(vc, oid, 256);
        let counter = |octets: Vec<u8>| u64::from_le_bytes(octets.try_into().expect("eight octets"));
        assert_eq!(counter(ask(Some(vcs[0]), code::GEN_CO_XMIT_PDUS_OK).expect("mandatory")), 2);
        assert_eq!(counter(ask(Some(vcs[0]), code::GEN_CO_BYTES_XMIT).expect("listed")), 150);
        assert_eq!(counter(ask(Some(vcs[1]), code::GEN_CO_XMIT_PDUS_OK).expect("mandatory")), 0);
        assert!(counter(ask(None, code::GEN_CO_XMIT_PDUS_OK).expect("mandatory")) >= 2);
        let list = ask(None, code::GEN_CO_SUPPORTED_LIST).expect("mandatory");
        let list: Vec<_> =
            list.chunks(4).map(|oid| u32::from_le_bytes(oid.try_into().expect("four"))).collect();
        assert!(list.is_sorted() && list.contains(&code::GEN_CO_MEDIA_CONNECT_STATUS));
        assert_eq!(ask(None, 0x0101_0101), Err(NdisStatus::NOT_SUPPORTED));
    });
}
