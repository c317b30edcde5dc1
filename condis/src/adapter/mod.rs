//! Adapters: what a miniport or an MCM drives, with the bindings, families and VCs on it.

mod control;
pub(crate) mod pnp;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

pub use control::AdapterControl;

use crate::af::{AfCore, Provider};
use crate::binding::{BindingCore, BindingState};
use crate::driver::{
    AdapterAttributes, LowerRole, McmAdapter, McmDriver, MiniportAdapter, MiniportDriver, MiniportVc,
};
use crate::frame;
use crate::names::Function as F;
use crate::nbl::CancelId;
use crate::node::{Driver, Left, NodeCore, PendedInfo, ProtocolCore, VC_BLOCK};
use crate::params::AddressFamily;
use crate::role::{Mcm, Role, RoleKind};
use crate::runtime::Time;
use crate::status::NdisStatus;
use crate::status_ind::StatusIndication;
use crate::token::Object;
use crate::trace::{ObjectId, VcId, Way};
use crate::vc::control::{Blocked, Creator, Life};
use crate::vc::table::VcTable;
use crate::vc::{Owner, Statistics, Users, VcCore};

/// The driver of an adapter.
pub(crate) enum AdapterKind {
    Miniport(Box<dyn MiniportDriver>),
    Mcm(Box<dyn McmDriver>),
}

/// The driver's object for an adapter.
pub(crate) enum AdapterObj {
    Miniport(Box<dyn MiniportAdapter>),
    Mcm(Box<dyn McmAdapter>),
}

/// The states of an adapter (`adapter-states-of-a-miniport-driver.md`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AdapterState {
    /// Not initialized, or halted.
    Halted,
    /// `MiniportInitializeEx` runs.
    Initializing,
    /// Ready; no data.
    Paused,
    /// `MiniportRestart` runs.
    Restarting,
    /// Data flows.
    Running,
    /// `MiniportPause` runs.
    Pausing,
    /// The system went down.
    ShutDown,
}

/// Counts what NDIS holds of drivers, so that what leaks is seen.
#[derive(Default)]
pub(crate) struct Live {
    objects: AtomicI64,
}

impl Live {
    pub(crate) fn objects_made(&self, count: i64) {
        self.objects.fetch_add(count, Relaxed);
    }

    pub(crate) fn object_gone(&self) {
        self.objects.fetch_sub(1, Relaxed);
    }

    pub(crate) fn vc_gone(&self, objects: i64) {
        self.objects.fetch_sub(objects, Relaxed);
    }

    pub(crate) fn objects(&self) -> u64 {
        self.objects.load(Relaxed).max(0) as u64
    }
}

/// Where a pended operation stands in its adapter's list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PendKey(usize);

struct Pend {
    object: ObjectId,
    callback: F,
    holder: String,
    since: Time,
}

#[derive(Default)]
struct Pends {
    slots: Vec<Option<Pend>>,
    free: Vec<usize>,
}

pub(crate) struct AdapterCtl {
    pub(crate) state: AdapterState,
    families: Vec<(AddressFamily, Provider)>,
    bindings: Vec<Arc<BindingCore>>,
    afs: Vec<Arc<AfCore>>,
    /// What protocols set and a reset may have lost (DP-083).
    pub(crate) settings: BTreeMap<u32, Vec<u8>>,
    /// The reset under way lost them.
    pub(crate) replay: bool,
    next_vc: u64,
    last_vc: u64,
    /// What a pause still waits for: VCs that are not drained, and the miniport's own answer.
    pub(crate) pausing: Option<pnp::Pausing>,
    pub(crate) operations: pnp::Operations,
}

/// An adapter.
#[doc(hidden)]
pub struct AdapterCore {
    id: u32,
    name: String,
    node: Arc<NodeCore>,
    driver: Driver,
    kind: AdapterKind,
    object: OnceLock<AdapterObj>,
    /// The driver's object panicked: it is not called again.
    lost: AtomicBool,
    attributes: OnceLock<AdapterAttributes>,
    ctl: Mutex<AdapterCtl>,
    vcs: Mutex<VcTable>,
    pends: Mutex<Pends>,
    /// What stops the data of every VC, as [`Blocked`] bits. Set here first and in each VC then; a VC that comes to life looks
    /// here under its own lock, so that it is either found or finds it.
    blocked: AtomicU8,
    /// How many bindings wait for what stands on them to go: the length of a list under the lock.
    pub(crate) closing: AtomicUsize,
    /// What VCs that are gone had counted: the adapter's totals never go backwards.
    past: Mutex<Statistics>,
    pub(crate) live: Arc<Live>,
}

