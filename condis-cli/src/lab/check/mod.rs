//! From what is written to what is meant: names resolve, numbers are in range.
//!
//! `lines` has what is between the nodes, `calls` what clients do, `ip` what IP clients do, and this file the nodes and their adapters.

mod calls;
mod ip;
mod lines;

use condis_atm::addr::{AtmAddress, Esi};
use condis_link::MacAddr;
use toml::Spanned;

use super::atm::{self, VERSIONS};
use super::error::did_you_mean;
use super::file::{AdapterTable, LabFile, NodeTable, Table};
use super::{AdapterPlan, AtmPlan, Lab, LabError, LinkPlan, Manager, Network, NodePlan, Source, SwitchPlan};
use condis_atm::uni::Version;
use lines::Lines;

pub(super) fn check(file: LabFile, source: Source) -> Result<Lab, LabError> {
    let checker = Checker { source: &source };
    let mut lines = Lines::of(&checker, &file)?;
    let switches = each(&file.switch, |name, table| checker.switch(name, table, &mut lines))?;
    let mut nodes = each(&file.node, |name, table| checker.node(name, table, &mut lines))?;
    if nodes.iter().all(|node| node.adapters.is_empty()) && switches.is_empty() {
        return Err(LabError::new(format!("{} has no adapter in it", source.name))
            .help("expected a table [node.NAME.adapter.NAME]; `condis labs show two-ways` is an example"));
    }
    checker.one_user_a_line(&nodes, &switches)?;
    lines.both_ends_of_every_fibre(&checker)?;
    find_addresses(&mut nodes, &switches);
    // Calls name nodes, so all of these are known by now.
    let tables = file.node.values();
    let clients = tables
        .zip(&nodes)
        .map(|(table, node)| each(&table.client, |name, table| checker.client(name, table, node, &nodes)))
        .collect::<Result<Vec<_>, _>>()?;
    let ips = file.node.values().zip(&nodes);
    let ips = ips
        .map(|(table, node)| each(&table.ip, |name, table| checker.ip(name, table, node, &nodes)))
        .collect::<Result<Vec<_>, _>>()?;
    for ((node, clients), ips) in nodes.iter_mut().zip(clients).zip(ips) {
        (node.clients, node.ips) = (clients, ips);
    }
    checker.one_client_a_tun(&nodes)?;
    let Lines { segments, fibres, .. } = lines;
    Ok(Lab {
        name: source.name.clone(),
        description: file.description,
        segments,
        fibres: fibres.into_iter().map(|(fibre, _)| fibre).collect(),
        switches,
        nodes,
        source,
    })
}

fn each<T, U>(
    table: &Table<T>,
    mut one: impl FnMut(&Spanned<String>, &T) -> Result<U, LabError>,
) -> Result<Vec<U>, LabError> {
    table.iter().map(|(name, value)| one(name, value)).collect()
}

/// The address that each end system will have once a switch of the lab has given its prefix.
fn find_addresses(nodes: &mut [NodePlan], switches: &[SwitchPlan]) {
    let ports = || switches.iter().flat_map(|switch| &switch.ports);
    for adapter in nodes.iter_mut().flat_map(|node| &mut node.adapters) {
        let Network::Atm(plan) = &mut adapter.network else { continue };
        let across = ports().find(|port| match (&port.link, &adapter.link) {
            (LinkPlan::Fibre { fibre, .. }, LinkPlan::Fibre { fibre: ours, .. }) => fibre == ours,
            _ => false,
        });
        let registered = across.and_then(|port| port.prefix).filter(|_| plan.ilmi);
        plan.address = plan
            .addresses
            .first()
            .cloned()
            .or_else(|| registered.map(|prefix| AtmAddress::new(prefix, plan.esi, 0)));
    }
}

struct Checker<'a> {
    source: &'a Source,
}

