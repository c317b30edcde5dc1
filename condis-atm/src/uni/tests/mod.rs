//! Two whole interfaces, one of each side, and a line between them that delays, loses and can be cut.

mod addresses;
mod calls;
mod faults;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use condis::runtime::{Random, Time};

use super::*;
use crate::VpVc;
use crate::traffic::Contract;

/// Which VC an SDU is on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Vc {
    Signaling,
    Ilmi,
}

/// A user side, a network side and the line.
struct Line {
    now: Time,
    ends: [Uni; 2],
    /// What arrives, and when; the number keeps order.
    flight: BTreeMap<(Time, u64), (Side, Vc, Vec<u8>)>,
    sent: u64,
    delay: Duration,
    /// SDUs lost, of a million.
    loss: u32,
    random: Random,
    /// What was told, by side, since it was last looked at.
    told: [VecDeque<UniOutput>; 2],
    next_vci: u16,
}

const SIDES: [Side; 2] = [Side::User, Side::Network];
const U: Side = Side::User;
const N: Side = Side::Network;

impl Line {
    fn new(version: Version, seed: u64) -> Line {
        Line::with(SIDES.map(|side| UniConfig::new(side, version)), seed)
    }

    fn with(configs: [UniConfig; 2], seed: u64) -> Line {
        Line {
            now: Time::ZERO,
            ends: configs.map(|config| Uni::new(config, seed)),
            flight: BTreeMap::new(),
            sent: 0,
            delay: Duration::from_millis(1),
            loss: 0,
            random: Random::stream(seed, 7),
            told: [VecDeque::new(), VecDeque::new()],
            next_vci: 31,
        }
    }

    /// A line that is up, and its SAAL.
    fn up(version: Version) -> Line {
        let mut line = Line::new(version, 1);
        line.link(true);
        line.pass(Duration::from_millis(100));
        assert!(line.ends.iter().all(Uni::signaling_is_up));
        line.forget();
        line
    }

    fn end(&mut self, side: Side) -> &mut Uni {
        &mut self.ends[side as usize]
    }

    /// The line comes or goes at both ends.
    fn link(&mut self, up: bool) {
        for side in SIDES {
            let now = self.now;
            self.end(side).handle_link(now, up);
            self.collect(side);
        }
        if !up {
            self.flight.clear();
        }
    }

    /// Does something at one end.
    fn at<T>(&mut self, side: Side, act: impl FnOnce(&mut Uni, Time) -> T) -> T {
        let now = self.now;
        let result = act(self.end(side), now);
        self.collect(side);
        result
    }

    fn collect(&mut self, side: Side) {
        while let Some(output) = self.end(side).poll_output() {
            match output {
                UniOutput::TransmitSignaling(sdu) => self.launch(side, Vc::Signaling, sdu),
                UniOutput::TransmitIlmi(sdu) => self.launch(side, Vc::Ilmi, sdu),
                told => self.told[side as usize].push_back(told),
            }
        }
    }

    fn launch(&mut self, from: Side, vc: Vc, sdu: Vec<u8>) {
        if self.random.chance(self.loss) {
            return;
        }
        self.sent += 1;
        self.flight.insert((self.now.after(self.delay), self.sent), (from.peer(), vc, sdu));
    }

    /// When something happens next.
    fn next(&self) -> Option<Time> {
        let timers = self.ends.iter().filter_map(Uni::next_timeout);
        timers.chain(self.flight.keys().next().map(|&(at, _)| at)).min()
    }

    /// Time passes.
    fn pass(&mut self, duration: Duration) {
        let end = self.now.after(duration);
        while let Some(at) = self.next().filter(|&at| at <= end) {
            self.step(at);
        }
        self.now = end;
    }

    fn step(&mut self, at: Time) {
        self.now = self.now.max(at);
        let now = self.now;
        while let Some(entry) = self.flight.first_entry()
            && entry.key().0 <= now
        {
            let (to, vc, sdu) = entry.remove();
            match vc {
                Vc::Signaling => self.end(to).handle_signaling_sdu(now, &sdu),
                Vc::Ilmi => self.end(to).handle_ilmi_sdu(now, &sdu),
            }
            self.collect(to);
        }
        for side in SIDES {
            if self.end(side).next_timeout().is_some_and(|at| at <= now) {
                self.end(side).handle_timeout(now);
                self.collect(side);
            }
        }
    }

    fn pass_s(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    fn forget(&mut self) {
        self.told.iter_mut().for_each(VecDeque::clear);
    }

    /// The next indication at that end, within two seconds; other outputs before it are forgotten.
    fn heard(&mut self, side: Side) -> Indication {
        for _ in 0..200 {
            while let Some(told) = self.told[side as usize].pop_front() {
                if let UniOutput::Indication(indication) = told {
                    return indication;
                }
            }
            self.pass(Duration::from_millis(10));
        }
        panic!("nothing was indicated at the {side} side");
    }

    fn vpvc(&mut self) -> VpVc {
        self.next_vci += 1;
        VpVc::new(0, self.next_vci)
    }

    fn params(&mut self, from: Side) -> CallParams {
        let version = self.end(from).config().signaling.version;
        let connection = (from == N).then(|| self.vpvc());
        let called = "47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00".parse().unwrap();
        let contracts = Contracts::both(Contract::cbr(1_000));
        CallParams { connection, ..CallParams::new(version, called, &contracts, 1_500) }
    }

    fn answer(&mut self, from: Side) -> Answer {
        let connection = (from == N).then(|| self.vpvc());
        Answer { connection, ..Answer::default() }
    }

    /// A call from that side that stands: both ends' names of it.
    fn call(&mut self, from: Side) -> (CallId, CallId) {
        let params = self.params(from);
        let ours = self.at(from, |uni, now| uni.setup(now, &params)).unwrap();
        let Indication::Setup { call: theirs, .. } = self.heard(from.peer()) else { panic!() };
        let answer = self.answer(from.peer());
        self.at(from.peer(), |uni, now| uni.connect(now, theirs, &answer)).unwrap();
        assert!(matches!(self.heard(from), Indication::Connected { call, .. } if call == ours));
        assert!(matches!(self.heard(from.peer()), Indication::ConnectAcknowledged { .. }));
        (ours, theirs)
    }

    fn states(&self, calls: (CallId, CallId), from: Side) -> [Option<CallState>; 2] {
        [self.ends[from as usize].call_state(calls.0), self.ends[from.peer() as usize].call_state(calls.1)]
    }
}
