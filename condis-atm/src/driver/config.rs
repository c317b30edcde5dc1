//! What an ATM manager is told when it is made, and what it counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::addr::AtmAddress;
use crate::uni::{Counters, Side, UniConfig, UniCounters, Version};

/// What a [`UniCallManager`](super::UniCallManager) and an [`AtmMcm`](super::AtmMcm) are told.
#[derive(Clone, Debug)]
pub struct AtmConfig {
    /// The interface, at its user side. With ILMI and without an end system the adapter's is registered.
    pub uni: UniConfig,
    /// How long a call waits for the line and for signaling to come up before it fails. 4 s, as T303: a line that connects and
    /// a SAAL that is established anew take a moment, and the caller did nothing wrong.
    pub signaling_patience: Duration,
}

impl AtmConfig {
    /// The user side of this version, without addresses and without ILMI.
    pub fn new(version: Version) -> AtmConfig {
        AtmConfig { uni: UniConfig::new(Side::User, version), signaling_patience: Duration::from_secs(4) }
    }

    /// The same with a fixed address.
    pub fn with_address(mut self, address: AtmAddress) -> AtmConfig {
        self.uni.addresses.fixed.push(address);
        self
    }

    /// The same with ILMI, which registers the adapter's end system.
    pub fn with_ilmi(mut self) -> AtmConfig {
        self.uni.addresses.ilmi = true;
        self
    }
}

condis::counters! {
    /// What the driver around the interface counts.
    EngineCounters {
        /// Calls that clients made.
        calls_made,
        /// Calls that came in and for which there is a SAP.
        calls_offered,
        /// Calls that came in and for which there is none.
        calls_without_sap,
        /// Calls that clients made on permanent connections.
        permanent_calls,
        /// Activations that a miniport refused; each ends its call, or leaves it as it was if it was up.
        activations_refused,
        /// VCs for signaling or ILMI whose activation pended, and was refused then: nothing is heard on them.
        signaling_refused,
        /// SDUs of signaling and ILMI that could not be sent: too many wait for a paused binding, the queue is full, or there was no
        /// buffer.
        signaling_lost,
        /// SDUs that NDIS or the miniport gave back unsent.
        signaling_given_back,
        /// SDUs beyond those that may wait for their turn.
        dropped_queue_full,
    }
}

/// What an engine has counted at one moment.
#[derive(Clone, Copy, Default)]
pub(super) struct Snapshot {
    pub(super) calls: Counters,
    pub(super) uni: UniCounters,
    pub(super) engine: EngineCounters,
}

impl Snapshot {
    fn iter(&self) -> impl Iterator<Item = (Name, u64)> {
        // A counter that is added is told too, or this does not build.
        let UniCounters {
            saal_established,
            saal_resynchronised,
            saal_released,
            dropped_waiting,
            dropped_unit_data,
            dropped_line_down,
            dropped_ilmi,
            addresses_refused,
        } = self.uni;
        let uni = [
            ("saal_established", saal_established),
            ("saal_resynchronised", saal_resynchronised),
            ("saal_released", saal_released),
            ("dropped_waiting", dropped_waiting),
            ("dropped_unit_data", dropped_unit_data),
            ("dropped_line_down", dropped_line_down),
            ("dropped_ilmi", dropped_ilmi),
            ("addresses_refused", addresses_refused),
        ];
        let calls = self.calls.iter().map(|(name, count)| (("calls", name), count));
        let uni = uni.into_iter().map(|(name, count)| (("uni", name), count));
        let engine = self.engine.iter().map(|(name, count)| (("engine", name), count));
        calls.chain(uni).chain(engine)
    }
}

/// Part, and name within it.
type Name = (&'static str, &'static str);

/// What a manager counts, over all its adapters, readable at any time. A clone reads the same.
#[derive(Clone, Debug, Default)]
pub struct SignalingCounters(Arc<Mutex<BTreeMap<Name, u64>>>);

impl SignalingCounters {
    /// Every count under its name, the zeros too: `calls.messages_sent`, `uni.saal_established`, `engine.calls_made`.
    pub fn by_name(&self) -> BTreeMap<String, u64> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(&(part, name), &count)| (format!("{part}.{name}"), count)).collect()
    }

    /// Adds what an engine has counted since it told last.
    pub(super) fn publish(&self, before: &mut Vec<u64>, now: Snapshot) {
        let fresh = before.is_empty();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, (name, count)) in now.iter().enumerate() {
            if fresh {
                before.push(0);
                counts.entry(name).or_default();
            }
            if before[at] != count {
                *counts.entry(name).or_default() += count - before[at];
                before[at] = count;
            }
        }
    }
}
