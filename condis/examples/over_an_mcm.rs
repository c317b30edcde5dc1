//! Two clients talk over the smallest MCM: `cargo run -p condis --example over_an_mcm`
//!
//! Compare what it prints with `over_a_call_manager`: the clients do and hear the same, and NDIS sees no signaling VC.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each example uses some of the parts")]

mod parts {
    pub mod client;
    pub mod exchange;
    pub mod mcm;
    pub mod miniport;
}

use std::sync::Arc;
use std::time::Duration;

use condis::node::Node;
use condis::runtime::{Ran, Sim};
use condis::trace::Counters;
use parts::{client::TheClient, mcm::TheMcm};

fn main() {
    let sim = Sim::new(1);
    let node = Node::new("mcm", sim.clone());
    let counters = Arc::new(Counters::default());
    node.listen(counters.clone());
    node.register_protocol("alice", TheClient::new(b"alice", None));
    let adapter = node.add_mcm("loop", TheMcm::new()).expect("it initializes");
    assert_eq!(sim.run_until_idle(Duration::from_secs(1)), Ran::Idle);
    node.register_protocol("bob", TheClient::new(b"bob", Some(b"alice")));
    assert_eq!(sim.run_until_idle(Duration::from_secs(1)), Ran::Idle);
    println!("NDIS sees: {:#?}", node.vcs());
    adapter.remove(|| println!("the adapter is removed"));
    assert_eq!(sim.run_until_idle(Duration::from_secs(1)), Ran::Idle);
    println!("crossings: {:#?}", counters.by_name());
    println!("left: {}", node.left());
    assert!(node.left().is_nothing());
}
