//! Which virtual connection a VC is: the media parameters of its activation.

use std::fmt;

use condis::params::{CallParams, MediaFlags, MediaParams, Specific};

use super::ParamsError;
use super::shapes::{self, Reader};
use crate::traffic::{Contract, ServiceCategory, Sustained};
use crate::{Vci, VpVc, Vpi};

/// `param_type` of [`AtmVcParams`], among the media's types.
#[doc(alias = "ATM_MEDIA_SPECIFIC")]
pub const ATM_MEDIA: u32 = 0x0000_0001;

/// The adaptation layer of a VC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[doc(alias = "ATM_AAL_TYPE")]
pub enum Aal {
    /// None: an SDU is one raw cell, either its payload (48 octets) or header without HEC and payload (52 octets).
    Aal0 = 1,
    /// AAL5: an SDU is one CPCS-SDU.
    Aal5 = 8,
}

impl Aal {
    pub(super) fn from_code(code: u32) -> Result<Aal, ParamsError> {
        match code {
            1 => Ok(Aal::Aal0),
            8 => Ok(Aal::Aal5),
            other => Err(ParamsError::Aal(other)),
        }
    }
}

/// One direction of a virtual connection.
///
/// As ATM_FLOW_PARAMETERS its `Reserved2` says what the header has no member for: 1 the VBR is a real-time one, 2 tagging, 4
/// frame discard; and `Reserved3` is the CDVT in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[doc(alias = "ATM_FLOW_PARAMETERS")]
pub struct AtmFlow {
    /// What may be sent.
    pub contract: Contract,
    /// Octets of the longest SDU; of AAL0 48 or 52.
    pub sdu_octets_max: u32,
}

impl AtmFlow {
    /// Nothing.
    pub const NOTHING: AtmFlow =
        AtmFlow { contract: Contract { pcr_cells_per_s: Some(0), ..Contract::UBR }, sdu_octets_max: 0 };

    /// Best effort, with SDUs as long as this.
    pub const fn ubr(sdu_octets_max: u32) -> AtmFlow {
        AtmFlow { contract: Contract::UBR, sdu_octets_max }
    }

    /// The same as signaling brings it: nothing if its peak is zero, and of a variable rate without a sustained one the peak.
    pub(super) fn usable(mut self) -> AtmFlow {
        let contract = &mut self.contract;
        let variable = matches!(contract.category, ServiceCategory::RtVbr | ServiceCategory::NrtVbr);
        match contract.pcr_cells_per_s {
            Some(0) => return AtmFlow::NOTHING,
            Some(pcr) if variable && contract.sustained.is_none() => {
                contract.sustained = Some(Sustained { scr_cells_per_s: pcr, mbs_cells: 1 });
            }
            Some(_) | None => {}
        }
        self
    }
}

/// A virtual connection as a miniport makes it: the medium's part of the parameters of an activation.
///
/// In the form of ATM_MEDIA_PARAMETERS, 152 octets. Its delays, delay variations and loss ratios are written as "not
/// specified" and not read: a miniport has no say in them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[doc(alias = "ATM_MEDIA_PARAMETERS")]
pub struct AtmVcParams {
    /// The numbers in the cells' headers.
    #[doc(alias = "ATM_VPIVCI")]
    pub vpvc: VpVc,
    /// The adaptation layer.
    pub aal: Aal,
    /// Cells are sent with low priority (CLP 1).
    pub clp: bool,
    /// What is sent.
    pub transmit: AtmFlow,
    /// What is received.
    pub receive: AtmFlow,
}

impl AtmVcParams {
    /// Octets of an SDU of AAL5 unless something else is agreed on: what Classical IP has (RFC 2225 §7.1), with LLC/SNAP.
    pub const SDU_OCTETS_DEFAULT: u32 = 9188;

    /// AAL5 and best effort both ways.
    pub const fn ubr(vpvc: VpVc, sdu_octets_max: u32) -> AtmVcParams {
        let flow = AtmFlow::ubr(sdu_octets_max);
        AtmVcParams { vpvc, aal: Aal::Aal5, clp: false, transmit: flow, receive: flow }
    }

    /// The parameters to activate a VC with.
    pub fn to_params(&self) -> CallParams {
        CallParams::media(self.to_media())
    }

