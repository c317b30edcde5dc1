//! The body of the target of calls, on stable: over the seeds, cut and changed, and over chance.

mod common;

use std::collections::BTreeMap;

use common::{Chance, seeds};
use condis_fuzz::calls;

#[test]
fn calls_of_the_seeds_cut_and_changed() {
    let mut chance = Chance(1);
    for (_, seed) in seeds("q2931_calls") {
        for len in (0..=seed.len()).step_by(7) {
            calls::calls(&seed[..len]);
        }
        for _ in 0..300 {
            calls::calls(&chance.changed(&seed));
        }
    }
}

/// Random octets make calls get everywhere, else the target would find nothing: everything that is counted happens.
#[test]
fn calls_under_chance() {
    let mut counted = BTreeMap::new();
    for seed in 1..1_500 {
        for counters in calls::calls(&Chance(seed).octets(900)) {
            counters.iter().for_each(|(name, count)| *counted.entry(name).or_insert(0) += count);
        }
    }
    let never: Vec<_> = counted.iter().filter(|&(_, &count)| count == 0).map(|(name, _)| name).collect();
    assert!(never.is_empty(), "{never:?} never happened");
}
