//! Aim: a call finds the SAP that is meant (ATM_SAP: address, selector, BLLI, BHLI; specific, any or absent). Method: one client
//! with several SAPs; which of them was meant is seen by who is offered the call.

use condis::oid::code;
use condis::params::Sap;
use condis::status::NdisStatus;
use condis_atm::addr::AtmAddress;
use condis_atm::driver::{AtmSap, Field, Layer2, SapAddress};
use condis_atm::q2931::wire::LowLayerInfo;

use crate::calls::to;
use crate::lab::{Setup, address, in_every_mix, in_every_mix_of};

fn with_selector(number: u8, selector: u8) -> AtmAddress {
    let AtmAddress::Nsap(mut octets) = address(number) else { panic!("an NSAP") };
    octets[19] = selector;
    AtmAddress::Nsap(octets)
}

/// The selector is the end system's own: the switch brings every call to the end system, and the SAP decides.
#[test]
fn a_wildcard_takes_what_nothing_else_does() {
    let any = AtmSap { address: SapAddress::OnlySelector(9), ..AtmSap::at(address(2)) };
    in_every_mix_of(&Setup { saps: vec![any], ..Setup::default() }, |lab| {
        let vc = lab.a.client.create();
        let mut call = to(2);
        call.called = with_selector(2, 9);
        lab.a.client.dial(vc, &call);
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["made"]);
        assert_eq!(lab.b.client.last_call().called, with_selector(2, 9));
        lab.a.client.close(vc);
        lab.soon();
        lab.a.client.take_heard();
        call.called = with_selector(2, 8);
        lab.a.client.dial(vc, &call);
        lab.soon();
        let heard = lab.a.client.take_heard();
        assert_eq!(heard, ["make failed NOT_SUPPORTED"], "it is here, and nobody takes it");
        let cause = lab.a.client.last_cause().expect("it says why");
        assert!(cause.starts_with("incompatible destination (88)"), "{cause}");
        assert_eq!(lab.b.count("engine.calls_without_sap"), 1);
    });
}

/// The protocol above, that the caller names, is told to the client, and chosen among several.
#[test]
fn the_low_layer_information_chooses_and_is_told() {
    in_every_mix(|lab| {
        let vc = lab.a.client.create();
        let mut call = to(2);
        call.blli = vec![LowLayerInfo::LLC];
        lab.a.client.dial(vc, &call);
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["made"]);
        assert_eq!(lab.b.client.last_call().blli, [LowLayerInfo::LLC]);
        assert_eq!(lab.a.client.last_call().blli, [LowLayerInfo::LLC]);
    });
    let snap = AtmSap {
        address: SapAddress::Is(with_selector(2, 5)),
        layer2: Field::Is(Layer2::LLC),
        layer3: Field::Any,
        bhli: Field::Absent,
    };
    in_every_mix_of(&Setup { saps: vec![snap], ..Setup::default() }, |lab| {
        let vc = lab.a.client.create();
        let mut call = to(2);
        call.called = with_selector(2, 5);
        lab.a.client.dial(vc, &call);
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["make failed NOT_SUPPORTED"]);
        call.blli = vec![LowLayerInfo::snap([0, 0, 0], 0x0800), LowLayerInfo::LLC];
        lab.a.client.dial(vc, &call);
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["made"]);
        assert_eq!(lab.a.client.last_call().blli, [LowLayerInfo::LLC], "the one that the SAP takes");
    });
}

/// CO-047: a SAP that is malformed, or taken, is INVALID_DATA.
#[test]
fn saps_that_are_taken_or_none_are_refused() {
    in_every_mix(|lab| {
        let client = &lab.b.client;
        assert_eq!(client.register(AtmSap::at(address(2)).to_sap()), Err(NdisStatus::INVALID_DATA));
        assert_eq!(client.register(Sap::new(Sap::NSAP, [1, 2, 3])), Err(NdisStatus::INVALID_DATA));
        assert_eq!(client.register(Sap::new(Sap::TAPI, address(2).octets())), Err(NdisStatus::INVALID_DATA));
        assert_eq!(client.register(AtmSap::at(with_selector(2, 1)).to_sap()), Ok(()));
        assert_eq!(client.told(code::CO_SIGNALING_DISABLED), 1, "before signaling came up");
    });
}
