//! What the drivers and the fuzz body share: the octets that decide, what was pended, and every handle that was given out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use condis::adapter::{AdapterControl, HeldAdapter};
use condis::af::HeldAf;
use condis::binding::HeldBinding;
use condis::nbl::{CancelId, Chain, Pool, PoolConfig};
use condis::party::HeldParty;
use condis::role::{CallManager, Client, Signaling};
use condis::runtime::Sim;
use condis::sap::HeldSap;
use condis::status::NdisStatus;
use condis::token::{Answer, AnswerOf, Op, Token};
use condis::vc::{HeldVc, Kept, KeptSends, OwnedVc};

use super::operations;
use super::world::World;

/// The status of every refusal.
pub(super) const REFUSAL: NdisStatus = NdisStatus::RESOURCES;

/// Operations that a callback may run in turn, one inside the other. More than NDIS nests on one thread.
const DEPTH_MAX: u32 = 12;

/// How a callback answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    Ok,
    Err,
    Pend,
    /// Pends, and completes before the callback has returned.
    Early(bool),
    /// Pends, and turns it into a returned status after all.
    TakeBack,
    /// Pends, and drops what it should complete it with.
    Lose,
    Panic,
}

/// How a pended operation ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Complete(bool),
    Lose,
}

/// A pended operation, whichever.
type Owed = Box<dyn FnOnce(End) + Send>;

/// One VC.
pub(super) struct Slot<R: World> {
    pub(super) client: Option<HeldVc<Client>>,
    pub(super) manager: Option<HeldVc<R>>,
    pub(super) lower: Option<HeldVc<R::Lower>>,
    pub(super) signaling: Option<HeldVc<Signaling>>,
    pub(super) owned_by_client: Option<OwnedVc<Client>>,
    pub(super) owned_by_manager: Option<OwnedVc<R>>,
    pub(super) owned_signaling: Option<OwnedVc<Signaling>>,
    pub(super) client_parties: Vec<HeldParty<Client>>,
    pub(super) manager_parties: Vec<HeldParty<R>>,
}

impl<R: World> Default for Slot<R> {
    fn default() -> Self {
        Slot {
            client: None,
            manager: None,
            lower: None,
            signaling: None,
            owned_by_client: None,
            owned_by_manager: None,
            owned_signaling: None,
            client_parties: Vec::new(),
            manager_parties: Vec::new(),
        }
    }
}

/// What came of it, so that a test sees how far the octets led.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reached {
    /// Calls that a client heard to be up.
    pub calls_connected: u64,
    /// Calls that a client closed.
    pub calls_closed: u64,
    /// Parties that a client heard to be added.
    pub parties_added: u64,
    /// NBLs that clients and call managers sent.
    pub nbls_sent: u64,
    /// Those that came back to them.
    pub nbls_completed: u64,
    /// NBLs that miniports and MCMs indicated, without those that were lent.
    pub nbls_indicated: u64,
    /// Those that came back to them.
    pub nbls_returned: u64,
    /// OID requests that were answered.
    pub oids_answered: u64,
    /// Callbacks that pended.
    pub pended: u64,
    /// Callbacks that panicked.
    pub panics: u64,
    /// Systems that were shut down: their miniports are not called any more, not even to take NBLs back (DP-076).
    pub shutdowns: u64,
}

impl std::ops::AddAssign for Reached {
    fn add_assign(&mut self, other: Reached) {
        self.calls_connected += other.calls_connected;
        self.shutdowns += other.shutdowns;
        self.calls_closed += other.calls_closed;
        self.parties_added += other.parties_added;
        self.nbls_sent += other.nbls_sent;
        self.nbls_completed += other.nbls_completed;
        self.nbls_indicated += other.nbls_indicated;
        self.nbls_returned += other.nbls_returned;
        self.oids_answered += other.oids_answered;
        self.pended += other.pended;
        self.panics += other.panics;
    }
}

pub(super) struct State<R: World> {
    octets: VecDeque<u8>,
    /// Callbacks do what they are asked, since everything is being closed.
    pub(super) calm: bool,
    pub(super) depth: u32,
    pub(super) slots: Vec<Slot<R>>,
    /// The slot that the next create callback is about.
    pub(super) creating: usize,
    pub(super) owed: Vec<Owed>,
    pub(super) sends: Vec<KeptSends>,
    pub(super) kept: Vec<Kept>,
    pub(super) client_afs: Vec<HeldAf<Client>>,
    pub(super) manager_afs: Vec<HeldAf<R>>,
    pub(super) client_saps: Vec<HeldSap<Client>>,
    pub(super) manager_saps: Vec<HeldSap<R>>,
    pub(super) client_binding: Option<HeldBinding<Client>>,
    pub(super) manager_binding: Option<HeldBinding<CallManager>>,
    pub(super) adapter: Option<HeldAdapter<R::Lower>>,
    pub(super) control: Option<AdapterControl>,
    pub(super) reached: Reached,
}

