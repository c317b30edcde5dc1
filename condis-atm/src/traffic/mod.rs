//! Traffic contracts of a connection, and what polices and shapes by them (I.371, ATM Forum TM 4.0).
//!
//! | | |
//! |---|---|
//! | [`Contract`] | what one direction of a connection may send |
//! | [`Gcra`] | the algorithm that defines conformance, exact to the last fraction of a nanosecond |
//! | [`Policer`] | at the entrance of a network: passes, tags or discards each cell |
//! | [`FrameDiscard`] | whole AAL5 PDUs instead of single cells: for policers and queues |
//! | [`Shaper`] | at a source: when cells may go so that no policer objects |
//!
//! None of them keeps a cell. The texts were not read; the algorithm and the conformance definitions CBR.1, VBR.1, VBR.3 and
//! UBR.1 are those of their public descriptions.
//!
//! *Left out*: ABR and GFR; a peak of its own for CLP 0 (VBR.2 with discard of CLP 0 alone), which [`Contract`] cannot say.
//!
//! ```
//! use std::time::Duration;
//! use condis::runtime::Time;
//! use condis_atm::cell::HeaderWord;
//! use condis_atm::traffic::{Contract, Policer, Shaper};
//!
//! let contract = Contract::cbr(1_000); // a cell each millisecond
//! let (mut shaper, mut policer) = (Shaper::new(&contract)?, Policer::new(&contract)?);
//! let mut now = Time::ZERO;
//! let mut to_send = 5;
//! while to_send > 0 {
//!     for _ in 0..shaper.take_cells(now, to_send) {
//!         assert!(policer.handle_cell(now, HeaderWord(0x0050_0640)).is_some());
//!         to_send -= 1;
//!     }
//!     now = shaper.next_timeout().unwrap_or(now); // a driver arms a timer
//! }
//! assert_eq!(now, Time::from_nanos(4_000_000));
//! # Ok::<(), condis_atm::traffic::ContractError>(())
//! ```

mod counters;
mod frame;
mod gcra;
mod policer;
mod shaper;

pub use counters::PolicerCounters;
pub use frame::{FrameDiscard, FrameVerdict};
pub use gcra::Gcra;
pub use policer::Policer;
pub use shaper::Shaper;

use std::num::NonZeroU32;
use std::time::Duration;

/// The service categories of ATM Forum TM 4.0 §2.1 that are offered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ServiceCategory {
    /// Constant bit rate: the peak is reserved.
    Cbr,
    /// Real-time variable bit rate: the sustained rate is reserved.
    RtVbr,
    /// Non-real-time variable bit rate.
    NrtVbr,
    /// Unspecified bit rate, best effort: nothing is reserved.
    Ubr,
}

/// The sustained rate and the burst that a variable bit rate connection may have above it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Sustained {
    /// Sustainable cell rate (SCR), in cells a second, CLP 0+1.
    pub scr_cells_per_s: u32,
    /// Maximum burst size (MBS), in cells at the peak rate.
    pub mbs_cells: u32,
}

/// What one direction of a connection may send. All rates are of CLP 0+1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Contract {
    /// The service category.
    pub category: ServiceCategory,
    /// Peak cell rate (PCR), in cells a second. `None`: the rate of the line (UBR only).
    pub pcr_cells_per_s: Option<u32>,
    /// Of the two VBR categories.
    pub sustained: Option<Sustained>,
    /// Cell delay variation tolerance (CDVT) at the peak rate.
    pub cdvt: Duration,
    /// Cells beyond the sustained rate are tagged (CLP 1) instead of discarded.
    pub tagging: bool,
    /// Whole AAL5 PDUs are discarded rather than cells of them.
    pub frame_discard: bool,
}

impl Contract {
    /// Best effort at the rate of the line.
    pub const UBR: Contract = Contract {
        category: ServiceCategory::Ubr,
        pcr_cells_per_s: None,
        sustained: None,
        cdvt: Duration::from_micros(250),
        tagging: false,
        frame_discard: true,
    };

    /// Constant bit rate at this peak.
    pub const fn cbr(pcr_cells_per_s: u32) -> Contract {
        Contract {
            category: ServiceCategory::Cbr,
            pcr_cells_per_s: Some(pcr_cells_per_s),
            frame_discard: false,
            ..Contract::UBR
        }
    }

    /// Non-real-time variable bit rate, in this peak and this sustained rate.
    pub const fn nrt_vbr(pcr_cells_per_s: u32, sustained: Sustained) -> Contract {
        Contract {
            category: ServiceCategory::NrtVbr,
            pcr_cells_per_s: Some(pcr_cells_per_s),
            sustained: Some(sustained),
            ..Contract::UBR
        }
    }

    /// Real-time variable bit rate, in this peak and this sustained rate.
    pub const fn rt_vbr(pcr_cells_per_s: u32, sustained: Sustained) -> Contract {
        Contract {
            category: ServiceCategory::RtVbr,
            frame_discard: false,
            ..Contract::nrt_vbr(pcr_cells_per_s, sustained)
        }
    }

