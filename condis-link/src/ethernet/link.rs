//! The link on an open interface.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use condis::runtime::{IoThread, Threads};
use rustix::event::EventfdFlags;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags};

use super::{EthernetSocket, receiver};
use crate::counters::{Count, Counters};
use crate::header::Header;
use crate::{BATCH_FRAMES_MAX, Frame, Link, LinkUser, MacAddr};

/// A link on a real network interface.
///
/// It has one thread, which hands received frames to the user; the user sends on its own threads. Dropping it stops the
/// thread and waits for it to end, except on that thread itself.
pub struct Ethernet {
    shared: Arc<Shared>,
    _thread: IoThread,
}

impl Ethernet {
    /// Starts the link. It reads and drops frames until a user is attached.
    ///
    /// # Errors
    /// The system has no file descriptor left.
    pub fn start(socket: EthernetSocket, threads: &Threads) -> std::io::Result<Arc<Ethernet>> {
        let flags = EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
        let shared = Arc::new(Shared {
            up: AtomicBool::new(socket.is_running()),
            wake: rustix::event::eventfd(0, flags)?,
            socket,
            counters: Counters::default(),
            user: Mutex::new(None),
            closed: AtomicBool::new(false),
            refused: AtomicBool::new(false),
        });
        let receiving = shared.clone();
        let thread = threads.spawn_io(&shared.socket.name, move |stop| receiver::run(&receiving, &stop));
        Ok(Arc::new(Ethernet { shared, _thread: thread }))
    }
}

impl Link for Ethernet {
    fn name(&self) -> &str {
        &self.shared.socket.name
    }

    /// The address that the interface had when it was opened.
    fn address(&self) -> MacAddr {
        MacAddr::new(self.shared.socket.interface.address)
    }

    /// The MTU that the interface had when it was opened.
    fn mtu_octets(&self) -> usize {
        self.shared.socket.interface.mtu_octets as usize
    }

    fn speed_bps(&self) -> Option<u64> {
        self.shared.socket.speed_bps
    }

    fn is_up(&self) -> bool {
        self.shared.up.load(Ordering::Acquire) && !self.shared.is_closed()
    }

    fn attach(&self, user: Weak<dyn LinkUser>) {
        *self.shared.user.lock().unwrap_or_else(PoisonError::into_inner) = Some(user);
    }

    fn transmit(&self, frames: &[Frame<'_>]) -> usize {
        self.shared.transmit(frames)
    }

    fn close(&self) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.wake();
    }

    fn counters(&self) -> &Counters {
        let overruns = self.shared.socket.packets.take_overruns().unwrap_or(0);
        self.shared.counters.add(Count::Overrun, overruns.into());
        &self.shared.counters
    }
}

impl fmt::Debug for Ethernet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ethernet {} ({}): {}", self.name(), self.address(), self.counters())
    }
}

/// What the link and its thread share.
pub(super) struct Shared {
    pub(super) socket: EthernetSocket,
    pub(super) counters: Counters,
    /// Written to in order to bring the thread out of its wait.
    pub(super) wake: OwnedFd,
    pub(super) up: AtomicBool,
    /// Frames were refused, and the user waits to hear of room.
    pub(super) refused: AtomicBool,
    user: Mutex<Option<Weak<dyn LinkUser>>>,
    closed: AtomicBool,
}

impl Shared {
    /// The user, if one is attached and lives.
    pub(super) fn user(&self) -> Option<Arc<dyn LinkUser>> {
        self.user.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.upgrade()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(super) fn wake(&self) {
        // It fails only if the counter is at its limit, and then the thread has been woken often enough.
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }

    fn transmit(&self, frames: &[Frame<'_>]) -> usize {
        if self.is_closed() {
            self.counters.add(Count::Closed, frames.len() as u64);
            return frames.len();
        }
        let mut taken = 0;
        while let Some(first) = frames.get(taken) {
            match self.send(&frames[taken..]) {
                Ok(sent) => {
                    let octets: usize = frames[taken..][..sent].iter().map(Frame::octets).sum();
                    self.counters.add(Count::Sent, sent as u64);
                    self.counters.add(Count::SentOctets, octets as u64);
                    taken += sent;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.counters.add(Count::Refused, (frames.len() - taken) as u64);
                    self.wait_for_room();
                    break;
                }
                // Any other error is about the first frame, which is lost.
                Err(error) => {
                    self.counters.add(loss(error, first), 1);
                    taken += 1;
                }
            }
        }
        taken
    }

    /// Hands frames to the kernel, one at least, and gives how many it took.
    fn send(&self, frames: &[Frame<'_>]) -> Result<usize, Errno> {
        let (socket, flags) = (&self.socket.packets, SendFlags::DONTWAIT);
        if let [frame] = frames {
            rustix::net::sendmsg(socket, frame.parts(), &mut SendAncillaryBuffer::default(), flags)?;
            return Ok(1);
        }
        let batch = &frames[..frames.len().min(BATCH_FRAMES_MAX)];
        let mut controls: [_; BATCH_FRAMES_MAX] = std::array::from_fn(|_| SendAncillaryBuffer::default());
        let mut controls = controls.iter_mut();
        let mut headers: [_; BATCH_FRAMES_MAX] = std::array::from_fn(|nth| {
            let parts = batch.get(nth).map_or(&[][..], Frame::parts);
            MMsgHdr::new(parts, controls.next().expect("there are as many as headers"))
        });
        rustix::net::sendmmsg(socket, &mut headers[..batch.len()], flags)
    }

    /// Has the thread tell the user when the socket takes frames again.
    fn wait_for_room(&self) {
        if !self.refused.swap(true, Ordering::AcqRel) {
            self.wake();
        }
    }
}

/// What a frame was lost to that the kernel would not send. Source: packet(7), send(2), `packet_snd` in Linux.
fn loss(error: Errno, frame: &Frame<'_>) -> Count {
    match error {
        Errno::NETDOWN | Errno::NXIO | Errno::NODEV => Count::Down,
        Errno::MSGSIZE => Count::TooLong,
        Errno::INVAL if frame.octets() < Header::OCTETS => Count::TooShort,
        _ => Count::SendFailed,
    }
}
