//! Aim: what an Ethernet in memory does to frames is what its conditions say, to the nanosecond and to the frame, and the
//! same seed does it again. Method: stations on a segment in a simulation, each of which writes down what it hears and when.

use std::io::IoSlice;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use condis::runtime::{Ran, Runtime, Sim, Threads};
use condis_link::counters::Count;
use condis_link::header::{EtherType, Header};
use condis_link::memory::{AttachError, Chance, Conditions, Port, PortOptions, Segment};
use condis_link::{BATCH_FRAMES_MAX, Frame, Link, LinkUser, MacAddr};

const A: MacAddr = MacAddr::local(0xa);
const B: MacAddr = MacAddr::local(0xb);
const C: MacAddr = MacAddr::local(0xc);
const MS: Duration = Duration::from_millis(1);
const FOR_EVER: Duration = Duration::MAX;

/// A user of a port that writes down what it is told.
struct Station {
    sim: Arc<Sim>,
    port: Arc<Port>,
    heard: Mutex<Vec<Heard>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Heard {
    /// At this nanosecond, the frame with this payload.
    Frame(u64, Vec<u8>),
    Link(u64, bool),
    Writable(u64),
}

impl Station {
    fn new(sim: &Arc<Sim>, port: Arc<Port>) -> Arc<Station> {
        let station = Arc::new(Station { sim: sim.clone(), port, heard: Mutex::default() });
        station.port.attach(Arc::downgrade(&station) as Weak<dyn LinkUser>);
        station
    }

    /// Sends each payload as a frame to `to`, all in one batch, each from two pieces of memory.
    fn send(&self, to: MacAddr, payloads: &[&[u8]]) -> usize {
        let mut room = [0; Header::OCTETS_MAX];
        let header = Header::new(to, self.port.address(), EtherType::PPPOE_SESSION).encode(&mut room);
        let parts: Vec<_> = payloads.iter().map(|p| [IoSlice::new(header), IoSlice::new(p)]).collect();
        let frames: Vec<_> = parts.iter().map(|parts| Frame::new(parts)).collect();
        self.port.transmit(&frames)
    }

    /// Sends `count` frames whose payload is their number and `octets_more` zeros.
    fn send_numbered(&self, to: MacAddr, count: u32, octets_more: usize) -> usize {
        let payloads: Vec<_> =
            (0..count).map(|n| [&n.to_be_bytes()[..], &vec![0; octets_more]].concat()).collect();
        self.send(to, &payloads.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }

    fn payloads(&self) -> Vec<Vec<u8>> {
        self.frames().into_iter().map(|(_, payload)| payload).collect()
    }

    fn frames(&self) -> Vec<(u64, Vec<u8>)> {
        let heard = self.heard().into_iter();
        heard.filter_map(|heard| if let Heard::Frame(at, p) = heard { Some((at, p)) } else { None }).collect()
    }

    fn numbers(&self) -> Vec<u32> {
        self.payloads().iter().map(|p| u32::from_be_bytes(*p.first_chunk().unwrap())).collect()
    }

    fn count(&self, count: Count) -> u64 {
        self.port.counters().get(count)
    }

    fn note(&self, heard: impl FnOnce(u64) -> Heard) {
        self.heard.lock().unwrap().push(heard(self.sim.now().as_nanos()));
    }
}

impl LinkUser for Station {
    fn receive(&self, frames: &[&[u8]]) {
        assert!((1..=BATCH_FRAMES_MAX).contains(&frames.len()));
        for frame in frames {
            let (_, payload) = Header::parse(frame).expect("no shorter frame is delivered");
            self.note(|at| Heard::Frame(at, payload.to_vec()));
        }
    }

    fn link_state(&self, up: bool) {
        self.note(|at| Heard::Link(at, up));
    }

