//! Packet sockets.
//!
//! Sending needs nothing of this: a packet socket takes whole frames like any other socket.
//!
//! Source: packet(7), recvmmsg(2), Linux Documentation/networking/filter.rst.

use std::io;
use std::mem::{self, offset_of, size_of};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// A raw packet socket that does not block: whole Ethernet frames, without the frame check sequence.
#[derive(Debug)]
pub struct PacketSocket(OwnedFd);

/// One instruction of a classic BPF program, as `struct sock_filter` has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// How many instructions to skip if a comparison is true.
    pub skip_if_true: u8,
    /// How many instructions to skip if it is false.
    pub skip_if_false: u8,
    /// The constant of the instruction.
    pub constant: u32,
}

impl PacketSocket {
    /// A socket that is bound to no interface and receives nothing yet.
    ///
    /// # Errors
    /// `EPERM` without CAP_NET_RAW.
    pub fn open() -> io::Result<PacketSocket> {
        let kind = libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
        // SAFETY: no memory is passed.
        let socket = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
        check(socket)?;
        // SAFETY: the descriptor was just made, and nothing else knows it.
        Ok(PacketSocket(unsafe { OwnedFd::from_raw_fd(socket) }))
    }

    /// From now on drops, in the kernel, every frame for which `program` returns 0.
    ///
    /// # Errors
    /// `EINVAL` if the program is not a valid one.
    pub fn attach_filter(&self, program: &[Instruction]) -> io::Result<()> {
        let mut program: Vec<_> = program
            .iter()
            .map(|i| libc::sock_filter {
                code: i.code,
                jt: i.skip_if_true,
                jf: i.skip_if_false,
                k: i.constant,
            })
            .collect();
        let len = u16::try_from(program.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
        let program = libc::sock_fprog { len, filter: program.as_mut_ptr() };
        // SAFETY: SO_ATTACH_FILTER reads a `sock_fprog` and the `len` instructions that it points to; `filter` comes from a
        // vector of that length, which lives to the end of this function. The kernel keeps a copy.
        unsafe { self.set_option(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program) }
    }

    /// From now on the kernel says which VLAN tag it took out of a frame, and [`PacketSocket::receive`] puts it back.
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn report_tags(&self) -> io::Result<()> {
        let on: libc::c_int = 1;
        // SAFETY: PACKET_AUXDATA reads an `int`.
        unsafe { self.set_option(libc::SOL_PACKET, libc::PACKET_AUXDATA, &on) }
    }

    /// Sends to, and from now on receives from, the interface with this number: frames of every EtherType that pass the
    /// filter, those that this host sends too unless the filter drops them.
    ///
    /// # Errors
    /// `ENODEV` if there is no such interface. `ENETDOWN` if it is down; the socket is bound nevertheless.
    pub fn bind(&self, interface_index: u32) -> io::Result<()> {
        // SAFETY: `sockaddr_ll` consists of numbers; all zero is a value of it.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = interface_index as i32;
        let address_len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: a `sockaddr_ll` is an address of this family, and `address_len` is its size; it lives through the call.
        check(unsafe { libc::bind(self.0.as_raw_fd(), (&raw const address).cast(), address_len) })
    }

    /// Reads as many frames as there are, but not more than there are slots, and gives how many; the first slots have
    /// them. Does not wait.
    ///
    /// # Errors
    /// `EAGAIN` if there is none. `ENETDOWN`, once, after the interface went down or away.
    pub fn receive(&self, slots: &mut [Slot]) -> io::Result<usize> {
        let slots_len = slots.len().min(BATCH_LEN_MAX);
        let slots = &mut slots[..slots_len];
        // SAFETY: `iovec` and `mmsghdr` consist of numbers and pointers; all zero, all null, is a value of them.
        let mut vectors: [libc::iovec; BATCH_LEN_MAX] = unsafe { mem::zeroed() };
        // SAFETY: as above.
        let mut headers: [libc::mmsghdr; BATCH_LEN_MAX] = unsafe { mem::zeroed() };
        for ((slot, vector), header) in slots.iter_mut().zip(&mut vectors).zip(&mut headers) {
            let room = &mut slot.buffer[TAG_OCTETS..];
            vector.iov_base = room.as_mut_ptr().cast();
            vector.iov_len = room.len();
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = slot.control.0.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = slot.control.0.len() as _;
        }
        // SAFETY: `slots_len` headers are filled in, and no more are told of. Each points to one vector and one control
        // buffer, with their sizes; those lie in `vectors` and in `slots`, which are borrowed mutably, do not move and live
        // beyond the call. The kernel writes there, and within the headers, and keeps no pointer.
        let received = unsafe {
            libc::recvmmsg(
                self.0.as_raw_fd(),
                headers.as_mut_ptr(),
                slots_len as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        check(received)?;
        let received = received as usize;
        for (slot, header) in slots.iter_mut().zip(&headers).take(received) {
            let truncated = header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
            slot.fill(header.msg_len as usize, header.msg_hdr.msg_controllen as _, truncated);
        }
        Ok(received)
    }

    /// How many frames were lost since this was asked last, because they were not read in time.
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn take_overruns(&self) -> io::Result<u32> {
        let mut statistics = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
        let mut len = size_of::<libc::tpacket_stats>() as libc::socklen_t;
        // SAFETY: PACKET_STATISTICS writes a `tpacket_stats`, at most `len` octets of it, and the length into `len`. Both live
        // through the call.
        check(unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut statistics).cast(),
                &mut len,
            )
        })?;
        Ok(statistics.tp_drops)
    }

