//! Q.2931: messages, and what the checker says of them.

use condis_atm::q2931::wire::grammar::{MessageRule, OnMandatoryError};
use condis_atm::q2931::wire::{
    Finding, IeValue, LengthError, MESSAGE_HEADER_LEN, MESSAGE_LEN_MAX, Message, Receiver, Side, Version,
    WireError,
};

/// Any octets: refused, or a message. What is written of it reads as itself, no longer than what came; it
/// prints in one line; and what the checker lets in has every IE that it must have. Gives whether it was a
/// message in which nothing is wrong.
pub fn message(data: &[u8]) -> bool {
    let message = match Message::parse(data) {
        Ok(message) => message,
        Err(WireError::TooShort(len)) => {
            assert!(len == data.len() && len < MESSAGE_HEADER_LEN);
            return false;
        }
        Err(WireError::TooLong(len)) => {
            assert!(len == data.len() && len > MESSAGE_LEN_MAX);
            return false;
        }
        Err(_) => return false,
    };
    let written = message.encode().expect("what was read is not too long to be written");
    assert!(written.len() == message.encoded_len() && written.len() <= data.len());
    let again = Message::parse(&written).expect("what is written reads back");
    assert!(again.length_error().is_none() && again.ies.len() == message.ies.len());
    let overrun = |value: &IeValue| {
        matches!(value, IeValue::Invalid { error: condis_atm::q2931::wire::ContentError::Overrun { .. }, .. })
    };
    // An IE that reached beyond its message is written with the length that it has; then its contents may
    // turn out to be good.
    if !message.ies.iter().any(|ie| overrun(&ie.value)) {
        assert_eq!(again.encode().expect("as before"), written);
    }
    for (before, after) in message.ies.iter().zip(&again.ies) {
        assert!(before == after || overrun(&before.value), "{before} is {after}");
    }
    if let Some(LengthError::Mismatch { announced, available }) = message.length_error() {
        assert_ne!(announced, available);
    }
    let line = message.to_string();
    assert!(!line.contains(char::is_control), "{line:?}");
    let mut good = false;
    for version in [Version::Uni30, Version::Uni31, Version::Uni40] {
        good |= checked(&message, Receiver::user(version));
        good |= checked(&message, Receiver::network(version));
        let _ = message.contracts();
    }
    good
}

fn checked(message: &Message, receiver: Receiver) -> bool {
    let verdict = message.check(receiver);
    assert_eq!(verdict, message.check(receiver));
    let lines = verdict.findings.iter().map(Finding::to_string).chain([verdict.treatment.to_string()]);
    lines.for_each(|line| assert!(!line.is_empty() && !line.contains(char::is_control), "{line:?}"));
    if let Some(cause) = verdict.treatment.cause() {
        assert_eq!(cause.location, receiver.location);
        assert!(cause.value.name().is_some());
    }
    let Some(rule) = MessageRule::of(message.kind) else {
        assert!(!verdict.treatment.proceeds());
        return false;
    };
    let strict =
        !matches!(rule.on_mandatory_error, OnMandatoryError::Proceed | OnMandatoryError::ProceedAndReport);
    if verdict.treatment.proceeds() && strict {
        for ie in rule.ies.iter().filter(|ie| ie.applies(receiver.version, receiver.side)) {
            let there = message.ies.iter().any(|of| of.id() == ie.id && is_value(&of.value));
            let required = ie.presence.is_required(message, receiver.version, receiver.side);
            assert!(there || !required, "{message} proceeds at {:?} without {}", receiver.side, ie.id);
        }
    }
    assert_eq!(receiver.side.peer().peer() == Side::User, receiver.side == Side::User);
    verdict.findings.is_empty()
}

fn is_value(value: &IeValue) -> bool {
    !matches!(value, IeValue::Empty(_) | IeValue::Unknown { .. } | IeValue::Invalid { .. })
}
