//! Data transfer: gaps, windows, credit, errors in numbers, retrieval, the bounds (sheets 38 to 46, 49, 50).

use super::super::super::wire::Pdu;
use super::super::super::{Params, RequestError, RetrieveFrom, SendError, Sn, State};
use super::super::Phase;
use super::{Bench, PEER_MR, sn};

fn sd(n_s: u32) -> Pdu<'static> {
    Pdu::Sd { n_s: sn(n_s), sdu: &[1, 2] }
}

fn stat(n_ps: u32, n_r: u32, list: &[u32]) -> Pdu<'static> {
    stat_mr(n_ps, n_r, PEER_MR, list)
}

fn stat_mr(n_ps: u32, n_r: u32, n_mr: u32, list: &[u32]) -> Pdu<'static> {
    let list: Vec<Sn> = list.iter().map(|&number| sn(number)).collect();
    Pdu::Stat { n_ps: sn(n_ps), n_mr: sn(n_mr), n_r: sn(n_r), list: list.into() }
}

/// A machine with SDs 0 to `count` - 1 and one poll on their way.
fn with_sent(count: u32) -> Bench {
    let mut bench = Bench::ready();
    (0..count).for_each(|_| bench.data(&[7]));
    bench.pass_until(750);
    bench.drain();
    bench
}

/// Sheets 38 and 40.
#[test]
fn a_gap_is_told_of_at_once_and_filled() {
    let mut bench = Bench::ready();
    for (pdu, expected) in [
        (sd(0), &["AA-DATA.indication 0 [2]"][..]),
        (sd(3), &["USTAT N(MR)=129 N(R)=1 lacks 1-2"]),
        (sd(4), &[]),
        (sd(6), &["USTAT N(MR)=129 N(R)=1 lacks 5"]),
        (sd(2), &[]),
        (Pdu::Poll { n_ps: sn(1), n_s: sn(9) }, &["STAT N(PS)=1 N(MR)=129 N(R)=1 lacks 1 5 7-8"]),
        (
            sd(1),
            &[
                "AA-DATA.indication 1 [2]",
                "AA-DATA.indication 2 [2]",
                "AA-DATA.indication 3 [2]",
                "AA-DATA.indication 4 [2]",
            ],
        ),
        (sd(8), &[]),
        (Pdu::Poll { n_ps: sn(2), n_s: sn(9) }, &["STAT N(PS)=2 N(MR)=133 N(R)=5 lacks 5 7, has up to 8"]),
        (sd(5), &["AA-DATA.indication 5 [2]", "AA-DATA.indication 6 [2]"]),
        (sd(7), &["AA-DATA.indication 7 [2]", "AA-DATA.indication 8 [2]"]),
        (Pdu::Poll { n_ps: sn(3), n_s: sn(9) }, &["STAT N(PS)=3 N(MR)=137 N(R)=9"]),
    ] {
        let line = pdu.to_string();
        bench.pdu(pdu);
        assert_eq!(bench.drain(), expected, "{line}");
    }
}

/// Sheet 43: what a USTAT lacks is sent again at once.
#[test]
fn a_ustat_is_answered_with_what_it_lacks() {
    let mut bench = with_sent(6);
    bench.pdu(Pdu::Ustat { n_mr: sn(PEER_MR), n_r: sn(1), from: sn(2), to: sn(4) });
    assert_eq!(
        bench.drain(),
        ["MAA-ERROR V (Retransmission) 2", "SD N(S)=2 [1 octet]", "SD N(S)=3 [1 octet]"]
    );
    assert_eq!(bench.sscop.transmit_len(), 5, "0 is acknowledged");
}

