//! One IE or more of every kind, with every field set, and a message of every type with all of them that it
//! may have.

use crate::addr::AtmAddress;
use crate::q2931::wire::grammar::{MESSAGES, MessageRule};
use crate::q2931::wire::*;

fn octets<const MAX: usize>(octets: &[u8]) -> Octets<MAX> {
    Octets::new(octets).unwrap()
}

pub(super) fn nsap() -> AtmAddress {
    "47.0005.80.ffe100.0000.f21a.0001.0020480a0001.00".parse().unwrap()
}

fn e164() -> AtmAddress {
    "+4989636112".parse().unwrap()
}

fn subaddress(kind: SubaddressType, odd: bool, of: &[u8]) -> Subaddress {
    Subaddress { kind, odd, octets: octets(of) }
}

/// Rates with a number of its own in each field.
fn rates(first: u32) -> CellRates {
    CellRates {
        pcr0: Some(first),
        pcr01: Some(first + 1),
        scr0: Some(first + 2),
        scr01: Some(first + 3),
        mbs0: Some(first + 4),
        mbs01: Some(first + 5),
        mcr01: Some(first + 6),
    }
}

fn causes() -> Vec<Ie> {
    let about = |value, diagnostics| Cause::new(Location::PUBLIC_LOCAL, value).with(diagnostics);
    let transit = TransitNetworkSelection::carrier(b"288").unwrap();
    [
        Cause::user(CauseValue::NORMAL_CLEARING),
        about(
            CauseValue::NO_ROUTE_TO_DESTINATION,
            Diagnostics::Condition { user: true, abnormal: true, condition: Condition::TRANSIENT },
        ),
        about(CauseValue::NO_ROUTE_TO_TRANSIT_NETWORK, Diagnostics::TransitNetwork(transit)),
        about(
            CauseValue::CALL_REJECTED,
            Diagnostics::Rejection {
                reason: RejectionReason::IE_MISSING,
                condition: Condition::PERMANENT,
                detail: octets(&[IeId::AAL_PARAMETERS.0]),
            },
        ),
        about(CauseValue::NUMBER_CHANGED, Diagnostics::NewNumber(nsap().into())),
        about(
            CauseValue::CELL_RATE_NOT_AVAILABLE,
            Diagnostics::Subfields(octets(&[subfield::PCR01, subfield::PCR01 | 1])),
        ),
        about(CauseValue::BEARER_NOT_IMPLEMENTED, Diagnostics::Attributes(octets(&[1, 2, 3]))),
        about(CauseValue::CHANNEL_DOES_NOT_EXIST, Diagnostics::Connection { vpci: 1, vci: 34 }),
        Cause::user(CauseValue::MANDATORY_IE_MISSING).about(IeId::CALLED_PARTY_NUMBER),
        about(CauseValue::INVALID_IE_CONTENTS, Diagnostics::Ies(vec![IeId::AAL_PARAMETERS, IeId(0x33)])),
        about(CauseValue::MESSAGE_NOT_COMPATIBLE, Diagnostics::MessageType(MessageType::Connect)),
        Cause::timer(Location::USER, 303),
        about(CauseValue::INTERWORKING, Diagnostics::Other(octets(&[0x17]))),
        about(CauseValue(77), Diagnostics::Other(octets(b"own"))),
    ]
    .map(Ie::from)
    .into()
}

fn aals() -> Vec<Ie> {
    [
        AalParameters::Aal1(Aal1 {
            subtype: Some(Aal1Subtype::CIRCUIT),
            cbr_rate: Some(CbrRate::N_TIMES_64),
            multiplier: Some(30),
            clock_recovery: Some(ClockRecovery::SRTS),
            error_correction: Some(ErrorCorrection::LOSS_SENSITIVE),
            block_octets: Some(30),
            filled_octets: Some(47),
        }),
        AalParameters::Aal34(Aal34 {
            forward_max_sdu: Some(9188),
            backward_max_sdu: Some(1024),
            mid_range: Some((1, 1023)),
            mode: Some(AalMode::STREAMING),
            sscs: Some(Sscs::FRAME_RELAY),
        }),
        AalParameters::aal5(9188, 1500),
        AalParameters::Aal5(Aal5 {
            forward_max_sdu: Some(1),
            backward_max_sdu: None,
            mode: Some(AalMode::MESSAGE),
            sscs: Some(Sscs::SSCOP_ASSURED),
        }),
        AalParameters::User(octets(&[1, 2, 3, 4])),
        AalParameters::Other { aal_type: 0, octets: octets(&[]) },
    ]
    .map(Ie::from)
    .into()
}

