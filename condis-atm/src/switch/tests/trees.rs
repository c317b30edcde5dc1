//! Point-to-multipoint calls.

use super::*;

/// A call from host 0 to host 1 as its first party.
fn root(net: &mut Net) -> CallId {
    let call = net.call_with(0, |version| params(version, 1, Contract::cbr(1_000)).point_to_multipoint());
    net.pass(50 * MS);
    assert_eq!(names(&net.told(0)), ["Proceeding", "Connected"]);
    net.forget();
    call
}

fn add(net: &mut Net, call: CallId, to: usize) -> PartyId {
    let party = net.at(0, |uni, now| uni.add_party(now, call, &PartyParams::from(address(to)))).unwrap();
    net.pass(50 * MS);
    party
}

/// Two ports, the second with hosts 1 and 3, the third with host 2.
fn three_leaves() -> (Net, CallId, [PartyId; 2]) {
    let second = config(1, Version::Uni31).with_address(address(3));
    let ports = [config(0, Version::Uni31), second, config(2, Version::Uni31)];
    let mut net = Net::with(ports.map(|config| (Form::Cells, config)).into(), 1);
    let call = root(&mut net);
    let on_new_port = add(&mut net, call, 2);
    assert_eq!(names(&net.told(0)), [format!("PartyConnected {on_new_port}")]);
    assert_eq!(names(&net.told(2)), ["Setup", "ConnectAcknowledged"], "a new port gets a SETUP");
    let on_same_port = add(&mut net, call, 3);
    assert_eq!(names(&net.told(0)), [format!("PartyConnected {on_same_port}")]);
    assert_eq!(names(&net.told(1)), ["PartyOffered 1"], "the same port gets an ADD PARTY");
    assert_eq!(net.core.calls().next().unwrap().parties, Some(3));
    (net, call, [on_new_port, on_same_port])
}

fn send(net: &mut Net, call: CallId) -> Vec<usize> {
    net.hosts.iter_mut().for_each(|host| host.received.clear());
    let vpvc = net.hosts[0].uni.connection(call).unwrap();
    net.send(0, vpvc, b"to all");
    net.pass(50 * MS);
    let copies = |host: &Host| host.received.iter().filter(|(_, sdu)| sdu == b"to all").count();
    net.hosts.iter().map(copies).collect()
}

fn reserved_out(net: &Net) -> Vec<u64> {
    net.core.ports().map(|port| port.outgoing_reserved_cells_per_s).collect()
}

#[test]
fn three_leaves_on_two_ports_get_one_copy_for_each_port() {
    let (mut net, call, _) = three_leaves();
    assert_eq!(send(&mut net, call), [0, 1, 1]);
    assert_eq!(reserved_out(&net), [0, 1_000, 1_000], "once for each port");
    net.release(0, call, CauseValue::NORMAL_CLEARING);
    net.pass(50 * MS);
    assert_eq!(names(&net.told(1)), ["Released 16"]);
    assert_eq!(names(&net.told(2)), ["Released 16"]);
    net.assert_nothing_left("root released");
}

#[test]
fn the_root_drops_leaves() {
    let (mut net, call, [on_new_port, on_same_port]) = three_leaves();
    let drop = |net: &mut Net, party| {
        let cause = Cause::user(CauseValue::NORMAL_CLEARING);
        net.at(0, |uni, now| uni.drop_party(now, call, party, cause)).unwrap();
        net.pass(50 * MS);
    };
    drop(&mut net, on_same_port);
    assert_eq!(names(&net.told(0)), [format!("PartyDropConfirmed {on_same_port}")]);
    assert_eq!(names(&net.told(1)), ["PartyDropped 1 16"]);
    assert_eq!(send(&mut net, call), [0, 1, 1]);
    drop(&mut net, on_new_port);
    assert_eq!(names(&net.told(0)), [format!("PartyDropConfirmed {on_new_port}")]);
    assert_eq!(names(&net.told(2)), ["Released 16"], "the last of its port");
    assert_eq!(send(&mut net, call), [0, 1, 0]);
    assert_eq!(reserved_out(&net), [0, 1_000, 0]);
    drop(&mut net, PartyId(0));
    assert_eq!(names(&net.told(0)), ["ReleaseConfirmed"]);
    net.assert_nothing_left("all dropped");
}

