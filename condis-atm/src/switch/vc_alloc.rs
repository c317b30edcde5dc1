//! Which VPI/VCI a new connection of a port gets.
//!
//! An identifier is *free*, *in use*, or *draining*: its connection is gone, but cells that bear it are still in the port's
//! queue. Only a free one is given out, and the one that has been free longest comes last, so that a peer that is slow to
//! forget a connection is not sent another under its name.
//!
//! Allocation, release and the end of draining take the same time whatever is in use.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use condis_link::atm::VpVc;

/// The identifiers that a port may give out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VcRange {
    /// The paths; at a UNI 0 to 255 (I.361 §2.2.3).
    pub vpi: RangeInclusive<u16>,
    /// The channels in each. None below 32: those belong to the standards (I.361 table 2, UNI 3.1 §3.3.1).
    pub vci: RangeInclusive<u16>,
}

impl Default for VcRange {
    /// Path 0, channels 32 to 65535.
    fn default() -> VcRange {
        VcRange { vpi: 0..=0, vci: VcRange::VCI_MIN..=u16::MAX }
    }
}

impl VcRange {
    /// The first channel that does not belong to the standards.
    pub const VCI_MIN: u16 = 32;
    /// The last path of a UNI.
    pub const VPI_MAX: u16 = 255;

    /// True if it has no identifier that a UNI does not have, or that belongs to the standards, and at least one.
    pub fn is_valid(&self) -> bool {
        !self.vpi.is_empty()
            && !self.vci.is_empty()
            && *self.vpi.end() <= Self::VPI_MAX
            && *self.vci.start() >= Self::VCI_MIN
    }

    /// True if it has this one.
    pub fn contains(&self, vpvc: VpVc) -> bool {
        self.vpi.contains(&vpvc.vpi.0) && self.vci.contains(&vpvc.vci.0)
    }

    /// How many it has.
    pub fn vcs_len(&self) -> usize {
        self.vpi.len() * self.vci.len()
    }

    fn index(&self, vpvc: VpVc) -> Option<usize> {
        let path = usize::from(vpvc.vpi.0).checked_sub((*self.vpi.start()).into())?;
        let channel = usize::from(vpvc.vci.0).checked_sub((*self.vci.start()).into())?;
        self.contains(vpvc).then(|| path * self.vci.len() + channel)
    }

    fn at(&self, index: usize) -> VpVc {
        let (path, channel) = (index / self.vci.len(), index % self.vci.len());
        VpVc::new(self.vpi.start() + path as u16, self.vci.start() + channel as u16)
    }
}

/// Why no identifier was given out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AllocError {
    /// All are in use or draining. Cause 45.
    #[error("all {max} VPI/VCI are in use")]
    Exhausted {
        /// How many there may be at once.
        max: usize,
    },
    /// This one is in use or draining. Cause 35.
    #[error("VPI/VCI {0} is in use")]
    InUse(VpVc),
    /// This one is not given out at this port. Cause 35.
    #[error("VPI/VCI {0} is not of this port's range")]
    OutOfRange(VpVc),
}

/// Where an identifier stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VcUse {
    /// It may be given out.
    Free,
    /// A connection has it.
    InUse,
    /// Its connection is gone, and cells with it are still queued.
    Draining,
}

/// The identifiers of one port.
pub struct VcAllocator {
    range: VcRange,
    vcs_max: usize,
    /// By index; as long as identifiers were given out, from the beginning.
    marks: Vec<Mark>,
    /// The first index that was never given out in turn.
    fresh: usize,
    /// Released ones, in the order of their release. Some may be in use again by name: those have the mark.
    released: VecDeque<u32>,
    in_use: usize,
    draining: usize,
}

#[derive(Clone, Copy)]
struct Mark {
    use_: VcUse,
    /// It stands in `released`.
    is_queued: bool,
}

impl VcAllocator {
    /// An allocator for `range`, of which at most `vcs_max` are in use or draining at once.
    ///
    /// # Panics
    /// If the range is not [valid](VcRange::is_valid): whoever takes it from a user asks first.
    pub fn new(range: VcRange, vcs_max: usize) -> VcAllocator {
        assert!(range.is_valid(), "{range:?} is no range of a UNI");
        let vcs_max = vcs_max.min(range.vcs_len());
        VcAllocator {
            range,
            vcs_max,
            marks: Vec::new(),
            fresh: 0,
            released: VecDeque::new(),
            in_use: 0,
            draining: 0,
        }
    }

    /// Gives out one that is free.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`].
    pub fn allocate(&mut self) -> Result<VpVc, AllocError> {
        let exhausted = AllocError::Exhausted { max: self.vcs_max };
        if self.in_use + self.draining >= self.vcs_max {
            return Err(exhausted);
        }
        let index = self.next_fresh().or_else(|| self.next_released()).ok_or(exhausted)?;
        self.mark(index).use_ = VcUse::InUse;
        self.in_use += 1;
        Ok(self.range.at(index))
    }

