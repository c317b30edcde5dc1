//! Cells to SDUs.

use std::time::Duration;

use condis::runtime::Time;

use super::crc::Crc32;
use super::{Aal5Counters, PduBuffer, SDU_OCTETS_MAX, TRAILER_OCTETS, Trailer, cells_of, pdu_octets};
use crate::cell::PAYLOAD_OCTETS;
use crate::cell::runs::Run;

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
    /// Those of the longest SDU.
    pdu_octets_max: usize,
    state: State<B>,
    counters: Aal5Counters,
}

#[derive(Debug)]
enum State<B> {
    /// The next cell is the first of a PDU. From all others, at a cell that ends a PDU or when time is up.
    Idle,
    /// Cells are there, and the last is not among them. From `Idle`.
    Filling(Filling<B>),
    /// The PDU is lost; its other cells are passed over. From `Idle` if there is no buffer, from `Filling` if there are too
    /// many cells.
    Skipping { deadline: Time },
}

/// A PDU under way.
#[derive(Debug)]
struct Filling<B> {
    buffer: B,
    octets: usize,
    clp: bool,
    deadline: Time,
}

impl<B: PduBuffer> Reassembler<B> {
    /// A reassembler that has seen no cell.
    pub fn new(config: ReassemblyConfig) -> Reassembler<B> {
        let sdu_octets_max = config.sdu_octets_max.min(SDU_OCTETS_MAX);
        Reassembler {
            config: ReassemblyConfig { sdu_octets_max, ..config },
            pdu_octets_max: pdu_octets(sdu_octets_max),
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
        if run.is_empty() {
            return None;
        }
        if !run.is_user() {
            self.counters.dropped_not_user += run.len() as u64;
            run.take_all();
            return None;
        }
        self.handle_timeout(now);
        while !run.is_empty() {
            let filling = match std::mem::replace(&mut self.state, State::Idle) {
                State::Idle => self.begin(now, &mut supply),
                State::Filling(filling) => Ok(filling),
                State::Skipping { deadline } => Err(deadline),
            };
            match filling {
                Ok(filling) => {
                    if let Some(pdu) = self.fill(filling, run) {
                        return Some(pdu);
                    }
                }
                Err(deadline) => {
                    let taken = run.skip_pdu();
                    self.counters.cells += taken.cells as u64;
                    if !taken.end.is_last() {
                        self.state = State::Skipping { deadline };
                    }
                }
            }
        }
        None
    }

    /// Time has passed.
    #[inline]
    pub fn handle_timeout(&mut self, now: Time) {
        if self.next_timeout().is_some_and(|deadline| deadline <= now)
            && let State::Filling(_) = std::mem::replace(&mut self.state, State::Idle)
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
            State::Filling(Filling { deadline, .. }) | State::Skipping { deadline } => Some(*deadline),
        }
    }

    /// Forgets a PDU that is not complete, and its buffer: the VC is deactivated, or its line was down.
    pub fn abandon(&mut self) {
        if let State::Filling(_) = std::mem::replace(&mut self.state, State::Idle) {
            self.counters.dropped_abandoned += 1;
        }
    }

    /// True if it has a buffer.
    pub fn holds_buffer(&self) -> bool {
        matches!(self.state, State::Filling(_))
    }

    /// What it was told.
    pub fn config(&self) -> &ReassemblyConfig {
        &self.config
    }

    /// What it has counted.
    pub fn counters(&self) -> &Aal5Counters {
        &self.counters
    }

    /// The first cell of a PDU is there. Without a buffer, gives when the PDU is given up.
    #[inline]
    fn begin(&mut self, now: Time, supply: &mut impl FnMut(usize) -> Option<B>) -> Result<Filling<B>, Time> {
        let deadline = now.after(self.config.timeout);
        match supply(self.pdu_octets_max) {
            Some(buffer) => Ok(Filling { buffer, octets: 0, clp: false, deadline }),
            None => {
                self.counters.dropped_no_buffer += 1;
                Err(deadline)
            }
        }
    }

