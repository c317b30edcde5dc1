//! Drivers that do the next thing from inside the completion of the last run on a stack of 256 KiB, however often.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses some of the kit")]

mod kit;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use condis::driver::{ClientVc, Connected};
use condis::nbl::Chain;
use condis::params::CloseData;
use condis::role::Client as ClientRole;
use condis::token::{Outcome, Refused};
use condis::vc::{HeldVc, OwnedVc, Receives, Vc};

use kit::client::to;
use kit::{Kind, Kit, Mix, Reply, Status, World};

const STACK_OCTETS: usize = 256 * 1024;

#[expect(clippy::disallowed_methods, reason = "a thread with a small stack")]
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread =
        std::thread::Builder::new().stack_size(STACK_OCTETS).spawn(test).expect("a thread is to be had");
    thread.join().expect("the test passes");
}

/// Sends, or dials, again from each completion, until it has been done often enough.
struct Clock {
    left: AtomicU64,
    done: AtomicU64,
    bounce: bool,
}

impl Clock {
    fn new(left: u64, bounce: bool) -> Arc<Clock> {
        Arc::new(Clock { left: AtomicU64::new(left), done: AtomicU64::new(0), bounce })
    }

    fn again(&self) -> bool {
        self.left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

struct End(Arc<Clock>);

impl End {
    fn dial(&self, vc: Vc<'_, ClientRole>) {
        if let Outcome::Done(result) = vc.make_call(to(b"somewhere"), None) {
            self.make_call_complete(vc, result);
        }
    }
}

impl ClientVc for End {
    fn receive(&self, vc: Vc<'_, ClientRole>, batch: &mut Receives<'_>) {
        if !self.0.bounce {
            return;
        }
        // What came goes back at once, as often as there is something left to count.
        let count = batch.len();
        for _ in 0..count {
            if self.0.again() {
                let nbl = POOL.with(|pool| pool.alloc_copy(b"back").expect("the pool has room"));
                vc.send(Chain::from(nbl));
            }
        }
    }

    fn send_complete(&self, vc: Vc<'_, ClientRole>, chain: Chain) {
        self.0.done.fetch_add(chain.len() as u64, SeqCst);
        assert!(chain.iter().all(|nbl| nbl.status() == Status::SUCCESS));
        if !self.0.bounce && self.0.again() {
            vc.send(chain);
        }
    }

    fn make_call_complete(&self, vc: Vc<'_, ClientRole>, result: Result<Connected, Refused>) {
        self.0.done.fetch_add(1, SeqCst);
        if result.is_err() && self.0.again() {
            self.dial(vc);
        }
        if result.is_ok()
            && let Outcome::Done(result) = vc.close_call(CloseData::new())
        {
            self.close_call_complete(vc, result);
        }
    }

    fn close_call_complete(&self, vc: Vc<'_, ClientRole>, result: Result<(), Status>) {
        assert_eq!(result, Ok(()));
        if self.0.again() {
            self.dial(vc);
        }
    }

    fn incoming_close_call(&self, _: Vc<'_, ClientRole>, _: Status, _: CloseData) {}
}

thread_local! {
    static POOL: condis::nbl::Pool = condis::nbl::Pool::new(condis::nbl::PoolConfig {
        data_size: 64,
        capacity: 64,
        ..Default::default()
    });
}

fn quiet(kind: Kind, script: impl FnOnce(&Kit)) -> World {
    World::with(kind, Mix::PLAIN, |kit| {
        kit.raise("no_trace");
        script(kit);
    })
}

fn own_vc(w: &World, clock: &Arc<Clock>) -> (OwnedVc<ClientRole>, HeldVc<ClientRole>) {
    let af = w.client.af().expect("open");
    let owner = af.at().create_vc(Box::new(End(clock.clone()))).expect("every driver agrees");
    let held = owner.keep();
    (owner, held)
}

fn over(w: World, owner: OwnedVc<ClientRole>, held: HeldVc<ClientRole>) {
    let _ = held.at().close_call(CloseData::new());
    w.run();
    owner.delete().expect("over");
    drop(held);
    w.remove();
    w.client.forget();
    w.net.forget();
    assert!(w.node.left().is_nothing(), "{}", w.node.left());
}

/// A million sends, each from inside the completion of the one before.
fn self_clocked_sends(kind: Kind) {
    on_a_small_stack(move || {
        let w = quiet(kind, |_| ());
        let caller = Quiet::with(&w, Clock::new(0, false));
        caller.call(&w);
        caller.clock.left.store(999_999, SeqCst);
        let nbl = w.client.pool.alloc_copy(b"first").expect("the pool has room");
        caller.held().at().send(Chain::from(nbl));
        w.run();
        assert_eq!(caller.clock.done.load(SeqCst), 1_000_000);
        caller.over(w);
    });
}

/// A client whose make-call does not close at once.
struct Quiet {
    clock: Arc<Clock>,
    ends: Option<(OwnedVc<ClientRole>, HeldVc<ClientRole>)>,
}

struct QuietEnd(End);

impl ClientVc for QuietEnd {
    fn receive(&self, vc: Vc<'_, ClientRole>, batch: &mut Receives<'_>) {
        self.0.receive(vc, batch);
    }

    fn send_complete(&self, vc: Vc<'_, ClientRole>, chain: Chain) {
        self.0.send_complete(vc, chain);
    }

    fn incoming_close_call(&self, _: Vc<'_, ClientRole>, _: Status, _: CloseData) {}
}

impl Quiet {
    fn with(w: &World, clock: Arc<Clock>) -> Quiet {
        let af = w.client.af().expect("open");
        let owner = af.at().create_vc(Box::new(QuietEnd(End(clock.clone())))).expect("every driver agrees");
        let held = owner.keep();
        Quiet { clock, ends: Some((owner, held)) }
    }

    fn held(&self) -> &HeldVc<ClientRole> {
        &self.ends.as_ref().expect("until the end").1
    }

    fn call(&self, w: &World) {
        let _ = self.held().at().make_call(to(b"somewhere"), None);
        w.run();
        assert_eq!(self.held().at().call(), condis::vc::Call::Connected);
    }

    fn over(mut self, w: World) {
        let (owner, held) = self.ends.take().expect("until the end");
        over(w, owner, held);
    }
}

/// Half a million round trips: send, receive, send, each from inside the other.
fn ping_pong(kind: Kind) {
    on_a_small_stack(move || {
        let w = quiet(kind, |_| ());
        let caller = Quiet::with(&w, Clock::new(0, true));
        caller.call(&w);
        w.raise("echo");
        caller.clock.left.store(499_999, SeqCst);
        let nbl = w.client.pool.alloc_copy(b"first").expect("the pool has room");
        caller.held().at().send(Chain::from(nbl));
        w.run();
        assert_eq!(caller.clock.done.load(SeqCst), 500_000);
        w.kit.lower("echo");
        caller.over(w);
    });
}

/// 300,000 calls, each made from inside the completion of the one before: of its close, or of its failure.
fn redials(kind: Kind, reply: Reply) {
    on_a_small_stack(move || {
        let w = quiet(kind, |kit| kit.set("make_call", reply));
        let clock = Clock::new(299_999, false);
        let (owner, held) = own_vc(&w, &clock);
        End(clock.clone()).dial(held.at());
        w.run();
        assert_eq!(clock.done.load(SeqCst), 300_000);
        over(w, owner, held);
    });
}

macro_rules! in_both_worlds {
    ($($name:ident => $test:expr;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn over_a_call_manager() {
                let test: fn(Kind) = $test;
                test(Kind::CallManager);
            }

            #[test]
            fn over_an_mcm() {
                let test: fn(Kind) = $test;
                test(Kind::Mcm);
            }
        }
    )*};
}

in_both_worlds! {
    a_million_self_clocked_sends => self_clocked_sends;
    half_a_million_round_trips => ping_pong;
    redials_from_the_completion_of_the_close => |kind| redials(kind, Reply::Early(Status::SUCCESS));
    redials_from_a_failure_that_pended => |kind| redials(kind, Reply::Early(Status::DEST_OUT_OF_ORDER));
}
