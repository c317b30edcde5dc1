//! Two entities on a line that may lose messages, and one against a peer that is written out by hand.

use std::collections::BTreeSet;
use std::time::Duration;

use condis::runtime::{Random, Time};

use super::wire::{ErrorStatus, GenericTrap, Message, Oid, Operation, Pdu, Trap, Value, VarBind};
use super::*;
use crate::addr::{AtmAddress, Esi};

const PREFIX: Prefix = [0x47, 0, 5, 0x80, 0xff, 0xe1, 0, 0, 0, 0xf2, 0x1a, 0, 1];
const OTHER: Prefix = [0x39; 13];
const ESI: Esi = Esi([0, 0x20, 0x48, 0x0b, 0, 2]);
const ESI_2: Esi = Esi([2, 0, 0, 0, 0, 1]);

fn address(prefix: Prefix, esi: Esi) -> AtmAddress {
    AtmAddress::new(prefix, esi, 0)
}

fn at(ms: u64) -> Time {
    Time::from_nanos(ms * 1_000_000)
}

fn user() -> Ime {
    let mut config = IlmiConfig::user([ESI]);
    config.attributes.system_identifier = [2; 6];
    Ime::new(config)
}

fn network() -> Ime {
    let mut config = IlmiConfig::network([PREFIX]);
    config.attributes.system_identifier = [1; 6];
    Ime::new(config)
}

/// Two entities and their line.
struct Pair {
    now: Time,
    sides: [Ime; 2],
    /// What each has told, without what it has sent.
    told: [Vec<IlmiOutput>; 2],
    /// Messages under way: when they arrive, the order of sending, to whom, octets.
    flying: BTreeSet<(Time, u64, usize, Vec<u8>)>,
    sent_count: u64,
    random: Random,
    loss_percent: u64,
    /// So many arrive twice.
    duplicate_percent: u64,
    delay: Duration,
    /// A message takes up to so much longer, and may be overtaken.
    jitter_ms: u64,
}

impl Pair {
    fn new(user: Ime, network: Ime) -> Pair {
        Pair {
            now: at(1000),
            sides: [user, network],
            told: Default::default(),
            flying: BTreeSet::new(),
            sent_count: 0,
            random: Random::new(1),
            loss_percent: 0,
            duplicate_percent: 0,
            delay: Duration::from_millis(3),
            jitter_ms: 0,
        }
    }

    /// Both, with a line that is up, after a second.
    fn up() -> Pair {
        let mut pair = Pair::new(user(), network());
        pair.link(true);
        pair.run(1000);
        pair
    }

    fn link(&mut self, up: bool) {
        for side in 0..2 {
            self.act(side, |ime, now| ime.handle_link(now, up));
        }
        if !up {
            self.flying.clear();
        }
    }

    fn act<T>(&mut self, side: usize, action: impl FnOnce(&mut Ime, Time) -> T) -> T {
        let result = action(&mut self.sides[side], self.now);
        while let Some(output) = self.sides[side].poll_output() {
            match output {
                IlmiOutput::Transmit(octets) => {
                    assert!(octets.len() <= wire::MESSAGE_OCTETS_MAX);
                    let copies = 1 + usize::from(self.random.below(100) < self.duplicate_percent);
                    for _ in 0..copies {
                        if self.random.below(100) < self.loss_percent {
                            continue;
                        }
                        self.sent_count += 1;
                        let jitter = Duration::from_millis(self.random.below(self.jitter_ms + 1));
                        let arrives = self.now.after(self.delay).after(jitter);
                        self.flying.insert((arrives, self.sent_count, 1 - side, octets.clone()));
                    }
                }
                told => self.told[side].push(told),
            }
        }
        result
    }

