//! Two threads on the data path. Both programs are the library's; the first runs on one thread.
//!
//! The ratio is that of the rates: 2 is twice as much in the same time.

use std::sync::Barrier;

use condis::role::{Client, Miniport};
use condis::vc::Vc;

use crate::harness::{Harness, Target};
use crate::world::{HOME, How, RETURNED, World};

mod harness;
mod world;

fn main() {
    let mut harness = Harness::from_env("two threads to one");
    let world = World::new(How::AtOnce);
    let (vc, lower) = world.connected_with_lower();
    let other = world.connected();
    for batch in [1, 32] {
        let one = |n| send(vc.at(), batch, n);
        harness.compare_rates(
            &format!("disjoint VCs, batch {batch}"),
            if batch == 1 { Target::AtLeast(1.7) } else { Target::None },
            one,
            |n| both(|| send(vc.at(), batch, n / 2), || send(other.at(), batch, n - n / 2)),
        );
        harness.compare_rates(
            &format!("a sender and a receiver on a VC, batch {batch}"),
            if batch == 1 { Target::AtLeast(1.2) } else { Target::None },
            |n| {
                send(vc.at(), batch, n / 2);
                indicate(lower.at(), batch, n - n / 2);
            },
            |n| both(|| send(vc.at(), batch, n / 2), || indicate(lower.at(), batch, n - n / 2)),
        );
        harness.compare_rates(
            &format!("two senders on a VC, batch {batch}"),
            if batch == 1 { Target::AtLeast(0.4) } else { Target::None },
            one,
            |n| both(|| send(vc.at(), batch, n / 2), || send(vc.at(), batch, n - n / 2)),
        );
    }
    harness.finish();
}

/// Runs both at the same time.
fn both(here: impl FnOnce(), there: impl FnOnce() + Send) {
    let start = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            there();
        });
        start.wait();
        here();
    });
}

fn send(vc: Vc<'_, Client>, batch: usize, packets: u64) {
    // Each thread has a pool of its own, so that only the VC is shared.
    let pool = world::pool();
    HOME.set(world::batch(&pool, batch));
    for _ in 0..packets.div_ceil(batch as u64) {
        vc.send(HOME.take());
    }
    assert_eq!(HOME.take().len(), batch);
}

fn indicate(vc: Vc<'_, Miniport>, batch: usize, packets: u64) {
    let pool = world::pool();
    RETURNED.set(world::batch(&pool, batch));
    for _ in 0..packets.div_ceil(batch as u64) {
        vc.indicate_receive(RETURNED.take());
    }
    assert_eq!(RETURNED.take().len(), batch);
}
