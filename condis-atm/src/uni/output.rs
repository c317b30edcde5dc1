//! What an interface has to do, and what it tells its user.

use crate::q2931::call::{Indication, Transition};

/// What the owner has to do, or to tell its user.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum UniOutput {
    /// Send this as one AAL5 SDU on VC 0.5.
    TransmitSignaling(Vec<u8>),
    /// Send this as one AAL5 SDU on VC 0.16.
    TransmitIlmi(Vec<u8>),
    /// The SAAL came or went: calls can be made, or cannot.
    SignalingState {
        /// It stands.
        up: bool,
    },
    /// [`Uni::addresses`](super::Uni::addresses) gives something else now.
    AddressesChanged,
    /// Something happened to a call, a party, or all calls.
    Indication(Indication),
    /// A call's state changed (only with [`Config::trace`](crate::q2931::call::Config::trace)).
    Transition(Transition),
}
