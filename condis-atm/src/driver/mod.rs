//! ATM as drivers of NDIS.

mod error;
mod flow_spec;
mod layers;
mod sap;
mod shapes;
mod vc_params;

pub use error::ParamsError;
pub use flow_spec::{flow_of, spec_of};
pub use layers::{Bhli, Field, Layer2, Layer3};
pub use sap::{AtmSap, SapAddress, SapRank};
pub use vc_params::{ATM_MEDIA, Aal, AtmFlow, AtmVcParams};
