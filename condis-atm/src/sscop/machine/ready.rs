//! State 10, Data transfer ready: connection control and timers (sheets 34 to 37).

use condis::runtime::Time;

use super::Sscop;
use crate::sscop::wire::{Pdu, Source};
use crate::sscop::{MaaError, Sn, State, Timer};

impl Sscop {
    /// BGN (sheet 35): a repetition means that our BGAK was lost; a new one, that the peer has begun anew.
    pub(super) fn ready_bgn(&mut self, now: Time, n_sq: u8, n_mr: Sn, uu: &[u8]) {
        if self.is_repetition(n_sq) {
            self.start(now, Timer::NoResponse);
            self.transmit_bgak();
        } else {
            self.begun_anew(n_mr, uu);
        }
    }

    /// RS (sheet 36): a repetition means that our RSAK was lost.
    pub(super) fn ready_rs(&mut self, now: Time, n_sq: u8, n_mr: Sn, uu: &[u8]) {
        if self.is_repetition(n_sq) {
            self.start(now, Timer::NoResponse);
            self.transmit_rsak();
        } else {
            self.resynchronised_by_peer(n_mr, uu);
        }
    }

    /// ER (sheet 35): a repetition means that our ERAK was lost.
    pub(super) fn ready_er(&mut self, now: Time, n_sq: u8, n_mr: Sn) {
        if self.is_repetition(n_sq) {
            self.start(now, Timer::NoResponse);
            self.transmit_erak();
            return;
        }
        self.transmitter.ms = n_mr;
        self.transmitter.prepare_retrieval();
        self.ask_for_recovery(State::IncomingRecoveryPending);
    }

    /// AA-RESYNC.request (sheet 34).
    pub(super) fn ready_resync(&mut self, now: Time, uu: &[u8]) {
        self.saved.rs = uu.to_vec();
        self.new_attempt();
        self.transmit_rs();
        self.transmitter.release_buffers();
        self.receiver.clear();
        self.await_answer(now, State::OutgoingResyncPending);
    }

    /// Timer_POLL or Timer_KEEP-ALIVE expired (sheet 37).
    pub(super) fn ready_poll_or_keep_alive(&mut self, now: Time) {
        self.transmit_poll();
        // "Set POLL timer" (sheet 50): on to the transient phase once all is acknowledged.
        let nothing_waits = self.transmitter.len() == 0;
        self.start(now, if nothing_waits { Timer::KeepAlive } else { Timer::Poll });
    }

    /// Timer_IDLE expired (sheet 37): the peer has to show that it is there.
    pub(super) fn ready_idle(&mut self, now: Time) {
        self.start(now, Timer::NoResponse);
        self.ready_poll_or_keep_alive(now);
    }

    /// Timer_NO-RESPONSE expired (sheet 37).
    pub(super) fn ready_no_response(&mut self) {
        self.report(MaaError::NoResponse, 0);
        self.transmit_end(Source::Sscop);
        self.give_up();
    }

    /// A poll, with the next number.
    pub(super) fn transmit_poll(&mut self) {
        self.transmitter.ps = self.transmitter.ps.next();
        self.transmitter.pd = 0;
        self.transmit(&Pdu::Poll { n_ps: self.transmitter.ps, n_s: self.transmitter.s() });
    }
}
