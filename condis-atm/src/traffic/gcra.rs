//! The generic cell rate algorithm.

use std::num::NonZeroU32;
use std::time::Duration;

use condis::runtime::Time;

use super::NANOS_PER_S;

/// The generic cell rate algorithm GCRA(T, L): virtual scheduling. T is the reciprocal of a rate, L a tolerance.
///
/// A cell conforms if it comes no more than L before its theoretical arrival time (TAT). Then the TAT of the next one is T
/// after the later of both.
///
/// T is mostly no whole number of nanoseconds, so the TAT has a fraction, in parts of the rate. Nothing is ever rounded: after
/// any number of cells the TAT is where it should be. The clock tells whole nanoseconds, so a cell conforms from the nanosecond
/// on in which it would: who sends at that moment, or arrives then, is exactly on time.
///
/// Source: I.371 §5.4, ATM Forum TM 4.0 §4.4.2; known from their public descriptions, texts not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gcra {
    rate_cells_per_s: NonZeroU32,
    tolerance_ns: u64,
    /// The theoretical arrival time: whole nanoseconds, and how many parts of one, of `rate_cells_per_s` that make a whole.
    tat_ns: u64,
    tat_parts: u32,
}

impl Gcra {
    /// For this rate and this tolerance. The first cell conforms whenever it comes.
    pub fn new(rate_cells_per_s: NonZeroU32, tolerance: Duration) -> Gcra {
        let tolerance_ns = u64::try_from(tolerance.as_nanos()).unwrap_or(u64::MAX);
        Gcra { rate_cells_per_s, tolerance_ns, tat_ns: 0, tat_parts: 0 }
    }

    /// A cell comes now. True if it conforms; else nothing has changed.
    #[inline]
    pub fn handle_cell(&mut self, now: Time) -> bool {
        let conforms = self.conforms(now);
        if conforms {
            self.charge(now, 1);
        }
        conforms
    }

    /// True if a cell that comes now conforms.
    #[inline]
    pub fn conforms(&self, now: Time) -> bool {
        now >= self.conforming_at()
    }

    /// The first moment at which the next cell conforms.
    #[inline]
    pub fn conforming_at(&self) -> Time {
        Time::from_nanos(self.tat_ns.saturating_sub(self.tolerance_ns))
    }

    /// How many cells conform that come now, all at once.
    pub fn burst_at(&self, now: Time) -> u64 {
        if !self.conforms(now) {
            return 0;
        }
        let (from_ns, parts) = self.from(now);
        // Cell k of the burst, from zero on, conforms if from + k T - L < now + 1.
        let ahead_ns = u128::from(now.as_nanos()) + u128::from(self.tolerance_ns) + 1 - u128::from(from_ns);
        let ahead = ahead_ns * u128::from(self.rate_cells_per_s.get()) - u128::from(parts) - 1;
        u64::try_from(ahead / NANOS_PER_S).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// So many cells go or come now and are accounted for, whether they conform or not.
    #[inline]
    pub fn charge(&mut self, now: Time, cells: u32) {
        let rate = u64::from(self.rate_cells_per_s.get());
        let (from_ns, parts) = self.from(now);
        // Below 2^32 * 2^30 + 2^32.
        let parts = u64::from(cells) * NANOS_PER_S as u64 + u64::from(parts);
        self.tat_ns = from_ns.saturating_add(parts / rate);
        self.tat_parts = (parts % rate) as u32;
    }

    /// Where the next interval begins if a cell comes now: whole nanoseconds and parts.
    #[inline]
    fn from(&self, now: Time) -> (u64, u32) {
        if now.as_nanos() > self.tat_ns { (now.as_nanos(), 0) } else { (self.tat_ns, self.tat_parts) }
    }
}
