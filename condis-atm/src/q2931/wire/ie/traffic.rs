//! ATM traffic descriptors: asked for, as an alternative, and the least that is acceptable (Q.2931 §4.5.6,
//! Q.2961, Q.2962, UNI 3.1 §5.4.5.6, UNI 4.0 §2.0).

use std::fmt;

use crate::q2931::wire::codec::{Body, ContentError, Reader, Sink, U24_MAX, once};

/// What one direction asks for. Rates in cells a second, bursts in cells; 24 bits each on the wire, a greater
/// number is sent as the greatest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CellRates {
    /// Peak cell rate, CLP 0.
    pub pcr0: Option<u32>,
    /// Peak cell rate, CLP 0+1.
    pub pcr01: Option<u32>,
    /// Sustainable cell rate, CLP 0.
    pub scr0: Option<u32>,
    /// Sustainable cell rate, CLP 0+1.
    pub scr01: Option<u32>,
    /// Maximum burst size, CLP 0.
    pub mbs0: Option<u32>,
    /// Maximum burst size, CLP 0+1.
    pub mbs01: Option<u32>,
    /// ABR's minimum cell rate, CLP 0+1 (UNI 4.0).
    pub mcr01: Option<u32>,
}

/// What may be done with cells beyond the contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TrafficOptions {
    /// Whole frames are discarded, forward (UNI 4.0).
    pub forward_frame_discard: bool,
    /// Whole frames are discarded, backward (UNI 4.0).
    pub backward_frame_discard: bool,
    /// Cells are tagged, forward.
    pub forward_tagging: bool,
    /// Cells are tagged, backward.
    pub backward_tagging: bool,
}

/// ATM traffic descriptor. Forward is from the side that calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TrafficDescriptor {
    /// From caller to called.
    pub forward: CellRates,
    /// From called to caller.
    pub backward: CellRates,
    /// Best effort: nothing is guaranteed.
    pub best_effort: bool,
    /// The traffic management options, if that octet is there.
    pub options: Option<TrafficOptions>,
}

/// A second traffic descriptor that would do (Q.2962, UNI 4.0).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AlternativeTrafficDescriptor(pub TrafficDescriptor);

/// The least that would do (Q.2962, UNI 4.0): peak rates, and ABR's minimum rates.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MinimumTrafficDescriptor {
    /// From caller to called; only `pcr0`, `pcr01` and `mcr01` are sent.
    pub forward: CellRates,
    /// From called to caller; the same.
    pub backward: CellRates,
}

/// Identifiers of subfields, as they stand also in the diagnostics of cause 37. That of the backward
/// direction is one more.
pub mod subfield {
    /// Peak, CLP 0.
    pub const PCR0: u8 = 0x82;
    /// Peak, CLP 0+1.
    pub const PCR01: u8 = 0x84;
    /// Sustainable, CLP 0.
    pub const SCR0: u8 = 0x88;
    /// Sustainable, CLP 0+1.
    pub const SCR01: u8 = 0x90;
    /// ABR minimum, CLP 0+1.
    pub const MCR01: u8 = 0x92;
    /// Burst, CLP 0.
    pub const MBS0: u8 = 0xa0;
    /// Burst, CLP 0+1.
    pub const MBS01: u8 = 0xb0;
    /// Best effort; has no value.
    pub const BEST_EFFORT: u8 = 0xbe;
    /// Traffic management options.
    pub const OPTIONS: u8 = 0xbf;
}

const FORWARD_DISCARD: u8 = 0x80;
const BACKWARD_DISCARD: u8 = 0x40;
const BACKWARD_TAGGING: u8 = 0x02;
const FORWARD_TAGGING: u8 = 0x01;

impl CellRates {
    /// A peak of all cells and nothing else.
    pub const fn peak(pcr01: u32) -> CellRates {
        CellRates {
            pcr0: None,
            pcr01: Some(pcr01),
            scr0: None,
            scr01: None,
            mbs0: None,
            mbs01: None,
            mcr01: None,
        }
    }

    /// Subfields in the order in which they are sent.
    const fn fields(&self) -> [(u8, Option<u32>); 7] {
        [
            (subfield::PCR0, self.pcr0),
            (subfield::PCR01, self.pcr01),
            (subfield::SCR0, self.scr0),
            (subfield::SCR01, self.scr01),
            (subfield::MBS0, self.mbs0),
            (subfield::MBS01, self.mbs01),
            (subfield::MCR01, self.mcr01),
        ]
    }

    fn slot(&mut self, forward_id: u8) -> Option<&mut Option<u32>> {
        match forward_id {
            subfield::PCR0 => Some(&mut self.pcr0),
            subfield::PCR01 => Some(&mut self.pcr01),
            subfield::SCR0 => Some(&mut self.scr0),
            subfield::SCR01 => Some(&mut self.scr01),
            subfield::MBS0 => Some(&mut self.mbs0),
            subfield::MBS01 => Some(&mut self.mbs01),
            subfield::MCR01 => Some(&mut self.mcr01),
            _ => None,
        }
    }

    fn minimum_only(&self) -> CellRates {
        CellRates { pcr0: self.pcr0, pcr01: self.pcr01, mcr01: self.mcr01, ..CellRates::default() }
    }
}

impl TrafficDescriptor {
    /// The directions, exchanged.
    pub fn reversed(&self) -> TrafficDescriptor {
        TrafficDescriptor {
            forward: self.backward,
            backward: self.forward,
            best_effort: self.best_effort,
            options: self.options.map(|options| TrafficOptions {
                forward_frame_discard: options.backward_frame_discard,
                backward_frame_discard: options.forward_frame_discard,
                forward_tagging: options.backward_tagging,
                backward_tagging: options.forward_tagging,
            }),
        }
    }
}

