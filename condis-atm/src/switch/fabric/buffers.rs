//! Buffers that are used again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::aal5::PduBuffer;

/// Octets of buffers that are kept for the next SDUs.
const SPARE_OCTETS_MAX: usize = 8 << 20;
/// Octets of rooms in which SDUs are put together, in all flows of a switch. Beyond it a PDU is dropped for want of a buffer.
pub const REASSEMBLY_OCTETS_MAX: usize = 64 << 20;

/// Buffers for SDUs that wait for their line or for the switch, as large as these.
#[derive(Default)]
pub(super) struct Spare {
    buffers: Vec<Vec<u8>>,
    octets: usize,
}

impl Spare {
    /// A buffer with these octets in it.
    pub(super) fn filled(&mut self, octets: &[u8]) -> Vec<u8> {
        let mut buffer = self.buffers.pop().unwrap_or_default();
        self.octets -= buffer.capacity();
        buffer.clear();
        buffer.extend_from_slice(octets);
        buffer
    }

    /// Takes a buffer back.
    pub(super) fn put(&mut self, buffer: Vec<u8>) {
        if self.octets + buffer.capacity() <= SPARE_OCTETS_MAX && buffer.capacity() != 0 {
            self.octets += buffer.capacity();
            self.buffers.push(buffer);
        }
    }
}

/// Where SDUs are put together: a room for the longest that the flow may carry.
#[derive(Debug)]
pub(super) struct Room {
    octets: Box<[u8]>,
    /// Of the SDU, once it is whole.
    sdu_octets: usize,
    alive_octets: Arc<AtomicUsize>,
}

impl Room {
    pub(super) fn sdu(&self) -> &[u8] {
        &self.octets[..self.sdu_octets]
    }
}

impl PduBuffer for Room {
    fn room(&mut self) -> &mut [u8] {
        &mut self.octets
    }

    fn finish(&mut self, sdu_octets: usize) {
        self.sdu_octets = sdu_octets;
    }
}

/// A reassembly drops the room of a PDU that it discards.
impl Drop for Room {
    fn drop(&mut self) {
        self.alive_octets.fetch_sub(self.octets.len(), Relaxed);
    }
}

/// The rooms of all flows.
#[derive(Default)]
pub(super) struct Rooms {
    spare: Vec<Room>,
    /// Of all rooms that are there.
    alive_octets: Arc<AtomicUsize>,
}

impl Rooms {
    /// A room of at least so many octets, if the bound allows it.
    pub(super) fn lend(&mut self, octets: usize) -> Option<Room> {
        // Rooms differ in size only where the flows' longest SDUs do; those that are too small go.
        while let Some(room) = self.spare.pop() {
            if room.octets.len() >= octets {
                return Some(room);
            }
        }
        if self.alive_octets.load(Relaxed) + octets > REASSEMBLY_OCTETS_MAX {
            return None;
        }
        self.alive_octets.fetch_add(octets, Relaxed);
        Some(Room { octets: vec![0; octets].into(), sdu_octets: 0, alive_octets: self.alive_octets.clone() })
    }

    /// Takes a room back.
    pub(super) fn put(&mut self, room: Room) {
        self.spare.push(room);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_used_again_and_bounded() {
        let mut rooms = Rooms::default();
        let large = 1 << 20;
        let mut lent: Vec<Room> = std::iter::from_fn(|| rooms.lend(large)).collect();
        assert_eq!(lent.len(), REASSEMBLY_OCTETS_MAX / large);
        // One that is dropped makes room for another, and so does one that comes back.
        lent.pop();
        lent.extend(rooms.lend(large));
        assert!(rooms.lend(1).is_none());
        rooms.put(lent.pop().unwrap());
        assert!(rooms.lend(large).is_some());
        drop(lent);
        assert!(rooms.lend(2 * large).is_some(), "those that are too small go");
        assert_eq!(rooms.alive_octets.load(Relaxed), 0);
    }

    #[test]
    fn spare_buffers_are_bounded_in_octets() {
        let mut spare = Spare::default();
        for _ in 0..20 {
            spare.put(Vec::with_capacity(1 << 20));
        }
        assert_eq!(spare.buffers.len(), 8);
        assert_eq!(spare.filled(b"abc"), b"abc");
        assert_eq!((spare.buffers.len(), spare.octets), (7, 7 << 20));
    }
}
