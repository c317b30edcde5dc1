//! What is told of states: of a call, of a party, of a restart (Q.2931 §4.5.10, §4.5.21; Q.2971 §8.2; UNI 3.1
//! §5.4.8).

use std::fmt;

use crate::q2931::wire::code_points::code_points;
use crate::q2931::wire::codec::{Body, ContentError, EXT, Reader, Sink, known};

code_points! {
    /// A call's state, or that of the global call reference (6 bits). The user's and the network's states
    /// share the numbers.
    CallState {
        NULL = 0, "null";
        CALL_INITIATED = 1, "call initiated";
        OVERLAP_SENDING = 2, "overlap sending";
        OUTGOING_CALL_PROCEEDING = 3, "outgoing call proceeding";
        CALL_DELIVERED = 4, "call delivered";
        CALL_PRESENT = 6, "call present";
        CALL_RECEIVED = 7, "call received";
        CONNECT_REQUEST = 8, "connect request";
        INCOMING_CALL_PROCEEDING = 9, "incoming call proceeding";
        ACTIVE = 10, "active";
        RELEASE_REQUEST = 11, "release request";
        RELEASE_INDICATION = 12, "release indication";
        MODIFY_REQUEST = 13, "modify request";
        MODIFY_RECEIVED = 14, "modify received";
        OVERLAP_RECEIVING = 25, "overlap receiving";
        RESTART_REQUEST = 61, "restart request";
        RESTART = 62, "restart";
    }
}

code_points! {
    /// A party's state (6 bits).
    EndpointState {
        NULL = 0, "null";
        ADD_PARTY_INITIATED = 1, "add party initiated";
        ALERTING_DELIVERED = 4, "party alerting delivered";
        ADD_PARTY_RECEIVED = 6, "add party received";
        ALERTING_RECEIVED = 7, "party alerting received";
        ACTIVE = 10, "active";
        DROP_PARTY_INITIATED = 11, "drop party initiated";
        DROP_PARTY_RECEIVED = 12, "drop party received";
    }
}

/// Which party of a point-to-multipoint call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EndpointReference {
    /// 15 bits; 0 is the first party.
    pub value: u16,
    /// The message goes to the side that chose the reference.
    pub to_originator: bool,
}

code_points! {
    /// What is restarted (3 bits).
    RestartIndicator {
        VIRTUAL_CHANNEL = 0, "the indicated virtual channel";
        VIRTUAL_PATH = 1, "all channels of the indicated path";
        ALL = 2, "all channels";
    }
}

impl EndpointReference {
    /// The first party.
    pub const FIRST: EndpointReference = EndpointReference { value: 0, to_originator: false };

    /// The same party, in the other direction.
    pub const fn reply(self) -> EndpointReference {
        EndpointReference { to_originator: !self.to_originator, ..self }
    }
}

impl Body for CallState {
    fn decode(from: &mut Reader<'_>) -> Result<CallState, ContentError> {
        Ok(known!("call state", CallState(from.u8()? & 0x3f)))
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[self.0 & 0x3f]);
    }
}

impl Body for EndpointState {
    fn decode(from: &mut Reader<'_>) -> Result<EndpointState, ContentError> {
        Ok(known!("endpoint state", EndpointState(from.u8()? & 0x3f)))
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[self.0 & 0x3f]);
    }
}

impl Body for EndpointReference {
    fn decode(from: &mut Reader<'_>) -> Result<EndpointReference, ContentError> {
        match from.u8()? {
            0 => {}
            kind => return Err(ContentError::Value { field: "endpoint reference type", value: kind.into() }),
        }
        let value = from.u16()?;
        Ok(EndpointReference { value: value & 0x7fff, to_originator: value & 0x8000 != 0 })
    }

    fn encode(&self, to: &mut impl Sink) {
        let [high, low] = (self.value & 0x7fff | u16::from(self.to_originator) << 15).to_be_bytes();
        to.put(&[0, high, low]);
    }
}

impl Body for RestartIndicator {
    fn decode(from: &mut Reader<'_>) -> Result<RestartIndicator, ContentError> {
        Ok(known!("restart class", RestartIndicator(from.last("restart class")? & 7)))
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[EXT | self.0 & 7]);
    }
}

/// `party 1 (orig)`.
impl fmt::Display for EndpointReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "party {} {}", self.value, if self.to_originator { "(dest)" } else { "(orig)" })
    }
}
