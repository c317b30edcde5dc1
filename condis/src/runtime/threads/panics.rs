//! What becomes of a panic on a thread of the runtime.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A panic that was caught.
#[derive(Debug)]
pub struct PanicReport<'a> {
    /// The name of the lane or of the I/O thread.
    pub thread: &'a str,
    /// What the panic said.
    pub message: &'a str,
}

type Hook = dyn Fn(&PanicReport<'_>) + Send + Sync;

/// Counts and reports the panics of one runtime.
#[derive(Default)]
pub(super) struct Panics {
    count: AtomicU64,
    hook: Mutex<Option<Arc<Hook>>>,
}

impl Panics {
    /// Runs `work` and lets no panic out.
    pub(super) fn guard(&self, thread: &str, work: impl FnOnce()) {
        // What a panic leaves half changed is the business of the object that panicked: nobody here looks at it again.
        let Err(payload) = catch_unwind(AssertUnwindSafe(work)) else { return };
        self.count.fetch_add(1, Ordering::Relaxed);
        let report = AssertUnwindSafe(|| self.report(thread, payload));
        if let Err(payload) = catch_unwind(report) {
            // The hook panicked, or the first payload as it was dropped. This one might too.
            std::mem::forget(payload);
        }
    }

    pub(super) fn set_hook(&self, hook: Box<Hook>) {
        let hook = Arc::from(hook);
        let old = self.hook.lock().unwrap_or_else(PoisonError::into_inner).replace(hook);
        drop(old);
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn report(&self, thread: &str, payload: Box<dyn Any + Send>) {
        let text = payload.downcast_ref::<&str>().copied();
        let message = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let report = PanicReport { thread, message: message.unwrap_or("(no text)") };
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match hook {
            Some(hook) => hook(&report),
            None => eprintln!("condis: {} panicked: {}", report.thread, report.message),
        }
    }
}
