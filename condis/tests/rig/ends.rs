//! The ends of a VC: what its drivers are told, and how they answer.

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

use super::{Bench, Cb, How, REFUSAL, Seat, World};

/// The client's end, and a call manager's own end of its signaling VC.
pub struct ClientEnd<R: World>(pub Arc<Bench<R>>, pub usize);
pub struct ManagerEnd<R: World>(pub Arc<Bench<R>>, pub usize);
/// The miniport's, or the data half of the MCM.
pub struct LowerEnd<R: World>(pub Arc<Bench<R>>, pub usize);
pub struct ClientPartyEnd<R: World>(pub Arc<Bench<R>>, pub usize);
pub struct ManagerPartyEnd<R: World>(pub Arc<Bench<R>>, pub usize);

fn word<T>(result: &Result<T, Refused>) -> NdisStatus {
    result.as_ref().map_or_else(|refused| refused.status, |_| NdisStatus::SUCCESS)
}

fn refused(params: CallParams) -> Refused {
    Refused::with(REFUSAL, params)
}

impl<R: World> ClientVc for ClientEnd<R> {
    fn receive(&self, _: Vc<'_, Client>, batch: &mut Receives<'_>) {
        receive(&self.0, self.1, batch);
    }

    fn send_complete(&self, _: Vc<'_, Client>, chain: Chain) {
        send_complete(&self.0, self.1, chain);
    }

    fn make_call_complete(&self, _: Vc<'_, Client>, result: Result<Connected, Refused>) {
        let told = word(&result);
        if let Ok(Connected { party: Some(party), .. }) = result {
            self.0.slot(self.1, |s| s.client_parties.push(party));
        }
        self.0.told(Seat::Client, self.1, format_args!("make complete {told}"));
    }

    fn close_call_complete(&self, _: Vc<'_, Client>, result: Result<(), NdisStatus>) {
        self.0.told(Seat::Client, self.1, format_args!("close complete {}", NdisStatus::of(&result)));
    }

    fn incoming_call<'a>(
        &self,
        vc: Vc<'_, Client>,
        _: SapRef<'_, Client>,
        params: CallParams,
        token: Token<'a, IncomingCall>,
    ) -> Answer<'a, IncomingCall> {
        let Self(bench, slot) = self;
        bench.note(Seat::Client, *slot, "incoming call");
        bench.slot(*slot, |s| s.client.get_or_insert_with(|| vc.keep()).id());
        let how = bench.act(*slot, Cb::Offer);
        match how {
            How::Ok => token.done(Ok(params)),
            How::Err => token.done(Err(refused(params))),
            How::Pend => {
                let (pended, answer) = token.pend();
                bench.slot(*slot, |s| s.offer = Some((pended, params)));
                answer
            }
            How::EarlyOk | How::EarlyErr => {
                let (pended, answer) = token.pend();
                pended.complete(if how == How::EarlyOk { Ok(params) } else { Err(refused(params)) });
                answer
            }
        }
    }

    fn call_connected(&self, _: Vc<'_, Client>) {
        self.0.told(Seat::Client, self.1, "connected");
    }

    fn incoming_close_call(&self, _: Vc<'_, Client>, _: NdisStatus, _: CloseData) {
        self.0.told(Seat::Client, self.1, "remote close");
    }

    fn modify_call_qos_complete(&self, _: Vc<'_, Client>, result: Result<CallParams, Refused>) {
        self.0.told(Seat::Client, self.1, format_args!("qos complete {}", word(&result)));
    }

    fn incoming_call_qos_change(&self, _: Vc<'_, Client>, _: CallParams) {
        self.0.told(Seat::Client, self.1, "remote qos");
    }

    fn status(&self, _: Vc<'_, Client>, status: &StatusIndication) {
        self.0.told(Seat::Client, self.1, format_args!("status {}", status.code));
    }

    fn delete(&self) -> Result<(), NdisStatus> {
        delete(&self.0, Seat::Client, self.1)
    }
}

