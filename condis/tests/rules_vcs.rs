//! Rules of VCs and their activation, one test each: who is called for what, read from the trace.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses some of the kit")]

mod kit;

use condis::names::Function as F;
use condis::params::{CallParams, MediaParams, Specific};
use condis::role::RoleKind as R;
use condis::trace::Way;
use condis::vc::{Activation, Call, VcUse};

use kit::client::to;
use kit::world::each;
use kit::{Below, CloseOrder, Kind, Mix, Reply, Status, World};

/// The callbacks since the last look, in order.
fn called(w: &World) -> Vec<(R, F)> {
    let events = w.take_events();
    events
        .into_iter()
        .filter(|event| event.way == Way::Up)
        .map(|event| (event.role, event.function))
        .collect()
}

/// CO-058, CO-059, CO-073: what a client's NdisCoCreateVc calls before it returns, and what the VC is like then.
#[test]
fn a_client_creates_a_vc() {
    each(|w| {
        called(&w);
        let vc = w.vc();
        let mut called = called(&w);
        called.sort_unstable();
        match w.kind {
            Kind::CallManager => {
                let both = [(R::CallManager, F::ProtocolCoCreateVc), (R::Miniport, F::MiniportCoCreateVc)];
                assert_eq!(called, both);
            }
            Kind::Mcm => assert_eq!(called, [(R::Mcm, F::ProtocolCoCreateVc)]),
        }
        let info = w.client.vc(vc).at().info();
        assert_eq!((info.activation, info.call), (Activation::Inactive, Call::None));
        w.end();
    });
}

/// CO-060, CO-061: what a manager's create calls; CO-066: the name is the same for all who share the VC.
#[test]
fn a_manager_creates_a_vc() {
    each(|w| {
        let sap = w.sap();
        called(&w);
        let leg = w.net.create(sap).expect("the client takes it");
        let mut called = called(&w);
        called.sort_unstable();
        match w.kind {
            Kind::CallManager => {
                let both = [(R::Client, F::ProtocolCoCreateVc), (R::Miniport, F::MiniportCoCreateVc)];
                assert_eq!(called, both);
            }
            Kind::Mcm => assert_eq!(called, [(R::Client, F::ProtocolCoCreateVc)]),
        }
        w.net.offer_on(leg, sap);
        w.run();
        assert_eq!(w.net.vc_id(leg), Some(w.client.vc(0).id()), "CO-066");
        w.end();
    });
}

/// CO-062, CO-082, CO-086, CO-087: the signaling VC of a call manager: the miniport is called for it, and nobody else.
#[test]
fn a_signaling_vc_concerns_the_miniport_alone() {
    let w = World::new(Kind::CallManager, Mix::PLAIN);
    let signaling: Vec<_> = w.node.vcs().into_iter().filter(|vc| vc.use_ == VcUse::Signaling).collect();
    assert_eq!(signaling.len(), 1);
    assert_eq!(signaling[0].activation, Activation::Active);
    let id = condis::trace::ObjectId::Vc(signaling[0].id);
    w.remove();
    let about = |event: &&condis::trace::Event| event.object == id && event.way == Way::Up;
    let called: Vec<_> = w.events().iter().filter(about).map(|event| (event.role, event.function)).collect();
    let miniport = |function| (R::Miniport, function);
    assert_eq!(
        called,
        [
            miniport(F::MiniportCoCreateVc),
            miniport(F::MiniportCoActivateVc),
            miniport(F::MiniportCoDeactivateVc),
            miniport(F::MiniportCoDeleteVc)
        ]
    );
    w.check();
    // CO-086: NDIS sees no such thing of an MCM.
    let w = World::new(Kind::Mcm, Mix::PLAIN);
    let vc = w.call_out();
    assert!(w.node.vcs().iter().all(|vc| vc.use_ == VcUse::Client));
    w.close(vc);
    w.end();
}

