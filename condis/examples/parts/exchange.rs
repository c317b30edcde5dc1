//! A telephone exchange for one node: the signaling of the smallest call manager and of the smallest MCM.
//!
//! It connects two clients of the same adapter. Written once for both kinds of manager: what differs is how a message is
//! transmitted, and that is handed in.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use condis::af::{Af, HeldAf};
use condis::driver::{Made, ManagerAf, ManagerRole, ManagerVc};
use condis::params::{CallParams, CloseData, MediaParams, Sap, Specific};
use condis::party::Party;
use condis::sap::{HeldSap, SapRef};
use condis::status::NdisStatus;
use condis::token::{Answer, CloseAf, CloseCall, MakeCall, Outcome, Pended, Refused, RegisterSap, Token};
use condis::trace::VcId;
use condis::vc::{HeldVc, OwnedVc, Vc};

/// What is said on the wire: a verb, the number of the call, and the called address.
#[derive(Clone, PartialEq, Debug)]
pub struct Message(pub u8, pub u32, pub Vec<u8>);

const SETUP: u8 = 1;
const CONNECT: u8 = 2;
const RELEASE_CALLER: u8 = 3;
const RELEASE_CALLED: u8 = 4;

/// How the two kinds differ.
pub trait Model: Send + Sync + 'static {
    type Role: ManagerRole;
    fn transmit(&self, message: Message);
    /// An MCM readies its own hardware; under a call manager the miniport does, when NDIS asks it.
    fn prepare(&self, vc: Vc<'_, Self::Role>, params: Option<&CallParams>) {
        let _ = (vc, params);
    }
    /// The (M)CM's object, or objects, for a new VC.
    fn new_vc(&self, leg: Leg<Self>) -> <Self::Role as ManagerRole>::NewVc
    where
        Self: Sized;
    /// `NdisCoCreateVc` or `NdisMCmCreateVc`.
    fn create_vc(&self, af: Af<'_, Self::Role>, leg: Leg<Self>) -> Result<OwnedVc<Self::Role>, NdisStatus>
    where
        Self: Sized;
}

pub struct Exchange<M: Model> {
    pub model: M,
    state: Mutex<State<M>>,
}

/// A SAP, with the address family of the client that registered it.
type Registered<R> = (HeldAf<R>, HeldSap<R>);

struct State<M: Model> {
    saps: Vec<Registered<M::Role>>,
    calls: BTreeMap<u32, Call<M>>,
    last: u32,
}

/// The two ends of a call; each has the VC that NDIS knows, and what its driver owes NDIS.
struct Call<M: Model> {
    caller: Option<HeldVc<M::Role>>,
    make: Option<(Pended<MakeCall>, CallParams)>,
    called: Option<HeldVc<M::Role>>,
    owner: Option<OwnedVc<M::Role>>,
}

impl<M: Model> Exchange<M> {
    pub fn new(model: M) -> Arc<Exchange<M>> {
        let state = State { saps: Vec::new(), calls: BTreeMap::new(), last: 0 };
        Arc::new(Exchange { model, state: Mutex::new(state) })
    }

    fn activate(&self, vc: Vc<'_, M::Role>, call: u32) -> bool {
        let params = circuit(call);
        self.model.prepare(vc, Some(&params));
        matches!(M::Role::activate(vc, params), Outcome::Done(Ok(_)))
    }

    fn lock(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().expect("nothing panics under the lock")
    }