/// Sheets 44 and 45: an SD is not sent again by a STAT for a poll that went out before it did.
#[test]
fn a_stat_asks_only_for_what_was_sent_before_its_poll() {
    let mut bench = with_sent(4);
    bench.pdu(Pdu::Ustat { n_mr: sn(PEER_MR), n_r: sn(0), from: sn(0), to: sn(1) });
    assert_eq!(bench.drain().len(), 2, "0 is sent again, after poll 1");
    bench.pdu(stat(1, 0, &[0, 1, 2, 3, 4]));
    assert_eq!(bench.drain(), ["MAA-ERROR V (Retransmission) 1", "SD N(S)=2 [1 octet]"]);
    assert_eq!(bench.pass_until(1500), ["1500 POLL N(PS)=2 N(S)=4"]);
    bench.pdu(stat(2, 0, &[0, 1]));
    assert_eq!(bench.drain(), ["MAA-ERROR V (Retransmission) 1", "SD N(S)=0 [1 octet]"]);
}

/// Q.2110 §7.7, sheet 42: a list that is longer than MaxSTAT goes in several STATs, which together say the same.
#[test]
fn a_long_list_goes_in_segments() {
    let params = Params { max_stat: 5, ..Params::default() };
    let mut bench = Bench::ready_with(params.clone(), true);
    let mut sender = Bench::ready_with(params, true);
    (0..14).for_each(|_| sender.data(&[7]));
    sender.pass_until(750);
    sender.drain();
    // 1, 3, 5, ... arrive.
    (0..7).for_each(|at| bench.pdu(sd(2 * at + 1)));
    bench.drain();
    bench.pdu(Pdu::Poll { n_ps: sn(1), n_s: sn(14) });
    let mut stats = Vec::new();
    while let Some(super::super::super::Output::Transmit(octets)) = bench.sscop.poll_output() {
        stats.push(octets);
    }
    let lines: Vec<String> = stats.iter().map(|octets| Pdu::parse(octets).unwrap().to_string()).collect();
    assert_eq!(
        lines,
        [
            "STAT N(PS)=1 N(MR)=128 N(R)=0 lacks 0 2, has up to 3",
            "STAT N(PS)=1 N(MR)=128 N(R)=0 lacks 4 6, has up to 7",
            "STAT N(PS)=1 N(MR)=128 N(R)=0 lacks 8 10, has up to 11",
            "STAT N(PS)=1 N(MR)=128 N(R)=0 lacks 12, has up to 13",
        ]
    );
    stats.iter().for_each(|octets| sender.sscop.handle_pdu(sender.now, octets));
    let again: Vec<String> = sender.drain().into_iter().filter(|line| line.starts_with("SD")).collect();
    assert_eq!(again, [0, 2, 4, 6, 8, 10, 12].map(|at| format!("SD N(S)={at} [1 octet]")));
    assert_eq!(sender.sscop.counters().errors.retransmission, 4, "reported for each of the four");
}

/// MAA-ERROR Q, R, S, T, U: an error in numbers begins a recovery, one in length is dropped (sheets 39 to 46, §7.3).
#[test]
fn errors_in_numbers_begin_a_recovery() {
    let behind = Sn::ZERO.previous().get();
    let ustat = |n_r, from, to| Pdu::Ustat { n_mr: sn(PEER_MR), n_r: sn(n_r), from: sn(from), to: sn(to) };
    for (letter, pdu) in [
        // SD 2 is there already; a poll that counts fewer than came, or is behind.
        ('Q', sd(2)),
        ('Q', Pdu::Poll { n_ps: sn(1), n_s: sn(2) }),
        ('Q', Pdu::Poll { n_ps: sn(1), n_s: sn(behind) }),
        // Poll 1 is out, 0 never was, 2 is not yet.
        ('R', stat(0, 0, &[])),
        ('R', stat(2, 0, &[])),
        ('R', stat(behind, 0, &[])),
        // SDs 0 to 3 are out.
        ('S', stat(1, 5, &[])),
        ('S', stat(1, behind, &[])),
        ('S', stat(1, 0, &[0, 5])),
        ('S', stat(1, 0, &[1, 1])),
        ('S', stat(1, 0, &[2, 1])),
        ('S', stat(1, 0, &[0, 1, 5])),
        ('S', stat(1, 2, &[1, 2])),
        ('T', ustat(4, 0, 1)),
        ('T', ustat(behind, 0, 1)),
        ('T', ustat(0, 1, 1)),
        ('T', ustat(0, 0, 4)),
        ('T', ustat(2, 1, 3)),
    ] {
        let mut bench = with_sent(4);
        bench.pdu(sd(0));
        bench.pdu(sd(2));
        bench.drain();
        let line = pdu.to_string();
        bench.pdu(pdu);
        let lines = bench.drain();
        assert!(lines[0].starts_with(&format!("MAA-ERROR {letter}")), "{line}: {lines:?}");
        assert_eq!(lines[1..], ["ER N(SQ)=1 N(MR)=128"], "{line}");
        assert_eq!(bench.sscop.state(), State::OutgoingRecoveryPending);
        assert_eq!(bench.sscop.counters().recoveries_begun, 1);
    }
}

