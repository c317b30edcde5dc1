//! The client driver of `call` and `listen`: its binding, its address family, its SAP, and one call at a time.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use condis::adapter::AdapterInfo;
use condis::af::{Af, HeldAf};
use condis::binding::Binding;
use condis::driver::{BindingLife, Bound, ClientAf, ClientBinding, ClientSap, ClientVc, Protocol};
use condis::nbl::Pool;
use condis::oid::{About, OidAnswer, OidRequest, code};
use condis::params::{AddressFamily, CallParams, Sap};
use condis::role::Client as ClientRole;
use condis::runtime::{Lane, Runtime};
use condis::sap::{HeldSap, SapRef};
use condis::status::NdisStatus;
use condis::token::{Answer, NotifyCloseAf, Oid, Outcome, Pended, RestartBinding, Token, Unbind};
use condis::trace::VcId;
use condis_atm::addr::AtmAddress;
use condis_atm::driver::{addresses_of, get_addresses_request};

use super::call::{CallObject, OneCall};
use super::pump::Pump;
use super::words::Words;
use super::{Ended, Ending};

/// The driver. A clone is the same.
#[derive(Clone)]
pub(super) struct Terminal(pub(super) Arc<Shared>);

/// What it is to do.
pub(super) struct Plan {
    pub(super) family: AddressFamily,
    pub(super) role: Role,
    pub(super) framed: bool,
    /// Octets of data in one SDU at most.
    pub(super) sdu_octets: usize,
    /// Silence after which the call is closed.
    pub(super) idle: Option<Duration>,
    pub(super) words: Words,
}

pub(super) enum Role {
    Call { params: CallParams, keep: bool },
    Listen { sap: Sap, many: bool },
}

pub(super) struct Shared {
    pub(super) plan: Plan,
    pub(super) pump: Pump,
    pub(super) pool: Pool,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) lane: Lane,
    /// Says something to the user.
    pub(super) say: Box<dyn Fn(&str) + Send + Sync>,
    /// No driver and no NDIS is called under this lock.
    mine: Mutex<Mine>,
    changed: Condvar,
}

#[derive(Default)]
struct Mine {
    af: AfStage,
    sap: SapStage,
    call: Option<Arc<OneCall>>,
    calls: usize,
    /// The call is up, or was.
    up: bool,
    /// Of ATM, as is the next.
    addresses: Vec<AtmAddress>,
    /// Calls can be signaled.
    signaling: bool,
    running: bool,
    stopping: bool,
    problem: Option<String>,
    /// How the last call ended, and how many did.
    ended: Option<Ended>,
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

#[derive(Default)]
enum SapStage {
    #[default]
    None,
    Registering,
    Registered(HeldSap<ClientRole>),
    Deregistering,
}

/// What is to be done next in order to stop.
enum Step {
    Close(Arc<OneCall>),
    Deregister(HeldSap<ClientRole>),
    CloseAf(HeldAf<ClientRole>),
    Answer(Vec<Pended<Unbind>>, Vec<Pended<NotifyCloseAf>>),
    Wait,
}

/// Where the terminal stands, for who waits.
pub(super) enum Stand {
    ComingUp,
    Ready,
    Ended(Ended),
    Problem(String),
}

impl Terminal {
    pub(super) fn new(
        plan: Plan,
        pump: Pump,
        pool: Pool,
        runtime: Arc<dyn Runtime>,
        say: Box<dyn Fn(&str) + Send + Sync>,
    ) -> Terminal {
        let lane = runtime.open_lane("terminal");
        let (mine, changed) = (Mutex::default(), Condvar::new());
        Terminal(Arc::new(Shared { plan, pump, pool, runtime, lane, say, mine, changed }))
    }

    /// Makes its call.
    pub(super) fn dial(&self) {
        let Role::Call { params, .. } = &self.0.plan.role else { return };
        let (terminal, params) = (self.0.clone(), params.clone());
        self.0.runtime.defer(
            self.0.lane,
            Box::new(move || {
                let (af, call) = {
                    let mut mine = terminal.lock();
                    let AfStage::Open(af) = &mine.af else { return };
                    if mine.stopping {
                        return;
                    }
                    let af = af.clone();
                    let call = OneCall::new(&terminal);
                    mine.call = Some(call.clone());
                    (af, call)
                };
                call.dial(af.at(), params);
            }),
        );
    }

