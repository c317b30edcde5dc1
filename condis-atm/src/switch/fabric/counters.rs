//! What the fabric counts, of a flow and of a port.

condis::counters! {
    /// What became of the cells of a flow, or of those that came in by a port or were to leave by it. A cell that is
    /// copied to several legs may be dropped several times. An SDU counts as the cells that it makes.
    Drops {
        /// Beyond the contract (GCRA, I.371 §5.4), or of a frame that lost a cell so.
        dropped_policed,
        /// The queue was full.
        dropped_queue_full,
        /// CLP 1, and the queue was above its bound for those.
        dropped_clp1,
        /// Of a frame that was not begun, as the queue was long (EPD).
        dropped_early,
        /// Of a frame that had lost a cell before (PPD).
        dropped_partial,
        /// The line was down.
        dropped_line_down,
        /// No leg leads anywhere: a point-to-multipoint connection without parties, say.
        dropped_no_leg,
        /// OAM or resource management, and a line of SDUs has no place for them.
        dropped_not_user_to_sdus,
        /// Of an SDU that is empty, or longer than the line or its connection takes.
        dropped_sdu_length,
    }
}

condis::counters! {
    /// What passed a port.
    PortCounters {
        /// Cells that came in, or SDUs of a line of SDUs.
        received,
        /// Of them, on an identifier that has no flow.
        dropped_unknown_vc,
        /// Cells tagged, CLP 0 to 1, by policing.
        tagged,
        /// Cells or SDUs that went out.
        sent,
        /// User cells that were marked with congestion as they were queued (EFCI).
        congestion_marked,
        /// Messages of the switch itself that were not queued, as the queue was full or the line down.
        dropped_control,
        /// SDUs for the switch itself beyond what it takes at once.
        dropped_local,
    }
}
