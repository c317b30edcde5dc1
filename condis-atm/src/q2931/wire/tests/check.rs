//! What the checker finds and what is done about it: one case a rule of Q.2931 §5.6 and §5.7.

use super::samples;
use crate::q2931::wire::grammar::{MESSAGES, Since};
use crate::q2931::wire::*;

fn cr() -> CallRef {
    CallRef::from_originator(5).unwrap()
}

/// A SETUP in which nothing is wrong, as it comes to a network.
fn setup() -> Message {
    let peak = TrafficDescriptor {
        forward: CellRates::peak(7),
        backward: CellRates::peak(7),
        best_effort: true,
        options: None,
    };
    Message::new(cr(), MessageType::Setup)
        .with(peak)
        .with(BearerCapability::new(BearerClass::X, None))
        .with(CalledPartyNumber::from(samples::nsap()))
        .with(QosParameter::UNSPECIFIED)
}

fn release() -> Message {
    Message::new(cr(), MessageType::Release).with(Cause::user(CauseValue::NORMAL_CLEARING))
}

fn add_party() -> Message {
    Message::new(cr(), MessageType::AddParty)
        .with(EndpointReference { value: 1, to_originator: false })
        .with(CalledPartyNumber::from(samples::nsap()))
}

fn without(message: &Message, id: IeId) -> Message {
    let mut message = message.clone();
    message.ies.retain(|ie| ie.id() != id);
    message
}

fn invalid(id: IeId) -> Ie {
    Ie::new(IeValue::Invalid { id, octets: Octets::truncated(&[1]), error: ContentError::Truncated })
}

fn unknown() -> Ie {
    Ie::new(IeValue::Unknown { codeset: 0, id: IeId(0x33), octets: Octets::default() })
}

/// Treatment and findings of a message that came to a network of UNI 3.1.
fn verdict(message: &Message) -> (String, Vec<String>) {
    verdict_of(message, Receiver::network(Version::Uni31))
}

fn verdict_of(message: &Message, receiver: Receiver) -> (String, Vec<String>) {
    let Verdict { findings, treatment } = message.check(receiver);
    (treatment.to_string(), findings.iter().map(Finding::to_string).collect())
}

fn treatment(message: &Message) -> String {
    verdict(message).0
}

const PLACE: &str = "at private network of the local user";

#[test]
fn nothing_wrong_is_nothing_said() {
    for message in [setup(), release(), add_party()] {
        assert_eq!(verdict(&message), ("proceed".into(), vec![]), "{message}");
    }
}

/// Q.2931 §5.6.3.2 e).
#[test]
fn calls_are_not_made_under_the_global_reference() {
    let mut message = setup();
    message.call_ref = CallRef::GLOBAL;
    assert_eq!(
        treatment(&message),
        format!("discard and report cause 81 (invalid call reference value) {PLACE}")
    );
}

/// Q.2931 §5.6.4, §5.7.1.
#[test]
fn unknown_messages_go_by_their_instruction() {
    let cause = format!("cause 97 (message type non-existent or not implemented) {PLACE} [message 0x99]");
    let message = Message::new(cr(), MessageType::from_u8(0x99));
    let with = |action| treatment(&message.clone().instructed(MessageInstruction::follow(action)));
    assert_eq!(treatment(&message), format!("discard and report {cause}"));
    assert_eq!(with(MessageAction::ClearCall), format!("clear the call, {cause}"));
    assert_eq!(with(MessageAction::Discard), "discard");
    assert_eq!(with(MessageAction::DiscardAndReport), format!("discard and report {cause}"));
    let compatible = setup().not_compatible(Location::USER).to_string();
    assert_eq!(
        compatible,
        "discard and report cause 101 (message not compatible with call state) at user [SETUP]"
    );
}

#[test]
fn later_messages_are_unknown_to_earlier_versions() {
    for rule in MESSAGES {
        let message = Message::new(samples::call_ref(rule), rule.kind);
        for version in [Version::Uni30, Version::Uni31, Version::Uni40] {
            let unknown =
                message.check(Receiver::user(version)).findings.contains(&Finding::MessageType(rule.kind));
            assert_eq!(unknown, !rule.since.in_version(version), "{} in {version}", rule.kind);
        }
    }
    assert!(Since::Uni31.in_version(Version::Uni31) && !Since::Uni31.in_version(Version::Uni30));
}

