//! PPPoE on the wire (RFC 2516 §4 to §6, Appendix A; RFC 4638; the line tags of TR-101 and RFC 4679).
//!
//! A packet here begins with its VER and TYPE octet. The Ethernet header before it is the link's business; the peer's
//! [`MacAddr`] is told apart.
//!
//! | view, checked once | value | what |
//! |---|---|---|
//! | [`PacketView`] | [`Header`] | the header and LENGTH octets |
//! | [`SessionView`] | | a session and its PPP frame |
//! | [`DiscoveryView`], [`Tags`] | [`Discovery`], [`Tag`] | PADI, PADO, PADR, PADS, PADT |
//! | [`LineTags`] | [`VendorTag`] | the access line, inside a Vendor-Specific tag |
//!
//! ```
//! use condis_wan::pppoe::wire::{Code, Discovery, DiscoveryView, Tag};
//!
//! let padi = Discovery::new(Code::Padi, None).with(Tag::ServiceName(b"internet")).encode().unwrap();
//! let view = DiscoveryView::parse(&padi).unwrap();
//! assert_eq!(view.check(), Ok(()));
//! assert_eq!(view.to_string(), r#"PADI [Service-Name "internet"]"#);
//! ```

mod code;
mod discovery;
mod error;
mod grammar;
mod header;
mod mac;
mod session_id;
mod tag;
mod tags;
mod vendor;

#[cfg(test)]
mod tests;

pub use code::Code;
pub use discovery::{DISCOVERY_LEN_MAX, Discovery, DiscoveryView, PADI_LEN_MAX, TooLong};
pub use error::{GrammarError, WireError};
pub use header::{
    CODE_SESSION, ETHERTYPE_DISCOVERY, ETHERTYPE_SESSION, HEADER_LEN, Header, PacketView, SessionView,
};
pub use mac::MacAddr;
pub use session_id::SessionId;
pub use tag::{TAG_HEADER_LEN, Tag, TagIter, TagType, printable};
pub use tags::Tags;
pub use vendor::{LineTag, LineTagTruncated, LineTagType, LineTags, VENDOR_BROADBAND_FORUM, VendorTag};
