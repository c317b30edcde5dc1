//! The driver half of both managers: one engine around the two machines of the discovery stage.
//!
//! One input at a time goes into the machines ([`state`]); what follows from it is carried out, with no lock held; then
//! comes the next. What a client does from inside an upcall, or a packet that arrives meanwhile, only queues. So the
//! machines never run within themselves, and what they say leaves in the order in which they said it.
//!
//! What differs between a call manager and an MCM is in [`Model`]: how a packet is transmitted, and who readies the path.

mod drivers;
mod record;
mod state;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use condis::af::{Af, HeldAf};
use condis::driver::{Made, ManagerRole};
use condis::oid::{About, OidRequest, code};
use condis::params::{CallParams, CloseData};
use condis::runtime::{Lane, OnTimer, Runtime, Time, TimerId};
use condis::sap::HeldSap;
use condis::status::NdisStatus;
use condis::token::{CloseAf, CloseCall, MakeCall, Outcome, Pended, Refused};
use condis::vc::{HeldVc, OwnedVc, Vc};

pub(super) use drivers::{EngineAf, Leg};
use record::Make;
use state::State;

use super::PppoeCounters;
use super::config::{EngineCounters, PppoeConfig};
use crate::pppoe::discovery::SessionKey;
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
}

/// The engine of one adapter.
pub(super) struct Engine<M: Model> {
    pub(super) model: M,
    me: Weak<Engine<M>>,
    runtime: Arc<dyn Runtime>,
    lane: Lane,
    counters: PppoeCounters,
    next_key: AtomicU64,
    inner: Mutex<Inner<M>>,
}

struct Inner<M: Model> {
    state: State<M>,
    /// What NDIS answered, before everything else: it belongs to the input that is being carried out.
    answers: VecDeque<Input<M>>,
    inputs: VecDeque<Input<M>>,
    /// Of the inputs, those that came from the network.
    packets: usize,
    busy: bool,
    armed: Option<(Time, TimerId)>,
    afs: BTreeMap<u64, HeldAf<M::Role>>,
    /// VCs that could not be deleted yet.
    undeleted: Vec<(LegKey, OwnedVc<M::Role>)>,
}

/// Packets that wait for their turn at most. 1024: a burst of every host of a segment; what is lost is sent again.
const PACKETS_MAX: usize = 1024;

/// When a VC is tried to be deleted again: longer than an upcall takes.
const DELETE_AGAIN_AFTER: Duration = Duration::from_millis(1);

