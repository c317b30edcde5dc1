//! Octets of which an IE holds only so many.

use std::fmt;
use std::ops::Deref;

/// At most `MAX` octets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Octets<const MAX: usize>(Vec<u8>);

impl<const MAX: usize> Octets<MAX> {
    /// These octets; `None` if they are too many.
    pub fn new(octets: impl Into<Vec<u8>>) -> Option<Self> {
        let octets = octets.into();
        (octets.len() <= MAX).then_some(Octets(octets))
    }

    /// As many of the first octets as there is room for.
    pub fn truncated(octets: &[u8]) -> Self {
        Octets(octets[..octets.len().min(MAX)].to_vec())
    }
}

impl<const MAX: usize> Deref for Octets<MAX> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Hex digits.
impl<const MAX: usize> fmt::Display for Octets<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl<const MAX: usize> fmt::Debug for Octets<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
