//! The ends of a VC and of a party.

use std::sync::Arc;

use condis::driver::{
    ClientParty, ClientVc, Connected, Made, ManagerParty, ManagerVc, McmVcData, MiniportVc, SignalingVc,
};
use condis::nbl::Chain;
use condis::params::{CallParams, CloseData};
use condis::party::Party;
use condis::role::{CallManager, Client, Mcm, Miniport, Signaling};
use condis::sap::SapRef;
use condis::status::NdisStatus;
use condis::status_ind::StatusIndication;
use condis::token::{
    Activate, AddParty, Answer, CloseCall, Deactivate, DropParty, IncomingCall, MakeCall, ModifyCallQos,
    Refused, Token,
};
use condis::vc::{Receives, Sends, Vc};

use super::bench::{Bench, Fate, REFUSAL, plain};
use super::world::World;

pub(super) struct ClientEnd<R: World>(pub(super) Arc<Bench<R>>, pub(super) usize);
pub(super) struct ManagerEnd<R: World>(pub(super) Arc<Bench<R>>, pub(super) usize);
/// The miniport's, or the data half of the MCM.
pub(super) struct LowerEnd<R: World>(pub(super) Arc<Bench<R>>, pub(super) usize);
pub(super) struct SignalingEnd(pub(super) Arc<Bench<CallManager>>);
pub(super) struct ClientPartyEnd<R: World>(pub(super) Arc<Bench<R>>, pub(super) usize);
pub(super) struct ManagerPartyEnd<R: World>(pub(super) Arc<Bench<R>>);

fn agreed(ok: bool, params: CallParams) -> Result<CallParams, Refused> {
    if ok { Ok(params) } else { Err(Refused::with(REFUSAL, params)) }
}

impl<R: World> ClientVc for ClientEnd<R> {
    fn receive(&self, _: Vc<'_, Client>, batch: &mut Receives<'_>) {
        receive(&self.0, batch);
    }

    fn send_complete(&self, _: Vc<'_, Client>, chain: Chain) {
        send_complete(&self.0, chain);
    }

    fn make_call_complete(&self, _: Vc<'_, Client>, result: Result<Connected, Refused>) {
        if let Ok(connected) = result {
            connected_call(&self.0, self.1, connected);
        }
        self.0.told();
    }

    fn close_call_complete(&self, _: Vc<'_, Client>, result: Result<(), NdisStatus>) {
        self.0.reached(|reached| reached.calls_closed += u64::from(result.is_ok()));
        self.0.told();
    }

    fn incoming_call<'a>(
        &self,
        vc: Vc<'_, Client>,
        _: SapRef<'_, Client>,
        params: CallParams,
        token: Token<'a, IncomingCall>,
    ) -> Answer<'a, IncomingCall> {
        let kept = vc.keep();
        self.0.slot(self.1, |slot| slot.client.get_or_insert(kept).id());
        self.0.answer(token, move |ok| agreed(ok, params))
    }

    fn call_connected(&self, _: Vc<'_, Client>) {
        self.0.reached(|reached| reached.calls_connected += 1);
        self.0.told();
    }

    fn incoming_close_call(&self, vc: Vc<'_, Client>, _: NdisStatus, _: CloseData) {
        self.0.told();
        if self.0.is_calm() {
            let _ = vc.close_call(Vec::new());
        }
    }

    fn modify_call_qos_complete(&self, _: Vc<'_, Client>, _: Result<CallParams, Refused>) {
        self.0.told();
    }

    fn incoming_call_qos_change(&self, _: Vc<'_, Client>, _: CallParams) {
        self.0.told();
    }

    fn status(&self, _: Vc<'_, Client>, _: &StatusIndication) {
        self.0.told();
    }

    fn delete(&self) -> Result<(), NdisStatus> {
        self.0.verdict()
    }
}

/// A call that a client made is up.
pub(super) fn connected_call<R: World>(bench: &Bench<R>, slot: usize, connected: Connected) {
    bench.reached(|reached| reached.calls_connected += 1);
    bench.slot(slot, |slot| slot.client_parties.extend(connected.party));
}

