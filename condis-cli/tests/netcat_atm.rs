//! Aim: `call` and `listen` pass data over ATM, and tell causes as they were. Method: both in one process, on fibres to a switch;
//! each with a thread of its own, as the command has.

use std::io::{Cursor, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use condis::runtime::{Runtime, Threads};
use condis_atm::addr::{AtmAddress, Esi};
use condis_atm::switch::{PortConfig, Switch, SwitchConfig};
use condis_atm::uni::Version;
use condis_cli::netcat::{AtmChoices, Ending, Line, Netcat, Outcome, Target, World};
use condis_link::atm::{Fibre, FibreConditions};

const PREFIX: [u8; 13] = [0x47, 0, 5, 0x80, 0xff, 0xe1, 0, 0, 0, 0xf2, 0x1a, 0, 1];

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An input that ends when its sender is dropped.
struct Typed(Receiver<Vec<u8>>);

impl Read for Typed {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let Ok(text) = self.0.recv() else { return Ok(0) };
        out[..text.len()].copy_from_slice(&text);
        Ok(text.len())
    }
}

struct Net {
    runtime: Arc<Threads>,
    switch: Switch,
}

struct Running {
    thread: std::thread::JoinHandle<Outcome>,
    stop: Arc<AtomicBool>,
    said: Receiver<String>,
    output: Sink,
}

impl Net {
    fn new() -> Net {
        let runtime = Threads::new();
        let switch = Switch::new(runtime.clone(), "switch", SwitchConfig::default());
        Net { runtime, switch }
    }

    /// `call` or `listen` at a new port, as the end system with this number.
    #[expect(clippy::disallowed_methods, reason = "the command's own thread, so to speak")]
    fn start(&self, host: u8, netcat: Netcat, input: impl Read + Send + 'static) -> Running {
        let conditions = FibreConditions::default();
        let (fibre, [ours, theirs]) =
            Fibre::new(self.runtime.clone(), &format!("fibre {host}"), conditions, self.runtime.entropy());
        let port = PortConfig::new(&format!("port {host}"), netcat.atm.version).with_prefix(PREFIX);
        self.switch.add_port(theirs, port).unwrap();
        let atm = AtmChoices { esi: esi(host), ..netcat.atm.clone() };
        let netcat = Netcat { atm, ..netcat };
        let (runtime, output, stop) =
            (self.runtime.clone(), Sink::default(), Arc::new(AtomicBool::new(false)));
        let (say, said) = mpsc::channel();
        let (stopped, written) = (stop.clone(), output.clone());
        let thread = std::thread::spawn(move || {
            let world = World {
                runtime,
                line: Line::Atm(ours),
                trace: None,
                input: Box::new(input),
                output: Box::new(written),
                say: Arc::new(move |what| drop(say.send(what.to_owned()))),
                progress: &mut |_| {},
                stop: &stopped,
            };
            let outcome = netcat.run(world).expect("the drivers start");
            drop(fibre);
            outcome
        });
        Running { thread, stop, said, output }
    }

    fn listen(&self, host: u8, netcat: Netcat, input: impl Read + Send + 'static) -> Running {
        let running = self.start(host, netcat, input);
        running.hear("listening on");
        running
    }
}

impl Running {
    fn hear(&self, wanted: &str) -> String {
        loop {
            let said = self.said.recv_timeout(Duration::from_secs(20)).expect("it says so in time");
            if said.contains(wanted) {
                return said;
            }
        }
    }

    fn end(self) -> (Outcome, Vec<u8>) {
        let outcome = self.thread.join().expect("it does not panic");
        assert!(outcome.left.is_nothing(), "{}", outcome.left);
        (outcome, self.output.0.lock().unwrap().clone())
    }
}

fn esi(host: u8) -> Esi {
    Esi([2, 0, 0, 0, 0, host])
}

fn address(host: u8, selector: u8) -> AtmAddress {
    AtmAddress::new(PREFIX, esi(host), selector)
}

fn caller(mcm: bool, to: AtmAddress) -> Netcat {
    Netcat { mcm, patience: Some(Duration::from_secs(20)), ..Netcat::to(Target::Atm(to)) }
}

fn listener(mcm: bool, at: &str) -> Netcat {
    Netcat { mcm, listen: true, ..Netcat::to(Target::parse_listen(at).unwrap()) }
}

