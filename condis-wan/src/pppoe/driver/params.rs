//! What a client and a PPPoE manager tell each other in call parameters and SAPs.
//!
//! Both are lists of PPPoE tags (RFC 2516 Appendix A), with a few fixed octets before them in an incoming call:
//!
//! | `param_type` | whose | octets |
//! |---|---|---|
//! | [`CALL_TARGET`] | [`CallTarget`] | tags: Service-Name; AC-Name and PPP-Max-Payload where wanted |
//! | [`INCOMING_HOST`] | [`IncomingHost`] | MAC (6), SESSION_ID (2), PPP payload (2), then tags: Service-Name, Vendor-Specific… |

use condis::params::{CallParams, Sap, Specific};

use crate::pppoe::discovery::Session;
use crate::pppoe::wire::{MacAddr, SessionId, Tag, Tags, VendorTag};

/// `param_type` of a [`CallTarget`].
pub const CALL_TARGET: u32 = 0x0001;
/// `param_type` of an [`IncomingHost`].
pub const INCOMING_HOST: u32 = 0x0002;
/// SAP type of a PPPoE service name. The family PPP leaves its SAP types to the protocol.
pub const SAP_TYPE_SERVICE: u32 = 0;

/// What a client calls: goes into the parameters of its make-call, and comes back with what was agreed on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CallTarget {
    /// The service; empty is any.
    pub service_name: Vec<u8>,
    /// The concentrator, if it must be a certain one.
    pub ac_name: Option<Vec<u8>>,
    /// The longest PPP payload wanted, in octets, without the two of PPP's protocol field (RFC 4638).
    pub max_payload: Option<u16>,
}

impl CallTarget {
    /// This service, of any concentrator.
    pub fn service(name: &str) -> CallTarget {
        CallTarget { service_name: name.as_bytes().to_vec(), ..CallTarget::default() }
    }

    /// The parameters to make the call with. Names longer than a tag can be, 65,535 octets, are cut.
    pub fn to_params(&self) -> CallParams {
        CallParams::to(self.to_specific())
    }

    pub(super) fn to_specific(&self) -> Specific {
        let mut parameters = Vec::new();
        push_tag(&mut parameters, &Tag::ServiceName(&self.service_name));
        if let Some(ac_name) = &self.ac_name {
            push_tag(&mut parameters, &Tag::AcName(ac_name));
        }
        if let Some(max_payload) = self.max_payload {
            push_tag(&mut parameters, &Tag::PppMaxPayload(max_payload));
        }
        Specific { param_type: CALL_TARGET, parameters }
    }

    /// What was agreed on for a session.
    pub(super) fn agreed(session: &Session) -> CallTarget {
        CallTarget {
            service_name: session.service_name.clone(),
            ac_name: Some(session.ac_name.clone()),
            max_payload: Some(session.max_payload),
        }
    }

    /// Reads the parameters of a call. A call without manager parameters is one to any service.
    ///
    /// # Errors
    /// See [`ParamsError`].
    pub fn from_params(params: &CallParams) -> Result<CallTarget, ParamsError> {
        let Some(manager) = &params.manager else { return Ok(CallTarget::default()) };
        let Specific { param_type, parameters } = &manager.specific;
        if parameters.is_empty() {
            return Ok(CallTarget::default());
        }
        let tags = tags_of(*param_type, CALL_TARGET, parameters)?;
        Ok(CallTarget {
            service_name: service_name(tags),
            ac_name: tags.ac_name().map(<[u8]>::to_vec),
            max_payload: tags.max_payload(),
        })
    }
}

/// Who calls: comes in the parameters of an incoming call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncomingHost {
    /// The host's address.
    pub mac: MacAddr,
    /// The number that the session will have.
    pub session_id: SessionId,
    /// The service it asked for.
    pub service_name: Vec<u8>,
    /// The longest PPP payload either may send, in octets.
    pub max_payload: u16,
    /// Vendor-Specific tags: the access line of TR-101.
    pub vendor: Vec<VendorTag>,
}

impl IncomingHost {
    pub(super) fn of(session: &Session) -> IncomingHost {
        IncomingHost {
            mac: session.peer,
            session_id: session.id,
            service_name: session.service_name.clone(),
            max_payload: session.max_payload,
            vendor: session.vendor.clone(),
        }
    }

    /// The parameters of the offer.
    pub fn to_params(&self) -> CallParams {
        let mut parameters = self.mac.0.to_vec();
        parameters.extend(self.session_id.get().to_be_bytes());
        parameters.extend(self.max_payload.to_be_bytes());
        push_tag(&mut parameters, &Tag::ServiceName(&self.service_name));
        for vendor in &self.vendor {
            push_tag(&mut parameters, &Tag::VendorSpecific(&vendor.encode()));
        }
        CallParams::to(Specific { param_type: INCOMING_HOST, parameters })
    }

