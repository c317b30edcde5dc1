//! A node: one NDIS instance, one "computer". A process may hold many; nothing is global.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::adapter::{AdapterControl, AdapterCore, AdapterInfo, AdapterKind, Live};
use crate::driver::{McmDriver, MiniportDriver, Protocol};
use crate::names::Function as F;
use crate::role::RoleKind;
use crate::runtime::{Job, Lane, Runtime, Time};
use crate::status::NdisStatus;
use crate::trace::{Crossing, ObjectId, Report, Sink, Tracer, Way};
use crate::vc::VcInfo;

/// A driver, as traces and listings name it.
#[derive(Clone, Debug)]
pub(crate) struct Driver {
    pub(crate) name: Arc<str>,
    pub(crate) role: RoleKind,
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.role)
    }
}

/// A registered protocol driver.
pub(crate) struct ProtocolCore {
    pub(crate) name: Arc<str>,
    pub(crate) driver: Box<dyn Protocol>,
}

pub(crate) struct NodeCore {
    name: Arc<str>,
    runtime: Arc<dyn Runtime>,
    lane: Lane,
    pub(crate) tracer: Tracer,
    reports: AtomicU64,
    adapters: Mutex<Vec<Arc<AdapterCore>>>,
    protocols: Mutex<Vec<Arc<ProtocolCore>>>,
    lives: Mutex<Vec<Arc<Live>>>,
    names: AtomicU32,
    next_af: AtomicU32,
    next_sap: AtomicU32,
    next_party: AtomicU32,
    next_oid: AtomicU32,
    next_binding: AtomicU32,
    next_adapter: AtomicU32,
    next_vc_block: AtomicU64,
}

/// VC numbers are handed to adapters in blocks, so that adapters on different threads share no counter per VC.
pub(crate) const VC_BLOCK: u64 = 1000;

impl NodeCore {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn now(&self) -> Time {
        self.runtime.now()
    }

    pub(crate) fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.runtime
    }

    pub(crate) fn lane(&self) -> Lane {
        self.lane
    }

    /// Runs `job` on the node's lane: at PASSIVE, in order.
    pub(crate) fn defer(&self, job: impl FnOnce() + Send + 'static) {
        self.runtime.defer(self.lane, Box::new(job) as Job);
    }

    /// Traces a crossing, if anybody listens.
    #[inline]
    pub(crate) fn cross(&self, driver: &Driver, way: Way, function: F, object: ObjectId) {
        if self.tracer.on() {
            self.crossing(driver, way, function, object);
        }
    }

    #[cold]
    pub(crate) fn crossing(&self, driver: &Driver, way: Way, function: F, object: ObjectId) {
        self.tracer.crossing(&Crossing {
            at: self.now(),
            node: &self.name,
            driver: &driver.name,
            role: driver.role,
            way,
            function,
            object,
        });
    }

    /// A rule was broken.
    #[cold]
    pub(crate) fn report(&self, object: ObjectId, rule: &'static str, what: String) {
        self.reports.fetch_add(1, Relaxed);
        self.tracer.report(&Report { at: self.now(), object, rule, what });
    }

    pub(crate) fn instance_name(&self, base: &str) -> String {
        format!("{base} {}", self.names.fetch_add(1, Relaxed) + 1)
    }

    pub(crate) fn next_vc_block(&self) -> u64 {
        self.next_vc_block.fetch_add(VC_BLOCK, Relaxed) + 1
    }

    pub(crate) fn next_af(&self) -> u32 {
        self.next_af.fetch_add(1, Relaxed) + 1
    }

    pub(crate) fn next_sap(&self) -> u32 {
        self.next_sap.fetch_add(1, Relaxed) + 1
    }

    pub(crate) fn next_party(&self) -> u32 {
        self.next_party.fetch_add(1, Relaxed) + 1
    }

    pub(crate) fn next_oid(&self) -> u32 {
        self.next_oid.fetch_add(1, Relaxed) + 1
    }

    pub(crate) fn next_binding(&self) -> u32 {
        self.next_binding.fetch_add(1, Relaxed) + 1
    }

    fn lock_adapters(&self) -> MutexGuard<'_, Vec<Arc<AdapterCore>>> {
        self.adapters.lock().expect("no driver runs under the list's lock")
    }

    fn lock_protocols(&self) -> MutexGuard<'_, Vec<Arc<ProtocolCore>>> {
        self.protocols.lock().expect("no driver runs under the list's lock")
    }

    pub(crate) fn all_protocols(&self) -> Vec<Arc<ProtocolCore>> {
        self.lock_protocols().clone()
    }

    pub(crate) fn all_adapters(&self) -> Vec<Arc<AdapterCore>> {
        self.lock_adapters().clone()
    }

    pub(crate) fn forget_adapter(&self, adapter: &Arc<AdapterCore>) {
        self.lock_adapters().retain(|other| !Arc::ptr_eq(other, adapter));
    }

    pub(crate) fn new_live(&self) -> Arc<Live> {
        let live = Arc::new(Live::default());
        self.lives.lock().expect("nothing panics under the list's lock").push(live.clone());
        live
    }
}

