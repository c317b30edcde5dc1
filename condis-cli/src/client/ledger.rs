//! What became of the calls: written by the clients, read by whoever runs the lab.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use condis::status::NdisStatus;
use condis::trace::VcId;
use condis_atm::addr::AtmAddress;
use condis_atm::uni::CauseValue;

use super::frame::Tally;

/// One book for all clients of a lab.
#[derive(Default)]
pub struct Ledger {
    entries: Mutex<Entries>,
    changed: Condvar,
    version: AtomicU64,
    /// Says each call that comes up or ends on standard error.
    talkative: bool,
}

#[derive(Default)]
struct Entries {
    next: u64,
    calls: BTreeMap<u64, CallRecord>,
    /// Answered calls that are over are forgotten beyond [`ANSWERED_KEPT_MAX`]; here they stay counted.
    totals: Totals,
    /// By node and client.
    addresses: BTreeMap<(String, String), Vec<AtmAddress>>,
}

/// How many calls there were.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Calls that a client made.
    pub made: u64,
    /// Those of them that did all that was asked.
    pub done: u64,
    /// Calls that a client took.
    pub answered: u64,
    /// Calls that are over.
    pub over: u64,
    /// PPP frames that a client sent back.
    pub echoed_frames: u64,
}

/// A call at one of its ends.
#[derive(Clone, Debug)]
pub struct CallRecord {
    /// The node.
    pub node: String,
    /// The client.
    pub client: String,
    /// What was called, or what it came in for.
    pub service: String,
    /// Made here, or taken here.
    pub made: bool,
    /// Its place among the calls of the same client, from 1.
    pub number: usize,
    /// The VC.
    pub vc: Option<VcId>,
    /// Where it stands.
    pub stage: Stage,
    /// What this end sent as a caller, or heard as the called end.
    pub data: Tally,
    /// What a caller heard back.
    pub echo: Tally,
    /// What the other end reported to a caller.
    pub other: Option<Tally>,
    /// Which end closed it.
    pub closed_by: Option<ClosedBy>,
    /// Why it is over.
    pub ending: Option<Ending>,
    /// Of a call that came in over ATM: who was called, and who calls.
    pub parties: Option<(AtmAddress, Option<AtmAddress>)>,
    /// One of the ends of a point-to-multipoint call, or the called end of one.
    pub multipoint: bool,
    /// On a permanent connection, which stays up for whoever comes.
    pub permanent: bool,
    /// The peak cell rate that the call was changed to, as this end was told.
    pub changed_pcr: Option<u32>,
    /// What happened to further parties, in order.
    pub party_log: Vec<String>,
}

impl CallRecord {
    /// A call that begins.
    pub(crate) fn new(node: &str, client: &str, service: String, made: bool, number: usize) -> CallRecord {
        CallRecord {
            node: node.to_owned(),
            client: client.to_owned(),
            service,
            made,
            number,
            vc: None,
            stage: Stage::Dialing,
            data: Tally::default(),
            echo: Tally::default(),
            other: None,
            closed_by: None,
            ending: None,
            parties: None,
            multipoint: false,
            permanent: false,
            changed_pcr: None,
            party_log: Vec::new(),
        }
    }
}

/// Where a call stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// Not up yet.
    Dialing,
    /// Up.
    Up,
    /// All data has passed and was compared; it waits to be closed.
    Ready,
    /// It is being closed.
    Closing,
    /// Closed, and the VC inactive.
    Over,
}

