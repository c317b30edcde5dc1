//! Aim: what we signal and send over ATM is what others understand. Method: Linux's own ATM stack and `atmsigd`, booted in QEMU,
//! against the command `condis`, over a line of ATM over TCP: as a host whose network Linux is, over a call manager and over an
//! MCM; and as the network between Linux hosts.
//!
//! Needs QEMU and the image of `cargo run -p xtask -- peers build`. Without them each test says that it was skipped, which is a
//! failure where CONDIS_REQUIRE_PEERS=1.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::peers::linux::{Cable, Guest, Mode, alone, pattern, present};
use crate::peers::ours::report;
use crate::peers::process::{Ended, Process};

const LINUX: &str = "47.0005.80.ffe100.0000.f21a.0001.0020480a0001.00";
const OURS: &str = "47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00";

/// The high layer information of `ttcp_atm`.
const TTCP: &str = "vendor:0060d701000003";

/// Octets that pass in a call. Not a multiple of anything.
const OCTETS: usize = 5000;

const WAYS: [&[&str]; 2] = [&[], &["--mcm"]];

/// `condis` with standard output in a file.
struct Ours {
    process: Process,
    output: tempfile::TempDir,
}

impl Ours {
    fn start(what: &str, address: &str, port: u16, more: &[&str]) -> Ours {
        let output = tempfile::tempdir().expect("there is room for a file");
        let file = File::create(output.path().join("out")).expect("the folder is new");
        let mut command = Command::new(env!("CARGO_BIN_EXE_condis"));
        command
            .args([what, address, "--link", &format!("atmtcp:127.0.0.1:{port}"), "--own-address", OURS])
            .args(more)
            .stdin(Stdio::null())
            .stdout(file);
        Ours { process: Process::spawn("condis", &mut command), output }
    }

    /// Waits until it ends, and gives what it wrote to standard output.
    fn end(self) -> (Ended, Vec<u8>) {
        let ended = self.process.end();
        let written = fs::read(self.output.path().join("out")).expect("it was created");
        (ended, written)
    }
}

fn contains(written: &[u8], wanted: &[u8]) -> bool {
    written.windows(wanted.len()).any(|window| window == wanted)
}

fn file_of(folder: &Path, octets: &[u8]) -> String {
    let path = folder.join("data");
    fs::write(&path, octets).expect("there is room for a file");
    path.display().to_string()
}

/// A call each way, a refusal each way, and each side releases once; on one boot over a call manager and over an MCM, which Linux
/// cannot tell apart.
fn host_of_a_linux_network(uni: &str, version: &str) {
    if !present() {
        return;
    }
    let _alone = alone();
    let cable = Cable::new();
    let mut linux = Guest::boot("network", Mode::Network, uni, LINUX, cable.guest).ready();
    let folder = tempfile::tempdir().expect("there is room for a file");
    let data = file_of(folder.path(), &pattern(OCTETS));
    let normal = if version == "3.0" { "cause 31" } else { "cause 16" };
    let mut heard: Vec<Vec<String>> = Vec::new();
    for way in WAYS {
        let start = |what: &str, address: &str, more: &[&str]| {
            Ours::start(what, address, cable.ours, &[way, &["--uni", version], more].concat())
        };

        // Linux calls, sends and releases.
        let mut ours = start("listen", OURS, &[]);
        ours.process.line("listening on");
        linux.does("saal");
        linux.does(&format!("call {OURS} {OCTETS}"));
        let (ended, written) = ours.end();
        assert!(ended.said.contains(normal), "{}", ended.said);
        ended.well();
        assert!(contains(&written, &pattern(OCTETS)), "{} octets, and not what was sent", written.len());

        // We call, send and release.
        linux.does("listen");
        let (ended, _) =
            start("call", LINUX, &["--bhli", TTCP, "--sdu", "512", "--one-way", "--send-file", &data]).end();
        ended.well();
        linux.does(&format!("received {OCTETS}"));

        // Nobody listens there: the network's cause comes out in words.
        let (ended, _) = start("call", LINUX, &["--bhli", TTCP]).end();
        assert_eq!(ended.status.code(), Some(3), "{}", ended.said);
        assert!(ended.said.contains("cause 88"), "{}", ended.said);

        // Nobody listens here: Linux hears of it.
        let mut ours = start("listen", ".01", &[]);
        ours.process.line("listening on");
        linux.does("saal");
        let refused = linux.does(&format!("refused {OURS}"));
        assert!(refused.contains("connect: "), "{refused}");
        ours.process.signal("INT");
        ours.end();

        heard.push(linux.messages());
    }
    let [over_a_call_manager, both] = heard.try_into().expect("two ways");
    let over_an_mcm = &both[over_a_call_manager.len()..];
    assert_eq!(over_an_mcm, over_a_call_manager, "Linux cannot tell one from the other");
    linux.end();
}

