//! What a reassembler counts.

condis::counters! {
    /// What a [`Reassembler`](super::Reassembler) counts. A name that begins with `dropped` counts PDUs, or what was taken
    /// for one, but for the last, which counts cells.
    ///
    /// A PDU with a wrong CRC is counted under one of three names. Its length tells which is likely, since that may be wrong too.
    Aal5Counters {
        /// Cells of user data.
        cells,
        /// SDUs handed on.
        sdus,
        /// Their octets.
        sdu_octets,
        /// Of them, those with a cell that might have been lost first (CLP 1).
        sdus_clp,
        /// Of them, those that met congestion (EFCI).
        sdus_efci,
        /// The sender gave the PDU up: its length is zero, and all else is right.
        dropped_aborted,
        /// Longer than the SDU may be, or without an end where it would have to have one.
        dropped_oversize,
        /// The CRC is wrong, and the PDU is as long as its length says: some octet is wrong.
        dropped_crc,
        /// The CRC is wrong, and the PDU is longer than its length says: the end of another is in it, the cell that ended
        /// that one being lost.
        dropped_lost_end,
        /// The CRC is wrong, and the PDU is shorter than its length says: a cell of it was lost.
        dropped_lost_cells,
        /// The CRC is right, but the length does not fit.
        dropped_length,
        /// The common part indicator is not zero, and the CRC is right.
        dropped_cpi,
        /// The end did not come in time.
        dropped_timeout,
        /// There was no buffer for it.
        dropped_no_buffer,
        /// It was not complete when the VC was deactivated.
        dropped_abandoned,
        /// Cells that are no user data; they do not belong here.
        dropped_not_user,
    }
}

impl Aal5Counters {
    /// PDUs with a wrong CRC (`aal5VccCrcErrors` of RFC 2515).
    pub fn crc_errors(&self) -> u64 {
        self.dropped_crc + self.dropped_lost_end + self.dropped_lost_cells
    }
}
