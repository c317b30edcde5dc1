//! A switch with hosts on its ports: whole user sides, real cells or SDUs, lines that delay, lose and can be cut.

mod addresses;
mod calls;
mod data;
mod faults;
mod hostile;
mod machine;
mod refusals;
mod trees;

use std::collections::{BTreeMap, VecDeque};
use std::io::IoSlice;
use std::time::Duration;

use condis::runtime::{Random, Time};
use condis_link::atm::{Cell, Form, SduIn, VpVc};

use super::*;
use crate::aal5::{Reassembler, ReassemblyConfig, Segmenter, cells_of};
use crate::addr::AtmAddress;
use crate::cell::{HeaderWord, HecReceiver, Interface, runs::runs};
use crate::traffic::Contract;
use crate::uni::{
    Answer, CallId, CallParams, Cause, CauseValue, Contracts, Indication, PartyId, PartyParams, Side, Uni,
    UniConfig, UniOutput, Version,
};

/// The network prefix of the switch.
pub(super) const PREFIX: [u8; 13] = [0x47, 0, 5, 0x80, 0xff, 0xe1, 0, 0, 0, 0xf2, 0x1a, 0, 1];

/// The address of the host with this number.
fn address(host: usize) -> AtmAddress {
    AtmAddress::new(PREFIX, crate::addr::Esi([0, 0x20, 0x48, 0, 0, host as u8]), 0)
}

/// What a host does with a call or a party that is offered to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Habit {
    Answer,
    Refuse(CauseValue),
    /// It says that it proceeds, and nothing else.
    Linger,
}

struct Host {
    port: PortId,
    form: Form,
    uni: Uni,
    habit: Habit,
    reassembly: BTreeMap<VpVc, Reassembler<Vec<u8>>>,
    /// What was told of calls since it was last looked at.
    told: VecDeque<Indication>,
    /// SDUs of clients that arrived.
    received: Vec<(VpVc, Vec<u8>)>,
    is_cut: bool,
}

/// What is on its way.
enum Flight {
    Cells(Vec<Cell>),
    Sdu(VpVc, Vec<u8>),
}

struct Net {
    now: Time,
    core: SwitchCore,
    hosts: Vec<Host>,
    /// What arrives, and when; the number keeps order. True: at the switch.
    flights: BTreeMap<(Time, u64), (usize, bool, Flight)>,
    sent: u64,
    /// Flights lost, of a million.
    loss: u32,
    /// Calls may end while they are answered.
    is_faulty: bool,
    random: Random,
}

const MS: Duration = Duration::from_millis(1);

impl Net {
    /// Hosts 0, 1, … on lines of cells, up, with signaling that stands.
    fn new(hosts: usize, version: Version) -> Net {
        Net::with((0..hosts).map(|host| (Form::Cells, config(host, version))).collect(), 1)
    }

    fn with(ports: Vec<(Form, PortConfig)>, seed: u64) -> Net {
        let core = SwitchCore::new(SwitchConfig::default(), seed);
        let random = Random::stream(seed, 3);
        let mut net = Net {
            now: Time::ZERO,
            core,
            hosts: Vec::new(),
            flights: BTreeMap::new(),
            sent: 0,
            loss: 0,
            is_faulty: false,
            random,
        };
        for (form, config) in ports {
            net.add_host(form, config, seed);
        }
        net.pass(100 * MS);
        assert!(net.hosts.iter().all(|host| host.uni.signaling_is_up()));
        net
    }

    fn add_host(&mut self, form: Form, config: PortConfig, seed: u64) {
        let version = config.uni.signaling.version;
        self.add_host_with(form, config, UniConfig::new(Side::User, version), seed);
    }

    fn add_host_with(&mut self, form: Form, config: PortConfig, user: UniConfig, seed: u64) {
        let line = Line { form, ..Line::CELLS };
        let port = self.core.add_port(line, config).expect("the port is lawful");
        let uni = Uni::new(user, seed ^ self.hosts.len() as u64);
        self.hosts.push(Host {
            port,
            form,
            uni,
            habit: Habit::Answer,
            reassembly: BTreeMap::new(),
            told: VecDeque::new(),
            received: Vec::new(),
            is_cut: true,
        });
        self.set_link(self.hosts.len() - 1, true);
    }

