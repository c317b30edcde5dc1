//! Calls through the switch, from SETUP to RELEASE COMPLETE, in memory (`floors/calls.rs`). One operation is one call.
//!
//! - *without SSCOP*: two user sides and the switch, which are handed the messages themselves.
//! - *over SSCOP and cells*: all of it: SSCOP, segmentation, cells through the fabric, reassembly, and back.
//! - *with many held*: the same while other calls stand, to the same with none.

use std::hint::black_box;
use std::io::IoSlice;
use std::time::Duration;

use condis::runtime::Time;
use condis_atm::VpVc;
use condis_atm::aal5::{Reassembler, ReassemblyConfig, Segmenter, cells_of};
use condis_atm::addr::{AtmAddress, Esi};
use condis_atm::cell::runs::runs;
use condis_atm::cell::{HeaderWord, HecReceiver, Interface};
use condis_atm::q2931::call::{CallControl, Config, Limits, Output};
use condis_atm::q2931::wire::{CallingPartyNumber, HighLayerInfo, HighLayerType, LowLayerInfo, Octets};
use condis_atm::switch::{Line, MessageSwitch, PortConfig, PortId, SwitchConfig, SwitchCore};
use condis_atm::traffic::Contract;
use condis_atm::uni::{
    Answer, CallId, CallParams, Cause, CauseValue, Contracts, Indication, Side, Uni, UniConfig, UniOutput,
    Version,
};
use condis_link::atm::Cell;

use crate::floor::Calls;
use crate::harness::{Harness, Target};

#[path = "floors/calls.rs"]
mod floor;
#[path = "../../condis/benches/harness/mod.rs"]
mod harness;

const VERSION: Version = Version::Uni31;

fn main() {
    let mut harness = Harness::from_env("calls through a switch");
    let mut floor = Calls::new();
    println!("SETUP of the floor: {} octets", floor.setup_octets());
    let mut bare = Bare::new(1);
    let title = "a call without SSCOP, by rate";
    harness.compare_rates(
        title,
        Target::AtLeast(0.4),
        |n| (0..n).for_each(|_| floor.call()),
        |n| (0..n).for_each(|_| bare.call()),
    );
    let mut whole = Whole::new();
    let title = "a call over SSCOP and cells, by rate";
    harness.compare_rates(
        title,
        Target::AtLeast(0.2),
        |n| (0..n).for_each(|_| floor.call()),
        |n| (0..n).for_each(|_| whole.call()),
    );
    for held in [100, 10_000, 100_000] {
        let mut many = Bare::new(harness.size(held, 10));
        let title = format!("a call with {held} held, to one with 1");
        harness.compare(
            &title,
            Target::AtMost(1.25),
            |n| (0..n).for_each(|_| bare.call()),
            |n| (0..n).for_each(|_| many.call()),
        );
    }
    harness.finish();
}

fn address(host: u8) -> AtmAddress {
    let prefix = [0x47, 0, 5, 0x80, 0xff, 0xe1, 0, 0, 0, 0xf2, 0x1a, 0, 1];
    AtmAddress::new(prefix, Esi([0, 0x20, 0x48, 0, 0, host]), 0)
}

fn config(host: u8) -> PortConfig {
    let mut config = PortConfig::new("host", VERSION).with_address(address(host)).with_rate(1 << 40);
    config.vcs.vpi = 0..=3;
    config.uni.signaling.limits = limits();
    config
}

fn limits() -> Limits {
    Limits { calls_max: 200_000, ..Limits::DEFAULT }
}

/// The IEs that the floor's SETUP has.
fn params() -> CallParams {
    CallParams {
        calling: Some(CallingPartyNumber::from(address(0))),
        bhli: Some(HighLayerInfo {
            kind: HighLayerType::USER,
            octets: Octets::new([1; 8]).expect("it holds eight"),
        }),
        blli: vec![LowLayerInfo::LLC],
        ..CallParams::new(VERSION, address(1), &Contracts::both(Contract::cbr(1_000)), 1_500)
    }
}

fn clearing() -> Cause {
    Cause::user(CauseValue::NORMAL_CLEARING)
}

/// Two user sides and the switch, without transport.
struct Bare {
    now: Time,
    switch: MessageSwitch,
    ports: [PortId; 2],
    hosts: [CallControl; 2],
    params: CallParams,
    connected: Option<CallId>,
    messages: u64,
}

impl Bare {
    fn new(held: usize) -> Bare {
        let now = Time::ZERO;
        let mut switch = MessageSwitch::new(SwitchConfig::default(), 1);
        let ports = [0, 1].map(|host| switch.add_port(now, config(host)).expect("two ports"));
        let hosts = [0, 1].map(|seed| {
            let signaling = Config { limits: limits(), ..Config::new(Side::User, VERSION) };
            let mut host = CallControl::new(signaling, seed);
            host.handle_saal_established(now);
            host
        });
        let mut bare = Bare { now, switch, ports, hosts, params: params(), connected: None, messages: 0 };
        (0..held).for_each(|_| {
            bare.set_up();
        });
        assert_eq!(bare.switch.calls_len(), held);
        bare
    }

    fn call(&mut self) {
        let call = self.set_up();
        let before = self.switch.calls_len();
        self.hosts[0].release(self.now, call, clearing(), &[]).expect("the call stands");
        self.pass();
        assert_eq!(self.switch.calls_len(), before - 1);
    }

    fn set_up(&mut self) -> CallId {
        self.now = self.now.after(Duration::from_micros(1));
        self.hosts[0].setup(self.now, &self.params).expect("signaling stands");
        self.pass();
        self.connected.take().expect("the call is answered")
    }

