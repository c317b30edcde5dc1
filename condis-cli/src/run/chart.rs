//! The crossings of one call in the two worlds, side by side.

use condis::names::Function;
use condis::role::RoleKind;
use condis::trace::{ObjectId, VcId};

use super::build::World;
use super::log::Entry;
use crate::client::ledger::CallRecord;
use crate::lab::Manager;

/// One call over a call manager and one over an MCM, or just one of them.
pub(super) struct Chart {
    pub(super) columns: Vec<Column>,
    /// For each row, what crossed in each column.
    pub(super) rows: Vec<Vec<Option<Entry>>>,
}

pub(super) struct Column {
    pub(super) node: String,
    pub(super) manager: Manager,
    pub(super) vc: VcId,
}

impl Chart {
    /// The first call made in each of the two worlds.
    pub(super) fn of(world: &World, calls: &[CallRecord]) -> Option<Chart> {
        let found: Vec<_> = [Manager::CallManager, Manager::Mcm]
            .into_iter()
            .filter_map(|manager| first_call(world, calls, manager))
            .collect();
        let (columns, crossings): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let rows = match &crossings[..] {
            [] => return None,
            [one] => one.iter().map(|entry| vec![Some(entry.clone())]).collect(),
            [left, right, ..] => side_by_side(left, right),
        };
        Some(Chart { columns, rows })
    }
}

fn first_call(world: &World, calls: &[CallRecord], manager: Manager) -> Option<(Column, Vec<Entry>)> {
    for node in &world.nodes {
        // In a node with both kinds it would take more to tell which VC is whose.
        if node.adapters.iter().any(|adapter| adapter.manager != manager) {
            continue;
        }
        let of_node = |call: &&CallRecord| call.made && call.node == node.node.name();
        let Some(vc) = calls.iter().find(of_node).and_then(|call| call.vc) else { continue };
        let column = Column { node: node.node.name().to_owned(), manager, vc };
        return Some((column, of_call(&node.log.entries(), ObjectId::Vc(vc))));
    }
    None
}

/// From the creation of the VC to its deletion: what is about it, and what is signaled while the call comes up or goes down.
fn of_call(entries: &[Entry], vc: ObjectId) -> Vec<Entry> {
    let at = |found: &dyn Fn(&Entry) -> bool| entries.iter().position(found);
    let Some(first) = at(&|entry| entry.object == vc) else { return Vec::new() };
    let last = entries.iter().rposition(|entry| entry.object == vc).unwrap_or(first);
    let create = entries[..=first].iter().rposition(|entry| {
        entry.function == Function::NdisCoCreateVc && entry.down && entry.role == RoleKind::Client
    });
    let create = create.unwrap_or(first);
    let made = at(&|entry| {
        entry.object == vc && !entry.down && entry.function == Function::ProtocolClMakeCallComplete
    });
    let closing = at(&|entry| entry.object == vc && entry.function == Function::NdisClCloseCall);
    let creating = |index: usize, entry: &Entry| {
        matches!(entry.object, ObjectId::Af(_))
            && matches!(entry.function, Function::NdisCoCreateVc | Function::ProtocolCoCreateVc)
            && entries[create..index].iter().all(|before| !is_call(before.function))
    };
    let signals = |index: usize, entry: &Entry| {
        entry.signaling
            && entry.is_data()
            && (made.is_none_or(|made| index < made) || closing.is_some_and(|closing| index > closing))
    };
    let kept = (create..=last).filter(|&index| {
        let entry = &entries[index];
        entry.object == vc || creating(index, entry) || signals(index, entry)
    });
    kept.map(|index| entries[index].clone()).collect()
}

fn is_call(function: Function) -> bool {
    function == Function::NdisClMakeCall
}

/// The longest common subsequence in the middle, what only one has beside it.
fn side_by_side(left: &[Entry], right: &[Entry]) -> Vec<Vec<Option<Entry>>> {
    let mut common = vec![vec![0_usize; right.len() + 1]; left.len() + 1];
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            common[i][j] = if same(&left[i], &right[j]) {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut rows) = (0, 0, Vec::new());
    while i < left.len() || j < right.len() {
        if i < left.len() && j < right.len() && same(&left[i], &right[j]) {
            rows.push(vec![Some(left[i].clone()), Some(right[j].clone())]);
            (i, j) = (i + 1, j + 1);
        } else if i < left.len() && (j == right.len() || common[i + 1][j] >= common[i][j + 1]) {
            rows.push(vec![Some(left[i].clone()), None]);
            i += 1;
        } else {
            rows.push(vec![None, Some(right[j].clone())]);
            j += 1;
        }
    }
    rows
}

/// The same crossing, but for whether an MCM or a call manager makes it.
fn same(a: &Entry, b: &Entry) -> bool {
    let plain = |entry: &Entry| entry.function.name().replace("NdisMCm", "NdisCm");
    a.signaling == b.signaling && a.down == b.down && plain(a) == plain(b)
}

/// `client   >  NdisClMakeCall`: the driver, who calls whom, and what.
pub(super) fn show(entry: &Entry) -> String {
    let role = match entry.role {
        RoleKind::Client => "client",
        RoleKind::CallManager => "cm",
        RoleKind::Mcm => "mcm",
        RoleKind::Miniport => "miniport",
    };
    let arrow = if entry.down { '>' } else { '<' };
    let mark = if entry.signaling { '*' } else { ' ' };
    let count = if entry.count > 1 { format!("{} x ", entry.count) } else { String::new() };
    format!("{role:<8} {arrow}{mark} {count}{}", entry.function.name())
}
