//! What a wire in memory needs of a runtime: one job or timer for all that is due, and the users called without a lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use condis::runtime::{Lane, OnTimer, Runtime, Time, TimerId};

/// A wire: a state without clock, lock or callback.
pub(crate) trait Wire: Send + 'static {
    /// What users have to be told at one moment. It is used again, so that its memory is.
    type Round: Default + Send + 'static;

    /// When there is something for [`Wire::arrive`] to do.
    fn next(&self, now: Time) -> Next;

    /// Fills the (empty) `round` with what users have to be told by `now`, up to the bound of a batch.
    fn arrive(&mut self, now: Time, round: &mut Self::Round);

    /// Empties a round that is over.
    fn recycle(&mut self, round: &mut Self::Round);

    /// Calls the users.
    fn tell(round: &Self::Round);
}

/// When a wire has to be looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    Now,
    At(Time),
    Never,
}

/// A wire on a lane of a runtime.
pub(crate) struct Pump<W: Wire> {
    me: Weak<Pump<W>>,
    name: String,
    runtime: Arc<dyn Runtime>,
    lane: Lane,
    /// No user is called under this lock. The runtime's own locks lie below it.
    state: Mutex<State<W>>,
}

struct State<W: Wire> {
    wire: W,
    /// What a round of delivery works with; absent while one runs.
    round: Option<W::Round>,
    /// A round is posted to the lane and has not begun.
    deferred: bool,
    armed: Option<Armed>,
    armed_count: u64,
}

/// The timer of the next arrival.
struct Armed {
    at: Time,
    timer: TimerId,
    token: u64,
}

impl<W: Wire> Pump<W> {
    /// Puts `wire` on a lane of its own.
    pub(crate) fn new(runtime: Arc<dyn Runtime>, name: &str, wire: W) -> Arc<Pump<W>> {
        let lane = runtime.open_lane(name);
        let state =
            State { wire, round: Some(W::Round::default()), deferred: false, armed: None, armed_count: 0 };
        Arc::new_cyclic(|me| Pump {
            me: me.clone(),
            name: name.to_owned(),
            runtime,
            lane,
            state: Mutex::new(state),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Looks at the wire, or changes what makes nothing due.
    pub(crate) fn with<T>(&self, action: impl FnOnce(&mut W) -> T) -> T {
        action(&mut self.state().wire)
    }

    /// Does something to the wire, and sees to what follows from it.
    pub(crate) fn act<T>(&self, action: impl FnOnce(&mut W, Time) -> T) -> T {
        let now = self.runtime.now();
        let mut state = self.state();
        let result = action(&mut state.wire, now);
        self.schedule(&mut state, now);
        result
    }

    /// Tells the users what is due. Runs on the lane.
    fn run_round(&self, begin: impl FnOnce(&mut State<W>)) {
        let now = self.runtime.now();
        let mut state = self.state();
        begin(&mut state);
        let Some(mut round) = state.round.take() else { return };
        state.wire.arrive(now, &mut round);
        drop(state);
        W::tell(&RunningRound { pump: self, round }.round);
    }

    /// Sees to it that the next round comes when it has to. A burst of frames costs one job, however many they are.
    fn schedule(&self, state: &mut State<W>, now: Time) {
        let running = state.round.is_none();
        if state.deferred || running {
            return;
        }
        match state.wire.next(now) {
            Next::Never => self.disarm(state),
            Next::Now => {
                state.deferred = true;
                let me = self.me.clone();
                self.runtime.defer(
                    self.lane,
                    Box::new(move || {
                        if let Some(me) = me.upgrade() {
                            me.run_round(|state| state.deferred = false);
                        }
                    }),
                );
            }
            Next::At(at) => self.arm(state, now, at),
        }
    }

    /// Arms the timer for `at`, unless it fires before that anyway.
    fn arm(&self, state: &mut State<W>, now: Time, at: Time) {
        if state.armed.as_ref().is_some_and(|armed| armed.at <= at) {
            return;
        }
        self.disarm(state);
        let token = state.armed_count;
        state.armed_count += 1;
        let timer = self.runtime.arm(self.lane, at.since(now), self.me.clone(), token);
        state.armed = Some(Armed { at, timer, token });
    }

    fn disarm(&self, state: &mut State<W>) {
        if let Some(armed) = state.armed.take() {
            self.runtime.cancel(self.lane, armed.timer);
        }
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        // No user's code runs under this lock, so a panic cannot leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Wire> OnTimer for Pump<W> {
    fn on_timer(&self, token: u64) {
        self.run_round(|state| {
            // A timer that fired while it was being replaced runs a round too much, and leaves its successor armed.
            if state.armed.as_ref().is_some_and(|armed| armed.token == token) {
                state.armed = None;
            }
        });
    }
}

/// A round that is being told. It ends when this is dropped, also if a user panics.
struct RunningRound<'a, W: Wire> {
    pump: &'a Pump<W>,
    round: W::Round,
}

impl<W: Wire> Drop for RunningRound<'_, W> {
    fn drop(&mut self) {
        let mut round = std::mem::take(&mut self.round);
        let now = self.pump.runtime.now();
        let mut state = self.pump.state();
        state.wire.recycle(&mut round);
        state.round = Some(round);
        self.pump.schedule(&mut state, now);
    }
}
