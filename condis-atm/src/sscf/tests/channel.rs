//! Two services over a channel, in virtual time, from a seed. A failure names its seed: `run(Channel::..., seed)` replays it.
//!
//! SSCOP trusts the layer below to keep the order, as an ATM VC does. So there are two kinds of channel:
//! - one that keeps the order and may lose, double and be cut: here each SDU arrives at most once and in order, always; and
//!   without gaps while the connection stands;
//! - one that also reorders, as no VC does: here SSCOP may mistake an old PDU for a new one. It must not break, and when the
//!   channel behaves again, both ends must come to agree and to work again.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use condis::runtime::{Random, Time};
use proptest::prelude::*;

use crate::sscf::{DataError, Saal, SaalConfig, SaalOutput, SaalState};
use crate::sscop::wire::Pdu;
use crate::sscop::{Dialect, Params, Sn, State};

/// What a channel does, in percent of PDUs.
#[derive(Clone, Copy, Debug)]
struct Channel {
    lost: u64,
    doubled: u64,
    reordered: u64,
    /// It is cut for some seconds, once or twice.
    cut: bool,
    /// What the two ends speak over it.
    dialect: Dialect,
}

const PERFECT: Channel = Channel { lost: 0, doubled: 0, reordered: 0, cut: false, dialect: Dialect::Q2110 };

/// SDUs that each user sends while the channel misbehaves, and after it.
const SDUS: u32 = 50;
const FRESH_SDUS: u32 = 20;
/// The window and the queue, small, so that they fill.
const WINDOW: u16 = 8;
const TRANSMIT_LEN_MAX: usize = 12;

struct End {
    saal: Saal,
    /// The number of the next SDU that the user hands over; each is its own number.
    next_sdu: u32,
    /// SDUs that were taken.
    taken: BTreeSet<u32>,
    /// SDUs that came.
    came: Vec<u32>,
    /// The last SDU that came since the connection was told to stand, or anew.
    last_in_epoch: Option<u32>,
    /// How often the user was told that the connection stands or is over, after the first time.
    disturbed: u32,
    /// The user waits for `Writable`.
    waits: bool,
}

impl End {
    fn new(params: Params) -> End {
        End {
            saal: Saal::new(SaalConfig { sscop: params }),
            next_sdu: 0,
            taken: BTreeSet::new(),
            came: Vec::new(),
            last_in_epoch: None,
            disturbed: 0,
            waits: false,
        }
    }
}

struct World {
    now: Time,
    ends: [End; 2],
    /// On the way to each end: the arrival and the PDU.
    wires: [VecDeque<(Time, Vec<u8>)>; 2],
    channel: Channel,
    cut: bool,
    keeps_order: bool,
    chance: Random,
    what: String,
}

/// Between two ends: 5 ms, as over some hundred kilometres and a switch or two.
const DELAY: Duration = Duration::from_millis(5);

impl World {
    fn new(channel: Channel, seed: u64) -> World {
        let params = Params {
            receive_window: WINDOW,
            transmit_len_max: TRANSMIT_LEN_MAX,
            max_stat: 3,
            dialect: channel.dialect,
            ..Params::default()
        };
        World {
            now: Time::ZERO,
            ends: [End::new(params.clone()), End::new(params)],
            wires: Default::default(),
            channel,
            cut: false,
            keeps_order: channel.reordered == 0,
            chance: Random::new(seed),
            what: format!("{channel:?}, seed {seed}"),
        }
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.chance.below(100) < percent
    }

    fn put_on_the_wire(&mut self, to: usize, pdu: Vec<u8>) {
        let lost = self.channel.lost;
        if self.cut || self.percent(lost) {
            return;
        }
        let arrival = self.now.after(DELAY);
        let (doubled, reordered) = (self.channel.doubled, self.channel.reordered);
        if self.percent(doubled) {
            self.wires[to].push_back((arrival, pdu.clone()));
        }
        let overtakes = if self.percent(reordered) { self.chance.below(4) as usize } else { 0 };
        let at = self.wires[to].len().saturating_sub(overtakes);
        self.wires[to].insert(at, (arrival, pdu));
    }

