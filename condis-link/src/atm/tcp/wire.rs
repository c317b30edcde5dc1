//! The octets of ATM over TCP: messages, and what those on 0.0 say.
//!
//! Source: struct atmtcp_hdr and struct atmtcp_control of include/uapi/linux/atm_tcp.h; the text of control messages as
//! linux-atm's atmtcp was seen to send them.

use std::fmt;
use std::str;

use crate::atm::{Vci, VpVc, Vpi};

/// Octets of a message's header: VPI (2), VCI (2) and the length of what follows (4), each big-endian.
pub const HEADER_OCTETS: usize = 8;

/// Octets of the longest SDU, and so of the longest control message too: what AAL5 can carry (I.363.5 §9.2).
pub const SDU_OCTETS_MAX: usize = 65_535;

/// One message of the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// The connection; 0.0 is none and stands for control.
    pub vpvc: VpVc,
    /// The SDU, or the text of a control message.
    pub payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// Takes the first message off a stream, and gives what is behind it; `None` if it has not come whole.
    ///
    /// # Errors
    /// The length is none that can be. Nobody knows where the next message begins then.
    pub fn split_first(stream: &'a [u8]) -> Result<Option<(Message<'a>, &'a [u8])>, OutOfStep> {
        let Some((header, rest)) = stream.split_first_chunk::<HEADER_OCTETS>() else { return Ok(None) };
        let [a, b, c, d, e, f, g, h] = *header;
        let length = u32::from_be_bytes([e, f, g, h]);
        let octets = usize::try_from(length).unwrap_or(usize::MAX);
        if octets > SDU_OCTETS_MAX {
            return Err(OutOfStep { length });
        }
        let Some((payload, rest)) = rest.split_at_checked(octets) else { return Ok(None) };
        let vpvc = VpVc { vpi: Vpi(u16::from_be_bytes([a, b])), vci: Vci(u16::from_be_bytes([c, d])) };
        Ok(Some((Message { vpvc, payload }, rest)))
    }

    /// What the message says, if it is one of control.
    pub fn control(&self) -> Option<Control<'a>> {
        (self.vpvc == CONTROL).then(|| Control::parse(self.payload))
    }
}

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.control() {
            Some(control) => fmt::Display::fmt(&control, f),
            None => write!(f, "{}: {} octets", self.vpvc, self.payload.len()),
        }
    }
}

/// The header of a message with so many octets of payload.
///
/// # Panics
/// If there are more than [`SDU_OCTETS_MAX`].
pub fn header(vpvc: VpVc, octets: usize) -> [u8; HEADER_OCTETS] {
    assert!(octets <= SDU_OCTETS_MAX, "{octets} octets, expected at most {SDU_OCTETS_MAX}");
    let [a, b] = vpvc.vpi.0.to_be_bytes();
    let [c, d] = vpvc.vci.0.to_be_bytes();
    let [e, f, g, h] = (octets as u32).to_be_bytes();
    [a, b, c, d, e, f, g, h]
}

/// What the other end tells about itself. It is for the eye: nothing depends on it and nothing is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control<'a> {
    /// `O VPI.VCI ITF.VPI.VCI QOS`: a connection was opened.
    Opened {
        /// The connection, as on the line.
        vpvc: VpVc,
        /// The rest as it is: the other end's own name for the connection, and its quality of service, which is not always
        /// well formed.
        text: &'a str,
    },
    /// `C VPI.VCI`: a connection was closed.
    Closed {
        /// The connection.
        vpvc: VpVc,
    },
    /// Anything else.
    Unknown(&'a [u8]),
}

impl<'a> Control<'a> {
    /// Reads a control message, as leniently as can be: what is not understood is [`Control::Unknown`].
    pub fn parse(payload: &'a [u8]) -> Control<'a> {
        Control::known(payload).unwrap_or(Control::Unknown(payload))
    }

    fn known(payload: &'a [u8]) -> Option<Control<'a>> {
        let text = str::from_utf8(payload).ok()?.trim_end_matches('\0');
        let mut words = text.trim().splitn(3, ' ');
        let (verb, vpvc) = (words.next()?, vpvc(words.next()?)?);
        match verb {
            "O" => Some(Control::Opened { vpvc, text: words.next().unwrap_or("") }),
            "C" => Some(Control::Closed { vpvc }),
            _ => None,
        }
    }
}

impl fmt::Display for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Control::Opened { vpvc, text } => write!(f, "{vpvc} opened ({})", text.escape_debug()),
            Control::Closed { vpvc } => write!(f, "{vpvc} closed"),
            Control::Unknown(octets) => write!(f, "unknown control \"{}\"", octets.escape_ascii()),
        }
    }
}

