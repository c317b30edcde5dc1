//! Messages and information elements of B-ISDN call control: Q.2931, Q.2971 (parties), Q.2963.1
//! (modification), as ATM Forum UNI 3.0, 3.1 and UNI Signalling 4.0 use them.
//!
//! Clause numbers and code points are from public sources: Wireshark's Q.2931 dissector, FreeBSD's ngatm
//! (whose message definitions name the pages), linux-atm's grammar, RFC 1755, RFC 2331. The texts of ITU-T
//! and the ATM Forum were **not** read.
//!
//! | what | where |
//! |---|---|
//! | [`Message`], [`CallRef`], [`MessageType`] | the message: its header and its IEs in the order of the wire |
//! | [`Ie`], [`IeValue`], [`IeId`] | an IE: coding standard, instruction, typed value |
//! | [`Message::parse`], [`Message::encode`] | octets to values and back |
//! | [`grammar`] | the table: which message has which IEs, how often, from which version on, which way |
//! | [`Message::check`] | what the table holds against a message, and what is to be done about it |
//! | [`TrafficIes`] | traffic contracts as IEs and back |
//! | `Display`, [`Message::tree`] | one line, as a sniffer prints it; a line an IE |
//!
//! # What is left out
//! PNNI's own messages and IEs, Q.2932's FACILITY and COBI-SETUP, and segments are unknown here: carried as
//! they are, reported as not implemented. Facility, notification, user-user and the narrow-band IEs are
//! known, and not looked into. A value that a field has no name for keeps its number; reserved bits are read
//! as zero.
//!
//! ```
//! use condis_atm::q2931::wire::*;
//!
//! let called: condis_atm::addr::AtmAddress = "47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00".parse()?;
//! let setup = Message::new(CallRef::from_originator(5).unwrap(), MessageType::Setup)
//!     .with(LowLayerInfo::LLC)
//!     .with(CalledPartyNumber::from(called));
//! let octets = setup.encode()?;
//! assert_eq!(Message::parse(&octets)?, setup);
//! assert_eq!(
//!     setup.to_string(),
//!     "SETUP cr 5 (orig): blli l2 LLC, called 47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00"
//! );
//! let verdict = setup.check(Receiver::network(Version::Uni40));
//! assert_eq!(verdict.findings, [
//!     Finding::Missing(IeId::TRAFFIC_DESCRIPTOR),
//!     Finding::Missing(IeId::BEARER_CAPABILITY),
//! ]);
//! assert_eq!(verdict.treatment.cause().unwrap().value, CauseValue::MANDATORY_IE_MISSING);
//! assert!(matches!(verdict.treatment, Treatment::Refuse(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod call_ref;
mod check;
mod code_points;
mod codec;
mod contract;
pub mod grammar;
mod ie;
mod instruction;
mod message;
mod message_type;
mod octets;
mod version;
mod writer;

#[cfg(test)]
mod tests;

pub use call_ref::CallRef;
pub use check::{Finding, Receiver, Treatment, Verdict};
pub use codec::ContentError;
pub use contract::{ContractError, TrafficIes};
pub use ie::*;
pub use instruction::{Coding, IeAction, IeInstruction, MessageAction, MessageInstruction};
pub use message::{
    LengthError, MESSAGE_HEADER_LEN, MESSAGE_LEN_MAX, Message, MessageTooLong, Tree, WireError,
};
pub use message_type::MessageType;
pub use octets::Octets;
pub use version::{Side, Version};
pub(crate) use writer::MessageWriter;
