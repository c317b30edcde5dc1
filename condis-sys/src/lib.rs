//! The system calls that condis needs and no safe crate offers, each behind a safe type. All of the project's `unsafe` is
//! in here; whatever is decided about frames, links and errors is not.
//!
//! - [`packet`]: a packet socket (`AF_PACKET`), read in batches with the VLAN tags that the kernel took out put back.
//! - [`interface`]: what the kernel says of a network interface.
//!
//! Linux only; elsewhere the crate is empty.
#![cfg(target_os = "linux")]

pub mod interface;
pub mod packet;
