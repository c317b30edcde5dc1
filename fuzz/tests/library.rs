//! Random operations on the NDIS library, on stable: over the seeds and over chance.

mod common;

use common::{Chance, seeds};
use condis_fuzz::library::{self, Reached};

#[test]
fn operations_of_the_seeds() {
    for (name, seed) in seeds("library_ops") {
        println!("{name}");
        library::run(&seed);
        // The same over the other kind of manager, and with a listener or without.
        for first in 0..4 {
            library::run(&[&[first], &seed[1..]].concat());
        }
    }
}

/// Random octets get the drivers everywhere, else the target would find nothing.
#[test]
fn operations_under_chance() {
    let mut reached = Reached::default();
    let only = std::env::var("CONDIS_FUZZ_RUN").ok().and_then(|run| run.parse().ok());
    for seed in only.map_or(1..=runs(), |run| run..=run) {
        // A run that fails says which it was.
        let run = Failing(seed);
        let octets = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).octets(100 + seed as usize % 700);
        reached += library::run(&octets);
        std::mem::forget(run);
    }
    let all = [
        reached.calls_connected,
        reached.calls_closed,
        reached.parties_added,
        reached.nbls_sent,
        reached.nbls_completed,
        reached.nbls_indicated,
        reached.nbls_returned,
        reached.oids_answered,
        reached.pended,
        reached.panics,
    ];
    assert!(all.iter().all(|&times| times > 50), "{reached:?}");
}

/// The number of runs; `CONDIS_FUZZ_RUNS` is another, and `CONDIS_FUZZ_RUN` a single one.
fn runs() -> u64 {
    std::env::var("CONDIS_FUZZ_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(2000)
}

struct Failing(u64);

impl Drop for Failing {
    fn drop(&mut self) {
        eprintln!("failed in run {}", self.0);
    }
}
