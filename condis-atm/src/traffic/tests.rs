//! Who keeps the contract loses nothing; who does not gets what the contract gives.

use proptest::prelude::*;

use super::*;
use crate::cell::{HeaderWord, Pti};
use condis::runtime::Time;

const CELL: HeaderWord = HeaderWord(0x0000_0640);
const S: u64 = 1_000_000_000;

fn bare(contract: Contract) -> Contract {
    Contract { cdvt: Duration::ZERO, frame_discard: false, ..contract }
}

fn sustained(scr_cells_per_s: u32, mbs_cells: u32) -> Sustained {
    Sustained { scr_cells_per_s, mbs_cells }
}

/// When cell `index` of a stream goes, on a clock of whole nanoseconds.
fn ideal(index: u64, cells_per_s: u32) -> Time {
    Time::from_nanos((u128::from(index) * NANOS_PER_S / u128::from(cells_per_s)) as u64)
}

#[test]
fn contracts_that_make_no_sense() {
    let peak = |pcr| Contract { pcr_cells_per_s: pcr, ..Contract::cbr(1) };
    assert_eq!(peak(None).check(), Err(ContractError::NoPeak(ServiceCategory::Cbr)));
    assert_eq!(peak(Some(0)).check(), Err(ContractError::ZeroRate));
    assert_eq!(Contract::nrt_vbr(10, sustained(0, 1)).check(), Err(ContractError::ZeroRate));
    assert_eq!(Contract::nrt_vbr(10, sustained(1, 0)).check(), Err(ContractError::ZeroBurst));
    let above = ContractError::SustainedAbovePeak { scr: 11, pcr: 10 };
    assert_eq!(Contract::nrt_vbr(10, sustained(11, 1)).check(), Err(above));
    let none = Contract { sustained: None, ..Contract::rt_vbr(10, sustained(1, 1)) };
    assert_eq!(none.check(), Err(ContractError::NoSustained(ServiceCategory::RtVbr)));
    let idle = Contract { sustained: Some(sustained(1, 1)), ..Contract::UBR };
    assert_eq!(idle.check(), Err(ContractError::SustainedOfNoUse(ServiceCategory::Ubr)));
    for good in [Contract::UBR, Contract::cbr(1), Contract::rt_vbr(10, sustained(10, 1))] {
        assert_eq!(good.check(), Ok(()));
        assert!(Policer::new(&good).is_ok() && Shaper::new(&good).is_ok());
    }
    assert!(Policer::new(&peak(None)).is_err() && Shaper::with_cdvt(&peak(None)).is_err());
}

/// (MBS - 1)(1/SCR - 1/PCR).
#[test]
fn burst_tolerance_is_that_of_the_burst() {
    let tolerance = |pcr, scr, mbs| Contract::nrt_vbr(pcr, sustained(scr, mbs)).burst_tolerance();
    assert_eq!(tolerance(1000, 100, 11), Some(Duration::from_millis(90)));
    assert_eq!(tolerance(1000, 1000, 11), Some(Duration::ZERO));
    assert_eq!(tolerance(1000, 100, 1), Some(Duration::ZERO));
    assert_eq!(tolerance(3, 2, 2), Some(Duration::from_nanos(166_666_667)));
    assert_eq!(tolerance(u32::MAX, 1, u32::MAX), Some(Duration::from_nanos(4_294_967_293_000_000_001)));
    assert_eq!(Contract::cbr(5).burst_tolerance(), None);
}

/// T is 2,831.2… ns. In ten million cells, each sent as soon as it may be, nothing adds up.
#[test]
fn no_rounding_adds_up() {
    let rate = NonZeroU32::new(353_207).unwrap();
    let mut gcra = Gcra::new(rate, Duration::ZERO);
    for index in 0..10_000_000 {
        let at = gcra.conforming_at();
        assert_eq!(at, ideal(index, 353_207));
        assert!(!gcra.conforms(Time::from_nanos(at.as_nanos().wrapping_sub(1))) || index == 0);
        assert!(gcra.handle_cell(at));
    }
}

