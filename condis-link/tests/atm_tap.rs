//! Aim: a tap on a line of ATM records SDUs so that Wireshark sees the signaling in them, from lines of either form, and changes
//! nothing for who uses the line. Method: captured streams played over a line that is a stub, or cut into cells over a fibre;
//! the file is read by tshark.

use std::io::{self, IoSlice, Write};
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use condis::runtime::{Ran, Sim};
use condis_link::atm::tcp::wire::Message;
use condis_link::atm::{AtmLink, AtmLinkUser, Cell, Fibre, FibreConditions, Form, Sdu, SduIn, VpVc};
use condis_link::counters::{Count, Counters};
use condis_link::tap::{AtmTap, TapOptions};

/// A line of SDUs of which the test is the other end. It refuses when told to.
#[derive(Default)]
struct Stub {
    user: Mutex<Option<Weak<dyn AtmLinkUser>>>,
    sent: Mutex<Vec<String>>,
    full: bool,
    counters: Counters,
}

impl AtmLink for Stub {
    fn name(&self) -> &str {
        "stub"
    }

    fn form(&self) -> Form {
        Form::Sdus
    }

    fn cells_per_s(&self) -> Option<u64> {
        None
    }

    fn is_up(&self) -> bool {
        true
    }

    fn attach(&self, user: Weak<dyn AtmLinkUser>) {
        *self.user.lock().unwrap() = Some(user);
    }

    fn transmit_cells(&self, cells: &[Cell]) -> usize {
        cells.len()
    }

    fn transmit_sdus(&self, sdus: &[Sdu<'_>]) -> usize {
        let told = sdus.iter().map(|sdu| format!("{} {}", sdu.vpvc, sdu.parts.len()));
        self.sent.lock().unwrap().extend(told);
        if self.full { 1 } else { sdus.len() }
    }

    fn vc_state(&self, vpvc: VpVc, open: bool) {
        self.sent.lock().unwrap().push(format!("{vpvc} {open}"));
    }

    fn close(&self) {
        self.sent.lock().unwrap().push("close".into());
    }

    fn counters(&self) -> &Counters {
        &self.counters
    }
}

/// Counts what it hears.
#[derive(Default)]
struct Ear(Mutex<(usize, usize, Vec<String>)>);

impl AtmLinkUser for Ear {
    fn receive_cells(&self, cells: &[Cell]) {
        self.0.lock().unwrap().0 += cells.len();
    }

