//! What a client and a PPPoE manager tell each other in call parameters and SAPs.

use condis::params::{CallParams, Sap};

use crate::pppoe::wire::{MacAddr, VendorTag};

/// What a client calls: goes into the parameters of its make-call.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CallTarget {
    /// The service; empty is any.
    pub service_name: Vec<u8>,
    /// The concentrator, if it must be a certain one.
    pub ac_name: Option<Vec<u8>>,
    /// The longest PPP payload wanted, in octets (RFC 4638).
    pub max_payload: Option<u16>,
}

impl CallTarget {
    /// This service, of any concentrator.
    pub fn service(name: &str) -> CallTarget {
        CallTarget { service_name: name.as_bytes().to_vec(), ..CallTarget::default() }
    }

    /// The parameters to make the call with.
    pub fn to_params(&self) -> CallParams {
        CallParams::default()
    }

    /// Reads the parameters of a call.
    ///
    /// # Errors
    /// See [`ParamsError`].
    pub fn from_params(params: &CallParams) -> Result<CallTarget, ParamsError> {
        let _ = params;
        Err(ParamsError::Missing)
    }
}

/// Who calls: comes in the parameters of an incoming call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncomingHost {
    /// The host's address.
    pub mac: MacAddr,
    /// The number of the session.
    pub session_id: u16,
    /// The service it asked for.
    pub service_name: Vec<u8>,
    /// The longest PPP payload either may send, in octets.
    pub max_payload: u16,
    /// Vendor-Specific tags: the access line of TR-101.
    pub vendor: Vec<VendorTag>,
}

impl IncomingHost {
    /// Reads the parameters of an incoming call.
    ///
    /// # Errors
    /// See [`ParamsError`].
    pub fn from_params(params: &CallParams) -> Result<IncomingHost, ParamsError> {
        let _ = params;
        Err(ParamsError::Missing)
    }
}

/// Why parameters cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// There are none of this kind.
    #[error("no parameters of this kind")]
    Missing,
}

/// The SAP on which a client takes calls to the service of this name.
pub fn service_sap(name: &str) -> Sap {
    Sap::new(SAP_TYPE_SERVICE, name)
}

/// SAP type of a PPPoE service name; the family leaves its SAP types to the protocol.
const SAP_TYPE_SERVICE: u32 = 0;
