//! The data of a call: numbered frames, at most [`WINDOW_FRAMES`] of them under way, sent again where the echo is missing.

use std::collections::BTreeMap;
use std::ops::Range;

use condis::runtime::Random;

use super::frame::{LabFrame, Tally};

/// Frames under way at once, there and back: it keeps a segment busy, and bounds every queue between the two ends.
pub(crate) const WINDOW_FRAMES: u32 = 32;

/// Puts numbered frames in order and takes their checksum.
#[derive(Default)]
pub(crate) struct InOrder {
    next: u32,
    /// The first frame that counts.
    first: u32,
    /// Frames that came before one that is missing. Less than a window of them.
    ahead: BTreeMap<u32, Vec<u8>>,
    octets: u64,
    hasher: crc32fast::Hasher,
}

impl InOrder {
    /// The same from this frame on, if nothing was taken yet: for who joins later.
    pub(crate) fn begin_at(&mut self, number: u32) {
        if self.next == 0 && self.ahead.is_empty() {
            (self.first, self.next) = (number, number);
        }
    }

    /// Takes a frame. False if it is not new, or too far ahead to be remembered.
    pub(crate) fn take(&mut self, number: u32, data: &[u8]) -> bool {
        if number < self.next || number - self.next >= WINDOW_FRAMES || self.ahead.contains_key(&number) {
            return false;
        }
        if number > self.next {
            self.ahead.insert(number, data.to_vec());
            return true;
        }
        self.count(data);
        while let Some(data) = self.ahead.remove(&self.next) {
            self.count(&data);
        }
        true
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally {
            frames: self.next - self.first,
            octets: self.octets,
            checksum: self.hasher.clone().finalize(),
        }
    }

    fn count(&mut self, data: &[u8]) {
        self.next += 1;
        self.octets += data.len() as u64;
        self.hasher.update(data);
    }

    fn has(&self, number: u32) -> bool {
        number < self.next || self.ahead.contains_key(&number)
    }
}

/// What a caller sends and hears back.
pub(crate) struct Transfer {
    octets: u64,
    frame_octets: usize,
    seed: u64,
    frame_count: u32,
    /// The next frame that was never sent.
    next: u32,
    sent: InOrder,
    /// The echo.
    heard: InOrder,
    /// Whether an echo is waited for.
    echoed: bool,
    /// No frame from this one on is sent yet.
    limit: u32,
}

impl Transfer {
    /// `octets` of data that follow from `seed`.
    pub(crate) fn new(octets: u64, frame_octets: usize, seed: u64, echoed: bool) -> Transfer {
        let frame_count = octets.div_ceil(frame_octets.max(1) as u64);
        let frame_count = u32::try_from(frame_count).unwrap_or(u32::MAX);
        Transfer {
            octets,
            frame_octets,
            seed,
            frame_count,
            limit: frame_count,
            next: 0,
            sent: InOrder::default(),
            heard: InOrder::default(),
            echoed,
        }
    }

    /// Encodes the next frame that may be sent into `out`; false if the window is full or all are sent.
    pub(crate) fn next_frame(&mut self, out: &mut Vec<u8>) -> bool {
        if self.next == self.limit || self.echoed && self.next - self.heard.next >= WINDOW_FRAMES {
            return false;
        }
        let data = self.data(self.next);
        self.sent.take(self.next, &data);
        LabFrame::Data(self.next, &data).encode(out);
        self.next += 1;
        true
    }

    /// All frames.
    pub(crate) fn frame_count(&self) -> u32 {
        self.frame_count
    }

    /// Sends no frame from this one on until told otherwise.
    pub(crate) fn stop_at(&mut self, number: u32) {
        self.limit = number.min(self.frame_count);
    }

    /// True if all that may be sent is.
    pub(crate) fn is_at_limit(&self) -> bool {
        self.next == self.limit
    }

