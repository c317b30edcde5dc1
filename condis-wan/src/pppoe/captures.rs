//! Reads the captures that the tests compare with.

use super::wire::MacAddr;

/// One capture: the frames, and tcpdump's text of them.
pub(crate) struct Capture {
    pcap: &'static [u8],
    pub(crate) text: &'static str,
}

macro_rules! capture {
    ($name:literal) => {
        Capture {
            pcap: include_bytes!(concat!("../../../tests/peers/captures/", $name, ".pcap")),
            text: include_str!(concat!("../../../tests/peers/captures/", $name, ".txt")),
        }
    };
}

/// All of them; see `tests/peers/captures/README.md`.
pub(crate) static CAPTURES: &[Capture] = &[
    capture!("pppoe-host"),
    capture!("pppoe-tap-kernel-chap"),
    capture!("pppoe-udp-user-pap"),
    capture!("pppoe-udp-kernel-mschap-v2"),
];

/// A PPPoE packet as it was captured, with the padding after it.
pub(crate) struct CapturedPacket {
    pub(crate) to: MacAddr,
    pub(crate) from: MacAddr,
    pub(crate) octets: &'static [u8],
}

/// The packets of one EtherType, in the order of the capture.
pub(crate) fn packets(capture: &Capture, ethertype: u16) -> impl Iterator<Item = CapturedPacket> {
    let (file_header, mut rest) = capture.pcap.split_at(24);
    assert_eq!(file_header[..4], 0xa1b2_c3d4_u32.to_le_bytes(), "classic pcap, little endian, microseconds");
    std::iter::from_fn(move || {
        let (record, after) = rest.split_first_chunk::<16>()?;
        let captured = u32::from_le_bytes([record[8], record[9], record[10], record[11]]);
        let (frame, after) = after.split_at(usize::try_from(captured).expect("32 bits fit"));
        rest = after;
        Some(frame)
    })
    .filter_map(move |frame| {
        let (to, frame) = frame.split_first_chunk::<6>()?;
        let (from, frame) = frame.split_first_chunk::<6>()?;
        let (of, octets) = frame.split_first_chunk::<2>()?;
        let packet = CapturedPacket { to: MacAddr(*to), from: MacAddr(*from), octets };
        (u16::from_be_bytes(*of) == ethertype).then_some(packet)
    })
}
