//! The operations on a VC that may pend, and what their answers do to it.

use std::sync::Arc;

use super::control::{Call, MakeEnd};
use super::upcall::Upcall;
use super::{STAND_IN_REFUSED, Side, VcCore, WRITTEN_OFF};
use crate::driver::{Connected, Made};
use crate::names::Function;
use crate::params::CallParams;
use crate::party::HeldParty;
use crate::status::NdisStatus;
use crate::token::sealed::Op;
use crate::token::{How, Refused};
use std::sync::atomic::Ordering::SeqCst;

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $($(#[$doc])* #[derive(Debug)] pub enum $name {})*
    };
}

operations! {
    /// `ProtocolCmMakeCall`, answered with [`Made`] or a refusal.
    MakeCall;
    /// `ProtocolCmCloseCall`.
    CloseCall;
    /// `ProtocolClIncomingCall`, answered with the parameters to accept, or a refusal.
    IncomingCall;
    /// `ProtocolCmModifyCallQoS`, answered with the parameters in force.
    ModifyCallQos;
    /// `MiniportCoActivateVc`, answered with the parameters in use.
    Activate;
    /// `MiniportCoDeactivateVc`.
    Deactivate;
}

impl Op for MakeCall {
    type Obj = VcCore;
    type Key = ();
    type Answer = Result<Made, Refused>;
    type Reply = Result<Connected, Refused>;
    const CALLBACK: Function = Function::ProtocolCmMakeCall;

    fn lost() -> Self::Answer {
        Err(NdisStatus::FAILURE.into())
    }

    fn settle(vc: &Arc<VcCore>, (): (), answer: Self::Answer, how: How) -> Option<Self::Reply> {
        if how == How::Late {
            vc.cross_completion(Function::NdisCmMakeCallComplete, Function::NdisMCmMakeCallComplete);
        }
        let mut party_without_object = false;
        // A party's objects are its drivers': they are dropped outside of the lock.
        let mut refused_parties = Vec::new();
        let (mut answer, mut refused_object) = (Some(answer), None);
        let reply = vc.transition(|ctl| {
            if !ctl.control.owes_make() {
                return (None, false);
            }
            let Some(answer) = answer.take() else { return (None, false) };
            let end = ctl.control.end_make(answer.is_ok());
            let party = ctl.rare.as_ref().and_then(|rare| rare.parties.first().cloned());
            let result = match (end, answer) {
                (MakeEnd::Connected, Ok(made)) => {
                    let party = match party {
                        Some(party) => {
                            party_without_object = !party.connect(made.party);
                            Some(HeldParty::new(party))
                        }
                        None => {
                            refused_object = made.party;
                            None
                        }
                    };
                    Ok(Connected { params: made.params, party })
                }
                (_, Ok(made)) => {
                    refused_object = made.party;
                    Err(Refused::with(NdisStatus::FAILURE, made.params))
                }
                (_, Err(refused)) => Err(refused),
            };
            if result.is_err()
                && let Some(rare) = &mut ctl.rare
            {
                refused_parties = std::mem::take(&mut rare.parties);
                refused_parties.iter().for_each(|party| party.gone());
            }
            let no_path = end == MakeEnd::NoPath;
            if how == How::Returned && !matches!(ctl.control.call, Call::Closing(_)) {
                (Some(result), no_path)
            } else {
                ctl.push(Upcall::MakeCallComplete(result));
                (None, no_path)
            }
        });
        drop(refused_object);
        if reply.1 {
            vc.report(
                "X-45",
                "a make-call was completed with SUCCESS on an inactive VC; the client hears FAILURE",
            );
        }
        if party_without_object {
            vc.report("CO-166", "a multipoint call was completed without an object for its party");
        }
        reply.0
    }

    fn holder(vc: &VcCore, (): ()) -> String {
        vc.driver(Side::Manager).to_string()
    }
}

