//! Causes of Q.2931 as NDIS statuses, and back: each mapping is one total function.

use condis::status::NdisStatus;

use crate::q2931::call::RequestError;
use crate::q2931::wire::{Cause, CauseValue, Version};

/// What a client hears of a call that is over.
///
/// | causes | status |
/// |---|---|
/// | 16, 31: the other end closed | SUCCESS |
/// | 1, 14, 22, 28: the number | INVALID_ADDRESS |
/// | 2, 3, 25, 91: no way there | NO_ROUTE_TO_DESTINATION |
/// | 18, 19, 20, 27, 38, 102: nobody answers | DEST_OUT_OF_ORDER |
/// | 6, 10, 17, 34, 35, 36, 44, 45, 82: busy, or no virtual connection | VC_NOT_AVAILABLE |
/// | 37: the rate (UNI 3.1); 51 in UNI 3.0 | CELLRATE_NOT_AVAILABLE |
/// | 49, 73: the quality of service | INCOMPATABLE_QOS |
/// | 78, 93: the adaptation layer | AAL_PARAMS_UNSUPPORTED |
/// | 32, 42, 47, 92: no room | RESOURCES |
/// | 50 to 70, 79, 87, 88: what is asked for is not offered | NOT_SUPPORTED |
/// | 95 to 101, 103 to 111: the peer understood nothing | INVALID_DATA |
/// | all others, 21 and 41 among them | FAILURE |
pub(super) fn of_cause(value: CauseValue) -> NdisStatus {
    match value.0 {
        16 | 31 => NdisStatus::SUCCESS,
        1 | 14 | 22 | 28 => NdisStatus::INVALID_ADDRESS,
        2 | 3 | 25 | 91 => NdisStatus::NO_ROUTE_TO_DESTINATION,
        18 | 19 | 20 | 27 | 38 | 102 => NdisStatus::DEST_OUT_OF_ORDER,
        6 | 10 | 17 | 34 | 35 | 36 | 44 | 45 | 82 => NdisStatus::VC_NOT_AVAILABLE,
        37 | 51 => NdisStatus::CELLRATE_NOT_AVAILABLE,
        49 | 73 => NdisStatus::INCOMPATABLE_QOS,
        78 | 93 => NdisStatus::AAL_PARAMS_UNSUPPORTED,
        32 | 42 | 47 | 92 => NdisStatus::RESOURCES,
        50 | 52..=70 | 79 | 87 | 88 => NdisStatus::NOT_SUPPORTED,
        95..=101 | 103..=111 => NdisStatus::INVALID_DATA,
        _ => NdisStatus::FAILURE,
    }
}

/// The same for the first of several causes; without one it is a normal close.
pub(super) fn of_causes(causes: &[Cause]) -> NdisStatus {
    causes.first().map_or(NdisStatus::SUCCESS, |cause| of_cause(cause.value))
}

/// What a client hears of a call that never came up: a close that is normal is none.
pub(super) fn of_failed(causes: &[Cause]) -> NdisStatus {
    match of_causes(causes) {
        NdisStatus::SUCCESS => NdisStatus::FAILURE,
        failure => failure,
    }
}

/// What a peer is told when a client, or a driver, refuses a call or ends it: a status of the table above is the first cause of
/// its row, and every other "call rejected".
pub(super) fn cause_of(status: NdisStatus, version: Version) -> Cause {
    let value = match status {
        NdisStatus::SUCCESS | NdisStatus::REQUEST_ABORTED | NdisStatus::CLOSING => {
            CauseValue::NORMAL_CLEARING
        }
        NdisStatus::INVALID_ADDRESS => CauseValue::UNALLOCATED_NUMBER,
        NdisStatus::NO_ROUTE_TO_DESTINATION => CauseValue::NO_ROUTE_TO_DESTINATION,
        NdisStatus::DEST_OUT_OF_ORDER | NdisStatus::MEDIA_DISCONNECTED => {
            CauseValue::DESTINATION_OUT_OF_ORDER
        }
        NdisStatus::VC_NOT_AVAILABLE => CauseValue::NO_VPCI_VCI_AVAILABLE,
        NdisStatus::CELLRATE_NOT_AVAILABLE if version == Version::Uni30 => CauseValue(51),
        NdisStatus::CELLRATE_NOT_AVAILABLE => CauseValue::CELL_RATE_NOT_AVAILABLE,
        NdisStatus::INCOMPATABLE_QOS => CauseValue::QOS_UNAVAILABLE,
        NdisStatus::AAL_PARAMS_UNSUPPORTED => CauseValue::AAL_NOT_SUPPORTED,
        NdisStatus::RESOURCES => CauseValue::RESOURCES_UNAVAILABLE,
        NdisStatus::INVALID_SAP | NdisStatus::NOT_SUPPORTED => CauseValue::INCOMPATIBLE_DESTINATION,
        _ => CauseValue::CALL_REJECTED,
    };
    Cause::user(value)
}

