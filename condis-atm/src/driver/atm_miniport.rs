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
use condis_link::atm::AtmLink;

use super::data_path::{AtmSlot, DataPath};
use super::{AtmConnections, AtmCounters};
use crate::addr::Esi;

/// A CoNDIS miniport over a line of ATM, whose VCs are virtual connections ([`AtmVcParams`](super::AtmVcParams)).
///
/// - Activation is done on return. INVALID_DATA: there is no such connection on this line, or the VC is another one already.
///   VC_NOT_AVAILABLE: another VC is it. CELLRATE_NOT_AVAILABLE: the line cannot carry that much more. RESOURCES: there are
///   too many. NOT_ACCEPTED: the device is gone. Activated again, a VC goes on with its new contract.
/// - A send that does not fit its VC is completed with INVALID_LENGTH. SUCCESS means that the line took the last of it. What
///   may not go yet waits in the queue of its VC, up to a bound (then RESOURCES): CBR goes first, then rt-VBR, nrt-VBR and
///   UBR, each by its contract. It goes back with FAILURE when its VC is deactivated, PAUSED, RESET_IN_PROGRESS, NOT_ACCEPTED
///   after a surprise removal, and SEND_ABORTED when it is cancelled; a PDU of which cells are on the line is ended with an abort.
/// - On a line of SDUs the payload is handed on where it lies. On a line of cells it is copied once, into cells, and once on
///   the other side, into the NBL that is indicated.
/// - OAM F5 loopback is answered. With AAL0 every cell is its user's.
/// - A line that goes up or down is told with LINK_STATE.
pub struct AtmMiniport {
    link: Arc<dyn AtmLink>,
    esi: Esi,
    counters: AtmCounters,
    connections: AtmConnections,
    current: Mutex<Weak<DataPath<Miniport>>>,
}

impl AtmMiniport {
    /// A miniport that drives `link`, for one adapter at a time. `esi` is the adapter's own part of its addresses, which OID
    /// queries tell and ILMI registers.
    pub fn new(link: Arc<dyn AtmLink>, esi: Esi) -> AtmMiniport {
        let (counters, connections) = (AtmCounters::default(), AtmConnections::default());
        AtmMiniport { link, esi, counters, connections, current: Mutex::new(Weak::new()) }
    }

    /// What it counts.
    pub fn counters(&self) -> AtmCounters {
        self.counters.clone()
    }

    /// Which virtual connections its VCs are: for listings.
    pub fn connections(&self) -> AtmConnections {
        self.connections.clone()
    }
}

impl MiniportDriver for AtmMiniport {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn MiniportAdapter>), NdisStatus> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.upgrade().is_some_and(|path| path.in_use()) {
            return Err(NdisStatus::FAILURE);
        }
        let path =
            DataPath::new(self.link.clone(), self.esi, self.counters.clone(), self.connections.clone());
        *current = Arc::downgrade(&path);
        Ok((path.attributes(), Box::new(AtmAdapter(path))))
    }
}

struct AtmAdapter(Arc<DataPath<Miniport>>);

impl AdapterLife<Miniport> for AtmAdapter {
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

impl MiniportAdapter for AtmAdapter {
    fn create_vc(&self, _: VcId) -> Result<Box<dyn MiniportVc>, NdisStatus> {
        Ok(Box::new(MiniportAtmVc { path: self.0.clone(), slot: AtmSlot::new() }))
    }
}

struct MiniportAtmVc {
    path: Arc<DataPath<Miniport>>,
    slot: AtmSlot,
}

impl MiniportVc for MiniportAtmVc {
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
