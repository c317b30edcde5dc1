//! Point-to-multipoint calls: one branch for each port, and on it one leaf for each party (Q.2971, UNI 3.1 §5.6).
//!
//! The first party comes with the SETUP of the root; further ones with ADD PARTY. Each is routed like a call. Where the tree has a
//! branch at that port the party is added to it; where it has none, a SETUP makes one. Parties that come for a branch whose SETUP
//! is not answered wait for the answer; if there is none, the first of them begins another.
//!
//! Nothing comes back from leaves, so only the way out is set aside.

use condis::runtime::Time;

use super::half::{At, CallKey, Part};
use super::record::{Branch, Kind, Leaf, Place};
use super::release::first_cause;
use super::setup::called_address;
use super::{Exchange, Refusal, Signaling};
use crate::switch::fabric::{Fabric, FabricError};
use crate::switch::routing::Route;
use crate::uni::{Answer, CallParams, Cause, Ie, PartyId, PartyParams};

impl<S: Signaling> Exchange<S> {
    /// ADD PARTY at the root.
    pub(super) fn root_party_offered(&mut self, now: Time, root: At, party: PartyId, params: PartyParams) {
        self.counters.parties_offered += 1;
        if let Err(refusal) = self.add_leaf(now, root, party, params) {
            let cause = refusal.cause();
            self.counters.count_refusal(cause.value);
            self.ask(root.port, |signaling| signaling.party_reject(now, root.call, party, cause)).ok();
        }
    }

