//! One word gates a direction of a VC, two counters drain it.
//!
//! Sending costs one read-modify-write on the way down and one on the way up, a batch: the word counts what went in and
//! carries the flags, a second word counts what came back. What is in flight is the difference, and both are statistics
//! besides. A batch counts itself in first and looks at the flags it found then, so that closing the gate and sending can
//! never miss each other.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Set while the direction does not carry data.
const SHUT: u64 = 1;
/// Set while somebody listens to the trace.
const WATCHED: u64 = 2;
/// Set once the miniport has ended the deactivation, until data may move again.
const ENDED: u64 = 4;
/// One NBL in the count above the flags.
const ONE: u64 = 1 << 8;

/// The gate of one direction of one VC.
#[derive(Debug)]
pub(crate) struct Gate {
    /// What went in (upper 56 bits) and the flags (lower 8 bits).
    entered: AtomicU64,
    /// What came back.
    left: AtomicU64,
    /// The octets that went in.
    octets: AtomicU64,
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
        Gate { entered: AtomicU64::new(flags), left: AtomicU64::new(0), octets: AtomicU64::new(0) }
    }

    /// Takes in a batch of `nbls` with `octets` octets of data.
    #[inline]
    pub(crate) fn enter(&self, nbls: usize, octets: u64) -> Entry {
        let count = nbls as u64 * ONE;
        let found = self.entered.fetch_add(count, SeqCst);
        if found & (SHUT | WATCHED) == 0 {
            self.octets.fetch_add(octets, SeqCst);
            return Entry::Open;
        }
        if found & SHUT == 0 {
            self.octets.fetch_add(octets, SeqCst);
            return Entry::Watched;
        }
        let now = self.entered.fetch_sub(count, SeqCst) - count;
        Entry::Shut { drained: now & SHUT != 0 && now / ONE == self.left.load(SeqCst) }
    }

    /// Gives back `nbls`. True if the gate is shut and this was the last: the caller settles the drain.
    #[inline]
    pub(crate) fn leave(&self, nbls: usize) -> bool {
        let left = self.left.fetch_add(nbls as u64, SeqCst) + nbls as u64;
        let entered = self.entered.load(SeqCst);
        entered & SHUT != 0 && entered / ONE == left
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

    /// Lets the trace see each batch, or not.
    pub(crate) fn set_watched(&self, watched: bool) {
        if watched {
            self.entered.fetch_or(WATCHED, SeqCst);
        } else {
            self.entered.fetch_and(!WATCHED, SeqCst);
        }
    }

    /// The miniport said that it is done: what it completes from here on is late.
    pub(crate) fn end(&self) {
        self.entered.fetch_or(ENDED, SeqCst);
    }

    /// True if somebody listens, or the miniport said before that it is done: a completion has to look closer.
    #[inline]
    pub(crate) fn watched_or_ended(&self) -> bool {
        self.entered.load(SeqCst) & (WATCHED | ENDED) != 0
    }

    /// True from the end of a deactivation to the next activation.
    pub(crate) fn ended(&self) -> bool {
        self.entered.load(SeqCst) & ENDED != 0
    }

    /// True while somebody listens.
    #[inline]
    pub(crate) fn watched(&self) -> bool {
        self.entered.load(SeqCst) & WATCHED != 0
    }

    /// NBLs in flight. A refused batch counts for a moment, so that only zero means something, and only on a shut gate.
    pub(crate) fn in_flight(&self) -> u64 {
        let left = self.left.load(SeqCst);
        (self.entered.load(SeqCst) / ONE).saturating_sub(left)
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

    /// Octets that went in so far.
    pub(crate) fn octets(&self) -> u64 {
        self.octets.load(SeqCst)
    }
}

#[cfg(test)]
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
}
