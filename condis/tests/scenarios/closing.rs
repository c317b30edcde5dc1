//! Closing a call from each side, in each of its states.

use condis::vc::{Activation, Call};

use crate::kit::world::{both, everywhere};
use crate::kit::{Kind, Mix, Reply, Status, World};

/// CO-128, X-17: the client gives up while it rings. The make-call completes first, with an error, then the close.
#[test]
fn the_client_closes_while_the_make_call_pends() {
    everywhere(|w| {
        w.set("make_call", Reply::Hold);
        let vc = w.vc();
        assert_eq!(w.client.make_call(vc), Status::PENDING);
        w.run();
        w.close(vc);
        let order: Vec<_> = w.client.log().iter().map(|entry| (entry.0, entry.2)).collect();
        assert_eq!(
            order,
            [("make_call_complete", Status::FAILURE), ("close_call_complete", Status::SUCCESS)]
        );
        w.client.delete_vc(vc).expect("over");
        w.end()
    });
}

/// the same while the hardware is at the activation.
#[test]
fn the_client_closes_while_the_activation_pends() {
    everywhere(|w| {
        w.set("activate", Reply::Hold);
        let vc = w.vc();
        assert_eq!(w.client.make_call(vc), Status::PENDING);
        w.run();
        assert_eq!(w.client.close_call(vc), Status::PENDING);
        w.run();
        assert_eq!(w.client.heard("close_call_complete"), []);
        w.kit.finish("activate", Status::SUCCESS);
        w.run();
        let order: Vec<_> = w.client.log().iter().map(|entry| (entry.0, entry.2)).collect();
        assert_eq!(
            order,
            [("make_call_complete", Status::FAILURE), ("close_call_complete", Status::SUCCESS)]
        );
        w.end()
    });
}

/// L2b, L7: an offer that is there is rejected and not closed; a call that is none is not closed either.
#[test]
fn what_is_no_call_is_not_closed() {
    both(Mix::PLAIN, |w| {
        let vc = w.vc();
        assert_eq!(w.client.close_call(vc), Status::NOT_ACCEPTED);
        w.set("incoming_call", Reply::Hold);
        let sap = w.sap();
        w.net.offer(sap).expect("the client takes the VC");
        assert_eq!(w.client.close_call(1), Status::NOT_ACCEPTED);
        // CO-210: no callback, no change.
        assert_eq!(w.kit.visits("manager.close_call"), 0);
        w.kit.finish("incoming_call", Status::SUCCESS);
        w.run();
        assert_eq!(w.client.call(1), Call::Connected);
        w.end()
    });
}

/// L7: accepted, and not yet connected.
#[test]
fn the_client_closes_a_call_that_is_accepted_and_not_connected() {
    everywhere(|w| {
        w.set("connect", Reply::Hold);
        let sap = w.sap();
        let leg = w.net.offer(sap).expect("the client takes the VC");
        w.run();
        assert_eq!(w.client.call(0), Call::Accepted);
        w.close(0);
        assert_eq!(w.client.heard("close_call_complete"), [Status::SUCCESS]);
        assert!(w.client.heard("call_connected").is_empty());
        assert_eq!(w.client.heard("delete_vc"), [Status::SUCCESS]);
        assert_eq!(leg, 0);
        w.end()
    });
}

/// CO-157, CO-158: the remote closes a call that is up; the client closes, and it ends.
#[test]
fn the_remote_closes() {
    for outgoing in [true, false] {
        for hold in [false, true] {
            everywhere(|w| {
                if hold {
                    w.raise("hold_remote_close");
                }
                let vc = if outgoing {
                    w.call_out()
                } else {
                    let sap = w.sap();
                    w.call_in(sap).1
                };
                w.fill(vc, 0);
                w.net.remote_close(0, Status::SUCCESS);
                w.run();
                if hold {
                    // CO-158: it does not end by itself, and cannot be deleted before.
                    assert_eq!(w.client.call(vc), Call::RemoteClosed);
                    if outgoing {
                        assert_eq!(w.client.delete_vc(vc), Err(Status::NOT_ACCEPTED));
                    }
                    // CO-161: one indication a call.
                    w.net.remote_close(0, Status::FAILURE);
                    w.run();
                    assert_eq!(w.client.close_call(vc), Status::PENDING);
                    w.run();
                }
                assert_eq!(w.client.heard("incoming_close_call"), [Status::SUCCESS]);
                assert_eq!(w.client.heard("close_call_complete"), [Status::SUCCESS]);
                w.end()
            });
        }
    }
}

