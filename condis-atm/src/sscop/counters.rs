//! What was sent, what was taken, every error under its name.

use std::fmt;

macro_rules! errors {
    ($($(#[$meta:meta])* $name:ident = $letter:literal, $counter:ident;)*) => {
        /// What MAA-ERROR.indication reports to layer management (Q.2110 Table 3, by its letters). N does not exist, and E
        /// is reported nowhere: END is expected in every state.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum MaaError {
            $($(#[$meta])* $name,)*
        }

        impl MaaError {
            /// All of them, by letter.
            pub const ALL: &[MaaError] = &[$(MaaError::$name,)*];

            /// The letter of the standard.
            pub const fn letter(self) -> char {
                match self {
                    $(MaaError::$name => $letter,)*
                }
            }
        }

        /// How often each [`MaaError`] was reported.
        #[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
        #[non_exhaustive]
        pub struct ErrorCounters {
            $($(#[$meta])* pub $counter: u64,)*
        }

        impl ErrorCounters {
            /// Every counter with its letter and its name.
            pub fn iter(&self) -> impl Iterator<Item = (char, &'static str, u64)> + use<> {
                [$(($letter, stringify!($counter), self.$counter),)*].into_iter()
            }

            pub(super) fn count(&mut self, error: MaaError) {
                match error {
                    $(MaaError::$name => self.$counter += 1,)*
                }
            }
        }
    };
}

errors! {
    /// A: an SD where none may come.
    UnexpectedSd = 'A', unexpected_sd;
    /// B: a repeated BGN where none may come.
    UnexpectedBgn = 'B', unexpected_bgn;
    /// C: a BGAK where none may come.
    UnexpectedBgak = 'C', unexpected_bgak;
    /// D: a BGREJ where none may come.
    UnexpectedBgrej = 'D', unexpected_bgrej;
    /// F: an ENDAK where none may come.
    UnexpectedEndak = 'F', unexpected_endak;
    /// G: a POLL where none may come.
    UnexpectedPoll = 'G', unexpected_poll;
    /// H: a STAT where none may come.
    UnexpectedStat = 'H', unexpected_stat;
    /// I: a USTAT where none may come.
    UnexpectedUstat = 'I', unexpected_ustat;
    /// J: an RS where none may come.
    UnexpectedRs = 'J', unexpected_rs;
    /// K: an RSAK where none may come.
    UnexpectedRsak = 'K', unexpected_rsak;
    /// L: an ER where none may come.
    UnexpectedEr = 'L', unexpected_er;
    /// M: an ERAK where none may come.
    UnexpectedErak = 'M', unexpected_erak;
    /// O: MaxCC BGNs, ENDs, RSs or ERs had no answer.
    NoAnswer = 'O', no_answer;
    /// P: Timer_NO-RESPONSE expired.
    NoResponse = 'P', no_response;
    /// Q: an SD that was there already, or a poll that counts fewer SDs than came.
    SdOrPollNumber = 'Q', sd_or_poll_number;
    /// R: a STAT for a poll that was not sent or was answered by a later one.
    StatPollNumber = 'R', stat_poll_number;
    /// S: a STAT that acknowledges or lacks what was not sent, or lacks what it had acknowledged.
    StatNumbers = 'S', stat_numbers;
    /// T: the same of a USTAT.
    UstatNumbers = 'T', ustat_numbers;
    /// U: octets that are no PDU, by length or type.
    PduLength = 'U', pdu_length;
    /// V: SDs have to be sent again; the report counts them.
    Retransmission = 'V', retransmission;
    /// W: the peer grants no more credit.
    LackOfCredit = 'W', lack_of_credit;
    /// X: it grants some again.
    CreditObtained = 'X', credit_obtained;
}

impl fmt::Display for MaaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MAA-ERROR {} ({self:?})", self.letter())
    }
}

/// What a [`Sscop`](super::Sscop) counts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct Counters {
    /// PDUs sent, of any type, repetitions included.
    pub pdus_sent: u64,
    /// PDUs received that were one, by length and type.
    pub pdus_received: u64,
    /// Of those, dropped because the state ignores them.
    pub pdus_ignored: u64,
    /// SDs sent for the first time.
    pub sd_sent: u64,
    /// SDs sent again.
    pub sd_retransmitted: u64,
    /// SDUs delivered to the user, in order.
    pub sd_delivered: u64,
    /// SDs dropped because they were outside of the window.
    pub sd_dropped_outside_window: u64,
    /// SDUs dropped because they were handed over while SSCOP recovered and buffers are to be cleared then.
    pub sdus_dropped_in_recovery: u64,
    /// BGN, RS and ER known as repetitions.
    pub repetitions: u64,
    /// Error recoveries begun here.
    pub recoveries_begun: u64,
    /// Each error that was reported.
    pub errors: ErrorCounters,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_own_counter() {
        for &error in MaaError::ALL {
            let mut counters = ErrorCounters::default();
            counters.count(error);
            let counted: Vec<_> = counters.iter().filter(|&(.., times)| times > 0).collect();
            assert!(matches!(counted[..], [(letter, _, 1)] if letter == error.letter()), "{error}");
        }
        let letters: String = MaaError::ALL.iter().map(|error| error.letter()).collect();
        assert_eq!(letters, "ABCDFGHIJKLMOPQRSTUVWX");
    }
}
