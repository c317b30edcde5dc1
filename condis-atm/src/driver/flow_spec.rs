//! What a client that knows no cells asks for, as a contract, and back.
//!
//! A FLOWSPEC counts octets of SDUs a second; a contract counts cells. How many cells an SDU costs depends on its length
//! (I.363.5: 8 octets of trailer, and padding up to 48), so the longest SDU of the flow is taken; without one 48 octets a cell.
//!
//! | `service_type` | category |
//! |---|---|
//! | guaranteed, its token rate not below its peak | CBR |
//! | guaranteed, its token rate below its peak | rt-VBR |
//! | controlled load | nrt-VBR; CBR if its token rate is not below its peak |
//! | best effort, not specified, any other | UBR, with the peak if there is one |
//!
//! Source: `qos.h`; the mapping is that of RFC 2381 §2.1 in short.

use std::time::Duration;

use condis::params::FlowSpec;

use super::AtmFlow;
use crate::traffic::{Contract, ServiceCategory, Sustained};

const SERVICETYPE_BEST_EFFORT: u32 = 1;
const SERVICETYPE_CONTROLLED_LOAD: u32 = 2;
const SERVICETYPE_GUARANTEED: u32 = 3;

/// Octets of a cell's payload.
const CELL_PAYLOAD: u64 = 48;
/// Octets of the trailer of a CPCS-PDU.
const TRAILER: u64 = 8;

/// Cells that an SDU of this length costs over AAL5.
pub(super) const fn cells_of(sdu_octets: u64) -> u64 {
    (sdu_octets + TRAILER).div_ceil(CELL_PAYLOAD)
}

/// The flow that a FLOWSPEC asks for. A rate of zero is none.
pub fn flow_of(spec: &FlowSpec, sdu_octets_default: u32) -> AtmFlow {
    let specified =
        |word: u32| (word != FlowSpec::NOT_SPECIFIED && word != FlowSpec::INFINITE_RATE).then_some(word);
    let sdu_octets_max = specified(spec.max_sdu_size).unwrap_or(sdu_octets_default).min(65_535);
    let to_cells = |octets_per_s: u32| -> u32 {
        let cells = match specified(spec.max_sdu_size) {
            Some(sdu @ 1..) => {
                let sdu = u64::from(sdu.min(65_535));
                (u64::from(octets_per_s) * cells_of(sdu)).div_ceil(sdu)
            }
            _ => u64::from(octets_per_s).div_ceil(CELL_PAYLOAD),
        };
        u32::try_from(cells).unwrap_or(u32::MAX - 1)
    };
    let token = specified(spec.token_rate).filter(|rate| *rate > 0).map(to_cells);
    let peak = specified(spec.peak_bandwidth).filter(|rate| *rate > 0).map(to_cells).or(token);
    let best_effort = Contract { pcr_cells_per_s: peak, ..Contract::UBR };
    let reserved = |variable| match (peak, token) {
        (Some(peak), Some(token)) if token < peak => Contract {
            category: variable,
            sustained: Some(Sustained {
                scr_cells_per_s: token,
                mbs_cells: specified(spec.token_bucket_size).map_or(1, |octets| to_cells(octets).max(1)),
            }),
            ..Contract::cbr(peak)
        },
        (Some(peak), _) => Contract::cbr(peak),
        (None, _) => best_effort,
    };
    let contract = match spec.service_type {
        SERVICETYPE_GUARANTEED => reserved(ServiceCategory::RtVbr),
        SERVICETYPE_CONTROLLED_LOAD => reserved(ServiceCategory::NrtVbr),
        _ => best_effort,
    };
    let cdvt = specified(spec.delay_variation).map(|micros| Duration::from_micros(u64::from(micros)));
    AtmFlow { contract: Contract { cdvt: cdvt.unwrap_or(contract.cdvt), ..contract }, sdu_octets_max }
}

