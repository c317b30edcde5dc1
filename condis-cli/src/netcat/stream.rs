//! What the octets of a call are on its VC: one SDU each piece, as they are, or numbered frames.
//!
//! Raw, an SDU is a piece of the data and nothing else. That is what ATM peers of every kind understand; it has no end of
//! data but the end of the call, and what is lost is lost.
//!
//! Framed, the data goes in the frames of the lab's clients (see `client/frame.rs`), which over PPPoE makes it a PPP frame as
//! it must be, and brings what a session has not:
//! - DATA frames are numbered from 0. One without data is the end of the sender's data: the other direction goes on.
//! - REPORT says what its sender has heard so far, in order: frames, and a checksum; and, as octets, what its standard
//!   output took of it. It comes after each quarter of a window, at a gap, and as the answer to ASK.
//! - At most [`WINDOW_FRAMES`] are under way, and at most [`WINDOW_OCTETS`] wait for the other end's output. So what a
//!   receiver holds is bounded, and a slow one slows the sender.
//! - What is reported as missing is sent again: after [`GAPS`] reports that say the same, or [`TICK`] without any progress. The
//!   sender goes back to the first that is missing, as a receiver keeps nothing ahead of a gap.
//!
//! A lab client that echoes makes a good other end: it sends the data back as it is, with its end, and reports when asked.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use condis::runtime::Time;

use crate::client::{Heard, LabFrame, OVERHEAD_OCTETS, Tally};

/// The data of one call, both ways.
pub(super) enum Stream {
    Raw(Raw),
    Framed(Box<Framed>),
}

/// What came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Event {
    /// Data: these octets of the SDU.
    Data(Range<usize>),
    /// The other end has sent all it had.
    End,
    /// The other end asks for the call to be closed.
    HangUp,
    /// Nothing for the user.
    Nothing,
}

impl Stream {
    pub(super) fn raw() -> Stream {
        Stream::Raw(Raw::default())
    }

    pub(super) fn framed(now: Time) -> Stream {
        Stream::Framed(Box::new(Framed::new(now)))
    }

    /// True if another piece may be handed in.
    pub(super) fn has_room(&self) -> bool {
        match self {
            Stream::Raw(raw) => !raw.ended && raw.waiting.is_empty(),
            Stream::Framed(framed) => framed.has_room(),
        }
    }

    /// Takes a piece to be sent. Only while there is room.
    pub(super) fn push(&mut self, piece: Vec<u8>) {
        match self {
            Stream::Raw(raw) => raw.waiting.push_back(piece),
            Stream::Framed(framed) => framed.push(piece),
        }
    }

    /// There is no more to send.
    pub(super) fn finish(&mut self) {
        match self {
            Stream::Raw(raw) => raw.ended = true,
            Stream::Framed(framed) => framed.finish(),
        }
    }

    /// The next SDU to send.
    pub(super) fn poll_sdu(&mut self) -> Option<Vec<u8>> {
        match self {
            Stream::Raw(raw) => raw.waiting.pop_front(),
            Stream::Framed(framed) => framed.poll_frame(),
        }
    }

    /// An SDU arrived.
    pub(super) fn handle_sdu(&mut self, now: Time, sdu: &[u8]) -> Event {
        match self {
            Stream::Raw(_) => Event::Data(0..sdu.len()),
            Stream::Framed(framed) => framed.handle_frame(now, sdu),
        }
    }

    /// The user took octets of what came in.
    pub(super) fn handle_taken(&mut self, octets: usize) {
        if let Stream::Framed(framed) = self {
            framed.handle_taken(octets as u64);
        }
    }

    /// What to do when nothing was heard for a while. False: the other end is not there any more.
    pub(super) fn handle_tick(&mut self, now: Time) -> bool {
        match self {
            Stream::Raw(_) => true,
            Stream::Framed(framed) => framed.handle_tick(now),
        }
    }

    /// All data has been handed in and sent, and, if the other end tells such things, taken by it.
    pub(super) fn is_flushed(&self) -> bool {
        match self {
            Stream::Raw(raw) => raw.ended && raw.waiting.is_empty(),
            Stream::Framed(framed) => framed.is_flushed(),
        }
    }

