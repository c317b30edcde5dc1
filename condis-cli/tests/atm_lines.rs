//! Aim: the labs and commands for real lines of ATM serve, dial, pass data and end as a user expects, with the exit status that is
//! documented. Method: a process each, over ATM over TCP and AAL5 over UDP on this machine. Needs no root.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::process::{Child, Command, Output, Stdio};

const PREFIX: &str = "47.0005.80.ffe100.0000.f21a.0001";

fn condis(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_condis"));
    command.args(args).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).stdin(Stdio::null());
    command
}

/// A process that says on standard error what happens.
struct Process {
    child: Child,
    lines: BufReader<std::process::ChildStderr>,
    said: String,
}

impl Process {
    fn start(command: &mut Command) -> Process {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
        let lines = BufReader::new(child.stderr.take().expect("piped"));
        Process { child, lines, said: String::new() }
    }

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

    fn interrupt(&self) {
        let status = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(status.expect("kill is there").success());
    }

    fn end(mut self) -> Output {
        // Standard output first: it may be more than a pipe holds, and what is said is little.
        let (mut stdout, mut rest) = (Vec::new(), String::new());
        let mut pipe = self.child.stdout.take().expect("piped");
        std::io::Read::read_to_end(&mut pipe, &mut stdout).expect("it can be read");
        std::io::Read::read_to_string(&mut self.lines, &mut rest).expect("text");
        let status = self.child.wait().expect("it is ours");
        let stderr = std::mem::take(&mut self.said) + &rest;
        Output { status, stdout, stderr: stderr.into_bytes() }
    }

