//! Members of one subnet on a network that is a loop of this program: calls are up at once, SDUs arrive at once.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use condis::runtime::Time;

use super::*;
use crate::addr::{AtmAddress, Esi};
use crate::ip::atmarp::{AtmArp, Operation, Station};
use crate::ip::encap::{ATMARP_HEADER, Encapsulation};
use crate::ip::tests::captured_sdus;

fn atm(number: u8) -> AtmAddress {
    AtmAddress::new([0x47; 13], Esi([number; 6]), 0)
}

fn ip(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 1, 9, number)
}

fn at(seconds: u64) -> Time {
    Time::ZERO.after(Duration::from_secs(seconds))
}

fn packet(from: u8, to: Ipv4Addr, mark: u8) -> Vec<u8> {
    let mut packet = vec![0; 24];
    packet[0] = 0x45;
    packet[12..16].copy_from_slice(&ip(from).octets());
    packet[16..20].copy_from_slice(&to.octets());
    packet[20] = mark;
    packet
}

/// Members by number, and the calls between them.
struct Network {
    members: BTreeMap<u8, LisMember>,
    ends: BTreeMap<(u8, LisVc), (u8, LisVc)>,
    delivered: Vec<(u8, u8)>,
    calls: usize,
    now: Time,
    /// Nobody takes calls from these.
    deaf: Vec<u8>,
    /// Calling parties are told.
    says_who_calls: bool,
}

impl Network {
    /// Member 1 is the server, the others its clients.
    fn of(members: &[u8]) -> Network {
        let members = members.iter().map(|&number| {
            let server = if number == 1 { Server::Here } else { Server::At(atm(1)) };
            (number, LisMember::new(LisConfig::new(ip(number), 24, atm(number), server)))
        });
        Network {
            members: members.collect(),
            ends: BTreeMap::new(),
            delivered: Vec::new(),
            calls: 0,
            now: Time::ZERO,
            deaf: Vec::new(),
            says_who_calls: true,
        }
    }

    fn ready(&mut self) {
        let now = self.now;
        self.members.values_mut().for_each(|member| member.handle_ready(now));
        self.settle();
    }

    fn member(&mut self, number: u8) -> &mut LisMember {
        self.members.get_mut(&number).unwrap()
    }

    fn send(&mut self, from: u8, to: u8, mark: u8) {
        let now = self.now;
        self.member(from).send(now, packet(from, ip(to), mark));
        self.settle();
    }

    fn settle(&mut self) {
        let now = self.now;
        let numbers: Vec<u8> = self.members.keys().copied().collect();
        while let Some((number, output)) =
            numbers.iter().find_map(|&number| Some((number, self.member(number).poll_output()?)))
        {
            match output {
                LisOutput::Call { vc, to } => {
                    self.calls += 1;
                    let called = numbers.iter().copied().find(|number| atm(*number) == to);
                    match called.filter(|number| !self.deaf.contains(number)) {
                        Some(called) => {
                            let from = self.says_who_calls.then(|| atm(number));
                            let other = self.member(called).handle_incoming(now, from);
                            self.ends.insert((number, vc), (called, other));
                            self.ends.insert((called, other), (number, vc));
                            self.member(number).handle_connected(now, vc);
                        }
                        None => self.member(number).handle_closed(now, vc),
                    }
                }
                LisOutput::Close { vc } => self.hang_up(number, vc),
                LisOutput::Transmit { vc, header, packet } => {
                    if let Some(&(other, vc)) = self.ends.get(&(number, vc)) {
                        self.member(other).handle_sdu(now, vc, &[header, &packet].concat());
                    }
                }
                LisOutput::Deliver(packet) => self.delivered.push((number, packet[20])),
            }
        }
    }

    /// The call of this end is gone; the other end hears it.
    fn hang_up(&mut self, number: u8, vc: LisVc) {
        let now = self.now;
        if let Some((other, other_vc)) = self.ends.remove(&(number, vc)) {
            self.ends.remove(&(other, other_vc));
            self.member(other).handle_closed(now, other_vc);
        }
    }

    /// Lets time pass, timer by timer.
    fn until(&mut self, end: Time) {
        while let Some(next) = self.members.values().filter_map(LisMember::next_timeout).min() {
            if next > end {
                break;
            }
            self.now = next;
            self.members.values_mut().for_each(|member| member.handle_timeout(next));
            self.settle();
        }
        self.now = end;
    }
}

