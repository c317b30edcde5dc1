//! One lane: a thread with a queue and a timer wheel.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::super::wheel::{Key, Wheel};
use super::super::{Job, OnTimer, Time};
use super::{Activity, Clock, Panics};

/// A tick of the timer wheel, in nanoseconds.
const TICK: u64 = 1_000_000;
/// How many timers are moved in the wheel under one hold of the lock: some ten microseconds' worth.
const MOVED_MAX: usize = 512;
/// How many jobs run between two looks at the clock.
const JOBS_MAX: usize = 64;
/// How many places an empty queue keeps for the next burst.
const QUEUE_KEPT: usize = 1024;

/// What a lane's thread and those who post to it share.
pub(super) struct LaneCore {
    name: Box<str>,
    clock: Clock,
    state: Mutex<State>,
    wake: Condvar,
    refused: AtomicU64,
    activity: Arc<Activity>,
    panics: Arc<Panics>,
}

struct State {
    jobs: VecDeque<Job>,
    timers: Wheel<Timer>,
    /// The tick that the thread sleeps until; `u64::MAX` if only a wake-up ends its sleep, 0 while it is awake.
    sleeps_until: u64,
    closing: bool,
}

struct Timer {
    target: Weak<dyn OnTimer>,
    token: u64,
}

impl LaneCore {
    pub(super) fn new(
        name: &str,
        clock: Clock,
        activity: Arc<Activity>,
        panics: Arc<Panics>,
    ) -> Arc<LaneCore> {
        Arc::new(LaneCore {
            name: name.into(),
            clock,
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                timers: Wheel::new(),
                sleeps_until: 0,
                closing: false,
            }),
            wake: Condvar::new(),
            refused: AtomicU64::new(0),
            activity,
            panics,
        })
    }

    /// Says that a thread will [`LaneCore::run`] this lane: from now on it counts as awake.
    pub(super) fn starts(&self) {
        self.activity.wakes();
    }

    /// The life of the lane's thread.
    pub(super) fn run(&self) {
        let mut jobs = VecDeque::new();
        let mut state = self.state();
        loop {
            // First what is due now, then some of what was posted up to now, then again: neither starves the other.
            let now = self.clock.now();
            let all_placed = state.timers.place_new(|after| tick_after(now, after), MOVED_MAX);
            let all_moved = state.timers.advance(now.as_nanos() / TICK, MOVED_MAX);
            while !state.closing
                && let Some((_, _, timer)) = state.timers.pop_due()
            {
                // It left the wheel under the lock and runs without: who cancels later is told that it fired.
                drop(state);
                self.panics.guard(&self.name, || timer.fire());
                state = self.state();
            }
            if jobs.is_empty() {
                std::mem::swap(&mut jobs, &mut state.jobs);
            }
            if !jobs.is_empty() {
                drop(state);
                let count = jobs.len().min(JOBS_MAX);
                jobs.drain(..count).for_each(|job| self.panics.guard(&self.name, job));
                if jobs.is_empty() {
                    jobs.shrink_to(QUEUE_KEPT);
                }
                state = self.state();
            } else if state.closing {
                break;
            } else if all_placed && all_moved && !state.timers.has_new() {
                state = self.sleep(state);
            }
        }
        drop(state);
        self.activity.falls_asleep();
    }

    pub(super) fn defer(&self, job: Job) {
        let mut state = self.state();
        if state.closing {
            drop(state);
            self.refused.fetch_add(1, Ordering::Relaxed);
            // The job is dropped without the lock, for what it holds may post from its own drop.
            return;
        }
        state.jobs.push_back(job);
        self.wake(state);
    }

    /// Arms a timer. While the thread is awake nobody reads the clock for it: the thread does, once for all that were armed
    /// since it did last, before it looks for due timers and before it sleeps. The clock is the dearest part of arming, and
    /// to count from a later moment never makes a timer early.
    pub(super) fn arm(&self, after: Duration, target: Weak<dyn OnTimer>, token: u64) -> Key {
        let after = after.as_secs().saturating_mul(1_000_000_000).saturating_add(after.subsec_nanos().into());
        let timer = Timer { target, token };
        let mut state = self.state();
        if state.sleeps_until == 0 {
            return state.timers.arm_new(after, timer);
        }
        let at = tick_after(self.clock.now(), after);
        let key = state.timers.arm(at, timer);
        if at < state.sleeps_until {
            self.wake(state);
        }
        key
    }

    pub(super) fn cancel(&self, key: Key) -> bool {
        let timer = self.state().timers.cancel(key);
        timer.is_some()
    }

    /// Takes no more jobs, and ends the thread once those that are there have run.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closing = true;
        self.wake(state);
    }

    pub(super) fn refused_count(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Wakes the thread if it sleeps.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        if state.sleeps_until != 0 {
            // From now on it counts as awake, so only one of those who post to a sleeping thread pays for the wake-up.
            state.sleeps_until = 0;
            self.activity.wakes();
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Sleeps until the next timer may be due or until somebody wakes the thread.
    fn sleep<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let next = state.timers.next_advance();
        state.sleeps_until = next.unwrap_or(u64::MAX);
        self.activity.falls_asleep();
        let mut state = match next {
            Some(tick) => {
                let span = tick.saturating_mul(TICK).saturating_sub(self.clock.now().as_nanos());
                let span = Duration::from_nanos(span);
                self.wake.wait_timeout(state, span).unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
        };
        // Nobody woke it: it is the time, or the system woke it for nothing. The caller looks.
        if state.sleeps_until != 0 {
            state.sleeps_until = 0;
            self.activity.wakes();
        }
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing of a driver runs under this lock, so a panic cannot leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first tick at which `after` nanoseconds have passed since `now`.
fn tick_after(now: Time, after: u64) -> u64 {
    now.as_nanos().saturating_add(after).div_ceil(TICK)
}

impl Timer {
    fn fire(self) {
        if let Some(target) = self.target.upgrade() {
            target.on_timer(self.token);
        }
    }
}
