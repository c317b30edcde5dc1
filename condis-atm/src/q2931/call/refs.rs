//! Which call has which call reference.

use crate::q2931::wire::CallRef;

/// References that one page holds.
const PAGE: usize = 2_048;
/// No call.
const NONE: u32 = u32::MAX;

/// A map from call reference values to slots, for the references of one side.
///
/// Values come in runs (ours do, and Linux counts up too), so it is a table of pages: two steps, however many calls there are. A
/// page lives while one of its references is in use; a peer that scatters its references has at most the 4096 pages of 8 KiB that
/// 23 bits make.
#[derive(Debug, Default)]
pub(super) struct Refs {
    pages: Vec<Option<Box<Page>>>,
    /// The page of the last insertion. It stays though it is empty, so that one call at a time does not make and drop it.
    warm: usize,
    len: usize,
    /// The value that was given out last.
    last: u32,
}

#[derive(Debug)]
struct Page {
    used: u32,
    slots: [u32; PAGE],
}

impl Refs {
    /// An empty map; the first reference that [`Refs::allocate`] gives is the one behind `last`.
    pub(super) fn new(last: u32) -> Refs {
        Refs { pages: Vec::new(), warm: 0, len: 0, last: last % CallRef::VALUE_MAX }
    }

    pub(super) fn get(&self, value: u32) -> Option<usize> {
        let page = self.pages.get(value as usize / PAGE)?.as_ref()?;
        let slot = page.slots[value as usize % PAGE];
        (slot != NONE).then_some(slot as usize)
    }

    /// A reference that no call has, the next one in turn.
    pub(super) fn allocate(&mut self, slot: usize) -> u32 {
        // Fewer calls than references can be there, so the loop ends.
        loop {
            self.last = if self.last + 1 >= CallRef::VALUE_MAX { 1 } else { self.last + 1 };
            if self.get(self.last).is_none() {
                self.insert(self.last, slot);
                return self.last;
            }
        }
    }

    /// `value` must have no call.
    pub(super) fn insert(&mut self, value: u32, slot: usize) {
        let at = value as usize / PAGE;
        let left = std::mem::replace(&mut self.warm, at);
        if left != at
            && let Some(page) = self.pages.get_mut(left)
            && page.as_ref().is_some_and(|page| page.used == 0)
        {
            *page = None;
        }
        if self.pages.len() <= at {
            self.pages.resize_with(at + 1, || None);
        }
        let page = self.pages[at].get_or_insert_with(|| Box::new(Page { used: 0, slots: [NONE; PAGE] }));
        page.slots[value as usize % PAGE] = slot as u32;
        page.used += 1;
        self.len += 1;
    }

    pub(super) fn remove(&mut self, value: u32) {
        let at = value as usize / PAGE;
        let Some(page) = self.pages.get_mut(at).and_then(Option::as_mut) else { return };
        if std::mem::replace(&mut page.slots[value as usize % PAGE], NONE) == NONE {
            return;
        }
        page.used -= 1;
        self.len -= 1;
        if page.used == 0 && at != self.warm {
            self.pages[at] = None;
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.len
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_given_in_turn_and_never_twice_nor_zero_nor_dummy() {
        let mut refs = Refs::new(CallRef::VALUE_MAX - 3);
        refs.insert(1, 99);
        let given: Vec<u32> = (0..4).map(|slot| refs.allocate(slot)).collect();
        assert_eq!(given, [CallRef::VALUE_MAX - 2, CallRef::VALUE_MAX - 1, 2, 3]);
        assert_eq!(refs.get(1), Some(99));
        assert_eq!(refs.get(3), Some(3));
        assert_eq!(refs.get(0), None);
    }

    #[test]
    fn pages_go_with_their_references() {
        let mut refs = Refs::new(0);
        for value in (1..CallRef::VALUE_MAX).step_by(PAGE) {
            refs.insert(value, value as usize);
        }
        assert_eq!(refs.len(), 4_096);
        for value in (1..CallRef::VALUE_MAX).step_by(PAGE) {
            assert_eq!(refs.get(value), Some(value as usize));
            refs.remove(value);
            refs.remove(value);
        }
        assert_eq!(refs.len(), 0);
        assert_eq!(refs.pages.iter().flatten().count(), 1);
    }
}
