//! What the comings and goings of the SAAL do to calls (Q.2931 §5.6.9, §5.6.10; UNI 3.1 §5.5.6.9).

use condis::runtime::Time;

use super::control::{CallControl, Owner};
use super::{Because, CallState, Output, Timer};
use crate::q2931::wire::CauseValue;

impl CallControl {
    /// AAL-ESTABLISH.confirm or .indication: the SAAL stands, or stands anew. Messages may have been lost, so the peer is asked about
    /// every call that it has answered or made.
    pub fn handle_saal_established(&mut self, now: Time) {
        let outage = !self.saal_up;
        self.saal_up = true;
        self.deadlines.disarm(&mut self.t309);
        for slot in self.all_slots() {
            if outage && self.calls[slot].state.kind().is_active() {
                self.counters.calls_kept_over_outage += 1;
            }
            self.resynchronise(now, slot);
        }
        self.resynchronise_restarts();
    }

    /// AAL-RELEASE: the SAAL is gone. Calls that do not stand yet, or are being released, end here and now; those that stand wait for
    /// it until T309 expires.
    pub fn handle_saal_released(&mut self, now: Time) {
        self.saal_up = false;
        let mut waiting = false;
        for slot in self.all_slots() {
            match self.calls[slot].state.kind() {
                CallState::Null => {}
                CallState::Active | CallState::ModifyRequested | CallState::ModifyReceived => {
                    waiting = true;
                    self.stop_enquiry(slot);
                    self.drop_unconnected_parties(slot);
                }
                _ => self.lost_with_saal(slot, Because::Saal),
            }
        }
        if !waiting {
            return;
        }
        if self.t309 == super::deadlines::Armed::NONE {
            let deadline = now.after(self.config.timers.duration(Timer::T309));
            self.deadlines.arm(&mut self.t309, Timer::T309, deadline, Owner::Interface);
        }
        self.output(Output::EstablishSaal);
    }

    /// True while the SAAL stands.
    pub fn saal_is_up(&self) -> bool {
        self.saal_up
    }

    pub(super) fn interface_timer_expired(&mut self, now: Time, timer: Timer) {
        match timer {
            Timer::T309 => self.saal_gone_t309(),
            Timer::T316 => self.restart_sent_t316(now),
            _ => self.restart_received_t317(),
        }
    }

    /// T309: the SAAL did not come back in time. All calls end here.
    fn saal_gone_t309(&mut self) {
        self.deadlines.disarm(&mut self.t309);
        for slot in self.all_slots() {
            if self.calls[slot].state.kind() != CallState::Null {
                self.lost_with_saal(slot, Because::Expiry(Timer::T309));
            }
        }
    }

    fn lost_with_saal(&mut self, slot: usize, because: Because) {
        self.counters.calls_lost_with_saal += 1;
        let causes = vec![self.cause(CauseValue::DESTINATION_OUT_OF_ORDER)];
        self.cleared(slot, causes, Vec::new(), because);
    }

    pub(super) fn all_slots(&self) -> Vec<usize> {
        self.calls.slots().collect()
    }
}
