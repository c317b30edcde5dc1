//! One PDU.

use std::borrow::Cow;
use std::fmt;

use super::{PduKind, WireError};
use crate::sscop::Sn;

/// Octets of a word: every part of a trailer is one.
const WORD: usize = 4;
/// In the first octet of the last word.
const TYPE_MASK: u8 = 0x0f;
const SOURCE_BIT: u8 = 0x10;
const PAD_SHIFT: u32 = 6;

/// Octets of the trailer, by type, and what may be before it (Q.2110 Figures 3 to 16).
const fn layout(kind: PduKind) -> (usize, Before) {
    match kind {
        PduKind::Bgn | PduKind::Bgak | PduKind::Bgrej | PduKind::End | PduKind::Rs => (8, Before::Sdu),
        PduKind::Sd | PduKind::Ud | PduKind::Md => (4, Before::Sdu),
        PduKind::Endak | PduKind::Rsak | PduKind::Er | PduKind::Erak | PduKind::Poll => (8, Before::Nothing),
        PduKind::Stat => (12, Before::List),
        PduKind::Ustat => (16, Before::Nothing),
    }
}

/// What is before a trailer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// Octets, padded to a multiple of four.
    Sdu,
    /// Sequence numbers, a word each.
    List,
}

/// Who ends a connection: the S bit of END, and of AA-RELEASE.indication.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Source {
    /// The user of SSCOP. The bit is 0.
    User,
    /// SSCOP itself, after an error. The bit is 1.
    Sscop,
}

/// A PDU. Octets that it carries are borrowed; `uu` is the users' own information, often empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pdu<'a> {
    /// Begin.
    Bgn {
        /// Which attempt this is. Always 0 in Q.SAAL1 (UNI 3.0).
        n_sq: u8,
        /// The first number that the sender of this will not take.
        n_mr: Sn,
        /// User-to-user information.
        uu: &'a [u8],
    },
    /// Begin acknowledge.
    Bgak {
        /// The first number that the sender of this will not take.
        n_mr: Sn,
        /// User-to-user information.
        uu: &'a [u8],
    },
    /// Begin reject.
    Bgrej {
        /// User-to-user information.
        uu: &'a [u8],
    },
    /// End.
    End {
        /// Who ends it.
        source: Source,
        /// User-to-user information.
        uu: &'a [u8],
    },
    /// End acknowledge.
    Endak,
    /// Resynchronization.
    Rs {
        /// Which attempt this is.
        n_sq: u8,
        /// The first number that the sender of this will not take.
        n_mr: Sn,
        /// User-to-user information.
        uu: &'a [u8],
    },
    /// Resynchronization acknowledge.
    Rsak {
        /// The first number that the sender of this will not take.
        n_mr: Sn,
    },
    /// Error recovery.
    Er {
        /// Which attempt this is.
        n_sq: u8,
        /// The first number that the sender of this will not take.
        n_mr: Sn,
    },
    /// Error recovery acknowledge.
    Erak {
        /// The first number that the sender of this will not take.
        n_mr: Sn,
    },
    /// Sequenced data.
    Sd {
        /// Its number.
        n_s: Sn,
        /// The SDU.
        sdu: &'a [u8],
    },
    /// Poll.
    Poll {
        /// The poll's number.
        n_ps: Sn,
        /// The number of the next new SD.
        n_s: Sn,
    },
    /// Status, asked for.
    Stat {
        /// The poll that asked.
        n_ps: Sn,
        /// The first number that the sender of this will not take.
        n_mr: Sn,
        /// The first number that it still lacks.
        n_r: Sn,
        /// Where what it lacks begins and ends, by turns: `[2, 4, 7, 8]` lacks 2, 3 and 7; an odd last one ends what it has.
        list: Cow<'a, [Sn]>,
    },
    /// Status, unasked.
    Ustat {
        /// The first number that the sender of this will not take.
        n_mr: Sn,
        /// The first number that it still lacks.
        n_r: Sn,
        /// The first number of a gap.
        from: Sn,
        /// The first number after that gap.
        to: Sn,
    },
    /// Unnumbered data.
    Ud {
        /// The SDU.
        sdu: &'a [u8],
    },
    /// Unnumbered data of layer management.
    Md {
        /// The SDU.
        sdu: &'a [u8],
    },
}

