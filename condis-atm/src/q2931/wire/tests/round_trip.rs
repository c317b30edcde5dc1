//! What is written is read as it was, of any message; what is random harms nobody.

use proptest::prelude::*;

use super::samples;
use crate::q2931::wire::*;

/// IEs of the samples, with any coding that is read and any instruction.
fn ies() -> impl Strategy<Value = Ie> {
    let all: Vec<Ie> = IeId::KNOWN
        .iter()
        .filter(|id| !matches!(**id, IeId::LOCKING_SHIFT | IeId::NON_LOCKING_SHIFT))
        .flat_map(|id| samples::of(*id))
        .collect();
    (proptest::sample::select(all), 0..32u8)
        .prop_map(|(ie, bits)| ie.instructed(IeInstruction::from_bits(bits)))
}

fn unknown() -> impl Strategy<Value = Ie> {
    let ids = (0..=255u8).prop_filter("not known", |id| IeId(*id).name().is_none());
    (ids, proptest::collection::vec(any::<u8>(), 0..40), 0..32u8).prop_map(|(id, contents, bits)| {
        let octets = Octets::new(contents).unwrap();
        Ie::new(IeValue::Unknown { codeset: 0, id: IeId(id), octets })
            .instructed(IeInstruction::from_bits(bits))
    })
}

fn messages() -> impl Strategy<Value = Message> {
    let ie = prop_oneof![4 => ies(), 1 => unknown()];
    (0..=CallRef::VALUE_MAX, any::<bool>(), any::<u8>(), any::<u8>(), proptest::collection::vec(ie, 0..20))
        .prop_map(|(value, flag, kind, bits, ies)| {
            Message::new(CallRef::new(value, flag), MessageType::from_u8(kind))
                .instructed(MessageInstruction::from_bits(bits))
                .with_all(ies)
        })
}

/// Rates that any descriptor may have.
fn rates() -> impl Strategy<Value = CellRates> {
    proptest::array::uniform7(proptest::option::of(0..=0xff_ffffu32)).prop_map(
        |[pcr0, pcr01, scr0, scr01, mbs0, mbs01, mcr01]| CellRates {
            pcr0,
            pcr01,
            scr0,
            scr01,
            mbs0,
            mbs01,
            mcr01,
        },
    )
}

fn read_back(ie: Ie) -> Ie {
    let message = Message::new(CallRef::DUMMY, MessageType::Setup).with(ie);
    Message::parse(&message.encode().unwrap()).unwrap().ies.remove(0)
}

proptest! {
    #[test]
    fn messages_come_back(message in messages()) {
        let octets = message.encode().unwrap();
        prop_assert_eq!(octets.len(), message.encoded_len());
        prop_assert_eq!(Message::parse(&octets).unwrap(), message);
    }

    #[test]
    fn traffic_comes_back(forward in rates(), backward in rates(), octet in proptest::option::of(any::<[bool; 4]>())) {
        let options = octet.map(|[a, b, c, d]| TrafficOptions {
            forward_frame_discard: a,
            backward_frame_discard: b,
            forward_tagging: c,
            backward_tagging: d,
        });
        let traffic = TrafficDescriptor { forward, backward, best_effort: true, options };
        prop_assert_eq!(read_back(traffic.into()), traffic.into());
        prop_assert_eq!(traffic.reversed().reversed(), traffic);
    }

    /// Whatever arrives, it is refused, or it is a message that prints, is checked, and goes out again as
    /// something that means the same.
    #[test]
    fn octets_harm_nobody(mut octets in proptest::collection::vec(any::<u8>(), 0..200), header in any::<bool>()) {
        if header && octets.len() >= MESSAGE_HEADER_LEN {
            let len = (octets.len() - MESSAGE_HEADER_LEN) as u16;
            octets[..2].copy_from_slice(&[9, 3]);
            octets[7..9].copy_from_slice(&len.to_be_bytes());
        }
        if let Ok(message) = Message::parse(&octets) {
            let again = Message::parse(&message.encode().unwrap()).unwrap();
            prop_assert_eq!(again.ies.len(), message.ies.len());
            let _ = (message.to_string(), message.check(Receiver::network(Version::Uni40)));
        }
    }

    /// One octet of a message changed: the same.
    #[test]
    fn a_changed_octet_harms_nobody(message in messages(), at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let mut octets = message.encode().unwrap();
        let at = at.index(octets.len());
        octets[at] = octet;
        if let Ok(message) = Message::parse(&octets) {
            let _ = (message.to_string(), message.check(Receiver::user(Version::Uni31)));
            prop_assert!(message.encode().unwrap().len() <= octets.len());
        }
    }
}
