//! The floor under the timer benches: a bare hashed wheel.
//!
//! It does what no timer can do without: an entry from a slab holds the target, the token and the deadline; it is linked into
//! the list of the slot that its deadline hashes to, and unlinked when it is cancelled. What the thread runtime must add is
//! left out on purpose: no lock, no clock (the caller says the tick), no generation in the id, no search for the next deadline.

use std::sync::Weak;

/// Slots of the wheel. At one tick a millisecond one turn takes about 4 s; the heads are 16 KiB and stay in the cache.
const SLOTS: usize = 4096;

/// No entry.
const NIL: u32 = u32::MAX;

/// A hashed wheel of timers with targets of type `T`.
pub(crate) struct HashedWheel<T: ?Sized> {
    tick: u64,
    heads: Box<[u32]>,
    entries: Vec<Entry<T>>,
    free: u32,
}

struct Entry<T: ?Sized> {
    target: Option<Weak<T>>,
    token: u64,
    at: u64,
    prev: u32,
    next: u32,
}

impl<T: ?Sized> HashedWheel<T> {
    pub(crate) fn new() -> HashedWheel<T> {
        HashedWheel { tick: 0, heads: vec![NIL; SLOTS].into(), entries: Vec::new(), free: NIL }
    }

    /// Arms a timer `after` ticks from now.
    pub(crate) fn arm(&mut self, after: u64, target: Weak<T>, token: u64) -> u32 {
        let at = self.tick + after;
        let slot = at as usize % SLOTS;
        let next = self.heads[slot];
        let entry = Entry { target: Some(target), token, at, prev: NIL, next };
        let id = self.free;
        let id = if id == NIL {
            self.entries.push(entry);
            self.entries.len() as u32 - 1
        } else {
            self.free = self.entries[id as usize].next;
            self.entries[id as usize] = entry;
            id
        };
        if next != NIL {
            self.entries[next as usize].prev = id;
        }
        self.heads[slot] = id;
        id
    }

    /// Takes a timer back.
    pub(crate) fn cancel(&mut self, id: u32) -> Option<Weak<T>> {
        let free = self.free;
        let entry = &mut self.entries[id as usize];
        let target = entry.target.take()?;
        let (at, prev, next) = (entry.at, entry.prev, entry.next);
        entry.next = free;
        self.free = id;
        if next != NIL {
            self.entries[next as usize].prev = prev;
        }
        if prev != NIL {
            self.entries[prev as usize].next = next;
        } else {
            self.heads[at as usize % SLOTS] = next;
        }
        Some(target)
    }

    /// Moves one tick on and hands what is due to `fire`.
    #[expect(dead_code, reason = "a wheel that cannot turn is none, but nothing comes due in the bench")]
    pub(crate) fn tick(&mut self, mut fire: impl FnMut(Weak<T>, u64)) {
        self.tick += 1;
        let mut id = self.heads[self.tick as usize % SLOTS];
        while id != NIL {
            let Entry { token, at, next, .. } = self.entries[id as usize];
            if at <= self.tick
                && let Some(target) = self.cancel(id)
            {
                fire(target, token);
            }
            id = next;
        }
    }
}
