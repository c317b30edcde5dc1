//! The driver half of both managers: one engine around the two machines of the discovery stage.
//!
//! One input at a time goes into the machines ([`state`]), and what follows from it is carried out, with no lock held:
//! see [`condis::engine`].
//!
//! What differs between a call manager and an MCM is in [`Model`]: how a packet is transmitted, and who readies the path.

mod drivers;
mod record;
mod state;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use condis::af::{Af, HeldAf};
use condis::driver::{Made, ManagerRole};
use condis::engine::{Carrier, Turns, Undeleted};
use condis::oid::{About, OidRequest, code};
use condis::params::{CallParams, CloseData};
use condis::runtime::{Lane, OnTimer, Runtime};
use condis::sap::HeldSap;
use condis::status::NdisStatus;
use condis::token::{CloseAf, CloseCall, MakeCall, Outcome, Pended, Refused};
use condis::vc::{HeldVc, OwnedVc, Vc};

pub(super) use drivers::{EngineAf, Leg};
use record::Make;
use state::State;

use super::PppoeCounters;
use super::config::{EngineCounters, PppoeConfig};
use crate::pppoe::discovery::{Key, SessionKey};
use crate::pppoe::wire::{MacAddr, SessionId};

/// How the two kinds of manager differ.
pub(super) trait Model: Send + Sync + Sized + 'static {
    /// The role that activates.
    type Role: ManagerRole;
    /// What a VC has beside its manager's object: an MCM's data half.
    type Data: Clone + Send + Sync + 'static;

    /// Sends a packet of the discovery stage. False: it is lost, and will be sent again or not be missed.
    fn transmit(&self, to: MacAddr, packet: &[u8]) -> bool;
    /// For a new VC.
    fn new_data(&self) -> Self::Data;
    /// Readies the path and activates the VC. A call manager's miniport readies the path when NDIS asks it.
    fn activate(
        &self,
        vc: Vc<'_, Self::Role>,
        data: &Self::Data,
        params: CallParams,
    ) -> Outcome<Result<CallParams, Refused>>;
    /// Undoes it.
    fn deactivate(&self, vc: Vc<'_, Self::Role>, data: &Self::Data) -> Outcome<Result<(), NdisStatus>>;
    /// What NDIS is given for a VC that a client makes.
    fn new_vc(leg: Leg<Self>) -> <Self::Role as ManagerRole>::NewVc;
    /// `NdisCoCreateVc`, `NdisMCmCreateVc`.
    fn create_vc(af: Af<'_, Self::Role>, leg: Leg<Self>) -> Result<OwnedVc<Self::Role>, NdisStatus>;
}

/// Names a VC inside the engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct LegKey(u64);

/// Something that happened.
enum Input<M: Model> {
    Packet {
        from: MacAddr,
        to: MacAddr,
        packet: Vec<u8>,
    },
    UnknownSession {
        from: MacAddr,
        id: SessionId,
    },
    Timer,
    /// The link went up or down.
    Link {
        up: bool,
    },
    /// The adapter is going away: say good-bye while that can be done.
    Leave,
    /// The network is gone for good.
    Gone,
    Make {
        leg: LegKey,
        make: Make<M>,
    },
    Close {
        leg: LegKey,
        pended: Pended<CloseCall>,
    },
    OfferAnswered {
        leg: LegKey,
        result: Result<(), NdisStatus>,
    },
    OfferMade {
        leg: LegKey,
        session: SessionKey,
        made: Result<OwnedVc<M::Role>, NdisStatus>,
        data: M::Data,
    },
    Activated {
        leg: LegKey,
        result: Result<(), NdisStatus>,
    },
    Deactivated {
        leg: LegKey,
    },
    /// The VC of an incoming call is gone.
    Deleted {
        leg: LegKey,
    },
    /// The client closes the address family.
    CloseAf {
        af: HeldAf<M::Role>,
        pended: Pended<CloseAf>,
    },
    /// A key that nobody can guess.
    KeyDrawn {
        key: Key,
    },
}

/// Something to carry out, with no lock held.
enum Effect<M: Model> {
    Transmit {
        to: MacAddr,
        packet: Vec<u8>,
    },
    Activate {
        leg: LegKey,
        vc: HeldVc<M::Role>,
        data: M::Data,
        params: CallParams,
    },
    Deactivate {
        leg: LegKey,
        vc: HeldVc<M::Role>,
        data: M::Data,
    },
    MakeDone {
        pended: Pended<MakeCall>,
        result: Result<Made, Refused>,
    },
    CloseDone {
        pended: Pended<CloseCall>,
    },
    MakeOffer {
        session: SessionKey,
        af: HeldAf<M::Role>,
    },
    Offer {
        leg: LegKey,
        vc: HeldVc<M::Role>,
        sap: HeldSap<M::Role>,
        params: CallParams,
    },
    Connected {
        vc: HeldVc<M::Role>,
    },
    RemoteClosed {
        vc: HeldVc<M::Role>,
        status: NdisStatus,
        data: CloseData,
    },
    /// The VC carries no call any more; its creator deletes it.
    Delete {
        leg: LegKey,
        owner: OwnedVc<M::Role>,
    },
    /// Every VC that we made on it is gone.
    AfClosed {
        af: HeldAf<M::Role>,
        pended: Pended<CloseAf>,
    },
    /// Let go of what may be the last handle.
    LetGo {
        vc: HeldVc<M::Role>,
    },
    /// The client dialled again before the last call was quite gone.
    Again {
        leg: LegKey,
        make: Make<M>,
    },
    /// OID_CO_SIGNALING_ENABLED or _DISABLED to every client.
    Signaling {
        enabled: bool,
    },
    /// The next key of the cookies is wanted.
    DrawKey,
}

/// The engine of one adapter.
pub(super) struct Engine<M: Model> {
    pub(super) model: M,
    me: Weak<Engine<M>>,
    turns: Turns<State<M>>,
    next_key: AtomicU64,
    afs: Mutex<BTreeMap<u64, HeldAf<M::Role>>>,
    undeleted: Undeleted<LegKey, M::Role>,
}

/// Packets that wait for their turn at most. 1024: a burst of every host of a segment; what is lost is sent again.
const PACKETS_MAX: usize = 1024;

impl<M: Model> Engine<M> {
    /// An engine on an adapter whose frames carry `mtu_octets`.
    pub(super) fn new(
        model: M,
        config: &PppoeConfig,
        mtu_octets: usize,
        runtime: Arc<dyn Runtime>,
        lane: Lane,
        counters: PppoeCounters,
    ) -> Arc<Engine<M>> {
        let mut state = State::new(config, mtu_octets, &*runtime, counters);
        // Every name is there from the beginning, with its zero.
        state.publish();
        Arc::new_cyclic(|me| Engine {
            model,
            me: me.clone(),
            turns: Turns::new(state, runtime, lane),
            next_key: AtomicU64::new(0),
            afs: Mutex::default(),
            undeleted: Undeleted::default(),
        })
    }

    // What happens

    /// A packet of the discovery stage arrived.
    pub(super) fn packet(&self, from: MacAddr, to: MacAddr, packet: &[u8]) {
        self.input_from_network(Input::Packet { from, to, packet: packet.to_vec() });
    }

    /// A frame of a session that no VC carries arrived.
    pub(super) fn unknown_session(&self, from: MacAddr, id: SessionId) {
        self.input_from_network(Input::UnknownSession { from, id });
    }

    /// The link went up or down. Carried out on the lane, so that every protocol has heard of it before its calls end.
    pub(super) fn link_state(&self, up: bool) {
        self.later(move |engine| engine.input(Input::Link { up }));
    }

    /// The adapter is going away, and nothing can be sent soon: tell the peers now. The clients hear nothing of it; they
    /// close when they are unbound, or are told when the link is gone before that.
    pub(super) fn leave(&self) {
        self.input(Input::Leave);
    }

    /// The end: every call is over, and no timer is armed any more.
    pub(super) fn gone(&self) {
        self.input(Input::Gone);
    }

    /// What is malformed before it reaches a machine.
    pub(super) fn count(&self, count: impl FnOnce(&mut EngineCounters)) {
        count(&mut self.turns.machine().counters);
    }

    /// The clients' opens, to be told of the end.
    pub(super) fn afs(&self) -> Vec<HeldAf<M::Role>> {
        self.lock_afs().values().cloned().collect()
    }

    fn lock_afs(&self) -> MutexGuard<'_, BTreeMap<u64, HeldAf<M::Role>>> {
        // No driver's code runs under it.
        self.afs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self) -> u64 {
        self.next_key.fetch_add(1, Relaxed)
    }

    fn input(&self, input: Input<M>) {
        self.turns.input(self, input);
    }

    fn input_from_network(&self, input: Input<M>) {
        if self.turns.input_from_network(self, input, PACKETS_MAX).is_err() {
            self.count(|counters| counters.dropped_queue_full += 1);
        }
    }

    /// On the lane, behind what is there already.
    fn later(&self, job: impl FnOnce(&Engine<M>) + Send + 'static) {
        let engine = self.me.upgrade();
        let job = move || {
            if let Some(engine) = engine {
                job(&engine);
            }
        };
        self.turns.runtime().defer(self.turns.lane(), Box::new(job));
    }

    /// Deletes the VC of an incoming call that is over.
    fn delete(&self, leg: LegKey, owner: OwnedVc<M::Role>) {
        let (runtime, lane) = (&**self.turns.runtime(), self.turns.lane());
        if self.undeleted.delete(leg, owner, runtime, lane, self.timer_target()) {
            self.input(Input::Deleted { leg });
        }
    }
}

