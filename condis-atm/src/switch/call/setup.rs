//! A call comes in: it is admitted, routed, and goes out.

use condis::runtime::Time;
use condis_link::atm::Form;

use super::half::{At, Half, Part};
use super::record::{Branch, Call, Kind, Progress, SduLimits, Tree};
use super::{Exchange, Refusal, Signaling};
use crate::aal5::SDU_OCTETS_MAX;
use crate::addr::AtmAddress;
use crate::q2931::wire::{BearerCapability, BearerClass, CalledPartyNumber, IeId, TrafficDescriptor};
use crate::switch::config::PortConfig;
use crate::switch::fabric::Fabric;
use crate::switch::routing::Route;
use crate::traffic::Contract;
use crate::uni::{Answer, CallParams, Contracts, Ie, Version};

impl<S: Signaling> Exchange<S> {
    /// SETUP at the root.
    pub(super) fn root_setup(&mut self, now: Time, root: At, params: Box<CallParams>) {
        self.counters.calls_offered += 1;
        if let Err(refusal) = self.set_up(now, root, params) {
            let cause = refusal.cause();
            self.counters.count_refusal(cause.value);
            self.ask(root.port, |signaling| signaling.release(now, root.call, cause, &[])).ok();
        }
    }

    fn set_up(&mut self, now: Time, root: At, mut params: Box<CallParams>) -> Result<(), Refusal> {
        if self.calls.len() >= self.config.calls_max {
            return Err(Refusal::TooManyCalls(self.config.calls_max));
        }
        let called = called_address(&params.called)?.clone();
        check_other(&params.other)?;
        let contracts = checked_contracts(&params)?;
        let sdus = SduLimits::of(&params);
        self.check_form(root.port, &sdus)?;
        let (incoming, outgoing) = Call::at_root(&contracts);
        let half = self.port_mut(root.port).admit(params.connection.take(), &incoming, &outgoing)?;
        let first = params.party;
        let branch = match self.dial(now, root.port, &called, &contracts, &sdus, &mut params) {
            Ok(branch) => branch,
            Err(refusal) => {
                self.port_mut(root.port).give_back(half);
                return Err(refusal);
            }
        };
        let bearer = params.bearer;
        let kind = match first {
            Some(first) if bearer.is_point_to_multipoint() => Kind::PointToMultipoint(Box::new(Tree {
                template: *params,
                is_connected: false,
                branches: vec![Branch::new(branch, first)],
            })),
            _ => Kind::PointToPoint { branch, progress: Progress::Offered },
        };
        let key = self.calls.insert(Call { root, called, contracts, bearer, sdus, kind });
        let connection = Some(half.vpvc);
        self.belongs(branch, Part::Branch(key));
        self.port_mut(root.port).halves.insert(root.call, Half { part: Part::Root(key), ..half });
        let answer = Answer { connection, ..Answer::default() };
        // Refused only if the call has ended at the root meanwhile, which is told next.
        self.ask(root.port, |signaling| signaling.proceeding(now, root.call, &answer)).ok();
        Ok(())
    }

