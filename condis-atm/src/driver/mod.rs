//! ATM as drivers of NDIS.

mod atm_miniport;
mod connections;
mod counters;
mod data_path;
mod error;
mod flow_spec;
mod layers;
mod oids;
mod pace;
mod reassembly;
mod sap;
mod segment;
mod send_queue;
mod shapes;
mod vc_params;

pub use atm_miniport::AtmMiniport;
pub use connections::AtmConnections;
pub use counters::{AtmCount, AtmCounters};
pub use error::ParamsError;
pub use flow_spec::{flow_of, spec_of};
pub use layers::{Bhli, Field, Layer2, Layer3};
pub use oids::atm_code;
pub use sap::{AtmSap, SapAddress, SapRank};
pub use vc_params::{ATM_MEDIA, Aal, AtmFlow, AtmVcParams};
