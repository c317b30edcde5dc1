//! Cause: why (Q.2931 §4.5.15, Q.2610, UNI 3.1 §5.4.5.15; values of Q.850).

use std::fmt;

use super::{CalledPartyNumber, TransitNetworkSelection};
use crate::q2931::wire::code_points::code_points;
use crate::q2931::wire::codec::{Body, ContentError, EXT, Reader, Sink};
use crate::q2931::wire::{Coding, Ie, IeId, IeInstruction, MessageType, Octets, Version};

/// Why a call was refused, cleared or complained about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    /// Where it arose.
    pub location: Location,
    /// Why.
    pub value: CauseValue,
    /// What exactly.
    pub diagnostics: Diagnostics,
}

code_points! {
    /// Where a cause arose (4 bits).
    Location {
        USER = 0, "user";
        PRIVATE_LOCAL = 1, "private network of the local user";
        PUBLIC_LOCAL = 2, "public network of the local user";
        TRANSIT = 3, "transit network";
        PUBLIC_REMOTE = 4, "public network of the remote user";
        PRIVATE_REMOTE = 5, "private network of the remote user";
        INTERNATIONAL = 7, "international network";
        BEYOND_INTERWORKING = 10, "network beyond interworking point";
    }
}

/// What the diagnostics of a cause value are, by the standard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    None,
    Condition,
    Rejection,
    NewNumber,
    TransitNetwork,
    Subfields,
    Attributes,
    Ies,
    Connection,
    MessageType,
    Timer,
}

/// Defines the cause values: constant, number, shape of diagnostics, text.
macro_rules! cause_values {
    ($($constant:ident = $value:literal, $shape:ident, $text:literal;)*) => {
        code_points! {
            /// A cause value (7 bits).
            CauseValue { $($constant = $value, $text;)* }
        }

        impl CauseValue {
            /// All that are known.
            pub const KNOWN: &[CauseValue] = &[$(CauseValue($value)),*];

            fn shape(self) -> Shape {
                match self.0 {
                    $($value => Shape::$shape,)*
                    _ => Shape::None,
                }
            }
        }
    };
}

