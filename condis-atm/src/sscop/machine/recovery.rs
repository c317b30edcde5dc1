//! States 7 to 9: error recovery, ours and the peer's (sheets 23 to 33).

use condis::runtime::Time;

use super::Sscop;
use crate::sscop::wire::Source;
use crate::sscop::{MaaError, Output, Sn, State};

impl Sscop {
    /// An error in the peer's numbers: ER goes out (connector D, sheet 40).
    pub(super) fn begin_recovery(&mut self, now: Time, error: MaaError) {
        self.report(error, 0);
        self.counters.recoveries_begun += 1;
        self.new_attempt();
        self.transmit_er();
        self.transmitter.prepare_retrieval();
        self.await_answer(now, State::OutgoingRecoveryPending);
    }

    /// AA-DATA.request while our ER waits (sheet 23). With cleared buffers the SDU would be forgotten with the others.
    pub(super) fn outgoing_recovery_data(&mut self, sdu: Vec<u8>) {
        if self.transmitter.clear_buffers {
            self.counters.sdus_dropped_in_recovery += 1;
        } else {
            self.transmitter.push(sdu);
        }
    }

    /// ERAK answers our ER (sheet 23).
    pub(super) fn outgoing_recovery_erak(&mut self, n_mr: Sn) {
        self.transmitter.ms = n_mr;
        self.ask_for_recovery(State::RecoveryResponsePending);
    }

    /// ER crossed our ER (sheet 25): each answers the other's.
    pub(super) fn outgoing_recovery_er(&mut self, n_sq: u8, n_mr: Sn) {
        if self.is_repetition(n_sq) {
            return self.report(MaaError::UnexpectedEr, 0);
        }
        self.transmitter.ms = n_mr;
        self.receiver.initialize_mr();
        self.transmit_erak();
        self.ask_for_recovery(State::RecoveryResponsePending);
    }

    /// No answer to our ER (sheet 24).
    pub(super) fn outgoing_recovery_cc(&mut self, now: Time) {
        if self.may_try_again(now) {
            self.transmit_er();
        } else {
            self.transmit_end(Source::Sscop);
            self.give_up();
        }
    }

    /// "Deliver data" (sheet 49), then AA-RECOVER.indication.
    pub(super) fn ask_for_recovery(&mut self, state: State) {
        if !self.transmitter.clear_buffers {
            for (sn, sdu) in self.receiver.take_all() {
                self.counters.sd_delivered += 1;
                self.output(Output::DataIndication { sn, sdu });
            }
        }
        self.receiver.clear();
        self.enter(state);
        self.output(Output::RecoverIndication);
    }

    /// AA-RECOVER.response (sheet 28). What was never sent stays queued.
    pub(super) fn recovery_response_recover(&mut self, now: Time) {
        self.become_ready(now);
    }

    /// AA-RECOVER.response (sheet 30).
    pub(super) fn incoming_recovery_recover(&mut self, now: Time) {
        self.receiver.initialize_mr();
        self.transmit_erak();
        self.become_ready(now);
    }

    /// ER again: our ERAK was lost (sheet 29).
    pub(super) fn recovery_response_er(&mut self, n_sq: u8) {
        if self.is_repetition(n_sq) {
            self.transmit_erak();
        } else {
            self.report(MaaError::UnexpectedEr, 0);
        }
    }

    /// ER again before the user has answered (sheet 33).
    pub(super) fn incoming_recovery_er(&mut self, n_sq: u8) {
        if !self.is_repetition(n_sq) {
            self.report(MaaError::UnexpectedEr, 0);
        }
    }

    /// RS during a recovery (sheets 26, 28, 32): a repetition cannot be, since the connection stood since.
    pub(super) fn recovery_rs(&mut self, n_sq: u8, n_mr: Sn, uu: &[u8]) {
        if self.is_repetition(n_sq) {
            self.report(MaaError::UnexpectedRs, 0);
        } else {
            self.resynchronised_by_peer(n_mr, uu);
        }
    }

    /// AA-RESYNC.request during a recovery (sheets 25, 28, 30).
    pub(super) fn recovery_resync(&mut self, now: Time, uu: &[u8]) {
        self.saved.rs = uu.to_vec();
        self.transmitter.clear();
        self.receiver.clear();
        self.new_attempt();
        self.transmit_rs();
        self.await_answer(now, State::OutgoingResyncPending);
    }
}
