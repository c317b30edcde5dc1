//! States 1 to 4: no connection, one asked for by us, one asked for by the peer, one being released (sheets 5 to 16).

use condis::runtime::Time;

use super::Sscop;
use crate::sscop::wire::{Pdu, Source};
use crate::sscop::{Output, Sn, State};

impl Sscop {
    /// AA-ESTABLISH.request (sheets 5 and 14).
    pub(super) fn establishing(&mut self, now: Time, uu: &[u8], clear_buffers: bool) {
        self.saved.bgn = uu.to_vec();
        self.saved.bgak.clear();
        self.transmitter.clear();
        self.transmitter.clear_buffers = clear_buffers;
        self.new_attempt();
        self.transmit_bgn();
        self.await_answer(now, State::OutgoingConnectionPending);
    }

    /// BGN in Idle (sheet 5): the user is asked; a repetition is of a connection that is over, and refused.
    pub(super) fn idle_bgn(&mut self, n_sq: u8, n_mr: Sn, uu: &[u8]) {
        if self.is_repetition(n_sq) && !self.params.idle_accepts_repeated_bgn {
            return self.transmit_bgrej();
        }
        self.saved.bgrej.clear();
        self.transmitter.ms = n_mr;
        self.enter(State::IncomingConnectionPending);
        self.output(Output::EstablishIndication { uu: uu.to_vec() });
    }

    /// END in Idle (sheet 5): our ENDAK was lost.
    pub(super) fn idle_end(&mut self) {
        self.transmit(&Pdu::Endak);
    }

    /// BGAK answers our BGN (sheet 8).
    pub(super) fn outgoing_connection_bgak(&mut self, now: Time, n_mr: Sn, uu: &[u8]) {
        self.transmitter.ms = n_mr;
        self.become_ready(now);
        self.output(Output::EstablishConfirm { uu: uu.to_vec() });
    }

    /// BGREJ refuses our BGN (sheet 8).
    pub(super) fn outgoing_connection_bgrej(&mut self, uu: &[u8]) {
        self.enter(State::Idle);
        self.output(Output::ReleaseIndication { source: Source::User, uu: uu.to_vec() });
    }

    /// Both asked at once (sheet 10): each answers the other's BGN, and both have what they asked for.
    pub(super) fn outgoing_connection_bgn(&mut self, now: Time, n_sq: u8, n_mr: Sn, uu: &[u8]) {
        if self.is_repetition(n_sq) {
            return;
        }
        self.transmitter.ms = n_mr;
        self.receiver.initialize_mr();
        self.transmit_bgak();
        self.become_ready(now);
        self.output(Output::EstablishConfirm { uu: uu.to_vec() });
    }

    /// No answer to our BGN (sheet 9).
    pub(super) fn outgoing_connection_cc(&mut self, now: Time) {
        if self.may_try_again(now) {
            self.transmit_bgn();
        } else {
            self.transmit_end(Source::Sscop);
            self.give_up();
        }
    }

    /// AA-ESTABLISH.response (sheet 11).
    pub(super) fn incoming_connection_response(&mut self, now: Time, uu: &[u8], clear_buffers: bool) {
        self.saved.bgak = uu.to_vec();
        self.transmitter.clear();
        self.transmitter.clear_buffers = clear_buffers;
        self.receiver.initialize_mr();
        self.transmit_bgak();
        self.become_ready(now);
    }

    /// AA-RELEASE.request refuses the peer's connection (sheet 11).
    pub(super) fn incoming_connection_release(&mut self, uu: &[u8]) {
        self.saved.bgrej = uu.to_vec();
        self.transmit_bgrej();
        self.enter(State::Idle);
    }

    /// Another BGN before the user has answered (sheet 11).
    pub(super) fn incoming_connection_bgn(&mut self, n_sq: u8, n_mr: Sn, uu: &[u8]) {
        if !self.is_repetition(n_sq) {
            self.begun_anew(n_mr, uu);
        }
    }

    /// END crossed our END (sheet 15).
    pub(super) fn outgoing_disconnection_end(&mut self, uu: &[u8]) {
        self.transmit(&Pdu::Endak);
        self.outgoing_disconnection_over(uu);
    }

    /// ENDAK answers our END, or BGREJ says that there is nothing to end (sheet 15).
    pub(super) fn outgoing_disconnection_over(&mut self, uu: &[u8]) {
        self.enter(State::Idle);
        self.output(Output::ReleaseConfirm { uu: uu.to_vec() });
    }

    /// BGN while our END waits for an answer (sheet 16): a repetition means that our BGAK was lost, so that the peer does not
    /// know yet what we end; a new one, that the peer is past that connection already.
    pub(super) fn outgoing_disconnection_bgn(&mut self, n_sq: u8, n_mr: Sn, uu: &[u8]) {
        if self.is_repetition(n_sq) {
            self.saved.bgak.clear();
            self.transmit_bgak();
            self.transmit_end(Source::User);
            return;
        }
        self.transmitter.ms = n_mr;
        self.enter(State::IncomingConnectionPending);
        self.output(Output::ReleaseConfirm { uu: Vec::new() });
        self.output(Output::EstablishIndication { uu: uu.to_vec() });
    }

    /// No answer to our END (sheet 15): released all the same, in the end.
    pub(super) fn outgoing_disconnection_cc(&mut self, now: Time) {
        if self.may_try_again(now) {
            self.transmit_end(Source::User);
        } else {
            self.outgoing_disconnection_over(&[]);
        }
    }
}
