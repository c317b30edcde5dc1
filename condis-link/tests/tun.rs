//! Aim: a TUN device carries whole packets both ways, and goes when it is dropped. Method: the machine's own IP answers an echo
//! request that comes out of the device. Needs root and /dev/net/tun; without them the test says that it was skipped, which
//! is a failure where CONDIS_REQUIRE_PEERS=1.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use condis::runtime::Threads;
use condis_link::ip::{IpPort, IpPortUser, Tun, TunOptions};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// What comes later than this does not come: only ever waited for in full by a test that fails.
const HANG: Duration = Duration::from_secs(20);

struct Heard(Mutex<Sender<Vec<u8>>>);

impl IpPortUser for Heard {
    fn packet(&self, packet: &[u8]) {
        let _ = self.0.lock().unwrap().send(packet.to_vec());
    }
}

fn skip(needs: &str) {
    println!("SKIPPED tun: needs {needs}");
    assert!(std::env::var("CONDIS_REQUIRE_PEERS").as_deref() != Ok("1"), "tun must not be skipped");
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().expect("iproute2 is installed");
    assert!(status.success(), "ip {arguments}");
}

fn checksum(octets: &[u8]) -> [u8; 2] {
    let sum: u32 =
        octets.chunks(2).map(|two| u32::from(two[0]) << 8 | u32::from(*two.get(1).unwrap_or(&0))).sum();
    let folded = (sum >> 16) + (sum & 0xFFFF);
    (!((folded >> 16) + folded) as u16).to_be_bytes()
}

fn echo_request(from: [u8; 4], to: [u8; 4]) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 32, 0, 1, 0, 0, 64, 1, 0, 0];
    packet.extend(from);
    packet.extend(to);
    packet.extend([8, 0, 0, 0, 0xC0, 0xD1, 0, 1, 1, 2, 3, 4]);
    let icmp = checksum(&packet[20..]);
    packet[22..24].copy_from_slice(&icmp);
    let header = checksum(&packet[..20]);
    packet[10..12].copy_from_slice(&header);
    packet
}

#[test]
fn tun_the_machine_answers_an_echo_request() {
    if !rustix::process::geteuid().is_root() {
        return skip("root");
    }
    if !Path::new("/dev/net/tun").exists() {
        return skip("/dev/net/tun");
    }
    let namespace = format!("condis-tun-{}", std::process::id());
    ip(&format!("netns add {namespace}"));
    let file = File::open(format!("/run/netns/{namespace}")).expect("it was just added");
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).expect("we are root");
    // It goes once the last who is in it goes.
    ip(&format!("netns del {namespace}"));

    let threads = Threads::new();
    let options = TunOptions {
        name: "condis0".to_owned(),
        ip: Ipv4Addr::new(10, 77, 0, 1),
        prefix_len: 24,
        mtu_octets: 9180,
    };
    let tun = Tun::open(&options, &threads).unwrap();
    let (sender, heard) = channel();
    let user = Arc::new(Heard(Mutex::new(sender)));
    let weak: Weak<Heard> = Arc::downgrade(&user);
    tun.attach(weak);
    tun.deliver(&echo_request([10, 77, 0, 2], [10, 77, 0, 1]));
    let reply = loop {
        let packet = heard.recv_timeout(HANG).expect("the machine answers");
        // IPv6 has things of its own to say on a new interface.
        if packet[0] >> 4 == 4 {
            break packet;
        }
    };
    assert_eq!(
        (&reply[12..20], reply[20], &reply[24..]),
        (&[10, 77, 0, 1, 10, 77, 0, 2][..], 0, &[0xC0, 0xD1, 0, 1, 1, 2, 3, 4][..])
    );
    let twice = Tun::open(&options, &threads).unwrap_err();
    assert!(twice.to_string().contains("condis0"), "{twice}");
    drop(tun);
    Tun::open(&options, &threads).expect("the name is free again");
}
