//! The client of the scenarios: it does what it is told, writes down what it hears, and knows nothing of its manager's kind.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use condis::adapter::AdapterInfo;
use condis::af::{Af, HeldAf};
use condis::binding::Binding;
use condis::driver::{BindingLife, Bound, ClientAf, ClientBinding, ClientVc, Connected, Protocol};
use condis::nbl::{CancelId, Chain, Pool, PoolConfig};
use condis::oid::OidRequest;
use condis::params::{AddressFamily, CallParams, CloseData};
use condis::role::Client;
use condis::sap::{HeldSap, SapRef};
use condis::status::NdisStatus;
use condis::token::{Answer, IncomingCall, Outcome, Pended, Refused, Token, Unbind};
use condis::trace::VcId;
use condis::vc::{HeldVc, OwnedVc, Receives, Vc};
use condis_wan::pppoe::driver::{CallTarget, IncomingHost, service_sap};

/// What a client answers an offer with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    Accept,
    Reject(NdisStatus),
    /// Later, by [`TestClient::answer`].
    Pend,
}

/// A client. A clone is the same.
#[derive(Clone)]
pub struct TestClient(Arc<Shared>);

struct Shared {
    service: Option<&'static str>,
    pool: Pool,
    state: Mutex<State>,
    changes: Mutex<u64>,
    changed: Condvar,
}

struct State {
    policy: Policy,
    /// Answers a remote close with a close at once.
    closes: bool,
    /// Sends back what comes in.
    echoes: bool,
    binding: Option<condis::binding::HeldBinding<Client>>,
    af: Option<HeldAf<Client>>,
    sap: Option<HeldSap<Client>>,
    calls: BTreeMap<VcId, OneCall>,
    offers: Vec<(Pended<IncomingCall>, CallParams)>,
    unbind: Option<Pended<Unbind>>,
    heard: Vec<String>,
    received: Vec<u8>,
    sent: BTreeMap<String, usize>,
    last: Option<CallParams>,
}

struct OneCall {
    vc: HeldVc<Client>,
    owner: Option<OwnedVc<Client>>,
    /// There is a call, in whatever state.
    busy: bool,
    up: bool,
}

impl TestClient {
    pub fn new(service: Option<&'static str>) -> TestClient {
        let pool = Pool::new(PoolConfig { capacity: 16_384, ..PoolConfig::default() });
        let state = State {
            policy: Policy::Accept,
            closes: true,
            echoes: false,
            binding: None,
            af: None,
            sap: None,
            calls: BTreeMap::new(),
            offers: Vec::new(),
            unbind: None,
            heard: Vec::new(),
            received: Vec::new(),
            sent: BTreeMap::new(),
            last: None,
        };
        let (changes, changed) = (Mutex::default(), Condvar::new());
        TestClient(Arc::new(Shared { service, pool, state: Mutex::new(state), changes, changed }))
    }

    /// Waits until it is so. Whatever changes a client's state is followed by its waking up those who wait.
    pub fn wait(&self, so: impl Fn(&TestClient) -> bool, patience: Duration) {
        let mut changes = self.0.changes.lock().unwrap();
        while !so(self) {
            let (guard, timeout) = self.0.changed.wait_timeout(changes, patience).unwrap();
            assert!(!timeout.timed_out(), "heard {:?}", self.heard());
            changes = guard;
        }
    }

