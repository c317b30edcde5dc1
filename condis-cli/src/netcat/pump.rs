//! Between the two standard streams, each with a thread of its own, and the call.
//!
//! Both ways hold a bounded amount: the reading thread waits while [`INPUT_PIECES_MAX`] pieces are not sent, and receives
//! are kept until the writing thread has taken them; the call bounds how many.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use condis::vc::Kept;

/// Both queues. A clone is the same.
#[derive(Clone, Default)]
pub(super) struct Pump(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    input: VecDeque<Vec<u8>>,
    input_ended: bool,
    output: VecDeque<Item>,
    output_octets: usize,
    /// Taken by the writing thread, and not told to the call yet.
    taken: usize,
    writing: bool,
    closed: bool,
    broken: Option<String>,
    waker: Option<Waker>,
    sent_octets: u64,
    received_octets: u64,
}

/// Who is told that there is input, or that output was taken.
type Waker = Arc<dyn Fn() + Send + Sync>;

/// Data for the output.
pub(super) enum Item {
    /// A receive that is kept until it is written, with where the data lies in it.
    Kept(Kept, std::ops::Range<usize>),
    /// A copy, of a receive that could not be kept.
    Copied(Vec<u8>),
}

/// Input for the call.
pub(super) enum Input {
    Piece(Vec<u8>),
    /// Not yet any.
    Nothing,
    /// Never more.
    Ended,
}

/// What passed so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Passed {
    /// Octets of the input that were sent.
    pub sent_octets: u64,
    /// Octets that came in and were written.
    pub received_octets: u64,
}

impl Pump {
    pub(super) fn on_change(&self, waker: impl Fn() + Send + Sync + 'static) {
        self.lock().waker = Some(Arc::new(waker));
    }

    /// Reads the input to its end, in pieces of at most `octets`. The body of a thread.
    pub(super) fn read(&self, mut input: impl Read, octets: usize) {
        loop {
            let mut piece = vec![0; octets];
            match input.read(&mut piece) {
                Ok(0) => return self.end_input(None),
                Ok(len) => piece.truncate(len),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return self.end_input(Some(format!("the input cannot be read: {error}"))),
            }
            let mut state = self.lock();
            while state.input.len() >= INPUT_PIECES_MAX && !state.closed {
                state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.closed {
                return;
            }
            state.input.push_back(piece);
            self.wake(state);
        }
    }

    /// Writes what comes in, until it is closed and all is written. The body of a thread.
    pub(super) fn write(&self, mut output: impl Write) {
        loop {
            let item = {
                let mut state = self.lock();
                state.writing = false;
                self.0.changed.notify_all();
                loop {
                    if let Some(item) = state.output.pop_front() {
                        state.writing = true;
                        break item;
                    }
                    if state.closed {
                        return;
                    }
                    state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            };
            // Given back before it is written: an output that blocks must not hold up the end of the call.
            let octets = item.into_octets();
            if let Err(error) = output.write_all(&octets).and_then(|()| output.flush()) {
                let mut state = self.lock();
                state.broken.get_or_insert_with(|| format!("the output takes no more: {error}"));
                state.output.clear();
                state.writing = false;
                state.closed = true;
                return self.wake(state);
            }
            let mut state = self.lock();
            state.output_octets -= octets.len();
            state.taken += octets.len();
            state.received_octets += octets.len() as u64;
            self.wake(state);
        }
    }

    /// The next piece of the input.
    pub(super) fn take_input(&self) -> Input {
        let mut state = self.lock();
        match state.input.pop_front() {
            Some(piece) => {
                state.sent_octets += piece.len() as u64;
                drop(state);
                self.0.changed.notify_all();
                Input::Piece(piece)
            }
            None if state.input_ended => Input::Ended,
            None => Input::Nothing,
        }
    }

    /// Hands data to the output. The item back, if so much waits already that there is no room.
    pub(super) fn put_output(&self, item: Item, octets: usize) -> Result<(), Item> {
        let mut state = self.lock();
        if state.closed || state.output_octets + octets > OUTPUT_OCTETS_MAX {
            return Err(item);
        }
        state.output_octets += octets;
        state.output.push_back(item);
        drop(state);
        self.0.changed.notify_all();
        Ok(())
    }

    /// Octets that the output took since this was asked last.
    pub(super) fn take_taken(&self) -> usize {
        std::mem::take(&mut self.lock().taken)
    }

    /// True if all that came in is written.
    pub(super) fn is_written(&self) -> bool {
        let state = self.lock();
        state.output.is_empty() && !state.writing
    }

    /// Waits until all that came in is written, at most `timeout`.
    pub(super) fn wait_written(&self, timeout: Duration) -> bool {
        let busy = |state: &mut State| !state.output.is_empty() || state.writing;
        let waited = self.0.changed.wait_timeout_while(self.lock(), timeout, busy);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Lets both threads end; what is written already stays written, and nothing is taken any more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.waker = None;
        let kept = std::mem::take(&mut state.output);
        drop(state);
        drop(kept);
        self.0.changed.notify_all();
    }

    /// Why the input or the output is of no use any more.
    pub(super) fn broken(&self) -> Option<String> {
        self.lock().broken.clone()
    }

    pub(super) fn passed(&self) -> Passed {
        let state = self.lock();
        Passed { sent_octets: state.sent_octets, received_octets: state.received_octets }
    }

    fn end_input(&self, broken: Option<String>) {
        let mut state = self.lock();
        state.input_ended = true;
        state.broken = state.broken.take().or(broken);
        self.wake(state);
    }

    fn wake(&self, state: MutexGuard<'_, State>) {
        let waker = state.waker.clone();
        drop(state);
        self.0.changed.notify_all();
        if let Some(waker) = waker {
            waker();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Item {
    fn into_octets(self) -> Vec<u8> {
        match self {
            Item::Copied(octets) => octets,
            Item::Kept(kept, range) => {
                let mut octets = Vec::with_capacity(range.len());
                let mut at = 0;
                for mdl in kept.iter().flat_map(|nbl| nbl.first().mdls()) {
                    let begin = range.start.clamp(at, at + mdl.len()) - at;
                    let end = range.end.clamp(at, at + mdl.len()) - at;
                    octets.extend(&mdl[begin..end]);
                    at += mdl.len();
                }
                kept.give_back();
                octets
            }
        }
    }
}

/// Pieces that were read and are not sent: enough to keep a VC busy while the input has some.
const INPUT_PIECES_MAX: usize = 64;

/// Octets that came in and are not written. What comes beyond is lost, and the stream that has numbers sees to that it
/// does not come.
const OUTPUT_OCTETS_MAX: usize = 4 << 20;
