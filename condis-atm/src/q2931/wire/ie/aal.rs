//! AAL parameters: what the ends do above the cells (Q.2931 §4.5.5, UNI 3.1 §5.4.5.5).

use std::fmt;

use crate::q2931::wire::Octets;
use crate::q2931::wire::code_points::code_points;
use crate::q2931::wire::codec::{Body, ContentError, Reader, Sink, once};

/// What the ends do above the cells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AalParameters {
    /// AAL type 1.
    Aal1(Aal1),
    /// AAL type 3/4.
    Aal34(Aal34),
    /// AAL type 5.
    Aal5(Aal5),
    /// Defined by the user: up to four octets.
    User(Octets<4>),
    /// Another type: 0 is voice, 2 is AAL type 2.
    Other {
        /// AAL type, none of 1, 3, 5 and 16.
        aal_type: u8,
        /// What follows.
        octets: Octets<16>,
    },
}

/// Of AAL type 1. Subtype and CBR rate are always there in what may be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Aal1 {
    /// What it carries.
    pub subtype: Option<Aal1Subtype>,
    /// At which rate.
    pub cbr_rate: Option<CbrRate>,
    /// How many times 64 or 8 kbit/s.
    pub multiplier: Option<u16>,
    /// How the clock is recovered.
    pub clock_recovery: Option<ClockRecovery>,
    /// How errors are corrected.
    pub error_correction: Option<ErrorCorrection>,
    /// Octets of a block of structured data transfer.
    pub block_octets: Option<u16>,
    /// Octets of a cell that are filled, of 47.
    pub filled_octets: Option<u8>,
}

/// Of AAL type 3/4.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Aal34 {
    /// Octets of the longest CPCS-SDU, from caller to called.
    pub forward_max_sdu: Option<u16>,
    /// Octets of the longest CPCS-SDU, from called to caller.
    pub backward_max_sdu: Option<u16>,
    /// Lowest and highest MID.
    pub mid_range: Option<(u16, u16)>,
    /// Message or streaming (UNI 3.0).
    pub mode: Option<AalMode>,
    /// The service specific part.
    pub sscs: Option<Sscs>,
}

/// Of AAL type 5.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Aal5 {
    /// Octets of the longest CPCS-SDU, from caller to called.
    pub forward_max_sdu: Option<u16>,
    /// Octets of the longest CPCS-SDU, from called to caller.
    pub backward_max_sdu: Option<u16>,
    /// Message or streaming (UNI 3.0).
    pub mode: Option<AalMode>,
    /// The service specific part.
    pub sscs: Option<Sscs>,
}

code_points! {
    /// What AAL type 1 carries.
    Aal1Subtype {
        NULL = 0, "null";
        VOICE = 1, "64 kbit/s voice";
        CIRCUIT = 2, "circuit";
        CIRCUIT_ASYNCHRONOUS = 3, "circuit, asynchronous";
        AUDIO = 4, "high quality audio";
        VIDEO = 5, "video";
    }
}

code_points! {
    /// A constant bit rate.
    CbrRate {
        K64 = 0x01, "64 kbit/s";
        K1544 = 0x04, "1544 kbit/s";
        K6312 = 0x05, "6312 kbit/s";
        K32064 = 0x06, "32064 kbit/s";
        K44736 = 0x07, "44736 kbit/s";
        K97728 = 0x08, "97728 kbit/s";
        K2048 = 0x10, "2048 kbit/s";
        K8448 = 0x11, "8448 kbit/s";
        K34368 = 0x12, "34368 kbit/s";
        K139264 = 0x13, "139264 kbit/s";
        N_TIMES_64 = 0x40, "n x 64 kbit/s";
        N_TIMES_8 = 0x41, "n x 8 kbit/s";
    }
}

code_points! {
    /// How AAL type 1 recovers the source's clock.
    ClockRecovery {
        NULL = 0, "null";
        SRTS = 1, "SRTS";
        ADAPTIVE = 2, "adaptive";
    }
}

code_points! {
    /// How AAL type 1 corrects errors.
    ErrorCorrection {
        NULL = 0, "null";
        LOSS_SENSITIVE = 1, "FEC for loss";
        DELAY_SENSITIVE = 2, "FEC for delay";
    }
}

code_points! {
    /// Message or streaming; UNI 3.0 only.
    AalMode {
        MESSAGE = 1, "message";
        STREAMING = 2, "streaming";
    }
}

code_points! {
    /// The service specific convergence sublayer.
    Sscs {
        NULL = 0, "null";
        SSCOP_ASSURED = 1, "SSCOP assured";
        SSCOP_UNASSURED = 2, "SSCOP non-assured";
        FRAME_RELAY = 4, "frame relay";
    }
}

