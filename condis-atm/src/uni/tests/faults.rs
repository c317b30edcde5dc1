//! Calls over a line that loses, is cut, and comes back.

use super::*;

/// Q.2931 §5.6.9: calls that stand outlive an outage that is shorter than T309, and the peer is asked about them.
#[test]
fn a_call_outlives_a_short_outage_of_the_line() {
    for from in SIDES {
        let mut line = Line::up(Version::Uni31);
        let calls = line.call(from);
        line.link(false);
        line.pass_s(9);
        assert_eq!(line.told[0].pop_front(), Some(UniOutput::SignalingState { up: false }));
        line.link(true);
        line.pass_s(1);
        assert_eq!(line.states(calls, from), [Some(CallState::Active); 2]);
        for uni in &line.ends {
            assert_eq!(uni.counters().calls_kept_over_outage, 1);
            assert_eq!(uni.counters().enquiries_sent, 1);
            assert_eq!(uni.counters().status_answers_sent, 1);
        }
        // Nothing is left of it: the call can be released.
        line.forget();
        let cause = Cause::user(CauseValue::NORMAL_CLEARING);
        line.at(from, |uni, now| uni.release(now, calls.0, cause, &[])).unwrap();
        assert!(matches!(line.heard(from.peer()), Indication::Released { .. }));
    }
}

/// Q.2931 §5.6.9, T309: a longer outage ends them.
#[test]
fn a_call_ends_with_a_long_outage_of_the_line() {
    let mut line = Line::up(Version::Uni31);
    let (ours, theirs) = line.call(U);
    line.link(false);
    line.pass(Duration::from_millis(10_001));
    for (side, call) in [(U, ours), (N, theirs)] {
        let Indication::Released { causes, .. } = line.heard(side) else { panic!() };
        assert_eq!(causes[0].value, CauseValue::DESTINATION_OUT_OF_ORDER);
        line.at(side, |uni, now| uni.release_response(now, call)).unwrap();
        assert_eq!(line.end(side).calls_len(), 0);
    }
}

/// Q.2931 §5.6.9: a call that does not stand yet ends with the SAAL, at once.
#[test]
fn a_call_that_is_being_made_does_not_outlive_the_saal() {
    let mut line = Line::up(Version::Uni31);
    let params = line.params(U);
    line.at(U, |uni, now| uni.setup(now, &params)).unwrap();
    let Indication::Setup { .. } = line.heard(N) else { panic!() };
    line.link(false);
    for side in SIDES {
        let Indication::Released { call, .. } = line.heard(side) else { panic!() };
        line.at(side, |uni, now| uni.release_response(now, call)).unwrap();
        assert_eq!(line.end(side).calls_len(), 0);
    }
}

/// One end loses its memory: the other's call is cleared when it asks.
#[test]
fn a_call_that_the_peer_has_forgotten_is_cleared_by_the_enquiry() {
    let mut line = Line::up(Version::Uni31);
    let (ours, _) = line.call(U);
    line.link(false);
    line.ends[1] = Uni::new(UniConfig::new(N, Version::Uni31), 5);
    line.link(true);
    line.pass_s(2);
    let heard = line.heard(U);
    let Indication::Released { call, causes, .. } = heard else { panic!("{heard:?}") };
    assert_eq!((call, causes[0].value), (ours, CauseValue::MESSAGE_NOT_COMPATIBLE));
    assert_eq!(line.end(U).counters().status_mismatches, 1);
}

