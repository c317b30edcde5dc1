//! Bindings: a protocol driver open on an adapter.

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use crate::adapter::AdapterCore;
use crate::af::{self, HeldAf};
use crate::driver::{Bound, CallManagerBinding, ClientAf, ClientBinding, SignalingVc};
use crate::frame;
use crate::names::Function as F;
use crate::node::{Driver, ProtocolCore};
use crate::oid::OidAnswer;
use crate::params::AddressFamily;
use crate::role::{CallManager, Client, Role, RoleKind, Signaling};
use crate::status::NdisStatus;
use crate::status_ind::StatusIndication;
use crate::token::{Object, Outcome};
use crate::trace::{ObjectId, Way};
use crate::vc::control::Creator;
use crate::vc::{OwnedVc, Users};

/// The states of a binding (`binding-states-of-a-protocol-driver.md`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BindingState {
    /// `ProtocolBindAdapterEx` runs.
    Opening,
    /// Bound; no sends.
    Paused,
    /// On the way to running.
    Restarting,
    /// Data flows.
    Running,
    /// Old sends finish, new ones are refused.
    Pausing,
    /// `ProtocolUnbindAdapterEx` runs.
    Closing,
    /// Not bound.
    Unbound,
}

impl BindingState {
    const ALL: [BindingState; 7] = [
        BindingState::Opening,
        BindingState::Paused,
        BindingState::Restarting,
        BindingState::Running,
        BindingState::Pausing,
        BindingState::Closing,
        BindingState::Unbound,
    ];
}

/// Statuses that may wait for a binding: far more than a burst, few enough for a driver that never comes back.
const STATUSES_MAX: usize = 1024;

/// A status indication, ready to be made.
pub(crate) type Telling = Box<dyn FnOnce() + Send>;

pub(crate) struct BindingCtl {
    /// Families that this client was told of.
    notified: Vec<AddressFamily>,
    statuses: VecDeque<Telling>,
    telling: bool,
}

/// A protocol driver open on an adapter.
#[doc(hidden)]
pub struct BindingCore {
    id: u32,
    adapter: Arc<AdapterCore>,
    protocol: Arc<ProtocolCore>,
    as_client: Driver,
    as_manager: Driver,
    bound: OnceLock<Bound>,
    /// The object of a role panicked: it is not called again. The client's, the call manager's.
    lost: [AtomicBool; 2],
    /// An object that the client, or the call manager, has somewhere on this binding panicked.
    hurt: [AtomicBool; 2],
    /// A [`BindingState`]. Written under the lock; read without it by all that make VCs.
    state: AtomicU8,
    ctl: Mutex<BindingCtl>,
}

impl BindingCore {
    pub(crate) fn new(adapter: &Arc<AdapterCore>, protocol: &Arc<ProtocolCore>) -> BindingCore {
        let driver = |role| Driver { name: protocol.name.clone(), role };
        BindingCore {
            id: adapter.node().next_binding(),
            adapter: adapter.clone(),
            protocol: protocol.clone(),
            as_client: driver(RoleKind::Client),
            as_manager: driver(RoleKind::CallManager),
            bound: OnceLock::new(),
            lost: [AtomicBool::new(false), AtomicBool::new(false)],
            hurt: [AtomicBool::new(false), AtomicBool::new(false)],
            state: AtomicU8::new(BindingState::Opening as u8),
            ctl: Mutex::new(BindingCtl { notified: Vec::new(), statuses: VecDeque::new(), telling: false }),
        }
    }

    pub(crate) fn set_bound(&self, bound: Bound) {
        let fresh = self.bound.set(bound).is_ok();
        debug_assert!(fresh, "a binding is bound once");
    }

    pub(crate) fn adapter(&self) -> &Arc<AdapterCore> {
        &self.adapter
    }

    pub(crate) fn protocol(&self) -> &Arc<ProtocolCore> {
        &self.protocol
    }

    pub(crate) fn client_object(&self) -> Option<&dyn ClientBinding> {
        self.bound.get()?.client.as_deref()
    }

    pub(crate) fn call_manager_object(&self) -> Option<&dyn CallManagerBinding> {
        self.bound.get()?.manager.as_deref()
    }

    pub(crate) fn client_driver(&self) -> &Driver {
        &self.as_client
    }

    pub(crate) fn manager_driver(&self) -> &Driver {
        &self.as_manager
    }

