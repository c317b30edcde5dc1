//! How fast a port sends, where its line has a rate.

use std::time::Duration;

use condis::runtime::Time;

/// Cells that may leave at once after a pause. A timer for each cell would cost more than the cell.
pub const PACE_BURST_CELLS: u32 = 64;

/// Lets cells go at a rate, in bursts of at most [`PACE_BURST_CELLS`].
pub(super) struct Pace {
    /// Picoseconds of one cell.
    cell_ps: u128,
    /// When the line would be free if all cells that were let go had left at its rate, in picoseconds.
    free_at_ps: u128,
}

impl Pace {
    /// At this rate, at least one cell a second.
    pub(super) fn new(cells_per_s: u64) -> Pace {
        Pace { cell_ps: PS_PER_S / u128::from(cells_per_s.clamp(1, 1_000_000_000)), free_at_ps: 0 }
    }

    /// How many cells may go now.
    pub(super) fn cells(&self, now: Time) -> u32 {
        let idle = (ps(now) + self.burst_ps()).saturating_sub(self.free_at_ps);
        (idle / self.cell_ps).min(PACE_BURST_CELLS.into()) as u32
    }

    /// So many cells have gone. More than [`Pace::cells`] said is lawful, for an SDU that is longer: the line is busy with it
    /// for so much longer.
    pub(super) fn gone(&mut self, now: Time, cells: u32) {
        self.free_at_ps = self.free_at_ps.max(ps(now)) + u128::from(cells) * self.cell_ps;
    }

    /// When `cells` cells, or half a burst, may go.
    pub(super) fn next(&self, cells: u32) -> Time {
        let wanted = u128::from(cells.clamp(1, PACE_BURST_CELLS / 2));
        let at_ps = (self.free_at_ps + wanted * self.cell_ps).saturating_sub(self.burst_ps());
        Time::ZERO.after(Duration::from_nanos(u64::try_from(at_ps.div_ceil(1_000)).unwrap_or(u64::MAX)))
    }

    fn burst_ps(&self) -> u128 {
        u128::from(PACE_BURST_CELLS) * self.cell_ps
    }
}

const PS_PER_S: u128 = 1_000_000_000_000;

fn ps(now: Time) -> u128 {
    u128::from(now.as_nanos()) * 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_long_run_it_sends_at_its_rate() {
        for rate in [1u64, 100, 353_207, 1_000_000_000] {
            let mut pace = Pace::new(rate);
            let start = Time::from_nanos(5_000_000_000);
            let (mut now, mut sent) = (start, 0u64);
            while sent < 10_000 {
                let cells = pace.cells(now);
                if cells == 0 {
                    let next = pace.next(1_000);
                    assert!(next > now, "time passes");
                    now = next;
                    continue;
                }
                assert!(cells <= PACE_BURST_CELLS);
                pace.gone(now, cells);
                sent += u64::from(cells);
            }
            // All but the burst that was saved up has taken its time.
            let took = now.since(start).as_secs_f64();
            let expected = (sent - u64::from(PACE_BURST_CELLS)) as f64 / rate as f64;
            assert!(
                (took - expected).abs() <= 1e-4 * expected + 2e-9,
                "{rate}: {took} s, expected {expected} s"
            );
        }
    }

    #[test]
    fn the_timer_is_due_when_cells_may_go_and_not_before() {
        let mut pace = Pace::new(1_000);
        let now = Time::from_nanos(1_000_000_000);
        assert_eq!(pace.cells(now), 64);
        pace.gone(now, 64);
        assert_eq!(pace.cells(now), 0);
        assert_eq!(pace.next(1), now.after(Duration::from_millis(1)));
        assert_eq!(pace.next(500), now.after(Duration::from_millis(32)));
        assert_eq!(pace.cells(now.after(Duration::from_millis(32))), 32);
        pace.gone(now, 1_000);
        assert_eq!(pace.cells(now.after(Duration::from_millis(999))), 0);
    }
}
