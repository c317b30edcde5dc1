//! One end of one call.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use condis::af::Af;
use condis::driver::{ClientParty, Connected};
use condis::nbl::{Chain, NetBufferList};
use condis::params::{CallFlags, CallParams, CloseData};
use condis::role::Client as ClientRole;
use condis::runtime::{OnTimer, Time};
use condis::status::NdisStatus;
use condis::token::{Outcome, Refused};
use condis::vc::{HeldVc, Receives, Vc};
use condis_atm::driver::{AtmCall, AtmVcParams, CloseCause};
use condis_link::atm::VpVc;
use condis_wan::pppoe::driver::CallTarget;

use super::conversation::{Next, Phase, State, TICK, encoded};
use super::driver::Shared;
use super::frame::{LabFrame, Tally};
use super::ledger::{CallRecord, ClosedBy, Ending, Entry, Stage};
use super::multipoint::LabParty;
use super::object::CallObject;
use super::transfer::{InOrder, Transfer};
use crate::lab::{CallPlan, CallTo, Check, Close};

pub(super) struct LabCall {
    me: Weak<LabCall>,
    pub(super) client: Arc<Shared>,
    /// What a caller does; nothing at the called end.
    plan: Option<CallPlan>,
    /// The permanent connection that it answers on.
    answers: Option<VpVc>,
    entry: OnceLock<Entry>,
    /// NDIS is never called under this lock.
    state: Mutex<State>,
}

impl LabCall {
    /// The end that calls.
    pub(super) fn to_make(client: &Arc<Shared>, plan: CallPlan, number: usize) -> Arc<LabCall> {
        let service = plan.target.name();
        let call = LabCall::new(client, Some(plan), None, number);
        call.record(number, service);
        call
    }

    /// The end that answers on a permanent connection.
    pub(super) fn to_answer(client: &Arc<Shared>, vpvc: VpVc, number: usize) -> Arc<LabCall> {
        let call = LabCall::new(client, None, Some(vpvc), number);
        call.record(number, format!("pvc {vpvc}"));
        call.update(|record| record.permanent = true);
        call
    }

    /// The end that may be called.
    pub(super) fn to_take(client: &Arc<Shared>) -> Arc<LabCall> {
        LabCall::new(client, None, None, 0)
    }

    fn new(
        client: &Arc<Shared>,
        plan: Option<CallPlan>,
        answers: Option<VpVc>,
        number: usize,
    ) -> Arc<LabCall> {
        let seed = crc32fast::hash(format!("{}/{} {number}", client.node, client.plan.name).as_bytes());
        let transfer = match &plan {
            Some(plan) => {
                let echoed = plan.check != Check::None;
                Transfer::new(plan.send_octets, plan.frame_octets, seed.into(), echoed)
            }
            None => Transfer::new(0, 1, 0, false),
        };
        Arc::new_cyclic(|me| LabCall {
            me: me.clone(),
            client: client.clone(),
            plan,
            answers,
            entry: OnceLock::new(),
            state: Mutex::new(State {
                phase: Phase::Dialing,
                vc: None,
                owner: None,
                service: String::new(),
                sends_out: 0,
                ending: None,
                transfer,
                heard: InOrder::default(),
                moved_at: client.runtime.now(),
                timer: None,
                ticks: 0,
                unwanted: false,
                parties: None,
                listens_only: false,
            }),
        })
    }

    /// Enters the call in the ledger.
    pub(super) fn enter(&self, number: usize) -> Entry {
        let service = self.lock().service.clone();
        self.record(number, service)
    }

    fn record(&self, number: usize, service: String) -> Entry {
        *self.entry.get_or_init(|| {
            let (node, client) = (&self.client.node, &self.client.plan.name);
            self.client.ledger.enter(CallRecord::new(node, client, service, self.plan.is_some(), number))
        })
    }

    pub(super) fn entry(&self) -> Entry {
        *self.entry.get().expect("a call that is made is entered at once")
    }

