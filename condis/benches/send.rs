//! Send and complete: client -> NDIS -> miniport -> NDIS -> client. Statistics on, trace off, panic guard on.
//!
//! One operation is one packet; a packet is a list of one net buffer with 64 octets. The floor is F1 (`floors/send.rs`).
//!
//! - *at once*: the miniport completes the batch in its send callback.
//! - *kept*: it keeps the batch and completes it after the send has returned. The same floor.
//! - *random VC*: of 100,000, the batch of one goes to any; the floor has as many VCs with objects of the same size.
//! - *against*: what people use instead, channels between threads (`floors/hop.rs`).

use std::hint::black_box;
use std::sync::Arc;

use condis::nbl::Chain;
use condis::runtime::Random;
use condis::status::NdisStatus;

use crate::counting::Counting;
use crate::floor_send::FloorVc;
use crate::harness::{Harness, Target};
use crate::world::{HOME, How, KEPT, World};

#[path = "harness/counting.rs"]
mod counting;
#[path = "floors/hop.rs"]
mod floor_hop;
#[path = "floors/send.rs"]
mod floor_send;
mod harness;
mod world;
#[path = "world/floor.rs"]
mod world_floor;

#[global_allocator]
static COUNTING: Counting = Counting;

fn main() {
    let mut harness = Harness::from_env("send + complete, per packet");
    let pool = world::pool();
    let at_once = World::new(How::AtOnce);
    let kept = World::new(How::Keeps);
    let (floor, vc, keeping) = (world_floor::floor_vc(), at_once.connected(), kept.connected());

    let send = |batch: usize, packets: u64| {
        HOME.set(world::batch(&pool, batch));
        for _ in 0..packets.div_ceil(batch as u64) {
            vc.at().send(HOME.take());
        }
        assert_eq!(HOME.take().len(), batch);
    };
    for batch in [1, 8, 32, 64] {
        let target = match batch {
            1 => Target::AtMost(1.5),
            32 => Target::AtMost(1.25),
            _ => Target::None,
        };
        let under = |packets| floor_sends(&floor, world::batch(&pool, batch), packets);
        harness.compare(&format!("at once, batch {batch}"), target, under, |packets| send(batch, packets));
    }
    let twelfth = Target::AtMost(1.0 / 12.0);
    harness.compare("at once, batch 32 to batch 1", twelfth, |n| send(1, n), |n| send(32, n));
    for batch in [1, 8, 32, 64] {
        let target = if batch == 1 || batch == 32 { Target::AtMost(1.9) } else { Target::None };
        let under = |packets| floor_sends(&floor, world::batch(&pool, batch), packets);
        harness.compare(&format!("kept, batch {batch}"), target, under, |packets| {
            HOME.set(world::batch(&pool, batch));
            for _ in 0..packets.div_ceil(batch as u64) {
                keeping.at().send(HOME.take());
                KEPT.take().expect("the miniport keeps it").complete(NdisStatus::SUCCESS);
            }
            assert_eq!(HOME.take().len(), batch);
        });
    }
    harness.figure("allocations in 1,000 batches of 32", "allocations", Target::AtMost(0.0), || {
        HOME.set(world::batch(&pool, 32));
        let before = counting::allocations();
        (0..1000).for_each(|_| vc.at().send(HOME.take()));
        let allocations = counting::allocations() - before;
        drop(HOME.take());
        allocations as f64
    });
    random(&mut harness, &at_once, world::batch(&pool, 1));
    against(&mut harness, |packets| send(1, packets));
    harness.finish();
}

fn floor_sends(floor: &Arc<FloorVc>, chain: Chain, packets: u64) {
    let batch = chain.len();
    HOME.set(chain);
    for _ in 0..packets.div_ceil(batch as u64) {
        floor.send(HOME.take());
    }
    assert_eq!(HOME.take().len(), batch);
}

/// Batches of one, each to any of many VCs.
fn random(harness: &mut Harness, world: &World, chain: Chain) {
    let name = "random VC of 100,000, batch 1";
    let many = harness.size(100_000, 100);
    let floors: Vec<_> = (0..many).map(|_| world_floor::floor_vc()).collect();
    let vcs: Vec<_> = (0..many).map(|_| world.connected()).collect();
    let (mut any, mut other) = (Random::new(1), Random::new(2));
    HOME.set(chain);
    harness.compare(
        name,
        Target::AtMost(1.8),
        |packets| {
            for _ in 0..packets {
                floors[any.below(many as u64) as usize].send(HOME.take());
            }
        },
        |packets| {
            for _ in 0..packets {
                vcs[other.below(many as u64) as usize].at().send(HOME.take());
            }
        },
    );
    drop(black_box(HOME.take()));
    vcs.into_iter().for_each(World::end);
}

fn against(harness: &mut Harness, mut send: impl FnMut(u64)) {
    let one_way = floor_hop::OneWay::new();
    harness.compare("against a crossbeam hop, batch 1", Target::AtMost(0.5), |n| one_way.run(n), &mut send);
    let two = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let trip = floor_hop::RoundTrip::new(two);
    harness.compare(
        "against tokio's round trip, 2 threads",
        Target::AtMost(0.05),
        |n| trip.run(n),
        &mut send,
    );
    let one = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    let trip = floor_hop::RoundTrip::new(one);
    harness.compare("against tokio's round trip, 1 thread", Target::None, |n| trip.run(n), &mut send);
}
