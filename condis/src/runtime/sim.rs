//! The simulation: one thread, virtual time, one seed.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::wheel::{Key, Wheel};
use super::{Job, Lane, OnTimer, Random, Runtime, Time, TimerId};

/// A runtime in which time passes only when nothing is left to do.
///
/// Nothing runs by itself: whoever holds the simulation calls [`Sim::step`] or one of the `run_*` functions, on one thread.
/// An event is one job or one timer. The next event is
///
/// 1. the job that was deferred first, whatever its lane; a job never waits for time, so it belongs to the instant, and comes
///    right after the event that caused it and what was deferred before;
/// 2. when no job is left, the timer with the earliest deadline, and of those the one that was armed first. The clock then
///    jumps to the deadline, to the nanosecond.
///
/// So the seed alone decides the order of all events, and a run replays from it. [`Sim::journal`] is a fingerprint of the run.
///
/// A panic in a job or a timer comes out of the function that ran it, and the simulation can go on. A job that holds the
/// `Arc` of its own simulation and never runs keeps both alive: jobs hold what they need weakly.
pub struct Sim {
    seed: u64,
    state: Mutex<State>,
}

/// Why a `run_*` function of a [`Sim`] returned.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ran {
    /// Nothing is left: no job, and no timer is armed.
    Idle,
    /// The time was up, and there was more to do. The clock stands at the end of that time.
    StillBusy,
    /// [`Sim::INSTANT_EVENTS_MAX`] events ran in one instant and there were more, so time would never have passed.
    Spinning,
}

/// A fingerprint of a run: how many events ran, and a hash of when each ran, on which lane, and what it was.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Journal {
    /// How many jobs and timers have run.
    pub events: u64,
    /// The hash over all of them, in order.
    pub hash: u64,
}

struct State {
    now: Time,
    jobs: VecDeque<(Lane, Job)>,
    timers: Wheel<Timer>,
    lane_count: u32,
    entropy: Random,
    journal: Journal,
    /// An event runs at the moment.
    running: bool,
    /// How many events have run in the present instant.
    instant_events: u64,
}

struct Timer {
    lane: Lane,
    target: Weak<dyn OnTimer>,
    token: u64,
}

enum Event {
    Job(Job),
    Timer(Timer),
}

/// What [`Sim::step_before`] found.
enum Step {
    Ran,
    Nothing,
    Later,
}

impl Sim {
    /// How many events may run in one instant before a `run_*` function gives up: some ten times what the largest
    /// self-clocked chain of sends in the tests needs.
    pub const INSTANT_EVENTS_MAX: u64 = 10_000_000;

    /// A simulation at [`Time::ZERO`] in which all that is random follows from `seed`.
    pub fn new(seed: u64) -> Arc<Sim> {
        Arc::new(Sim {
            seed,
            state: Mutex::new(State {
                now: Time::ZERO,
                jobs: VecDeque::new(),
                timers: Wheel::new(),
                lane_count: 0,
                entropy: Random::stream(seed, 0),
                journal: Journal { events: 0, hash: 0 },
                running: false,
                instant_events: 0,
            }),
        })
    }

    /// The seed that this simulation was made from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Runs the next event. False if there is none.
    ///
    /// # Panics
    /// If called from a job or a timer, or from a second thread while an event runs: no event runs inside another.
    pub fn step(&self) -> bool {
        matches!(self.step_before(Time::from_nanos(u64::MAX)), Step::Ran)
    }

    /// Runs events until none is left, for at most `limit` of virtual time. What is due at the limit still runs.
    ///
    /// # Panics
    /// As [`Sim::step`].
    pub fn run_until_idle(&self, limit: Duration) -> Ran {
        self.run(limit, || false).unwrap_or(Ran::Idle)
    }

    /// Runs all events of the next `span` of virtual time, and lets the clock stand at its end.
    ///
    /// # Panics
    /// As [`Sim::step`].
    pub fn run_for(&self, span: Duration) -> Ran {
        let end = self.now().after(span);
        let ran = self.run_until_idle(span);
        if ran == Ran::Idle {
            self.state().pass_to(end);
        }
        ran
    }

    /// Runs events until `done` says so, which is asked before the first event and after each. False if it did not say so
    /// before nothing was left, `limit` of virtual time was over, or time stood still.
    ///
    /// # Panics
    /// As [`Sim::step`].
    pub fn run_until(&self, done: impl FnMut() -> bool, limit: Duration) -> bool {
        self.run(limit, done).is_none()
    }

    /// A random generator for one link, say: those of different `stream`s are independent of each other, and what one
    /// user draws does not change what another gets.
    pub fn rng(&self, stream: u64) -> Random {
        // Stream 0 feeds `entropy`.
        Random::stream(self.seed, stream.wrapping_add(1))
    }

