//! Calls with one party.

use super::*;
use crate::uni::{ModifyParams, RestartClass};

const VERSIONS: [Version; 3] = [Version::Uni30, Version::Uni31, Version::Uni40];

/// A call from host 0 to host 1, connected; its name at both, and what they have been told is forgotten.
pub(super) fn connected(net: &mut Net, contract: Contract) -> (CallId, CallId) {
    let call = net.call(0, 1, contract);
    net.pass(50 * MS);
    let at_called = net.told(1).into_iter().find_map(|told| match told {
        Indication::Setup { call, .. } => Some(call),
        _ => None,
    });
    net.forget();
    (call, at_called.expect("the call was offered"))
}

#[test]
fn a_call_goes_across_and_is_released_from_each_side() {
    for version in VERSIONS {
        for releasing in [0, 1] {
            let mut net = Net::new(2, version);
            let call = net.call(0, 1, Contract::cbr(1_000));
            net.pass(50 * MS);
            assert_eq!(names(&net.told(0)), ["Proceeding", "Connected"], "{version}");
            let told = net.told(1);
            assert_eq!(names(&told), ["Setup", "ConnectAcknowledged"], "{version}");
            let Indication::Setup { call: at_called, params } = &told[0] else { panic!("{told:?}") };
            assert_eq!(params.contracts(), Contracts::both(Contract::cbr(1_000)));
            assert_eq!(params.connection, Some(VpVc::new(0, 32)));
            let line = net.core.calls().next().unwrap().to_string();
            let expected = format!("port 1 0.32 -> port 2 0.32 to {} Cbr 1000 connected", address(1));
            assert_eq!(line, expected);

            let (ours, theirs) = if releasing == 0 { (call, *at_called) } else { (*at_called, call) };
            net.release(releasing, ours, CauseValue::USER_BUSY);
            net.pass(50 * MS);
            assert_eq!(names(&net.told(releasing)), ["ReleaseConfirmed"]);
            assert_eq!(net.released(1 - releasing, theirs), Some(CauseValue::USER_BUSY), "the cause is kept");
            net.assert_nothing_left("released");
            let counters = net.core.call_counters();
            assert_eq!((counters.calls_offered, counters.calls_connected, counters.calls_ended), (1, 1, 1));
        }
    }
}

#[test]
fn alerting_is_passed_on_where_the_versions_have_it() {
    let mut net = Net::with(
        vec![
            (Form::Cells, config(0, Version::Uni40)),
            (Form::Cells, config(1, Version::Uni40)),
            (Form::Cells, config(2, Version::Uni31)),
        ],
        1,
    );
    net.hosts[1].habit = Habit::Linger;
    for (from, expected) in
        [(0, vec!["Proceeding", "Alerting", "Connected"]), (2, vec!["Proceeding", "Connected"])]
    {
        net.call(from, 1, Contract::cbr(100));
        net.pass(50 * MS);
        let told = net.told(1);
        let Indication::Setup { call, .. } = told[0] else { panic!("{told:?}") };
        net.at(1, |uni, now| uni.alerting(now, call, &Answer::default())).unwrap();
        net.pass(50 * MS);
        net.at(1, |uni, now| uni.connect(now, call, &Answer::default())).unwrap();
        net.pass(50 * MS);
        assert_eq!(names(&net.told(from)), expected);
        net.forget();
    }
}

#[test]
fn versions_meet_and_the_contract_stays_what_it_is() {
    for (caller, called) in [(Version::Uni31, Version::Uni40), (Version::Uni40, Version::Uni31)] {
        let ports = vec![(Form::Cells, config(0, caller)), (Form::Cells, config(1, called))];
        let mut net = Net::with(ports, 1);
        let sustained = crate::traffic::Sustained { scr_cells_per_s: 100, mbs_cells: 20 };
        let best_effort = Contract { pcr_cells_per_s: Some(500), ..Contract::UBR };
        for contract in [Contract::cbr(500), Contract::rt_vbr(500, sustained), best_effort] {
            net.forget();
            net.call(0, 1, contract);
            net.pass(50 * MS);
            let told = net.told(1);
            let Some(Indication::Setup { params, .. }) = told.first() else {
                panic!("{contract:?}: {told:?}")
            };
            let found = params.contracts().forward;
            assert_eq!(
                (found.category, found.pcr_cells_per_s),
                (contract.category, contract.pcr_cells_per_s)
            );
            assert_eq!(found.sustained, contract.sustained);
            let own = CallParams::new(called, address(1), &Contracts::both(contract), 1_500);
            assert_eq!(params.bearer, own.bearer, "as {called} writes it");
        }
    }
}

