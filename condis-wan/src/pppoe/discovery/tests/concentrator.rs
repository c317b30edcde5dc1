//! The concentrator alone.

use super::super::{
    AbortReason, CloseCause, ConcentratorConfig, ConcentratorLimits, OfferError, Rate, RateLimit, Rejection,
    ServiceKey, SessionError, SessionKey,
};
use super::*;
use crate::pppoe::captures::{self, CAPTURES};
use crate::pppoe::wire::{DISCOVERY_LEN_MAX, ETHERTYPE_DISCOVERY, LineTagType};

const INTERNET: ServiceKey = ServiceKey(1);

fn with_limits(limits: ConcentratorLimits) -> Concentrator {
    let mut concentrator =
        Concentrator::new(ConcentratorConfig { limits, ..ConcentratorConfig::named("ac") }, [1; 16]);
    concentrator.offer(INTERNET, b"internet").unwrap();
    concentrator
}

fn concentrator() -> Concentrator {
    with_limits(ConcentratorLimits::default())
}

/// The packets among the outputs; all go to `to`.
fn sent(concentrator: &mut Concentrator, to: MacAddr) -> Vec<Vec<u8>> {
    let packets = concentrator_outputs(concentrator).into_iter().filter_map(|output| match output {
        ConcentratorOutput::Transmit { to: there, packet } => Some((there, packet)),
        _ => None,
    });
    packets
        .map(|(there, packet)| {
            assert_eq!(there, to);
            packet
        })
        .collect()
}

fn padi(service: &[u8], host_uniq: &[u8]) -> Vec<u8> {
    packet(Code::Padi, None, [Tag::ServiceName(service), Tag::HostUniq(host_uniq)])
}

/// The PADO that answers a PADI.
fn solicit(concentrator: &mut Concentrator, now: Time, host: MacAddr, padi: &[u8]) -> Option<Vec<u8>> {
    concentrator.handle_packet(now, host, MacAddr::BROADCAST, padi);
    let mut sent = sent(concentrator, host);
    assert!(sent.len() <= 1);
    sent.pop()
}

/// A PADR that takes up what a PADI is answered with.
fn good_padr(concentrator: &mut Concentrator, now: Time, host: MacAddr, host_uniq: &[u8]) -> Vec<u8> {
    let pado = solicit(concentrator, now, host, &padi(b"internet", host_uniq)).unwrap();
    let cookie = view(&pado).tags().ac_cookie().unwrap();
    packet(Code::Padr, None, [Tag::ServiceName(b"internet"), Tag::HostUniq(host_uniq), Tag::AcCookie(cookie)])
}

fn offered(outputs: &[ConcentratorOutput]) -> SessionKey {
    match outputs {
        [ConcentratorOutput::Offered { session, .. }] => *session,
        other => panic!("expected one offer, got {other:?}"),
    }
}

/// Offers one session of `host` and accepts it; gives its key, its PADR and its PADS.
fn connect(
    concentrator: &mut Concentrator,
    now: Time,
    host: MacAddr,
    host_uniq: &[u8],
) -> (SessionKey, Vec<u8>, Vec<u8>) {
    let padr = good_padr(concentrator, now, host, host_uniq);
    concentrator.handle_packet(now, host, AC, &padr);
    let key = offered(&concentrator_outputs(concentrator));
    concentrator.accept(now, key).unwrap();
    let pads = sent(concentrator, host).pop().unwrap();
    (key, padr, pads)
}

fn error_of(pads: &[u8]) -> Tag<'_> {
    assert_eq!((view(pads).code(), view(pads).session_id(), view(pads).check()), (Code::Pads, None, Ok(())));
    view(pads).tags().error().unwrap()
}

/// RFC 2516 §5.2: our name, the service asked for, then the others, a cookie; Host-Uniq and the relay's mark go back.
#[test]
fn pado_lists_every_service() {
    let mut ac = concentrator();
    ac.offer(ServiceKey(2), b"tv").unwrap();
    let tags = [Tag::RelaySessionId(b"relay"), Tag::HostUniq(b"uniq"), Tag::ServiceName(b"tv")];
    let pado = solicit(&mut ac, at(0), HOST, &packet(Code::Padi, None, tags)).unwrap();
    assert_eq!((view(&pado).code(), view(&pado).check()), (Code::Pado, Ok(())));
    let cookie = view(&pado).tags().ac_cookie().unwrap();
    let expected = [
        Tag::AcName(b"ac"),
        Tag::ServiceName(b"tv"),
        Tag::ServiceName(b"internet"),
        Tag::AcCookie(cookie),
        Tag::HostUniq(b"uniq"),
        Tag::RelaySessionId(b"relay"),
    ];
    assert_eq!(view(&pado).tags().iter().collect::<Vec<_>>(), expected);
    ac.withdraw(ServiceKey(2));
    let pado = solicit(&mut ac, at(0), HOST, &packet(Code::Padi, None, [Tag::ServiceName(b"")])).unwrap();
    assert_eq!(view(&pado).tags().service_names().collect::<Vec<_>>(), [&b""[..], b"internet"]);
}

