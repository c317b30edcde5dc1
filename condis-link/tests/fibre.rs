//! Aim: what a fibre does to cells is what its conditions say, to the nanosecond and to the cell, and the same seed does it
//! again. Method: a user at each end in a simulation, which writes down what it hears and when; once on threads.

use std::io::IoSlice;
use std::num::NonZeroU64;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use condis::runtime::{Ran, Runtime, Sim, Threads};
use condis_link::atm::{
    ATM_BATCH_MAX, AtmLink, AtmLinkUser, Cell, Fibre, FibreConditions, FibreEnd, Form, Sdu, SduIn, VpVc,
};
use condis_link::counters::Count;
use condis_link::memory::Chance;

const US: Duration = Duration::from_micros(1);
const FOR_EVER: Duration = Duration::MAX;

#[derive(Clone, PartialEq, Eq, Debug)]
enum Heard {
    /// At this nanosecond, cells with these numbers.
    Cells(u64, Vec<u32>),
    Link(u64, bool),
    Writable(u64),
}

struct User {
    sim: Arc<Sim>,
    end: Arc<FibreEnd>,
    heard: Mutex<Vec<Heard>>,
}

impl User {
    fn new(sim: &Arc<Sim>, end: Arc<FibreEnd>) -> Arc<User> {
        let user = Arc::new(User { sim: sim.clone(), end, heard: Mutex::default() });
        user.end.attach(Arc::downgrade(&user) as Weak<dyn AtmLinkUser>);
        user
    }

    fn send(&self, numbers: std::ops::Range<u32>) -> usize {
        self.end.transmit_cells(&numbers.map(cell).collect::<Vec<_>>())
    }

    fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }

    /// The numbers of all cells heard, in order.
    fn numbers(&self) -> Vec<u32> {
        let heard = self.heard().into_iter();
        let cells =
            heard.map(|heard| if let Heard::Cells(_, numbers) = heard { numbers } else { Vec::new() });
        cells.flatten().collect()
    }

    fn hears(&self, heard: Heard) {
        self.heard.lock().unwrap().push(heard);
    }

    fn count(&self, count: Count) -> u64 {
        self.end.counters().get(count)
    }
}

impl AtmLinkUser for User {
    fn receive_cells(&self, cells: &[Cell]) {
        assert!((1..=ATM_BATCH_MAX).contains(&cells.len()));
        self.hears(Heard::Cells(self.sim.now().as_nanos(), cells.iter().map(number).collect()));
    }

