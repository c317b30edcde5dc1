//! The states of a call and of a party.

use std::fmt;

use crate::q2931::wire::Side;

/// Where a call stands, named for what happened at *this* end. The two sides' states of the standard are
///
/// | here | user side | network side |
/// |---|---|---|
/// | `SetupSent` | U1 call initiated | N6 call present |
/// | `ProceedingReceived` | U3 outgoing call proceeding | N9 incoming call proceeding |
/// | `AlertingReceived` | U4 call delivered | N7 call received |
/// | `ConnectReceived` | | N8 connect request |
/// | `SetupReceived` | U6 call present | N1 call initiated |
/// | `ProceedingSent` | U9 incoming call proceeding | N3 outgoing call proceeding |
/// | `AlertingSent` | U7 call received | N4 call delivered |
/// | `ConnectSent` | U8 connect request | |
/// | `Active` | U10 | N10 |
/// | `ReleaseSent` | U11 release request | N12 release indication |
/// | `ReleaseReceived` | U12 release indication | N11 release request |
/// | `ModifyRequested` | U13 | N13 |
/// | `ModifyReceived` | U14 | N14 |
///
/// Source: Q.2931 §2.1, Q.2963.1 §7.2 (its two states as ngatm numbers them).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CallState {
    /// No call for the peer (U0, N0). A call that has ended but that its user has not answered for yet is in it too.
    Null,
    /// SETUP is sent, and nothing came back. From `Null`.
    SetupSent,
    /// CALL PROCEEDING came. From `SetupSent`.
    ProceedingReceived,
    /// ALERTING came. From `SetupSent`, `ProceedingReceived`.
    AlertingReceived,
    /// CONNECT came (network side), and is answered within the same step. From `SetupSent`, `ProceedingReceived`,
    /// `AlertingReceived`.
    ConnectReceived,
    /// SETUP came. From `Null`.
    SetupReceived,
    /// CALL PROCEEDING is sent. From `SetupReceived`.
    ProceedingSent,
    /// ALERTING is sent. From `SetupReceived`, `ProceedingSent`.
    AlertingSent,
    /// CONNECT is sent (user side). From `SetupReceived`, `ProceedingSent`, `AlertingSent`.
    ConnectSent,
    /// The connection stands. From all above, and from the two of modification.
    Active,
    /// MODIFY REQUEST is sent. From `Active`.
    ModifyRequested,
    /// MODIFY REQUEST came. From `Active`.
    ModifyReceived,
    /// RELEASE is sent. From all above but `Null`.
    ReleaseSent,
    /// RELEASE came. From all above but `Null` and `ReleaseSent`.
    ReleaseReceived,
}

impl CallState {
    /// All of them.
    pub const ALL: [CallState; 14] = [
        CallState::Null,
        CallState::SetupSent,
        CallState::ProceedingReceived,
        CallState::AlertingReceived,
        CallState::ConnectReceived,
        CallState::SetupReceived,
        CallState::ProceedingSent,
        CallState::AlertingSent,
        CallState::ConnectSent,
        CallState::Active,
        CallState::ModifyRequested,
        CallState::ModifyReceived,
        CallState::ReleaseSent,
        CallState::ReleaseReceived,
    ];

    /// Its number on that side, as the call state IE carries it (Q.2931 §4.5.7). `ConnectReceived` and `ConnectSent` share
    /// theirs, as no side has both.
    pub const fn number(self, side: Side) -> u8 {
        let (user, network) = match self {
            CallState::Null => (0, 0),
            CallState::SetupSent => (1, 6),
            CallState::ProceedingReceived => (3, 9),
            CallState::AlertingReceived => (4, 7),
            CallState::ConnectReceived | CallState::ConnectSent => (8, 8),
            CallState::SetupReceived => (6, 1),
            CallState::ProceedingSent => (9, 3),
            CallState::AlertingSent => (7, 4),
            CallState::Active => (10, 10),
            CallState::ReleaseSent => (11, 12),
            CallState::ReleaseReceived => (12, 11),
            CallState::ModifyRequested => (13, 13),
            CallState::ModifyReceived => (14, 14),
        };
        match side {
            Side::User => user,
            Side::Network => network,
        }
    }

    /// Its name in the standard: `U3`, `N9`.
    pub const fn on(self, side: Side) -> StateName {
        StateName(side, self.number(side))
    }

    /// The connection stands, perhaps while it is being modified: what survives an outage of the SAAL (Q.2931 §5.6.9).
    pub const fn is_active(self) -> bool {
        matches!(self, CallState::Active | CallState::ModifyRequested | CallState::ModifyReceived)
    }

