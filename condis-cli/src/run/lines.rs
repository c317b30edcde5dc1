//! The lines of a lab: those in memory, and real ones, which are opened while there is the right to.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use condis::runtime::{Runtime, Threads};
use condis_link::atm::tcp::{Disconnect, LineEvent, TcpAcceptor, TcpLine, TcpOptions, TcpSocket};
use condis_link::atm::udp::{UdpLine, UdpSocket};
use condis_link::atm::{AtmLink, Fibre, FibreEnd};
use condis_link::counters::Counters;
use condis_link::ethernet::{Ethernet, EthernetSocket, drop_capabilities};
use condis_link::header::EtherType;
use condis_link::memory::{PortOptions, Segment};
use condis_link::tap::{AtmTap, Tap, TapOptions};
use condis_link::{Link, MacAddr};

use super::Options;
use super::clock::Clock;
use super::ip::OpenedTuns;
use crate::lab::{Lab, LabError, LinkPlan, Source};

/// A line for an adapter or a port.
#[derive(Clone)]
pub enum Line {
    /// An Ethernet.
    Ethernet(Arc<dyn Link>),
    /// One of ATM.
    Atm(Arc<dyn AtmLink>),
}

impl Line {
    pub(crate) fn is_up(&self) -> bool {
        match self {
            Line::Ethernet(link) => link.is_up(),
            Line::Atm(link) => link.is_up(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Line::Ethernet(link) => link.name(),
            Line::Atm(link) => link.name(),
        }
    }

    pub(crate) fn counters(&self) -> &Counters {
        match self {
            Line::Ethernet(link) => link.counters(),
            Line::Atm(link) => link.counters(),
        }
    }
}

/// A fibre with its ends, as they are given out.
pub(super) struct FibreRun {
    _fibre: Fibre,
    pub(super) ends: [Arc<FibreEnd>; 2],
    /// The ends, one of them behind a capture if there is one.
    users: [Arc<dyn AtmLink>; 2],
}

impl FibreRun {
    pub(super) fn new(fibre: Fibre, ends: [Arc<FibreEnd>; 2], taps: &Taps<'_>) -> Result<FibreRun, LabError> {
        let [a, b] = ends.clone();
        // One end hears and says all there is.
        let users = [taps.on_atm(fibre.name(), a)?, b as Arc<dyn AtmLink>];
        Ok(FibreRun { _fibre: fibre, ends, users })
    }

    pub(super) fn end(&self, end: usize) -> Arc<dyn AtmLink> {
        self.users[end].clone()
    }
}

/// What was opened in the system, and is not a line yet.
pub(crate) enum Opened {
    Ethernet(EthernetSocket),
    TcpListen(TcpSocket),
    TcpConnect(std::net::SocketAddr),
    Udp(UdpSocket),
}

/// Real lines that were opened while there was the right to, each under where the lab file names it.
pub(super) struct OpenedLines {
    lines: Vec<(usize, Opened)>,
    pub(super) tuns: OpenedTuns,
}

impl OpenedLines {
    /// Opens all of a lab, and gives the right to open more up.
    pub(super) fn open(lab: &Lab) -> Result<OpenedLines, LabError> {
        let mut opened = Vec::new();
        let adapters = lab.nodes.iter().flat_map(|node| &node.adapters).map(|adapter| &adapter.link);
        let ports = lab.switches.iter().flat_map(|switch| &switch.ports).map(|port| &port.link);
        let tuns = OpenedTuns::open(lab)?;
        let mut ethernet = false;
        for link in adapters.chain(ports) {
            if let Some(at) = link.place() {
                ethernet |= matches!(link, LinkPlan::Ethernet { .. });
                opened.push((at.start, open(link, Some(&lab.source))?));
            }
        }
        if ethernet || !tuns.is_empty() {
            drop_capabilities().map_err(|error| LabError::new(error.to_string()))?;
        }
        Ok(OpenedLines { lines: opened, tuns })
    }

