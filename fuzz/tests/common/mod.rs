//! What the tests of all targets need: chance that is the same in every run, and the seeds.
#![allow(dead_code, unreachable_pub, reason = "each test uses some of it")]

use std::fs;
use std::path::Path;

/// Xorshift.
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn octets(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| (self.next() >> 32) as u8).collect()
    }

    pub fn below(&mut self, below: usize) -> usize {
        (self.next() >> 16) as usize % below.max(1)
    }

    /// `octets`, with a few changes: one replaced, removed, doubled, or the end cut off.
    pub fn changed(&mut self, octets: &[u8]) -> Vec<u8> {
        let mut changed = octets.to_vec();
        for _ in 0..1 + self.below(4) {
            if changed.is_empty() {
                break;
            }
            let at = self.below(changed.len());
            match self.below(8) {
                0 => drop(changed.remove(at)),
                1 => changed.insert(at, changed[at]),
                2 => changed.truncate(at),
                _ => changed[at] = self.next() as u8,
            }
        }
        changed
    }
}

/// The seeds of a target, by name. There is at least one.
pub fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut seeds: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("the folder can be listed").path())
        .map(|path| (path.display().to_string(), fs::read(&path).expect("a seed can be read")))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{target} has seeds");
    seeds
}
