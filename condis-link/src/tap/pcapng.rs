//! Writing pcapng files.
//!
//! Just what a tap needs: one section, one interface, one block a frame with nanoseconds and direction. It is ours
//! because pcap-parser only reads, and pcap-file 2.0 writes times that are off by a factor of a thousand.
//!
//! Source: draft-ietf-opsawg-pcapng-05; the section numbers below are its own. All numbers are little-endian, so that a run
//! gives the same octets on every machine.

use std::io::{self, Write};

use condis::runtime::Time;

use crate::MacAddr;

/// A pcapng file that is being written.
pub(super) struct Pcapng<W> {
    to: W,
    /// Blocks are put together here, so that a block is one write.
    block: Vec<u8>,
    octets_written: u64,
}

/// What the file says of the interface.
pub(super) struct InterfaceDescription<'a> {
    pub(super) link_type: LinkType,
    pub(super) name: &'a str,
    pub(super) address: Option<MacAddr>,
    pub(super) speed_bps: Option<u64>,
}

/// What a packet begins with; the values are those of the registry (draft-ietf-opsawg-pcaplinktype).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LinkType {
    Ethernet = 1,
    /// Four octets of header, then an AAL5 SDU.
    SunAtm = 123,
}

/// Which way a frame went; the values are those of `epb_flags`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Direction {
    Inbound = 1,
    Outbound = 2,
}

impl<W: Write> Pcapng<W> {
    /// Begins a file.
    pub(super) fn begin(to: W, interface: &InterfaceDescription<'_>) -> io::Result<Pcapng<W>> {
        let mut file = Pcapng { to, block: Vec::new(), octets_written: 0 };
        file.section_header();
        file.write_block()?;
        file.interface_description(interface);
        file.write_block()?;
        Ok(file)
    }

    /// Writes one frame, which lies in pieces. False if the file would grow beyond `octets_max`; nothing is written then.
    pub(super) fn packet<'a>(
        &mut self,
        at: Time,
        direction: Direction,
        parts: impl Iterator<Item = &'a [u8]> + Clone,
        octets_max: u64,
    ) -> io::Result<bool> {
        let octets: usize = parts.clone().map(<[u8]>::len).sum();
        let block_octets = (PACKET_BLOCK_OCTETS + octets.next_multiple_of(4)) as u64;
        if self.octets_written.saturating_add(block_octets) > octets_max {
            return Ok(false);
        }
        // §4.3. Interface 0; then the time, high half first; then how much is here, and how much there was.
        let [high, low] = [(at.as_nanos() >> 32) as u32, at.as_nanos() as u32];
        let octets = u32::try_from(octets).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.begin_block(ENHANCED_PACKET);
        for number in [0, high, low, octets, octets] {
            self.put(&number.to_le_bytes());
        }
        parts.for_each(|part| self.put(part));
        self.pad();
        self.option(EPB_FLAGS, &(direction as u32).to_le_bytes());
        self.option(END_OF_OPTIONS, &[]);
        self.write_block()?;
        Ok(true)
    }

    /// Hands all to the system.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    pub(super) fn into_inner(self) -> W {
        self.to
    }

    /// §4.1
    fn section_header(&mut self) {
        self.begin_block(SECTION_HEADER);
        self.put(&BYTE_ORDER_MAGIC.to_le_bytes());
        self.put(&VERSION_MAJOR.to_le_bytes());
        self.put(&VERSION_MINOR.to_le_bytes());
        self.put(&SECTION_LENGTH_UNKNOWN.to_le_bytes());
        self.option(SHB_USERAPPL, b"condis");
        self.option(END_OF_OPTIONS, &[]);
    }

    /// §4.2
    fn interface_description(&mut self, interface: &InterfaceDescription<'_>) {
        self.begin_block(INTERFACE_DESCRIPTION);
        self.put(&(interface.link_type as u16).to_le_bytes());
        self.put(&[0; 2]);
        self.put(&SNAPLEN_NO_LIMIT.to_le_bytes());
        self.option(IF_NAME, interface.name.as_bytes());
        if let Some(address) = interface.address {
            self.option(IF_MACADDR, address.as_ref());
        }
        if let Some(speed_bps) = interface.speed_bps {
            self.option(IF_SPEED, &speed_bps.to_le_bytes());
        }
        self.option(IF_TSRESOL, &[NANOSECONDS]);
        self.option(END_OF_OPTIONS, &[]);
    }

    /// §3.5. A value longer than its length can tell is cut.
    fn option(&mut self, code: u16, value: &[u8]) {
        let len = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.put(&code.to_le_bytes());
        self.put(&len.to_le_bytes());
        self.put(&value[..usize::from(len)]);
        self.pad();
    }

    /// §3.1: type, length, body, and the length again.
    fn begin_block(&mut self, kind: u32) {
        self.block.clear();
        self.put(&kind.to_le_bytes());
        self.put(&[0; 4]);
    }

    fn write_block(&mut self) -> io::Result<()> {
        let octets = u32::try_from(self.block.len() + 4).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.block[4..8].copy_from_slice(&octets.to_le_bytes());
        self.put(&octets.to_le_bytes());
        self.octets_written += u64::from(octets);
        self.to.write_all(&self.block)
    }

    fn put(&mut self, octets: &[u8]) {
        self.block.extend_from_slice(octets);
    }

    fn pad(&mut self) {
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }
}

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
const VERSION_MAJOR: u16 = 1;
const VERSION_MINOR: u16 = 0;
const SECTION_LENGTH_UNKNOWN: i64 = -1;
const SNAPLEN_NO_LIMIT: u32 = 0;
/// Units of 10^-9 s.
const NANOSECONDS: u8 = 9;

