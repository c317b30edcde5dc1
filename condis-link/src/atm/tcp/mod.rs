//! ATM over TCP, as Linux's atmtcp speaks it.
//!
//! A line of SDUs: the TCP stream is a sequence of messages of 8 octets of header (VPI, VCI and a length) and one AAL5 SDU; those
//! on 0.0 tell in words that a connection was opened or closed at the other end ([`wire`]). There is no handshake, no
//! keep-alive of its own, and no answer to anything: a line is up while its TCP connection is.
//!
//! Either side may call. [`TcpLine::connect`] calls, and calls again with growing pauses ([`Retry`]) whenever the connection
//! ends. A [`TcpSocket`] is bound (which may need a right, so that is a step of its own) and served by a [`TcpAcceptor`], which
//! hands over each accepted connection as a [`TcpLine`] that lives as long as the connection: the ports of a switch, say.
//!
//! Each line has a thread, which reads, calls the user, and writes what the user's own threads could not write at once. It reads
//! nothing until a user is attached, so nothing is lost before; and since a user is called on that thread, one that takes
//! its time makes the peer wait, by TCP's own means. A peer that makes *us* wait is noticed when the queue is full
//! ([`TcpOptions::queue_octets_max`]): SDUs are refused, and [`AtmLinkUser::writable`](super::AtmLinkUser::writable) tells
//! when half of it has gone and what was refused fits.
//!
//! Left out: names to be resolved (an address is a number), and any protection: bind to other addresses than the loopback only
//! where everybody who can reach them may use the line.
//!
//! Source: net/atm and drivers/atm/atmtcp.c of Linux, atmtcp of linux-atm, and what those two were seen to send.

#[cfg(target_os = "linux")]
mod acceptor;
#[cfg(target_os = "linux")]
mod dial;
#[cfg(target_os = "linux")]
mod error;
#[cfg(target_os = "linux")]
mod line;
#[cfg(target_os = "linux")]
mod outgoing;
pub mod wire;
#[cfg(target_os = "linux")]
mod worker;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

#[cfg(target_os = "linux")]
pub use acceptor::{LINES_LEN_MAX, TcpAcceptor, TcpSocket};
#[cfg(target_os = "linux")]
pub use dial::Retry;
#[cfg(target_os = "linux")]
pub use error::{Disconnect, LineEvent, OnLineEvent};
#[cfg(target_os = "linux")]
pub use line::{TcpLine, TcpOptions};

/// Where atmtcp listens if nothing else is said: port 2812 (IANA: atmtcp), here on the loopback alone.
pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 2812);
