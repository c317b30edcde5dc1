//! Aim: `call` and `listen` pass data both ways and tell the end of a call as it was. Method: both in one process, over an
//! Ethernet in memory that may lose frames; each with a thread of its own, as the command has.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use condis::runtime::{Runtime, Threads};
use condis_cli::netcat::{Ending, Line, Netcat, Outcome, Target, World};
use condis_link::MacAddr;
use condis_link::memory::{Chance, Conditions, Segment};

/// An output that keeps what it takes, and takes nothing while it is shut.
#[derive(Clone, Default)]
struct Sink(Arc<Taken>);

#[derive(Default)]
struct Taken {
    octets: Mutex<Vec<u8>>,
    shut: Mutex<bool>,
    opened: Condvar,
}

impl Sink {
    fn shut(&self, shut: bool) {
        *self.0.shut.lock().unwrap() = shut;
        self.0.opened.notify_all();
    }

    fn len(&self) -> usize {
        self.0.octets.lock().unwrap().len()
    }

    fn taken(&self) -> Vec<u8> {
        self.0.octets.lock().unwrap().clone()
    }
}

impl Write for Sink {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        drop(self.0.opened.wait_while(self.0.shut.lock().unwrap(), |shut| *shut).unwrap());
        self.0.octets.lock().unwrap().extend(octets);
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
    segment: Segment,
}

/// `call` or `listen` on its way.
struct Running {
    thread: std::thread::JoinHandle<Outcome>,
    stop: Arc<AtomicBool>,
    said: Receiver<String>,
    output: Sink,
}

impl Net {
    fn new(loss: f64) -> Net {
        let runtime = Threads::new();
        let conditions = Conditions { loss: Chance::try_from(loss).unwrap(), ..Conditions::default() };
        let segment = Segment::new(runtime.clone(), "wire", conditions, runtime.entropy());
        Net { runtime, segment }
    }

    #[expect(clippy::disallowed_methods, reason = "the command's own thread, so to speak")]
    fn start(&self, station: u32, netcat: Netcat, input: impl Read + Send + 'static) -> Running {
        let link = self.segment.attach(MacAddr::local(station)).unwrap();
        let (runtime, output, stop) =
            (self.runtime.clone(), Sink::default(), Arc::new(AtomicBool::new(false)));
        let (say, said) = mpsc::channel();
        let (stopped, written) = (stop.clone(), output.clone());
        let thread = std::thread::spawn(move || {
            let world = World {
                runtime,
                line: Line::Ethernet(link),
                trace: None,
                input: Box::new(input),
                output: Box::new(written),
                say: Arc::new(move |what| drop(say.send(what.to_owned()))),
                progress: &mut |_| {},
                stop: &stopped,
            };
            netcat.run(world).expect("the drivers start")
        });
        Running { thread, stop, said, output }
    }

    /// A listener that listens.
    fn listen(&self, netcat: Netcat, input: impl Read + Send + 'static) -> Running {
        let running = self.start(1, netcat, input);
        running.hear("listening on pppoe:internet");
        running
    }
}

impl Running {
    fn hear(&self, wanted: &str) {
        loop {
            let said = self.said.recv_timeout(Duration::from_secs(20)).expect("it says so in time");
            if said.contains(wanted) {
                return;
            }
        }
    }

    fn end(self) -> (Outcome, Vec<u8>) {
        let outcome = self.thread.join().expect("it does not panic");
        assert!(outcome.left.is_nothing(), "{}", outcome.left);
        (outcome, self.output.taken())
    }
}

fn listener(mcm: bool) -> Netcat {
    Netcat { listen: true, ac_name: Some("ac".to_owned()), ..caller(mcm) }
}

fn caller(mcm: bool) -> Netcat {
    Netcat { mcm, ..Netcat::to(Target::parse("pppoe:internet").unwrap()) }
}

fn data(octets: usize, seed: u8) -> Vec<u8> {
    (0..octets).map(|at| (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0] ^ seed).collect()
}

/// Both inputs end at once, and all of both arrives: over each mix of the two ways to drive it.
#[test]
fn data_passes_both_ways() {
    for (here, there) in [(false, false), (false, true), (true, false), (true, true)] {
        let net = Net::new(0.0);
        let (up, down) = (data(300_000, 1), data(200_000, 2));
        let listening = net.listen(listener(there), std::io::Cursor::new(down.clone()));
        let calling = net.start(2, caller(here), std::io::Cursor::new(up.clone()));
        let (call, heard) = calling.end();
        assert_eq!(call.ended.ending, Ending::Done, "{}", call.ended);
        assert!(call.ended.is_ok() && heard == down);
        let (listen, heard) = listening.end();
        assert_eq!(listen.ended.ending, Ending::Released("closed by the other end (PADT)".to_owned()));
        assert!(listen.ended.is_ok() && heard == up);
    }
}

/// A wire that loses every twentieth frame loses nothing of the data.
#[test]
fn what_is_lost_is_sent_again() {
    let net = Net::new(0.05);
    let up = data(400_000, 3);
    // A PADS that is lost costs the listener a call: the host answers what comes on a session that it knows nothing of with a PADT.
    let listening = net.listen(Netcat { many: true, ..listener(false) }, std::io::empty());
    let calling = net.start(2, caller(true), std::io::Cursor::new(up.clone()));
    let (call, _) = calling.end();
    assert!(call.ended.is_ok(), "{}", call.ended);
    // Its PADT may be lost as well.
    listening.stop.store(true, SeqCst);
    assert!(listening.end().1 == up);
}

