//! What a client and an ATM manager tell each other in call parameters.
//!
//! In the form of Q2931_CALLMGR_PARAMETERS:
//!
//! | octets | what |
//! |---|---|
//! | 28 | called party (ATM_ADDRESS) |
//! | 28 | calling party (ATM_ADDRESS), type 0xFFFFFFFE if there is none |
//! | 4 | number of information elements |
//! | … | each a Q2931_IE of type IE_Raw: type 14 (4), octets from here to its end (8 and these) (4), then ATM_RAW_IE: octets of the value (4), identifier (4), and the value: the whole IE as it is on the wire (Q.2931 §4.5.1) |
//!
//! So whatever Q.2931 can say in an IE can be said by a client, and heard by it.

use condis::params::{CallManagerParams, CallParams, FlowSpec, Specific};

use super::flow_spec::{flow_of, spec_of};
use super::shapes::{self, AddressField, Reader};
use super::vc_params::{AtmFlow, AtmVcParams, check_contract};
use super::{ParamsError, layers};
use crate::addr::AtmAddress;
use crate::q2931::call;
use crate::q2931::call::{Contracts, traffic_of};
use crate::q2931::wire::{
    AalParameters, BearerCapability, CallRef, CalledPartySubaddress, CallingPartyNumber,
    CallingPartySubaddress, Cause, HighLayerInfo, Ie, IeValue, LowLayerInfo, MESSAGE_HEADER_LEN, Message,
    MessageType, PartyNumber, Presentation, QosParameter, TrafficDescriptor, Version,
};

/// `param_type` of an [`AtmCall`].
#[doc(alias = "CALLMGR_SPECIFIC_Q2931")]
pub const ATM_CALL: u32 = 0x0000_0001;

/// A call, a party or a change of a call, as a client and an ATM manager tell it each other: goes into the parameters of a
/// make-call, an added party or a change of QoS, comes in those of an offer, and comes back with what was agreed on. After a
/// failure [`AtmCall::causes`] say why.
#[derive(Clone, PartialEq, Eq, Debug)]
#[doc(alias = "Q2931_CALLMGR_PARAMETERS")]
pub struct AtmCall {
    /// Who is called.
    pub called: AtmAddress,
    /// Its subaddress.
    pub called_subaddress: Option<CalledPartySubaddress>,
    /// Who calls. If a caller leaves it away, the manager's first address is told.
    pub calling: Option<AtmAddress>,
    /// Whether that may be shown, and who vouches for it.
    pub calling_presentation: Option<Presentation>,
    /// Its subaddress.
    pub calling_subaddress: Option<CallingPartySubaddress>,
    /// From who calls to who is called.
    pub forward: AtmFlow,
    /// The other way. Of a call with many parties nothing comes back.
    pub backward: AtmFlow,
    /// The bearer capability; `None`: what the category of `forward` comes to.
    pub bearer: Option<BearerCapability>,
    /// The QoS classes; `None`: likewise.
    pub qos: Option<QosParameter>,
    /// The high layer information.
    pub bhli: Option<HighLayerInfo>,
    /// Up to three low layer informations, best first.
    pub blli: Vec<LowLayerInfo>,
    /// Why it came to nothing.
    pub causes: Vec<Cause>,
    /// All other information elements.
    pub other: Vec<Ie>,
}

impl AtmCall {
    /// A best effort call to this address, with SDUs of [`AtmVcParams::SDU_OCTETS_DEFAULT`].
    pub fn to(called: AtmAddress) -> AtmCall {
        let flow = AtmFlow::ubr(AtmVcParams::SDU_OCTETS_DEFAULT);
        AtmCall {
            called,
            called_subaddress: None,
            calling: None,
            calling_presentation: None,
            calling_subaddress: None,
            forward: flow,
            backward: flow,
            bearer: None,
            qos: None,
            bhli: None,
            blli: Vec::new(),
            causes: Vec::new(),
            other: Vec::new(),
        }
    }

    /// The same with this flow both ways.
    pub fn both_ways(self, flow: AtmFlow) -> AtmCall {
        AtmCall { forward: flow, backward: flow, ..self }
    }

    /// The parameters to make the call with.
    pub fn to_params(&self) -> CallParams {
        CallParams { manager: Some(Box::new(self.to_manager())), ..CallParams::default() }
    }

