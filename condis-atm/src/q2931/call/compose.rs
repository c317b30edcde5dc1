//! Between messages and what calls carry: our messages put together, the peer's taken apart.

use super::{Answer, CallParams, ModifyParams, PartyId, PartyParams, RequestError, RestartClass};
use crate::q2931::wire::{
    CallRef, CallState, Cause, CauseValue, Coding, ConnectionId, EndpointReference, EndpointState, Ie, IeId,
    IeValue, Message, MessageType, MessageWriter, QosParameter, RepeatIndicator, ReportType,
    RestartIndicator, Version,
};
use crate::{VpVc, Vpi};

/// Takes each IE of a message into the slot of its kind, if that is vacant, or all of one kind into a list; gives the others. What
/// cannot be understood, since its contents are wrong, is not passed on (Q.2931 §5.6.8.2).
macro_rules! take {
    ($ies:expr, $([$list:ident => $all:ident],)? $($kind:ident => $slot:ident),* $(,)?) => {{
        let mut other = Vec::new();
        for ie in $ies {
            match ie.value {
                $(IeValue::$list(value) => $all.push(value),)?
                $(IeValue::$kind(value) if $slot.is_none() => $slot = Some(value),)*
                IeValue::Invalid { .. } => {}
                _ => other.push(ie),
            }
        }
        other
    }};
}

pub(super) fn encode(message: MessageWriter) -> Result<Vec<u8>, RequestError> {
    message.finish().map_err(|error| RequestError::Uncodable(error.to_string()))
}

/// SETUP (UNI 3.1 §5.3.1.6). `first` is the party of a point-to-multipoint call.
pub(super) fn setup(
    version: Version,
    reference: CallRef,
    params: &CallParams,
    first: Option<PartyId>,
) -> MessageWriter {
    MessageWriter::new(reference, MessageType::Setup)
        .with_some(params.aal.as_ref())
        .with(params.traffic)
        .with(params.bearer)
        .with_some(params.bhli.as_ref())
        .with_some((params.blli.len() > 1).then_some(RepeatIndicator::PRIORITIZED))
        .with_all(params.blli.iter())
        .with(&params.called)
        .with_some(params.called_subaddress.as_ref())
        .with_some(params.calling.as_ref())
        .with_some(params.calling_subaddress.as_ref())
        .with_some(params.connection.map(ConnectionId::exclusive))
        .with_some(params.qos.map(|qos| coded_qos(version, qos)))
        .with_some(first.map(|first| EndpointReference { value: first.0, to_originator: false }))
        .with_all(params.other.iter())
}

/// Classes other than 0, and all of UNI 3.0, are in the network's coding.
fn coded_qos(version: Version, qos: QosParameter) -> Ie {
    let unspecified = qos == QosParameter::UNSPECIFIED;
    let coding = if unspecified && version != Version::Uni30 { Coding::Itu } else { Coding::Network };
    Ie::new(qos).coded(coding)
}

/// CALL PROCEEDING, ALERTING, CONNECT.
pub(super) fn answer(
    kind: MessageType,
    reference: CallRef,
    connection: Option<VpVc>,
    answer: &Answer,
    party: Option<PartyId>,
) -> MessageWriter {
    MessageWriter::new(reference, kind)
        .with_some(answer.aal.as_ref())
        .with_some(answer.blli.as_ref())
        .with_some(connection.map(ConnectionId::exclusive))
        .with_some(party.map(|party| EndpointReference { value: party.0, to_originator: true }))
        .with_all(answer.other.iter())
}

/// A message without IEs.
pub(super) fn bare(kind: MessageType, reference: CallRef) -> MessageWriter {
    MessageWriter::new(reference, kind)
}

/// RELEASE, RELEASE COMPLETE.
pub(super) fn clearing(
    kind: MessageType,
    reference: CallRef,
    causes: &[Cause],
    other: &[Ie],
) -> MessageWriter {
    MessageWriter::new(reference, kind).with_all(causes.iter()).with_all(other.iter())
}

/// STATUS. Of a party: which, the flag of its reference in this message, and its state.
pub(super) fn status(
    reference: CallRef,
    cause: &Cause,
    state: u8,
    party: Option<(PartyId, bool, u8)>,
) -> MessageWriter {
    let message = MessageWriter::new(reference, MessageType::Status).with(CallState(state)).with(cause);
    match party {
        None => message,
        Some((party, to_originator, state)) => {
            message.with(EndpointReference { value: party.0, to_originator }).with(EndpointState(state))
        }
    }
}

/// STATUS ENQUIRY about a party.
pub(super) fn party_enquiry(reference: CallRef, party: PartyId, to_originator: bool) -> MessageWriter {
    MessageWriter::new(reference, MessageType::StatusEnquiry)
        .with(EndpointReference { value: party.0, to_originator })
}

