//! Every callback of every driver panics once, in turn. What must hold afterwards: other VCs are untouched, calls end,
//! everything drains, nothing is left, and the node goes on (DP-216).
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test uses some of the kit")]

mod kit;

use std::collections::BTreeSet;
use std::sync::Once;

use condis::oid::{About, OidRequest};
use condis::params::AddressFamily;
use condis::vc::{Activation, Call, VcUse};

use kit::{Below, CloseOrder, InFlight, Kind, Mix, Reply, Status, World};

fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let planted =
                info.payload().downcast_ref::<String>().is_some_and(|text| text.starts_with("planted"));
            if !planted {
                before(info);
            }
        }));
    });
}

/// Lets an operation be refused: after a panic NDIS answers for the driver, with whatever status.
fn any<T>(_: T) {}

/// What a client does that goes through every callback; each step only if the one before left something to do it with.
fn out_walk(w: &World, in_hand: bool) {
    let Ok(vc) = w.client.create_vc() else { return };
    any(w.client.make_multipoint(vc));
    w.run();
    if w.client.call(vc) == Call::Connected {
        any(w.client.add_party(vc));
        w.run();
        any(w.client.modify_qos(vc, kit::client::to(b"more")));
        w.run();
        let leg = w.net.legs() - 1;
        w.net.remote_qos(leg, kit::client::to(b"less"));
        w.run();
        if w.client.call(vc) == Call::Connected
            && w.client.held(vc).is_some_and(|vc| vc.at().activation() == Activation::Active)
        {
            w.raise("echo");
            w.client.send(vc, 2);
            w.kit.lower("echo");
            if in_hand {
                w.raise("keep_sends");
                w.client.send(vc, 3);
                w.kit.lower("keep_sends");
                w.raise("keep_receives");
                w.net.receive(leg, 2);
                w.kit.lower("keep_receives");
            }
            if w.client.held(vc).is_some_and(|vc| vc.at().activation() == Activation::Active) {
                w.net.status(Some(leg), Status::MEDIA_SPECIFIC_INDICATION);
            }
        }
        w.run();
        if w.client.parties() > 1 {
            any(w.client.drop_party(1));
            w.run();
        }
    }
    any(w.client.close_call(vc));
    w.run();
    w.client.return_kept();
    w.run();
    any(w.client.delete_vc(vc));
    w.run();
}

fn in_walk(w: &World, in_hand: bool) {
    if w.net.saps() == 0 {
        return;
    }
    let Ok(leg) = w.net.offer(0) else { return };
    w.run();
    w.raise("echo");
    w.net.receive(leg, 1);
    if in_hand {
        w.raise("keep_receives");
        w.net.receive(leg, 2);
        w.kit.lower("keep_receives");
    }
    w.run();
    w.kit.lower("echo");
    w.net.remote_close(leg, Status::SUCCESS);
    w.run();
    w.client.return_kept();
    w.run();
}

fn other_walk(w: &World) {
    if w.client.af().is_some() {
        any(w.client.register_sap(b"another"));
        w.run();
        any(w.client.oid_to_manager(About::Af, OidRequest::query(1, 16)));
        w.run();
        any(w.net.oid_to_client(0, About::Af, OidRequest::query(1, 16)));
        w.run();
    }
    if w.client.binding().is_some() {
        any(w.client.oid_to_lower(OidRequest::query(1, 16)));
        w.run();
        w.client.binding().expect("bound").at().cancel_oid_request(1);
    }
    any(w.net.oid_to_lower(OidRequest::query(1, 16)));
    w.run();
    w.net.status(None, Status::LINK_STATE);
    w.adapter.reset(|_| ());
    w.run();
    w.adapter.pause(|_| ());
    w.run();
    w.adapter.restart(|_| ());
    w.run();
}

fn script(kit: &kit::Kit) {
    for late in ["add_party", "drop_party", "incoming_call", "register_sap", "deregister_sap", "close_af"] {
        kit.set(late, Reply::Pends(Status::SUCCESS));
    }
    for late in ["manager_oid", "client_oid", "lower_oid"] {
        kit.set(late, Reply::Pends(Status::SUCCESS));
    }
}

/// The callbacks that a walk goes through.
fn visited(kind: Kind, mix: Mix, walk: fn(&World, bool), in_hand: bool) -> Vec<&'static str> {
    let w = World::with(kind, mix, script);
    any(w.client.register_sap(b"here"));
    w.run();
    let before: BTreeSet<_> = w.kit.visited().into_iter().map(|name| (name, w.kit.visits(name))).collect();
    walk(&w, in_hand);
    let visited = w.kit.visited();
    let visited = visited.into_iter().filter(|name| !before.contains(&(*name, w.kit.visits(name)))).collect();
    w.end();
    visited
}

fn mixes() -> [Mix; 3] {
    let mix = |below, order| Mix { below, order, in_flight: InFlight::None };
    [
        mix(Below::AtOnce, CloseOrder::DeactivateFirst),
        mix(Below::Pends, CloseOrder::CompleteFirst),
        mix(Below::CompletesEarly, CloseOrder::DeactivateFirst),
    ]
}

/// The objects of the signaling VC, of the AF or of a SAP serve more than one VC: with one of them others end too.
fn serves_others(name: &str) -> bool {
    name.starts_with("signaling") || name.ends_with(".create_vc")
}

