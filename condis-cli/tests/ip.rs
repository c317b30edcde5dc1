//! `condis run ip-over-atm` as its user sees it: the exit status, the JSON and the text, in simulation and on threads, whatever is
//! below the IP clients; and what a wrong IP client is answered with.

use std::io::Write;

use assert_cmd::Command;
use condis_cli::lab::{HostPlan, Lab, Source};
use condis_cli::run::{Options, Report, run};
use serde_json::Value;

const CALL_MANAGER: &str = r#"["atm-miniport", "uni-call-manager"]"#;
const MCM: &str = r#"["atm-mcm"]"#;

fn condis(args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::cargo_bin("condis").expect("it is built");
    let output = command.env("NO_COLOR", "1").args(args).output().expect("it runs");
    let text = |octets| String::from_utf8(octets).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn json(args: &[&str]) -> Value {
    let (status, stdout, _) = condis(args);
    assert_eq!(status, Some(0), "{stdout}");
    serde_json::from_str(&stdout).expect("one JSON object")
}

fn ip<'a>(report: &'a Value, node: &str, name: &str) -> &'a Value {
    let ips = report["ip"].as_array().expect("IP clients");
    ips.iter().find(|ip| ip["node"] == node && ip["name"] == name).expect("the client is there")
}

fn check(report: &Value) {
    assert_eq!(report["ok"], true, "{report:#}");
    assert!(report["lab"].as_str().is_some_and(|lab| lab.starts_with("ip-over-atm")), "{}", report["lab"]);
    // Name, what is asked, and what of others is answered.
    let all = [
        ("server", "classical", 6, 3 + 2 * 3),
        ("host", "classical", 12, 3 + 3),
        ("host", "permanent", 6, 3),
        ("third", "classical", 6, 3 + 2 * 3),
        ("third", "permanent", 3, 6),
    ];
    assert_eq!(report["ip"].as_array().map(Vec::len), Some(all.len()));
    for (node, name, asked, answers) in all {
        let ip = ip(report, node, name);
        assert_eq!((&ip["asked"], &ip["answered"]), (&asked.into(), &asked.into()), "{ip:#}");
        assert_eq!(ip["counters"]["host.echoes_answered"], answers, "{ip:#}");
        assert_eq!(ip["counters"]["packets_transmitted"], asked + answers, "{ip:#}");
        let dropped =
            ip["counters"].as_object().expect("a table").keys().find(|name| name.contains("dropped"));
        assert_eq!(dropped, None, "{ip:#}");
        for ping in ip["pings"].as_array().expect("pings") {
            let micros = |key: &str| ping["round_trip_us"][key].as_f64().expect("it was answered");
            // Twice two fibres of 50 us.
            assert!(micros("min") >= 200.0 && micros("min") <= micros("median"), "{ping}");
            assert!(micros("median") <= micros("max") && micros("max") < 5e6, "{ping}");
        }
    }
    let host = ip(report, "host", "classical");
    assert_eq!(host["address"], "47.0005.80.ffe100.0000.f21a.0001.020000000002.00");
    assert_eq!(host["server"], "47.0005.80.ffe100.0000.f21a.0001.020000000001.00");
    assert_eq!((&ip(report, "server", "classical")["server"], &host["tun"]), (&"here".into(), &Value::Null));
    assert_eq!(ip(report, "third", "permanent")["server"], "none");
    // The permanent connections carry no call, and nobody makes one for them.
    assert_eq!(ip(report, "host", "permanent")["counters"]["calls_made"], Value::Null);
    for node in report["nodes"].as_array().expect("nodes") {
        for kind in ["vcs", "saps", "afs", "parties", "nbls", "objects"] {
            assert_eq!(node["left"][kind], 0, "{kind} of {}", node["name"]);
        }
        assert_eq!(node["reports"], Value::Array(Vec::new()), "no driver breaks a rule");
    }
    assert_eq!(report["switches"][0]["left"]["calls"], 0);
}

#[test]
fn in_simulation() {
    check(&json(&["run", "ip-over-atm", "--sim", "--json"]));
}

#[test]
fn on_threads() {
    check(&json(&["run", "ip-over-atm", "--json"]));
}

