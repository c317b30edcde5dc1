//! The hardware: what a miniport, or the data half of an MCM, does with the NBLs of each VC.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use condis::adapter::Adapter;
use condis::driver::{
    AdapterAttributes, AdapterLife, HaltAction, LowerRole, McmVcData, Medium, MiniportAdapter,
    MiniportDriver, MiniportVc, PnpEvent,
};
use condis::nbl::{CancelId, Chain, Pool, PoolConfig};
use condis::oid::{OidAnswer, OidRequest};
use condis::params::{CallFlags, CallParams, MediaFlags};
use condis::role::{Mcm, Miniport};
use condis::status_ind::StatusIndication;
use condis::token::{Activate, Answer, Deactivate, Oid, Pause, Refused, Reset, Restart, Token};
use condis::trace::VcId;
use condis::vc::{HeldVc, KeptSends, Sends, Vc};

use super::{Kit, Status, lock};

/// The calls that a miniport and an MCM both have.
pub trait Lower: LowerRole {
    fn indicate(vc: Vc<'_, Self>, chain: Chain);
    fn indicate_lent(vc: Vc<'_, Self>, chain: &mut Chain);
    fn status(vc: Vc<'_, Self>, status: StatusIndication);
}

macro_rules! lower {
    ($($role:ty),*) => {$(
        impl Lower for $role {
            fn indicate(vc: Vc<'_, Self>, chain: Chain) {
                vc.indicate_receive(chain);
            }
            fn indicate_lent(vc: Vc<'_, Self>, chain: &mut Chain) {
                vc.indicate_receive_lent(chain);
            }
            fn status(vc: Vc<'_, Self>, status: StatusIndication) {
                vc.indicate_status(status);
            }
        }
    )*};
}

lower!(Miniport, Mcm);

pub struct Hardware<R: Lower> {
    pub kit: Arc<Kit>,
    pub pool: Pool,
    lines: Mutex<BTreeMap<VcId, Arc<Line<R>>>>,
    pub adapter: Mutex<Option<condis::adapter::HeldAdapter<R>>>,
}

/// One VC at the hardware.
pub struct Line<R: Lower> {
    hardware: Arc<Hardware<R>>,
    id: VcId,
    kept: Mutex<(Vec<KeptSends>, bool)>,
    vc: Mutex<Option<HeldVc<R>>>,
    /// The parameters in use.
    pub params: Mutex<CallParams>,
}

impl<R: Lower> Hardware<R> {
    pub fn new(kit: Arc<Kit>) -> Arc<Hardware<R>> {
        let pool = Pool::new(PoolConfig { data_size: 256, capacity: 4096, ..Default::default() });
        Arc::new(Hardware { kit, pool, lines: Mutex::default(), adapter: Mutex::default() })
    }

    pub fn line(self: &Arc<Self>, id: VcId) -> Arc<Line<R>> {
        let line = Arc::new(Line {
            hardware: self.clone(),
            id,
            kept: Mutex::default(),
            vc: Mutex::default(),
            params: Mutex::default(),
        });
        lock(&self.lines).insert(id, line.clone());
        line
    }

    pub fn find(&self, id: VcId) -> Option<Arc<Line<R>>> {
        lock(&self.lines).get(&id).cloned()
    }

    pub fn forget(&self, id: VcId) {
        lock(&self.lines).remove(&id);
    }

    /// The line is that of VC `id` from now on.
    pub fn rename(&self, line: &Arc<Line<R>>, id: VcId) {
        let mut lines = lock(&self.lines);
        lines.retain(|_, other| !Arc::ptr_eq(other, line));
        lines.insert(id, line.clone());
    }

    /// What the hardware cannot meet it refuses, and it rounds if it may (CO-098, CO-099).
    pub fn fit(&self, mut params: CallParams) -> Result<CallParams, Refused> {
        let media = params.media.as_ref().map_or(MediaFlags::empty(), |media| media.flags);
        let Some(manager) = &mut params.manager else { return Ok(params) };
        let peak = manager.transmit.peak_bandwidth;
        if peak == condis::params::FlowSpec::NOT_SPECIFIED || peak.is_multiple_of(1000) {
            return Ok(params);
        }
        if !media.contains(MediaFlags::ROUND_DOWN_FLOW) {
            return Err(Refused::with(Status::INVALID_DATA, params));
        }
        manager.transmit.peak_bandwidth = peak / 1000 * 1000;
        params.flags |= CallFlags::CALL_PARAMETERS_CHANGED;
        Ok(params)
    }

    /// Completes whatever is kept, on every VC.
    pub fn flush(&self, dead: bool) {
        let lines: Vec<_> = lock(&self.lines).values().cloned().collect();
        lines.iter().for_each(|line| line.flush(dead));
    }
}

impl<R: Lower> Line<R> {
    pub fn start(&self, vc: Vc<'_, R>, params: CallParams) {
        *lock(&self.vc) = Some(vc.keep());
        *lock(&self.params) = params;
        lock(&self.kept).1 = false;
    }

    /// Nothing more is sent; what was kept goes back.
    pub fn stop(&self) {
        self.flush(false);
        lock(&self.vc).take();
    }

    pub fn held(&self) -> Option<HeldVc<R>> {
        lock(&self.vc).clone()
    }

    /// `dead`: the device is gone, and sends that come later fail.
    pub fn flush(&self, dead: bool) {
        let kept = {
            let mut kept = lock(&self.kept);
            kept.1 |= dead;
            std::mem::take(&mut kept.0)
        };
        for batch in kept {
            batch.complete(if dead { Status::NOT_ACCEPTED } else { Status::SUCCESS });
        }
    }

    pub fn cancel(&self, id: CancelId) {
        let mut kept = std::mem::take(&mut lock(&self.kept).0);
        let picked: Vec<_> =
            kept.iter_mut().map(|batch| batch.take_matching(|nbl| nbl.cancel_id() == Some(id))).collect();
        kept.retain(|batch| !batch.is_empty());
        lock(&self.kept).0.extend(kept);
        picked
            .into_iter()
            .filter(|batch| !batch.is_empty())
            .for_each(|batch| batch.complete(Status::SEND_ABORTED));
    }

    pub fn copies(&self, count: usize) -> Chain {
        (0..count).map(|n| self.hardware.pool.alloc_copy(&[n as u8]).expect("the pool has room")).collect()
    }

    /// `count` NBLs come in on this VC.
    pub fn receive(&self, count: usize) {
        let Some(vc) = self.held() else { return };
        Kit::count(&self.hardware.kit.indicated, count);
        R::indicate(vc.at(), self.copies(count));
    }

    fn send(&self, vc: Vc<'_, R>, sends: Sends<'_>) {
        let kit = &self.hardware.kit;
        kit.at("lower.send");
        let count = sends.len();
        let signaling = vc.info().use_ == condis::vc::VcUse::Signaling;
        if kit.flag("drop_sends") && !signaling {
            drop(sends);
            return;
        }
        if kit.flag("keep_sends") && !signaling {
            let batch = sends.keep();
            let dead = {
                let mut kept = lock(&self.kept);
                if !kept.1 {
                    kept.0.push(batch);
                    return;
                }
                batch
            };
            dead.complete(Status::NOT_ACCEPTED);
            return;
        }
        let echo = (kit.flag("echo") || signaling).then(|| {
            let copies = sends.iter().filter_map(|nbl| {
                self.hardware.pool.alloc_copy(nbl.first().contiguous().unwrap_or(b"")).ok()
            });
            copies.collect::<Chain>()
        });
        sends.complete(Status::SUCCESS);
        let Some(echo) = echo else { return };
        if signaling {
            // The network answers from nobody's stack.
            let vc = vc.keep();
            Kit::count(&kit.indicated, echo.len());
            kit.later(move || R::indicate(vc.at(), echo));
        } else {
            Kit::count(&kit.indicated, count);
            R::indicate(vc, echo);
        }
    }

    fn returned(&self, chain: Chain) {
        Kit::count(&self.hardware.kit.returned, chain.len());
        drop(chain);
        self.hardware.kit.at("lower.returned");
    }
}

/// The adapter of either kind, but for what an MCM answers about calls.
pub struct Device<R: Lower>(pub Arc<Hardware<R>>);

impl<R: Lower> Device<R> {
    pub fn initialized(&self, adapter: Adapter<'_, R>) {
        *lock(&self.0.adapter) = Some(adapter.keep());
    }

    pub fn restart<'a>(&self, token: Token<'a, Restart>) -> Answer<'a, Restart> {
        self.0.kit.at("lower.restart");
        self.0.kit.answer("restart", self.0.kit.reply("restart"), token, |status| status.ok())
    }

    pub fn pause<'a>(&self, token: Token<'a, Pause>) -> Answer<'a, Pause> {
        self.0.kit.at("lower.pause");
        self.0.flush(false);
        self.0.kit.answer("pause", self.0.kit.reply("pause"), token, |_| ())
    }

    pub fn halt(&self) {
        lock(&self.0.adapter).take();
        let lines = std::mem::take(&mut *lock(&self.0.lines));
        lines.values().for_each(|line| line.stop());
        drop(lines);
        self.0.kit.at("lower.halt");
    }

    pub fn reset<'a>(&self, token: Token<'a, Reset>) -> Answer<'a, Reset> {
        self.0.kit.at("lower.reset");
        self.0.flush(false);
        let replay = self.0.kit.flag("reset_forgets");
        self.0
            .kit
            .answer("reset", self.0.kit.reply("reset"), token, move |status| status.ok().map(|()| replay))
    }

    pub fn pnp_event(&self) {
        self.0.flush(true);
        self.0.kit.at("lower.pnp_event");
    }

    pub fn cancel_send(&self, id: CancelId) {
        let lines: Vec<_> = lock(&self.0.lines).values().cloned().collect();
        lines.iter().for_each(|line| line.cancel(id));
        self.0.kit.at("lower.cancel_send");
    }

    pub fn oid<'a>(&self, mut request: OidRequest, token: Token<'a, Oid>) -> Answer<'a, Oid> {
        self.0.kit.at("lower.oid_request");
        let kit = &self.0.kit;
        kit.answer("lower_oid", kit.reply("lower_oid"), token, move |status| {
            let status = if status == Status::SUCCESS { request.write(b"lower") } else { status };
            OidAnswer::new(status, request)
        })
    }

    pub fn cancel_oid(&self) {
        self.0.kit.at("lower.cancel_oid");
        if self.0.kit.holds("lower_oid") {
            self.0.kit.finish("lower_oid", Status::REQUEST_ABORTED);
        }
    }
}