    /// The same for parameters that have another part as well.
    pub fn to_manager(&self) -> CallManagerParams {
        let mut parameters = Vec::with_capacity(256);
        shapes::put_address(&mut parameters, &AddressField::Is(self.called.clone()));
        let calling = self.calling.clone().map_or(AddressField::Absent, AddressField::Is);
        shapes::put_address(&mut parameters, &calling);
        let ies: Vec<Vec<u8>> = self.ies().into_iter().filter_map(octets_of).collect();
        parameters.extend((ies.len() as u32).to_le_bytes());
        for ie in ies {
            let len = ie.len() as u32;
            let words = [IE_RAW, IE_HEAD_OCTETS + len, len, u32::from(ie[0])];
            parameters.extend(words.into_iter().flat_map(u32::to_le_bytes));
            parameters.extend(ie);
        }
        CallManagerParams {
            transmit: spec_of(&self.forward),
            receive: spec_of(&self.backward),
            specific: Specific { param_type: ATM_CALL, parameters },
        }
    }

    fn ies(&self) -> Vec<Ie> {
        let contracts = Contracts { forward: self.forward.contract, backward: self.backward.contract };
        let sdu = |flow: &AtmFlow| u16::try_from(flow.sdu_octets_max).unwrap_or(u16::MAX);
        let mut ies = vec![
            Ie::new(traffic_of(Version::Uni40, &contracts)),
            Ie::new(AalParameters::aal5(sdu(&self.forward), sdu(&self.backward))),
        ];
        ies.extend(self.bearer.map(Ie::new));
        ies.extend(self.qos.map(Ie::new));
        ies.extend(self.bhli.clone().map(Ie::new));
        ies.extend(self.blli.iter().cloned().map(Ie::new));
        ies.extend(self.called_subaddress.clone().map(Ie::new));
        ies.extend(self.calling_subaddress.clone().map(Ie::new));
        if let (Some(calling), Some(_)) = (&self.calling, self.calling_presentation) {
            let number = PartyNumber::Atm(calling.clone());
            ies.push(Ie::new(CallingPartyNumber { number, presentation: self.calling_presentation }));
        }
        ies.extend(self.causes.iter().cloned().map(Ie::new));
        ies.extend(self.other.iter().cloned());
        ies
    }

    /// Reads call parameters. Without a traffic descriptor the flows are those of the two FLOWSPECs; a way back of which nothing
    /// is said is as the way there.
    ///
    /// # Errors
    /// See [`ParamsError`].
    pub fn from_params(params: &CallParams) -> Result<AtmCall, ParamsError> {
        let manager = params.manager.as_ref().ok_or(ParamsError::Missing)?;
        let specific = &manager.specific;
        if specific.param_type != ATM_CALL {
            return Err(ParamsError::Type { found: specific.param_type, expected: ATM_CALL });
        }
        let mut from = Reader::new(&specific.parameters);
        let AddressField::Is(called) = shapes::take_address(&mut from)? else {
            return Err(ParamsError::Address);
        };
        let calling = match shapes::take_address(&mut from)? {
            AddressField::Absent => None,
            AddressField::Is(address) => Some(address),
            _ => return Err(ParamsError::Address),
        };
        let count = from.u32()?;
        let mut message = Message::new(CallRef::new(1, false), MessageType::Setup);
        for _ in 0..count.min(IES_MAX + 1) {
            message.ies.push(take_ie(&mut from)?);
        }
        from.end()?;
        if count > IES_MAX {
            return Err(ParamsError::InformationElement);
        }
        let default = AtmVcParams::SDU_OCTETS_DEFAULT;
        let mut call = AtmCall {
            calling,
            forward: flow_of(&manager.transmit, default),
            backward: match manager.receive {
                // Nothing is said of it: as the other way.
                FlowSpec::BEST_EFFORT => flow_of(&manager.transmit, default),
                receive => flow_of(&receive, default),
            },
            ..AtmCall::to(called)
        };
        call.take_ies(message.ies)?;
        call.check()?;
        Ok(call)
    }

    /// Whether such a call can be made.
    ///
    /// # Errors
    /// [`ParamsError::Contract`]: a contract that is none, or two directions of different service categories, which no
    /// bearer capability can tell.
    pub fn check(&self) -> Result<(), ParamsError> {
        for flow in [&self.forward, &self.backward] {
            check_contract(&flow.contract)?;
        }
        let (forward, backward) = (&self.forward.contract, &self.backward.contract);
        let same = forward.category == backward.category || backward.pcr_cells_per_s == Some(0);
        if same { Ok(()) } else { Err(ParamsError::Contract) }
    }

