//! The switches of a lab.

use std::sync::{Arc, Mutex, PoisonError};

use condis::runtime::{Runtime, Threads};
use condis_atm::switch::{Policing, PortConfig, PortId, PvcConfig, Switch, SwitchConfig};
use condis_atm::uni::Contracts;
use condis_link::atm::AtmLink;
use condis_link::atm::tcp::TcpAcceptor;

use super::lines::{Opened, Say, tcp_options};
use crate::lab::{LabError, PortPlan, SwitchPlan};

/// A switch that runs.
pub(super) struct SwitchRun {
    pub(super) switch: Arc<Switch>,
    /// The ports of the lab in their order; one that serves many lines has none of its own.
    ports: Mutex<Vec<(String, Option<PortId>)>>,
    acceptors: Mutex<Vec<TcpAcceptor>>,
}

impl SwitchRun {
    pub(super) fn new(plan: &SwitchPlan, runtime: &Arc<dyn Runtime>) -> SwitchRun {
        let switch = Switch::new(runtime.clone(), &plan.name, SwitchConfig::default());
        SwitchRun { switch: Arc::new(switch), ports: Mutex::default(), acceptors: Mutex::default() }
    }

    pub(super) fn add_port(&self, plan: &PortPlan, link: Arc<dyn AtmLink>) -> Result<(), LabError> {
        let port = self.switch.add_port(link, config_of(plan, &plan.name)).map_err(|error| {
            LabError::new(format!("port {} of switch {}: {error}", plan.name, self.switch.name()))
        })?;
        self.ports().push((plan.name.clone(), Some(port)));
        Ok(())
    }

    /// Makes a port of each line that connects.
    pub(super) fn serve(
        &self,
        plan: &PortPlan,
        opened: Opened,
        threads: &Arc<Threads>,
        say: &Say,
    ) -> Result<(), LabError> {
        let Opened::TcpListen(socket) = opened else {
            return Err(LabError::new(format!("port {} does not listen", plan.name)));
        };
        say(&format!("switch {} serves lines on {}", self.switch.name(), socket.address()));
        let (switch, plan, told) = (Arc::downgrade(&self.switch), plan.clone(), say.clone());
        let name = plan.name.clone();
        let acceptor = TcpAcceptor::start(socket, tcp_options(say), threads, move |line| {
            let Some(switch) = switch.upgrade() else { return };
            // Whose line has ended makes room.
            let over = switch
                .ports()
                .into_iter()
                .filter(|port| !port.line_is_up && port.name.starts_with(&plan.name));
            over.for_each(|port| {
                switch.remove_port(port.id);
            });
            let name = format!("{} {}", plan.name, line.peer());
            match switch.add_port(line, config_of(&plan, &name)) {
                Ok(port) => told(&format!("{name} is {port} of switch {}", switch.name())),
                Err(error) => told(&format!("{name} gets no port: {error}")),
            }
        });
        let acceptor = acceptor.map_err(|error| LabError::new(format!("cannot listen: {error}")))?;
        self.ports().push((name, None));
        self.acceptors.lock().unwrap_or_else(PoisonError::into_inner).push(acceptor);
        Ok(())
    }

    pub(super) fn add_pvcs(&self, plan: &SwitchPlan) -> Result<(), LabError> {
        for pvc in &plan.pvcs {
            let end = |(port, vpvc): (usize, _)| match self.ports().get(port) {
                Some((_, Some(id))) => Ok((*id, vpvc)),
                _ => Err(LabError::new("a permanent connection ends at a port with a line of its own")),
            };
            let contracts = Contracts::both(pvc.contract);
            let config = PvcConfig { contracts, ..PvcConfig::ubr(end(pvc.a)?, end(pvc.b)?) };
            self.switch.add_pvc(config).map_err(|error| {
                LabError::new(format!("a permanent connection of switch {}: {error}", plan.name))
            })?;
        }
        Ok(())
    }

    /// Takes all ports away.
    pub(super) fn shut_down(&self) {
        self.acceptors.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.switch.shut_down();
    }

    fn ports(&self) -> std::sync::MutexGuard<'_, Vec<(String, Option<PortId>)>> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn config_of(plan: &PortPlan, name: &str) -> PortConfig {
    let mut config = PortConfig::new(name, plan.version);
    config.cells_per_s = plan.cells_per_s;
    if plan.police {
        config.policing = Policing::On { jitter: POLICING_JITTER };
    }
    if let Some(prefix) = plan.prefix {
        config = config.with_prefix(prefix);
    }
    for address in &plan.addresses {
        config = config.with_address(address.clone());
    }
    for route in &plan.routes {
        config = config.with_route(*route, 0);
    }
    config
}

/// What a line that hands cells over in batches adds to their variation: ten such spans.
const POLICING_JITTER: std::time::Duration = std::time::Duration::from_millis(1);