/// RFC 2516 §5.2: a PADI that cannot be served gets no answer.
#[test]
fn padi_for_an_unknown_service_is_not_answered() {
    let mut ac = concentrator();
    assert_eq!(solicit(&mut ac, at(0), HOST, &padi(b"tv", b"uniq")), None);
    assert_eq!(ac.counters().dropped_padi_unknown_service, 1);
    ac.withdraw(INTERNET);
    assert_eq!(solicit(&mut ac, at(0), HOST, &padi(b"", b"uniq")), None);
    assert_eq!(ac.counters().dropped_padi_unknown_service, 2);
}

/// RFC 2516 §5.4: accepted, the PADS has an id, the service and the Host-Uniq; the user hears what was agreed on.
#[test]
fn a_good_padr_is_offered_and_accepted() {
    let mut ac = concentrator();
    let padr = good_padr(&mut ac, at(0), HOST, b"uniq");
    ac.handle_packet(at(0), HOST, AC, &padr);
    let outputs = concentrator_outputs(&mut ac);
    let [ConcentratorOutput::Offered { session, service: INTERNET, proposed }] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    assert_eq!((proposed.peer, proposed.max_payload), (HOST, 1492));
    ac.accept(at(1), *session).unwrap();
    let outputs = concentrator_outputs(&mut ac);
    let expected_pads =
        packet(Code::Pads, Some(proposed.id), [Tag::ServiceName(b"internet"), Tag::HostUniq(b"uniq")]);
    let connected = ConcentratorOutput::Connected { session: *session, details: proposed.clone() };
    assert_eq!(outputs, [ConcentratorOutput::Transmit { to: HOST, packet: expected_pads }, connected]);
    assert_eq!(ac.sessions().collect::<Vec<_>>(), [(*session, proposed)]);
    assert_eq!((ac.next_timeout(), ac.offered_len()), (None, 0));
}

/// RFC 2516 Appendix A: "any" in the PADR gets the first service, and the PADS names it.
#[test]
fn any_service_gets_the_first() {
    let mut ac = concentrator();
    ac.offer(ServiceKey(2), b"tv").unwrap();
    let pado = solicit(&mut ac, at(0), HOST, &packet(Code::Padi, None, [Tag::ServiceName(b"")])).unwrap();
    let cookie = Tag::AcCookie(view(&pado).tags().ac_cookie().unwrap());
    ac.handle_packet(at(0), HOST, AC, &packet(Code::Padr, None, [Tag::ServiceName(b""), cookie]));
    let outputs = concentrator_outputs(&mut ac);
    let [ConcentratorOutput::Offered { session, service: INTERNET, .. }] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    ac.accept(at(0), *session).unwrap();
    let pads = sent(&mut ac, HOST).pop().unwrap();
    assert_eq!(view(&pads).tags().service_names().collect::<Vec<_>>(), [b"internet"]);
    assert_eq!(view(&pads).tags().host_uniq(), None);
    // A service whose very name is empty comes before the first.
    ac.offer(ServiceKey(3), b"").unwrap();
    let pado = solicit(&mut ac, at(0), HOST, &packet(Code::Padi, None, [Tag::ServiceName(b"")])).unwrap();
    let cookie = Tag::AcCookie(view(&pado).tags().ac_cookie().unwrap());
    ac.handle_packet(at(0), HOST, AC, &packet(Code::Padr, None, [Tag::ServiceName(b""), cookie]));
    let outputs = concentrator_outputs(&mut ac);
    assert!(
        matches!(&outputs[..], [ConcentratorOutput::Offered { service: ServiceKey(3), .. }]),
        "{outputs:?}"
    );
}

/// RFC 2516 §5.4: rejected, the PADS has session id zero and the error; a PADR that comes again gets it again.
#[test]
fn a_rejected_offer_gets_its_error_tag() {
    let (long, cut) = (format!("a{}", "ä".repeat(100)), format!("a{}", "ä".repeat(63)));
    let cases = [
        (Rejection::Generic(long), Tag::GenericError(cut.as_bytes())),
        (Rejection::Service("closed".to_owned()), Tag::ServiceNameError(b"closed")),
        (Rejection::System("full".to_owned()), Tag::AcSystemError(b"full")),
        (Rejection::Generic(String::new()), Tag::GenericError(b"")),
    ];
    for (why, error) in cases {
        let mut ac = concentrator();
        let padr = good_padr(&mut ac, at(0), HOST, b"uniq");
        ac.handle_packet(at(0), HOST, AC, &padr);
        let key = offered(&concentrator_outputs(&mut ac));
        ac.reject(at(0), key, &why).unwrap();
        let pads = sent(&mut ac, HOST);
        assert_eq!((error_of(&pads[0]), view(&pads[0]).tags().host_uniq()), (error, Some(&b"uniq"[..])));
        ac.handle_packet(at(1), HOST, AC, &padr);
        assert_eq!(sent(&mut ac, HOST), pads);
        assert_eq!(ac.counters().padr_repeated_when_over, 1);
        assert_eq!(ac.accept(at(1), key), Err(SessionError::NoSuchSession(key)));
    }
}