/// Which end closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClosedBy {
    /// This one.
    Here,
    /// The other one, or the network.
    There,
}

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// All that was asked happened.
    Done,
    /// There was no VC to be had for it.
    NoVc(NdisStatus),
    /// It did not come up; with the cause, if the network tells one (Q.850).
    Refused(NdisStatus, Option<CauseValue>),
    /// It was refused for this cause, as it was to be.
    RefusedAsAsked(CauseValue),
    /// It was to be refused, and came up.
    NotRefused,
    /// It was closed by the other end, or by the network, before all was done; with the cause, if there is one.
    ClosedEarly(NdisStatus, Option<CauseValue>),
    /// A further party could not be added.
    NoParty(NdisStatus),
    /// The quality of service could not be changed.
    NotChanged(NdisStatus),
    /// Nothing moved for too long: so many octets never came back.
    Missing(u64),
    /// The other end never said what it had heard.
    NoReport,
    /// What one end sent and what the other heard are not the same.
    Differs,
    /// The other end did not hang up as it was asked to.
    NotHungUp,
    /// It was closed since the lab was stopped.
    Stopped,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Done => f.write_str("done"),
            Ending::NoVc(status) => write!(f, "no VC was to be had: {status}"),
            Ending::Refused(status, None) => write!(f, "it did not come up: {status}"),
            Ending::Refused(status, Some(cause)) => write!(f, "it did not come up: {}: {status}", Of(*cause)),
            Ending::RefusedAsAsked(cause) => write!(f, "refused: {}", Of(*cause)),
            Ending::NotRefused => f.write_str("it was to be refused, and came up"),
            Ending::ClosedEarly(status, None) => {
                write!(f, "the other end closed before all was done: {status}")
            }
            Ending::ClosedEarly(status, Some(cause)) => {
                write!(f, "it was closed before all was done: {}: {status}", Of(*cause))
            }
            Ending::NoParty(status) => write!(f, "a party could not be added: {status}"),
            Ending::NotChanged(status) => write!(f, "its rate could not be changed: {status}"),
            Ending::Missing(octets) => write!(f, "{octets} octets never came back"),
            Ending::NoReport => f.write_str("the other end did not report what it heard"),
            Ending::Differs => f.write_str("the checksums differ"),
            Ending::NotHungUp => f.write_str("the other end did not hang up when asked to"),
            Ending::Stopped => f.write_str("stopped"),
        }
    }
}

impl Ending {
    /// The cause that the network told, if it did (Q.850).
    pub fn cause(self) -> Option<u8> {
        match self {
            Ending::Refused(_, cause) | Ending::ClosedEarly(_, cause) => cause.map(|cause| cause.0),
            Ending::RefusedAsAsked(cause) => Some(cause.0),
            _ => None,
        }
    }

    /// True if all that was asked happened.
    pub fn is_as_asked(self) -> bool {
        matches!(self, Ending::Done | Ending::RefusedAsAsked(_))
    }
}

/// A cause with its number: `cause 3, no route to destination`.
pub(crate) struct Of(pub(crate) CauseValue);

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cause {}, {}", self.0.0, self.0.name().unwrap_or("unknown"))
    }
}

/// Names a call in the ledger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Entry(u64);

impl Ledger {
    /// An empty book. A `talkative` one says what happens on standard error.
    pub fn new(talkative: bool) -> Ledger {
        Ledger { talkative, ..Ledger::default() }
    }