/// The end of one input ends that direction only.
#[test]
fn the_other_direction_goes_on() {
    let net = Net::new(0.0);
    let (type_, typed) = mpsc::channel();
    let listening = net.listen(listener(false), Typed(typed));
    let call = Netcat { keep: true, ..caller(false) };
    let calling = net.start(2, call, std::io::Cursor::new(b"question".to_vec()));
    listening.hear("up:");
    while listening.output.len() < 8 {
        std::thread::yield_now();
    }
    type_.send(b"answer".to_vec()).unwrap();
    while calling.output.len() < 6 {
        std::thread::yield_now();
    }
    // The caller leaves the closing to the listener, which does so when it is stopped.
    drop(type_);
    listening.stop.store(true, SeqCst);
    let (listen, heard) = listening.end();
    assert_eq!((listen.ended.ending, heard), (Ending::Stopped, b"question".to_vec()));
    assert_eq!(calling.end().1, b"answer");
}

/// An output that takes nothing holds the sender up, and what is kept for it is bounded.
#[test]
fn a_slow_output_slows_the_sender() {
    let net = Net::new(0.0);
    let up = data(2 << 20, 4);
    let listening = net.listen(listener(false), std::io::empty());
    listening.output.shut(true);
    let sent = Arc::new(Mutex::new(0));
    let counted = Counted(std::io::Cursor::new(up.clone()), sent.clone());
    let calling = net.start(2, caller(false), counted);
    listening.hear("up:");
    // It stands still once the window is full.
    let mut before = usize::MAX;
    while before != *sent.lock().unwrap() {
        before = *sent.lock().unwrap();
        std::thread::park_timeout(Duration::from_millis(300));
    }
    assert!(before < 1 << 20, "{before} octets were read though nothing was written");
    listening.output.shut(false);
    assert!(calling.end().0.ended.is_ok());
    let (listen, heard) = listening.end();
    assert!(listen.ended.is_ok() && heard == up);
}

struct Counted<R>(R, Arc<Mutex<usize>>);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let octets = self.0.read(out)?;
        *self.1.lock().unwrap() += octets;
        Ok(octets)
    }
}

/// A service that is not offered, another concentrator's name, and a listener that is busy: each is a refusal.
#[test]
fn refusals() {
    let net = Net::new(0.0);
    let call = |station, service: &str, ac_name: Option<&str>| {
        let target = Target::parse(&format!("pppoe:{service}")).unwrap();
        let ac_name = ac_name.map(str::to_owned);
        let patience = Some(Duration::from_secs(2));
        let (outcome, _) =
            net.start(station, Netcat { ac_name, patience, ..Netcat::to(target) }, std::io::empty()).end();
        outcome.ended
    };
    let listening = net.listen(listener(false), std::io::empty());
    for (station, service, ac_name) in [(3, "intranet", None), (6, "internet", Some("other"))] {
        let ended = call(station, service, ac_name);
        assert_eq!(
            ended.ending,
            Ending::Refused("no answer within 2s".to_owned()),
            "{service} of {ac_name:?}"
        );
    }
    let (type_, typed) = mpsc::channel();
    let first = net.start(4, caller(false), Typed(typed));
    first.hear("up:");
    let busy = call(5, "internet", None);
    let Ending::Refused(why) = &busy.ending else { panic!("{busy}") };
    assert!(why.starts_with("the access concentrator has no session to give"), "{why}");
    drop(type_);
    assert!(first.end().0.ended.is_ok());
    assert!(listening.end().0.ended.is_ok());
}

/// `--many` takes one call after the other, and is stopped in good order.
#[test]
fn many_calls() {
    let net = Net::new(0.0);
    let listening =
        net.listen(Netcat { many: true, ..listener(true) }, std::io::Cursor::new(b"once".to_vec()));
    for (station, text, back) in [(2, "one ", &b"once"[..]), (3, "two ", b""), (4, "three", b"")] {
        let (call, heard) = net.start(station, caller(false), std::io::Cursor::new(text)).end();
        assert!(call.ended.is_ok(), "{}", call.ended);
        assert_eq!(heard, back, "the input goes to the first call");
        listening.hear("closed by the other end");
    }
    listening.stop.store(true, SeqCst);
    let (listen, heard) = listening.end();
    assert!(listen.ended.is_ok(), "{}", listen.ended);
    assert_eq!(heard, b"one two three");
}

/// A caller that is interrupted has not sent all, and the listener says so.
#[test]
fn an_interrupted_caller() {
    let net = Net::new(0.0);
    let (type_, typed) = mpsc::channel();
    let listening = net.listen(listener(false), std::io::empty());
    let calling = net.start(2, caller(false), Typed(typed));
    calling.hear("up:");
    listening.hear("up:");
    calling.stop.store(true, SeqCst);
    assert_eq!(calling.end().0.ended.ending, Ending::Stopped);
    let (listen, _) = listening.end();
    let Ending::Failed(why) = &listen.ended.ending else { panic!("{}", listen.ended) };
    assert!(why.ends_with("in the midst of its data"), "{why}");
    drop(type_);
}
