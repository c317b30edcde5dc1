//! Wireshark's dissector on our messages: a message of every type with every IE, and what it makes of them.

use std::path::PathBuf;
use std::process::Command;

use super::samples;
use crate::q2931::wire::*;

/// SUNATM in pcap: a direction and a kind (6: signaling over SSCOP), VPI, VCI, then the SDU.
const LINKTYPE_SUNATM: u32 = 123;

/// The messages as SSCOP's sequenced data on VC 0.5.
fn pcap(messages: &[Message]) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.extend(65_535_u32.to_le_bytes());
    file.extend(LINKTYPE_SUNATM.to_le_bytes());
    for (number, message) in messages.iter().enumerate() {
        let mut record = vec![0x86, 0, 0, 5];
        record.extend(message.encode().unwrap());
        let padding = (4 - record.len() % 4) % 4;
        record.resize(record.len() + padding, 0);
        record.push((padding as u8) << 6 | 8);
        record.extend(&(number as u32).to_be_bytes()[1..]);
        file.extend((number as u32).to_le_bytes());
        file.extend([0; 4]);
        let len = (record.len() as u32).to_le_bytes();
        file.extend(len);
        file.extend(len);
        file.extend(record);
    }
    file
}

/// The file's text by Wireshark; `None`: the machine has no tshark, which is a failure where
/// CONDIS_REQUIRE_PEERS=1.
fn dissected(test: &str, messages: &[Message]) -> Option<String> {
    if Command::new("tshark").arg("--version").output().is_err() {
        println!("SKIPPED {test}: needs tshark");
        assert!(std::env::var("CONDIS_REQUIRE_PEERS").as_deref() != Ok("1"), "{test} must not be skipped");
        return None;
    }
    let path: PathBuf = std::env::temp_dir().join(format!("condis-q2931-{test}-{}.pcap", std::process::id()));
    std::fs::write(&path, pcap(messages)).unwrap();
    let output = Command::new("tshark").args(["-r", path.to_str().unwrap(), "-O", "q2931"]).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// What Wireshark said of one IE: its name, and its lines, each as field and value.
#[derive(Debug)]
struct Section {
    name: String,
    lines: Vec<(String, String)>,
}

/// What Wireshark said of one message.
#[derive(Debug)]
struct Dissection {
    header: Vec<(String, String)>,
    sections: Vec<Section>,
}

fn parse(text: &str) -> Vec<Dissection> {
    let mut dissections: Vec<Dissection> = Vec::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if line == "Q.2931" {
            dissections.push(Dissection { header: Vec::new(), sections: Vec::new() });
            continue;
        }
        let (Some(now), true) = (dissections.last_mut(), indent > 0) else {
            assert!(!line.starts_with("[Malformed"), "{line} after {dissections:?}");
            continue;
        };
        // `.... 0011 = Field: value` of bits in an octet.
        let line = line.trim();
        let line = line
            .split_once(" = ")
            .filter(|(bits, _)| bits.chars().all(|c| ".01 ".contains(c)))
            .map_or(line, |(_, rest)| rest);
        match line.split_once(": ") {
            Some((field, value)) if indent > 4 && !now.sections.is_empty() => {
                now.sections.last_mut().unwrap().lines.push((field.into(), value.into()));
            }
            Some((field, value)) => now.header.push((field.into(), value.into())),
            None if indent == 4 => now.sections.push(Section { name: line.into(), lines: Vec::new() }),
            None => {}
        }
    }
    dissections
}

impl Section {
    /// The fields have these values, or code points of this number, in this order.
    fn holds(&self, facts: &[(&str, String)]) -> Result<(), String> {
        let mut lines = self.lines.iter();
        for (field, value) in facts {
            let code = format!("({value})");
            let is = |(name, found): &(String, String)| {
                name == field && (found == value || found.ends_with(&code))
            };
            if !lines.any(is) {
                return Err(format!("{field}: {value}"));
            }
        }
        Ok(())
    }
}

/// Names that differ by more than a hyphen or a capital letter.
const NAMES: [(IeId, &str); 1] = [(IeId::TRAFFIC_DESCRIPTOR, "atm user cell rate")];

