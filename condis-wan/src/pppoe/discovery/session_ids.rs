//! Gives out session ids, and none early again.

use std::collections::VecDeque;
use std::time::Duration;

use condis::runtime::Time;

use crate::pppoe::wire::SessionId;

/// The 65,534 session ids of a concentrator.
///
/// An id is used once until all others had their turn, and rests for a while after its session: a frame or a PADT of the
/// old session that is still under way must not hit a new one. 0 and 0xffff are never given (RFC 2516 §4).
#[derive(Debug)]
pub(super) struct SessionIds {
    /// A bit for each number, set while it is used or rests; 0 and 0xffff are set for ever.
    taken: Box<[u64; 1024]>,
    /// Where to look next.
    next: u16,
    /// What rests, and until when; the first comes back first, since all rest equally long.
    resting: VecDeque<(Time, SessionId)>,
    rest: Duration,
}

impl SessionIds {
    /// All ids free; the first to be given is `first` or the one after it.
    pub(super) fn new(first: u16, rest: Duration) -> SessionIds {
        let mut taken = Box::new([0; 1024]);
        taken[0] = 1;
        taken[1023] = 1 << 63;
        SessionIds { taken, next: first, resting: VecDeque::new(), rest }
    }

    /// The next free id; `None` if every one is used or rests.
    pub(super) fn take(&mut self, now: Time) -> Option<SessionId> {
        self.wake(now);
        let number = self.free_from(self.next).or_else(|| self.free_from(0))?;
        self.set(number, true);
        self.next = number.wrapping_add(1);
        SessionId::new(number)
    }

    /// Lays an id to rest, since a peer may know it.
    pub(super) fn release(&mut self, now: Time, id: SessionId) {
        self.resting.push_back((now.after(self.rest), id));
    }

    /// Gives an id back that no peer has ever seen.
    pub(super) fn give_back(&mut self, id: SessionId) {
        self.set(id.get(), false);
    }

    /// Whether there is a free id.
    pub(super) fn any_free(&mut self, now: Time) -> bool {
        self.wake(now);
        self.free_from(0).is_some()
    }

    fn wake(&mut self, now: Time) {
        while let Some(&(until, id)) = self.resting.front()
            && until <= now
        {
            self.resting.pop_front();
            self.set(id.get(), false);
        }
    }

    /// The lowest free number from `from` on.
    fn free_from(&self, from: u16) -> Option<u16> {
        let (word, bit) = (usize::from(from >> 6), from & 63);
        let below = (1 << bit) - 1;
        let masked = std::iter::once(self.taken[word] | below).chain(self.taken[word + 1..].iter().copied());
        let (skipped, free) = masked.enumerate().find(|&(_, bits)| bits != u64::MAX)?;
        u16::try_from(((word + skipped) << 6) + free.trailing_ones() as usize).ok()
    }

    fn set(&mut self, number: u16, taken: bool) {
        let (word, bit) = (usize::from(number >> 6), number & 63);
        match taken {
            true => self.taken[word] |= 1 << bit,
            false => self.taken[word] &= !(1 << bit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(120);

    fn at(seconds: u64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    /// RFC 2516 §4: all but 0 and 0xffff, each once.
    #[test]
    fn every_id_is_given_once_and_the_two_reserved_never() {
        let mut ids = SessionIds::new(0xfff0, REST);
        let mut given: Vec<u16> = std::iter::from_fn(|| ids.take(at(0))).map(SessionId::get).collect();
        assert_eq!(given[0], 0xfff0);
        given.sort_unstable();
        assert_eq!(given, (1..=0xfffe).collect::<Vec<u16>>());
        assert!(!ids.any_free(at(0)));
    }

    #[test]
    fn a_freed_id_waits_for_its_turn_even_when_it_has_rested() {
        let mut ids = SessionIds::new(5, REST);
        let first = ids.take(at(0)).unwrap();
        ids.release(at(0), first);
        for _ in 1..65_534 {
            assert_ne!(ids.take(at(1000)).unwrap(), first);
        }
        assert_eq!(ids.take(at(1000)), Some(first));
        assert_eq!(ids.take(at(1000)), None);
    }

    #[test]
    fn a_freed_id_rests_even_when_it_is_the_last() {
        let mut ids = SessionIds::new(1, REST);
        while ids.take(at(0)).is_some() {}
        let id = SessionId::new(77).unwrap();
        ids.release(at(10), id);
        assert_eq!(ids.take(at(129)), None);
        assert!(!ids.any_free(at(129)));
        assert_eq!(ids.take(at(130)), Some(id));
    }

    #[test]
    fn an_id_that_nobody_saw_need_not_rest() {
        let mut ids = SessionIds::new(1, REST);
        while ids.take(at(0)).is_some() {}
        let id = SessionId::new(77).unwrap();
        ids.give_back(id);
        assert_eq!(ids.take(at(0)), Some(id));
    }
}
