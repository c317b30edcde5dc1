//! Aim: a line of ATM over TCP carries SDUs as atmtcp does, bears any peer, and says so when its connection comes and goes.
//! Method: a plain TCP socket at the other end, which plays back captured octets or makes trouble; and two of our own.
#![cfg(target_os = "linux")]

use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use condis::runtime::Threads;
use condis_link::atm::tcp::wire::Message;
use condis_link::atm::tcp::{LINES_LEN_MAX, Retry, TcpAcceptor, TcpLine, TcpOptions, TcpSocket};
use condis_link::atm::{ATM_BATCH_MAX, AtmLink, AtmLinkUser, BindError, Cell, Form, Sdu, SduIn, VpVc};
use condis_link::counters::Count;

/// Longer than anything takes that works.
const HANG: Duration = Duration::from_secs(20);

#[derive(PartialEq, Eq, Debug)]
enum Heard {
    Sdu(VpVc, Vec<u8>),
    Link(bool),
    Writable,
}

/// Tells the test what it hears.
struct User {
    told: Mutex<Sender<Heard>>,
    line: Arc<TcpLine>,
}

impl User {
    fn new(line: Arc<TcpLine>) -> (Arc<User>, Receiver<Heard>) {
        let (told, heard) = channel();
        let user = Arc::new(User { told: Mutex::new(told), line });
        user.line.attach(Arc::downgrade(&user) as Weak<dyn AtmLinkUser>);
        (user, heard)
    }

    fn hears(&self, heard: Heard) {
        let _ = self.told.lock().unwrap().send(heard);
    }

    fn send(&self, vpvc: VpVc, payload: &[u8]) -> usize {
        let (head, tail) = payload.split_at(payload.len() / 2);
        let parts = [IoSlice::new(head), IoSlice::new(tail)];
        self.line.transmit_sdus(&[Sdu { vpvc, parts: &parts }])
    }

    fn count(&self, count: Count) -> u64 {
        self.line.counters().get(count)
    }
}

impl AtmLinkUser for User {
    fn receive_cells(&self, _: &[Cell]) {
        panic!("a line of SDUs");
    }

