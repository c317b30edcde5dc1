//! The client: the same program over both kinds of manager. It writes down what it hears.

use std::sync::{Arc, Mutex};

use condis::adapter::AdapterInfo;
use condis::af::{Af, HeldAf};
use condis::binding::{Binding, HeldBinding};
use condis::driver::{
    BindingLife, Bound, ClientAf, ClientBinding, ClientParty, ClientSap, ClientVc, Connected, Protocol,
};
use condis::nbl::{CancelId, Chain, Pool, PoolConfig};
use condis::oid::{About, OidAnswer, OidRequest};
use condis::params::{AddressFamily, CallParams, CloseData, Sap, Specific};
use condis::party::{HeldParty, Party};
use condis::role::Client as ClientRole;
use condis::sap::{HeldSap, SapRef};
use condis::status_ind::StatusIndication;
use condis::token::{Answer, IncomingCall, NotifyCloseAf, Oid, Outcome, Pended, Refused, Token, Unbind};
use condis::trace::VcId;
use condis::vc::{Call, HeldVc, Kept, OwnedVc, Receives, Vc};

use super::{Kit, Reply, Status, lock};

/// What the client heard: the callback, the VC by the order in which the client came to know it, and the status.
pub type Entry = (&'static str, Option<usize>, Status);

pub struct Client {
    pub kit: Arc<Kit>,
    pub name: &'static str,
    pub pool: Pool,
    mine: Mutex<Mine>,
    log: Mutex<Vec<Entry>>,
}

#[derive(Default)]
struct Mine {
    binding: Option<HeldBinding<ClientRole>>,
    af: Option<HeldAf<ClientRole>>,
    families: Vec<AddressFamily>,
    saps: Vec<HeldSap<ClientRole>>,
    vcs: Vec<MyVc>,
    parties: Vec<Option<HeldParty<ClientRole>>>,
    kept: Vec<Kept>,
    unbind: Option<Pended<Unbind>>,
    notify: Option<Pended<NotifyCloseAf>>,
    leaving: bool,
    last: Option<CallParams>,
    oid: Option<OidAnswer>,
}

struct MyVc {
    id: VcId,
    vc: Option<HeldVc<ClientRole>>,
    owner: Option<OwnedVc<ClientRole>>,
}

impl Client {
    pub fn new(kit: &Arc<Kit>, name: &'static str) -> Arc<Client> {
        let pool = Pool::new(PoolConfig { data_size: 256, capacity: 4096, ..Default::default() });
        Arc::new(Client { kit: kit.clone(), name, pool, mine: Mutex::default(), log: Mutex::default() })
    }

    pub fn log(&self) -> Vec<Entry> {
        lock(&self.log).clone()
    }

    /// How often the client heard this.
    pub fn heard(&self, name: &str) -> Vec<Status> {
        lock(&self.log).iter().filter(|entry| entry.0 == name).map(|entry| entry.2).collect()
    }

    fn note(&self, name: &'static str, vc: Option<VcId>, status: Status) {
        let number = vc.map(|id| self.number(id));
        lock(&self.log).push((name, number, status));
    }

    fn number(&self, id: VcId) -> usize {
        let mut mine = lock(&self.mine);
        match mine.vcs.iter().position(|vc| vc.id == id) {
            Some(number) => number,
            None => {
                mine.vcs.push(MyVc { id, vc: None, owner: None });
                mine.vcs.len() - 1
            }
        }
    }

    // What a test asks the client to do.

    pub fn af(&self) -> Option<HeldAf<ClientRole>> {
        lock(&self.mine).af.clone()
    }

    pub fn binding(&self) -> Option<HeldBinding<ClientRole>> {
        lock(&self.mine).binding.clone()
    }

    pub fn families(&self) -> Vec<AddressFamily> {
        lock(&self.mine).families.clone()
    }

    pub fn last_params(&self) -> Option<CallParams> {
        lock(&self.mine).last.clone()
    }

    pub fn last_oid(&self) -> Option<OidAnswer> {
        lock(&self.mine).oid.clone()
    }

    pub fn sap(&self, number: usize) -> HeldSap<ClientRole> {
        lock(&self.mine).saps[number].clone()
    }

    pub fn saps(&self) -> usize {
        lock(&self.mine).saps.len()
    }

    pub fn party(&self, number: usize) -> HeldParty<ClientRole> {
        lock(&self.mine).parties[number].clone().expect("the party is there")
    }

    pub fn parties(&self) -> usize {
        lock(&self.mine).parties.len()
    }

    pub fn vc(&self, number: usize) -> HeldVc<ClientRole> {
        lock(&self.mine).vcs[number].vc.clone().expect("the VC is there")
    }

    pub fn vcs(&self) -> usize {
        lock(&self.mine).vcs.len()
    }

    pub fn call(&self, number: usize) -> Call {
        self.vc(number).at().call()
    }

    pub fn open_af(self: &Arc<Self>, family: AddressFamily) -> Status {
        let binding = self.binding().expect("bound");
        match binding.at().open_address_family(family, Box::new(End(self.clone()))) {
            Outcome::Done(Ok(af)) => {
                lock(&self.mine).af = Some(af);
                Status::SUCCESS
            }
            Outcome::Done(Err(status)) => status,
            Outcome::Pending => Status::PENDING,
        }
    }

    pub fn close_af(&self) -> Status {
        let af = self.af().expect("open");
        match af.at().close() {
            Outcome::Done(Ok(())) => {
                lock(&self.mine).af = None;
                Status::SUCCESS
            }
            Outcome::Done(Err(status)) => status,
            Outcome::Pending => Status::PENDING,
        }
    }

    pub fn register_sap(self: &Arc<Self>, address: &[u8]) -> Status {
        let af = self.af().expect("open");
        match af.at().register_sap(Sap::new(0, address), Box::new(End(self.clone()))) {
            Outcome::Done(Ok(sap)) => {
                lock(&self.mine).saps.push(sap);
                Status::SUCCESS
            }
            Outcome::Done(Err(status)) => status,
            Outcome::Pending => Status::PENDING,
        }
    }

    pub fn deregister_sap(&self, number: usize) -> Status {
        match self.sap(number).at().deregister() {
            Ok(()) => Status::PENDING,
            Err(status) => status,
        }
    }

    /// The VC's number, or what refused it.
    pub fn create_vc(self: &Arc<Self>) -> Result<usize, Status> {
        let af = self.af().expect("open");
        let owner = af.at().create_vc(Box::new(End(self.clone())))?;
        let number = self.number(owner.id());
        let mut mine = lock(&self.mine);
        mine.vcs[number].vc = Some(owner.keep());
        mine.vcs[number].owner = Some(owner);
        Ok(number)
    }

    pub fn make_call(self: &Arc<Self>, number: usize) -> Status {
        self.make_call_with(number, to(b"somewhere"))
    }

    pub fn make_call_with(self: &Arc<Self>, number: usize, params: CallParams) -> Status {
        let vc = self.vc(number);
        let outcome = vc.at().make_call(params, None);
        self.made(vc.at(), outcome)
    }

    /// A multipoint call with its first party.
    pub fn make_multipoint(self: &Arc<Self>, number: usize) -> Status {
        let vc = self.vc(number);
        let outcome = vc.at().make_call(to(b"root"), Some(Box::new(End(self.clone()))));
        self.made(vc.at(), outcome)
    }

    fn made(&self, vc: Vc<'_, ClientRole>, outcome: Outcome<Result<Connected, Refused>>) -> Status {
        match outcome {
            Outcome::Done(result) => {
                let status = result.as_ref().map_or_else(|refused| refused.status, |_| Status::SUCCESS);
                self.connected(vc, result);
                status
            }
            Outcome::Pending => Status::PENDING,
        }
    }

    fn connected(&self, _: Vc<'_, ClientRole>, result: Result<Connected, Refused>) {
        let mut mine = lock(&self.mine);
        match result {
            Ok(connected) => {
                mine.last = Some(connected.params);
                if let Some(party) = connected.party {
                    mine.parties.push(Some(party));
                }
            }
            Err(refused) => mine.last = refused.params,
        }
    }

    pub fn close_call(&self, number: usize) -> Status {
        let vc = self.vc(number);
        self.close(vc.at())
    }

    fn close(&self, vc: Vc<'_, ClientRole>) -> Status {
        match vc.close_call(CloseData::new()) {
            Outcome::Done(result) => {
                if result.is_ok() {
                    self.closed(vc);
                }
                Status::of(&result)
            }
            Outcome::Pending => {
                self.return_kept_later();
                Status::PENDING
            }
        }
    }

    fn return_kept_later(&self) {
        let kept = std::mem::take(&mut lock(&self.mine).kept);
        if !kept.is_empty() {
            self.kit.later(move || kept.into_iter().for_each(Kept::give_back));
        }
    }

    pub fn return_kept(&self) {
        let kept = std::mem::take(&mut lock(&self.mine).kept);
        kept.into_iter().for_each(Kept::give_back);
    }

    pub fn kept(&self) -> usize {
        lock(&self.mine).kept.iter().map(Kept::len).sum()
    }

    pub fn modify_qos(&self, number: usize, params: CallParams) -> Status {
        let vc = self.vc(number);
        match vc.at().modify_call_qos(params) {
            Outcome::Done(Ok(params)) => {
                lock(&self.mine).last = Some(params);
                Status::SUCCESS
            }
            Outcome::Done(Err(refused)) => refused.status,
            Outcome::Pending => Status::PENDING,
        }
    }

    pub fn add_party(self: &Arc<Self>, number: usize) -> Status {
        let vc = self.vc(number);
        match vc.at().add_party(to(b"leaf"), Box::new(End(self.clone()))) {
            Outcome::Done(Ok((party, params))) => {
                let mut mine = lock(&self.mine);
                mine.last = Some(params);
                mine.parties.push(Some(party));
                Status::SUCCESS
            }
            Outcome::Done(Err(refused)) => refused.status,
            Outcome::Pending => Status::PENDING,
        }
    }

    pub fn drop_party(&self, number: usize) -> Status {
        let party = self.party(number);
        match party.at().drop_party(CloseData::new()) {
            Outcome::Done(Ok(())) => {
                lock(&self.mine).parties[number] = None;
                Status::SUCCESS
            }
            Outcome::Done(Err(status)) => status,
            Outcome::Pending => Status::PENDING,
        }
    }

    pub fn forget_parties(&self) {
        let parties = std::mem::take(&mut lock(&self.mine).parties);
        drop(parties);
    }

    pub fn delete_vc(&self, number: usize) -> Result<(), Status> {
        let owner = lock(&self.mine).vcs[number].owner.take().expect("the client made it");
        match owner.delete() {
            Ok(()) => {
                lock(&self.mine).vcs[number].vc = None;
                Ok(())
            }
            Err((status, owner)) => {
                lock(&self.mine).vcs[number].owner = Some(owner);
                Err(status)
            }
        }
    }

    pub fn drop_owner(&self, number: usize) {
        let (owner, vc) = {
            let mut mine = lock(&self.mine);
            (mine.vcs[number].owner.take(), mine.vcs[number].vc.take())
        };
        drop((owner, vc));
    }

    pub fn send(&self, number: usize, count: usize) {
        let vc = self.vc(number);
        self.send_on(vc.at(), count, None);
    }

    pub fn send_cancellable(&self, number: usize, count: usize, id: CancelId) {
        let vc = self.vc(number);
        self.send_on(vc.at(), count, Some(id));
    }

    fn send_on(&self, vc: Vc<'_, ClientRole>, count: usize, id: Option<CancelId>) {
        let mut chain: Chain =
            (0..count).map(|n| self.pool.alloc_copy(&[n as u8]).expect("the pool has room")).collect();
        chain.iter_mut().for_each(|nbl| nbl.set_cancel_id(id));
        Kit::count(&self.kit.sent, count);
        vc.send(chain);
    }

    pub fn oid_to_manager(&self, about: About, request: OidRequest) -> Outcome<OidAnswer> {
        self.af().expect("open").at().oid_request(about, request)
    }

    pub fn oid_to_lower(&self, request: OidRequest) -> Outcome<OidAnswer> {
        let binding = self.binding().expect("bound");
        binding.at().oid_request(None::<Vc<'_, ClientRole>>, request)
    }

    fn closed(&self, vc: Vc<'_, ClientRole>) {
        let delete = self.kit.flag("delete_on_close") || lock(&self.mine).leaving;
        let (redial, parties) = {
            let mut mine = lock(&self.mine);
            let owned = mine.vcs.iter().any(|my| my.id == vc.id() && my.owner.is_some());
            (owned, std::mem::take(&mut mine.parties))
        };
        drop(parties);
        if delete && redial {
            let number = self.number(vc.id());
            if let Err(status) = self.delete_vc(number) {
                self.note("delete refused", Some(vc.id()), status);
            }
        }
        self.leave();
    }

    /// Closes everything in the order that the documentation asks for (CO-041), as far as it comes this time.
    fn leave(&self) {
        if !lock(&self.mine).leaving {
            return;
        }
        let held: Vec<_> = lock(&self.mine).vcs.iter().filter_map(|my| my.vc.clone()).collect();
        let mut calls = 0;
        for vc in held {
            match vc.at().call() {
                Call::None => {
                    let number = self.number(vc.id());
                    if lock(&self.mine).vcs[number].owner.is_some() {
                        let _ = self.delete_vc(number);
                    }
                }
                Call::Closing(_) => calls += 1,
                Call::Offered { .. } => {
                    calls += 1;
                    if self.kit.holds("incoming_call") {
                        self.kit.finish("incoming_call", Status::FAILURE);
                    }
                }
                _ => {
                    calls += 1;
                    let parties: Vec<_> = lock(&self.mine).parties.iter().flatten().cloned().collect();
                    for party in parties.iter().skip(1) {
                        let _ = party.at().drop_party(CloseData::new());
                    }
                    let _ = self.close(vc.at());
                }
            }
        }
        let still = lock(&self.mine).vcs.iter().any(|my| my.owner.is_some());
        if calls > 0 && still {
            return;
        }
        let still = {
            let held: Vec<_> = lock(&self.mine).vcs.iter().filter_map(|my| my.vc.clone()).collect();
            held.iter().any(|vc| vc.at().call() != Call::None)
        };
        if still {
            return;
        }
        let saps = lock(&self.mine).saps.clone();
        for sap in &saps {
            let _ = sap.at().deregister();
        }
        if lock(&self.mine).saps.is_empty() && self.af().is_some() {
            match self.close_af() {
                Status::SUCCESS => self.left(),
                Status::PENDING => {}
                status => self.note("close refused", None, status),
            }
        } else if self.af().is_none() {
            self.left();
        }
    }

    fn left(&self) {
        let (unbind, notify) = {
            let mut mine = lock(&self.mine);
            mine.leaving = false;
            mine.vcs.iter_mut().for_each(|my| drop(my.vc.take()));
            (mine.unbind.take(), mine.notify.take())
        };
        if let Some(notify) = notify {
            notify.complete(Ok(()));
        }
        if let Some(unbind) = unbind {
            unbind.complete(());
        }
    }

    /// Begins to leave by its own accord.
    pub fn start_leaving(&self) {
        lock(&self.mine).leaving = true;
        self.leave();
    }

    /// Drops every handle.
    pub fn forget(&self) {
        let mine = std::mem::take(&mut *lock(&self.mine));
        drop(mine);
    }
}

/// Call parameters with an address.
pub fn to(address: &[u8]) -> CallParams {
    CallParams::to(Specific { param_type: 0, parameters: address.to_vec() })
}

/// What NDIS holds of a [`Client`].
#[derive(Clone)]
pub struct End(pub Arc<Client>);

impl Protocol for End {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, Status> {
        self.0.kit.at("client.bind");
        Ok(Bound::client(self.clone()))
    }
}

impl BindingLife<ClientRole> for End {
    fn opened(&self, binding: Binding<'_, ClientRole>) -> Result<(), Status> {
        lock(&self.0.mine).binding = Some(binding.keep());
        self.0.kit.at("client.opened");
        Ok(())
    }

    fn unbind<'a>(&self, _: Binding<'_, ClientRole>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
        self.0.kit.at("client.unbind");
        self.0.note("unbind", None, Status::SUCCESS);
        let (pended, answer) = token.pend();
        {
            let mut mine = lock(&self.0.mine);
            mine.binding = None;
            mine.unbind = Some(pended);
            mine.leaving = true;
        }
        self.0.return_kept();
        self.0.leave();
        answer
    }

    fn status(&self, _: Binding<'_, ClientRole>, status: &StatusIndication) {
        self.0.note("status", None, status.code);
        self.0.kit.at("client.status");
    }

    fn oid_request_complete(&self, _: Binding<'_, ClientRole>, answer: OidAnswer) {
        self.0.note("lower_oid_complete", None, answer.status);
        lock(&self.0.mine).oid = Some(answer);
        self.0.kit.at("client.lower_oid_complete");
    }
}

impl ClientBinding for End {
    fn af_register_notify(&self, binding: Binding<'_, ClientRole>, family: AddressFamily) {
        lock(&self.0.mine).families.push(family);
        self.0.kit.at("client.af_register_notify");
        if self.0.kit.flag("no_open") {
            return;
        }
        if let Outcome::Done(Ok(af)) = binding.open_address_family(family, Box::new(self.clone())) {
            lock(&self.0.mine).af = Some(af);
        }
    }
}

impl ClientAf for End {
    fn open_complete(&self, af: Af<'_, ClientRole>, result: Result<(), Status>) {
        self.0.note("open_complete", None, Status::of(&result));
        if result.is_ok() {
            lock(&self.0.mine).af = Some(af.keep());
        }
        self.0.kit.at("client.open_complete");
    }

    fn close_complete(&self, result: Result<(), Status>) {
        self.0.note("close_af_complete", None, Status::of(&result));
        let af = lock(&self.0.mine).af.take();
        drop(af);
        self.0.left();
        self.0.kit.at("client.close_af_complete");
    }

    fn notify_close<'a>(
        &self,
        _: Af<'_, ClientRole>,
        token: Token<'a, NotifyCloseAf>,
    ) -> Answer<'a, NotifyCloseAf> {
        self.0.note("notify_close", None, Status::SUCCESS);
        self.0.kit.at("client.notify_close");
        match self.0.kit.reply("notify_close") {
            Reply::Done(Status::SUCCESS) => {
                lock(&self.0.mine).leaving = true;
                self.0.leave();
                token.done(Ok(()))
            }
            Reply::Done(status) => token.done(Err(status)),
            _ => {
                let (pended, answer) = token.pend();
                {
                    let mut mine = lock(&self.0.mine);
                    mine.notify = Some(pended);
                    mine.leaving = true;
                }
                let client = self.0.clone();
                self.0.kit.later(move || client.leave());
                answer
            }
        }
    }

    fn create_vc(&self, _: Af<'_, ClientRole>, vc: VcId) -> Result<Box<dyn ClientVc>, Status> {
        self.0.note("create_vc", Some(vc), Status::SUCCESS);
        self.0.kit.at("client.create_vc");
        match self.0.kit.reply("client_create_vc") {
            Reply::Done(Status::SUCCESS) => Ok(Box::new(self.clone())),
            Reply::Done(status) => Err(status),
            _ => Err(Status::FAILURE),
        }
    }

    fn oid_request<'a>(
        &self,
        _: Af<'_, ClientRole>,
        about: About,
        mut request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        let vc = match about {
            About::Vc(vc) => Some(vc),
            About::Af => None,
        };
        self.0.note("oid_request", vc, Status::SUCCESS);
        self.0.kit.at("client.oid_request");
        let kit = &self.0.kit;
        kit.answer("client_oid", kit.reply("client_oid"), token, move |status| {
            let status = if status == Status::SUCCESS { request.write(b"client") } else { status };
            OidAnswer::new(status, request)
        })
    }

    fn oid_request_complete(&self, _: Af<'_, ClientRole>, about: About, answer: OidAnswer) {
        let vc = match about {
            About::Vc(vc) => Some(vc),
            About::Af => None,
        };
        self.0.note("oid_request_complete", vc, answer.status);
        lock(&self.0.mine).oid = Some(answer);
        self.0.kit.at("client.oid_request_complete");
    }
}

