//! One VC, as all its drivers share it in the stress test, with what must hold of it.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};

use condis::nbl::{Chain, Pool, PoolConfig};
use condis::params::CallParams;
use condis::role::Client;
use condis::runtime::Random;
use condis::token::{Activate, CloseCall, Deactivate, IncomingCall, MakeCall, Pended};
use condis::vc::{HeldVc, Kept, KeptSends, OwnedVc};

use super::drivers::World;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seat {
    Client,
    Manager,
    Lower,
}

/// What the manager knows of its end.
pub struct ManagerState {
    pub make: Option<(Pended<MakeCall>, CallParams)>,
    pub close: Option<Pended<CloseCall>>,
    /// The client asked for a close, and the VC is not deactivated yet.
    pub winding: bool,
    pub act: Act,
    /// The offer was accepted, and connected is still to be told.
    pub accepted: bool,
    pub up: bool,
    /// Closes that the client asked for, over all calls.
    pub closes: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    No,
    Asked,
    Yes,
    Ending,
}

pub struct Line<R: World> {
    pub number: usize,
    pub by_client: bool,
    pub yard: Arc<Yard<R>>,
    inside: [AtomicBool; 3],
    gone: [AtomicBool; 3],
    /// Calls that the manager has on this VC.
    pub calls: AtomicU32,
    pub heard_close: AtomicBool,
    /// What drives the adapter has the VC active.
    pub active: AtomicBool,
    pub sends_below: AtomicI64,
    pub kept_above: AtomicI64,
    /// The client's call is up.
    pub up: AtomicBool,
    /// The client may dial.
    pub may_dial: AtomicBool,
    pub manager_busy: AtomicBool,
    pub client: Mutex<Option<HeldVc<Client>>>,
    pub manager: Mutex<Option<HeldVc<R>>>,
    pub lower: Mutex<Option<HeldVc<R::Lower>>>,
    pub owned_by_client: Mutex<Option<OwnedVc<Client>>>,
    pub owned_by_manager: Mutex<Option<OwnedVc<R>>>,
    pub state: Mutex<ManagerState>,
    pub offer: Mutex<Option<(Pended<IncomingCall>, CallParams)>>,
    pub activation: Mutex<Option<(Pended<Activate>, CallParams)>>,
    pub deactivation: Mutex<Option<Pended<Deactivate>>>,
    pub sends: Mutex<Vec<KeptSends>>,
    pub kept: Mutex<Vec<Kept>>,
    random: Mutex<Random>,
}

/// What all lines of a round share.
pub struct Yard<R: World> {
    pub seed: u64,
    pub violations: Mutex<Vec<String>>,
    pub pool: Pool,
    pub lines: Mutex<Vec<Arc<Line<R>>>>,
    pub next: AtomicU32,
    /// The line that a create callback of a peer is about. Creations of one world are serialized by their threads.
    pub creating: Mutex<Option<Arc<Line<R>>>>,
    pub stop: AtomicBool,
    pub sent: AtomicU64,
    pub completed: AtomicU64,
    pub indicated: AtomicU64,
    pub returned: AtomicU64,
    pub made: AtomicU64,
    pub connected: AtomicU64,
    pub deleted: AtomicU64,
    pub told: AtomicU64,
    pub heard: AtomicU64,
    pub hearing: AtomicBool,
    pub handles: Mutex<super::drivers::Handles<R>>,
}

impl<R: World> Yard<R> {
    pub fn new(seed: u64) -> Arc<Yard<R>> {
        Arc::new(Yard {
            seed,
            violations: Mutex::default(),
            pool: Pool::new(PoolConfig {
                data_size: 32,
                headroom: 0,
                capacity: 100_000,
                ..Default::default()
            }),
            lines: Mutex::default(),
            next: AtomicU32::new(0),
            creating: Mutex::default(),
            stop: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            indicated: AtomicU64::new(0),
            returned: AtomicU64::new(0),
            made: AtomicU64::new(0),
            connected: AtomicU64::new(0),
            deleted: AtomicU64::new(0),
            told: AtomicU64::new(0),
            heard: AtomicU64::new(0),
            hearing: AtomicBool::new(false),
            handles: Mutex::default(),
        })
    }