impl<M: Model> OnTimer for Engine<M> {
    fn on_timer(&self, token: u64) {
        if token != Undeleted::<LegKey, M::Role>::TOKEN {
            return self.turns.fired(self, token);
        }
        for (leg, owner) in self.undeleted.take() {
            self.delete(leg, owner);
        }
    }
}

impl<M: Model> Carrier<State<M>> for Engine<M> {
    fn carry_out(&self, effect: Effect<M>) -> Option<Input<M>> {
        match effect {
            Effect::Transmit { to, packet } => {
                if !self.model.transmit(to, &packet) {
                    self.count(|counters| counters.signaling_lost += 1);
                }
            }
            Effect::Activate { leg, vc, data, params } => {
                if let Outcome::Done(result) = self.model.activate(vc.at(), &data, params) {
                    let result = result.map(drop).map_err(|refused| refused.status);
                    return Some(Input::Activated { leg, result });
                }
            }
            Effect::Deactivate { leg, vc, data } => {
                if let Outcome::Done(_) = self.model.deactivate(vc.at(), &data) {
                    return Some(Input::Deactivated { leg });
                }
            }
            Effect::MakeDone { pended, result } => pended.complete(result),
            Effect::CloseDone { pended } => pended.complete(Ok(())),
            Effect::MakeOffer { session, af } => {
                let (leg, data) = (LegKey(self.key()), self.model.new_data());
                let engine = self.me.upgrade()?;
                let made = M::create_vc(af.at(), Leg::new(engine, leg, data.clone()));
                return Some(Input::OfferMade { leg, session, made, data });
            }
            Effect::Offer { leg, vc, sap, params } => {
                if let Outcome::Done(result) = vc.at().dispatch_incoming_call(&sap, params) {
                    let result = result.map(drop).map_err(|refused| refused.status);
                    return Some(Input::OfferAnswered { leg, result });
                }
            }
            Effect::Connected { vc } => vc.at().dispatch_call_connected(),
            Effect::RemoteClosed { vc, status, data } => vc.at().dispatch_incoming_close_call(status, data),
            Effect::Delete { leg, owner } => {
                self.later(move |engine| engine.delete(leg, owner));
            }
            Effect::AfClosed { af, pended } => self.later(move |_| {
                pended.complete(Ok(()));
                drop(af);
            }),
            Effect::LetGo { vc } => drop(vc),
            Effect::Again { leg, make } => return Some(Input::Make { leg, make }),
            Effect::DrawKey => return Some(Input::KeyDrawn { key: draw_key(&**self.turns.runtime()) }),
            Effect::Signaling { enabled } => {
                let oid = if enabled { code::CO_SIGNALING_ENABLED } else { code::CO_SIGNALING_DISABLED };
                for af in self.afs() {
                    // A client that does not know it has no need of it.
                    let _ = af.at().oid_request(About::Af, OidRequest::set(oid, Vec::new()));
                }
            }
        }
        None
    }

    fn timer_target(&self) -> Weak<dyn OnTimer> {
        self.me.clone()
    }
}

/// A key that nobody outside can guess.
fn draw_key(runtime: &dyn Runtime) -> Key {
    let [low, high] = [runtime.entropy(), runtime.entropy()].map(u64::to_be_bytes);
    std::array::from_fn(|index| if index < 8 { low[index] } else { high[index - 8] })
}
