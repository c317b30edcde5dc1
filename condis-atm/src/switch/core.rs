//! The switch without I/O: signaling, calls and fabric put together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use condis::runtime::{Random, Time};
use condis_link::atm::{Cell, Form, Sdu, SduIn, VpVc};

use super::call::{CallCounters, Exchange, PvcConfig, PvcError, PvcId};
use super::config::{PortConfig, SwitchConfig};
use super::fabric::{Fabric, FabricPort};
use super::info::{PortCounts, PortInfo, SwitchCallInfo, SwitchVcInfo};
use super::port::PortId;
use super::prefix::AddressPrefix;
use super::routing::{AddRouteError, Route, RouteSource};
use crate::addr::AtmAddress;
use crate::uni::{RequestError, RestartClass, Side, Transition, Uni, UniConfig, UniOutput};

/// Flows that begin at a port and end in the switch: signaling and ILMI.
const LOCAL_FLOWS: usize = 2;

/// What is known of the line of a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// What it carries.
    pub form: Form,
    /// Octets of the longest SDU that it takes.
    pub sdu_octets_max: usize,
    /// Its rate, if it has one.
    pub cells_per_s: Option<u64>,
}

impl Line {
    /// A line of cells without a rate.
    pub const CELLS: Line = Line { form: Form::Cells, sdu_octets_max: 65_535, cells_per_s: None };
    /// A line of SDUs without a rate.
    pub const SDUS: Line = Line { form: Form::Sdus, sdu_octets_max: 65_535, cells_per_s: None };
}

/// Why a port was not added.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddPortError {
    /// [`SwitchConfig::ports_max`] ports are there.
    #[error("the switch has {max} ports already")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// The range of VPI/VCI is none of a UNI, or holds some that belong to the standards.
    #[error("{0:?} is no range of VPI/VCI for calls at a UNI")]
    VcRange(super::vc_alloc::VcRange),
    /// The switch was shut down.
    #[error("the switch is shut down")]
    ShutDown,
    /// A route of the port was not taken.
    #[error(transparent)]
    Route(#[from] AddRouteError),
    /// More than all of the rate may not be booked, and not nothing.
    #[error("{0} per cent of the rate cannot be booked, but 1 to 100")]
    Bookable(u8),
}

/// The switch without I/O.
///
/// It owns no socket, clock, timer or random source. Who drives it gives it one input at a time: a port added or taken away,
/// [`SwitchCore::handle_link`], [`SwitchCore::handle_cells`], [`SwitchCore::handle_sdus`], [`SwitchCore::handle_writable`],
/// [`SwitchCore::handle_timeout`]. After each it asks [`SwitchCore::poll_ready`] for ports that have something to send until there
/// is none, and lets each send ([`SwitchCore::transmit_cells`], [`SwitchCore::transmit_sdus`]); then `next_timeout` again. The same inputs
/// give the same outputs: the seed is an argument.
pub struct SwitchCore {
    config: SwitchConfig,
    random: Random,
    fabric: Fabric,
    exchange: Exchange<Uni>,
    ports_made: u32,
    lines: BTreeMap<PortId, PortLine>,
    /// Of each port whose signaling waits for something.
    timers: BTreeSet<(Time, PortId)>,
    transitions: VecDeque<(PortId, Transition)>,
    counters: SwitchCounters,
}

/// A port's line, and what was noted of its signaling.
struct PortLine {
    is_up: bool,
    timer: Option<Time>,
    /// Addresses that have a route because they are registered.
    registered: BTreeSet<AddressPrefix>,
}

condis::counters! {
    /// What a switch counts beside its calls and ports.
    SwitchCounters {
        /// Ports that were added.
        ports_added,
        /// Ports that were taken away.
        ports_removed,
        /// Times that signaling of a port came to stand.
        signaling_came,
        /// Times that it went.
        signaling_went,
        /// Addresses that were registered.
        addresses_registered,
        /// Addresses that were registered, and are not any more.
        addresses_withdrawn,
        /// Addresses that got no route, since the table was full.
        dropped_registrations,
    }
}

/// Transitions that are kept for [`SwitchCore::poll_transition`], where tracing is on.
const TRANSITIONS_MAX: usize = 65_536;

impl SwitchCore {
    /// A switch without ports. From `seed` follows what must differ from run to run.
    pub fn new(config: SwitchConfig, seed: u64) -> SwitchCore {
        SwitchCore {
            random: Random::new(seed),
            fabric: Fabric::new(),
            exchange: Exchange::new(config.clone()),
            ports_made: 0,
            lines: BTreeMap::new(),
            timers: BTreeSet::new(),
            transitions: VecDeque::new(),
            counters: SwitchCounters::default(),
            config,
        }
    }

