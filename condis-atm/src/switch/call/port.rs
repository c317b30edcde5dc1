//! A port, as the call engine sees it: its signaling, and what it can give to calls.

use std::collections::BTreeSet;
use std::time::Duration;

use condis_link::atm::{Form, VpVc};

use super::half::{Half, Halves, Part, Reserved};
use super::refusal::Refusal;
use crate::aal5::cells_of;
use crate::switch::cac::Cac;
use crate::switch::config::{Policing, PortConfig};
use crate::switch::vc_alloc::{VcAllocator, VcUse};
use crate::switch::{PortId, SwitchConfig};
use crate::traffic::Contract;

/// A port with its signaling.
pub(crate) struct CallPort<S> {
    pub(crate) id: PortId,
    pub(crate) config: PortConfig,
    pub(crate) form: Form,
    pub(crate) signaling: S,
    pub(crate) vcs: VcAllocator,
    /// From the line into the switch.
    pub(crate) incoming: Cac,
    /// From the switch to the line.
    pub(crate) outgoing: Cac,
    pub(super) halves: Halves,
    /// Its signaling may have outputs.
    pub(super) is_dirty: bool,
    /// Identifiers with cells in the port's queues, whose connections are cut.
    draining: BTreeSet<VpVc>,
}

impl<S> CallPort<S> {
    pub(super) fn new(
        id: PortId,
        config: PortConfig,
        form: Form,
        cells_per_s: Option<u64>,
        switch: &SwitchConfig,
        signaling: S,
    ) -> CallPort<S> {
        let bookable = cells_per_s.map(|rate| rate.saturating_mul(config.bookable_percent.into()) / 100);
        CallPort {
            id,
            form,
            signaling,
            vcs: VcAllocator::new(config.vcs.clone(), config.vcs_max),
            incoming: Cac::new(switch.vbr_rule, bookable),
            outgoing: Cac::new(switch.vbr_rule, bookable),
            halves: Halves::default(),
            is_dirty: false,
            draining: BTreeSet::new(),
            config,
        }
    }

    /// Sets aside what a connection needs here: rates, and the identifier that was asked for or any.
    pub(super) fn admit(
        &mut self,
        requested: Option<VpVc>,
        incoming: &Contract,
        outgoing: &Contract,
    ) -> Result<Half, Refusal> {
        let incoming = self.incoming.reserve(incoming)?;
        let outgoing = match self.outgoing.reserve(outgoing) {
            Ok(outgoing) => outgoing,
            Err(error) => {
                self.incoming.release(incoming);
                return Err(error.into());
            }
        };
        let reserved = Reserved { incoming, outgoing };
        let vpvc = match requested {
            Some(vpvc) => self.vcs.take(vpvc).map(|()| vpvc),
            None => self.vcs.allocate(),
        };
        match vpvc {
            Ok(vpvc) => Ok(Half { part: Part::Ending, vpvc, reserved: Some(reserved) }),
            Err(error) => {
                self.release(reserved);
                Err(error.into())
            }
        }
    }

    /// Takes the rates of a half back: its connection is cut.
    pub(super) fn release(&mut self, reserved: Reserved) {
        self.incoming.release(reserved.incoming);
        self.outgoing.release(reserved.outgoing);
    }

    /// Takes all back that a half has.
    pub(super) fn give_back(&mut self, half: Half) {
        if let Some(reserved) = half.reserved {
            self.release(reserved);
        }
        self.vcs.release(half.vpvc);
        if !self.draining.contains(&half.vpvc) {
            self.vcs.drained(half.vpvc);
        }
    }

    /// The connection is cut, and cells with its identifier are still queued.
    pub(super) fn drains(&mut self, vpvc: VpVc) {
        self.draining.insert(vpvc);
    }

    /// No cell with this identifier is queued any more.
    pub(super) fn drained(&mut self, vpvc: VpVc) {
        self.draining.remove(&vpvc);
        if self.vcs.use_of(vpvc) == VcUse::Draining {
            self.vcs.drained(vpvc);
        }
    }

    /// The contract to hold what comes in here to, if the port does that. A line of SDUs brings the cells of an SDU at once.
    pub(super) fn policed(&self, contract: Contract, sdu_octets_max: usize) -> Option<Contract> {
        let Policing::On { jitter } = self.config.policing else { return None };
        let peak = contract.pcr_cells_per_s.filter(|peak| *peak != 0)?;
        let cells = if self.form == Form::Sdus { cells_of(sdu_octets_max) as u32 } else { 0 };
        let burst = Duration::from_secs(1) * cells / peak;
        Some(Contract { cdvt: contract.cdvt.saturating_add(jitter).saturating_add(burst), ..contract })
    }
}
