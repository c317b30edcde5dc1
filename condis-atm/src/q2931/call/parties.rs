//! The parties of point-to-multipoint calls: Q.2971, UNI 3.1 §5.6, at the root's end and at the leaf's, on both sides.
//!
//! The end that made the call is the root's and adds parties; the other end is the leaves'. Both drop them.

use condis::runtime::Time;

use super::compose;
use super::control::{CallControl, Owner};
use super::matrix::Reaction;
use super::verdict;
use super::{
    Answer, Because, CallId, CallState, Indication, PartyId, PartyParams, PartyState, RequestError, Timer,
};
use crate::q2931::wire::{Cause, CauseValue, Ie, Message, MessageType, Treatment};

impl CallControl {
    /// Adds a party to a call of this end: ADD PARTY. Ends in `PartyConnected` or `PartyRejected`.
    ///
    /// # Errors
    /// `NoSuchCall`, `NotMultipoint`, `WrongState` (lawful in `Active`), `TooManyParties`, `SignalingDown`, `Uncodable`.
    ///
    /// Source: Q.2971 §9.2.1; UNI 3.1 §5.6.1.2.
    pub fn add_party(
        &mut self,
        now: Time,
        call: CallId,
        params: &PartyParams,
    ) -> Result<PartyId, RequestError> {
        let slot = self.call_in(call, "add_party", |state| state == CallState::Active)?;
        self.require_saal()?;
        let max = self.config.limits.parties_max.min(usize::from(PartyId::MAX.0));
        let ours = self.calls[slot].ours;
        let parties = self.calls[slot].parties.as_mut().filter(|_| ours);
        let parties = parties.ok_or(RequestError::NotMultipoint(call))?;
        if parties.len() >= max {
            return Err(RequestError::TooManyParties { call, max });
        }
        let party = PartyId(parties.free_endpoint());
        let octets = compose::encode(compose::add_party(self.calls[slot].reference(), party, params))?;
        if let Some(parties) = &mut self.calls[slot].parties {
            parties.insert(party.0, PartyState::AddSent);
        }
        self.arm_party(now, slot, party, Timer::T399);
        self.transmit(octets);
        Ok(party)
    }

    /// Tells the peer that an offered party is alerted: PARTY ALERTING.
    ///
    /// # Errors
    /// `NotInVersion` before UNI 4.0, `NoSuchCall`, `NoSuchParty`, `WrongPartyState` (lawful in `AddReceived`), `SignalingDown`, `Uncodable`.
    ///
    /// Source: Q.2971 §9.3.
    pub fn party_alerting(&mut self, call: CallId, party: PartyId, other: &[Ie]) -> Result<(), RequestError> {
        let slot =
            self.offered_party(call, party, "party_alerting", |state| state == PartyState::AddReceived)?;
        self.require_version("party_alerting")?;
        let answer = Answer { other: other.to_vec(), ..Answer::default() };
        let reference = self.calls[slot].reference();
        let message = compose::party_answer(MessageType::PartyAlerting, reference, party, &answer);
        let octets = compose::encode(message)?;
        self.transmit(octets);
        self.party_enters(slot, party, PartyState::AlertingSent);
        Ok(())
    }

    /// Takes an offered party: ADD PARTY ACKNOWLEDGE.
    ///
    /// # Errors
    /// `NoSuchCall`, `WrongState` (the call must stand), `NoSuchParty`, `WrongPartyState` (lawful in `AddReceived`, `AlertingSent`),
    /// `SignalingDown`, `Uncodable`.
    ///
    /// Source: Q.2971 §9.3; UNI 3.1 §5.6.2.2.
    pub fn party_connect(
        &mut self,
        call: CallId,
        party: PartyId,
        answer: &Answer,
    ) -> Result<(), RequestError> {
        self.call_in(call, "party_connect", CallState::is_active)?;
        let slot = self.offered_party(call, party, "party_connect", |state| {
            matches!(state, PartyState::AddReceived | PartyState::AlertingSent)
        })?;
        let reference = self.calls[slot].reference();
        let message = compose::party_answer(MessageType::AddPartyAcknowledge, reference, party, answer);
        let octets = compose::encode(message)?;
        self.transmit(octets);
        self.counters.parties_connected += 1;
        self.party_enters(slot, party, PartyState::Active);
        Ok(())
    }

