//! Calls that this end made: what the peer answers to SETUP (Q.2931 §5.1 at the user side, §5.2 at the network side).

use condis::runtime::Time;

use super::compose;
use super::control::{CallControl, connection_key};
use super::record::State;
use super::{Answer, Because, Indication, PartyState, Timer};
use crate::VpVc;
use crate::q2931::wire::{CauseValue, Message, MessageType, Side};

impl CallControl {
    /// CALL PROCEEDING in U1, N6: the call is complete, and being set up.
    pub(super) fn setup_sent_call_proceeding(&mut self, now: Time, slot: usize, message: Message) {
        if !self.accepts(now, slot, &message) || !self.takes_connection(now, slot, &message) {
            return;
        }
        self.enter(slot, State::ProceedingReceived, Because::Message(message.kind));
        self.arm(now, slot, Timer::T310);
        let answer = Box::new(Answer::from_message(message));
        self.indicate(Indication::Proceeding { call: self.calls.id(slot), answer });
    }

    /// ALERTING in U1, U3, N6, N9: the called user is alerted. Of a point-to-multipoint call T397 runs instead of T301.
    pub(super) fn outgoing_alerting(&mut self, now: Time, slot: usize, message: Message) {
        if !self.accepts(now, slot, &message) || !self.takes_connection(now, slot, &message) {
            return;
        }
        self.enter(slot, State::AlertingReceived, Because::Message(message.kind));
        if self.calls[slot].parties.is_some() {
            self.first_party_enters(slot, PartyState::AlertingReceived);
            self.arm_first_party(now, slot, Timer::T397);
        } else {
            self.arm(now, slot, Timer::T301);
        }
        let answer = Box::new(Answer::from_message(message));
        self.indicate(Indication::Alerting { call: self.calls.id(slot), answer });
    }

    /// CONNECT in U1, U3, U4, N6, N7, N9: the call stands. It is acknowledged here and now; the network side goes through N8.
    pub(super) fn outgoing_connect(&mut self, now: Time, slot: usize, message: Message) {
        if !self.accepts(now, slot, &message) || !self.takes_connection(now, slot, &message) {
            return;
        }
        let because = Because::Message(message.kind);
        if self.config.side == Side::Network {
            self.enter(slot, State::ConnectReceived, because);
        }
        self.first_party_enters(slot, PartyState::Active);
        self.counters.calls_connected += 1;
        let reference = self.calls[slot].reference();
        self.send(compose::bare(MessageType::ConnectAcknowledge, reference));
        self.enter(slot, State::ACTIVE, because);
        let answer = Box::new(Answer::from_message(message));
        self.indicate(Indication::Connected { call: self.calls.id(slot), answer });
    }

    /// T301, T303, T310, T313, T308, T360, T361: the timer of the call's state expired.
    pub(super) fn call_timer_expired(&mut self, now: Time, slot: usize, timer: Timer) {
        match timer {
            Timer::T303 => self.setup_sent_t303(now, slot),
            Timer::T308 => self.release_sent_t308(now, slot),
            Timer::T301 => {
                let cause = self.cause(CauseValue::NO_ANSWER);
                self.clear(now, slot, cause, Because::Expiry(timer));
            }
            Timer::T310 => {
                let cause = self.cause(CauseValue::NO_USER_RESPONDING);
                self.clear(now, slot, cause, Because::Expiry(timer));
            }
            _ => {
                let cause = self.expiry_cause(timer);
                self.clear(now, slot, cause, Because::Expiry(timer));
            }
        }
    }

    /// T303 in U1, N6. First: SETUP once more. Second: the call is given up here.
    ///
    /// The standard then sends nothing. We send RELEASE COMPLETE: a peer whose answers were lost with the SAAL would keep a call that
    /// nobody has, and one that has no such call ignores it (§5.6.3.2 c).
    fn setup_sent_t303(&mut self, now: Time, slot: usize) {
        let State::SetupSent { setup, sent: 1 } = &self.calls[slot].state else {
            let causes = vec![self.cause(CauseValue::NO_USER_RESPONDING)];
            let told = [self.expiry_cause(Timer::T303)];
            let reference = self.calls[slot].reference();
            self.send(compose::clearing(MessageType::ReleaseComplete, reference, &told, &[]));
            return self.cleared(slot, causes, Vec::new(), Because::Expiry(Timer::T303));
        };
        let setup = setup.clone();
        self.counters.setups_repeated += 1;
        self.transmit(setup.clone());
        self.enter(slot, State::SetupSent { setup, sent: 2 }, Because::Expiry(Timer::T303));
        self.arm(now, slot, Timer::T303);
    }

    /// The connection that an answer to SETUP brings. The user side needs one with the first answer, and takes it if it may;
    /// the network side has given it. `false`: the call is being cleared.
    ///
    /// Source: Q.2931 §5.1.2.3, §5.6.7.1; UNI 3.1 §5.5.1.2.
    fn takes_connection(&mut self, now: Time, slot: usize, message: &Message) -> bool {
        let Some(connection) = message.connection_id() else { return true };
        let Some(connection) = connection.vpvc() else {
            // A path, or any channel of one: none of these is what a user can take.
            let cause = self.cause(CauseValue::VPCI_VCI_ASSIGNMENT_FAILURE);
            self.clear(now, slot, cause, Because::Message(message.kind));
            return false;
        };
        match (self.config.side, self.calls[slot].connection) {
            (Side::User, None) if self.may_take(connection) => {
                self.take_connection(slot, connection);
                true
            }
            (_, Some(has)) if has == connection => true,
            // Both sides agreed on one before: the peer repeats another.
            _ => {
                let cause = self.cause(CauseValue::VPCI_VCI_NOT_AVAILABLE);
                self.clear(now, slot, cause, Because::Message(message.kind));
                false
            }
        }
    }

    pub(super) fn may_take(&self, connection: VpVc) -> bool {
        self.in_range(connection) && self.connections.get(connection_key(connection)).is_none()
    }
}
