//! Two clients talk over the smallest call manager and miniport: `cargo run -p condis --example over_a_call_manager`
//!
//! Compare what it prints with `over_an_mcm`: the clients do and hear the same; the signaling VC is there in this one only.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each example uses some of the parts")]

mod parts {
    pub mod call_manager;
    pub mod client;
    pub mod exchange;
    pub mod miniport;
}

use std::sync::Arc;
use std::time::Duration;

use condis::node::Node;
use condis::runtime::{Ran, Sim};
use condis::trace::Counters;
use parts::{call_manager::TheCallManager, client::TheClient, miniport::TheMiniport, miniport::Wire};

fn main() {
    let sim = Sim::new(1);
    let node = Node::new("manager", sim.clone());
    let counters = Arc::new(Counters::default());
    node.listen(counters.clone());
    node.register_protocol("call manager", TheCallManager::new());
    node.register_protocol("alice", TheClient::new(b"alice", None));
    let adapter = node.add_miniport("loop", TheMiniport(Wire::new())).expect("it initializes");
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
