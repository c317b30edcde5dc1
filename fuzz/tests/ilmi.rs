//! The bodies of the ILMI targets, on stable: over the seeds, cut and changed, and over chance.

mod common;

use common::{Chance, seeds};
use condis_fuzz::ilmi;

#[test]
fn messages_of_the_seeds_cut_and_changed() {
    let mut chance = Chance(1);
    for (_, seed) in seeds("ilmi_message") {
        for len in 0..=seed.len() {
            ilmi::message(&seed[..len]);
        }
        for _ in 0..5000 {
            ilmi::message(&chance.changed(&seed));
        }
    }
    for len in 0..5000 {
        ilmi::message(&chance.octets(len % 60));
    }
}

#[test]
fn entities_of_the_seeds_changed() {
    let mut chance = Chance(2);
    for (name, seed) in seeds("ilmi_entity") {
        assert!(ilmi::entity(&seed) > 1, "{name} is understood");
        for _ in 0..5000 {
            ilmi::entity(&chance.changed(&seed));
        }
    }
    for len in 0..5000 {
        ilmi::entity(&chance.octets(len % 300));
    }
}