    /// The line of a host comes or goes, at both ends.
    fn set_link(&mut self, host: usize, is_up: bool) {
        self.hosts[host].is_cut = !is_up;
        self.flights.retain(|_, (of, _, _)| is_up || *of != host);
        let port = self.hosts[host].port;
        self.core.handle_link(self.now, port, is_up);
        self.collect();
        self.at(host, |uni, now| uni.handle_link(now, is_up));
    }

    /// Does something at a host.
    fn at<T>(&mut self, host: usize, act: impl FnOnce(&mut Uni, Time) -> T) -> T {
        let now = self.now;
        let result = act(&mut self.hosts[host].uni, now);
        self.settle(host);
        result
    }

    /// Carries out what the signaling of a host wants, and what its habits are.
    fn settle(&mut self, host: usize) {
        while let Some(output) = self.hosts[host].uni.poll_output() {
            match output {
                UniOutput::TransmitSignaling(sdu) => self.send(host, VpVc::SIGNALING, &sdu),
                UniOutput::TransmitIlmi(sdu) => self.send(host, VpVc::ILMI, &sdu),
                UniOutput::Indication(indication) => {
                    self.react(host, &indication);
                    self.hosts[host].told.push_back(indication);
                }
                _ => {}
            }
        }
    }

    fn react(&mut self, host: usize, indication: &Indication) {
        let (now, habit) = (self.now, self.hosts[host].habit);
        let uni = &mut self.hosts[host].uni;
        let answer = Answer::default();
        let done = match (indication, habit) {
            (Indication::Setup { call, .. }, Habit::Answer) => uni.connect(now, *call, &answer),
            (Indication::Setup { call, .. }, Habit::Refuse(value)) => {
                uni.release(now, *call, Cause::user(value), &[])
            }
            (Indication::Setup { call, .. }, Habit::Linger) => uni.proceeding(now, *call, &answer),
            (Indication::PartyOffered { call, party, .. }, Habit::Answer) => {
                uni.party_connect(now, *call, *party, &answer)
            }
            (Indication::PartyOffered { call, party, .. }, Habit::Refuse(value)) => {
                uni.party_reject(now, *call, *party, Cause::user(value))
            }
            (Indication::Released { call, .. }, _) => uni.release_response(now, *call),
            (Indication::ModifyOffered { call, .. }, Habit::Answer) => {
                uni.modify_accept(now, *call, false, &[])
            }
            (Indication::ModifyOffered { call, .. }, Habit::Refuse(value)) => {
                uni.modify_reject(now, *call, Cause::user(value))
            }
            _ => Ok(()),
        };
        // Among faults, what is answered may have ended meanwhile.
        assert!(done.is_ok() || self.is_faulty, "{indication:?}: {done:?}");
    }

    /// A host sends an SDU.
    fn send(&mut self, host: usize, vpvc: VpVc, sdu: &[u8]) {
        let flight = match self.hosts[host].form {
            Form::Sdus => Flight::Sdu(vpvc, sdu.to_vec()),
            Form::Cells => {
                let mut cells = vec![[0; 53]; cells_of(sdu.len())];
                let header = HeaderWord::new(Interface::Uni, vpvc).unwrap();
                Segmenter::new(header).segment(&[IoSlice::new(sdu)], 0, &mut cells).unwrap();
                Flight::Cells(cells)
            }
        };
        self.launch(host, true, flight);
    }

    fn launch(&mut self, host: usize, to_switch: bool, flight: Flight) {
        if self.hosts[host].is_cut || self.random.chance(self.loss) {
            return;
        }
        self.sent += 1;
        self.flights.insert((self.now.after(MS), self.sent), (host, to_switch, flight));
    }

