//! Wires: the header of an Ethernet frame, and the stream of ATM over TCP.

use condis_link::atm::tcp::wire::{self, Message};
use condis_link::header::Header;

/// Any octets: refused if they end inside their header, or written again as they were.
pub fn ethernet_header(frame: &[u8]) {
    let (header, payload) = match Header::parse(frame) {
        Ok(parsed) => parsed,
        Err(truncated) => {
            assert!(truncated.octets == frame.len() && frame.len() < Header::OCTETS_MAX);
            return;
        }
    };
    let mut room = [0; Header::OCTETS_MAX];
    let written = header.encode(&mut room);
    assert_eq!(written.len(), header.encoded_len());
    assert_eq!([written, payload].concat(), frame);
    let line = header.to_string();
    assert!(!line.contains(char::is_control), "{line:?}");
}

/// Any stream: the messages that it is taken for are the stream, and where it is cut makes no difference.
pub fn atmtcp_stream(stream: &[u8]) {
    let mut rest = stream;
    let end = loop {
        match Message::split_first(rest) {
            Ok(Some((message, behind))) => {
                let header = wire::header(message.vpvc, message.payload.len());
                assert_eq!([&header, message.payload, behind].concat(), rest);
                let line = message.to_string();
                assert!(!line.contains(char::is_control), "{line:?}");
                let octets = rest.len() - behind.len();
                for cut in [0, 1, wire::HEADER_OCTETS, octets - 1] {
                    let early = Message::split_first(&rest[..cut.min(octets - 1)]);
                    assert_eq!(early, Ok(None), "cut after {cut} of {octets}");
                }
                rest = behind;
            }
            Ok(None) => break rest.len(),
            Err(out_of_step) => {
                assert!(out_of_step.length as usize > wire::SDU_OCTETS_MAX);
                return;
            }
        }
    };
    assert!(end < wire::HEADER_OCTETS + wire::SDU_OCTETS_MAX, "less than a message is left over");
}
