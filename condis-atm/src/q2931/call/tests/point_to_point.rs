//! Calls with one called party, both ways.

use super::*;
use crate::q2931::wire::{
    CallRef, ConnectionId, Diagnostics, IE_HEADER_LEN, Ie, IeId, IeValue, MESSAGE_HEADER_LEN,
    MESSAGE_LEN_MAX, MessageType, Octets,
};

const U: Side = Side::User;
const N: Side = Side::Network;

/// Q.2931 §5.1, §5.4: the whole life of a call that the user makes.
#[test]
fn a_call_from_the_user_is_made_answered_and_released() {
    let mut pair = Pair::new(Version::Uni31);
    let (ours, theirs) = pair.setup(U);
    let answer = pair.first_answer(N);
    pair.at(N, |end, now| end.proceeding(now, theirs, &answer)).unwrap();
    assert_eq!(pair.end(U).connection(ours), answer.connection);
    assert_eq!(pair.end(N).connection(theirs), answer.connection);
    pair.at(N, |end, now| end.connect(now, theirs, &Answer::default())).unwrap();
    pair.at(U, |end, now| end.release(now, ours, normal(), &[])).unwrap();
    pair.at(N, |end, now| end.release_response(now, theirs)).unwrap();
    assert_said!(
        pair,
        "0.0 U SETUP
         0.0 N Setup
         0.0 N CALL PROCEEDING
         0.0 U Proceeding
         0.0 N CONNECT
         0.0 U CONNECT ACKNOWLEDGE
         0.0 U Connected
         0.0 N ConnectAcknowledged
         0.0 U RELEASE 16
         0.0 N Released 16
         0.0 N RELEASE COMPLETE
         0.0 U ReleaseConfirmed 31"
    );
    pair.assert_idle();
}

#[test]
fn the_states_are_those_of_the_standard_on_both_sides() {
    let mut pair = Pair::new(Version::Uni40);
    let (ours, theirs) = pair.setup(U);
    let answer = pair.first_answer(N);
    pair.at(N, |end, now| end.proceeding(now, theirs, &answer)).unwrap();
    pair.at(N, |end, now| end.alerting(now, theirs, &Answer::default())).unwrap();
    pair.at(N, |end, now| end.connect(now, theirs, &Answer::default())).unwrap();
    pair.at(U, |end, now| end.release(now, ours, normal(), &[])).unwrap();
    pair.at(N, |end, now| end.release_response(now, theirs)).unwrap();
    assert_eq!(
        pair.changes(),
        "U0 -> U1, N0 -> N1, N1 -> N3, U1 -> U3, N3 -> N4, U3 -> U4, N4 -> N10, U4 -> U10, \
         U10 -> U11, N10 -> N11, N11 -> N0, U11 -> U0"
    );
    let (ours, theirs) = pair.setup(N);
    pair.at(U, |end, now| end.proceeding(now, theirs, &Answer::default())).unwrap();
    pair.at(U, |end, now| end.alerting(now, theirs, &Answer::default())).unwrap();
    pair.at(U, |end, now| end.connect(now, theirs, &Answer::default())).unwrap();
    pair.at(N, |end, now| end.release(now, ours, normal(), &[])).unwrap();
    pair.at(U, |end, now| end.release_response(now, theirs)).unwrap();
    assert_eq!(
        pair.changes(),
        "N0 -> N6, U0 -> U6, U6 -> U9, N6 -> N9, U9 -> U7, N9 -> N7, U7 -> U8, N7 -> N8, N8 -> N10, U8 -> U10, \
         N10 -> N12, U10 -> U12, U12 -> U0, N12 -> N0"
    );
    pair.assert_idle();
}

/// Q.2931 §5.2, §5.4: the whole life of a call that the network makes; each side may be the one that releases it.
#[test]
fn a_call_from_the_network_is_made_answered_and_released() {
    let mut pair = Pair::new(Version::Uni31);
    let (ours, theirs) = pair.setup(N);
    assert_eq!(pair.end(U).connection(theirs), pair.end(N).connection(ours));
    pair.at(U, |end, now| end.connect(now, theirs, &Answer::default())).unwrap();
    pair.at(U, |end, now| end.release(now, theirs, normal(), &[])).unwrap();
    assert_eq!(pair.end(N).state(ours), Some(CallState::ReleaseReceived));
    pair.at(N, |end, now| end.release_response(now, ours)).unwrap();
    assert_said!(
        pair,
        "0.0 N SETUP
         0.0 U Setup
         0.0 U CONNECT
         0.0 N CONNECT ACKNOWLEDGE
         0.0 N Connected
         0.0 U ConnectAcknowledged
         0.0 U RELEASE 16
         0.0 N Released 16
         0.0 N RELEASE COMPLETE
         0.0 U ReleaseConfirmed 31"
    );
    pair.assert_idle();
}

