//! What an end of a call does about what it hears: the part of it that knows no NDIS.

use std::time::Duration;

use condis::role::Client as ClientRole;
use condis::runtime::{Time, TimerId};
use condis::vc::{HeldVc, OwnedVc};

use super::frame::{Heard, LabFrame, Tally};
use super::ledger::{ClosedBy, Ending};
use super::multipoint::Parties;
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
    /// Of a point-to-multipoint call.
    pub(super) parties: Option<Parties>,
    /// At the called end of one: nothing goes back.
    pub(super) listens_only: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Made or accepted, and not up.
    Dialing,
    /// The caller's data goes out and comes back.
    Sending,
    /// The called end was asked what it has heard.
    Asking,
    /// All that the present leaves are to hear is sent; they have not heard it yet.
    Spreading,
    /// A leaf comes or goes.
    Changing,
    /// The rate is being changed.
    Rating,
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
    /// The leaves are to have heard all so far.
    pub(super) spread: bool,
    pub(super) change_pcr: Option<u32>,
    pub(super) close: Option<(Ending, ClosedBy)>,
}

impl State {
    /// The VC to close, if a close waits and every send is back.
    pub(super) fn begin_close(&mut self) -> Option<HeldVc<ClientRole>> {
        if self.phase != Phase::Draining
            || self.sends_out > 0
            || self.parties.as_ref().is_some_and(Parties::is_many)
        {
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
        if self.parties.is_some() {
            if self.transfer.is_at_limit() && next.frames.is_empty() && self.sends_out == 0 {
                self.phase = Phase::Spreading;
                next.spread = true;
            }
            return next;
        }
        if self.transfer.is_done() {
            if plan.check == Check::Both {
                self.phase = Phase::Asking;
                next.frames.push(encoded(LabFrame::Ask));
            } else {
                self.compared(plan, &mut next);
            }
        }
        next
    }

    /// All data has passed, and was compared.
    fn compared(&mut self, plan: &CallPlan, next: &mut Next) {
        match plan.change_pcr() {
            Some(pcr) => {
                self.phase = Phase::Rating;
                next.change_pcr = Some(pcr);
            }
            None => {
                self.phase = Phase::Ready;
                next.ready = true;
            }
        }
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
                    self.compared(plan, next);
                } else {
                    next.close = Some((Ending::Differs, ClosedBy::Here));
                }
            }
            _ => {}
        }
    }

    /// A frame at the called end.
    pub(super) fn echo(&mut self, frame: &[u8], next: &mut Next) {
        if self.listens_only {
            if let Heard::Lab(LabFrame::Data(number, data)) = LabFrame::parse(frame) {
                self.heard.begin_at(number);
                self.heard.take(number, data);
            }
            return;
        }
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
            Phase::Spreading if given_up => next.close = Some((Ending::Differs, ClosedBy::Here)),
            Phase::HangingUp if given_up => next.close = Some((Ending::NotHungUp, ClosedBy::Here)),
            _ if quiet < TICK => {}
            Phase::Sending if plan.check != Check::None && self.parties.is_none() => {
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
        let again = match self.phase {
            Phase::Spreading => Some(SPREAD_TICK),
            Phase::Sending | Phase::Asking | Phase::HangingUp | Phase::Changing | Phase::Rating => Some(TICK),
            _ => None,
        };
        (next, again)
    }
}

impl Next {
    pub(super) fn absorb(&mut self, other: Next) {
        self.frames.extend(other.frames);
        self.ready |= other.ready;
        self.spread |= other.spread;
        self.change_pcr = self.change_pcr.or(other.change_pcr);
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

/// How often the leaves are asked after, who cannot answer over the call.
const SPREAD_TICK: Duration = Duration::from_millis(5);
