//! One call, as the engine keeps it: where it stands towards the network, towards the path, and towards NDIS.
//!
//! The three move apart from each other; `State::advance` looks at all of them after each step.

use std::collections::BTreeMap;

use condis::params::{CallParams, CloseData};
use condis::party::HeldParty;
use condis::runtime::Time;
use condis::status::NdisStatus;
use condis::token::{AddParty, CloseCall, DropParty, MakeCall, ModifyCallQos, Pended};
use condis::trace::ObjectId;
use condis::vc::{HeldVc, OwnedVc};

use super::Model;
use crate::VpVc;
use crate::driver::call_params::AtmCall;
use crate::driver::vc_params::AtmVcParams;
use crate::q2931::wire::Cause;
use crate::uni::{CallId, PartyId};

/// A call of a client.
pub(super) struct Make<M: Model> {
    pub(super) vc: HeldVc<M::Role>,
    pub(super) data: M::Data,
    pub(super) params: CallParams,
    /// Nothing, if it names a permanent connection by media parameters alone.
    pub(super) call: Option<AtmCall>,
    /// Its first party, if it has parties.
    pub(super) party: Option<HeldParty<M::Role>>,
    pub(super) pended: Pended<MakeCall>,
}

/// Who has the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Carrier {
    /// The call control, once signaling is up.
    Waiting { until: Time },
    /// The call control.
    Signaling(CallId),
    /// Nobody: the connection is permanent.
    Permanent(VpVc),
}

/// The call towards the peer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Network {
    /// It is being set up; or the peer waits for our answer.
    Setup,
    /// Our CONNECT is not acknowledged.
    Connecting,
    /// It stands.
    Active,
    /// Nothing is left of it but perhaps an answer of ours. With what the client hears.
    Over(NdisStatus, CloseData),
}

/// The VC as it carries data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Path {
    Inactive,
    Activating,
    Active,
    /// Active, and asked to change.
    Changing,
    Deactivating,
}

impl Path {
    pub(super) fn is_settled(self) -> bool {
        matches!(self, Path::Inactive | Path::Active)
    }
}

/// The call towards NDIS and the client.
pub(super) enum Ndis {
    /// The make-call is owed an answer.
    Making(Pended<MakeCall>, CallParams),
    /// The client has not answered the offer.
    Offered,
    /// The client has not answered an offer that was taken back.
    OfferTakenBack,
    /// The client accepted, and has not been told that the call is up.
    Accepted,
    /// The call is up.
    Connected,
    /// The client was told that the remote closed, and has not closed.
    RemoteClosed,
    /// The client closed; its close is owed an answer. Its own answer to an offer may be owed still.
    Closing { pended: Pended<CloseCall>, cause: Cause, answer_owed: bool },
}

/// What an incoming call said: CONNECT answers nothing else (Q.2931 §3.1.3).
#[derive(Clone, Copy, Default)]
pub(super) struct Said {
    /// There are AAL parameters.
    pub(super) aal: bool,
    /// There is a choice of low layer informations.
    pub(super) choice: bool,
}

/// A change of the contract, under way.
pub(super) enum Change {
    /// The client asked, the network has not answered.
    Asked(Pended<ModifyCallQos>, CallParams, AtmCall),
    /// The network agreed; the path is being changed.
    Agreed(Pended<ModifyCallQos>, CallParams, AtmCall),
    /// The path refused; the network is asked to go back.
    Restoring,
    /// The peer asked; the path is being changed.
    Offered(AtmCall),
}

/// A party, at its client.
pub(super) enum Party<M: Model> {
    Adding(HeldParty<M::Role>, Pended<AddParty>, CallParams),
    Connected(HeldParty<M::Role>),
    /// The network dropped it; the client has not been told, since it is the only one that is connected.
    Gone(HeldParty<M::Role>, NdisStatus, CloseData),
    /// The network dropped it, and the client was told.
    Leaving,
    /// The client drops it.
    Dropping(Pended<DropParty>),
}

/// A call on a VC.
pub(super) struct Record<M: Model> {
    pub(super) vc: HeldVc<M::Role>,
    pub(super) data: M::Data,
    pub(super) carrier: Carrier,
    /// This end made it.
    pub(super) ours: bool,
    pub(super) network: Network,
    /// The call control waits for `release_response`, which is given when the path is inactive.
    pub(super) response_owed: bool,
    pub(super) path: Path,
    pub(super) ndis: Ndis,
    /// What an incoming call said and has to be answered.
    pub(super) said: Said,
    /// What was asked for, and then what was agreed on.
    pub(super) call: AtmCall,
    /// What the path is, or is to be.
    pub(super) media: Option<AtmVcParams>,
    pub(super) change: Option<Change>,
    pub(super) parties: BTreeMap<PartyId, Party<M>>,
    /// Of a call with many parties: the first one, until the call is made.
    pub(super) first_party: Option<HeldParty<M::Role>>,
    /// Of a VC that was made for an incoming call, with its address family.
    pub(super) owner: Option<(ObjectId, OwnedVc<M::Role>)>,
}
