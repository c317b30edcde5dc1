//! What is between the nodes: segments, fibres, switches, real lines.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use condis_link::MacAddr;
use condis_link::atm::{FibreConditions, VpVc};
use condis_link::memory::Conditions;
use toml::Spanned;

use super::{Checker, each};
use crate::lab::error::did_you_mean;
use crate::lab::file::{CutTable, FibreTable, LabFile, PortTable, SegmentTable, SwitchPvcTable, SwitchTable};
use crate::lab::{
    Cut, FibrePlan, LabError, LinkPlan, NodePlan, PortPlan, Segment, SwitchPlan, SwitchPvc, atm,
};

/// The lines of a lab, while users for them are found.
pub(super) struct Lines {
    pub(super) segments: Vec<Segment>,
    /// Each with where it is named.
    pub(super) fibres: Vec<(FibrePlan, Range<usize>)>,
    /// How many ends of each fibre are taken.
    ends: Vec<usize>,
    pub(super) stations: u32,
}

impl Lines {
    pub(super) fn of(checker: &Checker<'_>, file: &LabFile) -> Result<Lines, LabError> {
        let segments = each(&file.segment, |name, table| checker.segment(name, table))?;
        let fibres = each(&file.fibre, |name, table| Ok((checker.fibre(name, table)?, name.span())))?;
        for (fibre, span) in &fibres {
            if segments.iter().any(|segment| segment.name == fibre.name) {
                return Err(checker
                    .source
                    .error(
                        span.clone(),
                        format!("there is a segment \"{}\" already", fibre.name),
                        "this fibre",
                    )
                    .help("expected a name of its own: a link is told by its name"));
            }
        }
        Ok(Lines { segments, ends: vec![0; fibres.len()], fibres, stations: 0 })
    }

