//! Which signaling, and at which end of the line.

use std::fmt;

/// Which edition of the ATM Forum's signaling is spoken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Version {
    /// UNI 3.0, over the older SSCOP.
    Uni30,
    /// UNI 3.1.
    Uni31,
    /// UNI Signalling 4.0.
    Uni40,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Version::Uni30 => "UNI 3.0",
            Version::Uni31 => "UNI 3.1",
            Version::Uni40 => "UNI 4.0",
        })
    }
}

/// An end of the interface.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// The end system.
    User,
    /// The switch.
    Network,
}

impl Side {
    /// The other end.
    pub const fn peer(self) -> Side {
        match self {
            Side::User => Side::Network,
            Side::Network => Side::User,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::User => "user",
            Side::Network => "network",
        })
    }
}
