//! The client of the scenarios: it does what it is told, writes down what it hears, and knows nothing of its manager's kind.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use condis::adapter::AdapterInfo;
use condis::af::{Af, HeldAf};
use condis::binding::{Binding, HeldBinding};
use condis::driver::{
    BindingLife, Bound, ClientAf, ClientBinding, ClientParty, ClientVc, Connected, Protocol,
};
use condis::nbl::{Chain, Pool, PoolConfig};
use condis::oid::{About, OidAnswer, OidRequest, code};
use condis::params::{AddressFamily, CallFlags, CallParams, CloseData, Sap};
use condis::party::{HeldParty, Party};
use condis::role::Client;
use condis::sap::{HeldSap, SapRef};
use condis::status::NdisStatus;
use condis::token::{Answer, IncomingCall, NotifyCloseAf, Oid, Outcome, Pended, Refused, Token, Unbind};
use condis::trace::{ObjectId, VcId};
use condis::vc::{HeldVc, OwnedVc, Receives, Vc};
use condis_atm::addr::AtmAddress;
use condis_atm::driver::{AtmCall, AtmVcParams, CloseCause, addresses_of, get_addresses_request};

/// What a client answers an offer with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    Accept,
    /// With SDUs of at most so many octets both ways.
    Shorten(u32),
    Reject(NdisStatus),
    /// With changed parameters that say nothing.
    Garble,
    /// Later, by [`TestClient::answer`].
    Pend,
}

/// A client. A clone is the same.
#[derive(Clone)]
pub struct TestClient(Arc<Shared>);

struct Shared {
    saps: Vec<Sap>,
    pool: Pool,
    state: Mutex<State>,
    /// Notified whenever something was heard, told or received.
    changed: Condvar,
}

struct State {
    policy: Policy,
    /// Answers a remote close with a close, and a drop with a drop, at once.
    closes: bool,
    echoes: bool,
    /// Sends so many more SDUs, each when one has come back.
    refills: usize,
    binding: Option<HeldBinding<Client>>,
    af: Option<HeldAf<Client>>,
    saps: Vec<HeldSap<Client>>,
    calls: BTreeMap<VcId, OneCall>,
    offers: Vec<(Pended<IncomingCall>, CallParams)>,
    unbind: Option<Pended<Unbind>>,
    notified: Option<Pended<NotifyCloseAf>>,
    heard: Vec<String>,
    /// OIDs from the manager.
    told: Vec<u32>,
    received: Vec<u8>,
    sent: BTreeMap<String, usize>,
    last: Option<CallParams>,
    /// Of the last call that failed or that was changed.
    last_refused: Option<CallParams>,
}

struct OneCall {
    vc: HeldVc<Client>,
    owner: Option<OwnedVc<Client>>,
    /// There is a call, in whatever state.
    busy: bool,
    up: bool,
    /// A close is under way.
    closing: bool,
    parties: BTreeMap<ObjectId, HeldParty<Client>>,
}

/// The client's object for a party.
struct OneParty {
    client: TestClient,
    vc: VcId,
}