/// CO-076, CO-210: an active VC is not deleted, though it carries no call: nothing changes, and nobody is called.
#[test]
fn an_active_vc_is_not_deleted() {
    each(|w| {
        let sap = w.sap();
        let leg = w.net.create(sap).expect("the client takes it");
        assert_eq!(w.net.activate(leg, CallParams::default()), Status::SUCCESS);
        called(&w);
        assert_eq!(w.net.delete(leg), Err(Status::NOT_ACCEPTED));
        assert!(called(&w).is_empty());
        let info = w.node.vcs().into_iter().find(|vc| vc.use_ == VcUse::Client).expect("still there");
        assert_eq!(info.activation, Activation::Active);
        assert_eq!(w.net.deactivate(leg), Status::SUCCESS);
        w.net.delete(leg).expect("inactive now");
        w.end();
    });
}

/// CO-077: nor one with a call, in whichever state the call is.
#[test]
fn a_vc_with_a_call_is_not_deleted() {
    each(|w| {
        w.raise("hold_remote_close");
        w.set("make_call", Reply::Hold);
        w.set("close_call", Reply::Hold);
        let vc = w.vc();
        assert_eq!(w.client.make_call(vc), Status::PENDING);
        assert_eq!(w.client.delete_vc(vc), Err(Status::NOT_ACCEPTED), "outgoing");
        w.net.proceed(0);
        w.run();
        assert_eq!(w.client.delete_vc(vc), Err(Status::NOT_ACCEPTED), "connected");
        w.net.remote_close(0, Status::SUCCESS);
        w.run();
        assert_eq!(w.client.delete_vc(vc), Err(Status::NOT_ACCEPTED), "remote-closed");
        assert_eq!(w.client.close_call(vc), Status::PENDING);
        assert_eq!(w.client.delete_vc(vc), Err(Status::NOT_ACCEPTED), "closing");
        assert_eq!(w.kit.visits("manager.delete_vc"), 0);
        w.kit.finish("close_call", Status::SUCCESS);
        w.run();
        w.client.delete_vc(vc).expect("over");
        w.end();
    });
    each(|w| {
        w.set("incoming_call", Reply::Hold);
        w.set("connect", Reply::Hold);
        let sap = w.sap();
        let leg = w.net.offer(sap).expect("the client takes it");
        assert_eq!(w.net.delete(leg), Err(Status::NOT_ACCEPTED), "offered");
        w.kit.finish("incoming_call", Status::SUCCESS);
        w.run();
        assert_eq!(w.net.delete(leg), Err(Status::NOT_ACCEPTED), "accepted");
        assert!(w.client.heard("delete_vc").is_empty());
        w.end();
    });
}

/// CO-079, CO-080, CO-081: the peer is asked, then the miniport told, each once.
#[test]
fn a_delete_calls_those_who_share_the_vc() {
    each(|w| {
        let vc = w.vc();
        called(&w);
        w.client.delete_vc(vc).expect("idle");
        match w.kind {
            Kind::CallManager => {
                let both = [(R::CallManager, F::ProtocolCoDeleteVc), (R::Miniport, F::MiniportCoDeleteVc)];
                assert_eq!(called(&w), both);
            }
            Kind::Mcm => assert_eq!(called(&w), [(R::Mcm, F::ProtocolCoDeleteVc)]),
        }
        let sap = w.sap();
        let leg = w.net.create(sap).expect("the client takes it");
        called(&w);
        w.net.delete(leg).expect("idle");
        match w.kind {
            Kind::CallManager => {
                let both = [(R::Client, F::ProtocolCoDeleteVc), (R::Miniport, F::MiniportCoDeleteVc)];
                assert_eq!(called(&w), both);
            }
            Kind::Mcm => assert_eq!(called(&w), [(R::Client, F::ProtocolCoDeleteVc)]),
        }
        w.end();
    });
}

/// CO-090: the miniport of the VC gets what the call manager activates with. (An MCM tells its own hardware.)
#[test]
fn the_miniport_gets_the_parameters() {
    each(|w| {
        let mut params = to(b"somewhere");
        let specific = Specific { param_type: 5, parameters: b"circuit".to_vec() };
        params.media = Some(Box::new(MediaParams { specific, ..Default::default() }));
        let other = w.call_out();
        let vc = w.vc();
        assert_eq!(w.client.make_call_with(vc, params.clone()), Status::PENDING);
        w.run();
        assert_eq!(w.net.params_below(1), Some(params.clone()));
        assert_ne!(w.net.params_below(0), Some(params), "the other VC's are its own");
        assert_eq!(other, 0);
        w.end();
    });
}

