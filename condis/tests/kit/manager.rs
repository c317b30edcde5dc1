//! The manager: one program for a call manager and for an MCM. Where the two differ is [`Model`].
//!
//! It does what the script says when the client or NDIS calls it, and what the test says as the network: [`Net`].

use std::sync::{Arc, Mutex, OnceLock, Weak};

use condis::adapter::{Adapter, AdapterInfo};
use condis::af::{Af, HeldAf};
use condis::binding::{Binding, HeldBinding};
use condis::driver::{
    AdapterAttributes, AdapterLife, BindingLife, Bound, CallManagerBinding, Made, ManagerAf, ManagerParty,
    ManagerRole, ManagerSap, ManagerVc, McmAdapter, McmDriver, McmVc, Protocol, SignalingVc,
};
use condis::nbl::{Chain, Pool, PoolConfig};
use condis::oid::{About, OidAnswer, OidRequest};
use condis::params::{AddressFamily, CallParams, CloseData, MediaParams, Sap};
use condis::party::{HeldParty, Party};
use condis::role::{CallManager, Mcm, Miniport, Signaling};
use condis::sap::{HeldSap, SapRef};
use condis::status_ind::StatusIndication;
use condis::token::{
    AddParty, Answer, CloseAf, CloseCall, DeregisterSap, DropParty, MakeCall, ModifyCallQos, Oid, OpenAf,
    Outcome, Pended, Refused, RegisterSap, Token, Unbind,
};
use condis::trace::VcId;
use condis::vc::{HeldVc, OwnedVc, Receives, Vc};

use super::wire::{Device, Hardware, LineOf, Lower, attributes, device_life};
use super::{CloseOrder, Kit, Reply, Status, lock};