    fn pass(&mut self) {
        loop {
            let before = self.messages;
            self.host(0);
            self.host(1);
            while let Some((port, message)) = self.switch.poll_message() {
                self.messages += 1;
                self.hosts[usize::from(port == self.ports[1])].handle_message(self.now, &message);
            }
            if self.messages == before {
                return;
            }
        }
    }

    fn host(&mut self, at: usize) {
        while let Some(output) = self.hosts[at].poll_output() {
            match output {
                Output::Transmit(message) => {
                    self.messages += 1;
                    self.switch.handle_message(self.now, self.ports[at], &message);
                }
                Output::Indication(Indication::Setup { call, params }) => {
                    let answer = Answer { aal: black_box(params).aal.take(), ..Answer::default() };
                    self.hosts[at].connect(self.now, call, &answer).expect("it is offered");
                }
                Output::Indication(Indication::Connected { call, .. }) => self.connected = Some(call),
                Output::Indication(Indication::Released { call, .. }) => {
                    self.hosts[at].release_response(self.now, call).expect("it is released");
                }
                _ => {}
            }
        }
    }
}

/// Two whole user sides and the switch, with cells between.
struct Whole {
    now: Time,
    switch: SwitchCore,
    hosts: [Host; 2],
    params: CallParams,
    connected: Option<CallId>,
}

struct Host {
    port: PortId,
    uni: Uni,
    hec: HecReceiver,
    segmenter: Segmenter,
    reassembler: Reassembler<Box<[u8]>>,
    spare: Vec<Box<[u8]>>,
    to_switch: Vec<Cell>,
}

impl Whole {
    fn new() -> Whole {
        let now = Time::ZERO;
        let mut switch = SwitchCore::new(SwitchConfig::default(), 1);
        let header = HeaderWord::new(Interface::Uni, VpVc::SIGNALING).expect("a UNI has it");
        let hosts = [0, 1].map(|host| Host {
            port: switch.add_port(Line::CELLS, config(host)).expect("two ports"),
            uni: Uni::new(UniConfig::new(Side::User, VERSION), host.into()),
            hec: HecReceiver::new(),
            segmenter: Segmenter::new(header),
            reassembler: Reassembler::new(ReassemblyConfig {
                sdu_octets_max: 4_104,
                ..ReassemblyConfig::default()
            }),
            spare: Vec::new(),
            to_switch: Vec::new(),
        });
        let mut whole = Whole { now, switch, hosts, params: params(), connected: None };
        for at in 0..2 {
            whole.switch.handle_link(now, whole.hosts[at].port, true);
            whole.hosts[at].uni.handle_link(now, true);
        }
        whole.pass();
        assert!(whole.hosts.iter().all(|host| host.uni.signaling_is_up()));
        whole
    }

    fn call(&mut self) {
        // Time passes, and with it what SSCOP does now and then.
        self.now = self.now.after(Duration::from_micros(20));
        if self.switch.next_timeout().is_some_and(|at| at <= self.now) {
            self.switch.handle_timeout(self.now);
        }
        for host in &mut self.hosts {
            if host.uni.next_timeout().is_some_and(|at| at <= self.now) {
                host.uni.handle_timeout(self.now);
            }
        }
        self.hosts[0].uni.setup(self.now, &self.params).expect("signaling stands");
        self.pass();
        let call = self.connected.take().expect("the call is answered");
        self.hosts[0].uni.release(self.now, call, clearing(), &[]).expect("the call stands");
        self.pass();
        assert_eq!(self.switch.calls_len(), 0);
    }

    fn pass(&mut self) {
        loop {
            let mut is_idle = true;
            for at in 0..2 {
                self.host(at);
                let host = &mut self.hosts[at];
                if !host.to_switch.is_empty() {
                    is_idle = false;
                    self.switch.handle_cells(self.now, host.port, &host.to_switch);
                    host.to_switch.clear();
                }
            }
            while let Some((port, _)) = self.switch.poll_ready(self.now) {
                is_idle = false;
                let (now, host) = (self.now, &mut self.hosts[usize::from(port == self.hosts[1].port)]);
                self.switch.transmit_cells(now, port, |cells| {
                    host.receive(now, cells);
                    cells.len()
                });
            }
            if is_idle {
                return;
            }
        }
    }

    fn host(&mut self, at: usize) {
        let host = &mut self.hosts[at];
        while let Some(output) = host.uni.poll_output() {
            match output {
                UniOutput::TransmitSignaling(sdu) => {
                    let from = host.to_switch.len();
                    host.to_switch.resize(from + cells_of(sdu.len()), [0; 53]);
                    let cells = &mut host.to_switch[from..];
                    host.segmenter.segment(&[IoSlice::new(&sdu)], 0, cells).expect("there is room");
                }
                UniOutput::Indication(Indication::Setup { call, params }) => {
                    let answer = Answer { aal: black_box(params).aal.take(), ..Answer::default() };
                    host.uni.connect(self.now, call, &answer).expect("it is offered");
                }
                UniOutput::Indication(Indication::Connected { call, .. }) => self.connected = Some(call),
                UniOutput::Indication(Indication::Released { call, .. }) => {
                    host.uni.release_response(self.now, call).expect("it is released");
                }
                _ => {}
            }
        }
    }
}

impl Host {
    fn receive(&mut self, now: Time, cells: &[Cell]) {
        let Host { uni, hec, reassembler, spare, .. } = self;
        for mut run in runs(hec, Interface::Uni, cells) {
            loop {
                let supply = |octets| Some(spare.pop().unwrap_or_else(|| vec![0; octets].into()));
                let Some(pdu) = reassembler.next_pdu(now, &mut run, supply) else { break };
                uni.handle_signaling_sdu(now, &pdu.buffer[..pdu.sdu_octets]);
                spare.push(pdu.buffer);
            }
        }
    }
}