    /// The calls, in the order in which they began.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.lock().calls.values().cloned().collect()
    }

    /// How many calls there were.
    pub fn totals(&self) -> Totals {
        self.lock().totals
    }

    /// How many of the calls that `client` of `node` made stand at `stage` or later.
    pub fn made(&self, node: &str, client: &str, stage: Stage) -> usize {
        let of = |call: &&CallRecord| {
            call.made && call.stage >= stage && call.node == node && call.client == client
        };
        self.lock().calls.values().filter(of).count()
    }

    /// How many calls are not over, the answering ends of permanent connections apart.
    pub fn alive(&self) -> usize {
        let waits = |call: &&CallRecord| call.stage != Stage::Over && (call.made || !call.permanent);
        self.lock().calls.values().filter(waits).count()
    }

    /// What the leaf at `called` has heard in the call that `calling` has up to it, as a point-to-multipoint call.
    pub(crate) fn heard_at(&self, called: &AtmAddress, calling: Option<&AtmAddress>) -> Option<Tally> {
        let entries = self.lock();
        let leaf = entries.calls.values().rev().find(|call| {
            let parties = call.parties.as_ref();
            !call.made
                && call.multipoint
                && call.stage != Stage::Over
                && parties
                    .is_some_and(|(to, from)| to == called && (calling.is_none() || from.as_ref() == calling))
        });
        leaf.map(|call| call.data)
    }

    /// Changes whenever anything does.
    pub fn version(&self) -> u64 {
        self.version.load(SeqCst)
    }

    /// Waits until something changes after `version`, at most `timeout`.
    pub fn wait(&self, version: u64, timeout: Duration) {
        let entries = self.lock();
        let unchanged = |_: &mut Entries| self.version.load(SeqCst) == version;
        drop(self.changed.wait_timeout_while(entries, timeout, unchanged));
    }

    /// Something changed that is not about a call.
    pub(crate) fn touch(&self) {
        let entries = self.lock();
        self.bump(entries);
    }

    /// A client has these addresses now.
    pub(crate) fn addresses(&self, node: &str, client: &str, addresses: Vec<AtmAddress>) {
        let key = (node.to_owned(), client.to_owned());
        let mut entries = self.lock();
        if entries.addresses.get(&key) == Some(&addresses) {
            return;
        }
        if self.talkative {
            for address in &addresses {
                crate::say(format_args!("{node}/{client} has the address {address}"));
            }
        }
        entries.addresses.insert(key, addresses);
        self.bump(entries);
    }

    pub(crate) fn enter(&self, call: CallRecord) -> Entry {
        let mut entries = self.lock();
        entries.next += 1;
        let entry = Entry(entries.next);
        entries.totals.made += u64::from(call.made);
        entries.totals.answered += u64::from(!call.made);
        entries.calls.insert(entry.0, call);
        self.bump(entries);
        entry
    }

    pub(crate) fn update(&self, entry: Entry, change: impl FnOnce(&mut CallRecord)) {
        let mut entries = self.lock();
        let Some(call) = entries.calls.get_mut(&entry.0) else { return };
        let before = call.stage;
        change(call);
        if call.stage == before {
            return self.bump(entries);
        }
        let call = call.clone();
        if call.stage == Stage::Over {
            entries.totals.over += 1;
            entries.totals.done += u64::from(call.made && call.ending.is_some_and(Ending::is_as_asked));
            entries.forget_old();
        }
        self.bump(entries);
        if self.talkative {
            talk(&call);
        }
    }

    pub(crate) fn echoed(&self, frames: usize) {
        self.lock().totals.echoed_frames += frames as u64;
    }

    fn bump(&self, entries: MutexGuard<'_, Entries>) {
        self.version.fetch_add(1, SeqCst);
        drop(entries);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn forget_old(&mut self) {
        let over = |call: &CallRecord| !call.made && call.stage == Stage::Over;
        if self.calls.values().filter(|call| over(call)).count() > ANSWERED_KEPT_MAX
            && let Some(oldest) = self.calls.iter().find(|(_, call)| over(call)).map(|(entry, _)| *entry)
        {
            self.calls.remove(&oldest);
        }
    }
}

/// One line for what happened to a call.
fn talk(call: &CallRecord) {
    let (node, client, number, service) = (&call.node, &call.client, call.number, &call.service);
    let vc = call.vc.map_or_else(String::new, |vc| format!(" ({vc})"));
    let direction = if call.made || call.permanent { "to" } else { "for" };
    let what = format!("{node}/{client} call {number} {direction} \"{service}\"{vc}");
    match (call.stage, call.ending) {
        (Stage::Up, _) => crate::say(format_args!("{what}: up")),
        (Stage::Over, Some(ending)) => {
            crate::say(format_args!("{what}: down, {ending}; {} octets of data", call.data.octets))
        }
        _ => {}
    }
}

/// Answered calls that are over and still listed: enough for any report, and a server does not grow.
const ANSWERED_KEPT_MAX: usize = 1000;
