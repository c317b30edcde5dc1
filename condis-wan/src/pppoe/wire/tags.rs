//! A list of tags, checked once.

use super::tag::{TAG_HEADER_LEN, split_tag};
use super::{Tag, TagIter, TagType, WireError};

/// The tags of a discovery packet, each of them whole: a view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tags<'a> {
    /// Whole tags up to and with End-Of-List, if there is one.
    octets: &'a [u8],
}

impl<'a> Tags<'a> {
    /// Checks that `payload` consists of tags. What follows an End-Of-List is not looked at (RFC 2516 Appendix A).
    ///
    /// # Errors
    /// The last three of [`WireError`].
    pub fn parse(payload: &'a [u8]) -> Result<Tags<'a>, WireError> {
        let mut at = 0;
        while at < payload.len() {
            let rest = &payload[at..];
            let Some((tag_type, value, _)) = split_tag(rest) else {
                return Err(cut_off(rest, at));
            };
            Tag::read(tag_type, value)?;
            at += TAG_HEADER_LEN + value.len();
            if tag_type == TagType::END_OF_LIST {
                break;
            }
        }
        Ok(Tags { octets: &payload[..at] })
    }

    /// The tags in their order.
    pub fn iter(&self) -> TagIter<'a> {
        TagIter::over(*self)
    }

    /// How many tags of this type there are.
    pub fn count(&self, tag_type: TagType) -> usize {
        self.iter().filter(|tag| tag.tag_type() == tag_type).count()
    }

    /// The first error tag, if there is one.
    pub fn error(&self) -> Option<Tag<'a>> {
        self.iter().find(Tag::is_error)
    }

    /// Every Service-Name, in order.
    pub fn service_names(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.iter().filter_map(|tag| match tag {
            Tag::ServiceName(name) => Some(name),
            _ => None,
        })
    }

    /// The first AC-Name.
    pub fn ac_name(&self) -> Option<&'a [u8]> {
        self.iter().find_map(|tag| match tag {
            Tag::AcName(name) => Some(name),
            _ => None,
        })
    }

    /// The first Host-Uniq.
    pub fn host_uniq(&self) -> Option<&'a [u8]> {
        self.iter().find_map(|tag| match tag {
            Tag::HostUniq(value) => Some(value),
            _ => None,
        })
    }

    /// The first AC-Cookie.
    pub fn ac_cookie(&self) -> Option<&'a [u8]> {
        self.iter().find_map(|tag| match tag {
            Tag::AcCookie(value) => Some(value),
            _ => None,
        })
    }

    /// The first Relay-Session-Id.
    pub fn relay_session_id(&self) -> Option<&'a [u8]> {
        self.iter().find_map(|tag| match tag {
            Tag::RelaySessionId(value) => Some(value),
            _ => None,
        })
    }

    /// The first PPP-Max-Payload, in octets.
    pub fn max_payload(&self) -> Option<u16> {
        self.iter().find_map(|tag| match tag {
            Tag::PppMaxPayload(octets) => Some(octets),
            _ => None,
        })
    }

    /// The value of every Vendor-Specific tag, in order.
    pub fn vendor_specific(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.iter().filter_map(|tag| match tag {
            Tag::VendorSpecific(value) => Some(value),
            _ => None,
        })
    }

    pub(super) fn octets(&self) -> &'a [u8] {
        self.octets
    }
}

/// Why the tag at the start of `rest` is not whole.
fn cut_off(rest: &[u8], at: usize) -> WireError {
    match *rest {
        [type_high, type_low, length_high, length_low, ref value @ ..] => WireError::TagValueTruncated {
            tag: TagType(u16::from_be_bytes([type_high, type_low])),
            at,
            length: usize::from(u16::from_be_bytes([length_high, length_low])),
            available: value.len(),
        },
        _ => WireError::TagHeaderTruncated { at },
    }
}
