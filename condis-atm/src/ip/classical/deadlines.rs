//! The timers of a member: each of them once.

use std::collections::{BTreeMap, BTreeSet};

use condis::runtime::Time;

/// Timers by what they are for; arming one that is armed moves it.
pub(super) struct Deadlines<K> {
    at: BTreeMap<K, Time>,
    order: BTreeSet<(Time, K)>,
}

impl<K: Copy + Ord> Deadlines<K> {
    pub(super) const fn new() -> Self {
        Deadlines { at: BTreeMap::new(), order: BTreeSet::new() }
    }

    pub(super) fn arm(&mut self, timer: K, at: Time) {
        self.disarm(timer);
        self.at.insert(timer, at);
        self.order.insert((at, timer));
    }

    pub(super) fn disarm(&mut self, timer: K) {
        if let Some(at) = self.at.remove(&timer) {
            self.order.remove(&(at, timer));
        }
    }

    pub(super) fn is_armed(&self, timer: K) -> bool {
        self.at.contains_key(&timer)
    }

    pub(super) fn next(&self) -> Option<Time> {
        self.order.first().map(|(at, _)| *at)
    }

    /// The first that is due, disarmed.
    pub(super) fn due(&mut self, now: Time) -> Option<K> {
        let &(at, timer) = self.order.first()?;
        if at > now {
            return None;
        }
        self.disarm(timer);
        Some(timer)
    }
}
