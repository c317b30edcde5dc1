//! PPPoE as a call manager: its signaling runs on a VC that NDIS sees.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use condis::adapter::AdapterInfo;
use condis::af::Af;
use condis::binding::Binding;
use condis::driver::{
    BindingLife, Bound, CallManagerBinding, ManagerRole, ManagerVc, Medium, Protocol, SignalingVc,
};
use condis::link_state;
use condis::nbl::{Chain, Pool, PoolConfig};
use condis::params::{AddressFamily, CallParams};
use condis::role::{CallManager, RoleKind, Signaling};
use condis::status::NdisStatus;
use condis::status_ind::StatusIndication;
use condis::token::{Answer, OpenAf, Outcome, PauseBinding, Refused, RestartBinding, Token, Unbind};
use condis::vc::{OwnedVc, Receives, Vc};

use super::engine::{Engine, EngineAf, Leg, Model};
use super::flow_params::FlowParams;
use super::framing::{RAW_HEAD_LEN, split_raw};
use super::{PppoeConfig, PppoeCounters};
use crate::pppoe::wire::{
    ETHERTYPE_DISCOVERY, ETHERTYPE_SESSION, HEADER_LEN, Header, MacAddr, PacketView, SessionId,
};

/// A call manager for PPPoE, over every Ethernet miniport of its node.
///
/// On each it makes a signaling VC: a raw flow of EtherType 0x8863 ([`FlowParams`]), which NDIS lists, and registers the
/// address family PPP. While its binding is paused it sends nothing (CO-215): what it has to say it says when the binding runs.
/// Before an adapter is removed it ends its sessions with PADTs; clients hear of the end of their calls when the link is
/// gone, or close them when they are unbound.
pub struct PppoeCallManager {
    config: PppoeConfig,
    counters: PppoeCounters,
}

impl PppoeCallManager {
    /// A call manager with this configuration for each of its bindings.
    pub fn new(config: PppoeConfig) -> PppoeCallManager {
        PppoeCallManager { config, counters: PppoeCounters::default() }
    }

    /// What it counts, over all its bindings.
    pub fn counters(&self) -> PppoeCounters {
        self.counters.clone()
    }
}

impl Protocol for PppoeCallManager {
    fn bind(&self, adapter: &AdapterInfo) -> Result<Bound, NdisStatus> {
        // An MCM signals by itself, and nobody else can over its adapter.
        if adapter.role != RoleKind::Miniport {
            return Err(NdisStatus::NOT_SUPPORTED);
        }
        Ok(Bound::call_manager(PppoeBinding {
            config: self.config.clone(),
            counters: self.counters.clone(),
            engine: OnceLock::new(),
        }))
    }

    fn media(&self) -> Option<&[Medium]> {
        Some(&[Medium::Ethernet])
    }
}

/// Signaling goes out on the signaling VC, and the miniport readies the path of a VC when NDIS asks it.
struct OverNdis {
    signaling: Mutex<Option<OwnedVc<Signaling>>>,
    pool: Pool,
    gate: Mutex<Gate>,
}

/// Whether the binding is paused, and what waits for that to end. A client may call before the binding runs for the first
/// time, and its call should not have to wait for the second PADI.
struct Gate {
    paused: bool,
    waiting: Vec<(MacAddr, Vec<u8>)>,
}

/// Packets of signaling that the miniport may hold. 256: what is beyond is lost, and sent again.
const SIGNALING_SENDS_MAX: usize = 256;

/// Packets of signaling that wait for a paused binding. 32: a first packet for each of so many calls; what is beyond is lost,
/// and sent again.
const WAITING_MAX: usize = 32;

impl OverNdis {
    fn new(mtu_octets: usize, backfill_octets: usize) -> OverNdis {
        let pool = Pool::new(PoolConfig {
            data_size: mtu_octets + RAW_HEAD_LEN,
            headroom: backfill_octets,
            capacity: SIGNALING_SENDS_MAX,
            ..PoolConfig::default()
        });
        OverNdis {
            signaling: Mutex::new(None),
            pool,
            gate: Mutex::new(Gate { paused: true, waiting: Vec::new() }),
        }
    }

