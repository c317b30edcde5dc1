//! What call control has to do, and what it tells its user.

use std::fmt;

use super::{Answer, CallId, CallParams, CallState, ModifyParams, PartyId, PartyParams, StateName, Timer};
use crate::VpVc;
use crate::Vpi;
use crate::q2931::wire::{Cause, Ie, MessageType};

/// What the owner has to do, or to tell its user.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Output {
    /// AAL-DATA.request: give this message to the SAAL.
    Transmit(Vec<u8>),
    /// AAL-ESTABLISH.request: the SAAL is gone, and there are calls that wait for it.
    EstablishSaal,
    /// Something happened to a call.
    Indication(Indication),
    /// A call's state changed (only with [`Config::trace`](super::Config::trace)).
    Transition(Transition),
}

/// What happened to a call, a party or the interface.
///
/// # How a call ends
/// In one of two ways, exactly once:
/// - **`Released`**: the peer, an error, a timer, a RESTART or the loss of the SAAL ended it. Its user deactivates the VC, then answers with
///   `release_response`, whatever the reason; until then the VPI and VCI are not used again. Nothing more is told of the call.
/// - **`ReleaseConfirmed`**: the answer to the user's own `release`. The call is gone, and the VPI and VCI are free for the network to use
///   again, so its user deactivates the VC before it asks for the release.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Indication {
    /// The peer calls. Answered by `proceeding`, `alerting`, `connect` or `release`.
    Setup {
        /// The call.
        call: CallId,
        /// What it asks for.
        params: Box<CallParams>,
    },
    /// The call that this end made is on its way.
    Proceeding {
        /// The call.
        call: CallId,
        /// What was said.
        answer: Box<Answer>,
    },
    /// The called user is alerted.
    Alerting {
        /// The call.
        call: CallId,
        /// What was said.
        answer: Box<Answer>,
    },
    /// The call that this end made is answered, and stands; CONNECT ACKNOWLEDGE is sent.
    Connected {
        /// The call.
        call: CallId,
        /// What was said.
        answer: Box<Answer>,
    },
    /// The CONNECT of this end is acknowledged. At the user side the call stands only now.
    ConnectAcknowledged {
        /// The call.
        call: CallId,
    },
    /// The call is over: see above.
    Released {
        /// The call.
        call: CallId,
        /// Why: one or two causes.
        causes: Vec<Cause>,
        /// The other IEs of the RELEASE or RELEASE COMPLETE, if one came.
        other: Vec<Ie>,
    },
    /// The call that this end released is gone: see above.
    ReleaseConfirmed {
        /// The call.
        call: CallId,
        /// What the peer says, or cause 102 if it does not answer.
        causes: Vec<Cause>,
    },
    /// The peer adds a party. Answered by `party_alerting`, `party_connect` or `party_reject`.
    PartyOffered {
        /// The call.
        call: CallId,
        /// The party.
        party: PartyId,
        /// What it asks for.
        params: Box<PartyParams>,
    },
    /// A party that this end adds is alerted.
    PartyAlerting {
        /// The call.
        call: CallId,
        /// The party.
        party: PartyId,
        /// What else was said.
        other: Vec<Ie>,
    },
    /// A party that this end added is connected.
    PartyConnected {
        /// The call.
        call: CallId,
        /// The party.
        party: PartyId,
        /// What was said.
        answer: Box<Answer>,
    },
    /// A party that this end adds is refused, and gone.
    PartyRejected {
        /// The call.
        call: CallId,
        /// The party.
        party: PartyId,
        /// Why.
        causes: Vec<Cause>,
    },
    /// The peer, an error or a timer dropped a party, and it is gone. The last one of a call ends the call instead.
    PartyDropped {
        /// The call.
        call: CallId,
        /// The party.
        party: PartyId,
        /// Why.
        causes: Vec<Cause>,
    },
    /// The party that this end dropped is gone.
    PartyDropConfirmed {
        /// The call.
        call: CallId,
        /// The party.
        party: PartyId,
        /// What the peer says, or cause 102 if it does not answer.
        causes: Vec<Cause>,
    },
    /// The peer wants another contract. Answered by `modify_accept` or `modify_reject`.
    ModifyOffered {
        /// The call.
        call: CallId,
        /// What it wants.
        params: Box<ModifyParams>,
    },
    /// The contract that this end asked for holds from now on.
    Modified {
        /// The call.
        call: CallId,
        /// What else was said.
        other: Vec<Ie>,
    },
    /// The contract that this end asked for is refused; the old one holds.
    ModifyRejected {
        /// The call.
        call: CallId,
        /// Why.
        causes: Vec<Cause>,
    },
    /// The peer uses the contract that this end accepted and asked a confirmation of (CONNECTION AVAILABLE).
    ModifyConfirmed {
        /// The call.
        call: CallId,
    },
    /// The peer told its state, and it goes with ours.
    StatusReported {
        /// The call.
        call: CallId,
        /// The number of the peer's state.
        peer_state: u8,
        /// Why it told.
        causes: Vec<Cause>,
    },
    /// The peer notifies (NOTIFY).
    Notified {
        /// The call.
        call: CallId,
        /// The party, if it is about one.
        party: Option<PartyId>,
        /// What it says.
        ies: Vec<Ie>,
    },
    /// A RESTART is done: its calls have been `Released` and answered for, and it is acknowledged.
    Restarted {
        /// What was restarted.
        what: RestartClass,
        /// The peer asked for it.
        by_peer: bool,
    },
    /// A RESTART of this end was not acknowledged, or one of the peer could not be: a user did not answer `Released` in time.
    RestartFailed {
        /// What was to be restarted.
        what: RestartClass,
        /// The peer asked for it.
        by_peer: bool,
    },
}