impl AdapterCore {
    /// `MiniportInitializeEx`.
    pub(crate) fn initialize(
        node: &Arc<NodeCore>,
        id: u32,
        name: &str,
        kind: AdapterKind,
    ) -> Result<Arc<AdapterCore>, NdisStatus> {
        let role = match &kind {
            AdapterKind::Miniport(_) => RoleKind::Miniport,
            AdapterKind::Mcm(_) => RoleKind::Mcm,
        };
        let adapter = Arc::new(AdapterCore {
            id,
            name: name.to_owned(),
            node: node.clone(),
            driver: Driver { name: name.into(), role },
            kind,
            object: OnceLock::new(),
            lost: AtomicBool::new(false),
            attributes: OnceLock::new(),
            ctl: Mutex::new(AdapterCtl {
                state: AdapterState::Initializing,
                families: Vec::new(),
                bindings: Vec::new(),
                afs: Vec::new(),
                settings: BTreeMap::new(),
                replay: false,
                next_vc: 0,
                last_vc: 0,
                pausing: None,
                operations: pnp::Operations::default(),
            }),
            vcs: Mutex::default(),
            pends: Mutex::default(),
            blocked: AtomicU8::new(Blocked::ADAPTER_PAUSED.bits()),
            closing: AtomicUsize::new(0),
            past: Mutex::default(),
            live: node.new_live(),
        });
        let made = adapter.guard_named(F::MiniportInitializeEx, || match &adapter.kind {
            AdapterKind::Miniport(driver) => {
                driver.initialize(name).map(|(attributes, object)| (attributes, AdapterObj::Miniport(object)))
            }
            AdapterKind::Mcm(driver) => {
                driver.initialize(name).map(|(attributes, object)| (attributes, AdapterObj::Mcm(object)))
            }
        });
        let (attributes, object) = made.unwrap_or(Err(NdisStatus::FAILURE))?;
        let fresh = adapter.attributes.set(attributes).is_ok() && adapter.object.set(object).is_ok();
        debug_assert!(fresh, "an adapter is initialized once");
        let result = adapter.guard(F::MiniportInitializeEx, || match adapter.object() {
            Some(AdapterObj::Miniport(object)) => object.initialized(adapter.handle()),
            Some(AdapterObj::Mcm(object)) => object.initialized(adapter.handle()),
            None => Err(NdisStatus::FAILURE),
        });
        if let Err(status) = result.unwrap_or(Err(NdisStatus::FAILURE)) {
            let mut ctl = adapter.lock();
            ctl.state = AdapterState::Halted;
            ctl.families.clear();
            return Err(status);
        }
        adapter.lock().state = AdapterState::Paused;
        Ok(adapter)
    }

    pub(crate) fn node(&self) -> &Arc<NodeCore> {
        &self.node
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn driver(&self) -> &Driver {
        &self.driver
    }

    pub(crate) fn object(&self) -> Option<&AdapterObj> {
        self.object.get()
    }

    pub(crate) fn attributes(&self) -> &AdapterAttributes {
        self.attributes.get().expect("set before anybody else knows the adapter")
    }

    pub(crate) fn object_id(&self) -> ObjectId {
        ObjectId::Adapter(self.id)
    }

    pub(crate) fn handle<R: LowerRole>(self: &Arc<Self>) -> Adapter<'_, R> {
        Adapter(self, PhantomData)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, AdapterCtl> {
        self.ctl.lock().expect("no driver runs under an adapter's lock")
    }

    pub(crate) fn blocked(&self) -> Blocked {
        Blocked::from_bits_truncate(self.blocked.load(SeqCst))
    }

    fn lock_vcs(&self) -> MutexGuard<'_, VcTable> {
        self.vcs.lock().expect("no driver runs under the table's lock")
    }

    pub(crate) fn state(&self) -> AdapterState {
        self.lock().state
    }