/// The name was offered once and is not any more: Service-Name-Error.
#[test]
fn a_padr_for_a_withdrawn_service_is_refused() {
    let mut ac = concentrator();
    let padr = good_padr(&mut ac, at(0), HOST, b"uniq");
    ac.withdraw(INTERNET);
    ac.handle_packet(at(0), HOST, AC, &padr);
    let pads = sent(&mut ac, HOST);
    assert!(matches!(error_of(&pads[0]), Tag::ServiceNameError(_)));
    assert_eq!((ac.counters().refused_service, ac.offered_len()), (1, 0));
}

/// A lost PADS: the PADR comes again and the same PADS goes out; there is one session and one offer.
#[test]
fn a_repeated_padr_never_makes_a_second_session() {
    let mut ac = concentrator();
    let padr = good_padr(&mut ac, at(0), HOST, b"uniq");
    ac.handle_packet(at(0), HOST, AC, &padr);
    let key = offered(&concentrator_outputs(&mut ac));
    ac.handle_packet(at(1), HOST, AC, &padr);
    assert_eq!(concentrator_outputs(&mut ac), []);
    ac.accept(at(2), key).unwrap();
    let pads = sent(&mut ac, HOST);
    // Also long after the cookie has expired, as long as the session lives.
    for seconds in [3, 1000] {
        ac.handle_packet(at(seconds), HOST, AC, &padr);
        assert_eq!(sent(&mut ac, HOST), pads);
    }
    assert_eq!((ac.sessions().count(), ac.counters().sessions_offered), (1, 1));
    assert_eq!((ac.counters().padr_repeated_while_offered, ac.counters().padr_repeated_after_pads), (1, 2));
}

/// A PADR that is late by more than its session is answered with an error, and makes no ghost.
#[test]
fn a_padr_of_a_closed_session_is_refused() {
    let mut ac = concentrator();
    let (key, padr, _) = connect(&mut ac, at(0), HOST, b"uniq");
    ac.close(at(1), key).unwrap();
    concentrator_outputs(&mut ac);
    ac.handle_packet(at(2), HOST, AC, &padr);
    assert!(matches!(error_of(&sent(&mut ac, HOST)[0]), Tag::GenericError(_)));
    ac.handle_packet(at(60), HOST, AC, &padr);
    assert_eq!((sent(&mut ac, HOST), ac.counters().dropped_cookie_expired), (vec![], 1));
    assert_eq!((ac.sessions().count(), ac.offered_len()), (0, 0));
}

/// RFC 2516 §9: without our cookie, with a changed one, with another host's, with an old one, there is no session, no
/// answer, and no trace but the counter.
#[test]
fn forged_cookies_get_nothing() {
    let mut ac = concentrator();
    let padr = good_padr(&mut ac, at(0), HOST, b"uniq");
    let cookie = view(&padr).tags().ac_cookie().unwrap().to_vec();
    let with = |cookie: &[u8], host_uniq: &[u8]| {
        let tags = [Tag::ServiceName(b"internet"), Tag::HostUniq(host_uniq), Tag::AcCookie(cookie)];
        packet(Code::Padr, None, tags)
    };
    let mut changed = cookie.clone();
    changed[23] ^= 1;
    ac.handle_packet(at(0), HOST, AC, &with(&changed, b"uniq"));
    ac.handle_packet(at(0), HOST, AC, &with(&cookie[..23], b"uniq"));
    ac.handle_packet(at(0), HOST, AC, &with(&cookie, b"Uniq"));
    ac.handle_packet(at(0), OTHER_HOST, AC, &padr);
    assert_eq!(ac.counters().dropped_cookie_forged, 4);
    let bare = packet(Code::Padr, None, [Tag::ServiceName(b"internet"), Tag::HostUniq(b"uniq")]);
    ac.handle_packet(at(0), HOST, AC, &bare);
    assert_eq!(ac.counters().dropped_cookie_missing, 1);
    ac.handle_packet(at(60), HOST, AC, &padr);
    assert_eq!(ac.counters().dropped_cookie_expired, 1);
    assert_eq!((concentrator_outputs(&mut ac), ac.offered_len()), (vec![], 0));
    let mut ac = concentrator();
    ac.rotate_key(at(0), [2; 16]);
    ac.handle_packet(at(59), HOST, AC, &padr);
    offered(&concentrator_outputs(&mut ac));
}