/// Without any tolerance a source that is a little too fast loses every second cell: each is a little early to the one before.
#[test]
fn without_tolerance_half_is_lost() {
    let mut policer = Policer::new(&bare(Contract::cbr(1000))).unwrap();
    let passed = (0..1000).filter(|index| policer.handle_cell(ideal(*index, 1010), CELL).is_some()).count();
    assert_eq!(passed, 500);
}

#[test]
fn vbr_without_tagging_discards_beyond_the_burst() {
    let mut policer = Policer::new(&bare(Contract::nrt_vbr(1000, sustained(100, 5)))).unwrap();
    let passed: Vec<bool> =
        (0..15).map(|index| policer.handle_cell(ideal(index, 1000), CELL).is_some()).collect();
    // Five at the peak rate; then the sixth conforms 50 ms after the first, less the tolerance of 36 ms.
    assert!(passed[..5].iter().all(|passed| *passed));
    assert_eq!(passed.iter().position(|passed| !passed), Some(5));
    assert_eq!(passed[5..].iter().filter(|passed| **passed).count(), 1);
    assert!(passed[14]);
    let PolicerCounters { passed, dropped_sustained, dropped_peak, .. } = *policer.counters();
    assert_eq!((passed, dropped_sustained, dropped_peak), (6, 9, 0));
}

#[test]
fn vbr_with_tagging_tags_beyond_the_burst_and_lets_clp_1_pass() {
    let contract = Contract { tagging: true, ..bare(Contract::nrt_vbr(1000, sustained(100, 5))) };
    let mut policer = Policer::new(&contract).unwrap();
    for index in 0..10 {
        let given = policer.handle_cell(ideal(index, 1000), CELL);
        assert_eq!(given, Some(CELL.with_clp(index >= 5)), "cell {index}");
    }
    // These were low already: nothing of the sustained rate is theirs.
    let low = CELL.with_clp(true);
    assert_eq!(policer.handle_cell(ideal(10, 1000), low), Some(low));
    // The peak holds for all.
    assert_eq!(policer.handle_cell(ideal(10, 1000), low), None);
    let PolicerCounters { passed, tagged, dropped_peak, .. } = *policer.counters();
    assert_eq!((passed, tagged, dropped_peak), (6, 5, 1));
}

#[test]
fn frames_go_as_a_whole() {
    let contract = Contract { frame_discard: true, ..bare(Contract::cbr(1000)) };
    let mut policer = Policer::new(&contract).unwrap();
    let at = |ms: u64| Time::from_nanos(ms * 1_000_000);
    let last = CELL.with_pti(Pti::USER_LAST);
    let steps = [
        (at(0), CELL, true),
        (at(0), CELL, false),
        (at(5), CELL, false),
        (at(6), last, true),
        (at(6), CELL, false),
        (at(9), last, false),
        (at(9), CELL, true),
    ];
    for (index, (now, header, passes)) in steps.into_iter().enumerate() {
        assert_eq!(policer.handle_cell(now, header).is_some(), passes, "step {index}");
    }
    let PolicerCounters { passed, dropped_peak, dropped_rest_of_frame, .. } = *policer.counters();
    assert_eq!((passed, dropped_peak, dropped_rest_of_frame), (3, 2, 2));
}

#[test]
fn ubr_without_a_peak_is_free() {
    let (mut policer, mut shaper) =
        (Policer::new(&Contract::UBR).unwrap(), Shaper::new(&Contract::UBR).unwrap());
    assert!((0..1000).all(|_| policer.handle_cell(Time::ZERO, CELL).is_some()));
    assert_eq!(shaper.take_cells(Time::ZERO, 1_000_000), 1_000_000);
    assert!(shaper.take_pdu(Time::ZERO, 1366));
    assert_eq!((shaper.next_timeout(), shaper.next_at()), (None, Time::ZERO));
}

