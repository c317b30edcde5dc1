//! Octets of every kind of IE, both ways, and what they print; what is refused of octets that are none.

use std::fmt::Write;

use super::{hex, samples};
use crate::q2931::wire::*;

/// A message that holds nothing but these IEs.
fn around(ies: &[u8]) -> Vec<u8> {
    let mut octets = hex("09 03 000001 75 80");
    octets.extend((ies.len() as u16).to_be_bytes());
    octets.extend(ies);
    octets
}

fn first_value(ies: &[u8]) -> IeValue {
    Message::parse(&around(ies)).unwrap().ies.remove(0).value
}

/// Each sample's octets and print, for a reviewer to hold against the standard.
#[test]
fn every_ie_is_as_it_was_reviewed() {
    let mut text = String::new();
    for id in IeId::KNOWN {
        writeln!(text, "{id}").unwrap();
        for ie in samples::of(*id) {
            let message = Message::new(CallRef::from_originator(1).unwrap(), MessageType::StatusEnquiry)
                .with(ie.clone());
            let octets = message.encode().unwrap();
            let octets = &octets[MESSAGE_HEADER_LEN..];
            assert_eq!(octets.len(), ie.encoded_len());
            writeln!(text, "  {}", Octets::<200>::new(octets).unwrap()).unwrap();
            writeln!(text, "    {ie}").unwrap();
            assert_eq!(Message::parse(&around(octets)).unwrap(), message);
        }
    }
    super::snapshot("golden.txt", include_str!("golden.txt"), &text);
}

/// Octets from elsewhere: linux-atm's captures have the plain ones; these are of RFC 1755 Appendix and of the
/// fields' definitions.
#[test]
fn octets_of_others_mean_what_they_mean() {
    let cases = [
        ("5f 80 0009 6b 40 80 80 000000 0800", "blli l3 TR 9577 snap 000000:0800"),
        ("5f 80 0001 cc", "blli l2 LLC"),
        ("58 80 0009 05 8c 23e4 81 23e4 84 00", "aal5 sdu 9188/9188 sscs null"),
        ("5e 80 0003 10 85 a1", "bearer BCOB-X (CBR) clipping point-to-multipoint"),
        ("54 80 0003 00 8001", "party 1 (dest)"),
        ("5a 80 0005 89 0003 0000", "vc 3.any"),
        ("79 80 0001 82", "restart all channels"),
        (
            "08 80 0005 82 e6 333038",
            "cause 102 (recovery on timer expiry) at public network of the local user [T308]",
        ),
        ("5c e0 0002 0104", "qos 1/4 [network]"),
        ("70 80 000b 91 3439383936333631 3132", "called +4989636112"),
        ("33 91 0002 abcd", "ie 0x33 abcd [discard]"),
    ];
    for (octets, print) in cases {
        let message = Message::parse(&around(&hex(octets))).unwrap();
        assert_eq!(message.ies.len(), 1, "{octets}");
        assert_eq!(message.ies[0].to_string(), print);
        assert_eq!(message.encode().unwrap(), around(&hex(octets)), "{print}");
    }
}

#[test]
fn contents_that_cannot_be_say_why() {
    use ContentError::{Extension, Missing, RepeatedSubfield, TooLong, Truncated, UnknownSubfield};
    let value = |field, value| ContentError::Value { field, value };
    let cases = [
        ("08 80 0001 80", Truncated),
        ("08 80 0002 00 90", Extension("location")),
        ("14 80 0001 05", value("call state", 5)),
        ("54 80 0003 01 0001", value("endpoint reference type", 1)),
        ("58 80 0004 05 8c 0100", TooLong(0)),
        ("58 80 0003 05 8c 01", Truncated),
        ("58 80 0007 05 8c 0100 8c 0100", RepeatedSubfield(0x8c)),
        ("58 80 0003 05 85 01", UnknownSubfield(0x85)),
        ("59 80 0004 86 000001", UnknownSubfield(0x86)),
        ("59 80 0002 be be", RepeatedSubfield(0xbe)),
        ("59 80 0003 84 0001", Truncated),
        ("5a 80 0006 88 0000 0020 00", TooLong(1)),
        ("5a 80 0005 08 0000 0020", Extension("preferred/exclusive")),
        ("5e 80 0001 90", Truncated),
        ("5a 80 0005 98 0000 0020", value("VP association", 3)),
        ("5a 80 0005 8b 0000 0020", value("preferred/exclusive", 3)),
        ("5e 80 0002 90 82", value("user plane configuration", 2)),
        ("5e 80 0002 90 c0", value("susceptibility to clipping", 2)),
        ("5f 80 0001 8c", value("layer", 0)),
        ("5f 80 0002 cc cc", RepeatedSubfield(2)),
        ("5f 80 0003 6b c0 80", Extension("initial protocol identifier")),
        ("62 80 0001 a2", value("sending complete", 0xa2)),
        ("70 80 0001 82", Missing("number")),
        ("70 80 0016 82 00000000000000000000 00000000000000000000 00", TooLong(1)),
        ("79 80 0001 83", value("restart class", 3)),
        ("5c 80 0009 00", ContentError::Overrun { announced: 9, available: 1 }),
    ];
    for (octets, expected) in cases {
        match first_value(&hex(octets)) {
            IeValue::Invalid { error, octets: contents, .. } => {
                assert_eq!(error, expected, "{octets}");
                assert_eq!(*contents, hex(octets)[4..]);
            }
            // The one that is right, lest everything be refused.
            good => {
                assert_eq!((expected, good.to_string().as_str()), (TooLong(0), "aal5 sdu 256/-"), "{octets}")
            }
        }
    }
}