pub(super) fn notify(
    reference: CallRef,
    party: Option<PartyId>,
    to_originator: bool,
    ies: &[Ie],
) -> MessageWriter {
    MessageWriter::new(reference, MessageType::Notify)
        .with_some(party.map(|party| EndpointReference { value: party.0, to_originator }))
        .with_all(ies.iter())
}

/// ADD PARTY (UNI 3.1 §5.3.3.1).
pub(super) fn add_party(reference: CallRef, party: PartyId, params: &PartyParams) -> MessageWriter {
    MessageWriter::new(reference, MessageType::AddParty)
        .with_some(params.aal.as_ref())
        .with_some(params.bhli.as_ref())
        .with_some(params.blli.as_ref())
        .with(&params.called)
        .with_some(params.called_subaddress.as_ref())
        .with_some(params.calling.as_ref())
        .with_some(params.calling_subaddress.as_ref())
        .with(EndpointReference { value: party.0, to_originator: false })
        .with_all(params.other.iter())
}

/// PARTY ALERTING, ADD PARTY ACKNOWLEDGE.
pub(super) fn party_answer(
    kind: MessageType,
    reference: CallRef,
    party: PartyId,
    answer: &Answer,
) -> MessageWriter {
    MessageWriter::new(reference, kind)
        .with(EndpointReference { value: party.0, to_originator: true })
        .with_some(answer.aal.as_ref())
        .with_some(answer.blli.as_ref())
        .with_all(answer.other.iter())
}

/// ADD PARTY REJECT, DROP PARTY, DROP PARTY ACKNOWLEDGE.
pub(super) fn party_end(
    kind: MessageType,
    reference: CallRef,
    party: PartyId,
    to_originator: bool,
    cause: &Cause,
) -> MessageWriter {
    MessageWriter::new(reference, kind).with(cause).with(EndpointReference { value: party.0, to_originator })
}

pub(super) fn modify_request(reference: CallRef, params: &ModifyParams) -> MessageWriter {
    MessageWriter::new(reference, MessageType::ModifyRequest)
        .with(params.traffic)
        .with_all(params.other.iter())
}

/// MODIFY ACKNOWLEDGE; `confirm`: the peer is to tell when it uses the new contract.
pub(super) fn modify_acknowledge(reference: CallRef, confirm: bool, other: &[Ie]) -> MessageWriter {
    MessageWriter::new(reference, MessageType::ModifyAcknowledge)
        .with_some(confirm.then_some(ReportType::MODIFICATION_CONFIRMATION))
        .with_all(other.iter())
}

pub(super) fn connection_available(reference: CallRef) -> MessageWriter {
    MessageWriter::new(reference, MessageType::ConnectionAvailable)
        .with(ReportType::MODIFICATION_CONFIRMATION)
}

/// RESTART, RESTART ACKNOWLEDGE.
pub(super) fn restart(kind: MessageType, reference: CallRef, what: RestartClass) -> MessageWriter {
    let (connection, indicator) = match what {
        RestartClass::Channel(connection) => {
            (Some(ConnectionId::exclusive(connection)), RestartIndicator::VIRTUAL_CHANNEL)
        }
        RestartClass::Path(vpi) => (Some(ConnectionId::any_vci(vpi)), RestartIndicator::VIRTUAL_PATH),
        RestartClass::All => (None, RestartIndicator::ALL),
    };
    MessageWriter::new(reference, kind).with_some(connection).with(indicator)
}

/// The party that a message is about, and the flag of its reference.
pub(super) fn party_of(message: &Message) -> Option<(PartyId, bool)> {
    message.endpoint_reference().map(|reference| (PartyId(reference.value), reference.to_originator))
}

pub(super) fn call_state_of(message: &Message) -> Option<u8> {
    message.call_state().map(|state| state.0)
}

pub(super) fn party_state_of(message: &Message) -> Option<u8> {
    message.endpoint_state().map(|state| state.0)
}

/// The causes of a message, and its other IEs.
pub(super) fn causes_of(message: Message) -> (Vec<Cause>, Vec<Ie>) {
    let (mut causes, mut other) = (Vec::new(), Vec::new());
    for ie in message.ies {
        match ie.value {
            IeValue::Cause(cause) => causes.push(cause),
            IeValue::Invalid { .. } => {}
            _ => other.push(ie),
        }
    }
    (causes, other)
}

/// The party of a NOTIFY, and its IEs.
pub(super) fn notification_of(message: Message) -> (Option<PartyId>, Vec<Ie>) {
    let mut party = None;
    let other = take!(message.ies, EndpointReference => party);
    (party.map(|party| PartyId(party.value)), other)
}

