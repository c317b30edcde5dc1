//! The peers: the programs of Debian's package `pppoe`, which speak PPPoE in user space.
//!
//! - `pppoe-discovery` asks who is there.
//! - `pppoe` is a host. What pppd would say to it over a terminal, PPP frames in [`async_hdlc`](super::async_hdlc), the test
//!   says over a pair of sockets.
//! - `pppoe-server` is an access concentrator. For each session it starts a program in place of pppd, with the command line of
//!   a `pppoe` that carries the session. Ours has that `pppoe` read what it writes, so that the session echoes all frames.

use std::fs;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::HANG;
use super::cable::{INTERFACE, Station};
use super::process::{Ended, Process};

/// Asks once who is there, and hears for one second.
pub(crate) fn discovery(station: &Station, arguments: &[&str]) -> Ended {
    ask(station, "1", arguments)
}

/// Asks until somebody is there.
pub(crate) fn await_concentrator(station: &Station) -> String {
    ask(station, "15", &[]).well().output
}

fn ask(station: &Station, attempts: &str, arguments: &[&str]) -> Ended {
    let mut command = station.command("pppoe-discovery");
    command.args(["-I", INTERFACE, "-t", "1", "-a", attempts]).args(arguments);
    Process::start("pppoe-discovery", &mut command).end()
}

/// `pppoe`, and the test in the place of pppd.
pub(crate) struct Host {
    /// It.
    pub(crate) process: Process,
    /// PPP frames to and from it. Shut down, it closes its session.
    pub(crate) frames: UnixStream,
}

impl Host {
    /// Starts it. It looks for a session by itself, and says nothing until its end.
    pub(crate) fn start(station: &Station, arguments: &[&str]) -> Host {
        let (frames, its) = UnixStream::pair().expect("there are sockets");
        frames.set_read_timeout(Some(HANG)).expect("it is a time");
        frames.set_write_timeout(Some(HANG)).expect("it is a time");
        let its_output = its.try_clone().expect("there are descriptors");
        let mut command = station.command("pppoe");
        command.args(["-I", INTERFACE, "-U"]).args(arguments);
        command.stdin(OwnedFd::from(its)).stdout(OwnedFd::from(its_output));
        Host { process: Process::spawn("pppoe", &mut command), frames }
    }

    /// Ends its input, upon which it closes the session (PADT) and ends.
    pub(crate) fn hang_up(&self) {
        self.frames.shutdown(Shutdown::Write).expect("it is connected");
    }
}

/// Gets a session as `pppoe` does, and leaves it to itself: `SESSION:ADDRESS`, as the other commands take it.
pub(crate) fn session_alone(station: &Station, arguments: &[&str]) -> String {
    let mut command = station.command("pppoe");
    command.args(["-I", INTERFACE, "-U", "-d"]).args(arguments);
    Process::start("pppoe -d", &mut command).end().well().output
}

/// Closes a session that is left to itself: nothing but a PADT.
pub(crate) fn kill_session(station: &Station, session: &str) {
    let mut command = station.command("pppoe");
    command.args(["-I", INTERFACE, "-e", session, "-k"]);
    Process::start("pppoe -k", &mut command).end().well();
}

/// `pppoe-server`.
pub(crate) struct Server {
    /// It. It says nothing.
    _process: Process,
    sessions: Process,
    directory: PathBuf,
}

impl Server {
    /// Starts it with this AC-Name and these services. A host has to ask more than once if it is quick.
    pub(crate) fn start(station: &Station, name: &str, services: &[&str]) -> Server {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("condis-peers-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory).expect("there is room for temporary files");
        let echo = directory.join("echo");
        fs::write(&echo, ECHO).expect("there is room for temporary files");
        fs::set_permissions(&echo, fs::Permissions::from_mode(0o755)).expect("it is ours");
        let listener =
            Process::start("listener", Command::new("sh").args(["-c", LISTENER]).current_dir(&directory));
        let mut server = station.command("pppoe-server");
        server.args(["-F", "-I", INTERFACE, "-C", name, "-q"]).arg(&echo).env("DIRECTORY", &directory);
        services.iter().for_each(|service| {
            server.args(["-S", service]);
        });
        let mut server =
            Server { _process: Process::start("pppoe-server", &mut server), sessions: listener, directory };
        server.sessions.line("listening");
        server
    }

    /// Waits until a session begins: the process that carries it and its command.
    pub(crate) fn session_begins(&mut self) -> (u32, String) {
        let line = self.sessions.line("begins: ");
        let (pid, command) = line.split_once(" begins: ").expect("the line has it");
        (pid.parse().expect("it is a number"), command.to_owned())
    }

    /// Waits until no process carries a session any more.
    pub(crate) fn sessions_end(&mut self) {
        self.sessions.line("no session");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// What is started in place of pppd, with pppd's arguments: `pty COMMAND` and others. The command reads what it writes, through
/// a queue that this process opens for both, and takes the place of this process, so that who ends one ends the other. It holds
/// `alive` open to its end.
const ECHO: &str = r#"#!/bin/sh
cd "$DIRECTORY"
while [ "$1" != pty ]; do shift; done
mkfifo "queue.$$"
exec 3>alive <>"queue.$$" >&0
echo "$$ begins: $2" >&3
exec sh -c "exec $2"
"#;

/// Tells when sessions begin, and when none is left: then `alive` is at its end.
const LISTENER: &str = "mkfifo alive; echo listening; while cat alive; do echo no session; done";
