//! What a PPPoE manager is told when it is made, and what it counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::pppoe::discovery::{ConcentratorConfig, ConcentratorCounters, HostConfig, HostCounters};

/// What a [`PppoeCallManager`](super::PppoeCallManager) and a [`PppoeMcm`](super::PppoeMcm) are told.
///
/// The MTU of each side is taken down to what the adapter carries.
#[derive(Clone, Debug, Default)]
pub struct PppoeConfig {
    /// The side that makes calls.
    pub host: HostConfig,
    /// The side that takes calls; `None`: none are taken, and SAPs are refused.
    pub concentrator: Option<ConcentratorConfig>,
    /// The VLAN that all of it runs in, 1 to 4094; `None`: untagged.
    pub vlan: Option<u16>,
}

impl PppoeConfig {
    /// Makes calls, and takes them as the concentrator of this name.
    pub fn concentrator(ac_name: &str) -> PppoeConfig {
        PppoeConfig { concentrator: Some(ConcentratorConfig::named(ac_name)), ..PppoeConfig::default() }
    }
}

condis::counters! {
    /// What the driver around the two machines counts.
    EngineCounters {
        /// Calls that clients made, and discovery began.
        calls_made,
        /// Calls that hosts made, for which there is a SAP.
        calls_offered,
        /// Activations that a miniport refused, such as for a flow that is taken; each ends its call.
        activations_refused,
        /// Frames of a session of ours that came before its VC was ready.
        session_not_ready,
        /// Packets that could not be sent: too many wait for a paused binding, the queue is full, or there was no buffer.
        signaling_lost,
        /// Packets that NDIS or the miniport gave back unsent.
        signaling_given_back,
        /// Receives on the signaling VC that are no frame.
        dropped_malformed,
        /// Packets beyond those that may wait for their turn.
        dropped_queue_full,
    }
}

/// What an engine has counted at one moment.
#[derive(Clone, Copy, Default)]
pub(super) struct Snapshot {
    pub(super) host: HostCounters,
    pub(super) concentrator: Option<ConcentratorCounters>,
    pub(super) engine: EngineCounters,
}

impl Snapshot {
    fn iter(&self) -> impl Iterator<Item = (Name, u64)> {
        let host = self.host.iter().map(|(name, count)| (("host", name), count));
        let concentrator = self.concentrator.into_iter().flat_map(|counters| counters.iter());
        let concentrator = concentrator.map(|(name, count)| (("concentrator", name), count));
        let engine = self.engine.iter().map(|(name, count)| (("engine", name), count));
        host.chain(concentrator).chain(engine)
    }
}

/// Part, and name within it.
type Name = (&'static str, &'static str);

/// What a manager counts, over all its adapters, readable at any time. A clone reads the same.
#[derive(Clone, Debug, Default)]
pub struct PppoeCounters(Arc<Mutex<BTreeMap<Name, u64>>>);

impl PppoeCounters {
    /// Every count under its name, the zeros too: `host.padi_sent`, `concentrator.pado_sent`, `engine.calls_made`.
    pub fn by_name(&self) -> BTreeMap<String, u64> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(&(part, name), &count)| (format!("{part}.{name}"), count)).collect()
    }

    /// Adds what an engine has counted since it told last.
    pub(super) fn publish(&self, before: &mut Snapshot, now: Snapshot) {
        let earlier: BTreeMap<Name, u64> = before.iter().collect();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, count) in now.iter() {
            *counts.entry(name).or_default() += count - earlier.get(&name).copied().unwrap_or(0);
        }
        *before = now;
    }
}
