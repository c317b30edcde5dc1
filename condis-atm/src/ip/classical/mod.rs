//! Classical IP over ATM (RFC 2225): a member of a logical IP subnet (LIS), which may be its ATMARP server too.
//!
//! # The contract
//! A [`LisMember`] owns no socket, clock, thread or timer. Who drives one gives it one input at a time, calls
//! [`LisMember::poll_output`] until that returns `None`, carries each output out in that order, and asks
//! [`LisMember::next_timeout`] again. `now` never goes back.
//!
//! # The life of a packet
//! ```text
//! send(packet to 10.1.9.2)       no entry: ATMARP request to the server, the packet waits
//!   <- ATMARP reply              address known: Output::Call, the packet waits
//!   handle_connected             Output::Transmit
//!   …15 minutes without a packet Output::Close
//! ```
//!
//! # What is done otherwise than in RFC 2225
//! A server also asks each new caller with InATMARP, and a client answers that, as RFC 1577 had it and as Linux does; that
//! registers it too. A station that speaks for another address than the one it called from is not believed.
//!
//! Left out: more than one server for a client, NHRP, multicast (MARS), IPv6.

mod counters;
mod deadlines;
mod member;
mod registry;
#[cfg(test)]
mod tests;

pub use counters::LisCounters;
pub(super) use member::same_station;
pub use member::{LisConfig, LisMember, LisOutput, LisVc, Server};
