//! Which Ethernet frames a VC carries: the media parameters of its activation.

use condis::params::{CallParams, MediaFlags, MediaParams, Specific};

use crate::pppoe::wire::{ETHERTYPE_SESSION, MacAddr, SessionId};

/// `param_type` of a [`FlowParams`], among the media's types.
pub const FLOW: u32 = 0x0001;

/// A flow of Ethernet frames, which one VC carries.
///
/// There are two kinds:
/// - A *session* has EtherType 0x8864, a peer and a session id. Its SDU is one PPP frame, protocol field first.
/// - A *raw* flow has any other EtherType, and a peer or none, which is all. Its SDU is an Ethernet frame without VLAN
///   tag: destination (6), source (6), EtherType (2), payload. In a send the source does not matter: the adapter's is
///   put there, and the EtherType must be the flow's. In a receive, destination and source are those of the wire.
///   A raw flow of EtherType 0x8863 (PPPoE discovery) with no peer also hears of session frames of no flow, so that its
///   owner can answer them with a PADT: EtherType 0x8864, and after it the PPPoE header alone, 6 octets.
///
/// # The octets, in network order
/// | at | octets | what |
/// |---|---|---|
/// | 0 | 2 | EtherType |
/// | 2 | 2 | session id; 0 is none |
/// | 4 | 2 | VLAN identifier; 0 is untagged |
/// | 6 | 2 | longest SDU; 0 is what the link carries |
/// | 8 | 6 | the peer; all zero is any |
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlowParams {
    /// What the frames carry.
    pub ethertype: u16,
    /// The station that they are exchanged with; `None` is any.
    pub peer: Option<MacAddr>,
    /// The PPPoE session.
    pub session: Option<SessionId>,
    /// The VLAN that they are tagged with; `None` is untagged.
    pub vlan: Option<u16>,
    /// Octets of the longest SDU that may be sent; `None`: as long as the link carries.
    pub sdu_octets_max: Option<u16>,
}

impl FlowParams {
    /// Frames of this EtherType, from and to anybody.
    pub fn raw(ethertype: u16) -> FlowParams {
        FlowParams { ethertype, peer: None, session: None, vlan: None, sdu_octets_max: None }
    }

    /// A PPPoE session.
    pub fn session(peer: MacAddr, id: SessionId) -> FlowParams {
        FlowParams { peer: Some(peer), session: Some(id), ..FlowParams::raw(ETHERTYPE_SESSION) }
    }

    /// The parameters to activate a VC with.
    pub fn to_params(&self) -> CallParams {
        CallParams::media(self.to_media())
    }

    pub(super) fn to_media(self) -> MediaParams {
        let mut parameters = Vec::with_capacity(OCTETS);
        parameters.extend(self.ethertype.to_be_bytes());
        parameters.extend(self.session.map_or(0, SessionId::get).to_be_bytes());
        parameters.extend(self.vlan.unwrap_or(0).to_be_bytes());
        parameters.extend(self.sdu_octets_max.unwrap_or(0).to_be_bytes());
        parameters.extend(self.peer.map_or([0; 6], |peer| peer.0));
        MediaParams {
            flags: MediaFlags::TRANSMIT_VC | MediaFlags::RECEIVE_VC,
            specific: Specific { param_type: FLOW, parameters },
            ..MediaParams::default()
        }
    }

    /// Reads the media parameters of an activation, or of a call that is up.
    ///
    /// # Errors
    /// See [`FlowParamsError`].
    pub fn from_params(params: &CallParams) -> Result<FlowParams, FlowParamsError> {
        let specific = &params.media.as_ref().ok_or(FlowParamsError::Missing)?.specific;
        if specific.param_type != FLOW {
            return Err(FlowParamsError::Type(specific.param_type));
        }
        let octets: &[u8; OCTETS] = specific
            .parameters
            .as_slice()
            .try_into()
            .map_err(|_| FlowParamsError::Length(specific.parameters.len()))?;
        let number = |at: usize| u16::from_be_bytes([octets[at], octets[at + 1]]);
        let some = |number: u16| (number != 0).then_some(number);
        let peer = [octets[8], octets[9], octets[10], octets[11], octets[12], octets[13]];
        let flow = FlowParams {
            ethertype: number(0),
            session: match number(2) {
                0 => None,
                id => Some(SessionId::new(id).ok_or(FlowParamsError::SessionId)?),
            },
            vlan: some(number(4)),
            sdu_octets_max: some(number(6)),
            peer: (peer != [0; 6]).then_some(MacAddr(peer)),
        };
        flow.check()?;
        Ok(flow)
    }

