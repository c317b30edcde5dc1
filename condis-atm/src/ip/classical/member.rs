use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::time::Duration;

use condis::runtime::Time;

use super::counters::LisCounters;
use super::deadlines::Deadlines;
use super::registry::{Registration, Registry};
use crate::addr::AtmAddress;
use crate::ip::atmarp::{AtmArp, Operation, Station};
use crate::ip::encap::{ATMARP_HEADER, Carried, Encapsulation};

/// Where the ATMARP server of the subnet is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Server {
    /// Here: this member is the server.
    Here,
    /// At this address.
    At(AtmAddress),
    /// Nowhere: permanent connections alone, whose far ends are asked with InATMARP.
    None,
}

/// What a member of a logical IP subnet is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LisConfig {
    /// Its IP address.
    pub ip: Ipv4Addr,
    /// Bits of the subnet's prefix, at most 32.
    pub prefix_len: u8,
    /// Its ATM address.
    pub atm: AtmAddress,
    /// The subnet's server.
    pub server: Server,
    /// Octets of the longest IP packet. [`LisConfig::MTU_OCTETS`] unless all members agree on another (RFC 2225 §7).
    pub mtu_octets: usize,
    /// After how long without a packet a call of a client is closed.
    pub idle: Duration,
}

impl LisConfig {
    /// The MTU of a LIS (RFC 2225 §7).
    pub const MTU_OCTETS: usize = 9180;
    /// Calls that carry nothing are closed after this. 15 minutes, as RFC 1755 wants it (§3.4.1, text not read).
    pub const IDLE: Duration = Duration::from_secs(15 * 60);

    /// A member with everything as the RFC has it.
    pub fn new(ip: Ipv4Addr, prefix_len: u8, atm: AtmAddress, server: Server) -> LisConfig {
        LisConfig { ip, prefix_len, atm, server, mtu_octets: Self::MTU_OCTETS, idle: Self::IDLE }
    }

    fn mask(&self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.prefix_len.min(32))).unwrap_or(0)
    }

    /// True of an address of the subnet.
    pub fn contains(&self, ip: Ipv4Addr) -> bool {
        (u32::from(ip) ^ u32::from(self.ip)) & self.mask() == 0
    }

    fn is_broadcast(&self, ip: Ipv4Addr) -> bool {
        ip.is_broadcast()
            || self.prefix_len < 31 && u32::from(ip) | self.mask() == u32::MAX && self.contains(ip)
    }
}

/// Names a connection inside a member. Never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LisVc(u64);

/// What a member wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LisOutput {
    /// Make a call; answered by [`LisMember::handle_connected`] or [`LisMember::handle_closed`].
    Call {
        /// The connection it will be.
        vc: LisVc,
        /// Whom.
        to: AtmAddress,
    },
    /// Close a call. The member has forgotten it.
    Close {
        /// Which.
        vc: LisVc,
    },
    /// Send an SDU: the header, and behind it the packet.
    Transmit {
        /// On which connection.
        vc: LisVc,
        /// What goes before the packet.
        header: &'static [u8],
        /// The packet.
        packet: Vec<u8>,
    },
    /// An IP packet arrived for the host.
    Deliver(Vec<u8>),
}

/// A member of a logical IP subnet. See [the module](super) for the contract.
pub struct LisMember {
    config: LisConfig,
    /// Calls can be made.
    ready: bool,
    vcs: BTreeMap<LisVc, Connection>,
    /// The connection of a call to or from this address.
    by_remote: BTreeMap<AtmAddress, LisVc>,
    neighbours: BTreeMap<Ipv4Addr, Neighbour>,
    registry: Registry,
    server: ServerLine,
    timers: Deadlines<Timer>,
    outputs: VecDeque<LisOutput>,
    counters: LisCounters,
    next_vc: u64,
}

/// A client's line to its server.
enum ServerLine {
    /// Not called; if the next call fails, the one after it waits this long.
    Down {
        pause: Duration,
    },
    Calling {
        vc: LisVc,
        pause: Duration,
    },
    /// Up, and asked this often to take us in.
    Registering {
        vc: LisVc,
        tries: u32,
    },
    Registered(LisVc),
}

