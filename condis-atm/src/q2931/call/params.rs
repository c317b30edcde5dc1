//! What calls, answers, parties and modifications carry.
//!
//! Each is the typed IEs of its messages, and in `other` all IEs that have no field here, as they came, so that a switch can pass
//! them on. A field that is set from a message keeps the value of the wire; constructors make what most calls want.

use super::PartyId;
use crate::VpVc;
use crate::addr::AtmAddress;
use crate::q2931::wire::{
    AalParameters, BearerCapability, CalledPartyNumber, CalledPartySubaddress, CallingPartyNumber,
    CallingPartySubaddress, HighLayerInfo, Ie, LowLayerInfo, QosParameter, TrafficDescriptor,
};

/// What a call asks for: the contents of a SETUP (UNI 3.1 §5.3.1.6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallParams {
    /// Who is called.
    pub called: CalledPartyNumber,
    /// Its subaddress.
    pub called_subaddress: Option<CalledPartySubaddress>,
    /// Who calls.
    pub calling: Option<CallingPartyNumber>,
    /// Its subaddress.
    pub calling_subaddress: Option<CallingPartySubaddress>,
    /// The traffic of both directions; forward is from who calls.
    pub traffic: TrafficDescriptor,
    /// The bearer capability; it says whether the call has one called party or many.
    pub bearer: BearerCapability,
    /// The QoS classes. UNI 4.0 may have extended QoS parameters (in `other`) instead.
    pub qos: Option<QosParameter>,
    /// The AAL, and the longest SDU of both directions.
    pub aal: Option<AalParameters>,
    /// The high layer information.
    pub bhli: Option<HighLayerInfo>,
    /// Up to three low layer informations, best first (UNI 3.1 §5.4.5.9).
    pub blli: Vec<LowLayerInfo>,
    /// The connection. In an indication at the user side it is what the network gave; in a request at the network side it must
    /// be given; otherwise there is none.
    pub connection: Option<VpVc>,
    /// Of a point-to-multipoint call, its first party. The core gives it out: in a request it is not looked at.
    pub party: Option<PartyId>,
    /// All other IEs.
    pub other: Vec<Ie>,
}

/// What goes back to who calls: the contents of CALL PROCEEDING, ALERTING and CONNECT.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Answer {
    /// The connection. In the network side's first answer it must be given; at the user side it is what the network gave.
    pub connection: Option<VpVc>,
    /// The AAL, with SDUs perhaps shorter than asked for (CONNECT).
    pub aal: Option<AalParameters>,
    /// The low layer information that was chosen (CONNECT).
    pub blli: Option<LowLayerInfo>,
    /// All other IEs.
    pub other: Vec<Ie>,
}

/// What a further party is: the contents of ADD PARTY (UNI 3.1 §5.3.3.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartyParams {
    /// Who is called.
    pub called: CalledPartyNumber,
    /// Its subaddress.
    pub called_subaddress: Option<CalledPartySubaddress>,
    /// Who calls.
    pub calling: Option<CallingPartyNumber>,
    /// Its subaddress.
    pub calling_subaddress: Option<CallingPartySubaddress>,
    /// The AAL.
    pub aal: Option<AalParameters>,
    /// The high layer information.
    pub bhli: Option<HighLayerInfo>,
    /// The low layer information.
    pub blli: Option<LowLayerInfo>,
    /// All other IEs.
    pub other: Vec<Ie>,
}

/// What a modification asks for: the contents of a MODIFY REQUEST (Q.2963.1 §8.1.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModifyParams {
    /// The traffic that is wanted from now on.
    pub traffic: TrafficDescriptor,
    /// All other IEs.
    pub other: Vec<Ie>,
}

impl From<AtmAddress> for PartyParams {
    /// This address and nothing else.
    fn from(called: AtmAddress) -> PartyParams {
        PartyParams {
            called: called.into(),
            called_subaddress: None,
            calling: None,
            calling_subaddress: None,
            aal: None,
            bhli: None,
            blli: None,
            other: Vec::new(),
        }
    }
}
