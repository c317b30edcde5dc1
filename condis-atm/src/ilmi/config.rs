//! What an ILMI entity is told, and what it tells.

use std::time::Duration;

use crate::addr::{AtmAddress, Esi};

/// The 13 octets of an address that the network gives.
pub type Prefix = [u8; AtmAddress::PREFIX_OCTETS];

/// What an entity is told when it is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IlmiConfig {
    /// Which side of the interface it is.
    pub role: Role,
    /// What it says of the interface.
    pub attributes: Attributes,
    /// Its timers.
    pub timers: IlmiTimers,
}

impl IlmiConfig {
    /// The user side of a private UNI, with these end systems.
    pub fn user(esis: impl IntoIterator<Item = Esi>) -> IlmiConfig {
        IlmiConfig::new(Role::User { esis: esis.into_iter().collect() })
    }

    /// The network side of a private UNI, which gives these prefixes and takes every address under them.
    pub fn network(prefixes: impl IntoIterator<Item = Prefix>) -> IlmiConfig {
        IlmiConfig::new(Role::Network { prefixes: prefixes.into_iter().collect(), ask: false })
    }

    fn new(role: Role) -> IlmiConfig {
        IlmiConfig { role, attributes: Attributes::default(), timers: IlmiTimers::default() }
    }
}

/// Which side of the interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Role {
    /// The host's.
    User {
        /// Its end systems, [`ESIS_MAX`](super::ESIS_MAX) at most; more are dropped.
        esis: Vec<Esi>,
    },
    /// The switch's.
    Network {
        /// The prefixes that it gives, [`PREFIXES_MAX`](super::PREFIXES_MAX) at most; more are dropped.
        prefixes: Vec<Prefix>,
        /// Each address that the user registers is asked for ([`IlmiOutput::AddressAsked`]) and taken or refused by
        /// [`Ime::answer_address`](super::Ime::answer_address): a switch on which another port has it, say.
        ask: bool,
    },
}

/// What an entity says of its interface when asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attributes {
    /// What it is called; sysName.
    pub name: String,
    /// Six octets that no other system has; atmfMySystemIdentifier.
    pub system_identifier: [u8; 6],
    /// Which of its interfaces this is; atmfPortMyIfIdentifier.
    pub interface_identifier: u32,
    /// The interface's name; atmfPortMyIfName.
    pub interface_name: String,
    /// Virtual path connections at most; atmfAtmLayerMaxVPCs.
    pub vpcs_max: u16,
    /// Virtual channel connections at most; atmfAtmLayerMaxVCCs.
    pub vccs_max: u32,
    /// Bits of a VPI; atmfAtmLayerMaxVpiBits.
    pub vpi_bits: u8,
    /// Bits of a VCI; atmfAtmLayerMaxVciBits.
    pub vci_bits: u8,
    /// Public or private; atmfAtmLayerUniType.
    pub uni_type: UniType,
    /// The signaling's version; atmfAtmLayerUniVersion.
    pub uni_version: UniVersion,
}

impl Default for Attributes {
    /// Interface 1 of a private UNI 3.1 with 8 bits of VPI and 16 of VCI, and all connections that those can name.
    fn default() -> Attributes {
        Attributes {
            name: "condis".to_owned(),
            system_identifier: [0; 6],
            interface_identifier: 1,
            interface_name: "atm".to_owned(),
            vpcs_max: 255,
            vccs_max: 65_535,
            vpi_bits: 8,
            vci_bits: 16,
            uni_type: UniType::Private,
            uni_version: UniVersion::V31,
        }
    }
}

/// atmfAtmLayerUniType; the numbers are those of the MIB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UniType {
    /// Between a host or private switch and a public network.
    Public = 1,
    /// Within private networks.
    Private = 2,
}

/// atmfAtmLayerUniVersion; the numbers are those of the MIB.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum UniVersion {
    /// UNI 3.0.
    V30 = 2,
    /// UNI 3.1.
    V31 = 3,
    /// UNI 4.0.
    V40 = 4,
}

/// When an entity repeats itself, and when it gives up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IlmiTimers {
    /// S: how long a request waits for its response before it is sent again; so also how often a peer is called that
    /// does not answer yet.
    pub response: Duration,
    /// T: how long after the last poll the peer is polled again.
    pub poll: Duration,
    /// K: how often a request is sent without a response until the peer is taken for gone.
    pub tries_max: u32,
}

impl Default for IlmiTimers {
    /// 1 s, 5 s, 4 times.
    fn default() -> IlmiTimers {
        IlmiTimers { response: Duration::from_secs(1), poll: Duration::from_secs(5), tries_max: 4 }
    }
}

/// What the owner has to do, or to know.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum IlmiOutput {
    /// Send this as one AAL5 SDU on VC 0/16.
    Transmit(Vec<u8>),
    /// The peer is there and has said what it is; registration begins.
    Up,
    /// The peer is gone, or begins anew. Every address that was registered has been told to be removed before this.
    Down,
    /// User side: the network has given prefixes, or taken some back. [`Ime::prefixes`](super::Ime::prefixes) has them.
    PrefixesChanged,
    /// An address is registered: the network knows it as the user's.
    AddressRegistered(AtmAddress),
    /// An address that was registered is so no more.
    AddressRemoved(AtmAddress),
    /// User side: the network would not have the address. It is not tried again before the next beginning.
    AddressRefused(AtmAddress),
    /// Network side, if it is to ask: the user wants the address. Answered by
    /// [`Ime::answer_address`](super::Ime::answer_address); until then the user gets no response.
    AddressAsked(AtmAddress),
}

/// What the peer has said of itself. What it does not know is absent.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PeerAttributes {
    /// atmfAtmLayerUniVersion, as a number of the MIB (2 is 3.0, 3 is 3.1, 4 is 4.0).
    pub uni_version: Option<i64>,
    /// atmfAtmLayerUniType: 1 public, 2 private.
    pub uni_type: Option<i64>,
    /// atmfAtmLayerDeviceType: 1 user, 2 node.
    pub device_type: Option<i64>,
    /// atmfAtmLayerIlmiVersion: 2 is 4.0; absent before it.
    pub ilmi_version: Option<i64>,
    /// atmfAtmLayerMaxVpiBits.
    pub vpi_bits: Option<i64>,
    /// atmfAtmLayerMaxVciBits.
    pub vci_bits: Option<i64>,
    /// atmfAddressRegistrationAdminStatus: 1 supported, 2 not.
    pub registration: Option<i64>,
}

/// What became of messages. All names are of events that are nobody's fault here.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct IlmiCounters {
    /// Messages sent.
    pub sent: u64,
    /// Messages understood.
    pub received: u64,
    /// Dropped: no SNMP message, or more than an entity reads.
    pub malformed: u64,
    /// Dropped: another community than `ILMI`, or another version than SNMPv1.
    pub foreign: u64,
    /// Dropped: a response to nothing that was asked.
    pub unexpected: u64,
    /// Dropped: it came while the line was down.
    pub while_down: u64,
    /// Messages sent again.
    pub repeated: u64,
    /// Traps that told that the peer begins.
    pub cold_starts: u64,
    /// Traps that told of anything else. Nothing follows from them.
    pub other_traps: u64,
    /// Times that the peer did not answer and was given up.
    pub lost: u64,
    /// Times that another peer was found than the one before, or the same after a restart.
    pub attachment_changed: u64,
    /// Requests answered with an error.
    pub errors_sent: u64,
}
