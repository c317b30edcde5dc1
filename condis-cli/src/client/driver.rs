//! The client apart from its calls: its binding, its address family, its SAPs, and what it does when.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use condis::adapter::AdapterInfo;
use condis::af::{Af, HeldAf};
use condis::binding::Binding;
use condis::driver::{BindingLife, Bound, ClientAf, ClientBinding, ClientSap, ClientVc, Protocol};
use condis::nbl::{Pool, PoolConfig};
use condis::params::AddressFamily;
use condis::role::Client as ClientRole;
use condis::runtime::{Lane, Runtime};
use condis::sap::{HeldSap, SapRef};
use condis::status::NdisStatus;
use condis::token::{Answer, NotifyCloseAf, Outcome, Pended, RestartBinding, Token, Unbind};
use condis::trace::VcId;
use condis_wan::pppoe::driver::service_sap;

use super::call::{CallObject, LabCall};
use super::ledger::{Entry, Ledger};
use crate::lab::{CallPlan, ClientPlan};

/// A client of a lab. A clone is the same client.
#[derive(Clone)]
pub struct Client(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) node: String,
    pub(super) plan: ClientPlan,
    pub(super) ledger: Arc<Ledger>,
    pub(super) pool: Pool,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) lane: Lane,
    /// No driver and no NDIS is called under this lock.
    mine: Mutex<Mine>,
}

#[derive(Default)]
struct Mine {
    af: AfStage,
    saps: Vec<SapStage>,
    /// The calls that are not over.
    calls: BTreeMap<Entry, Arc<LabCall>>,
    to_make: VecDeque<Planned>,
    made: usize,
    taken: usize,
    /// The binding was restarted: data and signaling pass.
    running: bool,
    /// Calls may be made.
    started: bool,
    /// Calls need not wait for the others to be ready.
    released: bool,
    stopping: bool,
    problem: Option<String>,
    unbinds: Vec<Pended<Unbind>>,
    notices: Vec<Pended<NotifyCloseAf>>,
}

#[derive(Default)]
enum AfStage {
    #[default]
    None,
    Opening,
    Open(HeldAf<ClientRole>),
    Closing,
    Closed,
}

enum SapStage {
    Registering,
    Registered(HeldSap<ClientRole>),
    Deregistering,
    Gone,
}

struct Planned {
    plan: CallPlan,
    /// Not before the first round is over.
    later: bool,
}

/// What is to be done next in order to stop.
enum Step {
    Close(Vec<Arc<LabCall>>),
    Deregister(Vec<HeldSap<ClientRole>>),
    CloseAf(HeldAf<ClientRole>),
    Answer(Vec<Pended<Unbind>>, Vec<Pended<NotifyCloseAf>>),
    Wait,
}

impl Client {
    /// A client that does what `plan` says on a node with this runtime and lane.
    pub fn new(
        node: &str,
        plan: ClientPlan,
        ledger: Arc<Ledger>,
        runtime: Arc<dyn Runtime>,
        lane: Lane,
    ) -> Client {
        let rounds = plan.calls.iter().map(|call| call.times).max().unwrap_or(0);
        let to_make = (0..rounds)
            .flat_map(|round| {
                plan.calls.iter().filter(move |call| round < call.times).map(move |c| (round, c))
            })
            .map(|(round, plan)| Planned { plan: plan.clone(), later: round > 0 })
            .collect();
        // The headroom is for the headers of PPPoE, Ethernet and two VLAN tags.
        let pool =
            Pool::new(PoolConfig { data_size: 2048, headroom: 64, capacity: 8192, ..Default::default() });
        let mine = Mutex::new(Mine { to_make, ..Mine::default() });
        Client(Arc::new(Shared { node: node.to_owned(), plan, ledger, pool, runtime, lane, mine }))
    }

    /// Its name, with its node's.
    pub fn name(&self) -> String {
        format!("{}/{}", self.0.node, self.0.plan.name)
    }

    /// How many of its calls stand at `stage` or later.
    pub fn made(&self, stage: super::ledger::Stage) -> usize {
        self.0.ledger.made(&self.0.node, &self.0.plan.name, stage)
    }

    /// How many calls it is to make, and how many of them at once.
    pub fn planned(&self) -> (usize, usize) {
        let calls = &self.0.plan.calls;
        let all = calls.iter().map(|call| call.times as usize).sum();
        (all, calls.iter().filter(|call| call.times > 0).count())
    }

    /// True once its binding runs, its address family is open and every SAP registered.
    pub fn is_ready(&self) -> bool {
        let mine = self.0.lock();
        mine.running
            && matches!(mine.af, AfStage::Open(_))
            && mine.saps.iter().all(|sap| matches!(sap, SapStage::Registered(_)))
            && mine.problem.is_none()
    }

    /// Why it will never be ready.
    pub fn problem(&self) -> Option<String> {
        self.0.lock().problem.clone()
    }

