//! SDUs to cells.

use std::io::IoSlice;

use condis_link::atm::Cell;

use super::crc::Crc32;
use super::{SDU_OCTETS_MAX, TRAILER_OCTETS, Trailer, cells_of};
use crate::cell::{HEADER_OCTETS, HeaderWord, PAYLOAD_OCTETS, Pti, payload_mut};

/// Cells between the CRC over an SDU's octets and their copy: both then find them in the nearest cache.
const BLOCK_CELLS: usize = 256;
const BLOCK_OCTETS: usize = BLOCK_CELLS * PAYLOAD_OCTETS;

/// An SDU that cannot be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentError {
    /// A length of zero would tell the other end of an abort.
    #[error("an AAL5 SDU has at least one octet")]
    Empty,
    /// The length would not fit into its 16 bits.
    #[error("an AAL5 SDU has at most {SDU_OCTETS_MAX} octets, and this one {0}")]
    TooLong(usize),
    /// There are too few cells to fill.
    #[error("the SDU takes {needed} cells, and there is room for {room}")]
    NoRoom {
        /// Cells that it takes.
        needed: usize,
        /// Cells that there are.
        room: usize,
    },
}

/// Makes the cells of one VC's SDUs.
///
/// It is the two headers that these cells have, ready with their HEC, and as cheap to copy. SDUs that go out whole are done by
/// [`Segmenter::segment`]; those whose cells go out little by little, because the line or a shaper says so, by
/// [`Segmenter::begin`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segmenter {
    headers: Headers,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Headers {
    /// Of all cells but the last.
    more: [u8; HEADER_OCTETS],
    last: [u8; HEADER_OCTETS],
}

impl Segmenter {
    /// For the VC of this header. GFC and CLP are those of every cell; the PTI is set here.
    pub const fn new(header: HeaderWord) -> Segmenter {
        let more = header.with_pti(Pti::USER).octets();
        Segmenter { headers: Headers { more, last: header.with_pti(Pti::USER_LAST).octets() } }
    }

    /// Makes all cells of an SDU, whose octets are those of `parts`, in the first of `cells`, and gives how many they are:
    /// [`cells_of`] its length. `uu` is carried to the layer above at the other end.
    /// # Errors
    /// [`SegmentError`]; `cells` are as they were.
    #[inline]
    pub fn segment(&self, parts: &[IoSlice<'_>], uu: u8, cells: &mut [Cell]) -> Result<usize, SegmentError> {
        let mut segmentation = self.begin(parts, uu)?;
        let needed = segmentation.cells_left();
        if needed > cells.len() {
            return Err(SegmentError::NoRoom { needed, room: cells.len() });
        }
        Ok(segmentation.fill(parts, cells))
    }

    /// Begins with an SDU. It is the caller who keeps its octets.
    /// # Errors
    /// [`SegmentError::Empty`], [`SegmentError::TooLong`].
    #[inline]
    pub fn begin(&self, parts: &[IoSlice<'_>], uu: u8) -> Result<Segmentation, SegmentError> {
        let octets = parts.iter().map(|part| part.len()).sum();
        match octets {
            0 => Err(SegmentError::Empty),
            1..=SDU_OCTETS_MAX => Ok(Segmentation {
                headers: self.headers,
                sdu_octets: octets as u16,
                cells_done: 0,
                uu,
                crc: Crc32::new(),
            }),
            _ => Err(SegmentError::TooLong(octets)),
        }
    }
}

/// How far the cells of an SDU are made. It holds no octets of it, so it can lie beside them, in a queue say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segmentation {
    headers: Headers,
    sdu_octets: u16,
    cells_done: u16,
    uu: u8,
    crc: Crc32,
}

impl Segmentation {
    /// Makes the next cells, as many as are left or `cells` has room for, and gives how many those are.
    ///
    /// `parts` are the same octets each time, though they may be cut in other places. What they lack, compared with what
    /// the segmentation began with, is sent as zeros; what they have more is not sent.
    #[inline]
    pub fn fill(&mut self, parts: &[IoSlice<'_>], cells: &mut [Cell]) -> usize {
        let left = self.cells_left();
        let count = left.min(cells.len());
        if count == 0 {
            return 0;
        }
        let cells = &mut cells[..count];
        let sdu_octets = usize::from(self.sdu_octets);
        let begin = (usize::from(self.cells_done) * PAYLOAD_OCTETS).min(sdu_octets);
        let end = (begin + count * PAYLOAD_OCTETS).min(sdu_octets);
        let mut writer = Writer { cells, at: 0, header: self.headers.more, crc: self.crc };
        match parts {
            [part] => writer.octets(part.get(begin..end.min(part.len())).unwrap_or_default()),
            _ => gather(parts, begin, end, |octets| writer.octets(octets)),
        }
        if writer.at != end - begin {
            writer.zeros(end - begin);
        }
        if count == left {
            writer.finish(self.headers.last, self.uu, self.sdu_octets);
        } else if writer.at < count * PAYLOAD_OCTETS {
            writer.zeros(count * PAYLOAD_OCTETS);
        }
        self.crc = writer.crc;
        self.cells_done += count as u16;
        count
    }

    /// The cell that tells the other end to forget those made so far: it ends the PDU, with a length of zero. For an SDU that
    /// cannot be sent to its end; without it, its cells would spoil the next one.
    pub fn abort(self) -> Cell {
        let mut cells = [[0; _]];
        let mut writer = Writer { cells: &mut cells, at: 0, header: self.headers.more, crc: self.crc };
        writer.finish(self.headers.last, 0, 0);
        let [cell] = cells;
        cell
    }

    /// Cells that are not made yet.
    #[inline]
    pub fn cells_left(&self) -> usize {
        cells_of(usize::from(self.sdu_octets)) - usize::from(self.cells_done)
    }
}

/// The octets from `begin` to `end` of those in `parts`, piece by piece.
fn gather(parts: &[IoSlice<'_>], begin: usize, end: usize, mut take: impl FnMut(&[u8])) {
    let mut at = 0;
    for part in parts {
        let (from, to) = (begin.max(at), end.min(at + part.len()));
        if from < to {
            take(&part[from - at..to - at]);
        }
        at += part.len();
    }
}

/// Writes octets into the payloads of cells, one behind the other, and takes their CRC.
struct Writer<'a> {
    cells: &'a mut [Cell],
    /// How many octets are written.
    at: usize,
    header: [u8; HEADER_OCTETS],
    crc: Crc32,
}

impl Writer<'_> {
    /// These come next. The caller has seen to it that there is room.
    #[inline]
    fn octets(&mut self, mut octets: &[u8]) {
        let room = self.at.next_multiple_of(PAYLOAD_OCTETS) - self.at;
        if room > 0 {
            let (piece, rest) = octets.split_at(room.min(octets.len()));
            self.piece(piece);
            octets = rest;
        }
        while octets.len() > BLOCK_OCTETS {
            let (block, rest) = octets.split_at(BLOCK_OCTETS);
            self.whole_cells(block);
            octets = rest;
        }
        self.whole_cells(octets);
    }