/// Forged PADRs in another's name do not use up his share.
#[test]
fn forged_padrs_cost_their_alleged_sender_nothing() {
    let mut ac = concentrator();
    let padr = good_padr(&mut ac, at(0), HOST, b"uniq");
    let forged = packet(Code::Padr, None, [Tag::ServiceName(b"internet"), Tag::AcCookie(&[0; 24])]);
    for _ in 0..5000 {
        ac.handle_packet(at(0), HOST, AC, &forged);
    }
    ac.handle_packet(at(0), HOST, AC, &padr);
    offered(&concentrator_outputs(&mut ac));
}

/// A PADI leaves no state but a place in a bounded table, however many come from however many.
#[test]
fn padis_are_answered_up_to_their_rate() {
    let per_mac = Rate { per_second: 1, burst: 3 };
    let limit = RateLimit { per_mac, total: Rate { per_second: 1, burst: 5 }, macs_max: 16 };
    let mut ac = with_limits(ConcentratorLimits { padi: limit, ..ConcentratorLimits::default() });
    let answered = |ac: &mut Concentrator, host: MacAddr| {
        (0..10).filter(|_| solicit(ac, at(0), host, &padi(b"internet", b"uniq")).is_some()).count()
    };
    assert_eq!(answered(&mut ac, HOST), 3);
    assert_eq!(answered(&mut ac, OTHER_HOST), 2);
    assert_eq!((ac.counters().dropped_padi_rate_mac, ac.counters().dropped_padi_rate_total), (7 + 7, 1));
}

/// PADRs have their rate too.
#[test]
fn padrs_are_answered_up_to_their_rate() {
    let per_mac = Rate { per_second: 1, burst: 2 };
    let limit = RateLimit { per_mac, total: Rate { per_second: 1, burst: 3 }, macs_max: 16 };
    let mut ac = with_limits(ConcentratorLimits { padr: limit, ..ConcentratorLimits::default() });
    let padrs: Vec<Vec<u8>> = (0..4).map(|uniq| good_padr(&mut ac, at(0), HOST, &[uniq])).collect();
    let others = [good_padr(&mut ac, at(0), OTHER_HOST, b"a"), good_padr(&mut ac, at(0), OTHER_HOST, b"b")];
    padrs.iter().for_each(|padr| ac.handle_packet(at(0), HOST, AC, padr));
    others.iter().for_each(|padr| ac.handle_packet(at(0), OTHER_HOST, AC, padr));
    assert_eq!(ac.offered_len(), 3);
    assert_eq!((ac.counters().dropped_padr_rate_mac, ac.counters().dropped_padr_rate_total), (2, 1));
}

/// Past a limit a PADI is not answered (RFC 2516 §5.2), and a PADR gets AC-System-Error (Appendix A).
#[test]
fn sessions_are_limited_per_mac_in_total_and_while_offered() {
    let limits = ConcentratorLimits {
        sessions_per_mac_max: 2,
        sessions_max: 3,
        offered_max: 2,
        ..ConcentratorLimits::default()
    };
    let mut ac = with_limits(limits);
    let one_too_many = good_padr(&mut ac, at(0), HOST, b"too many");
    let one_too_many_of_other = good_padr(&mut ac, at(0), OTHER_HOST, b"too many");
    connect(&mut ac, at(0), HOST, b"a");
    let (second, _, _) = connect(&mut ac, at(0), HOST, b"b");
    let refused = |ac: &mut Concentrator, host, padr: &[u8]| {
        ac.handle_packet(at(0), host, AC, padr);
        assert!(matches!(error_of(&sent(ac, host)[0]), Tag::AcSystemError(_)));
    };
    refused(&mut ac, HOST, &one_too_many);
    assert_eq!(ac.counters().refused_sessions_per_mac_max, 1);
    assert_eq!(solicit(&mut ac, at(0), HOST, &padi(b"internet", b"d")), None);
    assert_eq!(ac.counters().dropped_padi_no_room, 1);
    connect(&mut ac, at(0), OTHER_HOST, b"a");
    refused(&mut ac, OTHER_HOST, &one_too_many_of_other);
    assert_eq!(ac.counters().refused_sessions_max, 1);
    // Once there is room, the same PADR is welcome.
    ac.close(at(0), second).unwrap();
    concentrator_outputs(&mut ac);
    ac.handle_packet(at(0), HOST, AC, &one_too_many);
    offered(&concentrator_outputs(&mut ac));

    let mut ac = with_limits(ConcentratorLimits { offered_max: 1, ..ConcentratorLimits::default() });
    let padrs = [b"a", b"b"].map(|uniq| good_padr(&mut ac, at(0), HOST, uniq));
    ac.handle_packet(at(0), HOST, AC, &padrs[0]);
    concentrator_outputs(&mut ac);
    refused(&mut ac, HOST, &padrs[1]);
    assert_eq!(ac.counters().refused_offered_max, 1);
}

