//! The header error control: an octet that guards the four before it, and can put one bit right (I.432.1 §4.3).
//!
//! The clause and its state machine are known from public descriptions; the text was not read.

use super::{HEADER_OCTETS, HeaderWord, HecCounters};

/// x^8 + x^2 + x + 1.
const POLYNOMIAL: u8 = 0x07;
/// Added to the remainder, so that cells are found again even if bits slip.
const COSET: u8 = 0x55;

/// The HEC of a header.
#[inline]
pub const fn hec(word: HeaderWord) -> u8 {
    remainder(word.0) ^ COSET
}

#[inline]
const fn remainder(word: u32) -> u8 {
    let [a, b, c, d] = word.to_be_bytes();
    REMAINDERS[3][a as usize]
        ^ REMAINDERS[2][b as usize]
        ^ REMAINDERS[1][c as usize]
        ^ REMAINDERS[0][d as usize]
}

/// What the receiver does about a wrong header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HecMode {
    /// Puts one wrong bit right. From `Detection`, after a header without an error; and at first.
    #[default]
    Correction,
    /// Only finds errors: they come in bursts, and a burst looks like a single bit too often. From `Correction`, after any
    /// error.
    Detection,
}

/// A header that cannot be trusted; the cell is to be dropped, and is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the HEC is wrong: {found:#04x}, expected {expected:#04x}")]
pub struct HecError {
    /// That of the cell.
    pub found: u8,
    /// That of its first four octets.
    pub expected: u8,
}

/// Checks the headers of the cells of one line, in their order.
///
/// ```text
///               no error                                any error: drop
///              ┌────────┐                               ┌────────┐
///              │        ▼    one bit: put it right      │        ▼
///              └─ Correction ─────────────────────▶ Detection ───┘
///                          ── several bits: drop ─▶
///                     ▲                                 │
///                     └──────────── no error ───────────┘
/// ```
/// Only four octets are looked at, so neither the payload nor the interface matters.
#[derive(Clone, Copy, Debug, Default)]
pub struct HecReceiver {
    mode: HecMode,
    counters: HecCounters,
}

impl HecReceiver {
    /// A receiver that corrects.
    pub fn new() -> HecReceiver {
        HecReceiver::default()
    }

    /// The header of the next cell, put right where that can be done.
    /// # Errors
    /// The cell is to be dropped. It has been counted.
    #[inline]
    pub fn check(&mut self, header: &[u8; HEADER_OCTETS]) -> Result<HeaderWord, HecError> {
        let [a, b, c, d, found] = *header;
        let word = HeaderWord(u32::from_be_bytes([a, b, c, d]));
        if hec(word) == found {
            self.mode = HecMode::Correction;
            self.counters.valid += 1;
            return Ok(word);
        }
        self.wrong(word, found)
    }

    #[cold]
    fn wrong(&mut self, word: HeaderWord, found: u8) -> Result<HeaderWord, HecError> {
        let expected = hec(word);
        let error = HecError { found, expected };
        match (self.mode, SINGLE_BITS[usize::from(found ^ expected)]) {
            (HecMode::Detection, _) => {
                self.counters.dropped_while_detecting += 1;
                Err(error)
            }
            (HecMode::Correction, None) => {
                self.mode = HecMode::Detection;
                self.counters.dropped_several_bits += 1;
                Err(error)
            }
            (HecMode::Correction, Some(bits)) => {
                self.mode = HecMode::Detection;
                self.counters.corrected += 1;
                Ok(HeaderWord(word.0 ^ bits))
            }
        }
    }

    /// `cells` more came behind the one just checked, and their headers are right.
    #[inline]
    pub(super) fn more_valid(&mut self, cells: usize) {
        self.counters.valid += cells as u64;
    }

    /// The cell just checked is of no connection.
    pub(super) fn not_assigned(&mut self) {
        self.counters.not_assigned += 1;
    }

    /// What it does about the next error.
    pub fn mode(&self) -> HecMode {
        self.mode
    }

    /// What it has counted.
    pub fn counters(&self) -> &HecCounters {
        &self.counters
    }
}

/// The remainder of each octet with none, one, two and three octets behind it.
static REMAINDERS: [[u8; 256]; 4] = remainders();