impl Op for CloseCall {
    type Obj = VcCore;
    type Key = ();
    type Answer = Result<(), NdisStatus>;
    type Reply = Result<(), NdisStatus>;
    const CALLBACK: Function = Function::ProtocolCmCloseCall;

    fn lost() -> Self::Answer {
        Err(NdisStatus::FAILURE)
    }

    fn settle(vc: &Arc<VcCore>, (): (), answer: Self::Answer, how: How) -> Option<Self::Reply> {
        if how == How::Late {
            vc.cross_completion(Function::NdisCmCloseCallComplete, Function::NdisMCmCloseCallComplete);
        }
        // A manager whose object is lost cannot refuse: NDIS answers for it.
        let answer = if vc.lost(Side::Manager) { Ok(()) } else { answer };
        let mut parties = None;
        vc.transition(|ctl| {
            if !ctl.control.owes_close() {
                return None;
            }
            if answer.is_err() && vc.lost(Side::User) {
                vc.lost.fetch_or(STAND_IN_REFUSED, SeqCst);
            }
            ctl.control.end_close(answer.is_ok());
            match (answer, how) {
                (Err(status), How::Returned) => Some(Err(status)),
                (Err(status), How::Late | How::Deferred) => {
                    ctl.push(Upcall::CloseCallComplete(Err(status), Vec::new()));
                    None
                }
                (Ok(()), How::Returned) => {
                    // Nobody may be told of this call after its end: what is still queued goes first.
                    if ctl.queue_empty(Side::Manager) && ctl.queue_empty(Side::User) && ctl.idle(Side::Lower)
                    {
                        parties = ctl.finish_close(vc.is_drained());
                    }
                    parties.is_some().then_some(Ok(()))
                }
                // The end of the transition sees whether the close is finished.
                (Ok(()), How::Late | How::Deferred) => None,
            }
        })
    }

    fn holder(vc: &VcCore, (): ()) -> String {
        vc.driver(Side::Manager).to_string()
    }
}

impl Op for IncomingCall {
    type Obj = VcCore;
    type Key = ();
    type Answer = Result<CallParams, Refused>;
    type Reply = Result<CallParams, Refused>;
    const CALLBACK: Function = Function::ProtocolClIncomingCall;

    fn lost() -> Self::Answer {
        Err(NdisStatus::FAILURE.into())
    }

    fn settle(vc: &Arc<VcCore>, (): (), answer: Self::Answer, how: How) -> Option<Self::Reply> {
        if how == How::Late {
            vc.cross(Side::User, crate::trace::Way::Down, Function::NdisClIncomingCallComplete);
        }
        let mut offered_on = None;
        vc.transition(|ctl| {
            if !ctl.control.owes_answer() {
                return None;
            }
            // Perhaps the last hold on the SAP, whose objects are its drivers': dropped outside of the lock.
            offered_on = ctl.rare.as_mut().and_then(|rare| rare.offered_on.take());
            let accepted = ctl.control.end_offer(answer.is_ok());
            let verdict = match answer {
                Ok(params) if accepted => Ok(params),
                Ok(params) => Err(Refused::with(NdisStatus::FAILURE, params)),
                Err(refused) => Err(refused),
            };
            if how == How::Returned {
                return Some(verdict);
            }
            ctl.push(Upcall::IncomingCallComplete(verdict));
            None
        })
    }

    fn holder(vc: &VcCore, (): ()) -> String {
        vc.driver(Side::User).to_string()
    }
}

impl Op for ModifyCallQos {
    type Obj = VcCore;
    type Key = ();
    type Answer = Result<CallParams, Refused>;
    type Reply = Result<CallParams, Refused>;
    const CALLBACK: Function = Function::ProtocolCmModifyCallQoS;

    fn lost() -> Self::Answer {
        Err(NdisStatus::FAILURE.into())
    }

