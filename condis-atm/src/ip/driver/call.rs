//! One call of the IP client.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use condis::af::Af;
use condis::driver::{ClientVc, Connected};
use condis::nbl::{Chain, NetBufferList};
use condis::params::{CallFlags, CallParams, CloseData};
use condis::role::Client;
use condis::sap::SapRef;
use condis::status::NdisStatus;
use condis::token::{Answer, IncomingCall, Outcome, Refused, Token};
use condis::vc::{HeldVc, OwnedVc, Receives, Vc};

use super::client::{IpPvc, Shared};
use crate::addr::AtmAddress;
use crate::driver::{AtmCall, AtmFlow};
use crate::ip::classical::LisVc;
use crate::q2931::wire::LowLayerInfo;
use crate::traffic::Contract;

/// A call, whoever made it.
pub(super) struct IpCall {
    client: Arc<Shared>,
    /// Its number among the client's calls.
    pub(super) number: u64,
    /// What the LIS calls it, once it does.
    lis: OnceLock<LisVc>,
    pvc: Option<IpPvc>,
    /// NDIS is never called under this lock.
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    vc: Option<HeldVc<Client>>,
    owner: Option<OwnedVc<Client>>,
    /// Who calls, of a call that came in.
    from: Option<AtmAddress>,
    /// An offer that was accepted when the client was stopped: closed once it is up.
    unwanted: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Made, or offered, and not up yet.
    Pending,
    Up,
    Closing,
    Over,
}

impl IpCall {
    pub(super) fn new(client: &Arc<Shared>, number: u64, pvc: Option<IpPvc>) -> Arc<IpCall> {
        let state = State { phase: Phase::Pending, vc: None, owner: None, from: None, unwanted: false };
        let (client, lis) = (client.clone(), OnceLock::new());
        Arc::new(IpCall { client, number, lis, pvc, state: Mutex::new(state) })
    }

    /// Calls `to`.
    pub(super) fn dial(self: &Arc<Self>, af: Af<'_, Client>, lis: LisVc, to: AtmAddress) {
        let _ = self.lis.set(lis);
        let config = &self.client.config;
        let flow = AtmFlow { contract: Contract::UBR, sdu_octets_max: config.sdu_octets_max() };
        let call = AtmCall {
            calling: Some(config.lis.atm.clone()),
            blli: vec![LowLayerInfo::LLC],
            ..AtmCall::to(to).both_ways(flow)
        };
        self.make(af, call.to_params());
    }

    /// Makes the call on a permanent connection.
    pub(super) fn dial_permanent(self: &Arc<Self>, af: Af<'_, Client>) {
        let Some(pvc) = &self.pvc else { return };
        let params = CallParams {
            flags: CallFlags::PERMANENT_VC,
            media: Some(Box::new(pvc.to_atm(&self.client.config).vc_params().to_media())),
            ..CallParams::default()
        };
        self.make(af, params);
    }

    fn make(self: &Arc<Self>, af: Af<'_, Client>, params: CallParams) {
        let owner = match af.create_vc(Box::new(CallObject(self.clone()))) {
            Ok(owner) => owner,
            Err(status) => return self.failed(status),
        };
        let vc = owner.keep();
        {
            let mut state = self.lock();
            (state.vc, state.owner) = (Some(vc.clone()), Some(owner));
            if state.phase != Phase::Pending {
                drop(state);
                return self.over();
            }
        }
        if let Outcome::Done(result) = vc.at().make_call(params, None) {
            self.made(result);
        }
    }

    fn made(self: &Arc<Self>, result: Result<Connected, Refused>) {
        {
            let mut state = self.lock();
            if state.phase != Phase::Pending {
                // It is being closed, and the close tells when it is over.
                return;
            }
            if let Err(refused) = result {
                drop(state);
                return self.failed(refused.status);
            }
            state.phase = Phase::Up;
        }
        match (&self.pvc, self.lis.get()) {
            (Some(pvc), _) => self.client.permanent(self, pvc),
            (None, Some(lis)) => self.client.connected(*lis),
            (None, None) => {}
        }
    }

    fn failed(self: &Arc<Self>, status: NdisStatus) {
        self.client.refused(status, self.pvc.as_ref());
        self.over();
    }