    #[track_caller]
    fn stop(self) {
        self.interrupt();
        let output = self.end();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
}

/// A test that fails leaves no process behind.
impl Drop for Process {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// The switch of the repository, on a port that the system picks: the process, and the line to it.
fn switch() -> (Process, String) {
    let link = "switch.switch.port.hosts.link=atmtcp:listen:127.0.0.1:0";
    let mut process = Process::start(&mut condis(&["run", "labs/atm-switch.toml", "--set", link]));
    let line = process.line("serves lines on ");
    let (_, address) = line.rsplit_once(' ').expect("an address");
    (process, format!("atmtcp:{address}"))
}

/// A host that serves, one that dials it over the other model, and the switch between them; all end as they should.
#[test]
fn hosts_on_a_switch() {
    let (switch, line) = switch();
    for (here, there) in [
        (r#"["atm-mcm"]"#, r#"["atm-miniport", "uni-call-manager"]"#),
        (r#"["atm-miniport", "uni-call-manager"]"#, r#"["atm-mcm"]"#),
    ] {
        let host = |drivers: &str, more: &[&str]| {
            let sets = [
                format!("node.host.adapter.atm0.link={line}"),
                format!("node.host.adapter.atm0.drivers={drivers}"),
            ];
            let mut command = condis(&["run", "labs/atm-host.toml"]);
            for set in sets.iter().map(String::as_str).chain(more.iter().copied()) {
                command.args(["--set", set]);
            }
            command
        };
        let mut serving = Process::start(&mut host(here, &[]));
        serving.line(&format!("has the address {PREFIX}.020000000001.00"));
        serving.line("serves \".01\" until Ctrl-C");
        let calls = format!(
            "node.host.client.host.call=[{{ to = \"{PREFIX}.020000000001.01\", send = \"256KiB\" }}, \
             {{ to = \"{PREFIX}.020000000001.01\", send = \"64KiB\", close = \"called\", category = \"cbr\", pcr = 20000 }}, \
             {{ to = \"{PREFIX}.00000000dead.01\", refused = 1 }}]"
        );
        let dialing =
            host(there, &["node.host.adapter.atm0.esi=02:00:00:00:00:02", &calls]).output().expect("it runs");
        assert_eq!(dialing.status.code(), Some(0), "{}{}", text(&dialing.stdout), text(&dialing.stderr));
        serving.stop();
    }
    switch.stop();
}

/// `call` and `listen` at a switch: data both ways, a refusal, an interrupted call, and the exit status of each.
#[test]
fn call_and_listen_on_a_switch() {
    let (switch, line) = switch();
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    let file: Vec<u8> = (0..500_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    std::fs::write(path("file"), &file).expect("it is written");
    let address = format!("{PREFIX}.020000000009.07");
    for model in [None, Some("--mcm")] {
        let mut listen = condis(&["listen", ".07", "--link", &line, "--esi", "02:00:00:00:00:09"]);
        let mut listening = Process::start(listen.args(model));
        listening.line(&format!("listening on .07: {address}"));
        let mut call = condis(&["call", &address, "--link", &line, "--send-file"]);
        let call =
            call.arg(path("file")).args(model).arg("--pcap").arg(path("line")).output().expect("it runs");
        assert_eq!(call.status.code(), Some(0), "{}", text(&call.stderr));
        assert!(text(&call.stderr).contains("closed by this end; 500000 octets sent, 0 received"));
        let listened = listening.end();
        assert_eq!(listened.status.code(), Some(0), "{}", text(&listened.stderr));
        assert!(
            text(&listened.stderr)
                .contains("released by the remote: cause 16, normal call clearing; 0 octets sent")
        );
        assert!(listened.stdout == file);
        assert!(std::fs::metadata(path("line")).expect("a capture").len() > 500_000);
    }
    let refused = condis(&["call", &address, "--link", &line]).output().expect("it runs");
    assert_eq!(refused.status.code(), Some(3), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("refused: cause 1, unallocated"), "{}", text(&refused.stderr));

    let mut listening =
        Process::start(&mut condis(&["listen", "any", "--link", &line, "--esi", "020000000009", "--many"]));
    listening.line("listening on any");
    let mut call = condis(&["call", &format!("{PREFIX}.020000000009.00"), "--link", &line, "--keep"]);
    let mut calling = Process::start(call.stdin(Stdio::piped()));
    calling.line("up:");
    let mut input = calling.child.stdin.take().expect("piped");
    input.write_all(b"half a ").expect("it reads");
    listening.line("up:");
    calling.interrupt();
    let called = calling.end();
    assert_eq!(called.status.code(), Some(1), "{}", text(&called.stderr));
    assert!(text(&called.stderr).contains("interrupted"), "{}", text(&called.stderr));
    listening.line("released by the remote: cause 16");
    listening.stop();
    switch.stop();
}

/// Which side connects on TCP is independent of which calls: both ends wait for the switch, which tries until the caller is there.
#[test]
fn the_switch_connects_to_the_caller() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let second = free.expect("a port");
    let ours = |address: &str, own: &str| {
        let link = format!("atmtcp:listen:{address}");
        ["--link", &link, "--uni", "3.1", "--own-address", own].map(str::to_owned)
    };
    let mut listening = Process::start(condis(&["listen", "+4989"]).args(ours("127.0.0.1:0", "+4989")));
    let line = listening.line("waiting for a line on ");
    let first = line.rsplit(' ').next().expect("an address");
    let lab = format!(
        "[switch.s.port.1]\nlink = \"atmtcp:{first}\"\naddresses = [\"+4989\"]\nuni = \"3.1\"\n\
         [switch.s.port.2]\nlink = \"atmtcp:{second}\"\naddresses = [\"+4930\"]\nuni = \"3.1\"\n"
    );
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    file.write_all(lab.as_bytes()).expect("it is written");
    let switch = Process::start(&mut condis(&["run", file.path().to_str().expect("text")]));
    listening.line("listening on +4989");
    let mut call = condis(&["call", "+4989", "--mcm", "--send-file", "README.md"]);
    let called = call.args(ours(&second.to_string(), "+4930")).output().expect("it runs");
    assert_eq!(called.status.code(), Some(0), "{}", text(&called.stderr));
    let listened = listening.end();
    assert_eq!(listened.status.code(), Some(0), "{}", text(&listened.stderr));
    assert!(text(&listened.stderr).contains("+4930 calls"), "{}", text(&listened.stderr));
    let readme = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).expect("it is there");
    assert!(listened.stdout == readme);
    switch.stop();
}

/// AAL5 over UDP: two ends and a switch, each with a socket of its own for each line.
#[test]
fn over_udp() {
    let port =
        || UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    let (a, b, c, d) = (port(), port(), port(), port());
    let lab = format!(
        "[switch.s.port.1]\nlink = \"udp:127.0.0.1:{a},127.0.0.1:{b}\"\nprefix = \"{PREFIX}\"\n\
         [switch.s.port.2]\nlink = \"udp:127.0.0.1:{c},127.0.0.1:{d}\"\nprefix = \"{PREFIX}\"\n"
    );
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    file.write_all(lab.as_bytes()).expect("it is written");
    let switch = Process::start(&mut condis(&["run", file.path().to_str().expect("text")]));
    let line = |ours: u16, theirs: u16| format!("udp:127.0.0.1:{ours},127.0.0.1:{theirs}");
    let listen = ["listen", ".01", "--framed", "--esi", "020000000001", "--link", &line(b, a)];
    let mut listening = Process::start(&mut condis(&listen));
    let said = listening.line("listening on .01");
    let address = said.rsplit(' ').next().expect("an address");
    let call = ["call", address, "--framed", "--mcm", "--link", &line(d, c), "--send-file", "README.md"];
    let call = condis(&call).output().expect("it runs");
    assert_eq!(call.status.code(), Some(0), "{}", text(&call.stderr));
    let listened = listening.end();
    assert_eq!(listened.status.code(), Some(0), "{}", text(&listened.stderr));
    let readme = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).expect("it is there");
    assert!(listened.stdout == readme);
    switch.stop();
}

/// A line that is in use is told at its place in the lab.
#[test]
fn a_line_in_use() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound");
    let link = format!("switch.switch.port.hosts.link=atmtcp:listen:{address}");
    let output = condis(&["run", "atm-switch", "--set", &link]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(&output.stderr);
    for part in [format!("{address} is in use").as_str(), "this line", "take another port"] {
        assert!(stderr.contains(part), "{stderr}");
    }
}

/// Wireshark reads what the lab writes: SSCOP, and in it the messages of Q.2931.
#[test]
fn captures_are_decoded() {
    if Command::new("tshark").arg("--version").output().is_err() {
        println!("SKIPPED captures_are_decoded: needs tshark");
        assert!(std::env::var("CONDIS_REQUIRE_PEERS").as_deref() != Ok("1"), "it must not be skipped");
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let run = condis(&["run", "atm", "--sim", "--pcap"]).arg(directory.path()).output().expect("it runs");
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    for fibre in ["a", "b"] {
        let mut tshark = Command::new("tshark");
        tshark.arg("-r").arg(directory.path().join(format!("{fibre}.pcapng")));
        tshark.args(["-T", "fields", "-e", "frame.protocols", "-e", "_ws.col.Info"]);
        let output = tshark.output().expect("it runs");
        let lines = text(&output.stdout);
        for message in ["SETUP", "CALL PROCEEDING", "CONNECT", "CONNECT ACK", "ADD PARTY", "RELEASE COMPLETE"]
        {
            let found = lines.lines().filter(|line| line.contains("q2931") && line.contains(message)).count();
            assert!(found > 0, "no {message} on fibre {fibre}:\n{lines}");
        }
        assert!(lines.lines().any(|line| line.contains("sscop")), "{lines}");
        // Data that is no protocol's it takes for one; and its Q.2931 reads beyond an IE that is the last.
        let known = ["atm:sscop", "atm:ilmi"];
        let ours = lines.lines().filter(|line| known.iter().any(|start| line.starts_with(start)));
        let ours: Vec<_> = ours.filter(|line| !line.contains("q2931")).collect();
        assert!(ours.len() > 20 && !ours.iter().any(|line| line.contains("Malformed")), "{lines}");
    }
}
