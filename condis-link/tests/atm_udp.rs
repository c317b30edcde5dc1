//! Aim: a line of AAL5 over UDP carries SDUs of every length, and bears what else may come. Method: two lines on the loopback, or
//! a plain socket at the other end.
#![cfg(target_os = "linux")]

use std::io::IoSlice;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket as PlainSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use condis::runtime::Threads;
use condis_link::atm::udp::{SDU_OCTETS_MAX, UdpLine, UdpSocket};
use condis_link::atm::{AtmLink, AtmLinkUser, BindError, Cell, Form, Sdu, SduIn, VpVc};
use condis_link::counters::Count;

/// Longer than anything takes that works.
const HANG: Duration = Duration::from_secs(20);
const VC: VpVc = VpVc::new(1, 32);

struct User(Mutex<Sender<(VpVc, Vec<u8>)>>);

impl AtmLinkUser for User {
    fn receive_cells(&self, _: &[Cell]) {
        panic!("a line of SDUs");
    }

    fn receive_sdus(&self, sdus: &[SduIn<'_>]) {
        sdus.iter().for_each(|sdu| self.0.lock().unwrap().send((sdu.vpvc, sdu.octets.to_vec())).unwrap());
    }

    fn link_state(&self, _: bool) {
        panic!("there is nothing that it could depend on");
    }
}

fn attach(line: &UdpLine) -> (Arc<User>, Receiver<(VpVc, Vec<u8>)>) {
    let (told, heard) = channel();
    let user = Arc::new(User(Mutex::new(told)));
    line.attach(Arc::downgrade(&user) as Weak<dyn AtmLinkUser>);
    (user, heard)
}

fn send(line: &UdpLine, vpvc: VpVc, parts: &[&[u8]]) -> usize {
    let parts: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
    line.transmit_sdus(&[Sdu { vpvc, parts: &parts }])
}

fn plain() -> (PlainSocket, SocketAddr) {
    let socket = PlainSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(HANG)).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// A line whose other end is a plain socket.
fn line() -> (Arc<Threads>, Arc<UdpLine>, PlainSocket) {
    let threads = Threads::new();
    let (peer, peer_address) = plain();
    // Found out by looking at who sends.
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0).into(), peer_address).unwrap();
    let line = UdpLine::start(socket, &threads).unwrap();
    send(&line, VC, &[b"here I am"]);
    let (_, address) = peer.recv_from(&mut [0; 100]).unwrap();
    peer.connect(address).unwrap();
    (threads, line, peer)
}

#[test]
fn sdus_of_every_length_go_and_come() {
    let (_threads, line, peer) = line();
    assert_eq!((line.form(), line.is_up(), line.sdu_octets_max()), (Form::Sdus, true, 65_503));
    let (_user, heard) = attach(&line);
    for octets in [1, 2, 47, 48, 1500, 9188, SDU_OCTETS_MAX] {
        let payload = vec![7; octets];
        assert_eq!(send(&line, VC, &[&payload[..octets / 2], &payload[octets / 2..]]), 1);
        let mut datagram = vec![0; 65_535];
        let len = peer.recv(&mut datagram).unwrap();
        assert_eq!(datagram[..len], [&[0, 1, 0, 32][..], &payload].concat());
        peer.send(&datagram[..len]).unwrap();
        assert_eq!(heard.recv_timeout(HANG).unwrap(), (VC, payload));
    }
    // More pieces than are handed over as they are.
    send(&line, VC, &[&b"piece"[..]; 20]);
    let mut datagram = [0; 200];
    assert_eq!(peer.recv(&mut datagram).unwrap(), 104);
    assert_eq!(datagram[..9], *b"\0\x01\0\x20piece");
}

#[test]
fn what_cannot_be_sent_is_counted() {
    let (_threads, line, _peer) = line();
    for (vpvc, payload) in [(VpVc::new(0, 0), &b"x"[..]), (VC, b""), (VC, &[0; SDU_OCTETS_MAX + 1])] {
        assert_eq!(send(&line, vpvc, &[payload]), 1);
    }
    assert_eq!(line.transmit_cells(&[[0; 53]]), 1);
    line.close();
    assert!(!line.is_up());
    assert_eq!(send(&line, VC, &[b"late"]), 1);
    let counters = line.counters().to_string();
    let expected = "sent 1, sent_octets 9, closed 1, too_short 1, too_long 1, wrong_form 1, malformed 1";
    assert_eq!(counters, expected);
}

#[test]
fn what_is_malformed_or_from_others_is_not_heard() {
    let (_threads, line, peer) = line();
    let (_user, heard) = attach(&line);
    let (stranger, _) = plain();
    let address = peer.peer_addr().unwrap();
    stranger.send_to(b"\0\x01\0\x20stranger", address).unwrap();
    for datagram in [&b""[..], b"\0\x01\0", b"\0\0\0\0control", b"\0\x01\0\x20", b"\0\x01\0\x20!"] {
        peer.send(datagram).unwrap();
    }
    assert_eq!(heard.recv_timeout(HANG).unwrap(), (VC, b"!".to_vec()));
    assert_eq!((line.counters().get(Count::Malformed), line.counters().get(Count::TooShort)), (3, 1));
}

#[test]
fn a_peer_that_is_not_there_costs_datagrams_and_nothing_else() {
    let (_threads, line, peer) = line();
    let (_user, heard) = attach(&line);
    let address = peer.local_addr().unwrap();
    let ours = peer.peer_addr().unwrap();
    drop(peer);
    while line.counters().get(Count::SendFailed) == 0 {
        assert_eq!(send(&line, VC, &[b"anybody?"]), 1);
    }
    let peer = PlainSocket::bind(address).unwrap();
    peer.connect(ours).unwrap();
    peer.send(b"\0\x01\0\x20back").unwrap();
    assert_eq!(heard.recv_timeout(HANG).unwrap(), (VC, b"back".to_vec()));
}

#[test]
fn an_address_in_use_is_named() {
    let (_taken, address) = plain();
    let error = UdpSocket::bind(address, address).unwrap_err();
    assert!(matches!(error, BindError::AddressInUse { .. }), "{error}");
}