/// Q.2931 §5.2.5.3, §5.4.2: a call that was not answered at all is refused with RELEASE COMPLETE.
#[test]
fn a_call_is_refused_from_either_side() {
    for from in SIDES {
        let mut pair = Pair::new(Version::Uni31);
        let (ours, theirs) = pair.setup(from);
        pair.said();
        let busy = Cause::user(CauseValue::USER_BUSY);
        pair.at(from.peer(), |end, now| end.release(now, theirs, busy, &[])).unwrap();
        let (f, t) = (side_letter(from), side_letter(from.peer()));
        assert_eq!(
            pair.said(),
            format!("0.0 {t} RELEASE COMPLETE 17\n0.0 {t} ReleaseConfirmed 17\n0.0 {f} Released 17")
        );
        pair.at(from, |end, now| end.release_response(now, ours)).unwrap();
        assert_eq!(pair.said(), "", "there is nothing to answer");
        pair.assert_idle();
    }
}

/// Q.2931 §5.4: a call can be released in every state, from either end.
#[test]
fn a_call_is_released_in_every_state_from_either_end() {
    type Progress = fn(&mut Pair, Side, CallId);
    let progress: [Progress; 4] = [
        |_, _, _| {},
        |pair, to, call| {
            let answer = pair.first_answer(to);
            pair.at(to, |end, now| end.proceeding(now, call, &answer)).unwrap();
        },
        |pair, to, call| {
            let answer = pair.first_answer(to);
            pair.at(to, |end, now| end.alerting(now, call, &answer)).unwrap();
        },
        |pair, to, call| {
            let answer = pair.first_answer(to);
            pair.at(to, |end, now| end.connect(now, call, &answer)).unwrap();
        },
    ];
    for from in SIDES {
        for releasing in SIDES {
            for step in progress {
                let mut pair = Pair::new(Version::Uni40);
                let (ours, theirs) = pair.setup(from);
                step(&mut pair, from.peer(), theirs);
                let (call, other) = if releasing == from { (ours, theirs) } else { (theirs, ours) };
                pair.indications.clear();
                pair.at(releasing, |end, now| end.release(now, call, normal(), &[])).unwrap();
                assert!(matches!(pair.end(releasing.peer()).release_response(Time::ZERO, other), Ok(())));
                pair.settle();
                pair.assert_idle();
            }
        }
    }
}

/// Q.2931 §5.4.5.
#[test]
fn releases_that_cross_confirm_each_other() {
    let mut pair = Pair::new(Version::Uni31);
    let (ours, theirs) = pair.call(U);
    pair.held = true;
    pair.at(U, |end, now| end.release(now, ours, normal(), &[])).unwrap();
    pair.at(N, |end, now| end.release(now, theirs, normal(), &[])).unwrap();
    pair.held = false;
    pair.settle();
    assert_said!(
        pair,
        "0.0 U RELEASE 16
         0.0 N RELEASE 16
         0.0 N ReleaseConfirmed 16
         0.0 U ReleaseConfirmed 16"
    );
    pair.assert_idle();
}

/// Q.2931 §5.1.1, T303: SETUP is repeated once.
#[test]
fn a_setup_without_answer_is_repeated_once_and_given_up() {
    for from in SIDES {
        let mut pair = Pair::new(Version::Uni31);
        pair.held = true;
        let params = pair.params(from);
        let call = pair.at(from, |end, now| end.setup(now, &params)).unwrap();
        pair.pass_s(20);
        let f = side_letter(from);
        assert_eq!(
            pair.said(),
            format!("0.0 {f} SETUP\n4.0 {f} SETUP\n8.0 {f} RELEASE COMPLETE 102\n8.0 {f} Released 18")
        );
        pair.at(from, |end, now| end.release_response(now, call)).unwrap();
        // What is under way now is a call that was given up.
        pair.held = false;
        pair.settle();
        let offered = pair.offered(from.peer());
        pair.at(from.peer(), |end, now| end.release_response(now, offered)).unwrap();
        pair.assert_idle();
    }
}

/// Q.2931 §5.6.3.2 d: the second SETUP of T303 does not make a second call.
#[test]
fn a_repeated_setup_is_one_call() {
    let mut pair = Pair::new(Version::Uni31);
    pair.held = true;
    let params = pair.params(U);
    pair.at(U, |end, now| end.setup(now, &params)).unwrap();
    pair.pass_s(5);
    pair.held = false;
    pair.settle();
    assert_eq!(pair.end(N).calls_len(), 1);
    assert_eq!(pair.end(N).counters().dropped_setup, 1);
}

