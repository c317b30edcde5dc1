//! One user-network interface without I/O: the SAAL, the call control and ILMI of one line, and the table of its addresses.
//!
//! The same [`Uni`] sits in a call manager (over signaling VCs that NDIS sees), in a miniport call manager (inside) and, as the network
//! side, in every port of a switch.
//!
//! # The contract of [`Uni`]
//! It owns no socket, clock, timer or random source. Who drives it gives it one input at a time:
//! - [`Uni::handle_link`], the line came or went; it is down in the beginning;
//! - [`Uni::handle_signaling_sdu`] and [`Uni::handle_ilmi_sdu`], AAL5 SDUs that arrived on VC 0.5 and VC 0.16;
//! - [`Uni::handle_timeout`], once [`Uni::next_timeout`] has come; early or late calls do no harm;
//! - a request of the user, [`Uni::setup`] and the like; it is refused with a [`RequestError`], and then nothing has changed.
//!
//! After each input it calls [`Uni::poll_output`] until that returns `None`, carries each output out in that order, and asks
//! `next_timeout` again. The same inputs give the same outputs: the seed is an argument.
//!
//! The SAAL is established whenever the line is up. While it is gone ([`UniOutput::SignalingState`]), calls that stand wait for it (T309), all
//! others have ended. See [`crate::q2931::call`] for the life of a call.

mod config;
mod output;
mod requests;
mod unit;

#[cfg(test)]
mod tests;

pub use config::{AddressConfig, UniConfig};
pub use output::UniOutput;
pub use unit::{Uni, UniCounters};

pub use crate::q2931::call::{
    Answer, Because, CallId, CallLine, CallParams, CallState, Config, Contracts, Counters, Indication,
    Limits, ModifyParams, PartyId, PartyParams, PartyState, RequestError, RestartClass, StateName, Timer,
    Timers, Transition,
};
pub use crate::q2931::wire::{Cause, CauseValue, Ie, Side, Version};
