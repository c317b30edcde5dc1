//! The beginning of an address, by which calls are routed.

use std::fmt;
use std::str::FromStr;

use crate::addr::{AtmAddress, E164};

/// The first bits of an AESA, or the first digits of an E.164 number. Without any, all addresses of that kind.
///
/// It reads and prints as `47.0005.80/20` (bits; without a slash all that is written) and `+4989`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressPrefix(Kind);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    /// The octets behind the last bit, and the bits behind it in its octet, are zero.
    Nsap { octets: [u8; AtmAddress::NSAP_OCTETS], bits: u8 },
    /// The digits behind the last are zero octets.
    E164 { digits: [u8; E164::DIGITS_MAX], len: u8 },
}

/// Why a text is no prefix of an address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddressPrefixError {
    /// Something that is no hex digit and no dot.
    #[error("{0:?} is no hex digit of an address prefix")]
    Digit(char),
    /// More than the 40 hex digits of an AESA.
    #[error("an AESA has 40 hex digits, found {0}")]
    TooLong(usize),
    /// What is behind the slash is no number of bits, or of more bits than are written.
    #[error("{found:?} is no number of bits from 0 to {max}")]
    Bits {
        /// What was found.
        found: String,
        /// The most that it could be.
        max: usize,
    },
    /// A number has at most 15 digits behind its plus sign.
    #[error("a prefix of E.164 numbers is a plus sign and up to 15 digits")]
    E164,
}

impl AddressPrefix {
    /// Bits of the longest AESA prefix: the whole address.
    pub const NSAP_BITS_MAX: u8 = 160;
    /// Bits that name an end system: the selector behind them is its own.
    pub const END_SYSTEM_BITS: u8 = 152;

    /// The first `bits` bits of an AESA; `None` if it has not as many, neither in `octets` nor at all.
    pub fn nsap(octets: &[u8], bits: u8) -> Option<AddressPrefix> {
        if bits > Self::NSAP_BITS_MAX || octets.len() < usize::from(bits.div_ceil(8)) {
            return None;
        }
        let mut cut = [0; AtmAddress::NSAP_OCTETS];
        let whole = usize::from(bits / 8);
        cut[..whole].copy_from_slice(&octets[..whole]);
        if !bits.is_multiple_of(8) {
            cut[whole] = octets[whole] & !(0xff >> (bits % 8));
        }
        Some(AddressPrefix(Kind::Nsap { octets: cut, bits }))
    }

    /// The first digits of a number, in IA5; `None` if there are more than 15 or something else is among them.
    pub fn e164(ia5: &[u8]) -> Option<AddressPrefix> {
        if ia5.len() > E164::DIGITS_MAX || !ia5.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut digits = [0; E164::DIGITS_MAX];
        digits[..ia5.len()].copy_from_slice(ia5);
        Some(AddressPrefix(Kind::E164 { digits, len: ia5.len() as u8 }))
    }

    /// The end system that has this address: of an AESA all but the selector, of a number all of it.
    pub fn end_system(address: &AtmAddress) -> AddressPrefix {
        AddressPrefix::of(address, Self::END_SYSTEM_BITS).expect("no address is as short as this")
    }

    /// The first `len` bits or digits of this address; of a number at most all of it.
    pub(super) fn of(address: &AtmAddress, len: u8) -> Option<AddressPrefix> {
        match address {
            AtmAddress::Nsap(octets) => AddressPrefix::nsap(octets, len),
            AtmAddress::E164(number) => {
                let digits = number.digits();
                AddressPrefix::e164(&digits[..digits.len().min(len.into())])
            }
        }
    }

    /// Its length, in bits or digits.
    #[expect(
        clippy::len_without_is_empty,
        reason = "an empty prefix is the default route and as good as another"
    )]
    pub fn len(&self) -> u8 {
        match self.0 {
            Kind::Nsap { bits, .. } => bits,
            Kind::E164 { len, .. } => len,
        }
    }

    /// True if it is one of AESAs, not of numbers.
    pub fn is_nsap(&self) -> bool {
        matches!(self.0, Kind::Nsap { .. })
    }

    /// True if the address begins with it.
    pub fn matches(&self, address: &AtmAddress) -> bool {
        matches!(address, AtmAddress::Nsap(_)) == self.is_nsap()
            && AddressPrefix::of(address, self.len()) == Some(*self)
    }
}

/// See [`AddressPrefix`].
impl FromStr for AddressPrefix {
    type Err = AddressPrefixError;

