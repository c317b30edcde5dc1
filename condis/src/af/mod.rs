//! Address families: one client's open of what one (M)CM registered.

pub(crate) mod ops;

use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};

use crate::adapter::{AdapterCore, AdapterObj};
use crate::binding::BindingCore;
use crate::driver::{ClientAf, ClientSap, ClientVc, ManagerAf, ManagerRole, ManagerVc, McmVc, McmVcData};
use crate::frame;
use crate::names::Function as F;
use crate::node::{Driver, NodeCore};
use crate::oid::{About, OidAnswer, OidCore, OidRequest};
use crate::params::{AddressFamily, Sap};
use crate::role::{CallManager, Client, Mcm, Role};
use crate::sap::{HeldSap, SapCore};
use crate::status::NdisStatus;
use crate::token::sealed::Op;
use crate::token::{CloseAf, How, NotifyCloseAf, Object, OpenAf, Outcome, Token};
use crate::trace::{ObjectId, Way};
use crate::vc::control::Creator;
use crate::vc::{OwnedVc, Users, VcCore};

/// The (M)CM's object for an AF, of either kind.
pub enum ManagerAfObj {
    #[doc(hidden)]
    CallManager(Box<dyn ManagerAf<CallManager>>),
    #[doc(hidden)]
    Mcm(Box<dyn ManagerAf<Mcm>>),
}

/// Who offers an address family on an adapter.
#[derive(Clone)]
pub(crate) enum Provider {
    CallManager(Arc<BindingCore>),
    Mcm,
}

/// The life of an open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AfState {
    /// The (M)CM has not answered yet.
    Opening,
    /// Usable.
    Open,
    /// The client closed it, and the (M)CM has not answered yet.
    Closing,
    /// Gone.
    Closed,
}

pub(crate) struct AfCtl {
    pub(crate) state: AfState,
    /// The (M)CM asked for the close, and the client has not answered.
    pub(crate) notified: bool,
    pub(crate) saps: Vec<Arc<SapCore>>,
}

/// An open address family.
#[doc(hidden)]
pub struct AfCore {
    id: u32,
    pub(crate) family: AddressFamily,
    adapter: Arc<AdapterCore>,
    binding: Arc<BindingCore>,
    pub(crate) provider: Provider,
    pub(crate) client: Box<dyn ClientAf>,
    pub(crate) manager: OnceLock<ManagerAfObj>,
    /// The client's object panicked, the (M)CM's did: it is not called again.
    lost: [AtomicBool; 2],
    /// The client panicked and its binding ends: NDIS closes the AF for it.
    abandoned: AtomicBool,
    /// The state is Open. Written under the lock, and read without it by all that make VCs: who makes one links it first
    /// and looks then, who closes writes first and looks for VCs then, and the table of VCs is locked by both.
    open: AtomicBool,
    ctl: Mutex<AfCtl>,
}

const CLIENT: usize = 0;
const MANAGER: usize = 1;

impl AfCore {
    pub(crate) fn adapter(&self) -> &Arc<AdapterCore> {
        &self.adapter
    }

    pub(crate) fn client_binding(&self) -> &Arc<BindingCore> {
        &self.binding
    }

    pub(crate) fn client_driver(&self) -> &Driver {
        self.binding.client_driver()
    }

    pub(crate) fn manager_driver(&self) -> &Driver {
        match &self.provider {
            Provider::CallManager(binding) => binding.manager_driver(),
            Provider::Mcm => self.adapter.driver(),
        }
    }

    pub(crate) fn node(&self) -> &Arc<NodeCore> {
        self.adapter.node()
    }

    pub(crate) fn is_mcm(&self) -> bool {
        matches!(self.provider, Provider::Mcm)
    }

    pub(crate) fn named(&self, cm: F, mcm: F) -> F {
        if self.is_mcm() { mcm } else { cm }
    }

    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, AfCtl> {
        self.ctl.lock().expect("no driver runs under an AF's lock, so nothing panics there")
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(SeqCst)
    }