cause_values! {
    UNALLOCATED_NUMBER = 1, Condition, "unallocated (unassigned) number";
    NO_ROUTE_TO_TRANSIT_NETWORK = 2, TransitNetwork, "no route to specified transit network";
    NO_ROUTE_TO_DESTINATION = 3, Condition, "no route to destination";
    SEND_SPECIAL_TONE = 4, None, "send special information tone";
    MISDIALLED_TRUNK_PREFIX = 5, None, "misdialled trunk prefix";
    CHANNEL_UNACCEPTABLE = 6, None, "channel unacceptable";
    CALL_AWARDED = 7, None, "call awarded and being delivered in an established channel";
    PREEMPTION = 8, None, "preemption";
    PREEMPTION_RESERVED = 9, None, "preemption, circuit reserved for reuse";
    VPCI_VCI_UNACCEPTABLE = 10, None, "VPCI/VCI unacceptable";
    PORTED_NUMBER = 14, None, "ported number";
    NORMAL_CLEARING = 16, Condition, "normal call clearing";
    USER_BUSY = 17, None, "user busy";
    NO_USER_RESPONDING = 18, None, "no user responding";
    NO_ANSWER = 19, None, "no answer from user (user alerted)";
    SUBSCRIBER_ABSENT = 20, None, "subscriber absent";
    CALL_REJECTED = 21, Rejection, "call rejected";
    NUMBER_CHANGED = 22, NewNumber, "number changed";
    CLIR_REJECTED = 23, None, "user rejects all calls with calling line identification restriction";
    REJECTED_BY_FEATURE = 24, None, "call rejected due to feature at the destination";
    EXCHANGE_ROUTING_ERROR = 25, None, "exchange routing error";
    NON_SELECTED_USER_CLEARING = 26, None, "non-selected user clearing";
    DESTINATION_OUT_OF_ORDER = 27, None, "destination out of order";
    INVALID_NUMBER_FORMAT = 28, None, "invalid number format (address incomplete)";
    FACILITY_REJECTED = 29, None, "facility rejected";
    RESPONSE_TO_STATUS_ENQUIRY = 30, None, "response to STATUS ENQUIRY";
    NORMAL_UNSPECIFIED = 31, None, "normal, unspecified";
    TOO_MANY_PENDING_ADD_PARTY = 32, None, "too many pending add party requests";
    NO_CHANNEL_AVAILABLE = 34, None, "no circuit/channel available";
    VPCI_VCI_NOT_AVAILABLE = 35, None, "requested VPCI/VCI not available";
    VPCI_VCI_ASSIGNMENT_FAILURE = 36, None, "VPCI/VCI assignment failure";
    CELL_RATE_NOT_AVAILABLE = 37, Subfields, "user cell rate not available";
    NETWORK_OUT_OF_ORDER = 38, None, "network out of order";
    FRAME_MODE_OUT_OF_SERVICE = 39, None, "permanent frame mode connection out of service";
    FRAME_MODE_OPERATIONAL = 40, None, "permanent frame mode connection operational";
    TEMPORARY_FAILURE = 41, None, "temporary failure";
    SWITCHING_CONGESTION = 42, None, "switching equipment congestion";
    ACCESS_INFORMATION_DISCARDED = 43, Ies, "access information discarded";
    REQUESTED_CHANNEL_NOT_AVAILABLE = 44, None, "requested circuit/channel not available";
    NO_VPCI_VCI_AVAILABLE = 45, None, "no VPCI/VCI available";
    PRECEDENCE_CALL_BLOCKED = 46, None, "precedence call blocked";
    RESOURCES_UNAVAILABLE = 47, None, "resources unavailable, unspecified";
    QOS_UNAVAILABLE = 49, Condition, "quality of service unavailable";
    FACILITY_NOT_SUBSCRIBED = 50, None, "requested facility not subscribed";
    OUTGOING_BARRED_IN_CUG = 53, None, "outgoing calls barred within closed user group";
    INCOMING_BARRED_IN_CUG = 55, None, "incoming calls barred within closed user group";
    BEARER_NOT_AUTHORIZED = 57, Attributes, "bearer capability not authorized";
    BEARER_NOT_AVAILABLE = 58, Attributes, "bearer capability not presently available";
    INCONSISTENT_ACCESS_INFORMATION = 62, None, "inconsistency in designated outgoing access information and subscriber class";
    SERVICE_NOT_AVAILABLE = 63, None, "service or option not available, unspecified";
    BEARER_NOT_IMPLEMENTED = 65, Attributes, "bearer capability not implemented";
    CHANNEL_TYPE_NOT_IMPLEMENTED = 66, None, "channel type not implemented";
    FACILITY_NOT_IMPLEMENTED = 69, None, "requested facility not implemented";
    RESTRICTED_DIGITAL_ONLY = 70, None, "only restricted digital information bearer capability is available";
    UNSUPPORTED_TRAFFIC_COMBINATION = 73, None, "unsupported combination of traffic parameters";
    AAL_NOT_SUPPORTED_UNI31 = 78, None, "AAL parameters cannot be supported";
    SERVICE_NOT_IMPLEMENTED = 79, None, "service or option not implemented, unspecified";
    INVALID_CALL_REFERENCE = 81, None, "invalid call reference value";
    CHANNEL_DOES_NOT_EXIST = 82, Connection, "identified channel does not exist";
    SUSPENDED_CALL_EXISTS = 83, None, "a suspended call exists, but this call identity does not";
    CALL_IDENTITY_IN_USE = 84, None, "call identity in use";
    NO_CALL_SUSPENDED = 85, None, "no call suspended";
    CALL_IDENTITY_CLEARED = 86, None, "call having the requested call identity has been cleared";
    NOT_MEMBER_OF_CUG = 87, None, "user not member of closed user group";
    INCOMPATIBLE_DESTINATION = 88, Ies, "incompatible destination";
    INVALID_ENDPOINT_REFERENCE = 89, None, "invalid endpoint reference";
    NON_EXISTENT_CUG = 90, None, "non-existent closed user group";
    INVALID_TRANSIT_NETWORK = 91, None, "invalid transit network selection";
    TOO_MANY_PENDING_ADD_PARTY_UNI31 = 92, None, "too many pending add party requests";
    AAL_NOT_SUPPORTED = 93, None, "AAL parameters cannot be supported";
    INVALID_MESSAGE = 95, None, "invalid message, unspecified";
    MANDATORY_IE_MISSING = 96, Ies, "mandatory information element is missing";
    MESSAGE_TYPE_NON_EXISTENT = 97, MessageType, "message type non-existent or not implemented";
    MESSAGE_NOT_COMPATIBLE_OR_NON_EXISTENT = 98, MessageType, "message not compatible with call state or message type non-existent or not implemented";
    IE_NON_EXISTENT = 99, Ies, "information element non-existent or not implemented";
    INVALID_IE_CONTENTS = 100, Ies, "invalid information element contents";
    MESSAGE_NOT_COMPATIBLE = 101, MessageType, "message not compatible with call state";
    RECOVERY_ON_TIMER_EXPIRY = 102, Timer, "recovery on timer expiry";
    PARAMETER_PASSED_ON = 103, None, "parameter non-existent or not implemented, passed on";
    INCORRECT_MESSAGE_LENGTH = 104, None, "incorrect message length";
    UNRECOGNIZED_PARAMETER_DISCARDED = 110, None, "message with unrecognized parameter discarded";
    PROTOCOL_ERROR = 111, None, "protocol error, unspecified";
    INTERWORKING = 127, None, "interworking, unspecified";
}

