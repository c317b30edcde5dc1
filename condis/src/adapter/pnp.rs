//! Bringing adapters up and down: bind, pause, restart, reset, unbind, halt.
//!
//! An adapter has one operation under way at a time (DP-065). Each is a chain of steps on the node's lane; a step that waits
//! for drivers continues from the last of their answers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::AcqRel, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use super::{AdapterCore, AdapterObj, AdapterState};
use crate::af::Provider;
use crate::binding::{Binding, BindingCore, BindingState};
use crate::driver::{HaltAction, PnpEvent};
use crate::names::Function as F;
use crate::node::ProtocolCore;
use crate::status::NdisStatus;
use crate::status_ind::StatusIndication;
use crate::token::sealed::Op;
use crate::token::{How, Object, Token};
use crate::trace::ObjectId;
use crate::vc::control::Blocked;
use crate::vc::{Owner, Side};

pub(crate) type Done = Box<dyn FnOnce(Result<(), NdisStatus>) + Send>;
type Step = Box<dyn FnOnce() + Send>;

/// What can be asked of an adapter.
pub(crate) enum Operation {
    /// Bind all protocols and run.
    Start,
    Bind(Arc<ProtocolCore>),
    Unbind(Arc<BindingCore>, Step),
    Pause(Done),
    Restart(Done),
    Reset(Done),
    Remove {
        surprise: bool,
        done: Done,
    },
    ShutDown,
}

/// The operations that wait, and whether one is under way.
#[derive(Default)]
pub(crate) struct Operations {
    queue: VecDeque<Operation>,
    running: bool,
    /// Bindings whose driver has answered its unbind, and that still have AFs or VCs.
    closing: Vec<(Arc<BindingCore>, Step)>,
}

/// A pause that waits for the miniport's answer and for every VC to drain.
pub(crate) struct Pausing {
    waiting: usize,
    then: Option<Step>,
}

/// Runs a step once several others have arrived.
pub(crate) struct Join {
    left: AtomicUsize,
    then: Mutex<Option<Step>>,
}

impl Join {
    /// One of nothing waits for one arrival, which its maker sees to.
    pub(crate) fn new(count: usize, then: impl FnOnce() + Send + 'static) -> Arc<Join> {
        Arc::new(Join { left: AtomicUsize::new(count.max(1)), then: Mutex::new(Some(Box::new(then))) })
    }

    pub(crate) fn arrive(&self) {
        if self.left.fetch_sub(1, AcqRel) == 1 {
            let then = self.then.lock().expect("nothing panics inside").take();
            if let Some(then) = then {
                then();
            }
        }
    }
}

/// An operation of an adapter's own driver, as a token knows it.
#[doc(hidden)]
pub struct AdapterOp {
    adapter: Arc<AdapterCore>,
    then: Mutex<Option<Done>>,
}

impl AdapterOp {
    fn new(
        adapter: &Arc<AdapterCore>,
        then: impl FnOnce(Result<(), NdisStatus>) + Send + 'static,
    ) -> Arc<AdapterOp> {
        Arc::new(AdapterOp { adapter: adapter.clone(), then: Mutex::new(Some(Box::new(then))) })
    }

    fn finish(&self, result: Result<(), NdisStatus>) {
        let then = self.then.lock().expect("nothing panics inside").take();
        if let Some(then) = then {
            // The next step runs at PASSIVE, whatever thread the driver answered from.
            self.adapter.node.defer(move || then(result));
        }
    }
}

impl Object for AdapterOp {
    fn adapter(&self) -> &Arc<AdapterCore> {
        &self.adapter
    }

    fn id(&self) -> ObjectId {
        self.adapter.object_id()
    }
}

/// An operation of a protocol on a binding, as a token knows it.
#[doc(hidden)]
pub struct BindingOp {
    binding: Arc<BindingCore>,
    manager: bool,
    join: Arc<Join>,
    /// Answered, by the driver or for it.
    answered: AtomicBool,
}

impl Object for BindingOp {
    fn adapter(&self) -> &Arc<AdapterCore> {
        self.binding.adapter()
    }

    fn id(&self) -> ObjectId {
        self.binding.object_id()
    }
}

