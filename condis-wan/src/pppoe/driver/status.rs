//! What the discovery stage comes to, as NDIS statuses, and back: each mapping is one total function.

use condis::params::CloseData;
use condis::status::NdisStatus;

use crate::pppoe::discovery::{AbortReason, CallFailure, CloseCause, MakeCallError, OfferError, Rejection};

/// What a client hears of a call that did not come to a session.
///
/// | failure | status |
/// |---|---|
/// | no PADO | NO_ROUTE_TO_DESTINATION |
/// | no PADS, or a malformed one | DEST_OUT_OF_ORDER |
/// | Service-Name-Error | INVALID_ADDRESS |
/// | AC-System-Error; a session id that is in use | VC_NOT_AVAILABLE |
/// | Generic-Error | FAILURE |
/// | given up by the client | REQUEST_ABORTED |
/// | the link is gone | MEDIA_DISCONNECTED |
pub(super) fn of_failure(why: &CallFailure) -> NdisStatus {
    match why {
        CallFailure::NoOffer { .. } => NdisStatus::NO_ROUTE_TO_DESTINATION,
        CallFailure::NoConfirmation { .. } | CallFailure::MalformedPads(_) => NdisStatus::DEST_OUT_OF_ORDER,
        CallFailure::ServiceNameError(_) => NdisStatus::INVALID_ADDRESS,
        CallFailure::AcSystemError(_) | CallFailure::SessionIdInUse(_) => NdisStatus::VC_NOT_AVAILABLE,
        CallFailure::GenericError(_) => NdisStatus::FAILURE,
        CallFailure::GivenUp => NdisStatus::REQUEST_ABORTED,
        CallFailure::NetworkGone => NdisStatus::MEDIA_DISCONNECTED,
    }
}

/// What a client hears of a call that cannot even begin.
pub(super) fn of_make_call(why: &MakeCallError) -> NdisStatus {
    match why {
        MakeCallError::KeyInUse(_) => NdisStatus::FAILURE,
        MakeCallError::TooMany { .. } => NdisStatus::RESOURCES,
        MakeCallError::RequestTooLong(_) => NdisStatus::INVALID_DATA,
    }
}

/// What a client hears of a session that is over: a peer's close is SUCCESS, and what it said is the close data.
pub(super) fn of_close(why: CloseCause) -> (NdisStatus, CloseData) {
    match why {
        CloseCause::Local | CloseCause::Peer { text: None } => (NdisStatus::SUCCESS, CloseData::new()),
        CloseCause::Peer { text: Some(text) } => (NdisStatus::SUCCESS, text.into_bytes()),
        CloseCause::NetworkGone => (NdisStatus::MEDIA_DISCONNECTED, CloseData::new()),
    }
}

/// What a client hears of an offer that is taken back.
pub(super) fn of_abort(why: AbortReason) -> NdisStatus {
    match why {
        AbortReason::HostSilent => NdisStatus::DEST_OUT_OF_ORDER,
        AbortReason::HostStartedOver => NdisStatus::SUCCESS,
        AbortReason::NetworkGone => NdisStatus::MEDIA_DISCONNECTED,
    }
}

/// What a client hears of a SAP that is not registered: a malformed or a taken one is INVALID_DATA (CO-047).
pub(super) fn of_offer_error(why: OfferError) -> NdisStatus {
    match why {
        OfferError::KeyInUse(_) | OfferError::TooMany { .. } => NdisStatus::RESOURCES,
        OfferError::NameInUse(_) | OfferError::NameTooLong { .. } => NdisStatus::INVALID_DATA,
    }
}

