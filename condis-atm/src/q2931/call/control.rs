//! The call control of one interface.

use std::collections::VecDeque;

use condis::runtime::Time;

use super::compose;
use super::deadlines::{Armed, Deadlines};
use super::matrix::{Reaction, reaction};
use super::record::{Call, Calls, Parties, Restart, State, UserPart};
use super::refs::Refs;
use super::restart::Restarts;
use super::verdict;
use super::{
    Answer, Because, CallId, CallLine, CallParams, CallState, Config, Counters, Indication, Output, PartyId,
    PartyState, RequestError, Timer, Transition,
};
use crate::VpVc;
use crate::q2931::wire::{
    CallRef, Cause, CauseValue, Diagnostics, Ie, Message, MessageType, MessageWriter, Side, Treatment,
    Version,
};

/// The calls of one interface, at either side. The contract is that of [the module](super).
#[derive(Debug)]
pub struct CallControl {
    pub(super) config: Config,
    pub(super) calls: Calls,
    /// References that this end chose.
    pub(super) ours: Refs,
    /// References that the peer chose.
    pub(super) theirs: Refs,
    /// Connections of calls that their users are not done with, by [`connection_key`].
    pub(super) connections: Refs,
    pub(super) deadlines: Deadlines<Owner>,
    pub(super) saal_up: bool,
    pub(super) t309: Armed,
    pub(super) restarts: Restarts,
    pub(super) counters: Counters,
    outputs: VecDeque<Output>,
}

/// Whose timer it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner {
    Interface,
    Call(usize),
    Party(usize, u16),
}