    pub(crate) fn set_state(&self, state: AfState) {
        self.change_state(&mut self.lock(), state);
    }

    fn change_state(&self, ctl: &mut AfCtl, state: AfState) {
        ctl.state = state;
        self.open.store(state == AfState::Open, SeqCst);
    }

    pub(crate) fn object_id(&self) -> ObjectId {
        ObjectId::Af(self.id)
    }

    pub(crate) fn cross_client(&self, way: Way, function: F) {
        self.node().cross(self.client_driver(), way, function, self.object_id());
    }

    pub(crate) fn cross_manager(&self, way: Way, function: F) {
        self.node().cross(self.manager_driver(), way, function, self.object_id());
    }

    /// Calls the client's object. `None`: it panicked, now or before.
    pub(crate) fn call_client<T>(
        self: &Arc<Self>,
        function: F,
        callback: impl FnOnce(&dyn ClientAf) -> T,
    ) -> Option<T> {
        let result = self.guard(CLIENT, function, || callback(&*self.client));
        if result.is_none() && !self.is_abandoned() {
            let af = self.clone();
            self.node().defer(move || af.abandon_if_unbinding());
        }
        result
    }

    /// Calls the (M)CM's object. `None`: it has none yet, or it panicked, now or before.
    pub(crate) fn call_manager<T>(
        self: &Arc<Self>,
        function: F,
        cm: impl FnOnce(&dyn ManagerAf<CallManager>, Af<'_, CallManager>) -> T,
        mcm: impl FnOnce(&dyn ManagerAf<Mcm>, Af<'_, Mcm>) -> T,
    ) -> Option<T> {
        let manager = self.manager.get()?;
        self.guard(MANAGER, function, || match manager {
            ManagerAfObj::CallManager(object) => cm(&**object, Af::new(self)),
            ManagerAfObj::Mcm(object) => mcm(&**object, Af::new(self)),
        })
    }

    /// True if NDIS answers for the client's, or the (M)CM's, object, since it panicked.
    pub(crate) fn lost_client(&self) -> bool {
        self.lost[CLIENT].load(SeqCst)
    }

    pub(crate) fn lost_manager(&self) -> bool {
        self.lost[MANAGER].load(SeqCst)
    }

    fn guard<T>(&self, side: usize, function: F, callback: impl FnOnce() -> T) -> Option<T> {
        if self.lost[side].load(SeqCst) {
            return None;
        }
        let driver = if side == CLIENT { self.client_driver() } else { self.manager_driver() };
        self.node().cross(driver, Way::Up, function, self.object_id());
        let result = frame::call(callback).ok();
        if result.is_none() {
            self.lost[side].store(true, SeqCst);
            self.node().report(
                self.object_id(),
                "DP-216",
                format!("{driver} panicked in {function}; its object is not called again"),
            );
        }
        result
    }

    /// What the client has left on this AF that it must release itself before it closes.
    fn held_by_client(&self) -> usize {
        let saps = self.lock().saps.len();
        let vcs = self.adapter.vcs_of(self);
        saps + vcs
            .iter()
            .filter(|vc| {
                let ctl = vc.lock();
                ctl.control.creator == Creator::Client || ctl.control.call != crate::vc::Call::None
            })
            .count()
    }
}

impl AfCore {
    /// Plays the part of a client that panicked and cannot close: its calls end, its VCs and SAPs go, and then the AF.
    pub(crate) fn abandon(self: &Arc<Self>) {
        self.abandoned.store(true, SeqCst);
        for vc in self.adapter.vcs_of(self) {
            vc.set_lost(crate::vc::Side::User);
            vc.transition(|_| ());
        }
        let saps = self.lock().saps.clone();
        saps.iter().for_each(crate::sap::deregister_abandoned);
        self.close_if_abandoned();
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(SeqCst)
    }

    /// A client that panics while its binding ends will not close any more.
    pub(crate) fn abandon_if_unbinding(self: &Arc<Self>) {
        if !self.binding.is_open() {
            self.abandon();
        }
    }

    /// Closes an abandoned AF once nothing of its client is left.
    pub(crate) fn close_if_abandoned(self: &Arc<Self>) {
        if self.abandoned.load(SeqCst) && self.is_open() && self.held_by_client() == 0 {
            // A refusal leaves it open; the next thing of the client that goes tries again.
            let _ = self.close();
        }
    }
}

impl Object for AfCore {
    fn adapter(&self) -> &Arc<AdapterCore> {
        &self.adapter
    }

    fn id(&self) -> ObjectId {
        self.object_id()
    }
}

impl Drop for AfCore {
    fn drop(&mut self) {
        self.adapter.live.object_gone();
        if self.manager.get().is_some() {
            self.adapter.live.object_gone();
        }
    }
}

/// An address family, as its client (`R` = [`Client`]) or its (M)CM is given it.
#[doc(alias = "NdisAfHandle")]
pub struct Af<'a, R: Role>(pub(crate) &'a Arc<AfCore>, PhantomData<R>);

impl<R: Role> Clone for Af<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Role> Copy for Af<'_, R> {}

/// An AF handle that lasts. Drop it when the AF is closed; calls on a closed AF are refused.
pub struct HeldAf<R: Role>(Arc<AfCore>, PhantomData<R>);

impl<R: Role> HeldAf<R> {
    /// The handle to call with.
    pub fn at(&self) -> Af<'_, R> {
        Af::new(&self.0)
    }
}

