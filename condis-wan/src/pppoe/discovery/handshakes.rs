//! Which PADRs were seen, so that one of them makes one session.

use std::collections::{BTreeMap, BTreeSet};

use condis::runtime::Time;

use super::SessionKey;
use super::cookie::Cookie;
use crate::pppoe::wire::MacAddr;

/// Names a handshake: a host, and the cookie of the PADO that it took up.
pub(super) type Handshake = (MacAddr, Cookie);

/// What became of a handshake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate<'a> {
    /// There is a session of it, offered or connected.
    Live(SessionKey),
    /// It is over; a PADR that comes again gets this packet again.
    Over(&'a [u8]),
}

/// The handshakes that began, with as many of those that are over as can matter: a cookie that has expired begins
/// nothing anyway.
#[derive(Debug)]
pub(super) struct Handshakes {
    live: BTreeMap<Handshake, SessionKey>,
    over: BTreeMap<Handshake, Vec<u8>>,
    /// The keys of `over` by the time of forgetting.
    forget: BTreeSet<(Time, Handshake)>,
    over_max: usize,
}

impl Handshakes {
    pub(super) fn new(over_max: usize) -> Handshakes {
        Handshakes { live: BTreeMap::new(), over: BTreeMap::new(), forget: BTreeSet::new(), over_max }
    }

    pub(super) fn begin(&mut self, handshake: Handshake, session: SessionKey) {
        self.live.insert(handshake, session);
    }

    /// What became of this handshake; `None` if it was never seen, or is forgotten.
    pub(super) fn fate(&mut self, now: Time, handshake: &Handshake) -> Option<Fate<'_>> {
        self.forget_until(now);
        match self.live.get(handshake) {
            Some(&session) => Some(Fate::Live(session)),
            None => self.over.get(handshake).map(|answer| Fate::Over(answer)),
        }
    }

    /// A session ended. Until `forget_at` a PADR of its handshake gets `answer`.
    pub(super) fn end(&mut self, now: Time, handshake: Handshake, forget_at: Time, answer: Vec<u8>) {
        self.live.remove(&handshake);
        self.forget_until(now);
        if forget_at <= now || self.over_max == 0 {
            return;
        }
        if self.over.len() >= self.over_max
            && let Some((_, oldest)) = self.forget.pop_first()
        {
            self.over.remove(&oldest);
        }
        self.forget.insert((forget_at, handshake));
        self.over.insert(handshake, answer);
    }

    fn forget_until(&mut self, now: Time) {
        while let Some(&(at, handshake)) = self.forget.first()
            && at <= now
        {
            self.forget.pop_first();
            self.over.remove(&handshake);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    fn handshake(number: u8) -> Handshake {
        (MacAddr([2, 0, 0, 0, 0, number]), Cookie::read(&[number; 24]).unwrap())
    }

    #[test]
    fn a_handshake_is_live_then_over_then_forgotten() {
        let mut handshakes = Handshakes::new(8);
        assert_eq!(handshakes.fate(at(0), &handshake(1)), None);
        handshakes.begin(handshake(1), SessionKey(5));
        assert_eq!(handshakes.fate(at(900), &handshake(1)), Some(Fate::Live(SessionKey(5))));
        handshakes.end(at(900), handshake(1), at(910), vec![1]);
        assert_eq!(handshakes.fate(at(909), &handshake(1)), Some(Fate::Over(&[1])));
        assert_eq!(handshakes.fate(at(910), &handshake(1)), None);
        assert!(handshakes.over.is_empty() && handshakes.forget.is_empty() && handshakes.live.is_empty());
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_what_expires_first() {
        let mut handshakes = Handshakes::new(3);
        for number in 0..10 {
            handshakes.end(at(0), handshake(number), at(100 + u64::from(number)), vec![number]);
            assert!(handshakes.over.len() <= 3 && handshakes.forget.len() == handshakes.over.len());
        }
        assert_eq!(handshakes.fate(at(0), &handshake(6)), None);
        assert_eq!(handshakes.fate(at(0), &handshake(7)), Some(Fate::Over(&[7])));
        handshakes.end(at(0), handshake(20), at(0), vec![20]);
        assert_eq!(handshakes.fate(at(0), &handshake(20)), None, "an expired cookie needs no memory");
    }
}
