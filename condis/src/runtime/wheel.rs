//! The timer wheel of both runtimes: no clock, no lock, no I/O.
//!
//! It is hierarchical: eleven levels of 64 slots, which together span every `u64` tick, so that no deadline overflows and no
//! slot holds entries of different turns. A timer lies on the level of the highest bit group in which its deadline differs
//! from the present tick, and moves down (at most once a level) as the present comes nearer. This rather than one hashed
//! wheel, because:
//!
//! - all slots take 6 KiB and stay in the cache, however many timers are armed;
//! - one bit a slot says where the next deadline lies, so a worker sleeps exactly as long as it may, and a simulation whose
//!   tick is a nanosecond jumps to the next event;
//! - two timers with the same deadline always share a slot, so timers come due by (deadline, order of arming) without a
//!   sequence number and without a comparison.
//!
//! Entries live in a slab and are linked by `u32` indices; arming and cancelling touch the entry, its neighbours and a slot.

/// Bits of the tick that choose the slot on one level.
const SLOT_BITS: u32 = 6;
/// Slots of one level, which is as many as an occupancy word has bits.
const SLOTS: usize = 1 << SLOT_BITS;
/// Levels, enough for the 64 bits of a tick.
const LEVELS: usize = u64::BITS.div_ceil(SLOT_BITS) as usize;
/// The list of what is due, after those of the slots.
const DUE: usize = LEVELS * SLOTS;
/// The list of what is armed and waits for its deadline to be told.
const NEW: usize = DUE + 1;
/// No entry.
const NIL: u32 = u32::MAX;

/// Names an armed timer of one wheel. A key is never given out twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Key(u64);

impl Key {
    /// The key as a number, never zero.
    pub(crate) const fn to_bits(self) -> u64 {
        self.0
    }

    /// The key that [`Key::to_bits`] turned into `bits`; any other number names no timer.
    pub(crate) const fn from_bits(bits: u64) -> Key {
        Key(bits)
    }

    const fn new(index: u32, generation: u32) -> Key {
        Key((generation as u64) << 32 | index as u64)
    }

    const fn index(self) -> usize {
        self.0 as u32 as usize
    }

    const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// Timers that each carry a `T`, ordered by deadline and then by the order of arming.
///
/// What a tick means is the owner's business. [`Wheel::advance`] tells the present tick; from then on what is due comes out
/// of [`Wheel::pop_due`], and can still be cancelled until it has come out.
#[derive(Debug)]
pub(crate) struct Wheel<T> {
    now: u64,
    len: usize,
    /// One bit for each level that holds timers.
    levels: u16,
    /// One bit for each slot that holds timers.
    occupied: [u64; LEVELS],
    /// The slots, level by level, the list of what is due, and the list of what is new.
    lists: Box<[List]>,
    /// The slot that `advance` has begun to empty and has not finished.
    emptying: Option<u16>,
    entries: Vec<Entry<T>>,
    /// The first of the vacant entries, which are linked through `next`.
    vacant: u32,
}

#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
}

/// Aligned to a cache line, which it nearly fills: with many armed, each entry touched is one line and not often two.
#[derive(Debug)]
#[repr(align(64))]
struct Entry<T> {
    /// `None` in a vacant entry.
    value: Option<T>,
    at: u64,
    prev: u32,
    next: u32,
    generation: u32,
    list: u16,
}

impl<T> Wheel<T> {
    /// An empty wheel at tick 0.
    pub(crate) fn new() -> Wheel<T> {
        Wheel {
            now: 0,
            len: 0,
            levels: 0,
            occupied: [0; LEVELS],
            lists: vec![List { head: NIL, tail: NIL }; NEW + 1].into(),
            emptying: None,
            entries: Vec::new(),
            vacant: NIL,
        }
    }

    /// Arms a timer that comes due at tick `at`; at once, after all that is due already, if that has passed.
    ///
    /// # Panics
    /// If 4,294,967,295 timers are armed, for which memory ends first.
    pub(crate) fn arm(&mut self, at: u64, value: T) -> Key {
        let list = self.list_for(at);
        self.insert(at, value, list)
    }

