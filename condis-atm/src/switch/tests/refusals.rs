//! Calls that the switch refuses, each with its cause, and that nothing is kept of them.

use super::*;
use crate::q2931::wire::{AalParameters, BearerClass, Diagnostics, Ie, TransitNetworkSelection};

/// Calls from host 0 and expects this cause.
fn refused(net: &mut Net, value: CauseValue, params: impl FnOnce(Version) -> CallParams) -> Vec<Indication> {
    let before = net.core.calls_len();
    let call = net.call_with(0, params);
    net.pass(100 * MS);
    let told = net.told(0);
    let causes = told.iter().find_map(|told| match told {
        Indication::Released { call: ended, causes, .. } if *ended == call => Some(causes[0].value),
        _ => None,
    });
    assert_eq!(causes, Some(value), "{told:?}");
    assert_eq!(net.core.calls_len(), before);
    told
}

fn to(address: &str) -> impl FnOnce(Version) -> CallParams {
    let address: AtmAddress = address.parse().unwrap();
    move |version| CallParams::new(version, address, &Contracts::both(Contract::UBR), 1_500)
}

#[test]
fn an_address_that_nobody_has_or_that_no_route_leads_to() {
    let mut net = Net::new(2, Version::Uni31);
    let ours = "47.0005.80.ffe100.0000.f21a.0001.0020480000ff.00";
    refused(&mut net, CauseValue::UNALLOCATED_NUMBER, to(ours));
    refused(
        &mut net,
        CauseValue::NO_ROUTE_TO_DESTINATION,
        to("39.0005.80.ffe100.0000.f21a.0001.002048000001.00"),
    );
    refused(&mut net, CauseValue::NO_ROUTE_TO_DESTINATION, to("+4989636112"));
    let counters = net.core.call_counters();
    assert_eq!((counters.refused_unallocated, counters.refused_no_route), (1, 2));
    net.assert_nothing_left("refused");
}

#[test]
fn a_prefix_route_does_not_lead_back() {
    let mut net = Net::new(2, Version::Uni31);
    net.core.add_route("39".parse().unwrap(), net.hosts[0].port, 0).unwrap();
    refused(
        &mut net,
        CauseValue::NO_ROUTE_TO_DESTINATION,
        to("39.0005.80.ffe100.0000.f21a.0001.002048000001.00"),
    );
}

#[test]
fn a_transit_network_a_path_and_contracts_that_make_no_sense() {
    let mut net = Net::new(2, Version::Uni31);
    let carrier = Ie::new(TransitNetworkSelection::carrier(b"288").unwrap());
    refused(&mut net, CauseValue::NO_ROUTE_TO_TRANSIT_NETWORK, |version| CallParams {
        other: vec![carrier],
        ..params(version, 1, Contract::UBR)
    });
    refused(&mut net, CauseValue::BEARER_NOT_IMPLEMENTED, |version| {
        let mut params = params(version, 1, Contract::cbr(10));
        params.bearer.class = BearerClass::TRANSPARENT_VP;
        params
    });
    net.assert_nothing_left("refused");
}

#[test]
fn a_destination_whose_signaling_is_down() {
    let mut net = Net::new(2, Version::Uni31);
    net.set_link(1, false);
    refused(&mut net, CauseValue::DESTINATION_OUT_OF_ORDER, |version| params(version, 1, Contract::UBR));
    net.assert_nothing_left("refused");
}