/// Kinds that Wireshark 4.0 does not know.
const UNKNOWN: [IeId; 15] = [
    IeId::FACILITY,
    IeId::CONNECTED_NUMBER,
    IeId::CONNECTED_SUBADDRESS,
    IeId::USER_USER,
    IeId::MINIMUM_TRAFFIC_DESCRIPTOR,
    IeId::ALTERNATIVE_TRAFFIC_DESCRIPTOR,
    IeId::ABR_SETUP,
    IeId::REPORT_TYPE,
    IeId::ABR_ADDITIONAL,
    IeId::LEAF_CALL_ID,
    IeId::LEAF_PARAMETERS,
    IeId::LEAF_SEQUENCE_NUMBER,
    IeId::CONNECTION_SCOPE,
    IeId::EXTENDED_QOS,
    IeId::MINIMUM_DESIRED_CELL_RATE,
];

/// Messages that Wireshark 4.0 does not know.
const UNKNOWN_MESSAGES: [MessageType; 5] = [
    MessageType::PartyAlerting,
    MessageType::ModifyRequest,
    MessageType::ModifyAcknowledge,
    MessageType::ModifyReject,
    MessageType::ConnectionAvailable,
];

/// Texts of causes that differ, Wireshark's beside the number: it does not have those of Q.2610's and UNI
/// 4.0's later editions, says "CUG", misspells 127, and words the rest otherwise.
const CAUSES: &[(u8, &str)] = &[
    (9, "Preemption - circuit reserved for reuse"),
    (10, "Unknown"),
    (14, "QoR: ported number"),
    (23, "Redirection to new destination"),
    (28, "Invalid number format (incomplete number)"),
    (29, "Unknown"),
    (31, "Normal unspecified"),
    (32, "Too many pending add party request"),
    (34, "Unknown"),
    (46, "Unknown"),
    (53, "Outgoing calls barred within CUG"),
    (55, "Incoming calls barred within CUG"),
    (83, "Call identity does not exist for suspended call"),
    (87, "Called user not member of CUG"),
    (90, "Non-existent CUG"),
    (103, "Parameter non-existent or not implemented - passed on"),
    (127, "Internetworking, unspecified"),
];

fn plain(name: &str) -> String {
    name.replace('-', " ").to_lowercase()
}

fn name(id: IeId) -> String {
    if id.name().is_none() || UNKNOWN.contains(&id) {
        return format!("unknown information element (0x{:02x})", id.0);
    }
    let other = NAMES.iter().find(|(of, _)| *of == id).map(|(_, name)| (*name).to_owned());
    other.unwrap_or_else(|| plain(id.name().unwrap()))
}

fn code(value: u8) -> String {
    format!("{value:#04x}")
}

