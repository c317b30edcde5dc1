//! How a thread that waits in poll(2) is brought out of it.

use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec};
use rustix::fd::{BorrowedFd, OwnedFd};

/// Something that a thread polls beside its socket.
#[derive(Debug)]
pub(super) struct Wake(OwnedFd);

impl Wake {
    /// # Errors
    /// The system has no file descriptor left.
    pub(super) fn new() -> std::io::Result<Wake> {
        Ok(Wake(rustix::event::eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?))
    }

    /// Brings the thread out of its wait, or keeps it from the next.
    pub(super) fn wake(&self) {
        // It fails only if the counter is at its limit, and then the thread has been woken often enough.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    /// Waits until woken, until something of `flags` or an error is on `socket`, or until `timeout` is over.
    pub(super) fn wait(
        &self,
        socket: Option<(BorrowedFd<'_>, PollFlags)>,
        timeout: Option<Duration>,
    ) -> Waited {
        let timeout = timeout.map(|timeout| Timespec::try_from(timeout).unwrap_or(FOR_EVER));
        let woken = PollFd::new(&self.0, PollFlags::IN);
        let mut waits = match socket {
            Some((socket, flags)) => [woken, PollFd::from_borrowed_fd(socket, flags)],
            None => [woken.clone(), woken],
        };
        // A signal is as good as being woken, and a reason to do nothing; nor is an error, since both are open and there is
        // memory for two.
        if rustix::event::poll(&mut waits, timeout.as_ref()).is_err() {
            return Waited { woken: true, ready: PollFlags::empty() };
        }
        let [woken, ready] = waits.map(|wait| wait.revents());
        let woken = !woken.is_empty();
        if woken {
            let _ = rustix::io::read(&self.0, &mut [0; 8]);
        }
        Waited { woken, ready: if socket.is_some() { ready } else { PollFlags::empty() } }
    }
}

/// Why a wait is over; if neither, then its time was.
pub(super) struct Waited {
    pub(super) woken: bool,
    /// What is on the socket.
    pub(super) ready: PollFlags,
}

/// Longer than any wait.
const FOR_EVER: Timespec = Timespec { tv_sec: i32::MAX as i64, tv_nsec: 0 };
