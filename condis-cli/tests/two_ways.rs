//! `condis run two-ways` as its user sees it: the exit status, the JSON and the text, in simulation and on threads.

use assert_cmd::Command;
use serde_json::Value;

fn condis(args: &[&str]) -> (Option<i32>, Vec<u8>) {
    let output = Command::cargo_bin("condis").expect("it is built").args(args).output().expect("it runs");
    (output.status.code(), output.stdout)
}

fn json(args: &[&str]) -> Value {
    let (status, stdout) = condis(args);
    let text = String::from_utf8(stdout).expect("text");
    assert_eq!(status, Some(0), "{text}");
    // Exactly one object: anything behind it would be an error.
    serde_json::from_str(&text).expect("one JSON object")
}

fn node<'a>(report: &'a Value, name: &str) -> &'a Value {
    let nodes = report["nodes"].as_array().expect("nodes");
    nodes.iter().find(|node| node["name"] == name).expect("the node is there")
}

fn vcs(node: &Value, use_: &str, creator: &str) -> usize {
    let vcs = node["vcs"].as_array().expect("vcs");
    vcs.iter().filter(|vc| vc["use"] == use_ && vc["creator"] == creator).count()
}

/// What the two worlds must and must not show (CO-005, CO-058, X-01).
fn check(report: &Value) {
    assert_eq!(report["lab"], "two-ways");
    assert_eq!(report["ok"], true, "{report:#}");
    let (manager, mcm, ac) = (node(report, "manager"), node(report, "mcm"), node(report, "ac"));
    assert_eq!(manager["manager"], "call-manager");
    assert_eq!(mcm["manager"], "mcm");
    assert_eq!(ac["manager"], Value::Null, "half of it each way");
    assert_eq!((vcs(manager, "signaling", "call-manager"), vcs(manager, "client", "client")), (1, 2));
    assert_eq!((vcs(mcm, "signaling", "call-manager"), vcs(mcm, "client", "client")), (0, 2));
    assert_eq!(vcs(mcm, "signaling", "mcm"), 0, "an MCM's signaling is opaque to NDIS");
    assert_eq!(vcs(ac, "signaling", "call-manager"), 1);
    assert_eq!((vcs(ac, "client", "call-manager"), vcs(ac, "client", "mcm")), (2, 2));
    for vc in [manager, mcm, ac].into_iter().flat_map(|node| node["vcs"].as_array().expect("vcs")) {
        assert_eq!(vc["activation"], "active");
        let client = vc["use"] == "client";
        assert_eq!(vc["call"], if client { "connected" } else { "none" });
        // 1 MiB each way, and what the client's frames have beside their data.
        let enough = |key: &str| vc[key].as_u64().is_some_and(|octets| octets > 1 << 20);
        assert_eq!((enough("sent_bytes"), enough("received_bytes")), (client, client), "{vc}");
    }
    crossings(manager, mcm);
    for node in report["nodes"].as_array().expect("nodes") {
        for kind in ["vcs", "saps", "afs", "parties", "nbls", "objects"] {
            assert_eq!(node["left"][kind], 0, "{kind} of {}", node["name"]);
        }
        assert_eq!(node["reports"], Value::Array(Vec::new()), "no driver breaks a rule");
    }
    calls(report);
    assert_eq!(report["totals"]["done"], 4);
    assert_eq!(report["totals"]["echoed_bytes"], 4 << 20);
}

fn crossings(manager: &Value, mcm: &Value) {
    let count = |node: &Value, name: &str| node["crossings"][name].as_u64().unwrap_or(0);
    // The client does and hears the same in both worlds.
    for name in [
        "NdisClMakeCall",
        "ProtocolClMakeCallComplete",
        "NdisClCloseCall",
        "ProtocolClCloseCallComplete",
        "ProtocolClIncomingCloseCall",
    ] {
        assert_eq!(count(manager, name), count(mcm, name), "{name}");
    }
    assert_eq!(count(manager, "NdisClMakeCall"), 2);
    assert_eq!(
        count(manager, "ProtocolClIncomingCloseCall"),
        1,
        "one of two calls is called off by its PADT"
    );
    // What lies below differs.
    for name in ["MiniportCoCreateVc", "MiniportCoActivateVc", "MiniportCoDeactivateVc", "MiniportCoDeleteVc"]
    {
        assert_eq!(
            (count(manager, name), count(mcm, name)),
            (3, 0),
            "{name}: two calls and one signaling VC"
        );
    }
    assert!(count(mcm, "NdisMCmActivateVc") == 2 && count(manager, "NdisMCmActivateVc") == 0);
}

fn calls(report: &Value) {
    let made: Vec<_> =
        report["calls"].as_array().expect("calls").iter().filter(|call| call["made"] == true).collect();
    assert_eq!(made.len(), 4);
    for call in made {
        assert_eq!(call["sent"], call["echo"], "the echo is what was sent");
        assert_eq!(call["sent"], call["other_end_heard"], "the checksum is compared at both ends");
        let closed_by = if call["service"] == "north" { "this end" } else { "the other end" };
        assert_eq!(call["closed_by"], closed_by);
    }
}

#[test]
fn in_simulation() {
    check(&json(&["run", "--sim", "--json"]));
}

#[test]
fn on_threads() {
    check(&json(&["run", "two-ways", "--json"]));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = |seed: &str, name: &str| {
        let trace = directory.path().join(name);
        let pcap = directory.path().join(format!("{name}.d"));
        let paths = [trace.to_str().expect("text"), pcap.to_str().expect("text")];
        let (status, stdout) =
            condis(&["run", "lossy", "--sim", "--seed", seed, "--trace", paths[0], "--pcap", paths[1]]);
        assert_eq!(status, Some(0), "{}", String::from_utf8_lossy(&stdout));
        let read = |path| std::fs::read(path).expect("it was written");
        (stdout, read(&trace), read(&pcap.join("wire.pcapng")))
    };
    let (first, second, other) = (run("7", "first"), run("7", "second"), run("8", "other"));
    assert!(first == second, "standard output, trace and capture replay bit for bit");
    assert!(first.1 != other.1, "another seed is another run");
    let lines = String::from_utf8(first.1).expect("text");
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).expect("each line is JSON");
        assert!(line["function"].is_string() || line["rule"].is_string(), "{line}");
    }
}

/// The text for people, in full: what it shows is the point of the lab.
#[test]
fn the_text() {
    let (status, stdout) = condis(&["run", "--sim"]);
    assert_eq!(status, Some(0));
    let text = String::from_utf8(stdout).expect("text");
    assert!(!text.contains('\x1b'), "no colour but on a terminal");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    // What follows are counters, which belong to the drivers' own tests.
    let (shown, rest) = text.split_once("\nTotals\n").expect("totals");
    assert!(rest.contains("manager: nothing\nmcm: nothing\nac: nothing\n"), "{rest}");
    assert!(rest.ends_with("ok: all that was asked happened\n"), "{rest}");
    insta::assert_snapshot!(shown);
}
