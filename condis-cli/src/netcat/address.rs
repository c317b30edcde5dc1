//! What can be called, and over what.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::ops::Range;

use condis_atm::addr::AtmAddress;
use condis_atm::driver::SapAddress;

use crate::lab::{LabError, LinkPlan, did_you_mean, hex};

/// Whom to call, or where to take calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// A PPPoE service. An empty name is any.
    Pppoe {
        /// Its name.
        service: String,
    },
    /// An ATM end system.
    Atm(AtmAddress),
    /// Where ATM calls are taken.
    AtmSap(SapAddress, String),
}

impl Target {
    /// Reads whom to call: `pppoe:SERVICE`, or an ATM address.
    ///
    /// # Errors
    /// It is no address, with what one looks like.
    pub fn parse(text: &str) -> Result<Target, LabError> {
        if let Some(service) = text.strip_prefix("pppoe:") {
            return pppoe(service);
        }
        match address(text, EXPECTED)? {
            Some(address) => Ok(Target::Atm(address)),
            None => Err(LabError::new(format!("\"{text}\" is no address")).help(EXPECTED)),
        }
    }

    /// Reads where to take calls: `pppoe:SERVICE`, an ATM address, a selector such as `.01`, or `any`.
    ///
    /// # Errors
    /// It is no such place, with what one looks like.
    pub fn parse_listen(text: &str) -> Result<Target, LabError> {
        if let Some(service) = text.strip_prefix("pppoe:") {
            return pppoe(service);
        }
        let sap = match text.strip_prefix('.').map(hex) {
            Some(Some(octets)) if octets.len() == 1 => SapAddress::OnlySelector(octets[0]),
            _ if text == "any" => SapAddress::Any,
            _ => match address(text, EXPECTED_LISTEN)? {
                Some(address) => SapAddress::Is(address),
                None => {
                    return Err(
                        LabError::new(format!("calls cannot be taken on \"{text}\"")).help(EXPECTED_LISTEN)
                    );
                }
            },
        };
        Ok(Target::AtmSap(sap, text.to_owned()))
    }

    /// True of an address in ATM.
    pub fn is_atm(&self) -> bool {
        !matches!(self, Target::Pppoe { .. })
    }
}

fn pppoe(service: &str) -> Result<Target, LabError> {
    if service.len() > NAME_OCTETS_MAX {
        return Err(LabError::new("the name of the service is too long").help(format!(
            "expected at most {NAME_OCTETS_MAX} octets: it is a Service-Name tag (RFC 2516)"
        )));
    }
    Ok(Target::Pppoe { service: service.to_owned() })
}

/// An ATM address; nothing if the text does not look like one at all.
fn address(text: &str, expected: &str) -> Result<Option<AtmAddress>, LabError> {
    if let Some((kind, _)) = text.split_once(':') {
        let help = format!("{}\n{expected}", did_you_mean(kind, "kind of address", ["pppoe"]));
        return Err(LabError::new(format!("there is no kind of address \"{kind}\"")).help(help));
    }
    if !text.starts_with(|c: char| c.is_ascii_hexdigit() || c == '+')
        || !text.contains(|c: char| c.is_ascii_digit())
    {
        return Ok(None);
    }
    match text.parse() {
        Ok(address) => Ok(Some(address)),
        Err(error) => {
            Err(LabError::new(format!("\"{text}\" is no address: {error}")).help(expected.to_owned()))
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Pppoe { service } => write!(f, "pppoe:{service}"),
            Target::Atm(address) => write!(f, "{address}"),
            Target::AtmSap(_, text) => f.write_str(text),
        }
    }
}

/// Reads a real line.
///
/// # Errors
/// It is no line, with what one looks like.
pub fn parse_link(text: &str) -> Result<LinkPlan, LabError> {
    const KINDS: [&str; 3] = ["ethernet", "atmtcp", "udp"];
    match text.split_once(':') {
        Some(("ethernet", interface)) if !interface.is_empty() => {
            Ok(LinkPlan::Ethernet { interface: interface.to_owned(), at: 0..0 })
        }
        Some((kind @ ("atmtcp" | "udp"), rest)) => {
            real_atm_link(kind, rest, 0..0).map_err(|(what, expected)| LabError::new(what).help(expected))
        }
        Some((kind, _)) if !KINDS.contains(&kind) => {
            Err(LabError::new(format!("there is no kind of link \"{kind}\""))
                .help(format!("{}\n{EXPECTED_LINK}", did_you_mean(kind, "kind of link", KINDS))))
        }
        _ => Err(LabError::new(format!("\"{text}\" is no link")).help(EXPECTED_LINK)),
    }
}

/// Reads what stands behind `atmtcp:` or `udp:`.
///
/// # Errors
/// What is wrong, and what was expected.
pub(crate) fn real_atm_link(
    kind: &str,
    rest: &str,
    at: Range<usize>,
) -> Result<LinkPlan, (String, &'static str)> {
    // A name is looked up; of its addresses one of IPv4 is what a peer is likely to have.
    let address = |text: &str| {
        let found: Vec<SocketAddr> = text.to_socket_addrs().ok()?.collect();
        found.iter().find(|address| address.is_ipv4()).or(found.first()).copied()
    };
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
const EXPECTED: &str = "expected pppoe:SERVICE, such as pppoe:internet, or pppoe: for any service; \
                        or an ATM address of 40 hex digits, such as 47.0005.80.ffe100.0000.f21a.0001.0020480b0002.00, or +4989636112";
const EXPECTED_LISTEN: &str = "expected pppoe:SERVICE, such as pppoe:internet; or of ATM an address of 40 hex digits, \
                               a selector of the own one, such as .01, or any";
const EXPECTED_LINK: &str = "expected ethernet:INTERFACE, such as ethernet:eth1; or of ATM atmtcp:HOST:PORT, \
                             atmtcp:listen:HOST:PORT or udp:HOST:PORT,HOST:PORT";

/// RFC 2516 sets no bound for names; 255 octets is the drivers' bound.
const NAME_OCTETS_MAX: usize = 255;