macro_rules! device_life {
    ($role:ty) => {
        fn restart<'a>(
            &self,
            _: condis::adapter::Adapter<'_, $role>,
            token: condis::token::Token<'a, condis::token::Restart>,
        ) -> condis::token::Answer<'a, condis::token::Restart> {
            self.device().restart(token)
        }
        fn pause<'a>(
            &self,
            _: condis::adapter::Adapter<'_, $role>,
            token: condis::token::Token<'a, condis::token::Pause>,
        ) -> condis::token::Answer<'a, condis::token::Pause> {
            self.device().pause(token)
        }
        fn halt(&self, _: condis::driver::HaltAction) {
            self.device().halt();
        }
        fn reset<'a>(
            &self,
            _: condis::adapter::Adapter<'_, $role>,
            token: condis::token::Token<'a, condis::token::Reset>,
        ) -> condis::token::Answer<'a, condis::token::Reset> {
            self.device().reset(token)
        }
        fn pnp_event(&self, _: condis::adapter::Adapter<'_, $role>, _: condis::driver::PnpEvent) {
            self.device().pnp_event();
        }
        fn cancel_send(&self, _: condis::adapter::Adapter<'_, $role>, id: condis::nbl::CancelId) {
            self.device().cancel_send(id);
        }
        fn cancel_oid_request(&self, _: condis::adapter::Adapter<'_, $role>, _: u64) {
            self.device().cancel_oid();
        }
        fn oid_request<'a>(
            &self,
            _: condis::adapter::Adapter<'_, $role>,
            _: Option<condis::vc::Vc<'_, $role>>,
            request: condis::oid::OidRequest,
            token: condis::token::Token<'a, condis::token::Oid>,
        ) -> condis::token::Answer<'a, condis::token::Oid> {
            self.device().oid(request, token)
        }
    };
}
pub(crate) use device_life;

