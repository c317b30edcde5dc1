//! What two Linux machines said to each other, with one of them replaced by us: the states go as they should, and what we say
//! where the standard leaves no choice is what Linux said, octet by octet.

use super::*;
use crate::q2931::call::refs::Refs;
use crate::q2931::wire::IeId;

/// The captured messages from A, the network side, and from B, the user side.
struct Capture {
    from_network: Vec<&'static [u8]>,
    from_user: Vec<&'static [u8]>,
}

macro_rules! capture {
    ($name:literal) => {{
        let stream = |octets: &'static [u8]| messages(octets);
        Capture {
            from_network: stream(include_bytes!(concat!(
                "../../../../../tests/peers/captures/",
                $name,
                ".a2b"
            ))),
            from_user: stream(include_bytes!(concat!("../../../../../tests/peers/captures/", $name, ".b2a"))),
        }
    }};
}

/// The messages of a stream of atmtcp: VPI, VCI and length before each SDU; those of VC 0.5 that are SSCOP's sequenced data,
/// without padding and trailer.
fn messages(mut stream: &'static [u8]) -> Vec<&'static [u8]> {
    let mut messages = Vec::new();
    while let Some((header, rest)) = stream.split_first_chunk::<8>() {
        let len = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let (sdu, rest) = rest.split_at(len);
        stream = rest;
        if let (true, Some((data, trailer))) = (header[..4] == [0, 0, 0, 5], sdu.split_last_chunk::<4>())
            && trailer[0] & 0x0f == 8
        {
            messages.push(&data[..data.len() - usize::from(trailer[0] >> 6)]);
        }
    }
    messages
}

/// One end of ours, and what the other said.
struct Replay {
    end: CallControl,
    heard: std::vec::IntoIter<&'static [u8]>,
    sent: Vec<Vec<u8>>,
}

impl Replay {
    fn new(version: Version, side: Side, heard: Vec<&'static [u8]>) -> Replay {
        let mut end = CallControl::new(Config::new(side, version), 0);
        // Linux's references begin with 1.
        end.ours = Refs::new(0);
        end.handle_saal_established(Time::ZERO);
        Replay { end, heard: heard.into_iter(), sent: Vec::new() }
    }

    /// The next captured message arrives; what is indicated.
    fn hear(&mut self) -> Option<Indication> {
        let octets = self.heard.next().expect("the capture goes on");
        self.end.handle_message(Time::ZERO, octets);
        self.collect()
    }

    fn collect(&mut self) -> Option<Indication> {
        let mut indicated = None;
        while let Some(output) = self.end.poll_output() {
            match output {
                Output::Transmit(octets) => self.sent.push(octets),
                Output::Indication(indication) => assert_eq!(indicated.replace(indication), None),
                other => panic!("{other:?}"),
            }
        }
        indicated
    }

    /// The peer's call: taken as the capture had it, acknowledged, and released by the peer.
    fn takes_a_call(&mut self, answer: &Answer, proceeds: bool) {
        let Some(Indication::Setup { call, params }) = self.hear() else { panic!("no SETUP") };
        let contracts = params.contracts();
        assert_eq!(contracts.forward.category, crate::traffic::ServiceCategory::Ubr);
        assert_eq!(contracts.forward.pcr_cells_per_s, Some(353_207));
        assert_eq!(params.aal5_sdu_octets_max(), Some((Some(512), Some(512))));
        let aal = params.aal.clone();
        let mut answer = answer.clone();
        if proceeds {
            self.end.proceeding(Time::ZERO, call, &answer).unwrap();
            answer.connection = None;
        }
        self.end.connect(Time::ZERO, call, &Answer { aal, ..answer }).unwrap();
        self.collect();
        assert_eq!(self.hear(), Some(Indication::ConnectAcknowledged { call }));
        assert_eq!(self.end.state(call), Some(CallState::Active));
        assert_eq!(self.end.connection(call), Some(VpVc::new(0, 32)));
        let Some(Indication::Released { call: over, .. }) = self.hear() else { panic!("no RELEASE") };
        assert_eq!(over, call);
        self.end.release_response(Time::ZERO, call).unwrap();
        self.collect();
        assert_eq!(self.end.calls_len(), 0);
    }

    /// Our call: answered by the peer, and released by us.
    fn makes_a_call(&mut self, connection: Option<VpVc>, cause: Cause, proceeds: bool) {
        let called = "47.0005.80.ffe100.0000.f21a.0001.0020480a0001.00".parse().unwrap();
        let contracts = Contracts::both(Contract::UBR);
        let version = self.end.config().version;
        let params = CallParams { connection, ..CallParams::new(version, called, &contracts, 512) };
        let call = self.end.setup(Time::ZERO, &params).unwrap();
        self.collect();
        if proceeds {
            assert!(matches!(self.hear(), Some(Indication::Proceeding { .. })));
        }
        assert!(matches!(self.hear(), Some(Indication::Connected { .. })));
        assert_eq!(self.end.state(call), Some(CallState::Active));
        assert_eq!(self.end.connection(call), Some(VpVc::new(0, 32)));
        self.end.release(Time::ZERO, call, cause, &[]).unwrap();
        self.collect();
        assert!(matches!(self.hear(), Some(Indication::ReleaseConfirmed { .. })));
        assert_eq!(self.end.calls_len(), 0);
    }

    /// All but our SETUP, whose IEs we order and choose otherwise, is what Linux said.
    fn assert_sent(&self, captured: &[&'static [u8]]) {
        assert_eq!(self.sent.len(), captured.len());
        for (ours, theirs) in self.sent.iter().zip(captured) {
            let (ours, theirs) = (Message::parse(ours).unwrap(), Message::parse(theirs).unwrap());
            if ours.kind == crate::q2931::wire::MessageType::Setup {
                // The same AAL and QoS, in the same coding.
                assert_eq!(ours.aal(), theirs.aal());
                assert_eq!(ours.ie(IeId::QOS_PARAMETER), theirs.ie(IeId::QOS_PARAMETER));
                assert_eq!(ours.bearer(), theirs.bearer());
                continue;
            }
            assert_eq!(ours.to_string(), theirs.to_string());
            assert_eq!(ours.encode(), theirs.encode());
        }
    }
}

#[test]
fn linux_is_the_user_and_we_are_the_network() {
    for (version, capture) in
        [(Version::Uni31, capture!("atm-svc-uni31")), (Version::Uni40, capture!("atm-svc-uni40"))]
    {
        let mut replay = Replay::new(version, Side::Network, capture.from_user);
        let connection = Some(VpVc::new(0, 32));
        replay.takes_a_call(&Answer { connection, ..Answer::default() }, true);
        replay.makes_a_call(connection, Cause::user(CauseValue::NORMAL_CLEARING), false);
        replay.assert_sent(&capture.from_network);
    }
}

#[test]
fn linux_is_the_network_and_we_are_the_user() {
    for (version, capture) in
        [(Version::Uni31, capture!("atm-svc-uni31")), (Version::Uni40, capture!("atm-svc-uni40"))]
    {
        let mut replay = Replay::new(version, Side::User, capture.from_network);
        replay.makes_a_call(None, Cause::user(CauseValue::NORMAL_CLEARING), true);
        replay.takes_a_call(&Answer::default(), false);
        replay.assert_sent(&capture.from_user);
    }
}

/// UNI 3.0: the first call is refused with cause 88; the cause of a release is 31.
#[test]
fn linux_speaks_uni_3_0_at_either_end() {
    let capture = capture!("atm-svc-uni30");
    let mut network = Replay::new(Version::Uni30, Side::Network, capture.from_user);
    let Some(Indication::Setup { call, .. }) = network.hear() else { panic!() };
    let incompatible = Cause::user(CauseValue::INCOMPATIBLE_DESTINATION);
    network.end.release(Time::ZERO, call, incompatible, &[]).unwrap();
    assert!(matches!(network.collect(), Some(Indication::ReleaseConfirmed { .. })));
    let connection = Some(VpVc::new(0, 32));
    network.takes_a_call(&Answer { connection, ..Answer::default() }, true);
    network.makes_a_call(connection, Cause::user(CauseValue::NORMAL_CLEARING), false);
    network.assert_sent(&capture.from_network);

    let capture = capture!("atm-svc-uni30");
    let mut user = Replay::new(Version::Uni30, Side::User, capture.from_network);
    let called = "47.0005.80.ffe100.0000.f21a.0001.0020480a0001.00".parse().unwrap();
    let params = CallParams::new(Version::Uni30, called, &Contracts::both(Contract::UBR), 512);
    let call = user.end.setup(Time::ZERO, &params).unwrap();
    user.collect();
    let Some(Indication::Released { causes, .. }) = user.hear() else { panic!() };
    assert_eq!(causes, [Cause::user(CauseValue::INCOMPATIBLE_DESTINATION)]);
    user.end.release_response(Time::ZERO, call).unwrap();
    user.makes_a_call(None, Cause::user(CauseValue::NORMAL_CLEARING), true);
    user.takes_a_call(&Answer::default(), false);
    user.assert_sent(&capture.from_user);
}
