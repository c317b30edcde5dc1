//! Test drivers whose behaviour is a value, over a call manager and over an MCM.
//!
//! A [`world::World`] is one node with one adapter: a miniport with a call manager above it, or an MCM with the same
//! manager inside. The client is one and the same. What a driver does at each of its callbacks is read from the [`Kit`]
//! under the callback's name, so that a test says it in one line and every mix of it can be run.

pub mod client;
pub mod manager;
pub mod wire;
pub mod world;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};

use condis::runtime::{Lane, Runtime};
use condis::status::NdisStatus;
use condis::token::{Answer, AnswerOf, Op, Token};

pub use condis::status::NdisStatus as Status;
pub use world::World;

/// Which of the two worlds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    CallManager,
    Mcm,
}

/// How the hardware answers activation and deactivation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Below {
    AtOnce,
    Pends,
    /// Pends, and completes before the callback has returned.
    CompletesEarly,
}

/// What a manager does first when it closes a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseOrder {
    DeactivateFirst,
    CompleteFirst,
}

/// Who holds NBLs when the call is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InFlight {
    None,
    /// The miniport keeps sends.
    Sends,
    /// The client keeps receives.
    Receives,
    Both,
}

/// One combination of the three.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mix {
    pub below: Below,
    pub order: CloseOrder,
    pub in_flight: InFlight,
}

impl Mix {
    pub const PLAIN: Mix =
        Mix { below: Below::AtOnce, order: CloseOrder::DeactivateFirst, in_flight: InFlight::None };

    pub fn all() -> impl Iterator<Item = Mix> {
        use {Below as B, CloseOrder as C, InFlight as I};
        let below = [B::AtOnce, B::Pends, B::CompletesEarly];
        let order = [C::DeactivateFirst, C::CompleteFirst];
        let in_flight = [I::None, I::Sends, I::Receives, I::Both];
        below.into_iter().flat_map(move |below| {
            order.into_iter().flat_map(move |order| {
                in_flight.into_iter().map(move |in_flight| Mix { below, order, in_flight })
            })
        })
    }

    pub fn keeps_sends(self) -> bool {
        matches!(self.in_flight, InFlight::Sends | InFlight::Both)
    }

    pub fn keeps_receives(self) -> bool {
        matches!(self.in_flight, InFlight::Receives | InFlight::Both)
    }
}

/// How a callback is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    /// With this status, by the return.
    Done(Status),
    /// Pended, and completed from the kit's lane.
    Pends(Status),
    /// Pended, and completed before the return.
    Early(Status),
    /// Pended, until the test calls [`Kit::finish`].
    Hold,
}