    fn settle(vc: &Arc<VcCore>, (): (), answer: Self::Answer, how: How) -> Option<Self::Reply> {
        if how == How::Late {
            vc.cross_completion(
                Function::NdisCmModifyCallQoSComplete,
                Function::NdisMCmModifyCallQoSComplete,
            );
        }
        vc.transition(|ctl| {
            if !std::mem::take(&mut ctl.control.qos) {
                return None;
            }
            if how == How::Returned {
                return Some(answer);
            }
            ctl.push(Upcall::ModifyQosComplete(answer));
            None
        })
    }

    fn holder(vc: &VcCore, (): ()) -> String {
        vc.driver(Side::Manager).to_string()
    }
}

impl Op for Activate {
    type Obj = VcCore;
    type Key = ();
    type Answer = Result<CallParams, Refused>;
    type Reply = Result<CallParams, Refused>;
    const CALLBACK: Function = Function::MiniportCoActivateVc;

    fn lost() -> Self::Answer {
        Err(NdisStatus::FAILURE.into())
    }

    fn settle(vc: &Arc<VcCore>, (): (), answer: Self::Answer, how: How) -> Option<Self::Reply> {
        if how == How::Late {
            vc.cross(Side::Lower, crate::trace::Way::Down, Function::NdisMCoActivateVcComplete);
        }
        vc.transition(|ctl| {
            if !ctl.control.owes_activation() {
                return None;
            }
            ctl.control.end_activate(answer.is_ok());
            if how == How::Returned {
                return Some(answer);
            }
            ctl.push(Upcall::ActivateComplete(answer));
            None
        })
    }

    fn holder(vc: &VcCore, (): ()) -> String {
        vc.driver(Side::Lower).to_string()
    }
}

impl Op for Deactivate {
    type Obj = VcCore;
    type Key = ();
    /// A status other than SUCCESS leaves the VC inactive all the same (DP-111).
    type Answer = Result<(), NdisStatus>;
    type Reply = Result<(), NdisStatus>;
    const CALLBACK: Function = Function::MiniportCoDeactivateVc;

    fn lost() -> Self::Answer {
        Err(NdisStatus::FAILURE)
    }

    fn settle(vc: &Arc<VcCore>, (): (), answer: Self::Answer, how: How) -> Option<Self::Reply> {
        if how == How::Late {
            vc.cross(Side::Lower, crate::trace::Way::Down, Function::NdisMCoDeactivateVcComplete);
        }
        let mut lost = 0;
        let reply = vc.transition(|ctl| {
            if vc.lost(Side::Lower) && vc.lost.fetch_or(WRITTEN_OFF, SeqCst) & WRITTEN_OFF == 0 {
                lost = vc.tx.write_off();
            }
            // What is in flight now may be on its way to the sender already; what is completed later is the miniport's.
            vc.tx.end();
            // NBLs that are still out hold the deactivation back; the last one that comes back completes it.
            if !ctl.control.end_deactivate(vc.is_drained()) {
                return None;
            }
            if how == How::Returned {
                return Some(answer);
            }
            ctl.push(Upcall::DeactivateComplete(answer));
            None
        });
        if lost > 0 {
            vc.report("DP-110", format!("{lost} sends were lost with a miniport object that panicked"));
        }
        reply
    }

    fn holder(vc: &VcCore, (): ()) -> String {
        vc.driver(Side::Lower).to_string()
    }
}

impl VcCore {
    /// Traces a completion by the (M)CM.
    pub(crate) fn cross_completion(&self, cm: Function, mcm: Function) {
        self.cross(Side::Manager, crate::trace::Way::Down, self.named(cm, mcm));
    }

    /// The last NBL of a shut direction came back.
    #[cold]
    pub(crate) fn drained(self: &Arc<Self>) {
        let pause_over = self.transition(|ctl| {
            if !self.is_drained() {
                return false;
            }
            if ctl.control.drained() {
                ctl.push(Upcall::DeactivateComplete(Ok(())));
            }
            std::mem::take(&mut ctl.pause_waits)
        });
        if pause_over {
            crate::token::Object::adapter(&**self).vc_paused();
        }
    }
}