    /// The other end has heard, or may have heard, all that was handed in so far.
    pub(super) fn is_sent(&self) -> bool {
        match self {
            Stream::Raw(raw) => raw.waiting.is_empty(),
            // A call is closed by who hears the end, perhaps before it says so.
            Stream::Framed(framed) => framed.kept.iter().all(Vec::is_empty),
        }
    }

    /// The other end has said that it has no more to send.
    pub(super) fn other_ended(&self) -> bool {
        matches!(self, Stream::Framed(framed) if framed.other_ended)
    }

    /// The other end said that it heard something that was not sent.
    pub(super) fn differs(&self) -> bool {
        matches!(self, Stream::Framed(framed) if framed.differs)
    }
}

/// Pieces as they are.
#[derive(Default)]
pub(super) struct Raw {
    waiting: VecDeque<Vec<u8>>,
    ended: bool,
}

/// Numbered frames.
pub(super) struct Framed {
    /// What was handed in and the other end has not heard: the frames from `heard` on.
    kept: VecDeque<Vec<u8>>,
    /// Those of `kept` that went out, since the last going back.
    sent: usize,
    heard: u32,
    /// Octets that were handed in, and those of them that the other end's user took.
    octets: u64,
    other_took: u64,
    ended: bool,
    /// Of what the other end has heard: what it should report.
    checksum: crc32fast::Hasher,
    differs: bool,
    /// Reports in a row that brought nothing new.
    gaps: u32,
    /// Questions whose answer may be among those.
    answers: u32,
    /// Nothing new has come since what is missing was sent again for such reports.
    went_back: bool,
    ask: bool,
    asked_at: Option<Time>,
    moved_at: Time,
    incoming: Incoming,
    other_ended: bool,
}

/// What came in.
struct Incoming {
    frames: u32,
    octets: u64,
    taken: u64,
    checksum: crc32fast::Hasher,
    /// Octets taken, by the last report.
    reported: u64,
    report: bool,
}

impl Framed {
    fn new(now: Time) -> Framed {
        Framed {
            kept: VecDeque::new(),
            sent: 0,
            heard: 0,
            octets: 0,
            other_took: 0,
            ended: false,
            checksum: crc32fast::Hasher::new(),
            differs: false,
            gaps: 0,
            answers: 0,
            went_back: false,
            ask: false,
            asked_at: None,
            moved_at: now,
            incoming: Incoming {
                frames: 0,
                octets: 0,
                taken: 0,
                checksum: crc32fast::Hasher::new(),
                reported: 0,
                report: false,
            },
            other_ended: false,
        }
    }

    fn has_room(&self) -> bool {
        !self.ended && self.kept.len() < WINDOW_FRAMES && self.octets - self.other_took < WINDOW_OCTETS
    }

    fn push(&mut self, piece: Vec<u8>) {
        debug_assert!(!piece.is_empty(), "an empty piece is the end");
        self.octets += piece.len() as u64;
        self.kept.push_back(piece);
    }

    fn finish(&mut self) {
        if !self.ended {
            self.ended = true;
            self.kept.push_back(Vec::new());
        }
    }

    fn poll_frame(&mut self) -> Option<Vec<u8>> {
        let mut frame = Vec::new();
        if std::mem::take(&mut self.incoming.report) {
            self.incoming.reported = self.incoming.taken;
            LabFrame::Report(self.incoming.tally()).encode(&mut frame);
        } else if let Some(piece) = self.kept.get(self.sent) {
            frame.reserve(piece.len() + OVERHEAD_OCTETS);
            LabFrame::Data(self.heard + self.sent as u32, piece).encode(&mut frame);
            self.sent += 1;
            // Who only echoes does not report by itself.
            self.ask |=
                self.sent.is_multiple_of(WINDOW_FRAMES / 2) || self.sent == self.kept.len() && self.ended;
        } else if std::mem::take(&mut self.ask) {
            self.answers += 1;
            LabFrame::Ask.encode(&mut frame);
        } else {
            return None;
        }
        Some(frame)
    }

    fn handle_frame(&mut self, now: Time, frame: &[u8]) -> Event {
        let Heard::Lab(lab) = LabFrame::parse(frame) else { return Event::Nothing };
        self.asked_at = None;
        match lab {
            LabFrame::Data(number, data) => self.handle_data(number, data),
            LabFrame::Ask => {
                self.incoming.report = true;
                Event::Nothing
            }
            LabFrame::Report(tally) => {
                self.handle_report(now, tally);
                Event::Nothing
            }
            LabFrame::HangUp => Event::HangUp,
        }
    }

