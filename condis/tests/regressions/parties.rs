//! Parties of multipoint calls.

use condis::params::CloseData;
use condis::party::PartyState;
use condis::role::{CallManager, Mcm};
use condis::token::Outcome;

use crate::kit::Status;
use crate::rig::{Cb, ClientPartyEnd, Rig, Seat, World};
use crate::support::{panics, world};

fn drop_party<R: World>(rig: &Rig<R>, slot: usize, party: usize) {
    let party = rig.bench.slot(slot, |s| s.client_parties[party].clone());
    assert!(matches!(party.at().drop_party(CloseData::new()), Outcome::Done(Ok(()))));
}

/// A party and its VC kept each other: the VC of a closed call was deleted and stayed in memory, with its drivers' objects.
#[test]
fn a_multipoint_call_leaves_no_cycle() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.multipoint();
        rig.bench.slot(slot, |s| (s.client_parties.clear(), s.manager_parties.clear()));
        rig.close_and_delete(slot);
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// DP-216. NDIS answered for the (M)CM twice, once for the token that the panic dropped and once for the lost object: the
/// count of what the VC owes went below zero.
#[test]
fn a_panic_in_add_party_is_settled_once() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.multipoint();
        rig.bench.plan(slot, Cb::AddParty, panics());
        let object = Box::new(ClientPartyEnd(rig.bench.clone(), slot));
        assert!(rig.client(slot).at().add_party(Default::default(), object).is_pending());
        rig.clock.settle();
        assert_eq!(rig.heard(Seat::Client, slot, "add complete FAILURE"), 1);
        assert_eq!(rig.heard(Seat::Client, slot, "remote close"), 1, "the call broke");
        let _ = rig.close(slot);
        rig.clock.settle();
        assert_eq!(rig.delete(slot), Ok(()));
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// CO-172. A party could be told to leave as often as the (M)CM liked.
#[test]
fn a_party_that_leaves_is_told_once() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.multipoint();
        rig.add(slot);
        rig.add(slot);
        let parties = rig.bench.slot(slot, |s| s.manager_parties.clone());
        parties[1].at().dispatch_incoming_drop(Status::SUCCESS, CloseData::new());
        assert_eq!(parties[1].at().state(), PartyState::Leaving);
        assert_eq!(rig.reports_of("CO-172"), 0);
        parties[1].at().dispatch_incoming_drop(Status::SUCCESS, CloseData::new());
        assert_eq!(rig.reports_of("CO-172"), 1);
        assert_eq!(rig.heard(Seat::Client, slot, "remote drop"), 1);
        drop(parties);
        drop_party(&rig, slot, 1);
        assert_eq!(rig.client(slot).at().info().parties, 2);
        drop_party(&rig, slot, 2);
        rig.close_and_delete(slot);
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}

/// CO-172. The last party leaves by the end of the call and not by a drop; but of two parties both were told to go, since the
/// first still counted until its client had dropped it.
#[test]
fn two_parties_are_not_both_told_to_leave() {
    fn walk<R: World>(rig: Rig<R>) {
        let slot = rig.multipoint();
        rig.add(slot);
        let parties = rig.bench.slot(slot, |s| s.manager_parties.clone());
        parties[0].at().dispatch_incoming_drop(Status::SUCCESS, CloseData::new());
        parties[1].at().dispatch_incoming_drop(Status::SUCCESS, CloseData::new());
        assert_eq!(rig.reports_of("CO-172"), 1);
        assert_eq!(rig.heard(Seat::Client, slot, "remote drop"), 1);
        assert_eq!(parties[1].at().state(), PartyState::Connected);
        drop(parties);
        drop_party(&rig, slot, 0);
        rig.close_and_delete(slot);
        let left = rig.end();
        assert!(left.is_nothing(), "{left}");
    }
    walk(world::<CallManager>());
    walk(world::<Mcm>());
}
