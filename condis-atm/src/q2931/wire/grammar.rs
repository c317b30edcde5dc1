//! Which message has which IEs: the one table that the checker, the matrix and the tests read.
//!
//! Rows of Q.2931 alone (narrow-band interworking, OAM) are understood and printed, and are, to a UNI of any
//! version, messages and IEs that are not implemented.

use std::fmt;

use super::{IeId, Message, MessageType, Side, Version};
use MessageType as M;

/// A message of the table.
#[derive(Debug)]
pub struct MessageRule {
    /// Which.
    pub kind: MessageType,
    /// From which version on.
    pub since: Since,
    /// Under which call references it may come.
    pub reference: Reference,
    /// What answers one of which a mandatory IE is missing or wrong.
    pub on_mandatory_error: OnMandatoryError,
    /// Where it stands.
    pub source: &'static str,
    /// Its IEs. They may come in any order (Q.2931 §5.6.5.1).
    pub ies: &'static [IeRule],
}

/// An IE of a message.
#[derive(Clone, Copy, Debug)]
pub struct IeRule {
    /// Which.
    pub id: IeId,
    /// Whether it must be there.
    pub presence: Presence,
    /// How often it may come; what comes more often is not looked at (Q.2931 §5.6.5.2).
    pub max: u8,
    /// More than one needs a repeat indicator before them (Q.2931 §4.5.19).
    pub listed: bool,
    /// From which version on.
    pub since: Since,
    /// Which way it may go.
    pub direction: Direction,
}

/// From which version on something exists.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Since {
    /// In all.
    Uni30,
    /// UNI 3.1 on.
    Uni31,
    /// UNI 4.0.
    Uni40,
    /// Q.2931 alone.
    Q2931,
}

/// Which way an IE may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Both.
    Both,
    /// From the user only.
    ToNetwork,
    /// From the network only.
    ToUser,
}

/// Under which call references a message may come (Q.2931 §5.6.3.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reference {
    /// That of a call.
    Call,
    /// The global one.
    Global,
    /// Either.
    Either,
}

/// Whether an IE must be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// Always.
    Mandatory,
    /// As one likes.
    Optional,
    /// In UNI 3.0 and 3.1; later as one likes.
    MandatoryUni3,
    /// From the network to the user.
    MandatoryToUser,
    /// In a message about a point-to-multipoint bearer.
    MandatoryPointToMultipoint,
    /// Unless all channels are restarted.
    MandatoryUnlessRestartAll,
    /// In the first message that answers a SETUP, by the state of the call: the call machine sees to it.
    FirstResponse,
    /// In the first message that clears, by the state of the call: the call machine sees to it.
    FirstClearing,
    /// With a party, by the state of the call: the call machine sees to it.
    OfParty,
}

/// What answers a message of which a mandatory IE is missing or wrong (Q.2931 §5.6.7, Q.2971 §9.5.7,
/// Q.2963.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnMandatoryError {
    /// It is dropped and STATUS is sent.
    Report,
    /// It is refused in its own way: SETUP, ADD PARTY, MODIFY REQUEST.
    Refuse,
    /// It counts all the same, and the cause goes into its acknowledgement: RELEASE, DROP PARTY.
    ProceedAndReport,
    /// It counts all the same, and nothing is said: RELEASE COMPLETE, ADD PARTY REJECT, DROP PARTY
    /// ACKNOWLEDGE.
    Proceed,
    /// It is dropped and nothing is said, lest two sides report to each other for ever: STATUS.
    Discard,
}

impl Since {
    /// Whether a version has it.
    pub const fn in_version(self, version: Version) -> bool {
        match self {
            Since::Uni30 => true,
            Since::Uni31 => !matches!(version, Version::Uni30),
            Since::Uni40 => matches!(version, Version::Uni40),
            Since::Q2931 => false,
        }
    }
}

impl Presence {
    /// Whether the IE must be in this message, which `receiver` got. Where the state of the call decides, it
    /// need not.
    pub fn is_required(self, message: &Message, version: Version, receiver: Side) -> bool {
        match self {
            Presence::Mandatory => true,
            Presence::Optional | Presence::FirstResponse | Presence::FirstClearing | Presence::OfParty => {
                false
            }
            Presence::MandatoryUni3 => version != Version::Uni40,
            Presence::MandatoryToUser => receiver == Side::User,
            Presence::MandatoryPointToMultipoint => {
                message.bearer().is_some_and(super::BearerCapability::is_point_to_multipoint)
            }
            Presence::MandatoryUnlessRestartAll => {
                message.restart_indicator().is_some_and(|class| *class != super::RestartIndicator::ALL)
            }
        }
    }
}

