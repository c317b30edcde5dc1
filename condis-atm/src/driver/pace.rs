//! When a VC may send its next cells by its contract.
//!
//! As [`Shaper`](crate::traffic::Shaper), with a tolerance that may change from call to call: a cell that goes out late, because the
//! line was busy, may be made up for within the CDVT and no further, so that what comes out conforms to the contract; and one that
//! goes out late because a timer was, by as much as that timer was late, since a coarse clock would cost most of a high rate.

use std::num::NonZeroU32;
use std::time::Duration;

use condis::runtime::Time;

use crate::traffic::{Contract, Gcra};

/// The pace of one VC.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    peak: Gcra,
    sustained: Option<Gcra>,
    cdvt: Duration,
}

impl Pace {
    /// The pace of a contract; `None` if it has none, or its peak is the line's anyhow.
    pub(super) fn new(contract: &Contract) -> Option<Pace> {
        let peak = Gcra::new(NonZeroU32::new(contract.pcr_cells_per_s?)?, Duration::ZERO);
        let sustained = contract.sustained.and_then(|sustained| {
            let rate = NonZeroU32::new(sustained.scr_cells_per_s)?;
            Some(Gcra::new(rate, contract.burst_tolerance()?))
        });
        Some(Pace { peak, sustained, cdvt: contract.cdvt })
    }

    /// So many cells went out now, by a timer that was so late; the moment at which the next may.
    pub(super) fn sent(&mut self, now: Time, late: Duration, cells: u32) -> Time {
        let slack = u64::try_from(self.cdvt.max(late).as_nanos()).unwrap_or(u64::MAX);
        let on_time = Time::from_nanos(now.as_nanos().saturating_sub(slack));
        self.peak.charge(on_time, cells);
        let mut due = self.peak.conforming_at();
        if let Some(sustained) = &mut self.sustained {
            sustained.charge(now, cells);
            due = due.max(sustained.conforming_at());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic;

    /// When cells go out that are always ready.
    fn times(contract: Contract, cells: usize) -> Vec<u64> {
        let mut pace = Pace::new(&contract).expect("it has a rate");
        let mut now = Time::ZERO;
        let mut times = Vec::new();
        for _ in 0..cells {
            times.push(now.as_nanos() / 1000);
            now = now.max(pace.sent(now, Duration::ZERO, 1));
        }
        times
    }

    #[test]
    fn cells_go_out_at_the_peak_rate() {
        assert_eq!(times(Contract::cbr(1000), 4), [0, 1000, 2000, 3000]);
        assert!(Pace::new(&Contract::UBR).is_none());
    }

    /// A burst of MBS cells at the peak, then the sustained rate.
    #[test]
    fn a_burst_is_followed_by_the_sustained_rate() {
        let sustained = traffic::Sustained { scr_cells_per_s: 100, mbs_cells: 3 };
        let vbr = Contract::nrt_vbr(1000, sustained);
        assert_eq!(times(vbr, 6), [0, 1000, 2000, 12_000, 22_000, 32_000]);
    }

    /// Late by less than the CDVT, or by the timer's fault, is made up for; by more is lost.
    #[test]
    fn lateness_is_made_up_for_within_the_tolerance() {
        let mut pace = Pace::new(&Contract::cbr(1000)).expect("it has a rate");
        let at = |us: u64| Time::from_nanos(us * 1000);
        let on_time = Duration::ZERO;
        assert_eq!(pace.sent(at(1000), on_time, 1), at(1750), "the first one is on time to the tolerance");
        assert_eq!(pace.sent(at(1900), on_time, 1), at(2750));
        assert_eq!(pace.sent(at(5000), on_time, 1), at(5750));
        assert_eq!(pace.sent(at(6750), Duration::from_millis(1), 1), at(6750), "at once, to make up for it");
    }
}
