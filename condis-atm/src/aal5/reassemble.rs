//! Cells to SDUs.

use std::time::Duration;

use condis::runtime::Time;

use super::crc::crc_32;
use super::{Aal5Counters, PduBuffer, SDU_OCTETS_MAX, TRAILER_OCTETS, Trailer, cells_of, pdu_octets};
use crate::cell::runs::{Run, Taken};
use crate::cell::{PAYLOAD_OCTETS, payload};

/// What a [`Reassembler`] is told when it is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReassemblyConfig {
    /// Octets of the longest SDU that is taken, at most [`SDU_OCTETS_MAX`]. It bounds what the VC keeps: one buffer of
    /// [`pdu_octets`] of it, and that only from the first cell of a PDU to its last.
    pub sdu_octets_max: usize,
    /// How long a PDU may take from its first cell to its last.
    pub timeout: Duration,
}

impl Default for ReassemblyConfig {
    /// Any SDU, in ten seconds: the longest takes nine at 64 kbit/s.
    fn default() -> ReassemblyConfig {
        ReassemblyConfig { sdu_octets_max: SDU_OCTETS_MAX, timeout: Duration::from_secs(10) }
    }
}

/// An SDU that arrived, in the buffer in which it was put together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pdu<B> {
    /// The buffer, finished: of a `Vec` all elements are the SDU, of an NBL all data.
    pub buffer: B,
    /// Octets of the SDU, the first of the buffer's room.
    pub sdu_octets: usize,
    /// CPCS user-to-user indication, from the layer above at the other end.
    pub uu: u8,
    /// At least one of its cells might have been lost first (CLP 1).
    pub clp: bool,
    /// Its last cell met congestion (EFCI).
    pub efci: bool,
}

/// Puts the PDUs of one VC together.
///
/// Inputs are the cells of the VC, as [`Run`]s or one by one, and time: [`Reassembler::handle_timeout`] when
/// [`Reassembler::next_timeout`] has come. What comes of a run is what [`Reassembler::next_pdu`] gives.
///
/// Buffers are supplied by the user, at the first cell of each PDU, so that all VCs of an adapter may share a pool; that
/// pool's capacity is the bound of what all of them keep. A discarded PDU's buffer is dropped, which gives an NBL back.
#[derive(Debug)]
pub struct Reassembler<B> {
    config: ReassemblyConfig,
    state: State<B>,
    counters: Aal5Counters,
}

#[derive(Debug)]
enum State<B> {
    /// The next cell is the first of a PDU. From all others, at a cell that ends a PDU or when time is up.
    Idle,
    /// Cells are there, and the last is not among them. From `Idle`.
    Filling { buffer: B, octets: usize, clp: bool, deadline: Time },
    /// The PDU is lost; its other cells are passed over. From `Idle` if there is no buffer, from `Filling` if there are too
    /// many cells.
    Skipping { deadline: Time },
}

impl<B: PduBuffer> Reassembler<B> {
    /// A reassembler that has seen no cell.
    pub fn new(config: ReassemblyConfig) -> Reassembler<B> {
        let sdu_octets_max = config.sdu_octets_max.min(SDU_OCTETS_MAX);
        Reassembler {
            config: ReassemblyConfig { sdu_octets_max, ..config },
            state: State::Idle,
            counters: Aal5Counters::default(),
        }
    }

    /// Goes on with the cells that are left in `run`, up to the first that completes an SDU, and takes them out of it. Called
    /// until it gives nothing: then the run is used up.
    ///
    /// `supply` is asked for a buffer with room for so many octets whenever a PDU begins. If it gives none, the PDU is
    /// dropped; if it gives one that is smaller, the PDU may be no longer than that.
    #[inline]
    pub fn next_pdu(
        &mut self,
        now: Time,
        run: &mut Run<'_>,
        mut supply: impl FnMut(usize) -> Option<B>,
    ) -> Option<Pdu<B>> {
        if !run.is_user() {
            self.counters.dropped_not_user += run.len() as u64;
            run.take_all();
            return None;
        }
        self.handle_timeout(now);
        while !run.is_empty() {
            let finished = match &mut self.state {
                State::Idle => {
                    self.begin(now, &mut supply);
                    continue;
                }
                State::Filling { buffer, octets, clp, .. } => {
                    let room = buffer.room();
                    let pdu_octets_max = pdu_octets(self.config.sdu_octets_max).min(room.len());
                    let cells_max = pdu_octets_max.saturating_sub(*octets) / PAYLOAD_OCTETS;
                    if cells_max == 0 {
                        self.counters.dropped_oversize += 1;
                        self.skip();
                        continue;
                    }
                    let taken = run.take_pdu(cells_max);
                    *octets += copy(&taken, &mut room[*octets..]);
                    *clp |= taken.clp;
                    self.counters.cells += taken.cells.len() as u64;
                    taken.end
                }
                State::Skipping { .. } => {
                    let taken = run.take_pdu(usize::MAX);
                    self.counters.cells += taken.cells.len() as u64;
                    if taken.end.is_last() {
                        self.state = State::Idle;
                    }
                    continue;
                }
            };
            if finished.is_last()
                && let Some(pdu) = self.finish(finished.efci())
            {
                return Some(pdu);
            }
        }
        None
    }

