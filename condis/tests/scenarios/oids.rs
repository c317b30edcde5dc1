//! OID requests in each direction, status indications, names and TAPI ids.

use condis::oid::{About, OidAnswer, OidRequest, code};
use condis::token::Outcome;
use condis::vc::TapiIdError;

use crate::kit::world::both;
use crate::kit::{Kind, Mix, Reply, Status, World};

fn ask(oid: u32) -> OidRequest {
    OidRequest::query(oid, 16)
}

fn answer(outcome: Outcome<OidAnswer>) -> Option<(Status, Vec<u8>)> {
    outcome.done().map(|answer| {
        let written = answer.request.map(|request| request.written().to_vec()).unwrap_or_default();
        (answer.status, written)
    })
}

/// CO-186, CO-188, CO-190, CO-192, CO-207: the client asks the manager, about the AF and about a VC.
#[test]
fn the_client_asks_the_manager() {
    for reply in [Reply::Done, Reply::Pends, Reply::Early] {
        both(Mix::PLAIN, |w| {
            w.set("manager_oid", reply(Status::SUCCESS));
            let vc = w.vc();
            let id = w.client.vc(vc).id();
            for about in [About::Af, About::Vc(id)] {
                let outcome = w.client.oid_to_manager(about, ask(code::CO_GET_ADDRESSES));
                w.run();
                let (status, written) = match answer(outcome) {
                    Some(done) => done,
                    None => answer(Outcome::Done(w.client.last_oid().expect("completed"))).expect("done"),
                };
                assert_eq!((status, written.as_slice()), (Status::SUCCESS, b"manager".as_slice()));
            }
            assert_eq!(w.kit.visits("manager.oid_request"), 2);
            assert_eq!(w.kit.visits("lower.oid_request"), 0);
            let late = reply(Status::SUCCESS) != Reply::Done(Status::SUCCESS);
            // CO-188: about what the request was.
            let heard: Vec<_> = w.client.log().into_iter().map(|entry| entry.1).collect();
            assert_eq!(heard, if late { vec![None, Some(vc)] } else { vec![] });
            w.end()
        });
    }
}

/// CO-189: the manager asks its client.
#[test]
fn the_manager_asks_the_client() {
    for reply in [Reply::Done, Reply::Pends, Reply::Early] {
        both(Mix::PLAIN, |w| {
            w.set("client_oid", reply(Status::SUCCESS));
            let outcome =
                w.net.oid_to_client(0, About::Af, OidRequest::set(code::CO_ADDRESS_CHANGE, vec![0; 8]));
            w.run();
            let late = reply(Status::SUCCESS) != Reply::Done(Status::SUCCESS);
            match answer(outcome) {
                Some((status, written)) => {
                    assert_eq!((status, written.as_slice()), (Status::SUCCESS, b"client".as_slice()));
                }
                None => assert!(w.kit.flag("manager_oid_ok")),
            }
            assert_eq!(w.kit.visits("manager.oid_request_complete"), u32::from(late));
            assert_eq!(w.client.heard("oid_request"), [Status::SUCCESS]);
            w.end()
        });
    }
}

/// CO-185: with no AF it goes to the miniport, or to the miniport half of an MCM.
#[test]
fn the_client_asks_the_adapter() {
    for reply in [Reply::Done, Reply::Pends, Reply::Early] {
        both(Mix::PLAIN, |w| {
            w.set("lower_oid", reply(Status::SUCCESS));
            let outcome = w.client.oid_to_lower(ask(code::GEN_CO_VENDOR_DESCRIPTION));
            w.run();
            let (status, written) = match answer(outcome) {
                Some(done) => done,
                None => answer(Outcome::Done(w.client.last_oid().expect("completed"))).expect("done"),
            };
            assert_eq!((status, written.as_slice()), (Status::SUCCESS, b"lower".as_slice()));
            assert_eq!((w.kit.visits("lower.oid_request"), w.kit.visits("manager.oid_request")), (1, 0));
            w.end()
        });
    }
    // A call manager asks its miniport the same way, and hears it as a call manager.
    let w = World::new(Kind::CallManager, Mix::PLAIN);
    w.set("lower_oid", Reply::Pends(Status::SUCCESS));
    assert!(w.net.oid_to_lower(ask(code::GEN_CO_LINK_SPEED)).expect("it is a protocol").is_pending());
    w.run();
    assert!(w.kit.flag("cm_oid_ok"));
    assert!(w.client.last_oid().is_none());
    w.end();
}

/// CO-190: a pended request that is cancelled comes back once, with REQUEST_ABORTED; CO-192: others go meanwhile.
#[test]
fn a_request_is_cancelled() {
    both(Mix::PLAIN, |w| {
        w.set("lower_oid", Reply::Hold);
        let mut request = ask(code::GEN_CO_LINK_SPEED);
        request.request_id = 7;
        assert!(w.client.oid_to_lower(request).is_pending());
        // CO-192: not serialized.
        w.set("lower_oid", Reply::Done(Status::SUCCESS));
        assert!(!w.client.oid_to_lower(ask(code::GEN_CO_LINK_SPEED)).is_pending());
        w.client.binding().expect("bound").at().cancel_oid_request(7);
        w.run();
        assert_eq!(w.client.heard("lower_oid_complete"), [Status::REQUEST_ABORTED]);
        w.end()
    });
}

