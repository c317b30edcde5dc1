//! The tables of prefixes and addresses, and what is to be done about them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::config::{IlmiOutput, Prefix, Role};
use super::mib::{
    ADDRESS_ORG_SCOPE, ADDRESS_STATUS, DEVICE_NODE, DEVICE_USER, INVALID, NET_PREFIX_STATUS,
    SCOPE_LOCAL_NETWORK, THIS_INTERFACE, VALID,
};
use super::wire::{ErrorStatus, Oid, Pdu, Value, VarBind};
use crate::addr::{AtmAddress, Esi};

/// Prefixes of one interface at most. Networks give one, or a few.
pub const PREFIXES_MAX: usize = 16;

/// End systems of one interface at most.
pub const ESIS_MAX: usize = 16;

/// Addresses of one interface at most: each end system under each prefix.
pub const ADDRESSES_MAX: usize = PREFIXES_MAX * ESIS_MAX;

/// There is no more room, or it is the other side that has such things.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// [`PREFIXES_MAX`] prefixes are there.
    #[error("{PREFIXES_MAX} prefixes are there already")]
    Prefixes,
    /// [`ESIS_MAX`] end systems are there.
    #[error("{ESIS_MAX} end systems are there already")]
    Esis,
    /// The user side gives no prefixes, and the network side has no end systems.
    #[error("this is the other side's to do")]
    OtherSide,
}

type Nsap = [u8; AtmAddress::NSAP_OCTETS];

/// The tables of one side.
pub(super) enum Registry {
    User(UserTables),
    Network(NetworkTables),
}

/// The user has the prefixes that the network has given, and wants an address for each end system under each.
#[derive(Default)]
pub(super) struct UserTables {
    pub(super) esis: BTreeSet<Esi>,
    pub(super) prefixes: BTreeSet<Prefix>,
    addresses: BTreeMap<Nsap, Standing>,
}

/// The network wants its prefixes with the user, and has the addresses that the user has registered.
#[derive(Default)]
pub(super) struct NetworkTables {
    ask: bool,
    prefixes: BTreeMap<Prefix, Standing>,
    addresses: BTreeSet<Nsap>,
    /// Requests that wait for the owner.
    asked: BTreeMap<Nsap, Pdu>,
}

/// How a row stands that is ours to set in the peer's table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    /// It is to be set.
    Wanted,
    /// The peer has it.
    Registered,
    /// The peer had it and has lost it. It is to be set again, and its owner takes it for registered meanwhile.
    Lost,
    /// The peer would not have it.
    Refused,
    /// It is to be taken back.
    Unwanted,
}

/// A row of one of the two tables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Row {
    Prefix(Prefix),
    Address(Nsap),
}

/// That a row is to be there, or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub(super) row: Row,
    pub(super) valid: bool,
}

/// What is to be done with a SetRequest.
pub(super) enum SetOutcome {
    /// It is done.
    Done,
    /// It is refused, because of the variable with this number.
    Refused(ErrorStatus, usize),
    /// The owner is asked, and the request kept.
    Asked,
}

impl Row {
    pub(super) fn name(self) -> Oid {
        match self {
            Row::Prefix(prefix) => row_name(NET_PREFIX_STATUS, &prefix),
            Row::Address(address) => row_name(ADDRESS_STATUS, &address),
        }
    }

    /// Which row this names, if it is one of either status column.
    fn parse(name: &Oid) -> Option<Result<Row, ErrorStatus>> {
        if let Some(index) = name.strip_prefix(NET_PREFIX_STATUS) {
            return Some(index_octets(index).map(Row::Prefix));
        }
        let index = name.strip_prefix(ADDRESS_STATUS)?;
        Some(index_octets(index).map(Row::Address))
    }
}

impl Change {
    /// The variable by which the peer is told.
    pub(super) fn var(self) -> VarBind {
        let status = if self.valid { VALID } else { INVALID };
        VarBind { name: self.row.name(), value: Value::Integer(status) }
    }
}