fn low_layers() -> Vec<Ie> {
    let layer2 =
        |protocol, detail| LowLayerInfo { layer2: Some(Layer2 { protocol, detail }), ..Default::default() };
    let layer3 =
        |protocol, detail| LowLayerInfo { layer3: Some(Layer3 { protocol, detail }), ..Default::default() };
    let (normal, extended) = (SequenceMode::NORMAL, SequenceMode::EXTENDED);
    [
        LowLayerInfo::LLC,
        LowLayerInfo::snap([0, 0, 0], 0x0800),
        LowLayerInfo { layer1: Some(5), ..LowLayerInfo::LLC },
        layer2(Layer2Protocol::HDLC_ABM, Layer2Detail::Mode { mode: normal, q933: 0, window: None }),
        layer2(Layer2Protocol::Q922, Layer2Detail::Mode { mode: extended, q933: 1, window: Some(7) }),
        layer2(Layer2Protocol::USER, Layer2Detail::User(0x33)),
        layer3(Layer3Protocol::X25, Layer3Detail::X25 { mode: normal, packet: None }),
        layer3(Layer3Protocol::ISO_8208, Layer3Detail::X25 { mode: extended, packet: Some((7, None)) }),
        layer3(Layer3Protocol::X223, Layer3Detail::X25 { mode: extended, packet: Some((10, Some(2))) }),
        layer3(Layer3Protocol::USER, Layer3Detail::User(0x44)),
        layer3(Layer3Protocol::TR_9577, Layer3Detail::Ipi(0xcc)),
        layer3(Layer3Protocol::TR_9577, Layer3Detail::Ipi(0x81)),
        layer3(
            Layer3Protocol::H310,
            Layer3Detail::H310 { terminal: 3, capability: 2, multiplexing: Some((1, 4)) },
        ),
        layer3(Layer3Protocol::H310, Layer3Detail::H310 { terminal: 1, capability: 1, multiplexing: None }),
        layer3(Layer3Protocol::ISO_8473, Layer3Detail::None),
    ]
    .map(Ie::from)
    .into()
}

fn parties(id: IeId) -> Vec<Ie> {
    let presentation =
        Some(Presentation { indicator: PresentationIndicator::RESTRICTED, screening: Screening::NETWORK });
    let other = PartyNumber::Other { type_and_plan: 0x21, digits: octets(b"636112") };
    let withheld = PartyNumber::Other { type_and_plan: 0x02, digits: octets(&[]) };
    match id {
        IeId::CALLED_PARTY_NUMBER => {
            vec![
                CalledPartyNumber::from(nsap()).into(),
                CalledPartyNumber::from(e164()).into(),
                CalledPartyNumber(other).into(),
            ]
        }
        IeId::CALLING_PARTY_NUMBER => vec![
            CallingPartyNumber::from(nsap()).into(),
            CallingPartyNumber { number: e164().into(), presentation }.into(),
            CallingPartyNumber { number: withheld, presentation }.into(),
        ],
        IeId::CONNECTED_NUMBER => vec![
            ConnectedNumber { number: nsap().into(), presentation }.into(),
            ConnectedNumber { number: other, presentation: None }.into(),
        ],
        _ => unreachable!("{id} is no number"),
    }
}

