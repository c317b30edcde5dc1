//! Virtual connections: the object that client, (M)CM and miniport share.
//!
//! `control` is the life of a VC as a pure state machine; `upcall` delivers what it causes, in order, driver by driver; `stand_in` plays the part of drivers whose objects panicked;
//! `ops` are the operations that pend; `data` moves NBLs past the `gate`. The handles are in `handle`: the calls that each
//! role may make.

pub(crate) mod control;
pub(crate) mod data;
pub(crate) mod gate;
mod handle;
pub(crate) mod ops;
mod stand_in;
pub(crate) mod table;
pub(crate) mod upcall;

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};

pub use control::{Activation, Call, Creator};
pub use data::{Kept, KeptSends, Receives, Sends};
pub use handle::{HeldVc, OwnedVc, TapiIdError, Vc};

use crate::adapter::AdapterCore;
use crate::af::AfCore;
use crate::binding::BindingCore;
use crate::driver::{ClientVc, ManagerVc, McmVcData, MiniportVc, SignalingVc};
use crate::names::Function;
use crate::node::{Driver, NodeCore};
use crate::role::{CallManager, Mcm};
use crate::token::Object;
use crate::trace::{ObjectId, VcId, Way};
use control::{Blocked, Control, Life};
use gate::Gate;
use upcall::Queues;

/// The drivers' objects for one VC. The variants are those of section 6.1 of the reference; (f), an MCM's signaling, is no
/// object of NDIS. What moves data comes first, and in the same place in all of them; what a VC belongs to comes last.
pub(crate) enum Users {
    /// (a), (c): a client's VC over a call manager.
    CallManager {
        client: Box<dyn ClientVc>,
        miniport: Box<dyn MiniportVc>,
        manager: Box<dyn ManagerVc<CallManager>>,
        af: Arc<AfCore>,
    },
    /// (b), (d): a client's VC over an MCM.
    Mcm {
        client: Box<dyn ClientVc>,
        data: Box<dyn McmVcData>,
        manager: Box<dyn ManagerVc<Mcm>>,
        af: Arc<AfCore>,
    },
    /// (e): a call manager's own VC. It belongs to the binding of its call manager: it was made with no AF.
    Signaling { user: Box<dyn SignalingVc>, miniport: Box<dyn MiniportVc>, binding: Arc<BindingCore> },
}

impl Users {
    /// How many objects of drivers these are.
    pub(crate) fn count(&self) -> i64 {
        match self {
            Users::CallManager { .. } | Users::Mcm { .. } => 3,
            Users::Signaling { .. } => 2,
        }
    }
}

/// Whose a VC is.
pub(crate) enum Owner<'a> {
    Af(&'a Arc<AfCore>),
    Binding(&'a Arc<BindingCore>),
}

/// The three sides of a VC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// The client, or the call manager on its signaling VC.
    User,
    Manager,
    Lower,
}

impl Side {
    pub(crate) const ALL: [Side; 3] = [Side::Manager, Side::Lower, Side::User];

