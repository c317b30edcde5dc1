//! How a packet lies in an AAL5 SDU (RFC 2684): behind an LLC/SNAP header, or alone.

/// The two ways of RFC 2684. Both ends of a connection must mean the same one: signaling says so in the BLLI, a PVC is
/// configured.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Encapsulation {
    /// LLC/SNAP (RFC 2684 §5.1): 8 octets say what follows, so that IP and ATMARP share a connection.
    #[default]
    LlcSnap,
    /// VC multiplexing (RFC 2684 §6): nothing is put before the packet, and the connection carries IPv4 alone.
    VcMux,
}

/// What an SDU carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carried<'a> {
    /// An IPv4 packet, header first. Nothing of it has been looked at but its version.
    Ipv4(&'a [u8]),
    /// An ATMARP or InATMARP packet (RFC 2225 §8.7).
    AtmArp(&'a [u8]),
}

/// Why an SDU is none that is taken here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncapsulationError {
    /// No room for the header, or nothing behind it.
    #[error("{0} octets are too short for a packet in its encapsulation")]
    TooShort(usize),
    /// The LLC header is not AA-AA-03.
    #[error("an LLC header of another protocol")]
    OtherLlc,
    /// SNAP of another organisation, such as 00-80-C2: a bridged frame.
    #[error("SNAP of the organisation {0:02x?}")]
    OtherOui([u8; 3]),
    /// An EtherType that is neither IPv4 nor ARP.
    #[error("EtherType {0:#06x}")]
    OtherEtherType(u16),
    /// Not IP version 4.
    #[error("IP version {0}")]
    OtherIpVersion(u8),
}

impl Encapsulation {
    /// What goes before an IPv4 packet.
    pub const fn ipv4_header(self) -> &'static [u8] {
        match self {
            Encapsulation::LlcSnap => &IPV4_HEADER,
            Encapsulation::VcMux => &[],
        }
    }

    /// Octets of the longest SDU for packets of `mtu_octets`.
    pub const fn sdu_octets_max(self, mtu_octets: usize) -> usize {
        mtu_octets + self.ipv4_header().len()
    }

    /// Reads an SDU.
    ///
    /// # Errors
    /// See [`EncapsulationError`].
    pub fn parse(self, sdu: &[u8]) -> Result<Carried<'_>, EncapsulationError> {
        let too_short = EncapsulationError::TooShort(sdu.len());
        if self == Encapsulation::VcMux {
            return ipv4(sdu, too_short);
        }
        let (&[dsap, ssap, control, oui @ .., high, low], packet) =
            sdu.split_first_chunk::<HEADER_OCTETS>().ok_or(too_short)?;
        if [dsap, ssap, control] != LLC_SNAP {
            return Err(EncapsulationError::OtherLlc);
        }
        if oui != OUI_ETHERTYPE {
            return Err(EncapsulationError::OtherOui(oui));
        }
        match u16::from_be_bytes([high, low]) {
            ETHERTYPE_IPV4 => ipv4(packet, too_short),
            ETHERTYPE_ARP if packet.is_empty() => Err(too_short),
            ETHERTYPE_ARP => Ok(Carried::AtmArp(packet)),
            other => Err(EncapsulationError::OtherEtherType(other)),
        }
    }
}

fn ipv4(packet: &[u8], too_short: EncapsulationError) -> Result<Carried<'_>, EncapsulationError> {
    match packet.first().ok_or(too_short)? >> 4 {
        4 => Ok(Carried::Ipv4(packet)),
        other => Err(EncapsulationError::OtherIpVersion(other)),
    }
}

/// What goes before an ATMARP packet, which a connection with VC multiplexing does not carry.
pub const ATMARP_HEADER: [u8; HEADER_OCTETS] = header(ETHERTYPE_ARP);

/// Octets of the LLC/SNAP header.
pub const HEADER_OCTETS: usize = 8;

const IPV4_HEADER: [u8; HEADER_OCTETS] = header(ETHERTYPE_IPV4);
const LLC_SNAP: [u8; 3] = [0xAA, 0xAA, 0x03];
const OUI_ETHERTYPE: [u8; 3] = [0, 0, 0];
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;

const fn header(ethertype: u16) -> [u8; HEADER_OCTETS] {
    let [a, b, c] = LLC_SNAP;
    let [high, low] = ethertype.to_be_bytes();
    [a, b, c, 0, 0, 0, high, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_comes_out() {
        let packet = [0x45, 0, 0, 20];
        for way in [Encapsulation::LlcSnap, Encapsulation::VcMux] {
            let sdu = [way.ipv4_header(), &packet].concat();
            assert_eq!(way.parse(&sdu), Ok(Carried::Ipv4(&packet)));
            assert_eq!(way.sdu_octets_max(4), sdu.len());
        }
        let sdu = [&ATMARP_HEADER[..], &[0, 19]].concat();
        assert_eq!(Encapsulation::LlcSnap.parse(&sdu), Ok(Carried::AtmArp(&[0, 19])));
    }

    #[test]
    fn what_is_something_else_says_what() {
        use EncapsulationError as E;
        let whole = [0xAA, 0xAA, 3, 0, 0, 0, 8, 0, 0x45];
        for len in 0..whole.len() {
            assert_eq!(Encapsulation::LlcSnap.parse(&whole[..len]), Err(E::TooShort(len)));
        }
        let changed = |at: usize, to: u8| {
            let mut sdu = whole;
            sdu[at] = to;
            Encapsulation::LlcSnap.parse(&sdu).unwrap_err()
        };
        assert_eq!(changed(0, 0xFE), E::OtherLlc);
        assert_eq!(changed(4, 0x80), E::OtherOui([0, 0x80, 0]));
        assert_eq!(changed(6, 0x86), E::OtherEtherType(0x8600));
        assert_eq!(changed(8, 0x60), E::OtherIpVersion(6));
        assert_eq!(Encapsulation::VcMux.parse(&[]), Err(E::TooShort(0)));
        assert_eq!(Encapsulation::VcMux.parse(&[0x60]), Err(E::OtherIpVersion(6)));
    }
}
