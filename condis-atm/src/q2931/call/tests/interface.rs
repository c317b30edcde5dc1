//! RESTART, STATUS, and the SAAL's outages.

use super::*;
use crate::Vpi;
use crate::q2931::wire::{
    CallRef, CallState as Told, Ie, IeAction, IeId, IeInstruction, IeValue, MessageAction,
    MessageInstruction, MessageType, Octets,
};

const U: Side = Side::User;
const N: Side = Side::Network;

/// Q.2931 §5.5: one VC, one path, all; from both sides.
#[test]
fn a_restart_ends_the_calls_that_it_covers() {
    for from in SIDES {
        for what in 0..3 {
            let mut pair = Pair::new(Version::Uni31);
            let calls: Vec<(CallId, CallId)> = (0..2).map(|_| pair.call(U)).collect();
            let connection = pair.end(U).connection(calls[0].0).unwrap();
            let (what, covered) = match what {
                0 => (RestartClass::Channel(connection), 1),
                1 => (RestartClass::Path(Vpi(0)), 2),
                _ => (RestartClass::All, 2),
            };
            pair.at(from, |end, now| end.restart(now, what)).unwrap();
            for side in [from, from.peer()] {
                for &(ours, theirs) in &calls[..covered] {
                    let call = if side == U { ours } else { theirs };
                    // Only once the peer's user has answered for each of its calls.
                    assert!(!pair.log.iter().any(|line| line.ends_with("ACKNOWLEDGE")), "{:?}", pair.log);
                    pair.at(side, |end, now| end.release_response(now, call)).unwrap();
                }
            }
            let said = pair.said();
            assert_eq!(said.matches("Released 41").count(), 2 * covered, "{said}");
            assert_eq!(said.matches("RESTART ACKNOWLEDGE").count(), 1, "{said}");
            assert_eq!(said.matches("Restarted").count(), 2, "{said}");
            assert_eq!(pair.end(U).calls_len(), 2 - covered);
            assert_eq!(pair.end(N).calls_len(), 2 - covered);
            assert!(pair.ends.iter().all(|end| end.next_timeout().is_none()));
        }
    }
}

/// Q.2931 §5.5.1.2, T316.
#[test]
fn a_restart_without_answer_is_repeated_once_and_given_up() {
    let mut pair = Pair::new(Version::Uni31);
    pair.held = true;
    pair.at(U, |end, now| end.restart(now, RestartClass::All)).unwrap();
    assert_eq!(pair.end(U).restart(Time::ZERO, RestartClass::All), Err(RequestError::RestartUnderWay));
    pair.pass_s(300);
    assert_said!(
        pair,
        "0.0 U RESTART
         120.0 U RESTART
         240.0 U RestartFailed"
    );
    pair.at(U, |end, now| end.restart(now, RestartClass::All)).unwrap();
}

/// Q.2931 §5.5.2.2, T317: who does not answer for its call keeps the restart from being acknowledged.
#[test]
fn a_restart_is_not_acknowledged_while_a_call_is_not_answered_for() {
    let mut pair = Pair::new(Version::Uni31);
    let (_, theirs) = pair.call(U);
    pair.at(U, |end, now| end.restart(now, RestartClass::All)).unwrap();
    pair.said();
    pair.pass_s(90);
    assert_said!(pair, "90.0 N RestartFailed");
    pair.at(N, |end, now| end.release_response(now, theirs)).unwrap();
    // The RESTART that is repeated finds nothing to wait for.
    pair.pass_s(30);
    assert_said!(pair, "120.0 U RESTART\n120.0 N RESTART ACKNOWLEDGE\n120.0 N Restarted");
}