    /// Takes what the switch sends.
    fn collect(&mut self) {
        while let Some((port, form)) = self.core.poll_ready(self.now) {
            let mut flights = Vec::new();
            match form {
                Form::Cells => self.core.transmit_cells(self.now, port, |cells| {
                    flights.push(Flight::Cells(cells.to_vec()));
                    cells.len()
                }),
                Form::Sdus => self.core.transmit_sdus(self.now, port, |sdus| {
                    let octets = |sdu: &condis_link::atm::Sdu<'_>| {
                        sdu.parts.iter().flat_map(|part| part.iter().copied()).collect()
                    };
                    flights.extend(sdus.iter().map(|sdu| Flight::Sdu(sdu.vpvc, octets(sdu))));
                    sdus.len()
                }),
            }
            let host = self.hosts.iter().position(|host| host.port == port).expect("a host on every port");
            flights.into_iter().for_each(|flight| self.launch(host, false, flight));
        }
    }

    fn arrive_at_host(&mut self, host: usize, flight: Flight) {
        let now = self.now;
        let mut sdus = Vec::new();
        match flight {
            Flight::Sdu(vpvc, octets) => sdus.push((vpvc, octets)),
            Flight::Cells(cells) => {
                let reassembly = &mut self.hosts[host].reassembly;
                for mut run in runs(&mut HecReceiver::new(), Interface::Uni, &cells) {
                    let vpvc = run.vpvc();
                    let new = || Reassembler::new(ReassemblyConfig::default());
                    let reassembler = reassembly.entry(vpvc).or_insert_with(new);
                    while let Some(pdu) = reassembler.next_pdu(now, &mut run, |octets| Some(vec![0; octets]))
                    {
                        sdus.push((vpvc, pdu.buffer));
                    }
                }
            }
        }
        for (vpvc, sdu) in sdus {
            match vpvc {
                VpVc::SIGNALING => self.at(host, |uni, now| uni.handle_signaling_sdu(now, &sdu)),
                VpVc::ILMI => self.at(host, |uni, now| uni.handle_ilmi_sdu(now, &sdu)),
                _ => self.hosts[host].received.push((vpvc, sdu)),
            }
        }
    }

    /// Time passes.
    fn pass(&mut self, duration: Duration) {
        let end = self.now.after(duration);
        loop {
            let hosts = self.hosts.iter().filter_map(|host| host.uni.next_timeout());
            let others = [self.core.next_timeout(), self.flights.keys().next().map(|(at, _)| *at)];
            let Some(next) = hosts.chain(others.into_iter().flatten()).min().filter(|next| *next <= end)
            else {
                break;
            };
            self.now = self.now.max(next);
            self.step();
        }
        self.now = end;
    }

    fn step(&mut self) {
        let now = self.now;
        if let Some(entry) = self.flights.first_entry()
            && entry.key().0 <= now
        {
            let (host, to_switch, flight) = entry.remove();
            let port = self.hosts[host].port;
            match (to_switch, flight) {
                (false, flight) => self.arrive_at_host(host, flight),
                (true, Flight::Cells(cells)) => self.core.handle_cells(now, port, &cells),
                (true, Flight::Sdu(vpvc, octets)) => {
                    self.core.handle_sdus(now, port, &[SduIn { vpvc, octets: &octets }]);
                }
            }
        }
        self.core.handle_timeout(now);
        self.collect();
        for host in 0..self.hosts.len() {
            if self.hosts[host].uni.next_timeout().is_some_and(|at| at <= now) {
                self.at(host, |uni, now| uni.handle_timeout(now));
            }
        }
    }

    /// Host `from` calls host `to`.
    fn call(&mut self, from: usize, to: usize, contract: Contract) -> CallId {
        self.call_with(from, |version| params(version, to, contract))
    }

    fn call_with(&mut self, from: usize, params: impl FnOnce(Version) -> CallParams) -> CallId {
        let version = self.hosts[from].uni.config().signaling.version;
        let params = params(version);
        self.at(from, |uni, now| uni.setup(now, &params)).expect("signaling stands")
    }

    fn release(&mut self, host: usize, call: CallId, value: CauseValue) {
        self.at(host, |uni, now| uni.release(now, call, Cause::user(value), &[])).expect("the call is there");
    }

    /// What a host was told since this was last asked.
    fn told(&mut self, host: usize) -> Vec<Indication> {
        self.hosts[host].told.drain(..).collect()
    }

    fn forget(&mut self) {
        self.hosts.iter_mut().for_each(|host| host.told.clear());
    }

    /// The cause with which a call came to its end at a host, if it did.
    fn released(&mut self, host: usize, ended: CallId) -> Option<CauseValue> {
        self.told(host).into_iter().find_map(|indication| match indication {
            Indication::Released { call, causes, .. } if call == ended => Some(causes[0].value),
            _ => None,
        })
    }

    /// Of all that the hosts of the line may have had in their hands nothing is left.
    fn assert_nothing_left(&self, whose: &str) {
        assert_eq!(self.core.calls_len(), 0, "{whose}: {:?}", self.core.calls().collect::<Vec<_>>());
        let ports = self.core.ports().count();
        // Signaling and ILMI.
        assert_eq!(
            (self.core.fabric().flows_len(), self.core.fabric().legs_len()),
            (2 * ports, 0),
            "{whose}"
        );
        for port in self.core.ports() {
            let reserved = (port.incoming_reserved_cells_per_s, port.outgoing_reserved_cells_per_s);
            assert_eq!((port.calls, port.vcs_in_use, port.vcs_draining), (0, 0, 0), "{whose}: {port}");
            assert_eq!(reserved, (0, 0), "{whose}: {port}");
        }
    }
}

