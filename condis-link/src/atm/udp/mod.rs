//! AAL5 over UDP.
//!
//! A line of SDUs between two addresses that know each other. A datagram is one SDU behind four octets of header:
//!
//! | octets | field |
//! |---|---|
//! | 2 | VPI, big-endian |
//! | 2 | VCI, big-endian |
//! | 1 to 65 503 | the SDU |
//!
//! which is the header of [ATM over TCP](super::tcp) without its length, since a datagram has one. There is no control: 0.0 is
//! as malformed as a datagram that ends inside its header. The format is ours.
//!
//! Datagrams are lost, doubled and reordered as the network likes, so this is the line for what bears that: SSCOP does. The line
//! is up from [`UdpLine::start`] to [`AtmLink::close`](super::AtmLink::close), whether anybody is at the other end or not; what the
//! system hears of that ("port unreachable") costs a datagram and is counted as [`SendFailed`](crate::counters::Count::SendFailed).
//! Datagrams of others than the peer are not heard.

mod line;
mod receiver;

pub use line::{UdpLine, UdpSocket};

/// Octets of the header.
pub const HEADER_OCTETS: usize = 4;

/// Octets of the longest SDU: what is left of an IPv4 packet of 65 535 octets (RFC 791 §3.1, RFC 768).
pub const SDU_OCTETS_MAX: usize = 65_535 - 20 - 8 - HEADER_OCTETS;
