//! The driver half of both ATM managers: one engine around one [`Uni`](crate::uni::Uni).
//!
//! One input at a time goes into the interface ([`state`]), and what follows from it is carried out, with no lock held: see
//! [`condis::engine`]. What differs between a call manager and an MCM is in [`Model`]: how an SDU is transmitted, and who
//! readies the path.

mod calls;
mod drivers;
mod parties;
mod record;
mod state;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use condis::af::{Af, HeldAf};
use condis::driver::{Made, ManagerParty, ManagerRole};
use condis::engine::{Carrier, Turns, Undeleted};
use condis::oid::{About, OidRequest, code};
use condis::params::{CallParams, CloseData};
use condis::party::HeldParty;
use condis::runtime::{Lane, OnTimer, Runtime};
use condis::sap::HeldSap;
use condis::status::NdisStatus;
use condis::token::{
    AddParty, CloseAf, CloseCall, DropParty, MakeCall, ModifyCallQos, Outcome, Pended, Refused,
};
use condis::vc::{HeldVc, OwnedVc, Vc};

pub(super) use drivers::{EngineAf, Leg};
use record::Make;
use state::State;

use super::config::{AtmConfig, EngineCounters, SignalingCounters};
use crate::VpVc;
use crate::q2931::wire::Cause;
use crate::uni::{CallId, PartyId};

/// How the two kinds of manager differ.
pub(super) trait Model: Send + Sync + Sized + 'static {
    /// The role that activates.
    type Role: ManagerRole;
    /// What a VC has beside its manager's object: an MCM's data half.
    type Data: Clone + Send + Sync + 'static;

    /// Sends an SDU of signaling or of ILMI. False: it is lost, and will be sent again.
    fn transmit(&self, vpvc: VpVc, sdu: &[u8]) -> bool;
    /// For a new VC.
    fn new_data(&self) -> Self::Data;
    /// Readies the path and activates the VC, or changes both. A call manager's miniport readies the path when NDIS asks it.
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

/// Names an open of the address family, or a SAP.
type Key = u64;

/// Something that happened.
enum Input<M: Model> {
    /// An SDU came on VC 0.5 or 0.16.
    Sdu {
        vpvc: VpVc,
        sdu: Vec<u8>,
    },
    Timer,
    /// The line went up or down.
    Link {
        up: bool,
    },
    /// The adapter is going away: say good-bye while that can be done.
    Leave,
    /// The network is gone for good.
    Gone,
    Make {
        leg: LegKey,
        make: Box<Make<M>>,
    },
    Close {
        leg: LegKey,
        pended: Pended<CloseCall>,
        cause: Cause,
    },
    OfferMade {
        leg: LegKey,
        call: CallId,
        made: Result<OwnedVc<M::Role>, NdisStatus>,
        data: M::Data,
    },
    /// The client has been offered the call, and thinks about it.
    OfferPending {
        leg: LegKey,
    },
    OfferAnswered {
        leg: LegKey,
        result: Result<CallParams, NdisStatus>,
    },
    Activated {
        leg: LegKey,
        result: Result<(), NdisStatus>,
    },
    Deactivated {
        leg: LegKey,
    },
    Modify {
        leg: LegKey,
        params: CallParams,
        pended: Pended<ModifyCallQos>,
    },
    AddParty {
        leg: LegKey,
        party: HeldParty<M::Role>,
        params: CallParams,
        pended: Pended<AddParty>,
    },
    DropParty {
        leg: LegKey,
        party: PartyId,
        cause: Cause,
        pended: Pended<DropParty>,
    },
    /// The VC of an incoming call is gone.
    Deleted {
        leg: LegKey,
    },
    /// A client has the address family open.
    AfOpened {
        key: Key,
    },
    /// The client closes the address family.
    CloseAf {
        key: Key,
        af: HeldAf<M::Role>,
        pended: Pended<CloseAf>,
    },
}

