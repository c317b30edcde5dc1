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
                assert_eq!((call, causes), (there, vec![normal]));
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
