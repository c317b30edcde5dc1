//! What the tests against real peers are made of.

pub(crate) mod async_hdlc;
pub(crate) mod cable;
pub(crate) mod debian;
pub(crate) mod linux;
pub(crate) mod ours;
pub(crate) mod process;
pub(crate) mod traffic;

use std::io::Write;
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

/// What comes later than this does not come: only ever waited for in full by a test that fails.
pub(crate) const HANG: Duration = Duration::from_secs(20);

/// Whether the machine has what the tests need. If not, says so, and fails where CONDIS_REQUIRE_PEERS=1.
pub(crate) fn present() -> bool {
    let Some(missing) = missing() else { return true };
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        // Not `println`: what a passing test prints is swallowed, and it should be seen that tests are skipped.
        let line = format!("SKIPPED real_peers: needs {missing}\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
    });
    assert!(
        std::env::var("CONDIS_REQUIRE_PEERS").as_deref() != Ok("1"),
        "real_peers must not be skipped, and needs {missing}"
    );
    false
}

fn missing() -> Option<&'static str> {
    if !is_root() {
        return Some("root");
    }
    if !installed("ip") {
        return Some("iproute2 (apt-get install iproute2)");
    }
    if !["pppoe", "pppoe-server", "pppoe-discovery"].into_iter().all(installed) {
        return Some("Debian's pppoe package (apt-get install pppoe)");
    }
    None
}

/// A process' own entry in proc(5) belongs to its effective user.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

/// System programs are not always on the path of who runs the tests.
fn installed(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').chain(["/usr/sbin", "/sbin"]).any(|directory| Path::new(directory).join(program).exists())
}
