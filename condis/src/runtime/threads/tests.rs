//! Nothing here sleeps to let another thread come along: threads meet at channels, barriers and `wait_idle`. `HANG` only ends
//! a test that would otherwise hang.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::super::Random;
use super::*;

const HANG: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const MS: Duration = Duration::from_millis(1);

/// Sends the token of each timer that fires, with the time.
struct Firing(Mutex<Sender<(u64, Time)>>, Clock);

fn firing(threads: &Threads) -> (Arc<Firing>, Receiver<(u64, Time)>) {
    let (sender, receiver) = channel();
    (Arc::new(Firing(Mutex::new(sender), threads.clock)), receiver)
}

impl OnTimer for Firing {
    fn on_timer(&self, token: u64) {
        self.0.lock().unwrap().send((token, self.1.now())).unwrap();
    }
}

fn weak(target: &Arc<impl OnTimer + 'static>) -> Weak<dyn OnTimer> {
    let target: Arc<dyn OnTimer> = target.clone();
    Arc::downgrade(&target)
}

fn quiet(threads: &Threads) -> Receiver<String> {
    let (sender, receiver) = channel();
    let sender = Mutex::new(sender);
    threads.on_panic(move |report| {
        let _ = sender.lock().unwrap().send(format!("{}: {}", report.thread, report.message));
    });
    receiver
}

fn count_up(count: &Arc<AtomicU64>) -> Job {
    let count = count.clone();
    Box::new(move || {
        count.fetch_add(1, SeqCst);
    })
}

#[test]
fn many_threads_post_and_each_finds_its_own_order_one_job_at_a_time() {
    const POSTERS: usize = 4;
    const JOBS: usize = 2_000;
    let threads = Threads::new();
    let lane = threads.open_lane("lane");
    let (seen, running) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
    thread::scope(|scope| {
        for poster in 0..POSTERS {
            let (threads, seen, running) = (&threads, &seen, &running);
            scope.spawn(move || {
                for nth in 0..JOBS {
                    let (seen, running) = (seen.clone(), running.clone());
                    let job = move || {
                        assert!(!running.swap(true, SeqCst), "another job of the lane runs");
                        seen.lock().unwrap().push((poster, nth));
                        running.store(false, SeqCst);
                    };
                    threads.defer(lane, Box::new(job));
                }
            });
        }
    });
    assert!(threads.wait_idle(HANG));
    let seen = seen.lock().unwrap();
    for poster in 0..POSTERS {
        let order = seen.iter().filter(|(other, _)| *other == poster).map(|(_, nth)| *nth);
        assert!(order.eq(0..JOBS), "the jobs of poster {poster}");
    }
    assert_eq!(threads.panic_count(), 0);
}

#[test]
fn a_job_never_runs_inside_defer() {
    let threads = Threads::new();
    let lane = threads.open_lane("lane");
    let (sender, receiver) = channel();
    let inner = threads.clone();
    let job = move || {
        let first = sender.clone();
        inner.defer(lane, Box::new(move || first.send("deferred").unwrap()));
        sender.send("after defer").unwrap();
        drop(inner);
    };
    threads.defer(lane, Box::new(job));
    assert!(threads.wait_idle(HANG));
    assert_eq!(receiver.iter().collect::<Vec<_>>(), ["after defer", "deferred"]);
}

#[test]
fn lanes_do_not_wait_for_each_other() {
    let threads = Threads::new();
    let lanes = ["a", "b"].map(|name| threads.open_lane(name));
    // Both jobs meet, which they could not on one thread.
    let barrier = Arc::new(Barrier::new(2));
    for lane in lanes {
        let barrier = barrier.clone();
        let job = move || {
            barrier.wait();
        };
        threads.defer(lane, Box::new(job));
    }
    assert!(threads.wait_idle(HANG));
}

#[test]
fn timers_fire_by_deadline_and_never_early() {
    let threads = Threads::new();
    let lane = threads.open_lane("lane");
    let (target, fired) = firing(&threads);
    // The lane sleeps for an hour when the others come, each earlier than what it sleeps for.
    threads.arm(lane, HOUR, weak(&target), 0);
    assert!(threads.wait_idle(HANG));
    // Between these two moments lies the deadline, whatever the machine does in between.
    let deadlines = [30, 20, 10, 0].map(|ms| {
        let earliest = threads.now().after(ms * MS);
        threads.arm(lane, ms * MS, weak(&target), u64::from(ms));
        (earliest, threads.now().after(ms * MS))
    });
    let mut before = Time::ZERO;
    for _ in deadlines {
        let (token, at) = fired.recv_timeout(HANG).unwrap();
        let (earliest, latest) = deadlines[3 - token as usize / 10];
        assert!(at >= earliest, "timer {token} fired at {at:?}, before {earliest:?}");
        assert!(latest.after(MS) >= before, "timer {token} fired after one whose deadline comes later");
        before = before.max(earliest);
    }
}

