//! The floor under the send benches: F1.
//!
//! A batch goes down to a miniport and comes back to its client in four calls that are not inlined, two of them through a
//! vtable: client -> [`FloorVc::send`] -> miniport -> [`FloorVc::complete`] -> client. On the way there is one load of the
//! state, one count up and one count down a batch, and two walks of the list: one down (what is sent, and to which end), one
//! up (the status). Lists and pools are those of the library.
//!
//! What the library must add is left out on purpose: no octets or other statistics, no branch for a trace, no guard against
//! panics, no depth of nesting, no drain, and no look at which drivers a VC has.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use condis::nbl::Chain;
use condis::status::NdisStatus;

/// The client of a floor VC.
pub(crate) trait FloorClient: Send + Sync {
    fn send_complete(&self, vc: &FloorVc, chain: Chain);
}

/// The miniport below a floor VC.
pub(crate) trait FloorMiniport: Send + Sync {
    fn send(&self, vc: &FloorVc, chain: Chain);
}

/// What a batch needs of a VC, and behind it the room for what else a VC must remember, so that as many VCs take as much
/// memory as the library's.
pub(crate) struct FloorVc {
    state: AtomicU64,
    in_flight: AtomicU64,
    client: Box<dyn FloorClient>,
    miniport: Box<dyn FloorMiniport>,
    _rest: [u64; REST],
}

/// As many words as make an `Arc<FloorVc>` 176 octets, within the 192 that the library's VC may take.
const REST: usize = 14;

const OPEN: u64 = 1;

impl FloorVc {
    /// An open VC between these two.
    pub(crate) fn new(client: Box<dyn FloorClient>, miniport: Box<dyn FloorMiniport>) -> Arc<FloorVc> {
        Arc::new(FloorVc {
            state: AtomicU64::new(OPEN),
            in_flight: AtomicU64::new(0),
            client,
            miniport,
            _rest: [0; REST],
        })
    }

    #[inline(never)]
    pub(crate) fn send(&self, mut chain: Chain) {
        if self.state.load(Ordering::Acquire) != OPEN {
            return drop(chain);
        }
        let mut octets = 0;
        for nbl in chain.iter_mut() {
            nbl.set_status(NdisStatus::PENDING);
            octets += nbl.data_len();
        }
        black_box(octets);
        self.in_flight.fetch_add(chain.len() as u64, Ordering::AcqRel);
        self.miniport.send(self, chain);
    }

    #[inline(never)]
    pub(crate) fn complete(&self, mut chain: Chain, status: NdisStatus) {
        for nbl in chain.iter_mut() {
            nbl.set_status(status);
        }
        let nbls = chain.len() as u64;
        self.client.send_complete(self, chain);
        self.in_flight.fetch_sub(nbls, Ordering::AcqRel);
    }
}