    fn from_str(text: &str) -> Result<AddressPrefix, AddressPrefixError> {
        if let Some(digits) = text.strip_prefix('+') {
            return AddressPrefix::e164(digits.as_bytes()).ok_or(AddressPrefixError::E164);
        }
        let (hex, bits) = match text.split_once('/') {
            Some((hex, bits)) => (hex, Some(bits)),
            None => (text, None),
        };
        let mut octets = [0; AtmAddress::NSAP_OCTETS];
        let mut written = 0;
        for c in hex.chars().filter(|c| *c != '.') {
            let nibble = c.to_digit(16).ok_or(AddressPrefixError::Digit(c))? as u8;
            if let Some(octet) = octets.get_mut(written / 2) {
                *octet |= if written % 2 == 0 { nibble << 4 } else { nibble };
            }
            written += 1;
        }
        if written > 2 * AtmAddress::NSAP_OCTETS {
            return Err(AddressPrefixError::TooLong(written));
        }
        let max = 4 * written;
        let len = match bits {
            None => max,
            Some(bits) => bits
                .parse()
                .ok()
                .filter(|len| *len <= max)
                .ok_or_else(|| AddressPrefixError::Bits { found: bits.to_owned(), max })?,
        };
        Ok(AddressPrefix::nsap(&octets, len as u8).expect("not longer than an AESA, as just checked"))
    }
}

impl fmt::Display for AddressPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Nsap { octets, bits } => {
                for nibble in 0..usize::from(bits.div_ceil(4)) {
                    let dot = nibble % 2 == 0 && matches!(nibble / 2, 1 | 3 | 4 | 7 | 9 | 11 | 13 | 19);
                    let digit = octets[nibble / 2] >> (4 * (1 - nibble % 2)) & 0xf;
                    write!(f, "{}{digit:x}", if dot { "." } else { "" })?;
                }
                if bits % 4 == 0 && bits != 0 { Ok(()) } else { write!(f, "/{bits}") }
            }
            Kind::E164 { digits, len } => {
                f.write_str("+")?;
                digits[..len.into()].iter().try_for_each(|digit| write!(f, "{}", char::from(*digit)))
            }
        }
    }
}

impl fmt::Debug for AddressPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00";

    #[test]
    fn prefixes_are_read_as_they_print() {
        for text in
            ["47", "4", "47.0005.80.f8/37", "47.0005.80.ffe100.0000.f21a.0001", ADDRESS, "/0", "+", "+4989"]
        {
            assert_eq!(text.parse::<AddressPrefix>().unwrap().to_string(), text);
        }
        let same = |a: &str, b: &str| assert_eq!(a.parse::<AddressPrefix>(), b.parse());
        same("", "47/0");
        same("47.0005/16", "4700");
        same("ff/3", "e/3");
    }

    #[test]
    fn what_is_no_prefix_says_why() {
        let bits = |found: &str, max| AddressPrefixError::Bits { found: found.to_owned(), max };
        let wrong = [
            ("47.00x", AddressPrefixError::Digit('x')),
            ("47/9", bits("9", 8)),
            ("47/", bits("", 8)),
            ("47/-1", bits("-1", 8)),
            ("+12a", AddressPrefixError::E164),
            ("+1234567890123456", AddressPrefixError::E164),
        ];
        for (text, error) in wrong {
            assert_eq!(text.parse::<AddressPrefix>(), Err(error), "{text}");
        }
        let long = ADDRESS.to_owned() + "0";
        assert_eq!(long.parse::<AddressPrefix>(), Err(AddressPrefixError::TooLong(41)));
        assert_eq!(AddressPrefix::nsap(&[0x47], 9), None);
        assert_eq!(AddressPrefix::nsap(&[0; 21], 161), None);
    }

    #[test]
    fn an_address_begins_with_its_prefixes_and_no_others() {
        let address: AtmAddress = ADDRESS.parse().unwrap();
        for bits in 0..=160 {
            let prefix = AddressPrefix::of(&address, bits).unwrap();
            assert!(prefix.matches(&address));
            if bits > 0 {
                let mut other = *address.octets().first_chunk::<20>().unwrap();
                other[usize::from((bits - 1) / 8)] ^= 0x80 >> ((bits - 1) % 8);
                assert!(!prefix.matches(&AtmAddress::Nsap(other)), "bit {bits}");
            }
        }
        let number: AtmAddress = "+4989636112".parse().unwrap();
        let matches = |text: &str| text.parse::<AddressPrefix>().unwrap().matches(&number);
        assert!(matches("+") && matches("+4989") && matches("+4989636112"));
        assert!(!matches("+4988") && !matches("+49896361120") && !matches("/0"));
        assert!(!"+".parse::<AddressPrefix>().unwrap().matches(&address));
    }
}
