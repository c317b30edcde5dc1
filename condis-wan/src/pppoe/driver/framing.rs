//! SDUs to Ethernet frames and back: the one place where the data path of the miniport and of the MCM knows octets.

use condis::nbl::{NetBuffer, NetBufferList};
use condis_link::header::{EtherType, Header, VlanTag};

use super::flow_params::FlowParams;
use crate::pppoe::wire::{HEADER_LEN, MacAddr, SessionId, SessionView};

/// Octets of the longest header: Ethernet with one tag, and PPPoE.
pub(super) const HEAD_LEN_MAX: usize = Header::OCTETS_MAX + HEADER_LEN;

/// Octets at the front of a raw flow's SDU.
pub(super) const RAW_HEAD_LEN: usize = Header::OCTETS;

/// How the SDUs of one flow become frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Framing {
    here: MacAddr,
    ethertype: u16,
    vlan: Option<u16>,
    kind: Kind,
    /// Octets of the longest SDU.
    sdu_octets_max: usize,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Session { peer: MacAddr, id: SessionId },
    Raw { peer: Option<MacAddr> },
}

impl Framing {
    /// For a flow of the station `here`, on a link whose frames carry `mtu_octets`.
    pub(super) fn new(flow: &FlowParams, here: MacAddr, mtu_octets: usize) -> Framing {
        let (kind, link_max) = match (flow.peer, flow.session) {
            (Some(peer), Some(id)) => (Kind::Session { peer, id }, mtu_octets.saturating_sub(HEADER_LEN)),
            (peer, _) => (Kind::Raw { peer }, mtu_octets + RAW_HEAD_LEN),
        };
        let asked = flow.sdu_octets_max.map_or(usize::MAX, usize::from);
        // LENGTH of PPPoE has 16 bits, whatever the link carries.
        let sdu_octets_max = link_max.min(asked).min(usize::from(u16::MAX));
        Framing { here, ethertype: flow.ethertype, vlan: flow.vlan, kind, sdu_octets_max }
    }

    /// True if every net buffer of the list can be sent on this flow.
    pub(super) fn fits(&self, nbl: &NetBufferList) -> bool {
        let mut room = [0; HEAD_LEN_MAX];
        nbl.net_buffers().all(|sdu| self.head(sdu, &mut room).is_some())
    }

    /// Writes the header of `sdu` into `room`, and gives its length and that of what it replaces at the front of the SDU.
    /// `None`: too long or too short, or, on a raw flow, for another EtherType or station.
    pub(super) fn head(&self, sdu: &NetBuffer, room: &mut [u8; HEAD_LEN_MAX]) -> Option<(usize, usize)> {
        let sdu_len = sdu.data_length();
        if sdu_len == 0 || sdu_len > self.sdu_octets_max {
            return None;
        }
        let (destination, pppoe, replaced) = match self.kind {
            Kind::Session { peer, id } => (peer, Some(SessionView::header(id, sdu_len as u16)), 0),
            Kind::Raw { peer } => {
                let mut head = [0; RAW_HEAD_LEN];
                if sdu.copy_to(&mut head) < RAW_HEAD_LEN {
                    return None;
                }
                let destination = MacAddr([head[0], head[1], head[2], head[3], head[4], head[5]]);
                let fits = u16::from_be_bytes([head[12], head[13]]) == self.ethertype
                    && peer.is_none_or(|peer| peer == destination);
                fits.then_some((destination, None, RAW_HEAD_LEN))?
            }
        };
        let ethernet = Header {
            destination: destination.0.into(),
            source: self.here.0.into(),
            tags: [self.vlan.map(VlanTag::customer), None],
            ethertype: EtherType(self.ethertype),
        };
        let mut octets = [0; Header::OCTETS_MAX];
        let ethernet = ethernet.encode(&mut octets);
        let mut len = ethernet.len();
        room[..len].copy_from_slice(ethernet);
        if let Some(pppoe) = pppoe {
            room[len..len + HEADER_LEN].copy_from_slice(&pppoe);
            len += HEADER_LEN;
        }
        Some((len, replaced))
    }
}

