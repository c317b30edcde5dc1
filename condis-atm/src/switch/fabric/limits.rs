//! How long the queues of a port are, and from where on they discard and mark.

use crate::traffic::ServiceCategory;

/// The classes of a port's queues; the first that has something is sent first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// What the switch itself says: signaling and ILMI.
    Control,
    /// Constant bit rate.
    Cbr,
    /// Real-time variable bit rate.
    RtVbr,
    /// Non-real-time variable bit rate.
    NrtVbr,
    /// Best effort.
    Ubr,
}

impl Class {
    /// All, in the order in which they are sent.
    pub const ALL: [Class; 5] = [Class::Control, Class::Cbr, Class::RtVbr, Class::NrtVbr, Class::Ubr];
}

impl From<ServiceCategory> for Class {
    fn from(category: ServiceCategory) -> Class {
        match category {
            ServiceCategory::Cbr => Class::Cbr,
            ServiceCategory::RtVbr => Class::RtVbr,
            ServiceCategory::NrtVbr => Class::NrtVbr,
            ServiceCategory::Ubr => Class::Ubr,
        }
    }
}

/// The bounds of one queue, in cells. An SDU counts as the cells that it makes.
///
/// A cell is taken while fewer cells are queued than the bound that holds for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueLimit {
    /// Of all cells. The queue is never longer.
    pub cells_max: u32,
    /// Of those that may be lost first (CLP 1).
    pub clp1_cells_max: u32,
    /// From here on no new frame is begun, of a connection with frame discard.
    pub frame_begin_cells_max: u32,
    /// Of the cells of a frame, all but its last; the rest up to `cells_max` is there for last cells, so that a damaged
    /// frame has its end.
    pub frame_cells_max: u32,
    /// From here on cells are marked with congestion (EFCI).
    pub efci_cells_min: u32,
}

impl QueueLimit {
    /// A queue of this length that loses CLP 1 from 3/4 on, begins no frame from 4/5 on, keeps 1/16 for last cells, and marks
    /// from 1/2 on.
    pub const fn of(cells_max: u32) -> QueueLimit {
        QueueLimit {
            cells_max,
            clp1_cells_max: cells_max - cells_max / 4,
            frame_begin_cells_max: cells_max - cells_max / 5,
            frame_cells_max: cells_max - cells_max / 16,
            efci_cells_min: cells_max / 2,
        }
    }
}

/// The bounds of all queues of a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueLimits {
    /// Of the switch's own messages. Full, it loses the rest; SSCOP repeats them.
    pub control: QueueLimit,
    /// Of CBR: short, as what waits long is worth nothing, but with room for the largest SDU (65535 octets, 1366 cells).
    pub cbr: QueueLimit,
    /// Of real-time VBR.
    pub rt_vbr: QueueLimit,
    /// Of non-real-time VBR.
    pub nrt_vbr: QueueLimit,
    /// Of best effort: some of the largest SDUs that begin at once find room.
    pub ubr: QueueLimit,
}

impl Default for QueueLimits {
    fn default() -> QueueLimits {
        QueueLimits {
            control: QueueLimit::of(4096),
            cbr: QueueLimit::of(2048),
            rt_vbr: QueueLimit::of(2048),
            nrt_vbr: QueueLimit::of(4096),
            ubr: QueueLimit::of(8192),
        }
    }
}

impl QueueLimits {
    /// Every queue of this length.
    pub const fn all(cells_max: u32) -> QueueLimits {
        let limit = QueueLimit::of(cells_max);
        QueueLimits { control: limit, cbr: limit, rt_vbr: limit, nrt_vbr: limit, ubr: limit }
    }

    pub(super) fn of(&self, class: Class) -> QueueLimit {
        match class {
            Class::Control => self.control,
            Class::Cbr => self.cbr,
            Class::RtVbr => self.rt_vbr,
            Class::NrtVbr => self.nrt_vbr,
            Class::Ubr => self.ubr,
        }
    }
}