fn panic_once(walk: fn(&World, bool)) {
    silence();
    for kind in [Kind::CallManager, Kind::Mcm] {
        for mix in mixes() {
            for in_hand in [false, true] {
                for name in visited(kind, mix, walk, in_hand) {
                    let what = format!("{kind:?} {mix:?} {name} with NBLs in hand: {in_hand}");
                    panic_in(kind, mix, walk, in_hand, name, &what);
                }
            }
        }
    }
}

fn panic_in(kind: Kind, mix: Mix, walk: fn(&World, bool), in_hand: bool, name: &'static str, what: &str) {
    let w = World::with(kind, mix, script);
    any(w.client.register_sap(b"here"));
    w.run();
    let bystander = w.call_out();
    w.kit.arm(name);
    walk(&w, in_hand);
    w.run();
    assert!(!w.kit.is_armed(), "{what}: the callback ran");
    assert!(w.ring.reports().iter().any(|report| report.rule == "DP-216"), "{what}: it is reported");
    if !serves_others(name) {
        // CO-218
        assert_eq!(w.client.call(bystander), Call::Connected, "{what}");
        let sent = w.client.heard("send_complete").len();
        w.raise("log_data");
        w.client.send(bystander, 1);
        w.run();
        let heard = w.client.heard("send_complete");
        assert_eq!(&heard[sent..], [Status::SUCCESS], "{what}");
        w.kit.lower("log_data");
        // The node goes on.
        let again = w.client.create_vc().unwrap_or_else(|status| panic!("{what}: {status}"));
        assert_eq!(w.client.make_call(again), Status::PENDING, "{what}");
        w.run();
        assert_eq!(w.client.call(again), Call::Connected, "{what}");
        any(w.client.close_call(again));
        w.run();
        assert_eq!(w.client.call(again), Call::None, "{what}");
        w.client.delete_vc(again).unwrap_or_else(|status| panic!("{what}: {status}"));
    }
    finish(&w, what);
}

/// Nothing is left, once the adapter has gone and the drivers let go of what they keep.
fn finish(w: &World, what: &str) {
    // A client of which an object panicked lets go of the rest.
    w.client.return_kept();
    w.remove();
    assert!(w.node.adapters().is_empty(), "{what}: removed; {:?} {}", w.node.pended(), w.node.left());
    w.client.forget();
    w.net.forget();
    w.run();
    assert!(w.node.left().is_nothing(), "{what}: {}", w.node.left());
    assert_eq!(w.client.pool.outstanding(), 0, "{what}: sends");
    assert_eq!(w.net.outstanding(), 0, "{what}: receives");
}

#[test]
fn every_callback_of_an_outgoing_call_panics_once() {
    panic_once(out_walk);
}

#[test]
fn every_callback_of_an_incoming_call_panics_once() {
    panic_once(in_walk);
}

/// Those of the AF, the binding and the adapter serve all VCs, so that no call need be possible afterwards. But everything
/// ends, and another adapter serves the node.
#[test]
fn every_other_callback_panics_once() {
    silence();
    for kind in [Kind::CallManager, Kind::Mcm] {
        let names = {
            let w = World::with(kind, Mix::PLAIN, script);
            any(w.client.register_sap(b"here"));
            w.run();
            other_walk(&w);
            out_walk(&w, true);
            in_walk(&w, true);
            w.kit.raise("from here");
            let mut names = w.kit.visited();
            names.extend(["client.unbind", "client.close_af_complete", "client.deregister_complete"]);
            names.extend(["manager.close_af", "manager.deregister_sap", "lower.halt"]);
            if kind == Kind::CallManager {
                names.push("call_manager.unbind");
            }
            w.end();
            names
        };
        for name in names {
            let what = format!("{kind:?} {name}");
            // From the very beginning.
            if name != "lower.initialize" && name != "lower.initialized" {
                let w = World::with(kind, Mix::PLAIN, |kit| {
                    script(kit);
                    kit.arm(name);
                });
                if w.client.af().is_some() {
                    any(w.client.register_sap(b"here"));
                }
                w.run();
                other_walk(&w);
                out_walk(&w, true);
                in_walk(&w, true);
                finish(&w, &what);
                assert!(!w.kit.is_armed(), "{what}: the callback ran");
            }
            // Once everything is there.
            let w = World::with(kind, Mix::PLAIN, script);
            any(w.client.register_sap(b"here"));
            w.run();
            any(w.client.create_vc());
            w.kit.arm(name);
            other_walk(&w);
            out_walk(&w, true);
            in_walk(&w, true);
            finish(&w, &what);
        }
    }
}

/// An adapter whose initialization panics is not there.
#[test]
fn an_initialization_panics() {
    silence();
    for name in ["lower.initialize", "lower.initialized"] {
        let runtime = condis::runtime::Sim::new(1);
        let kit = kit::Kit::new(runtime.clone(), Mix::PLAIN);
        let node = condis::node::Node::new("node", runtime);
        kit.arm(name);
        let mcm = kit::manager::TestMcm::new(&kit);
        assert_eq!(node.add_mcm("adapter", mcm.clone()).err(), Some(Status::FAILURE));
        assert!(node.adapters().is_empty());
        let adapter = node.add_mcm("adapter", mcm).expect("it initializes now");
        assert_eq!(adapter.info().families, [AddressFamily::Q2931]);
    }
}

const _: fn(VcUse) = |_| ();
