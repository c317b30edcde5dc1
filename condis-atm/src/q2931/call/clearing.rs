//! The end of a call: RELEASE and RELEASE COMPLETE both ways, T308, and clearing because of an error (Q.2931 §5.4).

use condis::runtime::Time;

use super::compose;
use super::control::CallControl;
use super::record::{State, UserPart};
use super::{Because, Indication, Timer, verdict};
use crate::q2931::wire::{Cause, CauseValue, Ie, Message, MessageType};

impl CallControl {
    /// RELEASE in any state but U0, U11, U12, N0, N11, N12: the user hears of it, and answers.
    ///
    /// Source: Q.2931 §5.4.3, §5.4.4. What is wrong with it goes into the RELEASE COMPLETE (§5.6.7.1, §5.6.8.1).
    pub(super) fn any_release(&mut self, slot: usize, message: Message) {
        let because = Because::Message(message.kind);
        let report = verdict::of(&message, &self.config, &self.calls[slot]).cause().cloned();
        if report.is_some() {
            self.counters.faulty_messages += 1;
        }
        let (causes, other) = self.causes_of(message);
        self.end_parties(slot);
        self.stop_enquiry(slot);
        self.enter(slot, State::ReleaseReceived { report }, because);
        self.tell_released(slot, causes, other);
    }

    /// RELEASE in U11, N12: both sides clear at once, and that is an answer (Q.2931 §5.4.5).
    pub(super) fn release_sent_release(&mut self, slot: usize, message: Message) {
        let because = Because::Message(message.kind);
        let (causes, other) = self.causes_of(message);
        self.cleared(slot, causes, other, because);
    }

    /// RELEASE COMPLETE in any state but U0, N0: there is no such call at the peer (any more).
    ///
    /// Source: Q.2931 §5.4.2, §5.4.3.
    pub(super) fn any_release_complete(&mut self, slot: usize, message: Message) {
        let because = Because::Message(message.kind);
        let (causes, other) = self.causes_of(message);
        self.cleared(slot, causes, other, because);
    }

    /// T308 in U11, N12. First: RELEASE once more, with the cause of that. Second: the call is given up here.
    ///
    /// Source: Q.2931 §5.4.3.
    pub(super) fn release_sent_t308(&mut self, now: Time, slot: usize) {
        let expired = self.expiry_cause(Timer::T308);
        let State::ReleaseSent { causes, sent: 1 } = &self.calls[slot].state else {
            return self.cleared(slot, vec![expired], Vec::new(), Because::Expiry(Timer::T308));
        };
        let causes = causes.clone();
        self.repeat_release(slot, &causes);
        self.enter(slot, State::ReleaseSent { causes, sent: 2 }, Because::Expiry(Timer::T308));
        self.arm(now, slot, Timer::T308);
    }

    /// RELEASE once more; it has room for a second cause.
    pub(super) fn repeat_release(&mut self, slot: usize, causes: &[Cause]) {
        let both: Vec<Cause> =
            causes.iter().take(1).cloned().chain([self.expiry_cause(Timer::T308)]).collect();
        let reference = self.calls[slot].reference();
        self.counters.releases_repeated += 1;
        self.send(compose::clearing(MessageType::Release, reference, &both, &[]));
    }

    /// Clears a call because something is wrong: RELEASE goes out at once, and the user is told.
    ///
    /// Source: Q.2931 §5.4.3 and wherever it says "clear the call".
    pub(super) fn clear(&mut self, now: Time, slot: usize, cause: Cause, because: Because) {
        if matches!(self.calls[slot].state, State::ReleaseSent { .. } | State::ReleaseReceived { .. }) {
            return;
        }
        self.counters.calls_cleared_here += 1;
        let causes = vec![cause];
        self.send_release(now, slot, causes.clone(), &[], because);
        self.tell_released(slot, causes, Vec::new());
    }

    /// RELEASE, and the wait for an answer to it.
    pub(super) fn send_release(
        &mut self,
        now: Time,
        slot: usize,
        causes: Vec<Cause>,
        other: &[Ie],
        because: Because,
    ) {
        self.end_parties(slot);
        self.stop_enquiry(slot);
        self.send_clearing(slot, MessageType::Release, &causes, other);
        self.enter(slot, State::ReleaseSent { causes, sent: 1 }, because);
        self.arm(now, slot, Timer::T308);
    }

    /// RELEASE or RELEASE COMPLETE with what else a user says, or without it if it does not fit: the call ends in any case.
    pub(super) fn send_clearing(&mut self, slot: usize, kind: MessageType, causes: &[Cause], other: &[Ie]) {
        let reference = self.calls[slot].reference();
        match compose::encode(compose::clearing(kind, reference, causes, other)) {
            Ok(octets) => self.transmit(octets),
            Err(_) => self.send(compose::clearing(kind, reference, causes, &[])),
        }
    }

    /// The peer has no such call, or is no longer asked: it is over. Its reference is free, and the user is told what it has not been told.
    pub(super) fn cleared(&mut self, slot: usize, causes: Vec<Cause>, other: Vec<Ie>, because: Because) {
        self.end_parties(slot);
        self.stop_enquiry(slot);
        self.enter(slot, State::Null, because);
        self.free_reference(slot);
        match self.calls[slot].user {
            UserPart::Holds => self.tell_released(slot, causes, other),
            UserPart::OwesResponse => {}
            UserPart::AwaitsConfirm => {
                let call = self.calls.id(slot);
                self.user_is_done(slot);
                self.forget(slot);
                self.indicate(Indication::ReleaseConfirmed { call, causes });
                self.restart_answered();
            }
            UserPart::Done => self.forget(slot),
        }
    }

    /// The reference names nothing any more.
    pub(super) fn free_reference(&mut self, slot: usize) {
        let call = &self.calls[slot];
        let refs = if call.ours { &mut self.ours } else { &mut self.theirs };
        refs.remove(call.value);
    }

    fn tell_released(&mut self, slot: usize, causes: Vec<Cause>, other: Vec<Ie>) {
        match self.calls[slot].user {
            UserPart::Holds => {
                self.calls[slot].user = UserPart::OwesResponse;
                self.indicate(Indication::Released { call: self.calls.id(slot), causes, other });
            }
            UserPart::OwesResponse | UserPart::AwaitsConfirm | UserPart::Done => {
                debug_assert!(false, "a user is told once");
            }
        }
    }

    /// The causes of a RELEASE or RELEASE COMPLETE, and its other IEs. One that should have a cause and has none says "normal,
    /// unspecified" (Q.2931 §5.6.7.1).
    fn causes_of(&self, message: Message) -> (Vec<Cause>, Vec<Ie>) {
        let (mut causes, other) = compose::causes_of(message);
        if causes.is_empty() {
            causes.push(self.cause(CauseValue::NORMAL_UNSPECIFIED));
        }
        (causes, other)
    }
}
