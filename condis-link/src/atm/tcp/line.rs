//! A line over one TCP connection at a time.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use condis::runtime::{IoThread, Threads};

use super::dial::Retry;
use super::error::{LineEvent, OnLineEvent};
use super::outgoing::{Outgoing, is_connection};
use super::{wire, worker};
use crate::atm::wake::Wake;
use crate::atm::{AtmLink, AtmLinkUser, Cell, Form, Sdu, VpVc};
use crate::counters::{Count, Counters};

/// How a line is to be.
#[derive(Clone)]
pub struct TcpOptions {
    /// The number of our interface, which the other end is told and which means nothing to it.
    pub interface: u32,
    /// Octets of the longest SDU that is sent, and that the other end is told for each connection; at most
    /// [`wire::SDU_OCTETS_MAX`]. One that arrives may always be as long as that.
    pub sdu_octets_max: usize,
    /// Octets that may wait for the stream; SDUs above it are refused, but one is always taken.
    pub queue_octets_max: usize,
    /// How soon a line that calls does so again.
    pub retry: Retry,
    /// Is told of the connection, if anybody.
    pub on_event: Option<OnLineEvent>,
}

impl TcpOptions {
    /// The default of [`TcpOptions::queue_octets_max`]: sixteen of the longest SDUs.
    pub const QUEUE_OCTETS_MAX: usize = 1 << 20;
}

impl Default for TcpOptions {
    fn default() -> TcpOptions {
        TcpOptions {
            interface: 0,
            sdu_octets_max: wire::SDU_OCTETS_MAX,
            queue_octets_max: TcpOptions::QUEUE_OCTETS_MAX,
            retry: Retry::default(),
            on_event: None,
        }
    }
}

impl fmt::Debug for TcpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TcpOptions { interface, sdu_octets_max, queue_octets_max, retry, on_event: _ } = self;
        f.debug_struct("TcpOptions")
            .field("interface", interface)
            .field("sdu_octets_max", sdu_octets_max)
            .field("queue_octets_max", queue_octets_max)
            .field("retry", retry)
            .finish_non_exhaustive()
    }
}

/// A line of ATM over TCP: one that calls, or one that a [`TcpAcceptor`](super::TcpAcceptor) has handed over.
///
/// Dropping it ends its thread and waits for that, except on that thread itself; what still waits is then written only as far
/// as the stream takes it at once. After [`AtmLink::close`] the thread gives it a second.
pub struct TcpLine {
    shared: Arc<Shared>,
    _thread: IoThread,
}

impl TcpLine {
    /// A line that calls `peer`, at once and again whenever it is not connected.
    ///
    /// # Errors
    /// The system has no file descriptor left. That the peer does not answer is none: see [`TcpOptions::on_event`].
    pub fn connect(
        peer: SocketAddr,
        options: TcpOptions,
        threads: &Threads,
    ) -> std::io::Result<Arc<TcpLine>> {
        let shared = Arc::new(Shared::new(peer, options, None)?);
        let line = shared.clone();
        let thread = threads.spawn_io(&shared.name, move |stop| worker::call(&line, &stop));
        Ok(Arc::new(TcpLine { shared, _thread: thread }))
    }

    /// A line on a connection that was made.
    pub(super) fn accepted(
        stream: TcpStream,
        peer: SocketAddr,
        options: TcpOptions,
        threads: &Threads,
    ) -> std::io::Result<Arc<TcpLine>> {
        // Before anybody can send.
        stream.set_nonblocking(true)?;
        let stream = Arc::new(stream);
        let shared = Arc::new(Shared::new(peer, options, Some(stream.clone()))?);
        let line = shared.clone();
        let thread = threads.spawn_io(&shared.name, move |stop| worker::serve_once(&line, &stream, &stop));
        Ok(Arc::new(TcpLine { shared, _thread: thread }))
    }

    /// Who is at the other end.
    pub fn peer(&self) -> SocketAddr {
        self.shared.peer
    }

    /// Whether the line will never be up again: it was closed, or it was accepted and its connection has ended.
    pub fn is_over(&self) -> bool {
        self.shared.is_over()
    }

    pub(super) fn shared(&self) -> Weak<Shared> {
        Arc::downgrade(&self.shared)
    }
}

