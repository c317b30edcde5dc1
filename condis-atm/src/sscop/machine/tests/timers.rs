//! The timers, by lines with a clock: milliseconds before each (Q.2110 §7.6, values of Q.2130).

use super::super::super::wire::Pdu;
use super::super::super::{Params, State};
use super::super::Phase;
use super::{Bench, PEER_MR, ms, sn};

fn stat(n_ps: u32, n_r: u32) -> Pdu<'static> {
    Pdu::Stat { n_ps: sn(n_ps), n_mr: sn(PEER_MR), n_r: sn(n_r), list: (&[][..]).into() }
}

/// Timer_CC and MaxCC, in each of the four states (sheets 9, 15, 18, 24).
#[test]
fn four_attempts_a_second_apart() {
    let given_up = "MAA-ERROR O (NoAnswer)|END by SSCOP|AA-RELEASE.indication by SSCOP";
    for (state, attempt, end) in [
        (State::OutgoingConnectionPending, "BGN N(SQ)=1 N(MR)=128", given_up),
        (State::OutgoingDisconnectionPending, "END by user", "MAA-ERROR O (NoAnswer)|AA-RELEASE.confirm"),
        (State::OutgoingResyncPending, "RS N(SQ)=1 N(MR)=128", given_up),
        (State::OutgoingRecoveryPending, "ER N(SQ)=1 N(MR)=128", given_up),
    ] {
        let mut bench = Bench::in_state(state);
        let mut expected: Vec<String> = [1000, 2000, 3000].map(|at| format!("{at} {attempt}")).to_vec();
        expected.extend(end.split('|').map(|line| format!("4000 {line}")));
        assert_eq!(bench.pass_until(60_000), expected);
        assert_eq!((bench.sscop.state(), bench.sscop.next_timeout()), (State::Idle, None));
    }
}

/// No peer at all: polls, each with its number, and after 7 s the end (sheet 37).
#[test]
fn no_response_ends_the_connection() {
    let mut bench = Bench::ready();
    assert_eq!(
        bench.pass_until(60_000),
        [
            "750 POLL N(PS)=1 N(S)=0",
            "2750 POLL N(PS)=2 N(S)=0",
            "4750 POLL N(PS)=3 N(S)=0",
            "6750 POLL N(PS)=4 N(S)=0",
            "7000 MAA-ERROR P (NoResponse)",
            "7000 END by SSCOP",
            "7000 AA-RELEASE.indication by SSCOP",
        ]
    );
}

/// Active, transient, idle, and back by the next SD (Q.2110 §7.6; sheets 37, 39, 46).
#[test]
fn from_the_active_to_the_idle_phase() {
    let mut bench = Bench::ready();
    bench.data(&[1]);
    assert_eq!(
        (bench.drain(), bench.sscop.phase()),
        (vec!["SD N(S)=0 [1 octet]".to_owned()], Some(Phase::Active))
    );
    assert_eq!(bench.pass_until(800), ["750 POLL N(PS)=1 N(S)=1"]);
    bench.pdu(stat(1, 1));
    assert_eq!(bench.sscop.phase(), Some(Phase::Active), "until the poll timer finds nothing to wait for");
    assert_eq!(bench.pass_until(1600), ["1500 POLL N(PS)=2 N(S)=1"]);
    assert_eq!(bench.sscop.phase(), Some(Phase::Transient));
    bench.pdu(stat(2, 1));
    assert_eq!(bench.sscop.phase(), Some(Phase::Idle));
    assert_eq!(bench.sscop.next_timeout(), Some(ms(16_600)), "15 s of silence");
    assert_eq!(bench.pass_until(16_000), [""; 0]);
    bench.data(&[2]);
    assert_eq!(
        (bench.drain(), bench.sscop.phase()),
        (vec!["SD N(S)=1 [1 octet]".to_owned()], Some(Phase::Active))
    );
    // Timer_NO-RESPONSE runs anew: 7 s from here, with a poll each 0.75 s.
    let lines = bench.pass_until(60_000);
    assert_eq!(lines[0], "16750 POLL N(PS)=3 N(S)=2");
    assert_eq!(lines[1], "17500 POLL N(PS)=4 N(S)=2");
    assert_eq!(lines[lines.len() - 3], "23000 MAA-ERROR P (NoResponse)");
}

/// The end of the idle phase asks whether the peer is there (sheet 37).
#[test]
fn an_idle_peer_that_is_gone_is_found() {
    let mut bench = Bench::ready();
    bench.pass_until(800);
    bench.pdu(stat(1, 0));
    assert_eq!(
        bench.pass_until(60_000),
        [
            "15800 POLL N(PS)=2 N(S)=0",
            "17800 POLL N(PS)=3 N(S)=0",
            "19800 POLL N(PS)=4 N(S)=0",
            "21800 POLL N(PS)=5 N(S)=0",
            "22800 MAA-ERROR P (NoResponse)",
            "22800 END by SSCOP",
            "22800 AA-RELEASE.indication by SSCOP",
        ]
    );
}

/// MaxPD: each 25 SDs a poll goes out at once (sheet 39).
#[test]
fn a_poll_after_maxpd_sds() {
    let mut bench = Bench::ready();
    for _ in 0..60 {
        bench.data(&[1]);
    }
    let lines = bench.drain();
    let polls: Vec<_> = lines.iter().enumerate().filter(|(_, line)| line.starts_with("POLL")).collect();
    assert_eq!(lines.len(), 62);
    assert_eq!(polls[0], (25, &"POLL N(PS)=1 N(S)=25".to_owned()));
    assert_eq!(polls[1], (51, &"POLL N(PS)=2 N(S)=50".to_owned()));
    assert_eq!(bench.sscop.next_timeout(), Some(ms(750)));
}

/// A late call of `handle_timeout` does what was due first, first, and each once.
#[test]
fn a_late_timeout_is_one_poll() {
    let mut bench = Bench::ready();
    bench.now = ms(6_000);
    bench.sscop.handle_timeout(bench.now);
    assert_eq!(bench.drain(), ["POLL N(PS)=1 N(S)=0"]);
    bench.sscop.handle_timeout(ms(5_999));
    assert_eq!(bench.drain(), [""; 0], "an early call does nothing");
}

/// The parameters of the UNI.
#[test]
fn parameters_of_the_uni() {
    let params = Params::default();
    let timers = [
        params.timer_cc,
        params.timer_poll,
        params.timer_keep_alive,
        params.timer_no_response,
        params.timer_idle,
    ];
    assert_eq!(timers.map(|timer| timer.as_millis()), [1000, 750, 2000, 7000, 15_000]);
    assert_eq!((params.max_cc, params.max_pd, params.max_stat, params.k, params.j), (4, 25, 67, 4096, 4096));
}
