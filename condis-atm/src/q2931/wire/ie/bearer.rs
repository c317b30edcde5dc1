//! Broadband bearer capability: what kind of service (Q.2931 §4.5.7, UNI 3.1 §5.4.5.7, UNI 4.0 §2.0).

use std::fmt;

use crate::q2931::wire::code_points::code_points;
use crate::q2931::wire::codec::{Body, ContentError, EXT, Reader, Sink, known};

/// What kind of service is asked of the network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BearerCapability {
    /// The bearer class.
    pub class: BearerClass,
    /// Octet 5a: the ATM transfer capability, which is traffic type and timing in UNI 3.x.
    pub transfer: Option<TransferCapability>,
    /// The user minds clipping at the beginning.
    pub susceptible_to_clipping: bool,
    /// One leaf or many.
    pub configuration: Configuration,
}

code_points! {
    /// The bearer class (5 bits).
    BearerClass {
        A = 0x01, "BCOB-A";
        C = 0x03, "BCOB-C";
        X = 0x10, "BCOB-X";
        TRANSPARENT_VP = 0x18, "transparent VP";
    }
}

code_points! {
    /// The ATM transfer capability (7 bits). UNI 3.x reads it as traffic type (bits 5 to 3: 1 CBR, 2 VBR) and
    /// timing (bits 2 and 1: 1 required, 2 not required), which comes to the same numbers.
    TransferCapability {
        NONE = 0x00, "no indication";
        TIMING = 0x01, "no indication, timing required";
        NO_TIMING = 0x02, "no indication, timing not required";
        CBR_ANY = 0x04, "CBR, timing not indicated";
        CBR = 0x05, "CBR";
        CBR_NO_TIMING = 0x06, "CBR, timing not required";
        CBR_CLR01 = 0x07, "CBR with loss commitment for CLP 0+1";
        VBR_ANY = 0x08, "VBR, timing not indicated";
        RT_VBR = 0x09, "rt-VBR";
        NRT_VBR = 0x0a, "nrt-VBR";
        NRT_VBR_CLR01 = 0x0b, "nrt-VBR with loss commitment for CLP 0+1";
        ABR = 0x0c, "ABR";
        RT_VBR_CLR01 = 0x13, "rt-VBR with loss commitment for CLP 0+1";
    }
}

code_points! {
    /// The user plane's configuration (2 bits).
    Configuration {
        POINT_TO_POINT = 0, "point-to-point";
        POINT_TO_MULTIPOINT = 1, "point-to-multipoint";
    }
}

impl BearerCapability {
    /// A class, point to point, not susceptible to clipping.
    pub const fn new(class: BearerClass, transfer: Option<TransferCapability>) -> BearerCapability {
        BearerCapability {
            class,
            transfer,
            susceptible_to_clipping: false,
            configuration: Configuration::POINT_TO_POINT,
        }
    }

    /// The same, point to multipoint.
    pub const fn point_to_multipoint(self) -> BearerCapability {
        BearerCapability { configuration: Configuration::POINT_TO_MULTIPOINT, ..self }
    }

    /// Many leaves.
    pub fn is_point_to_multipoint(&self) -> bool {
        self.configuration == Configuration::POINT_TO_MULTIPOINT
    }
}

impl Body for BearerCapability {
    fn decode(from: &mut Reader<'_>) -> Result<BearerCapability, ContentError> {
        let first = from.u8()?;
        let transfer =
            if first & EXT == 0 { Some(TransferCapability(from.last("transfer capability")?)) } else { None };
        let octet = from.last("user plane configuration")?;
        let clipping = octet >> 5 & 3;
        if clipping > 1 {
            return Err(ContentError::Value { field: "susceptibility to clipping", value: clipping.into() });
        }
        Ok(BearerCapability {
            class: BearerClass(first & 0x1f),
            transfer,
            susceptible_to_clipping: clipping == 1,
            configuration: known!("user plane configuration", Configuration(octet & 3)),
        })
    }

    fn encode(&self, to: &mut impl Sink) {
        match self.transfer {
            None => to.put(&[EXT | self.class.0 & 0x1f]),
            Some(transfer) => to.put(&[self.class.0 & 0x1f, EXT | transfer.0]),
        }
        to.put(&[EXT | u8::from(self.susceptible_to_clipping) << 5 | self.configuration.0 & 3]);
    }
}

/// `bearer BCOB-X point-to-point`.
impl fmt::Display for BearerCapability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bearer {}", self.class)?;
        if let Some(transfer) = self.transfer {
            write!(f, " ({transfer})")?;
        }
        if self.susceptible_to_clipping {
            f.write_str(" clipping")?;
        }
        write!(f, " {}", self.configuration)
    }
}