/// Q.2931 §5.6.3.2 e, h.
#[test]
fn the_global_reference_is_for_restarts() {
    let mut pair = Pair::new(Version::Uni31);
    for (message, answer) in [
        (Message::new(CallRef::GLOBAL, MessageType::Setup), "0.0 U STATUS 81"),
        (Message::new(CallRef::GLOBAL, MessageType::RestartAcknowledge), "0.0 U STATUS 81"),
        (Message::new(CallRef::GLOBAL.reply(), MessageType::Restart), "0.0 U STATUS 81"),
        (Message::new(CallRef::GLOBAL.reply(), MessageType::RestartAcknowledge), "0.0 U STATUS 101"),
        (Message::new(CallRef::GLOBAL, MessageType::Restart), "0.0 U STATUS 96"),
        (Message::new(CallRef::GLOBAL, MessageType::Status), ""),
    ] {
        pair.held = true;
        pair.inject(U, &message);
        assert_eq!(pair.said(), answer, "{message}");
    }
}

/// A call of that side that stands, and its reference in messages to that side.
fn standing(version: Version, side: Side) -> (Pair, CallId, CallRef) {
    let mut pair = Pair::new(version);
    let (ours, _) = pair.call(side);
    let value = pair.end(side).calls().next().unwrap().reference;
    (pair, ours, CallRef::new(value, true))
}

/// Q.2931 §5.6.12.
#[test]
fn a_status_that_does_not_go_with_ours_clears_the_call() {
    let status = |reference, state| {
        Message::new(reference, MessageType::Status)
            .with(Told(state))
            .with(Cause::user(CauseValue::NORMAL_UNSPECIFIED))
    };
    let (mut pair, _, reference) = standing(Version::Uni31, U);
    pair.held = true;
    pair.inject(U, &status(reference, 10));
    assert_said!(pair, "0.0 U StatusReported");
    pair.inject(U, &status(reference, 0));
    assert_said!(pair, "0.0 U Released 101");

    let mut pair = Pair::new(Version::Uni31);
    pair.held = true;
    let params = pair.params(U);
    pair.at(U, |end, now| end.setup(now, &params)).unwrap();
    pair.said();
    let reference = CallRef::new(pair.end(U).calls().next().unwrap().reference, true);
    pair.inject(U, &status(reference, 6));
    assert_said!(pair, "0.0 U RELEASE 101\n0.0 U Released 101");
    assert_eq!(pair.end(U).counters().status_mismatches, 1);
}

/// Q.2931 §5.6.11, T322.
#[test]
fn an_enquiry_is_answered_or_repeated_once_and_then_clears() {
    let mut pair = Pair::new(Version::Uni31);
    let (ours, _) = pair.call(U);
    pair.at(U, |end, now| end.status_enquiry(now, ours)).unwrap();
    assert_said!(pair, "0.0 U STATUS ENQUIRY\n0.0 N STATUS 30\n0.0 U StatusReported");
    pair.held = true;
    pair.at(U, |end, now| end.status_enquiry(now, ours)).unwrap();
    assert_eq!(pair.end(U).status_enquiry(Time::ZERO, ours), Err(RequestError::EnquiryUnderWay(ours)));
    pair.pass_s(8);
    assert_said!(
        pair,
        "0.0 U STATUS ENQUIRY
         4.0 U STATUS ENQUIRY
         8.0 U RELEASE 102
         8.0 U Released 102"
    );
}

/// Q.2931 §5.6.9: what becomes of each state when the SAAL goes, and comes back in time or not.
#[test]
fn the_saal_goes_and_comes_back() {
    let mut pair = Pair::new(Version::Uni31);
    let (ours, theirs) = pair.call(U);
    pair.setup(U);
    pair.said();
    pair.saal(false);
    assert_said!(
        pair,
        "0.0 U Released 27
         0.0 U EstablishSaal
         0.0 N Released 27
         0.0 N EstablishSaal"
    );
    let params = pair.params(U);
    assert_eq!(pair.end(U).setup(Time::ZERO, &params), Err(RequestError::SignalingDown));
    pair.pass_s(9);
    pair.saal(true);
    assert_said!(
        pair,
        "9.0 U STATUS ENQUIRY
         9.0 N STATUS ENQUIRY
         9.0 N STATUS 30
         9.0 U STATUS 30
         9.0 U StatusReported
         9.0 N StatusReported"
    );
    pair.saal(false);
    // Without the SAAL a release is at once.
    pair.at(U, |end, now| end.release(now, ours, normal(), &[])).unwrap();
    pair.pass_s(10);
    assert_said!(
        pair,
        "9.0 U EstablishSaal
         9.0 N EstablishSaal
         9.0 U ReleaseConfirmed 16
         19.0 N Released 27"
    );
    pair.at(N, |end, now| end.release_response(now, theirs)).unwrap();
    assert!(pair.ends.iter().all(|end| end.next_timeout().is_none()));
}

