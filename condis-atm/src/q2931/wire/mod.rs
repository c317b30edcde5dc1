//! Messages and information elements of B-ISDN call control: Q.2931, Q.2971 (parties), Q.2963.1 (modification), as
//! ATM Forum UNI 3.0, 3.1 and UNI Signalling 4.0 use them.
//!
//! Clause numbers and code points are from public sources: Wireshark's Q.2931 dissector, FreeBSD's ngatm (whose message
//! definitions name the pages), linux-atm's grammar, RFC 1755, RFC 2331. The texts of ITU-T and the ATM Forum were **not** read.
//!
//! | what | where |
//! |---|---|
//! | [`Message`], [`CallRef`], [`MessageType`] | the message: its header and its IEs in the order of the wire |
//! | [`Ie`], [`IeValue`], [`IeId`] | an IE: coding standard, instruction, typed value |
//! | [`Message::parse`], [`Message::encode`] | octets to values and back |
//! | [`Message::check`] | what the table holds against a message, and what is to be done about it |
//! | `Display` | one line, as a sniffer prints it |

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

#[cfg(test)]
mod tests;

pub use call_ref::CallRef;
pub use check::{Finding, Receiver, Treatment, Verdict};
pub use codec::ContentError;
pub use contract::{ContractError, TrafficIes};
pub use ie::*;
pub use instruction::{Coding, IeAction, IeInstruction, MessageAction, MessageInstruction};
pub use message::{LengthError, MESSAGE_HEADER_LEN, MESSAGE_LEN_MAX, Message, MessageTooLong, WireError};
pub use message_type::MessageType;
pub use octets::Octets;
pub use version::{Side, Version};
