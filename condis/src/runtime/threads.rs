//! The runtime on real threads and clocks.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use self::activity::Activity;
use self::io::IoShared;
pub use self::io::{IoThread, Stop};
use self::lane::LaneCore;
pub use self::panics::PanicReport;
use self::panics::Panics;
use self::table::Table;
use super::wheel::Key;
use super::{Job, Lane, OnTimer, Runtime, Time, TimerId};

mod activity;
mod io;
mod lane;
mod panics;
mod table;

/// A runtime on the threads and the monotonic clock of this machine.
///
/// A lane is one thread with a queue and a timer wheel of its own, under one short lock; no lane waits for another. Jobs
/// that were posted and timers that are due take turns, so neither can starve the other. A thread that has nothing to do
/// sleeps until it is posted to or until the next timer.
///
/// Timers tick in milliseconds, and one never fires early. On an idle machine it is late by at most one tick, and by what
/// its lane still ran as it was armed (64 jobs at most): a lane reads the clock once for all timers that are armed meanwhile.
/// Those of one tick fire in the order of arming.
///
/// A job or timer that panics ends, and its lane goes on; see [`Threads::on_panic`]. Dropping the runtime is
/// [`Threads::shutdown`]. The queue of a lane has no bound of its own, as [`Runtime::defer`] cannot refuse: who posts, bounds.
///
/// # Panics
/// The functions of [`Runtime`] panic for a lane that this runtime did not open; [`Runtime::open_lane`] and
/// [`Threads::spawn_io`] if the system gives no thread; [`Runtime::entropy`] if it gives no random number.
pub struct Threads {
    clock: Clock,
    lanes: Table<Arc<LaneCore>>,
    activity: Arc<Activity>,
    panics: Arc<Panics>,
    registry: Mutex<Registry>,
    closed: Condvar,
}

/// The monotonic clock since the runtime began.
#[derive(Clone, Copy)]
struct Clock(Instant);

struct Registry {
    phase: Phase,
    lane_count: u32,
    lane_ids: Vec<ThreadId>,
    lane_threads: Vec<JoinHandle<()>>,
    io_threads: Vec<Weak<IoShared>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Closing,
    Closed,
}

impl Threads {
    /// A runtime without lanes, whose time begins now.
    pub fn new() -> Arc<Threads> {
        Arc::new(Threads {
            clock: Clock::start(),
            lanes: Table::new(),
            activity: Arc::default(),
            panics: Arc::default(),
            registry: Mutex::new(Registry {
                phase: Phase::Open,
                lane_count: 0,
                lane_ids: Vec::new(),
                lane_threads: Vec::new(),
                io_threads: Vec::new(),
            }),
            closed: Condvar::new(),
        })
    }

    /// Starts a thread for a link that waits in system calls, the only threads besides those of the lanes. `f` watches its
    /// [`Stop`] and returns soon after it is told to; until then, whoever stops it waits.
    ///
    /// Once the runtime has shut down no thread is started, and `f` is dropped.
    pub fn spawn_io(&self, name: &str, f: impl FnOnce(Stop) + Send + 'static) -> IoThread {
        let shared = IoShared::new(name, self.panics.clone());
        // The lock is held until the thread is listed, so that a shutdown does not miss it.
        let mut registry = self.registry();
        if registry.phase == Phase::Open {
            registry.io_threads.retain(|thread| thread.strong_count() > 0);
            registry.io_threads.push(Arc::downgrade(&shared));
            let running = shared.clone();
            shared.started(spawn(name, move || running.run(f)));
        } else {
            shared.refused();
        }
        drop(registry);
        IoThread::new(shared)
    }

