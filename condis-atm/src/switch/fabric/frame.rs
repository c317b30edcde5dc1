//! Discard of AAL5 frames rather than of cells of them.
//!
//! Once a cell of a frame is lost the rest of it is worth nothing. So a frame that would not find room is refused from its first
//! cell on (early packet discard, EPD), and of a frame that lost a cell on the way the rest goes too (partial packet discard,
//! PPD), all but its last cell: that one ends the damaged frame for the receiver, which finds it too short. If the last cell finds
//! no room either, the receiver would take the next frame for the rest of this one, so that frame is discarded to *its* last cell.
//!
//! Source: A. Romanow, S. Floyd, "Dynamics of TCP Traffic over ATM Networks", IEEE JSAC 13(4), May 1995, §4 and §5; TM 4.0
//! §5.8 (frame discard).

use crate::aal5::{SDU_OCTETS_MAX, cells_of};

/// Where a flow stands in its frame, at one place of discard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum FrameState {
    /// The next cell begins a frame. From all others, by a last cell.
    #[default]
    Between,
    /// The cells of this frame have passed so far.
    Passing,
    /// No cell of this frame has passed, and none will. So many were discarded. From `Between`.
    Whole(u16),
    /// Cells of this frame have passed, one was lost, and only the last passes. So many were discarded. From `Passing`, and
    /// from itself.
    Tail(u16),
}

/// Cells of the longest AAL5 frame. What goes on for longer without a last cell is no AAL5, and is let through again.
const FRAME_CELLS_MAX: u16 = cells_of(SDU_OCTETS_MAX) as u16;

/// What becomes of a cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// It goes on.
    Pass,
    /// It is lost here, for the reason that there was no room for it.
    Lost,
    /// It is the first of a frame that is refused, or follows such a one.
    Early,
    /// It is of a frame that has lost a cell.
    Partial,
}

