use super::BindingLife;
use crate::af::Af;
use crate::nbl::Chain;
use crate::oid::{About, OidAnswer, OidRequest};
use crate::params::{AddressFamily, CallParams, CloseData, Sap};
use crate::party::Party;
use crate::role::{CallManager, Mcm, Role, Signaling};
use crate::sap::SapRef;
use crate::status::NdisStatus;
use crate::status_ind::StatusIndication;
use crate::token::{
    AddParty, Answer, CloseAf, CloseCall, DeregisterSap, DropParty, MakeCall, ModifyCallQos, Oid, OpenAf,
    Outcome, Refused, RegisterSap, Token,
};
use crate::trace::VcId;
use crate::vc::{Receives, Vc};

/// The two kinds of manager, and how each of them activates.
///
/// A call manager asks its miniport, which may pend; an MCM tells NDIS, which is done on return. A driver written for both
/// takes [`Outcome`] and finds that an MCM's is always [`Outcome::Done`].
pub trait ManagerRole: Role + Sized {
    /// What [`ManagerAf::create_vc`] gives NDIS: one object, or an MCM's two.
    type NewVc: Send;

    /// `NdisCmActivateVc` or `NdisMCmActivateVc`.
    fn activate(vc: Vc<'_, Self>, params: CallParams) -> Outcome<Result<CallParams, Refused>>;
    /// `NdisCmDeactivateVc` or `NdisMCmDeactivateVc`.
    fn deactivate(vc: Vc<'_, Self>) -> Outcome<Result<(), NdisStatus>>;

    #[doc(hidden)]
    fn erase_af(af: Box<dyn ManagerAf<Self>>) -> crate::af::ManagerAfObj;
}

/// The two objects of an MCM for one VC: its manager half and its data half.
pub struct McmVc {
    /// Signals.
    pub manager: Box<dyn ManagerVc<Mcm>>,
    /// Sends, and takes receives back.
    pub data: Box<dyn super::McmVcData>,
}

impl std::fmt::Debug for McmVc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the two halves of an MCM's VC")
    }
}

/// A call manager's binding to the miniport that it signals over.
pub trait CallManagerBinding: BindingLife<CallManager> {
    /// A client opens an address family that this call manager registered on this binding. The answer is the manager's
    /// object for that client.
    #[doc(alias = "ProtocolCmOpenAf")]
    #[doc(alias = "NdisCmOpenAddressFamilyComplete")]
    fn open_af<'a>(
        &self,
        af: Af<'_, CallManager>,
        family: AddressFamily,
        token: Token<'a, OpenAf<CallManager>>,
    ) -> Answer<'a, OpenAf<CallManager>>;
}

/// One client's open of an address family, at its (M)CM.
pub trait ManagerAf<R: ManagerRole>: Send + Sync + 'static {
    /// The client closes the AF. VCs that this (M)CM made for it and that carry no call are the (M)CM's to delete, before
    /// it answers (CO-032).
    #[doc(alias = "ProtocolCmCloseAf")]
    #[doc(alias = "NdisCmCloseAddressFamilyComplete")]
    #[doc(alias = "NdisMCmCloseAddressFamilyComplete")]
    fn close<'a>(&self, af: Af<'_, R>, token: Token<'a, CloseAf>) -> Answer<'a, CloseAf>;

    /// The client registers a SAP. A malformed or taken one is INVALID_DATA (CO-047). Calls may be offered on `sap` from
    /// now on, also while this pends.
    #[doc(alias = "ProtocolCmRegisterSap")]
    #[doc(alias = "NdisCmRegisterSapComplete")]
    #[doc(alias = "NdisMCmRegisterSapComplete")]
    fn register_sap<'a>(
        &self,
        af: Af<'_, R>,
        sap: SapRef<'_, R>,
        address: &Sap,
        token: Token<'a, RegisterSap>,
    ) -> Answer<'a, RegisterSap> {
        let _ = (af, sap, address);
        token.done(Err(NdisStatus::NOT_SUPPORTED))
    }

    /// The client makes a VC. Another driver may still refuse, so signal nothing yet (CO-072).
    ///
    /// # Errors
    /// The VC is not made, and the client is told the status.
    #[doc(alias = "ProtocolCoCreateVc")]
    fn create_vc(&self, af: Af<'_, R>, vc: VcId) -> Result<R::NewVc, NdisStatus>;

    /// The client's answer to a close notification that pended. The AF itself may be gone by now.
    #[doc(alias = "ProtocolCmNotifyCloseAfComplete")]
    fn notify_close_complete(&self, result: Result<(), NdisStatus>) {
        let _ = result;
    }

    /// The client asks or tells something, such as OID_CO_ADD_PVC.
    #[doc(alias = "ProtocolCoOidRequest")]
    #[doc(alias = "NdisCoOidRequestComplete")]
    #[doc(alias = "NdisMCmOidRequestComplete")]
    fn oid_request<'a>(
        &self,
        af: Af<'_, R>,
        about: About,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        let _ = (af, about);
        token.done(OidAnswer::new(NdisStatus::NOT_SUPPORTED, request))
    }

    /// A request to the client is answered; it may have been before the request returned.
    #[doc(alias = "ProtocolCoOidRequestComplete")]
    fn oid_request_complete(&self, af: Af<'_, R>, about: About, answer: OidAnswer) {
        let _ = (af, about, answer);
    }
}