    /// Stops the I/O threads, takes no more jobs, runs those that were posted, and joins all threads. Timers fire no more.
    ///
    /// A job that comes later is dropped unrun, and counted in [`Threads::refused_count`]: also one that is posted by a job
    /// that still runs, since a shutdown must end. So shut down what uses the runtime first. Called on a thread of this
    /// runtime it joins all but that one, which ends by itself. Whoever calls it a second time waits for the first, unless
    /// on a thread of this runtime.
    pub fn shutdown(&self) {
        let me = thread::current().id();
        let mut registry = self.registry();
        let io_threads: Vec<_> = registry.io_threads.iter().filter_map(Weak::upgrade).collect();
        if registry.phase != Phase::Open {
            let ours = registry.lane_ids.contains(&me) || io_threads.iter().any(|thread| thread.is_current());
            while !ours && registry.phase != Phase::Closed {
                registry = self.closed.wait(registry).unwrap_or_else(PoisonError::into_inner);
            }
            return;
        }
        registry.phase = Phase::Closing;
        drop(registry);

        // First those who post from outside, so that their last words are still heard.
        for thread in io_threads {
            thread.stop();
        }
        let mut registry = self.registry();
        (0..registry.lane_count).for_each(|lane| self.lane(Lane(lane)).close());
        let lane_threads = std::mem::take(&mut registry.lane_threads);
        drop(registry);
        for thread in lane_threads.into_iter().filter(|handle| handle.thread().id() != me) {
            // A lane catches every panic; if one got through all the same, its thread has ended, which is what we wait for.
            let _ = thread.join();
        }
        self.registry().phase = Phase::Closed;
        self.closed.notify_all();
    }

    /// Waits until every lane has an empty queue and runs nothing. Armed timers do not count, nor do I/O threads. False if
    /// `timeout` was over before. On a lane it cannot come true, as that lane runs something.
    pub fn wait_idle(&self, timeout: Duration) -> bool {
        self.activity.wait_idle(timeout)
    }

    /// Sets what is told of each panic in a job, a timer or an I/O thread, in place of a line on standard error. It runs on
    /// the thread that panicked. The panic hook of the process has run before.
    pub fn on_panic(&self, hook: impl Fn(&PanicReport<'_>) + Send + Sync + 'static) {
        self.panics.set_hook(Box::new(hook));
    }

    /// How many jobs, timers and I/O threads have panicked.
    pub fn panic_count(&self) -> u64 {
        self.panics.count()
    }

    /// How many jobs were dropped unrun, because they were posted after [`Threads::shutdown`] began.
    pub fn refused_count(&self) -> u64 {
        let lanes = self.registry().lane_count;
        (0..lanes).map(|lane| self.lane(Lane(lane)).refused_count()).sum()
    }

    fn lane(&self, lane: Lane) -> &Arc<LaneCore> {
        match self.lanes.get(lane.0) {
            Some(core) => core,
            None => panic!("lane {} was not opened on this runtime", lane.0),
        }
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runtime for Threads {
    fn now(&self) -> Time {
        self.clock.now()
    }

    fn open_lane(&self, name: &str) -> Lane {
        let mut registry = self.registry();
        let lane = Lane(registry.lane_count);
        let core = LaneCore::new(name, self.clock, self.activity.clone(), self.panics.clone());
        if registry.phase == Phase::Open {
            let running = core.clone();
            core.starts();
            let thread = spawn(name, move || running.run());
            registry.lane_ids.push(thread.thread().id());
            registry.lane_threads.push(thread);
        } else {
            core.close();
        }
        self.lanes.set(lane.0, core);
        registry.lane_count += 1;
        lane
    }

    fn defer(&self, lane: Lane, job: Job) {
        self.lane(lane).defer(job);
    }

    fn arm(&self, lane: Lane, after: Duration, target: Weak<dyn OnTimer>, token: u64) -> TimerId {
        TimerId(self.lane(lane).arm(after, target, token).to_bits())
    }

    fn cancel(&self, lane: Lane, timer: TimerId) -> bool {
        self.lane(lane).cancel(Key::from_bits(timer.0))
    }

    fn entropy(&self) -> u64 {
        getrandom::u64().expect("the system has random numbers")
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lanes, now) = (self.registry().lane_count, self.clock.now());
        write!(f, "threads at {now:?}: {lanes} lanes, {} panics", self.panic_count())
    }
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this clock is where the runtime's time comes from")]
    fn start() -> Clock {
        Clock(Instant::now())
    }

    fn now(self) -> Time {
        Time::ZERO.after(self.0.elapsed())
    }
}

#[expect(clippy::disallowed_methods, reason = "all threads of the runtime are started here")]
fn spawn(name: &str, f: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    // The system takes no name with a zero in it.
    let name = name.replace('\0', "");
    thread::Builder::new().name(name).spawn(f).expect("the system has a thread left")
}

#[cfg(test)]
mod tests;