    pub(super) fn is_dialing(&self) -> bool {
        self.plan.is_some() && self.lock().phase == Phase::Dialing
    }

    pub(super) fn is_ready(&self) -> bool {
        self.lock().phase == Phase::Ready
    }

    /// A caller's call is on its way to its end.
    pub(super) fn is_ending(&self) -> bool {
        use Phase::{Closing, Draining, HangingUp, Holding};
        self.plan.is_some() && matches!(self.lock().phase, Holding(_) | HangingUp | Draining | Closing)
    }

    pub(super) fn dial(self: &Arc<Self>, af: Af<'_, ClientRole>) {
        let Some((params, multipoint)) = self.params() else { return };
        let owner = match af.create_vc(Box::new(CallObject(self.clone()))) {
            Ok(owner) => owner,
            Err(status) => return self.over(Ending::NoVc(status), None),
        };
        let vc = owner.keep();
        let id = vc.id();
        self.update(|record| (record.vc, record.multipoint) = (Some(id), multipoint));
        {
            let mut state = self.lock();
            state.vc = Some(vc.clone());
            state.owner = Some(owner);
            if state.phase != Phase::Dialing {
                // The lab was stopped before there was a VC to close.
                drop(state);
                return self.over(Ending::Stopped, Some(ClosedBy::Here));
            }
        }
        let party = multipoint.then(|| Box::new(LabParty(self.me.clone())) as Box<dyn ClientParty>);
        if let Outcome::Done(result) = vc.at().make_call(params, party) {
            self.made(vc.at(), result);
        }
    }

    /// What the call is made with, and whether it is a point-to-multipoint call.
    fn params(&self) -> Option<(CallParams, bool)> {
        let permanent = |vpvc, sdu_octets: usize| {
            let params = AtmVcParams::ubr(vpvc, sdu_octets as u32).to_params();
            CallParams { flags: CallFlags::PERMANENT_VC, ..params }
        };
        if let Some(vpvc) = self.answers {
            return Some((permanent(vpvc, self.client.pool.config().data_size), false));
        }
        match &self.plan.as_ref()?.target {
            CallTo::Pppoe { service, concentrator } => {
                let target = CallTarget {
                    service_name: service.clone().into_bytes(),
                    ac_name: concentrator.clone().map(String::into_bytes),
                    ..CallTarget::default()
                };
                Some((target.to_params(), false))
            }
            CallTo::Pvc(vpvc) => Some((permanent(*vpvc, self.client.pool.config().data_size), false)),
            CallTo::Atm(target) => {
                let mut params = target.call.to_params();
                if target.multipoint {
                    params.flags |= CallFlags::MULTIPOINT_VC;
                }
                Some((params, target.multipoint))
            }
        }
    }

    pub(super) fn made(self: &Arc<Self>, vc: Vc<'_, ClientRole>, result: Result<Connected, Refused>) {
        {
            let mut state = self.lock();
            if state.phase != Phase::Dialing {
                // It is being closed, and the close tells when it is over.
                return;
            }
            let connected = match result {
                Ok(connected) => connected,
                Err(refused) => {
                    drop(state);
                    return self.over(self.refused(&refused), None);
                }
            };
            match &self.plan {
                None => state.phase = Phase::Echoing,
                Some(plan) => {
                    state.phase = Phase::Sending;
                    if let CallTo::Atm(target) = &plan.target
                        && target.multipoint
                    {
                        LabCall::begin_parts(target, &mut state, connected.party);
                    }
                }
            }
            state.moved_at = self.now();
        }
        self.update(|record| record.stage = Stage::Up);
        let Some(plan) = &self.plan else { return };
        if plan.refused.is_some() {
            self.client.dial_next();
            return self.close(Ending::NotRefused, ClosedBy::Here);
        }
        self.arm(TICK);
        self.client.dial_next();
        let next = self.lock().fill(self.plan.as_ref());
        self.follow(vc, next);
    }

