//! Where net buffer lists come from and go back to.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::chain::Chain;
use super::list::{Link, Nbl, NetBufferList, Node};
use super::net_buffer::NetBuffer;
use crate::status::NdisStatus;

/// What the lists of a pool are like, and how many there may be.
#[doc(alias = "NET_BUFFER_LIST_POOL_PARAMETERS")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// Octets of data that a fresh list has room for.
    #[doc(alias = "DataSize")]
    pub data_size: usize,
    /// Octets of unused space before the data of a fresh list, into which headers go without a copy. A driver asks for what
    /// the layers below it announced.
    #[doc(alias = "DataBackFillSize")]
    pub headroom: usize,
    /// Octets behind `data_size`, for trailers.
    pub tailroom: usize,
    /// Lists that may be out at a time.
    pub capacity: usize,
    /// Overwrite the payload of freed lists, so that who reads stale data sees it ([`POISON`](super::POISON)).
    #[doc(alias = "NET_BUFFER_LIST_POOL_FLAG_VERIFY")]
    pub verify: bool,
}

impl Default for PoolConfig {
    /// An Ethernet frame and the headers below it, 1,024 times.
    fn default() -> PoolConfig {
        PoolConfig { data_size: 1536, headroom: 64, tailroom: 0, capacity: 1024, verify: false }
    }
}

/// A pool of net buffer lists, each with one net buffer of the same size. Cheap to clone; all clones are the same pool.
///
/// A list that is dropped comes back here, with its memory, and is handed out again: once warm, the pool allocates nothing.
/// Every allocation and every run of freed lists takes one lock; [`LocalPool`](super::LocalPool) spares it.
///
/// When the last `Pool` goes, the lists that are free are freed, and those still out (DP-165 forbids it) when they are dropped.
/// Source: WDK NdisAllocateNetBufferListPool, NdisFreeNetBufferListPool.
#[doc(alias = "NdisAllocateNetBufferListPool")]
#[doc(alias = "NdisFreeNetBufferListPool")]
#[doc(alias = "NdisAllocateNetBufferPool")]
#[derive(Clone)]
pub struct Pool(Arc<Owner>);

impl Pool {
    /// A pool, without any list made yet.
    ///
    /// If one payload would be larger than 4 GiB, every allocation is answered with `RESOURCES`.
    pub fn new(config: PoolConfig) -> Pool {
        let sizes =
            config.headroom.checked_add(config.data_size).and_then(|sum| sum.checked_add(config.tailroom));
        let payload_octets = sizes.filter(|&sum| u32::try_from(sum).is_ok());
        let shared = Shared {
            capacity: if payload_octets.is_some() { config.capacity } else { 0 },
            payload_octets: payload_octets.unwrap_or(0),
            config,
            state: Mutex::default(),
        };
        Pool(Arc::new(Owner(Arc::new(shared))))
    }

    /// A list with one net buffer, without data, its headroom before it.
    ///
    /// What the memory holds is not defined: often the data of the list that had it before.
    /// # Errors
    /// `RESOURCES`: as many lists are out as the pool may have, or memory is.
    #[doc(alias = "NdisAllocateNetBufferAndNetBufferList")]
    #[doc(alias = "NdisAllocateNetBufferList")]
    #[inline]
    pub fn alloc(&self) -> Result<Nbl, NdisStatus> {
        let shared = self.shared();
        let mut state = shared.lock();
        if let Some(mut node) = state.free.0.take() {
            state.free = node.next.take();
            state.free_len -= 1;
            return Ok(Nbl::from_node(node));
        }
        if state.made >= shared.capacity {
            return Err(NdisStatus::RESOURCES);
        }
        state.made += 1;
        drop(state);
        shared.make().inspect_err(|_| shared.lock().made -= 1)
    }

