//! A message: its header, and its IEs in the order of the wire.

use std::fmt;

use super::codec::ContentError;
use super::ie::{
    AalParameters, AlternativeTrafficDescriptor, BearerCapability, CallState, CalledPartyNumber,
    CalledPartySubaddress, CallingPartyNumber, CallingPartySubaddress, Cause, ConnectedNumber, ConnectionId,
    EndpointReference, EndpointState, ExtendedQos, HighLayerInfo, IE_HEADER_LEN, Ie, IeId, IeType, IeValue,
    LowLayerInfo, MinimumTrafficDescriptor, Notification, QosParameter, RestartIndicator, TrafficDescriptor,
    TransitDelay, TransitNetworkSelection, Unread, UserUser,
};
use super::{CallRef, Coding, IeInstruction, MessageInstruction, MessageType, MessageWriter, Octets};

/// Octets of the longest message: what the SAAL carries (Q.2130, SSCOP's k).
pub const MESSAGE_LEN_MAX: usize = 4096;

/// Octets of the header: protocol discriminator, call reference, type, length (Q.2931 §4.1).
pub const MESSAGE_HEADER_LEN: usize = 9;

/// Octets that most IEs have at least, and how many of them a long message usually has: what is allocated at once.
const USUAL_IE_LEN: usize = 6;
const USUAL_IES: usize = 12;

/// Protocol discriminator of Q.2931 (§4.2).
pub(super) const PROTOCOL: u8 = 0x09;

/// A message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Whose call it is about.
    pub call_ref: CallRef,
    /// What it is.
    pub kind: MessageType,
    /// What to do if it is not understood.
    pub instruction: MessageInstruction,
    /// Its IEs in their order.
    pub ies: Vec<Ie>,
    length_error: Option<LengthError>,
}

/// Octets that are no message for anybody: dropped without an answer (Q.2931 §5.6.1 to §5.6.3, UNI 3.1
/// §5.5.6.1 to §5.5.6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Too short to hold a message type and length.
    #[error("{0} octets, expected at least the {MESSAGE_HEADER_LEN} of the header")]
    TooShort(usize),
    /// Longer than the SAAL carries.
    #[error("{0} octets, expected at most {MESSAGE_LEN_MAX}")]
    TooLong(usize),
    /// Not Q.2931.
    #[error("protocol discriminator {0:#04x}, expected {PROTOCOL:#04x}")]
    Protocol(u8),
    /// A call reference of other than three octets.
    #[error("call reference length octet {0:#04x}, expected 0x03")]
    CallRefLength(u8),
}

/// A message whose length does not say how long it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LengthError {
    /// Its length says more or less than there is.
    #[error("message length {announced}, but {available} octets are there")]
    Mismatch {
        /// What its length says.
        announced: usize,
        /// What is there behind it.
        available: usize,
    },
    /// One to three octets are left where an IE should begin.
    #[error("{0} octets at the end are no information element")]
    Fragment(usize),
}

/// A message, printed in a line for its header and one for each IE.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a>(&'a Message);

/// A message that is too long to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("message of {0} octets, expected at most {MESSAGE_LEN_MAX}")]
pub struct MessageTooLong(pub usize);

/// Accessors of IEs that come once: the first of its kind.
macro_rules! accessors {
    ($($name:ident: $kind:ident;)*) => {
        impl Message {
            $(#[doc = concat!("The first [`", stringify!($kind), "`].")]
            pub fn $name(&self) -> Option<&$kind> {
                self.get()
            })*
        }
    };
}

accessors! {
    aal: AalParameters;
    traffic: TrafficDescriptor;
    alternative_traffic: AlternativeTrafficDescriptor;
    minimum_traffic: MinimumTrafficDescriptor;
    bearer: BearerCapability;
    high_layer: HighLayerInfo;
    low_layer: LowLayerInfo;
    called_party: CalledPartyNumber;
    called_subaddress: CalledPartySubaddress;
    calling_party: CallingPartyNumber;
    calling_subaddress: CallingPartySubaddress;
    connected_number: ConnectedNumber;
    connection_id: ConnectionId;
    qos: QosParameter;
    extended_qos: ExtendedQos;
    transit_delay: TransitDelay;
    transit_network: TransitNetworkSelection;
    cause: Cause;
    call_state: CallState;
    endpoint_reference: EndpointReference;
    endpoint_state: EndpointState;
    restart_indicator: RestartIndicator;
    notification: Notification;
    user_user: UserUser;
}