/// A flow as a FLOWSPEC: rates rounded down to whole SDUs of the longest kind, so that asking for them again asks for no more.
pub fn spec_of(flow: &AtmFlow) -> FlowSpec {
    let AtmFlow { contract, sdu_octets_max } = flow;
    let sdu = u64::from((*sdu_octets_max).min(65_535));
    let to_octets = |cells: u32| -> u32 {
        let octets = match sdu {
            0 => u64::from(cells) * CELL_PAYLOAD,
            sdu => u64::from(cells) * sdu / cells_of(sdu),
        };
        u32::try_from(octets).unwrap_or(FlowSpec::INFINITE_RATE - 1)
    };
    let peak = contract.pcr_cells_per_s.map(to_octets);
    let (token_rate, bucket) = match contract.sustained {
        Some(Sustained { scr_cells_per_s, mbs_cells }) => {
            (Some(to_octets(scr_cells_per_s)), Some(to_octets(mbs_cells)))
        }
        None => (peak, None),
    };
    let or_none = |value: Option<u32>| value.unwrap_or(FlowSpec::NOT_SPECIFIED);
    FlowSpec {
        token_rate: or_none(token_rate),
        token_bucket_size: or_none(bucket),
        peak_bandwidth: or_none(peak),
        latency: FlowSpec::NOT_SPECIFIED,
        delay_variation: u32::try_from(contract.cdvt.as_micros()).unwrap_or(FlowSpec::NOT_SPECIFIED),
        service_type: match contract.category {
            ServiceCategory::Cbr | ServiceCategory::RtVbr => SERVICETYPE_GUARANTEED,
            ServiceCategory::NrtVbr => SERVICETYPE_CONTROLLED_LOAD,
            ServiceCategory::Ubr => SERVICETYPE_BEST_EFFORT,
        },
        max_sdu_size: if sdu == 0 { FlowSpec::NOT_SPECIFIED } else { *sdu_octets_max },
        minimum_policed_size: FlowSpec::NOT_SPECIFIED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::vc_params::check_contract;
    use proptest::prelude::*;

    #[test]
    fn service_types_choose_the_category() {
        let spec = |service_type, token_rate, peak_bandwidth| FlowSpec {
            service_type,
            token_rate,
            peak_bandwidth,
            max_sdu_size: 1500,
            ..FlowSpec::BEST_EFFORT
        };
        // 1500 octets and the trailer are 32 cells.
        let cells = |sdus: u32| 32 * sdus;
        let rate = |sdus: u32| 1500 * sdus;
        let category = |spec| flow_of(&spec, 0).contract;
        assert_eq!(category(spec(3, rate(100), rate(100))).pcr_cells_per_s, Some(cells(100)));
        assert_eq!(category(spec(3, rate(100), rate(100))).category, ServiceCategory::Cbr);
        let vbr = category(spec(3, rate(10), rate(100)));
        assert_eq!(vbr.category, ServiceCategory::RtVbr);
        assert_eq!(vbr.sustained.map(|sustained| sustained.scr_cells_per_s), Some(cells(10)));
        assert_eq!(category(spec(2, rate(10), rate(100))).category, ServiceCategory::NrtVbr);
        assert_eq!(category(spec(2, rate(10), FlowSpec::NOT_SPECIFIED)).category, ServiceCategory::Cbr);
        assert_eq!(category(spec(1, FlowSpec::NOT_SPECIFIED, rate(5))).pcr_cells_per_s, Some(cells(5)));
        assert_eq!(flow_of(&FlowSpec::BEST_EFFORT, 9188), AtmFlow::ubr(9188));
    }

    proptest! {
        /// Whatever a client asks for comes to a contract that is sound.
        #[test]
        fn every_spec_is_a_sound_flow(words in proptest::array::uniform8(any::<u32>()), service in 0_u32..5) {
            let [token_rate, token_bucket_size, peak_bandwidth, latency, delay_variation, _, max_sdu_size, minimum_policed_size] = words;
            let spec = FlowSpec {
                token_rate, token_bucket_size, peak_bandwidth, latency, delay_variation,
                service_type: service, max_sdu_size, minimum_policed_size,
            };
            let flow = flow_of(&spec, 9188);
            prop_assert!(check_contract(&flow.contract).is_ok(), "{flow:?}");
            prop_assert!(flow.sdu_octets_max <= 65_535);
        }

        /// What was agreed on, asked for again, is no more than it was, and hardly less.
        #[test]
        fn a_flow_survives_its_spec(pcr in 100_u32..2_000_000, part in 1_u32..100, sdu in 1_u32..65_536) {
            let vbr = Contract {
                category: ServiceCategory::NrtVbr,
                sustained: Some(Sustained { scr_cells_per_s: (pcr / 100 * part).max(1), mbs_cells: 100 }),
                ..Contract::cbr(pcr)
            };
            for contract in [vbr, Contract::cbr(pcr), Contract { pcr_cells_per_s: Some(pcr), ..Contract::UBR }] {
                let flow = AtmFlow { contract, sdu_octets_max: sdu };
                let again = flow_of(&spec_of(&flow), 0);
                prop_assert_eq!(again.sdu_octets_max, sdu);
                let peak = again.contract.pcr_cells_per_s.unwrap_or(0);
                prop_assert!(peak <= pcr && pcr - peak <= cells_of(u64::from(sdu)) as u32 + 1, "{pcr} {peak}");
            }
        }
    }
}
