//! Address families and SAPs: opened, closed, closed under live calls, notified.

use condis::names::Function as F;
use condis::params::AddressFamily;
use condis::role::RoleKind;
use condis::trace::Way;
use condis::vc::Call;

use crate::kit::world::{both, both_with};
use crate::kit::{Mix, Reply, Status};

/// CO-023, CO-024, CO-025, CO-207: opened by the return or later, or refused.
#[test]
fn an_af_is_opened() {
    for reply in [Reply::Done, Reply::Pends, Reply::Early] {
        for status in [Status::SUCCESS, Status::RESOURCES] {
            both_with(
                Mix::PLAIN,
                |kit| kit.raise("no_open"),
                |w| {
                    w.set("open_af", reply(status));
                    let returned = w.client.open_af(AddressFamily::Q2931);
                    let late = reply(Status::SUCCESS) != Reply::Done(Status::SUCCESS);
                    assert_eq!(returned, if late { Status::PENDING } else { status });
                    // CO-019: never from inside the call, whoever completed it where.
                    assert!(w.client.heard("open_complete").is_empty());
                    w.run();
                    assert_eq!(w.client.heard("open_complete"), vec![status; usize::from(late)]);
                    assert_eq!(w.client.af().is_some(), status == Status::SUCCESS);
                    assert_eq!(w.node.left().afs, usize::from(status == Status::SUCCESS));
                    w.end()
                },
            );
        }
    }
}

/// CO-029, CO-030, CO-034: not while calls, VCs or SAPs are there; once; and not used afterwards.
#[test]
fn an_af_is_closed_under_live_calls() {
    for reply in [Reply::Done, Reply::Pends, Reply::Early] {
        both(Mix::PLAIN, |w| {
            w.set("close_af", reply(Status::SUCCESS));
            let sap = w.sap();
            let vc = w.call_out();
            assert_eq!(w.client.close_af(), Status::FAILURE, "a call");
            w.close(vc);
            assert_eq!(w.client.close_af(), Status::FAILURE, "a VC of the client");
            w.client.delete_vc(vc).expect("over");
            assert_eq!(w.client.close_af(), Status::FAILURE, "a SAP");
            let (_, incoming) = w.call_in(sap);
            assert_eq!(w.client.deregister_sap(0), Status::PENDING);
            w.run();
            assert_eq!(w.client.close_af(), Status::FAILURE, "a call that came in");
            assert_eq!(w.kit.visits("manager.close_af"), 0, "the manager is not asked");
            w.close(incoming);
            let held = w.client.af().expect("still open");
            let status = w.client.close_af();
            if status == Status::PENDING {
                assert!(matches!(held.at().close(), condis::token::Outcome::Done(Err(Status::FAILURE))));
            }
            w.run();
            let late = reply(Status::SUCCESS) != Reply::Done(Status::SUCCESS);
            assert_eq!(w.client.heard("close_af_complete").len(), usize::from(late));
            // CO-064: nothing is made on an AF that is closed, and nobody is called.
            let before = w.kit.visits("manager.create_vc");
            let object = Box::new(crate::kit::client::End(w.client.clone()));
            assert_eq!(held.at().create_vc(object).err(), Some(Status::FAILURE));
            assert_eq!(w.kit.visits("manager.create_vc"), before);
            drop(held);
            w.end()
        });
    }
}

/// CO-031, X-12: idle VCs of the manager do not prevent it, and the manager deletes them.
#[test]
fn an_af_is_closed_while_the_manager_has_an_idle_vc() {
    both(Mix::PLAIN, |w| {
        w.raise("keep_incoming_vcs");
        let sap = w.sap();
        let (_, vc) = w.call_in(sap);
        w.close(vc);
        assert_eq!(w.client.deregister_sap(0), Status::PENDING);
        w.run();
        assert!(matches!(w.client.close_af(), Status::SUCCESS | Status::PENDING));
        w.run();
        assert_eq!(w.client.heard("delete_vc"), [Status::SUCCESS]);
        w.end()
    });
}

