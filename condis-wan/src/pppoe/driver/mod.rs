//! PPPoE as drivers of NDIS.
//!
//! | driver | is | signals |
//! |---|---|---|
//! | [`EthernetMiniport`] | a miniport over a link; its VCs are flows | nothing |
//! | [`PppoeCallManager`] | a call manager over it | on a VC that NDIS sees |
//! | [`PppoeMcm`] | a miniport call manager over a link | by itself; NDIS sees client VCs only |

mod config;
mod ethernet_miniport;
mod params;
mod pppoe_call_manager;
mod pppoe_mcm;

pub use config::{PppoeConfig, PppoeCounters};
pub use ethernet_miniport::{EthernetMiniport, FlowCounters};
pub use params::{CallTarget, IncomingHost, ParamsError, service_sap};
pub use pppoe_call_manager::PppoeCallManager;
pub use pppoe_mcm::PppoeMcm;