#[test]
fn leaves_go_by_themselves_and_the_last_takes_the_call_along() {
    let (mut net, call, [on_new_port, on_same_port]) = three_leaves();
    // The leaf on the port of its own releases its call.
    let at_leaf = |net: &Net, host: usize| net.hosts[host].uni.calls().next().unwrap().call;
    let leaf = at_leaf(&net, 2);
    net.release(2, leaf, CauseValue::USER_BUSY);
    net.pass(50 * MS);
    assert_eq!(names(&net.told(0)), [format!("PartyDropped {on_new_port} 17")]);
    // One of two on a port is dropped there.
    let (leaf, cause) = (at_leaf(&net, 1), Cause::user(CauseValue::USER_BUSY));
    net.at(1, |uni, now| uni.drop_party(now, leaf, PartyId(1), cause)).unwrap();
    net.pass(50 * MS);
    assert_eq!(names(&net.told(0)), [format!("PartyDropped {on_same_port} 17")]);
    assert_eq!(send(&mut net, call), [0, 1, 0]);
    net.release(1, leaf, CauseValue::CALL_REJECTED);
    net.pass(50 * MS);
    assert_eq!(net.released(0, call), Some(CauseValue::CALL_REJECTED));
    net.assert_nothing_left("the last leaf went");
}

#[test]
fn parties_are_refused_each_with_its_cause() {
    let (mut net, call, _) = three_leaves();
    net.hosts[2].habit = Habit::Refuse(CauseValue::USER_BUSY);
    let party = net.at(0, |uni, now| {
        let nowhere: AtmAddress = "39.0005.80.ffe100.0000.f21a.0001.002048000001.00".parse().unwrap();
        uni.add_party(now, call, &PartyParams::from(nowhere))
    });
    net.pass(50 * MS);
    assert_eq!(names(&net.told(0)), [format!("PartyRejected {} 3", party.unwrap())]);
    let party = add(&mut net, call, 2);
    assert_eq!(names(&net.told(0)), [format!("PartyRejected {party} 17")]);
    let party = add(&mut net, call, 9);
    assert_eq!(names(&net.told(0)), [format!("PartyRejected {party} 1")]);
    assert_eq!(net.core.calls().next().unwrap().parties, Some(3));
    assert_eq!(send(&mut net, call), [0, 1, 1]);
}

#[test]
fn a_first_party_that_refuses_refuses_the_call() {
    let mut net = Net::new(2, Version::Uni31);
    net.hosts[1].habit = Habit::Refuse(CauseValue::USER_BUSY);
    let call = net.call_with(0, |version| params(version, 1, Contract::cbr(1_000)).point_to_multipoint());
    net.pass(50 * MS);
    assert_eq!(net.released(0, call), Some(CauseValue::USER_BUSY));
    net.assert_nothing_left("refused");
}

#[test]
fn parties_wait_for_the_first_of_their_port_and_are_offered_again_without_it() {
    for answers in [true, false] {
        let second = config(2, Version::Uni31).with_address(address(3)).with_address(address(4));
        let ports = [config(0, Version::Uni31), config(1, Version::Uni31), second];
        let mut net = Net::with(ports.map(|config| (Form::Cells, config)).into(), 1);
        let call = root(&mut net);
        net.hosts[2].habit = Habit::Linger;
        let parties = [2, 3, 4].map(|to| add(&mut net, call, to));
        let told = net.told(2);
        assert_eq!(names(&told), ["Setup"]);
        let Indication::Setup { call: lingering, .. } = told[0] else { panic!("{told:?}") };
        net.hosts[2].habit = Habit::Answer;
        if answers {
            net.at(2, |uni, now| uni.connect(now, lingering, &Answer::default())).unwrap();
            net.pass(50 * MS);
            assert_eq!(names(&net.told(0)), parties.map(|party| format!("PartyConnected {party}")));
            assert_eq!(names(&net.told(2)), ["ConnectAcknowledged", "PartyOffered 1", "PartyOffered 2"]);
        } else {
            net.release(2, lingering, CauseValue::USER_BUSY);
            net.pass(50 * MS);
            let [first, second, third] = parties;
            let expected = [
                format!("PartyRejected {first} 17"),
                format!("PartyConnected {second}"),
                format!("PartyConnected {third}"),
            ];
            assert_eq!(names(&net.told(0)), expected);
            assert_eq!(net.core.fabric().legs_len(), 2);
        }
        assert_eq!(send(&mut net, call), [0, 1, 1]);
        net.release(0, call, CauseValue::NORMAL_CLEARING);
        net.pass(50 * MS);
        net.assert_nothing_left("released");
    }
}

#[test]
fn the_root_drops_the_party_that_others_wait_for() {
    let second = config(2, Version::Uni31).with_address(address(3));
    let ports = [config(0, Version::Uni31), config(1, Version::Uni31), second];
    let mut net = Net::with(ports.map(|config| (Form::Cells, config)).into(), 1);
    let call = root(&mut net);
    net.hosts[2].habit = Habit::Linger;
    let [first, second] = [2, 3].map(|to| add(&mut net, call, to));
    net.hosts[2].habit = Habit::Answer;
    net.forget();
    let cause = Cause::user(CauseValue::NORMAL_CLEARING);
    net.at(0, |uni, now| uni.drop_party(now, call, first, cause)).unwrap();
    net.pass(50 * MS);
    let told = names(&net.told(0));
    assert!(told.contains(&format!("PartyDropConfirmed {first}")), "{told:?}");
    assert!(told.contains(&format!("PartyConnected {second}")), "{told:?}");
    assert_eq!(send(&mut net, call), [0, 1, 1]);
    net.release(0, call, CauseValue::NORMAL_CLEARING);
    net.pass(50 * MS);
    net.assert_nothing_left("released");
}

