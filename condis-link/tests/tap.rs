//! Aim: a tap records every frame that passes, with its direction and its moment, in a file that others can read, and changes
//! nothing for who uses the link. Method: a tapped port on a segment in a simulation; the file is read by another's parser.

use std::io::{self, IoSlice, Write};
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use condis::runtime::{Ran, Runtime, Sim};
use condis_link::counters::Count;
use condis_link::header::{EtherType, Header};
use condis_link::memory::{Conditions, Port, Segment};
use condis_link::tap::{Tap, TapError, TapOptions};
use condis_link::{Frame, Link, LinkUser, MacAddr};
use pcap_parser::pcapng::{Block, OptionCode};
use pcap_parser::{PcapBlockOwned, PcapNGSlice};

const A: MacAddr = MacAddr::local(0xa);
const B: MacAddr = MacAddr::local(0xb);
const MS: Duration = Duration::from_millis(1);

/// Answers each frame with its own payload, once, and counts what it hears.
struct Echo {
    link: Arc<dyn Link>,
    heard: Mutex<Vec<String>>,
}

impl Echo {
    fn new(link: Arc<dyn Link>) -> Arc<Echo> {
        let echo = Arc::new(Echo { link, heard: Mutex::default() });
        echo.link.attach(Arc::downgrade(&echo) as Weak<dyn LinkUser>);
        echo
    }

    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }
}

impl LinkUser for Echo {
    fn receive(&self, frames: &[&[u8]]) {
        for frame in frames {
            let (header, payload) = Header::parse(frame).unwrap();
            self.heard.lock().unwrap().push(String::from_utf8_lossy(payload).into_owned());
            if payload.starts_with(b"ask") {
                send(&*self.link, header.source, &[b"answer"]);
            }
        }
    }

    fn link_state(&self, up: bool) {
        self.heard.lock().unwrap().push(format!("up {up}"));
    }

    fn writable(&self) {
        self.heard.lock().unwrap().push("writable".into());
    }
}

fn send(link: &dyn Link, to: MacAddr, payloads: &[&[u8]]) -> usize {
    let mut room = [0; Header::OCTETS_MAX];
    let header = Header::new(to, link.address(), EtherType::PPPOE_SESSION).encode(&mut room);
    let parts: Vec<_> = payloads.iter().map(|p| [IoSlice::new(header), IoSlice::new(p)]).collect();
    link.transmit(&parts.iter().map(|parts| Frame::new(parts)).collect::<Vec<_>>())
}

/// A file in memory, of which the test keeps a handle; it takes so many octets and then fails.
#[derive(Clone)]
struct Disk {
    octets: Arc<Mutex<Vec<u8>>>,
    room: usize,
}

impl Disk {
    fn new(room: usize) -> Disk {
        Disk { octets: Arc::default(), room }
    }

    fn octets(&self) -> Vec<u8> {
        self.octets.lock().unwrap().clone()
    }

    /// What was recorded: nanoseconds, direction (`epb_flags`), and the frame's payload.
    fn packets(&self) -> Vec<(u64, u8, String)> {
        packets(&self.octets())
    }
}

impl Write for Disk {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut written = self.octets.lock().unwrap();
        if written.len() + octets.len() > self.room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        written.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn packets(file: &[u8]) -> Vec<(u64, u8, String)> {
    let blocks = PcapNGSlice::from_slice(file).expect("a pcapng file");
    let mut packets = Vec::new();
    for block in blocks {
        match block.expect("every block is whole") {
            PcapBlockOwned::NG(Block::SectionHeader(_)) => {}
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                assert_eq!((interface.linktype.0, interface.if_tsresol), (1, 9));
                let name = interface.options.iter().find(|option| option.code == OptionCode::IfName);
                assert_eq!(&name.unwrap().value[..17], b"wire/02:00:00:00:");
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                assert_eq!(packet.caplen, packet.origlen);
                let flags = packet.options.iter().find(|option| option.code == OptionCode(2)).unwrap();
                let (_, payload) = Header::parse(&packet.data[..packet.caplen as usize]).unwrap();
                let at = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                packets.push((at, flags.value[0], String::from_utf8_lossy(payload).into_owned()));
            }
            _ => panic!("a block that no tap writes"),
        }
    }
    packets
}

