//! Status indications: what a miniport tells the protocols above it.

use std::sync::Arc;

use crate::names::Function as F;
use crate::status::NdisStatus;
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

/// To the drivers that share the VC, each with its own object (DP-191).
pub(crate) fn to_vc(vc: &Arc<VcCore>, status: StatusIndication) {
    let up = F::ProtocolCoStatusEx;
    match &vc.users {
        Users::CallManager { client, manager, .. } => {
            vc.call(Side::Manager, up, || manager.status(Vc::new(vc), &status));
            vc.call(Side::User, up, || client.status(Vc::new(vc), &status));
        }
        Users::Mcm { client, .. } => {
            vc.call(Side::User, up, || client.status(Vc::new(vc), &status));
        }
        Users::Signaling { user, .. } => {
            vc.call(Side::User, up, || user.status(Vc::new(vc), &status));
        }
    }
}
