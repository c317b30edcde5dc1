//! Who calls whom: numbers, subaddresses, and the networks between (Q.2931 §4.5.11 to §4.5.14, §4.5.22; UNI
//! 3.1 §5.4.5.11).

use std::fmt;

use crate::addr::{AtmAddress, E164};
use crate::q2931::wire::Octets;
use crate::q2931::wire::code_points::code_points;
use crate::q2931::wire::codec::{Body, ContentError, EXT, Reader, Sink};

/// Type "unknown", plan "ISO NSAP".
const NSAP: u8 = 0x02;
/// Type "international number", plan E.164.
const INTERNATIONAL_E164: u8 = 0x11;

/// A party's number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PartyNumber {
    /// An AESA (type unknown, plan NSAP), or an international E.164 number.
    Atm(AtmAddress),
    /// Any other number.
    Other {
        /// Type of number (bits 7 to 5) and numbering plan (bits 4 to 1).
        type_and_plan: u8,
        /// Its octets.
        digits: Octets<20>,
    },
}

/// Who is called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CalledPartyNumber(pub PartyNumber);

/// Who calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallingPartyNumber {
    /// The number; nothing of it when it is withheld.
    pub number: PartyNumber,
    /// Whether it may be shown and who vouches for it; often left away.
    pub presentation: Option<Presentation>,
}

/// Who answered (Q.2951, UNI 4.0).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectedNumber {
    /// The number.
    pub number: PartyNumber,
    /// Whether it may be shown and who vouches for it.
    pub presentation: Option<Presentation>,
}

/// Whether a number may be shown, and who vouches for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Presentation {
    /// Whether it may be shown.
    pub indicator: PresentationIndicator,
    /// Who vouches for it.
    pub screening: Screening,
}

code_points! {
    /// Whether a number may be shown (2 bits).
    PresentationIndicator {
        ALLOWED = 0, "allowed";
        RESTRICTED = 1, "restricted";
        NOT_AVAILABLE = 2, "not available";
    }
}

code_points! {
    /// Who vouches for a number (2 bits).
    Screening {
        NOT_SCREENED = 0, "not screened";
        PASSED = 1, "verified and passed";
        FAILED = 2, "verified and failed";
        NETWORK = 3, "network provided";
    }
}

/// A subaddress: meaning something only to the party.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subaddress {
    /// Its form.
    pub kind: SubaddressType,
    /// It has an odd number of half octets.
    pub odd: bool,
    /// Its octets, one to twenty.
    pub octets: Octets<20>,
}

code_points! {
    /// The form of a subaddress (3 bits).
    SubaddressType {
        NSAP = 0, "nsap";
        ATM_ENDSYSTEM = 1, "atm";
        USER = 2, "user";
    }
}

/// Called party subaddress.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CalledPartySubaddress(pub Subaddress);

/// Calling party subaddress.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallingPartySubaddress(pub Subaddress);

/// Connected subaddress (Q.2951, UNI 4.0).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectedSubaddress(pub Subaddress);

/// Through which network (Q.2931 §4.5.22).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransitNetworkSelection {
    /// Type of network identification (bits 7 to 5) and plan (bits 4 to 1).
    pub type_and_plan: u8,
    /// The identification in IA5.
    pub network: Octets<4>,
}

impl PartyNumber {
    /// The address, of a number that is one.
    pub fn address(&self) -> Option<&AtmAddress> {
        match self {
            PartyNumber::Atm(address) => Some(address),
            PartyNumber::Other { .. } => None,
        }
    }

    fn type_and_plan(&self) -> u8 {
        match self {
            PartyNumber::Atm(AtmAddress::Nsap(_)) => NSAP,
            PartyNumber::Atm(AtmAddress::E164(_)) => INTERNATIONAL_E164,
            PartyNumber::Other { type_and_plan, .. } => type_and_plan & !EXT,
        }
    }

    fn digits(&self) -> &[u8] {
        match self {
            PartyNumber::Atm(address) => address.octets(),
            PartyNumber::Other { digits, .. } => digits,
        }
    }

    fn read(type_and_plan: u8, from: &mut Reader<'_>) -> Result<PartyNumber, ContentError> {
        let digits = from.remaining();
        let address = match type_and_plan {
            NSAP => <[u8; AtmAddress::NSAP_OCTETS]>::try_from(digits).ok().map(AtmAddress::Nsap),
            INTERNATIONAL_E164 => E164::new(digits).map(AtmAddress::E164),
            _ => None,
        };
        match address {
            Some(address) => Ok(PartyNumber::Atm(address)),
            None => Ok(PartyNumber::Other { type_and_plan, digits: Reader::new(digits).octets()? }),
        }
    }
}

/// Type and plan, presentation, number: of calling party and connected number.
fn read_presented(from: &mut Reader<'_>) -> Result<(PartyNumber, Option<Presentation>), ContentError> {
    let first = from.u8()?;
    let presentation = if first & EXT == 0 {
        let octet = from.last("presentation")?;
        Some(Presentation {
            indicator: PresentationIndicator(octet >> 5 & 3),
            screening: Screening(octet & 3),
        })
    } else {
        None
    };
    Ok((PartyNumber::read(first & !EXT, from)?, presentation))
}

