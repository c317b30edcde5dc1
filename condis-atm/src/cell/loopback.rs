//! OAM F5 loopback: whether a connection carries cells to its end and back (I.610 §9.2.1.3, text not read).

use std::collections::VecDeque;
use std::time::Duration;

use condis::runtime::Time;

use super::oam::{self, LocationId, LoopbackCell, Oam};
use super::{LoopbackCounters, PAYLOAD_OCTETS, Pti};

/// Which of the two OAM F5 flows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Flow {
    /// To the next place that ends a segment.
    Segment,
    /// To the other end of the connection.
    EndToEnd,
}

impl Flow {
    /// The PTI of its cells.
    pub const fn pti(self) -> Pti {
        match self {
            Flow::Segment => Pti::OAM_SEGMENT,
            Flow::EndToEnd => Pti::OAM_END_TO_END,
        }
    }

    const fn of(pti: Pti) -> Option<Flow> {
        match pti {
            Pti::OAM_SEGMENT => Some(Flow::Segment),
            Pti::OAM_END_TO_END => Some(Flow::EndToEnd),
            _ => None,
        }
    }
}

/// How a [`Loopback`] behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoopbackConfig {
    /// How long an answer may take. I.610 has five seconds.
    pub timeout: Duration,
    /// Loopback cells that wait for an answer. More than a few tell nothing more.
    pub outstanding_max: usize,
    /// Answers that wait to be polled, so that a flood of cells takes no memory.
    pub answers_max: usize,
    /// Who we are: the source of what we send; what others address to it we answer, as we do what is for the end point.
    pub location: LocationId,
}

impl Default for LoopbackConfig {
    fn default() -> LoopbackConfig {
        LoopbackConfig {
            timeout: Duration::from_secs(5),
            outstanding_max: 8,
            answers_max: 16,
            location: LocationId::END_POINT,
        }
    }
}

/// [`LoopbackConfig::outstanding_max`] loopback cells wait for their answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{max} loopback cells wait for their answers already")]
pub struct TooMany {
    /// The limit.
    pub max: usize,
}

/// What is to be done, or to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoopbackOutput {
    /// Send a cell on this connection.
    Transmit {
        /// Its PTI.
        pti: Pti,
        /// Its payload.
        payload: [u8; PAYLOAD_OCTETS],
    },
    /// A loopback cell of ours has come back.
    Answered {
        /// What [`Loopback::send`] gave.
        tag: u32,
        /// How long that took.
        round_trip: Duration,
    },
    /// It has not.
    TimedOut {
        /// What [`Loopback::send`] gave.
        tag: u32,
    },
}

/// Loopback on one connection: asks, and answers.
///
/// Inputs are [`Loopback::send`], the OAM cells of the connection ([`Loopback::handle_cell`]) and time
/// ([`Loopback::handle_timeout`] when [`Loopback::next_timeout`] has come). After each, [`Loopback::poll_output`] is called
/// until it gives nothing. What the peer did wrong is counted.
///
/// ```
/// use std::time::Duration;
/// use condis::runtime::Time;
/// use condis_atm::cell::loopback::{Flow, Loopback, LoopbackConfig, LoopbackOutput};
/// use condis_atm::cell::oam::LocationId;
///
/// let (mut here, mut there) = (Loopback::new(LoopbackConfig::default(), 1), Loopback::new(LoopbackConfig::default(), 2));
/// let at = |ms: u64| Time::from_nanos(ms * 1_000_000);
/// let tag = here.send(at(0), Flow::EndToEnd, LocationId::END_POINT)?;
/// let Some(LoopbackOutput::Transmit { pti, payload }) = here.poll_output() else { panic!("asks") };
/// there.handle_cell(at(3), pti, &payload);
/// let Some(LoopbackOutput::Transmit { pti, payload }) = there.poll_output() else { panic!("answers") };
/// here.handle_cell(at(7), pti, &payload);
/// assert_eq!(here.poll_output(), Some(LoopbackOutput::Answered { tag, round_trip: Duration::from_millis(7) }));
/// # Ok::<(), condis_atm::cell::loopback::TooMany>(())
/// ```
#[derive(Debug)]
pub struct Loopback {
    config: LoopbackConfig,
    next_tag: u32,
    /// In the order of their deadlines, which is that of sending.
    outstanding: VecDeque<Outstanding>,
    answers: usize,
    outputs: VecDeque<LoopbackOutput>,
    counters: LoopbackCounters,
}

#[derive(Clone, Copy, Debug)]
struct Outstanding {
    tag: u32,
    flow: Flow,
    sent: Time,
}