#[test]
fn the_second_best_port_takes_what_the_best_cannot() {
    let mut second = config(2, Version::Uni31);
    second.preference = 1;
    let second = second.with_address(address(1));
    let ports = [config(0, Version::Uni31), config(1, Version::Uni31).with_rate(1_000), second];
    let mut net = Net::with(ports.map(|config| (Form::Cells, config)).into(), 1);
    let expected = [1, 2, 1];
    for (rate, host) in [1_000, 1, 0].into_iter().zip(expected) {
        let contract = if rate == 0 { Contract::UBR } else { Contract::cbr(rate) };
        net.forget();
        net.call(0, 1, contract);
        net.pass(50 * MS);
        assert_eq!(names(&net.told(host)), ["Setup", "ConnectAcknowledged"], "{rate}");
    }
    // Host 1 has no rate left, and its line goes: the second takes all.
    net.set_link(1, false);
    net.forget();
    net.call(0, 1, Contract::UBR);
    net.pass(50 * MS);
    assert_eq!(names(&net.told(2)), ["Setup", "ConnectAcknowledged"]);
}

#[test]
fn where_no_port_can_the_preferred_one_says_why() {
    let mut second = config(2, Version::Uni31).with_address(address(1));
    second.preference = 1;
    let ports = [config(0, Version::Uni31), config(1, Version::Uni31).with_rate(1_000), second];
    let mut net = Net::with(ports.map(|config| (Form::Cells, config)).into(), 1);
    net.set_link(2, false);
    refused(&mut net, CauseValue::CELL_RATE_NOT_AVAILABLE, |version| {
        params(version, 1, Contract::cbr(1_001))
    });
}

#[test]
fn rates_run_out_on_either_port_and_come_back() {
    for (caller, called) in [(1_000, 5_000), (5_000, 1_000)] {
        let ports =
            [config(0, Version::Uni31).with_rate(caller), config(1, Version::Uni31).with_rate(called)];
        let mut net = Net::with(ports.map(|config| (Form::Cells, config)).into(), 1);
        let (first, _) = super::calls::connected(&mut net, Contract::cbr(600));
        let told = refused(&mut net, CauseValue::CELL_RATE_NOT_AVAILABLE, |version| {
            params(version, 1, Contract::cbr(401))
        });
        let Some(Indication::Released { causes, .. }) = told.last() else { panic!("{told:?}") };
        assert!(matches!(&causes[0].diagnostics, Diagnostics::Subfields(_)));
        let second = net.call(0, 1, Contract::cbr(400));
        net.pass(50 * MS);
        refused(&mut net, CauseValue::CELL_RATE_NOT_AVAILABLE, |version| {
            params(version, 1, Contract::cbr(1))
        });
        net.call(0, 1, Contract::UBR);
        net.pass(50 * MS);
        assert_eq!(net.core.calls_len(), 3, "best effort needs none");
        net.release(0, first, CauseValue::NORMAL_CLEARING);
        net.pass(50 * MS);
        net.forget();
        let third = net.call(0, 1, Contract::cbr(600));
        net.pass(50 * MS);
        assert_eq!(names(&net.told(0)), ["Proceeding", "Connected"]);
        for call in [second, third] {
            net.release(0, call, CauseValue::NORMAL_CLEARING);
        }
        net.pass(50 * MS);
        assert_eq!(net.core.ports().map(|port| port.outgoing_reserved_cells_per_s).max(), Some(0));
    }
}

#[test]
fn identifiers_run_out_on_either_port_and_come_back() {
    for short in [0, 1] {
        let mut ports = [config(0, Version::Uni31), config(1, Version::Uni31)];
        ports[short].vcs.vci = 40..=41;
        let mut net = Net::with(ports.map(|config| (Form::Cells, config)).into(), 1);
        let (first, _) = super::calls::connected(&mut net, Contract::UBR);
        super::calls::connected(&mut net, Contract::UBR);
        refused(&mut net, CauseValue::NO_VPCI_VCI_AVAILABLE, |version| params(version, 1, Contract::UBR));
        net.release(0, first, CauseValue::NORMAL_CLEARING);
        net.pass(50 * MS);
        super::calls::connected(&mut net, Contract::UBR);
        assert_eq!(net.core.call_counters().refused_no_vc, 1);
    }
}