/// What Wireshark should say of an IE.
fn facts(ie: &Ie) -> Vec<(&'static str, String)> {
    if ie.coding != Coding::Itu {
        let contents = ie_contents(ie);
        return vec![("Data", contents)];
    }
    match &ie.value {
        IeValue::Cause(cause) => {
            let mut facts =
                vec![("Location", format!("{:#x}", cause.location.0)), ("Cause value", code(cause.value.0))];
            match &cause.diagnostics {
                Diagnostics::Ies(ids) => {
                    facts.extend(ids.iter().map(|id| ("Information element", code(id.0))))
                }
                Diagnostics::Connection { vpci, vci } => {
                    facts.extend([("VPCI", vpci.to_string()), ("VCI", vci.to_string())]);
                }
                Diagnostics::Subfields(ids) => {
                    facts.extend(ids.iter().map(|id| ("Cell rate subfield identifier", code(*id))));
                }
                Diagnostics::MessageType(kind) => facts.push(("Message type", code(kind.get()))),
                Diagnostics::Timer(_) => facts.push(("Timer", "303".into())),
                _ => {}
            }
            facts
        }
        IeValue::AalParameters(aal) => aal_facts(aal),
        IeValue::TrafficDescriptor(traffic) => traffic_facts(traffic),
        IeValue::BearerCapability(bearer) => {
            let mut facts = vec![("Bearer class", code(bearer.class.0))];
            facts.extend(bearer.transfer.map(|transfer| ("ATM Transfer Capability", code(transfer.0))));
            facts.push(("User-plane connection configuration", format!("{:#x}", bearer.configuration.0)));
            facts
        }
        IeValue::HighLayerInfo(info) => vec![("High layer information type", code(info.kind.0))],
        IeValue::LowLayerInfo(info) => low_layer_facts(info),
        IeValue::CalledPartyNumber(number) => number_facts(&number.0),
        IeValue::CallingPartyNumber(calling) => {
            let mut facts = number_facts(&calling.number);
            if let Some(presentation) = calling.presentation {
                let screening = ("Screening indicator", screening_text(presentation.screening));
                // Type and plan come first, digits last.
                facts.insert(1, screening);
            }
            facts
        }
        IeValue::CalledPartySubaddress(CalledPartySubaddress(subaddress))
        | IeValue::CallingPartySubaddress(CallingPartySubaddress(subaddress)) => {
            vec![("Subaddress", subaddress.octets.to_string())]
        }
        IeValue::ConnectionId(id) => vec![
            ("VP-associated signalling", format!("{:#x}", id.signalling.0)),
            ("Preferred/exclusive", format!("{:#x}", id.preference.0)),
            ("VPCI", id.vpci.to_string()),
            ("VCI", id.vci.to_string()),
        ],
        IeValue::QosParameter(qos) => {
            vec![("QOS class forward", code(qos.forward.0)), ("QOS class backward", code(qos.backward.0))]
        }
        IeValue::CallState(state) => vec![("Call state", code(state.0))],
        IeValue::EndpointState(state) => vec![("Endpoint reference party-state", code(state.0))],
        IeValue::EndpointReference(party) => {
            vec![("Endpoint reference identifier value", party.value.to_string())]
        }
        IeValue::RestartIndicator(class) => vec![("Restart indicator", format!("{:#x}", class.0))],
        IeValue::RepeatIndicator(_) => vec![("Broadband repeat indicator", "0x2".into())],
        IeValue::TransitNetworkSelection(network) => {
            vec![("Network identification", network.network.iter().copied().map(char::from).collect())]
        }
        IeValue::TransitDelay(delay) => {
            vec![("Cumulative transit delay", format!("{}ms", delay.cumulative_ms.unwrap()))]
        }
        IeValue::OamTrafficDescriptor(oam) => vec![
            ("Shaping indicator", format!("{:#x}", oam.shaping)),
            ("Use of end-to-end OAM F5 flow", "Mandatory".into()),
            ("User-Network fault management indicator", format!("{:#x}", oam.fault_management)),
            ("Backward end-to-end OAM F5 flow indicator", format!("{:#x}", oam.backward_flow)),
        ],
        IeValue::LockingShift(_) | IeValue::NonLockingShift(_) => vec![],
        _ => vec![],
    }
}

fn ie_contents(ie: &Ie) -> String {
    let octets = Message::new(CallRef::DUMMY, MessageType::Setup).with(ie.clone()).encode().unwrap();
    octets[MESSAGE_HEADER_LEN + IE_HEADER_LEN..].iter().map(|octet| format!("{octet:02x}")).collect()
}

