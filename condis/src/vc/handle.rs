//! The handles of a VC: the calls that each role may make.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::control::{Creator, Life, RemoteClose};
use super::upcall::{QUEUE_MAX, Upcall};
use super::{Activation, Call, Owner, Side, Statistics, Users, VcCore, VcInfo};
use crate::driver::{ClientParty, Connected, ManagerRole};
use crate::names::Function as F;
use crate::nbl::Chain;
use crate::params::{CallParams, CloseData, Sap};
use crate::party::PartyCore;
use crate::role::{CallManager, Client, Mcm, Miniport, Role, Signaling};
use crate::sap::{HeldSap, SapState};
use crate::status::NdisStatus;
use crate::token::sealed::Op;
use crate::token::{
    Activate, CloseCall, Deactivate, How, IncomingCall, MakeCall, ModifyCallQos, Outcome, Refused,
};
use crate::trace::{VcId, Way};

/// A VC, as its driver of role `R` is given it: borrowed, `Copy`, free of reference counts.
///
/// What a role may not call does not exist on its handle:
/// ```compile_fail
/// # use condis::{role::Mcm, vc::Vc, nbl::Chain};
/// fn an_mcm_cannot_send_on_a_vc(vc: Vc<'_, Mcm>) { vc.send(Chain::new()) }
/// ```
/// ```compile_fail
/// # use condis::{role::Client, vc::Vc, params::CallParams};
/// fn a_client_cannot_activate(vc: Vc<'_, Client>) { let _ = vc.activate(CallParams::default()); }
/// ```
/// ```compile_fail
/// # use condis::{role::CallManager, vc::Vc};
/// fn who_did_not_create_a_vc_cannot_delete_it(vc: Vc<'_, CallManager>) { let _ = vc.delete(); }
/// ```
#[doc(alias = "NdisVcHandle")]
pub struct Vc<'a, R: Role>(pub(crate) &'a Arc<VcCore>, PhantomData<R>);

impl<R: Role> Clone for Vc<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Role> Copy for Vc<'_, R> {}

/// A VC handle that lasts. Drop it when the VC is deactivated or deleted: an object that holds a handle of its own VC keeps
/// itself alive. Calls on a deleted VC are refused.
pub struct HeldVc<R: Role>(Arc<VcCore>, PhantomData<R>);

/// A VC, at the driver that created it: the right, and the duty, to delete it.
///
/// Dropping it is reported, and NDIS deletes the VC as soon as it is inactive and without a call.
#[must_use = "who creates a VC deletes it"]
pub struct OwnedVc<R: Role>(Option<HeldVc<R>>);

