//! RESTART both ways: the processes Reset-Start and Reset-Respond of the global call reference (Q.2931 §5.5).

use condis::runtime::Time;

use super::compose;
use super::control::{CallControl, Owner, connection_key};
use super::deadlines::Armed;
use super::record::UserPart;
use super::{Because, Indication, RequestError, RestartClass, Timer};
use crate::q2931::wire::{CallRef, Cause, CauseValue, Diagnostics, Message, MessageType};

/// Global call states (Q.2931 §2.4).
const REST0: u8 = 0;
const REST1: u8 = 61;
const REST2: u8 = 62;

/// The RESTARTs that are under way, one each way.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    ours: Option<Started>,
    peers: Option<Received>,
}

/// RESTART is sent (Rest 1).
#[derive(Debug)]
struct Started {
    what: RestartClass,
    sent: u8,
    timer: Armed,
    acknowledged: bool,
    /// Calls that their users have not answered for.
    waiting: usize,
}

/// RESTART came (Rest 2).
#[derive(Debug)]
struct Received {
    what: RestartClass,
    timer: Armed,
    waiting: usize,
}

impl Restarts {
    pub(super) fn waits_no_more(&mut self, ours: bool, peers: bool) {
        if let Some(started) = self.ours.as_mut().filter(|_| ours) {
            started.waiting -= 1;
        }
        if let Some(received) = self.peers.as_mut().filter(|_| peers) {
            received.waiting -= 1;
        }
    }
}

impl CallControl {
    /// Returns one VC, one path or all to idle: RESTART goes out, and the calls on it end with `Released`. `Restarted` tells when the peer has
    /// acknowledged and all have been answered for, `RestartFailed` that the peer does not answer.
    ///
    /// # Errors
    /// `SignalingDown`, `RestartUnderWay`.
    ///
    /// Source: Q.2931 §5.5.1.
    pub fn restart(&mut self, now: Time, what: RestartClass) -> Result<(), RequestError> {
        self.require_saal()?;
        if self.restarts.ours.is_some() {
            return Err(RequestError::RestartUnderWay);
        }
        self.send(compose::restart(MessageType::Restart, CallRef::GLOBAL, what));
        let mut timer = Armed::NONE;
        let deadline = now.after(self.config.timers.duration(Timer::T316));
        self.deadlines.arm(&mut timer, Timer::T316, deadline, Owner::Interface);
        self.restarts.ours = Some(Started { what, sent: 1, timer, acknowledged: false, waiting: 0 });
        let waiting = self.end_calls(what, true);
        if let Some(started) = &mut self.restarts.ours {
            started.waiting = waiting;
        }
        Ok(())
    }

    /// A message with the global call reference (Q.2931 §5.6.3.2 e, h): with flag 0 it is about the peer's RESTART, with flag 1
    /// about ours.
    pub(super) fn handle_global(&mut self, now: Time, message: Message) {
        match (message.kind, message.call_ref.is_to_originator()) {
            (MessageType::Restart, false) => self.global_restart(now, message),
            (MessageType::RestartAcknowledge, true) => self.global_restart_acknowledge(message),
            // Any state is let stand: there is nothing that could be done about it.
            (MessageType::Status, _) => self.counters.dropped_ignored += 1,
            _ => {
                let cause = self.cause(CauseValue::INVALID_CALL_REFERENCE);
                self.send_global_status(message.call_ref, cause);
            }
        }
    }

    /// RESTART in Rest 0: its calls end, and once all have been answered for it is acknowledged. In Rest 2: STATUS 101, but for
    /// the one that is being done already, which the peer repeats (T316).
    ///
    /// Source: Q.2931 §5.5.2.
    fn global_restart(&mut self, now: Time, message: Message) {
        let what = match compose::restart_class_of(&message) {
            Ok(what) => what,
            Err(cause) => {
                self.counters.faulty_messages += 1;
                let cause = Cause { location: self.cause(cause.value).location, ..cause };
                return self.send_global_status(message.call_ref, cause);
            }
        };
        if let Some(received) = &self.restarts.peers {
            if received.what == what {
                self.counters.dropped_ignored += 1;
            } else {
                let cause = self
                    .cause(CauseValue::MESSAGE_NOT_COMPATIBLE)
                    .with(Diagnostics::MessageType(MessageType::Restart));
                self.send_global_status(message.call_ref, cause);
            }
            return;
        }
        let mut timer = Armed::NONE;
        let deadline = now.after(self.config.timers.duration(Timer::T317));
        self.deadlines.arm(&mut timer, Timer::T317, deadline, Owner::Interface);
        self.restarts.peers = Some(Received { what, timer, waiting: 0 });
        let waiting = self.end_calls(what, false);
        if let Some(received) = &mut self.restarts.peers {
            received.waiting = waiting;
        }
        self.restart_answered();
    }