/// What both users do: answer everything, at once or later, and now and then call, release and drop out. What was counted at both
/// ends comes back.
fn storm(seed: u64) -> [(Counters, UniCounters); 2] {
    let mut line = Line::new(if seed.is_multiple_of(2) { Version::Uni31 } else { Version::Uni40 }, seed);
    let mut chance = Random::stream(seed, 3);
    line.loss = [0, 20_000, 100_000][seed as usize % 3];
    line.delay = Duration::from_millis(1 + chance.below(30));
    line.link(true);
    line.pass_s(2);
    let mut live: [Vec<CallId>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..60 {
        line.pass(Duration::from_millis(chance.below(1_500)));
        let side = SIDES[chance.below(2) as usize];
        match chance.below(10) {
            0..=4 => {
                let params = line.params(side);
                if let Ok(call) = line.at(side, |uni, now| uni.setup(now, &params)) {
                    live[side as usize].push(call);
                }
            }
            5..=7 => {
                let calls = &live[side as usize];
                if let Some(&call) = calls.get(chance.below(calls.len().max(1) as u64) as usize) {
                    let cause = Cause::user(CauseValue::NORMAL_CLEARING);
                    let _ = line.at(side, |uni, now| uni.release(now, call, cause, &[]));
                }
            }
            8 if chance.chance(300_000) => {
                line.link(false);
                let outage = Duration::from_millis(chance.below(15_000));
                line.pass(outage);
                line.link(true);
            }
            _ => {}
        }
        users(&mut line, &mut live, &mut chance);
    }
    line.loss = 0;
    for _ in 0..40 {
        line.pass_s(10);
        users(&mut line, &mut live, &mut chance);
    }
    let held = |uni: &Uni| {
        let mut calls: Vec<(u32, bool, CallState)> =
            uni.calls().map(|call| (call.reference, call.ours, call.state)).collect();
        calls.sort_unstable();
        calls
    };
    let ours = held(&line.ends[0]);
    let mut theirs = held(&line.ends[1]);
    theirs.iter_mut().for_each(|(_, ours, _)| *ours = !*ours);
    theirs.sort_unstable();
    assert_eq!(ours, theirs, "seed {seed}: the two sides do not agree on their calls");
    assert!(ours.iter().all(|&(_, _, state)| state == CallState::Active), "seed {seed}: {ours:?}");
    for (side, calls) in SIDES.into_iter().zip(&live) {
        assert_eq!(line.end(side).calls_len(), calls.len(), "seed {seed}: the {side} side's user differs");
    }
    SIDES.map(|side| (*line.end(side).counters(), *line.end(side).uni_counters()))
}

/// Every indication is answered, mostly.
fn users(line: &mut Line, live: &mut [Vec<CallId>; 2], chance: &mut Random) {
    for side in SIDES {
        while let Some(told) = line.told[side as usize].pop_front() {
            let UniOutput::Indication(indication) = told else { continue };
            match indication {
                Indication::Setup { call, .. } => {
                    live[side as usize].push(call);
                    let answer = line.answer(side);
                    let _ = match chance.below(4) {
                        0 => {
                            let busy = Cause::user(CauseValue::USER_BUSY);
                            line.at(side, |uni, now| uni.release(now, call, busy, &[]))
                        }
                        1 => line.at(side, |uni, now| uni.proceeding(now, call, &answer)),
                        _ => line.at(side, |uni, now| uni.connect(now, call, &answer)),
                    };
                }
                Indication::Released { call, .. } => {
                    live[side as usize].retain(|&other| other != call);
                    line.at(side, |uni, now| uni.release_response(now, call)).unwrap();
                }
                Indication::ReleaseConfirmed { call, .. } => {
                    live[side as usize].retain(|&other| other != call);
                }
                _ => {}
            }
        }
    }
}

/// 1,000 seeds: whatever is lost and cut, in the end both sides have the same calls, all active, and their users too.
#[test]
fn both_sides_agree_on_their_calls_after_every_storm() {
    let counted: Vec<(Counters, UniCounters)> = (0..1_000).flat_map(storm).collect();
    // It was a storm: each of these happened, and often.
    let sum = |count: fn(&(Counters, UniCounters)) -> u64| counted.iter().map(count).sum::<u64>();
    for (name, count) in [
        ("calls", sum(|(calls, _)| calls.calls_connected)),
        ("calls kept", sum(|(calls, _)| calls.calls_kept_over_outage)),
        ("calls lost", sum(|(calls, _)| calls.calls_lost_with_saal)),
        ("enquiries", sum(|(calls, _)| calls.enquiries_sent)),
        ("outages", sum(|(_, uni)| uni.saal_released)),
        ("timers", sum(|(calls, _)| calls.timers_expired)),
        ("clearings", sum(|(calls, _)| calls.calls_cleared_here)),
    ] {
        assert!(count >= 100, "{name}: {count}");
    }
}
