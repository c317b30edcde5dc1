//! The thread of a line: it calls, reads, and writes what could not be written at once. It sleeps in poll(2) and nowhere else.

use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use condis::runtime::Stop;
use rustix::event::PollFlags;
use rustix::fd::AsFd;
use rustix::net::sockopt;

use super::dial::{self, Pauses};
use super::error::{Disconnect, LineEvent};
use super::line::{Shared, lock};
use super::wire::{Control, Message, OutOfStep};
use crate::atm::{ATM_BATCH_MAX, SduIn, VpVc};
use crate::counters::Count;

/// Calls the peer, again and again, and serves each connection.
pub(super) fn call(line: &Arc<Shared>, stop: &Stop) {
    wake_on_stop(line, stop);
    let over = || stop.is_set() || line.is_closed();
    let mut pauses = Pauses::new(line.options.retry);
    while !over() {
        match dial::connect(line.peer, &line.wake, over) {
            Ok(None) => return,
            Ok(Some(stream)) => {
                let stream = Arc::new(stream);
                line.begin(&stream);
                if serve(line, &stream, stop) {
                    pauses.reset();
                }
                if !over() {
                    line.wake.wait(None, Some(pauses.next()));
                }
            }
            Err(error) => {
                let again_in = pauses.next();
                line.tell(&LineEvent::ConnectFailed { peer: line.peer, error: &error, again_in });
                line.wake.wait(None, Some(again_in));
            }
        }
    }
}

/// Serves the one connection of a line that was accepted.
pub(super) fn serve_once(line: &Arc<Shared>, stream: &Arc<TcpStream>, stop: &Stop) {
    wake_on_stop(line, stop);
    serve(line, stream, stop);
    line.over.store(true, Ordering::Release);
}

fn wake_on_stop(line: &Arc<Shared>, stop: &Stop) {
    let waking = line.clone();
    stop.on_stop(move || waking.wake.wake());
}

/// Serves a connection until it ends. True if something came over it.
fn serve(line: &Shared, stream: &TcpStream, stop: &Stop) -> bool {
    let peer = line.peer;
    line.tell(&LineEvent::Connected { peer });
    line.set_up(true);
    let mut incoming = Incoming::new();
    let why = match set_options(stream) {
        Ok(()) => pass(line, stream, &mut incoming, stop),
        Err(error) => Disconnect::Broken(error),
    };
    if let Disconnect::Closed = why {
        say_farewell(line, stream, stop);
    }
    let refused = line.end();
    // Who has closed or dropped the line hears no more of it: it may be waiting for this thread.
    if !matches!(why, Disconnect::Closed) {
        line.set_up(false);
        if refused && let Some(user) = line.user() {
            user.writable();
        }
    }
    line.tell(&LineEvent::Disconnected { peer, why: &why });
    incoming.octets_count != 0
}

/// Passes messages until the connection ends.
fn pass(line: &Shared, stream: &TcpStream, incoming: &mut Incoming, stop: &Stop) -> Disconnect {
    while !stop.is_set() && !line.is_closed() {
        let mut sending = lock(&line.sending);
        let (waits, room) = (sending.outgoing.len() != 0, sending.take_room(&line.options));
        drop(sending);
        if room {
            if let Some(user) = line.user() {
                user.writable();
            }
            // It has sent something, if all is well.
            continue;
        }
        let mut flags = PollFlags::RDHUP;
        flags.set(PollFlags::IN, line.has_user());
        flags.set(PollFlags::OUT, waits);
        let ready = line.wake.wait(Some((stream.as_fd(), flags)), None).ready;
        if ready.contains(PollFlags::OUT)
            && let Err(error) = lock(&line.sending).outgoing.flush(stream)
        {
            return broken(error);
        }
        if ready.contains(PollFlags::IN) {
            match incoming.read(stream) {
                Ok(0) => return Disconnect::ByPeer,
                Ok(_) => {}
                Err(error) if is_for_later(&error) => {}
                Err(error) => return broken(error),
            }
            if let Err(out_of_step) = incoming.hand_over(line) {
                line.counters.add(Count::Malformed, 1);
                return out_of_step.into();
            }
        } else if ready.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::RDHUP) {
            // With nothing to read, or nobody to read it for.
            return sockopt::socket_error(stream)
                .unwrap_or(Ok(()))
                .map_or_else(|error| broken(error.into()), |()| Disconnect::ByPeer);
        }
    }
    Disconnect::Closed
}

