//! One node with one adapter, in one of the two kinds, and what is asserted of it in the end.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use condis::adapter::AdapterControl;
use condis::names::Function;
use condis::node::Node;
use condis::role::RoleKind;
use condis::runtime::{Ran, Runtime, Sim, Threads};
use condis::trace::{Event, ObjectId, Ring, Way};

use super::client::{Client, End, Entry};
use super::manager::{Net, TestCallManager, TestMcm};
use super::{Kind, Kit, Mix, Reply, Status};

/// Time, and how to let it pass.
#[derive(Clone)]
pub enum Clock {
    Sim(Arc<Sim>),
    Threads(Arc<Threads>),
}

pub struct World {
    pub kind: Kind,
    pub kit: Arc<Kit>,
    pub clock: Clock,
    pub node: Node,
    pub ring: Arc<Ring>,
    pub net: Arc<dyn Net>,
    pub client: Arc<Client>,
    pub adapter: AdapterControl,
    /// Rules whose report the scenario provokes.
    pub expected: Vec<&'static str>,
}

/// What a client saw: each crossing of the boundary at its side, and its own log.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    pub crossings: Vec<String>,
    pub log: Vec<Entry>,
}

impl World {
    /// A world that runs, whose client has the address family open and no SAP.
    pub fn new(kind: Kind, mix: Mix) -> World {
        World::with(kind, mix, |_| ())
    }

    /// As [`World::new`], with a script from before the drivers are there.
    pub fn with(kind: Kind, mix: Mix, script: impl FnOnce(&Kit)) -> World {
        World::on(kind, mix, Clock::Sim(Sim::new(1)), script)
    }

    pub fn on(kind: Kind, mix: Mix, clock: Clock, script: impl FnOnce(&Kit)) -> World {
        let runtime: Arc<dyn Runtime> = match &clock {
            Clock::Sim(sim) => sim.clone(),
            Clock::Threads(threads) => threads.clone(),
        };
        let kit = Kit::new(runtime.clone(), mix);
        script(&kit);
        let node = Node::new("node", runtime);
        let ring = Arc::new(Ring::new(if kit.flag("no_trace") { 0 } else { 100_000 }));
        if !kit.flag("no_trace") {
            node.listen(ring.clone());
        }
        let client = Client::new(&kit, "client");
        let (net, adapter): (Arc<dyn Net>, AdapterControl) = match kind {
            Kind::CallManager => {
                let manager = TestCallManager::new(&kit);
                node.register_protocol("call manager", manager.clone());
                node.register_protocol("client", End(client.clone()));
                let adapter = node.add_miniport("adapter", manager.miniport()).expect("it initializes");
                (manager.0, adapter)
            }
            Kind::Mcm => {
                let manager = TestMcm::new(&kit);
                node.register_protocol("client", End(client.clone()));
                let adapter = node.add_mcm("adapter", manager.clone()).expect("it initializes");
                (manager.0, adapter)
            }
        };
        let world = World { kind, kit, clock, node, ring, net, client, adapter, expected: Vec::new() };
        world.run();
        world
    }

    /// Lets everything happen that is due.
    pub fn run(&self) {
        match &self.clock {
            Clock::Sim(sim) => assert_eq!(sim.run_until_idle(Duration::from_secs(60)), Ran::Idle),
            Clock::Threads(threads) => {
                // A lane may be given work by another one that is asked later, so ask until nothing was.
                for _ in 0..3 {
                    assert!(threads.wait_idle(Duration::from_secs(60)), "the threads come to rest");
                }
            }
        }
    }

    pub fn set(&self, name: &'static str, reply: Reply) {
        self.kit.set(name, reply);
    }

    pub fn raise(&self, name: &'static str) {
        self.kit.raise(name);
    }

    /// A client VC, created.
    pub fn vc(&self) -> usize {
        self.client.create_vc().expect("every driver agrees")
    }

    /// A call that is up, made by the client.
    pub fn call_out(&self) -> usize {
        let vc = self.vc();
        assert_eq!(self.client.make_call(vc), Status::PENDING);
        self.run();
        assert_eq!(self.client.call(vc), condis::vc::Call::Connected);
        vc
    }

    /// A SAP.
    pub fn sap(&self) -> usize {
        let saps = self.net.saps();
        assert_eq!(self.client.register_sap(format!("sap {saps}").as_bytes()), Status::SUCCESS);
        saps
    }

    /// A call that is up, offered on the SAP: its leg, and the client's VC.
    pub fn call_in(&self, sap: usize) -> (usize, usize) {
        let vc = self.client.vcs();
        let leg = self.net.offer(sap).expect("the VC is made");
        self.run();
        assert_eq!(self.client.call(vc), condis::vc::Call::Connected);
        (leg, vc)
    }

    /// Puts NBLs where the mix wants them, on a call that is up.
    pub fn fill(&self, vc: usize, leg: usize) {
        if self.kit.mix.keeps_sends() {
            self.raise("keep_sends");
            self.client.send(vc, 3);
        }
        if self.kit.mix.keeps_receives() {
            self.raise("keep_receives");
            self.net.receive(leg, 2);
            assert_eq!(self.client.kept(), 2);
        }
    }

    pub fn close(&self, vc: usize) {
        assert_eq!(self.client.close_call(vc), Status::PENDING);
        self.run();
    }

    /// True if `function` crossed, in this way, at a driver of this role.
    pub fn crossed(&self, role: RoleKind, way: Way, function: Function) -> usize {
        let same = |event: &&Event| event.role == role && event.way == way && event.function == function;
        self.ring.events().iter().filter(same).count()
    }