/// The SAAL comes anew while it stands: what may have been lost is asked for, and a RELEASE is sent again.
#[test]
fn a_resynchronised_saal_makes_both_ends_ask() {
    let mut pair = Pair::new(Version::Uni31);
    pair.call(U);
    let (leaving, _) = pair.call(U);
    pair.held = true;
    pair.at(U, |end, now| end.release(now, leaving, normal(), &[])).unwrap();
    pair.wire.clear();
    pair.held = false;
    pair.said();
    pair.saal(true);
    let said = pair.said();
    assert!(said.contains("U RELEASE 16 102"), "{said}");
    assert!(said.contains("N Released 16"), "{said}");
    assert_eq!(said.matches("STATUS ENQUIRY").count(), 3, "{said}");
}

/// Q.2931 §5.6.9: a SETUP that the SAAL loses as it comes anew is repeated by T303, and the call comes to stand; from both sides. The peer,
/// which has never heard of the call, is not asked about it, nor when the user had asked before.
#[test]
fn a_setup_that_a_resynchronised_saal_lost_is_repeated() {
    for from in SIDES {
        for asked in [false, true] {
            let mut pair = Pair::new(Version::Uni31);
            let params = pair.params(from);
            pair.held = true;
            let ours = pair.at(from, |end, now| end.setup(now, &params)).unwrap();
            if asked {
                pair.at(from, |end, now| end.status_enquiry(now, ours)).unwrap();
            }
            pair.wire.clear();
            pair.held = false;
            pair.said();
            pair.saal(true);
            assert_said!(pair, "");
            pair.pass_s(4);
            let theirs = pair.offered(from.peer());
            let answer = pair.first_answer(from.peer());
            pair.at(from.peer(), |end, now| end.connect(now, theirs, &answer)).unwrap();
            assert_eq!(pair.end(from).state(ours), Some(CallState::Active));
            assert_eq!(pair.end(from.peer()).state(theirs), Some(CallState::Active));
            assert_eq!(pair.end(from).counters().enquiries_sent, u64::from(asked));
        }
    }
}

/// Q.2931 §5.6.9: what the SAAL that comes anew makes an end send, by state.
#[test]
fn a_resynchronised_saal_keeps_every_call_and_asks_of_those_that_the_peer_knows() {
    for (mut pair, call, _) in every_state() {
        let state = pair.end(U).state(call).unwrap();
        pair.at(U, |end, now| end.handle_saal_established(now));
        let sent = match state {
            CallState::SetupSent | CallState::ReleaseReceived => "",
            CallState::ReleaseSent => "0.0 U RELEASE 16 102",
            _ => "0.0 U STATUS ENQUIRY",
        };
        assert_eq!(pair.said(), sent, "{state}");
        assert_eq!(pair.end(U).state(call), Some(state));
    }
}

