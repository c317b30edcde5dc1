//! Setting up: out, in, accepted, rejected, failed, again.

use condis::vc::{Activation, Call};

use crate::kit::world::{both, both_with, everywhere};
use crate::kit::{Below, Kind, Mix, Reply, Status, World};

/// CO-117, CO-153, CO-156, CO-213: one completion each, and the VC is inactive and drained when the close completes.
#[test]
fn a_call_goes_out_and_is_closed() {
    everywhere(|w| {
        let vc = w.call_out();
        w.fill(vc, 0);
        w.close(vc);
        assert_eq!(w.client.heard("make_call_complete"), [Status::SUCCESS]);
        assert_eq!(w.client.heard("close_call_complete"), [Status::SUCCESS]);
        let info = w.client.vc(vc).at().info();
        assert_eq!((info.activation, info.call), (Activation::Inactive, Call::None));
        assert_eq!((info.sends_in_flight, info.receives_in_flight), (0, 0));
        w.client.delete_vc(vc).expect("inactive, drained, without a call");
        w.end()
    });
}

/// CO-209: the VC may be deleted from inside the completion of its close.
#[test]
fn a_call_is_deleted_from_inside_the_completion_of_its_close() {
    everywhere(|w| {
        w.raise("delete_on_close");
        let vc = w.call_out();
        w.fill(vc, 0);
        w.close(vc);
        assert!(w.client.heard("delete refused").is_empty());
        w.end()
    });
}

/// CO-130, CO-209: the VC carries another call, made from inside the completion of the close.
#[test]
fn a_vc_is_used_again() {
    everywhere(|w| {
        w.raise("redial_on_close");
        let vc = w.call_out();
        w.fill(vc, 0);
        w.close(vc);
        assert_eq!(w.client.call(vc), Call::Connected, "dialled again from the completion");
        w.close(vc);
        assert_eq!(w.client.make_call(vc), Status::PENDING);
        w.run();
        w.close(vc);
        assert_eq!(w.client.heard("make_call_complete"), [Status::SUCCESS; 3]);
        assert_eq!(w.client.heard("close_call_complete"), [Status::SUCCESS; 3]);
        w.end()
    });
}

/// CO-117, CO-207: a make-call and a close that end with their return have no completion.
#[test]
fn a_call_is_made_and_closed_without_pending() {
    both(Mix::PLAIN, |w| {
        w.set("make_call", Reply::Done(Status::SUCCESS));
        w.set("close_call", Reply::Done(Status::SUCCESS));
        let vc = w.vc();
        assert_eq!(w.client.make_call(vc), Status::SUCCESS);
        assert_eq!(w.client.call(vc), Call::Connected);
        assert_eq!(w.client.close_call(vc), Status::SUCCESS);
        assert_eq!(w.client.call(vc), Call::None);
        w.run();
        assert!(w.client.log().is_empty(), "{:?}", w.client.log());
        w.end()
    });
}

/// a close that the manager ends at once still waits for the deactivation, and for the NBLs.
#[test]
fn a_close_that_ends_at_once_waits_until_the_vc_is_inactive() {
    let scenario = |w: World| {
        w.set("close_call", Reply::Done(Status::SUCCESS));
        let vc = w.call_out();
        w.fill(vc, 0);
        let status = w.client.close_call(vc);
        if status == Status::SUCCESS {
            assert_eq!(w.client.vc(vc).at().activation(), Activation::Inactive);
        }
        w.run();
        let heard = w.client.heard("close_call_complete");
        assert_eq!(heard.len(), usize::from(status == Status::PENDING));
        w.client.delete_vc(vc).expect("inactive, drained, without a call");
        w.end()
    };
    for mix in Mix::all() {
        if mix.below == Below::CompletesEarly {
            // Over a miniport that pends first the close pends, over an MCM it need not: a client must not depend on that.
            scenario(World::new(Kind::CallManager, mix));
            scenario(World::new(Kind::Mcm, mix));
        } else {
            both(mix, scenario);
        }
    }
}

