//! What happened to frames, counted under names. On a line of ATM a frame is a cell, or an SDU.
//!
//! There is one list of names for all links, so that a report can add them up and a reader needs to learn them once. A
//! link only ever counts under those that can happen to it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Declares the counts, and with each the name under which it is printed.
macro_rules! counts {
    ($($(#[$doc:meta])* $count:ident = $name:literal,)*) => {
        /// Something that can happen to a frame at a link.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Count { $($(#[$doc])* $count,)* }

        impl Count {
            /// All of them, in the order in which they are printed.
            pub const ALL: &[Count] = &[$(Count::$count,)*];

            /// The name under which it is printed.
            pub const fn name(self) -> &'static str {
                match self { $(Count::$count => $name,)* }
            }
        }
    };
}

counts! {
    /// Frames that the user handed over and the link took.
    Sent = "sent",
    /// Their octets.
    SentOctets = "sent_octets",
    /// Frames that the link handed to its user, each copy by itself.
    Received = "received",
    /// Their octets.
    ReceivedOctets = "received_octets",
    /// Frames given back to the user because the queue was full. Not lost: the user still has them.
    Refused = "refused",
    /// Frames that the wire lost, as its conditions ask.
    Lost = "lost",
    /// Frames that arrived twice, as the wire's conditions ask.
    Duplicated = "duplicated",
    /// Frames that were held back, so that later ones overtake them, as the wire's conditions ask.
    Reordered = "reordered",
    /// Frames in which a bit was turned over, as the wire's conditions ask. They are delivered.
    Corrupted = "corrupted",
    /// Frames lost because the wire, or the attachment to it, was cut.
    Cut = "cut",
    /// Frames lost because the link, or the receiving one, was closed.
    Closed = "closed",
    /// Frames lost because the interface was down or gone, or the line not connected.
    Down = "down",
    /// Frames lost because no port had their destination address.
    NoSuchDestination = "no_such_destination",
    /// Frames lost because nobody was attached to the link where they arrived.
    NoUser = "no_user",
    /// Frames lost because they are shorter than an Ethernet header; SDUs without an octet.
    TooShort = "too_short",
    /// Frames lost because they are longer than the MTU lets them be; SDUs longer than the line carries.
    TooLong = "too_long",
    /// Frames lost by the operating system before the link could read them.
    Overrun = "overrun",
    /// Frames that the operating system would not send, for lack of buffers or another error.
    SendFailed = "send_failed",
    /// Cells given to a line of SDUs, and SDUs given to a line of cells: lost.
    WrongForm = "wrong_form",
    /// What is nothing that belongs on this line of ATM: a datagram without its header, a stream out of step, an SDU for 0.0.
    Malformed = "malformed",
    /// Messages with which the other end of an ATM over TCP line told that a connection was opened or closed.
    ControlReceived = "control_received",
    /// Messages of control that could not be understood. They do no harm.
    ControlUnknown = "control_unknown",
    /// Frames that a tap wrote into its file.
    Recorded = "recorded",
    /// Frames that a tap did not write, because of an error or because its file had reached its size. They passed.
    NotRecorded = "not_recorded",
}

/// How often each thing happened. Any thread may count and read; counts that belong together may be read apart.
#[derive(Default)]
pub struct Counters([AtomicU64; Count::ALL.len()]);

impl Counters {
    /// `how_many` more of `count`.
    pub fn add(&self, count: Count, how_many: u64) {
        // Most calls on a good day have nothing to count, and a load is much cheaper than an addition.
        if how_many != 0 {
            self.0[count as usize].fetch_add(how_many, Ordering::Relaxed);
        }
    }

    /// How often `count` happened.
    pub fn get(&self, count: Count) -> u64 {
        self.0[count as usize].load(Ordering::Relaxed)
    }

    /// All names with their numbers, the zeros too, always in the same order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Count::ALL.iter().map(|&count| (count.name(), self.get(count)))
    }
}

impl fmt::Display for Counters {
    /// In one line, without those that are zero: `sent 3, sent_octets 180, lost 1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (name, number) in self.iter().filter(|&(_, number)| number != 0) {
            write!(f, "{separator}{name} {number}")?;
            separator = ", ";
        }
        Ok(())
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_has_its_own_name_and_place() {
        let counters = Counters::default();
        for (index, &count) in Count::ALL.iter().enumerate() {
            assert_eq!(count as usize, index);
            counters.add(count, index as u64);
        }
        let mut names: Vec<_> = counters.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Count::ALL.len());
        assert!(counters.iter().map(|(_, number)| number).eq(0..Count::ALL.len() as u64));
    }

    #[test]
    fn prints_what_is_not_zero() {
        let counters = Counters::default();
        assert_eq!(counters.to_string(), "");
        counters.add(Count::Lost, 2);
        counters.add(Count::Sent, 3);
        assert_eq!(counters.to_string(), "sent 3, lost 2");
    }
}