/// An IP client cannot tell what is below it: the same happens over every mix of the two models, in every version of the UNI.
#[test]
fn whatever_is_below() {
    for (seed, drivers) in [
        [CALL_MANAGER, CALL_MANAGER, CALL_MANAGER],
        [MCM, CALL_MANAGER, CALL_MANAGER],
        [CALL_MANAGER, MCM, MCM],
        [MCM, MCM, MCM],
    ]
    .iter()
    .enumerate()
    {
        for version in ["3.0", "3.1", "4.0"] {
            let mut args: Vec<String> =
                ["run", "ip-over-atm", "--sim", "--json", "--seed", &seed.to_string()]
                    .map(str::to_owned)
                    .into();
            for (node, drivers) in ["server", "host", "third"].iter().zip(drivers) {
                args.extend(["--set".to_owned(), format!("node.{node}.adapter.atm0.drivers={drivers}")]);
                args.extend(["--set".to_owned(), format!("node.{node}.adapter.atm0.uni={version:?}")]);
            }
            for port in 1..=3 {
                args.extend(["--set".to_owned(), format!("switch.switch.port.{port}.uni={version:?}")]);
            }
            check(&json(&args.iter().map(String::as_str).collect::<Vec<_>>()));
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = |seed: &str, name: &str| {
        let trace = directory.path().join(name);
        let jitter = ["--set", "fibre.a.jitter=100us", "--set", "fibre.b.jitter=100us"];
        let args = ["run", "ip-over-atm", "--sim", "--seed", seed, "--trace", trace.to_str().expect("text")];
        let (status, stdout, _) = condis(&[&args[..], &jitter].concat());
        assert_eq!(status, Some(0), "{stdout}");
        (stdout, std::fs::read(&trace).expect("it was written"))
    };
    let (first, second, other) = (run("7", "first"), run("7", "second"), run("8", "other"));
    assert!(first == second, "standard output and trace replay bit for bit");
    assert!(first.1 != other.1, "another seed is another run");
}

/// The text for people, in full: what it shows is the point of the lab.
#[test]
fn the_text() {
    let (status, text, _) = condis(&["run", "ip-over-atm", "--sim"]);
    assert_eq!(status, Some(0));
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let (shown, rest) = text.split_once("\nTotals\n").expect("totals");
    assert!(
        rest.contains("server: nothing\nhost: nothing\nthird: nothing\nswitch switch: nothing\n"),
        "{rest}"
    );
    assert!(rest.ends_with("ok: all that was asked happened\n"), "{rest}");
    insta::assert_snapshot!(shown);
}

fn simulated(settings: &[&str]) -> Report {
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    let lab = Lab::load("ip-over-atm", &settings).expect("the lab is well formed");
    run(&lab, &Options { seed: Some(1), ..Options::default() }).expect("the lab starts")
}

/// What is asked and not answered is a failure that says so, and nothing is left of it.
#[test]
fn who_does_not_answer_is_told() {
    let cases: [(&[&str], &str); 4] = [
        // Nobody has that address.
        (
            &[
                r#"node.host.ip.classical.ping=["10.1.9.1", "10.1.9.77"]"#,
                "node.host.ip.classical.timeout=1s",
            ],
            "host/classical asked 10.1.9.77 2 times with 56 octets, and heard 0 answers",
        ),
        // Who is at the far end of the permanent connection has another one.
        (
            &[
                r#"node.third.ip.permanent.ip="10.1.8.7/24""#,
                "node.third.ip.permanent.ping=[]",
                "node.host.ip.permanent.timeout=1s",
            ],
            "host/permanent asked 10.1.8.2 3 times with 56 octets, and heard 0 answers",
        ),
        // The two ends of it do not carry packets in the same way.
        (
            &[
                r#"node.third.ip.permanent.pvcs=[{ pvc = "0.100", peer = "10.1.8.1" }]"#,
                "node.host.ip.permanent.timeout=1s",
            ],
            "third/permanent asked 10.1.8.1 3 times with 56 octets, and heard 0 answers",
        ),
        // Nobody is the server.
        (
            &[r#"node.third.ip.classical.server="47.0005.80.ffe100.0000.f21a.0001.00000000dead.00""#],
            "third/classical is not ready: the ATMARP server has not taken it in; a call failed",
        ),
    ];
    for (settings, problem) in cases {
        let report = simulated(settings);
        assert!(report.problems.iter().any(|told| told.contains(problem)), "{:#?}", report.problems);
        assert!(report.nodes.iter().all(|node| node.left.is_nothing() && node.reports.is_empty()));
    }
}

/// On a permanent connection of both protocols the far end is asked who it is, and an answer that comes late is waited for.
#[test]
fn the_far_end_says_who_it_is() {
    let pvcs = r#"[{ pvc = "0.100", encapsulation = "llc" }]"#;
    let report = simulated(&[
        &format!("node.host.ip.permanent.pvcs={pvcs}"),
        &format!("node.third.ip.permanent.pvcs={pvcs}"),
        "fibre.c.delay=300ms",
    ]);
    assert!(report.is_ok(), "{:#?}", report.problems);
    let permanent = report.ips.iter().find(|ip| ip.node == "third" && ip.name == "permanent").expect("there");
    assert!(permanent.counters.contains_key("arp_received"), "{:?}", permanent.counters);
}

/// A lab in which nobody asks serves, and in simulation wants to know for how long.
#[test]
fn who_only_answers_serves() {
    let set = [
        "--set",
        "node.server.ip.classical.ping=[]",
        "--set",
        "node.host.ip.classical.ping=[]",
        "--set",
        "node.host.ip.permanent.ping=[]",
        "--set",
        "node.third.ip.classical.ping=[]",
        "--set",
        "node.third.ip.permanent.ping=[]",
    ];
    let (status, _, stderr) = condis(&[&["run", "ip-over-atm", "--sim"], &set[..]].concat());
    assert!(status == Some(2) && stderr.contains("for how long it is to be simulated"), "{stderr}");
    let (status, stdout, stderr) = condis(&[&["run", "ip-over-atm", "--for", "300ms"], &set[..]].concat());
    assert_eq!(status, Some(0), "{stdout}");
    assert!(stderr.contains("third/permanent serves 10.1.8.2/24 for the time given"), "{stderr}");
}

#[test]
fn defaults() {
    let lab = Lab::load("ip-host", &[]).expect("the lab is well formed");
    let plan = &lab.nodes[0].ips[0];
    assert_eq!((plan.lis.mtu_octets, plan.tun().map(|(tun, _)| tun)), (9180, Some("condis0")));
    let lab = Lab::load("ip-over-atm", &[]).expect("the lab is well formed");
    let HostPlan::Memory(pings) = &lab.nodes[0].ips[0].host else { panic!("it is in memory") };
    assert_eq!((&pings.sizes[..], pings.times, pings.timeout.as_secs()), (&[56][..], 3, 5));
}

const GOOD: &str = r#"
[fibre.a]

[switch.s.port.1]
link = "a"
prefix = "47.0005.80.ffe100.0000.f21a.0001"

[node.host.adapter.atm0]
link = "a"
drivers = ["atm-mcm"]

[node.host.ip.ip]
adapter = "atm0"
ip = "10.1.9.1/24"
server = "here"
pvcs = [{ pvc = "0.100", encapsulation = "vc-mux", peer = "10.1.8.2" }]
ping = ["10.1.9.1"]
"#;

/// Each mistake: what is written wrong in the lab above, and the answer.
#[test]
fn mistakes() {
    let ping = "ping = [\"10.1.9.1\"]";
    let mistakes = [
        ("ip_unknown_key", ping, "pings = [\"10.1.9.1\"]"),
        ("ip_unknown_adapter", "adapter = \"atm0\"", "adapter = \"amt0\""),
        ("ip_over_pppoe", "link = \"a\"\ndrivers = [\"atm-mcm\"]", "link = \"e\"\ndrivers = [\"pppoe-mcm\"]"),
        ("ip_no_subnet", "10.1.9.1/24", "10.1.9.1"),
        ("ip_no_host", "10.1.9.1/24", "224.0.0.1/24"),
        ("ip_unknown_server", "server = \"here\"", "server = \"hots/atm0\""),
        ("ip_no_server", "server = \"here\"", "server = \"there\""),
        (
            "ip_reaches_nobody",
            "server = \"here\"\npvcs = [{ pvc = \"0.100\", encapsulation = \"vc-mux\", peer = \"10.1.8.2\" }]",
            "",
        ),
        ("ip_unknown_encapsulation", "vc-mux", "vcmux"),
        ("ip_no_peer", ", peer = \"10.1.8.2\"", ""),
        ("ip_no_pvc", "0.100", "100"),
        ("ip_pvc_twice", "pvcs = [", "pvcs = [{ pvc = \"0.100\" }, "),
        ("ip_not_reached", ping, "ping = [\"10.2.9.1\"]"),
        ("ip_no_mtu", ping, "mtu = \"64KiB\""),
        ("ip_no_size", ping, "ping = [\"10.1.9.1\"]\nsizes = [9153]"),
        ("ip_pinging_tun", ping, "tun = \"condis0\"\nping = [\"10.1.9.1\"]"),
        ("ip_no_interface", ping, "tun = \"much-too-long-a-name\""),
        ("ip_tun_in_simulation", ping, "tun = \"condis0\""),
        ("ip_address_not_known", "prefix = \"47.0005.80.ffe100.0000.f21a.0001\"\n", ""),
        ("ip_any_address", "adapter = \"atm0\"", "adapter = \"atm0\"\naddress = \"any\""),
    ];
    for (name, right, wrong) in mistakes {
        let mut text = GOOD.replacen(right, wrong, 1);
        assert_ne!(text, GOOD, "{name}");
        if name == "ip_over_pppoe" {
            text = text.replace("[fibre.a]", "[fibre.a]\n[segment.e]").replace(
                "[switch.s.port.1]\nlink = \"a\"",
                "[switch.s.port.1]\nlink = \"a\"\n[switch.s.port.2]\nlink = \"a\"",
            );
        }
        insta::assert_snapshot!(name, run_text(&text));
    }
    let twice = GOOD.replace(ping, "tun = \"condis0\"\n[node.host.ip.other]\nadapter = \"atm0\"\naddress = \".01\"\nip = \"10.1.8.1/24\"\nserver = \"here\"\ntun = \"condis0\"");
    insta::assert_snapshot!("ip_tun_twice", run_text(&twice));
    assert!(Lab::parse(Source { name: "lab".to_owned(), text: GOOD.to_owned() }).is_ok());
}

/// Exit status and standard error of `condis run` on a lab with this text.
fn run_text(text: &str) -> String {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    file.write_all(text.as_bytes()).expect("it is written");
    let path = file.path().to_str().expect("text").to_owned();
    let (status, stdout, stderr) = condis(&["run", "--sim", &path]);
    assert!(stdout.is_empty());
    format!("{status:?}\n{}", stderr.replace(&path, "lab.toml"))
}
