//! One call, as the engine keeps it: where it stands towards the network, towards the path, and towards NDIS.
//!
//! The three move apart from each other; [`State::advance`](super::state::State) looks at all of them after each step.

use condis::params::{CallParams, CloseData};
use condis::status::NdisStatus;
use condis::token::{CloseCall, MakeCall, Pended};
use condis::trace::ObjectId;
use condis::vc::{HeldVc, OwnedVc};

use super::Model;
use crate::pppoe::discovery::{ServiceRequest, Session, SessionKey};

/// A call of a client.
pub(super) struct Make<M: Model> {
    pub(super) vc: HeldVc<M::Role>,
    pub(super) data: M::Data,
    pub(super) params: CallParams,
    pub(super) request: ServiceRequest,
    pub(super) pended: Pended<MakeCall>,
}

/// Which of the two machines has the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    /// Its key there is the leg's.
    Host,
    Concentrator(SessionKey),
}

/// The call towards the peer.
pub(super) enum Network {
    /// Discovery runs; or the host waits for our answer.
    Setup,
    /// There is a session.
    Session,
    /// Nothing is left of it at the machine. With what the client hears.
    Over(NdisStatus, CloseData),
}

/// The VC as it carries data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Path {
    Inactive,
    Activating,
    Active,
    Deactivating,
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
    /// The client closed; its close is owed an answer, or has had it. Its own answer to an offer may be owed still.
    Closing { pended: Option<Pended<CloseCall>>, answer_owed: bool },
}

/// A call on a VC.
pub(super) struct Record<M: Model> {
    pub(super) vc: HeldVc<M::Role>,
    pub(super) data: M::Data,
    pub(super) side: Side,
    pub(super) network: Network,
    pub(super) path: Path,
    pub(super) ndis: Ndis,
    pub(super) session: Option<Session>,
    /// Of a VC that was made for an incoming call, with its address family.
    pub(super) owner: Option<(ObjectId, OwnedVc<M::Role>)>,
    /// The client dials again before all of this call is gone.
    pub(super) next: Option<Make<M>>,
}