/// RFC 2225 §8.4: clients register, ask, call, and then send on the call they have.
#[test]
fn a_packet_finds_its_way_and_the_next_takes_the_same() {
    let mut network = Network::of(&[1, 2, 3]);
    network.ready();
    assert!(network.member(2).is_registered() && network.member(3).is_registered());
    assert_eq!(network.calls, 2, "one to the server each");
    network.send(2, 3, 10);
    network.send(2, 3, 11);
    network.send(3, 2, 12);
    assert_eq!(network.delivered, [(3, 10), (3, 11), (2, 12)]);
    assert_eq!(network.calls, 3, "the answer takes the call that is there");
    assert_eq!(network.member(2).resolved(ip(3)), Some(&atm(3)));
}

#[test]
fn the_server_is_a_member_like_any_other() {
    let mut network = Network::of(&[1, 2]);
    network.ready();
    network.send(1, 2, 1);
    network.send(2, 1, 2);
    assert_eq!(network.delivered, [(2, 1), (1, 2)]);
    assert_eq!(network.calls, 1);
}

/// A caller that signaling does not name is asked by the server, and is known by what it says.
#[test]
fn a_caller_without_a_name_says_it() {
    let mut network = Network::of(&[1, 2, 3]);
    network.says_who_calls = false;
    network.ready();
    network.send(1, 2, 1);
    network.send(2, 3, 2);
    assert_eq!(network.delivered, [(2, 1), (3, 2)]);
}

/// RFC 2225 §8.4.3: the server does not know, and says so at once.
#[test]
fn an_address_that_nobody_has_is_given_up_at_once() {
    let mut network = Network::of(&[1, 2]);
    network.ready();
    network.send(2, 9, 1);
    assert_eq!(network.member(2).counters().dropped_unresolved, 1);
    network.send(1, 9, 1);
    assert_eq!(network.member(1).counters().dropped_unresolved, 1);
    assert_eq!(network.delivered, []);
}

#[test]
fn a_server_that_is_away_is_called_again_with_growing_pauses() {
    let mut network = Network::of(&[1, 2]);
    network.deaf = vec![1];
    network.ready();
    network.send(2, 3, 1);
    // At 0 s twice: it was to be registered, and then asked.
    let mut calls = Vec::new();
    for second in 0..=40 {
        network.until(at(second));
        calls.push(network.calls);
    }
    assert_eq!(network.member(2).counters().dropped_unresolved, 1, "five questions, and no answer");
    network.deaf.clear();
    network.until(at(100));
    assert!(network.member(2).is_registered());
    assert!(calls[10] <= 12 && calls[40] - calls[10] <= 3, "{calls:?}");
}

#[test]
fn an_unanswered_call_costs_its_packets_and_no_more() {
    let mut network = Network::of(&[1, 2, 3]);
    network.ready();
    network.deaf = vec![3];
    network.send(2, 3, 1);
    assert_eq!(network.member(2).counters().dropped_call_failed, 1);
    network.deaf.clear();
    network.send(2, 3, 2);
    assert_eq!(network.delivered, [(3, 2)]);
}

/// A call that carries nothing is closed, but not the one to the server.
#[test]
fn an_idle_call_is_closed_and_made_again_when_needed() {
    let mut network = Network::of(&[1, 2, 3]);
    network.ready();
    network.send(2, 3, 1);
    network.until(at(14 * 60));
    network.send(2, 3, 2);
    network.until(at(16 * 60));
    assert_eq!((network.ends.len(), network.calls), (6, 3), "it carried a packet 2 minutes ago");
    network.until(at(40 * 60));
    assert_eq!(network.ends.len(), 4, "the calls to the server stay");
    assert!(network.member(2).counters().calls_idle + network.member(3).counters().calls_idle >= 1);
    network.send(3, 2, 3);
    assert_eq!(network.delivered, [(3, 1), (3, 2), (2, 3)]);
}

/// RFC 2225 §8.4.5: what is not renewed is forgotten, what is renewed stays.
#[test]
fn a_station_that_left_is_forgotten_after_a_while() {
    let mut network = Network::of(&[1, 2, 3]);
    network.ready();
    network.until(at(3600));
    assert_eq!(network.member(1).resolved(ip(3)), Some(&atm(3)), "renewed");
    let vc = *network.ends.keys().find(|(number, _)| *number == 3).unwrap();
    network.hang_up(vc.0, vc.1);
    network.members.remove(&3);
    network.until(at(3600 + 41 * 60));
    assert_eq!(network.member(1).resolved(ip(3)), None);
    assert_eq!(network.member(1).resolved(ip(2)), Some(&atm(2)));
}

#[test]
fn an_address_is_one_stations_while_its_connection_stands() {
    let mut network = Network::of(&[1, 2]);
    let impostor = LisMember::new(LisConfig::new(ip(2), 24, atm(5), Server::At(atm(1))));
    network.ready();
    network.members.insert(5, impostor);
    let now = network.now;
    network.member(5).handle_ready(now);
    network.settle();
    assert!(network.member(1).counters().duplicates_refused >= 1);
    assert_eq!(network.member(1).resolved(ip(2)), Some(&atm(2)));
    assert!(!network.member(5).is_registered());
}