    fn take_ies(&mut self, ies: Vec<Ie>) -> Result<(), ParamsError> {
        let mut traffic: Option<TrafficDescriptor> = None;
        for ie in ies {
            match ie.value {
                IeValue::TrafficDescriptor(found) => traffic = Some(*found),
                IeValue::AalParameters(AalParameters::Aal5(aal)) => {
                    let octets = |flow: &mut AtmFlow, max: Option<u16>| {
                        if let Some(max) = max {
                            flow.sdu_octets_max = u32::from(max);
                        }
                    };
                    octets(&mut self.forward, aal.forward_max_sdu);
                    octets(&mut self.backward, aal.backward_max_sdu);
                }
                IeValue::BearerCapability(bearer) => self.bearer = Some(bearer),
                IeValue::QosParameter(qos) => self.qos = Some(qos),
                IeValue::HighLayerInfo(bhli) => self.bhli = Some(bhli),
                IeValue::LowLayerInfo(blli) if self.blli.len() < BLLIS_MAX => self.blli.push(blli),
                IeValue::CalledPartySubaddress(subaddress) => self.called_subaddress = Some(subaddress),
                IeValue::CallingPartySubaddress(subaddress) => self.calling_subaddress = Some(subaddress),
                IeValue::CallingPartyNumber(calling) => {
                    self.calling_presentation = calling.presentation;
                    if self.calling.is_none()
                        && let PartyNumber::Atm(address) = calling.number
                    {
                        self.calling = Some(address);
                    }
                }
                IeValue::Cause(cause) => self.causes.push(cause),
                IeValue::AalParameters(_) => return Err(ParamsError::Aal(0)),
                // They have a place of their own, or are the manager's to say.
                IeValue::CalledPartyNumber(_)
                | IeValue::ConnectionId(_)
                | IeValue::EndpointReference(_)
                | IeValue::RepeatIndicator(_)
                | IeValue::LowLayerInfo(_) => return Err(ParamsError::InformationElement),
                value => self.other.push(Ie { value, ..ie }),
            }
        }
        if let Some(traffic) = traffic {
            // Without a bearer capability best effort is what the descriptor says itself, and CBR or VBR follow from its rates.
            let variable = traffic.forward.scr01.or(traffic.forward.scr0).is_some();
            let bearer = self.bearer.unwrap_or_else(|| default_bearer(&traffic, variable));
            let contracts = Contracts::of(&traffic, &bearer);
            self.forward = AtmFlow { contract: contracts.forward, ..self.forward }.usable();
            self.backward = AtmFlow { contract: contracts.backward, ..self.backward }.usable();
        }
        Ok(())
    }

    /// The call as Q.2931 makes it.
    pub(super) fn to_setup(&self, version: Version, multipoint: bool) -> call::CallParams {
        let contracts = Contracts { forward: self.forward.contract, backward: self.backward.contract };
        let sdu = |flow: &AtmFlow| u16::try_from(flow.sdu_octets_max).unwrap_or(u16::MAX);
        let base = call::CallParams::new(version, self.called.clone(), &contracts, 0);
        let params = call::CallParams {
            called_subaddress: self.called_subaddress.clone(),
            calling: self.calling_number(),
            calling_subaddress: self.calling_subaddress.clone(),
            bearer: self.bearer.unwrap_or(base.bearer),
            qos: self.qos.or(base.qos),
            aal: Some(AalParameters::aal5(sdu(&self.forward), sdu(&self.backward))),
            bhli: self.bhli.clone(),
            blli: self.blli.clone(),
            other: self.other.clone(),
            ..base
        };
        if multipoint { params.point_to_multipoint() } else { params }
    }

    pub(super) fn calling_number(&self) -> Option<CallingPartyNumber> {
        let number = PartyNumber::Atm(self.calling.clone()?);
        Some(CallingPartyNumber { number, presentation: self.calling_presentation })
    }

    /// A further party as Q.2971 adds it.
    pub(super) fn to_party(&self) -> call::PartyParams {
        call::PartyParams {
            called_subaddress: self.called_subaddress.clone(),
            calling: self.calling_number(),
            calling_subaddress: self.calling_subaddress.clone(),
            bhli: self.bhli.clone(),
            blli: self.blli.first().cloned(),
            other: self.other.clone(),
            ..call::PartyParams::from(self.called.clone())
        }
    }