    /// Gives out this one: for a PVC, or because a peer asked for it.
    ///
    /// # Errors
    /// All of [`AllocError`].
    pub fn take(&mut self, vpvc: VpVc) -> Result<(), AllocError> {
        let index = self.range.index(vpvc).ok_or(AllocError::OutOfRange(vpvc))?;
        if self.use_of(vpvc) != VcUse::Free {
            return Err(AllocError::InUse(vpvc));
        }
        if self.in_use + self.draining >= self.vcs_max {
            return Err(AllocError::Exhausted { max: self.vcs_max });
        }
        self.mark(index).use_ = VcUse::InUse;
        self.in_use += 1;
        Ok(())
    }

    /// Takes one back that is in use. It drains until [`VcAllocator::drained`].
    ///
    /// # Panics
    /// If it is not in use: it would be given out twice.
    pub fn release(&mut self, vpvc: VpVc) {
        let index = self.index_of(vpvc, VcUse::InUse);
        self.mark(index).use_ = VcUse::Draining;
        self.in_use -= 1;
        self.draining += 1;
    }

    /// No cell with this one is queued any more: it is free.
    ///
    /// # Panics
    /// If it does not drain.
    pub fn drained(&mut self, vpvc: VpVc) {
        let index = self.index_of(vpvc, VcUse::Draining);
        let mark = self.mark(index);
        mark.use_ = VcUse::Free;
        if !std::mem::replace(&mut mark.is_queued, true) {
            self.released.push_back(index as u32);
        }
        self.draining -= 1;
    }

    /// Where this one stands; one out of range is free, though nobody gets it.
    pub fn use_of(&self, vpvc: VpVc) -> VcUse {
        let mark = self.range.index(vpvc).and_then(|index| self.marks.get(index));
        mark.map_or(VcUse::Free, |mark| mark.use_)
    }

    /// The identifiers that it gives out.
    pub fn range(&self) -> &VcRange {
        &self.range
    }

    /// How many are in use.
    pub fn in_use_len(&self) -> usize {
        self.in_use
    }

    /// How many drain.
    pub fn draining_len(&self) -> usize {
        self.draining
    }

    /// One that was never given out in turn, and is not in use by name.
    fn next_fresh(&mut self) -> Option<usize> {
        while self.fresh < self.range.vcs_len() {
            let index = self.fresh;
            self.fresh += 1;
            let mark = self.mark(index);
            // What was taken by name and came back stands in `released` and has its turn there.
            if mark.use_ == VcUse::Free && !mark.is_queued {
                return Some(index);
            }
        }
        None
    }

    /// The one that has been free longest.
    fn next_released(&mut self) -> Option<usize> {
        while let Some(index) = self.released.pop_front() {
            let mark = self.mark(index as usize);
            mark.is_queued = false;
            if mark.use_ == VcUse::Free {
                return Some(index as usize);
            }
        }
        None
    }

    fn index_of(&self, vpvc: VpVc, expected: VcUse) -> usize {
        let found = self.use_of(vpvc);
        assert!(found == expected, "VPI/VCI {vpvc} should be {expected:?} and is {found:?}");
        self.range.index(vpvc).expect("only those of the range are ever not free")
    }

