//! Golden octets, captures, prefixes, round trips.

use proptest::prelude::*;

use super::{Pdu, PduKind, Source, WireError};
use crate::sscop::Sn;
use crate::sscop::captures::{CAPTURES, signaling_sdus};

fn sn(number: u32) -> Sn {
    Sn::new(number)
}

/// One PDU of each type, its octets, and its line (Q.2110 Figures 3 to 16, as public implementations write them).
fn golden() -> Vec<(Pdu<'static>, Vec<u8>, &'static str)> {
    vec![
        (
            Pdu::Bgn { n_sq: 1, n_mr: sn(30), uu: &[] },
            vec![0, 0, 0, 1, 0x01, 0, 0, 30],
            "BGN N(SQ)=1 N(MR)=30",
        ),
        (
            Pdu::Bgn { n_sq: 0xfe, n_mr: sn(0x01_0203), uu: &[0x10, 0x20, 0x30] },
            vec![0x10, 0x20, 0x30, 0, 0, 0, 0, 0xfe, 0x41, 1, 2, 3],
            "BGN N(SQ)=254 N(MR)=66051 [3 octets]",
        ),
        (Pdu::Bgak { n_mr: sn(30), uu: &[] }, vec![0, 0, 0, 0, 0x02, 0, 0, 30], "BGAK N(MR)=30"),
        (Pdu::Bgrej { uu: &[] }, vec![0, 0, 0, 0, 0x07, 0, 0, 0], "BGREJ"),
        (Pdu::End { source: Source::User, uu: &[] }, vec![0, 0, 0, 0, 0x03, 0, 0, 0], "END by user"),
        (
            Pdu::End { source: Source::Sscop, uu: &[0x20, 0x20] },
            vec![0x20, 0x20, 0, 0, 0, 0, 0, 0, 0x93, 0, 0, 0],
            "END by SSCOP [2 octets]",
        ),
        (Pdu::Endak, vec![0, 0, 0, 0, 0x04, 0, 0, 0], "ENDAK"),
        (Pdu::Rs { n_sq: 2, n_mr: sn(9), uu: &[] }, vec![0, 0, 0, 2, 0x05, 0, 0, 9], "RS N(SQ)=2 N(MR)=9"),
        (Pdu::Rsak { n_mr: sn(9) }, vec![0, 0, 0, 0, 0x06, 0, 0, 9], "RSAK N(MR)=9"),
        (Pdu::Er { n_sq: 3, n_mr: sn(9) }, vec![0, 0, 0, 3, 0x09, 0, 0, 9], "ER N(SQ)=3 N(MR)=9"),
        (Pdu::Erak { n_mr: sn(9) }, vec![0, 0, 0, 0, 0x0f, 0, 0, 9], "ERAK N(MR)=9"),
        (
            Pdu::Sd { n_s: sn(0xff_fffe), sdu: &[0xa0] },
            vec![0xa0, 0, 0, 0, 0xc8, 0xff, 0xff, 0xfe],
            "SD N(S)=16777214 [1 octet]",
        ),
        (
            Pdu::Sd { n_s: sn(5), sdu: &[0xa0, 0xb0, 0xc0, 0xd0] },
            vec![0xa0, 0xb0, 0xc0, 0xd0, 0x08, 0, 0, 5],
            "SD N(S)=5 [4 octets]",
        ),
        (Pdu::Sd { n_s: sn(5), sdu: &[] }, vec![0x08, 0, 0, 5], "SD N(S)=5"),
        (Pdu::Poll { n_ps: sn(7), n_s: sn(5) }, vec![0, 0, 0, 7, 0x0a, 0, 0, 5], "POLL N(PS)=7 N(S)=5"),
        (
            Pdu::Stat { n_ps: sn(7), n_mr: sn(35), n_r: sn(5), list: (&[][..]).into() },
            vec![0, 0, 0, 7, 0, 0, 0, 35, 0x0b, 0, 0, 5],
            "STAT N(PS)=7 N(MR)=35 N(R)=5",
        ),
        (
            Pdu::Stat {
                n_ps: sn(7),
                n_mr: sn(35),
                n_r: sn(2),
                list: vec![sn(2), sn(4), sn(7), sn(8), sn(10)].into(),
            },
            [2, 4, 7, 8, 10, 7, 35].into_iter().flat_map(|n| [0, 0, 0, n]).chain([0x0b, 0, 0, 2]).collect(),
            "STAT N(PS)=7 N(MR)=35 N(R)=2 lacks 2-3 7, has up to 9",
        ),
        (
            Pdu::Ustat { n_mr: sn(35), n_r: sn(2), from: sn(2), to: sn(4) },
            vec![0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 35, 0x0c, 0, 0, 2],
            "USTAT N(MR)=35 N(R)=2 lacks 2-3",
        ),
        (Pdu::Ud { sdu: &[0x10] }, vec![0x10, 0, 0, 0, 0xcd, 0, 0, 0], "UD [1 octet]"),
        (Pdu::Md { sdu: &[0x10; 4] }, vec![0x10, 0x10, 0x10, 0x10, 0x0e, 0, 0, 0], "MD [4 octets]"),
    ]
}

