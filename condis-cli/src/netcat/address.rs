//! What can be called, and over what.

use std::fmt;

use crate::lab::{LabError, did_you_mean};

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

const EXPECTED: &str = "expected pppoe:SERVICE, such as pppoe:internet, or pppoe: for any service";
const EXPECTED_LINK: &str = "expected ethernet:INTERFACE, such as ethernet:eth1";

/// RFC 2516 sets no bound for names; 255 octets is the drivers' bound.
const NAME_OCTETS_MAX: usize = 255;