    pub(crate) fn driver_as(&self, role: RoleKind) -> &Driver {
        if role == RoleKind::Client { &self.as_client } else { &self.as_manager }
    }

    pub(crate) fn object_id(&self) -> ObjectId {
        ObjectId::Binding(self.id)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, BindingCtl> {
        self.ctl.lock().expect("no driver runs under a binding's lock")
    }

    pub(crate) fn state(&self) -> BindingState {
        BindingState::ALL[usize::from(self.state.load(SeqCst))]
    }

    pub(crate) fn set_state(&self, state: BindingState) {
        let _lock = self.lock();
        self.state.store(state as u8, SeqCst);
    }

    /// True while address families may be opened and registered over it.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.state(), BindingState::Closing | BindingState::Unbound)
    }

    /// True while its VCs may send.
    pub(crate) fn carries_data(&self) -> bool {
        matches!(self.state(), BindingState::Running | BindingState::Restarting)
    }

    /// CO-195.
    pub(crate) fn may_request_oids(&self) -> bool {
        !matches!(self.state(), BindingState::Unbound)
    }

    /// True if NDIS answers for the call manager's, or the client's, object, since it panicked.
    pub(crate) fn is_lost(&self, manager: bool) -> bool {
        self.lost[usize::from(manager)].load(SeqCst)
    }

    /// An object of the driver's on this binding panicked: what the driver would have heard there it will not hear, so its
    /// unbind is not waited for.
    pub(crate) fn hurt(&self, manager: bool) {
        self.hurt[usize::from(manager)].store(true, SeqCst);
    }

    /// True if the answer to the unbind may never come.
    pub(crate) fn is_hurt(&self, manager: bool) -> bool {
        self.is_lost(manager) || self.hurt[usize::from(manager)].load(SeqCst)
    }

    /// Calls the protocol in the role of `driver`. `None`: its object panicked, now or before.
    pub(crate) fn guard<T>(&self, driver: &Driver, function: F, callback: impl FnOnce() -> T) -> Option<T> {
        let manager = driver.role == RoleKind::CallManager;
        if self.is_lost(manager) {
            return None;
        }
        let node = self.adapter.node();
        node.cross(driver, Way::Up, function, self.object_id());
        let result = frame::call(callback).ok();
        if result.is_none() {
            self.lost[usize::from(manager)].store(true, SeqCst);
            node.report(
                self.object_id(),
                "DP-216",
                format!("{driver} panicked in {function}; its object is not called again"),
            );
        }
        result
    }

    /// Tells a client of a family that it has not heard of on this adapter (DP-036).
    pub(crate) fn notify_af(self: &Arc<Self>, family: AddressFamily) {
        let Some(client) = self.client_object() else { return };
        {
            let mut ctl = self.lock();
            let open = !matches!(
                self.state(),
                BindingState::Opening | BindingState::Closing | BindingState::Unbound
            );
            if !open || ctl.notified.contains(&family) {
                return;
            }
            ctl.notified.push(family);
        }
        self.guard(&self.as_client, F::ProtocolCoAfRegisterNotify, || {
            client.af_register_notify(Binding::new(self), family);
        });
    }

    /// A family ended with its call manager: if it is registered again, the client is told again (CO-044).
    pub(crate) fn forget_af(&self, family: AddressFamily) {
        self.lock().notified.retain(|other| *other != family);
    }

    /// Tells a status of the adapter.
    pub(crate) fn tell_status(self: &Arc<Self>, status: &StatusIndication) {
        let (binding, status) = (self.clone(), status.clone());
        self.tell(Box::new(move || {
            if let Some(manager) = binding.call_manager_object() {
                binding.guard(&binding.as_manager, F::ProtocolCoStatusEx, || {
                    manager.status(Binding::new(&binding), &status)
                });
            }
            if let Some(client) = binding.client_object() {
                binding.guard(&binding.as_client, F::ProtocolCoStatusEx, || {
                    client.status(Binding::new(&binding), &status)
                });
            }
        }));
    }

    /// Makes status indications to this binding, of the adapter and of its VCs, one at a time (DP-192).
    pub(crate) fn tell(&self, telling: Telling) {
        {
            let mut ctl = self.lock();
            if self.state() == BindingState::Unbound {
                return;
            }
            if ctl.statuses.len() >= STATUSES_MAX {
                drop(ctl);
                let what =
                    "too many statuses wait for a binding that does not come back; this one is not told";
                return self.adapter.node().report(self.object_id(), "DP-190", what.into());
            }
            ctl.statuses.push_back(telling);
            if std::mem::replace(&mut ctl.telling, true) {
                return;
            }
        }
        loop {
            let Some(telling) = ({
                let mut ctl = self.lock();
                let next = ctl.statuses.pop_front();
                ctl.telling = next.is_some();
                next
            }) else {
                return;
            };
            telling();
        }
    }