    /// Time has passed.
    #[inline]
    pub fn handle_timeout(&mut self, now: Time) {
        if self.next_timeout().is_some_and(|deadline| deadline <= now)
            && let State::Filling { .. } = std::mem::replace(&mut self.state, State::Idle)
        {
            self.counters.dropped_timeout += 1;
        }
    }

    /// When [`Reassembler::handle_timeout`] is to be called. A late call harms nothing: cells are not taken into a PDU
    /// whose time is up.
    #[inline]
    pub fn next_timeout(&self) -> Option<Time> {
        match &self.state {
            State::Idle => None,
            State::Filling { deadline, .. } | State::Skipping { deadline } => Some(*deadline),
        }
    }

    /// Forgets a PDU that is not complete, and its buffer: the VC is deactivated, or its line was down.
    pub fn abandon(&mut self) {
        if let State::Filling { .. } = std::mem::replace(&mut self.state, State::Idle) {
            self.counters.dropped_abandoned += 1;
        }
    }

    /// True if it has a buffer.
    pub fn holds_buffer(&self) -> bool {
        matches!(self.state, State::Filling { .. })
    }

    /// What it was told.
    pub fn config(&self) -> &ReassemblyConfig {
        &self.config
    }

    /// What it has counted.
    pub fn counters(&self) -> &Aal5Counters {
        &self.counters
    }

    fn begin(&mut self, now: Time, supply: &mut impl FnMut(usize) -> Option<B>) {
        let deadline = now.after(self.config.timeout);
        self.state = match supply(pdu_octets(self.config.sdu_octets_max)) {
            Some(buffer) => State::Filling { buffer, octets: 0, clp: false, deadline },
            None => {
                self.counters.dropped_no_buffer += 1;
                State::Skipping { deadline }
            }
        };
    }

    fn skip(&mut self) {
        if let State::Filling { deadline, .. } = self.state {
            self.state = State::Skipping { deadline };
        }
    }

    /// The last cell is there.
    #[inline]
    fn finish(&mut self, efci: bool) -> Option<Pdu<B>> {
        let State::Filling { mut buffer, octets, clp, .. } = std::mem::replace(&mut self.state, State::Idle)
        else {
            return None;
        };
        let counters = &mut self.counters;
        match check(&buffer.room()[..octets], self.config.sdu_octets_max) {
            Ok(Trailer { uu, length, .. }) => {
                counters.sdus += 1;
                counters.sdu_octets += u64::from(length);
                counters.sdus_clp += u64::from(clp);
                counters.sdus_efci += u64::from(efci);
                let sdu_octets = usize::from(length);
                buffer.finish(sdu_octets);
                Some(Pdu { buffer, sdu_octets, uu, clp, efci })
            }
            Err(Discard::Aborted) => count(&mut counters.dropped_aborted),
            Err(Discard::Oversize) => count(&mut counters.dropped_oversize),
            Err(Discard::Crc) => count(&mut counters.dropped_crc),
            Err(Discard::LostEnd) => count(&mut counters.dropped_lost_end),
            Err(Discard::LostCells) => count(&mut counters.dropped_lost_cells),
            Err(Discard::Length) => count(&mut counters.dropped_length),
            Err(Discard::Cpi) => count(&mut counters.dropped_cpi),
        }
    }
}

/// Copies payloads, as many as there is room for, and gives how many octets that was.
#[inline]
fn copy(taken: &Taken<'_>, room: &mut [u8]) -> usize {
    let (rooms, _) = room.as_chunks_mut::<PAYLOAD_OCTETS>();
    for (room, cell) in rooms.iter_mut().zip(taken.cells) {
        *room = *payload(cell);
    }
    taken.cells.len() * PAYLOAD_OCTETS
}

/// Why a PDU is discarded.
enum Discard {
    Aborted,
    Oversize,
    Crc,
    LostEnd,
    LostCells,
    Length,
    Cpi,
}

/// Looks at a whole PDU.
#[inline]
fn check(pdu: &[u8], sdu_octets_max: usize) -> Result<Trailer, Discard> {
    let Some((_, trailer)) = pdu.split_last_chunk::<TRAILER_OCTETS>() else { return Err(Discard::Length) };
    let trailer = Trailer::parse(*trailer);
    let length = usize::from(trailer.length);
    let (cells, told) = (pdu.len() / PAYLOAD_OCTETS, cells_of(length));
    if crc_32(&pdu[..pdu.len() - 4]) != trailer.crc {
        return Err(match told.cmp(&cells) {
            std::cmp::Ordering::Less => Discard::LostEnd,
            std::cmp::Ordering::Equal => Discard::Crc,
            std::cmp::Ordering::Greater => Discard::LostCells,
        });
    }
    match length {
        _ if trailer.cpi != 0 => Err(Discard::Cpi),
        0 => Err(Discard::Aborted),
        _ if told != cells => Err(Discard::Length),
        _ if length > sdu_octets_max => Err(Discard::Oversize),
        _ => Ok(trailer),
    }
}

#[cold]
fn count<T>(counter: &mut u64) -> Option<T> {
    *counter += 1;
    None
}