#[test]
fn what_the_switch_does_not_read_is_passed_on() {
    let mut net = Net::new(2, Version::Uni31);
    let unknown = crate::q2931::wire::Ie::new(crate::q2931::wire::IeValue::Unknown {
        codeset: 0,
        id: crate::q2931::wire::IeId(0x7a),
        octets: crate::q2931::wire::Octets::new(vec![1, 2, 3]).unwrap(),
    });
    net.call_with(0, |version| CallParams {
        other: vec![unknown.clone()],
        ..params(version, 1, Contract::UBR)
    });
    net.pass(50 * MS);
    let told = net.told(1);
    let Some(Indication::Setup { params, .. }) = told.first() else { panic!("{told:?}") };
    assert_eq!(params.other, [unknown]);
    assert_eq!(params.aal5_sdu_octets_max(), Some((Some(1_500), Some(1_500))));
}

#[test]
fn both_sides_release_at_once() {
    let mut net = Net::new(2, Version::Uni31);
    let (call, at_called) = connected(&mut net, Contract::cbr(1_000));
    net.release(0, call, CauseValue::NORMAL_CLEARING);
    net.release(1, at_called, CauseValue::USER_BUSY);
    net.pass(50 * MS);
    assert_eq!(names(&net.told(0)), ["ReleaseConfirmed"]);
    assert_eq!(names(&net.told(1)), ["ReleaseConfirmed"]);
    net.assert_nothing_left("collision");
}

#[test]
fn a_caller_gives_up_at_any_moment() {
    for ms in 0..12 {
        let mut net = Net::new(2, Version::Uni31);
        let call = net.call(0, 1, Contract::cbr(1_000));
        net.pass(ms * MS);
        net.release(0, call, CauseValue::NORMAL_CLEARING);
        net.pass(100 * MS);
        net.assert_nothing_left(&format!("given up after {ms} ms"));
    }
}

#[test]
fn a_host_calls_itself() {
    let mut net = Net::new(1, Version::Uni31);
    let call = net.call(0, 0, Contract::cbr(1_000));
    net.pass(50 * MS);
    assert_eq!(names(&net.told(0)), ["Setup", "Proceeding", "ConnectAcknowledged", "Connected"]);
    net.release(0, call, CauseValue::NORMAL_CLEARING);
    net.pass(50 * MS);
    net.assert_nothing_left("hairpin");
}

#[test]
fn a_contract_is_modified_if_both_ports_can_carry_it() {
    let modify = |net: &mut Net, call, contract| {
        let traffic = params(Version::Uni40, 1, contract).traffic;
        net.at(0, |uni, now| uni.modify(now, call, &ModifyParams { traffic, other: Vec::new() })).unwrap();
        net.pass(50 * MS);
    };
    let reserved = |net: &Net| -> Vec<(u64, u64)> {
        let of = |port: PortInfo| (port.incoming_reserved_cells_per_s, port.outgoing_reserved_cells_per_s);
        net.core.ports().map(of).collect()
    };
    let ports = vec![
        (Form::Cells, config(0, Version::Uni40)),
        (Form::Cells, config(1, Version::Uni40).with_rate(10_000)),
    ];
    let mut net = Net::with(ports, 1);
    let (call, _) = connected(&mut net, Contract::cbr(1_000));

    modify(&mut net, call, Contract::cbr(9_000));
    assert_eq!(
        (names(&net.told(0)), names(&net.told(1))),
        (vec!["Modified".to_owned()], vec!["ModifyOffered".to_owned()])
    );
    assert_eq!(reserved(&net), [(9_000, 9_000); 2]);

    modify(&mut net, call, Contract::cbr(10_001));
    assert_eq!(
        (names(&net.told(0)), names(&net.told(1))),
        (vec!["ModifyRejected 37".to_owned()], Vec::new())
    );
    assert_eq!(reserved(&net), [(9_000, 9_000); 2], "neither port keeps more");

    net.hosts[1].habit = Habit::Refuse(CauseValue::QOS_UNAVAILABLE);
    modify(&mut net, call, Contract::cbr(10_000));
    assert_eq!(names(&net.told(0)), ["ModifyRejected 49"]);
    assert_eq!(reserved(&net), [(9_000, 9_000); 2]);

    net.hosts[1].habit = Habit::Answer;
    modify(&mut net, call, Contract::cbr(10));
    assert_eq!(names(&net.told(0)), ["Modified"]);
    assert_eq!(reserved(&net), [(10, 10); 2]);
    assert_eq!(net.core.calls().next().unwrap().contracts, Contracts::both(Contract::cbr(10)));

    net.release(0, call, CauseValue::NORMAL_CLEARING);
    net.pass(50 * MS);
    net.assert_nothing_left("modified");
}

