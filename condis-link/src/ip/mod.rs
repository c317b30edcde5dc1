//! Where IP packets come from and go to: the host above an IP client.
//!
//! An [`IpPort`] takes packets that arrived over a network and gives those that are to be sent. There are two: `Tun`
//! (Linux), which is an interface of this machine, and any host in memory that somebody writes.

#[cfg(target_os = "linux")]
mod tun;

use std::sync::Weak;

#[cfg(target_os = "linux")]
pub use tun::{Tun, TunDevice, TunError, TunLosses, TunOptions};

/// A host, as an IP client sees it.
///
/// Both methods may be called from any thread and from inside any callback. Neither calls the user from inside itself.
pub trait IpPort: Send + Sync {
    /// Makes `user` the one who is given the host's packets; it replaces the user before. The port does not keep its user
    /// alive.
    fn attach(&self, user: Weak<dyn IpPortUser>);

    /// An IP packet for the host, whole. The port is done with it on return; what the host cannot take is lost and counted
    /// by the port.
    fn deliver(&self, packet: &[u8]);
}

/// Who sends a host's packets.
pub trait IpPortUser: Send + Sync {
    /// An IP packet of the host, lent until this returns. Packets of one port come one at a time and in order.
    fn packet(&self, packet: &[u8]);
}