impl Loopback {
    /// A machine that has asked nothing. Its correlation tags begin at `seed`; who knows it can forge answers.
    pub fn new(config: LoopbackConfig, seed: u32) -> Loopback {
        Loopback {
            config,
            next_tag: seed,
            outstanding: VecDeque::new(),
            answers: 0,
            outputs: VecDeque::new(),
            counters: LoopbackCounters::default(),
        }
    }

    /// Asks whoever is at `location` for an answer; `Answered` or `TimedOut` comes of it, with the tag given.
    /// # Errors
    /// Too many wait already; nothing is sent.
    pub fn send(&mut self, now: Time, flow: Flow, location: LocationId) -> Result<u32, TooMany> {
        let max = self.config.outstanding_max;
        if self.outstanding.len() >= max {
            return Err(TooMany { max });
        }
        let tag = self.next_tag;
        self.next_tag = tag.wrapping_add(1);
        self.outstanding.push_back(Outstanding { tag, flow, sent: now });
        self.counters.sent += 1;
        let cell = LoopbackCell { request: true, tag, location, source: self.config.location };
        self.outputs.push_back(LoopbackOutput::Transmit { pti: flow.pti(), payload: cell.encode() });
        Ok(tag)
    }

    /// A cell of the connection that is no user data.
    pub fn handle_cell(&mut self, now: Time, pti: Pti, payload: &[u8; PAYLOAD_OCTETS]) {
        self.handle_timeout(now);
        let Some(flow) = Flow::of(pti) else {
            self.counters.dropped_not_oam += 1;
            return;
        };
        match Oam::parse(payload) {
            Err(_) => self.counters.dropped_crc += 1,
            Ok(Oam::Other(_)) => self.counters.other_functions += 1,
            Ok(Oam::Loopback(cell)) if cell.request => self.request(flow, cell, payload),
            Ok(Oam::Loopback(cell)) => self.answered(now, flow, cell),
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(&Outstanding { tag, sent, .. }) = self.outstanding.front()
            && sent.after(self.config.timeout) <= now
        {
            self.outstanding.pop_front();
            self.counters.timed_out += 1;
            self.outputs.push_back(LoopbackOutput::TimedOut { tag });
        }
    }

    /// When [`Loopback::handle_timeout`] is to be called.
    pub fn next_timeout(&self) -> Option<Time> {
        self.outstanding.front().map(|oldest| oldest.sent.after(self.config.timeout))
    }

    /// The next thing to do or to tell.
    pub fn poll_output(&mut self) -> Option<LoopbackOutput> {
        let output = self.outputs.pop_front()?;
        self.answers -= usize::from(is_answer(&output));
        Some(output)
    }

    /// What it has counted.
    pub fn counters(&self) -> &LoopbackCounters {
        &self.counters
    }

    /// Someone asks.
    fn request(&mut self, flow: Flow, cell: LoopbackCell, payload: &[u8; PAYLOAD_OCTETS]) {
        if cell.location != LocationId::END_POINT && cell.location != self.config.location {
            self.counters.dropped_other_location += 1;
        } else if self.answers >= self.config.answers_max {
            self.counters.dropped_answers_full += 1;
        } else {
            self.answers += 1;
            self.counters.answers_sent += 1;
            let payload = oam::answer(payload);
            self.outputs.push_back(LoopbackOutput::Transmit { pti: flow.pti(), payload });
        }
    }

    /// Something came back; it counts if it went out from here, on this flow.
    fn answered(&mut self, now: Time, flow: Flow, cell: LoopbackCell) {
        let asked = |asked: &Outstanding| asked.tag == cell.tag && asked.flow == flow;
        let ours = cell.source == self.config.location;
        let found = self.outstanding.iter().position(asked).filter(|_| ours);
        let Some(Outstanding { tag, sent, .. }) = found.and_then(|at| self.outstanding.remove(at)) else {
            self.counters.dropped_unasked += 1;
            return;
        };
        self.counters.answered += 1;
        self.outputs.push_back(LoopbackOutput::Answered { tag, round_trip: now.since(sent) });
    }
}

/// True for a cell that goes back.
fn is_answer(output: &LoopbackOutput) -> bool {
    match output {
        LoopbackOutput::Transmit { payload, .. } => payload[1] & 1 == 0,
        LoopbackOutput::Answered { .. } | LoopbackOutput::TimedOut { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: LocationId = LocationId([1; 16]);

    fn at(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    fn machine() -> Loopback {
        Loopback::new(LoopbackConfig { location: HERE, ..LoopbackConfig::default() }, u32::MAX)
    }

    fn sent(machine: &mut Loopback) -> (Pti, [u8; 48]) {
        match machine.poll_output() {
            Some(LoopbackOutput::Transmit { pti, payload }) => (pti, payload),
            other => panic!("{other:?} instead of a cell"),
        }
    }

    fn request(tag: u32, location: LocationId) -> LoopbackCell {
        LoopbackCell { request: true, tag, location, source: LocationId([9; 16]) }
    }

    /// At 0 s and 1 s it asks, at 2 s the second answer comes, at 5 s the first has timed out, at 6 s its answer is late.
    #[test]
    fn asks_and_gives_up_by_the_clock() {
        let mut here = machine();
        assert_eq!(here.next_timeout(), None);
        let first = here.send(at(0), Flow::EndToEnd, LocationId::END_POINT).unwrap();
        let (pti, lost) = sent(&mut here);
        assert_eq!(pti, Pti::OAM_END_TO_END);
        let second = here.send(at(1_000), Flow::Segment, LocationId::END_POINT).unwrap();
        assert_eq!((first, second), (u32::MAX, 0));
        let (pti, payload) = sent(&mut here);
        assert_eq!(here.next_timeout(), Some(at(5_000)));

        here.handle_cell(at(2_000), pti, &oam::answer(&payload));
        let round_trip = Duration::from_secs(1);
        assert_eq!(here.poll_output(), Some(LoopbackOutput::Answered { tag: second, round_trip }));
        here.handle_timeout(at(4_999));
        assert_eq!(here.poll_output(), None);
        here.handle_timeout(at(5_000));
        assert_eq!(here.poll_output(), Some(LoopbackOutput::TimedOut { tag: first }));
        assert_eq!(here.next_timeout(), None);
        here.handle_cell(at(6_000), Pti::OAM_END_TO_END, &oam::answer(&lost));
        assert_eq!(here.poll_output(), None);
        let LoopbackCounters { sent, answered, timed_out, dropped_unasked, .. } = *here.counters();
        assert_eq!((sent, answered, timed_out, dropped_unasked), (2, 1, 1, 1));
    }

    #[test]
    fn an_answer_must_be_to_what_was_asked() {
        let mut here = machine();
        here.send(at(0), Flow::EndToEnd, LocationId::END_POINT).unwrap();
        let (pti, payload) = sent(&mut here);
        let foreign = LoopbackCell { request: false, ..request(u32::MAX, LocationId::END_POINT) };
        here.handle_cell(at(1), pti, &foreign.encode());
        here.handle_cell(at(1), Pti::OAM_SEGMENT, &oam::answer(&payload));
        assert_eq!((here.counters().dropped_unasked, here.poll_output()), (2, None));
        here.handle_cell(at(1), pti, &oam::answer(&payload));
        here.handle_cell(at(1), pti, &oam::answer(&payload));
        assert_eq!((here.counters().answered, here.counters().dropped_unasked), (1, 3));
    }

    #[test]
    fn answers_what_is_for_the_end_or_for_us() {
        let mut here = machine();
        for (tag, location) in
            [(1, LocationId::END_POINT), (2, HERE), (3, LocationId([2; 16])), (4, LocationId::EVERYWHERE)]
        {
            here.handle_cell(at(0), Pti::OAM_SEGMENT, &request(tag, location).encode());
        }
        for tag in [1, 2] {
            let (pti, payload) = sent(&mut here);
            assert_eq!(pti, Pti::OAM_SEGMENT);
            let Ok(Oam::Loopback(cell)) = Oam::parse(&payload) else { panic!("a loopback cell") };
            assert_eq!((cell.request, cell.tag, cell.source), (false, tag, LocationId([9; 16])));
        }
        assert_eq!(here.poll_output(), None);
        assert_eq!((here.counters().answers_sent, here.counters().dropped_other_location), (2, 2));
    }

    #[test]
    fn every_drop_has_its_name_and_every_queue_its_end() {
        let mut here = machine();
        let payload = request(1, HERE).encode();
        (0..20).for_each(|_| here.handle_cell(at(0), Pti::OAM_SEGMENT, &payload));
        assert_eq!((here.counters().answers_sent, here.counters().dropped_answers_full), (16, 4));
        sent(&mut here);
        here.handle_cell(at(0), Pti::OAM_SEGMENT, &payload);
        assert_eq!(here.counters().answers_sent, 17);
        let mut broken = payload;
        broken[40] ^= 1;
        here.handle_cell(at(0), Pti::OAM_SEGMENT, &broken);
        here.handle_cell(at(0), Pti::RESOURCE_MANAGEMENT, &payload);
        assert_eq!((here.counters().dropped_crc, here.counters().dropped_not_oam), (1, 1));

        let mut here = machine();
        let mut ask = || here.send(at(0), Flow::Segment, HERE);
        (0..8).for_each(|_| assert!(ask().is_ok()));
        assert_eq!(ask(), Err(TooMany { max: 8 }));
    }
}
