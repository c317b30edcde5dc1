//! Aim: what we send and take is what others understand. Method: Debian's `pppoe`, `pppoe-discovery` and `pppoe-server`, in
//! network namespaces on a veth pair, against the command `condis`, as access concentrator and as host, over a call manager and
//! over an MCM.
//!
//! Needs root, iproute2 and the package `pppoe`. Without them each test says that it was skipped, which is a failure where
//! CONDIS_REQUIRE_PEERS=1.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::peers::cable::{Cable, signal};
use crate::peers::debian::{self, Host, Server};
use crate::peers::ours::{self, Way};
use crate::peers::process::Process;
use crate::peers::{present, traffic};

/// The peers by themselves, so that a failure of the tests below is ours.
#[test]
fn the_peers_understand_each_other() {
    if !present() {
        return;
    }
    let cable = Cable::new();
    let mut server = Server::start(&cable.concentrator, "theirs", &["alpha", "beta"]);
    let offer = debian::await_concentrator(&cable.host);
    for expected in ["Access-Concentrator: theirs", "Service-Name: alpha", "Service-Name: beta"] {
        assert!(offer.contains(expected), "{offer}");
    }
    assert!(!debian::discovery(&cable.host, &["-S", "gamma"]).status.success(), "gamma is not offered");

    let mut host = Host::start(&cable.host, &["-S", "beta"]);
    traffic::exchange_once_echoed(&mut host.frames);
    server.session_begins();
    host.hang_up();
    host.process.end().well();
    server.sessions_end();
}

/// RFC 2516 §5.1 and §5.2: a PADI for a service that is not offered gets no PADO; others get the AC-Name and every service.
fn is_discovered_by_name_and_service(way: Way) {
    if !present() {
        return;
    }
    let cable = Cable::new();
    let ours = ours::concentrator(&cable.concentrator, way);
    let offer = debian::discovery(&cable.host, &[]).well().output;
    let address = cable.concentrator.address();
    for expected in [
        "Access-Concentrator: ours",
        "Service-Name: alpha",
        "Service-Name: beta",
        &format!("AC-Ethernet-Address: {address}"),
    ] {
        assert!(offer.contains(expected), "{expected} in {offer}");
    }
    debian::discovery(&cable.host, &["-S", "alpha", "-C", "ours", "-U"]).well();
    let unanswered = debian::discovery(&cable.host, &["-S", "gamma"]);
    assert!(!unanswered.status.success() && unanswered.output.is_empty(), "{}", unanswered.said);
    debian::discovery(&cable.host, &["-S", "beta", "-W", "00ff7e7d"]).well();

    ours.signal("INT");
    let report = ours::report(&ours.end().well());
    assert_eq!(report["totals"]["answered"], 0, "who is only asked has no session");
}

/// RFC 2516 §6: a session carries frames as they are, until the host's PADT.
fn carries_a_session_that_the_peer_ends(way: Way) {
    if !present() {
        return;
    }
    let cable = Cable::new();
    let mut ours = ours::concentrator(&cable.concentrator, way);
    let mut host = Host::start(&cable.host, &["-S", "beta"]);
    traffic::exchange(&mut host.frames);
    ours.line("call 1 for \"beta\"");
    host.hang_up();
    host.process.end().well();
    ours.line("down, done");

    // A host that ends without a word, and another program that ends its session.
    let session = debian::session_alone(&cable.host, &["-S", "alpha"]);
    ours.line("call 2 for \"alpha\"");
    assert!(session.ends_with(&cable.concentrator.address()), "{session}");
    debian::kill_session(&cable.host, &session);
    ours.line("down, done");

    ours.signal("INT");
    let report = ours::report(&ours.end().well());
    assert_eq!(report["totals"]["answered"], 2);
    assert_eq!(report["totals"]["echoed_frames"], traffic::FRAMES);
    for call in report["calls"].as_array().expect("it is a list") {
        assert_eq!(call["closed_by"], "the other end", "{call}");
    }
}

/// RFC 2516 §5.5: the concentrator's PADT ends the session at the host; Ctrl-C sends one for each.
fn ends_every_session_upon_ctrl_c(way: Way) {
    if !present() {
        return;
    }
    let cable = Cable::new();
    let mut ours = ours::concentrator(&cable.concentrator, way);
    let hosts = ["alpha", "beta"].map(|service| {
        let host = Host::start(&cable.host, &["-S", service]);
        ours.line(&format!("for \"{service}\""));
        host
    });
    ours.signal("INT");
    let report = ours::report(&ours.end().well());
    assert_eq!(report["totals"]["over"], 2);
    for call in report["calls"].as_array().expect("it is a list") {
        assert_eq!(call["closed_by"], "this end", "{call}");
    }
    // Nobody ended their input: it is the PADT that ends them.
    for host in hosts {
        host.process.end().well();
    }
}

/// Sessions in every stage of coming up end with it, and nothing is left of them.
fn ends_while_calls_come_in(way: Way) {
    if !present() {
        return;
    }
    let cable = Cable::new();
    let mut ours = ours::concentrator(&cable.concentrator, way);
    // Those whose PADI comes too late ask on, and end with the test.
    let _hosts: Vec<_> = (0..8).map(|_| Host::start(&cable.host, &["-S", "beta"])).collect();
    ours.line("for \"beta\"");
    ours.signal("INT");
    ours::report(&ours.end().well());
}

