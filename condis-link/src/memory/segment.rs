//! The segment: the wire, put on a runtime.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use condis::runtime::{Lane, OnTimer, Runtime, Time, TimerId};

use super::delivery::Round;
use super::flight::PortId;
use super::wire::{Next, Wire};
use super::{Conditions, Port, PortOptions};
use crate::counters::Counters;
use crate::{Frame, LinkUser, MacAddr};

/// An Ethernet in memory; see the [module](super) for what it does to a frame.
///
/// A clone is the same segment. It lives as long as one of them, or one of its ports.
#[derive(Clone)]
pub struct Segment {
    shared: Arc<Shared>,
}

impl Segment {
    /// An Ethernet without stations. All that is random on it follows from `seed`.
    pub fn new(runtime: Arc<dyn Runtime>, name: &str, conditions: Conditions, seed: u64) -> Segment {
        let lane = runtime.open_lane(name);
        let total = Arc::new(Counters::default());
        let state = State {
            wire: Wire::new(conditions, seed, total.clone()),
            round: Some(Round::default()),
            deferred: false,
            armed: None,
            armed_count: 0,
        };
        let shared = Arc::new_cyclic(|me| Shared {
            me: me.clone(),
            name: name.to_owned(),
            runtime,
            lane,
            total,
            state: Mutex::new(state),
        });
        Segment { shared }
    }

    /// Attaches a station with this address and an MTU of 1500 octets.
    ///
    /// # Errors
    /// See [`AttachError`].
    pub fn attach(&self, address: MacAddr) -> Result<Arc<Port>, AttachError> {
        self.attach_with(PortOptions::new(address))
    }

    /// Attaches a station.
    ///
    /// # Errors
    /// See [`AttachError`].
    pub fn attach_with(&self, options: PortOptions) -> Result<Arc<Port>, AttachError> {
        let address = options.address;
        if !address.is_station() {
            return Err(AttachError::NotAStation { address });
        }
        let attached = self.shared.state().wire.attach(&options);
        let Some((id, tally)) = attached else {
            return Err(AttachError::AddressTaken { address, segment: self.shared.name.clone() });
        };
        Ok(Arc::new(Port::new(self.shared.clone(), id, options.mtu_octets, tally)))
    }

    /// The segment's name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// What the wire does to frames at present.
    pub fn conditions(&self) -> Conditions {
        self.shared.state().wire.conditions.clone()
    }

    /// Changes what the wire does to the frames that are sent from now on.
    pub fn set_conditions(&self, conditions: Conditions) {
        self.shared.state().wire.conditions = conditions;
    }

    /// Cuts the wire for all ports. What is under way is lost.
    pub fn cut(&self) {
        self.shared.act(|wire, now| wire.set_cut(now, true));
    }

    /// Mends the wire. Ports whose own plug was pulled stay down.
    pub fn mend(&self) {
        self.shared.act(|wire, now| wire.set_cut(now, false));
    }

    /// What happened to frames, added up over all ports, those that are closed too.
    pub fn counters(&self) -> &Counters {
        &self.shared.total
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {}: {}", self.shared.name, self.shared.total)
    }
}

/// Why a station cannot be attached.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// Another port has the address; a frame could not tell them apart.
    #[error(
        "{address} is attached to segment {segment} already; expected an address of its own for each port"
    )]
    AddressTaken {
        /// The address.
        address: MacAddr,
        /// The name of the segment.
        segment: String,
    },
    /// The address is that of a group, or all zero.
    #[error("{address} cannot be a station's address; expected a unicast one such as 02:00:00:00:00:01")]
    NotAStation {
        /// The address.
        address: MacAddr,
    },
}

/// What the segment and its ports share.
pub(super) struct Shared {
    me: Weak<Shared>,
    name: String,
    runtime: Arc<dyn Runtime>,
    lane: Lane,
    total: Arc<Counters>,
    /// No user is called under this lock. The runtime's own locks lie below it.
    state: Mutex<State>,
}

struct State {
    wire: Wire,
    /// What a round of delivery works with; absent while one runs.
    round: Option<Round>,
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

impl Shared {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn rate_bps(&self) -> Option<u64> {
        self.state().wire.conditions.rate_bps.map(u64::from)
    }

    pub(super) fn is_up(&self, port: PortId) -> bool {
        self.state().wire.is_up(port)
    }

    pub(super) fn set_user(&self, port: PortId, user: Weak<dyn LinkUser>) {
        self.state().wire.set_user(port, user);
    }

    pub(super) fn set_port_cut(&self, port: PortId, cut: bool) {
        self.act(|wire, now| wire.set_port_cut(now, port, cut));
    }

    pub(super) fn transmit(&self, port: PortId, frames: &[Frame<'_>]) -> Option<usize> {
        self.act(|wire, now| wire.transmit(now, port, frames))
    }

    pub(super) fn detach(&self, port: PortId) {
        self.state().wire.detach(port);
    }

    /// Does something to the wire, and sees to what follows from it.
    fn act<T>(&self, action: impl FnOnce(&mut Wire, Time) -> T) -> T {
        let now = self.runtime.now();
        let mut state = self.state();
        let result = action(&mut state.wire, now);
        self.schedule(&mut state, now);
        result
    }

    /// Tells the users what is due. Runs on the lane.
    fn run_round(&self, begin: impl FnOnce(&mut State)) {
        let now = self.runtime.now();
        let mut state = self.state();
        begin(&mut state);
        let Some(mut round) = state.round.take() else { return };
        state.wire.arrive(now, &mut round);
        drop(state);
        RunningRound { shared: self, round }.round.tell();
    }

    /// Sees to it that the next round comes when it has to. A burst of frames costs one job, however many they are.
    fn schedule(&self, state: &mut State, now: Time) {
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
    fn arm(&self, state: &mut State, now: Time, at: Time) {
        if state.armed.as_ref().is_some_and(|armed| armed.at <= at) {
            return;
        }
        self.disarm(state);
        let token = state.armed_count;
        state.armed_count += 1;
        let timer = self.runtime.arm(self.lane, at.since(now), self.me.clone(), token);
        state.armed = Some(Armed { at, timer, token });
    }

    fn disarm(&self, state: &mut State) {
        if let Some(armed) = state.armed.take() {
            self.runtime.cancel(self.lane, armed.timer);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No user's code runs under this lock, so a panic cannot leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OnTimer for Shared {
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
struct RunningRound<'a> {
    shared: &'a Shared,
    round: Round,
}

impl Drop for RunningRound<'_> {
    fn drop(&mut self) {
        let mut round = std::mem::take(&mut self.round);
        let now = self.shared.runtime.now();
        let mut state = self.shared.state();
        state.wire.recycle(&mut round);
        state.round = Some(round);
        self.shared.schedule(&mut state, now);
    }
}
