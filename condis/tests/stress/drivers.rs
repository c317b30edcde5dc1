//! The drivers of the stress test. What they do, they do at random, and lawfully.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use condis::adapter::{Adapter, AdapterControl, AdapterInfo};
use condis::af::{Af, HeldAf};
use condis::binding::Binding;
use condis::driver::{
    AdapterAttributes, AdapterLife, BindingLife, Bound, CallManagerBinding, ClientAf, ClientBinding,
    ClientVc, Connected, LowerRole, Made, ManagerAf, ManagerRole, ManagerVc, McmAdapter, McmDriver, McmVc,
    McmVcData, Medium, MiniportAdapter, MiniportDriver, MiniportVc, Protocol,
};
use condis::nbl::Chain;
use condis::node::Node;
use condis::oid::{OidAnswer, OidRequest};
use condis::params::{AddressFamily, CallParams, CloseData, Sap};
use condis::party::Party;
use condis::role::{CallManager, Client, Mcm, Miniport, Role};
use condis::sap::{HeldSap, SapRef};
use condis::status::NdisStatus;
use condis::status_ind::StatusIndication;
use condis::token::{
    Activate, Answer, CloseAf, CloseCall, Deactivate, IncomingCall, MakeCall, Oid, OpenAf, Outcome, Pended,
    Refused, RegisterSap, Token, Unbind,
};
use condis::trace::VcId;
use condis::vc::{Call, HeldVc, OwnedVc, Receives, Sends, Vc};

use super::line::{Act, Line, Seat, Yard, lock};
use super::steps::manager_step;

pub struct Handles<R: World> {
    pub client_af: Option<HeldAf<Client>>,
    pub client_sap: Option<HeldSap<Client>>,
    pub manager_af: Option<HeldAf<R>>,
    pub manager_sap: Option<HeldSap<R>>,
    pub unbind: Option<Pended<Unbind>>,
    pub adapter: Option<condis::adapter::HeldAdapter<R::Lower>>,
}

impl<R: World> Default for Handles<R> {
    fn default() -> Self {
        Handles {
            client_af: None,
            client_sap: None,
            manager_af: None,
            manager_sap: None,
            unbind: None,
            adapter: None,
        }
    }
}