/// RFC 2516 §5: our host picks the service and the concentrator that it was told, and its PADT ends the session at the server.
fn calls_a_server_and_hangs_up(way: Way) {
    if !present() {
        return;
    }
    let cable = Cable::new();
    let mut server = Server::start(&cable.concentrator, "theirs", &["alpha", "beta"]);
    let calls = [
        r#"{ service = "beta", concentrator = "theirs", send = "14830000", frame = "1483", check = "echo" }"#,
        r#"{ service = "", send = "1000", frame = "1", check = "echo" }"#,
    ];
    let host = ours::host(&cable.host, way, &calls);
    // A service that is left open is the server's first. What it starts for its sessions may begin in any order.
    let mut begun = [server.session_begins().1, server.session_begins().1];
    begun.sort_by_key(|command| command.rsplit(' ').next().map(str::to_owned));
    assert!(begun[0].ends_with("-S 'alpha'") && begun[1].ends_with("-S 'beta'"), "{begun:?}");
    let report = ours::report(&host.end().well());
    for (call, frames) in
        report["calls"].as_array().expect("it is a list").iter().zip([traffic::FRAMES, 1000])
    {
        assert_eq!(call["ending"], "done", "{call}");
        assert_eq!(call["closed_by"], "this end", "{call}");
        assert_eq!((&call["sent"]["frames"], &call["echo"]), (&frames.into(), &call["sent"]), "{call}");
    }
    server.sessions_end();
}

/// RFC 2516 §5.5: the server's PADT ends the call at our host.
fn hears_that_the_server_hangs_up(way: Way) {
    if !present() {
        return;
    }
    let cable = Cable::new();
    let mut server = Server::start(&cable.concentrator, "theirs", &["alpha"]);
    let call = r#"{ service = "alpha", send = "1000", frame = "100", check = "echo", hold = "10min" }"#;
    let mut host = ours::host(&cable.host, way, &[call]);
    host.line("call 1 to \"alpha\"");
    let (session, _) = server.session_begins();
    // The server sends a PADT when what it started in place of pppd is gone.
    signal(session, "KILL");
    host.line("down, the other end closed");
    let ended = host.end();
    assert_eq!(ended.status.code(), Some(1), "the call was not held for as long as asked: {}", ended.said);
    assert_eq!(ours::report(&ended)["calls"][0]["closed_by"], "the other end");
}

/// The kernel says what a process may do, thread by thread: once the socket is open, nothing (capabilities(7)).
fn keeps_no_rights_while_it_serves(way: Way) {
    if !present() {
        return;
    }
    let cable = Cable::new();
    let mut ours = ours::concentrator(&cable.concentrator, way);
    let threads = fs::read_dir(format!("/proc/{}/task", ours.id())).expect("it runs");
    for thread in threads {
        let status = fs::read_to_string(thread.expect("it runs").path().join("status")).expect("it runs");
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            let line = status.lines().find(|line| line.starts_with(set)).expect("the kernel tells it");
            assert_eq!(line.trim_end_matches('0'), format!("{set}:\t"), "{status}");
        }
        assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    }
    // What it needs to serve and to end it has.
    let host = Host::start(&cable.host, &["-S", "alpha"]);
    ours.line("call 1 for \"alpha\"");
    ours.signal("TERM");
    ours::report(&ours.end().well());
    host.process.end().well();
}

macro_rules! both_ways {
    ($($test:ident)*) => {
        mod call_manager {
            $(#[test] fn $test() { super::$test(super::Way::CallManager); })*
        }
        mod mcm {
            $(#[test] fn $test() { super::$test(super::Way::Mcm); })*
        }
    };
}

both_ways! {
    is_discovered_by_name_and_service
    carries_a_session_that_the_peer_ends
    ends_every_session_upon_ctrl_c
    ends_while_calls_come_in
    calls_a_server_and_hangs_up
    hears_that_the_server_hangs_up
    keeps_no_rights_while_it_serves
}

/// What is wrong with an interface is said with its place in the lab, and with what to do.
#[test]
fn says_what_is_wrong_with_an_interface() {
    if !present() {
        return;
    }
    let cable = Cable::new();
    let station = &cable.concentrator;

    let other = "node.ac.adapter.eth0.link=ethernet:eht0";
    let mut missing = ours::concentrator_command(station, Way::Mcm);
    refused(
        missing.args(["--set", other]),
        &["no network interface \"eht0\"", "did you mean \"eth0\"?", "link ="],
    );

    // As nobody, who may read the program only where everybody may.
    let directory = tempfile::tempdir().expect("there is room for temporary files");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let program = directory.path().join("condis");
    fs::copy(env!("CARGO_BIN_EXE_condis"), &program).expect("there is room for temporary files");
    let mut nobody = station.command("setpriv");
    nobody.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(&program);
    nobody.args(["run", "pppoe-ac"]).current_dir("/");
    refused(&mut nobody, &["no right", "network interface eth0", "CAP_NET_RAW"]);

    station.ip("link set eth0 down");
    refused(&mut ours::concentrator_command(station, Way::Mcm), &["eth0 is down", "ip link set eth0 up"]);
}

/// Exit status 2: the lab could not be run at all.
#[track_caller]
fn refused(command: &mut Command, texts: &[&str]) {
    let ended = Process::start("condis", command).end();
    assert_eq!(ended.status.code(), Some(2), "{}", ended.said);
    for text in texts {
        assert!(ended.said.contains(text), "{text:?} in:\n{}", ended.said);
    }
    assert!(ended.output.is_empty(), "errors go to standard error: {}", ended.output);
}
