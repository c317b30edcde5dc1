//! Calls that the peer made: SETUP, and what follows our answers (Q.2931 §5.2 at the user side, §5.1 at the network side).

use condis::runtime::Time;

use super::compose;
use super::control::CallControl;
use super::record::{Call, Parties, State};
use super::verdict;
use super::{Because, CallParams, Indication, PartyState};
use crate::q2931::wire::{Cause, CauseValue, Message, MessageType, Side, Treatment};

impl CallControl {
    /// SETUP in U0, N0: the call is offered, or refused with RELEASE COMPLETE.
    ///
    /// Source: Q.2931 §5.1.1, §5.2.1, §5.6.7, §5.6.8; UNI 3.1 §5.5.2.1.
    pub(super) fn null_setup(&mut self, _now: Time, message: Message) {
        let treatment = message.check(verdict::receiver(&self.config)).treatment;
        if treatment != Treatment::Proceed {
            self.counters.faulty_messages += 1;
        }
        let report = match treatment {
            Treatment::Proceed => None,
            Treatment::ProceedAndReport(cause) => Some(cause),
            Treatment::Refuse(cause) | Treatment::ClearCall(cause) => return self.refuse(&message, cause),
            Treatment::Discard => {
                self.counters.dropped_by_indicator += 1;
                return;
            }
            Treatment::DiscardAndReport(cause) => {
                self.counters.status_sent += 1;
                let status = compose::status(message.call_ref.reply(), &cause, 0, None);
                return self.send(status);
            }
        };
        // What a user asks for the network does not look at.
        let given = message.connection_id().filter(|_| self.config.side == Side::User);
        let connection = given.and_then(|given| given.vpvc());
        if given.is_some() && connection.is_none() {
            let cause = self.cause(CauseValue::VPCI_VCI_ASSIGNMENT_FAILURE);
            return self.refuse(&message, cause);
        }
        if connection.is_some_and(|connection| !self.may_take(connection)) {
            let cause = self.cause(CauseValue::VPCI_VCI_NOT_AVAILABLE);
            return self.refuse(&message, cause);
        }
        if self.calls.len() >= self.config.limits.calls_max {
            let cause = self.cause(CauseValue::RESOURCES_UNAVAILABLE);
            return self.refuse(&message, cause);
        }
        let value = message.call_ref.value();
        let Some(mut params) = CallParams::from_message(message).map(Box::new) else {
            debug_assert!(false, "a SETUP that is proceeded with has its mandatory IEs");
            return;
        };
        let party = params.party.filter(|_| params.is_point_to_multipoint());
        let parties = party.map(|party| Parties::new(party.0, PartyState::AddReceived));
        let slot = self.calls.insert(Call::new(value, false, params.called.clone(), parties));
        self.theirs.insert(value, slot);
        if let Some(connection) = connection {
            self.take_connection(slot, connection);
        }
        self.counters.calls_offered += 1;
        self.enter(slot, State::SetupReceived, Because::Message(MessageType::Setup));
        if let Some(cause) = report {
            self.send_status(slot, cause, None);
        }
        params.connection = connection;
        self.indicate(Indication::Setup { call: self.calls.id(slot), params });
    }

    fn refuse(&mut self, setup: &Message, cause: Cause) {
        self.counters.calls_refused_here += 1;
        let reference = setup.call_ref.reply();
        self.send(compose::clearing(MessageType::ReleaseComplete, reference, &[cause], &[]));
    }

    /// CONNECT ACKNOWLEDGE in U8: the call stands. In N10: our CONNECT has arrived; a second one changes nothing.
    ///
    /// Source: Q.2931 §5.2.7, §5.1.7.
    pub(super) fn handle_connect_acknowledge(&mut self, now: Time, slot: usize, message: Message) {
        if !self.accepts(now, slot, &message) {
            return;
        }
        if matches!(self.calls[slot].state, State::ConnectSent) {
            self.first_party_enters(slot, PartyState::Active);
            self.counters.calls_connected += 1;
            self.enter(slot, State::ACTIVE, Because::Message(message.kind));
        } else if !std::mem::take(&mut self.calls[slot].unacknowledged) {
            self.counters.dropped_ignored += 1;
            return;
        }
        self.indicate(Indication::ConnectAcknowledged { call: self.calls.id(slot) });
    }
}