    /// Reads the parameters of an incoming call.
    ///
    /// # Errors
    /// See [`ParamsError`].
    pub fn from_params(params: &CallParams) -> Result<IncomingHost, ParamsError> {
        let specific = &params.manager.as_ref().ok_or(ParamsError::Missing)?.specific;
        let len = specific.parameters.len();
        let (fixed, tags) =
            specific.parameters.split_first_chunk::<10>().ok_or(ParamsError::Truncated { len })?;
        let [a, b, c, d, e, f, id_high, id_low, max_high, max_low] = *fixed;
        let tags = tags_of(specific.param_type, INCOMING_HOST, tags)?;
        let session_id = u16::from_be_bytes([id_high, id_low]);
        Ok(IncomingHost {
            mac: MacAddr([a, b, c, d, e, f]),
            session_id: SessionId::new(session_id).ok_or(ParamsError::SessionId(session_id))?,
            service_name: service_name(tags),
            max_payload: u16::from_be_bytes([max_high, max_low]),
            vendor: tags.vendor_specific().filter_map(VendorTag::parse).collect(),
        })
    }
}

/// Why parameters cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// There are none.
    #[error("no parameters")]
    Missing,
    /// They are of another type.
    #[error("parameters of type {found:#x}, expected {expected:#x}")]
    Type {
        /// Their type.
        found: u32,
        /// The type that is read here.
        expected: u32,
    },
    /// They end too early.
    #[error("parameters of {len} octets are cut off")]
    Truncated {
        /// Their octets.
        len: usize,
    },
    /// A tag in them is not whole.
    #[error("a tag is not whole")]
    Tag,
    /// A number that no session can have.
    #[error("{0:#x} is no session id")]
    SessionId(u16),
}

/// The SAP on which a client takes calls to the service of this name.
pub fn service_sap(name: &str) -> Sap {
    Sap::new(SAP_TYPE_SERVICE, name)
}

fn tags_of(found: u32, expected: u32, octets: &[u8]) -> Result<Tags<'_>, ParamsError> {
    if found != expected {
        return Err(ParamsError::Type { found, expected });
    }
    Tags::parse(octets).map_err(|_| ParamsError::Tag)
}

fn service_name(tags: Tags<'_>) -> Vec<u8> {
    tags.service_names().next().unwrap_or_default().to_vec()
}

fn push_tag(out: &mut Vec<u8>, tag: &Tag<'_>) {
    let max;
    let value = match tag {
        Tag::ServiceName(value) | Tag::AcName(value) | Tag::VendorSpecific(value) => *value,
        Tag::PppMaxPayload(number) => {
            max = number.to_be_bytes();
            &max
        }
        _ => return,
    };
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    out.extend(tag.tag_type().0.to_be_bytes());
    out.extend((value.len() as u16).to_be_bytes());
    out.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_target_is_read_as_it_was_written() {
        let targets = [
            CallTarget::default(),
            CallTarget::service("internet"),
            CallTarget {
                service_name: b"x".to_vec(),
                ac_name: Some(b"ac".to_vec()),
                max_payload: Some(1500),
            },
        ];
        for target in targets {
            assert_eq!(CallTarget::from_params(&target.to_params()), Ok(target));
        }
        assert_eq!(CallTarget::from_params(&CallParams::default()), Ok(CallTarget::default()));
    }

    #[test]
    fn an_incoming_host_is_read_as_it_was_written_and_no_prefix_is() {
        let host = IncomingHost {
            mac: MacAddr([2, 0, 0, 0, 0, 9]),
            session_id: SessionId::FIRST,
            service_name: b"internet".to_vec(),
            max_payload: 1492,
            vendor: vec![VendorTag { vendor: 3561, data: vec![1, 2, b'h', b'i'] }],
        };
        let params = host.to_params();
        assert_eq!(IncomingHost::from_params(&params), Ok(host));
        let whole = params.manager.expect("there are some").specific;
        for len in 0..whole.parameters.len() {
            let cut = Specific { parameters: whole.parameters[..len].to_vec(), ..whole };
            // A cut between two tags leaves fewer tags; every other one is seen.
            let read = IncomingHost::from_params(&CallParams::to(cut));
            assert!(read.is_err() || [10, 22].contains(&len), "{len}: {read:?}");
        }
    }

    #[test]
    fn other_parameters_are_refused() {
        let other = Specific { param_type: 77, parameters: vec![0; 32] };
        let params = CallParams::to(other);
        let found = 77;
        assert_eq!(CallTarget::from_params(&params), Err(ParamsError::Type { found, expected: CALL_TARGET }));
        assert_eq!(IncomingHost::from_params(&CallParams::default()), Err(ParamsError::Missing));
    }
}