    pub(crate) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Set once the NBLs that a panicked miniport still held have been written off.
pub(crate) const WRITTEN_OFF: u8 = 1 << 7;
/// Set once the receives that a panicked client still held have been written off.
pub(crate) const RECEIVES_WRITTEN_OFF: u8 = 1 << 6;
/// Set while an (M)CM refuses what NDIS asked of it for a client that panicked; NDIS does not ask in circles.
pub(crate) const STAND_IN_REFUSED: u8 = 1 << 5;
/// Set while NDIS waits to ask once more what was refused.
pub(crate) const RETRY_WAITS: u8 = 1 << 4;
/// The sides, in [`VcCore::lost`].
pub(crate) const SIDES: u8 = 0b111;

/// What stands under the short control lock.
pub(crate) struct Ctl {
    pub(crate) control: Control,
    /// Sides inside an upcall.
    pub(crate) busy: u8,
    /// Delete as soon as possible.
    pub(crate) retired: bool,
    /// A pause waits for this VC to drain.
    pub(crate) pause_waits: bool,
    pub(crate) rare: Option<Box<Rare>>,
}

/// What few VCs have.
#[derive(Default)]
pub(crate) struct Rare {
    pub(crate) queues: Queues,
    pub(crate) name: Option<String>,
    pub(crate) parties: Vec<Arc<crate::party::PartyCore>>,
    /// The SAP of the offer that is not answered yet.
    pub(crate) offered_on: Option<Arc<crate::sap::SapCore>>,
}

/// A VC. What a sender writes and what a receiver writes stand at its two ends; what both read of it follows what a sender
/// writes, so that a send touches two lines of the cache.
#[repr(C)]
#[doc(hidden)]
pub struct VcCore {
    pub(crate) tx: Gate,
    pub(crate) id: VcId,
    pub(crate) users: Users,
    pub(crate) slot: AtomicU32,
    /// Sides whose object panicked, and [`WRITTEN_OFF`].
    pub(crate) lost: AtomicU8,
    pub(crate) creator: Creator,
    ctl: Mutex<Ctl>,
    pub(crate) rx: Gate,
}

impl VcCore {
    /// A VC that no driver uses yet.
    pub(crate) fn new(id: VcId, users: Users, creator: Creator, watched: bool) -> VcCore {
        let signaling = matches!(users, Users::Signaling { .. });
        VcCore {
            tx: Gate::new(watched),
            id,
            users,
            slot: AtomicU32::new(u32::MAX),
            lost: AtomicU8::new(0),
            creator,
            ctl: Mutex::new(Ctl {
                control: Control::new(creator, signaling),
                busy: 0,
                retired: false,
                pause_waits: false,
                rare: None,
            }),
            rx: Gate::new(watched),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Ctl> {
        self.ctl.lock().expect("no driver runs under a VC's lock, so nothing panics there")
    }

    /// Whose it is.
    pub(crate) fn owner(&self) -> Owner<'_> {
        match &self.users {
            Users::CallManager { af, .. } | Users::Mcm { af, .. } => Owner::Af(af),
            Users::Signaling { binding, .. } => Owner::Binding(binding),
        }
    }

    /// The binding of the protocol that owns the data side.
    pub(crate) fn binding(&self) -> &Arc<BindingCore> {
        match self.owner() {
            Owner::Af(af) => af.client_binding(),
            Owner::Binding(binding) => binding,
        }
    }

    pub(crate) fn node(&self) -> &Arc<NodeCore> {
        self.adapter().node()
    }

    pub(crate) fn is_mcm(&self) -> bool {
        matches!(self.users, Users::Mcm { .. })
    }

    pub(crate) fn lost(&self, side: Side) -> bool {
        self.lost.load(SeqCst) & side.bit() != 0
    }

    /// Stops calls of the object on `side`. The gates tell those that move data.
    pub(crate) fn set_lost(&self, side: Side) {
        self.lost.fetch_or(side.bit(), SeqCst);
        self.tx.set_lost();
        self.rx.set_lost();
    }

    /// The driver on one side.
    pub(crate) fn driver(&self, side: Side) -> &Driver {
        match (side, self.owner()) {
            (Side::User, Owner::Af(af)) => af.client_driver(),
            (Side::Manager, Owner::Af(af)) => af.manager_driver(),
            (Side::User | Side::Manager, Owner::Binding(binding)) => binding.manager_driver(),
            (Side::Lower, _) => self.adapter().driver(),
        }
    }

    /// Traces a crossing between NDIS and the driver on `side`.
    #[inline]
    pub(crate) fn cross(&self, side: Side, way: Way, function: Function) {
        let node = self.node();
        if node.tracer.on() {
            node.crossing(self.driver(side), way, function, self.object_id());
        }
    }

    /// The manager's function name: the Cm one, or its MCM twin.
    pub(crate) fn named(&self, cm: Function, mcm: Function) -> Function {
        if self.is_mcm() { mcm } else { cm }
    }

    pub(crate) fn object_id(&self) -> ObjectId {
        ObjectId::Vc(self.id)
    }

    pub(crate) fn in_flight(&self) -> (u64, u64) {
        (self.tx.in_flight(), self.rx.in_flight())
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.in_flight() == (0, 0)
    }

    pub(crate) fn report(&self, rule: &'static str, what: impl Into<String>) {
        self.node().report(self.object_id(), rule, what.into());
    }

    /// Makes the VC usable once every driver agreed to it. FAILURE if its AF began to close meanwhile.
    /// `blocked` tells what stops its data by now.
    pub(crate) fn go_live(self: &Arc<Self>, blocked: impl FnOnce() -> Blocked) {
        self.transition(|ctl| {
            ctl.control.life = Life::Live;
            ctl.control.blocked = blocked();
        });
    }

    /// True from the end of its creation to its deletion.
    pub(crate) fn is_live(&self) -> bool {
        self.lock().control.life == Life::Live
    }

    /// What [`crate::node::Node::vcs`] shows.
    pub(crate) fn info(&self) -> VcInfo {
        let ctl = self.lock();
        VcInfo {
            id: self.id,
            use_: if ctl.control.signaling { VcUse::Signaling } else { VcUse::Client },
            creator: match (ctl.control.creator, self.is_mcm()) {
                (Creator::Client, _) => crate::role::RoleKind::Client,
                (Creator::Manager, false) => crate::role::RoleKind::CallManager,
                (Creator::Manager, true) => crate::role::RoleKind::Mcm,
            },
            activation: ctl.control.act,
            call: ctl.control.call,
            parties: ctl.control.parties,
            name: ctl.rare.as_ref().and_then(|rare| rare.name.clone()),
            statistics: self.statistics(),
            sends_in_flight: self.tx.in_flight(),
            receives_in_flight: self.rx.in_flight(),
        }
    }

    pub(crate) fn statistics(&self) -> Statistics {
        let errors = u64::from(self.tx.misses.load(SeqCst));
        Statistics {
            sent_pdus: self.tx.pdus().saturating_sub(errors),
            sent_octets: self.tx.octets(),
            send_errors: errors,
            received_pdus: self.rx.pdus() + self.rx.in_flight(),
            received_octets: self.rx.octets(),
            receive_drops: u64::from(self.rx.misses.load(SeqCst)),
        }
    }
}

/// With the two counts of its `Arc`, a VC fits into 192 octets of malloc's.
#[cfg(not(loom))] // whose atomics carry their history
const _: () = assert!(size_of::<VcCore>() <= 168);

impl Object for VcCore {
    fn adapter(&self) -> &Arc<AdapterCore> {
        match self.owner() {
            Owner::Af(af) => af.adapter(),
            Owner::Binding(binding) => binding.adapter(),
        }
    }

