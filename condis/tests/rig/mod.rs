//! Drivers that do what a test tells them, and note what is asked of them.
//!
//! One client, one (M)CM and, under a call manager, one miniport. Each callback on a VC writes a line into the log of its
//! side, carries out what the test planned for it and answers as planned. What it pends is kept for the test to complete.
//! The same drivers stand in both worlds: over a call manager with a miniport below, and over an MCM.
#![allow(dead_code, unused_imports, unreachable_pub, reason = "each test uses some of it")]

mod adapter;
mod ends;
mod world;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use condis::adapter::AdapterControl;
use condis::af::HeldAf;
use condis::binding::HeldBinding;
use condis::nbl::{Chain, Pool, PoolConfig};
use condis::node::Node;
use condis::params::CallParams;
use condis::party::HeldParty;
use condis::role::{CallManager, Client, Signaling};
use condis::runtime::{Ran, Runtime, Sim, Threads};
use condis::sap::HeldSap;
use condis::status::NdisStatus;
use condis::token::{
    Activate, AddParty, CloseCall, Deactivate, DropParty, IncomingCall, MakeCall, ModifyCallQos, Oid, Pause,
    PauseBinding, Pended, Reset, Restart, RestartBinding, Unbind,
};
use condis::trace::{Crossing, Report, Sink};
use condis::vc::{HeldVc, Kept, KeptSends, OwnedVc};

pub use adapter::{ClientAfEnd, TestClient, TestMcm, TestMiniport, close_af};
pub use ends::{ClientEnd, ClientPartyEnd, LowerEnd, ManagerEnd, ManagerPartyEnd};
pub use world::{World, plain};

/// Which driver a line of the log belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Seat {
    Client,
    Manager,
    Lower,
}

/// A callback on a VC that a test may plan.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cb {
    Make,
    Close,
    Offer,
    Qos,
    Activate,
    Deactivate,
    AddParty,
    DropParty,
    Send,
    Receive,
    /// `ProtocolCoDeleteVc` of the peer.
    Delete,
    /// Any completion or indication to this side of the VC.
    Told(Seat),
}

/// How a callback answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    Ok,
    Err,
    Pend,
    /// Pends, and completes before the callback has returned.
    EarlyOk,
    EarlyErr,
}

/// What one callback does: first `then`, inside the callback, then the answer.
pub struct Plan {
    pub how: How,
    pub then: Box<dyn FnOnce() + Send>,
}

impl Plan {
    pub fn answer(how: How) -> Plan {
        Plan { how, then: Box::new(|| ()) }
    }
}

/// The status that every planned refusal carries.
pub const REFUSAL: NdisStatus = NdisStatus::RESOURCES;

/// One VC, as the rig holds it for all its drivers.
pub struct Slot<R: World> {
    pub client: Option<HeldVc<Client>>,
    pub manager: Option<HeldVc<R>>,
    pub signaling: Option<HeldVc<Signaling>>,
    pub lower: Option<HeldVc<R::Lower>>,
    pub owned_by_client: Option<OwnedVc<Client>>,
    pub owned_by_manager: Option<OwnedVc<R>>,
    pub owned_signaling: Option<OwnedVc<Signaling>>,
    pub make: Option<(Pended<MakeCall>, CallParams, bool)>,
    pub close: Option<Pended<CloseCall>>,
    pub offer: Option<(Pended<IncomingCall>, CallParams)>,
    pub qos: Option<(Pended<ModifyCallQos>, CallParams)>,
    pub activate: Option<(Pended<Activate>, CallParams)>,
    pub deactivate: Option<Pended<Deactivate>>,
    pub adds: Vec<(Pended<AddParty>, CallParams)>,
    pub drops: Vec<Pended<DropParty>>,
    pub client_parties: Vec<HeldParty<Client>>,
    pub manager_parties: Vec<HeldParty<R>>,
    pub sends: Vec<KeptSends>,
    pub kept: Vec<Kept>,
    plans: BTreeMap<Cb, VecDeque<Plan>>,
}

