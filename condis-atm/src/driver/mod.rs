//! ATM as drivers of NDIS.

mod addresses;
mod atm_miniport;
mod call_params;
mod close_cause;
mod config;
mod connections;
mod counters;
mod data_path;
mod error;
mod flow_spec;
mod layers;
mod oids;
mod pace;
mod pvc;
mod reassembly;
mod sap;
mod segment;
mod send_queue;
mod shapes;
mod status;
mod vc_params;

pub use addresses::{add_address_request, addresses_of, delete_address_request, get_addresses_request};
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
pub use vc_params::{ATM_MEDIA, Aal, AtmFlow, AtmVcParams};