/// A port with the host of this number at it.
fn config(host: usize, version: Version) -> PortConfig {
    let mut config =
        PortConfig::new(&format!("host {host}"), version).with_address(address(host)).with_rate(1_000_000);
    config.uni.addresses.prefixes.push(PREFIX);
    config
}

/// A call to a host, the same contract both ways.
fn params(version: Version, to: usize, contract: Contract) -> CallParams {
    CallParams::new(version, address(to), &Contracts::both(contract), 1_500)
}

/// The name of each indication, and its cause: what a script compares.
fn names(indications: &[Indication]) -> Vec<String> {
    let cause = |causes: &[Cause]| causes.first().map_or(0, |cause| cause.value.0);
    indications
        .iter()
        .map(|indication| match indication {
            Indication::Setup { .. } => "Setup".to_owned(),
            Indication::Proceeding { .. } => "Proceeding".to_owned(),
            Indication::Alerting { .. } => "Alerting".to_owned(),
            Indication::Connected { .. } => "Connected".to_owned(),
            Indication::ConnectAcknowledged { .. } => "ConnectAcknowledged".to_owned(),
            Indication::Released { causes, .. } => format!("Released {}", cause(causes)),
            Indication::ReleaseConfirmed { .. } => "ReleaseConfirmed".to_owned(),
            Indication::PartyOffered { party, .. } => format!("PartyOffered {party}"),
            Indication::PartyAlerting { party, .. } => format!("PartyAlerting {party}"),
            Indication::PartyConnected { party, .. } => format!("PartyConnected {party}"),
            Indication::PartyRejected { party, causes, .. } => {
                format!("PartyRejected {party} {}", cause(causes))
            }
            Indication::PartyDropped { party, causes, .. } => {
                format!("PartyDropped {party} {}", cause(causes))
            }
            Indication::PartyDropConfirmed { party, .. } => format!("PartyDropConfirmed {party}"),
            Indication::ModifyOffered { .. } => "ModifyOffered".to_owned(),
            Indication::Modified { .. } => "Modified".to_owned(),
            Indication::ModifyRejected { causes, .. } => format!("ModifyRejected {}", cause(causes)),
            other => format!("{other:?}"),
        })
        .collect()
}
