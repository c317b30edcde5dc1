//! Where a client takes ATM calls, and which calls are for it.

use condis::params::Sap;

use super::ParamsError;
use super::layers::{Bhli, Field, Layer2, Layer3};
use super::shapes::{self, AddressField, Reader};
use crate::addr::AtmAddress;

/// The called address that a SAP is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SapAddress {
    /// Any address at all.
    #[doc(alias = "SAP_FIELD_ANY")]
    Any,
    /// This one.
    Is(AtmAddress),
    /// An NSAP address with any selector; the selector here does not count.
    #[doc(alias = "SAP_FIELD_ANY_AESA_SEL")]
    AnySelector(AtmAddress),
    /// Any NSAP address with this selector.
    #[doc(alias = "SAP_FIELD_ANY_AESA_REST")]
    OnlySelector(u8),
}

/// Where a client takes calls: a called address, and what the caller says of the layers above.
///
/// In the form of ATM_SAP with one address. A call that says nothing of a layer fits only a SAP that says "absent" or "any"
/// there. Of two SAPs that a call fits, the more particular one gets it: first by the address, then by BHLI, by layer 3, by
/// layer 2; and of two that are alike the one that was there first.
#[derive(Clone, PartialEq, Eq, Debug)]
#[doc(alias = "ATM_SAP")]
pub struct AtmSap {
    /// The called address.
    pub address: SapAddress,
    /// Layer 2 of the BLLI.
    pub layer2: Field<Layer2>,
    /// Layer 3 of the BLLI.
    pub layer3: Field<Layer3>,
    /// The BHLI.
    pub bhli: Field<Bhli>,
}

impl AtmSap {
    /// Every call to this address.
    pub fn at(address: AtmAddress) -> AtmSap {
        AtmSap { address: SapAddress::Is(address), layer2: Field::Any, layer3: Field::Any, bhli: Field::Any }
    }

    /// The SAP to register.
    pub fn to_sap(&self) -> Sap {
        let mut octets = Vec::with_capacity(OCTETS);
        super::layers::put_blli(&mut octets, &self.layer2, &self.layer3);
        super::layers::put_bhli(&mut octets, &self.bhli);
        octets.extend(1_u32.to_le_bytes());
        let (sap_type, address) = match &self.address {
            SapAddress::Any => (Sap::NSAP, AddressField::Any),
            SapAddress::Is(address @ AtmAddress::Nsap(_)) => (Sap::NSAP, AddressField::Is(address.clone())),
            SapAddress::Is(address @ AtmAddress::E164(_)) => (Sap::E164, AddressField::Is(address.clone())),
            SapAddress::AnySelector(address) => (Sap::NSAP, AddressField::AnySelector(address.clone())),
            SapAddress::OnlySelector(selector) => (Sap::NSAP, AddressField::OnlySelector(*selector)),
        };
        shapes::put_address(&mut octets, &address);
        Sap::new(sap_type, octets)
    }

    /// Reads a SAP: an ATM_SAP with one address, or the bare address (20 octets, or up to 15 digits), to which all calls go.
    ///
    /// # Errors
    /// See [`ParamsError`].
    pub fn from_sap(sap: &Sap) -> Result<AtmSap, ParamsError> {
        let octets = sap.address.as_slice();
        match sap.sap_type {
            Sap::NSAP => {
                if let Ok(nsap) = <[u8; AtmAddress::NSAP_OCTETS]>::try_from(octets) {
                    return Ok(AtmSap::at(AtmAddress::Nsap(nsap)));
                }
            }
            Sap::E164 => {
                if let Some(number) = crate::addr::E164::new(octets) {
                    return Ok(AtmSap::at(AtmAddress::E164(number)));
                }
            }
            other => return Err(ParamsError::Type { found: other, expected: Sap::NSAP }),
        }
        let mut from = Reader::new(octets);
        let (layer2, layer3) = super::layers::take_blli(&mut from)?;
        let bhli = super::layers::take_bhli(&mut from)?;
        if from.u32()? != 1 {
            return Err(ParamsError::Address);
        }
        let address = match shapes::take_address(&mut from)? {
            AddressField::Absent => return Err(ParamsError::Address),
            AddressField::Any => SapAddress::Any,
            AddressField::Is(address) => SapAddress::Is(address),
            AddressField::AnySelector(address) => SapAddress::AnySelector(address),
            AddressField::OnlySelector(selector) => SapAddress::OnlySelector(selector),
        };
        from.end()?;
        Ok(AtmSap { address, layer2, layer3, bhli })
    }

