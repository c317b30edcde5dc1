//! The header of an Ethernet frame, with its 802.1Q tags.
//!
//! ```text
//!   destination (6) | source (6) | [ TPID (2) | TCI (2) ] × 0..=2 | EtherType (2) | payload
//! ```
//!
//! Source: IEEE 802.3 §3.1.1 (frame), IEEE 802.1Q §9.3–9.6 (tags). A value below 0x0600 in the place of the EtherType is
//! the length of an 802.3 frame; it is kept as it is, and its user will not know it and pass it over.

use std::fmt;

use crate::MacAddr;

/// What a frame carries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EtherType(pub u16);

impl EtherType {
    /// PPPoE discovery stage, RFC 2516 §4.
    pub const PPPOE_DISCOVERY: EtherType = EtherType(0x8863);
    /// PPPoE session stage, RFC 2516 §4.
    pub const PPPOE_SESSION: EtherType = EtherType(0x8864);
    /// Customer VLAN tag (C-TAG), IEEE 802.1Q table 9-1.
    pub const C_TAG: EtherType = EtherType(0x8100);
    /// Service VLAN tag (S-TAG), IEEE 802.1Q table 9-1.
    pub const S_TAG: EtherType = EtherType(0x88a8);

    /// True if a VLAN tag begins here and not the payload.
    pub const fn is_tag(self) -> bool {
        self.0 == EtherType::C_TAG.0 || self.0 == EtherType::S_TAG.0
    }
}

impl fmt::Display for EtherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:04x}", self.0)
    }
}

impl fmt::Debug for EtherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One VLAN tag.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VlanTag {
    /// The kind of tag: [`EtherType::C_TAG`] or [`EtherType::S_TAG`].
    pub protocol: EtherType,
    /// Tag control information as it stands on the wire: priority (3 bits), drop eligible (1), VLAN identifier (12).
    pub control: u16,
}

impl VlanTag {
    /// A customer tag for VLAN `id`, of which the low 12 bits count, with priority 0.
    pub const fn customer(id: u16) -> VlanTag {
        VlanTag { protocol: EtherType::C_TAG, control: id & VLAN_ID_MASK }
    }

    /// The VLAN identifier; 0 means that the tag carries a priority only (IEEE 802.1Q table 9-2).
    pub const fn id(self) -> u16 {
        self.control & VLAN_ID_MASK
    }
}

/// The header of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Header {
    /// The station, or group of stations, that the frame is for.
    pub destination: MacAddr,
    /// The station that sent it.
    pub source: MacAddr,
    /// The outermost tag, and the one inside it. Tagged only inside is not a frame: the inner one is then left out.
    pub tags: [Option<VlanTag>; 2],
    /// What the payload is.
    pub ethertype: EtherType,
}

impl Header {
    /// Octets of a header without tags.
    pub const OCTETS: usize = 14;

    /// Octets of the longest header, with two tags.
    pub const OCTETS_MAX: usize = Header::OCTETS + 2 * TAG_OCTETS;

    /// A header without tags.
    pub const fn new(destination: MacAddr, source: MacAddr, ethertype: EtherType) -> Header {
        Header { destination, source, tags: [None, None], ethertype }
    }

    /// The same header in VLAN `tag`; tags that it had are gone.
    #[must_use]
    pub const fn tagged(mut self, tag: VlanTag) -> Header {
        self.tags = [Some(tag), None];
        self
    }

    /// Reads the header of `frame` and gives it with what follows, the payload (and the padding of a short frame).
    ///
    /// A third tag is not read: it is then the EtherType.
    /// # Errors
    /// `frame` ends inside its header.
    pub fn parse(frame: &[u8]) -> Result<(Header, &[u8]), HeaderTruncated> {
        let truncated = HeaderTruncated { octets: frame.len() };
        let (destination, rest) = frame.split_first_chunk().ok_or(truncated)?;
        let (source, rest) = rest.split_first_chunk().ok_or(truncated)?;
        let (mut ethertype, mut rest) = split_u16(rest).ok_or(truncated)?;
        let mut tags = [None, None];
        for tag in &mut tags {
            if !EtherType(ethertype).is_tag() {
                break;
            }
            let (control, after) = split_u16(rest).ok_or(truncated)?;
            *tag = Some(VlanTag { protocol: EtherType(ethertype), control });
            (ethertype, rest) = split_u16(after).ok_or(truncated)?;
        }
        let header = Header {
            destination: MacAddr::new(*destination),
            source: MacAddr::new(*source),
            tags,
            ethertype: EtherType(ethertype),
        };
        Ok((header, rest))
    }

