//! The client apart from its calls: its binding, its address family, its SAPs, and what it does when.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use condis::adapter::AdapterInfo;
use condis::af::{Af, HeldAf};
use condis::binding::Binding;
use condis::driver::{BindingLife, Bound, ClientAf, ClientBinding, ClientSap, ClientVc, Protocol};
use condis::nbl::{Pool, PoolConfig};
use condis::oid::{About, OidAnswer, OidRequest, code};
use condis::params::{AddressFamily, Sap};
use condis::role::Client as ClientRole;
use condis::runtime::{Lane, Runtime};
use condis::sap::{HeldSap, SapRef};
use condis::status::NdisStatus;
use condis::token::{Answer, NotifyCloseAf, Oid, Outcome, Pended, RestartBinding, Token, Unbind};
use condis::trace::VcId;
use condis_link::atm::VpVc;
use condis_wan::pppoe::driver::service_sap;

use super::call::LabCall;
use super::ledger::{Entry, Ledger};
use super::object::CallObject;
use super::requests::PvcStage;
use crate::lab::{CallPlan, CallTo, ClientPlan, Offer};

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
    family: AddressFamily,
    /// No driver and no NDIS is called under this lock.
    mine: Mutex<Mine>,
}

#[derive(Default)]
pub(super) struct Mine {
    pub(super) af: AfStage,
    saps: Vec<SapStage>,
    /// The permanent connections that the manager is told of, and whether it knows them by now.
    pub(super) pvcs: Vec<(VpVc, PvcStage)>,
    pub(super) answered: bool,
    /// It has an address, which calls of ATM need.
    pub(super) addressed: bool,
    /// Calls can be signaled.
    signaling: bool,
    /// The calls that are not over.
    pub(super) calls: BTreeMap<Entry, Arc<LabCall>>,
    to_make: VecDeque<Planned>,
    made: usize,
    pub(super) taken: usize,
    /// The binding was restarted: data and signaling pass.
    running: bool,
    /// Calls may be made.
    started: bool,
    /// Calls need not wait for the others to be ready.
    released: bool,
    pub(super) stopping: bool,
    pub(super) problem: Option<String>,
    unbinds: Vec<Pended<Unbind>>,
    notices: Vec<Pended<NotifyCloseAf>>,
}

#[derive(Default)]
pub(super) enum AfStage {
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
    DeletePvcs(HeldAf<ClientRole>, Vec<VpVc>),
    CloseAf(HeldAf<ClientRole>),
    Answer(Vec<Pended<Unbind>>, Vec<Pended<NotifyCloseAf>>),
    Wait,
}

