//! A net buffer list and the handle that owns it.

use std::fmt;
use std::ops::{BitOr, BitOrAssign, Deref, DerefMut};
use std::sync::Arc;

use super::info::{Contexts, Info};
use super::net_buffer::NetBuffer;
use super::pool::{self, Shared};
use crate::status::NdisStatus;

/// A net buffer list: whoever has it owns it and all in it. Sending moves it, completion moves it back.
///
/// Dropped, it goes back to the pool it came from, memory and all. Its contents, and with them its methods, are those of
/// [`NetBufferList`]; only they are lent, so that nobody who is shown a list in a chain can cut the chain.
/// Source: WDK NET_BUFFER_LIST, "Net Buffer Data Packaging".
#[doc(alias = "NET_BUFFER_LIST")]
#[doc(alias = "NdisFreeNetBufferList")]
pub struct Nbl(pub(super) Link);

impl Nbl {
    /// Octets of memory that one list takes beside its payload, without what the allocator adds.
    pub const OCTETS: usize = size_of::<Node>();

    #[inline]
    pub(super) fn from_node(node: Box<Node>) -> Nbl {
        debug_assert!(node.next.0.is_none());
        Nbl(Link(Some(node)))
    }

    #[inline]
    pub(super) fn into_node(mut self) -> Box<Node> {
        self.0.0.take().expect(OWNED)
    }
}

impl Deref for Nbl {
    type Target = NetBufferList;

    #[inline]
    fn deref(&self) -> &NetBufferList {
        &self.0.0.as_ref().expect(OWNED).list
    }
}

impl DerefMut for Nbl {
    #[inline]
    fn deref_mut(&mut self) -> &mut NetBufferList {
        &mut self.0.0.as_mut().expect(OWNED).list
    }
}

impl fmt::Debug for Nbl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// What is in a net buffer list: one net buffer or more, and what is said about them.
#[doc(alias = "NET_BUFFER_LIST")]
#[repr(C)] // with `Node`: what the data path looks at is in the first 64 octets
pub struct NetBufferList {
    source: u64,
    status: NdisStatus,
    flags: NblFlags,
    first: NetBuffer,
    cancel_id: u64,
    further: Option<Box<Further>>,
    beside: Option<Box<Beside>>,
    pub(super) pool: Arc<Shared>,
}

/// A list and the next one of the chain it is in.
#[repr(C)]
pub(super) struct Node {
    pub(super) next: Link,
    pub(super) list: NetBufferList,
}

/// Owns the rest of a chain, if there is one, and gives it back to its pools when dropped.
#[derive(Default)]
pub(super) struct Link(pub(super) Option<Box<Node>>);

impl Link {
    #[inline]
    pub(super) fn take(&mut self) -> Link {
        Link(self.0.take())
    }

    /// The empty link behind the last list.
    pub(super) fn end(&mut self) -> &mut Link {
        let mut end = self;
        while end.0.is_some() {
            end = &mut end.0.as_mut().expect("looked at just above").next;
        }
        end
    }
}

impl Drop for Link {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            pool::give_back(self.take());
        }
    }
}

/// The net buffers behind the first, and those kept for the next use of the list.
#[derive(Default)]
struct Further {
    used: Vec<NetBuffer>,
    spare: Vec<NetBuffer>,
}

/// What few lists have.
#[derive(Default)]
struct Beside {
    info: Info,
    contexts: Contexts,
}

impl NetBufferList {
    /// Adds an empty net buffer, with room as the pool has it, behind those there are.
    /// # Errors
    /// `RESOURCES`: no memory, or [`NET_BUFFERS_MAX`] are there already.
    #[doc(alias = "NdisAllocateNetBuffer")]
    pub fn add_net_buffer(&mut self) -> Result<&mut NetBuffer, NdisStatus> {
        let further = self.further.get_or_insert_default();
        if further.used.len() + 1 >= NET_BUFFERS_MAX {
            return Err(NdisStatus::RESOURCES);
        }
        let allocate = || NetBuffer::allocate(self.pool.payload_octets, self.pool.config.headroom);
        let fresh = further.spare.pop().or_else(allocate).ok_or(NdisStatus::RESOURCES)?;
        further.used.push(fresh);
        Ok(further.used.last_mut().expect("pushed just above"))
    }

    /// The first net buffer; often the only one.
    #[inline]
    #[doc(alias = "NET_BUFFER_LIST_FIRST_NB")]
    pub fn first_mut(&mut self) -> &mut NetBuffer {
        &mut self.first
    }