impl<'a, R: Role> Vc<'a, R> {
    pub(crate) fn new(core: &'a Arc<VcCore>) -> Vc<'a, R> {
        Vc(core, PhantomData)
    }

    /// Its name, the same for all drivers that share it (CO-066).
    pub fn id(self) -> VcId {
        self.0.id
    }

    /// A handle that lasts.
    pub fn keep(self) -> HeldVc<R> {
        HeldVc(self.0.clone(), PhantomData)
    }

    /// How NDIS sees the VC at this moment.
    pub fn info(self) -> VcInfo {
        self.0.info()
    }

    /// Whether data may move.
    pub fn activation(self) -> Activation {
        self.0.lock().control.act
    }

    /// The call on it.
    pub fn call(self) -> Call {
        self.0.lock().control.call
    }

    /// What passed so far.
    pub fn statistics(self) -> Statistics {
        self.0.statistics()
    }

    fn cross(self, side: Side, function: F) {
        self.0.cross(side, Way::Down, function);
    }

    fn returned<T>(self, side: Side, function: F, status: NdisStatus, result: T) -> T {
        self.0.cross(side, Way::Returned(status), function);
        result
    }
}

/// The status that a requester is returned.
fn status_of<T>(outcome: &Outcome<Result<T, Refused>>) -> NdisStatus {
    match outcome {
        Outcome::Done(Ok(_)) => NdisStatus::SUCCESS,
        Outcome::Done(Err(refused)) => refused.status,
        Outcome::Pending => NdisStatus::PENDING,
    }
}

fn plain_status_of(outcome: &Outcome<Result<(), NdisStatus>>) -> NdisStatus {
    match outcome {
        Outcome::Done(result) => NdisStatus::of(result),
        Outcome::Pending => NdisStatus::PENDING,
    }
}

/// Runs a request to the driver on `side`: at once if it is idle, else in its turn.
macro_rules! request {
    ($vc:expr, $side:expr, $op:ty, begin: |$ctl:ident| $begin:expr, queue: $upcall:expr, now: $ask:expr, refuse: $refuse:expr) => {{
        let vc: &Arc<VcCore> = $vc;
        let (begun, follow) = {
            let mut guard = vc.lock();
            let $ctl = &mut *guard;
            let begun = $begin.map(|()| {
                let now = $ctl.claim($side);
                // Queued under the lock that moved the state, so that nothing gets in between.
                if !now {
                    $ctl.push($upcall);
                }
                now
            });
            (begun, begun.is_ok() && vc.conclude($ctl))
        };
        let outcome = match begun {
            Err(status) => Outcome::Done(Err($refuse(status))),
            Ok(true) => {
                let reply = match $ask {
                    Some(answer) => <$op>::settle(vc, (), answer, How::Returned),
                    None => {
                        vc.release($side);
                        None
                    }
                };
                reply.map_or(Outcome::Pending, Outcome::Done)
            }
            Ok(false) => {
                vc.pump();
                Outcome::Pending
            }
        };
        if follow {
            vc.follow_up();
        }
        outcome
    }};
}

impl Vc<'_, Client> {
    /// Sets up an outgoing call on this VC, which this client created and which carries no call.
    ///
    /// `params` move to the (M)CM and come back with the result, perhaps changed. With a `party`, the call is multipoint, and
    /// the party's handle comes with the result.
    /// # Completion
    /// [`Outcome::Done`], or once through [`make_call_complete`](crate::driver::ClientVc::make_call_complete), from any
    /// thread, possibly before this returns.
    /// # Errors
    /// FAILURE: not this client's VC, or gone. NOT_ACCEPTED: there is a call on it, or it is active. CLOSING: a close or a
    /// deactivation is under way. Else what the (M)CM says. `params` are in the error.
    ///
    /// Source: WDK NdisClMakeCall, "Making a Call"; CO-114 to CO-130.
    #[doc(alias = "NdisClMakeCall")]
    pub fn make_call(
        self,
        params: CallParams,
        party: Option<Box<dyn ClientParty>>,
    ) -> Outcome<Result<Connected, Refused>> {
        self.cross(Side::User, F::NdisClMakeCall);
        let vc = self.0;
        let party = party.map(|object| PartyCore::new(vc, object));
        let mut slot = Some((params, party));
        let outcome = request!(
            vc, Side::Manager, MakeCall,
            begin: |ctl| {
                let multipoint = slot.as_ref().is_some_and(|(_, party)| party.is_some());
                let begun = ctl.control.begin_make(multipoint);
                if begun.is_ok() && let Some((_, Some(party))) = &slot {
                    ctl.rare.get_or_insert_default().parties = vec![party.clone()];
                }
                begun
            },
            queue: { let (params, party) = slot.take().expect("taken once"); Upcall::MakeCall(params, party) },
            now: { let (params, party) = slot.take().expect("taken once"); vc.ask_make(params, party) },
            refuse: |status| match slot.take() {
                Some((params, _)) => Refused::with(status, params),
                None => status.into(),
            }
        );
        self.returned(Side::User, F::NdisClMakeCall, status_of(&outcome), outcome)
    }

    /// Closes the call, at any moment: while it is being set up, while an offer whose remote has gone is not answered, and
    /// after it was up. `data` goes to the remote.
    ///
    /// Sends should all be back (CO-148); if some are not, the close waits for them.
    /// # Completion
    /// SUCCESS once the VC is inactive and every NBL is back, through
    /// [`close_call_complete`](crate::driver::ClientVc::close_call_complete) if this returns pending.
    /// # Errors
    /// NOT_ACCEPTED: no call, an offer to be rejected instead, or more than one party. CLOSING: already closing. INVALID_DATA:
    /// the medium carries no close data. The call stays as it was.
    ///
    /// Source: WDK NdisClCloseCall; CO-148 to CO-163.
    #[doc(alias = "NdisClCloseCall")]
    pub fn close_call(self, data: CloseData) -> Outcome<Result<(), NdisStatus>> {
        self.cross(Side::User, F::NdisClCloseCall);
        let vc = self.0;
        // X-48 is not reported: a send counts until its completion callback has returned, and a client may close in there.
        let mut slot = Some(data);
        let outcome = request!(
            vc, Side::Manager, CloseCall,
            begin: |ctl| ctl.control.begin_close(),
            queue: Upcall::CloseCall(slot.take().expect("taken once")),
            now: vc.ask_close(slot.take().expect("taken once")),
            refuse: |status| status
        );
        self.returned(Side::User, F::NdisClCloseCall, plain_status_of(&outcome), outcome)
    }

