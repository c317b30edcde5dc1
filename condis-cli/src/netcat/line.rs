//! Opening the line.

use std::path::Path;
use std::sync::Arc;

use condis::runtime::Threads;
use condis_link::ethernet::{Ethernet, EthernetSocket, drop_capabilities};
use condis_link::header::EtherType;
use condis_link::tap::{Tap, TapOptions};

use super::{Line, LinkSpec};
use crate::lab::LabError;
use crate::run::{split_advice, wall_clock};

/// Opens the line, with a capture if one is wanted, and gives up the right to open more.
pub(crate) fn open_line(
    spec: &LinkSpec,
    runtime: &Arc<Threads>,
    pcap: Option<&Path>,
) -> Result<Line, LabError> {
    let LinkSpec::Ethernet { interface } = spec;
    let ethertypes = [EtherType::PPPOE_DISCOVERY, EtherType::PPPOE_SESSION];
    let socket = EthernetSocket::open(interface, &ethertypes).map_err(|error| {
        let (what, advice) = split_advice(&error.to_string());
        LabError::new(what).help(advice)
    })?;
    drop_capabilities().map_err(|error| LabError::new(error.to_string()))?;
    let link = Ethernet::start(socket, runtime)
        .map_err(|error| LabError::new(format!("cannot start the link {interface}: {error}")))?;
    let Some(path) = pcap else { return Ok(Line::Ethernet(link)) };
    let options = TapOptions { epoch: wall_clock(), ..TapOptions::default() };
    let tap = Tap::create(link, runtime.clone(), path, options);
    tap.map(|tap| Line::Ethernet(tap)).map_err(|error| LabError::new(format!("{}: {error}", path.display())))
}
