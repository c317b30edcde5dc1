//! Aim: on real threads nothing is waited for in a circle, lost or left. Method: calls, echoes and closes between two nodes
//! whose lanes and wire run in parallel; a test that hangs has failed.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use condis::node::Node;
use condis::runtime::{Runtime, Threads};
use condis::trace::Ring;
use condis_link::MacAddr;
use condis_link::memory::{Conditions, Segment};
use condis_wan::pppoe::driver::{CallTarget, EthernetMiniport, PppoeCallManager, PppoeConfig, PppoeMcm};

use crate::client::TestClient;

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn calls_between_two_nodes_on_threads() {
    for round in 0..10 {
        let threads = Threads::new();
        let runtime: Arc<dyn Runtime> = threads.clone();
        let segment = Segment::new(runtime.clone(), "wire", Conditions::default(), round);
        let nodes = [(1, "host", false), (2, "ac", true)].map(|(number, name, takes_calls)| {
            let node = Node::new(name, runtime.clone());
            let ring = Arc::new(Ring::new(256));
            node.listen(ring.clone());
            let config = if takes_calls { PppoeConfig::concentrator("ac") } else { PppoeConfig::default() };
            let client = TestClient::new(takes_calls.then_some("internet"));
            node.register_protocol("client", client.clone());
            let port = segment.attach(MacAddr::local(number)).expect("a free address");
            let adapter = if (round + u64::from(number)) % 2 == 0 {
                node.register_protocol("pppoe", PppoeCallManager::new(config));
                node.add_miniport("eth", EthernetMiniport::new(port))
            } else {
                node.add_mcm("eth", PppoeMcm::new(port, config))
            };
            (node, adapter.expect("it initializes"), client, ring)
        });
        let [(host, host_adapter, caller, heard), (ac, ac_adapter, called, heard_too)] = nodes;
        called.echoes();
        caller.wait(|client| client.is_ready(), PATIENCE);
        called.wait(|client| client.is_ready(), PATIENCE);
        let vcs: Vec<_> = (0..8).map(|_| caller.create()).collect();
        for &vc in &vcs {
            caller.dial(vc, &CallTarget::service("internet"));
        }
        caller.wait(|client| client.up().len() == 8, PATIENCE);
        called.wait(|client| client.up().len() == 8, PATIENCE);
        for &vc in &vcs {
            caller.send(vc, (0..50).map(|number| vec![number; 500]));
        }
        caller.wait(|client| client.received_len() == 8 * 50 * 500, PATIENCE);
        // Half of the calls from this end, and the other half with the adapter, while the other adapter goes as well.
        vcs[..4].iter().for_each(|&vc| caller.close(vc));
        let (done, ended) = channel();
        let also = done.clone();
        if round % 3 == 0 {
            host_adapter.surprise_remove(move || done.send(()).expect("waited for"));
        } else {
            host_adapter.remove(move || done.send(()).expect("waited for"));
        }
        ac_adapter.remove(move || also.send(()).expect("waited for"));
        ended.recv_timeout(PATIENCE).expect("an adapter is removed");
        ended.recv_timeout(PATIENCE).expect("the other one, too");
        assert!(threads.wait_idle(PATIENCE), "somebody is still at work");
        for (node, ring) in [(&host, &heard), (&ac, &heard_too)] {
            assert!(node.left().is_nothing(), "round {round}: {} left {}", node.name(), node.left());
            assert_eq!(ring.reports(), [], "round {round}: {}", node.name());
        }
        assert_eq!((caller.outstanding(), called.outstanding(), threads.panic_count()), (0, 0, 0));
        drop(segment);
        threads.shutdown();
    }
}
