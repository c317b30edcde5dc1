//! The two worlds: a call manager over a miniport, and an MCM.

use std::sync::Arc;

use condis::adapter::AdapterControl;
use condis::af::Af;
use condis::driver::{LowerRole, ManagerRole, McmVc};
use condis::nbl::Chain;
use condis::node::Node;
use condis::params::CallParams;
use condis::role::Signaling;
use condis::role::{CallManager, Mcm, Miniport};
use condis::status::NdisStatus;
use condis::token::Outcome;
use condis::vc::{HeldVc, OwnedVc};

use super::adapter::{TestCallManager, TestMcm, TestMiniport};
use super::{Bench, ClientEnd, LowerEnd, ManagerEnd, Slot};

/// What differs between the two.
pub trait World: ManagerRole {
    /// The driver of the adapter.
    type Lower: LowerRole;
    const MCM: bool;

    /// Adds the adapter and, if it is a miniport's, the call manager.
    fn start(node: &Node, bench: &Arc<Bench<Self>>) -> Result<AdapterControl, NdisStatus>;
    fn new_vc(bench: &Arc<Bench<Self>>, slot: usize) -> Self::NewVc;
    fn create(af: Af<'_, Self>, bench: &Arc<Bench<Self>>, slot: usize) -> Result<OwnedVc<Self>, NdisStatus>;
    fn activate_vc(vc: &HeldVc<Self>, params: CallParams) -> NdisStatus;
    fn indicate(vc: &HeldVc<Self::Lower>, chain: Chain);
    fn indicate_lent(vc: &HeldVc<Self::Lower>, chain: &mut Chain);
    fn indicate_status(vc: &HeldVc<Self::Lower>, status: condis::status_ind::StatusIndication);
    fn receives_outstanding(vc: &HeldVc<Self::Lower>) -> u64;
    /// A VC of the call manager's own. Nothing over an MCM: NDIS sees no such VC there.
    fn create_signaling(
        bench: &Arc<Bench<Self>>,
        slot: usize,
    ) -> Option<Result<OwnedVc<Signaling>, NdisStatus>>;
    /// The handle of the adapter's driver, once it has one.
    fn lower_of(slot: &Slot<Self>) -> Option<HeldVc<Self::Lower>>;

    /// Activates a slot's VC from its manager's side.
    fn up(bench: &Arc<Bench<Self>>, slot: usize) -> NdisStatus {
        let vc = bench.slot(slot, |s| s.manager.clone()).expect("the manager knows the VC");
        Self::activate_vc(&vc, CallParams::default())
    }

    /// Deactivates it.
    fn down(bench: &Arc<Bench<Self>>, slot: usize) -> NdisStatus {
        let vc = bench.slot(slot, |s| s.manager.clone()).expect("the manager knows the VC");
        plain(&Self::deactivate(vc.at()))
    }
}

/// The status of a request without parameters.
pub fn plain(outcome: &Outcome<Result<(), NdisStatus>>) -> NdisStatus {
    match outcome {
        Outcome::Done(result) => NdisStatus::of(result),
        Outcome::Pending => NdisStatus::PENDING,
    }
}

impl World for CallManager {
    type Lower = Miniport;
    const MCM: bool = false;

    fn start(node: &Node, bench: &Arc<Bench<Self>>) -> Result<AdapterControl, NdisStatus> {
        node.register_protocol("manager", TestCallManager(bench.clone()));
        node.add_miniport("adapter", TestMiniport(bench.clone()))
    }

    fn new_vc(bench: &Arc<Bench<Self>>, slot: usize) -> Self::NewVc {
        Box::new(ManagerEnd(bench.clone(), slot))
    }

    fn create(af: Af<'_, Self>, bench: &Arc<Bench<Self>>, slot: usize) -> Result<OwnedVc<Self>, NdisStatus> {
        af.create_vc(Box::new(ManagerEnd(bench.clone(), slot)))
    }

    fn activate_vc(vc: &HeldVc<Self>, params: CallParams) -> NdisStatus {
        match vc.at().activate(params) {
            Outcome::Done(Ok(_)) => NdisStatus::SUCCESS,
            Outcome::Done(Err(refused)) => refused.status,
            Outcome::Pending => NdisStatus::PENDING,
        }
    }

    fn indicate(vc: &HeldVc<Miniport>, chain: Chain) {
        vc.at().indicate_receive(chain);
    }

    fn indicate_lent(vc: &HeldVc<Miniport>, chain: &mut Chain) {
        vc.at().indicate_receive_lent(chain);
    }

    fn indicate_status(vc: &HeldVc<Miniport>, status: condis::status_ind::StatusIndication) {
        vc.at().indicate_status(status);
    }

    fn lower_of(slot: &Slot<Self>) -> Option<HeldVc<Miniport>> {
        slot.lower.clone()
    }

    fn create_signaling(
        bench: &Arc<Bench<Self>>,
        slot: usize,
    ) -> Option<Result<OwnedVc<Signaling>, NdisStatus>> {
        let binding = bench.lock().manager_binding.clone()?;
        Some(binding.at().create_signaling_vc(Box::new(ClientEnd(bench.clone(), slot))))
    }

    fn receives_outstanding(vc: &HeldVc<Miniport>) -> u64 {
        vc.at().receives_outstanding()
    }
}

impl World for Mcm {
    type Lower = Mcm;
    const MCM: bool = true;

    fn start(node: &Node, bench: &Arc<Bench<Self>>) -> Result<AdapterControl, NdisStatus> {
        node.add_mcm("adapter", TestMcm(bench.clone()))
    }

    fn new_vc(bench: &Arc<Bench<Self>>, slot: usize) -> Self::NewVc {
        McmVc {
            manager: Box::new(ManagerEnd(bench.clone(), slot)),
            data: Box::new(LowerEnd(bench.clone(), slot)),
        }
    }

    fn create(af: Af<'_, Self>, bench: &Arc<Bench<Self>>, slot: usize) -> Result<OwnedVc<Self>, NdisStatus> {
        af.create_vc(Box::new(ManagerEnd(bench.clone(), slot)), Box::new(LowerEnd(bench.clone(), slot)))
    }

    fn activate_vc(vc: &HeldVc<Self>, params: CallParams) -> NdisStatus {
        NdisStatus::of(&vc.at().activate(&params))
    }

    fn indicate(vc: &HeldVc<Mcm>, chain: Chain) {
        vc.at().indicate_receive(chain);
    }

    fn indicate_lent(vc: &HeldVc<Mcm>, chain: &mut Chain) {
        vc.at().indicate_receive_lent(chain);
    }

    fn indicate_status(vc: &HeldVc<Mcm>, status: condis::status_ind::StatusIndication) {
        vc.at().indicate_status(status);
    }

    fn lower_of(slot: &Slot<Self>) -> Option<HeldVc<Mcm>> {
        slot.manager.clone()
    }

    fn create_signaling(_: &Arc<Bench<Self>>, _: usize) -> Option<Result<OwnedVc<Signaling>, NdisStatus>> {
        None
    }

    fn receives_outstanding(vc: &HeldVc<Mcm>) -> u64 {
        vc.at().receives_outstanding()
    }
}
