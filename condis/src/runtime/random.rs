//! The random numbers of a simulation.

/// A seeded generator of numbers that look random and are not: SplitMix64 (Steele, Lea, Flood 2014, as in
/// `java.util.SplittableRandom`).
///
/// It is ours, ten lines long and fixed for good, since a recorded seed must give the same run in the next version too. Who
/// needs numbers that nobody can guess asks [`Runtime::entropy`](super::Runtime::entropy) for each of them.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator that `seed` begins. Every seed is as good as another.
    pub const fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The generator of one of many independent streams under one seed.
    pub fn stream(seed: u64, stream: u64) -> Random {
        // Both are mixed, so that neither neighbouring seeds nor neighbouring streams begin at neighbouring states.
        let seed = Random(seed).next_u64();
        Random(Random(seed ^ stream).next_u64())
    }

    /// The next number.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// The next number below `bound`; zero if `bound` is zero. One value is likelier than another by at most `bound` / 2^64.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }

    /// True `of_million` times in a million.
    pub const fn chance(&mut self, of_million: u32) -> bool {
        self.below(1_000_000) < of_million as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        // First outputs for the seed 1234567, as in the reference C code's commonly used test vector.
        let mut random = Random::new(1_234_567);
        let numbers: [u64; 3] = std::array::from_fn(|_| random.next_u64());
        assert_eq!(
            numbers,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn streams_of_one_seed_differ_and_repeat() {
        let first = |seed, stream| Random::stream(seed, stream).next_u64();
        assert_eq!(first(7, 1), first(7, 1));
        assert_ne!(first(7, 1), first(7, 2));
        assert_ne!(first(7, 1), first(8, 1));
        // The seed and the stream do not simply add up.
        assert_ne!(first(7, 8), first(8, 7));
    }

    #[test]
    fn below_reaches_every_value_and_stays_below() {
        let mut random = Random::new(3);
        let mut seen = [0u32; 5];
        for _ in 0..1_000 {
            seen[random.below(5) as usize] += 1;
        }
        assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
        assert_eq!(random.below(0), 0);
        assert!(!random.chance(0) && random.chance(1_000_000));
    }
}
