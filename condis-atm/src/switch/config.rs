//! What a switch and its ports are told.

use std::time::Duration;

use super::cac::VbrRule;
use super::fabric::QueueLimits;
use super::prefix::AddressPrefix;
use super::vc_alloc::VcRange;
use crate::addr::AtmAddress;
use crate::uni::{Side, UniConfig, Version};

/// What a switch is told when it is made: its rules and bounds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SwitchConfig {
    /// What is set aside for variable bit rate.
    pub vbr_rule: VbrRule,
    /// Ports at once. 1,024: lines that connect to a server are bounded by it.
    pub ports_max: usize,
    /// Calls through the switch at once, in any state. 262,144: twice what one interface holds.
    pub calls_max: usize,
    /// Permanent connections. 65,536.
    pub pvcs_max: usize,
    /// Routes, registered addresses included. 65,536: 64 for each of 1,024 ports.
    pub routes_max: usize,
}

impl Default for SwitchConfig {
    fn default() -> SwitchConfig {
        SwitchConfig {
            vbr_rule: VbrRule::default(),
            ports_max: 1_024,
            calls_max: 262_144,
            pvcs_max: 65_536,
            routes_max: 65_536,
        }
    }
}

/// What a port is told when it is added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortConfig {
    /// What it is called in lists; of no meaning.
    pub name: String,
    /// What signaling speaks: timers, bounds, SAAL. The switch is the network side whatever stands here. Of
    /// [`UniConfig::addresses`] `ilmi`, `prefixes` and `fixed` are used: with ILMI the end systems at the port register addresses
    /// under the prefixes; the fixed ones are at the port without it. An address below one of the prefixes that nobody has is
    /// *unallocated* (cause 1), one that no route leads to has *no route* (cause 3).
    pub uni: UniConfig,
    /// How much it is preferred by calls to the addresses at it; smaller is tried first.
    pub preference: u8,
    /// Prefixes that are reached through it, with the preference of each: the way to other switches.
    pub routes: Vec<(AddressPrefix, u8)>,
    /// Cells a second of its line: what calls may book of either direction, and how fast the switch sends. `None`: the line's own
    /// rate; where it has none, everything is admitted and sent as fast as the line takes it.
    pub cells_per_s: Option<u64>,
    /// How much of that rate calls may book, in per cent. 100: all. What signaling needs is small and goes first.
    pub bookable_percent: u8,
    /// The VPI and VCI of calls and permanent connections.
    pub vcs: VcRange,
    /// Of them, how many may be in use at once.
    pub vcs_max: usize,
    /// The bounds of its queues.
    pub queues: QueueLimits,
    /// How what comes in is held to its contract.
    pub policing: Policing,
}

/// Whether a port holds what comes in to the contracts (usage parameter control, I.371 §5.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policing {
    /// It does not. For lines whose hosts do not shape, as Linux's atmtcp.
    Off,
    /// It does: cells beyond are discarded or tagged.
    On {
        /// Added to the tolerance of every contract (CDVT), because a line brings cells in batches.
        jitter: Duration,
    },
}

impl PortConfig {
    /// A port with this name that speaks this version and registers no addresses: no ILMI, no rate, no policing.
    pub fn new(name: &str, version: Version) -> PortConfig {
        PortConfig {
            name: name.to_owned(),
            uni: UniConfig::new(Side::Network, version),
            preference: 0,
            routes: Vec::new(),
            cells_per_s: None,
            bookable_percent: 100,
            vcs: VcRange::default(),
            vcs_max: usize::MAX,
            queues: QueueLimits::default(),
            policing: Policing::Off,
        }
    }

    /// The same with an end system at it that does not register by ILMI.
    pub fn with_address(mut self, address: AtmAddress) -> PortConfig {
        self.uni.addresses.fixed.push(address);
        self
    }

    /// The same with ILMI, under this prefix.
    pub fn with_prefix(mut self, prefix: [u8; AtmAddress::PREFIX_OCTETS]) -> PortConfig {
        self.uni.addresses.ilmi = true;
        self.uni.addresses.prefixes.push(prefix);
        self
    }

    /// The same with a route through it.
    pub fn with_route(mut self, prefix: AddressPrefix, preference: u8) -> PortConfig {
        self.routes.push((prefix, preference));
        self
    }

    /// The same with a line of this rate.
    pub fn with_rate(self, cells_per_s: u64) -> PortConfig {
        PortConfig { cells_per_s: Some(cells_per_s), ..self }
    }
}
