//! What is known of a lab once it has run.

use std::collections::BTreeMap;
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

/// A wire.
pub struct LinkReport {
    /// Its name.
    pub name: String,
    /// What happened to frames, without zeros.
    pub frames: BTreeMap<&'static str, u64>,
}