code_points! {
    /// Whether a condition lasts (2 bits).
    Condition {
        UNKNOWN = 0, "unknown";
        PERMANENT = 1, "permanent";
        TRANSIENT = 2, "transient";
    }
}

code_points! {
    /// Why a call was rejected (5 bits).
    RejectionReason {
        USER_SPECIFIC = 0, "user specific";
        IE_MISSING = 1, "information element missing";
        IE_INSUFFICIENT = 2, "information element contents are not sufficient";
    }
}

/// Octets that the diagnostics may have (34 of the IE, less its header, location and value).
pub const DIAGNOSTICS_OCTETS_MAX: usize = 28;

/// What a cause is about. Which of them may stand beside which value, the standard says; what fits not is
/// [`Diagnostics::Other`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Diagnostics {
    /// Nothing is said.
    None,
    /// Of 1, 3, 16 and 49.
    Condition {
        /// The network's *user* is meant, not its provider.
        user: bool,
        /// The condition is abnormal.
        abnormal: bool,
        /// Whether it lasts.
        condition: Condition,
    },
    /// Of 21.
    Rejection {
        /// Why.
        reason: RejectionReason,
        /// Whether it lasts.
        condition: Condition,
        /// The IE that is missing or insufficient, or what the user wants to say.
        detail: Octets<27>,
    },
    /// Of 22: where the user is now.
    NewNumber(CalledPartyNumber),
    /// Of 2: the network to which no route is known.
    TransitNetwork(TransitNetworkSelection),
    /// Of 37: identifiers of the subfields of the ATM traffic descriptor that are too much.
    Subfields(Octets<DIAGNOSTICS_OCTETS_MAX>),
    /// Of 57, 58, 65: attributes, three octets each.
    Attributes(Octets<DIAGNOSTICS_OCTETS_MAX>),
    /// Of 43, 88, 96, 99, 100: the IEs in question.
    Ies(Vec<IeId>),
    /// Of 82.
    Connection {
        /// VPCI.
        vpci: u16,
        /// VCI.
        vci: u16,
    },
    /// Of 97, 98, 101.
    MessageType(MessageType),
    /// Of 102: the number of the timer in IA5: `303`, `308`.
    Timer([u8; 3]),
    /// Anything else.
    Other(Octets<DIAGNOSTICS_OCTETS_MAX>),
}

impl Cause {
    /// A cause without diagnostics.
    pub const fn new(location: Location, value: CauseValue) -> Cause {
        Cause { location, value, diagnostics: Diagnostics::None }
    }

