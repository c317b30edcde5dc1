//! Golden bytes, captures of real peers, every prefix refused, round trips.

use proptest::prelude::*;

use super::*;
use crate::pppoe::captures::{self, CAPTURES};

/// RFC 2516 Appendix B: "A PADI packet", from VER on.
const RFC_PADI: [u8; 10] = [0x11, 0x09, 0x00, 0x00, 0x00, 0x04, 0x01, 0x01, 0x00, 0x00];

/// RFC 2516 Appendix B: "A PADO packet", from VER on.
const RFC_PADO: &[u8] = b"\x11\x07\x00\x00\x00\x20\x01\x01\x00\x00\x01\x02\x00\x18Go RedBack - eshsheshoot";

/// RFC 2516 Appendix B: "A PPP LCP packet", from VER on, with a Configure-Request as its payload.
const RFC_LCP: &[u8] = b"\x11\x00\x12\x34\x00\x0c\xc0\x21\x01\x01\x00\x0a\x05\x06\x12\x34\x56\x78";

fn session_id(number: u16) -> SessionId {
    SessionId::new(number).expect("a lawful session id")
}

/// RFC 2516 Appendix B, both ways.
#[test]
fn rfc_padi_reads_and_writes() {
    let padi = DiscoveryView::parse(&RFC_PADI).unwrap();
    assert_eq!((padi.code(), padi.session_id(), padi.check()), (Code::Padi, None, Ok(())));
    assert_eq!(padi.tags().iter().collect::<Vec<_>>(), [Tag::ServiceName(b"")]);
    assert_eq!(padi.to_string(), "PADI [Service-Name]");
    let value = Discovery::new(Code::Padi, None).with(Tag::ServiceName(b""));
    assert_eq!(value.encode().unwrap(), RFC_PADI);
}

/// RFC 2516 Appendix B, both ways.
#[test]
fn rfc_pado_reads_and_writes() {
    let pado = DiscoveryView::parse(RFC_PADO).unwrap();
    assert_eq!((pado.code(), pado.session_id(), pado.check()), (Code::Pado, None, Ok(())));
    assert_eq!(pado.tags().ac_name(), Some(&b"Go RedBack - eshsheshoot"[..]));
    let value = Discovery::new(Code::Pado, None)
        .with(Tag::ServiceName(b""))
        .with(Tag::AcName(b"Go RedBack - eshsheshoot"));
    assert_eq!(value.encode().unwrap(), RFC_PADO);
}

/// RFC 2516 §6 and Appendix B: CODE is zero, the PPP frame begins with its protocol field.
#[test]
fn rfc_session_packet_reads_and_writes() {
    let lcp = SessionView::parse(RFC_LCP).unwrap();
    assert_eq!(lcp.id, session_id(0x1234));
    assert_eq!(lcp.ppp, &RFC_LCP[6..]);
    assert_eq!(SessionView::header(lcp.id, 12), RFC_LCP[..6]);
    assert_eq!(SessionView::parse(&RFC_PADI), Err(WireError::NotSession(0x09)));
    assert_eq!(SessionView::parse(&[0x11, 0, 0, 0, 0, 0]), Err(WireError::NoSessionId));
    assert_eq!(DiscoveryView::parse(RFC_LCP), Err(WireError::NotDiscovery));
}

/// Every discovery packet that rp-pppoe and pppd sent parses, obeys the grammar and is written again byte for byte.
#[test]
fn captured_discovery_is_written_again_byte_for_byte() {
    let mut seen = 0;
    for capture in CAPTURES {
        for packet in captures::packets(capture, ETHERTYPE_DISCOVERY) {
            let view = DiscoveryView::parse(packet.octets).unwrap();
            assert_eq!(view.check(), Ok(()), "{view}");
            let written = view.to_value().encode().unwrap();
            assert_eq!(written, packet.octets[..written.len()], "{view}");
            assert!(packet.octets[written.len()..].iter().all(|&padding| padding == 0), "{view}");
            seen += 1;
        }
    }
    assert_eq!(seen, 19 + 7 + 8 + 8);
}