    /// This end sent the SETUP, and the connection does not stand yet.
    pub const fn is_outgoing(self) -> bool {
        matches!(
            self,
            CallState::SetupSent
                | CallState::ProceedingReceived
                | CallState::AlertingReceived
                | CallState::ConnectReceived
        )
    }

    /// The peer sent the SETUP, and the connection does not stand yet.
    pub const fn is_incoming(self) -> bool {
        matches!(
            self,
            CallState::SetupReceived
                | CallState::ProceedingSent
                | CallState::AlertingSent
                | CallState::ConnectSent
        )
    }
}

impl fmt::Display for CallState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CallState::Null => "null",
            CallState::SetupSent => "setup sent",
            CallState::ProceedingReceived => "proceeding received",
            CallState::AlertingReceived => "alerting received",
            CallState::ConnectReceived => "connect received",
            CallState::SetupReceived => "setup received",
            CallState::ProceedingSent => "proceeding sent",
            CallState::AlertingSent => "alerting sent",
            CallState::ConnectSent => "connect sent",
            CallState::Active => "active",
            CallState::ModifyRequested => "modify requested",
            CallState::ModifyReceived => "modify received",
            CallState::ReleaseSent => "release sent",
            CallState::ReleaseReceived => "release received",
        })
    }
}

/// A state as the standard writes it: the side's letter and the number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StateName(Side, u8);

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.0 {
            Side::User => 'U',
            Side::Network => 'N',
        };
        write!(f, "{letter}{}", self.1)
    }
}

impl fmt::Debug for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a party of a point-to-multipoint call stands (Q.2971 §7.2; UNI 3.1 §5.6.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PartyState {
    /// No such party (P0).
    Null,
    /// ADD PARTY, or the SETUP with this party, is sent (P1).
    AddSent,
    /// ADD PARTY, or the SETUP with this party, came (P2).
    AddReceived,
    /// PARTY ALERTING, or ALERTING, is sent (P3).
    AlertingSent,
    /// PARTY ALERTING, or ALERTING, came (P4).
    AlertingReceived,
    /// DROP PARTY is sent (P5).
    DropSent,
    /// DROP PARTY came (P6); it is answered within the same step.
    DropReceived,
    /// The party is connected (P7).
    Active,
}

impl PartyState {
    /// All of them.
    pub const ALL: [PartyState; 8] = [
        PartyState::Null,
        PartyState::AddSent,
        PartyState::AddReceived,
        PartyState::AlertingSent,
        PartyState::AlertingReceived,
        PartyState::DropSent,
        PartyState::DropReceived,
        PartyState::Active,
    ];

    /// Its number, as the endpoint state IE carries it (Q.2971 §8.2.2, as ngatm has them).
    pub const fn number(self) -> u8 {
        match self {
            PartyState::Null => 0,
            PartyState::AddSent => 1,
            PartyState::AlertingSent => 4,
            PartyState::AddReceived => 6,
            PartyState::AlertingReceived => 7,
            PartyState::Active => 10,
            PartyState::DropSent => 11,
            PartyState::DropReceived => 12,
        }
    }

    /// The party is there or on its way in: one that keeps a call alive (Q.2971, party count).
    pub const fn counts(self) -> bool {
        !matches!(self, PartyState::Null | PartyState::DropSent | PartyState::DropReceived)
    }
}

impl fmt::Display for PartyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PartyState::Null => "null",
            PartyState::AddSent => "add sent",
            PartyState::AddReceived => "add received",
            PartyState::AlertingSent => "alerting sent",
            PartyState::AlertingReceived => "alerting received",
            PartyState::DropSent => "drop sent",
            PartyState::DropReceived => "drop received",
            PartyState::Active => "active",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peer_of_every_state_of_one_side_has_the_same_number() {
        // What one end calls sent, the other calls received, and the standard gives both the same number but for release.
        let pairs = [
            (CallState::SetupSent, CallState::SetupReceived),
            (CallState::ProceedingReceived, CallState::ProceedingSent),
            (CallState::AlertingReceived, CallState::AlertingSent),
            (CallState::ReleaseSent, CallState::ReleaseReceived),
        ];
        for (ours, theirs) in pairs {
            assert_eq!(ours.number(Side::User), theirs.number(Side::Network));
            assert_eq!(theirs.number(Side::User), ours.number(Side::Network));
        }
        assert_eq!(CallState::ProceedingReceived.on(Side::User).to_string(), "U3");
        assert_eq!(CallState::ReleaseSent.on(Side::Network).to_string(), "N12");
    }
}