macro_rules! adapter_operations {
    ($($(#[$doc:meta])* $name:ident: $answer:ty = $lost:expr, $callback:ident, |$a:ident| $result:expr, replay: $replay:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl Op for $name {
            type Obj = AdapterOp;
            type Key = ();
            type Answer = $answer;
            type Reply = ();
            const CALLBACK: F = F::$callback;

            fn lost() -> $answer {
                $lost
            }

            fn settle(op: &Arc<AdapterOp>, (): (), $a: $answer, _how: How) -> Option<()> {
                op.adapter.lock().replay = $replay;
                op.finish($result);
                None
            }

            fn holder(op: &AdapterOp, (): ()) -> String {
                op.adapter.driver.to_string()
            }
        }
    )*};
}

adapter_operations! {
    /// `MiniportPause`: it cannot fail.
    Pause: () = (), MiniportPause, |_answer| Ok(()), replay: false;
    /// `MiniportRestart`.
    Restart: Result<(), NdisStatus> = Err(NdisStatus::FAILURE), MiniportRestart, |answer| answer, replay: false;
    /// `MiniportResetEx`, answered with whether NDIS should replay the settings.
    Reset: Result<bool, NdisStatus> = Err(NdisStatus::FAILURE), MiniportResetEx, |answer| answer.map(drop), replay: answer == Ok(true);
}

macro_rules! binding_operations {
    ($($(#[$doc:meta])* $name:ident, $callback:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl Op for $name {
            type Obj = BindingOp;
            type Key = ();
            type Answer = ();
            type Reply = ();
            const CALLBACK: F = F::$callback;

            fn lost() {}

            fn settle(op: &Arc<BindingOp>, (): (), (): (), _how: How) -> Option<()> {
                if op.answered.swap(true, SeqCst) {
                    return None;
                }
                let join = op.join.clone();
                op.binding.adapter().node.defer(move || join.arrive());
                None
            }

            fn holder(op: &BindingOp, (): ()) -> String {
                let binding = &op.binding;
                let driver = if op.manager { binding.manager_driver() } else { binding.client_driver() };
                driver.to_string()
            }
        }
    )*};
}

binding_operations! {
    /// `ProtocolNetPnPEvent` with NetEventPause.
    PauseBinding, ProtocolNetPnPEvent;
    /// `ProtocolNetPnPEvent` with NetEventRestart.
    RestartBinding, ProtocolNetPnPEvent;
    /// `ProtocolUnbindAdapterEx`.
    Unbind, ProtocolUnbindAdapterEx;
}

impl AdapterCore {
    /// Queues an operation.
    pub(crate) fn operate(self: &Arc<Self>, operation: Operation) {
        self.lock().operations.queue.push_back(operation);
        let adapter = self.clone();
        self.node.defer(move || adapter.next_operation());
    }