    /// Asks for another quality of service, of a call that is up or of an offer that is not answered yet.
    ///
    /// # Completion
    /// [`modify_call_qos_complete`](crate::driver::ClientVc::modify_call_qos_complete) if this returns pending.
    /// # Errors
    /// NOT_ACCEPTED: no such call, or a change pends already (X-51). Else what the (M)CM says; the old QoS stands then.
    ///
    /// Source: WDK NdisClModifyCallQoS; CO-177 to CO-184.
    #[doc(alias = "NdisClModifyCallQoS")]
    pub fn modify_call_qos(self, params: CallParams) -> Outcome<Result<CallParams, Refused>> {
        self.cross(Side::User, F::NdisClModifyCallQoS);
        let vc = self.0;
        let mut slot = Some(params);
        let outcome = request!(
            vc, Side::Manager, ModifyCallQos,
            begin: |ctl| ctl.control.begin_qos(),
            queue: Upcall::ModifyQos(slot.take().expect("taken once")),
            now: vc.ask_qos(slot.take().expect("taken once")),
            refuse: |status: NdisStatus| slot.take().map_or_else(|| status.into(), |params| Refused::with(status, params))
        );
        self.returned(Side::User, F::NdisClModifyCallQoS, status_of(&outcome), outcome)
    }

    /// Sends NBLs, in order. They come back through [`send_complete`](crate::driver::ClientVc::send_complete), all of them,
    /// also those that are refused: VC_NOT_ACTIVATED, CLOSING, PAUSED, RESET_IN_PROGRESS, NOT_ACCEPTED (adapter removed) or
    /// FAILURE (VC gone).
    ///
    /// Source: WDK NdisCoSendNetBufferLists; DP-124 to DP-135.
    #[doc(alias = "NdisCoSendNetBufferLists")]
    #[inline]
    pub fn send(self, chain: Chain) {
        self.0.send(chain);
    }

    /// The SAP address of the offer that is not answered yet.
    pub fn offered_on(self) -> Option<Sap> {
        self.0.lock().rare.as_ref()?.offered_on.as_ref().map(|sap| sap.address.clone())
    }
}

macro_rules! named_vcs {
    ($($role:ty => $side:expr),*) => {$(
        impl Vc<'_, $role> {
            /// Names the VC for management: `base` and an index. A VC that has a name keeps the first one.
            ///
            /// # Errors
            /// FAILURE: the VC is gone.
            ///
            /// Source: WDK NdisCoAssignInstanceName; CO-198, CO-199.
            #[doc(alias = "NdisCoAssignInstanceName")]
            pub fn assign_instance_name(self, base: &str) -> Result<String, NdisStatus> {
                self.cross($side, F::NdisCoAssignInstanceName);
                let result = self.0.assign_name(base);
                let status = result.as_ref().map_or_else(|status| *status, |_| NdisStatus::SUCCESS);
                self.returned($side, F::NdisCoAssignInstanceName, status, result)
            }

            /// Writes the VC's TAPI call id into `buffer` and gives its length in octets.
            ///
            /// # Errors
            /// INVALID_DATA: the VC is gone (CO-201). BUFFER_TOO_SHORT, with the size needed (CO-200).
            ///
            /// Source: WDK NdisCoGetTapiCallId.
            #[doc(alias = "NdisCoGetTapiCallId")]
            pub fn tapi_call_id(self, buffer: &mut [u8]) -> Result<usize, TapiIdError> {
                self.cross($side, F::NdisCoGetTapiCallId);
                let result = self.0.tapi_call_id(buffer);
                let status = result.as_ref().map_or_else(|error| error.status(), |_| NdisStatus::SUCCESS);
                self.returned($side, F::NdisCoGetTapiCallId, status, result)
            }
        }
    )*};
}

named_vcs!(Client => Side::User, CallManager => Side::Manager, Signaling => Side::User);

/// Why no TAPI call id was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TapiIdError {
    /// INVALID_DATA: the VC is gone.
    NoVc,
    /// BUFFER_TOO_SHORT.
    TooShort {
        /// The size that is needed, in octets.
        needed: usize,
    },
}