impl ClientSap for End {
    fn register_complete(&self, sap: SapRef<'_, ClientRole>, result: Result<(), Status>) {
        self.0.note("register_complete", None, Status::of(&result));
        if result.is_ok() {
            lock(&self.0.mine).saps.push(sap.keep());
        }
        self.0.kit.at("client.register_complete");
    }

    fn deregister_complete(&self, result: Result<(), Status>) {
        self.0.note("deregister_complete", None, Status::of(&result));
        let gone: Vec<_> = {
            let mut mine = lock(&self.0.mine);
            let saps = std::mem::take(&mut mine.saps);
            let (gone, left): (Vec<_>, Vec<_>) =
                saps.into_iter().partition(|sap| sap.at().state() == condis::sap::SapState::Gone);
            mine.saps = left;
            gone
        };
        drop(gone);
        self.0.leave();
        self.0.kit.at("client.deregister_complete");
    }
}

impl ClientVc for End {
    fn receive(&self, vc: Vc<'_, ClientRole>, batch: &mut Receives<'_>) {
        if self.0.kit.flag("keep_receives")
            && let Some(kept) = batch.keep()
        {
            lock(&self.0.mine).kept.push(kept);
        }
        if self.0.kit.flag("log_data") {
            self.0.note("receive", Some(vc.id()), Status::SUCCESS);
        }
        self.0.kit.at("client.receive");
    }

