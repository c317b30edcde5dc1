//! A lab: which nodes there are, what drives their adapters, and what their clients do.
//!
//! [`Lab::load`] reads one of the built-ins or a file, and answers what is wrong in it with the place, what was expected and
//! the nearest valid name. The built-ins are also the documentation of the format: `condis labs show NAME`.

mod builtin;
mod check;
mod error;
mod file;
mod load;
mod values;

use std::num::NonZeroU64;
use std::time::Duration;

use condis_link::MacAddr;
use condis_link::memory::Conditions;

pub use builtin::{BUILTINS, Builtin};
pub use error::LabError;
pub(crate) use error::did_you_mean;
pub use values::Source;
pub(crate) use values::octets_of;

/// A lab that makes sense: names resolve, numbers are in range.
#[derive(Clone, Debug)]
pub struct Lab {
    /// The name of the built-in, or the path.
    pub name: String,
    /// What it is, in a line.
    pub description: String,
    /// The Ethernets in memory.
    pub segments: Vec<Segment>,
    /// The NDIS instances.
    pub nodes: Vec<NodePlan>,
    /// The text it was read from, so that later errors can point into it.
    pub source: Source,
}

impl Lab {
    /// True if nobody in it makes a call: it then runs until it is stopped.
    pub fn serves(&self) -> bool {
        self.nodes.iter().flat_map(|node| &node.clients).all(|client| client.calls.is_empty())
    }

    /// The first adapter on a real interface, with the name of its node.
    pub fn real_link(&self) -> Option<(&NodePlan, &AdapterPlan)> {
        let mut adapters = self.nodes.iter().flat_map(|node| node.adapters.iter().map(move |a| (node, a)));
        adapters.find(|(_, adapter)| matches!(adapter.link, LinkPlan::Ethernet { .. }))
    }
}

/// An Ethernet in memory.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// What it does to frames.
    pub conditions: Conditions,
    /// When it is cut, and for how long, counted from the first call.
    pub cuts: Vec<Cut>,
}

/// A time in which nothing passes.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Since the first call.
    pub at: Duration,
    /// How long.
    pub span: Duration,
}

/// One NDIS instance.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// Its name.
    pub name: String,
    /// Its adapters.
    pub adapters: Vec<AdapterPlan>,
    /// The clients on them.
    pub clients: Vec<ClientPlan>,
}

/// An adapter and what drives it.
#[derive(Clone, Debug)]
pub struct AdapterPlan {
    /// Its name, unique in its node.
    pub name: String,
    /// The wire.
    pub link: LinkPlan,
    /// The way it is managed.
    pub manager: Manager,
    /// The name of the access concentrator that it is, if it takes calls.
    pub concentrator: Option<String>,
}

/// What an adapter is attached to.
#[derive(Clone, Debug)]
pub enum LinkPlan {
    /// A segment of the lab.
    Segment {
        /// Which one, by its place in [`Lab::segments`].
        segment: usize,
        /// The address on it.
        address: MacAddr,
    },
    /// A network interface of this machine.
    Ethernet {
        /// Its name.
        interface: String,
        /// Where the lab file says so.
        at: std::ops::Range<usize>,
    },
}

/// The two ways of managing calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manager {
    /// A miniport with a call manager over it: signaling passes through NDIS.
    CallManager,
    /// A miniport call manager: signaling is its own affair.
    Mcm,
}

impl Manager {
    /// As it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Manager::CallManager => "call-manager",
            Manager::Mcm => "mcm",
        }
    }
}

/// A client and what it does.
#[derive(Clone, Debug)]
pub struct ClientPlan {
    /// Its name, unique in its node.
    pub name: String,
    /// The adapter it is bound to.
    pub adapter: String,
    /// Services on which it takes calls.
    pub offers: Vec<String>,
    /// Silence after which it hangs up a call that it took; `None`: never.
    pub idle: Option<Duration>,
    /// The calls it makes, one after the other.
    pub calls: Vec<CallPlan>,
}

/// A call to be made.
#[derive(Clone, Debug)]
pub struct CallPlan {
    /// The service; empty is any.
    pub service: String,
    /// The access concentrator, if it must be a certain one.
    pub concentrator: Option<String>,
    /// Octets to send, and to hear back.
    pub send_octets: u64,
    /// Octets of them in one frame.
    pub frame_octets: usize,
    /// What is compared.
    pub check: Check,
    /// Who closes.
    pub close: Close,
    /// How long the call stays up once the data has passed.
    pub hold: Duration,
    /// How often the call is made, one after the other.
    pub times: u32,
    /// Time without any progress after which the call is given up.
    pub timeout: Duration,
}

/// What is compared after the data has passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Check {
    /// The echo with what was sent, and both with what the other end reports that it heard.
    Both,
    /// The echo with what was sent.
    Echo,
    /// Nothing; no echo is waited for.
    None,
}

/// Who closes a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Close {
    /// The caller.
    Caller,
    /// The called end, because the caller asks it to.
    Called,
}

/// The longest part of the data in one frame: 1494 octets of PPP frame on a plain Ethernet, less what the lab client needs.
pub const FRAME_OCTETS_MAX: usize = 1494 - crate::client::OVERHEAD_OCTETS;

/// Rates are counted in bits per second.
pub type BitsPerSecond = NonZeroU64;
