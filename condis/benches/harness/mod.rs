//! Compares two programs in one run.
//!
//! The machines are shared and noisy: the same code moves by half within minutes. So nothing here is measured alone. A round
//! times the floor and ours right after each other, in an order that changes from round to round, and gives one ratio; what
//! counts is the median of the rounds' ratios.
//!
//! `CONDIS_BENCH_QUICK=1`, `--quick` or `--test` runs each program once and briefly, to see that it still runs. So does
//! `cargo test --benches`, which, unlike `cargo bench`, does not pass `--bench`. Another argument is a filter: only
//! comparisons whose name contains it run.

#![allow(dead_code, reason = "each bench uses its part")]

use std::time::{Duration, Instant};

/// How long one program runs in one round.
const TURN: Duration = Duration::from_millis(40);
/// Rounds of one comparison; odd, so that the median is one of them.
const ROUNDS: usize = 25;

/// One run of a bench.
pub(crate) struct Harness {
    quick: bool,
    filter: Option<String>,
    missed: usize,
}

/// What a ratio should be: that of times per operation, ours / floor, or of rates, floor / ours.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Only for information.
    None,
}

/// The outcome of a comparison.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// Nanoseconds for one operation of the floor, the median.
    pub(crate) floor_ns: f64,
    /// Nanoseconds for one operation of ours, the median.
    pub(crate) ours_ns: f64,
    /// The median of the rounds' ratios ours / floor, or floor / ours for rates.
    pub(crate) ratio: f64,
    /// The smallest ratio and the largest.
    pub(crate) range: (f64, f64),
}

impl Harness {
    /// Reads the command line and the environment.
    pub(crate) fn from_env(title: &str) -> Harness {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let has = |flag: &str| args.iter().any(|arg| arg == flag);
        let quick_env = std::env::var("CONDIS_BENCH_QUICK").is_ok_and(|value| value != "0");
        let quick = quick_env || has("--quick") || has("--test") || !has("--bench");
        let filter = args.iter().find(|arg| !arg.starts_with('-')).cloned();
        println!("{title}{}", if quick { " (quick: the numbers mean nothing)" } else { "" });
        Harness { quick, filter, missed: 0 }
    }

    /// Whether the programs only have to run.
    pub(crate) fn is_quick(&self) -> bool {
        self.quick
    }

    /// `full`, or `quick` in a quick run.
    pub(crate) fn size<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Times `floor` against `ours`. Each does as many operations as its argument says; `None` if the filter leaves it out.
    pub(crate) fn compare(
        &mut self,
        name: &str,
        target: Target,
        mut floor: impl FnMut(u64),
        mut ours: impl FnMut(u64),
    ) -> Option<Outcome> {
        self.measure(name, target, |floor, ours| ours / floor, &mut floor, &mut ours)
    }

    /// As [`Harness::compare`], but the ratio is that of the rates: 2 means that ours does twice as much in the same time.
    pub(crate) fn compare_rates(
        &mut self,
        name: &str,
        target: Target,
        mut floor: impl FnMut(u64),
        mut ours: impl FnMut(u64),
    ) -> Option<Outcome> {
        self.measure(name, target, |floor, ours| floor / ours, &mut floor, &mut ours)
    }

    /// Tells a figure that is no time, such as octets or a count of allocations. `figure` takes it, unless the filter leaves
    /// it out.
    pub(crate) fn figure(&mut self, name: &str, unit: &str, target: Target, figure: impl FnOnce() -> f64) {
        if self.leaves_out(name) {
            return;
        }
        let figure = figure();
        let verdict = self.judge(target, figure);
        println!("{name:<44} {figure:>9.1} {unit}{verdict}");
    }

    fn leaves_out(&self, name: &str) -> bool {
        self.filter.as_ref().is_some_and(|filter| !name.contains(filter.as_str()))
    }

    fn measure(
        &mut self,
        name: &str,
        target: Target,
        ratio: impl Fn(f64, f64) -> f64,
        floor: &mut dyn FnMut(u64),
        ours: &mut dyn FnMut(u64),
    ) -> Option<Outcome> {
        if self.leaves_out(name) {
            return None;
        }
        let counts = if self.quick { (50, 50) } else { (calibrate(floor), calibrate(ours)) };
        let rounds = if self.quick { 1 } else { rounds() };
        let mut pairs = Vec::with_capacity(rounds);
        for round in 0..rounds {
            let pair = if round % 2 == 0 {
                let floor_ns = time(floor, counts.0);
                (floor_ns, time(ours, counts.1))
            } else {
                let ours_ns = time(ours, counts.1);
                (time(floor, counts.0), ours_ns)
            };
            pairs.push(pair);
        }
        let ratios = sorted(pairs.iter().map(|(floor, ours)| ratio(*floor, *ours)));
        let outcome = Outcome {
            floor_ns: median(&sorted(pairs.iter().map(|(floor, _)| *floor))),
            ours_ns: median(&sorted(pairs.iter().map(|(_, ours)| *ours))),
            ratio: median(&ratios),
            range: (ratios[0], ratios[rounds - 1]),
        };
        self.print(name, target, outcome);
        Some(outcome)
    }

    /// Says how many targets were missed. A miss does not fail the run, since the machine may be the reason.
    pub(crate) fn finish(self) {
        if !self.quick {
            println!("targets missed: {}", self.missed);
        }
    }

    fn print(&mut self, name: &str, target: Target, outcome: Outcome) {
        let Outcome { floor_ns, ours_ns, ratio, range } = outcome;
        let verdict = self.judge(target, ratio);
        println!(
            "{name:<44} floor {floor_ns:>9.1} ns  ours {ours_ns:>9.1} ns  ratio {ratio:>6.3} [{:.3} .. {:.3}]{verdict}",
            range.0, range.1
        );
    }

    /// Says whether `figure` reaches the target, and counts it if not.
    fn judge(&mut self, target: Target, figure: f64) -> String {
        let (wanted, reached) = match target {
            Target::AtMost(most) => (format!("<= {most:.3}"), figure <= most),
            Target::AtLeast(least) => (format!(">= {least:.3}"), figure >= least),
            Target::None => return String::new(),
        };
        self.missed += usize::from(!reached);
        match (self.quick, reached) {
            (true, _) => format!("  (target {wanted})"),
            (false, true) => format!("  (target {wanted}: reached)"),
            (false, false) => format!("  (target {wanted}: MISSED)"),
        }
    }
}

/// [`ROUNDS`], or what `CONDIS_BENCH_ROUNDS` says while something is being tried out.
fn rounds() -> usize {
    let rounds = std::env::var("CONDIS_BENCH_ROUNDS").ok().and_then(|value| value.parse().ok());
    rounds.unwrap_or(ROUNDS).max(1)
}

/// How many operations take about [`TURN`].
fn calibrate(program: &mut dyn FnMut(u64)) -> u64 {
    let mut count = 16;
    loop {
        let took = time(program, count) * count as f64;
        let turn = TURN.as_nanos() as f64;
        if took >= turn / 4.0 {
            return ((count as f64 * turn / took) as u64).max(1);
        }
        count *= 4;
    }
}

/// Nanoseconds that one of `count` operations takes.
#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn time(program: &mut dyn FnMut(u64), count: u64) -> f64 {
    let start = Instant::now();
    program(count);
    start.elapsed().as_nanos().max(1) as f64 / count as f64
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}