    pub(crate) fn tell_oid_complete(self: &Arc<Self>, role: RoleKind, answer: OidAnswer) {
        let function = F::ProtocolCoOidRequestComplete;
        match (role, self.client_object(), self.call_manager_object()) {
            (RoleKind::Client, Some(client), _) => {
                self.guard(&self.as_client, function, || {
                    client.oid_request_complete(Binding::new(self), answer)
                });
            }
            (_, _, Some(manager)) => {
                self.guard(&self.as_manager, function, || {
                    manager.oid_request_complete(Binding::new(self), answer)
                });
            }
            _ => {}
        }
    }
}

impl Object for BindingCore {
    fn adapter(&self) -> &Arc<AdapterCore> {
        &self.adapter
    }

    fn id(&self) -> ObjectId {
        self.object_id()
    }
}

/// A binding, as its driver is given it in the role `R`.
#[doc(alias = "NdisBindingHandle")]
pub struct Binding<'a, R: Role>(&'a Arc<BindingCore>, PhantomData<R>);

impl<R: Role> Clone for Binding<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Role> Copy for Binding<'_, R> {}

/// A binding handle that lasts. Drop it at the unbind.
pub struct HeldBinding<R: Role>(Arc<BindingCore>, PhantomData<R>);

impl<R: Role> HeldBinding<R> {
    /// The handle to call with.
    pub fn at(&self) -> Binding<'_, R> {
        Binding::new(&self.0)
    }
}

impl<R: Role> Clone for HeldBinding<R> {
    fn clone(&self) -> Self {
        HeldBinding(self.0.clone(), PhantomData)
    }
}

impl<'a, R: Role> Binding<'a, R> {
    pub(crate) fn new(core: &'a Arc<BindingCore>) -> Binding<'a, R> {
        Binding(core, PhantomData)
    }

    pub(crate) fn core(self) -> &'a Arc<BindingCore> {
        self.0
    }

    /// Its name.
    pub fn id(self) -> ObjectId {
        self.0.object_id()
    }

    /// The state it is in.
    pub fn state(self) -> BindingState {
        self.0.state()
    }

    /// The name of the adapter.
    pub fn adapter_name(self) -> &'a str {
        self.0.adapter.name()
    }

    /// What the adapter's miniport told of it.
    pub fn attributes(self) -> &'a crate::driver::AdapterAttributes {
        self.0.adapter.attributes()
    }

    /// The node's runtime: time, timers and deferred work.
    pub fn runtime(self) -> &'a Arc<dyn crate::runtime::Runtime> {
        self.0.adapter.node().runtime()
    }

    /// The node's lane, for timers and deferred work of this driver.
    pub fn lane(self) -> crate::runtime::Lane {
        self.0.adapter.node().lane()
    }

    /// A handle that lasts.
    pub fn keep(self) -> HeldBinding<R> {
        HeldBinding(self.0.clone(), PhantomData)
    }

    /// Asks the miniport to take back the sends with this id that it has queued, on every VC of the adapter. Their
    /// completions come as ever, with SEND_ABORTED.
    ///
    /// Source: WDK NdisCancelSendNetBufferLists; DP-137.
    #[doc(alias = "NdisCancelSendNetBufferLists")]
    pub fn cancel_sends(self, id: crate::nbl::CancelId) {
        self.0.adapter.node().cross(
            self.0.driver_as(R::KIND),
            Way::Down,
            F::NdisCancelSendNetBufferLists,
            self.id(),
        );
        self.0.adapter.cancel_sends(id);
    }

    /// Asks the miniport to end a pended OID request of this protocol.
    ///
    /// Source: WDK NdisCancelOidRequest.
    #[doc(alias = "NdisCancelOidRequest")]
    pub fn cancel_oid_request(self, request_id: u64) {
        self.0.adapter.node().cross(self.0.driver_as(R::KIND), Way::Down, F::NdisCancelOidRequest, self.id());
        self.0.adapter.cancel_oid(request_id);
    }

    /// Gives kept receives back, of any of this binding's VCs, in one call (DP-152).
    #[doc(alias = "NdisReturnNetBufferLists")]
    pub fn return_net_buffer_lists(self, kept: impl IntoIterator<Item = crate::vc::Kept>) {
        kept.into_iter().for_each(crate::vc::Kept::give_back);
    }

    /// Asks NDIS to unbind this protocol from the adapter. `unbind` is called later, never in here (DP-051).
    #[doc(alias = "NdisUnbindAdapter")]
    pub fn request_unbind(self) {
        let binding = self.0.clone();
        self.0.adapter.clone().unbind_later(binding, || ());
    }
}

