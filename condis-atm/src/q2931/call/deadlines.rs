//! The armed timers of one interface.

use condis::runtime::Time;

use super::Timer;

/// No entry.
const NIL: u32 = u32::MAX;

/// Names an armed timer; [`Armed::NONE`] names none. It dies when the timer fires or is disarmed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Armed(u32);

impl Armed {
    pub(super) const NONE: Armed = Armed(NIL);
}

/// Timers that each carry a `T`, one list a [`Timer`].
///
/// A timer of one kind always runs equally long, so who is armed last fires last: arming puts an entry at the end of its list,
/// the next deadline is at the head of one of fourteen lists, and disarming unlinks. So nothing depends on how many are armed.
#[derive(Debug)]
pub(super) struct Deadlines<T> {
    lists: [List; Timer::ALL.len()],
    entries: Vec<Entry<T>>,
    /// The first of the vacant entries, which are linked through `next`.
    vacant: u32,
}

#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
}

#[derive(Debug)]
struct Entry<T> {
    deadline: Time,
    timer: Timer,
    owner: T,
    prev: u32,
    next: u32,
}

impl<T: Copy> Deadlines<T> {
    pub(super) fn new() -> Deadlines<T> {
        Deadlines {
            lists: [List { head: NIL, tail: NIL }; Timer::ALL.len()],
            entries: Vec::new(),
            vacant: NIL,
        }
    }

    /// Arms a timer. `slot` says which of its owner's timers it is; what was armed there before is disarmed.
    pub(super) fn arm(&mut self, slot: &mut Armed, timer: Timer, deadline: Time, owner: T) {
        self.disarm(slot);
        let mut prev = self.lists[timer as usize].tail;
        // A clock that went back, or a duration that was changed.
        while prev != NIL && self.entries[prev as usize].deadline > deadline {
            prev = self.entries[prev as usize].prev;
        }
        let next = match prev {
            NIL => self.lists[timer as usize].head,
            prev => self.entries[prev as usize].next,
        };
        let entry = Entry { deadline, timer, owner, prev, next };
        let index = match self.vacant {
            NIL => {
                self.entries.push(entry);
                self.entries.len() as u32 - 1
            }
            index => {
                self.vacant = self.entries[index as usize].next;
                self.entries[index as usize] = entry;
                index
            }
        };
        self.link(timer, prev, next, index, index);
        *slot = Armed(index);
    }

    /// Takes a timer back, if one is armed there.
    pub(super) fn disarm(&mut self, slot: &mut Armed) {
        let index = std::mem::replace(slot, Armed::NONE).0;
        if index == NIL {
            return;
        }
        let Entry { timer, prev, next, .. } = self.entries[index as usize];
        self.link(timer, prev, next, next, prev);
        self.entries[index as usize].next = self.vacant;
        self.vacant = index;
    }

    /// The next deadline.
    pub(super) fn next(&self) -> Option<Time> {
        self.heads().map(|head| head.deadline).min()
    }

    /// The timer that is due at `now` and has been for the longest. It stays armed: whose it is disarms or arms it again.
    pub(super) fn due(&self, now: Time) -> Option<(Timer, T)> {
        let first = self.heads().min_by_key(|head| head.deadline)?;
        (first.deadline <= now).then_some((first.timer, first.owner))
    }

    fn heads(&self) -> impl Iterator<Item = &Entry<T>> {
        self.lists.iter().filter(|list| list.head != NIL).map(|list| &self.entries[list.head as usize])
    }

    /// Makes `after` come behind `prev`, and `before` come in front of `next`.
    fn link(&mut self, timer: Timer, prev: u32, next: u32, after: u32, before: u32) {
        match prev {
            NIL => self.lists[timer as usize].head = after,
            prev => self.entries[prev as usize].next = after,
        }
        match next {
            NIL => self.lists[timer as usize].tail = before,
            next => self.entries[next as usize].prev = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use condis::runtime::Random;

    fn at(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn timers_fire_by_deadline_and_not_after_they_are_disarmed() {
        let mut deadlines = Deadlines::new();
        let mut slots = [Armed::NONE; 3];
        deadlines.arm(&mut slots[0], Timer::T310, at(10), 0);
        deadlines.arm(&mut slots[1], Timer::T303, at(4), 1);
        deadlines.arm(&mut slots[2], Timer::T303, at(5), 2);
        assert_eq!(deadlines.next(), Some(at(4)));
        assert_eq!(deadlines.due(at(3)), None);
        assert_eq!(deadlines.due(at(4)), Some((Timer::T303, 1)));
        deadlines.disarm(&mut slots[1]);
        assert_eq!(deadlines.due(at(20)), Some((Timer::T303, 2)));
        deadlines.arm(&mut slots[2], Timer::T303, at(30), 2);
        assert_eq!(deadlines.due(at(20)), Some((Timer::T310, 0)));
        deadlines.disarm(&mut slots[0]);
        deadlines.disarm(&mut slots[0]);
        assert_eq!(deadlines.next(), Some(at(30)));
        deadlines.disarm(&mut slots[2]);
        assert_eq!(deadlines.next(), None);
    }

    #[test]
    fn it_is_a_list_of_timers_whatever_is_armed_and_disarmed() {
        let mut random = Random::new(1);
        let mut deadlines = Deadlines::new();
        let mut slots = [Armed::NONE; 20];
        let mut model: [Option<(Time, Timer)>; 20] = [None; 20];
        for _ in 0..20_000 {
            let owner = random.below(20) as usize;
            if random.chance(400_000) {
                deadlines.disarm(&mut slots[owner]);
                model[owner] = None;
            } else {
                let timer = Timer::ALL[random.below(14) as usize];
                let deadline = at(random.below(1_000));
                deadlines.arm(&mut slots[owner], timer, deadline, owner);
                model[owner] = Some((deadline, timer));
            }
            assert_eq!(deadlines.next(), model.iter().flatten().map(|&(deadline, _)| deadline).min());
            if let Some((timer, owner)) = deadlines.due(at(1_000)) {
                assert_eq!(model[owner], Some((deadlines.next().unwrap(), timer)));
            }
        }
        assert!(deadlines.entries.len() <= 20);
    }
}
