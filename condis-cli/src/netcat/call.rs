//! The one call at its VC: what is sent when, and what ends it.
//!
//! All sending is done by one job at a time on the terminal's lane, so that pieces leave in order whoever has brought them:
//! the input, a send that came back, or a report of the other end.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use condis::af::Af;
use condis::driver::{ClientVc, Connected};
use condis::nbl::Chain;
use condis::params::{CallParams, CloseData};
use condis::role::Client as ClientRole;
use condis::runtime::{OnTimer, Time, TimerId};
use condis::sap::SapRef;
use condis::status::NdisStatus;
use condis::token::{Answer, IncomingCall, Outcome, Refused, Token};
use condis::vc::{HeldVc, OwnedVc, Receives, Vc};
use condis_atm::driver::AtmVcParams;

use super::pump::{Input, Item};
use super::stream::{Event, SILENCE_MAX, Stream, TICK};
use super::terminal::{Role, Shared};
use super::{Ended, Ending};
use crate::client::{OVERHEAD_OCTETS, octets};

pub(super) struct OneCall {
    me: Weak<OneCall>,
    terminal: Arc<Shared>,
    /// The input belongs to this call.
    has_input: AtomicBool,
    fill_queued: AtomicBool,
    /// NDIS is never called under this lock.
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    vc: Option<HeldVc<ClientRole>>,
    owner: Option<OwnedVc<ClientRole>>,
    stream: Stream,
    sends_out: usize,
    /// Octets of data in one SDU at most, as it was agreed on.
    sdu_octets: usize,
    /// SDUs that came in and found no room, and SDUs that came back unsent.
    lost_in: u64,
    lost_out: u64,
    /// When data last came in, or went out.
    heard_at: Time,
    moved_at: Time,
    ending: Option<Ending>,
    /// What was offered, until it is up.
    offered: Option<CallParams>,
    timer: Option<TimerId>,
    /// Offered, and to be closed as soon as it is up.
    unwanted: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Dialing,
    Up,
    /// To be closed once all sends are back.
    Draining,
    Closing,
    Over,
}

impl OneCall {
    pub(super) fn new(terminal: &Arc<Shared>) -> Arc<OneCall> {
        let now = terminal.runtime.now();
        Arc::new_cyclic(|me| OneCall {
            me: me.clone(),
            terminal: terminal.clone(),
            has_input: AtomicBool::new(true),
            fill_queued: AtomicBool::new(false),
            state: Mutex::new(State {
                phase: Phase::Dialing,
                vc: None,
                owner: None,
                stream: if terminal.plan.framed { Stream::framed(now) } else { Stream::raw() },
                sends_out: 0,
                sdu_octets: terminal.plan.sdu_octets,
                lost_in: 0,
                lost_out: 0,
                heard_at: now,
                moved_at: now,
                ending: None,
                offered: None,
                timer: None,
                unwanted: false,
            }),
        })
    }

    /// The input went to a call before this one.
    pub(super) fn without_input(&self) {
        self.has_input.store(false, SeqCst);
    }

    pub(super) fn dial(self: &Arc<Self>, af: Af<'_, ClientRole>, params: CallParams) {
        let owner = match af.create_vc(Box::new(CallObject(self.clone()))) {
            Ok(owner) => owner,
            Err(status) => return self.over(Ending::Failed(format!("there is no VC to be had: {status}"))),
        };
        let vc = owner.keep();
        {
            let mut state = self.lock();
            state.vc = Some(vc.clone());
            state.owner = Some(owner);
            if state.phase != Phase::Dialing {
                drop(state);
                return self.over(Ending::Stopped);
            }
        }
        if let Outcome::Done(result) = vc.at().make_call(params, None) {
            self.made(vc.at(), result);
        }
    }

    /// There may be something to send, or to be judged.
    pub(super) fn kick(self: &Arc<Self>) {
        if !self.fill_queued.swap(true, SeqCst) {
            let call = self.clone();
            self.terminal.runtime.defer(self.terminal.lane, Box::new(move || call.fill()));
        }
    }

