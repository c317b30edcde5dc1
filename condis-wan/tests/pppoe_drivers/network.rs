//! Aim: whatever happens to the link and to the adapter, calls end with a cause that says so, and nothing is left. Method: as
//! in `calls`, with the plug pulled, the adapter paused or removed, and a wire that loses, repeats and reorders.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use condis::nbl::CancelId;
use condis::trace::VcId;
use condis_link::Link;
use condis_link::memory::{Chance, Conditions};
use condis_wan::pppoe::driver::{CallTarget, FlowCount};

use crate::lab::{Kind, Lab, in_every_mix, on_a_bad_wire};

fn up(lab: &Lab, calls: usize) -> Vec<VcId> {
    let vcs: Vec<_> = (0..calls).map(|_| lab.host.client.create()).collect();
    for &vc in &vcs {
        lab.host.client.dial(vc, &CallTarget::service("internet"));
    }
    lab.soon();
    assert_eq!(lab.host.client.up().len(), calls, "{:?}", lab.host.client.heard());
    vcs
}

/// An SDU: PPP's protocol field (IPv4), a number, and octets that follow from it.
fn sdu(number: u32, octets: usize) -> Vec<u8> {
    let mut sdu = vec![0x00, 0x21];
    sdu.extend(number.to_be_bytes());
    sdu.extend((0..octets).map(|at| (number as usize * 31 + at * 7) as u8));
    sdu
}

/// The link goes: each call ends with MEDIA_DISCONNECTED. It comes back: calls can be made again on the same VC.
#[test]
fn a_link_that_is_cut_and_mended() {
    in_every_mix(|lab| {
        let vcs = up(lab, 3);
        lab.segment.cut();
        lab.settle();
        let heard = lab.host.client.heard();
        assert_eq!(heard.iter().filter(|what| *what == "remote close MEDIA_DISCONNECTED").count(), 3);
        assert_eq!((lab.host.client.up().len(), lab.ac.client.up().len()), (0, 0));
        lab.segment.mend();
        lab.settle();
        lab.host.client.dial(vcs[0], &CallTarget::service("internet"));
        lab.soon();
        assert_eq!(lab.host.client.up(), [vcs[0]]);
    });
}

/// The host forgot its sessions, and the concentrator did not hear of it: a frame of such a session is answered with PADT.
#[test]
fn a_session_that_one_side_has_forgotten_is_ended_by_a_padt() {
    in_every_mix(|lab| {
        up(lab, 1);
        lab.host.port.cut();
        lab.settle();
        assert_eq!((lab.host.client.up().len(), lab.ac.client.up().len()), (0, 1));
        lab.host.port.mend();
        lab.settle();
        lab.ac.client.send(lab.ac.client.up()[0], [sdu(1, 10)]);
        lab.settle();
        assert_eq!(lab.ac.client.up().len(), 0);
        assert_eq!(lab.host.count("host.padt_replies_sent"), 1);
        assert_eq!(lab.host.flows.get(FlowCount::UnknownSession), 1);
    });
}

/// DP-074: a device that is gone. The clients hear it, and close; nothing is left.
#[test]
fn an_adapter_that_is_torn_out_with_calls_up_and_sends_queued() {
    in_every_mix(|lab| {
        let slow = Conditions {
            rate_bps: NonZeroU64::new(1_000_000),
            queue_octets_max: 4_000,
            ..Conditions::default()
        };
        let vcs = up(lab, 3);
        lab.segment.set_conditions(slow);
        for &vc in &vcs {
            lab.host.client.send(vc, (0..20).map(|number| sdu(number, 1000)));
        }
        let done = Arc::new(AtomicBool::new(false));
        let told = done.clone();
        lab.host.adapter.surprise_remove(move || told.store(true, SeqCst));
        assert!(lab.sim.run_until(|| done.load(SeqCst), Duration::from_secs(10)));
        let heard = lab.host.client.heard();
        assert_eq!(heard.iter().filter(|what| *what == "remote close MEDIA_DISCONNECTED").count(), 3);
        assert!(lab.host.client.sent()["NOT_ACCEPTED"] > 0);
        assert!(lab.host.node.left().is_nothing(), "{}", lab.host.node.left());
        lab.settle();
    });
}

/// An orderly removal with calls up: the peer is told, whichever kind of manager it is.
#[test]
fn an_adapter_that_is_removed_with_calls_up_says_good_bye() {
    in_every_mix(|lab| {
        up(lab, 2);
        lab.host.adapter.remove(|| ());
        lab.settle();
        assert_eq!(lab.host.count("host.padt_sent"), 2);
        assert_eq!(lab.ac.client.up().len(), 0, "{:?}", lab.ac.client.heard());
        assert!(lab.host.node.left().is_nothing(), "{}", lab.host.node.left());
    });
}

