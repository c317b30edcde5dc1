//! The body of the Ethernet target, on stable: over the seeds, cut and changed, and over chance.

mod common;

use common::{Chance, seeds};
use condis_fuzz::link;

#[test]
fn headers_of_the_seeds_cut_and_changed() {
    let mut chance = Chance(1);
    for (_, seed) in seeds("ethernet_header") {
        for len in 0..=seed.len() {
            link::ethernet_header(&seed[..len]);
        }
        for _ in 0..5000 {
            link::ethernet_header(&chance.changed(&seed));
        }
    }
    for len in 0..5000 {
        link::ethernet_header(&chance.octets(len % 40));
    }
}
