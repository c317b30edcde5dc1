//! Parameters of the available bit rate (UNI 4.0 §10) and the minimum desired cell rate (af-cs-0147.000).

use std::fmt;

use crate::q2931::wire::codec::{Body, ContentError, Reader, Sink, once, put_u24};

/// ABR setup parameters. Rates in cells a second and exposures in cells have 24 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AbrSetup {
    /// From caller to called.
    pub forward: AbrDirection,
    /// From called to caller.
    pub backward: AbrDirection,
    /// Cumulative round trip time of resource management cells, in microseconds; always there in what may be
    /// sent.
    pub round_trip_us: Option<u32>,
}

/// Of one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AbrDirection {
    /// Initial cell rate.
    pub icr: Option<u32>,
    /// Transient buffer exposure.
    pub tbe: Option<u32>,
    /// Rate increase factor, as a negative power of two.
    pub rif: Option<u8>,
    /// Rate decrease factor, as a negative power of two.
    pub rdf: Option<u8>,
}

/// Additional ABR parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AbrAdditional {
    /// From caller to called.
    pub forward: Option<AbrRecord>,
    /// From called to caller.
    pub backward: Option<AbrRecord>,
}

/// Four parameters, packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AbrRecord {
    /// Nrm (3 bits).
    pub nrm: Option<u8>,
    /// Trm (3 bits).
    pub trm: Option<u8>,
    /// CDF (3 bits).
    pub cdf: Option<u8>,
    /// ADTF (10 bits).
    pub adtf: Option<u16>,
}

/// Minimum desired cell rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MinimumDesiredCellRate {
    /// 0 user, 1 network.
    pub origin: u8,
    /// From caller to called, in cells a second.
    pub forward: Option<u32>,
    /// From called to caller.
    pub backward: Option<u32>,
}

const ICR: u8 = 0xc2;
const TBE: u8 = 0xc4;
const ROUND_TRIP: u8 = 0xc6;
const RIF: u8 = 0xc8;
const RDF: u8 = 0xca;
const FORWARD_RECORD: u8 = 0xc2;
const BACKWARD_RECORD: u8 = 0xc3;
const FORWARD_MDCR: u8 = 0x00;
const BACKWARD_MDCR: u8 = 0x02;

impl Body for AbrSetup {
    fn decode(from: &mut Reader<'_>) -> Result<AbrSetup, ContentError> {
        let mut setup = AbrSetup::default();
        while !from.is_empty() {
            let id = from.u8()?;
            if id == ROUND_TRIP {
                once(&mut setup.round_trip_us, id, from.u24()?)?;
                continue;
            }
            let direction = if id & 1 == 0 { &mut setup.forward } else { &mut setup.backward };
            match id & !1 {
                ICR => once(&mut direction.icr, id, from.u24()?)?,
                TBE => once(&mut direction.tbe, id, from.u24()?)?,
                RIF => once(&mut direction.rif, id, from.u8()?)?,
                RDF => once(&mut direction.rdf, id, from.u8()?)?,
                _ => return Err(ContentError::UnknownSubfield(id)),
            }
        }
        Ok(setup)
    }

    fn encode(&self, to: &mut impl Sink) {
        let wide = [
            (ICR, self.forward.icr),
            (ICR | 1, self.backward.icr),
            (TBE, self.forward.tbe),
            (TBE | 1, self.backward.tbe),
            (ROUND_TRIP, self.round_trip_us),
        ];
        for (id, value) in wide {
            if let Some(value) = value {
                to.put(&[id]);
                put_u24(to, value);
            }
        }
        let narrow = [
            (RIF, self.forward.rif),
            (RIF | 1, self.backward.rif),
            (RDF, self.forward.rdf),
            (RDF | 1, self.backward.rdf),
        ];
        for (id, value) in narrow {
            if let Some(value) = value {
                to.put(&[id, value]);
            }
        }
    }
}

impl AbrRecord {
    fn from_word(word: u32) -> AbrRecord {
        AbrRecord {
            nrm: (word >> 31 & 1 == 1).then_some((word >> 25 & 7) as u8),
            trm: (word >> 30 & 1 == 1).then_some((word >> 22 & 7) as u8),
            cdf: (word >> 29 & 1 == 1).then_some((word >> 19 & 7) as u8),
            adtf: (word >> 28 & 1 == 1).then_some((word >> 9 & 0x3ff) as u16),
        }
    }

