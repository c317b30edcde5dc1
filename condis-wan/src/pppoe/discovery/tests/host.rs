//! The host alone.

use super::super::{
    CallFailure, CallKey, CloseCause, HostConfig, HostLimits, MakeCallError, NoSuchCall, Rate,
    ServiceRequest, Session,
};
use super::*;
use crate::pppoe::wire::{GrammarError, PADI_LEN_MAX, TagType, VendorTag};

const CALL: CallKey = CallKey(7);

fn host() -> Host {
    Host::new(HostConfig::default(), [1; 16])
}

/// A host that has just sent the PADI of `request`, and the Host-Uniq in it.
fn calling(request: ServiceRequest) -> (Host, Vec<u8>) {
    let mut host = host();
    let host_uniq = call(&mut host, CALL, request);
    (host, host_uniq)
}

fn call(host: &mut Host, key: CallKey, request: ServiceRequest) -> Vec<u8> {
    host.make_call(at(0), key, request).unwrap();
    let (to, padi) = only_transmit(&host_outputs(host));
    assert_eq!((to, view(&padi).code()), (MacAddr::BROADCAST, Code::Padi));
    view(&padi).tags().host_uniq().unwrap().to_vec()
}

fn pado<'a>(host_uniq: &'a [u8], more: impl IntoIterator<Item = Tag<'a>>) -> Vec<u8> {
    let tags = [Tag::AcName(b"ac"), Tag::ServiceName(b"internet"), Tag::HostUniq(host_uniq)];
    packet(Code::Pado, None, tags.into_iter().chain(more))
}

fn pads(host_uniq: &[u8], number: u16) -> Vec<u8> {
    packet(Code::Pads, Some(id(number)), [Tag::ServiceName(b"internet"), Tag::HostUniq(host_uniq)])
}

fn padt(number: u16) -> Vec<u8> {
    packet(Code::Padt, Some(id(number)), [])
}

/// A host with one session, number 5, with `AC`.
fn connected() -> (Host, Vec<u8>) {
    let (mut host, host_uniq) = calling(ServiceRequest::named("internet"));
    host.handle_packet(at(0), AC, HOST, &pado(&host_uniq, []));
    host.handle_packet(at(0), AC, HOST, &pads(&host_uniq, 5));
    let outputs = host_outputs(&mut host);
    assert!(matches!(outputs[1], HostOutput::Connected { call: CALL, .. }), "{outputs:?}");
    (host, host_uniq)
}

/// Lets the clock run to `until`, and writes down a line for each thing that happens.
fn run_until(host: &mut Host, until: Time) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(due) = host.next_timeout().filter(|&due| due <= until) {
        host.handle_timeout(due);
        for output in host_outputs(host) {
            let seconds = due.since(Time::ZERO).as_secs_f64();
            lines.push(match output {
                HostOutput::Transmit { to, packet } => {
                    format!("{seconds} s {} to {to}", view(&packet).code())
                }
                HostOutput::Failed { why, .. } => format!("{seconds} s {why}"),
                other => format!("{seconds} s {other:?}"),
            });
        }
    }
    lines
}

/// RFC 2516 §5.1, §8: at 0 s PADI, at 1 s again, at 3 s again, at 7 s, at 15 s; at 31 s the call fails.
#[test]
fn padi_is_repeated_with_twice_the_pause_and_then_the_call_fails() {
    let (mut host, _) = calling(ServiceRequest::any());
    assert_eq!(
        run_until(&mut host, at(1000)),
        [
            "1 s PADI to ff:ff:ff:ff:ff:ff",
            "3 s PADI to ff:ff:ff:ff:ff:ff",
            "7 s PADI to ff:ff:ff:ff:ff:ff",
            "15 s PADI to ff:ff:ff:ff:ff:ff",
            "31 s no offer after 5 PADIs",
        ]
    );
    assert_eq!((host.calls_len(), host.counters().padi_sent), (0, 5));
    assert_eq!(host.next_timeout(), None);
}

