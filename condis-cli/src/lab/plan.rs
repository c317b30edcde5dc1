//! What a lab comes to: names resolved, numbers in range.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use condis_atm::addr::{AtmAddress, Esi};
use condis_atm::driver::{AtmCall, AtmSap};
use condis_atm::switch::AddressPrefix;
use condis_atm::traffic::Contract;
use condis_atm::uni::Version;
use condis_link::MacAddr;
use condis_link::atm::{FibreConditions, VpVc};
use condis_link::memory::Conditions;

use super::{IpPlan, Source};

/// A lab that makes sense: names resolve, numbers are in range.
#[derive(Clone, Debug)]
pub struct Lab {
    /// The name of the built-in, or the path.
    pub name: String,
    /// What it is, in a line.
    pub description: String,
    /// The Ethernets in memory.
    pub segments: Vec<Segment>,
    /// The fibres in memory.
    pub fibres: Vec<FibrePlan>,
    /// The switches.
    pub switches: Vec<SwitchPlan>,
    /// The NDIS instances.
    pub nodes: Vec<NodePlan>,
    /// The text it was read from, so that later errors can point into it.
    pub source: Source,
}

impl Lab {
    /// True if nobody in it makes a call or asks anybody: it then runs until it is stopped.
    pub fn serves(&self) -> bool {
        self.nodes.iter().flat_map(|node| &node.clients).all(|client| client.calls.is_empty())
            && self.nodes.iter().flat_map(|node| &node.ips).all(|ip| ip.pings().is_none())
    }

    /// The first TUN device of it, where the lab file names it, and whose it is.
    pub fn tun(&self) -> Option<(String, &str, &Range<usize>)> {
        let ips = self.nodes.iter().flat_map(|node| node.ips.iter().map(move |ip| (node, ip)));
        let mut tuns = ips.filter_map(|(node, ip)| {
            ip.tun().map(|(tun, at)| (format!("IP client {} of node {}", ip.name, node.name), tun, at))
        });
        tuns.next()
    }

    /// The first link of it that is real, with who is on it.
    pub fn real_link(&self) -> Option<(String, &LinkPlan)> {
        let adapters = self.nodes.iter().flat_map(|node| {
            let name = |adapter: &AdapterPlan| format!("adapter {} of node {}", adapter.name, node.name);
            node.adapters.iter().map(move |adapter| (name(adapter), &adapter.link))
        });
        let ports = self.switches.iter().flat_map(|switch| {
            let name = |port: &PortPlan| format!("port {} of switch {}", port.name, switch.name);
            switch.ports.iter().map(move |port| (name(port), &port.link))
        });
        adapters.chain(ports).find(|(_, link)| link.place().is_some())
    }
}

/// An Ethernet in memory.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// What it does to frames.
    pub conditions: Conditions,
    /// When it is cut, and for how long, counted from the first call.
    pub cuts: Vec<Cut>,
}

/// A fibre in memory, which has two ends.
#[derive(Clone, Debug)]
pub struct FibrePlan {
    /// Its name.
    pub name: String,
    /// What it does to cells.
    pub conditions: FibreConditions,
    /// When it is cut, and for how long, counted from the first call.
    pub cuts: Vec<Cut>,
}

/// A time in which nothing passes.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Since the first call.
    pub at: Duration,
    /// How long.
    pub span: Duration,
}

/// An ATM switch.
#[derive(Clone, Debug)]
pub struct SwitchPlan {
    /// Its name.
    pub name: String,
    /// Its ports.
    pub ports: Vec<PortPlan>,
    /// Its permanent connections.
    pub pvcs: Vec<SwitchPvc>,
}

