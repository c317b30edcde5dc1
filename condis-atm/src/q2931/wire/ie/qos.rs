//! Quality of service: class (Q.2931 §4.5.18, UNI 3.1 §5.4.5.18), figures (UNI 4.0 §9), delay (Q.2931
//! §4.5.17).

use std::fmt;

use crate::q2931::wire::code_points::code_points;
use crate::q2931::wire::codec::{Body, ContentError, Reader, Sink, U24_MAX, once, put_u24};

/// Classes of quality of service. In ITU-T coding only class 0 is there; UNI 3.0 and 3.1 send 1 to 4 in the
/// network's coding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QosParameter {
    /// From caller to called.
    pub forward: QosClass,
    /// From called to caller.
    pub backward: QosClass,
}

code_points! {
    /// A class of quality of service (UNI 3.1 Annex A).
    QosClass {
        UNSPECIFIED = 0, "unspecified";
        CLASS_1 = 1, "class 1";
        CLASS_2 = 2, "class 2";
        CLASS_3 = 3, "class 3";
        CLASS_4 = 4, "class 4";
    }
}

/// Figures of quality of service (UNI 4.0). Delay variation in microseconds of 24 bits, loss as the exponent
/// of 10.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExtendedQos {
    /// Whose figures these are.
    pub origin: QosOrigin,
    /// Delay variation that is acceptable, forward; [`ExtendedQos::ANY_CDV`]: any.
    pub forward_acceptable_cdv: Option<u32>,
    /// The same, backward.
    pub backward_acceptable_cdv: Option<u32>,
    /// Delay variation up to here, forward.
    pub forward_cumulative_cdv: Option<u32>,
    /// The same, backward.
    pub backward_cumulative_cdv: Option<u32>,
    /// Acceptable loss ratio 10^-n, forward, n from 1 to 15; [`ExtendedQos::ANY_CLR`]: any.
    pub forward_clr: Option<u8>,
    /// The same, backward.
    pub backward_clr: Option<u8>,
}

code_points! {
    /// Where figures of quality of service come from.
    QosOrigin {
        USER = 0, "user";
        NETWORK = 1, "network";
    }
}

/// End-to-end transit delay, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TransitDelay {
    /// Up to here.
    pub cumulative_ms: Option<u16>,
    /// The most that is acceptable; [`TransitDelay::ANY`]: any.
    pub maximum_ms: Option<u16>,
    /// The network made it up (UNI 4.0 §9.1.2.1).
    pub network_generated: bool,
}

const FORWARD_ACCEPTABLE_CDV: u8 = 0x94;
const BACKWARD_ACCEPTABLE_CDV: u8 = 0x95;
const FORWARD_CUMULATIVE_CDV: u8 = 0x96;
const BACKWARD_CUMULATIVE_CDV: u8 = 0x97;
const FORWARD_CLR: u8 = 0xa2;
const BACKWARD_CLR: u8 = 0xa3;

const CUMULATIVE: u8 = 0x01;
const MAXIMUM: u8 = 0x03;
const NETWORK_GENERATED: u8 = 0x0a;

impl ExtendedQos {
    /// Any delay variation will do.
    pub const ANY_CDV: u32 = U24_MAX;
    /// Any loss will do.
    pub const ANY_CLR: u8 = 0xff;

    /// No figures yet.
    pub const fn of(origin: QosOrigin) -> ExtendedQos {
        ExtendedQos {
            origin,
            forward_acceptable_cdv: None,
            backward_acceptable_cdv: None,
            forward_cumulative_cdv: None,
            backward_cumulative_cdv: None,
            forward_clr: None,
            backward_clr: None,
        }
    }
}

impl TransitDelay {
    /// Any delay will do.
    pub const ANY: u16 = 0xffff;
}

impl Body for QosParameter {
    fn decode(from: &mut Reader<'_>) -> Result<QosParameter, ContentError> {
        Ok(QosParameter { forward: QosClass(from.u8()?), backward: QosClass(from.u8()?) })
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[self.forward.0, self.backward.0]);
    }
}

