//! Linux's own ATM as a peer: a host in QEMU with the kernel's ATM stack and `atmsigd`, steered line by line.
//!
//! What it understands stands at the head of `tests/peers/linux/scenarios/atm-steered.guest`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread;
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

/// Whether the machine can boot guests. If not, says so, and fails where CONDIS_REQUIRE_PEERS=1.
pub(crate) fn present() -> bool {
    if super::installed("qemu-system-x86_64") && cache().join("root.cpio").exists() {
        return true;
    }
    const NEEDS: &str = "needs Linux in QEMU (as root on Debian: cargo run -p xtask -- peers build)";
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let _ = std::io::stderr().write_all(format!("SKIPPED linux_atm: {NEEDS}\n").as_bytes());
    });
    assert!(
        std::env::var("CONDIS_REQUIRE_PEERS").as_deref() != Ok("1"),
        "linux_atm must not be skipped, and {NEEDS}"
    );
    false
}

/// A line of ATM over TCP with a guest at one end and, one after the other, ours at the other. Both ends connect to it, so that a
/// guest can be made ready before ours is there.
pub(crate) struct Cable {
    /// Where the guest connects to.
    pub(crate) guest: u16,
    /// Where ours does.
    pub(crate) ours: u16,
}

impl Cable {
    pub(crate) fn new() -> Cable {
        let bind = || TcpListener::bind(("127.0.0.1", 0)).expect("there are ports");
        let port = |listener: &TcpListener| listener.local_addr().expect("it is bound").port();
        let (guests, ours) = (bind(), bind());
        let cable = Cable { guest: port(&guests), ours: port(&ours) };
        let (near, far) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(None)));
        pump(guests, near.clone(), far.clone());
        pump(ours, far, near);
        cable
    }
}

type End = Arc<Mutex<Option<TcpStream>>>;

/// Takes connections one after the other, and passes on what they say, message by message, so that a connection that breaks
/// leaves no half of one behind.
fn pump(listener: TcpListener, here: End, there: End) {
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            *lock(&here) = stream.try_clone().ok();
            while let Some(message) = read_message(&mut stream) {
                let mut to = lock(&there);
                if to.as_mut().is_some_and(|to| to.write_all(&message).is_err()) {
                    *to = None;
                }
            }
            *lock(&here) = None;
        }
    });
}

fn read_message(from: &mut TcpStream) -> Option<Vec<u8>> {
    let mut message = vec![0; 8];
    from.read_exact(&mut message).ok()?;
    let octets = u32::from_be_bytes(message[4..8].try_into().expect("four octets"));
    message.resize(8 + octets as usize, 0);
    from.read_exact(&mut message[8..]).ok()?;
    Some(message)
}

fn lock(end: &End) -> MutexGuard<'_, Option<TcpStream>> {
    end.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cache() -> PathBuf {
    std::env::var_os("PEER_CACHE").map_or_else(
        || {
            PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/root".into()))
                .join(".cache/condis-peers")
        },
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

    /// Waits until it takes orders. Its signaling comes up as soon as there is somebody at the other end.
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
        self.ended().unwrap_or_else(|line| panic!("{line}; it said:\n{}", self.process.said()))
    }

    fn ended(&mut self) -> Result<String, String> {
        let line = self.process.line_of(&["ok: ", "no: ", "FAIL"], DEED);
        line.split_once("ok: ").map(|(_, said)| said.to_owned()).ok_or(line)
    }

    /// Has it do something that may fail; what it says of it.
    pub(crate) fn tries(&mut self, deed: &str) -> Result<String, String> {
        self.begin(deed);
        self.ended()
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
        self.process.line_of(&["ok: bye", "FAIL"], DEED);
    }
}

/// The pattern that guests send and expect: `octets` of it.
pub(crate) fn pattern(octets: usize) -> Vec<u8> {
    b"condis peer lab 0123456789abcdef\n".iter().copied().cycle().take(octets).collect()
}
