//! The number of a session, as the concentrator chose it.

use std::fmt;

/// SESSION_ID of an established session: 1 to 0xfffe.
///
/// Zero says "no session yet" in discovery packets and is `None` wherever it is lawful; 0xffff is reserved and must
/// not be used. The number means something only together with the two MAC addresses. Source: RFC 2516 §4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u16);

impl SessionId {
    /// The lowest id.
    pub const FIRST: SessionId = SessionId(1);
    /// The highest id.
    pub const LAST: SessionId = SessionId(0xfffe);

    /// The id with this number; `None` for 0 and 0xffff.
    pub const fn new(number: u16) -> Option<SessionId> {
        match number {
            0 | 0xffff => None,
            number => Some(SessionId(number)),
        }
    }

    /// The number on the wire.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
