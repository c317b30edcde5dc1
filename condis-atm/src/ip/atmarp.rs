//! ATMARP and InATMARP packets (RFC 2225 §8.7).
//!
//! ```text
//! 0  hardware type 0x0013    2  protocol type 0x0800
//! 4  source: type and length of ATM number, of subaddress
//! 6  operation
//! 8  octets of source protocol address
//! 9  target: type and length of ATM number, of subaddress     11  octets of target protocol address
//! 12 source number, subaddress, protocol address; target number, subaddress, protocol address
//! ```

use std::fmt;
use std::net::Ipv4Addr;

use crate::addr::{AtmAddress, E164};

/// What an ATMARP packet asks or tells (RFC 2225 §8.7 `ar$op`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the names of RFC 2225")]
pub enum Operation {
    ArpRequest,
    ArpReply,
    InArpRequest,
    InArpReply,
    ArpNak,
}

/// Who is meant on one side of a packet.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Station {
    /// The ATM address. `None`: not known.
    pub atm: Option<AtmAddress>,
    /// The ATM subaddress, of networks whose own addresses are E.164 numbers.
    pub subaddress: Option<AtmAddress>,
    /// The IP address. `None`: not known.
    pub ip: Option<Ipv4Addr>,
}

/// An ATMARP or InATMARP packet.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AtmArp {
    /// What it asks or tells.
    pub operation: Operation,
    /// Who says it.
    pub source: Station,
    /// About, or to, whom.
    pub target: Station,
}

/// Why octets are no ATMARP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AtmArpError {
    /// They end too early.
    #[error("cut off after {0} octets")]
    Truncated(usize),
    /// Another hardware type than ATM's, 0x0013.
    #[error("hardware type {0:#06x}, expected 0x0013")]
    Hardware(u16),
    /// Another protocol than IPv4.
    #[error("protocol type {0:#06x}, expected 0x0800")]
    Protocol(u16),
    /// An operation that RFC 2225 does not know.
    #[error("operation {0}")]
    Operation(u16),
    /// An ATM number that is neither 20 octets of an NSAP nor the digits of an E.164 number.
    #[error("an ATM number of type and length {0:#04x}")]
    Number(u8),
    /// A protocol address that is neither 4 octets nor none.
    #[error("a protocol address of {0} octets")]
    ProtocolLength(u8),
}

impl Station {
    /// A station that is known by both addresses.
    pub const fn new(atm: AtmAddress, ip: Ipv4Addr) -> Station {
        Station { atm: Some(atm), subaddress: None, ip: Some(ip) }
    }
}

impl AtmArp {
    /// Reads a packet. Octets behind it are passed over: an AAL5 SDU may be padded.
    ///
    /// An IP address of 0.0.0.0 is taken for none: RFC 2225 §8.6 lets both be sent.
    ///
    /// # Errors
    /// See [`AtmArpError`].
    pub fn parse(octets: &[u8]) -> Result<AtmArp, AtmArpError> {
        let truncated = AtmArpError::Truncated(octets.len());
        let (fixed, mut rest) = octets.split_first_chunk::<FIXED_OCTETS>().ok_or(truncated)?;
        let word = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        if word(0) != HARDWARE_ATM {
            return Err(AtmArpError::Hardware(word(0)));
        }
        if word(2) != PROTOCOL_IPV4 {
            return Err(AtmArpError::Protocol(word(2)));
        }
        let operation = Operation::from_code(word(6)).ok_or(AtmArpError::Operation(word(6)))?;
        let mut station = |number: u8, subaddress: u8, protocol: u8| {
            let mut take = |octets: u8| {
                let (taken, behind) = rest.split_at_checked(usize::from(octets)).ok_or(truncated)?;
                rest = behind;
                Ok(taken)
            };
            let atm = read_number(number, take(number & LENGTH)?)?;
            let subaddress = read_number(subaddress, take(subaddress & LENGTH)?)?;
            let ip = match *take(protocol)? {
                [] | [0, 0, 0, 0] => None,
                [a, b, c, d] => Some(Ipv4Addr::new(a, b, c, d)),
                _ => return Err(AtmArpError::ProtocolLength(protocol)),
            };
            Ok(Station { atm, subaddress, ip })
        };
        let source = station(fixed[4], fixed[5], fixed[8])?;
        let target = station(fixed[9], fixed[10], fixed[11])?;
        Ok(AtmArp { operation, source, target })
    }