/// A STAT may not lack what an earlier one said had come (sheet 44).
#[test]
fn what_was_acknowledged_cannot_lack_again() {
    let mut bench = with_sent(4);
    bench.pdu(stat(1, 0, &[0, 1, 3]));
    bench.drain();
    bench.pdu(stat(1, 0, &[0, 2]));
    assert_eq!(bench.drain(), ["MAA-ERROR S (StatNumbers)", "ER N(SQ)=1 N(MR)=128"]);
}

/// Sheet 44: polls are answered in order; several STATs may answer one.
#[test]
fn a_stat_for_an_earlier_poll_is_too_late() {
    let mut bench = with_sent(4);
    bench.pass_until(1500);
    bench.drain();
    bench.pdu(stat(1, 1, &[]));
    bench.pdu(stat(2, 2, &[]));
    bench.pdu(stat(2, 3, &[]));
    assert_eq!((bench.drain(), bench.sscop.transmit_len()), (vec![], 1));
    bench.pdu(stat(1, 4, &[]));
    assert_eq!(bench.drain(), ["MAA-ERROR R (StatPollNumber)", "ER N(SQ)=1 N(MR)=128"]);
}

/// Sheet 38: an SD beyond the window is not taken, and the peer told once where the window ends.
#[test]
fn beyond_the_window_nothing_is_taken() {
    let mut bench = Bench::ready_with(Params { receive_window: 4, ..Params::default() }, true);
    bench.pdu(sd(4));
    assert_eq!(bench.drain(), ["USTAT N(MR)=4 N(R)=0 lacks 0-3"]);
    bench.pdu(sd(5));
    bench.pdu(sd(Sn::ZERO.previous().get()));
    assert_eq!(bench.drain(), [""; 0]);
    assert_eq!(bench.sscop.counters().sd_dropped_outside_window, 3);
    bench.pdu(sd(0));
    bench.pdu(sd(4));
    assert_eq!(bench.drain(), ["AA-DATA.indication 0 [2]"], "4 is inside now, and waits");
}

/// MAA-ERROR W and X, once each; without credit nothing new is sent (sheets 38, 46).
#[test]
fn credit_runs_out_and_comes_back() {
    let mut bench = with_sent(3);
    bench.pdu(stat_mr(1, 3, 3, &[]));
    assert_eq!(bench.drain(), ["MAA-ERROR W (LackOfCredit)"]);
    bench.data(&[7]);
    assert_eq!(bench.drain(), [""; 0]);
    assert_eq!(bench.pass_until(1500), ["1500 POLL N(PS)=2 N(S)=3"]);
    bench.pdu(stat_mr(2, 3, 3, &[]));
    assert_eq!(bench.drain(), [""; 0], "told already");
    assert_eq!(bench.pass_until(2250), ["2250 POLL N(PS)=3 N(S)=3"], "active as long as something waits");
    bench.pdu(stat_mr(3, 3, 5, &[]));
    assert_eq!(bench.drain(), ["MAA-ERROR X (CreditObtained)", "SD N(S)=3 [1 octet]"]);
}

/// In the idle phase a poll asks for credit at once, rather than after 15 s (sheet 38).
#[test]
fn without_credit_an_idle_sender_asks_for_some() {
    let mut bench = Bench::ready();
    bench.pass_until(800);
    bench.pdu(stat_mr(1, 0, 0, &[]));
    assert_eq!((bench.drain().len(), bench.sscop.phase()), (1, Some(Phase::Idle)));
    bench.data(&[7]);
    assert_eq!(
        (bench.drain(), bench.sscop.phase()),
        (vec!["POLL N(PS)=2 N(S)=0".to_owned()], Some(Phase::Active))
    );
}

