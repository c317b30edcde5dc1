//! ATM as drivers of NDIS: the same interface inside a call manager and inside a miniport call manager.
//!
//! | driver | is | signals |
//! |---|---|---|
//! | [`AtmMiniport`] | a miniport over a line; its VCs are virtual connections ([`AtmVcParams`]) | nothing |
//! | [`UniCallManager`] | a call manager over it | on VCs 0/5 and 0/16, which NDIS sees |
//! | [`AtmMcm`] | a miniport call manager over a line | by itself; NDIS sees client VCs only |
//!
//! The two managers offer the address family Q2931, and a client cannot tell which one it has:
//! - A SAP is an [`AtmSap`], or a bare address. A taken or malformed one is INVALID_DATA.
//! - A call is an [`AtmCall`], an incoming one too. The SDU is one AAL5 SDU. When a call is up, its parameters say what was agreed on,
//!   and its media parameters are the connection. With a party the call has many; nothing comes back from them.
//! - A call on a permanent connection ([`AtmPvc`], OID_CO_ADD_PVC) has the flag PERMANENT_VC, or names it by media parameters, or
//!   just calls whom it leads to. AAL0 is to be had on these alone.
//! - A make-call fails with the status of its cause (see the table below), and the cause in its parameters ([`AtmCall::causes`]); with
//!   DEST_OUT_OF_ORDER if signaling does not come up in time, MEDIA_DISCONNECTED if the line is down, REQUEST_ABORTED if the client
//!   closes, FAILURE if there is no such permanent connection, INVALID_DATA (parameters), RESOURCES (too many calls), or with
//!   what the activation was refused with. A client's refusal of an offer goes the same way back.
//! - A remote close carries its cause ([`CloseCause`]) as close data, and so may the client's own: 16 without. MEDIA_DISCONNECTED:
//!   the line went, and did not come back in time (T309).
//! - A change of QoS is NOT_SUPPORTED before UNI 4.0, for who did not make the call (Q.2963.1), and on permanent connections;
//!   otherwise refused is FAILURE, with the cause in the parameters.
//! - OID_CO_SIGNALING_ENABLED and _DISABLED tell whether calls can be made; calls that stand are not touched. Addresses are told
//!   after the open and at each change.
//!
//! | causes | status |
//! |---|---|
//! | 16, 31 | SUCCESS; of a call that never was FAILURE |
//! | 1, 14, 22, 28 | INVALID_ADDRESS |
//! | 2, 3, 25, 91 | NO_ROUTE_TO_DESTINATION |
//! | 18, 19, 20, 27, 38, 102 | DEST_OUT_OF_ORDER |
//! | 6, 10, 17, 34, 35, 36, 44, 45, 82 | VC_NOT_AVAILABLE |
//! | 37 (51 in UNI 3.0) | CELLRATE_NOT_AVAILABLE |
//! | 49, 73 | INCOMPATABLE_QOS |
//! | 78, 93 | AAL_PARAMS_UNSUPPORTED |
//! | 32, 42, 47, 92 | RESOURCES |
//! | 50 and from 52 to 70, 79, 87, 88 | NOT_SUPPORTED |
//! | 95 to 101, 103 to 111 | INVALID_DATA |
//! | all others, 21 and 41 among them | FAILURE |
//!
//! ```text
//! engine          one input at a time through the interface; all of NDIS's manager side
//!   Model         how an SDU is sent, who readies a path: a dozen lines a manager
//! data_path       the table of VCs, receives: the same under the call manager and in the MCM
//!   send_queue    whose cells or SDUs go next, by class and contract
//! shapes, …       the structures of `atm.h` as octets
//! ```
//!
//! *Left out*: CPCS-UU and CLP of single SDUs (ATM_AAL_OOB_INFO); ABR; reserving without activating, rounding of flows and
//! indication of damaged receives (flags of CO_MEDIA_PARAMETERS), which are ignored; OID_ATM_GET_NEAREST_FLOW; an alias address
//! is not registered with the network; a second leaf on a call that came in is refused (cause 79).
//!
//! Source: CoNDIS rules of `docs/reference`; shapes and values of `atm.h` and `ntddndis.h` (mingw-w64); Q.2931 and UNI clauses from
//! public sources, texts not read.

mod addresses;
mod atm_mcm;
mod atm_miniport;
mod call_params;
mod close_cause;
mod config;
mod connections;
mod counters;
mod data_path;
mod engine;
mod error;
mod flow_spec;
mod layers;
#[cfg(test)]
mod octets_tests;
mod oids;
mod pace;
mod pvc;
mod reassembly;
mod sap;
mod segment;
mod send_queue;
mod shapes;
mod status;
mod uni_call_manager;
mod vc_params;

pub use addresses::{add_address_request, addresses_of, delete_address_request, get_addresses_request};
pub use atm_mcm::AtmMcm;
pub use atm_miniport::AtmMiniport;
pub use call_params::{ATM_CALL, AtmCall};
pub use close_cause::CloseCause;
pub use config::{AtmConfig, EngineCounters, SignalingCounters};
pub use connections::AtmConnections;
pub use counters::{AtmCount, AtmCounters};
pub use error::ParamsError;
pub use flow_spec::{flow_of, spec_of};
pub use layers::{Bhli, Field, Layer2, Layer3};
pub use oids::atm_code;
pub use pvc::AtmPvc;
pub use sap::{AtmSap, SapAddress, SapRank};
pub use uni_call_manager::UniCallManager;
pub use vc_params::{ATM_MEDIA, Aal, AtmFlow, AtmVcParams};
