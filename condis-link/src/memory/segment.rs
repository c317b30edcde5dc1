//! The segment: the wire, put on a runtime.

use std::fmt;
use std::sync::{Arc, Weak};

use condis::runtime::Runtime;

use super::flight::PortId;
use super::wire::Ether;
use super::{Conditions, Port, PortOptions};
use crate::counters::Counters;
use crate::pump::Pump;
use crate::{Frame, LinkUser, MacAddr};

/// An Ethernet in memory; see the [module](super) for what it does to a frame.
///
/// A clone is the same segment. It lives as long as one of them, or one of its ports.
#[derive(Clone)]
pub struct Segment {
    shared: Arc<Shared>,
    /// Counts of all ports together.
    total: Arc<Counters>,
}

impl Segment {
    /// An Ethernet without stations. All that is random on it follows from `seed`.
    pub fn new(runtime: Arc<dyn Runtime>, name: &str, conditions: Conditions, seed: u64) -> Segment {
        let total = Arc::new(Counters::default());
        let shared = Pump::new(runtime, name, Ether::new(conditions, seed, total.clone()));
        Segment { shared, total }
    }

    /// Attaches a station with this address and an MTU of 1500 octets.
    ///
    /// # Errors
    /// See [`AttachError`].
    pub fn attach(&self, address: MacAddr) -> Result<Arc<Port>, AttachError> {
        self.attach_with(PortOptions::new(address))
    }

    /// Attaches a station.
    ///
    /// # Errors
    /// See [`AttachError`].
    pub fn attach_with(&self, options: PortOptions) -> Result<Arc<Port>, AttachError> {
        let address = options.address;
        if !address.is_station() {
            return Err(AttachError::NotAStation { address });
        }
        let attached = self.shared.with(|wire| wire.attach(&options));
        let Some((id, tally)) = attached else {
            return Err(AttachError::AddressTaken { address, segment: self.name().to_owned() });
        };
        Ok(Arc::new(Port::new(self.shared.clone(), id, options.mtu_octets, tally)))
    }

    /// The segment's name.
    pub fn name(&self) -> &str {
        self.shared.name()
    }

    /// What the wire does to frames at present.
    pub fn conditions(&self) -> Conditions {
        self.shared.with(|wire| wire.conditions.clone())
    }

    /// Changes what the wire does to the frames that are sent from now on.
    pub fn set_conditions(&self, conditions: Conditions) {
        self.shared.with(|wire| wire.conditions = conditions);
    }

    /// Cuts the wire for all ports. What is under way is lost.
    pub fn cut(&self) {
        self.shared.act(|wire, now| wire.set_cut(now, true));
    }

    /// Mends the wire. Ports whose own plug was pulled stay down.
    pub fn mend(&self) {
        self.shared.act(|wire, now| wire.set_cut(now, false));
    }

    /// What happened to frames, added up over all ports, those that are closed too.
    pub fn counters(&self) -> &Counters {
        &self.total
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {}: {}", self.name(), self.total)
    }
}

/// Why a station cannot be attached.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// Another port has the address; a frame could not tell them apart.
    #[error(
        "{address} is attached to segment {segment} already; expected an address of its own for each port"
    )]
    AddressTaken {
        /// The address.
        address: MacAddr,
        /// The name of the segment.
        segment: String,
    },
    /// The address is that of a group, or all zero.
    #[error("{address} cannot be a station's address; expected a unicast one such as 02:00:00:00:00:01")]
    NotAStation {
        /// The address.
        address: MacAddr,
    },
}

/// What the segment and its ports share.
pub(super) type Shared = Pump<Ether>;

impl Shared {
    pub(super) fn rate_bps(&self) -> Option<u64> {
        self.with(|wire| wire.conditions.rate_bps.map(u64::from))
    }

    pub(super) fn is_up(&self, port: PortId) -> bool {
        self.with(|wire| wire.is_up(port))
    }

    pub(super) fn set_user(&self, port: PortId, user: Weak<dyn LinkUser>) {
        self.with(|wire| wire.set_user(port, user));
    }

    pub(super) fn set_port_cut(&self, port: PortId, cut: bool) {
        self.act(|wire, now| wire.set_port_cut(now, port, cut));
    }

    pub(super) fn transmit(&self, port: PortId, frames: &[Frame<'_>]) -> Option<usize> {
        self.act(|wire, now| wire.transmit(now, port, frames))
    }

    pub(super) fn detach(&self, port: PortId) {
        self.with(|wire| wire.detach(port));
    }
}