pub trait World: ManagerRole {
    type Lower: LowerRole;
    const NAME: &'static str;
    const MCM: bool;
    fn start(node: &Node, yard: &Arc<Yard<Self>>) -> AdapterControl;
    fn new_vc(line: &Arc<Line<Self>>) -> Self::NewVc;
    fn create(af: Af<'_, Self>, line: &Arc<Line<Self>>) -> Result<OwnedVc<Self>, NdisStatus>;
    fn indicate(vc: &HeldVc<Self::Lower>, chain: Chain);
    /// An MCM's manager half hands its handle to the data half.
    fn share(line: &Line<Self>, vc: Vc<'_, Self>);
}

pub struct ClientEnd<R: World>(pub Arc<Line<R>>);
pub struct ManagerEnd<R: World>(pub Arc<Line<R>>);
pub struct LowerEnd<R: World>(pub Arc<Line<R>>);
pub struct TheClient<R: World>(pub Arc<Yard<R>>);
pub struct ManagerAfEnd<R: World>(pub Arc<Yard<R>>);
pub struct TheCallManager(pub Arc<Yard<CallManager>>);
pub struct TheMiniport(pub Arc<Yard<CallManager>>);
pub struct TheMcm(pub Arc<Yard<Mcm>>);

impl World for CallManager {
    type Lower = Miniport;
    const NAME: &'static str = "over_a_call_manager";
    const MCM: bool = false;

    fn start(node: &Node, yard: &Arc<Yard<Self>>) -> AdapterControl {
        node.register_protocol("manager", TheCallManager(yard.clone()));
        node.add_miniport("adapter", TheMiniport(yard.clone())).expect("initializes")
    }

    fn new_vc(line: &Arc<Line<Self>>) -> Self::NewVc {
        Box::new(ManagerEnd(line.clone()))
    }

    fn create(af: Af<'_, Self>, line: &Arc<Line<Self>>) -> Result<OwnedVc<Self>, NdisStatus> {
        af.create_vc(Box::new(ManagerEnd(line.clone())))
    }

    fn indicate(vc: &HeldVc<Miniport>, chain: Chain) {
        vc.at().indicate_receive(chain);
    }

    fn share(_: &Line<Self>, _: Vc<'_, Self>) {}
}

impl World for Mcm {
    type Lower = Mcm;
    const NAME: &'static str = "over_an_mcm";
    const MCM: bool = true;

    fn start(node: &Node, yard: &Arc<Yard<Self>>) -> AdapterControl {
        node.add_mcm("adapter", TheMcm(yard.clone())).expect("initializes")
    }

    fn new_vc(line: &Arc<Line<Self>>) -> Self::NewVc {
        McmVc { manager: Box::new(ManagerEnd(line.clone())), data: Box::new(LowerEnd(line.clone())) }
    }

    fn create(af: Af<'_, Self>, line: &Arc<Line<Self>>) -> Result<OwnedVc<Self>, NdisStatus> {
        af.create_vc(Box::new(ManagerEnd(line.clone())), Box::new(LowerEnd(line.clone())))
    }

    fn indicate(vc: &HeldVc<Mcm>, chain: Chain) {
        vc.at().indicate_receive(chain);
    }

    fn share(line: &Line<Self>, vc: Vc<'_, Self>) {
        *lock(&line.lower) = Some(vc.keep());
    }
}

// The client

impl<R: World> Protocol for TheClient<R> {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
        Ok(Bound::client(TheClient(self.0.clone())))
    }
}

impl<R: World> BindingLife<Client> for TheClient<R> {
    fn status(&self, _: Binding<'_, Client>, _: &StatusIndication) {
        if self.0.hearing.swap(true, SeqCst) {
            self.0.violation("a status inside another one (DP-192)".into());
        }
        std::thread::yield_now();
        self.0.heard.fetch_add(1, SeqCst);
        self.0.hearing.store(false, SeqCst);
    }

    fn unbind<'a>(&self, _: Binding<'_, Client>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
        // The test winds everything down, and completes this then.
        self.0.stop.store(true, SeqCst);
        let (pended, answer) = token.pend();
        lock(&self.0.handles).unbind = Some(pended);
        answer
    }
}

impl<R: World> ClientBinding for TheClient<R> {
    fn af_register_notify(&self, binding: Binding<'_, Client>, family: AddressFamily) {
        let opened = binding.open_address_family(family, Box::new(TheClient(self.0.clone())));
        if let Outcome::Done(Ok(af)) = opened {
            let registered = af.at().register_sap(Sap::new(0, b"here"), Box::new(()));
            let mut handles = lock(&self.0.handles);
            handles.client_af = Some(af);
            handles.client_sap = registered.done().and_then(Result::ok);
        }
    }
}

impl<R: World> ClientAf for TheClient<R> {
    fn create_vc(&self, _: Af<'_, Client>, _: VcId) -> Result<Box<dyn ClientVc>, NdisStatus> {
        let line = lock(&self.0.creating).clone().ok_or(NdisStatus::FAILURE)?;
        Ok(Box::new(ClientEnd(line)))
    }
}

impl<R: World> ClientVc for ClientEnd<R> {
    fn receive(&self, _: Vc<'_, Client>, batch: &mut Receives<'_>) {
        let line = &self.0;
        line.alive(Seat::Client, "receive");
        if line.chance(3) {
            // Counted before it is out: what is not kept goes back when this returns.
            let count = batch.len() as i64;
            line.kept_above.fetch_add(count, SeqCst);
            match batch.keep() {
                Some(kept) => lock(&line.kept).push(kept),
                None => drop(line.kept_above.fetch_sub(count, SeqCst)),
            }
        }
    }

    fn send_complete(&self, _: Vc<'_, Client>, chain: Chain) {
        if DROPPING.get() {
            self.0.yard.violation(format!("line {}: a driver was called from a drop", self.0.number));
        }
        self.0.yard.completed.fetch_add(chain.len() as u64, SeqCst);
    }

    fn make_call_complete(&self, _: Vc<'_, Client>, result: Result<Connected, Refused>) {
        let _inside = self.0.enter(Seat::Client, "make complete");
        made(&self.0, result.is_ok());
    }

