//! What was sent, what was taken, what became of calls, and every drop under its name.

condis::counters! {
    /// What the call control of one interface counts. A name that begins with `dropped` counts messages that had no other effect.
    Counters {
        /// Messages given to the SAAL.
        messages_sent,
        /// Messages that the SAAL brought.
        messages_received,
        /// SETUPs sent a second time (T303).
        setups_repeated,
        /// RELEASEs sent a second time (T308).
        releases_repeated,
        /// Timers that expired.
        timers_expired,
        /// Calls that this end made.
        calls_made,
        /// Calls that the peer offered and the user was told of.
        calls_offered,
        /// Calls that came to stand.
        calls_connected,
        /// Calls that ended for their user, whoever ended them.
        calls_ended,
        /// Calls cleared here because of an error or a timer.
        calls_cleared_here,
        /// Calls refused here before the user was told: a SETUP that is wrong, or too many calls.
        calls_refused_here,
        /// Calls that ended with the SAAL: not yet active, or T309 expired.
        calls_lost_with_saal,
        /// Active calls that outlived an outage of the SAAL.
        calls_kept_over_outage,
        /// Calls that a RESTART ended.
        calls_restarted,
        /// Parties that came to be connected.
        parties_connected,
        /// STATUS sent about something wrong.
        status_sent,
        /// STATUS sent as the answer to an enquiry.
        status_answers_sent,
        /// STATUS ENQUIRY sent.
        enquiries_sent,
        /// STATUS that told of a state that does not go with ours.
        status_mismatches,
        /// RELEASE COMPLETE sent for a call reference that no call has.
        unknown_references,
        /// Messages of a known type in the wrong state, answered with cause 101.
        unexpected_messages,
        /// Messages of a type that is not implemented, answered with cause 97.
        unimplemented_messages,
        /// Messages with IEs missing, wrong or unknown, whatever was done about them.
        faulty_messages,
        /// Too short, another protocol, or a call reference that is not of three octets (Q.2931 §5.6.1 to §5.6.3).
        dropped_no_message,
        /// With the dummy call reference.
        dropped_dummy_reference,
        /// A SETUP that came again, or one from the side that did not choose the reference.
        dropped_setup,
        /// Another message that its state ignores.
        dropped_ignored,
        /// Because an action indicator says so.
        dropped_by_indicator,
        /// A RESTART ACKNOWLEDGE that acknowledges something else.
        dropped_restart_acknowledge,
        /// Messages of ours that were lost, as the SAAL was gone.
        dropped_saal_down,
    }
}
