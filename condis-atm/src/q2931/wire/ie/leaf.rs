//! Leaf initiated join (UNI 4.0 §6.1.2) and generic identifier transport (UNI 4.0 §2.0, Q.2931 Amd. 2).

use std::fmt;

use crate::q2931::wire::Octets;
use crate::q2931::wire::code_points::code_points;
use crate::q2931::wire::codec::{Body, ContentError, EXT, Reader, Sink};

/// Which call a leaf wants to join.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeafCallId {
    /// Who made the identifier (4 bits); 0: the root.
    pub kind: u8,
    /// The identifier.
    pub id: u32,
}

/// How a call may be joined (4 bits): 0, without telling the root.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeafParameters(pub u8);

/// Which LEAF SETUP REQUEST is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeafSequenceNumber(pub u32);

/// Identifiers of an application's session and resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GenericIdentifier {
    /// Whose identifiers they are.
    pub standard: IdentifierStandard,
    /// Type and value of each, at most [`GenericIdentifier::IDS_MAX`].
    pub ids: Vec<(IdentifierType, Octets<20>)>,
}

code_points! {
    /// Whose identifiers are carried.
    IdentifierStandard {
        DSM_CC = 1, "DSM-CC";
        H245 = 2, "H.245";
    }
}

code_points! {
    /// What is identified.
    IdentifierType {
        SESSION = 1, "session";
        RESOURCE = 2, "resource";
    }
}

impl GenericIdentifier {
    /// A session and a resource, and no more.
    pub const IDS_MAX: usize = 2;
}

impl Body for LeafCallId {
    fn decode(from: &mut Reader<'_>) -> Result<LeafCallId, ContentError> {
        Ok(LeafCallId { kind: from.last("identifier type")? & 0x0f, id: from.u32()? })
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[EXT | self.kind & 0x0f]);
        to.put(&self.id.to_be_bytes());
    }
}

impl Body for LeafParameters {
    fn decode(from: &mut Reader<'_>) -> Result<LeafParameters, ContentError> {
        from.last("screening").map(|octet| LeafParameters(octet & 0x0f))
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[EXT | self.0 & 0x0f]);
    }
}

impl Body for LeafSequenceNumber {
    fn decode(from: &mut Reader<'_>) -> Result<LeafSequenceNumber, ContentError> {
        from.u32().map(LeafSequenceNumber)
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&self.0.to_be_bytes());
    }
}

impl Body for GenericIdentifier {
    fn decode(from: &mut Reader<'_>) -> Result<GenericIdentifier, ContentError> {
        let standard = IdentifierStandard(from.u8()?);
        let mut ids = Vec::new();
        while !from.is_empty() {
            let (kind, len) = (from.u8()?, from.u8()?);
            let value = from.take(len.into())?;
            if ids.len() == GenericIdentifier::IDS_MAX {
                return Err(ContentError::RepeatedSubfield(kind));
            }
            let value = Octets::new(value)
                .ok_or(ContentError::Value { field: "identifier length", value: len.into() })?;
            ids.push((IdentifierType(kind), value));
        }
        Ok(GenericIdentifier { standard, ids })
    }

    fn encode(&self, to: &mut impl Sink) {
        to.put(&[self.standard.0]);
        for (kind, value) in self.ids.iter().take(GenericIdentifier::IDS_MAX) {
            to.put(&[kind.0, value.len() as u8]);
            to.put(value);
        }
    }
}

impl fmt::Display for LeafCallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leaf-call {}", self.id)?;
        if self.kind == 0 { Ok(()) } else { write!(f, " type {}", self.kind) }
    }
}

impl fmt::Display for LeafParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leaf-parameters screening {}", self.0)
    }
}

impl fmt::Display for LeafSequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leaf-sequence {}", self.0)
    }
}

impl fmt::Display for GenericIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "git {}", self.standard)?;
        self.ids.iter().try_for_each(|(kind, value)| write!(f, " {kind} {value}"))
    }
}
