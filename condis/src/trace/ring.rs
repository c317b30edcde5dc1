use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use super::{Crossing, ObjectId, Report, Sink, Way};
use crate::names::Function;
use crate::role::RoleKind;
use crate::runtime::Time;

/// A crossing that was kept.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the fields of `Crossing`, owned")]
pub struct Event {
    pub at: Time,
    pub node: Arc<str>,
    pub driver: Arc<str>,
    pub role: RoleKind,
    pub way: Way,
    pub function: Function,
    pub object: ObjectId,
}

impl Event {
    /// The crossing that was kept.
    pub fn crossing(&self) -> Crossing<'_> {
        Crossing {
            at: self.at,
            node: &self.node,
            driver: &self.driver,
            role: self.role,
            way: self.way,
            function: self.function,
            object: self.object,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.crossing().fmt(f)
    }
}

/// Keeps the last events and reports of a node.
#[derive(Debug)]
pub struct Ring {
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    events: VecDeque<Event>,
    reports: VecDeque<Report>,
}

impl Ring {
    /// Keeps up to `capacity` events and as many reports.
    pub fn new(capacity: usize) -> Ring {
        Ring { capacity, kept: Mutex::default() }
    }

    /// The events kept, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.kept.lock().expect("nothing panics inside").events.iter().cloned().collect()
    }

    /// The reports kept, oldest first.
    pub fn reports(&self) -> Vec<Report> {
        self.kept.lock().expect("nothing panics inside").reports.iter().cloned().collect()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *self.kept.lock().expect("nothing panics inside") = Kept::default();
    }
}

fn push<T>(queue: &mut VecDeque<T>, capacity: usize, item: T) {
    if queue.len() == capacity {
        queue.pop_front();
    }
    if capacity > 0 {
        queue.push_back(item);
    }
}

impl Sink for Ring {
    fn crossing(&self, c: &Crossing<'_>) {
        let event = Event {
            at: c.at,
            node: c.node.into(),
            driver: c.driver.into(),
            role: c.role,
            way: c.way,
            function: c.function,
            object: c.object,
        };
        push(&mut self.kept.lock().expect("nothing panics inside").events, self.capacity, event);
    }

    fn report(&self, report: &Report) {
        push(&mut self.kept.lock().expect("nothing panics inside").reports, self.capacity, report.clone());
    }
}
