//! The entity: who is at the other end, and what is to be told.

use std::collections::VecDeque;

use condis::runtime::Time;

use super::config::{IlmiConfig, IlmiCounters, IlmiOutput, PeerAttributes, Prefix};
use super::mib::{self, Objects};
use super::registry::{Change, LimitError, Registry, Row, SetOutcome};
use super::wire::{
    self, Error, ErrorStatus, GenericTrap, MESSAGE_OCTETS_MAX, Message, Oid, Operation, Pdu, Trap, Value,
    VarBind,
};
use crate::addr::{AtmAddress, Esi};

/// One interface's management entity, at either side. The contract is that of [the module](super).
pub struct Ime {
    config: IlmiConfig,
    state: State,
    registry: Registry,
    /// The one request that waits for its response.
    outstanding: Option<Outstanding>,
    /// The number of the last request.
    request_id: i64,
    /// When we began; sysUpTime counts from here.
    began: Time,
    poll_count: usize,
    counters: IlmiCounters,
    outputs: VecDeque<IlmiOutput>,
}

/// Where an entity stands.
#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    /// The line is down.
    Down,
    /// The peer is asked who it is. Entered when the line comes, when the peer is lost or another, and on its coldStart.
    Establishing {
        /// Whether it is told with each question that we begin.
        cold: bool,
    },
    /// It is asked what it is. Entered once it has said who it is.
    Configuring {
        peer: Attachment,
        /// What it is still to be asked: it may not know all of it.
        names: Vec<&'static [u32]>,
        attributes: PeerAttributes,
    },
    /// It is told of prefixes or addresses, and polled. Entered once it has said what it is.
    Up { peer: Attachment, attributes: PeerAttributes, poll_at: Time, rows: Rows },
}

/// Whether a poll asks for rows that the peer should have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rows {
    /// It does.
    Asked,
    /// It does; this one was not there the last time, and is set again before it is asked for.
    Doubted(Row),
    /// It does not: the peer takes rows and does not show them, as linux-atm's ilmid.
    Hidden,
}

/// Where an entity stands, without what it knows there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StateName {
    /// The line is down.
    Down,
    /// The peer is asked who it is.
    Establishing,
    /// The peer is asked what it is.
    Configuring,
    /// Registration goes on, and the peer is polled.
    Up,
}

/// Who a peer is.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Attachment {
    up_time: Option<u32>,
    interface: Option<i64>,
    system: Option<Vec<u8>>,
}

/// A request that has been sent.
struct Outstanding {
    purpose: Purpose,
    request: Pdu,
    tries: u32,
    resend_at: Time,
}

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Purpose {
    /// Who the peer is; and whether it still has this row.
    Attachment(Option<Row>),
    /// What it is.
    Configuration,
    /// That it shall have a row, or have it no more.
    Change(Change),
}

impl Ime {
    /// An entity whose line is down.
    pub fn new(config: IlmiConfig) -> Ime {
        Ime {
            registry: Registry::new(&config.role),
            config,
            state: State::Down,
            outstanding: None,
            request_id: 0,
            began: Time::ZERO,
            poll_count: 0,
            counters: IlmiCounters::default(),
            outputs: VecDeque::new(),
        }
    }

    /// The line, and with it VC 0/16, came or went.
    pub fn handle_link(&mut self, now: Time, up: bool) {
        match (up, &self.state) {
            (true, State::Down) => self.begin(now, true),
            (false, State::Establishing { .. } | State::Configuring { .. } | State::Up { .. }) => {
                self.leave(State::Down);
            }
            (true, _) | (false, State::Down) => {}
        }
    }

