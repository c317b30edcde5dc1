//! PPPoE as a miniport call manager: its signaling is its own affair.

use std::sync::Arc;

use condis::driver::{AdapterAttributes, McmAdapter, McmDriver};
use condis::status::NdisStatus;
use condis_link::Link;

use super::{FlowCounters, PppoeConfig, PppoeCounters};

/// A miniport call manager for PPPoE over a link.
pub struct PppoeMcm {
    link: Arc<dyn Link>,
    config: PppoeConfig,
    counters: PppoeCounters,
    flow_counters: FlowCounters,
}

impl PppoeMcm {
    /// An MCM that drives `link`, for one adapter at a time.
    pub fn new(link: Arc<dyn Link>, config: PppoeConfig) -> PppoeMcm {
        let (counters, flow_counters) = (PppoeCounters::default(), FlowCounters::default());
        PppoeMcm { link, config, counters, flow_counters }
    }

    /// What its signaling counts.
    pub fn counters(&self) -> PppoeCounters {
        self.counters.clone()
    }

    /// What its data path counts.
    pub fn flow_counters(&self) -> FlowCounters {
        self.flow_counters.clone()
    }
}

impl McmDriver for PppoeMcm {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn McmAdapter>), NdisStatus> {
        let _ = (&self.link, &self.config);
        Err(NdisStatus::NOT_SUPPORTED)
    }
}
