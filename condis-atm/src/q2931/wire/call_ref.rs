//! Call references.

use std::fmt;

/// Whose call a message is about (Q.2931 §4.3, UNI 3.1 §5.4.3): 23 bits chosen by the side that began the
/// call, and a flag that says whether a message goes towards that side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallRef {
    value: u32,
    to_originator: bool,
}

impl CallRef {
    /// The interface as a whole: RESTART, and STATUS about it. Sent by the side that began; its answer is
    /// [`CallRef::reply`].
    pub const GLOBAL: CallRef = CallRef { value: 0, to_originator: false };
    /// The reference of messages of no call (Q.2931 §4.3: all ones).
    pub const DUMMY: CallRef = CallRef { value: Self::VALUE_MAX, to_originator: false };
    /// The greatest value that fits.
    pub const VALUE_MAX: u32 = 0x7f_ffff;
    /// Octets that a reference has here; its length octet says 3 (Q.2931 §4.3).
    pub const OCTETS: usize = 3;

    /// The reference with this value, in messages *from* the side that began the call (flag 0). `None` if the
    /// value is global, dummy or has more than 23 bits.
    pub const fn from_originator(value: u32) -> Option<CallRef> {
        if value == 0 || value >= Self::VALUE_MAX {
            return None;
        }
        Some(CallRef { value, to_originator: false })
    }

    /// Any reference at all; bits above the 23 are cut off.
    pub const fn new(value: u32, to_originator: bool) -> CallRef {
        CallRef { value: value & Self::VALUE_MAX, to_originator }
    }

    /// The same call, in the other direction.
    pub const fn reply(self) -> CallRef {
        CallRef { to_originator: !self.to_originator, ..self }
    }

    /// The 23 bits.
    pub const fn value(self) -> u32 {
        self.value
    }

    /// The flag: the message goes to the side that began the call.
    pub const fn is_to_originator(self) -> bool {
        self.to_originator
    }

    /// Value 0, whatever the flag.
    pub const fn is_global(self) -> bool {
        self.value == 0
    }

    /// All ones, whatever the flag.
    pub const fn is_dummy(self) -> bool {
        self.value == Self::VALUE_MAX
    }

    /// Its three octets.
    pub const fn to_octets(self) -> [u8; Self::OCTETS] {
        let [_, high, middle, low] = self.value.to_be_bytes();
        [high | (self.to_originator as u8) << 7, middle, low]
    }

    /// The reference of three octets.
    pub const fn from_octets(octets: [u8; Self::OCTETS]) -> CallRef {
        let [high, middle, low] = octets;
        CallRef::new(u32::from_be_bytes([0, high & 0x7f, middle, low]), high & 0x80 != 0)
    }
}

impl fmt::Display for CallRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            0 => f.write_str("global")?,
            Self::VALUE_MAX => f.write_str("dummy")?,
            value => write!(f, "{value}")?,
        }
        f.write_str(if self.to_originator { " (dest)" } else { " (orig)" })
    }
}

impl fmt::Debug for CallRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