impl TapiIdError {
    /// The documented status.
    pub const fn status(self) -> NdisStatus {
        match self {
            TapiIdError::NoVc => NdisStatus::INVALID_DATA,
            TapiIdError::TooShort { .. } => NdisStatus::BUFFER_TOO_SHORT,
        }
    }
}

impl fmt::Display for TapiIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TapiIdError::NoVc => f.write_str("the VC is gone"),
            TapiIdError::TooShort { needed } => write!(f, "the id needs {needed} octets"),
        }
    }
}

impl std::error::Error for TapiIdError {}

impl VcCore {
    fn assign_name(&self, base: &str) -> Result<String, NdisStatus> {
        let mut ctl = self.lock();
        if ctl.control.life != Life::Live {
            return Err(NdisStatus::FAILURE);
        }
        let rare = ctl.rare.get_or_insert_default();
        Ok(rare.name.get_or_insert_with(|| self.node().instance_name(base)).clone())
    }

    fn tapi_call_id(&self, buffer: &mut [u8]) -> Result<usize, TapiIdError> {
        if self.lock().control.life != Life::Live {
            return Err(TapiIdError::NoVc);
        }
        let id = self.tapi_id();
        let needed = id.len();
        let into = buffer.get_mut(..needed).ok_or(TapiIdError::TooShort { needed })?;
        into.copy_from_slice(id.as_bytes());
        Ok(needed)
    }

    pub(crate) fn tapi_id(&self) -> String {
        format!("{}/{}", self.node().name(), self.id)
    }

    /// Deletes the VC on behalf of its creator: peer first, then miniport (X-04).
    pub(crate) fn delete(self: &Arc<Self>) -> Result<(), NdisStatus> {
        {
            let mut ctl = self.lock();
            // The creator may delete from inside an upcall of its own, but nothing may begin to tell it afterwards: what is
            // queued has not begun, nor perhaps what another thread is about to deliver.
            let (own, peer) = match (&self.users, self.creator) {
                (Users::Signaling { .. }, _) => (Side::User, None),
                (_, Creator::Client) => (Side::User, Some(Side::Manager)),
                (_, Creator::Manager) => (Side::Manager, Some(Side::User)),
            };
            let own_idle =
                ctl.queue_empty(own) && (ctl.idle(own) || crate::frame::is_inside(self.place(own)));
            let idle = own_idle && ctl.idle(Side::Lower) && peer.is_none_or(|peer| ctl.idle(peer));
            // What is out shows in the state and in its drain mark; a send that is being refused counts for a moment.
            ctl.control.begin_delete(idle)?;
            self.conclude(&mut ctl);
        }
        let agreed = match (&self.users, self.creator) {
            (Users::CallManager { client, .. } | Users::Mcm { client, .. }, Creator::Manager) => {
                self.call(Side::User, F::ProtocolCoDeleteVc, || client.delete())
            }
            (Users::CallManager { manager, .. }, Creator::Client) => {
                self.call(Side::Manager, F::ProtocolCoDeleteVc, || manager.delete())
            }
            (Users::Mcm { manager, .. }, Creator::Client) => {
                self.call(Side::Manager, F::ProtocolCoDeleteVc, || manager.delete())
            }
            (Users::Signaling { .. }, _) => None,
        };
        if let Some(Err(status)) = agreed {
            {
                let mut ctl = self.lock();
                ctl.control.life = Life::Live;
                self.conclude(&mut ctl);
            }
            // Before anything follows that would have it asked again at once.
            let given_up = self.is_given_up();
            if given_up {
                self.retry_later();
            }
            self.pump();
            if given_up {
                self.report(
                    "X-15",
                    format!("a VC that its owner gave up is not deleted: its peer refuses, {status}"),
                );
            }
            return Err(status);
        }
        if let Users::CallManager { miniport, .. } | Users::Signaling { miniport, .. } = &self.users {
            self.call(Side::Lower, F::MiniportCoDeleteVc, || miniport.delete());
        }
        crate::token::Object::adapter(&**self).unlink(self);
        Ok(())
    }
}