/// A client's SAP, at its (M)CM.
pub trait ManagerSap: Send + Sync + 'static {
    /// The client deregisters it. Cannot fail; the object is dropped next.
    #[doc(alias = "ProtocolCmDeregisterSap")]
    #[doc(alias = "NdisCmDeregisterSapComplete")]
    #[doc(alias = "NdisMCmDeregisterSapComplete")]
    fn deregister<'a>(&self, token: Token<'a, DeregisterSap>) -> Answer<'a, DeregisterSap> {
        token.done(())
    }
}

/// For managers that need no object for a SAP.
impl ManagerSap for () {}

/// What an (M)CM answers a make-call with.
pub struct Made {
    /// The parameters in force, with [`CALL_PARAMETERS_CHANGED`](crate::params::CallFlags::CALL_PARAMETERS_CHANGED) if they
    /// differ from what was asked (CO-122).
    pub params: CallParams,
    /// The (M)CM's object for the first party, if the call was made with one.
    pub party: Option<Box<dyn ManagerParty>>,
}

impl Made {
    /// A point-to-point call with these parameters.
    pub fn with(params: CallParams) -> Made {
        Made { params, party: None }
    }
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Made").field("params", &self.params).field("party", &self.party.is_some()).finish()
    }
}

/// An (M)CM's end of a client VC, whoever created it.
pub trait ManagerVc<R: ManagerRole>: Send + Sync + 'static {
    /// The client calls. Signal, activate the VC, and answer then; the answer is due also if the attempt fails (CO-119).
    #[doc(alias = "ProtocolCmMakeCall")]
    #[doc(alias = "NdisCmMakeCallComplete")]
    #[doc(alias = "NdisMCmMakeCallComplete")]
    fn make_call<'a>(
        &self,
        vc: Vc<'_, R>,
        params: CallParams,
        party: Option<Party<'_, R>>,
        token: Token<'a, MakeCall>,
    ) -> Answer<'a, MakeCall>;

    /// The client closes, at any moment: also while its make-call, or its answer to an offer, is still owed.
    /// Complete a pending make-call with an error first. INVALID_DATA: the medium carries no close data (CO-151).
    #[doc(alias = "ProtocolCmCloseCall")]
    #[doc(alias = "NdisCmCloseCallComplete")]
    #[doc(alias = "NdisMCmCloseCallComplete")]
    fn close_call<'a>(
        &self,
        vc: Vc<'_, R>,
        data: CloseData,
        token: Token<'a, CloseCall>,
    ) -> Answer<'a, CloseCall>;

    /// The client's answer to an offer that pended.
    #[doc(alias = "ProtocolCmIncomingCallComplete")]
    fn incoming_call_complete(&self, vc: Vc<'_, R>, result: Result<CallParams, Refused>) {
        let _ = (vc, result);
    }

    /// The miniport answered an activation that pended. Never for an MCM.
    #[doc(alias = "ProtocolCmActivateVcComplete")]
    fn activate_complete(&self, vc: Vc<'_, R>, result: Result<CallParams, Refused>) {
        let _ = (vc, result);
    }

    /// The VC is inactive, after a deactivation that pended. Never for an MCM.
    #[doc(alias = "ProtocolCmDeactivateVcComplete")]
    fn deactivate_complete(&self, vc: Vc<'_, R>, result: Result<(), NdisStatus>) {
        let _ = (vc, result);
    }

    /// The client asks for another QoS. Agreed: activate with it, then answer. Refused: the VC is as it was (CO-179).
    #[doc(alias = "ProtocolCmModifyCallQoS")]
    #[doc(alias = "NdisCmModifyCallQoSComplete")]
    #[doc(alias = "NdisMCmModifyCallQoSComplete")]
    fn modify_call_qos<'a>(
        &self,
        vc: Vc<'_, R>,
        params: CallParams,
        token: Token<'a, ModifyCallQos>,
    ) -> Answer<'a, ModifyCallQos> {
        let _ = vc;
        token.done(Err(Refused::with(NdisStatus::NOT_SUPPORTED, params)))
    }

    /// The client adds a party. The answer is the (M)CM's object for it, and the parameters in force.
    #[doc(alias = "ProtocolCmAddParty")]
    #[doc(alias = "NdisCmAddPartyComplete")]
    #[doc(alias = "NdisMCmAddPartyComplete")]
    fn add_party<'a>(
        &self,
        vc: Vc<'_, R>,
        party: Party<'_, R>,
        params: CallParams,
        token: Token<'a, AddParty>,
    ) -> Answer<'a, AddParty> {
        let _ = (vc, party);
        token.done(Err(Refused::with(NdisStatus::NOT_SUPPORTED, params)))
    }

    /// The miniport has something to say about this VC. Not for an MCM, which is the miniport.
    #[doc(alias = "ProtocolCoStatusEx")]
    fn status(&self, vc: Vc<'_, R>, status: &StatusIndication) {
        let _ = (vc, status);
    }

    /// The client deletes this VC, which it created. Drop the handles kept of it.
    ///
    /// # Errors
    /// The VC lives on, and the client is told the status.
    #[doc(alias = "ProtocolCoDeleteVc")]
    fn delete(&self) -> Result<(), NdisStatus> {
        Ok(())
    }
}