impl TestClient {
    pub fn new(saps: Vec<Sap>) -> TestClient {
        let pool = Pool::new(PoolConfig { capacity: 16_384, data_size: 2048, ..PoolConfig::default() });
        let state = State {
            policy: Policy::Accept,
            closes: true,
            echoes: false,
            refills: 0,
            binding: None,
            af: None,
            saps: Vec::new(),
            calls: BTreeMap::new(),
            offers: Vec::new(),
            unbind: None,
            notified: None,
            heard: Vec::new(),
            told: Vec::new(),
            received: Vec::new(),
            sent: BTreeMap::new(),
            last: None,
            last_refused: None,
        };
        TestClient(Arc::new(Shared { saps, pool, state: Mutex::new(state), changed: Condvar::new() }))
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

    pub fn refills(&self, sdus: usize) {
        self.lock().refills = sdus;
    }

    pub fn echoes(&self) {
        self.lock().echoes = true;
    }

    /// Makes a VC.
    pub fn create(&self) -> VcId {
        let af = self.lock().af.clone().expect("the AF is open");
        let owner = af.at().create_vc(Box::new(self.clone())).expect("a VC is made");
        let (id, vc) = (owner.id(), owner.keep());
        let call = OneCall {
            vc,
            owner: Some(owner),
            busy: false,
            up: false,
            closing: false,
            parties: BTreeMap::new(),
        };
        self.lock().calls.insert(id, call);
        id
    }

    pub fn dial(&self, id: VcId, call: &AtmCall) {
        self.dial_params(id, call.to_params());
    }

    pub fn dial_params(&self, id: VcId, params: CallParams) {
        self.call(id, params, false);
    }

    /// A call with many parties, this one the first.
    pub fn dial_multipoint(&self, id: VcId, call: &AtmCall) {
        let mut params = call.to_params();
        params.flags |= CallFlags::MULTIPOINT_VC;
        self.call(id, params, true);
    }

    fn call(&self, id: VcId, params: CallParams, multipoint: bool) {
        let vc = self.vc(id);
        self.with(id, |call| call.busy = true);
        let party = multipoint.then(|| {
            let party: Box<dyn ClientParty> = Box::new(OneParty { client: self.clone(), vc: id });
            party
        });
        if let Outcome::Done(result) = vc.at().make_call(params, party) {
            self.made(vc.at(), result);
        }
    }

    /// Closes a call.
    pub fn close(&self, id: VcId) {
        let vc = self.vc(id);
        self.close_vc(vc.at(), CloseData::new());
    }

    pub fn close_with(&self, id: VcId, data: CloseData) {
        let vc = self.vc(id);
        self.close_vc(vc.at(), data);
    }

    /// Asks for a close and does nothing about the answer.
    pub fn try_close(&self, id: VcId, data: CloseData) -> Outcome<Result<(), NdisStatus>> {
        self.vc(id).at().close_call(data)
    }

    /// Answers the oldest pended offer.
    pub fn answer(&self, accept: bool) {
        let (pended, params) = self.lock().offers.remove(0);
        let refused = Refused::with(NdisStatus::RESOURCES, params.clone());
        pended.complete(if accept { Ok(params) } else { Err(refused) });
    }

    pub fn modify(&self, id: VcId, call: &AtmCall) {
        let vc = self.vc(id);
        if let Outcome::Done(result) = vc.at().modify_call_qos(call.to_params()) {
            self.modified(result);
        }
    }

    pub fn add_party(&self, id: VcId, call: &AtmCall) {
        let vc = self.vc(id);
        let object = Box::new(OneParty { client: self.clone(), vc: id });
        match vc.at().add_party(call.to_params(), object) {
            Outcome::Done(Ok((party, _))) => self.party_added(id, party.at(), Ok(())),
            Outcome::Done(Err(refused)) => self.hear(format!("party failed {}", refused.status)),
            Outcome::Pending => {}
        }
    }

    /// Drops the party that was added so many-th, counted from zero, of those that are there.
    pub fn drop_party(&self, id: VcId, at: usize) {
        let party = self.lock().calls[&id].parties.values().nth(at).cloned().expect("there are as many");
        self.drop_this(id, party.at());
    }

    fn drop_this(&self, id: VcId, party: Party<'_, Client>) {
        if let Outcome::Done(result) = party.drop_party(CloseData::new()) {
            self.party_dropped(id, party.id(), result);
        }
    }

    pub fn parties(&self, id: VcId) -> usize {
        self.lock().calls[&id].parties.len()
    }

    /// Sends SDUs on a VC, in one chain.
    pub fn send(&self, id: VcId, sdus: impl IntoIterator<Item = Vec<u8>>) {
        let chain: Chain =
            sdus.into_iter().map(|sdu| self.0.pool.alloc_copy(&sdu).expect("the pool has room")).collect();
        self.vc(id).at().send(chain);
    }

    /// Registers one more SAP.
    pub fn register(&self, sap: Sap) -> Result<(), NdisStatus> {
        let af = self.lock().af.clone().expect("the AF is open");
        match af.at().register_sap(sap, Box::new(())) {
            Outcome::Done(result) => result.map(|sap| self.lock().saps.push(sap)),
            Outcome::Pending => panic!("a registration is done on return"),
        }
    }

    /// Asks the manager.
    pub fn ask(&self, request: OidRequest) -> OidAnswer {
        let af = self.lock().af.clone().expect("the AF is open");
        af.at().oid_request(About::Af, request).done().expect("answered at once")
    }

    pub fn set(&self, request: OidRequest) -> NdisStatus {
        self.ask(request).status
    }

    pub fn addresses(&self) -> Vec<AtmAddress> {
        let answer = self.ask(get_addresses_request(16));
        assert_eq!(answer.status, NdisStatus::SUCCESS);
        addresses_of(&answer.request.expect("it comes back")).expect("a list")
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

    /// What it has heard, which is forgotten with this.
    pub fn take_heard(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().heard)
    }

    /// How often the manager told something.
    pub fn told(&self, oid: u32) -> usize {
        self.lock().told.iter().filter(|told| **told == oid).count()
    }

    pub fn last_told(&self) -> Option<u32> {
        let state = self.lock();
        let signaling = [code::CO_SIGNALING_ENABLED, code::CO_SIGNALING_DISABLED];
        state.told.iter().rev().find(|oid| signaling.contains(oid)).copied()
    }

    pub fn received_len(&self) -> usize {
        self.lock().received.len()
    }

    /// Waits until something has changed, or a moment.
    pub fn wait_a_moment(&self) {
        let state = self.lock();
        drop(self.0.changed.wait_timeout(state, Duration::from_millis(20)).unwrap());
    }

    pub fn received(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock().received)
    }