pub(super) struct Bench<R: World> {
    state: Mutex<State<R>>,
    pub(super) sim: Arc<Sim>,
    pub(super) pool: Pool,
}

impl<R: World> Bench<R> {
    pub(super) fn new(octets: &[u8], sim: Arc<Sim>) -> Arc<Bench<R>> {
        let state = State {
            octets: VecDeque::from(octets.to_vec()),
            calm: false,
            depth: 0,
            slots: Vec::new(),
            creating: 0,
            owed: Vec::new(),
            sends: Vec::new(),
            kept: Vec::new(),
            client_afs: Vec::new(),
            manager_afs: Vec::new(),
            client_saps: Vec::new(),
            manager_saps: Vec::new(),
            client_binding: None,
            manager_binding: None,
            adapter: None,
            control: None,
            reached: Reached::default(),
        };
        let pool = Pool::new(PoolConfig { data_size: 16, headroom: 0, capacity: 256, ..Default::default() });
        Arc::new(Bench { state: Mutex::new(state), sim, pool })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().expect("no driver panics under the lock")
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().octets.is_empty()
    }

    /// The next octet; zero once there are none left.
    pub(super) fn octet(&self) -> u8 {
        self.lock().octets.pop_front().unwrap_or(0)
    }

    pub(super) fn is_calm(&self) -> bool {
        self.lock().calm
    }

    pub(super) fn slot<T>(&self, slot: usize, with: impl FnOnce(&mut Slot<R>) -> T) -> Option<T> {
        self.lock().slots.get_mut(slot).map(with)
    }

    pub(super) fn reached(&self, count: impl FnOnce(&mut Reached)) {
        count(&mut self.lock().reached);
    }

    /// A few NBLs, some of them with a cancel id.
    pub(super) fn chain(&self) -> Chain {
        let what = self.octet();
        let mut chain: Chain =
            (0..1 + what % 4).filter_map(|octet| self.pool.alloc_copy(&[octet]).ok()).collect();
        let id = std::num::NonZeroU64::new(u64::from(what / 64)).map(CancelId);
        chain.iter_mut().for_each(|nbl| nbl.set_cancel_id(id));
        chain
    }

    /// What a callback does first, and how it answers then.
    pub(super) fn fate(self: &Arc<Self>) -> Fate {
        loop {
            let depth = {
                let state = self.lock();
                if state.calm {
                    return Fate::Ok;
                }
                state.depth
            };
            match self.octet() {
                0..128 => return Fate::Ok,
                128..140 => return Fate::Err,
                140..184 => return Fate::Pend,
                184..200 => return Fate::Early(true),
                200..208 => return Fate::Early(false),
                208..212 => return Fate::TakeBack,
                212..215 => return Fate::Lose,
                215 => return Fate::Panic,
                216.. if depth < DEPTH_MAX => operations::inside(self),
                216.. => return Fate::Ok,
            }
        }
    }

    /// A driver's panic. No panic hook hears of it: it is part of the plan.
    pub(super) fn panic(&self) -> ! {
        self.reached(|reached| reached.panics += 1);
        std::panic::resume_unwind(Box::new("planted"))
    }

    /// A callback that may refuse but not pend.
    pub(super) fn verdict(self: &Arc<Self>) -> Result<(), NdisStatus> {
        match self.fate() {
            Fate::Ok | Fate::Pend | Fate::Early(true) | Fate::TakeBack => Ok(()),
            Fate::Err | Fate::Early(false) | Fate::Lose => Err(REFUSAL),
            Fate::Panic => self.panic(),
        }
    }

    /// A callback without an answer.
    pub(super) fn told(self: &Arc<Self>) {
        if self.fate() == Fate::Panic {
            self.panic();
        }
    }

    /// Answers a token, or pends it. `make` is the answer, good or bad.
    pub(super) fn answer<'a, O: Op>(
        self: &Arc<Self>,
        token: Token<'a, O>,
        make: impl FnOnce(bool) -> AnswerOf<O> + Send + 'static,
    ) -> Answer<'a, O> {
        let fate = self.fate();
        match fate {
            Fate::Ok => return token.done(make(true)),
            Fate::Err => return token.done(make(false)),
            Fate::Panic => self.panic(),
            Fate::Pend | Fate::Early(_) | Fate::TakeBack | Fate::Lose => {}
        }
        self.reached(|reached| reached.pended += 1);
        let (pended, answer) = token.pend();
        match fate {
            Fate::Early(ok) => pended.complete(make(ok)),
            Fate::TakeBack => return pended.take_back(answer, make(true)),
            Fate::Lose => drop(pended),
            Fate::Pend | Fate::Ok | Fate::Err | Fate::Panic => {
                let owed: Owed = Box::new(move |end| match end {
                    End::Complete(ok) => pended.complete(make(ok)),
                    End::Lose => drop(pended),
                });
                self.lock().owed.push(owed);
            }
        }
        answer
    }
}

/// An answer that is a status alone.
pub(super) fn plain(ok: bool) -> Result<(), NdisStatus> {
    if ok { Ok(()) } else { Err(REFUSAL) }
}
