//! Values of ATM that are written as text: addresses, connections, layers above, contracts.

use condis_atm::addr::{AtmAddress, Esi};
use condis_atm::driver::{Bhli, Field, Layer2, Layer3};
use condis_atm::q2931::wire as q2931;
use condis_atm::q2931::wire::{
    HighLayerInfo, HighLayerType, Layer2Detail, Layer2Protocol, Layer3Detail, Layer3Protocol, LowLayerInfo,
    Octets,
};
use condis_atm::uni::Version;
use condis_link::atm::VpVc;

/// Layers 2 and 3 above a connection, as a call says them and a SAP wants them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Layers {
    layer2: Option<(u8, Option<u8>)>,
    layer3: Option<(u8, Above)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Above {
    Nothing,
    User(u8),
    Ipi(u8),
    Snap([u8; 5]),
}

pub(crate) const EXPECTED_BLLI: &str = "expected \"llc\", \"ip\", \"snap:OUIPID\" such as \"snap:0000000800\", \"l2:HEX\", \
\"l3:HEX\", \"user2:HEX\" or \"user3:HEX\"; a layer 2 and a layer 3 with a + between them";

pub(crate) const EXPECTED_BHLI: &str =
    "expected a kind and up to 8 octets, such as \"user:0123\", \"iso:…\", \"profile:…\" or \"vendor:…\"";

impl Layers {
    /// Reads such as `llc`, `l2:0c+l3:0b`, `snap:0000000800`.
    pub fn parse(text: &str) -> Option<Layers> {
        let mut layers = Layers::default();
        for part in text.split('+') {
            let (kind, value) = part.split_once(':').unwrap_or((part, ""));
            let (second, third) = match (kind, hex(value)?.as_slice()) {
                ("llc", []) => (Some((0x0c, None)), None),
                ("ip", []) => (None, Some((TR_9577, Above::Ipi(0xcc)))),
                ("snap", snap) => (None, Some((TR_9577, Above::Snap(snap.try_into().ok()?)))),
                ("l2", [protocol @ 0..=0x1f]) => (Some((*protocol, None)), None),
                ("l3", [protocol @ 0..=0x1f]) => (None, Some((*protocol, Above::Nothing))),
                ("user2", [user @ 0..=0x7f]) => (Some((0x10, Some(*user))), None),
                ("user3", [user @ 0..=0x7f]) => (None, Some((0x10, Above::User(*user)))),
                _ => return None,
            };
            if second.is_some() && layers.layer2.is_some() || third.is_some() && layers.layer3.is_some() {
                return None;
            }
            layers.layer2 = layers.layer2.or(second);
            layers.layer3 = layers.layer3.or(third);
        }
        Some(layers)
    }

    /// As a call says them.
    pub(crate) fn to_info(&self) -> LowLayerInfo {
        let layer2 = self.layer2.map(|(protocol, user)| q2931::Layer2 {
            protocol: Layer2Protocol(protocol),
            detail: user.map_or(Layer2Detail::None, Layer2Detail::User),
        });
        let layer3 = self.layer3.map(|(protocol, above)| q2931::Layer3 {
            protocol: Layer3Protocol(protocol),
            detail: match above {
                Above::Nothing => Layer3Detail::None,
                Above::User(user) => Layer3Detail::User(user),
                Above::Ipi(ipi) => Layer3Detail::Ipi(ipi),
                Above::Snap([a, b, c, d, e]) => {
                    Layer3Detail::Snap { oui: [a, b, c], pid: u16::from_be_bytes([d, e]) }
                }
            },
        });
        LowLayerInfo { layer1: None, layer2, layer3 }
    }

    /// As a SAP wants them: a layer that is not said does not matter.
    pub(crate) fn to_fields(&self) -> (Field<Layer2>, Field<Layer3>) {
        let layer2 = self.layer2.map_or(Field::Any, |(protocol, user)| Field::Is(Layer2 { protocol, user }));
        let layer3 = self.layer3.map_or(Field::Any, |(protocol, above)| {
            let (user, ipi, snap) = match above {
                Above::Nothing => (None, None, None),
                Above::User(user) => (Some(user), None, None),
                Above::Ipi(ipi) => (None, Some(ipi), None),
                Above::Snap(snap) => (None, Some(0x80), Some(snap)),
            };
            Field::Is(Layer3 { protocol, user, ipi, snap })
        });
        (layer2, layer3)
    }
}