#[test]
fn golden_octets_both_ways() {
    let mut kinds: Vec<PduKind> = Vec::new();
    for (pdu, octets, line) in golden() {
        assert_eq!(pdu.encode(), octets, "{line}");
        assert_eq!(pdu.encoded_len(), octets.len(), "{line}");
        assert_eq!(Pdu::parse(&octets).as_ref(), Ok(&pdu), "{line}");
        assert_eq!(pdu.to_string(), line);
        kinds.push(pdu.kind());
    }
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, PduKind::ALL, "one of each");
}

/// A trailer cannot be told from the middle of an SDU in general; the golden SDUs have octets that no type has.
#[test]
fn every_prefix_is_refused() {
    for (_, octets, line) in golden() {
        for len in 0..octets.len() {
            assert!(Pdu::parse(&octets[..len]).is_err(), "{line}, {len} octets");
        }
    }
}

#[test]
fn octets_that_are_no_pdu_are_refused() {
    for (octets, error) in [
        (&[][..], WireError::Length { len: 0 }),
        (&[0x08, 0, 0], WireError::Length { len: 3 }),
        (&[0, 0x08, 0, 0, 0], WireError::Length { len: 5 }),
        (&[0x00, 0, 0, 0], WireError::UnknownType(0)),
        (&[0x01, 0, 0, 0], WireError::LengthOfKind { kind: PduKind::Bgn, len: 4 }),
        (&[0; 12], WireError::UnknownType(0)),
        (&[0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0, 0, 0], WireError::LengthOfKind { kind: PduKind::Poll, len: 12 }),
        (&[0, 0, 0, 0, 0x0b, 0, 0, 0], WireError::LengthOfKind { kind: PduKind::Stat, len: 8 }),
        (&[0x48, 0, 0, 0], WireError::Padding { kind: PduKind::Sd, pad: 1, before_trailer: 0 }),
        (&[0, 0, 0, 0, 0xc1, 0, 0, 0], WireError::Padding { kind: PduKind::Bgn, pad: 3, before_trailer: 0 }),
    ] {
        assert_eq!(Pdu::parse(octets), Err(error), "{octets:x?}");
        assert!(!error.to_string().is_empty());
    }
    let ustats = [12, 20].map(|len| {
        let mut octets = vec![0; len];
        octets[len - 4] = 0x0c;
        octets
    });
    for octets in ustats {
        assert!(matches!(Pdu::parse(&octets), Err(WireError::LengthOfKind { kind: PduKind::Ustat, .. })));
    }
}

/// What real peers sent reads, is written again octet by octet, and prints as their text has it.
#[test]
fn captures_read_and_are_written_again() {
    for capture in CAPTURES {
        let mut of_kind = [0; 16];
        for (stream, arrow) in [(capture.a_to_b, "A>B"), (capture.b_to_a, "B>A")] {
            let mut lines = capture.text.lines().filter_map(|line| {
                let (head, pdu) = line.split_once(" bytes SSCOP ")?;
                head.contains(arrow).then_some(pdu)
            });
            for octets in signaling_sdus(stream) {
                let pdu = Pdu::parse(octets).unwrap_or_else(|error| panic!("{}: {error}", capture.name));
                assert_eq!(pdu.encode(), octets, "{} {pdu}", capture.name);
                let line = lines.next().expect("the text has a line for each");
                assert!(pdu.to_string().starts_with(line), "{}: {pdu}, but {line}", capture.name);
                of_kind[usize::from(pdu.kind().get())] += 1;
            }
            assert_eq!(lines.next(), None, "{}: nothing was missed", capture.name);
        }
        for kind in [PduKind::Bgn, PduKind::Bgak, PduKind::Sd, PduKind::Poll, PduKind::Stat] {
            assert!(of_kind[usize::from(kind.get())] > 0, "{} has {kind}", capture.name);
        }
    }
}