    fn wake(&self) {
        *self.0.changes.lock().unwrap() += 1;
        self.0.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    // What a scenario does

    pub fn policy(&self, policy: Policy) {
        self.lock().policy = policy;
    }

    pub fn closes(&self, closes: bool) {
        self.lock().closes = closes;
    }

    pub fn echoes(&self) {
        self.lock().echoes = true;
    }

    /// Makes a VC.
    pub fn create(&self) -> VcId {
        let af = self.lock().af.clone().expect("the AF is open");
        let owner = af.at().create_vc(Box::new(self.clone())).expect("a VC is made");
        let (id, vc) = (owner.id(), owner.keep());
        self.lock().calls.insert(id, OneCall { vc, owner: Some(owner), busy: false, up: false });
        id
    }

    /// Calls on a VC.
    pub fn dial(&self, id: VcId, target: &CallTarget) {
        let vc = self.vc(id);
        self.with(id, |call| call.busy = true);
        if let Outcome::Done(result) = vc.at().make_call(target.to_params(), None) {
            self.made(vc.at(), result);
        }
    }

    /// Closes a call.
    pub fn close(&self, id: VcId) {
        let vc = self.vc(id);
        self.close_vc(vc.at());
    }

    pub fn close_with(&self, id: VcId, data: CloseData) -> Outcome<Result<(), NdisStatus>> {
        self.vc(id).at().close_call(data)
    }

    /// Answers the oldest pended offer.
    pub fn answer(&self, accept: bool) {
        let (pended, params) = self.lock().offers.remove(0);
        let refused = Refused::with(NdisStatus::RESOURCES, params.clone());
        pended.complete(if accept { Ok(params) } else { Err(refused) });
    }

    /// Sends SDUs on a VC, in one chain.
    pub fn send(&self, id: VcId, sdus: impl IntoIterator<Item = Vec<u8>>) {
        let chain: Chain =
            sdus.into_iter().map(|sdu| self.0.pool.alloc_copy(&sdu).expect("the pool has room")).collect();
        self.vc(id).at().send(chain);
    }

    /// Sends SDUs that can be cancelled.
    pub fn send_cancellable(&self, id: VcId, sdus: usize, octets: usize, cancel: CancelId) {
        let chain: Chain = (0..sdus)
            .map(|_| {
                let mut nbl = self.0.pool.alloc_copy(&vec![0; octets]).expect("the pool has room");
                nbl.set_cancel_id(Some(cancel));
                nbl
            })
            .collect();
        self.vc(id).at().send(chain);
    }

    pub fn cancel(&self, cancel: CancelId) {
        let binding = self.lock().binding.clone().expect("bound");
        binding.at().cancel_sends(cancel);
    }

    /// Asks the miniport, about a VC or the adapter.
    pub fn query(&self, id: Option<VcId>, oid: u32, room: usize) -> Result<Vec<u8>, NdisStatus> {
        let binding = self.lock().binding.clone().expect("bound");
        let vc = id.map(|id| self.vc(id));
        let outcome = binding.at().oid_request(vc.as_ref().map(HeldVc::at), OidRequest::query(oid, room));
        let answer = outcome.done().expect("answered at once");
        answer.status.ok()?;
        Ok(answer.request.expect("it comes back").written().to_vec())
    }

    pub fn delete(&self, id: VcId) {
        let owner = self.lock().calls.remove(&id).and_then(|call| call.owner);
        if let Some(owner) = owner {
            owner.delete().expect("inactive and without a call");
        }
    }

    // What it knows

    pub fn heard(&self) -> Vec<String> {
        self.lock().heard.clone()
    }

    pub fn received(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock().received)
    }

    pub fn received_len(&self) -> usize {
        self.lock().received.len()
    }

    /// True once it takes calls, if it is to.
    pub fn is_ready(&self) -> bool {
        let state = self.lock();
        state.af.is_some() && (self.0.service.is_none() || state.sap.is_some())
    }

    /// Sends that came back, by status.
    pub fn sent(&self) -> BTreeMap<String, usize> {
        self.lock().sent.clone()
    }

    pub fn outstanding(&self) -> usize {
        self.0.pool.outstanding()
    }

    /// The parameters of the last call that came up or in.
    pub fn last_params(&self) -> Option<CallParams> {
        self.lock().last.clone()
    }

    /// The calls that are up.
    pub fn up(&self) -> Vec<VcId> {
        self.lock().calls.iter().filter(|(_, call)| call.up).map(|(id, _)| *id).collect()
    }

