//! What a PPPoE manager is told when it is made, and what it counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::pppoe::discovery::{ConcentratorConfig, HostConfig};

/// What a [`PppoeCallManager`](super::PppoeCallManager) and a [`PppoeMcm`](super::PppoeMcm) are told.
///
/// The MTU of each side is taken down to what the adapter carries.
#[derive(Clone, Debug, Default)]
pub struct PppoeConfig {
    /// The side that makes calls.
    pub host: HostConfig,
    /// The side that takes calls; `None`: none are taken, and SAPs are refused.
    pub concentrator: Option<ConcentratorConfig>,
}

impl PppoeConfig {
    /// Makes calls, and takes them as the concentrator of this name.
    pub fn concentrator(ac_name: &str) -> PppoeConfig {
        PppoeConfig { concentrator: Some(ConcentratorConfig::named(ac_name)), ..PppoeConfig::default() }
    }
}

/// What a manager counts, readable at any time. A clone reads the same.
#[derive(Clone, Debug, Default)]
pub struct PppoeCounters(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl PppoeCounters {
    /// Every count under its name: `host.padi_sent`, `concentrator.pado_sent`, `engine.calls_made`.
    pub fn by_name(&self) -> BTreeMap<String, u64> {
        let counts = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }
}
