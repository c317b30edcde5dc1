//! The smallest call manager: its signaling runs on a VC that NDIS sees, over somebody else's miniport.

use std::sync::{Arc, Mutex};

use condis::adapter::AdapterInfo;
use condis::af::Af;
use condis::binding::Binding;
use condis::driver::{BindingLife, Bound, CallManagerBinding, ManagerRole, Protocol, SignalingVc};
use condis::nbl::{Chain, Pool, PoolConfig};
use condis::params::AddressFamily;
use condis::role::{CallManager, Signaling};
use condis::status::NdisStatus;
use condis::token::{Answer, OpenAf, Outcome, Token, Unbind};
use condis::vc::{OwnedVc, Receives, Vc};

use super::exchange::{Exchange, ExchangeAf, Leg, Message, Model, circuit};

/// Signaling goes out on the signaling VC.
pub struct OverNdis {
    signaling: Mutex<Option<OwnedVc<Signaling>>>,
    pool: Pool,
}

impl Model for OverNdis {
    type Role = CallManager;

    fn transmit(&self, Message(verb, call, address): Message) {
        let mut octets = vec![verb];
        octets.extend(call.to_be_bytes());
        octets.extend(address);
        let vc = self.signaling.lock().expect("not poisoned").as_ref().map(OwnedVc::keep);
        if let (Some(vc), Ok(nbl)) = (vc, self.pool.alloc_copy(&octets)) {
            vc.at().send(Chain::from(nbl));
        }
    }

    fn new_vc(&self, leg: Leg<Self>) -> <CallManager as ManagerRole>::NewVc {
        Box::new(leg)
    }

    fn create_vc(&self, af: Af<'_, CallManager>, leg: Leg<Self>) -> Result<OwnedVc<CallManager>, NdisStatus> {
        af.create_vc(Box::new(leg))
    }
}

#[derive(Clone)]
pub struct TheCallManager(Arc<Exchange<OverNdis>>);

impl TheCallManager {
    pub fn new() -> TheCallManager {
        let pool = Pool::new(PoolConfig { data_size: 256, capacity: 16, ..Default::default() });
        TheCallManager(Exchange::new(OverNdis { signaling: Mutex::new(None), pool }))
    }
}

impl Protocol for TheCallManager {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
        Ok(Bound::call_manager(self.clone()))
    }
}

impl BindingLife<CallManager> for TheCallManager {
    fn opened(&self, binding: Binding<'_, CallManager>) -> Result<(), NdisStatus> {
        let vc = binding.create_signaling_vc(Box::new(self.clone()))?;
        let held = self.0.model.signaling.lock().expect("not poisoned").insert(vc).keep();
        if let Outcome::Done(Err(refused)) = held.at().activate(circuit(0)) {
            return Err(refused.status);
        }
        binding.register_address_family(AddressFamily::Q2931)
    }

    fn unbind<'a>(&self, _: Binding<'_, CallManager>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
        let vc = self.0.model.signaling.lock().expect("not poisoned").take();
        if let Some(vc) = vc {
            let _ = vc.at().deactivate();
            vc.retire();
        }
        token.done(())
    }
}

impl CallManagerBinding for TheCallManager {
    fn open_af<'a>(
        &self,
        _: Af<'_, CallManager>,
        _: AddressFamily,
        token: Token<'a, OpenAf<CallManager>>,
    ) -> Answer<'a, OpenAf<CallManager>> {
        token.done(Ok(Box::new(ExchangeAf(self.0.clone()))))
    }
}

impl SignalingVc for TheCallManager {
    fn receive(&self, _: Vc<'_, Signaling>, batch: &mut Receives<'_>) {
        let messages: Vec<_> = batch.iter().filter_map(|nbl| parse(nbl.first().contiguous()?)).collect();
        messages.into_iter().for_each(|message| self.0.receive(message));
    }

    fn send_complete(&self, _: Vc<'_, Signaling>, chain: Chain) {
        drop(chain);
    }
}

fn parse(octets: &[u8]) -> Option<Message> {
    let (verb, rest) = octets.split_first()?;
    let (call, address) = rest.split_first_chunk()?;
    Some(Message(*verb, u32::from_be_bytes(*call), address.to_vec()))
}
