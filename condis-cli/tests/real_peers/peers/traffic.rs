//! Ten thousand frames that can be told apart, and whether they came back as they were.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::HANG;
use super::async_hdlc::{Decoder, encode};

/// Frames each way.
pub(crate) const FRAMES: u32 = 10_000;

/// Frames under way at once. The sockets on the way hold some hundred; what does not fit there is lost, as on any Ethernet.
const WINDOW: u32 = 32;

/// The largest PPP frame in an Ethernet frame of 1500 octets: an MRU of 1492 (RFC 2516 §7) and the protocol field.
const OCTETS_MAX: usize = 1494;

/// Sends [`FRAMES`] frames and expects them back: all, in order, octet for octet.
pub(crate) fn exchange(stream: &mut UnixStream) {
    let mut decoder = Decoder::default();
    let mut octets = vec![0; 1 << 16];
    let (mut sent, mut heard) = (0, 0);
    while heard < FRAMES {
        let mut out = Vec::new();
        while sent < FRAMES && sent - heard < WINDOW {
            encode(&frame(sent), &mut out);
            sent += 1;
        }
        stream.write_all(&out).expect("the peer takes frames");
        let count = stream.read(&mut octets).expect("frames come back");
        assert_ne!(count, 0, "the peer ended its session after {heard} of {FRAMES} frames");
        for echo in decoder.take(&octets[..count]).into_iter().filter(|echo| *echo != PROBE) {
            assert!(echo == frame(heard), "frame {heard} came back as {echo:02x?}");
            heard += 1;
        }
    }
}

/// As [`exchange`], after as many first tries as it takes: `pppoe-server` answers before its session can hear.
pub(crate) fn exchange_once_echoed(stream: &mut UnixStream) {
    let mut probe = Vec::new();
    encode(&PROBE, &mut probe);
    stream.set_read_timeout(Some(PROBE_EVERY)).expect("it is a time");
    let deadline = Instant::now() + HANG;
    loop {
        stream.write_all(&probe).expect("the peer takes frames");
        match stream.read(&mut [0; 1]) {
            Ok(0) => panic!("the peer ended its session"),
            // The flag before the first echo; what is behind it is passed over below.
            Ok(_) => break,
            Err(error) => assert!(Instant::now() < deadline, "no echo comes: {error}"),
        }
    }
    stream.set_read_timeout(Some(HANG)).expect("it is a time");
    exchange(stream);
}

/// The frame with this number: a PPP protocol that no one has, the number, and octets that follow from it. Each size from the
/// smallest to the largest is among them, and so is each value of an octet.
fn frame(number: u32) -> Vec<u8> {
    let len = 6 + (number as usize * 211) % (OCTETS_MAX - 6 + 1);
    let mut frame = PROTOCOL.to_be_bytes().to_vec();
    frame.extend(number.to_be_bytes());
    let mut state = u64::from(number) + 1;
    while frame.len() < len {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        frame.extend(state.to_be_bytes());
    }
    frame.truncate(len);
    frame
}

/// A frame that is none of those.
const PROBE: [u8; 6] = [0x7e, 0x7d, 0xff, 0xff, 0xff, 0xff];

const PROBE_EVERY: Duration = Duration::from_millis(50);

/// In the range of low-volume traffic without a control protocol, where none is assigned (RFC 1661 §2).
const PROTOCOL: u16 = 0x7e7d;
