//! The world that benches run in: one node with an adapter, a call manager and a client, all of which answer at once.
//!
//! Every object that a driver has for a VC takes 64 octets. A batch that comes back to its client goes [`HOME`], where the
//! bench takes it from to send it again: the same few lists go round, as in the floors.

#![allow(dead_code, reason = "each bench uses its part")]

use std::cell::Cell;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use condis::adapter::{Adapter, AdapterInfo};
use condis::af::{Af, HeldAf};
use condis::binding::Binding;
use condis::driver::{
    AdapterAttributes, AdapterLife, BindingLife, Bound, CallManagerBinding, ClientAf, ClientBinding,
    ClientVc, Made, ManagerAf, ManagerVc, Medium, MiniportAdapter, MiniportDriver, MiniportVc, Protocol,
};
use condis::nbl::{Chain, Pool, PoolConfig};
use condis::node::Node;
use condis::oid::{OidAnswer, OidRequest};
use condis::params::{AddressFamily, CallParams, CloseData};
use condis::party::Party;
use condis::role::{CallManager, Client, Miniport};
use condis::runtime::Threads;
use condis::status::NdisStatus;
use condis::token::{
    Activate, Answer, CloseAf, CloseCall, Deactivate, MakeCall, Oid, OpenAf, Outcome, Token,
};
use condis::trace::VcId;
use condis::vc::{HeldVc, KeptSends, OwnedVc, Receives, Sends, Vc};

thread_local! {
    /// The batch that came back to a client of this thread.
    pub(crate) static HOME: Cell<Chain> = const { Cell::new(Chain::new()) };
    /// The batch that a miniport kept, on this thread.
    pub(crate) static KEPT: Cell<Option<KeptSends>> = const { Cell::new(None) };
    /// The batch that came back to the miniport that indicated it, on this thread.
    pub(crate) static RETURNED: Cell<Chain> = const { Cell::new(Chain::new()) };
}

/// So many lists with 64 octets of data each.
pub(crate) fn batch(pool: &Pool, lists: usize) -> Chain {
    (0..lists).map(|_| pool.alloc_copy(&[7; 64]).expect("the pool has room")).collect()
}

/// The pool of the benches.
pub(crate) fn pool() -> Pool {
    Pool::new(PoolConfig { data_size: 128, headroom: 32, capacity: 1024, ..Default::default() })
}

/// What the miniport does with a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Completes it at once.
    AtOnce,
    /// Keeps it in [`KEPT`].
    Keeps,
}

/// One node with its drivers.
pub(crate) struct World {
    pub(crate) node: Node,
    runtime: Arc<Threads>,
    shared: Arc<Shared>,
}

struct Shared {
    how: How,
    client: Mutex<Option<HeldAf<Client>>>,
    manager: Mutex<Option<HeldAf<CallManager>>>,
    /// The miniport's handle of the VC that was activated last, while somebody wants it.
    lower: Mutex<Option<HeldVc<Miniport>>>,
    wants_lower: std::sync::atomic::AtomicBool,
}

impl World {
    pub(crate) fn new(how: How) -> World {
        let runtime = Threads::new();
        let shared = Arc::new(Shared {
            how,
            client: Mutex::default(),
            manager: Mutex::default(),
            lower: Mutex::default(),
            wants_lower: false.into(),
        });
        let node = Node::new("bench", runtime.clone());
        node.register_protocol("manager", TheManager(shared.clone()));
        node.register_protocol("client", TheClient(shared.clone()));
        node.add_miniport("adapter", TheMiniport(shared.clone())).expect("it initializes");
        let world = World { node, runtime, shared };
        world.settle();
        world
    }

    /// Waits until nothing is deferred any more.
    pub(crate) fn settle(&self) {
        assert!(self.runtime.wait_idle(Duration::from_secs(60)));
    }

