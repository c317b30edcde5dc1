//! Object identifiers.

use std::fmt;

/// Arcs of the longest identifier that is read (RFC 1902 §2.4; RFC 1155 names no bound).
pub const ARCS_MAX: usize = 128;

/// An object identifier: its arcs, compared in their order, as GetNext needs it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Oid(Vec<u32>);

impl Oid {
    /// The identifier of these arcs; of more than [`ARCS_MAX`] the first.
    pub fn new(arcs: &[u32]) -> Oid {
        Oid(arcs[..arcs.len().min(ARCS_MAX)].to_vec())
    }

    /// This one, with more arcs behind.
    #[must_use]
    pub fn with(&self, arcs: impl IntoIterator<Item = u32>) -> Oid {
        let all = self.0.iter().copied().chain(arcs);
        Oid(all.take(ARCS_MAX).collect())
    }

    /// Its arcs.
    pub fn arcs(&self) -> &[u32] {
        &self.0
    }

    /// The arcs behind `prefix`, if it begins with that.
    pub fn strip_prefix(&self, prefix: &[u32]) -> Option<&[u32]> {
        self.0.strip_prefix(prefix)
    }

    /// The octets of BER's contents. An identifier of less than two arcs cannot be written, and becomes 0.0.
    pub(super) fn contents(&self) -> Vec<u8> {
        let (first, rest) = match self.0.as_slice() {
            [first, second, rest @ ..] => (first.saturating_mul(40).saturating_add(*second), rest),
            _ => (0, &[][..]),
        };
        let mut octets = Vec::with_capacity(self.0.len() + 4);
        std::iter::once(first).chain(rest.iter().copied()).for_each(|arc| put_arc(&mut octets, arc));
        octets
    }

    /// Reads BER's contents; `None` if they are none, or too long.
    pub(super) fn from_contents(octets: &[u8]) -> Option<Oid> {
        let mut arcs = Vec::new();
        let mut arc = 0_u32;
        for octet in octets {
            arc = arc.checked_mul(128)? | u32::from(octet & 0x7f);
            if octet & 0x80 != 0 {
                continue;
            }
            if arcs.is_empty() {
                let first = (arc / 40).min(2);
                arcs.extend([first, arc - first * 40]);
            } else {
                arcs.push(arc);
            }
            arc = 0;
            if arcs.len() > ARCS_MAX {
                return None;
            }
        }
        let ended = octets.last().is_some_and(|last| last & 0x80 == 0);
        ended.then_some(Oid(arcs))
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut dot = "";
        for arc in &self.0 {
            write!(f, "{dot}{arc}")?;
            dot = ".";
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Seven bits an octet, the first the highest; all but the last are marked.
fn put_arc(octets: &mut Vec<u8>, arc: u32) {
    let groups = (1..5).rev().filter(|group| arc >> (7 * group) != 0);
    octets.extend(groups.map(|group| (arc >> (7 * group)) as u8 | 0x80));
    octets.push(arc as u8 & 0x7f);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_written_as_in_linux_atm() {
        // atmfNetPrefixStatus.
        let oid = Oid::new(&[1, 3, 6, 1, 4, 1, 353, 2, 7, 1, 1, 3]);
        assert_eq!(oid.contents(), b"\x2b\x06\x01\x04\x01\x82\x61\x02\x07\x01\x01\x03");
        assert_eq!(oid.to_string(), "1.3.6.1.4.1.353.2.7.1.1.3");
        for arcs in [&[0, 0][..], &[1, 39, 127, 128, 16_383, 16_384, u32::MAX], &[2, 999]] {
            let oid = Oid::new(arcs);
            assert_eq!(Oid::from_contents(&oid.contents()), Some(oid));
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        let too_long = [1; ARCS_MAX];
        let too_large = [0x90, 0x80, 0x80, 0x80, 0x00];
        for octets in [&[][..], &[0x2b, 0x86], &too_long, &too_large] {
            assert_eq!(Oid::from_contents(octets), None, "{octets:?}");
        }
        assert_eq!(Oid::new(&[1]).contents(), [0]);
    }
}
