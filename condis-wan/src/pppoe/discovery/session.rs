//! What both sides know of a session.

use std::fmt;

use crate::pppoe::wire::{Code, Discovery, MacAddr, SessionId, Tag, Tags, VendorTag, printable};

/// The longest PPP payload, in octets, unless more was agreed on: 1500 of Ethernet without 6 of PPPoE and 2 of PPP's
/// protocol field (RFC 2516 §7).
pub const PPP_MAX_PAYLOAD_DEFAULT: u16 = 1492;

/// Octets of a session packet around the PPP payload.
const SESSION_OVERHEAD: u16 = 8;

/// A session, as discovery has agreed on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// The other side's MAC address.
    pub peer: MacAddr,
    /// Its number; unique together with both MAC addresses only (RFC 2516 §4).
    pub id: SessionId,
    /// The service, as the concentrator named it.
    pub service_name: Vec<u8>,
    /// The concentrator's name.
    pub ac_name: Vec<u8>,
    /// The longest PPP payload either may send, in octets: [`PPP_MAX_PAYLOAD_DEFAULT`], or more where both sides have
    /// said so (RFC 4638).
    pub max_payload: u16,
    /// What the host marked its call with.
    pub host_uniq: Option<Vec<u8>>,
    /// The relay's mark, if there is a relay between.
    pub relay_session_id: Option<Vec<u8>>,
    /// Vendor-Specific tags of the peer's last packet, in order: at a concentrator, the access line of TR-101.
    pub vendor: Vec<VendorTag>,
}

impl Session {
    /// The PADT that ends it (RFC 2516 §5.5).
    pub(super) fn padt(&self) -> Vec<u8> {
        padt(self.id, self.relay_session_id.as_deref())
    }
}

/// `0x1 with 02:00:00:00:00:02, service "internet"`.
impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {}, service {:?}", self.id, self.peer, printable(&self.service_name))
    }
}

/// Why a session is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CloseCause {
    /// The user here closed it; the peer was sent a PADT.
    Local,
    /// The peer sent a PADT.
    Peer {
        /// What it said in an error tag, made fit to be shown.
        text: Option<String>,
    },
    /// The link is gone; the peer was told nothing.
    NetworkGone,
}

impl fmt::Display for CloseCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CloseCause::Local => f.write_str("closed here"),
            CloseCause::Peer { text: None } => f.write_str("closed by the peer"),
            CloseCause::Peer { text: Some(text) } => write!(f, "closed by the peer: {text}"),
            CloseCause::NetworkGone => f.write_str("the network is gone"),
        }
    }
}

/// A PADT; the relay gets its mark back (RFC 2516 Appendix A).
pub(super) fn padt(id: SessionId, relay_session_id: Option<&[u8]>) -> Vec<u8> {
    let bare = Discovery::new(Code::Padt, Some(id));
    let marked = bare.clone().with_all(relay_session_id.map(Tag::RelaySessionId)).encode();
    marked.or_else(|_| bare.encode()).expect("a PADT without tags fits")
}

/// What a peer says in an error tag, if it says anything.
pub(super) fn error_text(tags: Tags<'_>) -> Option<String> {
    match tags.error()? {
        Tag::ServiceNameError(text) | Tag::AcSystemError(text) | Tag::GenericError(text)
            if !text.is_empty() =>
        {
            Some(printable(text))
        }
        _ => None,
    }
}

/// The Vendor-Specific tags, owned. One too short to name a vendor is ignored (RFC 2516 Appendix A).
pub(super) fn vendor_tags(tags: Tags<'_>) -> Vec<VendorTag> {
    tags.vendor_specific().filter_map(VendorTag::parse).collect()
}

/// The payload that a link with this MTU can agree to, when `asked` is wanted; `None` if that is no more than every
/// Ethernet carries, and the tag is then left out (RFC 4638).
pub(super) fn agreed_max_payload(link_mtu: u16, asked: Option<u16>) -> Option<u16> {
    let agreed = asked?.min(link_mtu.saturating_sub(SESSION_OVERHEAD));
    (agreed > PPP_MAX_PAYLOAD_DEFAULT).then_some(agreed)
}
