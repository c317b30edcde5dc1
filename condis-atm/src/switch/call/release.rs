//! Calls end: connections are cut, halves released, and what they had goes back.

use condis::runtime::Time;

use super::half::{At, CallKey, Part};
use super::record::Kind;
use super::refusal::LOCATION;
use super::{Exchange, Signaling};
use crate::q2931::wire::CauseValue;
use crate::switch::fabric::{Fabric, FabricError};
use crate::uni::{Cause, Ie};

impl<S: Signaling> Exchange<S> {
    /// The call of a half is over at its port, as its signaling says: by its peer, by an error, or because the switch asked for it.
    pub(super) fn half_ended(
        &mut self,
        now: Time,
        fabric: &mut Fabric,
        at: At,
        causes: &[Cause],
        other: &[Ie],
    ) {
        let Some(part) = self.part(at) else { return };
        let cause = first_cause(causes);
        match part {
            // The other side ended it, and it was cut then.
            Part::Ending => {}
            Part::Root(key) => {
                self.set_ending(at);
                self.release_call(now, fabric, key, &cause, other);
            }
            Part::Branch(key) => match &self.call(key).kind {
                Kind::PointToPoint { .. } => {
                    self.set_ending(at);
                    self.release_call(now, fabric, key, &cause, other);
                }
                Kind::PointToMultipoint(_) => self.tree_branch_ended(now, fabric, key, at, &cause, other),
            },
        }
        let port = self.port_mut(at.port);
        if let Some(half) = port.halves.remove(at.call) {
            port.give_back(half);
        }
    }

    /// Ends a call: cuts it, and releases all its halves but those that are ending already.
    pub(super) fn release_call(
        &mut self,
        now: Time,
        fabric: &mut Fabric,
        key: CallKey,
        cause: &Cause,
        other: &[Ie],
    ) {
        let Some(call) = self.calls.remove(key) else { return };
        self.counters.calls_ended += 1;
        let branches: Vec<At> = match &call.kind {
            Kind::PointToPoint { branch, .. } => vec![*branch],
            Kind::PointToMultipoint(tree) => tree.branches.iter().map(|branch| branch.at).collect(),
        };
        for branch in &branches {
            self.cut(fabric, call.root, *branch);
        }
        fabric.close(self.port(call.root.port).id, self.vpvc(call.root));
        for at in branches.into_iter().chain([call.root]) {
            self.release_half(now, at, cause, other);
        }
    }

    /// Takes what a half had of its port's rate back, and releases it unless it is ending. It is ending then.
    pub(super) fn release_half(&mut self, now: Time, at: At, cause: &Cause, other: &[Ie]) {
        let is_ending = self.part(at) == Some(Part::Ending);
        self.set_ending(at);
        if !is_ending {
            // Refused only if signaling has told of its end, which comes next.
            self.ask(at.port, |signaling| signaling.release(now, at.call, cause.clone(), other)).ok();
        }
    }

    /// The connection of a half is cut.
    pub(super) fn set_ending(&mut self, at: At) {
        let port = self.port_mut(at.port);
        let Some(half) = port.halves.get_mut(at.call) else { return };
        half.part = Part::Ending;
        if let Some(reserved) = half.reserved.take() {
            port.release(reserved);
        }
    }

    /// Makes the connection between the root and its one branch.
    pub(super) fn join(&mut self, fabric: &mut Fabric, key: CallKey, branch: At) -> Result<(), FabricError> {
        let call = self.call(key);
        let (root_port, root_vpvc) = (self.port(call.root.port).id, self.vpvc(call.root));
        let (branch_port, branch_vpvc) = (self.port(branch.port).id, self.vpvc(branch));
        let sdus = call.sdus;
        let forward = self.flow_config(call.root.port, &call.contracts.forward, &sdus, sdus.forward_max);
        let backward = self.flow_config(branch.port, &call.contracts.backward, &sdus, sdus.backward_max);
        fabric.open(root_port, root_vpvc, forward)?;
        fabric.open(branch_port, branch_vpvc, backward)?;
        fabric.add_leg(root_port, root_vpvc, branch_port, branch_vpvc)?;
        fabric.add_leg(branch_port, branch_vpvc, root_port, root_vpvc)
    }

    /// Cuts the connection between the root and a branch, as far as it was made.
    pub(super) fn cut(&mut self, fabric: &mut Fabric, root: At, branch: At) {
        let (root_port, root_vpvc) = (self.port(root.port).id, self.vpvc(root));
        let (branch_port, branch_vpvc) = (self.port(branch.port).id, self.vpvc(branch));
        if fabric.remove_leg(root_port, root_vpvc, branch_port, branch_vpvc) {
            self.port_mut(branch.port).drains(branch_vpvc);
        }
        if fabric.remove_leg(branch_port, branch_vpvc, root_port, root_vpvc) {
            self.port_mut(root.port).drains(root_vpvc);
        }
        fabric.close(branch_port, branch_vpvc);
    }
}

/// The cause that is passed on: the first of one or two (UNI 3.1 §5.4.5.15).
pub(super) fn first_cause(causes: &[Cause]) -> Cause {
    causes.first().cloned().unwrap_or(Cause::new(LOCATION, CauseValue::NORMAL_UNSPECIFIED))
}