/// How the two kinds of manager differ.
pub trait Model: Send + Sync + Sized + 'static {
    type Role: ManagerRole;
    type Lower: Lower;

    /// A message of `leg` goes to the network, which sends it back.
    fn transmit(manager: &Arc<Manager<Self>>, leg: usize);
    /// The hardware is made ready, and NDIS knows; then [`Leg::activated`], once.
    fn activate(leg: &Arc<Leg<Self>>, vc: Vc<'_, Self::Role>, params: CallParams);
    /// The hardware stops, and NDIS knows; then [`Leg::deactivated`], once.
    fn deactivate(leg: &Arc<Leg<Self>>, vc: Vc<'_, Self::Role>);
    /// What NDIS is given for a new VC.
    fn new_vc(leg: Arc<Leg<Self>>, id: VcId) -> <Self::Role as ManagerRole>::NewVc;
    /// `NdisCoCreateVc` or `NdisMCmCreateVc`.
    fn create_vc(leg: Arc<Leg<Self>>, af: Af<'_, Self::Role>) -> Result<OwnedVc<Self::Role>, Status>;
}

pub struct Manager<M: Model> {
    pub kit: Arc<Kit>,
    pub model: M,
    pub hardware: Arc<Hardware<M::Lower>>,
    me: OnceLock<Weak<Manager<M>>>,
    books: Mutex<Books<M::Role>>,
    legs: Mutex<Vec<Arc<Leg<M>>>>,
}

struct Books<R: ManagerRole> {
    afs: Vec<HeldAf<R>>,
    saps: Vec<(HeldAf<R>, HeldSap<R>)>,
}

/// What an activation is for.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Goal {
    Plain,
    Make,
    /// The call fails although its VC is active.
    MakeThenFail(Status),
    BeforeOffer(usize),
    Connect,
    Qos,
    RemoteQos,
}

/// The manager's end of a VC.
pub struct Leg<M: Model> {
    pub manager: Arc<Manager<M>>,
    pub number: usize,
    state: Mutex<LegState<M::Role>>,
}

struct LegState<R: ManagerRole> {
    vc: Option<HeldVc<R>>,
    owner: Option<OwnedVc<R>>,
    goal: Goal,
    activating: bool,
    active: bool,
    last: Option<Result<CallParams, Status>>,
    make: Option<(Pended<MakeCall>, CallParams)>,
    sync_make: bool,
    fail: Option<Status>,
    close: Option<Pended<CloseCall>>,
    closing: bool,
    qos: Option<(Pended<ModifyCallQos>, CallParams)>,
    in_force: CallParams,
    parties: Vec<HeldParty<R>>,
}

impl<M: Model> Manager<M> {
    pub fn new(kit: &Arc<Kit>, model: M) -> Arc<Manager<M>> {
        let manager = Arc::new(Manager {
            kit: kit.clone(),
            model,
            hardware: Hardware::new(kit.clone()),
            me: OnceLock::new(),
            books: Mutex::new(Books { afs: Vec::new(), saps: Vec::new() }),
            legs: Mutex::default(),
        });
        let _ = manager.me.set(Arc::downgrade(&manager));
        manager
    }

    fn me(&self) -> Arc<Manager<M>> {
        self.me.get().and_then(Weak::upgrade).expect("a manager is made by `new`")
    }

    fn new_leg(&self) -> Arc<Leg<M>> {
        let mut legs = lock(&self.legs);
        let state = LegState {
            vc: None,
            owner: None,
            goal: Goal::Plain,
            activating: false,
            active: false,
            last: None,
            make: None,
            sync_make: false,
            fail: None,
            close: None,
            closing: false,
            qos: None,
            in_force: CallParams::default(),
            parties: Vec::new(),
        };
        let leg = Arc::new(Leg { manager: self.me(), number: legs.len(), state: Mutex::new(state) });
        legs.push(leg.clone());
        leg
    }

    fn leg(&self, number: usize) -> Arc<Leg<M>> {
        lock(&self.legs)[number].clone()
    }

    /// A message came back from the network.
    fn heard(&self, leg: usize) {
        let leg = self.leg(leg);
        let (what, vc) = {
            let mut state = lock(&leg.state);
            let what = match (&state.make, &state.qos) {
                _ if state.closing => None,
                (Some((_, params)), _) => {
                    let goal = match self.kit.reply("make_after_activation") {
                        Reply::Done(Status::SUCCESS) => Goal::Make,
                        Reply::Done(status) => Goal::MakeThenFail(status),
                        _ => Goal::Make,
                    };
                    Some((goal, params.clone()))
                }
                (None, Some((_, params))) => Some((Goal::Qos, params.clone())),
                (None, None) => None,
            };
            state.goal = what.as_ref().map_or(state.goal, |what| what.0);
            (what, state.vc.clone())
        };
        let (Some((goal, params)), Some(vc)) = (what, vc) else { return };
        match (goal, self.kit.reply("make_call")) {
            (Goal::Make | Goal::MakeThenFail(_), Reply::Pends(status)) if status != Status::SUCCESS => {
                leg.fail_make(status);
            }
            (Goal::Make | Goal::MakeThenFail(_), _) => leg.activate(vc.at(), goal, params),
            (_, _) => match self.kit.reply("modify_call_qos") {
                Reply::Pends(status) if status != Status::SUCCESS => leg.end_qos(Err(status)),
                _ => leg.activate(vc.at(), goal, params),
            },
        }
    }
}

fn with_media(mut params: CallParams) -> CallParams {
    params.media.get_or_insert_with(|| Box::new(MediaParams::default()));
    params
}

impl<M: Model> Leg<M> {
    fn kit(&self) -> &Arc<Kit> {
        &self.manager.kit
    }

    fn activate(self: &Arc<Self>, vc: Vc<'_, M::Role>, goal: Goal, params: CallParams) {
        {
            let mut state = lock(&self.state);
            (state.goal, state.activating) = (goal, true);
        }
        M::activate(self, vc, with_media(params));
    }

    /// An activation ended, whichever way it was told.
    pub fn activated(self: &Arc<Self>, result: Result<CallParams, Refused>) {
        let (goal, closing, vc) = {
            let mut state = lock(&self.state);
            state.activating = false;
            state.active |= result.is_ok();
            state.last = Some(result.clone().map_err(|refused| refused.status));
            if let Ok(params) = &result {
                state.in_force = params.clone();
            }
            (state.goal, state.closing, state.vc.clone())
        };
        let Some(vc) = vc else { return };
        if closing {
            return self.wind_down(vc.at());
        }
        match (goal, result) {
            (Goal::Plain, _) => {}
            (Goal::Make, Ok(params)) => {
                let (make, parties) = {
                    let mut state = lock(&self.state);
                    (state.make.take(), state.parties.clone())
                };
                if let Some((make, _)) = make {
                    let party = parties.first().map(|_| self.party());
                    make.complete(Ok(Made { params, party }));
                }
            }
            (Goal::Make | Goal::MakeThenFail(_), Err(refused)) => self.fail_make(refused.status),
            (Goal::MakeThenFail(status), Ok(_)) => {
                lock(&self.state).fail = Some(status);
                self.deactivate(vc.at());
            }
            (Goal::BeforeOffer(sap), Ok(params)) => self.offer(vc.at(), sap, params),
            (Goal::BeforeOffer(_), Err(_)) => self.retire(),
            (Goal::Connect, Ok(_)) => vc.at().dispatch_call_connected(),
            (Goal::Connect, Err(refused)) => {
                vc.at().dispatch_incoming_close_call(refused.status, CloseData::new());
            }
            (Goal::Qos, Ok(params)) => self.end_qos(Ok(params)),
            (Goal::Qos, Err(refused)) => self.end_qos(Err(refused.status)),
            (Goal::RemoteQos, Ok(params)) => vc.at().dispatch_incoming_call_qos_change(params),
            (Goal::RemoteQos, Err(_)) => {}
        }
    }

    fn party(self: &Arc<Self>) -> Box<dyn ManagerParty> {
        Box::new(PartyOf(self.manager.kit.clone()))
    }

    fn fail_make(&self, status: Status) {
        let make = {
            let mut state = lock(&self.state);
            state.parties.clear();
            state.make.take()
        };
        if let Some((make, params)) = make {
            make.complete(Err(Refused::with(status, params)));
        }
    }

    fn end_qos(&self, result: Result<CallParams, Status>) {
        let qos = lock(&self.state).qos.take();
        if let Some((qos, asked)) = qos {
            qos.complete(result.map_err(|status| Refused::with(status, asked)));
        }
    }

    fn deactivate(self: &Arc<Self>, vc: Vc<'_, M::Role>) {
        M::deactivate(self, vc);
    }

    /// A deactivation ended, whichever way it was told.
    pub fn deactivated(self: &Arc<Self>) {
        let (fail, close) = {
            let mut state = lock(&self.state);
            state.active = false;
            (state.fail.take(), state.close.take())
        };
        if let Some(status) = fail {
            return self.fail_make(status);
        }
        if let Some(close) = close {
            close.complete(Ok(()));
        }
        self.over();
    }

    /// Ends a call that the client closes.
    fn wind_down(self: &Arc<Self>, vc: Vc<'_, M::Role>) {
        self.fail_make(Status::FAILURE);
        self.end_qos(Err(Status::FAILURE));
        let (activating, active) = {
            let state = lock(&self.state);
            (state.activating, state.active)
        };
        if activating {
            return;
        }
        if active && self.kit().mix.order == CloseOrder::DeactivateFirst {
            return self.deactivate(vc);
        }
        let close = lock(&self.state).close.take();
        if let Some(close) = close {
            close.complete(Ok(()));
        }
        if active {
            self.deactivate(vc);
        } else {
            self.over();
        }
    }

    /// The call is over. A VC that this manager made is deleted, unless it is to be used again.
    fn over(&self) {
        {
            let mut state = lock(&self.state);
            if !state.closing {
                return;
            }
            state.closing = false;
            state.parties.clear();
        }
        if !self.kit().flag("keep_incoming_vcs") {
            self.retire();
        }
    }

    fn retire(&self) {
        let owner = {
            let mut state = lock(&self.state);
            let owner = state.owner.take();
            if owner.is_some() {
                state.vc = None;
            }
            owner
        };
        if let Some(owner) = owner {
            owner.retire();
        }
    }

    fn offer(self: &Arc<Self>, vc: Vc<'_, M::Role>, sap: usize, params: CallParams) {
        let sap = lock(&self.manager.books).saps[sap].1.clone();
        if let Outcome::Done(verdict) = vc.dispatch_incoming_call(&sap, params) {
            self.answered(vc, verdict);
        }
    }

    fn answered(self: &Arc<Self>, vc: Vc<'_, M::Role>, verdict: Result<CallParams, Refused>) {
        lock(&self.state).last = Some(verdict.clone().map_err(|refused| refused.status));
        match verdict {
            Ok(_) if self.kit().reply("connect") != Reply::Done(Status::SUCCESS) => {}
            Ok(params) if !lock(&self.state).active => self.activate(vc, Goal::Connect, params),
            Ok(_) => vc.dispatch_call_connected(),
            Err(_) => {
                let (active, closing) = {
                    let mut state = lock(&self.state);
                    let closing = state.closing;
                    state.closing = true;
                    (state.active, closing)
                };
                // An answer that was owed to a close that is under way counts as a rejection; the close does the rest.
                if closing {
                    return;
                }
                if active { self.deactivate(vc) } else { self.over() }
            }
        }
    }
}

/// What the test does as the network, and as the manager of its own accord.
pub trait Net: Send + Sync {
    fn legs(&self) -> usize;
    fn saps(&self) -> usize;
    /// Makes a VC for the client of the SAP and offers a call on it. The leg's number, or what refused the VC.
    fn offer(&self, sap: usize) -> Result<usize, Status>;
    /// Makes a VC for the client of the SAP, and no more.
    fn create(&self, sap: usize) -> Result<usize, Status>;
    /// Offers on a VC that is there.
    fn offer_on(&self, leg: usize, sap: usize);
    /// What came of the last dispatch or activation.
    fn last(&self, leg: usize) -> Option<Result<CallParams, Status>>;
    /// An accepted call is connected.
    fn connect(&self, leg: usize);
    /// Dispatches connected and nothing else, in order or not.
    fn dispatch_connected(&self, leg: usize);
    fn remote_close(&self, leg: usize, status: Status);
    fn remote_drop(&self, leg: usize, party: usize, status: Status);
    fn remote_qos(&self, leg: usize, params: CallParams);
    /// The network answers what the manager sent for this leg.
    fn proceed(&self, leg: usize);
    fn activate(&self, leg: usize, params: CallParams) -> Status;
    fn deactivate(&self, leg: usize) -> Status;
    fn delete(&self, leg: usize) -> Result<(), Status>;
    /// Forgets the owning handle without deleting.
    fn drop_owner(&self, leg: usize);
    fn name(&self, leg: usize, base: &str) -> Option<Result<String, Status>>;
    /// NBLs come in from the network.
    fn receive(&self, leg: usize, count: usize);
    /// NBLs come in that the client must copy.
    fn receive_lent(&self, leg: usize, count: usize);
    fn flush(&self, leg: usize);
    fn status(&self, leg: Option<usize>, code: Status);
    fn notify_close(&self, af: usize) -> Outcome<Result<(), Status>>;
    fn oid_to_client(&self, af: usize, about: About, request: OidRequest) -> Outcome<OidAnswer>;
    fn oid_to_lower(&self, request: OidRequest) -> Option<Outcome<OidAnswer>>;
    fn register_family(&self, family: AddressFamily) -> Status;
    /// NBLs of the hardware's and of the manager's pools that are out.
    fn outstanding(&self) -> usize;
    /// Drops whatever handles are kept.
    fn forget(&self);
}

impl<M: Ways> Net for Manager<M> {
    fn legs(&self) -> usize {
        lock(&self.legs).len()
    }

    fn saps(&self) -> usize {
        lock(&self.books).saps.len()
    }

    fn create(&self, sap: usize) -> Result<usize, Status> {
        let af = lock(&self.books).saps[sap].0.clone();
        let leg = self.new_leg();
        let owner = M::create_vc(leg.clone(), af.at())?;
        let mut state = lock(&leg.state);
        state.vc = Some(owner.keep());
        state.owner = Some(owner);
        Ok(leg.number)
    }

    fn offer(&self, sap: usize) -> Result<usize, Status> {
        let number = self.create(sap)?;
        self.offer_on(number, sap);
        Ok(number)
    }

    fn offer_on(&self, leg: usize, sap: usize) {
        let leg = self.leg(leg);
        let vc = lock(&leg.state).vc.clone().expect("the VC is there");
        if self.kit.flag("activate_before_offer") && !lock(&leg.state).active {
            leg.activate(vc.at(), Goal::BeforeOffer(sap), CallParams::default());
        } else {
            leg.offer(vc.at(), sap, CallParams::default());
        }
    }

    fn last(&self, leg: usize) -> Option<Result<CallParams, Status>> {
        lock(&self.leg(leg).state).last.clone()
    }

    fn connect(&self, leg: usize) {
        let leg = self.leg(leg);
        let (vc, active) = {
            let state = lock(&leg.state);
            (state.vc.clone().expect("the VC is there"), state.active)
        };
        if active {
            vc.at().dispatch_call_connected();
        } else {
            leg.activate(vc.at(), Goal::Connect, CallParams::default());
        }
    }

    fn dispatch_connected(&self, leg: usize) {
        let vc = lock(&self.leg(leg).state).vc.clone().expect("the VC is there");
        vc.at().dispatch_call_connected();
    }

    fn remote_close(&self, leg: usize, status: Status) {
        let vc = lock(&self.leg(leg).state).vc.clone();
        if let Some(vc) = vc {
            vc.at().dispatch_incoming_close_call(status, CloseData::new());
        }
    }

    fn remote_drop(&self, leg: usize, party: usize, status: Status) {
        let party = lock(&self.leg(leg).state).parties[party].clone();
        party.at().dispatch_incoming_drop(status, CloseData::new());
    }

    fn remote_qos(&self, leg: usize, params: CallParams) {
        let leg = self.leg(leg);
        let vc = lock(&leg.state).vc.clone().expect("the VC is there");
        leg.activate(vc.at(), Goal::RemoteQos, params);
    }

    fn proceed(&self, leg: usize) {
        self.heard(leg);
    }

    fn activate(&self, leg: usize, params: CallParams) -> Status {
        let leg = self.leg(leg);
        let vc = lock(&leg.state).vc.clone().expect("the VC is there");
        match M::Role::activate(vc.at(), with_media(params)) {
            Outcome::Done(Ok(params)) => {
                leg.activated(Ok(params));
                Status::SUCCESS
            }
            Outcome::Done(Err(refused)) => refused.status,
            Outcome::Pending => Status::PENDING,
        }
    }

    fn deactivate(&self, leg: usize) -> Status {
        let leg = self.leg(leg);
        let vc = lock(&leg.state).vc.clone().expect("the VC is there");
        match M::Role::deactivate(vc.at()) {
            Outcome::Done(Ok(())) => {
                leg.deactivated();
                Status::SUCCESS
            }
            Outcome::Done(Err(status)) => status,
            Outcome::Pending => Status::PENDING,
        }
    }

    fn delete(&self, leg: usize) -> Result<(), Status> {
        let leg = self.leg(leg);
        let owner = lock(&leg.state).owner.take().expect("this manager made the VC");
        match owner.delete() {
            Ok(()) => {
                lock(&leg.state).vc = None;
                Ok(())
            }
            Err((status, owner)) => {
                lock(&leg.state).owner = Some(owner);
                Err(status)
            }
        }
    }

    fn drop_owner(&self, leg: usize) {
        let (owner, vc) = {
            let leg = self.leg(leg);
            let mut state = lock(&leg.state);
            (state.owner.take(), state.vc.take())
        };
        drop((owner, vc));
    }

    fn name(&self, leg: usize, base: &str) -> Option<Result<String, Status>> {
        let vc = lock(&self.leg(leg).state).vc.clone().expect("the VC is there");
        M::assign_name(vc.at(), base)
    }

    fn receive(&self, leg: usize, count: usize) {
        if let Some(line) = self.line(leg) {
            line.receive(count);
        }
    }

    fn receive_lent(&self, leg: usize, count: usize) {
        let Some(line) = self.line(leg) else { return };
        let Some(vc) = line.held() else { return };
        let mut chain = line.copies(count);
        M::Lower::indicate_lent(vc.at(), &mut chain);
        assert_eq!(chain.len(), count, "the NBLs are the miniport's again");
    }

    fn flush(&self, leg: usize) {
        if let Some(line) = self.line(leg) {
            line.flush(false);
        }
    }

    fn status(&self, leg: Option<usize>, code: Status) {
        let status = StatusIndication::new(code, []);
        match leg {
            Some(leg) => {
                let vc = self.line(leg).and_then(|line| line.held()).expect("the VC is active");
                M::Lower::status(vc.at(), status);
            }
            None => {
                let adapter = lock(&self.hardware.adapter).clone().expect("the adapter is up");
                adapter.at().indicate_status(status);
            }
        }
    }

    fn notify_close(&self, af: usize) -> Outcome<Result<(), Status>> {
        let af = lock(&self.books).afs[af].clone();
        af.at().notify_close()
    }

    fn oid_to_client(&self, af: usize, about: About, request: OidRequest) -> Outcome<OidAnswer> {
        let af = lock(&self.books).afs[af].clone();
        af.at().oid_request(about, request)
    }

    fn oid_to_lower(&self, request: OidRequest) -> Option<Outcome<OidAnswer>> {
        M::oid_to_lower(self, request)
    }

    fn register_family(&self, family: AddressFamily) -> Status {
        M::register_family(self, family)
    }

    fn outstanding(&self) -> usize {
        self.hardware.pool.outstanding() + M::outstanding(self)
    }

    fn forget(&self) {
        let books = {
            let mut books = lock(&self.books);
            (std::mem::take(&mut books.afs), std::mem::take(&mut books.saps))
        };
        drop(books);
        let legs = std::mem::take(&mut *lock(&self.legs));
        drop(legs);
    }
}

impl<M: Model> Manager<M> {
    fn line(&self, leg: usize) -> Option<Arc<super::wire::Line<M::Lower>>> {
        let vc = lock(&self.leg(leg).state).vc.clone()?;
        self.hardware.find(vc.id())
    }
}

/// What only one of the two has, so that a test may ask for it on both.
pub trait Ways: Model {
    fn assign_name(vc: Vc<'_, Self::Role>, base: &str) -> Option<Result<String, Status>>;
    fn oid_to_lower(manager: &Manager<Self>, request: OidRequest) -> Option<Outcome<OidAnswer>>;
    fn register_family(manager: &Manager<Self>, family: AddressFamily) -> Status;
    fn outstanding(manager: &Manager<Self>) -> usize;
}

/// One client's open of the address family.
struct AfOf<M: Model>(Arc<Manager<M>>);

impl<M: Model> AfOf<M> {
    fn open<'a>(
        manager: &Arc<Manager<M>>,
        af: Af<'_, M::Role>,
        token: Token<'a, OpenAf<M::Role>>,
    ) -> Answer<'a, OpenAf<M::Role>> {
        manager.kit.at("manager.open_af");
        let (held, me) = (af.keep(), manager.clone());
        manager.kit.answer("open_af", manager.kit.reply("open_af"), token, move |status| {
            status.ok()?;
            lock(&me.books).afs.push(held);
            Ok(Box::new(AfOf(me.clone())) as Box<dyn ManagerAf<M::Role>>)
        })
    }
}

