//! STATUS and STATUS ENQUIRY: whether both sides think the same of a call; what is told about messages that are wrong; and NOTIFY.

use condis::runtime::Time;

use super::compose;
use super::control::{CallControl, Owner};
use super::record::State;
use super::{Because, CallId, CallState, Indication, PartyId, RequestError, Timer};
use crate::q2931::wire::{Cause, CauseValue, Diagnostics, Ie, Message, MessageAction, MessageType};

impl CallControl {
    /// Asks the peer where it thinks the call stands: STATUS ENQUIRY. `StatusReported` tells; if the peer's state does not go with
    /// ours, or it does not answer twice, the call is cleared.
    ///
    /// # Errors
    /// `NoSuchCall`, `WrongState` (not lawful while the call is being released), `SignalingDown`, `EnquiryUnderWay`.
    ///
    /// Source: Q.2931 §5.6.11.
    pub fn status_enquiry(&mut self, now: Time, call: CallId) -> Result<(), RequestError> {
        let slot = self.call_in(call, "status_enquiry", |state| {
            !matches!(state, CallState::Null | CallState::ReleaseSent | CallState::ReleaseReceived)
        })?;
        self.require_saal()?;
        if self.calls[slot].enquiries_sent > 0 {
            return Err(RequestError::EnquiryUnderWay(call));
        }
        self.enquire(now, slot);
        Ok(())
    }

    /// Sends NOTIFY with these IEs, in any state but those of release.
    ///
    /// # Errors
    /// `NotInVersion` before UNI 4.0, `NoSuchCall`, `WrongState`, `SignalingDown`, `Uncodable`.
    ///
    /// Source: Q.2931 §5.9.
    pub fn notify(&mut self, call: CallId, party: Option<PartyId>, ies: &[Ie]) -> Result<(), RequestError> {
        let slot = self.call_in(call, "notify", |state| {
            !matches!(state, CallState::Null | CallState::ReleaseSent | CallState::ReleaseReceived)
        })?;
        self.require_version("notify")?;
        self.require_saal()?;
        let towards_root = self.party_flag(slot);
        let message = compose::notify(self.calls[slot].reference(), party, towards_root, ies);
        let octets = compose::encode(message)?;
        self.transmit(octets);
        Ok(())
    }

    /// NOTIFY in any state but U0, N0: passed on.
    pub(super) fn any_notify(&mut self, now: Time, slot: usize, message: Message) {
        if !self.accepts(now, slot, &message) {
            return;
        }
        let (party, ies) = compose::notification_of(message);
        self.indicate(Indication::Notified { call: self.calls.id(slot), party, ies });
    }

    /// STATUS ENQUIRY goes out, unless one is unanswered already.
    pub(super) fn enquire(&mut self, now: Time, slot: usize) {
        if self.calls[slot].enquiries_sent > 0 {
            return;
        }
        self.send_enquiry(now, slot);
    }

    fn send_enquiry(&mut self, now: Time, slot: usize) {
        let reference = self.calls[slot].reference();
        self.counters.enquiries_sent += 1;
        self.send(compose::bare(MessageType::StatusEnquiry, reference));
        self.calls[slot].enquiries_sent += 1;
        let deadline = now.after(self.config.timers.duration(Timer::T322));
        self.deadlines.arm(&mut self.calls[slot].enquiry, Timer::T322, deadline, Owner::Call(slot));
    }

    pub(super) fn stop_enquiry(&mut self, slot: usize) {
        self.calls[slot].enquiries_sent = 0;
        self.deadlines.disarm(&mut self.calls[slot].enquiry);
    }

    /// T322 in any state. First: STATUS ENQUIRY once more. Second: the call is cleared (Q.2931 §5.6.11).
    pub(super) fn enquiry_unanswered(&mut self, now: Time, slot: usize) {
        if self.calls[slot].enquiries_sent < 2 {
            return self.send_enquiry(now, slot);
        }
        self.stop_enquiry(slot);
        let cause = self.expiry_cause(Timer::T322);
        self.clear(now, slot, cause, Because::Expiry(Timer::T322));
    }

    /// STATUS ENQUIRY in U0, N0: there is no such call (Q.2931 §5.6.3.2 g).
    pub(super) fn null_status_enquiry(&mut self, message: Message) {
        let cause = self.cause(CauseValue::RESPONSE_TO_STATUS_ENQUIRY);
        let party = compose::party_of(&message).map(|(party, towards_root)| (party, !towards_root, 0));
        self.counters.status_answers_sent += 1;
        self.send(compose::status(message.call_ref.reply(), &cause, 0, party));
    }

    /// STATUS in U0, N0: the peer thinks that there is a call, so it is told that there is none (Q.2931 §5.6.12).
    pub(super) fn null_status(&mut self, message: Message) {
        match compose::call_state_of(&message) {
            Some(0) | None => self.counters.dropped_ignored += 1,
            Some(_) => {
                let (value, about) = (CauseValue::MESSAGE_NOT_COMPATIBLE, Some(MessageType::Status));
                self.reply_unknown_reference(message.call_ref, value, about);
            }
        }
    }

    /// STATUS ENQUIRY in any state: STATUS with cause 30 (Q.2931 §5.6.11; about a party, Q.2971 §9.5.11).
    pub(super) fn handle_status_enquiry(&mut self, now: Time, slot: usize, message: Message) {
        if !self.accepts(now, slot, &message) {
            return;
        }
        let party = compose::party_of(&message).map(|(party, _)| party);
        let cause = self.cause(CauseValue::RESPONSE_TO_STATUS_ENQUIRY);
        self.counters.status_answers_sent += 1;
        self.status(slot, cause, party);
    }