/// A party of a multipoint call, at its (M)CM.
pub trait ManagerParty: Send + Sync + 'static {
    /// The client drops the party. After SUCCESS the object is dropped. INVALID_DATA: the medium carries no drop data.
    #[doc(alias = "ProtocolCmDropParty")]
    #[doc(alias = "NdisCmDropPartyComplete")]
    #[doc(alias = "NdisMCmDropPartyComplete")]
    fn drop_party<'a>(&self, data: CloseData, token: Token<'a, DropParty>) -> Answer<'a, DropParty>;
}

/// A call manager's own VC, which carries its signaling. NDIS sees it.
pub trait SignalingVc: Send + Sync + 'static {
    /// Signaling came. As [`ClientVc::receive`](super::ClientVc::receive).
    #[doc(alias = "ProtocolCoReceiveNetBufferLists")]
    fn receive(&self, vc: Vc<'_, Signaling>, batch: &mut Receives<'_>);

    /// Sent messages are back. As [`ClientVc::send_complete`](super::ClientVc::send_complete).
    #[doc(alias = "ProtocolCoSendNetBufferListsComplete")]
    fn send_complete(&self, vc: Vc<'_, Signaling>, chain: Chain);

    /// The miniport answered an activation that pended.
    #[doc(alias = "ProtocolCmActivateVcComplete")]
    fn activate_complete(&self, vc: Vc<'_, Signaling>, result: Result<CallParams, Refused>) {
        let _ = (vc, result);
    }

    /// The VC is inactive, after a deactivation that pended.
    #[doc(alias = "ProtocolCmDeactivateVcComplete")]
    fn deactivate_complete(&self, vc: Vc<'_, Signaling>, result: Result<(), NdisStatus>) {
        let _ = (vc, result);
    }

    /// The miniport has something to say about this VC.
    #[doc(alias = "ProtocolCoStatusEx")]
    fn status(&self, vc: Vc<'_, Signaling>, status: &StatusIndication) {
        let _ = (vc, status);
    }
}
