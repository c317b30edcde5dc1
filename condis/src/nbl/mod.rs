//! Net buffer lists: what the data path carries.
//!
//! A [`NetBuffer`] is one packet, a chain of MDLs with room for headers before the data. An [`Nbl`] owns a list of them, most
//! often of one, with its status and what is said beside the data. A [`Chain`] is several lists in a row, the unit of every
//! call. All come from a [`Pool`] and go back there when dropped, so nothing is lost and, once the pool is warm, nothing is
//! allocated. A [`LocalPool`] spares the pool's lock.
//!
//! A list is owned by whoever holds its handle. A header is put before the data in place ([`NetBuffer::prepend`]), also before
//! that of a clone ([`Pool::clone_nbl`]), which shares the payload.
//!
//! ```
//! use condis::nbl::{Chain, Pool, PoolConfig};
//! # fn main() -> Result<(), condis::status::NdisStatus> {
//! let pool = Pool::new(PoolConfig { capacity: 16, ..PoolConfig::default() });
//! let mut nbl = pool.alloc_copy(b"payload")?;
//! nbl.first_mut().prepend(b"header ")?;
//! assert_eq!(nbl.first().contiguous(), Some(&b"header payload"[..]));
//! let chain = Chain::from(nbl);
//! assert_eq!((chain.len(), chain.data_len(), pool.outstanding()), (1, 14, 1));
//! drop(chain);
//! assert_eq!(pool.outstanding(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! Source: WDK, "Net Buffer Data Packaging"; condis-datapath.md section 7; rules DP-159 to DP-167.
//!
//! Left out: NBLs without a net buffer, fragments and reassembly (NdisAllocateFragmentNetBufferList,
//! NdisAllocateReassembledNetBufferList), scatter/gather lists for hardware, the out-of-band slots for offloads.

mod chain;
mod info;
mod list;
mod local;
mod mdl;
mod net_buffer;
mod pool;

pub use chain::{Chain, IntoIter, Iter, IterMut};
pub use info::{CONTEXT_OCTETS_MAX, CONTEXTS_MAX, Info, MEDIA_SPECIFIC_MAX, MediaSpecific, Timestamps};
pub use list::{CancelId, NET_BUFFERS_MAX, Nbl, NblFlags, NetBufferList};
pub use local::LocalPool;
pub use net_buffer::{MDLS_MAX, Mdls, NetBuffer, POISON, PREPEND_BACKFILL_OCTETS};
pub use pool::{Pool, PoolConfig};

#[cfg(test)]
mod tests;