    fn receive_sdus(&self, sdus: &[SduIn<'_>]) {
        assert!((1..=ATM_BATCH_MAX).contains(&sdus.len()));
        sdus.iter().for_each(|sdu| self.hears(Heard::Sdu(sdu.vpvc, sdu.octets.to_vec())));
    }

    fn link_state(&self, up: bool) {
        self.hears(Heard::Link(up));
    }

    fn writable(&self) {
        self.hears(Heard::Writable);
    }
}

fn next(heard: &Receiver<Heard>) -> Heard {
    heard.recv_timeout(HANG).expect("something is heard")
}

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// Calls again at once, nearly.
fn quick() -> TcpOptions {
    let retry = Retry { first: Duration::from_millis(1), max: Duration::from_millis(20) };
    TcpOptions { retry, ..TcpOptions::default() }
}

/// A line that calls, and the plain socket that it has called.
fn called(options: TcpOptions) -> (Arc<Threads>, Arc<User>, Receiver<Heard>, TcpListener, TcpStream) {
    let threads = Threads::new();
    let listener = TcpListener::bind(any_port()).unwrap();
    let line = TcpLine::connect(listener.local_addr().unwrap(), options, &threads).unwrap();
    let (user, heard) = User::new(line);
    let (peer, _) = listener.accept().unwrap();
    peer.set_read_timeout(Some(HANG)).unwrap();
    // It may have been up before the user came.
    while !user.line.is_up() {
        std::thread::yield_now();
    }
    (threads, user, heard, listener, peer)
}

/// The next that is heard besides that the line is up.
fn next_but_up(heard: &Receiver<Heard>) -> Heard {
    match next(heard) {
        Heard::Link(true) => next(heard),
        other => other,
    }
}

fn capture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/peers/captures/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

/// The SDUs of a captured stream, and how many messages of control are between them.
fn messages(mut stream: &[u8]) -> (Vec<Heard>, u64) {
    let (mut sdus, mut control) = (Vec::new(), 0);
    while let Some((message, rest)) = Message::split_first(stream).unwrap() {
        match message.control() {
            Some(_) => control += 1,
            None => sdus.push(Heard::Sdu(message.vpvc, message.payload.to_vec())),
        }
        stream = rest;
    }
    assert!(stream.is_empty());
    (sdus, control)
}

#[test]
fn what_atmtcp_sent_arrives_however_it_is_cut() {
    for (name, piece) in [
        ("atm-svc-uni31.a2b", usize::MAX),
        ("atm-svc-uni31.b2a", 1),
        ("atm-clip-svc.a2b", 7),
        ("atm-pvc.a2b", 1000),
        ("atm-pvc.b2a", 5),
    ] {
        let (_threads, user, heard, _listener, mut peer) = called(quick());
        peer.set_nodelay(true).unwrap();
        let stream = capture(name);
        stream.chunks(piece.min(stream.len())).for_each(|piece| peer.write_all(piece).unwrap());
        let (sdus, control) = messages(&stream);
        assert!(sdus.len() > 10 && control > 0);
        let mut first = Some(next_but_up(&heard));
        for sdu in &sdus {
            assert_eq!(first.take().unwrap_or_else(|| next(&heard)), *sdu, "{name}");
        }
        // Behind all that was sent, so all of it has been read then.
        drop(peer);
        assert_eq!(next(&heard), Heard::Link(false));
        assert_eq!(
            (user.count(Count::Received), user.count(Count::ControlReceived)),
            (sdus.len() as u64, control)
        );
    }
}

#[test]
fn what_is_sent_is_what_atmtcp_reads() {
    let (_threads, user, _heard, _listener, mut peer) =
        called(TcpOptions { interface: 3, sdu_octets_max: 1000, ..quick() });
    assert_eq!(
        (user.line.form(), user.line.sdu_octets_max(), user.line.cells_per_s()),
        (Form::Sdus, 1000, None)
    );
    assert_eq!(user.line.name(), format!("atmtcp/{}", user.line.peer()));
    user.line.vc_state(VpVc::SIGNALING, true);
    user.send(VpVc::SIGNALING, &[0, 0, 0, 1, 1, 0, 0, 0x1e]);
    user.line.vc_state(VpVc::SIGNALING, false);
    let expected = b"\0\0\0\0\0\0\0\x21O 0.5 3.0.5 ubr,aal5:max_sdu=1000\
        \0\0\0\x05\0\0\0\x08\0\0\0\x01\x01\0\0\x1e\0\0\0\0\0\0\0\x05C 0.5";
    let mut got = vec![0; expected.len()];
    peer.read_exact(&mut got).unwrap();
    assert_eq!(got.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[test]
fn what_cannot_be_sent_is_counted() {
    let (_threads, user, _heard, _listener, _peer) = called(TcpOptions { sdu_octets_max: 10, ..quick() });
    assert_eq!(user.send(VpVc::new(0, 0), b"O 0.5"), 1);
    assert_eq!(user.send(VpVc::new(0, 32), b""), 1);
    assert_eq!(user.send(VpVc::new(0, 32), &[0; 11]), 1);
    assert_eq!(user.send(VpVc::new(0, 32), &[0; 10]), 1);
    assert_eq!(user.line.transmit_cells(&[[0; 53]; 2]), 2);
    let counters = user.line.counters().to_string();
    assert_eq!(counters, "sent 1, sent_octets 10, too_short 1, too_long 1, wrong_form 2, malformed 1");
}

#[test]
fn a_broken_connection_is_made_again_and_what_is_open_is_told_again() {
    let (_threads, user, heard, listener, peer) = called(quick());
    user.line.vc_state(VpVc::new(0, 5), true);
    user.line.vc_state(VpVc::new(0, 32), true);
    user.line.vc_state(VpVc::new(0, 32), false);
    drop(peer);
    assert_eq!(next_but_up(&heard), Heard::Link(false));
    for _ in 0..3 {
        drop(listener.accept());
        assert_eq!([next(&heard), next(&heard)], [Heard::Link(true), Heard::Link(false)]);
    }
    assert_eq!(user.count(Count::Down), 0, "notices are no SDUs");
    let (mut peer, _) = listener.accept().unwrap();
    let mut got = [0; 8 + 34];
    peer.read_exact(&mut got).unwrap();
    assert_eq!(&got[8..], b"O 0.5 0.0.5 ubr,aal5:max_sdu=65535");
    while !user.line.is_up() {
        std::thread::yield_now();
    }
    assert!(!user.line.is_over());
}

#[test]
fn nobody_there_is_told_and_tried_again() {
    let threads = Threads::new();
    // Bound and not listening, so nobody else gets the port meanwhile.
    let listener = TcpListener::bind(any_port()).unwrap();
    let peer = listener.local_addr().unwrap();
    drop(listener);
    let (told, events) = channel();
    let told = Mutex::new(told);
    let on_event = Arc::new(move |event: &condis_link::atm::tcp::LineEvent<'_>| {
        let _ = told.lock().unwrap().send(event.to_string());
    });
    let line = TcpLine::connect(peer, TcpOptions { on_event: Some(on_event), ..quick() }, &threads).unwrap();
    let (user, _heard) = User::new(line);
    let failed = |pause| {
        format!("cannot connect to {peer}: Connection refused (os error 111); trying again in {pause}")
    };
    for pause in ["1ms", "2ms", "4ms", "8ms", "16ms", "20ms", "20ms"] {
        assert_eq!(events.recv_timeout(HANG).unwrap(), failed(pause));
    }
    assert_eq!(user.send(VpVc::SIGNALING, b"lost"), 1);
    assert_eq!((user.count(Count::Down), user.line.is_up()), (1, false));
    let listener = TcpListener::bind(peer).unwrap();
    let (mut other, _) = listener.accept().unwrap();
    while events.recv_timeout(HANG).unwrap() != format!("connected to {peer}") {}
    drop(listener);
    other.write_all(&[0, 0, 0, 5, 0, 1, 0, 0]).unwrap();
    let why = "a message of 65536 octets, expected at most 65535: this is no ATM over TCP";
    assert_eq!(events.recv_timeout(HANG).unwrap(), format!("disconnected from {peer}: {why}"));
    assert_eq!(user.count(Count::Malformed), 1);
    // Octets had arrived, so that pauses begin again; this is the second.
    assert_eq!(events.recv_timeout(HANG).unwrap(), failed("2ms"));
}

#[test]
fn a_peer_that_does_not_read_makes_us_refuse_and_then_tells_of_room() {
    let (_threads, user, heard, _listener, mut peer) =
        called(TcpOptions { queue_octets_max: 100_000, ..quick() });
    let payload = |n: u32| [&n.to_be_bytes()[..], &[7; 60_000]].concat();
    let mut sent = 0;
    while user.send(VpVc::new(0, 32), &payload(sent)) == 1 {
        sent += 1;
        assert!(sent < 10_000, "the system's buffers end somewhere");
    }
    let reading = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut stream = vec![0; sent as usize * 60_012];
            peer.read_exact(&mut stream).unwrap();
            stream
        });
        assert_eq!(next_but_up(&heard), Heard::Writable);
        reading.join().unwrap()
    });
    let (sdus, _) = messages(&reading);
    assert!(sdus.into_iter().eq((0..sent).map(|n| Heard::Sdu(VpVc::new(0, 32), payload(n)))));
    assert_eq!(user.send(VpVc::new(0, 32), b"more"), 1);
    assert!(heard.try_recv().is_err(), "told once");
}

