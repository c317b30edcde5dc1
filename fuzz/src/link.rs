//! Ethernet: the header of a frame.

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