/// Reads a high layer information, such as `user:0123`.
pub(crate) fn bhli(text: &str) -> Option<Bhli> {
    let (kind, info) = text.split_once(':')?;
    let kind = ["iso", "user", "profile", "vendor"].iter().position(|name| *name == kind)?;
    let info = hex(info).filter(|info| info.len() <= 8)?;
    Some(Bhli { kind: kind as u8, info })
}

/// The same as a call says it.
pub(crate) fn bhli_info(bhli: &Bhli) -> Option<HighLayerInfo> {
    Some(HighLayerInfo { kind: HighLayerType(bhli.kind), octets: Octets::new(bhli.info.clone())? })
}

/// Reads `0.100`: VPI and VCI.
pub(crate) fn vpvc(text: &str) -> Option<VpVc> {
    let (vpi, vci) = text.split_once('.')?;
    let (vpi, vci) = (vpi.parse().ok()?, vci.parse().ok()?);
    (vpi <= 255 && vci > 0).then(|| VpVc::new(vpi, vci))
}

/// Reads a version of the UNI.
pub(crate) fn version(text: &str) -> Option<Version> {
    VERSIONS.iter().find(|(name, _)| *name == text).map(|(_, version)| *version)
}

pub(crate) const VERSIONS: [(&str, Version); 3] =
    [("3.0", Version::Uni30), ("3.1", Version::Uni31), ("4.0", Version::Uni40)];

/// Reads the six octets of an end system, in hex, with colons or dots where one likes.
pub(crate) fn esi(text: &str) -> Option<Esi> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '.' | '-')).collect();
    hex(&digits)?.try_into().ok().map(Esi)
}

/// Reads the 13 octets of a network prefix.
pub(crate) fn prefix(text: &str) -> Option<[u8; AtmAddress::PREFIX_OCTETS]> {
    let digits: String = text.chars().filter(|c| *c != '.').collect();
    hex(&digits)?.try_into().ok()
}

/// Octets in hex.
pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// An address with another selector.
pub(crate) fn with_selector(address: &AtmAddress, selector: u8) -> AtmAddress {
    match address {
        AtmAddress::Nsap(octets) => {
            let mut octets = *octets;
            octets[19] = selector;
            AtmAddress::Nsap(octets)
        }
        other => other.clone(),
    }
}

const TR_9577: u8 = 0x0b;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_the_same_for_a_call_and_for_a_sap() {
        assert_eq!(Layers::parse("llc").unwrap().to_info(), LowLayerInfo::LLC);
        assert_eq!(Layers::parse("snap:0000000800").unwrap().to_info(), LowLayerInfo::snap([0; 3], 0x0800));
        let both = Layers::parse("l2:0c+ip").unwrap();
        assert_eq!(both.to_fields().0, Field::Is(Layer2::LLC));
        assert!(matches!(both.to_fields().1, Field::Is(Layer3 { ipi: Some(0xcc), .. })));
        for wrong in ["", "lcc", "l2:", "l2:20", "l2:0c+llc", "snap:00", "user2:80", "l3:zz"] {
            assert_eq!(Layers::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn small_values() {
        assert_eq!(vpvc("0.100"), Some(VpVc::new(0, 100)));
        assert_eq!(esi("00:20:48:0b:00:02"), Some(Esi([0, 0x20, 0x48, 0x0b, 0, 2])));
        assert_eq!(bhli("user:0123"), Some(Bhli { kind: 1, info: vec![1, 0x23] }));
        assert_eq!(prefix("47.0005.80.ffe100.0000.f21a.0001").map(|prefix| prefix[0]), Some(0x47));
        assert!(vpvc("0.0").is_none() && vpvc("256.1").is_none() && vpvc("1").is_none());
        assert!(
            esi("00:20").is_none() && bhli("user:010203040506070809").is_none() && prefix("47").is_none()
        );
    }
}