#[test]
fn another_aal_does_not_fit_on_a_line_of_sdus() {
    let ports = vec![
        (Form::Cells, config(0, Version::Uni31)),
        (Form::Sdus, config(1, Version::Uni31)),
        (Form::Cells, config(2, Version::Uni31)),
    ];
    let mut net = Net::with(ports, 1);
    let aal1 = |version, to| CallParams {
        aal: Some(AalParameters::User(crate::q2931::wire::Octets::new(vec![1]).unwrap())),
        ..params(version, to, Contract::cbr(10))
    };
    refused(&mut net, CauseValue::AAL_NOT_SUPPORTED, |version| aal1(version, 1));
    net.forget();
    net.call_with(0, |version| aal1(version, 2));
    net.pass(50 * MS);
    assert_eq!(names(&net.told(0)), ["Proceeding", "Connected"]);
}

#[test]
fn calls_are_bounded() {
    let mut net = Net::new(0, Version::Uni31);
    net.core = SwitchCore::new(SwitchConfig { calls_max: 1, ..SwitchConfig::default() }, 1);
    for host in 0..2 {
        net.add_host(Form::Cells, config(host, Version::Uni31), 1);
    }
    net.pass(100 * MS);
    super::calls::connected(&mut net, Contract::UBR);
    refused(&mut net, CauseValue::RESOURCES_UNAVAILABLE, |version| params(version, 1, Contract::UBR));
}

#[test]
fn what_the_called_user_says_comes_back_as_it_is() {
    let mut net = Net::new(2, Version::Uni31);
    for value in [CauseValue::USER_BUSY, CauseValue::CALL_REJECTED, CauseValue::INCOMPATIBLE_DESTINATION] {
        net.hosts[1].habit = Habit::Refuse(value);
        refused(&mut net, value, |version| params(version, 1, Contract::cbr(10)));
    }
    net.assert_nothing_left("refused");
}

#[test]
fn a_called_user_who_never_answers() {
    let mut net = Net::new(2, Version::Uni31);
    net.hosts[1].habit = Habit::Linger;
    let call = net.call(0, 1, Contract::cbr(10));
    net.pass(Duration::from_secs(400));
    assert!(net.released(0, call).is_some());
    net.assert_nothing_left("timed out");
}

/// Each reason has a cause of its class, and the counters know it.
#[test]
fn every_refusal_has_its_cause() {
    use crate::switch::cac::CacError;
    use crate::switch::vc_alloc::AllocError;
    use crate::traffic::ContractError;
    use crate::uni::RequestError;
    let vpvc = VpVc::new(0, 40);
    let all = [
        (Refusal::NumberFormat, 28),
        (Refusal::TransitNetwork, 2),
        (Refusal::Bearer, 65),
        (Refusal::Contract(ContractError::ZeroRate), 73),
        (Refusal::Aal, 93),
        (Refusal::NoRoute, 3),
        (Refusal::Unallocated, 1),
        (Refusal::WayBack, 3),
        (Refusal::OutOfOrder, 27),
        (Refusal::CellRate(CacError::NotAvailable { needed: 2, left: 1 }), 37),
        (Refusal::CellRate(CacError::NoPeak), 73),
        (Refusal::Vc(AllocError::Exhausted { max: 1 }), 45),
        (Refusal::Vc(AllocError::InUse(vpvc)), 35),
        (Refusal::Vc(AllocError::OutOfRange(vpvc)), 35),
        (Refusal::TooManyCalls(1), 47),
        (Refusal::Fabric(fabric::FabricError::NotOfUni(vpvc)), 47),
        (Refusal::Request(RequestError::SignalingDown), 27),
        (Refusal::Request(RequestError::TooManyCalls { max: 1 }), 47),
        (Refusal::NoParties, 41),
        (Refusal::NoModification, 63),
        (Refusal::PortRemoved, 27),
    ];
    for (refusal, value) in all {
        assert_eq!(refusal.cause_value(), CauseValue(value), "{refusal}");
    }
}
