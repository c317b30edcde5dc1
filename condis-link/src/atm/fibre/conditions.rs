//! What a fibre does to the cells that pass it.

use std::num::NonZeroU64;
use std::time::Duration;

use condis::runtime::Time;

use crate::memory::{Chance, Faults};

/// What a [`Fibre`](super::Fibre) does to cells, on both of its ways alike.
///
/// The default is a perfect fibre at the rate of OC-3, without delay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FibreConditions {
    /// How long a cell travels, after its last bit has left the sender.
    pub delay: Duration,
    /// A cell travels up to this much longer, evenly spread. Cells still arrive in order.
    pub jitter: Duration,
    /// Cells a second on each way; `None`: sending takes no time.
    pub cells_per_s: Option<NonZeroU64>,
    /// Cells that an end may have under way: waiting for the line, on it, and travelling. Cells above it are refused; at least
    /// one is always taken. To keep the line busy it must be at least rate × (delay + gather).
    pub queue_cells_max: usize,
    /// Cells that arrive within one such span are handed over at its end. Zero: each at its nanosecond.
    pub gather: Duration,
    /// A cell is lost.
    pub loss: Chance,
    /// A cell arrives twice, one right after the other.
    pub duplicate: Chance,
    /// A cell is held back for [`FibreConditions::reorder_by`], while those behind it go on.
    pub reorder: Chance,
    /// How long a cell is held back when it is.
    pub reorder_by: Duration,
    /// One bit of a cell is turned over, anywhere in it, its header too. It is delivered all the same.
    pub corrupt: Chance,
}

impl FibreConditions {
    /// Cells a second of OC-3 (STM-1): 149.76 Mbit/s of payload in cells of 424 bits (I.432.2, text not read).
    pub const OC3_CELLS_PER_S: u64 = 353_207;

    /// The default of [`FibreConditions::queue_cells_max`]: 46 ms of OC-3, twelve of the longest AAL5 PDUs.
    pub const QUEUE_CELLS_MAX: usize = 1 << 14;

    /// The default of [`FibreConditions::gather`]: 35 cells of OC-3.
    pub const GATHER: Duration = Duration::from_micros(100);

    /// What goes wrong on the way.
    pub(super) fn faults(&self) -> Faults {
        let FibreConditions { jitter, loss, duplicate, reorder, reorder_by, corrupt, .. } = *self;
        Faults { jitter, loss, duplicate, reorder, reorder_by, corrupt }
    }

    /// When a cell that arrives at `at` is handed over.
    pub(super) fn gathered(&self, at: Time) -> Time {
        match u64::try_from(self.gather.as_nanos()).unwrap_or(u64::MAX) {
            0 => at,
            span => Time::from_nanos(at.as_nanos().div_ceil(span).saturating_mul(span)),
        }
    }
}

impl Default for FibreConditions {
    fn default() -> FibreConditions {
        FibreConditions {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            cells_per_s: NonZeroU64::new(FibreConditions::OC3_CELLS_PER_S),
            queue_cells_max: FibreConditions::QUEUE_CELLS_MAX,
            gather: FibreConditions::GATHER,
            loss: Chance::NEVER,
            duplicate: Chance::NEVER,
            reorder: Chance::NEVER,
            reorder_by: Duration::ZERO,
            corrupt: Chance::NEVER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_ends_where_the_next_begins() {
        let conditions = FibreConditions { gather: Duration::from_nanos(10), ..FibreConditions::default() };
        for (at, gathered) in [(0, 0), (1, 10), (10, 10), (11, 20), (u64::MAX, u64::MAX)] {
            assert_eq!(conditions.gathered(Time::from_nanos(at)), Time::from_nanos(gathered), "{at}");
        }
        let at_once = FibreConditions { gather: Duration::ZERO, ..conditions };
        assert_eq!(at_once.gathered(Time::from_nanos(7)), Time::from_nanos(7));
    }
}
