//! What belongs to a connection, found by its VPI and VCI.

use std::fmt;

use super::Interface;
use crate::{Vci, VpVc, Vpi};

/// Things by their connection, as many as 4,096 paths of 65,536 channels name, in memory for those that are there.
///
/// A look-up reads three places, one behind the other, however many connections there are. Memory is bounded by the number
/// of entries: each takes its own octets, and at worst a block of 1 KiB and a path of 2 KiB for itself.
#[derive(Clone)]
pub struct VcTable<T> {
    entries_max: usize,
    paths: Vec<Option<Box<Path>>>,
    slots: Vec<Option<(VpVc, T)>>,
    free: Vec<u32>,
    /// The block that was emptied last: connections often come and go one at a time.
    spare: Option<Box<Block>>,
    /// The same of a path.
    spare_path: Option<Box<Path>>,
}

/// The channels of one path.
#[derive(Clone)]
struct Path {
    blocks: [Option<Box<Block>>; BLOCKS],
    used: u16,
}

/// Where 256 channels have their slots.
#[derive(Clone)]
struct Block {
    slots: [u32; CHANNELS],
    used: u16,
}

const BLOCKS: usize = 256;
const CHANNELS: usize = 256;
/// No slot. Slots are counted from one.
const NONE: u32 = 0;
const VPI_MAX: Vpi = Interface::Nni.vpi_max();

/// Why something cannot be put into a [`VcTable`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InsertError {
    /// The connection has something already.
    #[error("{0} is in use")]
    InUse(VpVc),
    /// The table has as many entries as it may have.
    #[error("{max} connections are there already")]
    Full {
        /// How many.
        max: usize,
    },
    /// No interface has such a path.
    #[error("VPI {} is above {}", .0.0, VPI_MAX.0)]
    Vpi(Vpi),
}

impl<T> VcTable<T> {
    /// An empty table for so many entries.
    pub fn new(entries_max: usize) -> VcTable<T> {
        let entries_max = entries_max.min(NONE.wrapping_sub(1) as usize);
        VcTable {
            entries_max,
            paths: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
            spare: None,
            spare_path: None,
        }
    }

    /// Puts something in for a connection that has nothing.
    /// # Errors
    /// [`InsertError`]; `entry` is dropped, nothing has changed.
    pub fn insert(&mut self, vpvc: VpVc, entry: T) -> Result<&mut T, InsertError> {
        if vpvc.vpi > VPI_MAX {
            return Err(InsertError::Vpi(vpvc.vpi));
        }
        if self.get(vpvc).is_some() {
            return Err(InsertError::InUse(vpvc));
        }
        if self.len() >= self.entries_max {
            return Err(InsertError::Full { max: self.entries_max });
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() as u32
        });
        let vpi = usize::from(vpvc.vpi.0);
        if self.paths.len() <= vpi {
            self.paths.resize_with(vpi + 1, || None);
        }
        let path = self.paths[vpi].get_or_insert_with(|| self.spare_path.take().unwrap_or_else(Path::empty));
        let (block, channel) = place(vpvc.vci);
        let block = path.blocks[block].get_or_insert_with(|| {
            path.used += 1;
            self.spare.take().unwrap_or_else(Block::empty)
        });
        block.slots[channel] = slot;
        block.used += 1;
        Ok(&mut self.slots[slot as usize - 1].insert((vpvc, entry)).1)
    }

    /// Takes out what a connection has.
    pub fn remove(&mut self, vpvc: VpVc) -> Option<T> {
        let vpi = usize::from(vpvc.vpi.0);
        let (block_at, channel) = place(vpvc.vci);
        let path = self.paths.get_mut(vpi)?.as_mut()?;
        let block = path.blocks[block_at].as_mut()?;
        let slot = std::mem::replace(&mut block.slots[channel], NONE);
        let (_, entry) = self.slots.get_mut(slot.checked_sub(1)? as usize)?.take()?;
        self.free.push(slot);
        block.used -= 1;
        if block.used == 0 {
            self.spare = path.blocks[block_at].take();
            path.used -= 1;
        }
        if path.used == 0 {
            self.spare_path = self.paths[vpi].take();
        }
        Some(entry)
    }

    /// What a connection has.
    #[inline]
    pub fn get(&self, vpvc: VpVc) -> Option<&T> {
        let slot = self.slot(vpvc)?;
        self.slots[slot].as_ref().map(|(_, entry)| entry)
    }

    /// What a connection has, for writing.
    #[inline]
    pub fn get_mut(&mut self, vpvc: VpVc) -> Option<&mut T> {
        let slot = self.slot(vpvc)?;
        self.slots[slot].as_mut().map(|(_, entry)| entry)
    }

    /// Every connection with what it has, by VPI and VCI.
    pub fn iter(&self) -> impl Iterator<Item = (VpVc, &T)> {
        let blocks = self.paths.iter().flatten().flat_map(|path| path.blocks.iter().flatten());
        let slots = blocks.flat_map(|block| block.slots.iter().filter(|&&slot| slot != NONE));
        slots.filter_map(|&slot| self.slots[slot as usize - 1].as_ref()).map(|(vpvc, entry)| (*vpvc, entry))
    }

    /// How many connections have something.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// True if no connection has anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    fn slot(&self, vpvc: VpVc) -> Option<usize> {
        let (block, channel) = place(vpvc.vci);
        let path = self.paths.get(usize::from(vpvc.vpi.0))?.as_ref()?;
        (path.blocks[block].as_ref()?.slots[channel].checked_sub(1)).map(|slot| slot as usize)
    }
}

