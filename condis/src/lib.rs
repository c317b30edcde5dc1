//! Connection-oriented NDIS (CoNDIS) in user space.
#![forbid(unsafe_code)]

pub mod adapter;
pub mod af;
pub mod binding;
pub mod driver;
pub(crate) mod frame;
pub mod names;
pub mod nbl;
pub mod node;
pub mod oid;
pub mod params;
pub mod party;
pub mod role;
pub mod runtime;
pub mod sap;
pub mod status;
pub mod status_ind;
pub mod token;
pub mod trace;
pub mod vc;
