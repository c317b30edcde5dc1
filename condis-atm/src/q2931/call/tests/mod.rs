//! Two ends, one of each side, with nothing between them but a queue; and what they say, as lines with a clock.

mod captures;
mod chaos;
mod interface;
mod matrix;
mod modify;
mod parties;
mod point_to_point;

use std::collections::VecDeque;
use std::time::Duration;

use condis::runtime::Time;

use super::*;
use crate::VpVc;
use crate::q2931::wire::{Cause, CauseValue, Message, Side, Version};
use crate::traffic::Contract;

/// A user side and a network side; what one transmits the other gets, at once and in order.
pub(super) struct Pair {
    pub(super) now: Time,
    pub(super) ends: [CallControl; 2],
    /// Messages on their way, and whose they are.
    pub(super) wire: VecDeque<(Side, Vec<u8>)>,
    /// Nothing is delivered while this is set.
    pub(super) held: bool,
    /// `0.0 U SETUP`, `0.0 N Setup`: what was sent and what was indicated.
    pub(super) log: Vec<String>,
    /// What was indicated and has not been looked at.
    pub(super) indications: VecDeque<(Side, Indication)>,
    next_vci: u16,
}

pub(super) const SIDES: [Side; 2] = [Side::User, Side::Network];

impl Pair {
    pub(super) fn new(version: Version) -> Pair {
        let mut pair = Pair::unconnected(version);
        pair.saal(true);
        pair
    }

    pub(super) fn unconnected(version: Version) -> Pair {
        let ends = SIDES
            .map(|side| CallControl::new(Config { trace: true, ..Config::new(side, version) }, side as u64));
        Pair {
            now: Time::ZERO,
            ends,
            wire: VecDeque::new(),
            held: false,
            log: Vec::new(),
            indications: VecDeque::new(),
            next_vci: 32,
        }
    }

    /// The SAAL comes or goes at both ends.
    pub(super) fn saal(&mut self, up: bool) {
        for side in SIDES {
            let now = self.now;
            match up {
                true => self.end(side).handle_saal_established(now),
                false => self.end(side).handle_saal_released(now),
            }
        }
        if !up {
            self.wire.clear();
        }
        self.settle();
    }

    pub(super) fn end(&mut self, side: Side) -> &mut CallControl {
        &mut self.ends[side as usize]
    }

    /// Does something at one end, and delivers what follows.
    pub(super) fn at<T>(&mut self, side: Side, act: impl FnOnce(&mut CallControl, Time) -> T) -> T {
        let now = self.now;
        let result = act(self.end(side), now);
        self.settle();
        result
    }

    /// A message that `to` gets as if its peer had sent it.
    pub(super) fn inject(&mut self, to: Side, message: &Message) {
        let octets = message.encode().unwrap();
        self.at(to, |end, now| end.handle_message(now, &octets));
    }

    /// Delivers until nothing is on its way.
    pub(super) fn settle(&mut self) {
        loop {
            for side in SIDES {
                while let Some(output) = self.end(side).poll_output() {
                    self.take(side, output);
                }
            }
            if self.held {
                return;
            }
            let Some((from, octets)) = self.wire.pop_front() else { return };
            let now = self.now;
            self.end(from.peer()).handle_message(now, &octets);
        }
    }

    fn take(&mut self, side: Side, output: Output) {
        let (seconds, letter) = (self.now.as_nanos() / 100_000_000, side_letter(side));
        let clock = format!("{}.{} {letter}", seconds / 10, seconds % 10);
        match output {
            Output::Transmit(octets) => {
                let message = Message::parse(&octets).unwrap();
                let mut line = format!("{clock} {}", message.kind);
                message.causes().for_each(|cause| line += &format!(" {}", cause.value.0));
                self.log.push(line);
                self.wire.push_back((side, octets));
            }
            Output::EstablishSaal => self.log.push(format!("{clock} EstablishSaal")),
            Output::Indication(indication) => {
                let text = format!("{indication:?}");
                let name = text.split([' ', '{']).next().unwrap();
                let mut line = format!("{clock} {name}");
                if let Indication::Released { causes, .. } | Indication::ReleaseConfirmed { causes, .. } =
                    &indication
                {
                    causes.iter().for_each(|cause| line += &format!(" {}", cause.value.0));
                }
                self.log.push(line);
                self.indications.push_back((side, indication));
            }
            Output::Transition(transition) => {
                self.log.push(format!("{clock} {} -> {}", transition.from, transition.to));
            }
        }
    }