/// CO-117: refused, by the return and later; the VC stays (CO-124), and may be dialled again.
#[test]
fn a_make_call_is_refused() {
    for reply in [Reply::Done, Reply::Pends, Reply::Early] {
        everywhere(|w| {
            w.set("make_call", reply(Status::DEST_OUT_OF_ORDER));
            let vc = w.vc();
            let status = w.client.make_call(vc);
            w.run();
            if reply(Status::SUCCESS) == Reply::Done(Status::SUCCESS) {
                assert_eq!(status, Status::DEST_OUT_OF_ORDER);
                assert!(w.client.log().is_empty());
            } else {
                assert_eq!(status, Status::PENDING);
                assert_eq!(w.client.heard("make_call_complete"), [Status::DEST_OUT_OF_ORDER]);
            }
            assert!(w.client.last_params().is_some(), "the parameters are back");
            assert_eq!(w.client.call(vc), Call::None);
            w.kit.unset("make_call");
            assert_eq!(w.client.make_call(vc), Status::PENDING);
            w.run();
            assert_eq!(w.client.call(vc), Call::Connected);
            w.end()
        });
    }
}

/// it fails although the VC was active; the manager deactivates, and the client may delete from the completion.
#[test]
fn a_make_call_fails_after_the_vc_was_activated() {
    everywhere(|w| {
        w.set("make_after_activation", Reply::Done(Status::NO_ROUTE_TO_DESTINATION));
        w.raise("delete_on_failure");
        let vc = w.vc();
        assert_eq!(w.client.make_call(vc), Status::PENDING);
        w.run();
        assert_eq!(w.client.heard("make_call_complete"), [Status::NO_ROUTE_TO_DESTINATION]);
        assert!(w.client.heard("delete refused").is_empty());
        w.end()
    });
}

/// CO-101: the hardware refuses the activation; the call fails with what it said.
#[test]
fn an_activation_is_refused() {
    for reply in [Reply::Done, Reply::Pends, Reply::Early] {
        both_with(
            Mix::PLAIN,
            |kit| kit.set("activate", reply(Status::RESOURCES)),
            |w| {
                let vc = w.vc();
                assert_eq!(w.client.make_call(vc), Status::PENDING);
                w.run();
                assert_eq!(w.client.heard("make_call_complete"), [Status::RESOURCES]);
                assert_eq!(w.client.vc(vc).at().activation(), Activation::Inactive);
                w.client.delete_vc(vc).expect("nothing is left of the call");
                w.end()
            },
        );
    }
}

/// CO-132 to CO-135, CO-140, CO-141: offered, accepted, connected, once each.
#[test]
fn a_call_comes_in_and_is_accepted() {
    for reply in [Reply::Done, Reply::Pends, Reply::Early] {
        for before in [false, true] {
            everywhere(|w| {
                if before {
                    w.raise("activate_before_offer");
                }
                w.set("incoming_call", reply(Status::SUCCESS));
                let sap = w.sap();
                let (leg, vc) = w.call_in(sap);
                w.fill(vc, leg);
                w.close(vc);
                for once in
                    ["create_vc", "incoming_call", "call_connected", "close_call_complete", "delete_vc"]
                {
                    assert_eq!(w.client.heard(once), [Status::SUCCESS], "{once}");
                }
                let late = u32::from(reply(Status::SUCCESS) != Reply::Done(Status::SUCCESS));
                assert_eq!(w.kit.visits("manager.incoming_call_complete"), late);
                w.end()
            });
        }
    }
}

/// CO-134, CO-135, CO-144: rejected, by the return and later; the VC is deactivated if need be, and deleted.
#[test]
fn a_call_comes_in_and_is_rejected() {
    for reply in [Reply::Done, Reply::Pends, Reply::Early] {
        for before in [false, true] {
            everywhere(|w| {
                if before {
                    w.raise("activate_before_offer");
                }
                w.set("incoming_call", reply(Status::FAILURE));
                let sap = w.sap();
                let leg = w.net.offer(sap).expect("the client takes the VC");
                w.run();
                assert_eq!(w.net.last(leg), Some(Err(Status::FAILURE)));
                assert!(w.client.heard("call_connected").is_empty());
                assert_eq!(w.client.heard("delete_vc"), [Status::SUCCESS]);
                let late = u32::from(reply(Status::SUCCESS) != Reply::Done(Status::SUCCESS));
                assert_eq!(w.kit.visits("manager.incoming_call_complete"), late);
                w.end()
            });
        }
    }
}

