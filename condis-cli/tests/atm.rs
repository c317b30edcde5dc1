//! `condis run atm` as its user sees it: the exit status, the JSON and the text, in simulation and on threads; and that the client
//! does and hears the same over a call manager and over an MCM.

use std::collections::BTreeMap;

use assert_cmd::Command;
use condis::trace::ObjectId;
use condis_cli::lab::Lab;
use condis_cli::run::{NodeReport, Options, Report, run};
use serde_json::Value;

fn condis(args: &[&str]) -> (Option<i32>, Vec<u8>) {
    let output = Command::cargo_bin("condis").expect("it is built").args(args).output().expect("it runs");
    (output.status.code(), output.stdout)
}

fn json(args: &[&str]) -> Value {
    let (status, stdout) = condis(args);
    let text = String::from_utf8(stdout).expect("text");
    assert_eq!(status, Some(0), "{text}");
    serde_json::from_str(&text).expect("one JSON object")
}

fn node<'a>(report: &'a Value, name: &str) -> &'a Value {
    let nodes = report["nodes"].as_array().expect("nodes");
    nodes.iter().find(|node| node["name"] == name).expect("the node is there")
}

/// The VPI and VCI of the VCs of this use.
fn numbers(node: &Value, use_: &str) -> Vec<(u64, u64)> {
    let vcs = node["vcs"].as_array().expect("vcs").iter().filter(|vc| vc["use"] == use_);
    let number = |vc: &Value, key: &str| vc[key].as_u64().unwrap_or_else(|| panic!("{key} of {vc}"));
    let mut numbers: Vec<_> = vcs.map(|vc| (number(vc, "vpi"), number(vc, "vci"))).collect();
    numbers.sort_unstable();
    numbers
}

/// What the two worlds must and must not show (CO-005, CO-058, X-01).
fn check(report: &Value) {
    assert_eq!(report["lab"], "atm");
    assert_eq!(report["ok"], true, "{report:#}");
    let (manager, mcm, third) = (node(report, "manager"), node(report, "mcm"), node(report, "third"));
    assert_eq!((&manager["manager"], &mcm["manager"]), (&"call-manager".into(), &"mcm".into()));
    assert_eq!(third["manager"], Value::Null, "half of it each way");
    assert_eq!(numbers(manager, "signaling"), [(0, 5), (0, 16)]);
    assert_eq!(numbers(mcm, "signaling"), [], "an MCM's signaling is opaque to NDIS");
    assert_eq!(numbers(third, "signaling"), [(0, 5), (0, 16)]);
    for host in [manager, mcm] {
        // Five calls that it made and two that it took, one of these to many; each on a connection of its own.
        let clients = numbers(host, "client");
        assert_eq!(clients.len(), 7, "{clients:?}");
        assert!(clients.windows(2).all(|pair| pair[0] != pair[1]), "{clients:?}");
        assert_eq!(clients.last(), Some(&(0, 100)), "the permanent one; the others are below");
        assert!(clients[..6].iter().all(|(vpi, vci)| *vpi == 0 && (32..100).contains(vci)));
    }
    for node in [manager, mcm, third] {
        for vc in node["vcs"].as_array().expect("vcs") {
            assert_eq!(vc["activation"], "active");
            assert_eq!(vc["call"], if vc["use"] == "client" { "connected" } else { "none" });
        }
        for kind in ["vcs", "saps", "afs", "parties", "nbls", "objects"] {
            assert_eq!(node["left"][kind], 0, "{kind} of {}", node["name"]);
        }
        assert_eq!(node["reports"], Value::Array(Vec::new()), "no driver breaks a rule");
    }
    assert_eq!(report["switches"][0]["left"]["calls"], 0);
    calls(report);
    let totals = &report["totals"];
    assert_eq!(
        (&totals["calls"], &totals["done"], &totals["broken_rules"]),
        (&14.into(), &14.into(), &0.into())
    );
}