    fn close_call_complete(&self, _: Vc<'_, Client>, result: Result<(), NdisStatus>) {
        let line = &self.0;
        let _inside = line.enter(Seat::Client, "close complete");
        if result.is_ok() {
            line.closed();
            line.heard_close.store(false, SeqCst);
            line.up.store(false, SeqCst);
            line.may_dial.store(!line.gives_up(), SeqCst);
        }
    }

    fn incoming_call<'a>(
        &self,
        vc: Vc<'_, Client>,
        _: SapRef<'_, Client>,
        params: CallParams,
        token: Token<'a, IncomingCall>,
    ) -> Answer<'a, IncomingCall> {
        let line = &self.0;
        let _inside = line.enter(Seat::Client, "incoming call");
        line.heard_close.store(false, SeqCst);
        *lock(&line.client) = Some(vc.keep());
        match line.below(6) {
            0 => token.done(Err(Refused::with(NdisStatus::RESOURCES, params))),
            1 | 2 => token.done(Ok(params)),
            3 => {
                let (pended, answer) = token.pend();
                pended.complete(Ok(params));
                answer
            }
            _ => {
                let (pended, answer) = token.pend();
                *lock(&line.offer) = Some((pended, params));
                answer
            }
        }
    }

    fn call_connected(&self, _: Vc<'_, Client>) {
        let line = &self.0;
        let _inside = line.enter(Seat::Client, "connected");
        line.yard.connected.fetch_add(1, SeqCst);
        if line.heard_close.load(SeqCst) {
            line.yard.violation(format!("line {}: connected after the remote close", line.number));
        }
    }

    fn incoming_close_call(&self, vc: Vc<'_, Client>, _: NdisStatus, _: CloseData) {
        let line = &self.0;
        let _inside = line.enter(Seat::Client, "remote close");
        line.heard_close.store(true, SeqCst);
        if line.chance(2) {
            super::steps::client_close(line, vc);
        }
    }

    fn delete(&self) -> Result<(), NdisStatus> {
        let _inside = self.0.enter(Seat::Client, "delete");
        self.0.gone(Seat::Client);
        *lock(&self.0.client) = None;
        Ok(())
    }
}

/// A make-call of the client came to an end.
pub fn made<R: World>(line: &Line<R>, ok: bool) {
    if !ok {
        line.may_dial.store(!line.gives_up(), SeqCst);
        return;
    }
    line.up.store(true, SeqCst);
    line.yard.made.fetch_add(1, SeqCst);
    if line.heard_close.load(SeqCst) {
        line.yard.violation(format!("line {}: the make-call succeeded after the remote close", line.number));
    }
}

// The (M)CM

impl<R: World> ManagerAf<R> for ManagerAfEnd<R> {
    fn close<'a>(&self, _: Af<'_, R>, token: Token<'a, CloseAf>) -> Answer<'a, CloseAf> {
        token.done(Ok(()))
    }

    fn register_sap<'a>(
        &self,
        _: Af<'_, R>,
        sap: SapRef<'_, R>,
        _: &Sap,
        token: Token<'a, RegisterSap>,
    ) -> Answer<'a, RegisterSap> {
        lock(&self.0.handles).manager_sap = Some(sap.keep());
        token.done(Ok(Box::new(())))
    }

    fn create_vc(&self, _: Af<'_, R>, _: VcId) -> Result<R::NewVc, NdisStatus> {
        let line = lock(&self.0.creating).clone().ok_or(NdisStatus::FAILURE)?;
        Ok(R::new_vc(&line))
    }
}

