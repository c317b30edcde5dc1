//! Quality of service: asked for by the client, by the remote, agreed, refused, rounded.

use condis::params::{CallFlags, CallParams, MediaFlags, MediaParams};
use condis::vc::{Activation, Call};

use crate::kit::client::to;
use crate::kit::world::both;
use crate::kit::{Below, Kind, Mix, Reply, Status, World};

fn peak(octets_per_s: u32) -> CallParams {
    let mut params = to(b"somewhere");
    params.manager.as_mut().expect("there").transmit.peak_bandwidth = octets_per_s;
    params
}

fn may_round(mut params: CallParams) -> CallParams {
    params.media = Some(Box::new(MediaParams { flags: MediaFlags::ROUND_DOWN_FLOW, ..Default::default() }));
    params
}

fn peak_of(params: Option<CallParams>) -> Option<u32> {
    Some(params?.manager?.transmit.peak_bandwidth)
}

fn every(scenario: impl Fn(World) -> crate::kit::world::Seen) {
    for below in [Below::AtOnce, Below::Pends, Below::CompletesEarly] {
        both(Mix { below, ..Mix::PLAIN }, &scenario);
    }
}

/// CO-096, CO-177, CO-184: agreed, by the return and later, any number of times, on VCs of either creator.
#[test]
fn the_client_asks_and_the_manager_agrees() {
    for incoming in [false, true] {
        every(|w| {
            let vc = if incoming {
                let sap = w.sap();
                w.call_in(sap).1
            } else {
                w.call_out()
            };
            for round in 1..4 {
                assert_eq!(w.client.modify_qos(vc, peak(round * 1000)), Status::PENDING);
                w.run();
                assert_eq!(peak_of(w.client.last_params()), Some(round * 1000));
            }
            assert_eq!(w.client.heard("modify_call_qos_complete"), [Status::SUCCESS; 3]);
            assert_eq!(w.client.vc(vc).at().activation(), Activation::Active);
            // CO-102: one deactivation undoes them all.
            let held = w.client.vc(vc);
            w.close(vc);
            assert_eq!(held.at().activation(), Activation::Inactive);
            drop(held);
            w.end()
        });
    }
}

/// CO-184: by the return, and then there is no completion.
#[test]
fn the_client_asks_and_is_answered_at_once() {
    both(Mix::PLAIN, |w| {
        let vc = w.call_out();
        w.set("modify_call_qos", Reply::Done(Status::SUCCESS));
        assert_eq!(w.client.modify_qos(vc, peak(2000)), Status::SUCCESS);
        w.set("modify_call_qos", Reply::Done(Status::NOT_SUPPORTED));
        assert_eq!(w.client.modify_qos(vc, peak(3000)), Status::NOT_SUPPORTED);
        w.run();
        assert!(w.client.heard("modify_call_qos_complete").is_empty());
        w.close(vc);
        w.end()
    });
}

/// CO-097, CO-179, A4, A5: refused by the network or by the hardware, the old parameters stay, and data goes on.
#[test]
fn a_change_is_refused() {
    every(|w| {
        let vc = w.call_out();
        w.set("modify_call_qos", Reply::Pends(Status::FAILURE));
        assert_eq!(w.client.modify_qos(vc, peak(2000)), Status::PENDING);
        w.run();
        w.kit.unset("modify_call_qos");
        // The hardware does not do odd rates, and may not round.
        assert_eq!(w.client.modify_qos(vc, peak(2001)), Status::PENDING);
        w.run();
        assert_eq!(w.client.heard("modify_call_qos_complete"), [Status::FAILURE, Status::INVALID_DATA]);
        assert_eq!(w.client.vc(vc).at().activation(), Activation::Active);
        w.raise("log_data");
        w.client.send(vc, 1);
        assert_eq!(w.client.heard("send_complete"), [Status::SUCCESS]);
        w.close(vc);
        w.end()
    });
}

/// CO-098, CO-122: rounded, and the client is told.
#[test]
fn a_change_is_rounded() {
    every(|w| {
        let vc = w.vc();
        assert_eq!(w.client.make_call_with(vc, may_round(peak(5555))), Status::PENDING);
        w.run();
        let params = w.client.last_params();
        assert!(
            params.as_ref().is_some_and(|params| params.flags.contains(CallFlags::CALL_PARAMETERS_CHANGED))
        );
        assert_eq!(peak_of(params), Some(5000));
        assert_eq!(w.client.modify_qos(vc, may_round(peak(7777))), Status::PENDING);
        w.run();
        assert_eq!(peak_of(w.client.last_params()), Some(7000));
        w.close(vc);
        w.end()
    });
}

