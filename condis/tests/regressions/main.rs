//! What went wrong once, one test a fault, in both worlds where both could have it.
//!
//! Each test opens with what used to happen. The drivers are those of the rig, which do at each callback of a VC what the
//! test plans, and those of the kit where whole address families have to be held or lost. "Planted" panics are a driver's
//! fault on purpose: they are caught by NDIS, reported, and not printed.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "the tests use some of the rig and of the kit")]

mod calls;
#[path = "../kit/mod.rs"]
mod kit;
mod life;
mod locks;
mod panics;
mod parties;
#[path = "../rig/mod.rs"]
mod rig;
mod support;