/// What both kinds of manager may do on a client VC. An MCM's twins are documented as macros with the same effects.
impl<R: ManagerRole> Vc<'_, R> {
    /// Offers a call to the client that registered `sap`, on this VC, which this (M)CM created for that client. The VC may
    /// be active already, or be activated once the client has accepted (X-05).
    ///
    /// # Completion
    /// The client's verdict: accepted, with the parameters, or rejected. If pending, it comes through
    /// [`incoming_call_complete`](crate::driver::ManagerVc::incoming_call_complete).
    /// # Errors
    /// FAILURE: the SAP or AF is closing, another client's, or the VC is not this (M)CM's. NOT_ACCEPTED, CLOSING: there is a
    /// call on the VC, or one is closing.
    ///
    /// Source: WDK NdisCmDispatchIncomingCall; CO-131 to CO-147.
    #[doc(alias = "NdisCmDispatchIncomingCall")]
    #[doc(alias = "NdisMCmDispatchIncomingCall")]
    pub fn dispatch_incoming_call(
        self,
        sap: &HeldSap<R>,
        params: CallParams,
    ) -> Outcome<Result<CallParams, Refused>> {
        let name = self.0.named(F::NdisCmDispatchIncomingCall, F::NdisMCmDispatchIncomingCall);
        self.cross(Side::Manager, name);
        let vc = self.0;
        let sap = sap.core();
        let mut slot = Some(params);
        let same_af = matches!(vc.owner(), Owner::Af(af) if Arc::ptr_eq(af, &sap.af));
        let outcome = request!(
            vc, Side::User, IncomingCall,
            begin: |ctl| {
                let open = same_af && sap.af.is_open() && matches!(sap.state(), SapState::Registering | SapState::Registered);
                let begun = if open { ctl.control.begin_offer() } else { Err(NdisStatus::FAILURE) };
                if begun.is_ok() {
                    ctl.rare.get_or_insert_default().offered_on = Some(sap.clone());
                }
                begun
            },
            queue: Upcall::IncomingCall(slot.take().expect("taken once"), sap.clone()),
            now: vc.ask_incoming(slot.take().expect("taken once"), sap),
            refuse: |status: NdisStatus| slot.take().map_or_else(|| status.into(), |params| Refused::with(status, params))
        );
        self.returned(Side::Manager, name, status_of(&outcome), outcome)
    }

    /// Tells the client that the call it accepted is up. The VC must be active by now.
    ///
    /// A call that is not accepted, or no longer, is reported and ignored; so is one on an inactive VC (X-45).
    ///
    /// Source: WDK NdisCmDispatchCallConnected; CO-140, CO-141.
    #[doc(alias = "NdisCmDispatchCallConnected")]
    #[doc(alias = "NdisMCmDispatchCallConnected")]
    pub fn dispatch_call_connected(self) {
        self.cross(
            Side::Manager,
            self.0.named(F::NdisCmDispatchCallConnected, F::NdisMCmDispatchCallConnected),
        );
        let (refusal, crossed) = self.0.transition(|ctl| {
            let crossed = matches!(ctl.control.call, Call::Closing(_) | Call::RemoteClosed);
            match ctl.control.connected() {
                Ok(()) => {
                    ctl.push(Upcall::CallConnected);
                    (None, crossed)
                }
                Err(status) => (Some(status), crossed),
            }
        });
        match refusal {
            Some(NdisStatus::VC_NOT_ACTIVATED) => {
                self.0.report("X-45", "call connected was dispatched on an inactive VC; it is refused");
            }
            // The client closed meanwhile: the two crossed, and neither is at fault.
            Some(_) if crossed => {}
            Some(_) => {
                self.0.report("CO-140", "call connected was dispatched for a call that is not accepted")
            }
            None => {}
        }
    }

    /// Asks the client to close: the remote closed (`SUCCESS`), or the network broke the call. The client answers with its
    /// close.
    ///
    /// A second one, and one that crosses the client's own close, is dropped (L3, L4). One for no call, or for a make-call
    /// that pends, is reported and refused.
    ///
    /// Source: WDK NdisCmDispatchIncomingCloseCall; CO-157 to CO-161.
    #[doc(alias = "NdisCmDispatchIncomingCloseCall")]
    #[doc(alias = "NdisMCmDispatchIncomingCloseCall")]
    pub fn dispatch_incoming_close_call(self, status: NdisStatus, data: CloseData) {
        let name = self.0.named(F::NdisCmDispatchIncomingCloseCall, F::NdisMCmDispatchIncomingCloseCall);
        self.cross(Side::Manager, name);
        let what = self.0.transition(|ctl| {
            let what = ctl.control.remote_close();
            if what == RemoteClose::Indicate {
                ctl.push(Upcall::IncomingCloseCall(status, data));
            }
            what
        });
        if what == RemoteClose::Refuse {
            self.0.report("CO-158", "a remote close was dispatched where there is no call to close");
        }
    }

    /// Tells the client that the remote changed the QoS. The VC has been activated with it already (CO-181).
    ///
    /// Source: WDK NdisCmDispatchIncomingCallQoSChange.
    #[doc(alias = "NdisCmDispatchIncomingCallQoSChange")]
    #[doc(alias = "NdisMCmDispatchIncomingCallQoSChange")]
    pub fn dispatch_incoming_call_qos_change(self, params: CallParams) {
        let name =
            self.0.named(F::NdisCmDispatchIncomingCallQoSChange, F::NdisMCmDispatchIncomingCallQoSChange);
        self.cross(Side::Manager, name);
        let told = self.0.transition(|ctl| {
            let told = ctl.control.may_change_qos() && ctl.queue_len(Side::User) < QUEUE_MAX;
            if told {
                ctl.push(Upcall::IncomingQosChange(params));
            }
            told
        });
        if !told {
            self.0.report("CO-181", "a change of QoS was dispatched without a call on an active VC, or too many wait for the client");
        }
    }
}

