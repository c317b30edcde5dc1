//! The switch with its lines: on real ones, or in a simulation.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use condis::runtime::{Lane, OnTimer, Runtime, Time, TimerId};
use condis_link::atm::{AtmLink, AtmLinkUser, Cell, Form, SduIn};

use super::call::{CallCounters, PvcConfig, PvcError, PvcId};
use super::config::{PortConfig, SwitchConfig};
use super::core::{AddPortError, Line, SwitchCore, SwitchCounters};
use super::info::{PortCounts, PortInfo, SwitchCallInfo, SwitchVcInfo};
use super::port::PortId;
use super::prefix::AddressPrefix;
use super::routing::{AddRouteError, Route};
use crate::uni::{RequestError, RestartClass, Transition};

/// An ATM switch: ports on [`AtmLink`]s of both forms, added and taken away while it runs.
///
/// What comes in by a line runs to completion on the thread that brings it, under the switch's one lock: through signaling, calls and
/// fabric, and out by the other lines. The lane of the runtime has only its timers. A line never calls from inside a transmit, so
/// the lock is held while lines are given what they send.
///
/// The switch keeps its lines; a line keeps nobody. Dropped, or [shut down](Switch::shut_down), it closes them.
///
/// ```
/// use condis::runtime::Sim;
/// use condis_atm::switch::{PortConfig, Switch, SwitchConfig};
/// use condis_atm::uni::Version;
/// use condis_link::atm::{Fibre, FibreConditions};
///
/// let sim = Sim::new(1);
/// let switch = Switch::new(sim.clone(), "switch", SwitchConfig::default());
/// let (_fibre, [ours, _theirs]) = Fibre::new(sim.clone(), "a", FibreConditions::default(), 7);
/// let host = "47.0005.80.ffe100.0000.f21a.0001.0020480b0001.00".parse()?;
/// let port = switch.add_port(ours, PortConfig::new("a", Version::Uni31).with_address(host))?;
/// let line = switch.ports()[0].to_string();
/// assert!(line.starts_with("port 1 a signaling down, 0 calls, 0 vcs"), "{line}");
/// assert!(switch.remove_port(port));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Switch {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    runtime: Arc<dyn Runtime>,
    lane: Lane,
    state: Mutex<State>,
    /// For timers and lines.
    this: Weak<Inner>,
}

struct State {
    core: SwitchCore,
    lines: BTreeMap<PortId, Arc<PortUser>>,
    /// What is armed, and for when.
    timer: Option<(Time, TimerId)>,
    is_down: bool,
}

/// The switch, as the line of one port calls it.
struct PortUser {
    switch: Weak<Inner>,
    port: PortId,
    link: Arc<dyn AtmLink>,
}