    /// True if NDIS answers for the driver's object, since it panicked.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(SeqCst)
    }

    /// Calls the driver's object. `None`: it panicked, now or before. The caller has traced the crossing.
    pub(crate) fn guard<T>(&self, function: F, callback: impl FnOnce() -> T) -> Option<T> {
        if self.is_lost() {
            return None;
        }
        let result = frame::call(callback).ok();
        if result.is_none() {
            self.lost.store(true, SeqCst);
            self.report(
                "DP-216",
                format!("{} panicked in {function}; its object is not called again", self.driver),
            );
        }
        result
    }

    /// As [`AdapterCore::guard`], and traces.
    pub(crate) fn guard_named<T>(&self, function: F, callback: impl FnOnce() -> T) -> Option<T> {
        if self.is_lost() {
            return None;
        }
        self.node.cross(&self.driver, Way::Up, function, self.object_id());
        self.guard(function, callback)
    }

    pub(crate) fn report(&self, rule: &'static str, what: String) {
        self.node.report(self.object_id(), rule, what);
    }

    // Families

    /// CO-010 to CO-014: one provider per family and adapter. An MCM registers when its adapter is initialized, before any
    /// call manager can, and so preempts it.
    pub(crate) fn register_family(
        &self,
        family: AddressFamily,
        provider: Provider,
    ) -> Result<(), NdisStatus> {
        if let Provider::CallManager(binding) = &provider
            && !binding.is_open()
        {
            return Err(NdisStatus::FAILURE);
        }
        let mut ctl = self.lock();
        let connection_oriented =
            self.attributes.get().is_some_and(|attributes| attributes.connection_oriented);
        if !connection_oriented || ctl.families.iter().any(|(other, _)| *other == family) {
            return Err(NdisStatus::FAILURE);
        }
        let late = ctl.state != AdapterState::Initializing
            && !matches!(&provider, Provider::CallManager(binding) if binding.state() == BindingState::Opening);
        ctl.families.push((family, provider));
        drop(ctl);
        if late {
            self.announce_later(family);
        }
        Ok(())
    }

    pub(crate) fn provider_of(&self, family: AddressFamily) -> Option<Provider> {
        let ctl = self.lock();
        if matches!(ctl.state, AdapterState::Halted | AdapterState::Initializing | AdapterState::ShutDown) {
            return None;
        }
        ctl.families.iter().find(|(other, _)| *other == family).map(|(_, provider)| provider.clone())
    }

    pub(crate) fn families(&self) -> Vec<AddressFamily> {
        self.lock().families.iter().map(|(family, _)| *family).collect()
    }

    fn families_of(&self, binding: &Arc<BindingCore>) -> Vec<AddressFamily> {
        let of =
            |provider: &Provider| matches!(provider, Provider::CallManager(b) if Arc::ptr_eq(b, binding));
        self.lock().families.iter().filter(|(_, provider)| of(provider)).map(|(family, _)| *family).collect()
    }

    /// Tells every bound client of a family, at PASSIVE.
    fn announce(&self, family: AddressFamily) {
        for binding in self.bindings() {
            binding.notify_af(family);
        }
    }

    fn announce_later(&self, family: AddressFamily) {
        let bindings = self.bindings();
        self.node.defer(move || bindings.iter().for_each(|binding| binding.notify_af(family)));
    }

    /// Makes an AF part of the adapter. False if a binding that it needs began to close.
    pub(crate) fn link_af(&self, af: &Arc<AfCore>) -> bool {
        // Linked first and looked at then, as a VC is.
        self.lock().afs.push(af.clone());
        let open = af.client_binding().is_open()
            && !matches!(&af.provider, Provider::CallManager(binding) if !binding.is_open());
        if !open {
            self.unlink_af(af);
        }
        open
    }

    pub(crate) fn unlink_af(&self, af: &Arc<AfCore>) {
        self.lock().afs.retain(|other| !Arc::ptr_eq(other, af));
        self.something_closed();
    }

    pub(crate) fn afs(&self) -> Vec<Arc<AfCore>> {
        self.lock().afs.clone()
    }

    // Bindings

    pub(crate) fn bindings(&self) -> Vec<Arc<BindingCore>> {
        self.lock().bindings.clone()
    }

    // VCs

    pub(crate) fn next_vc(&self) -> VcId {
        let mut ctl = self.lock();
        if ctl.next_vc == ctl.last_vc {
            ctl.next_vc = self.node.next_vc_block();
            ctl.last_vc = ctl.next_vc + VC_BLOCK;
        }
        ctl.next_vc += 1;
        VcId(ctl.next_vc - 1)
    }

    /// `MiniportCoCreateVc`.
    pub(crate) fn create_miniport_vc(&self, id: VcId) -> Result<Box<dyn MiniportVc>, NdisStatus> {
        let Some(AdapterObj::Miniport(object)) = self.object() else { return Err(NdisStatus::FAILURE) };
        if self.is_lost() {
            return Err(NdisStatus::FAILURE);
        }
        self.node.cross(&self.driver, Way::Up, F::MiniportCoCreateVc, ObjectId::Vc(id));
        self.guard(F::MiniportCoCreateVc, || object.create_vc(id)).unwrap_or(Err(NdisStatus::FAILURE))
    }

    /// Makes a VC, once every driver agreed, part of the adapter. FAILURE, and undone, if its AF or its binding began to
    /// close meanwhile.
    pub(crate) fn link(&self, id: VcId, users: Users, creator: Creator) -> Result<Arc<VcCore>, NdisStatus> {
        self.live.objects_made(users.count());
        let vc = Arc::new(VcCore::new(id, users, creator, self.node.tracer.on()));
        self.lock_vcs().link(&vc);
        // Linked first and looked at then: a pause or a close that began either finds the VC, or is found here.
        vc.go_live(|| {
            let paused = if vc.binding().carries_data() { Blocked::empty() } else { Blocked::BINDING_PAUSED };
            self.blocked() | paused
        });
        let open = match vc.owner() {
            Owner::Af(af) => af.is_open(),
            Owner::Binding(binding) => binding.is_open(),
        };
        if !open {
            vc.transition(|ctl| ctl.retired = true);
            return Err(NdisStatus::FAILURE);
        }
        if self.node.tracer.on() {
            vc.tx.watch();
            vc.rx.watch();
        }
        Ok(vc)
    }

    pub(crate) fn unlink(&self, vc: &Arc<VcCore>) {
        let taken = self.lock_vcs().unlink(vc);
        if taken.is_some() {
            let statistics = vc.statistics();
            if statistics != Statistics::default() {
                *self.past.lock().expect("nothing panics inside") += statistics;
            }
        }
        if let Owner::Af(af) = vc.owner() {
            af.close_if_abandoned();
        }
        if self.closes_wait() {
            self.something_closed();
        }
    }

    pub(crate) fn vcs(&self) -> Vec<Arc<VcCore>> {
        self.lock_vcs().all()
    }

    /// The counted reference to a VC that is linked here.
    pub(crate) fn find(&self, vc: &VcCore) -> Option<Arc<VcCore>> {
        self.lock_vcs().at(vc)
    }

    pub(crate) fn vcs_of(&self, af: &AfCore) -> Vec<Arc<VcCore>> {
        let mut vcs = self.vcs();
        vcs.retain(|vc| matches!(vc.owner(), Owner::Af(other) if std::ptr::eq(&**other, af)));
        vcs
    }

    /// Lets the trace see the data of VCs that were made before anybody listened.
    pub(crate) fn watch(&self) {
        for vc in self.vcs() {
            vc.tx.watch();
            vc.rx.watch();
        }
    }

    /// Sets or clears what stops data, VC by VC.
    pub(crate) fn block(&self, bit: Blocked, on: bool, concerned: impl Fn(&VcCore) -> bool) {
        for vc in self.vcs() {
            if concerned(&vc) {
                vc.transition(|ctl| ctl.control.blocked.set(bit, on));
            }
        }
    }

    pub(crate) fn statistics(&self) -> Statistics {
        let mut total = *self.past.lock().expect("nothing panics inside");
        self.vcs().iter().for_each(|vc| total += vc.statistics());
        total
    }

    // OIDs, cancels, status

    /// DP-082, DP-074: with what an OID request is refused without reaching the miniport.
    pub(crate) fn takes_oids(&self) -> Result<(), NdisStatus> {
        let ctl = self.lock();
        if self.blocked().contains(Blocked::REMOVED) {
            return Err(NdisStatus::NOT_ACCEPTED);
        }
        if self.blocked().contains(Blocked::RESETTING) {
            return Err(NdisStatus::RESET_IN_PROGRESS);
        }
        match ctl.state {
            AdapterState::Halted | AdapterState::Initializing | AdapterState::ShutDown => {
                Err(NdisStatus::ADAPTER_NOT_READY)
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn cancel_sends(self: &Arc<Self>, id: CancelId) {
        self.guard_named(F::MiniportCancelSend, || match self.object() {
            Some(AdapterObj::Miniport(object)) => object.cancel_send(self.handle(), id),
            Some(AdapterObj::Mcm(object)) => object.cancel_send(self.handle(), id),
            None => {}
        });
    }

    pub(crate) fn cancel_oid(self: &Arc<Self>, request_id: u64) {
        self.guard_named(F::MiniportCancelOidRequest, || match self.object() {
            Some(AdapterObj::Miniport(object)) => object.cancel_oid_request(self.handle(), request_id),
            Some(AdapterObj::Mcm(object)) => object.cancel_oid_request(self.handle(), request_id),
            None => {}
        });
    }

    /// To every bound protocol (DP-190).
    pub(crate) fn indicate_status(&self, status: &StatusIndication) {
        for binding in self.bindings() {
            binding.tell_status(status);
        }
    }

    // Pended operations

    pub(crate) fn pend(&self, object: ObjectId, callback: F, holder: String) -> PendKey {
        let pend = Pend { object, callback, holder, since: self.node.now() };
        let mut pends = self.pends.lock().expect("nothing panics inside");
        match pends.free.pop() {
            Some(slot) => {
                pends.slots[slot] = Some(pend);
                PendKey(slot)
            }
            None => {
                pends.slots.push(Some(pend));
                PendKey(pends.slots.len() - 1)
            }
        }
    }

    pub(crate) fn unpend(&self, key: PendKey) {
        let mut pends = self.pends.lock().expect("nothing panics inside");
        pends.slots[key.0] = None;
        pends.free.push(key.0);
    }

    pub(crate) fn pended(&self, now: Time) -> Vec<PendedInfo> {
        let mut list: Vec<PendedInfo> = self
            .pends
            .lock()
            .expect("nothing panics inside")
            .slots
            .iter()
            .flatten()
            .map(|pend| PendedInfo {
                object: pend.object,
                callback: pend.callback,
                holder: pend.holder.clone(),
                age: Some(now.since(pend.since)),
                nbls: 0,
            })
            .collect();
        for vc in self.vcs() {
            let (sends, receives) = vc.in_flight();
            let batch = |callback, side, nbls| PendedInfo {
                object: vc.object_id(),
                callback,
                holder: vc.driver(side).to_string(),
                age: None,
                nbls,
            };
            if sends > 0 {
                list.push(batch(F::MiniportCoSendNetBufferLists, crate::vc::Side::Lower, sends));
            }
            if receives > 0 {
                list.push(batch(F::ProtocolCoReceiveNetBufferLists, crate::vc::Side::User, receives));
            }
        }
        list
    }

    /// Adds what is there to `left`.
    pub(crate) fn count(&self, left: &mut Left) {
        for vc in self.vcs() {
            let (sends, receives) = vc.in_flight();
            left.nbls += sends + receives;
            let ctl = vc.lock();
            left.vcs += usize::from(ctl.control.life != Life::Deleted);
            left.parties += ctl.rare.as_ref().map_or(0, |rare| rare.parties.len());
        }
        for af in self.afs() {
            left.afs += 1;
            left.saps += af.lock().saps.len();
        }
    }

    pub(crate) fn info(&self) -> AdapterInfo {
        let attributes = self.attributes().clone();
        AdapterInfo {
            name: self.name.clone(),
            role: self.driver.role,
            state: self.state(),
            attributes,
            families: self.families(),
            statistics: self.statistics(),
        }
    }

    /// True for the protocol that is bound here already.
    fn is_bound(&self, protocol: &Arc<ProtocolCore>) -> bool {
        self.bindings().iter().any(|binding| Arc::ptr_eq(binding.protocol(), protocol))
    }
}

impl Object for AdapterCore {
    fn adapter(&self) -> &Arc<AdapterCore> {
        unreachable!("operations of an adapter are about pnp::AdapterOp, which knows its Arc")
    }

    fn id(&self) -> ObjectId {
        self.object_id()
    }
}

/// An adapter, at one moment.
#[derive(Clone, Debug)]
pub struct AdapterInfo {
    /// Its name.
    pub name: String,
    /// A miniport or an MCM.
    pub role: RoleKind,
    /// The state it is in.
    pub state: AdapterState,
    /// What its driver told of it.
    pub attributes: AdapterAttributes,
    /// The address families that are offered on it.
    pub families: Vec<AddressFamily>,
    /// What passed over all its VCs, those that are gone among them.
    pub statistics: Statistics,
}

/// An adapter, as its driver is given it.
#[doc(alias = "MiniportAdapterHandle")]
pub struct Adapter<'a, R: Role>(&'a Arc<AdapterCore>, PhantomData<R>);

impl<R: Role> Clone for Adapter<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Role> Copy for Adapter<'_, R> {}

/// An adapter handle that lasts. Drop it at the halt.
pub struct HeldAdapter<R: Role>(Arc<AdapterCore>, PhantomData<R>);

impl<R: Role> HeldAdapter<R> {
    /// The handle to call with.
    pub fn at(&self) -> Adapter<'_, R> {
        Adapter(&self.0, PhantomData)
    }
}

