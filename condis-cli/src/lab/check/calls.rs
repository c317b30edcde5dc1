//! What clients do: where they take calls, and which they make.

use std::ops::Range;
use std::time::Duration;

use condis_atm::addr::AtmAddress;
use condis_atm::driver::{AtmCall, AtmFlow, AtmSap, Bhli, Field, SapAddress};
use condis_atm::traffic::{Contract, ServiceCategory, Sustained};
use condis_link::atm::VpVc;
use toml::Spanned;

use super::{Checker, NAME_OCTETS_MAX};
use crate::client::OVERHEAD_OCTETS;
use crate::lab::atm::{self, Layers};
use crate::lab::error::did_you_mean;
use crate::lab::file::{CallTable, ClientTable, OfferEntry};
use crate::lab::{
    AdapterPlan, AtmPlan, AtmTarget, CallPlan, CallTo, Check, ClientPlan, Close, FRAME_OCTETS_MAX, LabError,
    Network, NodePlan, Offer, SDU_OCTETS_MAX,
};

impl Checker<'_> {
    pub(super) fn client(
        &self,
        name: &Spanned<String>,
        table: &ClientTable,
        node: &NodePlan,
        nodes: &[NodePlan],
    ) -> Result<ClientPlan, LabError> {
        let adapter = self.adapter_of(&table.adapter, node)?;
        if let (Some(pvc), Network::Pppoe { .. }) = (table.pvcs.first(), &adapter.network) {
            return Err(self.not_with("pvcs", pvc.span(), "PPPoE has no permanent connections"));
        }
        Ok(ClientPlan {
            name: name.get_ref().clone(),
            adapter: adapter.name.clone(),
            offers: table.offers.iter().map(|offer| self.offer(offer, adapter)).collect::<Result<_, _>>()?,
            pvcs: table.pvcs.iter().map(|pvc| self.vpvc(pvc)).collect::<Result<_, _>>()?,
            idle: table.idle.as_ref().map(|idle| self.source.duration(idle)).transpose()?,
            calls: table
                .call
                .iter()
                .map(|call| self.call(call, &node.name, adapter, nodes))
                .collect::<Result<_, _>>()?,
        })
    }

    fn offer(&self, offer: &Spanned<OfferEntry>, adapter: &AdapterPlan) -> Result<Offer, LabError> {
        match (&adapter.network, offer.get_ref()) {
            (Network::Pppoe { concentrator: None }, _) => Err(self
                .source
                .error(offer.span(), format!("adapter \"{}\" takes no calls", adapter.name), "offered on it")
                .help("give the adapter a `concentrator = \"NAME\"`: it takes calls under that name")),
            (Network::Pppoe { .. }, OfferEntry::Text(service)) => match service.len() {
                0..=NAME_OCTETS_MAX => Ok(Offer::Service(service.clone())),
                _ => Err(self
                    .source
                    .error(offer.span(), "this is too long for a service's name", "here")
                    .help("expected at most 255 octets")),
            },
            (Network::Pppoe { .. }, OfferEntry::Sap(_)) => Err(self
                .source
                .error(offer.span(), "PPPoE offers services, which are names", "here")
                .help("expected a text, such as \"internet\"")),
            (Network::Atm(plan), OfferEntry::Text(text)) => {
                let address = self.sap_address(text, offer.span(), plan)?;
                let sap = AtmSap { address, layer2: Field::Any, layer3: Field::Any, bhli: Field::Any };
                Ok(Offer::Atm(Box::new(sap), text.clone()))
            }
            (Network::Atm(plan), OfferEntry::Sap(table)) => {
                let address = self.sap_address(&table.address, offer.span(), plan)?;
                let mut name = table.address.clone();
                let (layer2, layer3) = match &table.blli {
                    Some(blli) => {
                        name += &format!(" blli {blli}");
                        self.layers(blli, offer.span())?.to_fields()
                    }
                    None => (Field::Any, Field::Any),
                };
                let bhli = match &table.bhli {
                    Some(bhli) => {
                        name += &format!(" bhli {bhli}");
                        Field::Is(self.bhli(bhli, offer.span())?)
                    }
                    None => Field::Any,
                };
                Ok(Offer::Atm(Box::new(AtmSap { address, layer2, layer3, bhli }), name))
            }
        }
    }

    /// `any`, an address, or a selector of the adapter's own address, such as `.01`.
    pub(super) fn sap_address(
        &self,
        text: &str,
        span: Range<usize>,
        plan: &AtmPlan,
    ) -> Result<SapAddress, LabError> {
        if text == "any" {
            return Ok(SapAddress::Any);
        }
        if let Some(selector) = text.strip_prefix('.') {
            let selector = selector_of(selector).ok_or_else(|| self.no_sap(text, span.clone()))?;
            return Ok(match &plan.address {
                Some(own) => SapAddress::Is(atm::with_selector(own, selector)),
                None => SapAddress::OnlySelector(selector),
            });
        }
        text.parse().map(SapAddress::Is).map_err(|_| self.no_sap(text, span))
    }

    fn no_sap(&self, text: &str, span: Range<usize>) -> LabError {
        self.source.error(span, format!("calls cannot be taken on \"{text}\""), "here").help(
            "expected a selector of the adapter's own address, such as \".01\"; \"any\"; or an address, such as \
             \"47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00\"",
        )
    }

    pub(super) fn vpvc(&self, text: &Spanned<String>) -> Result<VpVc, LabError> {
        atm::vpvc(text.get_ref()).ok_or_else(|| {
            self.source
                .error(text.span(), format!("\"{}\" is no virtual connection", text.get_ref()), "here")
                .help("expected VPI and VCI, such as \"0.100\"")
        })
    }

    fn layers(&self, text: &str, span: Range<usize>) -> Result<Layers, LabError> {
        Layers::parse(text).ok_or_else(|| {
            self.source.error(span, format!("\"{text}\" says no layers"), "here").help(atm::EXPECTED_BLLI)
        })
    }

    fn bhli(&self, text: &str, span: Range<usize>) -> Result<Bhli, LabError> {
        atm::bhli(text).ok_or_else(|| {
            self.source
                .error(span, format!("\"{text}\" is no high layer information"), "here")
                .help(atm::EXPECTED_BHLI)
        })
    }

    fn call(
        &self,
        table: &Spanned<CallTable>,
        node: &str,
        adapter: &AdapterPlan,
        nodes: &[NodePlan],
    ) -> Result<CallPlan, LabError> {
        let (source, span, table) = (self.source, table.span(), table.get_ref());
        let atm = matches!(adapter.network, Network::Atm(_));
        let (frame_default, frame_max) = match atm {
            true => (ATM_FRAME_OCTETS_DEFAULT, SDU_OCTETS_MAX as usize - OVERHEAD_OCTETS),
            false => (FRAME_OCTETS_DEFAULT, FRAME_OCTETS_MAX),
        };
        let frame_octets = match &table.frame {
            None => frame_default,
            Some(frame) => match source.octets(frame)? {
                octets if (1..=frame_max as u64).contains(&octets) => octets as usize,
                _ => {
                    return Err(source
                        .error(frame.span(), "this does not fit a frame", "here")
                        .help(format!("expected 1 to {frame_max} octets")));
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
        if let Some(cause) = &table.refused
            && !(1..=127).contains(cause.get_ref())
        {
            return Err(source
                .error(cause.span(), "there is no such cause", "here")
                .help("expected the number of a cause of Q.850, such as 3, no route to destination"));
        }
        Ok(CallPlan {
            target: match atm {
                true => self.atm_target(table, span, frame_octets, (node, adapter), nodes)?,
                false => self.pppoe_target(table, span)?,
            },
            send_octets,
            frame_octets,
            check: self
                .word(&table.check, [("both", Check::Both), ("echo", Check::Echo), ("none", Check::None)])?,
            close: self.word(&table.close, [("caller", Close::Caller), ("called", Close::Called)])?,
            refused: table.refused.as_ref().map(|cause| *cause.get_ref()),
            hold: source.duration_or(&table.hold, Duration::ZERO)?,
            times: table.times.as_ref().map_or(1, |times| *times.get_ref()),
            timeout: source.duration_or(&table.timeout, Duration::from_secs(10))?,
        })
    }

    fn missing(&self, key: &str, span: Range<usize>, example: &str) -> LabError {
        self.source
            .error(span, format!("there is no \"{key}\" in this table"), "this table")
            .help(format!("expected a line `{key} = …` in it; `condis labs show {example}` is an example"))
    }

    fn pppoe_target(&self, table: &CallTable, span: Range<usize>) -> Result<CallTo, LabError> {
        let atm = [
            ("to", table.to.as_ref().map(Spanned::span)),
            ("pvc", table.pvc.as_ref().map(Spanned::span)),
            ("leaves", table.leaves.as_ref().map(Spanned::span)),
            ("category", table.category.as_ref().map(Spanned::span)),
            ("pcr", table.pcr.as_ref().map(Spanned::span)),
            ("scr", table.scr.as_ref().map(Spanned::span)),
            ("mbs", table.mbs.as_ref().map(Spanned::span)),
            ("change-pcr", table.change_pcr.as_ref().map(Spanned::span)),
            ("blli", table.blli.as_ref().map(Spanned::span)),
            ("bhli", table.bhli.as_ref().map(Spanned::span)),
            ("refused", table.refused.as_ref().map(Spanned::span)),
        ];
        for (key, span) in atm {
            if let Some(span) = span {
                return Err(self.not_with(key, span, "PPPoE has no such thing"));
            }
        }
        let service = table.service.as_ref().ok_or_else(|| self.missing("service", span, "two-ways"))?;
        Ok(CallTo::Pppoe {
            service: service.get_ref().clone(),
            concentrator: table.concentrator.as_ref().map(|name| name.get_ref().clone()),
        })
    }

    fn atm_target(
        &self,
        table: &CallTable,
        span: Range<usize>,
        frame_octets: usize,
        (node, adapter): (&str, &AdapterPlan),
        nodes: &[NodePlan],
    ) -> Result<CallTo, LabError> {
        for (key, value) in [("service", &table.service), ("concentrator", &table.concentrator)] {
            if let Some(value) = value {
                return Err(self.not_with(key, value.span(), "ATM calls an address: `to`"));
            }
        }
        let to = match (&table.to, &table.pvc) {
            (Some(to), None) => to,
            (None, Some(pvc)) => return Ok(CallTo::Pvc(self.vpvc(pvc)?)),
            (Some(_), Some(pvc)) => {
                return Err(self.source.error(pvc.span(), "a call is to an address or on a PVC", "not both"));
            }
            (None, None) => return Err(self.missing("to", span, "atm")),
        };
        let called = self.whom(to, node, nodes)?;
        let contract = self.contract(&table.category, &table.pcr, &table.scr, &table.mbs, span)?;
        let sdu_octets = (frame_octets + OVERHEAD_OCTETS).max(SDU_OCTETS_MIN) as u32;
        let flow = AtmFlow { contract, sdu_octets_max: sdu_octets };
        let mut call = AtmCall::to(called).both_ways(flow);
        if let Network::Atm(plan) = &adapter.network {
            call.calling.clone_from(&plan.address);
        }
        if let Some(blli) = &table.blli {
            call.blli = vec![self.layers(blli.get_ref(), blli.span())?.to_info()];
        }
        if let Some(text) = &table.bhli {
            call.bhli = atm::bhli_info(&self.bhli(text.get_ref(), text.span())?);
        }
        let leaves = match &table.leaves {
            None => Vec::new(),
            Some(list) => list
                .get_ref()
                .iter()
                .map(|leaf| Ok((self.whom(leaf, node, nodes)?, leaf.get_ref().clone())))
                .collect::<Result<_, LabError>>()?,
        };
        if let (Some(change), None) = (&table.change_pcr, contract.pcr_cells_per_s) {
            return Err(self
                .source
                .error(change.span(), "there is no rate to be changed", "here")
                .help("expected a `pcr = …` beside it: the rate the call begins with"));
        }
        Ok(CallTo::Atm(Box::new(AtmTarget {
            name: to.get_ref().clone(),
            call,
            multipoint: table.leaves.is_some(),
            leaves,
            change_pcr: table.change_pcr.as_ref().map(|change| *change.get_ref()),
        })))
    }

    /// `NODE/ADAPTER`, `NODE/ADAPTER.SELECTOR`, or an address.
    pub(super) fn whom(
        &self,
        text: &Spanned<String>,
        here: &str,
        nodes: &[NodePlan],
    ) -> Result<AtmAddress, LabError> {
        let Some((node, adapter)) = text.get_ref().split_once('/') else { return self.atm_address(text) };
        let error = |what: String| self.source.error(text.span(), what, "not known");
        let Some(node) = nodes.iter().find(|other| other.name == node) else {
            let names = nodes.iter().map(|node| node.name.as_str()).filter(|name| *name != here);
            return Err(error(format!("there is no node \"{node}\"")).help(did_you_mean(node, "node", names)));
        };
        let (adapter, selector) = match adapter.split_once('.') {
            None => (adapter, 0),
            Some((adapter, selector)) => (
                adapter,
                selector_of(selector).ok_or_else(|| {
                    error(format!("\"{selector}\" is no selector"))
                        .help("expected two hex digits, such as \"NODE/ADAPTER.01\"")
                })?,
            ),
        };
        let names = node.adapters.iter().map(|adapter| adapter.name.as_str());
        let Some(found) = node.adapters.iter().find(|other| other.name == adapter) else {
            return Err(error(format!("node \"{}\" has no adapter \"{adapter}\"", node.name))
                .help(did_you_mean(adapter, "adapter", names)));
        };
        match &found.network {
            Network::Atm(AtmPlan { address: Some(address), .. }) => Ok(atm::with_selector(address, selector)),
            Network::Atm(_) => Err(error("its address is known only once it is registered".to_owned()).help(
                "expected an adapter with `addresses`, or on a fibre to a port with a `prefix`; or write the address out",
            )),
            Network::Pppoe { .. } => Err(error(format!("adapter \"{adapter}\" is not one of ATM"))),
        }
    }

    pub(super) fn contract(
        &self,
        category: &Option<Spanned<String>>,
        pcr: &Option<Spanned<u32>>,
        scr: &Option<Spanned<u32>>,
        mbs: &Option<Spanned<u32>>,
        span: Range<usize>,
    ) -> Result<Contract, LabError> {
        use ServiceCategory::{Cbr, NrtVbr, RtVbr, Ubr};
        let words = [("ubr", Ubr), ("cbr", Cbr), ("rt-vbr", RtVbr), ("nrt-vbr", NrtVbr)];
        let kind = self.word(category, words)?;
        let number = |key: &str, value: &Option<Spanned<u32>>| match value {
            Some(value) if *value.get_ref() > 0 => Ok(*value.get_ref()),
            Some(value) => Err(self.source.error(value.span(), "this is no rate and no size", "here")),
            None => Err(self
                .source
                .error(
                    category.as_ref().map_or(span.clone(), Spanned::span),
                    format!("such a call has a `{key}`"),
                    "not without",
                )
                .help("expected `pcr`, in cells a second; of VBR also `scr`, and `mbs` in cells")),
        };
        if let (Ubr | Cbr, Some(extra)) = (kind, scr.as_ref().or(mbs.as_ref())) {
            return Err(self
                .source
                .error(extra.span(), "only VBR has a sustained rate and a burst", "here")
                .help("expected `category = \"nrt-vbr\"` or \"rt-vbr\" beside it"));
        }
        Ok(match kind {
            Ubr => Contract {
                pcr_cells_per_s: pcr.as_ref().map(|_| number("pcr", pcr)).transpose()?,
                ..Contract::UBR
            },
            Cbr => Contract::cbr(number("pcr", pcr)?),
            RtVbr | NrtVbr => {
                let pcr_cells = number("pcr", pcr)?;
                let scr_cells = number("scr", scr)?;
                if scr_cells > pcr_cells {
                    let span = scr.as_ref().map_or(span, Spanned::span);
                    return Err(self
                        .source
                        .error(span, "a sustained rate is not above the peak", "here")
                        .help(format!("expected at most {pcr_cells}")));
                }
                Contract {
                    category: kind,
                    pcr_cells_per_s: Some(pcr_cells),
                    sustained: Some(Sustained { scr_cells_per_s: scr_cells, mbs_cells: number("mbs", mbs)? }),
                    ..Contract::UBR
                }
            }
        })
    }
}

fn selector_of(text: &str) -> Option<u8> {
    match atm::hex(text)?.as_slice() {
        [selector] => Some(*selector),
        _ => None,
    }
}

/// A frame of nearly full size.
const FRAME_OCTETS_DEFAULT: usize = 1400;

/// An SDU of some size that is not a whole number of cells.
const ATM_FRAME_OCTETS_DEFAULT: usize = 4096;

/// What the clients have to say beside the data fits as well.
const SDU_OCTETS_MIN: usize = 64;