    /// # Safety
    /// The option must be one that reads a `T`.
    unsafe fn set_option<T>(&self, level: libc::c_int, option: libc::c_int, value: &T) -> io::Result<()> {
        let len = size_of::<T>() as libc::socklen_t;
        // SAFETY: `value` is `len` octets long and lives through the call, and is what the option reads.
        check(unsafe { libc::setsockopt(self.0.as_raw_fd(), level, option, (&raw const *value).cast(), len) })
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Room for one received frame.
pub struct Slot {
    /// Room for a tag, and then the frame as the kernel gives it. A tag is put back by moving the two addresses in front of
    /// it forward, so the payload never moves.
    buffer: Box<[u8]>,
    control: Control,
    begin: usize,
    end: usize,
    truncated: bool,
}

impl Slot {
    /// Room for a frame of up to `frame_octets_max`, its tags included.
    pub fn new(frame_octets_max: usize) -> Slot {
        Slot {
            buffer: vec![0; TAG_OCTETS + frame_octets_max].into(),
            control: Control([0; CONTROL_OCTETS]),
            begin: 0,
            end: 0,
            truncated: false,
        }
    }

    /// The frame that was received last, as it was on the wire.
    pub fn frame(&self) -> &[u8] {
        &self.buffer[self.begin..self.end]
    }

    /// True if the frame was longer than the slot has room, and so is not whole.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// The kernel put `octets` into the buffer, behind the room for the tag, and so many into the control buffer.
    fn fill(&mut self, octets: usize, control_octets: usize, truncated: bool) {
        self.truncated = truncated;
        self.begin = TAG_OCTETS;
        self.end = self.buffer.len().min(TAG_OCTETS + octets);
        let control = &self.control.0[..control_octets.min(CONTROL_OCTETS)];
        let Some((protocol, tag)) = removed_tag(control) else { return };
        if octets < ADDRESSES_OCTETS {
            return;
        }
        self.begin = 0;
        self.buffer.copy_within(TAG_OCTETS..TAG_OCTETS + ADDRESSES_OCTETS, 0);
        self.buffer[ADDRESSES_OCTETS..][..2].copy_from_slice(&protocol.to_be_bytes());
        self.buffer[ADDRESSES_OCTETS + 2..][..2].copy_from_slice(&tag.to_be_bytes());
    }
}

/// A buffer for one control message, aligned as the kernel wants it.
#[repr(align(8))]
struct Control([u8; CONTROL_OCTETS]);

/// The protocol and the control information of the tag that the kernel took out, if it says so in `control`.
fn removed_tag(control: &[u8]) -> Option<(u16, u16)> {
    let level = int_at(control, offset_of!(libc::cmsghdr, cmsg_level))?;
    let kind = int_at(control, offset_of!(libc::cmsghdr, cmsg_type))?;
    if (level, kind) != (libc::SOL_PACKET, libc::PACKET_AUXDATA) {
        return None;
    }
    let data = control.get(DATA_OFFSET..)?;
    let status = int_at(data, offset_of!(libc::tpacket_auxdata, tp_status))? as u32;
    let tag = short_at(data, offset_of!(libc::tpacket_auxdata, tp_vlan_tci))?;
    let protocol = short_at(data, offset_of!(libc::tpacket_auxdata, tp_vlan_tpid))?;
    let valid = |bit| status & bit != 0;
    // Kernels before 3.14 do not say which kind of tag it was; it is then the common one.
    let protocol = if valid(libc::TP_STATUS_VLAN_TPID_VALID) { protocol } else { libc::ETH_P_8021Q as u16 };
    valid(libc::TP_STATUS_VLAN_VALID).then_some((protocol, tag))
}

fn int_at(bytes: &[u8], at: usize) -> Option<i32> {
    bytes.get(at..)?.first_chunk().copied().map(i32::from_ne_bytes)
}

fn short_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_ne_bytes)
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Frames that one call reads at most.
pub const BATCH_LEN_MAX: usize = 64;

/// Octets of a VLAN tag.
const TAG_OCTETS: usize = 4;

/// Octets in front of the tag: two addresses.
const ADDRESSES_OCTETS: usize = 12;

/// Where the data of a control message begins (`CMSG_ALIGN` of its header), and room for one that carries auxiliary data.
const DATA_OFFSET: usize = size_of::<libc::cmsghdr>().next_multiple_of(size_of::<usize>());
const CONTROL_OCTETS: usize =
    DATA_OFFSET + size_of::<libc::tpacket_auxdata>().next_multiple_of(size_of::<usize>());

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x88, 0x64, 0xaa, 0xbb];

    /// A slot as it is after the kernel has written `FRAME` and this control message.
    fn slot(level: i32, kind: i32, status: u32, tag: u16, protocol: u16) -> Slot {
        let mut slot = Slot::new(64);
        slot.buffer[TAG_OCTETS..][..FRAME.len()].copy_from_slice(&FRAME);
        let mut put = |at: usize, bytes: &[u8]| slot.control.0[at..at + bytes.len()].copy_from_slice(bytes);
        put(offset_of!(libc::cmsghdr, cmsg_level), &level.to_ne_bytes());
        put(offset_of!(libc::cmsghdr, cmsg_type), &kind.to_ne_bytes());
        put(DATA_OFFSET + offset_of!(libc::tpacket_auxdata, tp_status), &status.to_ne_bytes());
        put(DATA_OFFSET + offset_of!(libc::tpacket_auxdata, tp_vlan_tci), &tag.to_ne_bytes());
        put(DATA_OFFSET + offset_of!(libc::tpacket_auxdata, tp_vlan_tpid), &protocol.to_ne_bytes());
        slot
    }

    fn with_status(status: u32) -> Slot {
        slot(libc::SOL_PACKET, libc::PACKET_AUXDATA, status, 0xa123, 0x88a8)
    }

    #[test]
    fn a_tag_that_was_taken_out_is_put_back() {
        let both = libc::TP_STATUS_VLAN_VALID | libc::TP_STATUS_VLAN_TPID_VALID;
        for (status, protocol) in [(both, [0x88, 0xa8]), (libc::TP_STATUS_VLAN_VALID, [0x81, 0x00])] {
            let mut slot = with_status(status);
            slot.fill(FRAME.len(), CONTROL_OCTETS, false);
            assert_eq!(slot.frame(), [&FRAME[..12], &protocol, &[0xa1, 0x23], &FRAME[12..]].concat());
        }
    }

    #[test]
    fn a_frame_without_a_tag_stays_as_it_is() {
        let other_kind = slot(libc::SOL_SOCKET, libc::SCM_TIMESTAMP, u32::MAX, 1, 1);
        for (mut slot, control_octets) in
            [(with_status(0), CONTROL_OCTETS), (other_kind, CONTROL_OCTETS), (with_status(u32::MAX), 0)]
        {
            slot.fill(FRAME.len(), control_octets, false);
            assert_eq!(slot.frame(), FRAME);
        }
    }

    #[test]
    fn sizes_beyond_the_room_are_cut_to_it() {
        let mut slot = with_status(u32::MAX);
        slot.fill(10_000, 10_000, true);
        assert_eq!((slot.frame().len(), slot.is_truncated()), (TAG_OCTETS + 64, true));
        let mut slot = with_status(u32::MAX);
        slot.fill(11, CONTROL_OCTETS, false);
        assert_eq!((slot.frame(), slot.is_truncated()), (&FRAME[..11], false));
    }

    /// The layout that the safe parser of the control message assumes is the one that the C macros compute.
    #[test]
    fn control_messages_lie_as_the_c_macros_say() {
        let data_octets = size_of::<libc::tpacket_auxdata>() as u32;
        // SAFETY: CMSG_SPACE and CMSG_LEN only compute.
        let (space, len) = unsafe { (libc::CMSG_SPACE(data_octets), libc::CMSG_LEN(data_octets)) };
        assert_eq!((space as usize, len as usize), (CONTROL_OCTETS, DATA_OFFSET + data_octets as usize));
    }

    #[test]
    fn a_socket_that_is_not_bound_has_nothing_to_read() {
        let socket = match PacketSocket::open() {
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
                println!("SKIPPED a_socket_that_is_not_bound_has_nothing_to_read: needs root");
                return;
            }
            opened => opened.expect("a packet socket"),
        };
        let mut slots: Vec<Slot> = (0..100).map(|_| Slot::new(1514)).collect();
        for slots in [&mut slots[..], &mut []] {
            let nothing = socket.receive(slots);
            assert!(matches!(&nothing, Ok(0)) || nothing.unwrap_err().kind() == io::ErrorKind::WouldBlock);
        }
        assert_eq!(socket.take_overruns().unwrap(), 0);
        assert_eq!(socket.bind(u32::MAX >> 1).unwrap_err().raw_os_error(), Some(libc::ENODEV));
        let nonsense = Instruction { code: 0xffff, skip_if_true: 0, skip_if_false: 0, constant: 0 };
        assert_eq!(socket.attach_filter(&[nonsense]).unwrap_err().raw_os_error(), Some(libc::EINVAL));
        assert!(socket.attach_filter(&vec![nonsense; 70_000]).is_err());
    }
}