    /// How a call ends that was refused.
    fn refused(&self, refused: &Refused) -> Ending {
        let cause = refused.params.as_ref().and_then(|params| AtmCall::from_params(params).ok());
        let cause = cause.and_then(|call| call.causes.first().map(|cause| cause.value));
        let wanted = self.plan.as_ref().and_then(|plan| plan.refused);
        match cause {
            Some(cause) if wanted == Some(cause.0) => Ending::RefusedAsAsked(cause),
            cause => Ending::Refused(refused.status, cause),
        }
    }

    /// All data has passed and was compared.
    pub(super) fn is_compared(self: &Arc<Self>) {
        self.tally();
        self.update(|record| record.stage = Stage::Ready);
        self.client.go_on();
    }

    pub(super) fn send_more(self: &Arc<Self>) {
        self.arm(TICK);
        let next = self.lock().fill(self.plan.as_ref());
        self.follow_held(next);
    }

    fn change_rate(self: &Arc<Self>, vc: Vc<'_, ClientRole>, pcr: u32) {
        let Some(CallTo::Atm(target)) = self.plan.as_ref().map(|plan| &plan.target) else { return };
        let mut call = target.call.clone();
        for flow in [&mut call.forward, &mut call.backward] {
            flow.contract.pcr_cells_per_s = Some(pcr);
        }
        if let Outcome::Done(result) = vc.modify_call_qos(call.to_params()) {
            self.changed_rate(result);
        }
    }

    pub(super) fn changed_rate(self: &Arc<Self>, result: Result<CallParams, Refused>) {
        match result {
            Ok(params) => {
                self.lock().phase = Phase::Ready;
                self.note_rate(&params);
                self.is_compared();
            }
            Err(refused) => self.close(Ending::NotChanged(refused.status), ClosedBy::Here),
        }
    }

    pub(super) fn note_rate(&self, params: &CallParams) {
        let call = AtmCall::from_params(params).ok();
        let pcr = call.and_then(|call| call.forward.contract.pcr_cells_per_s);
        self.update(|record| record.changed_pcr = pcr.or(record.changed_pcr));
    }

    /// The call may be closed now.
    pub(super) fn proceed(self: &Arc<Self>) {
        let Some(plan) = &self.plan else { return };
        let next = {
            let mut state = self.lock();
            match state.phase {
                Phase::Ready if plan.hold > Duration::ZERO => {
                    state.phase = Phase::Holding(self.now().after(plan.hold));
                    drop(state);
                    return self.arm(plan.hold);
                }
                Phase::Ready | Phase::Holding(_) => {}
                _ => return,
            }
            state.moved_at = self.now();
            match plan.close {
                Close::Caller => Next { close: Some((Ending::Done, ClosedBy::Here)), ..Next::default() },
                Close::Called => {
                    state.phase = Phase::HangingUp;
                    Next { frames: vec![encoded(LabFrame::HangUp)], ..Next::default() }
                }
            }
        };
        self.arm(TICK);
        self.follow_held(next);
    }

    /// The lab stops.
    pub(super) fn stop(self: &Arc<Self>) {
        {
            let mut state = self.lock();
            if self.plan.is_none() && self.answers.is_none() && state.phase == Phase::Dialing {
                // It is offered or accepted, and an offer cannot be closed. It will be up soon, or deleted.
                state.unwanted = true;
                return;
            }
        }
        let ending = if self.plan.is_some() { Ending::Stopped } else { Ending::Done };
        self.close(ending, ClosedBy::Here);
    }

    pub(super) fn close(self: &Arc<Self>, ending: Ending, by: ClosedBy) {
        {
            let mut state = self.lock();
            if !matches!(state.phase, Phase::Draining | Phase::Closing | Phase::Over) {
                state.ending = Some((ending, by));
                state.phase = Phase::Draining;
            }
        }
        self.drain();
    }