    /// Makes its calls, one after the other; each keeps to be [`Stage::Ready`](super::ledger::Stage::Ready) until released.
    pub fn start(&self) {
        self.later(|client| {
            client.0.lock().started = true;
            client.0.dial_next();
        });
    }

    /// Lets the calls that are ready be closed, one after the other, and makes those of later rounds.
    pub fn release(&self) {
        self.later(|client| {
            client.0.lock().released = true;
            client.0.go_on();
        });
    }

    /// Closes everything: calls, SAPs, address family.
    pub fn stop(&self) {
        self.later(|client| client.0.stop());
    }

    /// True once all of it is closed.
    pub fn is_stopped(&self) -> bool {
        matches!(self.0.lock().af, AfStage::None | AfStage::Closed)
    }

    fn later(&self, job: impl FnOnce(Client) + Send + 'static) {
        let client = self.clone();
        self.0.runtime.defer(self.0.lane, Box::new(move || job(client)));
    }
}

impl Protocol for Client {
    fn bind(&self, adapter: &AdapterInfo) -> Result<Bound, NdisStatus> {
        if adapter.name != self.0.plan.adapter {
            return Err(NdisStatus::NOT_SUPPORTED);
        }
        Ok(Bound::client(self.clone()))
    }
}

impl BindingLife<ClientRole> for Client {
    fn restart<'a>(
        &self,
        _: Binding<'_, ClientRole>,
        token: Token<'a, RestartBinding>,
    ) -> Answer<'a, RestartBinding> {
        self.0.lock().running = true;
        self.0.ledger.touch();
        token.done(())
    }

    fn removing(&self, _: Binding<'_, ClientRole>) {
        self.0.stop();
    }

    fn unbind<'a>(&self, _: Binding<'_, ClientRole>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
        let (unbind, answer) = token.pend();
        self.0.lock().unbinds.push(unbind);
        self.0.stop();
        answer
    }
}

impl ClientBinding for Client {
    fn af_register_notify(&self, binding: Binding<'_, ClientRole>, family: AddressFamily) {
        {
            let mut mine = self.0.lock();
            if family != AddressFamily::PPP || mine.stopping || !matches!(mine.af, AfStage::None) {
                return;
            }
            mine.af = AfStage::Opening;
        }
        match binding.open_address_family(family, Box::new(self.clone())) {
            Outcome::Done(Ok(af)) => self.0.opened(af.at(), Ok(())),
            Outcome::Done(Err(status)) => self.0.not_opened(status),
            Outcome::Pending => {}
        }
    }
}

impl ClientAf for Client {
    fn open_complete(&self, af: Af<'_, ClientRole>, result: Result<(), NdisStatus>) {
        self.0.opened(af, result);
    }

    fn close_complete(&self, _: Result<(), NdisStatus>) {
        self.0.af_closed();
    }

    fn notify_close<'a>(
        &self,
        _: Af<'_, ClientRole>,
        token: Token<'a, NotifyCloseAf>,
    ) -> Answer<'a, NotifyCloseAf> {
        let (notice, answer) = token.pend();
        self.0.lock().notices.push(notice);
        self.0.stop();
        answer
    }

    fn create_vc(&self, _: Af<'_, ClientRole>, _: VcId) -> Result<Box<dyn ClientVc>, NdisStatus> {
        Ok(Box::new(CallObject(LabCall::to_take(&self.0))))
    }
}

/// A SAP of the client, by its place among those offered.
struct OfferedSap(Arc<Shared>, usize);

impl ClientSap for OfferedSap {
    fn register_complete(&self, sap: SapRef<'_, ClientRole>, result: Result<(), NdisStatus>) {
        self.0.registered(self.1, result.map(|()| sap.keep()));
    }