    fn writable(&self) {
        self.note(Heard::Writable);
    }
}

/// A segment with the stations A, B and C.
fn three(conditions: Conditions, seed: u64) -> (Arc<Sim>, Segment, [Arc<Station>; 3]) {
    let sim = Sim::new(1);
    let segment = Segment::new(sim.clone(), "wire", conditions, seed);
    let stations = [A, B, C].map(|address| Station::new(&sim, segment.attach(address).unwrap()));
    (sim, segment, stations)
}

fn run(sim: &Sim) {
    assert_eq!(sim.run_until_idle(FOR_EVER), Ran::Idle);
}

fn rate(bps: u64) -> Option<NonZeroU64> {
    NonZeroU64::new(bps)
}

#[test]
fn a_frame_reaches_the_station_with_its_address() {
    let (sim, segment, [a, b, c]) = three(Conditions::default(), 1);
    assert_eq!(a.send(B, &[b"to b"]), 1);
    assert_eq!(b.heard(), [], "nobody is called from inside transmit");
    run(&sim);
    assert_eq!(b.heard(), [Heard::Frame(0, b"to b".to_vec())]);
    assert_eq!((a.heard(), c.heard()), (vec![], vec![]));
    assert_eq!(a.port.counters().to_string(), "sent 1, sent_octets 18");
    assert_eq!(b.port.counters().to_string(), "received 1, received_octets 18");
    assert_eq!(segment.counters().to_string(), "sent 1, sent_octets 18, received 1, received_octets 18");
}

#[test]
fn a_group_address_reaches_all_but_the_sender() {
    let (sim, segment, [a, b, c]) = three(Conditions::default(), 1);
    let multicast = MacAddr::new([1, 0, 0x5e, 0, 0, 1]);
    a.send(MacAddr::BROADCAST, &[b"all"]);
    a.send(multicast, &[b"many"]);
    run(&sim);
    for station in [&b, &c] {
        assert_eq!(station.payloads(), [b"all".to_vec(), b"many".to_vec()]);
    }
    assert_eq!(a.heard(), []);
    assert_eq!((segment.counters().get(Count::Sent), segment.counters().get(Count::Received)), (2, 4));
}

#[test]
fn a_promiscuous_port_hears_everything_once() {
    let (sim, segment, [a, b, _c]) = three(Conditions::default(), 1);
    let options = PortOptions { promiscuous: true, ..PortOptions::new(MacAddr::local(9)) };
    let ear = Station::new(&sim, segment.attach_with(options).unwrap());
    a.send(B, &[b"1"]);
    b.send(A, &[b"2"]);
    a.send(MacAddr::BROADCAST, &[b"3"]);
    a.send(MacAddr::local(9), &[b"4"]);
    ear.send(A, &[b"5"]);
    run(&sim);
    assert_eq!(ear.payloads().concat(), b"1234");
    ear.port.close();
    a.send(B, &[b"6"]);
    run(&sim);
    assert_eq!((ear.payloads().len(), b.payloads().concat()), (0, b"136".to_vec()));
}

#[test]
fn what_nobody_gets_is_counted_under_its_reason() {
    let (sim, _segment, [a, b, c]) = three(Conditions::default(), 1);
    a.send(MacAddr::local(77), &[b"nobody's"]);
    a.send(A, &[b"own"]);
    a.send(B, &[&[0; 1509]]);
    assert_eq!(a.port.transmit(&[Frame::new(&[IoSlice::new(&[0; 13])])]), 1);
    b.port.close();
    a.send(B, &[b"left"]);
    assert_eq!(b.send(A, &[b"closed", b"closed"]), 2);
    let port = c.port.clone();
    drop(c);
    a.send(C, &[b"no user"]);
    run(&sim);
    let expected = "sent 4, sent_octets 78, no_such_destination 3, too_short 1, too_long 1";
    assert_eq!(a.port.counters().to_string(), expected);
    assert_eq!(b.port.counters().to_string(), "closed 2");
    assert_eq!(port.counters().to_string(), "no_user 1");
    assert_eq!(a.heard(), []);
}

/// RFC 4638 §2 lets both sides use a larger payload, which is up to each of the ports.
#[test]
fn a_long_frame_passes_between_ports_that_allow_it() {
    let (sim, segment, [a, ..]) = three(Conditions::default(), 1);
    let long = |n| PortOptions { mtu_octets: 9000, ..PortOptions::new(MacAddr::local(n)) };
    let [d, e] = [1, 2].map(|n| Station::new(&sim, segment.attach_with(long(n)).unwrap()));
    d.send(MacAddr::BROADCAST, &[&[7; 9000]]);
    run(&sim);
    assert_eq!(e.payloads(), [vec![7; 9000]]);
    assert_eq!((a.heard(), a.count(Count::TooLong)), (vec![], 1));
}

#[test]
fn an_address_belongs_to_one_port_at_a_time() {
    let (_sim, segment, [a, ..]) = three(Conditions::default(), 1);
    let taken = segment.attach(A).expect_err("A is attached");
    assert_eq!(taken, AttachError::AddressTaken { address: A, segment: "wire".into() });
    assert!(segment.attach(MacAddr::BROADCAST).is_err() && segment.attach(MacAddr::NONE).is_err());
    a.port.close();
    let again = segment.attach(A).expect("A is free");
    assert!(again.is_up() && !a.port.is_up());
    assert_eq!((again.name(), again.mtu_octets(), again.speed_bps()), ("wire/02:00:00:00:00:0a", 1500, None));
}

/// 111 octets of payload and 14 of header are 1000 bits: 1 ms of 1 Mbit/s.
#[test]
fn rate_and_delay_give_exact_times() {
    let conditions = Conditions { rate_bps: rate(1_000_000), delay: 5 * MS, ..Conditions::default() };
    let (sim, _segment, [a, b, c]) = three(conditions, 1);
    a.send(B, &[&[1; 111], &[2; 111]]);
    // Another port has a line of its own.
    c.send(B, &[&[3; 111]]);
    assert_eq!(sim.run_for(MS / 2), Ran::StillBusy);
    a.send(B, &[&[4; 111]]);
    run(&sim);
    // The line of A stood still from 3 ms on.
    sim.run_for(2 * MS).assert_idle();
    a.send(B, &[&[5; 111]]);
    run(&sim);
    let times: Vec<_> = b.frames().into_iter().map(|(at, payload)| (at, payload[0])).collect();
    let ms = |n: u64| n * 1_000_000;
    assert_eq!(times, [(ms(6), 1), (ms(6), 3), (ms(7), 2), (ms(8), 4), (ms(16), 5)]);
    assert_eq!(a.port.speed_bps(), Some(1_000_000));
}

trait AssertIdle {
    fn assert_idle(self);
}

impl AssertIdle for Ran {
    fn assert_idle(self) {
        assert_eq!(self, Ran::Idle);
    }
}

#[test]
fn a_burst_costs_one_event() {
    let (sim, _segment, [a, b, _c]) = three(Conditions::default(), 1);
    a.send_numbered(B, 20, 0);
    a.send_numbered(B, 20, 0);
    let events = sim.journal().events;
    run(&sim);
    assert_eq!((sim.journal().events - events, b.numbers().len()), (1, 40));
}

#[test]
fn a_long_burst_arrives_whole_and_in_order() {
    let (sim, _segment, [a, b, _c]) = three(Conditions::default(), 1);
    assert_eq!(a.send_numbered(B, 1000, 0), 1000);
    run(&sim);
    assert!(b.numbers().into_iter().eq(0..1000));
}

#[test]
fn jitter_delays_and_keeps_the_order() {
    let conditions = Conditions { delay: 5 * MS, jitter: 3 * MS, ..Conditions::default() };
    let (sim, _segment, [a, b, _c]) = three(conditions, 7);
    let mut latest = 0;
    for number in 0..200u32 {
        let sent = sim.now().as_nanos();
        a.send(B, &[&number.to_be_bytes()]);
        run(&sim);
        let [(at, _)] = b.frames()[..] else { panic!("one frame arrives") };
        assert!((5_000_000..=8_000_000).contains(&(at - sent)));
        latest = latest.max(at - sent);
    }
    assert!(latest > 7_500_000, "200 draws reach the upper part of the range");
    a.send_numbered(B, 200, 0);
    run(&sim);
    assert!(b.numbers().into_iter().eq(0..200));
}

#[test]
fn held_back_frames_are_overtaken() {
    let reorder = Chance::of_million(100_000);
    let conditions = Conditions { delay: MS, reorder, reorder_by: 2 * MS, ..Conditions::default() };
    let (sim, _segment, [a, b, _c]) = three(conditions, 7);
    a.send_numbered(B, 1000, 0);
    run(&sim);
    let (late, on_time): (Vec<_>, Vec<_>) = b.frames().into_iter().partition(|(at, _)| *at == 3_000_000);
    assert!(on_time.iter().all(|(at, _)| *at == 1_000_000));
    assert!(late.is_sorted() && on_time.is_sorted());
    assert_eq!((late.len() as u64, late.len() + on_time.len()), (a.count(Count::Reordered), 1000));
    assert!((70..130).contains(&late.len()), "{} of 1000", late.len());
}

#[test]
fn losses_copies_and_turned_bits_are_counted_to_the_frame() {
    let tenth = Chance::of_million(100_000);
    let conditions = Conditions { loss: tenth, duplicate: tenth, corrupt: tenth, ..Conditions::default() };
    let (sim, segment, [a, b, c]) = three(conditions, 7);
    for _ in 0..10 {
        a.send_numbered(B, 100, 96);
        run(&sim);
    }
    let [lost, twice, turned] =
        [Count::Lost, Count::Duplicated, Count::Corrupted].map(|count| a.count(count));
    for count in [lost, twice, turned] {
        assert!((70..130).contains(&count), "{count} of 1000");
    }
    assert_eq!(a.count(Count::Sent), 1000);
    // A turned bit in the destination address leads to nobody, or to all if it is the group bit.
    let nowhere = a.count(Count::NoSuchDestination);
    let heard = b.frames();
    assert!(heard.len() as u64 >= 1000 - lost + twice - 2 * nowhere);
    assert!(heard.len() as u64 <= 1000 - lost + twice - nowhere);
    assert_eq!(segment.counters().get(Count::Received), (heard.len() + c.frames().len()) as u64);
    let wrong_bits = |payload: &[u8]| payload[4..].iter().map(|octet| octet.count_ones()).sum::<u32>();
    let damaged = heard.iter().filter(|(_, payload)| wrong_bits(payload) == 1).count() as u64;
    assert!(heard.iter().all(|(_, payload)| wrong_bits(payload) <= 1));
    assert!(damaged > turned / 2, "96 of 114 octets are zeros that show a turned bit");
}

#[test]
fn copies_come_one_behind_the_other() {
    let conditions = Conditions { duplicate: Chance::ALWAYS, ..Conditions::default() };
    let (sim, _segment, [a, b, _c]) = three(conditions, 7);
    a.send_numbered(B, 50, 0);
    run(&sim);
    assert!(b.numbers().into_iter().eq((0..50).flat_map(|n| [n, n])));
    assert_eq!(b.count(Count::Received), 100);
}

#[test]
fn conditions_change_while_frames_are_under_way() {
    let (sim, segment, [a, b, _c]) = three(Conditions { delay: 9 * MS, ..Conditions::default() }, 1);
    a.send(B, &[b"1"]);
    segment.set_conditions(Conditions { delay: MS, ..Conditions::default() });
    a.send(B, &[b"2"]);
    segment.set_conditions(Conditions { loss: Chance::ALWAYS, ..segment.conditions() });
    a.send(B, &[b"3"]);
    run(&sim);
    // In order, although the second would be faster.
    assert_eq!(b.frames(), [(9_000_000, b"1".to_vec()), (9_000_000, b"2".to_vec())]);
    assert_eq!(a.count(Count::Lost), 1);
}

/// Ten frames of 125 octets fill a queue of 1250; the line sends one each millisecond.
#[test]
fn a_full_queue_refuses_and_calls_back_when_half_empty() {
    let conditions =
        Conditions { rate_bps: rate(1_000_000), queue_octets_max: 1250, ..Conditions::default() };
    for loss in [Chance::NEVER, Chance::ALWAYS] {
        let (sim, _segment, [a, b, _c]) = three(Conditions { loss, ..conditions.clone() }, 1);
        assert_eq!(a.send_numbered(B, 15, 107), 10);
        assert_eq!(a.send_numbered(B, 1, 107), 0);
        assert_eq!((a.count(Count::Sent), a.count(Count::Refused)), (10, 6));
        run(&sim);
        assert_eq!(a.heard(), [Heard::Writable(5_000_000)], "once, when five frames are left");
        let arrived = if loss == Chance::NEVER { 10 } else { 0 };
        assert!(b.numbers().into_iter().eq(0..arrived));
    }
}

#[test]
fn a_frame_larger_than_the_queue_passes_an_empty_one() {
    let conditions = Conditions { queue_octets_max: 100, ..Conditions::default() };
    let (sim, _segment, [a, b, _c]) = three(conditions, 1);
    assert_eq!(a.send(B, &[&[0; 500], &[0; 500]]), 1);
    run(&sim);
    assert_eq!((a.heard(), b.frames().len()), (vec![Heard::Writable(0)], 1));
}

#[test]
fn a_cut_wire_loses_what_is_under_way_and_tells() {
    let (sim, segment, [a, b, c]) = three(Conditions { delay: 5 * MS, ..Conditions::default() }, 1);
    a.send_numbered(B, 3, 0);
    let _ = sim.run_for(MS);
    segment.cut();
    assert!(!a.port.is_up());
    assert_eq!(a.send_numbered(B, 2, 0), 2, "a dead wire takes everything");
    assert_eq!(a.heard(), [], "nobody is called from inside cut");
    run(&sim);
    for station in [&a, &b, &c] {
        assert_eq!(station.heard(), [Heard::Link(1_000_000, false)]);
    }
    assert_eq!((a.count(Count::Sent), a.count(Count::Cut)), (3, 5));
    let _ = sim.run_for(MS);
    segment.mend();
    a.send(B, &[b"again"]);
    run(&sim);
    assert_eq!(b.heard(), [Heard::Link(2_000_000, true), Heard::Frame(7_000_000, b"again".to_vec())]);
}

#[test]
fn a_port_whose_plug_is_pulled_is_down_alone() {
    let (sim, segment, [a, b, c]) = three(Conditions { delay: 5 * MS, ..Conditions::default() }, 1);
    b.send(A, &[b"lost"]);
    a.send(MacAddr::BROADCAST, &[b"to all"]);
    b.port.cut();
    run(&sim);
    assert_eq!((a.heard(), c.payloads().concat()), (vec![], b"to all".to_vec()));
    assert_eq!(b.heard(), [Heard::Link(0, false)]);
    assert_eq!(b.port.counters().to_string(), "sent 1, sent_octets 18, cut 2");
    segment.cut();
    segment.mend();
    run(&sim);
    assert!(!b.port.is_up() && a.port.is_up());
    assert_eq!((a.heard(), b.heard()), (vec![], vec![]), "too short to tell, and b stays down");
    b.port.mend();
    run(&sim);
    assert_eq!(b.heard(), [Heard::Link(5_000_000, true)]);
}

#[test]
fn who_was_refused_hears_of_room_when_a_cut_empties_the_queue() {
    let conditions = Conditions { delay: MS, queue_octets_max: 100, ..Conditions::default() };
    let (sim, segment, [a, ..]) = three(conditions, 1);
    assert_eq!(a.send_numbered(B, 10, 0), 5);
    segment.cut();
    run(&sim);
    assert_eq!(a.heard(), [Heard::Link(0, false), Heard::Writable(0)]);
}

/// Neither a frame nor its delivery allocates once the buffers have grown; the one allocation of a burst is its job.
#[test]
fn a_burst_allocates_once() {
    let sim = Sim::new(1);
    let segment = Segment::new(sim.clone(), "wire", Conditions::default(), 1);
    let [from, to] = [A, B].map(|address| segment.attach(address).unwrap());
    let user: Arc<dyn LinkUser> = Arc::new(Silent);
    to.attach(Arc::downgrade(&user));
    let header = Header::new(B, A, EtherType::PPPOE_SESSION);
    let mut room = [0; Header::OCTETS_MAX];
    let parts = [IoSlice::new(header.encode(&mut room)), IoSlice::new(&[7; 1000])];
    let frames = [Frame::new(&parts); 64];
    let burst = || {
        assert_eq!(from.transmit(&frames), 64);
        run(&sim);
    };
    (0..10).for_each(|_| burst());
    assert_eq!(allocation_counter::measure(burst).count_total, 1);
}

/// Hears and does nothing.
struct Silent;

impl LinkUser for Silent {
    fn receive(&self, _frames: &[&[u8]]) {}

