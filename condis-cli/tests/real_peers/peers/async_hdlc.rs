//! PPP frames in a stream of octets, as between pppd and `pppoe`: RFC 1662 §4, octet-stuffed, with a 16-bit checksum.

/// Appends `frame`, a PPP frame that begins with its protocol field.
pub(crate) fn encode(frame: &[u8], out: &mut Vec<u8>) {
    let body = [&ADDRESS_CONTROL, frame].concat();
    let fcs = !fcs16(&body);
    out.push(FLAG);
    // `pppoe` looks for the address as it is and for the control field escaped, which is how pppd writes them.
    out.push(body[0]);
    for octet in body[1..].iter().copied().chain(fcs.to_le_bytes()) {
        if octet == FLAG || octet == ESCAPE || octet < 0x20 {
            out.extend([ESCAPE, octet ^ 0x20]);
        } else {
            out.push(octet);
        }
    }
    out.push(FLAG);
}

/// Finds the frames in a stream.
#[derive(Default)]
pub(crate) struct Decoder {
    frame: Vec<u8>,
    escaped: bool,
}

impl Decoder {
    /// The frames that end in `octets`, each from its protocol field on. Panics at one that is damaged: nothing on the way
    /// may damage any.
    pub(crate) fn take(&mut self, octets: &[u8]) -> Vec<Vec<u8>> {
        octets.iter().filter_map(|octet| self.octet(*octet)).collect()
    }

    fn octet(&mut self, octet: u8) -> Option<Vec<u8>> {
        match octet {
            FLAG => return self.end(),
            ESCAPE => self.escaped = true,
            _ => {
                self.frame.push(if std::mem::take(&mut self.escaped) { octet ^ 0x20 } else { octet });
            }
        }
        None
    }

    fn end(&mut self) -> Option<Vec<u8>> {
        let frame = std::mem::take(&mut self.frame);
        if frame.is_empty() {
            // A flag that opens a frame after one that closed one.
            return None;
        }
        assert_eq!(fcs16(&frame), FCS_GOOD, "checksum of {frame:02x?}");
        let body = frame.strip_prefix(&ADDRESS_CONTROL).expect("`pppoe` does not compress the header");
        Some(body[..body.len() - 2].to_vec())
    }
}

/// RFC 1662 appendix C.
fn fcs16(octets: &[u8]) -> u16 {
    octets.iter().fold(0xffff, |fcs, octet| (fcs >> 8) ^ FCS_TABLE[usize::from((fcs as u8) ^ octet)])
}

const FCS_TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let mut fcs = octet as u16;
        let mut bit = 0;
        while bit < 8 {
            fcs = (fcs >> 1) ^ if fcs & 1 == 1 { 0x8408 } else { 0 };
            bit += 1;
        }
        table[octet] = fcs;
        octet += 1;
    }
    table
};

const FLAG: u8 = 0x7e;
const ESCAPE: u8 = 0x7d;
const ADDRESS_CONTROL: [u8; 2] = [0xff, 0x03];
/// What the checksum over a frame with its own checksum gives (RFC 1662 appendix C).
const FCS_GOOD: u16 = 0xf0b8;
