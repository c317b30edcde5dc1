//! Two nodes on an Ethernet in memory, in a simulation: a host and an access concentrator, each with either manager.

use std::sync::Arc;
use std::time::Duration;

use condis::adapter::AdapterControl;
use condis::node::Node;
use condis::role::RoleKind;
use condis::runtime::{Ran, Runtime, Sim};
use condis::trace::{Event, Ring, Way};
use condis_link::MacAddr;
use condis_link::memory::{Conditions, Port, Segment};
use condis_wan::pppoe::driver::{
    EthernetMiniport, FlowCounters, PppoeCallManager, PppoeConfig, PppoeCounters, PppoeMcm,
};

use crate::client::TestClient;
use crate::slow::SlowMiniport;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    CallManager,
    Mcm,
    /// A call manager over a miniport that pends what it can.
    OverSlowMiniport,
}

/// Host and concentrator, each way.
pub const MIXES: [(Kind, Kind); 6] = [
    (Kind::CallManager, Kind::CallManager),
    (Kind::CallManager, Kind::Mcm),
    (Kind::Mcm, Kind::CallManager),
    (Kind::Mcm, Kind::Mcm),
    (Kind::OverSlowMiniport, Kind::Mcm),
    (Kind::CallManager, Kind::OverSlowMiniport),
];

/// Longer than the patience of everybody.
pub const LONG: Duration = Duration::from_secs(600);

/// One node, with its client.
pub struct Side {
    pub kind: Kind,
    pub node: Node,
    pub adapter: AdapterControl,
    pub client: TestClient,
    pub port: Arc<Port>,
    pub ring: Arc<Ring>,
    pub counters: PppoeCounters,
    pub flows: FlowCounters,
}

pub struct Lab {
    pub sim: Arc<Sim>,
    pub segment: Segment,
    pub host: Side,
    pub ac: Side,
}

impl Side {
    fn new(
        sim: &Arc<Sim>,
        segment: &Segment,
        name: &str,
        number: u32,
        kind: Kind,
        config: PppoeConfig,
    ) -> Side {
        let node = Node::new(name, sim.clone());
        let ring = Arc::new(Ring::new(1 << 16));
        node.listen(ring.clone());
        let client = TestClient::new(config.concentrator.is_some().then_some("internet"));
        node.register_protocol("client", client.clone());
        let port = segment.attach(MacAddr::local(number)).expect("a free address");
        let (adapter, counters, flows) = match kind {
            Kind::CallManager | Kind::OverSlowMiniport => {
                let manager = PppoeCallManager::new(config);
                let counters = manager.counters();
                node.register_protocol("pppoe", manager);
                let miniport = EthernetMiniport::new(port.clone());
                let flows = miniport.counters();
                let adapter = match kind {
                    Kind::OverSlowMiniport => node.add_miniport("eth", SlowMiniport(miniport)),
                    Kind::CallManager | Kind::Mcm => node.add_miniport("eth", miniport),
                };
                (adapter, counters, flows)
            }
            Kind::Mcm => {
                let mcm = PppoeMcm::new(port.clone(), config);
                let (counters, flows) = (mcm.counters(), mcm.flow_counters());
                (node.add_mcm("eth", mcm), counters, flows)
            }
        };
        let adapter = adapter.expect("it initializes");
        Side { kind, node, adapter, client, port, ring, counters, flows }
    }

    pub fn count(&self, name: &str) -> u64 {
        self.counters.by_name()[name]
    }

    /// What crosses the boundary between NDIS and the client, in order, without instants and objects.
    fn client_trace(&self) -> Vec<String> {
        let events = self.ring.events();
        let of_client =
            events.iter().filter(|event| event.role == RoleKind::Client && &*event.driver == "client");
        of_client.map(|event| format!("{} {:?}", event.function, event.way)).collect()
    }

    fn check_the_model(&self) {
        let events = self.ring.events();
        let by = |role, way, name: &str| {
            let wanted =
                |event: &&Event| event.role == role && event.way == way && event.function.to_string() == name;
            events.iter().filter(wanted).count()
        };
        for name in ["NdisCoCreateVc", "NdisCoSendNetBufferLists", "NdisCmActivateVc"] {
            assert_eq!(by(RoleKind::Mcm, Way::Down, name), 0, "an MCM does not call {name}");
        }
        for name in ["MiniportCoCreateVc", "MiniportCoActivateVc", "MiniportCoDeactivateVc"] {
            assert_eq!(by(RoleKind::Mcm, Way::Up, name), 0, "nobody calls {name} of an MCM");
        }
    }

