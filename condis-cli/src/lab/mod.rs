//! A lab: which nodes there are, what drives their adapters, and what their clients do.
//!
//! [`Lab::load`] reads one of the built-ins or a file, and answers what is wrong in it with the place, what was expected and
//! the nearest valid name. The built-ins are also the documentation of the format: `condis labs show NAME`.

mod atm;
mod builtin;
mod check;
mod error;
mod file;
mod ip;
mod load;
mod plan;
mod values;

use std::num::NonZeroU64;

pub use atm::Layers;
pub(crate) use atm::{EXPECTED_BHLI, EXPECTED_BLLI, VERSIONS, bhli, bhli_info, esi, hex, with_selector};
pub use builtin::{BUILTINS, Builtin};
pub use error::LabError;
pub(crate) use error::did_you_mean;
pub use ip::{HostPlan, IpPlan, PingPlan};
pub use plan::{
    AdapterPlan, AtmPlan, AtmTarget, CallPlan, CallTo, Check, ClientPlan, Close, Cut, FibrePlan, Lab,
    LinkPlan, Manager, Network, NodePlan, Offer, PortPlan, Segment, SwitchPlan, SwitchPvc,
};
pub use values::Source;
pub(crate) use values::octets_of;

/// The longest part of the data in one frame: 1494 octets of PPP frame on a plain Ethernet, less what the lab client needs.
pub const FRAME_OCTETS_MAX: usize = 1494 - crate::client::OVERHEAD_OCTETS;

/// The longest SDU of AAL5.
pub const SDU_OCTETS_MAX: u32 = 65_535;

/// Rates are counted in bits per second.
pub type BitsPerSecond = NonZeroU64;