    /// Ends it at once.
    pub(super) fn stop(self: &Arc<Self>, ending: Ending) {
        {
            let mut state = self.lock();
            if matches!(self.terminal.plan.role, Role::Listen { .. }) && state.phase == Phase::Dialing {
                // An offer cannot be closed. It will be up soon, or deleted.
                state.unwanted = true;
                return;
            }
        }
        self.close(ending, true);
    }

    fn made(self: &Arc<Self>, vc: Vc<'_, ClientRole>, result: Result<Connected, Refused>) {
        match result {
            Ok(connected) => self.up(vc, &connected.params),
            Err(refused) => {
                if self.lock().phase == Phase::Dialing {
                    let why = self.terminal.plan.words.refused(refused.status, refused.params.as_ref());
                    self.over(Ending::Refused(why));
                }
            }
        }
    }

    fn up(self: &Arc<Self>, vc: Vc<'_, ClientRole>, params: &CallParams) {
        let unwanted = {
            let mut state = self.lock();
            if state.phase != Phase::Dialing {
                return;
            }
            state.phase = Phase::Up;
            if let Ok(vc) = AtmVcParams::from_params(params) {
                let overhead = if self.terminal.plan.framed { OVERHEAD_OCTETS } else { 0 };
                let agreed = (vc.transmit.sdu_octets_max as usize).saturating_sub(overhead).max(1);
                state.sdu_octets = state.sdu_octets.min(agreed);
            }
            let now = self.terminal.runtime.now();
            (state.heard_at, state.moved_at) = (now, now);
            state.unwanted
        };
        self.terminal.call_up(vc.id(), params);
        if unwanted {
            return self.close(Ending::Stopped, true);
        }
        self.arm();
        self.kick();
    }

    /// Sends what may be sent. Runs on the terminal's lane only.
    fn fill(self: &Arc<Self>) {
        self.fill_queued.store(false, SeqCst);
        loop {
            let (vc, chain) = {
                let mut state = self.lock();
                let (Phase::Up, Some(vc)) = (state.phase, state.vc.clone()) else { return };
                let taken = self.terminal.pump.take_taken();
                state.stream.handle_taken(taken);
                self.take_input(&mut state);
                let mut chain = Chain::new();
                while state.sends_out < SENDS_OUT_MAX
                    && let Some(sdu) = state.stream.poll_sdu()
                {
                    match self.terminal.pool.alloc_copy(&sdu) {
                        Ok(nbl) => {
                            chain.append(Chain::from(nbl));
                            state.sends_out += 1;
                        }
                        Err(_) => state.lost_out += 1,
                    }
                }
                if !chain.is_empty() {
                    state.moved_at = self.terminal.runtime.now();
                }
                (vc, chain)
            };
            if chain.is_empty() {
                break;
            }
            vc.at().send(chain);
        }
        self.judge();
    }

    fn take_input(&self, state: &mut State) {
        while state.stream.has_room() {
            if !self.has_input.load(SeqCst) {
                return state.stream.finish();
            }
            match self.terminal.pump.take_input() {
                Input::Piece(piece) if piece.len() <= state.sdu_octets => state.stream.push(piece),
                Input::Piece(piece) => {
                    piece.chunks(state.sdu_octets).for_each(|part| state.stream.push(part.to_vec()));
                }
                Input::Nothing => return,
                Input::Ended => return state.stream.finish(),
            }
        }
    }