    /// Arms a timer whose deadline the next [`Wheel::place_new`] tells from `after`, for an owner who does not know the
    /// present tick and will soon. Until then it lies aside, and can be cancelled.
    ///
    /// # Panics
    /// As [`Wheel::arm`].
    pub(crate) fn arm_new(&mut self, after: u64, value: T) -> Key {
        self.insert(after, value, NEW)
    }

    /// Lets the timers that were armed without a deadline, at most `budget` of them, come due at the tick that `at` makes of
    /// their `after`. False if some are left.
    pub(crate) fn place_new(&mut self, at: impl Fn(u64) -> u64, budget: usize) -> bool {
        for _ in 0..budget {
            let head = self.lists[NEW].head;
            if head == NIL {
                return true;
            }
            self.unlink(head);
            let entry = &mut self.entries[head as usize];
            entry.at = at(entry.at);
            let to = self.list_for(self.entries[head as usize].at);
            self.link(head, to);
        }
        self.lists[NEW].head == NIL
    }

    /// Whether [`Wheel::place_new`] has something to place.
    pub(crate) fn has_new(&self) -> bool {
        self.lists[NEW].head != NIL
    }

    /// Takes a timer back, with what it carried, unless it came out already.
    pub(crate) fn cancel(&mut self, key: Key) -> Option<T> {
        let entry = self.entries.get(key.index())?;
        if entry.generation != key.generation() {
            return None;
        }
        self.remove(key.index() as u32)
    }

    /// Tells the wheel that it is now tick `now`; an earlier tick than the present one is no news.
    ///
    /// At most `budget` timers are moved, so that the owner can let go of its lock in between. False if that was too few
    /// and this must be called again. Only with a sufficient budget do timers that are armed in between keep their order.
    pub(crate) fn advance(&mut self, now: u64, mut budget: usize) -> bool {
        loop {
            while let Some(list) = self.emptying {
                let head = self.lists[list as usize].head;
                if head == NIL {
                    self.emptying = None;
                } else if budget == 0 {
                    return false;
                } else {
                    budget -= 1;
                    self.unlink(head);
                    let to = self.list_for(self.entries[head as usize].at);
                    self.link(head, to);
                }
            }
            match self.next_slot() {
                Some((start, list)) if start <= now => {
                    self.now = start;
                    self.emptying = Some(list);
                }
                _ => break,
            }
        }
        self.now = self.now.max(now);
        true
    }

    /// Takes out the first timer that is due: its key, its deadline and what it carries.
    pub(crate) fn pop_due(&mut self) -> Option<(Key, u64, T)> {
        let index = self.lists[DUE].head;
        let entry = self.entries.get(index as usize)?;
        let (key, at) = (Key::new(index, entry.generation), entry.at);
        self.remove(index).map(|value| (key, at, value))
    }

    /// When to call [`Wheel::advance`] again: no timer comes due before that tick. One need not come due at it either, since
    /// far timers are looked at some times on their way; `None` if nothing is armed but what is due already or new.
    pub(crate) fn next_advance(&self) -> Option<u64> {
        match self.emptying {
            Some(_) => Some(self.now),
            None => self.next_slot().map(|(start, _)| start),
        }
    }

    /// How many timers are armed, those included that are due and have not come out.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Fills an entry and links it into `list`.
    fn insert(&mut self, at: u64, value: T, list: usize) -> Key {
        let index = self.vacant;
        let (index, generation) = if index == NIL {
            let index = u32::try_from(self.entries.len()).expect("entries are counted in u32");
            assert!(index != NIL, "the last index means no entry");
            let (prev, next, list) = (NIL, NIL, list as u16);
            self.entries.push(Entry { value: Some(value), at, prev, next, generation: 1, list });
            (index, 1)
        } else {
            let entry = &mut self.entries[index as usize];
            self.vacant = entry.next;
            entry.value = Some(value);
            entry.at = at;
            (index, entry.generation)
        };
        self.link(index, list);
        self.len += 1;
        Key::new(index, generation)
    }

