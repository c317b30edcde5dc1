//! Two machines, and what crosses on the way between them. PDUs arrive in the order of sending, as ATM has it.

use std::collections::VecDeque;

use super::super::super::wire::{Pdu, Source};
use super::super::super::{Dialect, Output, Params, State};
use super::{Bench, line, sn};

struct Pair {
    ends: [Bench; 2],
    /// What is on its way to each.
    wires: [VecDeque<Vec<u8>>; 2],
    /// What each user was told.
    told: [Vec<String>; 2],
}

impl Pair {
    fn new(params: Params) -> Pair {
        Pair {
            ends: [Bench::new(params.clone()), Bench::new(params)],
            wires: Default::default(),
            told: Default::default(),
        }
    }

    fn connected() -> Pair {
        let mut pair = Pair::new(Params::default());
        pair.ends[0].sscop.establish(pair.ends[0].now, &[], true).unwrap();
        pair.exchange();
        assert_eq!(pair.states(), [State::DataTransferReady; 2]);
        pair.told = Default::default();
        pair
    }

    /// Puts what an end sent on the wire; answers indications as the SSCF does.
    fn collect(&mut self, end: usize) {
        let bench = &mut self.ends[end];
        while let Some(output) = bench.sscop.poll_output() {
            match output {
                Output::Transmit(octets) => self.wires[1 - end].push_back(octets),
                other => self.told[end].push(line(&other)),
            }
            match self.told[end].last().map(String::as_str) {
                Some(told) if told.starts_with("AA-ESTABLISH.indication") => {
                    let _ = bench.sscop.establish_response(bench.now, &[], true);
                }
                Some("AA-RESYNC.indication") => drop(bench.sscop.resync_response(bench.now)),
                Some("AA-RECOVER.indication") => drop(bench.sscop.recover_response(bench.now)),
                _ => {}
            }
        }
    }

    /// Delivers all that is on the wires, by turns, until nothing is.
    fn exchange(&mut self) {
        loop {
            self.collect(0);
            self.collect(1);
            let arrived = [self.wires[0].pop_front(), self.wires[1].pop_front()];
            if arrived == [None, None] {
                return;
            }
            for (end, octets) in arrived.into_iter().enumerate() {
                let Some(octets) = octets else { continue };
                let bench = &mut self.ends[end];
                bench.sscop.handle_pdu(bench.now, &octets);
            }
        }
    }

    fn states(&self) -> [State; 2] {
        [self.ends[0].sscop.state(), self.ends[1].sscop.state()]
    }

    /// Data goes both ways, once.
    fn works(&mut self) {
        self.told = Default::default();
        for end in 0..2 {
            self.ends[end].data(&[1, 2, 3]);
        }
        self.exchange();
        for told in &self.told {
            assert!(
                matches!(&told[..], [only] if only.starts_with("AA-DATA.indication") && only.ends_with("[3]")),
                "{told:?}"
            );
        }
    }
}

/// Sheet 10.
#[test]
fn both_establish_at_once() {
    for dialect in [Dialect::Q2110, Dialect::QSaal1] {
        let mut pair = Pair::new(Params { dialect, ..Params::default() });
        for end in 0..2 {
            pair.ends[end].sscop.establish(pair.ends[end].now, &[9], true).unwrap();
        }
        pair.exchange();
        assert_eq!(pair.told, [["AA-ESTABLISH.confirm [1]"], ["AA-ESTABLISH.confirm [1]"]]);
        pair.works();
    }
}

/// Sheet 15: END crosses END.
#[test]
fn both_release_at_once() {
    let mut pair = Pair::connected();
    for end in 0..2 {
        pair.ends[end].sscop.release(pair.ends[end].now, &[]).unwrap();
    }
    pair.exchange();
    assert_eq!(pair.told, [["AA-RELEASE.confirm"], ["AA-RELEASE.confirm"]]);
    assert_eq!(pair.states(), [State::Idle; 2]);
}

/// Sheet 19: RS crosses RS.
#[test]
fn both_resynchronise_at_once() {
    let mut pair = Pair::connected();
    for end in 0..2 {
        pair.ends[end].sscop.resync(pair.ends[end].now, &[4, 2]).unwrap();
    }
    pair.exchange();
    assert_eq!(pair.told, [["AA-RESYNC.confirm [2]"], ["AA-RESYNC.confirm [2]"]]);
    pair.works();
}