    /// How many octets [`Header::encode`] writes: 14, 18 or 22.
    pub fn encoded_len(&self) -> usize {
        Header::OCTETS + TAG_OCTETS * self.present_tags().count()
    }

    /// Writes the header into the front of `room` and gives the part that it fills.
    pub fn encode<'a>(&self, room: &'a mut [u8; Header::OCTETS_MAX]) -> &'a [u8] {
        room[..6].copy_from_slice(self.destination.as_ref());
        room[6..12].copy_from_slice(self.source.as_ref());
        let mut at = 12;
        for tag in self.present_tags() {
            room[at..at + 2].copy_from_slice(&tag.protocol.0.to_be_bytes());
            room[at + 2..at + 4].copy_from_slice(&tag.control.to_be_bytes());
            at += TAG_OCTETS;
        }
        room[at..at + 2].copy_from_slice(&self.ethertype.0.to_be_bytes());
        &room[..at + 2]
    }

    fn present_tags(&self) -> impl Iterator<Item = VlanTag> {
        self.tags.into_iter().map_while(|tag| tag)
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} > {}", self.source, self.destination)?;
        for tag in self.present_tags() {
            write!(f, " vlan {}", tag.id())?;
        }
        write!(f, " type {}", self.ethertype)
    }
}

/// A frame ends inside its header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an Ethernet frame of {octets} octets ends inside its header")]
pub struct HeaderTruncated {
    /// Octets that there were.
    pub octets: usize,
}

fn split_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u16::from_be_bytes(*number), rest))
}

/// Octets of one tag: TPID and TCI.
pub(crate) const TAG_OCTETS: usize = 4;

const VLAN_ID_MASK: u16 = 0x0fff;

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: [u8; 14] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0x63];

    /// RFC 2516 appendix A: a PADI goes to the broadcast address with EtherType 0x8863.
    #[test]
    fn plain_header_both_ways() {
        let header = Header::new(MacAddr::BROADCAST, MacAddr::local(1), EtherType::PPPOE_DISCOVERY);
        let mut frame = PLAIN.to_vec();
        frame.extend([0x11, 0x09]);
        assert_eq!(Header::parse(&frame), Ok((header, &[0x11, 0x09][..])));
        assert_eq!(header.encode(&mut [0; Header::OCTETS_MAX]), PLAIN);
        assert_eq!(header.to_string(), "02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff type 0x8863");
    }

    /// IEEE 802.1Q §9.5, §9.6: the tag stands between source and EtherType; priority 5, VLAN 0x123, inside S-TAG 7.
    #[test]
    fn tagged_headers_both_ways() {
        let inner = VlanTag { protocol: EtherType::C_TAG, control: 0xa123 };
        let outer = VlanTag { protocol: EtherType::S_TAG, control: 7 };
        let plain = Header::new(MacAddr::BROADCAST, MacAddr::local(1), EtherType::PPPOE_SESSION);
        for (header, tags) in [
            (plain.tagged(inner), vec![0x81, 0x00, 0xa1, 0x23]),
            (
                Header { tags: [Some(outer), Some(inner)], ..plain },
                vec![0x88, 0xa8, 0x00, 0x07, 0x81, 0x00, 0xa1, 0x23],
            ),
        ] {
            let golden = [&PLAIN[..12], &tags, &[0x88, 0x64]].concat();
            assert_eq!(header.encode(&mut [0; Header::OCTETS_MAX]), golden);
            assert_eq!(header.encoded_len(), golden.len());
            assert_eq!(Header::parse(&golden), Ok((header, &[][..])));
        }
        assert_eq!(inner.id(), 0x123);
        assert_eq!(VlanTag::customer(0xf123).control, 0x123);
    }

    #[test]
    fn a_third_tag_is_the_ethertype() {
        let frame = [&PLAIN[..12], &[0x81, 0, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 0x88, 0x63]].concat();
        let (header, payload) = Header::parse(&frame).expect("the header is whole");
        assert_eq!((header.ethertype, payload), (EtherType::C_TAG, &[0, 3, 0x88, 0x63][..]));
    }

    #[test]
    fn every_prefix_is_refused() {
        let frame = [&PLAIN[..12], &[0x81, 0, 0, 1, 0x81, 0, 0, 2, 0x88, 0x63]].concat();
        for octets in 0..frame.len() {
            assert_eq!(Header::parse(&frame[..octets]), Err(HeaderTruncated { octets }));
        }
    }
}