    /// There is input, or the output took something.
    pub(super) fn kick(&self) {
        let call = self.0.lock().call.clone();
        if let Some(call) = call {
            call.kick();
        }
    }

    /// Waits until something changes, at most `timeout`, and tells how it stands.
    pub(super) fn wait(&self, timeout: Duration) -> Stand {
        let is_atm = self.0.plan.family == AddressFamily::Q2931;
        let mine = self.0.lock();
        if matches!(mine.stand(is_atm), Stand::ComingUp | Stand::Ready) {
            let waited = self.0.changed.wait_timeout(mine, timeout);
            return waited.unwrap_or_else(PoisonError::into_inner).0.stand(is_atm);
        }
        mine.stand(is_atm)
    }

    /// Forgets how the last call ended, to take the next.
    pub(super) fn go_on(&self) {
        self.0.lock().ended = None;
    }

    /// Closes the call, with this ending.
    pub(super) fn hang_up(&self, ending: Ending) {
        let call = self.0.lock().call.clone();
        if let Some(call) = call {
            self.0.runtime.defer(self.0.lane, Box::new(move || call.stop(ending)));
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.0.lock().up
    }

    /// The first address of this end, of ATM.
    pub(super) fn address(&self) -> Option<AtmAddress> {
        self.0.lock().addresses.first().cloned()
    }

    /// What it waits for while it comes up.
    pub(super) fn waits_for(&self) -> &'static str {
        let mine = self.0.lock();
        match mine.af {
            AfStage::Open(_) if !mine.addresses.is_empty() => {
                "signaling does not come up: nobody answers at the other end of the line"
            }
            AfStage::Open(_) => {
                "this end has no address: no ILMI answers at the other end of the line; give --own-address"
            }
            _ => "no address family was announced",
        }
    }

    pub(super) fn has_call(&self) -> bool {
        self.0.lock().call.is_some()
    }
}

impl Protocol for Terminal {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
        Ok(Bound::client(self.clone()))
    }
}

impl BindingLife<ClientRole> for Terminal {
    fn restart<'a>(
        &self,
        _: Binding<'_, ClientRole>,
        token: Token<'a, RestartBinding>,
    ) -> Answer<'a, RestartBinding> {
        self.0.lock().running = true;
        self.0.changed.notify_all();
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

