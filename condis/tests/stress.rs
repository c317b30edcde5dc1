//! Several threads at the same VCs, in both worlds: what one thread cannot show.
//!
//! Dialers, the signaling of the manager, the data path of the adapter and whoever runs the node race each other: create,
//! call, send, close, remote close, indicate, keep, return, pause, restart, remove. Every callback checks what must hold
//! whatever the order: control upcalls of one VC to one driver never overlap, none comes after the delete, one call at a
//! time, connected before close, a close completes on an inactive and drained VC. At the end every send was completed,
//! every receive returned, and nothing is left.
//!
//! A round is drawn from a seed, which a failure names. Threads do not replay; the seed gives the mix that showed it:
//! `CONDIS_STRESS_SEED=7 CONDIS_STRESS_ROUNDS=50 cargo test -p condis --test stress`.
#![allow(unreachable_pub, dead_code, reason = "the parts of one test")]

#[path = "stress/drivers.rs"]
mod drivers;
#[path = "stress/line.rs"]
mod line;
#[path = "stress/steps.rs"]
mod steps;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use condis::node::Node;
use condis::params::CallParams;
use condis::role::{CallManager, Mcm};
use condis::runtime::{Random, Threads};
use condis::status::NdisStatus;
use condis::token::Outcome;

use drivers::{TheClient, World};
use line::{Yard, lock};

/// One creation at a time: a create callback of a peer has nothing but this to know its line by.
static CREATING: Mutex<()> = Mutex::new(());

const STEPS: u64 = 600;
const LINES: usize = 6;

#[test]
fn threads_race_over_a_call_manager() {
    race::<CallManager>();
}