    fn next_operation(self: &Arc<Self>) {
        let operation = {
            let mut ctl = self.lock();
            if ctl.operations.running {
                return;
            }
            let operation = ctl.operations.queue.pop_front();
            ctl.operations.running = operation.is_some();
            operation
        };
        let Some(operation) = operation else { return };
        let gone = matches!(self.state(), AdapterState::Halted | AdapterState::ShutDown);
        let adapter = self.clone();
        let end = move || adapter.operation_over();
        match operation {
            Operation::Pause(done) | Operation::Restart(done) | Operation::Reset(done) if gone => {
                done(Err(NdisStatus::ADAPTER_REMOVED));
                end();
            }
            Operation::Remove { done, .. } if gone => {
                done(Err(NdisStatus::ADAPTER_REMOVED));
                end();
            }
            Operation::Start if gone => end(),
            Operation::Start => {
                for protocol in self.node.all_protocols() {
                    self.bind_now(&protocol);
                }
                self.run_stack(Box::new(move |_| end()));
            }
            Operation::Bind(protocol) => {
                if !gone {
                    self.bind_now(&protocol);
                }
                if self.state() == AdapterState::Running {
                    self.run_bindings(Box::new(end));
                } else {
                    end();
                }
            }
            // Asked for twice, or closed already: a removal came first.
            Operation::Unbind(binding, then)
                if gone || !self.bindings().iter().any(|b| Arc::ptr_eq(b, &binding)) =>
            {
                then();
                end();
            }
            Operation::Unbind(binding, then) => {
                let adapter = self.clone();
                let closed = move || {
                    then();
                    end();
                };
                self.pause_bindings(
                    vec![binding.clone()],
                    Box::new(move || adapter.unbind_all(vec![binding], Box::new(closed))),
                );
            }
            Operation::Pause(done) if self.state() != AdapterState::Running => {
                done(Err(NdisStatus::NOT_ACCEPTED));
                end();
            }
            Operation::Pause(done) => self.pause_stack(Box::new(move || {
                done(Ok(()));
                end();
            })),
            Operation::Restart(done) if self.state() != AdapterState::Paused => {
                done(Err(NdisStatus::NOT_ACCEPTED));
                end();
            }
            Operation::Restart(done) => self.run_stack(Box::new(move |result| {
                done(result);
                end();
            })),
            Operation::Reset(done) => self.reset_now(Box::new(move |result| {
                done(result);
                end();
            })),
            Operation::Remove { surprise, done } => self.remove_now(
                surprise,
                Box::new(move || {
                    done(Ok(()));
                    end();
                }),
            ),
            Operation::ShutDown => {
                if !gone {
                    self.lock().state = AdapterState::ShutDown;
                    self.set_blocked(Blocked::REMOVED, true);
                    self.guard_named(F::MiniportShutdownEx, || match self.object() {
                        Some(AdapterObj::Miniport(object)) => object.shutdown(),
                        Some(AdapterObj::Mcm(object)) => object.shutdown(),
                        None => {}
                    });
                    self.call_no_more();
                }
                end();
            }
        }
    }

    fn operation_over(self: &Arc<Self>) {
        self.lock().operations.running = false;
        let adapter = self.clone();
        self.node.defer(move || adapter.next_operation());
    }

    pub(crate) fn start(self: &Arc<Self>) {
        self.operate(Operation::Start);
    }

    pub(crate) fn bind(self: &Arc<Self>, protocol: &Arc<ProtocolCore>) {
        self.operate(Operation::Bind(protocol.clone()));
    }

    pub(crate) fn unbind_later(
        self: Arc<Self>,
        binding: Arc<BindingCore>,
        then: impl FnOnce() + Send + 'static,
    ) {
        self.operate(Operation::Unbind(binding, Box::new(then)));
    }

    pub(crate) fn remove(self: &Arc<Self>, done: Step) {
        self.operate(Operation::Remove { surprise: false, done: Box::new(move |_| done()) });
    }

    // Binding

    /// `ProtocolBindAdapterEx`, then the announcements that follow from it.
    fn bind_now(self: &Arc<Self>, protocol: &Arc<ProtocolCore>) {
        if self.is_bound(protocol) || !crate::node::bind_fits(protocol, self) {
            return;
        }
        let binding = Arc::new(BindingCore::new(self, protocol));
        let info = self.info();
        let bound =
            binding.guard(binding.client_driver(), F::ProtocolBindAdapterEx, || protocol.driver.bind(&info));
        let Some(Ok(bound)) = bound else { return };
        if bound.client.is_none() && bound.manager.is_none() {
            return self.report("CO-001", format!("protocol {} was bound without a role", protocol.name));
        }
        binding.set_bound(bound);
        self.lock().bindings.push(binding.clone());
        let opened = || {
            if let Some(manager) = binding.call_manager_object() {
                manager.opened(Binding::new(&binding))?;
            }
            if let Some(client) = binding.client_object() {
                client.opened(Binding::new(&binding))?;
            }
            Ok(())
        };
        let result: Result<(), NdisStatus> = crate::frame::call(opened).unwrap_or(Err(NdisStatus::FAILURE));
        if result.is_err() {
            binding.set_state(BindingState::Closing);
            self.close_binding(&binding);
            return;
        }
        binding.set_state(BindingState::Paused);
        // This client hears of what is there; every client hears of what this call manager brought.
        for family in self.families() {
            binding.notify_af(family);
        }
        for family in self.families_of(&binding) {
            self.announce(family);
        }
    }

    // Pause and restart

