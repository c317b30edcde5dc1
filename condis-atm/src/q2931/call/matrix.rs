//! Which message does what in which state: the states x messages matrix of both sides, as one table.
//!
//! [`reaction`] is the table, and the core dispatches on what it says, so that no cell is handled that is not written here. The
//! clauses are Q.2931's unless they name another text, and are given as FreeBSD's ngatm and UNI 3.1's readers cite them; the texts were
//! not read. A test keeps a printed form of the whole in `matrix.txt`.

use std::fmt;

use super::CallState;
use crate::q2931::wire::grammar::MessageRule;
use crate::q2931::wire::{MessageType, Side, Version};

/// What is done about a message in a state. Each variant but the last four is one function of the core.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reaction {
    /// A call begins.
    Offer,
    /// Our call is accepted as complete.
    Proceed,
    /// The called user is alerted.
    Alert,
    /// Our call is answered.
    Connect,
    /// Our answer is acknowledged.
    Acknowledge,
    /// The peer clears.
    Release,
    /// The peer clears what we are clearing: a collision, which confirms.
    ReleaseCollision,
    /// The peer has cleared.
    ReleaseComplete,
    /// The states are compared.
    Status,
    /// The state is told.
    StatusEnquiry,
    /// Passed on to the user.
    Notify,
    /// A party is offered.
    AddParty,
    /// Our party is alerted.
    PartyAlert,
    /// Our party is connected.
    AddPartyAcknowledge,
    /// Our party is refused.
    AddPartyReject,
    /// The peer drops a party.
    DropParty,
    /// The peer has dropped our party.
    DropPartyAcknowledge,
    /// The peer wants another contract.
    Modify,
    /// Our other contract is accepted.
    ModifyAcknowledge,
    /// Our other contract is refused.
    ModifyReject,
    /// The peer uses the other contract.
    ConnectionAvailable,
    /// RELEASE COMPLETE with cause 81, invalid call reference.
    UnknownReference,
    /// STATUS with cause 101, message not compatible with call state, unless the message's action indicator says otherwise.
    Unexpected,
    /// STATUS with cause 97, message type non-existent or not implemented, unless the message's action indicator says otherwise.
    NotImplemented,
    /// Nothing: dropped and counted.
    Ignore,
}

/// What a cell says: the reaction, and where it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell {
    /// What is done.
    pub reaction: Reaction,
    /// By which clause.
    pub clause: &'static str,
}

impl Reaction {
    const fn by(self, clause: &'static str) -> Cell {
        Cell { reaction: self, clause }
    }
}

/// What `message` does in `state`, in a message whose call reference is not global. In `Null` there is no such call, and a SETUP is
/// one from the side that chose the reference.
pub fn reaction(version: Version, side: Side, state: CallState, message: MessageType) -> Cell {
    use CallState as S;
    use MessageType as M;
    use Reaction as R;

    if !is_implemented(version, message) {
        return match state {
            S::Null => R::UnknownReference.by("§5.6.3.2 a"),
            _ => R::NotImplemented.by("§5.6.4, §5.7.1"),
        };
    }
    match (message, state) {
        (M::Setup, S::Null) => R::Offer.by("§5.1.2, §5.2.1"),
        (M::Setup, _) => R::Ignore.by("§5.6.3.2 d"),

        (M::ReleaseComplete, S::Null) => R::Ignore.by("§5.6.3.2 c"),
        (M::ReleaseComplete, _) => R::ReleaseComplete.by("§5.4.2"),
        (M::StatusEnquiry, _) => R::StatusEnquiry.by("§5.6.11"),
        (M::Status, _) => R::Status.by("§5.6.12"),
        (_, S::Null) => R::UnknownReference.by("§5.6.3.2 a"),

        (M::Release, S::ReleaseSent) => R::ReleaseCollision.by("§5.4.5"),
        (M::Release, S::ReleaseReceived) => R::Ignore.by("§5.4.3: a repeated RELEASE"),
        (M::Release, _) => R::Release.by("§5.4.3, §5.4.4"),

        (M::CallProceeding, S::SetupSent) => R::Proceed.by("§5.1.5, §5.2.5"),
        (M::Alerting, S::SetupSent | S::ProceedingReceived) => R::Alert.by("§5.1.6, §5.2.5"),
        (M::Connect, S::SetupSent | S::ProceedingReceived | S::AlertingReceived) => {
            R::Connect.by("§5.1.7, §5.2.6")
        }
        (M::ConnectAcknowledge, S::ConnectSent) => R::Acknowledge.by("§5.2.7"),
        (M::ConnectAcknowledge, S::Active | S::ModifyRequested | S::ModifyReceived)
            if matches!(side, Side::Network) =>
        {
            R::Acknowledge.by("§5.1.7")
        }

        (M::Notify, _) => R::Notify.by("§5.9"),

        (_, S::ReleaseSent | S::ReleaseReceived) if is_party(message) => R::Ignore.by("Q.2971 §9.4"),
        (
            M::AddParty,
            S::AlertingSent | S::ConnectSent | S::Active | S::ModifyRequested | S::ModifyReceived,
        ) => R::AddParty.by("Q.2971 §9.2, §9.3"),
        (M::PartyAlerting, S::AlertingReceived | S::Active | S::ModifyRequested | S::ModifyReceived) => {
            R::PartyAlert.by("Q.2971 §9.2")
        }
        (M::AddPartyAcknowledge, S::Active | S::ModifyRequested | S::ModifyReceived) => {
            R::AddPartyAcknowledge.by("Q.2971 §9.2")
        }
        (M::AddPartyReject, S::AlertingReceived | S::Active | S::ModifyRequested | S::ModifyReceived) => {
            R::AddPartyReject.by("Q.2971 §9.2")
        }
        (M::DropParty, _) => R::DropParty.by("Q.2971 §9.4"),
        (M::DropPartyAcknowledge, _) => R::DropPartyAcknowledge.by("Q.2971 §9.4"),

        (M::ModifyRequest, S::Active) => R::Modify.by("Q.2963.1 §9.2.1"),
        (M::ModifyAcknowledge, S::ModifyRequested) => R::ModifyAcknowledge.by("Q.2963.1 §9.1.2"),
        (M::ModifyReject, S::ModifyRequested) => R::ModifyReject.by("Q.2963.1 §9.1.3"),
        (M::ConnectionAvailable, S::Active) => R::ConnectionAvailable.by("Q.2963.1 §9.2.3"),

        _ => R::Unexpected.by("§5.6.4"),
    }
}

/// A message about a party of a point-to-multipoint call.
pub(super) const fn is_party(message: MessageType) -> bool {
    matches!(
        message,
        MessageType::AddParty
            | MessageType::AddPartyAcknowledge
            | MessageType::AddPartyReject
            | MessageType::DropParty
            | MessageType::DropPartyAcknowledge
            | MessageType::PartyAlerting
    )
}

/// The version has the message, and we have what it is about.
fn is_implemented(version: Version, message: MessageType) -> bool {
    let leaf_joins = matches!(message, MessageType::LeafSetupRequest | MessageType::LeafSetupFailure);
    !leaf_joins && MessageRule::of(message).is_some_and(|rule| rule.since.in_version(version))
}

impl fmt::Display for Reaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Reaction::UnknownReference => "RELEASE COMPLETE 81",
            Reaction::Unexpected => "STATUS 101",
            Reaction::NotImplemented => "STATUS 97",
            Reaction::Ignore => "-",
            handled => return fmt::Debug::fmt(handled, f),
        };
        f.pad(text)
    }
}
