//! What an adapter answers to OID requests: the mandatory ones of a connection-oriented miniport, the byte counts, and ATM's.
//!
//! Source: `docs/reference/condis-datapath.md` sections 10.1, 10.2 and 10.7; DP-175 to DP-180; shapes of `atm.h`.

use condis::driver::Medium;
use condis::oid::{OidAnswer, OidKind, OidRequest, code};
use condis::status::NdisStatus;
use condis::vc::Statistics;

use super::vc_params::Aal;

/// The OIDs of ATM (`ntddndis.h`).
#[expect(missing_docs, reason = "the names of the header, without their prefix")]
pub mod atm_code {
    pub const SUPPORTED_VC_RATES: u32 = 0x0801_0101;
    pub const SUPPORTED_SERVICE_CATEGORY: u32 = 0x0801_0102;
    pub const SUPPORTED_AAL_TYPES: u32 = 0x0801_0103;
    pub const HW_CURRENT_ADDRESS: u32 = 0x0801_0104;
    pub const MAX_ACTIVE_VCS: u32 = 0x0801_0105;
    pub const MAX_ACTIVE_VCI_BITS: u32 = 0x0801_0106;
    pub const MAX_ACTIVE_VPI_BITS: u32 = 0x0801_0107;
    pub const MAX_AAL0_PACKET_SIZE: u32 = 0x0801_0108;
    pub const MAX_AAL5_PACKET_SIZE: u32 = 0x0801_010B;
    pub const SIGNALING_VPIVCI: u32 = 0x0801_0201;
    pub const ASSIGNED_VPI: u32 = 0x0801_0202;
    pub const ILMI_VPIVCI: u32 = 0x0801_0205;
    pub const ALIGNMENT_REQUIRED: u32 = 0x0801_0208;
    pub const RCV_CELLS_OK: u32 = 0x0802_0101;
    pub const XMIT_CELLS_OK: u32 = 0x0802_0102;
    pub const RCV_CELLS_DROPPED: u32 = 0x0802_0103;
    pub const RCV_INVALID_VPI_VCI: u32 = 0x0802_0201;
    pub const CELLS_HEC_ERROR: u32 = 0x0802_0202;
    pub const RCV_REASSEMBLY_ERROR: u32 = 0x0802_0203;
}

/// What the answers are made of.
pub(super) struct Facts {
    pub(super) bits_per_s: u64,
    pub(super) connected: bool,
    /// Of the adapter, or of the VC that the request is about.
    pub(super) statistics: Statistics,
    pub(super) receive_errors: u64,
    pub(super) no_buffer: u64,
    /// Nothing: the line has no rate.
    pub(super) cells_per_s: Option<u64>,
    pub(super) esi: [u8; 6],
    pub(super) vcs_max: u32,
    pub(super) vpi_bits: u32,
    pub(super) sdu_octets_max: u32,
    pub(super) cells_received: u64,
    pub(super) cells_sent: u64,
    pub(super) cells_dropped: u64,
    pub(super) unknown_vc: u64,
    pub(super) hec_errors: u64,
    pub(super) reassembly_errors: u64,
}

/// All that are answered, ascending as OID_GEN_CO_SUPPORTED_LIST wants it.
const SUPPORTED: [u32; 39] = [
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
    atm_code::SUPPORTED_VC_RATES,
    atm_code::SUPPORTED_SERVICE_CATEGORY,
    atm_code::SUPPORTED_AAL_TYPES,
    atm_code::HW_CURRENT_ADDRESS,
    atm_code::MAX_ACTIVE_VCS,
    atm_code::MAX_ACTIVE_VCI_BITS,
    atm_code::MAX_ACTIVE_VPI_BITS,
    atm_code::MAX_AAL0_PACKET_SIZE,
    atm_code::MAX_AAL5_PACKET_SIZE,
    atm_code::SIGNALING_VPIVCI,
    atm_code::ASSIGNED_VPI,
    atm_code::ILMI_VPIVCI,
    atm_code::ALIGNMENT_REQUIRED,
    atm_code::RCV_CELLS_OK,
    atm_code::XMIT_CELLS_OK,
    atm_code::RCV_CELLS_DROPPED,
    atm_code::RCV_INVALID_VPI_VCI,
    atm_code::CELLS_HEC_ERROR,
    atm_code::RCV_REASSEMBLY_ERROR,
];