#[test]
fn host_of_a_linux_network_uni_3_1() {
    host_of_a_linux_network("uni31", "3.1");
}

#[test]
fn host_of_a_linux_network_uni_4_0() {
    host_of_a_linux_network("uni40", "4.0");
}

#[test]
fn host_of_a_linux_network_uni_3_0() {
    host_of_a_linux_network("uni30", "3.0");
}

/// The addresses behind our switch.
const A: &str = "47.0005.80.ffe100.0000.f21a.0001.00204800000a.00";
const B: &str = "47.0005.80.ffe100.0000.f21a.0001.00204800000b.00";
const NOBODY: &str = "47.0005.80.ffe100.0000.f21a.0001.00204800ffff.00";

/// Our switch with a port for each of two Linux hosts and one for ours, each of which knows the address behind it.
fn switch(folder: &Path, version: &str, ports: [u16; 3]) -> Process {
    let mut lab = String::from("description = \"a switch between Linux hosts\"\n");
    for ((name, address), port) in [("a", A), ("b", B), ("ours", OURS)].into_iter().zip(ports) {
        lab += &format!("[switch.switch.port.{name}]\nlink = \"atmtcp:listen:127.0.0.1:{port}\"\n");
        lab += &format!("uni = \"{version}\"\naddresses = [\"{address}\"]\n");
    }
    let path = folder.join("switch.toml");
    fs::write(&path, lab).expect("there is room for a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_condis"));
    command.arg("run").arg(path);
    Process::start("switch", &mut command)
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("there are ports");
    listener.local_addr().expect("it is bound").port()
}

