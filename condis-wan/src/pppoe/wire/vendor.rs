//! Vendor-Specific tags, and the one that every access network uses: the line a host sits on.

use std::fmt;

use super::tag::write_octets;

/// The vendor id under which the Broadband Forum (then ADSL Forum) describes access lines (TR-101, RFC 4679).
pub const VENDOR_BROADBAND_FORUM: u32 = 3561;

/// A Vendor-Specific tag's value: whose it is, and their octets. Carried through as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VendorTag {
    /// The vendor's enterprise number (RFC 2516 Appendix A: the first octet is zero).
    pub vendor: u32,
    /// What the vendor says.
    pub data: Vec<u8>,
}

impl VendorTag {
    /// The value of a Vendor-Specific tag; `None` if it is too short to name a vendor, which the RFC lets a receiver
    /// silently ignore.
    pub fn parse(value: &[u8]) -> Option<VendorTag> {
        let (vendor, data) = value.split_first_chunk()?;
        Some(VendorTag { vendor: u32::from_be_bytes(*vendor), data: data.to_vec() })
    }

    /// The tag's value: vendor id and data.
    pub fn encode(&self) -> Vec<u8> {
        let mut value = self.vendor.to_be_bytes().to_vec();
        value.extend_from_slice(&self.data);
        value
    }

    /// The line's description, if this tag is one and is whole.
    pub fn line(&self) -> Option<LineTags<'_>> {
        if self.vendor != VENDOR_BROADBAND_FORUM {
            return None;
        }
        LineTags::parse(&self.data).ok()
    }
}

impl fmt::Display for VendorTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.vendor)?;
        match self.line() {
            Some(line) => line.iter().try_for_each(|tag| write!(f, " {tag}")),
            None => write_octets(f, &self.data),
        }
    }
}

/// The type of a line sub-tag.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LineTagType(pub u8);

macro_rules! line_tag_types {
    ($($constant:ident = $number:literal, $name:literal, $unit:literal;)*) => {
        impl LineTagType {
            $(#[doc = concat!($name, ", ", $unit, ". TR-101, RFC 4679")]
            pub const $constant: LineTagType = LineTagType($number);)*

            /// The standard's name, if this type is known here.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

line_tag_types! {
    AGENT_CIRCUIT_ID = 0x01, "Agent-Circuit-Id", "text";
    AGENT_REMOTE_ID = 0x02, "Agent-Remote-Id", "text";
    ACTUAL_DATA_RATE_UPSTREAM = 0x81, "Actual-Data-Rate-Upstream", "kbit/s";
    ACTUAL_DATA_RATE_DOWNSTREAM = 0x82, "Actual-Data-Rate-Downstream", "kbit/s";
    MINIMUM_DATA_RATE_UPSTREAM = 0x83, "Minimum-Data-Rate-Upstream", "kbit/s";
    MINIMUM_DATA_RATE_DOWNSTREAM = 0x84, "Minimum-Data-Rate-Downstream", "kbit/s";
    ATTAINABLE_DATA_RATE_UPSTREAM = 0x85, "Attainable-Data-Rate-Upstream", "kbit/s";
    ATTAINABLE_DATA_RATE_DOWNSTREAM = 0x86, "Attainable-Data-Rate-Downstream", "kbit/s";
    MAXIMUM_DATA_RATE_UPSTREAM = 0x87, "Maximum-Data-Rate-Upstream", "kbit/s";
    MAXIMUM_DATA_RATE_DOWNSTREAM = 0x88, "Maximum-Data-Rate-Downstream", "kbit/s";
    MINIMUM_DATA_RATE_UPSTREAM_LOW_POWER = 0x89, "Minimum-Data-Rate-Upstream-Low-Power", "kbit/s";
    MINIMUM_DATA_RATE_DOWNSTREAM_LOW_POWER = 0x8a, "Minimum-Data-Rate-Downstream-Low-Power", "kbit/s";
    MAXIMUM_INTERLEAVING_DELAY_UPSTREAM = 0x8b, "Maximum-Interleaving-Delay-Upstream", "ms";
    ACTUAL_INTERLEAVING_DELAY_UPSTREAM = 0x8c, "Actual-Interleaving-Delay-Upstream", "ms";
    MAXIMUM_INTERLEAVING_DELAY_DOWNSTREAM = 0x8d, "Maximum-Interleaving-Delay-Downstream", "ms";
    ACTUAL_INTERLEAVING_DELAY_DOWNSTREAM = 0x8e, "Actual-Interleaving-Delay-Downstream", "ms";
    ACCESS_LOOP_ENCAPSULATION = 0x90, "Access-Loop-Encapsulation", "three octets";
    IWF_SESSION = 0xfe, "IWF-Session", "empty";
}

impl fmt::Display for LineTagType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "sub-tag {:#04x}", self.0),
        }
    }
}

/// One sub-tag: type, and at most 255 octets of value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineTag<'a> {
    /// What it tells.
    pub tag_type: LineTagType,
    /// Text, or a number in network order.
    pub value: &'a [u8],
}

impl LineTag<'_> {
    /// The value as a number, if it is four octets long as rates and delays are; in the unit of its type.
    pub fn number(&self) -> Option<u32> {
        self.value.try_into().ok().map(u32::from_be_bytes)
    }
}

impl fmt::Display for LineTag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.tag_type)?;
        match self.tag_type.0 {
            0x81..=0x8e => match self.number() {
                Some(number) => write!(f, " {number}"),
                None => write_octets(f, self.value),
            },
            _ => write_octets(f, self.value),
        }
    }
}

/// A sub-tag is not whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line sub-tag at octet {at} is cut off")]
pub struct LineTagTruncated {
    /// Its offset in the vendor's data.
    pub at: usize,
}

/// The sub-tags of one Vendor-Specific tag of the Broadband Forum, each of them whole: a view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineTags<'a> {
    octets: &'a [u8],
}

impl<'a> LineTags<'a> {
    /// Checks that the vendor's `data` consists of sub-tags.
    ///
    /// # Errors
    /// [`LineTagTruncated`]. The packet is good all the same, and the octets are carried through.
    pub fn parse(data: &'a [u8]) -> Result<LineTags<'a>, LineTagTruncated> {
        let mut rest = data;
        while !rest.is_empty() {
            (_, rest) = split_line_tag(rest).ok_or(LineTagTruncated { at: data.len() - rest.len() })?;
        }
        Ok(LineTags { octets: data })
    }

    /// The sub-tags in their order.
    pub fn iter(&self) -> impl Iterator<Item = LineTag<'a>> + use<'a> {
        let mut rest = self.octets;
        std::iter::from_fn(move || {
            let (tag, after) = split_line_tag(rest)?;
            rest = after;
            Some(tag)
        })
    }

    /// The first sub-tag of this type.
    pub fn get(&self, tag_type: LineTagType) -> Option<LineTag<'a>> {
        self.iter().find(|tag| tag.tag_type == tag_type)
    }
}

fn split_line_tag(octets: &[u8]) -> Option<(LineTag<'_>, &[u8])> {
    let (&[tag_type, length], rest) = octets.split_first_chunk()?;
    let (value, rest) = rest.split_at_checked(usize::from(length))?;
    Some((LineTag { tag_type: LineTagType(tag_type), value }, rest))
}
