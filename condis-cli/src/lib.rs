//! The `condis` command: runs labs of connection-oriented NDIS nodes, and is netcat on virtual connections.
//!
//! - [`lab`]: what a lab file says, checked.
//! - [`client`]: the lab's client driver, one for every manager.
//! - [`run`]: builds the nodes, drives the clients, and reports.
//! - [`netcat`]: `call` and `listen`.
//! - [`cli`]: the command line.
//!
//! It is a library so that tests can run labs by the thousand.
#![forbid(unsafe_code)]

pub mod cli;
pub mod client;
pub mod lab;
pub mod netcat;
pub mod run;

/// Says something on standard error. Nobody reads what a closed one does not take.
pub(crate) fn say(what: impl std::fmt::Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{what}");
}
