//! What is wrong with a message that its state takes, and what follows from it: the table's check, and what only the state of the call
//! can say (Q.2931 §5.6.6 to §5.6.8, §5.7.2; Q.2971 §9.5).

use super::Config;
use super::record::Call;
use crate::q2931::wire::{
    Cause, CauseValue, Diagnostics, EndpointReference, IeId, Location, Message, MessageType, Receiver, Side,
    Treatment,
};

/// Who we are, to the check.
pub(super) fn receiver(config: &Config) -> Receiver {
    Receiver { version: config.version, side: config.side, location: location(config.side) }
}

/// Where our causes arise. Which network a network side belongs to nobody has told it: the nearest private one.
pub(super) fn location(side: Side) -> Location {
    match side {
        Side::User => Location::USER,
        Side::Network => Location::PRIVATE_LOCAL,
    }
}

/// About a message of a call that is there.
pub(super) fn of(message: &Message, config: &Config, call: &Call) -> Treatment {
    let treatment = message.check(receiver(config)).treatment;
    if !treatment.proceeds() {
        return treatment;
    }
    let missing: Vec<IeId> = required(message.kind, config, call)
        .into_iter()
        .flatten()
        .filter(|&id| message.ie(id).is_none())
        .collect();
    let report = |value, ids| {
        let cause = Cause::new(location(config.side), value).with(Diagnostics::Ies(ids));
        Treatment::DiscardAndReport(cause)
    };
    if !missing.is_empty() {
        return report(CauseValue::MANDATORY_IE_MISSING, missing);
    }
    if is_answer(message.kind) && !names_first_party(message, call) {
        return report(CauseValue::INVALID_IE_CONTENTS, vec![IeId::ENDPOINT_REFERENCE]);
    }
    treatment
}

/// An answer to SETUP.
fn is_answer(kind: MessageType) -> bool {
    matches!(kind, MessageType::CallProceeding | MessageType::Alerting | MessageType::Connect)
}

/// The party that an answer to a SETUP with many parties is about must be the one of the SETUP (Q.2971 §9.2).
fn names_first_party(message: &Message, call: &Call) -> bool {
    match (&call.parties, message.endpoint_reference()) {
        (Some(parties), Some(named)) => {
            *named == EndpointReference { value: parties.first, to_originator: true }
        }
        _ => true,
    }
}

/// What an answer to SETUP must have: the connection, if the user has none yet (Q.2931 §5.1.2.3), and the party, if there are many
/// (Q.2971 §9.2).
fn required(kind: MessageType, config: &Config, call: &Call) -> [Option<IeId>; 2] {
    let answers = is_answer(kind);
    let connection = answers && config.side == Side::User && call.connection.is_none();
    let party = answers && call.parties.is_some();
    [connection.then_some(IeId::CONNECTION_ID), party.then_some(IeId::ENDPOINT_REFERENCE)]
}
