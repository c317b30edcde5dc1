//! The switch: ports, routing, VPI/VCI, admission, queues, point-to-multipoint, and the network side of signaling at each port.
//!
//! | layer | what | knows |
//! |---|---|---|
//! | [`Switch`] | lines and time | [`AtmLink`](condis_link::atm::AtmLink), [`Runtime`](condis::runtime::Runtime) |
//! | [`SwitchCore`] | all of it without I/O | a [`Uni`](crate::uni::Uni) for each port |
//! | `call` | from a SETUP at one port to SETUPs at others, and back | the tables below |
//! | [`routing`], [`vc_alloc`], [`cac`] | addresses to ports, identifiers, rates | nothing of calls |
//! | [`fabric`] | cells and SDUs from port to port | nothing of calls |
//!
//! What becomes of a call that cannot be made is in [`Refusal`]: each reason with its cause.
//!
//! *Left out*: NNI signaling and PNNI (other switches are reached as if they were end systems, by static routes); virtual path
//! connections; leaf initiated join; soft PVCs; crankback; alternative and minimum traffic descriptors (UNI 4.0 negotiation): they are
//! passed on and not used; a call is admitted with what its traffic descriptor asks for or not at all. The other end of a line is not
//! told of connections ([`AtmLink::vc_state`](condis_link::atm::AtmLink::vc_state)): signaling has done so.

pub mod cac;
pub(crate) mod call;
mod config;
mod core;
pub mod fabric;
mod info;
mod machine;
mod messages;
mod port;
mod prefix;
pub mod routing;
pub mod vc_alloc;

pub use call::{CallCounters, PvcConfig, PvcError, PvcId, Refusal};
pub use config::{Policing, PortConfig, SwitchConfig};
pub use core::{AddPortError, Line, SwitchCore, SwitchCounters};
pub use info::{PortCounts, PortInfo, SwitchCallInfo, SwitchVcInfo};
pub use machine::Switch;
pub use messages::MessageSwitch;
pub use port::PortId;
pub use prefix::{AddressPrefix, AddressPrefixError};

#[cfg(test)]
mod tests;
