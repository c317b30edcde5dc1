//! The states x messages matrix, printed; and every message in every state.

use super::interface::every_state;
use super::*;
use crate::q2931::call::matrix::{Cell, Reaction, reaction};
use crate::q2931::wire::{CallRef, MessageType};

/// The whole matrix of a side and a version.
fn printed(version: Version, side: Side) -> String {
    let mut text = format!("# {version}, {side} side\n");
    for &message in MessageType::KNOWN.iter().chain(&[MessageType::Unknown(0x66)]) {
        text += &format!("{message}\n");
        // States in a row that react alike stand in one line.
        let cells: Vec<(CallState, Cell)> = CallState::ALL
            .into_iter()
            .filter(|state| exists(version, side, *state))
            .map(|state| (state, reaction(version, side, state, message)))
            .collect();
        let mut reactions: Vec<Cell> = Vec::new();
        for (_, cell) in &cells {
            if !reactions.contains(cell) {
                reactions.push(*cell);
            }
        }
        for cell in reactions {
            let states: Vec<String> = cells
                .iter()
                .filter(|(_, other)| *other == cell)
                .map(|(state, _)| state.on(side).to_string())
                .collect();
            text +=
                &format!("    {:<22} {:<38} {}\n", cell.reaction.to_string(), cell.clause, states.join(" "));
        }
    }
    text
}

/// U8 is `ConnectSent`, N8 is `ConnectReceived`; UNI 3.1 knows neither alerting nor modification.
fn exists(version: Version, side: Side, state: CallState) -> bool {
    match state {
        CallState::ConnectSent => side == Side::User,
        CallState::ConnectReceived => side == Side::Network,
        CallState::AlertingReceived
        | CallState::AlertingSent
        | CallState::ModifyRequested
        | CallState::ModifyReceived => version == Version::Uni40,
        _ => true,
    }
}

/// `matrix.txt` is what the table says. To write it anew: `CONDIS_BLESS=1 cargo test -p condis-atm the_matrix_is_printed`.
#[test]
fn the_matrix_is_printed() {
    let text: String = [Version::Uni31, Version::Uni40]
        .into_iter()
        .flat_map(|version| SIDES.map(|side| printed(version, side)))
        .collect::<Vec<_>>()
        .join("\n");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/q2931/call/matrix.txt");
    if std::env::var_os("CONDIS_BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(path).unwrap_or_default());
}

/// What the peer's messages are in a state that they are lawful in: every handled cell is reached, and none of the others
/// changes the state of a call.
#[test]
fn every_message_in_every_state_does_what_the_matrix_says() {
    for &kind in MessageType::KNOWN {
        for (mut pair, call, reference) in every_state() {
            let before = pair.end(Side::User).state(call);
            let state = before.unwrap();
            let cell = reaction(Version::Uni40, Side::User, state, kind);
            pair.inject(Side::User, &Message::new(reference, kind));
            let after = pair.end(Side::User).state(call);
            let said = pair.said();
            let messages: Vec<&str> =
                said.lines().filter(|line| line.contains(" U ")).map(|line| &line[6..]).collect();
            match cell.reaction {
                Reaction::Ignore => assert_eq!((after, said.as_str()), (before, ""), "{kind} in {state}"),
                Reaction::Unexpected => {
                    assert_eq!((after, messages), (before, vec!["STATUS 101"]), "{kind} in {state}")
                }
                Reaction::NotImplemented => {
                    assert_eq!((after, messages), (before, vec!["STATUS 97"]), "{kind} in {state}");
                }
                Reaction::Offer | Reaction::UnknownReference => panic!("{kind} in {state}: {cell:?}"),
                Reaction::Release | Reaction::ReleaseComplete | Reaction::ReleaseCollision => {
                    assert_ne!(after, before, "{kind} in {state}");
                }
                _ => assert!(!said.is_empty() || kind == MessageType::Status, "{kind} in {state}: nothing"),
            }
        }
    }
}

/// In the null state nothing but a SETUP makes a call.
#[test]
fn every_message_in_the_null_state_leaves_no_call() {
    for version in [Version::Uni30, Version::Uni31, Version::Uni40] {
        for side in SIDES {
            for &kind in MessageType::KNOWN {
                let mut pair = Pair::new(version);
                pair.held = true;
                pair.inject(side, &Message::new(CallRef::from_originator(9).unwrap(), kind));
                pair.inject(side, &Message::new(CallRef::from_originator(9).unwrap().reply(), kind));
                pair.assert_idle();
            }
        }
    }
}
