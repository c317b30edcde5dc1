//! Another contract for a call that stands (Q.2963.1).
//!
//! The calling user asks; the switch looks whether both ports can carry it, then asks the called user. In between the greater of both
//! contracts is set aside, so that neither answer finds less than it needs.

use condis::runtime::Time;

use super::half::{At, CallKey, Part};
use super::record::{Call, Kind, Progress};
use super::release::first_cause;
use super::setup::check_contract;
use super::{Exchange, Refusal, Signaling};
use crate::switch::fabric::Fabric;
use crate::traffic::Contract;
use crate::uni::{Cause, Contracts, Ie, ModifyParams};

impl<S: Signaling> Exchange<S> {
    /// MODIFY REQUEST at the root.
    pub(super) fn root_modify_offered(&mut self, now: Time, root: At, params: &ModifyParams) {
        self.counters.modifications_offered += 1;
        if let Err(refusal) = self.modify(now, root, params) {
            let cause = refusal.cause();
            self.counters.count_refusal(cause.value);
            self.ask(root.port, |signaling| signaling.modify_reject(now, root.call, cause)).ok();
        }
    }

    fn modify(&mut self, now: Time, root: At, params: &ModifyParams) -> Result<(), Refusal> {
        let Some(Part::Root(key)) = self.part(root) else { return Err(Refusal::NoModification) };
        let call = self.call(key);
        let Kind::PointToPoint { branch, progress: Progress::Connected } = call.kind else {
            return Err(Refusal::NoModification);
        };
        let (before, wanted) = (call.contracts, Contracts::of(&params.traffic, &call.bearer));
        check_contract(&wanted.forward)?;
        check_contract(&wanted.backward)?;
        self.raise(root, branch, &before, &wanted)?;
        if let Err(error) = self.ask(branch.port, |signaling| signaling.modify(now, branch.call, params)) {
            self.set_aside(root, branch, &before);
            return Err(error.into());
        }
        self.set_progress(key, Progress::Modifying(wanted));
        Ok(())
    }

    /// MODIFY ACKNOWLEDGE at the branch: the new contract holds.
    pub(super) fn branch_modified(&mut self, now: Time, fabric: &mut Fabric, at: At, other: &[Ie]) {
        let Some((key, root, wanted)) = self.modifying(at) else { return };
        self.set_aside(root, at, &wanted);
        self.call_mut(key).contracts = wanted;
        self.set_progress(key, Progress::Connected);
        self.counters.modifications_made += 1;
        let sdus = self.call(key).sdus;
        let forward = self.flow_config(root.port, &wanted.forward, &sdus, sdus.forward_max);
        let backward = self.flow_config(at.port, &wanted.backward, &sdus, sdus.backward_max);
        // The flows are there since the call stands.
        fabric.change(self.port(root.port).id, self.vpvc(root), forward).ok();
        fabric.change(self.port(at.port).id, self.vpvc(at), backward).ok();
        self.ask(root.port, |signaling| signaling.modify_accept(now, root.call, other)).ok();
    }

    /// MODIFY REJECT at the branch: the old contract holds.
    pub(super) fn branch_modify_rejected(&mut self, now: Time, at: At, causes: &[Cause]) {
        let Some((key, root, _)) = self.modifying(at) else { return };
        let before = self.call(key).contracts;
        self.set_aside(root, at, &before);
        self.set_progress(key, Progress::Connected);
        let cause = first_cause(causes);
        self.ask(root.port, |signaling| signaling.modify_reject(now, root.call, cause)).ok();
    }

    /// The call of a branch that is asked for other contracts, its root, and those.
    fn modifying(&self, branch: At) -> Option<(CallKey, At, Contracts)> {
        let Some(Part::Branch(key)) = self.part(branch) else { return None };
        let call = self.call(key);
        match call.kind {
            Kind::PointToPoint { progress: Progress::Modifying(wanted), .. } => {
                Some((key, call.root, wanted))
            }
            _ => None,
        }
    }

    fn set_progress(&mut self, key: CallKey, to: Progress) {
        if let Kind::PointToPoint { progress, .. } = &mut self.call_mut(key).kind {
            *progress = to;
        }
    }

    /// Sets aside what `wanted` needs where that is more than `before`; all of it or nothing.
    fn raise(&mut self, root: At, branch: At, before: &Contracts, wanted: &Contracts) -> Result<(), Refusal> {
        let raised = self
            .change(root, Call::at_root(wanted), Rule::OnlyMore)
            .and_then(|()| self.change(branch, Call::at_branch(wanted), Rule::OnlyMore));
        if raised.is_err() {
            self.set_aside(root, branch, before);
        }
        raised
    }

    /// Sets aside what these need, which is no more than what is set aside now.
    fn set_aside(&mut self, root: At, branch: At, contracts: &Contracts) {
        for (at, both) in [(root, Call::at_root(contracts)), (branch, Call::at_branch(contracts))] {
            let changed = self.change(at, both, Rule::Exactly);
            debug_assert!(changed.is_ok(), "less is always there");
        }
    }

    fn change(&mut self, at: At, both: (Contract, Contract), rule: Rule) -> Result<(), Refusal> {
        let vbr_rule = self.config.vbr_rule;
        let port = self.port_mut(at.port);
        let half = port.halves.get_mut(at.call);
        let Some(reserved) = half.and_then(|half| half.reserved.as_mut()) else { return Ok(()) };
        let directions = [
            (&mut port.incoming, &mut reserved.incoming, both.0),
            (&mut port.outgoing, &mut reserved.outgoing, both.1),
        ];
        for (cac, reservation, contract) in directions {
            let is_more = vbr_rule
                .needed_cells_per_s(&contract)
                .is_none_or(|needed| needed > reservation.cells_per_s());
            if is_more || rule == Rule::Exactly {
                cac.change(reservation, &contract)?;
            }
        }
        Ok(())
    }
}

/// What a change of what is set aside may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Only make it more.
    OnlyMore,
    Exactly,
}