/// Sheet 25: ER crosses ER.
#[test]
fn both_recover_at_once() {
    let mut pair = Pair::connected();
    for end in 0..2 {
        pair.ends[end].data(&[1]);
        pair.ends[end].provoke_recovery();
    }
    pair.exchange();
    for told in &pair.told {
        let expected = ["MAA-ERROR R (StatPollNumber)", "AA-RECOVER.indication"];
        assert!(expected.iter().all(|line| told.iter().any(|told| told == line)), "{told:?}");
    }
    assert_eq!(pair.states(), [State::DataTransferReady; 2]);
    pair.works();
}

/// Sheets 19, 26, 36: RS crosses ER, and the RS stands.
#[test]
fn one_resynchronises_while_the_other_recovers() {
    let mut pair = Pair::connected();
    pair.ends[0].sscop.resync(pair.ends[0].now, &[]).unwrap();
    pair.ends[1].provoke_recovery();
    pair.exchange();
    assert_eq!(pair.told[0], ["AA-RESYNC.confirm"]);
    assert_eq!(pair.told[1], ["MAA-ERROR R (StatPollNumber)", "AA-RESYNC.indication"]);
    pair.works();
}

/// Sheets 15, 17, 23: END against RS and against ER, and the END stands.
#[test]
fn one_releases_while_the_other_resynchronises_or_recovers() {
    for recovers in [false, true] {
        let mut pair = Pair::connected();
        pair.ends[0].sscop.release(pair.ends[0].now, &[]).unwrap();
        if recovers {
            pair.ends[1].provoke_recovery();
        } else {
            pair.ends[1].sscop.resync(pair.ends[1].now, &[]).unwrap();
        }
        pair.exchange();
        assert_eq!(pair.told[0], ["AA-RELEASE.confirm"]);
        assert_eq!(pair.told[1].last().unwrap(), "AA-RELEASE.indication by user");
        assert_eq!(pair.states(), [State::Idle; 2]);
    }
}

/// Sheet 16: END crosses a new BGN; the peer's new connection comes to stand.
#[test]
fn one_releases_while_the_other_begins_anew() {
    let mut pair = Pair::connected();
    pair.ends[0].sscop.release(pair.ends[0].now, &[]).unwrap();
    pair.ends[1].sscop.reset();
    pair.ends[1].sscop.establish(pair.ends[1].now, &[], true).unwrap();
    pair.exchange();
    assert_eq!(pair.told[0], ["AA-RELEASE.confirm", "AA-ESTABLISH.indication"]);
    assert_eq!(pair.told[1], ["AA-ESTABLISH.confirm"]);
    pair.works();
}

/// Sheet 35: a peer that has lost its memory, and counts attempts anew, gets a connection; data on its way is lost with it.
#[test]
fn one_restarts() {
    for first_sq in [0, 77] {
        let mut pair = Pair::connected();
        pair.works();
        pair.ends[0] = Bench::new(Params { first_sq, ..Params::default() });
        pair.told = Default::default();
        pair.ends[0].sscop.establish(pair.ends[0].now, &[], true).unwrap();
        pair.exchange();
        assert_eq!(pair.told[0], ["AA-ESTABLISH.confirm"]);
        if first_sq == 77 {
            assert_eq!(pair.told[1], ["AA-RELEASE.indication by user", "AA-ESTABLISH.indication"]);
        } else {
            // Taken for a repetition of the BGN that it had sent before: the numbers differ, and that is recovered from.
            pair.ends[0].data(&[1]);
            pair.exchange();
            pair.ends[0].pass_until(750);
            pair.exchange();
            assert!(
                pair.told.iter().flatten().any(|line| line == "AA-RECOVER.indication"),
                "{:?}",
                pair.told
            );
        }
        pair.works();
    }
}

/// Sheet 5: a BGN with the last number is refused once, or taken (ATM Forum 97-0216).
#[test]
fn a_repeated_bgn_in_idle() {
    for taken in [false, true] {
        let params = Params { idle_accepts_repeated_bgn: taken, ..Params::default() };
        let mut bench = Bench::new(params);
        bench.pdu(Pdu::Bgn { n_sq: 1, n_mr: sn(9), uu: &[] });
        bench.sscop.release(bench.now, &[]).unwrap();
        bench.drain();
        bench.pdu(Pdu::Bgn { n_sq: 1, n_mr: sn(9), uu: &[] });
        assert_eq!(bench.drain(), [if taken { "AA-ESTABLISH.indication" } else { "BGREJ" }]);
    }
}