impl<'a> Vc<'a, CallManager> {
    /// Asks the miniport to activate the VC, or to change to other parameters on an active one.
    ///
    /// # Completion
    /// The parameters in use, or through [`activate_complete`](crate::driver::ManagerVc::activate_complete).
    /// # Errors
    /// NOT_ACCEPTED: an activation pends already. CLOSING: a deactivation pends. FAILURE: the VC is gone. Else what the
    /// miniport says; the old parameters of an active VC stay in force then.
    ///
    /// Source: WDK NdisCmActivateVc; CO-090 to CO-101.
    #[doc(alias = "NdisCmActivateVc")]
    pub fn activate(self, params: CallParams) -> Outcome<Result<CallParams, Refused>> {
        activate(self.0, Side::Manager, params)
    }

    /// Asks the miniport to deactivate the VC. Done once every send is complete and every receive is back; one deactivation
    /// undoes any number of activations.
    ///
    /// # Completion
    /// At once, or through [`deactivate_complete`](crate::driver::ManagerVc::deactivate_complete).
    /// # Errors
    /// NOT_ACCEPTED: inactive, or an activation pends. CLOSING: a deactivation pends. FAILURE: the VC is gone.
    ///
    /// Source: WDK NdisCmDeactivateVc; CO-102 to CO-112.
    #[doc(alias = "NdisCmDeactivateVc")]
    pub fn deactivate(self) -> Outcome<Result<(), NdisStatus>> {
        deactivate(self.0, Side::Manager)
    }
}

impl Vc<'_, Signaling> {
    /// Asks the miniport to activate the VC. As [`Vc::<CallManager>::activate`].
    #[doc(alias = "NdisCmActivateVc")]
    pub fn activate(self, params: CallParams) -> Outcome<Result<CallParams, Refused>> {
        activate(self.0, Side::User, params)
    }

    /// Asks the miniport to deactivate the VC. As [`Vc::<CallManager>::deactivate`].
    #[doc(alias = "NdisCmDeactivateVc")]
    pub fn deactivate(self) -> Outcome<Result<(), NdisStatus>> {
        deactivate(self.0, Side::User)
    }

    /// Sends signaling. As [`Vc::<Client>::send`]; refused with PAUSED while the binding is paused (X-35).
    #[doc(alias = "NdisCoSendNetBufferLists")]
    pub fn send(self, chain: Chain) {
        self.0.send(chain);
    }
}

fn activate(vc: &Arc<VcCore>, side: Side, params: CallParams) -> Outcome<Result<CallParams, Refused>> {
    vc.cross(side, Way::Down, F::NdisCmActivateVc);
    let mut slot = Some(params);
    let outcome = request!(
        vc, Side::Lower, Activate,
        begin: |ctl| ctl.control.begin_activate(),
        queue: Upcall::Activate(slot.take().expect("taken once")),
        now: vc.ask_activate(slot.take().expect("taken once")),
        refuse: |status: NdisStatus| slot.take().map_or_else(|| status.into(), |params| Refused::with(status, params))
    );
    vc.cross(side, Way::Returned(status_of(&outcome)), F::NdisCmActivateVc);
    outcome
}