/// Nobody speaks for somebody else.
#[test]
fn a_station_that_speaks_for_another_is_not_believed() {
    let mut network = Network::of(&[1, 2]);
    network.ready();
    let line = network.member(1).handle_incoming(Time::ZERO, Some(atm(7)));
    let lie = AtmArp {
        operation: Operation::InArpReply,
        source: Station::new(atm(2), ip(8)),
        target: Station::default(),
    };
    let sdu = [&ATMARP_HEADER[..], &lie.encode()].concat();
    network.member(1).handle_sdu(Time::ZERO, line, &sdu);
    assert_eq!(network.member(1).counters().dropped_arp_impostor, 1);
    assert_eq!(network.member(1).resolved(ip(8)), None);
}

#[test]
fn permanent_connections_need_no_server() {
    let config = |number| LisConfig::new(ip(number), 24, atm(number), Server::None);
    for (encapsulation, told) in [(Encapsulation::LlcSnap, false), (Encapsulation::VcMux, true)] {
        let mut network = Network::of(&[]);
        for number in [2, 3] {
            network.members.insert(number, LisMember::new(config(number)));
        }
        let far = |number| told.then(|| ip(number));
        let a = network.member(2).handle_permanent(Time::ZERO, encapsulation, far(3));
        let b = network.member(3).handle_permanent(Time::ZERO, encapsulation, far(2));
        network.ends = BTreeMap::from([((2, a), (3, b)), ((3, b), (2, a))]);
        network.settle();
        network.send(2, 3, 1);
        network.send(3, 2, 2);
        assert_eq!(network.delivered, [(3, 1), (2, 2)]);
        network.until(at(3600));
        network.send(2, 3, 3);
        assert_eq!(network.delivered.len(), 3, "a permanent connection is not closed");
    }
}

#[test]
fn a_permanent_connection_is_asked_until_it_answers() {
    let mut member = LisMember::new(LisConfig::new(ip(2), 24, atm(2), Server::None));
    member.handle_permanent(Time::ZERO, Encapsulation::LlcSnap, None);
    let asked = |member: &mut LisMember| std::iter::from_fn(|| member.poll_output()).count();
    assert_eq!(asked(&mut member), 1);
    member.handle_timeout(at(1));
    assert_eq!(asked(&mut member), 1);
}

/// Whoever is behind a permanent connection may say that it is everybody: the table of addresses is bounded, and what a member was told of a
/// connection when that was made stays.
#[test]
fn a_permanent_connection_does_not_fill_the_table() {
    let mut member = LisMember::new(LisConfig::new(ip(1), 24, atm(1), Server::None));
    let vc = member.handle_permanent(at(0), Encapsulation::LlcSnap, None);
    let named = member.handle_permanent(at(0), Encapsulation::LlcSnap, Some(ip(7)));
    let strangers = (0..10_000).map(|number| Ipv4Addr::from(0x0B00_0000 + number));
    for said in strangers.chain([ip(7)]) {
        let source = Station { ip: Some(said), ..Station::default() };
        let said = AtmArp { operation: Operation::InArpRequest, source, target: Station::default() };
        member.handle_sdu(at(1), vc, &[&ATMARP_HEADER[..], &said.encode()].concat());
        while member.poll_output().is_some() {}
    }
    assert_eq!(member.counters().dropped_table_full, 10_000 - 4_095);
    assert_eq!(member.counters().dropped_arp_impostor, 1);
    member.send(at(2), packet(1, ip(7), 9));
    let LisOutput::Transmit { vc, .. } = member.poll_output().unwrap() else { panic!() };
    assert_eq!(vc, named);
}

/// RFC 2225 §8.2: a client that is called by somebody whom its server does not know takes no more than an address of its subnet from it, and
/// none that the server has placed elsewhere.
#[test]
fn a_caller_does_not_take_an_address_that_is_known() {
    let mut network = Network::of(&[1, 2, 3]);
    network.ready();
    network.send(2, 3, 1);
    assert_eq!(network.member(2).resolved(ip(3)), Some(&atm(3)));
    let vc = network.member(2).handle_incoming(at(0), Some(atm(9)));
    for (said, known) in [(ip(3), Some(atm(3))), (Ipv4Addr::new(192, 0, 2, 1), None), (ip(9), Some(atm(9)))] {
        let source = Station::new(atm(9), said);
        let said_it = AtmArp { operation: Operation::InArpRequest, source, target: Station::default() };
        network.member(2).handle_sdu(at(0), vc, &[&ATMARP_HEADER[..], &said_it.encode()].concat());
        assert_eq!(network.member(2).resolved(said), known.as_ref(), "{said}");
    }
    assert_eq!(network.member(2).counters().dropped_arp_impostor, 1);
    assert_eq!(network.member(2).counters().dropped_not_in_lis, 1);
}

