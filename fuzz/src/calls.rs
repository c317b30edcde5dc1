//! The call control of both sides against each other: random requests, forged messages, losses and time.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use condis::runtime::Time;
use condis_atm::VpVc;
use condis_atm::addr::{AtmAddress, E164};
use condis_atm::q2931::call::{
    Answer, CallControl, CallId, CallParams, Config, Contracts, Counters, Indication, ModifyParams, Output,
    PartyId, RestartClass, traffic_of,
};
use condis_atm::q2931::wire::{CallRef, Cause, CauseValue, Message, MessageType, Side, Version};
use condis_atm::traffic::Contract;

use crate::input::Input;

const SIDES: [Side; 2] = [Side::User, Side::Network];

/// Two ends, what is on its way between them, and what their users hold.
struct Pair {
    now: Time,
    ends: [CallControl; 2],
    wire: VecDeque<(usize, Vec<u8>)>,
    held: [Vec<CallId>; 2],
    owed: [Vec<CallId>; 2],
    ended: BTreeSet<(usize, CallId)>,
    next_vci: u16,
}

/// Random requests of two users, random octets and forged messages, losses and time. In the end both let go of everything, and
/// nothing is left. Gives what was counted, so that a test sees how far it came.
pub fn calls(data: &[u8]) -> [Counters; 2] {
    let mut input = Input(data);
    let version = [Version::Uni30, Version::Uni31, Version::Uni40][usize::from(input.octet() % 3)];
    let mut pair = Pair {
        now: Time::ZERO,
        ends: SIDES.map(|side| CallControl::new(Config::new(side, version), 1)),
        wire: VecDeque::new(),
        held: [Vec::new(), Vec::new()],
        owed: [Vec::new(), Vec::new()],
        ended: BTreeSet::new(),
        next_vci: 31,
    };
    pair.saal(true);
    while !input.is_empty() {
        let side = usize::from(input.octet() & 1);
        match input.octet() % 16 {
            0..=9 => pair.request(side, &mut input),
            10 => {
                let len = usize::from(input.octet());
                let octets = input.take(len).to_vec();
                pair.ends[side].handle_message(pair.now, &octets);
            }
            11 | 12 => pair.forge(side, &mut input),
            13 => pair.pass(Duration::from_millis(u64::from(input.number()))),
            14 => {
                pair.wire.pop_front();
            }
            _ => pair.saal(input.octet() & 3 != 0),
        }
        let deliveries = usize::from(input.octet() % 8);
        pair.settle(deliveries);
    }
    pair.end();
    pair.ends.map(|end| *end.counters())
}

impl Pair {
    fn saal(&mut self, up: bool) {
        for end in &mut self.ends {
            match up {
                true => end.handle_saal_established(self.now),
                false => end.handle_saal_released(self.now),
            }
        }
        self.wire.clear();
        self.take();
    }

    fn pass(&mut self, duration: Duration) {
        let until = self.now.after(duration);
        while let Some(at) =
            self.ends.iter().filter_map(CallControl::next_timeout).min().filter(|at| *at <= until)
        {
            self.now = self.now.max(at);
            for end in &mut self.ends {
                end.handle_timeout(self.now);
                assert!(end.next_timeout().is_none_or(|due| due > self.now));
            }
            self.settle(usize::MAX);
        }
        self.now = until;
    }

    /// Delivers so many messages, and takes note of everything that is told.
    fn settle(&mut self, deliveries: usize) {
        self.take();
        for _ in 0..deliveries {
            let Some((from, octets)) = self.wire.pop_front() else { return };
            self.ends[1 - from].handle_message(self.now, &octets);
            self.take();
        }
    }

    fn take(&mut self) {
        for side in 0..2 {
            while let Some(output) = self.ends[side].poll_output() {
                match output {
                    Output::Transmit(octets) => {
                        let message = Message::parse(&octets).expect("what is sent is a message");
                        assert_eq!(message.encode().as_deref(), Ok(&octets[..]), "{message}");
                        self.wire.push_back((side, octets));
                    }
                    Output::Indication(indication) => self.hear(side, &indication),
                    _ => {}
                }
            }
        }
    }

    fn hear(&mut self, side: usize, indication: &Indication) {
        let Some(call) = indication.call() else { return };
        assert!(!self.ended.contains(&(side, call)), "{indication:?} of a call that has ended");
        match indication {
            Indication::Setup { .. } => self.held[side].push(call),
            Indication::Released { .. } => {
                self.held[side].retain(|&other| other != call);
                self.owed[side].push(call);
                self.ended.insert((side, call));
            }
            Indication::ReleaseConfirmed { .. } => {
                self.held[side].retain(|&other| other != call);
                self.ended.insert((side, call));
            }
            _ => assert!(self.held[side].contains(&call), "{indication:?} of nobody's call"),
        }
    }