    /// Closes the call if it is time.
    fn judge(self: &Arc<Self>) {
        let plan = &self.terminal.plan;
        let ending = {
            let state = self.lock();
            if state.phase != Phase::Up {
                return;
            }
            let now = self.terminal.runtime.now();
            let silent = |since: Time| plan.idle.is_some_and(|idle| now.since(since) >= idle);
            let flushed = state.stream.is_flushed() && state.sends_out == 0;
            if let Some(why) = self.terminal.pump.broken() {
                Some(Ending::Failed(why))
            } else if state.stream.differs() {
                Some(Ending::Failed("the other end heard something that was not sent".to_owned()))
            } else {
                let done = match plan.role {
                    Role::Call { keep: true, .. } => false,
                    Role::Call { .. } => {
                        let answered = state.stream.other_ended() && self.terminal.pump.is_written();
                        flushed && (answered || silent(state.heard_at))
                    }
                    Role::Listen { .. } => flushed && silent(state.heard_at.max(state.moved_at)),
                };
                done.then_some(Ending::Done)
            }
        };
        if let Some(ending) = ending {
            self.close(ending, false);
        }
    }

    fn close(self: &Arc<Self>, ending: Ending, at_once: bool) {
        let vc = {
            let mut state = self.lock();
            match state.phase {
                Phase::Closing | Phase::Over => return,
                Phase::Draining => {}
                Phase::Dialing | Phase::Up => state.ending = Some(ending),
            }
            state.phase = Phase::Draining;
            state.begin_close(at_once)
        };
        if let Some(vc) = vc {
            self.close_now(vc.at());
        }
    }

    fn close_now(self: &Arc<Self>, vc: Vc<'_, ClientRole>) {
        if let Outcome::Done(_) = vc.close_call(CloseData::new()) {
            self.closed();
        }
    }

    fn closed(self: &Arc<Self>) {
        let ending = self.lock().ending.take().unwrap_or(Ending::Stopped);
        self.over(ending);
    }

    fn over(self: &Arc<Self>, ending: Ending) {
        let (owner, vc, timer, lost_in, lost_out) = {
            let mut state = self.lock();
            if state.phase == Phase::Over {
                return;
            }
            state.phase = Phase::Over;
            (state.owner.take(), state.vc.take(), state.timer.take(), state.lost_in, state.lost_out)
        };
        drop(vc);
        if let Some(timer) = timer {
            self.terminal.runtime.cancel(self.terminal.lane, timer);
        }
        if let Some(owner) = owner {
            owner.retire();
        }
        self.terminal.call_over(self, Ended { ending, lost_in, lost_out });
    }

    fn heard(self: &Arc<Self>, batch: &mut Receives<'_>) {
        let mut hang_up = false;
        if batch.is_lent() {
            for nbl in batch.iter() {
                let mut copy = Vec::new();
                let sdu = octets(nbl, &mut copy);
                match self.event(sdu) {
                    Event::Data(range) => self.put(Item::Copied(sdu[range.clone()].to_vec()), range.len()),
                    event => hang_up |= event == Event::HangUp,
                }
            }
        }
        while let Some(kept) = batch.keep_front(1) {
            let event =
                kept.iter().next().map_or(Event::Nothing, |nbl| self.event(octets(nbl, &mut Vec::new())));
            match event {
                Event::Data(range) => {
                    let len = range.len();
                    self.put(Item::Kept(kept, range), len);
                }
                event => {
                    kept.give_back();
                    hang_up |= event == Event::HangUp;
                }
            }
        }
        if hang_up {
            self.close(Ending::Done, false);
        }
        self.kick();
    }

    fn event(&self, sdu: &[u8]) -> Event {
        let now = self.terminal.runtime.now();
        let mut state = self.lock();
        let event = state.stream.handle_sdu(now, sdu);
        if matches!(event, Event::Data(_) | Event::End) {
            state.heard_at = now;
        }
        event
    }

    fn put(&self, item: Item, len: usize) {
        if let Err(item) = self.terminal.pump.put_output(item, len) {
            self.lock().lost_in += 1;
            drop(item);
        }
    }

    fn sent(self: &Arc<Self>, chain: Chain) {
        let unsent = chain.iter().filter(|nbl| nbl.status() != NdisStatus::SUCCESS).count() as u64;
        let count = chain.len();
        drop(chain);
        let closing = {
            let mut state = self.lock();
            state.sends_out = state.sends_out.saturating_sub(count);
            if state.phase == Phase::Up {
                state.lost_out += unsent;
            }
            state.begin_close(false)
        };
        match closing {
            Some(vc) => self.close_now(vc.at()),
            None => self.kick(),
        }
    }