const END_OF_OPTIONS: u16 = 0;
const SHB_USERAPPL: u16 = 4;
const IF_NAME: u16 = 2;
const IF_MACADDR: u16 = 6;
const IF_SPEED: u16 = 8;
const IF_TSRESOL: u16 = 9;
const EPB_FLAGS: u16 = 2;

/// Octets of an enhanced packet block around its frame: 28 before it, 12 of options, and the length again.
const PACKET_BLOCK_OCTETS: usize = 28 + 12 + 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn begin() -> Pcapng<Vec<u8>> {
        let description = InterfaceDescription {
            link_type: LinkType::Ethernet,
            name: "wire",
            address: Some(MacAddr::local(1)),
            speed_bps: Some(1000),
        };
        Pcapng::begin(Vec::new(), &description).expect("a vector takes everything")
    }

    #[test]
    fn a_file_begins_as_the_standard_says() {
        #[rustfmt::skip]
        let golden = [
            // §4.1: type, length 44, magic, 1.0, length unknown, shb_userappl, end, length
            0x0a, 0x0d, 0x0d, 0x0a, 44, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0,
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 4, 0, 6, 0, b'c', b'o', b'n', b'd', b'i', b's', 0, 0,
            0, 0, 0, 0, 44, 0, 0, 0,
            // §4.2: type, length 64, Ethernet, no limit, if_name, if_MACaddr, if_speed, if_tsresol, end, length
            1, 0, 0, 0, 64, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 4, 0, b'w', b'i', b'r', b'e',
            6, 0, 6, 0, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0, 8, 0, 0xe8, 3, 0, 0, 0, 0, 0, 0,
            9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0,
        ];
        assert_eq!(begin().into_inner(), golden);
    }

    #[test]
    fn a_packet_is_one_block_and_counts_as_what_it_takes() {
        for octets in 0..9 {
            let mut file = begin();
            let before = file.octets_written;
            let frame = [0xee; 9];
            let parts = [&frame[..octets / 2], &frame[octets / 2..octets]];
            let exact = before + 44 + octets.next_multiple_of(4) as u64;
            let at = Time::from_nanos(0x0102_0304_0506_0708);
            let mut write =
                |octets_max| file.packet(at, Direction::Outbound, parts.iter().copied(), octets_max);
            assert!(!write(exact - 1).unwrap(), "no room");
            assert!(write(exact).unwrap());
            assert!(!write(exact).unwrap(), "full");
            let written = file.into_inner();
            assert_eq!(written.len() as u64, exact);
            let block = &written[before as usize..];
            assert_eq!(block[8..20], [0, 0, 0, 0, 4, 3, 2, 1, 8, 7, 6, 5], "§4.3: high half, low half");
            assert_eq!((block[20], block[24]), (octets as u8, octets as u8));
            assert_eq!(block[block.len() - 16..][..8], [2, 0, 4, 0, 2, 0, 0, 0], "outbound");
        }
    }
}
