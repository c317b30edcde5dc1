//! A pool's cache for one thread.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::chain::Chain;
use super::list::{Link, Nbl};
use super::pool::{Pool, Shared};
use crate::status::NdisStatus;

/// A cache before a [`Pool`], for one thread at a time: taking a list from it and freeing one into it takes no lock and no
/// atomic read-modify-write.
///
/// It takes lists from its pool in batches, and gives half of them back when it has too many. The lists it holds count
/// towards the capacity of the pool, and not as outstanding. A list that is merely dropped goes to the pool, not here.
pub struct LocalPool {
    cache: Cell<Link>,
    /// Lists in `cache`. Written here only; the pool reads it for its accounts.
    len: Arc<AtomicUsize>,
    batch: usize,
    /// What `pool` holds, one step nearer.
    shared: Arc<Shared>,
    pool: Pool,
}

impl LocalPool {
    /// An empty cache before `pool`.
    pub fn new(pool: &Pool) -> LocalPool {
        let len = Arc::default();
        pool.register(&len);
        // A small pool is not to end up in the caches of its users.
        let batch = (pool.config().capacity / 8).clamp(1, BATCH_MAX);
        LocalPool {
            cache: Cell::default(),
            len,
            batch,
            shared: Arc::clone(pool.shared()),
            pool: pool.clone(),
        }
    }

    /// A list with one net buffer, without data, its headroom before it. As [`Pool::alloc`].
    /// # Errors
    /// `RESOURCES`: neither the cache nor the pool has one.
    #[inline]
    pub fn alloc(&self) -> Result<Nbl, NdisStatus> {
        if let Some(mut node) = self.cache.take().0.take() {
            self.cache.set(node.next.take());
            self.set_len(self.len() - 1);
            return Ok(Nbl::from_node(node));
        }
        self.refill()
    }

    /// A list with `data` in it.
    /// # Errors
    /// As [`LocalPool::alloc`]; `INVALID_LENGTH`: the lists of this pool are smaller.
    pub fn alloc_copy(&self, data: &[u8]) -> Result<Nbl, NdisStatus> {
        let mut nbl = self.alloc()?;
        if nbl.first_mut().fill(data).is_err() {
            self.free(nbl);
            return Err(NdisStatus::INVALID_LENGTH);
        }
        Ok(nbl)
    }

    /// Frees a list into the cache; into its own pool, if that is another one.
    #[inline]
    pub fn free(&self, mut nbl: Nbl) {
        if !Arc::ptr_eq(&self.shared, &nbl.pool) || !self.shared.recycle(&mut nbl) {
            return drop(nbl);
        }
        let mut node = nbl.into_node();
        node.next = self.cache.take();
        self.cache.set(Link(Some(node)));
        let len = self.len() + 1;
        self.set_len(len);
        if len > 2 * self.batch {
            self.spill();
        }
    }

    /// Frees the lists of a chain into the cache, one by one; what the cache does not hold goes to the pool in batches.
    pub fn free_chain(&self, chain: Chain) {
        for nbl in chain {
            self.free(nbl);
        }
    }

    /// The pool behind the cache.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Lists in the cache.
    #[inline]
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// True if the cache is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    fn set_len(&self, len: usize) {
        self.len.store(len, Ordering::Relaxed);
    }

    #[cold]
    fn refill(&self) -> Result<Nbl, NdisStatus> {
        let mut fresh = self.pool.refill(self.batch)?;
        let nbl = fresh.pop_front().ok_or(NdisStatus::RESOURCES)?;
        self.put(fresh);
        Ok(nbl)
    }

    #[cold]
    fn spill(&self) {
        let mut cached = Chain::from_parts(self.cache.take(), self.len());
        let spilled = cached.split_off_front(self.batch);
        self.put(cached);
        self.pool.free(spilled);
    }

    fn put(&self, lists: Chain) {
        let (head, len) = lists.into_parts();
        self.cache.set(head);
        self.set_len(len);
    }
}

impl Drop for LocalPool {
    fn drop(&mut self) {
        let cached = Chain::from_parts(self.cache.take(), self.len());
        self.pool.free(cached);
        self.pool.unregister(&self.len);
    }
}

impl fmt::Debug for LocalPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} NBLs cached of {:?}", self.len(), self.pool)
    }
}

/// Lists that a cache takes or gives back at a time, at most: with 32 the pool's lock costs each less than a nanosecond.
const BATCH_MAX: usize = 32;
