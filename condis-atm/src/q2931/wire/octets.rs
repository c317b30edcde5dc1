//! Octets of which an IE holds only so many.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// At most `MAX` octets.
#[derive(Clone)]
pub struct Octets<const MAX: usize>(Held);

/// Few octets lie where the value lies: those of numbers, addresses and layers cost no allocation.
#[derive(Clone)]
enum Held {
    Few { len: u8, octets: [u8; FEW] },
    Many(Box<[u8]>),
}

/// As many as fit beside the length, where the pointer to many would be.
const FEW: usize = 22;

impl<const MAX: usize> Octets<MAX> {
    /// These octets; `None` if they are too many.
    pub fn new(octets: impl AsRef<[u8]>) -> Option<Self> {
        let octets = octets.as_ref();
        (octets.len() <= MAX).then(|| Octets(Held::new(octets)))
    }

    /// As many of the first octets as there is room for.
    pub fn truncated(octets: &[u8]) -> Self {
        Octets(Held::new(&octets[..octets.len().min(MAX)]))
    }
}

impl Held {
    #[inline]
    fn new(octets: &[u8]) -> Held {
        let mut few = [0; FEW];
        match few.get_mut(..octets.len()) {
            Some(room) => {
                room.copy_from_slice(octets);
                Held::Few { len: octets.len() as u8, octets: few }
            }
            None => Held::Many(octets.into()),
        }
    }
}

impl<const MAX: usize> Deref for Octets<MAX> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Held::Few { len, octets } => &octets[..usize::from(*len)],
            Held::Many(octets) => octets,
        }
    }
}

/// None.
impl<const MAX: usize> Default for Octets<MAX> {
    fn default() -> Self {
        Octets::truncated(&[])
    }
}

impl<const MAX: usize> PartialEq for Octets<MAX> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<const MAX: usize> Eq for Octets<MAX> {}

impl<const MAX: usize> PartialOrd for Octets<MAX> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const MAX: usize> Ord for Octets<MAX> {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl<const MAX: usize> Hash for Octets<MAX> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

/// Hex digits.
impl<const MAX: usize> fmt::Display for Octets<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl<const MAX: usize> fmt::Debug for Octets<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_are_the_octets_that_they_were_made_of() {
        for len in 0..=40 {
            let given: Vec<u8> = (1..=len).collect();
            let octets = Octets::<40>::new(&given).unwrap();
            assert_eq!(*octets, *given);
            assert_eq!(*Octets::<23>::truncated(&given), given[..given.len().min(23)]);
            assert_eq!(Octets::<22>::new(&given).is_none(), len > 22);
        }
        assert!(Octets::<40>::truncated(&[1; 30]) < Octets::truncated(&[2]));
        assert_eq!(size_of::<Octets<8>>(), 24);
    }
}