    /// A cause that arose at the user.
    pub const fn user(value: CauseValue) -> Cause {
        Cause::new(Location::USER, value)
    }

    /// The same with these diagnostics.
    pub fn with(self, diagnostics: Diagnostics) -> Cause {
        Cause { diagnostics, ..self }
    }

    /// The same about this IE: for 43, 88, 96, 99, 100.
    pub fn about(self, id: IeId) -> Cause {
        self.with(Diagnostics::Ies(vec![id]))
    }

    /// 102 about the timer with this number, say 303.
    pub fn timer(location: Location, number: u16) -> Cause {
        let digit = |place: u16| b'0' + (number / place % 10) as u8;
        Cause::new(location, CauseValue::RECOVERY_ON_TIMER_EXPIRY).with(Diagnostics::Timer([
            digit(100),
            digit(10),
            digit(1),
        ]))
    }

    /// The text of the value, to be shown to people.
    pub fn text(&self) -> &'static str {
        self.value.name().unwrap_or("unknown cause")
    }
}

impl CauseValue {
    /// What a call is cleared with when nothing is wrong: UNI 3.0 does not have 16 yet, and says 31.
    pub const fn normal(version: Version) -> CauseValue {
        match version {
            Version::Uni30 => CauseValue::NORMAL_UNSPECIFIED,
            Version::Uni31 | Version::Uni40 => CauseValue::NORMAL_CLEARING,
        }
    }

    /// The class: 0 and 1 normal events, 2 resource unavailable, 3 service not available, 4 not implemented,
    /// 5 invalid message, 6 protocol error, 7 interworking.
    pub const fn class(self) -> u8 {
        self.0 >> 4 & 7
    }
}

impl Body for Cause {
    fn decode(from: &mut Reader<'_>) -> Result<Cause, ContentError> {
        let location = Location(from.last("location")? & 0x0f);
        let value = CauseValue(from.last("cause value")?);
        let rest = from.octets::<DIAGNOSTICS_OCTETS_MAX>()?;
        let diagnostics = Diagnostics::read(value, &rest).unwrap_or(Diagnostics::Other(rest));
        Ok(Cause { location, value, diagnostics })
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[EXT | self.location.0 & 0x0f, EXT | self.value.0]);
        self.diagnostics.write(to);
    }
}

impl Diagnostics {
    /// `None` where the octets do not have the shape that the value asks for.
    fn read(value: CauseValue, octets: &[u8]) -> Option<Diagnostics> {
        if octets.is_empty() {
            return Some(Diagnostics::None);
        }
        match value.shape() {
            Shape::None => None,
            Shape::Condition => match *octets {
                [octet] if octet & 0xf0 == EXT => Some(Diagnostics::Condition {
                    user: octet & 8 != 0,
                    abnormal: octet & 4 != 0,
                    condition: Condition(octet & 3),
                }),
                _ => None,
            },
            Shape::Rejection => match *octets {
                [octet, ref detail @ ..] if octet & EXT != 0 => Some(Diagnostics::Rejection {
                    reason: RejectionReason(octet >> 2 & 0x1f),
                    condition: Condition(octet & 3),
                    detail: Octets::new(detail)?,
                }),
                _ => None,
            },
            Shape::NewNumber => match Diagnostics::inner_ie(octets, IeId::CALLED_PARTY_NUMBER)? {
                super::IeValue::CalledPartyNumber(number) => Some(Diagnostics::NewNumber(number)),
                _ => None,
            },
            Shape::TransitNetwork => match Diagnostics::inner_ie(octets, IeId::TRANSIT_NETWORK_SELECTION)? {
                super::IeValue::TransitNetworkSelection(network) => {
                    Some(Diagnostics::TransitNetwork(network))
                }
                _ => None,
            },
            Shape::Subfields => Octets::new(octets).map(Diagnostics::Subfields),
            Shape::Attributes if octets.len().is_multiple_of(3) => {
                Octets::new(octets).map(Diagnostics::Attributes)
            }
            Shape::Attributes => None,
            Shape::Ies => Some(Diagnostics::Ies(octets.iter().copied().map(IeId).collect())),
            Shape::Connection => match *octets {
                [a, b, c, d] => Some(Diagnostics::Connection {
                    vpci: u16::from_be_bytes([a, b]),
                    vci: u16::from_be_bytes([c, d]),
                }),
                _ => None,
            },
            Shape::MessageType => match *octets {
                [code] => Some(Diagnostics::MessageType(MessageType::from_u8(code))),
                _ => None,
            },
            Shape::Timer => octets.try_into().ok().map(Diagnostics::Timer),
        }
    }

