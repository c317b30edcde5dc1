use super::BindingLife;
use crate::af::Af;
use crate::binding::Binding;
use crate::nbl::Chain;
use crate::oid::{About, OidAnswer, OidRequest};
use crate::params::{AddressFamily, CallParams, CloseData};
use crate::party::{HeldParty, Party};
use crate::role::Client;
use crate::sap::SapRef;
use crate::status::NdisStatus;
use crate::status_ind::StatusIndication;
use crate::token::{Answer, IncomingCall, NotifyCloseAf, Oid, Refused, Token};
use crate::trace::VcId;
use crate::vc::{Receives, Vc};

/// A client's binding to an adapter.
pub trait ClientBinding: BindingLife<Client> {
    /// An address family is to be had on the adapter. To take it, call
    /// [`open_address_family`](Binding::open_address_family); to decline, return. PASSIVE.
    #[doc(alias = "ProtocolCoAfRegisterNotify")]
    fn af_register_notify(&self, binding: Binding<'_, Client>, family: AddressFamily);
}

/// An address family that a client has open, or is opening.
pub trait ClientAf: Send + Sync + 'static {
    /// An open that pended is complete. After an error nothing of it is left. PASSIVE.
    #[doc(alias = "ProtocolClOpenAfCompleteEx")]
    fn open_complete(&self, af: Af<'_, Client>, result: Result<(), NdisStatus>) {
        let _ = (af, result);
    }

    /// A close that pended is complete. After SUCCESS the object is dropped.
    #[doc(alias = "ProtocolClCloseAfComplete")]
    fn close_complete(&self, result: Result<(), NdisStatus>) {
        let _ = result;
    }

    /// The (M)CM asks for the AF to be closed: drop parties, close calls, deregister SAPs, close the AF, in this order;
    /// answer at once or when it is done. Do not wait for the close in here (CO-037).
    #[doc(alias = "ProtocolClNotifyCloseAf")]
    #[doc(alias = "NdisClNotifyCloseAddressFamilyComplete")]
    fn notify_close<'a>(
        &self,
        af: Af<'_, Client>,
        token: Token<'a, NotifyCloseAf>,
    ) -> Answer<'a, NotifyCloseAf> {
        let _ = af;
        token.done(Err(NdisStatus::NOT_SUPPORTED))
    }

    /// The (M)CM makes a VC for a call it wants to offer. Another driver may still refuse, so use nothing of it yet.
    ///
    /// # Errors
    /// The VC is not made, and the (M)CM is told the status. A client without incoming calls leaves NOT_SUPPORTED.
    #[doc(alias = "ProtocolCoCreateVc")]
    fn create_vc(&self, af: Af<'_, Client>, vc: VcId) -> Result<Box<dyn ClientVc>, NdisStatus> {
        let _ = (af, vc);
        Err(NdisStatus::NOT_SUPPORTED)
    }

    /// The (M)CM asks or tells something, such as OID_CO_ADDRESS_CHANGE.
    #[doc(alias = "ProtocolCoOidRequest")]
    #[doc(alias = "NdisCoOidRequestComplete")]
    fn oid_request<'a>(
        &self,
        af: Af<'_, Client>,
        about: About,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        let _ = (af, about);
        token.done(OidAnswer::new(NdisStatus::NOT_SUPPORTED, request))
    }

    /// A request to the (M)CM is answered; it may have been before the request returned.
    #[doc(alias = "ProtocolCoOidRequestComplete")]
    fn oid_request_complete(&self, af: Af<'_, Client>, about: About, answer: OidAnswer) {
        let _ = (af, about, answer);
    }
}

/// A SAP that a client has registered.
pub trait ClientSap: Send + Sync + 'static {
    /// A registration that pended is complete. Calls may have come in on the SAP before (CO-049).
    #[doc(alias = "ProtocolClRegisterSapComplete")]
    fn register_complete(&self, sap: SapRef<'_, Client>, result: Result<(), NdisStatus>) {
        let _ = (sap, result);
    }

    /// The SAP is deregistered; the object is dropped next. Calls that came in on it go on (CO-054).
    #[doc(alias = "ProtocolClDeregisterSapComplete")]
    fn deregister_complete(&self, result: Result<(), NdisStatus>) {
        let _ = result;
    }
}

/// For clients that need no object for a SAP.
impl ClientSap for () {}

/// What a client is told of a call that is up.
#[derive(Debug)]
pub struct Connected {
    /// The parameters in force. [`CallParams::changed`]: judge them; accept by keeping the call, or close it.
    pub params: CallParams,
    /// The first party, of a call that was made with one.
    pub party: Option<HeldParty<Client>>,
}

