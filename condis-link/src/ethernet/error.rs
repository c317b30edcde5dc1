//! Why an interface cannot be opened, and what to do about it.

use std::io;

use super::filter::ETHERTYPES_LEN_MAX;

/// Why [`EthernetSocket::open`](super::EthernetSocket::open) failed. Its text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no such interface.
    #[error("there is no network interface \"{name}\"; {}", existing_text(nearest, existing))]
    NoSuchInterface {
        /// The name asked for.
        name: String,
        /// The existing name that is most like it, if one is.
        nearest: Option<String>,
        /// All names that there are.
        existing: Vec<String>,
    },
    /// The interface is not an Ethernet.
    #[error(
        "network interface {name} is not an Ethernet (its hardware type is {hardware}, expected 1); take another"
    )]
    NotEthernet {
        /// Its name.
        name: String,
        /// Its hardware type, an `ARPHRD_` number.
        hardware: u16,
    },
    /// The interface is not set up.
    #[error("network interface {name} is down; set it up first: ip link set {name} up")]
    InterfaceDown {
        /// Its name.
        name: String,
    },
    /// The process may not open raw sockets.
    #[error(
        "no right to send and receive raw frames on network interface {name}; run as root, or with CAP_NET_RAW: \
         setcap cap_net_raw+ep PROGRAM"
    )]
    NotPermitted {
        /// The name of the interface.
        name: String,
    },
    /// A link is for one EtherType at least, and for a bounded number.
    #[error("{count} EtherTypes asked for; expected 1 to {ETHERTYPES_LEN_MAX}")]
    EtherTypes {
        /// How many were asked for.
        count: usize,
    },
    /// The system refused for a reason of its own.
    #[error("cannot {operation} on network interface {name}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// The name of the interface.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    /// There is no interface `name` among the `existing`.
    pub(super) fn no_such_interface(name: &str, existing: Vec<String>) -> OpenError {
        let likeness = |other: &String| strsim::jaro_winkler(name, other);
        let nearest = existing.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let nearest = nearest.filter(|nearest| likeness(nearest) >= LIKENESS_MIN).cloned();
        OpenError::NoSuchInterface { name: name.to_owned(), nearest, existing }
    }
}

fn existing_text(nearest: &Option<String>, existing: &[String]) -> String {
    match nearest {
        Some(nearest) => format!("did you mean \"{nearest}\"?"),
        None => format!("there are: {}", existing.join(", ")),
    }
}

/// Names less alike than this (1 is equal) are not a slip of the finger.
const LIKENESS_MIN: f64 = 0.7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_interface_is_answered_with_the_nearest_name() {
        let existing = || ["lo", "eth0", "wlan0"].map(String::from).to_vec();
        assert_eq!(
            OpenError::no_such_interface("eht0", existing()).to_string(),
            "there is no network interface \"eht0\"; did you mean \"eth0\"?"
        );
        assert_eq!(
            OpenError::no_such_interface("tun7", existing()).to_string(),
            "there is no network interface \"tun7\"; there are: lo, eth0, wlan0"
        );
    }
}