impl Message {
    /// A message without IEs.
    pub const fn new(call_ref: CallRef, kind: MessageType) -> Message {
        Message {
            call_ref,
            kind,
            instruction: MessageInstruction::REGULAR,
            ies: Vec::new(),
            length_error: None,
        }
    }

    /// The same with this IE behind the others.
    pub fn with(mut self, ie: impl Into<Ie>) -> Message {
        self.ies.push(ie.into());
        self
    }

    /// The same with this IE, if there is one.
    pub fn with_some(self, ie: Option<impl Into<Ie>>) -> Message {
        match ie {
            Some(ie) => self.with(ie),
            None => self,
        }
    }

    /// The same with these IEs behind the others.
    pub fn with_all<T: Into<Ie>>(mut self, ies: impl IntoIterator<Item = T>) -> Message {
        self.ies.extend(ies.into_iter().map(Into::into));
        self
    }

    /// The same with this instruction.
    pub fn instructed(self, instruction: MessageInstruction) -> Message {
        Message { instruction, ..self }
    }

    /// The first value of a kind.
    pub fn get<T: IeType>(&self) -> Option<&T> {
        self.all().next()
    }

    /// All values of a kind, in their order.
    pub fn all<T: IeType>(&self) -> impl Iterator<Item = &T> {
        self.ies.iter().filter_map(|ie| T::of(&ie.value))
    }

    /// Every cause.
    pub fn causes(&self) -> impl Iterator<Item = &Cause> {
        self.all()
    }

    /// Every low layer information, the one that is liked best first.
    pub fn low_layers(&self) -> impl Iterator<Item = &LowLayerInfo> {
        self.all()
    }

    /// The first IE of a kind with contents, be they valid or not.
    pub fn ie(&self, id: IeId) -> Option<&Ie> {
        let is_none = |value: &IeValue| matches!(value, IeValue::Empty(_) | IeValue::Unknown { .. });
        self.ies.iter().find(|ie| ie.id() == id && !is_none(&ie.value))
    }

    /// It, printed in several lines.
    pub fn tree(&self) -> Tree<'_> {
        Tree(self)
    }

    /// What was wrong with the length of a message that was received.
    pub fn length_error(&self) -> Option<LengthError> {
        self.length_error
    }

    /// Reads a message. What is wrong inside it stays in it, for [`Message::check`](Message::check) to find.
    ///
    /// # Errors
    /// [`WireError`]: it is no message for anybody, and is dropped without an answer.
    pub fn parse(octets: &[u8]) -> Result<Message, WireError> {
        if octets.len() > MESSAGE_LEN_MAX {
            return Err(WireError::TooLong(octets.len()));
        }
        let &[protocol, call_ref_length, a, b, c, kind, second, high, low, ref rest @ ..] = octets else {
            return Err(WireError::TooShort(octets.len()));
        };
        if protocol != PROTOCOL {
            return Err(WireError::Protocol(protocol));
        }
        if call_ref_length != CallRef::OCTETS as u8 {
            return Err(WireError::CallRefLength(call_ref_length));
        }
        let mut message = Message::new(CallRef::from_octets([a, b, c]), MessageType::from_u8(kind))
            .instructed(MessageInstruction::from_bits(second));
        let announced = usize::from(u16::from_be_bytes([high, low]));
        if announced != rest.len() {
            message.length_error = Some(LengthError::Mismatch { announced, available: rest.len() });
        }
        message.read_ies(&rest[..announced.min(rest.len())]);
        Ok(message)
    }

    /// Octets that it has on the wire.
    pub fn encoded_len(&self) -> usize {
        MESSAGE_HEADER_LEN + self.ies.iter().map(Ie::encoded_len).sum::<usize>()
    }

    /// The octets: [`Message::encoded_len`] of them.
    ///
    /// # Errors
    /// [`MessageTooLong`].
    pub fn encode(&self) -> Result<Vec<u8>, MessageTooLong> {
        let writer = MessageWriter::new(self.call_ref, self.kind).instructed(self.instruction);
        writer.with_all(&self.ies).finish()
    }

    /// IEs one behind the other, each in the codeset that the shifts before it say.
    fn read_ies(&mut self, mut rest: &[u8]) {
        let (mut codeset, mut next_codeset) = (0, None);
        self.ies.reserve((rest.len() / USUAL_IE_LEN).min(USUAL_IES));
        while !rest.is_empty() {
            let &[id, second, high, low, ref behind @ ..] = rest else {
                self.length_error = self.length_error.or(Some(LengthError::Fragment(rest.len())));
                return;
            };
            let announced = usize::from(u16::from_be_bytes([high, low]));
            let (contents, behind) = behind.split_at(announced.min(behind.len()));
            let (id, in_codeset) = (IeId(id), next_codeset.take().unwrap_or(codeset));
            read_ie(&mut self.ies, id, in_codeset, second, announced, contents);
            match self.ies.last().map(|ie| &ie.value) {
                Some(IeValue::LockingShift(shift)) => codeset = shift.0,
                Some(IeValue::NonLockingShift(shift)) => next_codeset = Some(shift.0),
                _ => {}
            }
            rest = behind;
        }
    }
}

