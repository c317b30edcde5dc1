//! How many lanes are at work, for those who wait until none is.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Counts the lanes that are awake. A lane is counted by whoever wakes it, before it is let run, so work that wakes other
/// lanes never leaves a moment at which none is counted.
#[derive(Default)]
pub(super) struct Activity {
    awake: AtomicUsize,
    lock: Mutex<()>,
    all_asleep: Condvar,
}

impl Activity {
    pub(super) fn wakes(&self) {
        self.awake.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn falls_asleep(&self) {
        if self.awake.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Under the lock, so that it cannot fall between a waiter's look at the count and its sleep.
            let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
            self.all_asleep.notify_all();
        }
    }

    pub(super) fn wait_idle(&self, timeout: Duration) -> bool {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = |_: &mut ()| self.awake.load(Ordering::Acquire) != 0;
        let (_lock, waited) =
            self.all_asleep.wait_timeout_while(lock, timeout, busy).unwrap_or_else(PoisonError::into_inner);
        !waited.timed_out()
    }
}