impl<M: Model> ManagerAf<M::Role> for AfOf<M> {
    fn close<'a>(&self, af: Af<'_, M::Role>, token: Token<'a, CloseAf>) -> Answer<'a, CloseAf> {
        let kit = &self.0.kit;
        kit.at("manager.close_af");
        let (me, id) = (self.0.clone(), af.id());
        kit.answer("close_af", kit.reply("close_af"), token, move |status| {
            if status == Status::SUCCESS {
                if !me.kit.flag("forget_vcs") {
                    let legs = lock(&me.legs).clone();
                    legs.iter().for_each(|leg| leg.retire());
                }
                let gone: Vec<_> = {
                    let mut books = lock(&me.books);
                    let afs = std::mem::take(&mut books.afs);
                    let (gone, left): (Vec<_>, Vec<_>) = afs.into_iter().partition(|af| af.at().id() == id);
                    books.afs = left;
                    gone
                };
                drop(gone);
            }
            status.ok()
        })
    }

    fn register_sap<'a>(
        &self,
        af: Af<'_, M::Role>,
        sap: SapRef<'_, M::Role>,
        address: &Sap,
        token: Token<'a, RegisterSap>,
    ) -> Answer<'a, RegisterSap> {
        let kit = &self.0.kit;
        kit.at("manager.register_sap");
        let taken = lock(&self.0.books).saps.iter().any(|(_, sap)| sap.at().address() == address);
        if taken {
            return token.done(Err(Status::INVALID_DATA));
        }
        lock(&self.0.books).saps.push((af.keep(), sap.keep()));
        let (me, id) = (self.0.clone(), sap.id());
        kit.answer("register_sap", kit.reply("register_sap"), token, move |status| {
            let object = SapOf(me.clone(), id);
            if let Err(status) = status.ok() {
                object.forget();
                return Err(status);
            }
            Ok(Box::new(object) as Box<dyn ManagerSap>)
        })
    }

    fn create_vc(&self, _: Af<'_, M::Role>, id: VcId) -> Result<<M::Role as ManagerRole>::NewVc, Status> {
        self.0.kit.at("manager.create_vc");
        match self.0.kit.reply("manager_create_vc") {
            Reply::Done(Status::SUCCESS) => Ok(M::new_vc(self.0.new_leg(), id)),
            Reply::Done(status) => Err(status),
            _ => Err(Status::FAILURE),
        }
    }

    fn notify_close_complete(&self, result: Result<(), Status>) {
        self.0.kit.at("manager.notify_close_complete");
        self.0.kit.raise(if result.is_ok() { "notify_close_ok" } else { "notify_close_failed" });
    }

    fn oid_request<'a>(
        &self,
        _: Af<'_, M::Role>,
        _: About,
        mut request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        let kit = &self.0.kit;
        kit.at("manager.oid_request");
        kit.answer("manager_oid", kit.reply("manager_oid"), token, move |status| {
            let status = if status == Status::SUCCESS { request.write(b"manager") } else { status };
            OidAnswer::new(status, request)
        })
    }

    fn oid_request_complete(&self, _: Af<'_, M::Role>, _: About, answer: OidAnswer) {
        self.0.kit.at("manager.oid_request_complete");
        self.0.kit.raise(if answer.status == Status::SUCCESS {
            "manager_oid_ok"
        } else {
            "manager_oid_failed"
        });
    }
}

