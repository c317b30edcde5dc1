//! ATM signaling as a miniport call manager: it is its own affair.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use condis::adapter::Adapter;
use condis::af::Af;
use condis::driver::{
    AdapterAttributes, AdapterLife, HaltAction, McmAdapter, McmDriver, McmVc, McmVcData, PnpEvent,
};
use condis::nbl::{CancelId, Chain};
use condis::oid::OidRequest;
use condis::params::{AddressFamily, CallParams};
use condis::role::Mcm;
use condis::status::NdisStatus;
use condis::token::{Answer, Oid, OpenAf, Outcome, Pause, Refused, Reset, Restart, Token};
use condis::vc::{OwnedVc, Sends, Vc};
use condis_link::atm::AtmLink;

use super::data_path::{AtmSlot, DataPath, Own};
use super::engine::{Engine, EngineAf, Leg, Model};
use super::uni_call_manager::own_params;
use super::{AtmConfig, AtmConnections, AtmCounters, SignalingCounters};
use crate::VpVc;
use crate::addr::Esi;

/// A miniport call manager for ATM signaling over a line.
///
/// Its data halves behave as [`AtmMiniport`](super::AtmMiniport)'s VCs, its manager halves as those of
/// [`UniCallManager`](super::UniCallManager). Signaling and ILMI go straight to the line: NDIS sees client VCs alone.
pub struct AtmMcm {
    link: Arc<dyn AtmLink>,
    esi: Esi,
    config: AtmConfig,
    counters: SignalingCounters,
    path_counters: AtmCounters,
    connections: AtmConnections,
    current: Mutex<Weak<DataPath<Mcm>>>,
}

impl AtmMcm {
    /// An MCM that drives `link`, for one adapter at a time. `esi` is the adapter's own part of its addresses.
    pub fn new(link: Arc<dyn AtmLink>, esi: Esi, config: AtmConfig) -> AtmMcm {
        AtmMcm {
            link,
            esi,
            config,
            counters: SignalingCounters::default(),
            path_counters: AtmCounters::default(),
            connections: AtmConnections::default(),
            current: Mutex::new(Weak::new()),
        }
    }

    /// What its signaling counts.
    pub fn counters(&self) -> SignalingCounters {
        self.counters.clone()
    }

    /// What its data path counts.
    pub fn path_counters(&self) -> AtmCounters {
        self.path_counters.clone()
    }

    /// Which virtual connections its VCs are: for listings.
    pub fn connections(&self) -> AtmConnections {
        self.connections.clone()
    }
}

impl McmDriver for AtmMcm {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn McmAdapter>), NdisStatus> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.upgrade().is_some_and(|path| path.in_use()) {
            return Err(NdisStatus::FAILURE);
        }
        let path =
            DataPath::new(self.link.clone(), self.esi, self.path_counters.clone(), self.connections.clone());
        *current = Arc::downgrade(&path);
        let attributes = path.attributes();
        let adapter = UniAdapter {
            path,
            config: self.config.clone(),
            counters: self.counters.clone(),
            engine: OnceLock::new(),
        };
        Ok((attributes, Box::new(adapter)))
    }
}

/// Signaling goes straight to the line, and the path of a VC is ours to ready.
struct Direct {
    path: Arc<DataPath<Mcm>>,
}

impl Model for Direct {
    type Role = Mcm;
    type Data = Arc<AtmSlot>;

    fn transmit(&self, vpvc: VpVc, sdu: &[u8]) -> bool {
        self.path.send_own(vpvc, sdu)
    }

    fn new_data(&self) -> Arc<AtmSlot> {
        Arc::new(AtmSlot::new())
    }

    fn activate(
        &self,
        vc: Vc<'_, Mcm>,
        slot: &Arc<AtmSlot>,
        params: CallParams,
    ) -> Outcome<Result<CallParams, Refused>> {
        if let Err(status) = self.path.activate(vc, slot, &params) {
            return Outcome::Done(Err(Refused::with(status, params)));
        }
        let result = vc.activate(&params);
        Outcome::Done(result.map_err(|status| Refused::with(status, params.clone())).map(|()| params))
    }

    fn deactivate(&self, vc: Vc<'_, Mcm>, slot: &Arc<AtmSlot>) -> Outcome<Result<(), NdisStatus>> {
        self.path.deactivate(vc.id(), slot);
        Outcome::Done(vc.deactivate())
    }

    fn new_vc(leg: Leg<Direct>) -> McmVc {
        let data = DataHalf::of(&leg);
        McmVc { manager: Box::new(leg), data: Box::new(data) }
    }

