//! What an end of a call does about what it hears: the part of it that knows no NDIS.

use std::time::Duration;

use condis::role::Client as ClientRole;
use condis::runtime::{Time, TimerId};
use condis::vc::{HeldVc, OwnedVc};

use super::frame::{Heard, LabFrame, Tally};
use super::ledger::{ClosedBy, Ending};
use super::transfer::{InOrder, Transfer, WINDOW_FRAMES};
use crate::lab::{CallPlan, Check};

/// Where one end of a call stands. It lies under the call's lock, under which NDIS is never called.
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) vc: Option<HeldVc<ClientRole>>,
    pub(super) owner: Option<OwnedVc<ClientRole>>,
    /// The service that the call came in for.
    pub(super) service: String,
    /// NBLs that are not back. While there are some, a close waits.
    pub(super) sends_out: usize,
    pub(super) ending: Option<(Ending, ClosedBy)>,
    pub(super) transfer: Transfer,
    pub(super) heard: InOrder,
    /// When something last moved.
    pub(super) moved_at: Time,
    pub(super) timer: Option<TimerId>,
    pub(super) ticks: u64,
    /// At the called end: it is to be closed as soon as it is up.
    pub(super) unwanted: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Made or accepted, and not up.
    Dialing,
    /// The caller's data goes out and comes back.
    Sending,
    /// The called end was asked what it has heard.
    Asking,
    /// Done, and waiting for the other calls.
    Ready,
    /// Done, and kept up until then.
    Holding(Time),
    /// The called end was asked to close.
    HangingUp,
    /// Up, at the called end.
    Echoing,
    /// To be closed once all sends are back.
    Draining,
    /// The close is under way.
    Closing,
    Over,
}

/// What follows from something that happened, once the lock is released.
#[derive(Default)]
pub(super) struct Next {
    pub(super) frames: Vec<Vec<u8>>,
    pub(super) ready: bool,
    pub(super) close: Option<(Ending, ClosedBy)>,
}

impl State {
    /// The VC to close, if a close waits and every send is back.
    pub(super) fn begin_close(&mut self) -> Option<HeldVc<ClientRole>> {
        if self.phase != Phase::Draining || self.sends_out > 0 {
            return None;
        }
        self.phase = Phase::Closing;
        self.vc.clone()
    }

    /// As many new frames as the window lets out, and what comes after the last.
    pub(super) fn fill(&mut self, plan: Option<&CallPlan>) -> Next {
        let mut next = Next::default();
        let (Phase::Sending, Some(plan)) = (self.phase, plan) else { return next };
        let room = (WINDOW_FRAMES as usize).saturating_sub(self.sends_out);
        let mut frame = Vec::new();
        while next.frames.len() < room && self.transfer.next_frame(&mut frame) {
            next.frames.push(std::mem::take(&mut frame));
        }
        if self.transfer.is_done() {
            if plan.check == Check::Both {
                self.phase = Phase::Asking;
                next.frames.push(encoded(LabFrame::Ask));
            } else {
                self.phase = Phase::Ready;
                next.ready = true;
            }
        }
        next
    }

    /// A frame at the caller.
    pub(super) fn hear_echo(
        &mut self,
        plan: &CallPlan,
        frame: &[u8],
        next: &mut Next,
        report: &mut Option<Tally>,
    ) {
        match (LabFrame::parse(frame), self.phase) {
            (Heard::Lab(LabFrame::Data(number, data)), Phase::Sending) if plan.check != Check::None => {
                self.transfer.echo(number, data);
            }
            (Heard::Lab(LabFrame::Report(other)), Phase::Asking) => {
                *report = Some(other);
                let same = other == self.transfer.sent() && other == self.transfer.heard();
                if same {
                    self.phase = Phase::Ready;
                    next.ready = true;
                } else {
                    next.close = Some((Ending::Differs, ClosedBy::Here));
                }
            }
            _ => {}
        }
    }

    /// A frame at the called end.
    pub(super) fn echo(&mut self, frame: &[u8], next: &mut Next) {
        match LabFrame::parse(frame) {
            Heard::Lab(LabFrame::Data(number, data)) => {
                self.heard.take(number, data);
                next.frames.push(frame.to_vec());
            }
            Heard::Lab(LabFrame::Ask) => {
                next.frames.push(encoded(LabFrame::Report(self.heard.tally())));
            }
            Heard::Lab(LabFrame::HangUp) => next.close = Some((Ending::Done, ClosedBy::Here)),
            Heard::Lab(LabFrame::Report(_)) | Heard::Damaged => {}
            Heard::Foreign => next.frames.push(frame.to_vec()),
        }
    }

    /// What a caller does when nothing has moved for `quiet`, and when to ask again.
    pub(super) fn caller_tick(&mut self, plan: &CallPlan, quiet: Duration) -> (Next, Option<Duration>) {
        let mut next = Next::default();
        let given_up = quiet >= plan.timeout;
        match self.phase {
            Phase::Sending if given_up => {
                next.close = Some((Ending::Missing(self.transfer.missing_octets()), ClosedBy::Here));
            }
            Phase::Asking if given_up => next.close = Some((Ending::NoReport, ClosedBy::Here)),
            Phase::HangingUp if given_up => next.close = Some((Ending::NotHungUp, ClosedBy::Here)),
            _ if quiet < TICK => {}
            Phase::Sending if plan.check != Check::None => {
                for number in self.transfer.missing() {
                    let mut frame = Vec::new();
                    self.transfer.again(number, &mut frame);
                    next.frames.push(frame);
                }
            }
            Phase::Asking => next.frames.push(encoded(LabFrame::Ask)),
            Phase::HangingUp => next.frames.push(encoded(LabFrame::HangUp)),
            _ => {}
        }
        let again = matches!(self.phase, Phase::Sending | Phase::Asking | Phase::HangingUp);
        (next, again.then_some(TICK))
    }
}

impl Next {
    pub(super) fn absorb(&mut self, other: Next) {
        self.frames.extend(other.frames);
        self.ready |= other.ready;
        self.close = self.close.or(other.close);
    }
}

pub(super) fn encoded(frame: LabFrame<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    frame.encode(&mut octets);
    octets
}

/// Silence after which frames are sent again: far above any round trip of a lab.
pub(super) const TICK: Duration = Duration::from_millis(200);