#[test]
fn a_party_that_is_dropped_while_it_waits_is_offered_to_nobody() {
    let second = config(2, Version::Uni31).with_address(address(3));
    let ports = [config(0, Version::Uni31), config(1, Version::Uni31), second];
    let mut net = Net::with(ports.map(|config| (Form::Cells, config)).into(), 1);
    let call = root(&mut net);
    net.hosts[2].habit = Habit::Linger;
    let [first, second] = [2, 3].map(|to| add(&mut net, call, to));
    let cause = Cause::user(CauseValue::NORMAL_CLEARING);
    net.at(0, |uni, now| uni.drop_party(now, call, second, cause)).unwrap();
    net.pass(50 * MS);
    let told = net.told(2);
    let Indication::Setup { call: lingering, .. } = told[0] else { panic!("{told:?}") };
    net.forget();
    net.at(2, |uni, now| uni.connect(now, lingering, &Answer::default())).unwrap();
    net.pass(50 * MS);
    assert_eq!(names(&net.told(0)), [format!("PartyConnected {first}")]);
    assert_eq!(names(&net.told(2)), ["ConnectAcknowledged"]);
    assert_eq!(net.core.calls().next().unwrap().parties, Some(2));
}

#[test]
fn a_tree_whose_last_party_is_refused_while_the_others_are_dropped_ends() {
    for dropped_first in [true, false] {
        let second = config(1, Version::Uni31).with_address(address(3));
        let mut net =
            Net::with([config(0, Version::Uni31), second].map(|config| (Form::Cells, config)).into(), 1);
        let call = root(&mut net);
        net.hosts[1].habit = Habit::Linger;
        let party = add(&mut net, call, 3);
        let told = net.told(1);
        let Some(Indication::PartyOffered { call: at_leaf, party: offered, .. }) = told.first() else {
            panic!("{told:?}")
        };
        let (at_leaf, offered) = (*at_leaf, *offered);
        let drop = |net: &mut Net| {
            let cause = Cause::user(CauseValue::NORMAL_CLEARING);
            net.at(0, |uni, now| uni.drop_party(now, call, PartyId(0), cause)).unwrap();
        };
        let refuse = |net: &mut Net| {
            let cause = Cause::user(CauseValue::USER_BUSY);
            net.at(1, |uni, now| uni.party_reject(now, at_leaf, offered, cause)).unwrap();
        };
        if dropped_first {
            drop(&mut net);
            net.pass(50 * MS);
            refuse(&mut net);
        } else {
            // They cross on the way.
            drop(&mut net);
            refuse(&mut net);
        }
        net.pass(500 * MS);
        let told = names(&net.told(0));
        assert!(told.contains(&format!("PartyRejected {party} 17")) || net.core.calls_len() == 0, "{told:?}");
        net.assert_nothing_left(&format!("dropped first: {dropped_first}"));
    }
}

#[test]
fn the_rate_of_a_second_port_may_be_short() {
    let ports =
        [config(0, Version::Uni31), config(1, Version::Uni31), config(2, Version::Uni31).with_rate(999)];
    let mut net = Net::with(ports.map(|config| (Form::Cells, config)).into(), 1);
    let call = root(&mut net);
    let party = add(&mut net, call, 2);
    assert_eq!(names(&net.told(0)), [format!("PartyRejected {party} 37")]);
    net.release(0, call, CauseValue::NORMAL_CLEARING);
    net.pass(50 * MS);
    net.assert_nothing_left("released");
}

#[test]
fn a_port_that_goes_takes_its_leaves_along() {
    let (mut net, call, [on_new_port, _]) = three_leaves();
    let port = net.hosts[2].port;
    net.core.remove_port(net.now, port);
    net.flights.retain(|_, (host, _, _)| *host != 2);
    net.collect();
    net.pass(50 * MS);
    assert_eq!(names(&net.told(0)), [format!("PartyDropped {on_new_port} 27")]);
    let port = net.hosts[1].port;
    net.core.remove_port(net.now, port);
    net.flights.retain(|_, (host, _, _)| *host != 1);
    net.collect();
    net.pass(50 * MS);
    assert_eq!(net.core.calls_len(), 0);
    assert_eq!(net.released(0, call), Some(CauseValue::DESTINATION_OUT_OF_ORDER));
    net.assert_nothing_left("ports removed");
}
