//! What a data path counts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counts {
    ($($(#[$doc:meta])* $count:ident = $name:literal,)*) => {
        /// Something that happens to a cell or an SDU on the data path.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum AtmCount { $($(#[$doc])* $count,)* }

        impl AtmCount {
            /// All of them.
            pub const ALL: &[AtmCount] = &[$(AtmCount::$count,)*];

            /// The name under which it is printed.
            pub const fn name(self) -> &'static str {
                match self { $(AtmCount::$count => $name,)* }
            }
        }
    };
}

counts! {
    /// Cells that the link took.
    CellsSent = "cells_sent",
    /// Cells that came on an active VC.
    CellsReceived = "cells_received",
    /// SDUs that the link took to the last octet.
    SdusSent = "sdus_sent",
    /// SDUs indicated on a VC.
    SdusReceived = "sdus_received",
    /// SDUs of signaling and ILMI that an MCM sent by itself.
    OwnSent = "own_sent",
    /// SDUs of signaling and ILMI that an MCM received by itself.
    OwnReceived = "own_received",
    /// SDUs that had to wait for the link or for their contract.
    Queued = "queued",
    /// Loopback requests that were answered.
    LoopbackAnswered = "loopback_answered",
    /// SDUs refused because they do not fit the VC.
    RefusedLength = "refused_length",
    /// SDUs refused because the queue of their VC was full.
    RefusedQueueFull = "refused_queue_full",
    /// SDUs given back unsent because their VC was deactivated.
    FlushedDeactivated = "flushed_deactivated",
    /// SDUs given back unsent because the adapter was paused.
    FlushedPaused = "flushed_paused",
    /// SDUs given back unsent because the adapter was reset.
    FlushedReset = "flushed_reset",
    /// SDUs given back unsent because the adapter was removed.
    FlushedRemoved = "flushed_removed",
    /// SDUs given back unsent because their sender cancelled them.
    FlushedCancelled = "flushed_cancelled",
    /// PDUs that were cut off by one of these, and ended with an abort.
    AbortedSending = "aborted_sending",
    /// SDUs of an MCM's own that a full queue refused.
    DroppedOwnRefused = "dropped_own_refused",
    /// Cells whose header is damaged beyond correction.
    DroppedHec = "dropped_hec",
    /// Cells and SDUs of no active VC.
    DroppedUnknownVc = "dropped_unknown_vc",
    /// Cells and SDUs that came while the adapter was paused or gone.
    DroppedNotRunning = "dropped_not_running",
    /// OAM and resource management cells that nobody has use for.
    DroppedOam = "dropped_oam",
    /// PDUs with a wrong CRC, as long as they say: some octet is wrong.
    ErrorCrc = "error_crc",
    /// PDUs with a wrong CRC, longer than they say: the cell that ended another is lost.
    ErrorLostEnd = "error_lost_end",
    /// PDUs with a wrong CRC, shorter than they say: a cell is lost.
    ErrorLostCells = "error_lost_cells",
    /// PDUs whose CRC is right and whose length does not fit.
    ErrorLength = "error_length",
    /// PDUs whose CRC is right and whose common part indicator is not known.
    ErrorCpi = "error_cpi",
    /// PDUs longer than the VC carries.
    ErrorOversize = "error_oversize",
    /// PDUs that their sender aborted.
    ErrorAborted = "error_aborted",
    /// PDUs whose end did not come in time.
    ErrorTimeout = "error_timeout",
    /// PDUs that a pause, a reset or a deactivation cut off.
    ErrorCutOff = "error_cut_off",
    /// SDUs for which there was no buffer.
    DroppedNoBuffer = "dropped_no_buffer",
    /// SDUs longer than the VC carries, on a link of SDUs.
    DroppedTooLong = "dropped_too_long",
}

/// What a data path counts, readable at any time. A clone reads the same.
#[derive(Clone, Default)]
pub struct AtmCounters(Arc<[AtomicU64; AtmCount::ALL.len()]>);

impl AtmCounters {
    /// `how_many` more of `count`.
    pub(super) fn add(&self, count: AtmCount, how_many: u64) {
        if how_many != 0 {
            self.0[count as usize].fetch_add(how_many, Relaxed);
        }
    }

    /// How often `count` happened.
    pub fn get(&self, count: AtmCount) -> u64 {
        self.0[count as usize].load(Relaxed)
    }

    /// Every count under its name, the zeros too.
    pub fn by_name(&self) -> BTreeMap<String, u64> {
        AtmCount::ALL.iter().map(|&count| (count.name().to_owned(), self.get(count))).collect()
    }
}

impl fmt::Debug for AtmCounters {
    /// In one line, without those that are zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = AtmCount::ALL.iter().filter(|&&count| self.get(count) != 0);
        f.debug_map().entries(counted.map(|&count| (count.name(), self.get(count)))).finish()
    }
}