    /// The octets of the packet, without LLC/SNAP.
    ///
    /// Addresses that are not known are left out, as Linux and the examples of RFC 2225 do.
    pub fn encode(&self) -> Vec<u8> {
        let (source, target) = (&self.source, &self.target);
        let mut out = Vec::with_capacity(FIXED_OCTETS + 2 * 24);
        out.extend(HARDWARE_ATM.to_be_bytes());
        out.extend(PROTOCOL_IPV4.to_be_bytes());
        out.extend([type_and_length(&source.atm), type_and_length(&source.subaddress)]);
        out.extend(self.operation.code().to_be_bytes());
        out.push(protocol_length(source));
        out.extend([
            type_and_length(&target.atm),
            type_and_length(&target.subaddress),
            protocol_length(target),
        ]);
        for station in [source, target] {
            for number in [&station.atm, &station.subaddress].into_iter().flatten() {
                out.extend_from_slice(number.octets());
            }
            out.extend(station.ip.iter().flat_map(Ipv4Addr::octets));
        }
        out
    }
}

impl Operation {
    const fn code(self) -> u16 {
        match self {
            Operation::ArpRequest => 1,
            Operation::ArpReply => 2,
            Operation::InArpRequest => 8,
            Operation::InArpReply => 9,
            Operation::ArpNak => 10,
        }
    }

    const fn from_code(code: u16) -> Option<Operation> {
        Some(match code {
            1 => Operation::ArpRequest,
            2 => Operation::ArpReply,
            8 => Operation::InArpRequest,
            9 => Operation::InArpReply,
            10 => Operation::ArpNak,
            _ => return None,
        })
    }
}

fn read_number(type_and_length: u8, octets: &[u8]) -> Result<Option<AtmAddress>, AtmArpError> {
    if octets.is_empty() {
        return Ok(None);
    }
    let number = if type_and_length & TYPE_E164 != 0 {
        E164::new(octets).map(AtmAddress::E164)
    } else {
        octets.try_into().ok().map(AtmAddress::Nsap)
    };
    number.map(Some).ok_or(AtmArpError::Number(type_and_length))
}

fn type_and_length(number: &Option<AtmAddress>) -> u8 {
    match number {
        None => 0,
        Some(AtmAddress::Nsap(octets)) => octets.len() as u8,
        Some(AtmAddress::E164(number)) => TYPE_E164 | number.digits().len() as u8,
    }
}

fn protocol_length(station: &Station) -> u8 {
    if station.ip.is_some() { 4 } else { 0 }
}

/// `InARP request 47.…02.00 10.1.9.2 -> 47.…01.00 -`.
impl fmt::Display for AtmArp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.operation {
            Operation::ArpRequest => "ARP request ",
            Operation::ArpReply => "ARP reply ",
            Operation::InArpRequest => "InARP request ",
            Operation::InArpReply => "InARP reply ",
            Operation::ArpNak => "ARP NAK ",
        })?;
        write!(f, "{} -> {}", self.source, self.target)
    }
}

impl fmt::Display for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_dash = |f: &mut fmt::Formatter<'_>, what: Option<&dyn fmt::Display>| match what {
            Some(what) => what.fmt(f),
            None => f.write_str("-"),
        };
        or_dash(f, self.atm.as_ref().map(|atm| atm as _))?;
        f.write_str(" ")?;
        or_dash(f, self.ip.as_ref().map(|ip| ip as _))
    }
}

const HARDWARE_ATM: u16 = 0x0013;
const PROTOCOL_IPV4: u16 = 0x0800;
const FIXED_OCTETS: usize = 12;