    /// STATUS in any state but U0, N0.
    ///
    /// Source: Q.2931 §5.6.12; what goes with what as in ngatm: a call that goes the other way does not.
    pub(super) fn handle_status(&mut self, now: Time, slot: usize, message: Message) {
        if !self.accepts(now, slot, &message) {
            return;
        }
        let because = Because::Message(MessageType::Status);
        let Some(theirs) = compose::call_state_of(&message) else {
            debug_assert!(false, "a STATUS that is accepted has a call state");
            return;
        };
        let party = compose::party_of(&message).map(|(party, _)| party);
        let party_state = compose::party_state_of(&message);
        let (causes, _) = compose::causes_of(message);
        if theirs == 0 {
            self.counters.status_mismatches += 1;
            let cause = self.status_cause();
            return self.cleared(slot, vec![cause], Vec::new(), because);
        }
        let state = self.calls[slot].state.kind();
        if matches!(state, CallState::ReleaseSent | CallState::ReleaseReceived) {
            return;
        }
        if causes.iter().any(|cause| cause.value == CauseValue::RESPONSE_TO_STATUS_ENQUIRY) {
            self.stop_enquiry(slot);
        }
        if !goes_with(state.number(self.config.side), theirs) {
            self.counters.status_mismatches += 1;
            let cause = self.status_cause();
            return self.clear(now, slot, cause, because);
        }
        if let Some(party) = party {
            return self.party_status(now, slot, party, party_state, &causes);
        }
        self.indicate(Indication::StatusReported { call: self.calls.id(slot), peer_state: theirs, causes });
    }

    fn status_cause(&self) -> Cause {
        self.cause(CauseValue::MESSAGE_NOT_COMPATIBLE).with(Diagnostics::MessageType(MessageType::Status))
    }

    /// A message of a type that is not implemented, or that its state does not expect. Its action indicator says what then, and
    /// without one STATUS is sent.
    ///
    /// Source: Q.2931 §5.6.4, §5.7.1.
    pub(super) fn misplaced(&mut self, now: Time, slot: usize, message: &Message, value: CauseValue) {
        let cause = self.cause(value).with(Diagnostics::MessageType(message.kind));
        match message.instruction.action() {
            Some(MessageAction::Discard) => self.counters.dropped_by_indicator += 1,
            Some(MessageAction::ClearCall) => self.clear(now, slot, cause, Because::Message(message.kind)),
            Some(MessageAction::DiscardAndReport) | None => {
                let party = compose::party_of(message).map(|(party, _)| party);
                self.send_status(slot, cause, party);
            }
        }
    }

    /// STATUS about something wrong.
    pub(super) fn send_status(&mut self, slot: usize, cause: Cause, party: Option<PartyId>) {
        self.counters.status_sent += 1;
        self.status(slot, cause, party);
    }

    fn status(&mut self, slot: usize, cause: Cause, party: Option<PartyId>) {
        let towards_root = self.party_flag(slot);
        let call = &self.calls[slot];
        let state = call.state.kind().number(self.config.side);
        let party = party.filter(|_| call.parties.is_some()).map(|party| {
            let state = call.parties.as_ref().map_or(0, |parties| parties.state(party.0).number());
            (party, towards_root, state)
        });
        self.send(compose::status(call.reference(), &cause, state, party));
    }

    /// The flag of endpoint references in our messages: set towards who gave them out.
    pub(super) fn party_flag(&self, slot: usize) -> bool {
        !self.calls[slot].ours
    }

    /// SAAL-ESTABLISH for one call: what may have been lost is asked for, or sent again.
    ///
    /// A SETUP without an answer may be what was lost. The peer would then answer an enquiry with the null state, and end a call that T303 is
    /// about to repeat: such a call is only kept, as the clause has it for all that do not stand yet, and one that was being asked about is
    /// no more. In the later states the peer has told that it knows the call, so it may be asked, as the clause permits.
    ///
    /// Source: Q.2931 §5.6.9, §5.6.11. That a RELEASE is repeated is ours: it may have been lost with the SAAL.
    pub(super) fn resynchronise(&mut self, now: Time, slot: usize) {
        match &self.calls[slot].state {
            State::Null | State::ReleaseReceived { .. } => {}
            State::SetupSent { .. } => self.stop_enquiry(slot),
            State::ReleaseSent { causes, .. } => {
                let causes = causes.clone();
                self.repeat_release(slot, &causes);
            }
            _ => {
                self.stop_enquiry(slot);
                self.enquire(now, slot);
                self.enquire_parties(slot);
            }
        }
    }
}

/// Whether the two sides' states may be so at one time: a call from user to network is not one from network to user. Messages under
/// way explain all the rest, since both sides' states have the same numbers.
fn goes_with(ours: u8, theirs: u8) -> bool {
    let to_network = |state| matches!(state, 1 | 3 | 4);
    let to_user = |state| matches!(state, 6..=9);
    !(to_network(ours) && to_user(theirs) || to_user(ours) && to_network(theirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_go_together_unless_the_call_goes_the_other_way() {
        for (ours, theirs, together) in [
            (1, 1, true),
            (1, 6, false),
            (9, 3, false),
            (3, 10, true),
            (10, 1, true),
            (8, 10, true),
            (10, 12, true),
        ] {
            assert_eq!(goes_with(ours, theirs), together, "{ours} {theirs}");
            assert_eq!(goes_with(theirs, ours), together, "{theirs} {ours}");
        }
    }
}
