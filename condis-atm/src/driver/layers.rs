//! What a call says of the layers above ATM: ATM_BLLI_IE and ATM_BHLI_IE, as SAPs and PVCs have them.
//!
//! Source: `atm.h`, whose codes are those of Q.2931 §4.5.8 and §4.5.9 (text not read).

use super::ParamsError;
use super::shapes::{FIELD_ABSENT, FIELD_ANY, Reader};
use crate::q2931::wire;

/// What a SAP says of something in a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field<T> {
    /// It must not be there.
    #[doc(alias = "SAP_FIELD_ABSENT")]
    Absent,
    /// It does not matter.
    #[doc(alias = "SAP_FIELD_ANY")]
    Any,
    /// It must be this.
    Is(T),
}

impl<T> Field<T> {
    /// Whether what a call says fits, and then whether it had to.
    pub(super) fn fits(&self, theirs: Option<&T>, same: impl Fn(&T, &T) -> bool) -> Option<bool> {
        match (self, theirs) {
            (Field::Any, _) => Some(false),
            (Field::Absent, None) => Some(true),
            (Field::Is(here), Some(theirs)) => same(here, theirs).then_some(true),
            (Field::Absent, Some(_)) | (Field::Is(_), None) => None,
        }
    }
}

/// Layer 2 of a low layer information: its protocol. Mode and window are negotiated and choose no SAP.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Layer2 {
    /// Its code: 0x0C is LLC (ISO 8802-2), 0x10 the user's own.
    pub protocol: u8,
    /// The user's protocol, if it is one.
    pub user: Option<u8>,
}

/// Layer 3 of a low layer information.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Layer3 {
    /// Its code: 0x0B is ISO/IEC TR 9577, 0x10 the user's own.
    pub protocol: u8,
    /// The user's protocol, if it is one.
    pub user: Option<u8>,
    /// The initial protocol identifier of TR 9577: 0xCC is IP, 0x80 SNAP.
    pub ipi: Option<u8>,
    /// OUI and PID, if the IPI is SNAP.
    pub snap: Option<[u8; 5]>,
}

impl Layer2 {
    /// `ISO/IEC 8802-2`, as Classical IP has it (RFC 2225 appendix B).
    pub const LLC: Layer2 = Layer2 { protocol: 0x0C, user: None };

    pub(super) fn is_for(&self, theirs: &Layer2) -> bool {
        self == theirs
    }
}

impl Layer3 {
    pub(super) fn is_for(&self, theirs: &Layer3) -> bool {
        let same = |here: Option<u8>, theirs| here.is_none() || here == theirs;
        self.protocol == theirs.protocol
            && same(self.user, theirs.user)
            && same(self.ipi, theirs.ipi)
            && (self.snap.is_none() || self.snap == theirs.snap)
    }
}

/// A high layer information.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[doc(alias = "ATM_BHLI_IE")]
pub struct Bhli {
    /// 0 ISO, 1 user specific, 2 high layer profile, 3 vendor specific application.
    pub kind: u8,
    /// Up to 8 octets.
    pub info: Vec<u8>,
}

/// Octets of a high layer information.
pub(super) const BHLI_INFO_MAX: usize = 8;

pub(super) fn put_blli(out: &mut Vec<u8>, layer2: &Field<Layer2>, layer3: &Field<Layer3>) {
    let word = |octet: Option<u8>| octet.map_or(FIELD_ABSENT, u32::from);
    let (protocol, user) = match layer2 {
        Field::Absent => (FIELD_ABSENT, FIELD_ABSENT),
        Field::Any => (FIELD_ANY, FIELD_ANY),
        Field::Is(layer2) => (u32::from(layer2.protocol), word(layer2.user)),
    };
    out.extend(protocol.to_le_bytes());
    out.extend([0; 4]);
    out.extend(user.to_le_bytes());
    let (protocol, user, ipi, snap) = match layer3 {
        Field::Absent => (FIELD_ABSENT, FIELD_ABSENT, FIELD_ABSENT, None),
        Field::Any => (FIELD_ANY, FIELD_ANY, FIELD_ANY, None),
        Field::Is(layer3) => (u32::from(layer3.protocol), word(layer3.user), word(layer3.ipi), layer3.snap),
    };
    out.extend(protocol.to_le_bytes());
    out.extend([0; 4]);
    out.extend(user.to_le_bytes());
    out.extend(ipi.to_le_bytes());
    out.extend(snap.unwrap_or_default());
    out.extend([0; 3]);
}

