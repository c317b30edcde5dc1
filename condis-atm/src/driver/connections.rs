//! Which virtual connections the VCs of a driver are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use condis::trace::VcId;

use super::vc_params::AtmVcParams;

/// The active VCs of a miniport or an MCM with what they are, for listings. A clone reads the same.
///
/// NDIS does not know the numbers of a medium; the driver that activates does. A VC is there from its activation to its
/// deactivation. An MCM's own virtual connections, which NDIS does not know, are not.
#[derive(Clone, Debug, Default)]
pub struct AtmConnections(Arc<Mutex<BTreeMap<VcId, AtmVcParams>>>);

impl AtmConnections {
    /// What a VC is.
    pub fn of(&self, vc: VcId) -> Option<AtmVcParams> {
        self.lock().get(&vc).copied()
    }

    /// All of them.
    pub fn all(&self) -> BTreeMap<VcId, AtmVcParams> {
        self.lock().clone()
    }

    pub(super) fn insert(&self, vc: VcId, params: AtmVcParams) {
        self.lock().insert(vc, params);
    }

    pub(super) fn remove(&self, vc: VcId) {
        self.lock().remove(&vc);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<VcId, AtmVcParams>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