    /// Four bits say what is there, then 3, 3, 3 and 10 bits of value.
    fn word(self) -> u32 {
        let field = |flag: u32, shift: u32, mask: u32, value: Option<u32>| {
            value.map_or(0, |value| 1 << flag | (value & mask) << shift)
        };
        field(31, 25, 7, self.nrm.map(u32::from))
            | field(30, 22, 7, self.trm.map(u32::from))
            | field(29, 19, 7, self.cdf.map(u32::from))
            | field(28, 9, 0x3ff, self.adtf.map(u32::from))
    }
}

impl Body for AbrAdditional {
    fn decode(from: &mut Reader<'_>) -> Result<AbrAdditional, ContentError> {
        let mut additional = AbrAdditional::default();
        while !from.is_empty() {
            let id = from.u8()?;
            match id {
                FORWARD_RECORD => once(&mut additional.forward, id, AbrRecord::from_word(from.u32()?))?,
                BACKWARD_RECORD => once(&mut additional.backward, id, AbrRecord::from_word(from.u32()?))?,
                unknown => return Err(ContentError::UnknownSubfield(unknown)),
            }
        }
        Ok(additional)
    }

    fn encode(&self, to: &mut impl Sink) {
        for (id, record) in [(FORWARD_RECORD, self.forward), (BACKWARD_RECORD, self.backward)] {
            if let Some(record) = record {
                to.put(&[id]);
                to.put(&record.word().to_be_bytes());
            }
        }
    }
}

impl Body for MinimumDesiredCellRate {
    fn decode(from: &mut Reader<'_>) -> Result<MinimumDesiredCellRate, ContentError> {
        let mut rate = MinimumDesiredCellRate { origin: from.u8()?, ..Default::default() };
        while !from.is_empty() {
            let id = from.u8()?;
            match id {
                FORWARD_MDCR => once(&mut rate.forward, id, from.u24()?)?,
                BACKWARD_MDCR => once(&mut rate.backward, id, from.u24()?)?,
                unknown => return Err(ContentError::UnknownSubfield(unknown)),
            }
        }
        Ok(rate)
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[self.origin]);
        for (id, value) in [(FORWARD_MDCR, self.forward), (BACKWARD_MDCR, self.backward)] {
            if let Some(value) = value {
                to.put(&[id]);
                put_u24(to, value);
            }
        }
    }
}

/// ` word forward/backward`, a dash where it is not said.
fn print_pair(
    f: &mut fmt::Formatter<'_>,
    word: &str,
    forward: Option<u32>,
    backward: Option<u32>,
) -> fmt::Result {
    if forward.is_none() && backward.is_none() {
        return Ok(());
    }
    let side = |value: Option<u32>| value.map_or("-".to_owned(), |value| value.to_string());
    write!(f, " {word} {}/{}", side(forward), side(backward))
}

impl fmt::Display for AbrSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("abr-setup")?;
        let (forward, backward) = (&self.forward, &self.backward);
        print_pair(f, "icr", forward.icr, backward.icr)?;
        print_pair(f, "tbe", forward.tbe, backward.tbe)?;
        print_pair(f, "rif", forward.rif.map(u32::from), backward.rif.map(u32::from))?;
        print_pair(f, "rdf", forward.rdf.map(u32::from), backward.rdf.map(u32::from))?;
        self.round_trip_us.map_or(Ok(()), |us| write!(f, " round-trip {us} us"))
    }
}

impl fmt::Display for AbrAdditional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("abr-additional")?;
        let (forward, backward) = (self.forward.unwrap_or_default(), self.backward.unwrap_or_default());
        print_pair(f, "nrm", forward.nrm.map(u32::from), backward.nrm.map(u32::from))?;
        print_pair(f, "trm", forward.trm.map(u32::from), backward.trm.map(u32::from))?;
        print_pair(f, "cdf", forward.cdf.map(u32::from), backward.cdf.map(u32::from))?;
        print_pair(f, "adtf", forward.adtf.map(u32::from), backward.adtf.map(u32::from))
    }
}

impl fmt::Display for MinimumDesiredCellRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mdcr of {}", if self.origin == 0 { "user" } else { "network" })?;
        print_pair(f, "rate", self.forward, self.backward)
    }
}
