//! The switch.

pub mod cac;
pub mod fabric;
mod port;
mod prefix;
pub mod routing;
pub mod vc_alloc;

pub use port::PortId;
pub use prefix::{AddressPrefix, AddressPrefixError};