    // Inside

    fn vc(&self, id: VcId) -> HeldVc<Client> {
        self.lock().calls[&id].vc.clone()
    }

    fn with(&self, id: VcId, change: impl FnOnce(&mut OneCall)) {
        if let Some(call) = self.lock().calls.get_mut(&id) {
            change(call);
        }
    }

    fn hear(&self, what: impl Into<String>) {
        self.lock().heard.push(what.into());
        self.wake();
    }

    fn made(&self, vc: Vc<'_, Client>, result: Result<Connected, Refused>) {
        match result {
            Ok(connected) => {
                self.with(vc.id(), |call| call.up = true);
                self.lock().last = Some(connected.params);
                self.hear("made");
            }
            Err(refused) => {
                self.with(vc.id(), |call| call.busy = false);
                self.hear(format!("make failed {}", refused.status));
            }
        }
        self.leave_if_idle();
    }

    fn close_vc(&self, vc: Vc<'_, Client>) {
        self.with(vc.id(), |call| call.up = false);
        if let Outcome::Done(result) = vc.close_call(CloseData::new()) {
            self.closed(vc.id(), result);
        }
    }

    fn closed(&self, id: VcId, result: Result<(), NdisStatus>) {
        self.hear(format!("closed {}", NdisStatus::of(&result)));
        self.with(id, |call| call.busy = false);
        self.leave_if_idle();
    }

    /// On the way out: when every call is over, VCs, SAP and AF go, in this order.
    fn leave_if_idle(&self) {
        let (owners, sap, af) = {
            let mut state = self.lock();
            if state.unbind.is_none() || state.calls.values().any(|call| call.busy) {
                return;
            }
            let calls = std::mem::take(&mut state.calls);
            let owners: Vec<_> = calls.into_values().filter_map(|call| call.owner).collect();
            (owners, state.sap.take(), state.af.take())
        };
        for owner in owners {
            owner.retire();
        }
        if let Some(sap) = sap {
            sap.at().deregister().expect("registered");
        }
        match af {
            Some(af) => self.close_af(af),
            None => self.af_closed(Ok(())),
        }
    }

    /// A VC that was given to NDIS to be deleted may still be there, while another thread is in an upcall of it: then the
    /// close is refused, and tried again.
    fn close_af(&self, af: HeldAf<Client>) {
        match af.at().close() {
            Outcome::Done(Err(NdisStatus::FAILURE)) => {
                let binding = self.lock().binding.clone().expect("bound until it is closed");
                let (client, at) = (self.clone(), binding.at());
                at.runtime().defer(at.lane(), Box::new(move || client.close_af(af)));
            }
            Outcome::Done(result) => self.af_closed(result),
            Outcome::Pending => {}
        }
    }

    fn af_closed(&self, result: Result<(), NdisStatus>) {
        result.expect("everything on it is gone");
        let (unbind, binding) = {
            let mut state = self.lock();
            (state.unbind.take(), state.binding.take())
        };
        drop(binding);
        if let Some(unbind) = unbind {
            unbind.complete(());
        }
    }
}

impl Protocol for TestClient {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
        Ok(Bound::client(self.clone()))
    }
}

impl BindingLife<Client> for TestClient {
    fn opened(&self, binding: Binding<'_, Client>) -> Result<(), NdisStatus> {
        self.lock().binding = Some(binding.keep());
        Ok(())
    }

    fn unbind<'a>(&self, _: Binding<'_, Client>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
        let (pended, answer) = token.pend();
        let busy: Vec<_> = {
            let mut state = self.lock();
            state.unbind = Some(pended);
            state.calls.values().filter(|call| call.busy).map(|call| call.vc.clone()).collect()
        };
        for vc in busy {
            self.close_vc(vc.at());
        }
        self.leave_if_idle();
        answer
    }
}

