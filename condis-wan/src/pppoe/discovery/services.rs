//! What a concentrator offers.

use super::{ServiceKey, limits::ConcentratorLimits};

/// Why a service is not offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// The key names a service already.
    #[error("service key {} is in use", .0.0)]
    KeyInUse(ServiceKey),
    /// The name is offered already, under this key.
    #[error("the name is offered already, under key {}", .0.0)]
    NameInUse(ServiceKey),
    /// The name is longer than [`ConcentratorLimits::service_name_len_max`].
    #[error("service name of {len} octets, expected at most {max}")]
    NameTooLong {
        /// Its octets.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// [`ConcentratorLimits::services_max`] services are offered.
    #[error("{max} services are offered already")]
    TooMany {
        /// The limit.
        max: usize,
    },
}

/// The services, in the order in which they were offered.
#[derive(Debug, Default)]
pub(super) struct Services {
    offered: Vec<(ServiceKey, Vec<u8>)>,
}

impl Services {
    pub(super) fn offer(
        &mut self,
        key: ServiceKey,
        name: &[u8],
        limits: &ConcentratorLimits,
    ) -> Result<(), OfferError> {
        if self.offered.iter().any(|(other, _)| *other == key) {
            return Err(OfferError::KeyInUse(key));
        }
        if let Some((holder, _)) = self.offered.iter().find(|(_, other)| other == name) {
            return Err(OfferError::NameInUse(*holder));
        }
        if name.len() > limits.service_name_len_max {
            return Err(OfferError::NameTooLong { len: name.len(), max: limits.service_name_len_max });
        }
        if self.offered.len() >= limits.services_max {
            return Err(OfferError::TooMany { max: limits.services_max });
        }
        self.offered.push((key, name.to_vec()));
        Ok(())
    }

    /// True if it was offered.
    pub(super) fn withdraw(&mut self, key: ServiceKey) -> bool {
        let before = self.offered.len();
        self.offered.retain(|(other, _)| *other != key);
        self.offered.len() < before
    }

    /// The service that serves a request for `wanted`: the one of this very name; or, for the empty name, which says
    /// "any", the one offered first (RFC 2516 Appendix A).
    pub(super) fn serving(&self, wanted: &[u8]) -> Option<(ServiceKey, &[u8])> {
        let exact = self.offered.iter().find(|(_, name)| name == wanted);
        let any = || self.offered.first().filter(|_| wanted.is_empty());
        exact.or_else(any).map(|(key, name)| (*key, &name[..]))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.offered.iter().map(|(_, name)| &name[..])
    }
}
