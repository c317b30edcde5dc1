//! Aim: a machine's own packets cross ATM: its `ping` through a TUN device, whatever is at the other end and between. Method: the
//! command `condis` in network namespaces made for the test. Needs root and `ping`; without them each test says that it was
//! skipped, which is a failure where CONDIS_REQUIRE_PEERS=1.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const DRIVERS: [&str; 2] = [r#"["atm-miniport", "uni-call-manager"]"#, r#"["atm-mcm"]"#];

/// A network namespace.
struct Namespace(String);

/// `None`, after having said so, without what it takes.
fn present(test: &str) -> Option<()> {
    let root =
        std::fs::metadata("/proc/self").is_ok_and(|me| std::os::linux::fs::MetadataExt::st_uid(&me) == 0);
    let installed =
        |program| Command::new(program).arg("-V").output().is_ok_and(|output| output.status.success());
    let missing =
        match (root, std::path::Path::new("/dev/net/tun").exists(), installed("ip"), installed("ping")) {
            (false, ..) => "root",
            (_, false, ..) => "/dev/net/tun",
            (_, _, false, _) => "iproute2 (apt-get install iproute2)",
            (_, _, _, false) => "ping (apt-get install iputils-ping)",
            (true, true, true, true) => return Some(()),
        };
    // Not `println`: what a passing test prints is swallowed.
    let _ = std::io::stderr().write_all(format!("SKIPPED {test}: needs {missing}\n").as_bytes());
    assert!(std::env::var("CONDIS_REQUIRE_PEERS").as_deref() != Ok("1"), "{test} must not be skipped");
    None
}

