//! What travels beside the data: out-of-band information and driver contexts.

use crate::runtime::Time;
use crate::status::NdisStatus;

/// Out-of-band information, common to all net buffers of a list.
///
/// Set by the sender before the send, by the miniport before the indication; read by whoever owns the list.
/// Source: WDK NDIS_NET_BUFFER_LIST_INFO, condis-datapath.md section 7.6.
#[doc(alias = "NDIS_NET_BUFFER_LIST_INFO")]
#[doc(alias = "NetBufferListInfo")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// When it was sent and received, for VCs that ask for time stamps.
    pub timestamps: Timestamps,
    media_specific: Vec<MediaSpecific>,
}

/// The time stamps of connection-oriented media.
///
/// The documentation names flags for them and no place in the list to hold them, so this slot is typed and our own (C-33).
/// A stamp to send at is for the record and delays nothing.
#[doc(alias = "TimeToSend")]
#[doc(alias = "TimeSent")]
#[doc(alias = "TimeReceived")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timestamps {
    /// When the sender wants it sent.
    pub to_send: Option<Time>,
    /// When the miniport sent it.
    pub sent: Option<Time>,
    /// When the miniport received it.
    pub received: Option<Time>,
}

/// One entry of media-specific information: a number known to both ends, and what it says.
#[doc(alias = "MediaSpecificInformationEx")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaSpecific {
    /// What the bytes mean.
    pub tag: u32,
    /// The bytes.
    pub bytes: Box<[u8]>,
}

impl Info {
    /// Adds an entry of media-specific information.
    /// # Errors
    /// `RESOURCES`: there are [`MEDIA_SPECIFIC_MAX`] already.
    #[doc(alias = "MediaSpecificInformation")]
    pub fn push_media_specific(&mut self, tag: u32, bytes: &[u8]) -> Result<(), NdisStatus> {
        if self.media_specific.len() >= MEDIA_SPECIFIC_MAX {
            return Err(NdisStatus::RESOURCES);
        }
        self.media_specific.push(MediaSpecific { tag, bytes: bytes.into() });
        Ok(())
    }

    /// The entries, in the order in which they were added.
    pub fn media_specific(&self) -> &[MediaSpecific] {
        &self.media_specific
    }

    /// The bytes of the first entry with `tag`.
    pub fn find_media_specific(&self, tag: u32) -> Option<&[u8]> {
        self.media_specific.iter().find(|entry| entry.tag == tag).map(|entry| &entry.bytes[..])
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.timestamps = Timestamps::default();
        self.media_specific.clear();
    }
}

/// The contexts that drivers have put on a list: areas on a stack, the last one taken is the first released.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    bytes: Vec<u8>,
    sizes: Vec<usize>,
}

impl Contexts {
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), NdisStatus> {
        let full = bytes.len() > CONTEXT_OCTETS_MAX - self.bytes.len() || self.sizes.len() >= CONTEXTS_MAX;
        if full {
            return Err(NdisStatus::RESOURCES);
        }
        self.bytes.extend_from_slice(bytes);
        self.sizes.push(bytes.len());
        Ok(())
    }

    pub(super) fn pop(&mut self) -> Option<usize> {
        let size = self.sizes.pop()?;
        self.bytes.truncate(self.bytes.len() - size);
        Some(size)
    }

    pub(super) fn top(&self) -> Option<&[u8]> {
        Some(&self.bytes[self.bytes.len() - self.sizes.last()?..])
    }

    pub(super) fn top_mut(&mut self) -> Option<&mut [u8]> {
        let start = self.bytes.len() - self.sizes.last()?;
        Some(&mut self.bytes[start..])
    }

    pub(super) fn len(&self) -> usize {
        self.sizes.len()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.sizes.clear();
    }
}

/// Media-specific entries on one list, at most; media define one or two.
pub const MEDIA_SPECIFIC_MAX: usize = 16;

/// Contexts on one list, at most: one for each driver of a stack, and no stack is as deep.
pub const CONTEXTS_MAX: usize = 32;

/// Octets of contexts on one list, at most.
pub const CONTEXT_OCTETS_MAX: usize = 4096;