    /// The call that a SETUP asks for.
    ///
    /// # Errors
    /// It calls something that is no ATM address, or over an adaptation layer other than AAL5.
    pub(super) fn of_setup(params: &call::CallParams) -> Result<AtmCall, ParamsError> {
        let called = params.called_address().ok_or(ParamsError::Address)?;
        let contracts = params.contracts();
        let (forward_sdu, backward_sdu) = match &params.aal {
            None => (None, None),
            Some(AalParameters::Aal5(aal)) => (aal.forward_max_sdu, aal.backward_max_sdu),
            Some(_) => return Err(ParamsError::Aal(0)),
        };
        let flow = |contract, sdu: Option<u16>| AtmFlow {
            contract,
            sdu_octets_max: sdu.map_or(AtmVcParams::SDU_OCTETS_DEFAULT, u32::from),
        };
        let flow = |contract, sdu| flow(contract, sdu).usable();
        Ok(AtmCall {
            called_subaddress: params.called_subaddress.clone(),
            calling: params.calling_address().cloned(),
            calling_presentation: params.calling.as_ref().and_then(|calling| calling.presentation),
            calling_subaddress: params.calling_subaddress.clone(),
            forward: flow(contracts.forward, forward_sdu),
            backward: flow(contracts.backward, backward_sdu),
            bearer: Some(params.bearer),
            qos: params.qos,
            bhli: params.bhli.clone(),
            blli: params.blli.clone(),
            other: params.other.clone(),
            ..AtmCall::to(called.clone())
        })
    }

    /// What a SAP looks at.
    pub(super) fn layers(&self) -> (Vec<layers::Low>, Option<layers::Bhli>) {
        (self.blli.iter().map(layers::low_of).collect(), self.bhli.as_ref().map(layers::Bhli::of))
    }
}

/// A bearer capability for flows that come without one.
fn default_bearer(traffic: &TrafficDescriptor, variable: bool) -> BearerCapability {
    use crate::traffic::{Contract, ServiceCategory};
    let category = match (traffic.best_effort, variable) {
        (true, _) => ServiceCategory::Ubr,
        (false, true) => ServiceCategory::NrtVbr,
        (false, false) => ServiceCategory::Cbr,
    };
    let contracts = Contracts::both(Contract { category, ..Contract::UBR });
    let nobody = AtmAddress::Nsap([0; AtmAddress::NSAP_OCTETS]);
    call::CallParams::new(Version::Uni40, nobody, &contracts, 0).bearer
}

/// An IE as it is on the wire.
pub(super) fn octets_of(ie: Ie) -> Option<Vec<u8>> {
    let message = Message::new(CallRef::new(1, false), MessageType::Setup).with(ie);
    let octets = message.encode().ok()?;
    Some(octets.get(MESSAGE_HEADER_LEN..)?.to_vec())
}

/// Reads one IE as it is on the wire, and nothing behind it.
pub(super) fn ie_of(octets: &[u8]) -> Option<Ie> {
    let mut whole = Message::new(CallRef::new(1, false), MessageType::Setup).encode().ok()?;
    whole.extend_from_slice(octets);
    let len = u16::try_from(octets.len()).ok()?.to_be_bytes();
    whole.get_mut(MESSAGE_HEADER_LEN - 2..MESSAGE_HEADER_LEN)?.copy_from_slice(&len);
    let message = Message::parse(&whole).ok()?;
    if message.length_error().is_some() {
        return None;
    }
    let [ie] = <[Ie; 1]>::try_from(message.ies).ok()?;
    Some(ie)
}

fn take_ie(from: &mut Reader<'_>) -> Result<Ie, ParamsError> {
    let (kind, len, raw_len, id) = (from.u32()?, from.u32()?, from.u32()?, from.u32()?);
    if kind != IE_RAW || len != IE_HEAD_OCTETS.saturating_add(raw_len) {
        return Err(ParamsError::InformationElement);
    }
    let octets = from.octets(raw_len as usize)?;
    let ie = ie_of(octets).ok_or(ParamsError::InformationElement)?;
    let sound = u32::from(ie.id().0) == id && !matches!(ie.value, IeValue::Invalid { .. });
    if sound { Ok(ie) } else { Err(ParamsError::InformationElement) }
}