    /// Runs for so many milliseconds.
    fn run(&mut self, ms: u64) {
        let end = self.now.after(Duration::from_millis(ms));
        for steps in 0.. {
            assert!(steps < 200_000, "they chase each other");
            let arrival = self.flying.first().map(|flying| flying.0);
            let timeouts = self.sides.iter().map(Ime::next_timeout);
            let Some(next) = timeouts.chain([arrival]).flatten().min().filter(|next| *next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            if arrival == Some(next) {
                let (_, _, to, octets) = self.flying.pop_first().unwrap();
                self.act(to, |ime, now| ime.handle_sdu(now, &octets));
            } else {
                (0..2).for_each(|side| self.act(side, Ime::handle_timeout));
            }
        }
        self.now = end;
    }

    fn told(&mut self, side: usize) -> Vec<IlmiOutput> {
        std::mem::take(&mut self.told[side])
    }

    /// Both know each other and have agreed on all that there is to agree on.
    fn assert_agreed(&self, prefixes: &[Prefix], addresses: &[AtmAddress]) {
        for side in &self.sides {
            assert_eq!(side.state(), StateName::Up);
            assert_eq!(side.prefixes(), prefixes);
            assert_eq!(side.addresses(), addresses);
        }
    }
}

const USER: usize = 0;
const NETWORK: usize = 1;

#[test]
fn an_end_system_is_registered_under_the_prefix() {
    let mut pair = Pair::up();
    let ours = address(PREFIX, ESI);
    let registered = IlmiOutput::AddressRegistered(ours.clone());
    assert_eq!(pair.told(USER), [IlmiOutput::Up, IlmiOutput::PrefixesChanged, registered.clone()]);
    assert_eq!(pair.told(NETWORK), [IlmiOutput::Up, registered]);
    pair.assert_agreed(&[PREFIX], &[ours]);
    let peer = pair.sides[USER].peer().unwrap();
    assert_eq!((peer.device_type, peer.uni_version, peer.ilmi_version), (Some(2), Some(3), Some(2)));
    assert_eq!(pair.sides[NETWORK].peer().unwrap().device_type, Some(1));
    // And so it stays, with a poll of each side every five seconds.
    let sent = pair.sent_count;
    pair.run(50_000);
    assert_eq!((pair.told(USER), pair.told(NETWORK)), (vec![], vec![]));
    assert_eq!(pair.sent_count - sent, 2 * 2 * 10);
    assert_eq!(pair.sides.each_ref().map(|side| side.counters().lost), [0, 0]);
}

#[test]
fn prefixes_and_end_systems_come_and_go() {
    let mut pair = Pair::up();
    pair.act(NETWORK, |ime, now| ime.add_prefix(now, OTHER)).unwrap();
    pair.act(USER, |ime, now| ime.add_esi(now, ESI_2)).unwrap();
    pair.run(1000);
    let mut all: Vec<_> =
        [PREFIX, OTHER].iter().flat_map(|prefix| [ESI, ESI_2].map(|esi| address(*prefix, esi))).collect();
    all.sort();
    pair.assert_agreed(&[OTHER, PREFIX], &all);
    pair.told = Default::default();

    pair.act(NETWORK, |ime, now| ime.remove_prefix(now, PREFIX));
    pair.run(1000);
    pair.assert_agreed(&[OTHER], &[address(OTHER, ESI), address(OTHER, ESI_2)]);
    let removed = [ESI, ESI_2].map(|esi| IlmiOutput::AddressRemoved(address(PREFIX, esi)));
    assert_eq!(pair.told(NETWORK), removed);
    assert_eq!(pair.told(USER), [&removed[..], &[IlmiOutput::PrefixesChanged]].concat());

    pair.act(USER, |ime, now| ime.remove_esi(now, ESI));
    pair.run(1000);
    pair.assert_agreed(&[OTHER], &[address(OTHER, ESI_2)]);
    let removed = [IlmiOutput::AddressRemoved(address(OTHER, ESI))];
    assert_eq!((pair.told(USER), pair.told(NETWORK)), (removed.to_vec(), removed.to_vec()));

    // Taken back while it is still under way.
    pair.act(NETWORK, |ime, now| ime.add_prefix(now, PREFIX)).unwrap();
    pair.act(NETWORK, |ime, now| ime.remove_prefix(now, PREFIX));
    pair.run(1000);
    pair.assert_agreed(&[OTHER], &[address(OTHER, ESI_2)]);
}

#[test]
fn a_line_that_comes_back_begins_anew() {
    let mut pair = Pair::up();
    pair.told = Default::default();
    pair.link(false);
    let removed = IlmiOutput::AddressRemoved(address(PREFIX, ESI));
    assert_eq!(pair.told(USER), [removed.clone(), IlmiOutput::PrefixesChanged, IlmiOutput::Down]);
    assert_eq!(pair.told(NETWORK), [removed, IlmiOutput::Down]);
    assert_eq!(pair.sides.each_ref().map(Ime::state), [StateName::Down; 2]);
    assert_eq!(pair.sides.each_ref().map(Ime::next_timeout), [None; 2]);
    pair.run(10_000);
    pair.link(true);
    pair.run(1000);
    pair.assert_agreed(&[PREFIX], &[address(PREFIX, ESI)]);
}

#[test]
fn a_peer_that_is_silent_is_lost_after_four_tries_and_found_again() {
    let mut pair = Pair::up();
    pair.told = Default::default();
    pair.loss_percent = 100;
    // The last poll was in the first second, the next is after five; then a second for each of four tries.
    pair.run(7_950);
    assert!(pair.sides.iter().all(|side| side.state() == StateName::Up));
    pair.run(100);
    assert!(pair.sides.iter().all(|side| side.state() == StateName::Establishing));
    assert_eq!(pair.told(NETWORK), [IlmiOutput::AddressRemoved(address(PREFIX, ESI)), IlmiOutput::Down]);
    assert_eq!(pair.sides.each_ref().map(|side| side.counters().lost), [1, 1]);
    // Nobody is there: asked after 1, 2, 4, 5, 5 ... seconds.
    let repeated = pair.sides[USER].counters().repeated;
    pair.run(20_000);
    assert_eq!(pair.sides[USER].counters().repeated - repeated, 5);
    pair.loss_percent = 0;
    pair.run(6_000);
    pair.assert_agreed(&[PREFIX], &[address(PREFIX, ESI)]);
}

#[test]
fn under_loss_they_agree_in_the_end() {
    for seed in 0..100 {
        let mut pair = Pair::new(user(), network());
        pair.random = Random::new(seed);
        pair.loss_percent = 30;
        pair.link(true);
        pair.run(20_000);
        pair.act(NETWORK, |ime, now| ime.add_prefix(now, OTHER)).unwrap();
        pair.act(USER, |ime, now| ime.add_esi(now, ESI_2)).unwrap();
        pair.run(20_000);
        pair.act(NETWORK, |ime, now| ime.remove_prefix(now, PREFIX));
        pair.run(20_000);
        pair.loss_percent = 0;
        pair.run(40_000);
        pair.assert_agreed(&[OTHER], &[address(OTHER, ESI), address(OTHER, ESI_2)]);
        // What each has told adds up to what there is.
        for side in 0..2 {
            let mut there = BTreeSet::new();
            for told in pair.told(side) {
                match told {
                    IlmiOutput::AddressRegistered(address) => {
                        assert!(there.insert(address), "registered twice")
                    }
                    IlmiOutput::AddressRemoved(address) => assert!(there.remove(&address), "removed twice"),
                    _ => {}
                }
            }
            assert!(there.into_iter().eq(pair.sides[side].addresses()), "seed {seed}");
        }
    }
}

#[test]
fn a_side_that_restarts_is_registered_again_even_if_its_trap_is_lost() {
    for (restarting, fresh) in [(USER, user as fn() -> Ime), (NETWORK, network)] {
        for lose_first in [0, 1, 2, 3] {
            let mut pair = Pair::up();
            pair.run(3000);
            pair.sides[restarting] = fresh();
            pair.act(restarting, |ime, now| ime.handle_link(now, true));
            // The trap is the first that is sent.
            for _ in 0..lose_first {
                pair.flying.pop_first();
            }
            pair.run(30_000);
            pair.assert_agreed(&[PREFIX], &[address(PREFIX, ESI)]);
        }
    }
}

#[test]
fn a_long_line_does_not_make_them_chase_each_other() {
    let mut pair = Pair::new(user(), network());
    pair.delay = Duration::from_millis(900);
    pair.sides = pair.sides.map(|side| {
        let mut config = side.config().clone();
        config.timers.response = Duration::from_secs(2);
        Ime::new(config)
    });
    pair.link(true);
    pair.run(60_000);
    pair.assert_agreed(&[PREFIX], &[address(PREFIX, ESI)]);
    let told = pair.told(USER);
    pair.run(60_000);
    assert_eq!(pair.told(USER), []);
    assert!(told.iter().filter(|told| **told == IlmiOutput::Up).count() <= 2, "{told:?}");
}

#[test]
fn two_users_that_want_one_address_get_it_one_after_the_other() {
    let ask = |system: u8| {
        let mut config = IlmiConfig::network([PREFIX]);
        config.role = Role::Network { prefixes: vec![PREFIX], ask: true };
        config.attributes.system_identifier = [system; 6];
        Ime::new(config)
    };
    let ours = address(PREFIX, ESI);
    let mut ports = [Pair::new(user(), ask(1)), Pair::new(user(), ask(1))];
    let mut taken = false;
    for port in &mut ports {
        port.link(true);
        // The switch takes its time; the user asks again, and the switch is asked once.
        port.run(2500);
        let asked: Vec<_> = port.told(NETWORK).into_iter().filter(|told| *told != IlmiOutput::Up).collect();
        assert_eq!(asked, [IlmiOutput::AddressAsked(ours.clone())]);
        assert!(port.sides[USER].addresses().is_empty());
        port.act(NETWORK, |ime, now| ime.answer_address(now, &ours, !taken));
        port.act(NETWORK, |ime, now| ime.answer_address(now, &ours, true));
        port.run(500);
        taken = true;
    }
    let [first, second] = &mut ports;
    first.assert_agreed(&[PREFIX], std::slice::from_ref(&ours));
    second.assert_agreed(&[PREFIX], &[]);
    let told = second.told(USER);
    assert_eq!(told, [IlmiOutput::Up, IlmiOutput::PrefixesChanged, IlmiOutput::AddressRefused(ours.clone())]);
    // Not again before the next beginning.
    second.run(20_000);
    assert_eq!((second.told(USER), second.told(NETWORK)), (vec![], vec![]));
    second.link(false);
    second.link(true);
    second.run(500);
    assert!(second.told(NETWORK).contains(&IlmiOutput::AddressAsked(ours)));
}

/// An address that is asked for is no more to be answered once it is taken back, its prefix is, or the line goes; and one at a
/// time is asked for.
#[test]
fn nobody_waits_for_an_answer_any_more() {
    for end in 0..3 {
        let mut config = IlmiConfig::network([PREFIX]);
        config.role = Role::Network { prefixes: vec![PREFIX], ask: true };
        let mut alone = Alone::up(Ime::new(config), &[]);
        let two = [(address_row(PREFIX, ESI), 1), (address_row(PREFIX, ESI_2), 1)];
        assert_eq!(alone.set(&two), (ErrorStatus::GenErr, 1));
        let ours = address(PREFIX, ESI);
        let order = VarBind { name: address_row(PREFIX, ESI), value: Value::Integer(1) };
        alone.hears(&Message::Pdu(Pdu::request(Operation::Set, 1, vec![order])));
        assert!(std::iter::from_fn(|| alone.ime.poll_output()).eq([IlmiOutput::AddressAsked(ours.clone())]));
        match end {
            0 => assert_eq!(alone.set(&[(address_row(PREFIX, ESI), 2)]), (ErrorStatus::NoError, 0)),
            1 => alone.ime.remove_prefix(alone.now, PREFIX),
            _ => {
                alone.ime.handle_link(alone.now, false);
                alone.ime.handle_link(alone.now, true);
            }
        }
        alone.sent();
        alone.ime.answer_address(alone.now, &ours, true);
        assert_eq!((alone.sent(), alone.ime.addresses()), (vec![], vec![]), "{end}");
    }
}

/// One entity, whose peer is the test.
struct Alone {
    ime: Ime,
    now: Time,
}

impl Alone {
    fn new(ime: Ime) -> Alone {
        let mut alone = Alone { ime, now: at(1000) };
        alone.ime.handle_link(alone.now, true);
        alone
    }