impl Checker<'_> {
    fn node(
        &self,
        name: &Spanned<String>,
        table: &NodeTable,
        lines: &mut Lines,
    ) -> Result<NodePlan, LabError> {
        let adapters = each(&table.adapter, |name, table| self.adapter(name, table, lines))?;
        Ok(NodePlan { name: name.get_ref().clone(), adapters, clients: Vec::new(), ips: Vec::new() })
    }

    fn adapter(
        &self,
        name: &Spanned<String>,
        table: &AdapterTable,
        lines: &mut Lines,
    ) -> Result<AdapterPlan, LabError> {
        lines.stations += 1;
        let (manager, atm) = self.drivers(&table.drivers)?;
        let link = self.link(&table.link, atm, lines)?;
        let link = self.addressed(link, table, lines.stations)?;
        let network = if atm { self.atm(table, lines.stations)? } else { self.pppoe(table)? };
        Ok(AdapterPlan { name: name.get_ref().clone(), link, manager, network })
    }

    /// The link with the Ethernet address that is written for it.
    fn addressed(&self, link: LinkPlan, table: &AdapterTable, station: u32) -> Result<LinkPlan, LabError> {
        match (link, &table.address) {
            (LinkPlan::Segment { segment, .. }, None) => {
                Ok(LinkPlan::Segment { segment, address: MacAddr::local(station) })
            }
            (LinkPlan::Segment { segment, .. }, Some(address)) => {
                match address.get_ref().parse::<MacAddr>() {
                    Ok(mac) if mac.is_station() => Ok(LinkPlan::Segment { segment, address: mac }),
                    _ => Err(self
                        .source
                        .error(
                            address.span(),
                            format!("\"{}\" is no station's address", address.get_ref()),
                            "here",
                        )
                        .help("expected a unicast Ethernet address, such as \"02:00:00:00:00:01\"")),
                }
            }
            (LinkPlan::Ethernet { .. }, Some(address)) => Err(self
                .source
                .error(address.span(), "a real interface has its own address", "not valid with a real link")
                .help("leave `address` out, or attach the adapter to a segment")),
            (_, Some(address)) => Err(self
                .source
                .error(address.span(), "a line of ATM has no Ethernet address", "not valid with such a link")
                .help("expected `esi`, the end system, or `addresses`")),
            (link, None) => Ok(link),
        }
    }

    fn pppoe(&self, table: &AdapterTable) -> Result<Network, LabError> {
        let (uni, esi) = (table.uni.as_ref().map(Spanned::span), table.esi.as_ref().map(Spanned::span));
        let (ilmi, addresses) =
            (table.ilmi.as_ref().map(Spanned::span), table.addresses.as_ref().map(Spanned::span));
        let atm = [("uni", uni), ("esi", esi), ("ilmi", ilmi), ("addresses", addresses)];
        for (key, span) in atm {
            if let Some(span) = span {
                return Err(self.not_with(key, span, "PPPoE has no such thing"));
            }
        }
        match &table.concentrator {
            Some(name) if name.get_ref().is_empty() || name.get_ref().len() > NAME_OCTETS_MAX => Err(self
                .source
                .error(name.span(), "this cannot be a concentrator's name", "here")
                .help("expected 1 to 255 octets: its AC-Name (RFC 2516)")),
            name => Ok(Network::Pppoe { concentrator: name.as_ref().map(|name| name.get_ref().clone()) }),
        }
    }

    fn atm(&self, table: &AdapterTable, station: u32) -> Result<Network, LabError> {
        if let Some(name) = &table.concentrator {
            return Err(self.not_with("concentrator", name.span(), "an ATM adapter takes calls as it is"));
        }
        let esi = match &table.esi {
            None => Esi(MacAddr::local(station).octets()),
            Some(text) => atm::esi(text.get_ref()).ok_or_else(|| {
                self.source
                    .error(text.span(), format!("\"{}\" is no end system identifier", text.get_ref()), "here")
                    .help("expected six octets in hex, such as \"00:20:48:0b:00:02\"")
            })?,
        };
        let addresses = match &table.addresses {
            None => Vec::new(),
            Some(list) => {
                list.get_ref().iter().map(|text| self.atm_address(text)).collect::<Result<_, _>>()?
            }
        };
        let ilmi = table.ilmi.as_ref().map(|ilmi| *ilmi.get_ref());
        if let (Some(list), Some(false), true) = (&table.addresses, ilmi, addresses.is_empty()) {
            return Err(self
                .source
                .error(list.span(), "without ILMI this adapter has no address", "none here")
                .help("expected an address, such as \"47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00\""));
        }
        Ok(Network::Atm(AtmPlan {
            version: self.version(&table.uni)?,
            esi,
            ilmi: ilmi.unwrap_or(addresses.is_empty()),
            addresses,
            address: None,
        }))
    }

    fn version(&self, uni: &Option<Spanned<String>>) -> Result<Version, LabError> {
        let Some(uni) = uni else { return Ok(Version::Uni40) };
        atm::version(uni.get_ref()).ok_or_else(|| {
            let names = VERSIONS.map(|(name, _)| name);
            self.source
                .error(uni.span(), format!("there is no UNI {}", uni.get_ref()), "not known")
                .help(did_you_mean(uni.get_ref(), "version", names))
        })
    }

    fn atm_address(&self, text: &Spanned<String>) -> Result<AtmAddress, LabError> {
        text.get_ref().parse().map_err(|error| {
            self.source
                .error(text.span(), format!("\"{}\" is no ATM address: {error}", text.get_ref()), "here")
                .help("expected 40 hex digits, such as \"47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00\"")
        })
    }

    fn not_with(&self, key: &str, span: std::ops::Range<usize>, why: &str) -> LabError {
        self.source.error(span, format!("`{key}` does not fit these drivers"), why)
    }

    /// How the adapter is managed, and whether it is one of ATM.
    fn drivers(&self, drivers: &Spanned<Vec<Spanned<String>>>) -> Result<(Manager, bool), LabError> {
        const VALID: [&str; 6] = [
            "ethernet-miniport",
            "pppoe-call-manager",
            "pppoe-mcm",
            "atm-miniport",
            "uni-call-manager",
            "atm-mcm",
        ];
        for driver in drivers.get_ref() {
            let name = driver.get_ref().as_str();
            if !VALID.contains(&name) {
                return Err(self
                    .source
                    .error(driver.span(), format!("there is no driver \"{name}\""), "not known")
                    .help(did_you_mean(name, "driver", VALID)));
            }
        }
        let mut names: Vec<_> = drivers.get_ref().iter().map(|driver| driver.get_ref().as_str()).collect();
        names.sort_unstable();
        match names[..] {
            ["ethernet-miniport", "pppoe-call-manager"] => Ok((Manager::CallManager, false)),
            ["pppoe-mcm"] => Ok((Manager::Mcm, false)),
            ["atm-miniport", "uni-call-manager"] => Ok((Manager::CallManager, true)),
            ["atm-mcm"] => Ok((Manager::Mcm, true)),
            _ => Err(self.source.error(drivers.span(), "these drivers make no adapter", "this set").help(
                "expected a miniport and a call manager over it: [\"ethernet-miniport\", \"pppoe-call-manager\"] or \
                 [\"atm-miniport\", \"uni-call-manager\"];\n\
                 or a miniport with the call manager built in: [\"pppoe-mcm\"] or [\"atm-mcm\"]",
            )),
        }
    }

    /// One of the words; the first, if none is written.
    fn word<T: Copy, const N: usize>(
        &self,
        value: &Option<Spanned<String>>,
        words: [(&str, T); N],
    ) -> Result<T, LabError> {
        let Some(value) = value else { return Ok(words[0].1) };
        let name = value.get_ref().as_str();
        match words.iter().find(|(word, _)| *word == name) {
            Some((_, meaning)) => Ok(*meaning),
            None => Err(self
                .source
                .error(value.span(), format!("\"{name}\" is not known here"), "not known")
                .help(did_you_mean(name, "word", words.iter().map(|(word, _)| *word)))),
        }
    }
}

/// RFC 2516 sets no bound for names; 255 octets is the drivers' bound.
const NAME_OCTETS_MAX: usize = 255;
