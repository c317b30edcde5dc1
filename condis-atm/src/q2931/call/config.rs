//! What call control is told when it is made, and its bounds.

use super::Timers;
use crate::q2931::wire::{Side, Version};

/// What the call control of one interface is told when it is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Which end it is.
    pub side: Side,
    /// What it speaks.
    pub version: Version,
    /// How long its timers run.
    pub timers: Timers,
    /// Its bounds.
    pub limits: Limits,
    /// Every change of a call's state becomes an [`Output::Transition`](super::Output::Transition).
    pub trace: bool,
}

impl Config {
    /// The defaults of that side and version.
    pub const fn new(side: Side, version: Version) -> Config {
        Config { side, version, timers: Timers::of(side, version), limits: Limits::DEFAULT, trace: false }
    }
}

/// The bounds of the call control of one interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Calls at once, in any state. 131,072: twice the VCIs of one path, and some 20 MB.
    pub calls_max: usize,
    /// Parties of one call. 1,024: what UNI 3.1's 15 bits allow is more than a switch replicates to.
    pub parties_max: usize,
    /// The greatest VPI that a call may have: 255 at a UNI.
    pub vpi_max: u16,
}

impl Limits {
    /// The defaults.
    pub const DEFAULT: Limits = Limits { calls_max: 131_072, parties_max: 1_024, vpi_max: 255 };
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::DEFAULT
    }
}
