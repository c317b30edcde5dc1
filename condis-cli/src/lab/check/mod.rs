//! From what is written to what is meant: names resolve, numbers are in range.

use std::collections::BTreeSet;
use std::time::Duration;

use condis_link::MacAddr;
use condis_link::memory::Conditions;
use toml::Spanned;

use super::error::did_you_mean;
use super::file::{AdapterTable, CallTable, ClientTable, LabFile, NodeTable, SegmentTable, Table};
use super::{
    AdapterPlan, CallPlan, Check, ClientPlan, Close, Cut, FRAME_OCTETS_MAX, Lab, LabError, LinkPlan, Manager,
    NodePlan, Segment, Source,
};

pub(super) fn check(file: LabFile, source: Source) -> Result<Lab, LabError> {
    let checker = Checker { source: &source };
    let segments = each(&file.segment, |name, table| checker.segment(name, table))?;
    let mut stations = 0;
    let nodes = each(&file.node, |name, table| checker.node(name, table, &segments, &mut stations))?;
    if nodes.iter().all(|node| node.adapters.is_empty()) {
        return Err(LabError::new(format!("{} has no adapter in it", source.name))
            .help("expected a table [node.NAME.adapter.NAME]; `condis labs show two-ways` is an example"));
    }
    checker.one_adapter_an_interface(&nodes)?;
    Ok(Lab { name: source.name.clone(), description: file.description, segments, nodes, source })
}

fn each<T, U>(
    table: &Table<T>,
    mut one: impl FnMut(&Spanned<String>, &T) -> Result<U, LabError>,
) -> Result<Vec<U>, LabError> {
    table.iter().map(|(name, value)| one(name, value)).collect()
}

struct Checker<'a> {
    source: &'a Source,
}

