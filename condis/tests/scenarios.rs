//! What drivers live through, over a call manager and over an MCM.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses some of the kit")]

#[path = "scenarios/af.rs"]
mod af;
#[path = "scenarios/calls.rs"]
mod calls;
#[path = "scenarios/closing.rs"]
mod closing;
mod kit;
#[path = "scenarios/life.rs"]
mod life;
#[path = "scenarios/oids.rs"]
mod oids;
#[path = "scenarios/parties.rs"]
mod parties;
#[path = "scenarios/qos.rs"]
mod qos;
