//! What was sent, what was taken, and every drop under its name.

condis::counters! {
    /// What a [`Host`](super::Host) counts. A name that begins with `dropped` counts packets that had no other effect.
    HostCounters {
        /// PADIs sent, retries included.
        padi_sent,
        /// PADRs sent, retries included.
        padr_sent,
        /// PADTs sent to end a session of ours.
        padt_sent,
        /// PADTs sent for a session that we do not want or do not know.
        padt_replies_sent,
        /// PADTs of that kind not sent, because there were too many.
        padt_replies_suppressed,
        /// Session packets of a session that is there, told to us as unknown.
        unknown_session_known,
        /// Session packets from a group address, told to us as unknown.
        unknown_session_not_unicast,
        /// PADOs that were taken up with a PADR.
        pado_taken,
        /// Sessions that came to be.
        sessions_connected,
        /// Sessions that the peer ended with a PADT.
        sessions_terminated_by_peer,
        /// From a group address, which is no station.
        dropped_source_not_unicast,
        /// To a group address; only a PADI may go there (RFC 2516 §5).
        dropped_destination_not_unicast,
        /// Not PPPoE, cut off, or a tag that is not whole.
        dropped_malformed,
        /// A code that RFC 2516 does not know.
        dropped_unknown_code,
        /// A PADI or PADR, which is for a concentrator.
        dropped_not_for_host,
        /// A PADO that breaks the grammar of RFC 2516 §5.2, or a PADT that breaks §5.5.
        dropped_ungrammatical,
        /// A PADO or PADS without a Host-Uniq; each of our packets had one.
        dropped_host_uniq_missing,
        /// A PADO or PADS with a Host-Uniq that we never made.
        dropped_host_uniq_foreign,
        /// A PADO for a call that is gone.
        dropped_pado_call_gone,
        /// A PADO for a call that has taken up another, or is connected.
        dropped_pado_late,
        /// A PADO without the service that the call asks for.
        dropped_pado_other_service,
        /// A PADO of another concentrator than the call asks for.
        dropped_pado_other_ac,
        /// A PADO with an error tag.
        dropped_pado_error,
        /// A PADO whose tags, given back, make no packet that fits.
        dropped_pado_too_long,
        /// A PADS for a call that has asked nobody yet.
        dropped_pads_unasked,
        /// A PADS from another MAC than the one that was asked.
        dropped_pads_wrong_mac,
        /// A PADS that came again.
        dropped_pads_duplicate,
        /// A refusing PADS for a call that is gone or connected.
        dropped_pads_stale_refusal,
        /// A PADS for a call that is gone, or with a second session for one call; it is answered with a PADT.
        dropped_pads_unwanted,
        /// A PADT with the id of a session of ours, from a MAC that is not its peer.
        dropped_padt_wrong_mac,
        /// A PADT for no session of ours.
        dropped_padt_unknown_session,
    }
}

condis::counters! {
    /// What a [`Concentrator`](super::Concentrator) counts. A name that begins with `dropped` counts packets that had no
    /// other effect; one that begins with `refused`, PADRs answered with an error.
    ConcentratorCounters {
        /// PADOs sent.
        pado_sent,
        /// PADSs sent, those that repeat one and those that refuse included.
        pads_sent,
        /// PADTs sent to end a session of ours.
        padt_sent,
        /// PADTs sent for session packets of no session.
        padt_replies_sent,
        /// PADTs of that kind not sent, because there were too many.
        padt_replies_suppressed,
        /// Session packets of a session that is there, told to us as unknown.
        unknown_session_known,
        /// Session packets from a group address, told to us as unknown.
        unknown_session_not_unicast,
        /// Sessions offered to the user.
        sessions_offered,
        /// Sessions that came to be.
        sessions_connected,
        /// Offers that the user rejected.
        sessions_rejected,
        /// Offers taken back because the host fell silent or began anew.
        sessions_aborted,
        /// Sessions that the peer ended with a PADT.
        sessions_terminated_by_peer,
        /// PADRs that came again while the user had not answered.
        padr_repeated_while_offered,
        /// PADRs that came again after the PADS; it is sent again.
        padr_repeated_after_pads,
        /// PADRs that came again after the session; the refusal is sent again.
        padr_repeated_when_over,
        /// PADRs for a service that is not offered.
        refused_service,
        /// PADRs beyond [`ConcentratorLimits::sessions_max`](super::ConcentratorLimits::sessions_max).
        refused_sessions_max,
        /// PADRs beyond [`ConcentratorLimits::sessions_per_mac_max`](super::ConcentratorLimits::sessions_per_mac_max).
        refused_sessions_per_mac_max,
        /// PADRs beyond [`ConcentratorLimits::offered_max`](super::ConcentratorLimits::offered_max).
        refused_offered_max,
        /// PADRs while every session id was used or resting.
        refused_no_session_id,
        /// From a group address, which is no station.
        dropped_source_not_unicast,
        /// To a group address; only a PADI may go there (RFC 2516 §5).
        dropped_destination_not_unicast,
        /// Not PPPoE, cut off, or a tag that is not whole.
        dropped_malformed,
        /// A code that RFC 2516 does not know.
        dropped_unknown_code,
        /// A PADO or PADS, which is for a host.
        dropped_not_for_concentrator,
        /// A packet that breaks the grammar of RFC 2516 §5.1, §5.3 or §5.5.
        dropped_ungrammatical,
        /// PADIs beyond the rate of their MAC.
        dropped_padi_rate_mac,
        /// PADIs beyond the rate of all.
        dropped_padi_rate_total,
        /// PADIs for a service that is not offered; they are not answered (RFC 2516 §5.2).
        dropped_padi_unknown_service,
        /// PADIs while there is no room for a session; they are not answered (RFC 2516 §5.2).
        dropped_padi_no_room,
        /// Packets whose tags, given back, make no answer that fits.
        dropped_answer_too_long,
        /// PADRs without an AC-Cookie; each of our PADOs had one.
        dropped_cookie_missing,
        /// PADRs with a cookie that we did not make, or not for this host.
        dropped_cookie_forged,
        /// PADRs with a cookie that is too old.
        dropped_cookie_expired,
        /// PADRs in which the host says that it has failed.
        dropped_padr_error,
        /// PADRs beyond the rate of their MAC.
        dropped_padr_rate_mac,
        /// PADRs beyond the rate of all.
        dropped_padr_rate_total,
        /// A PADT with the id of a session of ours, from a MAC that is not its peer.
        dropped_padt_wrong_mac,
        /// A PADT for no session of ours.
        dropped_padt_unknown_session,
    }
}
