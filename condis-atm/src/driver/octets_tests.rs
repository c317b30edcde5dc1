//! Whatever octets a client hands in as parameters, reading them ends in a value or an error.

use condis::params::{CallParams, MediaParams, Sap, Specific};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{ATM_CALL, ATM_MEDIA, AtmCall, AtmPvc, AtmSap, AtmVcParams, CloseCause, addresses};
use crate::VpVc;
use crate::addr::{AtmAddress, Esi};
use crate::q2931::wire::LowLayerInfo;

/// Good octets, some of which are changed, and bad ones.
fn octets(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let len = good.len();
    let changed = vec((0..len, any::<u8>()), 1..6).prop_map(move |changes| {
        let mut octets = good.clone();
        changes.into_iter().for_each(|(at, octet)| octets[at] = octet);
        octets
    });
    prop_oneof![changed, vec(any::<u8>(), 0..400)]
}

fn address() -> AtmAddress {
    AtmAddress::new([0x47; 13], Esi([1; 6]), 0)
}

fn call() -> AtmCall {
    AtmCall { blli: vec![LowLayerInfo::LLC], calling: Some(address()), ..AtmCall::to(address()) }
}

proptest! {
    #[test]
    fn call_parameters(parameters in octets(call().to_manager().specific.parameters)) {
        let specific = Specific { param_type: ATM_CALL, parameters };
        let params = CallParams::to(specific);
        if let Ok(call) = AtmCall::from_params(&params) {
            // Written down it loses what its categories have no use for, and then no more.
            let again = AtmCall::from_params(&call.to_params()).expect("what is read can be written");
            prop_assert_eq!(AtmCall::from_params(&again.to_params()), Ok(again));
        }
    }

    #[test]
    fn media_parameters(parameters in octets(AtmVcParams::ubr(VpVc::new(0, 40), 1500).to_media().specific.parameters)) {
        let specific = Specific { param_type: ATM_MEDIA, parameters };
        let params = CallParams::media(MediaParams { specific, ..MediaParams::default() });
        if let Ok(vc) = AtmVcParams::from_params(&params) {
            prop_assert_eq!(AtmVcParams::from_params(&vc.to_params()), Ok(vc));
        }
    }

    #[test]
    fn saps(sap_type in 0_u32..4, address in octets(AtmSap::at(address()).to_sap().address)) {
        if let Ok(sap) = AtmSap::from_sap(&Sap::new(sap_type, address)) {
            prop_assert_eq!(AtmSap::from_sap(&sap.to_sap()), Ok(sap));
        }
    }

    #[test]
    fn permanent_connections(buffer in octets(AtmPvc::to(address(), VpVc::new(0, 40)).add_request().buffer)) {
        if let Ok(pvc) = AtmPvc::from_add(&buffer) {
            prop_assert_eq!(AtmPvc::from_add(&pvc.add_request().buffer), Ok(pvc));
        }
        let _ = AtmPvc::from_delete(&buffer);
    }

    #[test]
    fn close_data_and_addresses(octets in vec(any::<u8>(), 0..60)) {
        if let Ok(close) = CloseCause::from_data(&octets) {
            prop_assert_eq!(CloseCause::from_data(&close.to_data()), Ok(close));
        }
        let _ = addresses::address_of(&octets);
    }
}
