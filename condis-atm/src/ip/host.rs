//! A host in memory: it answers echo requests, and can ask.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use condis::runtime::{Lane, Runtime, Time};
use condis_link::ip::{IpPort, IpPortUser};
use etherparse::{Icmpv4Type, NetSlice, PacketBuilder, SlicedPacket, TransportSlice};

/// An IPv4 host that knows ICMP echo alone: what an IP client carries packets for where there is no TUN device.
///
/// It puts no fragments together: a packet that came in pieces is none of an echo.
/// Its packets leave on its lane of the runtime, never from inside [`IpPort::deliver`].
pub struct IpHost {
    ip: Ipv4Addr,
    me: Weak<IpHost>,
    runtime: Arc<dyn Runtime>,
    lane: Lane,
    state: Mutex<State>,
    on_answer: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// What became of an echo request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Echo {
    /// Who was asked.
    pub to: Ipv4Addr,
    /// Which of the requests, from 1 on.
    pub sequence: u16,
    /// When.
    pub asked: Time,
    /// When the answer came, if it has.
    pub answered: Option<Time>,
}

/// What a host counts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct IpHostCounters {
    /// Echo requests of others, answered.
    pub echoes_answered: u64,
    /// Echo replies that came for a request.
    pub echo_replies: u64,
    /// Packets that are not IPv4, or broken.
    pub dropped_malformed: u64,
    /// Packets to another address.
    pub dropped_not_for_us: u64,
    /// Packets that are no ICMP echo.
    pub dropped_not_echo: u64,
    /// Echo replies that nobody asked for, or that say something else than was asked.
    pub dropped_unasked: u64,
    /// Packets for which the queue had no room, or that nobody was there to send.
    pub dropped_not_sent: u64,
}

impl IpHostCounters {
    /// Every counter with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        [
            ("echoes_answered", self.echoes_answered),
            ("echo_replies", self.echo_replies),
            ("dropped_malformed", self.dropped_malformed),
            ("dropped_not_for_us", self.dropped_not_for_us),
            ("dropped_not_echo", self.dropped_not_echo),
            ("dropped_unasked", self.dropped_unasked),
            ("dropped_not_sent", self.dropped_not_sent),
        ]
        .into_iter()
    }
}

#[derive(Default)]
struct State {
    user: Option<Weak<dyn IpPortUser>>,
    outgoing: VecDeque<Vec<u8>>,
    scheduled: bool,
    echoes: VecDeque<(Echo, usize)>,
    last_sequence: u16,
    counters: IpHostCounters,
}

impl IpHost {
    /// A host with this address.
    pub fn new(ip: Ipv4Addr, runtime: Arc<dyn Runtime>, lane: Lane) -> Arc<IpHost> {
        let (state, on_answer) = (Mutex::default(), OnceLock::new());
        Arc::new_cyclic(|me| IpHost { ip, me: me.clone(), runtime, lane, state, on_answer })
    }

    /// Sends an echo request with `octets` of data. Its sequence number finds it in [`IpHost::echoes`].
    pub fn ping(&self, to: Ipv4Addr, octets: usize) -> u16 {
        let sequence = {
            let mut state = self.lock();
            state.last_sequence = state.last_sequence.wrapping_add(1);
            let echo = Echo { to, sequence: state.last_sequence, asked: self.runtime.now(), answered: None };
            if state.echoes.len() == ECHOES_MAX {
                state.echoes.pop_front();
            }
            state.echoes.push_back((echo, octets));
            echo.sequence
        };
        let payload = payload(sequence, octets);
        self.transmit(to, Icmpv4Type::EchoRequest(echo_header(sequence)), &payload);
        sequence
    }

    /// Calls this after each answer to a request, under no lock, from whoever delivers it. The first one that is set stays.
    pub fn on_answer(&self, tell: impl Fn() + Send + Sync + 'static) {
        let _ = self.on_answer.set(Box::new(tell));
    }

    /// The last requests of [`IpHost::ping`], the oldest first: 1024 at most.
    pub fn echoes(&self) -> Vec<Echo> {
        self.lock().echoes.iter().map(|(echo, _)| *echo).collect()
    }

    /// What was counted.
    pub fn counters(&self) -> IpHostCounters {
        self.lock().counters
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nobody else's code runs under it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn transmit(&self, to: Ipv4Addr, kind: Icmpv4Type, payload: &[u8]) {
        let builder = PacketBuilder::ipv4(self.ip.octets(), to.octets(), TIME_TO_LIVE).icmpv4(kind);
        let mut packet = Vec::with_capacity(builder.size(payload.len()));
        let written = builder.write(&mut packet, payload);
        let mut state = self.lock();
        // A payload that does not fit an IPv4 packet cannot be written.
        if written.is_err() || state.outgoing.len() >= OUTGOING_MAX {
            state.counters.dropped_not_sent += 1;
            return;
        }
        state.outgoing.push_back(packet);
        if std::mem::replace(&mut state.scheduled, true) {
            return;
        }
        drop(state);
        let me = self.me.clone();
        let job = move || {
            if let Some(host) = me.upgrade() {
                host.flush();
            }
        };
        self.runtime.defer(self.lane, Box::new(job));
    }

