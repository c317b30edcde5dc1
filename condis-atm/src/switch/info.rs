//! What a switch tells about itself: each thing prints in one line.

use std::fmt;

use condis_link::atm::{Form, VpVc};

use super::fabric::{FlowInfo, PortCounters};
use super::port::PortId;
use crate::addr::AtmAddress;
use crate::cell::HecCounters;
use crate::switch::fabric::Drops;
use crate::uni::Contracts;

/// A port in one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortInfo {
    /// Its name in the switch.
    pub id: PortId,
    /// Its name in the configuration.
    pub name: String,
    /// What its line carries.
    pub form: Form,
    /// Its line is up.
    pub line_is_up: bool,
    /// Its SAAL stands: calls can pass.
    pub signaling_is_up: bool,
    /// The addresses that are at it, registered or fixed.
    pub addresses: Vec<AtmAddress>,
    /// Calls of its signaling, in any state.
    pub calls: usize,
    /// VPI/VCI that are in use, those of PVCs included.
    pub vcs_in_use: usize,
    /// VPI/VCI that wait for their last cells to leave.
    pub vcs_draining: usize,
    /// Cells a second that are set aside of what comes in.
    pub incoming_reserved_cells_per_s: u64,
    /// Cells a second that are set aside of what goes out.
    pub outgoing_reserved_cells_per_s: u64,
    /// How much may be set aside of either; `None`: there is no limit.
    pub bookable_cells_per_s: Option<u64>,
}

impl fmt::Display for PortInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (self.line_is_up, self.signaling_is_up) {
            (false, _) => "line down",
            (true, false) => "signaling down",
            (true, true) => "up",
        };
        let (incoming, outgoing) = (self.incoming_reserved_cells_per_s, self.outgoing_reserved_cells_per_s);
        write!(f, "{} {} {state}, {} calls, {} vcs", self.id, self.name, self.calls, self.vcs_in_use)?;
        write!(f, ", {incoming} in {outgoing} out")?;
        if let Some(bookable) = self.bookable_cells_per_s {
            write!(f, " of {bookable}")?;
        }
        f.write_str(" cells/s")?;
        self.addresses.iter().try_for_each(|address| write!(f, ", {address}"))
    }
}

/// A call in one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SwitchCallInfo {
    /// Where it came in.
    pub root: (PortId, VpVc),
    /// Where it goes out.
    pub branches: Vec<(PortId, VpVc)>,
    /// Who is called; of a point-to-multipoint call the first party.
    pub called: AtmAddress,
    /// The contracts that hold.
    pub contracts: Contracts,
    /// How many parties it has, if it is point-to-multipoint.
    pub parties: Option<usize>,
    /// It is answered.
    pub is_connected: bool,
}

impl fmt::Display for SwitchCallInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ->", self.root.0, self.root.1)?;
        for (at, (port, vpvc)) in self.branches.iter().enumerate() {
            write!(f, "{} {port} {vpvc}", if at == 0 { "" } else { "," })?;
        }
        write!(f, " to {} {:?}", self.called, self.contracts.forward.category)?;
        if let Some(peak) = self.contracts.forward.pcr_cells_per_s {
            write!(f, " {peak}")?;
        }
        if let Some(parties) = self.parties {
            write!(f, " {parties} parties")?;
        }
        f.write_str(if self.is_connected { " connected" } else { " offered" })
    }
}

/// A direction of a connection in one line.
#[derive(Clone, PartialEq, Debug)]
pub struct SwitchVcInfo {
    /// Where its cells come in.
    pub from: (PortId, VpVc),
    /// The rest.
    pub flow: FlowInfo,
}

impl fmt::Display for SwitchVcInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ->", self.from.0, self.from.1)?;
        for (at, (port, vpvc)) in self.flow.legs.iter().enumerate() {
            write!(f, "{} {port} {vpvc}", if at == 0 { "" } else { "," })?;
        }
        if self.flow.legs.is_empty() {
            f.write_str(" nowhere")?;
        }
        write!(f, ": {} cells", self.flow.cells)?;
        print_counted(f, self.flow.drops.iter())
    }
}

/// What a port has counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortCounts {
    /// What passed it.
    pub passed: PortCounters,
    /// What was dropped on its way in or out.
    pub drops: Drops,
    /// What its headers were like.
    pub hec: HecCounters,
}

impl PortCounts {
    /// All names with their numbers, the zeros too, always in the same order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        self.passed.iter().chain(self.drops.iter()).chain(self.hec.iter())
    }
}

/// In one line, without those that are zero.
impl fmt::Display for PortCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "received {}", self.passed.received)?;
        print_counted(f, self.iter().skip(1))
    }
}

fn print_counted(
    f: &mut fmt::Formatter<'_>,
    mut counted: impl Iterator<Item = (&'static str, u64)>,
) -> fmt::Result {
    counted.try_for_each(|(name, number)| if number == 0 { Ok(()) } else { write!(f, ", {name} {number}") })
}