/// Q.2931 §5.6.7.1: whatever a mandatory IE is missing from, in that message's own way.
#[test]
fn a_missing_mandatory_ie_is_answered_in_the_messages_own_way() {
    let cause = |what: &str| format!("cause 96 (mandatory information element is missing) {PLACE} [{what}]");
    let called = cause("called party number");
    let (found, findings) = verdict(&without(&setup(), IeId::CALLED_PARTY_NUMBER));
    assert_eq!((found, findings), (format!("refuse, {called}"), vec!["no called party number".into()]));
    assert_eq!(treatment(&without(&add_party(), IeId::CALLED_PARTY_NUMBER)), format!("refuse, {called}"));
    let both = Message::new(cr(), MessageType::AddParty);
    let both_missing = cause("endpoint reference, called party number");
    assert_eq!(treatment(&both), format!("discard and report {both_missing}"), "no party can be told");
    let no_cause = without(&release(), IeId::CAUSE);
    assert_eq!(treatment(&no_cause), format!("proceed and report {}", cause("cause")));
    let rest = [(MessageType::ReleaseComplete, "proceed"), (MessageType::Status, "discard")];
    for (kind, expected) in rest {
        assert_eq!(treatment(&Message::new(cr(), kind)), expected);
    }
    let restart = Message::new(CallRef::GLOBAL, MessageType::Restart);
    assert_eq!(treatment(&restart), format!("discard and report {}", cause("restart indicator")));
}

/// Of every message of the table, every IE that it must have.
#[test]
fn every_mandatory_ie_of_the_table_is_missed() {
    for version in [Version::Uni30, Version::Uni31, Version::Uni40] {
        for receiver in [Receiver::user(version), Receiver::network(version)] {
            for rule in MESSAGES.iter().filter(|rule| rule.since.in_version(version)) {
                let ies = rule.ies.iter().filter(|ie| ie.applies(version, receiver.side));
                let whole = Message::new(samples::call_ref(rule), rule.kind)
                    .with_all(ies.clone().map(|ie| samples::of(ie.id).remove(0)));
                assert_eq!(verdict_of(&whole, receiver), ("proceed".into(), vec![]), "{whole}");
                for ie in ies {
                    let found = without(&whole, ie.id).check(receiver).findings;
                    let required = ie.presence.is_required(&whole, version, receiver.side);
                    let expected = if required { vec![Finding::Missing(ie.id)] } else { vec![] };
                    // The state says whether channels are meant by a RESTART.
                    if ie.id != IeId::RESTART_INDICATOR {
                        assert_eq!(found, expected, "{} {}", rule.kind, ie.id);
                    }
                }
            }
        }
    }
}

#[test]
fn conditions_are_seen() {
    let to_user = |message: &Message| verdict_of(message, Receiver::user(Version::Uni31)).1;
    assert_eq!(to_user(&setup()), ["no connection identifier"]);
    let uni40 = verdict_of(&without(&setup(), IeId::QOS_PARAMETER), Receiver::network(Version::Uni40));
    assert_eq!(uni40, ("proceed".into(), vec![]));
    assert_eq!(verdict(&without(&setup(), IeId::QOS_PARAMETER)).1, ["no quality of service parameter"]);
    let many = without(&setup(), IeId::BEARER_CAPABILITY)
        .with(BearerCapability::new(BearerClass::X, None).point_to_multipoint());
    assert_eq!(verdict(&many).1, ["no endpoint reference"]);
    let restart = |class| Message::new(CallRef::GLOBAL, MessageType::Restart).with(class);
    assert_eq!(verdict(&restart(RestartIndicator::ALL)).1, [""; 0]);
    assert_eq!(verdict(&restart(RestartIndicator::VIRTUAL_PATH)).1, ["no connection identifier"]);
}

/// Q.2931 §4.5.1: without contents is as good as absent.
#[test]
fn an_empty_ie_is_absent() {
    let empty = |id| Ie::new(IeValue::Empty(id));
    let message = without(&setup(), IeId::CALLED_PARTY_NUMBER).with(empty(IeId::CALLED_PARTY_NUMBER));
    assert_eq!(verdict(&message).1, ["no called party number"]);
    assert_eq!(message.called_party(), None);
    assert_eq!(treatment(&setup().with(empty(IeId::AAL_PARAMETERS))), "proceed");
    let octets = message.encode().unwrap();
    assert_eq!(Message::parse(&octets).unwrap(), message);
}