    /// The net buffers, in order, to be changed.
    pub fn net_buffers_mut(&mut self) -> impl Iterator<Item = &mut NetBuffer> {
        let further = self.further.iter_mut().flat_map(|further| &mut further.used);
        std::iter::once(&mut self.first).chain(further)
    }

    /// Sets the status that a send completes with; it holds for all net buffers.
    #[inline]
    #[doc(alias = "NET_BUFFER_LIST_STATUS")]
    pub fn set_status(&mut self, status: NdisStatus) {
        self.status = status;
    }

    /// Marks the list so that it can be cancelled while it is queued, or takes the mark off.
    #[doc(alias = "NDIS_SET_NET_BUFFER_LIST_CANCEL_ID")]
    pub fn set_cancel_id(&mut self, id: Option<CancelId>) {
        self.cancel_id = id.map_or(0, |id| id.0.get());
    }

    /// Sets the VC that the list travels on. NDIS does, at every send and indication.
    #[inline]
    #[doc(alias = "SourceHandle")]
    pub(crate) fn set_source(&mut self, source: u64) {
        self.source = source;
    }

    /// Sets the flags.
    #[doc(alias = "NblFlags")]
    pub fn set_flags(&mut self, flags: NblFlags) {
        self.flags = flags;
    }

    /// The out-of-band information, to be changed. The first use of it on a list allocates.
    #[doc(alias = "NET_BUFFER_LIST_INFO")]
    pub fn info_mut(&mut self) -> &mut Info {
        &mut self.beside.get_or_insert_default().info
    }

    /// Takes over the out-of-band information of `from`, as a driver does for a clone; its cancel id and flags as well.
    #[doc(alias = "NdisCopySendNetBufferListInfo")]
    #[doc(alias = "NdisCopyReceiveNetBufferListInfo")]
    pub fn copy_info_from(&mut self, from: &NetBufferList) {
        self.cancel_id = from.cancel_id;
        self.flags = from.flags;
        match from.info() {
            Some(info) => self.info_mut().clone_from(info),
            None => {
                if let Some(beside) = &mut self.beside {
                    beside.info.clear();
                }
            }
        }
    }

    /// Puts a context area with `bytes` on top of those there are. It is released before the list leaves the driver's hands
    /// upstream (DP-167).
    /// # Errors
    /// `RESOURCES`: more than [`CONTEXTS_MAX`](super::CONTEXTS_MAX) areas or
    /// [`CONTEXT_OCTETS_MAX`](super::CONTEXT_OCTETS_MAX) octets.
    #[doc(alias = "NET_BUFFER_LIST_CONTEXT")]
    #[doc(alias = "NdisAllocateNetBufferListContext")]
    pub fn push_context(&mut self, bytes: &[u8]) -> Result<(), NdisStatus> {
        self.beside.get_or_insert_default().contexts.push(bytes)
    }

    /// Releases the context area on top and tells its size. Read it before with [`NetBufferList::context`].
    #[doc(alias = "NdisFreeNetBufferListContext")]
    pub fn pop_context(&mut self) -> Option<usize> {
        self.beside.as_mut()?.contexts.pop()
    }

    /// The context area on top, to be changed.
    #[doc(alias = "NET_BUFFER_LIST_CONTEXT_DATA_START")]
    pub fn context_mut(&mut self) -> Option<&mut [u8]> {
        self.beside.as_mut()?.contexts.top_mut()
    }

    /// The context area on top.
    #[doc(alias = "NET_BUFFER_LIST_CONTEXT_DATA_START")]
    pub fn context(&self) -> Option<&[u8]> {
        self.beside.as_ref()?.contexts.top()
    }

    /// Context areas on the list.
    pub fn context_count(&self) -> usize {
        self.beside.as_ref().map_or(0, |beside| beside.contexts.len())
    }

    /// The first net buffer; often the only one.
    #[inline]
    #[doc(alias = "NET_BUFFER_LIST_FIRST_NB")]
    #[doc(alias = "FirstNetBuffer")]
    pub fn first(&self) -> &NetBuffer {
        &self.first
    }

    /// The net buffers, in order.
    pub fn net_buffers(&self) -> impl Iterator<Item = &NetBuffer> {
        std::iter::once(&self.first).chain(self.further.iter().flat_map(|further| &further.used))
    }

