//! IP clients of a lab: hosts whose packets go over ATM.

use std::net::Ipv4Addr;
use std::ops::Range;
use std::time::Duration;

use condis_atm::ip::classical::{LisConfig, Server};
use condis_atm::ip::driver::IpPvc;

/// An IP client and the host above it.
#[derive(Clone, Debug)]
pub struct IpPlan {
    /// Its name, unique among the IP clients of its node.
    pub name: String,
    /// The adapter it is bound to.
    pub adapter: String,
    /// Its place in the subnet.
    pub lis: LisConfig,
    /// Its permanent connections.
    pub pvcs: Vec<IpPvc>,
    /// The host above it.
    pub host: HostPlan,
}

/// The host above an IP client.
#[derive(Clone, Debug)]
pub enum HostPlan {
    /// A host in memory, which answers echo requests.
    Memory(PingPlan),
    /// This machine, through a TUN device.
    Tun {
        /// The interface.
        name: String,
        /// Where the lab file says so.
        at: Range<usize>,
    },
}

/// What a host in memory asks: each of `to`, with each of `sizes`, `times` times.
#[derive(Clone, Debug)]
pub struct PingPlan {
    /// Whom.
    pub to: Vec<Ipv4Addr>,
    /// Octets of data in one request.
    pub sizes: Vec<usize>,
    /// How often each is asked.
    pub times: u32,
    /// Time after which an answer is missing.
    pub timeout: Duration,
    /// For so long each is asked until it answers for the first time, before anything counts.
    pub patience: Duration,
}

impl IpPlan {
    /// What it asks.
    pub fn pings(&self) -> Option<&PingPlan> {
        match &self.host {
            HostPlan::Memory(pings) => Some(pings).filter(|pings| !pings.to.is_empty()),
            HostPlan::Tun { .. } => None,
        }
    }

    /// Its TUN device, and where the lab file says so.
    pub fn tun(&self) -> Option<(&str, &Range<usize>)> {
        match &self.host {
            HostPlan::Memory(_) => None,
            HostPlan::Tun { name, at } => Some((name, at)),
        }
    }

    /// Its IP address with the length of the prefix.
    pub fn ip(&self) -> String {
        format!("{}/{}", self.lis.ip, self.lis.prefix_len)
    }

    /// Its ATMARP server, as it is printed.
    pub fn server(&self) -> String {
        match &self.lis.server {
            Server::Here => "here".to_owned(),
            Server::At(address) => address.to_string(),
            Server::None => "none".to_owned(),
        }
    }
}
