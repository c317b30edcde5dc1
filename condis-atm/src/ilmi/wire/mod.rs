//! SNMPv1 as ILMI needs it: messages, object identifiers, and the BER below.
//!
//! Source: RFC 1157 §4.1, RFC 1155 §3.2; X.690 (BER) as those use it.

mod ber;
mod message;
mod oid;

pub use ber::BerError;
pub use message::{
    COMMUNITY, Error, ErrorStatus, GenericTrap, MESSAGE_OCTETS_MAX, Message, Operation, Pdu, READ_OCTETS_MAX,
    Trap, VARS_MAX, Value, VarBind,
};
pub use oid::{ARCS_MAX, Oid};
