//! Status indications: what a miniport tells the protocols above it.

use std::sync::Arc;

use crate::af::Provider;
use crate::binding::BindingCore;
use crate::names::Function as F;
use crate::status::NdisStatus;
use crate::vc::control::Life;
use crate::vc::upcall::{QUEUE_MAX, Upcall};
use crate::vc::{Owner, Side, Users, Vc, VcCore};

/// What a miniport tells. NDIS does not interpret it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[doc(alias = "NDIS_STATUS_INDICATION")]
pub struct StatusIndication {
    /// The code, such as [`NdisStatus::LINK_STATE`].
    pub code: NdisStatus,
    /// Its data.
    pub buffer: Vec<u8>,
    /// If it answers an OID request that returned INDICATION_REQUIRED, the request's id: then only the binding that asked
    /// hears it (DP-194).
    pub request_id: u64,
}

impl StatusIndication {
    /// A status with data.
    pub fn new(code: NdisStatus, buffer: impl Into<Vec<u8>>) -> StatusIndication {
        StatusIndication { code, buffer: buffer.into(), request_id: 0 }
    }
}

/// To the drivers that share the VC, each with its own object (DP-191), in turn with what else is told to their bindings
/// (DP-192) and with the other upcalls of the VC, so that none comes after its deletion.
pub(crate) fn to_vc(vc: &Arc<VcCore>, status: StatusIndication) {
    if !vc.is_live() {
        return vc.report("DP-191", "a status was indicated on a VC that is gone");
    }
    let status = Arc::new(status);
    if let Owner::Af(af) = vc.owner()
        && let Provider::CallManager(binding) = &af.provider
    {
        tell_in_turn(binding, vc, Side::Manager, status.clone());
    }
    tell_in_turn(vc.binding(), vc, Side::User, status);
}

fn tell_in_turn(binding: &Arc<BindingCore>, vc: &Arc<VcCore>, side: Side, status: Arc<StatusIndication>) {
    let vc = vc.clone();
    binding.tell(Box::new(move || {
        let now = {
            let mut ctl = vc.lock();
            if ctl.control.life != Life::Live {
                return;
            }
            if ctl.queue_len(side) >= QUEUE_MAX {
                drop(ctl);
                return vc.report("DP-191", "too many statuses wait for a driver; this one is not told");
            }
            let now = ctl.claim(side);
            if !now {
                ctl.push(Upcall::Status(side, status.clone()));
            }
            now
        };
        if now {
            tell(&vc, side, &status);
            vc.release(side);
        } else {
            vc.pump();
        }
    }));
}

/// Tells the driver on one side. Its turn has come.
pub(crate) fn tell(vc: &Arc<VcCore>, side: Side, status: &StatusIndication) {
    vc.call(side, F::ProtocolCoStatusEx, || match (&vc.users, side) {
        (Users::CallManager { manager, .. }, Side::Manager) => manager.status(Vc::new(vc), status),
        (Users::CallManager { client, .. } | Users::Mcm { client, .. }, _) => {
            client.status(Vc::new(vc), status);
        }
        (Users::Signaling { user, .. }, _) => user.status(Vc::new(vc), status),
    });
}