/// AAL types.
const AAL1: u8 = 1;
const AAL34: u8 = 3;
const AAL5: u8 = 5;
const USER: u8 = 16;

/// Subfield identifiers.
const BACKWARD_MAX_SDU: u8 = 0x81;
const MID_RANGE: u8 = 0x82;
const MODE: u8 = 0x83;
const SSCS: u8 = 0x84;
const SUBTYPE: u8 = 0x85;
const CBR_RATE: u8 = 0x86;
const MULTIPLIER: u8 = 0x87;
const CLOCK_RECOVERY: u8 = 0x88;
const ERROR_CORRECTION: u8 = 0x89;
const BLOCK: u8 = 0x8a;
const FILLED: u8 = 0x8b;
const FORWARD_MAX_SDU: u8 = 0x8c;

impl AalParameters {
    /// AAL 5 with these longest SDUs, in octets, and no service specific part.
    pub const fn aal5(forward_max_sdu: u16, backward_max_sdu: u16) -> AalParameters {
        AalParameters::Aal5(Aal5 {
            forward_max_sdu: Some(forward_max_sdu),
            backward_max_sdu: Some(backward_max_sdu),
            mode: None,
            sscs: Some(Sscs::NULL),
        })
    }
}

impl Body for AalParameters {
    fn decode(from: &mut Reader<'_>) -> Result<AalParameters, ContentError> {
        match from.u8()? {
            AAL1 => Aal1::decode(from).map(AalParameters::Aal1),
            AAL34 => Aal34::decode(from).map(AalParameters::Aal34),
            AAL5 => Aal5::decode(from).map(AalParameters::Aal5),
            USER => from.octets().map(AalParameters::User),
            aal_type => Ok(AalParameters::Other { aal_type, octets: from.octets()? }),
        }
    }

    fn encode(&self, to: &mut impl Sink) {
        match self {
            AalParameters::Aal1(aal) => {
                to.put(&[AAL1]);
                aal.encode(to);
            }
            AalParameters::Aal34(aal) => {
                to.put(&[AAL34]);
                aal.encode(to);
            }
            AalParameters::Aal5(aal) => {
                to.put(&[AAL5]);
                aal.encode(to);
            }
            AalParameters::User(octets) => {
                to.put(&[USER]);
                to.put(octets);
            }
            AalParameters::Other { aal_type, octets } => {
                to.put(&[*aal_type]);
                to.put(octets);
            }
        }
    }
}

fn put_u8(to: &mut impl Sink, id: u8, value: Option<u8>) {
    if let Some(value) = value {
        to.put(&[id, value]);
    }
}

fn put_u16(to: &mut impl Sink, id: u8, value: Option<u16>) {
    if let Some(value) = value {
        let [high, low] = value.to_be_bytes();
        to.put(&[id, high, low]);
    }
}

impl Body for Aal1 {
    fn decode(from: &mut Reader<'_>) -> Result<Aal1, ContentError> {
        let mut aal = Aal1::default();
        while !from.is_empty() {
            let id = from.u8()?;
            match id {
                SUBTYPE => once(&mut aal.subtype, id, Aal1Subtype(from.u8()?))?,
                CBR_RATE => once(&mut aal.cbr_rate, id, CbrRate(from.u8()?))?,
                MULTIPLIER => once(&mut aal.multiplier, id, from.u16()?)?,
                CLOCK_RECOVERY => once(&mut aal.clock_recovery, id, ClockRecovery(from.u8()?))?,
                ERROR_CORRECTION => once(&mut aal.error_correction, id, ErrorCorrection(from.u8()?))?,
                BLOCK => once(&mut aal.block_octets, id, from.u16()?)?,
                FILLED => once(&mut aal.filled_octets, id, from.u8()?)?,
                unknown => return Err(ContentError::UnknownSubfield(unknown)),
            }
        }
        Ok(aal)
    }

    fn encode(&self, to: &mut impl Sink) {
        put_u8(to, SUBTYPE, self.subtype.map(|subtype| subtype.0));
        put_u8(to, CBR_RATE, self.cbr_rate.map(|rate| rate.0));
        put_u16(to, MULTIPLIER, self.multiplier);
        put_u8(to, CLOCK_RECOVERY, self.clock_recovery.map(|method| method.0));
        put_u8(to, ERROR_CORRECTION, self.error_correction.map(|method| method.0));
        put_u16(to, BLOCK, self.block_octets);
        put_u8(to, FILLED, self.filled_octets);
    }
}

