//! The call engine by itself: Q.2931 messages in and out, without SAAL and lines.

use std::collections::{BTreeMap, VecDeque};

use condis::runtime::{Random, Time};
use condis_link::atm::{Form, VpVc};

use super::call::{CallCounters, Exchange};
use super::config::{PortConfig, SwitchConfig};
use super::fabric::{Fabric, FabricPort};
use super::port::PortId;
use super::prefix::AddressPrefix;
use super::routing::{AddRouteError, Route, RouteSource};
use crate::q2931::call::{CallControl, Output};
use crate::uni::Side;

/// A switch whose ports are handed Q.2931 messages and hand them out: what the calls of a [`SwitchCore`](super::SwitchCore) are without
/// SAAL and cells. Signaling stands at every port, and nothing is lost. For measurements, and for peers of other transports.
///
/// After each input [`MessageSwitch::poll_message`] is called until it gives nothing.
pub struct MessageSwitch {
    exchange: Exchange<CallControl>,
    fabric: Fabric,
    random: Random,
    ports_made: u32,
    outputs: VecDeque<(PortId, Vec<u8>)>,
    timers: BTreeMap<PortId, Time>,
}

impl MessageSwitch {
    /// A switch without ports.
    pub fn new(config: SwitchConfig, seed: u64) -> MessageSwitch {
        MessageSwitch {
            exchange: Exchange::new(config),
            fabric: Fabric::new(),
            random: Random::new(seed),
            ports_made: 0,
            outputs: VecDeque::new(),
            timers: BTreeMap::new(),
        }
    }

    /// Adds a port with the fixed addresses and routes of its configuration.
    ///
    /// # Errors
    /// [`AddRouteError`].
    ///
    /// # Panics
    /// If the range of VPI/VCI is not [valid](super::vc_alloc::VcRange::is_valid).
    pub fn add_port(&mut self, now: Time, config: PortConfig) -> Result<PortId, AddRouteError> {
        let id = PortId(self.ports_made + 1);
        for address in &config.uni.addresses.fixed {
            let route = Route { preference: config.preference, port: id, source: RouteSource::StaticAddress };
            self.exchange.routes.add(AddressPrefix::end_system(address), route)?;
        }
        for &(prefix, preference) in &config.routes {
            let route = Route { preference, port: id, source: RouteSource::StaticPrefix };
            self.exchange.routes.add(prefix, route)?;
        }
        self.ports_made += 1;
        let mut signaling = config.uni.signaling.clone();
        signaling.side = Side::Network;
        let mut calls = CallControl::new(signaling, self.random.next_u64());
        calls.handle_saal_established(now);
        let port = FabricPort {
            form: Form::Cells,
            sdu_octets_max: 65_535,
            cells_per_s: None,
            queues: config.queues,
            flows_max: config.vcs_max.min(config.vcs.vcs_len()),
        };
        self.fabric.add_port(id, &port);
        let rate = config.cells_per_s;
        self.exchange.add_port(id, config, Form::Cells, rate, calls);
        Ok(id)
    }

    /// Takes a port away. Its calls are cut, and the other ends told. False if there is none.
    pub fn remove_port(&mut self, now: Time, port: PortId) -> bool {
        let removed = self.exchange.remove_port(now, &mut self.fabric, port);
        self.fabric.remove_port(port);
        self.timers.remove(&port);
        self.run(now);
        removed
    }

    /// A message that came in at a port.
    pub fn handle_message(&mut self, now: Time, port: PortId, message: &[u8]) {
        if let Some(port) = self.exchange.get_mut(port) {
            port.signaling.handle_message(now, message);
        }
        self.exchange.touch(port);
        self.run(now);
    }

    /// A message that goes out at a port.
    pub fn poll_message(&mut self) -> Option<(PortId, Vec<u8>)> {
        self.outputs.pop_front()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        let due: Vec<PortId> =
            self.timers.iter().filter(|(_, at)| **at <= now).map(|(port, _)| *port).collect();
        for id in due {
            if let Some(port) = self.exchange.get_mut(id) {
                port.signaling.handle_timeout(now);
            }
            self.exchange.touch(id);
        }
        self.run(now);
    }

    /// When [`MessageSwitch::handle_timeout`] is due.
    pub fn next_timeout(&self) -> Option<Time> {
        self.timers.values().copied().min()
    }

