//! Between traffic contracts and the IEs that carry them: traffic descriptor, bearer capability, QoS classes.
//!
//! The combinations are those of UNI 3.1 appendix F and UNI 4.0 annex 9 as RFC 1755 §5 and linux-atm use them; the texts were not read.

use super::CallParams;
use crate::addr::AtmAddress;
use crate::q2931::wire::{
    AalParameters, BearerCapability, BearerClass, CellRates, QosClass, QosParameter, TrafficDescriptor,
    TrafficOptions, TransferCapability, Version,
};
use crate::traffic::{Contract, ServiceCategory, Sustained};

/// What both directions of a connection may send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contracts {
    /// From who calls.
    pub forward: Contract,
    /// Towards who calls.
    pub backward: Contract,
}

/// A rate that a descriptor cannot tell from none: the greatest of 24 bits stands for the rate of the line.
const LINE_RATE: u32 = 0xff_ffff;

impl CallParams {
    /// A call to this address with these contracts, over AAL 5 with SDUs of at most `sdu_octets_max` both ways, in the IEs that this
    /// version wants. The category is the forward direction's.
    pub fn new(
        version: Version,
        called: AtmAddress,
        contracts: &Contracts,
        sdu_octets_max: u16,
    ) -> CallParams {
        let (bearer, qos) = bearer_of(version, contracts.forward.category);
        CallParams {
            called: called.into(),
            called_subaddress: None,
            calling: None,
            calling_subaddress: None,
            traffic: traffic_of(version, contracts),
            bearer,
            qos: Some(QosParameter { forward: qos, backward: qos }),
            aal: Some(AalParameters::aal5(sdu_octets_max, sdu_octets_max)),
            bhli: None,
            blli: Vec::new(),
            connection: None,
            party: None,
            other: Vec::new(),
        }
    }

    /// The same with many called parties. Nothing comes back from them (UNI 3.1 §5.6.1).
    pub fn point_to_multipoint(self) -> CallParams {
        let backward = CellRates::peak(0);
        CallParams {
            bearer: self.bearer.point_to_multipoint(),
            traffic: TrafficDescriptor { backward, ..self.traffic },
            ..self
        }
    }

    /// Who is called, if it is an address.
    pub fn called_address(&self) -> Option<&AtmAddress> {
        self.called.0.address()
    }

    /// Who calls, if it is told and an address.
    pub fn calling_address(&self) -> Option<&AtmAddress> {
        self.calling.as_ref().and_then(|calling| calling.number.address())
    }

    /// The contracts that the traffic descriptor and the bearer capability come to.
    pub fn contracts(&self) -> Contracts {
        Contracts::of(&self.traffic, &self.bearer)
    }

    /// The longest AAL 5 SDUs, forward and backward; `None` of another AAL or if none is told.
    pub fn aal5_sdu_octets_max(&self) -> Option<(Option<u16>, Option<u16>)> {
        match &self.aal {
            Some(AalParameters::Aal5(aal)) => Some((aal.forward_max_sdu, aal.backward_max_sdu)),
            _ => None,
        }
    }
}

impl Contracts {
    /// The same both ways.
    pub const fn both(contract: Contract) -> Contracts {
        Contracts { forward: contract, backward: contract }
    }

    /// What these IEs come to.
    pub fn of(traffic: &TrafficDescriptor, bearer: &BearerCapability) -> Contracts {
        let category = category_of(traffic, bearer);
        let options = traffic.options.unwrap_or_default();
        let contract = |rates: &CellRates, tagging, frame_discard| {
            let pcr = rates.pcr01.or(rates.pcr0);
            let scr = rates.scr01.or(rates.scr0);
            let mbs = rates.mbs01.or(rates.mbs0);
            Contract {
                category,
                pcr_cells_per_s: pcr.filter(|&pcr| pcr < LINE_RATE || category != ServiceCategory::Ubr),
                sustained: scr
                    .map(|scr| Sustained { scr_cells_per_s: scr, mbs_cells: mbs.unwrap_or(1) })
                    .filter(|_| matches!(category, ServiceCategory::RtVbr | ServiceCategory::NrtVbr)),
                tagging,
                frame_discard: frame_discard || category == ServiceCategory::Ubr,
                ..Contract::UBR
            }
        };
        Contracts {
            forward: contract(&traffic.forward, options.forward_tagging, options.forward_frame_discard),
            backward: contract(&traffic.backward, options.backward_tagging, options.backward_frame_discard),
        }
    }
}

