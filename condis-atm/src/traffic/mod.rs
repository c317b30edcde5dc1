//! Traffic contracts of a connection, and what polices and shapes by them (I.371, ATM Forum TM 4.0).

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

    /// Cells a second that the network must set aside for it: the peak of CBR, the sustained rate of VBR, nothing of UBR.
    pub fn reserved_cells_per_s(&self) -> u32 {
        match (self.category, self.sustained) {
            (ServiceCategory::Ubr, _) => 0,
            (ServiceCategory::Cbr, _) | (_, None) => self.pcr_cells_per_s.unwrap_or(0),
            (ServiceCategory::RtVbr | ServiceCategory::NrtVbr, Some(sustained)) => sustained.scr_cells_per_s,
        }
    }
}
