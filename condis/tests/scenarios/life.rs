//! The adapter's life under calls and traffic: removed, paused, reset; and what is left of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use condis::nbl::{Chain, Pool, PoolConfig};
use condis::runtime::Threads;
use condis::token::Outcome;
use condis::vc::{Activation, Call};

use crate::kit::world::{Clock, both, everywhere};
use crate::kit::{Kind, Kit, Mix, Reply, Status, World};

/// Removed with everything there is on it: an outgoing call, an incoming one, an offer, an idle VC, NBLs on their way.
#[test]
fn the_adapter_is_removed_under_live_calls() {
    everywhere(|w| {
        let sap = w.sap();
        let vc = w.call_out();
        w.call_in(sap);
        w.vc();
        w.set("incoming_call", Reply::Hold);
        w.net.offer(sap).expect("the client takes the VC");
        w.fill(vc, 0);
        w.end()
    });
}

/// As above, but the device is gone: sends and OIDs get NOT_ACCEPTED from then on.
#[test]
fn the_adapter_is_removed_by_surprise() {
    everywhere(|w| {
        let vc = w.call_out();
        w.fill(vc, 0);
        w.raise("log_data");
        let held = w.client.vc(vc);
        w.set("close_call", Reply::Hold);
        w.adapter.surprise_remove(|| ());
        w.run();
        w.client.return_kept();
        w.run();
        assert!(matches!(w.client.call(vc), Call::Closing(_)), "the client closes at the unbind");
        w.kit.lower("keep_sends");
        w.client.send(vc, 1);
        assert_eq!(w.client.heard("send_complete").last(), Some(&Status::NOT_ACCEPTED));
        w.kit.finish("close_call", Status::SUCCESS);
        drop(held);
        w.run();
        w.check()
    });
}

/// DP-051: a binding that asks for its unbind is unbound later, and once, however often it asks.
#[test]
fn a_client_asks_to_be_unbound() {
    both(Mix::PLAIN, |w| {
        let vc = w.call_out();
        let binding = w.client.binding().expect("bound");
        binding.at().request_unbind();
        binding.at().request_unbind();
        assert!(w.client.heard("unbind").is_empty());
        w.run();
        assert_eq!(w.client.heard("unbind"), [Status::SUCCESS]);
        assert_eq!(vc, 0);
        drop(binding);
        w.end()
    });
}

/// Two threads send while the adapter is removed. Everything comes back, and nothing is left.
#[test]
#[expect(clippy::disallowed_methods, reason = "clients of their own threads")]
fn the_adapter_is_removed_while_two_threads_send() {
    for surprise in [false, true] {
        for kind in [Kind::CallManager, Kind::Mcm] {
            for mix in Mix::all() {
                let threads = Threads::new();
                let w = World::on(kind, mix, Clock::Threads(threads.clone()), |kit| kit.raise("no_trace"));
                let calls = [w.call_out(), w.call_out()];
                if mix.keeps_sends() {
                    w.raise("keep_sends");
                } else {
                    w.raise("echo");
                }
                if mix.keeps_receives() {
                    w.raise("keep_receives");
                }
                let stop = Arc::new(AtomicBool::new(false));
                let sent = Arc::new(AtomicU64::new(0));
                let senders: Vec<_> = calls
                    .iter()
                    .map(|call| {
                        let (vc, stop, sent) = (w.client.vc(*call), stop.clone(), sent.clone());
                        let kit = w.kit.clone();
                        let pool =
                            Pool::new(PoolConfig { data_size: 64, capacity: 64, ..Default::default() });
                        std::thread::spawn(move || {
                            while !stop.load(SeqCst) {
                                let Ok(nbl) = pool.alloc_copy(b"traffic") else {
                                    std::thread::yield_now();
                                    continue;
                                };
                                Kit::count(&kit.sent, 1);
                                vc.at().send(Chain::from(nbl));
                                sent.fetch_add(1, SeqCst);
                            }
                        })
                    })
                    .collect();
                while sent.load(SeqCst) < 100 {
                    std::thread::yield_now();
                }
                let (removed, gone) = std::sync::mpsc::channel();
                let done = move || removed.send(()).expect("the test waits for it");
                if surprise {
                    w.adapter.surprise_remove(done);
                } else {
                    w.adapter.remove(done);
                }
                // What the client keeps is waited for, and it may be handed more until its binding is paused.
                let mut is_gone = false;
                for _ in 0..200 {
                    w.client.return_kept();
                    is_gone = gone.recv_timeout(Duration::from_millis(50)).is_ok();
                    if is_gone {
                        break;
                    }
                }
                stop.store(true, SeqCst);
                senders.into_iter().for_each(|sender| sender.join().expect("a sender does not panic"));
                assert!(is_gone, "{kind:?} {mix:?} {:?} {}", w.node.pended(), w.node.left());
                w.run();
                assert_eq!(w.node.reports(), 0);
                w.check();
            }
        }
    }
}

