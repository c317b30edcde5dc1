//! The floor under the life-cycle benches: create, activate, deactivate and delete a VC.
//!
//! Three allocations (the VC and the objects of the two drivers that did not make it), eight calls through vtables (four of
//! the call manager's, four of NDIS), four compare-and-swaps of the state, and a slot in the adapter's table of VCs, which
//! nobody else locks. [`Life::with_creator_object`] allocates an object for the driver that made the VC too, as the bench of
//! the library does.
//!
//! What the library must add is left out on purpose: no lock, no count of references, no look at whether the adapter or the
//! binding is closing, no upcall queue, no guard against panics, no trace, no parameters.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What the drivers of a floor VC do.
pub(crate) trait FloorDriver: Send + Sync {
    fn create(&self, id: u64) -> Option<Box<dyn FloorObject>>;
}

/// A driver's object for a VC, of 64 octets.
pub(crate) trait FloorObject: Send + Sync {
    fn activate(&self) -> bool;
    fn deactivate(&self) -> bool;
    fn delete(&self) -> bool;
}

/// The object of every driver in this bench.
pub(crate) struct Octets64(pub(crate) [u64; 8]);

impl FloorObject for Octets64 {
    fn activate(&self) -> bool {
        black_box(self.0[0]) == 0
    }

    fn deactivate(&self) -> bool {
        black_box(self.0[1]) == 0
    }

    fn delete(&self) -> bool {
        black_box(self.0[2]) == 0
    }
}

/// A driver that makes such objects.
pub(crate) struct Makes64;

impl FloorDriver for Makes64 {
    fn create(&self, id: u64) -> Option<Box<dyn FloorObject>> {
        Some(Box::new(Octets64([0, 0, 0, id, 0, 0, 0, 0])))
    }
}

struct FloorVc {
    state: AtomicU32,
    slot: u32,
    client: Box<dyn FloorObject>,
    miniport: Box<dyn FloorObject>,
    creator: Option<Box<dyn FloorObject>>,
    _rest: [u64; REST],
}

/// As many words as make an `Arc<FloorVc>` 176 octets, within the 192 that the library's VC may take.
const REST: usize = 13;

/// An adapter with its VCs, the oldest of which goes as a new one comes.
pub(crate) struct Life {
    client: Box<dyn FloorDriver>,
    miniport: Box<dyn FloorDriver>,
    creator: Option<Box<dyn FloorDriver>>,
    table: Vec<Option<Arc<FloorVc>>>,
    free: Vec<u32>,
    ring: std::collections::VecDeque<Arc<FloorVc>>,
    next: u64,
}

impl Life {
    pub(crate) fn new(live: usize) -> Life {
        Life::build(live, None)
    }

    pub(crate) fn with_creator_object(live: usize) -> Life {
        Life::build(live, Some(Box::new(Makes64)))
    }

    fn build(live: usize, creator: Option<Box<dyn FloorDriver>>) -> Life {
        let mut life = Life {
            client: black_box(Box::new(Makes64)),
            miniport: black_box(Box::new(Makes64)),
            creator: black_box(creator),
            table: Vec::new(),
            free: Vec::new(),
            ring: std::collections::VecDeque::new(),
            next: 0,
        };
        for _ in 0..live {
            let vc = life.create();
            life.ring.push_back(vc);
        }
        life
    }

    /// One whole life: a VC is created and activated, and the oldest one deactivated and deleted.
    #[inline(never)]
    pub(crate) fn turn(&mut self) {
        let vc = self.create();
        vc.step(0, 1);
        assert!(vc.client.activate() && vc.miniport.activate());
        vc.step(1, 2);
        self.ring.push_back(vc);
        let vc = self.ring.pop_front().expect("pushed just above");
        assert!(vc.client.deactivate() && vc.miniport.deactivate());
        vc.step(vc.state.load(Ordering::Acquire), 3);
        assert!(vc.client.delete() && vc.miniport.delete());
        vc.step(3, 4);
        self.table[vc.slot as usize] = None;
        self.free.push(vc.slot);
    }

    fn create(&mut self) -> Arc<FloorVc> {
        self.next += 1;
        let client = self.client.create(self.next).expect("it takes every VC");
        let miniport = self.miniport.create(self.next).expect("it takes every VC");
        let creator = self.creator.as_ref().and_then(|driver| driver.create(self.next));
        let slot = self.free.pop().unwrap_or_else(|| {
            self.table.push(None);
            self.table.len() as u32 - 1
        });
        let state = AtomicU32::new(0);
        let vc = Arc::new(FloorVc { state, slot, client, miniport, creator, _rest: [0; REST] });
        self.table[slot as usize] = Some(vc.clone());
        black_box(&vc.creator);
        vc
    }
}

impl FloorVc {
    fn step(&self, from: u32, to: u32) {
        let moved = self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire);
        assert!(moved.is_ok());
    }
}
