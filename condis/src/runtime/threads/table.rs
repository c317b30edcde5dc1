//! The lanes by number, read without a lock.

use std::sync::OnceLock;

/// Entries of the first chunk; each further one is twice as long as the one before.
const FIRST: u64 = 32;
/// Chunks enough for every `u32`.
const CHUNKS: usize = 28;

/// A table that only grows. Its entries never move, so reading one takes two loads and no count.
pub(super) struct Table<T> {
    chunks: [OnceLock<Box<[OnceLock<T>]>>; CHUNKS],
}

impl<T> Table<T> {
    pub(super) fn new() -> Table<T> {
        Table { chunks: [const { OnceLock::new() }; CHUNKS] }
    }

    /// Sets entry `index`, unless it is set.
    pub(super) fn set(&self, index: u32, value: T) {
        let (chunk, place) = place(index);
        let entries =
            self.chunks[chunk].get_or_init(|| (0..FIRST << chunk).map(|_| OnceLock::new()).collect());
        let _ = entries[place].set(value);
    }

    pub(super) fn get(&self, index: u32) -> Option<&T> {
        let (chunk, place) = place(index);
        self.chunks[chunk].get()?[place].get()
    }
}

fn place(index: u32) -> (usize, usize) {
    let n = u64::from(index) + FIRST;
    let chunk = n.ilog2() - FIRST.ilog2();
    (chunk as usize, (n - (FIRST << chunk)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_lie_side_by_side_and_reach_the_last_index() {
        assert_eq!([0, 31, 32, 95, 96].map(place), [(0, 0), (0, 31), (1, 0), (1, 63), (2, 0)]);
        assert!(place(u32::MAX).0 < CHUNKS);
        let table = Table::new();
        (0..200).for_each(|n| table.set(n, n));
        assert!((0..200).all(|n| table.get(n) == Some(&n)));
        assert_eq!((table.get(200), table.get(u32::MAX)), (None, None));
    }
}
