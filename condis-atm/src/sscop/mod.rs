//! SSCOP, the assured transport of signaling (Q.2110).
//!
//! [`Sscop`] is one end of a connection between two users, over an AAL5 VC: SDUs arrive in order, once, within credit, for as long
//! as the connection stands. Above it sits [`sscf`](crate::sscf); [`wire`] has its PDUs.
//!
//! # The contract
//! A machine owns no socket, clock, thread, timer or random source. Who drives one gives it one input at a time:
//! - a request or a response of the user: `establish`, `establish_response`, `release`, `data`, `resync`, `resync_response`,
//!   `recover_response`, `retrieve`, `unit_data`; of layer management: `management_unit_data`;
//! - `handle_pdu`, an AAL5 SDU that came in;
//! - `handle_timeout`, once `next_timeout` has come; early or late calls do no harm;
//! - `reset`, when the line is gone.
//!
//! After each input it calls `poll_output` until that returns `None`, carries each output out in that order, and asks
//! `next_timeout` again. `now` never goes back. The same inputs give the same outputs.
//!
//! What a peer does wrong is no error of the caller: it is reported as [`Output::ErrorIndication`], counted under a name of
//! [`ErrorCounters`], and answered as the standard says. Only a request can fail, and then nothing has changed.
//!
//! # The states
//! One table, `table.rs`, declares what each of the ten [`State`]s does with each [`Event`]; the machine follows it, and
//! `machine/tests/matrix.txt` is what comes out of each pair. The usual ways:
//! ```text
//! we ask              1 Idle -establish, BGN->  2 Outgoing connection pending  -BGAK, or the peer's BGN->  10 Ready
//! the peer asks       1 Idle -BGN->             3 Incoming connection pending  -response, BGAK->           10 Ready
//! we release          10 Ready -release, END->  4 Outgoing disconnection pending  -ENDAK, or END->         1 Idle
//! the peer releases   10 Ready -END, ENDAK->                                                               1 Idle
//! we resynchronise    10 Ready -resync, RS->    5 Outgoing resync pending  -RSAK, or the peer's RS->       10 Ready
//! the peer does       10 Ready -RS->            6 Incoming resync pending  -response, RSAK->               10 Ready
//! we recover          10 Ready -error, ER->     7 Outgoing recovery pending  -ERAK, or the peer's ER->     8
//!                     8 Recovery response pending  -response->                                             10 Ready
//! the peer recovers   10 Ready -ER->            9 Incoming recovery pending  -response, ERAK->             10 Ready
//! nobody answers      2, 4, 5, 7 after MaxCC attempts, 10 after Timer_NO-RESPONSE                          1 Idle
//! ```
//!
//! # What has a bound
//! | what | bound |
//! |---|---|
//! | SDUs that wait to be sent or acknowledged | [`Params::transmit_len_max`], then [`SendError::QueueFull`] and later [`Output::Writable`] |
//! | SDs that came before their turn | [`Params::receive_window`], the credit granted |
//! | octets of an SDU, of user-to-user information | [`Params::k`], [`Params::j`], of the peer's too |
//! | elements of a STAT | [`Params::max_stat`], of the peer's too |
//! | repetitions | [`Params::max_cc`] |
//!
//! # Order
//! SSCOP trusts the layer below to lose PDUs but never to reorder or to double them, as an ATM VC does. A PDU that breaks this
//! looks like an error in numbers and leads to a recovery, by which SDUs may be lost, and the users are told. A PDU that is late
//! by a whole connection may be taken for one of the next: SD has no number of the connection.
//!
//! # Sources, and what is left out
//! The text of Q.2110 was not read. Behaviour, figures and sheet numbers are those of public implementations that follow its SDL
//! (FreeBSD's ngatm, linux-atm), formats are checked with Wireshark's dissector and with what Linux peers sent
//! (`tests/peers/captures`). Where the two implementations differ, this follows the reading that keeps to modular numbers (§7.4): STATs
//! and POLLs that are behind their base are errors, and an SD behind its base is outside of the window, as if it were far ahead;
//! AA-RESYNC.request during a recovery enters Outgoing resync pending.
//!
//! Not done: the congestion signal of the lower layer (it is taken to be always ready); SD with poll and the other differences
//! of Q.SAAL1 but N(SQ) ([`Dialect::QSaal1`]); Q.2110's parameters by connection (they are those of the machine).

#[cfg(test)]
pub(crate) mod captures;
mod counters;
mod machine;
mod output;
mod params;
mod receiver;
mod sn;
mod table;
mod timers;
mod transmitter;
pub mod wire;

pub use counters::{Counters, ErrorCounters, MaaError};
pub use machine::{Phase, Sscop, Transition};
pub use output::{Output, RequestError, RetrieveFrom, SendError};
pub use params::{Dialect, Params};
pub use sn::Sn;
pub use table::{Event, State};
pub use timers::Timer;
