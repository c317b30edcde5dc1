//! ATM signaling as a call manager: it runs on VCs that NDIS sees.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use condis::adapter::AdapterInfo;
use condis::af::Af;
use condis::binding::Binding;
use condis::driver::{
    BindingLife, Bound, CallManagerBinding, ManagerRole, ManagerVc, Medium, Protocol, SignalingVc,
};
use condis::link_state;
use condis::nbl::{Chain, Pool, PoolConfig};
use condis::oid::{OidRequest, code};
use condis::params::{AddressFamily, CallParams};
use condis::role::{CallManager, RoleKind, Signaling};
use condis::status::NdisStatus;
use condis::status_ind::StatusIndication;
use condis::token::{Answer, OpenAf, Outcome, PauseBinding, Refused, RestartBinding, Token, Unbind};
use condis::vc::{OwnedVc, Receives, Vc};

use super::engine::{Engine, EngineAf, Leg, Model};
use super::vc_params::AtmVcParams;
use super::{AtmConfig, SignalingCounters, atm_code};
use crate::VpVc;
use crate::addr::Esi;

/// A call manager for ATM signaling, over every ATM miniport of its node.
///
/// On each it makes a signaling VC 0/5, and with ILMI one 0/16, both of which NDIS lists, and registers the address family
/// Q2931. While its binding is paused it sends nothing (CO-215): what it has to say it says when the binding runs. Before an
/// adapter is removed it releases its calls; clients hear of the end of their calls when the line is gone, or close them when
/// they are unbound.
pub struct UniCallManager {
    config: AtmConfig,
    counters: SignalingCounters,
}

impl UniCallManager {
    /// A call manager with this configuration for each of its bindings.
    pub fn new(config: AtmConfig) -> UniCallManager {
        UniCallManager { config, counters: SignalingCounters::default() }
    }

    /// What it counts, over all its bindings.
    pub fn counters(&self) -> SignalingCounters {
        self.counters.clone()
    }
}

impl Protocol for UniCallManager {
    fn bind(&self, adapter: &AdapterInfo) -> Result<Bound, NdisStatus> {
        // An MCM signals by itself, and nobody else can over its adapter.
        if adapter.role != RoleKind::Miniport {
            return Err(NdisStatus::NOT_SUPPORTED);
        }
        Ok(Bound::call_manager(UniBinding {
            config: self.config.clone(),
            counters: self.counters.clone(),
            engine: OnceLock::new(),
        }))
    }

    fn media(&self) -> Option<&[Medium]> {
        Some(&[Medium::Atm])
    }
}

/// Octets of the longest SDU of signaling, and of ILMI: SSCOP's longest PDU, and more than an SNMP message of ILMI has.
pub(super) const OWN_SDU_OCTETS_MAX: u32 = 8192;

/// The parameters of a VC of the manager's own.
pub(super) fn own_params(vpvc: VpVc) -> AtmVcParams {
    AtmVcParams::ubr(vpvc, OWN_SDU_OCTETS_MAX)
}

/// Signaling goes out on the signaling VCs, and the miniport readies the path of a VC when NDIS asks it.
struct OverNdis {
    signaling: Mutex<Vec<(VpVc, OwnedVc<Signaling>)>>,
    pool: Pool,
    gate: Mutex<Gate>,
}

/// Whether the binding is paused, and what waits for that to end.
struct Gate {
    paused: bool,
    waiting: Vec<(VpVc, Vec<u8>)>,
}

/// SDUs of signaling that the miniport may hold. 1024: SSCOP's window, and some.
const SIGNALING_SENDS_MAX: usize = 1024;

/// SDUs of signaling that wait for a paused binding. 64: what is beyond is lost, and sent again.
const WAITING_MAX: usize = 64;

impl OverNdis {
    fn new(backfill_octets: usize) -> OverNdis {
        let pool = Pool::new(PoolConfig {
            data_size: OWN_SDU_OCTETS_MAX as usize,
            headroom: backfill_octets,
            capacity: SIGNALING_SENDS_MAX,
            ..PoolConfig::default()
        });
        let gate = Mutex::new(Gate { paused: true, waiting: Vec::new() });
        OverNdis { signaling: Mutex::default(), pool, gate }
    }

    fn send(&self, vpvc: VpVc, sdu: &[u8]) -> bool {
        let vc = self.lock().iter().find(|(of, _)| *of == vpvc).map(|(_, vc)| vc.keep());
        let (Some(vc), Ok(nbl)) = (vc, self.pool.alloc_copy(sdu)) else { return false };
        vc.at().send(Chain::from(nbl));
        true
    }

    /// Sends what has waited, and then holds back nothing more. What comes meanwhile stands in line, so that nothing overtakes:
    /// a BGN behind the BGAK that was sent after it would begin the SAAL anew. Gives how many could not be sent.
    fn open_gate(&self) -> usize {
        let mut unsent = 0;
        loop {
            let waiting = {
                let mut gate = self.lock_gate();
                if gate.waiting.is_empty() {
                    gate.paused = false;
                    return unsent;
                }
                std::mem::take(&mut gate.waiting)
            };
            unsent += waiting.iter().filter(|(vpvc, sdu)| !self.send(*vpvc, sdu)).count();
        }
    }