/// Q.2931 §5.1.5, T310: 10 s, but 30 s at the user side of UNI 4.0.
#[test]
fn a_call_that_only_proceeds_is_cleared() {
    for (version, from, after) in [
        (Version::Uni31, U, "10.0"),
        (Version::Uni40, U, "30.0"),
        (Version::Uni31, N, "10.0"),
        (Version::Uni40, N, "10.0"),
    ] {
        let mut pair = Pair::new(version);
        let (ours, theirs) = pair.setup(from);
        let answer = pair.first_answer(from.peer());
        pair.at(from.peer(), |end, now| end.proceeding(now, theirs, &answer)).unwrap();
        pair.said();
        pair.pass_s(60);
        let (f, t) = (side_letter(from), side_letter(from.peer()));
        // Nobody answers `Released` here, so RELEASE is repeated after T308.
        let said = pair.said();
        let expected = format!("{after} {f} RELEASE 18\n{after} {f} Released 18\n{after} {t} Released 18");
        assert!(said.starts_with(&expected), "{said}");
        pair.at(from, |end, now| end.release_response(now, ours)).unwrap();
        pair.at(from.peer(), |end, now| end.release_response(now, theirs)).unwrap();
        pair.assert_idle();
    }
}

/// Q.2931 §5.1.6, T301.
#[test]
fn a_call_that_is_alerted_for_three_minutes_is_cleared() {
    let mut pair = Pair::new(Version::Uni40);
    let (_, theirs) = pair.setup(U);
    let answer = pair.first_answer(N);
    pair.at(N, |end, now| end.alerting(now, theirs, &answer)).unwrap();
    pair.pass_s(180);
    assert_said!(
        pair,
        "0.0 U SETUP
         0.0 N Setup
         0.0 N ALERTING
         0.0 U Alerting
         180.0 U RELEASE 19
         180.0 U Released 19
         180.0 N Released 19"
    );
}

/// Q.2931 §5.2.7, T313.
#[test]
fn a_connect_that_is_not_acknowledged_clears() {
    let mut pair = Pair::new(Version::Uni31);
    let (_, theirs) = pair.setup(N);
    pair.at(U, |end, now| end.proceeding(now, theirs, &Answer::default())).unwrap();
    pair.held = true;
    pair.at(U, |end, now| end.connect(now, theirs, &Answer::default())).unwrap();
    pair.said();
    pair.pass_s(5);
    assert_said!(pair, "4.0 U RELEASE 102\n4.0 U Released 102");
}

/// Q.2931 §5.4.3, T308: RELEASE is repeated once, then the call is forgotten.
#[test]
fn a_release_without_answer_is_repeated_once_and_given_up() {
    let mut pair = Pair::new(Version::Uni31);
    let (ours, _) = pair.call(U);
    pair.held = true;
    pair.at(U, |end, now| end.release(now, ours, normal(), &[])).unwrap();
    pair.pass_s(100);
    assert_said!(
        pair,
        "0.0 U RELEASE 16
         30.0 U RELEASE 16 102
         60.0 U ReleaseConfirmed 102"
    );
    assert_eq!(pair.end(U).calls_len(), 0);
}

/// What the core clears by itself is told once, and its user answers once, before or after the peer does.
#[test]
fn a_call_cleared_by_a_timer_ends_whoever_answers_first() {
    for user_first in [true, false] {
        let mut pair = Pair::new(Version::Uni31);
        let (ours, theirs) = pair.setup(U);
        let answer = pair.first_answer(N);
        pair.at(N, |end, now| end.proceeding(now, theirs, &answer)).unwrap();
        pair.pass_s(10);
        pair.said();
        let first: (Side, CallId) = if user_first { (U, ours) } else { (N, theirs) };
        let second = if user_first { (N, theirs) } else { (U, ours) };
        for (side, call) in [first, second] {
            pair.at(side, |end, now| end.release_response(now, call)).unwrap();
            assert_eq!(pair.end(side).state(call), None);
        }
        assert_eq!(pair.said(), "10.0 N RELEASE COMPLETE");
        pair.assert_idle();
    }
}