/// The line we print of a packet is the line that tcpdump printed.
#[test]
fn captured_discovery_prints_as_tcpdump_does() {
    for capture in CAPTURES {
        let theirs: Vec<_> = capture
            .text
            .lines()
            .filter_map(|line| line.split_once("PPPoE PAD"))
            .map(|(_, line)| line)
            .collect();
        let ours: Vec<_> = captures::packets(capture, ETHERTYPE_DISCOVERY)
            .map(|packet| DiscoveryView::parse(packet.octets).unwrap().to_string())
            .collect();
        assert_eq!(ours.iter().map(|line| line.strip_prefix("PAD").unwrap()).collect::<Vec<_>>(), theirs);
    }
}

/// RFC 2516 §6: session packets of the captures, with their lengths as tcpdump read them.
#[test]
fn captured_session_packets_read() {
    for capture in CAPTURES {
        let theirs: Vec<usize> = capture
            .text
            .lines()
            .filter_map(|line| line.split_once("PPPoE  [ses 0x1] "))
            .filter_map(|(_, line)| line.split_once("), length ")?.1.split([':', ' ']).next()?.parse().ok())
            .collect();
        let ours: Vec<usize> = captures::packets(capture, ETHERTYPE_SESSION)
            .map(|packet| SessionView::parse(packet.octets).unwrap().ppp.len())
            .collect();
        assert!(!ours.is_empty());
        assert_eq!(ours, theirs);
    }
}

/// A packet that is cut anywhere is refused, and refused as cut.
#[test]
fn every_prefix_is_refused() {
    let whole = padr_with_everything();
    for len in 0..whole.len() {
        let error = DiscoveryView::parse(&whole[..len]).unwrap_err();
        match len {
            0..HEADER_LEN => assert_eq!(error, WireError::HeaderTruncated { len }),
            _ => assert_eq!(
                error,
                WireError::PayloadTruncated { length: whole.len() - HEADER_LEN, available: len - HEADER_LEN }
            ),
        }
    }
}

/// A payload that ends within a tag is refused at that tag, although LENGTH agrees with it.
#[test]
fn every_payload_cut_within_a_tag_is_refused() {
    let whole = padr_with_everything();
    let mut tag_ends = vec![HEADER_LEN];
    for tag in DiscoveryView::parse(&whole).unwrap().tags().iter() {
        tag_ends.push(tag_ends.last().unwrap() + tag.encoded_len());
    }
    for len in HEADER_LEN..=whole.len() {
        let mut cut = whole[..len].to_vec();
        cut[4..6].copy_from_slice(&u16::try_from(len - HEADER_LEN).unwrap().to_be_bytes());
        let parsed = DiscoveryView::parse(&cut);
        if tag_ends.contains(&len) {
            assert!(parsed.is_ok(), "{len}");
            continue;
        }
        let begins = tag_ends.iter().rev().find(|&&end| end < len).unwrap() - HEADER_LEN;
        match parsed.unwrap_err() {
            WireError::TagHeaderTruncated { at } => assert_eq!(at, begins),
            WireError::TagValueTruncated { at, .. } => assert_eq!(at, begins),
            other => panic!("{len}: {other}"),
        }
    }
}

fn padr_with_everything() -> Vec<u8> {
    Discovery::new(Code::Padr, None)
        .with(Tag::ServiceName(b"internet"))
        .with(Tag::HostUniq(&[1, 2, 3]))
        .with(Tag::AcCookie(&[9; 24]))
        .with(Tag::RelaySessionId(&[7; 12]))
        .with(Tag::PppMaxPayload(1500))
        .with(Tag::VendorSpecific(&[0, 0, 0x0d, 0xe9, 1, 2, b'a', b'b']))
        .with(Tag::Unknown(TagType(0x0bad), &[0; 5]))
        .encode()
        .unwrap()
}

/// RFC 2516 §4: VER and TYPE are 1; 0xffff must not be used; LENGTH, and not the frame, says where the packet ends.
#[test]
fn header_is_checked() {
    let mut packet = RFC_PADI;
    packet[0] = 0x21;
    assert_eq!(DiscoveryView::parse(&packet), Err(WireError::Version(0x21)));
    let mut packet = RFC_PADI;
    packet[1] = 0xd3;
    assert_eq!(DiscoveryView::parse(&packet), Err(WireError::UnknownCode(0xd3)));
    let mut packet = RFC_PADI;
    packet[2..4].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(DiscoveryView::parse(&packet), Err(WireError::SessionIdReserved));
    let mut padded = RFC_PADI.to_vec();
    padded.extend([0xee; 36]);
    assert_eq!(DiscoveryView::parse(&padded), DiscoveryView::parse(&RFC_PADI));
}

