//! ATM addresses: NSAP-shaped ATM end system addresses, and E.164 numbers.
//!
//! Source: ATM Forum UNI 3.1 §5.1.3, X.213 annex A, E.164.

use std::fmt;
use std::str::FromStr;

/// The address of an ATM end system.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "ATM_ADDRESS")]
pub enum AtmAddress {
    /// An ATM end system address (AESA) in the form of an NSAP: 13 octets of prefix, 6 of ESI, 1 of selector.
    Nsap([u8; AtmAddress::NSAP_OCTETS]),
    /// A number of up to 15 digits, `0` to `9`, without the plus sign.
    E164(E164),
}

/// An E.164 number: 1 to 15 digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct E164 {
    digits: [u8; E164::DIGITS_MAX],
    len: u8,
}

/// The end system identifier: the six octets of an AESA that a host brings along.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Esi(pub [u8; 6]);

impl AtmAddress {
    /// Octets of an AESA.
    pub const NSAP_OCTETS: usize = 20;
    /// Octets of the network prefix at its beginning.
    pub const PREFIX_OCTETS: usize = 13;

    /// The AESA of a network prefix, an end system and a selector.
    pub fn new(prefix: [u8; Self::PREFIX_OCTETS], esi: Esi, selector: u8) -> AtmAddress {
        let mut octets = [0; Self::NSAP_OCTETS];
        octets[..13].copy_from_slice(&prefix);
        octets[13..19].copy_from_slice(&esi.0);
        octets[19] = selector;
        AtmAddress::Nsap(octets)
    }

    /// The octets as they stand in a party number: of an AESA all 20, of a number its digits in IA5.
    pub fn octets(&self) -> &[u8] {
        match self {
            AtmAddress::Nsap(octets) => octets,
            AtmAddress::E164(number) => number.digits(),
        }
    }
}

impl E164 {
    /// Digits of the longest number.
    pub const DIGITS_MAX: usize = 15;

    /// A number of these digits in IA5; `None` if there is none, one too many, or something else among them.
    pub fn new(ia5: &[u8]) -> Option<E164> {
        if ia5.is_empty() || ia5.len() > Self::DIGITS_MAX || !ia5.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut digits = [0; Self::DIGITS_MAX];
        digits[..ia5.len()].copy_from_slice(ia5);
        Some(E164 { digits, len: ia5.len() as u8 })
    }

    /// Its digits in IA5.
    pub fn digits(&self) -> &[u8] {
        &self.digits[..usize::from(self.len)]
    }
}

/// Why a text is no ATM address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AtmAddressError {
    /// An AESA has 40 hex digits, in groups as one likes.
    #[error("an ATM address has 40 hex digits, dots where one likes (47.0005.80…), found {0}")]
    Length(usize),
    /// Something that is no hex digit and no dot.
    #[error("{0:?} is no hex digit of an ATM address")]
    Digit(char),
    /// A number has 1 to 15 digits behind its plus sign.
    #[error("an E.164 number is a plus sign and 1 to 15 digits")]
    E164,
}

/// `47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00` (dots are only for the eye), or `+4989636112`.
impl FromStr for AtmAddress {
    type Err = AtmAddressError;

    fn from_str(text: &str) -> Result<AtmAddress, AtmAddressError> {
        if let Some(digits) = text.strip_prefix('+') {
            return E164::new(digits.as_bytes()).map(AtmAddress::E164).ok_or(AtmAddressError::E164);
        }
        let mut nibbles = Vec::with_capacity(40);
        for c in text.chars().filter(|c| *c != '.') {
            nibbles.push(c.to_digit(16).ok_or(AtmAddressError::Digit(c))? as u8);
        }
        if nibbles.len() != 2 * Self::NSAP_OCTETS {
            return Err(AtmAddressError::Length(nibbles.len()));
        }
        let mut octets = [0; Self::NSAP_OCTETS];
        for (octet, pair) in octets.iter_mut().zip(nibbles.chunks_exact(2)) {
            *octet = pair[0] << 4 | pair[1];
        }
        Ok(AtmAddress::Nsap(octets))
    }
}

impl fmt::Display for AtmAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AtmAddress::Nsap(octets) => {
                for (at, octet) in octets.iter().enumerate() {
                    let dot = if matches!(at, 1 | 3 | 4 | 7 | 9 | 11 | 13 | 19) { "." } else { "" };
                    write!(f, "{dot}{octet:02x}")?;
                }
                Ok(())
            }
            AtmAddress::E164(number) => {
                f.write_str("+")?;
                number.digits().iter().try_for_each(|digit| write!(f, "{}", char::from(*digit)))
            }
        }
    }
}

impl fmt::Debug for AtmAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&AtmAddress::E164(*self), f)
    }
}

impl fmt::Display for Esi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Esi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_print() {
        let nsap = "47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00";
        for text in [nsap, "+4989636112", "+1", "+123456789012345"] {
            assert_eq!(text.parse::<AtmAddress>().unwrap().to_string(), text);
        }
        let bare: AtmAddress = nsap.replace('.', "").parse().unwrap();
        assert_eq!(bare.to_string(), nsap);
    }

    #[test]
    fn what_is_no_address_says_why() {
        let wrong = [
            ("", AtmAddressError::Length(0)),
            ("47.00", AtmAddressError::Length(4)),
            ("47.00x5", AtmAddressError::Digit('x')),
            ("+", AtmAddressError::E164),
            ("+12a", AtmAddressError::E164),
            ("+1234567890123456", AtmAddressError::E164),
        ];
        for (text, error) in wrong {
            assert_eq!(text.parse::<AtmAddress>(), Err(error), "{text:?}");
        }
    }
}
