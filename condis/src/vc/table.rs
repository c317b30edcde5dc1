//! The VCs of an adapter.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::VcCore;

/// Slots with the VCs of an adapter, so that linking and unlinking cost the same whatever their number.
#[derive(Default)]
pub(crate) struct VcTable {
    slots: Vec<Option<Arc<VcCore>>>,
    free: Vec<u32>,
}

impl VcTable {
    pub(crate) fn link(&mut self, vc: &Arc<VcCore>) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(vc.clone());
                slot
            }
            None => {
                self.slots.push(Some(vc.clone()));
                self.slots.len() as u32 - 1
            }
        };
        vc.slot.store(slot, Relaxed);
    }

    /// Takes a VC out. The table's reference is given back, to be dropped outside the lock.
    pub(crate) fn unlink(&mut self, vc: &VcCore) -> Option<Arc<VcCore>> {
        let slot = vc.slot.swap(u32::MAX, Relaxed);
        let taken = self.slots.get_mut(slot as usize)?.take();
        self.free.push(slot);
        taken
    }

    /// The VC in the slot of `vc`, if it is still there.
    pub(crate) fn at(&self, vc: &VcCore) -> Option<Arc<VcCore>> {
        self.slots.get(vc.slot.load(Relaxed) as usize)?.clone()
    }

    /// All VCs, oldest slot first.
    pub(crate) fn all(&self) -> Vec<Arc<VcCore>> {
        self.slots.iter().flatten().cloned().collect()
    }
}