impl<R: World> ManagerVc<R> for ManagerEnd<R> {
    fn make_call<'a>(
        &self,
        vc: Vc<'_, R>,
        params: CallParams,
        _: Option<Party<'_, R>>,
        token: Token<'a, MakeCall>,
    ) -> Answer<'a, MakeCall> {
        let line = &self.0;
        let _inside = line.enter(Seat::Manager, "make");
        line.call_begins();
        *lock(&line.manager) = Some(vc.keep());
        R::share(line, vc);
        if line.chance(8) {
            line.call_ends();
            return token.done(Err(Refused::with(NdisStatus::RESOURCES, params)));
        }
        let (pended, answer) = token.pend();
        {
            let mut state = lock(&line.state);
            // A new call: the one before is over, also if nobody has looked since.
            (state.make, state.winding) = (Some((pended, params)), false);
        }
        if line.chance(2) {
            manager_step(line);
        }
        answer
    }

    fn close_call<'a>(
        &self,
        _: Vc<'_, R>,
        _: CloseData,
        token: Token<'a, CloseCall>,
    ) -> Answer<'a, CloseCall> {
        let line = &self.0;
        let _inside = line.enter(Seat::Manager, "close");
        if line.chance(10) {
            return token.done(Err(NdisStatus::INVALID_DATA));
        }
        let (pended, answer) = token.pend();
        {
            let mut state = lock(&line.state);
            (state.close, state.winding, state.up, state.accepted) = (Some(pended), true, false, false);
            state.closes += 1;
        }
        if line.chance(2) {
            manager_step(line);
        }
        answer
    }

    fn incoming_call_complete(&self, _: Vc<'_, R>, result: Result<CallParams, Refused>) {
        let line = &self.0;
        let _inside = line.enter(Seat::Manager, "incoming complete");
        answered(line, result.is_ok());
    }

    fn activate_complete(&self, _: Vc<'_, R>, result: Result<CallParams, Refused>) {
        let line = &self.0;
        let _inside = line.enter(Seat::Manager, "activate complete");
        lock(&line.state).act = if result.is_ok() { Act::Yes } else { Act::No };
        if line.chance(2) {
            manager_step(line);
        }
    }

    fn deactivate_complete(&self, _: Vc<'_, R>, _: Result<(), NdisStatus>) {
        let line = &self.0;
        let _inside = line.enter(Seat::Manager, "deactivate complete");
        lock(&line.state).act = Act::No;
        if line.chance(2) {
            manager_step(line);
        }
    }

    fn delete(&self) -> Result<(), NdisStatus> {
        let line = &self.0;
        let _inside = line.enter(Seat::Manager, "delete");
        line.gone(Seat::Manager);
        *lock(&line.manager) = None;
        if R::MCM {
            *lock(&line.lower) = None;
        }
        Ok(())
    }
}

/// The client answered an offer.
pub fn answered<R: World>(line: &Line<R>, accepted: bool) {
    if accepted {
        let mut state = lock(&line.state);
        // A close that crossed the answer has the call already.
        state.accepted = !state.winding && line.calls.load(SeqCst) == 1;
    } else if !lock(&line.state).winding {
        line.call_ends();
    }
}

impl Protocol for TheCallManager {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
        Ok(Bound::call_manager(TheCallManager(self.0.clone())))
    }
}

impl BindingLife<CallManager> for TheCallManager {
    fn opened(&self, binding: Binding<'_, CallManager>) -> Result<(), NdisStatus> {
        binding.register_address_family(AddressFamily::Q2931)
    }
}

impl CallManagerBinding for TheCallManager {
    fn open_af<'a>(
        &self,
        af: Af<'_, CallManager>,
        _: AddressFamily,
        token: Token<'a, OpenAf<CallManager>>,
    ) -> Answer<'a, OpenAf<CallManager>> {
        lock(&self.0.handles).manager_af = Some(af.keep());
        token.done(Ok(Box::new(ManagerAfEnd(self.0.clone()))))
    }
}

// What drives the adapter

macro_rules! adapter_life {
    ($ty:ty, $role:ty, |$adapter:ident| $init:expr) => {
        impl AdapterLife<$role> for $ty {
            fn initialized(&self, $adapter: Adapter<'_, $role>) -> Result<(), NdisStatus> {
                lock(&self.0.handles).adapter = Some($adapter.keep());
                $init
            }

            fn oid_request<'a>(
                &self,
                _: Adapter<'_, $role>,
                _: Option<Vc<'_, $role>>,
                request: OidRequest,
                token: Token<'a, Oid>,
            ) -> Answer<'a, Oid> {
                token.done(OidAnswer::new(NdisStatus::SUCCESS, request))
            }
        }
    };
}

adapter_life!(TheMiniport, Miniport, |adapter| Ok(()));
adapter_life!(TheMcm, Mcm, |adapter| adapter.register_address_family(AddressFamily::Q2931));