#[test]
fn a_modification_towards_an_earlier_version_is_refused() {
    let ports = vec![(Form::Cells, config(0, Version::Uni40)), (Form::Cells, config(1, Version::Uni31))];
    let mut net = Net::with(ports, 1);
    let (call, _) = connected(&mut net, Contract::cbr(1_000));
    let traffic = params(Version::Uni40, 1, Contract::cbr(2_000)).traffic;
    net.at(0, |uni, now| uni.modify(now, call, &ModifyParams { traffic, other: Vec::new() })).unwrap();
    net.pass(50 * MS);
    assert_eq!(names(&net.told(0)), ["ModifyRejected 63"]);
    assert_eq!(net.core.ports().next().unwrap().incoming_reserved_cells_per_s, 1_000);
}

#[test]
fn restart_ends_what_it_names_and_no_more() {
    let mut net = Net::new(3, Version::Uni31);
    let first = net.call(0, 1, Contract::cbr(1_000));
    let second = net.call(0, 2, Contract::cbr(1_000));
    net.pass(50 * MS);
    net.forget();
    // From a host: one VC.
    let vpvc = net.hosts[0].uni.connection(first).unwrap();
    net.at(0, |uni, now| uni.restart(now, RestartClass::Channel(vpvc))).unwrap();
    net.pass(50 * MS);
    assert_eq!((net.core.calls_len(), net.core.call_counters().restarts), (1, 1));
    assert!(net.hosts[0].uni.call_state(first).is_none() && net.hosts[0].uni.call_state(second).is_some());
    assert_eq!(names(&net.told(1)), ["Released 41"]);
    // From the switch: everything at a port.
    let port = net.hosts[2].port;
    net.core.restart(net.now, port, RestartClass::All).unwrap();
    net.collect();
    net.pass(50 * MS);
    assert!(net.hosts[0].uni.call_state(second).is_none());
    net.assert_nothing_left("restarted");
}

#[test]
fn a_short_cut_is_survived_and_a_long_one_clears_the_other_end() {
    let mut net = Net::new(2, Version::Uni31);
    let (call, at_called) = connected(&mut net, Contract::cbr(1_000));
    net.set_link(1, false);
    net.pass(3_000 * MS);
    net.set_link(1, true);
    net.pass(5_000 * MS);
    assert_eq!((net.core.calls_len(), net.released(0, call)), (1, None));
    let vpvc = net.hosts[0].uni.connection(call).unwrap();
    net.send(0, vpvc, b"still there");
    net.pass(50 * MS);
    assert_eq!(
        net.hosts[1].received,
        [(net.hosts[1].uni.connection(at_called).unwrap(), b"still there".to_vec())]
    );

    net.set_link(1, false);
    net.pass(30_000 * MS);
    assert_eq!(net.released(0, call), Some(CauseValue::DESTINATION_OUT_OF_ORDER));
    net.assert_nothing_left("cut");
}

#[test]
fn a_port_that_is_taken_away_ends_its_calls_at_the_other_ends() {
    let mut net = Net::new(3, Version::Uni31);
    let (call, _) = connected(&mut net, Contract::cbr(1_000));
    let lingering = {
        net.hosts[1].habit = Habit::Linger;
        net.call(2, 1, Contract::cbr(500))
    };
    net.pass(50 * MS);
    net.forget();
    let port = net.hosts[1].port;
    assert!(net.core.remove_port(net.now, port));
    assert!(!net.core.remove_port(net.now, port));
    net.flights.retain(|_, (host, _, _)| *host != 1);
    net.collect();
    net.pass(50 * MS);
    assert_eq!(net.released(0, call), Some(CauseValue::DESTINATION_OUT_OF_ORDER));
    assert_eq!(net.released(2, lingering), Some(CauseValue::DESTINATION_OUT_OF_ORDER));
    net.assert_nothing_left("port removed");
    assert_eq!(net.core.call_counters().cut_with_port, 2);
    // Nobody has its address any more, and the prefix is the switch's.
    let call = net.call(0, 1, Contract::UBR);
    net.pass(50 * MS);
    assert_eq!(net.released(0, call), Some(CauseValue::UNALLOCATED_NUMBER));
}
