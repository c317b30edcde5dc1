//! Sequence numbers of 24 bits.

use std::fmt;

/// A sequence number, modulo 2²⁴ (Q.2110 §7.4): of SD PDUs or of polls.
///
/// It has no order of its own. Two numbers are compared as distances from a third, the base that the standard names: VT(A)
/// for what was sent, VR(R) for what was received, VT(PA) for polls.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Sn(u32);

impl Sn {
    /// Zero, where every connection begins.
    pub const ZERO: Sn = Sn(0);

    /// How many numbers there are.
    pub const MODULUS: u32 = 1 << 24;

    /// Half of the numbers: a distance of at least this much is behind the base, not ahead of it.
    const HALF: u32 = Self::MODULUS / 2;

    /// The number that `number` is modulo 2²⁴.
    pub const fn new(number: u32) -> Sn {
        Sn(number % Self::MODULUS)
    }

    /// The number, below 2²⁴.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The next number.
    #[must_use]
    pub const fn next(self) -> Sn {
        self.plus(1)
    }

    /// The number before.
    #[must_use]
    pub const fn previous(self) -> Sn {
        self.plus(Self::MODULUS - 1)
    }

    /// The number `count` further on.
    #[must_use]
    pub const fn plus(self, count: u32) -> Sn {
        Sn::new(self.0.wrapping_add(count))
    }

    /// How far this number is ahead of `base`: 0 to 2²⁴ - 1.
    pub const fn from_base(self, base: Sn) -> u32 {
        self.0.wrapping_sub(base.0) % Self::MODULUS
    }

    /// This number is ahead of `base` by less than half of the numbers, and is not `base`.
    pub const fn is_after(self, base: Sn) -> bool {
        let ahead = self.from_base(base);
        ahead != 0 && ahead < Self::HALF
    }
}

impl fmt::Display for Sn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Sn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sn({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Q.2110 §7.4: all arithmetic is modulo 2²⁴.
    #[test]
    fn numbers_wrap() {
        let last = Sn::new(0xff_ffff);
        assert_eq!(last.next(), Sn::ZERO);
        assert_eq!(Sn::ZERO.previous(), last);
        assert_eq!(Sn::new(0x0100_0005), Sn::new(5));
        assert_eq!(last.plus(3), Sn::new(2));
        assert_eq!(Sn::new(2).from_base(last), 3);
        assert_eq!(last.from_base(Sn::new(2)), 0xff_fffd);
    }

    #[test]
    fn after_is_half_a_turn() {
        let base = Sn::new(0xff_fff0);
        assert!(!base.is_after(base));
        assert!(base.next().is_after(base) && Sn::new(3).is_after(base));
        assert!(base.plus(0x7f_ffff).is_after(base));
        assert!(!base.plus(0x80_0000).is_after(base) && !base.previous().is_after(base));
    }
}
