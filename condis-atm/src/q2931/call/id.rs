//! What names a call and a party.

use std::fmt;

/// Names a call of one interface, whoever made it. The core gives it out, and never the same one twice.
///
/// It holds from the request or indication that begins the call until the call has ended for its user (see
/// [`Output`](super::Output)); after that it names nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u64);

impl CallId {
    pub(crate) const fn new(index: u32, generation: u32) -> CallId {
        CallId((generation as u64) << 32 | index as u64)
    }

    pub(crate) const fn index(self) -> usize {
        self.0 as u32 as usize
    }

    pub(crate) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.index(), self.generation())
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {self}")
    }
}

/// Names a party of a point-to-multipoint call: the value of its endpoint reference (15 bits), which the end that made the call
/// gives out (Q.2971 §8.2.1, UNI 3.1 §5.4.8.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(pub u16);

impl PartyId {
    /// The greatest.
    pub const MAX: PartyId = PartyId(0x7fff);
}

impl fmt::Display for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "party {self}")
    }
}
