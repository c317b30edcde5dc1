//! The drivers of the send floor: they do what those of the world do.

use std::hint::black_box;
use std::sync::Arc;

use condis::nbl::Chain;
use condis::status::NdisStatus;

use crate::floor_send::{FloorClient, FloorMiniport, FloorVc};
use crate::world::{HOME, Octets64};

impl FloorClient for Octets64 {
    fn send_complete(&self, _: &FloorVc, chain: Chain) {
        self.touch();
        HOME.set(chain);
    }
}

/// The miniport of the floors: completes at once.
#[derive(Default)]
pub(crate) struct FloorEnd([u64; 8]);

impl FloorMiniport for FloorEnd {
    fn send(&self, vc: &FloorVc, chain: Chain) {
        black_box(self.0[0]);
        vc.complete(chain, NdisStatus::SUCCESS);
    }
}

/// A VC of the floor.
pub(crate) fn floor_vc() -> Arc<FloorVc> {
    let client: Box<dyn FloorClient> = Box::new(Octets64::default());
    let miniport: Box<dyn FloorMiniport> = Box::new(FloorEnd::default());
    FloorVc::new(black_box(client), black_box(miniport))
}