impl Body for Aal34 {
    fn decode(from: &mut Reader<'_>) -> Result<Aal34, ContentError> {
        let mut aal = Aal34::default();
        while !from.is_empty() {
            let id = from.u8()?;
            match id {
                FORWARD_MAX_SDU => once(&mut aal.forward_max_sdu, id, from.u16()?)?,
                BACKWARD_MAX_SDU => once(&mut aal.backward_max_sdu, id, from.u16()?)?,
                MID_RANGE => once(&mut aal.mid_range, id, (from.u16()?, from.u16()?))?,
                MODE => once(&mut aal.mode, id, AalMode(from.u8()?))?,
                SSCS => once(&mut aal.sscs, id, Sscs(from.u8()?))?,
                unknown => return Err(ContentError::UnknownSubfield(unknown)),
            }
        }
        Ok(aal)
    }

    fn encode(&self, to: &mut impl Sink) {
        put_u16(to, FORWARD_MAX_SDU, self.forward_max_sdu);
        put_u16(to, BACKWARD_MAX_SDU, self.backward_max_sdu);
        if let Some((low, high)) = self.mid_range {
            to.put(&[MID_RANGE]);
            to.put(&low.to_be_bytes());
            to.put(&high.to_be_bytes());
        }
        put_u8(to, MODE, self.mode.map(|mode| mode.0));
        put_u8(to, SSCS, self.sscs.map(|sscs| sscs.0));
    }
}

impl Body for Aal5 {
    fn decode(from: &mut Reader<'_>) -> Result<Aal5, ContentError> {
        let mut aal = Aal5::default();
        while !from.is_empty() {
            let id = from.u8()?;
            match id {
                FORWARD_MAX_SDU => once(&mut aal.forward_max_sdu, id, from.u16()?)?,
                BACKWARD_MAX_SDU => once(&mut aal.backward_max_sdu, id, from.u16()?)?,
                MODE => once(&mut aal.mode, id, AalMode(from.u8()?))?,
                SSCS => once(&mut aal.sscs, id, Sscs(from.u8()?))?,
                unknown => return Err(ContentError::UnknownSubfield(unknown)),
            }
        }
        Ok(aal)
    }

    fn encode(&self, to: &mut impl Sink) {
        put_u16(to, FORWARD_MAX_SDU, self.forward_max_sdu);
        put_u16(to, BACKWARD_MAX_SDU, self.backward_max_sdu);
        put_u8(to, MODE, self.mode.map(|mode| mode.0));
        put_u8(to, SSCS, self.sscs.map(|sscs| sscs.0));
    }
}

/// ` word value`, if there is a value.
fn print<T: fmt::Display>(f: &mut fmt::Formatter<'_>, word: &str, value: Option<T>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, " {word} {value}"))
}

fn print_sdus(f: &mut fmt::Formatter<'_>, forward: Option<u16>, backward: Option<u16>) -> fmt::Result {
    match (forward, backward) {
        (None, None) => Ok(()),
        (Some(forward), Some(backward)) => write!(f, " sdu {forward}/{backward}"),
        (Some(forward), None) => write!(f, " sdu {forward}/-"),
        (None, Some(backward)) => write!(f, " sdu -/{backward}"),
    }
}

/// `aal5 sdu 512/512 sscs null`: octets forward/backward.
impl fmt::Display for AalParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AalParameters::Aal1(aal) => {
                f.write_str("aal1")?;
                print(f, "subtype", aal.subtype)?;
                print(f, "rate", aal.cbr_rate)?;
                print(f, "times", aal.multiplier)?;
                print(f, "clock", aal.clock_recovery)?;
                print(f, "correction", aal.error_correction)?;
                print(f, "block", aal.block_octets)?;
                print(f, "filled", aal.filled_octets)
            }
            AalParameters::Aal34(aal) => {
                f.write_str("aal3/4")?;
                print_sdus(f, aal.forward_max_sdu, aal.backward_max_sdu)?;
                print(f, "mid", aal.mid_range.map(|(low, high)| format!("{low}-{high}")))?;
                print(f, "mode", aal.mode)?;
                print(f, "sscs", aal.sscs)
            }
            AalParameters::Aal5(aal) => {
                f.write_str("aal5")?;
                print_sdus(f, aal.forward_max_sdu, aal.backward_max_sdu)?;
                print(f, "mode", aal.mode)?;
                print(f, "sscs", aal.sscs)
            }
            AalParameters::User(octets) => write!(f, "aal user {octets}"),
            AalParameters::Other { aal_type, octets } => write!(f, "aal type {aal_type} {octets}"),
        }
    }
}
