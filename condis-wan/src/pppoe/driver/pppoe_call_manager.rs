//! PPPoE as a call manager: its signaling runs on a VC that NDIS sees.

use condis::adapter::AdapterInfo;
use condis::driver::{Bound, Protocol};
use condis::status::NdisStatus;

use super::{PppoeConfig, PppoeCounters};

/// A call manager for PPPoE, over every Ethernet miniport of its node.
pub struct PppoeCallManager {
    config: PppoeConfig,
    counters: PppoeCounters,
}

impl PppoeCallManager {
    /// A call manager with this configuration for each of its bindings.
    pub fn new(config: PppoeConfig) -> PppoeCallManager {
        PppoeCallManager { config, counters: PppoeCounters::default() }
    }

    /// What it counts, over all its bindings.
    pub fn counters(&self) -> PppoeCounters {
        self.counters.clone()
    }
}

impl Protocol for PppoeCallManager {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
        let _ = &self.config;
        Err(NdisStatus::NOT_SUPPORTED)
    }
}
