//! The IP client: a CoNDIS client that carries IP packets over virtual connections.
//!
//! It is an ordinary client of the address family Q2931, over a call manager or over an MCM, and cannot tell which. Above it
//! stands a host ([`IpPort`](condis_link::ip::IpPort)): a TUN device, or an [`IpHost`](super::host::IpHost) in memory. What it
//! does on the network is a [`LisMember`](super::classical::LisMember)'s business; here are only its calls.
//!
//! ```text
//! client   the binding, the address family, the SAP; one input into the member at a time, all its outputs, then the next
//! call     one VC, from dialing to its end
//! ```

mod call;
mod client;

pub use client::{IpClient, IpClientConfig, IpPvc};