    /// Adds a port, whose line is down.
    ///
    /// # Errors
    /// [`AddPortError`]; there is no port then, and no route to it.
    pub fn add_port(&mut self, line: Line, config: PortConfig) -> Result<PortId, AddPortError> {
        let max = self.config.ports_max;
        if self.exchange.ports_len() >= max {
            return Err(AddPortError::TooMany { max });
        }
        if !config.vcs.is_valid() {
            return Err(AddPortError::VcRange(config.vcs));
        }
        if !(1..=100).contains(&config.bookable_percent) {
            return Err(AddPortError::Bookable(config.bookable_percent));
        }
        let id = PortId(self.ports_made + 1);
        self.add_routes(id, &config).inspect_err(|_| {
            self.exchange.routes.remove_port(id, None);
        })?;
        self.ports_made += 1;
        self.counters.ports_added += 1;
        let cells_per_s = config.cells_per_s.or(line.cells_per_s);
        let flows_max = config.vcs_max.min(config.vcs.vcs_len()).saturating_add(LOCAL_FLOWS);
        let Line { form, sdu_octets_max, .. } = line;
        let fabric = FabricPort { form, sdu_octets_max, cells_per_s, queues: config.queues, flows_max };
        self.fabric.add_port(id, &fabric);
        for vpvc in [VpVc::SIGNALING, VpVc::ILMI] {
            self.fabric.open_local(id, vpvc).expect("a new port has no flows, and room for these");
        }
        let mut uni: UniConfig = config.uni.clone();
        uni.signaling.side = Side::Network;
        let signaling = Uni::new(uni, self.random.next_u64());
        self.exchange.add_port(id, config, form, cells_per_s, signaling);
        self.lines.insert(id, PortLine { is_up: false, timer: None, registered: BTreeSet::new() });
        Ok(id)
    }

    fn add_routes(&mut self, port: PortId, config: &PortConfig) -> Result<(), AddRouteError> {
        let preference = config.preference;
        for address in &config.uni.addresses.fixed {
            let route = Route { preference, port, source: RouteSource::StaticAddress };
            self.exchange.routes.add(AddressPrefix::end_system(address), route)?;
        }
        for &(prefix, preference) in &config.routes {
            self.exchange
                .routes
                .add(prefix, Route { preference, port, source: RouteSource::StaticPrefix })?;
        }
        Ok(())
    }

    /// Takes a port away. Its calls are cut, and the other ends told (cause 27); nothing more is sent by it. False if there is none.
    pub fn remove_port(&mut self, now: Time, port: PortId) -> bool {
        let Some(line) = self.lines.remove(&port) else { return false };
        if let Some(at) = line.timer {
            self.timers.remove(&(at, port));
        }
        self.exchange.remove_port(now, &mut self.fabric, port);
        self.fabric.remove_port(port);
        self.counters.ports_removed += 1;
        self.run(now);
        true
    }

    /// The line of a port came or went. When it goes, calls wait for it as long as their signaling does (T309).
    pub fn handle_link(&mut self, now: Time, port: PortId, is_up: bool) {
        let Some(line) = self.lines.get_mut(&port) else { return };
        if std::mem::replace(&mut line.is_up, is_up) == is_up {
            return;
        }
        self.fabric.set_up(port, is_up);
        self.signal(port, |uni| uni.handle_link(now, is_up));
        self.run(now);
    }

    /// Cells that came in at a port, in order. Nobody has looked at their HEC.
    pub fn handle_cells(&mut self, now: Time, port: PortId, cells: &[Cell]) {
        self.fabric.handle_cells(now, port, cells);
        self.run(now);
    }