    /// Bytes of data in all net buffers.
    #[inline]
    pub fn data_len(&self) -> u64 {
        let first = self.first.data_length() as u64;
        if self.further.is_none() { first } else { first + self.further_data_len() }
    }

    #[cold]
    fn further_data_len(&self) -> u64 {
        let further = self.further.iter().flat_map(|further| &further.used);
        further.map(|buffer| buffer.data_length() as u64).sum()
    }

    /// The status that a send completed with.
    #[inline]
    #[doc(alias = "NET_BUFFER_LIST_STATUS")]
    pub fn status(&self) -> NdisStatus {
        self.status
    }

    /// The mark by which the list can be cancelled while it is queued.
    #[inline]
    #[doc(alias = "NDIS_GET_NET_BUFFER_LIST_CANCEL_ID")]
    #[doc(alias = "NetBufferListCancelId")]
    pub fn cancel_id(&self) -> Option<CancelId> {
        std::num::NonZeroU64::new(self.cancel_id).map(CancelId)
    }

    /// The VC that the list travels on, 0 for none. For NDIS and its observers; a driver identifies nothing by it.
    /// Source: WDK SourceHandle; DP-127, C-26.
    #[inline]
    #[doc(alias = "SourceHandle")]
    pub fn source(&self) -> u64 {
        self.source
    }

    /// The flags.
    #[inline]
    #[doc(alias = "NblFlags")]
    pub fn flags(&self) -> NblFlags {
        self.flags
    }

    /// The out-of-band information, if there ever was any on this list.
    #[doc(alias = "NET_BUFFER_LIST_INFO")]
    pub fn info(&self) -> Option<&Info> {
        self.beside.as_ref().map(|beside| &beside.info)
    }

    /// True while other lists, clones of this one or its parent, read the same payload. A parent may only be handed back when
    /// this is false (DP-166).
    #[doc(alias = "ChildRefCount")]
    pub fn is_shared(&self) -> bool {
        self.net_buffers().any(NetBuffer::is_shared)
    }

    /// True if this was cloned from another list, its parent.
    #[doc(alias = "ParentNetBufferList")]
    pub fn is_clone(&self) -> bool {
        self.first.is_clone()
    }

    /// The octets at the front that the data path looks at: all up to the place of the first net buffer's first bytes.
    #[cfg(test)]
    pub(super) const HOT_OCTETS: usize = std::mem::offset_of!(NetBufferList, first) + NetBuffer::HOT_OCTETS;

    pub(super) fn new(first: NetBuffer, pool: Arc<Shared>) -> NetBufferList {
        NetBufferList {
            source: 0,
            status: NdisStatus::SUCCESS,
            flags: NblFlags::NONE,
            first,
            cancel_id: 0,
            further: None,
            beside: None,
            pool,
        }
    }

    pub(super) fn become_clone_of(&mut self, parent: &mut NetBufferList) -> Result<(), NdisStatus> {
        self.first.become_clone_of(&mut parent.first)?;
        for buffer in parent.further.iter_mut().flat_map(|further| &mut further.used) {
            self.add_net_buffer()?.become_clone_of(buffer)?;
        }
        Ok(())
    }

    /// Makes the list as new for the next use. False if its payload cannot be used again.
    #[inline]
    pub(super) fn recycle(&mut self, payload_octets: usize, headroom: usize, verify: bool) -> bool {
        self.source = 0;
        self.status = NdisStatus::SUCCESS;
        self.flags = NblFlags::NONE;
        self.cancel_id = 0;
        if self.further.is_some() || self.beside.is_some() {
            self.recycle_rare(payload_octets, headroom, verify);
        }
        let whole = self.first.recycle(payload_octets, headroom);
        if whole && verify {
            self.first.poison();
        }
        whole
    }

    #[cold]
    fn recycle_rare(&mut self, payload_octets: usize, headroom: usize, verify: bool) {
        if let Some(further) = &mut self.further {
            while let Some(mut buffer) = further.used.pop() {
                if buffer.recycle(payload_octets, headroom) {
                    if verify {
                        buffer.poison();
                    }
                    further.spare.push(buffer);
                }
            }
        }
        if let Some(beside) = &mut self.beside {
            beside.info.clear();
            beside.contexts.clear();
        }
    }
}

impl fmt::Debug for NetBufferList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NetBufferList { source, status, flags, .. } = self;
        write!(f, "NBL of {} octets, source {source:#x}, status {:#010x}", self.data_len(), status.0)?;
        write!(f, ", flags {:#x}, {} net buffers", flags.0, self.net_buffers().count())
    }
}

