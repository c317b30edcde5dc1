//! The engine as NDIS sees it: its objects for an address family, a SAP, a VC and a party, the same for both kinds of manager.

use std::sync::Arc;

use condis::af::Af;
use condis::driver::{ManagerAf, ManagerParty, ManagerRole, ManagerSap, ManagerVc};
use condis::oid::{About, OidAnswer, OidKind, OidRequest, code};
use condis::params::{CallParams, CloseData, Sap};
use condis::party::Party;
use condis::sap::SapRef;
use condis::status::NdisStatus;
use condis::token::{
    AddParty, Answer, CloseAf, CloseCall, DeregisterSap, DropParty, MakeCall, ModifyCallQos, Oid, Refused,
    RegisterSap, Token,
};
use condis::trace::VcId;
use condis::vc::Vc;

use super::record::Make;
use super::{Engine, Input, Key, LegKey, Model};
use crate::driver::addresses;
use crate::driver::call_params::AtmCall;
use crate::driver::close_cause::CloseCause;
use crate::driver::pvc::AtmPvc;
use crate::driver::sap::AtmSap;
use crate::uni::PartyId;

/// One client's open of the address family.
pub(in crate::driver) struct EngineAf<M: Model> {
    engine: Arc<Engine<M>>,
    key: Key,
}

impl<M: Model> EngineAf<M> {
    pub(in crate::driver) fn open(engine: &Arc<Engine<M>>, af: Af<'_, M::Role>) -> EngineAf<M> {
        let key = engine.key();
        engine.lock_afs().insert(key, af.keep());
        // Once it is open: CO-197.
        engine.later(move |engine| engine.input(Input::AfOpened { key }));
        EngineAf { engine: engine.clone(), key }
    }
}

impl<M: Model> ManagerAf<M::Role> for EngineAf<M> {
    /// Answered once every VC that the manager made on it is deleted (CO-032).
    fn close<'a>(&self, af: Af<'_, M::Role>, token: Token<'a, CloseAf>) -> Answer<'a, CloseAf> {
        let (pended, answer) = token.pend();
        let before = self.engine.lock_afs().remove(&self.key);
        drop(before);
        self.engine.input(Input::CloseAf { key: self.key, af: af.keep(), pended });
        answer
    }

    /// INVALID_DATA: malformed, or registered already, by whomever (CO-047).
    fn register_sap<'a>(
        &self,
        af: Af<'_, M::Role>,
        sap: SapRef<'_, M::Role>,
        address: &Sap,
        token: Token<'a, RegisterSap>,
    ) -> Answer<'a, RegisterSap> {
        let Ok(wanted) = AtmSap::from_sap(address) else {
            return token.done(Err(NdisStatus::INVALID_DATA));
        };
        let key = self.engine.key();
        let registered = (af.keep(), sap.keep());
        let result = self.engine.turns.machine().register(key, wanted, registered);
        match result {
            Ok(()) => token.done(Ok(Box::new(EngineSap { engine: self.engine.clone(), key }))),
            Err((status, registered)) => {
                drop(registered);
                token.done(Err(status))
            }
        }
    }

    fn create_vc(&self, _: Af<'_, M::Role>, _: VcId) -> Result<<M::Role as ManagerRole>::NewVc, NdisStatus> {
        let (key, data) = (LegKey(self.engine.key()), self.engine.model.new_data());
        Ok(M::new_vc(Leg::new(self.engine.clone(), key, data)))
    }

    /// Permanent connections and addresses. They hold for all clients of the adapter, but for the addresses a client added.
    fn oid_request<'a>(
        &self,
        _: Af<'_, M::Role>,
        _: About,
        mut request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        let mut state = self.engine.turns.machine();
        let status = match (request.kind, request.oid) {
            (OidKind::Set, code::CO_ADD_PVC) => match AtmPvc::from_add(&request.buffer) {
                Ok(pvc) => state.add_pvc(pvc),
                Err(_) => NdisStatus::INVALID_DATA,
            },
            (OidKind::Set, code::CO_DELETE_PVC) => match AtmPvc::from_delete(&request.buffer) {
                Ok(vpvc) => state.delete_pvc(vpvc),
                Err(_) => NdisStatus::INVALID_DATA,
            },
            (OidKind::Set, code::CO_ADD_ADDRESS) => match addresses::address_of(&request.buffer) {
                Ok(address) => state.add_alias(self.key, address),
                Err(_) => NdisStatus::INVALID_DATA,
            },
            (OidKind::Set, code::CO_DELETE_ADDRESS) => match addresses::address_of(&request.buffer) {
                Ok(address) => state.delete_alias(self.key, &address),
                Err(_) => NdisStatus::INVALID_DATA,
            },
            (OidKind::Query, code::CO_GET_ADDRESSES) => {
                let all = state.addresses(self.key);
                let list = addresses::list(&all, request.buffer.len());
                request.write(&list)
            }
            _ => NdisStatus::NOT_SUPPORTED,
        };
        drop(state);
        if status == NdisStatus::SUCCESS && request.kind == OidKind::Set {
            request.bytes_read = request.buffer.len();
        }
        token.done(OidAnswer::new(status, request))
    }
}

