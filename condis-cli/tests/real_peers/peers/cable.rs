//! Two machines on one cable: network namespaces with the two ends of a veth pair.

use std::path::Path;
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

/// The interface that each end has.
pub(crate) const INTERFACE: &str = "eth0";

/// Two network namespaces with one cable between them, which go away with it, and with all that runs in them.
pub(crate) struct Cable {
    /// Where the host is.
    pub(crate) host: Station,
    /// Where the access concentrator is.
    pub(crate) concentrator: Station,
}

impl Cable {
    /// A new cable, both of its ends up.
    pub(crate) fn new() -> Cable {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        static SWEPT: Once = Once::new();
        SWEPT.call_once(sweep);
        // Other tests and other runs do the same at the same time.
        let name = format!("{PREFIX}{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let cable = Cable {
            host: Station::new(format!("{name}-h")),
            concentrator: Station::new(format!("{name}-c")),
        };
        let (host, concentrator) = (&cable.host.namespace, &cable.concentrator.namespace);
        ip(&format!(
            "link add {INTERFACE} netns {host} type veth peer name {INTERFACE} netns {concentrator}"
        ));
        for station in [&cable.host, &cable.concentrator] {
            station.ip(&format!("link set {INTERFACE} up"));
        }
        cable
    }
}

/// A network namespace.
pub(crate) struct Station {
    namespace: String,
}

impl Station {
    fn new(namespace: String) -> Station {
        ip(&format!("netns add {namespace}"));
        Station { namespace }
    }

    /// To run `program` here.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, program]);
        command
    }

    /// Changes something here with `ip`.
    pub(crate) fn ip(&self, arguments: &str) {
        ip(&format!("-n {} {arguments}", self.namespace));
    }

    /// The Ethernet address of its interface, as Linux writes it.
    pub(crate) fn address(&self) -> String {
        let output = self.command("cat").arg(format!("/sys/class/net/{INTERFACE}/address")).output();
        String::from_utf8(output.expect("cat runs").stdout).expect("it is text").trim().to_owned()
    }

    /// The processes that run here and the command line of each.
    pub(crate) fn processes(&self) -> Vec<(u32, String)> {
        let output = Command::new("ip").args(["netns", "pids", &self.namespace]).output();
        let pids = String::from_utf8(output.expect("ip runs").stdout).unwrap_or_default();
        let command_line = |pid| {
            let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
            Some((pid, line.trim_end_matches('\0').replace('\0', " ")))
        };
        pids.split_whitespace().filter_map(|pid| command_line(pid.parse().ok()?)).collect()
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        // A server's children outlive it if it is killed.
        for (pid, _) in self.processes() {
            signal(pid, "KILL");
        }
        let _ = Command::new("ip").args(["netns", "del", &self.namespace]).status();
    }
}

/// Sends a signal, such as `INT`, to a process that may be gone already.
pub(crate) fn signal(pid: u32, name: &str) {
    let _ = Command::new("sh").args(["-c", &format!("kill -{name} {pid} 2>/dev/null")]).status();
}

/// Removes what runs have left that were killed.
fn sweep() {
    let output = Command::new("ip").args(["netns", "list"]).output().expect("ip runs");
    let list = String::from_utf8_lossy(&output.stdout).into_owned();
    for name in list.lines().filter_map(|line| line.split_whitespace().next()) {
        let run = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if run.is_some_and(|run| !Path::new("/proc").join(run).exists()) {
            drop(Station { namespace: name.to_owned() });
        }
    }
}

const PREFIX: &str = "condis-peers-";

fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split(' ')).output().expect("ip runs");
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}
