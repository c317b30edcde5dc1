//! One word gates a direction of a VC, a second one drains it.
//!
//! Sending costs one read-modify-write on the way down and one on the way up, a batch: the first word counts what went in,
//! its octets as well, and carries the flags; the second counts what came back. What is in flight is the difference, and all
//! of it is statistics besides. A batch counts itself in first and looks at the flags it found then, so that closing the gate
//! and sending can never miss each other; it counts itself out first and looks whether the gate is shut then, so that
//! closing the gate and the last batch can never miss each other either. Both need the one order of all accesses that
//! SeqCst gives; on x86 a read-modify-write is no cheaper with less.

#[cfg(loom)]
use loom::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU32, AtomicU64};

/// Set while the direction does not carry data.
const SHUT: u64 = 1;
/// Set while somebody listens to the trace.
const WATCHED: u64 = 2;
/// Set once a driver's object for the VC panicked.
const LOST: u64 = 4;
/// Set once the miniport has ended the deactivation, until data may move again.
const ENDED: u64 = 8;
const FLAGS: u64 = SHUT | WATCHED | LOST | ENDED;

/// One NBL, in the count above the flags. The count goes round at 2^28, which many never are in flight; the carry that the
/// octets above it get then is taken off as they are read.
const NBL: u64 = 1 << 4;
/// One octet, in the count above that of the NBLs.
const OCTET: u64 = 1 << NBL_BITS << 4;
const NBL_BITS: u32 = 28;
const NBLS: u64 = (1 << NBL_BITS) - 1;
/// The upper bit of the octets in the word.
const TURN: u64 = 1 << 63;
/// Octets that are added at a time, at most: [`TURN`] changes once then, if at all.
const OCTETS_MAX: u64 = (1 << 31) - 1;

/// The gate of one direction of one VC.
#[derive(Debug)]
pub(crate) struct Gate {
    /// What went in: octets (upper 32 bits), NBLs (28 bits), and the flags (lower 4 bits).
    entered: AtomicU64,
    /// NBLs that came back.
    left: AtomicU64,
    /// How often [`TURN`] changed: the octets beyond those 31 bits.
    turns: AtomicU32,
    /// NBLs that were sent with an error, or came while the VC did not receive.
    pub(crate) misses: AtomicU32,
}

/// What a batch found when it came through.
pub(crate) enum Entry {
    /// In, nobody listens.
    Open,
    /// In, and the trace wants to know.
    Watched,
    /// Not in. True if this attempt hid the end of a drain, which the caller must then settle.
    Shut { drained: bool },
}

impl Gate {
    /// A shut gate that nothing has passed.
    pub(crate) fn new(watched: bool) -> Gate {
        let flags = SHUT | if watched { WATCHED } else { 0 };
        Gate {
            entered: AtomicU64::new(flags),
            left: AtomicU64::new(0),
            turns: AtomicU32::new(0),
            misses: AtomicU32::new(0),
        }
    }

    /// Takes in a batch of `nbls` with `octets` octets of data.
    #[inline]
    pub(crate) fn enter(&self, nbls: usize, octets: u64) -> Entry {
        let delta = nbls as u64 * NBL + octets.min(OCTETS_MAX) * OCTET;
        let found = self.entered.fetch_add(delta, SeqCst);
        if (found ^ found.wrapping_add(delta)) & TURN | found & FLAGS == 0 && octets <= OCTETS_MAX {
            return Entry::Open;
        }
        self.enter_rarely(found, delta, octets)
    }

    #[cold]
    fn enter_rarely(&self, found: u64, delta: u64, octets: u64) -> Entry {
        let turned = (found ^ found.wrapping_add(delta)) >> 63;
        if found & SHUT != 0 {
            let found = self.entered.fetch_sub(delta, SeqCst);
            let now = found.wrapping_sub(delta);
            // Other batches may have come between, so that it was not the same turn that this one made and took back.
            let back = (found ^ now) >> 63;
            if turned != back {
                self.turns.fetch_add((turned as u32).wrapping_sub(back as u32), SeqCst);
            }
            return Entry::Shut { drained: now & SHUT != 0 && is_drained(now, self.left.load(SeqCst)) };
        }
        if turned != 0 {
            self.turns.fetch_add(1, SeqCst);
        }
        let mut rest = octets.saturating_sub(OCTETS_MAX);
        while rest > 0 {
            let delta = rest.min(OCTETS_MAX) * OCTET;
            let found = self.entered.fetch_add(delta, SeqCst);
            if (found ^ found.wrapping_add(delta)) & TURN != 0 {
                self.turns.fetch_add(1, SeqCst);
            }
            rest = rest.saturating_sub(OCTETS_MAX);
        }
        if found & WATCHED != 0 { Entry::Watched } else { Entry::Open }
    }

    /// Gives back `nbls`. True if the gate is shut and this was the last: the caller settles the drain.
    #[inline]
    pub(crate) fn leave(&self, nbls: usize) -> bool {
        let left = self.left.fetch_add(nbls as u64, SeqCst) + nbls as u64;
        let entered = self.entered.load(SeqCst);
        entered & SHUT != 0 && is_drained(entered, left)
    }

    /// Opens or shuts. Called under the VC's control lock only.
    pub(crate) fn set_open(&self, open: bool) {
        let shut = self.entered.load(SeqCst) & SHUT != 0;
        match (open, shut) {
            (true, true) => drop(self.entered.fetch_and(!(SHUT | ENDED), SeqCst)),
            (false, false) => drop(self.entered.fetch_or(SHUT, SeqCst)),
            _ => {}
        }
    }

