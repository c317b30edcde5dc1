//! One way of a fibre: cells from one end to the other.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::num::NonZeroU64;

use condis::runtime::{Random, Time};

use super::FibreConditions;
use crate::atm::{ATM_BATCH_MAX, CELL_OCTETS, Cell};
use crate::counters::{Count, Counters};

/// The cells under way from one end, and its line.
pub(super) struct Way {
    random: Random,
    line: Line,
    /// Those that stay in order, by their arrival.
    in_order: VecDeque<Flight>,
    /// Those that others may overtake.
    held_back: BinaryHeap<Flight>,
    departure_count: u64,
    /// When the last cell arrives that was not held back; the next does not arrive before it.
    last_arrival: Time,
}

/// A cell under way.
struct Flight {
    arrives: Time,
    /// Of cells that arrive together the one that departed first comes first.
    departure: u64,
    /// How often it arrives; a lost cell, with 0, holds its place in the queue until then like any other.
    copies: u8,
    cell: Cell,
}

/// When the line is free again: at `at` and `fraction` / rate of a nanosecond, so that no cell is early or late in the end.
#[derive(Default)]
struct Line {
    at: Time,
    fraction: u64,
}

impl Way {
    pub(super) fn new(random: Random) -> Way {
        Way {
            random,
            line: Line::default(),
            in_order: VecDeque::new(),
            held_back: BinaryHeap::new(),
            departure_count: 0,
            last_arrival: Time::ZERO,
        }
    }

    /// Sends cells on their way, in order, as many as the queue takes, and gives how many.
    pub(super) fn transmit(
        &mut self,
        now: Time,
        cells: &[Cell],
        conditions: &FibreConditions,
        counters: &Counters,
    ) -> usize {
        let room = conditions.queue_cells_max.max(1).saturating_sub(self.len());
        let taken = cells.len().min(room);
        let faults = conditions.faults();
        let (mut lost, mut duplicated, mut reordered, mut corrupted) = (0, 0, 0, 0);
        for cell in &cells[..taken] {
            let fate = faults.draw(&mut self.random, CELL_OCTETS);
            let left = self.line.send(now, conditions.cells_per_s);
            let mut arrives = conditions.gathered(left.after(conditions.delay).after(fate.extra_delay));
            let mut cell = *cell;
            fate.damage(&mut cell);
            lost += u64::from(fate.copies == 0);
            duplicated += u64::from(fate.copies == 2);
            reordered += u64::from(fate.held_back);
            corrupted += u64::from(fate.turned_bit.is_some());
            let departure = self.departure_count;
            self.departure_count += 1;
            if fate.held_back {
                self.held_back.push(Flight { arrives, departure, copies: fate.copies, cell });
            } else {
                arrives = arrives.max(self.last_arrival);
                self.last_arrival = arrives;
                self.in_order.push_back(Flight { arrives, departure, copies: fate.copies, cell });
            }
        }
        counters.add(Count::Lost, lost);
        counters.add(Count::Duplicated, duplicated);
        counters.add(Count::Reordered, reordered);
        counters.add(Count::Corrupted, corrupted);
        taken
    }

    /// The rate is another now.
    pub(super) fn rate_changed(&mut self) {
        self.line.fraction = 0;
    }

    /// How many cells are under way.
    pub(super) fn len(&self) -> usize {
        self.in_order.len() + self.held_back.len()
    }

    /// When the next cell arrives.
    pub(super) fn next_arrival(&self) -> Option<Time> {
        let (first, held) = (self.in_order.front(), self.held_back.peek());
        [first, held].into_iter().flatten().map(|flight| flight.arrives).min()
    }

    /// Puts cells that have arrived by `now` into `to`, in order, [`ATM_BATCH_MAX`] at most.
    pub(super) fn arrive(&mut self, now: Time, to: &mut Vec<Cell>) {
        while let Some(flight) = self.first(now) {
            let copies = usize::from(flight.copies);
            if to.len() + copies > ATM_BATCH_MAX {
                return;
            }
            to.extend(std::iter::repeat_n(flight.cell, copies));
            self.take_first();
        }
    }

    /// Loses all that is under way, and gives how many cells that were, but for those that were lost before.
    pub(super) fn lose(&mut self, now: Time) -> u64 {
        let all = self.in_order.drain(..).chain(self.held_back.drain());
        let lost = all.filter(|flight| flight.copies != 0).count() as u64;
        self.line = Line { at: now, fraction: 0 };
        self.last_arrival = now;
        lost
    }

    /// The first cell that has arrived by `now`.
    fn first(&self, now: Time) -> Option<&Flight> {
        let first = if self.held_back_is_first() { self.held_back.peek() } else { self.in_order.front() };
        first.filter(|flight| flight.arrives <= now)
    }

    fn take_first(&mut self) {
        if self.held_back_is_first() {
            self.held_back.pop();
        } else {
            self.in_order.pop_front();
        }
    }

    fn held_back_is_first(&self) -> bool {
        match (self.in_order.front(), self.held_back.peek()) {
            (Some(first), Some(held)) => held.key() < first.key(),
            (_, held) => held.is_some(),
        }
    }
}

impl Line {
    /// Puts one more cell on the line, and gives when its last bit has left, rounded up to the nanosecond.
    fn send(&mut self, now: Time, cells_per_s: Option<NonZeroU64>) -> Time {
        if self.at < now {
            *self = Line { at: now, fraction: 0 };
        }
        let Some(rate) = cells_per_s.map(NonZeroU64::get) else { return self.at };
        // Both are below 2^64, so the sum is below 2^65.
        let total = u128::from(self.fraction) + 1_000_000_000;
        let nanos = (total / u128::from(rate)) as u64;
        self.fraction = (total % u128::from(rate)) as u64;
        self.at = Time::from_nanos(self.at.as_nanos().saturating_add(nanos));
        Time::from_nanos(self.at.as_nanos().saturating_add(u64::from(self.fraction != 0)))
    }
}

impl Flight {
    fn key(&self) -> (Time, u64) {
        (self.arrives, self.departure)
    }
}

impl Ord for Flight {
    /// The heap gives out its greatest, which has to be the first to arrive.
    fn cmp(&self, other: &Flight) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Flight) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Flight {
    fn eq(&self, other: &Flight) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Flight {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_the_line_is_a_second() {
        for rate in [1, 3, 353_207, 1_412_830, 2_000_000_000] {
            let mut line = Line::default();
            let cells = rate.min(400_000);
            let mut left = Time::ZERO;
            for _ in 0..cells {
                left = line.send(Time::ZERO, NonZeroU64::new(rate));
            }
            let exact = (u128::from(cells) * 1_000_000_000).div_ceil(u128::from(rate));
            assert_eq!(u128::from(left.as_nanos()), exact, "{rate} cells a second");
        }
    }
}
