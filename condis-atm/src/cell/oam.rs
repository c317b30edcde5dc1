//! The payload of OAM cells: type and function, 45 octets of the function, CRC-10 (I.610 §10).
//!
//! The layout is that of Wireshark's `packet-atm.c` and of public descriptions of I.610; its text was not read.
//!
//! ```text
//!  0: OAM type (4 bits), function (4 bits)
//!  1: loopback indication: last bit 1 on the way out, 0 on the way back    ┐
//!  2: correlation tag (4 octets)                                           │ of a loopback cell
//!  6: loopback location (16 octets)                                        │
//! 22: source (16 octets)                                                   │
//! 38: unused (8 octets of 0x6a)                                            ┘
//! 46: reserved (6 bits), CRC-10 (10 bits) over all before it
//! ```

use std::fmt;

use super::{IDLE_OCTET, PAYLOAD_OCTETS};

const INDICATION_AT: usize = 1;
const TAG_AT: usize = 2;
const LOCATION_AT: usize = 6;
const SOURCE_AT: usize = 22;
const UNUSED_AT: usize = 38;
const CRC_AT: usize = 46;

/// x^10 + x^9 + x^5 + x^4 + x + 1, from zero, not reflected.
static CRC_10: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_10_ATM);

/// What an OAM cell does: its type and function, in one octet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Function(pub u8);

impl Function {
    /// Fault management: alarm indication signal.
    pub const AIS: Function = Function(0x10);
    /// Fault management: remote defect indication.
    pub const RDI: Function = Function(0x11);
    /// Fault management: continuity check.
    pub const CONTINUITY_CHECK: Function = Function(0x14);
    /// Fault management: loopback.
    pub const LOOPBACK: Function = Function(0x18);
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Function::AIS => f.write_str("AIS"),
            Function::RDI => f.write_str("RDI"),
            Function::CONTINUITY_CHECK => f.write_str("continuity check"),
            Function::LOOPBACK => f.write_str("loopback"),
            Function(octet) => write!(f, "OAM {octet:#04x}"),
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A place on the way of a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocationId(pub [u8; 16]);

impl LocationId {
    /// As where to: whoever ends the flow. As the source: no one in particular.
    pub const END_POINT: LocationId = LocationId([0xff; 16]);
    /// As where to: every place on the way. Not answered here, since we are the end of what reaches us.
    pub const EVERYWHERE: LocationId = LocationId([0; 16]);
}

impl fmt::Display for LocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            LocationId::END_POINT => f.write_str("end point"),
            LocationId::EVERYWHERE => f.write_str("everywhere"),
            LocationId(octets) => octets.iter().try_for_each(|octet| write!(f, "{octet:02x}")),
        }
    }
}

impl fmt::Debug for LocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a loopback cell says.
///
/// Prints itself in one line: `loopback request 0x0000002a to end point, from 0102…`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LoopbackCell {
    /// True on the way out, false on the way back.
    pub request: bool,
    /// Comes back as it went out.
    pub tag: u32,
    /// Who is to send it back.
    pub location: LocationId,
    /// Who sent it out.
    pub source: LocationId,
}

/// An OAM cell.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Oam {
    /// Loopback.
    Loopback(LoopbackCell),
    /// Another function, whose octets are not looked at.
    Other(Function),
}

/// An OAM cell whose CRC-10 is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("CRC-10 is {found:#05x}, expected {expected:#05x}")]
pub struct CrcError {
    /// That of the cell.
    pub found: u16,
    /// That of its octets.
    pub expected: u16,
}

impl Oam {
    /// Reads the payload of an OAM cell. The six reserved bits are read over.
    /// # Errors
    /// Its CRC-10 is wrong.
    pub fn parse(payload: &[u8; PAYLOAD_OCTETS]) -> Result<Oam, CrcError> {
        let expected = crc_10(payload);
        let found = u16::from_be_bytes([payload[CRC_AT], payload[CRC_AT + 1]]) & 0x3ff;
        if found != expected {
            return Err(CrcError { found, expected });
        }
        Ok(match Function(payload[0]) {
            Function::LOOPBACK => Oam::Loopback(LoopbackCell::read(payload)),
            other => Oam::Other(other),
        })
    }
}

impl fmt::Display for Oam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Oam::Loopback(cell) => cell.fmt(f),
            Oam::Other(function) => function.fmt(f),
        }
    }
}

impl LoopbackCell {
    /// The payload of this cell, with its CRC-10.
    pub fn encode(&self) -> [u8; PAYLOAD_OCTETS] {
        let mut payload = [0; PAYLOAD_OCTETS];
        payload[0] = Function::LOOPBACK.0;
        payload[INDICATION_AT] = u8::from(self.request);
        payload[TAG_AT..LOCATION_AT].copy_from_slice(&self.tag.to_be_bytes());
        payload[LOCATION_AT..SOURCE_AT].copy_from_slice(&self.location.0);
        payload[SOURCE_AT..UNUSED_AT].copy_from_slice(&self.source.0);
        payload[UNUSED_AT..CRC_AT].fill(IDLE_OCTET);
        seal(&mut payload);
        payload
    }