/// What a client hears of a request that signaling refuses at once.
pub(super) fn of_request(why: &RequestError) -> NdisStatus {
    match why {
        RequestError::SignalingDown => NdisStatus::DEST_OUT_OF_ORDER,
        RequestError::TooManyCalls { .. } | RequestError::TooManyParties { .. } => NdisStatus::RESOURCES,
        RequestError::NotInVersion { .. } => NdisStatus::NOT_SUPPORTED,
        RequestError::Uncodable(_) => NdisStatus::INVALID_DATA,
        RequestError::NotOwner(_) | RequestError::Multipoint(_) | RequestError::NotMultipoint(_) => {
            NdisStatus::NOT_SUPPORTED
        }
        _ => NdisStatus::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks the table from end to end: every value has a status, none is PENDING, and only a normal close is a success.
    #[test]
    fn every_cause_has_a_status() {
        for value in 0..=127 {
            let value = CauseValue(value);
            let status = of_cause(value);
            assert!(status.name().is_some() && status != NdisStatus::PENDING, "{value:?}");
            assert_eq!(status == NdisStatus::SUCCESS, [16, 31].contains(&value.0), "{value:?}");
            let causes = [Cause::user(value)];
            assert_eq!(of_causes(&causes), status);
            assert!(of_failed(&causes).ok().is_err(), "{value:?}");
        }
        assert_eq!(of_causes(&[]), NdisStatus::SUCCESS);
        // The rows of the table.
        let rows = [
            (NdisStatus::INVALID_ADDRESS, &[1, 14, 22, 28][..]),
            (NdisStatus::NO_ROUTE_TO_DESTINATION, &[2, 3, 25, 91]),
            (NdisStatus::DEST_OUT_OF_ORDER, &[18, 19, 20, 27, 38, 102]),
            (NdisStatus::VC_NOT_AVAILABLE, &[6, 10, 17, 34, 35, 36, 44, 45, 82]),
            (NdisStatus::CELLRATE_NOT_AVAILABLE, &[37, 51]),
            (NdisStatus::INCOMPATABLE_QOS, &[49, 73]),
            (NdisStatus::AAL_PARAMS_UNSUPPORTED, &[78, 93]),
            (NdisStatus::RESOURCES, &[32, 42, 47, 92]),
            (NdisStatus::FAILURE, &[21, 23, 26, 29, 30, 41, 43, 81, 89, 127]),
        ];
        for (status, values) in rows {
            for value in values {
                assert_eq!(of_cause(CauseValue(*value)), status, "{value}");
            }
        }
    }

    /// What a client refuses with comes out at the other end as the same status.
    #[test]
    fn a_refusal_keeps_its_kind_from_end_to_end() {
        let kinds = [
            NdisStatus::INVALID_ADDRESS,
            NdisStatus::NO_ROUTE_TO_DESTINATION,
            NdisStatus::DEST_OUT_OF_ORDER,
            NdisStatus::VC_NOT_AVAILABLE,
            NdisStatus::CELLRATE_NOT_AVAILABLE,
            NdisStatus::INCOMPATABLE_QOS,
            NdisStatus::AAL_PARAMS_UNSUPPORTED,
            NdisStatus::RESOURCES,
            NdisStatus::NOT_SUPPORTED,
            NdisStatus::FAILURE,
        ];
        for version in [Version::Uni30, Version::Uni31, Version::Uni40] {
            for status in kinds {
                assert_eq!(of_failed(&[cause_of(status, version)]), status, "{version}");
            }
        }
        assert_eq!(of_causes(&[cause_of(NdisStatus::SUCCESS, Version::Uni31)]), NdisStatus::SUCCESS);
    }
}
