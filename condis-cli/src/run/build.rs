//! From a lab to nodes on a runtime.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use condis::adapter::AdapterInfo;
use condis::driver::{Bound, Protocol};
use condis::node::Node;
use condis::runtime::{OnTimer, Runtime, Threads};
use condis::status::NdisStatus;
use condis::trace::{Counters, JsonLines};
use condis_link::ethernet::{Ethernet, EthernetSocket, drop_capabilities};
use condis_link::header::EtherType;
use condis_link::memory::{PortOptions, Segment};
use condis_link::tap::{Tap, TapOptions};
use condis_link::{Link, MacAddr};
use condis_wan::pppoe::driver::{EthernetMiniport, PppoeCallManager, PppoeConfig, PppoeCounters, PppoeMcm};

use super::Options;
use super::clock::Clock;
use super::log::Log;
use crate::client::Client;
use crate::client::ledger::Ledger;
use crate::lab::{AdapterPlan, Cut, Lab, LabError, LinkPlan, Manager, NodePlan};

/// A lab that runs.
pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) ledger: Arc<Ledger>,
    pub(super) nodes: Vec<NodeRun>,
    pub(super) segments: Vec<Segment>,
    pub(super) trace: Option<Arc<TraceFile>>,
    cuts: Vec<(usize, Cut)>,
    cutters: Vec<Arc<Cutter>>,
    /// Captures of segments; they end when they are dropped.
    taps: Vec<Arc<Tap>>,
}

pub(super) struct NodeRun {
    pub(super) node: Node,
    pub(super) counters: Arc<Counters>,
    pub(super) log: Arc<Log>,
    pub(super) adapters: Vec<AdapterRun>,
    pub(super) clients: Vec<Client>,
}

pub(super) struct AdapterRun {
    pub(super) name: String,
    pub(super) manager: Manager,
    pub(super) link: Arc<dyn Link>,
    pub(super) counters: PppoeCounters,
}

/// Sockets that were opened while there was the right to.
struct Sockets(Vec<(String, EthernetSocket)>);

impl World {
    /// Makes everything, opens what needs rights first, and gives the rights up. Nobody calls yet.
    pub(super) fn build(lab: &Lab, options: &Options) -> Result<World, LabError> {
        let mut sockets = Sockets::open(lab)?;
        let clock = match options.seed {
            Some(seed) => Clock::Sim(condis::runtime::Sim::new(seed)),
            None => Clock::Threads(Threads::new()),
        };
        let runtime = clock.runtime();
        let taps = Taps::new(options, &runtime)?;
        let mut world = World {
            ledger: Arc::new(Ledger::new(options.talkative)),
            nodes: Vec::new(),
            segments: Vec::new(),
            trace: options.trace.as_deref().map(trace_to).transpose()?,
            cuts: Vec::new(),
            cutters: Vec::new(),
            taps: Vec::new(),
            clock,
        };
        for (index, plan) in lab.segments.iter().enumerate() {
            let segment =
                Segment::new(runtime.clone(), &plan.name, plan.conditions.clone(), runtime.entropy());
            world.taps.extend(taps.on_segment(&segment)?);
            world.cuts.extend(plan.cuts.iter().map(|cut| (index, *cut)));
            world.segments.push(segment);
        }
        for plan in &lab.nodes {
            let node = world.node(plan, &mut sockets, &taps)?;
            world.nodes.push(node);
        }
        Ok(world)
    }

    pub(super) fn clients(&self) -> impl Iterator<Item = &Client> {
        self.nodes.iter().flat_map(|node| &node.clients)
    }

    /// From now on the segments are cut as planned.
    pub(super) fn arm_cuts(&mut self) {
        let runtime = self.clock.runtime();
        for (index, cut) in &self.cuts {
            let lane = runtime.open_lane("cuts");
            let cutter = Arc::new(Cutter(self.segments[*index].clone()));
            let target = Arc::downgrade(&cutter);
            runtime.arm(lane, cut.at, target.clone() as Weak<dyn OnTimer>, CUT);
            runtime.arm(lane, cut.at + cut.span, target as Weak<dyn OnTimer>, MEND);
            self.cutters.push(cutter);
        }
    }