/// One NDIS instance.
///
/// Dropping it does not end it: [`Node::shutdown`] does, in order.
#[derive(Clone)]
pub struct Node(Arc<NodeCore>);

impl Node {
    /// A node that takes its time and its worker from `runtime`.
    pub fn new(name: &str, runtime: Arc<dyn Runtime>) -> Node {
        let lane = runtime.open_lane(name);
        Node(Arc::new(NodeCore {
            name: name.into(),
            runtime,
            lane,
            tracer: Tracer::default(),
            reports: AtomicU64::new(0),
            adapters: Mutex::default(),
            protocols: Mutex::default(),
            lives: Mutex::default(),
            names: AtomicU32::new(0),
            next_af: AtomicU32::new(0),
            next_sap: AtomicU32::new(0),
            next_party: AtomicU32::new(0),
            next_oid: AtomicU32::new(0),
            next_binding: AtomicU32::new(0),
            next_adapter: AtomicU32::new(0),
            next_vc_block: AtomicU64::new(0),
        }))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The runtime it lives on.
    pub fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.0.runtime
    }

    /// The lane that its PASSIVE callbacks and deferred work run on.
    pub fn lane(&self) -> Lane {
        self.0.lane
    }

    /// Lets `sink` hear every crossing from now on.
    pub fn listen(&self, sink: Arc<dyn Sink>) {
        self.0.tracer.listen(sink);
        for adapter in self.0.all_adapters() {
            adapter.watch();
        }
    }

    /// Registers a protocol driver: it is bound to every adapter that it fits, those that are there and those to come.
    ///
    /// Source: WDK NdisRegisterProtocolDriver, NdisSetOptionalHandlers.
    #[doc(alias = "NdisRegisterProtocolDriver")]
    #[doc(alias = "NdisSetOptionalHandlers")]
    pub fn register_protocol(&self, name: &str, driver: impl Protocol) {
        let protocol = Arc::new(ProtocolCore { name: name.into(), driver: Box::new(driver) });
        self.0.lock_protocols().push(protocol.clone());
        for adapter in self.0.all_adapters() {
            adapter.bind(&protocol);
        }
    }

    /// Ends a protocol driver: unbinds it from every adapter, in order, and calls `done`, on the node's lane, once all its
    /// bindings are closed (DP-023). A name that is not registered is done at once.
    ///
    /// Source: WDK NdisDeregisterProtocolDriver.
    #[doc(alias = "NdisDeregisterProtocolDriver")]
    pub fn deregister_protocol(&self, name: &str, done: impl FnOnce() + Send + 'static) {
        let gone: Vec<_> = {
            let mut protocols = self.0.lock_protocols();
            let (gone, rest) = protocols.drain(..).partition(|protocol| &*protocol.name == name);
            *protocols = rest;
            gone
        };
        let bindings: Vec<_> = self
            .0
            .all_adapters()
            .iter()
            .flat_map(|adapter| adapter.bindings())
            .filter(|binding| gone.iter().any(|protocol: &Arc<_>| Arc::ptr_eq(binding.protocol(), protocol)))
            .collect();
        if bindings.is_empty() {
            return self.0.defer(done);
        }
        let join = crate::adapter::pnp::Join::new(bindings.len(), done);
        for binding in bindings {
            let join = join.clone();
            binding.adapter().clone().unbind_later(binding, move || join.arrive());
        }
    }

    /// Adds an adapter of a miniport: initializes it, binds the protocols and lets it run.
    ///
    /// # Errors
    /// What [`MiniportDriver::initialize`] or [`initialized`](crate::driver::AdapterLife::initialized) refused with.
    ///
    /// Source: WDK NdisMRegisterMiniportDriver, MiniportInitializeEx.
    #[doc(alias = "NdisMRegisterMiniportDriver")]
    #[doc(alias = "MiniportInitializeEx")]
    pub fn add_miniport(
        &self,
        name: &str,
        driver: impl MiniportDriver,
    ) -> Result<AdapterControl, NdisStatus> {
        self.add_adapter(name, AdapterKind::Miniport(Box::new(driver)))
    }