    fn send(&self, to: MacAddr, packet: &[u8]) -> bool {
        let Some(vc) = self.lock().as_ref().map(OwnedVc::keep) else { return false };
        let Ok(mut nbl) = self.pool.alloc() else { return false };
        let mut head = [0; RAW_HEAD_LEN];
        head[..6].copy_from_slice(&to.0);
        head[12..].copy_from_slice(&ETHERTYPE_DISCOVERY.to_be_bytes());
        let sdu = nbl.first_mut();
        if sdu.append(&head).and_then(|()| sdu.append(packet)).is_err() {
            return false;
        }
        vc.at().send(Chain::from(nbl));
        true
    }

    /// What has waited, as nothing is held back from now on.
    fn open_gate(&self) -> Vec<(MacAddr, Vec<u8>)> {
        let mut gate = self.lock_gate();
        gate.paused = false;
        std::mem::take(&mut gate.waiting)
    }

    fn lock_gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Option<OwnedVc<Signaling>>> {
        self.signaling.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Model for OverNdis {
    type Role = CallManager;
    type Data = ();

    fn transmit(&self, to: MacAddr, packet: &[u8]) -> bool {
        {
            // CO-215: nothing is sent on a paused binding.
            let mut gate = self.lock_gate();
            if gate.paused {
                let room = gate.waiting.len() < WAITING_MAX;
                if room {
                    gate.waiting.push((to, packet.to_vec()));
                }
                return room;
            }
        }
        self.send(to, packet)
    }

    fn new_data(&self) {}

    fn activate(
        &self,
        vc: Vc<'_, CallManager>,
        (): &(),
        params: CallParams,
    ) -> Outcome<Result<CallParams, Refused>> {
        vc.activate(params)
    }

    fn deactivate(&self, vc: Vc<'_, CallManager>, (): &()) -> Outcome<Result<(), NdisStatus>> {
        vc.deactivate()
    }

    fn new_vc(leg: Leg<OverNdis>) -> <CallManager as ManagerRole>::NewVc {
        Box::new(leg) as Box<dyn ManagerVc<CallManager>>
    }

    fn create_vc(af: Af<'_, CallManager>, leg: Leg<OverNdis>) -> Result<OwnedVc<CallManager>, NdisStatus> {
        af.create_vc(Box::new(leg))
    }
}

struct PppoeBinding {
    config: PppoeConfig,
    counters: PppoeCounters,
    engine: OnceLock<Arc<Engine<OverNdis>>>,
}

impl BindingLife<CallManager> for PppoeBinding {
    fn opened(&self, binding: Binding<'_, CallManager>) -> Result<(), NdisStatus> {
        let attributes = binding.attributes();
        let mtu_octets = attributes.mtu_octets as usize;
        let engine = self.engine.get_or_init(|| {
            let model = OverNdis::new(mtu_octets, attributes.backfill_octets as usize);
            let (runtime, lane) = (binding.runtime().clone(), binding.lane());
            Engine::new(model, &self.config, mtu_octets, runtime, lane, self.counters.clone())
        });
        let vc = binding.create_signaling_vc(Box::new(PppoeSignaling(engine.clone())))?;
        // Kept before it is activated: a completion may come before the return, and looks here.
        let held = engine.model.lock().insert(vc).keep();
        let signaling = FlowParams { vlan: self.config.vlan, ..FlowParams::raw(ETHERTYPE_DISCOVERY) };
        let result = match held.at().activate(signaling.to_params()) {
            Outcome::Done(Err(refused)) => Err(refused.status),
            // What is sent before a pended activation is complete is lost, and sent again.
            Outcome::Done(Ok(_)) | Outcome::Pending => binding.register_address_family(AddressFamily::PPP),
        };
        if result.is_err() {
            self.end_signaling();
        }
        result
    }

    fn pause<'a>(
        &self,
        _: Binding<'_, CallManager>,
        token: Token<'a, PauseBinding>,
    ) -> Answer<'a, PauseBinding> {
        if let Some(engine) = self.engine.get() {
            engine.model.lock_gate().paused = true;
        }
        token.done(())
    }