    /// Cells go into the buffer: up to the last of the PDU, or to the last that fits, or to the end of the run.
    #[inline]
    fn fill(&mut self, mut filling: Filling<B>, run: &mut Run<'_>) -> Option<Pdu<B>> {
        let room = filling.buffer.room();
        let octets_max = self.pdu_octets_max.min(room.len());
        // A room that shrinks breaks its word, and has no more room.
        let (rooms, _) = room[..octets_max].get_mut(filling.octets..).unwrap_or_default().as_chunks_mut();
        if rooms.is_empty() {
            self.counters.dropped_oversize += 1;
            self.state = State::Skipping { deadline: filling.deadline };
            return None;
        }
        let taken = run.take_pdu(rooms);
        filling.octets += taken.cells * PAYLOAD_OCTETS;
        filling.clp |= taken.clp;
        self.counters.cells += taken.cells as u64;
        if taken.end.is_last() {
            return self.finish(filling, taken.end.efci());
        }
        self.state = State::Filling(filling);
        None
    }

    /// The last cell is there.
    #[inline]
    fn finish(&mut self, filling: Filling<B>, efci: bool) -> Option<Pdu<B>> {
        let Filling { mut buffer, octets, clp, .. } = filling;
        match check(buffer.room().get(..octets).unwrap_or_default(), self.config.sdu_octets_max) {
            Ok(Trailer { uu, length, .. }) => {
                let sdu_octets = usize::from(length);
                self.counters.sdus += 1;
                self.counters.sdu_octets += sdu_octets as u64;
                self.counters.sdus_clp += u64::from(clp);
                self.counters.sdus_efci += u64::from(efci);
                buffer.finish(sdu_octets);
                Some(Pdu { buffer, sdu_octets, uu, clp, efci })
            }
            Err(discard) => {
                self.count(discard);
                None
            }
        }
    }

    #[cold]
    fn count(&mut self, discard: Discard) {
        let counters = &mut self.counters;
        *match discard {
            Discard::Aborted => &mut counters.dropped_aborted,
            Discard::Oversize => &mut counters.dropped_oversize,
            Discard::Crc => &mut counters.dropped_crc,
            Discard::LostEnd => &mut counters.dropped_lost_end,
            Discard::LostCells => &mut counters.dropped_lost_cells,
            Discard::Length => &mut counters.dropped_length,
            Discard::Cpi => &mut counters.dropped_cpi,
        } += 1;
    }
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
    let Some((covered, octets)) = pdu.split_last_chunk::<TRAILER_OCTETS>() else {
        return Err(Discard::Length);
    };
    let trailer = Trailer::parse(*octets);
    let length = usize::from(trailer.length);
    // The pad is less than a cell.
    let fits = covered.len().checked_sub(length).is_some_and(|pad| pad < PAYLOAD_OCTETS);
    if crc_of(pdu) != trailer.crc {
        Err(match cells_of(length) * PAYLOAD_OCTETS < pdu.len() {
            _ if fits => Discard::Crc,
            true => Discard::LostEnd,
            false => Discard::LostCells,
        })
    } else if fits && trailer.cpi == 0 && (1..=sdu_octets_max).contains(&length) {
        Ok(trailer)
    } else {
        Err(match length {
            _ if trailer.cpi != 0 => Discard::Cpi,
            0 => Discard::Aborted,
            _ if !fits => Discard::Length,
            _ => Discard::Oversize,
        })
    }
}

/// The CRC of all of a PDU but its last four octets. PDUs of one cell are many, and it pays to know how long they are.
#[inline]
fn crc_of(pdu: &[u8]) -> u32 {
    let covered = &pdu[..pdu.len() - 4];
    let mut crc = Crc32::new();
    match covered.first_chunk::<{ PAYLOAD_OCTETS - 4 }>() {
        Some(covered) if pdu.len() == PAYLOAD_OCTETS => crc.update_short(covered),
        _ => crc.update(covered),
    }
    crc.finish()
}