/// A port of a switch.
#[derive(Clone, Debug)]
pub struct PortPlan {
    /// Its name, unique in its switch.
    pub name: String,
    /// The line. One that listens makes a port of each line that calls.
    pub link: LinkPlan,
    /// The signaling that is spoken.
    pub version: Version,
    /// The prefix under which end systems register by ILMI; `None`: no ILMI.
    pub prefix: Option<[u8; AtmAddress::PREFIX_OCTETS]>,
    /// Addresses that are there without ILMI.
    pub addresses: Vec<AtmAddress>,
    /// What else is reached through it.
    pub routes: Vec<AddressPrefix>,
    /// Cells a second that calls may book, and that are sent at most; `None`: as the line has it.
    pub cells_per_s: Option<u64>,
    /// Whether what comes in is held to its contract.
    pub police: bool,
}

/// A permanent connection through a switch: a port, by its place among those of the switch, and the numbers there, of each end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SwitchPvc {
    /// One end.
    pub a: (usize, VpVc),
    /// The other.
    pub b: (usize, VpVc),
    /// What it may carry, each way.
    pub contract: Contract,
}

/// One NDIS instance.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// Its name.
    pub name: String,
    /// Its adapters.
    pub adapters: Vec<AdapterPlan>,
    /// The clients on them.
    pub clients: Vec<ClientPlan>,
    /// The IP clients on them.
    pub ips: Vec<IpPlan>,
}

/// An adapter and what drives it.
#[derive(Clone, Debug)]
pub struct AdapterPlan {
    /// Its name, unique in its node.
    pub name: String,
    /// The wire.
    pub link: LinkPlan,
    /// The way it is managed.
    pub manager: Manager,
    /// The protocol of its calls.
    pub network: Network,
}

/// The protocol of calls.
#[derive(Clone, Debug)]
pub enum Network {
    /// PPPoE.
    Pppoe {
        /// The name of the access concentrator that it is, if it takes calls.
        concentrator: Option<String>,
    },
    /// ATM.
    Atm(AtmPlan),
}

impl Network {
    /// As it is printed.
    pub const fn name(&self) -> &'static str {
        match self {
            Network::Pppoe { .. } => "PPPoE",
            Network::Atm(_) => "ATM",
        }
    }
}

/// How an adapter signals.
#[derive(Clone, Debug)]
pub struct AtmPlan {
    /// The signaling that is spoken.
    pub version: Version,
    /// The end system.
    pub esi: Esi,
    /// Whether addresses are registered by ILMI.
    pub ilmi: bool,
    /// Addresses that are there without ILMI.
    pub addresses: Vec<AtmAddress>,
    /// The address that it will have; `None` if that depends on another machine.
    pub address: Option<AtmAddress>,
}

/// What an adapter, or a port, is attached to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LinkPlan {
    /// A segment of the lab.
    Segment {
        /// Which one, by its place in [`Lab::segments`].
        segment: usize,
        /// The address on it.
        address: MacAddr,
    },
    /// A network interface of this machine.
    Ethernet {
        /// Its name.
        interface: String,
        /// Where the lab file says so.
        at: Range<usize>,
    },
    /// An end of a fibre of the lab.
    Fibre {
        /// Which one, by its place in [`Lab::fibres`].
        fibre: usize,
        /// Which end: 0 or 1.
        end: usize,
    },
    /// ATM over TCP.
    AtmTcp {
        /// Wait for the other end to connect.
        listen: bool,
        /// Where.
        address: SocketAddr,
        /// Where the lab file says so.
        at: Range<usize>,
    },
    /// AAL5 over UDP.
    AtmUdp {
        /// Our own address.
        local: SocketAddr,
        /// The other end's.
        peer: SocketAddr,
        /// Where the lab file says so.
        at: Range<usize>,
    },
}

impl LinkPlan {
    /// Where the lab file names it, if it is a real link, whose time is not ours.
    pub fn place(&self) -> Option<&Range<usize>> {
        match self {
            LinkPlan::Segment { .. } | LinkPlan::Fibre { .. } => None,
            LinkPlan::Ethernet { at, .. } | LinkPlan::AtmTcp { at, .. } | LinkPlan::AtmUdp { at, .. } => {
                Some(at)
            }
        }
    }
}