impl AtmLink for TcpLine {
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
        self.shared.options.sdu_octets_max
    }

    fn is_up(&self) -> bool {
        self.shared.up.load(Ordering::Acquire) && !self.shared.is_closed()
    }

    fn attach(&self, user: Weak<dyn AtmLinkUser>) {
        *lock(&self.shared.user) = Some(user);
        self.shared.wake.wake();
    }

    fn transmit_cells(&self, cells: &[Cell]) -> usize {
        self.shared.counters.add(Count::WrongForm, cells.len() as u64);
        cells.len()
    }

    fn transmit_sdus(&self, sdus: &[Sdu<'_>]) -> usize {
        self.shared.transmit(sdus)
    }

    /// Told to the other end, and told again whenever the connection is made anew. The line remembers
    /// 4096 of them.
    fn vc_state(&self, vpvc: VpVc, open: bool) {
        self.shared.vc_state(vpvc, open);
    }

    fn close(&self) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.wake.wake();
    }

    fn counters(&self) -> &Counters {
        &self.shared.counters
    }
}

impl fmt::Debug for TcpLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.name(), self.counters())
    }
}

/// What a line and its thread share.
pub(super) struct Shared {
    name: String,
    pub(super) peer: SocketAddr,
    pub(super) options: TcpOptions,
    pub(super) counters: Counters,
    pub(super) wake: Wake,
    pub(super) up: AtomicBool,
    pub(super) over: AtomicBool,
    closed: AtomicBool,
    user: Mutex<Option<Weak<dyn AtmLinkUser>>>,
    /// No user is called under this lock. It is held while the stream takes what it takes without waiting.
    pub(super) sending: Mutex<Sending>,
}

/// What goes to the other end.
#[derive(Default)]
pub(super) struct Sending {
    /// Absent while there is no connection.
    pub(super) stream: Option<Arc<TcpStream>>,
    pub(super) outgoing: Outgoing,
    /// SDUs were refused, the first of them of so many octets, and the user waits to hear of room.
    refused: Option<usize>,
    /// Connections that are open at this end.
    open: BTreeSet<VpVc>,
}

impl Shared {
    fn new(
        peer: SocketAddr,
        mut options: TcpOptions,
        stream: Option<Arc<TcpStream>>,
    ) -> std::io::Result<Shared> {
        options.sdu_octets_max = options.sdu_octets_max.min(wire::SDU_OCTETS_MAX);
        Ok(Shared {
            name: format!("atmtcp/{peer}"),
            peer,
            options,
            counters: Counters::default(),
            wake: Wake::new()?,
            up: AtomicBool::new(stream.is_some()),
            over: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            user: Mutex::new(None),
            sending: Mutex::new(Sending { stream, ..Sending::default() }),
        })
    }

    /// Whether somebody has been attached.
    pub(super) fn has_user(&self) -> bool {
        lock(&self.user).is_some()
    }

