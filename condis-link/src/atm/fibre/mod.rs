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
//!
//! ```
//! use std::sync::{Arc, Mutex, Weak};
//! use std::time::Duration;
//!
//! use condis::runtime::Sim;
//! use condis_link::atm::{AtmLink, AtmLinkUser, Cell, Fibre, FibreConditions, SduIn};
//!
//! /// Counts what it hears.
//! #[derive(Default)]
//! struct Counting(Mutex<usize>);
//!
//! impl AtmLinkUser for Counting {
//!     fn receive_cells(&self, cells: &[Cell]) {
//!         *self.0.lock().unwrap() += cells.len();
//!     }
//!     fn receive_sdus(&self, _: &[SduIn<'_>]) {}
//!     fn link_state(&self, _: bool) {}
//! }
//!
//! let sim = Sim::new(1);
//! let conditions = FibreConditions { delay: Duration::from_millis(1), ..FibreConditions::default() };
//! let (fibre, [a, b]) = Fibre::new(sim.clone(), "fibre", conditions, 7);
//! let counting = Arc::new(Counting::default());
//! b.attach(Arc::downgrade(&counting) as Weak<dyn AtmLinkUser>);
//! assert_eq!(a.transmit_cells(&[[0; 53]; 100]), 100);
//! let _ = sim.run_until_idle(Duration::MAX);
//! assert_eq!(*counting.0.lock().unwrap(), 100);
//! fibre.cut();
//! assert!(!a.is_up());
//! ```

mod conditions;
mod end;
mod glass;
mod way;

pub use conditions::FibreConditions;
pub use end::{Fibre, FibreEnd};