/// CO-032: a manager that forgets its VC is reported, and NDIS deletes it.
#[test]
fn an_af_is_closed_and_the_manager_forgets_its_vc() {
    both(Mix::PLAIN, |mut w| {
        w.expected = vec!["CO-032"];
        w.raise("keep_incoming_vcs");
        w.raise("forget_vcs");
        let sap = w.sap();
        let (leg, vc) = w.call_in(sap);
        w.close(vc);
        assert_eq!(w.client.deregister_sap(0), Status::PENDING);
        w.run();
        assert_eq!(w.client.close_af(), Status::SUCCESS);
        w.run();
        assert_eq!(w.client.heard("delete_vc"), [Status::SUCCESS]);
        w.net.drop_owner(leg);
        w.end()
    });
}

/// CO-038 to CO-040: the manager asks the client to go, and hears once that it went.
#[test]
fn the_manager_asks_for_the_close() {
    for reply in [Reply::Done(Status::SUCCESS), Reply::Pends(Status::SUCCESS)] {
        both(Mix::PLAIN, |w| {
            w.set("notify_close", reply);
            w.sap();
            let vc = w.call_out();
            let outcome = w.net.notify_close(0);
            assert_eq!(outcome.is_pending(), reply != Reply::Done(Status::SUCCESS));
            w.run();
            let heard = w.kit.visits("manager.notify_close_complete");
            assert_eq!(heard, u32::from(outcome.is_pending()));
            assert_eq!(w.kit.flag("notify_close_ok"), outcome.is_pending());
            assert_eq!(w.client.heard("notify_close"), [Status::SUCCESS]);
            assert_eq!(w.client.heard("close_call_complete"), [Status::SUCCESS]);
            assert!(w.client.af().is_none(), "closed");
            assert_eq!(vc, 0);
            let left = w.node.left();
            assert_eq!((left.afs, left.saps), (0, 0));
            w.end()
        });
    }
    // CO-039: refused by the return, and that is all.
    both(Mix::PLAIN, |w| {
        w.set("notify_close", Reply::Done(Status::NOT_SUPPORTED));
        assert_eq!(w.net.notify_close(0).done(), Some(Err(Status::NOT_SUPPORTED)));
        w.run();
        assert_eq!(w.kit.visits("manager.notify_close_complete"), 0);
        w.end()
    });
}

/// CO-045 to CO-048, CO-051: registered and deregistered, by the return and later.
#[test]
fn a_sap_comes_and_goes() {
    for reply in [Reply::Done, Reply::Pends, Reply::Early] {
        both(Mix::PLAIN, |w| {
            w.set("register_sap", reply(Status::SUCCESS));
            w.set("deregister_sap", reply(Status::SUCCESS));
            let late = reply(Status::SUCCESS) != Reply::Done(Status::SUCCESS);
            let status = w.client.register_sap(b"here");
            assert_eq!(status, if late { Status::PENDING } else { Status::SUCCESS });
            w.run();
            assert_eq!(w.client.heard("register_complete").len(), usize::from(late));
            assert_eq!(w.client.saps(), 1);
            // CO-046
            assert!(w.node.vcs().iter().all(|vc| vc.use_ == condis::vc::VcUse::Signaling));
            // CO-047: taken.
            assert_eq!(w.client.register_sap(b"here"), Status::INVALID_DATA);
            assert_eq!(w.client.saps(), 1);
            let held = w.client.sap(0);
            assert_eq!(w.client.deregister_sap(0), Status::PENDING);
            w.run();
            assert_eq!(w.client.heard("deregister_complete"), [Status::SUCCESS], "in every case");
            // CO-052
            assert_eq!(held.at().deregister(), Err(Status::FAILURE));
            w.run();
            assert_eq!(w.client.heard("deregister_complete").len(), 1);
            drop(held);
            w.end()
        });
    }
}

/// CO-048: refused later, the client is told, and nothing is left.
#[test]
fn a_sap_is_refused() {
    for reply in [Reply::Pends, Reply::Early] {
        both(Mix::PLAIN, |w| {
            w.set("register_sap", reply(Status::INVALID_DATA));
            assert_eq!(w.client.register_sap(b"here"), Status::PENDING);
            w.run();
            assert_eq!(w.client.heard("register_complete"), [Status::INVALID_DATA]);
            assert_eq!((w.client.saps(), w.node.left().saps), (0, 0));
            w.end()
        });
    }
}

