//! PPPoE: the parser, and random operations on the two machines of the discovery stage.

use std::collections::BTreeSet;
use std::time::Duration;

use condis::params::{CallParams, MediaParams, Specific};
use condis::runtime::Time;
use condis_wan::pppoe::discovery::{
    CallKey, Concentrator, ConcentratorConfig, ConcentratorCounters, ConcentratorLimits, ConcentratorOutput,
    Host, HostConfig, HostCounters, HostLimits, HostOutput, Rejection, ServiceKey, ServiceRequest,
    SessionKey,
};
use condis_wan::pppoe::driver::{CallTarget, FlowParams, IncomingHost};
use condis_wan::pppoe::wire::{
    Code, Discovery, DiscoveryView, HEADER_LEN, MacAddr, SessionId, SessionView, Tag, TagType, VendorTag,
};

use crate::input::Input;

const HOST: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const AC: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);

/// Any octets: refused, or written again as they were (up to an End-Of-List), and printed in one line.
pub fn packet(data: &[u8]) {
    if let Ok(session) = SessionView::parse(data) {
        let length = u16::try_from(session.ppp.len()).expect("LENGTH is 16 bits");
        assert_eq!(SessionView::header(session.id, length), data[..HEADER_LEN]);
    }
    let Ok(view) = DiscoveryView::parse(data) else { return };
    let value = view.to_value();
    let written = value.encode().expect("what was read is not too long to be written");
    assert_eq!(written.len(), value.encoded_len());
    assert_eq!(written[HEADER_LEN..], data[HEADER_LEN..written.len()]);
    let again = DiscoveryView::parse(&written).expect("what is written reads back");
    assert_eq!(
        (again.code(), again.session_id(), again.tags()),
        (view.code(), view.session_id(), view.tags())
    );
    assert_eq!(again.check(), view.check());
    let line = view.to_string();
    assert!(line == value.to_string() && !line.contains(char::is_control), "{line:?}");
    view.tags().vendor_specific().filter_map(VendorTag::parse).for_each(|vendor| {
        vendor
            .line()
            .iter()
            .flat_map(|line| line.iter())
            .for_each(|tag| assert!(!tag.to_string().is_empty()));
    });
}

/// Random commands, packets and time for a host. Packets are raw octets, or made of tags with the call's own Host-Uniq.
/// Gives what was counted, so that a test sees how far it came.
pub fn host(data: &[u8]) -> HostCounters {
    let mut input = Input(data);
    let limits = HostLimits { calls_max: 8, ..HostLimits::default() };
    let mut host = Host::new(HostConfig { link_mtu: input.number(), limits }, [7; 16]);
    let mut now = Time::ZERO;
    let mut host_uniq = Vec::new();
    // Calls that were begun and have neither failed nor closed; and those of them that are connected.
    let (mut begun, mut connected) = (BTreeSet::new(), BTreeSet::new());
    while !input.is_empty() {
        let call = CallKey(u64::from(input.octet() % 12));
        match input.octet() % 8 {
            0 => {
                let request = ServiceRequest {
                    service_name: if input.octet() < 0xe0 { b"a" } else { input.take(1) }.to_vec(),
                    max_payload: Some(input.number()),
                    ..ServiceRequest::any()
                };
                if host.make_call(now, call, request).is_ok() {
                    assert!(begun.insert(call));
                }
            }
            1 => assert_eq!(host.close_call(now, call).is_ok(), begun.contains(&call)),
            2 => {
                now = now.after(Duration::from_millis(u64::from(input.number())));
                host.handle_timeout(now);
                assert!(host.next_timeout().is_none_or(|due| due > now));
            }
            3 if input.octet() == 0 => host.handle_network_gone(now),
            4 => {
                let id = SessionId::new(input.number() % 8);
                id.into_iter().for_each(|id| host.handle_unknown_session(now, AC, id));
            }
            5 => {
                let len = usize::from(input.octet());
                host.handle_packet(now, AC, HOST, input.take(len));
            }
            _ => {
                let packet = some_packet(&mut input, &host_uniq, b"cookie");
                host.handle_packet(now, AC, HOST, &packet);
            }
        }
        while let Some(output) = host.poll_output() {
            match output {
                HostOutput::Transmit { packet, .. } => {
                    let sent = checked(&packet);
                    if let Some(uniq) = sent.tags().host_uniq() {
                        host_uniq = uniq.to_vec();
                    }
                }
                HostOutput::Connected { call, .. } => {
                    assert!(begun.contains(&call) && connected.insert(call));
                }
                HostOutput::Failed { call, .. } => assert!(begun.remove(&call) && !connected.contains(&call)),
                HostOutput::Closed { call, .. } => assert!(begun.remove(&call) && connected.remove(&call)),
            }
        }
        assert_eq!((host.calls_len(), host.sessions().count()), (begun.len(), connected.len()));
    }
    *host.counters()
}

