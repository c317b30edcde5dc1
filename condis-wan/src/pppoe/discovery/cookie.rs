//! The AC-Cookie: proof that a host received our PADO, without remembering that we sent it (RFC 2516 §9).
//!
//! | octets | |
//! |---|---|
//! | 0 to 3 | when it was made, in seconds |
//! | 4 to 7 | its serial number, so that no two are equal |
//! | 8 to 23 | SipHash-2-4-128 of both, the host's MAC address and its Host-Uniq, under our key |
//!
//! The serial number makes one cookie one handshake: a PADR with a cookie that was seen is a retransmission, and one with
//! another cookie is not, even from a host that uses the same Host-Uniq each time, or none.

use std::time::Duration;

use condis::runtime::Time;
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;

use crate::pppoe::wire::MacAddr;

/// Sixteen octets that nobody outside can guess.
pub type Key = [u8; 16];

/// Octets of a cookie.
pub(super) const COOKIE_LEN: usize = 24;

/// A cookie as it goes out and comes back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Cookie([u8; COOKIE_LEN]);

impl Cookie {
    /// The cookie in an AC-Cookie tag; `None` if it is not even as long as ours.
    pub(super) fn read(value: &[u8]) -> Option<Cookie> {
        value.try_into().ok().map(Cookie)
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The moment after which it is no good.
    pub(super) fn expires(&self, lifetime: Duration) -> Time {
        let [a, b, c, d, ..] = self.0;
        let made_s = u64::from(u32::from_be_bytes([a, b, c, d]));
        Time::ZERO.after(Duration::from_secs(made_s)).after(lifetime)
    }
}

/// Why a cookie is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CookieError {
    /// Not made by us, or not for this host.
    Forged,
    /// Made too long ago.
    Expired,
}

/// Makes and checks cookies.
pub(super) struct CookieJar {
    key: Key,
    /// The key before, until the last cookie made with it has expired.
    previous: Option<(Key, Time)>,
    lifetime: Duration,
    serial: u32,
}

impl CookieJar {
    pub(super) fn new(key: Key, lifetime: Duration) -> CookieJar {
        CookieJar { key, previous: None, lifetime, serial: 0 }
    }

    /// A cookie for the host with this MAC and this Host-Uniq.
    pub(super) fn make(&mut self, now: Time, host: MacAddr, host_uniq: Option<&[u8]>) -> Cookie {
        self.serial = self.serial.wrapping_add(1);
        let made_s = u32::try_from(now.as_nanos() / 1_000_000_000).unwrap_or(u32::MAX);
        let mut octets = [0; COOKIE_LEN];
        octets[..4].copy_from_slice(&made_s.to_be_bytes());
        octets[4..8].copy_from_slice(&self.serial.to_be_bytes());
        let proof = prove(&self.key, &octets[..8], host, host_uniq);
        octets[8..].copy_from_slice(&proof.to_be_bytes());
        Cookie(octets)
    }

    /// Checks that we made `cookie` for this host, and not too long ago.
    pub(super) fn check(
        &mut self,
        now: Time,
        host: MacAddr,
        host_uniq: Option<&[u8]>,
        cookie: &Cookie,
    ) -> Result<(), CookieError> {
        self.previous = self.previous.filter(|&(_, until)| now < until);
        let (message, proof) = cookie.0.split_at(8);
        // One comparison of one number, whose time does not tell how far a guess was right.
        let proven = |key: &Key| prove(key, message, host, host_uniq).to_be_bytes() == proof;
        if !proven(&self.key) && !self.previous.is_some_and(|(key, _)| proven(&key)) {
            return Err(CookieError::Forged);
        }
        if now >= cookie.expires(self.lifetime) {
            return Err(CookieError::Expired);
        }
        Ok(())
    }

    /// Makes cookies with another key from now on; those made so far stay good for their life.
    pub(super) fn rotate(&mut self, now: Time, key: Key) {
        self.previous = Some((self.key, now.after(self.lifetime)));
        self.key = key;
    }
}

fn prove(key: &Key, message: &[u8], host: MacAddr, host_uniq: Option<&[u8]>) -> u128 {
    let mut hasher = SipHasher24::new_with_key(key);
    hasher.write(message);
    hasher.write(&host.0);
    // An absent Host-Uniq is not an empty one. It comes last, so that no other field can pose as a part of it.
    hasher.write(&[u8::from(host_uniq.is_some())]);
    hasher.write(host_uniq.unwrap_or_default());
    hasher.finish128().as_u128()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(60);
    const HOST: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
    const OTHER: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);

    fn at(seconds: u64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    /// RFC 2516 §9: the cookie is bound to the host's address, and ours to its Host-Uniq too.
    #[test]
    fn a_cookie_is_good_for_its_host_only() {
        let mut jar = CookieJar::new([1; 16], LIFETIME);
        let cookie = jar.make(at(10), HOST, Some(b"uniq"));
        assert_eq!(jar.check(at(10), HOST, Some(b"uniq"), &cookie), Ok(()));
        for (host, host_uniq) in
            [(OTHER, Some(&b"uniq"[..])), (HOST, Some(b"uniQ")), (HOST, Some(b"")), (HOST, None)]
        {
            assert_eq!(jar.check(at(10), host, host_uniq, &cookie), Err(CookieError::Forged));
        }
        let mut stranger = CookieJar::new([2; 16], LIFETIME);
        assert_eq!(stranger.check(at(10), HOST, Some(b"uniq"), &cookie), Err(CookieError::Forged));
    }

    /// Each bit counts: of the time, of the serial number and of the proof.
    #[test]
    fn every_flipped_bit_is_a_forgery() {
        let mut jar = CookieJar::new([1; 16], LIFETIME);
        let Cookie(octets) = jar.make(at(10), HOST, None);
        for bit in 0..COOKIE_LEN * 8 {
            let mut forged = octets;
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(jar.check(at(10), HOST, None, &Cookie(forged)), Err(CookieError::Forged), "bit {bit}");
        }
        assert_eq!(Cookie::read(&octets[1..]), None);
    }

    #[test]
    fn a_cookie_lives_for_its_lifetime() {
        let mut jar = CookieJar::new([1; 16], LIFETIME);
        let cookie = jar.make(at(10), HOST, None);
        assert_eq!(jar.check(at(69), HOST, None, &cookie), Ok(()));
        assert_eq!(jar.check(at(70), HOST, None, &cookie), Err(CookieError::Expired));
    }

    #[test]
    fn a_rotated_key_leaves_its_cookies_their_life() {
        let mut jar = CookieJar::new([1; 16], LIFETIME);
        let old = jar.make(at(10), HOST, None);
        jar.rotate(at(20), [2; 16]);
        let new = jar.make(at(20), HOST, None);
        assert_eq!(jar.check(at(60), HOST, None, &old), Ok(()));
        assert_eq!(jar.check(at(79), HOST, None, &new), Ok(()));
        // From here on nobody can use the old key, even who has found it out.
        let forged_with_old_key = CookieJar::new([1; 16], LIFETIME).make(at(80), HOST, None);
        assert_eq!(jar.check(at(80), HOST, None, &forged_with_old_key), Err(CookieError::Forged));
    }

    #[test]
    fn no_two_cookies_are_equal() {
        let mut jar = CookieJar::new([1; 16], LIFETIME);
        assert_ne!(jar.make(at(10), HOST, None), jar.make(at(10), HOST, None));
    }
}