#[test]
fn one_larger_than_the_queue_is_taken_all_the_same() {
    let (_threads, user, _heard, _listener, mut peer) =
        called(TcpOptions { queue_octets_max: 10, ..quick() });
    assert_eq!(user.send(VpVc::new(1, 32), &[9; 65_535]), 1);
    let mut got = vec![0; 8 + 65_535];
    peer.read_exact(&mut got).unwrap();
    assert_eq!(got[..8], [0, 1, 0, 32, 0, 0, 0xff, 0xff]);
}

#[test]
fn a_line_that_breaks_with_refused_sdus_says_that_it_takes_them_again() {
    let (_threads, user, heard, _listener, peer) =
        called(TcpOptions { queue_octets_max: 100_000, ..quick() });
    let mut sent = 0;
    while user.send(VpVc::new(0, 32), &[7; 60_000]) == 1 {
        sent += 1;
    }
    drop(peer);
    assert_eq!(next_but_up(&heard), Heard::Link(false));
    assert_eq!(next(&heard), Heard::Writable);
    let lost = user.count(Count::Cut);
    assert!((1..=2).contains(&lost), "{lost} of {sent} SDUs did not get into the stream");
}

#[test]
fn a_close_lets_out_what_was_taken() {
    let (_threads, user, heard, _listener, mut peer) =
        called(TcpOptions { queue_octets_max: 1 << 30, ..quick() });
    for _ in 0..200 {
        assert_eq!(user.send(VpVc::new(0, 32), &[7; 60_000]), 1);
    }
    user.line.close();
    user.line.close();
    assert!(!user.line.is_up() && user.line.is_over());
    assert_eq!(user.send(VpVc::new(0, 32), b"late"), 1);
    assert_eq!(user.count(Count::Closed), 1);
    let mut stream = Vec::new();
    peer.read_to_end(&mut stream).unwrap();
    assert_eq!(stream.len(), 200 * 60_008);
    assert!(!matches!(heard.try_recv(), Ok(Heard::Link(false))), "who closes is not told");
}

