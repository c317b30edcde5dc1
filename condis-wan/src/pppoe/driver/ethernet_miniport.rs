//! The miniport under the call manager.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use condis::adapter::Adapter;
use condis::driver::{
    AdapterAttributes, AdapterLife, HaltAction, MiniportAdapter, MiniportDriver, MiniportVc, PnpEvent,
};
use condis::nbl::{CancelId, Chain};
use condis::oid::OidRequest;
use condis::params::CallParams;
use condis::role::Miniport;
use condis::status::NdisStatus;
use condis::token::{Activate, Answer, Deactivate, Oid, Pause, Refused, Reset, Restart, Token};
use condis::trace::VcId;
use condis::vc::{Sends, Vc};
use condis_link::Link;

use super::FlowCounters;
use super::data_path::{DataPath, FlowSlot};

/// A CoNDIS miniport over a link, whose VCs are flows of Ethernet frames ([`FlowParams`](super::FlowParams)).
///
/// - Activation is done on return. INVALID_DATA: the media parameters name no flow. FAILURE: another VC carries it.
///   RESOURCES: there are too many. NOT_ACCEPTED: the device is gone.
/// - A send that does not fit its flow is completed with INVALID_LENGTH. SUCCESS means that the link took it; what a full
///   link refuses waits, in order, up to a bound (then RESOURCES), and goes back with FAILURE when its VC is
///   deactivated, PAUSED, RESET_IN_PROGRESS, NOT_ACCEPTED after a surprise removal, and SEND_ABORTED when it is cancelled.
/// - Frames are not padded: that is the link's, and the receiver goes by the LENGTH of PPPoE.
/// - A link that goes up or down is told with LINK_STATE.
///
/// The MTU that it announces is the link's; an SDU of a session may be 6 octets shorter than it.
pub struct EthernetMiniport {
    link: Arc<dyn Link>,
    counters: FlowCounters,
    current: Mutex<Weak<DataPath<Miniport>>>,
}

impl EthernetMiniport {
    /// A miniport that drives `link`, for one adapter at a time.
    pub fn new(link: Arc<dyn Link>) -> EthernetMiniport {
        EthernetMiniport { link, counters: FlowCounters::default(), current: Mutex::new(Weak::new()) }
    }

    /// What it counts.
    pub fn counters(&self) -> FlowCounters {
        self.counters.clone()
    }
}

impl MiniportDriver for EthernetMiniport {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn MiniportAdapter>), NdisStatus> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.upgrade().is_some_and(|path| path.in_use()) {
            return Err(NdisStatus::FAILURE);
        }
        let path = DataPath::new(self.link.clone(), self.counters.clone());
        *current = Arc::downgrade(&path);
        Ok((path.attributes(), Box::new(EthernetAdapter(path))))
    }
}

struct EthernetAdapter(Arc<DataPath<Miniport>>);

impl AdapterLife<Miniport> for EthernetAdapter {
    fn initialized(&self, adapter: Adapter<'_, Miniport>) -> Result<(), NdisStatus> {
        self.0.initialized(adapter);
        Ok(())
    }

    fn restart<'a>(&self, _: Adapter<'_, Miniport>, token: Token<'a, Restart>) -> Answer<'a, Restart> {
        self.0.restart();
        token.done(Ok(()))
    }

    fn pause<'a>(&self, _: Adapter<'_, Miniport>, token: Token<'a, Pause>) -> Answer<'a, Pause> {
        self.0.pause();
        token.done(())
    }

    fn halt(&self, _: HaltAction) {
        self.0.halt();
    }

    fn reset<'a>(&self, _: Adapter<'_, Miniport>, token: Token<'a, Reset>) -> Answer<'a, Reset> {
        self.0.reset();
        token.done(Ok(false))
    }

    fn pnp_event(&self, _: Adapter<'_, Miniport>, event: PnpEvent) {
        match event {
            PnpEvent::SurpriseRemoved => self.0.removed(),
        }
    }

    fn cancel_send(&self, _: Adapter<'_, Miniport>, id: CancelId) {
        self.0.cancel(id);
    }

    fn oid_request<'a>(
        &self,
        _: Adapter<'_, Miniport>,
        vc: Option<Vc<'_, Miniport>>,
        request: OidRequest,
        token: Token<'a, Oid>,
    ) -> Answer<'a, Oid> {
        token.done(self.0.oid(vc, request))
    }
}

impl MiniportAdapter for EthernetAdapter {
    fn create_vc(&self, _: VcId) -> Result<Box<dyn MiniportVc>, NdisStatus> {
        Ok(Box::new(EthernetVc { path: self.0.clone(), slot: FlowSlot::new() }))
    }
}

struct EthernetVc {
    path: Arc<DataPath<Miniport>>,
    slot: FlowSlot,
}

impl MiniportVc for EthernetVc {
    fn activate<'a>(
        &self,
        vc: Vc<'_, Miniport>,
        params: CallParams,
        token: Token<'a, Activate>,
    ) -> Answer<'a, Activate> {
        match self.path.activate(vc, &self.slot, &params) {
            Ok(()) => token.done(Ok(params)),
            Err(status) => token.done(Err(Refused::with(status, params))),
        }
    }

    fn deactivate<'a>(&self, vc: Vc<'_, Miniport>, token: Token<'a, Deactivate>) -> Answer<'a, Deactivate> {
        self.path.deactivate(vc.id(), &self.slot);
        token.done(Ok(()))
    }

    fn send(&self, _: Vc<'_, Miniport>, sends: Sends<'_>) {
        self.path.send(&self.slot, sends);
    }

    fn returned(&self, _: Vc<'_, Miniport>, chain: Chain) {
        drop(chain);
    }
}
