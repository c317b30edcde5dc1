//! Parties of a multipoint call, of which the client is the root.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, OnceLock};

use crate::adapter::AdapterCore;
use crate::driver::{ClientParty, ManagerParty, ManagerRole};
use crate::names::Function as F;
use crate::params::{CallParams, CloseData};
use crate::role::{Client, Role};
use crate::status::NdisStatus;
use crate::token::sealed::Op;
use crate::token::{How, Object, Outcome, Refused, Token};
use crate::trace::{ObjectId, Way};
use crate::vc::upcall::Upcall;
use crate::vc::{Call, Side, VcCore};

/// The life of a party.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartyState {
    /// The (M)CM has not answered yet.
    Adding,
    /// Connected.
    Connected,
    /// Connected; the remote leaves, and the client has been told.
    Leaving,
    /// The client drops it, and the (M)CM has not answered yet.
    Dropping,
    /// Gone.
    Gone,
}

/// A party.
#[doc(hidden)]
pub struct PartyCore {
    id: u32,
    vc: Arc<VcCore>,
    client: Box<dyn ClientParty>,
    manager: OnceLock<Box<dyn ManagerParty>>,
    state: Mutex<PartyState>,
}

impl PartyCore {
    pub(crate) fn new(vc: &Arc<VcCore>, client: Box<dyn ClientParty>) -> Arc<PartyCore> {
        vc.adapter().live.objects_made(1);
        Arc::new(PartyCore {
            id: vc.node().next_party(),
            vc: vc.clone(),
            client,
            manager: OnceLock::new(),
            state: Mutex::new(PartyState::Adding),
        })
    }

    pub(crate) fn state(&self) -> PartyState {
        *self.state.lock().expect("no driver runs under a party's lock")
    }

    pub(crate) fn set_state(&self, state: PartyState) {
        *self.state.lock().expect("no driver runs under a party's lock") = state;
    }

    /// The party went, with its call or without ever having been connected.
    pub(crate) fn gone(&self) {
        self.set_state(PartyState::Gone);
    }

    /// True while the party is part of the call.
    pub(crate) fn is_there(&self) -> bool {
        matches!(self.state(), PartyState::Connected | PartyState::Leaving)
    }

    /// The (M)CM has the party. False if it gave no object for it.
    pub(crate) fn connect(&self, object: Option<Box<dyn ManagerParty>>) -> bool {
        self.set_state(PartyState::Connected);
        match object {
            Some(object) => {
                self.vc.adapter().live.objects_made(1);
                self.manager.set(object).is_ok()
            }
            None => false,
        }
    }

    fn object_id(&self) -> ObjectId {
        ObjectId::Party(self.id)
    }

    fn cross(&self, side: Side, way: Way, function: F) {
        self.vc.node().cross(self.vc.driver(side), way, function, self.object_id());
    }

    /// Asks the (M)CM to drop the party.
    pub(crate) fn ask_drop(self: &Arc<Self>, data: CloseData) -> Option<<DropParty as Op>::Answer> {
        if self.vc.lost(Side::Manager) {
            return Some(Ok(()));
        }
        match self.manager.get() {
            Some(object) => self
                .vc
                .call(Side::Manager, F::ProtocolCmDropParty, || {
                    object.drop_party(data, Token::new(self, ())).take()
                })
                .flatten(),
            None => Some(Ok(())),
        }
    }

    pub(crate) fn tell_added(self: &Arc<Self>, result: Result<CallParams, Refused>) {
        self.vc.call(Side::User, F::ProtocolClAddPartyComplete, || {
            self.client.add_complete(Party::new(self), result);
        });
    }

    pub(crate) fn tell_dropped(self: &Arc<Self>, result: Result<(), NdisStatus>) {
        self.vc.call(Side::User, F::ProtocolClDropPartyComplete, || {
            self.client.drop_complete(Party::new(self), result);
        });
    }

