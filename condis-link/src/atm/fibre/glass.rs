//! Both ways of a fibre and who is at its ends: a state without clock, lock or callback.

use std::sync::{Arc, Weak};

use condis::runtime::{Random, Time};

use super::FibreConditions;
use super::way::Way;
use crate::atm::{ATM_BATCH_MAX, AtmLinkUser, CELL_OCTETS, Cell};
use crate::counters::{Count, Counters};
use crate::pump::{Next, Wire};

/// The fibre.
pub(super) struct Glass {
    pub(super) conditions: FibreConditions,
    cut: bool,
    sides: [Side; 2],
    /// A user may have to be told that its end went up or down.
    links_changed: bool,
    /// A user that was refused may have room again.
    room_made: bool,
}

/// One end, and the way that begins at it.
struct Side {
    way: Way,
    user: Option<Weak<dyn AtmLinkUser>>,
    counters: Arc<Counters>,
    closed: bool,
    /// What the user was last told of the line, or found when it attached.
    told_up: bool,
    /// Cells were refused, and the user waits to hear of room.
    refused: bool,
}

/// Which end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    A,
    B,
}

impl End {
    pub(super) fn other(self) -> End {
        match self {
            End::A => End::B,
            End::B => End::A,
        }
    }
}

/// What users have to be told: first links, then cells, then room.
#[derive(Default)]
pub(super) struct Round {
    links: Vec<(Weak<dyn AtmLinkUser>, bool)>,
    arrivals: [Arrivals; 2],
    writable: Vec<Weak<dyn AtmLinkUser>>,
}

/// What one end gets.
#[derive(Default)]
struct Arrivals {
    user: Option<Weak<dyn AtmLinkUser>>,
    /// Absent if there is nothing.
    counters: Option<Arc<Counters>>,
    cells: Vec<Cell>,
}

impl Glass {
    pub(super) fn new(conditions: FibreConditions, seed: u64, counters: [Arc<Counters>; 2]) -> Glass {
        let mut stream = 0;
        let sides = counters.map(|counters| {
            let way = Way::new(Random::stream(seed, stream));
            stream += 1;
            Side { way, user: None, counters, closed: false, told_up: true, refused: false }
        });
        Glass { conditions, cut: false, sides, links_changed: false, room_made: false }
    }

    pub(super) fn set_conditions(&mut self, conditions: FibreConditions) {
        self.conditions = conditions;
        self.sides.iter_mut().for_each(|side| side.way.rate_changed());
    }

    /// Makes `user` the one at `end`.
    pub(super) fn set_user(&mut self, end: End, user: Weak<dyn AtmLinkUser>) {
        let up = self.is_up(end);
        let side = &mut self.sides[end as usize];
        side.told_up = up;
        side.user = Some(user);
    }

    /// Up while the fibre is whole and the other end is open, or something of it still under way.
    pub(super) fn is_up(&self, end: End) -> bool {
        let (side, other) = (&self.sides[end as usize], &self.sides[end.other() as usize]);
        !self.cut && !side.closed && (!other.closed || other.way.len() != 0)
    }

    /// Closes an end.
    pub(super) fn close(&mut self, end: End) {
        let side = &mut self.sides[end as usize];
        side.closed = true;
        side.user = None;
        self.links_changed = true;
    }

    /// Cuts or mends the fibre. What is under way when it is cut is lost.
    pub(super) fn set_cut(&mut self, now: Time, cut: bool) {
        self.cut = cut;
        self.links_changed = true;
        if cut {
            for side in &mut self.sides {
                side.counters.add(Count::Cut, side.way.lose(now));
            }
            self.room_made = true;
        }
    }

    /// Takes cells, in order, and gives how many.
    pub(super) fn transmit(&mut self, now: Time, end: End, cells: &[Cell]) -> usize {
        let up = self.is_up(end);
        let side = &mut self.sides[end as usize];
        if !up {
            let why = if side.closed { Count::Closed } else { Count::Cut };
            side.counters.add(why, cells.len() as u64);
            return cells.len();
        }
        let taken = side.way.transmit(now, cells, &self.conditions, &side.counters);
        side.refused |= taken < cells.len();
        side.counters.add(Count::Sent, taken as u64);
        side.counters.add(Count::SentOctets, (taken * CELL_OCTETS) as u64);
        side.counters.add(Count::Refused, (cells.len() - taken) as u64);
        taken
    }

    /// A sender that was refused is called back at half the bound, so that it comes with a batch and not with a cell.
    fn waits_and_has_room(&self, end: End) -> bool {
        let side = &self.sides[end as usize];
        side.refused && side.way.len() <= self.conditions.queue_cells_max / 2
    }
}

impl Wire for Glass {
    type Round = Round;

    fn next(&self, now: Time) -> Next {
        if self.links_changed || self.room_made {
            return Next::Now;
        }
        match self.sides.iter().filter_map(|side| side.way.next_arrival()).min() {
            Some(at) if at <= now => Next::Now,
            Some(at) => Next::At(at),
            None => Next::Never,
        }
    }

    /// Links that went up or down, at most [`ATM_BATCH_MAX`] cells for each end, and who may send again.
    fn arrive(&mut self, now: Time, round: &mut Round) {
        if std::mem::take(&mut self.links_changed) {
            for end in [End::A, End::B] {
                let up = self.is_up(end);
                let side = &mut self.sides[end as usize];
                if std::mem::replace(&mut side.told_up, up) != up {
                    round.links.extend(side.user.clone().map(|user| (user, up)));
                }
            }
        }
        for from in [End::A, End::B] {
            let arrivals = &mut round.arrivals[from.other() as usize];
            let way = &mut self.sides[from as usize].way;
            let before = way.len();
            way.arrive(now, &mut arrivals.cells);
            let after = way.len();
            if before != after {
                self.room_made |= self.waits_and_has_room(from);
                self.links_changed |= after == 0 && self.sides[from as usize].closed;
            }
            let to = &self.sides[from.other() as usize];
            if to.closed {
                let lost = arrivals.cells.drain(..).len() as u64;
                self.sides[from as usize].counters.add(Count::Closed, lost);
            } else if !arrivals.cells.is_empty() {
                arrivals.user = to.user.clone();
                arrivals.counters = Some(to.counters.clone());
            }
        }
        if std::mem::take(&mut self.room_made) {
            for end in [End::A, End::B] {
                if self.waits_and_has_room(end) {
                    let side = &mut self.sides[end as usize];
                    side.refused = false;
                    round.writable.extend(side.user.clone());
                }
            }
        }
    }

    fn recycle(&mut self, round: &mut Round) {
        round.links.clear();
        round.writable.clear();
        for arrivals in &mut round.arrivals {
            arrivals.user = None;
            arrivals.counters = None;
            arrivals.cells.clear();
        }
    }

    fn tell(round: &Round) {
        for (user, up) in &round.links {
            if let Some(user) = user.upgrade() {
                user.link_state(*up);
            }
        }
        for Arrivals { user, counters, cells } in &round.arrivals {
            let Some(counters) = counters else { continue };
            debug_assert!(cells.len() <= ATM_BATCH_MAX);
            match user.as_ref().and_then(Weak::upgrade) {
                Some(user) => {
                    counters.add(Count::Received, cells.len() as u64);
                    counters.add(Count::ReceivedOctets, (cells.len() * CELL_OCTETS) as u64);
                    user.receive_cells(cells);
                }
                None => counters.add(Count::NoUser, cells.len() as u64),
            }
        }
        for user in &round.writable {
            if let Some(user) = user.upgrade() {
                user.writable();
            }
        }
    }
}
