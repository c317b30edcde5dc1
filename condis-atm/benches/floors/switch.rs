//! The work of a cell through a switch that cannot be avoided: a table by VCI, a new header with its HEC, and the copy into a ring
//! from which it is copied out again.
//!
//! Left out on purpose: paths, the check of the HEC that came, correction, classes, bounds, frames, copies for several legs,
//! policing, who is to send next.

use condis_link::atm::Cell;

/// By VCI: the first four octets of the new header, all but the last four bits.
pub(crate) struct Floor {
    table: Vec<u32>,
    ring: Vec<Cell>,
    at: usize,
    hec: [u8; 256],
}

impl Floor {
    /// VCIs from 32 on, so many, each to the VCI 1000 above it; and a ring of so many cells.
    pub(crate) fn new(vcs: u32, ring: usize) -> Floor {
        let table =
            (0..=u32::from(u16::MAX)).map(|vci| if vci < 32 + vcs { (vci + 1000) << 4 } else { 0 }).collect();
        Floor { table, ring: vec![[0; 53]; ring], at: 0, hec: hec() }
    }

    /// Cells in, and the same number out, which `send` is given.
    #[inline(never)]
    pub(crate) fn pass(&mut self, cells: &[Cell], mut send: impl FnMut(&[Cell])) {
        let from = self.at;
        for cell in cells {
            let header = u32::from_be_bytes([cell[0], cell[1], cell[2], cell[3]]);
            let to = self.table[(header >> 4) as usize & 0xffff] | header & 0xf;
            let queued = &mut self.ring[self.at];
            *queued = *cell;
            queued[..4].copy_from_slice(&to.to_be_bytes());
            queued[4] =
                to.to_be_bytes().iter().fold(0, |crc, octet| self.hec[usize::from(crc ^ octet)]) ^ 0x55;
            self.at += 1;
        }
        send(&self.ring[from..self.at]);
        if self.at + cells.len() > self.ring.len() {
            self.at = 0;
        }
    }
}

fn hec() -> [u8; 256] {
    std::array::from_fn(|octet| {
        (0..8).fold(octet as u8, |crc, _| if crc & 0x80 != 0 { crc << 1 ^ 7 } else { crc << 1 })
    })
}
