//! Listening for lines.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use condis::runtime::{IoThread, Stop, Threads};
use rustix::event::PollFlags;
use rustix::fd::AsFd;

use super::line::{Shared as LineShared, TcpLine, TcpOptions};
use crate::atm::BindError;
use crate::atm::wake::Wake;

/// A bound address on which lines can be [accepted](TcpAcceptor::start). Who calls in between waits.
#[derive(Debug)]
pub struct TcpSocket {
    listener: TcpListener,
    address: SocketAddr,
}

impl TcpSocket {
    /// Binds `address`; [`DEFAULT_ADDRESS`](super::DEFAULT_ADDRESS) is the usual one, and port 0 lets the system pick a port.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(address: SocketAddr) -> Result<TcpSocket, BindError> {
        let bind = || {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok(TcpSocket { listener, address })
        };
        bind().map_err(|error| BindError::binding(address, error))
    }

    /// The address, with the port that the system picked if it was to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Accepts lines on a thread of its own. Dropping it ends that; the lines that were handed over live on.
pub struct TcpAcceptor {
    shared: Arc<Shared>,
    address: SocketAddr,
    _thread: IoThread,
}

impl TcpAcceptor {
    /// Has `on_line` called with each line that is accepted, on the acceptor's thread. The line is up, reads nothing until a user
    /// is attached, and closes when it is dropped. All have the same `options`.
    ///
    /// At most [`LINES_LEN_MAX`] lines are open at a time; more are closed as they come, and counted.
    ///
    /// # Errors
    /// The system has no file descriptor left.
    pub fn start(
        socket: TcpSocket,
        options: TcpOptions,
        threads: &Arc<Threads>,
        on_line: impl FnMut(Arc<TcpLine>) + Send + 'static,
    ) -> io::Result<TcpAcceptor> {
        let shared = Arc::new(Shared {
            wake: Wake::new()?,
            closed: AtomicBool::new(false),
            accepted_count: AtomicU64::new(0),
            refused_count: AtomicU64::new(0),
        });
        let address = socket.address;
        let accepting = Accepting {
            shared: shared.clone(),
            listener: socket.listener,
            options,
            threads: Arc::downgrade(threads),
            on_line,
            lines: Vec::new(),
        };
        let thread = threads.spawn_io(&format!("atmtcp/{address}"), move |stop| accepting.run(&stop));
        Ok(TcpAcceptor { shared, address, _thread: thread })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more. Neither waits nor calls; a line that is on its way may still be handed over.
    pub fn close(&self) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.wake.wake();
    }

    /// How many lines were accepted.
    pub fn accepted_count(&self) -> u64 {
        self.shared.accepted_count.load(Ordering::Relaxed)
    }

    /// How many connections were closed at once, because too many lines were open or the system gave nothing for one more.
    pub fn refused_count(&self) -> u64 {
        self.shared.refused_count.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for TcpAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (accepted, refused) = (self.accepted_count(), self.refused_count());
        write!(f, "acceptor {}: accepted {accepted}, refused {refused}", self.address)
    }
}

struct Shared {
    wake: Wake,
    closed: AtomicBool,
    accepted_count: AtomicU64,
    refused_count: AtomicU64,
}

/// The life of the thread.
struct Accepting<F> {
    shared: Arc<Shared>,
    listener: TcpListener,
    options: TcpOptions,
    /// Held weakly, since the runtime waits for its threads.
    threads: Weak<Threads>,
    on_line: F,
    lines: Vec<Weak<LineShared>>,
}

impl<F: FnMut(Arc<TcpLine>)> Accepting<F> {
    fn run(mut self, stop: &Stop) {
        let waking = self.shared.clone();
        stop.on_stop(move || waking.wake.wake());
        while !stop.is_set() && !self.shared.closed.load(Ordering::Acquire) {
            let listener = self.listener.as_fd();
            if self.shared.wake.wait(Some((listener, PollFlags::IN)), None).ready.is_empty() {
                continue;
            }
            match self.accept() {
                Ok(line) => (self.on_line)(line),
                Err(error) if is_nothing(&error) => {}
                Err(_) => {
                    self.shared.refused_count.fetch_add(1, Ordering::Relaxed);
                    // No file descriptor, no memory: not so at once again.
                    self.shared.wake.wait(None, Some(PAUSE));
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<Arc<TcpLine>> {
        let (stream, peer) = self.listener.accept()?;
        self.lines.retain(|line| line.upgrade().is_some_and(|line| !line.is_over()));
        if self.lines.len() >= LINES_LEN_MAX {
            self.shared.refused_count.fetch_add(1, Ordering::Relaxed);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let threads = self.threads.upgrade().ok_or(io::ErrorKind::WouldBlock)?;
        let line = TcpLine::accepted(stream, peer, self.options.clone(), &threads)?;
        self.lines.push(line.shared());
        self.shared.accepted_count.fetch_add(1, Ordering::Relaxed);
        Ok(line)
    }
}

/// A caller that has gone again, or was never there.
fn is_nothing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, WouldBlock};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | WouldBlock)
}

/// Lines of one acceptor that may be open at a time, each with a thread and 256 KiB to read into.
pub const LINES_LEN_MAX: usize = 64;

/// How long nothing is accepted when the system has nothing left.
const PAUSE: Duration = Duration::from_millis(100);
