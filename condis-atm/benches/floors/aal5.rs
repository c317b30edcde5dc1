//! The work of AAL5 that cannot be avoided: what the library is compared with.

use condis_link::atm::{CELL_OCTETS, Cell};
use crc_fast::{CrcAlgorithm, checksum};

const PAYLOAD: usize = 48;
const HEADER: usize = CELL_OCTETS - PAYLOAD;

/// The AAL5 header bit that ends a PDU, in the fourth octet of a cell.
const LAST: u8 = 0b10;

/// Two passes: crc-fast over the PDU, then 48 octets at a time behind a ready header. The CRC goes where it belongs afterwards.
///
/// `pdu` is padded already, and has its trailer but for the CRC; so the floor spares finding out where things belong.
#[inline(never)]
pub(crate) fn segment(pdu: &[u8], header: [u8; HEADER], last: [u8; HEADER], cells: &mut [Cell]) -> usize {
    let crc = checksum(CrcAlgorithm::Crc32Bzip2, &pdu[..pdu.len() - 4]) as u32;
    let (payloads, _) = pdu.as_chunks::<PAYLOAD>();
    for (payload, cell) in payloads.iter().zip(cells.iter_mut()) {
        cell[..HEADER].copy_from_slice(&header);
        cell[HEADER..].copy_from_slice(payload);
    }
    let cell = &mut cells[payloads.len() - 1];
    cell[..HEADER].copy_from_slice(&last);
    cell[CELL_OCTETS - 4..].copy_from_slice(&crc.to_be_bytes());
    payloads.len()
}

/// Puts one PDU together, up to the cell that ends it, then crc-fast over the whole. No VC is looked up, no HEC checked.
/// Gives the octets of the SDU, or nothing if the CRC is wrong.
#[inline(never)]
pub(crate) fn reassemble(cells: &[Cell], buffer: &mut [u8]) -> Option<usize> {
    let (rooms, _) = buffer.as_chunks_mut::<PAYLOAD>();
    let mut taken = 0;
    for (cell, room) in cells.iter().zip(rooms) {
        room.copy_from_slice(&cell[HEADER..]);
        taken += 1;
        if cell[3] & LAST != 0 {
            break;
        }
    }
    let pdu = &buffer[..taken * PAYLOAD];
    let (covered, crc) = pdu.split_last_chunk::<4>()?;
    if checksum(CrcAlgorithm::Crc32Bzip2, covered) as u32 != u32::from_be_bytes(*crc) {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([covered[covered.len() - 2], covered[covered.len() - 1]]));
    (length <= covered.len() - 4).then_some(length)
}
