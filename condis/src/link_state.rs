//! NDIS_LINK_STATE, the buffer of NDIS_STATUS_LINK_STATE.
//!
//! | at | octets, little endian | what |
//! |---|---|---|
//! | 0 | 4 | object header: type 0x80, revision 1, size 40 |
//! | 4 | 4 | 0 unknown, 1 connected, 2 disconnected |
//! | 8 | 4 | duplex: 0 unknown, 2 full |
//! | 16 | 8 | bits per second sent |
//! | 24 | 8 | bits per second received |
//! | 32 | 8 | pause functions and what was negotiated: unknown |
//!
//! Source: `ntddndis.h`, NDIS_LINK_STATE.

use crate::status::NdisStatus;
use crate::status_ind::StatusIndication;

/// The indication for a link that goes up or down.
pub fn indication(up: bool, bits_per_s: u64) -> StatusIndication {
    let mut buffer = [0; OCTETS];
    buffer[..4].copy_from_slice(&[0x80, 1, OCTETS as u8, 0]);
    buffer[4] = if up { CONNECTED } else { DISCONNECTED };
    buffer[8] = FULL_DUPLEX;
    buffer[16..24].copy_from_slice(&bits_per_s.to_le_bytes());
    buffer[24..32].copy_from_slice(&bits_per_s.to_le_bytes());
    StatusIndication::new(NdisStatus::LINK_STATE, buffer)
}

/// Whether an indication tells of a link that is up or down; `None` if it tells something else.
pub fn read(status: &StatusIndication) -> Option<bool> {
    if status.code != NdisStatus::LINK_STATE {
        return None;
    }
    match *status.buffer.get(4)? {
        CONNECTED => Some(true),
        DISCONNECTED => Some(false),
        _ => None,
    }
}

const OCTETS: usize = 40;
const CONNECTED: u8 = 1;
const DISCONNECTED: u8 = 2;
const FULL_DUPLEX: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_state_is_read_as_it_was_told() {
        assert_eq!(read(&indication(true, 1_000)), Some(true));
        assert_eq!(read(&indication(false, 1_000)), Some(false));
        assert_eq!(read(&StatusIndication::new(NdisStatus::RESET_START, [0; 40])), None);
        assert_eq!(read(&StatusIndication::new(NdisStatus::LINK_STATE, [])), None);
    }
}
