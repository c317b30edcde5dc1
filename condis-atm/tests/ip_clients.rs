//! Aim: IP packets find their way over ATM, on switched calls and on permanent connections, and a client cannot tell a call
//! manager from an MCM. Method: IP clients with hosts in memory, on a switch, in a simulation.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use condis::node::Node;
use condis::runtime::{Ran, Runtime, Sim};
use condis_atm::VpVc;
use condis_atm::addr::{AtmAddress, Esi};
use condis_atm::driver::{AtmConfig, AtmMcm, AtmMiniport, UniCallManager};
use condis_atm::ip::classical::{LisConfig, Server};
use condis_atm::ip::driver::{IpClient, IpClientConfig, IpPvc};
use condis_atm::ip::encap::Encapsulation;
use condis_atm::ip::host::IpHost;
use condis_atm::switch::{PortConfig, PvcConfig, Switch, SwitchConfig};
use condis_atm::uni::Version;
use condis_link::atm::{AtmLink, Fibre, FibreConditions};

const PREFIX: [u8; 13] = [0x47, 0, 5, 0x80, 0xff, 0xe1, 0, 0, 0, 0xf2, 0x1a, 0, 1];

fn address(number: u8) -> AtmAddress {
    AtmAddress::new(PREFIX, Esi([2, 0, 0, 0, 0, number]), 0)
}

fn ip(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 1, 9, number)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    CallManager,
    Mcm,
}

const MIXES: [[Kind; 3]; 3] = [
    [Kind::CallManager, Kind::CallManager, Kind::Mcm],
    [Kind::Mcm, Kind::CallManager, Kind::Mcm],
    [Kind::CallManager, Kind::Mcm, Kind::Mcm],
];

struct Station {
    node: Node,
    client: IpClient,
    host: Arc<IpHost>,
    fibre: Fibre,
}

struct Lab {
    sim: Arc<Sim>,
    _switch: Switch,
    stations: Vec<Station>,
}

impl Lab {
    /// Stations 1, 2, 3. With permanent connections 1-2, else 1 is the ATMARP server.
    fn new(seed: u64, kinds: [Kind; 3], pvcs: Option<(Encapsulation, bool)>) -> Lab {
        let sim = Sim::new(seed);
        let switch = Switch::new(sim.clone(), "switch", SwitchConfig::default());
        let mut ports = Vec::new();
        let mut stations = Vec::new();
        for (number, kind) in (1..).zip(kinds) {
            let name = format!("host{number}");
            let runtime: Arc<dyn Runtime> = sim.clone();
            let (fibre, [ours, theirs]) =
                Fibre::new(runtime.clone(), &name, FibreConditions::default(), seed + u64::from(number));
            let port = PortConfig::new(&name, Version::Uni31).with_address(address(number));
            ports.push(switch.add_port(ours, port).expect("a free port"));
            let link: Arc<dyn AtmLink> = theirs;
            let node = Node::new(&name, sim.clone());
            let lane = sim.open_lane(&name);
            let host = IpHost::new(ip(number), runtime.clone(), lane);
            let server = match pvcs {
                Some(_) => Server::None,
                None if number == 1 => Server::Here,
                None => Server::At(address(1)),
            };
            let far = if number == 1 { 2 } else { 1 };
            let pvcs = pvcs.filter(|_| number < 3).map(|(encapsulation, told)| IpPvc {
                vpvc: VpVc::new(0, 100),
                encapsulation,
                ip: told.then(|| ip(far)),
            });
            let config = IpClientConfig {
                adapter: "atm".to_owned(),
                lis: LisConfig::new(ip(number), 24, address(number), server),
                pvcs: pvcs.into_iter().collect(),
            };
            let client = IpClient::new(config, host.clone(), runtime, lane);
            node.register_protocol("ip", client.clone());
            let config = AtmConfig::new(Version::Uni31).with_address(address(number));
            let esi = Esi([2, 0, 0, 0, 0, number]);
            match kind {
                Kind::CallManager => {
                    node.register_protocol("uni", UniCallManager::new(config));
                    node.add_miniport("atm", AtmMiniport::new(link, esi)).expect("it initializes");
                }
                Kind::Mcm => {
                    node.add_mcm("atm", AtmMcm::new(link, esi, config)).expect("it initializes");
                }
            }
            stations.push(Station { node, client, host, fibre });
        }
        if pvcs.is_some() {
            let pvc = PvcConfig::ubr((ports[0], VpVc::new(0, 100)), (ports[1], VpVc::new(0, 100)));
            switch.add_pvc(pvc).expect("both ends are free");
        }
        let lab = Lab { sim, _switch: switch, stations };
        lab.run(5);
        lab
    }

