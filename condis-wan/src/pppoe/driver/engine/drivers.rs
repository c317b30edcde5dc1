//! The engine as NDIS sees it: its objects for an address family, a SAP and a VC, the same for both kinds of manager.

use std::sync::Arc;

use condis::af::Af;
use condis::driver::{ManagerAf, ManagerRole, ManagerSap, ManagerVc};
use condis::params::{CallParams, CloseData, Sap};
use condis::party::Party;
use condis::sap::SapRef;
use condis::status::NdisStatus;
use condis::token::{Answer, CloseAf, CloseCall, DeregisterSap, MakeCall, Refused, RegisterSap, Token};
use condis::trace::VcId;
use condis::vc::Vc;

use super::record::Make;
use super::{Engine, Input, LegKey, Model};
use crate::pppoe::discovery::{ServiceKey, ServiceRequest};
use crate::pppoe::driver::params::{CallTarget, SAP_TYPE_SERVICE};
use crate::pppoe::driver::status;

/// One client's open of the address family.
pub(in crate::pppoe::driver) struct EngineAf<M: Model> {
    engine: Arc<Engine<M>>,
    key: u64,
}

impl<M: Model> EngineAf<M> {
    pub(in crate::pppoe::driver) fn open(engine: &Arc<Engine<M>>, af: Af<'_, M::Role>) -> EngineAf<M> {
        let key = engine.key();
        engine.lock_afs().insert(key, af.keep());
        EngineAf { engine: engine.clone(), key }
    }
}

impl<M: Model> ManagerAf<M::Role> for EngineAf<M> {
    /// Answered once every VC that the manager made on it is deleted (CO-032).
    fn close<'a>(&self, af: Af<'_, M::Role>, token: Token<'a, CloseAf>) -> Answer<'a, CloseAf> {
        let (pended, answer) = token.pend();
        let before = self.engine.lock_afs().remove(&self.key);
        drop(before);
        self.engine.input(Input::CloseAf { af: af.keep(), pended });
        answer
    }

    fn register_sap<'a>(
        &self,
        af: Af<'_, M::Role>,
        sap: SapRef<'_, M::Role>,
        address: &Sap,
        token: Token<'a, RegisterSap>,
    ) -> Answer<'a, RegisterSap> {
        if address.sap_type != SAP_TYPE_SERVICE {
            return token.done(Err(NdisStatus::INVALID_SAP));
        }
        let service = ServiceKey(self.engine.key());
        let mut state = self.engine.turns.machine();
        let Some(concentrator) = &mut state.concentrator else {
            return token.done(Err(NdisStatus::NOT_SUPPORTED));
        };
        if let Err(why) = concentrator.offer(service, &address.address) {
            return token.done(Err(status::of_offer_error(why)));
        }
        state.saps.insert(service, (af.keep(), sap.keep()));
        drop(state);
        token.done(Ok(Box::new(EngineSap { engine: self.engine.clone(), service })))
    }

    fn create_vc(&self, _: Af<'_, M::Role>, _: VcId) -> Result<<M::Role as ManagerRole>::NewVc, NdisStatus> {
        let (key, data) = (LegKey(self.engine.key()), self.engine.model.new_data());
        Ok(M::new_vc(Leg::new(self.engine.clone(), key, data)))
    }
}

struct EngineSap<M: Model> {
    engine: Arc<Engine<M>>,
    service: ServiceKey,
}

impl<M: Model> ManagerSap for EngineSap<M> {
    fn deregister<'a>(&self, token: Token<'a, DeregisterSap>) -> Answer<'a, DeregisterSap> {
        let registered = {
            let mut state = self.engine.turns.machine();
            if let Some(concentrator) = &mut state.concentrator {
                concentrator.withdraw(self.service);
            }
            state.saps.remove(&self.service)
        };
        drop(registered);
        token.done(())
    }
}

/// The engine's end of a client VC.
pub(in crate::pppoe::driver) struct Leg<M: Model> {
    engine: Arc<Engine<M>>,
    key: LegKey,
    data: M::Data,
}

impl<M: Model> Leg<M> {
    pub(super) fn new(engine: Arc<Engine<M>>, key: LegKey, data: M::Data) -> Leg<M> {
        Leg { engine, key, data }
    }

    pub(in crate::pppoe::driver) fn engine(&self) -> &Arc<Engine<M>> {
        &self.engine
    }

    pub(in crate::pppoe::driver) fn data(&self) -> &M::Data {
        &self.data
    }
}

/// QoS and parties are left NOT_SUPPORTED: PPPoE has neither (CO-180).
impl<M: Model> ManagerVc<M::Role> for Leg<M> {
    fn make_call<'a>(
        &self,
        vc: Vc<'_, M::Role>,
        params: CallParams,
        party: Option<Party<'_, M::Role>>,
        token: Token<'a, MakeCall>,
    ) -> Answer<'a, MakeCall> {
        if party.is_some() {
            return token.done(Err(Refused::with(NdisStatus::NOT_SUPPORTED, params)));
        }
        let Ok(CallTarget { service_name, ac_name, max_payload }) = CallTarget::from_params(&params) else {
            return token.done(Err(Refused::with(NdisStatus::INVALID_DATA, params)));
        };
        let request = ServiceRequest { service_name, ac_name, max_payload, vendor: Vec::new() };
        let (pended, answer) = token.pend();
        let make = Make { vc: vc.keep(), data: self.data.clone(), params, request, pended };
        self.engine.input(Input::Make { leg: self.key, make });
        answer
    }

    fn close_call<'a>(
        &self,
        _: Vc<'_, M::Role>,
        data: CloseData,
        token: Token<'a, CloseCall>,
    ) -> Answer<'a, CloseCall> {
        // RFC 2516 Appendix A gives an error tag to PADO, PADR and PADS alone, so a PADT has no place for it (CO-151).
        if !data.is_empty() {
            return token.done(Err(NdisStatus::INVALID_DATA));
        }
        let (pended, answer) = token.pend();
        self.engine.input(Input::Close { leg: self.key, pended });
        answer
    }

    fn incoming_call_complete(&self, _: Vc<'_, M::Role>, result: Result<CallParams, Refused>) {
        let result = result.map(drop).map_err(|refused| refused.status);
        self.engine.input(Input::OfferAnswered { leg: self.key, result });
    }

    fn activate_complete(&self, _: Vc<'_, M::Role>, result: Result<CallParams, Refused>) {
        let result = result.map(drop).map_err(|refused| refused.status);
        self.engine.input(Input::Activated { leg: self.key, result });
    }

    fn deactivate_complete(&self, _: Vc<'_, M::Role>, _: Result<(), NdisStatus>) {
        self.engine.input(Input::Deactivated { leg: self.key });
    }
}