    fn send_complete(&self, vc: Vc<'_, ClientRole>, chain: Chain) {
        Kit::count(&self.0.kit.completed, chain.len());
        if self.0.kit.flag("log_data") {
            let status = chain.first().map_or(Status::SUCCESS, |nbl| nbl.status());
            self.0.note("send_complete", Some(vc.id()), status);
        }
        drop(chain);
        self.0.kit.at("client.send_complete");
        if self.0.kit.flag("close_in_send_complete") {
            self.0.kit.lower("close_in_send_complete");
            let _ = self.0.close(vc);
        }
    }

    fn make_call_complete(&self, vc: Vc<'_, ClientRole>, result: Result<Connected, Refused>) {
        let status = result.as_ref().map_or_else(|refused| refused.status, |_| Status::SUCCESS);
        self.0.note("make_call_complete", Some(vc.id()), status);
        self.0.connected(vc, result);
        if status != Status::SUCCESS && self.0.kit.flag("delete_on_failure") {
            let number = self.0.number(vc.id());
            if let Err(status) = self.0.delete_vc(number) {
                self.0.note("delete refused", Some(vc.id()), status);
            }
        }
        if status == Status::SUCCESS && self.0.kit.flag("close_in_make_complete") {
            let _ = self.0.close(vc);
        }
        if self.0.kit.flag("redial_on_failure") && status != Status::SUCCESS {
            self.0.kit.lower("redial_on_failure");
            let number = self.0.number(vc.id());
            let _ = self.0.make_call(number);
        }
        self.0.leave();
        self.0.kit.at("client.make_call_complete");
    }