    fn run_stack(self: &Arc<Self>, done: Done) {
        self.lock().state = AdapterState::Restarting;
        // Receives may come from the moment that the restart was entered (DP-058).
        let adapter = self.clone();
        let op = AdapterOp::new(self, move |result| adapter.restarted(result, done));
        self.set_blocked(Blocked::ADAPTER_PAUSED, false);
        let lost = self.is_lost();
        let answer = self.guard_named(F::MiniportRestart, || match self.object()? {
            AdapterObj::Miniport(object) => object.restart(self.handle(), Token::new(&op, ())).take(),
            AdapterObj::Mcm(object) => object.restart(self.handle(), Token::new(&op, ())).take(),
        });
        if let Some(answer) = answer.flatten().or(lost.then(Restart::lost)) {
            Restart::settle(&op, (), answer, How::Returned);
        }
    }

    fn restarted(self: &Arc<Self>, result: Result<(), NdisStatus>, done: Done) {
        if result.is_err() {
            self.set_blocked(Blocked::ADAPTER_PAUSED, true);
            self.lock().state = AdapterState::Paused;
            done(result);
            return;
        }
        self.lock().state = AdapterState::Running;
        self.run_bindings(Box::new(move || done(Ok(()))));
    }

    /// Restarts the bindings that are paused.
    fn run_bindings(self: &Arc<Self>, then: Step) {
        let paused: Vec<_> =
            self.bindings().into_iter().filter(|b| b.state() == BindingState::Paused).collect();
        let running = paused.clone();
        let join = Join::new(roles(&paused), move || {
            running.iter().for_each(|binding| binding.set_state(BindingState::Running));
            then();
        });
        for binding in &paused {
            binding.set_state(BindingState::Restarting);
            // A driver may send from its restart callback on.
            self.block(Blocked::BINDING_PAUSED, false, |vc| Arc::ptr_eq(vc.binding(), binding));
            self.ask_binding::<RestartBinding>(
                binding,
                &join,
                |b, token| b.0.restart(b.1, token).take(),
                |b, token| b.0.restart(b.1, token).take(),
            );
        }
        if roles(&paused) == 0 {
            join.arrive();
        }
    }

    /// Asks each role that the driver plays on a binding.
    fn ask_binding<O>(
        self: &Arc<Self>,
        binding: &Arc<BindingCore>,
        join: &Arc<Join>,
        manager: impl FnOnce(
            Asked<'_, dyn crate::driver::CallManagerBinding, crate::role::CallManager>,
            Token<'_, O>,
        ) -> Option<()>,
        client: impl FnOnce(
            Asked<'_, dyn crate::driver::ClientBinding, crate::role::Client>,
            Token<'_, O>,
        ) -> Option<()>,
    ) where
        O: Op<Obj = BindingOp, Key = (), Answer = ()>,
    {
        let op = |manager| {
            let answered = AtomicBool::new(false);
            Arc::new(BindingOp { binding: binding.clone(), manager, join: join.clone(), answered })
        };
        // A driver of which an object panicked may wait for what it will not hear: its unbind is not waited for.
        let unbind = O::CALLBACK == F::ProtocolUnbindAdapterEx;
        let unanswered = |manager| binding.is_lost(manager) || (unbind && binding.is_hurt(manager));
        if let Some(object) = binding.call_manager_object() {
            let op = op(true);
            let asked = Asked(object, Binding::new(binding));
            let answer =
                binding.guard(binding.manager_driver(), O::CALLBACK, || manager(asked, Token::new(&op, ())));
            if unanswered(true) || answer.flatten().is_some() {
                O::settle(&op, (), (), How::Returned);
            }
        }
        if let Some(object) = binding.client_object() {
            let op = op(false);
            let asked = Asked(object, Binding::new(binding));
            let answer =
                binding.guard(binding.client_driver(), O::CALLBACK, || client(asked, Token::new(&op, ())));
            if unanswered(false) || answer.flatten().is_some() {
                O::settle(&op, (), (), How::Returned);
            }
        }
    }

    /// Top-down: protocols, then the miniport (DP-068).
    fn pause_stack(self: &Arc<Self>, then: Step) {
        let adapter = self.clone();
        self.pause_bindings(self.bindings(), Box::new(move || adapter.pause_miniport(then)));
    }