struct SapOf<M: Model>(Arc<Manager<M>>, condis::trace::ObjectId);

impl<M: Model> SapOf<M> {
    fn forget(&self) {
        let gone = {
            let mut books = lock(&self.0.books);
            let saps = std::mem::take(&mut books.saps);
            let (gone, left): (Vec<_>, Vec<_>) =
                saps.into_iter().partition(|(_, sap)| sap.at().id() == self.1);
            books.saps = left;
            gone
        };
        drop(gone);
    }
}

impl<M: Model> ManagerSap for SapOf<M> {
    fn deregister<'a>(&self, token: Token<'a, DeregisterSap>) -> Answer<'a, DeregisterSap> {
        if !self.0.kit.flag("sap_stays") {
            self.forget();
        }
        self.0.kit.at("manager.deregister_sap");
        self.0.kit.answer("deregister_sap", self.0.kit.reply("deregister_sap"), token, |_| ())
    }
}

struct PartyOf(Arc<Kit>);

impl ManagerParty for PartyOf {
    fn drop_party<'a>(&self, _: CloseData, token: Token<'a, DropParty>) -> Answer<'a, DropParty> {
        self.0.at("manager.drop_party");
        self.0.answer("drop_party", self.0.reply("drop_party"), token, |status| status.ok())
    }
}