impl Indication {
    /// The call that it is about; `None` if it is about the interface.
    pub const fn call(&self) -> Option<CallId> {
        match self {
            Indication::Setup { call, .. }
            | Indication::Proceeding { call, .. }
            | Indication::Alerting { call, .. }
            | Indication::Connected { call, .. }
            | Indication::ConnectAcknowledged { call }
            | Indication::Released { call, .. }
            | Indication::ReleaseConfirmed { call, .. }
            | Indication::PartyOffered { call, .. }
            | Indication::PartyAlerting { call, .. }
            | Indication::PartyConnected { call, .. }
            | Indication::PartyRejected { call, .. }
            | Indication::PartyDropped { call, .. }
            | Indication::PartyDropConfirmed { call, .. }
            | Indication::ModifyOffered { call, .. }
            | Indication::Modified { call, .. }
            | Indication::ModifyRejected { call, .. }
            | Indication::ModifyConfirmed { call }
            | Indication::StatusReported { call, .. }
            | Indication::Notified { call, .. } => Some(*call),
            Indication::Restarted { .. } | Indication::RestartFailed { .. } => None,
        }
    }
}

/// What a RESTART is about (Q.2931 §4.5.20).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RestartClass {
    /// One virtual channel.
    Channel(VpVc),
    /// All channels of one virtual path.
    Path(Vpi),
    /// All channels of the interface that signaling controls.
    All,
}

impl RestartClass {
    /// The connection is one of those.
    pub fn covers(self, connection: VpVc) -> bool {
        match self {
            RestartClass::Channel(channel) => channel == connection,
            RestartClass::Path(vpi) => vpi == connection.vpi,
            RestartClass::All => true,
        }
    }
}

impl fmt::Display for RestartClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestartClass::Channel(connection) => write!(f, "VC {connection}"),
            RestartClass::Path(vpi) => write!(f, "VP {}", vpi.0),
            RestartClass::All => f.write_str("all VCs"),
        }
    }
}

/// A change of a call's state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transition {
    /// The call.
    pub call: CallId,
    /// The state before.
    pub from: StateName,
    /// The state after.
    pub to: StateName,
    /// What caused it.
    pub because: Because,
}

/// What causes a change of state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Because {
    /// A message of the peer.
    Message(MessageType),
    /// A request of the user.
    Request(&'static str),
    /// A timer expired.
    Expiry(Timer),
    /// The SAAL came or went.
    Saal,
    /// A RESTART.
    Restart,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Because::Message(message) => write!(f, "{message}"),
            Because::Request(request) => f.write_str(request),
            Because::Expiry(timer) => write!(f, "{timer}"),
            Because::Saal => f.write_str("saal"),
            Because::Restart => f.write_str("restart"),
        }
    }
}

/// `call 3.0: U1 -> U3 (CALL PROCEEDING)`.
impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {} -> {} ({})", self.call, self.from, self.to, self.because)
    }
}

/// A call in one line, as a list shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallLine {
    /// The call.
    pub call: CallId,
    /// Its reference, and whether this end chose it.
    pub reference: u32,
    /// This end made the call.
    pub ours: bool,
    /// Its state.
    pub state: CallState,
    /// Its connection.
    pub connection: Option<VpVc>,
    /// Who is called.
    pub called: String,
    /// How many parties it has, if it is point-to-multipoint.
    pub parties: Option<usize>,
}

/// `cr 5 active 0.32 to 47.…`; a call that the peer made has `from` its called party's point of view: `cr 5 (peer) …`.
impl fmt::Display for CallLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.ours { "" } else { " (peer)" };
        write!(f, "cr {}{whose} {}", self.reference, self.state)?;
        if let Some(connection) = self.connection {
            write!(f, " {connection}")?;
        }
        write!(f, " to {}", self.called)?;
        match self.parties {
            Some(parties) => write!(f, " {parties} parties"),
            None => Ok(()),
        }
    }
}