    /// Takes an AAL5 SDU that arrived on VC 0/16.
    pub fn handle_sdu(&mut self, now: Time, sdu: &[u8]) {
        if self.state == State::Down {
            self.counters.while_down += 1;
            return;
        }
        match Message::parse(sdu) {
            Ok(message) => {
                self.counters.received += 1;
                match message {
                    Message::Trap(trap) => self.trap(now, &trap),
                    Message::Pdu(pdu) => match pdu.operation {
                        Operation::Get | Operation::GetNext => self.question(now, pdu),
                        Operation::Set => self.set(pdu),
                        Operation::Response => self.response(now, pdu),
                    },
                }
            }
            Err(Error::Version(_) | Error::Community) => self.counters.foreign += 1,
            Err(_) => self.counters.malformed += 1,
        }
        self.work(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        if let Some(outstanding) = &self.outstanding
            && outstanding.resend_at <= now
        {
            let gives_up = !matches!(self.state, State::Establishing { .. });
            if gives_up && outstanding.tries >= self.config.timers.tries_max {
                self.counters.lost += 1;
                self.begin(now, true);
            } else {
                self.counters.repeated += 1;
                self.send_outstanding(now);
            }
        }
        self.work(now);
    }

    /// When [`handle_timeout`](Ime::handle_timeout) is due; `None`: not before another input.
    pub fn next_timeout(&self) -> Option<Time> {
        match (&self.outstanding, &self.state) {
            (Some(outstanding), _) => Some(outstanding.resend_at),
            (None, State::Up { poll_at, .. }) => Some(*poll_at),
            (None, State::Down | State::Establishing { .. } | State::Configuring { .. }) => None,
        }
    }

    /// The next thing to carry out.
    pub fn poll_output(&mut self) -> Option<IlmiOutput> {
        self.outputs.pop_front()
    }

    /// User side: one more end system, to be registered under every prefix.
    ///
    /// # Errors
    /// See [`LimitError`].
    pub fn add_esi(&mut self, now: Time, esi: Esi) -> Result<(), LimitError> {
        self.registry.add_esi(esi)?;
        self.work(now);
        Ok(())
    }

    /// User side: an end system is there no more; its addresses are taken back.
    pub fn remove_esi(&mut self, now: Time, esi: Esi) {
        self.registry.remove_esi(esi, &mut self.outputs);
        self.work(now);
    }

    /// Network side: one more prefix for the user. One that is being taken back counts until the user has said so.
    ///
    /// # Errors
    /// See [`LimitError`].
    pub fn add_prefix(&mut self, now: Time, prefix: Prefix) -> Result<(), LimitError> {
        self.registry.add_prefix(prefix)?;
        self.work(now);
        Ok(())
    }

    /// Network side: a prefix is taken back, and every address under it is registered no more.
    pub fn remove_prefix(&mut self, now: Time, prefix: Prefix) {
        self.registry.remove_prefix(prefix, &mut self.outputs);
        self.work(now);
    }

    /// Network side: whether the address of an [`IlmiOutput::AddressAsked`] may be registered. Nothing happens if nobody waits
    /// for it any more.
    pub fn answer_address(&mut self, now: Time, address: &AtmAddress, accept: bool) {
        if let Some((request, outcome)) = self.registry.answer(address, accept, &mut self.outputs) {
            match outcome {
                Ok(()) => self.respond(Pdu { operation: Operation::Response, ..request }),
                Err(error) => self.refuse(request, error, 1),
            }
        }
        self.work(now);
    }

    /// Where it stands.
    pub fn state(&self) -> StateName {
        match self.state {
            State::Down => StateName::Down,
            State::Establishing { .. } => StateName::Establishing,
            State::Configuring { .. } => StateName::Configuring,
            State::Up { .. } => StateName::Up,
        }
    }

    /// What the peer has said of itself, while it is up.
    pub fn peer(&self) -> Option<&PeerAttributes> {
        match &self.state {
            State::Up { attributes, .. } => Some(attributes),
            State::Down | State::Establishing { .. } | State::Configuring { .. } => None,
        }
    }

    /// The prefixes: at the user side those that it has been given, at the network side those that it gives.
    pub fn prefixes(&self) -> Vec<Prefix> {
        self.registry.prefixes()
    }

    /// The addresses that are registered.
    pub fn addresses(&self) -> Vec<AtmAddress> {
        self.registry.addresses()
    }

    /// What became of messages.
    pub fn counters(&self) -> IlmiCounters {
        self.counters
    }

    /// What it was told when it was made.
    pub fn config(&self) -> &IlmiConfig {
        &self.config
    }

    /// Begins anew: by itself (`cold`), or because the peer does.
    fn begin(&mut self, now: Time, cold: bool) {
        self.began = now;
        self.leave(State::Establishing { cold });
        self.work(now);
    }

    /// Forgets the peer. The state is assigned here, and where the peer has answered.
    fn leave(&mut self, to: State) {
        let was_up = matches!(self.state, State::Up { .. });
        self.state = to;
        self.outstanding = None;
        self.registry.clear(&mut self.outputs);
        if was_up {
            self.outputs.push_back(IlmiOutput::Down);
        }
    }

    /// Sends the next request, if none is outstanding and there is something to ask or to tell.
    fn work(&mut self, now: Time) {
        if self.outstanding.is_some() {
            return;
        }
        let (purpose, operation, vars) = match &self.state {
            State::Down => return,
            State::Establishing { .. } => (Purpose::Attachment(None), Operation::Get, asked(&ATTACHMENT)),
            State::Configuring { names, .. } => (Purpose::Configuration, Operation::Get, asked(names)),
            State::Up { poll_at, attributes, rows, .. } => {
                let supported = attributes.registration != Some(mib::UNSUPPORTED);
                // A poll that is due is not put off by a long list.
                if *poll_at <= now {
                    let row = match rows {
                        Rows::Doubted(row) if self.registry.is_registered(*row) => Some(*row),
                        Rows::Doubted(row) if self.registry.is_lost(*row) => None,
                        // In the second case it is not wanted any more, or was refused.
                        Rows::Asked | Rows::Doubted(_) => self.registry.row_to_verify(self.poll_count),
                        Rows::Hidden => None,
                    };
                    self.poll_count = self.poll_count.wrapping_add(1);
                    let mut vars = asked(&ATTACHMENT);
                    vars.extend(row.map(|row| VarBind::asked(row.name())));
                    (Purpose::Attachment(row), Operation::Get, vars)
                } else if let Some(change) = self.registry.next_change().filter(|_| supported) {
                    (Purpose::Change(change), Operation::Set, vec![change.var()])
                } else {
                    return;
                }
            }
        };
        // Request numbers are positive, and 31 bits are what everybody reads.
        self.request_id = self.request_id % i64::from(i32::MAX) + 1;
        let request = Pdu::request(operation, self.request_id, vars);
        self.outstanding = Some(Outstanding { purpose, request, tries: 0, resend_at: now });
        self.send_outstanding(now);
    }

    /// Sends the outstanding request, again or for the first time.
    fn send_outstanding(&mut self, now: Time) {
        let Some(outstanding) = &mut self.outstanding else { return };
        outstanding.tries = outstanding.tries.saturating_add(1);
        let timers = &self.config.timers;
        outstanding.resend_at = now.after(match self.state {
            // Nobody may be there for long; and an answer may take longer than we think.
            State::Establishing { .. } => {
                let doubled = timers.response.saturating_mul(1 << (outstanding.tries - 1).min(16));
                doubled.min(timers.poll.max(timers.response))
            }
            State::Down | State::Configuring { .. } | State::Up { .. } => timers.response,
        });
        let request = Message::Pdu(outstanding.request.clone());
        if let State::Establishing { cold: true } = self.state {
            let mut trap = Trap::cold_start(Oid::new(mib::ATM_FORUM_UNI));
            trap.up_time = mib::up_time(self.began, now);
            self.transmit(&Message::Trap(trap));
        }
        self.transmit(&request);
    }

    fn transmit(&mut self, message: &Message) {
        self.counters.sent += 1;
        self.outputs.push_back(IlmiOutput::Transmit(message.encode()));
    }

    fn trap(&mut self, now: Time, trap: &Trap) {
        match trap.generic {
            GenericTrap::ColdStart => {
                self.counters.cold_starts += 1;
                // It knows nothing of us, so it need not be told that we begin as well.
                self.begin(now, false);
            }
            GenericTrap::Other(_) => self.counters.other_traps += 1,
        }
    }

    /// A GetRequest or GetNextRequest (RFC 1157 §4.1.2, §4.1.3).
    fn question(&mut self, now: Time, mut pdu: Pdu) {
        let up_time = mib::up_time(self.began, now);
        let objects = Objects::new(&self.config.attributes, self.registry.device(), up_time);
        let objects = objects.with_rows(self.registry.rows().into_iter());
        let mut vars = Vec::with_capacity(pdu.vars.len());
        for VarBind { name, .. } in &pdu.vars {
            let found = match pdu.operation {
                Operation::GetNext => objects.next(name).cloned(),
                Operation::Get | Operation::Set | Operation::Response => {
                    objects.get(name).map(|value| (name.clone(), value.clone()))
                }
            };
            match found {
                Some((name, value)) => vars.push(VarBind { name, value }),
                None => {
                    let index = vars.len() + 1;
                    return self.refuse(pdu, ErrorStatus::NoSuchName, index);
                }
            }
        }
        let asked = std::mem::replace(&mut pdu.vars, vars);
        pdu.operation = Operation::Response;
        if Message::Pdu(pdu.clone()).encode().len() > MESSAGE_OCTETS_MAX {
            pdu.vars = asked;
            return self.refuse(pdu, ErrorStatus::TooBig, 0);
        }
        self.respond(pdu);
    }

    /// A SetRequest (RFC 1157 §4.1.5).
    fn set(&mut self, pdu: Pdu) {
        match self.registry.set(&pdu, &mut self.outputs) {
            SetOutcome::Done => self.respond(Pdu { operation: Operation::Response, ..pdu }),
            SetOutcome::Refused(error, index) => self.refuse(pdu, error, index),
            SetOutcome::Asked => {}
        }
    }

    fn respond(&mut self, mut response: Pdu) {
        (response.error, response.error_index) = (ErrorStatus::NoError, 0);
        self.transmit(&Message::Pdu(response));
    }

    fn refuse(&mut self, mut request: Pdu, error: ErrorStatus, index: usize) {
        self.counters.errors_sent += 1;
        // A request may be longer than what we may send.
        if Message::Pdu(request.clone()).encode().len() > MESSAGE_OCTETS_MAX {
            request.vars.clear();
        }
        self.transmit(&Message::Pdu(request.refusal(error, index)));
    }

    /// A GetResponse (RFC 1157 §4.1.4).
    fn response(&mut self, now: Time, pdu: Pdu) {
        let Some(outstanding) = self.outstanding.take_if(|asked| asked.request.request_id == pdu.request_id)
        else {
            self.counters.unexpected += 1;
            return;
        };
        match outstanding.purpose {
            Purpose::Attachment(Some(row)) if pdu.is_missing(ATTACHMENT.len() + 1) => {
                self.row_missing(now, row)
            }
            Purpose::Attachment(row) => self.attachment_answered(now, &pdu, row.is_some()),
            Purpose::Configuration => self.configuration_answered(now, &pdu),
            Purpose::Change(change) => {
                let accepted = pdu.error == ErrorStatus::NoError;
                self.registry.change_answered(change, accepted, &mut self.outputs);
            }
        }
    }

    /// The peer has said who it is. If it does not know how, it is there all the same.
    fn attachment_answered(&mut self, now: Time, pdu: &Pdu, with_row: bool) {
        let found = Attachment::read(pdu);
        let next_poll = now.after(self.config.timers.poll);
        match &mut self.state {
            State::Establishing { .. } => {
                self.state = State::Configuring {
                    peer: found,
                    names: CONFIGURATION.to_vec(),
                    attributes: PeerAttributes::default(),
                };
            }
            State::Up { peer, poll_at, rows, .. } => {
                if peer.is_succeeded_by(&found) {
                    *peer = found;
                    *poll_at = next_poll;
                    if with_row {
                        *rows = Rows::Asked;
                    }
                } else {
                    self.counters.attachment_changed += 1;
                    self.begin(now, true);
                }
            }
            State::Down | State::Configuring { .. } => {}
        }
    }

    /// The peer has not the row that was asked for, and so has not said who it is: it is asked again at once, without a row.
    fn row_missing(&mut self, now: Time, row: Row) {
        let State::Up { poll_at, rows, .. } = &mut self.state else { return };
        *poll_at = now;
        if matches!(*rows, Rows::Doubted(doubted) if doubted == row) {
            *rows = Rows::Hidden;
            return;
        }
        *rows = Rows::Doubted(row);
        self.registry.row_lost(row);
    }

    /// The peer has said what it is, or that it does not know one of the names; then it is asked for the others.
    fn configuration_answered(&mut self, now: Time, pdu: &Pdu) {
        let State::Configuring { peer, names, attributes } = &mut self.state else { return };
        if pdu.error == ErrorStatus::NoError {
            pdu.vars.iter().for_each(|var| attributes.read(var));
            names.clear();
        } else {
            let index = usize::try_from(pdu.error_index).unwrap_or(0);
            match index.checked_sub(1).filter(|at| *at < names.len() && pdu.error == ErrorStatus::NoSuchName)
            {
                Some(at) => drop(names.remove(at)),
                // It will not say which, or has another trouble.
                None => names.clear(),
            }
        }
        if names.is_empty() {
            let (peer, attributes) = (std::mem::take(peer), *attributes);
            let poll_at = now.after(self.config.timers.poll);
            self.state = State::Up { peer, attributes, poll_at, rows: Rows::Asked };
            self.outputs.push_back(IlmiOutput::Up);
        }
    }
}

impl Pdu {
    /// Whether this says that there is no such variable as the one with this number.
    fn is_missing(&self, index: usize) -> bool {
        self.error == ErrorStatus::NoSuchName && usize::try_from(self.error_index) == Ok(index)
    }
}

impl Attachment {
    fn read(pdu: &Pdu) -> Attachment {
        let mut found = Attachment::default();
        if pdu.error != ErrorStatus::NoError {
            return found;
        }
        for VarBind { name, value } in &pdu.vars {
            match (name.arcs(), value) {
                (mib::SYS_UP_TIME, Value::TimeTicks(ticks)) => found.up_time = Some(*ticks),
                (mib::PORT_MY_IF_IDENTIFIER, Value::Integer(number)) => found.interface = Some(*number),
                (mib::MY_SYSTEM_IDENTIFIER, Value::Octets(octets)) => found.system = Some(octets.clone()),
                _ => {}
            }
        }
        found
    }