/// The miniport under the call manager.
#[derive(Clone)]
pub struct TestMiniport(pub Arc<Hardware<Miniport>>);

impl TestMiniport {
    fn device(&self) -> Device<Miniport> {
        Device(self.0.clone())
    }
}

pub fn attributes(kit: &Kit) -> AdapterAttributes {
    let mut attributes = AdapterAttributes::new(Medium::Loopback, 1500);
    attributes.connection_oriented = !kit.flag("not_connection_oriented");
    attributes
}

impl MiniportDriver for TestMiniport {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn MiniportAdapter>), Status> {
        self.0.kit.at("lower.initialize");
        Ok((attributes(&self.0.kit), Box::new(self.clone())))
    }
}

impl AdapterLife<Miniport> for TestMiniport {
    fn initialized(&self, adapter: Adapter<'_, Miniport>) -> Result<(), Status> {
        self.0.kit.at("lower.initialized");
        self.device().initialized(adapter);
        Ok(())
    }

    device_life!(Miniport);
}

impl MiniportAdapter for TestMiniport {
    fn create_vc(&self, vc: VcId) -> Result<Box<dyn MiniportVc>, Status> {
        self.0.kit.at("miniport.create_vc");
        match self.0.kit.reply("miniport_create_vc") {
            super::Reply::Done(Status::SUCCESS) => Ok(Box::new(LineOf(self.0.line(vc)))),
            super::Reply::Done(status) => Err(status),
            _ => Err(Status::FAILURE),
        }
    }
}

