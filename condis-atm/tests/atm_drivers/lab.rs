//! Three nodes on a switch, in a simulation. The first two come with either manager; the third always with an MCM.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use condis::adapter::AdapterControl;
use condis::node::Node;
use condis::oid::code;
use condis::role::RoleKind;
use condis::runtime::{Ran, Runtime, Sim};
use condis::trace::{Event, Ring, Way};
use condis_atm::VpVc;
use condis_atm::addr::{AtmAddress, Esi};
use condis_atm::driver::{
    AtmConfig, AtmConnections, AtmCounters, AtmMcm, AtmMiniport, AtmSap, SignalingCounters, UniCallManager,
};
use condis_atm::switch::{PortConfig, PvcConfig, Switch, SwitchConfig};
use condis_atm::uni::Version;
use condis_link::atm::{AtmLink, Fibre, FibreConditions};

use crate::client::TestClient;
use crate::slow::SlowMiniport;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    CallManager,
    Mcm,
    /// A call manager over a miniport that pends what it can.
    OverSlowMiniport,
}

/// The first and the second host, each way.
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

pub const PREFIX: [u8; 13] = [0x47, 0x00, 0x05, 0x80, 0xff, 0xe1, 0, 0, 0, 0xf2, 0x1a, 0, 1];

/// The address of a host.
pub fn address(number: u8) -> AtmAddress {
    AtmAddress::new(PREFIX, Esi([0x02, 0, 0, 0, 0, number]), 0)
}

/// What a lab is made of.
#[derive(Clone)]
pub struct Setup {
    pub seed: u64,
    pub version: Version,
    pub conditions: FibreConditions,
    pub ilmi: bool,
    /// A host whose line is slower than the switch was told: so many cells a second.
    pub slow_host: Option<(u8, u64)>,
    /// Beside the address of each host.
    pub saps: Vec<AtmSap>,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            seed: 1,
            version: Version::Uni40,
            conditions: FibreConditions::default(),
            ilmi: false,
            slow_host: None,
            saps: Vec::new(),
        }
    }
}

/// One node, with its client.
pub struct Side {
    pub kind: Kind,
    pub node: Node,
    pub adapter: AdapterControl,
    pub client: TestClient,
    pub fibre: Fibre,
    pub ring: Arc<Ring>,
    pub counters: SignalingCounters,
    pub path: AtmCounters,
    pub connections: AtmConnections,
}

pub struct Lab {
    pub sim: Arc<Sim>,
    pub switch: Switch,
    pub a: Side,
    pub b: Side,
    pub c: Side,
}

impl Side {
    fn new(sim: &Arc<Sim>, switch: &Switch, name: &str, number: u8, kind: Kind, setup: &Setup) -> Side {
        let node = Node::new(name, sim.clone());
        let ring = Arc::new(Ring::new(1 << 16));
        node.listen(ring.clone());
        let mut saps = vec![AtmSap::at(address(number)).to_sap()];
        saps.extend(setup.saps.iter().map(AtmSap::to_sap));
        let client = TestClient::new(saps);
        node.register_protocol("client", client.clone());
        let runtime: Arc<dyn Runtime> = sim.clone();
        let mut conditions = setup.conditions.clone();
        let mut port = PortConfig::new(name, setup.version);
        if let Some((slow, cells_per_s)) = setup.slow_host
            && slow == number
        {
            conditions.cells_per_s = NonZeroU64::new(cells_per_s);
            port = port.with_rate(FibreConditions::OC3_CELLS_PER_S);
        }
        let (fibre, [ours, theirs]) = Fibre::new(runtime, name, conditions, setup.seed + u64::from(number));
        let port = if setup.ilmi { port.with_prefix(PREFIX) } else { port.with_address(address(number)) };
        switch.add_port(ours, port).expect("a free port");
        let link: Arc<dyn AtmLink> = theirs;
        let esi = Esi([0x02, 0, 0, 0, 0, number]);
        let config = AtmConfig::new(setup.version);
        let config = if setup.ilmi { config.with_ilmi() } else { config.with_address(address(number)) };
        let (adapter, counters, path, connections) = match kind {
            Kind::CallManager | Kind::OverSlowMiniport => {
                let manager = UniCallManager::new(config);
                let counters = manager.counters();
                node.register_protocol("uni", manager);
                let miniport = AtmMiniport::new(link, esi);
                let (path, connections) = (miniport.counters(), miniport.connections());
                let adapter = match kind {
                    Kind::OverSlowMiniport => node.add_miniport("atm", SlowMiniport(miniport)),
                    Kind::CallManager | Kind::Mcm => node.add_miniport("atm", miniport),
                };
                (adapter, counters, path, connections)
            }
            Kind::Mcm => {
                let mcm = AtmMcm::new(link, esi, config);
                let (counters, path, connections) = (mcm.counters(), mcm.path_counters(), mcm.connections());
                (node.add_mcm("atm", mcm), counters, path, connections)
            }
        };
        let adapter = adapter.expect("it initializes");
        Side { kind, node, adapter, client, fibre, ring, counters, path, connections }
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
        for name in ["NdisCoCreateVc", "NdisCoSendNetBufferLists", "NdisCmActivateVc", "NdisCmDeactivateVc"] {
            assert_eq!(by(RoleKind::Mcm, Way::Down, name), 0, "an MCM does not call {name}");
        }
        for name in ["MiniportCoCreateVc", "MiniportCoActivateVc", "MiniportCoDeactivateVc"] {
            assert_eq!(by(RoleKind::Mcm, Way::Up, name), 0, "nobody calls {name} of an MCM");
        }
        if self.kind != Kind::Mcm {
            for name in ["NdisCoCreateVc", "NdisCmActivateVc", "NdisCmDeactivateVc", "NdisCoDeleteVc"] {
                assert!(by(RoleKind::CallManager, Way::Down, name) > 0, "a call manager calls {name}");
            }
        }
    }