/// Q.2931 §5.6.7.2.
#[test]
fn a_wrong_mandatory_ie_is_answered_in_the_messages_own_way() {
    let wrong = |message: Message, id| without(&message, id).with(invalid(id));
    let cause = |what: &str| format!("cause 100 (invalid information element contents) {PLACE} [{what}]");
    let message = wrong(setup(), IeId::BEARER_CAPABILITY);
    assert_eq!(treatment(&message), format!("refuse, {}", cause("broadband bearer capability")));
    assert_eq!(treatment(&wrong(release(), IeId::CAUSE)), format!("proceed and report {}", cause("cause")));
    let connect = Message::new(cr(), MessageType::DropParty)
        .with(invalid(IeId::ENDPOINT_REFERENCE))
        .with(Cause::user(CauseValue::NORMAL_CLEARING));
    assert_eq!(treatment(&connect), format!("discard and report {}", cause("endpoint reference")));
}

/// Q.2931 §5.6.8.
#[test]
fn other_errors_are_reported_while_the_message_counts() {
    let report = |cause: &str, what: &str| format!("proceed and report cause {cause} {PLACE} [{what}]");
    let unknown_ie = report("99 (information element non-existent or not implemented)", "ie 0x33");
    assert_eq!(treatment(&setup().with(unknown())), unknown_ie);
    let unexpected = report("99 (information element non-existent or not implemented)", "restart indicator");
    assert_eq!(treatment(&setup().with(RestartIndicator::ALL)), unexpected, "known, but not in a SETUP");
    let later = report("99 (information element non-existent or not implemented)", "user-user");
    assert_eq!(
        treatment(&setup().with(UserUser(Octets::truncated(&[4])))),
        later,
        "known, but not to UNI 3.1"
    );
    let contents = report("100 (invalid information element contents)", "calling party number");
    assert_eq!(treatment(&setup().with(invalid(IeId::CALLING_PARTY_NUMBER)).with(unknown())), contents);
    let access = report("43 (access information discarded)", "AAL parameters");
    assert_eq!(treatment(&setup().with(invalid(IeId::AAL_PARAMETERS))), access);
    let both = setup().with(invalid(IeId::AAL_PARAMETERS)).with(unknown());
    assert_eq!(treatment(&both), unknown_ie, "of access information only if there is nothing else");
    let complete = Message::new(cr(), MessageType::ReleaseComplete).with(unknown());
    assert_eq!(treatment(&complete), "proceed", "nobody is left to be told");
}

/// Q.2931 §5.7.2.
#[test]
fn ies_go_by_their_instruction() {
    let with = |action| treatment(&setup().with(unknown().instructed(IeInstruction::follow(action))));
    let cause = format!("cause 99 (information element non-existent or not implemented) {PLACE} [ie 0x33]");
    assert_eq!(with(IeAction::ClearCall), format!("clear the call, {cause}"));
    assert_eq!(with(IeAction::DiscardIe), "proceed");
    assert_eq!(with(IeAction::DiscardIeAndReport), format!("proceed and report {cause}"));
    assert_eq!(with(IeAction::DiscardMessage), "discard");
    assert_eq!(with(IeAction::DiscardMessageAndReport), format!("discard and report {cause}"));
    let clearing = release().with(unknown().instructed(IeInstruction::follow(IeAction::ClearCall)));
    assert_eq!(treatment(&clearing), format!("proceed and report {cause}"), "it clears already");
    let clear = unknown().instructed(IeInstruction::follow(IeAction::ClearCall));
    let complete = Message::new(cr(), MessageType::ReleaseComplete).with(clear);
    assert_eq!(treatment(&complete), "proceed", "it has cleared");
}