/// A timer of a millisecond, a cell each 100 us: one a turn without the CDVT, with it what it allows.
#[test]
fn a_shaper_makes_up_for_late_timers_within_the_cdvt() {
    let contract = Contract { cdvt: Duration::from_micros(900), ..Contract::cbr(10_000) };
    let sent = |mut shaper: Shaper| -> usize {
        (0..100).map(|ms| shaper.take_cells(Time::from_nanos(ms * 1_000_000), 1000)).sum()
    };
    assert_eq!(sent(Shaper::new(&contract).unwrap()), 100);
    assert_eq!(sent(Shaper::with_cdvt(&contract).unwrap()), 1000);
}

/// 10 cells at 1,000 a second: the next PDU may go 10 ms later.
#[test]
fn pdus_keep_the_rate_among_each_other() {
    let mut shaper = Shaper::new(&Contract::cbr(1000)).unwrap();
    assert!(shaper.take_pdu(Time::ZERO, 10));
    assert_eq!(shaper.next_timeout(), None);
    assert!(!shaper.take_pdu(Time::from_nanos(9_999_999), 10));
    assert_eq!(shaper.next_timeout(), Some(Time::from_nanos(10_000_000)));
    assert!(shaper.take_pdu(Time::from_nanos(10_000_000), 10));
}

fn some_contract() -> impl Strategy<Value = Contract> {
    let rates = (1u32..2_000_000, 1u32..2_000_000, 1u32..300, 0u64..1_000_000);
    (0..4, rates, any::<bool>()).prop_map(|(category, (one, other, mbs, cdvt_ns), tagging)| {
        let (pcr, scr) = (one.max(other), one.min(other));
        let contract = match category {
            0 => Contract::cbr(pcr),
            1 => Contract::rt_vbr(pcr, sustained(scr, mbs)),
            2 => Contract::nrt_vbr(pcr, sustained(scr, mbs)),
            _ => Contract { pcr_cells_per_s: Some(pcr), ..Contract::UBR },
        };
        Contract { cdvt: Duration::from_nanos(cdvt_ns), tagging, ..contract }
    })
}

