//! Information elements: one list of them all, from which the identifiers, the typed value, its codec and its
//! print come.

mod aal;
mod abr;
mod bearer;
mod cause;
mod connection;
mod indicators;
mod layers;
mod leaf;
mod party;
mod qos;
mod states;
mod traffic;

use std::fmt;

pub use aal::{
    Aal1, Aal1Subtype, Aal5, Aal34, AalMode, AalParameters, CbrRate, ClockRecovery, ErrorCorrection, Sscs,
};
pub use abr::{AbrAdditional, AbrDirection, AbrRecord, AbrSetup, MinimumDesiredCellRate};
pub use bearer::{BearerCapability, BearerClass, Configuration, TransferCapability};
pub use cause::{
    Cause, CauseValue, Condition, DIAGNOSTICS_OCTETS_MAX, Diagnostics, Location, RejectionReason,
};
pub use connection::{ConnectionId, ConnectionScope, Preference, Scope, VpAssociation};
pub use indicators::{
    Facility, LockingShift, NarrowbandBearer, NarrowbandHighLayer, NarrowbandLowLayer, NonLockingShift,
    Notification, OamTrafficDescriptor, Progress, ProgressDescription, RepeatIndicator, ReportType,
    SendingComplete, UserUser,
};
pub use layers::{
    HighLayerInfo, HighLayerType, Layer2, Layer2Detail, Layer2Protocol, Layer3, Layer3Detail, Layer3Protocol,
    LowLayerInfo, SequenceMode,
};
pub use leaf::{
    GenericIdentifier, IdentifierStandard, IdentifierType, LeafCallId, LeafParameters, LeafSequenceNumber,
};
pub use party::{
    CalledPartyNumber, CalledPartySubaddress, CallingPartyNumber, CallingPartySubaddress, ConnectedNumber,
    ConnectedSubaddress, PartyNumber, Presentation, PresentationIndicator, Screening, Subaddress,
    SubaddressType, TransitNetworkSelection,
};
pub use qos::{ExtendedQos, QosClass, QosOrigin, QosParameter, TransitDelay};
pub use states::{CallState, EndpointReference, EndpointState, RestartIndicator};
pub use traffic::{
    AlternativeTrafficDescriptor, CellRates, MinimumTrafficDescriptor, TrafficDescriptor, TrafficOptions,
    subfield,
};

use super::codec::{Body, ContentError, Count, EXT, Reader, Sink};
use super::writer::WriteIe;
use super::{Coding, IeInstruction, Octets};

/// Octets of an IE before its contents: identifier, instruction, length (Q.2931 §4.5.1).
pub const IE_HEADER_LEN: usize = 4;

/// The identifier of an IE. A number that nobody here knows stays what it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IeId(pub u8);

/// An IE: who coded it, what to do if it is not understood, and what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ie {
    /// Whose coding it is in.
    pub coding: Coding,
    /// What to do if it is not understood.
    pub instruction: IeInstruction,
    /// What it says.
    pub value: IeValue,
}

/// A type that is what one kind of IE says.
pub trait IeType: Into<IeValue> + 'static {
    /// The kind.
    const ID: IeId;

    /// The value, if it is of this kind.
    fn of(value: &IeValue) -> Option<&Self>;
}

/// Octets of contents that an unknown or invalid IE may have: what a message holds.
pub const RAW_OCTETS_MAX: usize = super::message::MESSAGE_LEN_MAX;

/// Why an IE was not read.
pub(super) enum Unread {
    /// The kind, or the kind in this coding, is not known.
    Unknown,
    /// The contents are wrong.
    Invalid(ContentError),
}

impl From<ContentError> for Unread {
    fn from(error: ContentError) -> Unread {
        Unread::Invalid(error)
    }
}

/// How a value of an IE is held: by far the longest, which is rare but in SETUP, elsewhere, so that moving an IE moves little.
macro_rules! held {
    (TrafficDescriptor) => { Box<TrafficDescriptor> };
    (AlternativeTrafficDescriptor) => { Box<AlternativeTrafficDescriptor> };
    (MinimumTrafficDescriptor) => { Box<MinimumTrafficDescriptor> };
    ($kind:ident) => { $kind };
}