    pub(super) fn close_now(self: &Arc<Self>, vc: Vc<'_, ClientRole>) {
        self.update(|record| record.stage = Stage::Closing);
        if let Outcome::Done(result) = vc.close_call(CloseData::new()) {
            self.closed(result);
        }
    }

    pub(super) fn closed(self: &Arc<Self>, result: Result<(), NdisStatus>) {
        let (ending, by) = self.lock().ending.unwrap_or((Ending::Stopped, ClosedBy::Here));
        match result {
            Ok(()) => self.over(ending, Some(by)),
            // There is no call to be closed: it never came up.
            Err(status) => self.over(Ending::Refused(status, None), Some(by)),
        }
    }

    pub(super) fn over(self: &Arc<Self>, ending: Ending, by: Option<ClosedBy>) {
        let (owner, vc, timer) = {
            let mut state = self.lock();
            if state.phase == Phase::Over {
                return;
            }
            state.phase = Phase::Over;
            (state.owner.take(), state.vc.take(), state.timer.take())
        };
        drop(vc);
        self.forget_parties();
        if let Some(timer) = timer {
            self.client.runtime.cancel(self.client.lane, timer);
        }
        if let Some(owner) = owner {
            owner.retire();
        }
        self.tally();
        self.update(|record| {
            (record.stage, record.closed_by, record.ending) = (Stage::Over, by, Some(ending));
        });
        if let Some(entry) = self.entry.get() {
            self.client.over(*entry);
        }
    }

    /// Writes into the ledger what passed so far.
    fn tally(&self) {
        let (data, echo) = {
            let state = self.lock();
            match self.plan {
                Some(_) => (state.transfer.sent(), state.transfer.heard()),
                None => (state.heard.tally(), Tally::default()),
            }
        };
        self.update(|record| (record.data, record.echo) = (data, echo));
    }

    /// Frames came in.
    pub(super) fn heard(self: &Arc<Self>, vc: Vc<'_, ClientRole>, batch: &Receives<'_>) {
        let mut copy = Vec::new();
        let mut next = Next::default();
        let mut report = None;
        {
            let mut state = self.lock();
            state.moved_at = self.now();
            for nbl in batch.iter() {
                let frame = octets(nbl, &mut copy);
                match &self.plan {
                    Some(plan) => state.hear_echo(plan, frame, &mut next, &mut report),
                    None => state.echo(frame, &mut next),
                }
            }
            if let Some(plan) = &self.plan {
                next.absorb(state.fill(Some(plan)));
            }
        }
        if let Some(report) = report {
            self.update(|record| record.other = Some(report));
        }
        let leaf = {
            let state = self.lock();
            state.listens_only.then(|| state.heard.tally())
        };
        if let Some(tally) = leaf {
            self.write_heard(tally);
        }
        if self.plan.is_none() && !next.frames.is_empty() {
            self.client.ledger.echoed(next.frames.len());
        }
        self.follow(vc, next);
    }

    fn follow_held(self: &Arc<Self>, next: Next) {
        let vc = self.lock().vc.clone();
        if let Some(vc) = vc {
            self.follow(vc.at(), next);
        }
    }

    fn follow(self: &Arc<Self>, vc: Vc<'_, ClientRole>, next: Next) {
        if !next.frames.is_empty() {
            self.transmit(vc, &next.frames);
        }
        if next.ready {
            self.is_compared();
        }
        if let Some(pcr) = next.change_pcr {
            self.change_rate(vc, pcr);
        }
        if next.spread {
            self.look_at_leaves();
        }
        if let Some((ending, by)) = next.close {
            self.close(ending, by);
        }
    }

    /// Sends frames. What the pool has no room for is lost, as on any wire.
    fn transmit(&self, vc: Vc<'_, ClientRole>, frames: &[Vec<u8>]) {
        let mut chain = Chain::new();
        for nbl in frames.iter().filter_map(|frame| self.client.pool.alloc_copy(frame).ok()) {
            chain.append(Chain::from(nbl));
        }
        {
            let mut state = self.lock();
            if chain.is_empty() || matches!(state.phase, Phase::Closing | Phase::Over) {
                return;
            }
            state.sends_out += chain.len();
        }
        vc.send(chain);
    }

