//! Calls with many called parties: Q.2971, UNI 3.1 §5.6.

use super::*;
use crate::q2931::wire::grammar::MessageRule;
use crate::q2931::wire::{CallRef, CalledPartyNumber, EndpointReference, MessageType};

const U: Side = Side::User;
const N: Side = Side::Network;
const FIRST: PartyId = PartyId(0);

/// A point-to-multipoint call from that side that stands with its first party.
fn tree(version: Version, from: Side) -> (Pair, CallId, CallId) {
    let mut pair = Pair::new(version);
    let params = pair.params(from).point_to_multipoint();
    let root = pair.at(from, |end, now| end.setup(now, &params)).unwrap();
    let leaf = pair.offered(from.peer());
    let answer = pair.first_answer(from.peer());
    pair.at(from.peer(), |end, now| end.connect(now, leaf, &answer)).unwrap();
    assert_eq!(pair.end(from).party_state(root, FIRST), PartyState::Active);
    assert_eq!(pair.end(from.peer()).party_state(leaf, FIRST), PartyState::Active);
    pair.said();
    (pair, root, leaf)
}

fn party() -> PartyParams {
    let called: crate::addr::AtmAddress = "+4989".parse().unwrap();
    called.into()
}

/// Adds a party that is taken.
fn add(pair: &mut Pair, from: Side, root: CallId, leaf: CallId) -> PartyId {
    let added = pair.at(from, |end, now| end.add_party(now, root, &party())).unwrap();
    pair.at(from.peer(), |end, _| end.party_connect(leaf, added, &Answer::default())).unwrap();
    added
}

/// The whole tale, at both sides as the root's: two leaves are added, one dropped, the last drops out.
#[test]
fn leaves_are_added_and_dropped_and_the_last_one_ends_the_call() {
    for from in SIDES {
        let (mut pair, root, leaf) = tree(Version::Uni31, from);
        let (r, l) = (side_letter(from), side_letter(from.peer()));
        let one = add(&mut pair, from, root, leaf);
        let two = add(&mut pair, from, root, leaf);
        assert_eq!((one, two), (PartyId(1), PartyId(2)));
        pair.at(from, |end, now| end.drop_party(now, root, one, normal())).unwrap();
        pair.at(from.peer(), |end, now| end.drop_party(now, leaf, FIRST, normal())).unwrap();
        assert_eq!(
            pair.said(),
            lines(&format!(
                "0.0 {r} ADD PARTY
                 0.0 {l} PartyOffered
                 0.0 {l} ADD PARTY ACKNOWLEDGE
                 0.0 {r} PartyConnected
                 0.0 {r} ADD PARTY
                 0.0 {l} PartyOffered
                 0.0 {l} ADD PARTY ACKNOWLEDGE
                 0.0 {r} PartyConnected
                 0.0 {r} DROP PARTY 16
                 0.0 {l} DROP PARTY ACKNOWLEDGE 31
                 0.0 {l} PartyDropped
                 0.0 {r} PartyDropConfirmed
                 0.0 {l} DROP PARTY 16
                 0.0 {r} DROP PARTY ACKNOWLEDGE 31
                 0.0 {r} PartyDropped
                 0.0 {l} PartyDropConfirmed"
            ))
        );
        // The last leaf: its end releases instead of dropping.
        pair.at(from.peer(), |end, now| end.drop_party(now, leaf, two, normal())).unwrap();
        pair.at(from, |end, now| end.release_response(now, root)).unwrap();
        assert_eq!(
            pair.said(),
            lines(&format!(
                "0.0 {l} RELEASE 16
                 0.0 {r} Released 16
                 0.0 {r} RELEASE COMPLETE
                 0.0 {l} ReleaseConfirmed 31"
            ))
        );
        pair.assert_idle();
    }
}

/// Q.2971 §9.2: an answer to SETUP names the party of the SETUP, or it is none.
#[test]
fn an_answer_about_another_party_is_not_taken() {
    let mut pair = Pair::new(Version::Uni31);
    pair.held = true;
    let params = pair.params(U).point_to_multipoint();
    pair.at(U, |end, now| end.setup(now, &params)).unwrap();
    pair.said();
    let reference = CallRef::new(pair.end(U).calls().next().unwrap().reference, true);
    let connection = crate::q2931::wire::ConnectionId::exclusive(VpVc::new(0, 40));
    let proceeding = Message::new(reference, MessageType::CallProceeding).with(connection);
    for (party, answer) in [
        (None, "0.0 U STATUS 96"),
        (Some(EndpointReference { value: 1, to_originator: true }), "0.0 U STATUS 100"),
        (Some(EndpointReference { value: 0, to_originator: false }), "0.0 U STATUS 100"),
        (Some(EndpointReference { value: 0, to_originator: true }), "0.0 U Proceeding"),
    ] {
        pair.inject(U, &proceeding.clone().with_some(party));
        assert_eq!(pair.said(), answer);
    }
}

