//! The client's object for a VC: what NDIS calls, handed on to the call.

use std::sync::Arc;

use condis::driver::{ClientVc, Connected};
use condis::nbl::Chain;
use condis::params::{CallFlags, CallParams, CloseData};
use condis::role::Client as ClientRole;
use condis::sap::SapRef;
use condis::status::NdisStatus;
use condis::token::{Answer, IncomingCall, Refused, Token};
use condis::vc::{Receives, Vc};
use condis_atm::driver::AtmCall;

use super::call::LabCall;
use super::conversation::Phase;
use super::ledger::{Ending, Stage};

/// The client's object for one VC.
pub(super) struct CallObject(pub(super) Arc<LabCall>);

impl ClientVc for CallObject {
    fn receive(&self, vc: Vc<'_, ClientRole>, batch: &mut Receives<'_>) {
        self.0.heard(vc, batch);
    }

    fn send_complete(&self, vc: Vc<'_, ClientRole>, chain: Chain) {
        self.0.sent(vc, chain);
    }

    fn make_call_complete(&self, vc: Vc<'_, ClientRole>, result: Result<Connected, Refused>) {
        self.0.made(vc, result);
    }

    fn close_call_complete(&self, _: Vc<'_, ClientRole>, result: Result<(), NdisStatus>) {
        self.0.closed(result);
    }

    fn incoming_call<'a>(
        &self,
        vc: Vc<'_, ClientRole>,
        sap: SapRef<'_, ClientRole>,
        params: CallParams,
        token: Token<'a, IncomingCall>,
    ) -> Answer<'a, IncomingCall> {
        {
            let mut state = self.0.lock();
            state.vc = Some(vc.keep());
            state.service = self.0.client.offer_of(sap.address());
            state.listens_only = params.flags.contains(CallFlags::MULTIPOINT_VC);
        }
        if !self.0.client.take(&self.0) {
            self.0.lock().vc = None;
            return token.done(Err(Refused::with(NdisStatus::CLOSING, params)));
        }
        let parties = AtmCall::from_params(&params).ok().map(|call| (call.called, call.calling));
        self.0.update(|record| {
            (record.vc, record.parties) = (Some(vc.id()), parties);
            record.multipoint = params.flags.contains(CallFlags::MULTIPOINT_VC);
        });
        token.done(Ok(params))
    }

    fn call_connected(&self, _: Vc<'_, ClientRole>) {
        let unwanted;
        {
            let mut state = self.0.lock();
            if state.phase != Phase::Dialing {
                return;
            }
            state.phase = Phase::Echoing;
            state.moved_at = self.0.now();
            unwanted = state.unwanted;
        }
        self.0.update(|record| record.stage = Stage::Up);
        if unwanted {
            return self.0.stop();
        }
        if let Some(idle) = self.0.client.plan.idle {
            self.0.arm(idle);
        }
    }

    fn incoming_close_call(&self, _: Vc<'_, ClientRole>, status: NdisStatus, data: CloseData) {
        self.0.remote_closed(status, &data);
    }

    fn modify_call_qos_complete(&self, _: Vc<'_, ClientRole>, result: Result<CallParams, Refused>) {
        self.0.changed_rate(result);
    }

    fn incoming_call_qos_change(&self, _: Vc<'_, ClientRole>, params: CallParams) {
        self.0.note_rate(&params);
    }

    fn delete(&self) -> Result<(), NdisStatus> {
        // A call that was accepted and never came up ends here at the latest.
        self.0.over(Ending::Done, None);
        Ok(())
    }
}
