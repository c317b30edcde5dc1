//! Opening the line.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use condis::runtime::Threads;
use condis_link::Link;
use condis_link::atm::AtmLink;
use condis_link::ethernet::drop_capabilities;
use condis_link::tap::{AtmTap, Tap, TapOptions};

use crate::lab::{LabError, LinkPlan};
use crate::run::{Line, Say, open, start, wall_clock};

/// Opens the line, with a capture if one is wanted. A line that listens waits for the other end; `None`: `stop` was set before it
/// came.
pub(crate) fn open_line(
    plan: &LinkPlan,
    runtime: &Arc<Threads>,
    pcap: Option<&Path>,
    say: &Say,
    stop: &AtomicBool,
) -> Result<Option<Line>, LabError> {
    let opened = open(plan, None)?;
    if matches!(plan, LinkPlan::Ethernet { .. }) {
        drop_capabilities().map_err(|error| LabError::new(error.to_string()))?;
    }
    let Some(line) = start(opened, runtime, say, stop)? else { return Ok(None) };
    let Some(path) = pcap else { return Ok(Some(line)) };
    let options = TapOptions { epoch: wall_clock(), ..TapOptions::default() };
    let tapped =
        match line {
            Line::Ethernet(link) => Tap::create(link, runtime.clone(), path, options)
                .map(|tap| Line::Ethernet(tap as Arc<dyn Link>)),
            Line::Atm(link) => AtmTap::create(link, runtime.clone(), path, options)
                .map(|tap| Line::Atm(tap as Arc<dyn AtmLink>)),
        };
    tapped.map(Some).map_err(|error| LabError::new(format!("{}: {error}", path.display())))
}