const HARDWARE_READY: u32 = 0;
/// No IEEE vendor code.
const VENDOR_NONE: u32 = 0x00FF_FFFF;
const VENDOR_DESCRIPTION: &[u8] = b"condis ATM\0";
/// CoNDIS 6.0, major in the high octet.
const DRIVER_VERSION: u16 = 0x0600;
const VENDOR_DRIVER_VERSION: u32 = 0x0001_0000;
/// NDIS_MAC_OPTION_NO_LOOPBACK.
const MAC_OPTIONS: u32 = 0x0000_0008;
/// ATM_SERVICE_CATEGORY_CBR, _VBR and _UBR.
const SERVICE_CATEGORIES: u32 = 1 | 2 | 4;
const VCI_BITS: u32 = 16;

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
        code::GEN_CO_HARDWARE_STATUS => word(request, HARDWARE_READY),
        code::GEN_CO_MEDIA_SUPPORTED | code::GEN_CO_MEDIA_IN_USE => word(request, Medium::Atm as u32),
        code::GEN_CO_LINK_SPEED | code::GEN_CO_MINIMUM_LINK_SPEED => {
            // In units of 100 bit/s, outbound and inbound.
            let speed = u32::try_from(facts.bits_per_s / 100).unwrap_or(u32::MAX);
            words(request, [speed, speed])
        }
        code::GEN_CO_VENDOR_ID => word(request, VENDOR_NONE),
        code::GEN_CO_VENDOR_DESCRIPTION => request.write(VENDOR_DESCRIPTION),
        code::GEN_CO_DRIVER_VERSION => request.write(&DRIVER_VERSION.to_le_bytes()),
        code::GEN_CO_MAC_OPTIONS => word(request, MAC_OPTIONS),
        code::GEN_CO_MEDIA_CONNECT_STATUS => word(request, u32::from(!facts.connected)),
        code::GEN_CO_VENDOR_DRIVER_VERSION => word(request, VENDOR_DRIVER_VERSION),
        code::GEN_CO_XMIT_PDUS_OK => request.write_counter(statistics.sent_pdus),
        code::GEN_CO_RCV_PDUS_OK => request.write_counter(statistics.received_pdus),
        code::GEN_CO_XMIT_PDUS_ERROR => request.write_counter(statistics.send_errors),
        code::GEN_CO_RCV_PDUS_ERROR => request.write_counter(facts.receive_errors + statistics.receive_drops),
        code::GEN_CO_RCV_PDUS_NO_BUFFER => request.write_counter(facts.no_buffer),
        code::GEN_CO_BYTES_XMIT => request.write_counter(statistics.sent_octets),
        code::GEN_CO_BYTES_RCV => request.write_counter(statistics.received_octets),
        // The slowest rate is one cell a second; of a line without a rate the fastest is not known.
        atm_code::SUPPORTED_VC_RATES => {
            let most = facts.cells_per_s.and_then(|rate| u32::try_from(rate).ok()).unwrap_or(u32::MAX);
            words(request, [1, most])
        }
        atm_code::SUPPORTED_SERVICE_CATEGORY => word(request, SERVICE_CATEGORIES),
        atm_code::SUPPORTED_AAL_TYPES => word(request, Aal::Aal0 as u32 | Aal::Aal5 as u32),
        atm_code::HW_CURRENT_ADDRESS => request.write(&facts.esi),
        atm_code::MAX_ACTIVE_VCS => word(request, facts.vcs_max),
        atm_code::MAX_ACTIVE_VCI_BITS => word(request, VCI_BITS),
        atm_code::MAX_ACTIVE_VPI_BITS => word(request, facts.vpi_bits),
        atm_code::MAX_AAL0_PACKET_SIZE => word(request, 52),
        atm_code::MAX_AAL5_PACKET_SIZE => word(request, facts.sdu_octets_max),
        atm_code::SIGNALING_VPIVCI => words(request, [0, 5]),
        atm_code::ILMI_VPIVCI => words(request, [0, 16]),
        atm_code::ASSIGNED_VPI => word(request, 0),
        atm_code::ALIGNMENT_REQUIRED => word(request, 1),
        atm_code::RCV_CELLS_OK => request.write_counter(facts.cells_received),
        atm_code::XMIT_CELLS_OK => request.write_counter(facts.cells_sent),
        atm_code::RCV_CELLS_DROPPED => request.write_counter(facts.cells_dropped),
        atm_code::RCV_INVALID_VPI_VCI => request.write_counter(facts.unknown_vc),
        atm_code::CELLS_HEC_ERROR => request.write_counter(facts.hec_errors),
        atm_code::RCV_REASSEMBLY_ERROR => request.write_counter(facts.reassembly_errors),
        _ => NdisStatus::NOT_SUPPORTED,
    }
}

fn word(request: &mut OidRequest, word: u32) -> NdisStatus {
    request.write(&word.to_le_bytes())
}

fn words(request: &mut OidRequest, words: [u32; 2]) -> NdisStatus {
    request.write(&words.map(u32::to_le_bytes).concat())
}

fn set(request: &mut OidRequest) -> NdisStatus {
    match request.oid {
        // NDIS makes use of the bits; there is nothing in them for an ATM line.
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
        Facts {
            bits_per_s: 149_760_000,
            connected: true,
            statistics: Statistics::default(),
            receive_errors: 0,
            no_buffer: 0,
            cells_per_s: Some(353_207),
            esi: [2, 0, 0, 0, 0, 1],
            vcs_max: 1024,
            vpi_bits: 8,
            sdu_octets_max: 65_535,
            cells_received: 1,
            cells_sent: 2,
            cells_dropped: 3,
            unknown_vc: 4,
            hec_errors: 5,
            reassembly_errors: 6,
        }
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
    }

    #[test]
    fn rates_and_addresses_are_told() {
        let ask = |oid| {
            let answer = answer(&facts(), OidRequest::query(oid, 8));
            answer.request.expect("it comes back").written().to_vec()
        };
        assert_eq!(ask(atm_code::HW_CURRENT_ADDRESS), [2, 0, 0, 0, 0, 1]);
        assert_eq!(ask(atm_code::SUPPORTED_VC_RATES)[4..], 353_207_u32.to_le_bytes());
        assert_eq!(ask(atm_code::SIGNALING_VPIVCI), [0, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(ask(atm_code::RCV_INVALID_VPI_VCI)[0], 4);
        let unknown = answer(&facts(), OidRequest::query(0x0801_0109, 8));
        assert_eq!(unknown.status, NdisStatus::NOT_SUPPORTED);
    }
}
