//! One input at a time: what every (M)CM needs around its protocol machines, whichever protocol they speak.
//!
//! A protocol core is a state machine without locks. Around it things happen on many threads, and what it wants done calls
//! NDIS, which calls back. [`Turns`] puts that in order: an input goes into the [`Machine`]; the effects that follow from it
//! are carried out, with no lock held; then comes the next input. What a client does from inside an upcall, or a packet that
//! arrives meanwhile, only queues. So a machine never runs within itself, and what it says leaves in the order in which it
//! said it.
//!
//! [`Undeleted`] keeps the VCs that a manager made and that NDIS does not let it delete yet.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::driver::ManagerRole;
use crate::runtime::{Lane, OnTimer, Runtime, Time, TimerId};
use crate::status::NdisStatus;
use crate::vc::OwnedVc;

/// Protocol machines with all that a driver knows around them. They own no lock, clock or timer.
pub trait Machine: Send + 'static {
    /// Something that happened.
    type Input: Send;
    /// Something to do.
    type Effect: Send;

    /// Takes one input. What is to be done goes to `effects`, in order.
    fn handle(&mut self, now: Time, input: Self::Input, effects: &mut VecDeque<Self::Effect>);

    /// When [`Machine::timer`] is wanted as an input, at the latest.
    fn next_timeout(&self) -> Option<Time>;

    /// The input that says that time has passed.
    fn timer() -> Self::Input;

    /// Nothing is left to do for now. A place to publish counters.
    fn rest(&mut self) {}
}

/// Who carries out what a machine wants done. Called with no lock held.
pub trait Carrier<M: Machine>: OnTimer {
    /// Does one thing. What is answered at once comes back as an input, as it would if it had pended; it is taken before all
    /// others, since it belongs to the input that is being carried out.
    fn carry_out(&self, effect: M::Effect) -> Option<M::Input>;

    /// Itself, to be called when the machine's time has come.
    fn timer_target(&self) -> Weak<dyn OnTimer>;
}

/// A machine and the queue in front of it.
pub struct Turns<M: Machine> {
    runtime: Arc<dyn Runtime>,
    lane: Lane,
    inner: Mutex<Inner<M>>,
}

struct Inner<M: Machine> {
    machine: M,
    answers: VecDeque<M::Input>,
    inputs: VecDeque<(M::Input, Origin)>,
    /// Of the inputs, those that are bounded.
    bounded: usize,
    busy: bool,
    armed: Option<(Time, TimerId)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Here,
    Network,
}

impl<M: Machine> Turns<M> {
    /// A machine whose timer runs on `lane`.
    pub fn new(machine: M, runtime: Arc<dyn Runtime>, lane: Lane) -> Turns<M> {
        let inner = Inner {
            machine,
            answers: VecDeque::new(),
            inputs: VecDeque::new(),
            bounded: 0,
            busy: false,
            armed: None,
        };
        Turns { runtime, lane, inner: Mutex::new(inner) }
    }