/// Random commands, packets and time for a concentrator. Packets are raw octets, or made of tags with a good cookie.
/// Gives what was counted, so that a test sees how far it came.
pub fn concentrator(data: &[u8]) -> ConcentratorCounters {
    let mut input = Input(data);
    let limits = ConcentratorLimits {
        sessions_max: 8,
        sessions_per_mac_max: 6,
        offered_max: 4,
        handshakes_over_max: 4,
        ..ConcentratorLimits::default()
    };
    let link_mtu = input.number();
    let config = ConcentratorConfig { link_mtu, limits: limits.clone(), ..ConcentratorConfig::named("ac") };
    // With this key the session ids begin at 1, where the packets below look for them.
    let mut ac = Concentrator::new(config, [7; 16]);
    ac.offer(ServiceKey(0), b"a").expect("the first service is welcome");
    let mut now = Time::ZERO;
    let mut cookie = Vec::new();
    let (mut offered, mut connected) = (BTreeSet::new(), BTreeSet::new());
    while !input.is_empty() {
        let known: Vec<SessionKey> = offered.union(&connected).copied().collect();
        let choice = usize::from(input.octet()) % (known.len() + 1);
        let key = known.get(choice).copied().unwrap_or(SessionKey(u64::MAX));
        match input.octet() % 12 {
            0 => drop(ac.offer(ServiceKey(u64::from(input.octet() % 4)), input.take(1))),
            1 => drop(ac.withdraw(ServiceKey(u64::from(input.octet() % 4)))),
            2 | 3 => assert_eq!(ac.accept(now, key).is_ok(), offered.contains(&key)),
            4 => {
                let why = Rejection::System(String::from_utf8_lossy(input.take(3)).repeat(60));
                assert_eq!(ac.reject(now, key, &why).is_ok(), offered.remove(&key));
            }
            5 => assert_eq!(ac.close(now, key).is_ok(), connected.contains(&key)),
            6 => {
                now = now.after(Duration::from_millis(u64::from(input.number())));
                ac.handle_timeout(now);
                assert!(ac.next_timeout().is_none_or(|due| due > now));
            }
            7 if input.octet() == 0 => ac.handle_network_gone(now),
            8 => {
                let len = usize::from(input.octet());
                ac.handle_packet(now, HOST, AC, input.take(len));
            }
            9 => {
                let id = SessionId::new(input.number());
                id.into_iter().for_each(|id| ac.handle_unknown_session(now, HOST, id));
            }
            _ => {
                let packet = some_packet(&mut input, b"uniq", &cookie);
                ac.handle_packet(now, HOST, AC, &packet);
            }
        }
        while let Some(output) = ac.poll_output() {
            match output {
                ConcentratorOutput::Transmit { packet, .. } => {
                    let sent = checked(&packet);
                    if let Some(value) = sent.tags().ac_cookie() {
                        cookie = value.to_vec();
                    }
                }
                ConcentratorOutput::Offered { session, .. } => assert!(offered.insert(session)),
                ConcentratorOutput::Aborted { session, .. } => assert!(offered.remove(&session)),
                ConcentratorOutput::Connected { session, .. } => {
                    assert!(offered.remove(&session) && connected.insert(session));
                }
                ConcentratorOutput::Closed { session, .. } => assert!(connected.remove(&session)),
            }
        }
        assert_eq!((ac.offered_len(), ac.sessions().count()), (offered.len(), connected.len()));
        assert!(
            offered.len() <= limits.offered_max
                && offered.len() + connected.len() <= limits.sessions_per_mac_max
        );
        let ids: BTreeSet<_> = ac.sessions().map(|(_, session)| session.id).collect();
        assert_eq!(ids.len(), connected.len(), "an id is one session");
    }
    *ac.counters()
}

