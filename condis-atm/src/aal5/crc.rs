//! The CRC-32 of AAL5: x^32 + x^26 + … + 1 (0x04c11db7), not reflected, from all ones, complemented.
//!
//! It goes by the name of CRC-32/BZIP2. Two kernels do it, each faster than the other on its side of [`SHORT_OCTETS`]: tables,
//! 16 octets at a time, and crc-fast's carry-less multiplications, which take a while to begin.

use crc::{CRC_32_BZIP2, Crc, Table};
use crc_fast::{CrcAlgorithm, Digest, checksum};

/// From here on crc-fast is the faster.
const SHORT_OCTETS: usize = 64;

/// The CRC-32 of AAL5 over these octets.
///
/// ```
/// // Over a whole PDU, its CRC included, it gives the same number for all that is right: the residue.
/// let mut pdu = b"any octets".to_vec();
/// pdu.extend(condis_atm::aal5::crc_32(&pdu).to_be_bytes());
/// assert_eq!(!condis_atm::aal5::crc_32(&pdu), 0xc704_dd7b);
/// ```
pub fn crc_32(octets: &[u8]) -> u32 {
    let mut crc = Crc32::new();
    crc.update(octets);
    crc.finish()
}

/// A CRC-32 under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Crc32(u32);

impl Crc32 {
    const START: u32 = !0;

    #[inline]
    pub(super) const fn new() -> Crc32 {
        Crc32(Self::START)
    }

    /// These octets come next.
    #[inline]
    pub(super) fn update(&mut self, octets: &[u8]) {
        self.0 = if octets.len() < SHORT_OCTETS { sliced(self.0, octets) } else { folded(self.0, octets) };
    }

    /// The same, for octets whose number is known beforehand and small.
    #[inline]
    pub(super) fn update_short<const N: usize>(&mut self, octets: &[u8; N]) {
        self.0 = sliced_inline(self.0, octets);
    }

    /// The CRC of all that came.
    #[inline]
    pub(super) const fn finish(self) -> u32 {
        !self.0
    }
}

fn folded(state: u32, octets: &[u8]) -> u32 {
    if state == Crc32::START {
        // Spares a copy of crc-fast's parameters.
        return !(checksum(CrcAlgorithm::Crc32Bzip2, octets) as u32);
    }
    let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc32Bzip2, u64::from(state));
    digest.update(octets);
    digest.get_state() as u32
}

static TABLES: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_BZIP2);

fn sliced(state: u32, octets: &[u8]) -> u32 {
    sliced_inline(state, octets)
}

#[inline(always)]
fn sliced_inline(state: u32, octets: &[u8]) -> u32 {
    let tables = TABLES.table();
    let (sixteens, octets) = octets.as_chunks::<16>();
    let state = sixteens.iter().fold(state, |state, block| slice(tables, state, block));
    // One more step for what is left of whole fours, since each has to wait for the one before.
    let (state, octets) = if let Some((block, octets)) = octets.split_first_chunk::<12>() {
        (slice(tables, state, block), octets)
    } else if let Some((block, octets)) = octets.split_first_chunk::<8>() {
        (slice(tables, state, block), octets)
    } else if let Some((block, octets)) = octets.split_first_chunk::<4>() {
        (slice(tables, state, block), octets)
    } else {
        (state, octets)
    };
    octets.iter().fold(state, |state, octet| {
        let [first, ..] = state.to_be_bytes();
        state << 8 ^ tables[0][usize::from(first ^ octet)]
    })
}

/// `N` octets at once, at least four. Table `n` has the remainders of octets with `n` more behind them.
///
/// The four that the state goes into come last: all others need not wait for the step before.
#[inline(always)]
fn slice<const N: usize>(tables: &[[u32; 256]; 16], state: u32, block: &[u8; N]) -> u32 {
    let mut next = 0;
    for at in (4..N).rev() {
        next ^= tables[N - 1 - at][usize::from(block[at])];
    }
    let first = block.first_chunk::<4>().expect("at least four octets");
    let [a, b, c, d] = (u32::from_be_bytes(*first) ^ state).to_be_bytes();
    let one = tables[N - 1][usize::from(a)] ^ tables[N - 2][usize::from(b)];
    let other = tables[N - 3][usize::from(c)] ^ tables[N - 4][usize::from(d)];
    next ^ (one ^ other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The check value of the catalogue of CRCs.
    #[test]
    fn known_values() {
        assert_eq!(crc_32(b"123456789"), 0xfc89_1918);
        assert_eq!(crc_32(b""), 0);
    }

    /// The residue of I.363.5: what stays in the register over a PDU with its CRC.
    #[test]
    fn the_residue_is_that_of_aal5() {
        for len in 0..300 {
            let mut octets: Vec<u8> = (0..len).map(|at| (at * 31) as u8).collect();
            octets.extend(crc_32(&octets).to_be_bytes());
            let mut crc = Crc32::new();
            crc.update(&octets);
            assert_eq!(crc.0, 0xc704_dd7b);
        }
    }

    proptest! {
        /// Both kernels are the definition, whole or in pieces.
        #[test]
        fn kernels_agree(octets in proptest::collection::vec(any::<u8>(), 0..400), cut in 0usize..400) {
            let by_definition = octets.iter().fold(!0u32, |state, octet| {
                (0..8).rev().fold(state, |state, bit| {
                    let carry = state >> 31 ^ u32::from(octet >> bit & 1);
                    state << 1 ^ if carry == 1 { 0x04c1_1db7 } else { 0 }
                })
            });
            prop_assert_eq!(sliced(!0, &octets), by_definition);
            prop_assert_eq!(folded(!0, &octets), by_definition);
            let (first, second) = octets.split_at(cut.min(octets.len()));
            prop_assert_eq!(folded(sliced(!0, first), second), by_definition);
            prop_assert_eq!(sliced(folded(!0, first), second), by_definition);
        }
    }
}