/// CO-091, CO-092: an MCM's activation and deactivation are complete on return: nobody is called, then or later.
#[test]
fn an_mcm_activates_without_anybody_being_called() {
    for mix in Mix::all() {
        let w = World::new(Kind::Mcm, mix);
        let sap = w.sap();
        let leg = w.net.create(sap).expect("the client takes it");
        called(&w);
        assert_eq!(w.net.activate(leg, CallParams::default()), Status::SUCCESS);
        // CO-096: and again.
        assert_eq!(w.net.activate(leg, CallParams::default()), Status::SUCCESS);
        assert_eq!(w.net.deactivate(leg), Status::SUCCESS);
        // CO-106
        assert_eq!(w.net.deactivate(leg), Status::NOT_ACCEPTED);
        w.run();
        assert!(called(&w).is_empty());
        w.end();
    }
}

/// CO-093, CO-103: the completions run if the request returned PENDING, once, and not otherwise.
#[test]
fn what_pends_is_completed_once_and_nothing_else_is() {
    for below in [Below::AtOnce, Below::Pends, Below::CompletesEarly] {
        let w = World::new(Kind::CallManager, Mix { below, ..Mix::PLAIN });
        let sap = w.sap();
        let leg = w.net.create(sap).expect("the client takes it");
        let late = u32::from(below != Below::AtOnce);
        let status = if late == 1 { Status::PENDING } else { Status::SUCCESS };
        assert_eq!(w.net.activate(leg, CallParams::default()), status);
        w.run();
        assert_eq!(w.kit.visits("call_manager.activate_complete"), late);
        assert_eq!(w.net.deactivate(leg), status);
        w.run();
        assert_eq!(w.kit.visits("call_manager.deactivate_complete"), late);
        w.end();
    }
}

/// CO-107, CO-106: an inactive VC is not deactivated, over either.
#[test]
fn an_inactive_vc_is_not_deactivated() {
    each(|w| {
        let sap = w.sap();
        let leg = w.net.create(sap).expect("the client takes it");
        assert_eq!(w.net.deactivate(leg), Status::NOT_ACCEPTED);
        assert_eq!(w.kit.visits("miniport.deactivate"), 0);
        w.end();
    });
}

/// CO-110: the handles stay good across a deactivation: the VC is activated again with them.
#[test]
fn a_handle_outlives_a_deactivation() {
    each(|w| {
        w.raise("keep_incoming_vcs");
        let sap = w.sap();
        let (leg, vc) = w.call_in(sap);
        w.close(vc);
        let client = w.client.vc(vc);
        assert_eq!(client.at().activation(), Activation::Inactive);
        assert_eq!(w.net.activate(leg, CallParams::default()), Status::SUCCESS);
        assert_eq!(client.at().activation(), Activation::Active);
        assert_eq!(w.net.deactivate(leg), Status::SUCCESS);
        drop(client);
        w.end();
    });
}

/// CO-120, CO-123: the parameters of a call come back to who gave them, with what became of it, and no party handle.
#[test]
fn parameters_come_back() {
    for reply in [Reply::Done, Reply::Pends] {
        each(|w| {
            w.set("make_call", reply(Status::RESOURCES));
            let vc = w.vc();
            any(w.client.make_call_with(vc, to(b"a number of its own")));
            w.run();
            assert_eq!(w.client.last_params(), Some(to(b"a number of its own")));
            assert_eq!(w.client.parties(), 0);
            w.end();
        });
    }
    // O1: refused by NDIS itself, they come back as well.
    each(|w| {
        let vc = w.call_out();
        assert_eq!(w.client.make_call_with(vc, to(b"twice")), Status::NOT_ACCEPTED);
        assert_eq!(w.client.last_params(), Some(to(b"twice")));
        assert_eq!(w.kit.visits("manager.make_call"), 1);
        w.end();
    });
}

fn any<T>(_: T) {}

