//! Between traffic contracts and what calls carry.

use super::CallParams;
use crate::addr::AtmAddress;
use crate::q2931::wire::{
    Aal5, AalMode, AalParameters, BearerCapability, CellRates, Configuration, ContractError,
    TrafficDescriptor, TrafficIes, Version,
};
use crate::traffic::Contract;

/// What both directions of a connection may send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contracts {
    /// From who calls.
    pub forward: Contract,
    /// Towards who calls.
    pub backward: Contract,
}

/// The rate that stands for that of the line: the greatest of 24 bits.
const LINE_RATE: u32 = 0xff_ffff;

impl CallParams {
    /// A call to this address with these contracts, over AAL 5 with SDUs of at most `sdu_octets_max` both ways, in the IEs that this
    /// version wants.
    ///
    /// A bearer has one category: the forward direction's, unless nothing is sent that way. A peak that is not told is the rate of the line.
    pub fn new(
        version: Version,
        called: AtmAddress,
        contracts: &Contracts,
        sdu_octets_max: u16,
    ) -> CallParams {
        let ies = contracts.ies(version);
        CallParams {
            called: called.into(),
            called_subaddress: None,
            calling: None,
            calling_subaddress: None,
            traffic: ies.traffic,
            bearer: ies.bearer,
            qos: Some(ies.qos),
            aal: Some(aal5(version, sdu_octets_max)),
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

    /// True if it has many called parties.
    pub fn is_point_to_multipoint(&self) -> bool {
        self.bearer.is_point_to_multipoint()
    }

    /// Who is called, if it is an address.
    pub fn called_address(&self) -> Option<&AtmAddress> {
        self.called.0.address()
    }

    /// Who calls, if it is told and an address.
    pub fn calling_address(&self) -> Option<&AtmAddress> {
        self.calling.as_ref().and_then(|calling| calling.number.address())
    }

    /// The contracts that the traffic descriptor and the bearer capability come to: see [`Contracts::of`].
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

    /// What these IEs come to, and in what is not offered (ABR, say) what is safe: all of the peak is reserved.
    pub fn of(traffic: &TrafficDescriptor, bearer: &BearerCapability) -> Contracts {
        Contracts::try_of(traffic, bearer).unwrap_or_else(|_| Contracts {
            forward: Contract::cbr(peak(&traffic.forward)),
            backward: Contract::cbr(peak(&traffic.backward)),
        })
    }

    /// What these IEs come to.
    ///
    /// # Errors
    /// [`ContractError`]: they come to nothing that is offered. On the wire: cause 73.
    pub fn try_of(
        traffic: &TrafficDescriptor,
        bearer: &BearerCapability,
    ) -> Result<Contracts, ContractError> {
        let (forward, backward) = TrafficIes::contracts(traffic, bearer)?;
        Ok(Contracts { forward, backward })
    }

    fn ies(&self, version: Version) -> TrafficIes {
        let sent = |contract: &Contract| contract.pcr_cells_per_s != Some(0);
        let category = if sent(&self.forward) { self.forward.category } else { self.backward.category };
        let told = |contract: &Contract| Contract {
            category,
            pcr_cells_per_s: Some(contract.pcr_cells_per_s.unwrap_or(LINE_RATE)),
            ..*contract
        };
        let (forward, backward) = (told(&self.forward), told(&self.backward));
        TrafficIes::of(&forward, &backward, Configuration::POINT_TO_POINT, version)
            .expect("one category and two peaks can be said")
    }
}

/// UNI 3.0 wants the mode told as well.
fn aal5(version: Version, sdu_octets_max: u16) -> AalParameters {
    let mode = (version == Version::Uni30).then_some(AalMode::MESSAGE);
    match AalParameters::aal5(sdu_octets_max, sdu_octets_max) {
        AalParameters::Aal5(aal) => AalParameters::Aal5(Aal5 { mode, ..aal }),
        other => other,
    }
}

/// The traffic descriptor of these contracts.
pub fn traffic_of(version: Version, contracts: &Contracts) -> TrafficDescriptor {
    contracts.ies(version).traffic
}

fn peak(rates: &CellRates) -> u32 {
    rates.pcr01.or(rates.pcr0).unwrap_or(LINE_RATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leaves_of_a_tree_send_nothing() {
        let called: AtmAddress = "+123".parse().unwrap();
        let both = Contracts::both(Contract::cbr(1_000));
        let params = CallParams::new(Version::Uni31, called, &both, 9_180);
        assert_eq!(params.contracts(), both);
        let params = params.point_to_multipoint();
        assert!(params.is_point_to_multipoint());
        let contracts = params.contracts();
        assert_eq!(contracts.forward.pcr_cells_per_s, Some(1_000));
        assert_eq!(contracts.backward.reserved_cells_per_s(), 0);
    }

    #[test]
    fn what_cannot_be_said_is_made_so_and_what_is_not_offered_is_reserved_whole() {
        let called: AtmAddress = "+123".parse().unwrap();
        let contracts = Contracts {
            forward: Contract { pcr_cells_per_s: None, ..Contract::cbr(0) },
            backward: Contract { frame_discard: false, ..Contract::UBR },
        };
        let mut params = CallParams::new(Version::Uni40, called, &contracts, 1);
        assert_eq!(params.contracts(), Contracts::both(Contract::cbr(LINE_RATE)));
        params.bearer.transfer = Some(crate::q2931::wire::TransferCapability::ABR);
        params.traffic.forward.pcr01 = Some(77);
        assert!(Contracts::try_of(&params.traffic, &params.bearer).is_err());
        assert_eq!(params.contracts().forward, Contract::cbr(77));
    }
}
