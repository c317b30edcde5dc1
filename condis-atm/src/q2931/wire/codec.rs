//! Reading and writing of an IE's contents.

/// What is wrong with the contents of an IE.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The contents end inside a field.
    #[error("contents end inside a field")]
    Truncated,
    /// There is more than the fields that the IE has.
    #[error("{0} octets too many")]
    TooLong(usize),
    /// The IE's length reaches beyond the message.
    #[error("{announced} octets announced, {available} left in the message")]
    Overrun {
        /// What its length says.
        announced: usize,
        /// What the message has left.
        available: usize,
    },
    /// A value that the field cannot have.
    #[error("{field} {value:#x} is not in use")]
    Value {
        /// The field.
        field: &'static str,
        /// What stood there.
        value: u32,
    },
    /// An octet group goes on, or ends, where it must not.
    #[error("extension bit wrong in {0}")]
    Extension(&'static str),
    /// A subfield whose identifier the IE does not have.
    #[error("unknown subfield {0:#04x}")]
    UnknownSubfield(u8),
    /// A subfield comes twice.
    #[error("subfield {0:#04x} twice")]
    RepeatedSubfield(u8),
    /// A subfield is missing.
    #[error("no {0}")]
    Missing(&'static str),
}

/// A code point of a field whose other values would be misunderstood.
macro_rules! known {
    ($field:literal, $value:expr) => {{
        let value = $value;
        match value.name() {
            Some(_) => value,
            None => return Err(ContentError::Value { field: $field, value: value.0.into() }),
        }
    }};
}

pub(super) use known;

/// Where contents are written, or counted.
pub(super) trait Sink {
    /// These come next.
    fn put(&mut self, octets: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, octets: &[u8]) {
        self.extend_from_slice(octets);
    }
}

/// Counts.
pub(super) struct Count(pub(super) usize);

impl Sink for Count {
    fn put(&mut self, octets: &[u8]) {
        self.0 += octets.len();
    }
}

/// The contents of an IE, as a type.
pub(super) trait Body: Sized {
    /// Reads contents. What is left over afterwards is an error of the caller's.
    fn decode(from: &mut Reader<'_>) -> Result<Self, ContentError>;

    /// Writes exactly what [`Body::decode`] would read.
    fn encode(&self, to: &mut impl Sink);
}

/// Contents that have not been read yet.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Reader<'a> {
        Reader { rest: octets }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ContentError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(ContentError::Truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, ContentError> {
        self.array::<1>().map(|[octet]| octet)
    }

    pub(super) fn u16(&mut self) -> Result<u16, ContentError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u24(&mut self) -> Result<u32, ContentError> {
        self.array().map(|[high, middle, low]| u32::from_be_bytes([0, high, middle, low]))
    }

    pub(super) fn u32(&mut self) -> Result<u32, ContentError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], ContentError> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(ContentError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    /// An octet whose extension bit says that its group ends with it; the seven other bits.
    pub(super) fn last(&mut self, group: &'static str) -> Result<u8, ContentError> {
        let octet = self.u8()?;
        if octet & EXT == 0 {
            return Err(ContentError::Extension(group));
        }
        Ok(octet & !EXT)
    }

    /// All that is left.
    pub(super) fn remaining(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// All that is left, at most `MAX` octets.
    pub(super) fn octets<const MAX: usize>(&mut self) -> Result<super::Octets<MAX>, ContentError> {
        let rest = self.remaining();
        super::Octets::new(rest).ok_or_else(|| ContentError::TooLong(rest.len() - MAX))
    }

    /// Nothing may be left.
    pub(super) fn finish(self) -> Result<(), ContentError> {
        match self.rest.len() {
            0 => Ok(()),
            more => Err(ContentError::TooLong(more)),
        }
    }
}

/// Bit 8 of an octet: 1 where its group ends.
pub(super) const EXT: u8 = 0x80;

/// The greatest number of a field of 24 bits.
pub(super) const U24_MAX: u32 = 0xff_ffff;

/// Writes a number of 24 bits; a greater one becomes the greatest.
pub(super) fn put_u24(to: &mut impl Sink, value: u32) {
    to.put(&value.min(U24_MAX).to_be_bytes()[1..]);
}

/// Sets a subfield that may come once.
pub(super) fn once<T>(slot: &mut Option<T>, id: u8, value: T) -> Result<(), ContentError> {
    if slot.is_some() {
        return Err(ContentError::RepeatedSubfield(id));
    }
    *slot = Some(value);
    Ok(())
}
