//! Why octets are no PDU.

use super::PduKind;

/// Why octets are no PDU. Whatever it is, SSCOP drops them and reports MAA-ERROR U (Q.2110 §7.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Not a multiple of four octets, or none at all.
    #[error("{len} octets, which is no multiple of 4 from 4 on")]
    Length {
        /// The length.
        len: usize,
    },
    /// No PDU has this type.
    #[error("unknown PDU type {0:#x}")]
    UnknownType(u8),
    /// The length does not suit the type.
    #[error("{kind} of {len} octets")]
    LengthOfKind {
        /// The type.
        kind: PduKind,
        /// The length.
        len: usize,
    },
    /// More padding than there are octets before the trailer.
    #[error("{kind} with {pad} octets of padding, but {before_trailer} before the trailer")]
    Padding {
        /// The type.
        kind: PduKind,
        /// PL.
        pad: usize,
        /// Octets before the trailer.
        before_trailer: usize,
    },
}
