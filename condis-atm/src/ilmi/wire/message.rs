//! Messages.

use std::fmt;

use super::ber::{self, BerError, Reader};
use super::oid::Oid;

/// The community of all ILMI messages.
pub const COMMUNITY: &[u8] = b"ILMI";

/// Octets of the longest message that is sent (ILMI 4.0 §7, as RFC 1157 §4).
pub const MESSAGE_OCTETS_MAX: usize = 484;

/// Octets of the longest message that is read: four times what a peer may send.
pub const READ_OCTETS_MAX: usize = 4 * MESSAGE_OCTETS_MAX;

/// Variables of one message, at most: more than fit in [`MESSAGE_OCTETS_MAX`].
pub const VARS_MAX: usize = 64;

/// A message without its envelope, which is always the same: version 1 and [`COMMUNITY`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// A question, an order, or an answer.
    Pdu(Pdu),
    /// Something happened.
    Trap(Trap),
}

/// GetRequest, GetNextRequest, SetRequest or GetResponse.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pdu {
    /// Which of them.
    pub operation: Operation,
    /// A response has that of its request.
    pub request_id: i64,
    /// Of a response: what went wrong.
    pub error: ErrorStatus,
    /// Of a response with an error: with which variable, from 1.
    pub error_index: i64,
    /// The variables.
    pub vars: Vec<VarBind>,
}

/// What is asked; the numbers are the tags (RFC 1157 §4.1.2 to §4.1.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Values are asked for.
    Get = 0xa0,
    /// The values behind are asked for.
    GetNext = 0xa1,
    /// The answer to any of the others.
    Response = 0xa2,
    /// Values are to be set.
    Set = 0xa3,
}

/// What went wrong; the numbers are those of RFC 1157 §4.1.1. Another number is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorStatus {
    /// Nothing.
    NoError,
    /// The response would be too long.
    TooBig,
    /// There is no such object.
    NoSuchName,
    /// The value is none that the object can have.
    BadValue,
    /// The object cannot be set.
    ReadOnly,
    /// Anything else.
    GenErr,
    /// A number that RFC 1157 does not have.
    Other(i64),
}

/// A trap (RFC 1157 §4.1.6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trap {
    /// What sends it.
    pub enterprise: Oid,
    /// An Internet address; ILMI has none, and sends zeros.
    pub agent: [u8; 4],
    /// What happened.
    pub generic: GenericTrap,
    /// What happened, if that is the enterprise's own.
    pub specific: i64,
    /// The sender's sysUpTime, in hundredths of a second.
    pub up_time: u32,
    /// The variables.
    pub vars: Vec<VarBind>,
}

/// What a trap tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GenericTrap {
    /// The sender begins, and may be another than before.
    ColdStart,
    /// Another number.
    Other(i64),
}

/// A variable and its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VarBind {
    /// Which.
    pub name: Oid,
    /// Its value; in a question [`Value::Null`].
    pub value: Value,
}

/// A value (RFC 1155 §3.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// INTEGER.
    Integer(i64),
    /// OCTET STRING.
    Octets(Vec<u8>),
    /// NULL.
    Null,
    /// OBJECT IDENTIFIER.
    Oid(Oid),
    /// TimeTicks: hundredths of a second.
    TimeTicks(u32),
    /// Anything else: its tag and contents.
    Other(u8, Vec<u8>),
}

/// Why octets are no ILMI message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// They are not even BER of the right form.
    #[error("no SNMP message: {0}")]
    Malformed(#[from] BerError),
    /// More than is read.
    #[error("a message of {octets} octets, expected at most {READ_OCTETS_MAX}")]
    TooLong {
        /// How many.
        octets: usize,
    },
    /// More variables than are read.
    #[error("more than {VARS_MAX} variables")]
    TooManyVars,
    /// No PDU of SNMPv1.
    #[error("PDU {tag:#04x} is none of SNMPv1")]
    UnknownPdu {
        /// Its tag.
        tag: u8,
    },
    /// Another version than SNMPv1.
    #[error("version {0}, expected 0 (SNMPv1)")]
    Version(i64),
    /// Another community.
    #[error("another community than ILMI")]
    Community,
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn parse(octets: &[u8]) -> Result<Message, Error> {
        if octets.len() > READ_OCTETS_MAX {
            return Err(Error::TooLong { octets: octets.len() });
        }
        let mut outer = Reader::new(octets);
        let mut message = Reader::new(outer.expect(SEQUENCE)?);
        outer.end()?;
        let version = message.number(INTEGER)?;
        if version != VERSION_1 {
            return Err(Error::Version(version));
        }
        if message.expect(OCTET_STRING)? != COMMUNITY {
            return Err(Error::Community);
        }
        let (tag, contents) = message.any()?;
        message.end()?;
        let mut contents = Reader::new(contents);
        let message = match operation(tag) {
            Some(operation) => Message::Pdu(Pdu {
                operation,
                request_id: contents.number(INTEGER)?,
                error: ErrorStatus::from_number(contents.number(INTEGER)?),
                error_index: contents.number(INTEGER)?,
                vars: vars(&mut contents)?,
            }),
            None if tag == TRAP => Message::Trap(trap(&mut contents)?),
            None => return Err(Error::UnknownPdu { tag }),
        };
        contents.end()?;
        Ok(message)
    }

    /// The octets of the message. They are not bounded: the sender asks whether they are at most [`MESSAGE_OCTETS_MAX`].
    pub fn encode(&self) -> Vec<u8> {
        let (tag, contents) = match self {
            Message::Pdu(pdu) => (pdu.operation as u8, pdu.contents()),
            Message::Trap(trap) => (TRAP, trap.contents()),
        };
        let mut message = Vec::with_capacity(contents.len() + 16);
        ber::put(&mut message, INTEGER, &ber::number_contents(VERSION_1));
        ber::put(&mut message, OCTET_STRING, COMMUNITY);
        ber::put(&mut message, tag, &contents);
        let mut octets = Vec::with_capacity(message.len() + 4);
        ber::put(&mut octets, SEQUENCE, &message);
        octets
    }
}

