//! From a lab to nodes and switches on a runtime.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::{Arc, Weak};

use condis::adapter::AdapterInfo;
use condis::driver::{Bound, Protocol};
use condis::node::Node;
use condis::params::AddressFamily;
use condis::runtime::{OnTimer, Threads};
use condis::status::NdisStatus;
use condis::trace::{Counters, JsonLines};
use condis_atm::driver::{
    AtmConfig, AtmConnections, AtmCounters, AtmMcm, AtmMiniport, SignalingCounters, UniCallManager,
};
use condis_atm::uni::{Side, UniConfig};
use condis_link::Link;
use condis_link::atm::{AtmLink, Fibre};
use condis_link::memory::Segment;
use condis_link::tap::Tap;
use condis_wan::pppoe::driver::{EthernetMiniport, PppoeCallManager, PppoeConfig, PppoeCounters, PppoeMcm};

use super::Options;
use super::clock::Clock;
use super::ip::IpRun;
use super::lines::{self, FibreRun, Line, OpenedLines, Say, Taps};
use super::log::Log;
use super::switches::SwitchRun;
use crate::client::Client;
use crate::client::OVERHEAD_OCTETS;
use crate::client::ledger::Ledger;
use crate::lab::{AdapterPlan, AtmPlan, Cut, Lab, LabError, LinkPlan, Manager, Network, NodePlan};

/// A lab that runs.
pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) ledger: Arc<Ledger>,
    pub(super) nodes: Vec<NodeRun>,
    pub(super) segments: Vec<Segment>,
    pub(super) fibres: Vec<FibreRun>,
    pub(super) switches: Vec<SwitchRun>,
    pub(super) trace: Option<Arc<TraceFile>>,
    cuts: Vec<(Cuttable, Cut)>,
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
    pub(super) ips: Vec<IpRun>,
}

pub(super) struct AdapterRun {
    pub(super) name: String,
    pub(super) manager: Manager,
    pub(super) line: Line,
    pub(super) counters: AdapterCounters,
    /// Which virtual connections its VCs are.
    pub(super) connections: Option<AtmConnections>,
}

/// What the drivers of an adapter count.
pub(super) enum AdapterCounters {
    Pppoe(PppoeCounters),
    Atm(SignalingCounters, AtmCounters),
}

impl AdapterCounters {
    pub(super) fn by_name(&self) -> std::collections::BTreeMap<String, u64> {
        match self {
            AdapterCounters::Pppoe(counters) => counters.by_name(),
            AdapterCounters::Atm(signaling, path) => {
                let path = path.by_name().into_iter().map(|(name, count)| (format!("path.{name}"), count));
                signaling.by_name().into_iter().chain(path).collect()
            }
        }
    }
}

/// What stays the same while a lab is built.
struct Site<'a> {
    options: &'a Options,
    taps: Taps<'a>,
    say: Say,
    sdu_octets_max: usize,
}

