//! Calls over a line that works.

use super::*;

#[test]
fn calls_are_made_and_released_over_the_saal_in_every_version_both_ways() {
    for version in [Version::Uni30, Version::Uni31, Version::Uni40] {
        let mut line = Line::up(version);
        for from in SIDES {
            for releasing in SIDES {
                let (ours, theirs) = line.call(from);
                let (here, there) = if releasing == from { (ours, theirs) } else { (theirs, ours) };
                let normal = Cause::user(CauseValue::NORMAL_CLEARING);
                line.at(releasing, |uni, now| uni.release(now, here, normal.clone(), &[])).unwrap();
                let Indication::Released { call, causes, .. } = line.heard(releasing.peer()) else {
                    panic!()
                };
                // UNI 3.0 does not have cause 16.
                let told =
                    if version == Version::Uni30 { CauseValue::NORMAL_UNSPECIFIED } else { normal.value };
                assert_eq!((call, causes), (there, vec![Cause::user(told)]));
                line.at(releasing.peer(), |uni, now| uni.release_response(now, there)).unwrap();
                assert!(matches!(line.heard(releasing), Indication::ReleaseConfirmed { .. }));
            }
        }
        assert!(line.ends.iter().all(|uni| uni.calls_len() == 0));
    }
}

#[test]
fn a_setup_without_a_saal_is_refused() {
    let mut line = Line::new(Version::Uni31, 1);
    let params = line.params(U);
    assert_eq!(line.end(U).setup(Time::ZERO, &params), Err(RequestError::SignalingDown));
    line.link(true);
    line.pass_s(1);
    assert_eq!(line.told[0].pop_front(), Some(UniOutput::SignalingState { up: true }));
    assert!(line.at(U, |uni, now| uni.setup(now, &params)).is_ok());
}

#[test]
fn a_call_prints_in_one_line() {
    let mut line = Line::up(Version::Uni31);
    line.call(N);
    let call = line.ends[1].calls().next().unwrap();
    assert_eq!(
        call.to_string(),
        format!("cr {} active 0.32 to 47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00", call.reference)
    );
}

/// More messages than the SAAL takes at once wait, and arrive in order.
#[test]
fn a_thousand_setups_at_once_become_a_thousand_calls() {
    let mut line = Line::up(Version::Uni31);
    for _ in 0..1_000 {
        let params = line.params(U);
        line.at(U, |uni, now| uni.setup(now, &params)).unwrap();
    }
    line.pass_s(3);
    assert_eq!(line.ends[1].calls_len(), 1_000);
    assert_eq!(line.ends[0].uni_counters().dropped_waiting, 0);
    assert_eq!(line.ends[0].counters().setups_repeated, 0);
}

/// Parties and a modification, over the SAAL.
#[test]
fn trees_grow_and_contracts_change_over_the_saal() {
    let mut line = Line::up(Version::Uni40);
    let params = line.params(U).point_to_multipoint();
    let root = line.at(U, |uni, now| uni.setup(now, &params)).unwrap();
    let Indication::Setup { call: leaf, .. } = line.heard(N) else { panic!() };
    let answer = line.answer(N);
    line.at(N, |uni, now| uni.connect(now, leaf, &answer)).unwrap();
    assert!(matches!(line.heard(U), Indication::Connected { .. }));
    let called: crate::addr::AtmAddress = "+1".parse().unwrap();
    let added = line.at(U, |uni, now| uni.add_party(now, root, &called.into())).unwrap();
    assert!(matches!(line.heard(N), Indication::ConnectAcknowledged { .. }));
    let Indication::PartyOffered { party, .. } = line.heard(N) else { panic!() };
    assert_eq!(party, added);
    line.at(N, |uni, now| uni.party_connect(now, leaf, party, &Answer::default())).unwrap();
    assert!(matches!(line.heard(U), Indication::PartyConnected { .. }));
    let normal = Cause::user(CauseValue::NORMAL_CLEARING);
    line.at(U, |uni, now| uni.drop_party(now, root, party, normal)).unwrap();
    assert!(matches!(line.heard(U), Indication::PartyDropConfirmed { .. }));
    assert_eq!(line.end(N).party_state(leaf, party), PartyState::Null);
    line.forget();

    let (ours, theirs) = line.call(U);
    let traffic = crate::q2931::call::traffic_of(Version::Uni40, &Contracts::both(Contract::cbr(5)));
    let wish = ModifyParams { traffic, other: Vec::new() };
    line.forget();
    line.at(U, |uni, now| uni.modify(now, ours, &wish)).unwrap();
    let Indication::ModifyOffered { params, .. } = line.heard(N) else { panic!() };
    assert_eq!(params.traffic, traffic);
    line.at(N, |uni, now| uni.modify_accept(now, theirs, true, &[])).unwrap();
    assert!(matches!(line.heard(U), Indication::Modified { .. }));
    assert!(matches!(line.heard(N), Indication::ModifyConfirmed { .. }));
}
