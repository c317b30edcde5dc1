//! The runtime a lab runs on, and how to wait on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use condis::runtime::{Runtime, Sim, Threads};

use crate::client::ledger::Ledger;

/// Simulated or real.
#[derive(Clone)]
pub(super) enum Clock {
    Sim(Arc<Sim>),
    Threads(Arc<Threads>),
}

impl Clock {
    pub(super) fn runtime(&self) -> Arc<dyn Runtime> {
        match self {
            Clock::Sim(sim) => sim.clone(),
            Clock::Threads(threads) => threads.clone(),
        }
    }

    /// Lets the lab run until `done`, which is asked again when the ledger changes or `stop` is set, or until `limit` is over.
    pub(super) fn wait(
        &self,
        ledger: &Ledger,
        stop: &AtomicBool,
        limit: Duration,
        mut done: impl FnMut() -> bool,
    ) -> bool {
        match self {
            Clock::Sim(sim) => {
                let mut seen = None;
                let changed = || {
                    let version = Some(ledger.version());
                    if version == seen && !stop.load(SeqCst) {
                        return false;
                    }
                    seen = version;
                    done() || stop.load(SeqCst)
                };
                sim.run_until(changed, limit);
            }
            Clock::Threads(threads) => {
                let end = threads.now().after(limit);
                while threads.now() < end && !stop.load(SeqCst) {
                    let version = ledger.version();
                    if done() {
                        return true;
                    }
                    ledger.wait(version, end.since(threads.now()).min(LOOK_AGAIN_AFTER));
                }
            }
        }
        done()
    }

    /// Lets everything that is left to do be done, and ends the threads: one that is on its way out of a driver still holds
    /// the driver's objects. What does not come to rest shows in what is left.
    pub(super) fn settle(&self) {
        match self {
            Clock::Sim(sim) => {
                let _ = sim.run_until_idle(SETTLE_MAX);
            }
            Clock::Threads(threads) => {
                let _ = threads.wait_idle(SETTLE_MAX);
                threads.shutdown();
            }
        }
    }
}

/// A signal sets a flag and wakes nobody.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Frames that are still under way, and objects to be dropped.
const SETTLE_MAX: Duration = Duration::from_secs(2);