impl ClientBinding for Terminal {
    fn af_register_notify(&self, binding: Binding<'_, ClientRole>, family: AddressFamily) {
        {
            let mut mine = self.0.lock();
            if family != self.0.plan.family || mine.stopping || !matches!(mine.af, AfStage::None) {
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

impl ClientAf for Terminal {
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

    /// There are other addresses, which are asked for (CO-196), or signaling came or went.
    fn oid_request<'a>(
        &self,
        af: Af<'_, ClientRole>,
        _: About,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        let status = match request.oid {
            code::CO_ADDRESS_CHANGE => {
                let (terminal, af) = (self.0.clone(), af.keep());
                let ask = move || {
                    let asked = af.at().oid_request(About::Af, get_addresses_request(ADDRESSES_MAX));
                    if let Outcome::Done(answer) = asked {
                        terminal.answered(&answer);
                    }
                };
                self.0.runtime.defer(self.0.lane, Box::new(ask));
                NdisStatus::SUCCESS
            }
            code::CO_SIGNALING_ENABLED | code::CO_SIGNALING_DISABLED => {
                self.0.lock().signaling = request.oid == code::CO_SIGNALING_ENABLED;
                self.0.changed.notify_all();
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
        Ok(Box::new(CallObject(OneCall::new(&self.0))))
    }
}

struct ListenedSap(Arc<Shared>);

impl ClientSap for ListenedSap {
    fn register_complete(&self, sap: SapRef<'_, ClientRole>, result: Result<(), NdisStatus>) {
        self.0.registered(result.map(|()| sap.keep()));
    }

    fn deregister_complete(&self, _: Result<(), NdisStatus>) {
        self.0.lock().sap = SapStage::None;
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
        let sap = {
            let mut mine = self.lock();
            mine.af = AfStage::Open(af.keep());
            match &self.plan.role {
                Role::Listen { sap, .. } if !mine.stopping => {
                    mine.sap = SapStage::Registering;
                    Some(sap.clone())
                }
                _ => None,
            }
        };
        if let Some(sap) = sap
            && let Outcome::Done(result) = af.register_sap(sap, Box::new(ListenedSap(self.clone())))
        {
            self.registered(result);
        }
        self.changed.notify_all();
        self.wind_up();
    }

    /// The manager has told its addresses.
    fn answered(&self, answer: &OidAnswer) {
        let Some(request) = &answer.request else { return };
        let Ok(addresses) = addresses_of(request) else { return };
        self.lock().addresses = addresses;
        self.changed.notify_all();
    }

    fn not_opened(self: &Arc<Self>, status: NdisStatus) {
        {
            let mut mine = self.lock();
            mine.af = AfStage::Closed;
            mine.problem = Some(format!("the address family cannot be opened: {status}"));
        }
        self.changed.notify_all();
        self.wind_up();
    }

    fn registered(self: &Arc<Self>, result: Result<HeldSap<ClientRole>, NdisStatus>) {
        {
            let mut mine = self.lock();
            match result {
                Ok(sap) => mine.sap = SapStage::Registered(sap),
                Err(status) => {
                    mine.sap = SapStage::None;
                    mine.problem = Some(format!("calls cannot be taken there: {status}"));
                }
            }
        }
        self.changed.notify_all();
        self.wind_up();
    }

    /// A call comes in. False if it is to be refused: one is taken at a time, and without --many one in all.
    pub(super) fn take(&self, call: &Arc<OneCall>) -> bool {
        let Role::Listen { many, .. } = &self.plan.role else { return false };
        let mut mine = self.lock();
        if mine.stopping || mine.call.is_some() || mine.calls > 0 && !many {
            return false;
        }
        if mine.calls > 0 {
            call.without_input();
        }
        mine.calls += 1;
        mine.call = Some(call.clone());
        true
    }

    pub(super) fn call_up(&self, vc: VcId, params: &CallParams) {
        self.lock().up = true;
        (self.say)(&format!(
            "up: {}",
            self.plan.words.connected(vc, params, matches!(self.plan.role, Role::Listen { .. }))
        ));
    }

    pub(super) fn call_over(self: &Arc<Self>, call: &Arc<OneCall>, ended: Ended) {
        {
            let mut mine = self.lock();
            // An offer that was refused was never ours.
            if mine.call.take_if(|ours| Arc::ptr_eq(ours, call)).is_some() {
                mine.ended = Some(ended);
            }
        }
        self.changed.notify_all();
        self.wind_up();
    }

    fn stop(self: &Arc<Self>) {
        self.lock().stopping = true;
        self.wind_up();
    }

    /// Takes the next step towards the end, once it was asked for: the call, then the SAP, then the address family.
    fn wind_up(self: &Arc<Self>) {
        let step = {
            let mut mine = self.lock();
            if !mine.stopping {
                return;
            }
            mine.next_step()
        };
        match step {
            Step::Close(call) => call.stop(Ending::Stopped),
            Step::Deregister(sap) => {
                // A refusal means that it is on its way out already, and its end is told all the same.
                let _ = sap.at().deregister();
            }
            Step::CloseAf(af) => match af.at().close() {
                Outcome::Done(_) => self.af_closed(),
                Outcome::Pending => {}
            },
            Step::Answer(unbinds, notices) => {
                notices.into_iter().for_each(|notice| notice.complete(Ok(())));
                unbinds.into_iter().for_each(|unbind| unbind.complete(()));
                self.changed.notify_all();
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
    fn stand(&self, is_atm: bool) -> Stand {
        if let Some(ended) = &self.ended {
            Stand::Ended(ended.clone())
        } else if let Some(problem) = &self.problem {
            Stand::Problem(problem.clone())
        } else if self.stopping {
            Stand::Problem("the adapter went away".to_owned())
        } else if self.running
            && (!is_atm || self.signaling && !self.addresses.is_empty())
            && matches!(self.af, AfStage::Open(_))
            && matches!(self.sap, SapStage::None | SapStage::Registered(_))
        {
            Stand::Ready
        } else {
            Stand::ComingUp
        }
    }

    fn next_step(&mut self) -> Step {
        if let Some(call) = &self.call {
            return Step::Close(call.clone());
        }
        match std::mem::replace(&mut self.sap, SapStage::Deregistering) {
            SapStage::None => self.sap = SapStage::None,
            SapStage::Registered(sap) => return Step::Deregister(sap),
            stage => {
                self.sap = stage;
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

/// Addresses that are asked for: more than one interface has.
const ADDRESSES_MAX: usize = 64;