/// RFC 2516 §8: PADR at 0, 1, 3 and 7 s; then PADI once more; PADR again; then the call fails.
#[test]
fn padr_is_repeated_and_then_discovery_begins_once_more() {
    let (mut host, host_uniq) = calling(ServiceRequest::any());
    host.handle_packet(at(0), AC, HOST, &pado(&host_uniq, []));
    assert_eq!(only_transmit(&host_outputs(&mut host)).0, AC);
    let padr_lines = |seconds: [u64; 3]| seconds.map(|s| format!("{s} s PADR to {AC}"));
    let mut first_round = padr_lines([1, 3, 7]).to_vec();
    first_round.push("15 s PADI to ff:ff:ff:ff:ff:ff".to_owned());
    assert_eq!(run_until(&mut host, at(15)), first_round);
    host.handle_packet(at(15), AC, HOST, &pado(&host_uniq, []));
    only_transmit(&host_outputs(&mut host));
    let mut second_round = padr_lines([16, 18, 22]).to_vec();
    second_round.push(format!("30 s no answer from {AC} after 4 PADRs"));
    assert_eq!(run_until(&mut host, at(1000)), second_round);
}

/// A timer that is driven early does nothing; one driven late acts once, and the pause counts from then.
#[test]
fn early_and_late_timeouts_do_no_harm() {
    let (mut host, _) = calling(ServiceRequest::any());
    host.handle_timeout(Time::from_nanos(999_999_999));
    assert_eq!(host_outputs(&mut host), []);
    host.handle_timeout(at(100));
    assert_eq!(host_outputs(&mut host).len(), 1);
    assert_eq!(host.next_timeout(), Some(at(102)));
}

/// RFC 2516 §5.1: PADI to all, session id zero, one Service-Name; and our Host-Uniq, another for each call.
#[test]
fn padi_says_what_the_call_asks_for() {
    let (mut host, first_uniq) = calling(ServiceRequest::named("internet"));
    host.make_call(at(0), CallKey(8), ServiceRequest::any()).unwrap();
    let (_, padi) = only_transmit(&host_outputs(&mut host));
    assert_eq!((view(&padi).check(), view(&padi).session_id()), (Ok(()), None));
    assert_eq!(view(&padi).tags().service_names().collect::<Vec<_>>(), [b""]);
    assert_ne!(view(&padi).tags().host_uniq().unwrap(), first_uniq);
}

/// RFC 2516 §5.3, Appendix A: cookie and relay's mark go back as they came, with the service and our Host-Uniq.
#[test]
fn padr_gives_back_what_the_pado_brought() {
    let vendor = VendorTag { vendor: 3561, data: b"\x01\x02ab".to_vec() };
    let request = ServiceRequest { vendor: vec![vendor.clone()], ..ServiceRequest::named("internet") };
    let (mut host, host_uniq) = calling(request);
    let more = [Tag::AcCookie(b"cookie"), Tag::RelaySessionId(b"relay"), Tag::Unknown(TagType(0x0bad), b"x")];
    host.handle_packet(at(0), AC, HOST, &pado(&host_uniq, more));
    let (to, padr) = only_transmit(&host_outputs(&mut host));
    assert_eq!((to, view(&padr).code(), view(&padr).check()), (AC, Code::Padr, Ok(())));
    let expected = [
        Tag::ServiceName(b"internet"),
        Tag::HostUniq(&host_uniq),
        Tag::AcCookie(b"cookie"),
        Tag::RelaySessionId(b"relay"),
        Tag::VendorSpecific(&vendor.encode()),
    ];
    assert_eq!(view(&padr).tags().iter().collect::<Vec<_>>(), expected);
}

/// RFC 2516 §5.2: the PADO has to offer the service; the user may insist on one concentrator. The first that suits is
/// taken.
#[test]
fn the_first_offer_that_suits_is_taken() {
    let request = ServiceRequest { ac_name: Some(b"ac".to_vec()), ..ServiceRequest::named("internet") };
    let (mut host, host_uniq) = calling(request);
    let uniq = Tag::HostUniq(&host_uniq);
    let from_other_ac = packet(Code::Pado, None, [Tag::AcName(b"b"), Tag::ServiceName(b"internet"), uniq]);
    let other_service = packet(Code::Pado, None, [Tag::AcName(b"ac"), Tag::ServiceName(b"inter"), uniq]);
    let second_of_two = packet(
        Code::Pado,
        None,
        [Tag::AcName(b"ac"), Tag::ServiceName(b"tv"), Tag::ServiceName(b"internet"), uniq],
    );
    host.handle_packet(at(0), OTHER_AC, HOST, &from_other_ac);
    host.handle_packet(at(0), OTHER_AC, HOST, &other_service);
    assert_eq!(host_outputs(&mut host), []);
    host.handle_packet(at(0), AC, HOST, &second_of_two);
    host.handle_packet(at(0), OTHER_AC, HOST, &second_of_two);
    let (to, padr) = only_transmit(&host_outputs(&mut host));
    assert_eq!((to, view(&padr).tags().service_names().next()), (AC, Some(&b"internet"[..])));
    let counters = host.counters();
    assert_eq!((counters.dropped_pado_other_ac, counters.dropped_pado_other_service), (1, 1));
    assert_eq!((counters.dropped_pado_late, counters.pado_taken), (1, 1));
}

