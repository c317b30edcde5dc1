//! The body of the target of ATM parameters, on stable: over one example of each, cut and changed, and over chance.

mod common;

use common::{Chance, seeds};
use condis_fuzz::atm_params::{any, examples};

/// What the fuzzer begins with is what this crate writes.
#[test]
fn the_seeds_are_the_examples() {
    let mut seeds: Vec<_> = seeds("atm_params").into_iter().map(|(_, seed)| seed).collect();
    let mut examples = examples();
    seeds.sort();
    examples.sort();
    assert!(seeds == examples);
}

#[test]
fn examples_cut_and_changed() {
    let mut chance = Chance(1);
    let mut read = 0;
    for example in examples() {
        assert!(any(&example), "an example is read");
        for len in 0..example.len() {
            any(&example[..len]);
        }
        read += (0..3_000).filter(|_| any(&chance.changed(&example))).count();
    }
    assert!(read > 500, "{read}");
}

#[test]
fn parameters_under_chance() {
    for seed in 1..3_000 {
        any(&Chance(seed).octets(200));
    }
}