impl<R: Role> Clone for HeldAf<R> {
    fn clone(&self) -> Self {
        HeldAf(self.0.clone(), PhantomData)
    }
}

impl<'a, R: Role> Af<'a, R> {
    pub(crate) fn new(core: &'a Arc<AfCore>) -> Af<'a, R> {
        Af(core, PhantomData)
    }

    /// Its name.
    pub fn id(self) -> ObjectId {
        self.0.object_id()
    }

    /// The family that is open.
    pub fn family(self) -> AddressFamily {
        self.0.family
    }

    /// Where it is in its life.
    pub fn state(self) -> AfState {
        self.0.lock().state
    }

    /// A handle that lasts.
    pub fn keep(self) -> HeldAf<R> {
        HeldAf(self.0.clone(), PhantomData)
    }

    /// The name of the adapter it is open on.
    pub fn adapter_name(self) -> &'a str {
        self.0.adapter.name()
    }
}

/// Opens `family` for a client: `NdisClOpenAddressFamilyEx`.
pub(crate) fn open(
    binding: &Arc<BindingCore>,
    family: AddressFamily,
    client: Box<dyn ClientAf>,
) -> Outcome<Result<HeldAf<Client>, NdisStatus>> {
    let adapter = binding.adapter();
    let node = adapter.node();
    node.cross(binding.client_driver(), Way::Down, F::NdisClOpenAddressFamilyEx, binding.object_id());
    let outcome = open_now(binding, family, client);
    let status = match &outcome {
        Outcome::Done(Ok(_)) => NdisStatus::SUCCESS,
        Outcome::Done(Err(status)) => *status,
        Outcome::Pending => NdisStatus::PENDING,
    };
    node.cross(
        binding.client_driver(),
        Way::Returned(status),
        F::NdisClOpenAddressFamilyEx,
        binding.object_id(),
    );
    outcome
}