impl<R: Role> Clone for HeldAdapter<R> {
    fn clone(&self) -> Self {
        HeldAdapter(self.0.clone(), PhantomData)
    }
}

impl<'a, R: LowerRole> Adapter<'a, R> {
    /// Its name.
    pub fn name(self) -> &'a str {
        self.0.name()
    }

    /// The state it is in.
    pub fn state(self) -> AdapterState {
        self.0.state()
    }

    /// The node's runtime: time, timers and deferred work.
    pub fn runtime(self) -> &'a Arc<dyn crate::runtime::Runtime> {
        self.0.node.runtime()
    }

    /// The node's lane, for timers and deferred work of this driver.
    pub fn lane(self) -> crate::runtime::Lane {
        self.0.node.lane()
    }

    /// A handle that lasts.
    pub fn keep(self) -> HeldAdapter<R> {
        HeldAdapter(self.0.clone(), PhantomData)
    }

    /// What passed over all VCs, those that are gone among them.
    pub fn statistics(self) -> Statistics {
        self.0.statistics()
    }

    /// Tells every bound protocol something about the adapter. Lawful until the halt has returned.
    ///
    /// Source: WDK NdisMCoIndicateStatusEx; DP-190.
    #[doc(alias = "NdisMCoIndicateStatusEx")]
    pub fn indicate_status(self, status: StatusIndication) {
        self.0.node.cross(&self.0.driver, Way::Down, F::NdisMCoIndicateStatusEx, self.0.object_id());
        if self.state() == AdapterState::Halted {
            self.0.report("DP-193", "a status was indicated after the halt".into());
            return;
        }
        self.0.indicate_status(&status);
    }
}

impl Adapter<'_, Mcm> {
    /// Offers an address family on this adapter. Clients hear of it once the adapter is initialized. A call manager cannot
    /// register the same family here any more (CO-014).
    ///
    /// # Errors
    /// FAILURE: registered already, or the adapter is not connection-oriented.
    ///
    /// Source: WDK NdisMCmRegisterAddressFamilyEx.
    #[doc(alias = "NdisMCmRegisterAddressFamilyEx")]
    pub fn register_address_family(self, family: AddressFamily) -> Result<(), NdisStatus> {
        let (node, function) = (&self.0.node, F::NdisMCmRegisterAddressFamilyEx);
        node.cross(&self.0.driver, Way::Down, function, self.0.object_id());
        let result = self.0.register_family(family, Provider::Mcm);
        node.cross(&self.0.driver, Way::Returned(NdisStatus::of(&result)), function, self.0.object_id());
        result
    }
}

impl<R: Role> fmt::Debug for Adapter<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} handle of {}: {:?}", R::KIND, self.0.name, self.0.state())
    }
}

impl<R: Role> fmt::Debug for HeldAdapter<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Adapter::<R>(&self.0, PhantomData), f)
    }
}