    fn link_state(&self, _up: bool) {}
}

/// Passes on the numbers of the frames that it hears.
struct Numbers(std::sync::mpsc::Sender<u32>);

impl LinkUser for Numbers {
    fn receive(&self, frames: &[&[u8]]) {
        for frame in frames {
            self.0.send(u32::from_be_bytes(*frame[14..].first_chunk().unwrap())).unwrap();
        }
    }

    fn link_state(&self, _up: bool) {}
}

#[test]
fn on_threads_frames_arrive_whole_and_in_order_too() {
    let threads = Threads::new();
    let conditions = Conditions { delay: 2 * MS, jitter: 3 * MS, ..Conditions::default() };
    let segment = Segment::new(threads.clone(), "wire", conditions, 1);
    let [from, to] = [A, B].map(|address| segment.attach(address).unwrap());
    let (sender, numbers) = std::sync::mpsc::channel();
    let user: Arc<dyn LinkUser> = Arc::new(Numbers(sender));
    to.attach(Arc::downgrade(&user));
    let mut room = [0; Header::OCTETS_MAX];
    let header = Header::new(B, A, EtherType::PPPOE_SESSION).encode(&mut room);
    for n in 0..2000u32 {
        let number = n.to_be_bytes();
        let parts = [IoSlice::new(header), IoSlice::new(&number)];
        assert_eq!(from.transmit(&[Frame::new(&parts)]), 1);
    }
    let hang = Duration::from_secs(20);
    assert!((0..2000).all(|n| numbers.recv_timeout(hang) == Ok(n)));
}

/// Answers every frame at once, for ever.
struct Echo(Arc<Port>);

impl LinkUser for Echo {
    fn receive(&self, frames: &[&[u8]]) {
        for frame in frames {
            let (header, payload) = Header::parse(frame).unwrap();
            let mut room = [0; Header::OCTETS_MAX];
            let header = Header::new(header.source, header.destination, header.ethertype).encode(&mut room);
            self.0.transmit(&[Frame::new(&[IoSlice::new(header), IoSlice::new(payload)])]);
        }
    }