proptest! {
    /// At the peak rate, each cell late by anything up to the CDVT, over the seams of nanoseconds: nothing is lost.
    #[test]
    fn a_conforming_stream_loses_nothing(pcr in 1u32..2_000_000, cdvt_ns in 0u64..1_000_000, late in any::<[u16; 16]>()) {
        let contract = Contract { cdvt: Duration::from_nanos(cdvt_ns), ..Contract::cbr(pcr) };
        let mut policer = Policer::new(&contract).unwrap();
        let mut before = Time::ZERO;
        for index in 0..500 {
            let late = cdvt_ns * u64::from(late[index as usize % 16]) / 65_535;
            before = before.max(ideal(index, pcr).after(Duration::from_nanos(late)));
            prop_assert!(policer.handle_cell(before, CELL).is_some(), "cell {}", index);
        }
    }

    /// Bursts of MBS at the peak rate, each when the sustained rate has paid for the one before.
    #[test]
    fn conforming_bursts_lose_nothing(one in 1u32..2_000_000, other in 1u32..2_000_000, mbs in 1u32..50) {
        let (pcr, scr) = (one.max(other), one.min(other));
        let mut policer = Policer::new(&bare(Contract::nrt_vbr(pcr, sustained(scr, mbs)))).unwrap();
        for burst in 0..20 {
            for index in 0..mbs {
                // Rounded once, as a clock does.
                let (pcr, scr) = (u128::from(pcr), u128::from(scr));
                let parts = u128::from(burst * mbs) * pcr + u128::from(index) * scr;
                let now = Time::from_nanos((parts * NANOS_PER_S / (pcr * scr)) as u64);
                prop_assert!(policer.handle_cell(now, CELL).is_some(), "burst {} cell {}", burst, index);
            }
        }
        prop_assert_eq!(policer.counters().passed, u64::from(20 * mbs));
    }

    /// One per cent too fast, for long enough: what passes is the contract's rate, to a cell and to the tolerance, which is
    /// a cell's time at least.
    #[test]
    fn a_stream_that_is_too_fast_gets_its_rate(pcr in 100u32..1_000_000, more_ns in 0u64..1_000_000) {
        let cdvt_ns = S.div_ceil(u64::from(pcr)) + more_ns;
        let contract = Contract { cdvt: Duration::from_nanos(cdvt_ns), ..bare(Contract::cbr(pcr)) };
        let mut policer = Policer::new(&contract).unwrap();
        let parts = u128::from(pcr) * 101;
        let fast = |index: u64| Time::from_nanos((u128::from(index) * NANOS_PER_S * 100 / parts) as u64);
        let offered = 20_000;
        let passed = (0..offered).filter(|index| policer.handle_cell(fast(*index), CELL).is_some()).count() as u64;
        // From the first cell of the stream to the last.
        let took = |more_ns: u64| u128::from(fast(offered - 1).as_nanos() + more_ns);
        let cells = |ns: u128| (ns * u128::from(pcr) / NANOS_PER_S) as u64;
        prop_assert!(passed <= cells(took(cdvt_ns + 1)) + 1, "{} of {}", passed, cells(took(cdvt_ns + 1)) + 1);
        prop_assert!(passed >= cells(took(0)), "{} of {}", passed, cells(took(0)));
        prop_assert_eq!(policer.counters().dropped_peak, offered - passed);
    }

    /// Whatever the contract and however the source is late: its own policer objects to nothing.
    #[test]
    fn what_is_shaped_conforms(
        contract in some_contract(),
        cdvt: bool,
        steps in proptest::collection::vec((1usize..40, 0u64..3_000_000), 1..60),
    ) {
        let shaper = if cdvt { Shaper::with_cdvt } else { Shaper::new };
        let (mut shaper, mut policer) = (shaper(&contract).unwrap(), Policer::new(&contract).unwrap());
        let mut now = Time::ZERO;
        let mut sent = 0;
        for (wanted, late) in steps {
            let took = shaper.take_cells(now, wanted);
            for _ in 0..took {
                prop_assert_eq!(policer.handle_cell(now, CELL), Some(CELL));
            }
            sent += took as u64;
            prop_assert_eq!(shaper.next_timeout().is_some(), took < wanted);
            match shaper.next_timeout() {
                Some(next) => {
                    prop_assert!(next > now);
                    // Not a nanosecond earlier.
                    prop_assert_eq!(shaper.take_cells(Time::from_nanos(next.as_nanos() - 1), 1), 0);
                    prop_assert_eq!(shaper.next_timeout(), Some(next));
                    now = next.after(Duration::from_nanos(late % 7 * late));
                }
                None => now = now.after(Duration::from_nanos(late)),
            }
        }
        prop_assert_eq!(policer.counters().passed, sent);
        prop_assert!(sent > 0);
    }

    /// A burst all at once is what its cells are one by one.
    #[test]
    fn bursts_are_counted_right(rate in 1u32..3_000_000, tolerance_ns in 0u64..2_000_000, times in proptest::collection::vec(0u64..2_000_000, 1..30)) {
        let mut gcra = Gcra::new(NonZeroU32::new(rate).unwrap(), Duration::from_nanos(tolerance_ns));
        let mut now = Time::ZERO;
        for time in times {
            now = now.after(Duration::from_nanos(time));
            let burst = gcra.burst_at(now);
            let before = gcra;
            let one_by_one = std::iter::from_fn(|| gcra.handle_cell(now).then_some(())).count() as u64;
            prop_assert_eq!(burst, one_by_one);
            let mut at_once = before;
            if burst > 0 {
                at_once.charge(now, burst as u32);
            }
            prop_assert_eq!(at_once, gcra);
        }
    }
}