impl CallControl {
    /// Without calls; the SAAL is down. From `seed` comes the first call reference, so that a restart does not use those again that
    /// the peer may remember.
    pub fn new(config: Config, seed: u64) -> CallControl {
        let first = condis::runtime::Random::new(seed).below(u64::from(CallRef::VALUE_MAX));
        CallControl {
            config,
            calls: Calls::default(),
            ours: Refs::new(first as u32),
            theirs: Refs::new(0),
            connections: Refs::new(0),
            deadlines: Deadlines::new(),
            saal_up: false,
            t309: Armed::NONE,
            restarts: Restarts::default(),
            counters: Counters::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Makes a call: SETUP goes out. It ends as told at [`Indication`].
    ///
    /// At the network side `params.connection` must be given; at the user side it must not. A point-to-multipoint call gets its
    /// first party, [`PartyId`] 0.
    ///
    /// # Errors
    /// `SignalingDown`, `TooManyCalls`, `ConnectionRequired`, `ConnectionNotOurs`, `ConnectionOutOfRange`, `ConnectionInUse`, `Uncodable`.
    ///
    /// Source: Q.2931 §5.1.1, §5.2.1; UNI 3.1 §5.5.1.1, §5.5.2.1.
    pub fn setup(&mut self, now: Time, params: &CallParams) -> Result<CallId, RequestError> {
        self.require_saal()?;
        let max = self.config.limits.calls_max;
        if self.calls.len() >= max {
            return Err(RequestError::TooManyCalls { max });
        }
        match (self.config.side, params.connection) {
            (Side::Network, None) => return Err(RequestError::ConnectionRequired),
            (Side::User, Some(_)) => return Err(RequestError::ConnectionNotOurs),
            (Side::Network, Some(connection)) => self.require_free(connection)?,
            (Side::User, None) => {}
        }
        let first = params.bearer.is_point_to_multipoint().then_some(FIRST_PARTY);
        let slot = self.calls.next_slot();
        let value = self.ours.allocate(slot);
        let message = compose::setup(self.config.version, CallRef::new(value, false), params, first);
        let octets = match compose::encode(message) {
            Ok(octets) => octets,
            Err(error) => {
                self.ours.remove(value);
                return Err(error);
            }
        };
        let parties = first.map(|first| Parties::new(first.0, PartyState::AddSent));
        self.calls.insert(Call::new(value, true, params.called.clone(), parties));
        if let Some(connection) = params.connection {
            self.take_connection(slot, connection);
        }
        self.counters.calls_made += 1;
        self.enter(slot, State::SetupSent { setup: octets.clone(), sent: 1 }, Because::Request("setup"));
        self.arm(now, slot, Timer::T303);
        self.transmit(octets);
        Ok(self.calls.id(slot))
    }

    /// Tells the peer that its call is on its way: CALL PROCEEDING.
    ///
    /// # Errors
    /// `NoSuchCall`, `WrongState` (lawful in `SetupReceived`), and those about connections: the network side's first answer must
    /// give one.
    ///
    /// Source: Q.2931 §5.1.5, §5.2.5.1.
    pub fn proceeding(&mut self, now: Time, call: CallId, answer: &Answer) -> Result<(), RequestError> {
        let slot = self.call_in(call, "proceeding", |state| state == CallState::SetupReceived)?;
        self.answer(now, slot, MessageType::CallProceeding, answer)?;
        self.enter(slot, State::ProceedingSent, Because::Request("proceeding"));
        Ok(())
    }

    /// Tells the peer that the called user is alerted: ALERTING.
    ///
    /// # Errors
    /// `NotInVersion` before UNI 4.0, `NoSuchCall`, `WrongState` (lawful in `SetupReceived`, `ProceedingSent`), and those about
    /// connections.
    ///
    /// Source: Q.2931 §5.1.6, §5.2.5.2.
    pub fn alerting(&mut self, now: Time, call: CallId, answer: &Answer) -> Result<(), RequestError> {
        let slot = self.call_in(call, "alerting", |state| {
            matches!(state, CallState::SetupReceived | CallState::ProceedingSent)
        })?;
        self.require_version("alerting")?;
        self.answer(now, slot, MessageType::Alerting, answer)?;
        self.first_party_enters(slot, PartyState::AlertingSent);
        self.enter(slot, State::AlertingSent, Because::Request("alerting"));
        Ok(())
    }

    /// Takes the peer's call: CONNECT. At the network side the call stands then; at the user side with `ConnectAcknowledged`.
    ///
    /// # Errors
    /// `NoSuchCall`, `WrongState` (lawful in `SetupReceived`, `ProceedingSent`, `AlertingSent`), and those about connections.
    ///
    /// Source: Q.2931 §5.1.7, §5.2.5.4, §5.2.6.
    pub fn connect(&mut self, now: Time, call: CallId, answer: &Answer) -> Result<(), RequestError> {
        let slot = self.call_in(call, "connect", |state| {
            matches!(state, CallState::SetupReceived | CallState::ProceedingSent | CallState::AlertingSent)
        })?;
        self.answer(now, slot, MessageType::Connect, answer)?;
        match self.config.side {
            Side::User => {
                self.enter(slot, State::ConnectSent, Because::Request("connect"));
                self.arm(now, slot, Timer::T313);
            }
            Side::Network => {
                self.first_party_enters(slot, PartyState::Active);
                self.counters.calls_connected += 1;
                self.calls[slot].unacknowledged = true;
                self.enter(slot, State::ACTIVE, Because::Request("connect"));
            }
        }
        Ok(())
    }

    /// Ends a call that this end made or that the peer offered, whatever its progress; of a point-to-multipoint call, all of it. A call
    /// that the peer offered and that was not answered at all is refused (RELEASE COMPLETE). Ends in `ReleaseConfirmed`.
    ///
    /// The VC is deactivated before: the VPI and VCI are the network's again once the peer has confirmed. Without the SAAL the call
    /// is forgotten here; the peer hears of it when it asks. `other` is left out if it does not fit the message.
    ///
    /// # Errors
    /// `NoSuchCall`, `WrongState` (not lawful while the call is already being released, or `Released` was told).
    ///
    /// Source: Q.2931 §5.4.3, §5.4.4, §5.2.5.3; UNI 3.1 §5.5.4.
    pub fn release(
        &mut self,
        now: Time,
        call: CallId,
        cause: Cause,
        other: &[Ie],
    ) -> Result<(), RequestError> {
        let slot = self.call_in(call, "release", |state| {
            !matches!(state, CallState::Null | CallState::ReleaseSent | CallState::ReleaseReceived)
        })?;
        self.calls[slot].user = UserPart::AwaitsConfirm;
        let causes = vec![self.in_version(cause)];
        let refused = self.calls[slot].state.kind() == CallState::SetupReceived;
        if refused || !self.saal_up {
            if refused {
                self.send_clearing(slot, MessageType::ReleaseComplete, &causes, other);
            }
            self.cleared(slot, causes, Vec::new(), Because::Request("release"));
            return Ok(());
        }
        self.send_release(now, slot, causes, other, Because::Request("release"));
        Ok(())
    }

    /// Answers `Released`, once the VC is deactivated. The call is gone then, and its VPI and VCI are free.
    ///
    /// # Errors
    /// `NoSuchCall`, `WrongState`: the call was not released.
    ///
    /// Source: Q.2931 §5.4.3, §5.4.4.
    pub fn release_response(&mut self, _now: Time, call: CallId) -> Result<(), RequestError> {
        let slot = self.find(call)?;
        if self.calls[slot].user != UserPart::OwesResponse {
            return Err(self.wrong_state(slot, "release_response"));
        }
        self.user_is_done(slot);
        match self.calls[slot].state.kind() {
            CallState::ReleaseReceived => {
                let report = match &mut self.calls[slot].state {
                    State::ReleaseReceived { report } => report.take(),
                    _ => None,
                };
                let reference = self.calls[slot].reference();
                self.send(compose::clearing(MessageType::ReleaseComplete, reference, report.as_slice(), &[]));
                self.enter(slot, State::Null, Because::Request("release_response"));
                self.free_reference(slot);
                self.forget(slot);
            }
            CallState::Null => self.forget(slot),
            // RELEASE of ours is unanswered: the call goes when it is, and nobody is told.
            _ => {}
        }
        self.restart_answered();
        Ok(())
    }

    /// Takes an SDU that the SAAL brought.
    pub fn handle_message(&mut self, now: Time, octets: &[u8]) {
        self.counters.messages_received += 1;
        // Q.2931 §5.6.1 to §5.6.3: another protocol, too short, or a call reference of another length is no message at all.
        let Ok(message) = Message::parse(octets) else {
            self.counters.dropped_no_message += 1;
            return;
        };
        if message.call_ref.is_dummy() {
            self.counters.dropped_dummy_reference += 1;
        } else if message.call_ref.is_global() {
            self.handle_global(now, message);
        } else {
            self.handle_call_message(now, message);
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some((timer, owner)) = self.deadlines.due(now) {
            self.counters.timers_expired += 1;
            match owner {
                Owner::Interface => self.interface_timer_expired(now, timer),
                Owner::Call(slot) if timer == Timer::T322 => self.enquiry_unanswered(now, slot),
                Owner::Call(slot) => self.call_timer_expired(now, slot, timer),
                Owner::Party(slot, endpoint) => self.party_timer_expired(now, slot, endpoint, timer),
            }
        }
    }

    /// When [`handle_timeout`](CallControl::handle_timeout) is due; `None`: not before another input.
    pub fn next_timeout(&self) -> Option<Time> {
        self.deadlines.next()
    }

    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What was counted so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What it was told when it was made.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where a call stands; `None` if it has ended for its user.
    pub fn state(&self, call: CallId) -> Option<CallState> {
        self.find(call).ok().map(|slot| self.calls[slot].state.kind())
    }

    /// Where a party stands; `Null` if there is none.
    pub fn party_state(&self, call: CallId, party: PartyId) -> PartyState {
        match self.find(call).ok().and_then(|slot| self.calls[slot].parties.as_ref()) {
            Some(parties) => parties.state(party.0),
            None => PartyState::Null,
        }
    }

    /// The VPI and VCI of a call, once it has them.
    pub fn connection(&self, call: CallId) -> Option<VpVc> {
        self.find(call).ok().and_then(|slot| self.calls[slot].connection)
    }

    /// How many calls there are, in any state.
    pub fn calls_len(&self) -> usize {
        self.calls.len()
    }

    /// Every call in a line.
    pub fn calls(&self) -> impl Iterator<Item = CallLine> + '_ {
        self.calls.slots().map(|slot| {
            let call = &self.calls[slot];
            CallLine {
                call: self.calls.id(slot),
                reference: call.value,
                ours: call.ours,
                state: call.state.kind(),
                connection: call.connection,
                called: call.called.0.to_string(),
                parties: call.parties.as_ref().map(|parties| parties.len()),
            }
        })
    }

    // What follows is for the other files of this folder.

    pub(super) fn find(&self, call: CallId) -> Result<usize, RequestError> {
        self.calls
            .find(call)
            .filter(|&slot| self.calls[slot].user != UserPart::Done)
            .ok_or(RequestError::NoSuchCall(call))
    }

    /// The slot of a call whose state is one of `lawful`.
    pub(super) fn call_in(
        &self,
        call: CallId,
        request: &'static str,
        lawful: impl Fn(CallState) -> bool,
    ) -> Result<usize, RequestError> {
        let slot = self.find(call)?;
        if !lawful(self.calls[slot].state.kind()) {
            return Err(self.wrong_state(slot, request));
        }
        Ok(slot)
    }

    fn wrong_state(&self, slot: usize, request: &'static str) -> RequestError {
        RequestError::WrongState { call: self.calls.id(slot), request, state: self.calls[slot].state.kind() }
    }

    pub(super) fn require_saal(&self) -> Result<(), RequestError> {
        if self.saal_up { Ok(()) } else { Err(RequestError::SignalingDown) }
    }

    pub(super) fn require_version(&self, request: &'static str) -> Result<(), RequestError> {
        match self.config.version {
            Version::Uni40 => Ok(()),
            version => Err(RequestError::NotInVersion { request, version }),
        }
    }

    fn require_free(&self, connection: VpVc) -> Result<(), RequestError> {
        if !self.in_range(connection) {
            return Err(RequestError::ConnectionOutOfRange(connection));
        }
        match self.connections.get(connection_key(connection)) {
            Some(_) => Err(RequestError::ConnectionInUse(connection)),
            None => Ok(()),
        }
    }

    /// Those below 32 are not for calls (UNI 3.1 §5.1.2).
    pub(super) fn in_range(&self, connection: VpVc) -> bool {
        connection.vci.0 >= FIRST_VCI && connection.vpi.0 <= self.config.limits.vpi_max
    }

    pub(super) fn take_connection(&mut self, slot: usize, connection: VpVc) {
        self.connections.insert(connection_key(connection), slot);
        self.calls[slot].connection = Some(connection);
    }

    /// The user needs the call no more: its connection may be used again.
    pub(super) fn user_is_done(&mut self, slot: usize) {
        self.counters.calls_ended += 1;
        self.calls[slot].user = UserPart::Done;
        if let Some(connection) = self.calls[slot].connection {
            self.connections.remove(connection_key(connection));
        }
        let Restart { ours, peers } = std::mem::take(&mut self.calls[slot].restart);
        self.restarts.waits_no_more(ours, peers);
    }

    /// Forgets a call that neither the peer nor the user has any more.
    pub(super) fn forget(&mut self, slot: usize) {
        debug_assert!(self.calls[slot].timer == Armed::NONE && self.calls[slot].enquiry == Armed::NONE);
        self.calls.remove(slot);
    }

    /// Sends the first and later answers to a SETUP; the network side's first one brings the connection.
    fn answer(
        &mut self,
        _now: Time,
        slot: usize,
        kind: MessageType,
        answer: &Answer,
    ) -> Result<(), RequestError> {
        let given = match (self.config.side, self.calls[slot].connection, answer.connection) {
            (Side::Network, None, None) => return Err(RequestError::ConnectionRequired),
            (Side::Network, None, Some(connection)) => {
                self.require_free(connection)?;
                Some(connection)
            }
            (_, Some(has), Some(connection)) if has != connection => {
                return Err(RequestError::ConnectionNotOurs);
            }
            (Side::User, None, Some(_)) => return Err(RequestError::ConnectionNotOurs),
            (Side::Network | Side::User, _, _) => None,
        };
        let call = &self.calls[slot];
        let party = call.parties.as_ref().map(|parties| PartyId(parties.first));
        let message = compose::answer(kind, call.reference(), given, answer, party);
        let octets = compose::encode(message)?;
        if let Some(connection) = given {
            self.take_connection(slot, connection);
        }
        self.transmit(octets);
        Ok(())
    }

    /// A message about a call (Q.2931 §5.6.3.2): the flag says whose reference it is.
    fn handle_call_message(&mut self, now: Time, message: Message) {
        let refs = if message.call_ref.is_to_originator() { &self.ours } else { &self.theirs };
        let found = refs.get(message.call_ref.value());
        let state = found.map_or(CallState::Null, |slot| self.calls[slot].state.kind());
        let cell = reaction(self.config.version, self.config.side, state, message.kind);
        match found {
            Some(slot) => self.handle_known(now, slot, cell.reaction, message),
            None => self.handle_unknown(now, cell.reaction, message),
        }
    }

    /// A message that names no call (Q.2931 §5.6.3.2).
    fn handle_unknown(&mut self, now: Time, reaction: Reaction, message: Message) {
        match reaction {
            Reaction::Offer if message.call_ref.is_to_originator() => self.counters.dropped_setup += 1,
            Reaction::Offer => self.null_setup(now, message),
            Reaction::Status => self.null_status(message),
            Reaction::StatusEnquiry => self.null_status_enquiry(message),
            Reaction::Ignore => self.counters.dropped_ignored += 1,
            _ => self.reply_unknown_reference(message.call_ref, CauseValue::INVALID_CALL_REFERENCE, None),
        }
    }

    /// RELEASE COMPLETE for a reference that no call has.
    pub(super) fn reply_unknown_reference(
        &mut self,
        reference: CallRef,
        value: CauseValue,
        about: Option<MessageType>,
    ) {
        self.counters.unknown_references += 1;
        let mut cause = self.cause(value);
        if let Some(kind) = about {
            cause = cause.with(Diagnostics::MessageType(kind));
        }
        self.send(compose::clearing(MessageType::ReleaseComplete, reference.reply(), &[cause], &[]));
    }

    fn handle_known(&mut self, now: Time, slot: usize, reaction: Reaction, message: Message) {
        let kind = message.kind;
        match reaction {
            Reaction::Offer | Reaction::UnknownReference => {
                debug_assert!(false, "the matrix has them in the null state alone");
            }
            Reaction::Ignore if kind == MessageType::Setup => self.counters.dropped_setup += 1,
            Reaction::Ignore => self.counters.dropped_ignored += 1,
            Reaction::Unexpected => {
                self.counters.unexpected_messages += 1;
                self.misplaced(now, slot, &message, CauseValue::MESSAGE_NOT_COMPATIBLE);
            }
            Reaction::NotImplemented => {
                self.counters.unimplemented_messages += 1;
                self.misplaced(now, slot, &message, CauseValue::MESSAGE_TYPE_NON_EXISTENT);
            }
            Reaction::Release => self.any_release(slot, message),
            Reaction::ReleaseCollision => self.release_sent_release(slot, message),
            Reaction::ReleaseComplete => self.any_release_complete(slot, message),
            Reaction::Status => self.handle_status(now, slot, message),
            Reaction::StatusEnquiry => self.handle_status_enquiry(now, slot, message),
            Reaction::Proceed => self.setup_sent_call_proceeding(now, slot, message),
            Reaction::Alert => self.outgoing_alerting(now, slot, message),
            Reaction::Connect => self.outgoing_connect(now, slot, message),
            Reaction::Acknowledge => self.handle_connect_acknowledge(now, slot, message),
            Reaction::Notify => self.any_notify(now, slot, message),
            Reaction::AddParty
            | Reaction::PartyAlert
            | Reaction::AddPartyAcknowledge
            | Reaction::AddPartyReject
            | Reaction::DropParty
            | Reaction::DropPartyAcknowledge => self.handle_party_message(now, slot, reaction, message),
            Reaction::Modify => self.active_modify_request(now, slot, message),
            Reaction::ModifyAcknowledge => self.modify_requested_modify_acknowledge(now, slot, message),
            Reaction::ModifyReject => self.modify_requested_modify_reject(now, slot, message),
            Reaction::ConnectionAvailable => self.active_connection_available(now, slot, message),
        }
    }

    /// What is wrong with a message that this state takes, and what follows from it. `true`: go on with it.
    ///
    /// Source: Q.2931 §5.6.6 to §5.6.8, §5.7.2.
    pub(super) fn accepts(&mut self, now: Time, slot: usize, message: &Message) -> bool {
        let treatment = verdict::of(message, &self.config, &self.calls[slot]);
        if treatment == Treatment::Proceed {
            return true;
        }
        self.counters.faulty_messages += 1;
        let party = compose::party_of(message).map(|(party, _)| party);
        match treatment {
            Treatment::Proceed => true,
            Treatment::ProceedAndReport(cause) => {
                self.send_status(slot, cause, party);
                true
            }
            Treatment::DiscardAndReport(cause) | Treatment::Refuse(cause) => {
                self.send_status(slot, cause, party);
                false
            }
            Treatment::Discard => {
                self.counters.dropped_by_indicator += 1;
                false
            }
            Treatment::ClearCall(cause) => {
                self.clear(now, slot, cause, Because::Message(message.kind));
                false
            }
        }
    }

    /// The one place where a call's state changes. What the state before had armed is disarmed.
    pub(super) fn enter(&mut self, slot: usize, state: State, because: Because) {
        let call = &mut self.calls[slot];
        self.deadlines.disarm(&mut call.timer);
        let (from, to) = (call.state.kind(), state.kind());
        call.state = state;
        if self.config.trace && from != to {
            let side = self.config.side;
            let transition =
                Transition { call: self.calls.id(slot), from: from.on(side), to: to.on(side), because };
            self.outputs.push_back(Output::Transition(transition));
        }
    }

    /// Arms the timer of the state that was just entered.
    pub(super) fn arm(&mut self, now: Time, slot: usize, timer: Timer) {
        let deadline = now.after(self.config.timers.duration(timer));
        self.deadlines.arm(&mut self.calls[slot].timer, timer, deadline, Owner::Call(slot));
    }

    /// A cause that arose here.
    pub(super) fn cause(&self, value: CauseValue) -> Cause {
        Cause::new(verdict::location(self.config.side), value)
    }

    /// A user's cause as this version has it: UNI 3.0 says 31 where others say 16, normal call clearing (as Linux does).
    pub(super) fn in_version(&self, cause: Cause) -> Cause {
        match (self.config.version, cause.value) {
            (Version::Uni30, CauseValue::NORMAL_CLEARING) => {
                Cause::new(cause.location, CauseValue::NORMAL_UNSPECIFIED)
            }
            _ => cause,
        }
    }

    /// 102, with the timer's number (Q.2931 §5.6: recovery on timer expiry).
    pub(super) fn expiry_cause(&self, timer: Timer) -> Cause {
        self.cause(CauseValue::RECOVERY_ON_TIMER_EXPIRY).with(Diagnostics::Timer(timer.digits()))
    }

    pub(super) fn indicate(&mut self, indication: Indication) {
        self.outputs.push_back(Output::Indication(indication));
    }

    pub(super) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn send(&mut self, message: MessageWriter) {
        let octets = compose::encode(message).expect("what is composed here alone is short");
        self.transmit(octets);
    }

    pub(super) fn transmit(&mut self, octets: Vec<u8>) {
        if !self.saal_up {
            self.counters.dropped_saal_down += 1;
            return;
        }
        self.counters.messages_sent += 1;
        self.outputs.push_back(Output::Transmit(octets));
    }
}

/// A connection as one number, for the table.
pub(super) fn connection_key(connection: VpVc) -> u32 {
    u32::from(connection.vpi.0) << 16 | u32::from(connection.vci.0)
}

/// The first party of a point-to-multipoint call has endpoint reference 0 (UNI 3.1 §5.6.1.1).
const FIRST_PARTY: PartyId = PartyId(0);

/// The first VCI that is not the standards' own (UNI 3.1 §5.1.2).
const FIRST_VCI: u16 = 32;