#[test]
fn the_root_releases_the_whole_call() {
    let (mut pair, root, leaf) = tree(Version::Uni31, U);
    add(&mut pair, U, root, leaf);
    pair.said();
    pair.at(U, |end, now| end.release(now, root, normal(), &[])).unwrap();
    pair.at(N, |end, now| end.release_response(now, leaf)).unwrap();
    assert_said!(
        pair,
        "0.0 U RELEASE 16
         0.0 N Released 16
         0.0 N RELEASE COMPLETE
         0.0 U ReleaseConfirmed 31"
    );
    pair.assert_idle();
}

#[test]
fn a_party_is_alerted_and_refused() {
    let (mut pair, root, leaf) = tree(Version::Uni40, U);
    let one = pair.at(U, |end, now| end.add_party(now, root, &party())).unwrap();
    pair.at(N, |end, _| end.party_alerting(leaf, one, &[])).unwrap();
    assert_eq!(pair.end(U).party_state(root, one), PartyState::AlertingReceived);
    let busy = Cause::user(CauseValue::USER_BUSY);
    pair.at(N, |end, _| end.party_reject(leaf, one, busy)).unwrap();
    assert_said!(
        pair,
        "0.0 U ADD PARTY
         0.0 N PartyOffered
         0.0 N PARTY ALERTING
         0.0 U PartyAlerting
         0.0 N ADD PARTY REJECT 17
         0.0 U PartyRejected"
    );
    assert_eq!(pair.end(U).party_state(root, one), PartyState::Null);
    assert_eq!(pair.end(U).state(root), Some(CallState::Active));
}

/// Q.2971 T399, then T398: the party is dropped, and its user told once.
#[test]
fn a_party_that_is_not_answered_is_dropped() {
    let (mut pair, root, _) = tree(Version::Uni31, U);
    let one = pair.at(U, |end, now| end.add_party(now, root, &party())).unwrap();
    pair.said();
    pair.pass_s(14);
    assert_said!(
        pair,
        "14.0 U DROP PARTY 102
         14.0 U PartyRejected
         14.0 N DROP PARTY ACKNOWLEDGE 31
         14.0 N PartyDropped"
    );
    assert_eq!(pair.end(U).party_state(root, one), PartyState::Null);

    pair.held = true;
    pair.at(U, |end, now| end.add_party(now, root, &party())).unwrap();
    pair.pass_s(60);
    assert_said!(
        pair,
        "14.0 U ADD PARTY
         28.0 U DROP PARTY 102
         28.0 U PartyRejected
         32.0 U DROP PARTY ACKNOWLEDGE 102"
    );
    assert_eq!(pair.end(U).next_timeout(), None);
}

/// Q.2971 T397: the first party of a call is alerted for three minutes.
#[test]
fn a_first_party_that_is_only_alerted_ends_the_call() {
    let mut pair = Pair::new(Version::Uni40);
    let params = pair.params(U).point_to_multipoint();
    pair.at(U, |end, now| end.setup(now, &params)).unwrap();
    let leaf = pair.offered(N);
    let answer = pair.first_answer(N);
    pair.at(N, |end, now| end.alerting(now, leaf, &answer)).unwrap();
    pair.said();
    pair.pass_s(180);
    assert_said!(
        pair,
        "180.0 U RELEASE 102
         180.0 U Released 102
         180.0 N Released 102"
    );
}

#[test]
fn drops_that_cross_confirm_each_other() {
    let (mut pair, root, leaf) = tree(Version::Uni31, U);
    let one = add(&mut pair, U, root, leaf);
    pair.said();
    pair.held = true;
    pair.at(U, |end, now| end.drop_party(now, root, one, normal())).unwrap();
    pair.at(N, |end, now| end.drop_party(now, leaf, one, normal())).unwrap();
    pair.held = false;
    pair.settle();
    assert_said!(
        pair,
        "0.0 U DROP PARTY 16
         0.0 N DROP PARTY 16
         0.0 N PartyDropConfirmed
         0.0 U PartyDropConfirmed"
    );
    assert_eq!(pair.end(U).next_timeout(), None);
    assert_eq!(pair.end(N).next_timeout(), None);
}