#[test]
fn control_that_makes_no_sense_and_empty_sdus_do_no_harm() {
    let (_threads, user, heard, _listener, mut peer) = called(quick());
    peer.write_all(b"\0\0\0\0\0\0\0\x04What\0\0\0\x20\0\0\0\0\0\0\0\x20\0\0\0\x01!").unwrap();
    assert_eq!(next_but_up(&heard), Heard::Sdu(VpVc::new(0, 32), b"!".to_vec()));
    assert_eq!((user.count(Count::ControlUnknown), user.count(Count::TooShort)), (1, 1));
}

#[test]
fn nothing_is_read_before_somebody_is_attached_and_nothing_lost() {
    let threads = Threads::new();
    let listener = TcpListener::bind(any_port()).unwrap();
    let line = TcpLine::connect(listener.local_addr().unwrap(), quick(), &threads).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    peer.write_all(b"\0\0\0\x20\0\0\0\x01!").unwrap();
    while !line.is_up() {
        std::thread::yield_now();
    }
    let (user, heard) = User::new(line);
    assert_eq!(next(&heard), Heard::Sdu(VpVc::new(0, 32), b"!".to_vec()));
    assert_eq!(user.count(Count::NoUser), 0);
}

#[test]
fn an_acceptor_hands_over_lines_and_two_of_ours_talk() {
    let threads = Threads::new();
    let socket = TcpSocket::bind(any_port()).unwrap();
    let address = socket.address();
    let (give, lines) = channel();
    let acceptor =
        TcpAcceptor::start(socket, TcpOptions::default(), &threads, move |line| give.send(line).unwrap())
            .unwrap();
    assert_eq!(acceptor.address(), address);
    let mut pairs = Vec::new();
    for _ in 0..3 {
        let calling = TcpLine::connect(address, quick(), &threads).unwrap();
        let accepted: Arc<TcpLine> = lines.recv_timeout(HANG).unwrap();
        assert!(accepted.is_up(), "from the beginning");
        while !calling.is_up() {
            std::thread::yield_now();
        }
        pairs.push((User::new(calling), User::new(accepted)));
    }
    for (n, ((calling, heard_calling), (accepted, heard_accepted))) in pairs.iter().enumerate() {
        let n = [n as u8];
        for _ in 0..1000 {
            calling.send(VpVc::new(0, 33), &n);
            accepted.send(VpVc::new(0, 34), &n);
        }
        for _ in 0..1000 {
            assert_eq!(next(heard_accepted), Heard::Sdu(VpVc::new(0, 33), n.to_vec()));
            assert_eq!(next_but_up(heard_calling), Heard::Sdu(VpVc::new(0, 34), n.to_vec()));
        }
    }
    assert_eq!((acceptor.accepted_count(), acceptor.refused_count()), (3, 0));
    drop(acceptor);
    let ((calling, heard_calling), (accepted, heard_accepted)) = pairs.pop().unwrap();
    calling.line.close();
    assert_eq!(next(&heard_accepted), Heard::Link(false));
    while !accepted.line.is_over() {
        std::thread::yield_now();
    }
    assert!(heard_calling.try_recv().is_err());
}