    fn create_vc(af: Af<'_, Mcm>, leg: Leg<Direct>) -> Result<OwnedVc<Mcm>, NdisStatus> {
        let data = DataHalf::of(&leg);
        af.create_vc(Box::new(leg), Box::new(data))
    }
}

impl Own for Engine<Direct> {
    fn sdu(&self, vpvc: VpVc, sdu: &[u8]) {
        Engine::sdu(self, vpvc, sdu);
    }

    fn link_state(&self, up: bool) {
        Engine::link_state(self, up);
    }
}

struct UniAdapter {
    path: Arc<DataPath<Mcm>>,
    config: AtmConfig,
    counters: SignalingCounters,
    engine: OnceLock<Arc<Engine<Direct>>>,
}

impl UniAdapter {
    /// The virtual connections of its own.
    fn own(&self) -> impl Iterator<Item = VpVc> + use<> {
        let ilmi = self.config.uni.addresses.ilmi.then_some(VpVc::ILMI);
        [VpVc::SIGNALING].into_iter().chain(ilmi)
    }
}

impl AdapterLife<Mcm> for UniAdapter {
    fn initialized(&self, adapter: Adapter<'_, Mcm>) -> Result<(), NdisStatus> {
        let mut config = self.config.clone();
        if config.uni.addresses.ilmi && config.uni.addresses.esis.is_empty() {
            config.uni.addresses.esis.push(self.path.esi());
        }
        let model = Direct { path: self.path.clone() };
        let (runtime, lane) = (adapter.runtime().clone(), adapter.lane());
        let engine =
            self.engine.get_or_init(|| Engine::new(model, &config, runtime, lane, self.counters.clone()));
        let own: Arc<dyn Own> = engine.clone();
        adapter.register_address_family(AddressFamily::Q2931)?;
        self.path.own_to(Arc::downgrade(&own));
        self.own().try_for_each(|vpvc| self.path.open_own(&own_params(vpvc)))?;
        self.path.initialized(adapter);
        engine.link_state(self.path.is_up());
        Ok(())
    }

    fn restart<'a>(&self, _: Adapter<'_, Mcm>, token: Token<'a, Restart>) -> Answer<'a, Restart> {
        self.path.restart();
        token.done(Ok(()))
    }

    fn pause<'a>(&self, _: Adapter<'_, Mcm>, token: Token<'a, Pause>) -> Answer<'a, Pause> {
        self.path.pause();
        token.done(())
    }

    fn halt(&self, _: HaltAction) {
        if let Some(engine) = self.engine.get() {
            engine.gone();
        }
        self.own().for_each(|vpvc| self.path.close_own(vpvc));
        self.path.halt();
    }

    fn reset<'a>(&self, _: Adapter<'_, Mcm>, token: Token<'a, Reset>) -> Answer<'a, Reset> {
        self.path.reset();
        token.done(Ok(false))
    }

    fn pnp_event(&self, _: Adapter<'_, Mcm>, event: PnpEvent) {
        match event {
            PnpEvent::SurpriseRemoved => self.path.removed(),
        }
    }

    fn cancel_send(&self, _: Adapter<'_, Mcm>, id: CancelId) {
        self.path.cancel(id);
    }

    fn oid_request<'a>(
        &self,
        _: Adapter<'_, Mcm>,
        vc: Option<Vc<'_, Mcm>>,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        token.done(self.path.oid(vc, request))
    }
}

impl McmAdapter for UniAdapter {
    fn open_af<'a>(
        &self,
        af: Af<'_, Mcm>,
        _: AddressFamily,
        token: Token<'a, OpenAf<Mcm>>,
    ) -> Answer<'a, OpenAf<Mcm>> {
        match self.engine.get() {
            Some(engine) => token.done(Ok(Box::new(EngineAf::open(engine, af)))),
            None => token.done(Err(NdisStatus::FAILURE)),
        }
    }
}

/// The data half of a VC.
struct DataHalf {
    path: Arc<DataPath<Mcm>>,
    slot: Arc<AtmSlot>,
}

impl DataHalf {
    fn of(leg: &Leg<Direct>) -> DataHalf {
        DataHalf { path: leg.engine().model.path.clone(), slot: leg.data().clone() }
    }
}

impl McmVcData for DataHalf {
    fn send(&self, _: Vc<'_, Mcm>, sends: Sends<'_>) {
        self.path.send(&self.slot, sends);
    }

    fn returned(&self, _: Vc<'_, Mcm>, chain: Chain) {
        drop(chain);
    }
}
