//! IP clients: their place in a subnet, their permanent connections, and what their hosts ask.

use std::net::Ipv4Addr;
use std::time::Duration;

use condis_atm::addr::AtmAddress;
use condis_atm::driver::SapAddress;
use condis_atm::ip::classical::{LisConfig, Server};
use condis_atm::ip::driver::IpPvc;
use condis_atm::ip::encap::Encapsulation;
use toml::Spanned;

use super::Checker;
use crate::lab::error::did_you_mean;
use crate::lab::file::{IpPvcTable, IpTable};
use crate::lab::ip::{HostPlan, IpPlan, PingPlan};
use crate::lab::{AdapterPlan, AtmPlan, LabError, Network, NodePlan};

impl Checker<'_> {
    pub(super) fn ip(
        &self,
        name: &Spanned<String>,
        table: &IpTable,
        node: &NodePlan,
        nodes: &[NodePlan],
    ) -> Result<IpPlan, LabError> {
        let adapter = self.adapter_of(&table.adapter, node)?;
        let Network::Atm(atm) = &adapter.network else {
            return Err(self
                .source
                .error(
                    table.adapter.span(),
                    format!("adapter \"{}\" is not one of ATM", adapter.name),
                    "this one",
                )
                .help("expected an adapter with [\"atm-miniport\", \"uni-call-manager\"] or [\"atm-mcm\"]"));
        };
        let (ip, prefix_len) = self.subnet(&table.ip)?;
        let server =
            match &table.server {
                None => Server::None,
                Some(here) if here.get_ref() == "here" => Server::Here,
                Some(at) => Server::At(self.whom(at, &node.name, nodes).map_err(|error| {
                    match at.get_ref().contains('/') {
                        true => error,
                        false => {
                            error.help("expected \"here\", NODE/ADAPTER, or an address of 40 hex digits")
                        }
                    }
                })?),
            };
        if server == Server::None && table.pvcs.is_empty() {
            return Err(self
                .source
                .error(name.span(), format!("\"{}\" reaches nobody", name.get_ref()), "this client")
                .help("expected `server = \"here\"`, the ATMARP server of the subnet; `server = \"NODE/ADAPTER\"` or an address; \
                       or `pvcs = [{ pvc = \"0.100\" }]`, permanent connections"));
        }
        let mut lis = LisConfig::new(ip, prefix_len, self.own_address(table, atm)?, server);
        if let Some(mtu) = &table.mtu {
            lis.mtu_octets = self.octets_in(mtu, MTU_OCTETS_MIN, MTU_OCTETS_MAX, "an MTU")?;
        }
        if let Some(idle) = &table.idle {
            lis.idle = self.source.duration(idle)?;
        }
        let pvcs = table.pvcs.iter().map(|pvc| self.ip_pvc(pvc)).collect::<Result<Vec<_>, _>>()?;
        for (at, pvc) in table.pvcs.iter().zip(&pvcs) {
            if pvcs.iter().filter(|other| other.vpvc == pvc.vpvc).count() > 1 {
                return Err(self.source.error(
                    at.span(),
                    format!("{} is there twice", pvc.vpvc),
                    "one of them",
                ));
            }
        }
        let host = self.host(table, &lis, &pvcs)?;
        Ok(IpPlan { name: name.get_ref().clone(), adapter: adapter.name.clone(), lis, pvcs, host })
    }

    /// The address of the adapter itself, unless another one, or a selector, is written.
    fn own_address(&self, table: &IpTable, atm: &AtmPlan) -> Result<AtmAddress, LabError> {
        let span = table.address.as_ref().map_or(table.adapter.span(), Spanned::span);
        let text = table.address.as_ref().map_or(".00", |text| text.get_ref().as_str());
        match self.sap_address(text, span.clone(), atm)? {
            SapAddress::Is(address) => Ok(address),
            SapAddress::OnlySelector(_) => Err(self
                .source
                .error(span, "the address of this adapter is known only once it is registered", "of this one")
                .help("expected `address = \"…\"`, the address that it will have: the prefix of its switch and its `esi`")),
            _ => Err(self.source.error(span, "an IP client has one address", "here").help(
                "expected a selector of the adapter's own address, such as \".01\", or an address that is written out",
            )),
        }
    }

    fn subnet(&self, text: &Spanned<String>) -> Result<(Ipv4Addr, u8), LabError> {
        let parsed = text.get_ref().split_once('/').and_then(|(ip, prefix_len)| {
            let (ip, prefix_len) = (ip.parse::<Ipv4Addr>().ok()?, prefix_len.parse::<u8>().ok()?);
            (prefix_len <= 32 && is_host(ip)).then_some((ip, prefix_len))
        });
        parsed.ok_or_else(|| {
            self.source
                .error(text.span(), format!("\"{}\" is no address in a subnet", text.get_ref()), "here")
                .help("expected a host's IPv4 address and the bits of the subnet's prefix, such as \"10.1.9.2/24\"")
        })
    }

    fn host_address(&self, text: &Spanned<String>) -> Result<Ipv4Addr, LabError> {
        text.get_ref().parse().ok().filter(|ip| is_host(*ip)).ok_or_else(|| {
            self.source
                .error(text.span(), format!("\"{}\" is no address of a host", text.get_ref()), "here")
                .help("expected an IPv4 address, such as \"10.1.9.1\"")
        })
    }

    fn ip_pvc(&self, pvc: &Spanned<IpPvcTable>) -> Result<IpPvc, LabError> {
        let table = pvc.get_ref();
        let words = [("llc", Encapsulation::LlcSnap), ("vc-mux", Encapsulation::VcMux)];
        let encapsulation = self.word(&table.encapsulation, words)?;
        let ip = table.peer.as_ref().map(|peer| self.host_address(peer)).transpose()?;
        if encapsulation == Encapsulation::VcMux && ip.is_none() {
            return Err(self
                .source
                .error(pvc.span(), "nobody can be asked on a VC of one protocol", "on this one")
                .help("expected a `peer = \"10.1.9.1\"` in it: who is at the far end"));
        }
        Ok(IpPvc { vpvc: self.vpvc(&table.pvc)?, encapsulation, ip })
    }

    fn host(&self, table: &IpTable, lis: &LisConfig, pvcs: &[IpPvc]) -> Result<HostPlan, LabError> {
        let Some(tun) = &table.tun else { return self.pings(table, lis, pvcs).map(HostPlan::Memory) };
        let pings = [
            ("ping", table.ping.as_ref().map(Spanned::span)),
            ("sizes", table.sizes.as_ref().map(Spanned::span)),
            ("times", table.times.as_ref().map(Spanned::span)),
            ("timeout", table.timeout.as_ref().map(Spanned::span)),
            ("patience", table.patience.as_ref().map(Spanned::span)),
        ];
        if let Some((key, Some(span))) = pings.into_iter().find(|(_, span)| span.is_some()) {
            return Err(self
                .source
                .error(span, format!("`{key}` is for a host in memory"), "not with a TUN device")
                .help("leave it out: the machine itself is the host, and has a `ping` of its own"));
        }
        let name = tun.get_ref();
        let fits = (1..=INTERFACE_OCTETS_MAX).contains(&name.len())
            && !name.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control());
        if !fits {
            return Err(self
                .source
                .error(tun.span(), format!("\"{name}\" cannot be an interface's name"), "here")
                .help("expected 1 to 15 octets without slashes and spaces, such as \"condis0\""));
        }
        Ok(HostPlan::Tun { name: name.clone(), at: tun.span() })
    }

    fn pings(&self, table: &IpTable, lis: &LisConfig, pvcs: &[IpPvc]) -> Result<PingPlan, LabError> {
        let to = match &table.ping {
            None => Vec::new(),
            Some(list) => {
                list.get_ref().iter().map(|to| self.pinged(to, lis, pvcs)).collect::<Result<Vec<_>, _>>()?
            }
        };
        let octets_max = lis.mtu_octets - PING_OVERHEAD_OCTETS;
        let sizes = match &table.sizes {
            None => vec![PING_OCTETS_DEFAULT.min(octets_max)],
            Some(list) => list
                .get_ref()
                .iter()
                .map(|size| self.octets_in(size, 0, octets_max, "the data of an echo request"))
                .collect::<Result<Vec<_>, _>>()?,
        };
        let times = table.times.as_ref().map_or(PING_TIMES_DEFAULT, |times| *times.get_ref());
        if to.len().saturating_mul(sizes.len()) > PINGS_AT_ONCE_MAX {
            let span = table.ping.as_ref().map_or(0..0, Spanned::span);
            return Err(self
                .source
                .error(span, "this is too much for one host", "here")
                .help(format!("expected at most {PINGS_AT_ONCE_MAX} of `ping` times `sizes`")));
        }
        let timeout = self.source.duration_or(&table.timeout, PING_TIMEOUT_DEFAULT)?;
        let patience = self.source.duration_or(&table.patience, Duration::ZERO)?;
        Ok(PingPlan { to, sizes, times, timeout, patience })
    }

    /// Somebody in the subnet, or at the far end of a permanent connection: nobody else is reached.
    fn pinged(&self, text: &Spanned<String>, lis: &LisConfig, pvcs: &[IpPvc]) -> Result<Ipv4Addr, LabError> {
        let to = self.host_address(text)?;
        if lis.contains(to) || pvcs.iter().any(|pvc| pvc.ip == Some(to)) {
            return Ok(to);
        }
        let subnet = format!("{}/{}", lis.ip, lis.prefix_len);
        Err(self
            .source
            .error(text.span(), format!("{to} is not in the subnet of {subnet}"), "not reached")
            .help("expected an address in the subnet, or the `peer` of a permanent connection: there are no routers"))
    }

    fn octets_in(
        &self,
        value: &Spanned<crate::lab::file::Quantity>,
        min: usize,
        max: usize,
        what: &str,
    ) -> Result<usize, LabError> {
        match self.source.octets(value)? {
            octets if (min as u64..=max as u64).contains(&octets) => Ok(octets as usize),
            _ => Err(self
                .source
                .error(value.span(), format!("this cannot be {what}"), "here")
                .help(format!("expected {min} to {max} octets"))),
        }
    }

    /// The adapter of a node that a client names.
    pub(super) fn adapter_of<'n>(
        &self,
        wanted: &Spanned<String>,
        node: &'n NodePlan,
    ) -> Result<&'n AdapterPlan, LabError> {
        let name = wanted.get_ref();
        node.adapters.iter().find(|adapter| adapter.name == *name).ok_or_else(|| {
            let names = node.adapters.iter().map(|adapter| adapter.name.as_str());
            self.source
                .error(wanted.span(), format!("this node has no adapter \"{name}\""), "not known")
                .help(did_you_mean(name, "adapter", names))
        })
    }

    /// Two clients cannot have one interface of this machine.
    pub(super) fn one_client_a_tun(&self, nodes: &[NodePlan]) -> Result<(), LabError> {
        let mut taken = std::collections::BTreeSet::new();
        for (name, at) in nodes.iter().flat_map(|node| &node.ips).filter_map(IpPlan::tun) {
            if !taken.insert(name) {
                return Err(self
                    .source
                    .error(
                        at.clone(),
                        format!("the TUN device {name} has a client already"),
                        "the second one",
                    )
                    .help("expected a TUN device for each client"));
            }
        }
        Ok(())
    }
}

fn is_host(ip: Ipv4Addr) -> bool {
    !ip.is_multicast() && !ip.is_broadcast() && !ip.is_unspecified()
}

/// What every host takes (RFC 791), and what fits an SDU of AAL5 behind an LLC/SNAP header.
const MTU_OCTETS_MIN: usize = 68;
const MTU_OCTETS_MAX: usize = 65_535 - 8;

/// The headers of IP and ICMP.
const PING_OVERHEAD_OCTETS: usize = 28;

/// As the command `ping` has it.
const PING_OCTETS_DEFAULT: usize = 56;
const PING_TIMES_DEFAULT: u32 = 3;

/// The first request waits for an ATMARP answer and a call.
const PING_TIMEOUT_DEFAULT: Duration = Duration::from_secs(5);

/// Requests that a host remembers.
const PINGS_AT_ONCE_MAX: usize = 200;

/// Linux's IFNAMSIZ, less the zero.
const INTERFACE_OCTETS_MAX: usize = 15;
