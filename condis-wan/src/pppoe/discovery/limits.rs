//! Every bound of the two machines, with its default and the reason for the number.

use std::time::Duration;

use super::rate::{Rate, RateLimit};

/// The bounds of a [`Host`](super::Host).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostLimits {
    /// Calls at once, in any state. 4096: a load generator's worth; a home has one.
    pub calls_max: usize,
    /// Wait for a PADO after the first PADI, and for a PADS after the first PADR. Doubled at each retry (RFC 2516 §8).
    /// 1 s: far above any round trip in an access network, and people do not notice it.
    pub retry_after: Duration,
    /// PADIs before the call fails. 5: at 0, 1, 3, 7 and 15 s, failing at 31 s; a concentrator that restarts is back by
    /// then, and no patient is left after it.
    pub padi_max: u32,
    /// PADRs to one concentrator before PADI is sent again (RFC 2516 §8). 4: at 0, 1, 3 and 7 s, given up at 15 s.
    pub padr_max: u32,
    /// Times that discovery begins with PADI. 2: once more, in case another concentrator answers; a call fails after
    /// 31 + 15 + 31 + 15 s at the very most.
    pub rounds_max: u32,
    /// PADTs in answer to what is no session of ours. 20 a second: a peer that lost its memory is told of each session
    /// soon, and one that wants us to babble is not served.
    pub padt_replies: Rate,
}

impl Default for HostLimits {
    fn default() -> HostLimits {
        HostLimits {
            calls_max: 4096,
            retry_after: Duration::from_secs(1),
            padi_max: 5,
            padr_max: 4,
            rounds_max: 2,
            padt_replies: Rate { per_second: 20, burst: 40 },
        }
    }
}

/// The bounds of a [`Concentrator`](super::Concentrator).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConcentratorLimits {
    /// Services offered at once. 64: their names have to fit one PADO anyway.
    pub services_max: usize,
    /// Octets of a service's name. 255: what configuration files and RADIUS attributes hold.
    pub service_name_len_max: usize,
    /// Sessions, offered ones included. 32,768: half of the session ids, so that a freed one can always rest.
    pub sessions_max: usize,
    /// Sessions with one MAC address, offered ones included. 64: a gateway has a handful, a test host some dozens; and
    /// a host that forgets its sessions at each restart is stopped here.
    pub sessions_per_mac_max: usize,
    /// Sessions offered to the user and not answered. 1024: more than a user answers within a host's patience.
    pub offered_max: usize,
    /// Silence of a host after which its unanswered offer is taken back, counted from its last PADR. 20 s: longer than
    /// the longest pause between two PADRs of a host that doubles from 1 s four times.
    pub offer_patience: Duration,
    /// How long an AC-Cookie is good. 60 s: a host's PADRs all come within its patience of some 15 to 30 s.
    pub cookie_lifetime: Duration,
    /// Handshakes that are over and remembered, so that a late PADR does not begin them anew. 4096: those of a minute
    /// (the cookie's life) at 68 a second; when there are more, the oldest is forgotten.
    pub handshakes_over_max: usize,
    /// How long a session id rests before it is given away again. 120 s: twice a cookie's life, and longer than frames
    /// and a peer's keepalive (LCP echo, some 30 to 90 s) of the old session live.
    pub session_id_rest: Duration,
    /// PADIs that are answered. 16 a second from one MAC, 64 at once: a host that makes dozens of calls at once. 1000
    /// a second in all: what a power cut brings back, some ten thousand hosts, is served within their patience.
    pub padi: RateLimit,
    /// PADRs with a good cookie that are answered. As for PADI, since one follows the other.
    pub padr: RateLimit,
    /// PADTs in answer to session packets of no session. 4 a second for one MAC: enough to tell it; 200 in all.
    pub padt_replies: RateLimit,
}

impl Default for ConcentratorLimits {
    fn default() -> ConcentratorLimits {
        let discovery = RateLimit {
            per_mac: Rate { per_second: 16, burst: 64 },
            total: Rate { per_second: 1000, burst: 2000 },
            // The MACs of the total's burst, and as many again.
            macs_max: 4096,
        };
        ConcentratorLimits {
            services_max: 64,
            service_name_len_max: 255,
            sessions_max: 32_768,
            sessions_per_mac_max: 64,
            offered_max: 1024,
            offer_patience: Duration::from_secs(20),
            cookie_lifetime: Duration::from_secs(60),
            handshakes_over_max: 4096,
            session_id_rest: Duration::from_secs(120),
            padi: discovery,
            padr: discovery,
            padt_replies: RateLimit {
                per_mac: Rate { per_second: 4, burst: 16 },
                total: Rate { per_second: 200, burst: 400 },
                macs_max: 1024,
            },
        }
    }
}