#[test]
fn queues_are_bounded_and_every_drop_has_its_name() {
    let mut member = LisMember::new(LisConfig::new(ip(2), 24, atm(2), Server::At(atm(1))));
    for mark in 0..20 {
        member.send(Time::ZERO, packet(2, ip(3), mark));
    }
    assert_eq!(member.counters().dropped_queue_full, 12);
    member.send(Time::ZERO, packet(2, Ipv4Addr::new(192, 0, 2, 1), 0));
    member.send(Time::ZERO, packet(2, Ipv4Addr::new(10, 1, 9, 255), 0));
    member.send(Time::ZERO, packet(2, Ipv4Addr::new(224, 0, 0, 1), 0));
    member.send(Time::ZERO, vec![0x45; 19]);
    member.send(Time::ZERO, vec![0x45; 9181]);
    let counters = *member.counters();
    assert_eq!(
        (counters.dropped_not_in_lis, counters.dropped_not_unicast, counters.dropped_malformed),
        (1, 2, 2)
    );
    let vc = member.handle_incoming(Time::ZERO, None);
    member.handle_sdu(Time::ZERO, vc, &[0xAA]);
    member.handle_closed(Time::ZERO, vc);
    member.handle_sdu(Time::ZERO, vc, &[0xAA]);
    assert_eq!((member.counters().dropped_encapsulation, member.counters().dropped_no_vc), (1, 1));
}

#[test]
fn a_packet_to_oneself_stays_here() {
    let mut network = Network::of(&[2]);
    network.send(2, 2, 7);
    assert_eq!((network.delivered.as_slice(), network.calls), (&[(2, 7)][..], 0));
}

/// What Linux said in its place, and what it said back.
#[test]
fn linux_as_client_is_answered_as_its_own_server_did() {
    let linux: AtmAddress = "47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00".parse().unwrap();
    let us: AtmAddress = "47.0005.80.ffe100.0000.f21a.0001.0020480a0001.00".parse().unwrap();
    let mut member = LisMember::new(LisConfig::new(ip(1), 24, us, Server::Here));
    let vc = member.handle_incoming(Time::ZERO, Some(linux.clone()));
    let sdus = captured_sdus();
    let (theirs, its): (Vec<_>, Vec<_>) =
        sdus.iter().filter(|sdu| sdu[7] == 6).partition(|sdu| sdu[36] == 0x0A);
    let sent = |member: &mut LisMember| match member.poll_output() {
        Some(LisOutput::Transmit { header, packet, .. }) => [header, &packet].concat(),
        other => panic!("{other:?}"),
    };
    assert_eq!(sent(&mut member), *theirs[0], "the question of atmarpd as server");
    member.handle_sdu(Time::ZERO, vc, its[0]);
    assert_eq!(sent(&mut member), *theirs[1], "its answer");
    member.handle_sdu(Time::ZERO, vc, its[1]);
    assert_eq!(member.resolved(ip(2)), Some(&linux));
}

/// RFC 2225 §8.2: what is sent before the far end of a permanent connection has said who it is waits for that, and not for ever.
#[test]
fn a_packet_waits_for_an_introduction() {
    let mut member = LisMember::new(LisConfig::new(ip(2), 24, atm(2), Server::None));
    member.handle_ready(Time::ZERO);
    let vc = member.handle_permanent(Time::ZERO, Encapsulation::LlcSnap, None);
    assert_eq!(member.permanent(), (1, 0));
    member.send(Time::ZERO, packet(2, ip(3), 1));
    member.send(Time::ZERO, packet(2, ip(4), 2));
    while member.poll_output().is_some() {}
    let reply = AtmArp {
        operation: Operation::InArpReply,
        source: Station::new(atm(3), ip(3)),
        target: Station::new(atm(2), ip(2)),
    };
    member.handle_sdu(at(1), vc, &[&ATMARP_HEADER[..], &reply.encode()].concat());
    assert_eq!(member.permanent(), (1, 1));
    let Some(LisOutput::Transmit { packet: sent, .. }) = member.poll_output() else { panic!("it is sent") };
    assert_eq!(sent, packet(2, ip(3), 1));
    // The other one is asked for once more, when nobody else can turn up any longer.
    member.handle_timeout(at(1));
    assert_eq!((member.poll_output(), member.counters().dropped_unresolved), (None, 1));
    member.send(at(2), packet(2, ip(4), 3));
    assert_eq!(member.counters().dropped_unresolved, 2);
}
