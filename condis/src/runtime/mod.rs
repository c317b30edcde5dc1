//! Where time, timers and deferred work come from.
//!
//! The library and every driver take them from a [`Runtime`] and from nowhere else. [`Threads`] runs on real threads and
//! clocks; [`Sim`] is one thread, virtual time and one seed, and replays bit for bit.
//!
//! Work is posted to a *lane*: its jobs run one at a time, in the order of posting. An NDIS instance (a node) has one lane,
//! on which its PASSIVE-level callbacks and everything that a `Drop` causes run. A lane may also carry timers.
//!
//! | | [`Threads`] | [`Sim`] |
//! |---|---|---|
//! | a lane is | a thread | a name: all lanes share one order |
//! | time passes | by itself | when no job is left: it jumps to the next timer |
//! | a timer fires | never early; up to a millisecond late, and by what its lane is busy with | at its nanosecond |
//! | timers that fire together | by millisecond, then in the order of arming | by nanosecond, then in the order of arming |
//! | jobs and due timers of a lane | take turns | all jobs first |
//! | a panic in a job or timer | is counted and reported; the lane goes on | comes out of the call that ran it |
//! | it ends | by [`Threads::shutdown`], or when dropped | when dropped |
//!
//! Neither calls anything of a driver while it holds a lock of its own. Threads that wait in system calls, which only links
//! need, come from [`Threads::spawn_io`]. Random numbers that replay come from [`Random`].

mod random;
mod sim;
mod threads;
mod wheel;

pub use random::Random;
pub use sim::{Journal, Ran, Sim};
pub use threads::{IoThread, PanicReport, Stop, Threads};

use std::fmt;
use std::sync::Weak;
use std::time::Duration;

/// A moment: nanoseconds since the runtime began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

impl Time {
    /// The moment the runtime began.
    pub const ZERO: Time = Time(0);

    /// The moment `ns` nanoseconds after the runtime began.
    pub const fn from_nanos(ns: u64) -> Time {
        Time(ns)
    }

    /// Nanoseconds since the runtime began.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time that passed since `earlier`; zero if `earlier` is not earlier.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The moment `after` this one, at most the last that can be told.
    pub fn after(self, after: Duration) -> Time {
        Time(self.0.saturating_add(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000_000, self.0 % 1_000_000_000 / 1_000)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} s")
    }
}

/// Work to be done once.
pub type Job = Box<dyn FnOnce() + Send>;

/// Names a lane of a runtime.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Lane(pub u32);

/// Names an armed timer. A stale one (fired or cancelled) never hits another timer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TimerId(pub u64);

/// What a timer calls when it fires.
pub trait OnTimer: Send + Sync {
    /// The timer armed with `token` fired. Runs on the lane that it was armed on.
    fn on_timer(&self, token: u64);
}

/// Time, timers and deferred work.
pub trait Runtime: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Time;

    /// Opens a lane. `name` is for logs and thread names.
    fn open_lane(&self, name: &str) -> Lane;

    /// Runs `job` on `lane`, after all that was posted there before, and never inside this call.
    fn defer(&self, lane: Lane, job: Job);

    /// Calls `target.on_timer(token)` on `lane` once `after` has passed, unless cancelled or `target` is gone by then.
    fn arm(&self, lane: Lane, after: Duration, target: Weak<dyn OnTimer>, token: u64) -> TimerId;

    /// Takes a timer back. True if it had not fired and now never will.
    fn cancel(&self, lane: Lane, timer: TimerId) -> bool;

    /// A number that nobody outside can guess on `Threads`, and that follows from the seed on `Sim`. For cookies,
    /// keys and the seeds of random generators.
    fn entropy(&self) -> u64;
}