    fn receive_sdus(&self, sdus: &[SduIn<'_>]) {
        self.0.lock().unwrap().1 += sdus.len();
    }

    fn link_state(&self, up: bool) {
        self.0.lock().unwrap().2.push(format!("up {up}"));
    }

    fn writable(&self) {
        self.0.lock().unwrap().2.push("writable".into());
    }
}

/// A file in memory, of which the test keeps a handle.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<Vec<u8>>>);

impl Write for Disk {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What tshark reads in the file: the fields of each packet, if there is a tshark.
fn tshark(disk: &Disk, test: &str, fields: &[&str]) -> Option<Vec<String>> {
    if !Command::new("tshark").arg("--version").output().is_ok_and(|output| output.status.success()) {
        println!("SKIPPED {test}: needs tshark");
        return None;
    }
    let path = std::env::temp_dir().join(format!("condis-{test}-{}.pcapng", std::process::id()));
    std::fs::write(&path, &*disk.0.lock().unwrap()).unwrap();
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-T", "fields", "-r"]).arg(&path);
    let output = tshark.args(fields.iter().flat_map(|field| ["-e", field])).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(str::to_owned).collect())
}

fn capture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/peers/captures/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

/// The SDUs of a captured stream.
fn sdus(mut stream: &[u8]) -> Vec<(VpVc, Vec<u8>)> {
    let mut sdus = Vec::new();
    while let Some((message, rest)) = Message::split_first(stream).unwrap() {
        if message.control().is_none() {
            sdus.push((message.vpvc, message.payload.to_vec()));
        }
        stream = rest;
    }
    sdus
}

/// Cuts an SDU into cells, with a trailer whose CRC is nothing.
fn cells(vpvc: VpVc, sdu: &[u8]) -> Vec<Cell> {
    let mut pdu = sdu.to_vec();
    pdu.resize((sdu.len() + 8).next_multiple_of(48), 0);
    let end = pdu.len();
    pdu[end - 6..end - 4].copy_from_slice(&(sdu.len() as u16).to_be_bytes());
    let vci = vpvc.vci.0;
    let cells = pdu.chunks(48).enumerate().map(|(n, payload)| {
        let mut cell = [0; 53];
        cell[1..4].copy_from_slice(&[(vci >> 12) as u8, (vci >> 4) as u8, (vci << 4) as u8]);
        cell[3] |= u8::from((n + 1) * 48 == end) << 1;
        cell[5..].copy_from_slice(payload);
        cell
    });
    cells.collect()
}

/// The messages of a UNI 3.1 call from A to B and one back, as often as tshark's own reading of the capture has them: SETUP,
/// CALL PROCEEDING, CONNECT, CONNECT ACKNOWLEDGE, RELEASE and RELEASE COMPLETE.
fn assert_signaling(packets: &[String], test: &str) {
    let of = |what: &str| packets.iter().filter(|packet| packet.ends_with(what)).count();
    assert_eq!(of("\t0x01\t"), 2, "{test}: BGN");
    assert_eq!(of("\t0x02\t"), 1, "{test}: BGAK");
    assert_eq!((of("\t0x0a\t"), of("\t0x0b\t")), (14, 14), "{test}: POLL, STAT");
    for (message, count) in [("0x05", 2), ("0x02", 1), ("0x07", 2), ("0x0f", 2), ("0x4d", 2), ("0x5a", 2)] {
        assert_eq!(of(&format!("\t0x08\t{message}")), count, "{test}: {message}");
    }
}

const FIELDS: [&str; 6] =
    ["frame.interface_name", "atm.channel", "atm.vpi", "atm.vci", "sscop.type", "q2931.message_type"];

#[test]
fn signaling_on_a_line_of_sdus_is_seen_as_such() {
    let (disk, sim) = (Disk::default(), Sim::new(1));
    let stub = Arc::new(Stub::default());
    let tap = AtmTap::new(stub.clone(), sim, Box::new(disk.clone()), TapOptions::default());
    let ear = Arc::new(Ear::default());
    tap.attach(Arc::downgrade(&ear) as Weak<dyn AtmLinkUser>);
    let user = stub.user.lock().unwrap().clone().unwrap().upgrade().unwrap();
    let (out, back) = (sdus(&capture("atm-svc-uni31.a2b")), sdus(&capture("atm-svc-uni31.b2a")));
    for (vpvc, octets) in &out {
        let (head, tail) = octets.split_at(octets.len() / 2);
        let parts = [IoSlice::new(head), IoSlice::new(tail)];
        assert_eq!(tap.transmit_sdus(&[Sdu { vpvc: *vpvc, parts: &parts }]), 1);
    }
    let arrived: Vec<_> = back.iter().map(|(vpvc, octets)| SduIn { vpvc: *vpvc, octets }).collect();
    user.receive_sdus(&arrived);
    tap.close();
    let recorded = (out.len() + back.len()) as u64;
    assert_eq!(tap.recording_counters().to_string(), format!("recorded {recorded}"));
    assert_eq!((ear.0.lock().unwrap().1, stub.sent.lock().unwrap().len()), (back.len(), out.len() + 1));
    let Some(packets) = tshark(&disk, "signaling_on_a_line_of_sdus", &FIELDS) else { return };
    assert_eq!(packets.len() as u64, recorded);
    // BGN, sent by us: from user to network, to tshark's mind.
    assert_eq!(packets[0], "stub\t0\t0\t5\t0x01\t");
    assert_signaling(&packets, "sdus");
}

#[test]
fn signaling_in_cells_is_seen_as_such() {
    let (disk, sim) = (Disk::default(), Sim::new(1));
    let (fibre, [a, b]) = Fibre::new(sim.clone(), "fibre", FibreConditions::default(), 1);
    let tap = AtmTap::new(a, sim.clone(), Box::new(disk.clone()), TapOptions::default());
    let ears: [Arc<Ear>; 2] = Default::default();
    tap.attach(Arc::downgrade(&ears[0]) as Weak<dyn AtmLinkUser>);
    b.attach(Arc::downgrade(&ears[1]) as Weak<dyn AtmLinkUser>);
    assert_eq!((tap.name(), tap.form(), tap.cells_per_s()), ("fibre/a", Form::Cells, Some(353_207)));
    let (out, back) = (sdus(&capture("atm-svc-uni31.a2b")), sdus(&capture("atm-svc-uni31.b2a")));
    let cut = |sdus: &[(VpVc, Vec<u8>)]| -> Vec<Cell> {
        sdus.iter().flat_map(|(vpvc, octets)| cells(*vpvc, octets)).collect()
    };
    let (out_cells, back_cells) = (cut(&out), cut(&back));
    assert_eq!(tap.transmit_cells(&out_cells), out_cells.len());
    assert_eq!(b.transmit_cells(&back_cells), back_cells.len());
    assert_eq!(sim.run_until_idle(Duration::MAX), Ran::Idle);
    // The end of something whose beginning nobody has seen.
    let odd = cells(VpVc::new(0, 32), &[7; 100]);
    tap.transmit_cells(&odd[2..]);
    // A beginning whose end nobody will see: what comes after the line was down does not belong to it.
    tap.transmit_cells(&odd[..1]);
    fibre.cut();
    assert_eq!(sim.run_until_idle(Duration::MAX), Ran::Idle);
    tap.transmit_cells(&odd);
    tap.close();
    let recorded = (out.len() + back.len() + 1) as u64;
    assert_eq!(tap.recording_counters().to_string(), format!("recorded {recorded}, not_recorded 1"));
    assert_eq!(*ears[0].0.lock().unwrap(), (back_cells.len(), 0, vec!["up false".to_owned()]));
    assert_eq!(ears[1].0.lock().unwrap().0, out_cells.len());
    let Some(packets) = tshark(&disk, "signaling_in_cells", &FIELDS) else { return };
    assert_eq!(packets.len() as u64, recorded);
    assert_eq!(packets[0], "fibre/a\t0\t0\t5\t0x01\t");
    assert_signaling(&packets, "cells");
}

#[test]
fn a_tap_changes_nothing() {
    let (disk, sim) = (Disk::default(), Sim::new(1));
    let stub = Arc::new(Stub { full: true, ..Stub::default() });
    let tap = AtmTap::new(stub.clone(), sim, Box::new(disk), TapOptions::default());
    let (head, tail) = ([IoSlice::new(b"head"), IoSlice::new(b"tail")], [IoSlice::new(b"whole")]);
    let sdu = |parts| Sdu { vpvc: VpVc::new(1, 32), parts };
    assert_eq!(tap.transmit_sdus(&[sdu(&head), sdu(&tail)]), 1);
    assert_eq!(tap.transmit_cells(&[[0; 53]; 3]), 3);
    tap.vc_state(VpVc::SIGNALING, true);
    // Lines over sockets read nothing until they have a user, and so must know when there is one.
    assert!(stub.user.lock().unwrap().is_none());
    let gone = Arc::new(Ear::default());
    tap.attach(Arc::downgrade(&gone) as Weak<dyn AtmLinkUser>);
    drop(gone);
    let user = stub.user.lock().unwrap().clone().unwrap().upgrade().unwrap();
    user.receive_sdus(&[SduIn { vpvc: VpVc::ILMI, octets: b"nobody" }]);
    let ear = Arc::new(Ear::default());
    tap.attach(Arc::downgrade(&ear) as Weak<dyn AtmLinkUser>);
    user.link_state(false);
    user.writable();
    tap.close();
    assert_eq!(*stub.sent.lock().unwrap(), ["1.32 2", "1.32 1", "0.5 true", "close"]);
    assert_eq!(ear.0.lock().unwrap().2, ["up false", "writable"]);
    let counters = tap.recording_counters();
    assert_eq!((counters.get(Count::Recorded), counters.get(Count::NoUser)), (2, 1));
    assert_eq!((tap.is_up(), tap.sdu_octets_max()), (true, 65_535));
}