    /// How particular it is about a call: the greater, the more. `None`: the call is not for it.
    ///
    /// `bllis` are the low layer informations among which the caller leaves the choice, most wanted first.
    pub fn fits(
        &self,
        called: &AtmAddress,
        bllis: &[(Option<Layer2>, Option<Layer3>)],
        bhli: Option<&Bhli>,
    ) -> Option<SapRank> {
        let address = match (&self.address, called) {
            (SapAddress::Is(here), called) => (here == called).then_some(3),
            (SapAddress::AnySelector(AtmAddress::Nsap(here)), AtmAddress::Nsap(called)) => {
                (here[..SELECTOR_AT] == called[..SELECTOR_AT]).then_some(2)
            }
            (SapAddress::OnlySelector(selector), AtmAddress::Nsap(called)) => {
                (*selector == called[SELECTOR_AT]).then_some(1)
            }
            (SapAddress::Any, _) => Some(0),
            (SapAddress::AnySelector(_) | SapAddress::OnlySelector(_), _) => None,
        }?;
        let bhli = self.bhli.fits(bhli, |here, theirs| here == theirs)?;
        let none = [(None, None)];
        let choices = if bllis.is_empty() { &none[..] } else { bllis };
        let (layer3, layer2) = choices.iter().find_map(|(layer2, layer3)| {
            let layer3 = self.layer3.fits(layer3.as_ref(), Layer3::is_for)?;
            Some((layer3, self.layer2.fits(layer2.as_ref(), Layer2::is_for)?))
        })?;
        Some(SapRank { address, bhli, layer3, layer2 })
    }

    /// Which of the offered low layer informations it takes.
    pub fn chosen_blli(&self, bllis: &[(Option<Layer2>, Option<Layer3>)]) -> Option<usize> {
        bllis.iter().position(|(layer2, layer3)| {
            self.layer3.fits(layer3.as_ref(), Layer3::is_for).is_some()
                && self.layer2.fits(layer2.as_ref(), Layer2::is_for).is_some()
        })
    }
}

/// How particular a SAP is about a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SapRank {
    address: u8,
    bhli: bool,
    layer3: bool,
    layer2: bool,
}

/// Where the selector stands in an NSAP address.
const SELECTOR_AT: usize = 19;

