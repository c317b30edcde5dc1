//! The miniport under the call manager.

use std::collections::BTreeMap;
use std::sync::Arc;

use condis::driver::{AdapterAttributes, MiniportAdapter, MiniportDriver};
use condis::status::NdisStatus;
use condis_link::Link;

/// A CoNDIS miniport over a link, whose VCs are flows of Ethernet frames.
pub struct EthernetMiniport {
    link: Arc<dyn Link>,
    counters: FlowCounters,
}

/// What a data path counts, readable at any time. A clone reads the same.
#[derive(Clone, Debug, Default)]
pub struct FlowCounters(Arc<()>);

impl FlowCounters {
    /// Every count under its name.
    pub fn by_name(&self) -> BTreeMap<String, u64> {
        let _ = &self.0;
        BTreeMap::new()
    }
}

impl EthernetMiniport {
    /// A miniport that drives `link`, for one adapter at a time.
    pub fn new(link: Arc<dyn Link>) -> EthernetMiniport {
        EthernetMiniport { link, counters: FlowCounters::default() }
    }

    /// What it counts.
    pub fn counters(&self) -> FlowCounters {
        self.counters.clone()
    }
}

impl MiniportDriver for EthernetMiniport {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn MiniportAdapter>), NdisStatus> {
        let _ = &self.link;
        Err(NdisStatus::NOT_SUPPORTED)
    }
}