#[test]
fn what_weighs_most_is_done() {
    let follow = |action| IeInstruction::follow(action);
    let discard = unknown().instructed(follow(IeAction::DiscardMessage));
    let report = unknown().instructed(follow(IeAction::DiscardMessageAndReport));
    let clear = invalid(IeId::CALLING_PARTY_NUMBER).instructed(follow(IeAction::ClearCall));
    let message = setup().with(invalid(IeId::AAL_PARAMETERS));
    let kind = |message: &Message| match message.check(Receiver::network(Version::Uni31)).treatment {
        Treatment::Proceed => "proceed",
        Treatment::ProceedAndReport(_) => "proceed+report",
        Treatment::Discard => "discard",
        Treatment::DiscardAndReport(_) => "discard+report",
        Treatment::Refuse(_) => "refuse",
        Treatment::ClearCall(_) => "clear",
    };
    assert_eq!(kind(&message), "proceed+report");
    let message = without(&message, IeId::BEARER_CAPABILITY).with(invalid(IeId::BEARER_CAPABILITY));
    assert_eq!(kind(&message), "refuse");
    let message = message.with(discard);
    assert_eq!(kind(&message), "discard");
    let message = message.with(report);
    assert_eq!(kind(&message), "discard+report");
    let message = message.with(clear);
    assert_eq!(kind(&message), "clear");
    let message = without(&message, IeId::CALLED_PARTY_NUMBER);
    assert_eq!(message.check(Receiver::network(Version::Uni31)).treatment.cause().unwrap().value.0, 96);
}

/// Q.2931 §5.6.5.
#[test]
fn order_is_free_and_repetition_is_passed_over() {
    let mut message = setup();
    message.ies.reverse();
    assert_eq!(treatment(&message), "proceed");
    let mut other = samples::nsap().octets().to_vec();
    other[19] = 7;
    let other = crate::addr::AtmAddress::Nsap(other.try_into().unwrap());
    let twice = setup().with(CalledPartyNumber::from(other));
    assert_eq!(verdict(&twice), ("proceed".into(), vec!["more than 1 of called party number".into()]));
    assert_eq!(twice.called_party(), Some(&samples::nsap().into()));
    let layers = [LowLayerInfo::LLC, LowLayerInfo::snap([0; 3], 0x800), LowLayerInfo::LLC, LowLayerInfo::LLC];
    let listed = setup().with(RepeatIndicator::PRIORITIZED).with_all(layers.clone());
    assert_eq!(verdict(&listed).1, ["more than 3 of broadband low layer information"]);
    assert_eq!(verdict(&setup().with_all(layers)).1.len(), 3, "no repeat indicator before them");
}

#[test]
fn a_wrong_length_is_answered() {
    let octets = setup().encode().unwrap();
    let cut = Message::parse(&octets[..octets.len() - 1]).unwrap();
    assert_eq!(treatment(&cut), format!("refuse, cause 104 (incorrect message length) {PLACE}"));
    let more = Message::parse(&[&release().encode().unwrap()[..], &[0]].concat()).unwrap();
    assert_eq!(treatment(&more), format!("proceed and report cause 104 (incorrect message length) {PLACE}"));
    // A whole message whose last IE is a header cut off.
    let mut fragment = release().encode().unwrap();
    fragment.extend([0x08, 0x80]);
    fragment[8] += 2;
    let fragment = Message::parse(&fragment).unwrap();
    assert_eq!(fragment.length_error(), Some(LengthError::Fragment(2)));
    assert_eq!(fragment.causes().count(), 1);
}

/// An IE that says it is longer than its message is wrong in its contents (Q.2931 §5.6.6).
#[test]
fn an_ie_beyond_its_message_is_wrong() {
    let mut octets = setup().encode().unwrap();
    let at = octets.len() - 3;
    octets[at] = 9;
    let message = Message::parse(&octets).unwrap();
    assert_eq!(message.length_error(), None);
    assert_eq!(
        verdict(&message).1,
        ["mandatory quality of service parameter: 9 octets announced, 2 left in the message (regular)"]
    );
}

#[test]
fn ies_of_other_codesets_are_not_recognized() {
    let octets = Octets::truncated(&[1]);
    let message = setup().with(NonLockingShift(5)).with(Ie::new(IeValue::Unknown {
        codeset: 5,
        id: IeId::CAUSE,
        octets,
    }));
    assert_eq!(verdict(&message).1, ["ie 0x08 of codeset 5 not recognized (regular)"]);
    assert_eq!(message.cause(), None);
}