    fn link_state(&self, _up: bool) {}
}

#[test]
fn two_that_answer_each_other_for_ever_do_not_hold_the_lane() {
    let sim = Sim::new(1);
    let segment = Segment::new(sim.clone(), "wire", Conditions::default(), 1);
    let echoes = [A, B].map(|address| Arc::new(Echo(segment.attach(address).unwrap())));
    for echo in &echoes {
        let user: Weak<Echo> = Arc::downgrade(echo);
        echo.0.attach(user);
    }
    let frame = Header::new(B, A, EtherType::PPPOE_SESSION);
    echoes[0].0.transmit(&[Frame::new(&[IoSlice::new(frame.encode(&mut [0; Header::OCTETS_MAX]))])]);
    for round in 1..100 {
        assert!(sim.step());
        assert_eq!(segment.counters().get(Count::Received), round);
    }
}

struct Panics;

impl LinkUser for Panics {
    fn receive(&self, _frames: &[&[u8]]) {
        panic!("planted");
    }

    fn link_state(&self, _up: bool) {}
}

#[test]
fn a_panic_in_a_user_leaves_the_segment_working() {
    let (sim, _segment, [a, b, c]) = three(Conditions::default(), 1);
    let panics: Arc<dyn LinkUser> = Arc::new(Panics);
    b.port.attach(Arc::downgrade(&panics));
    a.send(B, &[b"planted"]);
    let stepping = sim.clone();
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stepping.step())).is_err());
    a.send(C, &[b"after"]);
    run(&sim);
    assert_eq!(c.payloads().concat(), b"after");
}

