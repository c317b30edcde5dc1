//! From VPI and VCI to the flow that they name, at one port.

use condis_link::atm::VpVc;

/// A table of the identifiers of one port.
///
/// A page of 256 channels is there while one of them has a flow, so the table is bounded by the number of flows. A look-up is
/// two loads.
pub(super) struct VcTable {
    /// By VPI and the upper octet of the VCI; as long as the highest page needs.
    pages: Vec<Option<Box<Page>>>,
    vcs_len: usize,
}

struct Page {
    flows: [u32; 256],
    used: u16,
}

/// No flow.
const NONE: u32 = u32::MAX;

impl VcTable {
    pub(super) const fn new() -> VcTable {
        VcTable { pages: Vec::new(), vcs_len: 0 }
    }

    /// The flow of this identifier, where `key` is the VPI and below it the 16 bits of VCI.
    #[inline]
    pub(super) fn get(&self, key: u32) -> Option<u32> {
        let page = self.pages.get((key >> 8) as usize)?.as_ref()?;
        let flow = page.flows[(key & 0xff) as usize];
        (flow != NONE).then_some(flow)
    }

    /// Gives the identifier this flow. False if it has one; that stays.
    pub(super) fn insert(&mut self, vpvc: VpVc, flow: u32) -> bool {
        debug_assert_ne!(flow, NONE);
        let key = key(vpvc);
        let at = (key >> 8) as usize;
        if at >= self.pages.len() {
            self.pages.resize_with(at + 1, || None);
        }
        let page = self.pages[at].get_or_insert_with(|| Box::new(Page { flows: [NONE; 256], used: 0 }));
        let place = &mut page.flows[(key & 0xff) as usize];
        if *place != NONE {
            return false;
        }
        *place = flow;
        page.used += 1;
        self.vcs_len += 1;
        true
    }

    /// Takes the flow of this identifier out.
    pub(super) fn remove(&mut self, vpvc: VpVc) -> Option<u32> {
        let key = key(vpvc);
        let slot = self.pages.get_mut((key >> 8) as usize)?;
        let page = slot.as_mut()?;
        let place = &mut page.flows[(key & 0xff) as usize];
        let flow = std::mem::replace(place, NONE);
        if flow == NONE {
            return None;
        }
        page.used -= 1;
        self.vcs_len -= 1;
        if page.used == 0 {
            *slot = None;
        }
        Some(flow)
    }

    /// All flows, by identifier.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let flows = self.pages.iter().flatten().flat_map(|page| page.flows.iter());
        flows.copied().filter(|flow| *flow != NONE)
    }

    /// How many identifiers have a flow.
    pub(super) fn vcs_len(&self) -> usize {
        self.vcs_len
    }
}

/// As the header of a cell has them (UNI, I.361 §2.2).
fn key(vpvc: VpVc) -> u32 {
    u32::from(vpvc.vpi.0 & 0xff) << 16 | u32::from(vpvc.vci.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_put_in_and_nothing_beside_it() {
        let mut table = VcTable::new();
        let vcs = [VpVc::new(0, 32), VpVc::new(0, 33), VpVc::new(0, 65535), VpVc::new(255, 65535), VpVc::new(1, 32)];
        for (flow, vpvc) in vcs.into_iter().enumerate() {
            assert_eq!(table.get(key(vpvc)), None);
            assert!(table.insert(vpvc, flow as u32));
            assert!(!table.insert(vpvc, 99));
        }
        for (flow, vpvc) in vcs.into_iter().enumerate() {
            assert_eq!(table.get(key(vpvc)), Some(flow as u32));
        }
        assert_eq!(table.get(key(VpVc::new(0, 34))), None);
        assert_eq!(table.get(key(VpVc::new(2, 32))), None);
        assert_eq!(table.iter().collect::<Vec<_>>(), [0, 1, 2, 4, 3]);
        for (flow, vpvc) in vcs.into_iter().enumerate() {
            assert_eq!(table.remove(vpvc), Some(flow as u32));
            assert_eq!(table.remove(vpvc), None);
        }
        assert_eq!(table.vcs_len(), 0);
        assert!(table.pages.iter().all(Option::is_none), "no page is kept without flows");
    }
}
