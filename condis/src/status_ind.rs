//! Status indications: what a miniport tells the protocols above it.

use std::sync::Arc;

use crate::names::Function as F;
use crate::status::NdisStatus;
use crate::vc::control::Life;
use crate::vc::upcall::{QUEUE_MAX, Upcall};
use crate::vc::{Side, Users, Vc, VcCore};

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

/// To the drivers that share the VC, each in its turn and with its own object (DP-191, DP-192). A VC that is gone has none.
pub(crate) fn to_vc(vc: &Arc<VcCore>, status: StatusIndication) {
    let status = Arc::new(status);
    let told = vc.transition(|ctl| {
        let live = ctl.control.life == Life::Live && ctl.queue_len(Side::User) < QUEUE_MAX;
        if live {
            if matches!(vc.users, Users::CallManager { .. }) {
                ctl.push(Upcall::Status(Side::Manager, status.clone()));
            }
            ctl.push(Upcall::Status(Side::User, status));
        }
        live
    });
    if !told {
        vc.report("DP-191", "a status was indicated on a VC that is gone, or too many wait for its client");
    }
}

/// Tells the driver on one side.
pub(crate) fn tell(vc: &Arc<VcCore>, side: Side, status: &StatusIndication) {
    vc.call(side, F::ProtocolCoStatusEx, || match (&vc.users, side) {
        (Users::CallManager { manager, .. }, Side::Manager) => manager.status(Vc::new(vc), status),
        (Users::CallManager { client, .. } | Users::Mcm { client, .. }, _) => {
            client.status(Vc::new(vc), status)
        }
        (Users::Signaling { user, .. }, _) => user.status(Vc::new(vc), status),
    });
}