    /// SDUs that came in at a port, in order.
    pub fn handle_sdus(&mut self, now: Time, port: PortId, sdus: &[SduIn<'_>]) {
        self.fabric.handle_sdus(now, port, sdus);
        self.run(now);
    }

    /// The line of a port has room again.
    pub fn handle_writable(&mut self, port: PortId) {
        self.fabric.handle_writable(port);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.fabric.handle_timeout(now);
        while let Some(&(at, port)) = self.timers.first()
            && at <= now
        {
            self.set_timer(port, None);
            self.signal(port, |uni| uni.handle_timeout(now));
            self.run(now);
        }
    }

    /// When [`SwitchCore::handle_timeout`] is due; `None`: not before another input.
    pub fn next_timeout(&self) -> Option<Time> {
        let signaling = self.timers.first().map(|(at, _)| *at);
        [signaling, self.fabric.next_timeout()].into_iter().flatten().min()
    }

    /// A port that has something to send and may send it now, with the form of its line.
    pub fn poll_ready(&mut self, now: Time) -> Option<(PortId, Form)> {
        self.fabric.poll_ready(now)
    }

    /// Sends what a port with a line of cells has. `send` takes cells in order and gives how many it took; fewer than all means that
    /// the line has no room, until [`SwitchCore::handle_writable`].
    pub fn transmit_cells(&mut self, now: Time, port: PortId, send: impl FnMut(&[Cell]) -> usize) {
        self.fabric.transmit_cells(now, port, send);
        self.note_drained();
    }

    /// The same for a port with a line of SDUs.
    pub fn transmit_sdus(&mut self, now: Time, port: PortId, send: impl FnMut(&[Sdu<'_>]) -> usize) {
        self.fabric.transmit_sdus(now, port, send);
        self.note_drained();
    }

    /// Makes a PVC.
    ///
    /// # Errors
    /// [`PvcError`]; nothing has changed then.
    pub fn add_pvc(&mut self, config: PvcConfig) -> Result<PvcId, PvcError> {
        self.exchange.add_pvc(&mut self.fabric, config)
    }

    /// Takes a PVC away. False if there is none.
    pub fn remove_pvc(&mut self, pvc: PvcId) -> bool {
        self.exchange.remove_pvc(&mut self.fabric, pvc)
    }

    /// All PVCs, by name.
    pub fn pvcs(&self) -> impl Iterator<Item = (PvcId, &PvcConfig)> {
        self.exchange.pvcs()
    }

    /// Adds a route to a prefix through a port that is there.
    ///
    /// # Errors
    /// [`AddRouteError`].
    pub fn add_route(
        &mut self,
        prefix: AddressPrefix,
        port: PortId,
        preference: u8,
    ) -> Result<(), AddRouteError> {
        let route = Route { preference, port, source: RouteSource::StaticPrefix };
        if !self.lines.contains_key(&port) {
            return Err(AddRouteError::NoSuchPort(port));
        }
        self.exchange.routes.add(prefix, route)
    }

    /// Takes a route away that was added, or configured with its port. False if there is none.
    pub fn remove_route(&mut self, prefix: AddressPrefix, port: PortId) -> bool {
        self.exchange.routes.remove(prefix, port, RouteSource::StaticPrefix)
    }

    /// All routes, by prefix.
    pub fn routes(&self) -> impl Iterator<Item = (AddressPrefix, Route)> + '_ {
        self.exchange.routes.iter()
    }

    /// Returns VCs of a port to idle: RESTART.
    ///
    /// # Errors
    /// As [`Uni::restart`]; [`RequestError::SignalingDown`] also if there is no such port.
    pub fn restart(&mut self, now: Time, port: PortId, what: RestartClass) -> Result<(), RequestError> {
        let result =
            self.signal(port, |uni| uni.restart(now, what)).unwrap_or(Err(RequestError::SignalingDown));
        self.run(now);
        result
    }

    /// A change of state of a call at a port, where its signaling is traced ([`crate::uni::Config::trace`]).
    pub fn poll_transition(&mut self) -> Option<(PortId, Transition)> {
        self.transitions.pop_front()
    }

    /// All ports, by name.
    pub fn ports(&self) -> impl Iterator<Item = PortInfo> + '_ {
        self.exchange.ports().map(|port| PortInfo {
            id: port.id,
            name: port.config.name.clone(),
            form: port.form,
            line_is_up: self.lines[&port.id].is_up,
            signaling_is_up: port.signaling.signaling_is_up(),
            addresses: port.signaling.addresses().cloned().collect(),
            calls: port.signaling.calls_len(),
            vcs_in_use: port.vcs.in_use_len(),
            vcs_draining: port.vcs.draining_len(),
            incoming_reserved_cells_per_s: port.incoming.reserved_cells_per_s(),
            outgoing_reserved_cells_per_s: port.outgoing.reserved_cells_per_s(),
            bookable_cells_per_s: port.outgoing.bookable_cells_per_s(),
        })
    }

    /// All calls through the switch.
    pub fn calls(&self) -> impl Iterator<Item = SwitchCallInfo> + '_ {
        self.exchange.calls()
    }

    /// How many calls there are through the switch, in any state.
    pub fn calls_len(&self) -> usize {
        self.exchange.calls_len()
    }