/// A client's end of a VC, whoever created it.
pub trait ClientVc: Send + Sync + 'static {
    /// Data came. What is left in `batch` when this returns goes back to the miniport at once; keep what you need longer.
    /// May run concurrently with itself (DP-158).
    #[doc(alias = "ProtocolCoReceiveNetBufferLists")]
    fn receive(&self, vc: Vc<'_, Client>, batch: &mut Receives<'_>);

    /// Sent NBLs are back, each with its [`status`](crate::nbl::NetBufferList::status). Not necessarily in the order or the batches
    /// of the sends.
    #[doc(alias = "ProtocolCoSendNetBufferListsComplete")]
    fn send_complete(&self, vc: Vc<'_, Client>, chain: Chain);

    /// A make-call that pended is up, or failed. After a failure, delete the VC or dial again, also from in here.
    #[doc(alias = "ProtocolClMakeCallComplete")]
    fn make_call_complete(&self, vc: Vc<'_, Client>, result: Result<Connected, Refused>) {
        let _ = (vc, result);
    }

    /// A close that pended is complete. After SUCCESS the VC is inactive, drained, and ready for another call or for its
    /// deletion by its creator, also from in here.
    #[doc(alias = "ProtocolClCloseCallComplete")]
    fn close_call_complete(&self, vc: Vc<'_, Client>, result: Result<(), NdisStatus>) {
        let _ = (vc, result);
    }

    /// A call is offered on `sap`. `Ok` with the parameters, perhaps changed, accepts it; an error rejects it. May run before
    /// the registration of the SAP has completed (CO-049).
    #[doc(alias = "ProtocolClIncomingCall")]
    #[doc(alias = "NdisClIncomingCallComplete")]
    fn incoming_call<'a>(
        &self,
        vc: Vc<'_, Client>,
        sap: SapRef<'_, Client>,
        params: CallParams,
        token: Token<'a, IncomingCall>,
    ) -> Answer<'a, IncomingCall> {
        let _ = (vc, sap);
        token.done(Err(Refused::with(NdisStatus::NOT_SUPPORTED, params)))
    }

    /// An accepted call is up: data may flow, also before this returns.
    #[doc(alias = "ProtocolClCallConnected")]
    fn call_connected(&self, vc: Vc<'_, Client>) {
        let _ = vc;
    }

    /// The remote closed the call (`SUCCESS`), or the network broke it. Neither send nor expect data from here on, and
    /// answer with [`close_call`](Vc::close_call), here or later, always (CO-157).
    #[doc(alias = "ProtocolClIncomingCloseCall")]
    fn incoming_close_call(&self, vc: Vc<'_, Client>, status: NdisStatus, data: CloseData);

    /// A change of QoS that pended is agreed, or refused with the parameters that stay in force.
    #[doc(alias = "ProtocolClModifyCallQoSComplete")]
    fn modify_call_qos_complete(&self, vc: Vc<'_, Client>, result: Result<CallParams, Refused>) {
        let _ = (vc, result);
    }

    /// The remote changed the QoS, and the VC is active with it. Accept by returning, or close the call.
    #[doc(alias = "ProtocolClIncomingCallQoSChange")]
    fn incoming_call_qos_change(&self, vc: Vc<'_, Client>, params: CallParams) {
        let _ = (vc, params);
    }

    /// The miniport has something to say about this VC.
    #[doc(alias = "ProtocolCoStatusEx")]
    fn status(&self, vc: Vc<'_, Client>, status: &StatusIndication) {
        let _ = (vc, status);
    }

    /// The (M)CM deletes this VC, which it created. Drop the handles kept of it.
    ///
    /// # Errors
    /// The VC lives on, and the (M)CM is told the status.
    #[doc(alias = "ProtocolCoDeleteVc")]
    fn delete(&self) -> Result<(), NdisStatus> {
        Ok(())
    }
}

/// A party of a multipoint call, at its client.
pub trait ClientParty: Send + Sync + 'static {
    /// An add that pended is complete.
    #[doc(alias = "ProtocolClAddPartyComplete")]
    fn add_complete(&self, party: Party<'_, Client>, result: Result<CallParams, Refused>) {
        let _ = (party, result);
    }

    /// A drop that pended is complete. After SUCCESS the object is dropped.
    #[doc(alias = "ProtocolClDropPartyComplete")]
    fn drop_complete(&self, party: Party<'_, Client>, result: Result<(), NdisStatus>) {
        let _ = (party, result);
    }

    /// This party left, and others remain. Answer with [`drop_party`](Party::drop_party), or close the call if it is the
    /// last by now (CO-173).
    #[doc(alias = "ProtocolClIncomingDropParty")]
    fn incoming_drop(&self, party: Party<'_, Client>, status: NdisStatus, data: CloseData);
}