    /// Carries out an end's outputs; checks each SDU that comes.
    fn carry_out(&mut self, at: usize) {
        let sscop = self.ends[at].saal.sscop();
        assert!(sscop.transmit_len() <= TRANSMIT_LEN_MAX, "{}", self.what);
        assert!(sscop.receive_len() <= usize::from(WINDOW), "{}", self.what);
        while let Some(output) = self.ends[at].saal.poll_output() {
            match output {
                SaalOutput::Transmit(pdu) => {
                    self.check_window(at, &pdu);
                    self.put_on_the_wire(1 - at, pdu);
                }
                SaalOutput::Data(sdu) => self.take(at, &sdu),
                SaalOutput::Established(_) => {
                    let end = &mut self.ends[at];
                    end.last_in_epoch = None;
                    end.waits = false;
                    end.disturbed += 1;
                }
                SaalOutput::Released(_) => {
                    let end = &mut self.ends[at];
                    end.disturbed += 1;
                    end.waits = false;
                }
                SaalOutput::Writable => self.ends[at].waits = false,
                SaalOutput::UserToUser(_) | SaalOutput::UnitData(_) => {
                    panic!("{}: nobody sent {output:?}", self.what)
                }
            }
        }
    }

    /// An SDU came: it was handed over, and its place in the order is right.
    fn take(&mut self, at: usize, sdu: &[u8]) {
        let number = u32::from_be_bytes(sdu[..4].try_into().expect("SDUs begin with their number"));
        assert!(self.ends[1 - at].taken.contains(&number), "{}: {number} was never sent", self.what);
        assert_eq!(sdu, sdu_of(number), "{}", self.what);
        let end = &mut self.ends[at];
        if self.keeps_order {
            assert!(
                end.came.last().is_none_or(|&last| last < number),
                "{}: {number} again or late",
                self.what
            );
            assert!(
                end.last_in_epoch.is_none_or(|last| last + 1 == number),
                "{}: a gap before {number}",
                self.what
            );
        }
        end.last_in_epoch = Some(number);
        end.came.push(number);
    }

    /// An SD is within the credit of the peer, and all that waits within its bound.
    fn check_window(&self, at: usize, pdu: &[u8]) {
        let end = &self.ends[at];
        let Ok(Pdu::Sd { n_s, .. }) = Pdu::parse(pdu) else { return };
        if self.keeps_order && end.disturbed == 1 && self.ends[1 - at].disturbed == 1 {
            // In the first epoch the numbers of SDs are those of the SDUs.
            let came = u32::try_from(self.ends[1 - at].came.len()).unwrap();
            let credit_end = Sn::new(came + u32::from(WINDOW));
            assert!(credit_end.is_after(n_s), "{}: {n_s} without credit, {came} came", self.what);
        }
    }

    /// One user's turn: hands an SDU over; asks for a connection if there is none.
    fn user(&mut self, at: usize, sdus: u32) {
        let now = self.now;
        let end = &mut self.ends[at];
        match end.saal.state() {
            SaalState::Released => end.saal.establish(now),
            SaalState::Established if end.next_sdu < sdus && !end.waits => {
                match end.saal.data(now, sdu_of(end.next_sdu)) {
                    Ok(()) => {
                        end.taken.insert(end.next_sdu);
                        end.next_sdu += 1;
                    }
                    Err(DataError::QueueFull { max, .. }) => {
                        assert_eq!(max, TRANSMIT_LEN_MAX);
                        end.waits = true;
                    }
                    Err(other) => panic!("{}: {other}", self.what),
                }
            }
            _ => {}
        }
        self.carry_out(at);
    }

