//! Aim: frames pass a real interface whole, in order and with their VLAN tags; nothing else wakes the link; and a link whose
//! interface goes away says so and is quiet. Method: two links on the two ends of a veth pair, in a network namespace made for
//! the test. Needs root; without it each test says that it was skipped, which is a failure where CONDIS_REQUIRE_PEERS=1.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::IoSlice;
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use condis::runtime::Threads;
use condis_link::counters::Count;
use condis_link::ethernet::{CapabilitiesError, Ethernet, EthernetSocket, OpenError, drop_capabilities};
use condis_link::header::{EtherType, Header, VlanTag};
use condis_link::{Frame, Link, LinkUser, MacAddr};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

const PPPOE: [EtherType; 2] = [EtherType::PPPOE_DISCOVERY, EtherType::PPPOE_SESSION];

/// What comes later than this does not come: only ever waited for in full by a test that fails.
const HANG: Duration = Duration::from_secs(20);

/// A network namespace with the pair left-right in it, both up. The calling thread is in it until its end.
struct Namespace {
    name: String,
}

impl Namespace {
    /// `None`, after having said so, without root.
    fn enter(test: &str) -> Option<Namespace> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if !rustix::process::geteuid().is_root() {
            println!("SKIPPED {test}: needs root");
            assert!(
                std::env::var("CONDIS_REQUIRE_PEERS").as_deref() != Ok("1"),
                "{test} must not be skipped"
            );
            return None;
        }
        let name = format!("condis-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        ip(&format!("netns add {name}"));
        let namespace = Namespace { name };
        let file = File::open(format!("/run/netns/{}", namespace.name)).expect("it was just added");
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).expect("we are root");
        ip("link add left type veth peer name right");
        ip("link set left up");
        ip("link set right up");
        Some(namespace)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        ip(&format!("netns del {}", self.name));
    }
}

fn skip(test: &str, needs: &str) {
    println!("SKIPPED {test}: needs {needs}");
    assert!(std::env::var("CONDIS_REQUIRE_PEERS").as_deref() != Ok("1"), "{test} must not be skipped");
}

/// Runs `ip`, in the namespace of the calling thread.
fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().expect("iproute2 is installed");
    assert!(status.success(), "ip {arguments}");
}

/// A link with a user that passes on what it hears.
struct Station {
    link: Arc<Ethernet>,
    frames: Receiver<Vec<u8>>,
    states: Receiver<bool>,
    room: Receiver<()>,
    _user: Arc<dyn LinkUser>,
}

struct User {
    frames: Sender<Vec<u8>>,
    states: Sender<bool>,
    room: Sender<()>,
}

impl LinkUser for User {
    fn receive(&self, frames: &[&[u8]]) {
        frames.iter().for_each(|frame| self.frames.send(frame.to_vec()).unwrap());
    }

    fn link_state(&self, up: bool) {
        self.states.send(up).unwrap();
    }

    fn writable(&self) {
        self.room.send(()).unwrap();
    }
}

impl Station {
    fn open(name: &str, threads: &Threads) -> Station {
        Station::start(EthernetSocket::open(name, &PPPOE).expect("the interface can be opened"), threads)
    }

    fn start(socket: EthernetSocket, threads: &Threads) -> Station {
        let link = Ethernet::start(socket, threads).unwrap();
        let ((frames_to, frames), (states_to, states), (room_to, room)) = (channel(), channel(), channel());
        let user: Arc<dyn LinkUser> = Arc::new(User { frames: frames_to, states: states_to, room: room_to });
        link.attach(Arc::downgrade(&user));
        Station { link, frames, states, room, _user: user }
    }

    fn header(&self, to: MacAddr, ethertype: EtherType) -> Header {
        Header::new(to, self.link.address(), ethertype)
    }

    fn send(&self, header: Header, payload: &[u8]) {
        let mut room = [0; Header::OCTETS_MAX];
        let parts = [IoSlice::new(header.encode(&mut room)), IoSlice::new(payload)];
        assert_eq!(self.link.transmit(&[Frame::new(&parts)]), 1);
    }

    fn hear(&self) -> Vec<u8> {
        self.frames.recv_timeout(HANG).expect("a frame arrives")
    }

    /// Waits until the link is as asked.
    fn wait_until(&self, up: bool) {
        while self.link.is_up() != up {
            self.states.recv_timeout(HANG).expect("the state changes");
        }
    }

    /// Hears what `other` sends now, and nothing that came before.
    fn hears_nothing_before_the_next_of(&self, other: &Station) {
        other.send(other.header(self.link.address(), PPPOE[0]), b"the next");
        let heard = self.hear();
        assert_eq!(&heard[14..], b"the next", "{heard:02x?}");
    }
}

