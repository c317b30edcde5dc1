//! Aim: whatever happens to the line and to the adapter, calls end with a cause that says so, or live through it, and nothing is
//! left. Method: as in `calls`, with the plug pulled, the adapter paused or removed, and a line that loses and damages cells.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use condis::adapter::AdapterControl;
use condis::node::Node;
use condis::oid::code;
use condis::role::RoleKind;
use condis::runtime::{Ran, Sim};
use condis::trace::VcId;
use condis_atm::addr::Esi;
use condis_atm::driver::{AtmConfig, AtmMcm, UniCallManager};
use condis_atm::uni::Version;
use condis_link::atm::{Fibre, FibreConditions};
use condis_link::memory::Chance;

use crate::calls::to;
use crate::client::{Policy, TestClient};
use crate::lab::{Kind, LONG, Lab, MIXES, Setup, in_every_mix, in_every_mix_of, is_enabled};

fn up(lab: &Lab, calls: usize) -> Vec<VcId> {
    let vcs: Vec<_> = (0..calls).map(|_| lab.a.client.create()).collect();
    for &vc in &vcs {
        lab.a.client.dial(vc, &to(2));
    }
    lab.soon();
    assert_eq!(lab.a.client.up().len(), calls, "{:?}", lab.a.client.heard());
    vcs
}

/// A slow line with a short queue, so that sends wait in the miniport.
fn slow() -> FibreConditions {
    FibreConditions {
        cells_per_s: NonZeroU64::new(20_000),
        queue_cells_max: 32,
        ..FibreConditions::default()
    }
}

/// T309: calls that stand live through a short loss of the SAAL; OID_CO_SIGNALING_DISABLED and _ENABLED tell of it (DP-188).
#[test]
fn calls_survive_a_short_outage() {
    in_every_mix(|lab| {
        let vcs = up(lab, 2);
        lab.a.fibre.cut();
        lab.run_for(Duration::from_secs(3));
        assert!(!is_enabled(&lab.a));
        lab.a.fibre.mend();
        lab.run_for(Duration::from_secs(10));
        assert!(is_enabled(&lab.a));
        assert_eq!(lab.a.client.told(code::CO_SIGNALING_DISABLED), 2, "before it came up first, and now");
        assert_eq!((lab.a.client.up(), lab.b.client.up().len()), (vcs.clone(), 2));
        lab.a.client.send(vcs[0], [vec![1; 10]]);
        lab.soon();
        assert_eq!(lab.b.client.received(), [1; 10]);
        lab.a.client.close(vcs[0]);
        lab.soon();
        assert_eq!(lab.b.client.up().len(), 1);
    });
}

/// A long one ends them: MEDIA_DISCONNECTED where the line is, and a cause from the network at the other end. Then calls can
/// be made again on the same VC.
#[test]
fn a_long_outage_ends_calls() {
    in_every_mix(|lab| {
        let vcs = up(lab, 3);
        lab.a.fibre.cut();
        lab.late();
        let heard = lab.a.client.heard();
        let gone = heard.iter().filter(|what| what.starts_with("remote close MEDIA_DISCONNECTED"));
        assert_eq!(gone.count(), 3, "{heard:?}");
        assert_eq!((lab.a.client.up().len(), lab.b.client.up().len()), (0, 0));
        let heard = lab.b.client.heard();
        let gone = heard.iter().filter(|what| *what == "remote close DEST_OUT_OF_ORDER cause 27");
        assert_eq!(gone.count(), 3, "{heard:?}");
        // Without a line nothing can be called; it is waited for as long as for signaling.
        lab.a.client.dial(vcs[0], &to(2));
        lab.run_for(Duration::from_secs(5));
        assert_eq!(lab.a.client.heard().last().map(String::as_str), Some("make failed MEDIA_DISCONNECTED"));
        lab.a.fibre.mend();
        lab.late();
        lab.a.client.dial(vcs[0], &to(2));
        lab.soon();
        assert_eq!(lab.a.client.up(), [vcs[0]]);
    });
}

