//! Parties of a multipoint call.

use condis::vc::Call;

use crate::kit::world::both;
use crate::kit::{Mix, Reply, Status, World};

fn multipoint(w: &World, parties: usize) -> usize {
    let vc = w.vc();
    assert_eq!(w.client.make_multipoint(vc), Status::PENDING);
    w.run();
    assert_eq!((w.client.call(vc), w.client.parties()), (Call::Connected, 1));
    for _ in 1..parties {
        let status = w.client.add_party(vc);
        w.run();
        assert!(matches!(status, Status::SUCCESS | Status::PENDING), "{status}");
    }
    assert_eq!(w.client.parties(), parties);
    assert_eq!(usize::from(w.client.vc(vc).at().info().parties), parties);
    vc
}

/// CO-116, CO-123, CO-167: added and dropped by the return and later; the handle comes with success only.
#[test]
fn parties_come_and_go() {
    for reply in [Reply::Done, Reply::Pends, Reply::Early] {
        both(Mix::PLAIN, |w| {
            w.set("add_party", reply(Status::SUCCESS));
            w.set("drop_party", reply(Status::SUCCESS));
            let vc = multipoint(&w, 3);
            let late = reply(Status::SUCCESS) != Reply::Done(Status::SUCCESS);
            assert_eq!(w.client.heard("add_party_complete").len(), if late { 2 } else { 0 });
            // CO-171: the initial party first.
            let status = w.client.drop_party(0);
            assert_eq!(status, if late { Status::PENDING } else { Status::SUCCESS });
            w.run();
            w.client.drop_party(2);
            w.run();
            assert_eq!(w.client.heard("drop_party_complete").len(), if late { 2 } else { 0 });
            assert_eq!(w.client.vc(vc).at().info().parties, 1);
            w.close(vc);
            assert_eq!(w.client.heard("close_call_complete"), [Status::SUCCESS]);
            w.end()
        });
    }
}

/// CO-171: any order.
#[test]
fn parties_are_dropped_in_any_order() {
    let orders = [[0, 1], [1, 0], [0, 2], [2, 0], [1, 2], [2, 1]];
    for order in orders {
        both(Mix::PLAIN, |w| {
            w.set("drop_party", Reply::Pends(Status::SUCCESS));
            let vc = multipoint(&w, 3);
            for party in order {
                assert_eq!(w.client.drop_party(party), Status::PENDING);
                w.run();
            }
            w.close(vc);
            assert_eq!(w.client.call(vc), Call::None);
            w.end()
        });
    }
}

/// CO-168: the last party is not dropped; it stays, and goes with the call. X-10: its handle is good.
#[test]
fn the_last_party_goes_with_the_call() {
    both(Mix::PLAIN, |w| {
        let vc = multipoint(&w, 2);
        assert_eq!(w.client.drop_party(0), Status::SUCCESS);
        assert_eq!(w.client.drop_party(1), Status::FAILURE);
        assert_eq!(w.kit.visits("manager.drop_party"), 1, "the manager is not asked");
        assert_eq!(w.client.vc(vc).at().info().parties, 1);
        w.close(vc);
        assert_eq!(w.node.left().parties, 0);
        w.end()
    });
}

/// A party whose drop pends does not count for another drop: the two last ones cannot both go.
#[test]
fn two_drops_pend_at_once() {
    both(Mix::PLAIN, |w| {
        w.set("drop_party", Reply::Hold);
        let vc = multipoint(&w, 2);
        assert_eq!(w.client.drop_party(0), Status::PENDING);
        assert_eq!(w.client.drop_party(0), Status::FAILURE, "it is being dropped");
        assert_eq!(w.client.drop_party(1), Status::FAILURE, "it would be the last");
        // The drop fails: the party stays, and its handle is good again.
        w.kit.finish("drop_party", Status::INVALID_DATA);
        w.run();
        assert_eq!(w.client.heard("drop_party_complete"), [Status::INVALID_DATA]);
        assert_eq!(w.client.vc(vc).at().info().parties, 2);
        assert_eq!(w.client.drop_party(1), Status::PENDING);
        w.kit.finish("drop_party", Status::SUCCESS);
        w.run();
        w.close(vc);
        w.end()
    });
}

/// X-31, CO-176, CO-210: a call with several parties is not closed, and stays.
#[test]
fn a_call_with_several_parties_is_not_closed() {
    both(Mix::PLAIN, |w| {
        let vc = multipoint(&w, 3);
        assert_eq!(w.client.close_call(vc), Status::NOT_ACCEPTED);
        assert_eq!(w.kit.visits("manager.close_call"), 0);
        assert_eq!(w.client.call(vc), Call::Connected);
        w.client.drop_party(1);
        w.client.drop_party(2);
        w.close(vc);
        w.end()
    });
}

