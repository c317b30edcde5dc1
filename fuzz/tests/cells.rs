//! The bodies of the cell target, on stable: over the seeds, cut and changed, and over chance.

mod common;

use common::{Chance, seeds};
use condis_fuzz::cells::{self, Reached};

#[test]
fn lines_of_the_seeds_cut_and_changed() {
    let mut chance = Chance(1);
    for (_, seed) in seeds("atm_cells") {
        for len in (0..=seed.len()).step_by(7) {
            cells::line(&seed[..len]);
        }
        for _ in 0..300 {
            cells::line(&chance.changed(&seed));
        }
    }
}

/// Random octets get everywhere, else the target would find nothing.
#[test]
fn lines_under_chance() {
    let mut all = Reached::default();
    for seed in 1..1500 {
        let octets = Chance(seed).octets(900);
        let Reached { hec, aal5, loopback, policer } = cells::line(&octets);
        all.hec += hec;
        all.aal5 += aal5;
        all.loopback += loopback;
        all.policer += policer;
        cells::raw_sdu(&octets[..seed as usize % 60]);
    }
    // A common part indicator and a length that are wrong under a right CRC are not found by chance.
    let by_hand = ["dropped_cpi", "dropped_length", "dropped_not_user"];
    let counts = all.hec.iter().chain(all.aal5.iter()).chain(all.loopback.iter()).chain(all.policer.iter());
    let never: Vec<_> = counts.filter(|(name, count)| *count == 0 && !by_hand.contains(name)).collect();
    assert!(never.is_empty(), "{never:?}");
}