/// The traffic descriptor of these contracts. UNI 3.x has no frame discard.
pub fn traffic_of(version: Version, contracts: &Contracts) -> TrafficDescriptor {
    let best_effort = contracts.forward.category == ServiceCategory::Ubr;
    let rates = |contract: &Contract| CellRates {
        pcr01: Some(contract.pcr_cells_per_s.unwrap_or(LINE_RATE)),
        scr01: contract.sustained.filter(|_| !best_effort).map(|sustained| sustained.scr_cells_per_s),
        mbs01: contract.sustained.filter(|_| !best_effort).map(|sustained| sustained.mbs_cells),
        ..CellRates::default()
    };
    let discards = version == Version::Uni40;
    let options = TrafficOptions {
        forward_frame_discard: discards && contracts.forward.frame_discard,
        backward_frame_discard: discards && contracts.backward.frame_discard,
        forward_tagging: !best_effort && contracts.forward.tagging,
        backward_tagging: !best_effort && contracts.backward.tagging,
    };
    TrafficDescriptor {
        forward: rates(&contracts.forward),
        backward: rates(&contracts.backward),
        best_effort,
        options: (options != TrafficOptions::default()).then_some(options),
    }
}

fn bearer_of(version: Version, category: ServiceCategory) -> (BearerCapability, QosClass) {
    let x = |transfer| BearerCapability::new(BearerClass::X, transfer);
    match (category, version) {
        (ServiceCategory::Ubr, _) => (x(None), QosClass::UNSPECIFIED),
        (ServiceCategory::Cbr, Version::Uni30 | Version::Uni31) => {
            (BearerCapability::new(BearerClass::A, None), QosClass::CLASS_1)
        }
        (ServiceCategory::Cbr, Version::Uni40) => (x(Some(TransferCapability::CBR)), QosClass::CLASS_1),
        (ServiceCategory::RtVbr, _) => (x(Some(TransferCapability::RT_VBR)), QosClass::CLASS_2),
        (ServiceCategory::NrtVbr, _) => (x(Some(TransferCapability::NRT_VBR)), QosClass::CLASS_3),
    }
}

fn category_of(traffic: &TrafficDescriptor, bearer: &BearerCapability) -> ServiceCategory {
    if traffic.best_effort {
        return ServiceCategory::Ubr;
    }
    let sustained = traffic.forward.scr01.or(traffic.forward.scr0).is_some()
        || traffic.backward.scr01.or(traffic.backward.scr0).is_some();
    match bearer.transfer.map(|transfer| transfer.0) {
        // Timing required, whatever the traffic: rt-VBR where there is a sustained rate.
        Some(0x01 | 0x09 | 0x13) if sustained => ServiceCategory::RtVbr,
        Some(0x04..=0x07) => ServiceCategory::Cbr,
        _ if sustained => ServiceCategory::NrtVbr,
        // A peak alone is to be reserved.
        _ => ServiceCategory::Cbr,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSIONS: [Version; 3] = [Version::Uni30, Version::Uni31, Version::Uni40];

    fn contracts(category: ServiceCategory) -> Contracts {
        let sustained = matches!(category, ServiceCategory::RtVbr | ServiceCategory::NrtVbr)
            .then_some(Sustained { scr_cells_per_s: 500, mbs_cells: 32 });
        let contract = Contract { category, sustained, ..Contract::cbr(1_000) };
        let frame_discard = category == ServiceCategory::Ubr;
        Contracts {
            forward: Contract { frame_discard, ..contract },
            backward: Contract { pcr_cells_per_s: Some(2_000), frame_discard, ..contract },
        }
    }

    #[test]
    fn contracts_come_back_from_their_ies_in_every_version() {
        let called: AtmAddress = "+123".parse().unwrap();
        for version in VERSIONS {
            for category in
                [ServiceCategory::Cbr, ServiceCategory::RtVbr, ServiceCategory::NrtVbr, ServiceCategory::Ubr]
            {
                let contracts = contracts(category);
                let params = CallParams::new(version, called.clone(), &contracts, 1_500);
                assert_eq!(params.contracts(), contracts, "{version} {category:?}");
                assert_eq!(params.aal5_sdu_octets_max(), Some((Some(1_500), Some(1_500))));
            }
            let line = Contracts::both(Contract::UBR);
            assert_eq!(CallParams::new(version, called.clone(), &line, 1).contracts(), line);
        }
    }

    #[test]
    fn the_leaves_of_a_tree_send_nothing() {
        let called: AtmAddress = "+123".parse().unwrap();
        let params = CallParams::new(Version::Uni31, called, &contracts(ServiceCategory::Cbr), 9_180);
        let contracts = params.point_to_multipoint().contracts();
        assert_eq!(contracts.forward.pcr_cells_per_s, Some(1_000));
        assert_eq!(contracts.backward.reserved_cells_per_s(), 0);
    }
}
