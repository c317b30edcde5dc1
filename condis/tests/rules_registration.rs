//! Rules of the registration of address families, one test each.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses some of the kit")]

mod kit;

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use condis::adapter::AdapterInfo;
use condis::af::Af;
use condis::binding::{Binding, HeldBinding};
use condis::driver::{BindingLife, Bound, CallManagerBinding, ClientAf, ClientBinding, Protocol};
use condis::names::Function as F;
use condis::node::Node;
use condis::params::AddressFamily;
use condis::role::{CallManager, Client, RoleKind};
use condis::runtime::{Ran, Sim};
use condis::token::{Answer, OpenAf, Outcome, Pended, Token, Unbind};
use condis::trace::{Ring, Way};

use kit::manager::{Manager, Net, TestMcm};
use kit::wire::{Hardware, TestMiniport};
use kit::world::each;
use kit::{Kind, Kit, Mix, Status, World, lock};

/// A node without anything.
struct Bare {
    sim: Arc<Sim>,
    kit: Arc<Kit>,
    node: Node,
    ring: Arc<Ring>,
}

impl Bare {
    fn new() -> Bare {
        let sim = Sim::new(1);
        let kit = Kit::new(sim.clone(), Mix::PLAIN);
        let node = Node::new("node", sim.clone());
        let ring = Arc::new(Ring::new(10_000));
        node.listen(ring.clone());
        Bare { sim, kit, node, ring }
    }

    fn run(&self) {
        assert_eq!(self.sim.run_until_idle(Duration::from_secs(60)), Ran::Idle);
    }

    fn miniport(&self, name: &str) {
        self.node.add_miniport(name, TestMiniport(Hardware::new(self.kit.clone()))).expect("it initializes");
    }
}

/// A call manager that registers a family when it is bound, and is otherwise of no use.
#[derive(Clone)]
struct Registrar(Arc<Registered>);

#[derive(Default)]
struct Registered {
    families: Vec<AddressFamily>,
    results: Mutex<Vec<Status>>,
    bound: AtomicBool,
    binding: Mutex<Option<HeldBinding<CallManager>>>,
    opens: Mutex<u32>,
    unbind: Mutex<Option<Pended<Unbind>>>,
}

impl Registrar {
    fn of(families: &[AddressFamily]) -> Registrar {
        Registrar(Arc::new(Registered { families: families.to_vec(), ..Default::default() }))
    }

    fn results(&self) -> Vec<Status> {
        lock(&self.0.results).clone()
    }

    fn unbind_now(&self) {
        let unbind = lock(&self.0.unbind).take();
        lock(&self.0.binding).take();
        unbind.expect("the unbind was asked for").complete(());
    }
}

impl Protocol for Registrar {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, Status> {
        Ok(Bound::call_manager(self.clone()))
    }
}

impl BindingLife<CallManager> for Registrar {
    fn opened(&self, binding: Binding<'_, CallManager>) -> Result<(), Status> {
        for family in &self.0.families {
            lock(&self.0.results).push(Status::of(&binding.register_address_family(*family)));
        }
        *lock(&self.0.binding) = Some(binding.keep());
        self.0.bound.store(true, SeqCst);
        Ok(())
    }

    fn unbind<'a>(&self, binding: Binding<'_, CallManager>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
        lock(&self.0.results).push(Status::of(&binding.register_address_family(AddressFamily::L2TP)));
        let (pended, answer) = token.pend();
        *lock(&self.0.unbind) = Some(pended);
        answer
    }
}

impl CallManagerBinding for Registrar {
    fn open_af<'a>(
        &self,
        _: Af<'_, CallManager>,
        _: AddressFamily,
        token: Token<'a, OpenAf<CallManager>>,
    ) -> Answer<'a, OpenAf<CallManager>> {
        *lock(&self.0.opens) += 1;
        token.done(Err(Status::RESOURCES))
    }
}

/// A client that listens to announcements, and opens when it is told to.
#[derive(Clone, Default)]
struct Listener(Arc<Listens>);