fn open_now(
    binding: &Arc<BindingCore>,
    family: AddressFamily,
    client: Box<dyn ClientAf>,
) -> Outcome<Result<HeldAf<Client>, NdisStatus>> {
    let adapter = binding.adapter();
    let node = adapter.node();
    let provider = match adapter.provider_of(family) {
        Some(provider) if binding.is_open() => provider,
        _ => return Outcome::Done(Err(NdisStatus::FAILURE)),
    };
    let willing = match &provider {
        Provider::CallManager(manager) => manager.is_open() && !manager.is_lost(true),
        Provider::Mcm => !adapter.is_lost(),
    };
    if !willing {
        return Outcome::Done(Err(NdisStatus::FAILURE));
    }
    adapter.live.objects_made(1);
    let af = Arc::new(AfCore {
        id: node.next_af(),
        family,
        adapter: adapter.clone(),
        binding: binding.clone(),
        provider,
        client,
        manager: OnceLock::new(),
        lost: [AtomicBool::new(false), AtomicBool::new(false)],
        abandoned: AtomicBool::new(false),
        open: AtomicBool::new(false),
        ctl: Mutex::new(AfCtl { state: AfState::Opening, notified: false, saps: Vec::new() }),
    });
    if !adapter.link_af(&af) {
        return Outcome::Done(Err(NdisStatus::FAILURE));
    }
    let reply = match &af.provider {
        Provider::CallManager(manager) => af
            .guard(MANAGER, F::ProtocolCmOpenAf, || {
                let object = manager.call_manager_object()?;
                object.open_af(Af::new(&af), family, Token::new(&af, ())).take()
            })
            .flatten()
            .and_then(|answer| OpenAf::<CallManager>::settle(&af, (), answer, How::Returned)),
        Provider::Mcm => af
            .guard(MANAGER, F::ProtocolCmOpenAf, || {
                let AdapterObj::Mcm(object) = adapter.object()? else { return None };
                object.open_af(Af::new(&af), family, Token::new(&af, ())).take()
            })
            .flatten()
            .and_then(|answer| OpenAf::<Mcm>::settle(&af, (), answer, How::Returned)),
    };
    match reply {
        Some(Ok(())) => Outcome::Done(Ok(HeldAf(af, PhantomData))),
        Some(Err(status)) => Outcome::Done(Err(status)),
        None => Outcome::Pending,
    }
}

impl Af<'_, Client> {
    /// Creates a VC for outgoing calls. `object` becomes the client's end of it. The (M)CM, and the miniport under a call
    /// manager, have agreed when this returns; the VC is inactive and without a call.
    ///
    /// # Errors
    /// FAILURE: the AF is not open. Else what a driver refused with; nobody has anything of the VC then (CO-069).
    ///
    /// Source: WDK NdisCoCreateVc; CO-058 to CO-073.
    #[doc(alias = "NdisCoCreateVc")]
    pub fn create_vc(self, object: Box<dyn ClientVc>) -> Result<OwnedVc<Client>, NdisStatus> {
        let af = self.0;
        af.cross_client(Way::Down, F::NdisCoCreateVc);
        let result = create_for_client(af, object);
        let status = result.as_ref().map_or_else(|status| *status, |_| NdisStatus::SUCCESS);
        af.cross_client(Way::Returned(status), F::NdisCoCreateVc);
        result.map(OwnedVc::new)
    }

    /// Registers a SAP: calls to `address` may come in from now on, also while this pends.
    ///
    /// # Completion
    /// [`register_complete`](ClientSap::register_complete) if this returns pending.
    /// # Errors
    /// FAILURE: the AF is not open. INVALID_DATA: malformed, or another client's. Else what the (M)CM says.
    ///
    /// Source: WDK NdisClRegisterSap; CO-045 to CO-050.
    #[doc(alias = "NdisClRegisterSap")]
    pub fn register_sap(
        self,
        address: Sap,
        object: Box<dyn ClientSap>,
    ) -> Outcome<Result<HeldSap<Client>, NdisStatus>> {
        crate::sap::register(self.0, address, object)
    }

    /// Closes the AF. Everything that the client made on it must be gone by now.
    ///
    /// # Completion
    /// [`close_complete`](ClientAf::close_complete) if this returns pending.
    /// # Errors
    /// FAILURE: VCs of this client, calls or SAPs are left (the (M)CM is not called), or it is not open. NOT_ACCEPTED: the
    /// (M)CM refused.
    ///
    /// Source: WDK NdisClCloseAddressFamily; CO-029 to CO-037.
    #[doc(alias = "NdisClCloseAddressFamily")]
    pub fn close(self) -> Outcome<Result<(), NdisStatus>> {
        let af = self.0;
        af.cross_client(Way::Down, F::NdisClCloseAddressFamily);
        let outcome = af.close();
        let status = match &outcome {
            Outcome::Done(result) => NdisStatus::of(result),
            Outcome::Pending => NdisStatus::PENDING,
        };
        af.cross_client(Way::Returned(status), F::NdisClCloseAddressFamily);
        outcome
    }

    /// Asks or tells the (M)CM something: about the AF, one of its VCs or one of its parties.
    ///
    /// # Completion
    /// [`oid_request_complete`](ClientAf::oid_request_complete) if this returns pending.
    ///
    /// Source: WDK NdisCoOidRequest with an AF handle; CO-186.
    #[doc(alias = "NdisCoOidRequest")]
    pub fn oid_request(self, about: About, request: OidRequest) -> Outcome<OidAnswer> {
        OidCore::to_manager(self.0, about, request)
    }

    /// The client's VC that `tapi_call_id` names, as [`Vc::tapi_call_id`](crate::vc::Vc::tapi_call_id) wrote it.
    ///
    /// # Errors
    /// FAILURE: no VC of this AF has this id (CO-202).
    ///
    /// Source: WDK NdisClGetProtocolVcContextFromTapiCallId.
    #[doc(alias = "NdisClGetProtocolVcContextFromTapiCallId")]
    pub fn vc_from_tapi_call_id(self, tapi_call_id: &[u8]) -> Result<crate::vc::HeldVc<Client>, NdisStatus> {
        let af = self.0;
        let function = F::NdisClGetProtocolVcContextFromTapiCallId;
        af.cross_client(Way::Down, function);
        let found = af.adapter.vcs_of(af).into_iter().find(|vc| vc.tapi_id().as_bytes() == tapi_call_id);
        let result = found.map(|vc| crate::vc::Vc::new(&vc).keep()).ok_or(NdisStatus::FAILURE);
        let status = result.as_ref().map_or_else(|status| *status, |_| NdisStatus::SUCCESS);
        af.cross_client(Way::Returned(status), function);
        result
    }
}