/// Puts an IE behind others; one that is unknown or invalid as it is.
fn read_ie(to: &mut Vec<Ie>, id: IeId, codeset: u8, second: u8, announced: usize, contents: &[u8]) {
    let (coding, instruction) = (Coding::of(second), IeInstruction::from_bits(second));
    // Shifts stand in every codeset (Q.2931 §4.5.2).
    let shift = matches!(id, IeId::LOCKING_SHIFT | IeId::NON_LOCKING_SHIFT);
    let read = if codeset != 0 && !shift {
        Err(Unread::Unknown)
    } else if announced > contents.len() {
        Err(ContentError::Overrun { announced, available: contents.len() }.into())
    } else {
        IeValue::read(to, id, coding, instruction, contents)
    };
    let Err(unread) = read else { return };
    let octets = Octets::truncated(contents);
    let value = match unread {
        Unread::Unknown => IeValue::Unknown { codeset, id, octets },
        Unread::Invalid(error) => IeValue::Invalid { id, octets, error },
    };
    to.push(Ie { coding, instruction, value });
}

/// `SETUP cr 1 (orig): aal5 sdu 512/512 sscs null, traffic pcr 353207/0 best-effort, …`.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cr {}", self.kind, self.call_ref)?;
        if self.instruction != MessageInstruction::REGULAR {
            write!(f, " [{}]", self.instruction)?;
        }
        for (at, ie) in self.ies.iter().enumerate() {
            write!(f, "{} {ie}", if at == 0 { ":" } else { "," })?;
        }
        self.length_error.map_or(Ok(()), |error| write!(f, " ({error})"))
    }
}

/// ```text
/// CONNECT (0x07) cr 1 (dest), regular, 13 octets
///   AAL parameters (0x58), itu, regular, 9 octets: aal5 sdu 512/512 sscs null
/// ```
impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Message { call_ref, kind, instruction, ies, length_error } = self.0;
        let len = self.0.encoded_len() - MESSAGE_HEADER_LEN;
        write!(f, "{kind} ({:#04x}) cr {call_ref}, {instruction}, {len} octets", kind.get())?;
        length_error.map_or(Ok(()), |error| write!(f, " ({error})"))?;
        ies.iter().try_for_each(|ie| {
            let (id, len) = (ie.id(), ie.encoded_len() - IE_HEADER_LEN);
            let (coding, instruction, value) = (ie.coding, ie.instruction, &ie.value);
            write!(f, "\n  {id} ({:#04x}), {coding}, {instruction}, {len} octets: {value}", id.0)
        })
    }
}
