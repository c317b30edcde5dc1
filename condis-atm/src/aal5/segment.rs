//! SDUs to cells.

use std::io::IoSlice;

use condis_link::atm::Cell;

use super::crc::Crc32;
use super::{SDU_OCTETS_MAX, TRAILER_OCTETS, Trailer, cells_of};
use crate::cell::{HEADER_OCTETS, HeaderWord, PAYLOAD_OCTETS, Pti, payload_mut};

/// Octets of an SDU that leave room for the trailer in their cell.
const CELL_SDU_OCTETS: usize = PAYLOAD_OCTETS - TRAILER_OCTETS;
/// SDUs in several pieces are gathered in memory on the stack first if they are no longer than this: one pass over them costs
/// less than many short ones of the CRC.
const GATHERED_OCTETS: usize = 2048;
/// The same for short ones, which need no more than this cleared.
const GATHERED_SHORT_OCTETS: usize = 192;

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
        if let ([sdu], [cell, ..]) = (parts, &mut *cells)
            && (1..=CELL_SDU_OCTETS).contains(&sdu.len())
        {
            self.headers.last(sdu, uu, sdu.len() as u16, Crc32::new(), cell);
            return Ok(1);
        }
        let octets = sdu_octets(parts)?;
        let needed = cells_of(octets);
        let room = cells.len();
        let Some(cells) = cells.get_mut(..needed) else {
            return Err(SegmentError::NoRoom { needed, room });
        };
        match parts {
            [sdu] => self.headers.whole(sdu, uu, cells),
            _ if octets <= GATHERED_SHORT_OCTETS => {
                self.headers.gathered::<GATHERED_SHORT_OCTETS>(parts, uu, cells);
            }
            _ if octets <= GATHERED_OCTETS => self.headers.gathered::<GATHERED_OCTETS>(parts, uu, cells),
            _ => {
                self.begin(parts, uu)?.fill(parts, cells);
            }
        }
        Ok(needed)
    }

    /// Begins with an SDU. It is the caller who keeps its octets.
    /// # Errors
    /// [`SegmentError::Empty`], [`SegmentError::TooLong`].
    #[inline]
    pub fn begin(&self, parts: &[IoSlice<'_>], uu: u8) -> Result<Segmentation, SegmentError> {
        let sdu_octets = sdu_octets(parts)? as u16;
        Ok(Segmentation { headers: self.headers, sdu_octets, cells_done: 0, uu, crc: Crc32::new() })
    }
}

/// Octets of an SDU that can be sent.
#[inline]
fn sdu_octets(parts: &[IoSlice<'_>]) -> Result<usize, SegmentError> {
    match parts.iter().map(|part| part.len()).sum() {
        0 => Err(SegmentError::Empty),
        octets @ 1..=SDU_OCTETS_MAX => Ok(octets),
        octets => Err(SegmentError::TooLong(octets)),
    }
}

impl Headers {
    /// Makes all cells of an SDU that lies in one piece; there are as many as it takes.
    ///
    /// The CRC of the last cell has to wait for that of all others. So the copy of those comes behind it, and a processor
    /// that looks ahead does both at once.
    #[inline]
    fn whole(&self, sdu: &[u8], uu: u8, cells: &mut [Cell]) {
        let mut crc = Crc32::new();
        let (payloads, rest) = sdu.as_chunks::<PAYLOAD_OCTETS>();
        let (cells, ends) = cells.split_at_mut(payloads.len());
        if !payloads.is_empty() {
            crc.update(payloads.as_flattened());
        }
        self.end(rest, uu, sdu.len() as u16, crc, ends);
        copy_all(payloads, self.more, cells);
    }

    /// The same for an SDU in several pieces, of at most `N` octets together.
    fn gathered<const N: usize>(&self, parts: &[IoSlice<'_>], uu: u8, cells: &mut [Cell]) {
        let mut gathered = [0; N];
        let mut octets = 0;
        for part in parts {
            gathered[octets..octets + part.len()].copy_from_slice(part);
            octets += part.len();
        }
        self.whole(&gathered[..octets], uu, cells);
    }

    /// Makes the last cell, and the one before if `rest` leaves no room for the trailer.
    #[inline]
    fn end(&self, rest: &[u8], uu: u8, length: u16, mut crc: Crc32, cells: &mut [Cell]) {
        match cells {
            [last] => self.last(rest, uu, length, crc, last),
            [before, last] => {
                set_header(before, self.more);
                Headers::pad(before, rest);
                crc.update_short(payload_mut(before));
                self.last(&[], uu, length, crc, last);
            }
            _ => {}
        }
    }

    /// Makes the last cell, with what is left of the SDU and the trailer behind it.
    #[inline]
    fn last(&self, rest: &[u8], uu: u8, length: u16, mut crc: Crc32, cell: &mut Cell) {
        set_header(cell, self.last);
        Headers::pad(cell, rest);
        let octets = payload_mut(cell);
        let trailer = Trailer { uu, cpi: 0, length, crc: 0 };
        octets[CELL_SDU_OCTETS..].copy_from_slice(&trailer.encode());
        crc.update_short(octets.first_chunk::<{ PAYLOAD_OCTETS - 4 }>().expect("44 of 48 octets"));
        octets[PAYLOAD_OCTETS - 4..].copy_from_slice(&crc.finish().to_be_bytes());
    }

    /// Fills a payload with these octets and zeros behind them.
    #[inline]
    fn pad(cell: &mut Cell, rest: &[u8]) {
        let octets = payload_mut(cell);
        *octets = [0; PAYLOAD_OCTETS];
        copy_short(octets, rest);
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
        self.whole_cells(octets);
    }

    /// From the beginning of a cell on.
    #[inline]
    fn whole_cells(&mut self, octets: &[u8]) {
        let (payloads, piece) = octets.as_chunks::<PAYLOAD_OCTETS>();
        self.crc.update(payloads.as_flattened());
        copy_all(payloads, self.header, &mut self.cells[self.at / PAYLOAD_OCTETS..]);
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

/// Puts payloads into cells.
///
/// Not inlined: in a small function of its own the compiler makes the better loop of it.
#[inline(never)]
fn copy_all(payloads: &[[u8; PAYLOAD_OCTETS]], header: [u8; HEADER_OCTETS], cells: &mut [Cell]) {
    for (octets, cell) in payloads.iter().zip(cells) {
        cell[..HEADER_OCTETS].copy_from_slice(&header);
        cell[HEADER_OCTETS..].copy_from_slice(octets);
    }
}

/// Copies a few octets, in pieces of fixed sizes that may overlap: cheaper than a call.
#[inline]
fn copy_short(to: &mut [u8; PAYLOAD_OCTETS], from: &[u8]) {
    match from.len() {
        32.. => copy_ends::<32, 16>(to, from),
        16.. => copy_ends::<16, 16>(to, from),
        8.. => copy_ends::<8, 8>(to, from),
        4.. => copy_ends::<4, 4>(to, from),
        _ => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
    }
}

/// Copies the first `F` and the last `L` octets, which are all.
#[inline(always)]
fn copy_ends<const F: usize, const L: usize>(to: &mut [u8; PAYLOAD_OCTETS], from: &[u8]) {
    let to = &mut to[..from.len()];
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<F>(), from.first_chunk::<F>()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<L>(), from.last_chunk::<L>()) {
        *to = *from;
    }
}

#[inline]
fn set_header(cell: &mut Cell, header: [u8; HEADER_OCTETS]) {
    cell[..HEADER_OCTETS].copy_from_slice(&header);
}