impl AfCore {
    fn close(self: &Arc<Self>) -> Outcome<Result<(), NdisStatus>> {
        {
            let mut ctl = self.lock();
            if ctl.state != AfState::Open {
                return Outcome::Done(Err(NdisStatus::FAILURE));
            }
            self.change_state(&mut ctl, AfState::Closing);
        }
        if self.held_by_client() > 0 {
            self.set_state(AfState::Open);
            return Outcome::Done(Err(NdisStatus::FAILURE));
        }
        let answer = if self.lost_manager() {
            Some(Some(CloseAf::lost()))
        } else {
            self.call_manager(
                F::ProtocolCmCloseAf,
                |object, af| object.close(af, Token::new(self, ())).take(),
                |object, af| object.close(af, Token::new(self, ())).take(),
            )
        };
        let reply = answer.flatten().and_then(|answer| CloseAf::settle(self, (), answer, How::Returned));
        reply.map_or(Outcome::Pending, Outcome::Done)
    }
}

/// Both kinds of manager.
impl<R: ManagerRole> Af<'_, R> {
    /// Asks the client to close the AF. Call it once per open AF, at PASSIVE.
    ///
    /// # Completion
    /// Done: the client has closed it, or failed to. Pending: the client is at it, and its answer comes through
    /// [`notify_close_complete`](ManagerAf::notify_close_complete).
    ///
    /// Source: WDK NdisCmNotifyCloseAddressFamily; CO-038 to CO-042, X-22.
    #[doc(alias = "NdisCmNotifyCloseAddressFamily")]
    #[doc(alias = "NdisMCmNotifyCloseAddressFamily")]
    pub fn notify_close(self) -> Outcome<Result<(), NdisStatus>> {
        let af = self.0;
        let function = af.named(F::NdisCmNotifyCloseAddressFamily, F::NdisMCmNotifyCloseAddressFamily);
        af.cross_manager(Way::Down, function);
        let outcome = af.notify_close();
        let status = match &outcome {
            Outcome::Done(result) => NdisStatus::of(result),
            Outcome::Pending => NdisStatus::PENDING,
        };
        af.cross_manager(Way::Returned(status), function);
        outcome
    }

    /// Asks or tells the client something.
    ///
    /// # Completion
    /// [`oid_request_complete`](ManagerAf::oid_request_complete) if this returns pending.
    ///
    /// Source: WDK NdisCoOidRequest with an AF handle, NdisMCmOidRequest; CO-186, CO-189.
    #[doc(alias = "NdisCoOidRequest")]
    #[doc(alias = "NdisMCmOidRequest")]
    pub fn oid_request(self, about: About, request: OidRequest) -> Outcome<OidAnswer> {
        OidCore::to_client(self.0, about, request)
    }
}

