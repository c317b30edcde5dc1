//! Every state with every event: what comes out, and where it leads. The text is for a reviewer to read beside Figure 20.

use std::fmt::Write;

use super::super::super::table::{Cell, TABLE, cell};
use super::super::super::wire::{Pdu, PduKind, Source};
use super::super::super::{Event, RetrieveFrom, State, Timer};
use super::super::dispatch::Input;
use super::{Bench, PEER_MR, sn};

/// What is checked in.
const MATRIX: &str = include_str!("matrix.txt");

/// VR(SQ) in each state that [`Bench::in_state`] makes, and so the N(SQ) of a repetition.
fn last_sq(bench: &Bench) -> u8 {
    bench.sscop.receiver.sq
}

/// The inputs of an event: with N(SQ) there are two, a new one and a repetition.
fn inputs(event: Event, last_sq: u8) -> Vec<(&'static str, Input<'static>)> {
    let n_mr = sn(PEER_MR);
    let uu: &[u8] = &[];
    let both = |of: fn(u8) -> Pdu<'static>| {
        vec![("new", Input::Pdu(of(last_sq.wrapping_add(1)))), ("repeated", Input::Pdu(of(last_sq)))]
    };
    let one = |pdu| vec![("", Input::Pdu(pdu))];
    match event {
        Event::Pdu(PduKind::Bgn) => both(|n_sq| Pdu::Bgn { n_sq, n_mr: sn(PEER_MR), uu: &[] }),
        Event::Pdu(PduKind::Rs) => both(|n_sq| Pdu::Rs { n_sq, n_mr: sn(PEER_MR), uu: &[] }),
        Event::Pdu(PduKind::Er) => both(|n_sq| Pdu::Er { n_sq, n_mr: sn(PEER_MR) }),
        Event::Pdu(PduKind::Bgak) => one(Pdu::Bgak { n_mr, uu }),
        Event::Pdu(PduKind::End) => one(Pdu::End { source: Source::User, uu }),
        Event::Pdu(PduKind::Endak) => one(Pdu::Endak),
        Event::Pdu(PduKind::Rsak) => one(Pdu::Rsak { n_mr }),
        Event::Pdu(PduKind::Bgrej) => one(Pdu::Bgrej { uu }),
        Event::Pdu(PduKind::Sd) => one(Pdu::Sd { n_s: sn(0), sdu: &[1] }),
        Event::Pdu(PduKind::Poll) => one(Pdu::Poll { n_ps: sn(1), n_s: sn(0) }),
        Event::Pdu(PduKind::Stat) => one(Pdu::Stat { n_ps: sn(1), n_mr, n_r: sn(1), list: (&[][..]).into() }),
        Event::Pdu(PduKind::Ustat) => one(Pdu::Ustat { n_mr, n_r: sn(0), from: sn(0), to: sn(1) }),
        Event::Pdu(PduKind::Ud) => one(Pdu::Ud { sdu: &[1] }),
        Event::Pdu(PduKind::Md) => one(Pdu::Md { sdu: &[1] }),
        Event::Pdu(PduKind::Erak) => one(Pdu::Erak { n_mr }),
        Event::Expiry(Timer::Cc) => {
            vec![("first", Input::Expiry(Timer::Cc)), ("last", Input::Expiry(Timer::Cc))]
        }
        Event::Expiry(timer) => vec![("", Input::Expiry(timer))],
        Event::EstablishRequest => vec![("", Input::EstablishRequest { uu, clear_buffers: true })],
        Event::EstablishResponse => vec![("", Input::EstablishResponse { uu, clear_buffers: true })],
        Event::ReleaseRequest => vec![("", Input::ReleaseRequest { uu })],
        Event::DataRequest => vec![("", Input::DataRequest { sdu: vec![1] })],
        Event::ResyncRequest => vec![("", Input::ResyncRequest { uu })],
        Event::ResyncResponse => vec![("", Input::ResyncResponse)],
        Event::RecoverResponse => vec![("", Input::RecoverResponse)],
        Event::RetrieveRequest => vec![("", Input::RetrieveRequest(RetrieveFrom::Total))],
        Event::UnitDataRequest => vec![("", Input::UnitDataRequest { sdu: &[1] })],
        Event::ManagementUnitDataRequest => vec![("", Input::ManagementUnitDataRequest { sdu: &[1] })],
    }
}

/// In Data transfer ready, two SDs and a poll are out, so that STAT and USTAT have something to speak of.
fn bench(state: State) -> Bench {
    let mut bench = Bench::in_state(state);
    if state == State::DataTransferReady {
        bench.data(&[1]);
        bench.data(&[2]);
        bench.pass_until(750);
        bench.drain();
    }
    bench
}

fn outcome(state: State, event: Event, which: &str, input: Input<'static>) -> String {
    match cell(state, event) {
        Cell::Refuse => return "refused".to_owned(),
        Cell::Stopped => return "does not run".to_owned(),
        Cell::Ignore | Cell::Report(_) | Cell::End(_) | Cell::Drop(_) | Cell::Abort(_) | Cell::Own => {}
    }
    let mut bench = bench(state);
    if which == "last" {
        bench.sscop.transmitter.cc = bench.sscop.params.max_cc;
    }
    bench.sscop.step(bench.now, input);
    let mut outcome = bench.drain().join("; ");
    let to = bench.sscop.state();
    if to != state {
        write!(outcome, "{}-> {to}", if outcome.is_empty() { "" } else { " " }).unwrap();
    } else if outcome.is_empty() {
        outcome = if cell(state, event) == Cell::Ignore { "ignored" } else { "nothing" }.to_owned();
    }
    outcome
}

fn matrix() -> String {
    let mut text = String::new();
    for (event, _) in &TABLE {
        // The states that do the same stand together.
        let mut rows: Vec<(String, Vec<usize>)> = Vec::new();
        for state in State::ALL {
            let sq = last_sq(&Bench::in_state(state));
            for (which, input) in inputs(*event, sq) {
                let outcome = outcome(state, *event, which, input);
                let row = if which.is_empty() { outcome } else { format!("{which}: {outcome}") };
                match rows.iter_mut().find(|(other, _)| *other == row) {
                    Some((_, states)) => states.push(state as usize + 1),
                    None => rows.push((row, vec![state as usize + 1])),
                }
            }
        }
        rows.iter_mut().for_each(|(_, states)| states.dedup());
        writeln!(text, "{event:?}").unwrap();
        for (row, states) in rows {
            let states: Vec<String> = states.iter().map(usize::to_string).collect();
            writeln!(text, "  {:<20} {row}", states.join(" ")).unwrap();
        }
    }
    text
}

/// Each pair is as the text has it, none panics, and none that the table gives a function lacks one.
#[test]
fn the_matrix_is_as_written() {
    let matrix = matrix();
    let written = MATRIX.split_once("\n\n").expect("a heading comes first").1;
    if matrix != written {
        let at = matrix.lines().zip(written.lines()).position(|(is, was)| is != was);
        panic!("the first line that differs is {at:?}; the matrix is now:\n{matrix}");
    }
}
