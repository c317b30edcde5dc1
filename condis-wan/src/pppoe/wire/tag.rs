//! Tags: type, length, value, of which a discovery packet's payload consists.

use std::fmt;

use super::{Tags, VendorTag, WireError};

/// Octets of a tag before its value: TAG_TYPE and TAG_LENGTH (RFC 2516 §5).
pub const TAG_HEADER_LEN: usize = 4;

/// TAG_TYPE. A number nobody here knows stays what it is, so that it can be logged and sent on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagType(pub u16);

/// Defines the known tag types and the names that are printed, from one table.
macro_rules! tag_types {
    ($($constant:ident = $number:literal, $name:literal, $source:literal;)*) => {
        impl TagType {
            $(#[doc = concat!($name, ": ", $source)] pub const $constant: TagType = TagType($number);)*

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

tag_types! {
    END_OF_LIST = 0x0000, "End-Of-List", "RFC 2516 Appendix A";
    SERVICE_NAME = 0x0101, "Service-Name", "RFC 2516 Appendix A";
    AC_NAME = 0x0102, "AC-Name", "RFC 2516 Appendix A";
    HOST_UNIQ = 0x0103, "Host-Uniq", "RFC 2516 Appendix A";
    AC_COOKIE = 0x0104, "AC-Cookie", "RFC 2516 Appendix A";
    VENDOR_SPECIFIC = 0x0105, "Vendor-Specific", "RFC 2516 Appendix A";
    RELAY_SESSION_ID = 0x0110, "Relay-Session-Id", "RFC 2516 Appendix A";
    PPP_MAX_PAYLOAD = 0x0120, "PPP-Max-Payload", "RFC 4638";
    SERVICE_NAME_ERROR = 0x0201, "Service-Name-Error", "RFC 2516 Appendix A";
    AC_SYSTEM_ERROR = 0x0202, "AC-System-Error", "RFC 2516 Appendix A";
    GENERIC_ERROR = 0x0203, "Generic-Error", "RFC 2516 Appendix A";
}

impl fmt::Display for TagType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "tag {:#06x}", self.0),
        }
    }
}

