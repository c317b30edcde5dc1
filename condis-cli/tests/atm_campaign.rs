//! Campaigns: the lab `atm` in simulation, over fibres that lose, duplicate, reorder and damage cells and are cut, seed by seed.
//!
//! Calls may fail on such lines. But every run comes to its end, nothing is left of it, in no node and not in the switch, and no
//! driver broke a rule.

use condis::runtime::Random;
use condis_cli::client::ledger::{Ending, Stage};
use condis_cli::lab::Lab;
use condis_cli::run::{Options, Report, run};

/// What is done to the fibres and to the lab, as `condis run --set` takes it, so that a failure prints what replays it.
fn settings(seed: u64) -> Vec<String> {
    let mut random = Random::stream(seed, 0xa7_4b);
    let mut set: Vec<String> = [
        "node.manager.client.host",
        "node.mcm.client.host",
        "node.third.client.first",
        "node.third.client.second",
    ]
    .map(|client| format!("{client}.idle=20s"))
    .to_vec();
    for fibre in ["a", "b", "c", "d"] {
        set.push(format!("fibre.{fibre}.delay=\"{}us\"", random.below(2_000)));
        set.push(format!("fibre.{fibre}.jitter=\"{}us\"", random.below(500)));
        set.push(format!("fibre.{fibre}.reorder-by=\"{}us\"", random.below(3_000)));
        for (key, per_myriad_max) in [("loss", 150), ("duplicate", 60), ("reorder", 60), ("corrupt", 60)] {
            // Two thirds of the fibres have nothing of it: a lost cell is a lost SDU.
            let per_myriad = if random.below(3) > 0 { 0 } else { random.below(per_myriad_max) };
            set.push(format!("fibre.{fibre}.{key}={:.4}", per_myriad as f64 / 10_000.0));
        }
        if random.below(4) == 0 {
            let (at, span) = (random.below(1_000), 1 + random.below(4_000));
            set.push(format!("fibre.{fibre}.cuts=[{{ at = \"{at}ms\", for = \"{span}ms\" }}]"));
        }
    }
    set
}

/// Less data than the lab has, so that there is time for many seeds.
fn lab(settings: &[String]) -> Lab {
    let mut lab = Lab::load("atm", settings).expect("the lab is well formed");
    for call in lab.nodes.iter_mut().flat_map(|node| &mut node.clients).flat_map(|client| &mut client.calls) {
        call.send_octets = call.send_octets.min(1_500);
        call.frame_octets = 300;
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
        // Of a call to many nothing is sent again, so what is lost makes a difference there.
        if call.ending == Some(Ending::Differs) && !call.multipoint {
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
            "seed {seed}: {complaints:#?}\nnearly the same: condis run atm --sim --seed {seed}{}",
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