    /// Refuses an offered party: ADD PARTY REJECT. It is gone then.
    ///
    /// # Errors
    /// `NoSuchCall`, `NoSuchParty`, `WrongPartyState` (lawful in `AddReceived`, `AlertingSent`), `SignalingDown`.
    ///
    /// Source: Q.2971 §9.3; UNI 3.1 §5.6.2.3.
    pub fn party_reject(&mut self, call: CallId, party: PartyId, cause: Cause) -> Result<(), RequestError> {
        let slot = self.offered_party(call, party, "party_reject", |state| {
            matches!(state, PartyState::AddReceived | PartyState::AlertingSent)
        })?;
        let cause = self.in_version(cause);
        self.send_party_end(slot, MessageType::AddPartyReject, party, &cause);
        self.party_enters(slot, party, PartyState::Null);
        Ok(())
    }

    /// Drops a party, from either end: DROP PARTY. Ends in `PartyDropConfirmed`. The last party of a call is dropped by releasing the
    /// call: it ends in `ReleaseConfirmed`. Without the SAAL the party is forgotten here; the peer hears of it when it asks.
    ///
    /// # Errors
    /// `NoSuchCall`, `WrongState`, `NotMultipoint`, `NoSuchParty`, `WrongPartyState` (a party that was offered is refused instead; one is
    /// not dropped twice).
    ///
    /// Source: Q.2971 §9.4; UNI 3.1 §5.6.3.
    pub fn drop_party(
        &mut self,
        now: Time,
        call: CallId,
        party: PartyId,
        cause: Cause,
    ) -> Result<(), RequestError> {
        let slot = self.party_of_call(call, party, "drop_party", |state| {
            matches!(
                state,
                PartyState::AddSent
                    | PartyState::AlertingReceived
                    | PartyState::AlertingSent
                    | PartyState::Active
            )
        })?;
        if self.counted_parties(slot) == 1 {
            return self.release(now, call, cause, &[]);
        }
        let cause = self.in_version(cause);
        self.party_enters(slot, party, PartyState::DropSent);
        if !self.saal_up {
            self.party_is_gone(now, slot, party, vec![cause]);
            return Ok(());
        }
        self.send_party_end(slot, MessageType::DropParty, party, &cause);
        self.arm_party(now, slot, party, Timer::T398);
        Ok(())
    }

    /// The slot of a call with this party in one of these states.
    fn party_of_call(
        &self,
        call: CallId,
        party: PartyId,
        request: &'static str,
        lawful: impl Fn(PartyState) -> bool,
    ) -> Result<usize, RequestError> {
        let slot = self.call_in(call, request, |state| {
            !matches!(state, CallState::Null | CallState::ReleaseSent | CallState::ReleaseReceived)
        })?;
        let parties = self.calls[slot].parties.as_ref().ok_or(RequestError::NotMultipoint(call))?;
        match parties.state(party.0) {
            PartyState::Null => Err(RequestError::NoSuchParty { call, party }),
            state if !lawful(state) => Err(RequestError::WrongPartyState { call, party, request, state }),
            _ => Ok(slot),
        }
    }

    /// The same of a party that the peer added; that of the SETUP is answered with the call.
    fn offered_party(
        &self,
        call: CallId,
        party: PartyId,
        request: &'static str,
        lawful: impl Fn(PartyState) -> bool,
    ) -> Result<usize, RequestError> {
        let slot = self.party_of_call(call, party, request, lawful)?;
        self.require_saal()?;
        let parties = self.calls[slot].parties.as_ref();
        match parties.map(|parties| (parties.first, parties.state(party.0))) {
            Some((first, state)) if first == party.0 && !self.calls[slot].state.kind().is_active() => {
                Err(RequestError::WrongPartyState { call, party, request, state })
            }
            _ => Ok(slot),
        }
    }