/// The two ways of managing calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manager {
    /// A miniport with a call manager over it: signaling passes through NDIS.
    CallManager,
    /// A miniport call manager: signaling is its own affair.
    Mcm,
}

impl Manager {
    /// As it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Manager::CallManager => "call-manager",
            Manager::Mcm => "mcm",
        }
    }
}

/// A client and what it does.
#[derive(Clone, Debug)]
pub struct ClientPlan {
    /// Its name, unique in its node.
    pub name: String,
    /// The adapter it is bound to.
    pub adapter: String,
    /// Where it takes calls.
    pub offers: Vec<Offer>,
    /// Permanent connections on which it takes calls.
    pub pvcs: Vec<VpVc>,
    /// Silence after which it hangs up a call that it took; `None`: never.
    pub idle: Option<Duration>,
    /// The calls it makes, one after the other.
    pub calls: Vec<CallPlan>,
}

/// Where a client takes calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Offer {
    /// A PPPoE service.
    Service(String),
    /// An ATM address, and what the caller says of the layers above.
    Atm(Box<AtmSap>, String),
}

impl Offer {
    /// As it is written.
    pub fn name(&self) -> &str {
        match self {
            Offer::Service(name) | Offer::Atm(_, name) => name,
        }
    }
}

/// A call to be made.
#[derive(Clone, Debug)]
pub struct CallPlan {
    /// Whom it calls.
    pub target: CallTo,
    /// Octets to send, and to hear back.
    pub send_octets: u64,
    /// Octets of them in one frame.
    pub frame_octets: usize,
    /// What is compared.
    pub check: Check,
    /// Who closes.
    pub close: Close,
    /// It is to be refused for this cause (Q.850).
    pub refused: Option<u8>,
    /// How long the call stays up once the data has passed.
    pub hold: Duration,
    /// How often the call is made, one after the other.
    pub times: u32,
    /// Time without any progress after which the call is given up.
    pub timeout: Duration,
}

impl CallPlan {
    /// The peak cell rate that the call is changed to, if it is.
    pub fn change_pcr(&self) -> Option<u32> {
        match &self.target {
            CallTo::Atm(target) => target.change_pcr,
            CallTo::Pppoe { .. } | CallTo::Pvc(_) => None,
        }
    }
}

/// Whom a call is to.
#[derive(Clone, Debug)]
pub enum CallTo {
    /// A PPPoE service.
    Pppoe {
        /// The service; empty is any.
        service: String,
        /// The access concentrator, if it must be a certain one.
        concentrator: Option<String>,
    },
    /// An ATM end system.
    Atm(Box<AtmTarget>),
    /// A permanent connection.
    Pvc(VpVc),
}

impl CallTo {
    /// As it is written in the lab.
    pub fn name(&self) -> String {
        match self {
            CallTo::Pppoe { service, .. } => service.clone(),
            CallTo::Atm(target) => target.name.clone(),
            CallTo::Pvc(vpvc) => format!("pvc {vpvc}"),
        }
    }
}

/// A call to an ATM end system, or to many.
#[derive(Clone, Debug)]
pub struct AtmTarget {
    /// As it is written in the lab.
    pub name: String,
    /// The call.
    pub call: AtmCall,
    /// The further leaves of a point-to-multipoint call, with their names; each is added, hears a part of the data, and is
    /// dropped.
    pub leaves: Vec<(AtmAddress, String)>,
    /// True of a point-to-multipoint call.
    pub multipoint: bool,
    /// The peak cell rate that the call is changed to once the data has passed.
    pub change_pcr: Option<u32>,
}

/// What is compared after the data has passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Check {
    /// The echo with what was sent, and both with what the other end reports that it heard.
    Both,
    /// The echo with what was sent.
    Echo,
    /// Nothing; no echo is waited for.
    None,
}

/// Who closes a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Close {
    /// The caller.
    Caller,
    /// The called end, because the caller asks it to.
    Called,
}
