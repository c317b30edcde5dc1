//! What a data path counts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counts {
    ($($(#[$doc:meta])* $count:ident = $name:literal,)*) => {
        /// Something that happens to a frame or an SDU on the data path.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum FlowCount { $($(#[$doc])* $count,)* }

        impl FlowCount {
            /// All of them.
            pub const ALL: &[FlowCount] = &[$(FlowCount::$count,)*];

            /// The name under which it is printed.
            pub const fn name(self) -> &'static str {
                match self { $(FlowCount::$count => $name,)* }
            }
        }
    };
}

counts! {
    /// Frames that the link took.
    Sent = "sent",
    /// SDUs indicated on a VC.
    Received = "received",
    /// Signaling packets that an MCM sent by itself.
    SignalingSent = "signaling_sent",
    /// Signaling packets that an MCM received by itself.
    SignalingReceived = "signaling_received",
    /// Session frames of no flow, told to the signaling.
    UnknownSession = "unknown_session",
    /// SDUs that were queued because the link was full.
    Queued = "queued",
    /// SDUs refused because they do not fit the flow.
    RefusedLength = "refused_length",
    /// SDUs refused because the queue was full.
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
    /// Frames whose Ethernet or PPPoE header is wrong or cut off.
    DroppedMalformed = "dropped_malformed",
    /// Frames with two VLAN tags.
    DroppedTags = "dropped_tags",
    /// Session frames to a group address, or to another station.
    DroppedNotForUs = "dropped_not_for_us",
    /// Frames of no flow, with nobody to tell.
    DroppedUnknownFlow = "dropped_unknown_flow",
    /// Frames that came while the adapter was paused or gone.
    DroppedNotRunning = "dropped_not_running",
    /// Frames for which there was no buffer.
    DroppedNoBuffer = "dropped_no_buffer",
    /// Frames longer than a buffer.
    DroppedTooLong = "dropped_too_long",
    /// Signaling packets of an MCM that a full link refused.
    DroppedSignalingRefused = "dropped_signaling_refused",
}

/// What a data path counts, readable at any time. A clone reads the same.
#[derive(Clone, Default)]
pub struct FlowCounters(Arc<[AtomicU64; FlowCount::ALL.len()]>);

impl FlowCounters {
    /// `how_many` more of `count`.
    pub(super) fn add(&self, count: FlowCount, how_many: u64) {
        if how_many != 0 {
            self.0[count as usize].fetch_add(how_many, Relaxed);
        }
    }

    /// How often `count` happened.
    pub fn get(&self, count: FlowCount) -> u64 {
        self.0[count as usize].load(Relaxed)
    }

    /// Every count under its name, the zeros too.
    pub fn by_name(&self) -> BTreeMap<String, u64> {
        FlowCount::ALL.iter().map(|&count| (count.name().to_owned(), self.get(count))).collect()
    }
}

impl fmt::Debug for FlowCounters {
    /// In one line, without those that are zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = FlowCount::ALL.iter().filter(|&&count| self.get(count) != 0);
        f.debug_map().entries(counted.map(|&count| (count.name(), self.get(count)))).finish()
    }
}