/// Defines the IEs from one list: `Type = identifier, CONSTANT, name, codings that are read (the first is
/// written), octets of contents at most, access information or not, source`.
macro_rules! ies {
    ($($kind:ident = $id:literal, $constant:ident, $name:literal, [$default:ident $(, $other:ident)*], $max:literal,
        $access:literal, $source:literal;)*) => {
        impl IeId {
            $(#[doc = concat!($name, ": ", $source)] pub const $constant: IeId = IeId($id);)*

            /// All that are known.
            pub const KNOWN: &[IeId] = &[$(IeId($id)),*];

            /// The standard's name, if this kind is known here.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($id => Some($name),)*
                    _ => None,
                }
            }

            /// The coding that is sent, of a kind that is known.
            const fn coding(self) -> Option<Coding> {
                match self.0 {
                    $($id => Some(Coding::$default),)*
                    _ => None,
                }
            }

            /// It concerns the ends alone; the network passes it on, and what is wrong with it is answered
            /// with "access information discarded" (Q.2931 §5.6.8.2).
            pub const fn is_access_information(self) -> bool {
                match self.0 {
                    $($id => $access,)*
                    _ => false,
                }
            }
        }

        /// What an IE says.
        #[derive(Clone, PartialEq, Eq, Debug)]
        #[non_exhaustive]
        pub enum IeValue {
            $(#[doc = concat!($name, ".")] $kind(held!($kind)),)*
            /// A kind that is known, without contents: as good as absent (Q.2931 §4.5.1).
            Empty(IeId),
            /// A kind, a coding or a codeset that is not known here: carried as it is.
            Unknown {
                /// The codeset, by the shifts before it.
                codeset: u8,
                /// Which.
                id: IeId,
                /// The contents.
                octets: Octets<RAW_OCTETS_MAX>,
            },
            /// A kind that is known, with contents that it cannot have.
            Invalid {
                /// Which.
                id: IeId,
                /// The contents.
                octets: Octets<RAW_OCTETS_MAX>,
                /// What is wrong with them.
                error: ContentError,
            },
        }

        impl IeValue {
            /// Which kind it is.
            pub const fn id(&self) -> IeId {
                match self {
                    $(IeValue::$kind(_) => IeId($id),)*
                    IeValue::Empty(id) | IeValue::Unknown { id, .. } | IeValue::Invalid { id, .. } => *id,
                }
            }

            /// Reads contents of a kind and a coding that are known, and puts them behind other IEs: each where it is to stay, since
            /// moving it costs more than reading it. If it cannot, nothing is put there.
            pub(super) fn read(
                to: &mut Vec<Ie>,
                id: IeId,
                coding: Coding,
                instruction: IeInstruction,
                contents: &[u8],
            ) -> Result<(), Unread> {
                if contents.is_empty() && id.coding().is_some() {
                    to.push(Ie { coding, instruction, value: IeValue::Empty(id) });
                    return Ok(());
                }
                match id.0 {
                    $($id if matches!(coding, Coding::$default $(| Coding::$other)*) => {
                        let mut from = Reader::new(contents);
                        let value = <$kind>::decode(&mut from)?;
                        from.finish()?;
                        if contents.len() > $max {
                            return Err(ContentError::TooLong(contents.len() - $max).into());
                        }
                        to.push(Ie { coding, instruction, value: value.into() });
                        Ok(())
                    })*
                    _ => Err(Unread::Unknown),
                }
            }

            fn encode(&self, to: &mut impl Sink) {
                match self {
                    $(IeValue::$kind(value) => <$kind>::encode(value, to),)*
                    IeValue::Empty(_) => {}
                    IeValue::Unknown { octets, .. } | IeValue::Invalid { octets, .. } => to.put(octets),
                }
            }
        }

        impl fmt::Display for IeValue {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(IeValue::$kind(value) => value.print(f),)*
                    IeValue::Empty(id) => write!(f, "empty {id}"),
                    IeValue::Unknown { codeset: 0, id, octets } => write!(f, "{id} {octets}"),
                    IeValue::Unknown { codeset, id, octets } => write!(f, "codeset {codeset} ie {:#04x} {octets}", id.0),
                    IeValue::Invalid { id, octets, error } => write!(f, "{id} {octets} ({error})"),
                }
            }
        }

        $(
            impl IeType for $kind {
                const ID: IeId = IeId($id);

                fn of(value: &IeValue) -> Option<&$kind> {
                    match value {
                        IeValue::$kind(value) => Some(value),
                        _ => None,
                    }
                }
            }

            impl WriteIe for $kind {
                fn append(&self, to: &mut Vec<u8>) {
                    let second = EXT | (Coding::$default as u8) << 5 | IeInstruction::REGULAR.bits();
                    append(IeId($id), second, to, |to| self.encode(to));
                }
            }

            impl From<$kind> for IeValue {
                fn from(value: $kind) -> IeValue {
                    IeValue::$kind(value.into())
                }
            }

            impl From<$kind> for Ie {
                fn from(value: $kind) -> Ie {
                    Ie::new(value)
                }
            }
        )*
    };
}

