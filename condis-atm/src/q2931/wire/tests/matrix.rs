//! The table, written out for a reviewer; and what every table of this kind must keep.
//! `CONDIS_BLESS=1 cargo test -p condis-atm matrix` writes it anew.

use std::fmt::Write;

use crate::q2931::wire::grammar::{Direction, MESSAGES, MessageRule, OnMandatoryError, Reference, Since};
use crate::q2931::wire::{IeId, MessageType};

fn written_out() -> String {
    let mut text = String::new();
    for rule in MESSAGES {
        let reference = match rule.reference {
            Reference::Call => "call",
            Reference::Global => "global",
            Reference::Either => "call or global",
        };
        let on_error = match rule.on_mandatory_error {
            OnMandatoryError::Report => "drop, STATUS",
            OnMandatoryError::Refuse => "refuse",
            OnMandatoryError::ProceedAndReport => "proceed, tell in answer",
            OnMandatoryError::Proceed => "proceed",
            OnMandatoryError::Discard => "drop",
        };
        let (kind, since, source) = (rule.kind, rule.since, rule.source);
        writeln!(text, "{kind} ({:#04x})  {since}  [{source}]", kind.get()).unwrap();
        writeln!(text, "  reference: {reference}; mandatory IE missing or wrong: {on_error}").unwrap();
        for ie in rule.ies {
            let name = ie.id.to_string();
            let presence = ie.presence.to_string();
            let mut more = String::new();
            if ie.since > since {
                write!(more, "  {}", ie.since).unwrap();
            }
            more.push_str(match ie.direction {
                Direction::Both => "",
                Direction::ToNetwork => "  to network",
                Direction::ToUser => "  to user",
            });
            if ie.listed {
                more.push_str("  behind a repeat indicator");
            }
            let line = format!("  {:#04x} {name:42} {presence:30} {}{more}", ie.id.0, ie.max);
            writeln!(text, "{}", line.trim_end()).unwrap();
        }
        text.push('\n');
    }
    text
}

#[test]
fn the_table_is_as_it_was_reviewed() {
    super::snapshot("matrix.txt", include_str!("matrix.txt"), &written_out());
}

#[test]
fn the_table_has_every_message_once_and_every_ie_once_in_it() {
    let kinds: Vec<MessageType> = MESSAGES.iter().map(|rule| rule.kind).collect();
    assert_eq!(kinds, MessageType::KNOWN, "every message, in the order of the numbers");
    for rule in MESSAGES {
        for (at, ie) in rule.ies.iter().enumerate() {
            assert!(rule.ies[..at].iter().all(|before| before.id != ie.id), "{} {}", rule.kind, ie.id);
            assert!(ie.max >= 1, "{} {}", rule.kind, ie.id);
            assert!(ie.id.name().is_some(), "{} {}", rule.kind, ie.id);
        }
    }
    let used = |id: &IeId| MESSAGES.iter().any(|rule| rule.ie(*id).is_some());
    let unused: Vec<&IeId> = IeId::KNOWN.iter().filter(|id| !used(id)).collect();
    assert_eq!(unused, [&IeId::LOCKING_SHIFT, &IeId::NON_LOCKING_SHIFT], "shifts may stand anywhere");
    assert!(MessageRule::of(MessageType::Unknown(0)).is_none());
    assert!(MESSAGES.iter().any(|rule| rule.since == Since::Q2931));
}