#[derive(Default)]
struct Listens {
    /// The adapter, the family, and whether the call manager had been bound by then.
    heard: Mutex<Vec<(String, AddressFamily, bool)>>,
    watched: Mutex<Option<Registrar>>,
    binding: Mutex<Option<HeldBinding<Client>>>,
    opened_in_unbind: Mutex<Option<Status>>,
}

struct NoAf;
impl ClientAf for NoAf {}

impl Listener {
    fn heard(&self) -> Vec<(String, AddressFamily)> {
        lock(&self.0.heard).iter().map(|(adapter, family, _)| (adapter.clone(), *family)).collect()
    }

    fn open(&self, family: AddressFamily) -> Status {
        let binding = lock(&self.0.binding).clone().expect("bound");
        status_of(binding.at().open_address_family(family, Box::new(NoAf)))
    }
}

fn status_of<T>(outcome: Outcome<Result<T, Status>>) -> Status {
    match outcome {
        Outcome::Done(Ok(_)) => Status::SUCCESS,
        Outcome::Done(Err(status)) => status,
        Outcome::Pending => Status::PENDING,
    }
}

impl Protocol for Listener {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, Status> {
        Ok(Bound::client(self.clone()))
    }
}

impl BindingLife<Client> for Listener {
    fn opened(&self, binding: Binding<'_, Client>) -> Result<(), Status> {
        *lock(&self.0.binding) = Some(binding.keep());
        Ok(())
    }

    fn unbind<'a>(&self, binding: Binding<'_, Client>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
        lock(&self.0.binding).take();
        let status = status_of(binding.open_address_family(AddressFamily::Q2931, Box::new(NoAf)));
        *lock(&self.0.opened_in_unbind) = Some(status);
        token.done(())
    }
}

impl ClientBinding for Listener {
    fn af_register_notify(&self, binding: Binding<'_, Client>, family: AddressFamily) {
        let bound = lock(&self.0.watched).as_ref().is_none_or(|registrar| registrar.0.bound.load(SeqCst));
        lock(&self.0.heard).push((binding.adapter_name().to_owned(), family, bound));
    }
}

/// CO-009: what is not connection-oriented is not offered to call managers at all.
#[test]
fn a_call_manager_is_not_bound_to_a_connectionless_adapter() {
    let bare = Bare::new();
    bare.kit.raise("not_connection_oriented");
    let registrar = Registrar::of(&[AddressFamily::Q2931]);
    bare.node.register_protocol("registrar", registrar.clone());
    bare.miniport("connectionless");
    bare.run();
    assert!(!registrar.0.bound.load(SeqCst));
    assert!(registrar.results().is_empty());
}

/// CO-012: an MCM registers nothing on an adapter that is not connection-oriented.
#[test]
fn an_mcm_registers_nothing_on_a_connectionless_adapter() {
    let bare = Bare::new();
    bare.kit.raise("not_connection_oriented");
    let refused = bare.node.add_mcm("connectionless", TestMcm::new(&bare.kit));
    assert_eq!(refused.err(), Some(Status::FAILURE), "what the registration said");
    let returned = Way::Returned(Status::FAILURE);
    let register = F::NdisMCmRegisterAddressFamilyEx;
    assert!(bare.ring.events().iter().any(|event| event.way == returned && event.function == register));
}

/// CO-010, CO-012: one provider per family and adapter.
#[test]
fn a_family_is_registered_once_per_adapter() {
    each(|w| {
        assert_eq!(w.net.register_family(AddressFamily::Q2931), Status::FAILURE);
        w.end();
    });
    // By another call manager either.
    let bare = Bare::new();
    let registrars = [Registrar::of(&[AddressFamily::PPP]), Registrar::of(&[AddressFamily::PPP])];
    bare.node.register_protocol("first", registrars[0].clone());
    bare.node.register_protocol("second", registrars[1].clone());
    bare.miniport("adapter");
    bare.run();
    assert_eq!(registrars[0].results(), [Status::SUCCESS]);
    assert_eq!(registrars[1].results(), [Status::FAILURE]);
}