    /// The fingerprint of the run up to now. Two runs of one program from one seed have the same.
    pub fn journal(&self) -> Journal {
        self.state().journal
    }

    /// Mixes `word` into the journal: what a user of the simulation wants to see replayed as well.
    pub fn note(&self, word: u64) {
        self.state().journal.mix(word);
    }

    /// How many timers are armed.
    pub fn timer_count(&self) -> usize {
        self.state().timers.len()
    }

    /// Runs events until `done`, which gives `None`, or until another reason.
    fn run(&self, limit: Duration, mut done: impl FnMut() -> bool) -> Option<Ran> {
        let end = self.now().after(limit);
        loop {
            if done() {
                return None;
            }
            if self.state().instant_events >= Sim::INSTANT_EVENTS_MAX {
                self.state().instant_events = 0;
                return Some(Ran::Spinning);
            }
            match self.step_before(end) {
                Step::Ran => {}
                Step::Nothing => return Some(Ran::Idle),
                Step::Later => {
                    self.state().pass_to(end);
                    return Some(Ran::StillBusy);
                }
            }
        }
    }

    /// Runs the next event unless it comes later than `end`.
    fn step_before(&self, end: Time) -> Step {
        let event = {
            let mut state = self.state();
            assert!(
                !state.running,
                "an event of the simulation runs at the moment, and none runs inside another"
            );
            match state.next_event(end) {
                Ok(event) => {
                    state.running = true;
                    event
                }
                Err(step) => return step,
            }
        };
        let _running = Running(self);
        match event {
            Event::Job(job) => job(),
            Event::Timer(timer) => {
                if let Some(target) = timer.target.upgrade() {
                    target.on_timer(timer.token);
                }
            }
        }
        Step::Ran
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No driver's code runs under this lock, so a panic cannot leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runtime for Sim {
    fn now(&self) -> Time {
        self.state().now
    }

    fn open_lane(&self, _name: &str) -> Lane {
        let mut state = self.state();
        state.lane_count += 1;
        Lane(state.lane_count - 1)
    }

    fn defer(&self, lane: Lane, job: Job) {
        let mut state = self.state();
        state.check(lane);
        state.jobs.push_back((lane, job));
    }

    fn arm(&self, lane: Lane, after: Duration, target: Weak<dyn OnTimer>, token: u64) -> TimerId {
        let mut state = self.state();
        state.check(lane);
        let at = state.now.after(after).as_nanos();
        TimerId(state.timers.arm(at, Timer { lane, target, token }).to_bits())
    }

    fn cancel(&self, _lane: Lane, timer: TimerId) -> bool {
        self.state().timers.cancel(Key::from_bits(timer.0)).is_some()
    }

    fn entropy(&self) -> u64 {
        self.state().entropy.next_u64()
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        let (jobs, timers) = (state.jobs.len(), state.timers.len());
        write!(f, "simulation with seed {} at {:?}: {jobs} jobs, {timers} timers", self.seed, state.now)
    }
}

impl State {
    fn next_event(&mut self, end: Time) -> Result<Event, Step> {
        if let Some((lane, job)) = self.jobs.pop_front() {
            self.record(lane, 0, 0);
            return Ok(Event::Job(job));
        }
        loop {
            if let Some((_, at, timer)) = self.timers.pop_due() {
                self.pass_to(Time::from_nanos(at));
                self.record(timer.lane, 1, timer.token);
                return Ok(Event::Timer(timer));
            }
            // The wheel may stop several times on the way to a far deadline; the clock moves with the event only.
            let next = self.timers.next_advance().ok_or(Step::Nothing)?;
            if next > end.as_nanos() {
                return Err(Step::Later);
            }
            self.timers.advance(next, usize::MAX);
        }
    }

    fn pass_to(&mut self, now: Time) {
        if now > self.now {
            self.now = now;
            self.instant_events = 0;
        }
    }

    fn record(&mut self, lane: Lane, kind: u64, token: u64) {
        self.instant_events += 1;
        self.journal.events += 1;
        self.journal.mix(self.now.as_nanos());
        self.journal.mix(u64::from(lane.0) << 1 | kind);
        self.journal.mix(token);
    }

