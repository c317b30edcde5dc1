//! Traffic contracts as IEs, and back: traffic descriptor, bearer capability and QoS class together say what
//! a [`Contract`] of each direction says (UNI 3.1 Annex A and Appendix F, UNI 4.0 Annex 9).

use crate::traffic::{Contract, ServiceCategory, Sustained};

use super::codec::U24_MAX;
use super::{
    BearerCapability, BearerClass, CellRates, Coding, Configuration, Ie, Message, QosClass, QosParameter,
    TrafficDescriptor, TrafficOptions, TransferCapability, Version,
};

/// The three IEs that say what a connection may send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrafficIes {
    /// Rates.
    pub traffic: TrafficDescriptor,
    /// Service.
    pub bearer: BearerCapability,
    /// Class of quality.
    pub qos: QosParameter,
}

/// Why contracts cannot be said, or IEs are no contracts. On the wire: cause 73.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContractError {
    /// A bearer has one category for both directions; a direction of no cells takes that of the other.
    #[error("{forward:?} forward and {backward:?} backward, expected one category")]
    Mixed {
        /// From caller to called.
        forward: ServiceCategory,
        /// From called to caller.
        backward: ServiceCategory,
    },
    /// Nothing says the peak rate of all cells of a direction.
    #[error("no peak cell rate of CLP 0+1 {0}")]
    NoPeak(&'static str),
    /// A sustained rate without a burst, or a burst without a rate.
    #[error("sustainable cell rate without burst size, or burst size without rate, {0}")]
    HalfSustained(&'static str),
    /// ABR, or a transparent path, or a class that nobody here knows.
    #[error("bearer {0} is not offered")]
    Bearer(BearerClass),
    /// A transfer capability that is not offered.
    #[error("transfer capability {0} is not offered")]
    Transfer(TransferCapability),
}

impl TrafficIes {
    /// The IEs of a pair of contracts in the way of this version. A contract without peak rate asks for the
    /// greatest number.
    ///
    /// # Errors
    /// [`ContractError::Mixed`], [`ContractError::NoPeak`].
    pub fn of(
        forward: &Contract,
        backward: &Contract,
        configuration: Configuration,
        version: Version,
    ) -> Result<TrafficIes, ContractError> {
        let lead = if is_silent(forward) { backward } else { forward };
        if forward.category != backward.category && !is_silent(forward) && !is_silent(backward) {
            return Err(ContractError::Mixed { forward: forward.category, backward: backward.category });
        }
        let category = lead.category;
        let tagging = category != ServiceCategory::Ubr && (forward.tagging || backward.tagging);
        // Frames are a matter of UNI 4.0; before it the two bits are spare.
        let frames = version == Version::Uni40;
        let options = TrafficOptions {
            forward_frame_discard: frames && forward.frame_discard,
            backward_frame_discard: frames && backward.frame_discard,
            forward_tagging: tagging && forward.tagging,
            backward_tagging: tagging && backward.tagging,
        };
        let traffic = TrafficDescriptor {
            forward: rates(forward, category, "forward")?,
            backward: rates(backward, category, "backward")?,
            best_effort: category == ServiceCategory::Ubr,
            options: (options != TrafficOptions::default()).then_some(options),
        };
        let (class, transfer) = bearer(category, tagging, version);
        let bearer = BearerCapability { configuration, ..BearerCapability::new(class, transfer) };
        let class = qos_class(category);
        Ok(TrafficIes { traffic, bearer, qos: QosParameter { forward: class, backward: class } })
    }

    /// The IEs, as a SETUP of this version has them: QoS classes other than 0, and all of UNI 3.0, in the
    /// network's coding.
    pub fn ies(self, version: Version) -> [Ie; 3] {
        let unspecified = self.qos == QosParameter::UNSPECIFIED;
        let coding = if unspecified && version != Version::Uni30 { Coding::Itu } else { Coding::Network };
        [self.traffic.into(), self.bearer.into(), Ie::new(self.qos).coded(coding)]
    }

    /// The contracts that IEs say, forward and backward.
    ///
    /// # Errors
    /// [`ContractError`], but [`ContractError::Mixed`].
    pub fn contracts(
        traffic: &TrafficDescriptor,
        bearer: &BearerCapability,
    ) -> Result<(Contract, Contract), ContractError> {
        let category = category(traffic, bearer)?;
        let options = traffic.options.unwrap_or_default();
        let forward = contract(&traffic.forward, category, "forward")?;
        let backward = contract(&traffic.backward, category, "backward")?;
        Ok((
            Contract {
                tagging: options.forward_tagging,
                frame_discard: options.forward_frame_discard,
                ..forward
            },
            Contract {
                tagging: options.backward_tagging,
                frame_discard: options.backward_frame_discard,
                ..backward
            },
        ))
    }
}

impl Message {
    /// The contracts that a SETUP says, forward and backward. `None`: one of the IEs is not there.
    pub fn contracts(&self) -> Option<Result<(Contract, Contract), ContractError>> {
        Some(TrafficIes::contracts(self.traffic()?, self.bearer()?))
    }
}

impl QosParameter {
    /// Class 0 both ways.
    pub const UNSPECIFIED: QosParameter =
        QosParameter { forward: QosClass::UNSPECIFIED, backward: QosClass::UNSPECIFIED };
}

/// No cell is sent this way.
fn is_silent(contract: &Contract) -> bool {
    contract.pcr_cells_per_s == Some(0)
}

fn rates(
    contract: &Contract,
    category: ServiceCategory,
    way: &'static str,
) -> Result<CellRates, ContractError> {
    let pcr = match contract.pcr_cells_per_s {
        None if category == ServiceCategory::Ubr => U24_MAX,
        None => return Err(ContractError::NoPeak(way)),
        Some(pcr) => pcr.min(U24_MAX),
    };
    let peak = CellRates::peak(pcr);
    let sustained = match category {
        ServiceCategory::RtVbr | ServiceCategory::NrtVbr => contract.sustained,
        ServiceCategory::Cbr | ServiceCategory::Ubr => None,
    };
    Ok(match sustained {
        None => peak,
        // VBR.3: the sustained rate is that of untagged cells.
        Some(Sustained { scr_cells_per_s, mbs_cells }) if contract.tagging => {
            CellRates { scr0: Some(scr_cells_per_s), mbs0: Some(mbs_cells), ..peak }
        }
        Some(Sustained { scr_cells_per_s, mbs_cells }) => {
            CellRates { scr01: Some(scr_cells_per_s), mbs01: Some(mbs_cells), ..peak }
        }
    })
}

fn bearer(
    category: ServiceCategory,
    tagging: bool,
    version: Version,
) -> (BearerClass, Option<TransferCapability>) {
    let uni4 = version == Version::Uni40;
    let transfer = match category {
        // linux-atm says so in UNI 3.0, and leaves octet 5a away later.
        ServiceCategory::Ubr if version == Version::Uni30 => Some(TransferCapability::NONE),
        ServiceCategory::Ubr => None,
        ServiceCategory::Cbr if uni4 => Some(TransferCapability::CBR_CLR01),
        ServiceCategory::Cbr => Some(TransferCapability::CBR),
        ServiceCategory::RtVbr if uni4 && !tagging => Some(TransferCapability::RT_VBR_CLR01),
        ServiceCategory::RtVbr => Some(TransferCapability::RT_VBR),
        ServiceCategory::NrtVbr if uni4 && !tagging => Some(TransferCapability::NRT_VBR_CLR01),
        ServiceCategory::NrtVbr => Some(TransferCapability::NRT_VBR),
    };
    (BearerClass::X, transfer)
}

/// UNI 3.1 Annex A: 1 circuits, 2 variable rate with timing, 3 connection-oriented data.
fn qos_class(category: ServiceCategory) -> QosClass {
    match category {
        ServiceCategory::Ubr => QosClass::UNSPECIFIED,
        ServiceCategory::Cbr => QosClass::CLASS_1,
        ServiceCategory::RtVbr => QosClass::CLASS_2,
        ServiceCategory::NrtVbr => QosClass::CLASS_3,
    }
}

fn category(
    traffic: &TrafficDescriptor,
    bearer: &BearerCapability,
) -> Result<ServiceCategory, ContractError> {
    use TransferCapability as T;
    if !matches!(bearer.class, BearerClass::A | BearerClass::C | BearerClass::X) {
        return Err(ContractError::Bearer(bearer.class));
    }
    if traffic.best_effort {
        return Ok(ServiceCategory::Ubr);
    }
    match bearer.transfer {
        None if bearer.class == BearerClass::A => Ok(ServiceCategory::Cbr),
        None => Ok(ServiceCategory::NrtVbr),
        Some(T::CBR_ANY | T::CBR | T::CBR_NO_TIMING | T::CBR_CLR01) => Ok(ServiceCategory::Cbr),
        Some(T::TIMING | T::RT_VBR | T::RT_VBR_CLR01) => Ok(ServiceCategory::RtVbr),
        Some(T::NONE | T::NO_TIMING | T::VBR_ANY | T::NRT_VBR | T::NRT_VBR_CLR01) => {
            Ok(ServiceCategory::NrtVbr)
        }
        Some(other) => Err(ContractError::Transfer(other)),
    }
}

fn contract(
    rates: &CellRates,
    category: ServiceCategory,
    way: &'static str,
) -> Result<Contract, ContractError> {
    let pcr = rates.pcr01.ok_or(ContractError::NoPeak(way))?;
    let any_rate = category == ServiceCategory::Ubr && pcr == U24_MAX;
    let sustained = match (rates.scr01.or(rates.scr0), rates.mbs01.or(rates.mbs0)) {
        (None, None) => None,
        (Some(scr_cells_per_s), Some(mbs_cells)) => Some(Sustained { scr_cells_per_s, mbs_cells }),
        _ => return Err(ContractError::HalfSustained(way)),
    };
    let variable = matches!(category, ServiceCategory::RtVbr | ServiceCategory::NrtVbr);
    Ok(Contract {
        category,
        pcr_cells_per_s: (!any_rate).then_some(pcr),
        sustained: sustained.filter(|_| variable),
        ..Contract::UBR
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSIONS: [Version; 3] = [Version::Uni30, Version::Uni31, Version::Uni40];

    fn contract_of(category: ServiceCategory, pcr: Option<u32>, sustained: Option<(u32, u32)>) -> Contract {
        let sustained =
            sustained.map(|(scr_cells_per_s, mbs_cells)| Sustained { scr_cells_per_s, mbs_cells });
        Contract { category, pcr_cells_per_s: pcr, sustained, frame_discard: false, ..Contract::UBR }
    }

    #[test]
    fn contracts_survive_in_every_version() {
        let pairs = [
            (contract_of(ServiceCategory::Ubr, None, None), contract_of(ServiceCategory::Ubr, Some(7), None)),
            (
                contract_of(ServiceCategory::Ubr, Some(353_207), None),
                contract_of(ServiceCategory::Ubr, Some(0), None),
            ),
            (Contract::cbr(1000), Contract::cbr(2000)),
            (
                contract_of(ServiceCategory::RtVbr, Some(9), Some((4, 5))),
                contract_of(ServiceCategory::RtVbr, Some(8), Some((2, 3))),
            ),
            (
                Contract { tagging: true, ..contract_of(ServiceCategory::NrtVbr, Some(9), Some((4, 5))) },
                contract_of(ServiceCategory::NrtVbr, Some(8), Some((2, 3))),
            ),
        ];
        for version in VERSIONS {
            for (forward, backward) in pairs {
                let ies =
                    TrafficIes::of(&forward, &backward, Configuration::POINT_TO_POINT, version).unwrap();
                assert_eq!(
                    TrafficIes::contracts(&ies.traffic, &ies.bearer),
                    Ok((forward, backward)),
                    "{version} {ies:?}"
                );
            }
        }
    }

    /// As linux-atm says best effort with 353207 cells a second one way.
    #[test]
    fn best_effort_is_said_as_linux_says_it() {
        let forward = contract_of(ServiceCategory::Ubr, Some(353_207), None);
        let backward = contract_of(ServiceCategory::Ubr, Some(0), None);
        let print = |version| {
            let ies = TrafficIes::of(&forward, &backward, Configuration::POINT_TO_POINT, version)
                .unwrap()
                .ies(version);
            ies.map(|ie| ie.to_string()).join(", ")
        };
        let later = "traffic pcr 353207/0 best-effort, bearer BCOB-X point-to-point, qos 0/0";
        assert_eq!(
            VERSIONS.map(print),
            [
                "traffic pcr 353207/0 best-effort, bearer BCOB-X (no indication) point-to-point, qos 0/0 [network]",
                later,
                later
            ]
        );
    }

    #[test]
    fn a_silent_direction_takes_the_category_of_the_other() {
        let ies = TrafficIes::of(
            &contract_of(ServiceCategory::Ubr, Some(0), None),
            &Contract::cbr(5),
            Configuration::POINT_TO_MULTIPOINT,
            Version::Uni40,
        )
        .unwrap();
        assert_eq!(ies.traffic.to_string(), "traffic pcr 0/5");
        assert!(ies.bearer.is_point_to_multipoint());
    }

    #[test]
    fn what_is_no_contract_says_why() {
        let ubr = contract_of(ServiceCategory::Ubr, Some(1), None);
        let mixed = TrafficIes::of(&ubr, &Contract::cbr(5), Configuration::POINT_TO_POINT, Version::Uni31);
        let (forward, backward) = (ServiceCategory::Ubr, ServiceCategory::Cbr);
        assert_eq!(mixed, Err(ContractError::Mixed { forward, backward }));
        let rates = |change: fn(&mut TrafficDescriptor, &mut BearerCapability)| {
            let mut traffic = TrafficDescriptor {
                forward: CellRates::peak(1),
                backward: CellRates::peak(1),
                ..TrafficDescriptor::default()
            };
            let mut bearer = BearerCapability::new(BearerClass::X, None);
            change(&mut traffic, &mut bearer);
            TrafficIes::contracts(&traffic, &bearer)
        };
        assert!(rates(|_, _| {}).is_ok());
        assert_eq!(rates(|traffic, _| traffic.backward.pcr01 = None), Err(ContractError::NoPeak("backward")));
        assert_eq!(
            rates(|traffic, _| traffic.forward.scr0 = Some(1)),
            Err(ContractError::HalfSustained("forward"))
        );
        assert_eq!(
            rates(|_, bearer| bearer.class = BearerClass::TRANSPARENT_VP),
            Err(ContractError::Bearer(BearerClass::TRANSPARENT_VP))
        );
        assert_eq!(
            rates(|_, bearer| bearer.transfer = Some(TransferCapability::ABR)),
            Err(ContractError::Transfer(TransferCapability::ABR))
        );
    }
}
