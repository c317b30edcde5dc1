//! SSCOP, the assured transport of signaling (Q.2110).
mod counters;
mod machine;
mod output;
mod params;
mod receiver;
mod sn;
mod table;
mod timers;
mod transmitter;
pub mod wire;

pub use counters::{Counters, ErrorCounters, MaaError};
pub use machine::{Phase, Sscop, Transition};
pub use output::{Output, RequestError, RetrieveFrom, SendError};
pub use params::{Dialect, Params};
pub use sn::Sn;
pub use table::{Event, State};
pub use timers::Timer;