const fn remainders() -> [[u8; 256]; 4] {
    let mut tables = [[0; 256]; 4];
    let mut octet = 0;
    while octet < 256 {
        let mut remainder = octet as u8;
        let mut place = 0;
        while place < 4 {
            let mut bit = 0;
            while bit < 8 {
                let carry = remainder & 0x80 != 0;
                remainder <<= 1;
                if carry {
                    remainder ^= POLYNOMIAL;
                }
                bit += 1;
            }
            tables[place][octet] = remainder;
            place += 1;
        }
        octet += 1;
    }
    tables
}

/// By what the HECs differ by: which bit of the word, if any, is wrong, when one bit of the five octets is. All forty differ.
static SINGLE_BITS: [Option<u32>; 256] = single_bits();

const fn single_bits() -> [Option<u32>; 256] {
    let mut bits = [None; 256];
    let mut bit = 0;
    while bit < 8 {
        // In the HEC itself; the word is right.
        bits[1 << bit] = Some(0);
        bit += 1;
    }
    let mut bit = 0;
    while bit < 32 {
        let syndrome = remainder(1 << bit) as usize;
        assert!(bits[syndrome].is_none(), "two single-bit errors look alike");
        bits[syndrome] = Some(1 << bit);
        bit += 1;
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The forty bits of a header, one of them turned over.
    fn flipped(header: [u8; 5], bit: usize) -> [u8; 5] {
        let mut header = header;
        header[bit / 8] ^= 0x80 >> (bit % 8);
        header
    }

    /// Idle and unassigned cells as I.432.1 and I.361 give them, as every description repeats; and the one that hecs are
    /// usually shown with.
    #[test]
    fn known_hecs() {
        assert_eq!(hec(HeaderWord::IDLE), 0x52);
        assert_eq!(hec(HeaderWord::UNASSIGNED), 0x55);
        let crc8 = crc::Crc::<u8>::new(&crc::CRC_8_I_432_1);
        for word in (0..=u32::MAX).step_by(0x0001_3579) {
            assert_eq!(hec(HeaderWord(word)), crc8.checksum(&word.to_be_bytes()));
        }
    }

    #[test]
    fn an_error_is_put_right_and_the_next_one_is_not() {
        let right = HeaderWord(0x0050_0640);
        let one_off = flipped(right.octets(), 9);
        let two_off = flipped(one_off, 30);
        let mut receiver = HecReceiver::new();
        let steps = [
            (right.octets(), true, HecMode::Correction),
            (one_off, true, HecMode::Detection),
            (one_off, false, HecMode::Detection),
            (two_off, false, HecMode::Detection),
            (right.octets(), true, HecMode::Correction),
            (two_off, false, HecMode::Detection),
            (right.octets(), true, HecMode::Correction),
        ];
        for (at, (header, taken, mode)) in steps.into_iter().enumerate() {
            assert_eq!(receiver.check(&header).ok(), taken.then_some(right), "step {at}");
            assert_eq!(receiver.mode(), mode, "step {at}");
        }
        let counters = receiver.counters();
        assert_eq!((counters.valid, counters.corrected), (3, 1));
        assert_eq!((counters.dropped_while_detecting, counters.dropped_several_bits), (2, 1));
    }

    proptest! {
        /// All forty single errors of a header are put right, while correcting; all are found, while detecting.
        #[test]
        fn every_single_error_is_corrected(word: u32) {
            let word = HeaderWord(word);
            for bit in 0..40 {
                let wrong = flipped(word.octets(), bit);
                let mut receiver = HecReceiver::new();
                prop_assert_eq!(receiver.check(&wrong), Ok(word));
                prop_assert!(receiver.check(&wrong).is_err());
            }
        }

        /// All 780 double errors are found in either mode, and never taken for a single one.
        #[test]
        fn every_double_error_is_found(word: u32) {
            for (first, second) in (0..40).flat_map(|first| (0..first).map(move |second| (first, second))) {
                let wrong = flipped(flipped(HeaderWord(word).octets(), first), second);
                let mut receiver = HecReceiver::new();
                prop_assert!(receiver.check(&wrong).is_err());
                prop_assert_eq!(receiver.mode(), HecMode::Detection);
                prop_assert!(receiver.check(&wrong).is_err());
                prop_assert_eq!(receiver.counters().corrected, 0);
            }
        }
    }
}
