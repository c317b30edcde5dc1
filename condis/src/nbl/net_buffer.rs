//! One packet of data: a chain of MDLs and the part of it that is in use.

use super::mdl::{Mdl, Memory};
use crate::status::NdisStatus;

/// One packet: a chain of MDLs, of which `data_length` bytes from `data_offset` on are in use.
///
/// The bytes before the data are the unused (backfill) space, into which a header goes without a copy; those behind it are
/// tail room. The bytes in use are one sequence, whatever number of MDLs they lie in.
///
/// The first MDL lies in the net buffer itself; a net buffer with one MDL takes one memory access to its bytes.
/// Source: WDK NET_BUFFER; rules DP-159 to DP-164.
#[doc(alias = "NET_BUFFER")]
#[derive(Debug)]
#[repr(C)] // in the order in which the data path looks at them
pub struct NetBuffer {
    data_length: u32,
    data_offset: u32,
    current_offset: u32,
    current: u16,
    /// MDLs in front that retreats allocated. The net buffer's own MDL is the one behind them.
    fronted: u8,
    clone: bool,
    first: Mdl,
    more: Vec<Mdl>,
}

impl NetBuffer {
    /// The octets at the front that are looked at for a net buffer of one MDL, beside whether it has more.
    #[cfg(test)]
    pub(super) const HOT_OCTETS: usize = std::mem::offset_of!(NetBuffer, more);

    /// A net buffer over `payload_octets` of zeroed memory of its own, without data, `headroom` of them before the data.
    pub(super) fn allocate(payload_octets: usize, headroom: usize) -> Option<NetBuffer> {
        let first = Mdl::new(Memory::allocate(payload_octets)?)?;
        let data_offset = u32::try_from(headroom.min(payload_octets)).ok()?;
        Some(NetBuffer {
            data_length: 0,
            data_offset,
            current_offset: data_offset,
            current: 0,
            fronted: 0,
            clone: false,
            first,
            more: Vec::new(),
        })
    }

    /// Makes room for `delta` more bytes in front of the data; what they hold is not defined.
    ///
    /// With `delta` no greater than the unused space nothing is allocated. Otherwise all of that space is used, and a new
    /// MDL in front holds the rest, with `backfill` bytes of unused space before it; the MDLs there before are not touched.
    /// # Errors
    /// `RESOURCES`: no memory, or 255 MDLs were added already. `INVALID_LENGTH`: the buffer would be larger than 4 GiB.
    /// Nothing has changed then (DP-161).
    /// Source: WDK NdisRetreatNetBufferDataStart; DP-159, DP-160.
    #[doc(alias = "NdisRetreatNetBufferDataStart")]
    #[doc(alias = "NetAllocateMdl")]
    pub fn retreat(&mut self, delta: usize, backfill: usize) -> Result<(), NdisStatus> {
        let delta = u32::try_from(delta).map_err(|_| NdisStatus::INVALID_LENGTH)?;
        let data_length = self.data_length.checked_add(delta).ok_or(NdisStatus::INVALID_LENGTH)?;
        if delta <= self.data_offset {
            self.data_offset -= delta;
        } else {
            self.data_offset = self.put_in_front(delta - self.data_offset, backfill)?;
        }
        self.data_length = data_length;
        self.find_current();
        Ok(())
    }

    /// Takes `delta` bytes off the front of the data; they become unused space and keep what they hold.
    ///
    /// With `free_mdl`, MDLs that a retreat put in front and that hold no more data are freed. On a received buffer it is
    /// false (DP-156), so that a retreat by `delta` restores the buffer bit by bit (DP-162).
    /// # Errors
    /// `INVALID_LENGTH`: there are fewer bytes of data. Nothing has changed then.
    /// Source: WDK NdisAdvanceNetBufferDataStart.
    #[doc(alias = "NdisAdvanceNetBufferDataStart")]
    #[doc(alias = "NetFreeMdl")]
    pub fn advance(&mut self, delta: usize, free_mdl: bool) -> Result<(), NdisStatus> {
        if delta > self.data_length() {
            return Err(NdisStatus::INVALID_LENGTH);
        }
        self.data_length -= delta as u32;
        self.data_offset += delta as u32;
        while free_mdl && self.fronted > 0 && self.first.len() <= self.data_offset() {
            self.data_offset -= self.first.len() as u32;
            self.first = self.more.remove(0);
            self.fronted -= 1;
        }
        self.find_current();
        Ok(())
    }

