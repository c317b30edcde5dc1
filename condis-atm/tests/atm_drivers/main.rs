//! The ATM drivers, each host with a call manager or with an MCM, on a switch, in a simulation.
#![allow(missing_docs, unreachable_pub, reason = "a test, in several files")]

mod calls;
mod changes;
mod client;
mod lab;
mod network;
mod parties;
mod permanent;
#[path = "../atm_miniport/pipe.rs"]
mod pipe;
mod saps;
mod sdus;
#[path = "../../../condis/tests/shared/slow_miniport.rs"]
mod slow;
mod threads;
