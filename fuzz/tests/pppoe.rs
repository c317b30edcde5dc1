//! The bodies of the PPPoE targets, on stable: over the seeds and the captures, cut and changed, and over chance.

mod common;

use common::{Chance, seeds};
use condis_fuzz::pppoe;

const CAPTURES: [&[u8]; 3] = [
    include_bytes!("../../tests/peers/captures/pppoe-host.pcap"),
    include_bytes!("../../tests/peers/captures/pppoe-tap-kernel-chap.pcap"),
    include_bytes!("../../tests/peers/captures/pppoe-udp-user-pap.pcap"),
];

/// Octets of a pcap file's header, of a record's header, and of an Ethernet header.
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const ETHERNET_HEADER: usize = 14;

fn packets(pcap: &[u8]) -> Vec<&[u8]> {
    let mut rest = &pcap[FILE_HEADER..];
    let mut packets = Vec::new();
    while let Some((record, after)) = rest.split_first_chunk::<RECORD_HEADER>() {
        let len = u32::from_le_bytes([record[8], record[9], record[10], record[11]]) as usize;
        let (frame, after) = after.split_at(len);
        packets.push(&frame[ETHERNET_HEADER..]);
        rest = after;
    }
    packets
}

#[test]
fn packets_of_the_captures_cut_and_changed() {
    let mut chance = Chance(1);
    for packet in CAPTURES.into_iter().flat_map(packets) {
        for len in 0..=packet.len() {
            pppoe::packet(&packet[..len]);
        }
        for _ in 0..500 {
            let mut changed = packet.to_vec();
            let at = chance.next() as usize % changed.len().min(64);
            changed[at] = chance.next() as u8;
            pppoe::packet(&changed);
        }
    }
}

/// Random octets get the machines into every state, else the targets would find nothing.
#[test]
fn machines_under_chance() {
    let (mut host_connected, mut host_closed, mut connected, mut closed, mut aborted, mut rejected) =
        (0, 0, 0, 0, 0, 0);
    for seed in 1..1000 {
        let octets = Chance(seed).octets(600);
        pppoe::packet(&octets);
        let host = pppoe::host(&octets);
        host_connected += host.sessions_connected;
        host_closed += host.sessions_terminated_by_peer;
        let ac = pppoe::concentrator(&octets);
        connected += ac.sessions_connected;
        closed += ac.sessions_terminated_by_peer + ac.padt_sent;
        aborted += ac.sessions_aborted;
        rejected += ac.sessions_rejected;
    }
    let reached = [host_connected, host_closed, connected, closed, aborted, rejected];
    assert!(reached.iter().all(|&times| times > 0), "{reached:?}");
}

#[test]
fn machines_over_the_captures() {
    for pcap in CAPTURES {
        for from in (0..pcap.len().min(2000)).step_by(7) {
            pppoe::host(&pcap[from..]);
            pppoe::concentrator(&pcap[from..]);
        }
    }
}

/// Parameters as drivers write them, and changed: most of those are refused, and none of them otherwise than with an error.
#[test]
fn call_params_of_the_seeds_changed() {
    let mut chance = Chance(1);
    for (_, seed) in seeds("call_params") {
        pppoe::call_params(&seed);
        for _ in 0..5000 {
            pppoe::call_params(&chance.changed(&seed));
        }
    }
    for len in 0..3000 {
        pppoe::call_params(&chance.octets(len % 60));
    }
}

#[test]
fn seeds_of_the_packets_and_of_the_machines() {
    seeds("pppoe_packet").iter().for_each(|(_, seed)| pppoe::packet(seed));
    for (_, seed) in seeds("pppoe_host") {
        pppoe::host(&seed);
    }
    for (_, seed) in seeds("pppoe_concentrator") {
        pppoe::concentrator(&seed);
    }
}