#[test]
fn too_many_lines_are_refused_until_one_is_over() {
    let threads = Threads::new();
    let socket = TcpSocket::bind(any_port()).unwrap();
    let address = socket.address();
    let (give, lines) = channel();
    let acceptor =
        TcpAcceptor::start(socket, TcpOptions::default(), &threads, move |line| give.send(line).unwrap())
            .unwrap();
    let mut callers: Vec<_> = (0..LINES_LEN_MAX).map(|_| TcpStream::connect(address).unwrap()).collect();
    let mut held: Vec<Arc<TcpLine>> = callers.iter().map(|_| lines.recv_timeout(HANG).unwrap()).collect();
    let mut one_more = TcpStream::connect(address).unwrap();
    one_more.set_read_timeout(Some(HANG)).unwrap();
    assert_eq!(one_more.read(&mut [0]).unwrap(), 0, "closed at once");
    assert_eq!(acceptor.refused_count(), 1);
    // The callers come in the order in which they called.
    drop(callers.pop());
    let last = held.pop().unwrap();
    while !last.is_over() {
        std::thread::yield_now();
    }
    let _again = TcpStream::connect(address).unwrap();
    lines.recv_timeout(HANG).unwrap();
    acceptor.close();
}

#[test]
fn an_address_that_cannot_be_had_says_why() {
    let taken = TcpSocket::bind(any_port()).unwrap();
    let address = taken.address();
    let error = TcpSocket::bind(address).unwrap_err();
    assert!(matches!(error, BindError::AddressInUse { .. }));
    assert_eq!(
        error.to_string(),
        format!("{address} is in use; end the program that has it, or take another port")
    );
    // TEST-NET-1, RFC 5737.
    let error = TcpSocket::bind("192.0.2.1:2812".parse().unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "this machine has no address 192.0.2.1; take one of its own, such as 127.0.0.1"
    );
}

#[test]
fn a_dropped_line_ends_its_connection_and_its_thread() {
    let (threads, user, heard, _listener, mut peer) = called(quick());
    user.send(VpVc::new(0, 32), b"last");
    drop(user);
    let mut stream = Vec::new();
    peer.read_to_end(&mut stream).unwrap();
    assert_eq!(stream, b"\0\0\0\x20\0\0\0\x04last");
    assert!(heard.iter().all(|heard| heard == Heard::Link(true)));
    threads.shutdown();
    assert_eq!(threads.panic_count(), 0);
}

#[test]
fn a_shutdown_of_the_runtime_ends_lines_and_acceptors() {
    let (threads, user, _heard, _listener, mut peer) = called(quick());
    let socket = TcpSocket::bind(any_port()).unwrap();
    let _acceptor = TcpAcceptor::start(socket, TcpOptions::default(), &threads, drop).unwrap();
    threads.shutdown();
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    assert_eq!(user.send(VpVc::new(0, 32), b"late"), 1);
    match peer.write(&[0]) {
        Ok(1) => {}
        other => assert_eq!(other.unwrap_err().kind(), ErrorKind::BrokenPipe),
    }
}
