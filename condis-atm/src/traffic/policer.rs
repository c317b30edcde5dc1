//! At the entrance of a network.

use std::time::Duration;

use condis::runtime::Time;

use super::{Contract, ContractError, FrameDiscard, FrameVerdict, Gcra, PolicerCounters};
use crate::cell::HeaderWord;

/// Holds one direction of a connection to its contract, cell by cell (usage parameter control).
///
/// | category | peak rate, of CLP 0+1, with CDVT | sustained rate, with burst tolerance and CDVT |
/// |---|---|---|
/// | CBR | beyond it, discards (CBR.1) | |
/// | VBR without tagging | the same | of CLP 0+1; beyond it, discards (VBR.1) |
/// | VBR with tagging | the same | of CLP 0; beyond it, tags: CLP 1 (VBR.3) |
/// | UBR | the same, if there is one (UBR.1) | |
///
/// A cell that is discarded, or only tagged, is not charged to what it did not conform to. With
/// [`Contract::frame_discard`] the rest of its AAL5 PDU goes with it ([`FrameDiscard`]). Cells of OAM are the user's, too.
///
/// A CDVT below the time of a cell is hard on a source that is only a little too fast: each cell comes early to the one before,
/// so every second is lost. With more, it gets its rate.
#[derive(Clone, Copy, Debug)]
pub struct Policer {
    peak: Option<Gcra>,
    sustained: Option<Gcra>,
    tagging: bool,
    frames: Option<FrameDiscard>,
    counters: PolicerCounters,
}

impl Policer {
    /// For this contract.
    /// # Errors
    /// The contract makes no sense.
    pub fn new(contract: &Contract) -> Result<Policer, ContractError> {
        let rates = contract.rates()?;
        let gcra = |rate, tolerance_ns: u64| {
            let tolerance_ns = tolerance_ns.saturating_add(rates.cdvt_ns);
            Gcra::new(rate, Duration::from_nanos(tolerance_ns))
        };
        Ok(Policer {
            peak: rates.pcr.map(|pcr| gcra(pcr, 0)),
            sustained: rates.sustained.map(|(scr, tolerance_ns)| gcra(scr, tolerance_ns)),
            tagging: contract.tagging,
            frames: contract.frame_discard.then(FrameDiscard::new),
            counters: PolicerCounters::default(),
        })
    }

    /// A cell with this header has come. Gives the header with which it goes on, or nothing if it is discarded.
    #[inline]
    pub fn handle_cell(&mut self, now: Time, header: HeaderWord) -> Option<HeaderWord> {
        let mut conformance = Conformance::Yes;
        let verdict = match self.frames {
            None => {
                conformance = self.police(now, header.clp());
                match conformance.passes() {
                    true => FrameVerdict::Pass,
                    false => FrameVerdict::Refused,
                }
            }
            Some(mut frames) => {
                let verdict = frames.offer(header.pti(), || {
                    conformance = self.police(now, header.clp());
                    conformance.passes()
                });
                self.frames = Some(frames);
                verdict
            }
        };
        let counters = &mut self.counters;
        match (verdict, conformance) {
            (FrameVerdict::RestOfFrame, _) => counters.dropped_rest_of_frame += 1,
            (_, Conformance::NotToPeak) => counters.dropped_peak += 1,
            (_, Conformance::NotToSustained) => counters.dropped_sustained += 1,
            (_, Conformance::Tagged) => {
                counters.tagged += 1;
                return Some(header.with_clp(true));
            }
            (_, Conformance::Yes) => {
                counters.passed += 1;
                return Some(header);
            }
        }
        None
    }

    /// What it has counted.
    pub fn counters(&self) -> &PolicerCounters {
        &self.counters
    }

    #[inline]
    fn police(&mut self, now: Time, clp: bool) -> Conformance {
        if self.peak.is_some_and(|peak| !peak.conforms(now)) {
            return Conformance::NotToPeak;
        }
        let beyond = match &mut self.sustained {
            Some(_) if self.tagging && clp => false,
            Some(sustained) => !sustained.handle_cell(now),
            None => false,
        };
        if beyond && !self.tagging {
            return Conformance::NotToSustained;
        }
        if let Some(peak) = &mut self.peak {
            peak.charge(now, 1);
        }
        if beyond { Conformance::Tagged } else { Conformance::Yes }
    }
}

/// Whether a cell conforms, and if not, to what.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Conformance {
    Yes,
    Tagged,
    NotToPeak,
    NotToSustained,
}

impl Conformance {
    fn passes(self) -> bool {
        matches!(self, Conformance::Yes | Conformance::Tagged)
    }
}