fn write_presented(number: &PartyNumber, presentation: Option<Presentation>, to: &mut impl Sink) {
    match presentation {
        None => to.put(&[EXT | number.type_and_plan()]),
        Some(Presentation { indicator, screening }) => {
            to.put(&[number.type_and_plan(), EXT | (indicator.0 & 3) << 5 | screening.0 & 3]);
        }
    }
    to.put(number.digits());
}

impl Body for CalledPartyNumber {
    fn decode(from: &mut Reader<'_>) -> Result<CalledPartyNumber, ContentError> {
        let type_and_plan = from.last("type of number")?;
        if from.is_empty() {
            return Err(ContentError::Missing("number"));
        }
        PartyNumber::read(type_and_plan, from).map(CalledPartyNumber)
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[EXT | self.0.type_and_plan()]);
        to.put(self.0.digits());
    }
}

impl Body for CallingPartyNumber {
    fn decode(from: &mut Reader<'_>) -> Result<CallingPartyNumber, ContentError> {
        read_presented(from).map(|(number, presentation)| CallingPartyNumber { number, presentation })
    }

    fn encode(&self, to: &mut impl Sink) {
        write_presented(&self.number, self.presentation, to);
    }
}

impl Body for ConnectedNumber {
    fn decode(from: &mut Reader<'_>) -> Result<ConnectedNumber, ContentError> {
        read_presented(from).map(|(number, presentation)| ConnectedNumber { number, presentation })
    }

    fn encode(&self, to: &mut impl Sink) {
        write_presented(&self.number, self.presentation, to);
    }
}

impl Body for Subaddress {
    fn decode(from: &mut Reader<'_>) -> Result<Subaddress, ContentError> {
        let octet = from.last("type of subaddress")?;
        if from.is_empty() {
            return Err(ContentError::Missing("subaddress"));
        }
        Ok(Subaddress { kind: SubaddressType(octet >> 4 & 7), odd: octet & 8 != 0, octets: from.octets()? })
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[EXT | (self.kind.0 & 7) << 4 | u8::from(self.odd) << 3]);
        to.put(&self.octets);
    }
}

/// Gives a newtype the codec of what it holds.
macro_rules! as_inner {
    ($($name:ident: $keyword:literal;)*) => {$(
        impl Body for $name {
            fn decode(from: &mut Reader<'_>) -> Result<$name, ContentError> {
                Body::decode(from).map($name)
            }

            fn encode(&self, to: &mut impl Sink) {
                self.0.encode(to);
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($keyword, " {}"), self.0)
            }
        }
    )*};
}

as_inner! {
    CalledPartySubaddress: "called-sub";
    CallingPartySubaddress: "calling-sub";
    ConnectedSubaddress: "connected-sub";
}

impl TransitNetworkSelection {
    /// A national network by its carrier identification code, the form of UNI 3.1 and 4.0: up to four digits.
    pub fn carrier(code: &[u8]) -> Option<TransitNetworkSelection> {
        Some(TransitNetworkSelection { type_and_plan: 0x21, network: Octets::new(code)? })
    }
}

impl Body for TransitNetworkSelection {
    fn decode(from: &mut Reader<'_>) -> Result<TransitNetworkSelection, ContentError> {
        let type_and_plan = from.last("type of network identification")?;
        if from.is_empty() {
            return Err(ContentError::Missing("network"));
        }
        Ok(TransitNetworkSelection { type_and_plan, network: from.octets()? })
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[EXT | self.type_and_plan]);
        to.put(&self.network);
    }
}

impl From<AtmAddress> for PartyNumber {
    fn from(address: AtmAddress) -> PartyNumber {
        PartyNumber::Atm(address)
    }
}

impl From<AtmAddress> for CalledPartyNumber {
    fn from(address: AtmAddress) -> CalledPartyNumber {
        CalledPartyNumber(address.into())
    }
}

impl From<AtmAddress> for CallingPartyNumber {
    fn from(address: AtmAddress) -> CallingPartyNumber {
        CallingPartyNumber { number: address.into(), presentation: None }
    }
}

impl fmt::Display for PartyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PartyNumber::Atm(address) => address.fmt(f),
            PartyNumber::Other { type_and_plan, digits } => {
                write!(f, "type {} plan {} ", type_and_plan >> 4 & 7, type_and_plan & 0x0f)?;
                if digits.iter().all(u8::is_ascii_graphic) {
                    write!(f, "\"{}\"", digits.escape_ascii())
                } else {
                    digits.fmt(f)
                }
            }
        }
    }
}

impl fmt::Display for CalledPartyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "called {}", self.0)
    }
}

impl fmt::Display for CallingPartyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "calling {}", self.number)?;
        self.presentation.iter().try_for_each(|presentation| presentation.fmt(f))
    }
}

impl fmt::Display for ConnectedNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connected {}", self.number)?;
        self.presentation.iter().try_for_each(|presentation| presentation.fmt(f))
    }
}

impl fmt::Display for Presentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " ({}, {})", self.indicator, self.screening)
    }
}

impl fmt::Display for Subaddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.kind, self.octets, if self.odd { " odd" } else { "" })
    }
}

impl fmt::Display for TransitNetworkSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "transit \"{}\"", self.network.escape_ascii())?;
        if self.type_and_plan == 0x21 {
            return Ok(());
        }
        write!(f, " type {} plan {}", self.type_and_plan >> 4 & 7, self.type_and_plan & 0x0f)
    }
}
