//! Status indications: what a miniport tells the protocols above it.

use std::sync::Arc;

use crate::af::Provider;
use crate::binding::BindingCore;
use crate::names::Function as F;
use crate::status::NdisStatus;
use crate::vc::control::Life;
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

/// To the drivers that share the VC, each with its own object (DP-191), in turn with what else is told to their bindings.
pub(crate) fn to_vc(vc: &Arc<VcCore>, status: StatusIndication) {
    if let Owner::Af(af) = &vc.owner
        && let Provider::CallManager(binding) = &af.provider
    {
        tell(binding, vc, Side::Manager, status.clone());
    }
    tell(vc.binding(), vc, Side::User, status);
}

fn tell(binding: &Arc<BindingCore>, vc: &Arc<VcCore>, side: Side, status: StatusIndication) {
    let vc = vc.clone();
    binding.tell(Box::new(move || {
        if vc.lock().control.life != Life::Live {
            return;
        }
        let (handle, status) = (&vc, &status);
        vc.call(side, F::ProtocolCoStatusEx, || match (&vc.users, side) {
            (Users::CallManager { manager, .. }, Side::Manager) => manager.status(Vc::new(handle), status),
            (Users::CallManager { client, .. } | Users::Mcm { client, .. }, _) => {
                client.status(Vc::new(handle), status);
            }
            (Users::Signaling { user, .. }, _) => user.status(Vc::new(handle), status),
        });
    }));
}
