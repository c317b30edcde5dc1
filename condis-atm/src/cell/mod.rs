//! Cells: headers of UNI and NNI, the HEC, raw cells, OAM F5 (I.361, I.432.1, I.610).
//!
//! | module | what |
//! |---|---|
//! | [`HeaderWord`], [`Header`], [`Pti`] | a header as a word (view) and as fields (value) |
//! | [`hec`](hec()), [`HecReceiver`] | the octet that guards a header; correction and detection |
//! | [`runs`] | the cells of a batch, checked, those of one connection together: what a driver walks over |
//! | [`VcTable`] | what belongs to a connection, by its VPI and VCI |
//! | [`aal0`] | raw cells as SDUs |
//! | [`oam`], [`loopback`] | OAM F5 cells, and the machine that asks and answers loopback |
//!
//! The ITU's texts were not read; formats and numbers are those of public descriptions (Wireshark, Linux, FreeBSD, RFCs).
//!
//! *Left out*: cell delineation and scrambling, which the lines in use do not need; OAM F4 and the F5 functions other than
//! loopback, which are recognised and left alone; the content of resource management cells.
//!
//! ```
//! use condis_atm::VpVc;
//! use condis_atm::cell::{Assignment, HeaderWord, HecReceiver, Interface, Pti};
//!
//! let header = HeaderWord::new(Interface::Uni, VpVc::new(0, 100))?.with_pti(Pti::USER_LAST);
//! let mut cell = header.cell(&[0x6a; 48]);
//!
//! cell[2] ^= 0x10; // one bit turns over on the line …
//! let mut receiver = HecReceiver::new();
//! let checked = receiver.check(condis_atm::cell::header(&cell))?; // … and is put right
//! assert_eq!(checked, header);
//! assert_eq!(checked.assignment(Interface::Uni), Assignment::Assigned);
//! assert_eq!(checked.fields(Interface::Uni).to_string(), "0.100 user, last");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod aal0;
mod counters;
mod header;
mod hec;
pub mod loopback;
pub mod oam;
mod pti;
pub mod runs;
mod vc_table;

pub use condis_link::atm::{CELL_OCTETS, Cell};
pub use counters::{HecCounters, LoopbackCounters};
pub use header::{Assignment, Header, HeaderWord, Interface, VpiTooLarge};
pub use hec::{HecError, HecMode, HecReceiver, hec};
pub use pti::Pti;
pub use vc_table::{InsertError, VcTable};

/// Octets of a header, the HEC included.
pub const HEADER_OCTETS: usize = 5;
/// Octets of a cell's payload.
pub const PAYLOAD_OCTETS: usize = 48;
/// What fills the payload of an idle cell, and the unused octets of an OAM cell.
pub const IDLE_OCTET: u8 = 0x6a;

/// The header of a cell, with its HEC.
#[inline]
pub const fn header(cell: &Cell) -> &[u8; HEADER_OCTETS] {
    cell.first_chunk().expect("5 of 53 octets")
}

/// The payload of a cell.
#[inline]
pub const fn payload(cell: &Cell) -> &[u8; PAYLOAD_OCTETS] {
    cell.last_chunk().expect("48 of 53 octets")
}

/// The payload of a cell, for writing.
#[inline]
pub const fn payload_mut(cell: &mut Cell) -> &mut [u8; PAYLOAD_OCTETS] {
    cell.last_chunk_mut().expect("48 of 53 octets")
}

/// An idle cell.
pub fn idle() -> Cell {
    HeaderWord::IDLE.cell(&[IDLE_OCTET; PAYLOAD_OCTETS])
}