type Held = (&'static str, Box<dyn FnOnce(Status) + Send>);

/// What the drivers of a world share: the script, and the books.
pub struct Kit {
    runtime: Arc<dyn Runtime>,
    lane: Lane,
    pub mix: Mix,
    replies: Mutex<BTreeMap<&'static str, Reply>>,
    flags: Mutex<BTreeSet<&'static str>>,
    held: Mutex<VecDeque<Held>>,
    visits: Mutex<BTreeMap<&'static str, u32>>,
    armed: Mutex<Option<&'static str>>,
    pub sent: AtomicU64,
    pub completed: AtomicU64,
    pub indicated: AtomicU64,
    pub returned: AtomicU64,
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A planted panic may unwind through a driver's own lock, whose data stays whole.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Kit {
    pub fn new(runtime: Arc<dyn Runtime>, mix: Mix) -> Arc<Kit> {
        let lane = runtime.open_lane("kit");
        Arc::new(Kit {
            runtime,
            lane,
            mix,
            replies: Mutex::default(),
            flags: Mutex::default(),
            held: Mutex::default(),
            visits: Mutex::default(),
            armed: Mutex::default(),
            sent: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            indicated: AtomicU64::new(0),
            returned: AtomicU64::new(0),
        })
    }

    /// Runs `job` later, from nobody's stack.
    pub fn later(&self, job: impl FnOnce() + Send + 'static) {
        self.runtime.defer(self.lane, Box::new(job));
    }

    /// From now on the callback `name` is answered so.
    pub fn set(&self, name: &'static str, reply: Reply) {
        lock(&self.replies).insert(name, reply);
    }

    pub fn unset(&self, name: &'static str) {
        lock(&self.replies).remove(name);
    }

    pub fn reply_or(&self, name: &'static str, default: Reply) -> Reply {
        lock(&self.replies).get(name).copied().unwrap_or(default)
    }

    pub fn reply(&self, name: &'static str) -> Reply {
        self.reply_or(name, Reply::Done(Status::SUCCESS))
    }

    /// How the hardware answers.
    pub fn below(&self, name: &'static str) -> Reply {
        let default = match self.mix.below {
            Below::AtOnce => Reply::Done(Status::SUCCESS),
            Below::Pends => Reply::Pends(Status::SUCCESS),
            Below::CompletesEarly => Reply::Early(Status::SUCCESS),
        };
        self.reply_or(name, default)
    }

    pub fn flag(&self, name: &'static str) -> bool {
        lock(&self.flags).contains(name)
    }

    pub fn raise(&self, name: &'static str) {
        lock(&self.flags).insert(name);
    }

    pub fn lower(&self, name: &'static str) {
        lock(&self.flags).remove(name);
    }

    /// Answers a callback as the script says.
    pub fn answer<'a, O: Op>(
        &self,
        name: &'static str,
        reply: Reply,
        token: Token<'a, O>,
        answer: impl FnOnce(Status) -> AnswerOf<O> + Send + 'static,
    ) -> Answer<'a, O>
    where
        condis::token::Pended<O>: Send,
    {
        match reply {
            Reply::Done(status) => token.done(answer(status)),
            Reply::Pends(status) => {
                let (pended, pending) = token.pend();
                self.later(move || pended.complete(answer(status)));
                pending
            }
            Reply::Early(status) => {
                let (pended, pending) = token.pend();
                pended.complete(answer(status));
                pending
            }
            Reply::Hold => {
                let (pended, pending) = token.pend();
                self.hold(name, move |status| pended.complete(answer(status)));
                pending
            }
        }
    }

    pub fn hold(&self, name: &'static str, complete: impl FnOnce(Status) + Send + 'static) {
        lock(&self.held).push_back((name, Box::new(complete)));
    }

    /// Completes the oldest operation that is held under `name`.
    pub fn finish(&self, name: &'static str, status: Status) {
        let held = {
            let mut held = lock(&self.held);
            let index = held.iter().position(|(other, _)| *other == name);
            index.and_then(|index| held.remove(index))
        };
        let (_, complete) = held.unwrap_or_else(|| panic!("nothing is held under {name}"));
        complete(status);
    }

    pub fn holds(&self, name: &'static str) -> bool {
        lock(&self.held).iter().any(|(other, _)| *other == name)
    }

    /// Every callback of the kit begins here: it counts, and it panics if it is its turn.
    pub fn at(&self, name: &'static str) {
        *lock(&self.visits).entry(name).or_default() += 1;
        let armed = {
            let mut armed = lock(&self.armed);
            if *armed == Some(name) { armed.take() } else { None }
        };
        if armed.is_some() {
            panic!("planted in {name}");
        }
    }

    /// The next time that the callback `name` runs it panics, once.
    pub fn arm(&self, name: &'static str) {
        *lock(&self.armed) = Some(name);
    }

    /// True while a planted panic has not gone off.
    pub fn is_armed(&self) -> bool {
        lock(&self.armed).is_some()
    }

    pub fn visits(&self, name: &'static str) -> u32 {
        lock(&self.visits).get(name).copied().unwrap_or(0)
    }

    pub fn visited(&self) -> Vec<&'static str> {
        lock(&self.visits).keys().copied().collect()
    }

    pub fn count(counter: &AtomicU64, by: usize) {
        counter.fetch_add(by as u64, SeqCst);
    }
}

/// `Ok` for SUCCESS.
pub fn result<T>(status: NdisStatus, value: T) -> Result<T, NdisStatus> {
    status.ok().map(|()| value)
}