/// Q.2971 §9.5.3.2.3, §9.5.4: parties that nobody knows, and messages that their state does not expect.
#[test]
fn messages_about_the_wrong_party_are_answered_as_the_clause_says() {
    let (mut pair, root, leaf) = tree(Version::Uni40, U);
    let reference = pair.end(U).calls().next().unwrap();
    assert_eq!(reference.call, root);
    let towards_root = CallRef::new(reference.reference, true);
    let nobody = EndpointReference { value: 99, to_originator: true };
    let first = EndpointReference { value: 0, to_originator: true };
    for (kind, party, answer) in [
        (MessageType::AddPartyAcknowledge, nobody, "0.0 U DROP PARTY ACKNOWLEDGE 89"),
        (MessageType::PartyAlerting, nobody, "0.0 U DROP PARTY ACKNOWLEDGE 89"),
        (MessageType::DropParty, nobody, "0.0 U DROP PARTY ACKNOWLEDGE 89"),
        (MessageType::DropPartyAcknowledge, nobody, ""),
        (MessageType::AddPartyReject, nobody, ""),
        (MessageType::AddPartyAcknowledge, first, "0.0 U STATUS 101"),
        (MessageType::PartyAlerting, first, "0.0 U STATUS 101"),
        (MessageType::AddParty, first, "0.0 U STATUS 101"),
    ] {
        let mut message = Message::new(towards_root, kind)
            .with(Cause::user(CauseValue::NORMAL_UNSPECIFIED))
            .with(CalledPartyNumber::from("+1".parse::<crate::addr::AtmAddress>().unwrap()))
            .with(party);
        let rule = MessageRule::of(kind).unwrap();
        message.ies.retain(|ie| rule.ie(ie.id()).is_some());
        pair.held = true;
        pair.inject(U, &message);
        assert_eq!(pair.said(), answer, "{message}");
        pair.wire.clear();
        pair.held = false;
    }
    assert_eq!(pair.end(N).state(leaf), Some(CallState::Active));
}

#[test]
fn who_may_add_and_how_many_is_fixed() {
    let (mut pair, root, leaf) = tree(Version::Uni31, U);
    assert_eq!(
        pair.end(N).add_party(Time::ZERO, leaf, &party()),
        Err(RequestError::NotMultipoint(leaf)),
        "the leaves' end"
    );
    let (plain, _) = pair.call(U);
    assert_eq!(pair.end(U).add_party(Time::ZERO, plain, &party()), Err(RequestError::NotMultipoint(plain)));
    let one = pair.at(U, |end, now| end.add_party(now, root, &party())).unwrap();
    assert!(matches!(
        pair.end(N).drop_party(Time::ZERO, leaf, one, normal()),
        Err(RequestError::WrongPartyState { state: PartyState::AddReceived, .. })
    ));
    assert_eq!(
        pair.end(N).party_connect(leaf, PartyId(7), &Answer::default()),
        Err(RequestError::NoSuchParty { call: leaf, party: PartyId(7) })
    );
    let max = pair.end(U).config().limits.parties_max;
    for _ in 2..max {
        pair.at(U, |end, now| end.add_party(now, root, &party())).unwrap();
    }
    assert_eq!(
        pair.end(U).add_party(Time::ZERO, root, &party()),
        Err(RequestError::TooManyParties { call: root, max })
    );
}

/// Q.2971 §9.5.9: parties that are not connected end with the SAAL; those that are, are asked about.
#[test]
fn connected_parties_outlive_an_outage_and_others_do_not() {
    let (mut pair, root, leaf) = tree(Version::Uni31, U);
    let one = add(&mut pair, U, root, leaf);
    let two = pair.at(U, |end, now| end.add_party(now, root, &party())).unwrap();
    pair.said();
    pair.saal(false);
    assert_said!(pair, "0.0 U PartyRejected\n0.0 U EstablishSaal\n0.0 N PartyDropped\n0.0 N EstablishSaal");
    pair.saal(true);
    let said = pair.said();
    // Of each end: one about the call, two about parties.
    assert_eq!(said.matches("STATUS ENQUIRY").count(), 6, "{said}");
    assert_eq!(said.matches("STATUS 30").count(), 6, "{said}");
    for (end, call) in [(U, root), (N, leaf)] {
        assert_eq!(pair.end(end).party_state(call, one), PartyState::Active);
        assert_eq!(pair.end(end).party_state(call, two), PartyState::Null);
    }
    assert_eq!(pair.end(U).next_timeout(), None);
}

/// A party that is dropped while the SAAL is away is forgotten here, as a call is that is released then; the peer hears of it when it asks.
#[test]
fn a_party_can_be_dropped_without_the_saal() {
    for from in SIDES {
        for root_drops in [true, false] {
            let (mut pair, root, leaf) = tree(Version::Uni31, from);
            let one = add(&mut pair, from, root, leaf);
            pair.saal(false);
            let (at, call, other) = if root_drops { (from, root, leaf) } else { (from.peer(), leaf, root) };
            pair.said();
            pair.at(at, |end, now| end.drop_party(now, call, one, normal())).unwrap();
            let Indication::PartyDropConfirmed { .. } = pair.heard(at) else { panic!() };
            assert_eq!(pair.end(at).party_state(call, one), PartyState::Null);
            pair.saal(true);
            assert_eq!(pair.end(at.peer()).party_state(other, one), PartyState::Null);
            let dropped = format!("{} PartyDropped", side_letter(at.peer()));
            assert_eq!(pair.said().matches(&dropped).count(), 1);
            for (end, call) in [(from, root), (from.peer(), leaf)] {
                assert_eq!(pair.end(end).state(call), Some(CallState::Active));
            }
            assert_eq!(pair.end(at).next_timeout(), None);
        }
    }
}