    fn restart<'a>(
        &self,
        _: Binding<'_, CallManager>,
        token: Token<'a, RestartBinding>,
    ) -> Answer<'a, RestartBinding> {
        if let Some(engine) = self.engine.get() {
            let waiting = engine.model.open_gate();
            let unsent = waiting.iter().filter(|(to, packet)| !engine.model.send(*to, packet)).count();
            engine.count(|counters| counters.signaling_lost += unsent as u64);
        }
        token.done(())
    }

    fn removing(&self, _: Binding<'_, CallManager>) {
        if let Some(engine) = self.engine.get() {
            engine.leave();
        }
    }

    fn unbind<'a>(&self, _: Binding<'_, CallManager>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
        if let Some(engine) = self.engine.get() {
            engine.gone();
            for af in engine.afs() {
                // NDIS waits for the close of the AF, whatever the client says to this.
                let _ = af.at().notify_close();
            }
        }
        self.end_signaling();
        token.done(())
    }

    fn status(&self, _: Binding<'_, CallManager>, status: &StatusIndication) {
        if let (Some(engine), Some(up)) = (self.engine.get(), link_state::read(status)) {
            engine.link_state(up);
        }
    }
}

impl PppoeBinding {
    fn end_signaling(&self) {
        let Some(engine) = self.engine.get() else { return };
        let waiting = std::mem::take(&mut engine.model.lock_gate().waiting);
        engine.count(|counters| counters.signaling_lost += waiting.len() as u64);
        let vc = engine.model.lock().take();
        if let Some(vc) = vc {
            // Deleted once it is inactive and drained; the close of the binding waits for it.
            let _ = vc.at().deactivate();
            vc.retire();
        }
    }
}

impl CallManagerBinding for PppoeBinding {
    fn open_af<'a>(
        &self,
        af: Af<'_, CallManager>,
        _: AddressFamily,
        token: Token<'a, OpenAf<CallManager>>,
    ) -> Answer<'a, OpenAf<CallManager>> {
        match self.engine.get() {
            Some(engine) => token.done(Ok(Box::new(EngineAf::open(engine, af)))),
            None => token.done(Err(NdisStatus::FAILURE)),
        }
    }
}

/// The signaling VC.
struct PppoeSignaling(Arc<Engine<OverNdis>>);

impl PppoeSignaling {
    fn receive_sdu(&self, sdu: &[u8]) {
        let malformed = || self.0.count(|counters| counters.dropped_malformed += 1);
        match split_raw(sdu) {
            Some((to, from, ETHERTYPE_DISCOVERY, packet)) => self.0.packet(from, to, packet),
            Some((_, from, ETHERTYPE_SESSION, header)) => match session_id(header) {
                Some(id) => self.0.unknown_session(from, id),
                None => malformed(),
            },
            Some(_) | None => malformed(),
        }
    }
}

impl SignalingVc for PppoeSignaling {
    fn receive(&self, _: Vc<'_, Signaling>, batch: &mut Receives<'_>) {
        for nbl in batch.iter() {
            for sdu in nbl.net_buffers() {
                match sdu.contiguous() {
                    Some(octets) => self.receive_sdu(octets),
                    None => {
                        let mut octets = vec![0; sdu.data_length()];
                        sdu.copy_to(&mut octets);
                        self.receive_sdu(&octets);
                    }
                }
            }
        }
    }

    fn send_complete(&self, _: Vc<'_, Signaling>, chain: Chain) {
        let unsent = chain.iter().filter(|nbl| nbl.status() != NdisStatus::SUCCESS).count();
        if unsent > 0 {
            self.0.count(|counters| counters.signaling_given_back += unsent as u64);
        }
        if chain.iter().any(|nbl| nbl.status() == NdisStatus::NOT_ACCEPTED) {
            // The device is gone (DP-074), and whoever should have told us has not yet.
            self.0.link_state(false);
        }
    }

    fn activate_complete(&self, vc: Vc<'_, Signaling>, _: Result<CallParams, Refused>) {
        // The binding ended meanwhile, and could not deactivate what was not active.
        if self.0.model.lock().is_none() {
            let _ = vc.deactivate();
        }
    }
}

/// The id in a PPPoE header that stands alone.
fn session_id(header: &[u8]) -> Option<SessionId> {
    let header: &[u8; HEADER_LEN] = header.first_chunk()?;
    let empty = [header[0], header[1], header[2], header[3], 0, 0];
    PacketView::parse(&empty)
        .ok()
        .map(|packet| packet.header())
        .and_then(|Header { session_id, .. }| session_id)
}