ies! {
    NarrowbandBearer = 0x04, NARROWBAND_BEARER, "narrowband bearer capability", [Itu], 32, false, "Q.2931 §4.6.1";
    Cause = 0x08, CAUSE, "cause", [Itu, Network], 30, false, "Q.2931 §4.5.15, UNI 3.1 §5.4.5.15";
    CallState = 0x14, CALL_STATE, "call state", [Itu], 1, false, "Q.2931 §4.5.10, UNI 3.1 §5.4.5.10";
    Facility = 0x1c, FACILITY, "facility", [Itu], 128, false, "Q.2932.1";
    Progress = 0x1e, PROGRESS, "progress indicator", [Itu], 2, false, "Q.2931 §4.6.5";
    Notification = 0x27, NOTIFICATION, "notification indicator", [Itu], 128, false, "Q.2931 §4.5.26";
    TransitDelay = 0x42, TRANSIT_DELAY, "end-to-end transit delay", [Itu, Network], 9, false, "Q.2931 §4.5.17, UNI 4.0 §9";
    ConnectedNumber = 0x4c, CONNECTED_NUMBER, "connected number", [Itu], 22, false, "Q.2951, UNI 4.0 §4";
    ConnectedSubaddress = 0x4d, CONNECTED_SUBADDRESS, "connected subaddress", [Itu], 21, true, "Q.2951, UNI 4.0 §4";
    EndpointReference = 0x54, ENDPOINT_REFERENCE, "endpoint reference", [Itu], 3, false, "Q.2971 §8.2.1, UNI 3.1 §5.4.8.1";
    EndpointState = 0x55, ENDPOINT_STATE, "endpoint state", [Itu], 1, false, "Q.2971 §8.2.2, UNI 3.1 §5.4.8.2";
    AalParameters = 0x58, AAL_PARAMETERS, "AAL parameters", [Itu], 17, true, "Q.2931 §4.5.5, UNI 3.1 §5.4.5.5";
    TrafficDescriptor = 0x59, TRAFFIC_DESCRIPTOR, "ATM traffic descriptor", [Itu], 59, false, "Q.2931 §4.5.6, UNI 3.1 §5.4.5.6";
    ConnectionId = 0x5a, CONNECTION_ID, "connection identifier", [Itu], 5, false, "Q.2931 §4.5.16, UNI 3.1 §5.4.5.16";
    OamTrafficDescriptor = 0x5b, OAM_TRAFFIC_DESCRIPTOR, "OAM traffic descriptor", [Itu], 2, false, "Q.2931 §4.5.24";
    QosParameter = 0x5c, QOS_PARAMETER, "quality of service parameter", [Itu, Network], 2, false, "Q.2931 §4.5.18, UNI 3.1 §5.4.5.18";
    HighLayerInfo = 0x5d, HIGH_LAYER_INFO, "broadband high layer information", [Itu], 9, true, "Q.2931 §4.5.8, UNI 3.1 §5.4.5.8";
    BearerCapability = 0x5e, BEARER_CAPABILITY, "broadband bearer capability", [Itu], 3, false, "Q.2931 §4.5.7, UNI 3.1 §5.4.5.7";
    LowLayerInfo = 0x5f, LOW_LAYER_INFO, "broadband low layer information", [Itu], 13, true, "Q.2931 §4.5.9, UNI 3.1 §5.4.5.9";
    LockingShift = 0x60, LOCKING_SHIFT, "broadband locking shift", [Itu], 1, false, "Q.2931 §4.5.3, UNI 3.1 §5.4.5.3";
    NonLockingShift = 0x61, NON_LOCKING_SHIFT, "broadband non-locking shift", [Itu], 1, false, "Q.2931 §4.5.4, UNI 3.1 §5.4.5.4";
    SendingComplete = 0x62, SENDING_COMPLETE, "broadband sending complete", [Itu], 1, false, "Q.2931 §4.5.21, UNI 3.1 §5.4.5.21";
    RepeatIndicator = 0x63, REPEAT_INDICATOR, "broadband repeat indicator", [Itu], 1, false, "Q.2931 §4.5.19, UNI 3.1 §5.4.5.19";
    CallingPartyNumber = 0x6c, CALLING_PARTY_NUMBER, "calling party number", [Itu], 22, false, "Q.2931 §4.5.13, UNI 3.1 §5.4.5.13";
    CallingPartySubaddress = 0x6d, CALLING_PARTY_SUBADDRESS, "calling party subaddress", [Itu], 21, true, "Q.2931 §4.5.14, UNI 3.1 §5.4.5.14";
    CalledPartyNumber = 0x70, CALLED_PARTY_NUMBER, "called party number", [Itu], 21, false, "Q.2931 §4.5.11, UNI 3.1 §5.4.5.11";
    CalledPartySubaddress = 0x71, CALLED_PARTY_SUBADDRESS, "called party subaddress", [Itu], 21, true, "Q.2931 §4.5.12, UNI 3.1 §5.4.5.12";
    TransitNetworkSelection = 0x78, TRANSIT_NETWORK_SELECTION, "transit network selection", [Itu, Network], 5, false, "Q.2931 §4.5.22, UNI 3.1 §5.4.5.22";
    RestartIndicator = 0x79, RESTART_INDICATOR, "restart indicator", [Itu], 1, false, "Q.2931 §4.5.20, UNI 3.1 §5.4.5.20";
    NarrowbandLowLayer = 0x7c, NARROWBAND_LOW_LAYER, "narrowband low layer compatibility", [Itu], 32, true, "Q.2931 §4.6.3";
    NarrowbandHighLayer = 0x7d, NARROWBAND_HIGH_LAYER, "narrowband high layer compatibility", [Itu], 32, true, "Q.2931 §4.6.2";
    UserUser = 0x7e, USER_USER, "user-user", [Itu], 129, true, "Q.2957, UNI 4.0 §4";
    GenericIdentifier = 0x7f, GENERIC_IDENTIFIER, "generic identifier transport", [Network, Itu], 45, false, "UNI 4.0 §2";
    MinimumTrafficDescriptor = 0x81, MINIMUM_TRAFFIC_DESCRIPTOR, "minimum acceptable ATM traffic descriptor", [Itu, Network], 24, false, "Q.2962, UNI 4.0 §8";
    AlternativeTrafficDescriptor = 0x82, ALTERNATIVE_TRAFFIC_DESCRIPTOR, "alternative ATM traffic descriptor", [Itu, Network], 59, false, "Q.2962, UNI 4.0 §8";
    AbrSetup = 0x84, ABR_SETUP, "ABR setup parameters", [Network, Itu], 28, false, "UNI 4.0 §10";
    ReportType = 0x89, REPORT_TYPE, "broadband report type", [Itu], 1, false, "Q.2963.1 §8.2";
    AbrAdditional = 0xe4, ABR_ADDITIONAL, "ABR additional parameters", [Network, Itu], 10, false, "UNI 4.0 §10";
    LeafCallId = 0xe8, LEAF_CALL_ID, "leaf initiated join call identifier", [Network], 5, false, "UNI 4.0 §6.1.3";
    LeafParameters = 0xe9, LEAF_PARAMETERS, "leaf initiated join parameters", [Network], 1, false, "UNI 4.0 §6.1.3";
    LeafSequenceNumber = 0xea, LEAF_SEQUENCE_NUMBER, "leaf sequence number", [Network], 4, false, "UNI 4.0 §6.1.3";
    ConnectionScope = 0xeb, CONNECTION_SCOPE, "connection scope selection", [Network], 2, false, "UNI 4.0 §7";
    ExtendedQos = 0xec, EXTENDED_QOS, "extended QoS parameters", [Network], 21, false, "UNI 4.0 §9";
    MinimumDesiredCellRate = 0xf0, MINIMUM_DESIRED_CELL_RATE, "minimum desired cell rate", [Network], 9, false, "af-cs-0147.000";
}

