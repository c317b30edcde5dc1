//! Aim: the two labs for real Ethernet serve, dial and end as a user expects, in both driver models. Method: two processes on
//! the two ends of a veth pair, in a network namespace made for the test. Needs root; without it each test says that it was
//! skipped, which is a failure where CONDIS_REQUIRE_PEERS=1.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};

const CALL_MANAGER: &str = r#"["ethernet-miniport", "pppoe-call-manager"]"#;
const MCM: &str = r#"["pppoe-mcm"]"#;

/// A network namespace with the pair left-right in it, both up.
struct Namespace(String);

impl Namespace {
    /// `None`, after having said so, without root.
    fn new(test: &str) -> Option<Namespace> {
        let root =
            std::fs::metadata("/proc/self").is_ok_and(|me| std::os::linux::fs::MetadataExt::st_uid(&me) == 0);
        if !root {
            println!("SKIPPED {test}: needs root");
            assert!(
                std::env::var("CONDIS_REQUIRE_PEERS").as_deref() != Ok("1"),
                "{test} must not be skipped"
            );
            return None;
        }
        let namespace = Namespace(format!("condis-cli-{}-{test}", std::process::id()));
        ip(&["netns", "add", &namespace.0]);
        ip(&["-n", &namespace.0, "link", "add", "left", "type", "veth", "peer", "name", "right"]);
        ip(&["-n", &namespace.0, "link", "set", "left", "up"]);
        ip(&["-n", &namespace.0, "link", "set", "right", "up"]);
        Some(namespace)
    }

    fn condis(&self, args: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, env!("CARGO_BIN_EXE_condis")]).args(args);
        command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        command
    }

    /// A host that makes the calls that are written in TOML.
    fn host(&self, drivers: &str, calls: &str) -> Command {
        let drivers = format!("node.host.adapter.eth0.drivers={drivers}");
        let calls = format!("node.host.client.caller.call={calls}");
        let link = "node.host.adapter.eth0.link=ethernet:right";
        self.condis(&["run", "labs/pppoe-host.toml", "--set", link, "--set", &drivers, "--set", &calls])
    }

    /// A concentrator that serves.
    fn concentrator(&self, drivers: &str) -> Concentrator {
        let drivers = format!("node.ac.adapter.eth0.drivers={drivers}");
        let link = "node.ac.adapter.eth0.link=ethernet:left";
        let mut command = self.condis(&["run", "labs/pppoe-ac.toml", "--set", link, "--set", &drivers]);
        let mut child =
            command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("iproute2 is installed");
        let mut lines = BufReader::new(child.stderr.take().expect("piped"));
        wait_for(&mut lines, "serves");
        Concentrator { child, lines }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        ip(&["netns", "del", &self.0]);
    }
}

struct Concentrator {
    child: Child,
    lines: BufReader<std::process::ChildStderr>,
}

impl Concentrator {
    /// Ctrl-C, and the exit status.
    fn stop(mut self) -> ExitStatus {
        interrupt(&self.child);
        self.child.wait().expect("it is ours")
    }
}

fn interrupt(child: &Child) {
    let status =
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill is there");
    assert!(status.success());
}

fn wait_for(lines: &mut impl BufRead, wanted: &str) {
    let mut seen = String::new();
    while !seen.lines().last().is_some_and(|line| line.contains(wanted)) {
        let octets = lines.read_line(&mut seen).expect("text");
        assert!(octets > 0, "it ended without saying \"{wanted}\": {seen}");
    }
}

fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status().expect("iproute2 is installed");
    assert!(status.success(), "ip {arguments:?}");
}

/// A host dials, both ends compare checksums, and each end closes one of two calls; every mix of the two models.
#[test]
fn dial_and_serve() {
    let Some(namespace) = Namespace::new("serve") else { return };
    for (here, there) in [(CALL_MANAGER, CALL_MANAGER), (CALL_MANAGER, MCM), (MCM, CALL_MANAGER), (MCM, MCM)]
    {
        let concentrator = namespace.concentrator(here);
        let calls =
            r#"[{ service = "condis", send = "1MiB" }, { service = "", send = "1MiB", close = "called" }]"#;
        let host = namespace.host(there, calls).output().expect("it runs");
        assert!(
            host.status.success(),
            "{}{}",
            String::from_utf8_lossy(&host.stdout),
            String::from_utf8_lossy(&host.stderr)
        );
        assert!(concentrator.stop().success(), "{here} serving {there}");
    }
}

/// A concentrator that is stopped closes the sessions that are up: the host hears it from its PADT (RFC 2516 §5.5).
#[test]
fn stopping_closes_every_session() {
    let Some(namespace) = Namespace::new("stop") else { return };
    for drivers in [CALL_MANAGER, MCM] {
        let mut concentrator = namespace.concentrator(drivers);
        let mut host = namespace.host(drivers, r#"[{ service = "condis", send = "10kB", hold = "10min" }]"#);
        let mut host = host.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it runs");
        let mut lines = BufReader::new(host.stderr.take().expect("piped"));
        wait_for(&mut lines, ": up");
        wait_for(&mut concentrator.lines, ": up");
        assert!(concentrator.stop().success());
        wait_for(&mut lines, "the other end closed before all was done");
        assert_eq!(host.wait().expect("it is ours").code(), Some(1), "not all that was asked happened");
    }
}

/// `call` and `listen` pass a file one way and a line the other, in every mix of the two models, each closed by its caller; a
/// caller whom nobody answers is refused with exit status 3.
#[test]
fn call_and_listen() {
    let Some(namespace) = Namespace::new("call") else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    let file: Vec<u8> =
        (0..1_000_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    std::fs::write(path("file"), &file).expect("it is written");
    std::fs::write(path("line"), "a line\n").expect("it is written");
    let open = |name: &str| std::fs::File::open(path(name)).expect("it was written");
    for (here, there) in
        [(None, None), (None, Some("--mcm")), (Some("--mcm"), None), (Some("--mcm"), Some("--mcm"))]
    {
        let mut listen =
            namespace.condis(&["listen", "pppoe:internet", "--link", "ethernet:left", "--ac-name", "ac"]);
        let out = std::fs::File::create(path("out")).expect("a file");
        let mut listener = listen
            .args(there)
            .stdin(open("line"))
            .stdout(out)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut lines = BufReader::new(listener.stderr.take().expect("piped"));
        wait_for(&mut lines, "listening on pppoe:internet");
        let mut call =
            namespace.condis(&["call", "pppoe:internet", "--link", "ethernet:right", "--ac-name", "ac"]);
        let call = call.args(here).arg("--send-file").arg(path("file")).output().expect("it runs");
        let said = String::from_utf8_lossy(&call.stderr);
        assert_eq!(call.status.code(), Some(0), "{said}");
        assert!(said.contains("closed by this end; 1000000 octets sent, 7 received"), "{said}");
        assert_eq!(call.stdout, b"a line\n");
        wait_for(&mut lines, "closed by the other end (PADT); 7 octets sent, 1000000 received");
        assert_eq!(listener.wait().expect("it is ours").code(), Some(0));
        assert!(std::fs::read(path("out")).expect("it was written") == file);
    }
    let mut call = namespace.condis(&["call", "pppoe:", "--link", "ethernet:right", "--timeout", "1s"]);
    let call = call.stdin(Stdio::null()).output().expect("it runs");
    assert_eq!(call.status.code(), Some(3), "{}", String::from_utf8_lossy(&call.stderr));
}
