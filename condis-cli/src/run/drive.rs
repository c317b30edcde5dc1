//! Leads the clients of a lab through it: up, calls, a look at what NDIS sees, down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use condis::runtime::Time;
use condis_link::atm::AtmLink;
use condis_link::counters::Counters;

use super::Options;
use super::build::{NodeRun, World};
use super::chart::Chart;
use super::clock::Clock;
use super::ip::{IpRun, ask_all};
use super::report::{AdapterReport, LinkReport, NodeReport, Report, SwitchReport, VcSeen};
use crate::client::Client;
use crate::client::ledger::{Ending, Stage};
use crate::lab::{Lab, LabError, LinkPlan};

/// Runs a lab to its end.
///
/// # Errors
/// It cannot be started. What goes wrong later stands in the report.
pub fn run(lab: &Lab, options: &Options) -> Result<Report, LabError> {
    if options.seed.is_some() {
        may_be_simulated(lab, options)?;
    }
    let mut run = Run {
        world: World::build(lab, options)?,
        lab,
        options,
        problems: Vec::new(),
        switches: Vec::new(),
        vcs: Vec::new(),
    };
    if run.comes_up() {
        if lab.serves() {
            run.serve();
        } else {
            run.calls();
        }
    }
    run.come_down();
    Ok(run.report())
}

fn may_be_simulated(lab: &Lab, options: &Options) -> Result<(), LabError> {
    if let Some((who, link)) = lab.real_link()
        && let Some(at) = link.place()
    {
        let (what, instead) = match link {
            LinkPlan::Ethernet { interface, .. } => {
                (format!("the real interface {interface}"), "attach the adapter to a [segment.NAME]")
            }
            _ => ("a real line".to_owned(), "attach it to a [fibre.NAME]"),
        };
        return Err(LabError::new(format!("{who} is on {what}, so the lab cannot be simulated"))
            .at(&lab.source, at.clone(), "real: its time is not ours")
            .help(format!("run it without --sim, or {instead}")));
    }
    if let Some((who, tun, at)) = lab.tun() {
        return Err(LabError::new(format!("{who} has the TUN device {tun}, so the lab cannot be simulated"))
            .at(&lab.source, at.clone(), "real: its time is not ours")
            .help("run it without --sim, or leave `tun` out: the host is then in memory"));
    }
    if lab.serves() && options.limit.is_none() {
        return Err(LabError::new("nobody makes a call in this lab, and in simulation nobody else can")
            .help("say for how long it is to be simulated, such as --for 10s"));
    }
    Ok(())
}

struct Run<'a> {
    world: World,
    lab: &'a Lab,
    options: &'a Options,
    problems: Vec<String>,
    switches: Vec<SwitchReport>,
    /// Per node, its VCs while calls were up.
    vcs: Vec<Vec<VcSeen>>,
}