struct Connection {
    encapsulation: Encapsulation,
    state: ConnectionState,
    /// Who is at the far end, as signaling says.
    remote: Option<AtmAddress>,
    used: Time,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ConnectionState {
    Calling,
    Up,
    /// Permanent: up, and never closed by us.
    Permanent,
}

/// What is known of an IP address of the subnet.
struct Neighbour {
    state: Resolution,
    waiting: VecDeque<Vec<u8>>,
}

enum Resolution {
    /// The server has been asked this often.
    Asking { tries: u32 },
    /// A call to this address carries, or will carry, its packets.
    Known { atm: AtmAddress },
    /// This connection does, whoever is at its end.
    Through(LisVc),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    CallServer,
    Register,
    Ask(Ipv4Addr),
    Age(Ipv4Addr),
    AgeRegistered(Ipv4Addr),
    Idle(LisVc),
    AskPermanent(LisVc),
}

impl LisMember {
    /// A member that knows nobody yet.
    pub fn new(config: LisConfig) -> LisMember {
        LisMember {
            config,
            ready: false,
            vcs: BTreeMap::new(),
            by_remote: BTreeMap::new(),
            neighbours: BTreeMap::new(),
            registry: Registry::default(),
            server: ServerLine::Down { pause: SERVER_PAUSE_MIN },
            timers: Deadlines::new(),
            outputs: VecDeque::new(),
            counters: LisCounters::default(),
            next_vc: 0,
        }
    }

    // Inputs

    /// Calls can be made from now on: a client calls its server.
    pub fn handle_ready(&mut self, now: Time) {
        self.ready = true;
        self.call_server(now);
    }

    /// No call can be made any more. Connections are told one by one ([`LisMember::handle_closed`]).
    pub fn handle_network_gone(&mut self) {
        self.ready = false;
        self.timers.disarm(Timer::CallServer);
    }

    /// An IP packet of the host. It is transmitted, waits for its call, or is dropped and counted.
    pub fn send(&mut self, now: Time, packet: Vec<u8>) {
        self.counters.packets_in += 1;
        if packet.first().is_some_and(|first| first >> 4 == 6) {
            self.counters.dropped_ipv6 += 1;
            return;
        }
        let Some(to) = destination(&packet).filter(|_| packet.len() <= self.config.mtu_octets) else {
            self.counters.dropped_malformed += 1;
            return;
        };
        if to == self.config.ip {
            self.counters.packets_delivered += 1;
            self.outputs.push_back(LisOutput::Deliver(packet));
            return;
        }
        if to.is_multicast() || self.config.is_broadcast(to) {
            self.counters.dropped_not_unicast += 1;
            return;
        }
        if !self.config.contains(to) && !self.neighbours.contains_key(&to) {
            self.counters.dropped_not_in_lis += 1;
            return;
        }
        match self.neighbours.get(&to).map(|neighbour| &neighbour.state) {
            Some(Resolution::Through(vc)) => {
                let vc = *vc;
                self.transmit_ip(now, vc, packet);
            }
            Some(Resolution::Known { atm }) => {
                let atm = atm.clone();
                match self.by_remote.get(&atm).copied().filter(|vc| self.is_up(*vc)) {
                    Some(vc) => self.transmit_ip(now, vc, packet),
                    None => {
                        self.wait(to, packet);
                        self.call(now, &atm);
                    }
                }
            }
            Some(Resolution::Asking { .. }) => self.wait(to, packet),
            None if self.neighbours.len() >= NEIGHBOURS_MAX => self.counters.dropped_table_full += 1,
            None => {
                let waiting = VecDeque::from([packet]);
                self.neighbours.insert(to, Neighbour { state: Resolution::Asking { tries: 0 }, waiting });
                self.ask(now, to);
            }
        }
    }

    /// A call that [`LisOutput::Call`] asked for is up.
    pub fn handle_connected(&mut self, now: Time, vc: LisVc) {
        let Some(connection) = self.vcs.get_mut(&vc) else { return };
        connection.state = ConnectionState::Up;
        connection.used = now;
        if matches!(self.server, ServerLine::Calling { vc: server, .. } if server == vc) {
            self.server = ServerLine::Registering { vc, tries: 0 };
            self.register(now);
        }
        self.idle_later(now, vc);
        self.flush(now, vc);
    }