/// What a host is told when the client, or a driver, refuses its call: a status about the address is a
/// Service-Name-Error, one about room an AC-System-Error, and every other a Generic-Error; its name is the text.
pub(super) fn rejection(status: NdisStatus) -> Rejection {
    let text = status.to_string();
    match status {
        NdisStatus::INVALID_ADDRESS
        | NdisStatus::INVALID_SAP
        | NdisStatus::NO_ROUTE_TO_DESTINATION
        | NdisStatus::NOT_SUPPORTED => Rejection::Service(text),
        NdisStatus::RESOURCES
        | NdisStatus::VC_NOT_AVAILABLE
        | NdisStatus::CELLRATE_NOT_AVAILABLE
        | NdisStatus::INCOMPATABLE_QOS
        | NdisStatus::MEDIA_DISCONNECTED
        | NdisStatus::CLOSING => Rejection::System(text),
        _ => Rejection::Generic(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pppoe::discovery::{CallKey, ServiceKey};
    use crate::pppoe::wire::{Code, GrammarError, MacAddr, SessionId};

    /// Every failure has a status of the documented list, and none of them is a success.
    #[test]
    fn failures_are_told_apart_and_none_is_a_success() {
        let text = String::new;
        let failures = [
            (CallFailure::NoOffer { padi_sent: 5 }, NdisStatus::NO_ROUTE_TO_DESTINATION),
            (
                CallFailure::NoConfirmation { ac: MacAddr([2; 6]), padr_sent: 4 },
                NdisStatus::DEST_OUT_OF_ORDER,
            ),
            (
                CallFailure::MalformedPads(GrammarError::NoSessionId { code: Code::Pads }),
                NdisStatus::DEST_OUT_OF_ORDER,
            ),
            (CallFailure::ServiceNameError(text()), NdisStatus::INVALID_ADDRESS),
            (CallFailure::AcSystemError(text()), NdisStatus::VC_NOT_AVAILABLE),
            (CallFailure::SessionIdInUse(SessionId::FIRST), NdisStatus::VC_NOT_AVAILABLE),
            (CallFailure::GenericError(text()), NdisStatus::FAILURE),
            (CallFailure::GivenUp, NdisStatus::REQUEST_ABORTED),
            (CallFailure::NetworkGone, NdisStatus::MEDIA_DISCONNECTED),
        ];
        for (failure, status) in failures {
            assert_eq!(of_failure(&failure), status, "{failure}");
            assert!(status.ok().is_err() && status.name().is_some());
        }
        assert_eq!(of_make_call(&MakeCallError::TooMany { max: 1 }), NdisStatus::RESOURCES);
        assert_eq!(of_make_call(&MakeCallError::KeyInUse(CallKey(1))), NdisStatus::FAILURE);
    }

    /// What a client refuses with travels in an error tag, and comes out at the other side as the same kind of status.
    #[test]
    fn a_rejection_keeps_its_kind_from_end_to_end() {
        for status in [NdisStatus::INVALID_ADDRESS, NdisStatus::VC_NOT_AVAILABLE, NdisStatus::FAILURE] {
            let heard = match rejection(status) {
                Rejection::Service(text) => CallFailure::ServiceNameError(text),
                Rejection::System(text) => CallFailure::AcSystemError(text),
                Rejection::Generic(text) => CallFailure::GenericError(text),
            };
            assert_eq!(of_failure(&heard), status);
        }
    }

    #[test]
    fn closes_and_offers() {
        let text = Some("bye".to_owned());
        assert_eq!(of_close(CloseCause::Peer { text }), (NdisStatus::SUCCESS, b"bye".to_vec()));
        assert_eq!(of_close(CloseCause::NetworkGone).0, NdisStatus::MEDIA_DISCONNECTED);
        assert_eq!(of_abort(AbortReason::HostStartedOver), NdisStatus::SUCCESS);
        assert_eq!(of_abort(AbortReason::HostSilent), NdisStatus::DEST_OUT_OF_ORDER);
        // CO-047.
        assert_eq!(of_offer_error(OfferError::NameInUse(ServiceKey(1))), NdisStatus::INVALID_DATA);
        assert_eq!(of_offer_error(OfferError::TooMany { max: 64 }), NdisStatus::RESOURCES);
    }
}
