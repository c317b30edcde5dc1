//! What is known of a lab once it has run.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use condis::node::Left;
use condis::trace::ObjectId;
use condis::vc::VcInfo;
use condis_link::atm::VpVc;

use super::chart::Chart;
use super::switches::SwitchRun;
use crate::client::ledger::{CallRecord, Totals};
use crate::lab::Manager;

/// What a run came to.
pub struct Report {
    /// The lab.
    pub lab: String,
    /// The seed, of a simulation.
    pub seed: Option<u64>,
    /// How long it took, by the lab's own clock.
    pub took: Duration,
    /// What was asked and did not happen, a sentence each. With none, all is well.
    pub problems: Vec<String>,
    /// The nodes, in the order of the lab.
    pub nodes: Vec<NodeReport>,
    /// The calls, in the order in which they began.
    pub calls: Vec<CallRecord>,
    /// How many calls there were.
    pub totals: Totals,
    /// The IP clients.
    pub ips: Vec<IpReport>,
    /// The wires.
    pub links: Vec<LinkReport>,
    /// The switches.
    pub switches: Vec<SwitchReport>,
    /// The crossings of one call, in the two worlds.
    pub(super) chart: Option<Chart>,
}

impl Report {
    /// True if all that was asked happened.
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty()
    }
}

/// A node.
pub struct NodeReport {
    /// Its name.
    pub name: String,
    /// How its calls are managed; nothing if its adapters differ in it.
    pub manager: Option<Manager>,
    /// Its adapters.
    pub adapters: Vec<AdapterReport>,
    /// Its VCs as its NDIS saw them while calls were up.
    pub vcs: Vec<VcSeen>,
    /// Crossings under their documented names, over the whole run.
    pub crossings: BTreeMap<&'static str, u64>,
    /// What clients called and were called with, and about what, in order; data is left out.
    pub client_log: Vec<(ObjectId, &'static str)>,
    /// What was left at the end.
    pub left: Left,
    /// Broken rules, as NDIS reported them.
    pub reports: Vec<String>,
}

/// A VC as its NDIS saw it.
pub struct VcSeen {
    /// What NDIS knows.
    pub info: VcInfo,
    /// Which virtual connection it is, if its driver knows.
    pub vpvc: Option<VpVc>,
}

/// A switch.
pub struct SwitchReport {
    /// Its name.
    pub name: String,
    /// What became of calls, and what else it counted, without zeros.
    pub counters: BTreeMap<&'static str, u64>,
    /// Calls that it still had at the end.
    pub calls_left: usize,
}

impl SwitchReport {
    pub(super) fn of(run: &SwitchRun) -> SwitchReport {
        let switch = &run.switch;
        let (calls, other) = (switch.call_counters(), switch.counters());
        SwitchReport {
            name: switch.name().to_owned(),
            counters: calls.iter().chain(other.iter()).filter(|(_, count)| *count > 0).collect(),
            calls_left: switch.calls().len(),
        }
    }
}

/// An adapter.
pub struct AdapterReport {
    /// Its name.
    pub name: String,
    /// How its calls are managed.
    pub manager: Manager,
    /// The link.
    pub link: String,
    /// What its manager counted, without zeros.
    pub counters: BTreeMap<String, u64>,
}

/// An IP client and its host.
pub struct IpReport {
    /// The node.
    pub node: String,
    /// Its name.
    pub name: String,
    /// Its IP address, with the length of the prefix.
    pub ip: String,
    /// The adapter that it is bound to.
    pub adapter: String,
    /// Its ATM address.
    pub address: String,
    /// Its ATMARP server: an address, `here` or `none`.
    pub server: String,
    /// Its TUN device; without one, its host is in memory.
    pub tun: Option<String>,
    /// What its host asked.
    pub pings: Vec<PingReport>,
    /// What it and its host counted, without zeros.
    pub counters: BTreeMap<String, u64>,
}

/// Echo requests of one kind.
#[derive(Clone)]
pub struct PingReport {
    /// Who was asked.
    pub to: Ipv4Addr,
    /// With how many octets of data.
    pub octets: usize,
    /// How often.
    pub asked: usize,
    /// How long each answer took that came in time.
    pub round_trips: Vec<Duration>,
    /// Which request was the last one.
    pub(super) last: u16,
}

impl PingReport {
    pub(super) fn new(to: Ipv4Addr, octets: usize, last: u16) -> PingReport {
        PingReport { to, octets, asked: 1, round_trips: Vec::new(), last }
    }

    /// The shortest, the median and the longest, if there was an answer.
    pub fn round_trip(&self) -> Option<[Duration; 3]> {
        let mut sorted = self.round_trips.clone();
        sorted.sort_unstable();
        Some([*sorted.first()?, sorted[sorted.len() / 2], *sorted.last()?])
    }
}

/// A wire.
pub struct LinkReport {
    /// Its name.
    pub name: String,
    /// What happened to frames, without zeros.
    pub frames: BTreeMap<&'static str, u64>,
}