fn deactivate(vc: &Arc<VcCore>, side: Side) -> Outcome<Result<(), NdisStatus>> {
    vc.cross(side, Way::Down, F::NdisCmDeactivateVc);
    let unasked;
    let outcome = request!(
        vc, Side::Lower, Deactivate,
        begin: |ctl| {
            let begun = ctl.control.begin_deactivate();
            unasked = begun.is_ok() && matches!(ctl.control.call, Call::Connected);
            begun
        },
        queue: Upcall::Deactivate,
        now: vc.ask_deactivate(),
        refuse: |status| status
    );
    if unasked {
        vc.report(
            "A17",
            "the VC of a call that is up was deactivated; the (M)CM owes the client a remote close",
        );
    }
    vc.cross(side, Way::Returned(plain_status_of(&outcome)), F::NdisCmDeactivateVc);
    outcome
}

impl Vc<'_, Mcm> {
    /// Tells NDIS that the VC carries data from now on, or that its parameters changed. Done on return: no driver is called,
    /// and no completion follows (X-01).
    ///
    /// # Errors
    /// FAILURE: the VC is gone.
    ///
    /// Source: WDK NdisMCmActivateVc; CO-091, CO-092, CO-113.
    #[doc(alias = "NdisMCmActivateVc")]
    pub fn activate(self, params: &CallParams) -> Result<(), NdisStatus> {
        let _ = params;
        self.cross(Side::Manager, F::NdisMCmActivateVc);
        let result = self.0.transition(|ctl| ctl.control.mcm_activate());
        self.returned(Side::Manager, F::NdisMCmActivateVc, NdisStatus::of(&result), result)
    }

    /// Tells NDIS that the VC carries no more data. Done on return. NBLs may still be out while the call is closing: the
    /// client's close waits for them; otherwise that is reported (X-33).
    ///
    /// # Errors
    /// NOT_ACCEPTED: inactive already. FAILURE: the VC is gone.
    ///
    /// Source: WDK NdisMCmDeactivateVc; CO-092, CO-106. `differences-in-virtual-connections.md` also names
    /// NdisCmDeactivateVc for an MCM (X-02); this is both.
    #[doc(alias = "NdisMCmDeactivateVc")]
    #[doc(alias = "NdisCmDeactivateVc")]
    pub fn deactivate(self) -> Result<(), NdisStatus> {
        self.cross(Side::Manager, F::NdisMCmDeactivateVc);
        let (result, undrained, unasked) = self.0.transition(|ctl| {
            let closing = matches!(ctl.control.call, Call::Closing(_));
            let unasked = matches!(ctl.control.call, Call::Connected);
            // The gates shut under this lock at the end of the transition; what slips in until then drains like the rest.
            let result = ctl.control.mcm_deactivate(false);
            self.0.conclude(ctl);
            let drained = self.0.is_drained();
            if drained {
                ctl.control.drained();
            }
            (result, !drained && !closing && result.is_ok(), unasked && result.is_ok())
        });
        if undrained {
            self.0
                .report("X-33", "an MCM deactivated a VC with NBLs outstanding, and not because of a close");
        }
        if unasked {
            self.0.report(
                "A17",
                "the VC of a call that is up was deactivated; the (M)CM owes the client a remote close",
            );
        }
        self.returned(Side::Manager, F::NdisMCmDeactivateVc, NdisStatus::of(&result), result)
    }
}

/// What drives the adapter of a VC may indicate on it.
macro_rules! lower {
    ($($role:ty),*) => {$(
        impl Vc<'_, $role> {
            /// Indicates NBLs to the owner of the VC's data side, in order. What the receiver does not keep is back, through
            /// `returned`, before this returns. On a VC that does not receive, all come back at once and are counted.
            ///
            /// Source: WDK NdisMCoIndicateReceiveNetBufferLists; DP-144 to DP-154.
            #[doc(alias = "NdisMCoIndicateReceiveNetBufferLists")]
            pub fn indicate_receive(self, chain: Chain) {
                self.0.indicate(chain);
            }

            /// Indicates NBLs that the receiver must copy, since the miniport is short of buffers. They are the miniport's
            /// again when this returns, without a `returned` (DP-149).
            #[doc(alias = "NDIS_RECEIVE_FLAGS_RESOURCES")]
            pub fn indicate_receive_lent(self, chain: &mut Chain) {
                self.0.indicate_lent(chain);
            }

            /// NBLs that this driver still owes the sender.
            pub fn sends_outstanding(self) -> u64 {
                self.0.tx.in_flight()
            }

            /// NBLs that the receiver still holds.
            pub fn receives_outstanding(self) -> u64 {
                self.0.rx.in_flight()
            }

            /// Tells the drivers that share the VC something about it.
            ///
            /// Source: WDK NdisMCoIndicateStatusEx; CO-206, DP-191.
            #[doc(alias = "NdisMCoIndicateStatusEx")]
            pub fn indicate_status(self, status: crate::status_ind::StatusIndication) {
                self.0.cross(Side::Lower, Way::Down, F::NdisMCoIndicateStatusEx);
                crate::status_ind::to_vc(self.0, status);
            }
        }
    )*};
}

