//! The header of a cell: four octets, and the HEC behind them.

use std::fmt;

use condis_link::atm::Cell;

use super::{HEADER_OCTETS, PAYLOAD_OCTETS, Pti, hec};
use crate::{VpVc, Vpi};

/// Whose form a header has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Interface {
    /// User and network: 4 bits of GFC, 8 of VPI.
    Uni,
    /// Network and network: 12 bits of VPI.
    Nni,
}

impl Interface {
    /// The largest VPI that fits.
    pub const fn vpi_max(self) -> Vpi {
        match self {
            Interface::Uni => Vpi(0xff),
            Interface::Nni => Vpi(0xfff),
        }
    }
}

/// Four octets of header, the HEC apart, as one word: the view. Every word is a header; what it says of the VPI depends on
/// the [`Interface`].
///
/// This is what the data path uses: it costs nothing to make, and the `with_…` change one field.
///
/// ```text
///  31    28 27    20 19        4 3    1  0
///  [ GFC  ] [ VPI  ] [   VCI   ] [PTI] CLP     UNI
///  [     VPI       ] [   VCI   ] [PTI] CLP     NNI
/// ```
/// Source: I.361 §2.2, known from its public descriptions; text not read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct HeaderWord(pub u32);

impl HeaderWord {
    const CLP: u32 = 1;
    const PTI_SHIFT: u32 = 1;
    const PTI: u32 = 0b111 << Self::PTI_SHIFT;
    const VCI_SHIFT: u32 = 4;
    const VPI_SHIFT: u32 = 20;
    const GFC_SHIFT: u32 = 28;
    /// VPI and VCI; at a UNI the GFC above them.
    const CONNECTION: u32 = !(Self::PTI | Self::CLP);

    /// The header of a user cell on this connection: GFC, PTI and CLP are zero.
    /// # Errors
    /// The VPI does not fit.
    pub const fn new(interface: Interface, vpvc: VpVc) -> Result<HeaderWord, VpiTooLarge> {
        if vpvc.vpi.0 > interface.vpi_max().0 {
            return Err(VpiTooLarge { vpi: vpvc.vpi, interface });
        }
        Ok(HeaderWord((vpvc.vpi.0 as u32) << Self::VPI_SHIFT | (vpvc.vci.0 as u32) << Self::VCI_SHIFT))
    }

    /// The first four octets of a cell.
    #[inline]
    pub const fn of(cell: &Cell) -> HeaderWord {
        HeaderWord(u32::from_be_bytes([cell[0], cell[1], cell[2], cell[3]]))
    }

    /// On which connection.
    #[inline]
    pub const fn vpvc(self, interface: Interface) -> VpVc {
        let vpi = (self.0 >> Self::VPI_SHIFT) as u16 & interface.vpi_max().0;
        VpVc::new(vpi, (self.0 >> Self::VCI_SHIFT) as u16)
    }

    /// Generic flow control, at a UNI.
    #[inline]
    pub const fn gfc(self) -> u8 {
        (self.0 >> Self::GFC_SHIFT) as u8
    }

    /// What the payload is.
    #[inline]
    pub const fn pti(self) -> Pti {
        Pti::new((self.0 >> Self::PTI_SHIFT) as u8)
    }

    /// Cell loss priority: true if the cell may be lost first.
    #[inline]
    pub const fn clp(self) -> bool {
        self.0 & Self::CLP != 0
    }

    /// The same, with another PTI.
    #[inline]
    #[must_use]
    pub const fn with_pti(self, pti: Pti) -> HeaderWord {
        HeaderWord(self.0 & !Self::PTI | (pti.bits() as u32) << Self::PTI_SHIFT)
    }

    /// The same, with another CLP.
    #[inline]
    #[must_use]
    pub const fn with_clp(self, clp: bool) -> HeaderWord {
        HeaderWord(self.0 & !Self::CLP | clp as u32)
    }