impl Checker<'_> {
    fn segment(&self, name: &Spanned<String>, table: &SegmentTable) -> Result<Segment, LabError> {
        let source = self.source;
        let conditions = Conditions {
            delay: source.duration_or(&table.delay, Duration::ZERO)?,
            jitter: source.duration_or(&table.jitter, Duration::ZERO)?,
            rate_bps: table.rate.as_ref().map(|rate| source.bits_per_second(rate)).transpose()?,
            queue_octets_max: match &table.queue {
                Some(queue) => source.octets(queue)? as usize,
                None => Conditions::QUEUE_OCTETS_MAX,
            },
            loss: source.chance(&table.loss)?,
            duplicate: source.chance(&table.duplicate)?,
            reorder: source.chance(&table.reorder)?,
            reorder_by: source.duration_or(&table.reorder_by, Duration::from_millis(5))?,
            corrupt: source.chance(&table.corrupt)?,
        };
        let cuts = table
            .cuts
            .iter()
            .map(|cut| Ok(Cut { at: source.duration(&cut.at)?, span: source.duration(&cut.r#for)? }))
            .collect::<Result<_, LabError>>()?;
        Ok(Segment { name: name.get_ref().clone(), conditions, cuts })
    }

    fn node(
        &self,
        name: &Spanned<String>,
        table: &NodeTable,
        segments: &[Segment],
        stations: &mut u32,
    ) -> Result<NodePlan, LabError> {
        let adapters = each(&table.adapter, |name, table| self.adapter(name, table, segments, stations))?;
        let clients = each(&table.client, |name, table| self.client(name, table, &adapters))?;
        Ok(NodePlan { name: name.get_ref().clone(), adapters, clients })
    }

    fn adapter(
        &self,
        name: &Spanned<String>,
        table: &AdapterTable,
        segments: &[Segment],
        stations: &mut u32,
    ) -> Result<AdapterPlan, LabError> {
        *stations += 1;
        Ok(AdapterPlan {
            name: name.get_ref().clone(),
            link: self.link(table, segments, *stations)?,
            manager: self.drivers(&table.drivers)?,
            concentrator: match &table.concentrator {
                Some(name) if name.get_ref().is_empty() || name.get_ref().len() > NAME_OCTETS_MAX => {
                    return Err(self
                        .source
                        .error(name.span(), "this cannot be a concentrator's name", "here")
                        .help("expected 1 to 255 octets: its AC-Name (RFC 2516)"));
                }
                name => name.as_ref().map(|name| name.get_ref().clone()),
            },
        })
    }

    fn link(&self, table: &AdapterTable, segments: &[Segment], station: u32) -> Result<LinkPlan, LabError> {
        let (link, span) = (table.link.get_ref(), table.link.span());
        if let Some(interface) = link.strip_prefix("ethernet:") {
            if let Some(address) = &table.address {
                return Err(self
                    .source
                    .error(
                        address.span(),
                        "a real interface has its own address",
                        "not valid with a real link",
                    )
                    .help("leave `address` out, or attach the adapter to a segment"));
            }
            return Ok(LinkPlan::Ethernet { interface: interface.to_owned(), at: span });
        }
        let names = segments.iter().map(|segment| segment.name.as_str());
        let Some(segment) = segments.iter().position(|segment| segment.name == *link) else {
            return Err(self
                .source
                .error(span, format!("there is no segment \"{link}\""), "not known")
                .help(format!(
                    "{}\na link is the name of a [segment.NAME] of this lab, or \"ethernet:\" and an interface",
                    did_you_mean(link, "segment", names)
                )));
        };
        let address = match &table.address {
            None => MacAddr::local(station),
            Some(address) => match address.get_ref().parse::<MacAddr>() {
                Ok(mac) if mac.is_station() => mac,
                _ => {
                    return Err(self
                        .source
                        .error(
                            address.span(),
                            format!("\"{}\" is no station's address", address.get_ref()),
                            "here",
                        )
                        .help("expected a unicast Ethernet address, such as \"02:00:00:00:00:01\""));
                }
            },
        };
        Ok(LinkPlan::Segment { segment, address })
    }

    /// Two adapters on an interface would have one address, and each would end the other's sessions.
    fn one_adapter_an_interface(&self, nodes: &[NodePlan]) -> Result<(), LabError> {
        let mut seen = BTreeSet::new();
        for adapter in nodes.iter().flat_map(|node| &node.adapters) {
            if let LinkPlan::Ethernet { interface, at } = &adapter.link
                && !seen.insert(interface.clone())
            {
                return Err(self
                    .source
                    .error(at.clone(), format!("interface {interface} has an adapter already"), "the second one")
                    .help("expected one adapter for each interface; a macvlan is another interface on the same wire"));
            }
        }
        Ok(())
    }

    fn drivers(&self, drivers: &Spanned<Vec<Spanned<String>>>) -> Result<Manager, LabError> {
        const VALID: [&str; 3] = ["ethernet-miniport", "pppoe-call-manager", "pppoe-mcm"];
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
            ["ethernet-miniport", "pppoe-call-manager"] => Ok(Manager::CallManager),
            ["pppoe-mcm"] => Ok(Manager::Mcm),
            _ => Err(self.source.error(drivers.span(), "these drivers make no adapter", "this set").help(
                "expected [\"ethernet-miniport\", \"pppoe-call-manager\"]: a miniport and a call manager over it;\n\
                 or [\"pppoe-mcm\"]: a miniport with the call manager built in",
            )),
        }
    }

    fn client(
        &self,
        name: &Spanned<String>,
        table: &ClientTable,
        adapters: &[AdapterPlan],
    ) -> Result<ClientPlan, LabError> {
        let wanted = table.adapter.get_ref();
        let Some(adapter) = adapters.iter().find(|adapter| adapter.name == *wanted) else {
            let names = adapters.iter().map(|adapter| adapter.name.as_str());
            return Err(self
                .source
                .error(table.adapter.span(), format!("this node has no adapter \"{wanted}\""), "not known")
                .help(did_you_mean(wanted, "adapter", names)));
        };
        if let (Some(offer), None) = (table.offers.first(), &adapter.concentrator) {
            return Err(self
                .source
                .error(offer.span(), format!("adapter \"{wanted}\" takes no calls"), "offered on it")
                .help("give the adapter a `concentrator = \"NAME\"`: it takes calls under that name"));
        }
        if let Some(long) = table.offers.iter().find(|offer| offer.get_ref().len() > NAME_OCTETS_MAX) {
            return Err(self
                .source
                .error(long.span(), "this is too long for a service's name", "here")
                .help("expected at most 255 octets"));
        }
        Ok(ClientPlan {
            name: name.get_ref().clone(),
            adapter: wanted.clone(),
            offers: table.offers.iter().map(|offer| offer.get_ref().clone()).collect(),
            idle: table.idle.as_ref().map(|idle| self.source.duration(idle)).transpose()?,
            calls: table.call.iter().map(|call| self.call(call)).collect::<Result<_, _>>()?,
        })
    }

    fn call(&self, table: &CallTable) -> Result<CallPlan, LabError> {
        let source = self.source;
        let frame_octets = match &table.frame {
            None => FRAME_OCTETS_DEFAULT,
            Some(frame) => match source.octets(frame)? {
                octets if (1..=FRAME_OCTETS_MAX as u64).contains(&octets) => octets as usize,
                _ => {
                    return Err(source
                        .error(frame.span(), "this does not fit a frame", "here")
                        .help(format!("expected 1 to {FRAME_OCTETS_MAX} octets")));
                }
            },
        };
        let send_octets = table.send.as_ref().map_or(Ok(0), |send| source.octets(send))?;
        if send_octets.div_ceil(frame_octets as u64) > u64::from(u32::MAX / 2) {
            let span = table.send.as_ref().map_or(0..0, Spanned::span);
            return Err(source
                .error(span, "this is too much for one call", "here")
                .help("expected at most 2147483647 frames"));
        }
        Ok(CallPlan {
            service: table.service.get_ref().clone(),
            concentrator: table.concentrator.as_ref().map(|name| name.get_ref().clone()),
            send_octets,
            frame_octets,
            check: self
                .word(&table.check, [("both", Check::Both), ("echo", Check::Echo), ("none", Check::None)])?,
            close: self.word(&table.close, [("caller", Close::Caller), ("called", Close::Called)])?,
            hold: source.duration_or(&table.hold, Duration::ZERO)?,
            times: table.times.as_ref().map_or(1, |times| *times.get_ref()),
            timeout: source.duration_or(&table.timeout, Duration::from_secs(10))?,
        })
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

/// A frame of nearly full size.
const FRAME_OCTETS_DEFAULT: usize = 1400;
