//! Aim: permanent connections: added and deleted by a client, called by name or by number, and independent of signaling.
//! Method: one scenario, four mixes; the switch has the other half of the connection.

use condis::params::{CallFlags, CallParams};
use condis::status::NdisStatus;
use condis_atm::VpVc;
use condis_atm::driver::{AtmPvc, AtmVcParams};

use crate::calls::to;
use crate::lab::{address, in_every_mix};

const AT_A: VpVc = VpVc::new(0, 40);

/// DP-189, CO-129, CO_CALL_PARAMETERS.Flags.
#[test]
fn a_call_is_made_on_a_permanent_connection() {
    in_every_mix(|lab| {
        let pvc = AtmPvc::to(address(2), AT_A);
        assert_eq!(lab.a.client.set(pvc.add_request()), NdisStatus::SUCCESS);
        assert_eq!(lab.a.client.set(pvc.add_request()), NdisStatus::NOT_ACCEPTED, "it is there");
        let vc = lab.a.client.create();
        let mut params = to(2).to_params();
        params.flags |= CallFlags::PERMANENT_VC;
        lab.a.client.dial_params(vc, params.clone());
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["made"]);
        assert!(lab.a.client.last_params().flags.contains(CallFlags::PERMANENT_VC));
        assert_eq!(lab.a.client.last_vc().vpvc, AT_A);
        assert_eq!(lab.a.count("calls.calls_made"), 0, "nothing is signaled");
        // It is taken: CO-129.
        let other = lab.a.client.create();
        lab.a.client.dial_params(other, params.clone());
        assert_eq!(lab.a.client.take_heard(), ["make failed FAILURE"]);
        assert_eq!(lab.a.client.set(AtmPvc::delete_request(AT_A)), NdisStatus::NOT_ACCEPTED, "it is in use");
        lab.a.client.close(vc);
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["closed SUCCESS"]);
        // Without the flag it is found as well, and by its numbers alone.
        lab.a.client.dial(vc, &to(2));
        lab.soon();
        assert_eq!((lab.a.client.take_heard(), lab.b.client.up().len()), (vec!["made".to_owned()], 0));
        lab.a.client.close(vc);
        lab.soon();
        let named = CallParams {
            flags: CallFlags::PERMANENT_VC,
            media: Some(Box::new(AtmVcParams::ubr(AT_A, 1500).to_media())),
            ..CallParams::default()
        };
        lab.a.client.dial_params(vc, named);
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["closed SUCCESS", "made"]);
        lab.a.client.close(vc);
        lab.soon();
        assert_eq!(lab.a.client.set(AtmPvc::delete_request(AT_A)), NdisStatus::SUCCESS);
        assert_eq!(lab.a.client.set(AtmPvc::delete_request(AT_A)), NdisStatus::NOT_ACCEPTED, "it is gone");
        lab.a.client.take_heard();
        lab.a.client.dial(vc, &to(2));
        lab.soon();
        assert_eq!(lab.b.client.up().len(), 1, "signaled now");
    });
}

/// Data passes over a connection that both ends and the switch have; signaling may be away all the while.
#[test]
fn a_permanent_connection_needs_no_signaling() {
    in_every_mix(|lab| {
        let at_b = VpVc::new(0, 77);
        lab.a.client.set(AtmPvc::to(address(2), AT_A).add_request());
        lab.b.client.set(AtmPvc::to(address(1), at_b).add_request());
        crate::lab::cross_connect(lab, (0, AT_A), (1, at_b));
        let (here, there) = (lab.a.client.create(), lab.b.client.create());
        lab.a.client.dial(here, &to(2));
        lab.b.client.dial(there, &to(1));
        lab.soon();
        lab.a.client.send(here, [vec![1; 500]]);
        lab.b.client.send(there, [vec![2; 700]]);
        lab.soon();
        assert_eq!((lab.a.client.received().len(), lab.b.client.received().len()), (700, 500));
        lab.a.fibre.cut();
        lab.late();
        assert_eq!(lab.a.client.up(), [here], "{:?}", lab.a.client.heard());
        lab.a.fibre.mend();
        lab.late();
        lab.a.client.send(here, [vec![3; 9]]);
        lab.soon();
        assert_eq!(lab.b.client.received(), [3; 9]);
    });
}