const INBOUND: u8 = 1;
const OUTBOUND: u8 = 2;

/// A segment with a delay of 1 ms, a tapped port A, and a port B.
fn tapped(
    conditions: Conditions,
    disk: &Disk,
    options: TapOptions,
) -> (Arc<Sim>, Segment, Arc<Tap>, Arc<Port>) {
    let sim = Sim::new(1);
    let segment = Segment::new(sim.clone(), "wire", conditions, 1);
    let [a, b] = [A, B].map(|address| segment.attach(address).unwrap());
    let tap = Tap::new(a, sim.clone(), Box::new(disk.clone()), options);
    (sim, segment, tap, b)
}

fn slow() -> Conditions {
    Conditions { delay: MS, ..Conditions::default() }
}

fn run(sim: &Sim) {
    assert_eq!(sim.run_until_idle(Duration::MAX), Ran::Idle);
}

#[test]
fn both_directions_are_recorded_in_order_with_the_virtual_time() {
    let disk = Disk::new(usize::MAX);
    let (sim, segment, tap, b) = tapped(slow(), &disk, TapOptions::default());
    let [user, peer] = [Echo::new(tap.clone()), Echo::new(b)];
    assert_eq!((tap.name(), tap.address(), tap.mtu_octets()), ("wire/02:00:00:00:00:0a", A, 1500));
    send(&*tap, B, &[b"ask", b"say"]);
    run(&sim);
    send(&*peer.link, A, &[b"ask a"]);
    run(&sim);
    segment.cut();
    run(&sim);
    assert_eq!(user.heard(), ["answer", "ask a", "up false"]);
    assert_eq!(disk.octets(), [0_u8; 0], "the file is buffered");
    tap.close();
    let expected = [
        (0, OUTBOUND, "ask"),
        (0, OUTBOUND, "say"),
        (2_000_000, INBOUND, "answer"),
        (3_000_000, INBOUND, "ask a"),
        (3_000_000, OUTBOUND, "answer"),
    ];
    assert_eq!(disk.packets(), expected.map(|(at, flags, text)| (at, flags, text.to_owned())));
    assert_eq!(tap.recording_counters().get(Count::Recorded), 5);
    assert_eq!(tap.counters().get(Count::Sent), 3);
    assert!(!tap.is_up());
}

#[test]
fn what_was_refused_is_not_recorded() {
    let disk = Disk::new(usize::MAX);
    let (sim, _segment, tap, _b) =
        tapped(Conditions { queue_octets_max: 40, ..slow() }, &disk, TapOptions::default());
    let user = Echo::new(tap.clone());
    assert_eq!(send(&*tap, B, &[b"one", b"two", b"three"]), 2);
    run(&sim);
    assert_eq!(user.heard(), ["writable"]);
    tap.close();
    assert_eq!(disk.packets().len(), 2);
}

#[test]
fn a_dropped_tap_leaves_a_whole_file_and_the_wall_clock_is_the_callers() {
    let disk = Disk::new(usize::MAX);
    let epoch = Duration::new(1_800_000_000, 123);
    let (sim, _segment, tap, b) = tapped(slow(), &disk, TapOptions { epoch, ..TapOptions::default() });
    send(&*b, A, &[b"nobody is behind the tap"]);
    run(&sim);
    assert_eq!(tap.recording_counters().to_string(), "no_user 1, recorded 1");
    drop(tap);
    let expected = (1_800_000_000_001_000_123, INBOUND, "nobody is behind the tap".to_owned());
    assert_eq!(disk.packets(), [expected]);
}