fn data(octets: usize) -> Vec<u8> {
    (0..octets).map(|at| (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

/// Raw SDUs one way and the other, in every mix of the two models and of the versions; the listener hears who calls and why the
/// call ended.
#[test]
fn raw_data_passes_and_the_cause_is_told() {
    let versions = [Version::Uni30, Version::Uni31, Version::Uni40, Version::Uni40];
    let models = [(false, false), (false, true), (true, false), (true, true)];
    for ((here, there), version) in models.into_iter().zip(versions) {
        let net = Net::new();
        let atm = AtmChoices { version, ..AtmChoices::default() };
        let (up, down) = (data(200_000), b"an answer".to_vec());
        let listen = Netcat { atm: atm.clone(), ..listener(there, ".07") };
        let listening = net.listen(1, listen, Cursor::new(down.clone()));
        let call = Netcat { atm, ..caller(here, address(1, 7)) };
        let calling = net.start(2, call, Cursor::new(up.clone()));
        assert!(calling.hear("up:").contains(&format!("to {}", address(1, 7))));
        assert!(listening.hear("up:").contains(&format!("{} calls", address(2, 0))));
        let (call, heard) = calling.end();
        assert_eq!((&call.ended.ending, heard), (&Ending::Done, down), "{}", call.ended);
        assert_eq!((call.passed.sent_octets, call.passed.received_octets), (200_000, 9));
        let (listen, heard) = listening.end();
        // UNI 3.0 has no cause 16.
        let cause =
            if version == Version::Uni30 { "31, normal, unspecified" } else { "16, normal call clearing" };
        assert_eq!(listen.ended.to_string(), format!("released by the remote: cause {cause}"));
        assert!(listen.ended.is_ok() && heard == up);
    }
}

/// Framed, the listener hears the end of the data, and a caller that is interrupted has not sent all.
#[test]
fn framed_data_has_an_end() {
    let net = Net::new();
    let framed = |netcat: Netcat| Netcat { atm: AtmChoices { framed: true, ..netcat.atm.clone() }, ..netcat };
    let listening = net.listen(1, framed(Netcat { many: true, ..listener(false, "any") }), std::io::empty());
    let up = data(300_000);
    let (call, _) = net.start(2, framed(caller(true, address(1, 0))), Cursor::new(up.clone())).end();
    assert!(call.ended.is_ok(), "{}", call.ended);
    listening.hear("released by the remote: cause 16");
    let (type_, typed) = mpsc::channel();
    let calling = net.start(3, framed(caller(true, address(1, 0))), Typed(typed));
    calling.hear("up:");
    listening.hear("up:");
    calling.stop.store(true, SeqCst);
    assert_eq!(calling.end().0.ended.ending, Ending::Stopped);
    listening.hear("in the midst of its data");
    drop(type_);
    listening.stop.store(true, SeqCst);
    assert!(listening.end().1 == up);
}

/// The network and the other end refuse, each with its cause.
#[test]
fn refusals_have_their_causes() {
    let net = Net::new();
    let layers = |netcat: Netcat, text: &str| Netcat {
        atm: AtmChoices { layers: condis_cli::lab::Layers::parse(text), ..netcat.atm.clone() },
        ..netcat
    };
    let listening = net.listen(1, layers(listener(true, ".01"), "llc"), std::io::empty());
    let rate = |netcat: Netcat, pcr: u32| Netcat {
        atm: AtmChoices { pcr: Some(pcr), ..netcat.atm.clone() },
        ..netcat
    };
    let llc = || layers(caller(false, address(1, 1)), "llc");
    let refused = [
        (caller(false, address(9, 1)), "cause 1, unallocated"),
        (caller(true, AtmAddress::new([0x39; 13], esi(1), 1)), "cause 3, no route to destination"),
        (layers(caller(false, address(1, 1)), "ip"), "cause 88, incompatible destination"),
        (caller(true, address(1, 2)), "cause 88, incompatible destination"),
        (rate(llc(), 1_000_000), "cause 37, user cell rate not available"),
    ];
    for (host, (netcat, wanted)) in (10..).zip(refused) {
        let (outcome, _) = net.start(host, netcat, std::io::empty()).end();
        let Ending::Refused(why) = &outcome.ended.ending else { panic!("{}", outcome.ended) };
        assert!(why.starts_with(wanted), "{why}");
    }
    let (outcome, _) = net.start(20, rate(llc(), 1_000), Cursor::new(b"hello".to_vec())).end();
    assert!(outcome.ended.is_ok(), "{}", outcome.ended);
    assert_eq!(listening.end().1, b"hello");
}

/// A listener that is stopped closes the call: the caller is told, and has not been heard out.
#[test]
fn a_listener_that_is_stopped() {
    let net = Net::new();
    let (type_, typed) = mpsc::channel();
    let listening = net.listen(1, listener(false, ".01"), std::io::empty());
    let calling = net.start(2, caller(true, address(1, 1)), Typed(typed));
    calling.hear("up:");
    listening.hear("up:");
    listening.stop.store(true, SeqCst);
    assert_eq!(listening.end().0.ended.ending, Ending::Stopped);
    let (outcome, _) = calling.end();
    assert_eq!(outcome.ended.to_string(), "released by the remote: cause 16, normal call clearing");
    drop(type_);
}
