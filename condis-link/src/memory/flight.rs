//! Frames on their way.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use condis::runtime::Time;

use crate::MacAddr;

/// All frames of a segment that are under way, and the buffers for those to come.
#[derive(Default)]
pub(super) struct Flights {
    heap: BinaryHeap<Flight>,
    departure_count: u64,
    idle_buffers: Vec<Vec<u8>>,
}

/// One frame under way.
pub(super) struct Flight {
    pub(super) arrives: Time,
    /// Of frames that arrive together the one that departed first comes first.
    departure: u64,
    pub(super) from: PortId,
    /// What the frame counts for in its sender's queue. The `frame` of a lost one is empty.
    pub(super) octets: usize,
    pub(super) frame: Vec<u8>,
    /// How often it arrives; a lost frame, with 0, holds its place in the queue until then like any other.
    pub(super) copies: u8,
}

/// Names a port of a segment. An address may be given up and taken again, so a serial number goes with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct PortId {
    pub(super) address: MacAddr,
    pub(super) serial: u64,
}

impl Flights {
    /// An empty buffer, used before if possible.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        self.idle_buffers.pop().unwrap_or_default()
    }

    /// Takes the buffer of a frame that has arrived.
    pub(super) fn recycle(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() != 0 && self.idle_buffers.len() < IDLE_BUFFERS_LEN_MAX {
            buffer.clear();
            self.idle_buffers.push(buffer);
        }
    }

    /// Sends a frame on its way.
    pub(super) fn depart(&mut self, arrives: Time, from: PortId, octets: usize, frame: Vec<u8>, copies: u8) {
        let departure = self.departure_count;
        self.departure_count += 1;
        self.heap.push(Flight { arrives, departure, from, octets, frame, copies });
    }

    /// When the next frame arrives.
    pub(super) fn next_arrival(&self) -> Option<Time> {
        self.heap.peek().map(|flight| flight.arrives)
    }

    /// The next frame that has arrived by `now`.
    pub(super) fn arrive(&mut self, now: Time) -> Option<Flight> {
        self.next_arrival().filter(|&arrives| arrives <= now)?;
        self.heap.pop()
    }

    /// Takes all frames off the wire for which `is_cut` holds.
    pub(super) fn cut(&mut self, mut is_cut: impl FnMut(&Flight) -> bool) {
        self.heap.retain(|flight| !is_cut(flight));
    }
}

impl Ord for Flight {
    /// The heap gives out its greatest, which has to be the first to arrive.
    fn cmp(&self, other: &Flight) -> Ordering {
        (other.arrives, other.departure).cmp(&(self.arrives, self.departure))
    }
}

impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Flight) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Flight {
    fn eq(&self, other: &Flight) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Flight {}

/// Buffers kept for reuse, at most: as many frames of full size as the default queue of one port holds, and some.
const IDLE_BUFFERS_LEN_MAX: usize = 1024;