    /// A message about a party (Q.2971 §9.5).
    pub(super) fn handle_party_message(
        &mut self,
        now: Time,
        slot: usize,
        reaction: Reaction,
        message: Message,
    ) {
        if self.calls[slot].parties.is_none() {
            self.counters.unexpected_messages += 1;
            return self.misplaced(now, slot, &message, CauseValue::MESSAGE_NOT_COMPATIBLE);
        }
        if reaction == Reaction::AddParty {
            return self.handle_add_party(now, slot, message);
        }
        if !self.accepts(now, slot, &message) {
            return;
        }
        let Some((party, to_originator)) = compose::party_of(&message) else {
            debug_assert!(false, "a message about a party that is accepted names one");
            return;
        };
        // Towards the root's end the flag is set, and that is the end that made the call.
        let state = match self.calls[slot].parties.as_ref() {
            Some(parties) if to_originator == self.calls[slot].ours => parties.state(party.0),
            _ => PartyState::Null,
        };
        if state == PartyState::Null {
            return self.unknown_party(slot, reaction, party);
        }
        match (reaction, state) {
            (Reaction::PartyAlert, PartyState::AddSent) => {
                self.add_sent_party_alerting(now, slot, party, message)
            }
            (Reaction::AddPartyAcknowledge, PartyState::AddSent | PartyState::AlertingReceived) => {
                self.adding_add_party_acknowledge(slot, party, message);
            }
            (Reaction::AddPartyReject, PartyState::AddSent | PartyState::AlertingReceived) => {
                self.adding_add_party_reject(now, slot, party, message);
            }
            (Reaction::DropParty, PartyState::DropSent)
            | (Reaction::AddPartyReject, PartyState::DropSent) => {
                self.drop_sent_confirmed(now, slot, party, message);
            }
            (Reaction::DropParty, _) => self.any_drop_party(now, slot, party, message),
            (Reaction::DropPartyAcknowledge, PartyState::DropSent) => {
                self.drop_sent_confirmed(now, slot, party, message);
            }
            (Reaction::DropPartyAcknowledge, _) => {
                let (causes, _) = self.party_causes_of(message);
                self.party_is_gone(now, slot, party, causes);
            }
            _ => {
                self.counters.unexpected_messages += 1;
                self.misplaced(now, slot, &message, CauseValue::MESSAGE_NOT_COMPATIBLE);
            }
        }
    }

    /// Q.2971 §9.5.3.2.3: what would begin or go on is answered with DROP PARTY ACKNOWLEDGE; what ends has ended.
    fn unknown_party(&mut self, slot: usize, reaction: Reaction, party: PartyId) {
        if matches!(reaction, Reaction::AddPartyReject | Reaction::DropPartyAcknowledge) {
            self.counters.dropped_ignored += 1;
            return;
        }
        let cause = self.cause(CauseValue::INVALID_ENDPOINT_REFERENCE);
        self.send_party_end(slot, MessageType::DropPartyAcknowledge, party, &cause);
    }

    /// ADD PARTY in U7, U8, U10, N4, N10, at the leaves' end (P0): offered. One that is being offered already (P2) is ignored.
    ///
    /// Source: Q.2971 §9.3, §9.5.7: what is wrong with it is told with ADD PARTY REJECT, if the party is known.
    fn handle_add_party(&mut self, now: Time, slot: usize, message: Message) {
        let named = compose::party_of(&message).filter(|&(_, to_originator)| !to_originator);
        if let (Some((party, _)), Treatment::Refuse(cause)) =
            (named, verdict::of(&message, &self.config, &self.calls[slot]))
        {
            self.counters.faulty_messages += 1;
            return self.send_party_end(slot, MessageType::AddPartyReject, party, &cause);
        }
        if !self.accepts(now, slot, &message) {
            return;
        }
        let Some((party, _)) = named.filter(|_| !self.calls[slot].ours) else {
            self.counters.unexpected_messages += 1;
            return self.misplaced(now, slot, &message, CauseValue::MESSAGE_NOT_COMPATIBLE);
        };
        let Some(parties) = &mut self.calls[slot].parties else { return };
        match parties.state(party.0) {
            PartyState::Null if parties.len() >= self.config.limits.parties_max => {
                let cause = self.cause(CauseValue::RESOURCES_UNAVAILABLE);
                self.send_party_end(slot, MessageType::AddPartyReject, party, &cause);
            }
            PartyState::Null => {
                parties.insert(party.0, PartyState::AddReceived);
                let Some(params) = PartyParams::from_message(message) else {
                    debug_assert!(false, "an ADD PARTY that is accepted has a called party");
                    return;
                };
                let params = Box::new(params);
                self.indicate(Indication::PartyOffered { call: self.calls.id(slot), party, params });
            }
            PartyState::AddReceived => self.counters.dropped_ignored += 1,
            _ => {
                self.counters.unexpected_messages += 1;
                self.misplaced(now, slot, &message, CauseValue::MESSAGE_NOT_COMPATIBLE);
            }
        }
    }

    /// PARTY ALERTING in P1.
    fn add_sent_party_alerting(&mut self, now: Time, slot: usize, party: PartyId, message: Message) {
        self.party_enters(slot, party, PartyState::AlertingReceived);
        self.arm_party(now, slot, party, Timer::T397);
        let (_, other) = compose::notification_of(message);
        self.indicate(Indication::PartyAlerting { call: self.calls.id(slot), party, other });
    }

    /// ADD PARTY ACKNOWLEDGE in P1, P4.
    fn adding_add_party_acknowledge(&mut self, slot: usize, party: PartyId, message: Message) {
        self.counters.parties_connected += 1;
        self.party_enters(slot, party, PartyState::Active);
        let answer = Box::new(Answer::from_message(message));
        self.indicate(Indication::PartyConnected { call: self.calls.id(slot), party, answer });
    }