fn aal_facts(aal: &AalParameters) -> Vec<(&'static str, String)> {
    let sdus = |forward: Option<u16>, backward: Option<u16>| {
        let of = |field, size: Option<u16>| size.map(|size| (field, size.to_string()));
        [of("Forward maximum CPCS-SDU size", forward), of("Backward maximum CPCS-SDU size", backward)]
    };
    match aal {
        AalParameters::Aal1(aal) => vec![
            ("AAL type", code(1)),
            ("Subtype", code(aal.subtype.unwrap().0)),
            ("CBR rate", code(aal.cbr_rate.unwrap().0)),
            ("Multiplier", aal.multiplier.unwrap().to_string()),
            ("Source clock frequency recovery method", code(aal.clock_recovery.unwrap().0)),
            ("Error correction method", code(aal.error_correction.unwrap().0)),
            ("Structured data transfer block size", aal.block_octets.unwrap().to_string()),
            ("Partially filled cells method", format!("{} octets", aal.filled_octets.unwrap())),
        ],
        AalParameters::Aal34(aal) => {
            let mut facts = vec![("AAL type", code(3))];
            facts.extend(sdus(aal.forward_max_sdu, aal.backward_max_sdu).into_iter().flatten());
            let (low, high) = aal.mid_range.unwrap();
            facts.push(("MID range", format!("{low} - {high}")));
            facts.push(("Mode", code(aal.mode.unwrap().0)));
            facts.push(("SSCS type", code(aal.sscs.unwrap().0)));
            facts
        }
        AalParameters::Aal5(aal) => {
            let mut facts = vec![("AAL type", code(5))];
            facts.extend(sdus(aal.forward_max_sdu, aal.backward_max_sdu).into_iter().flatten());
            facts.extend(aal.mode.map(|mode| ("Mode", code(mode.0))));
            facts.push(("SSCS type", code(aal.sscs.unwrap().0)));
            facts
        }
        AalParameters::User(_) => vec![("AAL type", code(16))],
        AalParameters::Other { aal_type, .. } => vec![("AAL type", code(*aal_type))],
    }
}

fn traffic_facts(traffic: &TrafficDescriptor) -> Vec<(&'static str, String)> {
    let (forward, backward) = (&traffic.forward, &traffic.backward);
    let rates = [
        (subfield::PCR0, forward.pcr0, backward.pcr0),
        (subfield::PCR01, forward.pcr01, backward.pcr01),
        (subfield::SCR0, forward.scr0, backward.scr0),
        (subfield::SCR01, forward.scr01, backward.scr01),
        (subfield::MBS0, forward.mbs0, backward.mbs0),
        (subfield::MBS01, forward.mbs01, backward.mbs01),
    ];
    let mut facts = Vec::new();
    for (id, forward, backward) in rates {
        for (id, value) in [(id, forward), (id | 1, backward)] {
            let Some(value) = value else { continue };
            let unit = if value == 1 { "cell/s" } else { "cells/s" };
            facts.extend([("Identifier", code(id)), ("Value", format!("{value} {unit}"))]);
        }
    }
    // Wireshark does not know ABR's minimum rate and gives up there.
    if traffic.forward.mcr01.is_some() {
        return facts;
    }
    if traffic.best_effort {
        facts.push(("Identifier", code(subfield::BEST_EFFORT)));
    }
    if let Some(options) = traffic.options {
        let word = |set: bool, yes: &str, no: &str| if set { yes.to_owned() } else { no.to_owned() };
        let discard = |set| word(set, "Allowed", "Not Allowed");
        let tagging = |set| word(set, "Requested", "Not Requested");
        facts.extend([
            ("Identifier", code(subfield::OPTIONS)),
            ("Frame discard in forward direction", discard(options.forward_frame_discard)),
            ("Frame discard in backward direction", discard(options.backward_frame_discard)),
            ("Tagging in backward direction", tagging(options.backward_tagging)),
            ("Tagging in forward direction", tagging(options.forward_tagging)),
        ]);
    }
    facts
}

fn low_layer_facts(info: &LowLayerInfo) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    facts.extend(info.layer1.map(|protocol| ("User information layer 1 protocol", code(protocol))));
    if let Some(layer) = info.layer2 {
        facts.push(("User information layer 2 protocol", code(layer.protocol.0)));
        match layer.detail {
            Layer2Detail::Mode { window: Some(window), .. } => {
                facts.push(("Window size", format!("{window} k")))
            }
            Layer2Detail::User(value) => {
                facts.push(("User-specified layer 2 protocol information", code(value)))
            }
            _ => {}
        }
    }
    if let Some(layer) = info.layer3 {
        facts.push(("User information layer 3 protocol", code(layer.protocol.0)));
        match layer.detail {
            Layer3Detail::Snap { pid, .. } => facts.push(("Ethernet type", format!("0x{pid:04x}"))),
            Layer3Detail::Ipi(ipi) => facts.push(("Additional layer 3 protocol information", code(ipi))),
            Layer3Detail::X25 { packet: Some((_, Some(window))), .. } => {
                facts.push(("Packet window size", window.to_string()));
            }
            _ => {}
        }
    }
    facts
}

