//! Connection-oriented NDIS (CoNDIS) in user space.
#![forbid(unsafe_code)]

pub mod nbl;
pub mod runtime;
pub mod status;