    /// ADD PARTY REJECT in P1, P4.
    fn adding_add_party_reject(&mut self, now: Time, slot: usize, party: PartyId, message: Message) {
        let (causes, _) = self.party_causes_of(message);
        self.party_enters(slot, party, PartyState::Null);
        if self.counted_parties(slot) == 0 {
            return self.clear(now, slot, causes[0].clone(), Because::Message(MessageType::AddPartyReject));
        }
        self.indicate(Indication::PartyRejected { call: self.calls.id(slot), party, causes });
    }

    /// DROP PARTY in any state but P5: acknowledged, or, of the last party, the call is cleared (Q.2971 §9.4.2).
    fn any_drop_party(&mut self, now: Time, slot: usize, party: PartyId, message: Message) {
        let (causes, _) = self.party_causes_of(message);
        if self.counted_parties(slot) > 1 {
            let cause = self.cause(CauseValue::NORMAL_UNSPECIFIED);
            self.send_party_end(slot, MessageType::DropPartyAcknowledge, party, &cause);
        }
        self.party_is_gone(now, slot, party, causes);
    }

    /// DROP PARTY ACKNOWLEDGE, ADD PARTY REJECT or DROP PARTY in P5: the party that is being dropped is gone.
    fn drop_sent_confirmed(&mut self, now: Time, slot: usize, party: PartyId, message: Message) {
        let (causes, _) = self.party_causes_of(message);
        self.party_is_gone(now, slot, party, causes);
    }

    /// The peer does not have the party any more, and neither do we. A call without any is cleared.
    fn party_is_gone(&mut self, now: Time, slot: usize, party: PartyId, causes: Vec<Cause>) {
        let Some(parties) = &mut self.calls[slot].parties else { return };
        let state = parties.state(party.0);
        let told = parties.get_mut(party.0).is_some_and(|party| party.told);
        self.party_enters(slot, party, PartyState::Null);
        let call = self.calls.id(slot);
        if self.counted_parties(slot) == 0 {
            let cause = causes.first().cloned().unwrap_or(self.cause(CauseValue::NORMAL_UNSPECIFIED));
            return self.clear(now, slot, cause, Because::Message(MessageType::DropParty));
        }
        match state {
            _ if told => {}
            PartyState::DropSent => self.indicate(Indication::PartyDropConfirmed { call, party, causes }),
            PartyState::AddSent | PartyState::AlertingReceived => {
                self.indicate(Indication::PartyRejected { call, party, causes });
            }
            _ => self.indicate(Indication::PartyDropped { call, party, causes }),
        }
    }

    /// T397, T398, T399.
    ///
    /// Source: Q.2971 §9.2.2, §9.4.1 and its party SDLs, as ngatm follows them.
    pub(super) fn party_timer_expired(&mut self, now: Time, slot: usize, endpoint: u16, timer: Timer) {
        let party = PartyId(endpoint);
        let cause = self.expiry_cause(timer);
        if timer == Timer::T398 {
            self.send_party_end(slot, MessageType::DropPartyAcknowledge, party, &cause);
            return self.party_is_gone(now, slot, party, vec![cause]);
        }
        if self.counted_parties(slot) == 1 {
            return self.clear(now, slot, cause, Because::Expiry(timer));
        }
        self.send_party_end(slot, MessageType::DropParty, party, &cause);
        self.party_enters(slot, party, PartyState::DropSent);
        self.arm_party(now, slot, party, Timer::T398);
        if let Some(party) = self.calls[slot].parties.as_mut().and_then(|parties| parties.get_mut(endpoint)) {
            party.told = true;
        }
        let call = self.calls.id(slot);
        self.indicate(Indication::PartyRejected { call, party, causes: vec![cause] });
    }

    /// STATUS about a party (Q.2971 §9.5.12): one that the peer does not have is gone; one that only the peer has is dropped there.
    pub(super) fn party_status(
        &mut self,
        now: Time,
        slot: usize,
        party: PartyId,
        theirs: Option<u8>,
        causes: &[Cause],
    ) {
        let Some(parties) = &self.calls[slot].parties else { return };
        match (parties.state(party.0), theirs) {
            (PartyState::Null, Some(0) | None) => {}
            (PartyState::Null, Some(_)) => {
                self.counters.status_mismatches += 1;
                let cause = self.cause(CauseValue::MESSAGE_NOT_COMPATIBLE);
                self.send_party_end(slot, MessageType::DropPartyAcknowledge, party, &cause);
            }
            (_, Some(0)) => {
                self.counters.status_mismatches += 1;
                self.party_is_gone(now, slot, party, causes.to_vec());
            }
            _ => {}
        }
    }