impl TrafficOptions {
    fn from_octet(octet: u8) -> TrafficOptions {
        TrafficOptions {
            forward_frame_discard: octet & FORWARD_DISCARD != 0,
            backward_frame_discard: octet & BACKWARD_DISCARD != 0,
            forward_tagging: octet & FORWARD_TAGGING != 0,
            backward_tagging: octet & BACKWARD_TAGGING != 0,
        }
    }

    fn octet(self) -> u8 {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        bit(self.forward_frame_discard, FORWARD_DISCARD)
            | bit(self.backward_frame_discard, BACKWARD_DISCARD)
            | bit(self.forward_tagging, FORWARD_TAGGING)
            | bit(self.backward_tagging, BACKWARD_TAGGING)
    }
}

/// One subfield of a rate or burst, whichever direction its identifier says.
fn read_rate(
    id: u8,
    forward: &mut CellRates,
    backward: &mut CellRates,
    from: &mut Reader<'_>,
) -> Result<(), ContentError> {
    let direction = if id & 1 == 0 { forward } else { backward };
    let slot = direction.slot(id & !1).ok_or(ContentError::UnknownSubfield(id))?;
    once(slot, id, from.u24()?)
}

fn write_rates(forward: &CellRates, backward: &CellRates, to: &mut impl Sink) {
    for ((id, forward), (_, backward)) in forward.fields().into_iter().zip(backward.fields()) {
        for (id, value) in [(id, forward), (id | 1, backward)] {
            if let Some(value) = value {
                let [_, high, middle, low] = value.min(U24_MAX).to_be_bytes();
                to.put(&[id, high, middle, low]);
            }
        }
    }
}

impl Body for TrafficDescriptor {
    fn decode(from: &mut Reader<'_>) -> Result<TrafficDescriptor, ContentError> {
        let mut descriptor = TrafficDescriptor::default();
        while !from.is_empty() {
            match from.u8()? {
                subfield::BEST_EFFORT if descriptor.best_effort => {
                    return Err(ContentError::RepeatedSubfield(subfield::BEST_EFFORT));
                }
                subfield::BEST_EFFORT => descriptor.best_effort = true,
                subfield::OPTIONS => {
                    let options = TrafficOptions::from_octet(from.u8()?);
                    once(&mut descriptor.options, subfield::OPTIONS, options)?;
                }
                id => read_rate(id, &mut descriptor.forward, &mut descriptor.backward, from)?,
            }
        }
        Ok(descriptor)
    }

    fn encode(&self, to: &mut impl Sink) {
        write_rates(&self.forward, &self.backward, to);
        if self.best_effort {
            to.put(&[subfield::BEST_EFFORT]);
        }
        if let Some(options) = self.options {
            to.put(&[subfield::OPTIONS, options.octet()]);
        }
    }
}

impl Body for AlternativeTrafficDescriptor {
    fn decode(from: &mut Reader<'_>) -> Result<AlternativeTrafficDescriptor, ContentError> {
        Body::decode(from).map(AlternativeTrafficDescriptor)
    }

    fn encode(&self, to: &mut impl Sink) {
        self.0.encode(to);
    }
}

impl Body for MinimumTrafficDescriptor {
    fn decode(from: &mut Reader<'_>) -> Result<MinimumTrafficDescriptor, ContentError> {
        let mut minimum = MinimumTrafficDescriptor::default();
        while !from.is_empty() {
            let id = from.u8()?;
            if !matches!(id & !1, subfield::PCR0 | subfield::PCR01 | subfield::MCR01) {
                return Err(ContentError::UnknownSubfield(id));
            }
            read_rate(id, &mut minimum.forward, &mut minimum.backward, from)?;
        }
        Ok(minimum)
    }

    fn encode(&self, to: &mut impl Sink) {
        write_rates(&self.forward.minimum_only(), &self.backward.minimum_only(), to);
    }
}

/// ` pcr 353207/0 scr …`: forward/backward, a dash where it is not said; CLP 0 marked.
fn print_rates(forward: &CellRates, backward: &CellRates, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let names = ["pcr0", "pcr", "scr0", "scr", "mbs0", "mbs", "mcr"];
    for ((name, (_, forward)), (_, backward)) in names.iter().zip(forward.fields()).zip(backward.fields()) {
        if forward.is_none() && backward.is_none() {
            continue;
        }
        write!(f, " {name} ")?;
        match forward {
            Some(value) => write!(f, "{value}/")?,
            None => f.write_str("-/")?,
        }
        match backward {
            Some(value) => write!(f, "{value}")?,
            None => f.write_str("-")?,
        }
    }
    Ok(())
}

/// `traffic pcr 353207/0 best-effort`: rates forward/backward, of CLP 0+1 unless a 0 says of CLP 0.
impl fmt::Display for TrafficDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("traffic")?;
        print_rates(&self.forward, &self.backward, f)?;
        if self.best_effort {
            f.write_str(" best-effort")?;
        }
        let Some(options) = self.options else { return Ok(()) };
        for (what, forward, backward) in [
            ("discard", options.forward_frame_discard, options.backward_frame_discard),
            ("tagging", options.forward_tagging, options.backward_tagging),
        ] {
            let yes = |set: bool| if set { "yes" } else { "no" };
            write!(f, " {what} {}/{}", yes(forward), yes(backward))?;
        }
        Ok(())
    }
}

impl fmt::Display for AlternativeTrafficDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "alternative {}", self.0)
    }
}

impl fmt::Display for MinimumTrafficDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("minimum traffic")?;
        print_rates(&self.forward, &self.backward, f)
    }
}