    /// Puts `header` in front of the data.
    ///
    /// In the unused space if there is enough, else in a new MDL with [`PREPEND_BACKFILL_OCTETS`] to spare for the headers
    /// of lower layers. The payload is not copied, whoever shares it.
    /// # Errors
    /// As [`NetBuffer::retreat`]; `FAILURE`: the unused space is shared with a clone. Nothing has changed then.
    pub fn prepend(&mut self, header: &[u8]) -> Result<(), NdisStatus> {
        let reused = header.len().min(self.data_offset());
        self.writable(self.data_offset() - reused, reused).map_err(|_| NdisStatus::FAILURE)?;
        self.retreat(header.len(), PREPEND_BACKFILL_OCTETS)?;
        self.write(self.data_offset(), header);
        Ok(())
    }

    /// Puts `bytes` behind the data, into the tail room.
    /// # Errors
    /// `RESOURCES`: the tail room is smaller, or shared with a clone. Nothing has changed then.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), NdisStatus> {
        let end = self.data_offset() + self.data_length();
        if bytes.len() > self.tailroom() {
            return Err(NdisStatus::RESOURCES);
        }
        self.writable(end, bytes.len())?;
        self.write(end, bytes);
        self.data_length += bytes.len() as u32;
        Ok(())
    }

    /// Makes `bytes` the data, where the data starts now.
    /// # Errors
    /// `RESOURCES`: data and tail room are smaller together, or shared with a clone. Nothing has changed then.
    pub fn fill(&mut self, bytes: &[u8]) -> Result<(), NdisStatus> {
        let before = std::mem::replace(&mut self.data_length, 0);
        self.append(bytes).inspect_err(|_| self.data_length = before)
    }

    /// The tail room that follows the data without a gap, for a reader to fill; then [`NetBuffer::set_data_length`] takes
    /// it in. `None` if the memory is shared. What it holds is not defined.
    pub fn tail_mut(&mut self) -> Option<&mut [u8]> {
        let (index, offset) = self.find(self.data_offset() + self.data_length());
        Some(&mut self.mdl_mut(index).bytes_mut()?[offset..])
    }

    /// Sets the length of the data. It grows into the tail room, and what is cut off becomes tail room.
    /// # Errors
    /// `INVALID_LENGTH`: there is less room. Nothing has changed then.
    #[doc(alias = "NET_BUFFER_DATA_LENGTH")]
    pub fn set_data_length(&mut self, data_length: usize) -> Result<(), NdisStatus> {
        if data_length > self.capacity() - self.data_offset() {
            return Err(NdisStatus::INVALID_LENGTH);
        }
        self.data_length = data_length as u32;
        Ok(())
    }

    /// Puts one more MDL with `bytes` behind the data, without copying them. Tail room there was is given up until the list
    /// goes back to its pool.
    /// # Errors
    /// `RESOURCES`: [`MDLS_MAX`] are in the chain. `INVALID_LENGTH`: the buffer would be larger than 4 GiB. Nothing has
    /// changed then.
    pub fn append_mdl(&mut self, bytes: Box<[u8]>) -> Result<(), NdisStatus> {
        let end = self.data_offset() + self.data_length();
        let octets = bytes.len();
        if u32::try_from(octets).ok().and_then(|octets| octets.checked_add(end as u32)).is_none() {
            return Err(NdisStatus::INVALID_LENGTH);
        }
        if self.mdl_count() >= MDLS_MAX {
            return Err(NdisStatus::RESOURCES);
        }
        let mdl = Mdl::new(Memory::Owned(bytes)).ok_or(NdisStatus::INVALID_LENGTH)?;
        let (last, used) = self.find(end);
        self.mdl_mut(last).truncate(used);
        // The own MDL is never among those that go: it lies at the front, or behind what was prepended.
        let keep = last.max(usize::from(self.fronted));
        for index in last + 1..=keep {
            self.mdl_mut(index).truncate(0);
        }
        self.more.truncate(keep);
        self.more.push(mdl);
        self.data_length += octets as u32;
        self.find_current();
        Ok(())
    }

    /// Copies the data into `out`, as much as fits, and says how much that was.
    pub fn copy_to(&self, out: &mut [u8]) -> usize {
        let mut copied = 0;
        for bytes in self.mdls() {
            let len = bytes.len().min(out.len() - copied);
            out[copied..][..len].copy_from_slice(&bytes[..len]);
            copied += len;
        }
        copied
    }

    /// The data for writing; `None` if it lies in several MDLs or is shared with a clone.
    #[inline]
    pub fn contiguous_mut(&mut self) -> Option<&mut [u8]> {
        let (current, offset, len) =
            (usize::from(self.current), self.current_offset as usize, self.data_length as usize);
        self.mdl_mut(current).bytes_mut()?.get_mut(offset..offset + len)
    }

    /// The data; `None` if it lies in several MDLs.
    #[inline]
    pub fn contiguous(&self) -> Option<&[u8]> {
        let offset = self.current_offset as usize;
        self.mdl(usize::from(self.current)).bytes().get(offset..offset + self.data_length as usize)
    }

    /// The first `bytes_needed` bytes of the data in one piece.
    ///
    /// A direct view if they lie in one MDL, else a copy in `storage`. `None` if there is less data, or if they do not lie
    /// in one MDL and `storage` is missing or too small.
    /// Source: WDK NdisGetDataBuffer; DP-164.
    #[doc(alias = "NdisGetDataBuffer")]
    pub fn data<'a>(&'a self, bytes_needed: usize, storage: Option<&'a mut [u8]>) -> Option<&'a [u8]> {
        if bytes_needed > self.data_length() {
            return None;
        }
        let offset = self.current_mdl_offset();
        if let Some(direct) = self.mdl(self.current_mdl()).bytes().get(offset..offset + bytes_needed) {
            return Some(direct);
        }
        let storage = storage?.get_mut(..bytes_needed)?;
        self.copy_to(storage);
        Some(storage)
    }

    /// The data, MDL by MDL, for scattered output. None of the slices is empty.
    #[doc(alias = "NET_BUFFER_CURRENT_MDL")]
    pub fn mdls(&self) -> Mdls<'_> {
        Mdls {
            net_buffer: self,
            index: self.current_mdl(),
            offset: self.current_mdl_offset(),
            left: self.data_length(),
        }
    }

    /// Bytes of data.
    #[inline]
    #[doc(alias = "NET_BUFFER_DATA_LENGTH")]
    pub fn data_length(&self) -> usize {
        self.data_length as usize
    }

    /// Bytes of unused space before the data, over all MDLs.
    #[inline]
    #[doc(alias = "NET_BUFFER_DATA_OFFSET")]
    pub fn data_offset(&self) -> usize {
        self.data_offset as usize
    }

    /// Bytes of tail room behind the data, over all MDLs.
    pub fn tailroom(&self) -> usize {
        self.capacity() - self.data_offset() - self.data_length()
    }

    /// Bytes in all MDLs: unused space, data and tail room.
    pub fn capacity(&self) -> usize {
        self.first.len() + self.more.iter().map(Mdl::len).sum::<usize>()
    }

    /// The index of the MDL in which the data starts (DP-163).
    #[doc(alias = "NET_BUFFER_CURRENT_MDL")]
    pub fn current_mdl(&self) -> usize {
        usize::from(self.current)
    }

    /// Where in that MDL the data starts (DP-163).
    #[doc(alias = "NET_BUFFER_CURRENT_MDL_OFFSET")]
    pub fn current_mdl_offset(&self) -> usize {
        self.current_offset as usize
    }

    /// The number of MDLs in the chain.
    pub fn mdl_count(&self) -> usize {
        1 + self.more.len()
    }

    /// The sizes of the MDLs in the chain, in order.
    #[doc(alias = "MmGetMdlByteCount")]
    pub fn mdl_sizes(&self) -> impl Iterator<Item = usize> + '_ {
        std::iter::once(&self.first).chain(&self.more).map(Mdl::len)
    }

    /// True while another net buffer, a clone or what this one was cloned from, reads some of the same memory.
    pub fn is_shared(&self) -> bool {
        self.first.is_shared() || self.more.iter().any(Mdl::is_shared)
    }

    /// True if this is a clone, which holds the data of another net buffer and only its headers itself.
    pub fn is_clone(&self) -> bool {
        self.clone
    }

    /// Makes this fresh net buffer a clone of `parent`: its own memory is unused space, behind it the parent's data.
    pub(super) fn become_clone_of(&mut self, parent: &mut NetBuffer) -> Result<(), NdisStatus> {
        // A fresh net buffer has one MDL, and the headroom of its pool before its data.
        let headroom = self.data_offset();
        let length =
            u32::try_from(headroom).ok().and_then(|headroom| headroom.checked_add(parent.data_length));
        length.ok_or(NdisStatus::INVALID_LENGTH)?;
        self.first.truncate(headroom);
        self.clone = true;
        let (mut index, mut offset, mut left) =
            (parent.current_mdl(), parent.current_mdl_offset(), parent.data_length());
        while left > 0 && index < parent.mdl_count() {
            let mdl = parent.mdl_mut(index);
            let len = left.min(mdl.len() - offset);
            if len > 0 {
                self.more.push(mdl.share(offset, len));
            }
            (index, offset, left) = (index + 1, 0, left - len);
        }
        self.data_length = parent.data_length;
        self.find_current();
        Ok(())
    }

    /// Makes this as new: its own memory, no data. False if that is not possible, because a clone still reads the memory or
    /// because it is not of the size asked for.
    #[inline]
    pub(super) fn recycle(&mut self, payload_octets: usize, headroom: usize) -> bool {
        if !self.more.is_empty() {
            self.keep_own_mdl();
        }
        if self.first.memory_len() != payload_octets || !self.first.recycle() {
            return false;
        }
        // The pool made this very buffer with the same numbers, so they fit.
        self.data_offset = headroom.min(payload_octets) as u32;
        self.data_length = 0;
        self.current_offset = self.data_offset;
        self.current = 0;
        self.fronted = 0;
        self.clone = false;
        true
    }

    /// Overwrites all of the (recycled) memory with [`POISON`].
    #[cold]
    #[inline(never)] // keeps the free path of a pool that does not verify short
    pub(super) fn poison(&mut self) {
        if let Some(bytes) = self.first.bytes_mut() {
            bytes.fill(POISON);
        }
    }

    #[cold]
    fn keep_own_mdl(&mut self) {
        // No index that could be wrong: this runs while a list is dropped, where a panic would take the chain behind it along.
        if let Some(own) = self.more.drain(..).take(usize::from(self.fronted)).next_back() {
            self.first = own;
        }
        self.fronted = 0;
    }

    /// Chains a new MDL of `backfill + octets` in front and returns the offset of the data in it, which is `backfill`.
    #[cold]
    fn put_in_front(&mut self, octets: u32, backfill: usize) -> Result<u32, NdisStatus> {
        let backfill = u32::try_from(backfill).map_err(|_| NdisStatus::INVALID_LENGTH)?;
        let size = octets.checked_add(backfill).ok_or(NdisStatus::INVALID_LENGTH)?;
        if u32::try_from(self.capacity()).ok().and_then(|all| all.checked_add(size)).is_none() {
            return Err(NdisStatus::INVALID_LENGTH);
        }
        if self.fronted == u8::MAX || self.mdl_count() >= MDLS_MAX {
            return Err(NdisStatus::RESOURCES);
        }
        let memory = Memory::allocate(size as usize).ok_or(NdisStatus::RESOURCES)?;
        let front = Mdl::new(memory).ok_or(NdisStatus::RESOURCES)?;
        self.more.try_reserve(1).map_err(|_| NdisStatus::RESOURCES)?;
        self.more.insert(0, std::mem::replace(&mut self.first, front));
        self.fronted += 1;
        Ok(backfill)
    }

    /// Whether `len` bytes from `at` bytes into the MDL chain on are nobody else's.
    fn writable(&mut self, at: usize, len: usize) -> Result<(), NdisStatus> {
        if len == 0 {
            return Ok(());
        }
        let (mut index, offset) = self.find(at);
        let mut end = offset + len;
        loop {
            let mdl = self.mdl_mut(index);
            let size = mdl.len();
            if size > 0 && mdl.bytes_mut().is_none() {
                return Err(NdisStatus::RESOURCES);
            }
            if end <= size {
                return Ok(());
            }
            (index, end) = (index + 1, end - size);
        }
    }

    /// Writes `bytes` at `at` bytes into the MDL chain, which [`NetBuffer::writable`] has allowed.
    fn write(&mut self, at: usize, mut bytes: &[u8]) {
        let (mut index, mut offset) = self.find(at);
        while !bytes.is_empty() {
            let mdl = self.mdl_mut(index);
            let len = bytes.len().min(mdl.len() - offset);
            if len > 0 {
                let to = mdl.bytes_mut().expect("asked before whether it is writable");
                to[offset..][..len].copy_from_slice(&bytes[..len]);
                bytes = &bytes[len..];
            }
            (index, offset) = (index + 1, 0);
        }
    }

    /// Finds the MDL in which the data starts.
    #[doc(alias = "NdisAdjustNetBufferCurrentMdl")]
    #[inline]
    fn find_current(&mut self) {
        let (index, offset) = self.find(self.data_offset());
        // `MDLS_MAX` and the size of a net buffer keep both in range.
        self.current = index as u16;
        self.current_offset = offset as u32;
    }

    /// The MDL and the place in it, `at` bytes into the chain: the end of an MDL is the start of the next, if there is one.
    #[inline]
    fn find(&self, at: usize) -> (usize, usize) {
        let (mut index, mut offset) = (0, at);
        while index < self.more.len() && offset >= self.mdl(index).len() {
            offset -= self.mdl(index).len();
            index += 1;
        }
        (index, offset)
    }

    #[inline]
    fn mdl(&self, index: usize) -> &Mdl {
        if index == 0 { &self.first } else { &self.more[index - 1] }
    }

    #[inline]
    fn mdl_mut(&mut self, index: usize) -> &mut Mdl {
        if index == 0 { &mut self.first } else { &mut self.more[index - 1] }
    }
}

/// The data of a net buffer, MDL by MDL. From [`NetBuffer::mdls`].
#[derive(Clone, Debug)]
pub struct Mdls<'a> {
    net_buffer: &'a NetBuffer,
    index: usize,
    offset: usize,
    left: usize,
}

impl<'a> Iterator for Mdls<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while self.left > 0 {
            let bytes = &self.net_buffer.mdl(self.index).bytes()[self.offset..];
            let bytes = &bytes[..bytes.len().min(self.left)];
            (self.index, self.offset, self.left) = (self.index + 1, 0, self.left - bytes.len());
            if !bytes.is_empty() {
                return Some(bytes);
            }
        }
        None
    }
}

/// Unused space that [`NetBuffer::prepend`] leaves in an MDL that it has to add: enough for the Ethernet, VLAN and PPPoE headers
/// of the layers below.
pub const PREPEND_BACKFILL_OCTETS: usize = 64;

/// MDLs in one net buffer, at most. A packet of 64 KiB in pieces of 64 bytes has as many; more is a mistake.
pub const MDLS_MAX: usize = 1024;

/// What the memory of freed net buffers is filled with in a pool that verifies.
pub const POISON: u8 = 0xDB;
