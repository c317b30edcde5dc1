//! Where PDUs are put together.

use condis::nbl::Nbl;

/// Memory that a PDU is put together in, and in which its SDU is then handed on.
///
/// It has its room from the moment it is supplied, and the same room each time it is asked. A PDU in a buffer that breaks its
/// word is dropped, as too long or of a wrong length.
pub trait PduBuffer {
    /// The octets to write to, from the first octet of the SDU on.
    fn room(&mut self) -> &mut [u8];

    /// The first `sdu_octets` of the room are the SDU; pad and trailer lie behind it.
    fn finish(&mut self, sdu_octets: usize);
}

/// Its elements are the room; it is cut to the SDU.
impl PduBuffer for Vec<u8> {
    fn room(&mut self) -> &mut [u8] {
        self
    }

    fn finish(&mut self, sdu_octets: usize) {
        self.truncate(sdu_octets);
    }
}

/// Its octets are the room; [`Pdu::sdu_octets`](super::Pdu::sdu_octets) tells how many the SDU has.
impl PduBuffer for Box<[u8]> {
    fn room(&mut self) -> &mut [u8] {
        self
    }

    fn finish(&mut self, _sdu_octets: usize) {}
}

/// A fresh list of a pool: the room is what follows its data, which is none yet, and the SDU becomes the data of its net
/// buffer. The pool's lists need [`pdu_octets`](super::pdu_octets) of the longest SDU, in `data_size` and `tailroom` together.
impl PduBuffer for Nbl {
    fn room(&mut self) -> &mut [u8] {
        self.first_mut().tail_mut().unwrap_or_default()
    }

    fn finish(&mut self, sdu_octets: usize) {
        let set = self.first_mut().set_data_length(sdu_octets);
        debug_assert!(set.is_ok(), "the SDU has been written into this room");
    }
}