/// CO-145: the manager offers another call on the VC that it kept.
#[test]
fn a_vc_for_incoming_calls_is_used_again() {
    everywhere(|w| {
        w.raise("keep_incoming_vcs");
        let sap = w.sap();
        let (leg, vc) = w.call_in(sap);
        w.fill(vc, leg);
        w.close(vc);
        w.net.offer_on(leg, sap);
        w.run();
        assert_eq!(w.client.call(vc), Call::Connected);
        assert_eq!(w.client.heard("create_vc"), [Status::SUCCESS], "the same VC");
        w.close(vc);
        w.end()
    });
}

/// CO-068, CO-067: a refusal of either driver reaches who created the VC unchanged, and whoever had agreed is told.
#[test]
fn a_vc_is_refused_by_either_driver() {
    // The manager, of a client's VC.
    both(Mix::PLAIN, |w| {
        w.set("manager_create_vc", Reply::Done(Status::VC_NOT_AVAILABLE));
        assert_eq!(w.client.create_vc(), Err(Status::VC_NOT_AVAILABLE));
        // CO-069: the miniport had agreed.
        let undone = u32::from(w.kind == Kind::CallManager);
        assert_eq!(w.kit.visits("miniport.delete"), undone);
        assert!(w.node.vcs().iter().all(|vc| vc.use_ == condis::vc::VcUse::Signaling));
        w.end()
    });
    // The client, of the manager's VC.
    both(Mix::PLAIN, |w| {
        let sap = w.sap();
        w.set("client_create_vc", Reply::Done(Status::RESOURCES));
        assert_eq!(w.net.offer(sap), Err(Status::RESOURCES));
        assert_eq!(w.kit.visits("miniport.delete"), u32::from(w.kind == Kind::CallManager));
        w.end()
    });
    // The miniport, of either. An MCM is not asked as a miniport.
    let w = World::new(Kind::CallManager, Mix::PLAIN);
    let sap = w.sap();
    w.set("miniport_create_vc", Reply::Done(Status::RESOURCES));
    assert_eq!(w.client.create_vc(), Err(Status::RESOURCES));
    assert_eq!(w.net.offer(sap), Err(Status::RESOURCES));
    // CO-069: who had not agreed is not told to delete.
    assert_eq!((w.kit.visits("miniport.delete"), w.client.heard("delete_vc").len()), (0, 0));
    w.end();
}

/// CO-084, X-15: the peer refuses the delete: the status is returned, and the VC works on.
#[test]
fn a_delete_is_refused_by_the_peer() {
    both(Mix::PLAIN, |w| {
        let vc = w.vc();
        w.set("manager_delete_vc", Reply::Done(Status::RESOURCES));
        assert_eq!(w.client.delete_vc(vc), Err(Status::RESOURCES));
        assert_eq!(w.kit.visits("miniport.delete"), 0, "the rest is not called");
        w.kit.unset("manager_delete_vc");
        assert_eq!(w.client.make_call(vc), Status::PENDING);
        w.run();
        assert_eq!(w.client.call(vc), Call::Connected);
        w.close(vc);
        w.client.delete_vc(vc).expect("nobody refuses now");
        w.end()
    });
    both(Mix::PLAIN, |w| {
        w.raise("keep_incoming_vcs");
        let sap = w.sap();
        let (leg, vc) = w.call_in(sap);
        w.close(vc);
        w.set("client_delete_vc", Reply::Done(Status::RESOURCES));
        assert_eq!(w.net.delete(leg), Err(Status::RESOURCES));
        w.kit.unset("client_delete_vc");
        w.net.delete(leg).expect("nobody refuses now");
        w.end()
    });
}

/// The very quick and the very slow hardware differ in nothing that the client can see but the moment.
#[test]
fn the_client_cannot_tell_how_the_hardware_answers() {
    let seen = |below| {
        let mix = Mix { below, ..Mix::PLAIN };
        let over = |kind| {
            let w = World::new(kind, mix);
            let vc = w.call_out();
            w.close(vc);
            w.client.delete_vc(vc).expect("inactive, drained, without a call");
            w.end().log
        };
        [over(Kind::CallManager), over(Kind::Mcm)]
    };
    let at_once = seen(Below::AtOnce);
    assert_eq!(at_once[0], at_once[1]);
    assert_eq!(at_once, seen(Below::Pends));
    assert_eq!(at_once, seen(Below::CompletesEarly));
}
