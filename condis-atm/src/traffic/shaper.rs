//! At a source.

use std::time::Duration;

use condis::runtime::Time;

use super::{Contract, ContractError, Gcra};

/// Tells one VC's source when its cells may go, so that no policer of the same contract objects.
///
/// It keeps no cell. The source asks with [`Shaper::take_cells`] how many of those it has may go now, and asks again at
/// [`Shaper::next_timeout`]. A source whose line takes whole SDUs asks with [`Shaper::take_pdu`].
///
/// | category | spacing |
/// |---|---|
/// | CBR | at the peak rate |
/// | VBR | at the peak rate, in bursts of up to MBS cells, within the sustained rate |
/// | UBR | at the peak rate, if there is one |
///
/// A timer that fires late costs rate: a spacing that is lost cannot be made up for within the contract, but for what its CDVT
/// allows. [`Shaper::new`] leaves that to the network in between; [`Shaper::with_cdvt`] uses it up at the source, for one whose
/// timers are coarse and whose line is the policer's own.
#[derive(Clone, Copy, Debug)]
pub struct Shaper {
    peak: Option<Gcra>,
    sustained: Option<Gcra>,
    /// Cells are waiting: the last request could not be met.
    waiting: bool,
}

impl Shaper {
    /// Cells never come closer than the peak rate says.
    /// # Errors
    /// The contract makes no sense.
    pub fn new(contract: &Contract) -> Result<Shaper, ContractError> {
        Shaper::within(contract, 0)
    }

    /// Cells may be late by the contract's CDVT, and those behind make up for it.
    /// # Errors
    /// The contract makes no sense.
    pub fn with_cdvt(contract: &Contract) -> Result<Shaper, ContractError> {
        Shaper::within(contract, contract.rates()?.cdvt_ns)
    }

    fn within(contract: &Contract, cdvt_ns: u64) -> Result<Shaper, ContractError> {
        let rates = contract.rates()?;
        let gcra = |rate, ns: u64| Gcra::new(rate, Duration::from_nanos(ns.saturating_add(cdvt_ns)));
        Ok(Shaper {
            peak: rates.pcr.map(|pcr| gcra(pcr, 0)),
            sustained: rates.sustained.map(|(scr, tolerance_ns)| gcra(scr, tolerance_ns)),
            waiting: false,
        })
    }

    /// Takes leave for cells that go now: as many as are wanted, or as may go. If that is less, [`Shaper::next_timeout`]
    /// tells when the next may.
    pub fn take_cells(&mut self, now: Time, wanted: usize) -> usize {
        let buckets = [self.peak, self.sustained].into_iter().flatten();
        let may = buckets.map(|bucket| bucket.burst_at(now)).min().unwrap_or(u64::MAX);
        let cells = wanted.min(usize::try_from(may).unwrap_or(usize::MAX)).min(u32::MAX as usize);
        self.waiting = cells < wanted;
        if cells > 0 {
            self.charge(now, cells as u32);
        }
        cells
    }

    /// Takes leave for all cells of a PDU, which go now. True if its first cell may; then the next PDU waits until all of them
    /// are paid for, so that the rate is kept over PDUs, though not within one. False if it has to wait for
    /// [`Shaper::next_timeout`].
    pub fn take_pdu(&mut self, now: Time, cells: usize) -> bool {
        let may = now >= self.next_at();
        self.waiting = !may;
        if may {
            self.charge(now, u32::try_from(cells).unwrap_or(u32::MAX));
        }
        may
    }

    /// The first moment at which a cell, or a PDU, may go.
    pub fn next_at(&self) -> Time {
        let buckets = [self.peak, self.sustained].into_iter().flatten();
        buckets.map(|bucket| bucket.conforming_at()).max().unwrap_or(Time::ZERO)
    }

    /// When to ask again. `None` if the last request was met.
    pub fn next_timeout(&self) -> Option<Time> {
        self.waiting.then(|| self.next_at())
    }

    fn charge(&mut self, now: Time, cells: u32) {
        for bucket in [&mut self.peak, &mut self.sustained].into_iter().flatten() {
            bucket.charge(now, cells);
        }
    }
}
