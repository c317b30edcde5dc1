//! Raw cells (AAL0): an SDU is one cell.
//!
//! Two forms, told apart by their length, as Linux has them (`ATM_AAL0_SDU` of `linux/atm.h` is the second):
//! - 48 octets: the payload. It goes out as user data with PTI and CLP zero.
//! - 52 octets: the header without its HEC, in the order of the wire, and the payload. Of the header only PTI and CLP count:
//!   a VC sends on its own connection whatever VPI and VCI the SDU names, and GFC is the line's.
//!
//! What is received has 52 octets.

use condis_link::atm::Cell;

use super::{HeaderWord, PAYLOAD_OCTETS, payload};

/// Octets of an SDU with its header.
pub const SDU_OCTETS: usize = 52;

/// An SDU that is no raw cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a raw cell has {PAYLOAD_OCTETS} octets, or {SDU_OCTETS} with its header, and this one {0}")]
pub struct NoRawCell(pub usize);

/// The cell of an SDU on the connection of `vc`, with its HEC.
/// # Errors
/// The SDU has neither 48 nor 52 octets.
pub fn to_cell(sdu: &[u8], vc: HeaderWord) -> Result<Cell, NoRawCell> {
    let (header, payload) = match sdu.split_last_chunk::<PAYLOAD_OCTETS>() {
        Some(([], payload)) => (HeaderWord::default(), payload),
        Some((&[a, b, c, d], payload)) => (HeaderWord(u32::from_be_bytes([a, b, c, d])), payload),
        _ => return Err(NoRawCell(sdu.len())),
    };
    Ok(header.on(vc).cell(payload))
}

/// The SDU of a cell, whose header has been checked and perhaps put right.
pub fn to_sdu(header: HeaderWord, cell: &Cell) -> [u8; SDU_OCTETS] {
    let mut sdu = [0; SDU_OCTETS];
    sdu[..4].copy_from_slice(&header.0.to_be_bytes());
    sdu[4..].copy_from_slice(payload(cell));
    sdu
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VpVc;
    use crate::cell::{Interface, Pti};

    #[test]
    fn both_forms_go_out_on_their_own_connection() {
        let vc = HeaderWord::new(Interface::Uni, VpVc::new(1, 40)).unwrap();
        let payload = std::array::from_fn(|at| at as u8);
        assert_eq!(to_cell(&payload, vc), Ok(vc.cell(&payload)));

        let foreign = HeaderWord(0xf990_9990).with_pti(Pti::OAM_SEGMENT).with_clp(true);
        let sdu = to_sdu(foreign, &foreign.cell(&payload));
        assert_eq!(sdu[..5], [0xf9, 0x90, 0x99, 0x99, 0x00]);
        let expected = vc.with_pti(Pti::OAM_SEGMENT).with_clp(true);
        assert_eq!(to_cell(&sdu, vc), Ok(expected.cell(&payload)));
    }

    #[test]
    fn every_other_length_is_refused() {
        let refused = (0..=64).filter(|len| to_cell(&vec![0; *len], HeaderWord(0)) == Err(NoRawCell(*len)));
        assert!(refused.eq((0..=64).filter(|len| ![48, 52].contains(len))));
    }
}