    fn node(&self, plan: &NodePlan, sockets: &mut Sockets, taps: &Taps<'_>) -> Result<NodeRun, LabError> {
        let runtime = self.clock.runtime();
        let node = Node::new(&plan.name, runtime.clone());
        let counters = Arc::new(Counters::default());
        let log = Arc::new(Log::default());
        node.listen(counters.clone());
        node.listen(log.clone());
        if let Some(trace) = &self.trace {
            node.listen(trace.clone());
        }
        let clients: Vec<_> = plan
            .clients
            .iter()
            .map(|client| {
                Client::new(&plan.name, client.clone(), self.ledger.clone(), runtime.clone(), node.lane())
            })
            .collect();
        for client in &clients {
            node.register_protocol(&client.name(), client.clone());
        }
        let adapters = plan
            .adapters
            .iter()
            .map(|adapter| {
                let link = self.link(plan, adapter, sockets, taps)?;
                add_adapter(&node, adapter, link).map_err(|status| {
                    LabError::new(format!("adapter {} of node {}: {status}", adapter.name, plan.name))
                })
            })
            .collect::<Result<_, LabError>>()?;
        Ok(NodeRun { node, counters, log, adapters, clients })
    }

    fn link(
        &self,
        node: &NodePlan,
        plan: &AdapterPlan,
        sockets: &mut Sockets,
        taps: &Taps<'_>,
    ) -> Result<Arc<dyn Link>, LabError> {
        match (&plan.link, &self.clock) {
            (LinkPlan::Segment { segment, address }, _) => {
                let port = self.segments[*segment].attach(*address);
                port.map(|port| port as Arc<dyn Link>).map_err(|error| {
                    LabError::new(format!("adapter {} of node {}: {error}", plan.name, node.name))
                })
            }
            (LinkPlan::Ethernet { interface, .. }, Clock::Threads(threads)) => {
                let socket = sockets.take(interface);
                let link = Ethernet::start(socket, threads)
                    .map_err(|error| LabError::new(format!("cannot start the link {interface}: {error}")))?;
                taps.on_link(interface, link)
            }
            (LinkPlan::Ethernet { interface, .. }, Clock::Sim(_)) => {
                Err(LabError::new(format!("interface {interface} is real, and the lab is simulated")))
            }
        }
    }
}

impl Sockets {
    fn open(lab: &Lab) -> Result<Sockets, LabError> {
        let mut sockets = Vec::new();
        for adapter in lab.nodes.iter().flat_map(|node| &node.adapters) {
            if let LinkPlan::Ethernet { interface, at } = &adapter.link {
                let ethertypes = [EtherType::PPPOE_DISCOVERY, EtherType::PPPOE_SESSION];
                let socket = EthernetSocket::open(interface, &ethertypes).map_err(|error| {
                    let (what, advice) = split_advice(&error.to_string());
                    LabError::new(what).at(&lab.source, at.clone(), "this interface").help(advice)
                })?;
                sockets.push((interface.clone(), socket));
            }
        }
        if !sockets.is_empty() {
            drop_capabilities().map_err(|error| LabError::new(error.to_string()))?;
        }
        Ok(Sockets(sockets))
    }

    fn take(&mut self, interface: &str) -> EthernetSocket {
        let at = self.0.iter().position(|(name, _)| name == interface);
        self.0.swap_remove(at.expect("every interface of the lab was opened once")).1
    }
}

/// The errors of opening say what is wrong and, after a semicolon, what to do.
pub(crate) fn split_advice(text: &str) -> (String, String) {
    match text.split_once("; ") {
        Some((what, advice)) => (what.to_owned(), advice.to_owned()),
        None => (text.to_owned(), "the system refused for a reason of its own".to_owned()),
    }
}