/// A run with everything switched on, as text.
fn stormy_run(seed: u64) -> (String, condis::runtime::Journal) {
    let tenth = Chance::of_million(100_000);
    let conditions = Conditions {
        delay: MS,
        jitter: 2 * MS,
        rate_bps: rate(10_000_000),
        queue_octets_max: 20_000,
        loss: tenth,
        duplicate: tenth,
        reorder: tenth,
        reorder_by: 3 * MS,
        corrupt: tenth,
    };
    let (sim, segment, stations) = three(conditions, seed);
    let mut random = sim.rng(1);
    for turn in 0..200 {
        let from = &stations[random.below(3) as usize];
        let to = [A, B, C, MacAddr::BROADCAST][random.below(4) as usize];
        from.send_numbered(to, random.below(30) as u32, random.below(1400) as usize);
        match turn % 50 {
            20 => segment.cut(),
            22 => segment.mend(),
            30 => from.port.cut(),
            _ => from.port.mend(),
        }
        let _ = sim.run_for(Duration::from_micros(random.below(3000)));
    }
    run(&sim);
    let heard = stations.each_ref().map(|station| format!("{:?}\n{:?}", station.heard(), station.port));
    (format!("{segment:?}\n{}", heard.concat()), sim.journal())
}

/// The replay that a simulation promises, and the accounts that must balance whatever happens.
#[test]
fn one_seed_is_one_run() {
    let first = stormy_run(7);
    assert!(first == stormy_run(7), "two runs from one seed differ");
    assert!(first.0 != stormy_run(8).0, "two seeds give the same run");
    for name in ["refused", "lost", "duplicated", "reordered", "corrupted", "cut", "no_such_destination"] {
        assert!(first.0.lines().next().unwrap().contains(name), "{name} does not happen in this run");
    }
}