    /// The client's open of the address family.
    pub(crate) fn client(&self) -> HeldAf<Client> {
        self.shared.client.lock().expect("not poisoned").clone().expect("the client opened it")
    }

    /// The same at the call manager.
    pub(crate) fn manager(&self) -> HeldAf<CallManager> {
        self.shared.manager.lock().expect("not poisoned").clone().expect("the client opened it")
    }

    /// A VC of the client's, without a call.
    pub(crate) fn idle(&self) -> OwnedVc<Client> {
        self.client().at().create_vc(Box::new(Octets64::default())).expect("everybody agrees")
    }

    /// A VC with a call that is up.
    pub(crate) fn connected(&self) -> OwnedVc<Client> {
        let vc = self.idle();
        let made = vc.at().make_call(CallParams::default(), None);
        assert!(matches!(made, Outcome::Done(Ok(_))));
        vc
    }

    /// As [`World::connected`], with the miniport's handle.
    pub(crate) fn connected_with_lower(&self) -> (OwnedVc<Client>, HeldVc<Miniport>) {
        use std::sync::atomic::Ordering::SeqCst;
        self.shared.wants_lower.store(true, SeqCst);
        let vc = self.connected();
        self.shared.wants_lower.store(false, SeqCst);
        let lower = self.shared.lower.lock().expect("not poisoned").take();
        (vc, lower.expect("it was activated just above"))
    }

    /// Ends a call and its VC.
    pub(crate) fn end(vc: OwnedVc<Client>) {
        assert_eq!(vc.at().close_call(CloseData::new()), Outcome::Done(Ok(())));
        vc.delete().expect("it is idle");
    }
}

/// The object of every driver for a VC.
#[derive(Default)]
pub(crate) struct Octets64([u64; 8]);

impl Octets64 {
    /// Touches the object, as a driver does.
    #[inline]
    pub(crate) fn touch(&self) {
        black_box(self.0[0]);
    }
}

/// The miniport's object for a VC, of 64 octets too.
struct MiniportEnd {
    how: How,
    mark: u8,
    shared: Arc<Shared>,
    _rest: [u64; 6],
}

const _: () = assert!(size_of::<MiniportEnd>() == 64 && size_of::<Octets64>() == 64);

// The client.

struct TheClient(Arc<Shared>);

impl Protocol for TheClient {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
        Ok(Bound::client(TheClient(self.0.clone())))
    }
}

impl BindingLife<Client> for TheClient {}

impl ClientBinding for TheClient {
    fn af_register_notify(&self, binding: Binding<'_, Client>, family: AddressFamily) {
        let Outcome::Done(Ok(af)) = binding.open_address_family(family, Box::new(TheClientAf)) else {
            panic!("the call manager opens at once")
        };
        *self.0.client.lock().expect("not poisoned") = Some(af);
    }
}

struct TheClientAf;

impl ClientAf for TheClientAf {
    fn create_vc(&self, _: Af<'_, Client>, _: VcId) -> Result<Box<dyn ClientVc>, NdisStatus> {
        Ok(Box::new(Octets64::default()))
    }
}

impl ClientVc for Octets64 {
    fn receive(&self, _: Vc<'_, Client>, batch: &mut Receives<'_>) {
        self.touch();
        black_box(batch.len());
    }

    fn send_complete(&self, _: Vc<'_, Client>, chain: Chain) {
        self.touch();
        HOME.set(chain);
    }

    fn incoming_close_call(&self, _: Vc<'_, Client>, _: NdisStatus, _: CloseData) {}
}

// The call manager.

struct TheManager(Arc<Shared>);

impl Protocol for TheManager {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
        Ok(Bound::call_manager(TheManager(self.0.clone())))
    }
}

impl BindingLife<CallManager> for TheManager {
    fn opened(&self, binding: Binding<'_, CallManager>) -> Result<(), NdisStatus> {
        binding.register_address_family(AddressFamily::Q2931)
    }
}