    /// How many calls there are through the switch.
    pub fn calls_len(&self) -> usize {
        self.exchange.calls_len()
    }

    /// VPI/VCI that are in use at a port.
    pub fn vcs_in_use(&self, port: PortId) -> usize {
        self.exchange.get(port).map_or(0, |port| port.vcs.in_use_len())
    }

    /// The VPI/VCI that cells of this one lead to.
    pub fn leads_to(&self, port: PortId, vpvc: VpVc) -> Vec<(PortId, VpVc)> {
        self.fabric.flow(port, vpvc).map(|flow| flow.legs).unwrap_or_default()
    }

    /// Directions of connections that the fabric has.
    pub fn flows_len(&self) -> usize {
        self.fabric.flows_len()
    }

    /// What became of calls.
    pub fn counters(&self) -> &CallCounters {
        self.exchange.counters()
    }

    fn run(&mut self, now: Time) {
        while let Some(id) = self.exchange.poll_dirty() {
            while let Some(output) = self.exchange.get_mut(id).and_then(|port| port.signaling.poll_output()) {
                match output {
                    Output::Transmit(message) => self.outputs.push_back((id, message)),
                    Output::Indication(indication) => {
                        self.exchange.handle_indication(now, &mut self.fabric, id, indication);
                    }
                    // It stands always; and nobody looks at the states.
                    Output::EstablishSaal | Output::Transition(_) => {}
                }
            }
            match self.exchange.get(id).and_then(|port| port.signaling.next_timeout()) {
                Some(at) => self.timers.insert(id, at),
                None => self.timers.remove(&id),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::q2931::call::Config;
    use crate::switch::tests::PREFIX;
    use crate::traffic::Contract;
    use crate::uni::{Answer, CallParams, Cause, CauseValue, Contracts, Indication, Version};

    #[test]
    fn a_call_is_eleven_messages() {
        let mut switch = MessageSwitch::new(SwitchConfig::default(), 1);
        let now = Time::ZERO;
        let address = |host| crate::addr::AtmAddress::new(PREFIX, crate::addr::Esi([0, 0, 0, 0, 0, host]), 0);
        let ports = [0, 1].map(|host| {
            let config = PortConfig::new("host", Version::Uni31).with_address(address(host));
            switch.add_port(now, config).unwrap()
        });
        let mut hosts = [0, 1].map(|seed| {
            let mut host = CallControl::new(Config::new(Side::User, Version::Uni31), seed);
            host.handle_saal_established(now);
            host
        });
        let params = CallParams::new(Version::Uni31, address(1), &Contracts::both(Contract::cbr(10)), 1_500);
        let call = hosts[0].setup(now, &params).unwrap();
        let (mut messages, mut is_connected) = (0, false);
        loop {
            let mut is_idle = true;
            for at in 0..2 {
                while let Some(output) = hosts[at].poll_output() {
                    is_idle = false;
                    match output {
                        Output::Transmit(message) => {
                            messages += 1;
                            switch.handle_message(now, ports[at], &message);
                        }
                        Output::Indication(Indication::Setup { call, .. }) => {
                            hosts[at].connect(now, call, &Answer::default()).unwrap();
                        }
                        Output::Indication(Indication::Connected { .. }) => is_connected = true,
                        Output::Indication(Indication::Released { call, .. }) => {
                            hosts[at].release_response(now, call).unwrap();
                        }
                        _ => {}
                    }
                }
            }
            while let Some((port, message)) = switch.poll_message() {
                is_idle = false;
                messages += 1;
                hosts[usize::from(port == ports[1])].handle_message(now, &message);
            }
            if is_idle && std::mem::take(&mut is_connected) {
                assert_eq!(switch.leads_to(ports[0], VpVc::new(0, 32)), [(ports[1], VpVc::new(0, 32))]);
                let cause = Cause::user(CauseValue::NORMAL_CLEARING);
                hosts[0].release(now, call, cause, &[]).unwrap();
            } else if is_idle {
                break;
            }
        }
        assert_eq!((messages, switch.calls_len(), switch.counters().calls_ended), (11, 0, 1));
        assert_eq!(ports.map(|port| switch.vcs_in_use(port)), [0, 0]);
    }
}