/// RFC 2516 Appendix A: the empty Service-Name takes any service; the first that is offered is asked for by name.
#[test]
fn any_service_asks_for_the_first_offered() {
    let (mut host, host_uniq) = calling(ServiceRequest::any());
    host.handle_packet(at(0), AC, HOST, &pado(&host_uniq, [Tag::ServiceName(b"tv")]));
    let (_, padr) = only_transmit(&host_outputs(&mut host));
    assert_eq!(view(&padr).tags().service_names().collect::<Vec<_>>(), [b"internet"]);
}

/// RFC 2516 §5.4: the PADS brings the session, with the service as the concentrator names it.
#[test]
fn pads_connects() {
    let (mut host, host_uniq) = calling(ServiceRequest::named("internet"));
    host.handle_packet(at(0), AC, HOST, &pado(&host_uniq, []));
    host_outputs(&mut host);
    host.handle_packet(at(0), AC, HOST, &pads(&host_uniq, 5));
    let session = Session {
        peer: AC,
        id: id(5),
        service_name: b"internet".to_vec(),
        ac_name: b"ac".to_vec(),
        max_payload: 1492,
        host_uniq: Some(host_uniq),
        relay_session_id: None,
        vendor: vec![],
    };
    assert_eq!(host_outputs(&mut host), [HostOutput::Connected { call: CALL, session: session.clone() }]);
    assert_eq!(host.sessions().collect::<Vec<_>>(), [(CALL, &session)]);
    assert_eq!(host.next_timeout(), None);
}

