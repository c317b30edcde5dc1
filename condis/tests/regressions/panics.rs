//! Drivers that panic. DP-216: one that did is not called again on what it lost, and NDIS answers for it.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use condis::role::{CallManager, Mcm};
use condis::vc::Call;

use crate::kit::Status;
use crate::rig::{Cb, How, Plan, Rig, Seat, World};
use crate::support::{panics, paused, removed, world};

/// The gates stayed open until the node's lane came to it, and the object was called in the meantime.
#[test]
fn a_send_does_not_reach_an_object_that_panicked() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.connected();
        rig.bench.lock().keep_completed = true;
        rig.bench.plan(slot, Cb::Send, panics());
        for _ in 0..5 {
            rig.send(slot, 1);
        }
        assert_eq!(rig.heard(Seat::Lower, slot, "send 1"), 1);
        rig.clock.settle();
        assert_eq!(rig.reports_of("DP-216"), 1);
        rig.close_and_delete(slot);
        rig.clock.settle();
        assert_eq!(rig.bench.lock().completed.iter().map(|chain| chain.len()).sum::<usize>(), 5);
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// NDIS deletes the VC of a client that panicked. It asked a peer that refused again at once, and for ever; or, once
/// that was mended, as often as something happened, and then no more, since the lost client still has the owning handle.
#[test]
fn a_refused_delete_for_a_lost_client_is_asked_again_each_second() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.connected();
        rig.will_close(slot);
        for _ in 0..10 {
            rig.bench.plan(slot, Cb::Delete, Plan::answer(How::Err));
        }
        rig.bench.plan(slot, Cb::Receive, panics());
        rig.indicate(slot, 1);
        rig.settle_now();
        let asked = || rig.heard(Seat::Manager, slot, "delete");
        assert_eq!(asked(), 1);
        for second in 1..=10 {
            assert_eq!(rig.node.left().vcs, 1);
            rig.pass(Duration::from_secs(1));
            assert_eq!(asked(), 1 + second);
        }
        assert_eq!(rig.node.left().vcs, 0);
        assert_eq!(rig.reports_of("X-15"), 10);
        drop(rig.owner(slot));
        rig.clock.settle();
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// The same with the close of its call: asked in circles, and later once and never again, so that nothing of it ended.
#[test]
fn a_refused_close_for_a_lost_client_is_asked_again_each_second() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.connected();
        for _ in 0..10 {
            rig.bench.plan(slot, Cb::Close, Plan::answer(How::Err));
        }
        rig.will_close(slot);
        rig.bench.plan(slot, Cb::Receive, panics());
        rig.indicate(slot, 1);
        rig.settle_now();
        for asked in 1..=10 {
            assert_eq!(rig.heard(Seat::Manager, slot, "close"), asked);
            rig.pass(Duration::from_secs(1));
        }
        assert_eq!(rig.node.left().vcs, 0);
        drop(rig.owner(slot));
        rig.clock.settle();
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// DP-148, DP-061. A removal waited for receives that were kept in an object that nobody calls any more.
#[test]
fn receives_that_a_lost_client_kept_are_written_off() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.connected();
        rig.will_close(slot);
        rig.bench.plan(slot, Cb::Receive, Plan::answer(How::Pend));
        rig.indicate(slot, 3);
        rig.bench.plan(slot, Cb::Receive, panics());
        rig.indicate(slot, 1);
        rig.clock.settle();
        drop(rig.owner(slot));
        let over = removed(&rig.adapter);
        rig.clock.settle();
        assert!(over.load(SeqCst), "{:?}: {}", rig.adapter.state(), rig.node.left());
        assert_eq!(rig.reports_of("DP-148"), 1);
        // They may come back after all, and then nobody counts them again.
        let kept = rig.bench.slot(slot, |s| std::mem::take(&mut s.kept));
        kept.into_iter().for_each(condis::vc::Kept::give_back);
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// A call, with three sends in the hands of a miniport and one in the callback that panicked.
fn lose_sends<R: World>(rig: &Rig<R>) -> usize {
    let slot = rig.connected();
    rig.will_close(slot);
    rig.bench.plan(slot, Cb::Send, Plan::answer(How::Pend));
    rig.send(slot, 3);
    rig.bench.plan(slot, Cb::Send, panics());
    rig.send(slot, 1);
    rig.clock.settle();
    assert_eq!(rig.heard(Seat::Client, slot, "remote close"), 1, "the call broke");
    slot
}

/// What comes after the pause: everything goes, and sends that turn up late count no more.
fn end<R: World>(rig: Rig<R>, slot: usize) {
    assert_eq!(rig.client(slot).at().info().sends_in_flight, 0);
    // Of the one in the callback, and of the three, by whoever waited for them: a deactivation or the pause.
    assert_eq!(rig.reported().iter().filter(|rule| ["DP-124", "DP-110"].contains(rule)).count(), 2);
    let sends = rig.bench.slot(slot, |s| std::mem::take(&mut s.sends));
    sends.into_iter().for_each(|sends| sends.complete(Status::SUCCESS));
    assert_eq!(rig.client(slot).at().info().sends_in_flight, 0);
    assert_eq!(rig.delete(slot), Ok(()));
    let left = rig.end();
    assert!(left.is_nothing(), "{left}");
}

/// DP-061. A pause waited for sends that were lost with a miniport's object; here the call was closed before.
#[test]
fn a_pause_after_the_close_ends_although_sends_were_lost() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = lose_sends(&rig);
        let _ = rig.close(slot);
        let over = paused(&rig.adapter);
        rig.clock.settle();
        assert!(over.load(SeqCst), "{:?}", rig.client(slot).at().info());
        assert_eq!(rig.client(slot).at().call(), Call::None);
        end(rig, slot);
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// DP-061. And here nobody closes it.
#[test]
fn a_pause_of_a_broken_call_ends_although_sends_were_lost() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = lose_sends(&rig);
        let over = paused(&rig.adapter);
        rig.clock.settle();
        assert!(over.load(SeqCst), "{:?}", rig.client(slot).at().info());
        let _ = rig.close(slot);
        rig.clock.settle();
        assert_eq!(rig.client(slot).at().call(), Call::None);
        end(rig, slot);
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}