#[test]
fn what_is_no_message_is_refused() {
    let status_enquiry = around(&[]);
    assert!(Message::parse(&status_enquiry).is_ok());
    let changed = |at: usize, octet: u8| {
        let mut octets = status_enquiry.clone();
        octets[at] = octet;
        Message::parse(&octets)
    };
    assert_eq!(changed(0, 0x08), Err(WireError::Protocol(8)));
    assert_eq!(changed(1, 0x02), Err(WireError::CallRefLength(2)));
    assert_eq!(Message::parse(&[0; MESSAGE_LEN_MAX + 1]), Err(WireError::TooLong(MESSAGE_LEN_MAX + 1)));
    let long = Message::new(CallRef::DUMMY, MessageType::Notify)
        .with_all((0..40).map(|_| Notification(Octets::truncated(&[1; 128]))));
    assert_eq!(long.encode(), Err(MessageTooLong(MESSAGE_HEADER_LEN + 40 * 132)));
}

/// Of every prefix of every sample message: shorter than a header it is no message, longer it says that its
/// length is wrong.
#[test]
fn every_prefix_is_refused_or_reported() {
    for message in samples::messages() {
        let octets = message.encode().unwrap();
        for len in 0..octets.len() {
            match Message::parse(&octets[..len]) {
                Err(error) => {
                    assert!(len < MESSAGE_HEADER_LEN);
                    assert_eq!(error, WireError::TooShort(len));
                }
                Ok(cut) => {
                    let (announced, available) =
                        (octets.len() - MESSAGE_HEADER_LEN, len - MESSAGE_HEADER_LEN);
                    assert_eq!(cut.length_error(), Some(LengthError::Mismatch { announced, available }));
                    let verdict = cut.check(Receiver::user(Version::Uni40));
                    assert!(!verdict.findings.is_empty(), "{cut}");
                }
            }
        }
    }
}

#[test]
fn shifts_change_the_codeset() {
    // Codeset 5 for one IE, then codeset 6 to the end; 0x08 there is no cause.
    let octets = around(&hex(
        "61 80 0001 85  08 80 0002 8090  08 80 0002 8090  60 80 0001 86  08 80 0001 11  61 80 0001 80  14 80 0001 0a",
    ));
    let message = Message::parse(&octets).unwrap();
    let prints: Vec<String> = message.ies.iter().map(Ie::to_string).collect();
    assert_eq!(
        prints,
        [
            "next of codeset 5",
            "codeset 5 ie 0x08 8090",
            "cause 16 (normal call clearing) at user",
            "shift to codeset 6",
            "codeset 6 ie 0x08 11",
            "next of codeset 0",
            "state active"
        ]
    );
    assert_eq!(message.causes().count(), 1);
    assert_eq!(message.encode().unwrap(), octets);
}

#[test]
fn call_references_keep_their_flag_and_their_23_bits() {
    for (octets, print) in [
        ([0, 0, 0], "global (orig)"),
        ([0x80, 0, 0], "global (dest)"),
        ([0x7f, 0xff, 0xff], "dummy (orig)"),
        ([0x80, 0, 5], "5 (dest)"),
    ] {
        let call_ref = CallRef::from_octets(octets);
        assert_eq!((call_ref.to_octets(), call_ref.to_string().as_str()), (octets, print));
        assert_eq!(call_ref.reply().reply(), call_ref);
    }
    assert_eq!(CallRef::from_originator(0), None);
    assert_eq!(CallRef::from_originator(CallRef::VALUE_MAX), None);
    assert_eq!(CallRef::from_originator(5).unwrap().reply(), CallRef::from_octets([0x80, 0, 5]));
}

#[test]
fn every_cause_has_a_text_and_a_class() {
    for value in CauseValue::KNOWN {
        assert_ne!(Cause::user(*value).text(), "unknown cause", "{value:?}");
        assert!(value.class() <= 7);
    }
    assert_eq!(Cause::user(CauseValue(77)).text(), "unknown cause");
    assert_eq!(CauseValue::MANDATORY_IE_MISSING.class(), 6);
    assert_eq!(Cause::timer(Location::USER, 303).diagnostics, Diagnostics::Timer(*b"303"));
}

#[test]
fn a_message_prints_a_line_an_ie() {
    let message = Message::new(CallRef::from_octets([0x80, 0, 1]), MessageType::Connect)
        .with(AalParameters::aal5(512, 512))
        .with(
            Ie::from(CallState::ACTIVE)
                .instructed(IeInstruction::follow(IeAction::DiscardIe).with_pass_along()),
        );
    assert_eq!(
        message.tree().to_string(),
        "CONNECT (0x07) cr 1 (dest), regular, 18 octets\n  \
         AAL parameters (0x58), itu, regular, 9 octets: aal5 sdu 512/512 sscs null\n  \
         call state (0x14), itu, discard+pass-along, 1 octets: state active"
    );
}