    /// STATUS ENQUIRY about every connected party.
    pub(super) fn enquire_parties(&mut self, slot: usize) {
        let Some(parties) = &self.calls[slot].parties else { return };
        let connected: Vec<u16> = parties
            .iter()
            .filter(|&(_, state)| state == PartyState::Active)
            .map(|(party, _)| party)
            .collect();
        let (reference, flag) = (self.calls[slot].reference(), self.party_flag(slot));
        for party in connected {
            self.counters.enquiries_sent += 1;
            self.send(compose::party_enquiry(reference, PartyId(party), flag));
        }
    }

    /// The SAAL is gone: parties that are not connected do not come to be (Q.2971 §9.5.9).
    pub(super) fn drop_unconnected_parties(&mut self, slot: usize) {
        let Some(parties) = &self.calls[slot].parties else { return };
        let unconnected: Vec<(u16, PartyState)> =
            parties.iter().filter(|&(_, state)| state != PartyState::Active).collect();
        for (endpoint, state) in unconnected {
            let party = PartyId(endpoint);
            let told = self.calls[slot]
                .parties
                .as_mut()
                .and_then(|parties| parties.get_mut(endpoint))
                .is_some_and(|party| party.told);
            self.party_enters(slot, party, PartyState::Null);
            let call = self.calls.id(slot);
            let causes = vec![self.cause(CauseValue::DESTINATION_OUT_OF_ORDER)];
            match state {
                _ if told => {}
                PartyState::DropSent => {
                    self.indicate(Indication::PartyDropConfirmed { call, party, causes });
                }
                PartyState::AddSent | PartyState::AlertingReceived => {
                    self.indicate(Indication::PartyRejected { call, party, causes });
                }
                _ => self.indicate(Indication::PartyDropped { call, party, causes }),
            }
        }
    }

    /// The parties end with their call, and nothing is told of them.
    pub(super) fn end_parties(&mut self, slot: usize) {
        let Some(parties) = &self.calls[slot].parties else { return };
        let all: Vec<u16> = parties.iter().map(|(party, _)| party).collect();
        for party in all {
            self.party_enters(slot, PartyId(party), PartyState::Null);
        }
    }

    /// The party of the SETUP follows its call.
    pub(super) fn first_party_enters(&mut self, slot: usize, state: PartyState) {
        let Some(first) = self.calls[slot].parties.as_ref().map(|parties| parties.first) else { return };
        if state == PartyState::Active {
            self.counters.parties_connected += 1;
        }
        self.party_enters(slot, PartyId(first), state);
    }

    pub(super) fn arm_first_party(&mut self, now: Time, slot: usize, timer: Timer) {
        if let Some(first) = self.calls[slot].parties.as_ref().map(|parties| parties.first) {
            self.arm_party(now, slot, PartyId(first), timer);
        }
    }

    /// A party's state changes, and what it had armed is disarmed.
    fn party_enters(&mut self, slot: usize, party: PartyId, state: PartyState) {
        let Some(parties) = &mut self.calls[slot].parties else { return };
        if let Some(party) = parties.get_mut(party.0) {
            self.deadlines.disarm(&mut party.timer);
        }
        parties.enter(party.0, state);
    }

    fn arm_party(&mut self, now: Time, slot: usize, party: PartyId, timer: Timer) {
        let deadline = now.after(self.config.timers.duration(timer));
        let parties = self.calls[slot].parties.as_mut();
        if let Some(found) = parties.and_then(|parties| parties.get_mut(party.0)) {
            self.deadlines.arm(&mut found.timer, timer, deadline, Owner::Party(slot, party.0));
        }
    }

    fn counted_parties(&self, slot: usize) -> usize {
        self.calls[slot].parties.as_ref().map_or(0, |parties| parties.counted())
    }

    fn send_party_end(&mut self, slot: usize, kind: MessageType, party: PartyId, cause: &Cause) {
        let (reference, flag) = (self.calls[slot].reference(), self.party_flag(slot));
        self.send(compose::party_end(kind, reference, party, flag, cause));
    }

    /// One that should have a cause and has none says "normal, unspecified" (Q.2971 §9.5.7).
    fn party_causes_of(&self, message: Message) -> (Vec<Cause>, Vec<Ie>) {
        let (mut causes, other) = compose::causes_of(message);
        if causes.is_empty() {
            causes.push(self.cause(CauseValue::NORMAL_UNSPECIFIED));
        }
        (causes, other)
    }
}