    fn run(&self, seconds: u64) {
        assert_ne!(self.sim.run_for(Duration::from_secs(seconds)), Ran::Spinning);
    }

    fn station(&self, number: u8) -> &Station {
        &self.stations[usize::from(number) - 1]
    }

    /// How many of three echo requests come back.
    fn ping(&self, from: u8, to: u8) -> usize {
        let host = &self.station(from).host;
        let asked: Vec<u16> = [56, 1472, 9152].map(|octets| host.ping(ip(to), octets)).to_vec();
        self.run(5);
        let echoes = host.echoes();
        echoes.iter().filter(|echo| asked.contains(&echo.sequence) && echo.answered.is_some()).count()
    }

    fn end(self) {
        for station in &self.stations {
            station.node.shutdown(|| {});
        }
        assert_eq!(self.sim.run_until_idle(Duration::from_secs(600)), Ran::Idle);
        for station in &self.stations {
            let name = station.node.name();
            assert!(station.client.is_stopped(), "{name}");
            assert!(station.node.left().is_nothing(), "{name} left {}", station.node.left());
            assert_eq!(station.node.reports(), 0, "{name}");
        }
    }
}

/// RFC 2225: clients register, ask for each other and call each other; the server is a host like any other.
#[test]
fn classical_ip_over_calls() {
    for kinds in MIXES {
        let lab = Lab::new(1, kinds, None);
        for station in &lab.stations {
            assert!(station.client.is_ready(), "{:?}: {:?}", station.client, station.client.take_problems());
        }
        assert_eq!(lab.ping(2, 3), 3, "{kinds:?}");
        assert_eq!(lab.ping(3, 2), 3);
        assert_eq!(lab.ping(1, 2), 3);
        assert_eq!(lab.ping(3, 1), 3);
        assert_eq!(lab.ping(2, 9), 0, "nobody has this address");
        assert_eq!(lab.station(2).client.counters().dropped_unresolved, 3);
        assert_eq!(lab.station(2).client.resolved(ip(3)), Some(address(3)));
        lab.end();
    }
}

/// A line that is cut takes its calls with it; once it is mended the client is with its server again, and packets pass.
#[test]
fn classical_ip_comes_back_after_an_outage() {
    for kinds in MIXES {
        let lab = Lab::new(2, kinds, None);
        assert_eq!(lab.ping(2, 3), 3);
        lab.station(2).fibre.cut();
        lab.run(60);
        assert!(!lab.station(2).client.is_ready(), "{kinds:?}");
        assert_eq!(lab.ping(2, 3), 0);
        lab.station(2).fibre.mend();
        lab.run(60);
        assert!(lab.station(2).client.is_ready(), "{kinds:?}");
        assert_eq!(lab.ping(2, 3), 3, "{kinds:?}");
        lab.end();
    }
}

/// The call manager goes, and the client with it; another one comes, and offers the address family again.
#[test]
fn a_client_goes_on_with_the_next_call_manager() {
    let lab = Lab::new(4, MIXES[0], None);
    assert_eq!(lab.ping(2, 3), 3);
    let (node, client) = (&lab.station(2).node, &lab.station(2).client);
    node.deregister_protocol("uni", || {});
    lab.run(10);
    assert!(client.is_stopped() && !client.is_ready());
    assert_eq!(lab.ping(2, 3), 0);
    let config = AtmConfig::new(Version::Uni31).with_address(address(2));
    node.register_protocol("uni", UniCallManager::new(config));
    lab.run(60);
    assert!(client.is_ready(), "{:?}", client.take_problems());
    assert_eq!(lab.ping(2, 3), 3);
    client.stop();
    lab.run(10);
    assert!(client.is_stopped());
    lab.end();
}

/// RFC 2684 on a permanent connection, each way: LLC/SNAP asks who is there (RFC 2225 §8.2), VC multiplexing is told.
#[test]
fn ip_on_permanent_connections() {
    for kinds in MIXES {
        for (encapsulation, told) in
            [(Encapsulation::LlcSnap, false), (Encapsulation::LlcSnap, true), (Encapsulation::VcMux, true)]
        {
            let lab = Lab::new(3, kinds, Some((encapsulation, told)));
            assert_eq!(lab.station(1).client.take_problems(), [""; 0]);
            assert_eq!(lab.ping(1, 2), 3, "{kinds:?} {encapsulation:?} {told}");
            assert_eq!(lab.ping(2, 1), 3);
            lab.end();
        }
    }
}

/// The same seed twice is the same run, to the nanosecond.
#[test]
fn a_run_repeats() {
    let answered = || {
        let lab = Lab::new(7, MIXES[0], None);
        lab.ping(2, 3);
        lab.station(2).host.echoes().iter().map(|echo| echo.answered).collect::<Vec<_>>()
    };
    assert_eq!(answered(), answered());
}
