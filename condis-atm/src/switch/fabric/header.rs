//! The header of a cell on its way through: what stays, what is written anew.

use condis_link::atm::VpVc;

/// Bits of the fourth octet that stay: payload type and cell loss priority (I.361 §2.2.4, §2.2.5).
const KEPT: u32 = 0xf;
/// Payload type, not a user's: OAM or resource management.
const NOT_USER: u32 = 0x8;
/// Congestion experienced, of a user's cell.
const EFCI: u32 = 0x4;
/// ATM user to ATM user: the last cell of an AAL5 frame.
const AUU: u32 = 0x2;
/// Cell loss priority: discard this one first.
const CLP: u32 = 0x1;

/// The first four octets of a cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header(pub(super) u32);

impl Header {
    /// VPI and below it the VCI: at a UNI the flow control field above them is nobody's.
    #[inline]
    pub(super) fn key(self) -> u32 {
        self.0 >> 4 & 0x00ff_ffff
    }

    /// True if a user sent it, false of OAM and resource management.
    #[inline]
    pub(super) fn is_user(self) -> bool {
        self.0 & NOT_USER == 0
    }

    /// True if it ends an AAL5 frame.
    #[inline]
    pub(super) fn is_last(self) -> bool {
        self.0 & AUU != 0
    }

    /// True if it goes first when there is no room.
    #[inline]
    pub(super) fn is_low_priority(self) -> bool {
        self.0 & CLP != 0
    }

    /// With its cell loss priority set to 1.
    #[inline]
    pub(super) fn tagged(self) -> Header {
        Header(self.0 | CLP)
    }

    /// A user's, with congestion marked; another as it is.
    #[inline]
    pub(super) fn congested(self) -> Header {
        if self.is_user() { Header(self.0 | EFCI) } else { self }
    }
}

/// The header that a leg writes, all but the bits that stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rewrite {
    header: u32,
    hec: u8,
}

impl Rewrite {
    pub(super) fn new(vpvc: VpVc) -> Rewrite {
        let header = u32::from(vpvc.vpi.0 & 0xff) << 20 | u32::from(vpvc.vci.0) << 4;
        Rewrite { header, hec: hec(header) }
    }

    /// The five octets of a cell that came with `header`. The HEC is linear: what the low bits add is looked up.
    #[inline]
    pub(super) fn apply(self, header: Header) -> [u8; 5] {
        let kept = header.0 & KEPT;
        let [a, b, c, d] = (self.header | kept).to_be_bytes();
        [a, b, c, d, self.hec ^ OF_KEPT[kept as usize]]
    }
}

/// The HEC of four octets: CRC-8 with x^8 + x^2 + x + 1, and the coset 0x55 added (I.432.1 §4.3.2).
#[inline]
pub(super) fn hec(header: u32) -> u8 {
    let [a, b, c, d] = header.to_be_bytes();
    TABLES[3][a as usize] ^ TABLES[2][b as usize] ^ TABLES[1][c as usize] ^ TABLES[0][d as usize] ^ COSET
}

const COSET: u8 = 0x55;

/// What an octet adds to the CRC, by how many octets are behind it.
static TABLES: [[u8; 256]; 4] = tables();
static OF_KEPT: [u8; 16] = of_kept();

const fn tables() -> [[u8; 256]; 4] {
    let mut tables = [[0; 256]; 4];
    let mut octet = 0;
    while octet < 256 {
        let mut crc = octet as u8;
        let mut behind = 0;
        while behind < 4 {
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 0x80 != 0 { crc << 1 ^ 0x07 } else { crc << 1 };
                bit += 1;
            }
            tables[behind][octet] = crc;
            behind += 1;
        }
        octet += 1;
    }
    tables
}

const fn of_kept() -> [u8; 16] {
    let tables = tables();
    let mut of_kept = [0; 16];
    let mut kept = 0;
    while kept < 16 {
        of_kept[kept] = tables[0][kept];
        kept += 1;
    }
    of_kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hec_is_that_of_known_cells() {
        // The idle cell (I.432.1 §4.3.3.2), and 0.5 with a last cell, bit by bit.
        assert_eq!(hec(0x0000_0001), 0x52);
        assert_eq!(hec(0x0000_0000), 0x55);
        let by_bit = |header: u32| {
            let mut rest = u64::from(header) << 8;
            (8..40).rev().for_each(|bit| rest ^= if rest >> bit & 1 == 1 { 0x107 << (bit - 8) } else { 0 });
            rest as u8 ^ 0x55
        };
        for header in [0x0000_0052, 0xffff_ffff, 0x1234_5678, 0x0ff0_0200] {
            assert_eq!(hec(header), by_bit(header), "{header:08x}");
        }
    }

    #[test]
    fn a_leg_writes_its_own_identifiers_and_leaves_the_rest() {
        for kept in 0..16 {
            let header = Header(0xf120_0a30 | kept);
            let [a, b, c, d, hec_octet] = Rewrite::new(VpVc::new(0xab, 0xcdef)).apply(header);
            let written = u32::from_be_bytes([a, b, c, d]);
            assert_eq!(written, 0x0abc_def0 | kept, "the flow control field is cleared");
            assert_eq!(hec_octet, hec(written));
        }
    }

    #[test]
    fn the_bits_mean_what_the_standard_says() {
        assert_eq!(Header(0xf120_0a30).key(), 0x1200a3);
        assert!(Header(0x0).is_user() && Header(0x6).is_user() && !Header(0x8).is_user() && !Header(0xe).is_user());
        assert!(Header(0x2).is_last() && Header(0x6).is_last() && !Header(0x4).is_last());
        assert!(Header(0x1).is_low_priority() && Header(0x2).tagged().is_low_priority());
        assert_eq!(Header(0x2).congested(), Header(0x6));
        assert_eq!(Header(0xa).congested(), Header(0xa));
    }
}
