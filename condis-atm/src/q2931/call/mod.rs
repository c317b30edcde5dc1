//! Calls of one interface, both sides: Q.2931, Q.2971 (parties) and Q.2963.1 (modification) as UNI 3.0, 3.1 and 4.0 use them.
//!
//! # The contract of [`CallControl`]
//! It owns no socket, clock, timer or random source, and no SAAL. Who drives it gives it one input at a time:
//! - a request of the user, [`CallControl::setup`] and the like; it is refused with a [`RequestError`], and then nothing has changed;
//! - [`CallControl::handle_message`], an SDU that the SAAL brought;
//! - [`CallControl::handle_saal_established`] and [`CallControl::handle_saal_released`];
//! - [`CallControl::handle_timeout`], once [`CallControl::next_timeout`] has come; early or late calls do no harm.
//!
//! After each input it calls [`CallControl::poll_output`] until that returns `None`, carries each output out in that order, and asks
//! `next_timeout` again. The same inputs give the same outputs.
//!
//! # The life of a call
//! ```text
//! user                     user side                    network side                user (a switch)
//! setup ------------------> U1 ------- SETUP ----------> N1 -----------------------> Setup
//! Proceeding <------------- U3 <--- CALL PROCEEDING ---- N3 <----------------------- proceeding, with the VPI and VCI
//! Connected <-------------- U10 <------ CONNECT -------- N10 <---------------------- connect
//!                            | -- CONNECT ACKNOWLEDGE --> | ------------------------> ConnectAcknowledged
//! release ----------------> U11 ------ RELEASE --------> N11 ----------------------> Released
//! ReleaseConfirmed <------- U0 <--- RELEASE COMPLETE --- N0 <----------------------- release_response
//! ```
//! and the same with the sides exchanged, but that the network side gives the VPI and VCI with its `setup`. CONNECT ACKNOWLEDGE and
//! DROP PARTY ACKNOWLEDGE are sent without asking. How a call ends for its user is told at [`Indication`].
//!
//! # The files
//! | for | look in |
//! |---|---|
//! | which message does what in which state | [`mod@matrix`], printed in `matrix.txt` |
//! | calls: requests and messages | `control`, `outgoing`, `incoming`, `clearing` |
//! | parties, modification, RESTART, STATUS, the SAAL | `parties`, `modify`, `restart`, `status`, `saal` |
//! | what is wrong with a message, and what is done about it | `verdict` |
//!
//! Clause numbers are as FreeBSD's ngatm, RFC 1755 and public manuals cite them: the texts of ITU-T and of the ATM Forum were **not**
//! read.
//!
//! # Not done
//! Leaf initiated join; interworking with N-ISDN (PROGRESS, SETUP ACKNOWLEDGE, INFORMATION); the dummy call reference and the connectionless
//! bearer (COBI); call reoffering; crankback. Messages of these are answered as not implemented, and their IEs are passed on. A party is added
//! only to a call that stands, though UNI 4.0 would let the root do so while the first one is alerted; at the leaves' end it is taken then.

mod clearing;
mod compose;
mod config;
mod contract;
mod control;
mod counters;
mod deadlines;
mod error;
mod id;
mod incoming;
pub mod matrix;
mod modify;
mod outgoing;
mod output;
mod params;
mod parties;
mod record;
mod refs;
mod restart;
mod saal;
mod state;
mod status;
mod timers;
mod verdict;

#[cfg(test)]
mod tests;

pub use config::{Config, Limits};
pub use contract::{Contracts, traffic_of};
pub use control::CallControl;
pub use counters::Counters;
pub use error::RequestError;
pub use id::{CallId, PartyId};
pub use output::{Because, CallLine, Indication, Output, RestartClass, Transition};
pub use params::{Answer, CallParams, ModifyParams, PartyParams};
pub use state::{CallState, PartyState, StateName};
pub use timers::{Timer, Timers};
