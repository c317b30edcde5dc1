//! The cells of a batch, checked, those of one connection together.
//!
//! Cells of one PDU mostly come one behind the other. So the connection is looked up once for a run, not for each cell.

use condis_link::atm::Cell;

use super::{
    Assignment, HeaderWord, HecMode, HecReceiver, Interface, PAYLOAD_OCTETS, Pti, header, hec, payload,
};
use crate::VpVc;

/// Walks over the cells that arrived together on a line: checks their headers, leaves out the wrong ones and those of no
/// connection (both are counted by `receiver`), and gives the others in order, as [`Run`]s.
///
/// ```
/// use condis_atm::VpVc;
/// use condis_atm::cell::{HeaderWord, HecReceiver, Interface, idle, runs::runs};
///
/// let cell = |vci| HeaderWord::new(Interface::Uni, VpVc::new(0, vci)).map(|header| header.cell(&[0; 48]));
/// let cells = [cell(40)?, cell(40)?, idle(), cell(41)?];
/// let mut receiver = HecReceiver::new();
/// let found: Vec<_> = runs(&mut receiver, Interface::Uni, &cells).map(|run| (run.vpvc(), run.len())).collect();
/// assert_eq!(found, [(VpVc::new(0, 40), 2), (VpVc::new(0, 41), 1)]);
/// assert_eq!(receiver.counters().not_assigned, 1);
/// # Ok::<(), condis_atm::cell::VpiTooLarge>(())
/// ```
pub fn runs<'r, 'a>(receiver: &'r mut HecReceiver, interface: Interface, cells: &'a [Cell]) -> Runs<'r, 'a> {
    Runs { receiver, interface, cells }
}

/// What [`runs`] gives.
#[derive(Debug)]
pub struct Runs<'r, 'a> {
    receiver: &'r mut HecReceiver,
    interface: Interface,
    cells: &'a [Cell],
}

/// One cell or more, one behind the other, of one connection, either all of user data or none.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    interface: Interface,
    /// Of the first cell. If it was put right, the run has no other.
    header: HeaderWord,
    cells: &'a [Cell],
}

impl<'a> Run<'a> {
    /// A run of one cell whose header has been checked already, as by a line that needs no HEC.
    pub fn of_one(interface: Interface, header: HeaderWord, cell: &'a Cell) -> Run<'a> {
        Run { interface, header, cells: std::slice::from_ref(cell) }
    }

    /// On which connection.
    #[inline]
    pub fn vpvc(&self) -> VpVc {
        self.header.vpvc(self.interface)
    }

    /// The header of its first cell.
    #[inline]
    pub fn header(&self) -> HeaderWord {
        self.header
    }

    /// True if all its cells are user data; else they are OAM, resource management or reserved.
    #[inline]
    pub fn is_user(&self) -> bool {
        self.header.pti().is_user()
    }

    /// How many cells are left in it.
    #[inline]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// True if no cell is left in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Its cells: headers, put right where they were wrong, and payloads.
    pub fn iter(&self) -> impl Iterator<Item = (HeaderWord, &'a [u8; PAYLOAD_OCTETS])> + use<'a> {
        let (first, cells) = (self.header, self.cells);
        let header = move |(at, cell)| if at == 0 { first } else { HeaderWord::of(cell) };
        cells.iter().enumerate().map(move |(at, cell)| (header((at, cell)), payload(cell)))
    }

    /// Takes its first cell off, as a run of its own.
    pub(crate) fn take_first(&mut self) -> Option<Run<'a>> {
        let (first, rest) = self.cells.split_first()?;
        let one = Run::of_one(self.interface, self.header, first);
        self.cells = rest;
        self.header = rest.first().map_or(self.header, HeaderWord::of);
        Some(one)
    }

    /// The same, as if its first cell had come with this header.
    pub(crate) fn with_header(self, header: HeaderWord) -> Run<'a> {
        Run { header, ..self }
    }

    /// Takes all its cells off.
    pub(crate) fn take_all(&mut self) {
        self.cells = &[];
    }

    /// Takes its first cells off, up to the first that ends an AAL5 PDU, that one included, and at most as many as there are
    /// rooms, into which their payloads go.
    #[inline]
    pub(crate) fn take_pdu(&mut self, rooms: &mut [[u8; PAYLOAD_OCTETS]]) -> Taken {
        if let ([cell], [room, ..]) = (self.cells, &mut *rooms) {
            // The octets of a header that was put right are still wrong.
            *room = *payload(cell);
            self.cells = &[];
            return Taken { cells: 1, clp: self.header.clp(), end: self.header.pti() };
        }
        let (mut any, mut end, mut cells) = (0, 0, 0);
        for (cell, room) in self.cells.iter().zip(rooms) {
            *room = *payload(cell);
            end = cell[3];
            any |= end;
            cells += 1;
            if end & LAST != 0 {
                break;
            }
        }
        self.advance(cells);
        Taken { cells, clp: any & CLP != 0, end: Pti::new(end >> 1) }
    }

    /// Takes the same cells off, however many, for nothing.
    pub(crate) fn skip_pdu(&mut self) -> Taken {
        let is_last = |(header, _): (HeaderWord, _)| header.pti().is_last();
        let last = self.iter().position(is_last);
        let cells = last.map_or(self.len(), |last| last + 1);
        self.advance(cells);
        Taken { cells, clp: false, end: if last.is_some() { Pti::USER_LAST } else { Pti::USER } }
    }

    #[inline]
    fn advance(&mut self, cells: usize) {
        self.cells = &self.cells[cells..];
        if let Some(next) = self.cells.first() {
            self.header = HeaderWord::of(next);
        }
    }
}

