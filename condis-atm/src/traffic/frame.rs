//! Losing whole AAL5 PDUs instead of cells out of many.

use crate::cell::Pti;

/// Keeps account of one VC's AAL5 PDUs (frames) at a place that may have to discard cells: a policer, a queue.
///
/// Once a cell of a frame is lost, the rest of it is of no use and only takes room: it is discarded as well (partial packet
/// discard, PPD), all but the last cell, which the receiver needs to find where the next frame begins. If the first cell was
/// lost already, nothing of the frame has passed, and the last cell goes too (early packet discard, EPD). If the last cell
/// itself is lost behind others that have passed, the receiver will take the next frame for more of this one, so that
/// frame is lost, and discarded up to its last cell.
///
/// Cells that are no user data belong to no frame.
///
/// ```
/// use condis_atm::cell::Pti;
/// use condis_atm::traffic::{FrameDiscard, FrameVerdict};
///
/// let mut frames = FrameDiscard::new();
/// // A queue that is full at the second cell of a frame of four, and has room from then on.
/// let room = [true, false, true, true];
/// let ptis = [Pti::USER, Pti::USER, Pti::USER, Pti::USER_LAST];
/// let verdicts = [0, 1, 2, 3].map(|at| frames.offer(ptis[at], || room[at]));
/// assert_eq!(verdicts, [FrameVerdict::Pass, FrameVerdict::Refused, FrameVerdict::RestOfFrame, FrameVerdict::Pass]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FrameDiscard {
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    /// The next user cell is the first of a frame.
    #[default]
    Boundary,
    /// All cells of the frame so far have passed. From `Boundary`.
    Passing,
    /// Nothing of the frame has passed, and nothing will. From `Boundary`.
    DiscardingAll,
    /// Something of the frame has passed, and only the last cell will. From `Passing`.
    DiscardingRest,
}

/// What becomes of a cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameVerdict {
    /// It passes.
    Pass,
    /// It was refused by the place itself.
    Refused,
    /// It is discarded because its frame has lost a cell.
    RestOfFrame,
}

impl FrameDiscard {
    /// At the beginning of a frame.
    pub const fn new() -> FrameDiscard {
        FrameDiscard { state: State::Boundary }
    }

    /// A cell comes. `admit` is asked whether the place can take it, unless it is of no use anyway.
    #[inline]
    pub fn offer(&mut self, pti: Pti, admit: impl FnOnce() -> bool) -> FrameVerdict {
        let verdict = |admitted| if admitted { FrameVerdict::Pass } else { FrameVerdict::Refused };
        if !pti.is_user() {
            return verdict(admit());
        }
        let admitted = match (self.state, pti.is_last()) {
            (State::DiscardingAll, last) => {
                if last {
                    self.state = State::Boundary;
                }
                return FrameVerdict::RestOfFrame;
            }
            (State::DiscardingRest, false) => return FrameVerdict::RestOfFrame,
            (State::Boundary | State::Passing, _) | (State::DiscardingRest, true) => admit(),
        };
        self.state = match (self.state, pti.is_last(), admitted) {
            (_, true, true) | (State::Boundary, true, false) => State::Boundary,
            (State::Boundary | State::Passing, false, true) => State::Passing,
            (State::Boundary, false, false) => State::DiscardingAll,
            (State::Passing | State::DiscardingRest | State::DiscardingAll, _, _) => State::DiscardingRest,
        };
        verdict(admitted)
    }

    /// True if the next user cell is the first of a frame: where a queue that fills up refuses frames as a whole.
    pub const fn is_boundary(&self) -> bool {
        matches!(self.state, State::Boundary)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Offers a frame of this many cells, of which those at the places of `lost` are refused if asked for; gives which passed.
    fn offer(frames: &mut FrameDiscard, cells: usize, lost: &[usize]) -> Vec<usize> {
        let pti = |at| if at + 1 == cells { Pti::USER_LAST } else { Pti::USER };
        (0..cells).filter(|at| frames.offer(pti(*at), || !lost.contains(at)) == FrameVerdict::Pass).collect()
    }

    #[test]
    fn what_passes_of_a_frame_that_loses_a_cell() {
        let mut frames = FrameDiscard::new();
        assert_eq!(offer(&mut frames, 4, &[]), [0, 1, 2, 3]);
        assert_eq!(offer(&mut frames, 4, &[0]), [0; 0]);
        assert_eq!(offer(&mut frames, 4, &[1]), [0, 3]);
        assert_eq!(offer(&mut frames, 1, &[0]), [0; 0]);
        assert!(frames.is_boundary());
        // Without its end a frame runs into the next one, which ends both.
        assert_eq!(offer(&mut frames, 4, &[3]), [0, 1, 2]);
        assert_eq!(offer(&mut frames, 3, &[2]), [0; 0]);
        assert_eq!(offer(&mut frames, 3, &[]), [2]);
        assert_eq!(offer(&mut frames, 3, &[]), [0, 1, 2]);
    }

    #[test]
    fn oam_cells_are_of_no_frame() {
        let mut frames = FrameDiscard::new();
        frames.offer(Pti::USER, || false);
        assert_eq!(frames.offer(Pti::OAM_SEGMENT, || true), FrameVerdict::Pass);
        assert_eq!(frames.offer(Pti::OAM_SEGMENT, || false), FrameVerdict::Refused);
        assert_eq!(frames.offer(Pti::USER_LAST, || true), FrameVerdict::RestOfFrame);
        assert_eq!(frames.offer(Pti::USER_LAST, || true), FrameVerdict::Pass);
    }

    proptest! {
        /// Whatever is refused: a receiver sees only frames that are whole, and broken ones that it can tell, each of which
        /// ends before a whole one begins.
        #[test]
        fn whole_frames_stay_whole(sent in proptest::collection::vec((1usize..6, any::<u8>()), 1..40)) {
            let mut frames = FrameDiscard::new();
            let (mut passed, mut whole) = (Vec::new(), Vec::new());
            for (number, (cells, lost)) in sent.into_iter().enumerate() {
                let lost: Vec<usize> = (0..cells).filter(|at| lost >> at & 1 == 1).collect();
                let through = offer(&mut frames, cells, &lost);
                if through.len() == cells {
                    whole.push(number);
                }
                passed.extend(through.into_iter().map(|at| (number, at, cells)));
            }
            let mut received = Vec::new();
            for pdu in passed.split_inclusive(|(_, at, cells)| at + 1 == *cells) {
                let (number, _, cells) = pdu[0];
                if pdu.iter().copied().eq((0..cells).map(|at| (number, at, cells))) {
                    received.push(number);
                }
            }
            // A frame of one cell that follows a frame without an end passes, and ends that one.
            whole.retain(|number| received.contains(number) || passed.iter().filter(|cell| cell.0 == *number).count() > 1);
            prop_assert_eq!(received, whole);
        }
    }
}