    /// Lets `passes` pass: what arrives and what is due, in order.
    fn pass(&mut self, passes: Duration) {
        let until = self.now.after(passes);
        loop {
            let arrivals = self.wires.iter().filter_map(|wire| wire.front().map(|&(at, _)| at));
            let due = self.ends.iter().filter_map(|end| end.saal.next_timeout());
            let Some(next) = arrivals.chain(due).min().filter(|&next| next <= until) else { break };
            self.now = self.now.max(next);
            for at in 0..2 {
                while let Some((_, pdu)) = self.wires[at].pop_front_if(|(arrival, _)| *arrival <= self.now) {
                    self.ends[at].saal.handle_pdu(self.now, &pdu);
                    self.carry_out(at);
                }
                self.ends[at].saal.handle_timeout(self.now);
                self.carry_out(at);
            }
        }
        self.now = until;
    }

    fn established(&self) -> bool {
        self.ends.iter().all(|end| end.saal.sscop().state() == State::DataTransferReady)
    }
}

/// The SDU with this number: its length depends on it, so that all paddings come up.
fn sdu_of(number: u32) -> Vec<u8> {
    let mut sdu = number.to_be_bytes().to_vec();
    sdu.resize(4 + number as usize % 7, 0xee);
    sdu
}

/// What a run came to.
#[derive(Default)]
struct Ran {
    undisturbed: bool,
    recoveries: u64,
    retransmitted: u64,
    number_errors: u64,
}

fn run(channel: Channel, seed: u64) -> Ran {
    let mut world = World::new(channel, seed);
    // The first BGN comes from one, from the other, or from both at once.
    let first = world.chance.below(3) as usize;
    for at in (0..2).filter(|at| first == 2 || first == *at) {
        world.ends[at].saal.establish(world.now);
        world.carry_out(at);
    }
    let mut cuts = if channel.cut { 1 + world.chance.below(2) } else { 0 };
    let mut turns = 0;
    while world.ends.iter().any(|end| end.next_sdu < SDUS) && turns < 3_000 {
        turns += 1;
        let at = world.chance.below(2) as usize;
        for _ in 0..world.chance.below(6) {
            world.user(at, SDUS);
        }
        let pause = Duration::from_millis(world.chance.below(60));
        world.pass(pause);
        if cuts > 0 && world.percent(3) {
            cuts -= 1;
            world.cut = true;
            let seconds = world.chance.below(12);
            world.pass(Duration::from_secs(seconds));
            world.cut = false;
        }
    }
    // The channel behaves again.
    world.channel = PERFECT;
    for _ in 0..80 {
        world.pass(Duration::from_millis(500));
        if turns < 3_000 || world.established() {
            (0..2).for_each(|at| world.user(at, 0));
        }
    }
    assert!(world.established(), "{}: the ends do not agree", world.what);
    let mut ran = Ran { undisturbed: true, ..Ran::default() };
    for at in 0..2 {
        let (end, peer) = (&world.ends[at], &world.ends[1 - at]);
        ran.undisturbed &= end.disturbed == 1;
        let counters = end.saal.sscop().counters();
        ran.recoveries += counters.recoveries_begun;
        ran.retransmitted += counters.sd_retransmitted;
        let errors = &counters.errors;
        ran.number_errors +=
            errors.sd_or_poll_number + errors.stat_poll_number + errors.stat_numbers + errors.ustat_numbers;
        assert_eq!(end.saal.counters().unexpected_signals, 0, "{}", world.what);
        assert_eq!(errors.pdu_length, 0, "{}", world.what);
        assert!(peer.came.len() <= end.taken.len() || channel.reordered > 0, "{}", world.what);
    }
    if ran.undisturbed && channel.reordered == 0 {
        for at in 0..2 {
            let all: Vec<u32> = world.ends[1 - at].taken.iter().copied().collect();
            assert_eq!(world.ends[at].came, all, "{}: the connection stood all the time", world.what);
        }
    }
    // Fresh SDUs all come, once and in order, and nothing else does.
    let before = [world.ends[0].came.len(), world.ends[1].came.len()];
    let starts = [world.ends[0].next_sdu, world.ends[1].next_sdu];
    for _ in 0..200 {
        (0..2).for_each(|at| world.user(at, starts[at] + FRESH_SDUS));
        world.pass(Duration::from_millis(100));
    }
    for at in 0..2 {
        let fresh: Vec<u32> = (starts[1 - at]..starts[1 - at] + FRESH_SDUS).collect();
        assert_eq!(world.ends[at].came[before[at]..], fresh, "{}: fresh SDUs", world.what);
    }
    ran
}