/// Of a type-and-length octet: an E.164 number instead of an NSAP, and the length.
const TYPE_E164: u8 = 0x40;
const LENGTH: u8 = 0x3F;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ip::encap::{Carried, Encapsulation};
    use crate::ip::tests::captured_sdus;

    /// What Linux's atmarpd sent is read to the last octet and written again byte for byte.
    #[test]
    fn captured_packets_are_written_again() {
        let mut lines = Vec::new();
        for sdu in captured_sdus() {
            if let Ok(Carried::AtmArp(octets)) = Encapsulation::LlcSnap.parse(&sdu) {
                let packet = AtmArp::parse(octets).unwrap();
                assert_eq!(packet.encode(), octets, "{packet}");
                lines.push(packet.to_string());
            }
        }
        let (a, b) = (
            "47.0005.80.ffe100.0000.f21a.0001.0020480a0001.00 10.1.9.1",
            "47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00 10.1.9.2",
        );
        let without_ip = |station: &str| station[..station.len() - 8].to_owned() + "-";
        assert_eq!(
            lines,
            [
                format!("InARP request {a} -> {}", without_ip(b)),
                format!("InARP reply {a} -> {b}"),
                format!("InARP request {b} -> {}", without_ip(a)),
                format!("InARP reply {b} -> {a}"),
            ]
        );
    }

    fn number() -> impl Strategy<Value = Option<AtmAddress>> {
        prop_oneof![
            Just(None),
            any::<[u8; 20]>().prop_map(|octets| Some(AtmAddress::Nsap(octets))),
            "[0-9]{1,15}".prop_map(|digits| E164::new(digits.as_bytes()).map(AtmAddress::E164)),
        ]
    }

    fn station() -> impl Strategy<Value = Station> {
        let ip = proptest::option::of((1..=u32::MAX).prop_map(Ipv4Addr::from));
        (number(), number(), ip).prop_map(|(atm, subaddress, ip)| Station { atm, subaddress, ip })
    }

    fn operation() -> impl Strategy<Value = Operation> {
        (0..5usize).prop_map(|at| {
            [
                Operation::ArpRequest,
                Operation::ArpReply,
                Operation::InArpRequest,
                Operation::InArpReply,
                Operation::ArpNak,
            ][at]
        })
    }

    proptest! {
        #[test]
        fn packets_are_read_as_they_were_written_and_no_prefix_is(
            operation in operation(), source in station(), target in station(),
        ) {
            let packet = AtmArp { operation, source, target };
            let octets = packet.encode();
            prop_assert_eq!(AtmArp::parse(&octets), Ok(packet));
            for len in 0..octets.len() {
                prop_assert_eq!(AtmArp::parse(&octets[..len]), Err(AtmArpError::Truncated(len)));
            }
        }

        #[test]
        fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..96)) {
            let mut octets = octets;
            let _ = AtmArp::parse(&octets);
            for (at, octet) in [0, 0x13, 8, 0].into_iter().enumerate().take(octets.len()) {
                octets[at] = octet;
            }
            let _ = AtmArp::parse(&octets);
        }
    }

    #[test]
    fn what_is_wrong_says_what() {
        let ip = Ipv4Addr::new(10, 0, 0, 1);
        let atm = AtmAddress::Nsap([7; 20]);
        let packet = AtmArp {
            operation: Operation::ArpRequest,
            source: Station::new(atm, ip),
            target: Station { ip: Some(ip), ..Station::default() },
        };
        let whole = packet.encode();
        let changed = |at: usize, to: u8| {
            let mut octets = whole.clone();
            octets[at] = to;
            AtmArp::parse(&octets)
        };
        assert_eq!(changed(1, 1), Err(AtmArpError::Hardware(1)));
        assert_eq!(changed(2, 0x86), Err(AtmArpError::Protocol(0x8600)));
        assert_eq!(changed(7, 3), Err(AtmArpError::Operation(3)));
        assert_eq!(changed(4, 19), Err(AtmArpError::Number(19)));
        assert_eq!(changed(8, 3), Err(AtmArpError::ProtocolLength(3)));
        let mut zero = whole.clone();
        zero[32..36].fill(0);
        assert_eq!(AtmArp::parse(&zero).unwrap().source.ip, None);
    }
}
