//! Campaigns: two-ways in simulation, over wires that lose, duplicate, reorder and damage frames and are cut, seed by seed.
//!
//! Calls may fail on such a wire. But every run comes to its end, nothing is left of it, and no driver broke a rule.

use condis::runtime::Random;
use condis_cli::client::ledger::{Ending, Stage};
use condis_cli::lab::Lab;
use condis_cli::run::{Options, Report, run};

/// What is done to the wire and to the lab, as `condis run --set` takes it, so that a failure prints what replays it.
fn settings(seed: u64) -> Vec<String> {
    let mut random = Random::stream(seed, 0xca_4b);
    let mut set = vec![
        format!("segment.wire.delay=\"{}us\"", random.below(5_000)),
        format!("segment.wire.jitter=\"{}us\"", random.below(2_000)),
        format!("segment.wire.reorder-by=\"{}us\"", random.below(10_000)),
        "node.ac.client.north.idle=5s".to_owned(),
        "node.ac.client.south.idle=5s".to_owned(),
    ];
    for (key, permille_max) in [("loss", 250), ("duplicate", 200), ("reorder", 200), ("corrupt", 20)] {
        // A third of the runs has nothing of it.
        let permille = if random.below(3) == 0 { 0 } else { random.below(permille_max) };
        set.push(format!("segment.wire.{key}={:.3}", permille as f64 / 1000.0));
    }
    let cuts: Vec<_> = (0..random.below(3))
        .map(|_| format!("{{ at = \"{}ms\", for = \"{}ms\" }}", random.below(1_500), 1 + random.below(2_000)))
        .collect();
    set.push(format!("segment.wire.cuts=[{}]", cuts.join(", ")));
    set
}

/// Less data and patience than the lab has, so that there is time for many seeds.
fn lab(settings: &[String]) -> Lab {
    let mut lab = Lab::load("two-ways", settings).expect("the lab is well formed");
    for call in lab.nodes.iter_mut().flat_map(|node| &mut node.clients).flat_map(|client| &mut client.calls) {
        call.send_octets = 20_000;
    }
    lab
}

fn complaints(report: &Report) -> Vec<String> {
    let mut complaints = Vec::new();
    for node in &report.nodes {
        if !node.left.is_nothing() {
            complaints.push(format!("{} has left {}", node.name, node.left));
        }
        complaints.extend(node.reports.iter().map(|broken| format!("{}: {broken}", node.name)));
    }
    for call in &report.calls {
        if call.stage != Stage::Over {
            complaints.push(format!("{call:?} is not over"));
        }
        if call.ending == Some(Ending::Differs) {
            complaints.push(format!("{call:?}: damaged data was taken for good"));
        }
    }
    // Failed calls name themselves; all other problems are ours.
    let ours =
        report.problems.iter().filter(|problem| !problem.contains(" call ") || problem.contains("never"));
    complaints.extend(ours.cloned());
    complaints
}

fn campaign(seeds: std::ops::Range<u64>) {
    let (mut made, mut done) = (0, 0);
    for seed in seeds {
        let settings = settings(seed);
        let options = Options { seed: Some(seed), ..Options::default() };
        let report = run(&lab(&settings), &options).expect("the lab starts");
        let complaints = complaints(&report);
        assert!(
            complaints.is_empty(),
            "seed {seed}: {complaints:#?}\nnearly the same: condis run --sim --seed {seed}{}",
            settings.iter().map(|set| format!(" --set '{set}'")).collect::<String>()
        );
        made += report.totals.made;
        done += report.totals.done;
    }
    println!("{done} of {made} calls did all that was asked");
    // A campaign in which nothing gets through, or all of it does, tests little.
    assert!(done * 4 > made && done < made, "{done} of {made} calls did all that was asked");
}

#[test]
fn seeds_0_to_500_leave_nothing() {
    campaign(0..500);
}

#[test]
fn seeds_500_to_1000_leave_nothing() {
    campaign(500..1000);
}

/// Without cuts, discovery's retries and the client's bring every call through, on nearly every seed.
#[test]
fn a_lossy_wire_brings_the_calls_through() {
    let mut done = 0;
    for seed in 0..20 {
        let mut lab = Lab::load("lossy", &[]).expect("the lab is well formed");
        for call in
            lab.nodes.iter_mut().flat_map(|node| &mut node.clients).flat_map(|client| &mut client.calls)
        {
            call.send_octets = 50_000;
        }
        let report = run(&lab, &Options { seed: Some(seed), ..Options::default() }).expect("the lab starts");
        assert_eq!(complaints(&report), Vec::<String>::new(), "seed {seed}");
        done += u32::from(report.is_ok());
    }
    assert!(done >= 18, "{done} of 20");
}