impl<'a> Pdu<'a> {
    /// Reads a PDU. Reserved bits and the content of padding are not looked at.
    ///
    /// # Errors
    /// [`WireError`]: it is dropped, and reported as MAA-ERROR U.
    pub fn parse(octets: &'a [u8]) -> Result<Pdu<'a>, WireError> {
        let len = octets.len();
        let Some((before, &[control, high, mid, low])) =
            octets.split_last_chunk::<WORD>().filter(|_| len.is_multiple_of(WORD))
        else {
            return Err(WireError::Length { len });
        };
        let code = control & TYPE_MASK;
        let kind = PduKind::new(code).ok_or(WireError::UnknownType(code))?;
        let last = Sn::new(u32::from_be_bytes([0, high, mid, low]));
        let (trailer, content) = layout(kind);
        if len < trailer || (content == Before::Nothing && len != trailer) {
            return Err(WireError::LengthOfKind { kind, len });
        }
        let (content_octets, words) = before.split_at(len - trailer);
        let word = |back: usize| number(&words[words.len() - back * WORD..]);
        // N(SQ) is the last octet of its word.
        let n_sq = || words[words.len() - 1];
        let sdu = || unpadded(kind, control, content_octets);
        Ok(match kind {
            PduKind::Bgn => Pdu::Bgn { n_sq: n_sq(), n_mr: last, uu: sdu()? },
            PduKind::Bgak => Pdu::Bgak { n_mr: last, uu: sdu()? },
            PduKind::Bgrej => Pdu::Bgrej { uu: sdu()? },
            PduKind::End => {
                let source = if control & SOURCE_BIT == 0 { Source::User } else { Source::Sscop };
                Pdu::End { source, uu: sdu()? }
            }
            PduKind::Endak => Pdu::Endak,
            PduKind::Rs => Pdu::Rs { n_sq: n_sq(), n_mr: last, uu: sdu()? },
            PduKind::Rsak => Pdu::Rsak { n_mr: last },
            PduKind::Er => Pdu::Er { n_sq: n_sq(), n_mr: last },
            PduKind::Erak => Pdu::Erak { n_mr: last },
            PduKind::Sd => Pdu::Sd { n_s: last, sdu: sdu()? },
            PduKind::Poll => Pdu::Poll { n_ps: word(1), n_s: last },
            PduKind::Stat => Pdu::Stat {
                n_ps: word(2),
                n_mr: word(1),
                n_r: last,
                list: content_octets.chunks_exact(WORD).map(number).collect(),
            },
            PduKind::Ustat => Pdu::Ustat { from: word(3), to: word(2), n_mr: word(1), n_r: last },
            PduKind::Ud => Pdu::Ud { sdu: sdu()? },
            PduKind::Md => Pdu::Md { sdu: sdu()? },
        })
    }

    /// Its type.
    pub fn kind(&self) -> PduKind {
        match self {
            Pdu::Bgn { .. } => PduKind::Bgn,
            Pdu::Bgak { .. } => PduKind::Bgak,
            Pdu::Bgrej { .. } => PduKind::Bgrej,
            Pdu::End { .. } => PduKind::End,
            Pdu::Endak => PduKind::Endak,
            Pdu::Rs { .. } => PduKind::Rs,
            Pdu::Rsak { .. } => PduKind::Rsak,
            Pdu::Er { .. } => PduKind::Er,
            Pdu::Erak { .. } => PduKind::Erak,
            Pdu::Sd { .. } => PduKind::Sd,
            Pdu::Poll { .. } => PduKind::Poll,
            Pdu::Stat { .. } => PduKind::Stat,
            Pdu::Ustat { .. } => PduKind::Ustat,
            Pdu::Ud { .. } => PduKind::Ud,
            Pdu::Md { .. } => PduKind::Md,
        }
    }

    /// What it carries for users or for layer management; empty where the type carries nothing.
    pub fn sdu(&self) -> &'a [u8] {
        match self {
            Pdu::Bgn { uu, .. }
            | Pdu::Bgak { uu, .. }
            | Pdu::Bgrej { uu }
            | Pdu::End { uu, .. }
            | Pdu::Rs { uu, .. } => uu,
            Pdu::Sd { sdu, .. } | Pdu::Ud { sdu } | Pdu::Md { sdu } => sdu,
            Pdu::Endak
            | Pdu::Rsak { .. }
            | Pdu::Er { .. }
            | Pdu::Erak { .. }
            | Pdu::Poll { .. }
            | Pdu::Stat { .. }
            | Pdu::Ustat { .. } => &[],
        }
    }

    /// Octets that [`encode`](Pdu::encode) gives: a multiple of four.
    pub fn encoded_len(&self) -> usize {
        let (trailer, _) = layout(self.kind());
        let list = match self {
            Pdu::Stat { list, .. } => list.len() * WORD,
            _ => 0,
        };
        self.sdu().len().next_multiple_of(WORD) + list + trailer
    }