    fn id(&self) -> ObjectId {
        self.object_id()
    }
}

impl Drop for VcCore {
    fn drop(&mut self) {
        self.adapter().live.vc_gone(self.users.count());
    }
}

impl fmt::Debug for VcCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.info(), f)
    }
}

/// What a VC carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VcUse {
    /// A call manager's signaling.
    Signaling,
    /// A client's data.
    Client,
}

impl VcUse {
    /// As it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            VcUse::Signaling => "signaling",
            VcUse::Client => "client",
        }
    }
}

/// What passed over a VC, or over all VCs of an adapter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// NBLs that were sent without error.
    pub sent_pdus: u64,
    /// Octets that were handed to the miniport.
    pub sent_octets: u64,
    /// NBLs that the miniport completed with an error.
    pub send_errors: u64,
    /// NBLs that were indicated.
    pub received_pdus: u64,
    /// Octets that were indicated.
    pub received_octets: u64,
    /// NBLs that were indicated while the VC did not receive, and went back at once.
    pub receive_drops: u64,
}

impl std::ops::AddAssign for Statistics {
    fn add_assign(&mut self, other: Statistics) {
        self.sent_pdus += other.sent_pdus;
        self.sent_octets += other.sent_octets;
        self.send_errors += other.send_errors;
        self.received_pdus += other.received_pdus;
        self.received_octets += other.received_octets;
        self.receive_drops += other.receive_drops;
    }
}

/// A VC as NDIS sees it, at one moment.
#[derive(Clone, Debug)]
pub struct VcInfo {
    /// Its name.
    pub id: VcId,
    /// What it carries.
    pub use_: VcUse,
    /// Who created it.
    pub creator: crate::role::RoleKind,
    /// Whether data may move.
    pub activation: Activation,
    /// Its call.
    pub call: Call,
    /// Connected parties of a multipoint call.
    pub parties: u16,
    /// The instance name, if it was given one.
    pub name: Option<String>,
    /// What passed so far.
    pub statistics: Statistics,
    /// NBLs that the miniport holds.
    pub sends_in_flight: u64,
    /// NBLs that the receiver holds.
    pub receives_in_flight: u64,
}

impl fmt::Display for VcInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} of {}: {}, call {}",
            self.id,
            self.use_.name(),
            self.creator,
            self.activation.name(),
            self.call.name()
        )?;
        if let Some(name) = &self.name {
            write!(f, ", {name}")?;
        }
        if (self.sends_in_flight, self.receives_in_flight) != (0, 0) {
            write!(f, ", in flight {} sends {} receives", self.sends_in_flight, self.receives_in_flight)?;
        }
        Ok(())
    }
}
