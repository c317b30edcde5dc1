//! What a wire does to the frames that pass it.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use condis::runtime::Random;

/// What a [`Segment`](super::Segment) does to the frames that its ports send.
///
/// The default is a perfect wire: no delay, no limit of rate, and a queue of 1 MiB.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conditions {
    /// How long a frame travels, after its last bit has left the sender.
    pub delay: Duration,
    /// A frame travels up to this much longer, evenly spread. Frames of one port still arrive in order.
    pub jitter: Duration,
    /// Bits per second of each port's line, counted over the frames alone; `None`: sending takes no time.
    pub rate_bps: Option<NonZeroU64>,
    /// Octets that one port may have under way: waiting for the line, on it, and travelling. Frames above it are refused,
    /// but a port with nothing under way may always send one. To keep a line busy it must be at least rate × delay.
    pub queue_octets_max: usize,
    /// A frame is lost.
    pub loss: Chance,
    /// A frame arrives twice, one right after the other.
    pub duplicate: Chance,
    /// A frame is held back for [`Conditions::reorder_by`], while those behind it go on.
    pub reorder: Chance,
    /// How long a frame is held back when it is.
    pub reorder_by: Duration,
    /// One bit of a frame is turned over, anywhere in it, its addresses too. It is delivered all the same.
    pub corrupt: Chance,
}

impl Conditions {
    /// The default of [`Conditions::queue_octets_max`]: 80 ms of 100 Mbit/s, some 700 frames of full size.
    pub const QUEUE_OCTETS_MAX: usize = 1 << 20;

    /// How long `octets` take on the line, rounded up to the nanosecond.
    pub(super) fn line_time(&self, octets: usize) -> Duration {
        let Some(rate_bps) = self.rate_bps else { return Duration::ZERO };
        let bits_e9 = octets as u128 * 8 * 1_000_000_000;
        let nanos = bits_e9.div_ceil(u128::from(rate_bps.get()));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// What goes wrong on the way.
    pub(super) fn faults(&self) -> Faults {
        let Conditions { jitter, loss, duplicate, reorder, reorder_by, corrupt, .. } = *self;
        Faults { jitter, loss, duplicate, reorder, reorder_by, corrupt }
    }
}

/// What goes wrong on the way, as in [`Conditions`]; the same for a frame and for a cell.
#[derive(Clone, Copy)]
pub(crate) struct Faults {
    pub(crate) jitter: Duration,
    pub(crate) loss: Chance,
    pub(crate) duplicate: Chance,
    pub(crate) reorder: Chance,
    pub(crate) reorder_by: Duration,
    pub(crate) corrupt: Chance,
}

impl Faults {
    /// Draws what happens to the next frame, of `octets`. What never happens takes no draw.
    pub(crate) fn draw(&self, random: &mut Random, octets: usize) -> Fate {
        if self.loss.draw(random) {
            return Fate { copies: 0, turned_bit: None, held_back: false, extra_delay: Duration::ZERO };
        }
        let copies = if self.duplicate.draw(random) { 2 } else { 1 };
        let held_back = self.reorder.draw(random);
        let turned_bit = self.corrupt.draw(random).then(|| random.below(octets as u64 * 8));
        let jitter_ns = u64::try_from(self.jitter.as_nanos()).unwrap_or(u64::MAX);
        let jitter = if jitter_ns == 0 { 0 } else { random.below(jitter_ns.saturating_add(1)) };
        let reorder_by = if held_back { self.reorder_by } else { Duration::ZERO };
        Fate { copies, turned_bit, held_back, extra_delay: reorder_by + Duration::from_nanos(jitter) }
    }
}

/// What happens to one frame.
pub(crate) struct Fate {
    /// How often it arrives; 0 is lost, 2 is duplicated.
    pub(crate) copies: u8,
    /// The bit that is turned over, counted from the first of the frame.
    pub(crate) turned_bit: Option<u64>,
    /// Later frames may overtake it.
    pub(crate) held_back: bool,
    /// What it travels longer than the delay.
    pub(crate) extra_delay: Duration,
}

impl Fate {
    /// Turns its bit over, if one is to be.
    pub(crate) fn damage(&self, frame: &mut [u8]) {
        if let Some(bit) = self.turned_bit {
            frame[(bit / 8) as usize] ^= 0x80 >> (bit % 8);
        }
    }
}

impl Default for Conditions {
    fn default() -> Conditions {
        Conditions {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            rate_bps: None,
            queue_octets_max: Conditions::QUEUE_OCTETS_MAX,
            loss: Chance::NEVER,
            duplicate: Chance::NEVER,
            reorder: Chance::NEVER,
            reorder_by: Duration::ZERO,
            corrupt: Chance::NEVER,
        }
    }
}

/// How likely something is, in steps of one in a million.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Chance {
    of_million: u32,
}

impl Chance {
    /// It never happens.
    pub const NEVER: Chance = Chance { of_million: 0 };

    /// It always happens.
    pub const ALWAYS: Chance = Chance { of_million: MILLION };

    /// It happens `n` times in a million; every `n` above that is always.
    pub const fn of_million(n: u32) -> Chance {
        Chance { of_million: if n < MILLION { n } else { MILLION } }
    }

    /// How often it happens in a million times.
    pub const fn in_million(self) -> u32 {
        self.of_million
    }

    fn draw(self, random: &mut Random) -> bool {
        self != Chance::NEVER && random.chance(self.of_million)
    }
}

impl TryFrom<f64> for Chance {
    type Error = ChanceError;

    /// The chance for a probability from 0 to 1, rounded to the nearest step.
    fn try_from(probability: f64) -> Result<Chance, ChanceError> {
        if !(0.0..=1.0).contains(&probability) {
            return Err(ChanceError { probability });
        }
        Ok(Chance::of_million((probability * f64::from(MILLION)).round() as u32))
    }
}

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.of_million) / f64::from(MILLION))
    }
}

impl fmt::Debug for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A number is not a probability.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
#[error("{probability} is not a probability; expected a number from 0 to 1")]
pub struct ChanceError {
    probability: f64,
}

const MILLION: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chance_is_a_probability() {
        assert_eq!(Chance::try_from(0.0), Ok(Chance::NEVER));
        assert_eq!(Chance::try_from(1.0), Ok(Chance::ALWAYS));
        assert_eq!(Chance::try_from(0.015), Ok(Chance::of_million(15_000)));
        assert_eq!(Chance::of_million(15_000).to_string(), "0.015");
        for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(Chance::try_from(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn line_time_is_exact_and_rounded_up() {
        let at = |rate_bps| Conditions { rate_bps: NonZeroU64::new(rate_bps), ..Conditions::default() };
        assert_eq!(at(1_000_000).line_time(125), Duration::from_millis(1));
        assert_eq!(at(3_000_000_000).line_time(1), Duration::from_nanos(3));
        assert_eq!(at(1).line_time(usize::MAX), Duration::from_nanos(u64::MAX));
        assert_eq!(at(0).line_time(1500), Duration::ZERO);
    }
}