impl<R: World> Default for Slot<R> {
    fn default() -> Self {
        Slot {
            client: None,
            manager: None,
            signaling: None,
            lower: None,
            owned_by_client: None,
            owned_by_manager: None,
            owned_signaling: None,
            make: None,
            close: None,
            offer: None,
            qos: None,
            activate: None,
            deactivate: None,
            adds: Vec::new(),
            drops: Vec::new(),
            client_parties: Vec::new(),
            manager_parties: Vec::new(),
            sends: Vec::new(),
            kept: Vec::new(),
            plans: BTreeMap::new(),
        }
    }
}

/// What the drivers share with the test.
pub struct State<R: World> {
    pub slots: Vec<Slot<R>>,
    /// What each side was told, in order.
    pub logs: [Vec<String>; 3],
    /// All of it, in the order of the calls. For tests of order across drivers.
    pub log: Vec<String>,
    /// The slot that the next create callback is about.
    pub creating: usize,
    /// The status that the next create callback of a side refuses with.
    pub refuse_create: BTreeMap<Seat, NdisStatus>,
    pub client_af: Option<HeldAf<Client>>,
    pub manager_af: Option<HeldAf<R>>,
    pub client_sap: Option<HeldSap<Client>>,
    pub manager_sap: Option<HeldSap<R>>,
    pub client_binding: Option<HeldBinding<Client>>,
    pub manager_binding: Option<HeldBinding<CallManager>>,
    pub adapter: Option<condis::adapter::HeldAdapter<R::Lower>>,
    /// Callbacks of adapters and bindings, by name, that pend instead of being done.
    pub pend: Vec<&'static str>,
    /// And those that refuse.
    pub refuse: Vec<(&'static str, NdisStatus)>,
    pub pended: PendedLife,
    /// Requests that the miniport, or the data half of the MCM, was asked.
    pub oids: Vec<Pended<Oid>>,
    pub oid_requests: Vec<condis::oid::OidRequest>,
    /// Whether the client closes its AF and SAP when it is unbound.
    pub careless: bool,
    pub returned: Vec<Chain>,
    pub completed: Vec<Chain>,
    /// Send completions keep their NBLs for the test instead of freeing them.
    pub keep_completed: bool,
}

/// What adapter and binding callbacks pended.
#[derive(Default)]
pub struct PendedLife {
    pub pause: Option<Pended<Pause>>,
    pub restart: Option<Pended<Restart>>,
    pub reset: Option<Pended<Reset>>,
    pub pause_binding: Option<Pended<PauseBinding>>,
    pub restart_binding: Option<Pended<RestartBinding>>,
    pub unbind: Option<Pended<Unbind>>,
}

/// The drivers' common part.
pub struct Bench<R: World> {
    state: Mutex<State<R>>,
    pub pool: Pool,
}

impl<R: World> Bench<R> {
    pub fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().expect("the drivers do not panic under the lock")
    }

    /// Notes a callback of a VC.
    pub fn note(&self, side: Seat, slot: usize, what: impl std::fmt::Display) {
        let line = format!("{slot}: {what}");
        let mut state = self.lock();
        state.log.push(format!("{side:?} {line}"));
        state.logs[side as usize].push(line);
    }

    /// Notes any other callback.
    pub fn note_life(&self, what: impl std::fmt::Display) {
        self.lock().log.push(what.to_string());
    }

    pub fn plan(&self, slot: usize, cb: Cb, plan: Plan) {
        self.lock().slots[slot].plans.entry(cb).or_default().push_back(plan);
    }

    /// Forgets what was planned and did not happen.
    pub fn clear_plans(&self) {
        self.lock().slots.iter_mut().for_each(|slot| slot.plans.clear());
    }

    /// Takes the plan of a callback and carries out its first half.
    pub fn act(&self, slot: usize, cb: Cb) -> How {
        let plan = self.lock().slots[slot].plans.get_mut(&cb).and_then(VecDeque::pop_front);
        match plan {
            Some(plan) => {
                (plan.then)();
                plan.how
            }
            None => How::Ok,
        }
    }

    /// A completion or an indication: the plan has no answer.
    pub fn told(&self, side: Seat, slot: usize, what: impl std::fmt::Display) {
        self.note(side, slot, what);
        self.act(slot, Cb::Told(side));
    }

    pub fn slot<T>(&self, slot: usize, with: impl FnOnce(&mut Slot<R>) -> T) -> T {
        with(&mut self.lock().slots[slot])
    }

