//! Whatever users ask for and whatever arrives: nothing panics, and in the end there is nothing left.

use condis::runtime::Random;
use proptest::prelude::*;

use super::*;
use crate::q2931::wire::{
    CallRef, CalledPartyNumber, ConnectionId, EndpointReference, EndpointState, MessageType, ReportType,
    RestartIndicator,
};
use crate::{Vci, Vpi};

/// What happens.
#[derive(Clone, Debug)]
enum Step {
    /// A user does something lawful or unlawful with one of its calls.
    User { side: bool, what: u8, which: u8, party: u16 },
    /// A message arrives that the peer did not send.
    Forged { side: bool, kind: u8, which: u8, flags: u8, ies: u16 },
    /// Octets arrive.
    Octets { side: bool, octets: Vec<u8> },
    /// Time passes.
    Pass(u16),
    /// The SAAL goes or comes, or loses what is on its way.
    Saal(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (any::<bool>(), 0..20u8, any::<u8>(), 0..4u16)
            .prop_map(|(side, what, which, party)| Step::User { side, what, which, party }),
        3 => (any::<bool>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<u16>())
            .prop_map(|(side, kind, which, flags, ies)| Step::Forged { side, kind, which, flags, ies }),
        1 => (any::<bool>(), prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(side, octets)| Step::Octets { side, octets }),
        2 => (0..20_000u16).prop_map(Step::Pass),
        1 => (0..8u8).prop_map(Step::Saal),
    ]
}

/// A pair, and the calls that its users hold.
struct Chaos {
    pair: Pair,
    held: [Vec<CallId>; 2],
    owed: [Vec<CallId>; 2],
}