/// UNI 3.1 §5.5.1.2: the user takes the connection, the network gives it.
#[test]
fn who_gives_the_connection_is_fixed() {
    let mut pair = Pair::new(Version::Uni31);
    let (mine, wrong) = (VpVc::new(0, 99), VpVc::new(0, 5));
    let params = pair.params(U);
    let with = |connection| CallParams { connection, ..params.clone() };
    let at_user = pair.end(U).setup(Time::ZERO, &with(Some(mine)));
    assert_eq!(at_user, Err(RequestError::ConnectionNotOurs));
    for (connection, error) in [
        (None, RequestError::ConnectionRequired),
        (Some(wrong), RequestError::ConnectionOutOfRange(wrong)),
        (Some(VpVc::new(256, 32)), RequestError::ConnectionOutOfRange(VpVc::new(256, 32))),
    ] {
        assert_eq!(pair.end(N).setup(Time::ZERO, &with(connection)), Err(error));
    }
    pair.at(N, |end, now| end.setup(now, &with(Some(mine)))).unwrap();
    assert_eq!(pair.end(N).setup(Time::ZERO, &with(Some(mine))), Err(RequestError::ConnectionInUse(mine)));
    let (_, theirs) = pair.setup(U);
    assert_eq!(
        pair.end(N).proceeding(Time::ZERO, theirs, &Answer::default()),
        Err(RequestError::ConnectionRequired)
    );
    pair.said();
}

/// UNI 3.1 §5.5.2.1: a SETUP with a connection that the user cannot have is refused with cause 35.
#[test]
fn a_connection_that_is_none_or_in_use_is_refused() {
    let mut pair = Pair::new(Version::Uni31);
    let (ours, _) = pair.call(N);
    let taken = pair.end(N).connection(ours).unwrap();
    for connection in [taken, VpVc::new(0, 31), VpVc::new(300, 40)] {
        let params = CallParams { connection: Some(connection), ..pair.params(N) };
        let reference = CallRef::from_originator(77).unwrap();
        let setup = super::super::compose::setup(Version::Uni31, reference, &params, None).message();
        pair.inject(U, &setup);
        assert_said!(pair, "0.0 U RELEASE COMPLETE 35");
    }
    // A path, or any channel of one, is no connection for a user (cause 36).
    let params = CallParams { connection: None, ..pair.params(N) };
    let reference = CallRef::from_originator(77).unwrap();
    let any = ConnectionId::any_vci(crate::Vpi(0));
    let setup = super::super::compose::setup(Version::Uni31, reference, &params, None).with(any).message();
    pair.inject(U, &setup);
    assert_said!(pair, "0.0 U RELEASE COMPLETE 36");
    assert_eq!(pair.end(U).calls_len(), 1);

    let mut pair = Pair::new(Version::Uni31);
    pair.held = true;
    let params = pair.params(U);
    pair.at(U, |end, now| end.setup(now, &params)).unwrap();
    pair.said();
    let reference = CallRef::new(pair.end(U).calls().next().unwrap().reference, true);
    pair.inject(U, &Message::new(reference, MessageType::CallProceeding).with(any));
    assert_said!(pair, "0.0 U RELEASE 36\n0.0 U Released 36");
}

#[test]
fn requests_in_the_wrong_state_say_so_and_change_nothing() {
    let mut pair = Pair::new(Version::Uni31);
    let (ours, theirs) = pair.setup(U);
    let error = pair.end(U).connect(Time::ZERO, ours, &Answer::default()).unwrap_err();
    assert_eq!(
        error,
        RequestError::WrongState { call: ours, request: "connect", state: CallState::SetupSent }
    );
    assert_eq!(error.to_string(), format!("connect is not lawful in state setup sent of call {ours}"));
    let answer = pair.first_answer(N);
    assert_eq!(
        pair.end(N).alerting(Time::ZERO, theirs, &answer),
        Err(RequestError::NotInVersion { request: "alerting", version: Version::Uni31 })
    );
    assert!(matches!(pair.end(U).release_response(Time::ZERO, ours), Err(RequestError::WrongState { .. })));
    pair.at(U, |end, now| end.release(now, ours, normal(), &[])).unwrap();
    pair.at(N, |end, now| end.release_response(now, theirs)).unwrap();
    assert_eq!(pair.end(U).release(Time::ZERO, ours, normal(), &[]), Err(RequestError::NoSuchCall(ours)));
    pair.assert_idle();
}

#[test]
fn no_more_calls_than_there_may_be_from_either_end() {
    let mut config = Config::new(U, Version::Uni31);
    config.limits.calls_max = 1;
    let mut pair = Pair::new(Version::Uni31);
    pair.ends[0] = CallControl::new(config, 0);
    pair.saal(true);
    let (_, _) = pair.setup(U);
    let params = pair.params(U);
    assert_eq!(pair.end(U).setup(Time::ZERO, &params), Err(RequestError::TooManyCalls { max: 1 }));
    pair.said();
    let params = pair.params(N);
    pair.at(N, |end, now| end.setup(now, &params)).unwrap();
    assert_said!(pair, "0.0 N SETUP\n0.0 U RELEASE COMPLETE 47\n0.0 N Released 47");
}

