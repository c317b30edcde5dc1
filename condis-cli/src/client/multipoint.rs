//! A point-to-multipoint call at its root: leaves come, hear a part of the data, and go.
//!
//! With n further leaves the data is sent in 2n + 1 parts. The first leaf hears all of them; each further leaf is added, hears one
//! part, and is dropped before the next. Nothing comes back over such a call: what the leaves have heard is read in the
//! ledger, in which their clients write it.

use std::ops::Range;
use std::sync::{Arc, Weak};

use condis::driver::ClientParty;
use condis::params::{CallParams, CloseData};
use condis::party::{HeldParty, Party};
use condis::role::Client as ClientRole;
use condis::status::NdisStatus;
use condis::token::{Outcome, Refused};
use condis::vc::HeldVc;
use condis_atm::driver::AtmCall;

use super::call::LabCall;
use super::conversation::{Phase, State};
use super::ledger::{ClosedBy, Ending};
use crate::client::Tally;
use crate::lab::{AtmTarget, CallTo};

/// The parties of a call.
#[derive(Default)]
pub(super) struct Parties {
    /// Those that hear, the first one first.
    connected: Vec<HeldParty<ClientRole>>,
    /// How many are being added or dropped.
    moving: usize,
    /// The part of the data that is being sent.
    part: usize,
}

impl Parties {
    pub(super) fn first(party: Option<HeldParty<ClientRole>>) -> Parties {
        Parties { connected: party.into_iter().collect(), ..Parties::default() }
    }

    /// More than the one that goes with the call, so that it cannot be closed yet.
    pub(super) fn is_many(&self) -> bool {
        self.moving > 0 || self.connected.len() > 1
    }
}

/// What is next for the leaves.
enum Step {
    Add { leaf: usize },
    Drop(HeldParty<ClientRole>),
    Send,
    Ready,
    Wait,
}

/// The root's object for a party.
pub(super) struct LabParty(pub(super) Weak<LabCall>);

impl ClientParty for LabParty {
    fn add_complete(&self, party: Party<'_, ClientRole>, result: Result<CallParams, Refused>) {
        if let Some(call) = self.0.upgrade() {
            call.party_added(result.map(|_| party.keep()));
        }
    }

    fn drop_complete(&self, _: Party<'_, ClientRole>, _: Result<(), NdisStatus>) {
        if let Some(call) = self.0.upgrade() {
            call.party_dropped();
        }
    }

    fn incoming_drop(&self, party: Party<'_, ClientRole>, status: NdisStatus, _: CloseData) {
        let Some(call) = self.0.upgrade() else { return };
        call.note(format!("a leaf left: {status}"));
        {
            let mut state = call.lock();
            let Some(parties) = &mut state.parties else { return };
            let here = parties.connected.iter().position(|held| held.at().id() == party.id());
            here.map(|at| parties.connected.remove(at));
            parties.moving += 1;
        }
        if let Outcome::Done(_) = party.drop_party(CloseData::new()) {
            call.party_dropped();
        }
        call.close(Ending::ClosedEarly(status, None), ClosedBy::There);
    }
}

impl LabCall {
    /// Sets the end of the part that is sent first.
    pub(super) fn begin_parts(target: &AtmTarget, state: &mut State, first: Option<HeldParty<ClientRole>>) {
        state.parties = Some(Parties::first(first));
        let end = frames_of(target, state, 0).end;
        state.transfer.stop_at(end);
    }

    /// The present part is sent: goes on if all leaves have heard it.
    pub(super) fn look_at_leaves(self: &Arc<Self>) {
        let Some(target) = self.target() else { return };
        let step = {
            let mut state = self.lock();
            if state.phase != Phase::Spreading || !self.have_heard(target, &state) {
                return;
            }
            state.moved_at = self.now();
            state.next_step(target)
        };
        self.take_step(target, step);
    }

    fn have_heard(&self, target: &AtmTarget, state: &State) -> bool {
        let Some(parties) = &state.parties else { return false };
        if self.compares_nothing() {
            return true;
        }
        let calling = target.call.calling.as_ref();
        let heard = |address, frames: Range<u32>| {
            let heard = self.client.ledger.heard_at(address, calling);
            heard.unwrap_or_default() == state.transfer.tally_of(frames)
        };
        let frames = frames_of(target, state, parties.part);
        let first = heard(&target.call.called, 0..frames.end);
        let leaf = parties.part % 2 == 0 || heard(&target.leaves[parties.part / 2].0, frames);
        first && leaf
    }

