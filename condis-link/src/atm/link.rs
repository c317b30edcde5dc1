//! The seam between a line of ATM and its user.

use std::fmt;
use std::io::IoSlice;
use std::sync::Weak;

use crate::counters::Counters;

/// Octets of a cell: 5 of header, the last of them the HEC, and 48 of payload.
pub const CELL_OCTETS: usize = 53;

/// Cells or SDUs that one call of [`AtmLinkUser`] brings at most.
pub const ATM_BATCH_MAX: usize = 256;

/// A cell as it is on the wire, its HEC included.
pub type Cell = [u8; CELL_OCTETS];

/// A virtual path identifier: 8 bits at a UNI, 12 at an NNI.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Vpi(pub u16);

/// A virtual channel identifier: 16 bits. Those below 32 belong to the standards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Vci(pub u16);

/// Which virtual connection of an interface: `0.5` is VPI 0, VCI 5.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct VpVc {
    /// The path.
    pub vpi: Vpi,
    /// The channel in it.
    pub vci: Vci,
}

impl VpVc {
    /// Signaling, point to point (UNI 3.1 §5.1.1).
    pub const SIGNALING: VpVc = VpVc::new(0, 5);
    /// ILMI (UNI 3.1 §4).
    pub const ILMI: VpVc = VpVc::new(0, 16);

    /// The connection with these numbers.
    pub const fn new(vpi: u16, vci: u16) -> VpVc {
        VpVc { vpi: Vpi(vpi), vci: Vci(vci) }
    }
}

impl fmt::Display for VpVc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.vpi.0, self.vci.0)
    }
}

impl fmt::Debug for VpVc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a line carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Cells. [`AtmLink::transmit_cells`] and [`AtmLinkUser::receive_cells`] alone are used.
    Cells,
    /// AAL5 SDUs. [`AtmLink::transmit_sdus`] and [`AtmLinkUser::receive_sdus`] alone are used.
    Sdus,
}

/// An AAL5 SDU to be sent, which may lie in memory in several pieces.
#[derive(Clone, Copy, Debug)]
pub struct Sdu<'a> {
    /// On which connection.
    pub vpvc: VpVc,
    /// The octets, one piece behind the other.
    pub parts: &'a [IoSlice<'a>],
}

/// An AAL5 SDU that arrived.
#[derive(Clone, Copy, Debug)]
pub struct SduIn<'a> {
    /// On which connection.
    pub vpvc: VpVc,
    /// The octets.
    pub octets: &'a [u8],
}

/// One end of a line of ATM.
///
/// Any method may be called from any thread and from inside any callback. No method calls the user from inside itself.
pub trait AtmLink: Send + Sync {
    /// What the line is called, for messages: `fibre/a`, `atmtcp/127.0.0.1:2812`.
    fn name(&self) -> &str;

    /// What it carries.
    fn form(&self) -> Form;

    /// Cells a second in one direction, if the line has a rate and it is known.
    fn cells_per_s(&self) -> Option<u64>;

    /// Octets of the longest SDU; of a line of cells what AAL5 allows.
    fn sdu_octets_max(&self) -> usize {
        65_535
    }

    /// True while something can pass. A change is told through [`AtmLinkUser::link_state`].
    fn is_up(&self) -> bool;

    /// Makes `user` the one who is called from now on; it replaces the user before. The line does not keep its user alive.
    /// The state is not told; ask [`AtmLink::is_up`] after this call, and no change is missed.
    fn attach(&self, user: Weak<dyn AtmLinkUser>);

    /// Sends cells, in order, and gives how many of them were taken, from the first on. The line is done with the memory on
    /// return. Those behind were refused because the queue is full, and [`AtmLinkUser::writable`] will tell once when there
    /// is room. A line that is down or closed, or is of the other form, takes everything, loses it and counts it.
    fn transmit_cells(&self, cells: &[Cell]) -> usize;

    /// The same for SDUs.
    fn transmit_sdus(&self, sdus: &[Sdu<'_>]) -> usize;

    /// A connection was opened, or closed, at this end: lines that tell the other end (atmtcp) do; most do nothing.
    fn vc_state(&self, vpvc: VpVc, open: bool) {
        let _ = (vpvc, open);
    }

    /// Takes this end off the line for good. Neither waits nor calls; twice is once.
    fn close(&self);

    /// What happened to the cells or SDUs of this end.
    fn counters(&self) -> &Counters;
}

/// Who is attached to a line. Calls of one line come one at a time and in order; they may come while the user is inside a
/// call of its own to the line, on another thread.
pub trait AtmLinkUser: Send + Sync {
    /// 1 to [`ATM_BATCH_MAX`] cells arrived, in order, lent until this returns. Nobody has looked at their HEC.
    fn receive_cells(&self, cells: &[Cell]);

    /// 1 to [`ATM_BATCH_MAX`] SDUs arrived, in order, lent until this returns.
    fn receive_sdus(&self, sdus: &[SduIn<'_>]);

    /// The line went up or down.
    fn link_state(&self, up: bool);

    /// After a transmit that refused something: there is room again.
    fn writable(&self) {}
}
