//! One round of delivery: what the users of a segment have to be told at one moment.

use std::ops::Range;
use std::sync::Weak;

use super::flight::Flight;
use super::wire::Tally;
use crate::counters::Count;
use crate::{BATCH_FRAMES_MAX, LinkUser, MacAddr};

/// What one round tells, in this order: links, frames, room. Its vectors are used again, so that a round allocates
/// nothing once they have grown.
#[derive(Default)]
pub(super) struct Round {
    /// Whose link went up or down.
    pub(super) links: Vec<(Weak<dyn LinkUser>, bool)>,
    /// Frames that have arrived, in order.
    pub(super) flights: Vec<Flight>,
    /// Which station gets which of the `flights`.
    arrivals: Vec<(MacAddr, usize)>,
    receivers: Vec<Receiver>,
    /// Who may send again.
    pub(super) writable: Vec<Weak<dyn LinkUser>>,
}

/// A station that gets frames in this round.
struct Receiver {
    user: Option<Weak<dyn LinkUser>>,
    tally: Tally,
    /// Its part of the arrivals.
    arrivals: Range<usize>,
}

impl Round {
    /// The flight that is put in next reaches the station `to`, once or more.
    pub(super) fn note(&mut self, to: MacAddr, copies: u8) {
        let next = self.flights.len();
        self.arrivals.extend((0..copies).map(|_| (to, next)));
    }

    /// Brings together what each station gets. `find` gives what is needed to hand it over.
    pub(super) fn sort(
        &mut self,
        mut find: impl FnMut(MacAddr) -> Option<(Option<Weak<dyn LinkUser>>, Tally)>,
    ) {
        // By station, and for each in order of arrival; equal entries are the copies of one frame.
        self.arrivals.sort_unstable();
        let mut begin = 0;
        for of_one in self.arrivals.chunk_by(|one, next| one.0 == next.0) {
            let arrivals = begin..begin + of_one.len();
            begin = arrivals.end;
            if let Some((user, tally)) = find(of_one[0].0) {
                self.receivers.push(Receiver { user, tally, arrivals });
            }
        }
    }

    /// Tells all of it. Calls the users.
    pub(super) fn tell(&self) {
        for (user, up) in &self.links {
            if let Some(user) = user.upgrade() {
                user.link_state(*up);
            }
        }
        for receiver in &self.receivers {
            self.hand_over(receiver);
        }
        for user in &self.writable {
            if let Some(user) = user.upgrade() {
                user.writable();
            }
        }
    }

    /// Empties the round, of which the flights are left to take.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = Flight> + '_ {
        self.links.clear();
        self.arrivals.clear();
        self.receivers.clear();
        self.writable.clear();
        self.flights.drain(..)
    }

    fn hand_over(&self, receiver: &Receiver) {
        let arrivals = &self.arrivals[receiver.arrivals.clone()];
        let Some(user) = receiver.user.as_ref().and_then(Weak::upgrade) else {
            receiver.tally.count(Count::NoUser, arrivals.len());
            return;
        };
        let mut room: [&[u8]; BATCH_FRAMES_MAX] = [&[]; BATCH_FRAMES_MAX];
        for batch in arrivals.chunks(BATCH_FRAMES_MAX) {
            let frames = &mut room[..batch.len()];
            let mut octets = 0;
            for (frame, &(_, flight)) in frames.iter_mut().zip(batch) {
                *frame = &self.flights[flight].frame;
                octets += frame.len();
            }
            receiver.tally.count(Count::Received, frames.len());
            receiver.tally.count(Count::ReceivedOctets, octets);
            user.receive(frames);
        }
    }
}
