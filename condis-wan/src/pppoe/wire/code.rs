//! The five packets of the discovery stage.

use std::fmt;

/// CODE of a discovery packet (RFC 2516 §5.1 to §5.5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Code {
    /// Active Discovery Initiation: a host asks who serves (§5.1).
    Padi = 0x09,
    /// Active Discovery Offer: a concentrator says it does (§5.2).
    Pado = 0x07,
    /// Active Discovery Request: the host asks one of them for a session (§5.3).
    Padr = 0x19,
    /// Active Discovery Session-confirmation: the session, or why not (§5.4).
    Pads = 0x65,
    /// Active Discovery Terminate: the session is over, from either side (§5.5).
    Padt = 0xa7,
}

impl Code {
    /// All five, in the order of a session's life.
    pub const ALL: [Code; 5] = [Code::Padi, Code::Pado, Code::Padr, Code::Pads, Code::Padt];

    /// The packet with this code.
    pub const fn from_u8(code: u8) -> Option<Code> {
        match code {
            0x09 => Some(Code::Padi),
            0x07 => Some(Code::Pado),
            0x19 => Some(Code::Padr),
            0x65 => Some(Code::Pads),
            0xa7 => Some(Code::Padt),
            _ => None,
        }
    }

    /// The octet on the wire.
    pub const fn get(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Code::Padi => "PADI",
            Code::Pado => "PADO",
            Code::Padr => "PADR",
            Code::Pads => "PADS",
            Code::Padt => "PADT",
        })
    }
}
