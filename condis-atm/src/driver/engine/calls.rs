//! Calls: what comes from clients and from the interface, and what follows from it.

use condis::params::{CallFlags, CallParams, CloseData};
use condis::runtime::Time;
use condis::status::NdisStatus;
use condis::token::{CloseCall, ModifyCallQos, Pended, Refused};
use condis::vc::OwnedVc;

use std::collections::BTreeMap;

use super::record::{Carrier, Change, Make, Ndis, Network, Path, Record, Said};
use super::state::{Effects, State, Unmade};
use super::{Effect, LegKey, Model};
use crate::addr::AtmAddress;
use crate::driver::ParamsError;
use crate::driver::call_params::AtmCall;
use crate::driver::close_cause::CloseCause;
use crate::driver::pvc::AtmPvc;
use crate::driver::status;
use crate::driver::vc_params::{Aal, AtmFlow, AtmVcParams};
use crate::q2931::call::traffic_of;
use crate::q2931::wire::{AalParameters, BearerCapability, Cause, CauseValue};
use crate::uni::{Answer, CallId, Contracts, Indication, ModifyParams, Version};

impl<M: Model> State<M> {
    // From the interface

    pub(super) fn indication(&mut self, now: Time, indication: Indication, effects: &mut Effects<M>) {
        match indication {
            Indication::Setup { call, params } => self.setup(now, call, &params, effects),
            Indication::Proceeding { call, answer } | Indication::Alerting { call, answer } => {
                self.heard(call, &answer);
            }
            Indication::Connected { call, answer } => {
                self.heard(call, &answer);
                self.stands(now, call, effects);
            }
            Indication::ConnectAcknowledged { call } => self.stands(now, call, effects),
            Indication::Released { call, causes, .. } => self.released(now, call, &causes, effects),
            // The client was told when its close was done.
            Indication::ReleaseConfirmed { .. } => {}
            Indication::PartyOffered { call, party, .. } => {
                // One client has the call, and it is a leaf already.
                let cause = Cause::user(CauseValue::SERVICE_NOT_IMPLEMENTED);
                let _ = self.uni.party_reject(now, call, party, cause);
            }
            Indication::PartyAlerting { .. } => {}
            Indication::PartyConnected { call, party, answer } => {
                self.party_connected(call, party, &answer, effects);
            }
            Indication::PartyRejected { call, party, causes } => {
                self.party_over(call, party, &causes, effects);
            }
            Indication::PartyDropped { call, party, causes } => {
                self.party_over(call, party, &causes, effects);
            }
            Indication::PartyDropConfirmed { call, party, causes } => {
                self.party_over(call, party, &causes, effects);
            }
            Indication::ModifyOffered { call, params } => self.change_offered(now, call, &params, effects),
            Indication::Modified { call, .. } => self.change_agreed(now, call, effects),
            Indication::ModifyRejected { call, causes } => self.change_refused(call, causes, effects),
            // They change nothing for a client: the peer's use of what it asked for, states, notices, and restarts, whose calls
            // are told one by one.
            Indication::ModifyConfirmed { .. }
            | Indication::StatusReported { .. }
            | Indication::Notified { .. }
            | Indication::Restarted { .. }
            | Indication::RestartFailed { .. } => {}
        }
    }

    /// A call comes in.
    fn setup(&mut self, now: Time, call: CallId, params: &crate::uni::CallParams, effects: &mut Effects<M>) {
        let offer = AtmCall::of_setup(params).and_then(|offer| offer.check().map(|()| offer));
        let mut offer = match offer {
            Ok(offer) => offer,
            Err(why) => {
                let value = match why {
                    ParamsError::Aal(_) => CauseValue::AAL_NOT_SUPPORTED,
                    ParamsError::Contract => CauseValue::UNSUPPORTED_TRAFFIC_COMBINATION,
                    _ => CauseValue::INVALID_NUMBER_FORMAT,
                };
                return self.refuse(now, call, Cause::user(value));
            }
        };
        if self.leaving {
            return self.refuse(now, call, Cause::user(CauseValue::DESTINATION_OUT_OF_ORDER));
        }
        let Some((wanted, (af, sap))) = self.sap_for(&offer) else {
            self.counters.calls_without_sap += 1;
            let known = self.uni.has_address(&offer.called);
            let value =
                if known { CauseValue::INCOMPATIBLE_DESTINATION } else { CauseValue::UNALLOCATED_NUMBER };
            return self.refuse(now, call, Cause::user(value));
        };
        let (af, sap) = (af.clone(), sap.clone());
        // What the SAP takes stands first: it is the answer, unless the client chooses another.
        if let Some(chosen) = wanted.chosen_blli(&offer.layers().0) {
            offer.blli[..=chosen].rotate_right(1);
        }
        self.counters.calls_offered += 1;
        let said = Said { aal: params.aal.is_some(), choice: offer.blli.len() > 1 };
        self.unmade.insert(call, Unmade { offer, said, sap, af: af.at().id() });
        effects.push_back(Effect::MakeOffer { call, af });
    }