impl Registry {
    pub(super) fn new(role: &Role) -> Registry {
        match role {
            Role::User { esis } => {
                let esis = esis.iter().copied().take(ESIS_MAX).collect();
                Registry::User(UserTables { esis, ..UserTables::default() })
            }
            Role::Network { prefixes, ask } => {
                let prefixes = prefixes.iter().take(PREFIXES_MAX).map(|prefix| (*prefix, Standing::Wanted));
                Registry::Network(NetworkTables {
                    ask: *ask,
                    prefixes: prefixes.collect(),
                    ..NetworkTables::default()
                })
            }
        }
    }

    /// atmfAtmLayerDeviceType.
    pub(super) fn device(&self) -> i64 {
        match self {
            Registry::User(_) => DEVICE_USER,
            Registry::Network(_) => DEVICE_NODE,
        }
    }

    /// The rows that the peer may read.
    pub(super) fn rows(&self) -> Vec<(Oid, Value)> {
        let valid = Value::Integer(VALID);
        match self {
            Registry::User(user) => {
                user.prefixes.iter().map(|prefix| (Row::Prefix(*prefix).name(), valid.clone())).collect()
            }
            Registry::Network(network) => {
                let status =
                    network.addresses.iter().map(|address| (Row::Address(*address).name(), valid.clone()));
                let scope = network.addresses.iter().map(|address| {
                    (row_name(ADDRESS_ORG_SCOPE, address), Value::Integer(SCOPE_LOCAL_NETWORK))
                });
                status.chain(scope).collect()
            }
        }
    }

    /// The prefixes: given to the user, or by the network, whether the user has them or not.
    pub(super) fn prefixes(&self) -> Vec<Prefix> {
        match self {
            Registry::User(user) => user.prefixes.iter().copied().collect(),
            Registry::Network(network) => {
                let kept = network.prefixes.iter().filter(|(_, standing)| **standing != Standing::Unwanted);
                kept.map(|(prefix, _)| *prefix).collect()
            }
        }
    }

    /// The addresses that are registered.
    pub(super) fn addresses(&self) -> Vec<AtmAddress> {
        match self {
            Registry::User(user) => {
                let registered = user.addresses.iter().filter(|(_, standing)| standing.is_registered());
                registered.map(|(address, _)| AtmAddress::Nsap(*address)).collect()
            }
            Registry::Network(network) => {
                network.addresses.iter().map(|address| AtmAddress::Nsap(*address)).collect()
            }
        }
    }

    /// Forgets all that has been agreed with the peer.
    pub(super) fn clear(&mut self, outputs: &mut VecDeque<IlmiOutput>) {
        outputs.extend(self.addresses().into_iter().map(IlmiOutput::AddressRemoved));
        match self {
            Registry::User(user) => {
                user.addresses.clear();
                if !user.prefixes.is_empty() {
                    user.prefixes.clear();
                    outputs.push_back(IlmiOutput::PrefixesChanged);
                }
            }
            Registry::Network(network) => {
                network.addresses.clear();
                network.asked.clear();
                network.prefixes.retain(|_, standing| *standing != Standing::Unwanted);
                network.prefixes.values_mut().for_each(|standing| *standing = Standing::Wanted);
            }
        }
    }

    /// What the peer is to be told next. First what is to go, so that there is room.
    pub(super) fn next_change(&self) -> Option<Change> {
        let find = |wanted: Standing| match self {
            Registry::User(user) => first(&user.addresses, wanted).map(Row::Address),
            Registry::Network(network) => first(&network.prefixes, wanted).map(Row::Prefix),
        };
        let gone = find(Standing::Unwanted).map(|row| Change { row, valid: false });
        let missing = || find(Standing::Lost).or_else(|| find(Standing::Wanted));
        gone.or_else(|| missing().map(|row| Change { row, valid: true }))
    }

    /// One of the rows that the peer has, to be asked for: another with every `turn`.
    pub(super) fn row_to_verify(&self, turn: usize) -> Option<Row> {
        match self {
            Registry::User(user) => nth_registered(&user.addresses, turn).map(Row::Address),
            Registry::Network(network) => nth_registered(&network.prefixes, turn).map(Row::Prefix),
        }
    }