/// What [`Run::take_pdu`] took off: cells of user data.
pub(crate) struct Taken {
    /// How many.
    pub(crate) cells: usize,
    /// Any of them may be lost first.
    pub(crate) clp: bool,
    /// Of the last of them.
    pub(crate) end: Pti,
}

/// The ATM-user-to-ATM-user indication and the cell loss priority, in the fourth octet of a user cell's header.
const LAST: u8 = 0b0010;
const CLP: u8 = 0b0001;
/// What is the same in a run: the connection, and whether it is user data.
const SAME: u32 = !0b0111;

impl<'a> Iterator for Runs<'_, 'a> {
    type Item = Run<'a>;

    // Always: many runs are short, and a third of the time for a run of one cell is the call.
    #[inline(always)]
    fn next(&mut self) -> Option<Run<'a>> {
        loop {
            let cells = self.cells;
            let (first, rest) = cells.split_first()?;
            self.cells = rest;
            let Ok(word) = self.receiver.check(header(first)) else { continue };
            if word.assignment(self.interface) != Assignment::Assigned {
                self.receiver.not_assigned();
                continue;
            }
            let more = match self.receiver.mode() {
                HecMode::Correction if !rest.is_empty() => more(word, first, rest),
                HecMode::Correction | HecMode::Detection => 0,
            };
            self.receiver.more_valid(more);
            self.cells = &rest[more..];
            return Some(Run { interface: self.interface, header: word, cells: &cells[..1 + more] });
        }
    }
}

/// How many of the cells in `rest` belong into the run that `first` began.
fn more(word: HeaderWord, first: &Cell, rest: &[Cell]) -> usize {
    let first = five(first);
    let mut more = 0;
    loop {
        // Mostly the next ones have the very same header.
        let (fours, _) = rest[more..].as_chunks::<4>();
        for [a, b, c, d] in fours {
            if (five(a) ^ first) | (five(b) ^ first) | (five(c) ^ first) | (five(d) ^ first) != 0 {
                break;
            }
            more += 4;
        }
        for cell in rest[more..].iter().take(4) {
            if five(cell) != first && !continues(word, cell) {
                return more;
            }
            more += 1;
        }
        if more == rest.len() {
            return more;
        }
    }
}

/// The header and its HEC, in no particular order: for comparison.
#[inline]
fn five(cell: &Cell) -> u64 {
    let eight = cell.first_chunk::<8>().expect("8 of 53 octets");
    u64::from_le_bytes(*eight) & ((1 << 40) - 1)
}

/// True if `cell` has a good header and belongs into the run that began with this one.
#[inline]
fn continues(first: HeaderWord, cell: &Cell) -> bool {
    let word = HeaderWord::of(cell);
    (word.0 ^ first.0) & SAME == 0 && hec(word) == cell[4]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cell(vci: u16, pti: Pti) -> Cell {
        let header = HeaderWord::new(Interface::Uni, VpVc::new(0, vci)).unwrap();
        header.with_pti(pti).cell(&[vci as u8; PAYLOAD_OCTETS])
    }

    #[test]
    fn oam_cells_are_runs_of_their_own() {
        let cells = [Pti::USER, Pti::USER_LAST, Pti::OAM_END_TO_END, Pti::USER].map(|pti| cell(40, pti));
        let mut receiver = HecReceiver::new();
        let found: Vec<_> = runs(&mut receiver, Interface::Uni, &cells).collect();
        assert_eq!(
            found.iter().map(|run| (run.len(), run.is_user())).collect::<Vec<_>>(),
            [(2, true), (1, false), (1, true)]
        );
        assert_eq!(receiver.counters().valid, 4);
    }

    #[test]
    fn a_header_put_right_is_what_counts() {
        let mut cells = [cell(40, Pti::USER), cell(40, Pti::USER_LAST), cell(40, Pti::USER)];
        cells[1][3] ^= 0b0010;
        let mut receiver = HecReceiver::new();
        let mut found: Vec<_> = runs(&mut receiver, Interface::Uni, &cells).collect();
        let headers: Vec<_> = found.iter().flat_map(Run::iter).map(|(header, _)| header.pti()).collect();
        assert_eq!(headers, [Pti::USER, Pti::USER_LAST, Pti::USER]);
        assert_eq!(found.len(), 3);
        assert_eq!(found[1].take_pdu(&mut [[0; 48]; 2]).end, Pti::USER_LAST);
        assert!(found[1].is_empty());
    }

    proptest! {
        /// Runs are what one gets cell by cell, errors or not.
        #[test]
        fn runs_are_what_single_cells_are(
            cells in proptest::collection::vec((32u16..34, 0u8..8, proptest::option::of(0usize..40)), 0..30)
        ) {
            let cells: Vec<Cell> = cells.into_iter().map(|(vci, pti, wrong)| {
                let mut cell = cell(vci, Pti::new(pti));
                if let Some(bit) = wrong {
                    cell[bit / 8] ^= 0x80 >> (bit % 8);
                }
                cell
            }).collect();
            let mut receiver = HecReceiver::new();
            let one_by_one: Vec<_> = cells
                .iter()
                .filter_map(|cell| Some((receiver.check(header(cell)).ok()?, payload(cell))))
                .filter(|(header, _)| header.assignment(Interface::Uni) == Assignment::Assigned)
                .collect();
            let mut again = HecReceiver::new();
            let together: Vec<_> = runs(&mut again, Interface::Uni, &cells)
                .inspect(|run| assert!(run.iter().all(|(header, _)| header.vpvc(Interface::Uni) == run.vpvc())))
                .flat_map(|run| run.iter())
                .collect();
            prop_assert_eq!(together, one_by_one);
            let mut counters = *again.counters();
            counters.not_assigned = 0;
            prop_assert_eq!(counters, *receiver.counters());
        }
    }
}
