//! SDUs of one VC to cells, whatever its adaptation layer.

use std::io::IoSlice;

use condis::nbl::NetBuffer;
use condis_link::atm::{CELL_OCTETS, Cell};

use super::send_queue;
use super::vc_params::{Aal, AtmVcParams};
use crate::aal5::{Segmenter, cells_of};
use crate::cell::{HeaderWord, Interface, aal0};

/// Makes cells of the SDUs of one VC.
pub(super) struct Segmenting {
    params: AtmVcParams,
    header: HeaderWord,
    segmenter: Segmenter,
}

impl Segmenting {
    pub(super) fn new(params: &AtmVcParams) -> Segmenting {
        // Activation has seen to it that the VPI fits.
        let header = HeaderWord::new(Interface::Uni, params.vpvc).unwrap_or_default().with_clp(params.clp);
        Segmenting { params: *params, header, segmenter: Segmenter::new(header) }
    }

    pub(super) fn change(&mut self, params: &AtmVcParams) {
        *self = Segmenting::new(params);
    }

    pub(super) fn fits(&self, octets: usize) -> bool {
        send_queue::fits(&self.params, octets)
    }

    /// Puts the cells of an SDU behind those that are there.
    pub(super) fn segment(&self, sdu: &[u8], cells: &mut Vec<Cell>) -> usize {
        self.segment_pieces(&[IoSlice::new(sdu)], sdu.len(), cells)
    }

    /// The same for an SDU that may lie in several pieces. Gives how many cells it is.
    pub(super) fn segment_buffer(&self, sdu: &NetBuffer, cells: &mut Vec<Cell>) -> usize {
        match sdu.contiguous() {
            Some(octets) => self.segment(octets, cells),
            None => {
                let pieces: Vec<IoSlice<'_>> = sdu.mdls().map(IoSlice::new).collect();
                self.segment_pieces(&pieces, sdu.data_length(), cells)
            }
        }
    }

    fn segment_pieces(&self, pieces: &[IoSlice<'_>], octets: usize, cells: &mut Vec<Cell>) -> usize {
        let before = cells.len();
        match self.params.aal {
            Aal::Aal5 => {
                cells.resize(before + cells_of(octets), [0; CELL_OCTETS]);
                let made = self.segmenter.segment(pieces, 0, &mut cells[before..]);
                cells.truncate(before + made.unwrap_or(0));
            }
            Aal::Aal0 => {
                let sdu: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
                cells.extend(aal0::to_cell(&sdu, self.header));
            }
        }
        cells.len() - before
    }

    /// What ends a PDU of which so many cells are on the line, and no more will be.
    pub(super) fn abort(&self, sdu: &NetBuffer, cells_sent: usize) -> Option<Cell> {
        let pieces: Vec<IoSlice<'_>> = sdu.mdls().map(IoSlice::new).collect();
        let mut segmentation = self.segmenter.begin(&pieces, 0).ok()?;
        let mut again = vec![[0; CELL_OCTETS]; cells_sent];
        segmentation.fill(&pieces, &mut again);
        (self.params.aal == Aal::Aal5).then(|| segmentation.abort())
    }
}