    /// Whether the contract makes sense; only then can it be policed or shaped.
    /// # Errors
    /// What is missing or impossible in it.
    pub fn check(&self) -> Result<(), ContractError> {
        self.rates().map(drop)
    }

    /// Burst tolerance (BT): how early cells may come, to the sustained rate, so that a burst of MBS cells at the peak
    /// rate passes: (MBS - 1)(1/SCR - 1/PCR), rounded up to a nanosecond. `None` without a sustained rate, or if the contract
    /// makes no sense.
    ///
    /// Source: ATM Forum TM 4.0 annex C.
    pub fn burst_tolerance(&self) -> Option<Duration> {
        let rates = self.rates().ok()?;
        rates.sustained.map(|(_, tolerance_ns)| Duration::from_nanos(tolerance_ns))
    }

    /// What police and shape by it.
    fn rates(&self) -> Result<Rates, ContractError> {
        let category = self.category;
        let pcr = match self.pcr_cells_per_s.map(NonZeroU32::new) {
            Some(None) => return Err(ContractError::ZeroRate),
            None if category != ServiceCategory::Ubr => return Err(ContractError::NoPeak(category)),
            None => None,
            Some(pcr) => pcr,
        };
        let sustained = match (category, self.sustained, pcr) {
            (ServiceCategory::Cbr | ServiceCategory::Ubr, None, _) => None,
            (ServiceCategory::Cbr | ServiceCategory::Ubr, Some(_), _) => {
                return Err(ContractError::SustainedOfNoUse(category));
            }
            (ServiceCategory::RtVbr | ServiceCategory::NrtVbr, Some(sustained), Some(pcr)) => {
                Some(sustained.rate_and_tolerance(pcr)?)
            }
            (ServiceCategory::RtVbr | ServiceCategory::NrtVbr, _, _) => {
                return Err(ContractError::NoSustained(category));
            }
        };
        let cdvt_ns = u64::try_from(self.cdvt.as_nanos()).unwrap_or(u64::MAX);
        Ok(Rates { pcr, cdvt_ns, sustained })
    }

    /// Cells a second that the network must set aside for it: the peak of CBR, the sustained rate of VBR, nothing of UBR.
    pub fn reserved_cells_per_s(&self) -> u32 {
        match (self.category, self.sustained) {
            (ServiceCategory::Ubr, _) => 0,
            (ServiceCategory::Cbr, _) | (_, None) => self.pcr_cells_per_s.unwrap_or(0),
            (ServiceCategory::RtVbr | ServiceCategory::NrtVbr, Some(sustained)) => sustained.scr_cells_per_s,
        }
    }
}

impl Sustained {
    /// SCR, and burst tolerance in nanoseconds.
    fn rate_and_tolerance(self, pcr: NonZeroU32) -> Result<(NonZeroU32, u64), ContractError> {
        let scr = NonZeroU32::new(self.scr_cells_per_s).ok_or(ContractError::ZeroRate)?;
        if scr > pcr {
            return Err(ContractError::SustainedAbovePeak { scr: scr.get(), pcr: pcr.get() });
        }
        let burst = self.mbs_cells.checked_sub(1).ok_or(ContractError::ZeroBurst)?;
        let (scr_wide, pcr_wide) = (u128::from(scr.get()), u128::from(pcr.get()));
        // Below 2^32 * 2^32 * 2^30.
        let tolerance_ns =
            (u128::from(burst) * (pcr_wide - scr_wide) * NANOS_PER_S).div_ceil(scr_wide * pcr_wide);
        Ok((scr, u64::try_from(tolerance_ns).unwrap_or(u64::MAX)))
    }
}

/// A contract that makes sense.
struct Rates {
    pcr: Option<NonZeroU32>,
    cdvt_ns: u64,
    /// SCR, and burst tolerance in nanoseconds.
    sustained: Option<(NonZeroU32, u64)>,
}

const NANOS_PER_S: u128 = 1_000_000_000;

/// Why a contract makes no sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContractError {
    /// All but UBR need a peak rate.
    #[error("{0:?} needs a peak cell rate")]
    NoPeak(ServiceCategory),
    /// VBR needs a sustained rate.
    #[error("{0:?} needs a sustainable cell rate and a maximum burst size")]
    NoSustained(ServiceCategory),
    /// CBR and UBR have none.
    #[error("{0:?} has no sustainable cell rate")]
    SustainedOfNoUse(ServiceCategory),
    /// A rate is zero: nothing could ever be sent.
    #[error("a cell rate is zero")]
    ZeroRate,
    /// No burst is smaller than one cell.
    #[error("a maximum burst size is zero, and one cell is the least")]
    ZeroBurst,
    /// The sustained rate is above the peak.
    #[error("the sustainable cell rate {scr} is above the peak cell rate {pcr}")]
    SustainedAbovePeak {
        /// The sustained rate.
        scr: u32,
        /// The peak.
        pcr: u32,
    },
}

#[cfg(test)]
mod tests;
