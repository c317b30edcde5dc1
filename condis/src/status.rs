//! The status codes of NDIS.

use std::fmt;

/// A documented NDIS status.
///
/// There is no conversion that takes a status for "good" by its severity: `NOT_ACCEPTED` and `NOT_RECOGNIZED` are refusals
/// whose severity bits say success. Compare with [`NdisStatus::SUCCESS`] (CO-214).
///
/// Values: public headers (`ndis.h`, `ntstatus.h`), listed in `docs/reference/condis-datapath.md` section 2.1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "NDIS_STATUS")]
pub struct NdisStatus(pub u32);

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl NdisStatus {
            $($(#[$doc])* pub const $name: NdisStatus = NdisStatus($value);)*

            /// The documented name without its prefix, if this is a documented value.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

statuses! {
    /// Done; for a remote close or drop: the remote asked for it.
    SUCCESS = 0x0000_0000;
    /// A completion will follow. Never a final status.
    PENDING = 0x0000_0103;
    /// OID request not known. A refusal with success severity.
    NOT_RECOGNIZED = 0x0001_0001;
    /// Legacy.
    NOT_COPIED = 0x0001_0002;
    /// A good handle in a state that does not allow the call. A refusal with success severity.
    NOT_ACCEPTED = 0x0001_0003;
    /// In the header only.
    CALL_ACTIVE = 0x0001_0007;
    /// Indicated by NDIS before an adapter is reset.
    RESET_START = 0x4001_0004;
    /// Indicated by NDIS after an adapter was reset.
    RESET_END = 0x4001_0005;
    /// Custom status of a medium.
    MEDIA_SPECIFIC_INDICATION = 0x4001_0012;
    /// Per VC: a partial packet was received.
    WAN_CO_FRAGMENT = 0x4001_0015;
    /// Per VC: the link parameters of a WAN VC.
    WAN_CO_LINKPARAMS = 0x4001_0016;
    /// The state of the link changed.
    LINK_STATE = 0x4001_0017;
    /// Per VC: the link parameters of a WAN VC with its MTU.
    WAN_CO_MTULINKPARAMS = 0x4001_0025;
    /// An OID request finishes through a status indication.
    INDICATION_REQUIRED = 0x4023_0001;
    /// The buffer was too small for all of the data.
    BUFFER_OVERFLOW = 0x8000_0005;
    /// The adapter cannot be reset.
    NOT_RESETTABLE = 0x8001_0001;
    /// The reset met errors that can be recovered from.
    SOFT_ERRORS = 0x8001_0003;
    /// The reset met errors that cannot be recovered from.
    HARD_ERRORS = 0x8001_0004;
    /// Unspecific failure; a bad, stale or foreign handle; an AF or SAP that is closing.
    FAILURE = 0xC000_0001;
    /// An argument was wrong.
    INVALID_PARAMETER = 0xC000_000D;
    /// An allocation failed or a limit was reached.
    RESOURCES = 0xC000_009A;
    /// A feature that this driver does not offer; the answer of placeholder entry points.
    NOT_SUPPORTED = 0xC000_00BB;
    /// The object is in a state that does not allow the request.
    INVALID_STATE = 0xC000_0184;
    /// The very thing asked for, or its opposite, is already under way.
    CLOSING = 0xC001_0002;
    /// Registration with an unknown version.
    BAD_VERSION = 0xC001_0004;
    /// Registration with malformed characteristics.
    BAD_CHARACTERISTICS = 0xC001_0005;
    /// No adapter of this name.
    ADAPTER_NOT_FOUND = 0xC001_0006;
    /// The adapter could not be opened.
    OPEN_FAILED = 0xC001_0007;
    /// The device failed.
    DEVICE_FAILED = 0xC001_0008;
    /// An OID request was stopped by a reset or a cancel.
    REQUEST_ABORTED = 0xC001_000C;
    /// A reset is under way.
    RESET_IN_PROGRESS = 0xC001_000D;
    /// An OID request while a close runs.
    CLOSING_INDICATING = 0xC001_000E;
    /// The adapter is not ready.
    ADAPTER_NOT_READY = 0xC001_0011;
    /// The length of an OID buffer is wrong.
    INVALID_LENGTH = 0xC001_0014;
    /// Call parameters, SAP or close data are not acceptable.
    INVALID_DATA = 0xC001_0015;
    /// A buffer is too small.
    BUFFER_TOO_SHORT = 0xC001_0016;
    /// The target does not know the OID.
    INVALID_OID = 0xC001_0017;
    /// The adapter was removed.
    ADAPTER_REMOVED = 0xC001_0018;
    /// The adapter's medium is not one the protocol can use.
    UNSUPPORTED_MEDIA = 0xC001_0019;
    /// A malformed SAP.
    INVALID_SAP = 0xC001_0020;
    /// The SAP is taken.
    SAP_IN_USE = 0xC001_0021;
    /// An address is not valid.
    INVALID_ADDRESS = 0xC001_0022;
    /// A send on a VC that is not active.
    VC_NOT_ACTIVATED = 0xC001_0023;
    /// The destination is out of order.
    DEST_OUT_OF_ORDER = 0xC001_0024;
    /// No VC is to be had.
    VC_NOT_AVAILABLE = 0xC001_0025;
    /// The cell rate is not to be had.
    CELLRATE_NOT_AVAILABLE = 0xC001_0026;
    /// The quality of service is not to be had. The spelling is the header's.
    INCOMPATABLE_QOS = 0xC001_0027;
    /// The AAL parameters are not supported.
    AAL_PARAMS_UNSUPPORTED = 0xC001_0028;
    /// No route leads to the destination.
    NO_ROUTE_TO_DESTINATION = 0xC001_0029;
    /// A send was taken back.
    SEND_ABORTED = 0xC023_000C;
    /// The medium is disconnected.
    MEDIA_DISCONNECTED = 0xC023_001F;
    /// A send was refused because the binding or the adapter is paused.
    PAUSED = 0xC023_002A;
    /// The adapter is in a low-power state.
    LOW_POWER_STATE = 0xC023_002F;
}

impl NdisStatus {
    /// `Ok` for [`NdisStatus::SUCCESS`] and `Err` for every other status.
    pub const fn ok(self) -> Result<(), NdisStatus> {
        match self {
            NdisStatus::SUCCESS => Ok(()),
            other => Err(other),
        }
    }

    /// The status of a result.
    pub const fn of(result: &Result<(), NdisStatus>) -> NdisStatus {
        match result {
            Ok(()) => NdisStatus::SUCCESS,
            Err(status) => *status,
        }
    }
}

impl fmt::Display for NdisStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "status {:#010x}", self.0),
        }
    }
}

impl fmt::Debug for NdisStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for NdisStatus {}

#[cfg(test)]
mod tests {
    use super::*;

    /// CO-214: refusals that a test of the severity would take for success are no success here.
    #[test]
    fn refusals_with_success_severity_are_errors() {
        for refusal in [NdisStatus::NOT_ACCEPTED, NdisStatus::NOT_RECOGNIZED] {
            assert!(refusal.0 >> 30 == 0, "the severity bits of {refusal} say success");
            assert_eq!(refusal.ok(), Err(refusal));
        }
        assert_eq!(NdisStatus::SUCCESS.ok(), Ok(()));
    }

    #[test]
    fn an_unknown_status_keeps_its_number() {
        assert_eq!(NdisStatus(0xDEAD_BEEF).to_string(), "status 0xdeadbeef");
        assert_eq!(NdisStatus::VC_NOT_ACTIVATED.to_string(), "VC_NOT_ACTIVATED");
    }
}