impl IeRule {
    /// Whether it may be in a message of this version that `receiver` got.
    pub const fn applies(&self, version: Version, receiver: Side) -> bool {
        let right_way = match self.direction {
            Direction::Both => true,
            Direction::ToNetwork => matches!(receiver, Side::Network),
            Direction::ToUser => matches!(receiver, Side::User),
        };
        right_way && self.since.in_version(version)
    }

    const fn times(self, max: u8) -> IeRule {
        IeRule { max, ..self }
    }

    const fn listed(self, max: u8) -> IeRule {
        IeRule { max, listed: true, ..self }
    }

    const fn since(self, since: Since) -> IeRule {
        IeRule { since, ..self }
    }

    const fn to_network(self) -> IeRule {
        IeRule { direction: Direction::ToNetwork, ..self }
    }
}

impl MessageRule {
    /// The row of a message; `None` of one that none of the standards has.
    pub fn of(kind: MessageType) -> Option<&'static MessageRule> {
        MESSAGES.get(usize::from(ROWS[usize::from(kind.get())]))
    }

    /// The rule about an IE in this message.
    pub fn ie(&self, id: IeId) -> Option<&'static IeRule> {
        self.ies.iter().find(|rule| rule.id == id)
    }
}

const fn ie(id: IeId, presence: Presence) -> IeRule {
    IeRule { id, presence, max: 1, listed: false, since: Since::Uni30, direction: Direction::Both }
}

const fn must(id: IeId) -> IeRule {
    ie(id, Presence::Mandatory)
}

const fn may(id: IeId) -> IeRule {
    ie(id, Presence::Optional)
}

/// As one likes, from UNI 4.0 on.
const fn may40(id: IeId) -> IeRule {
    may(id).since(Since::Uni40)
}

/// As one likes, in Q.2931 alone.
const fn may_q(id: IeId) -> IeRule {
    may(id).since(Since::Q2931)
}

const fn row(
    kind: MessageType,
    since: Since,
    on_mandatory_error: OnMandatoryError,
    source: &'static str,
    ies: &'static [IeRule],
) -> MessageRule {
    MessageRule { kind, since, reference: Reference::Call, on_mandatory_error, source, ies }
}

const fn under(reference: Reference, rule: MessageRule) -> MessageRule {
    MessageRule { reference, ..rule }
}

const NOTIFICATION: IeRule = may40(IeId::NOTIFICATION).times(2);
const IDENTIFIERS: IeRule = may40(IeId::GENERIC_IDENTIFIER).times(3);
const USER_USER: IeRule = may40(IeId::USER_USER);
const FIRST_RESPONSE: IeRule = ie(IeId::CONNECTION_ID, Presence::FirstResponse);
const PARTY: IeRule = ie(IeId::ENDPOINT_REFERENCE, Presence::OfParty);
const THIS_PARTY: IeRule = must(IeId::ENDPOINT_REFERENCE);
const NETWORKS: IeRule = may(IeId::TRANSIT_NETWORK_SELECTION).times(4).to_network();

/// Which row of [`MESSAGES`] a message's number has; of those that have none, one that is not there.
const ROWS: [u8; 256] = {
    let mut rows = [u8::MAX; 256];
    let mut row = 0;
    while row < MESSAGES.len() {
        rows[MESSAGES[row].kind.get() as usize] = row as u8;
        row += 1;
    }
    rows
};