/// RFC 2516 §5.5: a PADT from the session's host ends it; nobody else can, and an offer has no id yet.
#[test]
fn padt_of_the_host_closes_and_of_others_does_not() {
    let mut ac = concentrator();
    let (key, _, pads) = connect(&mut ac, at(0), HOST, b"uniq");
    let session_id = view(&pads).session_id();
    let padt = packet(Code::Padt, session_id, [Tag::GenericError(b"bye")]);
    ac.handle_packet(at(1), OTHER_HOST, AC, &padt);
    ac.handle_packet(at(1), HOST, MacAddr::BROADCAST, &padt);
    let padr = good_padr(&mut ac, at(1), HOST, b"other");
    ac.handle_packet(at(1), HOST, AC, &padr);
    let outputs = concentrator_outputs(&mut ac);
    let [ConcentratorOutput::Offered { proposed, .. }] = &outputs[..] else { panic!("{outputs:?}") };
    ac.handle_packet(at(1), HOST, AC, &packet(Code::Padt, Some(proposed.id), []));
    assert_eq!((concentrator_outputs(&mut ac), ac.sessions().count(), ac.offered_len()), (vec![], 1, 1));
    let counters = ac.counters();
    assert_eq!((counters.dropped_padt_wrong_mac, counters.dropped_padt_unknown_session), (1, 1));
    assert_eq!(counters.dropped_destination_not_unicast, 1);
    ac.handle_packet(at(1), HOST, AC, &padt);
    let why = CloseCause::Peer { text: Some("bye".to_owned()) };
    assert_eq!(concentrator_outputs(&mut ac), [ConcentratorOutput::Closed { session: key, why }]);
    ac.handle_packet(at(1), HOST, AC, &padt);
    assert_eq!(concentrator_outputs(&mut ac), []);
}

/// RFC 2516 §5.5: closing sends one PADT, and the commands tell the states apart.
#[test]
fn closing_sends_a_padt() {
    let mut ac = concentrator();
    let (key, _, pads) = connect(&mut ac, at(0), HOST, b"uniq");
    assert_eq!(ac.accept(at(1), key), Err(SessionError::NotOffered(key)));
    assert_eq!(ac.reject(at(1), key, &Rejection::Generic(String::new())), Err(SessionError::NotOffered(key)));
    ac.close(at(1), key).unwrap();
    let padt = packet(Code::Padt, view(&pads).session_id(), []);
    let closed = ConcentratorOutput::Closed { session: key, why: CloseCause::Local };
    assert_eq!(
        concentrator_outputs(&mut ac),
        [ConcentratorOutput::Transmit { to: HOST, packet: padt }, closed]
    );
    assert_eq!(ac.close(at(1), key), Err(SessionError::NoSuchSession(key)));
    let padr = good_padr(&mut ac, at(1), HOST, b"uniq");
    ac.handle_packet(at(1), HOST, AC, &padr);
    let key = offered(&concentrator_outputs(&mut ac));
    assert_eq!(ac.close(at(1), key), Err(SessionError::NotConnected(key)));
}

/// Who asks and falls silent is given up after 20 s without a PADR, by lines: PADR at 0 and 15 s, gone at 35 s.
#[test]
fn an_offer_is_taken_back_when_its_host_falls_silent() {
    let mut ac = concentrator();
    let padr = good_padr(&mut ac, at(0), HOST, b"uniq");
    ac.handle_packet(at(0), HOST, AC, &padr);
    let session = offered(&concentrator_outputs(&mut ac));
    assert_eq!(ac.next_timeout(), Some(at(20)));
    ac.handle_packet(at(15), HOST, AC, &padr);
    assert_eq!(ac.next_timeout(), Some(at(35)));
    ac.handle_timeout(at(34));
    assert_eq!(concentrator_outputs(&mut ac), []);
    ac.handle_timeout(at(35));
    let why = AbortReason::HostSilent;
    assert_eq!(concentrator_outputs(&mut ac), [ConcentratorOutput::Aborted { session, why }]);
    assert_eq!(ac.accept(at(35), session), Err(SessionError::NoSuchSession(session)));
    assert_eq!(ac.next_timeout(), None);
}