/// What NDIS holds of a [`Leg`].
pub struct LegOf<M: Model>(pub Arc<Leg<M>>);

impl<M: Model> ManagerVc<M::Role> for LegOf<M> {
    fn make_call<'a>(
        &self,
        vc: Vc<'_, M::Role>,
        params: CallParams,
        party: Option<Party<'_, M::Role>>,
        token: Token<'a, MakeCall>,
    ) -> Answer<'a, MakeCall> {
        let leg = &self.0;
        let kit = leg.kit();
        kit.at("manager.make_call");
        {
            let mut state = lock(&leg.state);
            state.vc = Some(vc.keep());
            state.parties = party.iter().map(|party| party.keep()).collect();
        }
        match kit.reply_or("make_call", Reply::Pends(Status::SUCCESS)) {
            Reply::Done(Status::SUCCESS) => {
                leg.activate(vc, Goal::Plain, params);
                let params = lock(&leg.state).in_force.clone();
                token.done(Ok(Made { params, party: party.map(|_| leg.party()) }))
            }
            Reply::Done(status) => {
                lock(&leg.state).parties.clear();
                token.done(Err(Refused::with(status, params)))
            }
            Reply::Early(status) => {
                let (pended, answer) = token.pend();
                lock(&leg.state).make = Some((pended, params.clone()));
                if status == Status::SUCCESS {
                    leg.activate(vc, Goal::Make, params);
                } else {
                    leg.fail_make(status);
                }
                answer
            }
            Reply::Pends(_) => {
                let (pended, answer) = token.pend();
                lock(&leg.state).make = Some((pended, params));
                M::transmit(&leg.manager, leg.number);
                answer
            }
            Reply::Hold => {
                let (pended, answer) = token.pend();
                lock(&leg.state).make = Some((pended, params));
                answer
            }
        }
    }

    fn close_call<'a>(
        &self,
        vc: Vc<'_, M::Role>,
        _: CloseData,
        token: Token<'a, CloseCall>,
    ) -> Answer<'a, CloseCall> {
        let leg = &self.0;
        let kit = leg.kit();
        kit.at("manager.close_call");
        let reply = kit.reply_or("close_call", Reply::Pends(Status::SUCCESS));
        match reply {
            Reply::Done(Status::SUCCESS) => {
                lock(&leg.state).closing = true;
                leg.wind_down(vc);
                token.done(Ok(()))
            }
            Reply::Pends(Status::SUCCESS) => {
                let (pended, answer) = token.pend();
                {
                    let mut state = lock(&leg.state);
                    state.closing = true;
                    state.close = Some(pended);
                }
                leg.wind_down(vc);
                answer
            }
            Reply::Hold => {
                let (pended, answer) = token.pend();
                let (leg, vc) = (leg.clone(), vc.keep());
                kit.hold("close_call", move |status| {
                    if status != Status::SUCCESS {
                        return pended.complete(Err(status));
                    }
                    {
                        let mut state = lock(&leg.state);
                        state.closing = true;
                        state.close = Some(pended);
                    }
                    leg.wind_down(vc.at());
                });
                answer
            }
            refused => kit.answer("close_call", refused, token, |status| status.ok()),
        }
    }

    fn incoming_call_complete(&self, vc: Vc<'_, M::Role>, result: Result<CallParams, Refused>) {
        self.0.kit().at("manager.incoming_call_complete");
        self.0.answered(vc, result);
    }

    fn activate_complete(&self, _: Vc<'_, M::Role>, result: Result<CallParams, Refused>) {
        self.0.kit().at("call_manager.activate_complete");
        self.0.activated(result);
    }

    fn deactivate_complete(&self, _: Vc<'_, M::Role>, _: Result<(), Status>) {
        self.0.kit().at("call_manager.deactivate_complete");
        self.0.deactivated();
    }

    fn modify_call_qos<'a>(
        &self,
        vc: Vc<'_, M::Role>,
        params: CallParams,
        token: Token<'a, ModifyCallQos>,
    ) -> Answer<'a, ModifyCallQos> {
        let leg = &self.0;
        let kit = leg.kit();
        kit.at("manager.modify_call_qos");
        match kit.reply_or("modify_call_qos", Reply::Pends(Status::SUCCESS)) {
            Reply::Done(Status::SUCCESS) => {
                leg.activate(vc, Goal::Plain, params.clone());
                let last = lock(&leg.state).last.clone().expect("the activation has ended");
                token.done(last.map_err(|status| Refused::with(status, params)))
            }
            Reply::Done(status) => token.done(Err(Refused::with(status, params))),
            reply => {
                let (pended, answer) = token.pend();
                lock(&leg.state).qos = Some((pended, params.clone()));
                match reply {
                    Reply::Early(Status::SUCCESS) => leg.activate(vc, Goal::Qos, params),
                    Reply::Early(status) => leg.end_qos(Err(status)),
                    Reply::Pends(_) => M::transmit(&leg.manager, leg.number),
                    Reply::Hold | Reply::Done(_) => {}
                }
                answer
            }
        }
    }

    fn add_party<'a>(
        &self,
        _: Vc<'_, M::Role>,
        party: Party<'_, M::Role>,
        params: CallParams,
        token: Token<'a, AddParty>,
    ) -> Answer<'a, AddParty> {
        let leg = self.0.clone();
        leg.kit().at("manager.add_party");
        let party = party.keep();
        let kit = leg.kit().clone();
        kit.answer("add_party", kit.reply("add_party"), token, move |status| {
            if status != Status::SUCCESS {
                return Err(Refused::with(status, params));
            }
            lock(&leg.state).parties.push(party);
            Ok((leg.party(), params))
        })
    }

    fn status(&self, _: Vc<'_, M::Role>, _: &StatusIndication) {
        self.0.kit().at("call_manager.vc_status");
    }

    fn delete(&self) -> Result<(), Status> {
        let reply = self.0.kit().reply("manager_delete_vc");
        if let Reply::Done(Status::SUCCESS) = reply {
            let gone = {
                let mut state = lock(&self.0.state);
                (state.vc.take(), std::mem::take(&mut state.parties))
            };
            drop(gone);
        }
        self.0.kit().at("manager.delete_vc");
        match reply {
            Reply::Done(status) => status.ok(),
            _ => Ok(()),
        }
    }
}