    /// Whether `later` is the same peer, which has not begun anew since.
    fn is_succeeded_by(&self, later: &Attachment) -> bool {
        let same = self.interface == later.interface && self.system == later.system;
        // `None` is less than any number: a peer that tells no more how long it is up is not the same.
        same && self.up_time <= later.up_time
    }
}

impl PeerAttributes {
    fn read(&mut self, var: &VarBind) {
        let value = var.value.integer();
        match var.name.arcs() {
            mib::LAYER_UNI_VERSION => self.uni_version = value,
            mib::LAYER_UNI_TYPE => self.uni_type = value,
            mib::LAYER_DEVICE_TYPE => self.device_type = value,
            mib::LAYER_ILMI_VERSION => self.ilmi_version = value,
            mib::LAYER_VPI_BITS => self.vpi_bits = value,
            mib::LAYER_VCI_BITS => self.vci_bits = value,
            mib::REGISTRATION_ADMIN_STATUS => self.registration = value,
            _ => {}
        }
    }
}

fn asked(names: &[&[u32]]) -> Vec<VarBind> {
    names.iter().map(|name| VarBind::asked(Oid::new(name))).collect()
}

/// What tells one peer from another, and from itself after a restart.
const ATTACHMENT: [&[u32]; 3] = [mib::SYS_UP_TIME, mib::PORT_MY_IF_IDENTIFIER, mib::MY_SYSTEM_IDENTIFIER];

/// What a peer is asked about itself.
const CONFIGURATION: [&[u32]; 7] = [
    mib::LAYER_UNI_VERSION,
    mib::LAYER_VPI_BITS,
    mib::LAYER_VCI_BITS,
    mib::LAYER_UNI_TYPE,
    mib::LAYER_DEVICE_TYPE,
    mib::LAYER_ILMI_VERSION,
    mib::REGISTRATION_ADMIN_STATUS,
];

const _: () = assert!(CONFIGURATION.len() <= wire::VARS_MAX);