    /// Whether the peer has the row, for all that it has said.
    pub(super) fn is_registered(&self, row: Row) -> bool {
        self.standing(row) == Some(Standing::Registered)
    }

    /// Whether the row is to be set again.
    pub(super) fn is_lost(&self, row: Row) -> bool {
        self.standing(row) == Some(Standing::Lost)
    }

    fn standing(&self, row: Row) -> Option<Standing> {
        match (self, row) {
            (Registry::User(user), Row::Address(address)) => user.addresses.get(&address).copied(),
            (Registry::Network(network), Row::Prefix(prefix)) => network.prefixes.get(&prefix).copied(),
            (Registry::User(_), Row::Prefix(_)) | (Registry::Network(_), Row::Address(_)) => None,
        }
    }

    /// The peer does not have the row any more. It is to be told again.
    pub(super) fn row_lost(&mut self, row: Row) {
        let standing = match (self, row) {
            (Registry::User(user), Row::Address(address)) => user.addresses.get_mut(&address),
            (Registry::Network(network), Row::Prefix(prefix)) => network.prefixes.get_mut(&prefix),
            (Registry::User(_), Row::Prefix(_)) | (Registry::Network(_), Row::Address(_)) => None,
        };
        if let Some(standing @ Standing::Registered) = standing {
            *standing = Standing::Lost;
        }
    }

    /// The peer has answered what it was told.
    pub(super) fn change_answered(
        &mut self,
        change: Change,
        accepted: bool,
        outputs: &mut VecDeque<IlmiOutput>,
    ) {
        let outcome = if accepted { Standing::Registered } else { Standing::Refused };
        match (self, change.row) {
            (Registry::User(user), Row::Address(address)) => {
                let before = answered(&mut user.addresses, address, change.valid, outcome);
                let address = || AtmAddress::Nsap(address);
                match (before, accepted) {
                    (Some(Standing::Wanted), true) => {
                        outputs.push_back(IlmiOutput::AddressRegistered(address()))
                    }
                    (Some(Standing::Wanted), false) => {
                        outputs.push_back(IlmiOutput::AddressRefused(address()))
                    }
                    (Some(Standing::Lost), false) => {
                        outputs.push_back(IlmiOutput::AddressRemoved(address()));
                        outputs.push_back(IlmiOutput::AddressRefused(address()));
                    }
                    (_, _) => {}
                }
            }
            (Registry::Network(network), Row::Prefix(prefix)) => {
                answered(&mut network.prefixes, prefix, change.valid, outcome);
            }
            (Registry::User(_), Row::Prefix(_)) | (Registry::Network(_), Row::Address(_)) => {}
        }
    }

    /// Does what a SetRequest asks for: all of it, or nothing.
    pub(super) fn set(&mut self, request: &Pdu, outputs: &mut VecDeque<IlmiOutput>) -> SetOutcome {
        let mut changes = Vec::new();
        for (at, var) in request.vars.iter().enumerate() {
            match self.check(var) {
                Ok(change) => changes.extend(change.map(|change| (at + 1, change))),
                Err(error) => return SetOutcome::Refused(error, at + 1),
            }
        }
        if let Registry::Network(network) = self
            && network.ask
            && let Some(address) = network.first_unknown(&changes)
        {
            // One at a time is asked for; nobody sends more.
            if changes.len() > 1 || network.asked.len() >= ADDRESSES_MAX {
                return SetOutcome::Refused(ErrorStatus::GenErr, 1);
            }
            if network.asked.insert(address, request.clone()).is_none() {
                outputs.push_back(IlmiOutput::AddressAsked(AtmAddress::Nsap(address)));
            }
            return SetOutcome::Asked;
        }
        if let Some(index) = self.first_without_room(&changes) {
            return SetOutcome::Refused(ErrorStatus::GenErr, index);
        }
        for (index, change) in changes {
            if let Err(error) = self.apply(change, outputs) {
                return SetOutcome::Refused(error, index);
            }
        }
        SetOutcome::Done
    }