    /// The first occupied slot: the tick at which it begins, and its list.
    ///
    /// A timer agrees with the present tick in all bits above its level. So what lies on a lower level comes earlier, and
    /// the slots of one level that are occupied all lie ahead.
    fn next_slot(&self) -> Option<(u64, u16)> {
        let level = self.levels.trailing_zeros();
        let slot = self.occupied.get(level as usize)?.trailing_zeros();
        let shift = level * SLOT_BITS;
        let above = self.now.checked_shr(shift + SLOT_BITS).unwrap_or(0);
        let start = (above << SLOT_BITS | slot as u64) << shift;
        Some((start, (level as usize * SLOTS + slot as usize) as u16))
    }

    /// The list for a timer that comes due at `at`.
    fn list_for(&self, at: u64) -> usize {
        if at <= self.now {
            return DUE;
        }
        let level = (u64::BITS - 1 - (at ^ self.now).leading_zeros()) / SLOT_BITS;
        let slot = (at >> (level * SLOT_BITS)) as usize % SLOTS;
        level as usize * SLOTS + slot
    }

    /// Appends an entry, which is in no list, to `list`.
    fn link(&mut self, index: u32, list: usize) {
        let prev = std::mem::replace(&mut self.lists[list].tail, index);
        if prev == NIL {
            self.lists[list].head = index;
            if list < DUE {
                self.levels |= 1 << (list / SLOTS);
                self.occupied[list / SLOTS] |= 1 << (list % SLOTS);
            }
        } else {
            self.entries[prev as usize].next = index;
        }
        let entry = &mut self.entries[index as usize];
        (entry.prev, entry.next, entry.list) = (prev, NIL, list as u16);
    }

    /// Takes an entry out of the list that it is in.
    fn unlink(&mut self, index: u32) {
        let Entry { prev, next, list, .. } = self.entries[index as usize];
        let list = list as usize;
        if prev == NIL {
            self.lists[list].head = next;
        } else {
            self.entries[prev as usize].next = next;
        }
        if next == NIL {
            self.lists[list].tail = prev;
        } else {
            self.entries[next as usize].prev = prev;
        }
        if prev == NIL && next == NIL && list < DUE {
            self.occupied[list / SLOTS] &= !(1 << (list % SLOTS));
            if self.occupied[list / SLOTS] == 0 {
                self.levels &= !(1 << (list / SLOTS));
            }
        }
    }

    /// Takes an entry out of its list and makes it vacant. `None` if it was vacant.
    fn remove(&mut self, index: u32) -> Option<T> {
        let entry = &mut self.entries[index as usize];
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.unlink(index);
        let entry = &mut self.entries[index as usize];
        // An entry that has used up its generations stays out of use, since a stale key could hit it again.
        if entry.generation != 0 {
            entry.next = self.vacant;
            self.vacant = index;
        }
        self.len -= 1;
        Some(value)
    }
}