/// RFC 2516 §8: a host whose PADRs were not answered begins anew with PADI; its older offer is taken back.
#[test]
fn an_offer_is_taken_back_when_its_host_begins_anew() {
    let mut ac = concentrator();
    let first = good_padr(&mut ac, at(0), HOST, b"uniq");
    let second = good_padr(&mut ac, at(10), HOST, b"uniq");
    let parallel = good_padr(&mut ac, at(10), HOST, b"another call");
    ac.handle_packet(at(0), HOST, AC, &first);
    let older = offered(&concentrator_outputs(&mut ac));
    ac.handle_packet(at(10), HOST, AC, &parallel);
    offered(&concentrator_outputs(&mut ac));
    ac.handle_packet(at(10), HOST, AC, &second);
    let outputs = concentrator_outputs(&mut ac);
    let aborted = ConcentratorOutput::Aborted { session: older, why: AbortReason::HostStartedOver };
    assert_eq!(outputs[0], aborted);
    offered(&outputs[1..]);
    assert_eq!(ac.offered_len(), 2);
}

/// The network going away ends sessions in both states, each once, and transmits nothing.
#[test]
fn network_gone_ends_everything_in_silence() {
    let mut ac = concentrator();
    let (connected, _, _) = connect(&mut ac, at(0), HOST, b"a");
    let padr = good_padr(&mut ac, at(0), HOST, b"b");
    ac.handle_packet(at(0), HOST, AC, &padr);
    let pending = offered(&concentrator_outputs(&mut ac));
    ac.handle_packet(at(0), HOST, MacAddr::BROADCAST, &padi(b"internet", b"c"));
    ac.handle_network_gone(at(1));
    let expected = [
        ConcentratorOutput::Closed { session: connected, why: CloseCause::NetworkGone },
        ConcentratorOutput::Aborted { session: pending, why: AbortReason::NetworkGone },
    ];
    assert_eq!(concentrator_outputs(&mut ac), expected);
    assert_eq!((ac.sessions().count(), ac.offered_len(), ac.next_timeout()), (0, 0, None));
    assert!(solicit(&mut ac, at(2), HOST, &padi(b"internet", b"d")).is_some(), "the services stay");
}

/// RFC 2516 §4: 65,534 sessions one after the other have 65,534 ids; then there is none until the first has rested.
#[test]
fn session_ids_are_not_reused_early() {
    let rate = Rate { per_second: 1, burst: u32::MAX };
    let no_limit = RateLimit { per_mac: rate, total: rate, macs_max: 1 };
    let mut ac =
        with_limits(ConcentratorLimits { padi: no_limit, padr: no_limit, ..ConcentratorLimits::default() });
    let mut ids = std::collections::BTreeSet::new();
    let last_padr = good_padr(&mut ac, at(0), HOST, b"last");
    for _ in 0..65_534 {
        let (key, _, pads) = connect(&mut ac, at(0), HOST, b"uniq");
        assert!(ids.insert(view(&pads).session_id().unwrap()));
        ac.close(at(0), key).unwrap();
        concentrator_outputs(&mut ac);
    }
    ac.handle_packet(at(0), HOST, AC, &last_padr);
    assert!(matches!(error_of(&sent(&mut ac, HOST)[0]), Tag::AcSystemError(_)));
    assert_eq!(solicit(&mut ac, at(119), HOST, &padi(b"", b"uniq")), None);
    assert_eq!((ac.counters().refused_no_session_id, ac.counters().dropped_padi_no_room), (1, 1));
    connect(&mut ac, at(120), HOST, b"uniq");
}

/// An empty Host-Uniq, or none, tells nothing: two such requests may be two calls of one host.
#[test]
fn requests_without_a_telling_host_uniq_do_not_take_each_other_back() {
    let mut ac = concentrator();
    for _ in 0..2 {
        let padr = good_padr(&mut ac, at(0), HOST, b"");
        ac.handle_packet(at(0), HOST, AC, &padr);
        offered(&concentrator_outputs(&mut ac));
    }
    assert_eq!(ac.offered_len(), 2);
}

/// What a host leaves behind when its last session ends: nothing.
#[test]
fn a_host_without_sessions_is_forgotten() {
    let mut ac = concentrator();
    let (first, _, _) = connect(&mut ac, at(0), HOST, b"a");
    let (second, _, _) = connect(&mut ac, at(0), HOST, b"b");
    connect(&mut ac, at(0), OTHER_HOST, b"a");
    for (key, hosts) in [(first, 2), (second, 1)] {
        ac.close(at(1), key).unwrap();
        assert_eq!(ac.hosts_len(), hosts);
    }
}

