//! Modification: Q.2963.1.

use super::*;
use crate::q2931::wire::TrafficDescriptor;

const U: Side = Side::User;
const N: Side = Side::Network;

fn wish(pcr: u32) -> ModifyParams {
    let traffic = traffic_of(Version::Uni40, &Contracts::both(Contract::cbr(pcr)));
    ModifyParams { traffic, other: Vec::new() }
}

fn offered(pair: &mut Pair, at: Side) -> TrafficDescriptor {
    match pair.heard(at) {
        Indication::ModifyOffered { params, .. } => params.traffic,
        other => panic!("{other:?} instead of ModifyOffered"),
    }
}

/// Q.2963.1 §9.1.2, §9.2.2, §9.2.3: accepted, with and without confirmation, from both sides.
#[test]
fn a_contract_is_modified() {
    for from in SIDES {
        for confirm in [false, true] {
            let mut pair = Pair::new(Version::Uni40);
            let (ours, theirs) = pair.call(from);
            let (f, t) = (side_letter(from), side_letter(from.peer()));
            pair.at(from, |end, now| end.modify(now, ours, &wish(77))).unwrap();
            assert_eq!(pair.end(from).state(ours), Some(CallState::ModifyRequested));
            assert_eq!(pair.end(from.peer()).state(theirs), Some(CallState::ModifyReceived));
            assert_eq!(offered(&mut pair, from.peer()), wish(77).traffic);
            pair.at(from.peer(), |end, now| end.modify_accept(now, theirs, confirm, &[])).unwrap();
            let mut expected =
                format!("0.0 {f} MODIFY REQUEST\n0.0 {t} ModifyOffered\n0.0 {t} MODIFY ACKNOWLEDGE\n");
            expected += &match confirm {
                false => format!("0.0 {f} Modified"),
                true => format!("0.0 {f} CONNECTION AVAILABLE\n0.0 {f} Modified\n0.0 {t} ModifyConfirmed"),
            };
            assert_eq!(pair.said(), expected);
            assert_eq!(pair.end(from).state(ours), Some(CallState::Active));
            assert_eq!(pair.end(from.peer()).state(theirs), Some(CallState::Active));
            assert!(pair.ends.iter().all(|end| end.next_timeout().is_none()));
        }
    }
}

/// Q.2963.1 §9.1.3, §9.2.4.
#[test]
fn a_modification_is_refused() {
    let mut pair = Pair::new(Version::Uni40);
    let (ours, theirs) = pair.call(U);
    pair.at(U, |end, now| end.modify(now, ours, &wish(77))).unwrap();
    let cause = Cause::user(CauseValue::CELL_RATE_NOT_AVAILABLE);
    pair.at(N, |end, _| end.modify_reject(theirs, cause)).unwrap();
    assert_said!(
        pair,
        "0.0 U MODIFY REQUEST
         0.0 N ModifyOffered
         0.0 N MODIFY REJECT 37
         0.0 U ModifyRejected"
    );
    assert_eq!(pair.end(U).state(ours), Some(CallState::Active));
    assert_eq!(pair.end(N).state(theirs), Some(CallState::Active));
}

/// Q.2963.1 §9.1.5, T360; T361.
#[test]
fn a_modification_without_end_ends_the_call() {
    let mut pair = Pair::new(Version::Uni40);
    let (ours, _) = pair.call(U);
    pair.at(U, |end, now| end.modify(now, ours, &wish(77))).unwrap();
    pair.said();
    pair.pass_s(30);
    assert_said!(pair, "30.0 U RELEASE 102\n30.0 U Released 102\n30.0 N Released 102");

    let mut pair = Pair::new(Version::Uni40);
    let (ours, theirs) = pair.call(U);
    pair.at(U, |end, now| end.modify(now, ours, &wish(77))).unwrap();
    pair.held = true;
    pair.at(N, |end, now| end.modify_accept(now, theirs, true, &[])).unwrap();
    pair.wire.clear();
    pair.held = false;
    pair.said();
    pair.pass_s(29);
    assert_eq!(pair.said(), "");
    pair.pass_s(1);
    let said = pair.said();
    assert!(said.contains("N RELEASE 102") || said.contains("U RELEASE 102"), "{said}");
}

/// Q.2963.1 §5: only who made the call, only of one called party, only in UNI 4.0; others' requests are unexpected.
#[test]
fn who_may_modify_is_fixed() {
    let mut pair = Pair::new(Version::Uni31);
    let (ours, _) = pair.call(U);
    assert!(matches!(pair.end(U).modify(Time::ZERO, ours, &wish(1)), Err(RequestError::NotInVersion { .. })));
    let mut pair = Pair::new(Version::Uni40);
    let (_, theirs) = pair.call(U);
    assert_eq!(pair.end(N).modify(Time::ZERO, theirs, &wish(1)), Err(RequestError::NotOwner(theirs)));
    let line = pair.end(U).calls().next().unwrap();
    let reference = crate::q2931::wire::CallRef::new(line.reference, true);
    let request = super::super::compose::modify_request(reference, &wish(1)).message();
    pair.held = true;
    pair.inject(U, &request);
    assert_said!(pair, "0.0 U STATUS 101");
}

/// Both ends may release while a modification is under way.
#[test]
fn a_call_is_released_while_it_is_modified() {
    for releasing in SIDES {
        let mut pair = Pair::new(Version::Uni40);
        let (ours, theirs) = pair.call(U);
        pair.at(U, |end, now| end.modify(now, ours, &wish(77))).unwrap();
        let (call, other) = if releasing == U { (ours, theirs) } else { (theirs, ours) };
        pair.at(releasing, |end, now| end.release(now, call, normal(), &[])).unwrap();
        pair.at(releasing.peer(), |end, now| end.release_response(now, other)).unwrap();
        pair.assert_idle();
    }
}
