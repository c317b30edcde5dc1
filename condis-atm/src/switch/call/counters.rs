//! What the call engine counts.

use crate::q2931::wire::CauseValue;

condis::counters! {
    /// What became of calls, parties and modifications. A call that was offered was refused here, or answered, or came to an end
    /// before it was answered; so was a party.
    CallCounters {
        /// Calls that ports brought.
        calls_offered,
        /// Of them, those that were answered.
        calls_connected,
        /// Calls that have ended, refused ones not counted.
        calls_ended,
        /// Calls and parties refused here: nobody has the address (1).
        refused_unallocated,
        /// No route leads there (2, 3).
        refused_no_route,
        /// Signaling of the destination's port is down (27).
        refused_out_of_order,
        /// The number is no address (28).
        refused_number_format,
        /// The VPI/VCI that was asked for is not free (35).
        refused_vc_requested,
        /// There is not enough of the rate (37).
        refused_cell_rate,
        /// No VPI/VCI is free (45).
        refused_no_vc,
        /// Too many calls, parties or connections (47).
        refused_resources,
        /// Another bearer, contract or AAL than is offered (65, 73, 93).
        refused_service,
        /// For another reason.
        refused_other,
        /// Parties that roots added to calls.
        parties_offered,
        /// Of them, those that were answered.
        parties_connected,
        /// Parties that have gone, refused ones not counted, and those that went with their call.
        parties_dropped,
        /// Modifications that calling users asked for.
        modifications_offered,
        /// Of them, those that hold.
        modifications_made,
        /// Connections cut because a port was taken away.
        cut_with_port,
        /// Restarts that peers asked for.
        restarts,
        /// Restarts that did not come to an end.
        restarts_failed,
    }
}

impl CallCounters {
    pub(super) fn count_refusal(&mut self, value: CauseValue) {
        *match value {
            CauseValue::UNALLOCATED_NUMBER => &mut self.refused_unallocated,
            CauseValue::NO_ROUTE_TO_DESTINATION | CauseValue::NO_ROUTE_TO_TRANSIT_NETWORK => {
                &mut self.refused_no_route
            }
            CauseValue::DESTINATION_OUT_OF_ORDER => &mut self.refused_out_of_order,
            CauseValue::INVALID_NUMBER_FORMAT => &mut self.refused_number_format,
            CauseValue::VPCI_VCI_NOT_AVAILABLE => &mut self.refused_vc_requested,
            CauseValue::CELL_RATE_NOT_AVAILABLE => &mut self.refused_cell_rate,
            CauseValue::NO_VPCI_VCI_AVAILABLE => &mut self.refused_no_vc,
            CauseValue::RESOURCES_UNAVAILABLE => &mut self.refused_resources,
            CauseValue::BEARER_NOT_IMPLEMENTED
            | CauseValue::UNSUPPORTED_TRAFFIC_COMBINATION
            | CauseValue::AAL_NOT_SUPPORTED => &mut self.refused_service,
            _ => &mut self.refused_other,
        } += 1;
    }
}
