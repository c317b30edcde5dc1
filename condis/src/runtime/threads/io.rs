//! Threads that wait in system calls, and how they are told to go.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};

use super::Panics;

/// A thread that a link does its blocking I/O on. Dropping this stops it.
pub struct IoThread {
    shared: Arc<IoShared>,
}

/// Tells an I/O thread that it shall end.
#[derive(Clone)]
pub struct Stop {
    shared: Arc<IoShared>,
}

type Waker = Box<dyn FnOnce() + Send>;

/// What the thread, its owner and the runtime share.
pub(super) struct IoShared {
    name: Box<str>,
    stopped: AtomicBool,
    ended: AtomicBool,
    waker: Mutex<Option<Waker>>,
    id: OnceLock<ThreadId>,
    handle: Mutex<Option<JoinHandle<()>>>,
    panics: Arc<Panics>,
}

impl IoThread {
    pub(super) fn new(shared: Arc<IoShared>) -> IoThread {
        IoThread { shared }
    }

    /// Tells the thread to end, and waits until it has. On that thread itself it only tells. May be called again.
    pub fn stop(&self) {
        self.shared.stop();
    }

    /// Whether the thread's work is over, by itself or because it was told to end.
    pub fn is_finished(&self) -> bool {
        self.shared.ended.load(Ordering::Acquire)
    }
}

impl Drop for IoThread {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for IoThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I/O thread {}", self.shared.name)
    }
}

impl Stop {
    /// Whether the thread shall end. One load, to be asked between system calls.
    pub fn is_set(&self) -> bool {
        self.shared.stopped.load(Ordering::Acquire)
    }

    /// Has `waker` called once, when the thread shall end, so that it comes back from the system call that it waits in: by a
    /// write to a pipe that it polls, say. Called at once if that is so already. It replaces the one set before. It runs on
    /// the thread that stops this one, and is dropped uncalled when this thread ends before.
    pub fn on_stop(&self, waker: impl FnOnce() + Send + 'static) {
        let mut slot = lock(&self.shared.waker);
        // Looked at under the lock: who stops sets the flag first and takes the waker then, so one of the two calls it.
        if self.is_set() {
            drop(slot);
            waker();
        } else {
            let old = slot.replace(Box::new(waker));
            drop(slot);
            drop(old);
        }
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "stop of I/O thread {}: {}",
            self.shared.name,
            if self.is_set() { "set" } else { "not set" }
        )
    }
}

impl IoShared {
    pub(super) fn new(name: &str, panics: Arc<Panics>) -> Arc<IoShared> {
        Arc::new(IoShared {
            name: name.into(),
            stopped: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            waker: Mutex::default(),
            id: OnceLock::new(),
            handle: Mutex::default(),
            panics,
        })
    }

    /// The life of the thread.
    pub(super) fn run(self: Arc<IoShared>, f: impl FnOnce(Stop)) {
        let _ = self.id.set(thread::current().id());
        self.panics.guard(&self.name, || f(Stop { shared: self.clone() }));
        let waker = lock(&self.waker).take();
        self.panics.guard(&self.name, || drop(waker));
        self.ended.store(true, Ordering::Release);
    }

    /// Says that the thread was not started and never will be.
    pub(super) fn refused(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Keeps the handle of the thread, which may be running already.
    pub(super) fn started(&self, handle: JoinHandle<()>) {
        *lock(&self.handle) = Some(handle);
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        let waker = lock(&self.waker).take();
        if let Some(waker) = waker {
            self.panics.guard(&self.name, waker);
        }
        if self.is_current() {
            return;
        }
        // Held while joining, so that who stops it a second time waits as well.
        let mut handle = lock(&self.handle);
        if let Some(handle) = handle.take() {
            // The thread lets no panic out.
            let _ = handle.join();
        }
    }

    /// Whether this is the thread that asks.
    pub(super) fn is_current(&self) -> bool {
        self.id.get() == Some(&thread::current().id())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
