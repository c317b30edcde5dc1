//! A protocol that makes virtual connections by itself, without anybody's signaling, as a call manager makes its own.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use condis::adapter::{AdapterControl, AdapterInfo};
use condis::af::Af;
use condis::binding::{Binding, HeldBinding};
use condis::driver::{BindingLife, Bound, CallManagerBinding, Protocol, SignalingVc};
use condis::nbl::{CancelId, Chain, Pool, PoolConfig};
use condis::node::Node;
use condis::oid::OidRequest;
use condis::params::AddressFamily;
use condis::role::{CallManager, Signaling};
use condis::runtime::{Ran, Runtime, Sim};
use condis::status::NdisStatus;
use condis::token::{Answer, OpenAf, Outcome, Token, Unbind};
use condis::trace::{Ring, VcId};
use condis::vc::{HeldVc, OwnedVc, Receives, Vc};
use condis_atm::VpVc;
use condis_atm::addr::Esi;
use condis_atm::driver::{AtmConnections, AtmCounters, AtmMiniport, AtmVcParams};
use condis_link::atm::{AtmLink, Fibre, FibreConditions};

/// Longer than anything takes.
pub const LONG: Duration = Duration::from_secs(60);

/// A protocol. A clone is the same.
#[derive(Clone)]
pub struct Bare(Arc<Shared>);

struct Shared {
    pool: Pool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    binding: Option<HeldBinding<CallManager>>,
    vcs: BTreeMap<VpVc, OwnedVc<Signaling>>,
    by_id: BTreeMap<VcId, VpVc>,
    received: BTreeMap<VpVc, Vec<Vec<u8>>>,
    sent: Vec<(VpVc, NdisStatus)>,
    statuses: usize,
}

