//! The last eight octets of a PDU.

use std::fmt;

use super::TRAILER_OCTETS;

/// The trailer of a PDU: the value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Trailer {
    /// CPCS user-to-user indication: carried as it is, for the layer above.
    pub uu: u8,
    /// Common part indicator: zero in what this library sends and takes.
    pub cpi: u8,
    /// Octets of the SDU. Zero tells that the sender aborts this PDU.
    pub length: u16,
    /// Over all of the PDU before it.
    pub crc: u32,
}

impl Trailer {
    /// Takes the octets apart.
    pub const fn parse(octets: [u8; TRAILER_OCTETS]) -> Trailer {
        let [uu, cpi, high, low, a, b, c, d] = octets;
        Trailer { uu, cpi, length: u16::from_be_bytes([high, low]), crc: u32::from_be_bytes([a, b, c, d]) }
    }

    /// The octets.
    pub const fn encode(self) -> [u8; TRAILER_OCTETS] {
        let [high, low] = self.length.to_be_bytes();
        let [a, b, c, d] = self.crc.to_be_bytes();
        [self.uu, self.cpi, high, low, a, b, c, d]
    }
}

impl fmt::Display for Trailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Trailer { uu, cpi, length, crc } = self;
        write!(f, "AAL5 uu {uu} cpi {cpi} length {length} crc {crc:#010x}")
    }
}
