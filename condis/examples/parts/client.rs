//! The smallest client: it takes calls on one address, calls another, says a word and closes.
//!
//! It is the same file over a call manager and over an MCM.

use std::sync::{Arc, Mutex};

use condis::adapter::AdapterInfo;
use condis::af::{Af, HeldAf};
use condis::binding::Binding;
use condis::driver::{BindingLife, Bound, ClientAf, ClientBinding, ClientVc, Connected, Protocol};
use condis::nbl::{Chain, Pool, PoolConfig};
use condis::params::{AddressFamily, CallParams, CloseData, Sap, Specific};
use condis::role::Client;
use condis::sap::{HeldSap, SapRef};
use condis::status::NdisStatus;
use condis::token::{Answer, IncomingCall, Outcome, Refused, RestartBinding, Token, Unbind};
use condis::trace::VcId;
use condis::vc::{OwnedVc, Receives, Vc};

#[derive(Clone)]
pub struct TheClient(pub Arc<Shared>);

/// What the client's objects share.
pub struct Shared {
    pub here: &'static [u8],
    pub there: Option<&'static [u8]>,
    pub pool: Pool,
    mine: Mutex<Mine>,
}

#[derive(Default)]
struct Mine {
    af: Option<HeldAf<Client>>,
    sap: Option<HeldSap<Client>>,
    outgoing: Option<OwnedVc<Client>>,
}

impl TheClient {
    pub fn new(here: &'static [u8], there: Option<&'static [u8]>) -> TheClient {
        let pool = Pool::new(PoolConfig { data_size: 256, capacity: 16, ..Default::default() });
        TheClient(Arc::new(Shared { here, there, pool, mine: Mutex::default() }))
    }
}

impl Protocol for TheClient {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
        Ok(Bound::client(self.clone()))
    }
}

impl BindingLife<Client> for TheClient {
    fn restart<'a>(
        &self,
        _: Binding<'_, Client>,
        token: Token<'a, RestartBinding>,
    ) -> Answer<'a, RestartBinding> {
        let af = self.0.mine.lock().expect("not poisoned").af.clone();
        if let (Some(af), Some(_)) = (af, self.0.there) {
            let vc = af.at().create_vc(Box::new(self.clone())).expect("the manager takes calls");
            let vc = self.0.mine.lock().expect("not poisoned").outgoing.insert(vc).keep();
            self.dial(vc.at());
        }
        token.done(())
    }

    fn unbind<'a>(&self, _: Binding<'_, Client>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
        let mut mine = std::mem::take(&mut *self.0.mine.lock().expect("not poisoned"));
        if let Some(sap) = mine.sap.take() {
            let _ = sap.at().deregister();
        }
        if let Some(af) = mine.af.take() {
            let _ = af.at().close();
        }
        token.done(())
    }
}

impl ClientBinding for TheClient {
    fn af_register_notify(&self, binding: Binding<'_, Client>, family: AddressFamily) {
        let opened = binding.open_address_family(family, Box::new(self.clone()));
        if let Outcome::Done(Ok(af)) = opened {
            self.opened_af(af.at());
        }
    }
}

impl TheClient {
    fn opened_af(&self, af: Af<'_, Client>) {
        self.0.mine.lock().expect("not poisoned").af = Some(af.keep());
        if let Outcome::Done(Ok(sap)) = af.register_sap(Sap::new(0, self.0.here), Box::new(())) {
            self.0.mine.lock().expect("not poisoned").sap = Some(sap);
        }
    }

    pub fn dial(&self, vc: Vc<'_, Client>) {
        let to = Specific { param_type: 0, parameters: self.0.there.unwrap_or(b"").to_vec() };
        if let Outcome::Done(result) = vc.make_call(CallParams::to(to), None) {
            self.make_call_complete(vc, result);
        }
    }

    /// The call is over: the creator deletes its VC.
    fn closed(&self) {
        let vc = self.0.mine.lock().expect("not poisoned").outgoing.take();
        if let Some(vc) = vc {
            vc.delete().expect("inactive, drained and without a call");
        }
    }
}

impl ClientAf for TheClient {
    fn open_complete(&self, af: Af<'_, Client>, result: Result<(), NdisStatus>) {
        if result.is_ok() {
            self.opened_af(af);
        }
    }

    fn create_vc(&self, _: Af<'_, Client>, _: VcId) -> Result<Box<dyn ClientVc>, NdisStatus> {
        Ok(Box::new(self.clone()))
    }
}

impl ClientVc for TheClient {
    fn incoming_call<'a>(
        &self,
        _: Vc<'_, Client>,
        _: SapRef<'_, Client>,
        params: CallParams,
        token: Token<'a, IncomingCall>,
    ) -> Answer<'a, IncomingCall> {
        token.done(Ok(params))
    }

    fn make_call_complete(&self, vc: Vc<'_, Client>, result: Result<Connected, Refused>) {
        match result {
            Ok(_) => vc.send(Chain::from(self.0.pool.alloc_copy(b"hello").expect("the pool has room"))),
            Err(refused) => println!("the call was {refused}"),
        }
    }

    fn send_complete(&self, _: Vc<'_, Client>, chain: Chain) {
        drop(chain);
    }

    fn receive(&self, vc: Vc<'_, Client>, batch: &mut Receives<'_>) {
        for nbl in batch.iter() {
            let data = nbl.first().contiguous().unwrap_or(b"");
            println!("{} heard {:?} on {}", show(self.0.here), show(data), vc.id());
        }
        if let Outcome::Done(result) = vc.close_call(CloseData::new()) {
            self.close_call_complete(vc, result);
        }
    }

    fn incoming_close_call(&self, vc: Vc<'_, Client>, _: NdisStatus, _: CloseData) {
        if let Outcome::Done(result) = vc.close_call(CloseData::new()) {
            self.close_call_complete(vc, result);
        }
    }

    fn close_call_complete(&self, vc: Vc<'_, Client>, _: Result<(), NdisStatus>) {
        println!("{} closed {}", show(self.0.here), vc.id());
        self.closed();
    }
}

fn show(text: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(text)
}