thread_local! {
    /// Set while this thread lets go of something that NDIS waits for.
    pub static DROPPING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

impl MiniportDriver for TheMiniport {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn MiniportAdapter>), NdisStatus> {
        Ok((AdapterAttributes::new(Medium::Atm, 64), Box::new(TheMiniport(self.0.clone()))))
    }
}

impl MiniportAdapter for TheMiniport {
    fn create_vc(&self, _: VcId) -> Result<Box<dyn MiniportVc>, NdisStatus> {
        let line = lock(&self.0.creating).clone().ok_or(NdisStatus::FAILURE)?;
        Ok(Box::new(LowerEnd(line)))
    }
}

impl McmDriver for TheMcm {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn McmAdapter>), NdisStatus> {
        Ok((AdapterAttributes::new(Medium::Atm, 64), Box::new(TheMcm(self.0.clone()))))
    }
}

impl McmAdapter for TheMcm {
    fn open_af<'a>(
        &self,
        af: Af<'_, Mcm>,
        _: AddressFamily,
        token: Token<'a, OpenAf<Mcm>>,
    ) -> Answer<'a, OpenAf<Mcm>> {
        lock(&self.0.handles).manager_af = Some(af.keep());
        token.done(Ok(Box::new(ManagerAfEnd(self.0.clone()))))
    }
}

impl MiniportVc for LowerEnd<CallManager> {
    fn activate<'a>(
        &self,
        vc: Vc<'_, Miniport>,
        params: CallParams,
        token: Token<'a, Activate>,
    ) -> Answer<'a, Activate> {
        let line = &self.0;
        let _inside = line.enter(Seat::Lower, "activate");
        *lock(&line.lower) = Some(vc.keep());
        match line.below(6) {
            0 => token.done(Err(Refused::with(NdisStatus::RESOURCES, params))),
            1 | 2 => {
                line.active.store(true, SeqCst);
                token.done(Ok(params))
            }
            3 => {
                line.active.store(true, SeqCst);
                let (pended, answer) = token.pend();
                pended.complete(Ok(params));
                answer
            }
            _ => {
                let (pended, answer) = token.pend();
                *lock(&line.activation) = Some((pended, params));
                answer
            }
        }
    }

    fn deactivate<'a>(&self, _: Vc<'_, Miniport>, token: Token<'a, Deactivate>) -> Answer<'a, Deactivate> {
        let line = &self.0;
        let _inside = line.enter(Seat::Lower, "deactivate");
        if line.sends_below.load(SeqCst) == 0 && line.chance(2) {
            line.active.store(false, SeqCst);
            return token.done(Ok(()));
        }
        let (pended, answer) = token.pend();
        *lock(&line.deactivation) = Some(pended);
        answer
    }

    fn send(&self, vc: Vc<'_, Miniport>, sends: Sends<'_>) {
        send(&self.0, vc, sends);
    }

    fn returned(&self, _: Vc<'_, Miniport>, chain: Chain) {
        self.0.yard.returned.fetch_add(chain.len() as u64, SeqCst);
    }

    fn delete(&self) {
        let _inside = self.0.enter(Seat::Lower, "delete");
        self.0.gone(Seat::Lower);
        *lock(&self.0.lower) = None;
    }
}

impl McmVcData for LowerEnd<Mcm> {
    fn send(&self, vc: Vc<'_, Mcm>, sends: Sends<'_>) {
        send(&self.0, vc, sends);
    }

    fn returned(&self, _: Vc<'_, Mcm>, chain: Chain) {
        self.0.yard.returned.fetch_add(chain.len() as u64, SeqCst);
    }
}

fn send<R: World, L: Role>(line: &Line<R>, vc: Vc<'_, L>, sends: Sends<'_>) {
    line.alive(Seat::Lower, "send");
    // A batch that came through counts: no close completes until it is back.
    if vc.call() == Call::None {
        line.yard.violation(format!("line {}: a send reached a VC without a call", line.number));
    }
    let count = sends.len() as i64;
    line.sends_below.fetch_add(count, SeqCst);
    if line.chance(2) {
        lock(&line.sends).push(sends.keep());
    } else {
        line.sends_below.fetch_sub(count, SeqCst);
        sends.complete(NdisStatus::SUCCESS);
    }
}

/// The manager's answer to a make-call that it can carry.
pub fn made_with(params: CallParams) -> Made {
    Made::with(params)
}
