//! The roles a driver plays towards an object, as types.
//!
//! A handle carries its role, and each role has just the calls that this role may make: what a role may not call does not
//! compile.

/// What a driver is on an object, as a value: for traces, listings and reports.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RoleKind {
    /// Makes and takes calls.
    Client,
    /// A protocol driver that signals for clients.
    CallManager,
    /// A miniport with the call manager built in.
    Mcm,
    /// A miniport under a call manager.
    Miniport,
}

impl RoleKind {
    /// As it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            RoleKind::Client => "client",
            RoleKind::CallManager => "call-manager",
            RoleKind::Mcm => "mcm",
            RoleKind::Miniport => "miniport",
        }
    }
}

impl std::fmt::Display for RoleKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

mod sealed {
    pub trait Sealed {}
}

/// One of the roles of this module.
pub trait Role: sealed::Sealed + Send + Sync + 'static {
    /// The role as a value.
    const KIND: RoleKind;
}

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident = $kind:ident;)*) => {
        $($(#[$doc])* #[derive(Debug)] pub enum $name {}
        impl sealed::Sealed for $name {}
        impl Role for $name { const KIND: RoleKind = RoleKind::$kind; })*
    };
}

roles! {
    /// A client: makes and takes calls, and moves its data over them.
    Client = Client;
    /// A call manager: a protocol driver over somebody else's miniport.
    CallManager = CallManager;
    /// A call manager on a VC of its own, which carries its signaling. NDIS sees this VC.
    Signaling = CallManager;
    /// A miniport call manager. Its signaling is its own affair: no type of this library stands for its signaling VCs.
    Mcm = Mcm;
    /// A miniport under a call manager.
    Miniport = Miniport;
}
