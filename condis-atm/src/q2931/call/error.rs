//! Why a request is refused.

use super::{CallId, CallState, PartyId, PartyState};
use crate::q2931::wire::Version;

/// Why a request did nothing. Nothing was sent, and no state has changed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The call has ended, or never was.
    #[error("no such call: {0}")]
    NoSuchCall(CallId),
    /// The call's state does not allow it.
    #[error("{request} is not lawful in state {state} of call {call}")]
    WrongState {
        /// The call.
        call: CallId,
        /// What was asked for.
        request: &'static str,
        /// The state.
        state: CallState,
    },
    /// The call has no such party.
    #[error("call {call} has no party {party}")]
    NoSuchParty {
        /// The call.
        call: CallId,
        /// The party.
        party: PartyId,
    },
    /// The party's state does not allow it.
    #[error("{request} is not lawful in state {state} of party {party} of call {call}")]
    WrongPartyState {
        /// The call.
        call: CallId,
        /// The party.
        party: PartyId,
        /// What was asked for.
        request: &'static str,
        /// The state.
        state: PartyState,
    },
    /// [`Limits::calls_max`](super::Limits::calls_max) calls are there.
    #[error("{max} calls are there already")]
    TooManyCalls {
        /// The limit.
        max: usize,
    },
    /// [`Limits::parties_max`](super::Limits::parties_max) parties are in the call.
    #[error("{max} parties are in call {call} already")]
    TooManyParties {
        /// The call.
        call: CallId,
        /// The limit.
        max: usize,
    },
    /// The SAAL is not established.
    #[error("signaling is down")]
    SignalingDown,
    /// The call has one called party, and only a point-to-multipoint call has more.
    #[error("call {0} is no point-to-multipoint call of this end")]
    NotMultipoint(CallId),
    /// Only a call with one called party is modified (Q.2963.1 §5.1).
    #[error("call {0} has many called parties, which cannot be modified")]
    Multipoint(CallId),
    /// The network side gives every connection its VPI and VCI, and this one has none yet.
    #[error("the network side must give a VPI and VCI")]
    ConnectionRequired,
    /// The user side takes the VPI and VCI that the network gives.
    #[error("the user side may not choose a VPI and VCI")]
    ConnectionNotOurs,
    /// Another call of this interface has that VPI and VCI.
    #[error("another call has {0}")]
    ConnectionInUse(crate::VpVc),
    /// The VPI or VCI is none that a call may have.
    #[error("no call may have {0}")]
    ConnectionOutOfRange(crate::VpVc),
    /// Only who made the call may modify it (Q.2963.1 §5).
    #[error("only the calling end may modify call {0}")]
    NotOwner(CallId),
    /// The version that is spoken has no such thing.
    #[error("{request} is not part of {version}")]
    NotInVersion {
        /// What was asked for.
        request: &'static str,
        /// The version.
        version: Version,
    },
    /// A STATUS ENQUIRY about the call is unanswered.
    #[error("an enquiry about call {0} is under way")]
    EnquiryUnderWay(CallId),
    /// A RESTART of ours is unanswered.
    #[error("a restart is under way")]
    RestartUnderWay,
    /// What was given cannot be written down in a message.
    #[error("the message cannot be coded: {0}")]
    Uncodable(String),
}