    /// Adds an adapter of an MCM. As [`Node::add_miniport`].
    ///
    /// # Errors
    /// What [`McmDriver::initialize`] or [`initialized`](crate::driver::AdapterLife::initialized) refused with.
    #[doc(alias = "NdisMRegisterMiniportDriver")]
    pub fn add_mcm(&self, name: &str, driver: impl McmDriver) -> Result<AdapterControl, NdisStatus> {
        self.add_adapter(name, AdapterKind::Mcm(Box::new(driver)))
    }

    fn add_adapter(&self, name: &str, kind: AdapterKind) -> Result<AdapterControl, NdisStatus> {
        let id = self.0.next_adapter.fetch_add(1, Relaxed) + 1;
        let adapter = AdapterCore::initialize(&self.0, id, name, kind)?;
        self.0.lock_adapters().push(adapter.clone());
        adapter.start();
        Ok(AdapterControl::new(adapter))
    }

    /// The adapters of the node.
    pub fn adapters(&self) -> Vec<AdapterInfo> {
        self.0.all_adapters().iter().map(|adapter| adapter.info()).collect()
    }

    /// The VCs of the node, as its NDIS sees them: an MCM's signaling VCs are not among them.
    pub fn vcs(&self) -> Vec<VcInfo> {
        let mut vcs: Vec<_> =
            self.0.all_adapters().iter().flat_map(|adapter| adapter.vcs()).map(|vc| vc.info()).collect();
        vcs.sort_by_key(|vc| vc.id);
        vcs
    }

    /// Every operation that a driver has pended, and every batch of NBLs that one holds.
    pub fn pended(&self) -> Vec<PendedInfo> {
        let now = self.0.now();
        self.0.all_adapters().iter().flat_map(|adapter| adapter.pended(now)).collect()
    }

    /// What is there at this moment; all zero after everything was closed in order.
    pub fn left(&self) -> Left {
        let mut left = Left::default();
        for adapter in self.0.all_adapters() {
            adapter.count(&mut left);
        }
        for live in self.0.lives.lock().expect("nothing panics under the list's lock").iter() {
            left.objects += live.objects();
        }
        left
    }

    /// How many rules were reported as broken.
    pub fn reports(&self) -> u64 {
        self.0.reports.load(Relaxed)
    }

    /// Removes every adapter in order, clients first; then calls `done`, on the node's lane.
    pub fn shutdown(&self, done: impl FnOnce() + Send + 'static) {
        let adapters = self.0.all_adapters();
        if adapters.is_empty() {
            return self.0.defer(done);
        }
        let join = crate::adapter::pnp::Join::new(adapters.len(), done);
        if adapters.is_empty() {
            let join = join.clone();
            self.0.defer(move || join.arrive());
        }
        for adapter in adapters {
            let join = join.clone();
            adapter.remove(Box::new(move || join.arrive()));
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {} with {} adapters", self.name(), self.0.lock_adapters().len())
    }
}

/// What a node still has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Left {
    /// VCs that are not deleted.
    pub vcs: usize,
    /// SAPs that are not deregistered.
    pub saps: usize,
    /// Address families that are not closed.
    pub afs: usize,
    /// Parties that are not dropped.
    pub parties: usize,
    /// NBLs that a driver holds and that are another's: sends that are not completed, receives that are not returned.
    pub nbls: u64,
    /// Driver objects that NDIS holds for VCs, AFs, SAPs and parties. One that stays after its VC was deleted is kept
    /// alive by a handle somewhere.
    pub objects: u64,
}

impl Left {
    /// True if nothing is left.
    pub fn is_nothing(&self) -> bool {
        *self == Left::default()
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} VCs, {} SAPs, {} AFs, {} parties, {} NBLs, {} driver objects",
            self.vcs, self.saps, self.afs, self.parties, self.nbls, self.objects
        )
    }
}

/// An operation that a driver has pended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendedInfo {
    /// What it is about.
    pub object: ObjectId,
    /// The callback that pended, or the one that handed the batch over.
    pub callback: F,
    /// The driver that owes the completion.
    pub holder: String,
    /// For how long. Nothing for batches of NBLs, which are not timed.
    pub age: Option<Duration>,
    /// How many NBLs, for a batch.
    pub nbls: u64,
}

impl fmt::Display for PendedInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {} is held by {}", self.callback, self.object, self.holder)?;
        if self.nbls > 0 {
            write!(f, ": {} NBLs", self.nbls)?;
        }
        match self.age {
            Some(age) => write!(f, " for {age:?}"),
            None => Ok(()),
        }
    }
}

pub(crate) fn bind_fits(protocol: &ProtocolCore, adapter: &AdapterCore) -> bool {
    let attributes = adapter.attributes();
    let medium = attributes.medium;
    attributes.connection_oriented && protocol.driver.media().is_none_or(|media| media.contains(&medium))
}