/// CO-181: the remote changes it; the client hears after the re-activation, and nothing if that was refused.
#[test]
fn the_remote_changes_it() {
    every(|w| {
        let vc = w.call_out();
        w.net.remote_qos(0, peak(4000));
        w.run();
        assert_eq!(peak_of(w.client.last_params()), Some(4000));
        w.net.remote_qos(0, peak(4001));
        w.run();
        assert_eq!(w.client.heard("incoming_call_qos_change"), [Status::SUCCESS]);
        w.close(vc);
        w.end()
    });
}

/// Q1, X-51: one at a time, and only on a call.
#[test]
fn one_change_at_a_time() {
    both(Mix::PLAIN, |w| {
        let vc = w.vc();
        assert_eq!(w.client.modify_qos(vc, peak(1000)), Status::NOT_ACCEPTED);
        assert_eq!(w.client.make_call(vc), Status::PENDING);
        w.run();
        w.set("modify_call_qos", Reply::Hold);
        assert_eq!(w.client.modify_qos(vc, peak(1000)), Status::PENDING);
        assert_eq!(w.client.modify_qos(vc, peak(2000)), Status::NOT_ACCEPTED);
        assert_eq!(w.kit.visits("manager.modify_call_qos"), 1);
        w.net.proceed(0);
        w.run();
        assert_eq!(w.client.heard("modify_call_qos_complete"), [Status::SUCCESS]);
        w.close(vc);
        w.end()
    });
}

/// L13: a close ends a change that pends, before it completes itself.
#[test]
fn a_close_waits_for_a_pending_change() {
    both(Mix::PLAIN, |w| {
        w.set("modify_call_qos", Reply::Hold);
        let vc = w.call_out();
        assert_eq!(w.client.modify_qos(vc, peak(1000)), Status::PENDING);
        w.close(vc);
        let last: Vec<_> = w.client.log().iter().rev().take(2).map(|entry| (entry.0, entry.2)).collect();
        assert_eq!(
            last,
            [("close_call_complete", Status::SUCCESS), ("modify_call_qos_complete", Status::FAILURE)]
        );
        w.end()
    });
}

/// N8, CO-139: while the client holds an offer.
#[test]
fn an_offer_is_negotiated() {
    every(|w| {
        w.set("incoming_call", Reply::Hold);
        let sap = w.sap();
        w.net.offer(sap).expect("the client takes the VC");
        for _ in 0..2 {
            assert_eq!(w.client.modify_qos(0, peak(6000)), Status::PENDING);
            w.run();
            assert_eq!(w.client.call(0), Call::Offered { remote_gone: false });
        }
        w.kit.finish("incoming_call", Status::SUCCESS);
        w.run();
        assert_eq!(w.client.call(0), Call::Connected);
        assert_eq!(w.client.heard("modify_call_qos_complete"), [Status::SUCCESS; 2]);
        w.end()
    });
}

/// CO-094, CO-104, CO-095, CO-105: activation and deactivation while the other pends.
#[test]
fn activations_and_deactivations_meet() {
    let w = World::new(Kind::CallManager, Mix::PLAIN);
    let vc = w.call_out();
    w.set("activate", Reply::Hold);
    assert_eq!(w.net.activate(0, peak(1000)), Status::PENDING);
    assert_eq!(w.client.vc(vc).at().activation(), Activation::Reactivating);
    assert_eq!(w.net.activate(0, peak(2000)), Status::NOT_ACCEPTED, "CO-094");
    assert_eq!(w.net.deactivate(0), Status::NOT_ACCEPTED, "CO-104");
    assert_eq!(w.kit.visits("miniport.deactivate"), 0);
    // Data goes on with the old parameters meanwhile.
    w.raise("log_data");
    w.client.send(vc, 1);
    assert_eq!(w.client.heard("send_complete"), [Status::SUCCESS]);
    w.kit.finish("activate", Status::RESOURCES);
    w.run();
    assert_eq!(w.net.last(0), Some(Err(Status::RESOURCES)));
    assert_eq!(w.client.vc(vc).at().activation(), Activation::Active);
    w.set("deactivate", Reply::Hold);
    assert_eq!(w.client.close_call(vc), Status::PENDING);
    assert_eq!(w.net.activate(0, peak(1000)), Status::CLOSING, "CO-095");
    assert_eq!(w.net.deactivate(0), Status::CLOSING, "CO-105");
    assert_eq!(w.client.delete_vc(vc), Err(Status::CLOSING), "CO-078");
    w.kit.finish("deactivate", Status::SUCCESS);
    w.run();
    assert_eq!(w.net.deactivate(0), Status::NOT_ACCEPTED, "CO-107");
    assert_eq!(w.client.heard("close_call_complete"), [Status::SUCCESS]);
    w.end();
}