/// L13: a close waits for what pends.
#[test]
fn a_close_waits_for_a_pending_drop() {
    both(Mix::PLAIN, |w| {
        w.set("drop_party", Reply::Hold);
        let vc = multipoint(&w, 2);
        assert_eq!(w.client.drop_party(0), Status::PENDING);
        w.close(vc);
        assert!(w.client.heard("close_call_complete").is_empty());
        w.kit.finish("drop_party", Status::SUCCESS);
        w.run();
        let last: Vec<_> = w.client.log().iter().rev().take(2).map(|entry| entry.0).collect();
        assert_eq!(last, ["close_call_complete", "drop_party_complete"]);
        w.end()
    });
}

/// CO-172, CO-173: the remote party leaves; the client drops it.
#[test]
fn a_party_leaves() {
    both(Mix::PLAIN, |w| {
        w.set("drop_party", Reply::Pends(Status::SUCCESS));
        let vc = multipoint(&w, 2);
        w.net.remote_drop(0, 0, Status::SUCCESS);
        w.run();
        assert_eq!(w.client.heard("incoming_drop"), [Status::SUCCESS]);
        assert_eq!(w.client.heard("drop_party_complete"), [Status::SUCCESS]);
        assert_eq!(w.client.vc(vc).at().info().parties, 1);
        w.close(vc);
        w.end()
    });
}

/// P5: a remote drop of the last party is a fault, and is not delivered.
#[test]
fn a_remote_drop_of_the_last_party_is_refused() {
    both(Mix::PLAIN, |mut w| {
        w.expected = vec!["CO-172"];
        let vc = multipoint(&w, 1);
        w.net.remote_drop(0, 0, Status::SUCCESS);
        w.run();
        assert!(w.client.heard("incoming_drop").is_empty());
        w.close(vc);
        w.end()
    });
}

/// CO-167: refused, by the return and later, nothing of the party is left.
#[test]
fn a_party_is_refused() {
    for reply in [Reply::Done, Reply::Pends, Reply::Early] {
        both(Mix::PLAIN, |w| {
            w.set("add_party", reply(Status::NO_ROUTE_TO_DESTINATION));
            let vc = multipoint(&w, 1);
            let status = w.client.add_party(vc);
            w.run();
            if status == Status::PENDING {
                assert_eq!(w.client.heard("add_party_complete"), [Status::NO_ROUTE_TO_DESTINATION]);
            } else {
                assert_eq!(status, Status::NO_ROUTE_TO_DESTINATION);
            }
            assert_eq!((w.client.parties(), w.node.left().parties), (1, 1));
            w.close(vc);
            w.end()
        });
    }
}

/// CO-165: no party without a multipoint call, and none without a call.
#[test]
fn no_party_without_a_multipoint_call() {
    both(Mix::PLAIN, |w| {
        let idle = w.vc();
        assert_eq!(w.client.add_party(idle), Status::NOT_ACCEPTED);
        let vc = w.call_out();
        assert_eq!(w.client.add_party(vc), Status::FAILURE);
        assert_eq!(w.kit.visits("manager.add_party"), 0);
        // CO-123: a point-to-point call has no party.
        assert_eq!(w.client.parties(), 0);
        w.close(vc);
        let held = w.client.vc(vc);
        w.client.delete_vc(vc).expect("over");
        let gone = held
            .at()
            .add_party(crate::kit::client::to(b"leaf"), Box::new(crate::kit::client::End(w.client.clone())));
        assert!(
            matches!(gone, condis::token::Outcome::Done(Err(refused)) if refused.status == Status::FAILURE)
        );
        drop(held);
        w.end()
    });
}

/// CO-123: a multipoint call that fails leaves no party.
#[test]
fn a_multipoint_call_fails() {
    for reply in [Reply::Done, Reply::Pends] {
        both(Mix::PLAIN, |w| {
            w.set("make_call", reply(Status::DEST_OUT_OF_ORDER));
            let vc = w.vc();
            w.client.make_multipoint(vc);
            w.run();
            assert_eq!((w.client.parties(), w.node.left().parties), (0, 0));
            w.client.delete_vc(vc).expect("nothing is left of the call");
            w.end()
        });
    }
}

/// The next call on the VC has parties of its own, or none.
#[test]
fn a_vc_of_a_multipoint_call_is_used_again() {
    both(Mix::PLAIN, |w| {
        let vc = multipoint(&w, 1);
        w.close(vc);
        assert_eq!(w.client.make_call(vc), Status::PENDING);
        w.run();
        assert_eq!((w.client.parties(), w.node.left().parties), (0, 0));
        w.close(vc);
        assert_eq!(w.client.make_multipoint(vc), Status::PENDING);
        w.run();
        assert_eq!(w.client.parties(), 1);
        w.close(vc);
        w.end()
    });
}