/// IEs of this kind.
pub(super) fn of(id: IeId) -> Vec<Ie> {
    let vc = condis_link::atm::VpVc::new(1, 34);
    match id {
        IeId::CAUSE => causes(),
        IeId::AAL_PARAMETERS => aals(),
        IeId::LOW_LAYER_INFO => low_layers(),
        IeId::CALLED_PARTY_NUMBER | IeId::CALLING_PARTY_NUMBER | IeId::CONNECTED_NUMBER => parties(id),
        IeId::CALLED_PARTY_SUBADDRESS => {
            vec![
                CalledPartySubaddress(subaddress(SubaddressType::ATM_ENDSYSTEM, false, nsap().octets()))
                    .into(),
            ]
        }
        IeId::CALLING_PARTY_SUBADDRESS => {
            vec![CallingPartySubaddress(subaddress(SubaddressType::NSAP, true, &[0x12, 0x30])).into()]
        }
        IeId::CONNECTED_SUBADDRESS => {
            vec![ConnectedSubaddress(subaddress(SubaddressType::USER, false, b"x")).into()]
        }
        IeId::NARROWBAND_BEARER => vec![NarrowbandBearer(octets(&[0x88, 0x90])).into()],
        IeId::NARROWBAND_HIGH_LAYER => vec![NarrowbandHighLayer(octets(&[0x91, 0x81])).into()],
        IeId::NARROWBAND_LOW_LAYER => vec![NarrowbandLowLayer(octets(&[0x88, 0x90])).into()],
        IeId::FACILITY => vec![Facility(octets(&[0x11, 1, 2])).into()],
        IeId::CALL_STATE => vec![CallState::ACTIVE.into(), CallState::RESTART_REQUEST.into()],
        IeId::PROGRESS => {
            let (location, description) = (Location::TRANSIT, ProgressDescription::IN_BAND);
            vec![Progress { location, description }.into()]
        }
        IeId::NOTIFICATION => vec![Notification(octets(&[0x81, 7])).into()],
        IeId::TRANSIT_DELAY => vec![
            TransitDelay { cumulative_ms: Some(3), maximum_ms: Some(20), network_generated: false }.into(),
            TransitDelay {
                cumulative_ms: Some(3),
                maximum_ms: Some(TransitDelay::ANY),
                network_generated: true,
            }
            .into(),
        ],
        IeId::ENDPOINT_REFERENCE => {
            vec![
                EndpointReference::FIRST.into(),
                EndpointReference { value: 0x7ffe, to_originator: true }.into(),
            ]
        }
        IeId::ENDPOINT_STATE => vec![EndpointState::ADD_PARTY_RECEIVED.into()],
        IeId::TRAFFIC_DESCRIPTOR => traffic().map(Ie::from).into(),
        IeId::ALTERNATIVE_TRAFFIC_DESCRIPTOR => {
            traffic().map(|traffic| AlternativeTrafficDescriptor(traffic).into()).into()
        }
        IeId::MINIMUM_TRAFFIC_DESCRIPTOR => {
            let minimum =
                |first| CellRates { pcr0: Some(first), mcr01: Some(first + 1), ..CellRates::peak(first + 2) };
            vec![MinimumTrafficDescriptor { forward: minimum(1), backward: minimum(11) }.into()]
        }
        IeId::CONNECTION_ID => vec![
            ConnectionId::exclusive(vc).into(),
            ConnectionId::any_vci(condis_link::atm::Vpi(7)).into(),
            ConnectionId {
                signalling: VpAssociation::ASSOCIATED,
                preference: Preference::NO_VCI,
                vpci: 0,
                vci: 0,
            }
            .into(),
        ],
        IeId::OAM_TRAFFIC_DESCRIPTOR => {
            let oam = OamTrafficDescriptor {
                shaping: 1,
                compliance: true,
                fault_management: 1,
                forward_flow: 1,
                backward_flow: 4,
            };
            vec![oam.into()]
        }
        IeId::QOS_PARAMETER => vec![
            QosParameter::UNSPECIFIED.into(),
            Ie::new(QosParameter { forward: QosClass::CLASS_1, backward: QosClass::CLASS_4 })
                .coded(Coding::Network),
        ],
        IeId::HIGH_LAYER_INFO => {
            let vendor = octets(&[0, 0x60, 0xd7, 1, 0, 0, 3]);
            vec![
                HighLayerInfo { kind: HighLayerType::VENDOR, octets: vendor }.into(),
                HighLayerInfo { kind: HighLayerType::USER, octets: octets(b"eight of") }.into(),
            ]
        }
        IeId::BEARER_CAPABILITY => vec![
            BearerCapability::new(BearerClass::X, None).into(),
            BearerCapability {
                susceptible_to_clipping: true,
                ..BearerCapability::new(BearerClass::C, Some(TransferCapability::RT_VBR))
            }
            .into(),
            BearerCapability::new(BearerClass::A, Some(TransferCapability::CBR_CLR01)).into(),
        ],
        IeId::LOCKING_SHIFT => vec![LockingShift(5).into()],
        IeId::NON_LOCKING_SHIFT => vec![NonLockingShift(6).into()],
        IeId::SENDING_COMPLETE => vec![SendingComplete.into()],
        IeId::REPEAT_INDICATOR => vec![RepeatIndicator::PRIORITIZED.into()],
        IeId::TRANSIT_NETWORK_SELECTION => {
            let international = TransitNetworkSelection { type_and_plan: 0x33, network: octets(b"2624") };
            vec![TransitNetworkSelection::carrier(b"288").unwrap().into(), international.into()]
        }
        IeId::RESTART_INDICATOR => {
            vec![
                RestartIndicator::VIRTUAL_CHANNEL.into(),
                RestartIndicator::VIRTUAL_PATH.into(),
                RestartIndicator::ALL.into(),
            ]
        }
        IeId::USER_USER => vec![UserUser(octets(b"\x04hello")).into()],
        IeId::GENERIC_IDENTIFIER => {
            let ids = vec![
                (IdentifierType::SESSION, octets(&[7; 20])),
                (IdentifierType::RESOURCE, octets(&[1, 2, 3, 4])),
            ];
            vec![GenericIdentifier { standard: IdentifierStandard::DSM_CC, ids }.into()]
        }
        IeId::ABR_SETUP => {
            let direction = |first: u8| AbrDirection {
                icr: Some(u32::from(first) << 16),
                tbe: Some(0x12_3456),
                rif: Some(first),
                rdf: Some(first + 1),
            };
            vec![
                AbrSetup { forward: direction(4), backward: direction(6), round_trip_us: Some(5000) }.into(),
                AbrSetup { round_trip_us: Some(1), ..AbrSetup::default() }.into(),
            ]
        }
        IeId::ABR_ADDITIONAL => {
            let forward = AbrRecord { nrm: Some(4), trm: Some(7), cdf: Some(3), adtf: Some(50) };
            let backward = AbrRecord { adtf: Some(0x3ff), ..AbrRecord::default() };
            vec![AbrAdditional { forward: Some(forward), backward: Some(backward) }.into()]
        }
        IeId::REPORT_TYPE => vec![ReportType::MODIFICATION_CONFIRMATION.into()],
        IeId::LEAF_CALL_ID => vec![LeafCallId { kind: 0, id: 0x0102_0304 }.into()],
        IeId::LEAF_PARAMETERS => vec![LeafParameters(0).into()],
        IeId::LEAF_SEQUENCE_NUMBER => vec![LeafSequenceNumber(9).into()],
        IeId::CONNECTION_SCOPE => vec![ConnectionScope::organizational(Scope::SITE).into()],
        IeId::EXTENDED_QOS => {
            let qos = ExtendedQos {
                forward_acceptable_cdv: Some(ExtendedQos::ANY_CDV),
                backward_acceptable_cdv: Some(1000),
                forward_cumulative_cdv: Some(10),
                backward_cumulative_cdv: Some(11),
                forward_clr: Some(7),
                backward_clr: Some(ExtendedQos::ANY_CLR),
                ..ExtendedQos::of(QosOrigin::NETWORK)
            };
            vec![qos.into()]
        }
        IeId::MINIMUM_DESIRED_CELL_RATE => {
            vec![MinimumDesiredCellRate { origin: 0, forward: Some(1), backward: Some(2) }.into()]
        }
        other => panic!("no sample of {other}"),
    }
}

