//! The bodies of the targets of the wires, on stable: over the seeds, cut and changed, and over chance.

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

#[test]
fn atmtcp_streams_of_the_seeds_cut_and_changed() {
    let mut chance = Chance(1);
    for (_, seed) in seeds("atmtcp_stream") {
        for len in 0..=seed.len() {
            link::atmtcp_stream(&seed[..len]);
        }
        for _ in 0..2000 {
            link::atmtcp_stream(&chance.changed(&seed));
        }
    }
    for len in 0..5000 {
        link::atmtcp_stream(&chance.octets(len % 40));
    }
}