fn number_facts(number: &PartyNumber) -> Vec<(&'static str, String)> {
    use crate::addr::AtmAddress;
    let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    match number {
        PartyNumber::Atm(AtmAddress::Nsap(octets)) => vec![
            ("Numbering plan", "0x2".into()),
            ("AFI", code(octets[0])),
            ("High Order DSP", hex(&octets[3..13])),
            ("End System Identifier", hex(&octets[13..19])),
            ("Selector", code(octets[19])),
        ],
        PartyNumber::Atm(AtmAddress::E164(number)) => vec![
            ("Numbering plan", "0x1".into()),
            ("Number", number.digits().iter().copied().map(char::from).collect()),
        ],
        PartyNumber::Other { type_and_plan, .. } => {
            vec![("Numbering plan", format!("{:#x}", type_and_plan & 0x0f))]
        }
    }
}

fn screening_text(screening: Screening) -> String {
    format!("{:#x}", screening.0)
}

#[test]
fn wireshark_understands_what_we_say() {
    // Behind the last IE stands one more, since Wireshark's loops look one octet too far.
    let last = Ie::new(IeValue::Unknown { codeset: 0, id: IeId(0x33), octets: Octets::truncated(&[0; 4]) });
    let messages: Vec<Message> =
        samples::messages().into_iter().map(|message| message.with(last.clone())).collect();
    let Some(text) = dissected("wireshark_understands_what_we_say", &messages) else { return };
    let dissections = parse(&text);
    assert_eq!(dissections.len(), messages.len());
    let mut wrong = Vec::new();
    for (message, dissection) in messages.iter().zip(&dissections) {
        let header = |field: &str| {
            dissection.header.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
        };
        let kind = if UNKNOWN_MESSAGES.contains(&message.kind) {
            "Unknown".into()
        } else {
            message.kind.to_string()
        };
        assert_eq!(
            header("Message type"),
            Some(format!("{kind} ({:#04x})", message.kind.get()).as_str()),
            "{message}"
        );
        assert_eq!(
            header("Call reference value"),
            Some(format!("{:06x}", message.call_ref.value()).as_str()),
            "{message}"
        );
        assert_eq!(
            header("Message length"),
            Some((message.encoded_len() - MESSAGE_HEADER_LEN).to_string().as_str())
        );
        let names: Vec<String> = dissection.sections.iter().map(|section| plain(&section.name)).collect();
        let expected: Vec<String> = message.ies.iter().map(|ie| name(ie.id())).collect();
        assert_eq!(names, expected, "{message}");
        for (ie, section) in message.ies.iter().zip(&dissection.sections) {
            if let Err(fact) = section.holds(&facts(ie)) {
                wrong.push(format!("{ie}: no {fact} in {:?}", &section.lines[5..]));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The texts of causes are the standard's, not ours.
#[test]
fn wireshark_calls_causes_the_same() {
    let cr = CallRef::from_originator(1).unwrap();
    let release = |value: &CauseValue| Message::new(cr, MessageType::Release).with(Cause::user(*value));
    let messages: Vec<Message> = CauseValue::KNOWN.iter().map(release).collect();
    let Some(text) = dissected("wireshark_calls_causes_the_same", &messages) else { return };
    let mut differ = Vec::new();
    for (value, dissection) in CauseValue::KNOWN.iter().zip(parse(&text)) {
        let found = dissection.sections[0].lines.iter().find(|(field, _)| field == "Cause value").unwrap();
        let (text, number) = found.1.rsplit_once(" (0x").unwrap();
        assert_eq!(u8::from_str_radix(number.trim_end_matches(')'), 16), Ok(value.0));
        if text.to_lowercase() != value.name().unwrap().to_lowercase() {
            differ.push((value.0, text.to_owned()));
        }
    }
    let expected: Vec<(u8, String)> =
        CAUSES.iter().map(|(value, text)| (*value, (*text).to_owned())).collect();
    assert_eq!(differ, expected);
}
