//! Timers of the thread runtime while 1,000,000 are armed: one operation arms a timer and cancels one.
//!
//! Beneath lies a bare hashed wheel (`floors/wheel.rs`); beside it stands tokio-util's `DelayQueue`. Both, like ours, hold a
//! `Weak` target and a token for each timer, get it cloned for them, and drop it on cancel. No timer comes due in the run.
//!
//! What is cancelled:
//! - *at once*: the timer just armed, while all else lies still. All is in the cache; it shows the work itself.
//! - *oldest*: the one armed first, as with one timeout for all; memory is read in order.
//! - *random*: any, from memory in no order, as when many calls each have their timers. Cold lines cost most, and whatever
//!   orders memory accesses (a lock, a clock) keeps the processor from fetching those of the next operation meanwhile. The
//!   floor has nothing of the kind, so it runs several operations at a time, which no timer behind a lock can.
//!
//! Where ours runs:
//! - *on the lane*: in its jobs, [`OPERATIONS`] in each, which is where protocols arm theirs. Posting the jobs and placing
//!   the timers afterwards is in the time. A timer that is cancelled by the job that armed it never gets a deadline there:
//!   the clock and the slot are spared, so *at once* on the lane measures less work than the floor does, plus two locks.
//! - *from outside*: on another thread, while the lane sleeps. Each timer then needs a reading of the clock.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use condis::runtime::{Lane, OnTimer, Random, Runtime, Threads, TimerId};
use tokio_util::time::{DelayQueue, delay_queue};

use crate::harness::{Harness, Target};
use crate::wheel::HashedWheel;

mod harness;
#[path = "floors/wheel.rs"]
mod wheel;

/// Deadlines lie between ten minutes and an hour ahead, in milliseconds.
const AFTER_MIN: u64 = 600_000;
const AFTER_SPAN: u64 = 3_000_000;
/// Operations of one job: a batch of packets, say, each of which restarts a timer.
const OPERATIONS: u64 = 32;

fn main() {
    let mut harness = Harness::from_env("timers: arm + cancel with many armed");
    let armed = harness.size(1_000_000, 1_000);
    let target: Arc<dyn OnTimer> = Arc::new(Never);
    let target = Arc::downgrade(&target);
    let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a tokio runtime");
    let _tokio = tokio.enter();

    let threads = Threads::new();
    let floor = || Floor { wheel: HashedWheel::new(), target: target.clone(), clock: None };
    let clocked = || Floor { clock: Some(threads.clone()), ..floor() };
    let queue = || Queue { queue: DelayQueue::new(), target: target.clone() };
    // A lane of its own each time, so that no wheel carries another one's timers or their disorder.
    let ours = || Ours { runtime: threads.clone(), lane: threads.open_lane("bench"), target: target.clone() };

    for (name, pick) in [("at once", Pick::AtOnce), ("oldest", Pick::Oldest), ("random", Pick::Random)] {
        let (wheel, tokio) = (Target::AtMost(2.0), Target::AtMost(0.25));
        let mut base = Load::new(floor(), armed, pick);
        let mine = OnLane::new(Load::new(ours(), armed, pick));
        harness.compare(&format!("{name}: wheel, on the lane"), wheel, |n| base.run(n), |n| mine.run(n));
        let mut mine = Load::new(ours(), armed, pick);
        harness.compare(&format!("{name}: wheel, from outside"), wheel, |n| base.run(n), |n| mine.run(n));
        let mut base = Load::new(clocked(), armed, pick);
        let title = format!("{name}: wheel + clock, from outside");
        harness.compare(&title, Target::None, |n| base.run(n), |n| mine.run(n));

        let mut base = Load::new(queue(), armed, pick);
        let mine = OnLane::new(Load::new(ours(), armed, pick));
        harness.compare(&format!("{name}: DelayQueue, on the lane"), tokio, |n| base.run(n), |n| mine.run(n));
        let mut mine = Load::new(ours(), armed, pick);
        harness.compare(
            &format!("{name}: DelayQueue, from outside"),
            tokio,
            |n| base.run(n),
            |n| mine.run(n),
        );
    }
    harness.finish();
}

/// Something that timers are armed on.
trait Timers {
    type Id: Copy;

    fn arm(&mut self, after_ms: u64, token: u64) -> Self::Id;
    fn cancel(&mut self, id: Self::Id);
}

struct Floor {
    wheel: HashedWheel<dyn OnTimer>,
    target: Weak<dyn OnTimer>,
    clock: Option<Arc<Threads>>,
}

