//! What the lab's clients say to each other: PPP frames of a protocol of their own.
//!
//! | octets | what |
//! |---|---|
//! | 2 | PPP protocol field, [`LAB_PROTOCOL`] |
//! | 1 | kind |
//! | 4 | DATA: number of the frame in its direction, from 0 |
//! | … | DATA: the data; REPORT: frames (4), octets (8), checksum (4) |
//! | 4 | CRC-32 of all before it: a session's frames have no checksum of their own |

/// The PPP protocol field of the lab: in the range of low-volume traffic without a control protocol (RFC 1661 §2), where
/// none is assigned.
pub(crate) const LAB_PROTOCOL: u16 = 0x6C6B;

/// What a DATA frame has beside its data.
pub const OVERHEAD_OCTETS: usize = HEAD_OCTETS + 4 + CRC_OCTETS;

const HEAD_OCTETS: usize = 3;
const CRC_OCTETS: usize = 4;

/// A frame of the lab.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LabFrame<'a> {
    /// A part of the data. It comes back as it is.
    Data(u32, &'a [u8]),
    /// What have you heard? Answered by a report.
    Ask,
    /// What the other end has heard so far.
    Report(Tally),
    /// Close the call, please.
    HangUp,
}

/// Data that was heard, or sent, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Frames with data.
    pub frames: u32,
    /// Octets of data.
    pub octets: u64,
    /// CRC-32 of the data in order.
    pub checksum: u32,
}

/// What a PPP frame is to a lab client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Heard<'a> {
    /// A frame of the lab.
    Lab(LabFrame<'a>),
    /// A frame of the lab that was damaged on its way.
    Damaged,
    /// Something else.
    Foreign,
}

impl<'a> LabFrame<'a> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.clear();
        out.extend(LAB_PROTOCOL.to_be_bytes());
        match self {
            LabFrame::Data(number, data) => {
                out.push(DATA);
                out.extend(number.to_be_bytes());
                out.extend(*data);
            }
            LabFrame::Ask => out.push(ASK),
            LabFrame::Report(tally) => {
                out.push(REPORT);
                out.extend(tally.frames.to_be_bytes());
                out.extend(tally.octets.to_be_bytes());
                out.extend(tally.checksum.to_be_bytes());
            }
            LabFrame::HangUp => out.push(HANG_UP),
        }
        out.extend(crc32fast::hash(out).to_be_bytes());
    }

    pub(crate) fn parse(octets: &'a [u8]) -> Heard<'a> {
        let Some(rest) = octets.strip_prefix(&LAB_PROTOCOL.to_be_bytes()) else { return Heard::Foreign };
        let Some((body, crc)) = rest.split_last_chunk::<CRC_OCTETS>() else { return Heard::Damaged };
        let covered = &octets[..octets.len() - CRC_OCTETS];
        if crc32fast::hash(covered) != u32::from_be_bytes(*crc) {
            return Heard::Damaged;
        }
        match body_of(body) {
            Some(frame) => Heard::Lab(frame),
            None => Heard::Damaged,
        }
    }
}

fn body_of(body: &[u8]) -> Option<LabFrame<'_>> {
    let (kind, rest) = body.split_first()?;
    match *kind {
        DATA => {
            let (number, data) = rest.split_first_chunk()?;
            Some(LabFrame::Data(u32::from_be_bytes(*number), data))
        }
        ASK if rest.is_empty() => Some(LabFrame::Ask),
        HANG_UP if rest.is_empty() => Some(LabFrame::HangUp),
        REPORT => {
            let (frames, rest) = rest.split_first_chunk()?;
            let (octets, rest) = rest.split_first_chunk()?;
            let checksum = rest.try_into().ok()?;
            Some(LabFrame::Report(Tally {
                frames: u32::from_be_bytes(*frames),
                octets: u64::from_be_bytes(*octets),
                checksum: u32::from_be_bytes(checksum),
            }))
        }
        _ => None,
    }
}

const DATA: u8 = 1;
const ASK: u8 = 2;
const REPORT: u8 = 3;
const HANG_UP: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_and_damage_is_seen() {
        let report = LabFrame::Report(Tally { frames: 7, octets: 1 << 40, checksum: 0xdead_beef });
        let mut octets = Vec::new();
        for frame in
            [LabFrame::Data(3, b"data"), LabFrame::Data(0, b""), LabFrame::Ask, report, LabFrame::HangUp]
        {
            frame.encode(&mut octets);
            assert_eq!(LabFrame::parse(&octets), Heard::Lab(frame));
            for bit in 16..octets.len() * 8 {
                let mut damaged = octets.clone();
                damaged[bit / 8] ^= 0x80 >> (bit % 8);
                assert_eq!(LabFrame::parse(&damaged), Heard::Damaged, "bit {bit} of {frame:?}");
            }
            for len in 2..octets.len() {
                assert_eq!(LabFrame::parse(&octets[..len]), Heard::Damaged);
            }
        }
        assert_eq!(LabFrame::parse(&[0xc0, 0x21, 1, 1]), Heard::Foreign);
        assert_eq!(LabFrame::parse(&[]), Heard::Foreign);
    }
}