    /// Where time comes from.
    pub fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.runtime
    }

    /// The lane of its timer.
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// The machine, between two inputs. Call no driver, and drop no handle, while it is held.
    pub fn machine(&self) -> impl DerefMut<Target = M> + '_ {
        Locked(self.lock())
    }

    /// Takes an input: now, or, if one is being carried out, in its turn.
    pub fn input(&self, carrier: &impl Carrier<M>, input: M::Input) {
        self.lock().inputs.push_back((input, Origin::Here));
        self.run(carrier);
    }

    /// The same for an input from the network, of which at most `max` wait.
    ///
    /// # Errors
    /// The input, if so many wait already.
    pub fn input_from_network(
        &self,
        carrier: &impl Carrier<M>,
        input: M::Input,
        max: usize,
    ) -> Result<(), M::Input> {
        {
            let mut inner = self.lock();
            if inner.bounded >= max {
                return Err(input);
            }
            inner.bounded += 1;
            inner.inputs.push_back((input, Origin::Network));
        }
        self.run(carrier);
        Ok(())
    }

    /// The timer with this token fired: its carrier hands every token here that is not its own. A token is a moment, never
    /// [`u64::MAX`].
    pub fn fired(&self, carrier: &impl Carrier<M>, token: u64) {
        {
            let mut inner = self.lock();
            if inner.armed.is_some_and(|(at, _)| at.as_nanos() == token) {
                inner.armed = None;
            }
        }
        self.input(carrier, M::timer());
    }

    fn run(&self, carrier: &impl Carrier<M>) {
        {
            let mut inner = self.lock();
            if inner.busy {
                return;
            }
            inner.busy = true;
        }
        let mut turn = Turn { turns: self, done: false };
        let mut effects = VecDeque::new();
        while let Some(input) = self.next_input(carrier) {
            let now = self.runtime.now();
            self.lock().machine.handle(now, input, &mut effects);
            while let Some(effect) = effects.pop_front() {
                if let Some(answer) = carrier.carry_out(effect) {
                    self.lock().answers.push_back(answer);
                }
            }
        }
        turn.done = true;
    }

    /// The next input; without one, the machine rests, with its timer armed.
    fn next_input(&self, carrier: &impl Carrier<M>) -> Option<M::Input> {
        let mut inner = self.lock();
        if let Some(answer) = inner.answers.pop_front() {
            return Some(answer);
        }
        if let Some((input, origin)) = inner.inputs.pop_front() {
            inner.bounded -= usize::from(origin == Origin::Network);
            return Some(input);
        }
        inner.machine.rest();
        self.arm(&mut inner, carrier);
        inner.busy = false;
        None
    }

    fn arm(&self, inner: &mut Inner<M>, carrier: &impl Carrier<M>) {
        let wanted = inner.machine.next_timeout();
        if inner.armed.map(|(at, _)| at) == wanted {
            return;
        }
        if let Some((_, timer)) = inner.armed.take() {
            self.runtime.cancel(self.lane, timer);
        }
        if let Some(at) = wanted {
            let after = at.since(self.runtime.now());
            let timer = self.runtime.arm(self.lane, after, carrier.timer_target(), at.as_nanos());
            inner.armed = Some((at, timer));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<M>> {
        // No driver's code runs under it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Machine> std::fmt::Debug for Turns<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let inner = self.lock();
        write!(
            f,
            "turns: {} inputs wait, next timeout {:?}",
            inner.inputs.len(),
            inner.machine.next_timeout()
        )
    }
}

/// Whoever has the turn. A panic gives it up, so that the next input, perhaps the one that takes all down, is not the last.
struct Turn<'a, M: Machine> {
    turns: &'a Turns<M>,
    done: bool,
}

impl<M: Machine> Drop for Turn<'_, M> {
    fn drop(&mut self) {
        if !self.done {
            self.turns.lock().busy = false;
        }
    }
}

struct Locked<'a, M: Machine>(MutexGuard<'a, Inner<M>>);

impl<M: Machine> Deref for Locked<'_, M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.0.machine
    }
}

impl<M: Machine> DerefMut for Locked<'_, M> {
    fn deref_mut(&mut self) -> &mut M {
        &mut self.0.machine
    }
}

/// VCs of incoming calls that are over and cannot be deleted yet, since somebody has not come out of an upcall of theirs.
#[derive(Debug)]
pub struct Undeleted<K, R: ManagerRole>(Mutex<Vec<(K, OwnedVc<R>)>>);

/// When they are tried again: longer than an upcall takes.
const DELETE_AGAIN_AFTER: Duration = Duration::from_millis(1);

impl<K, R: ManagerRole> Undeleted<K, R> {
    /// The token of its timer.
    pub const TOKEN: u64 = u64::MAX;

    /// Deletes a VC. True: it is gone, or NDIS deletes it as soon as it can. False: it is tried again when the timer
    /// fires, which is armed for `target` on `lane`.
    pub fn delete(
        &self,
        key: K,
        owner: OwnedVc<R>,
        runtime: &dyn Runtime,
        lane: Lane,
        target: Weak<dyn OnTimer>,
    ) -> bool {
        match owner.delete() {
            Ok(()) => true,
            Err((NdisStatus::CLOSING | NdisStatus::NOT_ACCEPTED, owner)) => {
                let mut undeleted = self.lock();
                undeleted.push((key, owner));
                if undeleted.len() == 1 {
                    runtime.arm(lane, DELETE_AGAIN_AFTER, target, Self::TOKEN);
                }
                false
            }
            Err((_, owner)) => {
                owner.retire();
                true
            }
        }
    }