/// `IE_Raw`.
const IE_RAW: u32 = 14;
/// Octets of a Q2931_IE with an ATM_RAW_IE before the value.
const IE_HEAD_OCTETS: u32 = 16;
/// Information elements of one call: more than a message of 4 KiB is likely to have.
const IES_MAX: u32 = 128;
/// Low layer informations of one call (UNI 3.1 §5.4.5.9).
const BLLIS_MAX: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::{E164, Esi};
    use crate::q2931::wire::{CauseValue, HighLayerType, Octets};
    use crate::traffic::{Contract, ServiceCategory, Sustained};

    fn nsap(esi: u8) -> AtmAddress {
        AtmAddress::new([0x47; 13], Esi([0, 0, 0, 0, 0, esi]), 0)
    }

    fn some() -> Vec<AtmCall> {
        let vbr = Contract {
            category: ServiceCategory::NrtVbr,
            sustained: Some(Sustained { scr_cells_per_s: 100, mbs_cells: 32 }),
            ..Contract::cbr(1000)
        };
        vec![
            AtmCall::to(nsap(1)),
            AtmCall {
                calling: Some(nsap(2)),
                forward: AtmFlow { contract: Contract::cbr(4000), sdu_octets_max: 1500 },
                backward: AtmFlow { contract: Contract::cbr(200), sdu_octets_max: 9188 },
                blli: vec![LowLayerInfo::LLC, LowLayerInfo::snap([0, 0, 0], 0x0800)],
                bhli: Some(HighLayerInfo {
                    kind: HighLayerType::USER,
                    octets: Octets::new([1, 2, 3]).expect("three"),
                }),
                ..AtmCall::to(AtmAddress::E164(E164::new(b"4989636112").expect("digits")))
            },
            AtmCall {
                forward: AtmFlow { contract: vbr, sdu_octets_max: 65_535 },
                backward: AtmFlow { contract: vbr, sdu_octets_max: 0 },
                causes: vec![Cause::user(CauseValue::USER_BUSY)],
                ..AtmCall::to(nsap(3))
            },
        ]
    }

    #[test]
    fn calls_are_read_as_they_were_written() {
        for call in some() {
            assert_eq!(AtmCall::from_params(&call.to_params()), Ok(call));
        }
        assert_eq!(AtmCall::from_params(&CallParams::default()), Err(ParamsError::Missing));
    }

    #[test]
    fn every_prefix_is_refused() {
        for call in some() {
            let whole = call.to_params();
            let specific = |params: &mut CallParams, change: &dyn Fn(&mut Vec<u8>)| {
                change(&mut params.manager.as_mut().expect("made with it").specific.parameters);
            };
            let len = whole.manager.as_ref().expect("made with it").specific.parameters.len();
            for len in 0..len {
                let mut cut = whole.clone();
                specific(&mut cut, &|octets| octets.truncate(len));
                assert!(AtmCall::from_params(&cut).is_err(), "{len} octets");
            }
            let mut longer = whole.clone();
            specific(&mut longer, &|octets| octets.push(0));
            assert_eq!(AtmCall::from_params(&longer), Err(ParamsError::TooLong { len: len + 1 }));
        }
    }

    /// A client that knows nothing of cells says what it wants in the FLOWSPECs alone.
    #[test]
    fn without_a_descriptor_the_flowspecs_count() {
        let mut params = AtmCall::to(nsap(1)).to_params();
        let manager = params.manager.as_mut().expect("made with it");
        manager.specific.parameters.truncate(56);
        manager.specific.parameters.extend([0; 4]);
        manager.transmit = FlowSpec {
            service_type: 3,
            peak_bandwidth: 48_000,
            token_rate: 48_000,
            max_sdu_size: 40,
            ..FlowSpec::BEST_EFFORT
        };
        // One way reserved and the other not: no bearer capability says that.
        assert_eq!(AtmCall::from_params(&params), Err(ParamsError::Contract));
        let manager = params.manager.as_mut().expect("made with it");
        manager.receive = FlowSpec::BEST_EFFORT;
        let call = AtmCall::from_params(&params).expect("addresses and flows");
        assert_eq!(call.forward, AtmFlow { contract: Contract::cbr(1200), sdu_octets_max: 40 });
        assert_eq!(call.backward, call.forward);
    }

    /// From the parameters of the caller over SETUP to those of the offer.
    #[test]
    fn a_call_is_the_same_at_both_ends() {
        for version in [Version::Uni31, Version::Uni40] {
            for call in some() {
                let setup = call.to_setup(version, false);
                let offered = AtmCall::of_setup(&setup).expect("it calls an address");
                assert_eq!(offered.called, call.called);
                assert_eq!(
                    (offered.forward.sdu_octets_max, &offered.blli),
                    (call.forward.sdu_octets_max, &call.blli)
                );
                let rates =
                    |call: &AtmCall| [call.forward, call.backward].map(|flow| flow.contract.pcr_cells_per_s);
                assert_eq!(rates(&offered), rates(&call));
                assert_eq!(offered.forward.contract.category, call.forward.contract.category, "{version}");
            }
        }
    }
}