    /// The number of the first change for which there would be no room once those before it are done.
    fn first_without_room(&self, changes: &[(usize, Change)]) -> Option<usize> {
        let (mut rows, max): (BTreeSet<Row>, usize) = match self {
            Registry::User(user) => (user.prefixes.iter().copied().map(Row::Prefix).collect(), PREFIXES_MAX),
            Registry::Network(network) => {
                (network.addresses.iter().copied().map(Row::Address).collect(), ADDRESSES_MAX)
            }
        };
        let has_no_room = |(_, change): &&(usize, Change)| {
            match change.valid {
                true => rows.insert(change.row),
                false => rows.remove(&change.row),
            };
            rows.len() > max
        };
        changes.iter().find(has_no_room).map(|(index, _)| *index)
    }

    /// What one variable of a SetRequest asks for. Nothing, if it is the scope of an address.
    fn check(&self, var: &VarBind) -> Result<Option<Change>, ErrorStatus> {
        let status = var.value.integer().ok_or(ErrorStatus::BadValue);
        if let (Registry::Network(_), Some(index)) = (self, var.name.strip_prefix(ADDRESS_ORG_SCOPE)) {
            index_octets::<{ AtmAddress::NSAP_OCTETS }>(index)?;
            let known = SCOPES.contains(&status?);
            return if known { Ok(None) } else { Err(ErrorStatus::BadValue) };
        }
        let row = Row::parse(&var.name).ok_or(ErrorStatus::NoSuchName)??;
        let valid = match status? {
            VALID => true,
            INVALID => false,
            _ => return Err(ErrorStatus::BadValue),
        };
        match (self, row) {
            (Registry::User(_), Row::Prefix(_)) => {}
            (Registry::Network(network), Row::Address(address)) => {
                if valid && !network.has_prefix_of(&address) {
                    return Err(ErrorStatus::BadValue);
                }
            }
            (Registry::User(_), Row::Address(_)) | (Registry::Network(_), Row::Prefix(_)) => {
                return Err(ErrorStatus::NoSuchName);
            }
        }
        Ok(Some(Change { row, valid }))
    }

    /// Does one thing that the peer asks for. Twice is once.
    fn apply(&mut self, change: Change, outputs: &mut VecDeque<IlmiOutput>) -> Result<(), ErrorStatus> {
        match (self, change) {
            (Registry::User(user), Change { row: Row::Prefix(prefix), valid: true }) => {
                if user.prefixes.contains(&prefix) {
                    return Ok(());
                }
                if user.prefixes.len() >= PREFIXES_MAX {
                    return Err(ErrorStatus::GenErr);
                }
                user.prefixes.insert(prefix);
                outputs.push_back(IlmiOutput::PrefixesChanged);
                user.esis.iter().for_each(|esi| want(&mut user.addresses, nsap(&prefix, *esi)));
            }
            (Registry::User(user), Change { row: Row::Prefix(prefix), valid: false }) => {
                if user.prefixes.remove(&prefix) {
                    user.drop_addresses(|address| address.starts_with(&prefix), outputs);
                    outputs.push_back(IlmiOutput::PrefixesChanged);
                }
            }
            (Registry::Network(network), Change { row: Row::Address(address), valid: true }) => {
                if network.addresses.contains(&address) {
                    return Ok(());
                }
                if network.addresses.len() >= ADDRESSES_MAX {
                    return Err(ErrorStatus::GenErr);
                }
                network.addresses.insert(address);
                outputs.push_back(IlmiOutput::AddressRegistered(AtmAddress::Nsap(address)));
            }
            (Registry::Network(network), Change { row: Row::Address(address), valid: false }) => {
                network.asked.remove(&address);
                if network.addresses.remove(&address) {
                    outputs.push_back(IlmiOutput::AddressRemoved(AtmAddress::Nsap(address)));
                }
            }
            // Never comes out of `check`.
            (Registry::User(_), Change { row: Row::Address(_), .. })
            | (Registry::Network(_), Change { row: Row::Prefix(_), .. }) => {
                return Err(ErrorStatus::NoSuchName);
            }
        }
        Ok(())
    }