/// All messages, in the order of their numbers.
pub const MESSAGES: &[MessageRule] = &[
    row(
        M::Alerting,
        Since::Uni40,
        OnMandatoryError::Report,
        "Q.2931 §3.1.1, Q.2971 §8.1.1.1, UNI 4.0 §2",
        &[
            FIRST_RESPONSE,
            PARTY,
            NOTIFICATION,
            IDENTIFIERS,
            USER_USER,
            may_q(IeId::REPORT_TYPE),
            may_q(IeId::PROGRESS).times(2),
            may_q(IeId::NARROWBAND_HIGH_LAYER),
        ],
    ),
    row(
        M::CallProceeding,
        Since::Uni30,
        OnMandatoryError::Report,
        "Q.2931 §3.1.2, UNI 3.1 §5.3.1.1",
        &[FIRST_RESPONSE, PARTY, NOTIFICATION, may_q(IeId::PROGRESS).times(2)],
    ),
    row(
        M::Progress,
        Since::Q2931,
        OnMandatoryError::Report,
        "Q.2931 §3.2.7",
        &[must(IeId::PROGRESS).times(2), may_q(IeId::NOTIFICATION), may_q(IeId::NARROWBAND_HIGH_LAYER)],
    ),
    row(
        M::Setup,
        Since::Uni30,
        OnMandatoryError::Refuse,
        "Q.2931 §3.1.7, Q.2971 §8.1.1.4, UNI 3.1 §5.3.1.6, UNI 4.0 §2",
        &[
            may(IeId::AAL_PARAMETERS),
            must(IeId::TRAFFIC_DESCRIPTOR),
            must(IeId::BEARER_CAPABILITY),
            may(IeId::HIGH_LAYER_INFO),
            may(IeId::REPEAT_INDICATOR),
            may(IeId::LOW_LAYER_INFO).listed(3),
            must(IeId::CALLED_PARTY_NUMBER),
            may(IeId::CALLED_PARTY_SUBADDRESS).times(2),
            may(IeId::CALLING_PARTY_NUMBER),
            may(IeId::CALLING_PARTY_SUBADDRESS).times(2),
            ie(IeId::CONNECTION_ID, Presence::MandatoryToUser),
            ie(IeId::QOS_PARAMETER, Presence::MandatoryUni3),
            may(IeId::SENDING_COMPLETE),
            NETWORKS,
            ie(IeId::ENDPOINT_REFERENCE, Presence::MandatoryPointToMultipoint),
            NOTIFICATION,
            may40(IeId::TRANSIT_DELAY),
            may40(IeId::EXTENDED_QOS),
            may40(IeId::ALTERNATIVE_TRAFFIC_DESCRIPTOR),
            may40(IeId::MINIMUM_TRAFFIC_DESCRIPTOR),
            may40(IeId::ABR_SETUP),
            may40(IeId::ABR_ADDITIONAL),
            may40(IeId::MINIMUM_DESIRED_CELL_RATE),
            may40(IeId::CONNECTION_SCOPE),
            USER_USER,
            IDENTIFIERS,
            may40(IeId::LEAF_CALL_ID),
            may40(IeId::LEAF_PARAMETERS),
            may40(IeId::LEAF_SEQUENCE_NUMBER),
            may_q(IeId::OAM_TRAFFIC_DESCRIPTOR),
            may_q(IeId::PROGRESS).times(2),
            may_q(IeId::NARROWBAND_BEARER).times(3),
            may_q(IeId::NARROWBAND_HIGH_LAYER).times(2),
            may_q(IeId::NARROWBAND_LOW_LAYER).times(2),
            may_q(IeId::REPORT_TYPE),
            may_q(IeId::FACILITY),
        ],
    ),
    row(
        M::Connect,
        Since::Uni30,
        OnMandatoryError::Report,
        "Q.2931 §3.1.3, Q.2971 §8.1.1.3, UNI 3.1 §5.3.1.2, UNI 4.0 §2",
        &[
            may(IeId::AAL_PARAMETERS),
            may(IeId::LOW_LAYER_INFO),
            FIRST_RESPONSE,
            PARTY,
            NOTIFICATION,
            may40(IeId::CONNECTED_NUMBER),
            may40(IeId::CONNECTED_SUBADDRESS),
            may40(IeId::TRANSIT_DELAY),
            may40(IeId::TRAFFIC_DESCRIPTOR),
            may40(IeId::EXTENDED_QOS),
            may40(IeId::ABR_SETUP),
            may40(IeId::ABR_ADDITIONAL),
            USER_USER,
            IDENTIFIERS,
            may_q(IeId::OAM_TRAFFIC_DESCRIPTOR),
            may_q(IeId::PROGRESS).times(2),
            may_q(IeId::NARROWBAND_BEARER),
            may_q(IeId::NARROWBAND_HIGH_LAYER),
            may_q(IeId::NARROWBAND_LOW_LAYER),
            may_q(IeId::REPORT_TYPE),
            may_q(IeId::FACILITY),
        ],
    ),
    row(
        M::SetupAcknowledge,
        Since::Q2931,
        OnMandatoryError::Report,
        "Q.2931 §3.2.10",
        &[FIRST_RESPONSE, may_q(IeId::PROGRESS).times(2), may_q(IeId::NOTIFICATION)],
    ),
    row(
        M::ConnectAcknowledge,
        Since::Uni30,
        OnMandatoryError::Report,
        "Q.2931 §3.1.4, UNI 3.1 §5.3.1.3",
        &[NOTIFICATION],
    ),
    under(
        Reference::Global,
        row(
            M::Restart,
            Since::Uni30,
            OnMandatoryError::Report,
            "Q.2931 §3.3.1, UNI 3.1 §5.3.2.1",
            &[ie(IeId::CONNECTION_ID, Presence::MandatoryUnlessRestartAll), must(IeId::RESTART_INDICATOR)],
        ),
    ),
    row(
        M::Release,
        Since::Uni30,
        OnMandatoryError::ProceedAndReport,
        "Q.2931 §3.1.5, UNI 3.1 §5.3.1.4",
        &[
            must(IeId::CAUSE).times(2),
            NOTIFICATION,
            IDENTIFIERS,
            USER_USER,
            may_q(IeId::PROGRESS).times(2),
            may_q(IeId::FACILITY),
        ],
    ),
    under(
        Reference::Global,
        row(
            M::RestartAcknowledge,
            Since::Uni30,
            OnMandatoryError::Report,
            "Q.2931 §3.3.2, UNI 3.1 §5.3.2.2",
            &[ie(IeId::CONNECTION_ID, Presence::MandatoryUnlessRestartAll), must(IeId::RESTART_INDICATOR)],
        ),
    ),
    row(
        M::ReleaseComplete,
        Since::Uni30,
        OnMandatoryError::Proceed,
        "Q.2931 §3.1.6, UNI 3.1 §5.3.1.5",
        &[ie(IeId::CAUSE, Presence::FirstClearing).times(2), IDENTIFIERS, USER_USER, may_q(IeId::FACILITY)],
    ),
    row(
        M::Notify,
        Since::Uni40,
        OnMandatoryError::Report,
        "Q.2931 §3.1.10, Q.2971 §8.1.1.5",
        &[must(IeId::NOTIFICATION).times(2), PARTY],
    ),
    row(
        M::StatusEnquiry,
        Since::Uni30,
        OnMandatoryError::Report,
        "Q.2931 §3.1.9, UNI 3.1 §5.3.1.8",
        &[PARTY],
    ),
    row(
        M::Information,
        Since::Q2931,
        OnMandatoryError::Report,
        "Q.2931 §3.2.5",
        &[may_q(IeId::CALLED_PARTY_NUMBER), may_q(IeId::SENDING_COMPLETE)],
    ),
    under(
        Reference::Either,
        row(
            M::Status,
            Since::Uni30,
            OnMandatoryError::Discard,
            "Q.2931 §3.1.8, UNI 3.1 §5.3.1.7",
            &[must(IeId::CALL_STATE), must(IeId::CAUSE), PARTY, ie(IeId::ENDPOINT_STATE, Presence::OfParty)],
        ),
    ),
    row(
        M::AddParty,
        Since::Uni30,
        OnMandatoryError::Refuse,
        "Q.2971 §8.1.2.1, UNI 3.1 §5.3.3.1",
        &[
            THIS_PARTY,
            must(IeId::CALLED_PARTY_NUMBER),
            may(IeId::AAL_PARAMETERS),
            may(IeId::HIGH_LAYER_INFO),
            may(IeId::LOW_LAYER_INFO),
            may(IeId::CALLED_PARTY_SUBADDRESS).times(2),
            may(IeId::CALLING_PARTY_NUMBER),
            may(IeId::CALLING_PARTY_SUBADDRESS).times(2),
            may(IeId::SENDING_COMPLETE),
            NETWORKS,
            NOTIFICATION,
            may40(IeId::TRANSIT_DELAY),
            USER_USER,
            IDENTIFIERS,
            may40(IeId::LEAF_SEQUENCE_NUMBER),
        ],
    ),
    row(
        M::AddPartyAcknowledge,
        Since::Uni30,
        OnMandatoryError::Report,
        "Q.2971 §8.1.2.2, UNI 3.1 §5.3.3.2",
        &[
            THIS_PARTY,
            may40(IeId::AAL_PARAMETERS),
            may40(IeId::LOW_LAYER_INFO),
            NOTIFICATION,
            may40(IeId::TRANSIT_DELAY),
            may40(IeId::CONNECTED_NUMBER),
            may40(IeId::CONNECTED_SUBADDRESS),
            USER_USER,
            IDENTIFIERS,
        ],
    ),
    row(
        M::AddPartyReject,
        Since::Uni30,
        OnMandatoryError::Proceed,
        "Q.2971 §8.1.2.4, UNI 3.1 §5.3.3.3",
        &[THIS_PARTY, must(IeId::CAUSE), USER_USER, IDENTIFIERS],
    ),
    row(
        M::DropParty,
        Since::Uni30,
        OnMandatoryError::ProceedAndReport,
        "Q.2971 §8.1.2.5, UNI 3.1 §5.3.3.4",
        &[THIS_PARTY, must(IeId::CAUSE), NOTIFICATION, USER_USER, IDENTIFIERS],
    ),
    row(
        M::DropPartyAcknowledge,
        Since::Uni30,
        OnMandatoryError::Proceed,
        "Q.2971 §8.1.2.6, UNI 3.1 §5.3.3.5",
        &[THIS_PARTY, ie(IeId::CAUSE, Presence::FirstClearing), USER_USER, IDENTIFIERS],
    ),
    row(
        M::PartyAlerting,
        Since::Uni40,
        OnMandatoryError::Report,
        "Q.2971 §8.1.2.3",
        &[THIS_PARTY, NOTIFICATION, USER_USER, IDENTIFIERS],
    ),
    row(
        M::ModifyRequest,
        Since::Uni40,
        OnMandatoryError::Refuse,
        "Q.2963.1 §8.1",
        &[
            must(IeId::TRAFFIC_DESCRIPTOR),
            may40(IeId::ALTERNATIVE_TRAFFIC_DESCRIPTOR),
            may40(IeId::MINIMUM_TRAFFIC_DESCRIPTOR),
            NOTIFICATION,
            IDENTIFIERS,
        ],
    ),
    row(
        M::ModifyAcknowledge,
        Since::Uni40,
        OnMandatoryError::Report,
        "Q.2963.1 §8.1",
        &[may40(IeId::REPORT_TYPE), may40(IeId::TRAFFIC_DESCRIPTOR), NOTIFICATION, IDENTIFIERS],
    ),
    row(
        M::ModifyReject,
        Since::Uni40,
        OnMandatoryError::Proceed,
        "Q.2963.1 §8.1",
        &[must(IeId::CAUSE), NOTIFICATION, IDENTIFIERS],
    ),
    row(
        M::ConnectionAvailable,
        Since::Uni40,
        OnMandatoryError::Report,
        "Q.2963.1 §8.1",
        &[NOTIFICATION, IDENTIFIERS, may40(IeId::REPORT_TYPE)],
    ),
    under(
        Reference::Either,
        row(
            M::LeafSetupFailure,
            Since::Uni40,
            OnMandatoryError::Discard,
            "UNI 4.0 §6.1.2",
            &[
                must(IeId::CAUSE),
                must(IeId::LEAF_SEQUENCE_NUMBER),
                may40(IeId::CALLED_PARTY_NUMBER),
                may40(IeId::CALLED_PARTY_SUBADDRESS),
                may40(IeId::TRANSIT_NETWORK_SELECTION),
            ],
        ),
    ),
    under(
        Reference::Either,
        row(
            M::LeafSetupRequest,
            Since::Uni40,
            OnMandatoryError::Discard,
            "UNI 4.0 §6.1.2",
            &[
                must(IeId::CALLED_PARTY_NUMBER),
                must(IeId::CALLING_PARTY_NUMBER),
                must(IeId::LEAF_CALL_ID),
                must(IeId::LEAF_SEQUENCE_NUMBER),
                may40(IeId::CALLED_PARTY_SUBADDRESS).times(2),
                may40(IeId::CALLING_PARTY_SUBADDRESS).times(2),
                may40(IeId::TRANSIT_NETWORK_SELECTION).times(4),
            ],
        ),
    ),
];

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Since::Uni30 => "UNI 3.0",
            Since::Uni31 => "UNI 3.1",
            Since::Uni40 => "UNI 4.0",
            Since::Q2931 => "Q.2931 alone",
        })
    }
}

/// `M`, `O`, or `C` and the condition.
impl fmt::Display for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Presence::Mandatory => "M",
            Presence::Optional => "O",
            Presence::MandatoryUni3 => "C (M in UNI 3.x)",
            Presence::MandatoryToUser => "C (M to the user)",
            Presence::MandatoryPointToMultipoint => "C (M point-to-multipoint)",
            Presence::MandatoryUnlessRestartAll => "C (M unless all restart)",
            Presence::FirstResponse => "C (first response)",
            Presence::FirstClearing => "C (first clearing)",
            Presence::OfParty => "C (of a party)",
        })
    }
}