/// A well-formed packet: mostly as its kind should be, with our peer's Host-Uniq and cookie; some with tags left out, some
/// with others.
fn some_packet(input: &mut Input<'_>, host_uniq: &[u8], cookie: &[u8]) -> Vec<u8> {
    let code = Code::ALL[usize::from(input.octet()) % Code::ALL.len()];
    let session_id = match code {
        Code::Pads | Code::Padt => SessionId::new(u16::from(input.octet() % 8)),
        Code::Padi | Code::Pado | Code::Padr => SessionId::new(u16::from(input.octet() / 250)),
    };
    let usual = [Tag::ServiceName(b"a"), Tag::HostUniq(host_uniq), Tag::AcName(b"ac"), Tag::AcCookie(cookie)];
    let left_out = input.octet().saturating_sub(0xe0);
    let usual =
        usual.into_iter().enumerate().filter(|(place, _)| left_out & (1 << place) == 0).map(|(_, tag)| tag);
    let mut packet = Discovery::new(code, session_id).with_all(usual);
    for _ in 0..input.octet().saturating_sub(0xa0) / 32 {
        packet = packet.with(match input.octet() % 9 {
            0 => Tag::ServiceName(input.take(1)),
            1 => Tag::AcName(input.take(1)),
            2 => Tag::HostUniq(input.take(1)),
            3 => Tag::AcCookie(input.take(1)),
            4 => Tag::RelaySessionId(b"relay"),
            5 => Tag::PppMaxPayload(input.number()),
            6 => Tag::GenericError(input.take(2)),
            7 => Tag::VendorSpecific(input.take(8)),
            _ => Tag::Unknown(TagType(0x0bad), input.take(3)),
        });
    }
    packet.encode().expect("a few short tags fit")
}

/// What a machine sends is well-formed and obeys the grammar.
fn checked(packet: &[u8]) -> DiscoveryView<'_> {
    let view = DiscoveryView::parse(packet).expect("what is sent is well-formed");
    assert_eq!(view.check(), Ok(()), "{view}");
    assert_eq!(view.to_value().encode().as_deref(), Ok(packet), "nothing is sent after the last tag");
    view
}

/// Any octets as the parameters of a VC or of a call: refused, or written and read again as what they were.
pub fn call_params(data: &[u8]) {
    let Some((&param_type, octets)) = data.split_first() else { return };
    let specific = Specific { param_type: u32::from(param_type % 4), parameters: octets.to_vec() };
    let media = CallParams::media(MediaParams { specific: specific.clone(), ..MediaParams::default() });
    if let Ok(flow) = FlowParams::from_params(&media) {
        assert_eq!(flow.check(), Ok(()));
        let written = flow.to_params();
        assert_eq!(FlowParams::from_params(&written), Ok(flow));
        assert_eq!(written.media.map(|media| media.specific), Some(specific.clone()));
    }
    let params = CallParams::to(specific);
    if let Ok(target) = CallTarget::from_params(&params) {
        assert_eq!(CallTarget::from_params(&target.to_params()), Ok(target));
    }
    if let Ok(host) = IncomingHost::from_params(&params) {
        assert_eq!(IncomingHost::from_params(&host.to_params()), Ok(host));
    }
}