const OCTETS: usize = 36 + 16 + 4 + shapes::ADDRESS_OCTETS;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::{E164, Esi};

    fn nsap(esi: u8, selector: u8) -> AtmAddress {
        AtmAddress::new([0x47; 13], Esi([0, 0, 0, 0, 0, esi]), selector)
    }

    const IP: Layer3 = Layer3 { protocol: 0x0B, user: None, ipi: Some(0xCC), snap: None };
    const LLC: Layer2 = Layer2 { protocol: 0x0C, user: None };

    fn some() -> Vec<AtmSap> {
        let at = AtmSap::at(nsap(1, 0));
        vec![
            at.clone(),
            AtmSap::at(AtmAddress::E164(E164::new(b"4989636112").expect("digits"))),
            AtmSap { address: SapAddress::Any, layer2: Field::Is(LLC), ..at.clone() },
            AtmSap { address: SapAddress::AnySelector(nsap(1, 7)), layer3: Field::Is(IP), ..at.clone() },
            AtmSap {
                address: SapAddress::OnlySelector(7),
                layer2: Field::Absent,
                layer3: Field::Absent,
                ..at.clone()
            },
            AtmSap {
                layer2: Field::Is(Layer2 { protocol: 0x10, user: Some(0x33) }),
                layer3: Field::Is(Layer3 {
                    protocol: 0x0B,
                    user: None,
                    ipi: Some(0x80),
                    snap: Some([0, 0, 0x5E, 0, 1]),
                }),
                bhli: Field::Is(Bhli { kind: 3, info: vec![1, 2, 3, 4, 5, 6, 7] }),
                ..at
            },
        ]
    }

    #[test]
    fn saps_are_read_as_they_were_written() {
        for sap in some() {
            let written = sap.to_sap();
            assert_eq!(written.address.len(), OCTETS);
            assert_eq!(AtmSap::from_sap(&written), Ok(sap));
        }
    }

    #[test]
    fn a_bare_address_is_a_sap() {
        let address = nsap(9, 1);
        assert_eq!(AtmSap::from_sap(&Sap::new(Sap::NSAP, address.octets())), Ok(AtmSap::at(address)));
        let number = AtmAddress::E164(E164::new(b"112").expect("digits"));
        assert_eq!(AtmSap::from_sap(&Sap::new(Sap::E164, *b"112")), Ok(AtmSap::at(number)));
    }

    #[test]
    fn every_prefix_is_refused() {
        for sap in some() {
            let whole = sap.to_sap();
            for len in 0..OCTETS {
                // 20 octets are a bare address.
                if whole.sap_type == Sap::NSAP && len == 20 {
                    continue;
                }
                let cut = Sap::new(whole.sap_type, &whole.address[..len]);
                assert!(AtmSap::from_sap(&cut).is_err(), "{len} octets of {sap:?}");
            }
            let longer = Sap::new(whole.sap_type, [whole.address.as_slice(), &[0]].concat());
            assert_eq!(AtmSap::from_sap(&longer), Err(ParamsError::TooLong { len: OCTETS + 1 }));
        }
        assert!(AtmSap::from_sap(&Sap::new(Sap::TAPI, [])).is_err());
    }

    /// The more particular SAP gets the call, and what is specific fits nothing else.
    #[test]
    fn calls_find_the_sap_that_is_meant() {
        let at = AtmSap::at(nsap(1, 0));
        let saps = [
            AtmSap { address: SapAddress::Any, ..at.clone() },
            AtmSap { address: SapAddress::OnlySelector(0), ..at.clone() },
            AtmSap { address: SapAddress::AnySelector(nsap(1, 99)), ..at.clone() },
            at.clone(),
            AtmSap { layer2: Field::Is(LLC), ..at.clone() },
            AtmSap { layer3: Field::Is(IP), ..at.clone() },
            AtmSap { layer2: Field::Absent, layer3: Field::Absent, bhli: Field::Absent, ..at },
        ];
        let best = |called: &AtmAddress, bllis: &[_]| {
            let ranks =
                saps.iter().enumerate().filter_map(|(at, sap)| Some((sap.fits(called, bllis, None)?, at)));
            ranks.max_by_key(|(rank, at)| (*rank, std::cmp::Reverse(*at))).map(|(_, at)| at)
        };
        assert_eq!(best(&nsap(2, 5), &[]), Some(0));
        assert_eq!(best(&nsap(2, 0), &[]), Some(1));
        assert_eq!(best(&nsap(1, 5), &[]), Some(2));
        assert_eq!(best(&nsap(1, 0), &[(Some(Layer2 { protocol: 0x0B, user: None }), None)]), Some(3));
        assert_eq!(best(&nsap(1, 0), &[(Some(LLC), None)]), Some(4));
        assert_eq!(best(&nsap(1, 0), &[(None, Some(IP)), (Some(LLC), None)]), Some(5));
        assert_eq!(best(&nsap(1, 0), &[]), Some(6));
        let number = AtmAddress::E164(E164::new(b"1").expect("a digit"));
        assert_eq!(best(&number, &[]), Some(0));
    }
}