fn calls(report: &Value) {
    let all = report["calls"].as_array().expect("calls");
    for host in ["manager", "mcm"] {
        let made: Vec<_> = all.iter().filter(|call| call["made"] == true && call["node"] == host).collect();
        assert_eq!(made.len(), 7);
        for call in &made[..5] {
            assert_eq!(call["ending"], "done");
            assert_eq!(call["sent"], call["other_end_heard"], "{call}");
            // Nothing comes back over a call to many.
            assert_eq!(call["sent"] == call["echo"], call["multipoint"] == false, "{call}");
        }
        assert_eq!(made[1]["closed_by"], "the other end");
        assert_eq!(made[2]["changed_pcr"], 20_000);
        assert_eq!(made[3]["parties"], serde_json::json!(["third/atm0.02 is added", "it is dropped"]));
        assert_eq!((&made[5]["cause"], &made[6]["cause"]), (&1.into(), &37.into()));
        assert!(made[5]["ending"].as_str().is_some_and(|text| text.contains("unallocated")), "{}", made[5]);
        assert!(made[6]["ending"].as_str().is_some_and(|text| text.contains("cell rate")), "{}", made[6]);
    }
    let taken = |service: &str| -> Vec<&Value> {
        all.iter().filter(|call| call["made"] == false && call["service"] == service).collect()
    };
    // The other end of the changed call was told of it.
    assert_eq!(taken(".03 bhli user:0123").iter().filter(|call| call["changed_pcr"] == 20_000).count(), 2);
    // The leaf that came later heard one part of three.
    let heard: Vec<_> = taken(".02").iter().filter_map(|call| call["heard"]["bytes"].as_u64()).collect();
    assert_eq!(heard.iter().filter(|octets| **octets == 16 << 10).count(), 2, "{heard:?}");
    assert_eq!(heard.iter().filter(|octets| **octets == 48 << 10).count(), 2, "{heard:?}");
}

#[test]
fn in_simulation() {
    check(&json(&["run", "atm", "--sim", "--json"]));
}

#[test]
fn on_threads() {
    check(&json(&["run", "atm", "--json"]));
}

#[test]
fn older_signaling_does_the_same_but_for_the_rate() {
    for version in ["3.0", "3.1"] {
        let set: Vec<String> =
            ["manager.adapter.atm0", "mcm.adapter.atm0", "third.adapter.atm0", "third.adapter.atm1"]
                .iter()
                .map(|adapter| format!("node.{adapter}.uni={version:?}"))
                .chain((1..5).map(|port| format!("switch.switch.port.{port}.uni={version:?}")))
                .collect();
        let mut lab = Lab::load("atm", &set).expect("the lab is well formed");
        for client in lab.nodes.iter_mut().flat_map(|node| &mut node.clients) {
            // The cause of a rate that is not to be had is another one in UNI 3.0.
            client.calls.retain(|call| version != "3.0" || call.refused != Some(37));
            for call in &mut client.calls {
                // Q.2963.1 came with UNI 4.0.
                if let condis_cli::lab::CallTo::Atm(target) = &mut call.target {
                    target.change_pcr = None;
                }
            }
        }
        let report = run(&lab, &Options { seed: Some(3), ..Options::default() }).expect("the lab starts");
        assert!(report.is_ok(), "UNI {version}: {:#?}", report.problems);
    }
}

fn simulated(lab: &str, settings: &[String], seed: u64) -> Report {
    let lab = Lab::load(lab, settings).expect("the lab is well formed");
    run(&lab, &Options { seed: Some(seed), ..Options::default() }).expect("the lab starts")
}

/// Per call that the node made, what its client did and heard about the VC of it; and the same about all else.
fn client_view(report: &Report, name: &str) -> BTreeMap<String, Vec<&'static str>> {
    let node = report.nodes.iter().find(|node| node.name == name).expect("the node is there");
    let mut view: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    let made = report.calls.iter().filter(|call| call.node == name && call.made);
    let calls: BTreeMap<_, _> = made.filter_map(|call| Some((call.vc?, call.number))).collect();
    let taken = report.calls.iter().filter(|call| call.node == name && !call.made);
    let answered: BTreeMap<_, _> = taken.filter_map(|call| Some((call.vc?, call.service.clone()))).collect();
    for (object, function) in &node.client_log {
        // NDIS asks every protocol to bind before it knows of which role it is; a call manager is one more.
        if *function == "ProtocolBindAdapterEx" {
            continue;
        }
        let about = match object {
            ObjectId::Vc(vc) => match (calls.get(vc), answered.get(vc)) {
                (Some(number), _) => format!("call {number}"),
                (None, Some(service)) => format!("taken on {service}"),
                (None, None) => "other VCs".to_owned(),
            },
            // Whether the one that is made or the one that is taken comes first is up to the other node.
            _ if function.ends_with("CoCreateVc") => (*function).to_owned(),
            ObjectId::Sap(_) => "SAPs".to_owned(),
            ObjectId::Party(_) => "parties".to_owned(),
            other => {
                format!("{other:?}").split(|c: char| c.is_ascii_digit()).next().unwrap_or_default().to_owned()
            }
        };
        view.entry(about).or_default().push(function);
    }
    view
}