/// A call that is made before signaling is up waits for it, up to its patience.
#[test]
fn a_call_waits_for_signaling() {
    in_every_mix(|lab| {
        lab.a.fibre.cut();
        lab.run_for(Duration::from_secs(2));
        lab.a.fibre.mend();
        lab.sim.step();
        assert!(lab.sim.run_until(|| lab.a.count("uni.saal_released") > 0, LONG));
        lab.sim.step();
        let vc = lab.a.client.create();
        lab.a.client.dial(vc, &to(2));
        lab.run_for(Duration::from_secs(5));
        assert_eq!(lab.a.client.up(), [vc], "{:?}", lab.a.client.heard());
    });
    // The switch is deaf: the line is up, and signaling never comes.
    for kind in [Kind::CallManager, Kind::Mcm] {
        let (sim, _fibre, node, adapter, client) = alone(kind);
        let vc = client.create();
        client.dial(vc, &to(2));
        assert_ne!(sim.run_for(Duration::from_secs(3)), Ran::Spinning);
        assert_eq!(client.heard(), Vec::<String>::new());
        assert_ne!(sim.run_for(Duration::from_secs(2)), Ran::Spinning);
        assert_eq!(client.heard(), ["make failed DEST_OUT_OF_ORDER"]);
        adapter.remove(|| ());
        assert_eq!(sim.run_until_idle(LONG), Ran::Idle);
        assert!(node.left().is_nothing(), "{}", node.left());
    }
}

/// A node on a fibre at whose other end nobody is.
fn alone(
    kind: Kind,
) -> (Arc<Sim>, (Fibre, Arc<condis_link::atm::FibreEnd>), Node, AdapterControl, TestClient) {
    let sim = Sim::new(1);
    let (fibre, [ours, theirs]) = Fibre::new(sim.clone(), "fibre", FibreConditions::default(), 1);
    let node = Node::new("alone", sim.clone());
    let client = TestClient::new(Vec::new());
    node.register_protocol("client", client.clone());
    let config = AtmConfig::new(Version::Uni31);
    let esi = Esi([2, 0, 0, 0, 0, 1]);
    let adapter = match kind {
        Kind::CallManager | Kind::OverSlowMiniport => {
            node.register_protocol("uni", UniCallManager::new(config));
            node.add_miniport("atm", condis_atm::driver::AtmMiniport::new(theirs, esi))
        }
        Kind::Mcm => node.add_mcm("atm", AtmMcm::new(theirs, esi, config)),
    };
    assert_ne!(sim.run_for(Duration::from_millis(100)), Ran::Spinning);
    (sim, (fibre, ours), node, adapter.expect("it initializes"), client)
}

/// DP-074: a device that is gone. The clients hear it, and close; nothing is left.
#[test]
fn an_adapter_that_is_torn_out_with_calls_up_and_sends_queued() {
    in_every_mix_of(&Setup { conditions: slow(), ..Setup::default() }, |lab| {
        let vcs = up(lab, 3);
        for &vc in &vcs {
            lab.a.client.send(vc, (0..20).map(|number| vec![number; 1000]));
        }
        let done = Arc::new(AtomicBool::new(false));
        let told = done.clone();
        lab.a.adapter.surprise_remove(move || told.store(true, SeqCst));
        assert!(lab.sim.run_until(|| done.load(SeqCst), Duration::from_secs(100)));
        assert!(lab.a.client.sent()["NOT_ACCEPTED"] > 0);
        assert!(lab.a.node.left().is_nothing(), "{}", lab.a.node.left());
        lab.late();
        assert_eq!(lab.b.client.up().len(), 0, "{:?}", lab.b.client.heard());
    });
}

/// An orderly removal with calls up: the network is told, whichever kind of manager it is.
#[test]
fn an_adapter_that_is_removed_with_calls_up_says_good_bye() {
    in_every_mix(|lab| {
        up(lab, 2);
        lab.a.adapter.remove(|| ());
        lab.soon();
        assert_eq!(lab.b.client.up().len(), 0, "{:?}", lab.b.client.heard());
        assert!(lab.a.node.left().is_nothing(), "{}", lab.a.node.left());
    });
}

/// The same with sends queued and a call that rings.
#[test]
fn an_adapter_that_is_removed_under_traffic_leaves_nothing() {
    in_every_mix_of(&Setup { conditions: slow(), ..Setup::default() }, |lab| {
        let vcs = up(lab, 2);
        for &vc in &vcs {
            lab.a.client.send(vc, (0..50).map(|number| vec![number; 1000]));
        }
        lab.b.client.policy(Policy::Pend);
        let ringing = lab.a.client.create();
        lab.a.client.dial(ringing, &to(2));
        lab.run_for(Duration::from_millis(20));
        lab.a.adapter.remove(|| ());
        lab.soon();
        assert!(lab.a.node.left().is_nothing(), "{}", lab.a.node.left());
        assert_eq!(lab.a.client.sent().values().sum::<usize>(), 100);
        lab.late();
        assert_eq!(lab.b.client.up().len(), 0, "{:?}", lab.b.client.heard());
        lab.b.client.answer(true);
        lab.late();
    });
}

