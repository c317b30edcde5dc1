//! What an ATMARP server knows: the stations of its subnet.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::member::LisVc;
use crate::addr::AtmAddress;

/// A station that has registered.
pub(super) struct Registered {
    pub(super) atm: AtmAddress,
    /// The connection on which it did.
    pub(super) vc: LisVc,
}

/// The table of a server.
#[derive(Default)]
pub(super) struct Registry {
    by_ip: BTreeMap<Ipv4Addr, Registered>,
}

/// What became of a registration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Registration {
    Done,
    /// The address is another's, whose connection stands (RFC 2225 §8.4.4).
    Duplicate,
    Full,
}

impl Registry {
    pub(super) fn register(
        &mut self,
        ip: Ipv4Addr,
        atm: &AtmAddress,
        vc: LisVc,
        is_up: impl Fn(LisVc) -> bool,
    ) -> Registration {
        let is_full = self.by_ip.len() >= STATIONS_MAX;
        match self.by_ip.get_mut(&ip) {
            Some(there) if there.atm != *atm && is_up(there.vc) => Registration::Duplicate,
            Some(there) => {
                *there = Registered { atm: atm.clone(), vc };
                Registration::Done
            }
            None if is_full => Registration::Full,
            None => {
                self.by_ip.insert(ip, Registered { atm: atm.clone(), vc });
                Registration::Done
            }
        }
    }

    pub(super) fn get(&self, ip: Ipv4Addr) -> Option<&Registered> {
        self.by_ip.get(&ip)
    }

    pub(super) fn remove(&mut self, ip: Ipv4Addr) {
        self.by_ip.remove(&ip);
    }
}

/// Stations of a subnet that a server keeps at most. 4096: a /20, beyond which RFC 2225 §4 would have more subnets.
const STATIONS_MAX: usize = 4096;