/// What a user has said of one connection does not go out with another, nor with what SSCOP does by itself.
#[test]
fn information_of_a_user_goes_where_it_belongs() {
    let params = || Params { idle_accepts_repeated_bgn: false, ..Params::default() };
    let bgn = |n_sq| Pdu::Bgn { n_sq, n_mr: sn(9), uu: &[] };
    let sent = |bench: &mut Bench| -> Vec<Vec<u8>> {
        let outputs = std::iter::from_fn(|| bench.sscop.poll_output());
        let sent = outputs.filter_map(|output| match output {
            Output::Transmit(octets) => Some(octets),
            _ => None,
        });
        sent.collect()
    };
    // Refused with a word, which a repetition gets as well, but not that of a later connection.
    let mut bench = Bench::new(params());
    bench.pdu(bgn(1));
    bench.sscop.release(bench.now, b"no").unwrap();
    bench.pdu(bgn(1));
    let refusal = Pdu::Bgrej { uu: b"no" }.encode();
    assert_eq!(sent(&mut bench), [refusal.clone(), refusal]);
    bench.pdu(bgn(2));
    bench.sscop.establish_response(bench.now, b"yes", true).unwrap();
    bench.pdu(Pdu::End { source: Source::User, uu: &[] });
    sent(&mut bench);
    bench.pdu(bgn(2));
    assert_eq!(sent(&mut bench), [Pdu::Bgrej { uu: &[] }.encode()]);
    // Sheet 16: what answers the BGN again tells nothing but the end.
    bench.pdu(bgn(3));
    bench.sscop.establish_response(bench.now, b"yes", true).unwrap();
    bench.sscop.release(bench.now, b"bye").unwrap();
    sent(&mut bench);
    bench.pdu(bgn(3));
    let end = |source, uu| Pdu::End { source, uu }.encode();
    let bgak = Pdu::Bgak { n_mr: sn(128), uu: &[] }.encode();
    assert_eq!(sent(&mut bench), [bgak, end(Source::User, b"bye")]);
    bench.pdu(Pdu::Endak);
    // An SD without a connection: the END is SSCOP's own.
    bench.pdu(Pdu::Sd { n_s: sn(0), sdu: &[] });
    assert_eq!(sent(&mut bench), [end(Source::Sscop, &[])]);
}

/// UNI 3.0's BGN has N(SQ)=0, and is new each time.
#[test]
fn q_saal1_has_no_repetitions() {
    let params = Params { dialect: Dialect::QSaal1, idle_accepts_repeated_bgn: false, ..Params::default() };
    let mut bench = Bench::new(params);
    let bgn = || Pdu::Bgn { n_sq: 0, n_mr: sn(30), uu: &[] };
    bench.pdu(bgn());
    assert_eq!(bench.drain(), ["AA-ESTABLISH.indication"]);
    bench.sscop.establish_response(bench.now, &[], true).unwrap();
    bench.drain();
    bench.pdu(bgn());
    assert_eq!(bench.drain(), ["AA-RELEASE.indication by user", "AA-ESTABLISH.indication"]);
    bench.sscop.release(bench.now, &[]).unwrap();
    bench.drain();
    bench.sscop.establish(bench.now, &[], true).unwrap();
    assert_eq!(bench.drain(), ["BGN N(SQ)=0 N(MR)=128"]);
}

/// Refusals name the request and the state, and change nothing.
#[test]
fn requests_out_of_turn_are_refused() {
    let mut bench = Bench::ready();
    let error = bench.sscop.establish(bench.now, &[], true).unwrap_err();
    assert_eq!(error.to_string(), "EstablishRequest is not lawful in Data transfer ready");
    assert!(bench.sscop.establish_response(bench.now, &[], true).is_err());
    assert!(
        bench.sscop.resync_response(bench.now).is_err() && bench.sscop.recover_response(bench.now).is_err()
    );
    assert!(bench.drain().is_empty() && bench.sscop.state() == State::DataTransferReady);
    let transition = bench.sscop.last_transition().unwrap();
    assert_eq!(
        (transition.from, transition.to),
        (State::IncomingConnectionPending, State::DataTransferReady)
    );
}
