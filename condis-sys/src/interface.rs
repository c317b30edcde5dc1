//! What the kernel says of a network interface.
//!
//! Source: netdevice(7).

use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd};

/// A network interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interface {
    /// The number by which packet sockets know it.
    pub index: u32,
    /// The first six octets of its hardware address.
    pub address: [u8; 6],
    /// The kind of hardware: `ARPHRD_ETHER`, which is 1, for Ethernet.
    pub hardware: u16,
    /// Octets of the longest payload.
    pub mtu_octets: u32,
    /// It was set up (`IFF_UP`).
    pub is_up: bool,
    /// It is set up and has a carrier (`IFF_RUNNING`), so that frames can pass.
    pub is_running: bool,
}

impl Interface {
    /// Asks for the interface called `name` in the network namespace of `socket`, which may be any socket.
    ///
    /// # Errors
    /// `ENODEV` if there is none, also if no interface could have that name.
    pub fn query(socket: impl AsFd, name: &str) -> io::Result<Interface> {
        let socket = socket.as_fd().as_raw_fd();
        let mut request = request(name)?;
        let mut ask = |what| {
            // SAFETY: `request` is an `ifreq` that lives through the call, which is what all the requests below take and
            // fill in. The descriptor is open, as it is borrowed.
            let failed = unsafe { libc::ioctl(socket, what, &mut request) } != 0;
            if failed { Err(io::Error::last_os_error()) } else { Ok(request.ifr_ifru) }
        };
        // SAFETY: the request succeeded, so the kernel filled in this member of the union; and this one, like those below, is
        // made of plain numbers, for which every bit pattern is a value.
        let index = unsafe { ask(libc::SIOCGIFINDEX)?.ifru_ifindex };
        // SAFETY: as above.
        let mtu = unsafe { ask(libc::SIOCGIFMTU)?.ifru_mtu };
        // SAFETY: as above.
        let flags = i32::from(unsafe { ask(libc::SIOCGIFFLAGS)?.ifru_flags });
        // SAFETY: as above.
        let hardware = unsafe { ask(libc::SIOCGIFHWADDR)?.ifru_hwaddr };
        Ok(Interface {
            index: index.unsigned_abs(),
            address: std::array::from_fn(|octet| hardware.sa_data[octet] as u8),
            hardware: hardware.sa_family,
            mtu_octets: mtu.unsigned_abs(),
            is_up: flags & libc::IFF_UP != 0,
            is_running: flags & libc::IFF_UP != 0 && flags & libc::IFF_RUNNING != 0,
        })
    }
}

/// A request about the interface called `name`.
fn request(name: &str) -> io::Result<libc::ifreq> {
    // SAFETY: `ifreq` consists of numbers and of a union of such, and a null pointer; all zero is a value of it.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    let no_such_name =
        name.is_empty() || name.len() >= request.ifr_name.len() || name.bytes().any(|octet| octet == 0);
    if no_such_name {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn the_loopback_interface_is_what_it_is_everywhere() {
        let socket = UnixDatagram::unbound().unwrap();
        let lo = Interface::query(&socket, "lo").expect("every network namespace has it");
        assert_eq!((lo.index, lo.hardware, lo.address), (1, libc::ARPHRD_LOOPBACK, [0; 6]));
    }

    #[test]
    fn what_is_no_name_is_no_device() {
        let socket = UnixDatagram::unbound().unwrap();
        for name in ["", "none-such", "sixteen-octets--", "lo\0", &"x".repeat(1000)] {
            let error = Interface::query(&socket, name).expect_err(name);
            assert_eq!(error.raw_os_error(), Some(libc::ENODEV), "{name}");
        }
    }
}