    /// From the beginning of a cell on.
    #[inline]
    fn whole_cells(&mut self, octets: &[u8]) {
        let (payloads, piece) = octets.as_chunks::<PAYLOAD_OCTETS>();
        self.crc.update(payloads.as_flattened());
        let cells = &mut self.cells[self.at / PAYLOAD_OCTETS..];
        for (cell, octets) in cells.iter_mut().zip(payloads) {
            set_header(cell, self.header);
            *payload_mut(cell) = *octets;
        }
        self.at += payloads.len() * PAYLOAD_OCTETS;
        self.piece(piece);
    }

    /// Within one cell.
    #[inline]
    fn piece(&mut self, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        self.crc.update(octets);
        let cell = &mut self.cells[self.at / PAYLOAD_OCTETS];
        let at = self.at % PAYLOAD_OCTETS;
        if at == 0 {
            set_header(cell, self.header);
        }
        payload_mut(cell)[at..at + octets.len()].copy_from_slice(octets);
        self.at += octets.len();
    }

    /// Zeros up to there.
    fn zeros(&mut self, end: usize) {
        while self.at < end {
            let room = PAYLOAD_OCTETS - self.at % PAYLOAD_OCTETS;
            self.piece(&[0; PAYLOAD_OCTETS][..room.min(end - self.at)]);
        }
    }

    /// Pad and trailer, up to the end of the last cell.
    #[inline]
    fn finish(&mut self, last: [u8; HEADER_OCTETS], uu: u8, length: u16) {
        let trailer_at = self.cells.len() * PAYLOAD_OCTETS - TRAILER_OCTETS;
        let last_at = trailer_at + TRAILER_OCTETS - PAYLOAD_OCTETS;
        if self.at < last_at {
            self.zeros(last_at);
        }
        let Some(cell) = self.cells.last_mut() else { return };
        set_header(cell, last);
        let from = self.at - last_at;
        let payload = payload_mut(cell);
        payload[from..].fill(0);
        let trailer = Trailer { uu, cpi: 0, length, crc: 0 };
        payload[PAYLOAD_OCTETS - TRAILER_OCTETS..].copy_from_slice(&trailer.encode());
        self.crc.update(&payload[from..PAYLOAD_OCTETS - 4]);
        payload[PAYLOAD_OCTETS - 4..].copy_from_slice(&self.crc.finish().to_be_bytes());
        self.at = self.cells.len() * PAYLOAD_OCTETS;
    }
}

#[inline]
fn set_header(cell: &mut Cell, header: [u8; HEADER_OCTETS]) {
    cell[..HEADER_OCTETS].copy_from_slice(&header);
}