    fn deregister_complete(&self, _: Result<(), NdisStatus>) {
        self.0.lock().saps[self.1] = SapStage::Gone;
        self.0.wind_up();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Mine> {
        self.mine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(self: &Arc<Self>, af: Af<'_, ClientRole>, result: Result<(), NdisStatus>) {
        if let Err(status) = result {
            return self.not_opened(status);
        }
        let offers = {
            let mut mine = self.lock();
            mine.af = AfStage::Open(af.keep());
            let count = if mine.stopping { 0 } else { self.plan.offers.len() };
            mine.saps = (0..count).map(|_| SapStage::Registering).collect();
            &self.plan.offers[..count]
        };
        for (index, offer) in offers.iter().enumerate() {
            let object = OfferedSap(self.clone(), index);
            if let Outcome::Done(result) = af.register_sap(service_sap(offer), Box::new(object)) {
                self.registered(index, result);
            }
        }
        self.ledger.touch();
        self.dial_next();
        self.wind_up();
    }

    fn not_opened(self: &Arc<Self>, status: NdisStatus) {
        {
            let mut mine = self.lock();
            mine.af = AfStage::Closed;
            mine.problem = Some(format!("its address family could not be opened: {status}"));
        }
        self.ledger.touch();
        self.wind_up();
    }

    fn registered(self: &Arc<Self>, index: usize, result: Result<HeldSap<ClientRole>, NdisStatus>) {
        {
            let mut mine = self.lock();
            match result {
                Ok(sap) => mine.saps[index] = SapStage::Registered(sap),
                Err(status) => {
                    let offer = &self.plan.offers[index];
                    mine.saps[index] = SapStage::Gone;
                    mine.problem = Some(format!("service \"{offer}\" could not be offered: {status}"));
                }
            }
        }
        self.ledger.touch();
        self.wind_up();
    }

    /// Makes the next call, if it is time.
    pub(super) fn dial_next(self: &Arc<Self>) {
        let (af, plan, number) = {
            let mut mine = self.lock();
            let AfStage::Open(af) = &mine.af else { return };
            let af = af.clone();
            let dialing = mine.calls.values().any(|call| call.is_dialing());
            if !mine.started || mine.stopping || dialing {
                return;
            }
            match mine.to_make.front() {
                Some(planned) if !planned.later || mine.released && mine.calls.is_empty() => {}
                _ => return,
            }
            let Some(planned) = mine.to_make.pop_front() else { return };
            mine.made += 1;
            (af, planned.plan, mine.made)
        };
        let call = LabCall::to_make(self, plan, number);
        self.lock().calls.insert(call.entry(), call.clone());
        call.dial(af.at());
    }

    /// Lets the next ready call be closed, if none is being closed.
    pub(super) fn go_on(self: &Arc<Self>) {
        let next = {
            let mine = self.lock();
            let closing = mine.calls.values().any(|call| call.is_ending());
            if !mine.released || mine.stopping || closing {
                return;
            }
            mine.calls.values().find(|call| call.is_ready()).cloned()
        };
        match next {
            Some(call) => call.proceed(),
            None => self.dial_next(),
        }
    }

    /// A call comes in. Nothing if none is taken any more.
    pub(super) fn take(&self, call: &Arc<LabCall>) -> bool {
        let mut mine = self.lock();
        if mine.stopping {
            return false;
        }
        mine.taken += 1;
        let entry = call.enter(mine.taken);
        mine.calls.insert(entry, call.clone());
        true
    }

    /// A call is over, and its VC inactive.
    pub(super) fn over(self: &Arc<Self>, entry: Entry) {
        self.lock().calls.remove(&entry);
        self.go_on();
        self.dial_next();
        self.wind_up();
    }

    fn stop(self: &Arc<Self>) {
        self.lock().stopping = true;
        self.wind_up();
    }

    /// Takes the next step towards the end, once it was asked for: calls, then SAPs, then the address family.
    fn wind_up(self: &Arc<Self>) {
        let step = {
            let mut mine = self.lock();
            if !mine.stopping {
                return;
            }
            mine.next_step()
        };
        match step {
            Step::Close(calls) => calls.iter().for_each(LabCall::stop),
            Step::Deregister(saps) => {
                for sap in saps {
                    // A refusal means that it is on its way out already, and its end is told all the same.
                    let _ = sap.at().deregister();
                }
            }
            Step::CloseAf(af) => match af.at().close() {
                Outcome::Done(_) => self.af_closed(),
                Outcome::Pending => {}
            },
            Step::Answer(unbinds, notices) => {
                notices.into_iter().for_each(|notice| notice.complete(Ok(())));
                unbinds.into_iter().for_each(|unbind| unbind.complete(()));
                self.ledger.touch();
            }
            Step::Wait => {}
        }
    }

    fn af_closed(self: &Arc<Self>) {
        self.lock().af = AfStage::Closed;
        self.wind_up();
    }
}

impl Mine {
    fn next_step(&mut self) -> Step {
        if !self.calls.is_empty() {
            return Step::Close(self.calls.values().cloned().collect());
        }
        let saps: Vec<_> = self.saps.iter_mut().filter_map(SapStage::take).collect();
        if !saps.is_empty() {
            return Step::Deregister(saps);
        }
        if self.saps.iter().any(|sap| !matches!(sap, SapStage::Gone)) {
            return Step::Wait;
        }
        match std::mem::take(&mut self.af) {
            AfStage::Open(af) => {
                self.af = AfStage::Closing;
                Step::CloseAf(af)
            }
            stage @ (AfStage::None | AfStage::Closed) => {
                self.af = stage;
                Step::Answer(std::mem::take(&mut self.unbinds), std::mem::take(&mut self.notices))
            }
            stage @ (AfStage::Opening | AfStage::Closing) => {
                self.af = stage;
                Step::Wait
            }
        }
    }
}

impl SapStage {
    fn take(&mut self) -> Option<HeldSap<ClientRole>> {
        match std::mem::replace(self, SapStage::Deregistering) {
            SapStage::Registered(sap) => Some(sap),
            other => {
                *self = other;
                None
            }
        }
    }
}
