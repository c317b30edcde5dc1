//! The smallest MCM: the same signaling, inside a miniport. NDIS sees its client VCs and nothing else.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};

use condis::adapter::Adapter;
use condis::af::Af;
use condis::driver::{
    AdapterAttributes, AdapterLife, ManagerRole, McmAdapter, McmDriver, McmVc, McmVcData, Medium,
};
use condis::oid::{OidAnswer, OidRequest};
use condis::params::{AddressFamily, CallParams};
use condis::role::Mcm;
use condis::status::NdisStatus;
use condis::token::{Answer, Oid, OpenAf, Token};
use condis::vc::{OwnedVc, Sends, Vc};

use super::exchange::{Exchange, ExchangeAf, Leg, Message, Model};
use super::miniport::Wire;

/// Signaling goes straight to the wire, which here leads back: one message at a time, in order.
pub struct Direct {
    wire: Arc<Wire<Mcm>>,
    exchange: OnceLock<std::sync::Weak<Exchange<Direct>>>,
    queue: Mutex<(VecDeque<Message>, bool)>,
}

impl Model for Direct {
    type Role = Mcm;

    fn transmit(&self, message: Message) {
        {
            let mut queue = self.queue.lock().expect("not poisoned");
            queue.0.push_back(message);
            if std::mem::replace(&mut queue.1, true) {
                return;
            }
        }
        let Some(exchange) = self.exchange.get().and_then(std::sync::Weak::upgrade) else { return };
        loop {
            let next = {
                let mut queue = self.queue.lock().expect("not poisoned");
                let next = queue.0.pop_front();
                queue.1 = next.is_some();
                next
            };
            match next {
                Some(message) => exchange.receive(message),
                None => return,
            }
        }
    }

    fn prepare(&self, vc: Vc<'_, Mcm>, params: Option<&CallParams>) {
        match params {
            Some(params) => drop(self.wire.join(params, vc)),
            None => self.wire.part(vc),
        }
    }

    fn new_vc(&self, leg: Leg<Self>) -> <Mcm as ManagerRole>::NewVc {
        McmVc { manager: Box::new(leg), data: Box::new(Data(self.wire.clone())) }
    }

    fn create_vc(&self, af: Af<'_, Mcm>, leg: Leg<Self>) -> Result<OwnedVc<Mcm>, NdisStatus> {
        af.create_vc(Box::new(leg), Box::new(Data(self.wire.clone())))
    }
}

#[derive(Clone)]
pub struct TheMcm(Arc<Exchange<Direct>>);

impl TheMcm {
    pub fn new() -> TheMcm {
        let direct = Direct { wire: Wire::new(), exchange: OnceLock::new(), queue: Mutex::default() };
        let exchange = Exchange::new(direct);
        let _ = exchange.model.exchange.set(Arc::downgrade(&exchange));
        TheMcm(exchange)
    }
}

impl McmDriver for TheMcm {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn McmAdapter>), NdisStatus> {
        Ok((AdapterAttributes::new(Medium::Loopback, 256), Box::new(self.clone())))
    }
}

impl AdapterLife<Mcm> for TheMcm {
    fn initialized(&self, adapter: Adapter<'_, Mcm>) -> Result<(), NdisStatus> {
        adapter.register_address_family(AddressFamily::Q2931)
    }

    fn oid_request<'a>(
        &self,
        _: Adapter<'_, Mcm>,
        _: Option<Vc<'_, Mcm>>,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        token.done(OidAnswer::new(NdisStatus::NOT_SUPPORTED, request))
    }
}

impl McmAdapter for TheMcm {
    fn open_af<'a>(
        &self,
        _: Af<'_, Mcm>,
        _: AddressFamily,
        token: Token<'a, OpenAf<Mcm>>,
    ) -> Answer<'a, OpenAf<Mcm>> {
        token.done(Ok(Box::new(ExchangeAf(self.0.clone()))))
    }
}

/// The data half of a VC.
struct Data(Arc<Wire<Mcm>>);

impl McmVcData for Data {
    fn send(&self, vc: Vc<'_, Mcm>, sends: Sends<'_>) {
        let copies: Vec<_> = self.0.others(vc).into_iter().map(|end| (self.0.copy(&sends), end)).collect();
        sends.complete(NdisStatus::SUCCESS);
        for (copy, end) in copies {
            end.at().indicate_receive(copy);
        }
    }
}