    fn pause_bindings(self: &Arc<Self>, bindings: Vec<Arc<BindingCore>>, then: Step) {
        let running: Vec<_> = bindings.into_iter().filter(|b| b.state() == BindingState::Running).collect();
        let pausing = running.clone();
        let join = Join::new(roles(&running), move || {
            pausing.iter().for_each(|binding| binding.set_state(BindingState::Paused));
            then();
        });
        for binding in &running {
            binding.set_state(BindingState::Pausing);
            self.block(Blocked::BINDING_PAUSED, true, |vc| Arc::ptr_eq(vc.binding(), binding));
            self.ask_binding::<PauseBinding>(
                binding,
                &join,
                |b, token| b.0.pause(b.1, token).take(),
                |b, token| b.0.pause(b.1, token).take(),
            );
        }
        if roles(&running) == 0 {
            join.arrive();
        }
    }

    /// The pause is over when the miniport has answered and every NBL is back.
    fn pause_miniport(self: &Arc<Self>, then: Step) {
        {
            let mut ctl = self.lock();
            ctl.state = AdapterState::Pausing;
            // The miniport's own answer is one of those that are waited for.
            ctl.pausing = Some(Pausing { waiting: 1, then: Some(then) });
        }
        self.set_blocked(Blocked::ADAPTER_PAUSED, true);
        for vc in self.vcs() {
            // Counted first: the last NBL may come back at any moment.
            if let Some(pausing) = &mut self.lock().pausing {
                pausing.waiting += 1;
            }
            let waits = {
                let mut ctl = vc.lock();
                ctl.pause_waits = !vc.is_drained();
                ctl.pause_waits
            };
            if waits {
                // What an object that panicked still holds is written off.
                vc.transition(|_| ());
            } else {
                self.vc_paused();
            }
        }
        let adapter = self.clone();
        let op = AdapterOp::new(self, move |_| adapter.vc_paused());
        let lost = self.is_lost();
        let answer = self.guard_named(F::MiniportPause, || match self.object()? {
            AdapterObj::Miniport(object) => object.pause(self.handle(), Token::new(&op, ())).take(),
            AdapterObj::Mcm(object) => object.pause(self.handle(), Token::new(&op, ())).take(),
        });
        if let Some(answer) = answer.flatten().or(lost.then(Pause::lost)) {
            Pause::settle(&op, (), answer, How::Returned);
        }
    }

    /// One of those that a pause waits for is through.
    pub(crate) fn vc_paused(self: &Arc<Self>) {
        let then = {
            let mut ctl = self.lock();
            let Some(pausing) = &mut ctl.pausing else { return };
            pausing.waiting -= 1;
            if pausing.waiting > 0 {
                return;
            }
            let then = pausing.then.take();
            ctl.pausing = None;
            ctl.state = AdapterState::Paused;
            then
        };
        if let Some(then) = then {
            self.node.defer(then);
        }
    }

    fn set_blocked(self: &Arc<Self>, bit: Blocked, on: bool) {
        if on {
            self.blocked.fetch_or(bit.bits(), SeqCst);
        } else {
            self.blocked.fetch_and(!bit.bits(), SeqCst);
        }
        self.block(bit, on, |_| true);
    }

    // Reset

    fn reset_now(self: &Arc<Self>, done: Done) {
        self.tell_reset(NdisStatus::RESET_START);
        self.set_blocked(Blocked::RESETTING, true);
        let adapter = self.clone();
        let op = AdapterOp::new(self, move |result| {
            adapter.set_blocked(Blocked::RESETTING, false);
            if std::mem::take(&mut adapter.lock().replay) {
                adapter.replay_settings();
            }
            adapter.tell_reset(NdisStatus::RESET_END);
            done(result);
        });
        let lost = self.is_lost();
        let answer = self.guard_named(F::MiniportResetEx, || match self.object()? {
            AdapterObj::Miniport(object) => object.reset(self.handle(), Token::new(&op, ())).take(),
            AdapterObj::Mcm(object) => object.reset(self.handle(), Token::new(&op, ())).take(),
        });
        if let Some(answer) = answer.flatten().or(lost.then(Reset::lost)) {
            Reset::settle(&op, (), answer, How::Returned);
        }
    }