    fn read(payload: &[u8; PAYLOAD_OCTETS]) -> LoopbackCell {
        let id = |at: usize| LocationId(std::array::from_fn(|octet| payload[at + octet]));
        LoopbackCell {
            request: payload[INDICATION_AT] & 1 != 0,
            tag: u32::from_be_bytes(std::array::from_fn(|octet| payload[TAG_AT + octet])),
            location: id(LOCATION_AT),
            source: id(SOURCE_AT),
        }
    }
}

impl fmt::Display for LoopbackCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LoopbackCell { request, tag, location, source } = self;
        let kind = if *request { "request" } else { "answer" };
        write!(f, "loopback {kind} {tag:#010x} to {location}, from {source}")
    }
}

/// The answer to a loopback cell: the same octets on their way back, those we know nothing of too.
pub(super) fn answer(payload: &[u8; PAYLOAD_OCTETS]) -> [u8; PAYLOAD_OCTETS] {
    let mut answer = *payload;
    answer[INDICATION_AT] &= !1;
    seal(&mut answer);
    answer
}

/// The CRC-10 of all octets but the last two, and of the six bits before it.
fn crc_10(payload: &[u8; PAYLOAD_OCTETS]) -> u16 {
    let mut octets = *payload;
    octets[CRC_AT] &= 0xfc;
    octets[CRC_AT + 1] = 0;
    let mut digest = CRC_10.digest();
    digest.update(&octets[..CRC_AT]);
    remainder_of_six_bits(digest.finalize(), octets[CRC_AT] >> 2)
}

/// A remainder, six bits on.
fn remainder_of_six_bits(remainder: u16, bits: u8) -> u16 {
    (0..6).rev().fold(remainder, |remainder, bit| {
        let carry = (remainder >> 9) ^ u16::from(bits >> bit & 1) & 1;
        (remainder << 1 & 0x3ff) ^ if carry & 1 != 0 { 0x233 } else { 0 }
    })
}

fn seal(payload: &mut [u8; PAYLOAD_OCTETS]) {
    let crc = crc_10(payload);
    payload[CRC_AT] = payload[CRC_AT] & 0xfc | (crc >> 8) as u8;
    payload[CRC_AT + 1] = crc as u8;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CELL: LoopbackCell = LoopbackCell {
        request: true,
        tag: 0x0102_0304,
        location: LocationId::END_POINT,
        source: LocationId([0x6a; 16]),
    };

    /// Bit by bit over all 480 bits, the CRC's own ten being zero, divided: the definition.
    fn crc_by_division(payload: &[u8; 48]) -> u16 {
        let mut bits: Vec<u8> =
            payload.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1)).collect();
        bits[374..].fill(0);
        for at in 0..374 {
            if bits[at] == 1 {
                (0..11).for_each(|bit| bits[at + bit] ^= (0x633 >> (10 - bit) & 1) as u8);
            }
        }
        bits[374..].iter().fold(0, |crc, bit| crc << 1 | u16::from(*bit))
    }

    #[test]
    fn golden_octets() {
        let payload = CELL.encode();
        let mut expected = [0x6a; 46];
        expected[..6].copy_from_slice(&[0x18, 0x01, 1, 2, 3, 4]);
        expected[6..22].fill(0xff);
        assert_eq!(payload[..46], expected);
        assert_eq!(Oam::parse(&payload), Ok(Oam::Loopback(CELL)));
        assert_eq!(
            Oam::parse(&payload).unwrap().to_string(),
            "loopback request 0x01020304 to end point, from 6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a"
        );
        let back = Oam::parse(&answer(&payload)).unwrap();
        assert_eq!(back, Oam::Loopback(LoopbackCell { request: false, ..CELL }));
    }

    #[test]
    fn other_functions_are_told_by_name() {
        for (octet, name) in [(0x10, "AIS"), (0x11, "RDI"), (0x14, "continuity check"), (0x20, "OAM 0x20")] {
            let mut payload = [IDLE_OCTET; 48];
            payload[0] = octet;
            seal(&mut payload);
            assert_eq!(Oam::parse(&payload).unwrap().to_string(), name);
        }
    }

    proptest! {
        #[test]
        fn the_crc_is_the_remainder_and_finds_any_bit(octets: [u8; 32], more: [u8; 16], bit in 0usize..384) {
            let mut payload: [u8; 48] = [&octets[..], &more[..]].concat().try_into().unwrap();
            seal(&mut payload);
            prop_assert_eq!(crc_10(&payload), crc_by_division(&payload));
            prop_assert!(Oam::parse(&payload).is_ok());
            payload[bit / 8] ^= 0x80 >> (bit % 8);
            prop_assert!(Oam::parse(&payload).is_err());
        }

        #[test]
        fn round_trip(request: bool, tag: u32, location: [u8; 16], source: [u8; 16]) {
            let cell = LoopbackCell { request, tag, location: LocationId(location), source: LocationId(source) };
            prop_assert_eq!(Oam::parse(&cell.encode()), Ok(Oam::Loopback(cell)));
        }
    }
}
