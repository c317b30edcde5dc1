//! Giving up the rights that opening a socket took.

use std::fs;
use std::io;

use rustix::thread::{CapabilitySet, CapabilitySets};

/// Gives up all capabilities of the calling thread, and of all that it starts from now on, for good: also those that a
/// program would gain which they execute.
///
/// The kernel knows rights of threads only, and threads that run already keep theirs. So call this in `main` once all
/// sockets are open and before the runtime and the links are started.
///
/// # Errors
/// [`CapabilitiesError::StillHeld`] if another thread of the process holds capabilities; the caller's are gone all the same.
pub fn drop_capabilities() -> Result<(), CapabilitiesError> {
    let none = CapabilitySet::empty();
    rustix::thread::set_no_new_privs(true).map_err(io::Error::from)?;
    rustix::thread::clear_ambient_capability_set().map_err(io::Error::from)?;
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets).map_err(io::Error::from)?;
    match threads_with_capabilities()? {
        0 => Ok(()),
        threads => Err(CapabilitiesError::StillHeld { threads }),
    }
}

/// Why capabilities were not dropped, or not everywhere.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CapabilitiesError {
    /// The system refused.
    #[error("cannot drop capabilities")]
    System(#[from] io::Error),
    /// Threads that were started before still have theirs.
    #[error("{threads} threads were started before the capabilities were dropped, and keep theirs")]
    StillHeld {
        /// How many.
        threads: usize,
    },
}

/// How many threads of the process could make use of a capability.
fn threads_with_capabilities() -> io::Result<usize> {
    let mut count = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        // A thread may end while we look; it then holds nothing.
        let Ok(status) = fs::read_to_string(thread?.path().join("status")) else { continue };
        count += usize::from(permitted(&status).is_some_and(|set| set != 0));
    }
    Ok(count)
}

/// The permitted set in a status file of proc(5).
fn permitted(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapPrm:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_permitted_set_is_read_from_the_status() {
        let status = "Name:\tcondis\nCapInh:\t0000000000000001\nCapPrm:\t000001ffffffffff\nCapEff:\t0\n";
        assert_eq!(permitted(status), Some(0x1ff_ffff_ffff));
        assert_eq!(permitted("Name:\tcondis\n"), None);
    }
}