    /// A reset that lost its settings gets them again from NDIS itself.
    fn replay_settings(self: &Arc<Self>) {
        let settings = self.lock().settings.clone();
        for (oid, value) in settings {
            let request = crate::oid::OidRequest::set(oid, value);
            // The answer changes nothing: what the miniport refuses now, it had accepted before.
            let _ = crate::oid::OidCore::ask_miniport(self, crate::oid::Requester::Ndis, None, request);
        }
    }

    /// Call managers first, then clients.
    fn tell_reset(&self, code: NdisStatus) {
        let status = StatusIndication::new(code, []);
        let (managers, clients): (Vec<_>, Vec<_>) =
            self.bindings().into_iter().partition(|binding| binding.call_manager_object().is_some());
        managers.iter().chain(&clients).for_each(|binding| binding.tell_status(&status));
    }

    // Removal

    fn remove_now(self: &Arc<Self>, surprise: bool, then: Step) {
        for binding in self.bindings() {
            if let Some(client) = binding.client_object() {
                binding.guard(binding.client_driver(), F::ProtocolNetPnPEvent, || {
                    client.removing(Binding::new(&binding))
                });
            }
            if let Some(manager) = binding.call_manager_object() {
                binding.guard(binding.manager_driver(), F::ProtocolNetPnPEvent, || {
                    manager.removing(Binding::new(&binding))
                });
            }
        }
        if surprise {
            self.set_blocked(Blocked::REMOVED, true);
            self.guard_named(F::MiniportDevicePnPEventNotify, || match self.object() {
                Some(AdapterObj::Miniport(object)) => {
                    object.pnp_event(self.handle(), PnpEvent::SurpriseRemoved)
                }
                Some(AdapterObj::Mcm(object)) => object.pnp_event(self.handle(), PnpEvent::SurpriseRemoved),
                None => {}
            });
        }
        let action = if surprise { HaltAction::SurpriseRemoved } else { HaltAction::DeviceDisabled };
        let adapter = self.clone();
        let unbind: Step = Box::new(move || {
            let (managers, clients): (Vec<_>, Vec<_>) =
                adapter.bindings().into_iter().partition(|binding| binding.client_object().is_none());
            let next = adapter.clone();
            adapter.unbind_all(
                clients,
                Box::new(move || {
                    let last = next.clone();
                    next.unbind_all(managers, Box::new(move || last.halt(action, then)));
                }),
            );
        });
        if self.state() == AdapterState::Running {
            self.pause_stack(unbind);
        } else {
            unbind();
        }
    }

    /// `ProtocolUnbindAdapterEx` of each, and then the close of the binding, which waits for its AFs and VCs (DP-050).
    fn unbind_all(self: &Arc<Self>, bindings: Vec<Arc<BindingCore>>, then: Step) {
        let count = bindings.len();
        let all = Join::new(count, then);
        for binding in &bindings {
            binding.set_state(BindingState::Closing);
            let (adapter, all, closed) = (self.clone(), all.clone(), binding.clone());
            let join = Join::new(roles(std::slice::from_ref(binding)), move || {
                let arrive: Step = Box::new(move || all.arrive());
                adapter.stand_in_for_lost(&closed);
                adapter.report_open(&closed);
                {
                    let mut ctl = adapter.lock();
                    ctl.operations.closing.push((closed, arrive));
                    adapter.closing.store(ctl.operations.closing.len(), SeqCst);
                }
                adapter.something_closed();
            });
            self.ask_binding::<Unbind>(
                binding,
                &join,
                |b, token| b.0.unbind(b.1, token).take(),
                |b, token| b.0.unbind(b.1, token).take(),
            );
        }
        if count == 0 {
            all.arrive();
        }
    }

    /// DP-050: a client that ends its binding has closed its AFs, or is at it, and has returned what it received.
    fn report_open(&self, binding: &Arc<BindingCore>) {
        let mine = |af: &Arc<crate::af::AfCore>| Arc::ptr_eq(af.client_binding(), binding);
        let afs = self.afs().iter().filter(|af| mine(af) && af.is_open() && !af.lost_client()).count();
        let nbls: u64 = self
            .vcs()
            .iter()
            .filter(|vc| Arc::ptr_eq(vc.binding(), binding))
            .map(|vc| vc.in_flight().1)
            .sum();
        if afs > 0 || nbls > 0 {
            self.node.report(
                binding.object_id(),
                "DP-050",
                format!(
                    "a binding is closed with {afs} AFs open and {nbls} NBLs not returned; it waits for them"
                ),
            );
        }
    }