impl Binding<'_, Client> {
    /// Opens an address family that was announced on this adapter. `object` becomes the client's end of it.
    ///
    /// # Completion
    /// The handle, or through [`open_complete`](ClientAf::open_complete), at PASSIVE.
    /// # Errors
    /// FAILURE: nobody offers the family here, or a binding is closing. Else what the (M)CM says. Nothing is left of the open
    /// then.
    ///
    /// Source: WDK NdisClOpenAddressFamilyEx; CO-020 to CO-028.
    #[doc(alias = "NdisClOpenAddressFamilyEx")]
    pub fn open_address_family(
        self,
        family: AddressFamily,
        object: Box<dyn ClientAf>,
    ) -> Outcome<Result<HeldAf<Client>, NdisStatus>> {
        af::open(self.0, family, object)
    }
}

impl Binding<'_, CallManager> {
    /// Offers an address family on this adapter. Clients hear of it once the binding is open.
    ///
    /// # Errors
    /// FAILURE: somebody offers it here already, an MCM among them (CO-010, CO-014), or the binding is closing (CO-011).
    ///
    /// Source: WDK NdisCmRegisterAddressFamilyEx.
    #[doc(alias = "NdisCmRegisterAddressFamilyEx")]
    pub fn register_address_family(self, family: AddressFamily) -> Result<(), NdisStatus> {
        let node = self.0.adapter.node();
        let function = F::NdisCmRegisterAddressFamilyEx;
        node.cross(&self.0.as_manager, Way::Down, function, self.id());
        let result = self.0.adapter.register_family(family, af::Provider::CallManager(self.0.clone()));
        node.cross(&self.0.as_manager, Way::Returned(NdisStatus::of(&result)), function, self.id());
        result
    }

    /// Creates a VC of this call manager's own, for its signaling. NDIS sees it; no client has a part in it.
    ///
    /// An MCM has no such call: its signaling VCs are its own affair.
    /// ```compile_fail
    /// # use condis::{adapter::Adapter, role::Mcm, driver::SignalingVc};
    /// fn an_mcm_cannot_make_a_signaling_vc(adapter: Adapter<'_, Mcm>, vc: Box<dyn SignalingVc>) {
    ///     let _ = adapter.create_signaling_vc(vc);
    /// }
    /// ```
    /// # Errors
    /// FAILURE: the binding is closing. Else what the miniport refused with.
    ///
    /// Source: WDK NdisCoCreateVc with no AF handle; CO-062, X-03.
    #[doc(alias = "NdisCoCreateVc")]
    pub fn create_signaling_vc(self, object: Box<dyn SignalingVc>) -> Result<OwnedVc<Signaling>, NdisStatus> {
        let (binding, adapter) = (self.0, &self.0.adapter);
        adapter.node().cross(&binding.as_manager, Way::Down, F::NdisCoCreateVc, self.id());
        let result = if binding.is_open() {
            let id = adapter.next_vc();
            adapter.create_miniport_vc(id).and_then(|miniport| {
                let users = Users::Signaling { user: object, miniport, binding: binding.clone() };
                adapter.link(id, users, Creator::Manager)
            })
        } else {
            Err(NdisStatus::FAILURE)
        };
        let status = result.as_ref().map_or_else(|status| *status, |_| NdisStatus::SUCCESS);
        adapter.node().cross(&binding.as_manager, Way::Returned(status), F::NdisCoCreateVc, self.id());
        result.map(OwnedVc::new)
    }
}

impl<R: Role> fmt::Debug for Binding<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.0.protocol.name;
        write!(
            f,
            "{} handle of {} ({name} on {}): {:?}",
            R::KIND,
            self.id(),
            self.adapter_name(),
            self.state()
        )
    }
}

impl<R: Role> fmt::Debug for HeldBinding<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.at(), f)
    }
}