impl Run<'_> {
    /// Waits until every client has its address family and its SAPs, and every IP client its server.
    fn comes_up(&mut self) -> bool {
        let clients = self.clients();
        let ips = self.ips();
        let settled = || {
            clients.iter().all(|client| client.is_ready() || client.problem().is_some())
                && ips.iter().all(|ip| ip.client().is_ready())
        };
        let stop = &self.options.stop;
        let limit = if self.lab.real_link().is_some() { UP_MAX_REAL } else { UP_MAX };
        self.world.clock.wait(&self.world.ledger, stop, limit, settled);
        for client in clients.iter().filter(|client| !client.is_ready()) {
            let why = client.problem();
            let why = why.unwrap_or_else(|| client.waits_for().to_owned());
            self.problems.push(format!("{} is not ready: {why}", client.name()));
        }
        for ip in ips.iter().filter(|ip| !ip.client().is_ready()) {
            self.problems.push(format!("{} is not ready: {}", ip.name(), ip.waits_for()));
        }
        self.problems.is_empty() && !self.stopped()
    }

    /// Makes all calls, looks at the VCs while they are up, and lets them be closed.
    fn calls(&mut self) {
        let limit = self.options.limit.unwrap_or(CALLS_MAX);
        let end = self.now().after(limit);
        self.world.arm_cuts();
        self.pings(end);
        // One client after the other, so that the crossings of each stand together.
        for client in self.clients() {
            client.start();
            let (_, at_once) = client.planned();
            self.wait_until(end, || client.made(Stage::Ready) >= at_once);
        }
        self.look();
        for client in self.clients() {
            client.release();
        }
        let clients = self.clients();
        let all_over = || clients.iter().all(|client| client.made(Stage::Over) >= client.planned().0);
        if !self.wait_until(end, all_over) {
            let why = if self.stopped() { "it was stopped" } else { "the time was up" };
            self.problems.push(format!("not all calls were made: {why}"));
            return;
        }
        let ledger = self.world.ledger.clone();
        let end = self.now().after(ANSWERED_MAX);
        if !self.wait_until(end, || ledger.alive() == 0) {
            let alive = ledger.calls().into_iter().filter(|call| call.stage != Stage::Over);
            self.problems.extend(alive.map(|call| {
                format!("{}/{} took call {} and never heard its end", call.node, call.client, call.number)
            }));
        }
    }

    /// Has the hosts of IP clients ask what they are to ask.
    fn pings(&mut self, end: Time) {
        let asked = ask_all(&self.ips(), &self.options.stop, |timeout, done| {
            let limit = timeout.min(end.since(self.now()));
            self.world.clock.wait(&self.world.ledger, &self.options.stop, limit, done)
        });
        if !asked {
            self.problems.push("not all hosts have asked: it was stopped".to_owned());
        }
    }

    /// Runs until it is stopped, or the time is up.
    fn serve(&mut self) {
        self.world.arm_cuts();
        let end = self.now().after(self.options.limit.unwrap_or(Duration::MAX));
        if self.options.talkative {
            let how = if self.options.limit.is_some() { "for the time given" } else { "until Ctrl-C" };
            for node in &self.lab.nodes {
                for client in node.clients.iter().filter(|client| !client.offers.is_empty()) {
                    let offers: Vec<_> = client.offers.iter().map(|offer| offer.name()).collect();
                    let offers = offers.join("\", \"");
                    crate::say(format_args!("{}/{} serves \"{offers}\" {how}", node.name, client.name));
                }
            }
            for ip in self.world.ips() {
                eprintln!("{} serves {} {how}", ip.name(), ip.serves());
            }
        }
        self.wait_until(end, || false);
        self.look();
    }

    /// Closes everything in order: calls, SAPs, address families; then the adapters.
    fn come_down(&mut self) {
        if self.vcs.is_empty() {
            self.look();
        }
        let clients = self.clients();
        clients.iter().for_each(Client::stop);
        let ips = self.ips();
        ips.iter().for_each(|ip| ip.client().stop());
        let never = AtomicBool::new(false);
        let stopped =
            || clients.iter().all(Client::is_stopped) && ips.iter().all(|ip| ip.client().is_stopped());
        if !self.world.clock.wait(&self.world.ledger, &never, DOWN_MAX, stopped) {
            for client in clients.iter().filter(|client| !client.is_stopped()) {
                self.problems.push(format!("{} did not come to its end", client.name()));
            }
            for ip in ips.iter().filter(|ip| !ip.client().is_stopped()) {
                self.problems.push(format!("{} did not come to its end", ip.name()));
            }
        }
        if !ips.is_empty() {
            self.switches_hear();
        }
        let left = Arc::new(AtomicUsize::new(self.world.nodes.len()));
        for node in &self.world.nodes {
            let (left, ledger) = (left.clone(), self.world.ledger.clone());
            node.node.shutdown(move || {
                left.fetch_sub(1, SeqCst);
                ledger.touch();
            });
        }
        if !self.world.clock.wait(&self.world.ledger, &never, DOWN_MAX, || left.load(SeqCst) == 0) {
            for pended in self.world.nodes.iter().flat_map(|node| node.node.pended()) {
                self.problems.push(format!("an adapter could not be removed: {pended}"));
            }
            self.problems.push("not every adapter was removed in time".to_owned());
        }
        for run in &self.world.switches {
            for call in run.switch.calls() {
                self.problems.push(format!("switch {} still has {call}", run.switch.name()));
            }
            self.switches.push(SwitchReport::of(run));
            run.shut_down();
        }
        self.world.clock.settle();
        if let Some(trace) = &self.world.trace
            && (trace.flush().is_err() || trace.lost() > 0)
        {
            self.problems.push("the trace could not be written completely".to_owned());
        }
    }

    /// A call is closed for its client once its RELEASE is on the way. Before the adapters go, the switches hear of it.
    fn switches_hear(&self) {
        let never = AtomicBool::new(false);
        for _ in 0..HEAR_TURNS_MAX {
            if self.world.switches.iter().all(|run| run.switch.calls().is_empty()) {
                return;
            }
            self.world.clock.wait(&self.world.ledger, &never, HEAR_TURN, || false);
        }
    }

    fn look(&mut self) {
        let seen = |node: &NodeRun| {
            let mut connections = std::collections::BTreeMap::new();
            for adapter in &node.adapters {
                connections.extend(adapter.connections.iter().flat_map(|known| known.all()));
            }
            let vcs = node.node.vcs().into_iter();
            vcs.map(|info| VcSeen { vpvc: connections.get(&info.id).map(|params| params.vpvc), info })
                .collect()
        };
        self.vcs = self.world.nodes.iter().map(seen).collect();
    }

    fn report(mut self) -> Report {
        let calls = self.world.ledger.calls();
        for call in calls.iter().filter(|call| call.made && !call.ending.is_some_and(Ending::is_as_asked)) {
            let ending = call.ending.map_or_else(|| "not over".to_owned(), |ending| ending.to_string());
            let (node, client, number, service) = (&call.node, &call.client, call.number, &call.service);
            self.problems.push(format!("{node}/{client} call {number} to \"{service}\": {ending}"));
        }
        self.problems.extend(self.world.ips().flat_map(IpRun::problems));
        let nodes: Vec<_> = self.nodes();
        for node in nodes.iter().filter(|node| !node.left.is_nothing()) {
            self.problems.push(format!("node {} has left {}", node.name, node.left));
        }
        if let Clock::Threads(threads) = &self.world.clock
            && threads.panic_count() > 0
        {
            self.problems.push(format!("{} callbacks panicked", threads.panic_count()));
        }
        Report {
            lab: self.lab.name.clone(),
            seed: self.options.seed,
            took: self.now().since(Time::ZERO),
            totals: self.world.ledger.totals(),
            links: self.links(),
            ips: self.world.ips().map(IpRun::report).collect(),
            switches: self.switches,
            chart: Chart::of(&self.world, &calls),
            problems: self.problems,
            calls,
            nodes,
        }
    }

    fn nodes(&mut self) -> Vec<NodeReport> {
        let mut vcs = std::mem::take(&mut self.vcs).into_iter();
        let nodes = self.world.nodes.iter();
        nodes
            .map(|node| {
                let adapters: Vec<_> = node
                    .adapters
                    .iter()
                    .map(|adapter| AdapterReport {
                        name: adapter.name.clone(),
                        manager: adapter.manager,
                        link: adapter.line.name().to_owned(),
                        counters: adapter.counters.by_name().into_iter().filter(|(_, n)| *n > 0).collect(),
                    })
                    .collect();
                let first = adapters.first().map(|adapter| adapter.manager);
                let same = adapters.iter().all(|adapter| Some(adapter.manager) == first);
                NodeReport {
                    name: node.node.name().to_owned(),
                    manager: first.filter(|_| same),
                    adapters,
                    vcs: vcs.next().unwrap_or_default(),
                    crossings: node.counters.by_name(),
                    client_log: node.log.of_clients(),
                    left: node.node.left(),
                    reports: node.log.reports(),
                }
            })
            .collect()
    }

    fn links(&self) -> Vec<LinkReport> {
        let of = |name: &str, counters: &Counters| LinkReport {
            name: name.to_owned(),
            frames: counters.iter().filter(|(_, number)| *number > 0).collect(),
        };
        let segments = self.world.segments.iter().map(|segment| of(segment.name(), segment.counters()));
        let ends = self.world.fibres.iter().flat_map(|fibre| &fibre.ends);
        let fibres = ends.map(|end| of(end.name(), end.counters()));
        let real = self.lab.nodes.iter().flat_map(|node| &node.adapters);
        let adapters = self.world.nodes.iter().flat_map(|node| &node.adapters);
        let real = real.zip(adapters).filter(|(plan, _)| plan.link.place().is_some());
        let real = real.map(|(_, run)| of(run.line.name(), run.line.counters()));
        segments.chain(fibres).chain(real).collect()
    }

    fn wait_until(&self, end: Time, done: impl FnMut() -> bool) -> bool {
        let limit = end.since(self.now());
        self.world.clock.wait(&self.world.ledger, &self.options.stop, limit, done)
    }

    fn clients(&self) -> Vec<Client> {
        self.world.clients().cloned().collect()
    }

    fn ips(&self) -> Vec<IpRun> {
        self.world.ips().cloned().collect()
    }

    fn now(&self) -> Time {
        self.world.clock.runtime().now()
    }

    fn stopped(&self) -> bool {
        self.options.stop.load(SeqCst)
    }
}

/// Nothing but drivers of this process takes part in coming up and down.
const UP_MAX: Duration = Duration::from_secs(10);

/// On a real line somebody else does: the other end may have to be started first.
const UP_MAX_REAL: Duration = Duration::from_secs(120);

/// Two seconds in all: RELEASE and RELEASE COMPLETE, on the slowest of lines.
const HEAR_TURN: Duration = Duration::from_millis(5);
const HEAR_TURNS_MAX: usize = 400;

const DOWN_MAX: Duration = Duration::from_secs(20);

/// A call that does not come up takes 92 s, and one that makes no progress its own timeout; this is for what hangs.
const CALLS_MAX: Duration = Duration::from_secs(3600);

/// How long the called ends may take to hear that their calls are over; the labs with loss have them hang up after 15 s.
const ANSWERED_MAX: Duration = Duration::from_secs(60);