/// The call manager: its signaling goes over a VC that NDIS sees.
pub struct OverNdis {
    signaling: Mutex<Option<OwnedVc<Signaling>>>,
    binding: Mutex<Option<HeldBinding<CallManager>>>,
    pool: Pool,
}

impl Model for OverNdis {
    type Role = CallManager;
    type Lower = Miniport;

    fn transmit(manager: &Arc<Manager<Self>>, leg: usize) {
        let vc = lock(&manager.model.signaling).as_ref().map(OwnedVc::keep);
        let message = manager.model.pool.alloc_copy(&(leg as u32).to_be_bytes());
        if let (Some(vc), Ok(nbl)) = (vc, message) {
            Kit::count(&manager.kit.sent, 1);
            vc.at().send(Chain::from(nbl));
        }
    }

    fn activate(leg: &Arc<Leg<Self>>, vc: Vc<'_, CallManager>, params: CallParams) {
        if let Outcome::Done(result) = vc.activate(params) {
            leg.activated(result);
        }
    }

    fn deactivate(leg: &Arc<Leg<Self>>, vc: Vc<'_, CallManager>) {
        if let Outcome::Done(_) = vc.deactivate() {
            leg.deactivated();
        }
    }

    fn new_vc(leg: Arc<Leg<Self>>, _: VcId) -> Box<dyn ManagerVc<CallManager>> {
        Box::new(LegOf(leg))
    }