    fn take_step(self: &Arc<Self>, target: &AtmTarget, step: Step) {
        match step {
            Step::Add { leaf } => {
                let Some(vc) = self.vc() else { return };
                let (called, name) = target.leaves[leaf].clone();
                let params = AtmCall { called, ..target.call.clone() }.to_params();
                self.note(format!("{name} is added"));
                let object = Box::new(LabParty(self.weak()));
                if let Outcome::Done(result) = vc.at().add_party(params, object) {
                    self.party_added(result.map(|(party, _)| party));
                }
            }
            Step::Drop(party) => {
                self.note("it is dropped".to_owned());
                if let Outcome::Done(_) = party.at().drop_party(CloseData::new()) {
                    self.party_dropped();
                }
            }
            Step::Send => self.send_more(),
            Step::Ready => {
                if !self.compares_nothing() {
                    let heard =
                        self.client.ledger.heard_at(&target.call.called, target.call.calling.as_ref());
                    self.update(|record| record.other = heard);
                }
                self.is_compared();
            }
            Step::Wait => {}
        }
    }

    fn party_added(self: &Arc<Self>, result: Result<HeldParty<ClientRole>, Refused>) {
        let Some(target) = self.target() else { return };
        let refused = {
            let mut state = self.lock();
            let Some(parties) = &mut state.parties else { return };
            parties.moving -= 1;
            match result {
                Ok(party) => {
                    parties.connected.push(party);
                    None
                }
                Err(refused) => Some(refused.status),
            }
        };
        match refused {
            Some(status) => {
                self.close(Ending::NoParty(status), ClosedBy::Here);
                self.drain();
            }
            None => self.leaves_changed(target),
        }
    }

    fn party_dropped(self: &Arc<Self>) {
        let Some(target) = self.target() else { return };
        if let Some(parties) = &mut self.lock().parties {
            parties.moving = parties.moving.saturating_sub(1);
        }
        self.leaves_changed(target);
    }

    /// A leaf has come or gone: the next part follows, or the close that waits.
    fn leaves_changed(self: &Arc<Self>, target: &AtmTarget) {
        let step = {
            let mut state = self.lock();
            state.moved_at = self.now();
            match state.phase {
                Phase::Changing => {
                    if let Some(parties) = &mut state.parties {
                        parties.part += 1;
                    }
                    let part = state.parties.as_ref().map_or(0, |parties| parties.part);
                    let end = frames_of(target, &state, part).end;
                    state.transfer.stop_at(end);
                    state.phase = Phase::Sending;
                    Step::Send
                }
                _ => Step::Wait,
            }
        };
        self.take_step(target, step);
        self.drain();
    }

    /// Drops what hinders a close that waits; then it is closed.
    pub(super) fn drain(self: &Arc<Self>) {
        enum Drain {
            Drop(HeldParty<ClientRole>),
            Close(HeldVc<ClientRole>),
        }
        let next = {
            let mut state = self.lock();
            if state.phase != Phase::Draining {
                return;
            }
            match &mut state.parties {
                Some(parties) if parties.moving == 0 && parties.connected.len() > 1 => {
                    parties.moving += 1;
                    parties.connected.pop().map(Drain::Drop)
                }
                _ => state.begin_close().map(Drain::Close),
            }
        };
        match next {
            Some(Drain::Drop(party)) => {
                if let Outcome::Done(_) = party.at().drop_party(CloseData::new()) {
                    self.party_dropped();
                }
            }
            Some(Drain::Close(vc)) => self.close_now(vc.at()),
            None => {}
        }
    }

    fn target(&self) -> Option<&AtmTarget> {
        match &self.plan()?.target {
            CallTo::Atm(target) if target.multipoint => Some(target),
            _ => None,
        }
    }

    /// The called end hears, and says nothing: it writes what it heard where the root can read it.
    pub(super) fn write_heard(&self, tally: Tally) {
        self.update(|record| record.data = tally);
    }

    pub(super) fn note(&self, what: String) {
        self.update(|record| record.party_log.push(what));
    }

    /// The parties, for a lease of their handles to be given up with the call.
    pub(super) fn forget_parties(&self) {
        let parties = self.lock().parties.take();
        drop(parties);
    }
}

impl State {
    fn next_step(&mut self, target: &AtmTarget) -> Step {
        let Some(parties) = &mut self.parties else { return Step::Wait };
        let part = parties.part;
        if part % 2 == 1 {
            parties.moving += 1;
            self.phase = Phase::Changing;
            return parties.connected.pop().map_or(Step::Wait, Step::Drop);
        }
        if part / 2 < target.leaves.len() {
            parties.moving += 1;
            self.phase = Phase::Changing;
            return Step::Add { leaf: part / 2 };
        }
        self.phase = Phase::Ready;
        Step::Ready
    }
}

/// The frames of a part: all parts are of the same size, but for the last.
fn frames_of(target: &AtmTarget, state: &State, part: usize) -> Range<u32> {
    let parts = 2 * target.leaves.len() as u32 + 1;
    let all = state.transfer.frame_count();
    let each = all / parts;
    let part = part as u32;
    let end = if part + 1 == parts { all } else { each * (part + 1) };
    each * part..end
}