    /// The user, if one is attached and lives.
    pub(super) fn user(&self) -> Option<Arc<dyn AtmLinkUser>> {
        lock(&self.user).as_ref()?.upgrade()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire) || self.is_closed()
    }

    pub(super) fn tell(&self, event: &LineEvent<'_>) {
        if let Some(on_event) = &self.options.on_event {
            on_event(event);
        }
    }

    /// Has the user told if the line's state is another than before.
    pub(super) fn set_up(&self, up: bool) {
        if self.up.swap(up, Ordering::AcqRel) != up
            && let Some(user) = self.user()
        {
            user.link_state(up);
        }
    }

    fn transmit(&self, sdus: &[Sdu<'_>]) -> usize {
        if self.is_closed() {
            self.counters.add(Count::Closed, sdus.len() as u64);
            return sdus.len();
        }
        let mut sending = lock(&self.sending);
        if sending.stream.is_none() {
            self.counters.add(Count::Down, sdus.len() as u64);
            return sdus.len();
        }
        let mut waited = sending.outgoing.len() != 0;
        let (mut taken, mut sent, mut sent_octets) = (0, 0, 0);
        for sdu in sdus {
            let octets = sdu.parts.iter().map(|part| part.len()).sum();
            if let Some(why) = self.malformed(sdu.vpvc, octets) {
                self.counters.add(why, 1);
                taken += 1;
                continue;
            }
            if !sending.has_room(octets, &self.options) {
                self.push_on(&mut sending, waited);
                waited |= sending.outgoing.len() != 0;
            }
            if !sending.has_room(octets, &self.options) {
                sending.refuse(octets);
                // The thread may have found all of it written, and waits for nothing.
                self.wake.wake();
                break;
            }
            sending.outgoing.push(sdu, octets);
            taken += 1;
            sent += 1;
            sent_octets += octets as u64;
        }
        self.counters.add(Count::Sent, sent);
        self.counters.add(Count::SentOctets, sent_octets);
        self.counters.add(Count::Refused, (sdus.len() - taken) as u64);
        self.push_on(&mut sending, waited);
        taken
    }

    fn vc_state(&self, vpvc: VpVc, open: bool) {
        if self.is_closed() || !is_connection(vpvc) {
            return;
        }
        let mut sending = lock(&self.sending);
        if open && sending.open.len() < OPEN_LEN_MAX {
            sending.open.insert(vpvc);
        } else if !open {
            sending.open.remove(&vpvc);
        }
        // A notice is worth nothing to anybody who is so far behind, and must not grow the queue without bound.
        if sending.stream.is_none() || sending.outgoing.len() >= self.options.queue_octets_max {
            return;
        }
        let waited = sending.outgoing.len() != 0;
        let text = if open { self.opened_text(vpvc) } else { wire::closed_text(vpvc) };
        sending.outgoing.push_control(&text);
        self.push_on(&mut sending, waited);
    }

    /// A connection has been made. Tells the other end what is open here.
    pub(super) fn begin(&self, stream: &Arc<TcpStream>) {
        let mut sending = lock(&self.sending);
        sending.stream = Some(stream.clone());
        let Sending { outgoing, open, .. } = &mut *sending;
        open.iter().for_each(|&vpvc| outgoing.push_control(&self.opened_text(vpvc)));
        // If the stream has failed already, the thread will see it by itself.
        let _ = outgoing.flush(&**stream);
    }

    /// The connection has ended. True if the user waits for room.
    pub(super) fn end(&self) -> bool {
        let mut sending = lock(&self.sending);
        sending.stream = None;
        self.counters.add(Count::Cut, sending.outgoing.clear());
        sending.refused.take().is_some()
    }

    /// Hands what waits to the stream, unless something waited before, for which the thread waits as well then.
    fn push_on(&self, sending: &mut Sending, waited: bool) {
        let Sending { stream, outgoing, .. } = sending;
        if let Some(stream) = stream
            && !waited
            && (outgoing.flush(&**stream).is_err() || outgoing.len() != 0)
        {
            self.wake.wake();
        }
    }

    fn opened_text(&self, vpvc: VpVc) -> String {
        wire::opened_text(vpvc, self.options.interface, self.options.sdu_octets_max)
    }

    /// Why an SDU cannot be sent, if so.
    fn malformed(&self, vpvc: VpVc, octets: usize) -> Option<Count> {
        if !is_connection(vpvc) {
            Some(Count::Malformed)
        } else if octets == 0 {
            Some(Count::TooShort)
        } else {
            (octets > self.options.sdu_octets_max).then_some(Count::TooLong)
        }
    }
}

impl Sending {
    fn has_room(&self, octets: usize, options: &TcpOptions) -> bool {
        let waiting = self.outgoing.len();
        waiting == 0 || waiting + wire::HEADER_OCTETS + octets <= options.queue_octets_max
    }

    /// An SDU of so many octets was refused.
    fn refuse(&mut self, octets: usize) {
        self.refused = Some(octets);
    }

    /// A user that was refused is called back at half the bound, so that it comes with a batch, and if what was refused fits.
    pub(super) fn take_room(&mut self, options: &TcpOptions) -> bool {
        let has_room =
            |octets| self.outgoing.len() <= options.queue_octets_max / 2 && self.has_room(octets, options);
        let room = self.refused.is_some_and(has_room);
        if room {
            self.refused = None;
        }
        room
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No user's code runs under our locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Open connections that a line remembers, to tell them again. More may be open; they are told once.
const OPEN_LEN_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use super::*;

    /// Else the thread would call, the user be refused, and so on without end, since nobody writes meanwhile.
    #[test]
    fn who_was_refused_is_not_called_before_there_is_room_for_that() {
        let options = TcpOptions { queue_octets_max: 1000, ..TcpOptions::default() };
        let mut sending = Sending::default();
        let push = |sending: &mut Sending, octets: usize| {
            let payload = vec![0; octets];
            let sdu = Sdu { vpvc: VpVc::SIGNALING, parts: &[IoSlice::new(&payload)] };
            sending.outgoing.push(&sdu, octets);
        };
        push(&mut sending, 300);
        sending.refuse(900);
        assert!(!sending.take_room(&options), "308 octets wait, of at most 1000");
        sending.outgoing.clear();
        push(&mut sending, 30);
        assert!(sending.take_room(&options), "38 octets wait");
        assert!(!sending.take_room(&options), "told once");
        sending.refuse(2000);
        assert!(!sending.take_room(&options), "38 octets wait, and it is longer than the queue");
        sending.outgoing.clear();
        assert!(sending.take_room(&options));
    }
}
