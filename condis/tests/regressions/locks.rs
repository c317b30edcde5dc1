//! Objects of drivers are dropped outside of a VC's lock.
//!
//! Each object here looks at its VC when it is dropped. Under the lock that is a deadlock: the test would hang.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use condis::driver::{ClientParty, ClientSap, Made, ManagerParty};
use condis::params::{CallParams, CloseData, Sap};
use condis::party::Party;
use condis::role::{CallManager, Client, Mcm, Role};
use condis::token::{Answer, DropParty, Outcome, Refused, Token};
use condis::vc::HeldVc;

use crate::kit::Status;
use crate::rig::{Cb, ClientPartyEnd, How, Plan, Rig, World};
use crate::support::{panics, world};

/// Asks for its VC's state when it is dropped, and counts that.
struct Curious<R: Role>(HeldVc<R>, Arc<AtomicUsize>);

impl<R: Role> Drop for Curious<R> {
    fn drop(&mut self) {
        let _ = self.0.at().info();
        self.1.fetch_add(1, SeqCst);
    }
}

impl<R: Role> ManagerParty for Curious<R> {
    fn drop_party<'a>(&self, _: CloseData, token: Token<'a, DropParty>) -> Answer<'a, DropParty> {
        token.done(Ok(()))
    }
}

impl<R: Role> ClientParty for Curious<R> {
    fn incoming_drop(&self, _: Party<'_, Client>, _: Status, _: CloseData) {}
}

impl<R: Role> ClientSap for Curious<R> {}

/// A call without parties was answered with an object for one, or a call succeeded on a VC that is not active.
#[test]
fn a_party_object_that_a_call_has_no_use_for_is_dropped_outside_of_the_lock() {
    fn walk<R: World>(rig: Rig<R>, active: bool) {
        let slot = rig.client_vc();
        let dropped = Arc::new(AtomicUsize::new(0));
        rig.bench.plan(slot, Cb::Make, Plan::answer(How::Pend));
        assert!(rig.client(slot).at().make_call(CallParams::default(), None).is_pending());
        if active {
            R::up(&rig.bench, slot);
        }
        let (make, params, _) = rig.bench.slot(slot, |s| s.make.take()).expect("it pends");
        let object: Box<dyn ManagerParty> = Box::new(Curious(rig.manager(slot), dropped.clone()));
        make.complete(Ok(Made { params, party: Some(object) }));
        rig.clock.settle();
        assert_eq!(dropped.load(SeqCst), 1);
        assert_eq!(rig.reports_of("X-45"), usize::from(!active));
        if active {
            rig.will_close(slot);
            let _ = rig.close(slot);
        }
        assert_eq!(rig.delete(slot), Ok(()));
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    for active in [false, true] {
        walk(world::<CallManager>(), active);
        walk(world::<Mcm>(), active);
    }
}

/// The objects of both drivers for the parties of a call that is refused, that is closed, or whose add is refused.
#[test]
fn party_objects_are_dropped_outside_of_the_lock() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.client_vc();
        let dropped = Arc::new(AtomicUsize::new(0));
        let client = || Box::new(Curious(rig.client(slot), dropped.clone()));
        let refused = |reply: &Outcome<Result<_, Refused>>| matches!(reply, Outcome::Done(Err(_)));
        rig.bench.plan(slot, Cb::Make, Plan::answer(How::Err));
        let reply = rig.client(slot).at().make_call(CallParams::default(), Some(client()));
        assert!(refused(&reply));
        rig.bench.slot(slot, |s| s.manager_parties.clear());
        assert_eq!(dropped.load(SeqCst), 1, "of the refused call");

        rig.bench.plan(slot, Cb::Make, Plan::answer(How::Pend));
        assert!(rig.client(slot).at().make_call(CallParams::default(), Some(client())).is_pending());
        R::up(&rig.bench, slot);
        let (make, params, _) = rig.bench.slot(slot, |s| s.make.take()).expect("it pends");
        let object: Box<dyn ManagerParty> = Box::new(Curious(rig.manager(slot), dropped.clone()));
        make.complete(Ok(Made { params, party: Some(object) }));
        rig.bench.plan(slot, Cb::AddParty, Plan::answer(How::Err));
        let reply = rig.client(slot).at().add_party(CallParams::default(), client());
        assert!(matches!(reply, Outcome::Done(Err(_))));
        rig.bench.slot(slot, |s| (s.client_parties.clear(), s.manager_parties.clear()));
        assert_eq!(dropped.load(SeqCst), 2, "of the refused party");

        rig.close_and_delete(slot);
        assert_eq!(dropped.load(SeqCst), 4, "both of the party that went with its call");
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// An add that the (M)CM answered after NDIS had answered for its object that panicked.
#[test]
fn a_party_object_that_comes_too_late_is_dropped_outside_of_the_lock() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.multipoint();
        let dropped = Arc::new(AtomicUsize::new(0));
        rig.bench.plan(slot, Cb::AddParty, Plan::answer(How::Pend));
        let party = Box::new(ClientPartyEnd(rig.bench.clone(), slot));
        assert!(rig.client(slot).at().add_party(CallParams::default(), party).is_pending());
        rig.bench.plan(slot, Cb::Qos, panics());
        let _ = rig.client(slot).at().modify_call_qos(CallParams::default());
        rig.clock.settle();
        let (add, params) = rig.bench.slot(slot, |s| s.adds.pop()).expect("it pends");
        add.complete(Ok((Box::new(Curious(rig.manager(slot), dropped.clone())), params)));
        rig.clock.settle();
        assert_eq!(dropped.load(SeqCst), 1);
        let _ = rig.close(slot);
        rig.clock.settle();
        assert_eq!(rig.delete(slot), Ok(()));
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// The VC of a call that is offered holds the SAP on which it came: perhaps the last that does.
#[test]
fn a_sap_object_is_dropped_outside_of_the_lock() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.manager_vc();
        let dropped = Arc::new(AtomicUsize::new(0));
        rig.bench.plan(slot, Cb::Offer, Plan::answer(How::Pend));
        let sap = rig.bench.lock().manager_sap.clone().expect("registered");
        // The client knows the VC from its first offer.
        assert!(rig.manager(slot).at().dispatch_incoming_call(&sap, CallParams::default()).is_pending());
        let answer = |verdict: Result<(), ()>| {
            let (offer, params) = rig.bench.slot(slot, |s| s.offer.take()).expect("it pends");
            offer.complete(verdict.map(|()| params).map_err(|()| Refused::from(Status::FAILURE)));
            rig.clock.settle();
        };
        answer(Err(()));
        drop(sap);
        let af = rig.bench.lock().client_af.clone().expect("open");
        let object = Box::new(Curious(rig.client(slot), dropped.clone()));
        let Outcome::Done(Ok(mine)) = af.at().register_sap(Sap::new(1, b"there"), object) else {
            panic!("nobody refuses")
        };
        let theirs = rig.bench.lock().manager_sap.take().expect("registered");
        rig.bench.plan(slot, Cb::Offer, Plan::answer(How::Pend));
        assert!(rig.manager(slot).at().dispatch_incoming_call(&theirs, CallParams::default()).is_pending());
        mine.at().deregister().expect("it is registered");
        rig.clock.settle();
        drop((mine, theirs, af));
        assert_eq!(dropped.load(SeqCst), 0, "the offer holds it");
        answer(Err(()));
        assert_eq!(dropped.load(SeqCst), 1);
        let owner = rig.bench.slot(slot, |s| s.owned_by_manager.take()).expect("the manager's");
        assert!(owner.delete().is_ok());
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}