    fn receive_sdus(&self, _: &[SduIn<'_>]) {
        panic!("a fibre carries cells");
    }

    fn link_state(&self, up: bool) {
        self.hears(Heard::Link(self.sim.now().as_nanos(), up));
    }

    fn writable(&self) {
        self.hears(Heard::Writable(self.sim.now().as_nanos()));
    }
}

fn cell(number: u32) -> Cell {
    let mut cell = [0; 53];
    cell[5..9].copy_from_slice(&number.to_be_bytes());
    cell
}

fn number(cell: &Cell) -> u32 {
    u32::from_be_bytes(cell[5..9].try_into().unwrap())
}

/// No rate, no delay, and each cell at its nanosecond.
fn bare() -> FibreConditions {
    FibreConditions { cells_per_s: None, gather: Duration::ZERO, ..FibreConditions::default() }
}

fn pair(conditions: FibreConditions) -> (Arc<Sim>, Fibre, Arc<User>, Arc<User>) {
    let sim = Sim::new(1);
    let (fibre, ends) = Fibre::new(sim.clone(), "fibre", conditions, 7);
    let [a, b] = ends.map(|end| User::new(&sim, end));
    (sim, fibre, a, b)
}

fn run(sim: &Sim) {
    assert_eq!(sim.run_until_idle(FOR_EVER), Ran::Idle);
}

#[test]
fn cells_arrive_in_order_at_the_rate_and_after_the_delay() {
    let conditions = FibreConditions { cells_per_s: NonZeroU64::new(100_000), delay: 50 * US, ..bare() };
    let (sim, _fibre, a, b) = pair(conditions);
    assert_eq!((a.end.name(), b.end.name(), a.end.form()), ("fibre/a", "fibre/b", Form::Cells));
    assert_eq!((a.end.cells_per_s(), a.end.is_up()), (Some(100_000), true));
    assert_eq!(a.send(0..3), 3);
    assert_eq!(b.send(10..11), 1);
    run(&sim);
    let expected = [(60_000, 0), (70_000, 1), (80_000, 2)];
    assert_eq!(b.heard(), expected.map(|(at, number)| Heard::Cells(at, vec![number])));
    assert_eq!(a.heard(), [Heard::Cells(60_000, vec![10])], "the other way has a line of its own");
    assert_eq!((a.count(Count::Sent), a.count(Count::SentOctets), b.count(Count::Received)), (3, 159, 3));
}

#[test]
fn cells_of_one_span_come_together_and_a_megabyte_is_few_events() {
    let (sim, _fibre, a, b) = pair(FibreConditions { queue_cells_max: 30_000, ..FibreConditions::default() });
    // 1 MiB in cells of 48 octets.
    assert_eq!(a.send(0..21_846), 21_846);
    run(&sim);
    // 61.85 ms in spans of 100 us.
    assert_eq!(sim.journal().events, 619);
    let heard = b.heard();
    let Heard::Cells(at, first) = &heard[0] else { panic!("{heard:?}") };
    assert_eq!((*at, first.len()), (100_000, 35), "35.3 cells of OC-3 leave in 100 us");
    *b.heard.lock().unwrap() = heard;
    assert!(b.numbers().into_iter().eq(0..21_846));
}

#[test]
fn a_batch_is_bounded() {
    let (sim, _fibre, a, b) = pair(bare());
    a.send(0..600);
    run(&sim);
    let lens: Vec<_> = b
        .heard()
        .iter()
        .map(|heard| if let Heard::Cells(0, numbers) = heard { numbers.len() } else { panic!("{heard:?}") })
        .collect();
    assert_eq!(lens, [256, 256, 88]);
}

#[test]
fn a_full_queue_refuses_and_tells_when_it_is_half_empty() {
    let conditions =
        FibreConditions { cells_per_s: NonZeroU64::new(1_000_000), queue_cells_max: 10, ..bare() };
    let (sim, _fibre, a, b) = pair(conditions);
    assert_eq!(a.send(0..25), 10);
    assert_eq!(a.send(10..25), 0);
    assert_eq!(a.count(Count::Refused), 30);
    run(&sim);
    assert_eq!(a.heard(), [Heard::Writable(5_000)]);
    assert_eq!(b.numbers().len(), 10);
    assert_eq!(a.send(10..25), 10);
}

#[test]
fn a_queue_of_nothing_still_takes_one() {
    let (sim, _fibre, a, b) = pair(FibreConditions { queue_cells_max: 0, ..bare() });
    assert_eq!(a.send(0..2), 1);
    run(&sim);
    assert_eq!((a.heard(), b.numbers()), (vec![Heard::Writable(0)], vec![0]));
}

#[test]
fn a_cut_loses_what_is_under_way_and_is_told_at_both_ends() {
    let (sim, fibre, a, b) = pair(FibreConditions { delay: 10 * US, queue_cells_max: 4, ..bare() });
    a.send(0..5);
    let _ = sim.run_for(US);
    fibre.cut();
    assert!(!a.end.is_up() && !b.end.is_up());
    assert_eq!(a.send(4..6), 2, "a line that is down takes everything");
    run(&sim);
    assert_eq!(a.heard(), [Heard::Link(1_000, false), Heard::Writable(1_000)]);
    assert_eq!(b.heard(), [Heard::Link(1_000, false)]);
    assert_eq!((a.count(Count::Cut), a.count(Count::Sent)), (6, 4));
    fibre.mend();
    a.send(6..7);
    run(&sim);
    assert_eq!(b.heard(), [Heard::Link(1_000, true), Heard::Cells(11_000, vec![6])]);
    assert_eq!(
        format!("{fibre:?}"),
        format!("fibre fibre: a: {}; b: {}", a.end.counters(), b.end.counters())
    );
}

/// Nor does the line wait for the cells that were on it.
#[test]
fn what_a_cut_has_lost_holds_nothing_up() {
    let conditions =
        FibreConditions { delay: 10_000 * US, cells_per_s: NonZeroU64::new(1_000_000), ..bare() };
    let (sim, fibre, a, b) = pair(conditions);
    a.send(0..100);
    let _ = sim.run_for(US);
    fibre.cut();
    fibre.mend();
    fibre.set_conditions(FibreConditions { delay: US, ..fibre.conditions() });
    a.send(100..101);
    run(&sim);
    assert_eq!(b.heard(), [Heard::Cells(3_000, vec![100])]);
}

#[test]
fn a_state_too_short_to_tell_is_left_out() {
    let (sim, fibre, a, _b) = pair(bare());
    fibre.cut();
    fibre.mend();
    run(&sim);
    assert_eq!(a.heard(), []);
}

#[test]
fn a_closed_end_s_last_cells_arrive_and_then_the_other_goes_down() {
    let (sim, _fibre, a, b) = pair(FibreConditions { delay: 10 * US, ..bare() });
    a.send(0..2);
    a.end.close();
    a.end.close();
    b.send(0..3);
    assert!(!a.end.is_up() && b.end.is_up());
    assert_eq!(a.send(2..4), 2);
    run(&sim);
    assert_eq!(b.heard(), [Heard::Cells(10_000, vec![0, 1]), Heard::Link(10_000, false)]);
    assert_eq!(a.heard(), []);
    assert_eq!((a.count(Count::Closed), b.count(Count::Closed)), (2, 3));
    b.send(3..4);
    assert_eq!(b.count(Count::Cut), 1, "nobody is there any more");
}

#[test]
fn an_end_that_is_dropped_is_closed() {
    let sim = Sim::new(1);
    let (_fibre, [a, b]) = Fibre::new(sim.clone(), "fibre", bare(), 7);
    let b = User::new(&sim, b);
    drop(a);
    run(&sim);
    assert_eq!(b.heard(), [Heard::Link(0, false)]);
}

#[test]
fn nobody_at_an_end_is_counted_and_the_wrong_form_is() {
    let sim = Sim::new(1);
    let (_fibre, [a, b]) = Fibre::new(sim.clone(), "fibre", bare(), 7);
    a.transmit_cells(&[cell(1)]);
    let sdu = Sdu { vpvc: VpVc::SIGNALING, parts: &[IoSlice::new(b"sdu")] };
    assert_eq!(a.transmit_sdus(&[sdu]), 1);
    run(&sim);
    assert_eq!(a.counters().to_string(), "sent 1, sent_octets 53, wrong_form 1");
    assert_eq!(b.counters().to_string(), "no_user 1");
}

#[test]
fn faults_come_as_often_as_asked_and_each_is_counted() {
    let tenth = Chance::of_million(100_000);
    let each = [
        FibreConditions { loss: tenth, ..bare() },
        FibreConditions { duplicate: tenth, ..bare() },
        FibreConditions { corrupt: tenth, ..bare() },
        FibreConditions {
            reorder: tenth,
            reorder_by: 10 * US,
            cells_per_s: NonZeroU64::new(1_000_000),
            ..bare()
        },
    ];
    let counts = [Count::Lost, Count::Duplicated, Count::Corrupted, Count::Reordered];
    for (conditions, count) in each.into_iter().zip(counts) {
        let (sim, _fibre, a, b) = pair(conditions);
        a.send(0..10_000);
        run(&sim);
        let hit = a.count(count);
        assert!((900..1100).contains(&hit), "{count:?} {hit}");
        let numbers = b.numbers();
        match count {
            Count::Lost => assert_eq!(numbers.len() as u64, 10_000 - hit),
            Count::Duplicated => {
                assert_eq!(numbers.len() as u64, 10_000 + hit);
                assert_eq!(numbers.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64, hit);
            }
            Count::Reordered => {
                let out_of_order = numbers.windows(2).filter(|pair| pair[1] < pair[0]).count() as u64;
                assert!((hit * 8 / 10..=hit).contains(&out_of_order), "{out_of_order} of {hit}");
                let mut sorted = numbers;
                sorted.sort_unstable();
                assert!(sorted.into_iter().eq(0..10_000));
            }
            _ => assert_eq!(numbers.len(), 10_000),
        }
    }
}

/// Writes down whole cells.
struct Whole(Mutex<Vec<Cell>>);

impl AtmLinkUser for Whole {
    fn receive_cells(&self, cells: &[Cell]) {
        self.0.lock().unwrap().extend_from_slice(cells);
    }