impl AfCore {
    pub(crate) fn notify_close(self: &Arc<Self>) -> Outcome<Result<(), NdisStatus>> {
        {
            let mut ctl = self.lock();
            if ctl.state != AfState::Open {
                return Outcome::Done(Err(NdisStatus::FAILURE));
            }
            if std::mem::replace(&mut ctl.notified, true) {
                return Outcome::Done(Err(NdisStatus::CLOSING));
            }
        }
        let answer = if self.lost_client() {
            Some(Some(NotifyCloseAf::lost()))
        } else {
            self.call_client(F::ProtocolClNotifyCloseAf, |client| {
                client.notify_close(Af::new(self), Token::new(self, ())).take()
            })
        };
        let reply =
            answer.flatten().and_then(|answer| NotifyCloseAf::settle(self, (), answer, How::Returned));
        reply.map_or(Outcome::Pending, Outcome::Done)
    }
}

impl Af<'_, CallManager> {
    /// Creates a VC for an incoming call to this client. The miniport and the client have agreed when this returns.
    ///
    /// # Errors
    /// FAILURE: the AF is not open. Else what a driver refused with.
    ///
    /// Source: WDK NdisCoCreateVc; CO-060.
    #[doc(alias = "NdisCoCreateVc")]
    pub fn create_vc(
        self,
        object: Box<dyn ManagerVc<CallManager>>,
    ) -> Result<OwnedVc<CallManager>, NdisStatus> {
        let af = self.0;
        af.cross_manager(Way::Down, F::NdisCoCreateVc);
        let result = create_for_manager(af, |id| {
            let miniport = af.adapter.create_miniport_vc(id)?;
            let client = client_vc(af, id).inspect_err(|_| undo_miniport(af, &*miniport))?;
            Ok(Users::CallManager { client, miniport, manager: object, af: af.clone() })
        });
        let status = result.as_ref().map_or_else(|status| *status, |_| NdisStatus::SUCCESS);
        af.cross_manager(Way::Returned(status), F::NdisCoCreateVc);
        result.map(OwnedVc::new)
    }
}

impl Af<'_, Mcm> {
    /// Creates a VC for an incoming call to this client. The client has agreed when this returns. Only for VCs that carry
    /// client data: an MCM's signaling is no affair of NDIS.
    ///
    /// # Errors
    /// FAILURE: the AF is not open. Else what the client refused with.
    ///
    /// Source: WDK NdisMCmCreateVc; CO-061.
    #[doc(alias = "NdisMCmCreateVc")]
    pub fn create_vc(
        self,
        manager: Box<dyn ManagerVc<Mcm>>,
        data: Box<dyn McmVcData>,
    ) -> Result<OwnedVc<Mcm>, NdisStatus> {
        let af = self.0;
        af.cross_manager(Way::Down, F::NdisMCmCreateVc);
        let result = create_for_manager(af, |id| {
            Ok(Users::Mcm { client: client_vc(af, id)?, data, manager, af: af.clone() })
        });
        let status = result.as_ref().map_or_else(|status| *status, |_| NdisStatus::SUCCESS);
        af.cross_manager(Way::Returned(status), F::NdisMCmCreateVc);
        result.map(OwnedVc::new)
    }
}

/// Asks the client for its end of a VC that the (M)CM makes.
fn client_vc(af: &Arc<AfCore>, id: crate::trace::VcId) -> Result<Box<dyn ClientVc>, NdisStatus> {
    af.call_client(F::ProtocolCoCreateVc, |client| client.create_vc(Af::new(af), id))
        .unwrap_or(Err(NdisStatus::FAILURE))
}

