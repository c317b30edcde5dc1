//! Host-Uniq: which call an answer belongs to (RFC 2516 Appendix A).
//!
//! Eight octets of serial number and eight of SipHash-2-4 over it. Who did not see our PADI cannot answer it, and we know
//! our own again long after the call that it named is gone.

use siphasher::sip::SipHasher24;

use super::cookie::Key;

/// The Host-Uniq of one call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct HostUniq([u8; 16]);

impl HostUniq {
    pub(super) fn octets(&self) -> &[u8] {
        &self.0
    }
}

/// Makes them, and knows them again.
pub(super) struct HostUniqs {
    key: Key,
    serial: u64,
}

impl HostUniqs {
    pub(super) fn new(key: Key) -> HostUniqs {
        HostUniqs { key, serial: 0 }
    }

    pub(super) fn make(&mut self) -> HostUniq {
        self.serial += 1;
        self.with_serial(self.serial)
    }

    /// Takes a Host-Uniq from a packet; `None` if it is none that this object has made.
    pub(super) fn recognise(&self, value: &[u8]) -> Option<HostUniq> {
        let serial = u64::from_be_bytes(*value.first_chunk()?);
        let ours = self.with_serial(serial);
        ((1..=self.serial).contains(&serial) && ours.0 == value).then_some(ours)
    }

    fn with_serial(&self, serial: u64) -> HostUniq {
        let proof = SipHasher24::new_with_key(&self.key).hash(&serial.to_be_bytes());
        let mut octets = [0; 16];
        octets[..8].copy_from_slice(&serial.to_be_bytes());
        octets[8..].copy_from_slice(&proof.to_be_bytes());
        HostUniq(octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_made_is_recognised() {
        let mut uniqs = HostUniqs::new([1; 16]);
        let first = uniqs.make();
        let second = uniqs.make();
        assert_ne!(first, second);
        assert_eq!(uniqs.recognise(first.octets()), Some(first));
        assert_eq!(uniqs.recognise(&first.octets()[..15]), None);
        assert_eq!(uniqs.recognise(HostUniqs::new([2; 16]).make().octets()), None);
        let not_yet = uniqs.with_serial(3);
        assert_eq!(uniqs.recognise(not_yet.octets()), None);
        assert_eq!(uniqs.make(), not_yet);
    }
}
