//! AAL5: SDUs to cells and back (I.363.5).
//!
//! ```text
//!  [ SDU, 1 to 65,535 octets ][ pad, 0 to 47 ][ UU ][ CPI ][ length ][ CRC-32 ]   a PDU: whole payloads of 48
//!  [      48     ][      48     ] …                                      [ 48 ]   AUU is 1 in the last cell alone
//! ```
//! A [`Segmenter`] makes the cells of an SDU, gathered from the pieces in which it lies, in memory of its user. A
//! [`Reassembler`] puts the cells of one VC together again, in buffers that its user supplies ([`PduBuffer`]): one of an NBL
//! pool, so that the SDU needs no further copy on its way up, or a `Vec`. Neither allocates.
//!
//! *Left out*: the streaming mode and the corrupted data delivery option of I.363.5; both are optional, and nobody uses
//! them. Its text was not read: formats, the order of checks and the meaning of *abort* are those of RFC 2684, RFC 2515 and
//! other public descriptions.
//!
//! ```
//! use std::io::IoSlice;
//! use condis::runtime::Time;
//! use condis_atm::VpVc;
//! use condis_atm::aal5::{Reassembler, ReassemblyConfig, Segmenter, cells_of};
//! use condis_atm::cell::{HeaderWord, HecReceiver, Interface, runs::runs};
//!
//! // There: one SDU in two pieces, as cells.
//! let vc = VpVc::new(0, 100);
//! let segmenter = Segmenter::new(HeaderWord::new(Interface::Uni, vc)?);
//! let sdu = [IoSlice::new(b"a header, "), IoSlice::new(b"and a payload that needs a second cell")];
//! let mut cells = [[0; 53]; cells_of(48)];
//! assert_eq!(segmenter.segment(&sdu, 0, &mut cells)?, 2);
//!
//! // Here: the cells of a line, run by run. A driver looks up the VC of `run.vpvc()`; there is one in this example.
//! let now = Time::ZERO;
//! let mut receiver = HecReceiver::new();
//! let mut reassembler = Reassembler::new(ReassemblyConfig { sdu_octets_max: 1500, ..Default::default() });
//! for mut run in runs(&mut receiver, Interface::Uni, &cells) {
//!     assert!(run.vpvc() == vc && run.is_user());
//!     while let Some(pdu) = reassembler.next_pdu(now, &mut run, |octets| Some(vec![0; octets])) {
//!         assert_eq!(pdu.buffer, b"a header, and a payload that needs a second cell");
//!     }
//! }
//! assert_eq!(reassembler.counters().sdus, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod buffer;
mod counters;
mod crc;
mod reassemble;
mod segment;
#[cfg(test)]
mod tests;
mod trailer;

pub use buffer::PduBuffer;
pub use counters::Aal5Counters;
pub use crc::crc_32;
pub use reassemble::{Pdu, Reassembler, ReassemblyConfig};
pub use segment::{SegmentError, Segmentation, Segmenter};
pub use trailer::Trailer;

use crate::cell::PAYLOAD_OCTETS;

/// Octets of the longest SDU: its length is told in 16 bits.
pub const SDU_OCTETS_MAX: usize = 65_535;
/// Octets of the trailer of a PDU.
pub const TRAILER_OCTETS: usize = 8;

/// Cells that an SDU of so many octets takes.
pub const fn cells_of(sdu_octets: usize) -> usize {
    (sdu_octets + TRAILER_OCTETS).div_ceil(PAYLOAD_OCTETS)
}

/// Octets of the PDU of an SDU of so many octets: with pad and trailer.
pub const fn pdu_octets(sdu_octets: usize) -> usize {
    cells_of(sdu_octets) * PAYLOAD_OCTETS
}
