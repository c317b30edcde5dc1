//! Connection-oriented NDIS (CoNDIS) in user space.
//!
//! CoNDIS is the driver model in which clients, call managers, miniports and miniport call managers (MCMs) meet over virtual
//! connections (VCs). This crate plays the part of NDIS between them: every call between two drivers passes through it, is
//! checked, ordered and can be traced. It has no sockets, no threads and no clock of its own: those come from a
//! [`runtime::Runtime`], a real one or a simulated one.
//!
//! # The two ways
//! A **call manager** is a protocol driver over somebody else's miniport. Its signaling VCs are visible to NDIS: created
//! ([`Binding::create_signaling_vc`](binding::Binding::create_signaling_vc)), activated, sent on, deactivated and deleted
//! with NDIS calls. An **MCM** is a miniport with the call manager built in: its signaling is its own affair, and only its
//! clients' VCs pass through NDIS. No type of this crate stands for an MCM's signaling VC. A client cannot tell the two
//! apart.
//!
//! # The layers, from the driver down
//! - [`driver`]: what a driver implements, role by role.
//! - [`vc`], [`af`], [`sap`], [`party`], [`binding`], [`adapter`]: the objects of NDIS, and their handles. A handle carries
//!   its [`role`], and has the calls that this role may make; a wrong call does not compile.
//! - [`token`]: pend and complete. [`oid`] and [`status_ind`]: requests and indications.
//! - [`nbl`]: net buffer lists, pools and chains. A list is owned by whoever holds it.
//! - [`node`]: one NDIS instance, and what is in it. [`trace`]: every crossing of the boundary.
//! - [`runtime`]: time, timers and deferred work. [`engine`]: protocol machines in a driver, one input at a time.
//!
//! # Example
//! The whole of a client, a call manager, a miniport and an MCM, a screen or two each, is in `examples/parts`. A node and
//! what it shows:
//! ```
//! use condis::{node::Node, runtime::{Ran, Sim}};
//! use std::time::Duration;
//!
//! let sim = Sim::new(7);
//! let node = Node::new("alpha", sim.clone());
//! assert_eq!(sim.run_until_idle(Duration::from_secs(1)), Ran::Idle);
//! assert!(node.vcs().is_empty() && node.left().is_nothing());
//! ```
//!
//! # What holds
//! - Wrong orders get the documented status and harm no other object. Nothing panics because of a driver.
//! - No lock of NDIS is held while a driver is called; every function may be called from every callback.
//! - A driver gets the control upcalls of one VC one at a time, in the order of the transitions that caused them.
//! - No driver is called from a `Drop`. What a drop causes runs on the node's lane.
//! - A callback that panics takes down its own call: its object is not called again, and NDIS answers for it. NBLs that such
//!   an object had kept in itself are written off, by number, in a [`trace::Report`]. With `panic = "abort"` there is no
//!   guard: a panic ends the process.
//! - NDIS invents no completion for a driver that is well (X-52): it waits for each pended operation, which
//!   [`node::Node::pended`] lists with its holder and age.
//!
//! # What is left out
//! The verifier's watchdogs (a rule is reported when it is broken, not when it is late), power states, WMI, direct OIDs,
//! filter drivers, and a C ABI. The rules of the specification that are not tested stand in `docs/conformance.md` with the
//! reason.
//!
//! Source: the public WDK documentation, as taken down in `docs/reference`: rules CO-001 to CO-218 and DP-001 to DP-216,
//! silences and contradictions X-nn and C-nn with the reading taken.
#![forbid(unsafe_code)]

pub mod adapter;
pub mod af;
pub mod binding;
mod counters;
pub mod driver;
pub mod engine;
mod frame;
pub mod link_state;
pub mod names;
pub mod nbl;
pub mod node;
pub mod oid;
pub mod params;
pub mod party;
pub mod role;
pub mod runtime;
pub mod sap;
pub mod status;
pub mod status_ind;
pub mod token;
pub mod trace;
pub mod vc;