    pub(super) fn sent(self: &Arc<Self>, vc: Vc<'_, ClientRole>, chain: Chain) {
        let count = chain.len();
        drop(chain);
        let next = {
            let mut state = self.lock();
            state.sends_out = state.sends_out.saturating_sub(count);
            (state.phase != Phase::Draining).then(|| state.fill(self.plan.as_ref()))
        };
        match next {
            Some(next) => self.follow(vc, next),
            None => self.drain(),
        }
    }

    pub(super) fn remote_closed(self: &Arc<Self>, status: NdisStatus, data: &CloseData) {
        let cause = CloseCause::from_data(data).ok().filter(|_| !data.is_empty());
        let phase = self.lock().phase;
        let ending = match (&self.plan, phase) {
            (None, _) | (Some(_), Phase::HangingUp) => Ending::Done,
            (Some(_), _) => Ending::ClosedEarly(status, cause.map(|cause| cause.cause.value)),
        };
        self.close(ending, ClosedBy::There);
    }

    pub(super) fn arm(&self, after: Duration) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Draining | Phase::Closing | Phase::Over) {
            return;
        }
        state.ticks += 1;
        let target: Weak<dyn OnTimer> = self.me.clone();
        let armed = self.client.runtime.arm(self.client.lane, after, target, state.ticks);
        if let Some(before) = state.timer.replace(armed) {
            self.client.runtime.cancel(self.client.lane, before);
        }
    }

    /// Sends again what got no answer, and gives up after a while.
    fn tick(self: &Arc<Self>) {
        let now = self.now();
        let (next, again) = {
            let mut state = self.lock();
            let quiet = now.since(state.moved_at);
            match &self.plan {
                Some(plan) => state.caller_tick(plan, quiet),
                None => match (state.phase, self.client.plan.idle) {
                    (Phase::Echoing, Some(idle)) if quiet >= idle => {
                        (Next { close: Some((Ending::Done, ClosedBy::Here)), ..Next::default() }, None)
                    }
                    (Phase::Echoing, Some(idle)) => (Next::default(), Some(idle - quiet)),
                    _ => (Next::default(), None),
                },
            }
        };
        let held = matches!(self.lock().phase, Phase::Holding(until) if until <= now);
        if held {
            return self.proceed();
        }
        self.follow_held(next);
        self.look_at_leaves();
        if let Some(after) = again {
            self.arm(after);
        }
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut CallRecord)) {
        if let Some(entry) = self.entry.get() {
            self.client.ledger.update(*entry, change);
        }
    }

    pub(super) fn plan(&self) -> Option<&CallPlan> {
        self.plan.as_ref()
    }

    pub(super) fn compares_nothing(&self) -> bool {
        self.plan.as_ref().is_none_or(|plan| plan.check == Check::None)
    }

    pub(super) fn vc(&self) -> Option<HeldVc<ClientRole>> {
        self.lock().vc.clone()
    }

    pub(super) fn weak(&self) -> Weak<LabCall> {
        self.me.clone()
    }

    pub(super) fn now(&self) -> Time {
        self.client.runtime.now()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OnTimer for LabCall {
    fn on_timer(&self, token: u64) {
        {
            let mut state = self.lock();
            if state.ticks != token {
                return;
            }
            state.timer = None;
        }
        if let Some(call) = self.me.upgrade() {
            call.tick();
        }
    }
}

/// The octets of a frame, which are copied if they lie in pieces.
pub(crate) fn octets<'a>(nbl: &'a NetBufferList, copy: &'a mut Vec<u8>) -> &'a [u8] {
    let buffer = nbl.first();
    match buffer.contiguous() {
        Some(octets) => octets,
        None => {
            copy.resize(buffer.data_length(), 0);
            let len = buffer.copy_to(copy);
            &copy[..len]
        }
    }
}