/// Something to carry out, with no lock held.
enum Effect<M: Model> {
    Transmit {
        vpvc: VpVc,
        sdu: Vec<u8>,
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
        leg: LegKey,
        pended: Pended<MakeCall>,
        result: Result<CallParams, Refused>,
        party: bool,
    },
    CloseDone {
        pended: Pended<CloseCall>,
    },
    ModifyDone {
        pended: Pended<ModifyCallQos>,
        result: Result<CallParams, Refused>,
    },
    PartyAdded {
        leg: LegKey,
        party: PartyId,
        pended: Pended<AddParty>,
        result: Result<CallParams, Refused>,
    },
    PartyDropped {
        pended: Pended<DropParty>,
    },
    PartyLeft {
        party: HeldParty<M::Role>,
        status: NdisStatus,
        data: CloseData,
    },
    MakeOffer {
        call: CallId,
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
    QosChanged {
        vc: HeldVc<M::Role>,
        params: CallParams,
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
    /// The same for parties.
    LetGoParty {
        party: HeldParty<M::Role>,
    },
    /// OID_CO_SIGNALING_ENABLED, _DISABLED or OID_CO_ADDRESS_CHANGE to every client, or to one.
    Tell {
        oid: u32,
        only: Option<Key>,
    },
}

/// The engine of one adapter.
pub(super) struct Engine<M: Model> {
    pub(super) model: M,
    me: Weak<Engine<M>>,
    turns: Turns<State<M>>,
    next_key: AtomicU64,
    afs: Mutex<BTreeMap<Key, HeldAf<M::Role>>>,
    undeleted: Undeleted<LegKey, M::Role>,
}

/// SDUs of signaling that wait for their turn at most. 4096: SSCOP's whole window, twice; what is lost is sent again.
const SDUS_MAX: usize = 4096;

impl<M: Model> Engine<M> {
    /// An engine whose line is down.
    pub(super) fn new(
        model: M,
        config: &AtmConfig,
        runtime: Arc<dyn Runtime>,
        lane: Lane,
        counters: SignalingCounters,
    ) -> Arc<Engine<M>> {
        let mut state = State::new(config, &*runtime, counters);
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

    /// An SDU came on VC 0.5 or 0.16.
    pub(super) fn sdu(&self, vpvc: VpVc, sdu: &[u8]) {
        let input = Input::Sdu { vpvc, sdu: sdu.to_vec() };
        if self.turns.input_from_network(self, input, SDUS_MAX).is_err() {
            self.count(|counters| counters.dropped_queue_full += 1);
        }
    }

    /// The line went up or down. Carried out on the lane, so that every protocol has heard of it before its calls end.
    pub(super) fn link_state(&self, up: bool) {
        self.later(move |engine| engine.input(Input::Link { up }));
    }

    /// The adapter is going away, and nothing can be sent soon: tell the peers now. The clients hear nothing of it; they
    /// close when they are unbound, or are told when the line is gone before that.
    pub(super) fn leave(&self) {
        self.input(Input::Leave);
    }

    /// The end: every call is over, and no timer is armed any more.
    pub(super) fn gone(&self) {
        self.input(Input::Gone);
    }

    pub(super) fn count(&self, count: impl FnOnce(&mut EngineCounters)) {
        count(&mut self.turns.machine().counters);
    }

    /// The clients' opens, to be told of the end.
    pub(super) fn afs(&self) -> Vec<HeldAf<M::Role>> {
        self.lock_afs().values().cloned().collect()
    }

    fn lock_afs(&self) -> MutexGuard<'_, BTreeMap<Key, HeldAf<M::Role>>> {
        // No driver's code runs under it.
        self.afs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self) -> u64 {
        self.next_key.fetch_add(1, Relaxed)
    }

    fn input(&self, input: Input<M>) {
        self.turns.input(self, input);
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

    /// NDIS's object for a party.
    fn party(&self, leg: LegKey, party: PartyId) -> Option<Box<dyn ManagerParty>> {
        Some(Box::new(drivers::EngineParty::new(self.me.upgrade()?, leg, party)))
    }

    fn tell(&self, oid: u32, only: Option<Key>) {
        let afs: Vec<HeldAf<M::Role>> = {
            let afs = self.lock_afs();
            afs.iter()
                .filter(|(key, _)| only.is_none_or(|only| only == **key))
                .map(|(_, af)| af.clone())
                .collect()
        };
        for af in afs {
            // A client that does not know it has no need of it.
            let _ = af.at().oid_request(About::Af, OidRequest::set(oid, Vec::new()));
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
            Effect::Transmit { vpvc, sdu } => {
                if !self.model.transmit(vpvc, &sdu) {
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
            Effect::MakeDone { leg, pended, result, party } => {
                let party = if party && result.is_ok() { self.party(leg, PartyId(0)) } else { None };
                pended.complete(result.map(|params| Made { params, party }));
            }
            Effect::CloseDone { pended } => pended.complete(Ok(())),
            Effect::ModifyDone { pended, result } => pended.complete(result),
            Effect::PartyAdded { leg, party, pended, result } => match (result, self.party(leg, party)) {
                (Ok(params), Some(object)) => pended.complete(Ok((object, params))),
                (Err(refused), _) => pended.complete(Err(refused)),
                (Ok(params), None) => pended.complete(Err(Refused::with(NdisStatus::CLOSING, params))),
            },
            Effect::PartyDropped { pended } => pended.complete(Ok(())),
            Effect::PartyLeft { party, status, data } => party.at().dispatch_incoming_drop(status, data),
            Effect::MakeOffer { call, af } => {
                let (leg, data) = (LegKey(self.key()), self.model.new_data());
                let engine = self.me.upgrade()?;
                let made = M::create_vc(af.at(), Leg::new(engine, leg, data.clone()));
                return Some(Input::OfferMade { leg, call, made, data });
            }
            Effect::Offer { leg, vc, sap, params } => {
                return Some(match vc.at().dispatch_incoming_call(&sap, params) {
                    Outcome::Done(result) => {
                        Input::OfferAnswered { leg, result: result.map_err(|refused| refused.status) }
                    }
                    Outcome::Pending => Input::OfferPending { leg },
                });
            }
            Effect::Connected { vc } => vc.at().dispatch_call_connected(),
            Effect::QosChanged { vc, params } => vc.at().dispatch_incoming_call_qos_change(params),
            Effect::RemoteClosed { vc, status, data } => vc.at().dispatch_incoming_close_call(status, data),
            Effect::Delete { leg, owner } => self.later(move |engine| engine.delete(leg, owner)),
            Effect::AfClosed { af, pended } => self.later(move |_| {
                pended.complete(Ok(()));
                drop(af);
            }),
            Effect::LetGo { vc } => drop(vc),
            Effect::LetGoParty { party } => drop(party),
            Effect::Tell { oid, only } => self.tell(oid, only),
        }
        None
    }

    fn timer_target(&self) -> Weak<dyn OnTimer> {
        self.me.clone()
    }
}

/// What clients are told when signaling comes or goes.
const fn signaling_oid(up: bool) -> u32 {
    if up { code::CO_SIGNALING_ENABLED } else { code::CO_SIGNALING_DISABLED }
}