#[test]
fn threads_race_over_an_mcm() {
    race::<Mcm>();
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn race<R: World>() {
    let rounds = number("CONDIS_STRESS_ROUNDS", 150);
    let first = number("CONDIS_STRESS_SEED", 1);
    let mut seen = [0; 3];
    for round in 0..rounds {
        // With a given seed every round is that one.
        let seed = if std::env::var_os("CONDIS_STRESS_SEED").is_some() { first } else { first + round };
        let counts = run_round::<R>(seed);
        seen = std::array::from_fn(|n| seen[n] + counts[n]);
    }
    assert!(
        seen.iter().all(|count| *count > 0),
        "no call, no incoming call or no delete came about: {seen:?}"
    );
}

/// Calls made, calls taken, VCs deleted.
fn run_round<R: World>(seed: u64) -> [u64; 3] {
    let threads = Threads::new();
    let node = Node::new("stress", threads.clone());
    let yard = Yard::<R>::new(seed);
    let adapter = R::start(&node, &yard);
    node.register_protocol("client", TheClient(yard.clone()));
    let settled = || threads.wait_idle(Duration::from_secs(30));
    assert!(settled(), "seed {seed}: the stack starts");
    for number in 0..LINES {
        steps::create(&yard, number % 2 == 0);
    }
    let removes = seed.is_multiple_of(3);
    std::thread::scope(|scope| {
        for role in 0..4 {
            let (yard, adapter) = (&yard, &adapter);
            scope.spawn(move || worker(yard, adapter, role, removes));
        }
    });
    // In order: the unbind of the client stops the drivers, and is answered once all VCs are gone.
    let removed = Arc::new(AtomicBool::new(false));
    let done = removed.clone();
    node.shutdown(move || done.store(true, SeqCst));
    let mut left = 100_000;
    while !removed.load(SeqCst) {
        let over = steps::wind_down(&yard);
        let unbind = if over { lock(&yard.handles).unbind.take() } else { None };
        if let Some(unbind) = unbind {
            let (sap, af) = {
                let mut handles = lock(&yard.handles);
                handles.manager_sap = None;
                (handles.client_sap.take(), handles.client_af.take())
            };
            if let Some(sap) = sap {
                sap.at().deregister().expect("registered");
            }
            if let Some(af) = af {
                let closed = af.at().close();
                assert!(
                    matches!(closed, Outcome::Done(Ok(()))),
                    "seed {seed}: {closed:?}, {:?}",
                    node.left()
                );
            }
            unbind.complete(());
        }
        std::thread::yield_now();
        left -= 1;
        assert!(
            left > 0,
            "seed {seed} {}: hangs with {}, {:?}, {:?}, {:?}",
            R::NAME,
            node.left(),
            node.pended(),
            node.vcs(),
            lock(&yard.violations)
        );
    }
    assert!(settled(), "seed {seed}: the stack ends");
    lock(&yard.lines).clear();
    *lock(&yard.handles) = drivers::Handles::default();
    assert!(settled());
    let violations = std::mem::take(&mut *lock(&yard.violations));
    assert!(violations.is_empty(), "seed {seed} {}: {violations:#?}", R::NAME);
    let load = |counter: &std::sync::atomic::AtomicU64| counter.load(SeqCst);
    assert_eq!(load(&yard.sent), load(&yard.completed), "seed {seed} {}: sends and completions", R::NAME);
    assert_eq!(load(&yard.indicated), load(&yard.returned), "seed {seed} {}: receives and returns", R::NAME);
    assert_eq!(load(&yard.told), load(&yard.heard), "seed {seed} {}: statuses told and heard", R::NAME);
    assert_eq!(yard.pool.outstanding(), 0, "seed {seed} {}: NBLs at their pool", R::NAME);
    let rest = node.left();
    assert!(rest.is_nothing(), "seed {seed} {}: left {rest}", R::NAME);
    assert_eq!(threads.panic_count(), 0, "seed {seed} {}", R::NAME);
    threads.shutdown();
    [load(&yard.made), load(&yard.connected), load(&yard.deleted)]
}

fn worker<R: World>(
    yard: &Arc<Yard<R>>,
    adapter: &condis::adapter::AdapterControl,
    role: u64,
    removes: bool,
) {
    let mut random = Random::stream(yard.seed, role);
    let operating = Arc::new(AtomicBool::new(false));
    let mut paused = false;
    for step in 0..STEPS {
        if yard.stop.load(SeqCst) && step > STEPS * 3 / 4 {
            return;
        }
        let line = {
            let lines = lock(&yard.lines);
            let at = random.below(lines.len().max(1) as u64) as usize;
            lines.get(at).cloned()
        };
        let Some(line) = line else { continue };
        let what = random.next_u64() >> 8;
        match role {
            0 | 1 => {
                steps::client_step(&line, what);
                let room = lock(&yard.lines).len() < LINES * 6;
                if room && !yard.stop.load(SeqCst) && random.below(20) == 0 {
                    steps::create(yard, role == 0);
                }
            }
            2 => {
                if random.below(4) == 0 && !removes {
                    steps::indicate_status(yard);
                }
                steps::manager_step(&line);
                steps::lower_step(&line, what);
            }
            _ => {
                if random.below(4) == 0 && !removes {
                    steps::indicate_status(yard);
                }
                match random.below(3) {
                    0 => steps::manager_step(&line),
                    1 => steps::lower_step(&line, what),
                    _ => steps::give_back(&line),
                }
                if random.below(60) == 0 && !operating.swap(true, SeqCst) {
                    let operating = operating.clone();
                    let done = move |_: Result<(), NdisStatus>| operating.store(false, SeqCst);
                    if paused {
                        adapter.restart(done)
                    } else {
                        adapter.pause(done)
                    }
                    paused = !paused;
                }
                if removes && step == STEPS / 2 {
                    adapter.surprise_remove(|| ());
                }
            }
        }
    }
}

/// CO-114, O1: of several threads that dial on one VC at once, one gets the call.
#[test]
fn one_of_many_dialers_gets_the_vc() {
    fn dial<R: World>() {
        let threads = Threads::new();
        let node = Node::new("stress", threads.clone());
        let yard = Yard::<R>::new(1);
        let _adapter = R::start(&node, &yard);
        node.register_protocol("client", TheClient(yard.clone()));
        assert!(threads.wait_idle(Duration::from_secs(30)));
        for round in 0..number("CONDIS_STRESS_ROUNDS", 40) {
            steps::create(&yard, true);
            let line = lock(&yard.lines).pop().expect("just made");
            let vc = lock(&line.client).clone().expect("just made");
            let (ready, accepted) = (AtomicU32::new(0), AtomicU32::new(0));
            // The manager answers nothing meanwhile: neither callback may step.
            line.manager_busy.store(true, SeqCst);
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        ready.fetch_add(1, SeqCst);
                        while ready.load(SeqCst) < 3 {
                            std::hint::spin_loop();
                        }
                        match vc.at().make_call(CallParams::default(), None) {
                            Outcome::Pending => drop(accepted.fetch_add(1, SeqCst)),
                            Outcome::Done(Err(refused)) => {
                                assert!(
                                    matches!(
                                        refused.status,
                                        NdisStatus::NOT_ACCEPTED | NdisStatus::RESOURCES
                                    ),
                                    "round {round}: {}",
                                    refused.status
                                );
                            }
                            Outcome::Done(Ok(_)) => panic!("round {round}: the manager answers later"),
                        }
                    });
                }
            });
            // The manager may have refused the first one at once, and then another got in.
            assert!(accepted.load(SeqCst) <= 1, "round {round}: {} calls on one VC", accepted.load(SeqCst));
            line.manager_busy.store(false, SeqCst);
            lock(&yard.lines).push(line);
            while !steps::wind_down(&yard) {
                yard.stop.store(true, SeqCst);
            }
            yard.stop.store(false, SeqCst);
            lock(&yard.lines).clear();
        }
        let violations = std::mem::take(&mut *lock(&yard.violations));
        assert!(violations.is_empty(), "{violations:#?}");
        threads.shutdown();
    }
    dial::<CallManager>();
    dial::<Mcm>();
}
