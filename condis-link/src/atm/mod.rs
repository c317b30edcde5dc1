//! Lines of ATM: what carries the virtual connections of one ATM interface.
//!
//! An [`AtmLink`] is one end of a point-to-point line, in one of two forms ([`Form`]): a line of *cells* carries cells of 53
//! octets, HEC and all, so that whoever is attached segments, reassembles and checks; a line of *SDUs* carries whole AAL5
//! SDUs with the VPI and VCI beside them, as Linux's atmtcp does, so that nobody does.

#[cfg(target_os = "linux")]
mod bind;
pub mod fibre;
mod link;
pub mod tcp;
#[cfg(target_os = "linux")]
pub mod udp;
#[cfg(target_os = "linux")]
mod wake;

#[cfg(target_os = "linux")]
pub use bind::BindError;
pub use fibre::{Fibre, FibreConditions, FibreEnd};
pub use link::{ATM_BATCH_MAX, AtmLink, AtmLinkUser, CELL_OCTETS, Cell, Form, Sdu, SduIn, Vci, VpVc, Vpi};