    /// The one IE of this kind, in ITU-T coding, that the octets are.
    fn inner_ie(octets: &[u8], id: IeId) -> Option<super::IeValue> {
        let [code, second, high, low, ref contents @ ..] = *octets else { return None };
        let whole = usize::from(u16::from_be_bytes([high, low])) == contents.len();
        if IeId(code) != id || second != EXT || !whole {
            return None;
        }
        let mut read = Vec::new();
        super::IeValue::read(&mut read, id, Coding::Itu, IeInstruction::REGULAR, contents).ok()?;
        read.pop().map(|ie| ie.value)
    }

    fn write(&self, to: &mut impl Sink) {
        match self {
            Diagnostics::None => {}
            Diagnostics::Condition { user, abnormal, condition } => {
                to.put(&[EXT | u8::from(*user) << 3 | u8::from(*abnormal) << 2 | condition.0 & 3]);
            }
            Diagnostics::Rejection { reason, condition, detail } => {
                to.put(&[EXT | (reason.0 & 0x1f) << 2 | condition.0 & 3]);
                to.put(detail);
            }
            Diagnostics::NewNumber(number) => Ie::from(number.clone()).write(to),
            Diagnostics::TransitNetwork(network) => Ie::from(network.clone()).write(to),
            Diagnostics::Subfields(octets) | Diagnostics::Attributes(octets) | Diagnostics::Other(octets) => {
                to.put(octets)
            }
            Diagnostics::Ies(ids) => ids.iter().take(DIAGNOSTICS_OCTETS_MAX).for_each(|id| to.put(&[id.0])),
            Diagnostics::Connection { vpci, vci } => {
                to.put(&vpci.to_be_bytes());
                to.put(&vci.to_be_bytes());
            }
            Diagnostics::MessageType(kind) => to.put(&[kind.get()]),
            Diagnostics::Timer(digits) => to.put(digits),
        }
    }
}

/// `cause 16 (normal call clearing) at user`.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cause {} ({}) at {}", self.value.0, self.text(), self.location)?;
        match &self.diagnostics {
            Diagnostics::None => Ok(()),
            diagnostics => write!(f, " [{diagnostics}]"),
        }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Diagnostics::None => Ok(()),
            Diagnostics::Condition { user, abnormal, condition } => {
                let who = if *user { "user" } else { "provider" };
                let how = if *abnormal { "abnormal" } else { "normal" };
                write!(f, "{who} {how} {condition}")
            }
            Diagnostics::Rejection { reason, condition, detail } => {
                write!(f, "{reason}, {condition}")?;
                if detail.is_empty() { Ok(()) } else { write!(f, ": {detail}") }
            }
            Diagnostics::NewNumber(number) => number.fmt(f),
            Diagnostics::TransitNetwork(network) => network.fmt(f),
            Diagnostics::Subfields(octets) => write!(f, "subfields {octets}"),
            Diagnostics::Attributes(octets) => write!(f, "attributes {octets}"),
            Diagnostics::Ies(ids) => ids.iter().enumerate().try_for_each(|(at, id)| {
                let comma = if at == 0 { "" } else { ", " };
                write!(f, "{comma}{id}")
            }),
            Diagnostics::Connection { vpci, vci } => write!(f, "vpci {vpci} vci {vci}"),
            Diagnostics::MessageType(kind) => kind.fmt(f),
            Diagnostics::Timer(digits) => write!(f, "T{}", digits.escape_ascii()),
            Diagnostics::Other(octets) => octets.fmt(f),
        }
    }
}
