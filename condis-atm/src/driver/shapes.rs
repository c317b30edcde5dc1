//! The fixed structures that the parameters are made of, as octets: little endian, each member at its natural alignment.
//!
//! | structure | octets | members |
//! |---|---|---|
//! | ATM_ADDRESS | 28 | type (4), number of digits (4), address (20) |
//! | ATM_FLOW_PARAMETERS | 56 | category, average, peak, minimum, initial rate, burst, largest SDU (4 each), ABR's own (28) |
//! | ATM_BLLI_IE | 36 | layer 2: protocol (4), mode, window (1, 1, gap 2), user's (4); layer 3: protocol (4), mode, packet size, window (1, 1, 1, gap 1), user's (4), IPI (4), SNAP id (5, gap 3) |
//! | ATM_BHLI_IE | 16 | type (4), length (4), information (8) |
//!
//! Source: `atm.h` of mingw-w64's `ddk`. Two members that it reserves in ATM_FLOW_PARAMETERS are used here: see [`AtmFlow`].

use std::time::Duration;

use super::{AtmFlow, ParamsError};
use crate::addr::{AtmAddress, E164};
use crate::traffic::{Contract, ServiceCategory, Sustained};

/// `ATM_NSAP`.
const ATM_NSAP: u32 = 0;
/// `ATM_E164`.
const ATM_E164: u32 = 1;
/// A field that is not there.
pub(super) const FIELD_ABSENT: u32 = 0xFFFF_FFFE;
/// A field that may have any value.
pub(super) const FIELD_ANY: u32 = 0xFFFF_FFFF;
/// An NSAP address with any selector.
pub(super) const FIELD_ANY_AESA_SEL: u32 = 0xFFFF_FFFA;
/// An NSAP address of which only the selector counts.
pub(super) const FIELD_ANY_AESA_REST: u32 = 0xFFFF_FFFB;
/// A rate, size or class that is not specified.
pub(super) const NOT_SPECIFIED: u32 = 0xFFFF_FFFF;

const CATEGORY_CBR: u32 = 1;
const CATEGORY_VBR: u32 = 2;
const CATEGORY_UBR: u32 = 4;

/// In `Reserved2` of a flow: the VBR is a real-time one.
const FLOW_REAL_TIME: u32 = 1;
/// In `Reserved2` of a flow: what is beyond the sustained rate is tagged.
const FLOW_TAGGING: u32 = 2;
/// In `Reserved2` of a flow: whole PDUs are discarded.
const FLOW_FRAME_DISCARD: u32 = 4;

/// Octets of an ATM_ADDRESS.
pub(super) const ADDRESS_OCTETS: usize = 28;
/// Octets of an ATM_FLOW_PARAMETERS.
pub(super) const FLOW_OCTETS: usize = 56;

/// Takes members off the front of octets.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    octets: &'a [u8],
    whole: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Reader<'a> {
        Reader { octets, whole: octets.len() }
    }

    pub(super) fn octets(&mut self, len: usize) -> Result<&'a [u8], ParamsError> {
        let (front, rest) =
            self.octets.split_at_checked(len).ok_or(ParamsError::Truncated { len: self.whole })?;
        self.octets = rest;
        Ok(front)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ParamsError> {
        let (front, rest) =
            self.octets.split_first_chunk().ok_or(ParamsError::Truncated { len: self.whole })?;
        self.octets = rest;
        Ok(*front)
    }

    pub(super) fn u32(&mut self) -> Result<u32, ParamsError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn end(self) -> Result<(), ParamsError> {
        if self.octets.is_empty() { Ok(()) } else { Err(ParamsError::TooLong { len: self.whole }) }
    }
}

/// An address as a SAP or a party names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum AddressField {
    Absent,
    Any,
    Is(AtmAddress),
    AnySelector(AtmAddress),
    OnlySelector(u8),
}

