//! What can go wrong with a line, and whom it is told.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::wire::OutOfStep;

/// Why an address cannot be listened on. Its text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TcpError {
    /// Another program listens there.
    #[error("{address} is in use; end the program that listens there, or take another port")]
    AddressInUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The port is one of the first 1024, say.
    #[error("no right to listen on {address}; take a port above 1023")]
    NotPermitted {
        /// The address asked for.
        address: SocketAddr,
    },
    /// This machine does not have the address.
    #[error("this machine has no address {}; take one of its own, such as 127.0.0.1", address.ip())]
    NoSuchAddress {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The system refused for a reason of its own.
    #[error("cannot listen on {address}")]
    System {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl TcpError {
    /// The system would not give us `address`.
    pub(in crate::atm) fn binding(address: SocketAddr, source: io::Error) -> TcpError {
        match source.kind() {
            io::ErrorKind::AddrInUse => TcpError::AddressInUse { address },
            io::ErrorKind::PermissionDenied => TcpError::NotPermitted { address },
            io::ErrorKind::AddrNotAvailable => TcpError::NoSuchAddress { address },
            _ => TcpError::System { address, source },
        }
    }
}

/// What a line tells of its connection, for a log or a person; the user of the line hears it as its link state.
#[derive(Debug)]
#[non_exhaustive]
pub enum LineEvent<'a> {
    /// The connection has been made.
    Connected {
        /// With whom.
        peer: SocketAddr,
    },
    /// It could not be made.
    ConnectFailed {
        /// With whom.
        peer: SocketAddr,
        /// What the system said.
        error: &'a io::Error,
        /// When it is tried again.
        again_in: Duration,
    },
    /// It has ended.
    Disconnected {
        /// With whom it was.
        peer: SocketAddr,
        /// Why.
        why: &'a Disconnect,
    },
}

impl std::fmt::Display for LineEvent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LineEvent::Connected { peer } => write!(f, "connected to {peer}"),
            LineEvent::ConnectFailed { peer, error, again_in } => {
                write!(f, "cannot connect to {peer}: {error}; trying again in {again_in:?}")
            }
            LineEvent::Disconnected { peer, why } => write!(f, "disconnected from {peer}: {why}"),
        }
    }
}

/// Who is told of what happens to a line. Called on the line's thread.
pub type OnLineEvent = Arc<dyn Fn(&LineEvent<'_>) + Send + Sync>;

/// Why a connection has ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Disconnect {
    /// The other end ended it.
    #[error("the other end closed the connection")]
    ByPeer,
    /// The stream makes no sense any more.
    #[error("{0}")]
    OutOfStep(#[from] OutOfStep),
    /// It broke.
    #[error("{0}")]
    Broken(#[source] io::Error),
    /// We closed the line.
    #[error("closed")]
    Closed,
}