    /// Sends a SETUP out on the best port that can take the call. `params` is what it carries, but for the connection.
    fn dial(
        &mut self,
        now: Time,
        incoming: u32,
        called: &AtmAddress,
        contracts: &Contracts,
        sdus: &SduLimits,
        params: &mut CallParams,
    ) -> Result<At, Refusal> {
        let mut refusal = None;
        let from = self.port(incoming).signaling.version();
        for route in self.candidates(incoming, called)? {
            match self.dial_at(now, from, route, contracts, sdus, params) {
                Ok(branch) => return Ok(branch),
                // What the preferred port says is told, if no other can.
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refusal.unwrap_or(Refusal::NoRoute))
    }

    /// The routes that a call from this port may take, the best first. There is at least one.
    pub(super) fn candidates(&self, incoming: u32, called: &AtmAddress) -> Result<Vec<Route>, Refusal> {
        let incoming = self.port(incoming).id;
        let routes = self.routes.find(called);
        let candidates: Vec<Route> = routes.iter().filter(|route| route.allows(incoming)).copied().collect();
        match (candidates.is_empty(), routes.is_empty()) {
            (false, _) => Ok(candidates),
            (true, false) => Err(Refusal::WayBack),
            (true, true) if self.is_ours(called) => Err(Refusal::Unallocated),
            (true, true) => Err(Refusal::NoRoute),
        }
    }

    /// `from` is the version that `params` were written in.
    pub(super) fn dial_at(
        &mut self,
        now: Time,
        from: Version,
        route: Route,
        contracts: &Contracts,
        sdus: &SduLimits,
        params: &mut CallParams,
    ) -> Result<At, Refusal> {
        let slot = self.slots[&route.port];
        if !self.port(slot).signaling.is_up() {
            return Err(Refusal::OutOfOrder);
        }
        self.check_form(slot, sdus)?;
        let (incoming, outgoing) = Call::at_branch(contracts);
        let half = self.port_mut(slot).admit(None, &incoming, &outgoing)?;
        params.connection = Some(half.vpvc);
        let translated = translated(self.port(slot).signaling.version(), from, params, contracts);
        let setup = translated.as_ref().unwrap_or(params);
        match self.ask(slot, |signaling| signaling.setup(now, setup)) {
            Ok(call) => {
                self.port_mut(slot).halves.insert(call, half);
                Ok(At::new(slot, call))
            }
            Err(error) => {
                self.port_mut(slot).give_back(half);
                Err(error.into())
            }
        }
    }

    pub(super) fn belongs(&mut self, at: At, part: Part) {
        if let Some(half) = self.port_mut(at.port).halves.get_mut(at.call) {
            half.part = part;
        }
    }

    /// ALERTING at a branch.
    pub(super) fn branch_alerting(&mut self, now: Time, at: At, answer: &Answer) {
        let Some(Part::Branch(key)) = self.part(at) else { return };
        let call = self.call_mut(key);
        let root = call.root;
        let party = match call.tree() {
            Some(tree) if tree.is_connected => {
                tree.branch_mut(at).and_then(|branch| branch.leaves.first()).map(|leaf| leaf.at_root)
            }
            _ => None,
        };
        // Earlier versions have no ALERTING: then the calling user just waits.
        match party {
            Some(party) => {
                self.ask(root.port, |signaling| {
                    signaling.party_alerting(now, root.call, party, &answer.other)
                })
                .ok();
            }
            None => {
                let answer = Answer { connection: None, ..answer.clone() };
                self.ask(root.port, |signaling| signaling.alerting(now, root.call, &answer)).ok();
            }
        }
    }

    /// CONNECT at a branch: the connection is made, and the root told.
    pub(super) fn branch_connected(&mut self, now: Time, fabric: &mut Fabric, at: At, answer: &Answer) {
        let Some(Part::Branch(key)) = self.part(at) else { return };
        let answer = Answer { connection: None, ..answer.clone() };
        if self.call_mut(key).tree().is_some() {
            return self.tree_branch_connected(now, fabric, key, at, &answer);
        }
        let root = self.call(key).root;
        if let Err(error) = self.join(fabric, key, at) {
            let cause = Refusal::from(error).cause();
            self.counters.count_refusal(cause.value);
            return self.release_call(now, fabric, key, &cause, &[]);
        }
        if let Kind::PointToPoint { progress, .. } = &mut self.call_mut(key).kind {
            *progress = Progress::Connected;
        }
        self.counters.calls_connected += 1;
        // Refused only if the call has ended at the root meanwhile, which is told next.
        self.ask(root.port, |signaling| signaling.connect(now, root.call, &answer)).ok();
    }

    pub(super) fn part(&self, at: At) -> Option<Part> {
        self.port(at.port).halves.get(at.call).map(|half| half.part)
    }

    /// A line of SDUs carries AAL5 alone.
    pub(super) fn check_form(&self, slot: u32, sdus: &SduLimits) -> Result<(), Refusal> {
        match self.port(slot).form {
            Form::Sdus if !sdus.may_be_aal5 => Err(Refusal::Aal),
            Form::Sdus | Form::Cells => Ok(()),
        }
    }

    /// True if the address is below a prefix that this switch gives out.
    fn is_ours(&self, address: &AtmAddress) -> bool {
        let prefixes = |port: &PortConfig| {
            port.uni.addresses.prefixes.iter().any(|prefix| address.octets().starts_with(prefix))
        };
        matches!(address, AtmAddress::Nsap(_)) && self.ports().any(|port| prefixes(&port.config))
    }
}

impl SduLimits {
    fn of(params: &CallParams) -> SduLimits {
        let octets = |max: Option<u16>| max.map_or(SDU_OCTETS_MAX, usize::from);
        match (&params.aal, params.aal5_sdu_octets_max()) {
            (_, Some((forward, backward))) => SduLimits {
                may_be_aal5: true,
                is_aal5: true,
                forward_max: octets(forward),
                backward_max: octets(backward),
            },
            (aal, None) => SduLimits {
                may_be_aal5: aal.is_none(),
                is_aal5: false,
                forward_max: SDU_OCTETS_MAX,
                backward_max: SDU_OCTETS_MAX,
            },
        }
    }
}

pub(super) fn called_address(called: &CalledPartyNumber) -> Result<&AtmAddress, Refusal> {
    called.0.address().ok_or(Refusal::NumberFormat)
}

/// IEs that ask the network for what it does not have.
fn check_other(other: &[Ie]) -> Result<(), Refusal> {
    let asks = |id| other.iter().any(|ie| ie.id() == id);
    if asks(IeId::TRANSIT_NETWORK_SELECTION) { Err(Refusal::TransitNetwork) } else { Ok(()) }
}

/// The contracts, if they make sense. A peak of zero means that nothing is sent that way (UNI 3.1 §5.6.1).
fn checked_contracts(params: &CallParams) -> Result<Contracts, Refusal> {
    if params.bearer.class == BearerClass::TRANSPARENT_VP {
        return Err(Refusal::Bearer);
    }
    let contracts = params.contracts();
    check_contract(&contracts.forward)?;
    check_contract(&contracts.backward)?;
    Ok(contracts)
}

pub(super) fn check_contract(contract: &Contract) -> Result<(), Refusal> {
    match contract.pcr_cells_per_s {
        Some(0) => Ok(()),
        _ => Ok(contract.check()?),
    }
}

/// The SETUP for a port of another version: bearer capability and traffic options as that version wants them. `None`: as it is.
fn translated(
    version: Version,
    from: Version,
    params: &CallParams,
    contracts: &Contracts,
) -> Option<CallParams> {
    if version == from {
        return None;
    }
    let called = params.called_address()?;
    let own = CallParams::new(version, called.clone(), contracts, 0);
    // Only what is written as that version writes it: what a user wrote otherwise is not touched.
    let foreign = CallParams::new(from, called.clone(), contracts, 0);
    let is_foreign = params.bearer.class == foreign.bearer.class
        && params.bearer.transfer == foreign.bearer.transfer
        && (foreign.bearer != own.bearer || foreign.traffic.options != own.traffic.options);
    is_foreign.then(|| {
        let bearer =
            BearerCapability { class: own.bearer.class, transfer: own.bearer.transfer, ..params.bearer };
        let traffic = TrafficDescriptor { options: own.traffic.options, ..params.traffic };
        CallParams { bearer, traffic, ..params.clone() }
    })
}
