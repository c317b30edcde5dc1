//! Aim: a call with many parties, of which the client is the root (Q.2971, UNI 3.1 §5.6). Method: one scenario, four mixes.

use condis::status::NdisStatus;
use condis::trace::VcId;
use condis_atm::uni::Version;

use crate::calls::to;
use crate::client::Policy;
use crate::lab::{Lab, Setup, address, in_every_mix, in_every_mix_of};

/// A call from a to b as its first party, and to c.
fn up(lab: &Lab) -> VcId {
    let vc = lab.a.client.create();
    lab.a.client.dial_multipoint(vc, &to(2));
    lab.soon();
    assert_eq!(lab.a.client.take_heard(), ["made"]);
    lab.a.client.add_party(vc, &to(3));
    lab.soon();
    assert_eq!(lab.a.client.take_heard(), ["party added"]);
    assert_eq!((lab.b.client.up().len(), lab.c.client.up().len()), (1, 1));
    assert_eq!(lab.a.client.parties(vc), 2);
    vc
}

/// What the root sends every leaf gets; a leaf sends nothing.
#[test]
fn a_leaf_is_added_and_dropped() {
    for version in [Version::Uni31, Version::Uni40] {
        in_every_mix_of(&Setup { version, ..Setup::default() }, |lab| {
            let vc = up(lab);
            lab.a.client.send(vc, [vec![1; 1000]]);
            lab.b.client.send(lab.b.client.up()[0], [vec![2; 10]]);
            lab.soon();
            assert_eq!(lab.b.client.received(), [1; 1000]);
            assert_eq!(lab.c.client.received(), [1; 1000]);
            assert_eq!(lab.b.client.sent()["INVALID_LENGTH"], 1);
            // CO-171: also the first one.
            lab.a.client.drop_party(vc, 0);
            lab.soon();
            assert_eq!(lab.a.client.take_heard(), ["party dropped SUCCESS"]);
            assert_eq!((lab.b.client.up().len(), lab.c.client.up().len()), (0, 1));
            lab.a.client.send(vc, [vec![3; 10]]);
            lab.soon();
            assert_eq!((lab.b.client.received().len(), lab.c.client.received().len()), (0, 10));
            lab.a.client.close(vc);
            lab.soon();
            assert_eq!(lab.a.client.take_heard(), ["closed SUCCESS"]);
            assert_eq!(lab.c.client.up().len(), 0);
        });
    }
}

/// A leaf that leaves is told while others remain (CO-172); the last one closes the call.
#[test]
fn leaves_leave_one_by_one() {
    in_every_mix(|lab| {
        let vc = up(lab);
        lab.b.client.close(lab.b.client.up()[0]);
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["party left SUCCESS", "party dropped SUCCESS"]);
        assert_eq!(lab.a.client.parties(vc), 1);
        lab.c.client.close(lab.c.client.up()[0]);
        lab.soon();
        let heard = lab.a.client.take_heard();
        assert_eq!(heard, ["remote close SUCCESS cause 16", "closed SUCCESS"]);
    });
}

/// The root drops a leaf while it owes its answer to the other one that left: no leaf is left in the network, so the call is over. Its client
/// hears the one end and then the other, and closes.
#[test]
fn the_last_leaf_is_dropped_before_the_other_that_left() {
    in_every_mix(|lab| {
        let vc = up(lab);
        lab.a.client.closes(false);
        lab.b.client.close(lab.b.client.up()[0]);
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["party left SUCCESS"]);
        // The one that stays.
        lab.a.client.drop_party(vc, 1);
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["party dropped SUCCESS", "remote close SUCCESS cause 16"]);
        assert!(lab.a.connections.of(vc).is_some(), "the numbers are ours until the client has closed");
        lab.a.client.close(vc);
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["closed SUCCESS"]);
        assert_eq!((lab.b.client.up().len(), lab.c.client.up().len()), (0, 0));
    });
}

/// A leaf that is not there, and one that does not want.
#[test]
fn a_leaf_is_refused() {
    in_every_mix(|lab| {
        let vc = up(lab);
        lab.a.client.add_party(vc, &to(99));
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["party failed NO_ROUTE_TO_DESTINATION"]);
        lab.a.client.drop_party(vc, 1);
        lab.soon();
        lab.a.client.take_heard();
        lab.c.client.policy(Policy::Reject(NdisStatus::RESOURCES));
        lab.a.client.add_party(vc, &to(3));
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["party failed RESOURCES"]);
        let cause = lab.a.client.last_cause().expect("it says why");
        assert!(cause.contains("(47)"), "{cause}");
        assert_eq!(lab.b.client.up().len(), 1, "the call goes on");
    });
}

/// CO-165: parties belong to calls that were made with one.
#[test]
fn a_call_with_one_party_takes_no_other() {
    in_every_mix(|lab| {
        let vc = crate::calls::up(lab);
        lab.a.client.take_heard();
        lab.a.client.add_party(vc, &to(3));
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["party failed FAILURE"]);
        assert_eq!(lab.b.client.last_call().called, address(2));
    });
}

/// The root closes with several parties: it drops all but one, and then the call (CO-169).
#[test]
fn the_root_leaves_with_parties_and_one_pending() {
    in_every_mix(|lab| {
        let vc = up(lab);
        lab.c.client.policy(Policy::Pend);
        lab.a.client.close(vc);
        lab.soon();
        assert_eq!(lab.a.client.take_heard(), ["party dropped SUCCESS", "closed SUCCESS"]);
        assert_eq!((lab.b.client.up().len(), lab.c.client.up().len()), (0, 0));
    });
}

/// The line goes while a party is being added: everything is answered.
#[test]
fn a_cut_ends_call_and_parties() {
    in_every_mix(|lab| {
        let vc = up(lab);
        lab.a.client.drop_party(vc, 1);
        lab.soon();
        lab.c.client.policy(Policy::Pend);
        lab.a.client.add_party(vc, &to(3));
        lab.soon();
        lab.a.client.take_heard();
        lab.a.fibre.cut();
        lab.late();
        let heard = lab.a.client.take_heard();
        assert_eq!(heard.len(), 3, "{heard:?}");
        assert!(heard[0].starts_with("party failed"), "{heard:?}");
        assert!(heard[1].starts_with("remote close MEDIA_DISCONNECTED"), "{heard:?}");
        assert_eq!(heard[2], "closed SUCCESS");
        lab.c.client.answer(false);
        lab.a.fibre.mend();
        lab.late();
    });
}