impl Ie {
    /// An IE in the coding of its kind, with the regular instruction.
    pub fn new(value: impl Into<IeValue>) -> Ie {
        let value = value.into();
        let coding = value.id().coding().unwrap_or(Coding::Itu);
        Ie { coding, instruction: IeInstruction::REGULAR, value }
    }

    /// The same in this coding.
    pub fn coded(self, coding: Coding) -> Ie {
        Ie { coding, ..self }
    }

    /// The same with this instruction.
    pub fn instructed(self, instruction: IeInstruction) -> Ie {
        Ie { instruction, ..self }
    }

    /// Which kind it is.
    pub const fn id(&self) -> IeId {
        self.value.id()
    }

    /// Octets that it has, header and all.
    pub fn encoded_len(&self) -> usize {
        let mut count = Count(IE_HEADER_LEN);
        self.value.encode(&mut count);
        count.0
    }

    /// Writes it, header and all: [`Ie::encoded_len`] octets.
    pub(super) fn write(&self, to: &mut impl Sink) {
        let contents = self.encoded_len() - IE_HEADER_LEN;
        let [high, low] = (contents as u16).to_be_bytes();
        to.put(&[self.id().0, EXT | (self.coding as u8) << 5 | self.instruction.bits(), high, low]);
        self.value.encode(to);
    }
}