    pub fn chain(&self, nbls: usize) -> Chain {
        (0..nbls).map(|n| self.pool.alloc_copy(&[n as u8]).expect("the pool has room")).collect()
    }

    pub fn new_slot(&self) -> usize {
        let mut state = self.lock();
        state.slots.push(Slot::default());
        state.creating = state.slots.len() - 1;
        state.creating
    }

    /// Takes the log that all drivers wrote together.
    pub fn take_log(&self) -> Vec<String> {
        let mut state = self.lock();
        state.logs = Default::default();
        std::mem::take(&mut state.log)
    }
}

/// Hears which rules were reported.
#[derive(Default)]
pub struct Rules {
    pub reports: Mutex<Vec<&'static str>>,
    pub crossings: Mutex<Vec<String>>,
    pub keep_crossings: std::sync::atomic::AtomicBool,
}

impl Sink for Rules {
    fn crossing(&self, crossing: &Crossing<'_>) {
        if self.keep_crossings.load(std::sync::atomic::Ordering::Relaxed) {
            let line = format!("{:?} {} {:?}", crossing.way, crossing.function.name(), crossing.object);
            self.crossings.lock().expect("not poisoned").push(line);
        }
    }

    fn report(&self, report: &Report) {
        self.reports.lock().expect("not poisoned").push(report.rule);
    }
}

/// On what the node runs.
pub enum Clock {
    Sim(Arc<Sim>),
    Threads(Arc<Threads>),
}

impl Clock {
    pub fn sim() -> Clock {
        Clock::Sim(Sim::new(1))
    }

    pub fn threads() -> Clock {
        Clock::Threads(Threads::new())
    }

    fn runtime(&self) -> Arc<dyn Runtime> {
        match self {
            Clock::Sim(sim) => sim.clone(),
            Clock::Threads(threads) => threads.clone(),
        }
    }

    /// Lets all deferred work run.
    pub fn settle(&self) {
        match self {
            Clock::Sim(sim) => assert_eq!(sim.run_until_idle(Duration::from_secs(60)), Ran::Idle),
            Clock::Threads(threads) => {
                assert!(threads.wait_idle(Duration::from_secs(20)), "the lanes are busy")
            }
        }
    }
}

/// A node with one adapter, a client bound to it and, if asked, a listener.
pub struct Rig<R: World> {
    pub node: Node,
    pub clock: Clock,
    pub bench: Arc<Bench<R>>,
    pub adapter: AdapterControl,
    pub rules: Arc<Rules>,
}

impl<R: World> Rig<R> {
    /// Everything up: the AF open, a SAP registered, the stack running.
    pub fn new(clock: Clock, listen: bool) -> Rig<R> {
        let rig = Rig::with(clock, listen, |_| ());
        assert!(rig.bench.lock().client_sap.is_some(), "the client has its SAP: {:?}", rig.bench.lock().log);
        rig.bench.take_log();
        rig
    }

    /// As [`Rig::new`], with the bench prepared before any driver is registered, and with the log kept.
    pub fn with(clock: Clock, listen: bool, prepare: impl FnOnce(&mut State<R>)) -> Rig<R> {
        let bench = new_bench();
        prepare(&mut bench.lock());
        let node = Node::new("rig", clock.runtime());
        let rules = Arc::new(Rules::default());
        if listen {
            node.listen(rules.clone());
        }
        let adapter = R::start(&node, &bench).expect("the adapter initializes");
        node.register_protocol("client", TestClient(bench.clone()));
        clock.settle();
        Rig { node, clock, bench, adapter, rules }
    }