/// Paused: sends are refused with PAUSED, receives are dropped, calls stay; a pause waits for what is out; and back.
#[test]
fn the_adapter_is_paused_under_traffic() {
    everywhere(|w| {
        let sap = w.sap();
        let vc = w.call_out();
        w.call_in(sap);
        w.fill(vc, 0);
        let paused = Arc::new(AtomicBool::new(false));
        let done = paused.clone();
        w.adapter.pause(move |result| {
            assert_eq!(result, Ok(()));
            done.store(true, SeqCst);
        });
        w.run();
        assert_eq!(paused.load(SeqCst), !w.kit.mix.keeps_receives(), "what the client keeps is waited for");
        w.client.return_kept();
        w.run();
        assert!(paused.load(SeqCst));
        w.kit.lower("keep_sends");
        w.kit.lower("keep_receives");
        w.raise("log_data");
        w.client.send(vc, 1);
        assert_eq!(w.client.heard("send_complete"), [Status::PAUSED]);
        w.net.receive(0, 1);
        assert!(w.client.heard("receive").is_empty());
        assert_eq!(w.client.vc(vc).at().statistics().receive_drops, 1);
        assert_eq!(w.client.call(vc), Call::Connected);
        w.adapter.restart(|result| assert_eq!(result, Ok(())));
        w.run();
        w.client.send(vc, 1);
        assert_eq!(w.client.heard("send_complete"), [Status::PAUSED, Status::SUCCESS]);
        w.net.receive(0, 1);
        assert_eq!(w.client.heard("receive"), [Status::SUCCESS]);
        w.end()
    });
}

/// A call is closed and another made while the adapter is paused: the far end is not reached by a call manager's messages.
#[test]
fn a_call_is_closed_while_the_adapter_is_paused() {
    everywhere(|w| {
        let vc = w.call_out();
        w.adapter.pause(|_| ());
        w.run();
        w.close(vc);
        assert_eq!(w.client.heard("close_call_complete"), [Status::SUCCESS]);
        w.adapter.restart(|_| ());
        w.run();
        assert_eq!(w.client.make_call(vc), Status::PENDING);
        w.run();
        assert_eq!(w.client.call(vc), Call::Connected);
        w.end()
    });
}

/// CO-203 to CO-205, X-53: a reset, done at once and later, keeps everything; nothing is passed down meanwhile.
#[test]
fn the_adapter_is_reset_under_live_calls() {
    for reply in [Reply::Done(Status::SUCCESS), Reply::Hold] {
        everywhere(|w| {
            let vc = w.call_out();
            w.raise("log_data");
            w.sap();
            w.set("reset", reply);
            w.adapter.reset(|result| assert_eq!(result, Ok(())));
            w.run();
            if reply == Reply::Hold {
                assert_eq!(w.client.heard("status"), [Status::RESET_START]);
                let (sends, oids) = (w.kit.visits("lower.send"), w.kit.visits("lower.oid_request"));
                w.client.send(vc, 1);
                assert_eq!(w.client.heard("send_complete"), [Status::RESET_IN_PROGRESS]);
                let answer = w.client.oid_to_lower(condis::oid::OidRequest::query(1, 16));
                assert!(matches!(answer, Outcome::Done(a) if a.status == Status::RESET_IN_PROGRESS));
                assert_eq!((w.kit.visits("lower.send"), w.kit.visits("lower.oid_request")), (sends, oids));
                w.kit.finish("reset", Status::SUCCESS);
                w.run();
            }
            assert_eq!(w.client.heard("status"), [Status::RESET_START, Status::RESET_END]);
            let managers = if w.kind == Kind::CallManager { 2 } else { 0 };
            assert_eq!(w.kit.visits("call_manager.status"), managers);
            let info = w.client.vc(vc).at().info();
            assert_eq!((info.activation, info.call), (Activation::Active, Call::Connected));
            assert_eq!((w.node.left().afs, w.node.left().saps), (1, 1));
            w.client.send(vc, 1);
            assert_eq!(w.client.heard("send_complete").last(), Some(&Status::SUCCESS));
            w.close(vc);
            w.end()
        });
    }
}