/// The client cannot tell a call manager from an MCM: on both hosts of the lab it calls NDIS, and is called by it, in the
/// same way, call by call.
#[test]
fn the_client_sees_the_same_in_both_worlds() {
    for seed in [1, 2, 3] {
        let report = simulated("atm", &[], seed);
        assert!(report.is_ok(), "{:#?}", report.problems);
        let (manager, mcm) = (client_view(&report, "manager"), client_view(&report, "mcm"));
        let keys: Vec<_> = manager.keys().collect();
        assert_eq!(keys, mcm.keys().collect::<Vec<_>>());
        assert!((1..=7).all(|number| manager.contains_key(&format!("call {number}"))), "{keys:?}");
        assert!(manager.contains_key("parties") && manager.contains_key("taken on .02"), "{keys:?}");
        for (about, sequence) in &manager {
            assert_eq!(sequence, &mcm[about], "{about}, seed {seed}");
        }
        // And what lies below differs, or the test compares one world with itself.
        let count = |node: &NodeReport, name: &str| node.crossings.get(name).copied().unwrap_or(0);
        let of = |name: &str| report.nodes.iter().find(|node| node.name == name).expect("there");
        assert!(
            count(of("manager"), "MiniportCoCreateVc") > 0 && count(of("mcm"), "MiniportCoCreateVc") == 0
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = |seed: &str, name: &str| {
        let trace = directory.path().join(name);
        let pcap = directory.path().join(format!("{name}.d"));
        let paths = [trace.to_str().expect("text"), pcap.to_str().expect("text")];
        let jitter = ["--set", "fibre.a.jitter=100us", "--set", "fibre.b.jitter=100us"];
        let args = ["run", "atm", "--sim", "--seed", seed, "--trace", paths[0], "--pcap", paths[1]];
        let (status, stdout) = condis(&[&args[..], &jitter].concat());
        assert_eq!(status, Some(0), "{}", String::from_utf8_lossy(&stdout));
        let read = |path| std::fs::read(path).expect("it was written");
        (stdout, read(&trace), read(&pcap.join("a.pcapng")), read(&pcap.join("d.pcapng")))
    };
    let (first, second, other) = (run("7", "first"), run("7", "second"), run("8", "other"));
    assert!(first == second, "standard output, trace and captures replay bit for bit");
    assert!(first.1 != other.1, "another seed is another run");
}

/// The text for people, in full: what it shows is the point of the lab.
#[test]
fn the_text() {
    let (status, stdout) = condis(&["run", "atm", "--sim"]);
    assert_eq!(status, Some(0));
    let text = String::from_utf8(stdout).expect("text");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let (shown, rest) = text.split_once("\nTotals\n").expect("totals");
    assert!(
        rest.contains("manager: nothing\nmcm: nothing\nthird: nothing\nswitch switch: nothing\n"),
        "{rest}"
    );
    assert!(rest.ends_with("ok: all that was asked happened\n"), "{rest}");
    insta::assert_snapshot!(shown);
}

/// What is asked and does not happen is a failure that says so: a call that is to be refused and is not, one that is refused, one
/// refused for another cause.
#[test]
fn what_was_not_asked_is_told() {
    let one = |call: &str| {
        let text = format!(
            r#"
[fibre.a]
[switch.s.port.1]
link = "a"
prefix = "47.0005.80.ffe100.0000.f21a.0001"
[node.host.adapter.atm0]
link = "a"
drivers = ["atm-mcm"]
[node.host.client.host]
adapter = "atm0"
offers = [".01"]
[[node.host.client.host.call]]
{call}
"#
        );
        let source = condis_cli::lab::Source { name: "lab".to_owned(), text };
        let lab = Lab::parse(source).expect("the lab is well formed");
        let report = run(&lab, &Options { seed: Some(1), ..Options::default() }).expect("the lab starts");
        assert!(report.nodes.iter().all(|node| node.left.is_nothing()));
        report.problems.join("; ")
    };
    assert_eq!(one("to = \"host/atm0.01\"\nsend = \"1KiB\""), "", "a call to oneself, through the switch");
    let came_up = one("to = \"host/atm0.01\"\nrefused = 1");
    assert!(came_up.contains("it was to be refused, and came up"), "{came_up}");
    let refused = one("to = \"host/atm0.02\"");
    assert!(refused.contains("it did not come up: cause 88, incompatible destination"), "{refused}");
    let other = one("to = \"47.0005.80.ffe100.0000.f21a.0001.00000000dead.00\"\nrefused = 37");
    assert!(other.contains("it did not come up: cause 1, unallocated"), "{other}");
}
