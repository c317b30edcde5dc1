//! SSCOP's PDUs as octets (Q.2110 §7.1 to §7.3).
//!
//! What other protocols have in a header is in a trailer here, a multiple of four octets at the end of the PDU, so that the
//! SDU begins where the AAL5 SDU begins. Its last four octets hold the type and, with most types, a sequence number:
//!
//! ```text
//!  7   6   5   4   3   2   1   0
//! |  PL   | R | S |   PDU type    |  24 bits: N(S), N(MR) or N(R), by type
//! ```
//!
//! PL says how many octets of padding, 0 to 3, are between the SDU and the trailer. S is in END alone.

mod error;
mod kind;
mod pdu;

pub use error::WireError;
pub use kind::PduKind;
pub use pdu::{Pdu, Source};

#[cfg(test)]
mod tests;
