//! A fibre in memory.
//!
//! A [`Fibre`] carries cells between two [`FibreEnd`]s, each an [`AtmLink`](super::AtmLink). Its two ways know nothing of each
//! other. On its way from end to end a cell passes, in this order:
//!
//! 1. the queue of the sending end, which is bounded ([`FibreConditions::queue_cells_max`]) and refuses what does not fit;
//! 2. the line, one cell after the other at exactly [`FibreConditions::cells_per_s`];
//! 3. what the fibre does to it: loss, a turned bit anywhere in its 53 octets (so that the HEC and the CRC have something to
//!    find), a second copy;
//! 4. the way, which takes [`FibreConditions::delay`] and up to [`FibreConditions::jitter`] more; cells stay in order, but
//!    those that are held back by [`FibreConditions::reorder`];
//! 5. the receiver, which is called for all cells of one span of [`FibreConditions::gather`] together, as adapters gather
//!    their interrupts: without it, a megabyte at OC-3 were 22 000 events of one cell.
//!
//! All delivery happens on the fibre's own lane of the runtime, and every draw comes from the seed, each way's from a stream
//! of its own, in the order of the cells sent. So a run under a simulation replays bit for bit.
//!
//! An end is up while the fibre is whole and the other end is open. What was under way from an end that is closed still
//! arrives, and then the other goes down.
//!
//! Left out: idle and unassigned cells (a cell that is not sent is not there), and the framing of the physical layer, so that
//! the only errors are those of cells.

mod conditions;
mod end;
mod glass;
mod way;

pub use conditions::FibreConditions;
pub use end::{Fibre, FibreEnd};