/// Q.2931 §5.6.4, §5.7.1: a message that nobody knows, in every state, by its action indicator.
#[test]
fn an_unknown_message_is_treated_by_its_indicator_in_every_state() {
    for (action, answer) in [
        (None, Some("STATUS 97")),
        (Some(MessageAction::DiscardAndReport), Some("STATUS 97")),
        (Some(MessageAction::Discard), None),
        (Some(MessageAction::ClearCall), Some("RELEASE 97")),
    ] {
        for (mut pair, call, reference) in every_state() {
            let state = pair.end(U).state(call).unwrap();
            let mut message = Message::new(reference, MessageType::Unknown(0x66));
            if let Some(action) = action {
                message = message.instructed(MessageInstruction::follow(action));
            }
            pair.held = true;
            pair.inject(U, &message);
            let said = pair.said();
            let releasing = matches!(state, CallState::ReleaseSent | CallState::ReleaseReceived);
            match answer {
                None => assert_eq!(said, "", "{state}"),
                // What is being cleared is not cleared again.
                Some("RELEASE 97") if releasing => assert_eq!(said, "", "{state}"),
                Some(answer) => assert!(said.starts_with(&format!("0.0 U {answer}")), "{state}: {said}"),
            }
        }
    }
}

/// One pair for each state that the user's end of a call can be in; the call, and its reference in messages to that end.
pub(super) fn every_state() -> Vec<(Pair, CallId, CallRef)> {
    let mut pairs = Vec::new();
    let mut keep = |mut pair: Pair, call: CallId| {
        pair.said();
        pair.held = true;
        let line = pair.end(U).calls().find(|line| line.call == call).unwrap();
        let reference = CallRef::new(line.reference, line.ours);
        pairs.push((pair, call, reference));
    };
    for step in 0..3 {
        let mut pair = Pair::new(Version::Uni40);
        let (ours, theirs) = pair.setup(U);
        let answer = pair.first_answer(N);
        match step {
            0 => {}
            1 => pair.at(N, |end, now| end.proceeding(now, theirs, &answer)).unwrap(),
            _ => pair.at(N, |end, now| end.alerting(now, theirs, &answer)).unwrap(),
        }
        keep(pair, ours);
    }
    for step in 0..4 {
        let mut pair = Pair::new(Version::Uni40);
        let (_, theirs) = pair.setup(N);
        pair.held = step == 3;
        match step {
            0 => {}
            1 => pair.at(U, |end, now| end.proceeding(now, theirs, &Answer::default())).unwrap(),
            2 => pair.at(U, |end, now| end.alerting(now, theirs, &Answer::default())).unwrap(),
            _ => pair.at(U, |end, now| end.connect(now, theirs, &Answer::default())).unwrap(),
        }
        keep(pair, theirs);
    }
    for step in 0..5 {
        let mut pair = Pair::new(Version::Uni40);
        let (ours, theirs) = pair.call(if step == 2 { N } else { U });
        let wish = ModifyParams {
            traffic: traffic_of(Version::Uni40, &Contracts::both(Contract::cbr(1))),
            other: Vec::new(),
        };
        match step {
            0 => {}
            1 => pair.at(U, |end, now| end.modify(now, ours, &wish)).unwrap(),
            2 => pair.at(N, |end, now| end.modify(now, ours, &wish)).unwrap(),
            3 => pair.at(U, |end, now| end.release(now, ours, normal(), &[])).unwrap(),
            _ => pair.at(N, |end, now| end.release(now, theirs, normal(), &[])).unwrap(),
        }
        keep(pair, if step == 2 { theirs } else { ours });
    }
    let mut states: Vec<CallState> =
        pairs.iter().map(|(pair, call, _)| pair.ends[0].state(*call).unwrap()).collect();
    states.sort_unstable();
    states.dedup();
    assert_eq!(states.len(), 12, "{states:?}");
    pairs
}