/// A session packet of no session gets a PADT, so often and no oftener; one of a session, even offered, does not.
#[test]
fn unknown_sessions_are_answered_with_few_padts() {
    let mut ac = concentrator();
    let (_, _, pads) = connect(&mut ac, at(0), HOST, b"uniq");
    let known = view(&pads).session_id().unwrap();
    ac.handle_unknown_session(at(1), HOST, known);
    ac.handle_unknown_session(at(1), MacAddr::BROADCAST, known);
    assert_eq!(concentrator_outputs(&mut ac), []);
    ac.handle_unknown_session(at(1), OTHER_HOST, known);
    assert_eq!(sent(&mut ac, OTHER_HOST), [packet(Code::Padt, Some(known), [])]);
    for _ in 0..100 {
        ac.handle_unknown_session(at(1), OTHER_HOST, known);
    }
    assert_eq!(sent(&mut ac, OTHER_HOST).len(), 15);
    assert_eq!((ac.counters().padt_replies_sent, ac.counters().padt_replies_suppressed), (16, 85));
    assert_eq!((ac.counters().unknown_session_known, ac.counters().unknown_session_not_unicast), (1, 1));
}

/// RFC 4638: granted up to what the link carries; not granted where nobody asked or the link is plain.
#[test]
fn max_payload_is_agreed_on() {
    // Link MTU, asked for, answered in PADO and PADS.
    let lines = [
        (1508, Some(1500), Some(1500)),
        (1508, Some(9000), Some(1500)),
        (9000, Some(1600), Some(1600)),
        (1508, Some(1492), None),
        (1508, None, None),
        (1500, Some(1500), None),
    ];
    for (link_mtu, asked, answered) in lines {
        let config = ConcentratorConfig { link_mtu, ..ConcentratorConfig::named("ac") };
        let mut ac = Concentrator::new(config, [1; 16]);
        ac.offer(INTERNET, b"internet").unwrap();
        let tags = || [Tag::ServiceName(b"internet")].into_iter().chain(asked.map(Tag::PppMaxPayload));
        let pado = solicit(&mut ac, at(0), HOST, &packet(Code::Padi, None, tags())).unwrap();
        let cookie = Tag::AcCookie(view(&pado).tags().ac_cookie().unwrap());
        ac.handle_packet(at(0), HOST, AC, &packet(Code::Padr, None, tags().chain([cookie])));
        let key = offered(&concentrator_outputs(&mut ac));
        ac.accept(at(0), key).unwrap();
        let pads = sent(&mut ac, HOST).pop().unwrap();
        let told = (view(&pado).tags().max_payload(), view(&pads).tags().max_payload());
        assert_eq!(told, (answered, answered), "{link_mtu} {asked:?}");
        assert_eq!(ac.sessions().next().unwrap().1.max_payload, answered.unwrap_or(1492));
    }
}

/// TR-101, RFC 4679: what an access node adds to the PADR reaches the user, and is not sent back.
#[test]
fn line_tags_are_carried_through() {
    let mut ac = concentrator();
    let padr = good_padr(&mut ac, at(0), HOST, b"uniq");
    let line = Tag::VendorSpecific(b"\x00\x00\x0d\xe9\x01\x05port1");
    let with_line = view(&padr).to_value().with(line).with(Tag::VendorSpecific(b"\x00")).encode().unwrap();
    ac.handle_packet(at(0), HOST, AC, &with_line);
    let outputs = concentrator_outputs(&mut ac);
    let [ConcentratorOutput::Offered { session, proposed, .. }] = &outputs[..] else { panic!("{outputs:?}") };
    let [vendor] = &proposed.vendor[..] else { panic!("{proposed:?}") };
    assert_eq!(vendor.line().unwrap().get(LineTagType::AGENT_CIRCUIT_ID).unwrap().value, b"port1");
    ac.accept(at(0), *session).unwrap();
    assert_eq!(view(&sent(&mut ac, HOST)[0]).tags().vendor_specific().count(), 0);
}

/// What is not for a concentrator, or makes no sense, is counted under its name and does nothing.
#[test]
fn drops_are_counted_under_their_names() {
    let mut ac = concentrator();
    let padr = good_padr(&mut ac, at(0), HOST, b"uniq");
    ac.handle_packet(at(0), MacAddr::BROADCAST, AC, &padi(b"", b""));
    ac.handle_packet(at(0), HOST, MacAddr::BROADCAST, &padr);
    ac.handle_packet(at(0), HOST, AC, &padr[..padr.len() - 1]);
    ac.handle_packet(at(0), HOST, AC, b"\x11\xd3\x00\x00\x00\x00");
    ac.handle_packet(at(0), HOST, AC, &packet(Code::Pado, None, [Tag::AcName(b"")]));
    ac.handle_packet(at(0), HOST, AC, &packet(Code::Padi, None, []));
    let failed = view(&padr).to_value().with(Tag::GenericError(b"sorry")).encode().unwrap();
    ac.handle_packet(at(0), HOST, AC, &failed);
    assert_eq!(concentrator_outputs(&mut ac), []);
    let counted: Vec<_> =
        ac.counters().iter().filter(|(name, count)| name.starts_with("dropped") && *count > 0).collect();
    let expected = [
        "dropped_source_not_unicast",
        "dropped_destination_not_unicast",
        "dropped_malformed",
        "dropped_unknown_code",
        "dropped_not_for_concentrator",
        "dropped_ungrammatical",
        "dropped_padr_error",
    ];
    assert_eq!(counted, expected.map(|name| (name, 1)));
}