impl<T> Default for Wheel<T> {
    fn default() -> Wheel<T> {
        Wheel::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn popped<T>(wheel: &mut Wheel<T>) -> Vec<(u64, T)> {
        std::iter::from_fn(|| wheel.pop_due()).map(|(_, at, value)| (at, value)).collect()
    }

    #[test]
    fn timers_of_one_tick_come_in_the_order_of_arming_whatever_level_they_were_armed_on() {
        let mut wheel = Wheel::new();
        wheel.arm(100_000, 'a');
        wheel.advance(99_000, usize::MAX);
        wheel.arm(100_000, 'b');
        wheel.advance(99_999, usize::MAX);
        wheel.arm(100_000, 'c');
        assert_eq!(wheel.next_advance(), Some(100_000));
        wheel.advance(100_000, usize::MAX);
        wheel.arm(100_000, 'd');
        let order: String = popped(&mut wheel).into_iter().map(|(_, name)| name).collect();
        assert_eq!(order, "abcd");
    }

    #[test]
    fn one_advance_over_many_deadlines_pops_them_by_deadline() {
        let mut wheel = Wheel::new();
        for at in [70_000, 3, 4_096, 64, 63, 65, 1, 4_095] {
            wheel.arm(at, ());
        }
        wheel.advance(u64::MAX, usize::MAX);
        let order: Vec<u64> = popped(&mut wheel).into_iter().map(|(at, ())| at).collect();
        assert_eq!(order, [1, 3, 63, 64, 65, 4_095, 4_096, 70_000]);
        assert_eq!(wheel.len(), 0);
    }

    #[test]
    fn the_last_tick_can_be_reached() {
        let mut wheel = Wheel::new();
        wheel.arm(u64::MAX, ());
        assert!(wheel.advance(u64::MAX - 1, usize::MAX) && wheel.pop_due().is_none());
        assert_eq!(wheel.next_advance(), Some(u64::MAX));
        wheel.advance(u64::MAX, usize::MAX);
        assert_eq!(popped(&mut wheel), [(u64::MAX, ())]);
    }

    #[test]
    fn a_due_timer_can_be_cancelled_until_it_has_come_out() {
        let mut wheel = Wheel::new();
        let (first, second) = (wheel.arm(5, 1), wheel.arm(5, 2));
        wheel.advance(9, usize::MAX);
        assert_eq!(wheel.cancel(second), Some(2));
        assert_eq!(wheel.pop_due(), Some((first, 5, 1)));
        assert_eq!(wheel.cancel(first), None, "it came out");
        assert_eq!(wheel.pop_due(), None);
    }

    #[test]
    fn a_stale_key_never_hits_another_timer() {
        let mut wheel = Wheel::new();
        let stale = wheel.arm(5, 1);
        wheel.cancel(stale);
        let fresh = wheel.arm(5, 2);
        assert_eq!(wheel.cancel(stale), None);
        assert_eq!(wheel.cancel(Key::from_bits(0)), None);
        assert_eq!(wheel.cancel(Key::from_bits(u64::MAX)), None);
        assert_eq!(wheel.cancel(fresh), Some(2));

        // Also not once the generations of its entry are used up: then the entry is.
        wheel.entries[0].generation = u32::MAX;
        let last = wheel.arm(5, 3);
        assert_eq!(wheel.cancel(last), Some(3));
        assert_ne!(wheel.arm(5, 4).index(), last.index());
    }

    #[test]
    fn a_new_timer_waits_for_its_deadline_to_be_told_and_can_be_cancelled_before() {
        let mut wheel = Wheel::new();
        let keys = [5, 70, 5, 9].map(|after| wheel.arm_new(after, after));
        wheel.advance(100, usize::MAX);
        assert_eq!((wheel.pop_due(), wheel.next_advance(), wheel.len()), (None, None, 4));
        assert_eq!(wheel.cancel(keys[3]), Some(9));
        assert!(!wheel.place_new(|after| 100 + after, 2));
        assert!(wheel.place_new(|after| 103 + after, 2));
        wheel.advance(u64::MAX, usize::MAX);
        assert_eq!(popped(&mut wheel), [(105, 5), (108, 5), (170, 70)]);
        assert_eq!(wheel.len(), 0);
    }

    #[derive(Clone, Debug)]
    enum Op {
        /// Arms a timer so many ticks ahead.
        Arm(u64),
        /// Cancels one of the timers that were ever armed.
        Cancel(usize),
        /// Goes so many ticks on.
        Advance(u64),
        /// Goes on to the tick that the wheel asks for.
        Next,
        /// Takes out so many of what is due.
        Pop(usize),
    }

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        // Distances of every magnitude, and often the same ones, so that timers meet on one tick from different levels.
        let ahead = || prop_oneof![0..4u64, (0..12u32).prop_map(|n| 1 << (n * 3)), 0..5_000u64, any::<u64>()];
        let near = prop_oneof![
            0..4u64,
            (0..8u32).prop_map(|n| 1 << (n * 3)),
            0..5_000u64,
            any::<u32>().prop_map(u64::from)
        ];
        let op = prop_oneof![
            5 => ahead().prop_map(Op::Arm),
            2 => any::<usize>().prop_map(Op::Cancel),
            2 => near.prop_map(Op::Advance),
            1 => Just(Op::Next),
            2 => (0..6usize).prop_map(Op::Pop),
        ];
        prop::collection::vec(op, 0..200)
    }

