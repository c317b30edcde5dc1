//! ILMI: its messages, and the entities of both sides.

use std::time::Duration;

use condis::runtime::Time;
use condis_atm::addr::Esi;
use condis_atm::ilmi::wire::{MESSAGE_OCTETS_MAX, Message};
use condis_atm::ilmi::{ADDRESSES_MAX, IlmiConfig, IlmiOutput, Ime, PREFIXES_MAX, StateName};

/// Any octets: refused, or a message that is the same when it is written and read again.
pub fn message(octets: &[u8]) {
    let Ok(message) = Message::parse(octets) else { return };
    assert_eq!(Message::parse(&message.encode()).as_ref(), Ok(&message));
    let line = message.to_string();
    assert!(!line.contains(char::is_control), "{line:?}");
}

/// Any messages, with any time between them, to either side. It answers within bounds and never stops asking. The octets are a
/// side and then pieces: a length, a time, and what arrives; of a length of zero the line goes down or comes back.
///
/// Gives how many of the messages were understood.
pub fn entity(octets: &[u8]) -> u64 {
    let Some((side, mut rest)) = octets.split_first() else { return 0 };
    let mut ime = Ime::new(if side & 1 == 0 {
        IlmiConfig::user([Esi([2, 0, 0, 0, 0, 1])])
    } else {
        IlmiConfig::network([[0x47; 13]])
    });
    let mut now = Time::ZERO;
    let mut line_up = true;
    ime.handle_link(now, line_up);
    while let [length, wait, behind @ ..] = rest {
        let (piece, behind) = behind.split_at(usize::from(*length).min(behind.len()));
        rest = behind;
        now = now.after(Duration::from_millis(u64::from(*wait) * 50));
        if piece.is_empty() {
            line_up = !line_up;
            ime.handle_link(now, line_up);
        } else {
            ime.handle_sdu(now, piece);
        }
        if ime.next_timeout().is_some_and(|at| at <= now) {
            ime.handle_timeout(now);
        }
        while let Some(output) = ime.poll_output() {
            if let IlmiOutput::Transmit(octets) = output {
                assert!(octets.len() <= MESSAGE_OCTETS_MAX);
                assert!(Message::parse(&octets).is_ok(), "we speak well");
            }
        }
        assert_eq!(ime.next_timeout().is_some(), line_up, "an entity always has something to ask");
        assert_eq!(ime.state() == StateName::Down, !line_up);
        assert!(ime.prefixes().len() <= PREFIXES_MAX && ime.addresses().len() <= ADDRESSES_MAX);
    }
    ime.counters().received
}