    /// RESTART ACKNOWLEDGE in Rest 1 (Q.2931 §5.5.1.2).
    fn global_restart_acknowledge(&mut self, message: Message) {
        let what = compose::restart_class_of(&message);
        match &mut self.restarts.ours {
            Some(started) if what == Ok(started.what) => {
                started.acknowledged = true;
                self.deadlines.disarm(&mut started.timer);
            }
            Some(_) => {
                self.counters.dropped_restart_acknowledge += 1;
                return;
            }
            None => {
                let cause = self
                    .cause(CauseValue::MESSAGE_NOT_COMPATIBLE)
                    .with(Diagnostics::MessageType(MessageType::RestartAcknowledge));
                return self.send_global_status(message.call_ref, cause);
            }
        }
        self.restart_answered();
    }

    /// Ends all calls that a RESTART covers; how many its users have to answer for.
    fn end_calls(&mut self, what: RestartClass, ours: bool) -> usize {
        let slots = match what {
            RestartClass::Channel(connection) => {
                self.connections.get(connection_key(connection)).into_iter().collect()
            }
            RestartClass::Path(_) | RestartClass::All => self.all_slots(),
        };
        let mut waiting = 0;
        for slot in slots {
            let call = &self.calls[slot];
            let covered = match call.connection {
                Some(connection) => what.covers(connection),
                None => what == RestartClass::All,
            };
            if !covered {
                continue;
            }
            let awaited = matches!(call.user, UserPart::Holds | UserPart::OwesResponse);
            if awaited {
                waiting += 1;
                let restart = &mut self.calls[slot].restart;
                *(if ours { &mut restart.ours } else { &mut restart.peers }) = true;
            }
            if self.calls[slot].state.kind() != super::CallState::Null {
                self.counters.calls_restarted += 1;
                let causes = vec![self.cause(CauseValue::TEMPORARY_FAILURE)];
                self.cleared(slot, causes, Vec::new(), Because::Restart);
            }
        }
        waiting
    }

    /// A call was answered for, or a RESTART acknowledged: perhaps one is done now.
    pub(super) fn restart_answered(&mut self) {
        if let Some(Received { waiting: 0, what, .. }) = self.restarts.peers {
            if let Some(mut received) = self.restarts.peers.take() {
                self.deadlines.disarm(&mut received.timer);
            }
            let reference = CallRef::GLOBAL.reply();
            self.send(compose::restart(MessageType::RestartAcknowledge, reference, what));
            self.indicate(Indication::Restarted { what, by_peer: true });
        }
        if let Some(Started { waiting: 0, acknowledged: true, what, .. }) = self.restarts.ours {
            self.restarts.ours = None;
            self.indicate(Indication::Restarted { what, by_peer: false });
        }
    }

    /// T316 in Rest 1. First: RESTART once more. Second: given up (Q.2931 §5.5.1.2).
    pub(super) fn restart_sent_t316(&mut self, now: Time) {
        let Some(started) = &mut self.restarts.ours else { return };
        let what = started.what;
        if started.sent < 2 {
            started.sent += 1;
            let deadline = now.after(self.config.timers.duration(Timer::T316));
            self.deadlines.arm(&mut started.timer, Timer::T316, deadline, Owner::Interface);
            return self.send(compose::restart(MessageType::Restart, CallRef::GLOBAL, what));
        }
        self.deadlines.disarm(&mut started.timer);
        self.restarts.ours = None;
        for slot in self.all_slots() {
            self.calls[slot].restart.ours = false;
        }
        self.indicate(Indication::RestartFailed { what, by_peer: false });
    }

    /// T317 in Rest 2: users did not answer for their calls in time, so nothing is acknowledged (Q.2931 §5.5.2.2).
    pub(super) fn restart_received_t317(&mut self) {
        let Some(mut received) = self.restarts.peers.take() else { return };
        self.deadlines.disarm(&mut received.timer);
        for slot in self.all_slots() {
            self.calls[slot].restart.peers = false;
        }
        self.indicate(Indication::RestartFailed { what: received.what, by_peer: true });
    }

    /// The SAAL stands anew: a RESTART of ours may have been lost.
    pub(super) fn resynchronise_restarts(&mut self) {
        if let Some(Started { acknowledged: false, what, .. }) = self.restarts.ours {
            self.send(compose::restart(MessageType::Restart, CallRef::GLOBAL, what));
        }
    }

    fn send_global_status(&mut self, reference: CallRef, cause: Cause) {
        let state = match reference.is_to_originator() {
            true if self.restarts.ours.is_some() => REST1,
            false if self.restarts.peers.is_some() => REST2,
            _ => REST0,
        };
        self.counters.status_sent += 1;
        self.send(compose::status(reference.reply(), &cause, state, None));
    }
}
