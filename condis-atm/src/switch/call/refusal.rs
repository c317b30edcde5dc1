//! Why the switch itself refuses a call or a party, and the cause that says so.

use crate::q2931::wire::{Cause, CauseValue, Diagnostics, Location, Octets, subfield};
use crate::switch::cac::CacError;
use crate::switch::fabric::FabricError;
use crate::switch::vc_alloc::AllocError;
use crate::traffic::ContractError;
use crate::uni::RequestError;

/// Why a call is refused here. Only what the switch itself finds; what a called user says is passed on.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The called number is no address of ATM.
    #[error("the called number is no ATM address")]
    NumberFormat,
    /// A transit network is asked for, and the switch knows none.
    #[error("no transit network is known")]
    TransitNetwork,
    /// A virtual path, or another service than cells of one VC.
    #[error("the bearer capability is not offered")]
    Bearer,
    /// The contract makes no sense.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// A line on the way carries AAL5 SDUs alone, and the call is of another AAL.
    #[error("a line on the way carries AAL5 alone")]
    Aal,
    /// No route leads to the address.
    #[error("no route leads to the address")]
    NoRoute,
    /// The address is below a prefix of this switch, and nobody has it.
    #[error("nobody has the address")]
    Unallocated,
    /// The routes that lead there are all those that the call came in on.
    #[error("the way to the address is the way back")]
    WayBack,
    /// Signaling of the port that leads there is down.
    #[error("signaling at the destination is down")]
    OutOfOrder,
    /// There is not enough of the rate.
    #[error(transparent)]
    CellRate(#[from] CacError),
    /// There is no VPI/VCI.
    #[error(transparent)]
    Vc(#[from] AllocError),
    /// There are as many calls as there may be.
    #[error("the switch has {0} calls already")]
    TooManyCalls(usize),
    /// The fabric has no place for the connection.
    #[error(transparent)]
    Fabric(#[from] FabricError),
    /// The signaling of the port will not have it.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The call has no parties, or is no call that parties can be added to now.
    #[error("the call takes no parties")]
    NoParties,
    /// The version of the other port has no such thing as a modification.
    #[error("the other end cannot be asked for a modification")]
    NoModification,
    /// The port was taken away.
    #[error("the port was taken away")]
    PortRemoved,
}

impl Refusal {
    /// The cause value (Q.850, UNI 3.1 §5.4.5.15).
    pub fn cause_value(&self) -> CauseValue {
        match self {
            Refusal::NumberFormat => CauseValue::INVALID_NUMBER_FORMAT,
            Refusal::TransitNetwork => CauseValue::NO_ROUTE_TO_TRANSIT_NETWORK,
            Refusal::Bearer => CauseValue::BEARER_NOT_IMPLEMENTED,
            Refusal::Contract(_) | Refusal::CellRate(CacError::NoPeak) => {
                CauseValue::UNSUPPORTED_TRAFFIC_COMBINATION
            }
            Refusal::Aal => CauseValue::AAL_NOT_SUPPORTED,
            Refusal::NoRoute | Refusal::WayBack => CauseValue::NO_ROUTE_TO_DESTINATION,
            Refusal::Unallocated => CauseValue::UNALLOCATED_NUMBER,
            Refusal::OutOfOrder | Refusal::PortRemoved | Refusal::Request(RequestError::SignalingDown) => {
                CauseValue::DESTINATION_OUT_OF_ORDER
            }
            Refusal::CellRate(CacError::NotAvailable { .. }) => CauseValue::CELL_RATE_NOT_AVAILABLE,
            Refusal::Vc(AllocError::Exhausted { .. }) => CauseValue::NO_VPCI_VCI_AVAILABLE,
            Refusal::Vc(AllocError::InUse(_) | AllocError::OutOfRange(_)) => {
                CauseValue::VPCI_VCI_NOT_AVAILABLE
            }
            Refusal::TooManyCalls(_) | Refusal::Fabric(_) => CauseValue::RESOURCES_UNAVAILABLE,
            Refusal::Request(
                RequestError::TooManyCalls { .. }
                | RequestError::TooManyParties { .. }
                | RequestError::ConnectionInUse(_)
                | RequestError::ConnectionOutOfRange(_),
            ) => CauseValue::RESOURCES_UNAVAILABLE,
            Refusal::NoModification | Refusal::Request(RequestError::NotInVersion { .. }) => {
                CauseValue::SERVICE_NOT_AVAILABLE
            }
            Refusal::Request(RequestError::Uncodable(_)) => CauseValue::ACCESS_INFORMATION_DISCARDED,
            Refusal::NoParties | Refusal::Request(_) => CauseValue::TEMPORARY_FAILURE,
        }
    }

    /// The cause, as one of the network's.
    pub(super) fn cause(&self) -> Cause {
        let cause = Cause::new(LOCATION, self.cause_value());
        match self {
            // Both peaks: which of the two directions and ports was short is the switch's own business.
            Refusal::CellRate(CacError::NotAvailable { .. }) => {
                let peaks = vec![subfield::PCR01, subfield::PCR01 + 1];
                cause.with(Octets::new(peaks).map_or(Diagnostics::None, Diagnostics::Subfields))
            }
            _ => cause,
        }
    }
}

/// Causes arise in the private network of the local user: the switch is one.
pub(super) const LOCATION: Location = Location::PRIVATE_LOCAL;