    /// After everything: nothing is left, and nobody is at fault.
    pub fn check_the_end(&self) {
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
        assert!(self.connections.all().is_empty(), "{name}: {:?}", self.connections.all());
        self.check_the_model();
    }
}

impl Lab {
    pub fn new(mix: (Kind, Kind), setup: &Setup) -> Lab {
        let sim = Sim::new(setup.seed);
        let switch = Switch::new(sim.clone(), "switch", SwitchConfig::default());
        let a = Side::new(&sim, &switch, "a", 1, mix.0, setup);
        let b = Side::new(&sim, &switch, "b", 2, mix.1, setup);
        let c = Side::new(&sim, &switch, "c", 3, Kind::Mcm, setup);
        let lab = Lab { sim, switch, a, b, c };
        let ready = || [&lab.a, &lab.b, &lab.c].iter().all(|side| side.client.is_ready());
        assert!(lab.sim.run_until(ready, LONG), "{:?}", lab.switch.ports());
        lab.soon();
        lab
    }

    /// Runs for less than anybody's patience: what can happen at once happens.
    pub fn soon(&self) {
        self.run_for(Duration::from_millis(500));
    }

    /// Runs for longer than anybody's patience.
    pub fn late(&self) {
        self.run_for(Duration::from_secs(120));
    }

    pub fn run_for(&self, span: Duration) {
        assert_ne!(self.sim.run_for(span), Ran::Spinning);
    }

    /// Takes everything down, looks at what is left, and gives what the clients saw.
    pub fn finish(self) -> [Vec<String>; 2] {
        // One after the other: who hears of the other's end first is no affair of the manager's kind.
        for side in [&self.a, &self.b, &self.c] {
            side.adapter.remove(|| ());
            self.soon();
        }
        self.late();
        for side in [&self.a, &self.b, &self.c] {
            side.check_the_end();
        }
        assert_eq!(self.switch.calls(), [], "the switch has calls of nobody");
        [self.a.client_trace(), self.b.client_trace()]
    }
}

/// Runs a scenario in every mix; what the clients see must not depend on it.
pub fn in_every_mix(scenario: impl Fn(&Lab)) {
    in_every_mix_of(&Setup::default(), scenario);
}

pub fn in_every_mix_of(setup: &Setup, scenario: impl Fn(&Lab)) {
    let mut first: Option<[Vec<String>; 2]> = None;
    for mix in MIXES {
        eprintln!("a {:?}, b {:?}", mix.0, mix.1);
        let lab = Lab::new(mix, setup);
        scenario(&lab);
        let traces = lab.finish();
        assert!(!traces[0].is_empty() && !traces[1].is_empty());
        let Some(first) = &first else {
            first = Some(traces);
            continue;
        };
        // What pends there changes the order among VCs.
        if [mix.0, mix.1].contains(&Kind::OverSlowMiniport) {
            continue;
        }
        for (side, (ours, theirs)) in ["a", "b"].iter().zip(first.iter().zip(&traces)) {
            let differs = ours.iter().zip(theirs).position(|(a, b)| a != b);
            let at = differs.unwrap_or(ours.len().min(theirs.len()));
            let from = at.saturating_sub(3);
            let show = |trace: &[String]| trace[from..trace.len().min(at + 6)].to_vec();
            assert!(
                ours == theirs,
                "the client of {side} sees its manager's kind in {mix:?}, at {at}:\n{:#?}\n{:#?}",
                show(ours),
                show(theirs)
            );
        }
    }
}

/// Whether the last that a client was told of signaling is that it is up.
pub fn is_enabled(side: &Side) -> bool {
    side.client.last_told() == Some(code::CO_SIGNALING_ENABLED)
}

/// Gives the switch a permanent connection between two hosts, counted from zero.
pub fn cross_connect(lab: &Lab, here: (usize, VpVc), there: (usize, VpVc)) {
    let ports = lab.switch.ports();
    let end = |(host, vpvc): (usize, VpVc)| (ports[host].id, vpvc);
    lab.switch.add_pvc(PvcConfig::ubr(end(here), end(there))).expect("it is free");
}