fn traffic() -> [TrafficDescriptor; 3] {
    let options =
        TrafficOptions { forward_frame_discard: true, backward_tagging: true, ..TrafficOptions::default() };
    let peak = TrafficDescriptor {
        forward: CellRates::peak(353_207),
        backward: CellRates::peak(0),
        ..Default::default()
    };
    [
        TrafficDescriptor { best_effort: true, ..peak },
        TrafficDescriptor {
            forward: rates(1),
            backward: rates(11),
            best_effort: false,
            options: Some(options),
        },
        TrafficDescriptor { options: Some(options.reversed()), ..peak },
    ]
}

impl TrafficOptions {
    fn reversed(self) -> TrafficOptions {
        TrafficDescriptor { options: Some(self), ..TrafficDescriptor::default() }.reversed().options.unwrap()
    }
}

/// A reference under which a message of this type may come.
pub(super) fn call_ref(rule: &MessageRule) -> CallRef {
    match rule.reference {
        grammar::Reference::Global => CallRef::GLOBAL,
        grammar::Reference::Call | grammar::Reference::Either => CallRef::from_originator(0x01_0203).unwrap(),
    }
}

/// Messages of every type: each with all IEs that the table lets it have, the first with the first sample of
/// each kind and so on, until every sample was in one.
pub(super) fn messages() -> Vec<Message> {
    let mut messages = Vec::new();
    for rule in MESSAGES {
        let samples: Vec<Vec<Ie>> = rule.ies.iter().map(|ie| of(ie.id)).collect();
        let rounds = samples.iter().map(Vec::len).max().unwrap_or(1);
        for round in 0..rounds {
            let ies = samples.iter().map(|of_kind| of_kind[round % of_kind.len()].clone());
            messages.push(Message::new(call_ref(rule), rule.kind).with_all(ies));
        }
    }
    messages
}
