//! The lab's client: one driver, the same over a call manager and over an MCM.
//!
//! It takes calls on the services or addresses that it offers, and echoes every SDU that it hears there. It makes calls, sends
//! data, compares the echo and what the other end says that it heard, and has one of the two ends close. It opens the
//! address family of its calls that is announced on its adapter, and asks nothing about who announced it.
//!
//! `frame` is what is said, `transfer` how it is paced, `conversation` what follows from it, `call` one end of one call at
//! NDIS with its `object`, `multipoint` the leaves of a call to many, `requests` what is asked of the manager beside calls,
//! `driver` the rest of the driver, and [`ledger`] the book in which each call is entered.

mod call;
mod conversation;
mod driver;
mod frame;
pub mod ledger;
mod multipoint;
mod object;
mod requests;
mod transfer;

pub(crate) use call::octets;
pub use driver::Client;
pub(crate) use frame::{Heard, LabFrame};
pub use frame::{OVERHEAD_OCTETS, Tally};
#[cfg(test)]
pub(crate) use transfer::InOrder;