    pub(crate) fn tell_incoming_drop(self: &Arc<Self>, status: NdisStatus, data: CloseData) {
        self.vc.call(Side::User, F::ProtocolClIncomingDropParty, || {
            self.client.incoming_drop(Party::new(self), status, data);
        });
    }
}

impl Object for PartyCore {
    fn adapter(&self) -> &Arc<AdapterCore> {
        self.vc.adapter()
    }

    fn id(&self) -> ObjectId {
        self.object_id()
    }
}

impl Drop for PartyCore {
    fn drop(&mut self) {
        self.vc.adapter().live.object_gone();
        if self.manager.get().is_some() {
            self.vc.adapter().live.object_gone();
        }
    }
}

/// A party, as its client or its (M)CM is given it.
#[doc(alias = "NdisPartyHandle")]
pub struct Party<'a, R: Role>(&'a Arc<PartyCore>, PhantomData<R>);

impl<R: Role> Clone for Party<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Role> Copy for Party<'_, R> {}

/// A party handle that lasts. It keeps the VC alive: drop it when the party is gone.
pub struct HeldParty<R: Role>(Arc<PartyCore>, PhantomData<R>);

impl<R: Role> HeldParty<R> {
    pub(crate) fn new(core: Arc<PartyCore>) -> HeldParty<R> {
        HeldParty(core, PhantomData)
    }

    /// The handle to call with.
    pub fn at(&self) -> Party<'_, R> {
        Party::new(&self.0)
    }
}

impl<R: Role> Clone for HeldParty<R> {
    fn clone(&self) -> Self {
        HeldParty(self.0.clone(), PhantomData)
    }
}

impl<'a, R: Role> Party<'a, R> {
    pub(crate) fn new(core: &'a Arc<PartyCore>) -> Party<'a, R> {
        Party(core, PhantomData)
    }

    /// Its name.
    pub fn id(self) -> ObjectId {
        self.0.object_id()
    }

    /// Where it is in its life.
    pub fn state(self) -> PartyState {
        self.0.state()
    }

    /// A handle that lasts.
    pub fn keep(self) -> HeldParty<R> {
        HeldParty(self.0.clone(), PhantomData)
    }
}

impl crate::vc::Vc<'_, Client> {
    /// Adds a party to a multipoint call that is up. `params` carry its address.
    ///
    /// # Completion
    /// The party's handle, or through [`add_complete`](ClientParty::add_complete).
    /// # Errors
    /// FAILURE: the VC is gone, or the call was made without a party. NOT_ACCEPTED: the call is not up. Else what the (M)CM
    /// says. `params` are in the error.
    ///
    /// Source: WDK NdisClAddParty; CO-164 to CO-167.
    #[doc(alias = "NdisClAddParty")]
    pub fn add_party(
        self,
        params: CallParams,
        object: Box<dyn ClientParty>,
    ) -> Outcome<Result<(HeldParty<Client>, CallParams), Refused>> {
        let vc = self.0;
        vc.cross(Side::User, Way::Down, F::NdisClAddParty);
        let party = PartyCore::new(vc, object);
        let begun = {
            let mut ctl = vc.lock();
            match ctl.control.begin_add() {
                Ok(()) => {
                    ctl.rare.get_or_insert_default().parties.push(party.clone());
                    if ctl.claim(Side::Manager) {
                        Ok(Some(params))
                    } else {
                        ctl.push(Upcall::AddParty(party.clone(), params));
                        Ok(None)
                    }
                }
                Err(status) => Err(Refused::with(status, params)),
            }
        };
        let outcome = match begun {
            Err(refused) => Outcome::Done(Err(refused)),
            Ok(Some(params)) => {
                let reply = vc
                    .ask_add_party(&party, params)
                    .and_then(|answer| AddParty::settle(&party, (), answer, How::Returned));
                vc.release(Side::Manager);
                match reply {
                    Some(Ok(params)) => Outcome::Done(Ok((HeldParty::new(party), params))),
                    Some(Err(refused)) => Outcome::Done(Err(refused)),
                    None => Outcome::Pending,
                }
            }
            Ok(None) => {
                vc.pump();
                Outcome::Pending
            }
        };
        let status = match &outcome {
            Outcome::Done(Ok(_)) => NdisStatus::SUCCESS,
            Outcome::Done(Err(refused)) => refused.status,
            Outcome::Pending => NdisStatus::PENDING,
        };
        vc.cross(Side::User, Way::Returned(status), F::NdisClAddParty);
        outcome
    }
}