impl SignalingVc for SignalingEnd {
    fn receive(&self, _: Vc<'_, Signaling>, batch: &mut Receives<'_>) {
        receive(&self.0, batch);
    }

    fn send_complete(&self, _: Vc<'_, Signaling>, chain: Chain) {
        send_complete(&self.0, chain);
    }

    fn activate_complete(&self, _: Vc<'_, Signaling>, _: Result<CallParams, Refused>) {
        self.0.told();
    }

    fn deactivate_complete(&self, _: Vc<'_, Signaling>, _: Result<(), NdisStatus>) {
        self.0.told();
    }

    fn status(&self, _: Vc<'_, Signaling>, _: &StatusIndication) {
        self.0.told();
    }
}

fn receive<R: World>(bench: &Arc<Bench<R>>, batch: &mut Receives<'_>) {
    let kept = match bench.fate() {
        Fate::Ok | Fate::Early(_) => None,
        Fate::Pend => batch.keep(),
        Fate::Err | Fate::TakeBack => batch.keep_front(1),
        Fate::Lose => {
            drop(batch.keep());
            None
        }
        Fate::Panic => bench.panic(),
    };
    bench.lock().kept.extend(kept);
}

fn send_complete<R: World>(bench: &Arc<Bench<R>>, chain: Chain) {
    bench.reached(|reached| reached.nbls_completed += chain.len() as u64);
    drop(chain);
    bench.told();
}

impl<R: World> ManagerEnd<R> {
    fn met(&self, vc: Vc<'_, R>) {
        let kept = vc.keep();
        self.0.slot(self.1, |slot| slot.manager.get_or_insert(kept).id());
    }
}

impl<R: World> ManagerVc<R> for ManagerEnd<R> {
    fn make_call<'a>(
        &self,
        vc: Vc<'_, R>,
        params: CallParams,
        party: Option<Party<'_, R>>,
        token: Token<'a, MakeCall>,
    ) -> Answer<'a, MakeCall> {
        self.met(vc);
        // Most managers have the path ready before they say that the call is up.
        if self.0.octet() < 0xc0 {
            let _ = R::activate(vc, CallParams::default());
        }
        let multipoint = party.is_some();
        self.0.slot(self.1, |slot| slot.manager_parties.extend(party.map(Party::keep)));
        let bench = self.0.clone();
        self.0.answer(token, move |ok| {
            if !ok {
                return Err(Refused::with(REFUSAL, params));
            }
            let party = multipoint.then(|| Box::new(ManagerPartyEnd(bench)) as Box<dyn ManagerParty>);
            Ok(Made { params, party })
        })
    }

    fn close_call<'a>(
        &self,
        vc: Vc<'_, R>,
        _: CloseData,
        token: Token<'a, CloseCall>,
    ) -> Answer<'a, CloseCall> {
        self.met(vc);
        if self.0.is_calm() || self.0.octet() < 0xc0 {
            let _ = R::deactivate(vc);
        }
        self.0.answer(token, plain)
    }

    fn incoming_call_complete(&self, vc: Vc<'_, R>, result: Result<CallParams, Refused>) {
        if result.is_ok() && self.0.octet() < 0x80 {
            let _ = R::activate(vc, CallParams::default());
            vc.dispatch_call_connected();
        }
        self.0.told();
    }

    fn activate_complete(&self, _: Vc<'_, R>, _: Result<CallParams, Refused>) {
        self.0.told();
    }

    fn deactivate_complete(&self, _: Vc<'_, R>, _: Result<(), NdisStatus>) {
        self.0.told();
    }

    fn modify_call_qos<'a>(
        &self,
        _: Vc<'_, R>,
        params: CallParams,
        token: Token<'a, ModifyCallQos>,
    ) -> Answer<'a, ModifyCallQos> {
        self.0.answer(token, move |ok| agreed(ok, params))
    }

    fn add_party<'a>(
        &self,
        _: Vc<'_, R>,
        party: Party<'_, R>,
        params: CallParams,
        token: Token<'a, AddParty>,
    ) -> Answer<'a, AddParty> {
        let kept = party.keep();
        self.0.slot(self.1, |slot| slot.manager_parties.push(kept));
        let bench = self.0.clone();
        self.0.answer(token, move |ok| match ok {
            true => Ok((Box::new(ManagerPartyEnd(bench)) as Box<dyn ManagerParty>, params)),
            false => Err(Refused::with(REFUSAL, params)),
        })
    }

    fn status(&self, _: Vc<'_, R>, _: &StatusIndication) {
        self.0.told();
    }

    fn delete(&self) -> Result<(), NdisStatus> {
        self.0.verdict()
    }
}