/// DP-137, DP-138: sends that are queued below are taken back by their id, the others not.
#[test]
fn sends_are_cancelled() {
    both(Mix::PLAIN, |w| {
        let vc = w.call_out();
        w.raise("keep_sends");
        w.raise("log_data");
        let id = |n| condis::nbl::CancelId(std::num::NonZeroU64::new(n).expect("not zero"));
        w.client.send_cancellable(vc, 2, id(1));
        w.client.send_cancellable(vc, 2, id(2));
        w.client.binding().expect("bound").at().cancel_sends(id(1));
        assert_eq!(w.client.heard("send_complete"), [Status::SEND_ABORTED]);
        w.net.flush(0);
        assert_eq!(w.client.heard("send_complete"), [Status::SEND_ABORTED, Status::SUCCESS]);
        w.close(vc);
        w.end()
    });
}

/// A batch that a miniport loses comes back as failed, and is reported (DP-124).
#[test]
fn a_batch_that_is_lost_comes_back() {
    both(Mix::PLAIN, |mut w| {
        w.expected = vec!["DP-124"];
        let vc = w.call_out();
        w.raise("log_data");
        w.raise("drop_sends");
        w.client.send(vc, 3);
        assert!(w.client.heard("send_complete").is_empty(), "never from a Drop");
        w.run();
        assert_eq!(w.client.heard("send_complete"), [Status::FAILURE]);
        w.close(vc);
        w.end()
    });
}

/// Receives that must be copied are the miniport's again on return.
#[test]
fn receives_are_lent() {
    both(Mix::PLAIN, |w| {
        let vc = w.call_out();
        w.raise("keep_receives");
        w.raise("log_data");
        w.net.receive_lent(0, 3);
        assert_eq!((w.client.kept(), w.client.heard("receive").len()), (0, 1));
        w.close(vc);
        w.end()
    });
}

/// CO-074: an owner that is dropped is reported, and its VC goes once it is idle.
#[test]
fn an_owner_is_dropped() {
    both(Mix::PLAIN, |mut w| {
        w.expected = vec!["CO-074"];
        let vc = w.call_out();
        let held = w.client.vc(vc);
        w.client.drop_owner(vc);
        w.run();
        assert_eq!(held.at().call(), Call::Connected, "a call that is up is not broken by it");
        assert!(held.at().close_call(Vec::new()).is_pending());
        drop(held);
        w.run();
        assert!(w.node.vcs().iter().all(|vc| vc.use_ == condis::vc::VcUse::Signaling));
        w.end()
    });
}

/// An object that keeps a handle of its own VC keeps itself alive: it shows, long after the VC was deleted.
#[test]
fn an_object_that_keeps_its_own_handle_is_seen() {
    for kind in [Kind::CallManager, Kind::Mcm] {
        let w = World::new(kind, Mix::PLAIN);
        let vc = w.vc();
        let selfish = w.client.vc(vc);
        w.client.delete_vc(vc).expect("idle");
        w.remove();
        w.client.forget();
        w.net.forget();
        w.run();
        let left = w.node.left();
        assert_eq!(
            (left.vcs, left.objects),
            (0, 5),
            "the VC's three objects, and the AF's two that they hang on"
        );
        drop(selfish);
        assert!(w.node.left().is_nothing());
    }
}