/// CO-114: a call is made on a VC of the client's own; on the manager's it is refused with FAILURE.
#[test]
fn a_call_is_not_made_on_the_managers_vc() {
    each(|w| {
        w.raise("keep_incoming_vcs");
        let sap = w.sap();
        let (_, vc) = w.call_in(sap);
        w.close(vc);
        assert_eq!(w.client.make_call(vc), Status::FAILURE);
        assert_eq!(w.kit.visits("manager.make_call"), 0);
        w.end();
    });
}

/// CO-150: the close data reaches the manager.
#[test]
fn close_data_reach_the_manager() {
    each(|w| {
        let vc = w.call_out();
        let held = w.client.vc(vc);
        assert!(held.at().close_call(b"goodbye".to_vec()).is_pending());
        w.run();
        assert_eq!(*kit::lock(&w.kit.close_data), b"goodbye");
        drop(held);
        w.end();
    });
}

/// CO-155, CO-156, X-06: whichever a manager does first, the client hears one order: inactive, then closed.
#[test]
fn the_manager_may_deactivate_before_or_after_it_completes_the_close() {
    for order in [CloseOrder::DeactivateFirst, CloseOrder::CompleteFirst] {
        for kind in [Kind::CallManager, Kind::Mcm] {
            let w = World::new(kind, Mix { order, below: Below::Pends, ..Mix::PLAIN });
            let vc = w.call_out();
            let held = w.client.vc(vc);
            let seen = std::sync::Arc::new(std::sync::Mutex::new(None));
            let (inside, at) = (seen.clone(), held.clone());
            w.kit.hook(Some(std::sync::Arc::new(move |name| {
                if name == "client.close_call_complete" {
                    *kit::lock(&inside) = Some(at.at().activation());
                }
            })));
            w.close(vc);
            w.kit.hook(None);
            assert_eq!(*kit::lock(&seen), Some(Activation::Inactive));
            drop(held);
            w.end();
        }
    }
}

/// call connected, or a make-call completed, on an inactive VC gives no call.
#[test]
fn no_call_without_a_path() {
    each(|mut w| {
        w.expected = vec!["X-45"];
        w.set("connect", Reply::Hold);
        let sap = w.sap();
        let leg = w.net.offer(sap).expect("the client takes it");
        w.run();
        w.net.dispatch_connected(leg);
        w.run();
        assert!(w.client.heard("call_connected").is_empty());
        assert_eq!(w.client.call(0), Call::Accepted);
        w.end();
    });
}

/// A17: a VC whose call is up is deactivated out of the blue: reported, sends refused, and the close still works.
#[test]
fn the_vc_of_a_call_is_deactivated() {
    each(|mut w| {
        w.expected = vec!["A17"];
        let vc = w.call_out();
        w.raise("log_data");
        assert_eq!(w.net.deactivate(0), Status::SUCCESS);
        w.client.send(vc, 1);
        assert_eq!(w.client.heard("send_complete"), [Status::VC_NOT_ACTIVATED]);
        w.net.remote_close(0, Status::FAILURE);
        w.run();
        assert_eq!(w.client.heard("close_call_complete"), [Status::SUCCESS]);
        w.end();
    });
}

/// L5, L6: a remote close where there is nothing to close is reported and not delivered.
#[test]
fn a_remote_close_without_a_call_is_refused() {
    each(|mut w| {
        w.expected = vec!["CO-158"];
        w.set("make_call", Reply::Hold);
        let vc = w.vc();
        assert_eq!(w.client.make_call(vc), Status::PENDING);
        w.net.remote_close(0, Status::SUCCESS);
        w.run();
        assert!(w.client.heard("incoming_close_call").is_empty());
        assert_eq!(w.client.call(vc), Call::OutgoingPending);
        w.net.proceed(0);
        w.run();
        assert_eq!(w.client.call(vc), Call::Connected);
        w.end();
    });
}

/// an MCM that deactivates with NBLs out, and not because of a close, is reported.
#[test]
fn an_mcm_deactivates_with_sends_outstanding() {
    let mut w = World::new(Kind::Mcm, Mix::PLAIN);
    w.expected = vec!["X-33", "A17"];
    let vc = w.call_out();
    w.raise("keep_sends");
    w.client.send(vc, 2);
    assert_eq!(w.net.deactivate(0), Status::SUCCESS);
    w.net.flush(0);
    w.close(vc);
    w.client.delete_vc(vc).expect("over");
    w.end();
}
