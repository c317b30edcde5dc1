//! What can be wrong with octets that claim to be PPPoE.

use super::{Code, SessionId, TagType};

/// The octets are not a PPPoE packet, or not one of the kind that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Fewer octets than a header has.
    #[error("{len} octets, expected at least the 6 of the header")]
    HeaderTruncated {
        /// Octets that were there.
        len: usize,
    },
    /// VER and TYPE are not both 1 (RFC 2516 §4).
    #[error("version and type {0:#04x}, expected 0x11")]
    Version(u8),
    /// LENGTH says more than arrived.
    #[error("payload of {length} octets announced, {available} arrived")]
    PayloadTruncated {
        /// LENGTH.
        length: usize,
        /// Octets after the header.
        available: usize,
    },
    /// SESSION_ID 0xffff, which is reserved (RFC 2516 §4).
    #[error("session id 0xffff is reserved")]
    SessionIdReserved,
    /// CODE is of no packet that RFC 2516 knows.
    #[error("unknown code {0:#04x}")]
    UnknownCode(u8),
    /// A session stage packet where a discovery packet was expected.
    #[error("session stage packet, expected a discovery packet")]
    NotDiscovery,
    /// A discovery packet where a session stage packet was expected.
    #[error("code {0:#04x}, expected 0x00 of the session stage")]
    NotSession(u8),
    /// A session stage packet with SESSION_ID zero.
    #[error("session stage packet without a session id")]
    NoSessionId,
    /// A discovery packet longer than any Ethernet could carry it.
    #[error("discovery payload of {length} octets, expected at most {max}")]
    DiscoveryTooLong {
        /// LENGTH.
        length: usize,
        /// What fits.
        max: usize,
    },
    /// One to three octets where a tag should begin.
    #[error("tag header cut off at octet {at} of the payload")]
    TagHeaderTruncated {
        /// Offset of the tag in the payload.
        at: usize,
    },
    /// TAG_LENGTH reaches beyond the payload.
    #[error("{tag} at octet {at} of the payload announces {length} octets, {available} are left")]
    TagValueTruncated {
        /// TAG_TYPE.
        tag: TagType,
        /// Offset of the tag in the payload.
        at: usize,
        /// TAG_LENGTH.
        length: usize,
        /// Octets after the tag's header.
        available: usize,
    },
    /// A tag of fixed size has another one.
    #[error("{tag} of {length} octets, expected {expected}")]
    TagLength {
        /// TAG_TYPE.
        tag: TagType,
        /// TAG_LENGTH.
        length: usize,
        /// The size that the standard gives.
        expected: usize,
    },
}

/// A well-formed discovery packet says what its kind must not say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrammarError {
    /// A session id before there can be a session (RFC 2516 §5.1 to §5.3).
    #[error("{code} with session id {id}, expected 0")]
    SessionId {
        /// The packet.
        code: Code,
        /// Its session id.
        id: SessionId,
    },
    /// No session id where one is needed (RFC 2516 §5.4, §5.5).
    #[error("{code} without a session id")]
    NoSessionId {
        /// The packet.
        code: Code,
    },
    /// A tag is missing.
    #[error("{code} without {tag}")]
    Missing {
        /// The packet.
        code: Code,
        /// What it lacks.
        tag: TagType,
    },
    /// A tag came too often.
    #[error("{code} with {count} of {tag}, expected at most {max}")]
    TooMany {
        /// The packet.
        code: Code,
        /// The tag.
        tag: TagType,
        /// How often it came.
        count: usize,
        /// How often it may come.
        max: usize,
    },
}
