//! Memory descriptors: the pieces of memory that a net buffer is made of.

use std::sync::Arc;

/// The memory behind an MDL: owned by it alone, or counted because clones read it too.
///
/// Memory that was once shared stays counted after its last clone is gone, and is then writable again: going back and
/// forth would cost an allocation for each clone.
#[derive(Debug)]
pub(super) enum Memory {
    Owned(Box<[u8]>),
    Counted(Arc<Box<[u8]>>),
}

impl Memory {
    /// Zeroed memory; `None` if there is none to be had.
    pub(super) fn allocate(octets: usize) -> Option<Memory> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(octets).ok()?;
        bytes.resize(octets, 0);
        Some(Memory::Owned(bytes.into_boxed_slice()))
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Memory::Owned(bytes) => bytes,
            Memory::Counted(bytes) => bytes,
        }
    }

    /// The bytes for writing; `None` while anything else reads them.
    #[inline]
    pub(super) fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        match self {
            Memory::Owned(bytes) => Some(bytes),
            Memory::Counted(bytes) => Arc::get_mut(bytes).map(|bytes| &mut bytes[..]),
        }
    }

    /// True while another MDL refers to the same memory.
    pub(super) fn is_shared(&self) -> bool {
        match self {
            Memory::Owned(_) => false,
            Memory::Counted(bytes) => Arc::strong_count(bytes) > 1,
        }
    }

    /// Another reference to this memory. The first time it becomes counted, which allocates the count and moves no byte.
    fn share(&mut self) -> Memory {
        if let Memory::Owned(bytes) = self {
            *self = Memory::Counted(Arc::new(std::mem::take(bytes)));
        }
        match self {
            Memory::Counted(bytes) => Memory::Counted(Arc::clone(bytes)),
            Memory::Owned(_) => unreachable!("made counted just above"),
        }
    }
}

/// One contiguous piece of memory in a net buffer's chain of them: `octets` bytes, from `offset` on, of the memory.
#[doc(alias = "MDL")]
#[derive(Debug)]
pub(super) struct Mdl {
    offset: u32,
    octets: u32,
    memory: Memory,
}

impl Mdl {
    /// Describes all of `memory`; `None` if it is too large for a net buffer to count.
    #[doc(alias = "NdisAllocateMdl")]
    pub(super) fn new(memory: Memory) -> Option<Mdl> {
        let octets = u32::try_from(memory.bytes().len()).ok()?;
        Some(Mdl { offset: 0, octets, memory })
    }

    /// Bytes described.
    #[doc(alias = "MmGetMdlByteCount")]
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.octets as usize
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.memory.bytes()[self.offset as usize..][..self.octets as usize]
    }

    #[inline]
    pub(super) fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        let (offset, octets) = (self.offset as usize, self.octets as usize);
        Some(&mut self.memory.bytes_mut()?[offset..][..octets])
    }

    pub(super) fn is_shared(&self) -> bool {
        self.memory.is_shared()
    }

    /// Octets of the memory as it was allocated, of which this MDL may describe a part.
    #[inline]
    pub(super) fn memory_len(&self) -> usize {
        self.memory.bytes().len()
    }

    /// Describes only the first `octets` from now on.
    pub(super) fn truncate(&mut self, octets: usize) {
        self.octets = self.octets.min(u32::try_from(octets).unwrap_or(u32::MAX));
    }

    /// An MDL over `len` bytes from `start` on of the same memory.
    #[doc(alias = "IoBuildPartialMdl")]
    pub(super) fn share(&mut self, start: usize, len: usize) -> Mdl {
        let start = start.min(self.len());
        let len = len.min(self.len() - start);
        // Both fit, being no larger than `octets`.
        Mdl { offset: self.offset + start as u32, octets: len as u32, memory: self.memory.share() }
    }

    /// Describes all of its memory again, so that it can be used anew. False if another MDL still reads the memory.
    #[inline]
    pub(super) fn recycle(&mut self) -> bool {
        let Some(bytes) = self.memory.bytes_mut() else { return false };
        // A net buffer's memory was counted in 32 bits when it was made.
        self.octets = bytes.len() as u32;
        self.offset = 0;
        true
    }
}
