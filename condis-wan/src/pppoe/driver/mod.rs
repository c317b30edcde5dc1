//! PPPoE as drivers of NDIS: the same discovery inside a call manager and inside a miniport call manager.
//!
//! | driver | is | signals |
//! |---|---|---|
//! | [`EthernetMiniport`] | a miniport over a link; its VCs are flows ([`FlowParams`]) | nothing |
//! | [`PppoeCallManager`] | a call manager over it | on a VC that NDIS sees |
//! | [`PppoeMcm`] | a miniport call manager over a link | by itself; NDIS sees client VCs only |
//!
//! The two managers offer the address family PPP, and a client cannot tell which one it has:
//! - A SAP is a service name ([`service_sap`]); a concentrator must be configured, or it is NOT_SUPPORTED.
//! - A call names a service ([`CallTarget`]), an incoming one its host ([`IncomingHost`]). The SDU is one PPP frame, protocol
//!   field first. When a call is up, its parameters say what was agreed on, and its media parameters are the session.
//! - A make-call fails with NO_ROUTE_TO_DESTINATION (no PADO), DEST_OUT_OF_ORDER (no good PADS, or a PADT
//!   right behind it), INVALID_ADDRESS
//!   (Service-Name-Error), VC_NOT_AVAILABLE (AC-System-Error, or the session id is in use), FAILURE (Generic-Error),
//!   REQUEST_ABORTED (closed by the client), MEDIA_DISCONNECTED (the link went), INVALID_DATA (parameters), RESOURCES (too
//!   many calls), or with what the activation was refused with. A client's refusal of an offer goes the same way back.
//! - A remote close is SUCCESS, with the peer's text as close data if it said something; MEDIA_DISCONNECTED: the link
//!   went. A client's own close data is INVALID_DATA: a PADT has no place for it (RFC 2516 Appendix A).
//! - QoS and parties are NOT_SUPPORTED.
//!
//! ```text
//! engine          one input at a time through the two machines; all of NDIS's manager side
//!   Model         how a packet is sent, who readies a path: a dozen lines a manager
//! data_path       flows, the send queue, receives: the same under the call manager and in the MCM
//!   framing       SDU to frame and back
//! ```

mod config;
mod data_path;
mod engine;
mod ethernet_miniport;
mod flow_counters;
mod flow_params;
mod framing;
mod oids;
mod params;
mod pppoe_call_manager;
mod pppoe_mcm;
mod send_queue;
mod status;

pub use config::{EngineCounters, PppoeConfig, PppoeCounters};
pub use ethernet_miniport::EthernetMiniport;
pub use flow_counters::{FlowCount, FlowCounters};
pub use flow_params::{FLOW, FlowParams, FlowParamsError};
pub use params::{
    CALL_TARGET, CallTarget, INCOMING_HOST, IncomingHost, ParamsError, SAP_TYPE_SERVICE, service_sap,
};
pub use pppoe_call_manager::PppoeCallManager;
pub use pppoe_mcm::PppoeMcm;