fn pair(threads: &Threads) -> [Station; 2] {
    let stations = ["left", "right"].map(|name| Station::open(name, threads));
    stations.iter().for_each(|station| station.wait_until(true));
    stations
}

#[test]
fn ethernet_veth_frames_pass_both_ways() {
    let Some(_namespace) = Namespace::enter("ethernet_veth_frames_pass_both_ways") else { return };
    let threads = Threads::new();
    let [left, right] = pair(&threads);
    assert_eq!((left.link.name(), left.link.mtu_octets()), ("left", 1500));
    assert!(left.link.address().is_station() && left.link.address() != right.link.address());
    for (from, to) in [(&left, &right), (&right, &left)] {
        let header = from.header(to.link.address(), PPPOE[1]);
        let mut room = [0; Header::OCTETS_MAX];
        let head = header.encode(&mut room);
        let payloads: Vec<_> = (0..1000u32).map(|n| [&n.to_be_bytes()[..], &[7; 1496]].concat()).collect();
        let parts: Vec<_> = payloads.iter().map(|p| [IoSlice::new(head), IoSlice::new(p)]).collect();
        let frames: Vec<_> = parts.iter().map(|parts| Frame::new(parts)).collect();
        // Less at a time than a receive buffer holds.
        for frames in frames.chunks(50) {
            assert_eq!(from.link.transmit(frames), frames.len());
            for frame in frames {
                let mut expected = Vec::new();
                frame.append_to(&mut expected);
                assert!(to.hear() == expected);
            }
        }
        assert_eq!(from.link.counters().get(Count::Sent), 1000);
        assert_eq!(to.link.counters().get(Count::ReceivedOctets), 1000 * 1514);
    }
}

/// IEEE 802.1Q §9.3: a tag stands behind the source address. The kernel takes the outer one off and tells it aside.
#[test]
fn ethernet_veth_vlan_tags_arrive() {
    let Some(_namespace) = Namespace::enter("ethernet_veth_vlan_tags_arrive") else { return };
    let threads = Threads::new();
    let [left, right] = pair(&threads);
    let plain = left.header(right.link.address(), PPPOE[0]);
    let priority = VlanTag { protocol: EtherType::C_TAG, control: 0xe000 };
    let outer = VlanTag { protocol: EtherType::S_TAG, control: 0x2007 };
    let double = Header { tags: [Some(outer), Some(VlanTag::customer(42))], ..plain };
    for header in
        [plain.tagged(VlanTag::customer(0x123)), plain.tagged(priority), plain.tagged(outer), double]
    {
        left.send(header, &[0x55; 64]);
        let heard = right.hear();
        assert_eq!(Header::parse(&heard), Ok((header, &[0x55; 64][..])), "{heard:02x?}");
    }
}

#[test]
fn ethernet_veth_only_what_is_ours_is_heard() {
    let Some(_namespace) = Namespace::enter("ethernet_veth_only_what_is_ours_is_heard") else { return };
    let threads = Threads::new();
    let [left, right] = pair(&threads);
    let (all, to_right) = (MacAddr::BROADCAST, right.link.address());
    left.send(left.header(all, PPPOE[0]), b"to all");
    assert_eq!(&right.hear()[14..], b"to all");
    // IPv4 and ARP, plain and tagged.
    for ethertype in [EtherType(0x0800), EtherType(0x0806)] {
        left.send(left.header(all, ethertype), &[0; 60]);
        left.send(left.header(to_right, ethertype).tagged(VlanTag::customer(5)), &[0; 60]);
    }
    left.send(left.header(MacAddr::new([1, 0, 0x5e, 0, 0, 1]), PPPOE[0]), b"to a group");
    left.send(left.header(MacAddr::local(99), PPPOE[0]), b"to another station");
    right.hears_nothing_before_the_next_of(&left);
    // Nor does the left one hear what it sends itself.
    left.hears_nothing_before_the_next_of(&right);
}

#[test]
fn ethernet_veth_what_cannot_be_sent_is_counted() {
    let Some(_namespace) = Namespace::enter("ethernet_veth_what_cannot_be_sent_is_counted") else { return };
    let threads = Threads::new();
    let [left, right] = pair(&threads);
    left.send(left.header(right.link.address(), PPPOE[0]), &[0; 1600]);
    let short = [IoSlice::new(&[2; 13])];
    let head = left.header(right.link.address(), PPPOE[0]).encode(&mut [0; Header::OCTETS_MAX]).to_vec();
    let good = [IoSlice::new(&head), IoSlice::new(b"the next")];
    // The bad one in the middle of a batch harms no other.
    let batch = [Frame::new(&good), Frame::new(&short), Frame::new(&[]), Frame::new(&good)];
    assert_eq!(left.link.transmit(&batch), 4);
    assert!([right.hear(), right.hear()].iter().all(|heard| heard.ends_with(b"the next")));
    let counts = [Count::TooLong, Count::TooShort, Count::Sent].map(|count| left.link.counters().get(count));
    assert_eq!(counts, [1, 2, 2]);
    left.link.close();
    left.send(left.header(right.link.address(), PPPOE[0]), b"closed");
    assert!(left.link.counters().get(Count::Closed) == 1 && !left.link.is_up());
}