impl SignalingVc for ClientEnd<CallManager> {
    fn receive(&self, _: Vc<'_, Signaling>, batch: &mut Receives<'_>) {
        receive(&self.0, self.1, batch);
    }

    fn send_complete(&self, _: Vc<'_, Signaling>, chain: Chain) {
        send_complete(&self.0, self.1, chain);
    }

    fn activate_complete(&self, _: Vc<'_, Signaling>, result: Result<CallParams, Refused>) {
        self.0.told(Seat::Client, self.1, format_args!("activate complete {}", word(&result)));
    }

    fn deactivate_complete(&self, _: Vc<'_, Signaling>, result: Result<(), NdisStatus>) {
        self.0.told(Seat::Client, self.1, format_args!("deactivate complete {}", NdisStatus::of(&result)));
    }

    fn status(&self, _: Vc<'_, Signaling>, status: &StatusIndication) {
        self.0.told(Seat::Client, self.1, format_args!("status {}", status.code));
    }
}

fn receive<R: World>(bench: &Bench<R>, slot: usize, batch: &mut Receives<'_>) {
    let lent = if batch.is_lent() { " lent" } else { "" };
    bench.note(Seat::Client, slot, format_args!("receive {}{lent}", batch.len()));
    if matches!(bench.act(slot, Cb::Receive), How::Pend)
        && let Some(kept) = batch.keep()
    {
        bench.slot(slot, |s| s.kept.push(kept));
    }
}

fn send_complete<R: World>(bench: &Bench<R>, slot: usize, chain: Chain) {
    let statuses: Vec<_> = chain.iter().map(|nbl| nbl.status().to_string()).collect();
    bench.told(Seat::Client, slot, format_args!("sent {}", statuses.join(" ")));
    let mut state = bench.lock();
    if state.keep_completed {
        state.completed.push(chain);
    }
}

fn delete<R: World>(bench: &Bench<R>, side: Seat, slot: usize) -> Result<(), NdisStatus> {
    bench.note(side, slot, "delete");
    match bench.act(slot, Cb::Delete) {
        How::Err => Err(REFUSAL),
        _ => Ok(()),
    }
}

impl<R: World> ManagerEnd<R> {
    fn met(&self, vc: Vc<'_, R>) {
        let fresh = self.0.slot(self.1, |s| s.manager.is_none());
        if fresh {
            let kept = vc.keep();
            self.0.slot(self.1, |s| s.manager = Some(kept));
        }
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
        let Self(bench, slot) = self;
        self.met(vc);
        bench.note(Seat::Manager, *slot, "make");
        let multipoint = party.is_some();
        if let Some(party) = party {
            bench.slot(*slot, |s| s.manager_parties.push(party.keep()));
        }
        let object =
            || multipoint.then(|| Box::new(ManagerPartyEnd(bench.clone(), *slot)) as Box<dyn ManagerParty>);
        let how = bench.act(*slot, Cb::Make);
        match how {
            How::Ok => token.done(Ok(Made { params, party: object() })),
            How::Err => token.done(Err(refused(params))),
            How::Pend => {
                let (pended, answer) = token.pend();
                bench.slot(*slot, |s| s.make = Some((pended, params, multipoint)));
                answer
            }
            How::EarlyOk | How::EarlyErr => {
                let (pended, answer) = token.pend();
                pended.complete(match how {
                    How::EarlyOk => Ok(Made { params, party: object() }),
                    _ => Err(refused(params)),
                });
                answer
            }
        }
    }