/// DP-066: a pause stops data and nothing else; what waits comes back with PAUSED, and the calls go on after it.
#[test]
fn a_pause_under_traffic_keeps_the_calls() {
    in_every_mix(|lab| {
        let vcs = up(lab, 2);
        let slow = Conditions {
            rate_bps: NonZeroU64::new(10_000_000),
            queue_octets_max: 4_000,
            ..Conditions::default()
        };
        lab.segment.set_conditions(slow);
        for &vc in &vcs {
            lab.host.client.send(vc, (0..50).map(|number| sdu(number, 1000)));
        }
        lab.host.adapter.pause(|result| result.expect("it runs"));
        lab.soon();
        let sent = lab.host.client.sent();
        assert!(sent["PAUSED"] > 0 && sent.values().sum::<usize>() == 100, "{sent:?}");
        lab.host.client.send(vcs[0], [sdu(1, 10)]);
        assert_eq!(lab.host.client.sent().values().sum::<usize>(), 101);
        lab.ac.client.received();
        lab.host.adapter.restart(|result| result.expect("it is paused"));
        lab.soon();
        assert_eq!(lab.host.client.up().len(), 2, "{:?}", lab.host.client.heard());
        lab.host.client.send(vcs[0], [sdu(7, 10)]);
        lab.soon();
        assert_eq!(lab.ac.client.received(), sdu(7, 10));
    });
}

/// CO-215: a call manager sends no signaling on a paused binding. What it has to say it says once the binding runs, and the
/// call does not wait for the second PADI.
#[test]
fn a_call_that_is_made_under_a_pause_goes_out_with_its_end() {
    in_every_mix(|lab| {
        lab.host.adapter.pause(|result| result.expect("it runs"));
        lab.soon();
        let vc = lab.host.client.create();
        lab.host.client.dial(vc, &CallTarget::service("internet"));
        lab.soon();
        // An MCM has no binding. It says what it likes, hears nothing while its adapter is paused, and asks again.
        let mcm = lab.host.kind == Kind::Mcm;
        assert_eq!(lab.ac.count("concentrator.pado_sent"), u64::from(mcm));
        lab.host.adapter.restart(|result| result.expect("it is paused"));
        if mcm {
            lab.run_for(Duration::from_secs(2));
        } else {
            lab.soon();
        }
        assert_eq!(lab.host.client.up(), [vc], "{:?}", lab.host.client.heard());
        assert_eq!(lab.host.count("host.padi_sent"), 1 + u64::from(mcm));
        assert_eq!(lab.host.count("engine.signaling_lost"), 0);
    });
}

/// CO-203, DP-082: calls and VCs stay through a reset; what waits does not.
#[test]
fn a_reset_keeps_the_calls() {
    in_every_mix(|lab| {
        let vcs = up(lab, 1);
        let slow = Conditions {
            rate_bps: NonZeroU64::new(10_000_000),
            queue_octets_max: 4_000,
            ..Conditions::default()
        };
        lab.segment.set_conditions(slow);
        lab.host.client.send(vcs[0], (0..20).map(|number| sdu(number, 1000)));
        lab.host.adapter.reset(|result| result.expect("it is possible"));
        lab.soon();
        assert!(lab.host.client.sent()["RESET_IN_PROGRESS"] > 0);
        lab.ac.client.received();
        lab.host.client.send(vcs[0], [sdu(7, 10)]);
        lab.soon();
        assert_eq!(lab.ac.client.received(), sdu(7, 10));
    });
}

/// DP-137, DP-138: queued sends with the id come back with SEND_ABORTED, on every VC, and others go out.
#[test]
fn sends_that_wait_can_be_cancelled() {
    in_every_mix(|lab| {
        let vcs = up(lab, 2);
        let slow = Conditions {
            rate_bps: NonZeroU64::new(10_000_000),
            queue_octets_max: 4_000,
            ..Conditions::default()
        };
        lab.segment.set_conditions(slow);
        let cancel = CancelId::new(1, 7).expect("not zero");
        lab.host.client.send(vcs[0], (0..10).map(|number| sdu(number, 1000)));
        for &vc in &vcs {
            lab.host.client.send_cancellable(vc, 10, 1000, cancel);
        }
        lab.host.client.cancel(cancel);
        lab.settle();
        let sent = lab.host.client.sent();
        assert_eq!((sent["SEND_ABORTED"], sent["SUCCESS"]), (20, 10));
        assert_eq!(lab.host.flows.get(FlowCount::FlushedCancelled), 20);
    });
}

