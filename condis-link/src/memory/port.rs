//! An attachment to a segment.

use std::fmt;
use std::sync::{Arc, Weak};

use super::flight::PortId;
use super::segment::Shared;
use super::wire::Tally;
use crate::counters::{Count, Counters};
use crate::{Frame, Link, LinkUser, MacAddr};

/// How a port is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortOptions {
    /// The station's address.
    pub address: MacAddr,
    /// Octets of the longest payload that the port sends and receives.
    pub mtu_octets: usize,
    /// Receives every frame of the segment but its own.
    pub promiscuous: bool,
}

impl PortOptions {
    /// A port for this station alone, with an MTU of 1500 octets (IEEE 802.3 §3.2.7).
    pub const fn new(address: MacAddr) -> PortOptions {
        PortOptions { address, mtu_octets: 1500, promiscuous: false }
    }
}

/// An attachment to a [`Segment`](super::Segment). Dropping it closes it.
pub struct Port {
    segment: Arc<Shared>,
    name: String,
    id: PortId,
    mtu_octets: usize,
    tally: Tally,
}

impl Port {
    pub(super) fn new(segment: Arc<Shared>, id: PortId, mtu_octets: usize, tally: Tally) -> Port {
        let name = format!("{}/{}", segment.name(), id.address);
        Port { segment, name, id, mtu_octets, tally }
    }

    /// Pulls this port's plug. Its frames under way are lost, and those for it as they arrive.
    pub fn cut(&self) {
        self.segment.set_port_cut(self.id, true);
    }

    /// Puts the plug back.
    pub fn mend(&self) {
        self.segment.set_port_cut(self.id, false);
    }
}

impl Link for Port {
    fn name(&self) -> &str {
        &self.name
    }

    fn address(&self) -> MacAddr {
        self.id.address
    }

    fn mtu_octets(&self) -> usize {
        self.mtu_octets
    }

    fn speed_bps(&self) -> Option<u64> {
        self.segment.rate_bps()
    }

    fn is_up(&self) -> bool {
        self.segment.is_up(self.id)
    }

    fn attach(&self, user: Weak<dyn LinkUser>) {
        self.segment.set_user(self.id, user);
    }

    fn transmit(&self, frames: &[Frame<'_>]) -> usize {
        self.segment.transmit(self.id, frames).unwrap_or_else(|| {
            self.tally.count(Count::Closed, frames.len());
            frames.len()
        })
    }

    fn close(&self) {
        self.segment.detach(self.id);
    }

    fn counters(&self) -> &Counters {
        &self.tally.own
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {}: {}", self.name, self.tally.own)
    }
}