    /// The same, with congestion told if it is a user cell.
    #[inline]
    #[must_use]
    pub const fn with_efci(self) -> HeaderWord {
        self.with_pti(self.pti().with_efci())
    }

    /// The same PTI and CLP on the connection of `other`, whose other bits do not matter. So a switch turns a label over.
    #[inline]
    #[must_use]
    pub const fn on(self, other: HeaderWord) -> HeaderWord {
        HeaderWord(self.0 & !Self::CONNECTION | other.0 & Self::CONNECTION)
    }

    /// True if both are of one connection, seen as whole words: at a UNI also of one GFC.
    #[inline]
    pub const fn same_connection(self, other: HeaderWord) -> bool {
        (self.0 ^ other.0) & Self::CONNECTION == 0
    }

    /// The four octets and their HEC.
    #[inline]
    pub const fn octets(self) -> [u8; HEADER_OCTETS] {
        let [a, b, c, d] = self.0.to_be_bytes();
        [a, b, c, d, hec::hec(self)]
    }

    /// A cell with this header.
    pub fn cell(self, payload: &[u8; PAYLOAD_OCTETS]) -> Cell {
        let mut cell = [0; _];
        self.write_to(&mut cell);
        super::payload_mut(&mut cell).copy_from_slice(payload);
        cell
    }

    /// Writes the four octets and their HEC into a cell.
    #[inline]
    pub fn write_to(self, cell: &mut Cell) {
        cell[..HEADER_OCTETS].copy_from_slice(&self.octets());
    }

    /// What the header assigns the cell to.
    pub const fn assignment(self, interface: Interface) -> Assignment {
        let vpvc = self.vpvc(interface);
        match (vpvc.vpi.0, vpvc.vci.0, self.clp()) {
            (0, 0, false) => Assignment::Unassigned,
            (0, 0, true) if self.0 == Self::IDLE.0 => Assignment::Idle,
            (0, 0, true) => Assignment::PhysicalLayer,
            _ => Assignment::Assigned,
        }
    }

    /// Every field by its name.
    pub const fn fields(self, interface: Interface) -> Header {
        let gfc = match interface {
            Interface::Uni => self.gfc(),
            Interface::Nni => 0,
        };
        Header { interface, gfc, vpvc: self.vpvc(interface), pti: self.pti(), clp: self.clp() }
    }

    /// Of idle cells, which fill the line between others.
    pub const IDLE: HeaderWord = HeaderWord(0x0000_0001);
    /// Of unassigned cells.
    pub const UNASSIGNED: HeaderWord = HeaderWord(0);
}

impl fmt::Debug for HeaderWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x} ({})", self.0, self.fields(Interface::Uni))
    }
}

/// A header with its fields apart: the value.
///
/// Prints itself in one line: `0.5 user, last`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Header {
    /// Its form.
    pub interface: Interface,
    /// Generic flow control, 4 bits; 0 at an NNI, which has none.
    pub gfc: u8,
    /// On which connection.
    pub vpvc: VpVc,
    /// What the payload is.
    pub pti: Pti,
    /// Cell loss priority.
    pub clp: bool,
}

impl Header {
    /// As a word. Bits of the GFC above the fourth, and the whole GFC at an NNI, are left out.
    /// # Errors
    /// The VPI does not fit.
    pub const fn word(&self) -> Result<HeaderWord, VpiTooLarge> {
        let word = match HeaderWord::new(self.interface, self.vpvc) {
            Ok(word) => word.with_pti(self.pti).with_clp(self.clp),
            Err(error) => return Err(error),
        };
        Ok(match self.interface {
            Interface::Uni => HeaderWord(word.0 | (self.gfc as u32) << HeaderWord::GFC_SHIFT),
            Interface::Nni => word,
        })
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.vpvc, self.pti)?;
        if self.clp {
            f.write_str(", CLP 1")?;
        }
        if self.gfc != 0 {
            write!(f, ", GFC {}", self.gfc)?;
        }
        Ok(())
    }
}