pub(super) fn put_address(out: &mut Vec<u8>, address: &AddressField) {
    let (kind, octets): (u32, &[u8]) = match address {
        AddressField::Absent => (FIELD_ABSENT, &[]),
        AddressField::Any => (FIELD_ANY, &[]),
        AddressField::Is(address @ AtmAddress::Nsap(_)) => (ATM_NSAP, address.octets()),
        AddressField::Is(address @ AtmAddress::E164(_)) => (ATM_E164, address.octets()),
        AddressField::AnySelector(address) => (FIELD_ANY_AESA_SEL, address.octets()),
        AddressField::OnlySelector(selector) => {
            let mut octets = [0; 20];
            octets[19] = *selector;
            out.extend(FIELD_ANY_AESA_REST.to_le_bytes());
            out.extend(20_u32.to_le_bytes());
            return out.extend(octets);
        }
    };
    let mut padded = [0; 20];
    padded[..octets.len()].copy_from_slice(octets);
    out.extend(kind.to_le_bytes());
    out.extend((octets.len() as u32).to_le_bytes());
    out.extend(padded);
}

pub(super) fn take_address(from: &mut Reader<'_>) -> Result<AddressField, ParamsError> {
    let (kind, digits, octets) = (from.u32()?, from.u32()?, from.array::<20>()?);
    Ok(match kind {
        FIELD_ABSENT => AddressField::Absent,
        FIELD_ANY => AddressField::Any,
        // The number of digits does not count: an NSAP address always has 20 octets.
        ATM_NSAP => AddressField::Is(AtmAddress::Nsap(octets)),
        ATM_E164 => {
            let digits = usize::try_from(digits).ok().and_then(|digits| octets.get(..digits));
            let number = digits.and_then(E164::new).ok_or(ParamsError::Address)?;
            AddressField::Is(AtmAddress::E164(number))
        }
        FIELD_ANY_AESA_SEL => AddressField::AnySelector(AtmAddress::Nsap(octets)),
        FIELD_ANY_AESA_REST => AddressField::OnlySelector(octets[19]),
        _ => return Err(ParamsError::Address),
    })
}

pub(super) fn put_flow(out: &mut Vec<u8>, flow: &AtmFlow) {
    let contract = &flow.contract;
    let category = match contract.category {
        ServiceCategory::Cbr => CATEGORY_CBR,
        ServiceCategory::RtVbr | ServiceCategory::NrtVbr => CATEGORY_VBR,
        ServiceCategory::Ubr => CATEGORY_UBR,
    };
    let peak = contract.pcr_cells_per_s.unwrap_or(NOT_SPECIFIED);
    let (average, burst) = match contract.sustained {
        Some(Sustained { scr_cells_per_s, mbs_cells }) => (scr_cells_per_s, mbs_cells),
        None => (NOT_SPECIFIED, NOT_SPECIFIED),
    };
    let flag = |set, flag| if set { flag } else { 0 };
    let flags = flag(contract.category == ServiceCategory::RtVbr, FLOW_REAL_TIME)
        | flag(contract.tagging, FLOW_TAGGING)
        | flag(contract.frame_discard, FLOW_FRAME_DISCARD);
    let cdvt = u32::try_from(contract.cdvt.as_nanos()).unwrap_or(u32::MAX);
    let words =
        [category, average, peak, 0, NOT_SPECIFIED, burst, flow.sdu_octets_max, 0, 0, 0, 0, 0, flags, cdvt];
    out.extend(words.into_iter().flat_map(u32::to_le_bytes));
}

pub(super) fn take_flow(from: &mut Reader<'_>) -> Result<AtmFlow, ParamsError> {
    let mut words = [0; FLOW_OCTETS / 4];
    for word in &mut words {
        *word = from.u32()?;
    }
    let [category, average, peak, _, _, burst, sdu_octets_max, _, _, _, _, _, flags, cdvt] = words;
    let is = |flag| flags & flag != 0;
    let category = match category {
        CATEGORY_CBR => ServiceCategory::Cbr,
        CATEGORY_VBR if is(FLOW_REAL_TIME) => ServiceCategory::RtVbr,
        CATEGORY_VBR => ServiceCategory::NrtVbr,
        CATEGORY_UBR => ServiceCategory::Ubr,
        other => return Err(ParamsError::Category(other)),
    };
    let specified = |word| (word != NOT_SPECIFIED).then_some(word);
    let sustained = specified(average).zip(specified(burst));
    Ok(AtmFlow {
        contract: Contract {
            category,
            pcr_cells_per_s: specified(peak),
            sustained: sustained.map(|(scr_cells_per_s, mbs_cells)| Sustained { scr_cells_per_s, mbs_cells }),
            cdvt: Duration::from_nanos(u64::from(cdvt)),
            tagging: is(FLOW_TAGGING),
            frame_discard: is(FLOW_FRAME_DISCARD),
        },
        sdu_octets_max,
    })
}