    /// Time passes, and timers expire on the way.
    pub(super) fn pass(&mut self, duration: Duration) {
        let end = self.now.after(duration);
        while let Some(at) =
            self.ends.iter().filter_map(CallControl::next_timeout).min().filter(|at| *at <= end)
        {
            self.now = self.now.max(at);
            for side in SIDES {
                let now = self.now;
                self.end(side).handle_timeout(now);
            }
            self.settle();
        }
        self.now = end;
    }

    pub(super) fn pass_s(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    /// What was said since the last time, without changes of state.
    pub(super) fn said(&mut self) -> String {
        self.indications.clear();
        let lines: Vec<String> = self.log.drain(..).filter(|line| !line.contains("->")).collect();
        lines.join("\n")
    }

    /// The changes of state since the last time.
    pub(super) fn changes(&mut self) -> String {
        self.indications.clear();
        let lines: Vec<String> = self
            .log
            .drain(..)
            .filter(|line| line.contains("->"))
            .map(|line| line.split_once(' ').unwrap().1[2..].to_owned())
            .collect();
        lines.join(", ")
    }

    /// The next indication at that end; all before it are forgotten.
    pub(super) fn heard(&mut self, side: Side) -> Indication {
        while let Some((at, indication)) = self.indications.pop_front() {
            if at == side {
                return indication;
            }
        }
        panic!("nothing was indicated at the {side} side:\n{}", self.log.join("\n"));
    }

    pub(super) fn offered(&mut self, side: Side) -> CallId {
        match self.heard(side) {
            Indication::Setup { call, .. } => call,
            other => panic!("{other:?} instead of Setup"),
        }
    }

    pub(super) fn vpvc(&mut self) -> VpVc {
        self.next_vci += 1;
        VpVc::new(0, self.next_vci)
    }

    /// What a side must and may give with its call.
    pub(super) fn params(&mut self, from: Side) -> CallParams {
        let version = self.end(from).config().version;
        let connection = (from == Side::Network).then(|| self.vpvc());
        let called = "47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00".parse().unwrap();
        let contracts = Contracts::both(Contract::cbr(1_000));
        CallParams { connection, ..CallParams::new(version, called, &contracts, 1_500) }
    }

    /// The first answer of a side.
    pub(super) fn first_answer(&mut self, from: Side) -> Answer {
        let connection = (from == Side::Network).then(|| self.vpvc());
        Answer { connection, ..Answer::default() }
    }

    /// A call from that side that was offered to the other; both ends' names of it.
    pub(super) fn setup(&mut self, from: Side) -> (CallId, CallId) {
        let params = self.params(from);
        let ours = self.at(from, |end, now| end.setup(now, &params)).unwrap();
        (ours, self.offered(from.peer()))
    }

    /// A call from that side that stands.
    pub(super) fn call(&mut self, from: Side) -> (CallId, CallId) {
        let (ours, theirs) = self.setup(from);
        let answer = self.first_answer(from.peer());
        self.at(from.peer(), |end, now| end.connect(now, theirs, &answer)).unwrap();
        assert_eq!(self.end(from).state(ours), Some(CallState::Active));
        assert_eq!(self.end(from.peer()).state(theirs), Some(CallState::Active));
        self.said();
        (ours, theirs)
    }

    /// Neither end has a call, and no timer runs.
    pub(super) fn assert_idle(&self) {
        for end in &self.ends {
            assert_eq!(end.calls_len(), 0, "{:?}", end.calls().collect::<Vec<_>>());
            assert_eq!(end.next_timeout(), None);
            assert!(end.references_are_free());
        }
    }
}

impl CallControl {
    /// No reference and no connection is in use.
    fn references_are_free(&self) -> bool {
        self.ours.is_empty() && self.theirs.is_empty() && self.connections.is_empty()
    }
}

pub(super) fn side_letter(side: Side) -> char {
    match side {
        Side::User => 'U',
        Side::Network => 'N',
    }
}

/// Lines, without the room that the source gives them.
pub(super) fn lines(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

pub(super) fn normal() -> Cause {
    Cause::user(CauseValue::NORMAL_CLEARING)
}

macro_rules! assert_said {
    ($pair:expr, $expected:literal) => {
        assert_eq!($pair.said(), crate::q2931::call::tests::lines($expected))
    };
}
pub(super) use assert_said;