impl Timers for Floor {
    type Id = u32;

    fn arm(&mut self, after_ms: u64, token: u64) -> u32 {
        if let Some(clock) = &self.clock {
            std::hint::black_box(clock.now());
        }
        self.wheel.arm(after_ms, self.target.clone(), token)
    }

    fn cancel(&mut self, id: u32) {
        assert!(self.wheel.cancel(id).is_some());
    }
}

struct Ours {
    runtime: Arc<Threads>,
    lane: Lane,
    target: Weak<dyn OnTimer>,
}

impl Timers for Ours {
    type Id = TimerId;

    fn arm(&mut self, after_ms: u64, token: u64) -> TimerId {
        self.runtime.arm(self.lane, Duration::from_millis(after_ms), self.target.clone(), token)
    }

    fn cancel(&mut self, id: TimerId) {
        assert!(self.runtime.cancel(self.lane, id));
    }
}

struct Queue {
    queue: DelayQueue<(Weak<dyn OnTimer>, u64)>,
    target: Weak<dyn OnTimer>,
}

impl Timers for Queue {
    type Id = delay_queue::Key;

    fn arm(&mut self, after_ms: u64, token: u64) -> delay_queue::Key {
        self.queue.insert((self.target.clone(), token), Duration::from_millis(after_ms))
    }

    fn cancel(&mut self, id: delay_queue::Key) {
        drop(self.queue.remove(&id));
    }
}

/// Which timer an operation cancels.
#[derive(Clone, Copy)]
enum Pick {
    Random,
    Oldest,
    AtOnce,
}

/// Timers with so many armed, and the generator that says what comes next.
struct Load<T: Timers> {
    timers: T,
    ids: Vec<T::Id>,
    next: usize,
    pick: Pick,
    random: Random,
}

impl<T: Timers> Load<T> {
    fn new(mut timers: T, armed: usize, pick: Pick) -> Load<T> {
        let mut random = Random::new(1);
        let mut ids: Vec<T::Id> =
            (0..armed as u64).map(|token| timers.arm(AFTER_MIN + random.below(AFTER_SPAN), token)).collect();
        // As after a long run: where an entry lies says nothing about where its neighbours in time do.
        let shuffles = if let Pick::Random = pick { 2 * armed as u64 } else { 0 };
        for token in 0..shuffles {
            let nth = random.below(armed as u64) as usize;
            timers.cancel(ids[nth]);
            ids[nth] = timers.arm(AFTER_MIN + random.below(AFTER_SPAN), token);
        }
        Load { timers, ids, next: 0, pick, random }
    }

    fn run(&mut self, operations: u64) {
        for token in 0..operations {
            let after = AFTER_MIN + self.random.below(AFTER_SPAN);
            let nth = match self.pick {
                Pick::AtOnce => {
                    let id = self.timers.arm(after, token);
                    self.timers.cancel(id);
                    continue;
                }
                Pick::Random => self.random.below(self.ids.len() as u64) as usize,
                Pick::Oldest => {
                    self.next = (self.next + 1) % self.ids.len();
                    self.next
                }
            };
            self.timers.cancel(self.ids[nth]);
            self.ids[nth] = self.timers.arm(after, token);
        }
    }
}

/// A load that runs in jobs of its lane.
struct OnLane {
    runtime: Arc<Threads>,
    load: Arc<Mutex<Load<Ours>>>,
}

impl OnLane {
    fn new(load: Load<Ours>) -> OnLane {
        OnLane { runtime: load.timers.runtime.clone(), load: Arc::new(Mutex::new(load)) }
    }

    fn run(&self, operations: u64) {
        OnLane::job(self.load.clone(), operations);
        assert!(self.runtime.wait_idle(Duration::from_secs(600)));
    }

    /// Posts a job that does some of what is to be done, and then posts the rest.
    fn job(load: Arc<Mutex<Load<Ours>>>, operations: u64) {
        let (runtime, lane) = {
            let load = load.lock().expect("no operation panics");
            (load.timers.runtime.clone(), load.timers.lane)
        };
        let job = move || {
            let now = operations.min(OPERATIONS);
            load.lock().expect("no operation panics").run(now);
            if operations > now {
                OnLane::job(load, operations - now);
            }
        };
        runtime.defer(lane, Box::new(job));
    }
}

/// What the timers call; none fires.
struct Never;

impl OnTimer for Never {
    fn on_timer(&self, token: u64) {
        unreachable!("timer {token} came due");
    }
}
