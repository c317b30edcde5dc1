//! What an adapter answers to OID requests: the mandatory ones of a connection-oriented miniport, and the byte counts.
//!
//! Source: `docs/reference/condis-datapath.md` sections 10.1 and 10.2; DP-175 to DP-180.

use condis::driver::Medium;
use condis::oid::{OidAnswer, OidKind, OidRequest, code};
use condis::status::NdisStatus;
use condis::vc::Statistics;

/// What the answers are made of.
pub(super) struct Facts {
    pub(super) bits_per_s: u64,
    pub(super) connected: bool,
    /// Of the adapter, or of the VC that the request is about.
    pub(super) statistics: Statistics,
    pub(super) receive_errors: u64,
    pub(super) no_buffer: u64,
}

/// All that are answered, ascending as OID_GEN_CO_SUPPORTED_LIST wants it.
const SUPPORTED: [u32; 20] = [
    code::GEN_CO_SUPPORTED_LIST,
    code::GEN_CO_HARDWARE_STATUS,
    code::GEN_CO_MEDIA_SUPPORTED,
    code::GEN_CO_MEDIA_IN_USE,
    code::GEN_CO_LINK_SPEED,
    code::GEN_CO_VENDOR_ID,
    code::GEN_CO_VENDOR_DESCRIPTION,
    code::GEN_CO_DRIVER_VERSION,
    code::GEN_CO_PROTOCOL_OPTIONS,
    code::GEN_CO_MAC_OPTIONS,
    code::GEN_CO_MEDIA_CONNECT_STATUS,
    code::GEN_CO_VENDOR_DRIVER_VERSION,
    code::GEN_CO_XMIT_PDUS_OK,
    code::GEN_CO_RCV_PDUS_OK,
    code::GEN_CO_XMIT_PDUS_ERROR,
    code::GEN_CO_RCV_PDUS_ERROR,
    code::GEN_CO_RCV_PDUS_NO_BUFFER,
    code::GEN_CO_MINIMUM_LINK_SPEED,
    code::GEN_CO_BYTES_XMIT,
    code::GEN_CO_BYTES_RCV,
];

const HARDWARE_READY: u32 = 0;
/// No IEEE vendor code.
const VENDOR_NONE: u32 = 0x00FF_FFFF;
const VENDOR_DESCRIPTION: &[u8] = b"condis Ethernet flows\0";
/// CoNDIS 6.0, major in the high octet.
const DRIVER_VERSION: u16 = 0x0600;
const VENDOR_DRIVER_VERSION: u32 = 0x0001_0000;
/// NDIS_MAC_OPTION_NO_LOOPBACK.
const MAC_OPTIONS: u32 = 0x0000_0008;

/// Answers a request.
pub(super) fn answer(facts: &Facts, mut request: OidRequest) -> OidAnswer {
    let status = match request.kind {
        OidKind::Query | OidKind::Statistics => query(facts, &mut request),
        OidKind::Set => set(&mut request),
        OidKind::Method => NdisStatus::NOT_SUPPORTED,
    };
    OidAnswer::new(status, request)
}

