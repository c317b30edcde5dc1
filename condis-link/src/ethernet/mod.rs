//! Real Ethernet (Linux, AF_PACKET).
//!
//! An [`Ethernet`] shares a network interface with the kernel and all else that uses it: it receives frames of the
//! EtherTypes that it was opened for, and no others wake it. [`EthernetSocket::open`] needs CAP_NET_RAW; all that comes
//! after it needs no right, so a program opens its sockets, calls [`drop_capabilities`], and starts its threads then.
//!
//! It hears frames to the interface's own address and to all. What the interface itself sends, multicast frames, and
//! frames to other stations that a promiscuous interface brings, are not heard. The kernel takes the outer VLAN tag off a
//! frame; it is put back, and a frame that was sent with a tag arrives with it.
//!
//! The link is up while the interface is set up and has a carrier. An interface that is deleted leaves the link down for
//! good, also if another of its name comes.

mod capabilities;
mod error;
mod filter;
mod link;
mod receiver;
mod socket;

pub use capabilities::{CapabilitiesError, drop_capabilities};
pub use error::OpenError;
pub use filter::ETHERTYPES_LEN_MAX;
pub use link::Ethernet;
pub use socket::EthernetSocket;
