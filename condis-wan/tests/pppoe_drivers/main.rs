//! The PPPoE drivers, host and concentrator, each as a call manager and as an MCM, on an Ethernet in memory.
#![allow(missing_docs, unreachable_pub, reason = "a test, in several files")]

mod calls;
mod client;
mod lab;
mod network;
#[path = "../../../condis/tests/shared/slow_miniport.rs"]
mod slow;
mod station;
mod threads;
