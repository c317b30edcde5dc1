//! The life of a VC: create, activate, deactivate and delete; and what an idle one takes.
//!
//! The call manager makes the VC, as for an incoming call: client and miniport are asked, the miniport activates and
//! deactivates it and both are told of its end. One operation is one whole life; as the newest comes, the oldest of 10,000
//! goes. Floors: `floors/life.rs`.

use std::collections::VecDeque;

use condis::params::CallParams;
use condis::role::CallManager;
use condis::token::Outcome;
use condis::vc::OwnedVc;

use crate::counting::Counting;
use crate::floor_life::Life;
use crate::harness::{Harness, Target};
use crate::world::{How, Octets64, World};

#[path = "harness/counting.rs"]
mod counting;
#[path = "floors/life.rs"]
mod floor_life;
mod harness;
mod world;

#[global_allocator]
static COUNTING: Counting = Counting;

fn main() {
    let mut harness = Harness::from_env("the life of a VC");
    let live = harness.size(10_000, 100);
    let mut floor = Life::new(live);
    let mut even = Life::with_creator_object(live);
    let mut ring = Ring::new(live);
    let target = Target::AtLeast(0.35);
    let turns = |floor: &mut Life, n| (0..n).for_each(|_| floor.turn());
    harness.compare_rates("a life, 10,000 live", target, |n| turns(&mut floor, n), |n| ring.run(n));
    let title = "a life, the floor with four allocations";
    harness.compare_rates(title, Target::None, |n| turns(&mut even, n), |n| ring.run(n));
    let mut other = Ring::new(live);
    let title = "two adapters on two threads to one";
    let (one, two) = (std::cell::RefCell::new(&mut ring), &mut other);
    harness.compare_rates(
        title,
        Target::AtLeast(1.6),
        |n| one.borrow_mut().run(n),
        |n| {
            std::thread::scope(|scope| {
                scope.spawn(|| two.run(n / 2));
                one.borrow_mut().run(n - n / 2);
            });
        },
    );
    memory(&mut harness);
    harness.finish();
}

/// VCs in a row, the oldest of which goes as a new one comes.
struct Ring {
    world: World,
    vcs: VecDeque<OwnedVc<CallManager>>,
}

impl Ring {
    fn new(live: usize) -> Ring {
        let world = World::new(How::AtOnce);
        let mut ring = Ring { world, vcs: VecDeque::new() };
        (0..live).for_each(|_| ring.begin());
        ring
    }

    fn run(&mut self, lives: u64) {
        for _ in 0..lives {
            self.begin();
            let vc = self.vcs.pop_front().expect("pushed just above");
            assert_eq!(vc.at().deactivate(), Outcome::Done(Ok(())));
            vc.delete().expect("it is idle");
        }
    }

    fn begin(&mut self) {
        let af = self.world.manager();
        let vc = af.at().create_vc(Box::new(Octets64::default())).expect("everybody agrees");
        assert!(matches!(vc.at().activate(CallParams::default()), Outcome::Done(Ok(_))));
        self.vcs.push_back(vc);
    }
}

/// What a VC takes in all: NDIS's part, three objects of 64 octets, its place in the adapter's table.
fn memory(harness: &mut Harness) {
    let many = harness.size(1_000_000, 1_000);
    let title = "octets an idle VC, malloc's chunks";
    harness.figure(title, "octets", Target::AtMost(450.0), || {
        let world = World::new(How::AtOnce);
        let mut vcs = Vec::with_capacity(many);
        vcs.push(world.idle());
        let resident = resident();
        let (_, asked, chunks) = counting::octets_of(|| (1..many).for_each(|_| vcs.push(world.idle())));
        let resident = resident_since(resident);
        let each = |octets: usize| octets as f64 / many as f64;
        println!("{:<44} {:>9.1} octets asked for", "  the same", each(asked));
        println!("{:<44} {:>9.1} octets resident, the owner's handle in it", "  the same", each(resident));
        let (_, more, _) = counting::octets_of(|| vcs.iter().for_each(connect));
        println!("{:<44} {:>9.1} octets asked for in addition with a call", "  the same", each(more));
        vcs.into_iter().for_each(World::end);
        each(chunks)
    });
}

fn connect(vc: &OwnedVc<condis::role::Client>) {
    assert!(matches!(vc.at().make_call(CallParams::default(), None), Outcome::Done(Ok(_))));
}

/// Octets of the process that are in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

fn resident_since(before: usize) -> usize {
    resident().saturating_sub(before)
}