impl Client {
    /// A client of this family that does what `plan` says on a node with this runtime and lane. No SDU in the lab is longer than
    /// `sdu_octets_max`.
    pub fn new(
        node: &str,
        (plan, family): (ClientPlan, AddressFamily),
        ledger: Arc<Ledger>,
        (runtime, lane): (Arc<dyn Runtime>, Lane),
        sdu_octets_max: usize,
    ) -> Client {
        let rounds = plan.calls.iter().map(|call| call.times).max().unwrap_or(0);
        let to_make = (0..rounds)
            .flat_map(|round| {
                plan.calls.iter().filter(move |call| round < call.times).map(move |c| (round, c))
            })
            .map(|(round, plan)| Planned { plan: plan.clone(), later: round > 0 })
            .collect();
        // The headroom is for the headers of PPPoE, Ethernet and two VLAN tags.
        let data_size = sdu_octets_max.max(2048);
        let pool = Pool::new(PoolConfig { data_size, headroom: 64, capacity: 8192, ..Default::default() });
        let called = plan.calls.iter().filter_map(|call| match call.target {
            CallTo::Pvc(vpvc) => Some(vpvc),
            CallTo::Pppoe { .. } | CallTo::Atm(_) => None,
        });
        let mut pvcs: Vec<_> = plan.pvcs.iter().copied().chain(called).collect();
        pvcs.sort_unstable();
        pvcs.dedup();
        let pvcs = pvcs.into_iter().map(|vpvc| (vpvc, PvcStage::Gone)).collect();
        let mine = Mutex::new(Mine { to_make, pvcs, ..Mine::default() });
        Client(Arc::new(Shared { node: node.to_owned(), plan, ledger, pool, runtime, lane, family, mine }))
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

    /// True once its binding runs, its address family is open, every SAP registered and, of ATM, an
    /// address known and signaling up.
    pub fn is_ready(&self) -> bool {
        let mine = self.0.lock();
        mine.running
            && matches!(mine.af, AfStage::Open(_))
            && mine.saps.iter().all(|sap| matches!(sap, SapStage::Registered(_)))
            && mine.pvcs.iter().all(|(_, stage)| *stage == PvcStage::Added)
            && (mine.addressed && mine.signaling || self.0.family != AddressFamily::Q2931)
            && mine.problem.is_none()
    }

    /// Why it will never be ready.
    pub fn problem(&self) -> Option<String> {
        self.0.lock().problem.clone()
    }

    /// What it waits for, if it is not ready.
    pub fn waits_for(&self) -> &'static str {
        let mine = self.0.lock();
        match mine.af {
            AfStage::None => "no address family was announced on its adapter",
            AfStage::Open(_) if mine.addressed => {
                "signaling does not come up: nobody answers at the other end of its line"
            }
            AfStage::Open(_) => "it has no address: no ILMI answers at the other end of its line",
            _ => "its address family does not open",
        }
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
            if family != self.0.family || mine.stopping || !matches!(mine.af, AfStage::None) {
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

    /// Signaling came or went, or there are other addresses: then they are asked for (CO-196).
    fn oid_request<'a>(
        &self,
        af: Af<'_, ClientRole>,
        _: About,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        let status = match request.oid {
            code::CO_ADDRESS_CHANGE => {
                self.0.ask_addresses(af);
                NdisStatus::SUCCESS
            }
            code::CO_SIGNALING_ENABLED | code::CO_SIGNALING_DISABLED => {
                self.0.lock().signaling = request.oid == code::CO_SIGNALING_ENABLED;
                self.0.ledger.touch();
                NdisStatus::SUCCESS
            }
            _ => NdisStatus::NOT_SUPPORTED,
        };
        token.done(OidAnswer::new(status, request))
    }

    fn oid_request_complete(&self, _: Af<'_, ClientRole>, _: About, answer: OidAnswer) {
        self.0.answered(&answer);
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
    pub(super) fn lock(&self) -> MutexGuard<'_, Mine> {
        self.mine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(self: &Arc<Self>, af: Af<'_, ClientRole>, result: Result<(), NdisStatus>) {
        if let Err(status) = result {
            return self.not_opened(status);
        }
        let (offers, pvcs) = {
            let mut mine = self.lock();
            mine.af = AfStage::Open(af.keep());
            let count = if mine.stopping { 0 } else { self.plan.offers.len() };
            mine.saps = (0..count).map(|_| SapStage::Registering).collect();
            let pvcs = if mine.stopping { Vec::new() } else { mine.add_pvcs() };
            (&self.plan.offers[..count], pvcs)
        };
        for (index, offer) in offers.iter().enumerate() {
            let object = OfferedSap(self.clone(), index);
            if let Outcome::Done(result) = af.register_sap(sap_of(offer), Box::new(object)) {
                self.registered(index, result);
            }
        }
        self.add_pvcs(af, pvcs);
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
                    let offer = self.plan.offers[index].name();
                    mine.saps[index] = SapStage::Gone;
                    mine.problem = Some(format!("\"{offer}\" could not be offered: {status}"));
                }
            }
        }
        self.ledger.touch();
        self.wind_up();
    }

    /// Where a call came in, as the lab calls it.
    pub(super) fn offer_of(&self, sap: &Sap) -> String {
        let offer = self.plan.offers.iter().find(|offer| sap_of(offer) == *sap);
        offer.map_or_else(
            || String::from_utf8_lossy(&sap.address).into_owned(),
            |offer| offer.name().to_owned(),
        )
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
    pub(super) fn wind_up(self: &Arc<Self>) {
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
            Step::DeletePvcs(af, pvcs) => self.delete_pvcs(af.at(), pvcs),
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
        if let AfStage::Open(af) = &self.af {
            let added = self.pvcs.iter_mut().filter(|(_, stage)| *stage == PvcStage::Added);
            let added: Vec<_> = added
                .map(|(vpvc, stage)| {
                    *stage = PvcStage::Deleting;
                    *vpvc
                })
                .collect();
            if !added.is_empty() {
                return Step::DeletePvcs(af.clone(), added);
            }
            if self.pvcs.iter().any(|(_, stage)| *stage != PvcStage::Gone) {
                return Step::Wait;
            }
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

/// Where a client takes calls, as NDIS has it.
fn sap_of(offer: &Offer) -> Sap {
    match offer {
        Offer::Service(name) => service_sap(name),
        Offer::Atm(sap, _) => sap.to_sap(),
    }
}
