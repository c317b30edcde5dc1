//! Aim: who shuts a node down is told once all of it is down, and no earlier. Method: adapters whose driver answers its pause
//! when the test says so, on simulated time.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use condis::adapter::Adapter;
use condis::driver::{
    AdapterAttributes, AdapterLife, HaltAction, Medium, MiniportAdapter, MiniportDriver, MiniportVc,
};
use condis::node::Node;
use condis::oid::{Oid, OidAnswer, OidRequest};
use condis::role::Miniport;
use condis::runtime::{Ran, Sim};
use condis::status::NdisStatus;
use condis::token::{Answer, Pause, Pended, Token};
use condis::trace::VcId;
use condis::vc::Vc;

/// The pauses that are not answered, and how many adapters were halted.
#[derive(Clone, Default)]
struct Slow {
    pauses: Arc<Mutex<Vec<Pended<Pause>>>>,
    halted: Arc<AtomicUsize>,
}

impl MiniportDriver for Slow {
    fn initialize(&self, _: &str) -> Result<(AdapterAttributes, Box<dyn MiniportAdapter>), NdisStatus> {
        Ok((AdapterAttributes::new(Medium::Ethernet, 1500), Box::new(self.clone())))
    }
}

impl AdapterLife<Miniport> for Slow {
    fn pause<'a>(&self, _: Adapter<'_, Miniport>, token: Token<'a, Pause>) -> Answer<'a, Pause> {
        let (pause, answer) = token.pend();
        self.pauses.lock().unwrap().push(pause);
        answer
    }

    fn halt(&self, _: HaltAction) {
        self.halted.fetch_add(1, SeqCst);
    }

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

impl MiniportAdapter for Slow {
    fn create_vc(&self, _: VcId) -> Result<Box<dyn MiniportVc>, NdisStatus> {
        Err(NdisStatus::NOT_SUPPORTED)
    }
}

/// DP-065 and DP-066: each adapter is paused, which takes as long as its driver takes, and then halted.
#[test]
fn a_node_is_down_once_its_last_adapter_is() {
    for count in 0..3 {
        let sim = Sim::new(1);
        let (driver, node, told) =
            (Slow::default(), Node::new("node", sim.clone()), Arc::<AtomicUsize>::default());
        for adapter in 0..count {
            node.add_miniport(&format!("eth{adapter}"), driver.clone()).expect("it initializes");
        }
        assert_eq!(sim.run_until_idle(IDLE), Ran::Idle);
        let tell = told.clone();
        node.shutdown(move || {
            tell.fetch_add(1, SeqCst);
        });
        assert_eq!(sim.run_until_idle(IDLE), Ran::Idle);
        for answered in 0..count {
            assert_eq!((told.load(SeqCst), driver.halted.load(SeqCst)), (0, answered), "of {count}");
            driver.pauses.lock().unwrap().pop().expect("each was asked to pause").complete(());
            assert_eq!(sim.run_until_idle(IDLE), Ran::Idle);
        }
        assert_eq!((told.load(SeqCst), driver.halted.load(SeqCst)), (1, count), "of {count}");
    }
}

const IDLE: std::time::Duration = std::time::Duration::from_secs(60);