    proptest! {
        /// The wheel and an ordered map from (deadline, order of arming) do the same.
        #[test]
        fn the_wheel_does_what_an_ordered_map_does(ops in ops()) {
            let mut wheel = Wheel::new();
            let (mut now, mut armed) = (0u64, Vec::<(Key, (u64, usize))>::new());
            let mut waiting = BTreeMap::<(u64, usize), ()>::new();
            let mut due = std::collections::VecDeque::<(u64, usize)>::new();
            for op in ops {
                match op {
                    Op::Arm(ahead) => {
                        let id = (now.saturating_add(ahead), armed.len());
                        armed.push((wheel.arm(id.0, id.1), id));
                        if id.0 <= now { due.push_back(id) } else { waiting.insert(id, ()); }
                    }
                    Op::Cancel(nth) if !armed.is_empty() => {
                        let (key, id) = armed[nth % armed.len()];
                        let was_due = due.iter().position(|other| *other == id).map(|at| due.remove(at)).is_some();
                        let model = was_due || waiting.remove(&id).is_some();
                        prop_assert_eq!(wheel.cancel(key), model.then_some(id.1));
                    }
                    Op::Cancel(_) => {}
                    Op::Advance(_) | Op::Next => {
                        let to = match (op, wheel.next_advance()) {
                            (Op::Advance(by), _) => now.saturating_add(by),
                            (_, Some(next)) => {
                                prop_assert!(next > now);
                                prop_assert!(waiting.first_key_value().is_some_and(|((at, _), ())| next <= *at));
                                next
                            }
                            (_, None) => { prop_assert!(waiting.is_empty()); now }
                        };
                        now = to;
                        prop_assert!(wheel.advance(now, usize::MAX));
                        while let Some(entry) = waiting.first_entry().filter(|entry| entry.key().0 <= now) {
                            due.push_back(entry.remove_entry().0);
                        }
                    }
                    Op::Pop(count) => {
                        for _ in 0..count {
                            let got = wheel.pop_due().map(|(_, at, nth)| (at, nth));
                            prop_assert_eq!(got, due.pop_front());
                        }
                    }
                }
                prop_assert_eq!(wheel.len(), waiting.len() + due.len());
            }
            prop_assert!(wheel.advance(u64::MAX, usize::MAX));
            due.extend(waiting.into_keys());
            prop_assert_eq!(popped(&mut wheel), Vec::from(due));
        }

        /// With the smallest budget every timer still comes out once, none early, and by deadline.
        #[test]
        fn a_small_budget_delays_and_loses_nothing(ahead in prop::collection::vec(1..300_000u64, 1..200), steps in prop::collection::vec(1..9_000u64, 1..60)) {
            let mut wheel = Wheel::new();
            let mut now = 0;
            let mut out = Vec::new();
            let mut ahead_left = ahead.iter();
            for step in steps.into_iter().chain([600_000]) {
                now += step;
                while !wheel.advance(now, 3) {
                    if let Some(ahead) = ahead_left.next() {
                        wheel.arm(now + ahead, ());
                    }
                    let popped = popped(&mut wheel);
                    prop_assert!(popped.iter().all(|(at, ())| *at <= now));
                    out.extend(popped);
                }
                if let Some(ahead) = ahead_left.next() {
                    wheel.arm(now + ahead, ());
                }
            }
            let armed = ahead.len() - ahead_left.len();
            wheel.advance(u64::MAX, usize::MAX);
            out.extend(popped(&mut wheel));
            prop_assert!(out.is_sorted_by_key(|(at, ())| *at));
            prop_assert_eq!(out.len(), armed);
        }
    }
}
