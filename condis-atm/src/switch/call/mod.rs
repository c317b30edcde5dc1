//! Calls through the switch: from the port that they come in on to the ports that they go out by.
//!
//! A call has a *half* at each port that it touches: a call of that port's signaling, a VPI/VCI, and what is set aside of the port's
//! rate. One half is the *root*, where the call came in; the others are *branches*, one of a point-to-point call, one for each port
//! of a point-to-multipoint call, on which its parties are leaves.
//!
//! ```text
//! calling user        root's port            the engine                 branch's port        called user
//!   SETUP ──────────▶ Setup ───────────────▶ admit at the root
//!                                            route; admit; setup ──────▶ SETUP ─────────────▶
//!   ◀── CALL PROCEEDING ◀───────── proceeding
//!                                            (Proceeding: nothing)      ◀──────── CALL PROCEEDING
//!   ◀────── ALERTING ◀──────────── alerting ◀────────────── Alerting ◀─────────────── ALERTING
//!   ◀─────── CONNECT ◀───────────── connect ◀ the fabric ◀─ Connected ◀─────────────── CONNECT
//!   RELEASE ────────▶ Released ────────────▶ cut; release ────────────▶ RELEASE ───────────▶
//!   ◀─ RELEASE COMPLETE ◀── release_response                          ReleaseConfirmed ◀─ RELEASE COMPLETE
//! ```
//!
//! - What is set aside goes back when the connection is cut, which is before the release is sent on. The VPI/VCI goes back when the
//!   port's signaling is done with it and no cell with it is queued any more.
//! - IEs that the switch does not read are passed on as they came; so are causes.
//! - A half whose call the switch has released is *ending*: it belongs to no call, and waits for its peer.

mod counters;
mod half;
mod modify;
mod port;
mod pvc;
mod record;
mod refusal;
mod release;
mod setup;
mod signaling;
mod tree;

use std::collections::{BTreeMap, VecDeque};

use condis::runtime::Time;
use condis_link::atm::{Form, VpVc};

pub use counters::CallCounters;
pub use pvc::{PvcConfig, PvcError, PvcId};
pub use refusal::Refusal;

pub(crate) use port::CallPort;
pub(crate) use signaling::Signaling;

use self::half::{At, CallKey, Part};
use self::pvc::Pvc;
use self::record::{Call, Calls, Kind, Progress, SduLimits};
use super::config::{PortConfig, SwitchConfig};
use super::fabric::{Class, Fabric, FlowConfig};
use super::info::SwitchCallInfo;
use super::port::PortId;
use super::routing::Routes;
use crate::aal5::SDU_OCTETS_MAX;
use crate::traffic::Contract;
use crate::uni::{Ie, Indication, PartyId};

/// The call engine of a switch. It requests of the ports' signaling and of the fabric, both of which its owner then polls: the ports
/// that it has asked something of are named by [`Exchange::poll_dirty`].
pub(crate) struct Exchange<S> {
    config: SwitchConfig,
    slots: BTreeMap<PortId, u32>,
    /// By slot.
    ports: Vec<Option<CallPort<S>>>,
    pub(crate) routes: Routes,
    calls: Calls,
    pvcs: BTreeMap<PvcId, Pvc>,
    pvcs_made: u32,
    counters: CallCounters,
    dirty: VecDeque<u32>,
}

impl<S: Signaling> Exchange<S> {
    pub(crate) fn new(config: SwitchConfig) -> Exchange<S> {
        Exchange {
            slots: BTreeMap::new(),
            ports: Vec::new(),
            routes: Routes::new(config.routes_max),
            calls: Calls::default(),
            pvcs: BTreeMap::new(),
            pvcs_made: 0,
            counters: CallCounters::default(),
            dirty: VecDeque::new(),
            config,
        }
    }

    /// Adds a port. Its routes are its owner's business.
    pub(crate) fn add_port(
        &mut self,
        id: PortId,
        config: PortConfig,
        form: Form,
        cells_per_s: Option<u64>,
        signaling: S,
    ) {
        let port = CallPort::new(id, config, form, cells_per_s, &self.config, signaling);
        let slot = self.ports.iter().position(Option::is_none).unwrap_or(self.ports.len());
        if slot == self.ports.len() {
            self.ports.push(None);
        }
        self.ports[slot] = Some(port);
        self.slots.insert(id, slot as u32);
    }