#[test]
fn random_timers_all_fire_once_and_never_early() {
    let threads = Threads::new();
    let lane = threads.open_lane("lane");
    let (target, fired) = firing(&threads);
    let mut random = Random::new(1);
    let deadlines: Vec<Time> = (0..2_000)
        .map(|token| {
            let after = Duration::from_nanos(random.below(150_000_000));
            let deadline = threads.now().after(after);
            threads.arm(lane, after, weak(&target), token);
            deadline
        })
        .collect();
    let mut seen = vec![false; deadlines.len()];
    for _ in 0..deadlines.len() {
        let (token, at) = fired.recv_timeout(HANG).unwrap();
        assert!(at >= deadlines[token as usize], "timer {token} was early");
        assert!(!std::mem::replace(&mut seen[token as usize], true), "timer {token} fired twice");
    }
}

#[test]
fn cancel_that_races_with_firing_tells_the_truth() {
    const TIMERS: u64 = 3_000;
    let threads = Threads::new();
    let lane = threads.open_lane("lane");
    let (target, fired) = firing(&threads);
    let mut random = Random::new(2);
    let mut cancelled = vec![false; TIMERS as usize];
    let mut timers = Vec::new();
    for token in 0..TIMERS {
        let after = Duration::from_nanos(random.below(2_000_000));
        timers.push((token, threads.arm(lane, after, weak(&target), token)));
        // One of those armed lately, so that many are just about to fire.
        if timers.len() > 20 {
            let nth = random.below(timers.len() as u64) as usize;
            let (token, timer) = timers.swap_remove(nth);
            cancelled[token as usize] = threads.cancel(lane, timer);
            assert!(!threads.cancel(lane, timer), "it was cancelled or fired before");
        }
    }
    let cancelled_count = cancelled.iter().filter(|cancelled| **cancelled).count();
    for _ in 0..TIMERS as usize - cancelled_count {
        let (token, _) = fired.recv_timeout(HANG).unwrap();
        assert!(!cancelled[token as usize], "timer {token} was cancelled");
        // True only once: each token comes at most once.
        cancelled[token as usize] = true;
    }
    assert!(threads.wait_idle(HANG));
    assert!(fired.try_recv().is_err(), "more timers fired than were not cancelled");
}

#[test]
fn a_timer_whose_target_is_gone_fires_into_nothing() {
    let threads = Threads::new();
    let lane = threads.open_lane("lane");
    let (gone, (target, fired)) = (firing(&threads), firing(&threads));
    threads.arm(lane, MS, weak(&gone.0), 1);
    drop(gone.0);
    threads.arm(lane, 2 * MS, weak(&target), 2);
    assert_eq!(fired.recv_timeout(HANG).unwrap().0, 2);
    assert!(gone.1.recv().is_err());
}

#[test]
fn a_job_that_posts_itself_for_ever_starves_no_timer_and_no_job() {
    fn again(threads: Weak<Threads>, lane: Lane, end: Arc<AtomicBool>) {
        if let Some(runtime) = threads.upgrade()
            && !end.load(SeqCst)
        {
            runtime.defer(lane, Box::new(move || again(threads, lane, end)));
        }
    }
    let threads = Threads::new();
    let lane = threads.open_lane("lane");
    let end = Arc::new(AtomicBool::new(false));
    again(Arc::downgrade(&threads), lane, end.clone());
    let (target, fired) = firing(&threads);
    threads.arm(lane, 3 * MS, weak(&target), 7);
    assert_eq!(fired.recv_timeout(HANG).unwrap().0, 7);
    let (sender, receiver) = channel();
    threads.defer(lane, Box::new(move || sender.send(()).unwrap()));
    receiver.recv_timeout(HANG).unwrap();
    assert!(!threads.wait_idle(Duration::ZERO));
    end.store(true, SeqCst);
    assert!(threads.wait_idle(HANG));
}

