//! The command line: labs, help, and what a wrong lab file is answered with.

use std::io::Write;

use assert_cmd::Command;

fn condis() -> Command {
    let mut command = Command::cargo_bin("condis").expect("it is built");
    command.env("NO_COLOR", "1").env_remove("COLUMNS");
    command
}

/// Exit status and standard error of `condis run` on a lab with this text.
fn run_text(text: &str) -> String {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    file.write_all(text.as_bytes()).expect("it is written");
    let path = file.path().to_str().expect("text").to_owned();
    let output = condis().args(["run", "--sim", &path]).output().expect("it runs");
    assert!(output.stdout.is_empty());
    let stderr = String::from_utf8(output.stderr).expect("text");
    format!("{:?}\n{}", output.status.code(), stderr.replace(&path, "lab.toml"))
}

fn run_with(args: &[&str]) -> String {
    let output = condis().args(args).output().expect("it runs");
    format!("{:?}\n{}", output.status.code(), String::from_utf8(output.stderr).expect("text"))
}

const GOOD: &str = r#"
[segment.wire]
loss = 0.1

[node.host.adapter.eth0]
link = "wire"
drivers = ["pppoe-mcm"]

[node.host.client.caller]
adapter = "eth0"

[[node.host.client.caller.call]]
service = "internet"
send = "1MiB"
"#;

/// Each mistake: what is written wrong in the lab above, and the answer.
#[test]
fn mistakes_in_a_lab_file() {
    let mistakes = [
        ("unknown_key", "link = \"wire\"", "lnk = \"wire\""),
        ("unknown_segment", "link = \"wire\"", "link = \"wier\""),
        ("unknown_driver", "pppoe-mcm", "ppoe-mcm"),
        ("drivers_that_do_not_fit", "[\"pppoe-mcm\"]", "[\"pppoe-mcm\", \"ethernet-miniport\"]"),
        ("unknown_adapter", "adapter = \"eth0\"", "adapter = \"eht0\""),
        ("chance_out_of_range", "loss = 0.1", "loss = 10"),
        ("not_a_size", "1MiB", "1 mebibyte"),
        ("not_a_time", "send = \"1MiB\"", "hold = \"5 parsecs\""),
        ("unknown_word", "send = \"1MiB\"", "close = \"caled\""),
        ("missing_key", "service = \"internet\"", ""),
        ("wrong_type", "service = \"internet\"", "service = 5"),
        ("not_toml", "loss = 0.1", "loss = = 0.1"),
        ("takes_no_calls", "adapter = \"eth0\"", "adapter = \"eth0\"\noffers = [\"internet\"]"),
        ("bad_address", "link = \"wire\"", "link = \"wire\"\naddress = \"01:00:00:00:00:01\""),
        ("real_link_in_simulation", "link = \"wire\"", "link = \"ethernet:eth0\""),
        ("frame_too_long", "send = \"1MiB\"", "frame = 9000"),
    ];
    for (name, right, wrong) in mistakes {
        let text = GOOD.replace(right, wrong);
        assert_ne!(text, GOOD, "{name}");
        insta::assert_snapshot!(name, run_text(&text));
    }
}

const GOOD_ATM: &str = r#"
[fibre.a]
loss = 0.1

[fibre.b]

[switch.s.port.1]
link = "a"
prefix = "47.0005.80.ffe100.0000.f21a.0001"

[switch.s.port.2]
link = "b"
prefix = "47.0005.80.ffe100.0000.f21a.0001"

[[switch.s.pvc]]
a = "1:0.100"
b = "2:0.100"

[node.host.adapter.atm0]
link = "a"
drivers = ["atm-mcm"]

[node.host.client.caller]
adapter = "atm0"

[[node.host.client.caller.call]]
to = "other/atm0.01"
send = "1MiB"

[node.other.adapter.atm0]
link = "b"
drivers = ["atm-miniport", "uni-call-manager"]

[node.other.client.echo]
adapter = "atm0"
offers = [".01"]
"#;