    fn handle_data(&mut self, number: u32, data: &[u8]) -> Event {
        let incoming = &mut self.incoming;
        if number != incoming.frames || self.other_ended || incoming.is_full() {
            // A repetition says nothing: a sender that has missed a report asks.
            incoming.report |= number > incoming.frames;
            return Event::Nothing;
        }
        incoming.frames += 1;
        incoming.octets += data.len() as u64;
        incoming.checksum.update(data);
        if data.is_empty() {
            self.other_ended = true;
            incoming.report = true;
            return Event::End;
        }
        Event::Data(DATA_AT..DATA_AT + data.len())
    }

    fn handle_report(&mut self, now: Time, tally: Tally) {
        let news = tally.frames.wrapping_sub(self.heard) as usize;
        if news > self.kept.len() || tally.octets > self.octets {
            // An old report, or one of what was never sent.
            return;
        }
        if news == 0 && tally.octets <= self.other_took {
            if self.answers > 0 {
                self.answers -= 1;
            } else if !self.went_back {
                self.gaps += u32::from(self.sent > 0);
                if self.gaps == GAPS {
                    (self.sent, self.went_back) = (0, true);
                }
            }
            return;
        }
        for piece in self.kept.drain(..news) {
            self.checksum.update(&piece);
        }
        self.differs |= self.checksum.clone().finalize() != tally.checksum;
        self.heard += news as u32;
        self.sent = self.sent.saturating_sub(news);
        self.other_took = self.other_took.max(tally.octets);
        (self.gaps, self.went_back, self.answers, self.moved_at) = (0, false, 0, now);
    }

    fn handle_taken(&mut self, octets: u64) {
        let incoming = &mut self.incoming;
        if octets == 0 {
            return;
        }
        incoming.taken += octets;
        let all = incoming.taken == incoming.octets && self.other_ended;
        incoming.report |= all || incoming.taken - incoming.reported >= WINDOW_OCTETS / 4;
    }

    fn handle_tick(&mut self, now: Time) -> bool {
        if self.kept.is_empty() && self.other_took == self.octets {
            (self.moved_at, self.asked_at) = (now, None);
            return true;
        }
        if now.since(self.moved_at) >= TICK && self.sent > 0 {
            // Nothing moved: what is not heard is lost.
            (self.sent, self.gaps, self.answers, self.moved_at) = (0, 0, 0, now);
        }
        self.ask = true;
        let asked_at = *self.asked_at.get_or_insert(now);
        now.since(asked_at) < SILENCE_MAX
    }

    fn is_flushed(&self) -> bool {
        self.ended && self.kept.is_empty() && self.other_took == self.octets
    }
}

impl Incoming {
    /// The other end sent more than its window.
    fn is_full(&self) -> bool {
        self.octets - self.taken > 2 * WINDOW_OCTETS
    }

    fn tally(&self) -> Tally {
        Tally { frames: self.frames, octets: self.taken, checksum: self.checksum.clone().finalize() }
    }
}

/// Where the data of a DATA frame begins: behind protocol field, kind and number.
const DATA_AT: usize = 7;

/// Frames that are under way at most: what an Ethernet's receive queue holds.
const WINDOW_FRAMES: usize = 64;

/// Octets that wait at most for the other end's output.
const WINDOW_OCTETS: u64 = 256 << 10;

/// Reports that say the same before what is missing is sent again: fewer may come of frames that overtook each other.
const GAPS: u32 = 3;

/// Time without progress after which what was not heard is sent again: far above any round trip.
pub(super) const TICK: Duration = Duration::from_millis(200);