impl Party<'_, Client> {
    /// Drops the party. The last one goes with the call instead: close it.
    ///
    /// # Completion
    /// At once, or through [`drop_complete`](ClientParty::drop_complete).
    /// # Errors
    /// FAILURE: the last party (it stays), or one that is not connected. NOT_ACCEPTED: the call is not up. INVALID_DATA: the
    /// medium carries no drop data.
    ///
    /// Source: WDK NdisClDropParty; CO-168 to CO-175.
    #[doc(alias = "NdisClDropParty")]
    pub fn drop_party(self, data: CloseData) -> Outcome<Result<(), NdisStatus>> {
        let (party, vc) = (self.0, &self.0.vc);
        party.cross(Side::User, Way::Down, F::NdisClDropParty);
        let begun = {
            let mut ctl = vc.lock();
            if matches!(party.state(), PartyState::Connected | PartyState::Leaving) {
                ctl.control.begin_drop().map(|()| {
                    party.set_state(PartyState::Dropping);
                    if ctl.claim(Side::Manager) {
                        Some(data)
                    } else {
                        ctl.push(Upcall::DropParty(party.clone(), data));
                        None
                    }
                })
            } else {
                Err(NdisStatus::FAILURE)
            }
        };
        let outcome = match begun {
            Err(status) => Outcome::Done(Err(status)),
            Ok(Some(data)) => {
                let reply = party
                    .ask_drop(data)
                    .and_then(|answer| DropParty::settle(party, (), answer, How::Returned));
                vc.release(Side::Manager);
                reply.map_or(Outcome::Pending, Outcome::Done)
            }
            Ok(None) => {
                vc.pump();
                Outcome::Pending
            }
        };
        let status = match &outcome {
            Outcome::Done(result) => NdisStatus::of(result),
            Outcome::Pending => NdisStatus::PENDING,
        };
        party.cross(Side::User, Way::Returned(status), F::NdisClDropParty);
        outcome
    }
}

impl<R: ManagerRole> Party<'_, R> {
    /// Tells the client that this party left (`SUCCESS`), or that the network lost it, while others remain. For the last one
    /// dispatch a remote close of the call.
    ///
    /// One for the last party, or for one that is not connected, is reported and ignored (P5).
    ///
    /// Source: WDK NdisCmDispatchIncomingDropParty; CO-172.
    #[doc(alias = "NdisCmDispatchIncomingDropParty")]
    #[doc(alias = "NdisMCmDispatchIncomingDropParty")]
    pub fn dispatch_incoming_drop(self, status: NdisStatus, data: CloseData) {
        let (party, vc) = (self.0, &self.0.vc);
        let name = vc.named(F::NdisCmDispatchIncomingDropParty, F::NdisMCmDispatchIncomingDropParty);
        party.cross(Side::Manager, Way::Down, name);
        let told = vc.transition(|ctl| {
            let all = ctl.rare.as_ref().map(|rare| rare.parties.as_slice()).unwrap_or_default();
            let staying = all.iter().filter(|party| party.state() == PartyState::Connected).count();
            let lawful =
                ctl.control.call == Call::Connected && staying >= 2 && party.state() == PartyState::Connected;
            if lawful {
                party.set_state(PartyState::Leaving);
                ctl.push(Upcall::IncomingDropParty(party.clone(), status, data));
            }
            lawful
        });
        if !told {
            vc.report(
                "CO-172",
                "a remote drop was dispatched for the last party, or for one that is not connected",
            );
        }
    }
}

