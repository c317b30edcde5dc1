//! What was done, and every drop under its name.

condis::counters! {
    /// What a [`HecReceiver`](super::HecReceiver) counts. A name that begins with `dropped` counts cells that had no other
    /// effect.
    HecCounters {
        /// Cells whose header was right.
        valid,
        /// Cells in whose header one bit was wrong, and was put right.
        corrected,
        /// Cells whose header was wrong in more than one bit, while correcting.
        dropped_several_bits,
        /// Cells whose header was wrong in one bit or more, while only detecting.
        dropped_while_detecting,
        /// Of those with a good header: idle, unassigned and of the physical layer, which [`runs`](super::runs) leaves out.
        not_assigned,
    }
}

condis::counters! {
    /// What a [`Loopback`](super::loopback::Loopback) counts. A name that begins with `dropped` counts cells that had no
    /// other effect.
    LoopbackCounters {
        /// Loopback cells sent.
        sent,
        /// Answers to them that came in time.
        answered,
        /// Loopback cells that nobody answered in time.
        timed_out,
        /// Loopback cells of others that were answered.
        answers_sent,
        /// Cells of other OAM functions; they are for someone else, if for anyone.
        other_functions,
        /// Cells that are no OAM F5 flow.
        dropped_not_oam,
        /// OAM cells whose CRC-10 is wrong.
        dropped_crc,
        /// Answers to nothing that was asked, or that came too late or twice.
        dropped_unasked,
        /// Loopback cells for another place on the way.
        dropped_other_location,
        /// Loopback cells not answered because [`LoopbackConfig::answers_max`](super::loopback::LoopbackConfig::answers_max)
        /// answers wait to be sent.
        dropped_answers_full,
    }
}