impl CallManagerBinding for TheManager {
    fn open_af<'a>(
        &self,
        af: Af<'_, CallManager>,
        _: AddressFamily,
        token: Token<'a, OpenAf<CallManager>>,
    ) -> Answer<'a, OpenAf<CallManager>> {
        *self.0.manager.lock().expect("not poisoned") = Some(af.keep());
        token.done(Ok(Box::new(TheManagerAf)))
    }
}

struct TheManagerAf;

impl ManagerAf<CallManager> for TheManagerAf {
    fn close<'a>(&self, _: Af<'_, CallManager>, token: Token<'a, CloseAf>) -> Answer<'a, CloseAf> {
        token.done(Ok(()))
    }

    fn create_vc(
        &self,
        _: Af<'_, CallManager>,
        _: VcId,
    ) -> Result<Box<dyn ManagerVc<CallManager>>, NdisStatus> {
        Ok(Box::new(Octets64::default()))
    }
}

impl ManagerVc<CallManager> for Octets64 {
    fn make_call<'a>(
        &self,
        vc: Vc<'_, CallManager>,
        params: CallParams,
        _: Option<Party<'_, CallManager>>,
        token: Token<'a, MakeCall>,
    ) -> Answer<'a, MakeCall> {
        match vc.activate(params) {
            Outcome::Done(Ok(params)) => token.done(Ok(Made::with(params))),
            Outcome::Done(Err(refused)) => token.done(Err(refused)),
            Outcome::Pending => unreachable!("the miniport answers at once"),
        }
    }

    fn close_call<'a>(
        &self,
        vc: Vc<'_, CallManager>,
        _: CloseData,
        token: Token<'a, CloseCall>,
    ) -> Answer<'a, CloseCall> {
        let done = vc.deactivate();
        assert!(matches!(done, Outcome::Done(Ok(()))));
        token.done(Ok(()))
    }
}

// The miniport.

struct TheMiniport(Arc<Shared>);

impl MiniportDriver for TheMiniport {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn MiniportAdapter>), NdisStatus> {
        Ok((AdapterAttributes::new(Medium::Loopback, 1500), Box::new(TheMiniport(self.0.clone()))))
    }
}

impl AdapterLife<Miniport> for TheMiniport {
    fn oid_request<'a>(
        &self,
        _: Adapter<'_, Miniport>,
        _: Option<Vc<'_, Miniport>>,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        token.done(OidAnswer::new(NdisStatus::NOT_SUPPORTED, request))
    }
}

impl MiniportAdapter for TheMiniport {
    fn create_vc(&self, _: VcId) -> Result<Box<dyn MiniportVc>, NdisStatus> {
        Ok(Box::new(MiniportEnd { how: self.0.how, mark: 0, shared: self.0.clone(), _rest: [0; 6] }))
    }
}

impl MiniportVc for MiniportEnd {
    fn activate<'a>(
        &self,
        vc: Vc<'_, Miniport>,
        params: CallParams,
        token: Token<'a, Activate>,
    ) -> Answer<'a, Activate> {
        if self.shared.wants_lower.load(std::sync::atomic::Ordering::Relaxed) {
            *self.shared.lower.lock().expect("not poisoned") = Some(vc.keep());
        }
        token.done(Ok(params))
    }

    fn deactivate<'a>(&self, _: Vc<'_, Miniport>, token: Token<'a, Deactivate>) -> Answer<'a, Deactivate> {
        token.done(Ok(()))
    }

    fn send(&self, _: Vc<'_, Miniport>, sends: Sends<'_>) {
        black_box(self.mark);
        match self.how {
            How::AtOnce => sends.complete(NdisStatus::SUCCESS),
            How::Keeps => KEPT.set(Some(sends.keep())),
        }
    }

    fn returned(&self, _: Vc<'_, Miniport>, chain: Chain) {
        black_box(self.mark);
        RETURNED.set(chain);
    }
}
