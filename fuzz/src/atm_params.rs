//! What a client hands an ATM manager: call and media parameters, SAPs, permanent connections, close data.

use condis::params::{CallParams, MediaParams, Sap, Specific};
use condis_atm::VpVc;
use condis_atm::addr::{AtmAddress, Esi};
use condis_atm::driver::{ATM_CALL, ATM_MEDIA, AtmCall, AtmPvc, AtmSap, AtmVcParams, CloseCause};
use condis_atm::q2931::wire::{CauseValue, LowLayerInfo};

/// Any octets, as each of them, whichever the first octet says: refused, or a value that is the same when it is written and read
/// again. A call loses what its service categories have no use for the first time, and then no more.
///
/// True if they were read.
pub fn any(octets: &[u8]) -> bool {
    let Some((kind, octets)) = octets.split_first() else { return false };
    match kind % 6 {
        0 => {
            let specific = Specific { param_type: ATM_CALL, parameters: octets.to_vec() };
            let Ok(call) = AtmCall::from_params(&CallParams::to(specific)) else { return false };
            let once = AtmCall::from_params(&call.to_params()).expect("what was read can be written");
            assert_eq!(AtmCall::from_params(&once.to_params()), Ok(once));
        }
        1 => {
            let specific = Specific { param_type: ATM_MEDIA, parameters: octets.to_vec() };
            let params = CallParams::media(MediaParams { specific, ..MediaParams::default() });
            let Ok(vc) = AtmVcParams::from_params(&params) else { return false };
            assert_eq!(AtmVcParams::from_params(&vc.to_params()), Ok(vc));
        }
        2 => {
            let Some((sap_type, address)) = octets.split_first() else { return false };
            let Ok(sap) = AtmSap::from_sap(&Sap::new(u32::from(*sap_type), address)) else { return false };
            assert_eq!(AtmSap::from_sap(&sap.to_sap()), Ok(sap));
        }
        3 => {
            let Ok(pvc) = AtmPvc::from_add(octets) else { return false };
            assert_eq!(AtmPvc::from_add(&pvc.add_request().buffer), Ok(pvc));
        }
        4 => {
            let Ok(vpvc) = AtmPvc::from_delete(octets) else { return false };
            assert_eq!(AtmPvc::from_delete(&AtmPvc::delete_request(vpvc).buffer), Ok(vpvc));
        }
        _ => {
            let Ok(close) = CloseCause::from_data(octets) else { return false };
            assert_eq!(CloseCause::from_data(&close.to_data()), Ok(close));
        }
    }
    true
}

/// One good example of each, to begin with.
pub fn examples() -> Vec<Vec<u8>> {
    let address = AtmAddress::new([0x47; 13], Esi([1; 6]), 0);
    let call = AtmCall {
        calling: Some(address.clone()),
        blli: vec![LowLayerInfo::LLC, LowLayerInfo::snap([0, 0, 0], 0x0800)],
        ..AtmCall::to(address.clone())
    };
    let vc = AtmVcParams::ubr(VpVc::new(0, 40), 1500);
    let bodies = [
        call.to_manager().specific.parameters,
        vc.to_media().specific.parameters,
        [vec![1], AtmSap::at(address.clone()).to_sap().address].concat(),
        AtmPvc::to(address, VpVc::new(0, 40)).add_request().buffer,
        AtmPvc::delete_request(VpVc::new(0, 40)).buffer,
        CloseCause::user(CauseValue::USER_BUSY).to_data(),
    ];
    bodies.into_iter().enumerate().map(|(kind, body)| [vec![kind as u8], body].concat()).collect()
}
