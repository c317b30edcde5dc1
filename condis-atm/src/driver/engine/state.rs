//! What the engine knows, and the one place where it changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use condis::af::HeldAf;
use condis::engine::Machine;
use condis::oid::code;
use condis::runtime::{Runtime, Time};
use condis::sap::HeldSap;
use condis::status::NdisStatus;
use condis::token::{CloseAf, Pended};
use condis::trace::ObjectId;

use super::record::{Network, Path, Record, Said};
use super::{Effect, Input, Key, LegKey, Model, signaling_oid};
use crate::VpVc;
use crate::addr::AtmAddress;
use crate::driver::call_params::AtmCall;
use crate::driver::config::{AtmConfig, EngineCounters, SignalingCounters, Snapshot};
use crate::driver::pvc::AtmPvc;
use crate::driver::sap::{AtmSap, SapRank};
use crate::uni::{CallId, Uni, UniOutput, Version};

pub(super) type Effects<M> = VecDeque<Effect<M>>;

/// A SAP, with the address family of the client that registered it.
pub(super) type Registered<M> = (HeldAf<<M as Model>::Role>, HeldSap<<M as Model>::Role>);

/// Permanent connections of one adapter. 4096: an operator's list.
const PVCS_MAX: usize = 4096;

/// SAPs of one adapter. 4096: as many services.
const SAPS_MAX: usize = 4096;

/// Addresses that one client added. 64: selectors, mostly.
const ALIASES_MAX: usize = 64;

/// A call that came in, before its VC is made.
pub(super) struct Unmade<M: Model> {
    pub(super) offer: AtmCall,
    pub(super) said: Said,
    pub(super) sap: HeldSap<M::Role>,
    pub(super) af: ObjectId,
}

pub(super) struct State<M: Model> {
    pub(super) uni: Uni,
    pub(super) version: Version,
    pub(super) patience: Duration,
    pub(super) records: BTreeMap<LegKey, Record<M>>,
    pub(super) by_call: BTreeMap<CallId, LegKey>,
    /// Calls that wait for signaling, by the end of their patience.
    pub(super) waiting: BTreeSet<(Time, LegKey)>,
    /// Calls that came in and have no VC yet.
    pub(super) unmade: BTreeMap<CallId, Unmade<M>>,
    /// VCs that are being deleted, with their address families.
    pub(super) doomed: BTreeMap<LegKey, ObjectId>,
    /// Address families whose clients wait for the end of their close.
    closing: Vec<(HeldAf<M::Role>, Pended<CloseAf>)>,
    saps: BTreeMap<Key, (AtmSap, Registered<M>)>,
    /// Addresses that clients added, each its own.
    aliases: BTreeMap<Key, Vec<AtmAddress>>,
    /// Permanent connections, with the VC that has one.
    pub(super) pvcs: BTreeMap<VpVc, (AtmPvc, Option<LegKey>)>,
    /// No more calls: the adapter is going away.
    pub(super) leaving: bool,
    /// The adapter is gone: nothing comes of the interface any more.
    pub(super) gone: bool,
    pub(super) link_up: bool,
    pub(super) counters: EngineCounters,
    /// What has been told of the counters, in their order.
    published: Vec<u64>,
    to: SignalingCounters,
}

impl<M: Model> State<M> {
    pub(super) fn new(config: &AtmConfig, runtime: &dyn Runtime, to: SignalingCounters) -> State<M> {
        State {
            uni: Uni::new(config.uni.clone(), runtime.entropy()),
            version: config.uni.signaling.version,
            patience: config.signaling_patience,
            records: BTreeMap::new(),
            by_call: BTreeMap::new(),
            waiting: BTreeSet::new(),
            unmade: BTreeMap::new(),
            doomed: BTreeMap::new(),
            closing: Vec::new(),
            saps: BTreeMap::new(),
            aliases: BTreeMap::new(),
            pvcs: BTreeMap::new(),
            leaving: false,
            gone: false,
            link_up: false,
            counters: EngineCounters::default(),
            published: Vec::new(),
            to,
        }
    }

    /// Tells what has been counted.
    pub(super) fn publish(&mut self) {
        let snapshot =
            Snapshot { calls: *self.uni.counters(), uni: *self.uni.uni_counters(), engine: self.counters };
        self.to.publish(&mut self.published, snapshot);
    }

    // SAPs, permanent connections, addresses

    pub(super) fn register(
        &mut self,
        key: Key,
        sap: AtmSap,
        registered: Registered<M>,
    ) -> Result<(), (NdisStatus, Registered<M>)> {
        if self.saps.values().any(|(other, _)| *other == sap) {
            return Err((NdisStatus::INVALID_DATA, registered));
        }
        if self.saps.len() >= SAPS_MAX {
            return Err((NdisStatus::RESOURCES, registered));
        }
        self.saps.insert(key, (sap, registered));
        Ok(())
    }