impl Pdu {
    /// A request for or about these variables.
    pub fn request(operation: Operation, request_id: i64, vars: Vec<VarBind>) -> Pdu {
        Pdu { operation, request_id, error: ErrorStatus::NoError, error_index: 0, vars }
    }

    /// The response to this request with an error: the variables come back as they were (RFC 1157 §4.1.2).
    #[must_use]
    pub fn refusal(mut self, error: ErrorStatus, index: usize) -> Pdu {
        self.operation = Operation::Response;
        self.error = error;
        self.error_index = index as i64;
        self
    }

    fn contents(&self) -> Vec<u8> {
        let mut contents = Vec::new();
        for number in [self.request_id, self.error.number(), self.error_index] {
            ber::put(&mut contents, INTEGER, &ber::number_contents(number));
        }
        put_vars(&mut contents, &self.vars);
        contents
    }
}

impl Trap {
    /// That the sender begins.
    pub fn cold_start(enterprise: Oid) -> Trap {
        Trap {
            enterprise,
            agent: [0; 4],
            generic: GenericTrap::ColdStart,
            specific: 0,
            up_time: 0,
            vars: Vec::new(),
        }
    }

    fn contents(&self) -> Vec<u8> {
        let mut contents = Vec::new();
        ber::put(&mut contents, OBJECT_IDENTIFIER, &self.enterprise.contents());
        ber::put(&mut contents, IP_ADDRESS, &self.agent);
        for number in [self.generic.number(), self.specific] {
            ber::put(&mut contents, INTEGER, &ber::number_contents(number));
        }
        ber::put(&mut contents, TIME_TICKS, &ber::number_contents(self.up_time.into()));
        put_vars(&mut contents, &self.vars);
        contents
    }
}

impl ErrorStatus {
    fn from_number(number: i64) -> ErrorStatus {
        match number {
            0 => ErrorStatus::NoError,
            1 => ErrorStatus::TooBig,
            2 => ErrorStatus::NoSuchName,
            3 => ErrorStatus::BadValue,
            4 => ErrorStatus::ReadOnly,
            5 => ErrorStatus::GenErr,
            other => ErrorStatus::Other(other),
        }
    }

    fn number(self) -> i64 {
        match self {
            ErrorStatus::NoError => 0,
            ErrorStatus::TooBig => 1,
            ErrorStatus::NoSuchName => 2,
            ErrorStatus::BadValue => 3,
            ErrorStatus::ReadOnly => 4,
            ErrorStatus::GenErr => 5,
            ErrorStatus::Other(other) => other,
        }
    }
}

impl GenericTrap {
    fn number(self) -> i64 {
        match self {
            GenericTrap::ColdStart => 0,
            GenericTrap::Other(other) => other,
        }
    }
}

impl VarBind {
    /// A variable that is asked for.
    pub fn asked(name: Oid) -> VarBind {
        VarBind { name, value: Value::Null }
    }
}

impl Value {
    /// The number, if it is one.
    pub fn integer(&self) -> Option<i64> {
        if let Value::Integer(number) = self { Some(*number) } else { None }
    }

    fn parse(tag: u8, contents: &[u8]) -> Result<Value, BerError> {
        Ok(match tag {
            INTEGER => Value::Integer(ber::number(contents)?),
            OCTET_STRING => Value::Octets(contents.to_vec()),
            NULL => Value::Null,
            OBJECT_IDENTIFIER => Value::Oid(Oid::from_contents(contents).ok_or(BerError::Oid)?),
            TIME_TICKS => Value::TimeTicks(ticks(contents)?),
            other => Value::Other(other, contents.to_vec()),
        })
    }