/// The target's refusals reach the requester unchanged.
#[test]
fn a_request_is_refused() {
    let refusals =
        [Status::INVALID_OID, Status::INVALID_LENGTH, Status::NOT_ACCEPTED, Status::NOT_RECOGNIZED];
    for status in refusals {
        both(Mix::PLAIN, |w| {
            w.set("manager_oid", Reply::Done(status));
            w.set("lower_oid", Reply::Pends(status));
            let outcome = w.client.oid_to_manager(About::Af, ask(code::CO_ADD_PVC));
            assert_eq!(answer(outcome).map(|answer| answer.0), Some(status));
            assert!(w.client.oid_to_lower(ask(code::GEN_CO_LINK_SPEED)).is_pending());
            w.run();
            assert_eq!(w.client.heard("lower_oid_complete"), [status]);
            w.end()
        });
    }
    // Too little room is the target's to tell.
    both(Mix::PLAIN, |w| {
        let outcome = w.client.oid_to_manager(About::Af, OidRequest::query(code::CO_GET_ADDRESSES, 3));
        let answer = outcome.done().expect("at once");
        assert_eq!(answer.status, Status::BUFFER_TOO_SHORT);
        assert_eq!(answer.request.expect("back").bytes_needed, b"manager".len());
        w.end()
    });
}

/// CO-206: about a VC, only those who share it; about the adapter, every binding, once.
#[test]
fn statuses_reach_whom_they_concern() {
    both(Mix::PLAIN, |w| {
        let vc = w.call_out();
        let other = w.call_out();
        w.net.status(Some(0), Status::MEDIA_SPECIFIC_INDICATION);
        w.run();
        let about: Vec<_> = w.client.log().into_iter().filter(|entry| entry.0 == "vc_status").collect();
        assert_eq!(about, [("vc_status", Some(vc), Status::MEDIA_SPECIFIC_INDICATION)]);
        let managers = u32::from(w.kind == Kind::CallManager);
        assert_eq!(w.kit.visits("call_manager.vc_status"), managers, "an MCM is the miniport");
        assert_eq!((w.kit.visits("signaling.status"), w.client.heard("status").len()), (0, 0));
        w.net.status(None, Status::LINK_STATE);
        w.run();
        assert_eq!(w.client.heard("status"), [Status::LINK_STATE]);
        assert_eq!(w.kit.visits("call_manager.status"), managers);
        assert_eq!(w.client.heard("vc_status").len(), 1);
        w.close(vc);
        w.close(other);
        w.end()
    });
}

/// CO-198, CO-199: the first name holds, and ends with the VC.
#[test]
fn vcs_are_named() {
    both(Mix::PLAIN, |w| {
        let vc = w.vc();
        let first = w.client.vc(vc).at().assign_instance_name("line").expect("the VC is there");
        assert!(first.starts_with("line"), "{first}");
        assert_eq!(w.client.vc(vc).at().assign_instance_name("other"), Ok(first.clone()));
        assert_eq!(w.client.vc(vc).at().info().name.as_ref(), Some(&first));
        // The other end of a call manager's VC sees the same name; an MCM may not name.
        assert_eq!(w.client.make_call(vc), Status::PENDING);
        w.run();
        match w.net.name(0, "mine") {
            Some(name) => assert_eq!(name, Ok(first.clone())),
            None => assert_eq!(w.kind, Kind::Mcm),
        }
        w.close(vc);
        let held = w.client.vc(vc);
        w.client.delete_vc(vc).expect("over");
        assert!(w.node.vcs().iter().all(|vc| vc.name.is_none()), "CO-199");
        assert_eq!(held.at().assign_instance_name("late"), Err(Status::FAILURE));
        drop(held);
        let next = w.vc();
        let second = w.client.vc(next).at().assign_instance_name("line").expect("the VC is there");
        assert_ne!(first, second, "the index is chosen by NDIS");
        w.end()
    });
}

/// CO-200, CO-201, CO-202.
#[test]
fn vcs_have_tapi_ids() {
    both(Mix::PLAIN, |w| {
        let vc = w.vc();
        let held = w.client.vc(vc);
        let mut room = [0; 64];
        let size = held.at().tapi_call_id(&mut room).expect("there is room");
        let mut short = [0; 1];
        let refused = held.at().tapi_call_id(&mut short).expect_err("there is none");
        assert_eq!(
            (refused, refused.status()),
            (TapiIdError::TooShort { needed: size }, Status::BUFFER_TOO_SHORT)
        );
        assert_eq!(short, [0], "nothing was written");
        let af = w.client.af().expect("open");
        let other = w.vc();
        let found = af.at().vc_from_tapi_call_id(&room[..size]).expect("it is this client's");
        assert_eq!(found.id(), held.id());
        drop(found);
        assert_eq!(af.at().vc_from_tapi_call_id(b"nothing").err(), Some(Status::FAILURE));
        w.client.delete_vc(vc).expect("idle");
        let gone = held.at().tapi_call_id(&mut room).expect_err("the VC is gone");
        assert_eq!(gone.status(), Status::INVALID_DATA);
        assert_eq!(af.at().vc_from_tapi_call_id(&room[..size]).err(), Some(Status::FAILURE));
        w.client.delete_vc(other).expect("idle");
        drop((held, af));
        w.end()
    });
}