    /// A call came in and is up. `from` is the calling party, if signaling told.
    pub fn handle_incoming(&mut self, now: Time, from: Option<AtmAddress>) -> LisVc {
        let state = ConnectionState::Up;
        let remote = from.clone();
        let vc = self.add(Connection { encapsulation: Encapsulation::LlcSnap, state, remote, used: now });
        if let Some(from) = from {
            self.by_remote.entry(from).or_insert(vc);
        }
        self.idle_later(now, vc);
        if self.config.server == Server::Here {
            self.ask_far_end(vc);
        }
        self.flush(now, vc);
        vc
    }

    /// A permanent connection is up. `ip` is who is at its far end; without it, an InATMARP request asks until it is
    /// answered, which VC multiplexing cannot.
    pub fn handle_permanent(
        &mut self,
        now: Time,
        encapsulation: Encapsulation,
        ip: Option<Ipv4Addr>,
    ) -> LisVc {
        let state = ConnectionState::Permanent;
        let vc = self.add(Connection { encapsulation, state, remote: None, used: now });
        match ip {
            Some(ip) => self.goes_through(now, ip, vc),
            None => self.ask_permanent(now, vc),
        }
        vc
    }

    /// A call failed, or a connection is gone.
    pub fn handle_closed(&mut self, now: Time, vc: LisVc) {
        let Some(connection) = self.forget(vc) else { return };
        self.neighbours
            .retain(|_, neighbour| !matches!(neighbour.state, Resolution::Through(of) if of == vc));
        if let Some(remote) = &connection.remote
            && !self.by_remote.contains_key(remote)
        {
            self.give_up(|neighbour| matches!(&neighbour.state, Resolution::Known { atm } if atm == remote));
        }
        self.server_closed(now, vc);
    }

    /// An SDU arrived.
    pub fn handle_sdu(&mut self, now: Time, vc: LisVc, sdu: &[u8]) {
        let Some(connection) = self.vcs.get_mut(&vc) else {
            self.counters.dropped_no_vc += 1;
            return;
        };
        connection.used = now;
        match connection.encapsulation.parse(sdu) {
            Err(_) => self.counters.dropped_encapsulation += 1,
            Ok(Carried::Ipv4(packet)) => {
                self.counters.packets_delivered += 1;
                self.outputs.push_back(LisOutput::Deliver(packet.to_vec()));
            }
            Ok(Carried::AtmArp(octets)) => match AtmArp::parse(octets) {
                Err(_) => self.counters.dropped_arp_malformed += 1,
                Ok(packet) => {
                    self.counters.arp_received += 1;
                    self.arp(now, vc, packet);
                }
            },
        }
    }

    /// What [`LisOutput::Transmit`] asked for could not be sent: the connection is not up any more, or there is no memory.
    pub const fn handle_not_sent(&mut self) {
        self.counters.dropped_not_sent += 1;
    }