impl World {
    /// Makes everything, opens what needs rights first, and gives the rights up. Nobody calls yet.
    pub(super) fn build(lab: &Lab, options: &Options) -> Result<World, LabError> {
        let mut opened = OpenedLines::open(lab)?;
        let clock = match options.seed {
            Some(seed) => Clock::Sim(condis::runtime::Sim::new(seed)),
            None => Clock::Threads(Threads::new()),
        };
        let runtime = clock.runtime();
        let calls = lab.nodes.iter().flat_map(|node| &node.clients).flat_map(|client| &client.calls);
        let longest = calls.map(|call| call.frame_octets + OVERHEAD_OCTETS).max().unwrap_or(0);
        let talkative = options.talkative;
        let site = Site {
            options,
            taps: Taps::new(options, &clock)?,
            say: Arc::new(move |what| {
                if talkative {
                    crate::say(what);
                }
            }),
            sdu_octets_max: longest.max(SDU_OCTETS_MIN),
        };
        let mut world = World {
            ledger: Arc::new(Ledger::new(options.talkative)),
            nodes: Vec::new(),
            segments: Vec::new(),
            fibres: Vec::new(),
            switches: Vec::new(),
            trace: options.trace.as_deref().map(trace_to).transpose()?,
            cuts: Vec::new(),
            cutters: Vec::new(),
            taps: Vec::new(),
            clock,
        };
        for plan in &lab.segments {
            let segment =
                Segment::new(runtime.clone(), &plan.name, plan.conditions.clone(), runtime.entropy());
            world.taps.extend(site.taps.on_segment(&segment)?);
            world.cuts.extend(plan.cuts.iter().map(|cut| (Cuttable::Segment(segment.clone()), *cut)));
            world.segments.push(segment);
        }
        for plan in &lab.fibres {
            let (fibre, ends) =
                Fibre::new(runtime.clone(), &plan.name, plan.conditions.clone(), runtime.entropy());
            world.cuts.extend(plan.cuts.iter().map(|cut| (Cuttable::Fibre(fibre.clone()), *cut)));
            world.fibres.push(FibreRun::new(fibre, ends, &site.taps)?);
        }
        for plan in &lab.switches {
            let switch = SwitchRun::new(plan, &runtime);
            for port in &plan.ports {
                match (&port.link, &world.clock) {
                    (LinkPlan::AtmTcp { listen: true, .. }, Clock::Threads(threads)) => {
                        let opened = opened.take(&port.link).ok_or_else(|| not_opened(&port.link))?;
                        switch.serve(port, opened, threads, &site.say)?;
                    }
                    _ => {
                        let line = world.line(&port.name, &port.link, &mut opened, &site)?;
                        switch.add_port(port, atm_of(line)?)?;
                    }
                }
            }
            switch.add_pvcs(plan)?;
            world.switches.push(switch);
        }
        for plan in &lab.nodes {
            let node = world.node(plan, &mut opened, &site)?;
            world.nodes.push(node);
        }
        Ok(world)
    }

    pub(super) fn clients(&self) -> impl Iterator<Item = &Client> {
        self.nodes.iter().flat_map(|node| &node.clients)
    }

    pub(super) fn ips(&self) -> impl Iterator<Item = &IpRun> {
        self.nodes.iter().flat_map(|node| &node.ips)
    }

    /// From now on the segments are cut as planned.
    pub(super) fn arm_cuts(&mut self) {
        let runtime = self.clock.runtime();
        for (what, cut) in &self.cuts {
            let lane = runtime.open_lane("cuts");
            let cutter = Arc::new(Cutter(what.clone()));
            let target = Arc::downgrade(&cutter);
            runtime.arm(lane, cut.at, target.clone() as Weak<dyn OnTimer>, CUT);
            runtime.arm(lane, cut.at + cut.span, target as Weak<dyn OnTimer>, MEND);
            self.cutters.push(cutter);
        }
    }

    fn node(&self, plan: &NodePlan, opened: &mut OpenedLines, site: &Site<'_>) -> Result<NodeRun, LabError> {
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
                let adapter = plan.adapters.iter().find(|adapter| adapter.name == client.adapter);
                let family = match adapter.map(|adapter| &adapter.network) {
                    Some(Network::Atm(_)) => AddressFamily::Q2931,
                    _ => AddressFamily::PPP,
                };
                let at = (runtime.clone(), node.lane());
                let ledger = self.ledger.clone();
                Client::new(&plan.name, (client.clone(), family), ledger, at, site.sdu_octets_max)
            })
            .collect();
        for client in &clients {
            node.register_protocol(&client.name(), client.clone());
        }
        let ips = plan.ips.iter();
        let ips = ips
            .map(|ip| IpRun::new(ip, &node, &self.clock, &mut opened.tuns, &self.ledger))
            .collect::<Result<_, _>>()?;
        let adapters = plan
            .adapters
            .iter()
            .map(|adapter| {
                let line = self.line(&plan.name, &adapter.link, opened, site)?;
                add_adapter(&node, adapter, line).map_err(|status| {
                    LabError::new(format!("adapter {} of node {}: {status}", adapter.name, plan.name))
                })
            })
            .collect::<Result<_, LabError>>()?;
        Ok(NodeRun { node, counters, log, adapters, clients, ips })
    }

    /// The line that an adapter or a port is on.
    fn line(
        &self,
        owner: &str,
        link: &LinkPlan,
        opened: &mut OpenedLines,
        site: &Site<'_>,
    ) -> Result<Line, LabError> {
        match (link, &self.clock) {
            (LinkPlan::Segment { segment, address }, _) => {
                let port = self.segments[*segment].attach(*address);
                port.map(|port| Line::Ethernet(port as Arc<dyn Link>))
                    .map_err(|error| LabError::new(format!("{owner}: {error}")))
            }
            (LinkPlan::Fibre { fibre, end }, _) => Ok(Line::Atm(self.fibres[*fibre].end(*end))),
            (link, Clock::Threads(threads)) => {
                let found = opened.take(link).ok_or_else(|| not_opened(link))?;
                let line = lines::start(found, threads, &site.say, &site.options.stop)?;
                let line = line.ok_or_else(|| LabError::new("stopped before a line came"))?;
                let name = line.name().to_owned();
                site.taps.on_line(&name, line)
            }
            (_, Clock::Sim(_)) => {
                Err(LabError::new(format!("{owner} is on a real line, and the lab is simulated")))
            }
        }
    }
}

