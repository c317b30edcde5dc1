//! Our side: the command `condis` with the labs that the repository has for real Ethernet.

use std::process::Command;

use serde_json::Value;

use super::cable::{INTERFACE, Station};
use super::process::{Ended, Process};

/// The two ways to drive PPPoE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// A call manager over an Ethernet miniport.
    CallManager,
    /// A miniport call manager.
    Mcm,
}

impl Way {
    fn drivers(self) -> &'static str {
        match self {
            Way::CallManager => r#"["ethernet-miniport", "pppoe-call-manager"]"#,
            Way::Mcm => r#"["pppoe-mcm"]"#,
        }
    }
}

/// An access concentrator named `ours` that offers `alpha` and `beta`, and echoes what it hears. It serves when this returns.
pub(crate) fn concentrator(station: &Station, way: Way) -> Process {
    let mut command = concentrator_command(station, way);
    let mut process = Process::start("condis", &mut command);
    process.line("serves \"alpha\", \"beta\"");
    process
}

/// The command of [`concentrator`].
pub(crate) fn concentrator_command(station: &Station, way: Way) -> Command {
    let adapter = "node.ac.adapter.eth0";
    run(
        station,
        "labs/pppoe-ac.toml",
        &[
            (&format!("{adapter}.link"), &format!("ethernet:{INTERFACE}")),
            (&format!("{adapter}.drivers"), way.drivers()),
            (&format!("{adapter}.concentrator"), "ours"),
            ("node.ac.client.echo.offers", r#"["alpha", "beta"]"#),
        ],
    )
}

/// A host that makes `calls`, tables of TOML.
pub(crate) fn host(station: &Station, way: Way, calls: &[&str]) -> Process {
    let adapter = "node.host.adapter.eth0";
    let mut command = run(
        station,
        "labs/pppoe-host.toml",
        &[
            (&format!("{adapter}.link"), &format!("ethernet:{INTERFACE}")),
            (&format!("{adapter}.drivers"), way.drivers()),
            ("node.host.client.caller.call", &format!("[{}]", calls.join(", "))),
        ],
    );
    Process::start("condis", &mut command)
}

fn run(station: &Station, lab: &str, settings: &[(&str, &str)]) -> Command {
    let mut command = station.command(env!("CARGO_BIN_EXE_condis"));
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).args(["run", lab, "--json"]);
    for (key, value) in settings {
        command.arg("--set").arg(format!("{key}={value}"));
    }
    command
}

/// What `condis` reported at its end, after which nothing may be left and no rule may have been broken.
#[track_caller]
pub(crate) fn report(ended: &Ended) -> Value {
    let report: Value = serde_json::from_str(&ended.output)
        .unwrap_or_else(|error| panic!("no report ({error}); it said:\n{}", ended.said));
    for node in report["nodes"].as_array().expect("a lab has nodes") {
        let left = node["left"].as_object().expect("it is a table");
        assert!(left.values().all(|count| count == 0), "left: {left:?}; it said:\n{}", ended.said);
        assert_eq!(node["reports"], Value::Array(Vec::new()), "broken rules");
    }
    report
}
