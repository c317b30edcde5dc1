//! ATM over condis.
#![forbid(unsafe_code)]

pub mod aal5;
pub mod addr;
pub mod cell;
pub mod driver;
pub mod ilmi;
pub mod ip;
pub mod q2931;
pub mod sscf;
pub mod sscop;
pub mod switch;
pub mod traffic;
pub mod uni;

pub use condis_link::atm::{Vci, VpVc, Vpi};