impl<R: World> ManagerParty for ManagerPartyEnd<R> {
    fn drop_party<'a>(&self, _: CloseData, token: Token<'a, DropParty>) -> Answer<'a, DropParty> {
        self.0.answer(token, plain)
    }
}

impl<R: World> ClientParty for ClientPartyEnd<R> {
    fn add_complete(&self, party: Party<'_, Client>, result: Result<CallParams, Refused>) {
        if result.is_ok() {
            let kept = party.keep();
            self.0.reached(|reached| reached.parties_added += 1);
            self.0.slot(self.1, |slot| slot.client_parties.push(kept));
        }
        self.0.told();
    }

    fn drop_complete(&self, _: Party<'_, Client>, _: Result<(), NdisStatus>) {
        self.0.told();
    }

    fn incoming_drop(&self, _: Party<'_, Client>, _: NdisStatus, _: CloseData) {
        self.0.told();
    }
}

impl MiniportVc for LowerEnd<CallManager> {
    fn activate<'a>(
        &self,
        vc: Vc<'_, Miniport>,
        params: CallParams,
        token: Token<'a, Activate>,
    ) -> Answer<'a, Activate> {
        let kept = vc.keep();
        self.0.slot(self.1, |slot| slot.lower.get_or_insert(kept).id());
        self.0.answer(token, move |ok| agreed(ok, params))
    }

    fn deactivate<'a>(&self, _: Vc<'_, Miniport>, token: Token<'a, Deactivate>) -> Answer<'a, Deactivate> {
        self.0.answer(token, plain)
    }

    fn send(&self, _: Vc<'_, Miniport>, sends: Sends<'_>) {
        send(&self.0, sends);
    }

    fn returned(&self, _: Vc<'_, Miniport>, chain: Chain) {
        returned(&self.0, chain);
    }

    fn delete(&self) {
        self.0.told();
    }
}

impl McmVcData for LowerEnd<Mcm> {
    fn send(&self, _: Vc<'_, Mcm>, sends: Sends<'_>) {
        send(&self.0, sends);
    }

    fn returned(&self, _: Vc<'_, Mcm>, chain: Chain) {
        returned(&self.0, chain);
    }
}

fn send<R: World>(bench: &Arc<Bench<R>>, mut sends: Sends<'_>) {
    match bench.fate() {
        Fate::Ok => sends.complete(NdisStatus::SUCCESS),
        Fate::Err | Fate::Early(false) => sends.complete(REFUSAL),
        Fate::Early(true) => {
            sends.iter_mut().for_each(|nbl| nbl.set_status(NdisStatus::SUCCESS));
            sends.complete_each();
        }
        Fate::Pend => {
            let kept = sends.keep();
            bench.lock().sends.push(kept);
        }
        Fate::TakeBack => {
            let front = sends.split_front(1).keep();
            bench.lock().sends.push(front);
            sends.complete(NdisStatus::SUCCESS);
        }
        Fate::Lose => drop(sends),
        Fate::Panic => bench.panic(),
    }
}

fn returned<R: World>(bench: &Arc<Bench<R>>, chain: Chain) {
    bench.reached(|reached| reached.nbls_returned += chain.len() as u64);
    drop(chain);
    bench.told();
}
