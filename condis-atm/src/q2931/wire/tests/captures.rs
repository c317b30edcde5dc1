//! The messages that two Linux machines exchanged: understood to the last IE, and written again octet by
//! octet.

use crate::q2931::wire::{IeValue, Message, Receiver, Treatment, Verdict, Version};

macro_rules! streams {
    ($($name:literal),*) => {
        [$(
            ($name, "a2b", include_bytes!(concat!("../../../../../tests/peers/captures/", $name, ".a2b")).as_slice()),
            ($name, "b2a", include_bytes!(concat!("../../../../../tests/peers/captures/", $name, ".b2a")).as_slice()),
        )*]
    };
}

const STREAMS: [(&str, &str, &[u8]); 10] =
    streams!["atm-clip-svc", "atm-pvc", "atm-svc-uni30", "atm-svc-uni31", "atm-svc-uni40"];

/// SSCOP PDUs of type 8 carry data (Q.2110 §7.1).
const SD: u8 = 8;

/// The messages of a stream: a header of VPI, VCI and length before each SDU, VC 0.5, sequenced data without
/// padding and trailer.
fn messages(mut stream: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while let Some((header, rest)) = stream.split_first_chunk::<8>() {
        let len = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let (sdu, rest) = rest.split_at(len);
        stream = rest;
        if header[..4] != [0, 0, 0, 5] {
            continue;
        }
        let Some((data, trailer)) = sdu.split_last_chunk::<4>() else { continue };
        if trailer[0] & 0x0f == SD {
            messages.push(&data[..data.len() - usize::from(trailer[0] >> 6)]);
        }
    }
    assert!(stream.is_empty(), "a whole number of SDUs");
    messages
}

#[test]
fn captured_messages_are_understood_and_written_again() {
    let mut count = 0;
    for (name, direction, stream) in STREAMS {
        for octets in messages(stream) {
            let message = Message::parse(octets).unwrap();
            for ie in &message.ies {
                assert!(
                    !matches!(ie.value, IeValue::Unknown { .. } | IeValue::Invalid { .. }),
                    "{name}: {message}"
                );
            }
            assert_eq!(message.length_error(), None, "{name}: {message}");
            assert_eq!(message.encode().unwrap(), octets, "{name} {direction}: {message}");
            assert_eq!(message.encoded_len(), octets.len());
            count += 1;
        }
    }
    assert_eq!(count, 39, "messages in all captures");
}

/// Machine A was the network side. Linux's messages are as the table has them, in each version.
#[test]
fn captured_messages_pass_the_check() {
    for (name, direction, stream) in STREAMS {
        let version = match name {
            "atm-svc-uni30" => Version::Uni30,
            "atm-svc-uni40" => Version::Uni40,
            _ => Version::Uni31,
        };
        let receiver = if direction == "a2b" { Receiver::user(version) } else { Receiver::network(version) };
        for octets in messages(stream) {
            let message = Message::parse(octets).unwrap();
            let good = Verdict { findings: vec![], treatment: Treatment::Proceed };
            assert_eq!(message.check(receiver), good, "{name} {direction}: {message}");
        }
    }
}

#[test]
fn captured_messages_print_in_a_line() {
    let mut lines = Vec::new();
    for (name, direction, stream) in STREAMS {
        for octets in messages(stream) {
            lines.push(format!("{name} {direction} {}\n", Message::parse(octets).unwrap()));
        }
    }
    super::snapshot("captures.txt", include_str!("captures.txt"), &lines.concat());
}
