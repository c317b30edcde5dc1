//! Aim: on real threads nothing is waited for in a circle, lost or left. Method: calls, echoes and closes between two nodes
//! whose lanes, lines and switch run in parallel; a test that hangs has failed.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use condis::node::Node;
use condis::runtime::{Runtime, Threads};
use condis::trace::Ring;
use condis_atm::addr::Esi;
use condis_atm::driver::{AtmCall, AtmConfig, AtmMcm, AtmMiniport, AtmSap, UniCallManager};
use condis_atm::switch::{PortConfig, Switch, SwitchConfig};
use condis_atm::uni::Version;
use condis_link::atm::{Fibre, FibreConditions};

use crate::client::TestClient;
use crate::lab::address;

const PATIENCE: Duration = Duration::from_secs(60);

#[expect(clippy::disallowed_methods, reason = "the patience of a test is real time")]
fn wait(client: &TestClient, what: &str, so: impl Fn(&TestClient) -> bool) {
    let until = Instant::now() + PATIENCE;
    while !so(client) {
        assert!(Instant::now() < until, "{what}: {:?} {:?}", client.heard(), client.last_cause());
        client.wait_a_moment();
    }
}

#[test]
fn calls_between_two_nodes_on_threads() {
    for round in 0..6_u8 {
        let threads = Threads::new();
        let runtime: Arc<dyn Runtime> = threads.clone();
        let switch = Switch::new(runtime.clone(), "switch", SwitchConfig::default());
        let nodes = [(1, "a"), (2, "b")].map(|(number, name)| {
            let node = Node::new(name, runtime.clone());
            let ring = Arc::new(Ring::new(256));
            node.listen(ring.clone());
            let client = TestClient::new(vec![AtmSap::at(address(number)).to_sap()]);
            node.register_protocol("client", client.clone());
            let (fibre, [ours, theirs]) =
                Fibre::new(runtime.clone(), name, FibreConditions::default(), round.into());
            let port = PortConfig::new(name, Version::Uni40).with_address(address(number));
            switch.add_port(ours, port).expect("a free port");
            let esi = Esi([2, 0, 0, 0, 0, number]);
            let config = AtmConfig::new(Version::Uni40).with_address(address(number));
            let adapter = if (round + number) % 2 == 0 {
                node.register_protocol("uni", UniCallManager::new(config));
                node.add_miniport("atm", AtmMiniport::new(theirs, esi))
            } else {
                node.add_mcm("atm", AtmMcm::new(theirs, esi, config))
            };
            (node, adapter.expect("it initializes"), client, ring, fibre)
        });
        let [(a, a_adapter, caller, heard, _), (b, b_adapter, called, heard_too, _)] = &nodes;
        called.echoes();
        wait(caller, "a is ready", TestClient::is_ready);
        wait(called, "b is ready", TestClient::is_ready);
        // The last BGAK may be on its way still.
        wait(called, "the switch is ready", |_| switch.ports().iter().all(|port| port.signaling_is_up));
        let vcs: Vec<_> = (0..8).map(|_| caller.create()).collect();
        for &vc in &vcs {
            caller.dial(vc, &AtmCall::to(address(2)));
        }
        wait(caller, "calls are made", |client| client.up().len() == 8);
        wait(called, "calls are taken", |client| client.up().len() == 8);
        for &vc in &vcs {
            caller.send(vc, (0..50).map(|number| vec![number; 500]));
        }
        wait(caller, "echoes", |client| client.received_len() == 8 * 50 * 500);
        // Half of the calls from this end, and the other half with the adapter, while the other adapter goes as well.
        vcs[..4].iter().for_each(|&vc| caller.close(vc));
        let (done, ended) = channel();
        let also = done.clone();
        if round % 3 == 0 {
            a_adapter.surprise_remove(move || done.send(()).expect("waited for"));
        } else {
            a_adapter.remove(move || done.send(()).expect("waited for"));
        }
        b_adapter.remove(move || also.send(()).expect("waited for"));
        ended.recv_timeout(PATIENCE).expect("an adapter is removed");
        ended.recv_timeout(PATIENCE).expect("the other one, too");
        switch.shut_down();
        assert!(threads.wait_idle(PATIENCE), "somebody is still at work");
        for (node, ring) in [(a, heard), (b, heard_too)] {
            assert!(node.left().is_nothing(), "round {round}: {} left {}", node.name(), node.left());
            assert_eq!(ring.reports(), [], "round {round}: {}", node.name());
        }
        assert_eq!((caller.outstanding(), called.outstanding(), threads.panic_count()), (0, 0, 0));
        threads.shutdown();
    }
}
