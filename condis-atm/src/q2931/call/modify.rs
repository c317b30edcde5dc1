//! Modification of a call's contract by the end that made the call (Q.2963.1; UNI 4.0).
//!
//! Who asks hears `Modified` or `ModifyRejected`; who is asked answers a `ModifyOffered`. If the answer wants a confirmation, who asked sends
//! CONNECTION AVAILABLE without being told to. What follows when T360 or T361 expires is our reading: the contract that holds
//! is not known then, so the call is cleared.

use condis::runtime::Time;

use super::compose;
use super::control::CallControl;
use super::record::State;
use super::{Because, CallId, CallState, Indication, ModifyParams, RequestError, Timer, verdict};
use crate::q2931::wire::{Cause, CauseValue, Ie, Message, MessageType, Treatment};

impl CallControl {
    /// Asks for another contract: MODIFY REQUEST. Ends in `Modified`, `ModifyRejected`, or the end of the call.
    ///
    /// # Errors
    /// `NotInVersion` before UNI 4.0, `NoSuchCall`, `WrongState` (lawful in `Active`), `NotOwner`, `Multipoint`, `SignalingDown`, `Uncodable`.
    ///
    /// Source: Q.2963.1 §9.1.1.
    pub fn modify(&mut self, now: Time, call: CallId, params: &ModifyParams) -> Result<(), RequestError> {
        let slot = self.call_in(call, "modify", |state| state == CallState::Active)?;
        self.require_version("modify")?;
        self.require_saal()?;
        if self.calls[slot].parties.is_some() {
            return Err(RequestError::Multipoint(call));
        }
        if !self.calls[slot].ours {
            return Err(RequestError::NotOwner(call));
        }
        let octets = compose::encode(compose::modify_request(self.calls[slot].reference(), params))?;
        self.transmit(octets);
        self.enter(slot, State::ModifyRequested, Because::Request("modify"));
        self.arm(now, slot, Timer::T360);
        Ok(())
    }

    /// Takes the contract of a `ModifyOffered`: MODIFY ACKNOWLEDGE. With `confirm`, `ModifyConfirmed` tells when the peer uses it.
    ///
    /// # Errors
    /// `NoSuchCall`, `WrongState` (lawful in `ModifyReceived`), `SignalingDown`, `Uncodable`.
    ///
    /// Source: Q.2963.1 §9.2.2.
    pub fn modify_accept(
        &mut self,
        now: Time,
        call: CallId,
        confirm: bool,
        other: &[Ie],
    ) -> Result<(), RequestError> {
        let slot = self.call_in(call, "modify_accept", |state| state == CallState::ModifyReceived)?;
        self.require_saal()?;
        let message = compose::modify_acknowledge(self.calls[slot].reference(), confirm, other);
        let octets = compose::encode(message)?;
        self.transmit(octets);
        let state = State::Active { unconfirmed: confirm };
        self.enter(slot, state, Because::Request("modify_accept"));
        if confirm {
            self.arm(now, slot, Timer::T361);
        }
        Ok(())
    }

    /// Refuses the contract of a `ModifyOffered`: MODIFY REJECT. The old one holds.
    ///
    /// # Errors
    /// `NoSuchCall`, `WrongState` (lawful in `ModifyReceived`), `SignalingDown`.
    ///
    /// Source: Q.2963.1 §9.2.4.
    pub fn modify_reject(&mut self, call: CallId, cause: Cause) -> Result<(), RequestError> {
        let slot = self.call_in(call, "modify_reject", |state| state == CallState::ModifyReceived)?;
        self.require_saal()?;
        let reference = self.calls[slot].reference();
        self.send(compose::clearing(MessageType::ModifyReject, reference, &[cause], &[]));
        self.enter(slot, State::ACTIVE, Because::Request("modify_reject"));
        Ok(())
    }

    /// MODIFY REQUEST in U10, N10: offered to the user. Not from who did not make the call, and not of a call with many parties.
    pub(super) fn active_modify_request(&mut self, now: Time, slot: usize, message: Message) {
        if self.calls[slot].ours || self.calls[slot].parties.is_some() {
            self.counters.unexpected_messages += 1;
            return self.misplaced(now, slot, &message, CauseValue::MESSAGE_NOT_COMPATIBLE);
        }
        if let Treatment::Refuse(cause) = verdict::of(&message, &self.config, &self.calls[slot]) {
            self.counters.faulty_messages += 1;
            let reference = self.calls[slot].reference();
            return self.send(compose::clearing(MessageType::ModifyReject, reference, &[cause], &[]));
        }
        if !self.accepts(now, slot, &message) {
            return;
        }
        let because = Because::Message(message.kind);
        let Some(params) = ModifyParams::from_message(message) else {
            debug_assert!(false, "a MODIFY REQUEST that is accepted has a traffic descriptor");
            return;
        };
        self.enter(slot, State::ModifyReceived, because);
        self.indicate(Indication::ModifyOffered { call: self.calls.id(slot), params: Box::new(params) });
    }

    /// MODIFY ACKNOWLEDGE in U13, N13: the new contract holds; if the peer wants to know, it is told.
    pub(super) fn modify_requested_modify_acknowledge(&mut self, now: Time, slot: usize, message: Message) {
        if !self.accepts(now, slot, &message) {
            return;
        }
        self.enter(slot, State::ACTIVE, Because::Message(message.kind));
        if compose::wants_confirmation(&message) {
            let reference = self.calls[slot].reference();
            self.send(compose::connection_available(reference));
        }
        let other = compose::modification_of(message);
        self.indicate(Indication::Modified { call: self.calls.id(slot), other });
    }

    /// MODIFY REJECT in U13, N13: the old contract holds.
    pub(super) fn modify_requested_modify_reject(&mut self, now: Time, slot: usize, message: Message) {
        if !self.accepts(now, slot, &message) {
            return;
        }
        self.enter(slot, State::ACTIVE, Because::Message(message.kind));
        let (causes, _) = compose::causes_of(message);
        self.indicate(Indication::ModifyRejected { call: self.calls.id(slot), causes });
    }

    /// CONNECTION AVAILABLE in U10, N10: the peer uses the contract. Unexpected where nobody asked for it.
    pub(super) fn active_connection_available(&mut self, now: Time, slot: usize, message: Message) {
        if !matches!(self.calls[slot].state, State::Active { unconfirmed: true }) {
            self.counters.unexpected_messages += 1;
            return self.misplaced(now, slot, &message, CauseValue::MESSAGE_NOT_COMPATIBLE);
        }
        if !self.accepts(now, slot, &message) {
            return;
        }
        self.enter(slot, State::ACTIVE, Because::Message(message.kind));
        self.indicate(Indication::ModifyConfirmed { call: self.calls.id(slot) });
    }
}
