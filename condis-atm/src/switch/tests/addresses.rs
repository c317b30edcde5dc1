//! Addresses that hosts register by ILMI, and calls to them.

use super::*;
use crate::addr::Esi;

fn esi(host: usize) -> Esi {
    Esi([0, 0x20, 0x48, 0, 0, host as u8])
}

/// A port that gives its prefix by ILMI.
fn ilmi(host: usize) -> PortConfig {
    PortConfig::new(&format!("host {host}"), Version::Uni31).with_prefix(PREFIX)
}

/// A host that registers.
fn add(net: &mut Net, host: usize) {
    let mut user = UniConfig::new(Side::User, Version::Uni31);
    user.addresses.ilmi = true;
    user.addresses.esis = vec![esi(host)];
    net.add_host_with(Form::Cells, ilmi(host), user, host as u64);
}

#[test]
fn what_registers_is_called_and_what_goes_is_not() {
    let mut net = Net::with(Vec::new(), 1);
    (0..2).for_each(|host| add(&mut net, host));
    net.pass(Duration::from_secs(10));
    let addresses: Vec<_> = net.core.ports().flat_map(|port| port.addresses).collect();
    assert_eq!(addresses, [address(0), address(1)]);
    assert_eq!((net.core.routes().count(), net.core.counters().addresses_registered), (2, 2));
    let (call, _) = super::calls::connected(&mut net, Contract::UBR);
    net.release(0, call, CauseValue::NORMAL_CLEARING);
    net.pass(50 * MS);
    net.forget();

    // One more end system at the same host, and one less.
    let now = net.now;
    net.at(1, |uni, _| uni.add_esi(now, esi(7))).unwrap();
    net.pass(Duration::from_secs(5));
    net.call(0, 7, Contract::UBR);
    net.pass(50 * MS);
    assert_eq!(names(&net.told(1)), ["Setup", "ConnectAcknowledged"]);
    let now = net.now;
    net.at(1, |uni, _| uni.remove_esi(now, esi(7)));
    net.pass(Duration::from_secs(5));
    net.forget();
    let call = net.call(0, 7, Contract::UBR);
    net.pass(50 * MS);
    assert_eq!(net.released(0, call), Some(CauseValue::UNALLOCATED_NUMBER));

    // The host is gone for long: so are its addresses.
    net.set_link(1, false);
    net.pass(Duration::from_secs(120));
    let routed: Vec<PortId> = net.core.routes().map(|(_, route)| route.port).collect();
    assert_eq!(routed, [net.hosts[0].port]);
    let call = net.call(0, 1, Contract::UBR);
    net.pass(50 * MS);
    assert_eq!(net.released(0, call), Some(CauseValue::UNALLOCATED_NUMBER));
    net.set_link(1, true);
    net.pass(Duration::from_secs(30));
    super::calls::connected(&mut net, Contract::UBR);
}