    fn put(&self, to: &mut Vec<u8>) {
        match self {
            Value::Integer(number) => ber::put(to, INTEGER, &ber::number_contents(*number)),
            Value::Octets(octets) => ber::put(to, OCTET_STRING, octets),
            Value::Null => ber::put(to, NULL, &[]),
            Value::Oid(oid) => ber::put(to, OBJECT_IDENTIFIER, &oid.contents()),
            Value::TimeTicks(ticks) => ber::put(to, TIME_TICKS, &ber::number_contents((*ticks).into())),
            Value::Other(tag, contents) => ber::put(to, *tag, contents),
        }
    }
}

impl fmt::Display for Message {
    /// In one line: `GetRequest 7: 1.3.6.1.2.1.1.3.0`, `coldStart at 0.00 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pdu = match self {
            Message::Pdu(pdu) => pdu,
            Message::Trap(trap) => {
                match trap.generic {
                    GenericTrap::ColdStart => f.write_str("coldStart")?,
                    GenericTrap::Other(number) => write!(f, "Trap {number}.{}", trap.specific)?,
                }
                return write!(f, " at {}.{:02} s", trap.up_time / 100, trap.up_time % 100);
            }
        };
        let name = match pdu.operation {
            Operation::Get => "GetRequest",
            Operation::GetNext => "GetNextRequest",
            Operation::Response => "GetResponse",
            Operation::Set => "SetRequest",
        };
        write!(f, "{name} {}:", pdu.request_id)?;
        if pdu.error != ErrorStatus::NoError {
            write!(f, " {:?} at {}", pdu.error, pdu.error_index)?;
        }
        for VarBind { name, value } in &pdu.vars {
            match value {
                Value::Null => write!(f, " {name}")?,
                Value::Integer(number) => write!(f, " {name}={number}")?,
                Value::Octets(octets) => write!(f, " {name}=\"{}\"", octets.escape_ascii())?,
                Value::Oid(oid) => write!(f, " {name}={oid}")?,
                Value::TimeTicks(ticks) => write!(f, " {name}={}.{:02}s", ticks / 100, ticks % 100)?,
                Value::Other(tag, contents) => write!(f, " {name}={tag:#04x}:{}", contents.len())?,
            }
        }
        Ok(())
    }
}

fn operation(tag: u8) -> Option<Operation> {
    [Operation::Get, Operation::GetNext, Operation::Response, Operation::Set]
        .into_iter()
        .find(|operation| *operation as u8 == tag)
}

fn trap(contents: &mut Reader<'_>) -> Result<Trap, Error> {
    let enterprise = Oid::from_contents(contents.expect(OBJECT_IDENTIFIER)?).ok_or(BerError::Oid)?;
    let agent = contents.expect(IP_ADDRESS)?;
    let agent = agent.try_into().map_err(|_| BerError::Number { octets: agent.len() })?;
    let generic = match contents.number(INTEGER)? {
        0 => GenericTrap::ColdStart,
        other => GenericTrap::Other(other),
    };
    let specific = contents.number(INTEGER)?;
    let up_time = ticks(contents.expect(TIME_TICKS)?)?;
    Ok(Trap { enterprise, agent, generic, specific, up_time, vars: vars(contents)? })
}

/// Ticks go round, so a number that is too large, or below zero as some senders write it, is taken modulo 2^32.
fn ticks(contents: &[u8]) -> Result<u32, BerError> {
    Ok(ber::number(contents)? as u32)
}

fn vars(contents: &mut Reader<'_>) -> Result<Vec<VarBind>, Error> {
    let mut list = Reader::new(contents.expect(SEQUENCE)?);
    let mut vars = Vec::new();
    while !list.is_empty() {
        if vars.len() == VARS_MAX {
            return Err(Error::TooManyVars);
        }
        let mut var = Reader::new(list.expect(SEQUENCE)?);
        let name = Oid::from_contents(var.expect(OBJECT_IDENTIFIER)?).ok_or(BerError::Oid)?;
        let (tag, value) = var.any()?;
        var.end()?;
        vars.push(VarBind { name, value: Value::parse(tag, value)? });
    }
    Ok(vars)
}

fn put_vars(to: &mut Vec<u8>, vars: &[VarBind]) {
    let mut list = Vec::new();
    for VarBind { name, value } in vars {
        let mut var = Vec::new();
        ber::put(&mut var, OBJECT_IDENTIFIER, &name.contents());
        value.put(&mut var);
        ber::put(&mut list, SEQUENCE, &var);
    }
    ber::put(to, SEQUENCE, &list);
}

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const IP_ADDRESS: u8 = 0x40;
const TIME_TICKS: u8 = 0x43;
const TRAP: u8 = 0xa4;