/// CO-049, CO-050: a call comes in while the registration pends.
#[test]
fn a_call_comes_in_while_the_sap_is_being_registered() {
    both(Mix::PLAIN, |w| {
        w.set("register_sap", Reply::Hold);
        assert_eq!(w.client.register_sap(b"here"), Status::PENDING);
        let (_, vc) = w.call_in(0);
        w.kit.finish("register_sap", Status::SUCCESS);
        w.run();
        assert_eq!(w.client.call(vc), Call::Connected);
        w.end()
    });
}

/// CO-054, CO-055: while the deregistration pends offers are refused and do not reach the client; calls go on.
#[test]
fn calls_outlive_their_sap() {
    both(Mix::PLAIN, |w| {
        w.raise("keep_incoming_vcs");
        let sap = w.sap();
        let (_, vc) = w.call_in(sap);
        let spare = w.net.create(sap).expect("the client takes the VC");
        w.raise("sap_stays");
        w.set("deregister_sap", Reply::Hold);
        assert_eq!(w.client.deregister_sap(0), Status::PENDING);
        w.net.offer_on(spare, sap);
        w.run();
        assert_eq!(w.net.last(spare), Some(Err(Status::FAILURE)));
        assert_eq!(w.client.heard("incoming_call"), [Status::SUCCESS], "the first one only");
        w.kit.finish("deregister_sap", Status::SUCCESS);
        w.run();
        assert_eq!(w.client.call(vc), Call::Connected);
        w.close(vc);
        w.end()
    });
}

/// CO-021, CO-055: on an AF that is being closed nothing is made or offered.
#[test]
fn an_af_that_is_being_closed_is_not_used() {
    both(Mix::PLAIN, |w| {
        w.set("close_af", Reply::Hold);
        w.raise("sap_stays");
        let sap = w.sap();
        assert_eq!(w.client.deregister_sap(0), Status::PENDING);
        w.run();
        let held = w.client.af().expect("open");
        assert_eq!(w.client.close_af(), Status::PENDING);
        // CO-064
        assert_eq!(w.net.offer(sap), Err(Status::FAILURE));
        assert!(w.client.heard("create_vc").is_empty());
        assert_eq!(w.client.create_vc(), Err(Status::FAILURE));
        assert_eq!(w.client.register_sap(b"other"), Status::FAILURE);
        assert_eq!(w.net.notify_close(0).done(), Some(Err(Status::FAILURE)));
        w.kit.finish("close_af", Status::SUCCESS);
        w.run();
        assert_eq!(w.client.heard("close_af_complete"), [Status::SUCCESS]);
        drop(held);
        let role = if w.kind == crate::kit::Kind::Mcm { RoleKind::Mcm } else { RoleKind::CallManager };
        assert_eq!(w.crossed(role, Way::Up, F::ProtocolCmCloseAf), 1);
        w.end()
    });
}

/// CO-033: a close of an AF that is completed with an error counts as SUCCESS, and is reported.
#[test]
fn a_failed_completion_of_an_af_close_is_success() {
    both(Mix::PLAIN, |mut w| {
        w.expected = vec!["CO-033"];
        w.set("close_af", Reply::Pends(Status::FAILURE));
        assert_eq!(w.client.close_af(), Status::PENDING);
        w.run();
        assert_eq!(w.client.heard("close_af_complete"), [Status::SUCCESS]);
        w.end()
    });
    // By the return it is the (M)CM's answer, and the AF stays open.
    both(Mix::PLAIN, |w| {
        w.set("close_af", Reply::Done(Status::NOT_ACCEPTED));
        assert_eq!(w.client.close_af(), Status::NOT_ACCEPTED);
        w.kit.unset("close_af");
        assert_eq!(w.client.close_af(), Status::SUCCESS);
        w.end()
    });
}
