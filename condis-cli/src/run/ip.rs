//! The IP clients of a lab: made, made to ask, and told of.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use condis::node::Node;
use condis::runtime::Threads;
use condis_atm::ip::driver::{IpClient, IpClientConfig};
use condis_atm::ip::host::IpHost;
use condis_link::ip::{IpPort, Tun, TunDevice, TunOptions};

use super::clock::Clock;
use super::report::{IpReport, PingReport};
use crate::client::ledger::Ledger;
use crate::lab::{HostPlan, IpPlan, Lab, LabError, PingPlan};

/// An IP client that runs, with the host above it. A clone is the same client.
#[derive(Clone)]
pub(super) struct IpRun(Arc<Running>);

struct Running {
    node: String,
    plan: IpPlan,
    client: IpClient,
    host: Host,
    /// What became of each request that was made, in the order of the plan.
    pings: Mutex<Vec<PingReport>>,
}

enum Host {
    Memory(Arc<IpHost>),
    Tun(Arc<Tun>),
}

/// TUN devices that were made while there was the right to, each under where the lab file names it.
pub(super) struct OpenedTuns(Vec<(usize, TunDevice)>);

impl OpenedTuns {
    /// Makes all of a lab.
    pub(super) fn open(lab: &Lab) -> Result<OpenedTuns, LabError> {
        let mut opened = Vec::new();
        for plan in lab.nodes.iter().flat_map(|node| &node.ips) {
            let Some((name, at)) = plan.tun() else { continue };
            let options = TunOptions {
                name: name.to_owned(),
                ip: plan.lis.ip,
                prefix_len: plan.lis.prefix_len,
                mtu_octets: u16::try_from(plan.lis.mtu_octets).unwrap_or(u16::MAX),
            };
            let device = TunDevice::open(&options).map_err(|error| {
                LabError::new(format!("cannot make the TUN device {name}: {}", error.source))
                    .at(&lab.source, at.clone(), "this interface")
                    .help("it takes root or CAP_NET_ADMIN, /dev/net/tun, and a name that no other interface has")
            })?;
            opened.push((at.start, device));
        }
        Ok(OpenedTuns(opened))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, at: usize) -> Option<TunDevice> {
        let found = self.0.iter().position(|(place, _)| *place == at)?;
        Some(self.0.swap_remove(found).1)
    }
}

impl IpRun {
    /// Makes a client and its host, and registers it with its node.
    pub(super) fn new(
        plan: &IpPlan,
        node: &Node,
        clock: &Clock,
        tuns: &mut OpenedTuns,
        ledger: &Arc<Ledger>,
    ) -> Result<IpRun, LabError> {
        let runtime = clock.runtime();
        let name = format!("{}/{}", node.name(), plan.name);
        let lane = runtime.open_lane(&name);
        let (host, port): (Host, Arc<dyn IpPort>) = match (&plan.host, clock) {
            (HostPlan::Memory(_), _) => {
                let host = IpHost::new(plan.lis.ip, runtime.clone(), lane);
                let ledger = ledger.clone();
                host.on_answer(move || ledger.touch());
                (Host::Memory(host.clone()), host)
            }
            (HostPlan::Tun { name: tun, at }, Clock::Threads(threads)) => {
                let tun = start_tun(tun, tuns.take(at.start), threads)?;
                (Host::Tun(tun.clone()), tun)
            }
            (HostPlan::Tun { .. }, Clock::Sim(_)) => {
                return Err(LabError::new(format!("{name} has a TUN device, and the lab is simulated")));
            }
        };
        let config =
            IpClientConfig { adapter: plan.adapter.clone(), lis: plan.lis.clone(), pvcs: plan.pvcs.clone() };
        let client = IpClient::new(config, port, runtime, lane);
        let told = ledger.clone();
        client.on_change(move || told.touch());
        node.register_protocol(&name, client.clone());
        let pings = Mutex::new(Vec::new());
        Ok(IpRun(Arc::new(Running { node: node.name().to_owned(), plan: plan.clone(), client, host, pings })))
    }