    fn close_call<'a>(
        &self,
        vc: Vc<'_, R>,
        _: CloseData,
        token: Token<'a, CloseCall>,
    ) -> Answer<'a, CloseCall> {
        let Self(bench, slot) = self;
        self.met(vc);
        bench.note(Seat::Manager, *slot, "close");
        let how = bench.act(*slot, Cb::Close);
        match how {
            How::Ok => token.done(Ok(())),
            How::Err => token.done(Err(REFUSAL)),
            How::Pend => {
                let (pended, answer) = token.pend();
                bench.slot(*slot, |s| s.close = Some(pended));
                answer
            }
            How::EarlyOk | How::EarlyErr => {
                let (pended, answer) = token.pend();
                pended.complete(if how == How::EarlyOk { Ok(()) } else { Err(REFUSAL) });
                answer
            }
        }
    }

    fn incoming_call_complete(&self, _: Vc<'_, R>, result: Result<CallParams, Refused>) {
        self.0.told(Seat::Manager, self.1, format_args!("incoming complete {}", word(&result)));
    }

    fn activate_complete(&self, _: Vc<'_, R>, result: Result<CallParams, Refused>) {
        self.0.told(Seat::Manager, self.1, format_args!("activate complete {}", word(&result)));
    }

    fn deactivate_complete(&self, _: Vc<'_, R>, result: Result<(), NdisStatus>) {
        self.0.told(Seat::Manager, self.1, format_args!("deactivate complete {}", NdisStatus::of(&result)));
    }

    fn modify_call_qos<'a>(
        &self,
        _: Vc<'_, R>,
        params: CallParams,
        token: Token<'a, ModifyCallQos>,
    ) -> Answer<'a, ModifyCallQos> {
        let Self(bench, slot) = self;
        bench.note(Seat::Manager, *slot, "qos");
        let how = bench.act(*slot, Cb::Qos);
        match how {
            How::Ok => token.done(Ok(params)),
            How::Err => token.done(Err(refused(params))),
            How::Pend => {
                let (pended, answer) = token.pend();
                bench.slot(*slot, |s| s.qos = Some((pended, params)));
                answer
            }
            How::EarlyOk | How::EarlyErr => {
                let (pended, answer) = token.pend();
                pended.complete(if how == How::EarlyOk { Ok(params) } else { Err(refused(params)) });
                answer
            }
        }
    }

    fn add_party<'a>(
        &self,
        _: Vc<'_, R>,
        party: Party<'_, R>,
        params: CallParams,
        token: Token<'a, AddParty>,
    ) -> Answer<'a, AddParty> {
        let Self(bench, slot) = self;
        bench.note(Seat::Manager, *slot, "add party");
        bench.slot(*slot, |s| s.manager_parties.push(party.keep()));
        let object = || Box::new(ManagerPartyEnd(bench.clone(), *slot)) as Box<dyn ManagerParty>;
        let how = bench.act(*slot, Cb::AddParty);
        match how {
            How::Ok => token.done(Ok((object(), params))),
            How::Err => token.done(Err(refused(params))),
            How::Pend => {
                let (pended, answer) = token.pend();
                bench.slot(*slot, |s| s.adds.push((pended, params)));
                answer
            }
            How::EarlyOk | How::EarlyErr => {
                let (pended, answer) = token.pend();
                pended.complete(if how == How::EarlyOk {
                    Ok((object(), params))
                } else {
                    Err(refused(params))
                });
                answer
            }
        }
    }

    fn status(&self, _: Vc<'_, R>, status: &StatusIndication) {
        self.0.told(Seat::Manager, self.1, format_args!("status {}", status.code));
    }

    fn delete(&self) -> Result<(), NdisStatus> {
        delete(&self.0, Seat::Manager, self.1)
    }
}

impl<R: World> ManagerParty for ManagerPartyEnd<R> {
    fn drop_party<'a>(&self, _: CloseData, token: Token<'a, DropParty>) -> Answer<'a, DropParty> {
        let Self(bench, slot) = self;
        bench.note(Seat::Manager, *slot, "drop party");
        let how = bench.act(*slot, Cb::DropParty);
        match how {
            How::Ok => token.done(Ok(())),
            How::Err => token.done(Err(REFUSAL)),
            How::Pend => {
                let (pended, answer) = token.pend();
                bench.slot(*slot, |s| s.drops.push(pended));
                answer
            }
            How::EarlyOk | How::EarlyErr => {
                let (pended, answer) = token.pend();
                pended.complete(if how == How::EarlyOk { Ok(()) } else { Err(REFUSAL) });
                answer
            }
        }
    }
}