    /// The moment of [`LisMember::next_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::CallServer => self.call_server(now),
                Timer::Register => self.register(now),
                Timer::Ask(ip) => self.ask(now, ip),
                Timer::Age(ip) => self.age(now, ip),
                Timer::AgeRegistered(ip) => self.age_registered(now, ip),
                Timer::Idle(vc) => self.idle(now, vc),
                Timer::AskPermanent(vc) => self.ask_permanent(now, vc),
            }
        }
    }

    // Outputs

    /// When [`LisMember::handle_timeout`] is to be called.
    pub fn next_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<LisOutput> {
        self.outputs.pop_front()
    }

    /// True once a client's server has taken it in; a server always is.
    pub fn is_registered(&self) -> bool {
        match self.config.server {
            Server::Here => self.ready,
            Server::At(_) => matches!(self.server, ServerLine::Registered(_)),
            Server::None => true,
        }
    }

    /// How many permanent connections are up, and of how many of them it is known who is at the far end.
    pub fn permanent(&self) -> (usize, usize) {
        let permanent = self.vcs.iter().filter(|(_, vc)| vc.state == ConnectionState::Permanent);
        let known = permanent.clone().filter(|(vc, _)| !self.timers.is_armed(Timer::AskPermanent(**vc)));
        (permanent.count(), known.count())
    }

    /// What is known of an IP address: its ATM address, once that is known.
    pub fn resolved(&self, ip: Ipv4Addr) -> Option<&AtmAddress> {
        if let Some(Neighbour { state: Resolution::Known { atm }, .. }) = self.neighbours.get(&ip) {
            return Some(atm);
        }
        self.registry.get(ip).map(|there| &there.atm)
    }

    /// What was counted.
    pub const fn counters(&self) -> &LisCounters {
        &self.counters
    }

    /// What it was made with.
    pub const fn config(&self) -> &LisConfig {
        &self.config
    }

    // Connections

    fn add(&mut self, connection: Connection) -> LisVc {
        let vc = LisVc(self.next_vc);
        self.next_vc += 1;
        self.vcs.insert(vc, connection);
        vc
    }

    fn is_up(&self, vc: LisVc) -> bool {
        self.vcs.get(&vc).is_some_and(|connection| connection.state != ConnectionState::Calling)
    }

    /// The connection to `atm`, called if there is none. `None`: calls cannot be made.
    fn call(&mut self, now: Time, atm: &AtmAddress) -> Option<LisVc> {
        if let Some(vc) = self.by_remote.get(atm) {
            return Some(*vc);
        }
        if !self.ready {
            self.give_up(|neighbour| matches!(&neighbour.state, Resolution::Known { atm: to } if to == atm));
            return None;
        }
        let (encapsulation, state) = (Encapsulation::LlcSnap, ConnectionState::Calling);
        let vc = self.add(Connection { encapsulation, state, remote: Some(atm.clone()), used: now });
        self.by_remote.insert(atm.clone(), vc);
        self.counters.calls_made += 1;
        self.outputs.push_back(LisOutput::Call { vc, to: atm.clone() });
        Some(vc)
    }

    /// Takes a connection out of the tables, another one to the same station put in its place if there is one.
    fn forget(&mut self, vc: LisVc) -> Option<Connection> {
        let connection = self.vcs.remove(&vc)?;
        self.timers.disarm(Timer::Idle(vc));
        self.timers.disarm(Timer::AskPermanent(vc));
        if let Some(remote) = &connection.remote
            && self.by_remote.get(remote) == Some(&vc)
        {
            self.by_remote.remove(remote);
            let other = self.vcs.iter().find(|(_, other)| other.remote.as_ref() == Some(remote));
            if let Some((other, _)) = other {
                self.by_remote.insert(remote.clone(), *other);
            }
        }
        Some(connection)
    }

    fn transmit_ip(&mut self, now: Time, vc: LisVc, packet: Vec<u8>) {
        let Some(connection) = self.vcs.get_mut(&vc) else {
            self.counters.dropped_no_vc += 1;
            return;
        };
        connection.used = now;
        self.counters.packets_transmitted += 1;
        let header = connection.encapsulation.ipv4_header();
        self.outputs.push_back(LisOutput::Transmit { vc, header, packet });
    }

    fn transmit_arp(&mut self, vc: LisVc, operation: Operation, source: Station, target: Station) {
        self.counters.arp_transmitted += 1;
        let packet = AtmArp { operation, source, target }.encode();
        self.outputs.push_back(LisOutput::Transmit { vc, header: &ATMARP_HEADER, packet });
    }

    fn idle_later(&mut self, now: Time, vc: LisVc) {
        // A server's callers keep their connections as long as they want to be known (RFC 2225 §8.4).
        if self.config.server != Server::Here {
            self.timers.arm(Timer::Idle(vc), now.after(self.config.idle));
        }
    }

    fn idle(&mut self, now: Time, vc: LisVc) {
        let Some(connection) = self.vcs.get(&vc) else { return };
        let used = if self.server.vc() == Some(vc) { now } else { connection.used };
        let until = used.after(self.config.idle);
        if until > now {
            return self.timers.arm(Timer::Idle(vc), until);
        }
        self.counters.calls_idle += 1;
        self.outputs.push_back(LisOutput::Close { vc });
        self.forget(vc);
        self.neighbours
            .retain(|_, neighbour| !matches!(neighbour.state, Resolution::Through(of) if of == vc));
    }

    // A client and its server

    fn call_server(&mut self, now: Time) {
        let (Server::At(server), &ServerLine::Down { pause }) = (&self.config.server, &self.server) else {
            return;
        };
        let server = server.clone();
        if !self.ready {
            return;
        }
        self.timers.disarm(Timer::CallServer);
        let Some(vc) = self.call(now, &server) else { return };
        if self.is_up(vc) {
            self.server = ServerLine::Registering { vc, tries: 0 };
            self.register(now);
        } else {
            self.server = ServerLine::Calling { vc, pause };
        }
    }

    fn server_closed(&mut self, now: Time, vc: LisVc) {
        if self.server.vc() != Some(vc) {
            return;
        }
        let pause = match self.server {
            ServerLine::Calling { pause, .. } => pause,
            _ => SERVER_PAUSE_MIN,
        };
        self.timers.disarm(Timer::Register);
        self.server = ServerLine::Down { pause: pause.saturating_mul(2).min(SERVER_PAUSE_MAX) };
        self.timers.arm(Timer::CallServer, now.after(pause));
    }

    /// Asks the server for our own address, which registers it (RFC 2225 §8.4.1).
    fn register(&mut self, now: Time) {
        let vc = match self.server {
            ServerLine::Down { .. } | ServerLine::Calling { .. } => return,
            ServerLine::Registering { vc, .. } | ServerLine::Registered(vc) => vc,
        };
        let tries = match self.server {
            ServerLine::Registering { tries, .. } => tries + 1,
            _ => 1,
        };
        self.server = ServerLine::Registering { vc, tries };
        let target = Station { ip: Some(self.config.ip), ..Station::default() };
        self.transmit_arp(vc, Operation::ArpRequest, self.me(), target);
        let again = if tries < ASK_TRIES { ASK_AGAIN } else { REGISTER_SLOWLY };
        self.timers.arm(Timer::Register, now.after(again));
    }

    /// The server knows us.
    fn registered(&mut self, now: Time, vc: LisVc) {
        self.server = ServerLine::Registered(vc);
        self.timers.arm(Timer::Register, now.after(REGISTER_AGAIN));
        let asking: Vec<Ipv4Addr> = self
            .neighbours
            .iter()
            .filter(|(_, neighbour)| matches!(neighbour.state, Resolution::Asking { .. }))
            .map(|(ip, _)| *ip)
            .collect();
        for ip in asking {
            self.ask(now, ip);
        }
    }

    // Whom a packet is for

    fn wait(&mut self, to: Ipv4Addr, packet: Vec<u8>) {
        let Some(neighbour) = self.neighbours.get_mut(&to) else { return };
        if neighbour.waiting.len() >= WAITING_MAX {
            self.counters.dropped_queue_full += 1;
            return;
        }
        neighbour.waiting.push_back(packet);
    }

    /// Asks for `ip`, or gives up.
    fn ask(&mut self, now: Time, ip: Ipv4Addr) {
        if self.config.server == Server::Here {
            match self.registry.get(ip).map(|there| there.atm.clone()) {
                Some(atm) => self.known(now, ip, atm),
                None => self.unresolved(ip),
            }
            return;
        }
        let Some(Neighbour { state: Resolution::Asking { tries }, .. }) = self.neighbours.get_mut(&ip) else {
            return;
        };
        *tries += 1;
        // Without a server it may still be the one at a permanent connection that has not said who is there.
        let tries = *tries;
        let (permanent, known) = self.permanent();
        if tries > ASK_TRIES || self.config.server == Server::None && known == permanent {
            return self.unresolved(ip);
        }
        self.timers.arm(Timer::Ask(ip), now.after(ASK_AGAIN));
        match self.server.vc().filter(|vc| self.is_up(*vc)) {
            Some(vc) => {
                let target = Station { ip: Some(ip), ..Station::default() };
                self.transmit_arp(vc, Operation::ArpRequest, self.me(), target);
            }
            None => self.call_server(now),
        }
    }

    fn unresolved(&mut self, ip: Ipv4Addr) {
        self.timers.disarm(Timer::Ask(ip));
        if let Some(neighbour) = self.neighbours.remove(&ip) {
            self.counters.dropped_unresolved += neighbour.waiting.len() as u64;
        }
    }

    /// `ip` is at `atm`; its packets go there.
    fn known(&mut self, now: Time, ip: Ipv4Addr, atm: AtmAddress) {
        self.timers.disarm(Timer::Ask(ip));
        self.timers.arm(Timer::Age(ip), now.after(CLIENT_AGE));
        let Some(neighbour) = self.neighbours.get_mut(&ip) else {
            if self.neighbours.len() < NEIGHBOURS_MAX {
                let state = Resolution::Known { atm };
                self.neighbours.insert(ip, Neighbour { state, waiting: VecDeque::new() });
            } else {
                self.timers.disarm(Timer::Age(ip));
                self.counters.dropped_table_full += 1;
            }
            return;
        };
        neighbour.state = Resolution::Known { atm: atm.clone() };
        if !neighbour.waiting.is_empty()
            && let Some(vc) = self.call(now, &atm)
            && self.is_up(vc)
        {
            self.flush(now, vc);
        }
    }

    /// `ip` is behind a permanent connection.
    fn goes_through(&mut self, now: Time, ip: Ipv4Addr, vc: LisVc) {
        self.timers.disarm(Timer::Ask(ip));
        let neighbour = self
            .neighbours
            .entry(ip)
            .or_insert_with(|| Neighbour { state: Resolution::Through(vc), waiting: VecDeque::new() });
        neighbour.state = Resolution::Through(vc);
        for packet in std::mem::take(&mut neighbour.waiting) {
            self.transmit_ip(now, vc, packet);
        }
    }

    /// What waits for this connection goes out.
    fn flush(&mut self, now: Time, vc: LisVc) {
        let Some(remote) = self.vcs.get(&vc).and_then(|connection| connection.remote.clone()) else { return };
        let mut packets = Vec::new();
        for neighbour in self.neighbours.values_mut() {
            if matches!(&neighbour.state, Resolution::Known { atm } if *atm == remote) {
                packets.extend(neighbour.waiting.drain(..));
            }
        }
        for packet in packets {
            self.transmit_ip(now, vc, packet);
        }
    }

    /// The packets that wait for these neighbours are lost, and they will be asked for again.
    fn give_up(&mut self, of: impl Fn(&Neighbour) -> bool) {
        let lost: Vec<Ipv4Addr> =
            self.neighbours.iter().filter(|(_, neighbour)| of(neighbour)).map(|(ip, _)| *ip).collect();
        for ip in lost {
            self.timers.disarm(Timer::Age(ip));
            if let Some(neighbour) = self.neighbours.remove(&ip) {
                self.counters.dropped_call_failed += neighbour.waiting.len() as u64;
            }
        }
    }

    /// An entry is old: it is asked for again while its connection stands, and forgotten without one (RFC 2225 §8.5).
    fn age(&mut self, now: Time, ip: Ipv4Addr) {
        let Some(Neighbour { state: Resolution::Known { atm }, .. }) = self.neighbours.get_mut(&ip) else {
            return;
        };
        let atm = atm.clone();
        if self.by_remote.contains_key(&atm)
            && let Some(neighbour) = self.neighbours.get_mut(&ip)
        {
            neighbour.state = Resolution::Asking { tries: 0 };
            self.ask(now, ip);
        } else {
            self.give_up(|neighbour| matches!(&neighbour.state, Resolution::Known { atm: of } if *of == atm));
        }
    }

    // ATMARP

    fn me(&self) -> Station {
        Station::new(self.config.atm.clone(), self.config.ip)
    }

    fn arp(&mut self, now: Time, vc: LisVc, packet: AtmArp) {
        if self.is_impostor(vc, &packet) {
            self.counters.dropped_arp_impostor += 1;
            return;
        }
        match packet.operation {
            Operation::ArpRequest if self.config.server == Server::Here => self.arp_request(now, vc, packet),
            Operation::ArpRequest => self.counters.dropped_arp_no_server += 1,
            Operation::ArpReply | Operation::ArpNak if self.server.vc() != Some(vc) => {
                self.counters.dropped_arp_unasked += 1;
            }
            Operation::ArpReply => self.arp_reply(now, vc, packet),
            Operation::ArpNak => self.arp_nak(packet),
            Operation::InArpRequest => {
                self.transmit_arp(vc, Operation::InArpReply, self.me(), packet.source.clone());
                self.introduced(now, vc, packet.source);
            }
            Operation::InArpReply => self.introduced(now, vc, packet.source),
        }
    }

    /// A station speaks for itself alone; a reply or a NAK of the server speaks of others.
    fn is_impostor(&self, vc: LisVc, packet: &AtmArp) -> bool {
        let speaks_for_itself = !matches!(packet.operation, Operation::ArpReply | Operation::ArpNak);
        if !speaks_for_itself {
            return false;
        }
        if packet.source.ip == Some(self.config.ip) {
            return true;
        }
        let remote = self.vcs.get(&vc).and_then(|connection| connection.remote.as_ref());
        match (remote, &packet.source.atm) {
            (Some(remote), Some(said)) => !same_station(remote, said),
            _ => false,
        }
    }

    /// The server is asked, and told who asks (RFC 2225 §8.4.2 to §8.4.4).
    fn arp_request(&mut self, now: Time, vc: LisVc, packet: AtmArp) {
        if let (Some(ip), Some(atm)) = (packet.source.ip, &packet.source.atm) {
            self.take_in(now, vc, ip, atm.clone());
        }
        let Some(ip) = packet.target.ip else {
            self.counters.dropped_arp_malformed += 1;
            return;
        };
        let found = if ip == self.config.ip {
            Some(self.me())
        } else {
            self.registry.get(ip).map(|there| Station::new(there.atm.clone(), ip))
        };
        match found {
            Some(station) => self.transmit_arp(vc, Operation::ArpReply, station, packet.source),
            None => self.transmit_arp(vc, Operation::ArpNak, packet.source, packet.target),
        }
    }

    fn arp_reply(&mut self, now: Time, vc: LisVc, packet: AtmArp) {
        let (Some(ip), Some(atm)) = (packet.source.ip, packet.source.atm) else {
            self.counters.dropped_arp_malformed += 1;
            return;
        };
        if ip == self.config.ip {
            if atm == self.config.atm {
                self.registered(now, vc);
            } else {
                // Somebody else has our address at the server. It may leave; until then we ask to be taken in.
                self.counters.dropped_arp_impostor += 1;
            }
            return;
        }
        let asked = self
            .neighbours
            .get(&ip)
            .is_some_and(|neighbour| matches!(neighbour.state, Resolution::Asking { .. }));
        if asked {
            self.known(now, ip, atm);
        } else {
            self.counters.dropped_arp_unasked += 1;
        }
    }

    fn arp_nak(&mut self, packet: AtmArp) {
        let asked = packet.target.ip.filter(|ip| {
            let neighbour = self.neighbours.get(ip);
            neighbour.is_some_and(|neighbour| matches!(neighbour.state, Resolution::Asking { .. }))
        });
        match asked {
            Some(ip) => self.unresolved(ip),
            None => self.counters.dropped_arp_unasked += 1,
        }
    }

    /// The station at the far end said who it is.
    fn introduced(&mut self, now: Time, vc: LisVc, station: Station) {
        let (Some(ip), Some(connection)) = (station.ip, self.vcs.get_mut(&vc)) else { return };
        if connection.state == ConnectionState::Permanent {
            self.timers.disarm(Timer::AskPermanent(vc));
            return match self.neighbours.get(&ip).map(|neighbour| &neighbour.state) {
                Some(Resolution::Through(other)) if *other != vc => self.counters.dropped_arp_impostor += 1,
                None if self.neighbours.len() >= NEIGHBOURS_MAX => self.counters.dropped_table_full += 1,
                Some(_) | None => self.goes_through(now, ip, vc),
            };
        }
        let Some(atm) = station.atm else { return };
        if connection.remote.is_none() {
            connection.remote = Some(atm.clone());
            self.by_remote.entry(atm.clone()).or_insert(vc);
        }
        match self.config.server {
            Server::Here => self.take_in(now, vc, ip, atm),
            Server::At(_) | Server::None => self.believe(now, ip, atm),
        }
    }

    /// A caller says that it has this address: believed, unless it is known to be elsewhere. One that moved is found by asking, once the call to
    /// where it was fails or the entry is old.
    fn believe(&mut self, now: Time, ip: Ipv4Addr, atm: AtmAddress) {
        let is_elsewhere = match self.neighbours.get(&ip).map(|neighbour| &neighbour.state) {
            Some(Resolution::Known { atm: known }) => !same_station(known, &atm),
            Some(Resolution::Through(_)) => true,
            Some(Resolution::Asking { .. }) | None => false,
        };
        if !self.config.contains(ip) {
            self.counters.dropped_not_in_lis += 1;
        } else if is_elsewhere {
            self.counters.dropped_arp_impostor += 1;
        } else {
            self.known(now, ip, atm);
        }
    }

    /// Takes a station into the server's table.
    fn take_in(&mut self, now: Time, vc: LisVc, ip: Ipv4Addr, atm: AtmAddress) {
        if !self.config.contains(ip) {
            self.counters.dropped_not_in_lis += 1;
            return;
        }
        let vcs = &self.vcs;
        match self.registry.register(ip, &atm, vc, |vc| vcs.contains_key(&vc)) {
            Registration::Done => {
                self.timers.arm(Timer::AgeRegistered(ip), now.after(SERVER_AGE));
                self.known(now, ip, atm);
            }
            Registration::Duplicate => self.counters.duplicates_refused += 1,
            Registration::Full => self.counters.dropped_table_full += 1,
        }
    }

    /// A station has not been heard of: it is asked while its connection stands, and once.
    fn age_registered(&mut self, now: Time, ip: Ipv4Addr) {
        let Some(vc) = self.registry.get(ip).map(|there| there.vc) else { return };
        if self.vcs.contains_key(&vc) {
            self.ask_far_end(vc);
            // What it answers registers it anew; the timer is then moved.
            self.timers.arm(Timer::AgeRegistered(ip), now.after(SERVER_AGE));
        } else {
            self.registry.remove(ip);
        }
    }

    /// InATMARP: who are you? (RFC 2225 §8.2)
    fn ask_far_end(&mut self, vc: LisVc) {
        let Some(connection) = self.vcs.get(&vc) else { return };
        let target = Station { atm: connection.remote.clone(), ..Station::default() };
        self.transmit_arp(vc, Operation::InArpRequest, self.me(), target);
    }

    fn ask_permanent(&mut self, now: Time, vc: LisVc) {
        if self.vcs.get(&vc).is_some_and(|connection| connection.encapsulation == Encapsulation::LlcSnap) {
            self.ask_far_end(vc);
            self.timers.arm(Timer::AskPermanent(vc), now.after(ASK_AGAIN));
        }
    }
}