/// `ProtocolCmAddParty`, answered with the (M)CM's object for the party and the parameters in force.
#[derive(Debug)]
pub enum AddParty {}

/// `ProtocolCmDropParty`.
#[derive(Debug)]
pub enum DropParty {}

impl Op for AddParty {
    type Obj = PartyCore;
    type Key = ();
    type Answer = Result<(Box<dyn ManagerParty>, CallParams), Refused>;
    type Reply = Result<CallParams, Refused>;
    const CALLBACK: F = F::ProtocolCmAddParty;

    fn lost() -> Self::Answer {
        Err(NdisStatus::FAILURE.into())
    }

    fn settle(party: &Arc<PartyCore>, (): (), answer: Self::Answer, how: How) -> Option<Self::Reply> {
        let vc = &party.vc;
        if how == How::Late {
            party.cross(
                Side::Manager,
                Way::Down,
                vc.named(F::NdisCmAddPartyComplete, F::NdisMCmAddPartyComplete),
            );
        }
        let mut answer = Some(answer);
        // What is not taken out of `answer` is a driver's object, and is dropped outside of the lock.
        vc.transition(|ctl| {
            if party.state() != PartyState::Adding {
                return None; // NDIS has answered for a driver that panicked.
            }
            let result = answer.take()?.map(|(object, params)| {
                party.connect(Some(object));
                params
            });
            ctl.control.end_add(result.is_ok());
            if result.is_err() {
                forget(ctl, party);
            }
            if how == How::Returned {
                return Some(result);
            }
            ctl.push(Upcall::AddPartyComplete(party.clone(), result));
            None
        })
    }

    fn holder(party: &PartyCore, (): ()) -> String {
        party.vc.driver(Side::Manager).to_string()
    }
}

impl Op for DropParty {
    type Obj = PartyCore;
    type Key = ();
    type Answer = Result<(), NdisStatus>;
    type Reply = Result<(), NdisStatus>;
    const CALLBACK: F = F::ProtocolCmDropParty;

    fn lost() -> Self::Answer {
        Err(NdisStatus::FAILURE)
    }

    fn settle(party: &Arc<PartyCore>, (): (), answer: Self::Answer, how: How) -> Option<Self::Reply> {
        let vc = &party.vc;
        if how == How::Late {
            let name = vc.named(F::NdisCmDropPartyComplete, F::NdisMCmDropPartyComplete);
            party.cross(Side::Manager, Way::Down, name);
        }
        let answer = if vc.lost(Side::Manager) { Ok(()) } else { answer };
        vc.transition(|ctl| {
            if party.state() != PartyState::Dropping {
                return None; // NDIS has answered for a driver that panicked.
            }
            if answer.is_err() && vc.lost(Side::User) {
                vc.lost.fetch_or(crate::vc::STAND_IN_REFUSED, std::sync::atomic::Ordering::SeqCst);
            }
            ctl.control.end_drop(answer.is_ok());
            match answer {
                Ok(()) => forget(ctl, party),
                // The handle is good again.
                Err(_) => party.set_state(PartyState::Connected),
            }
            if how == How::Returned {
                return Some(answer);
            }
            ctl.push(Upcall::DropPartyComplete(party.clone(), answer));
            None
        })
    }

    fn holder(party: &PartyCore, (): ()) -> String {
        party.vc.driver(Side::Manager).to_string()
    }
}

fn forget(ctl: &mut crate::vc::Ctl, party: &Arc<PartyCore>) {
    party.set_state(PartyState::Gone);
    if let Some(rare) = &mut ctl.rare {
        rare.parties.retain(|other| !Arc::ptr_eq(other, party));
    }
}

impl<R: Role> fmt::Debug for Party<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} handle of {} on {}: {:?}", R::KIND, self.id(), self.0.vc.id, self.state())
    }
}

impl<R: Role> fmt::Debug for HeldParty<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.at(), f)
    }
}