    /// True once it takes calls, if it is to, and signaling is up.
    pub fn is_ready(&self) -> bool {
        let open = {
            let state = self.lock();
            state.af.is_some() && state.saps.len() == self.0.saps.len()
        };
        open && self.last_told() == Some(code::CO_SIGNALING_ENABLED)
    }

    /// Sends that came back, by status.
    pub fn sent(&self) -> BTreeMap<String, usize> {
        self.lock().sent.clone()
    }

    pub fn outstanding(&self) -> usize {
        self.0.pool.outstanding()
    }

    /// The call that came up or in last, or was changed.
    pub fn last_call(&self) -> AtmCall {
        AtmCall::from_params(&self.last_params()).expect("call parameters")
    }

    pub fn last_params(&self) -> CallParams {
        self.lock().last.clone().expect("there was one")
    }

    pub fn last_vc(&self) -> AtmVcParams {
        AtmVcParams::from_params(&self.last_params()).expect("media parameters")
    }

    /// Why the last call, party or change was refused.
    pub fn last_cause(&self) -> Option<String> {
        let params = self.lock().last_refused.clone()?;
        let call = AtmCall::from_params(&params).ok()?;
        call.causes.into_iter().next().map(|cause| CloseCause { cause }.to_string())
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
        self.0.changed.notify_all();
    }

    fn made(&self, vc: Vc<'_, Client>, result: Result<Connected, Refused>) {
        match result {
            Ok(connected) => {
                self.with(vc.id(), |call| {
                    call.up = true;
                    call.parties.extend(connected.party.map(|party| (party.at().id(), party)));
                });
                self.lock().last = Some(connected.params);
                self.hear("made");
            }
            Err(refused) => {
                self.with(vc.id(), |call| call.busy = false);
                self.lock().last_refused = refused.params;
                self.hear(format!("make failed {}", refused.status));
            }
        }
        self.leave_if_idle();
    }

    fn modified(&self, result: Result<CallParams, Refused>) {
        match result {
            Ok(params) => {
                self.lock().last = Some(params);
                self.hear("modified");
            }
            Err(refused) => {
                self.lock().last_refused = refused.params;
                self.hear(format!("modify failed {}", refused.status));
            }
        }
    }

    fn party_added(&self, id: VcId, party: Party<'_, Client>, result: Result<(), NdisStatus>) {
        if result.is_ok() {
            let held = party.keep();
            self.with(id, |call| drop(call.parties.insert(party.id(), held)));
            self.hear("party added");
        }
    }

    fn party_dropped(&self, id: VcId, party: ObjectId, result: Result<(), NdisStatus>) {
        if result.is_ok() {
            let mut held = None;
            self.with(id, |call| held = call.parties.remove(&party));
            drop(held);
        }
        self.hear(format!("party dropped {}", NdisStatus::of(&result)));
        self.close_if_wanted(id);
    }

    /// CO-169: all parties but one are dropped, and then the call is closed.
    fn close_vc(&self, vc: Vc<'_, Client>, data: CloseData) {
        self.with(vc.id(), |call| call.up = false);
        let next = {
            let state = self.lock();
            // Gone meanwhile, on another thread: then NDIS says so.
            let parties = state.calls.get(&vc.id()).map(|call| &call.parties);
            parties.filter(|parties| parties.len() > 1).and_then(|parties| parties.values().next().cloned())
        };
        if let Some(party) = next {
            self.with(vc.id(), |call| call.busy = true);
            return self.drop_this(vc.id(), party.at());
        }
        let mut under_way = false;
        self.with(vc.id(), |call| under_way = std::mem::replace(&mut call.closing, true));
        if !under_way && let Outcome::Done(result) = vc.close_call(data) {
            self.closed(vc.id(), result);
        }
    }