    fn refuse(&mut self, now: Time, call: CallId, cause: Cause) {
        // It may be gone by now: then there is nothing to refuse.
        let _ = self.uni.release(now, call, cause, &[]);
    }

    /// What the other end says of a call of ours: shorter SDUs, and the protocol that it chose.
    fn heard(&mut self, call: CallId, answer: &Answer) {
        let Some(record) = self.by_call.get(&call).and_then(|leg| self.records.get_mut(leg)) else { return };
        if let Some(AalParameters::Aal5(aal)) = &answer.aal {
            let shorten = |max: &mut u32, heard: Option<u16>| {
                if let Some(heard) = heard {
                    *max = (*max).min(u32::from(heard));
                }
            };
            shorten(&mut record.call.forward.sdu_octets_max, aal.forward_max_sdu);
            shorten(&mut record.call.backward.sdu_octets_max, aal.backward_max_sdu);
        }
        if let Some(blli) = &answer.blli {
            record.call.blli = vec![blli.clone()];
        }
    }

    /// A call stands at the interface.
    fn stands(&mut self, now: Time, call: CallId, effects: &mut Effects<M>) {
        let Some(&leg) = self.by_call.get(&call) else { return };
        if let Some(record) = self.records.get_mut(&leg)
            && !matches!(record.network, Network::Over(..))
        {
            record.network = Network::Active;
            self.advance(now, leg, effects);
        }
    }

    fn released(&mut self, now: Time, call: CallId, causes: &[Cause], effects: &mut Effects<M>) {
        let (status, data) = self.heard_of(causes);
        if self.unmade.remove(&call).is_some() {
            let _ = self.uni.release_response(now, call);
            return;
        }
        let Some(leg) = self.by_call.remove(&call) else {
            let _ = self.uni.release_response(now, call);
            return;
        };
        if let Some(record) = self.records.get_mut(&leg) {
            record.network = Network::Over(status, data);
            record.response_owed = true;
            record.call.causes = causes.to_vec();
            self.advance(now, leg, effects);
        }
    }

    /// What a client hears of an end that the interface tells.
    pub(super) fn heard_of(&self, causes: &[Cause]) -> (NdisStatus, CloseData) {
        let data = causes.first().map(|cause| CloseCause { cause: cause.clone() }.to_data());
        let status = if self.link_up { status::of_causes(causes) } else { NdisStatus::MEDIA_DISCONNECTED };
        (status, data.unwrap_or_default())
    }

    // From clients: outgoing calls