    fn create_vc(leg: Arc<Leg<Self>>, af: Af<'_, CallManager>) -> Result<OwnedVc<CallManager>, Status> {
        af.create_vc(Box::new(LegOf(leg)))
    }
}

impl Ways for OverNdis {
    fn assign_name(vc: Vc<'_, CallManager>, base: &str) -> Option<Result<String, Status>> {
        Some(vc.assign_instance_name(base))
    }

    fn oid_to_lower(manager: &Manager<Self>, request: OidRequest) -> Option<Outcome<OidAnswer>> {
        let binding = lock(&manager.model.binding).clone()?;
        Some(binding.at().oid_request(None::<Vc<'_, CallManager>>, request))
    }

    fn register_family(manager: &Manager<Self>, family: AddressFamily) -> Status {
        let binding = lock(&manager.model.binding).clone().expect("bound");
        Status::of(&binding.at().register_address_family(family))
    }

    fn outstanding(manager: &Manager<Self>) -> usize {
        manager.model.pool.outstanding()
    }
}

#[derive(Clone)]
pub struct TestCallManager(pub Arc<Manager<OverNdis>>);

impl TestCallManager {
    pub fn new(kit: &Arc<Kit>) -> TestCallManager {
        let pool = Pool::new(PoolConfig { data_size: 64, capacity: 64, ..Default::default() });
        let model = OverNdis { signaling: Mutex::default(), binding: Mutex::default(), pool };
        TestCallManager(Manager::new(kit, model))
    }

    pub fn miniport(&self) -> super::wire::TestMiniport {
        super::wire::TestMiniport(self.0.hardware.clone())
    }
}

impl Protocol for TestCallManager {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, Status> {
        self.0.kit.at("call_manager.bind");
        Ok(Bound::call_manager(self.clone()))
    }
}

impl BindingLife<CallManager> for TestCallManager {
    fn opened(&self, binding: Binding<'_, CallManager>) -> Result<(), Status> {
        self.0.kit.at("call_manager.opened");
        let model = &self.0.model;
        *lock(&model.binding) = Some(binding.keep());
        let vc = binding.create_signaling_vc(Box::new(self.clone()))?;
        let held = lock(&model.signaling).insert(vc).keep();
        if let Outcome::Done(Err(refused)) = held.at().activate(CallParams::default()) {
            return Err(refused.status);
        }
        binding.register_address_family(AddressFamily::Q2931)
    }

    fn unbind<'a>(&self, _: Binding<'_, CallManager>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
        lock(&self.0.model.binding).take();
        let vc = lock(&self.0.model.signaling).take();
        if let Some(vc) = vc {
            let _ = vc.at().deactivate();
            vc.retire();
        }
        self.0.kit.at("call_manager.unbind");
        token.done(())
    }

    fn status(&self, _: Binding<'_, CallManager>, _: &StatusIndication) {
        self.0.kit.at("call_manager.status");
    }

    fn oid_request_complete(&self, _: Binding<'_, CallManager>, answer: OidAnswer) {
        self.0.kit.at("call_manager.oid_request_complete");
        self.0.kit.raise(if answer.status == Status::SUCCESS { "cm_oid_ok" } else { "cm_oid_failed" });
    }
}

impl CallManagerBinding for TestCallManager {
    fn open_af<'a>(
        &self,
        af: Af<'_, CallManager>,
        _: AddressFamily,
        token: Token<'a, OpenAf<CallManager>>,
    ) -> Answer<'a, OpenAf<CallManager>> {
        AfOf::open(&self.0, af, token)
    }
}

