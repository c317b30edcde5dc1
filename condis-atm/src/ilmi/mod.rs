//! ILMI: addresses between a host and its switch over VC 0/16.
//!
//! An [`Ime`] (interface management entity) speaks SNMPv1 with the one at the other end of the line, each message an AAL5 SDU on
//! VC 0/16 with the community `ILMI`. It
//!
//! - tells that it begins (the trap coldStart) and asks who the peer is (sysUpTime, atmfPortMyIfIdentifier,
//!   atmfMySystemIdentifier) until it is answered, and again every few seconds: no answer, or that of another, is a loss;
//! - asks what the peer is ([`PeerAttributes`]);
//! - as the network side, sets its prefixes in the user's atmfNetPrefixTable; as the user side, registers each end system under each
//!   prefix, by setting it in the network's atmfAddressTable; either may take them back at any time;
//! - answers what it is asked ([`mib`]).
//!
//! # The contract of [`Ime`]
//! It owns no socket, clock or timer. Inputs are [`Ime::handle_link`] (the line is down in the beginning), [`Ime::handle_sdu`],
//! [`Ime::handle_timeout`] once [`Ime::next_timeout`] has come (early or late does no harm), and the methods that add or remove
//! something. After each, [`Ime::poll_output`] until there is none, in that order, and `next_timeout` again.
//!
//! ```
//! use condis::runtime::Time;
//! use condis_atm::addr::Esi;
//! use condis_atm::ilmi::{IlmiConfig, IlmiOutput, Ime};
//!
//! let now = Time::from_nanos(1_000_000_000);
//! let mut host = Ime::new(IlmiConfig::user([Esi([0, 0x20, 0x48, 0x0b, 0, 2])]));
//! let mut switch = Ime::new(IlmiConfig::network([[0x47; 13]]));
//! for side in [&mut host, &mut switch] {
//!     side.handle_link(now, true);
//! }
//! // A line that loses nothing and takes no time.
//! loop {
//!     let (output, to) = match host.poll_output() {
//!         Some(output) => (output, &mut switch),
//!         None => match switch.poll_output() {
//!             Some(output) => (output, &mut host),
//!             None => break,
//!         },
//!     };
//!     match output {
//!         IlmiOutput::Transmit(sdu) => to.handle_sdu(now, &sdu),
//!         told => println!("{told:?}"),
//!     }
//! }
//! assert_eq!(host.addresses(), switch.addresses());
//! assert_eq!(host.addresses().len(), 1);
//! ```
//!
//! # How it begins
//! An entity that begins by itself (line up, peer lost, another peer) has no prefixes and addresses, sets its sysUpTime to zero
//! and repeats coldStart with each question until one is answered. One that *hears* coldStart begins as well, but says none:
//! the peer has just told that it knows nothing, and two that answer trap with trap would never end. If a trap is lost, the
//! smaller sysUpTime tells with the next poll; and since each poll also asks for one of the rows that the peer should have, in
//! turn, what it has lost without our noticing is told again. A peer that does not show its rows at all (linux-atm's ilmid does not)
//! is soon no longer asked.
//!
//! # Left out
//! E.164 prefixes (8 octets; answered with badValue), the service registry, the tables of VPCs and VCCs, the deprecated physical
//! group, and the address table's organizational scope (taken and not kept). Whether the peer's tables are empty is not asked: it
//! has been told to clear them.
//!
//! # Sources
//! The objects, their numbers and their meaning: ATM-FORUM-MIB, ATM-FORUM-ADDR-REG as published; SNMP: RFC 1157, RFC 1155; the
//! order of things: the behaviour of linux-atm's ilmid and switch manuals; timers likewise. The text of ILMI 4.0 (af-ilmi-0065.000)
//! and UNI 3.1 §4 was not read; where its clauses are named they are from those.
//!
//! # Why an SNMP of our own
//! rasn and rasn-snmp are well kept and bring some 100,000 lines for five PDUs of at most 484 octets; snmp-parser reads and does not
//! write; snmp2 is a client with its sockets. What is needed of BER fits in a page ([`wire`]), with every bound named.

mod config;
mod ime;
pub mod mib;
mod registry;
pub mod wire;

#[cfg(test)]
mod tests;

pub use config::{
    Attributes, IlmiConfig, IlmiCounters, IlmiOutput, IlmiTimers, PeerAttributes, Prefix, Role, UniType,
    UniVersion,
};
pub use ime::{Ime, StateName};
pub use registry::{ADDRESSES_MAX, ESIS_MAX, LimitError, PREFIXES_MAX};
