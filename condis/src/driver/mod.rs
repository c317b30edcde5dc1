//! What a driver implements, role by role.
//!
//! A driver's *context areas* are its own objects: NDIS holds a boxed object of the driver for each adapter, binding,
//! address family, SAP, VC and party, and its methods are that role's callbacks for that object. So there is no context
//! pointer and no look-up on the way to a driver.
//!
//! Every callback is given its handle, borrowed and `Copy`. [`keep`](crate::vc::Vc::keep) makes one that lasts; a driver
//! drops the kept ones when the object is deactivated or deleted, since an object that holds a handle of its own VC keeps
//! itself alive.
//!
//! | role | implements |
//! |---|---|
//! | client | [`Protocol`], [`ClientBinding`], [`ClientAf`], [`ClientSap`], [`ClientVc`], [`ClientParty`] |
//! | call manager | [`Protocol`], [`CallManagerBinding`], [`ManagerAf`], [`ManagerSap`], [`ManagerVc`], [`ManagerParty`], and [`SignalingVc`] for its own VCs |
//! | miniport | [`MiniportDriver`], [`MiniportAdapter`], [`MiniportVc`] |
//! | MCM | [`McmDriver`], [`McmAdapter`], [`ManagerAf`], [`ManagerSap`], [`ManagerVc`], [`ManagerParty`], [`McmVcData`] |
//!
//! The manager's traits are written once for both kinds of manager; an MCM has no `create_vc`/`delete` of a miniport, and no
//! callback for the end of an activation, because it has no such trait to implement.
//!
//! Callbacks that may pend take a [`Token`](crate::token::Token); all others are complete when they return. Every callback
//! may call NDIS, on this or any other object. Callbacks must not block, but for those whose documentation says PASSIVE.

mod client;
mod manager;
mod miniport;
mod protocol;

pub use client::{ClientAf, ClientBinding, ClientParty, ClientSap, ClientVc, Connected};
pub use manager::{
    CallManagerBinding, Made, ManagerAf, ManagerParty, ManagerRole, ManagerSap, ManagerVc, McmVc, SignalingVc,
};
pub use miniport::{
    AdapterAttributes, AdapterLife, HaltAction, LowerRole, McmAdapter, McmDriver, McmVcData, Medium,
    MiniportAdapter, MiniportDriver, MiniportVc, PnpEvent,
};
pub use protocol::{BindingLife, Bound, Protocol};