    /// The same for parameters that have another part as well.
    pub fn to_media(&self) -> MediaParams {
        let mut parameters = Vec::with_capacity(OCTETS);
        let words = [u32::from(self.vpvc.vpi.0), u32::from(self.vpvc.vci.0), self.aal as u32];
        parameters.extend(words.into_iter().flat_map(u32::to_le_bytes));
        parameters.extend([shapes::NOT_SPECIFIED; 6].into_iter().flat_map(u32::to_le_bytes));
        parameters.extend(u32::from(self.clp).to_le_bytes());
        shapes::put_flow(&mut parameters, &self.transmit);
        shapes::put_flow(&mut parameters, &self.receive);
        MediaParams {
            flags: MediaFlags::TRANSMIT_VC | MediaFlags::RECEIVE_VC,
            specific: Specific { param_type: ATM_MEDIA, parameters },
            receive_size_hint: self.receive.sdu_octets_max,
            ..MediaParams::default()
        }
    }

    /// Reads the media parameters of an activation, or of a call that is up.
    ///
    /// # Errors
    /// See [`ParamsError`]. What is read is [checked](AtmVcParams::check).
    pub fn from_params(params: &CallParams) -> Result<AtmVcParams, ParamsError> {
        let specific = &params.media.as_ref().ok_or(ParamsError::Missing)?.specific;
        if specific.param_type != ATM_MEDIA {
            return Err(ParamsError::Type { found: specific.param_type, expected: ATM_MEDIA });
        }
        let mut from = Reader::new(&specific.parameters);
        let (vpi, vci) = (from.u32()?, from.u32()?);
        let number = |number| u16::try_from(number).map_err(|_| ParamsError::VpVc { vpi, vci });
        let vpvc = VpVc { vpi: Vpi(number(vpi)?), vci: Vci(number(vci)?) };
        let aal = Aal::from_code(from.u32()?)?;
        from.octets(6 * 4)?;
        let clp = from.u32()? != 0;
        let (transmit, receive) = (shapes::take_flow(&mut from)?, shapes::take_flow(&mut from)?);
        from.end()?;
        let params = AtmVcParams { vpvc, aal, clp, transmit, receive };
        params.check()?;
        Ok(params)
    }

    /// Whether there is such a virtual connection.
    ///
    /// # Errors
    /// [`ParamsError::VpVc`]: a VPI of more than 12 bits, or VCI 0, which is for unassigned cells (I.361 §2.2.3; text not read).
    /// [`ParamsError::Contract`], [`ParamsError::SduOctets`].
    pub fn check(&self) -> Result<(), ParamsError> {
        let VpVc { vpi, vci } = self.vpvc;
        if vpi.0 > VPI_MAX || vci.0 == 0 {
            return Err(ParamsError::VpVc { vpi: u32::from(vpi.0), vci: u32::from(vci.0) });
        }
        for flow in [&self.transmit, &self.receive] {
            check_contract(&flow.contract)?;
            let octets = flow.sdu_octets_max;
            let fits = match self.aal {
                Aal::Aal0 => [0, 48, 52].contains(&octets),
                Aal::Aal5 => octets <= 65_535,
            };
            if !fits {
                return Err(ParamsError::SduOctets(octets));
            }
        }
        Ok(())
    }
}

impl fmt::Display for AtmVcParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Contract { category, pcr_cells_per_s, .. } = self.transmit.contract;
        write!(f, "{} {:?} {category:?}", self.vpvc, self.aal)?;
        match pcr_cells_per_s {
            Some(pcr) => write!(f, " {pcr} cells/s"),
            None => Ok(()),
        }
    }
}

/// Whether a contract says what its category must say (TM 4.0 table 2-1; text not read).
pub(super) fn check_contract(contract: &Contract) -> Result<(), ParamsError> {
    let peak = contract.pcr_cells_per_s;
    let sound = match (contract.category, contract.sustained) {
        (ServiceCategory::Cbr, None) => peak.is_some_and(|peak| peak > 0),
        // A peak of zero is a direction that carries nothing, as the way back of a call with many parties.
        (ServiceCategory::Ubr, None) => true,
        (ServiceCategory::RtVbr | ServiceCategory::NrtVbr, Some(sustained)) => {
            (1..=peak.unwrap_or(0)).contains(&sustained.scr_cells_per_s) && sustained.mbs_cells > 0
        }
        (ServiceCategory::Cbr | ServiceCategory::Ubr, Some(_))
        | (ServiceCategory::RtVbr | ServiceCategory::NrtVbr, None) => false,
    };
    if sound { Ok(()) } else { Err(ParamsError::Contract) }
}