fn undo_miniport(af: &Arc<AfCore>, miniport: &dyn crate::driver::MiniportVc) {
    let _ = af.adapter.guard_named(F::MiniportCoDeleteVc, || miniport.delete());
}

fn create_for_client(af: &Arc<AfCore>, client: Box<dyn ClientVc>) -> Result<Arc<VcCore>, NdisStatus> {
    if !af.is_open() {
        return Err(NdisStatus::FAILURE);
    }
    let id = af.adapter.next_vc();
    let users = match af.manager.get() {
        Some(ManagerAfObj::CallManager(object)) => {
            let miniport = af.adapter.create_miniport_vc(id)?;
            let manager = af
                .guard(MANAGER, F::ProtocolCoCreateVc, || object.create_vc(Af::new(af), id))
                .unwrap_or(Err(NdisStatus::FAILURE))
                .inspect_err(|_| undo_miniport(af, &*miniport))?;
            Users::CallManager { client, miniport, manager, af: af.clone() }
        }
        Some(ManagerAfObj::Mcm(object)) => {
            let McmVc { manager, data } = af
                .guard(MANAGER, F::ProtocolCoCreateVc, || object.create_vc(Af::new(af), id))
                .unwrap_or(Err(NdisStatus::FAILURE))?;
            Users::Mcm { client, data, manager, af: af.clone() }
        }
        None => return Err(NdisStatus::FAILURE),
    };
    af.adapter.link(id, users, Creator::Client)
}

fn create_for_manager(
    af: &Arc<AfCore>,
    users: impl FnOnce(crate::trace::VcId) -> Result<Users, NdisStatus>,
) -> Result<Arc<VcCore>, NdisStatus> {
    if !af.is_open() {
        return Err(NdisStatus::FAILURE);
    }
    let id = af.adapter.next_vc();
    af.adapter.link(id, users(id)?, Creator::Manager)
}

impl ManagerRole for CallManager {
    type NewVc = Box<dyn ManagerVc<CallManager>>;

    fn activate(
        vc: crate::vc::Vc<'_, Self>,
        params: crate::params::CallParams,
    ) -> Outcome<Result<crate::params::CallParams, crate::token::Refused>> {
        vc.activate(params)
    }

    fn deactivate(vc: crate::vc::Vc<'_, Self>) -> Outcome<Result<(), NdisStatus>> {
        vc.deactivate()
    }

    fn erase_af(af: Box<dyn ManagerAf<Self>>) -> ManagerAfObj {
        ManagerAfObj::CallManager(af)
    }
}

impl ManagerRole for Mcm {
    type NewVc = McmVc;

    fn activate(
        vc: crate::vc::Vc<'_, Self>,
        params: crate::params::CallParams,
    ) -> Outcome<Result<crate::params::CallParams, crate::token::Refused>> {
        match vc.activate(&params) {
            Ok(()) => Outcome::Done(Ok(params)),
            Err(status) => Outcome::Done(Err(crate::token::Refused::with(status, params))),
        }
    }

    fn deactivate(vc: crate::vc::Vc<'_, Self>) -> Outcome<Result<(), NdisStatus>> {
        Outcome::Done(vc.deactivate())
    }

    fn erase_af(af: Box<dyn ManagerAf<Self>>) -> ManagerAfObj {
        ManagerAfObj::Mcm(af)
    }
}

impl<R: Role> fmt::Debug for Af<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} handle of {} {} on {}: {:?}",
            R::KIND,
            self.id(),
            self.family(),
            self.adapter_name(),
            self.state()
        )
    }
}

impl<R: Role> fmt::Debug for HeldAf<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.at(), f)
    }
}

impl fmt::Debug for ManagerAfObj {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ManagerAfObj::CallManager(_) => "AF object of a call manager",
            ManagerAfObj::Mcm(_) => "AF object of an MCM",
        })
    }
}