    /// A message came in. The lock is never held while NDIS is called.
    pub fn receive(self: &Arc<Self>, Message(verb, call, address): Message) {
        match verb {
            SETUP => self.offer(call, &address),
            CONNECT => {
                let vc = self.lock().calls.get(&call).and_then(|call| call.caller.clone());
                if vc.is_some_and(|vc| self.activate(vc.at(), call)) {
                    self.connected(call);
                }
            }
            RELEASE_CALLER => {
                let (make, vc) = match self.lock().calls.get_mut(&call) {
                    Some(call) => (call.make.take(), call.caller.clone()),
                    None => return,
                };
                match (make, vc) {
                    (Some((make, params)), _) => {
                        make.complete(Err(Refused::with(NdisStatus::DEST_OUT_OF_ORDER, params)));
                    }
                    (None, Some(vc)) => {
                        vc.at().dispatch_incoming_close_call(NdisStatus::SUCCESS, CloseData::new());
                    }
                    (None, None) => {}
                }
            }
            _ => {
                let vc = self.lock().calls.get(&call).and_then(|call| call.called.clone());
                if let Some(vc) = vc {
                    vc.at().dispatch_incoming_close_call(NdisStatus::SUCCESS, CloseData::new());
                }
            }
        }
    }

    /// Makes a VC for the called client and offers it the call.
    fn offer(self: &Arc<Self>, number: u32, address: &[u8]) {
        let found = self.lock().saps.iter().find(|(_, sap)| sap.at().address().address == address).cloned();
        let leg = Leg { exchange: self.clone(), call: Mutex::new(number), caller: false };
        let owner = found.and_then(|(af, sap)| Some((self.model.create_vc(af.at(), leg).ok()?, sap)));
        let Some((owner, sap)) = owner else {
            return self.model.transmit(Message(RELEASE_CALLER, number, Vec::new()));
        };
        let vc = owner.keep();
        if let Some(call) = self.lock().calls.get_mut(&number) {
            (call.called, call.owner) = (Some(vc.clone()), Some(owner));
        }
        if let Outcome::Done(verdict) = vc.at().dispatch_incoming_call(&sap, circuit(number)) {
            self.answered(number, verdict.is_ok());
        }
    }

    fn answered(self: &Arc<Self>, number: u32, accepted: bool) {
        let vc = self.lock().calls.get(&number).and_then(|call| call.called.clone());
        match vc {
            Some(vc) if accepted => {
                if self.activate(vc.at(), number) {
                    self.established(number);
                }
            }
            _ => {
                self.model.transmit(Message(RELEASE_CALLER, number, Vec::new()));
                self.end_called(number);
            }
        }
    }

    /// The called end is active.
    fn established(&self, number: u32) {
        let vc = self.lock().calls.get(&number).and_then(|call| call.called.clone());
        if let Some(vc) = vc {
            vc.at().dispatch_call_connected();
            self.model.transmit(Message(CONNECT, number, Vec::new()));
        }
    }

    /// The calling end is active.
    fn connected(&self, number: u32) {
        let make = self.lock().calls.get_mut(&number).and_then(|call| call.make.take());
        if let Some((make, params)) = make {
            make.complete(Ok(Made::with(params)));
        }
    }

    fn end_called(&self, number: u32) {
        let (vc, owner) = match self.lock().calls.get_mut(&number) {
            Some(call) => (call.called.take(), call.owner.take()),
            None => return,
        };
        drop(vc);
        if let Some(owner) = owner {
            owner.retire();
        }
    }
}

/// What the miniport activates a VC with: which circuit it is an end of.
pub fn circuit(call: u32) -> CallParams {
    let specific = Specific { param_type: 0, parameters: call.to_be_bytes().to_vec() };
    CallParams::media(MediaParams { specific, ..Default::default() })
}

/// One client's open of the address family.
pub struct ExchangeAf<M: Model>(pub Arc<Exchange<M>>);

impl<M: Model> ManagerAf<M::Role> for ExchangeAf<M> {
    fn close<'a>(&self, _: Af<'_, M::Role>, token: Token<'a, CloseAf>) -> Answer<'a, CloseAf> {
        token.done(Ok(()))
    }

