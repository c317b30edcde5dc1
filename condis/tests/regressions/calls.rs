//! Calls and what drivers hear of them: in their turn, bounded, and nothing after the end.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use condis::oid::OidRequest;
use condis::params::{CallParams, CloseData};
use condis::role::{CallManager, Mcm};
use condis::token::{Outcome, Refused};
use condis::vc::Call;

use crate::kit::Status;
use crate::rig::{Bench, Cb, How, Plan, Rig, Seat, World};
use crate::support::{a_status, delete, panics, then, world};

/// What a miniport indicates out of `MiniportReturnNetBufferLists` was delivered there and then, so that a client that
/// returns at once filled the stack.
#[test]
fn indicating_from_returned_does_not_grow_the_stack() {
    #[derive(Default)]
    struct Depth {
        now: AtomicUsize,
        max: AtomicUsize,
        rounds: AtomicUsize,
    }
    fn again<R: World>(bench: &Arc<Bench<R>>, slot: usize, depth: &Arc<Depth>) {
        let (bench, depth) = (bench.clone(), depth.clone());
        let plans = bench.clone();
        let indicate = then(move || {
            if depth.rounds.fetch_add(1, SeqCst) == 200 {
                return;
            }
            let deep = depth.now.fetch_add(1, SeqCst) + 1;
            depth.max.fetch_max(deep, SeqCst);
            again(&bench, slot, &depth);
            let lower = bench.slot(slot, |s| R::lower_of(s)).expect("there");
            R::indicate(&lower, bench.chain(1));
            depth.now.fetch_sub(1, SeqCst);
        });
        plans.plan(slot, Cb::Told(Seat::Lower), indicate);
    }
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.connected();
        let depth = Arc::new(Depth::default());
        again(&rig.bench, slot, &depth);
        rig.indicate(slot, 1);
        rig.clock.settle();
        assert_eq!(rig.heard(Seat::Lower, slot, "returned 1"), 201);
        let max = depth.max.load(SeqCst);
        assert!(max <= 8, "{max} returns inside each other");
        rig.close_and_delete(slot);
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// Inside an upcall the remote closes, the client closes, and deletes: the remote's close came afterwards, on a VC that was
/// gone.
#[test]
fn a_remote_close_does_not_come_after_the_delete() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.connected();
        rig.will_close(slot);
        let (bench, manager, client) = (rig.bench.clone(), rig.manager(slot), rig.client(slot));
        let end = then(move || {
            manager.at().dispatch_incoming_close_call(Status::SUCCESS, CloseData::new());
            let _ = client.at().close_call(CloseData::new());
            assert_eq!(delete(&bench, slot), Err(Status::CLOSING), "the client is still to hear of its call");
        });
        rig.bench.plan(slot, Cb::Told(Seat::Client), end);
        rig.manager(slot).at().dispatch_incoming_call_qos_change(CallParams::default());
        rig.clock.settle();
        assert_eq!(rig.client(slot).at().call(), Call::None);
        let heard = rig.client_heard(slot);
        assert_eq!(heard.last().map(String::as_str), Some("close complete SUCCESS"), "{heard:?}");
        assert_eq!(rig.delete(slot), Ok(()));
        rig.clock.settle();
        assert_eq!(rig.client_heard(slot), heard);
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// DP-192. A status ran into the client while it was in another upcall of the VC.
#[test]
fn a_status_waits_for_its_clients_upcall() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.connected();
        let (bench, lower) = (rig.bench.clone(), rig.lower(slot));
        let indicate = then(move || {
            R::indicate_status(&lower, a_status());
            assert_eq!(bench.lock().logs[Seat::Client as usize], [format!("{slot}: remote qos")]);
        });
        rig.bench.plan(slot, Cb::Told(Seat::Client), indicate);
        rig.manager(slot).at().dispatch_incoming_call_qos_change(CallParams::default());
        rig.clock.settle();
        assert_eq!(rig.client_heard(slot), ["remote qos", "status LINK_STATE"]);
        rig.close_and_delete(slot);
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// DP-191. A status on a VC that was deleted still reached its client. Nor does one that waits let the VC be deleted.
#[test]
fn a_status_does_not_come_after_the_delete() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.connected();
        let (bench, lower) = (rig.bench.clone(), rig.lower(slot));
        rig.will_close(slot);
        let client = rig.client(slot);
        let indicate = then(move || {
            let _ = client.at().close_call(CloseData::new());
            R::indicate_status(&lower, a_status());
            assert_eq!(delete(&bench, slot), Err(Status::CLOSING));
        });
        rig.bench.plan(slot, Cb::Told(Seat::Client), indicate);
        rig.manager(slot).at().dispatch_incoming_call_qos_change(CallParams::default());
        rig.clock.settle();
        assert_eq!(rig.heard(Seat::Client, slot, "status LINK_STATE"), 1);
        assert_eq!(rig.reports_of("DP-191"), 0);
        let lower = rig.lower(slot);
        assert_eq!(rig.delete(slot), Ok(()));
        R::indicate_status(&lower, a_status());
        drop(lower);
        rig.clock.settle();
        assert_eq!(rig.reports_of("DP-191"), 1);
        assert_eq!(rig.heard(Seat::Client, slot, "status LINK_STATE"), 1);
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// CO-181. Whatever the network sent was queued for a client that did not come out of its upcall.
#[test]
fn changes_and_statuses_behind_a_busy_client_are_bounded() {
    const SENT: usize = 1000;
    /// Far below what was sent, and not the library's own number.
    const KEPT_MAX: usize = 200;
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.connected();
        let (manager, lower) = (rig.manager(slot), rig.lower(slot));
        let flood = then(move || {
            for _ in 0..SENT {
                manager.at().dispatch_incoming_call_qos_change(CallParams::default());
            }
            for _ in 0..SENT {
                R::indicate_status(&lower, a_status());
            }
        });
        rig.bench.plan(slot, Cb::Told(Seat::Client), flood);
        rig.manager(slot).at().dispatch_incoming_call_qos_change(CallParams::default());
        rig.clock.settle();
        let heard = rig.client_heard(slot).len();
        assert!((2..KEPT_MAX).contains(&heard), "{heard} upcalls");
        let reported = rig.reported();
        let told = reported.iter().filter(|rule| ["CO-181", "DP-191"].contains(rule)).count();
        assert_eq!(heard + told, 2 * SENT + 1, "what is not told is reported");
        // The VC is as good as before.
        rig.manager(slot).at().dispatch_incoming_call_qos_change(CallParams::default());
        assert_eq!(rig.client_heard(slot).len(), heard + 1);
        rig.close_and_delete(slot);
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// Q1 lets a client ask for a change while it is offered a call. It may reject the call before that is answered: the VC could
/// then be deleted, or carry the next offer, and its client be told of the change afterwards.
#[test]
fn nothing_follows_a_call_whose_change_is_still_owed() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.manager_vc();
        let sap = rig.bench.lock().manager_sap.clone().expect("registered");
        let offer = || rig.manager(slot).at().dispatch_incoming_call(&sap, CallParams::default());
        rig.bench.plan(slot, Cb::Offer, Plan::answer(How::Pend));
        assert!(offer().is_pending());
        rig.bench.plan(slot, Cb::Qos, Plan::answer(How::Pend));
        assert!(rig.client(slot).at().modify_call_qos(CallParams::default()).is_pending());
        let (rejected, params) = rig.bench.slot(slot, |s| s.offer.take()).expect("it pends");
        rejected.complete(Err(Refused::with(Status::FAILURE, params)));
        rig.clock.settle();
        assert_eq!(rig.client(slot).at().call(), Call::None);

        match offer() {
            Outcome::Done(Err(refused)) => assert_eq!(refused.status, Status::CLOSING),
            other => panic!("{other:?}"),
        }
        let owner = rig.bench.slot(slot, |s| s.owned_by_manager.take()).expect("the manager's");
        let (status, owner) = owner.delete().expect_err("a change is owed");
        assert_eq!(status, Status::CLOSING);
        let (qos, params) = rig.bench.slot(slot, |s| s.qos.take()).expect("it pends");
        qos.complete(Ok(params));
        rig.clock.settle();
        assert_eq!(rig.heard(Seat::Client, slot, "qos complete SUCCESS"), 1);
        assert!(owner.delete().is_ok());
        drop(sap);
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// L13. Of a call that was connected the close waits for the change.
#[test]
fn a_close_waits_for_the_change_that_is_owed() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.connected();
        rig.will_close(slot);
        rig.bench.plan(slot, Cb::Qos, Plan::answer(How::Pend));
        assert!(rig.client(slot).at().modify_call_qos(CallParams::default()).is_pending());
        assert!(rig.close(slot).is_pending());
        rig.clock.settle();
        assert!(rig.client_heard(slot).is_empty());
        let (qos, params) = rig.bench.slot(slot, |s| s.qos.take()).expect("it pends");
        qos.complete(Ok(params));
        rig.clock.settle();
        assert_eq!(rig.client_heard(slot), ["qos complete SUCCESS", "close complete SUCCESS"]);
        assert_eq!(rig.delete(slot), Ok(()));
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// A VC that its owner gave up and whose peer refused once stayed for ever, without a word.
#[test]
fn a_vc_that_was_given_up_is_deleted_when_its_peer_agrees() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.client_vc();
        let refuse = || Plan::answer(How::Err);
        rig.bench.plan(slot, Cb::Delete, refuse());
        rig.bench.plan(slot, Cb::Delete, refuse());
        rig.owner(slot).retire();
        rig.settle_now();
        assert_eq!(rig.heard(Seat::Manager, slot, "delete"), 1, "not in circles");
        rig.pass(Duration::from_secs(1));
        assert_eq!(rig.heard(Seat::Manager, slot, "delete"), 2);
        assert_eq!(rig.reports_of("X-15"), 2);
        rig.pass(Duration::from_secs(1));
        assert_eq!(rig.heard(Seat::Manager, slot, "delete"), 3);
        assert_eq!(rig.node.left().vcs, 0);
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// The trace showed completion calls that no driver had made: NDIS answered for one that panicked, or one had answered by
/// its return.
#[test]
fn no_completion_is_traced_that_nobody_called() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.connected();
        rig.rules.keep_crossings.store(true, SeqCst);
        let binding = rig.bench.lock().client_binding.clone().expect("bound");
        let vc = rig.client(slot);
        let answer = binding.at().oid_request(Some(vc.at()), OidRequest::query(0x0001_0101, 4));
        assert!(!answer.is_pending());
        rig.bench.plan(slot, Cb::Close, panics());
        assert!(rig.close(slot).is_pending());
        rig.clock.settle();
        assert_eq!(vc.at().call(), Call::None);
        let crossings = rig.rules.crossings.lock().expect("not poisoned").clone();
        let completions: Vec<_> =
            crossings.iter().filter(|line| line.starts_with("Down") && line.contains("Complete")).collect();
        assert!(completions.is_empty(), "{completions:#?}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}
