//! What a cell's payload is.

use std::fmt;

/// The payload type identifier (PTI): three bits. Source: I.361 §2.2.4, known from its public descriptions; text not read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pti(u8);

impl Pti {
    /// User data, no congestion, not the last of its AAL5 PDU.
    pub const USER: Pti = Pti(0b000);
    /// User data, no congestion, the last of its AAL5 PDU (ATM-user-to-ATM-user indication 1).
    pub const USER_LAST: Pti = Pti(0b001);
    /// OAM F5, one segment of the connection.
    pub const OAM_SEGMENT: Pti = Pti(0b100);
    /// OAM F5, from one end of the connection to the other.
    pub const OAM_END_TO_END: Pti = Pti(0b101);
    /// Resource management.
    pub const RESOURCE_MANAGEMENT: Pti = Pti(0b110);
    /// Reserved.
    pub const RESERVED: Pti = Pti(0b111);

    const AUU: u8 = 0b001;
    const EFCI: u8 = 0b010;
    const NOT_USER: u8 = 0b100;

    /// The PTI of the last three of these bits.
    pub const fn new(bits: u8) -> Pti {
        Pti(bits & 0b111)
    }

    /// Its three bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// True for user data; what follows is about user data only.
    pub const fn is_user(self) -> bool {
        self.0 & Self::NOT_USER == 0
    }

    /// True if the cell ends an AAL5 PDU: user data with the ATM-user-to-ATM-user indication (AUU).
    pub const fn is_last(self) -> bool {
        self.0 & (Self::NOT_USER | Self::AUU) == Self::AUU
    }

    /// True if a user cell met congestion: explicit forward congestion indication (EFCI).
    pub const fn efci(self) -> bool {
        self.0 & (Self::NOT_USER | Self::EFCI) == Self::EFCI
    }

    /// True for the two flows of OAM F5.
    pub const fn is_oam(self) -> bool {
        matches!(self, Pti::OAM_SEGMENT | Pti::OAM_END_TO_END)
    }

    /// The same, with congestion told; what is no user data stays as it is.
    #[must_use]
    pub const fn with_efci(self) -> Pti {
        if self.is_user() { Pti(self.0 | Self::EFCI) } else { self }
    }
}

impl fmt::Display for Pti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            0b000 => "user",
            0b001 => "user, last",
            0b010 => "user, congestion",
            0b011 => "user, congestion, last",
            0b100 => "OAM F5 segment",
            0b101 => "OAM F5 end to end",
            0b110 => "resource management",
            _ => "reserved",
        })
    }
}

impl fmt::Debug for Pti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PTI {} ({self})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_the_eight_is_what_it_is() {
        let rows = [
            (Pti::USER, true, false, false),
            (Pti::USER_LAST, true, true, false),
            (Pti::new(0b010), true, false, true),
            (Pti::new(0b011), true, true, true),
            (Pti::OAM_SEGMENT, false, false, false),
            (Pti::OAM_END_TO_END, false, false, false),
            (Pti::RESOURCE_MANAGEMENT, false, false, false),
            (Pti::RESERVED, false, false, false),
        ];
        for (bits, (pti, user, last, efci)) in rows.into_iter().enumerate() {
            assert_eq!(usize::from(pti.bits()), bits);
            assert_eq!((pti.is_user(), pti.is_last(), pti.efci()), (user, last, efci), "{pti}");
            assert_eq!(pti.is_oam(), bits == 4 || bits == 5, "{pti}");
            assert_eq!(pti.with_efci().efci(), user, "{pti}");
            assert_eq!(pti.with_efci().is_last(), last, "{pti}");
        }
    }
}
