//! Binding an address of this machine.

use std::io;
use std::net::SocketAddr;

/// Why an address cannot be bound. Its text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another program has it.
    #[error("{address} is in use; end the program that has it, or take another port")]
    AddressInUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The port is one of the first 1024, say.
    #[error("no right to use {address}; take a port above 1023")]
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
    #[error("cannot use {address}")]
    System {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl BindError {
    /// The system would not give us `address`.
    pub(super) fn binding(address: SocketAddr, source: io::Error) -> BindError {
        match source.kind() {
            io::ErrorKind::AddrInUse => BindError::AddressInUse { address },
            io::ErrorKind::PermissionDenied => BindError::NotPermitted { address },
            io::ErrorKind::AddrNotAvailable => BindError::NoSuchAddress { address },
            _ => BindError::System { address, source },
        }
    }
}