impl ServerLine {
    const fn vc(&self) -> Option<LisVc> {
        match self {
            ServerLine::Down { .. } => None,
            ServerLine::Calling { vc, .. }
            | ServerLine::Registering { vc, .. }
            | ServerLine::Registered(vc) => Some(*vc),
        }
    }
}

/// The destination of an IPv4 packet.
fn destination(packet: &[u8]) -> Option<Ipv4Addr> {
    if packet.len() < IPV4_HEADER_OCTETS || packet[0] >> 4 != 4 {
        return None;
    }
    Some(Ipv4Addr::new(packet[16], packet[17], packet[18], packet[19]))
}

/// The same, whatever its selector: that names a user within a station.
pub(in crate::ip) fn same_station(one: &AtmAddress, other: &AtmAddress) -> bool {
    match (one, other) {
        (AtmAddress::Nsap(one), AtmAddress::Nsap(other)) => one[..19] == other[..19],
        _ => one == other,
    }
}

const IPV4_HEADER_OCTETS: usize = 20;

/// IP addresses that a member knows, or asks for, at most: as many as a server's.
const NEIGHBOURS_MAX: usize = 4096;

/// Packets that wait for one address. 8: the beginning of a connection of TCP, not a queue.
const WAITING_MAX: usize = 8;

/// A question is asked again after this, and this often in all. RFC 2225 leaves both open; Linux asks after 1 s to 5 s.
const ASK_AGAIN: Duration = Duration::from_secs(1);
const ASK_TRIES: u32 = 5;

/// A client's entries are good for 15 minutes, a server's for 20, and a client registers anew before that
/// (RFC 2225 §8.4.5 and §8.5).
const CLIENT_AGE: Duration = Duration::from_secs(15 * 60);
const SERVER_AGE: Duration = Duration::from_secs(20 * 60);
const REGISTER_AGAIN: Duration = Duration::from_secs(15 * 60);

/// A server that does not take us in is asked less often after the first [`ASK_TRIES`].
const REGISTER_SLOWLY: Duration = Duration::from_secs(30);

/// Between two calls to the server.
const SERVER_PAUSE_MIN: Duration = Duration::from_secs(1);
const SERVER_PAUSE_MAX: Duration = Duration::from_secs(32);