/// CO-011: not while the binding is being closed, and not afterwards.
#[test]
fn a_family_is_not_registered_on_a_closing_binding() {
    let bare = Bare::new();
    let registrar = Registrar::of(&[]);
    bare.node.register_protocol("registrar", registrar.clone());
    bare.miniport("adapter");
    bare.run();
    let binding = lock(&registrar.0.binding).clone().expect("bound");
    assert_eq!(binding.at().register_address_family(AddressFamily::PPP), Ok(()));
    binding.at().request_unbind();
    bare.run();
    assert_eq!(registrar.results(), [Status::FAILURE], "in the unbind");
    registrar.unbind_now();
    bare.run();
    assert_eq!(binding.at().register_address_family(AddressFamily::Q2931), Err(Status::FAILURE));
    assert!(bare.node.adapters()[0].families.is_empty(), "X-24: its families ended with the binding");
}

/// CO-013: several families, each announced.
#[test]
fn several_families_are_registered_on_one_adapter() {
    each(|w| {
        assert_eq!(w.net.register_family(AddressFamily::PPP), Status::SUCCESS);
        w.run();
        assert_eq!(w.client.families(), [AddressFamily::Q2931, AddressFamily::PPP]);
        // The second announcement made the client open that AF too, and forget the first: it is closed by hand.
        w.remove_without_looking();
    });
}

/// CO-014, X-25: an MCM registers first, and a call manager gets FAILURE.
#[test]
fn an_mcm_preempts_a_call_manager() {
    let bare = Bare::new();
    let registrar = Registrar::of(&[AddressFamily::Q2931, AddressFamily::PPP]);
    bare.node.register_protocol("registrar", registrar.clone());
    bare.node.add_mcm("adapter", TestMcm::new(&bare.kit)).expect("it initializes");
    bare.run();
    assert_eq!(registrar.results(), [Status::FAILURE, Status::SUCCESS], "another family is free");
}

/// CO-015, CO-016: every client hears of it, once, after the call manager is bound.
#[test]
fn every_client_of_the_adapter_hears_of_a_family_once() {
    let bare = Bare::new();
    let registrar = Registrar::of(&[AddressFamily::Q2931, AddressFamily::PPP]);
    let listeners = [Listener::default(), Listener::default()];
    for (name, listener) in ["first", "second"].into_iter().zip(&listeners) {
        *lock(&listener.0.watched) = Some(registrar.clone());
        bare.node.register_protocol(name, listener.clone());
    }
    bare.miniport("adapter");
    bare.run();
    // Bound after the clients.
    bare.node.register_protocol("registrar", registrar.clone());
    bare.run();
    for listener in &listeners {
        let adapter = || "adapter".to_owned();
        assert_eq!(
            *lock(&listener.0.heard),
            [(adapter(), AddressFamily::Q2931, true), (adapter(), AddressFamily::PPP, true)]
        );
    }
}

/// CO-017: a client that binds later hears of what is there.
#[test]
fn a_late_client_hears_of_what_is_there() {
    for kind in [Kind::CallManager, Kind::Mcm] {
        let w = World::new(kind, Mix::PLAIN);
        let late = Listener::default();
        w.node.register_protocol("late", late.clone());
        w.run();
        assert_eq!(late.heard(), [("adapter".to_owned(), AddressFamily::Q2931)]);
        assert_eq!(w.client.families(), [AddressFamily::Q2931], "the other one not again");
        w.end();
    }
}