/// Ends the connection in order: all that waits goes first, if the peer takes it soon.
fn say_farewell(line: &Shared, stream: &TcpStream, stop: &Stop) {
    for _ in 0..FAREWELL_TRIES {
        let mut sending = lock(&line.sending);
        if sending.outgoing.flush(stream).is_err() || sending.outgoing.len() == 0 || stop.is_set() {
            break;
        }
        drop(sending);
        line.wake.wait(Some((stream.as_fd(), PollFlags::OUT)), Some(FAREWELL_TIME / FAREWELL_TRIES));
    }
    // The peer may have ended it already, which is as good.
    let _ = stream.shutdown(Shutdown::Write);
    // Octets that nobody has read would make the end a reset, which takes from the peer what it has not read.
    let mut unread = [0; 4096];
    for _ in 0..UNREAD_READS_MAX {
        if !matches!((&*stream).read(&mut unread), Ok(1..)) {
            break;
        }
    }
}

fn set_options(stream: &TcpStream) -> io::Result<()> {
    // A signaling message is not to wait for more.
    stream.set_nodelay(true)?;
    // The protocol has nothing by which a peer that is gone could be noticed.
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, KEEP_ALIVE)?;
    sockopt::set_tcp_keepintvl(stream, KEEP_ALIVE)?;
    Ok(())
}

/// What has been read and not been handed over.
struct Incoming {
    buffer: Vec<u8>,
    filled: usize,
    octets_count: u64,
}

impl Incoming {
    fn new() -> Incoming {
        Incoming { buffer: vec![0; READ_OCTETS], filled: 0, octets_count: 0 }
    }

    /// Reads once. There is always room, since less than one message is left over.
    fn read(&mut self, mut stream: &TcpStream) -> io::Result<usize> {
        let octets = stream.read(&mut self.buffer[self.filled..])?;
        self.filled += octets;
        self.octets_count += octets as u64;
        Ok(octets)
    }

    /// Hands over the messages that are whole, in batches.
    fn hand_over(&mut self, line: &Shared) -> Result<(), OutOfStep> {
        let mut rest = &self.buffer[..self.filled];
        loop {
            let mut room = [SduIn { vpvc: VpVc::default(), octets: &[] }; ATM_BATCH_MAX];
            let (mut len, mut octets) = (0, 0);
            let mut end = Ok(());
            while len < ATM_BATCH_MAX {
                match Message::split_first(rest) {
                    Ok(Some((message, behind))) => {
                        rest = behind;
                        if let Some(control) = message.control() {
                            line.counters.add(count_of(control), 1);
                        } else if message.payload.is_empty() {
                            line.counters.add(Count::TooShort, 1);
                        } else {
                            room[len] = SduIn { vpvc: message.vpvc, octets: message.payload };
                            len += 1;
                            octets += message.payload.len() as u64;
                        }
                    }
                    Ok(None) => break,
                    Err(error) => {
                        end = Err(error);
                        break;
                    }
                }
            }
            if len == 0 {
                end?;
                break;
            }
            match line.user() {
                Some(user) => {
                    line.counters.add(Count::Received, len as u64);
                    line.counters.add(Count::ReceivedOctets, octets);
                    user.receive_sdus(&room[..len]);
                }
                None => line.counters.add(Count::NoUser, len as u64),
            }
            end?;
        }
        let left = rest.len();
        self.buffer.copy_within(self.filled - left..self.filled, 0);
        self.filled = left;
        Ok(())
    }
}

fn count_of(control: Control<'_>) -> Count {
    match control {
        Control::Opened { .. } | Control::Closed { .. } => Count::ControlReceived,
        Control::Unknown(_) => Count::ControlUnknown,
    }
}

fn broken(error: io::Error) -> Disconnect {
    Disconnect::Broken(error)
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Octets of the buffer that is read into: some of the longest messages.
const READ_OCTETS: usize = 1 << 18;

/// How long a line that was closed may take to write what waits.
const FAREWELL_TIME: Duration = Duration::from_secs(1);
const FAREWELL_TRIES: u32 = 10;

/// A peer that sends without end must not keep us.
const UNREAD_READS_MAX: usize = 256;

/// A quiet connection is tried after this time, and as often again until the system takes the peer for gone.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