    fn remote_closed(self: &Arc<Self>, status: NdisStatus, data: &CloseData) {
        let why = self.terminal.plan.words.released(status, data);
        let ending = {
            let state = self.lock();
            let whole = state.stream.other_ended() || !self.terminal.plan.framed;
            match why {
                Err(why) => Ending::Failed(why),
                Ok(why) if !whole => Ending::Failed(format!("{why}, in the midst of its data")),
                Ok(why) if !state.stream.is_sent() => {
                    Ending::Failed(format!("{why}, before it had heard all of the input"))
                }
                Ok(why) => Ending::Released(why),
            }
        };
        self.close(ending, true);
    }

    fn arm(&self) {
        let target: Weak<dyn OnTimer> = self.me.clone();
        let timer = self.terminal.runtime.arm(self.terminal.lane, TICK, target, 0);
        self.lock().timer = Some(timer);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The VC to close, if a close waits and every send is back, or need not be.
    fn begin_close(&mut self, at_once: bool) -> Option<HeldVc<ClientRole>> {
        if self.phase != Phase::Draining || self.sends_out > 0 && !at_once {
            return None;
        }
        self.phase = Phase::Closing;
        self.vc.clone()
    }
}

impl OnTimer for OneCall {
    fn on_timer(&self, _: u64) {
        let alive = {
            let mut state = self.lock();
            if state.phase != Phase::Up {
                return;
            }
            state.stream.handle_tick(self.terminal.runtime.now())
        };
        let Some(call) = self.me.upgrade() else { return };
        if alive {
            call.arm();
            call.kick();
        } else {
            let silence = SILENCE_MAX.as_secs();
            call.close(Ending::Failed(format!("the other end does not answer for {silence} s")), true);
        }
    }
}

/// The client's object for the VC.
pub(super) struct CallObject(pub(super) Arc<OneCall>);

impl ClientVc for CallObject {
    fn receive(&self, _: Vc<'_, ClientRole>, batch: &mut Receives<'_>) {
        self.0.heard(batch);
    }

    fn send_complete(&self, _: Vc<'_, ClientRole>, chain: Chain) {
        self.0.sent(chain);
    }

    fn make_call_complete(&self, vc: Vc<'_, ClientRole>, result: Result<Connected, Refused>) {
        self.0.made(vc, result);
    }

    fn close_call_complete(&self, _: Vc<'_, ClientRole>, _: Result<(), NdisStatus>) {
        self.0.closed();
    }

    fn incoming_call<'a>(
        &self,
        vc: Vc<'_, ClientRole>,
        _: SapRef<'_, ClientRole>,
        params: CallParams,
        token: Token<'a, IncomingCall>,
    ) -> Answer<'a, IncomingCall> {
        if !self.0.terminal.take(&self.0) {
            return token.done(Err(Refused::with(NdisStatus::RESOURCES, params)));
        }
        let mut state = self.0.lock();
        state.vc = Some(vc.keep());
        state.offered = Some(params.clone());
        drop(state);
        token.done(Ok(params))
    }

    fn call_connected(&self, vc: Vc<'_, ClientRole>) {
        let params = self.0.lock().offered.take().unwrap_or_default();
        self.0.up(vc, &params);
    }

    fn incoming_close_call(&self, _: Vc<'_, ClientRole>, status: NdisStatus, data: CloseData) {
        self.0.remote_closed(status, &data);
    }

    fn delete(&self) -> Result<(), NdisStatus> {
        // An offer that was accepted and never came up ends here at the latest.
        self.0.over(Ending::Failed("the call was taken, and did not come up".to_owned()));
        Ok(())
    }
}

/// SDUs that are with the miniport at most: more than it hands to its link at once, and a bound on what is held for it.
const SENDS_OUT_MAX: usize = 64;