/// The call manager goes and the adapter stays (7.16): its clients are asked to close, and everything ends.
#[test]
fn a_call_manager_that_goes_ends_its_calls() {
    for mix in [MIXES[0], MIXES[1], MIXES[4]] {
        let lab = Lab::new(mix, &Setup::default());
        up(&lab, 2);
        let done = Arc::new(AtomicBool::new(false));
        let told = done.clone();
        lab.a.node.deregister_protocol("uni", move || told.store(true, SeqCst));
        assert!(
            lab.sim.run_until(|| done.load(SeqCst), Duration::from_secs(10)),
            "{:?}",
            lab.a.node.pended()
        );
        let heard = lab.a.client.heard();
        assert_eq!(heard.last().map(String::as_str), Some("AF closed"), "{heard:?}");
        assert_eq!(lab.a.client.up().len(), 0);
        assert!(lab.a.node.vcs().is_empty(), "its signaling VCs are gone too");
        lab.late();
        assert_eq!(lab.b.client.up().len(), 0, "{:?}", lab.b.client.heard());
        lab.finish();
    }
}

/// DP-066: a pause stops data and nothing else; what waits comes back with PAUSED, and the calls go on after it.
#[test]
fn a_pause_under_traffic_keeps_the_calls() {
    in_every_mix_of(&Setup { conditions: slow(), ..Setup::default() }, |lab| {
        let vcs = up(lab, 2);
        for &vc in &vcs {
            lab.a.client.send(vc, (0..50).map(|number| vec![number; 1000]));
        }
        lab.a.adapter.pause(|result| result.expect("it runs"));
        lab.soon();
        let sent = lab.a.client.sent();
        assert!(sent["PAUSED"] > 0 && sent.values().sum::<usize>() == 100, "{sent:?}");
        lab.soon();
        lab.b.client.received();
        lab.a.adapter.restart(|result| result.expect("it is paused"));
        lab.soon();
        assert_eq!(lab.a.client.up().len(), 2, "{:?}", lab.a.client.heard());
        lab.a.client.send(vcs[0], [vec![7; 10]]);
        lab.soon();
        assert_eq!(lab.b.client.received(), [7; 10]);
    });
}

/// CO-215: a call that a call manager makes under a pause goes out with its end. An MCM has no binding, and says what it likes:
/// there the call is up before. So this one is not the same for the client in every mix.
#[test]
fn a_call_that_is_made_under_a_pause_is_made() {
    for mix in MIXES {
        let lab = Lab::new(mix, &Setup::default());
        lab.a.adapter.pause(|result| result.expect("it runs"));
        lab.soon();
        let vc = lab.a.client.create();
        lab.a.client.dial(vc, &to(2));
        lab.soon();
        assert_eq!(lab.a.client.up().len(), usize::from(mix.0 == Kind::Mcm));
        lab.a.adapter.restart(|result| result.expect("it is paused"));
        lab.soon();
        assert_eq!(lab.a.client.up(), [vc], "{:?}", lab.a.client.heard());
        assert_eq!(lab.a.count("engine.signaling_lost"), 0);
        lab.finish();
    }
}

/// CO-203, DP-082: calls and VCs stay through a reset; what waits does not.
#[test]
fn a_reset_keeps_the_calls() {
    in_every_mix_of(&Setup { conditions: slow(), ..Setup::default() }, |lab| {
        let vcs = up(lab, 1);
        lab.a.client.send(vcs[0], (0..20).map(|number| vec![number; 1000]));
        lab.a.adapter.reset(|result| result.expect("it is possible"));
        lab.soon();
        assert!(lab.a.client.sent()["RESET_IN_PROGRESS"] > 0);
        lab.b.client.received();
        lab.a.client.send(vcs[0], [vec![7; 10]]);
        lab.soon();
        assert_eq!(lab.b.client.received(), [7; 10]);
        assert_eq!(lab.a.client.up(), vcs);
    });
}