    /// The owner says whether the address may be registered. Gives the request that is to be answered, if one waits.
    pub(super) fn answer(
        &mut self,
        address: &AtmAddress,
        accept: bool,
        outputs: &mut VecDeque<IlmiOutput>,
    ) -> Option<(Pdu, Result<(), ErrorStatus>)> {
        let AtmAddress::Nsap(octets) = *address else { return None };
        let Registry::Network(network) = self else { return None };
        let request = network.asked.remove(&octets)?;
        let change = Change { row: Row::Address(octets), valid: true };
        // The prefix may have gone meanwhile.
        let allowed = accept && network.has_prefix_of(&octets);
        let outcome = if allowed { self.apply(change, outputs) } else { Err(ErrorStatus::BadValue) };
        Some((request, outcome))
    }

    pub(super) fn add_esi(&mut self, esi: Esi) -> Result<(), LimitError> {
        let Registry::User(user) = self else { return Err(LimitError::OtherSide) };
        if user.esis.len() >= ESIS_MAX && !user.esis.contains(&esi) {
            return Err(LimitError::Esis);
        }
        if user.esis.insert(esi) {
            user.prefixes.iter().for_each(|prefix| want(&mut user.addresses, nsap(prefix, esi)));
        }
        Ok(())
    }

    pub(super) fn remove_esi(&mut self, esi: Esi, outputs: &mut VecDeque<IlmiOutput>) {
        let Registry::User(user) = self else { return };
        if user.esis.remove(&esi) {
            let its = user.prefixes.iter().map(|prefix| nsap(prefix, esi));
            let lost = its.filter(|address| unwant(&mut user.addresses, *address));
            outputs.extend(lost.map(|address| IlmiOutput::AddressRemoved(AtmAddress::Nsap(address))));
        }
    }

    pub(super) fn add_prefix(&mut self, prefix: Prefix) -> Result<(), LimitError> {
        let Registry::Network(network) = self else { return Err(LimitError::OtherSide) };
        if network.prefixes.len() >= PREFIXES_MAX && !network.prefixes.contains_key(&prefix) {
            return Err(LimitError::Prefixes);
        }
        want(&mut network.prefixes, prefix);
        Ok(())
    }

    pub(super) fn remove_prefix(&mut self, prefix: Prefix, outputs: &mut VecDeque<IlmiOutput>) {
        let Registry::Network(network) = self else { return };
        unwant(&mut network.prefixes, prefix);
        network.asked.retain(|address, _| !address.starts_with(&prefix));
        network.addresses.retain(|address| {
            let kept = !address.starts_with(&prefix);
            if !kept {
                outputs.push_back(IlmiOutput::AddressRemoved(AtmAddress::Nsap(*address)));
            }
            kept
        });
    }
}

impl UserTables {
    /// Forgets addresses that the network has dropped with their prefix.
    fn drop_addresses(&mut self, gone: impl Fn(&Nsap) -> bool, outputs: &mut VecDeque<IlmiOutput>) {
        self.addresses.retain(|address, standing| {
            let kept = !gone(address);
            if !kept && standing.is_registered() {
                outputs.push_back(IlmiOutput::AddressRemoved(AtmAddress::Nsap(*address)));
            }
            kept
        });
    }
}

impl NetworkTables {
    /// Whether the address lies under a prefix that the user has, or is about to get.
    fn has_prefix_of(&self, address: &Nsap) -> bool {
        let given = |standing: &Standing| match standing {
            Standing::Wanted | Standing::Registered | Standing::Lost => true,
            Standing::Refused | Standing::Unwanted => false,
        };
        self.prefixes.iter().any(|(prefix, standing)| given(standing) && address.starts_with(prefix))
    }