fn add_adapter(node: &Node, plan: &AdapterPlan, link: Arc<dyn Link>) -> Result<AdapterRun, NdisStatus> {
    let config = match &plan.concentrator {
        Some(name) => PppoeConfig::concentrator(name),
        None => PppoeConfig::default(),
    };
    let counters = match plan.manager {
        Manager::CallManager => {
            let manager = PppoeCallManager::new(config);
            let counters = manager.counters();
            let adapter = plan.name.clone();
            node.register_protocol("pppoe-call-manager", OnAdapter { adapter, protocol: manager });
            node.add_miniport(&plan.name, EthernetMiniport::new(link.clone()))?;
            counters
        }
        Manager::Mcm => {
            let mcm = PppoeMcm::new(link.clone(), config);
            let counters = mcm.counters();
            node.add_mcm(&plan.name, mcm)?;
            counters
        }
    };
    Ok(AdapterRun { name: plan.name.clone(), manager: plan.manager, link, counters })
}

/// Binds a protocol to one adapter only, as an administrator would.
struct OnAdapter<P> {
    adapter: String,
    protocol: P,
}

impl<P: Protocol> Protocol for OnAdapter<P> {
    fn bind(&self, adapter: &AdapterInfo) -> Result<Bound, NdisStatus> {
        if adapter.name != self.adapter {
            return Err(NdisStatus::NOT_SUPPORTED);
        }
        self.protocol.bind(adapter)
    }

    fn media(&self) -> Option<&[condis::driver::Medium]> {
        self.protocol.media()
    }
}

/// A file for crossings, as lines of JSON.
pub(crate) type TraceFile = JsonLines<BufWriter<File>>;

pub(crate) fn trace_to(path: &Path) -> Result<Arc<TraceFile>, LabError> {
    match File::create(path) {
        Ok(file) => Ok(Arc::new(JsonLines::new(BufWriter::new(file)))),
        Err(error) => Err(LabError::new(format!("cannot write the trace to {}: {error}", path.display()))),
    }
}

/// Where captures go.
struct Taps<'a> {
    directory: Option<&'a Path>,
    runtime: Arc<dyn Runtime>,
    epoch: Duration,
}

impl<'a> Taps<'a> {
    fn new(options: &'a Options, runtime: &Arc<dyn Runtime>) -> Result<Taps<'a>, LabError> {
        let directory = options.pcap.as_deref();
        if let Some(directory) = directory {
            fs::create_dir_all(directory).map_err(|error| {
                LabError::new(format!("cannot make the directory {}: {error}", directory.display()))
            })?;
        }
        Ok(Taps {
            directory,
            runtime: runtime.clone(),
            epoch: if options.seed.is_some() { Duration::ZERO } else { wall_clock() },
        })
    }

    /// Captures what arrives anywhere on a segment, as a station that hears all of it.
    fn on_segment(&self, segment: &Segment) -> Result<Option<Arc<Tap>>, LabError> {
        if self.directory.is_none() {
            return Ok(None);
        }
        let options = PortOptions {
            address: MacAddr::local(CAPTURE_STATION),
            mtu_octets: usize::from(u16::MAX),
            promiscuous: true,
        };
        let port = segment.attach_with(options).map_err(|error| LabError::new(error.to_string()))?;
        self.create(segment.name(), port)
    }

    fn on_link(&self, name: &str, link: Arc<Ethernet>) -> Result<Arc<dyn Link>, LabError> {
        Ok(match self.create(name, link.clone())? {
            Some(tap) => tap,
            None => link,
        })
    }

    fn create(&self, name: &str, link: Arc<dyn Link>) -> Result<Option<Arc<Tap>>, LabError> {
        let Some(directory) = self.directory else { return Ok(None) };
        let path = directory.join(format!("{}.pcapng", name.replace(['/', '\0'], "_")));
        let options = TapOptions { epoch: self.epoch, ..TapOptions::default() };
        Tap::create(link, self.runtime.clone(), &path, options)
            .map(Some)
            .map_err(|error| LabError::new(format!("{}: {error}", path.display())))
    }
}

#[expect(clippy::disallowed_methods, reason = "a capture shows the time on the wall")]
pub(crate) fn wall_clock() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Cuts a segment when a timer says so.
struct Cutter(Segment);

impl OnTimer for Cutter {
    fn on_timer(&self, token: u64) {
        if token == CUT { self.0.cut() } else { self.0.mend() }
    }
}

const CUT: u64 = 0;
const MEND: u64 = 1;

/// An address that no adapter of a lab is given.
const CAPTURE_STATION: u32 = 0xffff_ffff;