    /// All directions of all connections, those of signaling and ILMI included.
    pub fn vcs(&self) -> impl Iterator<Item = SwitchVcInfo> + '_ {
        self.fabric.flows().filter_map(|(port, vpvc)| {
            let flow = self.fabric.flow(port, vpvc)?;
            Some(SwitchVcInfo { from: (port, vpvc), flow })
        })
    }

    /// The signaling of a port.
    pub fn signaling(&self, port: PortId) -> Option<&Uni> {
        self.exchange.get(port).map(|port| &port.signaling)
    }

    /// What a port has counted.
    pub fn port_counts(&self, port: PortId) -> Option<PortCounts> {
        let (passed, drops, hec) = self.fabric.counters(port)?;
        Some(PortCounts { passed, drops, hec })
    }

    /// What became of calls.
    pub fn call_counters(&self) -> &CallCounters {
        self.exchange.counters()
    }

    /// What else was counted.
    pub fn counters(&self) -> &SwitchCounters {
        &self.counters
    }

    /// The fabric, to be looked at.
    pub fn fabric(&self) -> &Fabric {
        &self.fabric
    }

    /// Carries between fabric, signaling and calls until nothing is left to carry.
    fn run(&mut self, now: Time) {
        loop {
            while let Some(sdu) = self.fabric.poll_local() {
                self.signal(sdu.port, |uni| match sdu.vpvc {
                    VpVc::SIGNALING => uni.handle_signaling_sdu(now, &sdu.octets),
                    _ => uni.handle_ilmi_sdu(now, &sdu.octets),
                });
                self.fabric.recycle(sdu.octets);
            }
            let Some(port) = self.exchange.poll_dirty() else { break };
            self.carry_out(now, port);
        }
        self.note_drained();
    }

    /// Carries out what the signaling of a port wants.
    fn carry_out(&mut self, now: Time, port: PortId) {
        while let Some(output) = self.exchange.get_mut(port).and_then(|port| port.signaling.poll_output()) {
            match output {
                // What finds no room is counted there, and SSCOP repeats it, as ILMI does.
                UniOutput::TransmitSignaling(sdu) => {
                    self.fabric.queue_control(port, VpVc::SIGNALING, &sdu);
                }
                UniOutput::TransmitIlmi(sdu) => {
                    self.fabric.queue_control(port, VpVc::ILMI, &sdu);
                }
                UniOutput::SignalingState { up: true } => self.counters.signaling_came += 1,
                UniOutput::SignalingState { up: false } => self.counters.signaling_went += 1,
                UniOutput::AddressesChanged => self.addresses_changed(port),
                UniOutput::Indication(indication) => {
                    self.exchange.handle_indication(now, &mut self.fabric, port, indication);
                }
                UniOutput::Transition(transition) => {
                    if self.transitions.len() < TRANSITIONS_MAX {
                        self.transitions.push_back((port, transition));
                    }
                }
            }
        }
        let next = self.exchange.get(port).and_then(|port| port.signaling.next_timeout());
        self.set_timer(port, next);
    }

    /// Gives the signaling of a port an input.
    fn signal<T>(&mut self, port: PortId, input: impl FnOnce(&mut Uni) -> T) -> Option<T> {
        let result = self.exchange.get_mut(port).map(|port| input(&mut port.signaling));
        self.exchange.touch(port);
        result
    }

    /// Routes to what is registered at a port now, and not to what is not any more.
    fn addresses_changed(&mut self, port: PortId) {
        let Some(uni) = self.exchange.get(port) else { return };
        let preference = uni.config.preference;
        let fixed = &uni.config.uni.addresses.fixed;
        let is_fixed = |address: &AtmAddress| fixed.contains(address);
        let registered: BTreeSet<AddressPrefix> = uni
            .signaling
            .addresses()
            .filter(|address| !is_fixed(address))
            .map(AddressPrefix::end_system)
            .collect();
        let Some(line) = self.lines.get_mut(&port) else { return };
        let gone: Vec<AddressPrefix> = line.registered.difference(&registered).copied().collect();
        let new: Vec<AddressPrefix> = registered.difference(&line.registered).copied().collect();
        for prefix in gone {
            self.exchange.routes.remove(prefix, port, RouteSource::Registered);
            line.registered.remove(&prefix);
            self.counters.addresses_withdrawn += 1;
        }
        for prefix in new {
            let route = Route { preference, port, source: RouteSource::Registered };
            match self.exchange.routes.add(prefix, route) {
                Ok(()) => {
                    line.registered.insert(prefix);
                    self.counters.addresses_registered += 1;
                }
                Err(_) => self.counters.dropped_registrations += 1,
            }
        }
    }

    fn set_timer(&mut self, port: PortId, at: Option<Time>) {
        let Some(line) = self.lines.get_mut(&port) else { return };
        if line.timer == at {
            return;
        }
        if let Some(before) = std::mem::replace(&mut line.timer, at) {
            self.timers.remove(&(before, port));
        }
        self.timers.extend(at.map(|at| (at, port)));
    }

    fn note_drained(&mut self) {
        while let Some((port, vpvc)) = self.fabric.poll_drained() {
            self.exchange.handle_drained(port, vpvc);
        }
    }
}