/// RFC 2516 Appendix A: the three error tags end the call with what they say.
#[test]
fn a_refusing_pads_fails_the_call() {
    let cases: [(Tag<'_>, CallFailure); 3] = [
        (Tag::ServiceNameError(b"not here"), CallFailure::ServiceNameError("not here".to_owned())),
        (Tag::AcSystemError(b"full"), CallFailure::AcSystemError("full".to_owned())),
        (Tag::GenericError(b"no\n"), CallFailure::GenericError("no\u{fffd}".to_owned())),
    ];
    for (tag, why) in cases {
        let (mut host, host_uniq) = calling(ServiceRequest::any());
        host.handle_packet(at(0), AC, HOST, &pado(&host_uniq, []));
        host_outputs(&mut host);
        host.handle_packet(at(0), AC, HOST, &packet(Code::Pads, None, [tag, Tag::HostUniq(&host_uniq)]));
        assert_eq!(host_outputs(&mut host), [HostOutput::Failed { call: CALL, why }]);
        assert_eq!((host.calls_len(), host.next_timeout()), (0, None));
    }
}

/// RFC 2516 §5.4: a PADS with no id and no error, or without Service-Name, is no answer. A session in it is ended.
#[test]
fn a_malformed_pads_fails_the_call_and_leaves_no_session_behind() {
    let code = Code::Pads;
    let cases = [
        (None, vec![Tag::ServiceName(b"internet")], GrammarError::NoSessionId { code }),
        (Some(id(5)), vec![], GrammarError::Missing { code, tag: TagType::SERVICE_NAME }),
    ];
    for (session_id, tags, error) in cases {
        let (mut host, host_uniq) = calling(ServiceRequest::any());
        host.handle_packet(at(0), AC, HOST, &pado(&host_uniq, []));
        host_outputs(&mut host);
        let tags = tags.into_iter().chain([Tag::HostUniq(&host_uniq)]);
        host.handle_packet(at(0), AC, HOST, &packet(code, session_id, tags));
        let failed = HostOutput::Failed { call: CALL, why: CallFailure::MalformedPads(error) };
        let padt = session_id.map(|id| HostOutput::Transmit { to: AC, packet: padt(id.get()) });
        assert_eq!(host_outputs(&mut host), padt.into_iter().chain([failed]).collect::<Vec<_>>());
    }
}

/// A PADO that is an error is not taken; if nothing better comes, the call fails with its reason.
#[test]
fn an_error_in_a_pado_is_the_reason_when_nothing_better_comes() {
    let (mut host, host_uniq) = calling(ServiceRequest::any());
    let tags = [Tag::GenericError(b"line too long"), Tag::HostUniq(&host_uniq)];
    host.handle_packet(at(0), AC, HOST, &packet(Code::Pado, None, tags));
    assert_eq!((host_outputs(&mut host), host.counters().dropped_pado_error), (vec![], 1));
    assert_eq!(run_until(&mut host, at(100)).last().unwrap(), "31 s refused: line too long");
}

/// Answers are told by Host-Uniq and MAC; what does not match is counted and does nothing.
#[test]
fn answers_that_do_not_match_are_counted_and_dropped() {
    let (mut host, host_uniq) = calling(ServiceRequest::any());
    let no_uniq = packet(Code::Pado, None, [Tag::AcName(b"ac"), Tag::ServiceName(b"internet")]);
    host.handle_packet(at(0), AC, HOST, &no_uniq);
    host.handle_packet(at(0), AC, HOST, &pado(b"somebody else's", []));
    host.handle_packet(at(0), MacAddr::BROADCAST, HOST, &pado(&host_uniq, []));
    host.handle_packet(at(0), AC, MacAddr::BROADCAST, &pado(&host_uniq, []));
    let no_name = packet(Code::Pado, None, [Tag::ServiceName(b"internet"), Tag::HostUniq(&host_uniq)]);
    host.handle_packet(at(0), AC, HOST, &no_name);
    host.handle_packet(at(0), AC, HOST, &packet(Code::Padi, None, [Tag::ServiceName(b"")]));
    host.handle_packet(at(0), AC, HOST, b"\x11\x07\x00\x00\x00\x01");
    host.handle_packet(at(0), AC, HOST, b"\x11\xd3\x00\x00\x00\x00");
    let refusal = packet(Code::Pads, None, [Tag::GenericError(b""), Tag::HostUniq(&host_uniq)]);
    host.handle_packet(at(0), AC, HOST, &refusal);
    assert_eq!(host_outputs(&mut host), []);
    host.handle_packet(at(0), AC, HOST, &pado(&host_uniq, []));
    only_transmit(&host_outputs(&mut host));
    host.handle_packet(at(0), OTHER_AC, HOST, &pads(&host_uniq, 5));
    assert_eq!(host_outputs(&mut host), []);
    let counted: Vec<_> =
        host.counters().iter().filter(|(name, count)| name.starts_with("dropped") && *count > 0).collect();
    let expected = [
        "dropped_source_not_unicast",
        "dropped_destination_not_unicast",
        "dropped_malformed",
        "dropped_unknown_code",
        "dropped_not_for_host",
        "dropped_ungrammatical",
        "dropped_host_uniq_missing",
        "dropped_host_uniq_foreign",
        "dropped_pads_unasked",
        "dropped_pads_wrong_mac",
    ];
    assert_eq!(counted, expected.map(|name| (name, 1)));
}

/// A PADS that comes after the host has given up is answered with a PADT: the concentrator must not keep the session.
#[test]
fn a_pads_after_giving_up_gets_a_padt() {
    let (mut host, host_uniq) = calling(ServiceRequest::any());
    host.handle_packet(at(0), AC, HOST, &pado(&host_uniq, []));
    host_outputs(&mut host);
    host.close_call(at(1), CALL).unwrap();
    assert_eq!(host_outputs(&mut host), [HostOutput::Failed { call: CALL, why: CallFailure::GivenUp }]);
    host.handle_packet(at(2), AC, HOST, &pads(&host_uniq, 5));
    assert_eq!(host_outputs(&mut host), [HostOutput::Transmit { to: AC, packet: padt(5) }]);
    assert_eq!(host.counters().dropped_pads_unwanted, 1);
    let refusal = packet(Code::Pads, None, [Tag::GenericError(b""), Tag::HostUniq(&host_uniq)]);
    host.handle_packet(at(2), AC, HOST, &refusal);
    host.handle_packet(at(2), AC, HOST, &pado(&host_uniq, []));
    assert_eq!(host_outputs(&mut host), []);
    assert_eq!((host.counters().dropped_pads_stale_refusal, host.counters().dropped_pado_call_gone), (1, 1));
}

/// The same PADS twice is one session; another session for the same call is ended.
#[test]
fn a_repeated_pads_changes_nothing_and_a_second_session_is_refused() {
    let (mut host, host_uniq) = connected();
    host.handle_packet(at(1), AC, HOST, &pads(&host_uniq, 5));
    assert_eq!((host_outputs(&mut host), host.counters().dropped_pads_duplicate), (vec![], 1));
    host.handle_packet(at(1), AC, HOST, &pads(&host_uniq, 6));
    assert_eq!(host_outputs(&mut host), [HostOutput::Transmit { to: AC, packet: padt(6) }]);
    assert_eq!(host.sessions().map(|(_, session)| session.id).collect::<Vec<_>>(), [id(5)]);
}

/// RFC 2516 §4: the same id with another peer is another session.
#[test]
fn the_same_id_with_another_peer_is_another_session() {
    let (mut host, _) = connected();
    let host_uniq = call(&mut host, CallKey(9), ServiceRequest::any());
    host.handle_packet(at(0), OTHER_AC, HOST, &pado(&host_uniq, []));
    host.handle_packet(at(0), OTHER_AC, HOST, &pads(&host_uniq, 5));
    host_outputs(&mut host);
    assert_eq!(host.sessions().map(|(key, _)| key).collect::<Vec<_>>(), [CALL, CallKey(9)]);
    host.handle_packet(at(1), OTHER_AC, HOST, &padt(5));
    assert_eq!(host.sessions().map(|(key, _)| key).collect::<Vec<_>>(), [CALL]);
}

/// RFC 2516 §4: the id taken twice fails the second call and leaves the first alone.
#[test]
fn an_id_in_use_fails_the_new_call_only() {
    let (mut host, _) = connected();
    let host_uniq = call(&mut host, CallKey(8), ServiceRequest::any());
    host.handle_packet(at(0), AC, HOST, &pado(&host_uniq, []));
    host_outputs(&mut host);
    host.handle_packet(at(0), AC, HOST, &pads(&host_uniq, 5));
    let why = CallFailure::SessionIdInUse(id(5));
    assert_eq!(host_outputs(&mut host), [HostOutput::Failed { call: CallKey(8), why }]);
    assert_eq!(host.sessions().count(), 1);
}

/// RFC 2516 §5.5: a PADT from the peer ends the session at once; nobody else can end it.
#[test]
fn padt_of_the_peer_closes_and_of_others_does_not() {
    let (mut host, _) = connected();
    host.handle_packet(at(1), OTHER_AC, HOST, &padt(5));
    host.handle_packet(at(1), AC, HOST, &padt(6));
    host.handle_packet(at(1), AC, MacAddr::BROADCAST, &padt(5));
    host.handle_packet(at(1), AC, HOST, &packet(Code::Padt, None, []));
    assert_eq!((host_outputs(&mut host), host.sessions().count()), (vec![], 1));
    let counters = host.counters();
    assert_eq!((counters.dropped_padt_wrong_mac, counters.dropped_padt_unknown_session), (1, 1));
    assert_eq!((counters.dropped_destination_not_unicast, counters.dropped_ungrammatical), (1, 1));
    host.handle_packet(at(1), AC, HOST, &packet(Code::Padt, Some(id(5)), [Tag::GenericError(b"bye")]));
    let why = CloseCause::Peer { text: Some("bye".to_owned()) };
    assert_eq!(host_outputs(&mut host), [HostOutput::Closed { call: CALL, why }]);
    assert_eq!(host.close_call(at(2), CALL), Err(NoSuchCall(CALL)));
}

/// RFC 2516 §5.5, Appendix A: our PADT names the session and gives the relay its mark.
#[test]
fn closing_sends_a_padt() {
    let (mut host, host_uniq) = calling(ServiceRequest::any());
    host.handle_packet(at(0), AC, HOST, &pado(&host_uniq, []));
    let tags = [Tag::ServiceName(b"internet"), Tag::HostUniq(&host_uniq), Tag::RelaySessionId(b"relay")];
    host.handle_packet(at(0), AC, HOST, &packet(Code::Pads, Some(id(5)), tags));
    host_outputs(&mut host);
    host.close_call(at(1), CALL).unwrap();
    let padt = packet(Code::Padt, Some(id(5)), [Tag::RelaySessionId(b"relay")]);
    let closed = HostOutput::Closed { call: CALL, why: CloseCause::Local };
    assert_eq!(host_outputs(&mut host), [HostOutput::Transmit { to: AC, packet: padt }, closed]);
    assert_eq!(host.calls_len(), 0);
}

/// The network going away ends calls in every state, each once, and transmits nothing, not even what was queued.
#[test]
fn network_gone_ends_everything_in_silence() {
    let (mut host, _) = connected();
    let host_uniq = call(&mut host, CallKey(8), ServiceRequest::any());
    host.handle_packet(at(0), AC, HOST, &pado(&host_uniq, []));
    host.make_call(at(0), CallKey(9), ServiceRequest::any()).unwrap();
    host.handle_network_gone(at(1));
    let why = CallFailure::NetworkGone;
    let expected = [
        HostOutput::Closed { call: CALL, why: CloseCause::NetworkGone },
        HostOutput::Failed { call: CallKey(8), why: why.clone() },
        HostOutput::Failed { call: CallKey(9), why },
    ];
    assert_eq!(host_outputs(&mut host), expected);
    assert_eq!((host.calls_len(), host.next_timeout(), host.sessions().count()), (0, None, 0));
}

/// A session packet for no session gets a PADT, so often and no oftener; one for a session of ours does not.
#[test]
fn unknown_sessions_are_answered_with_few_padts() {
    let (mut host, _) = connected();
    host.handle_unknown_session(at(1), AC, id(5));
    host.handle_unknown_session(at(1), MacAddr::BROADCAST, id(6));
    assert_eq!(host_outputs(&mut host), []);
    host.handle_unknown_session(at(1), AC, id(6));
    assert_eq!(host_outputs(&mut host), [HostOutput::Transmit { to: AC, packet: padt(6) }]);
    for _ in 0..100 {
        host.handle_unknown_session(at(1), AC, id(6));
    }
    assert_eq!(host_outputs(&mut host).len(), 39);
    assert_eq!((host.counters().padt_replies_sent, host.counters().padt_replies_suppressed), (40, 61));
    assert_eq!((host.counters().unknown_session_known, host.counters().unknown_session_not_unicast), (1, 1));
}

/// RFC 4638: the tag is asked for where the link can carry more than 1492, clamped to that, in PADI and PADR; the lower
/// of both sides' words counts, and no word from the concentrator means 1492.
#[test]
fn max_payload_is_agreed_on() {
    // Link MTU, asked for, in our PADI, in the PADS, agreed on.
    let lines = [
        (1508, Some(1500), Some(1500), Some(1500), 1500),
        (1508, Some(1500), Some(1500), Some(1496), 1496),
        (1508, Some(1500), Some(1500), Some(9000), 1500),
        (1508, Some(1500), Some(1500), Some(1400), 1492),
        (1508, Some(1500), Some(1500), None, 1492),
        (1508, Some(9000), Some(1500), Some(1500), 1500),
        (1508, Some(1492), None, None, 1492),
        (1508, None, None, Some(1500), 1492),
        (1500, Some(1500), None, Some(1500), 1492),
    ];
    for (link_mtu, max_payload, in_padi, in_pads, agreed) in lines {
        let mut host = Host::new(HostConfig { link_mtu, ..HostConfig::default() }, [1; 16]);
        host.make_call(at(0), CALL, ServiceRequest { max_payload, ..ServiceRequest::any() }).unwrap();
        let (_, padi) = only_transmit(&host_outputs(&mut host));
        assert_eq!(view(&padi).tags().max_payload(), in_padi);
        let host_uniq = view(&padi).tags().host_uniq().unwrap();
        host.handle_packet(at(0), AC, HOST, &pado(host_uniq, in_pads.map(Tag::PppMaxPayload)));
        let (_, padr) = only_transmit(&host_outputs(&mut host));
        assert_eq!(view(&padr).tags().max_payload(), in_padi);
        let tags = [Tag::ServiceName(b""), Tag::HostUniq(host_uniq)];
        let tags = tags.into_iter().chain(in_pads.map(Tag::PppMaxPayload));
        host.handle_packet(at(0), AC, HOST, &packet(Code::Pads, Some(id(1)), tags));
        assert_eq!(
            host.sessions().next().unwrap().1.max_payload,
            agreed,
            "{link_mtu} {max_payload:?} {in_pads:?}"
        );
    }
}

/// The caller's mistakes are errors, and nothing has changed then.
#[test]
fn calls_that_cannot_begin_are_refused() {
    let limits = HostLimits { calls_max: 2, ..HostLimits::default() };
    let mut host = Host::new(HostConfig { limits, ..HostConfig::default() }, [1; 16]);
    // Six octets of header, four and sixteen of Host-Uniq, four before the name: RFC 2516 §5.1 leaves 1454 for it.
    let longest = ServiceRequest { service_name: vec![b'x'; 1454], ..ServiceRequest::any() };
    let too_long = ServiceRequest { service_name: vec![b'x'; 1455], ..ServiceRequest::any() };
    let refused = host.make_call(at(0), CALL, too_long).unwrap_err();
    assert_eq!(refused.to_string(), "discovery packet of 1485 octets, expected at most 1484");
    assert_eq!((host.calls_len(), host_outputs(&mut host), host.next_timeout()), (0, vec![], None));
    host.make_call(at(0), CALL, longest).unwrap();
    assert_eq!(only_transmit(&host_outputs(&mut host)).1.len(), PADI_LEN_MAX);
    assert_eq!(host.make_call(at(0), CALL, ServiceRequest::any()), Err(MakeCallError::KeyInUse(CALL)));
    host.make_call(at(0), CallKey(8), ServiceRequest::any()).unwrap();
    host_outputs(&mut host);
    let refused = host.make_call(at(0), CallKey(9), ServiceRequest::any());
    assert_eq!((refused, host_outputs(&mut host)), (Err(MakeCallError::TooMany { max: 2 }), vec![]));
    host.close_call(at(0), CALL).unwrap();
    host.make_call(at(0), CallKey(9), ServiceRequest::any()).unwrap();
}

/// A PADO whose tags leave no room for a PADR (a cookie of 1400 octets and more) is dropped under its name.
#[test]
fn an_offer_that_makes_no_padr_is_dropped() {
    let request = ServiceRequest { service_name: vec![b'x'; 700], ..ServiceRequest::any() };
    let vendor = vec![VendorTag { vendor: 1, data: vec![0; 700] }];
    let (mut host, host_uniq) = calling(ServiceRequest { vendor, ..request });
    let (name, cookie) = (vec![b'x'; 700], vec![0; 600]);
    let tags =
        [Tag::AcName(b"ac"), Tag::ServiceName(&name), Tag::HostUniq(&host_uniq), Tag::AcCookie(&cookie)];
    host.handle_packet(at(0), AC, HOST, &packet(Code::Pado, None, tags));
    assert_eq!((host_outputs(&mut host), host.counters().dropped_pado_too_long), (vec![], 1));
}

/// The same seed makes the same packets, another seed others.
#[test]
fn the_seed_is_all_the_chance_there_is() {
    let padi_of = |seed| {
        let mut host = Host::new(HostConfig::default(), seed);
        host.make_call(at(0), CALL, ServiceRequest::any()).unwrap();
        only_transmit(&host_outputs(&mut host)).1
    };
    assert_eq!(padi_of([1; 16]), padi_of([1; 16]));
    assert_ne!(padi_of([1; 16]), padi_of([2; 16]));
}

/// A rate of zero is one: a limit cannot be configured into a division by zero.
#[test]
fn a_rate_of_zero_still_answers_once() {
    let limits = HostLimits { padt_replies: Rate { per_second: 0, burst: 0 }, ..HostLimits::default() };
    let mut host = Host::new(HostConfig { limits, ..HostConfig::default() }, [1; 16]);
    host.handle_unknown_session(at(1), AC, id(6));
    host.handle_unknown_session(at(1), AC, id(6));
    assert_eq!(host_outputs(&mut host).len(), 1);
}