    fn close_if_wanted(&self, id: VcId) {
        let vc = {
            let state = self.lock();
            match state.calls.get(&id) {
                Some(call) if call.busy && !call.up => Some(call.vc.clone()),
                _ => None,
            }
        };
        if let Some(vc) = vc {
            self.close_vc(vc.at(), CloseData::new());
        }
    }

    fn closed(&self, id: VcId, result: Result<(), NdisStatus>) {
        self.hear(format!("closed {}", NdisStatus::of(&result)));
        let mut parties = BTreeMap::new();
        self.with(id, |call| {
            (call.busy, call.closing) = (false, false);
            parties = std::mem::take(&mut call.parties);
        });
        drop(parties);
        self.leave_if_idle();
    }

    /// Closes every call, and all else behind them.
    fn leave(&self) {
        let busy: Vec<_> = {
            let state = self.lock();
            state.calls.values().filter(|call| call.busy).map(|call| call.vc.clone()).collect()
        };
        for vc in busy {
            self.close_vc(vc.at(), CloseData::new());
        }
        self.leave_if_idle();
    }

    /// On the way out: when every call is over, VCs, SAPs and AF go, in this order.
    fn leave_if_idle(&self) {
        let (owners, saps, af) = {
            let mut state = self.lock();
            let leaves = state.unbind.is_some() || state.notified.is_some();
            if !leaves || state.calls.values().any(|call| call.busy) {
                return;
            }
            let calls = std::mem::take(&mut state.calls);
            let owners: Vec<_> = calls.into_values().filter_map(|call| call.owner).collect();
            (owners, std::mem::take(&mut state.saps), state.af.take())
        };
        owners.into_iter().for_each(OwnedVc::retire);
        for sap in saps {
            sap.at().deregister().expect("registered");
        }
        match af {
            Some(af) => self.close_af(af),
            None => self.af_closed(Ok(())),
        }
    }

    /// A VC that was given to NDIS to be deleted may still be there: then the close is refused, and tried again.
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
        let (unbind, notified) = {
            let mut state = self.lock();
            (state.unbind.take(), state.notified.take())
        };
        if let Some(notified) = notified {
            self.hear("AF closed");
            notified.complete(Ok(()));
        }
        if let Some(unbind) = unbind {
            let binding = self.lock().binding.take();
            drop(binding);
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
        self.lock().unbind = Some(pended);
        self.leave();
        answer
    }
}

impl ClientBinding for TestClient {
    fn af_register_notify(&self, binding: Binding<'_, Client>, family: AddressFamily) {
        assert_eq!(family, AddressFamily::Q2931);
        if let Outcome::Done(Ok(af)) = binding.open_address_family(family, Box::new(self.clone())) {
            self.open_complete(af.at(), Ok(()));
        }
    }
}

impl ClientAf for TestClient {
    fn open_complete(&self, af: Af<'_, Client>, result: Result<(), NdisStatus>) {
        result.expect("it opens");
        self.lock().af = Some(af.keep());
        for sap in &self.0.saps {
            match af.register_sap(sap.clone(), Box::new(())) {
                Outcome::Done(Ok(sap)) => self.lock().saps.push(sap),
                other => panic!("the SAP: {other:?}"),
            }
        }
    }

    fn close_complete(&self, result: Result<(), NdisStatus>) {
        self.af_closed(result);
    }