/// The same of a lab of ATM.
#[test]
fn mistakes_in_a_lab_of_atm() {
    let to = "to = \"other/atm0.01\"";
    let mistakes = [
        ("atm_unknown_fibre", "link = \"a\"\ndrivers", "link = \"ab\"\ndrivers"),
        ("atm_fibre_with_three_ends", "link = \"b\"\nprefix", "link = \"a\"\nprefix"),
        ("atm_loose_end", "[fibre.b]\n", "[fibre.b]\n[fibre.c]\n[switch.s.port.3]\nlink = \"c\"\n"),
        ("atm_on_an_ethernet", "[fibre.a]\nloss = 0.1\n", "[segment.a]\n"),
        ("atm_drivers_that_do_not_fit", "[\"atm-mcm\"]", "[\"atm-mcm\", \"uni-call-manager\"]"),
        ("atm_no_prefix", "f21a.0001\"\n\n[switch.s.port.2]", "f21a\"\n\n[switch.s.port.2]"),
        ("atm_no_such_uni", "link = \"a\"\ndrivers", "uni = \"3.2\"\nlink = \"a\"\ndrivers"),
        ("atm_no_such_port", "a = \"1:0.100\"", "a = \"4:0.100\""),
        ("atm_no_such_node", to, "to = \"othr/atm0.01\""),
        ("atm_no_such_adapter", to, "to = \"other/atm1.01\""),
        ("atm_no_address", to, "to = \"47.0005\""),
        ("atm_called_by_service", to, "service = \"internet\""),
        ("atm_nobody_called", to, ""),
        ("atm_cbr_without_rate", to, "to = \"other/atm0.01\"\ncategory = \"cbr\""),
        ("atm_sustained_without_vbr", to, "to = \"other/atm0.01\"\npcr = 100\nscr = 10"),
        ("atm_no_rate_to_change", to, "to = \"other/atm0.01\"\nchange-pcr = 100"),
        ("atm_no_such_cause", to, "to = \"other/atm0.01\"\nrefused = 200"),
        ("atm_no_layers", to, "to = \"other/atm0.01\"\nblli = \"lcc\""),
        ("atm_no_sap", "[\".01\"]", "[\"01\"]"),
        (
            "atm_with_a_concentrator",
            "drivers = [\"atm-mcm\"]",
            "drivers = [\"atm-mcm\"]\nconcentrator = \"ac\"",
        ),
        ("atm_address_not_known", "prefix = \"47.0005.80.ffe100.0000.f21a.0001\"\n\n[[", "\n[["),
        ("atm_no_line", "link = \"a\"\nprefix", "link = \"atmtcp:localhost\"\nprefix"),
    ];
    for (name, right, wrong) in mistakes {
        let text = GOOD_ATM.replacen(right, wrong, 1);
        assert_ne!(text, GOOD_ATM, "{name}");
        insta::assert_snapshot!(name, run_text(&text));
    }
}

#[test]
fn a_real_line_cannot_be_simulated() {
    let text = "[switch.s.port.1]\nlink = \"atmtcp:listen:127.0.0.1:2812\"\n";
    insta::assert_snapshot!("atm_real_line_in_simulation", run_text(text));
}

#[test]
fn mistakes_on_the_command_line() {
    insta::assert_snapshot!("no_such_lab", run_with(&["run", "two-weys"]));
    insta::assert_snapshot!("no_such_builtin", run_with(&["labs", "show", "pppoe-ca"]));
    insta::assert_snapshot!("no_such_path", run_with(&["run", "no/such/lab.toml"]));
    insta::assert_snapshot!("set_without_value", run_with(&["run", "--set", "segment.wire.loss"]));
    insta::assert_snapshot!(
        "set_in_no_table",
        run_with(&["run", "--set", "node.maneger.adapter.eth0.link=wire"])
    );
    insta::assert_snapshot!("seed_without_sim", run_with(&["run", "--seed", "7"]));
    insta::assert_snapshot!(
        "serving_in_simulation",
        run_with(&["run", "--sim", "--set", "node.manager={}", "--set", "node.mcm={}"])
    );
}

