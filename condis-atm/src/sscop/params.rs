//! Every parameter of SSCOP, with its default and the reason for the number.

use std::time::Duration;

/// Which SSCOP the peer speaks.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Dialect {
    /// Q.2110, as UNI 3.1 and UNI 4.0 have it: BGN, RS and ER carry N(SQ), so that a repetition is known as one.
    #[default]
    Q2110,
    /// Q.SAAL1, as UNI 3.0 has it: N(SQ) is 0 and means nothing, and each BGN, RS and ER is taken for a new one. Its other
    /// differences (SD with poll) are not done; the peers that were seen do not use them.
    QSaal1,
}

/// The parameters of a [`Sscop`](super::Sscop) (Q.2110 §7.6, §7.7; values for the UNI from Q.2130 §7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Params {
    /// Which SSCOP the peer speaks.
    pub dialect: Dialect,
    /// Timer_CC, the wait for an answer to BGN, END, RS or ER. 1 s (Q.2130).
    pub timer_cc: Duration,
    /// Timer_POLL, between two polls while data is on its way (active phase). 0.75 s (Q.2130).
    pub timer_poll: Duration,
    /// Timer_KEEP-ALIVE, between two polls just after (transient phase). 2 s (Q.2130).
    pub timer_keep_alive: Duration,
    /// Timer_NO-RESPONSE, the wait for any STAT until the connection is given up. 7 s (Q.2130).
    pub timer_no_response: Duration,
    /// Timer_IDLE, between two polls while nothing happens (idle phase). 15 s (Q.2130).
    pub timer_idle: Duration,
    /// MaxCC, how often BGN, END, RS or ER is sent. 4 (Q.2130). At least 1.
    pub max_cc: u32,
    /// MaxPD, SDs sent before a poll is. 25 (Q.2130). At least 1.
    pub max_pd: u32,
    /// MaxSTAT, elements of a STAT's list; longer lists go in several STATs. 67 (Q.2110 §7.7): a STAT of 6 cells. Odd, at
    /// least 3; what is taken apart from a peer may have as many.
    pub max_stat: usize,
    /// k, octets of an SDU. 4096 (Q.2130): the longest signaling message.
    pub k: usize,
    /// j, octets of user-to-user information. 4096 (Q.2130).
    pub j: usize,
    /// SDs that may come before the user has taken the first of them: the credit that the peer is granted, and the bound of
    /// the receive buffer. 128: a burst of some dozens of calls, half a megabyte at the very worst. At least 1.
    pub receive_window: u16,
    /// SDUs that wait to be sent or acknowledged, whatever credit the peer grants. 1024: a switch port that sets up hundreds of
    /// calls at once; beyond it the user is told to wait. 1 to 65,536.
    pub transmit_len_max: usize,
    /// A poll is sent after the last of a series of retransmissions (an option of Q.2110 Figure 20, sheet 38). Off.
    pub poll_after_retransmission: bool,
    /// In Idle, a BGN with the N(SQ) of the last one is a new attempt, not a repetition (ATM Forum 97-0216). On: a peer that
    /// restarts begins with the same number again, and would be refused once.
    pub idle_accepts_repeated_bgn: bool,
    /// VT(SQ) to begin with. 0. A restarted node that begins elsewhere is not taken for its former self.
    pub first_sq: u8,
}

impl Default for Params {
    fn default() -> Params {
        Params {
            dialect: Dialect::Q2110,
            timer_cc: Duration::from_secs(1),
            timer_poll: Duration::from_millis(750),
            timer_keep_alive: Duration::from_secs(2),
            timer_no_response: Duration::from_secs(7),
            timer_idle: Duration::from_secs(15),
            max_cc: 4,
            max_pd: 25,
            max_stat: 67,
            k: 4096,
            j: 4096,
            receive_window: 128,
            transmit_len_max: 1024,
            poll_after_retransmission: false,
            idle_accepts_repeated_bgn: true,
            first_sq: 0,
        }
    }
}

impl Params {
    /// Octets of SDU that fit an AAL5 SDU together with a trailer, and are a multiple of four.
    const SDU_LEN_MAX: usize = 65_524;

    /// These, with what is out of its range brought back into it: timers of at least a millisecond, counts of at least one.
    pub(super) fn in_range(mut self) -> Params {
        let timers = [
            &mut self.timer_cc,
            &mut self.timer_poll,
            &mut self.timer_keep_alive,
            &mut self.timer_no_response,
            &mut self.timer_idle,
        ];
        for timer in timers {
            *timer = (*timer).max(Duration::from_millis(1));
        }
        self.max_cc = self.max_cc.max(1);
        self.max_pd = self.max_pd.max(1);
        self.max_stat = (self.max_stat.clamp(3, 16_000) - 1) | 1;
        self.k = self.k.min(Self::SDU_LEN_MAX);
        self.j = self.j.min(Self::SDU_LEN_MAX - 4);
        self.receive_window = self.receive_window.max(1);
        self.transmit_len_max = self.transmit_len_max.clamp(1, 65_536);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_range() {
        assert_eq!(Params::default().in_range(), Params::default());
    }

    #[test]
    fn what_is_out_of_range_is_brought_back() {
        let odd = Params {
            timer_cc: Duration::ZERO,
            max_cc: 0,
            max_pd: 0,
            max_stat: 0,
            k: usize::MAX,
            j: usize::MAX,
            receive_window: 0,
            transmit_len_max: 0,
            ..Params::default()
        }
        .in_range();
        assert_eq!((odd.timer_cc, odd.max_cc, odd.max_pd), (Duration::from_millis(1), 1, 1));
        assert_eq!((odd.max_stat, odd.receive_window, odd.transmit_len_max), (3, 1, 1));
        assert!(odd.k + 4 < 65_536 && odd.j + 8 < 65_536);
        for (max_stat, brought) in [(4, 3), (5, 5), (66, 65), (67, 67), (68, 67)] {
            assert_eq!(Params { max_stat, ..Params::default() }.in_range().max_stat, brought);
        }
    }
}
