//! The smallest miniport: the two VCs that are activated with the same circuit hear each other, and circuit 0 hears itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use condis::adapter::Adapter;
use condis::driver::{AdapterAttributes, AdapterLife, Medium, MiniportAdapter, MiniportDriver, MiniportVc};
use condis::nbl::{Chain, Pool, PoolConfig};
use condis::oid::{OidAnswer, OidRequest};
use condis::params::CallParams;
use condis::role::{Miniport, Role};
use condis::status::NdisStatus;
use condis::token::{Activate, Answer, Deactivate, Oid, Refused, Token};
use condis::trace::VcId;
use condis::vc::{HeldVc, Sends, Vc};

/// The wire inside: which VCs are the ends of each circuit.
pub struct Wire<R: Role> {
    circuits: Mutex<BTreeMap<u32, Vec<HeldVc<R>>>>,
    pub pool: Pool,
}

impl<R: Role> Wire<R> {
    pub fn new() -> Arc<Wire<R>> {
        let pool = Pool::new(PoolConfig { data_size: 256, capacity: 64, ..Default::default() });
        Arc::new(Wire { circuits: Mutex::default(), pool })
    }

    pub fn join(&self, params: &CallParams, vc: Vc<'_, R>) -> Option<u32> {
        let parameters = &params.media.as_ref()?.specific.parameters;
        let circuit = u32::from_be_bytes(parameters.as_slice().try_into().ok()?);
        let mut circuits = self.circuits.lock().expect("not poisoned");
        let ends = circuits.entry(circuit).or_default();
        if ends.iter().all(|end| end.id() != vc.id()) {
            ends.push(vc.keep());
        }
        Some(circuit)
    }

    pub fn part(&self, vc: Vc<'_, R>) {
        self.circuits.lock().expect("not poisoned").retain(|_, ends| {
            ends.retain(|end| end.id() != vc.id());
            !ends.is_empty()
        });
    }

    /// The VCs that hear what is sent on this one.
    pub fn others(&self, vc: Vc<'_, R>) -> Vec<HeldVc<R>> {
        let circuits = self.circuits.lock().expect("not poisoned");
        let ends = circuits.values().find(|ends| ends.iter().any(|end| end.id() == vc.id()));
        let alone = ends.is_some_and(|ends| ends.len() == 1);
        let mut others: Vec<_> = ends.into_iter().flatten().cloned().collect();
        others.retain(|end| alone || end.id() != vc.id());
        others
    }

    pub fn copy(&self, sends: &Sends<'_>) -> Chain {
        let copies =
            sends.iter().filter_map(|nbl| self.pool.alloc_copy(nbl.first().contiguous().unwrap_or(b"")).ok());
        copies.collect()
    }
}

#[derive(Clone)]
pub struct TheMiniport(pub Arc<Wire<Miniport>>);

impl MiniportDriver for TheMiniport {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn MiniportAdapter>), NdisStatus> {
        Ok((AdapterAttributes::new(Medium::Loopback, 256), Box::new(self.clone())))
    }
}

impl AdapterLife<Miniport> for TheMiniport {
    fn oid_request<'a>(
        &self,
        _: Adapter<'_, Miniport>,
        _: Option<Vc<'_, Miniport>>,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        token.done(OidAnswer::new(NdisStatus::NOT_SUPPORTED, request))
    }
}

impl MiniportAdapter for TheMiniport {
    fn create_vc(&self, _: VcId) -> Result<Box<dyn MiniportVc>, NdisStatus> {
        Ok(Box::new(self.clone()))
    }
}

impl MiniportVc for TheMiniport {
    fn activate<'a>(
        &self,
        vc: Vc<'_, Miniport>,
        params: CallParams,
        token: Token<'a, Activate>,
    ) -> Answer<'a, Activate> {
        match self.0.join(&params, vc) {
            Some(_) => token.done(Ok(params)),
            None => token.done(Err(Refused::with(NdisStatus::INVALID_DATA, params))),
        }
    }

    fn deactivate<'a>(&self, vc: Vc<'_, Miniport>, token: Token<'a, Deactivate>) -> Answer<'a, Deactivate> {
        self.0.part(vc);
        token.done(Ok(()))
    }

    fn send(&self, vc: Vc<'_, Miniport>, sends: Sends<'_>) {
        let copies: Vec<_> = self.0.others(vc).into_iter().map(|end| (self.0.copy(&sends), end)).collect();
        sends.complete(NdisStatus::SUCCESS);
        for (copy, end) in copies {
            end.at().indicate_receive(copy);
        }
    }
}