/// What cannot be called, or not over such a line.
#[test]
fn mistakes_of_call_and_listen() {
    let atm = "47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00";
    let line = "atmtcp:127.0.0.1:1";
    let mistakes: [(&str, &[&str]); 17] = [
        ("call_rate_over_pppoe", &["call", "pppoe:", "--link", "ethernet:eth0", "--pcr", "1000"]),
        ("call_version_over_pppoe", &["call", "pppoe:", "--link", "ethernet:eth0", "--uni", "3.1"]),
        ("call_atm_over_ethernet", &["call", atm, "--link", "ethernet:eth0"]),
        ("call_pppoe_over_atm", &["call", "pppoe:a", "--link", line]),
        ("call_short_address", &["call", "47.0005", "--link", line]),
        ("call_concentrator_over_atm", &["call", atm, "--link", line, "--ac-name", "ac"]),
        ("call_no_layers", &["call", atm, "--link", line, "--blli", "lcc"]),
        ("call_no_line", &["call", atm, "--link", "atmtcp:localhost"]),
        ("listen_no_udp_line", &["listen", "any", "--link", "udp:127.0.0.1:1"]),
        ("listen_no_sap", &["listen", "nowhere", "--link", line]),
        ("call_no_address", &["call", "internet", "--link", "ethernet:eth0"]),
        ("call_unknown_kind", &["call", "ppoe:internet", "--link", "ethernet:eth0"]),
        ("call_no_link", &["call", "pppoe:internet"]),
        ("call_unknown_link", &["call", "pppoe:internet", "--link", "ethrenet:eth0"]),
        ("call_sdu_too_long", &["call", "pppoe:internet", "--link", "ethernet:eth0", "--sdu", "9000"]),
        ("call_keep_and_idle", &["call", "pppoe:", "--link", "ethernet:eth0", "--keep", "--idle", "5s"]),
        ("listen_no_size", &["listen", "pppoe:a", "--link", "ethernet:eth0", "--sdu", "many"]),
    ];
    for (name, args) in mistakes {
        insta::assert_snapshot!(name, run_with(args));
    }
}

/// A missing interface is told at its place in the file, and before any right is needed.
#[test]
fn a_missing_interface() {
    let output = condis()
        .args(["run", "pppoe-ac", "--set", "node.ac.adapter.eth0.link=ethernet:condis-none"])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).expect("text");
    for part in ["there is no network interface \"condis-none\"", "this interface", "ethernet:condis-none"] {
        assert!(stderr.contains(part), "{stderr}");
    }
}

#[test]
fn labs_are_listed_and_shown() {
    let output = condis().arg("labs").output().expect("it runs");
    insta::assert_snapshot!("labs", String::from_utf8(output.stdout).expect("text"));
    for builtin in condis_cli::lab::BUILTINS {
        let output = condis().args(["labs", "show", builtin.name]).output().expect("it runs");
        assert_eq!(output.stdout, builtin.text.as_bytes());
        let file = format!("{}/../labs/{}.toml", env!("CARGO_MANIFEST_DIR"), builtin.name);
        condis_cli::lab::Lab::load(&file, &[]).expect("every built-in is also a file that loads");
    }
}

#[test]
fn help_reads_well() {
    let help = |args: &[&str]| {
        let output = condis().args(args).output().expect("it runs");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("text")
    };
    insta::assert_snapshot!("help", help(&["help"]));
    insta::assert_snapshot!("help_run", help(&["help", "run"]));
    insta::assert_snapshot!("help_call", help(&["help", "call"]));
    insta::assert_snapshot!("help_listen", help(&["help", "listen"]));
}

/// A lab that serves ends with the time given, and all is well if nobody called.
#[test]
fn serving_for_a_while() {
    let output = condis()
        .args(["run", "--sim", "--for", "5s", "--set", "node.manager={}", "--set", "node.mcm={}"])
        .output()
        .expect("it runs");
    let stdout = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{stdout}");
    assert!(stdout.contains("0 calls made"), "{stdout}");
}

/// A host that finds nobody fails, says so, and leaves nothing.
#[test]
fn a_call_that_nobody_takes() {
    let output = condis().args(["run", "--sim", "--json", "--set", "node.ac={}"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["ok"], false);
    assert_eq!(report["problems"].as_array().map(Vec::len), Some(4), "{report:#}");
    assert!(report["nodes"].as_array().expect("nodes").iter().all(|node| node["left"]["objects"] == 0));
}