/// The text that tells that a connection was opened: a best-effort one, over which AAL5 SDUs of `sdu_octets_max` go, on our
/// interface number `interface`. atmtcp of Linux opens its connections so.
pub fn opened_text(vpvc: VpVc, interface: u32, sdu_octets_max: usize) -> String {
    format!("O {vpvc} {interface}.{vpvc} ubr,aal5:max_sdu={sdu_octets_max}")
}

/// The text that tells that a connection was closed.
pub fn closed_text(vpvc: VpVc) -> String {
    format!("C {vpvc}")
}

/// A header with a length that no message has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a message of {length} octets, expected at most {SDU_OCTETS_MAX}: this is no ATM over TCP")]
pub struct OutOfStep {
    /// The length that was read.
    pub length: u32,
}

fn vpvc(text: &str) -> Option<VpVc> {
    let (vpi, vci) = text.split_once('.')?;
    Some(VpVc::new(vpi.parse().ok()?, vci.parse().ok()?))
}

/// No connection: control.
pub const CONTROL: VpVc = VpVc::new(0, 0);

#[cfg(test)]
mod tests {
    use super::*;

    /// The first octets of a network side (UNI 3.1), as captured.
    const CAPTURED: &[u8] = b"\0\0\0\0\0\0\0\x21O 0.5 0.0.5 ubr,aal5:max_sdu=1000\
        \0\0\0\x05\0\0\0\x08\0\0\0\x01\x01\0\0\x1e\0\0\0\x05\0\0\0\x08\0\0\0\0\x02\0\0\x1e";

    #[test]
    fn the_captured_octets_are_three_messages() {
        let (open, rest) = Message::split_first(CAPTURED).unwrap().unwrap();
        assert_eq!(open.to_string(), "0.5 opened (0.0.5 ubr,aal5:max_sdu=1000)");
        assert_eq!(open.payload, opened_text(VpVc::SIGNALING, 0, 1000).as_bytes());
        let (begin, rest) = Message::split_first(rest).unwrap().unwrap();
        assert_eq!(begin, Message { vpvc: VpVc::SIGNALING, payload: &[0, 0, 0, 1, 1, 0, 0, 0x1e] });
        assert_eq!(begin.to_string(), "0.5: 8 octets");
        let (_, rest) = Message::split_first(rest).unwrap().unwrap();
        assert!(rest.is_empty());
        assert_eq!(header(begin.vpvc, 8), CAPTURED[41..49]);
    }

    #[test]
    fn every_prefix_of_a_message_is_waited_for() {
        for len in 0..41 {
            assert_eq!(Message::split_first(&CAPTURED[..len]), Ok(None), "{len}");
        }
    }

    #[test]
    fn the_length_is_bounded() {
        let with = |length: u32| [&[0, 0, 0, 5][..], &length.to_be_bytes()].concat();
        assert_eq!(Message::split_first(&with(65_535)), Ok(None));
        for length in [65_536, u32::MAX] {
            assert_eq!(Message::split_first(&with(length)), Err(OutOfStep { length }));
        }
        let empty = with(0);
        let (message, rest) = Message::split_first(&empty).unwrap().unwrap();
        assert_eq!((message.payload, rest), (&[][..], &[][..]));
    }

    #[test]
    fn control_is_read_leniently() {
        let opened = |text| Control::Opened { vpvc: VpVc::new(0, 101), text };
        let odd = "0.0.101 ubr,aal5:max_sdu,max_sdu=1524";
        assert_eq!(Control::parse(format!("O 0.101 {odd}").as_bytes()), opened(odd));
        assert_eq!(Control::parse(b"O 0.101"), opened(""));
        assert_eq!(Control::parse(b"O 0.101\n\0"), opened(""));
        assert_eq!(Control::parse(b"C 1.65535"), Control::Closed { vpvc: VpVc::new(1, 65_535) });
        assert_eq!(closed_text(VpVc::new(1, 65_535)), "C 1.65535");
        for unknown in [&b""[..], b"O", b"O 0", b"O 0.65536", b"O -1.5", b"X 0.5", b"\xff 0.5", b"O  0.5"] {
            assert_eq!(Control::parse(unknown), Control::Unknown(unknown));
        }
        assert_eq!(Control::Unknown(b"\x1b[2J").to_string(), "unknown control \"\\x1b[2J\"");
    }
}