impl Switch {
    /// A switch without ports.
    pub fn new(runtime: Arc<dyn Runtime>, name: &str, config: SwitchConfig) -> Switch {
        let core = SwitchCore::new(config, runtime.entropy());
        let lane = runtime.open_lane(name);
        let state = State { core, lines: BTreeMap::new(), timer: None, is_down: false };
        let inner = Arc::new_cyclic(|this| Inner {
            name: name.to_owned(),
            runtime,
            lane,
            state: Mutex::new(state),
            this: this.clone(),
        });
        Switch { inner }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Adds a port on this line, and attaches to it. Lawful at any time, also from other threads.
    ///
    /// # Errors
    /// [`AddPortError`]; the line is left alone then.
    pub fn add_port(&self, link: Arc<dyn AtmLink>, config: PortConfig) -> Result<PortId, AddPortError> {
        let line = Line {
            form: link.form(),
            sdu_octets_max: link.sdu_octets_max(),
            cells_per_s: link.cells_per_s(),
        };
        let (port, user) = {
            let mut state = self.inner.lock();
            if state.is_down {
                return Err(AddPortError::ShutDown);
            }
            let port = state.core.add_port(line, config)?;
            let user = Arc::new(PortUser { switch: self.inner.this.clone(), port, link });
            state.lines.insert(port, user.clone());
            (port, user)
        };
        let attached: Weak<PortUser> = Arc::downgrade(&user);
        // Both under the lock, so that what the line brings or tells from now on comes behind its state.
        user.input(|core, now| {
            user.link.attach(attached);
            core.handle_link(now, port, user.link.is_up());
        });
        Ok(port)
    }

    /// Takes a port away, and closes its line. Its calls are cut, and the other ends told (cause 27). False if there is none.
    pub fn remove_port(&self, port: PortId) -> bool {
        let user = self.inner.input(|core, lines, now| {
            core.remove_port(now, port);
            lines.remove(&port)
        });
        let removed = user.flatten();
        if let Some(user) = &removed {
            user.link.close();
        }
        removed.is_some()
    }

    /// Makes a PVC.
    ///
    /// # Errors
    /// [`PvcError`]; nothing has changed then.
    pub fn add_pvc(&self, config: PvcConfig) -> Result<PvcId, PvcError> {
        self.inner.lock().core.add_pvc(config)
    }

    /// Takes a PVC away. False if there is none.
    pub fn remove_pvc(&self, pvc: PvcId) -> bool {
        self.inner.lock().core.remove_pvc(pvc)
    }

    /// All PVCs, by name.
    pub fn pvcs(&self) -> Vec<(PvcId, PvcConfig)> {
        self.inner.lock().core.pvcs().map(|(id, config)| (id, *config)).collect()
    }

    /// Adds a route to a prefix through a port.
    ///
    /// # Errors
    /// [`AddRouteError`].
    pub fn add_route(
        &self,
        prefix: AddressPrefix,
        port: PortId,
        preference: u8,
    ) -> Result<(), AddRouteError> {
        self.inner.lock().core.add_route(prefix, port, preference)
    }

    /// Takes a route away that was added, or configured with its port. False if there is none.
    pub fn remove_route(&self, prefix: AddressPrefix, port: PortId) -> bool {
        self.inner.lock().core.remove_route(prefix, port)
    }

    /// All routes, by prefix.
    pub fn routes(&self) -> Vec<(AddressPrefix, Route)> {
        self.inner.lock().core.routes().collect()
    }

    /// Returns VCs of a port to idle: RESTART.
    ///
    /// # Errors
    /// As [`SwitchCore::restart`].
    pub fn restart(&self, port: PortId, what: RestartClass) -> Result<(), RequestError> {
        let result = self.inner.input(|core, _, now| core.restart(now, port, what));
        result.unwrap_or(Err(RequestError::SignalingDown))
    }

    /// Every port, each of which prints in a line.
    pub fn ports(&self) -> Vec<PortInfo> {
        self.inner.lock().core.ports().collect()
    }

    /// Every call, each of which prints in a line.
    pub fn calls(&self) -> Vec<SwitchCallInfo> {
        self.inner.lock().core.calls().collect()
    }

    /// Every direction of every connection, each of which prints in a line.
    pub fn vcs(&self) -> Vec<SwitchVcInfo> {
        self.inner.lock().core.vcs().collect()
    }

    /// What a port has counted.
    pub fn port_counts(&self, port: PortId) -> Option<PortCounts> {
        self.inner.lock().core.port_counts(port)
    }

    /// What became of calls.
    pub fn call_counters(&self) -> CallCounters {
        *self.inner.lock().core.call_counters()
    }

    /// What else was counted.
    pub fn counters(&self) -> SwitchCounters {
        *self.inner.lock().core.counters()
    }

    /// The changes of state of calls at the ports whose signaling is traced, since this was last asked.
    pub fn transitions(&self) -> Vec<(PortId, Transition)> {
        let mut state = self.inner.lock();
        std::iter::from_fn(|| state.core.poll_transition()).collect()
    }

    /// Looks at the core.
    pub fn with_core<T>(&self, look: impl FnOnce(&SwitchCore) -> T) -> T {
        look(&self.inner.lock().core)
    }

    /// Takes all ports away, and closes their lines. No port is added after that.
    pub fn shut_down(&self) {
        self.inner.shut_down();
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.inner.shut_down();
    }
}

impl fmt::Debug for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.inner.lock();
        let (ports, calls) = (state.lines.len(), state.core.calls_len());
        write!(f, "switch {}: {ports} ports, {calls} calls", self.inner.name)
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nobody's code but ours and the lines' runs under this lock; a line that panics must not take the others along.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the core an input, lets the lines have what comes of it, and sees to the timer. `None` after the end.
    fn input<T>(
        &self,
        input: impl FnOnce(&mut SwitchCore, &mut BTreeMap<PortId, Arc<PortUser>>, Time) -> T,
    ) -> Option<T> {
        let now = self.runtime.now();
        let mut state = self.lock();
        if state.is_down {
            return None;
        }
        let State { core, lines, .. } = &mut *state;
        let result = input(core, lines, now);
        send(core, lines, now);
        self.arm(&mut state, now);
        Some(result)
    }

    /// Arms a timer for what the core waits for. One that is armed for earlier stays: it fires for nothing, and is armed anew.
    fn arm(&self, state: &mut State, now: Time) {
        let Some(next) = state.core.next_timeout() else { return };
        match state.timer {
            Some((armed, _)) if armed <= next => return,
            Some((_, timer)) => {
                self.runtime.cancel(self.lane, timer);
            }
            None => {}
        }
        let target: Weak<Inner> = self.this.clone();
        let timer = self.runtime.arm(self.lane, next.since(now), target, 0);
        state.timer = Some((next, timer));
    }

    fn shut_down(&self) {
        let now = self.runtime.now();
        let lines = {
            let mut state = self.lock();
            state.is_down = true;
            let State { core, lines, .. } = &mut *state;
            let lines = std::mem::take(lines);
            for port in lines.keys() {
                core.remove_port(now, *port);
            }
            if let Some((_, timer)) = state.timer.take() {
                self.runtime.cancel(self.lane, timer);
            }
            lines
        };
        for user in lines.values() {
            user.link.close();
        }
    }
}

impl OnTimer for Inner {
    fn on_timer(&self, _token: u64) {
        self.lock().timer = None;
        self.input(|core, _, now| core.handle_timeout(now));
    }
}

/// Lets every line have what its port may send now.
fn send(core: &mut SwitchCore, lines: &BTreeMap<PortId, Arc<PortUser>>, now: Time) {
    while let Some((port, form)) = core.poll_ready(now) {
        let Some(user) = lines.get(&port) else { continue };
        match form {
            Form::Cells => core.transmit_cells(now, port, |cells| user.link.transmit_cells(cells)),
            Form::Sdus => core.transmit_sdus(now, port, |sdus| user.link.transmit_sdus(sdus)),
        }
    }
}

impl PortUser {
    fn input(&self, input: impl FnOnce(&mut SwitchCore, Time)) {
        if let Some(switch) = self.switch.upgrade() {
            switch.input(|core, _, now| input(core, now));
        }
    }
}

impl AtmLinkUser for PortUser {
    fn receive_cells(&self, cells: &[Cell]) {
        self.input(|core, now| core.handle_cells(now, self.port, cells));
    }

    fn receive_sdus(&self, sdus: &[SduIn<'_>]) {
        self.input(|core, now| core.handle_sdus(now, self.port, sdus));
    }

    fn link_state(&self, up: bool) {
        self.input(|core, now| core.handle_link(now, self.port, up));
    }

    fn writable(&self) {
        self.input(|core, _| core.handle_writable(self.port));
    }
}
