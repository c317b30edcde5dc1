//! The types of PDU.

use std::fmt;

macro_rules! kinds {
    ($($(#[$meta:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// The type of a PDU (Q.2110 Table 2). The numbers are those of the wire.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum PduKind {
            $($(#[$meta])* $name = $code,)*
        }

        impl PduKind {
            /// All of them, by number.
            pub const ALL: [PduKind; 15] = [$(PduKind::$name,)*];

            /// The type with this number, of four bits.
            pub const fn new(code: u8) -> Option<PduKind> {
                match code {
                    $($code => Some(PduKind::$name),)*
                    _ => None,
                }
            }

            /// As the standard writes it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(PduKind::$name => $text,)*
                }
            }
        }
    };
}

kinds! {
    /// Begin: asks for a connection.
    Bgn = 0x1, "BGN";
    /// Begin acknowledge.
    Bgak = 0x2, "BGAK";
    /// End: releases a connection.
    End = 0x3, "END";
    /// End acknowledge.
    Endak = 0x4, "ENDAK";
    /// Resynchronization.
    Rs = 0x5, "RS";
    /// Resynchronization acknowledge.
    Rsak = 0x6, "RSAK";
    /// Begin reject.
    Bgrej = 0x7, "BGREJ";
    /// Sequenced data.
    Sd = 0x8, "SD";
    /// Error recovery.
    Er = 0x9, "ER";
    /// Asks for the receiver's status.
    Poll = 0xa, "POLL";
    /// The receiver's status, asked for.
    Stat = 0xb, "STAT";
    /// The receiver's status, unasked: a gap.
    Ustat = 0xc, "USTAT";
    /// Unnumbered data.
    Ud = 0xd, "UD";
    /// Unnumbered data of layer management.
    Md = 0xe, "MD";
    /// Error recovery acknowledge.
    Erak = 0xf, "ERAK";
}

impl PduKind {
    /// The number on the wire, of four bits.
    pub const fn get(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for PduKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