/// The highest VPI of an NNI.
const VPI_MAX: u16 = 0x0FFF;

const OCTETS: usize = 40 + 2 * shapes::FLOW_OCTETS;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn some() -> Vec<AtmVcParams> {
        let ubr = AtmVcParams::ubr(VpVc::new(0, 5), 4096);
        let vbr = Contract {
            category: ServiceCategory::RtVbr,
            pcr_cells_per_s: Some(1000),
            sustained: Some(Sustained { scr_cells_per_s: 100, mbs_cells: 32 }),
            cdvt: Duration::from_micros(100),
            tagging: true,
            frame_discard: false,
        };
        let nrt = Contract { category: ServiceCategory::NrtVbr, tagging: false, ..vbr };
        vec![
            ubr,
            AtmVcParams {
                transmit: AtmFlow { contract: vbr, sdu_octets_max: 65_535 },
                receive: AtmFlow { contract: nrt, sdu_octets_max: 0 },
                clp: true,
                vpvc: VpVc::new(0xfff, 0xffff),
                ..ubr
            },
            AtmVcParams {
                aal: Aal::Aal0,
                transmit: AtmFlow { contract: Contract::cbr(353_207), sdu_octets_max: 52 },
                receive: AtmFlow::ubr(48),
                ..ubr
            },
        ]
    }

    #[test]
    fn parameters_are_read_as_they_were_written() {
        for params in some() {
            let written = params.to_params();
            let octets = &written.media.as_ref().expect("made with media").specific.parameters;
            assert_eq!(octets.len(), 152, "ATM_MEDIA_PARAMETERS");
            assert_eq!(AtmVcParams::from_params(&written), Ok(params));
        }
    }

    #[test]
    fn every_prefix_and_every_extension_is_refused() {
        for params in some() {
            let whole = params.to_params();
            for len in 0..OCTETS {
                let mut cut = whole.clone();
                cut.media.as_mut().expect("made with media").specific.parameters.truncate(len);
                assert_eq!(AtmVcParams::from_params(&cut), Err(ParamsError::Truncated { len }));
            }
            let mut longer = whole;
            longer.media.as_mut().expect("made with media").specific.parameters.push(0);
            assert_eq!(AtmVcParams::from_params(&longer), Err(ParamsError::TooLong { len: OCTETS + 1 }));
        }
    }

    #[test]
    fn what_is_no_connection_is_refused() {
        let ubr = AtmVcParams::ubr(VpVc::new(1, 100), 4096);
        let with = |contract| AtmVcParams { transmit: AtmFlow { contract, sdu_octets_max: 1 }, ..ubr };
        let sustained = Some(Sustained { scr_cells_per_s: 11, mbs_cells: 1 });
        let wrong = [
            (AtmVcParams::ubr(VpVc::new(1, 0), 1), ParamsError::VpVc { vpi: 1, vci: 0 }),
            (AtmVcParams::ubr(VpVc::new(0x1000, 32), 1), ParamsError::VpVc { vpi: 0x1000, vci: 32 }),
            (AtmVcParams::ubr(VpVc::new(1, 100), 65_536), ParamsError::SduOctets(65_536)),
            (AtmVcParams { aal: Aal::Aal0, ..ubr }, ParamsError::SduOctets(4096)),
            (with(Contract { pcr_cells_per_s: None, ..Contract::cbr(1) }), ParamsError::Contract),
            (with(Contract::cbr(0)), ParamsError::Contract),
            (
                with(Contract { category: ServiceCategory::NrtVbr, ..Contract::cbr(10) }),
                ParamsError::Contract,
            ),
            (
                with(Contract { category: ServiceCategory::NrtVbr, sustained, ..Contract::cbr(10) }),
                ParamsError::Contract,
            ),
            (with(Contract { sustained, ..Contract::cbr(10) }), ParamsError::Contract),
        ];
        for (params, error) in wrong {
            assert_eq!(AtmVcParams::from_params(&params.to_params()), Err(error), "{params}");
        }
        assert_eq!(AtmVcParams::from_params(&CallParams::default()), Err(ParamsError::Missing));
    }
}