    pub fn events(&self) -> Vec<Event> {
        self.ring.events()
    }

    /// The crossings since the last look, as `function` names with the driver's role and the way.
    pub fn take_events(&self) -> Vec<Event> {
        let events = self.ring.events();
        let reports = self.ring.reports();
        self.ring.clear();
        for report in reports {
            use condis::trace::Sink;
            self.ring.report(&report);
        }
        events
    }

    /// Removes the adapter.
    pub fn remove(&self) {
        self.adapter.remove(|| ());
        self.run();
    }

    /// Removes the adapter, and looks that nothing is left of anything.
    pub fn end(self) -> Seen {
        self.client.return_kept();
        self.remove();
        self.check()
    }

    /// After the adapter has gone: nothing is left of anything.
    pub fn check(self) -> Seen {
        let seen = self.seen();
        let pended = self.node.pended();
        assert!(pended.is_empty(), "{pended:?}");
        assert!(self.node.adapters().is_empty(), "the adapter is gone");
        self.client.forget();
        self.net.forget();
        self.run();
        let left = self.node.left();
        assert!(left.is_nothing(), "{:?} leaves {left}", self.kind);
        let kit = &self.kit;
        assert_eq!(kit.sent.load(SeqCst), kit.completed.load(SeqCst), "every send came back");
        assert_eq!(kit.indicated.load(SeqCst), kit.returned.load(SeqCst), "every receive was returned");
        assert_eq!((self.client.pool.outstanding(), self.net.outstanding()), (0, 0));
        let reports: Vec<_> =
            self.ring.reports().into_iter().filter(|report| !self.expected.contains(&report.rule)).collect();
        assert!(reports.is_empty(), "{:?}: {reports:#?}", self.kind);
        for rule in &self.expected {
            assert!(self.ring.reports().iter().any(|report| report.rule == *rule), "{rule} is reported");
        }
        self.keeps_its_signaling_to_itself();
        seen
    }

    fn seen(&self) -> Seen {
        let mut vcs = Vec::new();
        let mut crossings = Vec::new();
        for event in self.ring.events() {
            if event.role != RoleKind::Client || &*event.driver != "client" {
                continue;
            }
            let vc = match event.object {
                ObjectId::Vc(id) => {
                    let number = vcs.iter().position(|other| *other == id).unwrap_or_else(|| {
                        vcs.push(id);
                        vcs.len() - 1
                    });
                    format!(" vc{number}")
                }
                _ => String::new(),
            };
            let way = match event.way {
                Way::Down => "->".to_owned(),
                Way::Up => "<-".to_owned(),
                Way::Returned(status) => format!("=> {status} of"),
            };
            crossings.push(format!("{way} {}{vc}", event.function));
        }
        Seen { crossings, log: self.client.log() }
    }

    /// CO-086, CO-005, CO-059, CO-080, CO-081, CO-091: what an MCM calls, and what is called of it.
    fn keeps_its_signaling_to_itself(&self) {
        use Function as F;
        if self.kind != Kind::Mcm {
            return;
        }
        let never = [
            F::NdisCoCreateVc,
            F::NdisCoDeleteVc,
            F::NdisCoSendNetBufferLists,
            F::NdisCoOidRequest,
            F::NdisCoOidRequestComplete,
            F::NdisCoAssignInstanceName,
            F::NdisCmActivateVc,
            F::NdisCmDeactivateVc,
            F::MiniportCoCreateVc,
            F::MiniportCoDeleteVc,
            F::MiniportCoActivateVc,
            F::MiniportCoDeactivateVc,
            F::ProtocolCmActivateVcComplete,
            F::ProtocolCmDeactivateVcComplete,
        ];
        for event in self.ring.events() {
            let crossing = event.crossing();
            let mcm = crossing.role == RoleKind::Mcm;
            assert!(mcm || crossing.role == RoleKind::Client, "there are no others: {crossing}");
            assert!(!(mcm && never.contains(&event.function)), "{crossing}");
            if !matches!(event.way, Way::Returned(_)) {
                assert_eq!(crossing.caller() == "NDIS", event.function.is_callback(), "{crossing}");
                assert_ne!(crossing.caller(), crossing.callee());
            }
        }
    }
}

/// Runs a scenario in both worlds, and compares what the client saw.
pub fn both(mix: Mix, scenario: impl Fn(World) -> Seen) {
    both_with(mix, |_| (), scenario);
}

pub fn both_with(mix: Mix, script: impl Fn(&Kit), scenario: impl Fn(World) -> Seen) {
    // CO-213
    let over_cm = scenario(World::with(Kind::CallManager, mix, &script));
    let over_mcm = scenario(World::with(Kind::Mcm, mix, &script));
    assert_eq!(over_cm.log, over_mcm.log, "{mix:?}: the client heard the same");
    assert_eq!(over_cm.crossings, over_mcm.crossings, "{mix:?}: the client crossed the same");
}

/// Runs a scenario in both worlds and in every mix.
pub fn everywhere(scenario: impl Fn(World) -> Seen) {
    Mix::all().for_each(|mix| both(mix, &scenario));
}

/// Runs a test in both worlds, without comparing.
pub fn each(scenario: impl Fn(World)) {
    for kind in [Kind::CallManager, Kind::Mcm] {
        scenario(World::new(kind, Mix::PLAIN));
    }
}
