//! What crossed the NDIS boundary of a node, kept short: the data of a call is one entry for each function.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use condis::names::Function;
use condis::role::RoleKind;
use condis::trace::{Crossing, ObjectId, Report, Sink, Way};

/// Keeps the first crossings of a node, and the first reports.
#[derive(Default)]
pub(super) struct Log(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    entries: Vec<Entry>,
    signaling: BTreeSet<ObjectId>,
    /// The entries of the data that passes an object since its last crossing of another kind.
    data: BTreeMap<ObjectId, Vec<usize>>,
    reports: Vec<String>,
}

/// A crossing, or several of one function in a run of data.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) role: RoleKind,
    /// The driver called NDIS; else NDIS called the driver.
    pub(super) down: bool,
    pub(super) function: Function,
    pub(super) object: ObjectId,
    pub(super) count: u64,
    /// On a call manager's own VC.
    pub(super) signaling: bool,
}

impl Entry {
    pub(super) fn is_data(&self) -> bool {
        is_data(self.function)
    }
}

impl Log {
    pub(super) fn entries(&self) -> Vec<Entry> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = kept.entries.clone();
        for entry in &mut entries {
            entry.signaling = kept.signaling.contains(&entry.object);
        }
        entries
    }

    /// What crossed between clients and NDIS, without data.
    pub(super) fn of_clients(&self) -> Vec<(ObjectId, &'static str)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_clients =
            kept.entries.iter().filter(|entry| entry.role == RoleKind::Client && !entry.is_data());
        of_clients.map(|entry| (entry.object, entry.function.name())).collect()
    }

    pub(super) fn reports(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).reports.clone()
    }
}

impl Sink for Log {
    fn crossing(&self, crossing: &Crossing<'_>) {
        if matches!(crossing.way, Way::Returned(_)) {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.enter(Entry {
            role: crossing.role,
            down: crossing.way == Way::Down,
            function: crossing.function,
            object: crossing.object,
            count: 1,
            signaling: false,
        });
    }

    fn report(&self, report: &Report) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.reports.len() < REPORTS_MAX {
            kept.reports.push(report.to_string());
        }
    }
}

impl Kept {
    fn enter(&mut self, entry: Entry) {
        if !entry.is_data() {
            self.data.remove(&entry.object);
        } else if entry.role == RoleKind::CallManager {
            // Only its own VCs carry data for a call manager.
            self.signaling.insert(entry.object);
        } else if !self.signaling.contains(&entry.object) {
            let run = self.data.entry(entry.object).or_default();
            let same = |at: &&usize| self.entries[**at].function == entry.function;
            if let Some(at) = run.iter().find(same) {
                self.entries[*at].count += 1;
                return;
            }
            run.push(self.entries.len());
        }
        if self.entries.len() < ENTRIES_MAX {
            self.entries.push(entry);
        } else {
            self.data.clear();
        }
    }
}

fn is_data(function: Function) -> bool {
    function.name().contains("NetBufferLists")
}

/// Some hundred calls.
const ENTRIES_MAX: usize = 20_000;
const REPORTS_MAX: usize = 100;