impl WriteIe for Ie {
    fn append(&self, to: &mut Vec<u8>) {
        let second = EXT | (self.coding as u8) << 5 | self.instruction.bits();
        append(self.id(), second, to, |to| self.value.encode(to));
    }
}

/// Writes an IE behind other octets, where the length can be filled in afterwards. `second` is coding and instruction.
#[inline]
fn append(id: IeId, second: u8, to: &mut Vec<u8>, contents: impl FnOnce(&mut Vec<u8>)) {
    let begin = to.len();
    to.extend_from_slice(&[id.0, second, 0, 0]);
    contents(to);
    let contents = to.len() - begin - IE_HEADER_LEN;
    to[begin + 2..begin + IE_HEADER_LEN].copy_from_slice(&(contents as u16).to_be_bytes());
}

/// The value, and in brackets a coding or an instruction that is not the usual one.
impl fmt::Display for Ie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)?;
        let usual = self.id().coding().unwrap_or(Coding::Itu);
        if self.coding != usual {
            write!(f, " [{}]", self.coding)?;
        }
        if self.instruction != IeInstruction::REGULAR {
            write!(f, " [{}]", self.instruction)?;
        }
        Ok(())
    }
}

impl fmt::Display for IeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "ie {:#04x}", self.0),
        }
    }
}

impl fmt::Debug for IeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How a value prints in a line: most begin with their own word, a bare code point gets one here.
trait Print {
    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

macro_rules! print_as_is {
    ($($kind:ident),* $(,)?) => {$(
        impl Print for $kind {
            fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

macro_rules! print_after {
    ($($kind:ident: $word:literal),* $(,)?) => {$(
        impl Print for $kind {
            fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($word, " {}"), self)
            }
        }
    )*};
}

print_after! {
    CallState: "state", EndpointState: "party-state", RestartIndicator: "restart", RepeatIndicator: "repeat",
    ReportType: "report",
}

print_as_is! {
    AalParameters, AbrAdditional, AbrSetup, AlternativeTrafficDescriptor, BearerCapability, CalledPartyNumber,
    CalledPartySubaddress, CallingPartyNumber, CallingPartySubaddress, Cause, ConnectedNumber, ConnectedSubaddress,
    ConnectionId, ConnectionScope, EndpointReference, ExtendedQos, Facility, GenericIdentifier, HighLayerInfo,
    LeafCallId, LeafParameters, LeafSequenceNumber, LockingShift, LowLayerInfo, MinimumDesiredCellRate,
    MinimumTrafficDescriptor, NarrowbandBearer, NarrowbandHighLayer, NarrowbandLowLayer, NonLockingShift, Notification,
    OamTrafficDescriptor, Progress, QosParameter, SendingComplete, TrafficDescriptor, TransitDelay,
    TransitNetworkSelection, UserUser,
}