impl Chaos {
    fn new(version: Version) -> Chaos {
        Chaos { pair: Pair::new(version), held: [Vec::new(), Vec::new()], owed: [Vec::new(), Vec::new()] }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::User { side, what, which, party } => {
                self.user(SIDES[usize::from(*side)], *what, usize::from(*which), PartyId(*party));
            }
            Step::Forged { side, kind, which, flags, ies } => {
                let side = SIDES[usize::from(*side)];
                let message = self.forged(side, *kind, usize::from(*which), *flags, *ies);
                self.pair.inject(side, &message);
            }
            Step::Octets { side, octets } => {
                let side = SIDES[usize::from(*side)];
                self.pair.at(side, |end, now| end.handle_message(now, octets));
            }
            Step::Pass(ms) => self.pair.pass(Duration::from_millis(u64::from(*ms))),
            Step::Saal(0..=1) => self.pair.saal(false),
            Step::Saal(2) => {
                self.pair.wire.clear();
                self.pair.held = false;
                self.pair.saal(true);
            }
            Step::Saal(3) => self.pair.held = true,
            Step::Saal(_) => {
                self.pair.held = false;
                self.pair.saal(true);
            }
        }
        self.pair.settle();
        self.look();
    }

    /// Users take note of what they are told; each call ends once.
    fn look(&mut self) {
        while let Some((side, indication)) = self.pair.indications.pop_front() {
            let held = &mut self.held[side as usize];
            match indication {
                Indication::Setup { call, .. } => held.push(call),
                Indication::Released { call, .. } => {
                    let at = held.iter().position(|&other| other == call).expect("a call is released once");
                    held.swap_remove(at);
                    self.owed[side as usize].push(call);
                }
                Indication::ReleaseConfirmed { call, .. } => {
                    let at = held.iter().position(|&other| other == call).expect("a call is confirmed once");
                    held.swap_remove(at);
                }
                other => {
                    if let Some(call) = other.call() {
                        assert!(held.contains(&call), "{other:?} of a call that has ended");
                    }
                }
            }
        }
        self.pair.log.clear();
    }

    fn user(&mut self, side: Side, what: u8, which: usize, party: PartyId) {
        let held = &self.held[side as usize];
        let call = if held.is_empty() { None } else { Some(held[which % held.len()]) };
        let answer = self.pair.first_answer(side);
        let none = Answer::default();
        let params = match what {
            0 => Some(self.pair.params(side)),
            1 => Some(self.pair.params(side).point_to_multipoint()),
            _ => None,
        };
        if let Some(params) = params {
            if let Ok(call) = self.pair.at(side, |end, now| end.setup(now, &params)) {
                self.held[side as usize].push(call);
            }
            return;
        }
        if what == 2 {
            let owed = &mut self.owed[side as usize];
            if !owed.is_empty() {
                let call = owed.swap_remove(which % owed.len());
                self.pair.at(side, |end, now| end.release_response(now, call)).unwrap();
            }
            return;
        }
        let Some(call) = call else { return };
        let wish = ModifyParams {
            traffic: traffic_of(Version::Uni40, &Contracts::both(Contract::cbr(9))),
            other: Vec::new(),
        };
        let called: crate::addr::AtmAddress = "+1".parse().unwrap();
        let _ = self.pair.at(side, |end, now| match what {
            3 => end.proceeding(now, call, &answer),
            4 => end.alerting(now, call, &answer),
            5 | 6 => end.connect(now, call, &answer),
            7 => end.connect(now, call, &none),
            8 => end.release(now, call, normal(), &[]),
            9 | 10 => end.add_party(now, call, &called.clone().into()).map(|_| ()),
            11 => end.party_alerting(call, party, &[]),
            12 => end.party_connect(call, party, &none),
            13 => end.party_reject(call, party, normal()),
            14 => end.drop_party(now, call, party, normal()),
            15 => end.modify(now, call, &wish),
            16 => end.modify_accept(now, call, which.is_multiple_of(2), &[]),
            17 => end.modify_reject(call, normal()),
            18 => end.status_enquiry(now, call),
            _ => {
                let what = match which % 3 {
                    0 => RestartClass::All,
                    1 => RestartClass::Path(Vpi(0)),
                    _ => RestartClass::Channel(VpVc { vpi: Vpi(0), vci: Vci(33 + (which % 8) as u16) }),
                };
                end.restart(now, what)
            }
        });
    }

    /// A message of any kind, mostly about a call that is there, with some IEs.
    fn forged(&mut self, side: Side, kind: u8, which: usize, flags: u8, ies: u16) -> Message {
        let lines: Vec<CallLine> = self.pair.end(side).calls().collect();
        let reference = match lines.get(which % (lines.len() + 1)) {
            Some(line) => CallRef::new(line.reference, line.ours != (flags & 7 == 7)),
            None => CallRef::new(u32::from(flags & 3), flags & 4 != 0),
        };
        let known = MessageType::KNOWN;
        let message = Message::new(reference, known[usize::from(kind) % known.len()]);
        let some = |bit: u16| ies & 1 << bit != 0;
        let called: crate::addr::AtmAddress = "+1".parse().unwrap();
        let value = u16::from(flags >> 3) & 3;
        message
            .with_some(some(0).then(|| Cause::user(CauseValue(u8::try_from(ies >> 9).unwrap_or(31)))))
            .with_some(
                some(1)
                    .then(|| crate::q2931::wire::CallState([0, 1, 3, 4, 6, 7, 8, 9, 10, 11, 12][which % 11])),
            )
            .with_some(some(2).then_some(EndpointReference { value, to_originator: some(8) }))
            .with_some(some(3).then(|| EndpointState([0, 1, 10, 11][which % 4])))
            .with_some(some(4).then(|| ConnectionId::exclusive(VpVc::new(0, 30 + u16::from(flags)))))
            .with_some(some(5).then_some(RestartIndicator((flags & 3) % 3)))
            .with_some(some(6).then_some(ReportType::MODIFICATION_CONFIRMATION))
            .with_some(some(7).then(|| CalledPartyNumber::from(called)))
    }

    /// Both users let go of everything, and time passes.
    fn end(mut self) {
        self.pair.held = false;
        self.pair.saal(true);
        self.look();
        for _ in 0..6 {
            for side in SIDES {
                for call in std::mem::take(&mut self.owed[side as usize]) {
                    self.pair.at(side, |end, now| end.release_response(now, call)).unwrap();
                }
                for call in self.held[side as usize].clone() {
                    let _ = self.pair.at(side, |end, now| end.release(now, call, normal(), &[]));
                }
                self.look();
            }
            self.pair.pass_s(130);
            self.look();
        }
        assert!(self.held.iter().chain(&self.owed).all(Vec::is_empty));
        self.pair.assert_idle();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_nothing_is_left(
        version in prop_oneof![Just(Version::Uni31), Just(Version::Uni40)],
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut chaos = Chaos::new(version);
        steps.iter().for_each(|step| chaos.step(step));
        chaos.end();
    }
}

/// Without forged messages and losses, both ends have the same calls at every moment that nothing is on its way.
#[test]
fn both_ends_agree_after_every_step_when_nothing_is_lost() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let mut chaos = Chaos::new(if seed.is_multiple_of(2) { Version::Uni31 } else { Version::Uni40 });
        for _ in 0..150 {
            let side = random.chance(500_000);
            let (what, which) = (random.below(19) as u8, random.next_u64() as u8);
            chaos.step(&Step::User { side, what, which, party: random.below(4) as u16 });
            if random.chance(50_000) {
                // Short, so that nobody gives up on a user who takes his time to answer.
                chaos.step(&Step::Pass(random.below(200) as u16));
            }
            let [ours, theirs] = SIDES.map(|side| on_the_wire(chaos.pair.end(side), side));
            assert_eq!(ours, theirs, "seed {seed}");
        }
        chaos.end();
    }
}

/// The calls that the peer may know of, as both sides should see them: reference, whether the user made it, the number of the state, how many
/// parties it has. Who asked for a modification is in U13, who was asked in U14.
fn on_the_wire(end: &CallControl, side: Side) -> Vec<(u32, bool, u8, Option<usize>)> {
    let mut calls: Vec<_> = end
        .calls()
        .filter(|call| call.state != CallState::Null)
        .map(|call| {
            let number = if call.state == CallState::ModifyReceived { 13 } else { call.state.number(side) };
            (call.reference, call.ours == (side == Side::User), number, call.parties)
        })
        .collect();
    calls.sort_unstable();
    calls
}
