//! Connection-oriented NDIS (CoNDIS) in user space.
#![forbid(unsafe_code)]

pub mod runtime;
