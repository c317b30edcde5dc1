//! The discovery stage (RFC 2516 §5): a [`Host`] that makes calls and a [`Concentrator`] that takes them.
//!
//! # The contract of both machines
//! They own no socket, clock, thread, timer or random source. Who drives one gives it one input at a time:
//! - a command of the user: `make_call`, `close_call`; `offer`, `withdraw`, `accept`, `reject`, `close`;
//! - `handle_packet`, what arrived; `handle_unknown_session`, a session packet that fits no session;
//! - `handle_timeout`, once `next_timeout` has come; early or late calls do no harm;
//! - `handle_network_gone`: everything ends here and now, and nothing is transmitted.
//!
//! After each input it calls `poll_output` until that returns `None`, carries each output out in that order, and asks
//! `next_timeout` again. `now` never goes back. The same inputs give the same outputs: keys and seeds are arguments.
//!
//! What a peer does wrong is no error of the caller: it is counted, under a name of [`HostCounters`] or
//! [`ConcentratorCounters`], and answered as the RFC says. Only a command can fail, and then nothing has changed.
//!
//! # The life of a session
//! ```text
//! host                                       concentrator
//! make_call  -- PADI to all ------------->   a PADO, and nothing is remembered
//!            <- PADO, AC-Cookie ----------
//!            -- PADR, AC-Cookie --------->   Offered: the user answers
//!            <- PADS, SESSION_ID ---------   accept: Connected
//! Connected
//! close_call -- PADT -------------------->   Closed, or the other way round
//! Closed
//! ```
//! Each `make_call` ends in one `Connected` or one `Failed`, each `Connected` in one `Closed`; each `Offered` in the
//! user's answer or in one `Aborted`.
//!
//! # What may get lost
//! - PADI, PADO, PADR: the host tries again, with twice the pause (RFC 2516 §8).
//! - PADS: the host sends its PADR again, and the same PADS goes out again: one cookie is one session at most.
//! - PADT: a side that hears of a session that it does not know answers with a PADT (`handle_unknown_session`); a host
//!   that only makes new sessions meets a limit per MAC address.
//!
//! Not done: a random part in the host's pauses; a session that carries nothing is the upper layer's to end (LCP echo).

mod concentrator;
mod cookie;
mod counters;
mod handshakes;
mod host;
mod host_uniq;
mod limits;
mod rate;
mod services;
mod session;
mod session_ids;

#[cfg(test)]
mod tests;

pub use concentrator::{
    AbortReason, Concentrator, ConcentratorConfig, ConcentratorOutput, Rejection, ServiceKey, SessionError,
    SessionKey,
};
pub use cookie::Key;
pub use counters::{ConcentratorCounters, HostCounters};
pub use host::{
    CallFailure, CallKey, Host, HostConfig, HostOutput, MakeCallError, NoSuchCall, ServiceRequest,
};
pub use limits::{ConcentratorLimits, HostLimits};
pub use rate::{Rate, RateLimit};
pub use services::OfferError;
pub use session::{CloseCause, PPP_MAX_PAYLOAD_DEFAULT, Session};