    fn lock_gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(VpVc, OwnedVc<Signaling>)>> {
        self.signaling.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Model for OverNdis {
    type Role = CallManager;
    type Data = ();

    fn transmit(&self, vpvc: VpVc, sdu: &[u8]) -> bool {
        {
            // CO-215: nothing is sent on a paused binding.
            let mut gate = self.lock_gate();
            if gate.paused {
                let room = gate.waiting.len() < WAITING_MAX;
                if room {
                    gate.waiting.push((vpvc, sdu.to_vec()));
                }
                return room;
            }
        }
        self.send(vpvc, sdu)
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

struct UniBinding {
    config: AtmConfig,
    counters: SignalingCounters,
    engine: OnceLock<Arc<Engine<OverNdis>>>,
}

impl UniBinding {
    /// The configuration, with the adapter's own end system if none is given.
    fn config(&self, binding: Binding<'_, CallManager>) -> AtmConfig {
        let mut config = self.config.clone();
        let addresses = &mut config.uni.addresses;
        if addresses.ilmi
            && addresses.esis.is_empty()
            && let Some(esi) =
                query(binding, atm_code::HW_CURRENT_ADDRESS).and_then(|esi| esi.try_into().ok())
        {
            addresses.esis.push(Esi(esi));
        }
        config
    }

    fn open_vc(
        &self,
        binding: Binding<'_, CallManager>,
        engine: &Arc<Engine<OverNdis>>,
        vpvc: VpVc,
    ) -> Result<(), NdisStatus> {
        let object = UniSignaling { engine: engine.clone(), vpvc };
        let vc = binding.create_signaling_vc(Box::new(object))?;
        // Kept before it is activated: a completion may come before the return, and looks here.
        let held = vc.keep();
        engine.model.lock().push((vpvc, vc));
        match held.at().activate(own_params(vpvc).to_params()) {
            Outcome::Done(Err(refused)) => Err(refused.status),
            // What is sent before a pended activation is complete is lost, and sent again.
            Outcome::Done(Ok(_)) | Outcome::Pending => Ok(()),
        }
    }

    fn end_signaling(&self) {
        let Some(engine) = self.engine.get() else { return };
        let waiting = std::mem::take(&mut engine.model.lock_gate().waiting);
        engine.count(|counters| counters.signaling_lost += waiting.len() as u64);
        let vcs = std::mem::take(&mut *engine.model.lock());
        for (_, vc) in vcs {
            // Deleted once it is inactive and drained; the close of the binding waits for it.
            let _ = vc.at().deactivate();
            vc.retire();
        }
    }
}

impl BindingLife<CallManager> for UniBinding {
    fn opened(&self, binding: Binding<'_, CallManager>) -> Result<(), NdisStatus> {
        let config = self.config(binding);
        let engine = self.engine.get_or_init(|| {
            let model = OverNdis::new(binding.attributes().backfill_octets as usize);
            let (runtime, lane) = (binding.runtime().clone(), binding.lane());
            Engine::new(model, &config, runtime, lane, self.counters.clone())
        });
        let ilmi = config.uni.addresses.ilmi.then_some(VpVc::ILMI);
        let mut own = [VpVc::SIGNALING].into_iter().chain(ilmi);
        let result = own
            .try_for_each(|vpvc| self.open_vc(binding, engine, vpvc))
            .and_then(|()| binding.register_address_family(AddressFamily::Q2931));
        if result.is_err() {
            self.end_signaling();
            return result;
        }
        let connected =
            query(binding, code::GEN_CO_MEDIA_CONNECT_STATUS).is_none_or(|state| state[..] == [0; 4]);
        engine.link_state(connected);
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
            let unsent = engine.model.open_gate();
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

impl CallManagerBinding for UniBinding {
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

/// What the miniport says at once.
fn query(binding: Binding<'_, CallManager>, oid: u32) -> Option<Vec<u8>> {
    let nothing: Option<Vc<'_, Signaling>> = None;
    let answer = binding.oid_request(nothing, OidRequest::query(oid, 32)).done()?;
    answer.status.ok().ok()?;
    Some(answer.request?.written().to_vec())
}

/// A signaling VC.
struct UniSignaling {
    engine: Arc<Engine<OverNdis>>,
    vpvc: VpVc,
}

impl SignalingVc for UniSignaling {
    fn receive(&self, _: Vc<'_, Signaling>, batch: &mut Receives<'_>) {
        for nbl in batch.iter() {
            for sdu in nbl.net_buffers() {
                match sdu.contiguous() {
                    Some(octets) => self.engine.sdu(self.vpvc, octets),
                    None => {
                        let mut octets = vec![0; sdu.data_length()];
                        sdu.copy_to(&mut octets);
                        self.engine.sdu(self.vpvc, &octets);
                    }
                }
            }
        }
    }

    fn send_complete(&self, _: Vc<'_, Signaling>, chain: Chain) {
        let unsent = chain.iter().filter(|nbl| nbl.status() != NdisStatus::SUCCESS).count();
        if unsent > 0 {
            self.engine.count(|counters| counters.signaling_given_back += unsent as u64);
        }
        if chain.iter().any(|nbl| nbl.status() == NdisStatus::NOT_ACCEPTED) {
            // The device is gone (DP-074), and whoever should have told us has not yet.
            self.engine.link_state(false);
        }
    }

    fn activate_complete(&self, vc: Vc<'_, Signaling>, result: Result<CallParams, Refused>) {
        if result.is_err() {
            self.engine.count(|counters| counters.signaling_refused += 1);
        }
        // The binding ended meanwhile, and could not deactivate what was not active.
        if self.engine.model.lock().is_empty() {
            let _ = vc.deactivate();
        }
    }
}
