//! PPPoE as a miniport call manager: its signaling is its own affair.

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
use condis_link::Link;

use super::data_path::{DataPath, FlowSlot, Signals};
use super::engine::{Engine, EngineAf, Leg, Model};
use super::{FlowCounters, PppoeConfig, PppoeCounters};
use crate::pppoe::wire::{MacAddr, SessionId};

/// A miniport call manager for PPPoE over a link.
///
/// Its data halves behave as [`EthernetMiniport`](super::EthernetMiniport)'s VCs, its manager halves as those of
/// [`PppoeCallManager`](super::PppoeCallManager). Discovery goes straight to the link: NDIS sees client VCs alone.
pub struct PppoeMcm {
    link: Arc<dyn Link>,
    config: PppoeConfig,
    counters: PppoeCounters,
    flow_counters: FlowCounters,
    current: Mutex<Weak<DataPath<Mcm>>>,
}

impl PppoeMcm {
    /// An MCM that drives `link`, for one adapter at a time.
    pub fn new(link: Arc<dyn Link>, config: PppoeConfig) -> PppoeMcm {
        let (counters, flow_counters) = (PppoeCounters::default(), FlowCounters::default());
        PppoeMcm { link, config, counters, flow_counters, current: Mutex::new(Weak::new()) }
    }

    /// What its signaling counts.
    pub fn counters(&self) -> PppoeCounters {
        self.counters.clone()
    }

    /// What its data path counts.
    pub fn flow_counters(&self) -> FlowCounters {
        self.flow_counters.clone()
    }
}

impl McmDriver for PppoeMcm {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn McmAdapter>), NdisStatus> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.upgrade().is_some_and(|path| path.in_use()) {
            return Err(NdisStatus::FAILURE);
        }
        let path = DataPath::new(self.link.clone(), self.flow_counters.clone());
        *current = Arc::downgrade(&path);
        let attributes = path.attributes();
        let adapter = PppoeAdapter {
            path,
            config: self.config.clone(),
            counters: self.counters.clone(),
            engine: OnceLock::new(),
        };
        Ok((attributes, Box::new(adapter)))
    }
}

/// Signaling goes straight to the link, and the path of a VC is ours to ready.
struct Direct {
    path: Arc<DataPath<Mcm>>,
    vlan: Option<u16>,
}

impl Model for Direct {
    type Role = Mcm;
    type Data = Arc<FlowSlot>;

    fn transmit(&self, to: MacAddr, packet: &[u8]) -> bool {
        self.path.transmit_signaling(self.vlan, to, packet)
    }

    fn new_data(&self) -> Arc<FlowSlot> {
        Arc::new(FlowSlot::new())
    }

    fn activate(
        &self,
        vc: Vc<'_, Mcm>,
        slot: &Arc<FlowSlot>,
        params: CallParams,
    ) -> Outcome<Result<CallParams, Refused>> {
        if let Err(status) = self.path.activate(vc, slot, &params) {
            return Outcome::Done(Err(Refused::with(status, params)));
        }
        let result = vc.activate(&params);
        Outcome::Done(result.map_err(|status| Refused::with(status, params.clone())).map(|()| params))
    }

    fn deactivate(&self, vc: Vc<'_, Mcm>, slot: &Arc<FlowSlot>) -> Outcome<Result<(), NdisStatus>> {
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

impl Signals for Engine<Direct> {
    fn packet(&self, from: MacAddr, to: MacAddr, packet: &[u8]) {
        Engine::packet(self, from, to, packet);
    }

    fn unknown_session(&self, from: MacAddr, id: SessionId) {
        Engine::unknown_session(self, from, id);
    }

    fn link_state(&self, up: bool) {
        Engine::link_state(self, up);
    }
}

struct PppoeAdapter {
    path: Arc<DataPath<Mcm>>,
    config: PppoeConfig,
    counters: PppoeCounters,
    engine: OnceLock<Arc<Engine<Direct>>>,
}

impl AdapterLife<Mcm> for PppoeAdapter {
    fn initialized(&self, adapter: Adapter<'_, Mcm>) -> Result<(), NdisStatus> {
        let model = Direct { path: self.path.clone(), vlan: self.config.vlan };
        let (runtime, lane) = (adapter.runtime().clone(), adapter.lane());
        let mtu = self.path.mtu_octets();
        let engine = self
            .engine
            .get_or_init(|| Engine::new(model, &self.config, mtu, runtime, lane, self.counters.clone()));
        let signals: Arc<dyn Signals> = engine.clone();
        adapter.register_address_family(AddressFamily::PPP)?;
        self.path.signal_to(self.config.vlan, Arc::downgrade(&signals));
        self.path.initialized(adapter);
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

impl McmAdapter for PppoeAdapter {
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
    slot: Arc<FlowSlot>,
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