lower!(Miniport, Mcm);

impl<R: Role> HeldVc<R> {
    /// The handle to call with.
    pub fn at(&self) -> Vc<'_, R> {
        Vc::new(&self.0)
    }

    /// Its name.
    pub fn id(&self) -> VcId {
        self.0.id
    }
}

impl<R: Role> Clone for HeldVc<R> {
    fn clone(&self) -> Self {
        HeldVc(self.0.clone(), PhantomData)
    }
}

impl<R: Role> OwnedVc<R> {
    pub(crate) fn new(core: Arc<VcCore>) -> OwnedVc<R> {
        OwnedVc(Some(HeldVc(core, PhantomData)))
    }

    fn held(&self) -> &HeldVc<R> {
        self.0.as_ref().expect("taken only by what consumes the owner")
    }

    /// The handle to call with.
    pub fn at(&self) -> Vc<'_, R> {
        self.held().at()
    }

    /// Its name.
    pub fn id(&self) -> VcId {
        self.held().id()
    }

    /// A handle that lasts, without the right to delete.
    pub fn keep(&self) -> HeldVc<R> {
        self.held().clone()
    }

    /// Deletes the VC: its peer is asked, then the miniport is told.
    ///
    /// # Errors
    /// With the owner back: NOT_ACCEPTED, there is a call or the VC is active; CLOSING, it is still being deactivated, or a
    /// driver has not come out of its last upcall; or the peer's refusal. [`OwnedVc::retire`] waits instead.
    ///
    /// Source: WDK NdisCoDeleteVc, NdisMCmDeleteVc; CO-074 to CO-085.
    #[doc(alias = "NdisCoDeleteVc")]
    #[doc(alias = "NdisMCmDeleteVc")]
    pub fn delete(mut self) -> Result<(), (NdisStatus, OwnedVc<R>)> {
        let held = self.0.take().expect("taken only by what consumes the owner");
        let (function, side) = held.0.delete_function();
        held.0.cross(side, Way::Down, function);
        let result = held.0.delete();
        held.0.cross(side, Way::Returned(NdisStatus::of(&result)), function);
        result.map_err(|status| (status, OwnedVc(Some(held))))
    }

    /// Deletes the VC as soon as it is inactive, drained and without a call: at once, if it is. A peer that refuses is
    /// reported and asked again, each second.
    pub fn retire(mut self) {
        let held = self.0.take().expect("taken only by what consumes the owner");
        held.0.retire();
    }
}

impl VcCore {
    fn delete_function(&self) -> (F, Side) {
        match (&self.users, self.creator) {
            (Users::Mcm { .. }, Creator::Manager) => (F::NdisMCmDeleteVc, Side::Manager),
            (Users::CallManager { .. }, Creator::Manager) => (F::NdisCoDeleteVc, Side::Manager),
            (_, Creator::Client) | (Users::Signaling { .. }, _) => (F::NdisCoDeleteVc, Side::User),
        }
    }

    fn retire(self: &Arc<Self>) {
        let (function, side) = self.delete_function();
        self.cross(side, Way::Down, function);
        self.transition(|ctl| ctl.retired = true);
    }
}

impl<R: Role> Drop for OwnedVc<R> {
    fn drop(&mut self) {
        if let Some(held) = self.0.take()
            && held.0.lock().control.life == Life::Live
        {
            let node = held.0.node().clone();
            node.defer(move || {
                held.0.report(
                    "CO-074",
                    "the owner of a VC was dropped; the VC is deleted as soon as it is idle",
                );
                held.0.retire();
            });
        }
    }
}

macro_rules! printed {
    ($($ty:ty => $core:expr),*) => {$(
        impl<R: Role> fmt::Debug for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let core: for<'x> fn(&'x $ty) -> &'x Arc<VcCore> = $core;
                write!(f, "{} handle of {}", R::KIND, core(self).info())
            }
        }
    )*};
}

printed!(Vc<'_, R> => |vc| vc.0, HeldVc<R> => |vc| &vc.0, OwnedVc<R> => |vc| &vc.held().0);
