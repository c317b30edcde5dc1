//! What a call is in its network: the parameters, the drivers, the adapter.

use std::sync::Arc;
use std::time::Duration;

use condis::node::Node;
use condis::params::AddressFamily;
use condis::status::NdisStatus;
use condis_atm::addr::AtmAddress;
use condis_atm::driver::{AtmCall, AtmConfig, AtmFlow, AtmMcm, AtmMiniport, AtmSap, Field, UniCallManager};
use condis_atm::traffic::Contract;
use condis_link::Link;
use condis_link::atm::AtmLink;
use condis_wan::pppoe::driver::{
    CallTarget, EthernetMiniport, PppoeCallManager, PppoeConfig, PppoeMcm, service_sap,
};

use super::terminal::{Plan, Role};
use super::words::Words;
use super::{AtmChoices, Line, Netcat, Target};
use crate::client::OVERHEAD_OCTETS;
use crate::lab::{LabError, Layers, bhli_info};

impl Netcat {
    /// Octets of data in one SDU.
    pub(super) fn sdu_octets(&self) -> usize {
        self.sdu_octets.unwrap_or(if self.target.is_atm() { ATM_SDU_OCTETS } else { PPPOE_SDU_OCTETS })
    }

    fn is_framed(&self) -> bool {
        !self.target.is_atm() || self.atm.framed
    }

    /// What its client is to do.
    pub(super) fn plan(&self) -> Plan {
        let role = match &self.target {
            Target::Pppoe { service } if self.listen => {
                Role::Listen { sap: service_sap(service), many: self.many }
            }
            Target::Pppoe { service } => {
                let target = CallTarget {
                    service_name: service.clone().into_bytes(),
                    ac_name: self.ac_name.clone().map(String::into_bytes),
                    ..CallTarget::default()
                };
                Role::Call { params: target.to_params(), keep: self.keep }
            }
            Target::Atm(address) => {
                Role::Call { params: self.atm_call(address).to_params(), keep: self.keep }
            }
            Target::AtmSap(address, _) => {
                let layers = self.atm.layers.as_ref().map(Layers::to_fields);
                let (layer2, layer3) = layers.unwrap_or((Field::Any, Field::Any));
                let bhli = self.atm.bhli.clone().map_or(Field::Any, Field::Is);
                let sap = AtmSap { address: address.clone(), layer2, layer3, bhli };
                Role::Listen { sap: sap.to_sap(), many: self.many }
            }
        };
        let idle = if self.listen { self.idle } else { Some(self.idle.unwrap_or(CALL_IDLE)) };
        let (family, words) = match self.target.is_atm() {
            true => (AddressFamily::Q2931, Words::Atm),
            false => (AddressFamily::PPP, Words::Pppoe),
        };
        Plan { family, role, framed: self.is_framed(), sdu_octets: self.sdu_octets(), idle, words }
    }

    fn atm_call(&self, address: &AtmAddress) -> AtmCall {
        let contract = self.atm.pcr.map_or(Contract::UBR, Contract::cbr);
        let overhead = if self.is_framed() { OVERHEAD_OCTETS } else { 0 };
        let sdu_octets_max = (self.sdu_octets() + overhead).max(SDU_OCTETS_MIN) as u32;
        let mut call = AtmCall::to(address.clone()).both_ways(AtmFlow { contract, sdu_octets_max });
        if self.atm.one_way {
            call.backward = AtmFlow { sdu_octets_max, ..AtmFlow::NOTHING };
        }
        call.blli = self.atm.layers.iter().map(Layers::to_info).collect();
        call.bhli = self.atm.bhli.as_ref().and_then(bhli_info);
        call.calling = self.atm.addresses.first().cloned();
        call
    }

    /// Adds an adapter on the line, with the drivers that make it work.
    pub(super) fn add_adapter(&self, node: &Node, line: Line) -> Result<(), LabError> {
        let added = match line {
            Line::Ethernet(link) => self.add_pppoe(node, link),
            Line::Atm(link) => self.add_atm(node, link),
        };
        added.map_err(|status| LabError::new(format!("the drivers cannot be started: {status}")))
    }

    fn add_pppoe(&self, node: &Node, link: Arc<dyn Link>) -> Result<(), NdisStatus> {
        let config = match (self.listen, &self.ac_name) {
            (true, name) => PppoeConfig::concentrator(name.as_deref().unwrap_or("condis")),
            (false, _) => PppoeConfig::default(),
        };
        if self.mcm {
            node.add_mcm("line", PppoeMcm::new(link, config))?;
        } else {
            node.register_protocol("pppoe-call-manager", PppoeCallManager::new(config));
            node.add_miniport("line", EthernetMiniport::new(link))?;
        }
        Ok(())
    }

    fn add_atm(&self, node: &Node, link: Arc<dyn AtmLink>) -> Result<(), NdisStatus> {
        let AtmChoices { version, addresses, esi, .. } = &self.atm;
        let mut config = AtmConfig::new(*version);
        config.uni.addresses.ilmi = addresses.is_empty();
        config.uni.addresses.fixed.clone_from(addresses);
        if let Some(patience) = self.patience {
            config.signaling_patience = patience;
        }
        if self.mcm {
            node.add_mcm("line", AtmMcm::new(link, *esi, config))?;
        } else {
            node.register_protocol("uni-call-manager", UniCallManager::new(config));
            node.add_miniport("line", AtmMiniport::new(link, *esi))?;
        }
        Ok(())
    }
}

/// Data in a frame of nearly full size.
pub const PPPOE_SDU_OCTETS: usize = 1400;

/// An IP packet of Classical IP with its LLC header (RFC 2225 §7).
pub const ATM_SDU_OCTETS: usize = 9188;

/// What the frames without data need, too.
const SDU_OCTETS_MIN: usize = 64;

/// How long a caller whose input has ended waits for more, if the other end does not say that it has ended, too.
pub const CALL_IDLE: Duration = Duration::from_secs(1);