/// An SDU that does not fit is INVALID_LENGTH; those beside it go. 1494 is 1492 of payload and PPP's protocol field (RFC
/// 2516 §7).
#[test]
fn what_does_not_fit_the_session_is_refused_alone() {
    in_every_mix(|lab| {
        let vcs = up(lab, 1);
        lab.host.client.send(vcs[0], [vec![1; 1494], vec![2; 1495], vec![3; 10], Vec::new()]);
        lab.settle();
        let sent = lab.host.client.sent();
        assert_eq!((sent["INVALID_LENGTH"], sent["SUCCESS"]), (2, 2));
        assert_eq!(lab.ac.client.received(), [vec![1; 1494], vec![3; 10]].concat());
        assert_eq!(lab.host.flows.get(FlowCount::RefusedLength), 2);
    });
}

/// DP-103: the sends that wait when a call is closed come back before the close completes.
#[test]
fn a_close_with_sends_queued_gives_them_back() {
    let slow =
        Conditions { rate_bps: NonZeroU64::new(1_000_000), queue_octets_max: 4_000, ..Conditions::default() };
    in_every_mix(|lab| {
        let vcs = up(lab, 1);
        lab.segment.set_conditions(slow.clone());
        lab.host.client.send(vcs[0], (0..40).map(|number| sdu(number, 1000)));
        // The remote closes, so that it is not the client that closes with sends out.
        lab.ac.client.close(lab.ac.client.up()[0]);
        lab.settle();
        let sent = lab.host.client.sent();
        assert!(sent.values().sum::<usize>() == 40 && sent["FAILURE"] > 0, "{sent:?}");
        assert_eq!(lab.host.client.heard().last().map(String::as_str), Some("closed SUCCESS"));
    });
}

/// 1 MiB there and back, in order and unharmed, over a wire that is slower than the senders.
#[test]
fn a_mebibyte_is_echoed() {
    let fast = Conditions {
        delay: Duration::from_micros(100),
        rate_bps: NonZeroU64::new(100_000_000),
        queue_octets_max: 64 << 10,
        ..Conditions::default()
    };
    in_every_mix(|lab| {
        let vcs = up(lab, 1);
        lab.segment.set_conditions(fast.clone());
        lab.ac.client.echoes();
        let sdus: Vec<_> = (0..1024).map(|number| sdu(number, 1018)).collect();
        for batch in sdus.chunks(64) {
            lab.host.client.send(vcs[0], batch.to_vec());
        }
        lab.settle();
        assert_eq!(lab.host.client.sent()["SUCCESS"], 1024);
        let back = lab.host.client.received();
        assert_eq!(back.len(), 1 << 20);
        assert_eq!(checksum(&back), checksum(&sdus.concat()));
        assert!(lab.host.flows.get(FlowCount::Queued) > 0, "the wire was slower");
    });
}

/// FNV-1a.
fn checksum(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |hash, octet| {
        (hash ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// RFC 2516 §8 under loss, duplication and reordering: whatever a call comes to, each end hears of it, and nothing is left.
#[test]
fn bad_wires_leave_nothing_behind() {
    let bad = Conditions {
        delay: Duration::from_millis(2),
        jitter: Duration::from_millis(3),
        loss: Chance::of_million(150_000),
        duplicate: Chance::of_million(100_000),
        reorder: Chance::of_million(100_000),
        reorder_by: Duration::from_millis(20),
        ..Conditions::default()
    };
    on_a_bad_wire(0..120, &bad, |lab| {
        lab.ac.client.echoes();
        let vcs: Vec<_> = (0..4).map(|_| lab.host.client.create()).collect();
        for &vc in &vcs {
            lab.host.client.dial(vc, &CallTarget::service("internet"));
        }
        lab.run_for(Duration::from_secs(40));
        for vc in lab.host.client.up() {
            lab.host.client.send(vc, (0..20).map(|number| sdu(number, 100)));
        }
        lab.run_for(Duration::from_secs(1));
        match lab.sim.seed() / 6 % 4 {
            0 => lab.host.client.up().into_iter().for_each(|vc| lab.host.client.close(vc)),
            1 => lab.ac.client.up().into_iter().for_each(|vc| lab.ac.client.close(vc)),
            2 => {
                lab.segment.cut();
                lab.soon();
                lab.segment.mend();
            }
            _ => {}
        }
        lab.soon();
    });
}

/// The same seed twice is the same run.
#[test]
fn a_run_replays() {
    let journal = || {
        let conditions = Conditions { loss: Chance::of_million(200_000), ..Conditions::default() };
        let lab = Lab::new(42, crate::lab::MIXES[1], conditions);
        let vc = lab.host.client.create();
        lab.host.client.dial(vc, &CallTarget::service("internet"));
        lab.settle();
        (lab.sim.journal(), lab.host.counters.by_name(), lab.host.port.counters().to_string())
    };
    assert_eq!(journal(), journal());
}
