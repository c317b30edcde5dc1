//! Opening an interface: the part that needs rights.

use std::fs;
use std::io;

use condis_sys::interface::Interface;
use condis_sys::packet::PacketSocket;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::OpenError;
use super::filter::{self, ETHERTYPES_LEN_MAX};
use crate::header::EtherType;

/// An open network interface, from which a link can be [started](super::Ethernet::start).
///
/// Frames that arrive in between wait in the socket.
#[derive(Debug)]
pub struct EthernetSocket {
    pub(super) packets: PacketSocket,
    /// Becomes readable when any interface changes.
    pub(super) changes: OwnedFd,
    pub(super) name: String,
    pub(super) interface: Interface,
    pub(super) speed_bps: Option<u64>,
}

impl EthernetSocket {
    /// Opens the interface called `name`, of the network namespace of the calling thread, for frames of these EtherTypes,
    /// with VLAN tags and without.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(name: &str, ethertypes: &[EtherType]) -> Result<EthernetSocket, OpenError> {
        if !(1..=ETHERTYPES_LEN_MAX).contains(&ethertypes.len()) {
            return Err(OpenError::EtherTypes { count: ethertypes.len() });
        }
        let system = |operation| {
            move |source: io::Error| OpenError::System { operation, name: name.to_owned(), source }
        };
        // Changes are listened for before the state is asked, so that none falls in between. This socket needs no right, and
        // a wrong name is told even to those who have none.
        let changes = listen_for_changes().map_err(io::Error::from).map_err(system("watch for changes"))?;
        let interface =
            Interface::query(&changes, name).map_err(|error| match Errno::from_io_error(&error) {
                Some(Errno::NODEV) => OpenError::no_such_interface(name, existing_names()),
                _ => system("ask for the state")(error),
            })?;
        if interface.hardware != ARPHRD_ETHER {
            return Err(OpenError::NotEthernet { name: name.to_owned(), hardware: interface.hardware });
        }
        if !interface.is_up {
            return Err(OpenError::InterfaceDown { name: name.to_owned() });
        }
        let packets = PacketSocket::open().map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::PERM | Errno::ACCESS) => OpenError::NotPermitted { name: name.to_owned() },
            _ => system("open a packet socket")(error),
        })?;
        // The filter comes before the binding, so that no frame gets in that it would have dropped.
        packets.attach_filter(&filter::program(ethertypes)).map_err(system("set a filter"))?;
        packets.report_tags().map_err(system("ask for VLAN tags"))?;
        packets.bind(interface.index).map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::NETDOWN) => OpenError::InterfaceDown { name: name.to_owned() },
            Some(Errno::NODEV) => OpenError::no_such_interface(name, existing_names()),
            _ => system("receive")(error),
        })?;
        let speed_bps = speed_bps(name);
        Ok(EthernetSocket { packets, changes, name: name.to_owned(), interface, speed_bps })
    }

    /// Whether frames can pass at present. An interface that was renamed is still the one that was opened.
    pub(super) fn is_running(&self) -> bool {
        let name = rustix::net::netdevice::index_to_name(&self.changes, self.interface.index);
        name.is_ok_and(|name| {
            let now = Interface::query(&self.changes, &name);
            now.is_ok_and(|now| now.index == self.interface.index && now.is_running)
        })
    }
}

/// A socket on which the kernel tells of every interface that changes. Source: rtnetlink(7).
fn listen_for_changes() -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    // No protocol is number 0, which is NETLINK_ROUTE.
    let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
    rustix::net::bind(&socket, &SocketAddrNetlink::new(0, RTMGRP_LINK))?;
    Ok(socket)
}

/// The names of all interfaces in the network namespace of this thread; none if they cannot be read.
fn existing_names() -> Vec<String> {
    let table = fs::read_to_string("/proc/thread-self/net/dev").unwrap_or_default();
    names_in(&table)
}

/// The names in the table of proc(5), `/proc/net/dev`, which has two lines of heading.
fn names_in(table: &str) -> Vec<String> {
    let names = table.lines().skip(2).filter_map(|line| line.split_once(':'));
    names.map(|(name, _)| name.trim().to_owned()).collect()
}

/// What the driver says its rate is: virtual ones have none, or one that is made up.
fn speed_bps(name: &str) -> Option<u64> {
    let megabits = fs::read_to_string(format!("/sys/class/net/{name}/speed")).ok()?;
    let megabits: u64 = megabits.trim().parse().ok()?;
    megabits.checked_mul(1_000_000)
}

/// Hardware type of Ethernet, include/uapi/linux/if_arp.h.
const ARPHRD_ETHER: u16 = 1;

/// The multicast group of changes to interfaces, include/uapi/linux/rtnetlink.h.
const RTMGRP_LINK: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_interface_is_told_without_any_right() {
        let error = EthernetSocket::open("none-such", &[EtherType::PPPOE_DISCOVERY]).expect_err("missing");
        let OpenError::NoSuchInterface { name, existing, .. } = error else { panic!("{error}") };
        assert_eq!(name, "none-such");
        assert!(existing.contains(&"lo".to_owned()));
    }

    #[test]
    fn the_loopback_interface_is_no_ethernet() {
        let error = EthernetSocket::open("lo", &[EtherType::PPPOE_DISCOVERY]).expect_err("no Ethernet");
        assert!(matches!(error, OpenError::NotEthernet { hardware: 772, .. }), "{error}");
    }

    #[test]
    fn ethertypes_are_bounded() {
        for count in [0, ETHERTYPES_LEN_MAX + 1] {
            let error = EthernetSocket::open("lo", &vec![EtherType(0x8863); count]).expect_err("refused");
            assert!(matches!(error, OpenError::EtherTypes { count: told } if told == count), "{error}");
        }
    }

    #[test]
    fn names_are_read_from_the_table() {
        let table = "Inter-|   Receive\n face |bytes\n    lo: 10 0\n  eth0:5 0\nwith space: 1\n\nno colon\n";
        assert_eq!(names_in(table), ["lo", "eth0", "with space"]);
    }
}