impl Body for ExtendedQos {
    fn decode(from: &mut Reader<'_>) -> Result<ExtendedQos, ContentError> {
        let mut qos = ExtendedQos::of(QosOrigin(from.u8()?));
        while !from.is_empty() {
            let id = from.u8()?;
            match id {
                FORWARD_ACCEPTABLE_CDV => once(&mut qos.forward_acceptable_cdv, id, from.u24()?)?,
                BACKWARD_ACCEPTABLE_CDV => once(&mut qos.backward_acceptable_cdv, id, from.u24()?)?,
                FORWARD_CUMULATIVE_CDV => once(&mut qos.forward_cumulative_cdv, id, from.u24()?)?,
                BACKWARD_CUMULATIVE_CDV => once(&mut qos.backward_cumulative_cdv, id, from.u24()?)?,
                FORWARD_CLR => once(&mut qos.forward_clr, id, from.u8()?)?,
                BACKWARD_CLR => once(&mut qos.backward_clr, id, from.u8()?)?,
                unknown => return Err(ContentError::UnknownSubfield(unknown)),
            }
        }
        Ok(qos)
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[self.origin.0]);
        for (id, value) in [
            (FORWARD_ACCEPTABLE_CDV, self.forward_acceptable_cdv),
            (BACKWARD_ACCEPTABLE_CDV, self.backward_acceptable_cdv),
            (FORWARD_CUMULATIVE_CDV, self.forward_cumulative_cdv),
            (BACKWARD_CUMULATIVE_CDV, self.backward_cumulative_cdv),
        ] {
            if let Some(value) = value {
                to.put(&[id]);
                put_u24(to, value);
            }
        }
        for (id, value) in [(FORWARD_CLR, self.forward_clr), (BACKWARD_CLR, self.backward_clr)] {
            if let Some(value) = value {
                to.put(&[id, value]);
            }
        }
    }
}

impl Body for TransitDelay {
    fn decode(from: &mut Reader<'_>) -> Result<TransitDelay, ContentError> {
        let mut delay = TransitDelay::default();
        while !from.is_empty() {
            let id = from.u8()?;
            match id {
                CUMULATIVE => once(&mut delay.cumulative_ms, id, from.u16()?)?,
                MAXIMUM => once(&mut delay.maximum_ms, id, from.u16()?)?,
                NETWORK_GENERATED if delay.network_generated => {
                    return Err(ContentError::RepeatedSubfield(id));
                }
                NETWORK_GENERATED => delay.network_generated = true,
                unknown => return Err(ContentError::UnknownSubfield(unknown)),
            }
        }
        Ok(delay)
    }

    fn encode(&self, to: &mut impl Sink) {
        for (id, value) in [(CUMULATIVE, self.cumulative_ms), (MAXIMUM, self.maximum_ms)] {
            if let Some(value) = value {
                let [high, low] = value.to_be_bytes();
                to.put(&[id, high, low]);
            }
        }
        if self.network_generated {
            to.put(&[NETWORK_GENERATED]);
        }
    }
}

/// `qos 0/0`: classes forward/backward.
impl fmt::Display for QosParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "qos {}/{}", self.forward.0, self.backward.0)
    }
}

impl fmt::Display for ExtendedQos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "extended-qos of {}", self.origin)?;
        for (word, forward, backward) in [
            ("acceptable-cdv", self.forward_acceptable_cdv, self.backward_acceptable_cdv),
            ("cumulative-cdv", self.forward_cumulative_cdv, self.backward_cumulative_cdv),
            ("clr", self.forward_clr.map(u32::from), self.backward_clr.map(u32::from)),
        ] {
            if forward.is_none() && backward.is_none() {
                continue;
            }
            let side = |value: Option<u32>| value.map_or("-".to_owned(), |value| value.to_string());
            write!(f, " {word} {}/{}", side(forward), side(backward))?;
        }
        Ok(())
    }
}

impl fmt::Display for TransitDelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("delay")?;
        if let Some(ms) = self.cumulative_ms {
            write!(f, " cumulative {ms} ms")?;
        }
        match self.maximum_ms {
            Some(TransitDelay::ANY) => f.write_str(" maximum any")?,
            Some(ms) => write!(f, " maximum {ms} ms")?,
            None => {}
        }
        if self.network_generated { f.write_str(" by network") } else { Ok(()) }
    }
}
