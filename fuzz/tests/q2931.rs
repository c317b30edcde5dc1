//! The body of the Q.2931 target, on stable: over the seeds, cut and changed, and over chance.

mod common;

use common::{Chance, seeds};
use condis_fuzz::q2931;

/// For each seed.
const RUNS: usize = 4000;

#[test]
fn messages_of_the_seeds_cut_and_changed() {
    let mut chance = Chance(1);
    let (mut good, mut bad) = (0, 0);
    for (name, seed) in seeds("q2931_message") {
        assert!(q2931::message(&seed), "nothing is wrong with {name}");
        for len in 0..seed.len() {
            assert!(!q2931::message(&seed[..len]), "{len} octets of {name}");
        }
        for _ in 0..RUNS {
            match q2931::message(&chance.changed(&seed)) {
                true => good += 1,
                false => bad += 1,
            }
        }
    }
    assert!(good > RUNS && bad > RUNS, "{good} good messages and {bad} others");
}

/// Random contents under a header that fits them, so that chance gets as far as the IEs.
#[test]
fn messages_of_chance() {
    let mut chance = Chance(2);
    for len in 0..20_000 {
        let mut octets = chance.octets(len % 120);
        q2931::message(&octets);
        if octets.len() < 13 {
            continue;
        }
        let rest = (octets.len() - 9) as u16;
        octets[..2].copy_from_slice(&[9, 3]);
        octets[7..9].copy_from_slice(&rest.to_be_bytes());
        octets[11..13].copy_from_slice(&(rest - 4).to_be_bytes());
        q2931::message(&octets);
    }
}