    /// The first address that is to be registered and is not.
    fn first_unknown(&self, changes: &[(usize, Change)]) -> Option<Nsap> {
        changes.iter().find_map(|(_, change)| match *change {
            Change { row: Row::Address(address), valid: true } => {
                (!self.addresses.contains(&address)).then_some(address)
            }
            _ => None,
        })
    }
}

impl Standing {
    /// Whether the owner takes it for registered.
    fn is_registered(self) -> bool {
        matches!(self, Standing::Registered | Standing::Lost)
    }
}

/// Has the row set, unless the peer has it.
fn want<K: Ord>(rows: &mut BTreeMap<K, Standing>, row: K) {
    let standing = rows.entry(row).or_insert(Standing::Wanted);
    if !standing.is_registered() {
        *standing = Standing::Wanted;
    }
}

/// Has the row taken back. True if the peer had it. One of which a request may be under way is taken back as well.
fn unwant<K: Ord>(rows: &mut BTreeMap<K, Standing>, row: K) -> bool {
    let Some(standing) = rows.get_mut(&row) else { return false };
    let had = standing.is_registered();
    if *standing == Standing::Refused {
        rows.remove(&row);
    } else {
        *standing = Standing::Unwanted;
    }
    had
}

/// Notes what the peer has said, and gives how a row stood before that is still wanted.
fn answered<K: Ord + Copy>(
    rows: &mut BTreeMap<K, Standing>,
    row: K,
    valid: bool,
    outcome: Standing,
) -> Option<Standing> {
    match (rows.get_mut(&row), valid) {
        (Some(standing @ (Standing::Wanted | Standing::Lost)), true) => {
            Some(std::mem::replace(standing, outcome))
        }
        (Some(Standing::Unwanted), false) => {
            // Whether the peer had it or not: it has it no more.
            rows.remove(&row);
            None
        }
        // It has been thought better of meanwhile, and is told again.
        (_, _) => None,
    }
}

fn nth_registered<K: Copy>(rows: &BTreeMap<K, Standing>, turn: usize) -> Option<K> {
    let registered = || rows.iter().filter(|(_, standing)| **standing == Standing::Registered);
    registered().nth(turn.checked_rem(registered().count())?).map(|(row, _)| *row)
}

fn first<K: Copy>(rows: &BTreeMap<K, Standing>, wanted: Standing) -> Option<K> {
    rows.iter().find(|(_, standing)| **standing == wanted).map(|(row, _)| *row)
}

fn nsap(prefix: &Prefix, esi: Esi) -> Nsap {
    let mut octets = [0; AtmAddress::NSAP_OCTETS];
    octets[..13].copy_from_slice(prefix);
    octets[13..19].copy_from_slice(&esi.0);
    octets
}

/// A row is named by the interface and by its octets, which are counted since their number may vary (RFC 1212 §4.1.6).
fn row_name(column: &[u32], octets: &[u8]) -> Oid {
    let index = [THIS_INTERFACE, octets.len() as u32];
    Oid::new(column).with(index.into_iter().chain(octets.iter().map(|octet| u32::from(*octet))))
}

/// The octets that name a row. E.164 prefixes and addresses have 8, and are not taken here.
fn index_octets<const N: usize>(index: &[u32]) -> Result<[u8; N], ErrorStatus> {
    let [THIS_INTERFACE, count, arcs @ ..] = index else { return Err(ErrorStatus::NoSuchName) };
    if *count as usize != arcs.len() {
        return Err(ErrorStatus::NoSuchName);
    }
    if arcs.len() != N {
        return Err(if arcs.len() == E164_OCTETS { ErrorStatus::BadValue } else { ErrorStatus::NoSuchName });
    }
    let mut octets = [0; N];
    for (octet, arc) in octets.iter_mut().zip(arcs) {
        *octet = u8::try_from(*arc).map_err(|_| ErrorStatus::NoSuchName)?;
    }
    Ok(octets)
}

/// Octets of an E.164 number in these tables.
const E164_OCTETS: usize = 8;

/// Values of atmfAddressOrgScope.
const SCOPES: std::ops::RangeInclusive<i64> = 1..=15;
