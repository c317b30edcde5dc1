//! What an interface is told when it is made.

use std::time::Duration;

use crate::addr::{AtmAddress, Esi};
use crate::ilmi::{Attributes, Prefix};
use crate::q2931::call::Config;
use crate::q2931::wire::{Side, Version};
use crate::sscf::SaalConfig;

/// What an interface is told when it is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UniConfig {
    /// Side, version, timers and bounds of the call control.
    pub signaling: Config,
    /// Of the SAAL.
    pub saal: SaalConfig,
    /// Its addresses.
    pub addresses: AddressConfig,
    /// Wait before the SAAL is asked for again after the peer refused or ended it. 1 s: soon, and no flood. A loss that calls wait
    /// through, and a line that comes back, do not wait.
    pub saal_retry_after: Duration,
    /// Messages that wait for the SAAL to take them, at most. 262,144: an enquiry about twice as many calls as there may be.
    pub messages_waiting_max: usize,
}

/// The addresses of an interface.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AddressConfig {
    /// ILMI is spoken on VC 0.16, and registers addresses.
    pub ilmi: bool,
    /// The end systems to register (user side).
    pub esis: Vec<Esi>,
    /// The prefixes to give (network side).
    pub prefixes: Vec<Prefix>,
    /// Addresses that are there without ILMI.
    pub fixed: Vec<AtmAddress>,
    /// What ILMI says of the interface; `None`: the usual, the version that is spoken, and a system identifier from the seed.
    pub attributes: Option<Attributes>,
}

impl UniConfig {
    /// The defaults of that side and version, without addresses and without ILMI.
    pub fn new(side: Side, version: Version) -> UniConfig {
        UniConfig {
            signaling: Config::new(side, version),
            saal: match version {
                Version::Uni30 => SaalConfig::uni30(),
                Version::Uni31 | Version::Uni40 => SaalConfig::default(),
            },
            addresses: AddressConfig::default(),
            saal_retry_after: Duration::from_secs(1),
            messages_waiting_max: 262_144,
        }
    }
}