    /// After everything: nothing is left, and nobody is at fault.
    fn check_the_end(&self) {
        let name = self.node.name();
        assert!(
            self.node.left().is_nothing(),
            "{name} left {}; pended {:?}",
            self.node.left(),
            self.node.pended()
        );
        assert_eq!(self.ring.reports(), [], "{name}");
        assert_eq!(self.node.reports(), 0, "{name}");
        assert_eq!(self.client.outstanding(), 0, "{name} leaks NBLs");
        self.check_the_model();
    }
}

impl Lab {
    pub fn new(seed: u64, mix: (Kind, Kind), conditions: Conditions) -> Lab {
        Lab::in_vlans(seed, mix, conditions, [None, None])
    }

    /// Each side in a VLAN of its own.
    pub fn in_vlans(seed: u64, mix: (Kind, Kind), conditions: Conditions, vlans: [Option<u16>; 2]) -> Lab {
        let config = |vlan, config| PppoeConfig { vlan, ..config };
        let sim = Sim::new(seed);
        let runtime: Arc<dyn Runtime> = sim.clone();
        let segment = Segment::new(runtime, "wire", conditions, seed);
        let host = Side::new(&sim, &segment, "host", 1, mix.0, config(vlans[0], PppoeConfig::default()));
        let ac = Side::new(&sim, &segment, "ac", 2, mix.1, config(vlans[1], PppoeConfig::concentrator("ac")));
        let lab = Lab { sim, segment, host, ac };
        assert!(lab.sim.run_until(|| lab.host.client.is_ready() && lab.ac.client.is_ready(), LONG));
        lab.settle();
        lab
    }

    /// Runs until nothing is left to do.
    pub fn settle(&self) {
        assert_eq!(self.sim.run_until_idle(LONG), Ran::Idle);
    }

    /// Runs for less than anybody's patience: what can happen at once happens.
    pub fn soon(&self) {
        self.run_for(Duration::from_millis(500));
    }

    pub fn run_for(&self, span: Duration) {
        assert_ne!(self.sim.run_for(span), Ran::Spinning);
    }

    /// Takes everything down and looks at what is left.
    pub fn finish(self) {
        self.end();
    }

    /// As [`Lab::finish`], and gives what the clients saw.
    fn end(self) -> [Vec<String>; 2] {
        // One after the other: who hears of the other's end first is no affair of the manager's kind.
        self.host.adapter.remove(|| ());
        self.settle();
        self.ac.adapter.remove(|| ());
        self.settle();
        for side in [&self.host, &self.ac] {
            side.check_the_end();
        }
        [self.host.client_trace(), self.ac.client_trace()]
    }
}

/// Runs a scenario in every mix; what the clients see must not depend on it.
pub fn in_every_mix(scenario: impl Fn(&Lab)) {
    let mut first: Option<[Vec<String>; 2]> = None;
    for mix in MIXES {
        eprintln!("host {:?}, concentrator {:?}", mix.0, mix.1);
        let lab = Lab::new(1, mix, Conditions::default());
        scenario(&lab);
        let traces = lab.end();
        assert!(!traces[0].is_empty() && !traces[1].is_empty());
        let slow = [mix.0, mix.1].contains(&Kind::OverSlowMiniport);
        match &first {
            None => first = Some(traces),
            // What pends there changes the order among VCs.
            Some(_) if slow => {}
            Some(first) => {
                for (side, (ours, theirs)) in ["host", "ac"].iter().zip(first.iter().zip(&traces)) {
                    let at = ours
                        .iter()
                        .zip(theirs)
                        .position(|(a, b)| a != b)
                        .unwrap_or(ours.len().min(theirs.len()));
                    let from = at.saturating_sub(3);
                    let show = |trace: &[String]| trace[from..trace.len().min(at + 6)].to_vec();
                    assert!(
                        ours == theirs,
                        "the client of the {side} sees its manager's kind in {mix:?}, at {at}:\n{:#?}\n{:#?}",
                        show(ours),
                        show(theirs)
                    );
                }
            }
        }
    }
}

/// Runs a scenario in every mix, on a wire that is not good; only the end must be.
pub fn on_a_bad_wire(seeds: std::ops::Range<u64>, conditions: &Conditions, scenario: impl Fn(&Lab)) {
    for seed in seeds {
        let mix = MIXES[(seed % 6) as usize];
        eprintln!("seed {seed}: host {:?}, concentrator {:?}", mix.0, mix.1);
        let lab = Lab::new(seed, mix, conditions.clone());
        scenario(&lab);
        lab.end();
    }
}