fn not_opened(link: &LinkPlan) -> LabError {
    LabError::new(format!("the line {link:?} was not opened"))
}

fn atm_of(line: Line) -> Result<Arc<dyn AtmLink>, LabError> {
    match line {
        Line::Atm(link) => Ok(link),
        Line::Ethernet(link) => Err(LabError::new(format!("{} is no line of ATM", link.name()))),
    }
}

fn add_adapter(node: &Node, plan: &AdapterPlan, line: Line) -> Result<AdapterRun, NdisStatus> {
    let (counters, connections) = match (&plan.network, &line) {
        (Network::Pppoe { concentrator }, Line::Ethernet(link)) => {
            (add_pppoe(node, plan, concentrator.as_deref(), link)?, None)
        }
        (Network::Atm(atm), Line::Atm(link)) => {
            let (counters, connections) = add_atm(node, plan, atm, link)?;
            (counters, Some(connections))
        }
        _ => return Err(NdisStatus::UNSUPPORTED_MEDIA),
    };
    Ok(AdapterRun { name: plan.name.clone(), manager: plan.manager, line, counters, connections })
}

fn add_pppoe(
    node: &Node,
    plan: &AdapterPlan,
    concentrator: Option<&str>,
    link: &Arc<dyn Link>,
) -> Result<AdapterCounters, NdisStatus> {
    let config = match concentrator {
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
    Ok(AdapterCounters::Pppoe(counters))
}

fn add_atm(
    node: &Node,
    plan: &AdapterPlan,
    atm: &AtmPlan,
    link: &Arc<dyn AtmLink>,
) -> Result<(AdapterCounters, AtmConnections), NdisStatus> {
    let mut uni = UniConfig::new(Side::User, atm.version);
    uni.addresses.ilmi = atm.ilmi;
    uni.addresses.fixed.clone_from(&atm.addresses);
    let config = AtmConfig { uni, ..AtmConfig::new(atm.version) };
    match plan.manager {
        Manager::CallManager => {
            let manager = UniCallManager::new(config);
            let counters = manager.counters();
            let adapter = plan.name.clone();
            node.register_protocol("uni-call-manager", OnAdapter { adapter, protocol: manager });
            let miniport = AtmMiniport::new(link.clone(), atm.esi);
            let (path, connections) = (miniport.counters(), miniport.connections());
            node.add_miniport(&plan.name, miniport)?;
            Ok((AdapterCounters::Atm(counters, path), connections))
        }
        Manager::Mcm => {
            let mcm = AtmMcm::new(link.clone(), atm.esi, config);
            let (counters, path, connections) = (mcm.counters(), mcm.path_counters(), mcm.connections());
            node.add_mcm(&plan.name, mcm)?;
            Ok((AdapterCounters::Atm(counters, path), connections))
        }
    }
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

/// What can be cut.
#[derive(Clone)]
enum Cuttable {
    Segment(Segment),
    Fibre(Fibre),
}

/// Cuts a line when a timer says so.
struct Cutter(Cuttable);

impl OnTimer for Cutter {
    fn on_timer(&self, token: u64) {
        match (&self.0, token) {
            (Cuttable::Segment(segment), CUT) => segment.cut(),
            (Cuttable::Segment(segment), _) => segment.mend(),
            (Cuttable::Fibre(fibre), CUT) => fibre.cut(),
            (Cuttable::Fibre(fibre), _) => fibre.mend(),
        }
    }
}

const CUT: u64 = 0;
const MEND: u64 = 1;

/// What a client of a lab with small frames still takes.
const SDU_OCTETS_MIN: usize = 9188;
