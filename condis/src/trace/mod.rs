//! One event for each crossing of the NDIS boundary, under the documented function name.
//!
//! A [`Sink`] listens; with none, a crossing costs one branch. [`Ring`] keeps the last events, [`JsonLines`] writes them,
//! [`Counters`] count them by name.

mod counters;
mod jsonl;
mod ring;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, RwLock};

pub use counters::Counters;
pub use jsonl::JsonLines;
pub use ring::{Event, Ring};

use crate::names::Function;
use crate::role::RoleKind;
use crate::runtime::Time;
use crate::status::NdisStatus;

/// Names an object of a node, for people. Numbers are unique within their kind and node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the kinds of NDIS objects")]
pub enum ObjectId {
    Node,
    Adapter(u32),
    Binding(u32),
    Af(u32),
    Sap(u32),
    Vc(VcId),
    Party(u32),
    Oid(u32),
}

/// Names a VC of a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VcId(pub u64);

impl fmt::Display for VcId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vc{}", self.0)
    }
}

impl fmt::Debug for VcId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ObjectId::Node => f.write_str("node"),
            ObjectId::Adapter(n) => write!(f, "adapter{n}"),
            ObjectId::Binding(n) => write!(f, "binding{n}"),
            ObjectId::Af(n) => write!(f, "af{n}"),
            ObjectId::Sap(n) => write!(f, "sap{n}"),
            ObjectId::Vc(id) => write!(f, "{id}"),
            ObjectId::Party(n) => write!(f, "party{n}"),
            ObjectId::Oid(n) => write!(f, "oid{n}"),
        }
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What crossed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// The driver called NDIS.
    Down,
    /// NDIS called the driver.
    Up,
    /// A call of the driver returned this final status to it. Not a crossing of its own: it is not counted.
    Returned(NdisStatus),
}

/// One crossing of the NDIS boundary.
#[derive(Clone, Copy, Debug)]
pub struct Crossing<'a> {
    /// When.
    pub at: Time,
    /// The node whose NDIS it is.
    pub node: &'a str,
    /// The driver on the other side of the boundary.
    pub driver: &'a str,
    /// What that driver is.
    pub role: RoleKind,
    /// Down or up.
    pub way: Way,
    /// The documented name.
    pub function: Function,
    /// What it is about.
    pub object: ObjectId,
}

impl Crossing<'_> {
    /// Who called: the driver, or `NDIS`.
    pub fn caller(&self) -> &str {
        if self.way == Way::Down { self.driver } else { "NDIS" }
    }

    /// Who was called: `NDIS`, or the driver.
    pub fn callee(&self) -> &str {
        if self.way == Way::Down { "NDIS" } else { self.driver }
    }
}

impl fmt::Display for Crossing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.at, self.node)?;
        match self.way {
            Way::Down => write!(f, "{} -> NDIS: {} {}", self.driver, self.function, self.object),
            Way::Up => write!(f, "NDIS -> {}: {} {}", self.driver, self.function, self.object),
            Way::Returned(status) => {
                write!(f, "{} <- NDIS: {} {} => {status}", self.driver, self.function, self.object)
            }
        }
    }
}

/// A driver broke a rule, or NDIS had to step in for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// When.
    pub at: Time,
    /// The object concerned.
    pub object: ObjectId,
    /// The rule, or the entry of the reference's list of silences, that decides the case.
    pub rule: &'static str,
    /// What happened, in a sentence.
    pub what: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {} ({})", self.at, self.object, self.what, self.rule)
    }
}

/// Listens to the crossings of a node. Called from whichever thread crosses; must not call NDIS.
pub trait Sink: Send + Sync {
    /// Something crossed the boundary.
    fn crossing(&self, crossing: &Crossing<'_>);

    /// A rule was broken. Nothing by default.
    fn report(&self, report: &Report) {
        let _ = report;
    }
}

/// The listeners of a node.
#[derive(Default)]
pub(crate) struct Tracer {
    on: AtomicBool,
    sinks: RwLock<Vec<Arc<dyn Sink>>>,
}

impl Tracer {
    #[inline]
    pub(crate) fn on(&self) -> bool {
        self.on.load(Relaxed)
    }

    pub(crate) fn listen(&self, sink: Arc<dyn Sink>) {
        self.sinks.write().expect("no sink panics while listed").push(sink);
        self.on.store(true, Relaxed);
    }

    #[cold]
    pub(crate) fn crossing(&self, crossing: &Crossing<'_>) {
        for sink in self.sinks.read().expect("no sink panics while listed").iter() {
            sink.crossing(crossing);
        }
    }

    #[cold]
    pub(crate) fn report(&self, report: &Report) {
        for sink in self.sinks.read().expect("no sink panics while listed").iter() {
            sink.report(report);
        }
    }
}