impl FrameState {
    /// What becomes of a cell. `has_room`: it could pass. `may_begin`: a frame could begin with it. `is_last`: it ends its
    /// frame (AUU bit, I.363.5 §9.2).
    #[inline]
    pub(super) fn step(&mut self, has_room: bool, may_begin: bool, is_last: bool) -> Fate {
        let (next, fate) = match *self {
            FrameState::Between if has_room && may_begin => (FrameState::Passing, Fate::Pass),
            FrameState::Between => (FrameState::Whole(1), if has_room { Fate::Early } else { Fate::Lost }),
            FrameState::Passing if has_room => (FrameState::Passing, Fate::Pass),
            FrameState::Passing => (FrameState::Tail(1), Fate::Lost),
            FrameState::Whole(FRAME_CELLS_MAX) | FrameState::Tail(FRAME_CELLS_MAX) => {
                *self = FrameState::Between;
                return self.step(has_room, may_begin, is_last);
            }
            FrameState::Whole(discarded) => (FrameState::Whole(discarded + 1), Fate::Early),
            FrameState::Tail(_) if is_last && has_room => (FrameState::Passing, Fate::Pass),
            // The next frame is now the rest of this one.
            FrameState::Tail(_) if is_last => (FrameState::Tail(1), Fate::Lost),
            FrameState::Tail(discarded) => (FrameState::Tail(discarded + 1), Fate::Partial),
        };
        // A frame that is open at the receiver stays so until a last cell gets there.
        let is_over = is_last && !matches!(next, FrameState::Tail(_));
        *self = if is_over { FrameState::Between } else { next };
        fate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: (bool, bool) = (true, true);
    const NO_NEW: (bool, bool) = (true, false);
    const FULL: (bool, bool) = (false, false);

    /// Runs cells through: `(room, is_last)`, and gives what passes as `p`, and `l`, `e`, `t` for the reasons of loss.
    fn run(state: &mut FrameState, cells: &[((bool, bool), bool)]) -> String {
        let one = |((has_room, may_begin), is_last): &((bool, bool), bool)| match state
            .step(*has_room, *may_begin, *is_last)
        {
            Fate::Pass => 'p',
            Fate::Lost => 'l',
            Fate::Early => 'e',
            Fate::Partial => 't',
        };
        cells.iter().map(one).collect()
    }

    #[test]
    fn a_frame_with_room_passes_also_above_the_threshold_for_new_ones() {
        let mut state = FrameState::default();
        assert_eq!(run(&mut state, &[(ROOM, false), (NO_NEW, false), (NO_NEW, true)]), "ppp");
        assert_eq!(state, FrameState::Between);
    }

    #[test]
    fn early_discard_takes_the_whole_frame_and_the_last_cell_too() {
        let mut state = FrameState::default();
        let cells =
            [(NO_NEW, false), (ROOM, false), (ROOM, true), (ROOM, true), (NO_NEW, true), (ROOM, true)];
        assert_eq!(run(&mut state, &cells), "eeepep");
        assert_eq!(run(&mut state, &[(FULL, false), (ROOM, true), (ROOM, true)]), "lep");
    }

    #[test]
    fn partial_discard_leaves_the_last_cell() {
        let mut state = FrameState::default();
        let cells = [(ROOM, false), (FULL, false), (ROOM, false), (ROOM, true), (ROOM, false), (ROOM, true)];
        assert_eq!(run(&mut state, &cells), "pltppp");
    }

    #[test]
    fn a_lost_last_cell_costs_the_next_frame_too() {
        let mut state = FrameState::default();
        let cells = [(ROOM, false), (FULL, true), (ROOM, false), (ROOM, false), (ROOM, true), (ROOM, true)];
        assert_eq!(run(&mut state, &cells), "plttpp");
        assert_eq!(run(&mut state, &[(ROOM, false), (FULL, false), (FULL, true), (ROOM, true)]), "pllp");
    }

    #[test]
    fn cells_that_are_no_frames_are_not_lost_for_ever() {
        for (first, lost) in [(FULL, 'e'), (ROOM, 't')] {
            let mut state = FrameState::default();
            let cells = [vec![(first, false), (FULL, false)], vec![(ROOM, false); 2_000]].concat();
            let fates = run(&mut state, &cells);
            let discarded = fates.chars().skip(2).take_while(|fate| *fate == lost).count();
            assert!((1_364..=1_366).contains(&discarded), "{discarded}");
            assert!(fates.chars().skip(2 + discarded).all(|fate| fate == 'p'));
        }
    }

    /// Whatever room there is: a run of passed cells up to a last one is either one whole frame, or lacks cells of it.
    #[test]
    fn what_passes_is_whole_frames_and_frames_that_lack_cells() {
        for seed in 0..500 {
            let mut random = condis::runtime::Random::new(seed);
            let mut state = FrameState::default();
            let mut passed: Vec<(u32, u32)> = Vec::new();
            let mut lens = Vec::new();
            for frame in 0..50 {
                let len = 1 + random.below(5) as u32;
                lens.push(len);
                for at in 0..len {
                    let (has_room, may_begin) = (random.chance(700_000), random.chance(700_000));
                    let is_last = at + 1 == len;
                    if state.step(has_room, has_room && may_begin, is_last) != Fate::Pass {
                        continue;
                    }
                    passed.push((frame, at));
                    if is_last {
                        // A receiver takes what has come since the last last cell for one frame. It is whole only if it is
                        // all of this frame and nothing else; otherwise it must lack cells of the frame it began with.
                        let whole: Vec<(u32, u32)> = (0..len).map(|at| (frame, at)).collect();
                        let (first, _) = passed[0];
                        let of_first = passed.iter().filter(|(of, _)| *of == first).count();
                        assert!(
                            passed == whole || of_first < lens[first as usize] as usize,
                            "seed {seed}: {passed:?}"
                        );
                        passed.clear();
                    }
                }
            }
        }
    }
}