    /// Writes it. Padding and reserved bits are zero.
    pub fn encode(&self) -> Vec<u8> {
        let len = self.encoded_len();
        let mut octets = Vec::with_capacity(len);
        octets.extend_from_slice(self.sdu());
        let padded = octets.len().next_multiple_of(WORD);
        let pad = u8::try_from(padded - octets.len()).expect("padding is at most 3 octets");
        octets.resize(padded, 0);
        let mut control = pad << PAD_SHIFT | self.kind().get();
        let mut word = |number: Sn| octets.extend_from_slice(&number.get().to_be_bytes());
        let last = match self {
            Pdu::Bgn { n_sq, n_mr, .. } | Pdu::Rs { n_sq, n_mr, .. } | Pdu::Er { n_sq, n_mr } => {
                word(Sn::new(u32::from(*n_sq)));
                *n_mr
            }
            Pdu::Bgak { n_mr, .. } | Pdu::Rsak { n_mr } | Pdu::Erak { n_mr } => {
                word(Sn::ZERO);
                *n_mr
            }
            Pdu::End { source, .. } => {
                word(Sn::ZERO);
                if *source == Source::Sscop {
                    control |= SOURCE_BIT;
                }
                Sn::ZERO
            }
            Pdu::Bgrej { .. } | Pdu::Endak => {
                word(Sn::ZERO);
                Sn::ZERO
            }
            Pdu::Sd { n_s, .. } => *n_s,
            Pdu::Poll { n_ps, n_s } => {
                word(*n_ps);
                *n_s
            }
            Pdu::Stat { n_ps, n_mr, n_r, list } => {
                list.iter().chain([n_ps, n_mr]).for_each(|&number| word(number));
                *n_r
            }
            Pdu::Ustat { n_mr, n_r, from, to } => {
                [from, to, n_mr].into_iter().for_each(|&number| word(number));
                *n_r
            }
            Pdu::Ud { .. } | Pdu::Md { .. } => Sn::ZERO,
        };
        word(last);
        octets[len - WORD] = control;
        debug_assert_eq!(octets.len(), len, "{self}");
        octets
    }
}

/// The number in the first word of `octets`. Its first octet is reserved.
fn number(octets: &[u8]) -> Sn {
    Sn::new(u32::from_be_bytes([0, octets[1], octets[2], octets[3]]))
}

fn unpadded(kind: PduKind, control: u8, padded: &[u8]) -> Result<&[u8], WireError> {
    let pad = usize::from(control >> PAD_SHIFT);
    let before_trailer = padded.len();
    let len = before_trailer.checked_sub(pad).ok_or(WireError::Padding { kind, pad, before_trailer })?;
    Ok(&padded[..len])
}

impl fmt::Display for Pdu<'_> {
    /// One line, as a sniffer would: `STAT N(PS)=3 N(MR)=33 N(R)=2 lacks 2-3 7, has up to 9`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind())?;
        match self {
            Pdu::Bgn { n_sq, n_mr, .. } | Pdu::Rs { n_sq, n_mr, .. } | Pdu::Er { n_sq, n_mr } => {
                write!(f, " N(SQ)={n_sq} N(MR)={n_mr}")?;
            }
            Pdu::Bgak { n_mr, .. } | Pdu::Rsak { n_mr } | Pdu::Erak { n_mr } => write!(f, " N(MR)={n_mr}")?,
            Pdu::End { source: Source::User, .. } => f.write_str(" by user")?,
            Pdu::End { source: Source::Sscop, .. } => f.write_str(" by SSCOP")?,
            Pdu::Sd { n_s, .. } => write!(f, " N(S)={n_s}")?,
            Pdu::Poll { n_ps, n_s } => write!(f, " N(PS)={n_ps} N(S)={n_s}")?,
            Pdu::Stat { n_ps, n_mr, n_r, list } => {
                write!(f, " N(PS)={n_ps} N(MR)={n_mr} N(R)={n_r}")?;
                write_list(f, list)?;
            }
            Pdu::Ustat { n_mr, n_r, from, to } => {
                write!(f, " N(MR)={n_mr} N(R)={n_r}")?;
                write_list(f, &[*from, *to])?;
            }
            Pdu::Bgrej { .. } | Pdu::Endak | Pdu::Ud { .. } | Pdu::Md { .. } => {}
        }
        match self.sdu().len() {
            0 => Ok(()),
            1 => f.write_str(" [1 octet]"),
            len => write!(f, " [{len} octets]"),
        }
    }
}

/// At most this many gaps are printed.
const GAPS_SHOWN_MAX: usize = 16;

fn write_list(f: &mut fmt::Formatter<'_>, list: &[Sn]) -> fmt::Result {
    let (gaps, end) = list.as_chunks::<2>();
    for (shown, &[from, to]) in gaps.iter().enumerate() {
        if shown == GAPS_SHOWN_MAX {
            return write!(f, " and {} more", gaps.len() - shown);
        }
        f.write_str(if shown == 0 { " lacks " } else { " " })?;
        match to.from_base(from) {
            1 => write!(f, "{from}")?,
            _ => write!(f, "{from}-{}", to.previous())?,
        }
    }
    match end {
        [end] => write!(f, ", has up to {}", end.previous()),
        _ => Ok(()),
    }
}