impl SignalingVc for TestCallManager {
    fn receive(&self, _: Vc<'_, Signaling>, batch: &mut Receives<'_>) {
        self.0.kit.at("signaling.receive");
        let messages: Vec<_> = batch
            .iter()
            .filter_map(|nbl| Some(u32::from_be_bytes(nbl.first().contiguous()?.try_into().ok()?)))
            .collect();
        messages.into_iter().for_each(|leg| self.0.heard(leg as usize));
    }

    fn send_complete(&self, _: Vc<'_, Signaling>, chain: Chain) {
        Kit::count(&self.0.kit.completed, chain.len());
        drop(chain);
        self.0.kit.at("signaling.send_complete");
    }

    fn status(&self, _: Vc<'_, Signaling>, _: &StatusIndication) {
        self.0.kit.at("signaling.status");
    }
}

/// The MCM: its signaling is nobody's business.
pub struct Inside;

impl Model for Inside {
    type Role = Mcm;
    type Lower = Mcm;

    fn transmit(manager: &Arc<Manager<Self>>, leg: usize) {
        let me = manager.clone();
        manager.kit.later(move || me.heard(leg));
    }

    fn activate(leg: &Arc<Leg<Self>>, vc: Vc<'_, Mcm>, params: CallParams) {
        let kit = &leg.manager.kit;
        let params = match leg.manager.hardware.fit(params) {
            Ok(params) => params,
            Err(refused) => return leg.activated(Err(refused)),
        };
        let now = |leg: &Arc<Leg<Self>>, vc: Vc<'_, Mcm>, params: CallParams, status: Status| {
            if status != Status::SUCCESS {
                return leg.activated(Err(Refused::with(status, params)));
            }
            if let Some(line) = leg.manager.hardware.find(vc.id()) {
                line.start(vc, params.clone());
            }
            if let Outcome::Done(result) = Mcm::activate(vc, params) {
                leg.activated(result);
            }
        };
        match kit.below("activate") {
            Reply::Done(status) | Reply::Early(status) => now(leg, vc, params, status),
            Reply::Pends(status) => {
                let (leg, vc) = (leg.clone(), vc.keep());
                kit.later(move || now(&leg, vc.at(), params, status));
            }
            Reply::Hold => {
                let (leg, vc) = (leg.clone(), vc.keep());
                kit.hold("activate", move |status| now(&leg, vc.at(), params, status));
            }
        }
    }

    fn deactivate(leg: &Arc<Leg<Self>>, vc: Vc<'_, Mcm>) {
        let kit = &leg.manager.kit;
        let now = |leg: &Arc<Leg<Self>>, vc: Vc<'_, Mcm>| {
            let _ = vc.deactivate();
            if let Some(line) = leg.manager.hardware.find(vc.id()) {
                line.stop();
            }
            leg.deactivated();
        };
        match kit.below("deactivate") {
            Reply::Done(_) | Reply::Early(_) => now(leg, vc),
            Reply::Pends(_) => {
                let (leg, vc) = (leg.clone(), vc.keep());
                kit.later(move || now(&leg, vc.at()));
            }
            Reply::Hold => {
                let (leg, vc) = (leg.clone(), vc.keep());
                kit.hold("deactivate", move |_| now(&leg, vc.at()));
            }
        }
    }

    fn new_vc(leg: Arc<Leg<Self>>, id: VcId) -> McmVc {
        let line = leg.manager.hardware.line(id);
        McmVc { manager: Box::new(LegOf(leg)), data: Box::new(LineOf(line)) }
    }

    fn create_vc(leg: Arc<Leg<Self>>, af: Af<'_, Mcm>) -> Result<OwnedVc<Mcm>, Status> {
        // The number comes with the handle, so the line is made under a name of its own first.
        let hardware = leg.manager.hardware.clone();
        let line = hardware.line(VcId(u64::MAX - leg.number as u64));
        let vc = af.create_vc(Box::new(LegOf(leg)), Box::new(LineOf(line.clone())));
        if let Ok(vc) = &vc {
            hardware.rename(&line, vc.id());
        }
        vc
    }
}

impl Ways for Inside {
    fn assign_name(_: Vc<'_, Mcm>, _: &str) -> Option<Result<String, Status>> {
        None
    }

    fn oid_to_lower(_: &Manager<Self>, _: OidRequest) -> Option<Outcome<OidAnswer>> {
        None
    }

    fn register_family(manager: &Manager<Self>, family: AddressFamily) -> Status {
        let adapter = lock(&manager.hardware.adapter).clone().expect("the adapter is up");
        Status::of(&adapter.at().register_address_family(family))
    }

    fn outstanding(_: &Manager<Self>) -> usize {
        0
    }
}

#[derive(Clone)]
pub struct TestMcm(pub Arc<Manager<Inside>>);

impl TestMcm {
    pub fn new(kit: &Arc<Kit>) -> TestMcm {
        TestMcm(Manager::new(kit, Inside))
    }

    fn device(&self) -> Device<Mcm> {
        Device(self.0.hardware.clone())
    }
}

impl McmDriver for TestMcm {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn McmAdapter>), Status> {
        self.0.kit.at("lower.initialize");
        Ok((attributes(&self.0.kit), Box::new(self.clone())))
    }
}

impl AdapterLife<Mcm> for TestMcm {
    fn initialized(&self, adapter: Adapter<'_, Mcm>) -> Result<(), Status> {
        self.0.kit.at("lower.initialized");
        self.device().initialized(adapter);
        adapter.register_address_family(AddressFamily::Q2931)
    }

    device_life!(Mcm);
}

impl McmAdapter for TestMcm {
    fn open_af<'a>(
        &self,
        af: Af<'_, Mcm>,
        _: AddressFamily,
        token: Token<'a, OpenAf<Mcm>>,
    ) -> Answer<'a, OpenAf<Mcm>> {
        AfOf::open(&self.0, af, token)
    }
}