    /// Cuts and ends all calls of a port, and forgets it and its routes. Its signaling is not asked any more.
    pub(crate) fn remove_port(&mut self, now: Time, fabric: &mut Fabric, id: PortId) -> bool {
        let Some(&slot) = self.slots.get(&id) else { return false };
        self.routes.remove_port(id, None);
        self.remove_pvcs_of(fabric, id);
        let calls = self.port(slot).halves.names();
        let cause = Refusal::PortRemoved.cause();
        for call in calls {
            self.counters.cut_with_port += 1;
            self.half_ended(now, fabric, At::new(slot, call), std::slice::from_ref(&cause), &[]);
        }
        self.slots.remove(&id);
        self.ports[slot as usize] = None;
        self.dirty.retain(|dirty| *dirty != slot);
        true
    }

    /// A port whose signaling was asked something, and so may have outputs.
    pub(crate) fn poll_dirty(&mut self) -> Option<PortId> {
        loop {
            let slot = self.dirty.pop_front()?;
            if let Some(port) = &mut self.ports[slot as usize] {
                port.is_dirty = false;
                return Some(port.id);
            }
        }
    }

    /// A port.
    pub(crate) fn get(&self, id: PortId) -> Option<&CallPort<S>> {
        self.ports[*self.slots.get(&id)? as usize].as_ref()
    }

    /// A port's signaling was given an input, and so may have outputs.
    pub(crate) fn touch(&mut self, id: PortId) {
        if let Some(&slot) = self.slots.get(&id) {
            self.ask(slot, |_| ());
        }
    }

    /// A port, to give its signaling an input.
    pub(crate) fn get_mut(&mut self, id: PortId) -> Option<&mut CallPort<S>> {
        self.ports[*self.slots.get(&id)? as usize].as_mut()
    }

    /// All ports, by name.
    pub(crate) fn ports(&self) -> impl Iterator<Item = &CallPort<S>> {
        self.slots.values().filter_map(|slot| self.ports[*slot as usize].as_ref())
    }

    pub(crate) fn ports_len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn calls_len(&self) -> usize {
        self.calls.len()
    }