/// What a cell is for, as far as its header tells. Source: I.361 §2.2.1, text not read; the patterns are public.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Assignment {
    /// VPI and VCI are zero, and so is the CLP: no cell, room on the line.
    Unassigned,
    /// Idle: put in and taken out by the physical layer.
    Idle,
    /// Another cell of the physical layer, its OAM: VPI and VCI are zero, the CLP is one.
    PhysicalLayer,
    /// A cell of a connection.
    Assigned,
}

/// A VPI that does not fit into a header of this form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("VPI {} is above {}, the largest of a {interface:?} header", .vpi.0, .interface.vpi_max().0)]
pub struct VpiTooLarge {
    /// The VPI.
    pub vpi: Vpi,
    /// The form.
    pub interface: Interface,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNI: Interface = Interface::Uni;
    const NNI: Interface = Interface::Nni;

    #[test]
    fn known_headers() {
        // Signaling, the last cell of a PDU; as on any capture of a UNI.
        let signaling = HeaderWord::new(UNI, VpVc::SIGNALING).unwrap().with_pti(Pti::USER_LAST);
        assert_eq!(signaling.octets()[..4], [0x00, 0x00, 0x00, 0x52]);
        assert_eq!(signaling.fields(UNI).to_string(), "0.5 user, last");
        let all = Header {
            interface: UNI,
            gfc: 0xa,
            vpvc: VpVc::new(0xbc, 0xdef1),
            pti: Pti::new(0b011),
            clp: true,
        };
        assert_eq!(all.word().unwrap().octets()[..4], [0xab, 0xcd, 0xef, 0x17]);
        assert_eq!(all.to_string(), "188.57073 user, congestion, last, CLP 1, GFC 10");
        assert_eq!(HeaderWord(0xabcd_ef17).vpvc(NNI), VpVc::new(0xabc, 0xdef1));
    }

    #[test]
    fn a_vpi_that_does_not_fit_is_refused() {
        let vpvc = |vpi| VpVc::new(vpi, 32);
        for (interface, max) in [(UNI, 255), (NNI, 4095)] {
            assert!(HeaderWord::new(interface, vpvc(max)).is_ok());
            let refused = HeaderWord::new(interface, vpvc(max + 1));
            assert_eq!(refused, Err(VpiTooLarge { vpi: Vpi(max + 1), interface }));
        }
        assert_eq!(
            HeaderWord::new(UNI, vpvc(256)).unwrap_err().to_string(),
            "VPI 256 is above 255, the largest of a Uni header"
        );
    }

    #[test]
    fn cells_that_are_of_no_connection() {
        let assignment = |word| HeaderWord(word).assignment(UNI);
        assert_eq!(assignment(0x0000_0001), Assignment::Idle);
        assert_eq!(assignment(0x0000_0009), Assignment::PhysicalLayer);
        assert_eq!(assignment(0xf000_000e), Assignment::Unassigned);
        assert_eq!(HeaderWord(0xf000_000e).assignment(NNI), Assignment::Assigned);
        assert_eq!(assignment(0x0000_0010), Assignment::Assigned);
        assert_eq!(assignment(0x0010_0000), Assignment::Assigned);
    }

    proptest! {
        /// Every word is a header of either form, and is what its fields make again.
        #[test]
        fn words_and_fields_are_the_same(word: u32, other: u32) {
            let word = HeaderWord(word);
            for interface in [UNI, NNI] {
                prop_assert_eq!(word.fields(interface).word(), Ok(word));
            }
            let turned = word.on(HeaderWord(other));
            prop_assert!(turned.same_connection(HeaderWord(other)));
            prop_assert_eq!((turned.pti(), turned.clp()), (word.pti(), word.clp()));
            prop_assert_eq!(HeaderWord::of(&word.cell(&[0x6a; 48])), word);
        }
    }
}