    /// A fibre with one end carries nothing, which is never meant.
    pub(super) fn both_ends_of_every_fibre(&self, checker: &Checker<'_>) -> Result<(), LabError> {
        for ((fibre, span), ends) in self.fibres.iter().zip(&self.ends) {
            if *ends == 1 {
                return Err(checker
                    .source
                    .error(span.clone(), format!("one end of fibre \"{}\" is loose", fibre.name), "this one")
                    .help("expected two who have it as their `link`: adapters, or ports of switches"));
            }
        }
        Ok(())
    }
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
        Ok(Segment { name: name.get_ref().clone(), conditions, cuts: self.cuts(&table.cuts)? })
    }

    fn fibre(&self, name: &Spanned<String>, table: &FibreTable) -> Result<FibrePlan, LabError> {
        let source = self.source;
        let default = FibreConditions::default();
        let conditions = FibreConditions {
            delay: source.duration_or(&table.delay, Duration::ZERO)?,
            jitter: source.duration_or(&table.jitter, Duration::ZERO)?,
            cells_per_s: match &table.rate {
                Some(rate) => Some(source.cells_per_second(rate)?),
                None => default.cells_per_s,
            },
            queue_cells_max: match &table.queue {
                Some(queue) => source.cells(queue)?.get() as usize,
                None => default.queue_cells_max,
            },
            gather: default.gather,
            loss: source.chance(&table.loss)?,
            duplicate: source.chance(&table.duplicate)?,
            reorder: source.chance(&table.reorder)?,
            reorder_by: source.duration_or(&table.reorder_by, Duration::from_millis(5))?,
            corrupt: source.chance(&table.corrupt)?,
        };
        Ok(FibrePlan { name: name.get_ref().clone(), conditions, cuts: self.cuts(&table.cuts)? })
    }

    fn cuts(&self, cuts: &[CutTable]) -> Result<Vec<Cut>, LabError> {
        cuts.iter()
            .map(|cut| {
                Ok(Cut { at: self.source.duration(&cut.at)?, span: self.source.duration(&cut.r#for)? })
            })
            .collect()
    }

    pub(super) fn switch(
        &self,
        name: &Spanned<String>,
        table: &SwitchTable,
        lines: &mut Lines,
    ) -> Result<SwitchPlan, LabError> {
        if table.port.is_empty() {
            return Err(self
                .source
                .error(name.span(), format!("switch \"{}\" has no port", name.get_ref()), "this switch")
                .help(format!("expected a table [switch.{}.port.NAME] with a `link`", name.get_ref())));
        }
        let ports = each(&table.port, |name, table| self.port(name, table, lines))?;
        let pvcs = table.pvc.iter().map(|pvc| self.switch_pvc(pvc, &ports)).collect::<Result<_, _>>()?;
        Ok(SwitchPlan { name: name.get_ref().clone(), ports, pvcs })
    }

    fn port(
        &self,
        name: &Spanned<String>,
        table: &PortTable,
        lines: &mut Lines,
    ) -> Result<PortPlan, LabError> {
        let prefix = match &table.prefix {
            None => None,
            Some(text) => Some(atm::prefix(text.get_ref()).ok_or_else(|| {
                self.source
                    .error(text.span(), format!("\"{}\" is no network prefix", text.get_ref()), "here")
                    .help("expected the first 13 octets of an address, such as \"47.0005.80.ffe100.0000.f21a.0001\"")
            })?),
        };
        let routes = table.routes.iter().map(|text| {
            text.get_ref().parse().map_err(|error| {
                self.source
                    .error(text.span(), format!("\"{}\" is no route: {error}", text.get_ref()), "here")
                    .help("expected the beginning of an address, such as \"47.0005.80/20\" or \"+4989\"")
            })
        });
        Ok(PortPlan {
            name: name.get_ref().clone(),
            link: self.link(&table.link, true, lines)?,
            version: self.version(&table.uni)?,
            prefix,
            addresses: table.addresses.iter().map(|text| self.atm_address(text)).collect::<Result<_, _>>()?,
            routes: routes.collect::<Result<_, _>>()?,
            cells_per_s: match &table.rate {
                Some(rate) => Some(self.source.cells_per_second(rate)?.get()),
                None => None,
            },
            police: table.police,
        })
    }

    fn switch_pvc(&self, table: &SwitchPvcTable, ports: &[PortPlan]) -> Result<SwitchPvc, LabError> {
        let contract = self.contract(&table.category, &table.pcr, &None, &None, table.a.span())?;
        Ok(SwitchPvc { a: self.pvc_end(&table.a, ports)?, b: self.pvc_end(&table.b, ports)?, contract })
    }

    fn pvc_end(&self, text: &Spanned<String>, ports: &[PortPlan]) -> Result<(usize, VpVc), LabError> {
        let parts = text.get_ref().split_once(':');
        let Some((name, vpvc)) = parts.and_then(|(name, vpvc)| Some((name, atm::vpvc(vpvc)?))) else {
            return Err(self
                .source
                .error(text.span(), format!("\"{}\" is no end of a connection", text.get_ref()), "here")
                .help("expected \"PORT:VPI.VCI\", such as \"1:0.100\""));
        };
        match ports.iter().position(|port| port.name == name) {
            Some(port) => Ok((port, vpvc)),
            None => Err(self
                .source
                .error(text.span(), format!("this switch has no port \"{name}\""), "not known")
                .help(did_you_mean(name, "port", ports.iter().map(|port| port.name.as_str())))),
        }
    }

    /// The link of this name. One of ATM for ATM, one of Ethernet for others.
    pub(super) fn link(
        &self,
        link: &Spanned<String>,
        atm: bool,
        lines: &mut Lines,
    ) -> Result<LinkPlan, LabError> {
        let (name, span) = (link.get_ref().as_str(), link.span());
        if let Some((kind, rest)) = name.split_once(':') {
            return self.real_link(kind, rest, atm, span);
        }
        let segment = lines.segments.iter().position(|segment| segment.name == name);
        let fibre = lines.fibres.iter().position(|(fibre, _)| fibre.name == name);
        match (segment, fibre, atm) {
            (Some(segment), _, false) => Ok(LinkPlan::Segment { segment, address: MacAddr::local(0) }),
            (_, Some(fibre), true) => {
                let end = lines.ends[fibre];
                lines.ends[fibre] += 1;
                if end > 1 {
                    return Err(self
                        .source
                        .error(
                            span,
                            format!("fibre \"{name}\" has two ends, and both are taken"),
                            "the third user",
                        )
                        .help("expected a fibre for each two; a switch is between more"));
                }
                Ok(LinkPlan::Fibre { fibre, end })
            }
            (Some(_), _, true) => Err(self
                .source
                .error(
                    span,
                    format!("segment \"{name}\" is an Ethernet, and this wants a line of ATM"),
                    "this link",
                )
                .help("expected the name of a [fibre.NAME], or an \"atmtcp:\" or \"udp:\" line")),
            (_, Some(_), false) => Err(self
                .source
                .error(
                    span,
                    format!("fibre \"{name}\" is a line of ATM, and these drivers want an Ethernet"),
                    "this link",
                )
                .help("expected the name of a [segment.NAME], or \"ethernet:\" and an interface")),
            (None, None, false) => {
                let names = lines.segments.iter().map(|segment| segment.name.as_str());
                Err(self.source.error(span, format!("there is no segment \"{name}\""), "not known").help(format!(
                    "{}\na link is the name of a [segment.NAME] of this lab, or \"ethernet:\" and an interface",
                    did_you_mean(name, "segment", names)
                )))
            }
            (None, None, true) => {
                let names = lines.fibres.iter().map(|(fibre, _)| fibre.name.as_str());
                Err(self.source.error(span, format!("there is no fibre \"{name}\""), "not known").help(
                    format!(
                        "{}\na link of ATM is the name of a [fibre.NAME] of this lab, \"atmtcp:HOST:PORT\", \
                     \"atmtcp:listen:HOST:PORT\" or \"udp:HOST:PORT,HOST:PORT\"",
                        did_you_mean(name, "fibre", names)
                    ),
                ))
            }
        }
    }

    fn real_link(&self, kind: &str, rest: &str, atm: bool, at: Range<usize>) -> Result<LinkPlan, LabError> {
        const KINDS: [&str; 3] = ["ethernet", "atmtcp", "udp"];
        if !KINDS.contains(&kind) {
            return Err(self
                .source
                .error(at, format!("there is no kind of link \"{kind}\""), "not known")
                .help(did_you_mean(kind, "kind of link", KINDS)));
        }
        if (kind == "ethernet") == atm {
            let (is, wants) =
                if atm { ("an Ethernet", "a line of ATM") } else { ("a line of ATM", "an Ethernet") };
            return Err(self.source.error(
                at,
                format!("\"{kind}:\" is {is}, and this wants {wants}"),
                "this link",
            ));
        }
        if kind == "ethernet" {
            return Ok(LinkPlan::Ethernet { interface: rest.to_owned(), at });
        }
        crate::netcat::real_atm_link(kind, rest, at.clone())
            .map_err(|(what, expected)| self.source.error(at, what, "here").help(expected))
    }

    /// Two users of a real line would take each other's frames away.
    pub(super) fn one_user_a_line(
        &self,
        nodes: &[NodePlan],
        switches: &[SwitchPlan],
    ) -> Result<(), LabError> {
        let mut interfaces = BTreeSet::new();
        let mut sockets = BTreeSet::new();
        let adapters = nodes.iter().flat_map(|node| &node.adapters).map(|adapter| &adapter.link);
        let ports = switches.iter().flat_map(|switch| &switch.ports).map(|port| &port.link);
        for link in adapters.chain(ports) {
            match link {
                LinkPlan::Ethernet { interface, at } if !interfaces.insert(interface) => {
                    return Err(self
                        .source
                        .error(at.clone(), format!("interface {interface} has an adapter already"), "the second one")
                        .help("expected one adapter for each interface; a macvlan is another interface on the same wire"));
                }
                LinkPlan::AtmTcp { listen: true, address, at }
                | LinkPlan::AtmUdp { local: address, at, .. } => {
                    let udp = matches!(link, LinkPlan::AtmUdp { .. });
                    if address.port() != 0 && !sockets.insert((udp, *address)) {
                        return Err(self
                            .source
                            .error(at.clone(), format!("{address} has a user already"), "the second one")
                            .help("expected a port for each line"));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}