    fn receive_sdus(&self, _: &[SduIn<'_>]) {}

    fn link_state(&self, _: bool) {}
}

#[test]
fn one_bit_is_turned_and_headers_are_not_spared() {
    let sim = Sim::new(1);
    let (_fibre, [a, b]) =
        Fibre::new(sim.clone(), "fibre", FibreConditions { corrupt: Chance::ALWAYS, ..bare() }, 7);
    let whole = Arc::new(Whole(Mutex::default()));
    b.attach(Arc::downgrade(&whole) as Weak<dyn AtmLinkUser>);
    a.transmit_cells(&[[0; 53]; 2000]);
    run(&sim);
    let cells = whole.0.lock().unwrap();
    let ones = |octets: &[u8]| octets.iter().map(|octet| octet.count_ones()).sum::<u32>();
    assert!(cells.len() == 2000 && cells.iter().all(|cell| ones(cell) == 1));
    let in_header = cells.iter().filter(|cell| ones(&cell[..5]) == 1).count();
    assert!((130..250).contains(&in_header), "5 of 53 octets are header: {in_header}");
}

#[test]
fn one_seed_is_one_run() {
    let run_once = |seed| {
        let some = Chance::of_million(50_000);
        let conditions = FibreConditions {
            delay: 20 * US,
            jitter: 30 * US,
            loss: some,
            duplicate: some,
            reorder: some,
            reorder_by: 100 * US,
            corrupt: some,
            queue_cells_max: 100,
            ..FibreConditions::default()
        };
        let sim = Sim::new(1);
        let (_fibre, ends) = Fibre::new(sim.clone(), "fibre", conditions, seed);
        let [a, b] = ends.map(|end| User::new(&sim, end));
        for n in 0..50 {
            a.send(n * 40..n * 40 + 40);
            b.send(n * 7..n * 7 + 7);
            let _ = sim.run_for(37 * US);
        }
        run(&sim);
        (a.heard(), b.heard(), a.end.counters().to_string(), sim.journal())
    };
    assert_eq!(run_once(3), run_once(3));
    assert_ne!(run_once(3).1, run_once(4).1);
}

#[test]
fn a_rate_that_changes_holds_for_the_cells_to_come() {
    let (sim, fibre, a, b) = pair(FibreConditions { cells_per_s: NonZeroU64::new(3), ..bare() });
    a.send(0..1);
    fibre.set_conditions(FibreConditions { cells_per_s: NonZeroU64::new(1_000_000), ..fibre.conditions() });
    a.send(1..2);
    run(&sim);
    assert_eq!(b.heard(), [Heard::Cells(333_333_334, vec![0]), Heard::Cells(333_334_333, vec![1])]);
}

/// Tells the test what it hears.
struct Told(Sender<Vec<u32>>);

impl AtmLinkUser for Told {
    fn receive_cells(&self, cells: &[Cell]) {
        let _ = self.0.send(cells.iter().map(number).collect());
    }

    fn receive_sdus(&self, _: &[SduIn<'_>]) {}

    fn link_state(&self, up: bool) {
        assert!(!up);
        let _ = self.0.send(Vec::new());
    }
}

#[test]
fn on_threads_the_order_is_the_same() {
    let threads = Threads::new();
    let conditions = FibreConditions { queue_cells_max: 100_000, ..FibreConditions::default() };
    let (fibre, [a, b]) = Fibre::new(threads.clone(), "fibre", conditions, 7);
    let (sender, heard) = channel();
    let told = Arc::new(Told(sender));
    b.attach(Arc::downgrade(&told) as Weak<dyn AtmLinkUser>);
    for n in 0..100 {
        assert_eq!(a.transmit_cells(&(n * 100..n * 100 + 100).map(cell).collect::<Vec<_>>()), 100);
    }
    let mut numbers = Vec::new();
    while numbers.len() < 10_000 {
        numbers.extend(heard.recv_timeout(Duration::from_secs(20)).unwrap());
    }
    assert!(numbers.into_iter().eq(0..10_000));
    fibre.cut();
    assert_eq!(heard.recv_timeout(Duration::from_secs(20)).unwrap(), [0_u32; 0]);
}

/// Neither a cell nor its delivery allocates once the queue has grown.
#[test]
fn a_megabyte_allocates_nothing() {
    let sim = Sim::new(1);
    let conditions = FibreConditions { queue_cells_max: 30_000, ..FibreConditions::default() };
    let (_fibre, [a, b]) = Fibre::new(sim.clone(), "fibre", conditions, 7);
    let whole = Arc::new(Counting(Mutex::new(0)));
    b.attach(Arc::downgrade(&whole) as Weak<dyn AtmLinkUser>);
    let cells = vec![[0; 53]; 21_846];
    let burst = || {
        assert_eq!(a.transmit_cells(&cells), cells.len());
        run(&sim);
    };
    (0..3).for_each(|_| burst());
    assert_eq!(allocation_counter::measure(burst).count_total, 0);
    assert_eq!(*whole.0.lock().unwrap(), 4 * 21_846);
}

/// Counts cells.
struct Counting(Mutex<u64>);

impl AtmLinkUser for Counting {
    fn receive_cells(&self, cells: &[Cell]) {
        *self.0.lock().unwrap() += cells.len() as u64;
    }

    fn receive_sdus(&self, _: &[SduIn<'_>]) {}

    fn link_state(&self, _: bool) {}
}