    /// Lets the trace see each batch.
    pub(crate) fn watch(&self) {
        if !self.watched() {
            self.entered.fetch_or(WATCHED, SeqCst);
        }
    }

    /// Lets each batch know that an object is lost.
    pub(crate) fn set_lost(&self) {
        self.entered.fetch_or(LOST, SeqCst);
    }

    /// The miniport said that it is done: what it completes from here on is late.
    pub(crate) fn end(&self) {
        self.entered.fetch_or(ENDED, SeqCst);
    }

    /// True from the end of a deactivation to the next activation.
    pub(crate) fn ended(&self) -> bool {
        self.entered.load(SeqCst) & ENDED != 0
    }

    /// True while somebody listens.
    #[inline]
    pub(crate) fn watched(&self) -> bool {
        self.entered.load(Relaxed) & WATCHED != 0
    }

    /// True while somebody listens, once an object is lost, or after the miniport said that it is done: a batch must look
    /// more closely.
    #[inline]
    pub(crate) fn is_special(&self) -> bool {
        self.entered.load(Relaxed) & (WATCHED | LOST | ENDED) != 0
    }

    /// NBLs in flight. A refused batch counts for a moment, so that only zero means something, and only on a shut gate.
    pub(crate) fn in_flight(&self) -> u64 {
        let left = self.left.load(SeqCst);
        in_flight(self.entered.load(SeqCst), left)
    }

    /// Writes off what is in flight. For a driver object that will never answer again.
    pub(crate) fn write_off(&self) -> u64 {
        let lost = self.in_flight();
        self.left.fetch_add(lost, SeqCst);
        lost
    }

    /// NBLs that came back so far.
    pub(crate) fn pdus(&self) -> u64 {
        self.left.load(SeqCst)
    }

    /// Octets that went in so far. For a moment also those of a batch that is about to be refused.
    pub(crate) fn octets(&self) -> u64 {
        let left = self.left.load(SeqCst);
        let turns = self.turns.load(SeqCst);
        let entered = self.entered.load(SeqCst);
        // Who turned the word counts that just afterwards; until then the two tell different halves.
        let turns = u64::from(turns.wrapping_add((turns ^ (entered >> 63) as u32) & 1));
        let carries = (left + in_flight(entered, left)) >> NBL_BITS;
        (turns * (OCTETS_MAX + 1) + ((entered / OCTET) & OCTETS_MAX)).saturating_sub(carries)
    }
}

fn in_flight(entered: u64, left: u64) -> u64 {
    let in_flight = (entered / NBL).wrapping_sub(left) & NBLS;
    // What was written off and came back all the same has left twice.
    if in_flight > NBLS / 2 { 0 } else { in_flight }
}

fn is_drained(entered: u64, left: u64) -> bool {
    (entered / NBL).wrapping_sub(left) & NBLS == 0
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_shut_gate_drains_when_the_last_one_leaves() {
        let gate = Gate::new(false);
        assert!(matches!(gate.enter(1, 0), Entry::Shut { drained: true }), "nothing was in flight");
        gate.set_open(true);
        assert!(matches!(gate.enter(3, 30), Entry::Open));
        gate.set_open(false);
        assert!(!gate.leave(2));
        assert!(matches!(gate.enter(1, 10), Entry::Shut { drained: false }));
        assert!(gate.leave(1));
        assert_eq!((gate.in_flight(), gate.pdus(), gate.octets()), (0, 3, 30));
    }

    #[test]
    fn an_open_gate_never_reports_a_drain() {
        let gate = Gate::new(true);
        gate.set_open(true);
        assert!(matches!(gate.enter(1, 5), Entry::Watched));
        assert!(!gate.leave(1));
    }

    /// The counts in the word go round, those that are read do not.
    #[test]
    fn counts_outgrow_the_word() {
        let gate = Gate::new(false);
        gate.set_open(true);
        let mut expected = (0, 0);
        for octets in [OCTETS_MAX, 1, OCTETS_MAX + 1, 7, 9 << 33, 0] {
            for nbls in [1, 1 << 26, (1 << 27) - 5, 3] {
                assert!(matches!(gate.enter(nbls, octets), Entry::Open));
                expected = (expected.0 + nbls as u64, expected.1 + octets);
                assert_eq!((gate.octets(), gate.in_flight()), (expected.1, nbls as u64));
                assert!(!gate.leave(nbls));
                assert_eq!((gate.pdus(), gate.octets(), gate.in_flight()), (expected.0, expected.1, 0));
                gate.set_open(false);
                assert!(matches!(gate.enter(nbls, octets), Entry::Shut { drained: true }));
                gate.set_open(true);
                assert_eq!((gate.pdus(), gate.octets(), gate.in_flight()), (expected.0, expected.1, 0));
            }
        }
    }

    /// What was written off and comes back after all leaves nothing in flight.
    #[test]
    fn what_leaves_twice_is_not_in_flight() {
        let gate = Gate::new(false);
        gate.set_open(true);
        assert!(matches!(gate.enter(2, 2), Entry::Open));
        assert_eq!(gate.write_off(), 2);
        gate.leave(2);
        assert_eq!(gate.in_flight(), 0);
    }
}