#[test]
fn ethernet_veth_the_state_of_the_interface_is_told() {
    let Some(_namespace) = Namespace::enter("ethernet_veth_the_state_of_the_interface_is_told") else {
        return;
    };
    let threads = Threads::new();
    let [left, right] = pair(&threads);
    // The carrier goes when the other end goes down.
    ip("link set right down");
    left.wait_until(false);
    right.wait_until(false);
    right.send(right.header(left.link.address(), PPPOE[0]), b"lost");
    assert_eq!(right.link.counters().get(Count::Down), 1);
    ip("link set right up");
    left.wait_until(true);
    right.wait_until(true);
    left.hears_nothing_before_the_next_of(&right);
    // Renamed it is the same interface.
    ip("link set right down");
    ip("link set right name other");
    ip("link set other up");
    right.wait_until(true);
    left.wait_until(true);
    left.hears_nothing_before_the_next_of(&right);

    ip("link del left");
    left.wait_until(false);
    right.wait_until(false);
    left.send(left.header(MacAddr::BROADCAST, PPPOE[0]), b"lost");
    assert_eq!(left.link.counters().get(Count::Down), 1);
    // Another one with its name is not it.
    ip("link add left type veth peer name right");
    ip("link set left up");
    ip("link set right up");
    let [new, _peer] = pair(&threads);
    assert!(new.link.is_up() && !left.link.is_up());
}

#[test]
fn ethernet_veth_a_full_socket_refuses_and_calls_back() {
    let Some(_namespace) = Namespace::enter("ethernet_veth_a_full_socket_refuses_and_calls_back") else {
        return;
    };
    // A queue that holds on to what it is given: 4 Mbit/s, so that the socket's own bound is reached first.
    let shaper = "qdisc add dev left root tbf rate 4mbit burst 2000 limit 10000000";
    let shaped = Command::new("tc").args(shaper.split(' ')).status();
    if !shaped.is_ok_and(|status| status.success()) {
        return skip("ethernet_veth_a_full_socket_refuses_and_calls_back", "tc and sch_tbf");
    }
    let threads = Threads::new();
    let [left, right] = pair(&threads);
    let head = left.header(right.link.address(), PPPOE[0]).encode(&mut [0; Header::OCTETS_MAX]).to_vec();
    let parts = [IoSlice::new(&head), IoSlice::new(&[7; 1000])];
    let frames = [Frame::new(&parts); 1000];
    let taken = left.link.transmit(&frames);
    assert!((1..frames.len()).contains(&taken), "{taken} frames fit into a socket of 208 KiB");
    assert_eq!(left.link.counters().get(Count::Refused), (frames.len() - taken) as u64);
    left.room.recv_timeout(HANG).expect("there is room again");
    assert!(left.link.transmit(&frames[..1]) == 1);
    for _ in 0..=taken {
        right.hear();
    }
}

#[test]
fn ethernet_veth_opening_needs_a_right_and_the_link_needs_none() {
    let test = "ethernet_veth_opening_needs_a_right_and_the_link_needs_none";
    let Some(_namespace) = Namespace::enter(test) else { return };
    ip("link set right down");
    let down = EthernetSocket::open("right", &PPPOE).expect_err("it is down");
    assert_eq!(down.to_string(), "network interface right is down; set it up first: ip link set right up");
    let missing = EthernetSocket::open("rihgt", &PPPOE).expect_err("no such name");
    assert!(missing.to_string().ends_with("did you mean \"right\"?"), "{missing}");
    ip("link set right up");

    let sockets = ["left", "right"].map(|name| EthernetSocket::open(name, &PPPOE).unwrap());
    // On a thread of its own, since the rest of this test needs its rights to clean up.
    std::thread::scope(|scope| {
        let unprivileged = scope.spawn(|| {
            let dropped = drop_capabilities();
            assert!(matches!(dropped, Err(CapabilitiesError::StillHeld { threads: 1.. })), "{dropped:?}");
            let refused = EthernetSocket::open("left", &PPPOE).expect_err("no right");
            assert!(matches!(refused, OpenError::NotPermitted { .. }), "{refused}");
            assert!(refused.to_string().contains("CAP_NET_RAW"));
            let threads = Threads::new();
            let [left, right] = sockets.map(|socket| Station::start(socket, &threads));
            [&left, &right].iter().for_each(|station| station.wait_until(true));
            right.hears_nothing_before_the_next_of(&left);
        });
        unprivileged.join().expect("it does not panic");
    });
}
