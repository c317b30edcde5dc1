//! What clients send over calls and permanent connections.

use super::calls::connected;
use super::*;

#[test]
fn sdus_pass_both_ways_between_lines_of_both_forms() {
    let forms = [Form::Cells, Form::Sdus];
    for (a, b) in forms.into_iter().flat_map(|a| forms.map(|b| (a, b))) {
        let mut net = Net::with(vec![(a, config(0, Version::Uni31)), (b, config(1, Version::Uni31))], 1);
        let (call, at_called) = connected(&mut net, Contract::UBR);
        let ours = net.hosts[0].uni.connection(call).unwrap();
        let theirs = net.hosts[1].uni.connection(at_called).unwrap();
        for n in 0..20u8 {
            net.send(0, ours, &vec![n; 1 + 70 * usize::from(n)]);
            net.send(1, theirs, &[n, 0xff]);
        }
        net.pass(50 * MS);
        let there: Vec<_> = (0..20u8).map(|n| (theirs, vec![n; 1 + 70 * usize::from(n)])).collect();
        let back: Vec<_> = (0..20u8).map(|n| (ours, vec![n, 0xff])).collect();
        assert_eq!(net.hosts[1].received, there, "{a:?} to {b:?}");
        assert_eq!(net.hosts[0].received, back, "{b:?} to {a:?}");
    }
}

#[test]
fn nothing_passes_before_the_answer_nor_after_the_release() {
    let mut net = Net::new(2, Version::Uni31);
    net.hosts[1].habit = Habit::Linger;
    let call = net.call(0, 1, Contract::UBR);
    net.pass(50 * MS);
    let ours = net.hosts[0].uni.connection(call).unwrap();
    net.send(0, ours, b"early");
    net.pass(50 * MS);
    assert_eq!(net.core.port_counts(net.hosts[0].port).unwrap().passed.dropped_unknown_vc, 1);
    net.release(0, call, CauseValue::NORMAL_CLEARING);
    net.pass(50 * MS);
    net.send(0, ours, b"late");
    net.pass(50 * MS);
    assert_eq!(net.core.port_counts(net.hosts[0].port).unwrap().passed.dropped_unknown_vc, 2);
    assert!(net.hosts[1].received.is_empty());
}

#[test]
fn what_exceeds_its_contract_is_discarded_where_policing_is_on() {
    for form in [Form::Cells, Form::Sdus] {
        let policed = |policing| {
            let ports = vec![
                (form, PortConfig { policing, ..config(0, Version::Uni31) }),
                (Form::Cells, config(1, Version::Uni31)),
            ];
            let mut net = Net::with(ports, 1);
            // A cell a millisecond.
            let (call, _) = connected(&mut net, Contract::cbr(1_000));
            let ours = net.hosts[0].uni.connection(call).unwrap();
            for _ in 0..100 {
                net.send(0, ours, &[7; 40]);
                net.send(0, ours, &[7; 40]);
                net.pass(MS);
            }
            net.pass(50 * MS);
            let counts = net.core.port_counts(net.hosts[0].port).unwrap();
            (net.hosts[1].received.len(), counts.drops.dropped_policed)
        };
        assert_eq!(policed(Policing::Off), (200, 0));
        // Two come where one may. The first ones live on the tolerance, which a line of SDUs has more of.
        let (passed, discarded) = policed(Policing::On { jitter: 5 * MS });
        assert!((100..=145).contains(&passed), "{form:?}: {passed} passed, {discarded} discarded");
        assert_eq!(passed as u64 + discarded, 200);
    }
}

#[test]
fn a_contract_that_is_kept_passes_whole() {
    let ports = vec![
        (Form::Cells, PortConfig { policing: Policing::On { jitter: 2 * MS }, ..config(0, Version::Uni31) }),
        (Form::Cells, config(1, Version::Uni31)),
    ];
    let mut net = Net::with(ports, 1);
    let (call, _) = connected(&mut net, Contract::cbr(1_000));
    let ours = net.hosts[0].uni.connection(call).unwrap();
    for _ in 0..100 {
        net.send(0, ours, &[7; 80]);
        net.pass(2 * MS);
    }
    net.pass(50 * MS);
    assert_eq!(net.hosts[1].received.len(), 100);
}

#[test]
fn raw_cells_are_lost_one_by_one_and_never_for_ever() {
    let ports = [config(0, Version::Uni31), config(1, Version::Uni31).with_rate(100_000)];
    let mut net = Net::with(ports.map(|config| (Form::Cells, config)).into(), 1);
    let [a, b] = [0, 1].map(|host| net.hosts[host].port);
    let (from, to) = (VpVc::new(0, 100), VpVc::new(0, 200));
    net.core.add_pvc(PvcConfig { aal5: false, ..PvcConfig::ubr((a, from), (b, to)) }).unwrap();
    // No cell ends a frame; the queue has room for 8,192 and the line is slower than we are.
    let cell = HeaderWord::new(Interface::Uni, from).unwrap().cell(&[0; 48]);
    (0..100).for_each(|_| net.core.handle_cells(net.now, a, &[cell; 100]));
    let lost = net.core.port_counts(b).unwrap().drops.dropped_queue_full;
    assert_eq!(lost, 10_000 - 8_192);
    net.collect();
    net.pass(100 * MS);
    net.core.handle_cells(net.now, a, &[cell; 100]);
    net.collect();
    net.pass(100 * MS);
    let counts = net.core.port_counts(b).unwrap();
    assert_eq!((counts.drops.dropped_queue_full, counts.drops.dropped_early), (lost, 0));
}

