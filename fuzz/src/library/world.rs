//! The two worlds: a call manager over a miniport, and an MCM.

use std::sync::Arc;

use condis::adapter::AdapterControl;
use condis::af::Af;
use condis::driver::{LowerRole, ManagerRole, McmVc};
use condis::nbl::Chain;
use condis::node::Node;
use condis::params::AddressFamily;
use condis::role::{CallManager, Mcm, Miniport, Signaling};
use condis::status::NdisStatus;
use condis::status_ind::StatusIndication;
use condis::vc::{HeldVc, OwnedVc};

use super::bench::{Bench, Slot};
use super::drivers::{ManagerProtocol, TheMcm, TheMiniport};
use super::ends::{LowerEnd, ManagerEnd, SignalingEnd};

/// What differs between the two.
pub(super) trait World: ManagerRole {
    /// The driver of the adapter.
    type Lower: LowerRole;

    /// Adds the adapter and, if it is a miniport's, the call manager.
    fn start(node: &Node, bench: &Arc<Bench<Self>>) -> Result<AdapterControl, NdisStatus>;
    fn new_vc(bench: &Arc<Bench<Self>>, slot: usize) -> Self::NewVc;
    fn create(af: Af<'_, Self>, bench: &Arc<Bench<Self>>, slot: usize) -> Result<OwnedVc<Self>, NdisStatus>;
    /// A VC of the call manager's own. Nothing over an MCM: NDIS sees no such VC there.
    fn create_signaling(
        bench: &Arc<Bench<Self>>,
        slot: usize,
    ) -> Option<Result<OwnedVc<Signaling>, NdisStatus>>;
    fn register_family(bench: &Arc<Bench<Self>>, family: AddressFamily);
    /// The handle of the adapter's driver, once it has one.
    fn lower_of(slot: &Slot<Self>) -> Option<HeldVc<Self::Lower>>;
    fn indicate(vc: &HeldVc<Self::Lower>, chain: Chain);
    fn indicate_lent(vc: &HeldVc<Self::Lower>, chain: &mut Chain);
    fn indicate_status(vc: &HeldVc<Self::Lower>, status: StatusIndication);
}

impl World for CallManager {
    type Lower = Miniport;

    fn start(node: &Node, bench: &Arc<Bench<Self>>) -> Result<AdapterControl, NdisStatus> {
        node.register_protocol("manager", ManagerProtocol(bench.clone()));
        node.add_miniport("adapter", TheMiniport(bench.clone()))
    }

    fn new_vc(bench: &Arc<Bench<Self>>, slot: usize) -> Self::NewVc {
        Box::new(ManagerEnd(bench.clone(), slot))
    }

    fn create(af: Af<'_, Self>, bench: &Arc<Bench<Self>>, slot: usize) -> Result<OwnedVc<Self>, NdisStatus> {
        af.create_vc(Self::new_vc(bench, slot))
    }

    fn create_signaling(
        bench: &Arc<Bench<Self>>,
        slot: usize,
    ) -> Option<Result<OwnedVc<Signaling>, NdisStatus>> {
        let binding = bench.lock().manager_binding.clone()?;
        Some(binding.at().create_signaling_vc(Box::new(SignalingEnd(bench.clone()))))
            .inspect(|_| debug_assert!(slot < bench.lock().slots.len()))
    }

    fn register_family(bench: &Arc<Bench<Self>>, family: AddressFamily) {
        let binding = bench.lock().manager_binding.clone();
        if let Some(binding) = binding {
            let _ = binding.at().register_address_family(family);
        }
    }

    fn lower_of(slot: &Slot<Self>) -> Option<HeldVc<Miniport>> {
        slot.lower.clone()
    }

    fn indicate(vc: &HeldVc<Miniport>, chain: Chain) {
        vc.at().indicate_receive(chain);
    }

    fn indicate_lent(vc: &HeldVc<Miniport>, chain: &mut Chain) {
        vc.at().indicate_receive_lent(chain);
    }

    fn indicate_status(vc: &HeldVc<Miniport>, status: StatusIndication) {
        vc.at().indicate_status(status);
    }
}

impl World for Mcm {
    type Lower = Mcm;

    fn start(node: &Node, bench: &Arc<Bench<Self>>) -> Result<AdapterControl, NdisStatus> {
        node.add_mcm("adapter", TheMcm(bench.clone()))
    }

    fn new_vc(bench: &Arc<Bench<Self>>, slot: usize) -> Self::NewVc {
        McmVc {
            manager: Box::new(ManagerEnd(bench.clone(), slot)),
            data: Box::new(LowerEnd(bench.clone(), slot)),
        }
    }

    fn create(af: Af<'_, Self>, bench: &Arc<Bench<Self>>, slot: usize) -> Result<OwnedVc<Self>, NdisStatus> {
        let McmVc { manager, data } = Self::new_vc(bench, slot);
        af.create_vc(manager, data)
    }

    fn create_signaling(_: &Arc<Bench<Self>>, _: usize) -> Option<Result<OwnedVc<Signaling>, NdisStatus>> {
        None
    }

    fn register_family(bench: &Arc<Bench<Self>>, family: AddressFamily) {
        let adapter = bench.lock().adapter.clone();
        if let Some(adapter) = adapter {
            let _ = adapter.at().register_address_family(family);
        }
    }

    fn lower_of(slot: &Slot<Self>) -> Option<HeldVc<Mcm>> {
        slot.manager.clone()
    }

    fn indicate(vc: &HeldVc<Mcm>, chain: Chain) {
        vc.at().indicate_receive(chain);
    }

    fn indicate_lent(vc: &HeldVc<Mcm>, chain: &mut Chain) {
        vc.at().indicate_receive_lent(chain);
    }

    fn indicate_status(vc: &HeldVc<Mcm>, status: StatusIndication) {
        vc.at().indicate_status(status);
    }
}