    fn connection(&mut self, side: usize) -> Option<VpVc> {
        self.next_vci = 32 + (self.next_vci + 1) % 64;
        (SIDES[side] == Side::Network).then_some(VpVc::new(0, self.next_vci))
    }

    fn request(&mut self, side: usize, input: &mut Input<'_>) {
        let now = self.now;
        let (what, which, party) =
            (input.octet() % 20, usize::from(input.octet()), PartyId(u16::from(input.octet() & 3)));
        let cause = Cause::user(CauseValue(input.octet() & 0x7f));
        let connection = self.connection(side);
        let end = &mut self.ends[side];
        let version = end.config().version;
        let called = AtmAddress::E164(E164::new(b"1").expect("a digit is a number"));
        if what < 4 {
            let contracts = Contracts::both(Contract::cbr(10));
            let mut params = CallParams::new(version, called, &contracts, 100);
            if what == 3 {
                params = params.point_to_multipoint();
            }
            if let Ok(call) = end.setup(now, &CallParams { connection, ..params }) {
                self.held[side].push(call);
            }
            return;
        }
        if what == 4 {
            if let Some(call) = self.owed[side].pop() {
                end.release_response(now, call).expect("a call that was released is answered for");
            }
            return;
        }
        let Some(&call) = self.held[side].get(which % (self.held[side].len() + 1)) else { return };
        let answer = Answer { connection, ..Answer::default() };
        let traffic = traffic_of(version, &Contracts::both(Contract::cbr(9)));
        let state = end.state(call);
        let refused = match what {
            5 => end.proceeding(now, call, &answer).is_err(),
            6 => end.alerting(now, call, &answer).is_err(),
            7 | 8 => end.connect(now, call, &answer).is_err(),
            9 => end.connect(now, call, &Answer::default()).is_err(),
            10 => end.release(now, call, cause, &[]).is_err(),
            11 => end.add_party(now, call, &called.into()).is_err(),
            12 => end.party_connect(call, party, &Answer::default()).is_err(),
            13 => end.party_reject(call, party, cause).is_err(),
            14 => end.drop_party(now, call, party, cause).is_err(),
            15 => end.modify(now, call, &ModifyParams { traffic, other: Vec::new() }).is_err(),
            16 => end.modify_accept(now, call, party.0 == 0, &[]).is_err(),
            17 => end.modify_reject(call, cause).is_err(),
            18 => end.status_enquiry(now, call).is_err(),
            _ => end.restart(now, RestartClass::All).is_err(),
        };
        assert!(!refused || end.state(call) == state, "a refused request changed a state");
    }

    /// A message that the peer has sent, changed; or one of any kind about a call that is there.
    fn forge(&mut self, side: usize, input: &mut Input<'_>) {
        let known = MessageType::KNOWN;
        let kind = known[usize::from(input.octet()) % known.len()];
        let which = usize::from(input.octet());
        let lines: Vec<_> = self.ends[side].calls().collect();
        let reference = lines.get(which % (lines.len() + 1)).map(|line| (line.reference, line.ours));
        let nobodys = if which & 0x7c == 0 { CallRef::VALUE_MAX } else { u32::from(which as u8 & 1) };
        let (value, to_originator) = reference.unwrap_or((nobodys, which & 2 != 0));
        let mut octets =
            Message::new(CallRef::new(value, to_originator), kind).encode().expect("a bare message is short");
        if let Some((_, waiting)) = self.wire.front().filter(|_| which & 0x80 != 0) {
            octets.clone_from(waiting);
            let at = usize::from(input.number()) % octets.len();
            octets[at] = input.octet();
        } else {
            let len = usize::from(input.octet() % 64);
            octets.extend_from_slice(input.take(len));
            let ies = (octets.len() - 9) as u16;
            octets[7..9].copy_from_slice(&ies.to_be_bytes());
        }
        self.ends[side].handle_message(self.now, &octets);
    }

    fn end(&mut self) {
        self.saal(true);
        self.settle(usize::MAX);
        for _ in 0..6 {
            for side in 0..2 {
                for call in std::mem::take(&mut self.owed[side]) {
                    self.ends[side]
                        .release_response(self.now, call)
                        .expect("a call that was released is answered for");
                }
                for call in self.held[side].clone() {
                    let _ = self.ends[side].release(
                        self.now,
                        call,
                        Cause::user(CauseValue::NORMAL_CLEARING),
                        &[],
                    );
                }
                self.settle(usize::MAX);
            }
            self.pass(Duration::from_secs(130));
        }
        for (end, (held, owed)) in self.ends.iter().zip(self.held.iter().zip(&self.owed)) {
            assert_eq!((held.len(), owed.len(), end.calls_len()), (0, 0, 0));
            assert_eq!(end.next_timeout(), None);
        }
    }
}