/// A user that cannot take more holds credit back; what was granted may still come.
#[test]
fn credit_is_held_back_for_a_slow_user() {
    let mut bench = Bench::ready_with(Params { receive_window: 2, ..Params::default() }, true);
    bench.sscop.set_grants_credit(false);
    [sd(0), sd(1), sd(2)].into_iter().for_each(|pdu| bench.pdu(pdu));
    assert_eq!(bench.drain(), ["AA-DATA.indication 0 [2]", "AA-DATA.indication 1 [2]"]);
    bench.pdu(Pdu::Poll { n_ps: sn(1), n_s: sn(2) });
    assert_eq!(bench.drain(), ["STAT N(PS)=1 N(MR)=2 N(R)=2"]);
    bench.sscop.set_grants_credit(true);
    bench.pdu(Pdu::Poll { n_ps: sn(2), n_s: sn(2) });
    assert_eq!(bench.drain(), ["STAT N(PS)=2 N(MR)=4 N(R)=2"]);
}

/// The queue has a bound whatever the peer grants, and who was refused is told when there is room.
#[test]
fn a_full_queue_pushes_back() {
    let mut bench = Bench::ready_with(Params { transmit_len_max: 3, ..Params::default() }, true);
    (0..3).for_each(|_| bench.data(&[7]));
    let refused = bench.sscop.data(bench.now, vec![9]);
    assert_eq!(refused, Err(SendError::QueueFull { max: 3, sdu: vec![9] }));
    bench.pass_until(750);
    bench.drain();
    bench.pdu(stat(1, 0, &[0, 1, 3]));
    assert_eq!(
        bench.drain(),
        ["MAA-ERROR V (Retransmission) 1", "SD N(S)=0 [1 octet]"],
        "no place is free yet"
    );
    bench.pass_until(1500);
    bench.pdu(stat(2, 1, &[]));
    assert_eq!(bench.drain(), ["writable"]);
    bench.data(&[9]);
    assert_eq!(bench.drain(), ["SD N(S)=3 [1 octet]"]);
}

/// Sheets 20 and 30: the credit that goes with an answer is that of a new beginning, where numbers are from zero again.
#[test]
fn an_answer_grants_credit_from_the_beginning() {
    type Row = (Pdu<'static>, fn(&mut Bench), &'static str);
    let answers: [Row; 2] = [
        (
            Pdu::Rs { n_sq: 6, n_mr: sn(9), uu: &[] },
            |bench| bench.sscop.resync_response(bench.now).unwrap(),
            "RSAK N(MR)=128",
        ),
        (
            Pdu::Er { n_sq: 6, n_mr: sn(9) },
            |bench| bench.sscop.recover_response(bench.now).unwrap(),
            "ERAK N(MR)=128",
        ),
    ];
    for (asked, answer, sent) in answers {
        let mut bench = Bench::ready();
        (0..3).for_each(|n_s| bench.pdu(sd(n_s)));
        bench.pdu(asked);
        bench.drain();
        answer(&mut bench);
        assert_eq!(bench.drain(), [sent]);
    }
}

/// A new beginning by the peer makes room for everybody, and needs no word of it.
#[test]
fn room_is_not_told_of_after_a_new_beginning() {
    let begin: [fn(&mut Bench); 2] = [
        |bench| {
            bench.pdu(Pdu::Rs { n_sq: 6, n_mr: sn(100), uu: &[] });
            bench.sscop.resync_response(bench.now).unwrap();
        },
        |bench| {
            bench.pdu(Pdu::Bgn { n_sq: 6, n_mr: sn(100), uu: &[] });
            bench.sscop.establish_response(bench.now, &[], true).unwrap();
        },
    ];
    for (at, begin) in begin.into_iter().enumerate() {
        let mut bench = Bench::ready_with(Params { transmit_len_max: 1, ..Params::default() }, true);
        bench.data(&[7]);
        assert!(bench.sscop.data(bench.now, vec![9]).is_err());
        begin(&mut bench);
        let mut told = bench.drain();
        bench.data(&[8]);
        told.extend(bench.pass_until(750));
        bench.pdu(stat(1, 1, &[]));
        told.extend(bench.drain());
        assert!(told.iter().all(|told| told != "writable"), "{at}: {told:?}");
    }
}

