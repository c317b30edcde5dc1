//! How often a peer may make us work: token buckets, one for all and one for each MAC address, in a bounded table.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use condis::runtime::Time;

use crate::pppoe::wire::MacAddr;

/// So many in the long run, and so many at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// In the long run; zero counts as one.
    pub per_second: u32,
    /// At once, after a silence; zero counts as one.
    pub burst: u32,
}

/// Which bucket was empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exceeded {
    /// The sender's own.
    PerMac,
    /// The one for all senders.
    Total,
}

/// A token bucket, kept as the one moment at which it will be full (the generic cell rate algorithm).
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    full_at: Time,
}

impl Bucket {
    pub(super) fn full() -> Bucket {
        Bucket { full_at: Time::ZERO }
    }

    /// Takes a token; false if there is none.
    pub(super) fn take(&mut self, now: Time, rate: Rate) -> bool {
        let token = Duration::from_secs(1) / rate.per_second.max(1);
        let until_full = self.full_at.since(now) + token;
        if until_full > token.saturating_mul(rate.burst.max(1)) {
            return false;
        }
        self.full_at = now.after(until_full);
        true
    }
}

/// The limits of one kind of packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RateLimit {
    /// From one MAC address.
    pub per_mac: Rate,
    /// From all of them.
    pub total: Rate,
    /// MAC addresses remembered. When one more comes, the one that was first seen longest ago is forgotten, and finds a
    /// full bucket when it comes back; the total still holds then.
    pub macs_max: usize,
}

/// The buckets of one kind of packet.
#[derive(Debug)]
pub(super) struct RateTable {
    limit: RateLimit,
    total: Bucket,
    per_mac: BTreeMap<MacAddr, Bucket>,
    /// The keys of `per_mac`, the longest known first.
    seen: VecDeque<MacAddr>,
}

impl RateTable {
    pub(super) fn new(limit: RateLimit) -> RateTable {
        RateTable { limit, total: Bucket::full(), per_mac: BTreeMap::new(), seen: VecDeque::new() }
    }

    /// Takes a token of `mac` and one of all. The sender's own bucket is asked first, so that one who floods uses up
    /// nobody else's share.
    pub(super) fn take(&mut self, now: Time, mac: MacAddr) -> Result<(), Exceeded> {
        let rate = self.limit.per_mac;
        if !self.bucket(mac).take(now, rate) {
            return Err(Exceeded::PerMac);
        }
        if !self.total.take(now, self.limit.total) {
            return Err(Exceeded::Total);
        }
        Ok(())
    }

    fn bucket(&mut self, mac: MacAddr) -> &mut Bucket {
        if !self.per_mac.contains_key(&mac) {
            if self.per_mac.len() >= self.limit.macs_max.max(1)
                && let Some(oldest) = self.seen.pop_front()
            {
                self.per_mac.remove(&oldest);
            }
            self.seen.push_back(mac);
        }
        self.per_mac.entry(mac).or_insert_with(Bucket::full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

    fn at(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let rate = Rate { per_second: 2, burst: 3 };
        let mut bucket = Bucket::full();
        let lines = [
            (0, true),
            (0, true),
            (0, true),
            (0, false),
            (499, false),
            (500, true),
            (500, false),
            (1000, true),
        ];
        for (ms, expected) in lines {
            assert_eq!(bucket.take(at(ms), rate), expected, "at {ms} ms");
        }
        assert_eq!(
            (0..5).filter(|_| bucket.take(at(60_000), rate)).count(),
            3,
            "silence saves one burst, no more"
        );
    }

    #[test]
    fn one_sender_uses_up_its_own_share_only() {
        let limit = RateLimit {
            per_mac: Rate { per_second: 1, burst: 2 },
            total: Rate { per_second: 1, burst: 3 },
            macs_max: 8,
        };
        let mut table = RateTable::new(limit);
        assert_eq!(table.take(at(0), MAC), Ok(()));
        assert_eq!(table.take(at(0), MAC), Ok(()));
        assert_eq!(table.take(at(0), MAC), Err(Exceeded::PerMac));
        let other = MacAddr([2, 0, 0, 0, 0, 2]);
        assert_eq!(table.take(at(0), other), Ok(()));
        assert_eq!(table.take(at(0), other), Err(Exceeded::Total));
    }

    #[test]
    fn the_table_is_bounded_and_forgets_the_oldest() {
        let limit = RateLimit {
            per_mac: Rate { per_second: 1, burst: 1 },
            total: Rate { per_second: 1, burst: 1000 },
            macs_max: 4,
        };
        let mut table = RateTable::new(limit);
        for last in 0..100 {
            assert_eq!(table.take(at(0), MacAddr([2, 0, 0, 0, 0, last])), Ok(()));
            assert!(table.per_mac.len() <= 4 && table.seen.len() == table.per_mac.len());
        }
        assert_eq!(table.take(at(0), MacAddr([2, 0, 0, 0, 0, 96])), Err(Exceeded::PerMac), "still known");
        assert_eq!(table.take(at(0), MacAddr([2, 0, 0, 0, 0, 0])), Ok(()), "forgotten");
    }
}