fn run_all(channel: Channel, seeds: std::ops::Range<u64>) -> Ran {
    let (mut all, mut undisturbed) = (Ran::default(), 0);
    for seed in seeds.clone() {
        let ran = run(channel, seed);
        undisturbed += u64::from(ran.undisturbed);
        all.recoveries += ran.recoveries;
        all.retransmitted += ran.retransmitted;
        all.number_errors += ran.number_errors;
    }
    all.undisturbed = undisturbed * 2 > seeds.end - seeds.start;
    all
}

/// Without any fault nothing is sent twice.
#[test]
fn a_perfect_channel() {
    let ran = run_all(PERFECT, 0..200);
    assert!(ran.undisturbed && ran.retransmitted == 0 && ran.number_errors == 0);
}

/// Loss alone never makes an error in numbers, and most connections stand through it (Q.2110 §5: assured data transfer).
#[test]
fn loss_is_made_good() {
    for lost in [1, 10, 25] {
        let ran = run_all(Channel { lost, ..PERFECT }, 0..200);
        assert!(ran.undisturbed && ran.retransmitted > 0, "{lost} percent");
        assert_eq!((ran.recoveries, ran.number_errors), (0, 0), "{lost} percent");
    }
}

/// A cut line: the ends may lose each other, and find each other again.
#[test]
fn a_cut_line_is_recovered_from() {
    let ran = run_all(Channel { lost: 2, cut: true, ..PERFECT }, 0..500);
    assert_eq!((ran.recoveries, ran.number_errors), (0, 0));
}

/// A doubled SD, STAT or POLL is an error in numbers: SSCOP recovers, and nothing comes twice or late.
#[test]
fn doubled_pdus_are_recovered_from() {
    let ran = run_all(Channel { lost: 5, doubled: 5, ..PERFECT }, 0..400);
    assert!(ran.recoveries > 0);
}

/// What no VC does. It must not break, and must work once the channel does.
#[test]
fn reordered_pdus_do_not_break_it() {
    let ran = run_all(Channel { lost: 5, doubled: 5, reordered: 10, cut: true, ..PERFECT }, 0..400);
    assert!(ran.recoveries > 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Any channel that keeps the order.
    #[test]
    fn any_channel_in_order(seed in any::<u64>(), lost in 0..40u64, doubled in 0..20u64, cut in any::<bool>()) {
        run(Channel { lost, doubled, reordered: 0, cut, ..PERFECT }, seed);
    }

    /// Without N(SQ) each repetition is a new attempt, and the users hear of more connections; but not of SDUs out of order.
    #[test]
    fn any_channel_in_order_under_q_saal1(seed in any::<u64>(), lost in 0..40u64, doubled in 0..20u64, cut in any::<bool>()) {
        run(Channel { lost, doubled, reordered: 0, cut, dialect: Dialect::QSaal1 }, seed);
    }

    /// Any channel at all.
    #[test]
    fn any_channel(seed in any::<u64>(), lost in 0..40u64, doubled in 0..20u64, reordered in 1..40u64, cut in any::<bool>()) {
        run(Channel { lost, doubled, reordered, cut, ..PERFECT }, seed);
    }
}