#[test]
fn permanent_connections_take_and_give_back_what_they_need() {
    let ports = [config(0, Version::Uni31), config(1, Version::Uni31).with_rate(1_000)];
    let mut net = Net::with(ports.map(|config| (Form::Cells, config)).into(), 1);
    let [a, b] = [0, 1].map(|host| net.hosts[host].port);
    let (there, here) = (VpVc::new(0, 100), VpVc::new(0, 200));
    let pvc = PvcConfig {
        contracts: Contracts { forward: Contract::cbr(700), backward: Contract::cbr(300) },
        ..PvcConfig::ubr((a, here), (b, there))
    };
    let id = net.core.add_pvc(pvc).unwrap();
    assert_eq!(net.core.pvcs().next().unwrap().1.to_string(), "port 1 0.200 <-> port 2 0.100 Cbr");
    net.send(0, here, b"there");
    net.send(1, there, b"here");
    net.pass(50 * MS);
    assert_eq!(net.hosts[1].received, [(there, b"there".to_vec())]);
    assert_eq!(net.hosts[0].received, [(here, b"here".to_vec())]);

    // What it has, nobody else gets; and what is refused keeps nothing.
    let reserved = |net: &Net| net.core.ports().map(|port| port.vcs_in_use).collect::<Vec<_>>();
    let other = PvcConfig { a: (a, VpVc::new(0, 201)), ..pvc };
    assert!(matches!(net.core.add_pvc(other), Err(PvcError::CellRate { port, .. }) if port == b));
    let best_effort = PvcConfig::ubr((a, VpVc::new(0, 201)), (b, there));
    assert!(matches!(net.core.add_pvc(best_effort), Err(PvcError::Vc { port, .. }) if port == b));
    let nowhere = PvcConfig::ubr((a, VpVc::new(0, 201)), (PortId(9), there));
    assert_eq!(net.core.add_pvc(nowhere), Err(PvcError::NoSuchPort(PortId(9))));
    assert_eq!(reserved(&net), [1, 1]);

    // A loop at one port is lawful, its two ends being two.
    let loopback = PvcConfig::ubr((a, VpVc::new(0, 300)), (a, VpVc::new(0, 301)));
    let second = net.core.add_pvc(loopback).unwrap();
    assert_eq!(reserved(&net), [3, 1]);
    assert!(net.core.remove_pvc(second) && !net.core.remove_pvc(second));
    assert!(net.core.remove_pvc(id));
    net.assert_nothing_left("PVCs removed");
    net.core.add_pvc(pvc).unwrap();
    net.core.remove_port(net.now, a);
    assert_eq!(
        net.core.ports().map(|port| (port.vcs_in_use, port.outgoing_reserved_cells_per_s)).max(),
        Some((0, 0))
    );
}

/// Cells queue up on their way out at host `slow`, whose port has one identifier, and the release overtakes them.
fn drains_before_it_is_given_out_again(slow: usize) {
    let mut ports = [config(0, Version::Uni31), config(1, Version::Uni31)];
    ports[slow] = config(slow, Version::Uni31).with_rate(100_000);
    ports[slow].vcs.vci = 50..=50;
    ports[1 - slow].cells_per_s = None;
    let mut net = Net::with(ports.map(|config| (Form::Cells, config)).into(), 1);
    let (call, at_called) = connected(&mut net, Contract::UBR);
    let names_of_call = [call, at_called];
    let fast = 1 - slow;
    let vpvc = net.hosts[fast].uni.connection(names_of_call[fast]).unwrap();
    // Some 30 ms of cells.
    (0..30).for_each(|_| net.send(fast, vpvc, &[1; 4_790]));
    net.pass(MS);
    net.release(0, call, CauseValue::NORMAL_CLEARING);
    net.pass(6 * MS);
    let draining = |net: &Net| net.core.ports().map(|port| port.vcs_draining).sum::<usize>();
    assert_eq!(draining(&net), 1);
    net.call(0, 1, Contract::UBR);
    net.pass(4 * MS);
    let told = names(&net.told(0));
    assert!(told.contains(&"Released 45".to_owned()), "{told:?}");
    net.pass(100 * MS);
    assert_eq!(draining(&net), 0);
    assert_eq!(net.hosts[slow].received.len(), 30);
    connected(&mut net, Contract::UBR);
}

#[test]
fn an_identifier_is_not_given_out_again_while_cells_with_it_are_queued() {
    drains_before_it_is_given_out_again(0);
    drains_before_it_is_given_out_again(1);
}
