//! Aim: what we send and take is what others understand. Method: Debian's `pppoe`, `pppoe-discovery` and `pppoe-server`, in
//! network namespaces on a veth pair, against the command `condis`, as access concentrator and as host, over a call manager and
//! over an MCM.
//!
//! Needs root, iproute2 and the package `pppoe`. Without them each test says that it was skipped, which is a failure where
//! CONDIS_REQUIRE_PEERS=1.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "the tests run real programs in real time")]

mod peers;

use peers::cable::Cable;
use peers::debian::{self, Host, Server};
use peers::{present, traffic};

/// The peers by themselves, so that a failure of the tests below is ours.
#[test]
fn the_peers_understand_each_other() {
    if !present() {
        return;
    }
    let cable = Cable::new();
    let server = Server::start(&cable.concentrator, "theirs", &["alpha", "beta"]);
    let offer = debian::await_concentrator(&cable.host);
    for expected in ["Access-Concentrator: theirs", "Service-Name: alpha", "Service-Name: beta"] {
        assert!(offer.contains(expected), "{offer}");
    }
    assert!(!debian::discovery(&cable.host, &["-S", "gamma"]).status.success(), "gamma is not offered");

    let mut host = Host::start(&cable.host, &["-S", "beta"]);
    traffic::exchange_once_echoed(&mut host.frames);
    assert_eq!(server.sessions(&cable.concentrator).len(), 1);
    host.hang_up();
    host.process.end().well();
}
