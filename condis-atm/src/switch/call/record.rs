//! A call through the switch.

use super::half::{At, CallKey};
use crate::addr::AtmAddress;
use crate::q2931::wire::BearerCapability;
use crate::traffic::Contract;
use crate::uni::{CallId, CallParams, Contracts, PartyId, PartyParams};

/// A call through the switch.
pub(super) struct Call {
    /// Where it came in.
    pub(super) root: At,
    pub(super) called: AtmAddress,
    pub(super) contracts: Contracts,
    pub(super) bearer: BearerCapability,
    pub(super) sdus: SduLimits,
    pub(super) kind: Kind,
}

/// What is known of the SDUs of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SduLimits {
    /// It is of AAL5, or may be.
    pub(super) may_be_aal5: bool,
    /// It is of AAL5.
    pub(super) is_aal5: bool,
    /// Octets of the longest, from who calls and to.
    pub(super) forward_max: usize,
    pub(super) backward_max: usize,
}

/// To how many parties.
pub(super) enum Kind {
    PointToPoint { branch: At, progress: Progress },
    PointToMultipoint(Box<Tree>),
}

/// How far a call with one party is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// The called user has not answered.
    Offered,
    /// The connection is there.
    Connected,
    /// The calling user asked for these contracts, and the called user has not answered. The greater of both is set aside.
    /// From `Connected`.
    Modifying(Contracts),
}

/// A point-to-multipoint call: from its root to branches, one for each port, each with parties.
pub(super) struct Tree {
    /// What its SETUP asked for; further branches begin with it.
    pub(super) template: CallParams,
    /// The root's side is connected: some party has answered.
    pub(super) is_connected: bool,
    pub(super) branches: Vec<Branch>,
}

/// A branch of a tree.
pub(super) struct Branch {
    pub(super) at: At,
    /// Its SETUP was answered.
    pub(super) is_active: bool,
    /// The first is that of the SETUP.
    pub(super) leaves: Vec<Leaf>,
    /// Parties that came while the SETUP was not answered.
    pub(super) waiting: Vec<(PartyId, Box<PartyParams>)>,
}

/// A party, by its names on both sides.
pub(super) struct Leaf {
    pub(super) at_root: PartyId,
    pub(super) at_branch: PartyId,
    pub(super) is_active: bool,
}

impl Tree {
    pub(super) fn branch_mut(&mut self, at: At) -> Option<&mut Branch> {
        self.branches.iter_mut().find(|branch| branch.at == at)
    }

    pub(super) fn remove_branch(&mut self, at: At) -> Option<Branch> {
        let place = self.branches.iter().position(|branch| branch.at == at)?;
        Some(self.branches.remove(place))
    }

    /// The branch of a port.
    pub(super) fn branch_of_port(&mut self, port: u32) -> Option<&mut Branch> {
        self.branches.iter_mut().find(|branch| branch.at.port == port)
    }

    /// Where a party of the root is.
    pub(super) fn find(&self, at_root: PartyId) -> Option<Place> {
        for branch in &self.branches {
            if let Some(leaf) = branch.leaves.iter().find(|leaf| leaf.at_root == at_root) {
                let is_alone = branch.leaves.len() == 1;
                return Some(Place::Leaf { branch: branch.at, at_branch: leaf.at_branch, is_alone });
            }
            if branch.waiting.iter().any(|(waiting, _)| *waiting == at_root) {
                return Some(Place::Waiting { branch: branch.at });
            }
        }
        None
    }

    pub(super) fn parties_len(&self) -> usize {
        self.branches.iter().map(|branch| branch.leaves.len() + branch.waiting.len()).sum()
    }
}

/// Where a party of a tree is.
pub(super) enum Place {
    Leaf { branch: At, at_branch: PartyId, is_alone: bool },
    Waiting { branch: At },
}

impl Branch {
    /// Of a SETUP that was sent for this party.
    pub(super) fn new(at: At, at_root: PartyId) -> Branch {
        // The first party of a call has the name 0 where it is made.
        let leaf = Leaf { at_root, at_branch: PartyId(0), is_active: false };
        Branch { at, is_active: false, leaves: vec![leaf], waiting: Vec::new() }
    }

    pub(super) fn leaf_mut(&mut self, at_branch: PartyId) -> Option<&mut Leaf> {
        self.leaves.iter_mut().find(|leaf| leaf.at_branch == at_branch)
    }

    pub(super) fn remove_leaf(&mut self, at_branch: PartyId) -> Option<Leaf> {
        let place = self.leaves.iter().position(|leaf| leaf.at_branch == at_branch)?;
        Some(self.leaves.remove(place))
    }
}

impl Call {
    /// The contracts of a half: what comes in there and what goes out.
    pub(super) fn at_root(contracts: &Contracts) -> (Contract, Contract) {
        (contracts.forward, contracts.backward)
    }

    pub(super) fn at_branch(contracts: &Contracts) -> (Contract, Contract) {
        (contracts.backward, contracts.forward)
    }

    pub(super) fn tree(&mut self) -> Option<&mut Tree> {
        match &mut self.kind {
            Kind::PointToMultipoint(tree) => Some(tree),
            Kind::PointToPoint { .. } => None,
        }
    }
}

/// Calls in places that are used again.
#[derive(Default)]
pub(super) struct Calls {
    places: Vec<Option<Call>>,
    vacant: Vec<CallKey>,
}

impl Calls {
    pub(super) fn insert(&mut self, call: Call) -> CallKey {
        match self.vacant.pop() {
            Some(key) => {
                self.places[key as usize] = Some(call);
                key
            }
            None => {
                self.places.push(Some(call));
                self.places.len() as CallKey - 1
            }
        }
    }

    pub(super) fn remove(&mut self, key: CallKey) -> Option<Call> {
        let call = self.places.get_mut(key as usize)?.take()?;
        self.vacant.push(key);
        Some(call)
    }

    pub(super) fn get(&self, key: CallKey) -> Option<&Call> {
        self.places.get(key as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, key: CallKey) -> Option<&mut Call> {
        self.places.get_mut(key as usize)?.as_mut()
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.vacant.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Call> {
        self.places.iter().flatten()
    }
}

impl At {
    pub(super) fn new(port: u32, call: CallId) -> At {
        At { port, call }
    }
}
