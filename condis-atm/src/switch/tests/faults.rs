//! Random calls under losses, cuts and removals: afterwards nothing is left.

use super::*;
use crate::uni::{CallLine, RestartClass};

/// What seeds have gone through, so that a change that makes them idle is noticed.
#[derive(Default)]
struct Seen {
    connected: u64,
    refused: u64,
    parties: u64,
    modified: u64,
    restarts: u64,
}

/// One seed: hosts on lines of both forms and all versions call each other in all ways, while messages are lost and lines are cut.
fn run(seed: u64, seen: &mut Seen) {
    let whose = format!("seed {seed}");
    let mut random = Random::stream(seed, 11);
    let versions = [Version::Uni40, Version::Uni40, Version::Uni31, Version::Uni30];
    let ports = (0..4).map(|host| {
        let form = if random.chance(300_000) { Form::Sdus } else { Form::Cells };
        let mut config = config(host, versions[host]).with_rate(10_000);
        config.vcs.vci = 32..=39;
        if host == 1 {
            config = config.with_address(address(4));
        }
        (form, config)
    });
    let ports = ports.collect();
    let mut net = Net::with(ports, seed);
    net.is_faulty = true;
    net.loss = [0, 10_000, 100_000][random.below(3) as usize];
    for _ in 0..60 {
        let host = random.below(4) as usize;
        match random.below(16) {
            0..=5 => {
                let (to, rate) = (random.below(6) as usize, 1 + random.below(6_000) as u32);
                let version = versions[host];
                let mut params = params(version, to, Contract::cbr(rate));
                if random.chance(400_000) {
                    params = params.point_to_multipoint();
                }
                // Refused while signaling is down.
                net.at(host, |uni, now| uni.setup(now, &params)).ok();
            }
            6..=8 => {
                if let Some(call) = any_call(&net, host, &mut random) {
                    let cause = Cause::user(CauseValue::NORMAL_CLEARING);
                    net.at(host, |uni, now| uni.release(now, call, cause, &[])).ok();
                }
            }
            9..=10 => {
                let tree = any_call_with(&net, host, &mut random, |line| line.ours && line.parties.is_some());
                if let Some(call) = tree {
                    let to = PartyParams::from(address(random.below(6) as usize));
                    net.at(host, |uni, now| uni.add_party(now, call, &to)).ok();
                }
            }
            11 => {
                if let Some(call) = any_call_with(&net, host, &mut random, |line| line.parties.is_some()) {
                    let (party, cause) =
                        (PartyId(random.below(4) as u16), Cause::user(CauseValue::USER_BUSY));
                    net.at(host, |uni, now| uni.drop_party(now, call, party, cause)).ok();
                }
            }
            12 => {
                let plain =
                    any_call_with(&net, host, &mut random, |line| line.ours && line.parties.is_none());
                if let Some(call) = plain {
                    let traffic =
                        params(versions[host], 0, Contract::cbr(1 + random.below(9_000) as u32)).traffic;
                    let params = crate::uni::ModifyParams { traffic, other: Vec::new() };
                    net.at(host, |uni, now| uni.modify(now, call, &params)).ok();
                }
            }
            13 => {
                let habits = [Habit::Answer, Habit::Refuse(CauseValue::USER_BUSY), Habit::Linger];
                net.hosts[host].habit = habits[random.below(3) as usize];
            }
            14 => {
                let is_cut = net.hosts[host].is_cut;
                net.set_link(host, is_cut);
            }
            _ if random.chance(500_000) => {
                net.at(host, |uni, now| uni.restart(now, RestartClass::All)).ok();
            }
            _ => {
                net.core.restart(net.now, net.hosts[host].port, RestartClass::All).ok();
                net.collect();
            }
        }
        if let Some(call) = any_call(&net, host, &mut random)
            && let Some(vpvc) = net.hosts[host].uni.connection(call)
        {
            net.send(host, vpvc, &[3; 100]);
        }
        check_books(&net, &whose);
        let pause = [0, 1, 5, 50, 2_000][random.below(5) as usize];
        net.pass(pause * MS);
    }
    // The lines are good again, everybody hangs up, and what the switch does not know of is found by the hosts' timers.
    net.loss = 0;
    for host in 0..4 {
        if net.hosts[host].is_cut {
            net.set_link(host, true);
        }
        net.hosts[host].habit = Habit::Answer;
    }
    net.pass(Duration::from_secs(60));
    for host in 0..4 {
        let calls: Vec<CallId> = net.hosts[host].uni.calls().map(|line| line.call).collect();
        for call in calls {
            net.at(host, |uni, now| uni.release(now, call, Cause::user(CauseValue::NORMAL_CLEARING), &[]))
                .ok();
        }
    }
    net.pass(Duration::from_secs(600));
    net.assert_nothing_left(&whose);
    assert!(net.hosts.iter().all(|host| host.uni.calls_len() == 0), "{whose}: the hosts have calls");
    let counters = net.core.call_counters();
    seen.connected += counters.calls_connected;
    seen.refused +=
        counters.iter().filter(|(name, _)| name.starts_with("refused")).map(|(_, n)| n).sum::<u64>();
    seen.parties += counters.parties_connected;
    seen.modified += counters.modifications_made;
    seen.restarts += counters.restarts;
    let ports: Vec<PortInfo> = net.core.ports().collect();
    assert!(ports.iter().all(|port| port.signaling_is_up), "{whose}");
}

fn any_call(net: &Net, host: usize, random: &mut Random) -> Option<CallId> {
    any_call_with(net, host, random, |_| true)
}

fn any_call_with(
    net: &Net,
    host: usize,
    random: &mut Random,
    suits: impl Fn(&CallLine) -> bool,
) -> Option<CallId> {
    let calls: Vec<CallId> = net.hosts[host].uni.calls().filter(suits).map(|line| line.call).collect();
    (!calls.is_empty()).then(|| calls[random.below(calls.len() as u64) as usize])
}

/// What holds at every moment: nobody books more than there is, and the identifiers in use are those of calls.
fn check_books(net: &Net, whose: &str) {
    for port in net.core.ports() {
        assert!(port.outgoing_reserved_cells_per_s <= 10_000, "{whose}: {port}");
        assert!(port.incoming_reserved_cells_per_s <= 10_000, "{whose}: {port}");
        assert!(port.vcs_in_use <= port.calls, "{whose}: {port}");
    }
    let connected: usize =
        net.core.calls().filter(|call| call.is_connected).map(|call| call.branches.len()).sum();
    assert!(net.core.fabric().legs_len() <= 2 * connected, "{whose}");
}

#[test]
fn nothing_is_left_after_faults() {
    let mut seen = Seen::default();
    (0..200).for_each(|seed| run(seed, &mut seen));
    let Seen { connected, refused, parties, modified, restarts } = seen;
    assert!(connected > 1_000 && refused > 1_000, "{connected} connected, {refused} refused");
    assert!(parties > 50 && modified > 8 && restarts > 50, "{parties} {modified} {restarts}");
}

/// More seeds, or the one of `CONDIS_SEED`.
#[test]
#[ignore = "ten seconds: cargo test -p condis-atm a_thousand_seeds -- --ignored"]
fn nothing_is_left_after_a_thousand_seeds() {
    let one = std::env::var("CONDIS_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = one.map_or(0..1_000, |seed| seed..seed + 1);
    seeds.for_each(|seed| run(seed, &mut Seen::default()));
}
