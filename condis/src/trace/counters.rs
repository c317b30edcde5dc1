use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{Crossing, Sink, Way};
use crate::names::Function;

/// Counts the crossings of a node by documented name.
#[derive(Debug)]
pub struct Counters {
    counts: Vec<AtomicU64>,
}

impl Default for Counters {
    fn default() -> Self {
        Counters { counts: Function::ALL.iter().map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Counters {
    /// How often `function` crossed.
    pub fn get(&self, function: Function) -> u64 {
        self.counts[function as usize].load(Relaxed)
    }

    /// All names that crossed at all, in alphabetical order.
    pub fn by_name(&self) -> BTreeMap<&'static str, u64> {
        Function::ALL.iter().map(|f| (f.name(), self.get(*f))).filter(|(_, n)| *n > 0).collect()
    }
}

impl Sink for Counters {
    fn crossing(&self, crossing: &Crossing<'_>) {
        if !matches!(crossing.way, Way::Returned(_)) {
            self.counts[crossing.function as usize].fetch_add(1, Relaxed);
        }
    }
}
