//! The queue of one class at one port: cells, or SDUs that count as cells.

use std::collections::VecDeque;

use std::io::IoSlice;

use condis_link::atm::{CELL_OCTETS, Cell, Sdu, VpVc};

use super::SDU_BATCH;
use super::limits::QueueLimit;
use crate::aal5::{Segmenter, cells_of};

/// What a port has queued in one class, in the form of its line.
pub(super) struct Queue<T> {
    pub(super) limit: QueueLimit,
    entries: VecDeque<T>,
    cells: u32,
    /// Entries that have left, ever.
    left: u64,
    /// Connections that are gone, with the entry behind their last.
    draining: VecDeque<(u64, VpVc)>,
}

/// An SDU that waits for its line.
pub(super) struct QueuedSdu {
    pub(super) vpvc: VpVc,
    pub(super) octets: Vec<u8>,
}

/// What a queue holds, and as how many cells it counts.
pub(super) trait Queued {
    fn cells(&self) -> u32;
}

impl Queued for Cell {
    #[inline]
    fn cells(&self) -> u32 {
        1
    }
}

impl Queued for QueuedSdu {
    fn cells(&self) -> u32 {
        cells_of_sdu(self.octets.len())
    }
}

/// Cells of an AAL5 SDU.
pub(super) fn cells_of_sdu(octets: usize) -> u32 {
    cells_of(octets) as u32
}

impl<T: Queued> Queue<T> {
    pub(super) fn new(limit: QueueLimit) -> Queue<T> {
        Queue { limit, entries: VecDeque::new(), cells: 0, left: 0, draining: VecDeque::new() }
    }

    /// How many cells are queued.
    #[inline]
    pub(super) fn cells(&self) -> u32 {
        self.cells
    }

    /// Queues something for which the caller has looked for room.
    #[inline]
    pub(super) fn push(&mut self, entry: T) {
        self.cells += entry.cells();
        debug_assert!(self.cells <= self.limit.cells_max, "the caller looks for room");
        self.entries.push_back(entry);
    }

    /// What can be sent in one piece, the first first.
    pub(super) fn front(&self) -> &[T] {
        self.entries.as_slices().0
    }

    /// All that is queued has left.
    pub(super) fn sent_all(&mut self, done_with: impl FnMut(T)) {
        self.sent(self.entries.len(), done_with);
    }

    /// The first `count` entries have been sent.
    pub(super) fn sent(&mut self, count: usize, mut done_with: impl FnMut(T)) {
        for entry in self.entries.drain(..count) {
            self.cells -= entry.cells();
            done_with(entry);
        }
        self.left += count as u64;
    }

    /// What is queued now for `vpvc` is the last of it: it is drained once all of that has left. False if nothing is queued at
    /// all, so that it is drained at once.
    pub(super) fn drain(&mut self, vpvc: VpVc) -> bool {
        if self.entries.is_empty() {
            return false;
        }
        self.draining.push_back((self.left + self.entries.len() as u64, vpvc));
        true
    }

    /// A connection whose last entry has left.
    pub(super) fn drained(&mut self) -> Option<VpVc> {
        let (last, vpvc) = *self.draining.front()?;
        (last <= self.left).then(|| {
            self.draining.pop_front();
            vpvc
        })
    }
}

impl Queue<Cell> {
    /// As [`Queue::sent`], without looking at each.
    pub(super) fn sent_cells(&mut self, count: usize) {
        drop(self.entries.drain(..count));
        self.cells -= count as u32;
        self.left += count as u64;
    }

    /// Queues an SDU of at least one octet as cells, for which the caller has looked for room.
    pub(super) fn push_segmented(&mut self, segmenter: &Segmenter, octets: &[u8]) {
        let parts = [IoSlice::new(octets)];
        let Ok(mut segmentation) = segmenter.begin(&parts, 0) else { return };
        let before = self.entries.len();
        self.entries.resize(before + segmentation.cells_left(), [0; CELL_OCTETS]);
        self.cells += segmentation.cells_left() as u32;
        debug_assert!(self.cells <= self.limit.cells_max, "the caller looks for room");
        let (front, back) = self.entries.as_mut_slices();
        let back_from = before.saturating_sub(front.len());
        segmentation.fill(&parts, front.get_mut(before..).unwrap_or_default());
        segmentation.fill(&parts, &mut back[back_from..]);
    }
}

impl Queue<QueuedSdu> {
    /// Lends the first SDUs to `send`: as many as `cells_max` cells are, but at least one, and at most [`SDU_BATCH`]. Gives how
    /// many those were, and how many `send` says that it took.
    pub(super) fn lend(&self, cells_max: u32, send: &mut impl FnMut(&[Sdu<'_>]) -> usize) -> (usize, usize) {
        let mut parts = [[IoSlice::new(&[])]; SDU_BATCH];
        let (mut count, mut cells) = (0, 0);
        for (part, entry) in parts.iter_mut().zip(&self.entries) {
            cells += entry.cells();
            if count > 0 && cells > cells_max {
                break;
            }
            *part = [IoSlice::new(&entry.octets)];
            count += 1;
        }
        let mut sdus = [Sdu { vpvc: VpVc::SIGNALING, parts: &[] }; SDU_BATCH];
        for ((sdu, entry), part) in sdus.iter_mut().zip(&self.entries).zip(&parts[..count]) {
            *sdu = Sdu { vpvc: entry.vpvc, parts: part };
        }
        (count, send(&sdus[..count]).min(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(n: u8) -> Cell {
        [n; 53]
    }

    #[test]
    fn a_connection_is_drained_when_what_was_queued_has_left() {
        let mut queue = Queue::new(QueueLimit::of(8));
        let (a, b) = (VpVc::new(0, 40), VpVc::new(0, 41));
        assert!(!queue.drain(a), "nothing is queued");
        queue.push(cell(1));
        queue.push(cell(2));
        assert!(queue.drain(a));
        queue.push(cell(3));
        assert!(queue.drain(b));
        queue.push(cell(4));
        queue.sent(1, drop);
        assert_eq!(queue.drained(), None);
        queue.sent(1, drop);
        assert_eq!(queue.drained(), Some(a));
        assert_eq!(queue.drained(), None);
        queue.sent(1, drop);
        assert_eq!((queue.drained(), queue.cells()), (Some(b), 1));
    }

    #[test]
    fn sdus_count_as_their_cells() {
        for (octets, cells) in [(0, 1), (40, 1), (41, 2), (88, 2), (89, 3), (65_535, 1_366)] {
            assert_eq!(cells_of_sdu(octets), cells, "{octets}");
        }
        let mut queue = Queue::new(QueueLimit::of(8));
        queue.push(QueuedSdu { vpvc: VpVc::SIGNALING, octets: vec![0; 100] });
        assert_eq!(queue.cells(), 3);
        queue.sent(1, |sdu| assert_eq!(sdu.octets.len(), 100));
        assert_eq!(queue.cells(), 0);
    }
}