pub(super) fn take_blli(from: &mut Reader<'_>) -> Result<(Field<Layer2>, Field<Layer3>), ParamsError> {
    let octet = |word: u32| match word {
        FIELD_ABSENT | FIELD_ANY => Ok(None),
        word => u8::try_from(word).map(Some).map_err(|_| ParamsError::LayerInfo),
    };
    let protocol = from.u32()?;
    from.octets(4)?;
    let user = from.u32()?;
    let layer2 = match protocol {
        FIELD_ABSENT => Field::Absent,
        FIELD_ANY => Field::Any,
        protocol => Field::Is(Layer2 {
            protocol: u8::try_from(protocol).map_err(|_| ParamsError::LayerInfo)?,
            user: octet(user)?,
        }),
    };
    let protocol = from.u32()?;
    from.octets(4)?;
    let (user, ipi, snap) = (from.u32()?, from.u32()?, from.array::<5>()?);
    from.octets(3)?;
    let layer3 = match protocol {
        FIELD_ABSENT => Field::Absent,
        FIELD_ANY => Field::Any,
        protocol => {
            let ipi = octet(ipi)?;
            Field::Is(Layer3 {
                protocol: u8::try_from(protocol).map_err(|_| ParamsError::LayerInfo)?,
                user: octet(user)?,
                ipi,
                snap: (ipi == Some(IPI_SNAP)).then_some(snap),
            })
        }
    };
    Ok((layer2, layer3))
}

pub(super) fn put_bhli(out: &mut Vec<u8>, bhli: &Field<Bhli>) {
    let mut info = [0; BHLI_INFO_MAX];
    let (kind, len) = match bhli {
        Field::Absent => (FIELD_ABSENT, 0),
        Field::Any => (FIELD_ANY, 0),
        Field::Is(bhli) => {
            let len = bhli.info.len().min(BHLI_INFO_MAX);
            info[..len].copy_from_slice(&bhli.info[..len]);
            (u32::from(bhli.kind), len as u32)
        }
    };
    out.extend(kind.to_le_bytes());
    out.extend(len.to_le_bytes());
    out.extend(info);
}

pub(super) fn take_bhli(from: &mut Reader<'_>) -> Result<Field<Bhli>, ParamsError> {
    let (kind, len, info) = (from.u32()?, from.u32()?, from.array::<BHLI_INFO_MAX>()?);
    Ok(match kind {
        FIELD_ABSENT => Field::Absent,
        FIELD_ANY => Field::Any,
        kind => Field::Is(Bhli {
            kind: u8::try_from(kind).map_err(|_| ParamsError::LayerInfo)?,
            info: usize::try_from(len)
                .ok()
                .and_then(|len| info.get(..len))
                .ok_or(ParamsError::LayerInfo)?
                .to_vec(),
        }),
    })
}

/// The IPI of SNAP.
const IPI_SNAP: u8 = 0x80;

/// Layers 2 and 3 of a low layer information.
pub(super) type Low = (Option<Layer2>, Option<Layer3>);

/// What a SAP looks at in a low layer information.
pub(super) fn low_of(info: &wire::LowLayerInfo) -> Low {
    let layer2 = info.layer2.map(|layer| Layer2 {
        protocol: layer.protocol.0,
        user: match layer.detail {
            wire::Layer2Detail::User(user) => Some(user),
            _ => None,
        },
    });
    let layer3 = info.layer3.map(|layer| {
        let (user, ipi, snap) = match layer.detail {
            wire::Layer3Detail::User(user) => (Some(user), None, None),
            wire::Layer3Detail::Ipi(ipi) => (None, Some(ipi), None),
            wire::Layer3Detail::Snap { oui: [a, b, c], pid } => {
                let [d, e] = pid.to_be_bytes();
                (None, Some(IPI_SNAP), Some([a, b, c, d, e]))
            }
            _ => (None, None, None),
        };
        Layer3 { protocol: layer.protocol.0, user, ipi, snap }
    });
    (layer2, layer3)
}

impl Bhli {
    pub(super) fn of(info: &wire::HighLayerInfo) -> Bhli {
        Bhli { kind: info.kind.0, info: info.octets.to_vec() }
    }
}
