//! Permanent virtual connections: cross-connects that are configured and not signaled.

use std::fmt;

use condis_link::atm::VpVc;

use super::half::{Half, Part};
use super::record::SduLimits;
use super::{Exchange, Refusal, Signaling};
use crate::aal5::SDU_OCTETS_MAX;
use crate::switch::cac::CacError;
use crate::switch::fabric::{Fabric, FabricError};
use crate::switch::port::PortId;
use crate::switch::vc_alloc::AllocError;
use crate::traffic::{Contract, ContractError};
use crate::uni::Contracts;

/// Names a PVC of a switch. It is not used again within the life of the switch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PvcId(pub u32);

/// A PVC: both ends, and what each may send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PvcConfig {
    /// One end: the port, and the VPI/VCI there. It must be of the port's range.
    pub a: (PortId, VpVc),
    /// The other end. It may be at the same port.
    pub b: (PortId, VpVc),
    /// What `a` sends to `b` (forward) and `b` to `a` (backward).
    pub contracts: Contracts,
    /// It carries AAL5: frames are discarded as a whole where there is no room. A line of SDUs carries nothing else.
    pub aal5: bool,
}

impl PvcConfig {
    /// Best effort both ways, AAL5.
    pub fn ubr(a: (PortId, VpVc), b: (PortId, VpVc)) -> PvcConfig {
        PvcConfig { a, b, contracts: Contracts::both(Contract::UBR), aal5: true }
    }
}

/// Why a PVC was not made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PvcError {
    /// No such port.
    #[error("there is no {0}")]
    NoSuchPort(PortId),
    /// There are as many as there may be.
    #[error("the switch has {max} PVCs already")]
    TooMany {
        /// The bound.
        max: usize,
    },
    /// The contract makes no sense.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// There is not enough of a port's rate.
    #[error("{port}: {error}")]
    CellRate {
        /// The port.
        port: PortId,
        /// What is missing.
        error: CacError,
    },
    /// The VPI/VCI is not free, or not of the port's range.
    #[error("{port}: {error}")]
    Vc {
        /// The port.
        port: PortId,
        /// What is wrong with it.
        error: AllocError,
    },
    /// A line carries AAL5 alone, and the PVC is of something else.
    #[error("a line on the way carries AAL5 alone")]
    Aal,
    /// The fabric has no place.
    #[error(transparent)]
    Fabric(#[from] FabricError),
}

/// A PVC that is there.
pub(super) struct Pvc {
    pub(super) config: PvcConfig,
    a: Half,
    b: Half,
}

impl<S: Signaling> Exchange<S> {
    /// Makes a PVC.
    pub(crate) fn add_pvc(&mut self, fabric: &mut Fabric, config: PvcConfig) -> Result<PvcId, PvcError> {
        let max = self.config.pvcs_max;
        if self.pvcs.len() >= max {
            return Err(PvcError::TooMany { max });
        }
        let Contracts { forward, backward } = config.contracts;
        forward.check()?;
        backward.check()?;
        let a = self.admit_end(config.a, &forward, &backward, config.aal5)?;
        let b = match self.admit_end(config.b, &backward, &forward, config.aal5) {
            Ok(b) => b,
            Err(error) => {
                self.give_back_end(config.a.0, a);
                return Err(error);
            }
        };
        if let Err(error) = self.join_ends(fabric, &config) {
            self.cut_ends(fabric, &config);
            self.give_back_end(config.a.0, a);
            self.give_back_end(config.b.0, b);
            return Err(error.into());
        }
        let id = PvcId(self.pvcs_made);
        self.pvcs_made += 1;
        self.pvcs.insert(id, Pvc { config, a, b });
        Ok(id)
    }

    /// Takes a PVC away. False if there is none.
    pub(crate) fn remove_pvc(&mut self, fabric: &mut Fabric, id: PvcId) -> bool {
        let Some(Pvc { config, a, b }) = self.pvcs.remove(&id) else { return false };
        self.cut_ends(fabric, &config);
        self.give_back_end(config.a.0, a);
        self.give_back_end(config.b.0, b);
        true
    }

    pub(super) fn remove_pvcs_of(&mut self, fabric: &mut Fabric, port: PortId) {
        let ends = |pvc: &Pvc| pvc.config.a.0 == port || pvc.config.b.0 == port;
        let ids: Vec<PvcId> = self.pvcs.iter().filter(|(_, pvc)| ends(pvc)).map(|(id, _)| *id).collect();
        for id in ids {
            self.counters.cut_with_port += 1;
            self.remove_pvc(fabric, id);
        }
    }

    /// All PVCs, by name.
    pub(crate) fn pvcs(&self) -> impl Iterator<Item = (PvcId, &PvcConfig)> {
        self.pvcs.iter().map(|(id, pvc)| (*id, &pvc.config))
    }

    fn admit_end(
        &mut self,
        (id, vpvc): (PortId, VpVc),
        incoming: &Contract,
        outgoing: &Contract,
        aal5: bool,
    ) -> Result<Half, PvcError> {
        let port = self.get_mut(id).ok_or(PvcError::NoSuchPort(id))?;
        if port.form == condis_link::atm::Form::Sdus && !aal5 {
            return Err(PvcError::Aal);
        }
        let half = port.admit(Some(vpvc), incoming, outgoing).map_err(|refusal| match refusal {
            Refusal::CellRate(error) => PvcError::CellRate { port: id, error },
            Refusal::Vc(error) => PvcError::Vc { port: id, error },
            other => unreachable!("a port admits by its rates and identifiers alone, and says {other}"),
        })?;
        debug_assert_eq!(half.part, Part::Ending, "it is of no call");
        Ok(half)
    }

    fn give_back_end(&mut self, id: PortId, half: Half) {
        if let Some(port) = self.get_mut(id) {
            port.give_back(half);
        }
    }

    fn join_ends(&self, fabric: &mut Fabric, config: &PvcConfig) -> Result<(), FabricError> {
        let ((a, a_vpvc), (b, b_vpvc)) = (config.a, config.b);
        let Contracts { forward, backward } = config.contracts;
        let sdus = SduLimits {
            may_be_aal5: config.aal5,
            is_aal5: config.aal5,
            forward_max: SDU_OCTETS_MAX,
            backward_max: SDU_OCTETS_MAX,
        };
        fabric.open(a, a_vpvc, self.flow_config(self.slots[&a], &forward, &sdus, sdus.forward_max))?;
        fabric.open(b, b_vpvc, self.flow_config(self.slots[&b], &backward, &sdus, sdus.backward_max))?;
        fabric.add_leg(a, a_vpvc, b, b_vpvc)?;
        fabric.add_leg(b, b_vpvc, a, a_vpvc)
    }

    fn cut_ends(&mut self, fabric: &mut Fabric, config: &PvcConfig) {
        for ((from, vpvc), (to, vpvc_to)) in [(config.a, config.b), (config.b, config.a)] {
            if fabric.remove_leg(from, vpvc, to, vpvc_to)
                && let Some(port) = self.get_mut(to)
            {
                port.drains(vpvc_to);
            }
            fabric.close(from, vpvc);
        }
    }
}

/// `port 1 0.40 <-> port 2 0.50 Ubr`.
impl fmt::Display for PvcConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((a, a_vpvc), (b, b_vpvc)) = (self.a, self.b);
        write!(f, "{a} {a_vpvc} <-> {b} {b_vpvc} {:?}", self.contracts.forward.category)
    }
}