/// k and j hold both ways (§7.3, §7.7).
#[test]
fn lengths_have_bounds() {
    let params = Params { k: 4, j: 2, ..Params::default() };
    let mut bench = Bench::ready_with(params, true);
    assert_eq!(bench.sscop.data(bench.now, vec![0; 5]), Err(SendError::TooLong { max: 4, sdu: vec![0; 5] }));
    let too_long = Err(RequestError::TooLong { len: 5, max: 4 });
    assert_eq!(bench.sscop.unit_data(bench.now, &[0; 5]), too_long);
    assert_eq!(bench.sscop.management_unit_data(bench.now, &[0; 5]), too_long);
    assert_eq!(bench.sscop.resync(bench.now, &[0; 3]), Err(RequestError::TooLong { len: 3, max: 2 }));
    for pdu in [
        Pdu::Sd { n_s: sn(0), sdu: &[0; 5] },
        Pdu::Ud { sdu: &[0; 5] },
        Pdu::Md { sdu: &[0; 5] },
        Pdu::Rs { n_sq: 9, n_mr: sn(1), uu: &[0; 3] },
        stat(1, 0, &[1; 68]),
    ] {
        bench.pdu(pdu);
        assert_eq!(bench.drain(), ["MAA-ERROR U (PduLength)"]);
    }
    bench.sscop.handle_pdu(bench.now, &[1, 2, 3]);
    assert_eq!((bench.drain().len(), bench.sscop.counters().errors.pdu_length), (1, 6));
}

/// Sheets 34, 49, 50: without cleared buffers, what was not acknowledged comes back.
#[test]
fn what_was_not_delivered_can_be_retrieved() {
    for (from, expected) in
        [(RetrieveFrom::Total, 4), (RetrieveFrom::After(sn(1)), 3), (RetrieveFrom::Unknown, 2)]
    {
        let mut bench = Bench::new(Params::default());
        bench.pdu(Pdu::Bgn { n_sq: 5, n_mr: sn(3), uu: &[] });
        bench.sscop.establish_response(bench.now, &[], false).unwrap();
        (0..5).for_each(|_| bench.data(&[7]));
        bench.pass_until(750);
        bench.drain();
        // Three of five had credit; one of them is acknowledged.
        bench.pdu(stat_mr(1, 1, 3, &[]));
        bench.sscop.release(bench.now, &[]).unwrap();
        bench.drain();
        bench.sscop.retrieve(bench.now, from).unwrap();
        let lines = bench.drain();
        assert_eq!(
            lines.iter().filter(|line| *line == "AA-RETRIEVE.indication [1]").count(),
            expected,
            "{from:?}"
        );
        assert_eq!(lines.last().unwrap(), "AA-RETRIEVE-COMPLETE.indication");
        bench.pdu(Pdu::Endak);
        bench.sscop.establish(bench.now, &[], true).unwrap();
        assert_eq!(bench.sscop.transmit_len(), 0, "nothing of it is left for the next connection");
    }
}

/// Sheets 23, 28, 49: without cleared buffers a recovery delivers what came, gaps or not, and keeps what was never sent.
#[test]
fn a_recovery_without_cleared_buffers_keeps_what_it_can() {
    let mut bench = Bench::ready_with(Params::default(), false);
    bench.sscop.transmitter.ms = sn(0);
    bench.data(&[7]);
    bench.pdu(sd(1));
    bench.pdu(sd(3));
    bench.drain();
    bench.provoke_recovery();
    bench.data(&[8]);
    bench.drain();
    bench.pdu(Pdu::Erak { n_mr: sn(50) });
    assert_eq!(
        bench.drain(),
        ["AA-DATA.indication 1 [2]", "AA-DATA.indication 3 [2]", "AA-RECOVER.indication"]
    );
    bench.sscop.recover_response(bench.now).unwrap();
    assert_eq!(bench.drain(), ["SD N(S)=0 [1 octet]", "SD N(S)=1 [1 octet]"]);
    let mut clearing = Bench::in_state(State::OutgoingRecoveryPending);
    clearing.data(&[7]);
    assert_eq!((clearing.sscop.transmit_len(), clearing.sscop.counters().sdus_dropped_in_recovery), (0, 1));
}