    fn register_sap<'a>(
        &self,
        af: Af<'_, M::Role>,
        sap: SapRef<'_, M::Role>,
        address: &Sap,
        token: Token<'a, RegisterSap>,
    ) -> Answer<'a, RegisterSap> {
        let mut state = self.0.lock();
        if state.saps.iter().any(|(_, other)| other.at().address() == address) {
            return token.done(Err(NdisStatus::INVALID_DATA));
        }
        state.saps.push((af.keep(), sap.keep()));
        token.done(Ok(Box::new(SapOf(self.0.clone(), address.clone()))))
    }

    fn create_vc(&self, _: Af<'_, M::Role>, _: VcId) -> Result<<M::Role as ManagerRole>::NewVc, NdisStatus> {
        let leg = Leg { exchange: self.0.clone(), call: Mutex::new(0), caller: true };
        Ok(self.0.model.new_vc(leg))
    }
}

struct SapOf<M: Model>(Arc<Exchange<M>>, Sap);

impl<M: Model> condis::driver::ManagerSap for SapOf<M> {
    fn deregister<'a>(
        &self,
        token: Token<'a, condis::token::DeregisterSap>,
    ) -> Answer<'a, condis::token::DeregisterSap> {
        self.0.lock().saps.retain(|(_, sap)| *sap.at().address() != self.1);
        token.done(())
    }
}

/// The exchange's end of a client VC.
pub struct Leg<M: Model> {
    exchange: Arc<Exchange<M>>,
    call: Mutex<u32>,
    caller: bool,
}

impl<M: Model> Leg<M> {
    fn call(&self) -> u32 {
        *self.call.lock().expect("nothing panics under the lock")
    }

    /// The VC is inactive again: forget it.
    fn over(&self) {
        let mut state = self.exchange.lock();
        if self.caller {
            if let Some(call) = state.calls.get_mut(&self.call()) {
                call.caller = None;
            }
        } else {
            drop(state);
            self.exchange.end_called(self.call());
        }
    }
}

impl<M: Model> ManagerVc<M::Role> for Leg<M> {
    fn make_call<'a>(
        &self,
        vc: Vc<'_, M::Role>,
        params: CallParams,
        _: Option<Party<'_, M::Role>>,
        token: Token<'a, MakeCall>,
    ) -> Answer<'a, MakeCall> {
        let address = params.manager.as_ref().map(|m| m.specific.parameters.clone()).unwrap_or_default();
        let (make, answer) = token.pend();
        let number = {
            let mut state = self.exchange.lock();
            state.last += 1;
            let (caller, make) = (Some(vc.keep()), Some((make, params)));
            let number = state.last;
            state.calls.insert(number, Call { caller, make, called: None, owner: None });
            number
        };
        *self.call.lock().expect("nothing panics under the lock") = number;
        self.exchange.model.transmit(Message(SETUP, number, address));
        answer
    }

    fn close_call<'a>(
        &self,
        vc: Vc<'_, M::Role>,
        _: CloseData,
        token: Token<'a, CloseCall>,
    ) -> Answer<'a, CloseCall> {
        let other = if self.caller { RELEASE_CALLED } else { RELEASE_CALLER };
        self.exchange.model.transmit(Message(other, self.call(), Vec::new()));
        self.exchange.model.prepare(vc, None);
        // NDIS completes the client's close once the VC is inactive and drained, whichever comes last.
        if let Outcome::Done(_) = M::Role::deactivate(vc) {
            self.over();
        }
        token.done(Ok(()))
    }

    fn incoming_call_complete(&self, _: Vc<'_, M::Role>, result: Result<CallParams, Refused>) {
        self.exchange.answered(self.call(), result.is_ok());
    }

    fn activate_complete(&self, _: Vc<'_, M::Role>, result: Result<CallParams, Refused>) {
        match (result.is_ok(), self.caller) {
            (true, true) => self.exchange.connected(self.call()),
            (true, false) => self.exchange.established(self.call()),
            (false, _) => {}
        }
    }

    fn deactivate_complete(&self, _: Vc<'_, M::Role>, _: Result<(), NdisStatus>) {
        self.over();
    }
}