    pub(super) fn make(&mut self, now: Time, leg: LegKey, make: Box<Make<M>>, effects: &mut Effects<M>) {
        // A call is over for its client only once nothing of it is left here: see `close` and `failed`.
        debug_assert!(!self.records.contains_key(&leg), "a VC has one call");
        let pvc = self.permanent_for(&make);
        let permanent_only = make.params.flags.contains(CallFlags::PERMANENT_VC) || make.call.is_none();
        let refusal = match &pvc {
            _ if self.leaving => Some(NdisStatus::CLOSING),
            Some(_) if make.party.is_some() => Some(NdisStatus::NOT_SUPPORTED),
            // CO-129.
            None if permanent_only => Some(NdisStatus::FAILURE),
            Some(_) | None => None,
        };
        let Make { vc, data, params, call, party, pended } = *make;
        if let Some(status) = refusal {
            let result = Err(Refused::with(status, params));
            effects.push_back(Effect::MakeDone { leg, pended, result, party: false });
            effects.push_back(Effect::LetGo { vc });
            effects.extend(party.map(|party| Effect::LetGoParty { party }));
            return;
        }
        let (carrier, network, media, call) = match pvc {
            Some((pvc, vpvc)) => {
                self.counters.permanent_calls += 1;
                if let Some((_, user)) = self.pvcs.get_mut(&vpvc) {
                    *user = Some(leg);
                }
                let call = call.unwrap_or_else(|| AtmCall::to(NOBODY));
                (Carrier::Permanent(vpvc), Network::Active, Some(pvc.vc_params()), call)
            }
            None => {
                self.counters.calls_made += 1;
                let mut call = call.unwrap_or_else(|| AtmCall::to(NOBODY));
                if call.calling.is_none() {
                    call.calling = self.uni.addresses().next().cloned();
                }
                let until = now.after(self.patience);
                (Carrier::Waiting { until }, Network::Setup, None, call)
            }
        };
        let record = Record {
            vc,
            data,
            carrier,
            ours: true,
            network,
            response_owed: false,
            path: Path::Inactive,
            ndis: Ndis::Making(pended, params),
            said: Said::default(),
            call,
            media,
            change: None,
            parties: BTreeMap::new(),
            first_party: party,
            owner: None,
        };
        self.records.insert(leg, record);
        match carrier {
            Carrier::Waiting { .. } if self.uni.signaling_is_up() => self.begin(now, leg, effects),
            Carrier::Waiting { until } => drop(self.waiting.insert((until, leg))),
            Carrier::Signaling(_) | Carrier::Permanent(_) => self.advance(now, leg, effects),
        }
    }

    /// The permanent connection that a call is for. With media parameters it is the one that they name; else the first free
    /// one to the called party, whether the client asked for a permanent one or not.
    fn permanent_for(&self, make: &Make<M>) -> Option<(AtmPvc, crate::VpVc)> {
        let free = |(vpvc, (pvc, user)): (&crate::VpVc, &(AtmPvc, Option<LegKey>))| {
            user.is_none().then(|| (pvc.clone(), *vpvc))
        };
        if make.params.media.is_some() {
            let named = AtmVcParams::from_params(&make.params).ok()?.vpvc;
            return self.pvcs.get_key_value(&named).and_then(free);
        }
        let called = &make.call.as_ref()?.called;
        self.pvcs.iter().filter(|(_, (pvc, _))| pvc.called.as_ref() == Some(called)).find_map(free)
    }

    /// Signaling is up: the call goes out.
    pub(super) fn begin(&mut self, now: Time, leg: LegKey, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        let setup = record.call.to_setup(self.version, record.first_party.is_some());
        match self.uni.setup(now, &setup) {
            Ok(call) => {
                record.carrier = Carrier::Signaling(call);
                self.by_call.insert(call, leg);
            }
            Err(why) => {
                record.network = Network::Over(status::of_request(&why), CloseData::new());
                self.advance(now, leg, effects);
            }
        }
    }

    // From clients: incoming calls

    pub(super) fn offer_made(
        &mut self,
        now: Time,
        leg: LegKey,
        call: CallId,
        made: Result<OwnedVc<M::Role>, NdisStatus>,
        data: M::Data,
        effects: &mut Effects<M>,
    ) {
        let (owner, Unmade { offer, said, sap, af }) = match (made, self.unmade.remove(&call)) {
            (Ok(owner), Some(unmade)) => (owner, unmade),
            (Ok(owner), None) => return effects.push_back(Effect::Delete { leg, owner }),
            (Err(status), Some(_)) => {
                let cause = status::cause_of(status, self.version);
                return self.refuse(now, call, cause);
            }
            (Err(_), None) => return,
        };
        let vc = owner.keep();
        let media = self.uni.connection(call).map(|vpvc| media_of(vpvc, &offer, false));
        let mut params = offer.to_params();
        params.media = media.map(|media| Box::new(media.to_media()));
        if offer.bearer.as_ref().is_some_and(BearerCapability::is_point_to_multipoint) {
            params.flags |= CallFlags::MULTIPOINT_VC;
        }
        effects.push_back(Effect::Offer { leg, vc: vc.clone(), sap, params });
        self.by_call.insert(call, leg);
        let record = Record {
            vc,
            data,
            carrier: Carrier::Signaling(call),
            ours: false,
            network: Network::Setup,
            response_owed: false,
            path: Path::Inactive,
            ndis: Ndis::Offered,
            said,
            call: offer,
            media,
            change: None,
            parties: BTreeMap::new(),
            first_party: None,
            owner: Some((af, owner)),
        };
        self.records.insert(leg, record);
    }