    /// CO-037: closed later, and answered then.
    fn notify_close<'a>(
        &self,
        _: Af<'_, Client>,
        token: Token<'a, NotifyCloseAf>,
    ) -> Answer<'a, NotifyCloseAf> {
        let (pended, answer) = token.pend();
        self.lock().notified = Some(pended);
        self.leave();
        answer
    }

    fn create_vc(&self, _: Af<'_, Client>, _: VcId) -> Result<Box<dyn ClientVc>, NdisStatus> {
        Ok(Box::new(self.clone()))
    }

    fn oid_request<'a>(
        &self,
        af: Af<'_, Client>,
        _: About,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        self.lock().told.push(request.oid);
        self.0.changed.notify_all();
        if request.oid == code::CO_ADDRESS_CHANGE {
            // CO-196.
            let _ = af.oid_request(About::Af, get_addresses_request(16));
        }
        token.done(OidAnswer::new(NdisStatus::SUCCESS, request))
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
        self.0.changed.notify_all();
        if echoes {
            let chain: Chain =
                sdus.iter().map(|sdu| self.0.pool.alloc_copy(sdu).expect("the pool has room")).collect();
            vc.send(chain);
        }
    }

    fn send_complete(&self, vc: Vc<'_, Client>, chain: Chain) {
        let more = {
            let mut state = self.lock();
            for nbl in chain.iter() {
                *state.sent.entry(nbl.status().to_string()).or_default() += 1;
            }
            let more = state.refills.min(chain.iter().count());
            state.refills -= more;
            more
        };
        for _ in 0..more {
            vc.send(Chain::from(self.0.pool.alloc_copy(&[7; 40]).expect("the pool has room")));
        }
    }

    fn make_call_complete(&self, vc: Vc<'_, Client>, result: Result<Connected, Refused>) {
        self.made(vc, result);
    }

    fn close_call_complete(&self, vc: Vc<'_, Client>, result: Result<(), NdisStatus>) {
        self.closed(vc.id(), result);
    }

    fn modify_call_qos_complete(&self, _: Vc<'_, Client>, result: Result<CallParams, Refused>) {
        self.modified(result);
    }

    fn incoming_call_qos_change(&self, _: Vc<'_, Client>, params: CallParams) {
        self.lock().last = Some(params);
        self.hear("changed");
    }

    fn incoming_call<'a>(
        &self,
        vc: Vc<'_, Client>,
        _: SapRef<'_, Client>,
        mut params: CallParams,
        token: Token<'a, IncomingCall>,
    ) -> Answer<'a, IncomingCall> {
        let mut call = AtmCall::from_params(&params).expect("an offer says who calls");
        self.hear(match &call.calling {
            Some(AtmAddress::Nsap(octets)) => format!("offered by {}", octets[18]),
            Some(number) => format!("offered by {number}"),
            None => "offered".to_owned(),
        });
        let policy = {
            let mut state = self.lock();
            state.last = Some(params.clone());
            if !matches!(state.policy, Policy::Reject(_)) {
                let (vc, parties) = (vc.keep(), BTreeMap::new());
                let call = OneCall { vc, owner: None, busy: true, up: false, closing: false, parties };
                state.calls.insert(call.vc.id(), call);
            }
            state.policy
        };
        match policy {
            Policy::Accept => token.done(Ok(params)),
            Policy::Shorten(octets) => {
                call.forward.sdu_octets_max = octets;
                call.backward.sdu_octets_max = octets;
                params.manager = Some(Box::new(call.to_manager()));
                params.flags |= CallFlags::CALL_PARAMETERS_CHANGED;
                token.done(Ok(params))
            }
            Policy::Reject(status) => token.done(Err(Refused::with(status, params))),
            Policy::Garble => {
                params.manager = None;
                params.flags |= CallFlags::CALL_PARAMETERS_CHANGED;
                token.done(Ok(params))
            }
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

    fn incoming_close_call(&self, vc: Vc<'_, Client>, status: NdisStatus, data: CloseData) {
        let cause = match CloseCause::from_data(&data) {
            Ok(close) if !data.is_empty() => format!(" cause {}", close.cause.value.0),
            _ => String::new(),
        };
        self.hear(format!("remote close {status}{cause}"));
        self.with(vc.id(), |call| call.up = false);
        if self.lock().closes {
            self.close_vc(vc, CloseData::new());
        }
    }

    /// The manager deletes the VC of an incoming call.
    fn delete(&self) -> Result<(), NdisStatus> {
        self.hear("deleted");
        self.lock().calls.retain(|_, call| call.owner.is_some() || call.busy);
        Ok(())
    }
}

impl ClientParty for OneParty {
    fn add_complete(&self, party: Party<'_, Client>, result: Result<CallParams, Refused>) {
        match result {
            Ok(_) => self.client.party_added(self.vc, party, Ok(())),
            Err(refused) => {
                self.client.hear(format!("party failed {}", refused.status));
                self.client.lock().last_refused = refused.params;
            }
        }
    }

    fn drop_complete(&self, party: Party<'_, Client>, result: Result<(), NdisStatus>) {
        self.client.party_dropped(self.vc, party.id(), result);
    }

    fn incoming_drop(&self, party: Party<'_, Client>, status: NdisStatus, _: CloseData) {
        self.client.hear(format!("party left {status}"));
        if self.client.lock().closes {
            self.client.drop_this(self.vc, party);
        }
    }
}