impl Bare {
    pub fn new() -> Bare {
        let pool = Pool::new(PoolConfig { capacity: 1 << 16, ..PoolConfig::default() });
        Bare(Arc::new(Shared { pool, state: Mutex::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// Opens a virtual connection.
    pub fn open(&self, params: &AtmVcParams) -> Result<(), NdisStatus> {
        let binding = self.lock().binding.clone().expect("bound");
        let vc = binding.at().create_signaling_vc(Box::new(self.clone())).expect("a VC is made");
        match vc.at().activate(params.to_params()) {
            Outcome::Done(Ok(_)) => {
                let mut state = self.lock();
                state.by_id.insert(vc.id(), params.vpvc);
                let before = state.vcs.insert(params.vpvc, vc);
                assert!(before.is_none());
                Ok(())
            }
            Outcome::Done(Err(refused)) => {
                vc.delete().expect("inactive");
                Err(refused.status)
            }
            Outcome::Pending => panic!("an activation is done on return"),
        }
    }

    /// Activates it again.
    pub fn change(&self, old: VpVc, params: &AtmVcParams) -> Result<(), NdisStatus> {
        match self.vc(old).at().activate(params.to_params()) {
            Outcome::Done(result) => result.map(drop).map_err(|refused| refused.status),
            Outcome::Pending => panic!("an activation is done on return"),
        }
    }

    pub fn close(&self, vpvc: VpVc) {
        let vc = self.lock().vcs.remove(&vpvc).expect("open");
        let _ = vc.at().deactivate();
        vc.retire();
    }

    fn vc(&self, vpvc: VpVc) -> HeldVc<Signaling> {
        self.lock().vcs[&vpvc].keep()
    }

    pub fn id(&self, vpvc: VpVc) -> VcId {
        self.lock().vcs[&vpvc].id()
    }

    pub fn send(&self, vpvc: VpVc, sdus: impl IntoIterator<Item = Vec<u8>>) {
        self.send_with(vpvc, sdus, None);
    }

    pub fn send_with(&self, vpvc: VpVc, sdus: impl IntoIterator<Item = Vec<u8>>, cancel: Option<CancelId>) {
        let chain = sdus.into_iter().map(|sdu| {
            let mut nbl = self.0.pool.alloc().expect("the pool has room");
            // What does not fit the buffer lies in a second piece.
            let first = sdu.len().min(1400);
            nbl.first_mut().append(&sdu[..first]).expect("it fits");
            if sdu.len() > first {
                nbl.first_mut().append_mdl(sdu[first..].into()).expect("another piece");
            }
            nbl.set_cancel_id(cancel);
            nbl
        });
        let chain: Chain = chain.collect();
        self.vc(vpvc).at().send(chain);
    }

    pub fn cancel(&self, id: CancelId) {
        let binding = self.lock().binding.clone().expect("bound");
        binding.at().cancel_sends(id);
    }

    pub fn query(&self, vpvc: Option<VpVc>, oid: u32) -> Result<Vec<u8>, NdisStatus> {
        let binding = self.lock().binding.clone().expect("bound");
        let vc = vpvc.map(|vpvc| self.vc(vpvc));
        let outcome = binding.at().oid_request(vc.as_ref().map(HeldVc::at), OidRequest::query(oid, 256));
        let answer = outcome.done().expect("answered at once");
        answer.status.ok()?;
        Ok(answer.request.expect("it comes back").written().to_vec())
    }

    /// What came on a VC, and is forgotten with this.
    pub fn received(&self, vpvc: VpVc) -> Vec<Vec<u8>> {
        self.lock().received.remove(&vpvc).unwrap_or_default()
    }

    /// What came back on a VC, by status, in order.
    pub fn sent(&self, vpvc: VpVc) -> Vec<NdisStatus> {
        self.lock().sent.iter().filter(|(of, _)| *of == vpvc).map(|(_, status)| *status).collect()
    }

    pub fn statuses(&self) -> usize {
        self.lock().statuses
    }

    pub fn outstanding(&self) -> usize {
        self.0.pool.outstanding()
    }
}

impl Protocol for Bare {
    fn bind(&self, _: &AdapterInfo) -> Result<Bound, NdisStatus> {
        Ok(Bound::call_manager(self.clone()))
    }
}

impl BindingLife<CallManager> for Bare {
    fn opened(&self, binding: Binding<'_, CallManager>) -> Result<(), NdisStatus> {
        self.lock().binding = Some(binding.keep());
        Ok(())
    }

    fn unbind<'a>(&self, _: Binding<'_, CallManager>, token: Token<'a, Unbind>) -> Answer<'a, Unbind> {
        let (vcs, binding) = {
            let mut state = self.lock();
            (std::mem::take(&mut state.vcs), state.binding.take())
        };
        drop(binding);
        for vc in vcs.into_values() {
            let _ = vc.at().deactivate();
            vc.retire();
        }
        token.done(())
    }

    fn status(&self, _: Binding<'_, CallManager>, status: &condis::status_ind::StatusIndication) {
        if condis::link_state::read(status).is_some() {
            self.lock().statuses += 1;
        }
    }
}

impl CallManagerBinding for Bare {
    fn open_af<'a>(
        &self,
        _: Af<'_, CallManager>,
        _: AddressFamily,
        token: Token<'a, OpenAf<CallManager>>,
    ) -> Answer<'a, OpenAf<CallManager>> {
        token.done(Err(NdisStatus::NOT_SUPPORTED))
    }
}

impl SignalingVc for Bare {
    fn receive(&self, vc: Vc<'_, Signaling>, batch: &mut Receives<'_>) {
        let mut state = self.lock();
        let Some(&vpvc) = state.by_id.get(&vc.id()) else { return };
        for nbl in batch.iter() {
            let sdu = nbl.first().contiguous().expect("in one piece").to_vec();
            state.received.entry(vpvc).or_default().push(sdu);
        }
    }

    fn send_complete(&self, vc: Vc<'_, Signaling>, chain: Chain) {
        let mut state = self.lock();
        let Some(&vpvc) = state.by_id.get(&vc.id()) else { return };
        for nbl in chain.iter() {
            state.sent.push((vpvc, nbl.status()));
        }
    }
}

/// One node with a miniport and a bare protocol.
pub struct Side {
    pub node: Node,
    pub adapter: AdapterControl,
    pub bare: Bare,
    pub counters: AtmCounters,
    pub connections: AtmConnections,
    pub ring: Arc<Ring>,
}

impl Side {
    pub fn new(sim: &Arc<Sim>, name: &str, link: Arc<dyn AtmLink>) -> Side {
        let node = Node::new(name, sim.clone());
        let ring = Arc::new(Ring::new(1 << 14));
        node.listen(ring.clone());
        let bare = Bare::new();
        node.register_protocol("bare", bare.clone());
        let miniport = AtmMiniport::new(link, Esi([2, 0, 0, 0, 0, 7]));
        let (counters, connections) = (miniport.counters(), miniport.connections());
        let adapter = node.add_miniport("atm", miniport).expect("it initializes");
        Side { node, adapter, bare, counters, connections, ring }
    }

    pub fn count(&self, name: &str) -> u64 {
        self.counters.by_name()[name]
    }

    pub fn check_the_end(&self) {
        assert!(self.node.left().is_nothing(), "left {}; pended {:?}", self.node.left(), self.node.pended());
        assert_eq!(self.ring.reports(), []);
        assert_eq!(self.bare.outstanding(), 0, "NBLs leak");
        assert!(self.connections.all().is_empty());
    }
}

/// Two nodes on a fibre.
pub struct World {
    pub sim: Arc<Sim>,
    pub fibre: Fibre,
    pub a: Side,
    pub b: Side,
}

pub fn rate(cells_per_s: u64) -> FibreConditions {
    FibreConditions {
        cells_per_s: NonZeroU64::new(cells_per_s),
        gather: Duration::ZERO,
        ..Default::default()
    }
}

impl World {
    pub fn new(seed: u64, conditions: FibreConditions) -> World {
        let sim = Sim::new(seed);
        let runtime: Arc<dyn Runtime> = sim.clone();
        let (fibre, ends) = Fibre::new(runtime, "fibre", conditions, seed);
        let [one, other] = ends.map(|end| end as Arc<dyn AtmLink>);
        let (a, b) = (Side::new(&sim, "a", one), Side::new(&sim, "b", other));
        let world = World { sim, fibre, a, b };
        world.settle();
        world
    }

    /// A connection, open at both sides.
    pub fn open(&self, params: &AtmVcParams) {
        self.a.bare.open(params).expect("there is room at a");
        self.b.bare.open(params).expect("there is room at b");
    }

    pub fn settle(&self) {
        assert_eq!(self.sim.run_until_idle(LONG), Ran::Idle);
    }

    pub fn run_for(&self, span: Duration) {
        assert_ne!(self.sim.run_for(span), Ran::Spinning);
    }

    pub fn finish(self) {
        self.a.adapter.remove(|| ());
        self.b.adapter.remove(|| ());
        self.settle();
        self.a.check_the_end();
        self.b.check_the_end();
    }
}

/// An SDU: a number, and octets that follow from it.
pub fn sdu(number: u32, octets: usize) -> Vec<u8> {
    (0..octets).map(|at| (number as usize * 31 + at * 7) as u8).collect()
}