/// The caller's mistakes with services are errors, and nothing has changed then.
#[test]
fn services_are_offered_once_and_within_limits() {
    let mut ac = with_limits(ConcentratorLimits {
        services_max: 2,
        service_name_len_max: 8,
        ..ConcentratorLimits::default()
    });
    assert_eq!(ac.offer(INTERNET, b"tv"), Err(OfferError::KeyInUse(INTERNET)));
    assert_eq!(ac.offer(ServiceKey(2), b"internet"), Err(OfferError::NameInUse(INTERNET)));
    assert_eq!(ac.offer(ServiceKey(2), b"123456789"), Err(OfferError::NameTooLong { len: 9, max: 8 }));
    ac.offer(ServiceKey(2), b"").unwrap();
    assert_eq!(ac.offer(ServiceKey(3), b"tv"), Err(OfferError::TooMany { max: 2 }));
    assert!(ac.withdraw(ServiceKey(2)));
    assert!(!ac.withdraw(ServiceKey(2)));
    ac.offer(ServiceKey(3), b"tv").unwrap();
}

/// Many long names, and a host that asks for as much back as it can: the answer fits, or is none.
#[test]
fn answers_always_fit() {
    let mut ac = concentrator();
    for number in 0..60 {
        ac.offer(ServiceKey(10 + number), format!("{number:0100}").as_bytes()).unwrap();
    }
    for uniq_len in [0, 500, 1000, 1400, 1455, 1482] {
        let uniq = vec![7; uniq_len];
        let padi = packet(Code::Padi, None, [Tag::ServiceName(b""), Tag::HostUniq(&uniq)]);
        let pado = solicit(&mut ac, at(0), HOST, &padi);
        assert_eq!(pado.is_some(), uniq_len + 6 + 6 + 4 + 28 + 4 <= DISCOVERY_LEN_MAX, "{uniq_len}");
        if let Some(pado) = pado {
            assert!(view(&pado).check().is_ok() && pado.len() <= DISCOVERY_LEN_MAX);
            assert!(pado.len() > DISCOVERY_LEN_MAX - 104, "no other name would fit: {}", pado.len());
        }
    }
    assert_eq!(ac.counters().dropped_answer_too_long, 2);
}

/// A host whose Host-Uniq is nearly as long as a packet is refused all the same: name, then text are left out.
#[test]
fn refusals_always_fit() {
    let uniq = vec![7; 1440];
    for (text_len, name_left, text_left) in [(27, true, true), (40, false, true), (100, false, false)] {
        let mut ac = concentrator();
        let padr = good_padr(&mut ac, at(0), HOST, &uniq);
        ac.handle_packet(at(0), HOST, AC, &padr);
        let key = offered(&concentrator_outputs(&mut ac));
        ac.reject(at(0), key, &Rejection::Generic("x".repeat(text_len))).unwrap();
        let pads = sent(&mut ac, HOST).pop().unwrap();
        let text = vec![b'x'; if text_left { text_len } else { 0 }];
        assert_eq!(
            (error_of(&pads), view(&pads).tags().host_uniq()),
            (Tag::GenericError(&text), Some(&uniq[..]))
        );
        assert_eq!(view(&pads).tags().service_names().count(), usize::from(name_left));
    }
}

/// The hosts of the captures (Debian's pppoe, pppd) are answered; their session packets and PADTs do no harm.
#[test]
fn captured_hosts_are_answered() {
    for capture in CAPTURES {
        let mut ac = concentrator();
        let (mut padis, mut pados) = (0, 0);
        for (number, packet) in captures::packets(capture, ETHERTYPE_DISCOVERY).enumerate() {
            let code = DiscoveryView::parse(packet.octets).unwrap().code();
            ac.handle_packet(at(number as u64), packet.from, packet.to, packet.octets);
            padis += usize::from(code == Code::Padi);
            for answer in sent(&mut ac, packet.from) {
                assert_eq!((code, view(&answer).code()), (Code::Padi, Code::Pado));
                pados += 1;
            }
        }
        assert!(padis > 0 && padis == pados);
        // The PADRs have another concentrator's cookies.
        assert_eq!((ac.counters().dropped_cookie_forged, ac.offered_len()), (1, 0));
    }
}
