//! What a policer counts.

condis::counters! {
    /// What a [`Policer`](super::Policer) counts, in cells.
    PolicerCounters {
        /// Passed as they were.
        passed,
        /// Passed, but tagged: beyond the sustained rate, their CLP was made 1.
        tagged,
        /// Beyond the peak rate.
        dropped_peak,
        /// Beyond the sustained rate.
        dropped_sustained,
        /// Of an AAL5 PDU that had lost a cell; they would have arrived for nothing.
        dropped_rest_of_frame,
    }
}