/// The report type of a modification that wants to be confirmed.
pub(super) fn wants_confirmation(message: &Message) -> bool {
    message.get::<ReportType>() == Some(&ReportType::MODIFICATION_CONFIRMATION)
}

/// All but the report type.
pub(super) fn modification_of(message: Message) -> Vec<Ie> {
    let mut report = None;
    let other = take!(message.ies, ReportType => report);
    let _ = report;
    other
}

/// What a RESTART or its acknowledgement is about, or the cause to tell (Q.2931 §5.5.2, §5.6.7).
pub(super) fn restart_class_of(message: &Message) -> Result<RestartClass, Cause> {
    let faulty = |id| match message.ie(id) {
        None => Cause::user(CauseValue::MANDATORY_IE_MISSING).about(id),
        Some(_) => Cause::user(CauseValue::INVALID_IE_CONTENTS).about(id),
    };
    let indicator = message.restart_indicator().ok_or_else(|| faulty(IeId::RESTART_INDICATOR))?;
    match *indicator {
        RestartIndicator::ALL => Ok(RestartClass::All),
        RestartIndicator::VIRTUAL_PATH => {
            let connection = message.connection_id().ok_or_else(|| faulty(IeId::CONNECTION_ID))?;
            Ok(RestartClass::Path(Vpi(connection.vpci)))
        }
        RestartIndicator::VIRTUAL_CHANNEL => {
            let connection = message.connection_id().ok_or_else(|| faulty(IeId::CONNECTION_ID))?;
            Ok(RestartClass::Channel(VpVc::new(connection.vpci, connection.vci)))
        }
        _ => Err(faulty(IeId::RESTART_INDICATOR)),
    }
}

impl CallParams {
    /// The contents of a SETUP; `None` if one is not there that every SETUP has.
    pub(super) fn from_message(message: Message) -> Option<CallParams> {
        let (mut called, mut traffic, mut bearer) = (None, None, None);
        let (mut called_subaddress, mut calling, mut calling_subaddress) = (None, None, None);
        let (mut qos, mut aal, mut bhli) = (None, None, None);
        let (mut connection, mut party, mut repeat) = (None, None, None);
        let mut blli = Vec::new();
        let other = take!(message.ies,
            [LowLayerInfo => blli],
            CalledPartyNumber => called,
            CalledPartySubaddress => called_subaddress,
            CallingPartyNumber => calling,
            CallingPartySubaddress => calling_subaddress,
            TrafficDescriptor => traffic,
            BearerCapability => bearer,
            QosParameter => qos,
            AalParameters => aal,
            HighLayerInfo => bhli,
            ConnectionId => connection,
            EndpointReference => party,
            RepeatIndicator => repeat,
        );
        Some(CallParams {
            called: called?,
            called_subaddress,
            calling,
            calling_subaddress,
            traffic: *traffic?,
            bearer: bearer?,
            qos,
            aal,
            bhli,
            blli,
            connection: connection.and_then(|connection| connection.vpvc()),
            party: party.map(|party| PartyId(party.value)),
            other,
        })
    }
}

impl Answer {
    /// The contents of CALL PROCEEDING, ALERTING, CONNECT, ADD PARTY ACKNOWLEDGE.
    pub(super) fn from_message(message: Message) -> Answer {
        let (mut connection, mut party, mut aal, mut blli) = (None, None, None, None);
        let other = take!(message.ies,
            ConnectionId => connection,
            EndpointReference => party,
            AalParameters => aal,
            LowLayerInfo => blli,
        );
        Answer { connection: connection.and_then(|connection| connection.vpvc()), aal, blli, other }
    }
}

impl PartyParams {
    /// The contents of an ADD PARTY; `None` if one is not there that every ADD PARTY has.
    pub(super) fn from_message(message: Message) -> Option<PartyParams> {
        let (mut called, mut called_subaddress, mut party) = (None, None, None);
        let (mut calling, mut calling_subaddress) = (None, None);
        let (mut aal, mut bhli, mut blli) = (None, None, None);
        let other = take!(message.ies,
            CalledPartyNumber => called,
            CalledPartySubaddress => called_subaddress,
            CallingPartyNumber => calling,
            CallingPartySubaddress => calling_subaddress,
            AalParameters => aal,
            HighLayerInfo => bhli,
            LowLayerInfo => blli,
            EndpointReference => party,
        );
        let called = called?;
        Some(PartyParams { called, called_subaddress, calling, calling_subaddress, aal, bhli, blli, other })
    }
}

impl ModifyParams {
    /// The contents of a MODIFY REQUEST; `None` if one is not there that every one has.
    pub(super) fn from_message(message: Message) -> Option<ModifyParams> {
        let mut traffic = None;
        let other = take!(message.ies, TrafficDescriptor => traffic);
        Some(ModifyParams { traffic: *traffic?, other })
    }
}
