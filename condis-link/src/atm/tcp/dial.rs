//! Making a connection, again and again.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use crate::atm::wake::Wake;

/// How long a line waits before it calls again: twice as long each time, until octets have arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retry {
    /// Before the first try after a failure, or after a connection has ended.
    pub first: Duration,
    /// At most.
    pub max: Duration,
}

impl Default for Retry {
    /// From 250 ms to 30 s.
    fn default() -> Retry {
        Retry { first: Duration::from_millis(250), max: Duration::from_secs(30) }
    }
}

/// How often in a row it has failed.
pub(super) struct Pauses {
    retry: Retry,
    next: Duration,
}

impl Pauses {
    pub(super) fn new(retry: Retry) -> Pauses {
        Pauses { retry, next: retry.first.min(retry.max) }
    }

    /// The next pause.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.retry.max);
        pause
    }

    /// It has worked.
    pub(super) fn reset(&mut self) {
        *self = Pauses::new(self.retry);
    }
}

/// Connects to `peer`. `None` if `give_up` became true meanwhile, which is asked whenever the thread is woken.
///
/// # Errors
/// What the system says; that the peer did not answer in [`CONNECT_TIME_MAX`].
pub(super) fn connect(
    peer: SocketAddr,
    wake: &Wake,
    give_up: impl Fn() -> bool,
) -> io::Result<Option<TcpStream>> {
    let family = if peer.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    match rustix::net::connect(&socket, &peer) {
        Ok(()) => {}
        Err(Errno::INPROGRESS | Errno::INTR) => {
            // Being woken for nothing starts the time again, which nobody does for long.
            loop {
                let waited = wake.wait(Some((socket.as_fd(), PollFlags::OUT)), Some(CONNECT_TIME_MAX));
                if give_up() {
                    return Ok(None);
                }
                if !waited.ready.is_empty() {
                    break;
                }
                if !waited.woken {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            sockopt::socket_error(&socket)??;
        }
        Err(error) => return Err(error.into()),
    }
    let stream = TcpStream::from(socket);
    // A port that nobody listens on and that the system has picked for our own end: TCP then connects us with ourselves.
    if stream.local_addr()? == peer {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(Some(stream))
}

/// How long the peer may take to answer.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_bound_and_begin_again() {
        let second = Duration::from_secs(1);
        let mut pauses = Pauses::new(Retry { first: second, max: 5 * second });
        assert_eq!([(); 5].map(|()| pauses.next().as_secs()), [1, 2, 4, 5, 5]);
        pauses.reset();
        assert_eq!(pauses.next(), second);
        let mut short = Pauses::new(Retry { first: 9 * second, max: second });
        assert_eq!(short.next(), second);
    }
}