/// What is known of the packets of a list: a set of the documented bits.
#[doc(alias = "NET_BUFFER_LIST_NBL_FLAGS")]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NblFlags(pub u32);

impl NblFlags {
    /// No flag.
    pub const NONE: NblFlags = NblFlags(0);
    /// The data may not be changed on its way down.
    #[doc(alias = "NDIS_NBL_FLAGS_SEND_READ_ONLY")]
    pub const SEND_READ_ONLY: NblFlags = NblFlags(0x1);
    /// The data may not be changed on its way up.
    #[doc(alias = "NDIS_NBL_FLAGS_RECV_READ_ONLY")]
    pub const RECV_READ_ONLY: NblFlags = NblFlags(0x2);
    /// Header and data are in different MDLs.
    #[doc(alias = "NDIS_NBL_FLAGS_HD_SPLIT")]
    pub const HD_SPLIT: NblFlags = NblFlags(0x100);
    /// IPv4.
    #[doc(alias = "NDIS_NBL_FLAGS_IS_IPV4")]
    pub const IS_IPV4: NblFlags = NblFlags(0x200);
    /// IPv6.
    #[doc(alias = "NDIS_NBL_FLAGS_IS_IPV6")]
    pub const IS_IPV6: NblFlags = NblFlags(0x400);
    /// TCP.
    #[doc(alias = "NDIS_NBL_FLAGS_IS_TCP")]
    pub const IS_TCP: NblFlags = NblFlags(0x800);
    /// UDP.
    #[doc(alias = "NDIS_NBL_FLAGS_IS_UDP")]
    pub const IS_UDP: NblFlags = NblFlags(0x1000);
    /// Split at the start of the upper-layer protocol's header.
    #[doc(alias = "NDIS_NBL_FLAGS_SPLIT_AT_UPPER_LAYER_PROTOCOL_HEADER")]
    pub const SPLIT_AT_UPPER_LAYER_PROTOCOL_HEADER: NblFlags = NblFlags(0x2000);
    /// Split at the start of the upper-layer protocol's payload.
    #[doc(alias = "NDIS_NBL_FLAGS_SPLIT_AT_UPPER_LAYER_PROTOCOL_PAYLOAD")]
    pub const SPLIT_AT_UPPER_LAYER_PROTOCOL_PAYLOAD: NblFlags = NblFlags(0x4000);
    /// NDIS looped it back.
    #[doc(alias = "NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET")]
    pub const IS_LOOPBACK_PACKET: NblFlags = NblFlags(0x8000);
    /// The sender wants to know when it was sent.
    #[doc(alias = "NDIS_NBL_FLAGS_CAPTURE_TIMESTAMP_ON_TRANSMIT")]
    pub const CAPTURE_TIMESTAMP_ON_TRANSMIT: NblFlags = NblFlags(0x10000);

    /// True if all of `flags` are set here.
    pub const fn contains(self, flags: NblFlags) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl BitOr for NblFlags {
    type Output = NblFlags;

    fn bitor(self, other: NblFlags) -> NblFlags {
        NblFlags(self.0 | other.0)
    }
}

impl BitOrAssign for NblFlags {
    fn bitor_assign(&mut self, other: NblFlags) {
        self.0 |= other.0;
    }
}

/// Marks sends, so that those still queued can be cancelled together. Never zero, which is the documented "no id".
///
/// Its high byte is the one that NDIS gave the sender (NdisGeneratePartialCancelId), so that senders do not hit each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CancelId(pub std::num::NonZeroU64);

impl CancelId {
    /// The id with NDIS's `partial` id in the high byte and the sender's `own` number below it (56 bits of it). `None` if both
    /// are zero.
    #[doc(alias = "NdisGeneratePartialCancelId")]
    pub const fn new(partial: u8, own: u64) -> Option<CancelId> {
        match std::num::NonZeroU64::new((partial as u64) << 56 | own & 0x00FF_FFFF_FFFF_FFFF) {
            Some(id) => Some(CancelId(id)),
            None => None,
        }
    }
}

/// Net buffers in one list, at most. A list of a full-size TCP segment in packets of 1,460 octets has 45.
pub const NET_BUFFERS_MAX: usize = 64;

const OWNED: &str = "an Nbl owns its memory until it is dropped";
