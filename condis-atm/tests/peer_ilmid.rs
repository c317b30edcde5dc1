//! Aim: linux-atm's ilmid, as the user side, takes the prefix of our network side and registers its address with it. Method: the
//! peer in QEMU calls a line of ATM over TCP, on which an entity runs; skipped where the peers have not been built.
#![cfg(target_os = "linux")]

use std::io::{IoSlice, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use condis::runtime::{Runtime, Threads};
use condis_atm::addr::{AtmAddress, Esi};
use condis_atm::ilmi::{IlmiConfig, IlmiOutput, Ime, Prefix};
use condis_link::atm::tcp::{TcpAcceptor, TcpLine, TcpOptions, TcpSocket};
use condis_link::atm::{AtmLink, AtmLinkUser, Cell, Sdu, SduIn, VpVc};

const PREFIX: Prefix = [0x47, 0, 5, 0x80, 0xff, 0xe1, 0, 0, 0, 0xf2, 0x1a, 0, 1];

/// Longer than the peer takes to boot and to be registered.
const PEER_TIME_MAX: Duration = Duration::from_secs(80);

/// What reaches the test's own thread, which owns the entity.
enum Input {
    Line(Arc<TcpLine>),
    Sdu(Vec<u8>),
    Down,
}

/// Passes on what arrives on VC 0/16.
struct User(Mutex<Sender<Input>>);

impl User {
    fn tell(&self, input: Input) {
        let _ = self.0.lock().unwrap().send(input);
    }
}

impl AtmLinkUser for User {
    fn receive_cells(&self, _: &[Cell]) {}

    fn receive_sdus(&self, sdus: &[SduIn<'_>]) {
        let ilmi = sdus.iter().filter(|sdu| sdu.vpvc == VpVc::ILMI);
        ilmi.for_each(|sdu| self.tell(Input::Sdu(sdu.octets.to_vec())));
    }

    fn link_state(&self, up: bool) {
        assert!(!up, "an accepted line does not come back");
        self.tell(Input::Down);
    }
}

/// Ends with the test.
struct Guest(Child);

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn cache() -> String {
    let home = || std::env::var("HOME").unwrap_or_default() + "/.cache/condis-peers";
    std::env::var("PEER_CACHE").unwrap_or_else(|_| home())
}

fn boot(port: u16) -> Guest {
    let peers = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/peers/linux");
    let mut run = Command::new(format!("{peers}/run"));
    run.args(["--name", "usr", "--prefix", "--net", "user", "--timeout", "90"]);
    run.arg("--script").arg(format!("{peers}/scenarios/atm-ilmid.guest"));
    run.arg("--file").arg(format!("{peers}/scenarios/lib.sh"));
    run.arg("--env").arg(format!("CABLE={port}"));
    run.args(["--env", "PREFIX=47.0005.80FFE1000000F21A0001", "--env", "POLL=12"]);
    Guest(run.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap())
}

/// Runs the entity until the line goes. Gives what it has told.
fn serve(inputs: &Receiver<Input>, told: &Sender<Input>, runtime: &dyn Runtime) -> (Ime, Vec<IlmiOutput>) {
    let mut config = IlmiConfig::network([PREFIX]);
    config.attributes.system_identifier = [2, 0, 0, 0, 0, 9];
    let mut ime = Ime::new(config);
    let mut line: Option<Arc<TcpLine>> = None;
    let user = Arc::new(User(Mutex::new(told.clone())));
    let mut outputs = Vec::new();
    loop {
        let wait = ime.next_timeout().map_or(PEER_TIME_MAX, |at| at.since(runtime.now()));
        match inputs.recv_timeout(wait) {
            Ok(Input::Line(new)) => {
                new.attach(Arc::downgrade(&user) as Weak<dyn AtmLinkUser>);
                line = Some(new);
                ime.handle_link(runtime.now(), true);
            }
            Ok(Input::Sdu(sdu)) => ime.handle_sdu(runtime.now(), &sdu),
            Ok(Input::Down) => return (ime, outputs),
            Err(_) if line.is_none() => panic!("the peer does not come"),
            Err(_) => ime.handle_timeout(runtime.now()),
        }
        while let Some(output) = ime.poll_output() {
            match (output, &line) {
                (IlmiOutput::Transmit(octets), Some(line)) => {
                    let parts = [IoSlice::new(&octets)];
                    line.transmit_sdus(&[Sdu { vpvc: VpVc::ILMI, parts: &parts }]);
                }
                (other, _) => outputs.push(other),
            }
        }
    }
}

#[test]
fn ilmid_registers_its_address() {
    if !Path::new(&cache()).join("root.cpio").exists() {
        println!("SKIPPED ilmid_registers_its_address: needs the peers (tests/peers/linux/build)");
        return;
    }
    let threads = Threads::new();
    let socket = TcpSocket::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.address().port();
    let (told, inputs) = channel();
    let lines = told.clone();
    let _acceptor = TcpAcceptor::start(socket, TcpOptions::default(), &threads, move |line| {
        let _ = lines.send(Input::Line(line));
    });
    let mut guest = boot(port);
    let (ime, outputs) = serve(&inputs, &told, &*threads);
    let mut said = String::new();
    guest.0.stdout.as_mut().unwrap().read_to_string(&mut said).unwrap();
    let status = guest.0.wait().unwrap();
    let seen = format!("{said}\n{outputs:?}\n{:?}", ime.counters());
    assert!(status.success(), "{seen}");
    // A host without a card has no ESI.
    let registered = IlmiOutput::AddressRegistered(AtmAddress::new(PREFIX, Esi([0; 6]), 0));
    assert_eq!(outputs.last(), Some(&registered), "and it stays so\n{seen}");
    let counters = ime.counters();
    assert_eq!((counters.malformed, counters.foreign, counters.lost), (0, 0, 0), "{seen}");
    println!("{seen}");
}