fn query(facts: &Facts, request: &mut OidRequest) -> NdisStatus {
    let statistics = &facts.statistics;
    match request.oid {
        code::GEN_CO_SUPPORTED_LIST => {
            let list: Vec<u8> = SUPPORTED.iter().flat_map(|oid| oid.to_le_bytes()).collect();
            request.write(&list)
        }
        code::GEN_CO_HARDWARE_STATUS => request.write(&HARDWARE_READY.to_le_bytes()),
        code::GEN_CO_MEDIA_SUPPORTED | code::GEN_CO_MEDIA_IN_USE => {
            request.write(&(Medium::Ethernet as u32).to_le_bytes())
        }
        code::GEN_CO_LINK_SPEED | code::GEN_CO_MINIMUM_LINK_SPEED => {
            // In units of 100 bit/s, outbound and inbound.
            let speed = u32::try_from(facts.bits_per_s / 100).unwrap_or(u32::MAX).to_le_bytes();
            request.write(&[speed, speed].concat())
        }
        code::GEN_CO_VENDOR_ID => request.write(&VENDOR_NONE.to_le_bytes()),
        code::GEN_CO_VENDOR_DESCRIPTION => request.write(VENDOR_DESCRIPTION),
        code::GEN_CO_DRIVER_VERSION => request.write(&DRIVER_VERSION.to_le_bytes()),
        code::GEN_CO_MAC_OPTIONS => request.write(&MAC_OPTIONS.to_le_bytes()),
        code::GEN_CO_MEDIA_CONNECT_STATUS => request.write(&u32::from(!facts.connected).to_le_bytes()),
        code::GEN_CO_VENDOR_DRIVER_VERSION => request.write(&VENDOR_DRIVER_VERSION.to_le_bytes()),
        code::GEN_CO_XMIT_PDUS_OK => request.write_counter(statistics.sent_pdus),
        code::GEN_CO_RCV_PDUS_OK => request.write_counter(statistics.received_pdus),
        code::GEN_CO_XMIT_PDUS_ERROR => request.write_counter(statistics.send_errors),
        code::GEN_CO_RCV_PDUS_ERROR => request.write_counter(facts.receive_errors + statistics.receive_drops),
        code::GEN_CO_RCV_PDUS_NO_BUFFER => request.write_counter(facts.no_buffer),
        code::GEN_CO_BYTES_XMIT => request.write_counter(statistics.sent_octets),
        code::GEN_CO_BYTES_RCV => request.write_counter(statistics.received_octets),
        _ => NdisStatus::NOT_SUPPORTED,
    }
}

fn set(request: &mut OidRequest) -> NdisStatus {
    match request.oid {
        // NDIS makes use of the bits; there is nothing in them for an Ethernet link.
        code::GEN_CO_PROTOCOL_OPTIONS if request.buffer.len() >= 4 => {
            request.bytes_read = 4;
            NdisStatus::SUCCESS
        }
        code::GEN_CO_PROTOCOL_OPTIONS => {
            request.bytes_needed = 4;
            NdisStatus::INVALID_LENGTH
        }
        _ => NdisStatus::NOT_SUPPORTED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let statistics =
            Statistics { sent_pdus: 3, sent_octets: u64::from(u32::MAX) + 7, ..Default::default() };
        Facts { bits_per_s: 1_000_000_000, connected: true, statistics, receive_errors: 0, no_buffer: 0 }
    }

    /// Section 10.1: the list is ascending, and an OID that is listed is supported.
    #[test]
    fn the_list_is_ascending_and_true() {
        assert!(SUPPORTED.is_sorted_by(|a, b| a < b));
        for oid in SUPPORTED {
            let request = match oid {
                code::GEN_CO_PROTOCOL_OPTIONS => OidRequest::set(oid, vec![0; 4]),
                _ => OidRequest::query(oid, 256),
            };
            assert_eq!(answer(&facts(), request).status, NdisStatus::SUCCESS, "{oid:#x}");
        }
        let list = answer(&facts(), OidRequest::query(code::GEN_CO_SUPPORTED_LIST, 256)).request;
        assert_eq!(list.expect("it comes back").written().len(), 4 * SUPPORTED.len());
    }

    /// DP-177, DP-179.
    #[test]
    fn small_buffers_are_told_what_is_needed() {
        let short = answer(&facts(), OidRequest::query(code::GEN_CO_SUPPORTED_LIST, 4));
        assert_eq!(short.status, NdisStatus::BUFFER_TOO_SHORT);
        assert_eq!(short.request.expect("it comes back").bytes_needed, 80);
        let low = answer(&facts(), OidRequest::query(code::GEN_CO_BYTES_XMIT, 4)).request.expect("back");
        assert_eq!((low.written(), low.bytes_needed), (&6_u32.to_le_bytes()[..], 8));
        let unknown = answer(&facts(), OidRequest::query(0x1234_5678, 8));
        assert_eq!(unknown.status, NdisStatus::NOT_SUPPORTED);
    }
}