impl Namespace {
    fn new() -> Namespace {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let namespace = Namespace(format!("condis-tun-{}-{number}", std::process::id()));
        ip(&["netns", "add", &namespace.0]);
        ip(&["-n", &namespace.0, "link", "set", "lo", "up"]);
        namespace
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, program]).args(args).stdin(Stdio::null());
        command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        command
    }

    fn condis(&self, lab: &str, sets: &[String]) -> Condis {
        let mut command = self.command(env!("CARGO_BIN_EXE_condis"), &["run", lab, "--json"]);
        for set in sets {
            command.args(["--set", set]);
        }
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
        let lines = BufReader::new(child.stderr.take().expect("piped"));
        Condis { child: Some(child), lines, said: String::new() }
    }

    /// Three echo requests of the machine's own, which are all answered.
    #[track_caller]
    fn ping(&self, to: &str, octets: u32) {
        let size = octets.to_string();
        let output =
            self.command("ping", &["-n", "-c", "3", "-i", "0.2", "-W", "5", "-s", &size, to]).output();
        let output = output.expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("3 received"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// A lab that runs; it is killed with the test.
struct Condis {
    child: Option<Child>,
    lines: BufReader<ChildStderr>,
    said: String,
}

impl Condis {
    /// The next line with this in it.
    fn line(&mut self, wanted: &str) -> String {
        loop {
            let mut line = String::new();
            let octets = self.lines.read_line(&mut line).expect("text");
            assert!(octets > 0, "it ended without saying \"{wanted}\": {}", self.said);
            self.said += &line;
            if line.contains(wanted) {
                return line.trim_end().to_owned();
            }
        }
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Ctrl-C, and its report, which is content.
    #[track_caller]
    fn stop(mut self) -> serde_json::Value {
        let status = Command::new("kill").args(["-INT", &self.pid().to_string()]).status();
        assert!(status.expect("kill is there").success());
        let Output { status, stdout, .. } =
            self.child.take().expect("it runs").wait_with_output().expect("it is ours");
        let text = String::from_utf8_lossy(&stdout);
        assert!(status.success(), "{text}");
        serde_json::from_str(&text).expect("one JSON object")
    }
}

impl Drop for Condis {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status().expect("iproute2 is installed");
    assert!(status.success(), "ip {arguments:?}");
}

/// A machine's ping crosses a switch to a host in memory and comes back, over calls and on a permanent connection, which are made
/// when the first packet wants them; the rights to make more devices are gone by then.
#[test]
fn a_machine_and_a_host_in_memory() {
    let Some(()) = present("a_machine_and_a_host_in_memory") else { return };
    for drivers in DRIVERS {
        let namespace = Namespace::new();
        let sets: Vec<String> = ["server", "host", "third"]
            .iter()
            .flat_map(|node| {
                let permanent = (*node != "server").then(|| format!("node.{node}.ip.permanent.ping=[]"));
                [Some(format!("node.{node}.ip.classical.ping=[]")), permanent]
            })
            .flatten()
            .collect();
        // A host in memory has sizes; a machine has a ping of its own.
        let lab = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../labs/ip-over-atm.toml"));
        let lab = lab.expect("it is there");
        let machine = "tun = \"condis0\"\n[node.host.ip.permanent]";
        let lab = lab
            .replace("ping = [\"10.1.9.1\", \"10.1.9.3\"]\nsizes = [56, 1472, 9152]\ntimes = 2\ntimeout = \"5s\"\n", "")
            .replace("[node.host.ip.permanent]", machine)
            .replace("ping = [\"10.1.8.2\"]\nsizes = [56, 9152]", "tun = \"condis1\"");
        let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
        std::fs::write(file.path(), lab).expect("it is written");
        let mut sets: Vec<_> = sets.into_iter().filter(|set| !set.starts_with("node.host")).collect();
        sets.push(format!("node.host.adapter.atm0.drivers={drivers}"));
        let mut condis = namespace.condis(file.path().to_str().expect("text"), &sets);
        condis.line("host/classical serves 10.1.9.2/24 on condis0 until Ctrl-C");
        condis.line("host/permanent serves 10.1.8.1/24 on condis1 until Ctrl-C");
        let status = std::fs::read_to_string(format!("/proc/{}/status", condis.pid())).expect("it runs");
        assert!(status.contains("CapEff:\t0000000000000000"), "{status}");
        namespace.ping("10.1.9.1", 56);
        namespace.ping("10.1.9.3", 9152);
        namespace.ping("10.1.8.2", 9152);
        let report = condis.stop();
        let ips = report["ip"].as_array().expect("IP clients");
        let classical = ips.iter().find(|ip| ip["tun"] == "condis0").expect("there");
        assert_eq!(classical["counters"]["packets_delivered"], 6, "{classical:#}");
        assert_eq!(classical["counters"]["host.not_delivered"], serde_json::Value::Null);
    }
}

/// Two machines, each behind a TUN device of its own, with a line of ATM over TCP between them: with a switch and an ATMARP server,
/// and each way on a permanent connection with nothing between.
#[test]
fn two_machines() {
    let Some(()) = present("two_machines") else { return };
    let (left, right) = (Namespace::new(), Namespace::new());
    ip(&["link", "add", "wire", "netns", &left.0, "type", "veth", "peer", "name", "wire", "netns", &right.0]);
    for (namespace, address) in [(&left, "192.168.77.1/30"), (&right, "192.168.77.2/30")] {
        ip(&["-n", &namespace.0, "addr", "add", address, "dev", "wire"]);
        ip(&["-n", &namespace.0, "link", "set", "wire", "up"]);
    }
    let prefix = "47.0005.80.ffe100.0000.f21a.0001";
    let host = |number: u8, link: &str, drivers: &str| {
        vec![
            format!("node.host.adapter.atm0.link={link}"),
            format!("node.host.adapter.atm0.drivers={drivers}"),
            format!("node.host.adapter.atm0.esi=02:00:00:00:00:0{number}"),
            format!("node.host.ip.ip.ip=10.1.9.{number}/24"),
            format!("node.host.ip.ip.address={prefix}.02000000000{number}.00"),
        ]
    };

    let link = "switch.switch.port.hosts.link=atmtcp:listen:192.168.77.1:2812".to_owned();
    let mut switch = left.condis("labs/atm-switch.toml", &[link]);
    switch.line("serves lines on ");
    let [manager, mcm] = DRIVERS;
    let mut one = left.condis("labs/ip-host.toml", &host(1, "atmtcp:192.168.77.1:2812", manager));
    let mut sets = host(2, "atmtcp:192.168.77.1:2812", mcm);
    sets.push(format!("node.host.ip.ip.server={prefix}.020000000001.00"));
    one.line("serves 10.1.9.1/24 on condis0");
    let mut two = right.condis("labs/ip-host.toml", &sets);
    two.line("serves 10.1.9.2/24 on condis0");
    right.ping("10.1.9.1", 56);
    left.ping("10.1.9.2", 9152);
    let (one, two) = (one.stop(), two.stop());
    assert_eq!(one["ip"][0]["counters"]["packets_delivered"], 6, "{:#}", one["ip"]);
    assert_eq!(two["ip"][0]["counters"]["packets_delivered"], 6, "{:#}", two["ip"]);
    switch.stop();

    for (here, there, drivers) in [
        (r#"{ pvc = "0.100" }"#, r#"{ pvc = "0.100" }"#, [manager, mcm]),
        (
            r#"{ pvc = "0.100", encapsulation = "vc-mux", peer = "10.1.9.2" }"#,
            r#"{ pvc = "0.100", encapsulation = "vc-mux", peer = "10.1.9.1" }"#,
            [mcm, manager],
        ),
    ] {
        let start = |namespace: &Namespace, number: u8, link: &str, pvc: &str, drivers: &str| {
            let lab = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../labs/ip-host.toml"));
            let lab = lab.expect("it is there").replace("server = \"here\"", &format!("pvcs = [{pvc}]"));
            let file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
            std::fs::write(file.path(), lab).expect("it is written");
            let mut sets = host(number, link, drivers);
            sets.push(format!("node.host.adapter.atm0.addresses=[\"{prefix}.02000000000{number}.00\"]"));
            (namespace.condis(file.path().to_str().expect("text"), &sets), file)
        };
        let (mut one, _one) = start(&left, 1, "atmtcp:listen:192.168.77.1:2813", here, drivers[0]);
        one.line("waiting for a line on ");
        let (mut two, _two) = start(&right, 2, "atmtcp:192.168.77.1:2813", there, drivers[1]);
        one.line("serves 10.1.9.1/24 on condis0");
        two.line("serves 10.1.9.2/24 on condis0");
        right.ping("10.1.9.1", 56);
        left.ping("10.1.9.2", 9152);
        one.stop();
        two.stop();
    }
}
