//! The fibre and its ends: the glass, put on a runtime.

use std::fmt;
use std::sync::{Arc, Weak};

use condis::runtime::Runtime;

use super::FibreConditions;
use super::glass::{End, Glass};
use crate::atm::{AtmLink, AtmLinkUser, Cell, Form, Sdu};
use crate::counters::{Count, Counters};
use crate::pump::Pump;

/// A fibre in memory; see the [module](super) for what it does to a cell.
///
/// This is the hand on it: it cuts, mends and changes it. A clone is the same fibre, which lives as long as one of them, or one
/// of its ends.
#[derive(Clone)]
pub struct Fibre {
    pump: Arc<Pump<Glass>>,
    counters: [Arc<Counters>; 2],
}

impl Fibre {
    /// A fibre and its two ends, called `name/a` and `name/b`. All that is random on it follows from `seed`.
    pub fn new(
        runtime: Arc<dyn Runtime>,
        name: &str,
        conditions: FibreConditions,
        seed: u64,
    ) -> (Fibre, [Arc<FibreEnd>; 2]) {
        let counters: [Arc<Counters>; 2] = Default::default();
        let pump = Pump::new(runtime, name, Glass::new(conditions, seed, counters.clone()));
        let ends = [(End::A, "a"), (End::B, "b")].map(|(end, letter)| {
            let name = format!("{name}/{letter}");
            Arc::new(FibreEnd { pump: pump.clone(), end, name, counters: counters[end as usize].clone() })
        });
        (Fibre { pump, counters }, ends)
    }

    /// The fibre's name.
    pub fn name(&self) -> &str {
        self.pump.name()
    }

    /// What the fibre does to cells at present.
    pub fn conditions(&self) -> FibreConditions {
        self.pump.with(|glass| glass.conditions.clone())
    }

    /// Changes what the fibre does to the cells that are sent from now on.
    pub fn set_conditions(&self, conditions: FibreConditions) {
        self.pump.with(|glass| glass.set_conditions(conditions));
    }

    /// Cuts both ways. What is under way is lost.
    pub fn cut(&self) {
        self.pump.act(|glass, now| glass.set_cut(now, true));
    }

    /// Mends both ways.
    pub fn mend(&self) {
        self.pump.act(|glass, now| glass.set_cut(now, false));
    }
}

impl fmt::Debug for Fibre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = &self.counters;
        write!(f, "fibre {}: a: {a}; b: {b}", self.name())
    }
}

/// One end of a [`Fibre`]. Dropping it closes it.
pub struct FibreEnd {
    pump: Arc<Pump<Glass>>,
    end: End,
    name: String,
    counters: Arc<Counters>,
}

impl AtmLink for FibreEnd {
    fn name(&self) -> &str {
        &self.name
    }

    fn form(&self) -> Form {
        Form::Cells
    }

    fn cells_per_s(&self) -> Option<u64> {
        self.pump.with(|glass| glass.conditions.cells_per_s.map(u64::from))
    }

    fn is_up(&self) -> bool {
        self.pump.with(|glass| glass.is_up(self.end))
    }

    fn attach(&self, user: Weak<dyn AtmLinkUser>) {
        self.pump.with(|glass| glass.set_user(self.end, user));
    }

    fn transmit_cells(&self, cells: &[Cell]) -> usize {
        self.pump.act(|glass, now| glass.transmit(now, self.end, cells))
    }

    fn transmit_sdus(&self, sdus: &[Sdu<'_>]) -> usize {
        self.counters.add(Count::WrongForm, sdus.len() as u64);
        sdus.len()
    }

    fn close(&self) {
        self.pump.act(|glass, _| glass.close(self.end));
    }

    fn counters(&self) -> &Counters {
        &self.counters
    }
}

impl Drop for FibreEnd {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for FibreEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fibre end {}: {}", self.name, self.counters)
    }
}
