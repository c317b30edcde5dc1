//! The machine: its configuration, its inputs and its outputs.
//!
//! | for | look in |
//! |---|---|
//! | calls and permanent connections | `connections` |
//! | a client's line to its server | `server_line` |
//! | whom a packet is for | `neighbours` |
//! | ATMARP | `arp` |

mod arp;
mod connections;
mod neighbours;
mod server_line;

pub(in crate::ip) use arp::same_station;

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

const IPV4_HEADER_OCTETS: usize = 20;

/// IP addresses that a member knows, or asks for, at most: as many as a server's.
const NEIGHBOURS_MAX: usize = 4096;

/// A question is asked again after this, and this often in all. RFC 2225 leaves both open; Linux asks after 1 s to 5 s.
const ASK_AGAIN: Duration = Duration::from_secs(1);
const ASK_TRIES: u32 = 5;

/// A client's entries are good for 15 minutes, a server's for 20 (RFC 2225 §8.4.5 and §8.5).
const CLIENT_AGE: Duration = Duration::from_secs(15 * 60);
const SERVER_AGE: Duration = Duration::from_secs(20 * 60);

/// Between two calls to the server.
const SERVER_PAUSE_MIN: Duration = Duration::from_secs(1);
const SERVER_PAUSE_MAX: Duration = Duration::from_secs(32);