/// SNMPv1 is version 0 (RFC 1157 §4).
const VERSION_1: i64 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for sysUpTime.
    const GET: &[u8] =
        b"\x30\x24\x02\x01\x00\x04\x04ILMI\xa0\x19\x02\x01\x07\x02\x01\x00\x02\x01\x00\x30\x0e\
        \x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x03\x00\x05\x00\x00";

    fn get() -> Message {
        let name = Oid::new(&[1, 3, 6, 1, 2, 1, 1, 3, 0]);
        Message::Pdu(Pdu::request(Operation::Get, 7, vec![VarBind::asked(name)]))
    }

    fn each() -> Vec<Message> {
        let name = Oid::new(&[1, 3, 6, 1, 4, 1, 353, 2, 6, 1, 1, 3, 0, 20, 255]);
        let values = [
            Value::Integer(-1),
            Value::Octets(vec![0; 200]),
            Value::Null,
            Value::Oid(name.clone()),
            Value::TimeTicks(u32::MAX),
            Value::Other(0x40, vec![1, 2, 3, 4]),
        ];
        let vars: Vec<_> = values.map(|value| VarBind { name: name.clone(), value }).into();
        let operations = [Operation::Get, Operation::GetNext, Operation::Response, Operation::Set];
        let mut all: Vec<_> =
            operations.map(|operation| Message::Pdu(Pdu::request(operation, 1 << 30, vars.clone()))).into();
        for number in 0..=6 {
            let pdu = Pdu::request(Operation::Get, -5, Vec::new());
            all.push(Message::Pdu(pdu.refusal(ErrorStatus::from_number(number), 3)));
        }
        all.push(Message::Trap(Trap::cold_start(name.clone())));
        all.push(Message::Trap(Trap { generic: GenericTrap::Other(6), vars, ..Trap::cold_start(name) }));
        all
    }

    #[test]
    fn a_question_is_those_octets() {
        // The last octet of GET is no part of the message, so that every length is there to be cut to.
        let golden = &GET[..GET.len() - 1];
        assert_eq!(get().encode().escape_ascii().to_string(), golden.escape_ascii().to_string());
        assert_eq!(Message::parse(golden), Ok(get()));
        assert_eq!(get().to_string(), "GetRequest 7: 1.3.6.1.2.1.1.3.0");
        assert_eq!(Message::parse(GET), Err(BerError::Trailing(1).into()));
    }

    #[test]
    fn all_come_back_and_every_prefix_is_refused() {
        for message in each() {
            let octets = message.encode();
            assert_eq!(Message::parse(&octets), Ok(message.clone()), "{message}");
            for len in 0..octets.len() {
                assert!(Message::parse(&octets[..len]).is_err(), "{message} cut to {len}");
            }
        }
    }

    #[test]
    fn what_is_not_ours_is_told_from_what_is_broken() {
        let with = |at: usize, octet: u8| {
            let mut octets = get().encode();
            octets[at] = octet;
            Message::parse(&octets)
        };
        assert_eq!(with(4, 1), Err(Error::Version(1)));
        assert_eq!(with(7, b'i'), Err(Error::Community));
        assert_eq!(with(11, 0xa5), Err(Error::UnknownPdu { tag: 0xa5 }));
        assert_eq!(with(0, 0x31), Err(BerError::Tag { found: 0x31, expected: 0x30 }.into()));
    }

    #[test]
    fn bounds_hold() {
        let name = Oid::new(&[1, 3]);
        let of = |count| {
            let vars = vec![VarBind::asked(name.clone()); count];
            Message::parse(&Message::Pdu(Pdu::request(Operation::Get, 1, vars)).encode())
        };
        assert!(of(VARS_MAX).is_ok());
        assert_eq!(of(VARS_MAX + 1), Err(Error::TooManyVars));
        let octets = READ_OCTETS_MAX + 1;
        assert_eq!(Message::parse(&vec![0x30; octets]), Err(Error::TooLong { octets }));
    }

    #[test]
    fn changed_messages_do_no_harm() {
        let mut random = condis::runtime::Random::new(1);
        for message in each() {
            let octets = message.encode();
            for _ in 0..2000 {
                let mut changed = octets.clone();
                for _ in 0..=random.below(3) {
                    let at = random.below(changed.len() as u64) as usize;
                    changed[at] = random.next_u64() as u8;
                }
                if let Ok(read) = Message::parse(&changed) {
                    assert_eq!(Message::parse(&read.encode()), Ok(read));
                }
            }
        }
    }
}