/// RFC 2516 §4 with RFC 894: discovery fits the smallest Ethernet, whatever LENGTH and the link could carry.
#[test]
fn discovery_longer_than_ethernet_is_refused() {
    let fits = vec![0u8; DISCOVERY_LEN_MAX - HEADER_LEN - TAG_HEADER_LEN];
    let longest = Discovery::new(Code::Padi, None).with(Tag::ServiceName(&fits));
    let mut octets = longest.encode().unwrap();
    assert!(DiscoveryView::parse(&octets).is_ok());
    octets.push(0);
    octets[4..6].copy_from_slice(&1495u16.to_be_bytes());
    assert_eq!(DiscoveryView::parse(&octets), Err(WireError::DiscoveryTooLong { length: 1495, max: 1494 }));
    let longer = longest.with(Tag::EndOfList);
    assert_eq!(longer.encode(), Err(TooLong { len: 1504, max: 1500 }));
}

/// RFC 2516 §5: an unknown tag is ignored; Appendix A: End-Of-List ends the list, whatever follows.
#[test]
fn unknown_tags_are_kept_and_end_of_list_ends() {
    let packet = b"\x11\x09\x00\x00\x00\x15\x0b\xad\x00\x02hi\x01\x01\x00\x01x\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff";
    let view = DiscoveryView::parse(packet).unwrap();
    assert_eq!(view.check(), Ok(()));
    let tags: Vec<_> = view.tags().iter().collect();
    assert_eq!(tags, [Tag::Unknown(TagType(0x0bad), b"hi"), Tag::ServiceName(b"x"), Tag::EndOfList]);
    assert_eq!(view.to_string(), r#"PADI [tag 0x0bad "hi"] [Service-Name "x"] [End-Of-List]"#);
}

/// RFC 4638: the value of PPP-Max-Payload is two octets. RFC 2516 Appendix A: End-Of-List has none.
#[test]
fn tags_of_fixed_size_are_refused_in_another() {
    let packet = b"\x11\x09\x00\x00\x00\x07\x01\x20\x00\x03\x00\x05\xdc";
    let tag = TagType::PPP_MAX_PAYLOAD;
    assert_eq!(DiscoveryView::parse(packet), Err(WireError::TagLength { tag, length: 3, expected: 2 }));
    let packet = b"\x11\x09\x00\x00\x00\x05\x00\x00\x00\x01\x00";
    let tag = TagType::END_OF_LIST;
    assert_eq!(DiscoveryView::parse(packet), Err(WireError::TagLength { tag, length: 1, expected: 0 }));
}

/// RFC 2516 §5.1 to §5.5, line by line.
#[test]
fn grammar_of_the_five_packets() {
    const NAME: Tag<'_> = Tag::ServiceName(b"x");
    const AC: Tag<'_> = Tag::AcName(b"ac");
    const ERROR: Tag<'_> = Tag::GenericError(b"no");
    let one = Some(session_id(1));
    let missing = |code, tag| Err(GrammarError::Missing { code, tag });
    let twice = |code, tag| Err(GrammarError::TooMany { code, tag, count: 2, max: 1 });
    let with_id = |code| Err(GrammarError::SessionId { code, id: session_id(1) });
    let without_id = |code| Err(GrammarError::NoSessionId { code });
    type Line<'a> = (Code, Option<SessionId>, &'a [Tag<'a>], Result<(), GrammarError>);
    let lines: &[Line<'_>] = &[
        (Code::Padi, None, &[NAME], Ok(())),
        (Code::Padi, one, &[NAME], with_id(Code::Padi)),
        (Code::Padi, None, &[], missing(Code::Padi, TagType::SERVICE_NAME)),
        (Code::Padi, None, &[NAME, NAME], twice(Code::Padi, TagType::SERVICE_NAME)),
        (Code::Pado, None, &[AC, NAME, NAME], Ok(())),
        (Code::Pado, one, &[AC, NAME], with_id(Code::Pado)),
        (Code::Pado, None, &[NAME], missing(Code::Pado, TagType::AC_NAME)),
        (Code::Pado, None, &[AC], missing(Code::Pado, TagType::SERVICE_NAME)),
        (Code::Pado, None, &[AC, AC, NAME], twice(Code::Pado, TagType::AC_NAME)),
        (Code::Pado, None, &[ERROR], Ok(())),
        (Code::Padi, None, &[ERROR], missing(Code::Padi, TagType::SERVICE_NAME)),
        (Code::Padr, None, &[NAME], Ok(())),
        (Code::Padr, one, &[NAME], with_id(Code::Padr)),
        (Code::Padr, None, &[], missing(Code::Padr, TagType::SERVICE_NAME)),
        (Code::Padr, None, &[NAME, NAME], twice(Code::Padr, TagType::SERVICE_NAME)),
        (Code::Pads, one, &[NAME], Ok(())),
        (Code::Pads, None, &[NAME], without_id(Code::Pads)),
        (Code::Pads, None, &[ERROR], Ok(())),
        (Code::Pads, None, &[Tag::ServiceNameError(b""), NAME], Ok(())),
        (Code::Pads, one, &[], missing(Code::Pads, TagType::SERVICE_NAME)),
        (Code::Pads, one, &[NAME, NAME], twice(Code::Pads, TagType::SERVICE_NAME)),
        (Code::Padt, one, &[], Ok(())),
        (Code::Padt, one, &[ERROR], Ok(())),
        (Code::Padt, None, &[], without_id(Code::Padt)),
        (Code::Padt, None, &[ERROR], without_id(Code::Padt)),
    ];
    for (code, id, tags, expected) in lines {
        let packet = Discovery::new(*code, *id).with_all(tags.iter().copied());
        let octets = packet.encode().unwrap();
        assert_eq!(DiscoveryView::parse(&octets).unwrap().check(), *expected, "{packet}");
    }
    let single =
        [Tag::HostUniq(b"a"), Tag::AcCookie(b"a"), Tag::RelaySessionId(b"a"), Tag::PppMaxPayload(1500)];
    for tag in single {
        let octets = Discovery::new(Code::Padi, None).with_all([NAME, tag, tag]).encode().unwrap();
        assert_eq!(DiscoveryView::parse(&octets).unwrap().check(), twice(Code::Padi, tag.tag_type()));
    }
}

/// RFC 2516 §5: the codes, in their numbers.
#[test]
fn codes_have_the_numbers_of_the_rfc() {
    let numbers = Code::ALL.map(|code| (code.get(), code.to_string()));
    let expected = [(0x09, "PADI"), (0x07, "PADO"), (0x19, "PADR"), (0x65, "PADS"), (0xa7, "PADT")];
    assert_eq!(numbers, expected.map(|(number, name)| (number, name.to_owned())));
    for code in 0..=u8::MAX {
        assert_eq!(
            Code::from_u8(code).map(Code::get),
            Code::ALL.map(Code::get).contains(&code).then_some(code)
        );
    }
}

/// RFC 2516 §4: neither zero nor 0xffff names a session.
#[test]
fn session_ids_are_neither_zero_nor_all_ones() {
    let refused: Vec<u16> = (0..=u16::MAX).filter(|&number| SessionId::new(number).is_none()).collect();
    assert_eq!(refused, [0, 0xffff]);
}

/// TR-101, RFC 4679: vendor id 3561, sub-tags of one octet of type and one of length, rates in kbit/s.
#[test]
fn line_tags_of_an_access_node() {
    let value = b"\x00\x00\x0d\xe9\x01\x0bdslam 1/2/3\x02\x04+491\x81\x04\x00\x00\x04\x00\xfe\x00";
    let vendor = VendorTag::parse(value).unwrap();
    assert_eq!(vendor.encode(), value);
    let line = vendor.line().unwrap();
    assert_eq!(line.get(LineTagType::AGENT_CIRCUIT_ID).unwrap().value, b"dslam 1/2/3");
    assert_eq!(line.get(LineTagType::AGENT_REMOTE_ID).unwrap().value, b"+491");
    assert_eq!(line.get(LineTagType::ACTUAL_DATA_RATE_UPSTREAM).unwrap().number(), Some(1024));
    assert_eq!(line.get(LineTagType::ACTUAL_DATA_RATE_DOWNSTREAM), None);
    assert_eq!(
        Tag::VendorSpecific(value).to_string(),
        r#"[Vendor-Specific 3561 Agent-Circuit-Id "dslam 1/2/3" Agent-Remote-Id "+491" Actual-Data-Rate-Upstream 1024 IWF-Session]"#
    );
}

/// A broken line description spoils neither its packet nor what is carried through (RFC 2516 Appendix A: "MAY silently
/// ignore").
#[test]
fn broken_line_tags_are_carried_all_the_same() {
    let cut = b"\x00\x00\x0d\xe9\x01\x0bdslam";
    assert_eq!(LineTags::parse(&cut[4..]), Err(LineTagTruncated { at: 0 }));
    let vendor = VendorTag::parse(cut).unwrap();
    assert_eq!((vendor.line(), vendor.encode()), (None, cut.to_vec()));
    let other = VendorTag { vendor: 9, data: b"\x01\x01a".to_vec() };
    assert_eq!(other.line(), None);
    assert_eq!(VendorTag::parse(b"\x00\x00\x0d"), None);
    let octets = Discovery::new(Code::Padi, None)
        .with(Tag::ServiceName(b""))
        .with(Tag::VendorSpecific(b"\x00\x00\x0d"))
        .encode()
        .unwrap();
    let view = DiscoveryView::parse(&octets).unwrap();
    assert_eq!((view.check(), view.to_value().encode().unwrap()), (Ok(()), octets.clone()));
}

/// What a peer writes into an error tag cannot move a terminal's cursor, nor fill its screen.
#[test]
fn text_of_a_peer_is_made_harmless() {
    assert_eq!(printable(b"no\x1b[2J \xff"), "no\u{fffd}[2J \u{fffd}");
    let long = Tag::GenericError(&[b'a'; 1000]).to_string();
    assert_eq!(long, format!("[Generic-Error \"{}\"...]", "a".repeat(64)));
    assert_eq!(Tag::ServiceName(b"a\"b").to_string(), r#"[Service-Name "a\"b"]"#);
}

/// IEEE 802: the group bit is the lowest of the first octet.
#[test]
fn group_addresses_are_known() {
    assert!(MacAddr::BROADCAST.is_group());
    assert!(MacAddr([0x01, 0, 0x5e, 0, 0, 1]).is_group());
    assert!(!MacAddr([0x02, 0, 0, 0, 0, 1]).is_group());
    assert_eq!(MacAddr([0x02, 0, 0, 0, 0x0a, 1]).to_string(), "02:00:00:00:0a:01");
}

/// A tag as a generator makes it: type and value.
fn any_tag() -> impl Strategy<Value = (u16, Vec<u8>)> {
    let known = prop::sample::select(vec![
        0x0101u16, 0x0102, 0x0103, 0x0104, 0x0105, 0x0110, 0x0120, 0x0201, 0x0202, 0x0203,
    ]);
    let tag_type = prop_oneof![4 => known, 1 => 1..=u16::MAX];
    (tag_type, prop::collection::vec(any::<u8>(), 0..60)).prop_map(|(tag_type, mut value)| {
        if tag_type == 0x0120 {
            value.resize(2, 7);
        }
        (tag_type, value)
    })
}

proptest! {
    /// What is written reads back as itself, and nothing else is at the end.
    #[test]
    fn values_round_trip(
        code in prop::sample::select(&Code::ALL[..]),
        number in any::<u16>(),
        tags in prop::collection::vec(any_tag(), 0..20),
    ) {
        let tags = tags.iter().map(|(tag_type, value)| Tag::read(TagType(*tag_type), value).unwrap());
        let value = Discovery::new(code, SessionId::new(number)).with_all(tags);
        let octets = value.encode().unwrap();
        prop_assert_eq!(octets.len(), value.encoded_len());
        let view = DiscoveryView::parse(&octets).unwrap();
        prop_assert_eq!(&view.to_value(), &value);
        prop_assert_eq!(view.to_string(), value.to_string());
    }

    /// Whatever octets come: refused, or written again as they were.
    #[test]
    fn any_octets_are_refused_or_round_trip(
        code in prop::sample::select(&Code::ALL[..]),
        payload in prop::collection::vec(prop_oneof![3 => Just(0u8), 2 => 1..5u8, 1 => any::<u8>()], 0..64),
    ) {
        let length = u16::try_from(payload.len()).unwrap();
        let mut octets = Header { code: code.get(), session_id: None, length }.encode().to_vec();
        octets.extend(payload);
        if let Ok(view) = DiscoveryView::parse(&octets) {
            let written = view.to_value().encode().unwrap();
            prop_assert_eq!(&written[HEADER_LEN..], &octets[HEADER_LEN..written.len()]);
        }
    }
}