    fn mark(&mut self, index: usize) -> &mut Mark {
        if index >= self.marks.len() {
            self.marks.resize(index + 1, Mark { use_: VcUse::Free, is_queued: false });
        }
        &mut self.marks[index]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use condis::runtime::Random;

    use super::*;

    fn range(vpi: RangeInclusive<u16>, vci: RangeInclusive<u16>) -> VcRange {
        VcRange { vpi, vci }
    }

    #[test]
    fn they_come_in_order_from_0_32_and_return_last() {
        let mut vcs = VcAllocator::new(VcRange::default(), usize::MAX);
        for vci in 32..40 {
            assert_eq!(vcs.allocate(), Ok(VpVc::new(0, vci)));
        }
        vcs.release(VpVc::new(0, 33));
        vcs.drained(VpVc::new(0, 33));
        assert_eq!(vcs.allocate(), Ok(VpVc::new(0, 40)));
    }

    #[test]
    fn one_that_was_taken_by_name_returns_last_too() {
        let mut vcs = VcAllocator::new(range(0..=0, 32..=35), usize::MAX);
        vcs.take(VpVc::new(0, 33)).unwrap();
        vcs.release(VpVc::new(0, 33));
        vcs.drained(VpVc::new(0, 33));
        let given: Vec<u16> = std::iter::from_fn(|| vcs.allocate().ok()).map(|vpvc| vpvc.vci.0).collect();
        assert_eq!(given, [32, 34, 35, 33]);
    }

    #[test]
    fn all_of_all_paths_and_then_exhausted() {
        let mut vcs = VcAllocator::new(range(1..=2, 40..=41), usize::MAX);
        let all: Vec<VpVc> = std::iter::from_fn(|| vcs.allocate().ok()).collect();
        assert_eq!(all, [VpVc::new(1, 40), VpVc::new(1, 41), VpVc::new(2, 40), VpVc::new(2, 41)]);
        assert_eq!(vcs.allocate(), Err(AllocError::Exhausted { max: 4 }));
        vcs.release(VpVc::new(2, 40));
        assert_eq!(vcs.use_of(VpVc::new(2, 40)), VcUse::Draining);
        assert_eq!(vcs.allocate(), Err(AllocError::Exhausted { max: 4 }), "it still drains");
        assert_eq!(vcs.take(VpVc::new(2, 40)), Err(AllocError::InUse(VpVc::new(2, 40))));
        vcs.drained(VpVc::new(2, 40));
        assert_eq!(vcs.allocate(), Ok(VpVc::new(2, 40)));
    }

    #[test]
    fn one_may_be_asked_for_by_name() {
        let mut vcs = VcAllocator::new(range(0..=0, 32..=35), 3);
        assert_eq!(vcs.take(VpVc::new(0, 33)), Ok(()));
        assert_eq!(vcs.take(VpVc::new(0, 33)), Err(AllocError::InUse(VpVc::new(0, 33))));
        for wrong in [VpVc::new(0, 31), VpVc::new(0, 36), VpVc::new(1, 33), VpVc::SIGNALING] {
            assert_eq!(vcs.take(wrong), Err(AllocError::OutOfRange(wrong)));
        }
        assert_eq!(vcs.allocate(), Ok(VpVc::new(0, 32)));
        assert_eq!(vcs.allocate(), Ok(VpVc::new(0, 34)));
        assert_eq!(vcs.take(VpVc::new(0, 35)), Err(AllocError::Exhausted { max: 3 }));
        assert_eq!((vcs.in_use_len(), vcs.draining_len()), (3, 0));
    }

    #[test]
    #[should_panic(expected = "0.33 should be InUse and is Draining")]
    fn releasing_twice_is_our_mistake() {
        let mut vcs = VcAllocator::new(VcRange::default(), 10);
        vcs.take(VpVc::new(0, 33)).unwrap();
        vcs.release(VpVc::new(0, 33));
        vcs.release(VpVc::new(0, 33));
    }

    #[test]
    fn ranges_of_the_standards_are_no_ranges() {
        assert!(VcRange::default().is_valid());
        let empty = |from, to| RangeInclusive::new(from, to);
        for wrong in [
            range(0..=0, 31..=40),
            range(0..=256, 32..=40),
            range(empty(1, 0), 32..=40),
            range(0..=0, empty(41, 40)),
        ] {
            assert!(!wrong.is_valid(), "{wrong:?}");
        }
        assert_eq!(range(0..=255, 32..=65535).vcs_len(), 256 * 65504);
    }

    /// No identifier is ever given out twice, none is lost, and what was released waits longest.
    #[test]
    fn random_use_keeps_the_books() {
        for seed in 0..200 {
            let mut random = Random::new(seed);
            let range = range(0..=1, 32..=39);
            let mut vcs = VcAllocator::new(range.clone(), 12);
            let mut model: BTreeMap<VpVc, VcUse> = BTreeMap::new();
            for _ in 0..300 {
                let any = range.at(random.below(16) as usize);
                let full = model.len() == 12;
                match random.below(4) {
                    0 => match vcs.allocate() {
                        Ok(vpvc) => assert_eq!(model.insert(vpvc, VcUse::InUse), None, "{vpvc} twice"),
                        Err(error) => assert!(full, "{error}, but {} of 12", model.len()),
                    },
                    1 => match vcs.take(any) {
                        Ok(()) => assert_eq!(model.insert(any, VcUse::InUse), None),
                        Err(AllocError::InUse(_)) => assert!(model.contains_key(&any)),
                        Err(_) => assert!(full),
                    },
                    2 if model.get(&any) == Some(&VcUse::InUse) => {
                        vcs.release(any);
                        model.insert(any, VcUse::Draining);
                    }
                    3 if model.get(&any) == Some(&VcUse::Draining) => {
                        vcs.drained(any);
                        model.remove(&any);
                    }
                    _ => {}
                }
                assert!(vcs.released.len() <= 16, "no identifier stands in the queue twice");
                let count = |use_| model.values().filter(|known| **known == use_).count();
                assert_eq!((vcs.in_use, vcs.draining), (count(VcUse::InUse), count(VcUse::Draining)));
                assert_eq!(vcs.use_of(any), model.get(&any).copied().unwrap_or(VcUse::Free));
            }
        }
    }
}