impl fmt::Debug for TagType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One tag, its value borrowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tag<'a> {
    /// Nothing after this counts.
    EndOfList,
    /// A service; empty in a request says "any".
    ServiceName(&'a [u8]),
    /// The name of an access concentrator.
    AcName(&'a [u8]),
    /// What a host wants back in the answer, opaque to everybody else.
    HostUniq(&'a [u8]),
    /// What a concentrator wants back in the PADR, opaque to everybody else.
    AcCookie(&'a [u8]),
    /// A vendor's own: vendor id and data, see [`VendorTag`].
    VendorSpecific(&'a [u8]),
    /// What a relay wants back in the answer, opaque to host and concentrator.
    RelaySessionId(&'a [u8]),
    /// The longest PPP payload that the sender can take, in octets.
    PppMaxPayload(u16),
    /// The service was refused; text for people, often empty.
    ServiceNameError(&'a [u8]),
    /// The concentrator could not do it; text for people.
    AcSystemError(&'a [u8]),
    /// Any other failure; text for people.
    GenericError(&'a [u8]),
    /// A tag that is not known here: skipped by who reads (RFC 2516 §5), kept by who prints or sends on.
    Unknown(TagType, &'a [u8]),
}

impl<'a> Tag<'a> {
    /// The tag of this type with this value.
    ///
    /// # Errors
    /// [`WireError::TagLength`]: a PPP-Max-Payload that is not two octets, an End-Of-List that is not empty.
    pub fn read(tag_type: TagType, value: &'a [u8]) -> Result<Tag<'a>, WireError> {
        Ok(match tag_type {
            TagType::END_OF_LIST => {
                let [] = fixed(tag_type, value)?;
                Tag::EndOfList
            }
            TagType::SERVICE_NAME => Tag::ServiceName(value),
            TagType::AC_NAME => Tag::AcName(value),
            TagType::HOST_UNIQ => Tag::HostUniq(value),
            TagType::AC_COOKIE => Tag::AcCookie(value),
            TagType::VENDOR_SPECIFIC => Tag::VendorSpecific(value),
            TagType::RELAY_SESSION_ID => Tag::RelaySessionId(value),
            TagType::PPP_MAX_PAYLOAD => Tag::PppMaxPayload(u16::from_be_bytes(fixed(tag_type, value)?)),
            TagType::SERVICE_NAME_ERROR => Tag::ServiceNameError(value),
            TagType::AC_SYSTEM_ERROR => Tag::AcSystemError(value),
            TagType::GENERIC_ERROR => Tag::GenericError(value),
            unknown => Tag::Unknown(unknown, value),
        })
    }

    /// TAG_TYPE.
    pub fn tag_type(&self) -> TagType {
        match self {
            Tag::EndOfList => TagType::END_OF_LIST,
            Tag::ServiceName(_) => TagType::SERVICE_NAME,
            Tag::AcName(_) => TagType::AC_NAME,
            Tag::HostUniq(_) => TagType::HOST_UNIQ,
            Tag::AcCookie(_) => TagType::AC_COOKIE,
            Tag::VendorSpecific(_) => TagType::VENDOR_SPECIFIC,
            Tag::RelaySessionId(_) => TagType::RELAY_SESSION_ID,
            Tag::PppMaxPayload(_) => TagType::PPP_MAX_PAYLOAD,
            Tag::ServiceNameError(_) => TagType::SERVICE_NAME_ERROR,
            Tag::AcSystemError(_) => TagType::AC_SYSTEM_ERROR,
            Tag::GenericError(_) => TagType::GENERIC_ERROR,
            Tag::Unknown(tag_type, _) => *tag_type,
        }
    }

    /// Whether this is one of the three error tags.
    pub fn is_error(&self) -> bool {
        matches!(self, Tag::ServiceNameError(_) | Tag::AcSystemError(_) | Tag::GenericError(_))
    }

    /// Octets that this tag takes, with its header.
    pub fn encoded_len(&self) -> usize {
        TAG_HEADER_LEN
            + match self {
                Tag::EndOfList => 0,
                Tag::PppMaxPayload(_) => 2,
                other => other.octets().len(),
            }
    }

    /// Appends this tag. A value longer than TAG_LENGTH can say is cut there; no packet could hold it anyway, see
    /// [`DISCOVERY_LEN_MAX`](super::DISCOVERY_LEN_MAX).
    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        let max_payload;
        let value = match self {
            Tag::PppMaxPayload(octets) => {
                max_payload = octets.to_be_bytes();
                &max_payload[..]
            }
            other => other.octets(),
        };
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&self.tag_type().0.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&value[..usize::from(length)]);
    }

    /// The value of a tag that is octets on the wire.
    fn octets(&self) -> &'a [u8] {
        match self {
            Tag::EndOfList | Tag::PppMaxPayload(_) => &[],
            Tag::ServiceName(value)
            | Tag::AcName(value)
            | Tag::HostUniq(value)
            | Tag::AcCookie(value)
            | Tag::VendorSpecific(value)
            | Tag::RelaySessionId(value)
            | Tag::ServiceNameError(value)
            | Tag::AcSystemError(value)
            | Tag::GenericError(value)
            | Tag::Unknown(_, value) => value,
        }
    }
}

/// `[AC-Name "condis-ac"]`, as a sniffer shows it.
impl fmt::Display for Tag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.tag_type())?;
        match self {
            Tag::PppMaxPayload(octets) => write!(f, " {octets}")?,
            Tag::VendorSpecific(value) => match VendorTag::parse(value) {
                Some(vendor) => write!(f, " {vendor}")?,
                None => write_octets(f, value)?,
            },
            other => write_octets(f, other.octets())?,
        }
        f.write_str("]")
    }
}

/// Printable octets in quotes, others in hexadecimal, at most [`PRINTED_MAX`] of them.
pub(super) fn write_octets(f: &mut fmt::Formatter<'_>, value: &[u8]) -> fmt::Result {
    let shown = &value[..value.len().min(PRINTED_MAX)];
    let more = if shown.len() < value.len() { "..." } else { "" };
    if value.is_empty() {
        return Ok(());
    }
    if shown.iter().all(|octet| matches!(octet, b' '..=b'~')) {
        return write!(f, " \"{}\"{more}", shown.escape_ascii());
    }
    f.write_str(" 0x")?;
    shown.iter().try_for_each(|octet| write!(f, "{octet:02X}"))?;
    f.write_str(more)
}

/// The text of an error tag, fit to be shown: what is no UTF-8, and control characters, become U+FFFD.
pub fn printable(text: &[u8]) -> String {
    let shown = String::from_utf8_lossy(text);
    shown.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Octets of a value that are printed: a line should stay a line.
const PRINTED_MAX: usize = 64;

/// Walks over tags that have been checked: see [`Tags`].
#[derive(Clone, Debug)]
pub struct TagIter<'a> {
    rest: &'a [u8],
}

impl<'a> TagIter<'a> {
    pub(super) fn over(tags: Tags<'a>) -> TagIter<'a> {
        TagIter { rest: tags.octets() }
    }
}

impl<'a> Iterator for TagIter<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        let (tag_type, value, rest) = split_tag(self.rest)?;
        self.rest = if tag_type == TagType::END_OF_LIST { &[] } else { rest };
        Tag::read(tag_type, value).ok()
    }
}

/// The value of a tag that always has the same size.
fn fixed<const N: usize>(tag: TagType, value: &[u8]) -> Result<[u8; N], WireError> {
    value.try_into().map_err(|_| WireError::TagLength { tag, length: value.len(), expected: N })
}

/// The first tag's type and value, and what follows; `None` if it is not whole.
pub(super) fn split_tag(octets: &[u8]) -> Option<(TagType, &[u8], &[u8])> {
    let (&[type_high, type_low, length_high, length_low], rest) = octets.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes([length_high, length_low]));
    let (value, rest) = rest.split_at_checked(length)?;
    Some((TagType(u16::from_be_bytes([type_high, type_low])), value, rest))
}
