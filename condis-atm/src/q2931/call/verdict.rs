//! What is wrong with the IEs of a message, and what follows from it (Q.2931 §5.6.6 to §5.6.8, §5.7.2; Q.2971 §9.5).

use super::Config;
use super::compose;
use super::record::Call;
use crate::q2931::wire::{
    Cause, CauseValue, Diagnostics, IeAction, IeId, IeValue, Location, Message, MessageType, Side, Version,
};

/// What is done about a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It is taken.
    Proceed,
    /// It is taken, and STATUS tells what was wrong.
    ProceedAndReport(Cause),
    /// STATUS, and nothing else.
    DiscardAndReport(Cause),
    /// Nothing.
    Discard,
    /// The call is cleared, or refused.
    Clear(Cause),
}

/// About a message of a call that is there.
pub(super) fn of(message: &Message, config: &Config, call: &Call) -> Verdict {
    let mut mandatory = Vec::new();
    match message.kind {
        MessageType::CallProceeding | MessageType::Alerting | MessageType::Connect => {
            if config.side == Side::User && call.connection.is_none() {
                mandatory.push(IeId::CONNECTION_ID);
            }
            if call.parties.is_some() {
                mandatory.push(IeId::ENDPOINT_REFERENCE);
            }
        }
        MessageType::Status => mandatory.extend([IeId::CALL_STATE, IeId::CAUSE]),
        MessageType::Notify => mandatory.push(IeId::NOTIFICATION),
        MessageType::AddParty => mandatory.extend([IeId::CALLED_PARTY_NUMBER, IeId::ENDPOINT_REFERENCE]),
        MessageType::AddPartyAcknowledge
        | MessageType::AddPartyReject
        | MessageType::DropParty
        | MessageType::DropPartyAcknowledge
        | MessageType::PartyAlerting => mandatory.push(IeId::ENDPOINT_REFERENCE),
        MessageType::ModifyRequest => mandatory.push(IeId::TRAFFIC_DESCRIPTOR),
        MessageType::ModifyReject => mandatory.push(IeId::CAUSE),
        _ => {}
    }
    judge(message, config, &mandatory, false)
}

/// About a SETUP: what would be reported otherwise refuses the call (§5.6.7.1, §5.6.8.1).
pub(super) fn of_setup(message: &Message, config: &Config) -> Verdict {
    let mut mandatory = vec![IeId::TRAFFIC_DESCRIPTOR, IeId::BEARER_CAPABILITY, IeId::CALLED_PARTY_NUMBER];
    if config.version != Version::Uni40 || message.ie(IeId::EXTENDED_QOS).is_none() {
        mandatory.push(IeId::QOS_PARAMETER);
    }
    if config.side == Side::User {
        mandatory.push(IeId::CONNECTION_ID);
    }
    if message.bearer().is_some_and(|bearer| bearer.is_point_to_multipoint()) {
        mandatory.push(IeId::ENDPOINT_REFERENCE);
    }
    judge(message, config, &mandatory, true)
}

fn judge(message: &Message, config: &Config, mandatory: &[IeId], setup: bool) -> Verdict {
    let location = match config.side {
        Side::User => Location::USER,
        Side::Network => Location::PRIVATE_LOCAL,
    };
    let about = |value, ids: Vec<IeId>| Cause::new(location, value).with(Diagnostics::Ies(ids));
    let missing: Vec<IeId> = mandatory.iter().copied().filter(|&id| message.ie(id).is_none()).collect();
    let mandatory_fault =
        |cause| if setup { Verdict::Clear(cause) } else { Verdict::DiscardAndReport(cause) };
    if !missing.is_empty() {
        return mandatory_fault(about(CauseValue::MANDATORY_IE_MISSING, missing));
    }
    let mut faults = message.ies.iter().filter_map(|ie| match ie.value {
        IeValue::Invalid { id, .. } => Some((id, CauseValue::INVALID_IE_CONTENTS, ie.instruction.action())),
        IeValue::Unknown { id, .. } => Some((id, CauseValue::IE_NON_EXISTENT, ie.instruction.action())),
        _ => None,
    });
    let mut report: Option<(CauseValue, Vec<IeId>)> = None;
    let mut worst = None;
    for (id, value, action) in faults.by_ref() {
        match action {
            Some(IeAction::ClearCall) => return Verdict::Clear(about(value, vec![id])),
            Some(IeAction::DiscardMessageAndReport) => {
                worst.get_or_insert(Verdict::DiscardAndReport(about(value, vec![id])));
            }
            Some(IeAction::DiscardMessage) => {
                worst.get_or_insert(Verdict::Discard);
            }
            Some(IeAction::DiscardIe) => {}
            Some(IeAction::DiscardIeAndReport) | None => {
                let (_, ids) = report.get_or_insert((value, Vec::new()));
                ids.push(id);
            }
        }
    }
    if let Some(worst) = worst {
        return worst;
    }
    let invalid: Vec<IeId> = mandatory
        .iter()
        .copied()
        .filter(|&id| {
            message
                .ie(id)
                .is_some_and(|ie| matches!(ie.value, IeValue::Invalid { .. } | IeValue::Unknown { .. }))
        })
        .collect();
    if !invalid.is_empty() {
        return mandatory_fault(about(CauseValue::INVALID_IE_CONTENTS, invalid));
    }
    let _ = compose::party_of;
    match report {
        None => Verdict::Proceed,
        Some((value, ids)) => Verdict::ProceedAndReport(about(value, ids)),
    }
}