/// How long the other end may leave questions unanswered.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    /// All frames of one end to the other, those that `lost` picks excepted; what the other end hears of data is taken at once.
    fn pass(
        now: Time,
        from: &mut Stream,
        to: &mut Stream,
        heard: &mut Vec<u8>,
        mut lost: impl FnMut() -> bool,
    ) {
        while let Some(frame) = from.poll_sdu() {
            if lost() {
                continue;
            }
            if let Event::Data(range) = to.handle_sdu(now, &frame) {
                heard.extend(&frame[range.clone()]);
                to.handle_taken(range.len());
            }
        }
    }

    #[test]
    fn all_data_arrives_in_order_though_every_fifth_frame_is_lost() {
        let data: Vec<u8> = (0..500_000_u32).map(|n| (n / 7) as u8).collect();
        let (mut a, mut b) = (Stream::framed(at(0)), Stream::framed(at(0)));
        let (mut at_a, mut at_b, mut count) = (Vec::new(), Vec::new(), 0_u32);
        let mut pieces = data.chunks(1000);
        let mut lost = || {
            count += 1;
            count.is_multiple_of(5)
        };
        b.finish();
        for round in 0..10_000 {
            while a.has_room() {
                match pieces.next() {
                    Some(piece) => a.push(piece.to_vec()),
                    None => a.finish(),
                }
            }
            pass(at(round * 50), &mut a, &mut b, &mut at_b, &mut lost);
            pass(at(round * 50), &mut b, &mut a, &mut at_a, &mut lost);
            assert!(a.handle_tick(at(round * 50)) && b.handle_tick(at(round * 50)));
            if a.is_flushed() && b.is_flushed() {
                break;
            }
        }
        assert!(a.is_flushed() && b.is_flushed() && a.other_ended() && b.other_ended());
        assert!(at_b == data && at_a.is_empty());
        assert!(!a.differs());
    }

    #[test]
    fn who_takes_nothing_stops_the_sender() {
        let (mut a, mut b) = (Stream::framed(at(0)), Stream::framed(at(0)));
        let (mut sent, mut heard) = (0, 0);
        for round in 0..100 {
            while a.has_room() {
                a.push(vec![7; 1400]);
                sent += 1400;
            }
            while let Some(frame) = a.poll_sdu() {
                if let Event::Data(range) = b.handle_sdu(at(round), &frame) {
                    heard += range.len();
                }
            }
            while let Some(frame) = b.poll_sdu() {
                a.handle_sdu(at(round), &frame);
            }
            a.handle_tick(at(round * 300));
        }
        assert_eq!(sent, heard);
        assert!(heard as u64 <= WINDOW_OCTETS + 1400, "{heard}");
        b.handle_taken(100_000);
        while let Some(frame) = b.poll_sdu() {
            a.handle_sdu(at(40_000), &frame);
        }
        assert!(a.has_room());
    }

    #[test]
    fn an_end_that_is_gone_is_noticed_and_a_blocked_one_is_not() {
        let (mut a, mut b) = (Stream::framed(at(0)), Stream::framed(at(0)));
        a.push(vec![1; 10]);
        let mut answered = true;
        let mut noticed = 0;
        for tick in 0..400 {
            let now = at(tick * 200);
            while let Some(frame) = a.poll_sdu() {
                b.handle_sdu(now, &frame);
            }
            while let Some(frame) = b.poll_sdu() {
                if answered {
                    a.handle_sdu(now, &frame);
                }
            }
            answered = tick < 200;
            if !a.handle_tick(now) {
                noticed = tick;
                break;
            }
        }
        assert!((349..=352).contains(&noticed), "40 s answered, then 30 s of silence: {noticed}");
    }

    /// Against an echo, the data comes back with its end.
    #[test]
    fn an_echo_is_an_other_end() {
        let mut a = Stream::framed(at(0));
        let (mut tally, mut heard) = (crate::client::InOrder::default(), Vec::<u8>::new());
        a.push(b"over there".to_vec());
        a.finish();
        while let Some(frame) = a.poll_sdu() {
            let answer = match LabFrame::parse(&frame) {
                Heard::Lab(LabFrame::Data(number, data)) => {
                    tally.take(number, data);
                    frame.clone()
                }
                Heard::Lab(LabFrame::Ask) => {
                    let mut report = Vec::new();
                    LabFrame::Report(tally.tally()).encode(&mut report);
                    report
                }
                Heard::Lab(LabFrame::Report(_)) => continue,
                other => panic!("{other:?}"),
            };
            if let Event::Data(range) = a.handle_sdu(at(1), &answer) {
                heard.extend(&answer[range.clone()]);
                a.handle_taken(range.len());
            }
        }
        assert!(a.is_flushed() && a.other_ended() && !a.differs());
        assert_eq!(heard, b"over there");
    }
}
