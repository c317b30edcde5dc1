//! When a VC may send its next cells by its contract: virtual scheduling after I.371's GCRA, from the sender's side.
//!
//! A cell that goes out late, because the line was busy, may be made up for within the CDVT, and no further: so what comes
//! out conforms to the contract, however late this was called.

use std::time::Duration;

use condis::runtime::Time;

use crate::traffic::Contract;

/// The pace of one VC.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    peak_period_ns: u64,
    cdvt: Duration,
    /// The theoretical arrival time at the peak rate.
    peak_at: Time,
    sustained: Option<Sustained>,
}

#[derive(Clone, Copy, Debug)]
struct Sustained {
    period_ns: u64,
    /// How far ahead of it a burst may be.
    burst: Duration,
    at: Time,
}

impl Pace {
    /// The pace of a contract; `None` if it has none, or its peak is the line's anyhow.
    pub(super) fn new(contract: &Contract) -> Option<Pace> {
        let period_ns = |rate: u32| NS_PER_S.div_ceil(u64::from(rate.max(1)));
        let peak_period_ns = period_ns(contract.pcr_cells_per_s?);
        let sustained = contract.sustained.map(|sustained| {
            let period_ns = period_ns(sustained.scr_cells_per_s);
            let ahead = u64::from(sustained.mbs_cells.saturating_sub(1))
                .saturating_mul(period_ns.saturating_sub(peak_period_ns));
            Sustained { period_ns, burst: Duration::from_nanos(ahead), at: Time::ZERO }
        });
        Some(Pace { peak_period_ns, cdvt: contract.cdvt, peak_at: Time::ZERO, sustained })
    }

    /// So many cells went out now; the moment at which the next may.
    pub(super) fn sent(&mut self, now: Time, cells: u32) -> Time {
        let span = |period_ns: u64| Duration::from_nanos(period_ns.saturating_mul(u64::from(cells)));
        let base = if self.peak_at.after(self.cdvt) >= now { self.peak_at } else { now };
        self.peak_at = base.after(span(self.peak_period_ns));
        let mut due = self.peak_at;
        if let Some(sustained) = &mut self.sustained {
            sustained.at = sustained.at.max(now).after(span(sustained.period_ns));
            let burst = u64::try_from(sustained.burst.as_nanos()).unwrap_or(u64::MAX);
            due = due.max(Time::from_nanos(sustained.at.as_nanos().saturating_sub(burst)));
        }
        due
    }
}

const NS_PER_S: u64 = 1_000_000_000;

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
            now = now.max(pace.sent(now, 1));
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
        let vbr = Contract { sustained: Some(sustained), ..Contract::cbr(1000) };
        assert_eq!(times(vbr, 6), [0, 1000, 2000, 12_000, 22_000, 32_000]);
    }

    /// Late by less than the CDVT is made up for; by more is lost.
    #[test]
    fn lateness_is_made_up_for_within_the_tolerance() {
        let mut pace = Pace::new(&Contract::cbr(1000)).expect("it has a rate");
        let at = |us: u64| Time::from_nanos(us * 1000);
        assert_eq!(pace.sent(at(0), 1), at(1000));
        assert_eq!(pace.sent(at(1200), 1), at(2000));
        assert_eq!(pace.sent(at(5000), 1), at(6000));
    }
}