/// Sheets 35, 40, 49: with cleared buffers a recovery, whoever begins it, forgets what was not delivered.
#[test]
fn a_recovery_with_cleared_buffers_forgets() {
    for ours in [false, true] {
        let mut bench = with_sent(2);
        bench.sscop.transmitter.ms = sn(2);
        bench.data(&[7]);
        bench.pdu(sd(1));
        assert_eq!((bench.sscop.transmit_len(), bench.sscop.receive_len()), (3, 2));
        bench.drain();
        if ours {
            bench.provoke_recovery();
            bench.pdu(Pdu::Erak { n_mr: sn(9) });
        } else {
            bench.pdu(Pdu::Er { n_sq: 6, n_mr: sn(9) });
        }
        assert_eq!(bench.drain().last().unwrap(), "AA-RECOVER.indication", "and no AA-DATA before");
        assert_eq!((bench.sscop.transmit_len(), bench.sscop.receive_len()), (0, 0));
        bench.sscop.recover_response(bench.now).unwrap();
        bench.drain();
        bench.data(&[8]);
        assert_eq!(bench.drain(), ["SD N(S)=0 [1 octet]"]);
    }
}

/// §7.4: numbers wrap in the middle of it all.
#[test]
fn numbers_wrap_around() {
    let start = sn(0xff_fffd);
    let mut bench = Bench::ready();
    bench.sscop.transmitter.a = start;
    bench.sscop.transmitter.ms = start.plus(5);
    (bench.sscop.receiver.r, bench.sscop.receiver.h) = (start, start);
    bench.sscop.receiver.grant();
    (0..7).for_each(|_| bench.data(&[7]));
    assert_eq!(bench.drain().last().unwrap(), "SD N(S)=1 [1 octet]", "five have credit");
    assert_eq!(bench.pass_until(750), ["750 POLL N(PS)=1 N(S)=2"]);
    bench.pdu(stat_mr(1, 0xff_fffe, 2, &[0xff_fffe, 0, 1, 2]));
    assert_eq!(
        bench.drain(),
        [
            "MAA-ERROR V (Retransmission) 3",
            "MAA-ERROR W (LackOfCredit)",
            "SD N(S)=16777214 [1 octet]",
            "SD N(S)=16777215 [1 octet]",
            "SD N(S)=1 [1 octet]"
        ]
    );
    bench.pdu(sd(1));
    assert_eq!(bench.drain(), ["USTAT N(MR)=125 N(R)=16777213 lacks 16777213-0"]);
    bench.pdu(Pdu::Poll { n_ps: sn(1), n_s: sn(3) });
    assert_eq!(bench.drain(), ["STAT N(PS)=1 N(MR)=125 N(R)=16777213 lacks 16777213-0 2"]);
    [0xff_fffd, 0xff_fffe, 0xff_ffff].into_iter().for_each(|at| bench.pdu(sd(at)));
    bench.pdu(sd(0));
    assert_eq!(bench.drain().last().unwrap(), "AA-DATA.indication 1 [2]");
    assert_eq!(bench.sscop.receiver.r, sn(2));
}

/// An option of sheet 38.
#[test]
fn a_poll_after_retransmissions_if_wanted() {
    let mut bench = Bench::ready_with(Params { poll_after_retransmission: true, ..Params::default() }, true);
    (0..3).for_each(|_| bench.data(&[7]));
    bench.drain();
    bench.pdu(Pdu::Ustat { n_mr: sn(PEER_MR), n_r: sn(0), from: sn(0), to: sn(2) });
    let lines = bench.drain();
    assert_eq!(lines[1..], ["SD N(S)=0 [1 octet]", "SD N(S)=1 [1 octet]", "POLL N(PS)=1 N(S)=3"]);
}
