//! Reads the captures that the tests compare with.

/// One capture: the two directions of the cable, and the text of both.
pub(crate) struct Capture {
    pub(crate) name: &'static str,
    pub(crate) a_to_b: &'static [u8],
    pub(crate) b_to_a: &'static [u8],
    pub(crate) text: &'static str,
}

macro_rules! capture {
    ($name:literal) => {
        Capture {
            name: $name,
            a_to_b: include_bytes!(concat!("../../../tests/peers/captures/", $name, ".a2b")),
            b_to_a: include_bytes!(concat!("../../../tests/peers/captures/", $name, ".b2a")),
            text: include_str!(concat!("../../../tests/peers/captures/", $name, ".txt")),
        }
    };
}

/// All of them; see `tests/peers/captures/README.md`.
pub(crate) static CAPTURES: &[Capture] = &[
    capture!("atm-svc-uni30"),
    capture!("atm-svc-uni31"),
    capture!("atm-svc-uni40"),
    capture!("atm-clip-svc"),
];

/// Octets before each AAL5 SDU: VPI, VCI, length.
const HEADER_LEN: usize = 8;

/// The AAL5 SDUs of 0.5, in order.
pub(crate) fn signaling_sdus(mut stream: &'static [u8]) -> Vec<&'static [u8]> {
    let mut sdus = Vec::new();
    while let Some((header, rest)) = stream.split_first_chunk::<HEADER_LEN>() {
        let [vpi_high, vpi, vci_high, vci, a, b, c, d] = *header;
        let len = u32::from_be_bytes([a, b, c, d]);
        let (sdu, rest) = rest.split_at(usize::try_from(len).expect("32 bits fit"));
        stream = rest;
        if (vpi_high, vpi, vci_high, vci) == (0, 0, 0, 5) {
            sdus.push(sdu);
        }
    }
    sdus
}
