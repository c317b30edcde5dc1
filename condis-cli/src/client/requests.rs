//! What a client asks of its manager beside calls: permanent connections and addresses (OIDs).

use std::sync::Arc;

use condis::af::Af;
use condis::oid::{About, OidAnswer, code};
use condis::role::Client as ClientRole;
use condis::status::NdisStatus;
use condis::token::Outcome;
use condis_atm::driver::{Aal, AtmFlow, AtmPvc, addresses_of, get_addresses_request};
use condis_link::atm::VpVc;

use super::call::LabCall;
use super::driver::{AfStage, Mine, Shared};

/// Where a permanent connection stands with the manager.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PvcStage {
    Adding,
    Added,
    Deleting,
    Gone,
}

impl Shared {
    /// Asks for the addresses there are now, from outside of the upcall that tells of them.
    pub(super) fn ask_addresses(self: &Arc<Self>, af: Af<'_, ClientRole>) {
        let (client, af) = (self.clone(), af.keep());
        let ask = move || {
            let asked = af.at().oid_request(About::Af, get_addresses_request(ADDRESSES_MAX));
            if let Outcome::Done(answer) = asked {
                client.answered(&answer);
            }
        };
        self.runtime.defer(self.lane, Box::new(ask));
    }

    pub(super) fn add_pvcs(self: &Arc<Self>, af: Af<'_, ClientRole>, pvcs: Vec<VpVc>) {
        for vpvc in pvcs {
            let flow = AtmFlow::ubr(self.pool.config().data_size as u32);
            let pvc =
                AtmPvc { called: None, calling: None, vpvc, aal: Aal::Aal5, forward: flow, backward: flow };
            if let Outcome::Done(answer) = af.oid_request(About::Af, pvc.add_request()) {
                self.answered(&answer);
            }
        }
    }

    pub(super) fn delete_pvcs(self: &Arc<Self>, af: Af<'_, ClientRole>, pvcs: Vec<VpVc>) {
        for vpvc in pvcs {
            if let Outcome::Done(answer) = af.oid_request(About::Af, AtmPvc::delete_request(vpvc)) {
                self.answered(&answer);
            }
        }
    }

    /// A request to the manager is answered.
    pub(super) fn answered(self: &Arc<Self>, answer: &OidAnswer) {
        let Some(request) = &answer.request else { return };
        {
            let mut mine = self.lock();
            match request.oid {
                code::CO_ADD_PVC => match (AtmPvc::from_add(&request.buffer), answer.status) {
                    (Ok(pvc), NdisStatus::SUCCESS) => mine.set_pvc(pvc.vpvc, PvcStage::Added),
                    (pvc, status) => {
                        if let Ok(pvc) = pvc {
                            mine.set_pvc(pvc.vpvc, PvcStage::Gone);
                        }
                        mine.problem = Some(format!("a permanent connection could not be added: {status}"));
                    }
                },
                code::CO_DELETE_PVC => {
                    if let Ok(vpvc) = AtmPvc::from_delete(&request.buffer) {
                        mine.set_pvc(vpvc, PvcStage::Gone);
                    }
                }
                code::CO_GET_ADDRESSES => {
                    let addresses = addresses_of(request).unwrap_or_default();
                    mine.addressed = !addresses.is_empty();
                    drop(mine);
                    return self.ledger.addresses(&self.node, &self.plan.name, addresses);
                }
                _ => return,
            }
        }
        self.ledger.touch();
        self.answer_pvcs();
        self.wind_up();
    }

    /// Opens this end of the permanent connections on which it takes calls, once the manager knows them all.
    fn answer_pvcs(self: &Arc<Self>) {
        let (af, calls) = {
            let mut mine = self.lock();
            let all = mine.pvcs.iter().all(|(_, stage)| *stage == PvcStage::Added);
            let AfStage::Open(af) = &mine.af else { return };
            if !all || mine.answered || mine.stopping {
                return;
            }
            let af = af.clone();
            mine.answered = true;
            let mut calls = Vec::new();
            for vpvc in &self.plan.pvcs {
                mine.taken += 1;
                let call = LabCall::to_answer(self, *vpvc, mine.taken);
                mine.calls.insert(call.entry(), call.clone());
                calls.push(call);
            }
            (af, calls)
        };
        for call in calls {
            call.dial(af.at());
        }
    }
}

impl Mine {
    /// Those that the manager is to be told of.
    pub(super) fn add_pvcs(&mut self) -> Vec<VpVc> {
        self.pvcs.iter_mut().for_each(|(_, stage)| *stage = PvcStage::Adding);
        self.pvcs.iter().map(|(vpvc, _)| *vpvc).collect()
    }

    pub(super) fn set_pvc(&mut self, vpvc: VpVc, to: PvcStage) {
        if let Some((_, stage)) = self.pvcs.iter_mut().find(|(here, _)| *here == vpvc) {
            *stage = to;
        }
    }
}

/// Addresses that are asked for: more than one interface has.
const ADDRESSES_MAX: usize = 64;