impl Path {
    fn empty() -> Box<Path> {
        Box::new(Path { blocks: [const { None }; BLOCKS], used: 0 })
    }
}

impl Block {
    fn empty() -> Box<Block> {
        Box::new(Block { slots: [NONE; CHANNELS], used: 0 })
    }
}

#[inline]
fn place(vci: Vci) -> (usize, usize) {
    let [block, channel] = vci.0.to_be_bytes();
    (usize::from(block), usize::from(channel))
}

impl<T: fmt::Debug> fmt::Debug for VcTable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_it_has_no_room_for() {
        let mut table = VcTable::new(2);
        table.insert(VpVc::new(0, 5), 'a').unwrap();
        assert_eq!(table.insert(VpVc::new(0, 5), 'b'), Err(InsertError::InUse(VpVc::new(0, 5))));
        assert_eq!(table.insert(VpVc::new(4096, 5), 'b'), Err(InsertError::Vpi(Vpi(4096))));
        table.insert(VpVc::new(4095, 65_535), 'b').unwrap();
        assert_eq!(table.insert(VpVc::new(0, 6), 'c'), Err(InsertError::Full { max: 2 }));
        assert_eq!(table.remove(VpVc::new(0, 5)), Some('a'));
        assert_eq!(table.insert(VpVc::new(0, 6), 'c'), Ok(&mut 'c'));
        assert_eq!(format!("{table:?}"), "{0.6: 'c', 4095.65535: 'b'}");
    }

    #[test]
    fn memory_goes_with_the_entries() {
        let mut table = VcTable::new(usize::MAX);
        for round in 0..3 {
            for vci in 0..10_000 {
                table.insert(VpVc::new(round, vci), vci).unwrap();
            }
            assert_eq!(table.slots.len(), 10_000);
            (0..10_000).for_each(|vci| assert_eq!(table.remove(VpVc::new(round, vci)), Some(vci)));
            assert!(table.is_empty() && table.paths.iter().all(Option::is_none));
        }
    }

    proptest! {
        /// As an ordered map.
        #[test]
        fn does_as_a_map_does(steps in proptest::collection::vec((0u16..3, 250u16..260, any::<bool>()), 0..200)) {
            let (mut table, mut map) = (VcTable::new(15), BTreeMap::new());
            for (at, (vpi, vci, put)) in steps.into_iter().enumerate() {
                let vpvc = VpVc::new(vpi, vci);
                if !put {
                    prop_assert_eq!(table.remove(vpvc), map.remove(&vpvc));
                } else if table.insert(vpvc, at).is_ok() {
                    prop_assert_eq!(map.insert(vpvc, at), None);
                } else {
                    prop_assert!(map.contains_key(&vpvc) || map.len() == 15);
                }
                prop_assert_eq!(table.get_mut(vpvc).copied(), map.get(&vpvc).copied());
                prop_assert!(table.iter().eq(map.iter().map(|(vpvc, entry)| (*vpvc, entry))));
                prop_assert_eq!(table.len(), map.len());
            }
        }
    }
}