#[test]
fn idle_means_nothing_posted_and_nothing_running_whatever_is_armed() {
    let threads = Threads::new();
    let lanes = ["a", "b"].map(|name| threads.open_lane(name));
    let (target, _fired) = firing(&threads);
    threads.arm(lanes[0], HOUR, weak(&target), 1);
    assert!(threads.wait_idle(HANG));

    let (release, gate) = channel::<()>();
    let (other, count) = (threads.clone(), Arc::new(AtomicU64::new(0)));
    let counted = count.clone();
    let job = move || {
        gate.recv().unwrap();
        // A chain from lane to lane, with no moment at which both are idle before its end.
        for nth in 0..100 {
            let (last, counted) = (nth == 99, counted.clone());
            let there = other.clone();
            let back = move || {
                counted.fetch_add(1, SeqCst);
                if last {
                    there.defer(lanes[0], count_up(&counted));
                }
            };
            other.defer(lanes[1], Box::new(back));
        }
    };
    threads.defer(lanes[0], Box::new(job));
    assert!(!threads.wait_idle(Duration::ZERO));
    release.send(()).unwrap();
    assert!(threads.wait_idle(HANG));
    assert_eq!(count.load(SeqCst), 101);
}

/// Panics when it fires.
struct Panicking;

impl OnTimer for Panicking {
    fn on_timer(&self, token: u64) {
        panic!("timer {token}");
    }
}

/// A panic's payload that panics again when it is dropped.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[test]
fn a_panic_is_counted_and_reported_and_the_lane_goes_on() {
    let threads = Threads::new();
    let lane = threads.open_lane("lane");
    let reports = quiet(&threads);
    threads.defer(lane, Box::new(|| panic!("job {}", 1)));
    threads.defer(lane, Box::new(|| std::panic::panic_any(Grenade)));
    let target = Arc::new(Panicking);
    threads.arm(lane, MS, weak(&target), 3);
    let mut got = Vec::from_iter((0..3).map(|_| reports.recv_timeout(HANG).unwrap()));
    got.sort();
    assert_eq!(got, ["lane: (no text)", "lane: job 1", "lane: timer 3"]);

    threads.on_panic(|_| panic!("the hook as well"));
    threads.defer(lane, Box::new(|| panic!("job 4")));
    let (sender, receiver) = channel();
    threads.defer(lane, Box::new(move || sender.send(()).unwrap()));
    receiver.recv_timeout(HANG).unwrap();
    assert_eq!(threads.panic_count(), 4);
}

#[test]
fn shutdown_runs_what_was_posted_and_refuses_what_comes_later() {
    let threads = Threads::new();
    let lane = threads.open_lane("lane");
    let ran = Arc::new(AtomicU64::new(0));
    let post = |count: u64| {
        for _ in 0..count {
            threads.defer(lane, count_up(&ran));
        }
    };
    post(500);
    let (target, fired) = firing(&threads);
    let timer = threads.arm(lane, HOUR, weak(&target), 1);
    threads.shutdown();
    assert_eq!(ran.load(SeqCst), 500);
    post(3);
    let late = threads.open_lane("late");
    threads.defer(late, Box::new(|| unreachable!("the lane has no thread")));
    assert_eq!((ran.load(SeqCst), threads.refused_count()), (500, 4));
    // A timer fires no more, so taking it back is true.
    assert!(threads.cancel(lane, timer));
    threads.arm(late, Duration::ZERO, weak(&target), 2);
    threads.shutdown();
    assert!(threads.wait_idle(Duration::ZERO), "no lane is awake after the end");
    assert!(fired.try_recv().is_err());
}

#[test]
fn a_job_that_is_refused_may_post_from_its_drop() {
    struct PostsOnDrop(Arc<Threads>, Lane);
    impl Drop for PostsOnDrop {
        fn drop(&mut self) {
            self.0.defer(self.1, Box::new(|| {}));
        }
    }
    let threads = Threads::new();
    let lane = threads.open_lane("lane");
    threads.shutdown();
    let held = PostsOnDrop(threads.clone(), lane);
    threads.defer(lane, Box::new(move || drop(held)));
    assert_eq!(threads.refused_count(), 2);
}

#[test]
fn shutdown_on_a_lane_joins_the_others_and_ends() {
    let threads = Threads::new();
    let lanes = ["a", "b"].map(|name| threads.open_lane(name));
    let (sender, receiver) = channel();
    let (other, after) = (sender.clone(), sender.clone());
    // Lane a waits here until both are posted, so that the second one was posted before the shutdown.
    let barrier = Arc::new(Barrier::new(2));
    let (inner, gate) = (threads.clone(), barrier.clone());
    let job = move || {
        gate.wait();
        inner.shutdown();
        // What lane b had has run by now.
        sender.send("shut down").unwrap();
    };
    threads.defer(lanes[0], Box::new(job));
    threads.defer(lanes[1], Box::new(move || other.send("b").unwrap()));
    threads.defer(lanes[0], Box::new(move || after.send("a").unwrap()));
    barrier.wait();
    let order = [(); 3].map(|()| receiver.recv_timeout(HANG).unwrap());
    assert_eq!(order, ["b", "shut down", "a"]);
    threads.shutdown();
    assert!(threads.wait_idle(HANG));
}

