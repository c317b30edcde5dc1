//! Aim: the same over lines that carry whole SDUs, as atmtcp and AAL5 over UDP do. Method: both kinds of manager on a switch, over
//! pipes in memory.

use std::sync::Arc;
use std::time::Duration;

use condis::node::Node;
use condis::runtime::{Ran, Runtime, Sim};
use condis::trace::Ring;
use condis_atm::VpVc;
use condis_atm::addr::Esi;
use condis_atm::driver::{AtmConfig, AtmMcm, AtmMiniport, AtmSap, UniCallManager};
use condis_atm::switch::{PortConfig, Switch, SwitchConfig};
use condis_atm::uni::Version;

use crate::calls::to;
use crate::client::TestClient;
use crate::lab::{Kind, LONG, MIXES, PREFIX, address};
use crate::pipe::Pipe;

#[test]
fn calls_pass_over_lines_of_sdus() {
    for mix in &MIXES[..4] {
        let sim = Sim::new(1);
        let runtime: Arc<dyn Runtime> = sim.clone();
        let switch = Switch::new(sim.clone(), "switch", SwitchConfig::default());
        let sides = [(1, "a", mix.0), (2, "b", mix.1)].map(|(number, name, kind)| {
            let node = Node::new(name, sim.clone());
            let ring = Arc::new(Ring::new(1 << 12));
            node.listen(ring.clone());
            let client = TestClient::new(vec![AtmSap::at(address(number)).to_sap()]);
            node.register_protocol("client", client.clone());
            let [ours, theirs] = Pipe::pair(&runtime, 64);
            switch.add_port(ours, PortConfig::new(name, Version::Uni31).with_prefix(PREFIX)).expect("free");
            let esi = Esi([2, 0, 0, 0, 0, number]);
            let config = AtmConfig::new(Version::Uni31).with_ilmi();
            let link = theirs.clone();
            let adapter = match kind {
                Kind::Mcm => node.add_mcm("atm", AtmMcm::new(link, esi, config)),
                Kind::CallManager | Kind::OverSlowMiniport => {
                    node.register_protocol("uni", UniCallManager::new(config));
                    node.add_miniport("atm", AtmMiniport::new(link, esi))
                }
            };
            (node, adapter.expect("it initializes"), client, ring, theirs)
        });
        let [a, b] = [&sides[0].2, &sides[1].2];
        assert!(sim.run_until(|| a.is_ready() && b.is_ready(), LONG));
        let run = |millis| assert_ne!(sim.run_for(Duration::from_millis(millis)), Ran::Spinning);
        run(5_000);
        b.echoes();
        let vc = a.create();
        a.dial(vc, &to(2));
        run(500);
        assert_eq!(a.up(), [vc], "{mix:?}: {:?} {:?}", a.heard(), a.last_cause());
        a.send(vc, (0..100).map(|number| vec![number; 1500]));
        run(500);
        assert_eq!(a.received().len(), 150_000, "{mix:?}");
        a.close(vc);
        run(500);
        for (node, adapter, client, ring, link) in &sides {
            // Whoever it is, the line is told of every connection (atmtcp tells the other end), and given SDUs where they lie.
            let opened = link.opened();
            assert!(opened[..2] == [(VpVc::SIGNALING, true), (VpVc::ILMI, true)], "{opened:?}");
            assert!(opened.len() == 4 && opened[2].0 == opened[3].0, "{opened:?}");
            assert!(link.pieces().iter().all(|pieces| *pieces == 1));
            adapter.remove(|| ());
            run(500);
            assert!(node.left().is_nothing(), "{}", node.left());
            assert_eq!(ring.reports(), []);
            assert_eq!(client.outstanding(), 0);
        }
    }
}