    /// A list with `data` in it.
    /// # Errors
    /// As [`Pool::alloc`]; `INVALID_LENGTH`: the lists of this pool are smaller.
    pub fn alloc_copy(&self, data: &[u8]) -> Result<Nbl, NdisStatus> {
        let mut nbl = self.alloc()?;
        nbl.first_mut().fill(data).map_err(|_| NdisStatus::INVALID_LENGTH)?;
        Ok(nbl)
    }

    /// A chain of `n` lists, for one lock.
    /// # Errors
    /// As [`Pool::alloc`]; then none is taken.
    pub fn alloc_chain(&self, n: usize) -> Result<Chain, NdisStatus> {
        let shared = self.shared();
        let mut state = shared.lock();
        if n > state.free_len.saturating_add(shared.capacity.saturating_sub(state.made)) {
            return Err(NdisStatus::RESOURCES);
        }
        let mut chain = state.take_free(n);
        let short = n - chain.len();
        state.made += short;
        drop(state);
        for missing in (1..=short).rev() {
            // A failure takes back the claim for this list and those not made; those made go back as the chain is dropped.
            chain.push_front(shared.make().inspect_err(|_| shared.lock().made -= missing)?);
        }
        Ok(chain)
    }

    /// A clone of `parent`: a list of this pool with the same data, which is not copied but shared from now on.
    ///
    /// The clone has the headroom of this pool for headers of its own, in memory of its own; pools for clones are made with
    /// a `data_size` of 0. It has no contexts and no out-of-band information
    /// ([`NetBufferList::copy_info_from`] brings that). Parent and clone can then only be read, headers apart.
    /// The parent is handed back after all its clones ([`NetBufferList::is_shared`] tells; DP-166).
    /// # Errors
    /// As [`Pool::alloc`].
    /// Source: WDK NdisAllocateCloneNetBufferList with NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS.
    #[doc(alias = "NdisAllocateCloneNetBufferList")]
    #[doc(alias = "NdisFreeCloneNetBufferList")]
    pub fn clone_nbl(&self, parent: &mut NetBufferList) -> Result<Nbl, NdisStatus> {
        let mut clone = self.alloc()?;
        clone.become_clone_of(parent)?;
        Ok(clone)
    }

    /// Clones of all lists of a chain, in their order.
    /// # Errors
    /// As [`Pool::alloc`]; then none is cloned.
    pub fn clone_chain(&self, parents: &mut Chain) -> Result<Chain, NdisStatus> {
        let mut clones = self.alloc_chain(parents.len())?;
        for (clone, parent) in clones.iter_mut().zip(parents.iter_mut()) {
            clone.become_clone_of(parent)?;
        }
        Ok(clones)
    }

    /// Frees a chain, lists of other pools too. The same as dropping it, and a little cheaper for lists of this pool.
    #[doc(alias = "NdisFreeNetBufferList")]
    pub fn free(&self, chain: Chain) {
        let (head, _) = chain.into_parts();
        let rest = if head.0.is_some() { self.shared().take_back(head) } else { head };
        drop(rest);
    }

    /// Lists that are out: allocated and not freed. Exact while nobody allocates or frees.
    pub fn outstanding(&self) -> usize {
        let state = self.shared().lock();
        let cached: usize = state.locals.iter().map(|len| len.load(Ordering::Relaxed)).sum();
        state.made.saturating_sub(state.free_len + cached)
    }

    /// Lists that were freed while a clone still read their payload, against DP-166. No harm comes of it but that the
    /// payload was not used again.
    pub fn freed_while_shared(&self) -> u64 {
        self.shared().lock().freed_while_shared
    }

    /// What the lists are like.
    pub fn config(&self) -> &PoolConfig {
        &self.shared().config
    }

    /// True if `nbl` came from this pool.
    #[doc(alias = "NdisPoolHandle")]
    #[inline]
    pub fn owns(&self, nbl: &NetBufferList) -> bool {
        Arc::ptr_eq(self.shared(), &nbl.pool)
    }