impl<R: World> ClientParty for ClientPartyEnd<R> {
    fn add_complete(&self, party: Party<'_, Client>, result: Result<CallParams, Refused>) {
        if result.is_ok() {
            let kept = party.keep();
            self.0.slot(self.1, |s| s.client_parties.push(kept));
        }
        self.0.told(Seat::Client, self.1, format_args!("add complete {}", word(&result)));
    }

    fn drop_complete(&self, _: Party<'_, Client>, result: Result<(), NdisStatus>) {
        self.0.told(Seat::Client, self.1, format_args!("drop complete {}", NdisStatus::of(&result)));
    }

    fn incoming_drop(&self, _: Party<'_, Client>, _: NdisStatus, _: CloseData) {
        self.0.told(Seat::Client, self.1, "remote drop");
    }
}

impl MiniportVc for LowerEnd<CallManager> {
    fn activate<'a>(
        &self,
        vc: Vc<'_, Miniport>,
        params: CallParams,
        token: Token<'a, Activate>,
    ) -> Answer<'a, Activate> {
        let Self(bench, slot) = self;
        bench.note(Seat::Lower, *slot, "activate");
        let kept = vc.keep();
        bench.slot(*slot, |s| {
            if s.lower.is_none() {
                s.lower = Some(kept);
            }
        });
        let how = bench.act(*slot, Cb::Activate);
        match how {
            How::Ok => token.done(Ok(params)),
            How::Err => token.done(Err(refused(params))),
            How::Pend => {
                let (pended, answer) = token.pend();
                bench.slot(*slot, |s| s.activate = Some((pended, params)));
                answer
            }
            How::EarlyOk | How::EarlyErr => {
                let (pended, answer) = token.pend();
                pended.complete(if how == How::EarlyOk { Ok(params) } else { Err(refused(params)) });
                answer
            }
        }
    }

    fn deactivate<'a>(&self, _: Vc<'_, Miniport>, token: Token<'a, Deactivate>) -> Answer<'a, Deactivate> {
        let Self(bench, slot) = self;
        bench.note(Seat::Lower, *slot, "deactivate");
        let how = bench.act(*slot, Cb::Deactivate);
        match how {
            How::Ok => token.done(Ok(())),
            How::Err => token.done(Err(REFUSAL)),
            How::Pend => {
                let (pended, answer) = token.pend();
                bench.slot(*slot, |s| s.deactivate = Some(pended));
                answer
            }
            How::EarlyOk | How::EarlyErr => {
                let (pended, answer) = token.pend();
                pended.complete(if how == How::EarlyOk { Ok(()) } else { Err(REFUSAL) });
                answer
            }
        }
    }

    fn send(&self, _: Vc<'_, Miniport>, sends: Sends<'_>) {
        send(&self.0, self.1, sends);
    }

    fn returned(&self, _: Vc<'_, Miniport>, chain: Chain) {
        returned(&self.0, self.1, chain);
    }

    fn delete(&self) {
        self.0.note(Seat::Lower, self.1, "delete");
    }
}

impl McmVcData for LowerEnd<Mcm> {
    fn send(&self, _: Vc<'_, Mcm>, sends: Sends<'_>) {
        send(&self.0, self.1, sends);
    }

    fn returned(&self, _: Vc<'_, Mcm>, chain: Chain) {
        returned(&self.0, self.1, chain);
    }
}

fn send<R: World>(bench: &Bench<R>, slot: usize, sends: Sends<'_>) {
    bench.note(Seat::Lower, slot, format_args!("send {}", sends.len()));
    match bench.act(slot, Cb::Send) {
        How::Ok | How::EarlyOk => sends.complete(NdisStatus::SUCCESS),
        How::Err | How::EarlyErr => sends.complete(REFUSAL),
        How::Pend => {
            let kept = sends.keep();
            bench.slot(slot, |s| s.sends.push(kept));
        }
    }
}

fn returned<R: World>(bench: &Bench<R>, slot: usize, chain: Chain) {
    bench.told(Seat::Lower, slot, format_args!("returned {}", chain.len()));
    let mut state = bench.lock();
    if state.keep_completed {
        state.returned.push(chain);
    }
}