    /// Whether there is such a flow.
    ///
    /// # Errors
    /// See [`FlowParamsError`].
    pub fn check(&self) -> Result<(), FlowParamsError> {
        let is_session = self.ethertype == ETHERTYPE_SESSION;
        if self.ethertype < ETHERTYPE_MIN || TAGS.contains(&self.ethertype) {
            return Err(FlowParamsError::EtherType(self.ethertype));
        }
        if is_session != self.session.is_some() || is_session && self.peer.is_none() {
            return Err(FlowParamsError::Session);
        }
        if self.peer.is_some_and(MacAddr::is_group) {
            return Err(FlowParamsError::Peer);
        }
        if self.vlan.is_some_and(|vlan| !(1..=VLAN_MAX).contains(&vlan)) {
            return Err(FlowParamsError::Vlan);
        }
        Ok(())
    }
}

/// Why there is no such flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlowParamsError {
    /// No media parameters.
    #[error("no media parameters")]
    Missing,
    /// Another type of media parameters.
    #[error("media parameters of type {0:#x}, expected {FLOW:#x}")]
    Type(u32),
    /// Media parameters of another length.
    #[error("media parameters of {0} octets, expected {OCTETS}")]
    Length(usize),
    /// An 802.3 length or a VLAN tag, not an EtherType.
    #[error("{0:#06x} is not an EtherType to make a flow of")]
    EtherType(u16),
    /// 0xffff, which RFC 2516 reserves.
    #[error("a reserved session id")]
    SessionId,
    /// EtherType 0x8864 has a peer and a session id, and no other has an id.
    #[error("a session is EtherType 0x8864 with a peer and a session id")]
    Session,
    /// A group address.
    #[error("the peer is a group")]
    Peer,
    /// A VLAN identifier above 4094.
    #[error("not a VLAN identifier")]
    Vlan,
}

const OCTETS: usize = 14;

/// Below it stand the lengths of IEEE 802.3.
const ETHERTYPE_MIN: u16 = 0x0600;

/// C-TAG and S-TAG (IEEE 802.1Q table 9-1): a frame that is still tagged when a header has been read.
const TAGS: [u16; 2] = [0x8100, 0x88a8];

/// The highest VLAN identifier (IEEE 802.1Q table 9-2).
const VLAN_MAX: u16 = 4094;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_are_read_as_they_were_written() {
        let session = FlowParams::session(MacAddr([2, 0, 0, 0, 0, 1]), SessionId::LAST);
        let flows = [
            FlowParams::raw(0x8863),
            session,
            FlowParams { vlan: Some(4094), sdu_octets_max: Some(1494), ..session },
            FlowParams { peer: Some(MacAddr([2, 0, 0, 0, 0, 1])), ..FlowParams::raw(0x0800) },
        ];
        for flow in flows {
            assert_eq!(FlowParams::from_params(&flow.to_params()), Ok(flow));
        }
    }

    #[test]
    fn what_is_no_flow_is_refused() {
        let session = FlowParams::session(MacAddr([2, 0, 0, 0, 0, 1]), SessionId::FIRST);
        let wrong = [
            (FlowParams::raw(0x05ff), FlowParamsError::EtherType(0x05ff)),
            (FlowParams::raw(0x8100), FlowParamsError::EtherType(0x8100)),
            (FlowParams { session: None, ..session }, FlowParamsError::Session),
            (FlowParams { peer: None, ..session }, FlowParamsError::Session),
            (FlowParams { ethertype: 0x8863, ..session }, FlowParamsError::Session),
            (FlowParams { peer: Some(MacAddr::BROADCAST), ..session }, FlowParamsError::Peer),
            (FlowParams { vlan: Some(4095), ..session }, FlowParamsError::Vlan),
        ];
        for (flow, error) in wrong {
            assert_eq!(FlowParams::from_params(&flow.to_params()), Err(error));
        }
        assert_eq!(FlowParams::from_params(&CallParams::default()), Err(FlowParamsError::Missing));
        let mut params = session.to_params();
        let specific = &mut params.media.as_mut().expect("made with media").specific;
        specific.parameters.pop();
        assert_eq!(FlowParams::from_params(&params), Err(FlowParamsError::Length(13)));
    }
}
