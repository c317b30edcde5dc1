//! WAN protocols over condis.
#![forbid(unsafe_code)]

pub mod pppoe;
