//! A discovery packet: the view that is read and the value that is written.

use std::fmt;

use super::header::{CODE_SESSION, HEADER_LEN, Header, PacketView};
use super::{Code, GrammarError, SessionId, Tag, Tags, WireError, grammar};

/// The longest discovery packet, header included: what every Ethernet carries.
///
/// RFC 4638 raises the size of session packets only. It also bounds the work that one received packet can cause.
pub const DISCOVERY_LEN_MAX: usize = 1500;

/// The longest PADI that a host may send, header included, so that a relay has room for its tag (RFC 2516 §5.1).
pub const PADI_LEN_MAX: usize = 1484;

/// A discovery packet whose form has been checked: header, code, and every tag whole.
///
/// Whether it says what a packet of its kind has to is asked apart, with [`check`](DiscoveryView::check), since a
/// receiver wants to know of a PADS whose it was before it throws it away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiscoveryView<'a> {
    code: Code,
    session_id: Option<SessionId>,
    tags: Tags<'a>,
}

impl<'a> DiscoveryView<'a> {
    /// Checks the packet at the start of `octets`, which begin with VER and TYPE. Padding after it is ignored.
    ///
    /// # Errors
    /// [`WireError`]; none for tags that are unknown here.
    pub fn parse(octets: &'a [u8]) -> Result<DiscoveryView<'a>, WireError> {
        let packet = PacketView::parse(octets)?;
        let header = packet.header();
        let Some(code) = Code::from_u8(header.code) else {
            return Err(match header.code {
                CODE_SESSION => WireError::NotDiscovery,
                code => WireError::UnknownCode(code),
            });
        };
        let length = packet.payload().len();
        if length > DISCOVERY_LEN_MAX - HEADER_LEN {
            return Err(WireError::DiscoveryTooLong { length, max: DISCOVERY_LEN_MAX - HEADER_LEN });
        }
        let tags = Tags::parse(packet.payload())?;
        Ok(DiscoveryView { code, session_id: header.session_id, tags })
    }

    /// Checks that the packet says what RFC 2516 §5 wants of its kind.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), GrammarError> {
        grammar::check(self.code, self.session_id, self.tags)
    }

    /// Which of the five it is.
    pub fn code(&self) -> Code {
        self.code
    }

    /// SESSION_ID; `None` is zero.
    pub fn session_id(&self) -> Option<SessionId> {
        self.session_id
    }

    /// Its tags.
    pub fn tags(&self) -> Tags<'a> {
        self.tags
    }

    /// The same as a value, to be changed or sent on.
    pub fn to_value(&self) -> Discovery<'a> {
        Discovery { code: self.code, session_id: self.session_id, tags: self.tags.iter().collect() }
    }
}

/// `PADS [ses 0x1] [Service-Name "internet"]`, as a sniffer shows it.
impl fmt::Display for DiscoveryView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line(f, self.code, self.session_id, self.tags.iter())
    }
}

/// A discovery packet to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Discovery<'a> {
    code: Code,
    session_id: Option<SessionId>,
    tags: Vec<Tag<'a>>,
}

impl<'a> Discovery<'a> {
    /// A packet without tags.
    pub fn new(code: Code, session_id: Option<SessionId>) -> Discovery<'a> {
        Discovery { code, session_id, tags: Vec::new() }
    }

    /// The same with one more tag at the end.
    #[must_use]
    pub fn with(mut self, tag: Tag<'a>) -> Discovery<'a> {
        self.tags.push(tag);
        self
    }

    /// The same with these tags at the end; an `Option` is none or one.
    #[must_use]
    pub fn with_all(mut self, tags: impl IntoIterator<Item = Tag<'a>>) -> Discovery<'a> {
        self.tags.extend(tags);
        self
    }

    /// Its tags, in order.
    pub fn tags(&self) -> &[Tag<'a>] {
        &self.tags
    }

    /// Octets that [`encode`](Discovery::encode) makes.
    pub fn encoded_len(&self) -> usize {
        HEADER_LEN + self.tags.iter().map(Tag::encoded_len).sum::<usize>()
    }

    /// The packet, beginning with VER and TYPE, without padding.
    ///
    /// # Errors
    /// [`TooLong`]: it would not fit [`DISCOVERY_LEN_MAX`].
    pub fn encode(&self) -> Result<Vec<u8>, TooLong> {
        let len = self.encoded_len();
        if len > DISCOVERY_LEN_MAX {
            return Err(TooLong { len, max: DISCOVERY_LEN_MAX });
        }
        let length = u16::try_from(len - HEADER_LEN).expect("at most DISCOVERY_LEN_MAX");
        let header = Header { code: self.code.get(), session_id: self.session_id, length };
        let mut octets = Vec::with_capacity(len);
        octets.extend_from_slice(&header.encode());
        self.tags.iter().for_each(|tag| tag.encode_to(&mut octets));
        Ok(octets)
    }
}

impl fmt::Display for Discovery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line(f, self.code, self.session_id, self.tags.iter().copied())
    }
}

/// A packet that would be longer than it may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("discovery packet of {len} octets, expected at most {max}")]
pub struct TooLong {
    /// Octets that it would have.
    pub len: usize,
    /// Octets that it may have.
    pub max: usize,
}

fn write_line<'a>(
    f: &mut fmt::Formatter<'_>,
    code: Code,
    session_id: Option<SessionId>,
    tags: impl Iterator<Item = Tag<'a>>,
) -> fmt::Result {
    write!(f, "{code}")?;
    if let Some(id) = session_id {
        write!(f, " [ses {id}]")?;
    }
    for tag in tags {
        write!(f, " {tag}")?;
    }
    Ok(())
}