/// DP-103: the sends that wait when a call is closed come back before the close completes.
#[test]
fn a_close_with_sends_queued_gives_them_back() {
    in_every_mix_of(&Setup { conditions: slow(), ..Setup::default() }, |lab| {
        let vcs = up(lab, 1);
        lab.a.client.send(vcs[0], (0..100).map(|number| vec![number; 1000]));
        // The remote closes, so that it is not the client that closes with sends out.
        lab.b.client.close(lab.b.client.up()[0]);
        lab.soon();
        let sent = lab.a.client.sent();
        assert!(sent.values().sum::<usize>() == 100 && sent["FAILURE"] > 0, "{sent:?}");
        assert_eq!(lab.a.client.heard().last().map(String::as_str), Some("closed SUCCESS"));
    });
}

/// 1 MiB there and back, in order and unharmed.
#[test]
fn a_mebibyte_is_echoed() {
    in_every_mix(|lab| {
        let vcs = up(lab, 1);
        lab.b.client.echoes();
        let sdus: Vec<Vec<u8>> = (0..1024_usize)
            .map(|number| (0..1024).map(|at| (number * 31 + at * 7) as u8).collect())
            .collect();
        for batch in sdus.chunks(64) {
            lab.a.client.send(vcs[0], batch.to_vec());
        }
        lab.run_for(Duration::from_secs(5));
        assert_eq!(lab.a.client.sent()["SUCCESS"], 1024);
        assert!(lab.a.client.received() == sdus.concat());
    });
}

/// Under loss and damage of cells, whatever a call comes to, each end hears of it, and nothing is left.
#[test]
fn bad_lines_leave_nothing_behind() {
    for seed in 0..24 {
        let mix = MIXES[(seed % 6) as usize];
        let conditions = FibreConditions {
            delay: Duration::from_millis(2),
            loss: Chance::of_million(10_000),
            corrupt: Chance::of_million(10_000),
            ..FibreConditions::default()
        };
        let lab = Lab::new(mix, &Setup { seed, conditions, ..Setup::default() });
        lab.b.client.echoes();
        let vcs: Vec<_> = (0..4).map(|_| lab.a.client.create()).collect();
        for &vc in &vcs {
            lab.a.client.dial(vc, &to(2));
        }
        lab.run_for(Duration::from_secs(20));
        for vc in lab.a.client.up() {
            lab.a.client.send(vc, (0..20).map(|number| vec![number; 100]));
        }
        lab.run_for(Duration::from_secs(1));
        match seed / 6 % 4 {
            0 => lab.a.client.up().into_iter().for_each(|vc| lab.a.client.close(vc)),
            1 => lab.b.client.up().into_iter().for_each(|vc| lab.b.client.close(vc)),
            2 => {
                lab.a.fibre.cut();
                lab.soon();
                lab.a.fibre.mend();
            }
            _ => {}
        }
        lab.soon();
        for side in [&lab.a, &lab.b, &lab.c] {
            side.fibre.set_conditions(FibreConditions::default());
        }
        lab.late();
        lab.finish();
    }
}

/// Where both offer the family the MCM preempts: the call manager does not bind, and the client has one open.
#[test]
fn the_mcm_preempts_the_call_manager() {
    let setup = Setup::default();
    let lab = Lab::new((Kind::Mcm, Kind::CallManager), &setup);
    let manager = UniCallManager::new(AtmConfig::new(Version::Uni40));
    let counters = manager.counters();
    lab.a.node.register_protocol("uni", manager);
    lab.soon();
    up(&lab, 1);
    let by_manager = lab.a.ring.events().iter().filter(|event| event.role == RoleKind::CallManager).count();
    assert_eq!(by_manager, 0, "it is offered the adapter and declines");
    assert!(counters.by_name().values().all(|count| *count == 0));
    lab.finish();
}

/// The same seed twice is the same run.
#[test]
fn a_run_replays() {
    let journal = || {
        let conditions = FibreConditions { loss: Chance::of_million(50_000), ..FibreConditions::default() };
        let lab = Lab::new(MIXES[1], &Setup { seed: 42, conditions, ..Setup::default() });
        let vc = lab.a.client.create();
        lab.a.client.dial(vc, &to(2));
        lab.run_for(Duration::from_secs(10));
        (lab.sim.journal(), lab.a.counters.by_name(), lab.a.path.by_name())
    };
    assert!(journal() == journal());
}