    pub(super) fn take(&mut self, link: &LinkPlan) -> Option<Opened> {
        let at = link.place()?.start;
        let found = self.lines.iter().position(|(place, _)| *place == at)?;
        Some(self.lines.swap_remove(found).1)
    }
}

/// Opens a real line in the system.
pub(crate) fn open(link: &LinkPlan, source: Option<&Source>) -> Result<Opened, LabError> {
    let result = match link {
        LinkPlan::Ethernet { interface, .. } => {
            let ethertypes = [EtherType::PPPOE_DISCOVERY, EtherType::PPPOE_SESSION];
            EthernetSocket::open(interface, &ethertypes).map(Opened::Ethernet).map_err(|e| e.to_string())
        }
        LinkPlan::AtmTcp { listen: true, address, .. } => {
            TcpSocket::bind(*address).map(Opened::TcpListen).map_err(|e| e.to_string())
        }
        LinkPlan::AtmTcp { address, .. } => Ok(Opened::TcpConnect(*address)),
        LinkPlan::AtmUdp { local, peer, .. } => {
            UdpSocket::bind(*local, *peer).map(Opened::Udp).map_err(|e| e.to_string())
        }
        LinkPlan::Segment { .. } | LinkPlan::Fibre { .. } => Err("this line is in memory".to_owned()),
    };
    result.map_err(|error| {
        let (what, advice) = split_advice(&error);
        let error = LabError::new(what).help(advice);
        match (source, link.place()) {
            (Some(source), Some(at)) => {
                let what =
                    if matches!(link, LinkPlan::Ethernet { .. }) { "this interface" } else { "this line" };
                error.at(source, at.clone(), what)
            }
            _ => error,
        }
    })
}

/// The errors of opening say what is wrong and, after a semicolon, what to do.
fn split_advice(text: &str) -> (String, String) {
    match text.split_once("; ") {
        Some((what, advice)) => (what.to_owned(), advice.to_owned()),
        None => (text.to_owned(), "the system refused for a reason of its own".to_owned()),
    }
}

/// Who hears what becomes of a connection.
pub(crate) type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// Starts a line. One that listens waits until somebody connects, or `stop` is set: `None` then.
pub(crate) fn start(
    opened: Opened,
    threads: &Arc<Threads>,
    say: &Say,
    stop: &AtomicBool,
) -> Result<Option<Line>, LabError> {
    let failed = |error: std::io::Error| LabError::new(format!("cannot start the line: {error}"));
    Ok(Some(match opened {
        Opened::Ethernet(socket) => Line::Ethernet(Ethernet::start(socket, threads).map_err(failed)?),
        Opened::Udp(socket) => Line::Atm(UdpLine::start(socket, threads).map_err(failed)?),
        Opened::TcpConnect(peer) => {
            Line::Atm(TcpLine::connect(peer, tcp_options(say), threads).map_err(failed)?)
        }
        Opened::TcpListen(socket) => {
            say(&format!("waiting for a line on {}", socket.address()));
            let (give, lines) = mpsc::channel();
            let acceptor = TcpAcceptor::start(socket, tcp_options(say), threads, move |line| {
                let _ = give.send(line);
            });
            let acceptor = acceptor.map_err(failed)?;
            loop {
                match lines.recv_timeout(LOOK_AGAIN_AFTER) {
                    Ok(line) => {
                        acceptor.close();
                        say(&format!("a line from {}", line.peer()));
                        break Line::Atm(line);
                    }
                    Err(RecvTimeoutError::Timeout) if !stop.load(SeqCst) => {}
                    Err(_) => return Ok(None),
                }
            }
        }
    }))
}

/// A line that says what becomes of its connection; a try that fails like the one before is not told again.
pub(crate) fn tcp_options(say: &Say) -> TcpOptions {
    let (say, last) = (say.clone(), Mutex::new(String::new()));
    let on_event = move |event: &LineEvent<'_>| {
        // What we do ourselves is known.
        if matches!(event, LineEvent::Disconnected { why: Disconnect::Closed, .. }) {
            return;
        }
        let text = event.to_string();
        let kind = text.split(';').next().unwrap_or_default().to_owned();
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != kind {
            say(&text);
            *last = kind;
        }
    };
    TcpOptions { on_event: Some(Arc::new(on_event)), ..TcpOptions::default() }
}

/// Where captures go.
pub(crate) struct Taps<'a> {
    directory: Option<&'a Path>,
    runtime: Arc<dyn Runtime>,
    epoch: Duration,
}

impl<'a> Taps<'a> {
    pub(super) fn new(options: &'a Options, clock: &Clock) -> Result<Taps<'a>, LabError> {
        let directory = options.pcap.as_deref();
        if let Some(directory) = directory {
            fs::create_dir_all(directory).map_err(|error| {
                LabError::new(format!("cannot make the directory {}: {error}", directory.display()))
            })?;
        }
        let epoch = if options.seed.is_some() { Duration::ZERO } else { wall_clock() };
        Ok(Taps { directory, runtime: clock.runtime(), epoch })
    }

    /// Captures what arrives anywhere on a segment, as a station that hears all of it.
    pub(super) fn on_segment(&self, segment: &Segment) -> Result<Option<Arc<Tap>>, LabError> {
        if self.directory.is_none() {
            return Ok(None);
        }
        let options = PortOptions {
            address: MacAddr::local(CAPTURE_STATION),
            mtu_octets: usize::from(u16::MAX),
            promiscuous: true,
        };
        let port = segment.attach_with(options).map_err(|error| LabError::new(error.to_string()))?;
        self.on_ethernet(segment.name(), port)
    }

    /// The line behind a capture, if there is to be one.
    pub(super) fn on_line(&self, name: &str, line: Line) -> Result<Line, LabError> {
        Ok(match line {
            Line::Ethernet(link) => match self.on_ethernet(name, link.clone())? {
                Some(tap) => Line::Ethernet(tap),
                None => Line::Ethernet(link),
            },
            Line::Atm(link) => Line::Atm(self.on_atm(name, link)?),
        })
    }

    pub(super) fn on_atm(&self, name: &str, link: Arc<dyn AtmLink>) -> Result<Arc<dyn AtmLink>, LabError> {
        let Some(directory) = self.directory else { return Ok(link) };
        let path = file_in(directory, name);
        AtmTap::create(link, self.runtime.clone(), &path, self.options())
            .map(|tap| tap as Arc<dyn AtmLink>)
            .map_err(|error| LabError::new(format!("{}: {error}", path.display())))
    }

    fn on_ethernet(&self, name: &str, link: Arc<dyn Link>) -> Result<Option<Arc<Tap>>, LabError> {
        let Some(directory) = self.directory else { return Ok(None) };
        let path = file_in(directory, name);
        Tap::create(link, self.runtime.clone(), &path, self.options())
            .map(Some)
            .map_err(|error| LabError::new(format!("{}: {error}", path.display())))
    }

    fn options(&self) -> TapOptions {
        TapOptions { epoch: self.epoch, ..TapOptions::default() }
    }
}

fn file_in(directory: &Path, name: &str) -> std::path::PathBuf {
    directory.join(format!("{}.pcapng", name.replace(['/', '\0'], "_")))
}

/// The time on the wall, since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "a capture shows the time on the wall")]
pub(crate) fn wall_clock() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// An address that no adapter of a lab is given.
const CAPTURE_STATION: u32 = 0xffff_ffff;

/// A signal sets a flag and wakes nobody.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(50);