/// Q.2931 §5.6.3.2 a, c: what names no call.
#[test]
fn messages_for_an_unknown_reference_are_answered_as_the_clause_says() {
    let reference = CallRef::from_originator(4_711).unwrap();
    for (kind, answer) in [
        (MessageType::Connect, "0.0 U RELEASE COMPLETE 81"),
        (MessageType::Release, "0.0 U RELEASE COMPLETE 81"),
        (MessageType::Unknown(0x66), "0.0 U RELEASE COMPLETE 81"),
        (MessageType::ReleaseComplete, ""),
        (MessageType::StatusEnquiry, "0.0 U STATUS 30"),
        (MessageType::Status, ""),
    ] {
        let mut pair = Pair::new(Version::Uni31);
        pair.held = true;
        pair.inject(U, &Message::new(reference, kind));
        assert_eq!(pair.said(), answer, "{kind}");
    }
    // A SETUP with the flag of an answer is nobody's (§5.6.3.2 c).
    let mut pair = Pair::new(Version::Uni31);
    let params = pair.params(N);
    let setup = super::super::compose::setup(Version::Uni31, reference.reply(), &params, None).message();
    pair.inject(U, &setup);
    assert_eq!(pair.said(), "");
    assert_eq!(pair.end(U).counters().dropped_setup, 1);
}

/// Q.2931 §5.6.1 to §5.6.3.
#[test]
fn what_is_no_message_is_dropped_and_counted() {
    let mut pair = Pair::new(Version::Uni31);
    let wrong: [&[u8]; 4] =
        [&[], &[9, 3, 0, 0, 1], &[8, 3, 0, 0, 1, 5, 0x80, 0, 0], &[9, 1, 1, 5, 0x80, 0, 0, 0, 0]];
    for octets in wrong {
        pair.at(U, |end, now| end.handle_message(now, octets));
    }
    let dummy = Message::new(CallRef::DUMMY, MessageType::Setup);
    pair.inject(U, &dummy);
    assert_eq!(pair.said(), "");
    assert_eq!(pair.end(U).counters().dropped_no_message, 4);
    assert_eq!(pair.end(U).counters().dropped_dummy_reference, 1);
}

/// The cause of a timer names it (UNI 3.1 §5.4.5.15).
#[test]
fn the_cause_of_a_timer_has_its_number() {
    let mut pair = Pair::new(Version::Uni31);
    let (_, theirs) = pair.setup(N);
    pair.held = true;
    pair.at(U, |end, now| end.connect(now, theirs, &Answer::default())).unwrap();
    pair.indications.clear();
    pair.pass_s(4);
    let Indication::Released { causes, .. } = pair.heard(U) else { panic!() };
    assert_eq!(causes[0].diagnostics, Diagnostics::Timer(*b"313"));
}

/// What a peer says with its RELEASE is passed on, and with the cause that it did not give may be more than a message holds: the call ends
/// all the same, and of that nothing is said.
#[test]
fn a_release_with_more_to_say_than_fits_is_sent_without_it() {
    let octets = MESSAGE_LEN_MAX - MESSAGE_HEADER_LEN - IE_HEADER_LEN;
    let value = IeValue::Unknown { codeset: 0, id: IeId(0x33), octets: Octets::truncated(&vec![1; octets]) };
    let filler = Ie::new(value);
    let mut pair = Pair::new(Version::Uni31);
    let (ours, theirs) = pair.call(U);
    let reference = CallRef::new(pair.end(U).calls().next().unwrap().reference, false);
    pair.inject(N, &Message::new(reference, MessageType::Release).with(filler.clone()));
    let Indication::Released { other, .. } = pair.heard(N) else { panic!() };
    assert_eq!(other, [filler]);
    pair.said();
    // As a switch does at its other port.
    pair.at(U, |end, now| end.release(now, ours, normal(), &other)).unwrap();
    assert_said!(pair, "0.0 U RELEASE 16");
    pair.at(N, |end, now| end.release_response(now, theirs)).unwrap();
    let (_, theirs) = pair.setup(U);
    pair.said();
    pair.at(N, |end, now| end.release(now, theirs, normal(), &other)).unwrap();
    assert_said!(pair, "0.0 N RELEASE COMPLETE 16\n0.0 N ReleaseConfirmed 16\n0.0 U Released 16");
}