    /// Brings it up by answering what it asks, as a peer that knows only `known` answers.
    fn up(ime: Ime, known: &[&[u32]]) -> Alone {
        let mut alone = Alone::new(ime);
        while alone.ime.state() != StateName::Up {
            let asked = alone.sent().into_iter().find_map(|message| match message {
                Message::Pdu(pdu) if pdu.operation == Operation::Get => Some(pdu),
                _ => None,
            });
            let mut answer = asked.expect("it asks");
            let unknown = answer.vars.iter().position(|var| !known.contains(&var.name.arcs()));
            if let Some(at) = unknown {
                answer = answer.refusal(ErrorStatus::NoSuchName, at + 1);
            } else {
                answer.operation = Operation::Response;
                answer.vars.iter_mut().for_each(|var| var.value = Value::Integer(1));
            }
            alone.hears(&Message::Pdu(answer));
        }
        alone
    }

    fn hears(&mut self, message: &Message) {
        self.ime.handle_sdu(self.now, &message.encode());
    }

    fn sent(&mut self) -> Vec<Message> {
        let outputs = std::iter::from_fn(|| self.ime.poll_output());
        let sent = outputs.filter_map(|output| match output {
            IlmiOutput::Transmit(octets) => Some(Message::parse(&octets).expect("we speak well")),
            _ => None,
        });
        sent.collect()
    }