    fn add_leaf(&mut self, now: Time, root: At, party: PartyId, params: PartyParams) -> Result<(), Refusal> {
        let Some(Part::Root(key)) = self.part(root) else { return Err(Refusal::NoParties) };
        let Kind::PointToMultipoint(_) = &self.call(key).kind else { return Err(Refusal::NoParties) };
        let called = called_address(&params.called)?.clone();
        let mut refusal = None;
        for route in self.candidates(root.port, &called)? {
            let slot = self.slots[&route.port];
            let joined = self.add_leaf_at(now, key, slot, party, &params);
            match joined.unwrap_or_else(|| self.add_branch(now, key, route, party, &params)) {
                Ok(()) => return Ok(()),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refusal.unwrap_or(Refusal::NoRoute))
    }

    /// Adds a party to the branch at this port. `None`: there is no such branch.
    fn add_leaf_at(
        &mut self,
        now: Time,
        key: CallKey,
        slot: u32,
        party: PartyId,
        params: &PartyParams,
    ) -> Option<Result<(), Refusal>> {
        let branch = self.call_mut(key).tree()?.branch_of_port(slot)?;
        if !branch.is_active {
            branch.waiting.push((party, Box::new(params.clone())));
            return Some(Ok(()));
        }
        let at = branch.at;
        let added = self.ask(slot, |signaling| signaling.add_party(now, at.call, params));
        let leaf = match added {
            Ok(at_branch) => Leaf { at_root: party, at_branch, is_active: false },
            Err(error) => return Some(Err(error.into())),
        };
        let branch = self.call_mut(key).tree()?.branch_mut(at)?;
        branch.leaves.push(leaf);
        Some(Ok(()))
    }

    /// Begins a branch with this party.
    fn add_branch(
        &mut self,
        now: Time,
        key: CallKey,
        route: Route,
        party: PartyId,
        params: &PartyParams,
    ) -> Result<(), Refusal> {
        let call = self.call(key);
        let (contracts, sdus) = (call.contracts, call.sdus);
        let from = self.port(call.root.port).signaling.version();
        let Kind::PointToMultipoint(tree) = &call.kind else { return Err(Refusal::NoParties) };
        let params = params.clone();
        let mut setup = CallParams {
            called: params.called,
            called_subaddress: params.called_subaddress,
            calling: params.calling.or_else(|| tree.template.calling.clone()),
            calling_subaddress: params.calling_subaddress,
            aal: params.aal.or_else(|| tree.template.aal.clone()),
            bhli: params.bhli,
            blli: params.blli.into_iter().collect(),
            other: params.other,
            connection: None,
            party: None,
            ..tree.template.clone()
        };
        let at = self.dial_at(now, from, route, &contracts, &sdus, &mut setup)?;
        self.belongs(at, Part::Branch(key));
        if let Some(tree) = self.call_mut(key).tree() {
            tree.branches.push(Branch::new(at, party));
        }
        Ok(())
    }

    /// CONNECT at a branch: cells go there from now on, and the parties that wait are added.
    pub(super) fn tree_branch_connected(
        &mut self,
        now: Time,
        fabric: &mut Fabric,
        key: CallKey,
        at: At,
        answer: &Answer,
    ) {
        let root = self.call(key).root;
        if let Err(error) = self.join_branch(fabric, key, at) {
            let cause = Refusal::from(error).cause();
            self.counters.count_refusal(cause.value);
            self.tree_branch_ended(now, fabric, key, at, &cause, &[]);
            self.ask(at.port, |signaling| signaling.release(now, at.call, cause, &[])).ok();
            return;
        }
        let Some(tree) = self.call_mut(key).tree() else { return };
        let was_connected = std::mem::replace(&mut tree.is_connected, true);
        let Some(branch) = tree.branch_mut(at) else { return };
        branch.is_active = true;
        let Some(first) = branch.leaves.first_mut() else { return };
        first.is_active = true;
        let (party, waiting) = (first.at_root, std::mem::take(&mut branch.waiting));
        if was_connected {
            self.counters.parties_connected += 1;
            self.ask(root.port, |signaling| signaling.party_connect(now, root.call, party, answer)).ok();
        } else {
            self.counters.calls_connected += 1;
            self.ask(root.port, |signaling| signaling.connect(now, root.call, answer)).ok();
        }
        for (party, params) in waiting {
            if let Some(Err(refusal)) = self.add_leaf_at(now, key, at.port, party, &params) {
                self.reject(now, root, party, &refusal.cause());
            }
        }
    }

    fn join_branch(&mut self, fabric: &mut Fabric, key: CallKey, at: At) -> Result<(), FabricError> {
        let call = self.call(key);
        let (root_port, root_vpvc) = (self.port(call.root.port).id, self.vpvc(call.root));
        let is_first = !matches!(&call.kind, Kind::PointToMultipoint(tree) if tree.is_connected);
        if is_first {
            let sdus = call.sdus;
            let forward = self.flow_config(call.root.port, &call.contracts.forward, &sdus, sdus.forward_max);
            fabric.open(root_port, root_vpvc, forward)?;
        }
        fabric.add_leg(root_port, root_vpvc, self.port(at.port).id, self.vpvc(at))
    }

    pub(super) fn branch_party_alerting(&mut self, now: Time, at: At, party: PartyId, other: &[Ie]) {
        let Some((root, at_root)) = self.at_root(at, party) else { return };
        self.ask(root.port, |signaling| signaling.party_alerting(now, root.call, at_root, other)).ok();
    }

    /// ADD PARTY ACKNOWLEDGE at a branch.
    pub(super) fn branch_party_connected(&mut self, now: Time, at: At, party: PartyId, answer: &Answer) {
        let Some((root, at_root)) = self.at_root(at, party) else { return };
        if let Some(Part::Branch(key)) = self.part(at)
            && let Some(branch) = self.call_mut(key).tree().and_then(|tree| tree.branch_mut(at))
            && let Some(leaf) = branch.leaf_mut(party)
        {
            leaf.is_active = true;
        }
        self.counters.parties_connected += 1;
        self.ask(root.port, |signaling| signaling.party_connect(now, root.call, at_root, answer)).ok();
    }

    /// A party was refused or dropped, at the root's port or at a branch's.
    pub(super) fn party_ended(
        &mut self,
        now: Time,
        fabric: &mut Fabric,
        at: At,
        party: PartyId,
        causes: &[Cause],
    ) {
        let cause = first_cause(causes);
        match self.part(at) {
            Some(Part::Root(key)) => self.root_party_dropped(now, fabric, key, party, &cause),
            Some(Part::Branch(key)) => {
                let branch = self.call_mut(key).tree().and_then(|tree| tree.branch_mut(at));
                if let Some(leaf) = branch.and_then(|branch| branch.remove_leaf(party)) {
                    self.leaf_ended(now, key, &leaf, &cause);
                    self.end_if_bare(now, fabric, key, &cause);
                }
            }
            Some(Part::Ending) | None => {}
        }
    }

    /// DROP PARTY at the root. That of the last party of a call ends the call instead.
    fn root_party_dropped(
        &mut self,
        now: Time,
        fabric: &mut Fabric,
        key: CallKey,
        party: PartyId,
        cause: &Cause,
    ) {
        let Some(place) = self.call_mut(key).tree().and_then(|tree| tree.find(party)) else { return };
        self.counters.parties_dropped += 1;
        match place {
            Place::Waiting { branch } => {
                if let Some(branch) = self.call_mut(key).tree().and_then(|tree| tree.branch_mut(branch)) {
                    branch.waiting.retain(|(waiting, _)| *waiting != party);
                }
            }
            Place::Leaf { branch, at_branch, is_alone: false } => {
                if let Some(branch) = self.call_mut(key).tree().and_then(|tree| tree.branch_mut(branch)) {
                    branch.remove_leaf(at_branch);
                }
                let cause = cause.clone();
                self.ask(branch.port, |signaling| signaling.drop_party(now, branch.call, at_branch, cause))
                    .ok();
            }
            Place::Leaf { branch, is_alone: true, .. } => {
                let waiting = self.take_branch(fabric, key, branch);
                let cause = cause.clone();
                self.ask(branch.port, |signaling| signaling.release(now, branch.call, cause, &[])).ok();
                self.offer_again(now, key, waiting);
            }
        }
        self.end_if_bare(now, fabric, key, cause);
    }

    /// The call of a branch is over.
    pub(super) fn tree_branch_ended(
        &mut self,
        now: Time,
        fabric: &mut Fabric,
        key: CallKey,
        at: At,
        cause: &Cause,
        other: &[Ie],
    ) {
        let Some(tree) = self.call_mut(key).tree() else { return };
        let is_connected = tree.is_connected;
        let leaves = tree.branch_mut(at).map(|branch| std::mem::take(&mut branch.leaves)).unwrap_or_default();
        let waiting = self.take_branch(fabric, key, at);
        if !is_connected {
            // The party of the SETUP: the call comes to nothing.
            return self.release_call(now, fabric, key, cause, other);
        }
        for leaf in &leaves {
            self.leaf_ended(now, key, leaf, cause);
        }
        self.offer_again(now, key, waiting);
        self.end_if_bare(now, fabric, key, cause);
    }

    /// Cuts a branch off. Its half is ending then, and the parties that waited for it are given back.
    fn take_branch(&mut self, fabric: &mut Fabric, key: CallKey, at: At) -> Vec<(PartyId, Box<PartyParams>)> {
        self.cut(fabric, self.call(key).root, at);
        self.set_ending(at);
        let branch = self.call_mut(key).tree().and_then(|tree| tree.remove_branch(at));
        branch.map(|branch| branch.waiting).unwrap_or_default()
    }

    /// Parties that waited for a branch that is gone.
    fn offer_again(&mut self, now: Time, key: CallKey, waiting: Vec<(PartyId, Box<PartyParams>)>) {
        let root = self.call(key).root;
        for (party, params) in waiting {
            if let Err(refusal) = self.add_leaf(now, root, party, *params) {
                self.reject(now, root, party, &refusal.cause());
            }
        }
    }

    /// Tells the root that a party is gone.
    fn leaf_ended(&mut self, now: Time, key: CallKey, leaf: &Leaf, cause: &Cause) {
        let root = self.call(key).root;
        if !leaf.is_active {
            return self.reject(now, root, leaf.at_root, cause);
        }
        self.counters.parties_dropped += 1;
        let (party, cause) = (leaf.at_root, cause.clone());
        self.ask(root.port, |signaling| signaling.drop_party(now, root.call, party, cause)).ok();
    }

    fn reject(&mut self, now: Time, root: At, party: PartyId, cause: &Cause) {
        self.counters.count_refusal(cause.value);
        self.ask(root.port, |signaling| signaling.party_reject(now, root.call, party, cause.clone())).ok();
    }

    /// A tree without parties ends.
    fn end_if_bare(&mut self, now: Time, fabric: &mut Fabric, key: CallKey, cause: &Cause) {
        let is_bare = self.calls.get(key).is_some_and(|call| match &call.kind {
            Kind::PointToMultipoint(tree) => tree.parties_len() == 0,
            Kind::PointToPoint { .. } => false,
        });
        if is_bare {
            self.release_call(now, fabric, key, cause, &[]);
        }
    }

    /// The root of a branch's party, and its name there.
    fn at_root(&mut self, at: At, party: PartyId) -> Option<(At, PartyId)> {
        let Some(Part::Branch(key)) = self.part(at) else { return None };
        let call = self.call_mut(key);
        let root = call.root;
        let leaf = call.tree()?.branch_mut(at)?.leaf_mut(party)?;
        Some((root, leaf.at_root))
    }
}
