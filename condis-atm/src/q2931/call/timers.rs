//! The timers of signaling, and how long they run.

use std::fmt;
use std::time::Duration;

use crate::q2931::wire::{Side, Version};

/// The timers of a call, a party or the interface, by the names of the standards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Timer {
    /// ALERTING received: the called user does not answer.
    T301,
    /// SETUP sent. Once more at the first expiry.
    T303,
    /// RELEASE sent. Once more at the first expiry.
    T308,
    /// The SAAL is gone: active calls wait for it.
    T309,
    /// CALL PROCEEDING received.
    T310,
    /// CONNECT sent (user side).
    T313,
    /// RESTART sent. Once more at the first expiry.
    T316,
    /// RESTART received, and calls wait to be idle here.
    T317,
    /// STATUS ENQUIRY sent. Once more at the first expiry.
    T322,
    /// MODIFY REQUEST sent.
    T360,
    /// MODIFY ACKNOWLEDGE sent that wants a confirmation.
    T361,
    /// PARTY ALERTING received.
    T397,
    /// DROP PARTY sent.
    T398,
    /// ADD PARTY sent.
    T399,
}

impl Timer {
    /// All of them, by number.
    pub const ALL: [Timer; 14] = [
        Timer::T301,
        Timer::T303,
        Timer::T308,
        Timer::T309,
        Timer::T310,
        Timer::T313,
        Timer::T316,
        Timer::T317,
        Timer::T322,
        Timer::T360,
        Timer::T361,
        Timer::T397,
        Timer::T398,
        Timer::T399,
    ];

    /// Its number in digits, as the diagnostic of cause 102 carries it (UNI 3.1 §5.4.5.15).
    pub const fn digits(self) -> [u8; 3] {
        match self {
            Timer::T301 => *b"301",
            Timer::T303 => *b"303",
            Timer::T308 => *b"308",
            Timer::T309 => *b"309",
            Timer::T310 => *b"310",
            Timer::T313 => *b"313",
            Timer::T316 => *b"316",
            Timer::T317 => *b"317",
            Timer::T322 => *b"322",
            Timer::T360 => *b"360",
            Timer::T361 => *b"361",
            Timer::T397 => *b"397",
            Timer::T398 => *b"398",
            Timer::T399 => *b"399",
        }
    }
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// How long each timer runs.
///
/// The defaults are those of Q.2931 tables 7-1 and 7-2 as FreeBSD's ngatm has them, and of UNI 3.1 §5.7 as the manuals of switches give
/// them where it differs. T360 and T361 (Q.2963.1 §13) are ours: no public value was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timers {
    /// 3 minutes.
    pub t301: Duration,
    /// 4 s, twice.
    pub t303: Duration,
    /// 30 s, twice.
    pub t308: Duration,
    /// 10 s (Q.2931: 90 s).
    pub t309: Duration,
    /// 10 s; 30 s at the user side of UNI 4.0.
    pub t310: Duration,
    /// 4 s.
    pub t313: Duration,
    /// 2 minutes, twice.
    pub t316: Duration,
    /// 90 s: less than T316 of the peer.
    pub t317: Duration,
    /// 4 s, twice.
    pub t322: Duration,
    /// 30 s.
    pub t360: Duration,
    /// 30 s.
    pub t361: Duration,
    /// 3 minutes.
    pub t397: Duration,
    /// 4 s.
    pub t398: Duration,
    /// T303 and T310 together: 14 s; 34 s at the user side of UNI 4.0.
    pub t399: Duration,
}

impl Timers {
    /// The defaults of one side in one version.
    pub const fn of(side: Side, version: Version) -> Timers {
        let (t310, t399) = match (side, version) {
            (Side::User, Version::Uni40) => (30, 34),
            (Side::User, Version::Uni30 | Version::Uni31) | (Side::Network, _) => (10, 14),
        };
        Timers {
            t301: Duration::from_secs(180),
            t303: Duration::from_secs(4),
            t308: Duration::from_secs(30),
            t309: Duration::from_secs(10),
            t310: Duration::from_secs(t310),
            t313: Duration::from_secs(4),
            t316: Duration::from_secs(120),
            t317: Duration::from_secs(90),
            t322: Duration::from_secs(4),
            t360: Duration::from_secs(30),
            t361: Duration::from_secs(30),
            t397: Duration::from_secs(180),
            t398: Duration::from_secs(4),
            t399: Duration::from_secs(t399),
        }
    }

    /// How long this one runs.
    pub const fn duration(&self, timer: Timer) -> Duration {
        match timer {
            Timer::T301 => self.t301,
            Timer::T303 => self.t303,
            Timer::T308 => self.t308,
            Timer::T309 => self.t309,
            Timer::T310 => self.t310,
            Timer::T313 => self.t313,
            Timer::T316 => self.t316,
            Timer::T317 => self.t317,
            Timer::T322 => self.t322,
            Timer::T360 => self.t360,
            Timer::T361 => self.t361,
            Timer::T397 => self.t397,
            Timer::T398 => self.t398,
            Timer::T399 => self.t399,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_timer_has_its_number_and_a_duration() {
        let timers = Timers::of(Side::User, Version::Uni31);
        for timer in Timer::ALL {
            assert_eq!(timer.to_string().as_bytes()[1..], timer.digits());
            assert!(timers.duration(timer) >= Duration::from_secs(4), "{timer}");
        }
        assert!(timers.t317 < timers.t316, "who answers a RESTART is done before its sender gives up");
    }
}