    fn close_call_complete(&self, vc: Vc<'_, ClientRole>, result: Result<(), Status>) {
        self.0.note("close_call_complete", Some(vc.id()), Status::of(&result));
        if result.is_ok() {
            self.0.closed(vc);
            if self.0.kit.flag("redial_on_close") {
                self.0.kit.lower("redial_on_close");
                let number = self.0.number(vc.id());
                let _ = self.0.make_call(number);
            }
        }
        self.0.kit.at("client.close_call_complete");
    }

    fn incoming_call<'a>(
        &self,
        vc: Vc<'_, ClientRole>,
        _: SapRef<'_, ClientRole>,
        params: CallParams,
        token: Token<'a, IncomingCall>,
    ) -> Answer<'a, IncomingCall> {
        self.0.note("incoming_call", Some(vc.id()), Status::SUCCESS);
        let number = self.0.number(vc.id());
        lock(&self.0.mine).vcs[number].vc = Some(vc.keep());
        self.0.kit.at("client.incoming_call");
        let kit = &self.0.kit;
        kit.answer("incoming_call", kit.reply("incoming_call"), token, move |status| match status {
            Status::SUCCESS => Ok(params),
            status => Err(Refused::with(status, params)),
        })
    }

    fn call_connected(&self, vc: Vc<'_, ClientRole>) {
        self.0.note("call_connected", Some(vc.id()), Status::SUCCESS);
        self.0.kit.at("client.call_connected");
    }

    fn incoming_close_call(&self, vc: Vc<'_, ClientRole>, status: Status, _: CloseData) {
        self.0.note("incoming_close_call", Some(vc.id()), status);
        self.0.kit.at("client.incoming_close_call");
        if !self.0.kit.flag("hold_remote_close") {
            let _ = self.0.close(vc);
        }
    }

    fn modify_call_qos_complete(&self, vc: Vc<'_, ClientRole>, result: Result<CallParams, Refused>) {
        let status = result.as_ref().map_or_else(|refused| refused.status, |_| Status::SUCCESS);
        self.0.note("modify_call_qos_complete", Some(vc.id()), status);
        lock(&self.0.mine).last = result.map_or_else(|refused| refused.params, Some);
        self.0.kit.at("client.modify_call_qos_complete");
    }

    fn incoming_call_qos_change(&self, vc: Vc<'_, ClientRole>, params: CallParams) {
        self.0.note("incoming_call_qos_change", Some(vc.id()), Status::SUCCESS);
        lock(&self.0.mine).last = Some(params);
        self.0.kit.at("client.incoming_call_qos_change");
    }

    fn status(&self, vc: Vc<'_, ClientRole>, status: &StatusIndication) {
        self.0.note("vc_status", Some(vc.id()), status.code);
        self.0.kit.at("client.vc_status");
    }

    fn delete(&self) -> Result<(), Status> {
        self.0.note("delete_vc", None, Status::SUCCESS);
        let reply = self.0.kit.reply("client_delete_vc");
        self.0.kit.at("client.delete_vc");
        match reply {
            Reply::Done(Status::SUCCESS) => {
                // Not told which: those without a call and not the client's own are given up.
                let gone: Vec<_> = {
                    let mut mine = lock(&self.0.mine);
                    mine.vcs
                        .iter_mut()
                        .filter(|my| my.owner.is_none())
                        .filter(|my| my.vc.as_ref().is_some_and(|vc| vc.at().call() == Call::None))
                        .filter_map(|my| my.vc.take())
                        .collect()
                };
                drop(gone);
                Ok(())
            }
            Reply::Done(status) => Err(status),
            _ => Ok(()),
        }
    }
}

