//! Aim: what we send and take is what others understand. Method: the command `condis` against programs that others wrote.
//!
//! - [`pppoe`]: Debian's `pppoe`, `pppoe-discovery` and `pppoe-server`, in network namespaces.
//! - [`atm`]: Linux's own ATM stack and `atmsigd`, booted in QEMU.
//!
//! Where what a test needs is missing it says that it was skipped, which is a failure where CONDIS_REQUIRE_PEERS=1.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "the tests run real programs in real time")]

mod atm;
mod peers;
mod pppoe;