#[test]
fn two_lanes_that_shut_down_at_once_do_not_wait_for_each_other() {
    let threads = Threads::new();
    let barrier = Arc::new(Barrier::new(2));
    for lane in ["a", "b"].map(|name| threads.open_lane(name)) {
        let (inner, barrier) = (threads.clone(), barrier.clone());
        threads.defer(
            lane,
            Box::new(move || {
                barrier.wait();
                inner.shutdown();
            }),
        );
    }
    assert!(threads.wait_idle(HANG));
}

#[test]
fn the_last_reference_may_go_on_a_lane() {
    let threads = Threads::new();
    let lanes = ["a", "b"].map(|name| threads.open_lane(name));
    let (sender, receiver) = channel();
    let (release, gate) = channel::<()>();
    let inner = threads.clone();
    let last = sender.clone();
    threads.defer(
        lanes[0],
        Box::new(move || {
            gate.recv().unwrap();
            drop(inner);
            sender.send("dropped").unwrap();
        }),
    );
    threads.defer(lanes[0], Box::new(move || last.send("the rest").unwrap()));
    drop(threads);
    release.send(()).unwrap();
    assert_eq!(receiver.recv_timeout(HANG), Ok("dropped"));
    assert_eq!(receiver.recv_timeout(HANG), Ok("the rest"));
    // The lane's thread lets go of the sender at its end.
    assert!(receiver.recv_timeout(HANG).is_err());
}

#[test]
fn an_io_thread_comes_back_from_a_blocking_call_when_stopped() {
    let threads = Threads::new();
    let (packets, wire) = channel::<u32>();
    let (started, ready) = channel();
    let io = threads.spawn_io("link", move |stop| {
        stop.on_stop(move || drop(packets));
        started.send(()).unwrap();
        // Stands for a read: it comes back only because the waker closes the other end.
        assert!(wire.recv().is_err() && stop.is_set());
        // Too late to be woken up, so at once.
        let (sender, receiver) = channel();
        stop.on_stop(move || sender.send(()).unwrap());
        receiver.recv().unwrap();
    });
    ready.recv_timeout(HANG).unwrap();
    assert!(!io.is_finished());
    io.stop();
    assert!(io.is_finished());
    io.stop();
    assert_eq!(threads.panic_count(), 0);
}

#[test]
fn shutdown_stops_io_threads_and_hears_their_last_words() {
    let threads = Threads::new();
    let lane = threads.open_lane("lane");
    let reports = quiet(&threads);
    let (heard, words) = channel();
    let inner = Arc::downgrade(&threads);
    let (wake, woken) = channel::<()>();
    let io = threads.spawn_io("link", move |stop| {
        stop.on_stop(move || drop(wake));
        assert!(woken.recv().is_err());
        inner.upgrade().unwrap().defer(lane, Box::new(move || heard.send("bye").unwrap()));
        panic!("at its end");
    });
    threads.shutdown();
    assert!(io.is_finished());
    assert_eq!(words.recv(), Ok("bye"));
    assert_eq!(reports.recv_timeout(HANG).as_deref(), Ok("link: at its end"));

    let refused = threads.spawn_io("late", |_| unreachable!("the runtime has shut down"));
    assert!(refused.is_finished());
    refused.stop();
}

#[test]
fn an_io_thread_may_hold_itself_and_the_runtime_last() {
    let threads = Threads::new();
    let lane = threads.open_lane("lane");
    let (give, take) = channel::<(IoThread, Arc<Threads>)>();
    let (sender, done) = channel();
    let io = threads.spawn_io("link", move |stop| {
        let (io, runtime) = take.recv().unwrap();
        runtime.defer(lane, Box::new(|| {}));
        drop(io);
        assert!(stop.is_set());
        drop(runtime);
        sender.send(()).unwrap();
    });
    give.send((io, threads)).unwrap();
    done.recv_timeout(HANG).unwrap();
}

#[test]
fn entropy_differs() {
    let threads = Threads::new();
    assert_ne!(threads.entropy(), threads.entropy());
}

#[test]
#[should_panic(expected = "lane 1 was not opened on this runtime")]
fn a_lane_of_another_runtime_is_a_mistake() {
    let threads = Threads::new();
    threads.open_lane("lane");
    threads.defer(Lane(1), Box::new(|| {}));
}
