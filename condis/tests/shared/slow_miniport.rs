//! A miniport that pends each activation and deactivation of the one inside it, and answers from the node's lane. The tests of
//! several crates include this file.

use std::sync::{Arc, Mutex};

use condis::adapter::{Adapter, HeldAdapter};
use condis::driver::{
    AdapterAttributes, AdapterLife, HaltAction, MiniportAdapter, MiniportDriver, MiniportVc, PnpEvent,
};
use condis::nbl::{CancelId, Chain};
use condis::oid::OidRequest;
use condis::params::CallParams;
use condis::role::Miniport;
use condis::status::NdisStatus;
use condis::token::{Activate, Answer, Deactivate, Oid, Pause, Reset, Restart, Token};
use condis::trace::VcId;
use condis::vc::{Sends, Vc};

pub struct SlowMiniport<M>(pub M);

type Held = Arc<Mutex<Option<HeldAdapter<Miniport>>>>;

impl<M: MiniportDriver> MiniportDriver for SlowMiniport<M> {
    fn initialize(&self, name: &str) -> Result<(AdapterAttributes, Box<dyn MiniportAdapter>), NdisStatus> {
        let (attributes, inner) = self.0.initialize(name)?;
        Ok((attributes, Box::new(SlowAdapter { inner, held: Held::default() })))
    }
}

struct SlowAdapter {
    inner: Box<dyn MiniportAdapter>,
    held: Held,
}

impl AdapterLife<Miniport> for SlowAdapter {
    fn initialized(&self, adapter: Adapter<'_, Miniport>) -> Result<(), NdisStatus> {
        *self.held.lock().unwrap() = Some(adapter.keep());
        self.inner.initialized(adapter)
    }

    fn restart<'a>(&self, adapter: Adapter<'_, Miniport>, token: Token<'a, Restart>) -> Answer<'a, Restart> {
        self.inner.restart(adapter, token)
    }

    fn pause<'a>(&self, adapter: Adapter<'_, Miniport>, token: Token<'a, Pause>) -> Answer<'a, Pause> {
        self.inner.pause(adapter, token)
    }

    fn halt(&self, action: HaltAction) {
        self.inner.halt(action);
        self.held.lock().unwrap().take();
    }

    fn reset<'a>(&self, adapter: Adapter<'_, Miniport>, token: Token<'a, Reset>) -> Answer<'a, Reset> {
        self.inner.reset(adapter, token)
    }

    fn pnp_event(&self, adapter: Adapter<'_, Miniport>, event: PnpEvent) {
        self.inner.pnp_event(adapter, event);
    }

    fn cancel_send(&self, adapter: Adapter<'_, Miniport>, id: CancelId) {
        self.inner.cancel_send(adapter, id);
    }

    fn oid_request<'a>(
        &self,
        adapter: Adapter<'_, Miniport>,
        vc: Option<Vc<'_, Miniport>>,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        self.inner.oid_request(adapter, vc, request, token)
    }
}

impl MiniportAdapter for SlowAdapter {
    fn create_vc(&self, vc: VcId) -> Result<Box<dyn MiniportVc>, NdisStatus> {
        Ok(Box::new(SlowVc { inner: Arc::from(self.inner.create_vc(vc)?), held: self.held.clone() }))
    }
}

struct SlowVc {
    inner: Arc<dyn MiniportVc>,
    held: Held,
}

impl SlowVc {
    fn later(&self, job: impl FnOnce() + Send + 'static) {
        let adapter = self.held.lock().unwrap().clone().expect("not halted");
        let adapter = adapter.at();
        adapter.runtime().defer(adapter.lane(), Box::new(job));
    }
}

impl MiniportVc for SlowVc {
    fn activate<'a>(
        &self,
        vc: Vc<'_, Miniport>,
        params: CallParams,
        token: Token<'a, Activate>,
    ) -> Answer<'a, Activate> {
        let (pended, answer) = token.pend();
        let (inner, vc) = (self.inner.clone(), vc.keep());
        self.later(move || pended.run(|token| inner.activate(vc.at(), params, token)));
        answer
    }

    fn deactivate<'a>(&self, vc: Vc<'_, Miniport>, token: Token<'a, Deactivate>) -> Answer<'a, Deactivate> {
        let (pended, answer) = token.pend();
        let (inner, vc) = (self.inner.clone(), vc.keep());
        self.later(move || pended.run(|token| inner.deactivate(vc.at(), token)));
        answer
    }

    fn send(&self, vc: Vc<'_, Miniport>, sends: Sends<'_>) {
        self.inner.send(vc, sends);
    }

    fn returned(&self, vc: Vc<'_, Miniport>, chain: Chain) {
        self.inner.returned(vc, chain);
    }

    fn delete(&self) {
        self.inner.delete();
    }
}