/// CO-018: those of other adapters hear nothing.
#[test]
fn clients_of_other_adapters_hear_nothing() {
    let bare = Bare::new();
    let listener = Listener::default();
    bare.node.register_protocol("listener", listener.clone());
    bare.miniport("quiet");
    bare.run();
    assert!(listener.heard().is_empty());
    let mcm = TestMcm::new(&bare.kit);
    bare.node.add_mcm("loud", mcm.clone()).expect("it initializes");
    bare.run();
    assert_eq!(mcm.0.register_family(AddressFamily::PPP), Status::SUCCESS);
    bare.run();
    let loud = |family| ("loud".to_owned(), family);
    assert_eq!(listener.heard(), [loud(AddressFamily::Q2931), loud(AddressFamily::PPP)]);
}

/// CO-020: a family that nobody offers here is not opened, and no manager is called.
#[test]
fn a_family_that_nobody_offers_is_not_opened() {
    each(|w| {
        let opens = w.kit.visits("manager.open_af");
        assert_eq!(w.client.open_af(AddressFamily::PSCHED), Status::FAILURE);
        assert_eq!(w.kit.visits("manager.open_af"), opens);
        assert_eq!(w.crossed(RoleKind::Client, Way::Up, F::ProtocolClOpenAfCompleteEx), 0);
        w.end();
    });
}

/// CO-021: nor one while the client's binding, or the call manager's, is closing.
#[test]
fn a_family_is_not_opened_over_a_closing_binding() {
    let bare = Bare::new();
    let (registrar, listener) = (Registrar::of(&[AddressFamily::Q2931]), Listener::default());
    bare.node.register_protocol("registrar", registrar.clone());
    bare.node.register_protocol("listener", listener.clone());
    bare.miniport("adapter");
    bare.run();
    assert_eq!(listener.open(AddressFamily::Q2931), Status::RESOURCES, "what the manager says");
    assert_eq!(*lock(&registrar.0.opens), 1);
    let binding = lock(&registrar.0.binding).clone().expect("bound");
    binding.at().request_unbind();
    bare.run();
    assert_eq!(listener.open(AddressFamily::Q2931), Status::FAILURE, "the call manager's is closing");
    registrar.unbind_now();
    bare.run();
    bare.node.register_protocol("another", Registrar::of(&[AddressFamily::Q2931]));
    bare.run();
    let binding = lock(&listener.0.binding).clone().expect("bound");
    binding.at().request_unbind();
    bare.run();
    assert_eq!(*lock(&listener.0.opened_in_unbind), Some(Status::FAILURE), "the client's own is closing");
    assert_eq!(*lock(&registrar.0.opens), 1, "nobody was called");
}

/// CO-023: an open that is refused by the return is not completed as well; CO-025: nothing of it is left.
#[test]
fn a_refused_open_leaves_nothing() {
    let bare = Bare::new();
    let (registrar, listener) = (Registrar::of(&[AddressFamily::Q2931]), Listener::default());
    bare.node.register_protocol("registrar", registrar);
    bare.node.register_protocol("listener", listener.clone());
    bare.miniport("adapter");
    bare.run();
    assert_eq!(listener.open(AddressFamily::Q2931), Status::RESOURCES);
    assert!(bare.node.left().is_nothing());
    bare.run();
    let complete = F::ProtocolClOpenAfCompleteEx;
    assert!(bare.ring.events().iter().all(|event| event.function != complete));
}

/// CO-044: registered again after its call manager went, clients hear of it again.
#[test]
fn a_family_that_comes_back_is_announced_again() {
    let bare = Bare::new();
    let (registrar, listener) = (Registrar::of(&[AddressFamily::Q2931]), Listener::default());
    bare.node.register_protocol("registrar", registrar.clone());
    bare.node.register_protocol("listener", listener.clone());
    bare.miniport("adapter");
    bare.run();
    let binding = lock(&registrar.0.binding).clone().expect("bound");
    binding.at().request_unbind();
    bare.run();
    registrar.unbind_now();
    bare.run();
    bare.node.register_protocol("again", Registrar::of(&[AddressFamily::Q2931]));
    bare.run();
    assert_eq!(listener.heard().len(), 2);
}

const _: fn(&Manager<kit::manager::Inside>) -> usize = |manager| manager.legs();