#[test]
fn the_file_stays_within_its_size_and_the_link_works_on() {
    let disk = Disk::new(usize::MAX);
    let options = TapOptions { file_octets_max: Some(1000), ..TapOptions::default() };
    let (sim, _segment, tap, b) = tapped(slow(), &disk, options);
    let peer = Echo::new(b);
    for _ in 0..100 {
        send(&*tap, B, &[b"say"]);
    }
    run(&sim);
    assert_eq!(peer.heard().len(), 100);
    // Ended at the first that did not fit, so the file is whole already.
    let recorded = disk.packets().len() as u64;
    assert!(disk.octets().len() <= 1000 && recorded > 5);
    let counters = tap.recording_counters();
    assert_eq!((counters.get(Count::Recorded), counters.get(Count::NotRecorded)), (recorded, 100 - recorded));
}

#[test]
fn a_full_disk_is_told_once_and_the_link_works_on() {
    for room in [0, 100_000] {
        let disk = Disk::new(room);
        let told = Arc::new(Mutex::new(Vec::new()));
        let telling = told.clone();
        let on_error = Box::new(move |error: TapError| telling.lock().unwrap().push(error.to_string()));
        let options = TapOptions { on_error: Some(on_error), ..TapOptions::default() };
        let (sim, _segment, tap, b) = tapped(Conditions::default(), &disk, options);
        let peer = Echo::new(b);
        for _ in 0..200 {
            assert_eq!(send(&*tap, B, &[&[b'x'; 1400]]), 1);
            run(&sim);
        }
        tap.close();
        drop(tap);
        assert_eq!(peer.heard().len(), 200);
        assert_eq!(*told.lock().unwrap(), ["cannot write the capture file; the recording ended there"]);
        assert!(disk.octets().len() <= room);
    }
}

#[test]
fn a_file_that_cannot_be_made_is_an_error_that_names_it() {
    let sim = Sim::new(1);
    let segment = Segment::new(sim.clone(), "wire", slow(), 1);
    let port = segment.attach(A).unwrap();
    let path = std::path::Path::new("/nowhere/at/all.pcapng");
    let error = Tap::create(port, sim.clone() as Arc<dyn Runtime>, path, TapOptions::default());
    let error = error.expect_err("there is no such folder").to_string();
    assert_eq!(error, "cannot create the capture file /nowhere/at/all.pcapng");
}

/// The same seed gives the same file, octet for octet.
#[test]
fn one_seed_is_one_file() {
    let record = || {
        let disk = Disk::new(usize::MAX);
        let (sim, _segment, tap, b) =
            tapped(Conditions { jitter: MS, ..slow() }, &disk, TapOptions::default());
        let _peer = Echo::new(b);
        for n in 0..50u8 {
            send(&*tap, B, &[&[b'a', n], b"ask"]);
            let _ = sim.run_for(MS / 3);
        }
        run(&sim);
        drop(tap);
        disk.octets()
    };
    assert!(record() == record());
}

#[test]
fn tshark_reads_the_file() {
    if !Command::new("tshark").arg("--version").output().is_ok_and(|output| output.status.success()) {
        println!("SKIPPED tshark_reads_the_file: needs tshark");
        return;
    }
    let disk = Disk::new(usize::MAX);
    let (sim, _segment, tap, b) = tapped(slow(), &disk, TapOptions::default());
    let _peer = Echo::new(b);
    let _user = Echo::new(tap.clone());
    send(&*tap, B, &[b"ask"]);
    run(&sim);
    tap.close();
    let path = std::env::temp_dir().join(format!("condis-tap-{}.pcapng", std::process::id()));
    std::fs::write(&path, disk.octets()).unwrap();
    let fields = ["frame.time_relative", "eth.src", "eth.type", "frame.interface_name"];
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-T", "fields", "-r"]).arg(&path);
    tshark.args(fields.iter().flat_map(|field| ["-e", field]));
    let output = tshark.output().unwrap();
    std::fs::remove_file(&path).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), 2, "{text} {}", String::from_utf8_lossy(&output.stderr));
    let name = "wire/02:00:00:00:00:0a";
    assert_eq!(lines[0], ["0.000000000", "02:00:00:00:00:0a", "0x8864", name]);
    assert_eq!(lines[1], ["0.002000000", "02:00:00:00:00:0b", "0x8864", name]);
}
