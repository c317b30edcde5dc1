//! Linux's own ATM as a peer: a host in QEMU with the kernel's ATM stack and `atmsigd`, steered line by line.
//!
//! What it understands stands at the head of `tests/peers/linux/scenarios/atm-steered.guest`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::process::Process;

/// A guest boots on an emulated processor that others use too: only ever waited for in full by a test that fails.
const BOOT: Duration = Duration::from_secs(120);

/// One thing that it does; the longest of them waits for an answer that may not come.
const DEED: Duration = Duration::from_secs(60);

/// Which side of the UNI a guest is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    User,
    Network,
    /// No signaling at all.
    Pvc,
}

/// A Linux host whose ATM interface 0 is a line of ATM over TCP to a port of this machine.
pub(crate) struct Guest {
    process: Process,
}

/// One test with guests at a time: two emulated processors are all that two real ones carry.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is missing for guests.
pub(crate) fn missing() -> Option<&'static str> {
    if !super::installed("qemu-system-x86_64") || !cache().join("root.cpio").exists() {
        return Some("Linux in QEMU (as root on Debian: cargo run -p xtask -- peers build)");
    }
    None
}

fn cache() -> PathBuf {
    std::env::var_os("PEER_CACHE").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/root".into())).join(".cache/condis-peers"),
        PathBuf::from,
    )
}

fn lab() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/linux")
}

impl Guest {
    /// Begins to boot one that connects to `port`. It need not listen yet, but must when the guest is [`Guest::ready`].
    pub(crate) fn boot(name: &str, mode: Mode, uni: &str, address: &str, port: u16) -> Guest {
        let mode = match mode {
            Mode::User => "user",
            Mode::Network => "network",
            Mode::Pvc => "pvc",
        };
        let scenarios = lab().join("scenarios");
        let mut command = Command::new(lab().join("run"));
        command
            .args(["--name", name, "--timeout", "300", "--stdin", "--net", "user"])
            .arg("--env")
            .arg(format!("CABLE={port}"))
            .arg("--file")
            .arg(scenarios.join("lib.sh"))
            .arg("--script")
            .arg(scenarios.join("atm-steered.guest"))
            .args(["--", mode, uni, address])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        Guest { process: Process::spawn(name, &mut command) }
    }

    /// Waits until its signaling is up.
    pub(crate) fn ready(mut self) -> Guest {
        let line = self.process.line_of(&["ok: ready", "FAIL", "run: "], BOOT);
        assert!(line.contains("ok: "), "{line}; it said:\n{}", self.process.said());
        self
    }

    /// Tells it to do something, and does not wait.
    pub(crate) fn begin(&mut self, deed: &str) {
        self.process.tell(deed);
    }

    /// Waits for the end of what was begun, which must be well, and gives what it says of it.
    #[track_caller]
    pub(crate) fn done(&mut self) -> String {
        let line = self.process.line_of(&["ok: ", "no: ", "FAIL"], DEED);
        let said = line.split_once("ok: ").map(|(_, said)| said.to_owned());
        said.unwrap_or_else(|| panic!("{line}; it said:\n{}", self.process.said()))
    }

    /// Has it do something.
    #[track_caller]
    pub(crate) fn does(&mut self, deed: &str) -> String {
        self.begin(deed);
        self.done()
    }

    /// The signaling messages that it sent and took, `TO SETUP` and `FROM CONNECT` and so on, in order.
    pub(crate) fn messages(&mut self) -> Vec<String> {
        let before = self.process.said().len();
        self.does("log");
        let said = self.process.said();
        said[before..]
            .lines()
            .filter_map(|line| line.split_once("atmsigd: ")?.1.rsplit_once(" (0x"))
            .map(|(line, _)| {
                let direction = if line.starts_with("TO") { "TO" } else { "FROM" };
                format!("{direction} {}", line.rsplit(' ').next().unwrap_or_default())
            })
            .collect()
    }

    /// Ends it.
    pub(crate) fn end(mut self) {
        self.process.tell("end");
        let (mut process, _) = (self.process, ());
        process.line_of(&["ok: bye", "FAIL"], DEED);
    }
}

/// The pattern that guests send and expect: `octets` of it.
pub(crate) fn pattern(octets: usize) -> Vec<u8> {
    b"condis peer lab 0123456789abcdef\n".iter().copied().cycle().take(octets).collect()
}