    /// Up to `n` lists for a local pool: free ones, or one that is made.
    pub(super) fn refill(&self, n: usize) -> Result<Chain, NdisStatus> {
        let chain = self.shared().lock().take_free(n);
        if chain.is_empty() { self.alloc().map(Chain::from) } else { Ok(chain) }
    }

    /// Leaves the lists counted in `cached` out of those outstanding.
    pub(super) fn register(&self, cached: &Arc<AtomicUsize>) {
        self.shared().lock().locals.push(Arc::clone(cached));
    }

    pub(super) fn unregister(&self, cached: &Arc<AtomicUsize>) {
        self.shared().lock().locals.retain(|other| !Arc::ptr_eq(other, cached));
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0.0
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PoolConfig { data_size, headroom, capacity, .. } = self.config();
        write!(f, "pool of {capacity} NBLs of {headroom} + {data_size} octets, {} out", self.outstanding())
    }
}

/// The last owner of a pool closes it. Free lists know their pool, so they would otherwise keep each other alive for ever.
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        state.made -= state.free_len;
        state.free_len = 0;
        let free = state.free.take();
        drop(state);
        destroy(free);
    }
}

/// What a pool and its lists share.
pub(super) struct Shared {
    pub(super) config: PoolConfig,
    pub(super) payload_octets: usize,
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Free lists, the last one freed first: its memory is still warm.
    free: Link,
    free_len: usize,
    /// Lists that exist: free, cached or out.
    made: usize,
    closed: bool,
    freed_while_shared: u64,
    locals: Vec<Arc<AtomicUsize>>,
}

impl State {
    fn take_free(&mut self, n: usize) -> Chain {
        let mut free = Chain::from_parts(self.free.take(), self.free_len);
        let taken = free.split_off_front(n);
        (self.free, self.free_len) = free.into_parts();
        taken
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under the lock leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    fn make(self: &Arc<Shared>) -> Result<Nbl, NdisStatus> {
        let mut first =
            NetBuffer::allocate(self.payload_octets, self.config.headroom).ok_or(NdisStatus::RESOURCES)?;
        if self.config.verify {
            first.poison();
        }
        let list = NetBufferList::new(first, Arc::clone(self));
        Ok(Nbl::from_node(Box::new(Node { next: Link::default(), list })))
    }

    /// Makes a list of this pool as new. False if its payload cannot be used again.
    #[inline]
    pub(super) fn recycle(&self, list: &mut NetBufferList) -> bool {
        list.recycle(self.payload_octets, self.config.headroom, self.config.verify)
    }

    /// Takes back the lists at the front of `run` that are of this pool, for one lock, and gives the rest.
    fn take_back(&self, mut run: Link) -> Link {
        let (mut whole, mut broken, mut shared) = (0, 0, 0);
        let mut end = &mut run;
        while let Some(node) = end.0.as_mut().filter(|node| std::ptr::eq(&*node.list.pool, self)) {
            if self.recycle(&mut node.list) {
                whole += 1;
                end = &mut end.0.as_mut().expect("looked at just above").next;
            } else {
                shared += u64::from(node.list.is_shared());
                broken += 1;
                let mut node = end.0.take().expect("looked at just above");
                *end = node.next.take();
            }
        }
        let rest = end.take();
        let mut state = self.lock();
        state.made -= broken;
        state.freed_while_shared += shared;
        if state.closed {
            state.made -= whole;
            drop(state);
            destroy(run);
        } else {
            *end = state.free.take();
            state.free = run;
            state.free_len += whole;
        }
        rest
    }
}

/// Gives the lists of a chain back to their pools, one lock for each run of lists of the same pool.
#[inline(never)]
pub(super) fn give_back(mut rest: Link) {
    while let Some(node) = &rest.0 {
        let pool = Arc::clone(&node.list.pool);
        rest = pool.take_back(rest);
    }
}

/// Frees the memory of the lists, one after the other, however many there are.
fn destroy(mut lists: Link) {
    while let Some(mut node) = lists.0.take() {
        lists = node.next.take();
    }
}