    /// The node without an adapter running yet, for tests of the start.
    pub fn reported(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.rules.reports.lock().expect("not poisoned"))
    }

    /// A VC that the client made.
    pub fn client_vc(&self) -> usize {
        let slot = self.bench.new_slot();
        self.create_by_client(slot).expect("nobody refuses");
        slot
    }

    pub fn create_by_client(&self, slot: usize) -> Result<(), NdisStatus> {
        let af = self.bench.lock().client_af.clone().expect("open");
        let vc = af.at().create_vc(Box::new(ClientEnd(self.bench.clone(), slot)))?;
        self.bench.slot(slot, |s| {
            s.client = Some(vc.keep());
            s.owned_by_client = Some(vc);
        });
        Ok(())
    }

    /// A VC that the (M)CM made for the client.
    pub fn manager_vc(&self) -> usize {
        let slot = self.bench.new_slot();
        self.create_by_manager(slot).expect("nobody refuses");
        slot
    }

    pub fn create_by_manager(&self, slot: usize) -> Result<(), NdisStatus> {
        let af = self.bench.lock().manager_af.clone().expect("open");
        let vc = R::create(af.at(), &self.bench, slot)?;
        self.bench.slot(slot, |s| {
            s.manager = Some(vc.keep());
            s.owned_by_manager = Some(vc);
        });
        Ok(())
    }

    /// A client's call that is up, and its slot.
    pub fn connected(&self) -> usize {
        let slot = self.client_vc();
        let bench = self.bench.clone();
        let then = Box::new(move || {
            R::up(&bench, slot);
        });
        self.bench.plan(slot, Cb::Make, Plan { how: How::Ok, then });
        let vc = self.bench.slot(slot, |s| s.client.clone()).expect("made");
        let made = vc.at().make_call(CallParams::default(), None);
        assert!(matches!(made, condis::token::Outcome::Done(Ok(_))), "{made:?}");
        self.bench.take_log();
        slot
    }

    pub fn client(&self, slot: usize) -> HeldVc<Client> {
        self.bench.slot(slot, |s| s.client.clone()).expect("the client has the VC")
    }

    pub fn manager(&self, slot: usize) -> HeldVc<R> {
        self.bench.slot(slot, |s| s.manager.clone()).expect("the manager has the VC")
    }

    pub fn lower(&self, slot: usize) -> HeldVc<R::Lower> {
        self.bench.slot(slot, |s| R::lower_of(s)).expect("the driver of the adapter knows the VC")
    }

    /// Closes a call that is up, over a manager that deactivates when it is asked to close, and deletes its VC.
    pub fn close_and_delete(&self, slot: usize) {
        let bench = self.bench.clone();
        let then = Box::new(move || {
            R::down(&bench, slot);
        });
        self.bench.plan(slot, Cb::Close, Plan { how: How::Ok, then });
        let _ = self.client(slot).at().close_call(Vec::new());
        let vc = self.bench.slot(slot, |s| s.owned_by_client.take()).expect("the client's VC");
        vc.delete().expect("inactive, drained and without a call");
    }

    /// Ends the node in order and says what is left.
    pub fn end(self) -> condis::node::Left {
        self.node.shutdown(|| ());
        self.clock.settle();
        let (slots, rest) = {
            let mut state = self.bench.lock();
            let slots = std::mem::take(&mut state.slots);
            let rest = (
                state.client_af.take(),
                state.manager_af.take(),
                state.client_sap.take(),
                state.manager_sap.take(),
                state.client_binding.take(),
                state.manager_binding.take(),
                state.adapter.take(),
                std::mem::take(&mut state.returned),
                std::mem::take(&mut state.completed),
            );
            (slots, rest)
        };
        drop((slots, rest));
        self.clock.settle();
        let left = self.node.left();
        if let Clock::Threads(threads) = &self.clock {
            assert_eq!(threads.panic_count(), 0);
            threads.shutdown();
        }
        left
    }
}

pub fn new_bench<R: World>() -> Arc<Bench<R>> {
    let pool = Pool::new(PoolConfig { data_size: 64, headroom: 0, capacity: 4096, ..Default::default() });
    Arc::new(Bench {
        state: Mutex::new(State {
            slots: Vec::new(),
            logs: Default::default(),
            log: Vec::new(),
            creating: 0,
            refuse_create: BTreeMap::new(),
            client_af: None,
            manager_af: None,
            client_sap: None,
            manager_sap: None,
            client_binding: None,
            manager_binding: None,
            adapter: None,
            pend: Vec::new(),
            refuse: Vec::new(),
            pended: PendedLife::default(),
            oids: Vec::new(),
            oid_requests: Vec::new(),
            careless: false,
            returned: Vec::new(),
            completed: Vec::new(),
            keep_completed: false,
        }),
        pool,
    })
}
