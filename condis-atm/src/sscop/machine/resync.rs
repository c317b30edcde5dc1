//! States 5 and 6: resynchronisation, ours and the peer's (sheets 17 to 22).

use condis::runtime::Time;

use super::Sscop;
use crate::sscop::wire::Source;
use crate::sscop::{MaaError, Output, Sn, State};

impl Sscop {
    /// BGN while our RS waits for an answer (sheet 17): a repetition means that the peer has not seen our BGAK.
    pub(super) fn outgoing_resync_bgn(&mut self, n_sq: u8, n_mr: Sn, uu: &[u8]) {
        if self.is_repetition(n_sq) {
            self.transmit_bgak();
            self.transmit_rs();
        } else {
            self.begun_anew(n_mr, uu);
        }
    }

    /// RS crossed our RS (sheet 19): each answers the other's.
    pub(super) fn outgoing_resync_rs(&mut self, now: Time, n_sq: u8, n_mr: Sn, uu: &[u8]) {
        if self.is_repetition(n_sq) {
            return;
        }
        self.transmitter.ms = n_mr;
        self.receiver.initialize_mr();
        self.transmit_rsak();
        self.resynchronised(now, uu);
    }

    /// RSAK answers our RS (sheet 19).
    pub(super) fn outgoing_resync_rsak(&mut self, now: Time, n_mr: Sn) {
        self.transmitter.ms = n_mr;
        self.resynchronised(now, &[]);
    }

    fn resynchronised(&mut self, now: Time, uu: &[u8]) {
        self.become_ready(now);
        self.output(Output::ResyncConfirm { uu: uu.to_vec() });
    }

    /// No answer to our RS (sheet 18).
    pub(super) fn outgoing_resync_cc(&mut self, now: Time) {
        if self.may_try_again(now) {
            self.transmit_rs();
        } else {
            self.transmit_end(Source::Sscop);
            self.give_up();
        }
    }

    /// AA-RESYNC.response (sheet 20).
    pub(super) fn incoming_resync_response(&mut self, now: Time) {
        self.receiver.initialize_mr();
        self.transmit_rsak();
        self.transmitter.clear();
        self.become_ready(now);
    }

    /// RS again before the user has answered (sheet 22).
    pub(super) fn incoming_resync_rs(&mut self, n_sq: u8) {
        if !self.is_repetition(n_sq) {
            self.report(MaaError::UnexpectedRs, 0);
        }
    }

    /// BGN in states 6 to 9 (sheets 21, 25, 29, 33): a repetition cannot be, since the peer was connected.
    pub(super) fn resync_or_recovery_bgn(&mut self, n_sq: u8, n_mr: Sn, uu: &[u8]) {
        if self.is_repetition(n_sq) {
            self.report(MaaError::UnexpectedBgn, 0);
        } else {
            self.begun_anew(n_mr, uu);
        }
    }

    /// A new RS: what is on its way is dropped, and the user asked (sheets 26, 28, 32, 36).
    pub(super) fn resynchronised_by_peer(&mut self, n_mr: Sn, uu: &[u8]) {
        self.forget();
        self.transmitter.ms = n_mr;
        self.enter(State::IncomingResyncPending);
        self.output(Output::ResyncIndication { uu: uu.to_vec() });
    }
}
