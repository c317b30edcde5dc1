//! The whole state x event matrix, written out for a reviewer: `matrix.txt` beside this file.
//!
//! `CONDIS_BLESS=1 cargo test -p condis matrix` writes it anew.

use std::fmt::Write;

use super::*;

const ACTS: [Activation; 5] = [
    Activation::Inactive,
    Activation::Activating,
    Activation::Active,
    Activation::Reactivating,
    Activation::Deactivating,
];

fn closing(before: Before, make_owed: bool, answer_owed: bool, done: bool) -> Call {
    Call::Closing(Closing { before, make_owed, answer_owed, done })
}

fn calls() -> [(&'static str, Call); 12] {
    [
        ("0", Call::None),
        ("OP", Call::OutgoingPending),
        ("IO", Call::Offered { remote_gone: false }),
        ("IO gone", Call::Offered { remote_gone: true }),
        ("IA", Call::Accepted),
        ("CN", Call::Connected),
        ("RC", Call::RemoteClosed),
        ("CL of CN", closing(Before::Connected, false, false, false)),
        ("CL of RC", closing(Before::RemoteClosed, false, false, false)),
        ("CL of OP", closing(Before::Outgoing, true, false, false)),
        ("CL of IO", closing(Before::Offered, false, true, false)),
        ("CL done", closing(Before::Connected, false, false, true)),
    ]
}

fn name(call: Call) -> String {
    let known = calls().into_iter().find(|(_, other)| *other == call);
    match (known, call) {
        (Some((name, _)), _) => name.into(),
        (None, Call::Closing(closing)) => {
            format!("CL of {:?}{}", closing.before, if closing.done { " done" } else { "" })
        }
        (None, other) => other.name().into(),
    }
}

fn letter(act: Activation) -> char {
    match act {
        Activation::Inactive => 'I',
        Activation::Activating => 'a',
        Activation::Active => 'V',
        Activation::Reactivating => 'r',
        Activation::Deactivating => 'd',
    }
}

fn status(result: Result<(), NdisStatus>) -> String {
    NdisStatus::of(&result).to_string()
}

/// One event: its row numbers, its name, who made the VC that it is tried on, and what it does.
type Event = (&'static str, &'static str, Creator, fn(&mut Control) -> String);

const EVENTS: &[Event] = &[
    ("A1 A4 A6 A7", "the call manager activates", Creator::Client, |c| status(c.begin_activate())),
    ("A2 A5", "the activation succeeds", Creator::Client, |c| {
        c.end_activate(true);
        String::new()
    }),
    ("A3 A5", "the activation fails", Creator::Client, |c| {
        c.end_activate(false);
        String::new()
    }),
    ("A8", "an MCM activates", Creator::Client, |c| status(c.mcm_activate())),
    ("A9 A11-A13", "the call manager deactivates", Creator::Client, |c| status(c.begin_deactivate())),
    ("A10", "the miniport is done, drained", Creator::Client, |c| c.end_deactivate(true).to_string()),
    ("A10", "the miniport is done, not drained", Creator::Client, |c| c.end_deactivate(false).to_string()),
    ("A14 A15", "an MCM deactivates", Creator::Client, |c| status(c.mcm_deactivate(true))),
    ("O1", "make-call on a client's VC", Creator::Client, |c| status(c.begin_make(false))),
    ("O1", "make-call on a manager's VC", Creator::Manager, |c| status(c.begin_make(false))),
    ("O2 O5 O9", "the make-call succeeds", Creator::Client, |c| format!("{:?}", c.end_make(true))),
    ("O4 O6 O9", "the make-call fails", Creator::Client, |c| format!("{:?}", c.end_make(false))),
    ("N1", "an offer on a manager's VC", Creator::Manager, |c| status(c.begin_offer())),
    ("N1", "an offer on a client's VC", Creator::Client, |c| status(c.begin_offer())),
    ("N2 N5 L2a", "the client accepts", Creator::Manager, |c| c.end_offer(true).to_string()),
    ("N4 N6 L2a", "the client rejects", Creator::Manager, |c| c.end_offer(false).to_string()),
    ("N7", "call connected is dispatched", Creator::Manager, |c| status(c.connected())),
    ("L1-L6", "a remote close is dispatched", Creator::Client, |c| format!("{:?}", c.remote_close())),
    ("L7 O8 L2b", "the client closes", Creator::Client, |c| status(c.begin_close())),
    ("L8 L11", "the close succeeds", Creator::Client, |c| {
        c.end_close(true);
        if c.finish_close(true) { "over".into() } else { String::new() }
    }),
    ("L10 L12", "the close is refused", Creator::Client, |c| {
        c.end_close(false);
        String::new()
    }),
    ("Q1 N8", "the client modifies the QoS", Creator::Client, |c| status(c.begin_qos())),
    ("Q3", "a remote change of QoS is dispatched", Creator::Client, |c| c.may_change_qos().to_string()),
    ("P1", "a party is added, point to point", Creator::Client, |c| status(c.begin_add())),
    ("P1", "a party is added, multipoint", Creator::Client, |c| {
        c.multipoint = true;
        status(c.begin_add())
    }),
    ("P3", "one of two parties is dropped", Creator::Client, |c| {
        (c.multipoint, c.parties) = (true, 2);
        status(c.begin_drop())
    }),
    ("P3", "the last party is dropped", Creator::Client, |c| {
        (c.multipoint, c.parties) = (true, 1);
        status(c.begin_drop())
    }),
    ("P6", "the client closes with two parties", Creator::Client, |c| {
        (c.multipoint, c.parties) = (true, 2);
        status(c.begin_close())
    }),
    ("E9-E14", "the creator deletes", Creator::Client, |c| status(c.begin_delete(true))),
    ("DP-135", "a send", Creator::Client, |c| {
        if c.sends() { "passes".into() } else { c.send_refusal().to_string() }
    }),
    ("DP-144", "a receive", Creator::Client, |c| if c.receives() { "passes".into() } else { "drops".into() }),
];

fn written_out() -> String {
    let mut text = String::from(
        "Every event of the state table in every pair of states (activation, call), as the library has it.\n\
         A cell: what is returned or done, and the new state where it changes. I inactive, a activating, V active,\n\
         r reactivating, d deactivating; the calls as in section 6.1 of condis-calls.md.\n",
    );
    for (rows, event, creator, happen) in EVENTS {
        let mut table = vec![vec![format!("{rows}: {event}")]];
        table[0].extend(ACTS.iter().map(|act| letter(*act).to_string()));
        for (call_name, call) in calls() {
            let mut row = vec![call_name.to_owned()];
            for act in ACTS {
                let mut control = Control::new(*creator, false);
                (control.life, control.act, control.call) = (Life::Live, act, call);
                let said = happen(&mut control);
                let mut cell = said;
                if (control.act, control.call) != (act, call) {
                    let _ = write!(cell, " -> ({}, {})", letter(control.act), name(control.call));
                }
                let cell = cell.trim();
                row.push(if cell.is_empty() { "-".into() } else { cell.to_owned() });
            }
            table.push(row);
        }
        text.push('\n');
        text.push_str(&aligned(&table));
    }
    text
}

fn aligned(table: &[Vec<String>]) -> String {
    let width = |column: usize| table.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<_> = (0..table[0].len()).map(width).collect();
    let mut text = String::new();
    for row in table {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[test]
fn the_matrix_is_as_it_was_reviewed() {
    let now = written_out();
    if std::env::var_os("CONDIS_BLESS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/vc/control/matrix.txt"), &now)
            .expect("the source tree can be written");
        return;
    }
    let changed: Vec<_> =
        include_str!("matrix.txt").lines().zip(now.lines()).filter(|(a, b)| a != b).collect();
    assert!(changed.is_empty() && include_str!("matrix.txt") == now, "the matrix changed: {changed:#?}");
}
