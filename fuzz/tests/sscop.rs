//! The bodies of the SSCOP targets, on stable: over the seeds, cut and changed, and over chance.

mod common;

use std::collections::BTreeMap;

use common::{Chance, seeds};
use condis_fuzz::sscop;

#[test]
fn pdus_of_the_seeds_cut_and_changed() {
    let mut chance = Chance(1);
    for (_, seed) in seeds("sscop_pdu") {
        for len in 0..=seed.len() {
            sscop::pdu(&seed[..len]);
        }
        for _ in 0..2000 {
            sscop::pdu(&chance.changed(&seed));
        }
    }
    for len in 0..4000 {
        sscop::pdu(&chance.octets(len % 80));
    }
}

/// Random octets get the machine into every state and into every error, else the target would find nothing.
#[test]
fn the_machine_under_chance() {
    let mut met = [false; 10];
    let mut errors = BTreeMap::new();
    for seed in 1..3000 {
        let (counters, states) = sscop::machine(&Chance(seed).octets(600));
        met.iter_mut().zip(states).for_each(|(met, now)| *met |= now);
        for (letter, _, times) in counters.errors.iter() {
            *errors.entry(letter).or_insert(0) += times;
        }
    }
    assert_eq!(met, [true; 10]);
    assert!(errors.values().all(|&times| times > 0), "{errors:?}");
}

#[test]
fn services_under_chance() {
    let came: usize = (1..3000).map(|seed| sscop::services(&Chance(seed).octets(600))).sum();
    assert!(came > 1000, "{came} SDUs came");
}

#[test]
fn seeds_of_the_machines() {
    for (_, seed) in seeds("sscop_machine") {
        sscop::machine(&seed);
    }
    for (_, seed) in seeds("sscop_services") {
        sscop::services(&seed);
    }
}