/// A long list does not make a long line.
#[test]
fn long_lists_are_cut_in_print() {
    let list: Vec<Sn> = (0..67).map(|n| sn(3 * n)).collect();
    let line = Pdu::Stat { n_ps: sn(1), n_mr: sn(0), n_r: sn(0), list: list.into() }.to_string();
    assert!(line.ends_with(" 90-92 and 17 more"), "{line}");
}

fn any_sn() -> impl Strategy<Value = Sn> {
    prop_oneof![any::<u32>().prop_map(Sn::new), (0..4u32).prop_map(Sn::new)]
}

fn any_pdu(sdu: &[u8]) -> impl Strategy<Value = Pdu<'_>> {
    let list = prop::collection::vec(any_sn(), 0..70);
    let source = prop::sample::select(vec![Source::User, Source::Sscop]);
    let numbers = (any::<u8>(), any_sn(), any_sn(), any_sn(), any_sn());
    (prop::sample::select(&PduKind::ALL[..]), numbers, list, source).prop_map(
        move |(kind, (n_sq, a, b, c, d), list, source)| match kind {
            PduKind::Bgn => Pdu::Bgn { n_sq, n_mr: a, uu: sdu },
            PduKind::Bgak => Pdu::Bgak { n_mr: a, uu: sdu },
            PduKind::End => Pdu::End { source, uu: sdu },
            PduKind::Endak => Pdu::Endak,
            PduKind::Rs => Pdu::Rs { n_sq, n_mr: a, uu: sdu },
            PduKind::Rsak => Pdu::Rsak { n_mr: a },
            PduKind::Bgrej => Pdu::Bgrej { uu: sdu },
            PduKind::Sd => Pdu::Sd { n_s: a, sdu },
            PduKind::Er => Pdu::Er { n_sq, n_mr: a },
            PduKind::Poll => Pdu::Poll { n_ps: a, n_s: b },
            PduKind::Stat => Pdu::Stat { n_ps: a, n_mr: b, n_r: c, list: list.into() },
            PduKind::Ustat => Pdu::Ustat { n_mr: a, n_r: b, from: c, to: d },
            PduKind::Ud => Pdu::Ud { sdu },
            PduKind::Md => Pdu::Md { sdu },
            PduKind::Erak => Pdu::Erak { n_mr: a },
        },
    )
}

const SDU: [u8; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 9];

proptest! {
    #[test]
    fn values_round_trip(len in 0..SDU.len(), pdu in any_pdu(&SDU)) {
        // Every length of padding.
        let pdu = match pdu {
            Pdu::Sd { n_s, sdu } => Pdu::Sd { n_s, sdu: &sdu[..len] },
            Pdu::Bgn { n_sq, n_mr, uu } => Pdu::Bgn { n_sq, n_mr, uu: &uu[..len] },
            other => other,
        };
        let octets = pdu.encode();
        prop_assert_eq!(octets.len(), pdu.encoded_len());
        prop_assert_eq!(octets.len() % 4, 0);
        prop_assert_eq!(Pdu::parse(&octets), Ok(pdu));
    }

    /// Whatever octets come: refused, or a value that is written and read again as itself, in as many octets.
    #[test]
    fn any_octets_are_refused_or_round_trip(
        mut octets in prop::collection::vec(prop_oneof![2 => Just(0u8), 1 => any::<u8>()], 0..40),
        control in any::<u8>(),
    ) {
        if let Some(at) = octets.len().checked_sub(4) {
            octets[at] = control;
        }
        if let Ok(pdu) = Pdu::parse(&octets) {
            let written = pdu.encode();
            prop_assert!(written.len() <= octets.len() && octets.len() < written.len() + 4);
            prop_assert_eq!(Pdu::parse(&written), Ok(pdu));
        }
    }
}