/// The timer of that. The other one's token is the moment it is armed for, which is never the end of time.
const DELETE_AGAIN: u64 = u64::MAX;

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
        let mut state = State::new(config, mtu_octets, &*runtime);
        // Every name is there from the beginning, with its zero.
        let snapshot = state.snapshot();
        counters.publish(&mut state.published, snapshot);
        Arc::new_cyclic(|me| Engine {
            model,
            me: me.clone(),
            runtime,
            lane,
            counters,
            next_key: AtomicU64::new(0),
            inner: Mutex::new(Inner {
                state,
                answers: VecDeque::new(),
                inputs: VecDeque::new(),
                packets: 0,
                busy: false,
                armed: None,
                afs: BTreeMap::new(),
                undeleted: Vec::new(),
            }),
        })
    }

    // What happens

    /// A packet of the discovery stage arrived.
    pub(super) fn packet(&self, from: MacAddr, to: MacAddr, packet: &[u8]) {
        self.input(Input::Packet { from, to, packet: packet.to_vec() });
    }

    /// A frame of a session that no VC carries arrived.
    pub(super) fn unknown_session(&self, from: MacAddr, id: SessionId) {
        self.input(Input::UnknownSession { from, id });
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
        count(&mut self.lock().state.counters);
    }

    /// The clients' opens, to be told of the end.
    pub(super) fn afs(&self) -> Vec<HeldAf<M::Role>> {
        self.lock().afs.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner<M>> {
        // No driver's code runs under it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self) -> u64 {
        self.next_key.fetch_add(1, Relaxed)
    }

    /// Takes an input: now, or, if one is being carried out, in its turn.
    fn input(&self, input: Input<M>) {
        let refused = {
            let mut inner = self.lock();
            let from_network = matches!(input, Input::Packet { .. } | Input::UnknownSession { .. });
            if from_network && inner.packets >= PACKETS_MAX {
                inner.state.counters.dropped_queue_full += 1;
                Some(input)
            } else {
                inner.packets += usize::from(from_network);
                inner.inputs.push_back(input);
                None
            }
        };
        drop(refused);
        self.run();
    }

    fn run(&self) {
        let mut effects = VecDeque::new();
        {
            let mut inner = self.lock();
            if inner.busy {
                return;
            }
            inner.busy = true;
        }
        while let Some(input) = self.next_input() {
            let now = self.runtime.now();
            self.lock().state.handle(now, input, &mut effects);
            while let Some(effect) = effects.pop_front() {
                if let Some(answer) = self.carry_out(effect) {
                    self.lock().answers.push_back(answer);
                }
            }
        }
    }

    /// The next input; without one, the engine rests, with its timer armed.
    fn next_input(&self) -> Option<Input<M>> {
        let mut inner = self.lock();
        let next = inner.answers.pop_front().or_else(|| inner.inputs.pop_front());
        match &next {
            Some(Input::Packet { .. } | Input::UnknownSession { .. }) => inner.packets -= 1,
            Some(_) => {}
            None => {
                let snapshot = inner.state.snapshot();
                self.counters.publish(&mut inner.state.published, snapshot);
                self.arm(&mut inner);
                inner.busy = false;
            }
        }
        next
    }

    fn arm(&self, inner: &mut Inner<M>) {
        let wanted = inner.state.next_timeout();
        if inner.armed.map(|(at, _)| at) == wanted {
            return;
        }
        if let Some((_, timer)) = inner.armed.take() {
            self.runtime.cancel(self.lane, timer);
        }
        if let Some(at) = wanted {
            let me: Weak<dyn OnTimer> = self.me.clone();
            let after = at.since(self.runtime.now());
            inner.armed = Some((at, self.runtime.arm(self.lane, after, me, at.as_nanos())));
        }
    }

    /// Does one thing. What NDIS answers at once comes back as an input, as it would if it had pended.
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

    /// On the lane, behind what is there already.
    fn later(&self, job: impl FnOnce(&Engine<M>) + Send + 'static) {
        let engine = self.me.upgrade();
        let job = move || {
            if let Some(engine) = engine {
                job(&engine);
            }
        };
        self.runtime.defer(self.lane, Box::new(job));
    }

    /// Deletes the VC of an incoming call that is over. If somebody has not come out of an upcall of it, which another
    /// thread may run, it is tried again soon.
    fn delete(&self, leg: LegKey, owner: OwnedVc<M::Role>) {
        match owner.delete() {
            Ok(()) => {}
            Err((NdisStatus::CLOSING | NdisStatus::NOT_ACCEPTED, owner)) => {
                let mut inner = self.lock();
                inner.undeleted.push((leg, owner));
                if inner.undeleted.len() == 1 {
                    let me: Weak<dyn OnTimer> = self.me.clone();
                    self.runtime.arm(self.lane, DELETE_AGAIN_AFTER, me, DELETE_AGAIN);
                }
                return;
            }
            // The client will not let it go: NDIS deletes it when it can.
            Err((_, owner)) => owner.retire(),
        }
        self.input(Input::Deleted { leg });
    }
}

impl<M: Model> OnTimer for Engine<M> {
    fn on_timer(&self, token: u64) {
        if token == DELETE_AGAIN {
            let undeleted = std::mem::take(&mut self.lock().undeleted);
            for (leg, owner) in undeleted {
                self.delete(leg, owner);
            }
            return;
        }
        {
            let mut inner = self.lock();
            if inner.armed.is_some_and(|(at, _)| at.as_nanos() == token) {
                inner.armed = None;
            }
        }
        self.input(Input::Timer);
    }
}
