//! The address of a station on an Ethernet.

use std::fmt;
use std::str::FromStr;

/// A 48-bit Ethernet address.
///
/// Printed as Linux tools print it, lower case with colons; read so too, or with the hyphens that IEEE 802 §8.1 uses.
/// Source: IEEE 802 §8.2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MacAddr([u8; 6]);

impl MacAddr {
    /// All stations of the segment.
    pub const BROADCAST: MacAddr = MacAddr([0xff; 6]);

    /// No station: all octets zero. Never a valid source or destination.
    pub const NONE: MacAddr = MacAddr([0; 6]);

    /// The address with these octets, in the order of transmission.
    pub const fn new(octets: [u8; 6]) -> MacAddr {
        MacAddr(octets)
    }

    /// The first six octets of `bytes`, or `None` if there are fewer.
    pub fn from_bytes(bytes: &[u8]) -> Option<MacAddr> {
        bytes.first_chunk().copied().map(MacAddr)
    }

    /// The locally administered unicast address number `n`: `02:00` and then `n`, high octet first.
    pub const fn local(n: u32) -> MacAddr {
        let [a, b, c, d] = n.to_be_bytes();
        MacAddr([LOCAL_BIT, 0, a, b, c, d])
    }

    /// The octets, in the order of transmission.
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// True for every group address, the broadcast address among them (the I/G bit is set).
    pub const fn is_multicast(self) -> bool {
        self.0[0] & GROUP_BIT != 0
    }

    /// True for [`MacAddr::BROADCAST`].
    pub const fn is_broadcast(self) -> bool {
        u64::from_be_bytes([0, 0, self.0[0], self.0[1], self.0[2], self.0[3], self.0[4], self.0[5]])
            == 0xffff_ffff_ffff
    }

    /// True for an address that one station can have: neither a group nor [`MacAddr::NONE`].
    pub const fn is_station(self) -> bool {
        let [a, b, c, d, e, f] = self.0;
        !self.is_multicast() && (a | b | c | d | e | f) != 0
    }

    /// True for an address that was not assigned by the IEEE to a maker (the U/L bit is set).
    pub const fn is_local(self) -> bool {
        self.0[0] & LOCAL_BIT != 0
    }
}

impl From<[u8; 6]> for MacAddr {
    fn from(octets: [u8; 6]) -> MacAddr {
        MacAddr(octets)
    }
}

impl From<MacAddr> for [u8; 6] {
    fn from(address: MacAddr) -> [u8; 6] {
        address.0
    }
}

impl AsRef<[u8]> for MacAddr {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MacAddr {
    type Err = MacAddrError;

    /// Reads `aa:bb:cc:dd:ee:ff`, or the same with hyphens; upper or lower case, two digits an octet.
    fn from_str(text: &str) -> Result<MacAddr, MacAddrError> {
        parse(text).ok_or_else(|| MacAddrError { text: text.chars().take(TEXT_SHOWN_LEN_MAX).collect() })
    }
}

/// A text is not an Ethernet address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("\"{text}\" is not an Ethernet address; expected six octets such as 02:00:00:00:00:01")]
pub struct MacAddrError {
    text: String,
}

fn parse(text: &str) -> Option<MacAddr> {
    let separator = if text.contains('-') { '-' } else { ':' };
    let mut parts = text.split(separator);
    let mut octets = [0; 6];
    for octet in &mut octets {
        *octet = parse_octet(parts.next()?)?;
    }
    parts.next().is_none().then_some(MacAddr(octets))
}

fn parse_octet(digits: &str) -> Option<u8> {
    // `from_str_radix` alone would take "+f" for two digits.
    let two_digits = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    two_digits.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

const GROUP_BIT: u8 = 0x01;
const LOCAL_BIT: u8 = 0x02;

/// An error shows this much of the text: it may have come from anywhere and be of any length.
const TEXT_SHOWN_LEN_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_the_same_text() {
        let address = MacAddr::new([0x00, 0x1b, 0x21, 0xa0, 0xfe, 0x09]);
        assert_eq!(address.to_string(), "00:1b:21:a0:fe:09");
        assert_eq!("00:1b:21:a0:fe:09".parse(), Ok(address));
        assert_eq!("00-1B-21-A0-FE-09".parse(), Ok(address));
    }

    #[test]
    fn refuses_what_is_no_address_and_shows_it() {
        let wrong = [
            "",
            "00:1b:21:a0:fe",
            "00:1b:21:a0:fe:09:01",
            "00:1b:21:a0:fe:9",
            "00:1b:21:a0:fe:+9",
            "00:1b:21-a0:fe:09",
            "00:1b:21:a0:fe:0g",
            "001b21a0fe09",
            " 00:1b:21:a0:fe:09",
        ];
        for text in wrong {
            let error = text.parse::<MacAddr>().expect_err(text).to_string();
            assert!(error.starts_with(&format!("\"{text}\"")), "{error}");
        }
        let long = "é".repeat(10_000).parse::<MacAddr>().expect_err("no address");
        assert!(long.to_string().len() < 200);
    }

    /// IEEE 802 §8.2: the I/G bit is the lowest of the first octet, the U/L bit the next.
    #[test]
    fn tells_groups_stations_and_local_addresses_apart() {
        assert!(MacAddr::BROADCAST.is_multicast() && MacAddr::BROADCAST.is_broadcast());
        let multicast = MacAddr::new([0x01, 0, 0x5e, 0, 0, 1]);
        assert!(multicast.is_multicast() && !multicast.is_broadcast() && !multicast.is_station());
        assert!(!MacAddr::NONE.is_multicast() && !MacAddr::NONE.is_station());
        let local = MacAddr::local(0x0102_0304);
        assert_eq!(local.to_string(), "02:00:01:02:03:04");
        assert!(local.is_station() && local.is_local());
        assert!(!MacAddr::new([0, 1, 2, 3, 4, 5]).is_local());
    }

    #[test]
    fn takes_the_first_six_octets() {
        assert_eq!(MacAddr::from_bytes(&[1, 2, 3, 4, 5]), None);
        assert_eq!(MacAddr::from_bytes(&[1, 2, 3, 4, 5, 6, 7]), Some(MacAddr::new([1, 2, 3, 4, 5, 6])));
    }
}
