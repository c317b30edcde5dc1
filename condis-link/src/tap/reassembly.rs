//! AAL5 for the eye: cells put together again, as far as a recording needs it.
//!
//! The crate above has the real one. This one checks no HEC and no CRC, since what is damaged is what one wants to see; a PDU is
//! recorded if its length fits its cells (I.363.5 §9.2.1.2, as RFC 2684 and the kernel's atm tell it; text not read).

use std::collections::BTreeMap;

use crate::atm::{Cell, VpVc};

/// The PDUs of one direction that are not whole yet.
#[derive(Default)]
pub(super) struct Reassembly {
    partial: BTreeMap<VpVc, Vec<u8>>,
    /// Cells of all of them.
    cell_count: usize,
}

/// What a cell has brought.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Brought {
    /// Nothing yet, or nothing that belongs to a PDU.
    Nothing,
    /// The last of a PDU: its SDU, without padding and trailer.
    Sdu(VpVc, Vec<u8>),
    /// The end of something that is no PDU, or too much of it.
    Broken,
}

impl Reassembly {
    /// Takes one more cell.
    pub(super) fn cell(&mut self, cell: &Cell) -> Brought {
        let (header, payload) = cell.split_at(HEADER_OCTETS);
        let vpvc = VpVc::new(
            u16::from(header[0] & 0x0f) << 4 | u16::from(header[1] >> 4),
            u16::from(header[1] & 0x0f) << 12 | u16::from(header[2]) << 4 | u16::from(header[3] >> 4),
        );
        let is_user_data = header[3] & PTI_NOT_USER == 0;
        if vpvc.vci.0 == 0 || !is_user_data {
            return Brought::Nothing;
        }
        let pdu = self.partial.entry(vpvc).or_default();
        pdu.extend_from_slice(payload);
        self.cell_count += 1;
        let is_last = header[3] & PTI_LAST != 0;
        let too_much = pdu.len() > PDU_OCTETS_MAX || self.cell_count > CELLS_LEN_MAX;
        if !is_last && !too_much {
            return Brought::Nothing;
        }
        let mut pdu = self.partial.remove(&vpvc).unwrap_or_default();
        self.cell_count -= pdu.len() / PAYLOAD_OCTETS;
        match sdu_octets(&pdu) {
            Some(octets) if is_last => {
                pdu.truncate(octets);
                Brought::Sdu(vpvc, pdu)
            }
            _ => Brought::Broken,
        }
    }

    /// Begins anew: the line was down.
    pub(super) fn clear(&mut self) {
        *self = Reassembly::default();
    }
}

/// Octets of the SDU in a PDU, if they fit.
fn sdu_octets(pdu: &[u8]) -> Option<usize> {
    let [.., high, low, _, _, _, _] = *pdu else { return None };
    let octets = usize::from(u16::from_be_bytes([high, low]));
    let fits = (octets + TRAILER_OCTETS).next_multiple_of(PAYLOAD_OCTETS) == pdu.len();
    (fits && octets != 0).then_some(octets)
}

const HEADER_OCTETS: usize = 5;
const PAYLOAD_OCTETS: usize = 48;
const TRAILER_OCTETS: usize = 8;

/// The payload type's first bit: OAM and such (I.361 §2.2.4, text not read).
const PTI_NOT_USER: u8 = 0b1000;
/// Its last bit: the last cell of an AAL5 PDU.
const PTI_LAST: u8 = 0b0010;

/// The longest PDU: 65 535 octets and the trailer, in whole cells.
const PDU_OCTETS_MAX: usize = (65_535 + TRAILER_OCTETS).next_multiple_of(PAYLOAD_OCTETS);

/// Cells of PDUs that are not whole, all connections together: sixteen of the longest, 1 MiB.
const CELLS_LEN_MAX: usize = 16 * PDU_OCTETS_MAX / PAYLOAD_OCTETS;

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(vpi: u16, vci: u16, pti: u8, payload: &[u8]) -> Cell {
        let mut cell = [0; 53];
        cell[0] = (vpi >> 4) as u8;
        cell[1] = (vpi << 4) as u8 | (vci >> 12) as u8;
        cell[2] = (vci >> 4) as u8;
        cell[3] = (vci << 4) as u8 | pti << 1;
        cell[5..].copy_from_slice(payload);
        cell
    }

    fn cells(vpi: u16, vci: u16, sdu: &[u8]) -> Vec<Cell> {
        let mut pdu = sdu.to_vec();
        pdu.resize((sdu.len() + 8).next_multiple_of(48), 0);
        let end = pdu.len();
        pdu[end - 6..end - 4].copy_from_slice(&(sdu.len() as u16).to_be_bytes());
        let count = end / 48;
        let numbered = pdu.chunks(48).enumerate();
        numbered.map(|(n, payload)| cell(vpi, vci, u8::from(n + 1 == count), payload)).collect()
    }

    #[test]
    fn pdus_of_several_connections_are_put_together() {
        for octets in [1, 40, 41, 48, 1500, 65_535] {
            let (one, other) = (vec![1; octets], vec![2; octets]);
            let mut reassembly = Reassembly::default();
            let mut brought = Vec::new();
            for (a, b) in cells(0, 5, &one).iter().zip(&cells(0xff, 0xffff, &other)) {
                // Between them an OAM cell, and an unassigned one.
                for cell in [a, b, &cell(0, 5, 5, &[9; 48]), &cell(0, 0, 0, &[0; 48])] {
                    brought.push(reassembly.cell(cell));
                }
            }
            brought.retain(|brought| *brought != Brought::Nothing);
            let expected = [Brought::Sdu(VpVc::SIGNALING, one), Brought::Sdu(VpVc::new(0xff, 0xffff), other)];
            assert_eq!(brought, expected);
            assert_eq!((reassembly.cell_count, reassembly.partial.len()), (0, 0));
        }
    }

    #[test]
    fn what_has_lost_a_cell_is_broken_and_the_next_is_whole() {
        let mut reassembly = Reassembly::default();
        let cells = cells(0, 32, &[7; 100]);
        assert_eq!(reassembly.cell(&cells[0]), Brought::Nothing);
        assert_eq!(reassembly.cell(&cells[2]), Brought::Broken);
        let brought: Vec<_> = cells.iter().map(|cell| reassembly.cell(cell)).collect();
        assert_eq!(brought[2], Brought::Sdu(VpVc::new(0, 32), vec![7; 100]));
    }

    #[test]
    fn cells_that_never_end_are_bounded() {
        let mut reassembly = Reassembly::default();
        let endless = (0..3000).map(|_| reassembly.cell(&cell(0, 32, 0, &[0; 48])));
        assert_eq!(endless.filter(|brought| *brought == Brought::Broken).count(), 2);
        let mut reassembly = Reassembly::default();
        for vci in 32..=u16::MAX {
            reassembly.cell(&cell(0, vci, 0, &[0; 48]));
            assert!(
                reassembly.cell_count <= CELLS_LEN_MAX && reassembly.partial.len() == reassembly.cell_count
            );
        }
    }
}