/// L1: the remote closes what was accepted and is not connected; call connected does not come after it (CO-141).
#[test]
fn the_remote_closes_a_call_that_is_accepted_and_not_connected() {
    everywhere(|w| {
        w.set("connect", Reply::Hold);
        w.raise("hold_remote_close");
        let sap = w.sap();
        let leg = w.net.offer(sap).expect("the client takes the VC");
        w.run();
        w.net.remote_close(leg, Status::NO_ROUTE_TO_DESTINATION);
        w.net.dispatch_connected(leg);
        w.run();
        assert_eq!(w.client.call(0), Call::RemoteClosed);
        w.close(0);
        assert_eq!(w.client.heard("incoming_close_call"), [Status::NO_ROUTE_TO_DESTINATION]);
        assert!(w.client.heard("call_connected").is_empty());
        w.end()
    });
}

/// CO-147, X-18: the remote goes while the client holds the offer. The answer, whatever it is, is given once.
#[test]
fn the_remote_closes_an_offer() {
    // Answered with an error: over, without a close.
    everywhere(|w| {
        w.set("incoming_call", Reply::Hold);
        w.raise("hold_remote_close");
        let sap = w.sap();
        let leg = w.net.offer(sap).expect("the client takes the VC");
        w.net.remote_close(leg, Status::SUCCESS);
        w.run();
        assert_eq!(w.client.call(0), Call::Offered { remote_gone: true });
        w.kit.finish("incoming_call", Status::FAILURE);
        w.run();
        assert_eq!(w.kit.visits("manager.incoming_call_complete"), 1);
        assert_eq!(w.kit.visits("manager.close_call"), 0);
        w.end()
    });
    // Accepted, closed then.
    everywhere(|w| {
        w.set("incoming_call", Reply::Hold);
        w.set("connect", Reply::Hold);
        w.raise("hold_remote_close");
        let sap = w.sap();
        let leg = w.net.offer(sap).expect("the client takes the VC");
        w.net.remote_close(leg, Status::SUCCESS);
        w.run();
        w.kit.finish("incoming_call", Status::SUCCESS);
        w.run();
        assert_eq!(w.client.call(0), Call::RemoteClosed);
        w.close(0);
        assert_eq!(w.client.heard("close_call_complete"), [Status::SUCCESS]);
        w.end()
    });
    // Closed first; the answer that is still owed counts as a rejection.
    for answer in [Status::SUCCESS, Status::FAILURE] {
        everywhere(|w| {
            w.set("incoming_call", Reply::Hold);
            w.raise("hold_remote_close");
            let sap = w.sap();
            let leg = w.net.offer(sap).expect("the client takes the VC");
            w.net.remote_close(leg, Status::SUCCESS);
            w.run();
            assert_eq!(w.client.close_call(0), Status::PENDING);
            w.run();
            assert!(w.client.heard("close_call_complete").is_empty(), "the answer is still owed");
            w.kit.finish("incoming_call", answer);
            w.run();
            assert_eq!(w.client.heard("close_call_complete"), [Status::SUCCESS]);
            assert_eq!(w.kit.visits("manager.incoming_call_complete"), 1);
            w.end()
        });
    }
}

/// CO-161, L4: both sides close; the client's own counts.
#[test]
fn two_closes_cross() {
    everywhere(|w| {
        w.set("close_call", Reply::Hold);
        let vc = w.call_out();
        assert_eq!(w.client.close_call(vc), Status::PENDING);
        w.net.remote_close(0, Status::SUCCESS);
        w.run();
        assert!(w.client.heard("incoming_close_call").is_empty());
        // A second close of the client's.
        assert_eq!(w.client.close_call(vc), Status::CLOSING);
        w.kit.finish("close_call", Status::SUCCESS);
        w.run();
        assert_eq!(w.client.heard("close_call_complete"), [Status::SUCCESS]);
        w.end()
    });
}

