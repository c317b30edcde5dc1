//! Hosts that send what no host should: nothing panics, and nothing is left of it.

use super::*;
use crate::q2931::call::{CallControl, Config, Output};

/// A switch of messages with a host of its own making at each port, whose messages come to the switch changed, twice, late or not
/// at all.
struct Liars {
    now: Time,
    switch: MessageSwitch,
    ports: Vec<PortId>,
    hosts: Vec<CallControl>,
    /// Messages that were sent, to be sent again.
    heard: Vec<Vec<u8>>,
    random: Random,
}

impl Liars {
    fn new(seed: u64) -> Liars {
        let now = Time::ZERO;
        let mut switch = MessageSwitch::new(SwitchConfig { calls_max: 40, ..SwitchConfig::default() }, seed);
        let versions = [Version::Uni31, Version::Uni40, Version::Uni40];
        let ports = (0..3)
            .map(|host| {
                let mut config = config(host, versions[host]).with_rate(10_000);
                config.vcs.vci = 32..=47;
                switch.add_port(now, config).unwrap()
            })
            .collect();
        let hosts = versions
            .map(|version| {
                let mut host = CallControl::new(Config::new(Side::User, version), seed);
                host.handle_saal_established(now);
                host
            })
            .into();
        Liars { now, switch, ports, hosts, heard: Vec::new(), random: Random::stream(seed, 5) }
    }

    fn step(&mut self) {
        let host = self.random.below(3) as usize;
        let now = self.now;
        let to = self.random.below(4) as usize;
        let contract = Contract::cbr(1 + self.random.below(3_000) as u32);
        let calls: Vec<CallId> = self.hosts[host].calls().map(|line| line.call).collect();
        let any = calls.get(self.random.below(1 + calls.len() as u64) as usize).copied();
        match (self.random.below(6), any) {
            (0 | 1, _) => {
                let mut params = params(Version::Uni40, to, contract);
                if self.random.chance(500_000) {
                    params = params.point_to_multipoint();
                }
                self.hosts[host].setup(now, &params).ok();
            }
            (2, Some(call)) => {
                self.hosts[host].add_party(now, call, &PartyParams::from(address(to))).ok();
            }
            (3, Some(call)) => {
                self.hosts[host].release(now, call, Cause::user(CauseValue::USER_BUSY), &[]).ok();
            }
            (4, _) if !self.heard.is_empty() => {
                let message = self.heard[self.random.below(self.heard.len() as u64) as usize].clone();
                self.tell(host, message);
            }
            _ => {
                self.now = self.now.after(Duration::from_millis(self.random.below(20_000)));
                self.switch.handle_timeout(self.now);
                self.hosts.iter_mut().for_each(|host| host.handle_timeout(self.now));
            }
        }
        self.pass();
    }

    /// Hands a message to the switch, perhaps with octets turned over or missing.
    fn tell(&mut self, host: usize, mut message: Vec<u8>) {
        if self.heard.len() < 200 {
            self.heard.push(message.clone());
        }
        if self.random.chance(300_000) {
            for _ in 0..1 + self.random.below(3) {
                let at = self.random.below(message.len() as u64) as usize;
                message[at] ^= 1 << self.random.below(8);
            }
        }
        if self.random.chance(50_000) {
            message.truncate(self.random.below(message.len() as u64) as usize);
        }
        if !self.random.chance(50_000) {
            self.switch.handle_message(self.now, self.ports[host], &message);
        }
    }

    fn pass(&mut self) {
        for _ in 0..200 {
            let mut is_idle = true;
            for host in 0..3 {
                while let Some(output) = self.hosts[host].poll_output() {
                    is_idle = false;
                    match output {
                        Output::Transmit(message) => self.tell(host, message),
                        Output::Indication(indication) => self.react(host, indication),
                        _ => {}
                    }
                }
            }
            while let Some((port, message)) = self.switch.poll_message() {
                is_idle = false;
                let host = self.ports.iter().position(|known| *known == port).unwrap();
                self.hosts[host].handle_message(self.now, &message);
            }
            if is_idle {
                return;
            }
        }
    }

    fn react(&mut self, host: usize, indication: Indication) {
        let (now, answer) = (self.now, Answer::default());
        let host = &mut self.hosts[host];
        match indication {
            Indication::Setup { call, .. } if self.random.chance(800_000) => {
                host.connect(now, call, &answer).ok();
            }
            Indication::PartyOffered { call, party, .. } => {
                host.party_connect(call, party, &answer).ok();
            }
            Indication::Released { call, .. } => {
                host.release_response(now, call).ok();
            }
            _ => {}
        }
    }
}

#[test]
fn messages_that_lie_do_no_harm() {
    let mut connected = 0;
    for seed in 0..150 {
        let mut liars = Liars::new(seed);
        for _ in 0..80 {
            liars.step();
            assert!(liars.switch.calls_len() <= 40, "seed {seed}");
        }
        connected += liars.switch.counters().calls_connected;
        for port in liars.ports.clone() {
            assert!(liars.switch.remove_port(liars.now, port), "seed {seed}");
        }
        assert_eq!((liars.switch.calls_len(), liars.switch.flows_len()), (0, 0), "seed {seed}");
    }
    assert!(connected > 500, "{connected} calls came to stand");
}

#[test]
fn cells_and_sdus_of_any_content_do_no_harm() {
    for seed in 0..30 {
        let mut random = Random::stream(seed, 6);
        let mut net = Net::with(
            vec![(Form::Cells, config(0, Version::Uni31)), (Form::Sdus, config(1, Version::Uni40))],
            seed,
        );
        net.is_faulty = true;
        super::calls::connected(&mut net, Contract::UBR);
        for _ in 0..200 {
            let vpvc =
                [VpVc::SIGNALING, VpVc::ILMI, VpVc::new(0, 32), VpVc::new(random.below(300) as u16, 7)];
            let vpvc = vpvc[random.below(4) as usize];
            let octets: Vec<u8> = (0..random.below(200)).map(|_| random.next_u64() as u8).collect();
            let ports = [net.hosts[0].port, net.hosts[1].port];
            if random.chance(500_000) {
                net.core.handle_sdus(net.now, ports[1], &[SduIn { vpvc, octets: &octets }]);
            } else {
                let header = HeaderWord(random.next_u64() as u32 & 0xf00f_000f | u32::from(vpvc.vci.0) << 4);
                let mut cell = header.cell(&[random.next_u64() as u8; 48]);
                if random.chance(200_000) {
                    cell[random.below(5) as usize] ^= random.next_u64() as u8;
                }
                net.core.handle_cells(net.now, ports[0], &[cell]);
            }
            net.collect();
            net.pass(MS);
        }
        for host in 0..2 {
            let port = net.hosts[host].port;
            net.core.remove_port(net.now, port);
        }
        net.assert_nothing_left(&format!("seed {seed}"));
    }
}