    fn check(&self, lane: Lane) {
        assert!(lane.0 < self.lane_count, "lane {} was not opened on this simulation", lane.0);
    }
}

impl Journal {
    fn mix(&mut self, word: u64) {
        self.hash = Random::new(self.hash ^ word).next_u64();
    }
}

impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events, {:016x}", self.events, self.hash)
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Ends the running of an event, also when it panics.
struct Running<'a>(&'a Sim);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.state().running = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const FOR_EVER: Duration = Duration::MAX;

    /// Writes down what happens when, and what a token asks for it does.
    struct Log {
        sim: Arc<Sim>,
        lane: Lane,
        lines: Mutex<Vec<(u64, String)>>,
    }

    impl Log {
        fn new(seed: u64) -> Arc<Log> {
            let sim = Sim::new(seed);
            let lane = sim.open_lane("test");
            Arc::new(Log { sim, lane, lines: Mutex::default() })
        }

        fn write(&self, line: impl Into<String>) {
            self.lines.lock().unwrap().push((self.sim.now().as_nanos(), line.into()));
        }

        fn defer(self: &Arc<Log>, job: impl FnOnce(&Arc<Log>) + Send + 'static) {
            let log = Arc::downgrade(self);
            self.sim.defer(self.lane, Box::new(move || job(&log.upgrade().unwrap())));
        }

        fn arm(self: &Arc<Log>, after: Duration, token: u64) -> TimerId {
            let target: Weak<Log> = Arc::downgrade(self);
            self.sim.arm(self.lane, after, target, token)
        }

        fn lines(&self) -> String {
            let lines = self.lines.lock().unwrap();
            lines.iter().map(|(at, line)| format!("{at} {line}\n")).collect()
        }
    }

    impl OnTimer for Log {
        fn on_timer(&self, token: u64) {
            self.write(format!("timer {token}"));
        }
    }

    #[test]
    fn jobs_run_in_order_of_posting_and_never_inside_defer() {
        let log = Log::new(1);
        log.defer(|log| {
            log.write("a");
            log.defer(|log| log.write("c"));
            log.write("a ends");
        });
        log.defer(|log| log.write("b"));
        assert_eq!(log.lines(), "");
        assert_eq!(log.sim.run_until_idle(Duration::ZERO), Ran::Idle);
        assert_eq!(log.lines(), "0 a\n0 a ends\n0 b\n0 c\n");
        assert!(!log.sim.step());
    }

    /// Two timers of one instant, the first of which defers work.
    struct Deferring(Arc<Log>);

    impl OnTimer for Deferring {
        fn on_timer(&self, token: u64) {
            self.0.on_timer(token);
            self.0.defer(move |log| log.write(format!("deferred by {token}")));
            self.0.arm(Duration::ZERO, token + 10);
        }
    }

    #[test]
    fn what_an_event_defers_comes_before_the_next_timer_of_the_instant() {
        let log = Log::new(1);
        let target = Arc::new(Deferring(log.clone()));
        for token in [1, 2] {
            let target: Weak<Deferring> = Arc::downgrade(&target);
            log.sim.arm(log.lane, MS, target, token);
        }
        assert_eq!(log.sim.run_until_idle(FOR_EVER), Ran::Idle);
        let expected = ["timer 1", "deferred by 1", "timer 2", "deferred by 2", "timer 11", "timer 12"];
        assert_eq!(log.lines(), expected.map(|line| format!("1000000 {line}\n")).concat());
    }

    #[test]
    fn timers_fire_at_their_nanosecond_by_deadline_and_then_by_arming() {
        let log = Log::new(1);
        for (after, token) in [(900_001, 1), (900_000, 2), (5, 3), (900_000, 4), (u64::MAX, 5), (0, 6)] {
            log.arm(Duration::from_nanos(after), token);
        }
        assert_eq!(log.sim.run_until_idle(FOR_EVER), Ran::Idle);
        let expected = format!(
            "0 timer 6\n5 timer 3\n900000 timer 2\n900000 timer 4\n900001 timer 1\n{} timer 5\n",
            u64::MAX
        );
        assert_eq!(log.lines(), expected);
    }

    #[test]
    fn a_cancelled_timer_never_fires_and_cancel_tells_the_truth() {
        let log = Log::new(1);
        let (kept, cancelled) = (log.arm(MS, 1), log.arm(MS, 2));
        assert!(log.sim.cancel(log.lane, cancelled));
        assert!(!log.sim.cancel(log.lane, cancelled));
        assert_eq!(log.sim.run_until_idle(FOR_EVER), Ran::Idle);
        assert!(!log.sim.cancel(log.lane, kept), "it fired");
        assert_eq!(log.lines(), "1000000 timer 1\n");
        assert_eq!(log.sim.timer_count(), 0);
    }

    #[test]
    fn a_timer_whose_target_is_gone_does_nothing() {
        let log = Log::new(1);
        let sim = log.sim.clone();
        log.arm(MS, 1);
        drop(log);
        assert_eq!(sim.run_until_idle(FOR_EVER), Ran::Idle);
        assert_eq!(sim.journal().events, 1);
    }

    #[test]
    fn time_passes_as_far_as_told() {
        let log = Log::new(1);
        log.arm(3 * MS, 3);
        log.arm(8 * MS, 8);
        assert_eq!(log.sim.run_for(3 * MS), Ran::StillBusy);
        assert_eq!(log.lines(), "3000000 timer 3\n", "what is due at the end of the span belongs to it");
        assert_eq!(log.sim.run_until_idle(2 * MS), Ran::StillBusy);
        assert_eq!(log.sim.now(), Time::from_nanos(5_000_000));
        // Armed after the wheel has looked ahead for the timer at 8 ms.
        log.arm(MS, 6);
        assert!(log.sim.run_until(|| log.lines().contains("timer 6"), 10 * MS));
        assert_eq!(log.sim.now(), Time::from_nanos(6_000_000));
        assert!(!log.sim.run_until(|| false, 10 * MS));
        assert_eq!(log.sim.now(), Time::from_nanos(8_000_000));
        assert_eq!(log.sim.run_for(MS), Ran::Idle);
        assert_eq!(log.sim.now(), Time::from_nanos(9_000_000));
    }

    #[test]
    fn an_instant_that_never_ends_is_reported() {
        fn again(log: &Arc<Log>) {
            log.defer(again);
        }
        let log = Log::new(1);
        log.defer(again);
        // Not ten million in a debug build.
        log.sim.state().instant_events = Sim::INSTANT_EVENTS_MAX - 5;
        assert_eq!(log.sim.run_until_idle(MS), Ran::Spinning);
        assert_eq!(log.sim.journal().events, 5);
    }

    #[test]
    fn a_panic_comes_out_and_the_simulation_goes_on() {
        let log = Log::new(1);
        log.defer(|_| panic!("planted"));
        log.defer(|log| log.write("after"));
        let sim = log.sim.clone();
        assert!(std::panic::catch_unwind(move || sim.step()).is_err());
        assert_eq!(log.sim.run_until_idle(MS), Ran::Idle);
        assert_eq!(log.lines(), "0 after\n");
    }

    #[test]
    #[should_panic(expected = "none runs inside another")]
    fn an_event_cannot_step() {
        let log = Log::new(1);
        log.defer(|log| assert!(log.sim.step()));
        log.sim.step();
    }

    /// A random program on three lanes: every event draws what it does next.
    fn random_run(seed: u64) -> (Journal, Time, u64) {
        struct Program {
            sim: Arc<Sim>,
            me: Weak<Program>,
            lanes: [Lane; 3],
            random: Mutex<Random>,
            timers: Mutex<Vec<(Lane, TimerId)>>,
        }

        impl Program {
            fn turn(&self) {
                if self.sim.journal().events > 3_000 {
                    return;
                }
                let mut random = self.random.lock().unwrap();
                let lane = self.lanes[random.below(3) as usize];
                for _ in 0..1 + random.below(2) {
                    match random.below(4) {
                        0 | 1 => {
                            let magnitude = 1 + random.below(40);
                            let after = Duration::from_nanos(random.below(1 << magnitude));
                            let timer = self.sim.arm(lane, after, self.me.clone(), random.next_u64());
                            self.timers.lock().unwrap().push((lane, timer));
                        }
                        2 => {
                            let me = self.me.clone();
                            self.sim.defer(lane, Box::new(move || me.upgrade().unwrap().turn()));
                        }
                        _ => {
                            let mut timers = self.timers.lock().unwrap();
                            if timers.len() > 2 {
                                let nth = random.below(timers.len() as u64) as usize;
                                let (lane, timer) = timers.swap_remove(nth);
                                self.sim.note(u64::from(self.sim.cancel(lane, timer)));
                            }
                        }
                    }
                }
            }
        }

        impl OnTimer for Program {
            fn on_timer(&self, token: u64) {
                let mut random = self.random.lock().unwrap();
                *random = Random::new(random.next_u64() ^ token);
                drop(random);
                self.turn();
            }
        }

        let sim = Sim::new(seed);
        let program = Arc::new_cyclic(|me| Program {
            me: me.clone(),
            lanes: ["a", "b", "c"].map(|name| sim.open_lane(name)),
            random: Mutex::new(sim.rng(1)),
            timers: Mutex::default(),
            sim: sim.clone(),
        });
        for _ in 0..20 {
            program.turn();
        }
        assert_eq!(sim.run_until_idle(FOR_EVER), Ran::Idle);
        (sim.journal(), sim.now(), sim.entropy())
    }

    #[test]
    fn one_seed_gives_one_journal_and_another_seed_another() {
        for seed in 0..20 {
            let first = random_run(seed);
            assert!(first.0.events > 20);
            assert_eq!(first, random_run(seed), "seed {seed}");
            assert_ne!(first.0, random_run(seed + 100).0, "seed {seed}");
        }
    }
}