/// CO-152, L10, L12: a refused close leaves the call as it was, and data goes on.
#[test]
fn a_close_is_refused() {
    for reply in [Reply::Done, Reply::Pends, Reply::Early] {
        both(Mix::PLAIN, |w| {
            let vc = w.call_out();
            w.set("close_call", reply(Status::INVALID_DATA));
            let status = w.client.close_call(vc);
            w.run();
            let late = reply(Status::SUCCESS) != Reply::Done(Status::SUCCESS);
            assert_eq!(status, if late { Status::PENDING } else { Status::INVALID_DATA });
            assert_eq!(w.client.heard("close_call_complete"), vec![Status::INVALID_DATA; usize::from(late)]);
            assert_eq!(w.client.call(vc), Call::Connected);
            w.raise("log_data");
            w.client.send(vc, 1);
            assert_eq!(w.client.heard("send_complete"), [Status::SUCCESS]);
            w.kit.unset("close_call");
            w.close(vc);
            w.end()
        });
    }
}

/// A remote close falls back to itself if the close is refused.
#[test]
fn a_close_after_a_remote_close_is_refused() {
    both(Mix::PLAIN, |w| {
        w.raise("hold_remote_close");
        let vc = w.call_out();
        w.net.remote_close(0, Status::SUCCESS);
        w.run();
        w.set("close_call", Reply::Pends(Status::INVALID_DATA));
        w.close(vc);
        assert_eq!(w.client.call(vc), Call::RemoteClosed);
        w.kit.unset("close_call");
        w.close(vc);
        assert_eq!(w.client.call(vc), Call::None);
        w.end()
    });
}

/// The client may close from inside the completion of its last send: what is on its way back to it is nobody's fault.
#[test]
fn a_call_is_closed_from_inside_a_send_completion() {
    everywhere(|w| {
        let vc = w.call_out();
        w.raise("close_in_send_complete");
        w.client.send(vc, 2);
        w.run();
        assert_eq!(w.client.heard("close_call_complete"), [Status::SUCCESS]);
        assert_eq!(w.client.vc(vc).at().activation(), Activation::Inactive);
        w.end()
    });
}

/// The client may close from inside the completion of its make-call.
#[test]
fn a_call_is_closed_from_inside_the_completion_of_its_make_call() {
    everywhere(|w| {
        w.raise("close_in_make_complete");
        let vc = w.vc();
        assert_eq!(w.client.make_call(vc), Status::PENDING);
        w.run();
        assert_eq!(w.client.heard("close_call_complete"), [Status::SUCCESS]);
        w.client.delete_vc(vc).expect("over");
        w.end()
    });
}

/// CO-218: another VC, whose call is up, hears nothing of all this.
#[test]
fn other_vcs_are_untouched() {
    everywhere(|w| {
        let other = w.call_out();
        let vc = w.call_out();
        w.fill(vc, 1);
        w.close(vc);
        w.client.delete_vc(vc).expect("over");
        assert_eq!(w.client.call(other), Call::Connected);
        assert_eq!(w.client.vc(other).at().activation(), Activation::Active);
        w.kit.lower("keep_sends");
        w.raise("log_data");
        w.client.send(other, 1);
        assert_eq!(w.client.heard("send_complete").last(), Some(&Status::SUCCESS));
        w.end()
    });
}

/// DP-110: a miniport that ends a deactivation and completes sends afterwards is reported, and the close waits for them.
#[test]
fn a_miniport_that_ends_a_deactivation_early_is_reported() {
    let mut w = World::new(Kind::CallManager, Mix::PLAIN);
    w.expected = vec!["DP-110"];
    let vc = w.call_out();
    w.raise("keep_sends");
    w.raise("deactivate_keeps_sends");
    w.client.send(vc, 2);
    w.close(vc);
    assert!(w.client.heard("close_call_complete").is_empty());
    assert_eq!(w.client.vc(vc).at().activation(), Activation::Deactivating);
    assert_eq!(w.client.delete_vc(vc), Err(Status::CLOSING));
    w.net.flush(0);
    w.run();
    assert_eq!(w.client.heard("close_call_complete"), [Status::SUCCESS]);
    w.end();
}
