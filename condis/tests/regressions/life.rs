//! Bindings, adapters and nodes that come and go.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use condis::adapter::{AdapterInfo, AdapterState};
use condis::driver::{Bound, Protocol};
use condis::names::Function;
use condis::node::Node;
use condis::oid::{OidAnswer, OidRequest};
use condis::role::{CallManager, Client, Mcm};
use condis::runtime::{Ran, Sim};
use condis::token::Outcome;
use condis::trace::Way;
use condis::vc::Vc;

use crate::kit::{Kind, Mix, Reply, Status, World as KitWorld};
use crate::rig::{Rig, World};
use crate::support::{paused, removed, world};

const BOTH: [Kind; 2] = [Kind::CallManager, Kind::Mcm];

/// The node said that it was shut down while its only adapter still paused: a join of one looked like a join of none.
#[test]
fn a_shutdown_is_over_when_its_only_adapter_is() {
    fn walk<R: World>(rig: Rig<R>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (states, adapter) = (seen.clone(), rig.adapter.clone());
        rig.node.shutdown(move || states.lock().expect("not poisoned").push(adapter.state()));
        rig.clock.settle();
        assert_eq!(*seen.lock().expect("not poisoned"), [AdapterState::Halted]);
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// The other half of it: one without any adapter is over, too, and once.
#[test]
fn a_shutdown_of_nothing_is_over_once() {
    let sim = Sim::new(1);
    let node = Node::new("node", sim.clone());
    let over = Arc::new(Mutex::new(0));
    let count = over.clone();
    node.shutdown(move || *count.lock().expect("not poisoned") += 1);
    assert_eq!(sim.run_until_idle(Duration::from_secs(1)), Ran::Idle);
    assert_eq!(*over.lock().expect("not poisoned"), 1);
}

/// DP-076. Callbacks went on after `MiniportShutdownEx`: sends, for one.
#[test]
fn an_adapter_sees_nothing_after_its_shutdown() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.connected();
        rig.bench.lock().keep_completed = true;
        rig.adapter.shut_down();
        rig.clock.settle();
        assert_eq!(rig.was_called("shutdown"), 1);
        rig.send(slot, 2);
        rig.clock.settle();
        assert_eq!(rig.was_called("Lower 0: send 2"), 0);
        assert_eq!(
            rig.bench.lock().completed.iter().map(|chain| chain.len()).sum::<usize>(),
            2,
            "they come back"
        );
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// DP-051. The second request unbound a binding that was gone, or one that was closing, once more.
#[test]
fn a_binding_that_asks_twice_is_unbound_once() {
    fn walk<R: World>(rig: Rig<R>) {
        let binding = rig.bench.lock().client_binding.clone().expect("bound");
        binding.at().request_unbind();
        binding.at().request_unbind();
        rig.clock.settle();
        assert_eq!(rig.was_called("client: unbind"), 1);
        binding.at().request_unbind();
        rig.clock.settle();
        assert_eq!(rig.was_called("client: unbind"), 1);
        drop(binding);
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// A driver may say that it binds and give no object for any role. The removal then waited for somebody to answer.
#[test]
fn a_protocol_that_binds_without_a_role_is_reported_and_not_waited_for() {
    struct Nobody;
    impl Protocol for Nobody {
        fn bind(&self, _: &AdapterInfo) -> Result<Bound, Status> {
            Ok(Bound::default())
        }
    }
    fn walk<R: World>(rig: Rig<R>) {
        rig.node.register_protocol("nobody", Nobody);
        rig.clock.settle();
        assert_eq!(rig.reports_of("CO-001"), 1);
        let over = removed(&rig.adapter);
        rig.clock.settle();
        assert!(over.load(SeqCst), "{:?}", rig.adapter.state());
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// DP-216. `ProtocolPauseBinding` is not asked of an object that panicked, and nobody answered for it.
#[test]
fn a_client_that_panicked_does_not_hang_the_removal() {
    for kind in BOTH {
        crate::support::quiet();
        let mut w = KitWorld::with(kind, Mix::PLAIN, |kit| kit.arm("client.af_register_notify"));
        w.expected = vec!["DP-216"];
        w.remove();
        w.check();
    }
}

/// DP-216. The client panicked in its unbind while the open of its AF pended: nobody closed the AF that came of it.
#[test]
fn an_open_that_ends_after_its_client_panicked_is_closed() {
    for kind in BOTH {
        crate::support::quiet();
        let mut w = KitWorld::with(kind, Mix::PLAIN, |kit| kit.set("open_af", Reply::Hold));
        w.expected = vec!["DP-216", "CO-208"];
        w.kit.arm("client.unbind");
        w.remove();
        w.kit.finish("open_af", Status::SUCCESS);
        w.run();
        w.check();
    }
}

/// DP-216. The same with a SAP: nobody deregistered it, so that the AF never closed.
#[test]
fn a_registration_that_ends_after_its_client_panicked_is_undone() {
    for kind in BOTH {
        crate::support::quiet();
        let mut w = KitWorld::new(kind, Mix::PLAIN);
        w.expected = vec!["DP-216", "CO-208", "DP-050"];
        w.set("register_sap", Reply::Hold);
        assert_eq!(w.client.register_sap(b"here"), Status::PENDING);
        w.kit.arm("client.unbind");
        w.remove();
        w.kit.finish("register_sap", Status::SUCCESS);
        w.run();
        w.check();
    }
}

/// DP-216. `MiniportHaltEx` was called of an adapter object that had panicked.
#[test]
fn an_adapter_that_panicked_is_not_halted() {
    for kind in BOTH {
        crate::support::quiet();
        let mut w = KitWorld::new(kind, Mix::PLAIN);
        w.expected = vec!["DP-216", "CO-208"];
        w.kit.arm("lower.pause");
        w.remove();
        assert_eq!(w.kit.visits("lower.halt"), 0);
        assert_eq!(crossed(&w, |f| f == Function::MiniportHaltEx), 0, "nor does the trace say so");
        w.check();
    }
}

/// DP-216. And VCs were created at one.
#[test]
fn a_miniport_that_panicked_is_asked_for_no_vc() {
    crate::support::quiet();
    let mut w = KitWorld::new(Kind::CallManager, Mix::PLAIN);
    w.expected = vec!["DP-216", "CO-208"];
    w.kit.arm("lower.reset");
    w.adapter.reset(|_| ());
    w.run();
    let before = crossed(&w, |f| f == Function::MiniportCoCreateVc);
    assert_eq!(w.client.create_vc(), Err(Status::FAILURE));
    assert_eq!(crossed(&w, |f| f == Function::MiniportCoCreateVc), before);
    w.remove();
    w.check();
}

/// DP-216. For an adapter that panicked in an OID request NDIS answers, and the trace has it that the adapter did.
#[test]
fn no_oid_completion_is_traced_that_nobody_called() {
    for kind in BOTH {
        crate::support::quiet();
        let mut w = KitWorld::new(kind, Mix::PLAIN);
        w.expected = vec!["DP-216", "CO-208"];
        w.kit.arm("lower.oid_request");
        assert!(w.client.oid_to_lower(OidRequest::query(0x0001_0101, 4)).is_pending());
        w.run();
        assert_eq!(w.client.heard("lower_oid_complete"), [Status::FAILURE]);
        assert_eq!(crossed(&w, |f| f == Function::NdisMCoOidRequestComplete), 0);
        w.remove();
        w.check();
    }
}

/// How often such functions were crossed into, in either direction.
fn crossed(w: &KitWorld, which: impl Fn(Function) -> bool) -> usize {
    let calls = w.events().into_iter().filter(|event| !matches!(event.way, Way::Returned(_)));
    calls.filter(|event| which(event.function)).count()
}

/// DP-062, DP-067. A VC that was made while a pause ran did not know of it, and sent through it.
#[test]
fn a_vc_that_is_made_while_a_pause_runs_is_paused() {
    fn walk<R: World>(rig: Rig<R>, held: &'static str, miniport: bool) {
        rig.bench.lock().pend.push(held);
        let over = paused(&rig.adapter);
        rig.clock.settle();
        assert!(!over.load(SeqCst), "{held} pends");
        let slot = rig.connected();
        rig.bench.lock().keep_completed = true;
        let come_back = |status: Status| {
            let completed = std::mem::take(&mut rig.bench.lock().completed);
            completed.iter().flat_map(|chain| chain.iter()).all(|nbl| nbl.status() == status)
                && !completed.is_empty()
        };
        rig.send(slot, 1);
        assert!(come_back(Status::PAUSED));
        if miniport {
            rig.bench.lock().pended.pause.take().expect("it pends").complete(());
        } else {
            rig.bench.lock().pended.pause_binding.take().expect("it pends").complete(());
        }
        rig.clock.settle();
        assert!(over.load(SeqCst));
        rig.send(slot, 1);
        assert!(come_back(Status::PAUSED));
        rig.adapter.restart(|result| assert_eq!(result, Ok(())));
        rig.clock.settle();
        rig.send(slot, 1);
        assert!(come_back(Status::SUCCESS), "and it runs afterwards");
        rig.bench.lock().keep_completed = false;
        rig.close_and_delete(slot);
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>(), "pause", true);
    walk(world::<Mcm>(), "pause", true);
    walk(world::<CallManager>(), "client: pause", false);
    walk(world::<Mcm>(), "client: pause", false);
}

/// CO-185. A VC of another adapter, or one that is gone, went to the miniport as if it were its own.
#[test]
fn an_oid_request_about_a_foreign_vc_fails() {
    fn walk<R: World>(rig: Rig<R>, other: Rig<R>) {
        let (slot, foreign) = (rig.connected(), other.connected());
        let binding = rig.bench.lock().client_binding.clone().expect("bound");
        let ask = |vc: Vc<'_, Client>| match binding
            .at()
            .oid_request(Some(vc), OidRequest::query(0x0001_0101, 4))
        {
            Outcome::Done(OidAnswer { status, .. }) => status,
            Outcome::Pending => Status::PENDING,
        };
        let (vc, others) = (rig.client(slot), other.client(foreign));
        assert_eq!(ask(vc.at()), Status::SUCCESS);
        assert_eq!(rig.was_called("oid 0x10101 of a VC"), 1);
        assert_eq!(ask(others.at()), Status::FAILURE);
        rig.close_and_delete(slot);
        assert_eq!(ask(vc.at()), Status::FAILURE);
        assert_eq!(rig.was_called("oid 0x10101 of a VC"), 1, "the miniport saw the first alone");
    }
    walk(world::<CallManager>(), world::<CallManager>());
    walk(world::<Mcm>(), world::<Mcm>());
}