    /// The client thinks about it: the network is told, so that it waits (T303, and of UNI 4.0 T310).
    pub(super) fn offer_pending(&mut self, now: Time, leg: LegKey) {
        let Some(record) = self.records.get(&leg) else { return };
        let (Ndis::Offered, Carrier::Signaling(call)) = (&record.ndis, record.carrier) else { return };
        let answer = Answer::default();
        // Taken back meanwhile: then that is what comes next.
        let _ = self.uni.proceeding(now, call, &answer);
        if self.version == Version::Uni40 {
            let _ = self.uni.alerting(now, call, &answer);
        }
    }

    pub(super) fn offer_answered(
        &mut self,
        now: Time,
        leg: LegKey,
        result: Result<CallParams, NdisStatus>,
        effects: &mut Effects<M>,
    ) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        match (&mut record.ndis, result) {
            (Ndis::Offered, Ok(params)) => {
                record.ndis = Ndis::Accepted;
                match AtmCall::from_params(&params) {
                    // The client may have shortened its SDUs, and chosen among the protocols.
                    Ok(accepted) => {
                        let shorten = |max: &mut u32, wanted: u32| *max = (*max).min(wanted);
                        shorten(&mut record.call.forward.sdu_octets_max, accepted.forward.sdu_octets_max);
                        shorten(&mut record.call.backward.sdu_octets_max, accepted.backward.sdu_octets_max);
                        record.call.blli = accepted.blli;
                    }
                    Err(_) if !params.changed() => {}
                    // It has accepted all the same, so it hears of the end and closes.
                    Err(_) => self.end_call(now, leg, NdisStatus::INVALID_DATA),
                }
                self.advance(now, leg, effects);
            }
            (Ndis::OfferTakenBack, Ok(_)) => record.ndis = Ndis::RemoteClosed,
            (Ndis::Offered, Err(status)) => {
                self.end_call(now, leg, status);
                self.forget(now, leg, effects);
            }
            (Ndis::OfferTakenBack, Err(_)) => self.forget(now, leg, effects),
            // The client closed meanwhile: its answer changes nothing, but it was owed (CO-147).
            (Ndis::Closing { answer_owed, .. }, _) => {
                *answer_owed = false;
                self.advance(now, leg, effects);
            }
            (Ndis::Making(..) | Ndis::Accepted | Ndis::Connected | Ndis::RemoteClosed, _) => {}
        }
    }

    // From clients: the end, and changes

    pub(super) fn close_asked(
        &mut self,
        now: Time,
        leg: LegKey,
        pended: Pended<CloseCall>,
        cause: Cause,
        effects: &mut Effects<M>,
    ) {
        let Some(record) = self.records.get_mut(&leg) else {
            return effects.push_back(Effect::CloseDone { pended });
        };
        let answer_owed = matches!(record.ndis, Ndis::Offered | Ndis::OfferTakenBack);
        let closing = Ndis::Closing { pended, cause, answer_owed };
        // The make-call is answered first, the close then (CO-128).
        if let Ndis::Making(pended, params) = std::mem::replace(&mut record.ndis, closing) {
            let result = Err(Refused::with(NdisStatus::REQUEST_ABORTED, params));
            effects.push_back(Effect::MakeDone { leg, pended, result, party: false });
        }
        self.advance(now, leg, effects);
    }

    pub(super) fn modify(
        &mut self,
        now: Time,
        leg: LegKey,
        params: CallParams,
        pended: Pended<ModifyCallQos>,
        effects: &mut Effects<M>,
    ) {
        let refuse = |status, params, pended, effects: &mut Effects<M>| {
            let result = Err(Refused::with(status, params));
            effects.push_back(Effect::ModifyDone { pended, result });
        };
        let Ok(wanted) = AtmCall::from_params(&params) else {
            return refuse(NdisStatus::INVALID_DATA, params, pended, effects);
        };
        let Some(record) = self.records.get_mut(&leg) else {
            return refuse(NdisStatus::FAILURE, params, pended, effects);
        };
        let call = match (record.carrier, &record.ndis, &record.network) {
            _ if record.change.is_some() => return refuse(NdisStatus::FAILURE, params, pended, effects),
            (Carrier::Signaling(call), Ndis::Connected, Network::Active) => call,
            // A permanent connection's contract is the operator's.
            (Carrier::Permanent(_), ..) => return refuse(NdisStatus::NOT_SUPPORTED, params, pended, effects),
            _ => return refuse(NdisStatus::FAILURE, params, pended, effects),
        };
        let contracts = Contracts { forward: wanted.forward.contract, backward: wanted.backward.contract };
        let request = ModifyParams { traffic: traffic_of(self.version, &contracts), other: Vec::new() };
        match self.uni.modify(now, call, &request) {
            Ok(()) => record.change = Some(Change::Asked(pended, params, wanted)),
            Err(why) => refuse(status::of_request(&why), params, pended, effects),
        }
    }

    /// The network took the contract that a client asked for: the path next (CO-178).
    fn change_agreed(&mut self, now: Time, call: CallId, effects: &mut Effects<M>) {
        let Some(&leg) = self.by_call.get(&call) else { return };
        let Some(record) = self.records.get_mut(&leg) else { return };
        record.change = match record.change.take() {
            Some(Change::Asked(pended, params, wanted)) => Some(Change::Agreed(pended, params, wanted)),
            // The old contract again.
            Some(Change::Restoring) => None,
            other => other,
        };
        self.advance(now, leg, effects);
    }

    fn change_refused(&mut self, call: CallId, causes: Vec<Cause>, effects: &mut Effects<M>) {
        let Some(record) = self.by_call.get(&call).and_then(|leg| self.records.get_mut(leg)) else { return };
        match record.change.take() {
            Some(Change::Asked(pended, params, _)) => {
                // CO-179; the parameters in force, and why they stay.
                let in_force = AtmCall { causes, ..record.call.clone() };
                let result = Err(Refused::with(NdisStatus::FAILURE, with_call(params, &in_force)));
                effects.push_back(Effect::ModifyDone { pended, result });
            }
            Some(Change::Restoring) | None => {}
            other => record.change = other,
        }
    }

    /// The peer wants another contract: the path first, then its answer (7.12).
    fn change_offered(&mut self, now: Time, call: CallId, params: &ModifyParams, effects: &mut Effects<M>) {
        let leg = self.by_call.get(&call).copied();
        let record = leg.and_then(|leg| self.records.get_mut(&leg));
        let (Some(leg), Some(record)) = (leg, record) else { return };
        if record.change.is_some() || !matches!(record.ndis, Ndis::Connected) {
            let cause = Cause::user(CauseValue::MESSAGE_NOT_COMPATIBLE);
            let _ = self.uni.modify_reject(now, call, cause);
            return;
        }
        let bearer = record.call.bearer.unwrap_or_else(|| record.call.to_setup(self.version, false).bearer);
        let contracts = Contracts::of(&params.traffic, &bearer);
        let mut wanted = record.call.clone();
        wanted.forward = AtmFlow { contract: contracts.forward, ..wanted.forward }.usable();
        wanted.backward = AtmFlow { contract: contracts.backward, ..wanted.backward }.usable();
        record.change = Some(Change::Offered(wanted));
        self.advance(now, leg, effects);
    }

    pub(super) fn activated(
        &mut self,
        now: Time,
        leg: LegKey,
        result: Result<(), NdisStatus>,
        effects: &mut Effects<M>,
    ) {
        self.counters.activations_refused += u64::from(result.is_err());
        let Some(record) = self.records.get_mut(&leg) else { return };
        let was = std::mem::replace(&mut record.path, Path::Active);
        if was == Path::Changing {
            self.changed(now, leg, result, effects);
        } else if let Err(status) = result {
            record.path = Path::Inactive;
            self.end_call(now, leg, status);
        }
        self.advance(now, leg, effects);
    }

    /// The path was asked to change, and did or did not.
    fn changed(&mut self, now: Time, leg: LegKey, result: Result<(), NdisStatus>, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        let Carrier::Signaling(call) = record.carrier else { return };
        let apply = |record: &mut Record<M>, wanted: AtmCall| {
            let vpvc = record.media.map(|media| media.vpvc);
            record.call.forward = wanted.forward;
            record.call.backward = wanted.backward;
            record.media = vpvc.map(|vpvc| media_of(vpvc, &record.call, record.ours));
        };
        match (record.change.take(), result) {
            (Some(Change::Agreed(pended, params, wanted)), Ok(())) => {
                apply(record, wanted);
                let params = agreed(with_call(params, &record.call), record.media);
                effects.push_back(Effect::ModifyDone { pended, result: Ok(params) });
            }
            (Some(Change::Agreed(pended, params, _)), Err(_)) => {
                // The network has the new contract already: it is asked to go back.
                let contracts = Contracts {
                    forward: record.call.forward.contract,
                    backward: record.call.backward.contract,
                };
                let request =
                    ModifyParams { traffic: traffic_of(self.version, &contracts), other: Vec::new() };
                if self.uni.modify(now, call, &request).is_ok() {
                    record.change = Some(Change::Restoring);
                }
                let result = Err(Refused::with(NdisStatus::FAILURE, with_call(params, &record.call)));
                effects.push_back(Effect::ModifyDone { pended, result });
            }
            // The call ended while the path was changed.
            (Some(Change::Offered(_)), _) if !matches!(record.ndis, Ndis::Connected) => {}
            (Some(Change::Offered(wanted)), Ok(())) => {
                apply(record, wanted);
                let params = agreed(record.call.to_params(), record.media);
                effects.push_back(Effect::QosChanged { vc: record.vc.clone(), params });
                // Ended meanwhile: then that is what comes next.
                let _ = self.uni.modify_accept(now, call, false, &[]);
            }
            (Some(Change::Offered(_)), Err(status)) => {
                let cause = status::cause_of(status, self.version);
                let _ = self.uni.modify_reject(now, call, cause);
            }
            (other, _) => record.change = other,
        }
    }

    // What follows

    /// Ends a call at the interface, wherever it stands there. `status` is what the client hears of it, if anything.
    pub(super) fn end_call(&mut self, now: Time, leg: LegKey, status: NdisStatus) {
        let cause = status::cause_of(status, self.version);
        self.end_call_with(now, leg, status, cause);
    }

    fn end_call_with(&mut self, now: Time, leg: LegKey, status: NdisStatus, cause: Cause) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        if matches!(record.network, Network::Over(..)) {
            return;
        }
        record.network = Network::Over(status, CloseData::new());
        match record.carrier {
            Carrier::Signaling(call) => {
                self.by_call.remove(&call);
                self.refuse(now, call, cause);
            }
            Carrier::Waiting { until } => drop(self.waiting.remove(&(until, leg))),
            Carrier::Permanent(_) => {}
        }
    }

    /// Does what a call needs next, as it stands.
    pub(super) fn advance(&mut self, now: Time, leg: LegKey, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        match (&record.ndis, &record.network, record.path) {
            // Out: the call stands, then the path is there, then the call is made.
            (Ndis::Making(..), Network::Setup | Network::Connecting, _) => {}
            (Ndis::Making(..), Network::Active, Path::Inactive) => self.activate(now, leg, effects),
            (Ndis::Making(..), Network::Active, Path::Active) => self.made(leg, effects),
            (Ndis::Making(..), Network::Over(..), Path::Active) => self.deactivate(leg, effects),
            (Ndis::Making(..), Network::Over(..), Path::Inactive) => self.failed(now, leg, effects),
            (Ndis::Making(..), _, Path::Activating | Path::Changing | Path::Deactivating) => {}
            // In: the path is there, then the call stands, then it is up.
            (Ndis::Offered, Network::Over(..), _) => {
                self.tell_remote_close(leg, Ndis::OfferTakenBack, effects);
            }
            (Ndis::Offered | Ndis::OfferTakenBack, ..) => {}
            (Ndis::Accepted, Network::Setup, Path::Inactive) => self.activate(now, leg, effects),
            (Ndis::Accepted, Network::Setup, Path::Active) => self.connect(now, leg, effects),
            (Ndis::Accepted, Network::Active, Path::Active) => {
                record.ndis = Ndis::Connected;
                effects.push_back(Effect::Connected { vc: record.vc.clone() });
            }
            (Ndis::Accepted | Ndis::Connected, Network::Over(..), _) => {
                self.end_change(leg, effects);
                self.end_parties(leg, effects);
                self.tell_remote_close(leg, Ndis::RemoteClosed, effects);
            }
            (Ndis::Connected, Network::Active, Path::Active) => self.change_path(leg, effects),
            (Ndis::Accepted | Ndis::Connected | Ndis::RemoteClosed, ..) => {}
            (Ndis::Closing { .. }, ..) => self.close(now, leg, effects),
        }
    }

    /// The client's close: deactivate, signal, complete. The VPI and VCI are the network's again once it has been told, so the VC is
    /// inactive by then; and NDIS tells the client once it is drained.
    fn close(&mut self, now: Time, leg: LegKey, effects: &mut Effects<M>) {
        self.end_change(leg, effects);
        self.end_parties(leg, effects);
        let Some(record) = self.records.get_mut(&leg) else { return };
        match record.path {
            Path::Active => return self.deactivate(leg, effects),
            path if !path.is_settled() => return,
            _ => {}
        }
        if let Ndis::Closing { cause, .. } = &record.ndis {
            let cause = cause.clone();
            self.end_call_with(now, leg, NdisStatus::SUCCESS, cause);
        }
        self.respond(now, leg);
        // What the interface says goes out before the rest is done.
        self.poll(now, effects);
        let Some(record) = self.records.get_mut(&leg) else { return };
        if matches!(record.ndis, Ndis::Closing { answer_owed: true, .. }) {
            return;
        }
        if let Ndis::Closing { pended, .. } = std::mem::replace(&mut record.ndis, Ndis::RemoteClosed) {
            effects.push_back(Effect::CloseDone { pended });
        }
        self.forget(now, leg, effects);
    }

    fn activate(&mut self, now: Time, leg: LegKey, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        if let Carrier::Signaling(call) = record.carrier {
            let Some(vpvc) = self.uni.connection(call) else {
                // The network gave no connection: a mistake of its own.
                let cause = Cause::user(CauseValue::MANDATORY_IE_MISSING);
                self.end_call_with(now, leg, NdisStatus::VC_NOT_AVAILABLE, cause);
                return self.advance(now, leg, effects);
            };
            record.media = Some(media_of(vpvc, &record.call, record.ours));
        }
        let Some(media) = record.media else { return };
        record.path = Path::Activating;
        let (vc, data) = (record.vc.clone(), record.data.clone());
        effects.push_back(Effect::Activate { leg, vc, data, params: media.to_params() });
    }

    fn deactivate(&mut self, leg: LegKey, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        record.path = Path::Deactivating;
        let (vc, data) = (record.vc.clone(), record.data.clone());
        effects.push_back(Effect::Deactivate { leg, vc, data });
    }

    /// Changes the path to what was agreed on, or to what is asked for.
    fn change_path(&mut self, leg: LegKey, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        let wanted = match &record.change {
            Some(Change::Agreed(_, _, wanted) | Change::Offered(wanted)) => wanted,
            Some(Change::Asked(..) | Change::Restoring) | None => return,
        };
        let Some(vpvc) = record.media.map(|media| media.vpvc) else { return };
        let mut call = record.call.clone();
        (call.forward.contract, call.backward.contract) = (wanted.forward.contract, wanted.backward.contract);
        let params = media_of(vpvc, &call, record.ours).to_params();
        record.path = Path::Changing;
        let (vc, data) = (record.vc.clone(), record.data.clone());
        effects.push_back(Effect::Activate { leg, vc, data, params });
    }

    /// A change whose call is over.
    fn end_change(&mut self, leg: LegKey, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        // A path that is being changed is waited for, and then looked at again.
        if record.path == Path::Changing {
            return;
        }
        if let Some(Change::Asked(pended, params, _) | Change::Agreed(pended, params, _)) =
            record.change.take()
        {
            let result = Err(Refused::with(NdisStatus::FAILURE, params));
            effects.push_back(Effect::ModifyDone { pended, result });
        }
    }

    /// The path is there: the peer's call is taken.
    fn connect(&mut self, now: Time, leg: LegKey, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        let Carrier::Signaling(call) = record.carrier else { return };
        let sdu = |max: u32| u16::try_from(max).unwrap_or(u16::MAX);
        let (forward, backward) = (record.call.forward.sdu_octets_max, record.call.backward.sdu_octets_max);
        let answer = Answer {
            aal: record.said.aal.then(|| AalParameters::aal5(sdu(forward), sdu(backward))),
            blli: record.call.blli.first().filter(|_| record.said.choice).cloned(),
            ..Answer::default()
        };
        record.network = Network::Connecting;
        // Taken back meanwhile: then that is what comes next.
        if self.uni.connect(now, call, &answer).is_err() {
            self.poll(now, effects);
        }
    }

    fn made(&mut self, leg: LegKey, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        if let Ndis::Making(pended, params) = std::mem::replace(&mut record.ndis, Ndis::Connected) {
            let mut params = match record.carrier {
                Carrier::Permanent(_) => params,
                Carrier::Signaling(_) | Carrier::Waiting { .. } => with_call(params, &record.call),
            };
            params = agreed(params, record.media);
            if matches!(record.carrier, Carrier::Permanent(_)) {
                params.flags |= CallFlags::PERMANENT_VC;
            }
            let first = record.first_party.take();
            let party = first.is_some();
            if let Some(first) = first {
                record.parties.insert(crate::uni::PartyId(0), super::record::Party::Connected(first));
            }
            effects.push_back(Effect::MakeDone { leg, pended, result: Ok(params), party });
        }
    }

    /// The call that a client makes came to nothing.
    fn failed(&mut self, now: Time, leg: LegKey, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        let status = match &record.network {
            // A call that ended normally before it was there: for the client, one that never was.
            Network::Over(NdisStatus::SUCCESS, _) => NdisStatus::FAILURE,
            Network::Over(status, _) => *status,
            Network::Setup | Network::Connecting | Network::Active => NdisStatus::FAILURE,
        };
        if let Ndis::Making(pended, params) = std::mem::replace(&mut record.ndis, Ndis::RemoteClosed) {
            let params = if record.call.causes.is_empty() { params } else { with_call(params, &record.call) };
            let result = Err(Refused::with(status, params));
            effects.push_back(Effect::MakeDone { leg, pended, result, party: false });
        }
        self.forget(now, leg, effects);
    }

    fn tell_remote_close(&mut self, leg: LegKey, then: Ndis, effects: &mut Effects<M>) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        if let Network::Over(status, data) = &record.network {
            let (status, data) = (*status, data.clone());
            self.tell_close(leg, then, status, data, effects);
        }
    }

    pub(super) fn tell_close(
        &mut self,
        leg: LegKey,
        then: Ndis,
        status: NdisStatus,
        data: CloseData,
        effects: &mut Effects<M>,
    ) {
        let Some(record) = self.records.get_mut(&leg) else { return };
        record.ndis = then;
        effects.push_back(Effect::RemoteClosed { vc: record.vc.clone(), status, data });
    }

    /// The VC is inactive: a release by the peer is answered.
    fn respond(&mut self, now: Time, leg: LegKey) {
        if let Some(record) = self.records.get_mut(&leg)
            && std::mem::take(&mut record.response_owed)
            && let Carrier::Signaling(call) = record.carrier
        {
            // Forgotten meanwhile, by a restart say.
            let _ = self.uni.release_response(now, call);
        }
    }

    /// Nothing is left of a call.
    pub(super) fn forget(&mut self, now: Time, leg: LegKey, effects: &mut Effects<M>) {
        self.respond(now, leg);
        self.end_parties(leg, effects);
        let Some(record) = self.records.remove(&leg) else { return };
        match record.carrier {
            Carrier::Signaling(call) => drop(self.by_call.remove(&call)),
            Carrier::Permanent(vpvc) => {
                if let Some((_, user)) = self.pvcs.get_mut(&vpvc) {
                    *user = None;
                }
            }
            Carrier::Waiting { .. } => {}
        }
        effects.push_back(Effect::LetGo { vc: record.vc });
        effects.extend(record.first_party.map(|party| Effect::LetGoParty { party }));
        if let Some((af, owner)) = record.owner {
            self.doomed.insert(leg, af);
            effects.push_back(Effect::Delete { leg, owner });
        }
    }
}

/// What a VC of a call is activated with, at the end that made the call or at the other.
fn media_of(vpvc: crate::VpVc, call: &AtmCall, ours: bool) -> AtmVcParams {
    let (transmit, receive) =
        if ours { (call.forward, call.backward) } else { (call.backward, call.forward) };
    AtmVcParams { vpvc, aal: Aal::Aal5, clp: false, transmit, receive }
}

/// The parameters with this call in them, marked if it is another than was asked for (CO-122).
fn with_call(mut params: CallParams, call: &AtmCall) -> CallParams {
    let manager = call.to_manager();
    if params.manager.as_deref() != Some(&manager) {
        params.flags |= CallFlags::CALL_PARAMETERS_CHANGED;
    }
    params.manager = Some(Box::new(manager));
    params
}

/// The parameters with the connection in them.
fn agreed(mut params: CallParams, media: Option<AtmVcParams>) -> CallParams {
    params.media = media.map(|media| Box::new(media.to_media()));
    params
}

/// Who is called on a permanent connection that is named by its numbers.
const NOBODY: AtmAddress = AtmAddress::Nsap([0; AtmAddress::NSAP_OCTETS]);
