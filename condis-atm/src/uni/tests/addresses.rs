//! Addresses, with ILMI and without.

use super::*;
use crate::addr::{AtmAddress, Esi};

const PREFIX: [u8; 13] = [0x47, 0, 5, 0x80, 0xff, 0xe1, 0, 0, 0, 0xf2, 0x1a, 0, 1];
const ESI: Esi = Esi([0, 0x20, 0x48, 0x0b, 0, 2]);

fn line() -> Line {
    let mut line = Line::with(
        SIDES.map(|side| {
            let addresses = match side {
                Side::User => AddressConfig { ilmi: true, esis: vec![ESI], ..AddressConfig::default() },
                Side::Network => {
                    AddressConfig { ilmi: true, prefixes: vec![PREFIX], ..AddressConfig::default() }
                }
            };
            UniConfig { addresses, ..UniConfig::new(side, Version::Uni31) }
        }),
        1,
    );
    line.link(true);
    line
}

#[test]
fn the_user_registers_under_the_prefix_of_the_network_and_both_know_it() {
    let mut line = line();
    line.pass_s(10);
    let address = AtmAddress::new(PREFIX, ESI, 0);
    for side in SIDES {
        assert!(line.told[side as usize].contains(&UniOutput::AddressesChanged), "{side}");
        assert_eq!(line.end(side).addresses().collect::<Vec<_>>(), [&address], "{side}");
        // The selector is the host's own business.
        assert!(line.end(side).has_address(&AtmAddress::new(PREFIX, ESI, 9)));
        assert!(!line.end(side).has_address(&AtmAddress::new(PREFIX, Esi([9; 6]), 0)));
    }
    // And signaling works beside it.
    line.forget();
    line.call(U);
    line.link(false);
    line.pass_s(1);
    assert_eq!(line.end(U).addresses().count(), 0);
}

#[test]
fn addresses_are_fixed_where_ilmi_is_not_spoken() {
    let address: AtmAddress = "+4989".parse().unwrap();
    let mut configs = SIDES.map(|side| UniConfig::new(side, Version::Uni31));
    configs[0].addresses.fixed.push(address.clone());
    let mut line = Line::with(configs, 1);
    line.link(true);
    line.pass_s(5);
    assert!(line.end(U).has_address(&address));
    let now = line.now;
    line.end(U).handle_ilmi_sdu(now, b"something");
    assert_eq!(line.end(U).uni_counters().dropped_ilmi, 1);
}