    pub fn violation(&self, what: String) {
        lock(&self.violations).push(what);
    }

    pub fn chain(&self, nbls: u64) -> Chain {
        (0..nbls).filter_map(|n| self.pool.alloc_copy(&[n as u8]).ok()).collect()
    }

    pub fn line(self: &Arc<Self>, by_client: bool) -> Arc<Line<R>> {
        let number = self.next.fetch_add(1, SeqCst) as usize;
        Arc::new(Line {
            number,
            by_client,
            yard: self.clone(),
            inside: Default::default(),
            gone: Default::default(),
            calls: AtomicU32::new(0),
            heard_close: AtomicBool::new(false),
            active: AtomicBool::new(false),
            sends_below: AtomicI64::new(0),
            kept_above: AtomicI64::new(0),
            up: AtomicBool::new(false),
            may_dial: AtomicBool::new(true),
            manager_busy: AtomicBool::new(false),
            client: Mutex::default(),
            manager: Mutex::default(),
            lower: Mutex::default(),
            owned_by_client: Mutex::default(),
            owned_by_manager: Mutex::default(),
            state: Mutex::new(ManagerState {
                make: None,
                close: None,
                winding: false,
                act: Act::No,
                accepted: false,
                up: false,
                closes: 0,
            }),
            offer: Mutex::default(),
            activation: Mutex::default(),
            deactivation: Mutex::default(),
            sends: Mutex::default(),
            kept: Mutex::default(),
            random: Mutex::new(Random::stream(self.seed, 1000 + number as u64)),
        })
    }
}

pub fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().expect("no driver of this test panics under a lock")
}

/// A control upcall under way.
pub struct Inside<'a>(&'a AtomicBool);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.store(false, SeqCst);
    }
}

impl<R: World> Line<R> {
    /// A control upcall begins: none of this VC runs at the same driver, and none comes after the delete.
    pub fn enter(&self, seat: Seat, what: &str) -> Inside<'_> {
        self.alive(seat, what);
        let inside = &self.inside[seat as usize];
        if inside.swap(true, SeqCst) {
            let number = self.number;
            self.yard.violation(format!("line {number}: {what} inside another upcall of the {seat:?}"));
        }
        // Widens the window in which a second one would be seen.
        if self.chance(8) {
            std::thread::yield_now();
        }
        Inside(inside)
    }

    /// Any upcall begins.
    pub fn alive(&self, seat: Seat, what: &str) {
        if self.gone[seat as usize].load(SeqCst) {
            self.yard.violation(format!("line {}: {what} of the {seat:?} after the delete", self.number));
        }
    }

    pub fn gone(&self, seat: Seat) {
        self.gone[seat as usize].store(true, SeqCst);
    }

    /// The manager gets a call on this VC.
    pub fn call_begins(&self) {
        if self.calls.fetch_add(1, SeqCst) != 0 {
            self.yard.violation(format!("line {}: a second call on the VC", self.number));
        }
    }

    /// The client gives up while it rings, and then does not dial again: it could not tell the end of the make-call from
    /// that of the close. The others close what is up.
    pub fn gives_up(&self) -> bool {
        self.by_client && self.number.is_multiple_of(4)
    }

    pub fn call_ends(&self) {
        self.calls.store(0, SeqCst);
    }

    /// One in `of`.
    pub fn chance(&self, of: u64) -> bool {
        lock(&self.random).below(of) == 0
    }

    pub fn below(&self, bound: u64) -> u64 {
        lock(&self.random).below(bound)
    }

    /// The client's close is complete: the VC is inactive, and every NBL is back.
    pub fn closed(&self) {
        if self.active.load(SeqCst) {
            self.yard.violation(format!("line {}: closed while active", self.number));
        }
        let (sends, kept) = (self.sends_below.load(SeqCst), self.kept_above.load(SeqCst));
        if (sends, kept) != (0, 0) {
            self.yard.violation(format!(
                "line {}: closed with {sends} sends and {kept} receives out",
                self.number
            ));
        }
    }
}