    /// All calls.
    pub(crate) fn calls(&self) -> impl Iterator<Item = SwitchCallInfo> + '_ {
        self.calls.iter().map(|call| {
            let place = |at: At| (self.port(at.port).id, self.vpvc(at));
            let (branches, parties, is_connected) = match &call.kind {
                Kind::PointToPoint { branch, progress } => {
                    (vec![place(*branch)], None, *progress != Progress::Offered)
                }
                Kind::PointToMultipoint(tree) => {
                    let branches = tree.branches.iter().map(|branch| place(branch.at)).collect();
                    (branches, Some(tree.parties_len()), tree.is_connected)
                }
            };
            SwitchCallInfo {
                root: place(call.root),
                branches,
                called: call.called.clone(),
                contracts: call.contracts,
                parties,
                is_connected,
            }
        })
    }

    pub(crate) fn counters(&self) -> &CallCounters {
        &self.counters
    }

    /// No cell with this identifier is queued any more.
    pub(crate) fn handle_drained(&mut self, id: PortId, vpvc: VpVc) {
        if let Some(port) = self.get_mut(id) {
            port.drained(vpvc);
        }
    }

    /// What a port's signaling tells.
    pub(crate) fn handle_indication(
        &mut self,
        now: Time,
        fabric: &mut Fabric,
        id: PortId,
        indication: Indication,
    ) {
        let Some(&slot) = self.slots.get(&id) else { return };
        let at = |call| At::new(slot, call);
        match indication {
            Indication::Setup { call, params } => self.root_setup(now, at(call), params),
            // CALL PROCEEDING went back with the SETUP; the connection is made at the root's side only.
            Indication::Proceeding { .. } => {}
            Indication::Alerting { call, answer } => self.branch_alerting(now, at(call), &answer),
            Indication::Connected { call, answer } => self.branch_connected(now, fabric, at(call), &answer),
            // The root's connection stands since the switch sent CONNECT.
            Indication::ConnectAcknowledged { .. } => {}
            Indication::Released { call, causes, other } => {
                self.half_ended(now, fabric, at(call), &causes, &other);
                // The connection is cut by now.
                self.ask(slot, |signaling| signaling.release_response(now, call)).ok();
            }
            Indication::ReleaseConfirmed { call, causes } => {
                self.half_ended(now, fabric, at(call), &causes, &[]);
            }
            Indication::PartyOffered { call, party, params } => {
                self.root_party_offered(now, at(call), party, *params);
            }
            Indication::PartyAlerting { call, party, other } => {
                self.branch_party_alerting(now, at(call), party, &other);
            }
            Indication::PartyConnected { call, party, answer } => {
                self.branch_party_connected(now, at(call), party, &answer);
            }
            Indication::PartyRejected { call, party, causes }
            | Indication::PartyDropped { call, party, causes } => {
                self.party_ended(now, fabric, at(call), party, &causes);
            }
            // The party was forgotten when it was dropped.
            Indication::PartyDropConfirmed { .. } => {}
            Indication::ModifyOffered { call, params } => self.root_modify_offered(now, at(call), &params),
            Indication::Modified { call, other } => self.branch_modified(now, fabric, at(call), &other),
            Indication::ModifyRejected { call, causes } => {
                self.branch_modify_rejected(now, at(call), &causes);
            }
            // No confirmation is asked for.
            Indication::ModifyConfirmed { .. } => {}
            // Signaling has compared the states.
            Indication::StatusReported { .. } => {}
            Indication::Notified { call, party, ies } => self.notified(now, at(call), party, &ies),
            Indication::Restarted { by_peer, .. } => self.counters.restarts += u64::from(by_peer),
            Indication::RestartFailed { .. } => self.counters.restarts_failed += 1,
        }
    }

    /// NOTIFY, to the other end or ends.
    fn notified(&mut self, now: Time, at: At, party: Option<PartyId>, ies: &[Ie]) {
        let Some(half) = self.port(at.port).halves.get(at.call) else { return };
        let (to, party) = match half.part {
            Part::Ending => return,
            Part::Root(key) => match &self.call(key).kind {
                Kind::PointToPoint { branch, .. } => (vec![*branch], None),
                Kind::PointToMultipoint(tree) => {
                    (tree.branches.iter().map(|branch| branch.at).collect(), None)
                }
            },
            Part::Branch(key) => {
                let call = self.call_mut(key);
                let root = call.root;
                let at_root = call.tree().and_then(|tree| tree.branch_mut(at)).and_then(|branch| {
                    party.and_then(|party| branch.leaf_mut(party)).map(|leaf| leaf.at_root)
                });
                (vec![root], at_root)
            }
        };
        for At { port, call } in to {
            self.ask(port, |signaling| signaling.notify(now, call, party, ies)).ok();
        }
    }

    /// Asks the signaling of a port for something.
    fn ask<T>(&mut self, slot: u32, request: impl FnOnce(&mut S) -> T) -> T {
        let port = self.port_mut(slot);
        let was_dirty = std::mem::replace(&mut port.is_dirty, true);
        let result = request(&mut port.signaling);
        if !was_dirty {
            self.dirty.push_back(slot);
        }
        result
    }

    fn port(&self, slot: u32) -> &CallPort<S> {
        self.ports[slot as usize].as_ref().expect("a port that goes takes its halves along")
    }

    fn port_mut(&mut self, slot: u32) -> &mut CallPort<S> {
        self.ports[slot as usize].as_mut().expect("a port that goes takes its halves along")
    }

    fn call(&self, key: CallKey) -> &Call {
        self.calls.get(key).expect("a half that belongs to no call is ending")
    }

    fn call_mut(&mut self, key: CallKey) -> &mut Call {
        self.calls.get_mut(key).expect("a half that belongs to no call is ending")
    }

    /// The VPI/VCI of a half that is there.
    fn vpvc(&self, at: At) -> VpVc {
        self.port(at.port).halves.get(at.call).expect("the call knows its halves").vpvc
    }

    /// What the fabric is to make of a direction that comes in at this port.
    fn flow_config(
        &self,
        port: u32,
        contract: &Contract,
        sdus: &SduLimits,
        sdu_octets_max: usize,
    ) -> FlowConfig {
        let class = match contract.pcr_cells_per_s {
            // Nothing is set aside for it, whatever its category.
            Some(0) => Class::Ubr,
            _ => Class::from(contract.category),
        };
        // What is known to be of another AAL has no frames.
        let frame_discard = sdus.is_aal5 || (sdus.may_be_aal5 && contract.frame_discard);
        let contract = Contract { frame_discard, ..*contract };
        FlowConfig {
            class,
            frame_discard,
            sdu_octets_max: sdu_octets_max.clamp(1, SDU_OCTETS_MAX),
            policed: self.port(port).policed(contract, sdu_octets_max),
        }
    }
}
