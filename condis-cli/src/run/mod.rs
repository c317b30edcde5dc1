//! Running a lab: `build` makes the nodes, `drive` leads the clients through it, and the report is printed as a text or
//! as JSON.

mod build;
mod chart;
mod clock;
mod drive;
mod ip;
mod json;
mod lines;
mod log;
mod report;
mod switches;
mod table;
mod text;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub(crate) use build::trace_to;
pub use drive::run;
pub use json::to_json;
pub use lines::Line;
pub(crate) use lines::{Say, open, start, wall_clock};
pub use report::{AdapterReport, IpReport, LinkReport, NodeReport, PingReport, Report};
pub use text::print;

/// How a lab is to be run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// In simulation, from this seed; else on threads.
    pub seed: Option<u64>,
    /// A file for the crossings of all nodes, as lines of JSON.
    pub trace: Option<PathBuf>,
    /// A directory for one capture a link.
    pub pcap: Option<PathBuf>,
    /// Stop after so long.
    pub limit: Option<Duration>,
    /// Say on standard error what happens.
    pub talkative: bool,
    /// Stop once this is set.
    pub stop: Arc<AtomicBool>,
}