impl ClientParty for End {
    fn add_complete(&self, party: Party<'_, ClientRole>, result: Result<CallParams, Refused>) {
        let status = result.as_ref().map_or_else(|refused| refused.status, |_| Status::SUCCESS);
        self.0.note("add_party_complete", None, status);
        if status == Status::SUCCESS {
            lock(&self.0.mine).parties.push(Some(party.keep()));
        }
        self.0.kit.at("client.add_party_complete");
    }

    fn drop_complete(&self, _: Party<'_, ClientRole>, result: Result<(), Status>) {
        self.0.note("drop_party_complete", None, Status::of(&result));
        let gone: Vec<_> = {
            let mut mine = lock(&self.0.mine);
            mine.parties
                .iter_mut()
                .filter(|p| p.as_ref().is_some_and(|p| p.at().state() == condis::party::PartyState::Gone))
                .filter_map(Option::take)
                .collect()
        };
        drop(gone);
        self.0.leave();
        self.0.kit.at("client.drop_party_complete");
    }

    fn incoming_drop(&self, party: Party<'_, ClientRole>, status: Status, _: CloseData) {
        self.0.note("incoming_drop", None, status);
        self.0.kit.at("client.incoming_drop");
        if !self.0.kit.flag("hold_remote_drop") {
            let number = {
                let mine = lock(&self.0.mine);
                mine.parties.iter().position(|p| p.as_ref().is_some_and(|p| p.at().id() == party.id()))
            };
            if let Some(number) = number {
                let _ = self.0.drop_party(number);
            }
        }
    }
}