impl ClientBinding for TestClient {
    fn af_register_notify(&self, binding: Binding<'_, Client>, family: AddressFamily) {
        assert_eq!(family, AddressFamily::PPP);
        if let Outcome::Done(Ok(af)) = binding.open_address_family(family, Box::new(self.clone())) {
            self.open_complete(af.at(), Ok(()));
        }
    }
}

impl ClientAf for TestClient {
    fn open_complete(&self, af: Af<'_, Client>, result: Result<(), NdisStatus>) {
        result.expect("it opens");
        self.lock().af = Some(af.keep());
        self.wake();
        let Some(service) = self.0.service else { return };
        match af.register_sap(service_sap(service), Box::new(())) {
            Outcome::Done(Ok(sap)) => {
                self.lock().sap = Some(sap);
                self.wake();
            }
            other => panic!("the SAP: {other:?}"),
        }
    }

    fn close_complete(&self, result: Result<(), NdisStatus>) {
        self.af_closed(result);
    }

    fn create_vc(&self, _: Af<'_, Client>, _: VcId) -> Result<Box<dyn ClientVc>, NdisStatus> {
        Ok(Box::new(self.clone()))
    }
}

impl ClientVc for TestClient {
    fn receive(&self, vc: Vc<'_, Client>, batch: &mut Receives<'_>) {
        let sdus: Vec<Vec<u8>> =
            batch.iter().map(|nbl| nbl.first().contiguous().expect("in one piece").to_vec()).collect();
        let echoes = {
            let mut state = self.lock();
            state.received.extend(sdus.iter().flatten());
            state.echoes
        };
        self.wake();
        if echoes {
            let chain: Chain =
                sdus.iter().map(|sdu| self.0.pool.alloc_copy(sdu).expect("the pool has room")).collect();
            vc.send(chain);
        }
    }

    fn send_complete(&self, _: Vc<'_, Client>, chain: Chain) {
        let mut state = self.lock();
        for nbl in chain.iter() {
            *state.sent.entry(nbl.status().to_string()).or_default() += 1;
        }
    }

    fn make_call_complete(&self, vc: Vc<'_, Client>, result: Result<Connected, Refused>) {
        self.made(vc, result);
    }

    fn close_call_complete(&self, vc: Vc<'_, Client>, result: Result<(), NdisStatus>) {
        self.closed(vc.id(), result);
    }

    fn incoming_call<'a>(
        &self,
        vc: Vc<'_, Client>,
        _: SapRef<'_, Client>,
        params: CallParams,
        token: Token<'a, IncomingCall>,
    ) -> Answer<'a, IncomingCall> {
        let host = IncomingHost::from_params(&params).expect("an offer says who calls");
        self.hear(format!("offered {}", String::from_utf8_lossy(&host.service_name)));
        let policy = {
            let mut state = self.lock();
            state.last = Some(params.clone());
            if !matches!(state.policy, Policy::Reject(_)) {
                state.calls.insert(vc.id(), OneCall { vc: vc.keep(), owner: None, busy: true, up: false });
            }
            state.policy
        };
        match policy {
            Policy::Accept => token.done(Ok(params)),
            Policy::Reject(status) => token.done(Err(Refused::with(status, params))),
            Policy::Pend => {
                let (pended, answer) = token.pend();
                self.lock().offers.push((pended, params));
                answer
            }
        }
    }

    fn call_connected(&self, vc: Vc<'_, Client>) {
        self.with(vc.id(), |call| call.up = true);
        self.hear("connected");
    }

    fn incoming_close_call(&self, vc: Vc<'_, Client>, status: NdisStatus, _: CloseData) {
        self.hear(format!("remote close {status}"));
        self.with(vc.id(), |call| call.up = false);
        if self.lock().closes {
            self.close_vc(vc);
        }
    }

    /// The manager deletes the VC of an incoming call.
    fn delete(&self) -> Result<(), NdisStatus> {
        self.hear("deleted");
        self.lock().calls.retain(|_, call| call.owner.is_some() || call.busy);
        Ok(())
    }
}