pub struct LineOf<R: Lower>(pub Arc<Line<R>>);

impl MiniportVc for LineOf<Miniport> {
    fn activate<'a>(
        &self,
        vc: Vc<'_, Miniport>,
        params: CallParams,
        token: Token<'a, Activate>,
    ) -> Answer<'a, Activate> {
        let kit = &self.0.hardware.kit;
        kit.at("miniport.activate");
        let params = match self.0.hardware.fit(params) {
            Ok(params) => params,
            Err(refused) => return token.done(Err(refused)),
        };
        let (line, vc, signaling) = (self.0.clone(), vc.keep(), params.media.is_none());
        // A call manager's own VC is there before the script begins.
        let reply = if signaling { super::Reply::Done(Status::SUCCESS) } else { kit.below("activate") };
        kit.answer("activate", reply, token, move |status| {
            if status != Status::SUCCESS {
                return Err(Refused::with(status, params));
            }
            line.start(vc.at(), params.clone());
            Ok(params)
        })
    }

    fn deactivate<'a>(&self, vc: Vc<'_, Miniport>, token: Token<'a, Deactivate>) -> Answer<'a, Deactivate> {
        let kit = &self.0.hardware.kit;
        kit.at("miniport.deactivate");
        let line = self.0.clone();
        let signaling = vc.info().use_ == condis::vc::VcUse::Signaling;
        let reply = if signaling { super::Reply::Done(Status::SUCCESS) } else { kit.below("deactivate") };
        kit.answer("deactivate", reply, token, move |status| {
            if !line.hardware.kit.flag("deactivate_keeps_sends") {
                line.stop();
            }
            status.ok()
        })
    }

    fn send(&self, vc: Vc<'_, Miniport>, sends: Sends<'_>) {
        self.0.send(vc, sends);
    }

    fn returned(&self, _: Vc<'_, Miniport>, chain: Chain) {
        self.0.returned(chain);
    }

    fn delete(&self) {
        self.0.stop();
        self.0.hardware.forget(self.0.id);
        self.0.hardware.kit.at("miniport.delete");
    }
}

impl McmVcData for LineOf<Mcm> {
    fn send(&self, vc: Vc<'_, Mcm>, sends: Sends<'_>) {
        self.0.send(vc, sends);
    }

    fn returned(&self, _: Vc<'_, Mcm>, chain: Chain) {
        self.0.returned(chain);
    }
}

const _: fn(HaltAction, PnpEvent) = |_, _| {};