struct EngineSap<M: Model> {
    engine: Arc<Engine<M>>,
    key: Key,
}

impl<M: Model> ManagerSap for EngineSap<M> {
    fn deregister<'a>(&self, token: Token<'a, DeregisterSap>) -> Answer<'a, DeregisterSap> {
        let registered = self.engine.turns.machine().deregister(self.key);
        drop(registered);
        token.done(())
    }
}

/// The engine's end of a client VC.
pub(in crate::driver) struct Leg<M: Model> {
    engine: Arc<Engine<M>>,
    key: LegKey,
    data: M::Data,
}

impl<M: Model> Leg<M> {
    pub(super) fn new(engine: Arc<Engine<M>>, key: LegKey, data: M::Data) -> Leg<M> {
        Leg { engine, key, data }
    }

    pub(in crate::driver) fn engine(&self) -> &Arc<Engine<M>> {
        &self.engine
    }

    pub(in crate::driver) fn data(&self) -> &M::Data {
        &self.data
    }
}

impl<M: Model> ManagerVc<M::Role> for Leg<M> {
    /// Without an address to call, a permanent connection must be named by media parameters.
    fn make_call<'a>(
        &self,
        vc: Vc<'_, M::Role>,
        params: CallParams,
        party: Option<Party<'_, M::Role>>,
        token: Token<'a, MakeCall>,
    ) -> Answer<'a, MakeCall> {
        let call = match AtmCall::from_params(&params) {
            Ok(call) => Some(call),
            Err(_) if params.manager.is_none() && params.media.is_some() => None,
            Err(_) => return token.done(Err(Refused::with(NdisStatus::INVALID_DATA, params))),
        };
        let (pended, answer) = token.pend();
        let party = party.map(Party::keep);
        let make = Make { vc: vc.keep(), data: self.data.clone(), params, call, party, pended };
        self.engine.input(Input::Make { leg: self.key, make: Box::new(make) });
        answer
    }

    fn close_call<'a>(
        &self,
        _: Vc<'_, M::Role>,
        data: CloseData,
        token: Token<'a, CloseCall>,
    ) -> Answer<'a, CloseCall> {
        // CO-151.
        let Ok(CloseCause { cause }) = CloseCause::from_data(&data) else {
            return token.done(Err(NdisStatus::INVALID_DATA));
        };
        let (pended, answer) = token.pend();
        self.engine.input(Input::Close { leg: self.key, pended, cause });
        answer
    }

    fn incoming_call_complete(&self, _: Vc<'_, M::Role>, result: Result<CallParams, Refused>) {
        let result = result.map_err(|refused| refused.status);
        self.engine.input(Input::OfferAnswered { leg: self.key, result });
    }

    fn activate_complete(&self, _: Vc<'_, M::Role>, result: Result<CallParams, Refused>) {
        let result = result.map(drop).map_err(|refused| refused.status);
        self.engine.input(Input::Activated { leg: self.key, result });
    }

    fn deactivate_complete(&self, _: Vc<'_, M::Role>, _: Result<(), NdisStatus>) {
        self.engine.input(Input::Deactivated { leg: self.key });
    }

    fn modify_call_qos<'a>(
        &self,
        _: Vc<'_, M::Role>,
        params: CallParams,
        token: Token<'a, ModifyCallQos>,
    ) -> Answer<'a, ModifyCallQos> {
        let (pended, answer) = token.pend();
        self.engine.input(Input::Modify { leg: self.key, params, pended });
        answer
    }

    fn add_party<'a>(
        &self,
        _: Vc<'_, M::Role>,
        party: Party<'_, M::Role>,
        params: CallParams,
        token: Token<'a, AddParty>,
    ) -> Answer<'a, AddParty> {
        let (pended, answer) = token.pend();
        self.engine.input(Input::AddParty { leg: self.key, party: party.keep(), params, pended });
        answer
    }
}

/// The engine's end of a party.
pub(super) struct EngineParty<M: Model> {
    engine: Arc<Engine<M>>,
    leg: LegKey,
    party: PartyId,
}

impl<M: Model> EngineParty<M> {
    pub(super) fn new(engine: Arc<Engine<M>>, leg: LegKey, party: PartyId) -> EngineParty<M> {
        EngineParty { engine, leg, party }
    }
}

impl<M: Model> ManagerParty for EngineParty<M> {
    fn drop_party<'a>(&self, data: CloseData, token: Token<'a, DropParty>) -> Answer<'a, DropParty> {
        // CO-175.
        let Ok(CloseCause { cause }) = CloseCause::from_data(&data) else {
            return token.done(Err(NdisStatus::INVALID_DATA));
        };
        let (pended, answer) = token.pend();
        self.engine.input(Input::DropParty { leg: self.leg, party: self.party, cause, pended });
        answer
    }
}