/// Q.2931 §5.6.7, §5.6.8, §5.7.2: IEs that are missing, wrong or unknown, each with what its sender wants done.
#[test]
fn a_connect_with_faulty_ies_is_treated_by_the_table() {
    let unknown = |action: Option<IeAction>| {
        let value = IeValue::Unknown { codeset: 0, id: IeId(0x33), octets: Octets::truncated(&[1]) };
        let ie = Ie::new(value);
        match action {
            Some(action) => ie.instructed(IeInstruction::follow(action)),
            None => ie,
        }
    };
    for (ie, answer) in [
        (unknown(None), "0.0 U STATUS 99\n0.0 U CONNECT ACKNOWLEDGE\n0.0 U Connected"),
        (unknown(Some(IeAction::DiscardIe)), "0.0 U CONNECT ACKNOWLEDGE\n0.0 U Connected"),
        (unknown(Some(IeAction::DiscardMessage)), ""),
        (unknown(Some(IeAction::DiscardMessageAndReport)), "0.0 U STATUS 99"),
        (unknown(Some(IeAction::ClearCall)), "0.0 U RELEASE 99\n0.0 U Released 99"),
    ] {
        let mut pair = Pair::new(Version::Uni31);
        pair.held = true;
        let params = pair.params(U);
        pair.at(U, |end, now| end.setup(now, &params)).unwrap();
        pair.said();
        let reference = CallRef::new(pair.end(U).calls().next().unwrap().reference, true);
        let connection = crate::q2931::wire::ConnectionId::exclusive(VpVc::new(0, 50));
        let connect = Message::new(reference, MessageType::Connect);
        pair.inject(U, &connect);
        assert_said!(pair, "0.0 U STATUS 96");
        pair.inject(U, &connect.with(connection).with(ie));
        assert_eq!(pair.said(), answer);
    }
}

/// Q.2931 §5.6.7.1: a RELEASE without a cause is taken, and the RELEASE COMPLETE says that it had none.
#[test]
fn a_release_without_a_cause_is_told_so() {
    let (mut pair, ours, reference) = standing(Version::Uni31, U);
    pair.held = true;
    pair.inject(U, &Message::new(reference, MessageType::Release));
    pair.at(U, |end, now| end.release_response(now, ours)).unwrap();
    assert_said!(pair, "0.0 U Released 31\n0.0 U RELEASE COMPLETE 96");
}

/// Q.2931 §5.9: what one user notifies the other is told, in UNI 4.0.
#[test]
fn a_notification_is_passed_on() {
    let mut pair = Pair::new(Version::Uni40);
    let (ours, theirs) = pair.call(U);
    let notification = Ie::new(crate::q2931::wire::Notification(Octets::truncated(&[0x80])));
    let ies = [notification];
    pair.at(U, |end, _| end.notify(ours, None, &ies)).unwrap();
    assert_eq!(pair.heard(N), Indication::Notified { call: theirs, party: None, ies: ies.to_vec() });
    assert_said!(pair, "0.0 U NOTIFY\n0.0 N Notified");
    let mut pair = Pair::new(Version::Uni31);
    let (ours, _) = pair.call(U);
    assert!(matches!(pair.end(U).notify(ours, None, &ies), Err(RequestError::NotInVersion { .. })));
}

/// All IEs of a SETUP arrive, those without a field of their own too, so that a switch can pass them on.
#[test]
fn what_a_setup_carries_arrives_whole() {
    let mut pair = Pair::new(Version::Uni40);
    let mut params = pair.params(U);
    let who: crate::addr::AtmAddress = "+49891".parse().unwrap();
    params.calling = Some(who.clone().into());
    params.blli =
        vec![crate::q2931::wire::LowLayerInfo::LLC, crate::q2931::wire::LowLayerInfo::snap([0, 0, 0], 0x800)];
    params.other = vec![
        Ie::new(crate::q2931::wire::UserUser(Octets::truncated(b"hello"))),
        Ie::new(crate::q2931::wire::TransitDelay { maximum_ms: Some(30), ..Default::default() }),
    ];
    pair.at(U, |end, now| end.setup(now, &params)).unwrap();
    let Indication::Setup { params: offered, .. } = pair.heard(N) else { panic!() };
    assert_eq!(*offered, params);
    assert_eq!(offered.calling_address(), Some(&who));
}
