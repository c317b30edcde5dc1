//! Connection identifier (Q.2931 §4.5.16, UNI 3.1 §5.4.5.16) and connection scope selection (UNI 4.0 §7).

use std::fmt;

use condis_link::atm::{VpVc, Vpi};

use crate::q2931::wire::code_points::code_points;
use crate::q2931::wire::codec::{Body, ContentError, EXT, Reader, Sink, known};

/// Which virtual connection carries the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionId {
    /// How VPCI is meant (2 bits).
    pub signalling: VpAssociation,
    /// What is meant: both, any VCI of the path, or the path (3 bits).
    pub preference: Preference,
    /// The virtual path connection identifier. It is the VPI where no cross-connect is between the two sides.
    pub vpci: u16,
    /// The VCI.
    pub vci: u16,
}

code_points! {
    /// How the VPCI is meant (2 bits).
    VpAssociation {
        ASSOCIATED = 0, "vp-associated";
        EXPLICIT = 1, "explicit";
    }
}

code_points! {
    /// What is asked for (3 bits).
    Preference {
        EXCLUSIVE = 0, "exclusive";
        ANY_VCI = 1, "any vci";
        NO_VCI = 4, "no vci";
    }
}

/// How far a group call may go (UNI 4.0).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionScope {
    /// Whose scale it is (4 bits); 1 is the organizational one.
    pub kind: u8,
    /// The scope.
    pub scope: Scope,
}

code_points! {
    /// Organizational scopes.
    Scope {
        LOCAL_NETWORK = 1, "local network";
        LOCAL_NETWORK_PLUS_1 = 2, "local network + 1";
        LOCAL_NETWORK_PLUS_2 = 3, "local network + 2";
        SITE_MINUS_1 = 4, "site - 1";
        SITE = 5, "intra site";
        SITE_PLUS_1 = 6, "site + 1";
        ORGANIZATION_MINUS_1 = 7, "organization - 1";
        ORGANIZATION = 8, "intra organization";
        ORGANIZATION_PLUS_1 = 9, "organization + 1";
        COMMUNITY_MINUS_1 = 10, "community - 1";
        COMMUNITY = 11, "intra community";
        COMMUNITY_PLUS_1 = 12, "community + 1";
        REGIONAL = 13, "regional";
        INTER_REGIONAL = 14, "inter regional";
        GLOBAL = 15, "global";
    }
}

impl ConnectionId {
    /// This connection and no other.
    pub const fn exclusive(vpvc: VpVc) -> ConnectionId {
        ConnectionId {
            signalling: VpAssociation::EXPLICIT,
            preference: Preference::EXCLUSIVE,
            vpci: vpvc.vpi.0,
            vci: vpvc.vci.0,
        }
    }

    /// Any channel of this path.
    pub const fn any_vci(vpi: Vpi) -> ConnectionId {
        ConnectionId {
            signalling: VpAssociation::EXPLICIT,
            preference: Preference::ANY_VCI,
            vpci: vpi.0,
            vci: 0,
        }
    }

    /// The connection that is meant, if it is one exactly.
    pub fn vpvc(&self) -> Option<VpVc> {
        (self.preference == Preference::EXCLUSIVE).then_some(VpVc::new(self.vpci, self.vci))
    }
}

impl ConnectionScope {
    /// An organizational scope.
    pub const fn organizational(scope: Scope) -> ConnectionScope {
        ConnectionScope { kind: 1, scope }
    }
}

impl Body for ConnectionId {
    fn decode(from: &mut Reader<'_>) -> Result<ConnectionId, ContentError> {
        let octet = from.last("preferred/exclusive")?;
        Ok(ConnectionId {
            signalling: known!("VP association", VpAssociation(octet >> 3 & 3)),
            preference: known!("preferred/exclusive", Preference(octet & 7)),
            vpci: from.u16()?,
            vci: from.u16()?,
        })
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[EXT | (self.signalling.0 & 3) << 3 | self.preference.0 & 7]);
        to.put(&self.vpci.to_be_bytes());
        to.put(&self.vci.to_be_bytes());
    }
}

impl Body for ConnectionScope {
    fn decode(from: &mut Reader<'_>) -> Result<ConnectionScope, ContentError> {
        Ok(ConnectionScope { kind: from.last("type of scope")? & 0x0f, scope: Scope(from.u8()?) })
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[EXT | self.kind & 0x0f, self.scope.0]);
    }
}

/// `vc 0.32`, `vc 0.any`.
impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.preference {
            Preference::EXCLUSIVE => write!(f, "vc {}.{}", self.vpci, self.vci)?,
            Preference::ANY_VCI => write!(f, "vc {}.any", self.vpci)?,
            Preference::NO_VCI => write!(f, "vp {}", self.vpci)?,
            other => write!(f, "vc {}.{} preference {other}", self.vpci, self.vci)?,
        }
        match self.signalling {
            VpAssociation::EXPLICIT => Ok(()),
            other => write!(f, " {other}"),
        }
    }
}

impl fmt::Display for ConnectionScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            1 => write!(f, "scope {}", self.scope),
            kind => write!(f, "scope type {kind} value {:#04x}", self.scope.0),
        }
    }
}