/// The VLAN that a received frame belongs to: `Some(None)` is untagged, and so is a priority tag (IEEE 802.1Q §6.9);
/// `None` is tagged twice, which no flow is.
pub(super) fn vlan_of(header: &Header) -> Option<Option<u16>> {
    match header.tags {
        [_, Some(_)] => None,
        [Some(tag), None] => Some(Some(tag.id()).filter(|&id| id != 0)),
        [None, None] => Some(None),
    }
}

/// The front of a raw flow's SDU for a received frame.
pub(super) fn raw_head(header: &Header) -> [u8; RAW_HEAD_LEN] {
    let mut head = [0; RAW_HEAD_LEN];
    head[..6].copy_from_slice(header.destination.as_ref());
    head[6..12].copy_from_slice(header.source.as_ref());
    head[12..].copy_from_slice(&header.ethertype.0.to_be_bytes());
    head
}

/// A raw flow's SDU, taken apart: destination, source, EtherType, payload. `None`: shorter than its front.
pub(super) fn split_raw(sdu: &[u8]) -> Option<(MacAddr, MacAddr, u16, &[u8])> {
    let (head, payload) = sdu.split_first_chunk::<RAW_HEAD_LEN>()?;
    let [a, b, c, d, e, f, g, h, i, j, k, l, high, low] = *head;
    let (destination, source) = (MacAddr([a, b, c, d, e, f]), MacAddr([g, h, i, j, k, l]));
    Some((destination, source, u16::from_be_bytes([high, low]), payload))
}

#[cfg(test)]
mod tests {
    use condis::nbl::{Nbl, Pool, PoolConfig};

    use super::*;

    fn sdu(octets: &[u8]) -> Nbl {
        Pool::new(PoolConfig { capacity: 1, ..PoolConfig::default() }).alloc_copy(octets).expect("it fits")
    }

    const HERE: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
    const PEER: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);

    /// RFC 2516 §6: the LENGTH is that of the PPP frame, and 1494 octets of it fit an Ethernet frame.
    #[test]
    fn a_session_frame_is_an_ethernet_and_a_pppoe_header_and_the_sdu() {
        let flow = FlowParams::session(PEER, SessionId::new(0x1234).expect("lawful"));
        let framing = Framing::new(&flow, HERE, 1500);
        let mut room = [0; HEAD_LEN_MAX];
        let (len, replaced) = framing.head(sdu(&[0xc0, 0x21, 1]).first(), &mut room).expect("fits");
        assert_eq!(replaced, 0);
        let golden = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0x64, 0x11, 0, 0x12, 0x34, 0, 3];
        assert_eq!(room[..len], golden);
        assert!(framing.fits(&sdu(&[0; 1494])));
        assert!(!framing.fits(&sdu(&[0; 1495])));
        assert!(!framing.fits(&sdu(&[])));
        let tagged = Framing::new(&FlowParams { vlan: Some(7), ..flow }, HERE, 1500);
        let (len, _) = tagged.head(sdu(&[0xc0, 0x21, 1]).first(), &mut room).expect("fits");
        assert_eq!((len, &room[12..18]), (24, &[0x81, 0, 0, 7, 0x88, 0x64][..]));
    }

    #[test]
    fn a_raw_frame_has_our_address_and_only_its_own_ethertype() {
        let framing = Framing::new(&FlowParams::raw(0x8863), HERE, 1500);
        let mut room = [0; HEAD_LEN_MAX];
        let mut frame = [0xff; 20];
        frame[12..14].copy_from_slice(&[0x88, 0x63]);
        let (len, replaced) = framing.head(sdu(&frame).first(), &mut room).expect("fits");
        assert_eq!((len, replaced), (14, 14));
        assert_eq!(room[..len], [255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x88, 0x63]);
        assert!(!framing.fits(&sdu(&frame[..13])));
        frame[13] = 0x64;
        assert!(!framing.fits(&sdu(&frame)));
    }
}
