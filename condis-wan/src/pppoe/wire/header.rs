//! The six octets in front of everything, and what is common to both stages.

use super::{SessionId, WireError};

/// Octets of the header (RFC 2516 §4).
///
/// | octet | field |
/// |---|---|
/// | 0 | VER (high four bits) and TYPE, both 1 |
/// | 1 | CODE |
/// | 2, 3 | SESSION_ID |
/// | 4, 5 | LENGTH of the payload, without this header |
pub const HEADER_LEN: usize = 6;

/// EtherType of the discovery stage (RFC 2516 §4).
pub const ETHERTYPE_DISCOVERY: u16 = 0x8863;

/// EtherType of the session stage (RFC 2516 §4).
pub const ETHERTYPE_SESSION: u16 = 0x8864;

/// CODE of the session stage (RFC 2516 §6).
pub const CODE_SESSION: u8 = 0x00;

const VERSION_AND_TYPE: u8 = 0x11;

/// What a header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// CODE, as it came: see [`Code`](super::Code) and [`CODE_SESSION`].
    pub code: u8,
    /// SESSION_ID; `None` is zero.
    pub session_id: Option<SessionId>,
    /// LENGTH: octets of payload.
    pub length: u16,
}

impl Header {
    /// The header as it goes on the wire.
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let [id_high, id_low] = self.session_id.map_or(0, SessionId::get).to_be_bytes();
        let [length_high, length_low] = self.length.to_be_bytes();
        [VERSION_AND_TYPE, self.code, id_high, id_low, length_high, length_low]
    }
}

/// A packet of either stage whose header has been checked: a view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PacketView<'a> {
    header: Header,
    payload: &'a [u8],
}

impl<'a> PacketView<'a> {
    /// Checks the header of `octets`. What follows the LENGTH octets of payload is the padding of a short Ethernet frame
    /// and is ignored.
    ///
    /// # Errors
    /// Any of the first four of [`WireError`].
    pub fn parse(octets: &'a [u8]) -> Result<PacketView<'a>, WireError> {
        let Some((header, rest)) = octets.split_first_chunk::<HEADER_LEN>() else {
            return Err(WireError::HeaderTruncated { len: octets.len() });
        };
        let [version_and_type, code, id_high, id_low, length_high, length_low] = *header;
        if version_and_type != VERSION_AND_TYPE {
            return Err(WireError::Version(version_and_type));
        }
        let length = u16::from_be_bytes([length_high, length_low]);
        let Some(payload) = rest.get(..usize::from(length)) else {
            return Err(WireError::PayloadTruncated { length: usize::from(length), available: rest.len() });
        };
        let session_id = match u16::from_be_bytes([id_high, id_low]) {
            0 => None,
            number => Some(SessionId::new(number).ok_or(WireError::SessionIdReserved)?),
        };
        Ok(PacketView { header: Header { code, session_id, length }, payload })
    }

    /// What the header says.
    pub fn header(&self) -> Header {
        self.header
    }

    /// The LENGTH octets after the header.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }
}

/// A session stage packet: a session and one PPP frame, protocol field first (RFC 2516 §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionView<'a> {
    /// The session it belongs to, together with the two MAC addresses.
    pub id: SessionId,
    /// The PPP frame.
    pub ppp: &'a [u8],
}

impl<'a> SessionView<'a> {
    /// Takes the session stage packet at the start of `octets`; padding is ignored.
    ///
    /// # Errors
    /// As [`PacketView::parse`], and [`WireError::NotSession`], [`WireError::NoSessionId`].
    pub fn parse(octets: &'a [u8]) -> Result<SessionView<'a>, WireError> {
        let packet = PacketView::parse(octets)?;
        if packet.header.code != CODE_SESSION {
            return Err(WireError::NotSession(packet.header.code));
        }
        let id = packet.header.session_id.ok_or(WireError::NoSessionId)?;
        Ok(SessionView { id, ppp: packet.payload })
    }

    /// The header to put in front of a PPP frame of `ppp_len` octets.
    pub fn header(id: SessionId, ppp_len: u16) -> [u8; HEADER_LEN] {
        Header { code: CODE_SESSION, session_id: Some(id), length: ppp_len }.encode()
    }
}