    /// Its name, with its node's.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.0.node, self.0.plan.name)
    }

    pub(super) fn client(&self) -> &IpClient {
        &self.0.client
    }

    /// What it serves, for who waits for it.
    pub(super) fn serves(&self) -> String {
        let ip = self.0.plan.ip();
        match self.0.plan.tun() {
            Some((tun, _)) => format!("{ip} on {tun}"),
            None => ip,
        }
    }

    /// What it asks, if it has a host that can.
    fn asks(&self) -> Option<(&PingPlan, &Arc<IpHost>)> {
        match &self.0.host {
            Host::Memory(host) => self.0.plan.pings().map(|pings| (pings, host)),
            Host::Tun(_) => None,
        }
    }

    /// Asks those who have not answered yet. False: all have, or it has no patience for so long.
    fn call_on(&self, waited: Duration) -> bool {
        let Some((plan, host)) = self.asks() else { return false };
        let mut silent = plan.to.clone();
        silent.retain(|to| !host.echoes().iter().any(|echo| echo.to == *to && echo.answered.is_some()));
        if waited >= plan.patience {
            return false;
        }
        for to in &silent {
            host.ping(*to, plan.sizes.first().copied().unwrap_or(0));
        }
        !silent.is_empty()
    }

    /// True once everybody has answered some request.
    fn has_heard_all(&self) -> bool {
        self.asks().is_none_or(|(plan, host)| {
            let echoes = host.echoes();
            plan.to.iter().all(|to| echoes.iter().any(|echo| echo.to == *to && echo.answered.is_some()))
        })
    }

    /// Asks everybody, in the round with this number. False: it has no such round.
    fn ask(&self, round: usize) -> bool {
        let Some((plan, host)) = self.asks() else { return false };
        if round >= plan.sizes.len() * plan.times as usize {
            return false;
        }
        let octets = plan.sizes[round % plan.sizes.len()];
        let mut pings = self.pings();
        for to in &plan.to {
            let sequence = host.ping(*to, octets);
            let known = pings.iter_mut().find(|ping| ping.to == *to && ping.octets == octets);
            match known {
                Some(ping) => (ping.asked, ping.last) = (ping.asked + 1, sequence),
                None => pings.push(PingReport::new(*to, octets, sequence)),
            }
        }
        true
    }

    /// True once all that the last round asked is answered.
    fn is_answered(&self) -> bool {
        let Some((plan, host)) = self.asks() else { return true };
        let echoes = host.echoes();
        let last = &echoes[echoes.len().saturating_sub(plan.to.len())..];
        last.iter().all(|echo| echo.answered.is_some())
    }

    /// Writes down what the last round came to.
    fn note(&self) {
        let Some((plan, host)) = self.asks() else { return };
        let echoes = host.echoes();
        let last = &echoes[echoes.len().saturating_sub(plan.to.len())..];
        for ping in self.pings().iter_mut() {
            let echo = last.iter().find(|echo| echo.sequence == ping.last && echo.to == ping.to);
            let took = echo.and_then(|echo| Some(echo.answered?.since(echo.asked)));
            ping.round_trips.extend(took.filter(|took| *took <= plan.timeout));
        }
    }

    fn pings(&self) -> MutexGuard<'_, Vec<PingReport>> {
        self.0.pings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was not answered, and why that may be.
    pub(super) fn problems(&self) -> Vec<String> {
        let name = self.name();
        let missing = |ping: &PingReport| {
            let (heard, asked) = (ping.round_trips.len(), ping.asked);
            (heard < asked).then(|| {
                format!(
                    "{name} asked {} {asked} times with {} octets, and heard {heard} answers",
                    ping.to, ping.octets
                )
            })
        };
        let mut problems: Vec<_> = self.pings().iter().filter_map(missing).collect();
        if !problems.is_empty() {
            problems.extend(self.0.client.take_problems().into_iter().map(|what| format!("{name}: {what}")));
        }
        problems
    }

    /// Why it is not ready.
    pub(super) fn waits_for(&self) -> String {
        let mut why = vec![self.0.client.waits_for().to_owned()];
        why.extend(self.0.client.take_problems());
        why.join("; ")
    }

    pub(super) fn report(&self) -> IpReport {
        let running = &self.0;
        let mut counters: BTreeMap<String, u64> =
            running.client.counters().iter().map(|(name, count)| (name.to_owned(), count)).collect();
        let of_host: Vec<(&str, u64)> = match &running.host {
            Host::Memory(host) => host.counters().iter().collect(),
            Host::Tun(tun) => {
                let lost = tun.lost();
                vec![
                    ("not_delivered", lost.not_delivered),
                    ("no_user", lost.no_user),
                    ("too_long", lost.too_long),
                ]
            }
        };
        counters.extend(of_host.into_iter().map(|(name, count)| (format!("host.{name}"), count)));
        counters.retain(|_, count| *count > 0);
        IpReport {
            node: running.node.clone(),
            name: running.plan.name.clone(),
            ip: running.plan.ip(),
            adapter: running.plan.adapter.clone(),
            address: running.plan.lis.atm.to_string(),
            server: running.plan.server(),
            tun: running.plan.tun().map(|(tun, _)| tun.to_owned()),
            pings: self.pings().clone(),
            counters,
        }
    }
}

fn start_tun(name: &str, device: Option<TunDevice>, threads: &Arc<Threads>) -> Result<Arc<Tun>, LabError> {
    let device = device.ok_or_else(|| LabError::new(format!("the TUN device {name} was not made")))?;
    Tun::start(device, threads)
        .map_err(|error| LabError::new(format!("cannot read the TUN device {name}: {}", error.source)))
}

/// Has all of them ask what they are to ask: round by round, and all of them at once in each. `wait` runs the lab until the
/// condition holds, for so long at most. False: it was stopped, or the time was up.
pub(super) fn ask_all(
    ips: &[IpRun],
    stop: &AtomicBool,
    mut wait: impl FnMut(Duration, &mut dyn FnMut() -> bool) -> bool,
) -> bool {
    let timeouts = ips.iter().filter_map(|ip| ip.asks().map(|(plan, _)| plan.timeout));
    let Some(timeout) = timeouts.max() else { return true };
    // Until it is known who is at the far end of a permanent connection, nobody can be asked over it.
    wait(timeout, &mut || ips.iter().all(|ip| ip.asks().is_none() || ip.client().is_introduced()));
    let mut waited = Duration::ZERO;
    while !stop.load(SeqCst) {
        let asked: Vec<_> = ips.iter().filter(|ip| ip.call_on(waited)).collect();
        if asked.is_empty() {
            break;
        }
        wait(CALL_ON_AGAIN, &mut || asked.iter().all(|ip| ip.has_heard_all()));
        waited += CALL_ON_AGAIN;
    }
    for round in 0.. {
        let asked: Vec<_> = ips.iter().filter(|ip| ip.ask(round)).collect();
        if asked.is_empty() {
            return true;
        }
        let answered = wait(timeout, &mut || asked.iter().all(|ip| ip.is_answered()));
        asked.iter().for_each(|ip| ip.note());
        if !answered && stop.load(SeqCst) {
            return false;
        }
    }
    true
}

/// As often as `ping` asks.
const CALL_ON_AGAIN: Duration = Duration::from_secs(1);