    /// Those to be tried again, once the timer has fired.
    pub fn take(&self) -> Vec<(K, OwnedVc<R>)> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(K, OwnedVc<R>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, R: ManagerRole> Default for Undeleted<K, R> {
    fn default() -> Undeleted<K, R> {
        Undeleted(Mutex::new(Vec::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::{Ran, Sim};

    /// Counts up to a limit: each input doubles, as two effects; a third says the number.
    struct Doubling {
        sum: u64,
        wake_at: Option<Time>,
    }

    enum Effect {
        Feed(u64),
        Nested(u64),
        Say(u64),
        Panic,
    }

    impl Machine for Doubling {
        type Input = u64;
        type Effect = Effect;

        fn handle(&mut self, now: Time, input: u64, effects: &mut VecDeque<Effect>) {
            self.sum += input;
            effects.push_back(Effect::Say(input));
            match input {
                0 => self.wake_at = None,
                1 => effects.extend([Effect::Nested(10), Effect::Feed(2)]),
                3 => self.wake_at = Some(now.after(Duration::from_secs(1))),
                4 => effects.push_back(Effect::Panic),
                5 => panic!("the machine"),
                _ => {}
            }
        }

        fn next_timeout(&self) -> Option<Time> {
            self.wake_at
        }

        fn timer() -> u64 {
            0
        }
    }

    struct Driver {
        turns: Turns<Doubling>,
        said: Mutex<Vec<u64>>,
        me: Weak<Driver>,
    }

    impl OnTimer for Driver {
        fn on_timer(&self, token: u64) {
            self.turns.fired(self, token);
        }
    }

    impl Carrier<Doubling> for Driver {
        fn carry_out(&self, effect: Effect) -> Option<u64> {
            match effect {
                Effect::Feed(number) => return Some(number),
                // As from inside an upcall.
                Effect::Nested(number) => self.turns.input(self, number),
                Effect::Say(number) => self.said.lock().unwrap().push(number),
                Effect::Panic => panic!("the carrier"),
            }
            None
        }

        fn timer_target(&self) -> Weak<dyn OnTimer> {
            self.me.clone()
        }
    }

    fn driver(sim: &Arc<Sim>) -> Arc<Driver> {
        let lane = sim.open_lane("driver");
        let machine = Doubling { sum: 0, wake_at: None };
        Arc::new_cyclic(|me| Driver {
            turns: Turns::new(machine, sim.clone(), lane),
            said: Mutex::default(),
            me: me.clone(),
        })
    }

    #[test]
    fn a_nested_input_queues_and_an_answer_comes_first() {
        let driver = driver(&Sim::new(1));
        driver.turns.input(&*driver, 1);
        assert_eq!(*driver.said.lock().unwrap(), [1, 2, 10]);
        assert_eq!(driver.turns.machine().sum, 13);
    }

    #[test]
    fn the_timer_is_armed_and_is_an_input() {
        let sim = Sim::new(1);
        let driver = driver(&sim);
        driver.turns.input(&*driver, 3);
        assert_eq!(sim.run_until_idle(Duration::from_secs(10)), Ran::Idle);
        assert_eq!(*driver.said.lock().unwrap(), [3, 0]);
        assert_eq!(sim.now(), Time::ZERO.after(Duration::from_secs(1)));
    }

    #[test]
    fn a_panic_ends_a_turn_and_not_the_engine() {
        let driver = driver(&Sim::new(1));
        for input in [4, 5] {
            let panics = || driver.turns.input(&*driver, input);
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
            driver.turns.input(&*driver, 7);
        }
        assert_eq!(*driver.said.lock().unwrap(), [4, 7, 7]);
    }

    #[test]
    fn what_comes_from_the_network_is_bounded() {
        let driver = driver(&Sim::new(1));
        assert_eq!(driver.turns.input_from_network(&*driver, 7, 0), Err(7));
        assert_eq!(driver.turns.input_from_network(&*driver, 7, 1), Ok(()));
        assert_eq!(driver.turns.input_from_network(&*driver, 8, 1), Ok(()));
        assert_eq!(*driver.said.lock().unwrap(), [7, 8]);
    }
}
