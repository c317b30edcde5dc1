//! Small indicators: repeat, sending complete, shift, notification, progress, report type, user-user, and
//! what is carried through from narrow-band ISDN.

use std::fmt;

use crate::q2931::wire::Octets;
use crate::q2931::wire::code_points::code_points;
use crate::q2931::wire::codec::{Body, ContentError, EXT, Reader, Sink};

code_points! {
    /// Broadband repeat indicator (4 bits): what it means that the IEs behind it come more than once (Q.2931
    /// §4.5.19).
    RepeatIndicator {
        PRIORITIZED = 2, "prioritized list";
        STACK = 10, "last in, first out";
    }
}

/// The called number is complete (Q.2931 §4.5.23).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SendingComplete;

/// IEs behind it are of this codeset (3 bits), up to the end (Q.2931 §4.5.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LockingShift(pub u8);

/// The next IE is of this codeset (3 bits) (Q.2931 §4.5.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NonLockingShift(pub u8);

/// Notification indicator (Q.2931 §4.5.26): what a user may like to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notification(pub Octets<128>);

/// Progress indicator (Q.2931 §4.6.5): what happened where another network was met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Where (4 bits), numbered as [`super::Location`].
    pub location: super::Location,
    /// What (7 bits).
    pub description: ProgressDescription,
}

code_points! {
    /// What happened (7 bits).
    ProgressDescription {
        NOT_END_TO_END = 1, "call is not end-to-end ISDN";
        DESTINATION_NON_ISDN = 2, "destination address is non-ISDN";
        ORIGINATION_NON_ISDN = 3, "origination address is non-ISDN";
        RETURNED_TO_ISDN = 4, "call has returned to the ISDN";
        INTERWORKING = 5, "interworking has resulted in a change of service";
        IN_BAND = 8, "in-band information is available";
    }
}

code_points! {
    /// Broadband report type (Q.2963.1).
    ReportType {
        MODIFICATION_CONFIRMATION = 1, "modification confirmation";
        CLOCK = 2, "clock recovery timing confirmation";
        END_TO_END_AVAILABLE = 4, "end-to-end connection available";
        END_TO_END_REQUEST = 5, "end-to-end connection completion request";
        END_TO_END_COMPLETE = 6, "end-to-end connection completion";
    }
}

/// User-user (Q.2957): a protocol discriminator and what the user says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserUser(pub Octets<129>);

/// OAM traffic descriptor (Q.2931 §4.5.24).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OamTrafficDescriptor {
    /// Shaping indicator (2 bits): 1, aggregate shaping of user and OAM cells is not allowed.
    pub shaping: u8,
    /// End-to-end OAM F5 flow is mandatory.
    pub compliance: bool,
    /// User-network fault management (3 bits): 1, one cell a second.
    pub fault_management: u8,
    /// End-to-end F5 flow forward (3 bits): 0 nothing, 1 0.1 %, 4 1 %.
    pub forward_flow: u8,
    /// The same backward.
    pub backward_flow: u8,
}

/// Facility (Q.2932.1): carried as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facility(pub Octets<128>);

/// Narrow-band bearer capability (Q.2931 §4.6.1): carried as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NarrowbandBearer(pub Octets<32>);

/// Narrow-band low layer compatibility (Q.2931 §4.6.3): carried as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NarrowbandLowLayer(pub Octets<32>);

/// Narrow-band high layer compatibility (Q.2931 §4.6.2): carried as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NarrowbandHighLayer(pub Octets<32>);

const SENDING_COMPLETE: u8 = 0xa1;

impl Body for RepeatIndicator {
    fn decode(from: &mut Reader<'_>) -> Result<RepeatIndicator, ContentError> {
        from.last("repeat indicator").map(|octet| RepeatIndicator(octet & 0x0f))
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[EXT | self.0 & 0x0f]);
    }
}

impl Body for SendingComplete {
    fn decode(from: &mut Reader<'_>) -> Result<SendingComplete, ContentError> {
        match from.u8()? {
            SENDING_COMPLETE => Ok(SendingComplete),
            value => Err(ContentError::Value { field: "sending complete", value: value.into() }),
        }
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[SENDING_COMPLETE]);
    }
}

impl Body for LockingShift {
    fn decode(from: &mut Reader<'_>) -> Result<LockingShift, ContentError> {
        from.last("codeset").map(|octet| LockingShift(octet & 7))
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[EXT | self.0 & 7]);
    }
}

impl Body for NonLockingShift {
    fn decode(from: &mut Reader<'_>) -> Result<NonLockingShift, ContentError> {
        from.last("codeset").map(|octet| NonLockingShift(octet & 7))
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[EXT | self.0 & 7]);
    }
}

impl Body for Progress {
    fn decode(from: &mut Reader<'_>) -> Result<Progress, ContentError> {
        Ok(Progress {
            location: super::Location(from.last("location")? & 0x0f),
            description: ProgressDescription(from.last("progress description")?),
        })
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[EXT | self.location.0 & 0x0f, EXT | self.description.0]);
    }
}

impl Body for ReportType {
    fn decode(from: &mut Reader<'_>) -> Result<ReportType, ContentError> {
        from.u8().map(ReportType)
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[self.0]);
    }
}

impl Body for OamTrafficDescriptor {
    fn decode(from: &mut Reader<'_>) -> Result<OamTrafficDescriptor, ContentError> {
        let first = from.last("OAM traffic descriptor")?;
        let second = from.last("OAM flow")?;
        Ok(OamTrafficDescriptor {
            shaping: first >> 5 & 3,
            compliance: first & 0x10 != 0,
            fault_management: first & 7,
            forward_flow: second >> 4 & 7,
            backward_flow: second & 7,
        })
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[
            EXT | (self.shaping & 3) << 5 | u8::from(self.compliance) << 4 | self.fault_management & 7,
            EXT | (self.forward_flow & 7) << 4 | self.backward_flow & 7,
        ]);
    }
}

/// Contents that nobody here looks into.
macro_rules! opaque {
    ($($name:ident($min:literal): $keyword:literal;)*) => {$(
        impl Body for $name {
            fn decode(from: &mut Reader<'_>) -> Result<$name, ContentError> {
                let octets = from.octets()?;
                if octets.len() < $min {
                    return Err(ContentError::Truncated);
                }
                Ok($name(octets))
            }

            fn encode(&self, to: &mut impl Sink) {
                to.put(&self.0);
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($keyword, " {}"), self.0)
            }
        }
    )*};
}

opaque! {
    Notification(1): "notification";
    UserUser(1): "user-user";
    Facility(1): "facility";
    NarrowbandBearer(1): "n-bearer";
    NarrowbandLowLayer(1): "n-low-layer";
    NarrowbandHighLayer(1): "n-high-layer";
}

impl fmt::Display for SendingComplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sending-complete")
    }
}

impl fmt::Display for LockingShift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shift to codeset {}", self.0)
    }
}

impl fmt::Display for NonLockingShift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "next of codeset {}", self.0)
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "progress {} at {}", self.description, self.location)
    }
}

impl fmt::Display for OamTrafficDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let compliance = if self.compliance { "mandatory" } else { "optional" };
        write!(
            f,
            "oam shaping {} {compliance} fault-management {} flow {}/{}",
            self.shaping, self.fault_management, self.forward_flow, self.backward_flow
        )
    }
}