    fn flush(&self) {
        let (packets, user) = {
            let mut state = self.lock();
            state.scheduled = false;
            let user = state.user.as_ref().and_then(Weak::upgrade);
            let packets = std::mem::take(&mut state.outgoing);
            if user.is_none() {
                state.counters.dropped_not_sent += packets.len() as u64;
            }
            (packets, user)
        };
        if let Some(user) = user {
            packets.iter().for_each(|packet| user.packet(packet));
        }
    }

    fn replied(&self, from: Ipv4Addr, sequence: u16, data: &[u8]) {
        let now = self.runtime.now();
        let mut state = self.lock();
        let asked = state.echoes.iter_mut().find(|(echo, octets)| {
            echo.sequence == sequence
                && echo.to == from
                && echo.answered.is_none()
                && data == payload(sequence, *octets)
        });
        let Some((echo, _)) = asked else {
            state.counters.dropped_unasked += 1;
            return;
        };
        echo.answered = Some(now);
        state.counters.echo_replies += 1;
        drop(state);
        if let Some(tell) = self.on_answer.get() {
            tell();
        }
    }
}

impl IpPort for IpHost {
    fn attach(&self, user: Weak<dyn IpPortUser>) {
        self.lock().user = Some(user);
    }

    fn deliver(&self, packet: &[u8]) {
        let Ok(sliced) = SlicedPacket::from_ip(packet) else {
            self.lock().counters.dropped_malformed += 1;
            return;
        };
        let Some(NetSlice::Ipv4(ip)) = &sliced.net else {
            self.lock().counters.dropped_malformed += 1;
            return;
        };
        let from = ip.header().source_addr();
        if ip.header().destination_addr() != self.ip {
            self.lock().counters.dropped_not_for_us += 1;
            return;
        }
        match &sliced.transport {
            Some(TransportSlice::Icmpv4(icmp)) => match icmp.icmp_type() {
                Icmpv4Type::EchoRequest(header) => {
                    self.lock().counters.echoes_answered += 1;
                    self.transmit(from, Icmpv4Type::EchoReply(header), icmp.payload());
                }
                Icmpv4Type::EchoReply(header) if header.id == ECHO_ID => {
                    self.replied(from, header.seq, icmp.payload());
                }
                _ => self.lock().counters.dropped_not_echo += 1,
            },
            _ => self.lock().counters.dropped_not_echo += 1,
        }
    }
}

impl std::fmt::Debug for IpHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "host {}: {:?}", self.ip, self.counters())
    }
}

fn echo_header(sequence: u16) -> etherparse::IcmpEchoHeader {
    etherparse::IcmpEchoHeader { id: ECHO_ID, seq: sequence }
}

/// Data that tells requests apart.
fn payload(sequence: u16, octets: usize) -> Vec<u8> {
    (0..octets).map(|at| (at as u16).wrapping_mul(7).wrapping_add(sequence) as u8).collect()
}

const ECHO_ID: u16 = 0xC0D1;
const TIME_TO_LIVE: u8 = 64;

/// Requests that are remembered, and packets that wait to leave.
const ECHOES_MAX: usize = 1024;
const OUTGOING_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use condis::runtime::Sim;

    use super::*;

    /// A wire between two hosts.
    struct Wire(Arc<IpHost>, Mutex<Vec<Vec<u8>>>);

    impl IpPortUser for Wire {
        fn packet(&self, packet: &[u8]) {
            self.1.lock().unwrap().push(packet.to_vec());
            self.0.deliver(packet);
        }
    }

    #[test]
    fn an_echo_comes_back_once_and_unchanged() {
        let sim = Sim::new(1);
        let lane = sim.open_lane("hosts");
        let ip = |number| Ipv4Addr::new(10, 0, 0, number);
        let (a, b) = (IpHost::new(ip(1), sim.clone(), lane), IpHost::new(ip(2), sim.clone(), lane));
        let (to_b, to_a) =
            (Arc::new(Wire(b.clone(), Mutex::default())), Arc::new(Wire(a.clone(), Mutex::default())));
        let (weak_b, weak_a): (Weak<Wire>, Weak<Wire>) = (Arc::downgrade(&to_b), Arc::downgrade(&to_a));
        a.attach(weak_b);
        b.attach(weak_a);
        let told = Arc::new(Mutex::new(0));
        let count = told.clone();
        a.on_answer(move || *count.lock().unwrap() += 1);
        assert_eq!((a.ping(ip(2), 56), a.ping(ip(2), 1400), a.ping(ip(3), 0)), (1, 2, 3));
        assert_eq!(sim.run_until_idle(Duration::from_secs(1)), condis::runtime::Ran::Idle);
        let answered: Vec<bool> = a.echoes().iter().map(|echo| echo.answered.is_some()).collect();
        assert_eq!(answered, [true, true, false]);
        assert_eq!((a.counters().echo_replies, b.counters().echoes_answered), (2, 2));
        assert_eq!(b.counters().dropped_not_for_us, 1);
        let replies = to_a.1.lock().unwrap().clone();
        a.deliver(&replies[0]);
        assert_eq!(*told.lock().unwrap(), 2);
        assert_eq!(a.counters().dropped_unasked, 1, "the same once more");
        let mut broken = replies[0].clone();
        broken[0] = 0x44;
        a.deliver(&broken);
        a.deliver(&[]);
        assert_eq!(a.counters().dropped_malformed, 2);
    }
}