    /// Ends it, whatever its state.
    pub(super) fn close(self: &Arc<Self>) {
        let vc = {
            let mut state = self.lock();
            match state.phase {
                Phase::Closing | Phase::Over => return,
                // An offer cannot be closed. It will be up soon, or deleted.
                Phase::Pending if state.owner.is_none() && state.vc.is_some() => {
                    state.unwanted = true;
                    return;
                }
                Phase::Pending | Phase::Up => {}
            }
            state.phase = Phase::Closing;
            state.vc.clone()
        };
        if let Some(vc) = vc
            && let Outcome::Done(_) = vc.at().close_call(CloseData::new())
        {
            self.over();
        }
    }

    /// Sends a header and a packet behind it as one SDU. False: the call is not up, or the pool has no room.
    pub(super) fn send(&self, header: &[u8], packet: &[u8]) -> bool {
        let vc = {
            let state = self.lock();
            if state.phase != Phase::Up {
                return false;
            }
            state.vc.clone()
        };
        let (Some(vc), Ok(mut nbl)) = (vc, self.client.pool.alloc_copy(packet)) else { return false };
        // The pool's headroom takes it: nothing is copied again.
        if nbl.first_mut().prepend(header).is_err() {
            return false;
        }
        vc.at().send(Chain::from(nbl));
        true
    }

    pub(super) fn is_named(&self, lis: LisVc) {
        let _ = self.lis.set(lis);
    }

    fn over(self: &Arc<Self>) {
        let (owner, vc) = {
            let mut state = self.lock();
            if state.phase == Phase::Over {
                return;
            }
            state.phase = Phase::Over;
            (state.owner.take(), state.vc.take())
        };
        drop(vc);
        if let Some(owner) = owner {
            owner.retire();
        }
        self.client.over(self.number, self.lis.get().copied());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client's object for one VC.
pub(super) struct CallObject(pub(super) Arc<IpCall>);

impl ClientVc for CallObject {
    fn receive(&self, _: Vc<'_, Client>, batch: &mut Receives<'_>) {
        let Some(lis) = self.0.lis.get() else { return };
        let mut copy = Vec::new();
        for nbl in batch.iter() {
            self.0.client.sdu(*lis, octets(nbl, &mut copy));
        }
    }

    fn send_complete(&self, _: Vc<'_, Client>, chain: Chain) {
        drop(chain);
    }

    fn make_call_complete(&self, _: Vc<'_, Client>, result: Result<Connected, Refused>) {
        self.0.made(result);
    }

    fn close_call_complete(&self, _: Vc<'_, Client>, _: Result<(), NdisStatus>) {
        self.0.over();
    }

    fn incoming_call<'a>(
        &self,
        vc: Vc<'_, Client>,
        _: SapRef<'_, Client>,
        params: CallParams,
        token: Token<'a, IncomingCall>,
    ) -> Answer<'a, IncomingCall> {
        {
            let mut state = self.0.lock();
            state.vc = Some(vc.keep());
            state.from = AtmCall::from_params(&params).ok().and_then(|call| call.calling);
        }
        if !self.0.client.takes_calls() {
            self.0.lock().vc = None;
            return token.done(Err(Refused::with(NdisStatus::CLOSING, params)));
        }
        token.done(Ok(params))
    }

    fn call_connected(&self, _: Vc<'_, Client>) {
        let (unwanted, from) = {
            let mut state = self.0.lock();
            if state.phase != Phase::Pending {
                return;
            }
            state.phase = Phase::Up;
            (state.unwanted, state.from.take())
        };
        if unwanted {
            return self.0.close();
        }
        self.0.client.incoming(&self.0, from);
    }

    fn incoming_close_call(&self, _: Vc<'_, Client>, _: NdisStatus, _: CloseData) {
        self.0.close();
    }

    fn delete(&self) -> Result<(), NdisStatus> {
        // A call that was accepted and never came up ends here at the latest.
        self.0.over();
        Ok(())
    }
}

/// The octets of an SDU, which are copied if they lie in pieces.
fn octets<'a>(nbl: &'a NetBufferList, copy: &'a mut Vec<u8>) -> &'a [u8] {
    let buffer = nbl.first();
    match buffer.contiguous() {
        Some(octets) => octets,
        None => {
            copy.resize(buffer.data_length(), 0);
            let len = buffer.copy_to(copy);
            &copy[..len]
        }
    }
}