    /// What it answers to this.
    fn answer(&mut self, operation: Operation, vars: Vec<VarBind>) -> Pdu {
        self.sent();
        self.hears(&Message::Pdu(Pdu::request(operation, 4711, vars)));
        let answers = self.sent().into_iter().filter_map(|message| match message {
            Message::Pdu(pdu) if pdu.operation == Operation::Response => Some(pdu),
            _ => None,
        });
        let answers: Vec<_> = answers.collect();
        let [answer] = answers.try_into().expect("one answer");
        assert_eq!(answer.request_id, 4711);
        answer
    }

    fn set(&mut self, vars: &[(Oid, i64)]) -> (ErrorStatus, i64) {
        let var = |(name, value): &(Oid, i64)| VarBind { name: name.clone(), value: Value::Integer(*value) };
        let answer = self.answer(Operation::Set, vars.iter().map(var).collect());
        (answer.error, answer.error_index)
    }
}

fn row(column: &[u32], octets: &[u8]) -> Oid {
    Oid::new(column).with([0, octets.len() as u32]).with(octets.iter().map(|octet| u32::from(*octet)))
}

fn prefix_row(prefix: Prefix) -> Oid {
    row(mib::NET_PREFIX_STATUS, &prefix)
}

fn address_row(prefix: Prefix, esi: Esi) -> Oid {
    row(mib::ADDRESS_STATUS, address(prefix, esi).octets())
}

#[test]
fn the_beginning_by_lines() {
    let mut alone = Alone::new(user());
    let lines = |alone: &mut Alone| alone.sent().iter().map(Message::to_string).collect::<Vec<_>>();
    let question = "GetRequest 1: 1.3.6.1.2.1.1.3.0 1.3.6.1.4.1.353.2.1.1.1.8.0 1.3.6.1.4.1.353.2.1.4.0";
    assert_eq!(lines(&mut alone), ["coldStart at 0.00 s", question]);
    assert_eq!(alone.ime.next_timeout(), Some(at(2000)));
    alone.ime.handle_timeout(at(1999));
    assert_eq!(lines(&mut alone), [""; 0], "early does no harm");
    alone.ime.handle_timeout(at(2000));
    assert_eq!(lines(&mut alone), ["coldStart at 1.00 s", question], "the same number");
    assert_eq!(alone.ime.next_timeout(), Some(at(4000)));
    // The peer begins too: it need not be told that we do.
    alone.now = at(2500);
    alone.hears(&Message::Trap(Trap::cold_start(Oid::new(mib::ATM_FORUM_UNI))));
    assert_eq!(lines(&mut alone), [question.replace("GetRequest 1", "GetRequest 2")]);
    // Another trap is nothing, and counted.
    let trap = Trap { generic: GenericTrap::Other(3), ..Trap::cold_start(Oid::new(&[1, 3])) };
    alone.hears(&Message::Trap(trap));
    assert!(lines(&mut alone).is_empty());
    assert_eq!((alone.ime.counters().cold_starts, alone.ime.counters().other_traps), (1, 1));
}

#[test]
fn a_peer_that_knows_nothing_of_itself_is_still_one() {
    let mut alone = Alone::up(user(), &[]);
    assert_eq!(*alone.ime.peer().unwrap(), PeerAttributes::default());
    assert_eq!(alone.set(&[(prefix_row(PREFIX), 1)]), (ErrorStatus::NoError, 0));
    assert_eq!(alone.ime.prefixes(), [PREFIX]);
    let known = [mib::SYS_UP_TIME, mib::LAYER_UNI_VERSION, mib::LAYER_DEVICE_TYPE];
    let alone = Alone::up(user(), &known);
    let one = Some(1);
    let expected = PeerAttributes { uni_version: one, device_type: one, ..PeerAttributes::default() };
    assert_eq!(*alone.ime.peer().unwrap(), expected);
}

#[test]
fn a_user_takes_prefixes_and_refuses_what_is_none() {
    use ErrorStatus::{BadValue, GenErr, NoError, NoSuchName};
    let mut alone = Alone::up(user(), &[]);
    let refused = [
        (row(mib::NET_PREFIX_STATUS, &[1; 12]), 1, NoSuchName),
        (row(mib::NET_PREFIX_STATUS, &[1; 8]), 1, BadValue),
        (Oid::new(mib::NET_PREFIX_STATUS), 1, NoSuchName),
        (Oid::new(mib::NET_PREFIX_STATUS).with([0, 13, 256]), 1, NoSuchName),
        (Oid::new(mib::NET_PREFIX_STATUS).with([0, 13]).with([256; 13]), 1, NoSuchName),
        (Oid::new(mib::NET_PREFIX_STATUS).with([1, 13]).with([1; 13]), 1, NoSuchName),
        (prefix_row(PREFIX), 0, BadValue),
        (prefix_row(PREFIX), 3, BadValue),
        (address_row(PREFIX, ESI), 1, NoSuchName),
        (Oid::new(mib::SYS_NAME), 1, NoSuchName),
    ];
    for (name, value, error) in refused {
        assert_eq!(alone.set(&[(name.clone(), value)]), (error, 1), "{name}");
    }
    let text = VarBind { name: prefix_row(PREFIX), value: Value::Octets(b"valid".to_vec()) };
    assert_eq!(alone.answer(Operation::Set, vec![text]).error, BadValue);
    // All or nothing.
    assert_eq!(alone.set(&[(prefix_row(PREFIX), 1), (prefix_row(OTHER), 7)]), (BadValue, 2));
    assert!(alone.ime.prefixes().is_empty());
    assert_eq!(alone.set(&[(prefix_row(PREFIX), 1), (prefix_row(OTHER), 1)]), (NoError, 0));
    // Twice is once, and what is not there can go.
    assert_eq!(alone.set(&[(prefix_row(PREFIX), 1), (prefix_row([9; 13]), 2)]), (NoError, 0));
    for n in 0..PREFIXES_MAX - 2 {
        assert_eq!(alone.set(&[(prefix_row([n as u8; 13]), 1)]), (NoError, 0));
    }
    assert_eq!(alone.set(&[(prefix_row([99; 13]), 1)]), (GenErr, 1));
    assert_eq!(alone.ime.prefixes().len(), PREFIXES_MAX);
    // All or nothing here, too: one has room once PREFIX has gone, and two have not.
    let full = alone.ime.prefixes();
    let two = [(prefix_row(PREFIX), 2), (prefix_row([98; 13]), 1), (prefix_row([99; 13]), 1)];
    assert_eq!(alone.set(&two), (GenErr, 3));
    assert_eq!(alone.ime.prefixes(), full);
    assert_eq!(alone.set(&two[..2]), (NoError, 0));
    assert!(!alone.ime.prefixes().contains(&PREFIX) && alone.ime.prefixes().contains(&[98; 13]));
}

#[test]
fn a_network_takes_addresses_under_its_prefixes_only() {
    use ErrorStatus::{BadValue, GenErr, NoError, NoSuchName};
    let mut alone = Alone::up(network(), &[]);
    assert_eq!(alone.set(&[(address_row(OTHER, ESI), 1)]), (BadValue, 1));
    assert_eq!(alone.set(&[(prefix_row(PREFIX), 1)]), (NoSuchName, 1));
    assert_eq!(alone.set(&[(row(mib::ADDRESS_STATUS, &[1; 8]), 1)]), (BadValue, 1));
    let scope = row(mib::ADDRESS_ORG_SCOPE, address(PREFIX, ESI).octets());
    assert_eq!(alone.set(&[(address_row(PREFIX, ESI), 1), (scope.clone(), 16)]), (BadValue, 2));
    assert_eq!(alone.set(&[(address_row(PREFIX, ESI), 1), (scope.clone(), 15)]), (NoError, 0));
    assert_eq!(alone.ime.addresses(), [address(PREFIX, ESI)]);
    let got =
        alone.answer(Operation::Get, vec![VarBind::asked(address_row(PREFIX, ESI)), VarBind::asked(scope)]);
    assert_eq!(got.vars.iter().filter_map(|var| var.value.integer()).collect::<Vec<_>>(), [1, 1]);
    for n in 1..ADDRESSES_MAX {
        let esi = Esi([3, 0, 0, 0, (n >> 8) as u8, n as u8]);
        assert_eq!(alone.set(&[(address_row(PREFIX, esi), 1)]), (NoError, 0));
    }
    assert_eq!(alone.set(&[(address_row(PREFIX, Esi([9; 6])), 1)]), (GenErr, 1));
    let scope = row(mib::ADDRESS_ORG_SCOPE, address(PREFIX, Esi([9; 6])).octets());
    assert_eq!(alone.set(&[(scope, 1), (address_row(PREFIX, Esi([9; 6])), 1)]), (GenErr, 2));
    assert_eq!(alone.set(&[(address_row(PREFIX, ESI), 2)]), (NoError, 0));
    assert_eq!(alone.set(&[(address_row(PREFIX, Esi([9; 6])), 1)]), (NoError, 0));
    assert_eq!(alone.ime.addresses().len(), ADDRESSES_MAX);
}

/// linux-atm's ilmid takes prefixes and does not show them, so they are set once more. It may register an address meanwhile.
#[test]
fn a_prefix_that_is_to_be_set_again_is_still_given() {
    let mut alone = Alone::up(network(), &[]);
    let Some(Message::Pdu(order)) = alone.sent().pop() else { panic!("it sets its prefix") };
    alone.hears(&Message::Pdu(Pdu { operation: Operation::Response, ..order }));
    alone.now = alone.ime.next_timeout().expect("it polls");
    alone.ime.handle_timeout(alone.now);
    let Some(Message::Pdu(poll)) = alone.sent().pop() else { panic!("it polls") };
    assert_eq!(poll.vars[3].name, prefix_row(PREFIX));
    alone.hears(&Message::Pdu(poll.refusal(ErrorStatus::NoSuchName, 4)));
    assert_eq!(alone.set(&[(address_row(PREFIX, ESI), 1)]), (ErrorStatus::NoError, 0));
    assert_eq!(alone.ime.addresses(), [address(PREFIX, ESI)]);
}

#[test]
fn limits_are_told_to_the_owner_too() {
    let (mut user, mut network) = (user(), network());
    for n in 0..PREFIXES_MAX as u8 - 1 {
        assert_eq!(network.add_prefix(at(0), [n; 13]), Ok(()));
        assert_eq!(user.add_esi(at(0), Esi([n; 6])), Ok(()));
    }
    assert_eq!(network.add_prefix(at(0), [99; 13]), Err(LimitError::Prefixes));
    assert_eq!(network.add_prefix(at(0), [0; 13]), Ok(()), "it is there already");
    assert_eq!(user.add_esi(at(0), Esi([99; 6])), Err(LimitError::Esis));
    assert_eq!(user.add_esi(at(0), Esi([0; 6])), Ok(()));
    assert_eq!(user.add_prefix(at(0), PREFIX), Err(LimitError::OtherSide));
    assert_eq!(network.add_esi(at(0), ESI), Err(LimitError::OtherSide));
    let many = IlmiConfig::user((0..100).map(|n| Esi([n; 6])));
    let Registered(count) = registered_by(Ime::new(many));
    assert_eq!(count, ESIS_MAX);
}

struct Registered(usize);

fn registered_by(user: Ime) -> Registered {
    let mut pair = Pair::new(user, network());
    pair.link(true);
    pair.run(2000);
    Registered(pair.sides[NETWORK].addresses().len())
}

#[test]
fn what_is_asked_is_answered() {
    let mut alone = Alone::up(user(), &[]);
    alone.set(&[(prefix_row(PREFIX), 1)]);
    alone.now = at(61_234);
    let ask = |name: &[u32]| VarBind::asked(Oid::new(name));
    let got = alone.answer(Operation::Get, vec![ask(mib::SYS_UP_TIME), ask(mib::LAYER_DEVICE_TYPE)]);
    assert_eq!(got.error, ErrorStatus::NoError);
    assert_eq!((&got.vars[0].value, &got.vars[1].value), (&Value::TimeTicks(6023), &Value::Integer(1)));
    let got = alone.answer(Operation::Get, vec![ask(mib::SYS_UP_TIME), ask(&[1, 3, 6])]);
    assert_eq!((got.error, got.error_index), (ErrorStatus::NoSuchName, 2));
    assert_eq!(got.vars, [ask(mib::SYS_UP_TIME), ask(&[1, 3, 6])], "as they were");
    let got = alone.answer(Operation::GetNext, vec![ask(mib::NET_PREFIX_STATUS)]);
    assert_eq!(got.vars, [VarBind { name: prefix_row(PREFIX), value: Value::Integer(1) }]);
    let got = alone.answer(Operation::GetNext, vec![ask(mib::REGISTRATION_ADMIN_STATUS)]);
    assert_eq!(got.error, ErrorStatus::NoSuchName, "the end");
    let got = alone.answer(Operation::Get, vec![ask(mib::SYS_DESCR); 20]);
    assert_eq!((got.error, got.error_index), (ErrorStatus::TooBig, 0));
    let got = alone.answer(Operation::Get, vec![ask(&[1, 3, 6, 1, 9]); 64]);
    assert_eq!((got.error, got.vars.len()), (ErrorStatus::NoSuchName, 0), "too long to be given back");
}

#[test]
fn a_walk_goes_through_all_and_ends() {
    let mut alone = Alone::up(network(), &[]);
    alone.set(&[(address_row(PREFIX, ESI), 1)]);
    let mut name = Oid::new(&[0, 0]);
    let mut count = 0;
    loop {
        let got = alone.answer(Operation::GetNext, vec![VarBind::asked(name.clone())]);
        if got.error == ErrorStatus::NoSuchName {
            break;
        }
        assert!(got.vars[0].name > name);
        name = got.vars[0].name.clone();
        count += 1;
    }
    assert_eq!(count, 25 + 2);
}

#[test]
fn strangers_and_garbage_are_counted_and_change_nothing() {
    let mut alone = Alone::up(user(), &[]);
    alone.sent();
    let message = Message::Pdu(Pdu::request(Operation::Set, 1, Vec::new())).encode();
    let mut community = message.clone();
    community[7..11].copy_from_slice(b"priv");
    let mut version = message.clone();
    version[4] = 1;
    for octets in [&community, &version] {
        alone.ime.handle_sdu(alone.now, octets);
    }
    let mut random = Random::new(5);
    for len in 0..600 {
        let octets: Vec<u8> = (0..len).map(|_| random.next_u64() as u8).collect();
        alone.ime.handle_sdu(alone.now, &octets);
    }
    for len in 0..message.len() {
        alone.ime.handle_sdu(alone.now, &message[..len]);
    }
    alone.hears(&Message::Pdu(Pdu::request(Operation::Response, 999, Vec::new())));
    assert!(alone.sent().is_empty());
    let counters = alone.ime.counters();
    assert_eq!((counters.foreign, counters.unexpected), (2, 1));
    assert_eq!(counters.malformed, 600 + message.len() as u64);
    assert_eq!(alone.ime.state(), StateName::Up);
    alone.ime.handle_link(alone.now, false);
    alone.ime.handle_sdu(alone.now, &message);
    assert_eq!(alone.ime.counters().while_down, 1);
}

#[test]
fn a_peer_without_registration_is_not_told_of_anything() {
    let mut alone = Alone::new(network());
    for _ in 0..2 {
        let sent = alone.sent();
        let Some(Message::Pdu(asked)) = sent.last() else { panic!("{sent:?}") };
        let mut answer = Pdu { operation: Operation::Response, ..asked.clone() };
        answer.vars.iter_mut().for_each(|var| var.value = Value::Integer(2));
        alone.hears(&Message::Pdu(answer));
    }
    assert_eq!(alone.ime.peer().unwrap().registration, Some(2));
    assert!(alone.sent().is_empty());
    assert_eq!(alone.ime.next_timeout(), Some(at(6000)), "it is polled all the same");
}

#[test]
fn another_peer_at_the_poll_is_a_new_beginning() {
    for change in 0..4 {
        let mut alone = Alone::new(network());
        let mut up_time = 500;
        let mut interface = 7;
        let mut system = vec![1, 2, 3, 4, 5, 6];
        let mut polls = 0;
        while polls < 3 && alone.ime.counters().attachment_changed == 0 {
            for message in alone.sent() {
                let Message::Pdu(asked) = message else { continue };
                let is_poll = asked.vars[0].name.arcs() == mib::SYS_UP_TIME;
                polls += u32::from(is_poll);
                if polls == 2 {
                    match change {
                        0 => up_time = 499,
                        1 => interface = 8,
                        2 => system[0] = 9,
                        _ => {}
                    }
                }
                let mut answer = Pdu { operation: Operation::Response, ..asked };
                for var in &mut answer.vars {
                    var.value = match var.name.arcs() {
                        mib::SYS_UP_TIME => Value::TimeTicks(up_time),
                        mib::PORT_MY_IF_IDENTIFIER => Value::Integer(interface),
                        mib::MY_SYSTEM_IDENTIFIER => Value::Octets(system.clone()),
                        _ => Value::Integer(1),
                    };
                }
                alone.hears(&Message::Pdu(answer));
            }
            if let Some(next) = alone.ime.next_timeout() {
                alone.now = next;
                alone.ime.handle_timeout(next);
            }
        }
        let changed = alone.ime.counters().attachment_changed;
        assert_eq!(changed, u64::from(change < 3), "change {change}");
    }
}

/// Answers each poll for 60 seconds, the rows as `shows` says, and every order with yes. Gives how often the row was set.
fn set_count(shows: impl Fn(u64) -> bool) -> usize {
    let mut alone = Alone::up(network(), &[]);
    let mut sets = 0;
    let mut sent = alone.sent();
    while alone.now < at(60_000) {
        for message in std::mem::take(&mut sent) {
            let Message::Pdu(mut answer) = message else { panic!("a trap") };
            sets += usize::from(answer.operation == Operation::Set);
            let seconds = alone.now.as_nanos() / 1_000_000_000;
            answer = if answer.vars.len() == 4 && !shows(seconds) {
                answer.refusal(ErrorStatus::NoSuchName, 4)
            } else {
                let none = answer.vars.len() == 3;
                let answer = Pdu { operation: Operation::Response, ..answer };
                if none { answer.refusal(ErrorStatus::NoSuchName, 1) } else { answer }
            };
            alone.hears(&Message::Pdu(answer));
            sent.extend(alone.sent());
        }
        if sent.is_empty() {
            alone.now = alone.ime.next_timeout().unwrap();
            alone.ime.handle_timeout(alone.now);
            sent = alone.sent();
        }
    }
    assert_eq!(alone.ime.state(), StateName::Up);
    sets
}

#[test]
fn a_row_that_is_lost_is_set_again_and_one_that_is_hidden_is_not_for_ever() {
    assert_eq!(set_count(|_| true), 1);
    assert_eq!(set_count(|seconds| !(20..24).contains(&seconds)), 2);
    assert_eq!(set_count(|seconds| seconds < 20 || seconds > 24 && seconds < 40 || seconds > 44), 3);
    assert_eq!(set_count(|_| false), 2);
}

#[test]
fn a_lost_row_that_is_taken_back_does_not_end_the_asking() {
    let IlmiConfig { attributes, .. } = network().config().clone();
    let mut alone =
        Alone::up(Ime::new(IlmiConfig { attributes, ..IlmiConfig::network([PREFIX, OTHER]) }), &[]);
    let mut sent = alone.sent();
    let (mut polls, mut lost) = (0, None);
    while polls < 4 {
        for message in std::mem::take(&mut sent) {
            let Message::Pdu(request) = message else { panic!("a trap") };
            let row = request.vars.get(3).map(|var| var.name.clone());
            polls += u32::from(request.operation == Operation::Get);
            let answer = Pdu { operation: Operation::Response, ..request };
            match (&lost, row) {
                (None, Some(row)) => {
                    alone.hears(&Message::Pdu(answer.refusal(ErrorStatus::NoSuchName, 4)));
                    let prefix = [PREFIX, OTHER].into_iter().find(|prefix| prefix_row(*prefix) == row);
                    alone.ime.remove_prefix(alone.now, prefix.expect("one of the two"));
                    lost = Some(row);
                }
                (Some(lost), Some(row)) => {
                    assert_ne!(*lost, row);
                    return;
                }
                (_, None) => alone.hears(&Message::Pdu(answer)),
            }
            sent.extend(alone.sent());
        }
        if sent.is_empty() {
            alone.now = alone.ime.next_timeout().unwrap();
            alone.ime.handle_timeout(alone.now);
            sent = alone.sent();
        }
    }
    panic!("the other row is not asked for");
}

#[test]
fn an_address_that_the_network_has_lost_is_registered_until_it_is_refused() {
    for refuses in [false, true] {
        let mut network = network().config().clone();
        network.role = Role::Network { prefixes: vec![PREFIX], ask: true };
        let mut pair = Pair::new(user(), Ime::new(network));
        let ours = address(PREFIX, ESI);
        pair.link(true);
        pair.run(500);
        pair.act(NETWORK, |ime, now| ime.answer_address(now, &ours, true));
        pair.run(500);
        pair.assert_agreed(&[PREFIX], std::slice::from_ref(&ours));
        pair.told = Default::default();
        // It goes without a word to the user.
        let order = VarBind { name: address_row(PREFIX, ESI), value: Value::Integer(2) };
        let order = Message::Pdu(Pdu::request(Operation::Set, 1, vec![order])).encode();
        pair.act(NETWORK, |ime, now| ime.handle_sdu(now, &order));
        pair.run(5500);
        assert!(pair.told(NETWORK).contains(&IlmiOutput::AddressAsked(ours.clone())), "it is set again");
        pair.act(NETWORK, |ime, now| ime.answer_address(now, &ours, !refuses));
        pair.run(500);
        let told = pair.told(USER);
        if refuses {
            assert_eq!(told, [IlmiOutput::AddressRemoved(ours.clone()), IlmiOutput::AddressRefused(ours)]);
        } else {
            assert_eq!(told, []);
            pair.assert_agreed(&[PREFIX], &[ours]);
        }
    }
}

#[test]
fn on_a_line_that_doubles_and_reorders_they_agree_in_the_end() {
    for seed in 0..100 {
        let mut pair = Pair::new(user(), network());
        pair.random = Random::new(seed);
        (pair.loss_percent, pair.duplicate_percent, pair.jitter_ms) = (20, 20, 400);
        pair.link(true);
        pair.run(20_000);
        pair.act(NETWORK, |ime, now| ime.add_prefix(now, OTHER)).unwrap();
        pair.act(USER, |ime, now| ime.remove_esi(now, ESI));
        pair.act(USER, |ime, now| ime.add_esi(now, ESI_2)).unwrap();
        pair.run(20_000);
        (pair.loss_percent, pair.duplicate_percent, pair.jitter_ms) = (0, 0, 0);
        pair.run(60_000);
        pair.assert_agreed(&[OTHER, PREFIX], &[address(OTHER, ESI_2), address(PREFIX, ESI_2)]);
    }
}
