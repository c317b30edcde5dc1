//! Wires for condis.
//!
//! A [`Link`] is one attachment point to an Ethernet, a "NIC": whole frames go in and out, in batches, and nothing in
//! here knows what they carry. There are three, and they can be told apart only by their addresses:
//!
//! - [`memory::Segment`]: an Ethernet in memory, driven by the [`Runtime`](condis::runtime::Runtime), with delay, rate,
//!   loss, duplication, reordering, corruption and cuts. The same seed gives the same run, bit for bit.
//! - `ethernet::Ethernet` (Linux): a real interface, by AF_PACKET, for the EtherTypes that it was opened for.
//! - [`tap::Tap`]: wraps any link and records what passes in a pcapng file.
//!
//! An [`atm::AtmLink`] is one end of a line of ATM, of cells or of AAL5 SDUs: an [`atm::Fibre`] in memory, and on Linux
//! [`atm::tcp`], which Linux's own atmtcp speaks, and `atm::udp`. [`tap::AtmTap`] records one.
//!
//! Beside them stand what a user of a link needs: [`MacAddr`], the Ethernet [`header`] with its 802.1Q tags, and the
//! [`counters`] under whose names every frame that is lost can be found.
//!
//! Left out: the frame check sequence (frames end with their payload), address learning, multicast filters, flow
//! control (802.3x), and any queue on the receiving side: a link hands over and forgets.
//!
//! # Example
//!
//! ```
//! use std::io::IoSlice;
//!
//! use condis_link::header::{EtherType, Header};
//! use condis_link::{Frame, MacAddr};
//!
//! let host: MacAddr = "02:00:00:00:00:01".parse()?;
//! let header = Header::new(MacAddr::BROADCAST, host, EtherType::PPPOE_DISCOVERY);
//! let mut head = [0; Header::OCTETS_MAX];
//! let head = header.encode(&mut head);
//! let parts = [IoSlice::new(head), IoSlice::new(b"payload, wherever it lies")];
//! let frame = Frame::new(&parts); // goes to `Link::transmit` without a copy
//! assert_eq!(frame.octets(), 14 + 25);
//! # Ok::<(), condis_link::MacAddrError>(())
//! ```
#![forbid(unsafe_code)]

pub mod atm;
pub mod counters;
#[cfg(target_os = "linux")]
pub mod ethernet;
pub mod header;
pub mod ip;
mod link;
mod mac;
pub mod memory;
mod pump;
pub mod tap;

pub use link::{BATCH_FRAMES_MAX, Frame, Link, LinkUser};
pub use mac::{MacAddr, MacAddrError};