    pub(super) fn deregister(&mut self, key: Key) -> Option<Registered<M>> {
        self.saps.remove(&key).map(|(_, registered)| registered)
    }

    /// The SAP that a call is for: the most particular that it fits, and of two the older.
    pub(super) fn sap_for(&self, call: &AtmCall) -> Option<(&AtmSap, &Registered<M>)> {
        let (bllis, bhli) = call.layers();
        let mut best: Option<(SapRank, &(AtmSap, Registered<M>))> = None;
        for entry in self.saps.values() {
            if let Some(rank) = entry.0.fits(&call.called, &bllis, bhli.as_ref())
                && best.as_ref().is_none_or(|(most, _)| rank > *most)
            {
                best = Some((rank, entry));
            }
        }
        best.map(|(_, (sap, registered))| (sap, registered))
    }

    /// DP-189. NOT_ACCEPTED: a connection with these numbers is there, or a call has them.
    pub(super) fn add_pvc(&mut self, pvc: AtmPvc) -> NdisStatus {
        let of_a_call =
            self.records.values().any(|record| record.media.is_some_and(|media| media.vpvc == pvc.vpvc));
        if self.pvcs.contains_key(&pvc.vpvc) || of_a_call {
            return NdisStatus::NOT_ACCEPTED;
        }
        if self.pvcs.len() >= PVCS_MAX {
            return NdisStatus::RESOURCES;
        }
        self.pvcs.insert(pvc.vpvc, (pvc, None));
        NdisStatus::SUCCESS
    }

    /// NOT_ACCEPTED: there is none, or a call is on it.
    pub(super) fn delete_pvc(&mut self, vpvc: VpVc) -> NdisStatus {
        match self.pvcs.get(&vpvc) {
            Some((_, None)) => {
                self.pvcs.remove(&vpvc);
                NdisStatus::SUCCESS
            }
            Some((_, Some(_))) | None => NdisStatus::NOT_ACCEPTED,
        }
    }

    pub(super) fn add_alias(&mut self, key: Key, address: AtmAddress) -> NdisStatus {
        let aliases = self.aliases.entry(key).or_default();
        if aliases.contains(&address) {
            return NdisStatus::SUCCESS;
        }
        if aliases.len() >= ALIASES_MAX {
            return NdisStatus::RESOURCES;
        }
        aliases.push(address);
        NdisStatus::SUCCESS
    }

    pub(super) fn delete_alias(&mut self, key: Key, address: &AtmAddress) -> NdisStatus {
        let aliases = self.aliases.entry(key).or_default();
        let before = aliases.len();
        aliases.retain(|alias| alias != address);
        if aliases.len() < before { NdisStatus::SUCCESS } else { NdisStatus::INVALID_ADDRESS }
    }

    /// DP-187: those that all have, and those that this client added.
    pub(super) fn addresses(&self, key: Key) -> Vec<AtmAddress> {
        let own = self.aliases.get(&key).into_iter().flatten();
        self.uni.addresses().chain(own).cloned().collect()
    }

    // Inputs

    fn link(&mut self, now: Time, up: bool, effects: &mut Effects<M>) {
        self.link_up = up;
        self.uni.handle_link(now, up);
        self.poll(now, effects);
    }

    /// Ends every call at the interface, and tells no client.
    fn leave(&mut self, now: Time) {
        self.leaving = true;
        let legs: Vec<LegKey> = self.records.keys().copied().collect();
        for leg in legs {
            if matches!(self.records[&leg].network, Network::Active) {
                self.end_call(now, leg, NdisStatus::MEDIA_DISCONNECTED);
            }
        }
    }

    fn network_gone(&mut self, now: Time, effects: &mut Effects<M>) {
        self.leaving = true;
        self.gone = true;
        self.link_up = false;
        self.unmade.clear();
        self.by_call.clear();
        self.waiting.clear();
        let legs: Vec<LegKey> = self.records.keys().copied().collect();
        for leg in legs {
            if let Some(record) = self.records.get_mut(&leg) {
                record.response_owed = false;
                if !matches!(record.network, Network::Over(..)) {
                    record.network = Network::Over(NdisStatus::MEDIA_DISCONNECTED, Vec::new());
                }
            }
            // Those whose peers were told before that we leave: now their clients are, too.
            self.advance(now, leg, effects);
        }
    }

    /// Ends calls that have waited for the line and for signaling as long as they may.
    fn end_waiting(&mut self, now: Time, effects: &mut Effects<M>) {
        let status =
            if self.link_up { NdisStatus::DEST_OUT_OF_ORDER } else { NdisStatus::MEDIA_DISCONNECTED };
        while let Some(&(at, leg)) = self.waiting.first()
            && at <= now
        {
            self.waiting.pop_first();
            if let Some(record) = self.records.get_mut(&leg) {
                record.network = Network::Over(status, Vec::new());
            }
            self.advance(now, leg, effects);
        }
    }

