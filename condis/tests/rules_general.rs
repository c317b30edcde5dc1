//! Rules that hold in every callback.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses some of the kit")]

mod kit;

use std::sync::Arc;

use condis::oid::{About, OidRequest};

use kit::{Mix, Reply, Status, World};

/// CO-211: NDIS holds no lock while it calls a driver, so a driver may call NDIS from inside every callback: about the same
/// VC, about others, and about the node. A lock that is held would make this stand still.
#[test]
fn every_function_may_be_called_from_inside_every_callback() {
    for mix in Mix::all() {
        for kind in [kit::Kind::CallManager, kit::Kind::Mcm] {
            let w = World::with(kind, mix, |kit| {
                for late in
                    ["add_party", "drop_party", "incoming_call", "manager_oid", "client_oid", "lower_oid"]
                {
                    kit.set(late, Reply::Pends(Status::SUCCESS));
                }
            });
            let calls = Arc::new(std::sync::atomic::AtomicU32::new(0));
            let (node, client, count) = (w.node.clone(), w.client.clone(), calls.clone());
            let kit = Arc::downgrade(&w.kit);
            w.kit.hook(Some(Arc::new(move |name| {
                // What is asked for in here has completions of its own, so each callback does it a few times only.
                if kit.upgrade().is_none_or(|kit| kit.visits(name) > 3) {
                    return;
                }
                count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                let _ = (node.vcs(), node.pended(), node.left(), node.adapters());
                for number in 0..client.vcs() {
                    let Some(vc) = client.held(number) else { continue };
                    let _ = vc.at().info();
                    let _ = vc.at().assign_instance_name("name");
                    let _ = vc.at().tapi_call_id(&mut [0; 64]);
                    // Refused or not: it must return.
                    let _ = client.make_call(number);
                    let _ = vc.at().modify_call_qos(Default::default());
                    client.send(number, 1);
                }
                if let Some(af) = client.af() {
                    let _ = af.at().vc_from_tapi_call_id(b"none");
                    let _ = af.at().oid_request(About::Af, OidRequest::query(1, 16));
                }
                if let Some(binding) = client.binding() {
                    binding.at().cancel_oid_request(1);
                }
                if let Ok(vc) = client.create_vc() {
                    let _ = client.delete_vc(vc);
                }
            })));
            let sap = w.sap();
            let vc = w.vc();
            let _ = w.client.make_multipoint(vc);
            w.run();
            let _ = w.client.add_party(vc);
            w.run();
            w.net.receive(0, 1);
            let _ = w.net.offer(sap);
            w.run();
            w.net.status(None, Status::LINK_STATE);
            w.adapter.reset(|_| ());
            w.run();
            w.client.forget_parties();
            w.kit.hook(None);
            assert!(calls.load(std::sync::atomic::Ordering::SeqCst) > 10);
            w.remove();
        }
    }
}
