//! The socket and the line on it.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use condis::runtime::{IoThread, Threads};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendFlags};

use super::{HEADER_OCTETS, SDU_OCTETS_MAX, receiver};
use crate::atm::wake::Wake;
use crate::atm::{AtmLink, AtmLinkUser, BindError, Cell, Form, Sdu, VpVc};
use crate::counters::{Count, Counters};

/// A socket between two addresses, on which a line can be [started](UdpLine::start). Datagrams that arrive in between wait in it.
#[derive(Debug)]
pub struct UdpSocket {
    pub(super) socket: std::net::UdpSocket,
    peer: SocketAddr,
}

impl UdpSocket {
    /// Binds `local`, in which port 0 lets the system pick a port, for datagrams from and to `peer`.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(local: SocketAddr, peer: SocketAddr) -> Result<UdpSocket, BindError> {
        let bind = || {
            let socket = std::net::UdpSocket::bind(local)?;
            socket.connect(peer)?;
            socket.set_nonblocking(true)?;
            Ok(UdpSocket { socket, peer })
        };
        bind().map_err(|error| BindError::binding(local, error))
    }
}

/// A line of AAL5 over UDP. Dropping it stops its thread and waits for it to end, except on that thread itself.
pub struct UdpLine {
    shared: Arc<Shared>,
    _thread: IoThread,
}

impl UdpLine {
    /// Starts the line. It reads nothing until a user is attached.
    ///
    /// # Errors
    /// The system has no file descriptor left.
    pub fn start(socket: UdpSocket, threads: &Threads) -> io::Result<Arc<UdpLine>> {
        let shared = Arc::new(Shared {
            name: format!("atmudp/{}", socket.peer),
            socket: socket.socket,
            counters: Counters::default(),
            wake: Wake::new()?,
            refused: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            user: Mutex::new(None),
        });
        let receiving = shared.clone();
        let thread = threads.spawn_io(&shared.name, move |stop| receiver::run(&receiving, &stop));
        Ok(Arc::new(UdpLine { shared, _thread: thread }))
    }
}

impl AtmLink for UdpLine {
    fn name(&self) -> &str {
        &self.shared.name
    }

    fn form(&self) -> Form {
        Form::Sdus
    }

    fn cells_per_s(&self) -> Option<u64> {
        None
    }

    fn sdu_octets_max(&self) -> usize {
        SDU_OCTETS_MAX
    }

    fn is_up(&self) -> bool {
        !self.shared.is_closed()
    }

    fn attach(&self, user: Weak<dyn AtmLinkUser>) {
        *self.shared.user.lock().unwrap_or_else(PoisonError::into_inner) = Some(user);
        self.shared.wake.wake();
    }

    fn transmit_cells(&self, cells: &[Cell]) -> usize {
        self.shared.counters.add(Count::WrongForm, cells.len() as u64);
        cells.len()
    }

    fn transmit_sdus(&self, sdus: &[Sdu<'_>]) -> usize {
        self.shared.transmit(sdus)
    }

    fn close(&self) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.wake.wake();
    }

    fn counters(&self) -> &Counters {
        &self.shared.counters
    }
}

impl fmt::Debug for UdpLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.name(), self.counters())
    }
}

/// What the line and its thread share.
pub(super) struct Shared {
    name: String,
    pub(super) socket: std::net::UdpSocket,
    pub(super) counters: Counters,
    pub(super) wake: Wake,
    /// SDUs were refused, and the user waits to hear of room.
    pub(super) refused: AtomicBool,
    closed: AtomicBool,
    user: Mutex<Option<Weak<dyn AtmLinkUser>>>,
}

impl Shared {
    /// Whether somebody has been attached.
    pub(super) fn has_user(&self) -> bool {
        self.user.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The user, if one is attached and lives.
    pub(super) fn user(&self) -> Option<Arc<dyn AtmLinkUser>> {
        self.user.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.upgrade()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn transmit(&self, sdus: &[Sdu<'_>]) -> usize {
        if self.is_closed() {
            self.counters.add(Count::Closed, sdus.len() as u64);
            return sdus.len();
        }
        let (mut taken, mut sent, mut sent_octets) = (0, 0, 0);
        for sdu in sdus {
            let octets: usize = sdu.parts.iter().map(|part| part.len()).sum();
            match malformed(sdu.vpvc, octets).map_or_else(|| self.send(sdu), Err) {
                Ok(()) => {
                    sent += 1;
                    sent_octets += octets as u64;
                }
                Err(Count::Refused) => {
                    self.counters.add(Count::Refused, (sdus.len() - taken) as u64);
                    if !self.refused.swap(true, Ordering::AcqRel) {
                        self.wake.wake();
                    }
                    break;
                }
                Err(why) => self.counters.add(why, 1),
            }
            taken += 1;
        }
        self.counters.add(Count::Sent, sent);
        self.counters.add(Count::SentOctets, sent_octets);
        taken
    }

    /// Hands one SDU to the system, or says why it would not have it.
    fn send(&self, sdu: &Sdu<'_>) -> Result<(), Count> {
        let header = header(sdu.vpvc);
        let mut flat = Vec::new();
        let mut parts = [IoSlice::new(&[]); PARTS_LEN_MAX];
        parts[0] = IoSlice::new(&header);
        let len = 1 + match parts[1..].get_mut(..sdu.parts.len()) {
            Some(room) => {
                room.copy_from_slice(sdu.parts);
                sdu.parts.len()
            }
            None => {
                sdu.parts.iter().for_each(|part| flat.extend_from_slice(part));
                parts[1] = IoSlice::new(&flat);
                1
            }
        };
        let mut tries = 0;
        loop {
            let flags = SendFlags::DONTWAIT;
            let mut control = SendAncillaryBuffer::default();
            match rustix::net::sendmsg(&self.socket, &parts[..len], &mut control, flags) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Err(Count::Refused),
                Err(Errno::MSGSIZE) => return Err(Count::TooLong),
                // What came back for a datagram before this one is told now, and this one has not been sent.
                Err(Errno::CONNREFUSED) if tries == 0 => {
                    self.counters.add(Count::SendFailed, 1);
                    tries += 1;
                }
                Err(_) => return Err(Count::SendFailed),
            }
        }
    }
}

/// Why an SDU cannot be sent, if so.
fn malformed(vpvc: VpVc, octets: usize) -> Option<Count> {
    if vpvc == VpVc::new(0, 0) {
        Some(Count::Malformed)
    } else if octets == 0 {
        Some(Count::TooShort)
    } else {
        (octets > SDU_OCTETS_MAX).then_some(Count::TooLong)
    }
}

fn header(vpvc: VpVc) -> [u8; HEADER_OCTETS] {
    let [a, b] = vpvc.vpi.0.to_be_bytes();
    let [c, d] = vpvc.vci.0.to_be_bytes();
    [a, b, c, d]
}

/// Pieces of memory that are handed to the system as they are, the header's among them; of more a copy is made.
const PARTS_LEN_MAX: usize = 8;