/// Two Linux hosts and one of ours, each a user of our switch: calls from any to any, data intact, released by either side; and who
/// calls nobody hears why.
fn network_of_linux_hosts(uni: &str, version: &str) {
    if !present() {
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().expect("there is room for files");
    let data = file_of(folder.path(), &pattern(OCTETS));
    let ports = [free_port(), free_port(), free_port()];
    let switch = switch(folder.path(), version, ports);
    let a = Guest::boot("a", Mode::User, uni, A, ports[0]);
    let b = Guest::boot("b", Mode::User, uni, B, ports[1]);
    let (mut a, mut b) = (a.ready(), b.ready());
    a.does("saal");
    b.does("saal");

    // Linux to Linux, each way.
    b.does("listen");
    a.does(&format!("call {B} {OCTETS}"));
    b.does(&format!("received {OCTETS}"));
    a.does("listen");
    b.does(&format!("call {A} {OCTETS}"));
    a.does(&format!("received {OCTETS}"));

    // Nobody has the address; the host has it and nobody listens.
    let no_such = a.does(&format!("refused {NOBODY}"));
    assert!(no_such.contains("connect: "), "{no_such}");
    let refused = a.does(&format!("refused {B}"));
    assert!(refused.contains("Connection refused"), "{refused}");

    for way in WAYS {
        let start = |what: &str, address: &str, more: &[&str]| {
            Ours::start(what, address, ports[2], &[way, &["--uni", version], more].concat())
        };
        // Linux to us; Linux releases.
        let mut ours = start("listen", OURS, &[]);
        ours.process.line("listening on");
        await_call(&mut a, &format!("call {OURS} {OCTETS}"));
        let (ended, written) = ours.end();
        ended.well();
        assert!(contains(&written, &pattern(OCTETS)), "{} octets, and not what was sent", written.len());

        // We to Linux; we release.
        b.does("listen");
        let sends = ["--bhli", TTCP, "--sdu", "512", "--one-way", "--send-file", data.as_str()];
        start("call", B, &sends).end().0.well();
        b.does(&format!("received {OCTETS}"));

        // The causes of the switch and of Linux come out in words.
        let (ended, _) = start("call", NOBODY, &["--bhli", TTCP]).end();
        assert_eq!(ended.status.code(), Some(3), "{}", ended.said);
        assert!(ended.said.contains("cause 1,") || ended.said.contains("cause 3,"), "{}", ended.said);
        let (ended, _) = start("call", B, &["--bhli", TTCP]).end();
        assert!(ended.said.contains("cause 88"), "{}", ended.said);
    }
    a.end();
    b.end();
    switch.signal("INT");
    switch.end().well();
}

/// Our end has just been plugged in: its signaling may not be up yet, and the switch then says so.
fn await_call(linux: &mut Guest, deed: &str) {
    for _ in 0..20 {
        if linux.tries(deed).is_ok() {
            return;
        }
    }
    linux.does(deed);
}

#[test]
fn network_of_linux_hosts_uni_3_1() {
    network_of_linux_hosts("uni31", "3.1");
}

#[test]
fn network_of_linux_hosts_uni_4_0() {
    network_of_linux_hosts("uni40", "4.0");
}

/// The drivers of our hosts.
const DRIVERS: [&str; 2] = [r#"["atm-miniport", "uni-call-manager"]"#, r#"["atm-mcm"]"#];

/// `condis` with one host of ours on a line of ATM over TCP, whose IP clients are `ips`.
fn ip_host(folder: &Path, drivers: &str, version: &str, port: u16, ips: &str) -> Process {
    let lab = format!(
        "[node.ours.adapter.atm0]\nlink = \"atmtcp:127.0.0.1:{port}\"\nuni = \"{version}\"\n\
         drivers = {drivers}\naddresses = [\"{OURS}\"]\n{ips}"
    );
    let path = folder.join("host.toml");
    fs::write(&path, lab).expect("there is room for a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_condis"));
    command.arg("run").arg(path).arg("--json");
    Process::start("condis", &mut command)
}

/// It has served until now; what it has counted.
#[track_caller]
fn stopped(ours: Process) -> Value {
    ours.signal("INT");
    report(&ours.end().well())
}

/// It has asked, and heard all answers.
#[track_caller]
fn answered(ours: Process) {
    let report = report(&ours.end().well());
    for ip in report["ip"].as_array().expect("there are IP clients") {
        assert!(ip["asked"].as_u64() > Some(0) && ip["asked"] == ip["answered"], "{ip:#}");
    }
}

/// RFC 2225 over calls through our switch, over a call manager and over an MCM: a Linux host is the client of our ATMARP server,
/// and we are the client of another one's; each is asked by the other's `ping`.
fn classical_ip(uni: &str, version: &str) {
    if !present() {
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().expect("there is room for files");
    let ports = [free_port(), free_port(), free_port()];
    let switch = switch(folder.path(), version, ports);
    let a = Guest::boot("a", Mode::User, uni, A, ports[0]);
    let b = Guest::boot("b", Mode::User, uni, B, ports[1]);
    let (mut client, mut server) = (a.ready(), b.ready());
    client.does("saal");
    server.does("saal");
    server.does("clip 10.1.8.1 -");
    let mut first = true;
    for drivers in DRIVERS {
        let start = |ips: &str| ip_host(folder.path(), drivers, version, ports[2], ips);

        // We are the server.
        let ours = "[node.ours.ip.ip]\nadapter = \"atm0\"\nip = \"10.1.9.1/24\"\nserver = \"here\"\n";
        let mut serving = start(ours);
        serving.line("serves 10.1.9.1/24");
        if first {
            client.does(&format!("clip 10.1.9.2 10.1.9.1 {OURS}"));
        }
        client.does("ping 10.1.9.1");
        let counters = &stopped(serving)["ip"][0]["counters"];
        assert!(counters["host.echoes_answered"].as_u64() >= Some(3), "{counters:#}");
        let asks = "ping = [\"10.1.9.2\"]\nsizes = [56, 9152]\npatience = \"50s\"\n";
        let asking = start(&format!("{ours}{asks}"));
        // It calls its server again when it has something to send.
        client.does("ping 10.1.9.1");
        answered(asking);

        // We are a client.
        let ours = format!("[node.ours.ip.ip]\nadapter = \"atm0\"\nip = \"10.1.8.2/24\"\nserver = \"{B}\"\n");
        let mut serving = start(&ours);
        serving.line("serves 10.1.8.2/24");
        server.does("ping 10.1.8.2");
        let counters = &stopped(serving)["ip"][0]["counters"];
        assert!(counters["host.echoes_answered"].as_u64() >= Some(3), "{counters:#}");
        answered(start(&format!("{ours}ping = [\"10.1.8.1\"]\nsizes = [56, 9152]\n")));
        first = false;
    }
    client.end();
    server.end();
    switch.signal("INT");
    switch.end().well();
}

#[test]
fn classical_ip_uni_3_1() {
    classical_ip("uni31", "3.1");
}

#[test]
fn classical_ip_uni_4_0() {
    classical_ip("uni40", "4.0");
}

/// RFC 2684 on permanent connections with nothing between: LLC/SNAP as Classical IP has it, and routed IPv4 multiplexed by VC.
#[test]
fn ip_on_permanent_connections() {
    if !present() {
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().expect("there is room for files");
    let cable = Cable::new();
    let mut linux = Guest::boot("pvc", Mode::Pvc, "uni31", LINUX, cable.guest).ready();
    let ips = |peer: &str, asks: [&str; 2]| {
        let [llc, mux] = asks;
        format!(
            "[node.ours.ip.llc]\nadapter = \"atm0\"\nip = \"10.1.9.2/24\"\n\
             pvcs = [{{ pvc = \"0.101\"{peer} }}]\n{llc}\n\
             [node.ours.ip.mux]\nadapter = \"atm0\"\naddress = \".01\"\nip = \"10.1.7.2/24\"\n\
             pvcs = [{{ pvc = \"0.103\", encapsulation = \"vc-mux\", peer = \"10.1.7.1\" }}]\n{mux}\n"
        )
    };
    let mut first = true;
    // Told who is at the far end, and asking it.
    for (drivers, peer) in DRIVERS.into_iter().zip([", peer = \"10.1.9.1\"", ""]) {
        let mut serving = ip_host(folder.path(), drivers, "3.1", cable.ours, &ips(peer, ["", ""]));
        serving.line("ours/mux serves 10.1.7.2/24");
        if first {
            linux.does("clippvc 101 10.1.9.1 10.1.9.2");
            linux.does("pvcip 103 10.1.7.1 10.1.7.2");
        }
        linux.does("ping 10.1.9.2");
        linux.does("ping 10.1.7.2");
        stopped(serving);
        let asks = [
            "ping = [\"10.1.9.1\"]\nsizes = [56, 9152]\npatience = \"20s\"",
            "ping = [\"10.1.7.1\"]\nsizes = [56, 1472]\npatience = \"20s\"",
        ];
        answered(ip_host(folder.path(), drivers, "3.1", cable.ours, &ips(peer, asks)));
        first = false;
    }
    linux.end();
}
