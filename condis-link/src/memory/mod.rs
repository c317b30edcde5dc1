//! An Ethernet in memory.
//!
//! A [`Segment`] is a wire with a switch in the middle that knows where every station is. A [`Port`] is an attachment to
//! it, and a [`Link`](crate::Link). On its way from port to port a frame passes, in this order:
//!
//! 1. the queue of the sending port, which is bounded ([`Conditions::queue_octets_max`]) and refuses what does not fit;
//! 2. the line of the sending port, one frame after the other at [`Conditions::rate_bps`];
//! 3. what the wire does to it: loss, a turned bit, a second copy;
//! 4. the way, which takes [`Conditions::delay`] and up to [`Conditions::jitter`] more; frames of one port stay in order,
//!    but those that are held back by [`Conditions::reorder`];
//! 5. the ports it is for: the one with its destination address; for a group address all but the sender; and in any case
//!    every promiscuous port but the sender.
//!
//! All delivery happens on the segment's own lane of the runtime. Under a simulation a frame arrives at its nanosecond,
//! and every draw comes from the segment's seed, in the order of the frames sent; so a run replays bit for bit. On threads
//! the same holds to the tick of the timers: what is due by then arrives together, in order, and never early.
//!
//! Left out: the receiving side has no line of its own, so two senders can bring one port more than its rate; preamble,
//! gap and check sequence take no time; and a bit error is not noticed by the receiving port, as a frame check sequence
//! would (ask for loss instead).

mod conditions;
mod delivery;
mod flight;
mod port;
mod segment;
mod wire;

pub(crate) use conditions::Faults;
pub use conditions::{Chance, ChanceError, Conditions};
pub use port::{Port, PortOptions};
pub use segment::{AttachError, Segment};