    /// What who hears all of these frames has heard.
    pub(crate) fn tally_of(&self, frames: Range<u32>) -> Tally {
        let mut heard = InOrder::default();
        heard.begin_at(frames.start);
        for number in frames {
            heard.take(number, &self.data(number));
        }
        heard.tally()
    }

    /// The frames whose echo is missing.
    pub(crate) fn missing(&self) -> Vec<u32> {
        (self.heard.next..self.next).filter(|number| !self.heard.has(*number)).collect()
    }

    /// Encodes a frame that was sent before.
    pub(crate) fn again(&self, number: u32, out: &mut Vec<u8>) {
        LabFrame::Data(number, &self.data(number)).encode(out);
    }

    /// An echo came. False if it is not new, or not what was sent.
    pub(crate) fn echo(&mut self, number: u32, data: &[u8]) -> bool {
        number < self.next && self.data(number) == data && self.heard.take(number, data)
    }

    /// Everything was sent and, if it is echoed, heard.
    pub(crate) fn is_done(&self) -> bool {
        self.next == self.frame_count && (!self.echoed || self.heard.next == self.frame_count)
    }

    pub(crate) fn sent(&self) -> Tally {
        self.sent.tally()
    }

    pub(crate) fn heard(&self) -> Tally {
        self.heard.tally()
    }

    /// Octets that were not heard back, or not sent.
    pub(crate) fn missing_octets(&self) -> u64 {
        self.octets - if self.echoed { self.heard.octets } else { self.sent.octets }
    }

    fn data(&self, number: u32) -> Vec<u8> {
        let begin = u64::from(number) * self.frame_octets as u64;
        let len = (self.octets - begin).min(self.frame_octets as u64) as usize;
        let mut random = Random::stream(self.seed, u64::from(number));
        let mut data = Vec::with_capacity(len + 8);
        while data.len() < len {
            data.extend(random.next_u64().to_be_bytes());
        }
        data.truncate(len);
        data
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::Heard;
    use super::*;

    #[test]
    fn order_duplicates_and_gaps_do_not_change_the_checksum() {
        let mut straight = InOrder::default();
        let mut mixed = InOrder::default();
        for number in 0..4 {
            assert!(straight.take(number, &[number as u8; 3]));
        }
        for number in [1, 1, 3, 0, 0, 2] {
            mixed.take(number, &[number as u8; 3]);
        }
        assert_eq!(mixed.tally(), straight.tally());
        assert_eq!(mixed.tally().octets, 12);
        assert!(!mixed.take(4 + WINDOW_FRAMES, b"too far"), "what is remembered is bounded");
    }

    #[test]
    fn every_frame_arrives_though_every_third_is_lost() {
        let mut transfer = Transfer::new(100_000, 1000, 5, true);
        let mut other = InOrder::default();
        let mut frame = Vec::new();
        let mut count = 0;
        let mut pass = |transfer: &mut Transfer, frame: &[u8]| {
            count += 1;
            let Heard::Lab(LabFrame::Data(number, data)) = LabFrame::parse(frame) else { panic!() };
            if count % 3 != 0 {
                other.take(number, data);
                transfer.echo(number, data);
            }
        };
        while !transfer.is_done() {
            while transfer.next_frame(&mut frame) {
                pass(&mut transfer, &frame);
            }
            for number in transfer.missing() {
                transfer.again(number, &mut frame);
                pass(&mut transfer, &frame);
            }
        }
        assert_eq!(transfer.heard(), transfer.sent());
        assert_eq!(other.tally(), transfer.sent());
        assert_eq!((transfer.sent().frames, transfer.missing_octets()), (100, 0));
    }

    #[test]
    fn the_window_bounds_what_is_under_way() {
        let mut transfer = Transfer::new(1 << 20, 1000, 1, true);
        let mut frame = Vec::new();
        let sent = (0..1000).take_while(|_| transfer.next_frame(&mut frame)).count();
        assert_eq!(sent, WINDOW_FRAMES as usize);
    }
}