    /// Address families whose client waits, and on which nothing of ours is left.
    fn close_afs(&mut self, effects: &mut Effects<M>) {
        for (af, pended) in std::mem::take(&mut self.closing) {
            let id = af.at().id();
            let of_records = self.records.values().filter_map(|record| record.owner.as_ref());
            let in_use =
                of_records.map(|(owner_af, _)| owner_af).chain(self.doomed.values()).any(|af| *af == id)
                    || self.unmade.values().any(|unmade| unmade.af == id);
            if in_use {
                self.closing.push((af, pended));
            } else {
                effects.push_back(Effect::AfClosed { af, pended });
            }
        }
    }

    /// Takes what the interface has to say, until it is silent.
    pub(super) fn poll(&mut self, now: Time, effects: &mut Effects<M>) {
        while let Some(output) = self.uni.poll_output() {
            if self.gone {
                continue;
            }
            match output {
                UniOutput::TransmitSignaling(sdu) => {
                    effects.push_back(Effect::Transmit { vpvc: VpVc::SIGNALING, sdu });
                }
                UniOutput::TransmitIlmi(sdu) => {
                    effects.push_back(Effect::Transmit { vpvc: VpVc::ILMI, sdu });
                }
                UniOutput::SignalingState { up } => {
                    effects.push_back(Effect::Tell { oid: signaling_oid(up), only: None });
                    if up {
                        let waiting = std::mem::take(&mut self.waiting);
                        waiting.into_iter().for_each(|(_, leg)| self.begin(now, leg, effects));
                    }
                }
                UniOutput::AddressesChanged => {
                    effects.push_back(Effect::Tell { oid: code::CO_ADDRESS_CHANGE, only: None });
                }
                UniOutput::Indication(indication) => self.indication(now, indication, effects),
                // Told only if asked for.
                UniOutput::Transition(_) => {}
            }
        }
    }
}

impl<M: Model> Machine for State<M> {
    type Input = Input<M>;
    type Effect = Effect<M>;

    fn handle(&mut self, now: Time, input: Input<M>, effects: &mut Effects<M>) {
        match input {
            Input::Sdu { .. } | Input::Timer | Input::Link { .. } | Input::Leave if self.gone => {}
            // One that overtook the news that the line is up is dropped there: the peer says it again, and nothing begins twice.
            Input::Sdu { vpvc: VpVc::SIGNALING, sdu } => self.uni.handle_signaling_sdu(now, &sdu),
            Input::Sdu { sdu, .. } => self.uni.handle_ilmi_sdu(now, &sdu),
            Input::Timer => {
                self.uni.handle_timeout(now);
                self.poll(now, effects);
                self.end_waiting(now, effects);
            }
            Input::Link { up } => self.link(now, up, effects),
            Input::Leave => self.leave(now),
            Input::Gone => self.network_gone(now, effects),
            Input::Make { leg, make } => self.make(now, leg, make, effects),
            Input::Close { leg, pended, cause } => self.close_asked(now, leg, pended, cause, effects),
            Input::OfferMade { leg, call, made, data } => {
                self.offer_made(now, leg, call, made, data, effects);
            }
            Input::OfferPending { leg } => self.offer_pending(now, leg),
            Input::OfferAnswered { leg, result } => self.offer_answered(now, leg, result, effects),
            Input::Activated { leg, result } => self.activated(now, leg, result, effects),
            Input::Deactivated { leg } => {
                if let Some(record) = self.records.get_mut(&leg) {
                    record.path = Path::Inactive;
                    self.advance(now, leg, effects);
                }
            }
            Input::Modify { leg, params, pended } => self.modify(now, leg, params, pended, effects),
            Input::AddParty { leg, party, params, pended } => {
                self.add_party(now, leg, party, params, pended, effects);
            }
            Input::DropParty { leg, party, cause, pended } => {
                self.drop_party(now, leg, party, cause, pended, effects);
            }
            Input::Deleted { leg } => drop(self.doomed.remove(&leg)),
            Input::AfOpened { key } => {
                effects.push_back(Effect::Tell { oid: code::CO_ADDRESS_CHANGE, only: Some(key) });
                let oid = signaling_oid(self.uni.signaling_is_up());
                effects.push_back(Effect::Tell { oid, only: Some(key) });
            }
            Input::CloseAf { key, af, pended } => {
                self.aliases.remove(&key);
                self.closing.push((af, pended));
            }
        }
        self.poll(now, effects);
        self.close_afs(effects);
    }

    fn next_timeout(&self) -> Option<Time> {
        if self.gone {
            return None;
        }
        self.uni.next_timeout().into_iter().chain(self.waiting.first().map(|(until, _)| *until)).min()
    }

    fn timer() -> Input<M> {
        Input::Timer
    }

    fn rest(&mut self) {
        self.publish();
    }
}