    /// Lets go of what the objects of a binding that panicked would have had to close.
    fn stand_in_for_lost(&self, binding: &Arc<BindingCore>) {
        for af in self.afs() {
            if Arc::ptr_eq(af.client_binding(), binding) && (binding.is_hurt(false) || af.lost_client()) {
                af.abandon();
            } else if matches!(&af.provider, Provider::CallManager(b) if Arc::ptr_eq(b, binding))
                && binding.is_lost(true)
            {
                // The client closes in its own time; the binding waits for it.
                let _ = af.notify_close();
            }
        }
        for vc in self.vcs() {
            if matches!(vc.owner(), Owner::Binding(b) if Arc::ptr_eq(b, binding)) && binding.is_lost(true) {
                vc.set_lost(Side::User);
                vc.transition(|_| ());
            }
        }
    }

    pub(crate) fn closes_wait(&self) -> bool {
        self.closing.load(SeqCst) > 0
    }

    /// An AF or a VC went: perhaps a binding that is unbound can be closed now.
    pub(crate) fn something_closed(&self) {
        loop {
            let ready = {
                let vcs = self.vcs();
                let mut ctl = self.lock();
                let of_manager = |af: &crate::af::AfCore, binding: &Arc<BindingCore>| matches!(&af.provider, Provider::CallManager(b) if Arc::ptr_eq(b, binding));
                let uses = |binding: &Arc<BindingCore>, afs: &[Arc<crate::af::AfCore>]| {
                    afs.iter().any(|af| Arc::ptr_eq(af.client_binding(), binding) || of_manager(af, binding))
                        || vcs.iter().any(|vc| {
                            Arc::ptr_eq(vc.binding(), binding)
                                || matches!(vc.owner(), Owner::Af(af) if of_manager(af, binding))
                        })
                };
                let afs = ctl.afs.clone();
                let index = ctl.operations.closing.iter().position(|(binding, _)| !uses(binding, &afs));
                let ready = index.map(|index| ctl.operations.closing.remove(index));
                self.closing.store(ctl.operations.closing.len(), SeqCst);
                ready
            };
            let Some((binding, then)) = ready else { return };
            self.close_binding(&binding);
            self.node.defer(then);
        }
    }

    /// `NdisCloseAdapterEx`: the binding ends, and with it the families that its call manager registered.
    fn close_binding(&self, binding: &Arc<BindingCore>) {
        let families = self.families_of(binding);
        {
            let mut ctl = self.lock();
            ctl.bindings.retain(|other| !Arc::ptr_eq(other, binding));
            ctl.asked.retain(|(_, other)| !Arc::ptr_eq(other, binding));
            ctl.families.retain(|(family, _)| !families.contains(family));
        }
        for other in self.bindings() {
            families.iter().for_each(|family| other.forget_af(*family));
        }
        binding.set_state(BindingState::Unbound);
    }

    fn halt(self: &Arc<Self>, action: HaltAction, then: Step) {
        self.guard_named(F::MiniportHaltEx, || match self.object() {
            Some(AdapterObj::Miniport(object)) => object.halt(action),
            Some(AdapterObj::Mcm(object)) => object.halt(action),
            None => {}
        });
        self.call_no_more();
        {
            let mut ctl = self.lock();
            ctl.state = AdapterState::Halted;
            ctl.families.clear();
        }
        let left = self.vcs().len();
        if left > 0 {
            self.report("DP-213", format!("{left} VCs were left when the adapter was halted"));
        }
        self.node.forget_adapter(self);
        then();
    }
}

/// A binding's object in one role, with its handle.
pub(crate) struct Asked<'a, T: ?Sized, R: crate::role::Role>(&'a T, Binding<'a, R>);

/// How many answers the drivers of these bindings owe: one for each role.
fn roles(bindings: &[Arc<BindingCore>]) -> usize {
    let of = |binding: &Arc<BindingCore>| {
        usize::from(binding.client_object().is_some()) + usize::from(binding.call_manager_object().is_some())
    };
    bindings.iter().map(of).sum()
}
