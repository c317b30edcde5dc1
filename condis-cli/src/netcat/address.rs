//! What can be called, and over what.

use std::fmt;
use std::net::SocketAddr;

use crate::lab::{LabError, LinkPlan, did_you_mean};

/// Whom to call, or where to take calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// A PPPoE service. An empty name is any.
    Pppoe {
        /// Its name.
        service: String,
    },
}

impl Target {
    /// Reads `pppoe:SERVICE`.
    ///
    /// # Errors
    /// It is no address, with what one looks like.
    pub fn parse(text: &str) -> Result<Target, LabError> {
        match text.split_once(':') {
            Some(("pppoe", service)) if service.len() <= NAME_OCTETS_MAX => {
                Ok(Target::Pppoe { service: service.to_owned() })
            }
            Some(("pppoe", _)) => Err(LabError::new("the name of the service is too long").help(format!(
                "expected at most {NAME_OCTETS_MAX} octets: it is a Service-Name tag (RFC 2516)"
            ))),
            Some((kind, _)) => Err(LabError::new(format!("there is no kind of address \"{kind}\""))
                .help(format!("{}\n{EXPECTED}", did_you_mean(kind, "kind of address", ["pppoe"])))),
            None => Err(LabError::new(format!("\"{text}\" is no address")).help(EXPECTED)),
        }
    }

    /// The kind of network it is an address in.
    pub fn network(&self) -> &'static str {
        match self {
            Target::Pppoe { .. } => "PPPoE",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Pppoe { service } => write!(f, "pppoe:{service}"),
        }
    }
}

/// The line to call over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LinkSpec {
    /// A network interface of this machine.
    Ethernet {
        /// Its name.
        interface: String,
    },
}

impl LinkSpec {
    /// Reads `ethernet:NAME`.
    ///
    /// # Errors
    /// It is no line, with what one looks like.
    pub fn parse(text: &str) -> Result<LinkSpec, LabError> {
        const KINDS: [&str; 1] = ["ethernet"];
        match text.split_once(':') {
            Some(("ethernet", interface)) if !interface.is_empty() => {
                Ok(LinkSpec::Ethernet { interface: interface.to_owned() })
            }
            Some((kind, _)) if !KINDS.contains(&kind) => {
                Err(LabError::new(format!("there is no kind of link \"{kind}\""))
                    .help(format!("{}\n{EXPECTED_LINK}", did_you_mean(kind, "kind of link", KINDS))))
            }
            _ => Err(LabError::new(format!("\"{text}\" is no link")).help(EXPECTED_LINK)),
        }
    }
}

/// Reads what stands behind `atmtcp:` or `udp:`.
///
/// # Errors
/// What is wrong, and what was expected.
pub(crate) fn real_atm_link(
    kind: &str,
    rest: &str,
    at: std::ops::Range<usize>,
) -> Result<LinkPlan, (String, &'static str)> {
    let address = |text: &str| text.parse::<SocketAddr>().ok();
    let wrong = || format!("\"{kind}:{rest}\" is no line");
    if kind == "udp" {
        let ends = rest.split_once(',').and_then(|(local, peer)| Some((address(local)?, address(peer)?)));
        let (local, peer) = ends.ok_or_else(|| (wrong(), EXPECTED_UDP))?;
        return Ok(LinkPlan::AtmUdp { local, peer, at });
    }
    let (listen, text) = match rest.strip_prefix("listen:") {
        Some(text) => (true, text),
        None => (false, rest),
    };
    let address = address(text).ok_or_else(|| (wrong(), EXPECTED_ATMTCP))?;
    Ok(LinkPlan::AtmTcp { listen, address, at })
}

const EXPECTED_UDP: &str =
    "expected the two ends, this one first, such as \"udp:127.0.0.1:3801,127.0.0.1:3802\"";
const EXPECTED_ATMTCP: &str = "expected the address to connect to, or to listen on, such as \"atmtcp:127.0.0.1:2812\" or \
                               \"atmtcp:listen:0.0.0.0:2812\"";
const EXPECTED: &str = "expected pppoe:SERVICE, such as pppoe:internet, or pppoe: for any service";
const EXPECTED_LINK: &str = "expected ethernet:INTERFACE, such as ethernet:eth1";

/// RFC 2516 sets no bound for names; 255 octets is the drivers' bound.
const NAME_OCTETS_MAX: usize = 255;
