//! PPP over Ethernet (RFC 2516): its wire format and the machines of its discovery stage.
//!
//! The session stage needs no machine: a frame is a header and a PPP frame, see [`wire::SessionView`].

pub mod discovery;
pub mod driver;
pub mod wire;

#[cfg(test)]
pub(crate) mod captures;
